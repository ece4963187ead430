"""Games whose players choose numbers: payoffs in coordinates, stationarity, second-order conditions.

The coordinates are the entries of the players' variables, for sizes that are fixed; payoffs are closed scalars in them.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from symgen.calculus.hessian import hessian
from symgen.calculus.optimum import optimum
from symgen.calculus.solving import (
    RANGES,
    Interval,
    assuming,
    never_positive,
    numeric,
    sample_symbols,
    sign_of,
    sign_on,
    vanishes,
)
from symgen.calculus.system import Solution, solve_system
from symgen.calculus.variation import Problem, pointwise_optimum
from symgen.calculus.wording import said
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.games.game import Game, Player
from symgen.games.records import BestResponse, Equation
from symgen.games.sides import has_kink, is_concave, stands_on_kink
from symgen.tensor.expression import ZERO, Array, Entry, Num, Scalar, Var, entry, num, replace_arrays, tensor, variables_of
from symgen.tensor.sympy_bridge import Table, from_sympy, to_sympy, within
from symgen.text.diagnostics import CannotDerive

__all__ = ["Coordinates", "coordinates", "parameter_response", "judge_player", "Judgement"]

S = sympy
MAX_COORDINATES = 24


@dataclass
class Coordinates:
    """`symbols` are the coordinates, `owner[i]` the number of the player who chooses symbol i; `payoffs` in the
    sense of each player (to be maximised)."""

    game: Game
    table: Table
    entries: list[Scalar]
    symbols: list[Any]
    owner: list[int]
    payoffs: list[Any]

    def own(self, player: int) -> list[Any]:
        return [s for s, k in zip(self.symbols, self.owner, strict=True) if k == player]

    @property
    def field(self) -> list[Any]:
        """The direction in which each coordinate moves: the gradient of its owner's payoff."""
        return [S.diff(self.payoffs[k], s) for s, k in zip(self.symbols, self.owner, strict=True)]

    def interval(self, symbol: Any) -> Interval:
        atom = self.table.atoms[symbol]
        domain = atom.array.domain if isinstance(atom, Entry) and isinstance(atom.array, Var) else "real"
        return RANGES.get(domain, RANGES["real"])

    def node(self, e: Any) -> Scalar:
        return from_sympy(e, self.table)

    def name(self, symbol: Any) -> str:
        return str(to_sympy(self.table.atoms[symbol]))

    def text(self, e: Any) -> str:
        """A small expression as the language writes it, in the author's names."""
        return said(to_sympy(e, self.table) if isinstance(e, Scalar) else e, self.table)


def entries_of(array: Array) -> list[Scalar] | None:
    """The entries of an array of fixed sizes, row by row."""
    ranges = []
    for size in array.shape:
        if not isinstance(size, Num) or isinstance(size.value, str):
            return None
        ranges.append(range(int(size.value)))
    return [entry(array, *(num(i) for i in place)) for place in itertools.product(*ranges)]


def coordinates(game: Game, ctx: Context, mixed: bool = False) -> Coordinates:
    """The payoffs in the entries of the players' variables; `mixed` lets in strategies that are points of a simplex.

    Raises CannotDerive for sizes that are symbols, and for payoffs that are no closed scalars.
    """
    table = Table(ctx.facts)
    entries: list[Scalar] = []
    owner: list[int] = []
    for k, p in enumerate(game.players):
        for v in p.parameters:
            if isinstance(v, Var) and v.domain not in RANGES and not (mixed and v.domain == "simplex"):
                raise CannotDerive(
                    f"`{v.name}` is of domain `{v.domain}`, in which its entries do not move freely: symgen looks at games of "
                    "numbers, and at mixed strategies of matrix games",
                    v,
                    "symgen/games/parameters.py",
                )
            own = entries_of(v)
            if own is None:
                raise CannotDerive(f"`{getattr(v, 'name', v)}` has a size that is not fixed", v, "symgen/games/parameters.py")
            entries += own
            owner += [k] * len(own)
    if len(entries) > MAX_COORDINATES:
        raise CannotDerive(f"a game in {len(entries)} coordinates is more than symgen solves", game.players[0].payoff)
    symbols = [table.symbol(e) for e in entries]
    players = {v for p in game.players for v in p.parameters}
    payoffs = []
    for p in game.players:
        payoff = to_sympy(entry(p.payoff), table)
        payoffs.append(payoff if p.sense == "max" else -payoff)
    for symbol, atom in table.atoms.items():
        if symbol not in symbols and variables_of(atom) & players:
            raise CannotDerive(
                "the payoff holds what has no closed form in the players' variables",
                tensor((), atom) if not atom.free else atom,
                "symgen/games/parameters.py",
            )
    return Coordinates(game, table, entries, symbols, owner, payoffs)


# --- one player -------------------------------------------------------------------------------------------------------


def parameter_response(game: Game, player: Player, ctx: Context) -> BestResponse:
    """The player's variables that are best against given variables of the others."""
    own = player.parameters
    if len(own) == 1 and (isinstance(own[0], Var) and own[0].domain == "simplex" or entries_of(own[0]) is None):
        return _array_response(player, own[0], ctx)
    c = coordinates(game, ctx)
    with assuming(c.table):
        return _response(game, c, player, ctx)


def _array_response(player: Player, x: Array, ctx: Context) -> BestResponse:
    """Of an array of any size, or of a point of a simplex: by the optimum of the payoff in it."""
    sign = 1 if player.sense == "max" else -1
    found = optimum(player.payoff, x, (), sign, ctx)
    worth: Array = replace_arrays(player.payoff, {x: found})
    quiet = Context(facts=ctx.facts, names=ctx.names)
    bend = replace_arrays(hessian(player.payoff, x, quiet, "free"), {x: found})
    conditions = tuple(ctx.trace.required)
    method = "the gradient vanishes, or the conditions of Karush, Kuhn and Tucker hold; no other point does better at random data"
    return BestResponse(found, worth, bend, conditions, evidence=Evidence("checked", conditions, method=method))


def _response(game: Game, c: Coordinates, player: Player, ctx: Context) -> BestResponse:
    k = game.players.index(player)
    own = c.own(k)
    F = c.payoffs[k]
    sign = 1 if player.sense == "max" else -1
    if len(own) == 1:
        problem = Problem(sign * F, own[0], c.interval(own[0]), c.table)
        best = pointwise_optimum(problem, player.sense)
        worth = _short(sign * F.subs(own[0], best.expression))
        inside = best.kind == "interior"
        for rule, after, reason in (
            *([("stationarity", best.stationarity, "the derivative by the player's own variable vanishes")] * inside),
            ("solve_stationarity" if inside else "optimum_at_an_end", best.strategy, "the best response"),
            ("second_order", best.second_order, best.notes[0] if best.notes else f"a {player.sense}imum"),
        ):
            ctx.trace.add(rule, player.payoff, tensor((), after), where=c.name(own[0]), reason=reason)
        return BestResponse(
            best.strategy,
            c.node(worth),
            best.second_order,
            (*best.conditions, *best.notes),
            best.stationarity,
            Evidence(best.shown, method="stationarity put back; second derivative" if inside else "the slope at the end"),
        )
    gradient = [S.diff(F, s) for s in own]
    found = solve_system(gradient, own)
    hessian = S.hessian(F, own)
    for solution in found:
        bend = definite_sign(hessian, own, solution.values)
        if bend == -1 and check_solution(c, solution):
            strategy = tuple(c.node(solution.values[s]) for s in own)
            worth = _short(sign * F.subs(solution.values, simultaneous=True))
            second = [[c.node(sign * _short(hessian[i, j].subs(solution.values))) for j in range(len(own))]
                      for i in range(len(own))]  # fmt: skip
            equations = tuple(Equation(c.node(sign * g), ZERO) for g in gradient)
            ctx.trace.add(
                "solve_stationarity",
                player.payoff,
                tensor((), c.node(worth)),
                where=", ".join(map(c.name, own)),
                reason="the gradient by the player's own variables vanishes",
            )
            return BestResponse(
                strategy,
                c.node(worth),
                second,
                equations,
                equations,
                Evidence(solution.shown, method="stationarity put back; Sylvester's criterion"),
            )
    raise CannotDerive(
        "no stationary point of the player's payoff passes the second-order test",
        player.payoff,
        "symgen/calculus/system.py",
    )


def _short(e: Any) -> Any:
    tidy = within(2.0, lambda: S.factor(S.simplify(e)))
    return e if tidy is None else tidy


def definite_sign(hessian: Any, symbols: Sequence[Any], at: Mapping[Any, Any] | None = None) -> int | None:
    """1 or -1 where the matrix is positive or negative definite by Sylvester's criterion, 0 where it is zero.

    With `at` at that point, else for all values of the symbols.
    """
    h = hessian.subs(dict(at), simultaneous=True) if at is not None else hessian
    h = h.applyfunc(lambda e: e if e == 0 else S.simplify(e))
    if h.is_zero_matrix:
        return 0
    for sign in (1, -1):
        m = sign * h
        minors = [m[:j, :j].det() for j in range(1, m.rows + 1)]
        if at is None and len(symbols) == 1:
            signs: list[int | None] = [sign_on(minors[0], symbols[0], _range_of(symbols[0]))]
        else:
            signs = [sign_of(x) for x in minors]
        if all(s == 1 for s in signs):
            return sign
    return None


def _range_of(symbol: Any) -> Interval:
    return RANGES["positive"] if symbol.is_positive else RANGES["real"]


@dataclass
class Judgement:
    """What the second-order conditions say of one player: global, strict, indifferent, worse or open; where they say it
    only under a condition, that is the expression that has to be <= 0."""

    word: str
    condition: Any = None


def judge_player(c: Coordinates, k: int, at: Mapping[Any, Any], fixed: Mapping[Any, Any] | None = None) -> Judgement:
    """How good the player's own part of a stationary point is against the others' parts of it; the coordinates in
    `fixed` stand at an end of their range, where the payoff is to fall inwards."""
    # in a family, x = y, the others stay where they are while the player moves
    held = {s: S.Dummy(str(s), **s.assumptions0) for s in c.own(k) if any(s in v.free_symbols for v in at.values())}
    place = {s: at.get(s, s).xreplace(held) for s in c.symbols if s in at or s in held}
    found = _judged(c, k, place, fixed)
    if found.condition is not None:
        found.condition = found.condition.xreplace({d: s for s, d in held.items()})
    return found


def _judged(c: Coordinates, k: int, at: Mapping[Any, Any], fixed: Mapping[Any, Any] | None) -> Judgement:
    own = c.own(k)
    others = {s: v for s, v in at.items() if s not in own}
    phi = S.simplify(c.payoffs[k].subs(others, simultaneous=True))
    if not any(s in phi.free_symbols for s in own) or all(vanishes(S.diff(phi, s)) for s in own):
        return Judgement("indifferent")
    stuck = [s for s in own if s in (fixed or {})]
    if has_kink(phi, own) and not stuck:
        return _judge_kinked(c, phi, own, at)
    inwards = [_inwards(c, s, S.diff(phi, s).subs({x: at.get(x, x) for x in own}, simultaneous=True)) for s in stuck]
    inwards = [S.simplify(x) for x in inwards]
    hessian = S.hessian(phi, own)
    bend = definite_sign(hessian, own)
    concave = bend == -1 or _never_rises(c, hessian, own)
    signs = [-1 if concave and never_positive(x) else sign_of(x) for x in inwards]
    if 1 in signs or any(s is None and never_positive(-x) for s, x in zip(signs, inwards, strict=True)):
        return Judgement("worse")
    if 0 in signs or len([s for s in signs if s is None]) > 1:
        return Judgement("open")
    condition = next((x for x, s in zip(inwards, signs, strict=True) if s is None), None)
    if concave:
        return Judgement("global", condition)
    loose = [s for s in own if s not in stuck]
    if not loose:
        return Judgement("strict", condition) if condition is None else Judgement("open", condition)
    inner = S.hessian(phi, loose)
    local = definite_sign(inner, loose, at)
    if local == -1:
        return Judgement("strict", condition)
    if bend == 1 or local == 1 or _has_rising_direction(inner, at):
        return Judgement("worse")
    if len(loose) == 1 and condition is None:
        value = S.simplify(inner.subs(dict(at), simultaneous=True)[0, 0])
        if value != 0 and never_positive(-value):
            return Judgement("worse")  # but where it vanishes, which is another case
        if value != 0:
            quadratic = inner.free_symbols.isdisjoint(loose) and not has_kink(phi, own)
            return Judgement("global" if quadratic and not stuck else "open", value)
    return Judgement("open", condition)


def _judge_kinked(c: Coordinates, phi: Any, own: Sequence[Any], at: Mapping[Any, Any]) -> Judgement:
    """A payoff with kinks in the player's own variables: both sides of a kink are looked at."""
    if len(own) > 1:
        return Judgement("open")
    (t,) = own
    on_kink = stands_on_kink(phi, t, at[t]) if t in at else "open"
    if on_kink in ("worse", "open"):
        return Judgement(on_kink)
    if on_kink is None:
        bend = sign_of(S.simplify(S.diff(phi, t, 2).subs(t, at[t])))
        if bend == 1:
            return Judgement("worse")
        on_kink = "strict" if bend == -1 else "flat"
    if is_concave(phi, t, c.interval(t)):
        return Judgement("global")
    return Judgement("strict" if on_kink == "strict" else "open")


def _inwards(c: Coordinates, symbol: Any, slope: Any) -> Any:
    """The slope of the payoff into the range, at the end where the coordinate stands."""
    return slope if c.interval(symbol).closed_low else -slope


def _never_rises(c: Coordinates, hessian: Any, own: Sequence[Any]) -> bool:
    """Whether the payoff is concave in the player's own variables: of one variable, f'' <= 0 on both sides of 0 and
    at 0; of several with a constant Hessian H, all principal minors of -H are >= 0."""
    if len(own) == 1:
        bend, interval = hessian[0, 0], c.interval(own[0])
        r = S.Dummy("r", positive=True)
        places = [r, -r, S.Integer(0)] if interval.low == -S.oo else [r, S.Integer(0)]
        if own[0] not in bend.free_symbols:
            return never_positive(bend)
        if interval.high != S.oo:
            return sign_on(bend, own[0], interval) in (0, -1)
        return all(sign_of(S.simplify(bend.subs(own[0], x))) in (0, -1) for x in places)
    if any(s in hessian.free_symbols for s in own):
        return False
    n = hessian.rows
    return all(
        sign_of(S.simplify((-hessian).extract(list(rows), list(rows)).det())) in (0, 1)
        for k in range(1, n + 1) for rows in itertools.combinations(range(n), k)
    ) if n <= 6 else False  # fmt: skip


def _has_rising_direction(hessian: Any, at: Mapping[Any, Any]) -> bool:
    h = hessian.subs(dict(at), simultaneous=True)
    return any(sign_of(h[i, i]) == 1 for i in range(h.rows))


def check_solution(c: Coordinates, solution: Solution) -> bool:
    """Whether the point lies in the domains of the variables (at random values of what is symbolic)."""
    rng = random.Random(2)
    symbols = {s for v in solution.values.values() for s in v.free_symbols}
    for _ in range(40):
        point = sample_symbols(list(symbols), rng)
        good = True
        for s, v in solution.values.items():
            x = numeric(v, point)
            interval = c.interval(s)
            if x is None or abs(x.imag) > 1e-9 * max(1, abs(x)):
                good = False
                break
            if interval.low != -S.oo and x.real < float(interval.low) - 1e-12:
                good = False
            if interval.high != S.oo and x.real > float(interval.high) + 1e-12:
                good = False
        if good:
            return True
    return False

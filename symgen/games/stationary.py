"""Where no player gains by a small move of its own: the stationary points of a game whose players choose numbers.

An equation splits into its factors, a system into cases; a case is solved unknown by unknown. A root of a periodic
function is a family with an integer constant, an unknown that no equation holds stays free: it may take every value. At
a closed end of its range a player's own derivative may instead point outwards.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import sympy

from symgen.calculus.solving import roots_of, sign_of, vanishes
from symgen.calculus.system import MAX_CASES, Solution, essential, solve_system
from symgen.calculus.wording import contradict, without_repeats
from symgen.games.parameters import Coordinates, Judgement, check_solution, definite_sign, judge_player
from symgen.games.sides import has_kink
from symgen.tensor.expression import entry, var, variables_of
from symgen.tensor.sympy_bridge import within

__all__ = ["Points", "Stationary", "conditions_at", "stationary_points"]

S = sympy
SECONDS = 3.0
MAX_ENDS = 4  # closed ends, each of which doubles the cases
DEEPEST = 8
# strictly monotone functions, and the argument at which they vanish
ZEROS: dict[Any, int] = {
    S.sinh: 0, S.tanh: 0, S.erf: 0, S.atan: 0, S.asinh: 0, S.atanh: 0, S.asin: 0, S.Abs: 0, S.sign: 0, S.log: 1, S.acos: 1,
}  # fmt: skip
LETTERS = "k m l j i r q u".split()


@dataclass
class Stationary:
    """A stationary point of all players with what the second-order conditions say of each."""

    solution: Solution
    judgements: list[Judgement]
    ends: tuple[Any, ...] = ()  # the coordinates that stand at an end of their range

    @property
    def is_equilibrium(self) -> bool:
        return all(j.word in ("global", "strict", "indifferent") for j in self.judgements)

    @property
    def is_sure(self) -> bool:
        """An equilibrium under no condition."""
        return self.is_equilibrium and all(j.condition is None for j in self.judgements)


@dataclass
class Points:
    """What was found. `complete`: these are all; `never` is a symbol whose equation holds nowhere; `whole` are the
    integer constants of families; `needed` are constants that may not be 0 for that to be so."""

    points: list[Stationary] = field(default_factory=list)
    complete: bool = False
    never: Any = None
    whole: set[Any] = field(default_factory=set)
    needed: list[Any] = field(default_factory=list)


def stationary_points(c: Coordinates) -> Points:
    """The stationary points of all players, those that hold one another only in the larger family."""
    smooth = not any(has_kink(p, c.symbols) for p in c.payoffs)
    solver = Solver(c)
    closed = [s for s in c.symbols if c.interval(s).closed_low or c.interval(s).closed_high]
    out = Points(complete=smooth and len(closed) <= MAX_ENDS)
    stuck = closed if len(closed) <= MAX_ENDS else []
    ends = [[None, *_ends(c, s)] if s in stuck else [None] for s in c.symbols]
    for choice in itertools.product(*ends):
        fixed = {s: end for s, end in zip(c.symbols, choice, strict=True) if end is not None}
        free = [s for s in c.symbols if s not in fixed]
        equations = {s: v.subs(fixed) for s, v in zip(c.symbols, c.field, strict=True) if s in free}
        solutions, complete, never = solver.solve(equations, free)
        out.complete = out.complete and complete
        if not fixed:
            out.never = never if smooth and not closed else None
        for found in solutions:
            solution = Solution({**fixed, **found.values}, found.shown, complete)
            if check_solution(c, solution):
                judged = [
                    judge_player(c, k, solution.values, fixed) if c.own(k) else Judgement("indifferent")
                    for k in range(len(c.game.players))
                ]
                out.points.append(Stationary(solution, judged, tuple(fixed)))
    out.points = [p for p in _largest_families(c, out.points) if not contradict(conditions_at(c, p))]
    out.whole = set(solver.whole.values())
    out.needed = list(solver.needed)
    out.points.sort(key=lambda p: len(p.solution.values) < len(c.symbols))
    return out


def _ends(c: Coordinates, s: Any) -> list[Any]:
    interval = c.interval(s)
    return [interval.low] * interval.closed_low + [interval.high] * interval.closed_high


def _largest_families(c: Coordinates, points: list[Stationary]) -> list[Stationary]:
    """Without the points that lie in a family of equilibria that was found, and without repetitions."""

    def is_covered(k: int, p: Stationary) -> bool:
        for j, q in enumerate(points):
            if j != k and _lies_in(p, q):
                if _equal(p, q):
                    if j < k:
                        return True
                elif q.is_equilibrium and _holds_at(c, q, p):
                    return True
        return False

    return [p for k, p in enumerate(points) if not is_covered(k, p)]


def _holds_at(c: Coordinates, q: Stationary, p: Stationary) -> bool:
    """Whether the conditions under which q is an equilibrium hold at the values of p."""
    for judgement in q.judgements:
        if judgement.condition is not None:
            if sign_of(judgement.condition.subs(p.solution.values, simultaneous=True)) not in (-1, 0):
                return False
    return True


def conditions_at(c: Coordinates, p: Stationary) -> list[tuple[str, Any]]:
    """What has to hold for a point to be one of these players': (op, value) for `value op 0`."""
    out = []
    for s, v in p.solution.values.items():
        interval = c.interval(s)
        out += [("<", interval.low - v)] if interval.low != -S.oo and sign_of(v - interval.low) not in (0, 1) else []
        out += [("<", v - interval.high)] if interval.high != S.oo and sign_of(interval.high - v) not in (0, 1) else []
    out += [("<=", j.condition) for j in p.judgements if j.condition is not None]
    return without_repeats([(op, _tidy(v)) for op, v in out])


def _lies_in(p: Stationary, q: Stationary) -> bool:
    """Whether the values of q, where it says one, are those of p."""
    a, b = p.solution.values, q.solution.values
    return all(x in a and vanishes(a[x] - v) == "proved" for x, v in b.items())


def _equal(p: Stationary, q: Stationary) -> bool:
    return set(p.solution.values) == set(q.solution.values) and _lies_in(p, q)


class Solver:
    """Solves cases; its integer constants are symbols of the table of the game, one for each unknown."""

    def __init__(self, c: Coordinates) -> None:
        self.c = c
        self.whole: dict[Any, Any] = {}
        self.needed: dict[Any, None] = {}
        J = S.Matrix(c.field).jacobian(c.symbols)
        # then every linear system of some of its rows and columns has one solution
        self.is_definite = J.free_symbols.isdisjoint(c.symbols) and definite_sign((J + J.T) / 2, c.symbols, {}) in (1, -1)

    def need(self, value: Any) -> None:
        """What is found is all there is where this is not 0."""
        if self.is_definite:
            return
        for f in S.Mul.make_args(S.factor(value)):
            base = f.base if f.is_Pow and f.exp.is_positive else f
            if sign_of(base) not in (1, -1):
                sign = -1 if base.could_extract_minus_sign() else 1
                self.needed[S.expand(sign * base)] = None

    def constant(self, unknown: Any) -> Any:
        if unknown not in self.whole:
            taken = {v.name for a in self.c.table.atoms.values() for v in variables_of(a)}
            name = next(n for n in (*LETTERS, *(f"k{i}" for i in range(99))) if n not in taken)
            self.whole[unknown] = self.c.table.symbol(entry(var(name, (), "integer", "const")))
        return self.whole[unknown]

    def solve(self, equations: dict[Any, Any], unknowns: list[Any]) -> tuple[list[Solution], bool, Any]:
        """The real solutions found, whether they are all, and a symbol whose equation never holds."""
        factors = []
        for owner, e in equations.items():
            if vanishes(e) == "proved":
                continue
            parts = [_simple(f) for f in essential(e)]
            own = [f for f in parts if any(x in f.free_symbols for x in unknowns)]
            if not own:
                return [], len(parts) == 0, owner if not parts else None
            for f in parts:
                if f not in own:
                    self.need(f)
            factors.append(own)
        count = 1
        for own in factors:
            count *= len(own)
        cases = list(itertools.product(*factors)) if count <= MAX_CASES else [tuple(S.Mul(*p) for p in factors)]
        proposals: list[dict[Any, Any]] = []
        complete = True
        for case in cases:
            found, known = self.case(list(dict.fromkeys(case)), list(unknowns), DEEPEST)
            proposals += found
            complete = complete and known
        out: list[Solution] = []
        for values in proposals:
            if any(v.has(S.I) or v.is_real is False for v in values.values()):
                continue
            shown = [vanishes(e.subs(values, simultaneous=True)) for e in equations.values()]
            if None not in shown:
                out.append(Solution(values, "proved" if set(shown) <= {"proved"} else "checked", False))
            elif any(v.has(S.CRootOf) for v in values.values()):
                complete = False
        if not out and not complete:  # what is not solved may still vanish where all unknowns do
            out = solve_system(list(equations.values()), unknowns)
        return out, complete, None

    def case(self, equations: list[Any], unknowns: list[Any], deepest: int) -> tuple[list[dict[Any, Any]], bool]:
        """The points at which all equations hold, each a map of the unknowns that they bind."""
        if not equations:
            return [{}], True
        if deepest == 0 or len(equations) > 2 * len(self.c.symbols) + 2:
            return [], False
        alone = [(e, x) for e in equations for x in unknowns if e.free_symbols & set(unknowns) == {x}]
        if alone:
            e, x = min(alone, key=lambda pair: S.count_ops(pair[0]))
            values, complete = self.roots(e, x)
            return self.substituted(equations, e, x, values, unknowns, deepest, complete)
        polynomial = all(e.is_polynomial(*unknowns) for e in equations)
        if polynomial and all(S.Poly(e, *unknowns).total_degree() <= 1 for e in equations):
            return self.polynomial_case(equations, unknowns)
        for e in equations:
            for x in unknowns:
                slope = S.diff(e, x)
                if x in e.free_symbols and x not in slope.free_symbols and sign_of(slope) in (1, -1):
                    value = S.expand(x - e / slope)
                    return self.substituted(equations, e, x, [value], unknowns, deepest, True)
        if polynomial:
            return self.polynomial_case(equations, unknowns)
        found = within(SECONDS, S.solve, equations, unknowns, dict=True)
        return [f for f in found or () if all(isinstance(v, S.Expr) for v in f.values())], False

    def substituted(
        self, equations: list[Any], solved: Any, x: Any, values: list[Any], unknowns: list[Any], deepest: int, complete: bool,
    ) -> tuple[list[dict[Any, Any]], bool]:  # fmt: skip
        """The solutions with x = one of the values, which solve one of the equations."""
        out: list[dict[Any, Any]] = []
        rest = [y for y in unknowns if y is not x]
        for value in values:
            put = [e.subs(x, value) for e in equations if e is not solved]
            left = [e for e in put if vanishes(e) is None]
            factors = [[_simple(f) for f in essential(e)] for e in left]
            own = [[f for f in parts if f.free_symbols & set(rest)] for parts in factors]
            for f in (f for parts, o in zip(factors, own, strict=True) if o for f in parts if f not in o):
                self.need(f)
            if not all(own):
                complete = complete and all(o or not parts for o, parts in zip(own, factors, strict=True))
                continue  # an equation that does not hold there
            cases = list(itertools.product(*own))
            if len(cases) > MAX_CASES:
                complete = False
            for case in cases[:MAX_CASES]:
                found, known = self.case(list(dict.fromkeys(case)), rest, deepest - 1)
                complete = complete and known
                out += [{x: _tidy(value.subs(f)), **f} for f in found]
        return out, complete

    def roots(self, e: Any, x: Any) -> tuple[list[Any], bool]:
        """The real roots of an equation in x, families with an integer constant among them, and whether they are all."""
        if e.has(S.sin, S.cos, S.tan, S.cot, S.sec, S.csc):
            u = S.Dummy("u", real=True)
            found = within(SECONDS, lambda: S.solveset(e.xreplace({x: u}), u, S.S.Reals))
            members = self.members(found, x) if found is not None else None
            if members is not None:
                return members, True
        if e.is_polynomial(x) and e.free_symbols == {x} and S.degree(e, x) > 2:
            found = within(SECONDS, lambda: list(dict.fromkeys(S.real_roots(S.Poly(e, x)))))
            if found is not None:
                return found, True
        if e.is_polynomial(x):
            self.need(S.Poly(e, x).LC())
        roots = [r for r in roots_of(e, x) if not r.value.has(S.I)]
        complete = bool(roots) and all(r.complete for r in roots)
        if e.is_polynomial(x) and not roots and S.degree(e, x) <= 2:
            complete = True
        return [r.value for r in roots], complete

    def polynomial_case(self, equations: list[Any], unknowns: list[Any]) -> tuple[list[dict[Any, Any]], bool]:
        free: dict[Any, Any] = {x: S.Dummy(str(x)) for x in unknowns}
        back = {d: x for x, d in free.items()}
        system = [e.xreplace(free) for e in equations]
        if all(S.Poly(e, *back).total_degree() <= 1 for e in system):
            matrix, right = S.linear_eq_to_matrix(system, list(back))
            if matrix.rows == matrix.cols:
                determinant = S.simplify(matrix.det())
                if determinant != 0:
                    solved = [_tidy(v) for v in matrix.LUsolve(right)]
                    self.need(determinant)
                    return [dict(zip(unknowns, solved, strict=True))], True
        found = within(SECONDS, S.solve, system, list(back), dict=True)
        if found is None:
            return [], False
        out = [{back[d]: _tidy(v.xreplace(back)) for d, v in f.items()} for f in found]
        for f in out:
            for v in f.values():
                self.need(S.fraction(S.together(v))[1])
        # for the constants SymPy solves generically
        loose = {s for e in equations for s in e.free_symbols - set(unknowns) if sign_of(s) not in (1, -1)}
        return out, not loose

    def members(self, found: Any, x: Any) -> list[Any] | None:
        """The members of a set of reals: points, and images of the integers."""
        if found is S.S.EmptySet:
            return []
        if isinstance(found, S.FiniteSet):
            return list(found)
        if isinstance(found, S.Union):
            parts = [self.members(part, x) for part in found.args]
            return None if any(p is None for p in parts) else [v for p in parts for v in p or ()]
        if isinstance(found, S.ImageSet) and found.base_sets == (S.S.Integers,) and len(found.lamda.variables) == 1:
            return [_tidy(found.lamda.expr.subs(found.lamda.variables[0], self.constant(x)))]
        return None


def _simple(f: Any) -> Any:
    """What vanishes where f does, without a strictly monotone function around it."""
    while type(f) in ZEROS and len(f.args) == 1:
        f = S.expand(f.args[0] - ZEROS[type(f)])
    return f


def _tidy(v: Any) -> Any:
    short = within(1.5, lambda: S.factor(S.simplify(v)))
    return v if short is None else short

"""The best response of one player to what the others do, and the payoff there.

A function is chosen point by point (`calculus/variation.py`); parameters by stationarity (`calculus/optimum.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import sympy

from symgen.calculus.integrand import Integrand, integrand_of
from symgen.calculus.solving import assuming
from symgen.calculus.variation import Optimum, Problem, pointwise_optimum, problem_of
from symgen.calculus.wording import said_relation
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.games.density import density_at, marginal_density
from symgen.games.entropic import entropic_response
from symgen.games.game import Game, Player, Unknown
from symgen.games.parameters import parameter_response
from symgen.games.recognise import Recognised, recognise, reference
from symgen.games.records import BestResponse
from symgen.games.scoring import scored_response
from symgen.games.slopes import with_slopes
from symgen.probability.divergences.divergence import reduce_expectation
from symgen.probability.divergences.information import reduce_mutual_information
from symgen.probability.forms.walks import bottom_up, constants_opened
from symgen.probability.laws.joint import Factor, Joint, expectation, inline, mutual_information
from symgen.probability.laws.joint import density as density_of
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Array,
    Entry,
    Fn,
    Mul,
    Operator,
    Scalar,
    Var,
    add,
    describe,
    entry,
    fn,
    mul,
    replace_arrays,
    sub,
    tensor,
    variables_of,
    walk,
)
from symgen.tensor.sympy_bridge import Table, from_sympy, to_sympy, within
from symgen.text.diagnostics import CannotDerive

__all__ = ["best_response", "value", "FunctionResponse", "function_response", "payoff_at"]

S = sympy


@dataclass
class FunctionResponse:
    """How a player who chooses a function answers: its integrand, the optimum at a point, the payoff there."""

    player: Player
    unknown: Unknown
    integrand: Integrand
    problem: Problem
    optimum: Optimum

    def put(self, s: Scalar) -> Scalar:
        """The value of the function replaced by its best choice."""
        out: Scalar = replace_arrays(s, {self.integrand.t: lambda *_: self.optimum.strategy})
        return out

    def shown(self, s: Scalar) -> Scalar:
        """Densities that are known written by their formulas."""
        formulas = {a: (lambda *_, f=f: f) for a, f in self.integrand.formulas.items()}
        return bottom_up(constants_opened(replace_arrays(s, formulas)), _without_exponentials) if formulas else s


def _without_exponentials(n: Scalar) -> Scalar:
    """log(exp(u) v) = u + log v, and log 1 = 0."""
    if not isinstance(n, Fn) or n.name != "log":
        return n
    if n.args[0] is ONE:
        return ZERO
    factors = n.args[0].args if isinstance(n.args[0], Mul) else n.args
    exponents = [f.args[0] for f in factors if isinstance(f, Fn) and f.name == "exp"]
    rest = mul(*(f for f in factors if not (isinstance(f, Fn) and f.name == "exp")))
    return add(*exponents, ZERO if rest is ONE else fn("log", rest)) if exponents else n


def names_of_laws(game: Game) -> dict[Array, str]:
    return {f.law: j.name for j in game.joints for f in j.factors if j.name}


def arities(game: Game) -> dict[str, int]:
    """Of how many variables each declared density is."""
    return {j.name: len(j.factors[0].variables) for j in game.joints if j.name and len(j.factors) == 1}


def function_response(game: Game, player: Player, ctx: Context) -> FunctionResponse:
    unknown = player.unknown
    assert unknown is not None
    names = {**ctx.names, **names_of_laws(game)}
    marginal = partial(marginal_density, ctx=ctx)
    integrand = integrand_of(
        player.payoff, unknown.name, unknown.range, density_at, names, arities(game), marginal, player.sense
    )  # fmt: skip
    t = entry(integrand.t)
    trace = ctx.trace
    if integrand.tangents:
        trace.add(
            "tangent", player.payoff, tensor((), add(integrand.scalar, integrand.rest)), where=unknown.name,
            reason="the logarithm lies below its tangents, and touches one: -log S = max over a > 0 of log a + 1 - a S",
            source="Nguyen, Wainwright & Jordan (2010)",
        )  # fmt: skip
    word = "maximised" if player.sense == "max" else "minimised"
    F = integrand.scalar
    trace.add(
        "payoff_as_integral",
        player.payoff,
        tensor((), F),
        where=unknown.name,
        reason=f"the integrand at the point, {word} over the value of {unknown.name} there",
        source="Goodfellow et al. (2014), proposition 1",
    )
    for note in integrand.notes:
        trace.condition(note)
    problem = problem_of(F, t, unknown.range, integrand.weights, Table(ctx.facts))
    with assuming(problem.table):
        optimum = pointwise_optimum(problem, player.sense)
        if integrand.tangents:
            integrand, problem, optimum = with_slopes(integrand, problem, optimum, unknown.name)
    if optimum.kind == "interior":
        trace.add(
            "stationarity",
            tensor((), integrand.scalar),
            tensor((), optimum.stationarity),
            where=f"d/d{unknown.name}",
            reason=f"the derivative by {unknown.name} vanishes at the optimum",
        )
    trace.add(
        {"interior": "solve_stationarity", "end": "optimum_at_an_end"}.get(optimum.kind, "optimum_at_a_kink"),
        tensor((), optimum.stationarity),
        tensor((), optimum.strategy),
        where=unknown.name,
        reason=f"the best {unknown.name} at the point, where {_positive(integrand)}",
        evidence=Evidence(optimum.shown, method="put back into the derivative; direct search of the range"),
    )
    trace.add(
        "second_order",
        tensor((), integrand.scalar),
        tensor((), optimum.second_order),
        where=f"d^2/d{unknown.name}^2",
        reason=optimum.notes[0] if optimum.notes else f"a {player.sense}imum",
    )
    for c in optimum.conditions:
        if isinstance(c, str):
            trace.condition(c)
        else:
            left, right = (to_sympy(x, problem.table) for x in c.args)
            trace.require(said_relation(left - right, c.op, problem.table, ctx.names))
    trace.notes.extend(n for n in optimum.notes if n not in trace.notes)
    return FunctionResponse(player, unknown, integrand, problem, optimum)


def _positive(integrand: Integrand) -> str:
    names = [w.args[0].name for w in integrand.weights if w.args and isinstance(w.args[0], Var)]
    return f"{' + '.join(names)} > 0" if names else "the densities are positive"


def best_response(game: Game, player: Player, ctx: Context) -> BestResponse:
    """The best response with its second-order condition. Raises CannotDerive where there is none, saying why."""
    unknown = player.unknown
    if unknown is None:
        return parameter_response(game, player, ctx)
    if unknown.kind == "density":
        entropic = entropic_response(game, player, ctx)
        if entropic is not None:
            return entropic
        scored = scored_response(game, player, ctx)
        if scored is not None:
            return scored
        if any(
            isinstance(n, Operator) and n.name == "log_density" and str(n.attrs[0]) == unknown.name for n in walk(player.payoff)
        ):
            raise CannotDerive(
                f"the payoff holds the logarithm of the density `{unknown.name}`, and no best density is known for it: "
                "a mean of it under another law, an entropy, a divergence",
                player.payoff,
                "symgen/games/scoring.py",
            )
        raise CannotDerive(
            f"the payoff is linear in the density `{unknown.name}`: its best response puts all mass where the "
            "integrand is "
            f"{'greatest' if player.sense == 'max' else 'least'}, which no density does unless the integrand is "
            "constant; "
            "`equilibrium` gives the density at which it is",
            player.payoff,
        )
    r = function_response(game, player, ctx)
    try:
        worth: Scalar | None = payoff_at(game, r, player, ctx)[0]
    except CannotDerive as missing:  # the strategy stands all the same
        worth = None
        ctx.trace.notes.append(f"the payoff at it is not written out: {missing.args[0]}")
    how = "stationarity put back; second derivative" if r.optimum.kind == "interior" else "the slopes on both sides"
    conditions: list[Any] = list(r.optimum.conditions)
    conditions += [n for n in (*r.integrand.notes, *r.optimum.notes) if n not in conditions]
    return BestResponse(
        r.shown(r.optimum.strategy),
        worth,
        r.shown(r.optimum.second_order),
        tuple(conditions),
        r.shown(r.optimum.stationarity),
        Evidence(
            r.optimum.shown,
            tuple(c for c in conditions if isinstance(c, str)),
            method=f"{how}; direct search of the range at random densities",
        ),
    )


def payoff_at(game: Game, r: FunctionResponse, player: Player, ctx: Context) -> tuple[Scalar, Recognised | None]:
    """The payoff of `player` when the function is its best response: a named divergence plus a constant, or the
    expectations as they stand."""
    integrand = r.integrand
    if player.payoff is not r.player.payoff:
        assert r.unknown is not None
        integrand = integrand_of(player.payoff, r.unknown.name, r.unknown.range, density_at, {**ctx.names, **names_of_laws(game)})
    with assuming(r.problem.table):
        found = _recognised(game, r, integrand, ctx)
    if found is not None:
        total = add(found.value, integrand.rest)
        ctx.trace.add(
            "recognise_divergence",
            player.payoff,
            tensor((), total),
            reason=f"the payoff at the best response: {found.name} and a constant",
            source=found.source,
            evidence=Evidence(found.shown, method="the ratio of second derivatives of the generators"),
        )
        return total, found
    total = _as_expectations(r, integrand, game)
    ctx.trace.add("substitute", player.payoff, tensor((), total), reason="the best response put into the payoff")
    return total, None


def _law_name(law: Array) -> str:
    return str(law.attrs[1]) if isinstance(law, Operator) and law.name == "density" else describe(law)


def _recognised(game: Game, r: FunctionResponse, integrand: Integrand, ctx: Context) -> Recognised | None:
    of_joint = _information(game, r, integrand, ctx)
    if of_joint is not None:
        return of_joint
    weights = [w for w in r.integrand.weights if w.args]
    if len(weights) != 2 or any(w not in weights for w in integrand.weights):
        return None
    laws = [r.integrand.law_of(w) for w in weights]
    if any(found is None for found in laws):
        return None
    # in the alphabet of their names: JS(p, q), however the payoff's terms stand
    known = sorted(((w, *found) for w, found in zip(weights, laws, strict=True) if found), key=lambda x: _law_name(x[1]))
    weights = [w for w, _, _ in known]
    pair = [reference(law, v, game.joints) for _, law, v in known]
    table = r.problem.table
    F = to_sympy(integrand.scalar, table).xreplace({r.problem.t: r.optimum.expression})
    points = {entry(p) for p in r.integrand.points if not p.shape and isinstance(p, Var)}
    if any(table.atoms.get(s) in points for s in F.free_symbols):
        return None  # the integrand also depends on the point itself
    p, q = (table.symbol(w) for w in weights)
    return recognise(F, p, q, table, pair[0], pair[1])


def _information(game: Game, r: FunctionResponse, integrand: Integrand, ctx: Context) -> Recognised | None:
    """The integral over a joint and the product of its marginals, where it is their KL divergence."""
    parts, formulas = r.integrand.parts, r.integrand.formulas
    measures = list(dict.fromkeys(x.weight for x in integrand.terms))
    if len(measures) != 2 or all(isinstance(m, Entry) for m in measures):
        return None
    table = r.problem.table
    sides = [set(S.Mul.make_args(to_sympy(m, table))) for m in measures]
    short = [S.Dummy("p", positive=True), S.Dummy("q", positive=True)]
    own = [next(iter(sorted(a - b, key=str)), None) for a, b in (sides, sides[::-1])]
    if None in own:
        return None
    values = {o: x / S.Mul(*(side - {o})) for o, x, side in zip(own, short, sides, strict=True)}
    F = to_sympy(integrand.scalar, table).xreplace({r.problem.t: r.optimum.expression})
    F = within(2.0, lambda: S.expand_log(S.expand(S.simplify(S.expand_log(S.expand(F.subs(values)), force=True))), force=True))
    if F is None or F.free_symbols & (sides[0] | sides[1]):
        return None
    whole = inline(r.integrand.terms[0].laws[0])
    found = recognise(F, short[0], short[1], table, whole, whole)
    if found is None or found.name != "KL":
        return None
    first = 1 if found.swapped else 0
    term = next(x for x in integrand.terms if x.weight is measures[first])
    worth: Array | None = None
    if not formulas and len(sides[first]) == 1 and sorted(k for part in parts.values() for k in part) == [0, 1]:
        law, points = next(x for a, x in r.integrand.densities.items() if entry(a) is measures[first])
        ref = reference(law, points[0], game.joints)
        if len(ref.variables) == 2 and len({law for law, _ in r.integrand.densities.values()}) == 1:
            x, z = ref.variables
            worth = mutual_information(ref.joint, (x,), (z,))
    elif len(formulas) == len(r.integrand.densities):
        worth = _closed_information(list(zip(term.drawn, term.laws, strict=True)), [v for _, v in term.at], ctx)
    if worth is None and formulas and len(formulas) == len(r.integrand.densities):
        log_ratio = sub(*(_log_of(measures[k], r) for k in (first, 1 - first)))
        body = replace_arrays(log_ratio, {p: v for p, v in term.at if isinstance(p, Var)})
        mean = expectation(tensor((), body), list(zip(term.drawn, term.laws, strict=True)))
        assert isinstance(mean, Operator)
        worth = reduce_expectation(mean, ctx)
    if worth is None:
        return None
    value = add(mul(from_sympy(found.factor, table), entry(worth)), from_sympy(found.constant, table))
    return replace(found, name="mutual information", divergence=worth, value=value)


def _closed_information(draws: Sequence[tuple[Var, Array]], seen: Sequence[Var], ctx: Context) -> Array | None:
    """The information between the two variables that the function sees, of a joint that is known."""
    if len(seen) != 2:
        return None
    drawn = [v for v, _ in draws]
    factors = tuple(Factor("p", (v,), tuple(u for u in drawn if u in variables_of(law)), law) for v, law in draws)
    op = mutual_information(Joint("p", factors), (seen[0],), (seen[1],))
    assert isinstance(op, Operator)
    try:
        made = reduce_mutual_information(op, ctx.quiet())
    except CannotDerive:
        return None
    if any(isinstance(n, Operator) for n in walk(made)):
        return None
    return reduce_mutual_information(op, ctx)


def _log_of(measure: Scalar, r: FunctionResponse) -> Scalar:
    """The logarithm of a product of densities that are known."""
    factors = measure.args if isinstance(measure, Mul) else (measure,)
    written = [r.integrand.formulas[f.array] if isinstance(f, Entry) else f for f in factors]
    return add(*(f.args[0] if isinstance(f, Fn) and f.name == "exp" else fn("log", f) for f in written))


def _as_expectations(r: FunctionResponse, integrand: Integrand, game: Game) -> Scalar:
    """sum_k c_k E[x ~ p_k](f_k(D*(x))), the densities in D* being those of the declared laws."""
    terms: list[Scalar] = [integrand.rest]
    for term in integrand.terms:
        body = r.put(term.body)
        drawn_at = dict(term.at)
        mapping: dict[Array, Any] = {}
        for a, (law, points) in r.integrand.densities.items():
            if a in r.integrand.formulas:
                continue
            ref = reference(law, points[0], game.joints)
            if a in r.integrand.parts:
                ref = replace(ref, variables=tuple(ref.variables[k] for k in r.integrand.parts[a]))
            if len(ref.variables) != len(points) or any(p not in drawn_at for p in points):
                raise CannotDerive("a density in the best response is not of the points drawn", tensor((), body))
            mapping[a] = density_of(ref, {v: drawn_at[p] for v, p in zip(ref.variables, points, strict=True)})
        body = replace_arrays(r.shown(body), mapping)
        body = replace_arrays(body, {p: v for p, v in term.at if isinstance(p, Var)})
        if not variables_of(body) & set(term.drawn):
            terms.append(mul(term.coefficient, body))  # the mean of what is not drawn
            continue
        made = expectation(tensor((), body), list(zip(term.drawn, term.laws, strict=True)))
        terms.append(mul(term.coefficient, entry(made)))
    return add(*terms)


def value(game: Game, player: Player, ctx: Context) -> Scalar:
    """The payoff of `player` at its best response."""
    if player.unknown is None:
        answer = parameter_response(game, player, ctx).value
        of_numbers: Scalar = entry(answer) if isinstance(answer, Array) else answer
        return of_numbers
    if player.unknown.kind == "density":
        entropic = entropic_response(game, player, ctx) or scored_response(game, player, ctx)
        if entropic is None:
            raise CannotDerive(f"the payoff is linear in the density `{player.unknown.name}`", player.payoff)
        evidence = entropic.evidence or Evidence("unknown")
        ctx.trace.checks.append(lambda: evidence)
        worth: Scalar = entropic.value
        return worth
    r = function_response(game, player, ctx)
    worth, found = payoff_at(game, r, player, ctx)
    parts = [r.optimum.shown, *([found.shown] if found is not None else [])]
    shown = "proved" if all(p == "proved" for p in parts) else "checked" if "unknown" not in parts else "unknown"
    method = "the best response put back; the ratio of second derivatives of the generators"
    ctx.trace.checks.append(lambda: Evidence(shown, method=method))
    return worth

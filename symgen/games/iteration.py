"""Stability of the methods of `dynamics.py`: the eigenvalues of the iteration, the steps up to which it converges.

Jury's expressions in the step h say which steps keep all eigenvalues inside the unit circle (Ostrowski's theorem then
gives convergence near the equilibrium); where they vanish for every step, the linearisation decides for linear fields.
"""

from __future__ import annotations

import math
from typing import Any

import sympy

from symgen.calculus.solving import generic_sign, never_positive, roots_of, sign_of, vanishes
from symgen.derivation.derivation import Evidence
from symgen.games.dynamics import Dynamics
from symgen.games.flow import by_symmetry
from symgen.games.motion import (
    Motion,
    Verdict,
    eigenvalues_of,
    falling_energy,
    radius_of,
    relations,
    rows,
    short,
    value_of,
)
from symgen.games.parameters import Coordinates
from symgen.games.records import Stability
from symgen.games.spectrum import (
    Pair,
    below_zero,
    characteristic,
    eigenvalue_pairs,
    in_circle,
    mu,
    square_root,
    tidy,
)
from symgen.tensor.expression import Array, compare, entry, var
from symgen.tensor.sympy_bridge import Closed, NotInSymPy, to_sympy
from symgen.text.diagnostics import CannotDerive

__all__ = ["iteration_record"]

S = sympy


def _grows_by_symmetry(m: Motion, row: Dynamics) -> Verdict | None:
    """A simultaneous step along a linear field with a skew Jacobian: |z + h J z|^2 = |z|^2 + h^2 |J z|^2."""
    if row.name != "simultaneous" or m.jacobian.rows == 2 or by_symmetry(m) is None:
        return None
    determinant = tidy(m.jacobian.det(method="berkowitz"))
    conditions: tuple[Any, ...] = ()
    if sign_of(determinant) not in (1, -1):
        conditions = ((-(determinant**2), S.Integer(0)),)
    return Verdict("diverges", conditions, None, "the Jacobian J is skew: a step multiplies |z|^2 by 1 + h^2 |J z|^2/|z|^2")


def iteration_record(m: Motion, shown: list[Any], row: Dynamics, step: Array | None, options: tuple[Array, ...]) -> Stability:
    c = m.c
    h_scalar = entry(step) if step is not None else entry(var("h", (), "positive", "const"))
    given = to_sympy(h_scalar, c.table)
    h = given if given.is_Symbol and given.is_positive else S.Dummy("h", positive=True)
    if len(options) > len(row.options):
        raise CannotDerive(f"the method `{row.name}` takes {len(row.options)} options", c.game.players[0].payoff)
    extra = [to_sympy(entry(o), c.table) for o in options]
    for name in row.options[len(extra) :]:
        extra.append(c.table.symbol(entry(var(name, (), "positive", "const"))))
    blocks = [[i for i, k in enumerate(c.owner) if k == player] for player in range(len(c.game.players))]
    M = row.matrix(m.jacobian, blocks, h, *extra).applyfunc(tidy)
    polynomial = characteristic(M)
    values, moduli, closed = _iteration_spectrum(m, row, h, extra, polynomial)
    size = _sizes_alone(polynomial, h)  # |a| for a, where only that matters
    sized, of_sizes = m.with_values(size), S.Poly(polynomial.as_expr().xreplace(size), mu)
    verdict = _grows_by_symmetry(sized, row) or _iteration_verdict(sized, row, of_sizes, h)
    back = {d: S.Abs(s) for s, d in size.items()}
    flat = [s for s in size if any(sign_of(t) != 1 for t in map(tidy, in_circle(S.Poly(polynomial.as_expr().subs(s, 0), mu))))]

    def put(e: Any) -> Any:
        e = e.xreplace(back)
        return e.xreplace({h: given}) if h is not given else e

    radius = None
    if moduli is not None:
        radius = radius_of(c, [put(x) for x in moduli])
    elif closed is not None:
        apart = [S.Abs(put(v), evaluate=False) for v in closed]
        radius = Closed(S.Max(*apart, evaluate=False), c.table)
    word, conditions = _at_step(c, verdict, h, given, put)
    conditions = (*conditions, *relations(c, [("!=", s) for s in flat]))
    eigenvalues = (
        tuple(value_of(c, put(v)) for v in values)
        if values is not None
        else eigenvalues_of(c, None, polynomial.subs(h, given) if h is not given else polynomial)
    )
    bound = verdict.bound
    bound_node = None if bound is None else value_of(c, put(bound))
    return Stability(
        tuple(c.node(v) for v in shown),
        rows(c, m.jacobian),
        eigenvalues,
        radius,
        word,
        bound_node,
        conditions,
        {c.name(s): c.node(v) for s, v in m.at.items()},
        tuple(c.name(s) for s in c.symbols),
        rows(c, M.applyfunc(put)),
        Evidence(verdict.shown, method=verdict.reason),
    )


def _sizes_alone(polynomial: Any, h: Any) -> dict[Any, Any]:
    """Positive symbols for those of no sure sign of which the question of the unit circle holds even powers alone."""
    tests = [tidy(t) for t in in_circle(polynomial)]
    free = sorted({s for t in tests for s in t.free_symbols if s is not h and s.is_real and sign_of(s) is None}, key=str)
    return {s: S.Dummy(str(s), positive=True) for s in free if all(S.expand(S.together(t - t.subs(s, -s))) == 0 for t in tests)}


def _at_step(c: Coordinates, verdict: Verdict, h: Any, given: Any, put: Any) -> tuple[str, tuple[Any, ...]]:
    """The verdict at the step that was given: a number decides the conditions on h."""
    kept: list[Any] = []
    word = verdict.word
    for left, right in verdict.conditions:
        gap = sign_of(put(right - left))
        if gap == 1:
            continue
        if gap in (-1, 0) and h is not given:
            word = "diverges" if gap == -1 else "inconclusive"
            continue
        try:
            kept.append(compare("<", c.node(put(left)), c.node(put(right))))
        except NotInSymPy:
            kept.append(Closed(S.Lt(put(left), put(right)), c.table))
    return word, tuple(kept)


def _iteration_spectrum(
    m: Motion, row: Dynamics, h: Any, extra: list[Any], polynomial: Any
) -> tuple[list[Any] | None, list[Any] | None, list[Any] | None]:
    """The eigenvalues of the iteration, the moduli of them (real expressions) or else the eigenvalues again."""
    pairs = eigenvalue_pairs(polynomial)
    if pairs is not None:
        return [r for p in pairs for r in p.roots], [p.modulus for p in pairs], None
    if row.characteristic is None:
        return None, None, None
    lam = S.Dummy("lam")
    relation = S.Poly(row.characteristic(mu, lam, h, *extra), mu)
    base = eigenvalue_pairs(characteristic(m.jacobian))
    if base is None:
        return None, None, None
    values: list[Any] = []
    moduli: list[Any] | None = []
    for p in base:
        for root in p.roots:
            r = relation.as_expr().subs(lam, root)
            b, e = [S.expand(x) for x in S.Poly(r, mu).all_coeffs()[1:]] if relation.degree() == 2 else [None, None]
            if b is None:
                values.append(S.solve(r, mu)[0])
                if p.sign == -1 and moduli is not None:
                    other = S.solve(relation.as_expr().subs(lam, p.roots[1] if root == p.roots[0] else p.roots[0]), mu)[0]
                    moduli.append(S.sqrt(tidy(S.expand(values[-1] * other))))
                elif moduli is not None:
                    moduli.append(S.Abs(values[-1]))
                continue
            inside = S.expand(b**2 - 4 * e)  # type: ignore[operator]
            half = S.sqrt(inside) if inside.has(S.I) else square_root(inside, True)
            values += [S.expand(-b / 2) + half / 2, S.expand(-b / 2) - half / 2]
            modulus = _modulus(S.expand(-b), inside)
            moduli = [*moduli, modulus] if moduli is not None and modulus is not None else None
    if moduli is not None:
        return values, moduli, None
    # conjugate eigenvalues of J give conjugate ones of the iteration: half of them show all moduli
    half_of_them = [v for k, v in enumerate(values) if not _conjugate_before(base, k // relation.degree())]
    return values, None, half_of_them


def _conjugate_before(base: list[Pair], position: int) -> bool:
    """Whether the root at this position is the second of a conjugate pair."""
    flat = [(p, k) for p in base for k in range(len(p.roots))]
    p, k = flat[position]
    return k == 1 and p.sign == -1


def _modulus(b: Any, inside: Any) -> Any:
    """The larger |b +- sqrt(inside)|/2 for complex b and real `inside`; None where that is complex too."""
    re, im = b.subs(S.I, 0), S.expand((b - b.subs(S.I, 0)) / S.I)
    if inside.has(S.I):
        return None
    apart = S.sqrt(short(((S.Abs(re) + square_root(inside)) / 2) ** 2 + im**2 / 4))
    together = S.sqrt(short(re**2 / 4 + ((S.Abs(im) + square_root(-inside)) / 2) ** 2))
    s = sign_of(inside)
    if s in (0, 1):
        return apart
    return together if s == -1 else S.Piecewise((together, below_zero(inside)), (apart, True))


def _iteration_verdict(m: Motion, row: Dynamics, polynomial: Any, h: Any) -> Verdict:
    """Which of Jury's expressions vanish, and at which steps the others change sign."""
    tests = [tidy(t) for t in in_circle(polynomial)]
    marginal = [t for t in tests if t == 0]
    bounds: list[Any] = []
    unstable: list[Any] = []
    open_tests: list[Any] = []
    degenerate: list[Any] = []
    needed: list[Any] = []
    for t in tests:
        if t == 0:
            continue
        if sign_of(t) == 1:
            continue
        if generic_sign(t) == 1:
            needed.append((S.Integer(0), t))
            continue
        small = _sign_near_zero(t, h)
        if small is None and never_positive(t):
            degenerate.append((t, S.Integer(0)))
            small = -1
        if small == 1:
            found = _first_root(t, h)
            if found is None:
                open_tests.append(t)
            else:
                bounds += found
        elif small == -1:
            unstable.append(t)
        else:
            open_tests.append(t)
    flow = _flow_kind(m)
    if unstable:
        word = "saddle" if flow == "saddle" else "diverges"
        always = [t for t in unstable if sign_of(t) == -1 or never_positive(t)]
        if always:
            kept = () if any(sign_of(t) == -1 for t in always) else tuple(degenerate[:1])
            return Verdict(word, kept, reason="an eigenvalue lies outside the unit circle for every step (Jury)")
        firsts = [_first_root(-t, h) for t in unstable]
        limits = [b for f in firsts if f for b in f]
        conditions = tuple((h, b) for b in limits[:1])
        return Verdict(word, conditions, reason="an eigenvalue lies outside the unit circle for small steps (Jury)")
    bound = None
    if bounds:
        bound = _least(bounds)
    if open_tests:
        conditions = tuple((S.Integer(0), t) for t in open_tests) + ((h, bound),) * (bound is not None)
        reason = "it converges where all the conditions hold, and where one of the inequalities is reversed it does not (Jury)"
        return Verdict("inconclusive", conditions, None, reason, "unknown")
    if marginal:
        return _marginal(m, polynomial, bound, h)
    conditions = (*(((h, bound),) if bound is not None else ()), *needed)
    reason = "all eigenvalues lie inside the unit circle (Jury)"
    return Verdict("converges", conditions, S.oo if bound is None else bound, reason)


def _flow_kind(m: Motion) -> str:
    pairs = eigenvalue_pairs(characteristic(m.jacobian))
    parts = [s for p in pairs for s in p.real_part_signs] if pairs else []
    return "saddle" if 1 in parts and -1 in parts else ""


def _sign_near_zero(t: Any, h: Any) -> int | None:
    """The sign for all small enough steps: that of the lowest coefficient in h."""
    top, bottom = S.fraction(S.together(t))
    signs = []
    for part in (top, bottom):
        polynomial = S.Poly(S.expand(part), h) if S.expand(part).is_polynomial(h) else None
        if polynomial is None:
            return None
        signs.append(generic_sign(tidy(polynomial.all_coeffs()[::-1][polynomial.monoms()[-1][0]])))
    return signs[0] * signs[1] if None not in signs else None  # type: ignore[operator]


def _first_root(t: Any, h: Any) -> list[Any] | None:
    """The steps at which t, positive for small steps, may first vanish; [] where there is none for certain, None where
    that is open. A step that is there only under a condition is oo otherwise."""
    if sign_of(t) == 1:
        return []
    top = S.fraction(S.together(t))[0]
    out: list[Any] = []
    for f, _ in S.factor_list(S.expand(top))[1]:
        if h not in f.free_symbols or sign_of(f) in (1, -1):
            continue
        polynomial = S.Poly(f, h) if f.is_polynomial(h) else None
        if polynomial is not None and polynomial.degree() == 2 and len(f.free_symbols) > 1:
            found = _first_root_of_quadratic(polynomial)
            if found is None:
                return None
            out += found
            continue
        if polynomial is not None and polynomial.degree() > 2 and len(f.free_symbols) > 1:
            powers = [k for (k,) in polynomial.monoms() if k]
            if polynomial.degree() > 2 * math.gcd(*powers):
                return None  # no closed form that anybody would read
        if polynomial is not None and f.free_symbols == {h}:
            out += [r for r in S.Poly(f, h).real_roots() if r.is_positive][:1]
            continue
        roots = roots_of(f, h)
        if polynomial is None or not roots or not all(r.complete for r in roots):
            return None
        for r in roots:
            s = generic_sign(r.value)
            if r.value.has(S.I) or r.value.is_real is False or s in (-1, 0):
                continue
            if s is None and r.value.free_symbols:
                out.append(S.Piecewise((r.value, r.value > 0), (S.oo, True)))
            elif s == 1 or complex(r.value.evalf()).real > 0:
                out.append(r.value)
    return out


def _first_root_of_quadratic(polynomial: Any) -> list[Any] | None:
    """Of a h^2 + b h + c; the signs of a and c are to be sure."""
    a, b, c = polynomial.all_coeffs()
    if generic_sign(c) == -1:
        a, b, c = -a, -b, -c
    if generic_sign(c) != 1:
        return None
    inside = tidy(b**2 - 4 * a * c)
    if generic_sign(a) == -1:
        return [short((-b - square_root(inside)) / (2 * a))]
    if generic_sign(a) != 1:
        return None
    turn = generic_sign(b)
    if turn in (0, 1) or generic_sign(inside) == -1:
        return []
    root = S.expand((-b - square_root(inside)) / (2 * a))
    if turn == -1 and generic_sign(inside) == 1:
        return [root]
    there = S.Not(below_zero(inside))
    return [S.Piecewise((root, there if turn == -1 else S.And(there, below_zero(b))), (S.oo, True))]


def _least(bounds: list[Any]) -> Any:
    out: list[Any] = []
    sometimes = [b for b in bounds if isinstance(b, S.Piecewise)]
    for b in bounds:
        if b in sometimes or any(vanishes(b - o) == "proved" or _above(b, o) for o in out):
            continue
        out = [o for o in out if not _above(o, b)] + [b]
    least = S.Min(*out) if out else S.oo
    for b in sometimes:
        (value, condition), _ = b.args
        under = value if least is S.oo or _above(least, value) else least if _above(value, least) else S.Min(value, least)
        if under is not least:
            least = S.Piecewise((under, condition), (least, True))
    return least


def _above(a: Any, b: Any) -> bool:
    """a >= b for certain, wherever the roots in them are real."""
    difference = S.expand(a - b)
    places = {r: S.Dummy(positive=True) for r in difference.atoms(S.Pow) if r.exp == S.Rational(1, 2)}
    return generic_sign(difference.xreplace(places)) in (0, 1)


def _marginal(m: Motion, polynomial: Any, bound: Any, h: Any) -> Verdict:
    """Eigenvalues on the unit circle whatever the step."""
    conditions = ((h, bound),) if bound is not None else ()
    pairs = eigenvalue_pairs(polynomial)
    if pairs is not None and polynomial.degree() == 2 and len(pairs) == 1 and not pairs[0].single:
        center, radicand = pairs[0].center, pairs[0].radicand
        on_circle = vanishes(center**2 - radicand - 1) == "proved"
        if on_circle and m.is_linear and _sign_near_zero(radicand, h) == -1:
            return Verdict(
                "cycles",
                conditions,
                None,
                "the iteration is linear with a pair of eigenvalues of modulus 1: it neither grows nor shrinks",
            )
    energy = falling_energy(m)
    if energy is not None and energy.word == "sublinear":
        return Verdict(
            "sublinear",
            conditions,
            None,
            "an eigenvalue is 1; the flow contracts slower than exponentially, and so does the iteration with small steps",
            "checked",
        )
    return Verdict("inconclusive", conditions, None, "eigenvalues on the unit circle: the linearisation does not decide", "unknown")

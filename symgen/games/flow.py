"""Stability in continuous time: each player moves along the gradient of its payoff.

Hyperbolic: the linearisation decides (Hartman & Grobman). With eigenvalues on the imaginary axis it decides for linear
fields alone; else a conserved or a falling quadratic form may, and where none is found the verdict is inconclusive.
"""

from __future__ import annotations

from typing import Any

import sympy

from symgen.calculus.solving import generic_sign, sign_of, vanishes
from symgen.derivation.derivation import Evidence
from symgen.games.motion import Motion, Verdict, eigenvalues_of, falling_energy, radius_of, relations, rows
from symgen.games.records import Stability
from symgen.games.spectrum import Pair, characteristic, eigenvalue_pairs, hurwitz

__all__ = ["flow_record", "by_symmetry"]

S = sympy


def flow_record(m: Motion, shown: list[Any]) -> Stability:
    polynomial = characteristic(m.jacobian)
    pairs = eigenvalue_pairs(polynomial)
    verdict = by_symmetry(m) or _flow_verdict(m, polynomial, pairs)
    c = m.c
    return Stability(
        tuple(c.node(v) for v in shown),
        rows(c, m.jacobian),
        eigenvalues_of(c, pairs, polynomial),
        radius_of(c, [p.modulus for p in pairs]) if pairs is not None else None,
        verdict.word,
        None,
        verdict.conditions,
        {c.name(s): c.node(v) for s, v in m.at.items()},
        tuple(c.name(s) for s in c.symbols),
        None,
        Evidence(verdict.shown, method=verdict.reason),
    )


def by_symmetry(m: Motion) -> Verdict | None:
    """A linear field with a skew Jacobian keeps the distance."""
    if not m.is_linear or not (m.jacobian + m.jacobian.T).applyfunc(S.simplify).is_zero_matrix:
        return None
    if m.jacobian.is_zero_matrix:
        return None
    return Verdict(
        "cycles",
        reason="the field is linear and its Jacobian is skew: the distance from the equilibrium is "
        "conserved, and all eigenvalues are imaginary",
    )


def _flow_verdict(m: Motion, polynomial: Any, pairs: list[Pair] | None) -> Verdict:
    tests = hurwitz(polynomial)
    signs = [sign_of(t) for t in tests]
    if 0 in signs and (pairs is None or None in signs):
        return falling_energy(m) or Verdict(
            "inconclusive", reason="a real part vanishes whatever the constants (Hurwitz)", shown="unknown"
        )
    if all(s == 1 for s in signs):
        return Verdict("converges", reason="all eigenvalues have negative real parts (Hurwitz)")
    if all(generic_sign(t) == 1 for t in tests):
        needed = tuple(relations(m.c, [("<", -t) for t, s in zip(tests, signs, strict=True) if s != 1]))
        return Verdict("converges", needed, reason="all eigenvalues have negative real parts (Hurwitz)")
    parts = [s for p in pairs for s in p.real_part_signs] if pairs is not None else []
    if parts and None not in parts:
        if 1 in parts and -1 in parts:
            return Verdict("saddle", reason="eigenvalues with positive and with negative real parts")
        if 1 in parts:
            return Verdict("diverges", reason="an eigenvalue has a positive real part, none a negative one")
        return _boundary(m, pairs or [], parts)
    if pairs is None and all(s in (1, -1) for s in signs) and polynomial.degree() > 2:
        word = "saddle" if sign_of(-polynomial.all_coeffs()[1]) == -1 else "diverges"
        return Verdict(word, reason="an eigenvalue has a positive real part (Hurwitz)")
    if -1 in signs and pairs is None:
        return Verdict("diverges", reason="an eigenvalue has a real part that is not negative (Hurwitz)")
    energy = falling_energy(m)
    if energy is not None:
        return energy
    conditions = tuple(relations(m.c, [("<", -t) for t, s in zip(tests, signs, strict=True) if s != 1]))
    return Verdict(
        "inconclusive",
        conditions,
        reason="the signs of the real parts depend on the constants: "
        "the flow converges where all the conditions hold, and where one of the inequalities is reversed it does not (Hurwitz)",
        shown="unknown",
    )


def _boundary(m: Motion, pairs: list[Pair], parts: list[Any]) -> Verdict:
    """No eigenvalue to the right, some on the imaginary axis."""
    rotating = [p for p in pairs if not p.single and p.sign == -1 and p.center == 0]
    resting = any(p.single and p.center == 0 for p in pairs)
    if m.is_linear:
        distinct = len({p.radicand for p in rotating}) == len(rotating)
        if rotating and not resting and len(rotating) == len(pairs) and (distinct or _semisimple(m.jacobian, rotating)):
            return Verdict("cycles", reason="the field is linear and all eigenvalues are imaginary: closed orbits")
        if resting or -1 in parts:
            energy = falling_energy(m)
            if energy is not None:
                return energy
            return Verdict(
                "inconclusive",
                reason="an eigenvalue is 0 or imaginary beside others: some directions do not move or do not contract",
                shown="proved",
            )
    if rotating and len(m.c.symbols) == 2:
        form = _conserved(m)
        if form is not None:
            text = m.c.text(form)
            return Verdict("cycles", reason=f"{text}, in the distance from the equilibrium, is conserved: closed orbits")
    energy = falling_energy(m)
    if energy is not None:
        return energy
    return Verdict(
        "inconclusive",
        reason="eigenvalues on the imaginary axis: the linearisation does not decide for a field "
        "that is not linear, and no conserved or falling quadratic form was found",
        shown="unknown",
    )


def _semisimple(J: Any, rotating: list[Pair]) -> bool:
    """Whether equal imaginary pairs have as many eigenvectors."""
    squared = J * J
    for p in set(rotating):
        times = sum(q == p for q in rotating)
        if (squared - p.radicand * S.eye(J.rows)).applyfunc(S.simplify).rank() > J.rows - 2 * times:
            return False
    return True


def _conserved(m: Motion) -> Any:
    """The quadratic form that the flow near a centre keeps, if the whole field keeps it."""
    a, b, c = m.jacobian[0, 0], m.jacobian[0, 1], m.jacobian[1, 0]
    x, y = m.c.symbols
    form = c * x**2 - 2 * a * x * y - b * y**2
    v, w = m.centred
    change = S.diff(form, x) * v + S.diff(form, y) * w
    if vanishes(change) != "proved":
        return None
    form = S.cancel(form / (c if sign_of(c) is not None else S.Integer(1)))
    return S.expand(form)

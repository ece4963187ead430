"""Which divergence an integral over two densities is.

An integrand F(p, q), homogeneous of degree 1, is q G(p/q); where G(u) = a f(u) + b (u - 1) + c for the generator f of a
divergence, the integral is a D_f(p || q) + c (Csiszar 1967; Nowozin et al. 2016, 2.1). As f is known up to a
multiple of u - 1, a = G''/f'' has to be free of u, which rational arithmetic shows.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import sympy

from symgen.calculus.solving import never_positive, numeric, sample_symbols, sign_of, vanishes
from symgen.probability.laws.joint import DistRef, Factor, Joint, divergence
from symgen.tensor.expression import Array, Scalar, Var, add, entry, mul, tensor, var
from symgen.tensor.sympy_bridge import Table, from_sympy, within

__all__ = ["GENERATORS", "Generator", "Recognised", "recognise", "reference", "tidy_logs"]

S = sympy
u = S.Dummy("u", positive=True)


@dataclass(frozen=True)
class Generator:
    """D(p || q) (or D(q || p), where `swapped`) is the integral of q f(p/q); f(1) = 0, f convex."""

    name: str
    swapped: bool
    written: Callable[[Any], Any]  # f in SymPy, made when it is asked for
    source: str

    @property
    def f(self) -> Any:
        return _made(self.written)


@cache
def _made(written: Callable[[Any], Any]) -> Any:
    return written(u)


GENERATORS = (
    Generator("KL", False, lambda u: u * S.log(u), "Nowozin et al. (2016), table 1"),
    Generator("KL", True, lambda u: -S.log(u), "Nowozin et al. (2016), table 1"),
    Generator("JS", False, lambda u: (u * S.log(u) - (1 + u) * S.log((1 + u) / 2)) / 2, "Goodfellow et al. (2014), eq. 5"),
    Generator("chi2", False, lambda u: (u - 1) ** 2, "Nowozin et al. (2016), table 1"),
    Generator("chi2", True, lambda u: (u - 1) ** 2 / u, "Nowozin et al. (2016), table 1"),
    Generator("hellinger", False, lambda u: 1 - S.sqrt(u), "Nowozin et al. (2016), table 1, halved"),
    Generator("tv", False, lambda u: S.Abs(u - 1) / 2, "Nowozin et al. (2016), table 1"),
)


@dataclass
class Recognised:
    """The integral is `factor` D + `constant`; `convexity` is the sign of G'' (1: least at p = q, -1: greatest
    there)."""

    name: str
    factor: Any
    constant: Any
    divergence: Array
    value: Scalar
    convexity: int
    shown: str
    source: str
    generator: Any  # G(u)
    nonzero: tuple[Any, ...] = ()  # what must not vanish for a strict optimum
    swapped: bool = False  # D(q || p)


def recognise(integrand: Any, p: Any, q: Any, table: Table, p_law: DistRef, q_law: DistRef) -> Recognised | None:
    """`integrand` is F in the symbols p, q. None where it is no f-divergence."""
    integrand = _with_signs(integrand)
    G = integrand.xreplace({p: u, q: S.Integer(1)})
    if not _is_homogeneous(integrand, G, p, q):
        return None
    if G.has(S.Piecewise, S.Abs, S.Max, S.Min):
        return _total_variation(G, table, p_law, q_law)
    second = within(2.0, lambda: S.factor(S.cancel(S.together(S.diff(G, u, 2)))))
    if second is None:
        return None
    if second == 0:
        return None
    convexity = sign_of(second)
    nonzero: tuple[Any, ...] = ()
    if convexity is None and (never_positive(second) or never_positive(-second)):
        convexity = -1 if never_positive(second) else 1
        nonzero = tuple(f.base for f in S.Mul.make_args(S.fraction(second)[0]) if f.is_Pow and sign_of(f) is None)
    best: Recognised | None = None
    for row in GENERATORS:
        if row.name == "tv":
            continue
        factor = within(2.0, lambda row=row: S.factor(S.simplify(second / S.diff(row.f, u, 2))))
        if factor is None or u in factor.free_symbols:
            continue
        constant = tidy_logs((G - factor * row.f).subs(u, 1))
        slope = S.diff(G - factor * row.f, u).subs(u, 1)
        shown = vanishes(G - factor * row.f - slope * (u - 1) - constant)
        if shown is None:
            continue
        pair = (q_law, p_law) if row.swapped else (p_law, q_law)
        d = divergence(row.name, *pair)
        best = Recognised(
            row.name,
            factor,
            constant,
            d,
            _combined(factor, d, constant, table),
            convexity or sign_of(factor) or 0,
            shown,
            row.source,
            G,
            swapped=row.swapped,
        )
        break
    best = best or _general(G, convexity, table, p_law, q_law)
    return replace(best, nonzero=nonzero) if best is not None else None


def _is_homogeneous(F: Any, G: Any, p: Any, q: Any) -> bool:
    """F(p, q) = q G(p/q): by Euler's relation where F is smooth, else at random points."""
    if not G.has(S.Piecewise, S.Abs, S.Max, S.Min):
        return vanishes(F - q * G.xreplace({u: p / q})) is not None
    rng = random.Random(1)
    for _ in range(4):
        point = sample_symbols(list(F.free_symbols), rng)
        scaled = {**point, p: 3 * point.get(p, S.Integer(1)), q: 3 * point.get(q, S.Integer(1))}
        a, b = numeric(F, point), numeric(F, scaled)
        if a is None or b is None or abs(3 * a - b) > 1e-12 * max(1.0, abs(b)):
            return False
    return True


def _combined(factor: Any, d: Array, constant: Any, table: Table) -> Scalar:
    return add(mul(from_sympy(factor, table), entry(d)), from_sympy(constant, table))


def tidy_logs(e: Any) -> Any:
    """The shortest of some forms, none with a symbol in an exponent; c log n of numbers is one logarithm."""
    forms = [e]
    for make in (S.simplify, S.factor, lambda x: S.expand(S.expand_log(x, force=True)),
                 lambda x: S.collect(S.expand(S.expand_log(x, force=True)), list(x.free_symbols))):  # fmt: skip
        made = within(1.5, make, e)
        if made is not None and not any(p.exp.free_symbols and not isinstance(p, S.exp) for p in made.atoms(S.Pow)):
            forms.append(made)
    best = min(forms, key=S.count_ops)
    if not best.free_symbols:
        together = within(1.0, lambda: S.logcombine(S.expand(S.expand_log(best)), force=True))
        if isinstance(together, S.log) or (together is not None and isinstance(-together, S.log)):
            inside = together.args[0] if isinstance(together, S.log) else 1 / (-together).args[0]
            return S.log(inside) if inside >= 1 else -S.log(1 / inside)
        factor, log = best.as_coeff_Mul()
        if isinstance(log, S.log) and factor.is_Integer and abs(factor) < 20:
            return S.sign(factor) * S.log(log.args[0] ** abs(factor))
    return best


def _general(G: Any, convexity: int | None, table: Table, p_law: DistRef, q_law: DistRef) -> Recognised | None:
    """An f-divergence by its own generator, where G is convex or concave."""
    if convexity not in (1, -1):
        return None
    constant = tidy_logs(G.subs(u, 1))
    slope = S.diff(G, u).subs(u, 1)
    f = convexity * (G - constant - slope * (u - 1))
    f = tidy_logs(f)
    place = var("t", (), "positive", "placeholder", uid=7)
    table.symbols[entry(place)], table.atoms[u] = u, entry(place)
    d = divergence("fdiv", p_law, q_law, f=(place, tensor((), from_sympy(f, table))))
    return Recognised(
        "fdiv",
        S.Integer(convexity),
        constant,
        d,
        _combined(S.Integer(convexity), d, constant, table),
        convexity,
        "proved",
        "Csiszar (1967)",
        G,
    )


def _total_variation(G: Any, table: Table, p_law: DistRef, q_law: DistRef) -> Recognised | None:
    """G linear on both sides of u = 1: a |u - 1|/2 and a linear part."""
    r = S.Dummy("r", positive=True)
    below, above = _on_side(G, r / (1 + r)), _on_side(G, 1 + r)
    if below is None or above is None:
        return None
    left = S.cancel(S.together(below.subs(r, u / (1 - u))))
    right = S.cancel(S.together(above.subs(r, u - 1)))
    if S.simplify(S.diff(left, u, 2)) != 0 or S.simplify(S.diff(right, u, 2)) != 0:
        return None
    factor = S.simplify(S.diff(right - left, u))
    constant = S.simplify(right.subs(u, 1))
    if factor == 0 or S.simplify(left.subs(u, 1) - constant) != 0:
        return None
    d = divergence("tv", p_law, q_law)
    sign = sign_of(factor) or 0
    return Recognised(
        "tv",
        factor,
        constant,
        d,
        _combined(factor, d, constant, table),
        sign,
        "proved",
        "Nowozin et al. (2016), table 1",
        G,
    )


def _on_side(G: Any, place: Any) -> Any:
    """G at u = place, its conditions decided by sign."""

    def choose(e: Any) -> Any:
        for value, condition in e.args:
            if condition == True:  # noqa: E712
                return value
            s = sign_of(condition.lhs - condition.rhs) if isinstance(condition, S.Rel) else None
            if s is None:
                return e
            if {"<": s < 0, "<=": s <= 0, ">": s > 0, ">=": s >= 0, "==": s == 0, "!=": s != 0}[str(condition.rel_op)]:
                return value
        return e

    out = _with_signs(G.subs(u, place)).replace(lambda e: isinstance(e, S.Piecewise), choose)
    return None if out.has(S.Piecewise, S.Max, S.Min, S.Abs) else out


def _with_signs(e: Any) -> Any:
    """|x|, max and min written out where signs are sure."""

    def choose(a: Any) -> Any:
        if isinstance(a, S.Abs):
            s = sign_of(a.args[0])
            return a if s is None else s * a.args[0]
        best = a.args[0]
        for other in a.args[1:]:
            s = sign_of(other - best)
            if s is None:
                return a
            if (s > 0) == isinstance(a, S.Max) and s != 0:
                best = other
        return best

    return e.replace(lambda a: isinstance(a, S.Abs | S.Max | S.Min), choose)


def reference(law: Array, drawn: Var, joints: tuple[Joint, ...]) -> DistRef:
    """A law as an argument of a divergence: the declared distribution of that law, if there is one."""
    name = str(law.attrs[1]) if law.name == "density" else ""  # type: ignore[attr-defined]
    for j in joints:
        for f in j.factors:
            if f.law is law or (name and j.name == name and len(j.factors) == 1):
                return DistRef(j, j.variables, j.outside)
    x = var(drawn.name, drawn.shape, drawn.domain, "random", drawn.domain_args, 0 if name else -1)
    return DistRef(Joint(name, (Factor(name, (x,), (), law),)), (x,))

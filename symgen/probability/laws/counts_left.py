"""Counts that nobody has seen: of z only u = z - x is left to know once x of them were seen. The log joint density is a
sum of lgammas of u and a multiple of it, which are those of a family of counts.

Thinned Poisson, binomial and negative binomial counts; what is left in an urn. Johnson, Kemp & Kotz (2005), 3.9, 4, 6.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from symgen.algebra.rational import simplify_scalar
from symgen.derivation.context import Context
from symgen.probability.forms.collect import collected
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.logs_undone import without_logs
from symgen.probability.forms.terms import TooManyTerms, depends_on_any, expanded, normalised, with_value
from symgen.probability.forms.walks import bottom_up
from symgen.probability.laws.elimination import Question
from symgen.probability.laws.intervals import slope_in
from symgen.probability.laws.law import row_of
from symgen.tensor.expression import (
    MINUS_ONE,
    ONE,
    ZERO,
    Fn,
    Scalar,
    Var,
    add,
    entry,
    fn,
    mul,
    neg,
    sub,
    total,
    var,
)


@dataclass(frozen=True)
class Counted:
    """z - shift is of this family; `log_mass` is the log of the sum of the joint density over z."""

    family: str
    parameters: dict[str, Scalar]
    shift: Scalar
    log_mass: Scalar


@dataclass
class Lgammas:
    """A log-density of u: lgamma(u + s) and lgamma(s - u), each with the sign it has, a slope and what is free of u."""

    up: dict[Scalar, int] = field(default_factory=dict)
    down: dict[Scalar, int] = field(default_factory=dict)
    slope: Scalar = ZERO
    constant: Scalar = ZERO

    def taken(self, where: dict[Scalar, int], sign: int) -> list[Scalar]:
        return [s for s, n in where.items() for _ in range(abs(n)) if n * sign > 0]


def counted(body: Scalar, z: Var, q: Question, lows: list[Scalar], ctx: Context) -> Counted | None:
    """The family of z - x, where x is all that z must not fall below."""
    prior = row_of(q.factor_of(z).law)
    if z.rank or prior is None or prior.region.kind != "integers" or prior.region.low != "0" or len(lows) > 1:
        return None
    shift = lows[0] if lows else ZERO
    u = var("u", (), "natural", "random", uid=-95)
    found = lgammas_of(with_value(body, z, lambda *_: add(entry(u), shift)), u, ctx)
    if found is None or found.up.get(ONE) is None:
        return None
    family = _family(found, Knowledge(ctx))
    if family is None:
        return None
    name, parameters, log_mass = family
    tidied = {n: simplify_scalar(collected(p), ctx.facts) for n, p in parameters.items()}
    return Counted(name, tidied, shift, collected(add(found.constant, log_mass)))


def lgammas_of(body: Scalar, u: Var, ctx: Context) -> Lgammas | None:
    out = Lgammas()
    is_random = depends_on_any(frozenset((u,)))
    x = entry(u)
    try:
        body = bottom_up(body, lambda n: _opened_beta(n) if is_random(n) else n)
        items = expanded(normalised(body, is_random, Knowledge(ctx)), is_random, lambda _: False)
    except TooManyTerms:
        return None
    found: dict[Scalar, Scalar] = {}
    for item in items:
        if item.indices:
            if is_random(item.atom) or is_random(item.coefficient):
                return None
            out.constant = add(out.constant, total(mul(item.coefficient, item.atom), list(item.indices)))
        elif not is_random(item.atom):
            out.constant = add(out.constant, mul(item.coefficient, item.atom))
        else:
            found[item.atom] = add(found.get(item.atom, ZERO), item.coefficient)
    for atom, c in found.items():
        c = collected(c)
        if c is ZERO:
            continue
        if atom is x:
            out.slope = c
            continue
        line = slope_in(atom.args[0], x) if isinstance(atom, Fn) and atom.name == "lgamma" else None
        if line is None or line[0] not in (ONE, MINUS_ONE) or c not in (ONE, MINUS_ONE):
            return None
        where = out.up if line[0] is ONE else out.down
        at = simplify_scalar(collected(line[1]), ctx.facts)
        where[at] = where.get(at, 0) + (1 if c is ONE else -1)
    return out


def _family(f: Lgammas, know: Knowledge) -> tuple[str, dict[str, Scalar], Scalar] | None:
    """The family whose probabilities these are up to a factor, its parameters, and the log of the sum."""
    if f.up[ONE] > -1:
        return None
    over, under = f.taken(f.up, 1), f.taken(f.up, -1)
    under.remove(ONE)
    above, below = f.taken(f.down, 1), f.taken(f.down, -1)
    counts = (len(over), len(under), len(above), len(below))
    ratio, share = (without_logs(fn(name, f.slope), lambda n: bool(n.args), know) for name in ("exp", "sigmoid"))
    if counts == (0, 0, 0, 0):
        return "Poisson", {"lam": ratio}, ratio
    if counts == (1, 0, 0, 0):
        (r,) = over
        return "NegativeBinomial", {"r": r, "p": ratio}, sub(fn("lgamma", r), mul(r, fn("log", sub(ONE, ratio))))
    if counts == (0, 0, 0, 1):
        m = sub(below[0], ONE)
        mass = sub(mul(m, fn("log", add(ONE, ratio))), fn("lgamma", below[0]))
        return "Binomial", {"n": m, "p": share}, mass
    if f.slope is not ZERO:
        return None
    if counts == (1, 0, 1, 1):
        m, (a,) = sub(below[0], ONE), over
        b = sub(above[0], m)
        mass = add(fn("lbeta", a, b), fn("lgamma", add(m, a, b)), neg(fn("lgamma", below[0])))
        return "BetaBinomial", {"n": m, "a": a, "b": b}, mass
    if counts == (0, 1, 0, 2):
        m, k, d = sub(below[0], ONE), sub(below[1], ONE), sub(under[0], ONE)
        mass = sub(_log_factorial(m, k, d), add(*(_log_factorial(*n) for n in ((m,), (k,), (m, d), (k, d)))))
        return "Hypergeometric", {"N": add(m, k, d), "K": m, "n": k}, mass
    return None


def _opened_beta(n: Scalar) -> Scalar:
    if not isinstance(n, Fn) or n.name != "lbeta":
        return n
    return add(*(fn("lgamma", a) for a in n.args), neg(fn("lgamma", add(*n.args))))


def _log_factorial(*n: Scalar) -> Scalar:
    return fn("lgamma", add(*n, ONE))

"""Balls of the incomplete gamma and beta functions by their shapes, from their series, and of their inverses."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

from flint import arb, ctx

__all__ = [
    "beta_shift_a",
    "beta_shift_b",
    "digammainv",
    "gamma_shift",
    "ibeta_da",
    "ibeta_db",
    "ibetainv",
    "igamma_da",
    "igammainv",
    "student_shift",
]

MOST_TERMS = 20_000
Ball = Any  # flint.arb


def igamma_da(a: Ball, x: Ball) -> Ball:
    """The sum of x^(a + n) exp(-x)/Gamma(a + n + 1) (log x - digamma(a + n + 1)) over n, with a bound of what is left."""
    if x == 0 and a > 0:
        return arb(0)
    if not (a > 0 and x > 0 and x < 5000):
        return arb("nan")
    before = ctx.prec
    try:
        ctx.prec = before + 40 + int(1.5 * max(0.0, float(x) - float(a)))
        log_x, psi = x.log(), (a + 1).digamma()
        term = (a * log_x - x - (a + 1).lgamma()).exp()
        total = arb(0)
        for n in range(MOST_TERMS):
            total += term * (log_x - psi)
            psi += 1 / (a + n + 1)
            term *= x / (a + n + 1)
            rest = 4 * term * (abs(log_x) + a + n + 2)
            if 2 * x < a + n and (rest < abs(total) * arb(2) ** -ctx.prec or rest < arb(2) ** (-4 * ctx.prec)):
                break
        else:
            return arb("nan")
        out = total + rest * arb(0, 1)
    finally:
        ctx.prec = before
    return +out


def _shapes(a: Ball, b: Ball, x: Ball, y: Ball) -> tuple[Ball, Ball]:
    """The derivatives of I_x(a, b) by a and by b, y = 1 - x, x below 3/4: the sum of
    x^(a + n) y^b Gamma(a + b + n)/(Gamma(a + n + 1) Gamma(b)) times log x + psi(a + b + n) - psi(a + n + 1), or times
    log y + psi(a + b + n) - psi(b)."""
    log_x, log_y = x.log(), y.log()
    up, down, other = (a + b).digamma(), (a + 1).digamma(), b.digamma()
    term = (a * log_x + b * log_y + (a + b).lgamma() - (a + 1).lgamma() - b.lgamma()).exp()
    first, second = arb(0), arb(0)
    for n in range(MOST_TERMS):
        first += term * (log_x + up - down)
        second += term * (log_y + up - other)
        up += 1 / (a + b + n)
        down += 1 / (a + n + 1)
        term *= x * (a + b + n) / (a + n + 1)
        rest = 20 * term * (abs(log_x) + abs(log_y) + abs(other) + a + b + n + 2)
        if 10 * x * (a + b + n) < 9 * (a + n) and n > 8 and rest < (abs(first) + arb(2) ** (-4 * ctx.prec)) * arb(2) ** -ctx.prec:
            return first + rest * arb(0, 1), second + rest * arb(0, 1)
    return arb("nan"), arb("nan")


def _by_shapes(a: Ball, b: Ball, x: Ball) -> tuple[Ball, Ball]:
    if (x == 0 or x == 1) and a > 0 and b > 0:
        return arb(0), arb(0)
    if not (a > 0 and b > 0 and x > 0 and x < 1):
        return arb("nan"), arb("nan")
    before = ctx.prec
    try:
        ctx.prec = 2 * before + 60
        if 2 * x < 1 or x * (a + b) < a and 4 * x < 3:
            first, second = _shapes(a, b, x, 1 - x)
        else:
            second, first = (-d for d in _shapes(b, a, 1 - x, x))
    finally:
        ctx.prec = before
    return +first, +second


def ibeta_da(a: Ball, b: Ball, x: Ball) -> Ball:
    return _by_shapes(a, b, x)[0]


def ibeta_db(a: Ball, b: Ball, x: Ball) -> Ball:
    return _by_shapes(a, b, x)[1]


def gamma_shift(a: Ball, x: Ball) -> Ball:
    """How x moves with a while P(a, x) stays."""
    return arb(0) if x == 0 and a > 0 else -igamma_da(a, x) * (x + a.lgamma() - (a - 1) * x.log()).exp()


def _per_density(d: Ball, a: Ball, b: Ball, x: Ball) -> Ball:
    return -d * (a.lgamma() + b.lgamma() - (a + b).lgamma() - (a - 1) * x.log() - (b - 1) * (1 - x).log()).exp()


def beta_shift_a(a: Ball, b: Ball, x: Ball) -> Ball:
    """How x moves with a while I_x(a, b) stays."""
    return _per_density(ibeta_da(a, b, x), a, b, x) if x > 0 and x < 1 else arb("nan")


def beta_shift_b(a: Ball, b: Ball, x: Ball) -> Ball:
    """How x moves with b while I_x(a, b) stays."""
    return _per_density(ibeta_db(a, b, x), a, b, x) if x > 0 and x < 1 else arb("nan")


def student_shift(nu: Ball, t: Ball) -> Ball:
    """How t moves with nu while Student's distribution function F stays, 1 - F = I_y(nu/2, 1/2)/2 for t > 0 at
    y = nu/(nu + t^2)."""
    if t == 0 and nu > 0:
        return arb(0)
    if not (nu > 0 and (t > 0 or t < 0)):
        return arb("nan")
    before = ctx.prec
    try:
        ctx.prec = 2 * before + 60
        a, b, y = nu / 2, arb(1) / 2, nu / (nu + t * t)
        log_beta = a.lgamma() + b.lgamma() - (a + b).lgamma()
        beta = ((a - 1) * y.log() + (b - 1) * (1 - y).log() - log_beta).exp()
        density = (-nu.log() / 2 - log_beta + (nu + 1) / 2 * y.log()).exp()
        moved = -(ibeta_da(a, b, y) / 2 + beta * (t / (nu + t * t)) ** 2) / (2 * density)
    finally:
        ctx.prec = before
    return -moved if t > 0 else +moved


def _root(f: Callable[[Ball], Ball], slope: Callable[[Ball], Ball], start: float, u: Ball) -> Ball:
    """The x with f(x) = u, f increasing: Newton's steps, then an interval on whose ends f lies on both sides of u."""
    if not math.isfinite(start) or start <= 0:
        return arb("nan")
    x = arb(start)
    for _ in range(8):
        x = (x - (f(x) - u) / slope(x)).mid()
        if not x > 0:
            return arb("nan")
    width = abs(x) * arb(2) ** (8 - ctx.prec) + 4 * ((f(x) - u) / slope(x)).abs_upper()
    for _ in range(8):
        if f(x - width) < u and f(x + width) > u:
            return x + width * arb(0, 1)
        width *= 8
    return arb("nan")


def _near(name: str, *args: Ball) -> float:
    return float(getattr(import_module("scipy.special"), name)(*map(float, args)))


def digammainv(x: Ball) -> Ball:
    """y > 0 with digamma(y) = x."""
    start = import_module("symgen.tensor.incomplete_floats").digammainv(float(x))
    return _root(
        lambda y: y.digamma(),
        lambda y: arb(2).zeta(y),
        float(start),
        x,
    )


def igammainv(a: Ball, u: Ball) -> Ball:
    """x with P(a, x) = u."""
    if u == 0 and a > 0:
        return arb(0)
    if not (a > 0 and u > 0 and u < 1):
        return arb("nan")
    return _root(
        lambda x: x.gamma_lower(a, regularized=1),
        lambda x: ((a - 1) * x.log() - x - a.lgamma()).exp(),
        _near("gammaincinv", a, u),
        u,
    )


def ibetainv(a: Ball, b: Ball, u: Ball) -> Ball:
    """x with I_x(a, b) = u."""
    if (u == 0 or u == 1) and a > 0 and b > 0:
        return +u
    if not (a > 0 and b > 0 and u > 0 and u < 1):
        return arb("nan")
    return _root(
        lambda x: x.beta_lower(a, b, regularized=1),
        lambda x: ((a - 1) * x.log() + (b - 1) * (1 - x).log() + (a + b).lgamma() - a.lgamma() - b.lgamma()).exp(),
        _near("betaincinv", a, b, u),
        u,
    )

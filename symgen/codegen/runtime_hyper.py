"""What generated modules carry for hypergeometric functions, and for Bessel functions of the second kind and the dilogarithm.

Euler's integrals are means of a beta or gamma law: they are summed at equal steps of the log odds, where sums converge
geometrically.

The functions with an argument `xp` are those of all backends: `k` are the numbers of the nodes, of its type.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special


def spread_of_logit(a: Any, b: Any, xp: Any) -> Any:
    """How far below its peak the log odds of a beta(a, b) variable go before the density is lost, at most 38."""
    reach = 12 * xp.sqrt(1 / a + 1 / b) + 45 / a
    return xp.where(reach < 38, reach, 38 + 0 * reach)


def beta_rule(a: Any, b: Any, place: Any, k: Any, xp: Any) -> Any:
    """log(t), log(1 - t) at nodes t, logarithms of their weights in the mean of a beta(a, b) variable t, and factors at the ends,
    for the tails, which are geometric sums; `place` are log odds where the function bends."""
    a, b, place = a[..., None], b[..., None], place[..., None]
    peak = xp.log(a) - xp.log(b)
    low, high = xp.where(peak < place, peak, place), xp.where(peak < place, place, peak)
    low, high = low - spread_of_logit(a, b, xp), high + spread_of_logit(b, a, xp)
    step = (high - low) / (k.shape[0] - 1)
    w = low + step * k
    small = xp.exp(-xp.abs(w))
    left, right = xp.where(w < 0, w, 0 * w) - xp.log1p(small), xp.where(w < 0, 0 * w, -w) - xp.log1p(small)
    size = a * left + b * right
    top = a * peak - (a + b) * xp.log1p(xp.exp(-xp.abs(peak))) - (a + b) * xp.where(peak < 0, 0 * peak, peak)
    tails = xp.where(k == 0, 1 / xp.expm1(a * step), 0 * w) + xp.where(k == k.shape[0] - 1, 1 / xp.expm1(b * step), 0 * w)
    return left, right, size - top, 1 + tails


def hyp2f1_mean(a: Any, b: Any, c: Any, y: Any, k: Any, xp: Any) -> Any:
    """The mean of (1 - (1 - y) t)^(-a) for a beta(b, c - b) variable t."""
    t, s, weight, tails = beta_rule(b, c - b, -xp.log(y), k, xp)
    grown = weight - a[..., None] * xp.log(xp.exp(s) + y[..., None] * xp.exp(t))
    return (tails * xp.exp(grown)).sum(-1) / (tails * xp.exp(weight)).sum(-1)


def hyp2f1_of_rest(a: Any, b: Any, c: Any, y: Any, k: Any, xp: Any) -> Any:
    """The hypergeometric function at 1 - y, y > 0, where c > b > 0 or c > a > 0; elsewhere nan."""
    first, second = (b > 0) & (b < c), (a > 0) & (a < c)
    one = 0 * y + 1
    p = xp.where(first, b, xp.where(second, a, one))
    q = xp.where(first, a, xp.where(second, b, one))
    held = first | second
    return xp.where(held & (y > 0), hyp2f1_mean(q, p, xp.where(held, c, 2 * one), xp.where(y > 0, y, one), k, xp), xp.nan * one)


def inverse_mean_parts(b: Any, w: Any, k: Any, xp: Any) -> Any:
    """The mean of 1/(t + exp(-w)) for a beta(b, 1) variable t, b > 1."""
    near, e = w < 80, b - 1
    at = xp.exp(xp.where(near, w, 0 * w))
    small = (e > 0) & (e < 0.5)
    at_small = xp.where(small, e, 0.25 + 0 * e)
    place = (xp.pi * at_small) ** 2
    bend = xp.where(e < 1e-3, place / 6 + place * place / 180, xp.log(xp.sqrt(place) / xp.sin(xp.sqrt(place))))
    far = b * xp.where(small, -xp.expm1(bend - at_small * w) / at_small, xp.where(e > 0, 1 / e, w))
    return xp.where(near, at * hyp2f1_mean(0 * b + 1, b, b + 1, 1 + at, k, xp), far)


def hyp1f1_mean(a: Any, b: Any, x: Any, k: Any, xp: Any) -> Any:
    """The mean of exp(x t) for a beta(a, b - a) variable t."""
    size = xp.log(1 + xp.abs(x))
    t, s, weight, tails = beta_rule(a, b - a, xp.where(x < 0, -size, size), k, xp)
    grown = weight + xp.where(x < 0, x, 0 * x)[..., None] * xp.exp(t) - xp.where(x < 0, 0 * x, x)[..., None] * xp.exp(s)
    mean = (tails * xp.exp(grown)).sum(-1) / (tails * xp.exp(weight)).sum(-1)
    return xp.where(x < 0, 1 + 0 * x, xp.exp(x)) * mean


def hyp1f1_series(a: Any, b: Any, x: Any, lgamma: Any, k: Any, xp: Any) -> Any:
    """exp(-x) times the function, for positive a, b and x: the power series, and far out that in 1/x."""
    near = x < 60
    at, far = xp.where(near, x, 1 + 0 * x)[..., None], xp.where(near, 60 + 0 * x, x)
    ratios = (a[..., None] + k) * at / ((b[..., None] + k) * (k + 1))
    terms = xp.cumprod(ratios, -1)
    term = series = 1 + 0 * x
    for n in range(1, 25):
        term = term * (n - a) * (b - a + n - 1) / (n * far)
        series = series + term
    large = xp.exp(lgamma(b) - lgamma(a) + (a - b) * xp.log(far)) * series
    return xp.where(near, xp.exp(-at[..., 0]) * (1 + terms.sum(-1)), large)


def hyp1f1_parts(a: Any, b: Any, x: Any, lgamma: Any, k: Any, xp: Any) -> Any:
    """Kummer's function, by its mean where b > a > 0, else by its series where b > 0 and a or b - a is positive; elsewhere nan."""
    one, held = 0 * x + 1, (a > 0) & (a < b)
    mean = hyp1f1_mean(xp.where(held, a, one), xp.where(held, b, 2 * one), x, k, xp)
    turned = xp.where(x < 0, b - a, a)
    known = (b > 0) & (turned > 0)
    series = hyp1f1_series(xp.where(known, turned, one), xp.where(known, b, one), xp.abs(x), lgamma, k, xp)
    series = xp.where(x < 0, one, xp.exp(x)) * series
    return xp.where(held, mean, xp.where(known, series, xp.nan * one))


def hyperu_rule(a: Any, b: Any, x: Any, k: Any, xp: Any) -> Any:
    """The logarithms of weights and of values in the mean of (1 + v/x)^(b - a - 1) for a gamma(a, 1) variable v, which is
    x^a times Tricomi's function, for positive a and x."""
    a, b, x = a[..., None], b[..., None], x[..., None]
    peak, bend = xp.log(a), xp.log(x)
    reach = 12 / xp.sqrt(a) + 45 / a
    low = xp.where(bend < peak, bend, peak) - xp.where(reach < 38, reach, 38 + 0 * reach)
    more = xp.abs(b - a - 1) + a
    high = peak + xp.log1p(12 / xp.sqrt(a) + 60 / a) + xp.log(more / a)
    step = (high - low) / (k.shape[0] - 1)
    w = low + step * k
    v = xp.exp(w)
    weight = a * (w - peak) - (v - a) + xp.log1p(xp.where(k == 0, 1 / xp.expm1(a * step), 0 * w))
    return weight, (b - a - 1) * xp.log1p(v / x)


def hyperu_mean(a: Any, b: Any, x: Any, k: Any, xp: Any) -> Any:
    """Tricomi's function for positive a and x."""
    weight, value = hyperu_rule(a, b, x, k, xp)
    return xp.exp(-a * xp.log(x)) * xp.exp(weight + value).sum(-1) / xp.exp(weight).sum(-1)


def log_hyperu_mean(a: Any, b: Any, x: Any, k: Any, xp: Any) -> Any:
    """Its logarithm."""
    weight, value = hyperu_rule(a, b, x, k, xp)
    top = xp.amax(weight + value, -1)
    mean = xp.exp(weight + value - top[..., None]).sum(-1) / xp.exp(weight).sum(-1)
    return top + xp.log(mean) - a * xp.log(x)


def besselk_parts(v: Any, x: Any, k: Any, xp: Any) -> Any:
    """w and s with exp(w) s = exp(x) K_v(x), x > 0: half the integral of exp(v t - x cosh(t)), around its peak."""
    v, x = xp.abs(v)[..., None], x[..., None]
    w = xp.hypot(v, x)
    peak, above = xp.arcsinh(v / x), 2 * xp.arcsinh(xp.sqrt(20 / w))
    steep = 12 / xp.sqrt(v + 1e-30) + 45 / (v + 1e-30)
    whole = 2 * peak + above
    below = xp.where(steep < whole, steep, whole)
    u = (above + below) * k / (k.shape[0] - 1) - below
    rest = 2 * x * x / (w + v) * xp.sinh(u / 2) ** 2 + v * (xp.expm1(u) - u)
    total = ((above + below) / (k.shape[0] - 1) * xp.exp(-rest)).sum(-1)
    return (v * peak - v * v / (w + x))[..., 0], total / 2


def besselk_sum(v: Any, x: Any, k: Any, xp: Any) -> Any:
    """K_v(x), x > 0."""
    exponent, total = besselk_parts(v, x, k, xp)
    return total * xp.exp(exponent - x)


def log_besselk_sum(v: Any, x: Any, k: Any, xp: Any) -> Any:
    """log(exp(x) K_v(x)), x > 0."""
    exponent, total = besselk_parts(v, x, k, xp)
    return exponent + xp.log(total)


def dilog_parts(x: Any, k: Any, xp: Any) -> Any:
    """The dilogarithm for x <= 1; elsewhere nan: the series, turned to where it converges fast. `k` are 1, 2, .. ."""
    one = 0 * x + 1
    inside = xp.where(x < -1, 1 / xp.where(x < -1, x, one), xp.where(x > 1, one, x))
    high, low = inside > 0.5, inside < 0
    below = xp.where(low, inside, 0 * one)
    y = xp.where(high, 1 - inside, xp.where(low, below / (below - 1), inside))
    series = (y[..., None] ** k / k**2).sum(-1)
    held = xp.where(high & (inside < 1), inside, 0.5 * one)
    cross = xp.where(inside < 1, xp.log(held) * xp.log1p(-held), 0 * one)
    value = xp.where(high, xp.pi**2 / 6 - cross - series, xp.where(low, -series - xp.log1p(-below) ** 2 / 2, series))
    outer = -(xp.pi**2) / 6 - xp.log(xp.where(x < -1, -x, one)) ** 2 / 2 - value
    return xp.where(x > 1, xp.nan * one, xp.where(x < -1, outer, value))


def hyp2f1_rest(a: Any, b: Any, c: Any, y: Any) -> Any:
    """The hypergeometric function at 1 - y."""
    a, b, c, y = np.broadcast_arrays(*(np.asarray(v, float) for v in (a, b, c, y)))
    with np.errstate(all="ignore"):
        mean = hyp2f1_of_rest(a, b, c, y, np.arange(601.0), np)
        return np.where(np.isnan(mean), special.hyp2f1(a, b, c, 1 - y), mean)


def inverse_mean(b: Any, w: Any) -> Any:
    """The mean of 1/(t + exp(-w)) for a beta(b, 1) variable t, b > 1."""
    b, w = np.broadcast_arrays(*(np.asarray(v, float) for v in (b, w)))
    with np.errstate(all="ignore"):
        return inverse_mean_parts(b, w, np.arange(601.0), np)


def hyp1f1(a: Any, b: Any, x: Any) -> Any:
    """Kummer's function."""
    a, b, x = np.broadcast_arrays(*(np.asarray(v, float) for v in (a, b, x)))
    with np.errstate(all="ignore"):
        found = hyp1f1_parts(a, b, x, special.gammaln, np.arange(601.0), np)
        return np.where(np.isnan(found), special.hyp1f1(a, b, x), found)


def hyperu(a: Any, b: Any, x: Any) -> Any:
    """Tricomi's function."""
    a, b, x = np.broadcast_arrays(*(np.asarray(v, float) for v in (a, b, x)))
    with np.errstate(all="ignore"):
        return np.where((a > 0) & (x > 0), hyperu_mean(a, b, x, np.arange(601.0), np), special.hyperu(a, b, x))


def log_hyperu(a: Any, b: Any, x: Any) -> Any:
    """The logarithm of Tricomi's function, for positive a and x; elsewhere nan."""
    a, b, x = np.broadcast_arrays(*(np.asarray(v, float) for v in (a, b, x)))
    with np.errstate(all="ignore"):
        return log_hyperu_mean(a, b, x, np.arange(601.0), np)


def log_besselk(v: Any, x: Any) -> Any:
    """log(exp(x) K_v(x)), for positive x; elsewhere nan."""
    v, x = np.broadcast_arrays(*(np.asarray(u, float) for u in (v, x)))
    with np.errstate(all="ignore"):
        return log_besselk_sum(v, x, np.arange(601.0), np)


def dilog(x: Any) -> Any:
    """The dilogarithm for x <= 1; elsewhere nan."""
    return dilog_parts(np.asarray(x, float), np.arange(1.0, 61.0), np)

"""Incomplete gamma and beta functions in floats: their derivatives by the shapes, and inverses. Generated modules carry them.

Each derivative is an integral whose integrand has one sign, on the side of the tail, after one integration by parts;
nodes that lie doubly exponentially near 0 and exponentially far out sum it to all digits. Functions without NumPy's name
serve all backends: `xp` is the library.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special


def half_line_rule(dtype: Any) -> Any:
    """Nodes and weights of integrals over (0, inf): v = exp(t - exp(-t)) at equal steps of t (Ooura and Mori, 1991)."""
    t = 0.11 * np.arange(80, dtype=dtype) - 4.2
    v = np.exp(t - np.exp(-t))
    return v, 0.11 * v * (1 + np.exp(-t))


def digamma_root(y: Any, xp: Any, digamma: Any, trigamma: Any) -> Any:
    """The x > 0 with digamma(x) = y, by Newton's steps from a start that lies near it everywhere (Minka, 2000)."""
    high = y > -2.22
    start = xp.where(high, xp.exp(xp.where(high, y, 0 * y)) + 0.5, -1 / (xp.where(high, -3 + 0 * y, y) + 0.5772156649015329))
    near = y < 40  # beyond, the start is it to all digits
    x = xp.where(near, start, 1 + 0 * start)
    for _ in range(7):
        x = x - (digamma(x) - y) / trigamma(x)
    return xp.where(near, x, start)


def digammainv(x: Any) -> Any:
    """The y > 0 with digamma(y) = x."""
    with np.errstate(all="ignore"):
        return digamma_root(np.asarray(x), np, special.digamma, lambda y: special.polygamma(1, y))


def log1p_rest(u: Any, log_of: Any, xp: Any) -> Any:
    """u - log(1 + u), near 0 by the series of 2 artanh(u/(2 + u)), else by the logarithm given."""
    near = (u > -0.5) & (u < 0.5)
    small = xp.where(near, u, 0 * u)
    s = small / (2 + small)
    t = s * s
    series = 0 * t
    for k in range(14, -1, -1):
        series = series * t + 1 / (2 * k + 3)
    return xp.where(near, s * small - 2 * s * t * series, u - log_of)


def stirling_rest(z: Any, xp: Any, lgamma: Any) -> Any:
    """lgamma(z) - (z - 1/2)*log(z) + z - log(2*pi)/2, far out by its series."""
    y, w = xp.where(z < 10, 10 + 0 * z, z), xp.where(z < 10, z, 10 + 0 * z)
    v = 1 / (y * y)
    series = (1 / 12 + v * (-1 / 360 + v * (1 / 1260 + v * (-1 / 1680 + v * (1 / 1188 + v * (v / 156 - 691 / 360360)))))) / y
    return xp.where(z < 10, lgamma(w) - (w - 0.5) * xp.log(w) + w - 0.9189385332046727, series)


def digamma_difference(a: Any, d: Any, xp: Any) -> Any:
    """digamma(a + d) - digamma(a) for a >= 1, d >= 0, exact for small d too: up 10 steps, then by the series."""
    total = 0 * (a + d)
    for k in range(10):
        total = total + d / ((a + k) * (a + d + k))
    p, q = a + 10, a + 10 + d
    u, v = 1 / (p * p), 1 / (q * q)
    first, second = (z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z * (1 / 132 - z * (691 / 32760 - z / 12))))) for z in (u, v))
    return total + xp.log1p(d / p) + d / (2 * p * q) + d * (p + q) * u * v / 12 + (v * second - u * first)


def igamma_slope(a: Any, x: Any, v: Any, w: Any, xp: Any, digamma: Any, lgamma: Any) -> Any:
    """The derivative of the regularised lower incomplete gamma function P(a, x) by a, and what it is of -density.
    Below exp(digamma(a + 1)) it is the integral of the density of shape a + 1 times log(t) - digamma(a + 1) up to x, above
    that from x on."""
    inside = (x > 0) & (x < 1e300)
    x = xp.where(inside, x, xp.ones_like(x))
    a, x = a + 0 * x, x + 0 * a
    c = digamma(a + 1)
    log_x = xp.log(x)
    low = log_x < c
    off = a * log1p_rest((x - a) / a, log_x - xp.log(a), xp) + stirling_rest(a, xp, lgamma)
    density = xp.exp(-off) / xp.sqrt(6.283185307179586 * a)  # x^a exp(-x)/Gamma(a + 1)
    below, above = xp.where(low, x, a / 2), xp.where(low, 2 * a + 2, x)
    s = (1 / (a + 1 - below + xp.sqrt(below)))[..., None]
    body = xp.exp(-(a + 1)[..., None] * s * v - below[..., None] * xp.expm1(-s * v)) * ((log_x - c)[..., None] - s * v)
    first = log_x - c + below * (s * w * body).sum(-1)
    more = xp.where(a > 1, a - 1, 0 * a)
    s = (1 / (xp.where(above > a - 1, 1 - (a - 1) / above, 0 * a) + xp.sqrt(more) / above))[..., None]
    log_t = xp.log1p(s * v / above[..., None])
    body = xp.exp((a - 1)[..., None] * log_t - s * v) * (a[..., None] * ((log_x - c)[..., None] + log_t) + 1)
    second = -(s * w * body).sum(-1) / above
    side = xp.where(low, first, second)
    return xp.where(inside, density * side, 0 * x), xp.where(inside, -side * x / a, 0 * x)


def student_slope(nu: Any, t: Any, xp: Any) -> Any:
    """The derivative by nu of the log-density of Student's t, exact for large nu too: w + log(1 - w) + w/nu + d for
    w = t^2/(nu + t^2) and d = digamma((nu + 1)/2) - digamma(nu/2) - 1/nu = 1/(nu (nu + 1)) - the same at nu + 1."""
    far = nu + 12
    v = 1 / (far * far)
    d = v * (1 / 2 + v * (-1 / 4 + v * (1 / 2 + v * (-17 / 8 + v * (31 / 2 - v * 691 / 4)))))
    for k in range(11, -1, -1):
        d = 1 / ((nu + k) * (nu + k + 1)) - d
    r = xp.where(t < 1e15, t, 1e15 + 0 * t)
    w = r * r / (nu + r * r)
    return (w / nu + d - log1p_rest(-w, xp.log(nu / (nu + r * r)) - 2 * xp.log(t / r), xp)) / 2


def student_moved(nu: Any, t: Any, v: Any, w: Any, xp: Any) -> Any:
    """How t moves with nu while Student's distribution function stays: the mean of the slope over what lies between 0
    and t, or past t, where that has one sign."""
    nu, t = nu + 0 * t, t + 0 * nu
    sign = xp.where(t < 0, -1 + 0 * t, 1 + 0 * t)
    t = xp.where(t == 0, 1 + 0 * t, sign * t)
    slope = student_slope(nu, t, xp)
    near = slope > 0
    steep = (nu + 1) * t * t / (nu + t * t) - 1
    least = xp.where(nu < 1, nu, 1 + 0 * nu) / 2
    rate = xp.where(near, 1 + 0 * t, xp.where(steep > least, steep, least))
    grown = xp.where(near, -1 + 0 * t, 1 + 0 * t)[..., None] * v / rate[..., None]
    n, ratio = nu[..., None], (1 / (1 + nu / (t * t)))[..., None]
    fallen = xp.where(
        grown > 1, 2 * grown + xp.log(ratio + (1 - ratio) * xp.exp(-2 * grown)), xp.log1p(ratio * xp.expm1(2 * grown))
    )
    s = t[..., None] * xp.exp(xp.where(grown < 300, grown, 300 + 0 * grown))
    body = w * xp.exp(grown - (n + 1) / 2 * fallen) * student_slope(n, s, xp)
    return sign * t * xp.where(near, -1 + 0 * t, 1 / rate) * body.sum(-1)


def ibeta_parts(a: Any, b: Any, x: Any, y: Any, v: Any, w: Any, xp: Any, lgamma: Any) -> Any:
    """The regularised incomplete beta function I_x(a, b), y = 1 - x, its derivative by a, and what that is of -density.
    Below the point where log(t) is digamma(a + 1) - digamma(a + b + 1) by the integral up to x with shape a + 1, above
    from x on with b + 1."""
    zero = 0 * a + 0 * b + 0 * x
    a, b, x, y = a + zero, b + zero, x + zero, y + zero
    inside = (x > 0) & (y > 0)
    x, y = xp.where(inside, x, 0.5 + zero), xp.where(inside, y, 0.5 + zero)
    n = a + b
    log_x = xp.where(x < 0.5, xp.log(x), xp.log1p(-y))
    log_y = xp.where(y < 0.5, xp.log(y), xp.log1p(-x))
    d = digamma_difference(a + 1, b, xp)
    low = log_x < -d
    off = b * x - a * y
    rest = stirling_rest(n, xp, lgamma) - stirling_rest(a, xp, lgamma) - stirling_rest(b, xp, lgamma)
    far = a * log1p_rest(off / a, log_x - xp.log(a / n), xp) + b * log1p_rest(-off / b, log_y - xp.log(b / n), xp)
    kernel = xp.sqrt(a * b / (6.283185307179586 * n)) * xp.exp(rest - far)  # x^a y^b/B(a, b)
    half = 0.5 + zero
    X, Y = xp.where(low, x, half), xp.where(low, y, half)
    more = xp.where(b > 1, b - 1, zero)
    steep = a + 1 - more * X / Y
    s = (1 / (xp.where(steep > 0, steep, zero) + xp.sqrt(more * X) / Y))[..., None]
    s = xp.where(low[..., None], s, 1 + 0 * s)
    ratio = xp.log1p(-X[..., None] * xp.expm1(-s * v) / Y[..., None])
    body = s * w * xp.exp((b - 1)[..., None] * ratio - (a + 1)[..., None] * s * v)
    scale = n * X / Y
    small = 1 + scale * body.sum(-1)
    down = log_x + d - 1 / n + scale * (body * ((log_x + d)[..., None] - s * v)).sum(-1)
    X, Y = xp.where(low, half, x), xp.where(low, half, y)
    more = xp.where(a > 1, a - 1, zero)
    steep = b + 1 - more * Y / X
    s = (1 / (xp.where(steep > 0, steep, zero) + xp.sqrt(more * Y) / X))[..., None]
    s = xp.where(low[..., None], 1 + 0 * s, s)
    ratio = xp.log1p(-Y[..., None] * xp.expm1(-s * v) / X[..., None])
    body = s * w * xp.exp((a - 1)[..., None] * ratio - (b + 1)[..., None] * s * v)
    d = d + b / (a * n)
    scale = n * Y / X
    large = 1 + scale * body.sum(-1)
    up = -(log_x + d + scale * (body * ((log_x + d + 1 / n)[..., None] + ratio)).sum(-1))
    value = xp.where(inside, xp.where(low, kernel / a * small, 1 - kernel / b * large), xp.where(y > 0, zero, 1 + zero))
    by_a = xp.where(inside, kernel * xp.where(low, down / a, up / b), zero)
    return value, by_a, xp.where(inside, -x * y * xp.where(low, down / a, up / b), zero)


def igamma_start(a: Any, u: Any, xp: Any, lgamma: Any) -> Any:
    """Whether u < 1/2, and a bound of log x where P(a, x) = u: from below where it is, else from above."""
    low = u < 0.5
    rest = -xp.log(xp.where(low, 0.5 + 0 * u, 1 - u))
    return low, xp.where(low, (xp.log(xp.where(low, u, 0.5 + 0 * u)) + lgamma(a + 1)) / a, xp.log(a + xp.sqrt(2 * a * rest) + rest))


def igamma_step(z: Any, a: Any, u: Any, low: Any, xp: Any, igamma: Any, igammac: Any, lgamma: Any) -> Any:
    """One step of Newton's for log P = log u or log(1 - P) = log(1 - u), which are concave in z = log x: from such a
    bound the steps come nearer from one side."""
    x = xp.exp(z)
    slope = xp.exp(a * z - x - lgamma(a))
    part = xp.where(low, igamma(a, x), igammac(a, x))
    step = part / slope * (xp.log(part) - xp.log(xp.where(low, u, 1 - u)))
    return z - xp.where((part > 0) & (slope > 0), xp.where(low, step, -step), 0 * z)


def ibeta_start(a: Any, b: Any, u: Any, xp: Any, lgamma: Any) -> Any:
    """Whether u < 1/2; the probability, the shapes and log B(a, b) on that side, and a bound of the log-odds of x from below
    where I_x(a, b) = u, or of 1 - x."""
    zero = 0 * a + 0 * b + 0 * u
    a, b, u = a + zero, b + zero, u + zero
    low = u < 0.5
    p = xp.where(low, u, 1 - u)
    lbeta = lgamma(a) + lgamma(b) - lgamma(a + b)
    c, d = xp.where(low, a, b), xp.where(low, b, a)
    return low, p, c, d, lbeta, (xp.log(p) + xp.log(c) + lbeta) / c


def ibeta_step(z: Any, p: Any, c: Any, d: Any, lbeta: Any, v: Any, w: Any, xp: Any, lgamma: Any) -> Any:
    """One step of Newton's for log I = log p, which is concave in the log-odds z."""
    x, y = 1 / (1 + xp.exp(-z)), 1 / (1 + xp.exp(z))
    part = ibeta_parts(c, d, x, y, v, w, xp, lgamma)[0]
    slope = xp.exp(c * xp.log(x) + d * xp.log(y) - lbeta)
    step = part / slope * (xp.log(part) - xp.log(p))
    return z - xp.where((part > 0) & (slope > 0), step, 0 * z)


def igamma_da(a: Any, x: Any) -> Any:
    """The derivative of P(a, x) by a."""
    v, w = half_line_rule(np.result_type(a, x))
    with np.errstate(all="ignore"):
        return igamma_slope(np.asarray(a), np.asarray(x), v, w, np, special.digamma, special.gammaln)[0]


def ibeta_da(a: Any, b: Any, x: Any) -> Any:
    """The derivative of I_x(a, b) by a."""
    v, w = half_line_rule(np.result_type(a, b, x))
    with np.errstate(all="ignore"):
        a, b, x = np.asarray(a), np.asarray(b), np.asarray(x)
        return ibeta_parts(a, b, x, 1 - x, v, w, np, special.gammaln)[1]


def ibeta_db(a: Any, b: Any, x: Any) -> Any:
    """The derivative of I_x(a, b) by b: I_x(a, b) = 1 - I_(1 - x)(b, a)."""
    v, w = half_line_rule(np.result_type(a, b, x))
    with np.errstate(all="ignore"):
        a, b, x = np.asarray(a), np.asarray(b), np.asarray(x)
        return -ibeta_parts(b, a, 1 - x, x, v, w, np, special.gammaln)[1]


def gamma_shift(a: Any, x: Any) -> Any:
    """How x moves with a while P(a, x) stays: -(the derivative of P by a)/(that by x)."""
    v, w = half_line_rule(np.result_type(a, x))
    with np.errstate(all="ignore"):
        return igamma_slope(np.asarray(a), np.asarray(x), v, w, np, special.digamma, special.gammaln)[1]


def beta_shift_a(a: Any, b: Any, x: Any) -> Any:
    """How x moves with a while I_x(a, b) stays."""
    v, w = half_line_rule(np.result_type(a, b, x))
    with np.errstate(all="ignore"):
        a, b, x = np.asarray(a), np.asarray(b), np.asarray(x)
        return ibeta_parts(a, b, x, 1 - x, v, w, np, special.gammaln)[2]


def beta_shift_b(a: Any, b: Any, x: Any) -> Any:
    """How x moves with b while I_x(a, b) stays."""
    v, w = half_line_rule(np.result_type(a, b, x))
    with np.errstate(all="ignore"):
        a, b, x = np.asarray(a), np.asarray(b), np.asarray(x)
        return -ibeta_parts(b, a, 1 - x, x, v, w, np, special.gammaln)[2]


def student_shift(nu: Any, t: Any) -> Any:
    """How t moves with nu while Student's distribution function stays."""
    v, w = half_line_rule(np.result_type(nu, t))
    with np.errstate(all="ignore"):
        return np.where(np.equal(t, 0), 0.0, student_moved(np.asarray(nu), np.asarray(t), v, w, np))

"""What generated modules carry for divergences: remainders after the first terms of log, exp and lgamma.

A divergence of two near laws is a sum of them, of the size of the square of their distance; written so it keeps its
digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg, special


def log_remainder(u: Any, log_of: Any) -> Any:
    """u - log(1 + u) >= 0, exact near 0 too: by the series of 2 artanh(u/(2 + u)); far from 0 by the logarithm given."""
    u = np.asarray(u)
    with np.errstate(all="ignore"):
        far = (u < -0.9) | (u > 1e30)
        made = np.asarray(u - (np.where(far, log_of, np.log1p(np.where(far, 0.0, u))) if far.any() else np.log1p(u)))
    near = np.flatnonzero(np.abs(u) < 0.125)
    if near.size:
        u = np.take(u, near)
        s = u / (2 + u)
        t: Any = s * s
        series: Any = 1 / 15
        for k in range(5, -1, -1):
            series = series * t + 1 / (2 * k + 3)
        np.put(made, near, s * (u - 2 * t * series))
    return made[()]


def expm1_remainder(w: Any) -> Any:
    """exp(w) - 1 - w >= 0, exact near 0 too."""
    w = np.asarray(w)
    with np.errstate(over="ignore"):
        made = np.asarray(np.exp(w) - 1 - w)
    near = np.flatnonzero(np.abs(w) < 0.25)
    if near.size:
        w = np.take(w, near)
        series: Any = 1 / 13
        for k in range(12, 1, -1):
            series = (series * w + 1) / k
        np.put(made, near, series * w * w)
    return made[()]


def kl_term(p: Any, q: Any, d: Any) -> Any:
    """p*log(p/q) - p + q >= 0, d = q - p; q where p is 0, inf where q is 0 and p is not."""
    with np.errstate(all="ignore"):
        ratio = d / np.where(p == 0, 1, p)
        return np.where(p == 0, q, p * log_remainder(ratio, np.log(q) - np.log(p)))


def xlog1py(x: Any, y: Any) -> Any:
    """x*log(1 + y), 0 where x is 0."""
    with np.errstate(all="ignore"):
        return np.where(np.equal(x, 0), 0.0, x * np.log1p(y))


def solve_lower(L: Any, b: Any, turned: int = 0) -> Any:
    """inv(L) @ b of a lower triangular L by substitution, inv(L') @ b where it is turned."""
    return linalg.solve_triangular(L, b, trans=turned, lower=True, check_finite=False)


def inv_lower(L: Any) -> Any:
    """The inverse of a lower triangular matrix."""
    return solve_lower(L, np.eye(L.shape[-1], dtype=L.dtype))


def cholesky_remainder(A: Any, B: Any) -> Any:
    """|inv(B) @ A|^2 - k - 2 log(det A/det B) >= 0 for lower A and B: |E|^2 + 2 sum(u - log(1 + u)) over the diagonal u of
    E = inv(B) @ (A - B)."""
    E = solve_lower(B, A - B)
    a, b = np.diagonal(A, axis1=-2, axis2=-1), np.diagonal(B, axis1=-2, axis2=-1)
    return (E * E).sum(axis=(-2, -1)) + 2 * log_remainder((a - b) / b, np.log(a) - np.log(b)).sum(axis=-1)


def relative_difference(A: Any, B: Any) -> Any:
    """inv(L) @ (A - B) @ inv(L)' for B = L @ L', log(det A/det B), and where the first is small."""
    K, L = np.linalg.cholesky(A), np.linalg.cholesky(B)
    W = np.linalg.solve(L, np.swapaxes(np.linalg.solve(L, A - B), -1, -2))
    ratio = np.diagonal(K, axis1=-2, axis2=-1) / np.diagonal(L, axis1=-2, axis2=-1)
    return W, 2 * np.log(ratio).sum(axis=-1), np.asarray((W * W).sum(axis=(-2, -1)) < 0.25)


def logdet_remainder(A: Any, B: Any) -> Any:
    """tr(inv(B) @ A) - k - log(det A/det B) >= 0: the sum of u - log(1 + u) over the eigenvalues u of inv(B) @ (A - B)."""
    W, log_of, near = relative_difference(A, B)
    made = np.asarray(np.trace(W, axis1=-2, axis2=-1) - log_of)
    if near.any():
        made[near] = log_remainder(np.linalg.eigvalsh(W[near]), 0.0).sum(axis=-1)
    return made[()]


def logdet_ratio(A: Any, B: Any) -> Any:
    """log(det A/det B): the sum of log(1 + u) over the eigenvalues u of inv(B) @ (A - B), where these are small."""
    W, log_of, near = relative_difference(A, B)
    made = np.asarray(log_of)
    if near.any():
        made[near] = np.log1p(np.linalg.eigvalsh(W[near])).sum(axis=-1)
    return made[()]


def mixed_logdet_remainder(A: Any, B: Any, c: Any) -> Any:
    """log det(c A + (1 - c) B) - c log det A - (1 - c) log det B: the sum of c r(u) - r(c u), r(u) = u - log(1 + u), over the
    eigenvalues u of inv(B) @ (A - B), where these are small."""
    W, log_of, near = relative_difference(A, B)
    mixed = np.linalg.slogdet(c * A + (1 - c) * B)[1] - np.linalg.slogdet(B)[1]
    made = np.asarray(mixed - c * log_of)
    near = near & (c * c * (W * W).sum(axis=(-2, -1)) < 0.25)
    if near.any():
        u = np.linalg.eigvalsh(W[near])
        made[near] = (c * log_remainder(u, 0.0) - log_remainder(c * u, 0.0)).sum(axis=-1)
    return made[()]


def inv_or_nan(A: Any) -> Any:
    """The inverse; nan where A is singular."""
    return np.linalg.inv(np.where((np.linalg.det(A) == 0)[..., None, None], np.nan, A))


def root_difference(a: Any, b: Any, d: Any) -> Any:
    """sqrt(a) - sqrt(b), d = a - b, exact for near a and b."""
    total = np.sqrt(a) + np.sqrt(b)
    return d / np.where(total == 0, 1, total)


def exact_sum(*terms: Any) -> Any:
    """The sum of numbers, rounded once: what each addition loses is added in the end. Ogita, Rump and Oishi (2005)."""
    total, lost = terms[0], 0.0
    for x in terms[1:]:
        both = total + x
        rest = both - total
        lost = lost + ((total - (both - rest)) + (x - rest))
        total = both
    return total + lost


def log_ratio(x: Any, y: Any, d: Any) -> Any:
    """log(x/y), d = x - y: exact for near x and y too; 0 where both are 0."""
    with np.errstate(all="ignore"):
        near, q = np.abs(d) < 0.5 * y, x / y
        far = np.where((q > 1e-30) & (q < 1e30), np.log(q), np.log(x) - np.log(y))
        return np.where(d == 0, 0.0, np.where(near, np.log1p(np.where(near, d, 0.0) / y), far))


def stirling_series(a: Any, b: Any, d: Any) -> Any:
    """r(b) - r(a) - d*r'(a), d = b - a, for r(x) = lgamma(x) - x*log(x) + x, by Stirling's series: a and b are large."""
    power: Any = 1.0
    term: Any = 0.0
    series: Any = 0.0
    for n, c in enumerate((1 / 12, 0, -1 / 360, 0, 1 / 1260, 0, -1 / 1680, 0, 1 / 1188, 0, -691 / 360360, 0, 1 / 156), 1):
        power = power / a
        term = term / b + n * power
        series = series + c * term
    log_of = log_ratio(b, a, d) if np.any(np.abs(d) > 0.5 * a) else 0.0
    return log_remainder(d / a, log_of) / 2 + d / a * (d / b) * series


def lgamma_remainder(a: Any, b: Any, d: Any) -> Any:
    """lgamma(b) - lgamma(a) - d*digamma(a) >= 0, d = b - a: for near a and b u - log(1 + u) for each of 10 steps up, and the
    rest by Stirling's series."""
    a, b, d = np.broadcast_arrays(a, b, d)
    with np.errstate(all="ignore"):
        made = np.asarray(special.gammaln(b) - special.gammaln(a) - d * special.digamma(a))
        near = np.flatnonzero((np.abs(d) < a / 2) | (np.maximum(a, b) > 1e6))
        if near.size:
            a, b, d = (np.take(x, near) for x in (a, b, d))
            k = np.arange(10, dtype=made.dtype)
            low, high, apart = a[..., None] + k, b[..., None] + k, d[..., None]
            x, y = a + 10, b + 10
            close = (np.abs(d) < a / 2).all()
            logs = (0.0, 0.0) if close else (log_ratio(high, low, apart), log_ratio(x, y, -d))
            steps = log_remainder(apart / low, logs[0]).sum(-1)
            np.put(made, near, steps + y * log_remainder(-d / y, logs[1]) + stirling_series(x, y, d))
    return made[()]


def stirling_remainder(a: Any, b: Any, d: Any) -> Any:
    """lgamma_remainder(a, b, d) - (b*log(b/a) - d) >= 0: what is left of it where a and b are large."""
    a, b, d = np.asarray(a), np.asarray(b), np.asarray(d)
    with np.errstate(all="ignore"):
        k = np.arange(10, dtype=np.result_type(a, b, d))
        low, high, apart = a[..., None] + k, b[..., None] + k, d[..., None]
        steps = log_remainder(apart / low, log_ratio(high, low, apart)).sum(-1)
        x, y = a + 10, b + 10
        near = y * log_remainder(-d / y, log_ratio(x, y, -d)) - b * log_remainder(-d / b, log_ratio(a, b, -d))
        far = 10 * log_ratio(y, x, d) + b * (log_ratio(y, b, 10.0) - log_ratio(x, a, 10.0))
        low_ones = steps + np.where(np.abs(d) < a / 2, near, far) + stirling_series(x, y, d)
        return np.where(np.minimum(a, b) < 10, low_ones, stirling_series(a, b, d))


def erf_gap(a: Any, b: Any) -> Any:
    """erf(a) - erf(b), by what both lack of 1, or of -1, where they lie on one side of 0."""
    beyond = np.sign(a) * (special.erfc(np.abs(b)) - special.erfc(np.abs(a)))
    return np.where(a * b > 0.25, beyond, special.erf(a) - special.erf(b))


def gauss_16() -> Any:
    """Nodes left and right of 1/2 and weights of the rule of Gauss and Legendre of 16 nodes on [0, 1]."""
    return (
        (0.04750625491881872, 0.09472530522753432),
        (0.14080177538962946, 0.09130170752246182),
        (0.22900838882861368, 0.08457825969750132),
        (0.3089381222013219, 0.07479799440828835),
        (0.3777022041775015, 0.062314485627767036),
        (0.4328156011939159, 0.0475792558412463),
        (0.4722875115366163, 0.031126761969323728),
        (0.49470046749582497, 0.013576229705877088),
    )


def log_half_erf_gap(a: Any, b: Any, d: Any) -> Any:
    """log(|erf(a) - erf(b)|/2), d = a - b: on one side of 0 from the nearer end, by a rule of 16 nodes or by erfcx."""
    a, b, d = np.maximum(a, b), np.minimum(a, b), np.abs(d)
    left = a + b < 0
    low, high = np.where(left, -a, b), np.where(left, -b, a)
    aside, w = low > 0, d * (low + high)
    start, end = np.where(aside, low, 0.0 * low), np.where(aside, high, 0.0 * high)
    short, mean = np.where(w < 4, d, 0.0 * d), 0.0 * d
    for x, c in gauss_16():
        for t in (0.5 - x, 0.5 + x):
            mean = mean + c * np.exp(-short * t * (2 * start + short * t))
    with np.errstate(all="ignore"):
        near = np.log(d * mean / np.sqrt(np.pi))
        beyond = special.erfcx(start) - np.exp(-np.where(aside, w, 0.0 * w)) * special.erfcx(end)
        far = np.log(np.where(beyond > 0, beyond, 1 + 0.0 * beyond) / 2)
        gap = (special.erf(high) - special.erf(low)) / 2
        beside = np.log1p(-(special.erfc(high) + special.erfc(-low)) / 2)
        across = np.where(gap < 0.5, np.log(np.where(aside, 1 + 0.0 * gap, gap)), beside)
        return np.where(aside, np.where(w < 4, near, far) - start * start, across)


def artanh_rest(t: Any) -> Any:
    """artanh(t)/t - 1 for |t| < 1/2, by its series."""
    v = np.where(np.abs(t) < 0.5, t, 0.0 * t) ** 2
    series = 0.0 * v
    for k in range(27, 0, -1):
        series = (series + 1 / (2 * k + 1)) * v
    return series


def lgamma_rest(x: Any) -> Any:
    """lgamma(x) - x*log(x) + x: what is left beyond the leading terms of Stirling's formula."""
    low, high = np.minimum(x, 10), np.maximum(x, 10)
    v = 1 / (high * high)
    series = 1 / 12 + v * (-1 / 360 + v * (1 / 1260 + v * (-1 / 1680 + v * (1 / 1188 + v * (-691 / 360360 + v / 156)))))
    return np.where(x < 10, special.gammaln(low) - low * np.log(low) + low, np.log(2 * np.pi / high) / 2 + series / high)


def digamma_rest(x: Any) -> Any:
    """digamma(x) - log(x) < 0."""
    low, high = np.minimum(x, 10), np.maximum(x, 10)
    v = 1 / (high * high)
    series = 1 / 12 + v * (-1 / 120 + v * (1 / 252 + v * (-1 / 240 + v * (1 / 132 + v * (-691 / 32760 + v / 12)))))
    return np.where(x < 10, special.digamma(low) - np.log(low), -0.5 / high - v * series)


def gamma_ratio(a: Any, b: Any, d: Any) -> Any:
    """gamma(a)/gamma(b), d = a - b, also where the two overflow: far out by the difference of Stirling's series."""
    with np.errstate(all="ignore"):
        x, y = np.maximum(a, 30), np.maximum(b, 30)
        tails = []
        for z in (x, y):
            v = 1 / (z * z)
            tails.append((1 / 12 + v * (-1 / 360 + v * (1 / 1260 + v * (-1 / 1680 + v * (1 / 1188 - v * 691 / 360360))))) / z)
        large = (y - 0.5) * np.log1p(d / y) + d * np.log(x) - d + (tails[0] - tails[1])
        small = special.gamma(np.minimum(a, 170)) / special.gamma(np.minimum(b, 170))
        one = special.gammaln(a) - special.gammaln(b)
        both, none = np.minimum(a, b) >= 30, np.maximum(a, b) < 150
        return np.where(none, small, np.exp(np.where(both, large, one)))


def lbeta(x: Any, y: Any) -> Any:
    """log of the beta function: of a large argument the leading terms cancel by their form."""
    low, high = np.minimum(x, y), np.maximum(x, y)
    far = np.maximum(high, 10)
    both = low + far
    large = special.gammaln(low) - far * np.log1p(low / far) - low * np.log(both) + low + lgamma_rest(far) - lgamma_rest(both)
    near = np.minimum(high, 10)
    return np.where(high < 10, special.gammaln(low) + special.gammaln(near) - special.gammaln(low + near), large)


def beta(x: Any, y: Any) -> Any:
    """The beta function; where an argument is large by the quotient of gammas."""
    low, high = np.minimum(x, y), np.maximum(x, y)
    with np.errstate(all="ignore"):
        large = special.gamma(np.minimum(low, 170)) * gamma_ratio(high, high + low, -low)
        return np.where((high < 30) | (low <= 0), special.beta(x, y), np.where(low < 170, large, np.exp(lbeta(x, y))))


def E1_scaled(x: Any) -> Any:
    """exp(x)*E1(x); far out by the series 1/x - 1/x^2 + 2/x^3 - .. ."""
    y = np.maximum(x, 50)
    series: Any = 1.0
    for k in range(24, 0, -1):
        series = 1 - series * k / y
    with np.errstate(all="ignore"):
        return np.where(np.less(x, 50), np.exp(x) * special.exp1(x), series / y)

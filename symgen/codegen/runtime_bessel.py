"""What generated modules carry for modified Bessel functions: scaled, so that they do not overflow, in any backend."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from symgen.codegen.runtime_remainders import log_ratio


def debye_series(w: Any, p: Any) -> Any:
    """The sum of U_k(p)/w^k, k = 1 .. 12, and its derivative by p: DLMF 10.41.10."""
    c, out, slope = [1.0], 0.0 * p, 0.0 * p
    for k in range(1, 13):
        new = [0.0] * (len(c) + 3)
        for j, x in enumerate(c):
            new[j + 1] += x * (j / 2 + 1 / (8 * (j + 1)))
            new[j + 3] -= x * (j / 2 + 5 / (8 * (j + 3)))
        c, value, rate = new, 0.0 * p, 0.0 * p
        for x in c[: k - 1 : -2]:
            value, rate = value * p * p + x, rate * p * p + 2 * p * value
        out = out + value * (p / w) ** k
        slope = slope + (k * value / p + rate) * (p / w) ** k
    return out, slope


def bessel_parts(v: Any, x: Any, xp: Any) -> Any:
    """exp(-x) I_v(x) sqrt(2 pi x), 1 - A and the derivative of A = I_(v+1)(x)/I_v(x) for x >= 2: by Debye's expansion 16
    orders up, and the recurrence back."""
    logs, slopes = [], []
    for w in (v + 16, v + 17):
        far = xp.hypot(w + 0.0 * x, x)
        y, p = w / x, w / far
        series, rate = debye_series(w, p)
        logs.append(w * (w / (far + x)) - w * xp.arcsinh(y) - xp.log1p(y * y) / 4 + xp.log1p(series))
        slopes.append(y * (w / (far + x)) + y * p / far / 2 - rate / (1 + series) * p * (x / far) / far)
    value, gap = xp.exp(logs[0]), -xp.expm1(logs[1] - logs[0])
    slope = (1 - gap) * (slopes[1] - slopes[0])
    for k in range(16, 0, -1):  # I_m/I_(m-1) = 1/(2 m/x + I_(m+1)/I_m)
        step = 2 * (v + k) / x
        ratio = 1 / (step + 1 - gap)
        value, gap, slope = value / ratio, (step - gap) * ratio, ratio * ratio * (step / x - slope)
    return value, gap, slope


def bessel_series(v: Any, q: Any) -> Any:
    """The sum of q^k/(k! (v + 1) .. (v + k)), k = 1 .., for q = x^2/4 at most v + 1."""
    term = 1.0 + 0.0 * q
    out = 0.0 * q
    for k in range(1, 22):
        term = term * q / (k * (v + k))
        out = out + term
    return out


def bessel_small(v: Any, x: Any) -> Any:
    """I_v(x) gamma(v + 1) (2/x)^v - 1, A = I_(v+1)(x)/I_v(x) and the derivative of A for x^2 <= 4 (v + 1)."""
    q = x * x / 4
    series = bessel_series(v, q)
    part = (1 + bessel_series(v + 1, q)) / (1 + series) / (2 * (v + 1))
    return series, part * x, 1 - (part * x) ** 2 - (2 * v + 1) * part


def besseli_scaled(v: Any, x: Any) -> Any:
    """exp(-x)*I_v(x)."""
    x, end = np.asarray(x), 2 * np.sqrt(v + 1)
    near, far = np.minimum(x, end), np.maximum(x, end)
    with np.errstate(all="ignore"):
        small = np.exp(v * np.log(near / 2) - special.gammaln(v + 1) - near) * (1 + bessel_small(v, near)[0])
        small = np.where(near == 0, np.equal(v, 0), small)
        return np.where(x < end, small, bessel_parts(v, far, np)[0] / np.sqrt(2 * np.pi * far))


def besseli_gap(v: Any, x: Any) -> Any:
    """1 - I_(v+1)(x)/I_v(x)."""
    x, end = np.asarray(x), 2 * np.sqrt(v + 1)
    with np.errstate(all="ignore"):
        return np.where(x < end, 1 - bessel_small(v, np.minimum(x, end))[1], bessel_parts(v, np.maximum(x, end), np)[1])


def besseli_remainder(v: Any, a: Any, b: Any, d: Any) -> Any:
    """J(b) - J(a) - d*J'(a) >= 0, d = b - a, for J(x) = log(I_v(x)) - v*log(x): near a the integral of (1 - t) d^2 J''(a + t d)."""
    a, b, d = np.asarray(a), np.asarray(b), np.asarray(d)
    t, w = np.polynomial.legendre.leggauss(20)
    near, end = np.abs(d) < a / 2, 2 * np.sqrt(v + 1)
    x = a[..., None] + (t + 1) / 2 * np.where(near, d, 0.0)[..., None]
    with np.errstate(all="ignore"):
        slope = np.where(x < end, bessel_small(v, np.minimum(x, end))[2], bessel_parts(v, np.maximum(x, end), np)[2])
        (p, rate, _), (q, _, _) = (bessel_small(v, np.minimum(y, end)) for y in (a, b))
        small = np.log1p(q) - np.log1p(p) - d * rate
        ratio = np.log(besseli_scaled(v, b)) - np.log(besseli_scaled(v, a)) - v * log_ratio(b, a, d)
        far = np.where(np.maximum(a, b) < end, small, ratio + d * besseli_gap(v, a))
        return np.where(near, d * (d * (w * (1 - t) / 4 * slope).sum(-1)), far)

"""What generated modules carry of functions of a complex number, for closed forms that are real parts of them: integrals
are summed along a ray that turns away from their poles, at nodes that grow geometrically.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def conjugate_like(y: Any, value: Any) -> Any:
    """The value at x + i y from that at x + i |y|."""
    return np.where(y < 0, np.conj(value), value)


def complex_E1(x: Any, y: Any) -> Any:
    """exp(z)*E1(z) at z = x + i y: the integral of exp(-t)/(t + z) over t; near 0 by the series of E1."""
    z = np.asarray(x + 1j * np.abs(y))
    t = np.exp(0.13 * np.arange(-300, 32) + 0.25j * np.pi)
    with np.errstate(all="ignore"):
        far = (0.13 * t * np.exp(-t) / (t + z[..., None])).sum(-1)
        small = np.where(np.abs(z) < 0.1, z, 0.1)
        term, series = 1 + 0 * small, 0 * small
        for k in range(1, 15):
            term = -term * small / k
            series = series - term / k
        near = np.exp(small) * (series - np.log(small) - 0.5772156649015329)
    return conjugate_like(y, np.where(np.abs(z) < 0.1, near, far))


def complex_polygamma(n: Any, x: Any, y: Any) -> Any:
    """The derivative n of digamma at z = x + i y, x > 0: up 20 steps, then by Stirling's series."""
    n, z, factorial = int(n), x + 1j * y, 1.0
    for k in range(2, n + 1):
        factorial *= k
    far = z + 20
    series, weight = 0 * z, factorial / max(n, 1)
    for k, bernoulli in enumerate((1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510), 1):
        weight = weight * max(2 * k + n - 2, 1) * (2 * k + n - 1) / (2 * k * (2 * k - 1))  # (2 k + n - 1)!/(2 k)!
        series = series + bernoulli * weight / far ** (2 * k)
    head = -np.log(far) if n == 0 else factorial / n
    total = (head + factorial / (2 * far) + series) / far**n
    for k in range(19, -1, -1):
        total = total + factorial / (z + k) ** (n + 1)
    return total if n % 2 else -total


def complex_lerch(s: Any, a: Any, x: Any, y: Any) -> Any:
    """Lerch's function, the sum of z^n/(n + a)^s at z = x + i y off [1, inf): the integral of t^(s - 1) exp(-a t)/(1 - z
    exp(-t)) over t; for s = 1 far from 0 in powers of 1/z."""
    s, z = int(s), np.asarray(x + 1j * np.abs(y) + 0 * a)
    if s == 0:
        return conjugate_like(y, 1 / (1 - z))
    a, h, factorial = a + 0 * z.real, 0.1 if s == 1 else 0.05, 1.0
    for k in range(2, s):
        factorial *= k
    with np.errstate(all="ignore"):
        q = (x - 1) * (x + 1) + y * y + 0 * a
        w = np.where(np.abs(q) < 0.5, np.log1p(np.maximum(q, -0.5)) / 2, np.log(np.abs(z))) + 1j * np.angle(z)
        turn = np.clip((np.angle(w) + np.angle(w - 2j * np.pi)) / 2, -0.8, 0)  # between the poles of the integrand
        t = np.exp(h * np.arange(-round(40 / h), round(4.2 / h)) + 1j * turn[..., None]) / a[..., None]
        near = -(h / factorial * t**s * np.exp(-a[..., None] * t) / np.expm1(w[..., None] - t)).sum(-1)
        if s == 1:
            near = np.where(np.abs(z) > 4, lerch_far(a, np.where(np.abs(z) > 4, z, 4)), near)
    return conjugate_like(y, near)


def lerch_far(a: Any, z: Any) -> Any:
    """Lerch's function for s = 1 and |z| > 1: pi/sin(pi a) (-z)^(-a) and the sum of z^(-n)/(n - a), in which the term next
    to the pole of the first is taken together with it."""
    nearest = np.maximum(np.round(a), 1)
    d, series = a - nearest, 0 * z
    for n in range(30, 0, -1):
        series = (series + np.where(n == nearest, 0, 1 / np.where(n == nearest, 1, n - a))) / z
    x, rest = np.pi * d, 0 * d  # pi/sin(x) - 1/d = pi (x - sin(x))/(x sin(x))
    for k in range(14, 0, -1):
        rest = (1 - rest * x * x) / (2 * k * (2 * k + 1))
    u = -d * np.log(-z)
    half = np.where(np.abs(u) < 1e-4, 1, u) / 2
    slope = np.where(np.abs(u) < 1e-4, 1 + u * u / 24, np.sinh(half) / half)
    at_pole = np.exp(u) * np.pi * x * rest / np.sinc(d) - np.log(-z) * np.exp(u / 2) * slope
    return series + at_pole * np.exp(-nearest * np.log(z))

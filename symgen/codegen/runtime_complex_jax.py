"""What generated modules for JAX carry of functions of a complex number. Nothing imports this file."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp


def conjugate_like(y: Any, value: Any) -> Any:
    """The value at x + i y from that at x + i |y|."""
    return jnp.where(y < 0, jnp.conj(value), value)


def expm1_of(v: Any) -> Any:
    """exp(v) - 1 of a complex number."""
    a, b = v.real, v.imag
    return jnp.expm1(a) * jnp.cos(b) - 2 * jnp.sin(b / 2) ** 2 + 1j * (jnp.exp(a) * jnp.sin(b))


def complex_E1(x: Any, y: Any) -> Any:
    """exp(z)*E1(z) at z = x + i y: the integral of exp(-t)/(t + z) over t; near 0 by the series of E1."""
    z = jnp.asarray(x + 1j * jnp.abs(y))
    t = jnp.exp(0.13 * jnp.arange(-300, 32) + 0.25j * jnp.pi).astype(z.dtype)
    far = (0.13 * t * jnp.exp(-t) / (t + z[..., None])).sum(-1)
    small = jnp.where(jnp.abs(z) < 0.1, z, 0.1)
    term, series = 1 + 0 * small, 0 * small
    for k in range(1, 15):
        term = -term * small / k
        series = series - term / k
    near = jnp.exp(small) * (series - jnp.log(small) - 0.5772156649015329)
    return conjugate_like(y, jnp.where(jnp.abs(z) < 0.1, near, far))


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
    head = -jnp.log(far) if n == 0 else factorial / n
    total = (head + factorial / (2 * far) + series) / far**n
    for k in range(19, -1, -1):
        total = total + factorial / (z + k) ** (n + 1)
    return total if n % 2 else -total


def complex_lerch(s: Any, a: Any, x: Any, y: Any) -> Any:
    """Lerch's function, the sum of z^n/(n + a)^s at z = x + i y off [1, inf): the integral of t^(s - 1) exp(-a t)/(1 - z
    exp(-t)) over t; for s = 1 far from 0 in powers of 1/z."""
    s, z = int(s), jnp.asarray(x + 1j * jnp.abs(y) + 0 * a)
    if s == 0:
        return conjugate_like(y, 1 / (1 - z))
    a, h, factorial = a + 0 * z.real, 0.1 if s == 1 else 0.05, 1.0
    for k in range(2, s):
        factorial *= k
    q = (x - 1) * (x + 1) + y * y + 0 * a
    close = jnp.abs(q) < 0.5
    w = jnp.where(close, jnp.log1p(jnp.where(close, q, 0)) / 2, jnp.log(jnp.abs(z))) + 1j * jnp.angle(z)
    turn = jnp.clip((jnp.angle(w) + jnp.angle(w - 2j * jnp.pi)) / 2, -0.8, 0)  # between the poles of the integrand
    steps = (h * jnp.arange(-round(40 / h), round(4.2 / h))).astype(a.dtype)
    t = jnp.exp(steps + 1j * turn[..., None]) / a[..., None]
    near = -(h / factorial * t**s * jnp.exp(-a[..., None] * t) / expm1_of(w[..., None] - t)).sum(-1)
    if s == 1:
        near = jnp.where(jnp.abs(z) > 4, lerch_far(a, jnp.where(jnp.abs(z) > 4, z, 4)), near)
    return conjugate_like(y, near)


def lerch_far(a: Any, z: Any) -> Any:
    """Lerch's function for s = 1 and |z| > 1: pi/sin(pi a) (-z)^(-a) and the sum of z^(-n)/(n - a), in which the term next
    to the pole of the first is taken together with it."""
    nearest = jnp.maximum(jnp.round(a), 1)
    d, series = a - nearest, 0 * z
    for n in range(30, 0, -1):
        series = (series + jnp.where(n == nearest, 0, 1 / jnp.where(n == nearest, 1, n - a))) / z
    x, rest = jnp.pi * d, 0 * d  # pi/sin(x) - 1/d = pi (x - sin(x))/(x sin(x))
    for k in range(14, 0, -1):
        rest = (1 - rest * x * x) / (2 * k * (2 * k + 1))
    u = -d * jnp.log(-z)
    half = jnp.where(jnp.abs(u) < 1e-4, 1, u) / 2
    slope = jnp.where(jnp.abs(u) < 1e-4, 1 + u * u / 24, jnp.sinh(half) / half)
    at_pole = jnp.exp(u) * jnp.pi * x * rest / jnp.sinc(d) - jnp.log(-z) * jnp.exp(u / 2) * slope
    return series + at_pole * jnp.exp(-nearest * jnp.log(z))

"""What generated modules for PyTorch carry of functions of a complex number. Nothing imports this file."""

from __future__ import annotations

from typing import Any

import torch


def conjugate_like(y: Any, value: Any) -> Any:
    """The value at x + i y from that at x + i |y|."""
    return torch.where(y < 0, torch.conj(value), value)


def upper(x: Any, y: Any) -> Any:
    """x + i |y|."""
    return torch.complex(*torch.broadcast_tensors(x, torch.abs(y)))


def expm1_of(v: Any) -> Any:
    """exp(v) - 1 of a complex number."""
    a, b = v.real, v.imag
    return torch.complex(torch.expm1(a) * torch.cos(b) - 2 * torch.sin(b / 2) ** 2, torch.exp(a) * torch.sin(b))


def complex_E1(x: Any, y: Any) -> Any:
    """exp(z)*E1(z) at z = x + i y: the integral of exp(-t)/(t + z) over t; near 0 by the series of E1."""
    z = upper(x, y)
    t = torch.exp(0.13 * torch.arange(-300, 32, dtype=x.dtype, device=x.device) + 0.25j * torch.pi)
    far = (0.13 * t * torch.exp(-t) / (t + z[..., None])).sum(-1)
    small = torch.where(torch.abs(z) < 0.1, z, 0.1 + 0 * z)
    term, series = 1 + 0 * small, 0 * small
    for k in range(1, 15):
        term = -term * small / k
        series = series - term / k
    near = torch.exp(small) * (series - torch.log(small) - 0.5772156649015329)
    return conjugate_like(y, torch.where(torch.abs(z) < 0.1, near, far))


def complex_polygamma(n: Any, x: Any, y: Any) -> Any:
    """The derivative n of digamma at z = x + i y, x > 0: up 20 steps, then by Stirling's series."""
    n, z, factorial = int(n), torch.complex(*torch.broadcast_tensors(x, y)), 1.0
    for k in range(2, n + 1):
        factorial *= k
    far = z + 20
    series, weight = 0 * z, factorial / max(n, 1)
    for k, bernoulli in enumerate((1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510), 1):
        weight = weight * max(2 * k + n - 2, 1) * (2 * k + n - 1) / (2 * k * (2 * k - 1))  # (2 k + n - 1)!/(2 k)!
        series = series + bernoulli * weight / far ** (2 * k)
    head = -torch.log(far) if n == 0 else factorial / n
    total = (head + factorial / (2 * far) + series) / far**n
    for k in range(19, -1, -1):
        total = total + factorial / (z + k) ** (n + 1)
    return total if n % 2 else -total


def complex_lerch(s: Any, a: Any, x: Any, y: Any) -> Any:
    """Lerch's function, the sum of z^n/(n + a)^s at z = x + i y off [1, inf): the integral of t^(s - 1) exp(-a t)/(1 - z
    exp(-t)) over t; for s = 1 far from 0 in powers of 1/z."""
    a, x, y = torch.broadcast_tensors(a, x, y)
    s, z = int(s), upper(x, y)
    if s == 0:
        return conjugate_like(y, 1 / (1 - z))
    h, factorial = 0.1 if s == 1 else 0.05, 1.0
    for k in range(2, s):
        factorial *= k
    q = (x - 1) * (x + 1) + y * y
    close = torch.abs(q) < 0.5
    size = torch.where(close, torch.log1p(torch.where(close, q, 0 * q)) / 2, torch.log(torch.abs(z)))
    w = torch.complex(size, torch.angle(z))
    turn = torch.clamp((torch.angle(w) + torch.angle(w - 2j * torch.pi)) / 2, -0.8, 0)  # between the poles of the integrand
    steps = h * torch.arange(-round(40 / h), round(4.2 / h), dtype=x.dtype, device=x.device)
    t = torch.exp(steps + 1j * turn[..., None]) / a[..., None]
    near = -(h / factorial * t**s * torch.exp(-a[..., None] * t) / expm1_of(w[..., None] - t)).sum(-1)
    if s == 1:
        near = torch.where(torch.abs(z) > 4, lerch_far(a, torch.where(torch.abs(z) > 4, z, 4 + 0 * z)), near)
    return conjugate_like(y, near)


def lerch_far(a: Any, z: Any) -> Any:
    """Lerch's function for s = 1 and |z| > 1: pi/sin(pi a) (-z)^(-a) and the sum of z^(-n)/(n - a), in which the term next
    to the pole of the first is taken together with it."""
    nearest = torch.clamp(torch.round(a), min=1)
    d, series = a - nearest, 0 * z
    for n in range(30, 0, -1):
        series = (series + torch.where(n == nearest, 0 * a, 1 / torch.where(n == nearest, 1 + 0 * a, n - a))) / z
    x, rest = torch.pi * d, 0 * d  # pi/sin(x) - 1/d = pi (x - sin(x))/(x sin(x))
    for k in range(14, 0, -1):
        rest = (1 - rest * x * x) / (2 * k * (2 * k + 1))
    u = -d * torch.log(-z)
    half = torch.where(torch.abs(u) < 1e-4, 1 + 0 * u, u) / 2
    slope = torch.where(torch.abs(u) < 1e-4, 1 + u * u / 24, torch.sinh(half) / half)
    at_pole = torch.exp(u) * torch.pi * x * rest / torch.sinc(d) - torch.log(-z) * torch.exp(u / 2) * slope
    return series + at_pole * torch.exp(-nearest * torch.log(z))

"""What generated modules for PyTorch carry for modified Bessel functions."""

from __future__ import annotations

from typing import Any

import torch

from symgen.codegen.runtime_bessel import bessel_parts, bessel_small
from symgen.codegen.runtime_torch import log_ratio


def besseli_scaled(v: Any, x: Any) -> Any:
    """exp(-x)*I_v(x)."""
    end = 2 * torch.sqrt(v + 1.0 + 0.0 * x)
    near, far = torch.minimum(x, end), torch.maximum(x, end)
    small = torch.exp(v * torch.log(near / 2) - torch.lgamma(v + 1.0 + 0.0 * x) - near) * (1 + bessel_small(v, near)[0])
    small = torch.where(near == 0, 0.0 * near + (v == 0), small)
    return torch.where(x < end, small, bessel_parts(v, far, torch)[0] / torch.sqrt(2 * torch.pi * far))


def besseli_gap(v: Any, x: Any) -> Any:
    """1 - I_(v+1)(x)/I_v(x)."""
    end = 2 * torch.sqrt(v + 1.0 + 0.0 * x)
    return torch.where(x < end, 1 - bessel_small(v, torch.minimum(x, end))[1], bessel_parts(v, torch.maximum(x, end), torch)[1])


def besseli_remainder(v: Any, a: Any, b: Any, d: Any) -> Any:
    """J(b) - J(a) - d*J'(a) >= 0, d = b - a, for J(x) = log(I_v(x)) - v*log(x): near a the integral of (1 - t) d^2 J''(a + t d)."""
    k = torch.arange(1.0, 20.0, dtype=a.dtype, device=a.device)
    side = k / torch.sqrt(4 * k * k - 1)
    t, V = torch.linalg.eigh(torch.diag(side, 1) + torch.diag(side, -1))  # Gauss's nodes on (-1, 1)
    w = 2 * V[0] ** 2
    near, end = torch.abs(d) < a / 2, 2 * torch.sqrt(v + 1.0 + 0.0 * a)
    x = a[..., None] + (t + 1) / 2 * torch.where(near, d, 0.0 * d)[..., None]
    last = end[..., None]
    slope = torch.where(x < last, bessel_small(v, torch.minimum(x, last))[2], bessel_parts(v, torch.maximum(x, last), torch)[2])
    (p, rate, _), (q, _, _) = (bessel_small(v, torch.minimum(y, end)) for y in (a, b))
    small = torch.log1p(q) - torch.log1p(p) - d * rate
    ratio = torch.log(besseli_scaled(v, b)) - torch.log(besseli_scaled(v, a)) - v * log_ratio(b, a, d)
    far = torch.where(torch.maximum(a, b) < end, small, ratio + d * besseli_gap(v, a))
    return torch.where(near, d * (d * (w * (1 - t) / 4 * slope).sum(-1)), far)


def besseli(v: Any, x: Any) -> Any:
    """The modified Bessel function I_v(x)."""
    return torch.exp(x) * besseli_scaled(v, x)

"""What generated modules for PyTorch carry for incomplete gamma and beta functions by their shapes, and backwards."""

from __future__ import annotations

from typing import Any

import torch

from symgen.codegen.runtime_torch import trigamma_positive
from symgen.tensor.incomplete_floats import (
    digamma_root,
    ibeta_parts,
    ibeta_start,
    ibeta_step,
    igamma_slope,
    igamma_start,
    igamma_step,
    student_moved,
)


def half_line_rule(like: Any) -> Any:
    """Nodes and weights of integrals over (0, inf): v = exp(t - exp(-t)) at equal steps of t (Ooura and Mori, 1991)."""
    t = 0.11 * torch.arange(80, dtype=like.dtype, device=like.device) - 4.2
    v = torch.exp(t - torch.exp(-t))
    return v, 0.11 * v * (1 + torch.exp(-t))


def igamma_da(a: Any, x: Any) -> Any:
    """The derivative of the regularised lower incomplete gamma function P(a, x) by a."""
    v, w = half_line_rule(x)
    return igamma_slope(a, x, v, w, torch, torch.digamma, torch.lgamma)[0]


def ibeta_at(a: Any, b: Any, x: Any, y: Any) -> Any:
    """The regularised incomplete beta function I_x(a, b), y = 1 - x, and its derivative by a."""
    v, w = half_line_rule(0 * a + 0 * b + x)
    return ibeta_parts(a, b, x, y, v, w, torch, torch.lgamma)


def ibeta(a: Any, b: Any, x: Any) -> Any:
    """The regularised incomplete beta function I_x(a, b)."""
    inside = (x > 0) & (x < 1)
    found = ibeta_at(a, b, torch.where(inside, x, 0.5), torch.where(inside, 1 - x, 0.5))[0]
    return torch.where(inside, found, torch.clamp(x, 0, 1) + 0 * found)


def ibeta_da(a: Any, b: Any, x: Any) -> Any:
    """The derivative of I_x(a, b) by a."""
    return ibeta_at(a, b, x, 1 - x)[1]


def ibeta_db(a: Any, b: Any, x: Any) -> Any:
    """The derivative of I_x(a, b) by b: I_x(a, b) = 1 - I_(1 - x)(b, a)."""
    return -ibeta_at(b, a, 1 - x, x)[1]


def gamma_shift(a: Any, x: Any) -> Any:
    """How x moves with a while P(a, x) stays."""
    v, w = half_line_rule(x)
    return igamma_slope(a, x, v, w, torch, torch.digamma, torch.lgamma)[1]


def beta_shift_a(a: Any, b: Any, x: Any) -> Any:
    """How x moves with a while I_x(a, b) stays."""
    return ibeta_at(a, b, x, 1 - x)[2]


def beta_shift_b(a: Any, b: Any, x: Any) -> Any:
    """How x moves with b while I_x(a, b) stays."""
    return -ibeta_at(b, a, 1 - x, x)[2]


def student_shift(nu: Any, t: Any) -> Any:
    """How t moves with nu while Student's distribution function stays."""
    v, w = half_line_rule(t)
    return torch.where(t == 0, 0 * t, student_moved(nu, t, v, w, torch))


def digammainv(x: Any) -> Any:
    """The y > 0 with digamma(y) = x."""
    return digamma_root(x, torch, torch.special.digamma, trigamma_positive)


def igammainv(a: Any, u: Any) -> Any:
    """x with P(a, x) = u."""
    a, u = a + 0 * u, u + 0 * a
    low, z = igamma_start(a, u, torch, torch.lgamma)
    for _ in range(16):
        z = igamma_step(z, a, u, low, torch, torch.special.gammainc, torch.special.gammaincc, torch.lgamma)
    return torch.exp(z)


def ibetainv(a: Any, b: Any, u: Any) -> Any:
    """x with I_x(a, b) = u."""
    low, p, c, d, lbeta, z = ibeta_start(a, b, u, torch, torch.lgamma)
    v, w = half_line_rule(z)
    for _ in range(16):
        z = ibeta_step(z, p, c, d, lbeta, v, w, torch, torch.lgamma)
    return torch.where(low, torch.sigmoid(z), torch.sigmoid(-z))

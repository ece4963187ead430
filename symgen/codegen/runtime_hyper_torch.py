"""What generated modules for PyTorch carry for hypergeometric functions. Nothing imports this file."""

from __future__ import annotations

from typing import Any

import torch

from symgen.codegen.runtime_hyper import (
    besselk_sum,
    dilog_parts,
    hyp1f1_parts,
    hyp2f1_of_rest,
    hyperu_mean,
    inverse_mean_parts,
    log_besselk_sum,
    log_hyperu_mean,
)
from symgen.codegen.runtime_torch import E1


def nodes(*numbers: Any) -> Any:
    """The numbers of one shape, and those of the nodes."""
    like = next((x for x in numbers if torch.is_tensor(x)), torch.zeros((), dtype=torch.get_default_dtype()))
    whole = torch.broadcast_tensors(*(torch.as_tensor(x, dtype=like.dtype, device=like.device) for x in numbers))
    return *whole, torch.arange(601, dtype=like.dtype, device=like.device)


def hyp2f1_rest(a: Any, b: Any, c: Any, y: Any) -> Any:
    """The hypergeometric function at 1 - y, where c > b > 0 or c > a > 0; elsewhere nan."""
    a, b, c, y, k = nodes(a, b, c, y)
    return hyp2f1_of_rest(a, b, c, y, k, torch)


def inverse_mean(b: Any, w: Any) -> Any:
    """The mean of 1/(t + exp(-w)) for a beta(b, 1) variable t, b > 1."""
    b, w, k = nodes(b, w)
    return inverse_mean_parts(b, w, k, torch)


def hyp1f1(a: Any, b: Any, x: Any) -> Any:
    """Kummer's function, where b > a > 0, or b and a or b - a are positive; elsewhere nan."""
    a, b, x, k = nodes(a, b, x)
    return hyp1f1_parts(a, b, x, torch.lgamma, k, torch)


def hyperu(a: Any, b: Any, x: Any) -> Any:
    """Tricomi's function, for positive a and x; elsewhere nan."""
    a, b, x, k = nodes(a, b, x)
    known = (a > 0) & (x > 0)
    found = hyperu_mean(torch.where(known, a, 1.0), b, torch.where(known, x, 1.0), k, torch)
    return torch.where(known, found, torch.nan)


def besselk(v: Any, x: Any) -> Any:
    """K_v(x) for x > 0."""
    v, x, k = nodes(v, x)
    return besselk_sum(v, x, k, torch)


def log_hyperu(a: Any, b: Any, x: Any) -> Any:
    """The logarithm of Tricomi's function, for positive a and x; elsewhere nan."""
    a, b, x, k = nodes(a, b, x)
    return log_hyperu_mean(a, b, x, k, torch)


def log_besselk(v: Any, x: Any) -> Any:
    """log(exp(x) K_v(x)), for positive x; elsewhere nan."""
    v, x, k = nodes(v, x)
    return log_besselk_sum(v, x, k, torch)


def Ei(x: Any) -> Any:
    """The exponential integral: its series, and far out that in 1/x."""
    near, far = torch.clamp(x, 0.0, 40.0), torch.clamp(x, min=40.0)
    k = torch.arange(1, 161, dtype=x.dtype, device=x.device)
    terms = torch.cumprod(near[..., None] / k, -1) / k
    small = 0.5772156649015329 + torch.log(near) + terms.sum(-1)
    term = series = torch.ones_like(x)
    for n in range(1, 40):
        term = term * n / far
        series = series + term
    above = torch.where(x < 40, small, torch.exp(x) / far * series)
    return torch.where(x < 0, -E1(torch.clamp(-x, min=1e-300)), above)


def dilog(x: Any) -> Any:
    """The dilogarithm for x <= 1; elsewhere nan."""
    return dilog_parts(x, torch.arange(1, 61, dtype=x.dtype, device=x.device), torch)

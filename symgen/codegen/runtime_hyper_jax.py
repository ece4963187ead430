"""What generated modules for JAX carry for hypergeometric functions. Nothing imports this file."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

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


def nodes(*numbers: Any) -> Any:
    """The numbers of one shape, and those of the nodes."""
    dtype = jnp.result_type(float, *numbers)
    return *jnp.broadcast_arrays(*(jnp.asarray(x, dtype) for x in numbers)), jnp.arange(601, dtype=dtype)


def hyp2f1_rest(a: Any, b: Any, c: Any, y: Any) -> Any:
    """The hypergeometric function at 1 - y, where c > b > 0 or c > a > 0; elsewhere nan."""
    a, b, c, y, k = nodes(a, b, c, y)
    return hyp2f1_of_rest(a, b, c, y, k, jnp)


def inverse_mean(b: Any, w: Any) -> Any:
    """The mean of 1/(t + exp(-w)) for a beta(b, 1) variable t, b > 1."""
    b, w, k = nodes(b, w)
    return inverse_mean_parts(b, w, k, jnp)


def hyp1f1(a: Any, b: Any, x: Any) -> Any:
    """Kummer's function, where b > a > 0, or b and a or b - a are positive; elsewhere nan."""
    a, b, x, k = nodes(a, b, x)
    return hyp1f1_parts(a, b, x, jax.scipy.special.gammaln, k, jnp)


def hyperu(a: Any, b: Any, x: Any) -> Any:
    """Tricomi's function, for positive a and x; elsewhere nan."""
    a, b, x, k = nodes(a, b, x)
    known = (a > 0) & (x > 0)
    found = hyperu_mean(jnp.where(known, a, 1.0), b, jnp.where(known, x, 1.0), k, jnp)
    return jnp.where(known, found, jnp.nan)


def besselk(v: Any, x: Any) -> Any:
    """K_v(x) for x > 0."""
    v, x, k = nodes(v, x)
    return besselk_sum(v, x, k, jnp)


def log_hyperu(a: Any, b: Any, x: Any) -> Any:
    """The logarithm of Tricomi's function, for positive a and x; elsewhere nan."""
    a, b, x, k = nodes(a, b, x)
    return log_hyperu_mean(a, b, x, k, jnp)


def log_besselk(v: Any, x: Any) -> Any:
    """log(exp(x) K_v(x)), for positive x; elsewhere nan."""
    v, x, k = nodes(v, x)
    return log_besselk_sum(v, x, k, jnp)


def dilog(x: Any) -> Any:
    """The dilogarithm for x <= 1; elsewhere nan."""
    x = jnp.asarray(x)
    return dilog_parts(x, jnp.arange(1, 61, dtype=x.dtype), jnp)

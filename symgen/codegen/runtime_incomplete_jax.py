"""What generated modules for JAX carry for incomplete gamma and beta functions by their shapes, and backwards."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

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


def half_line_rule(dtype: Any) -> Any:
    """Nodes and weights of integrals over (0, inf): v = exp(t - exp(-t)) at equal steps of t (Ooura and Mori, 1991)."""
    t = 0.11 * jnp.arange(80, dtype=dtype) - 4.2
    v = jnp.exp(t - jnp.exp(-t))
    return v, 0.11 * v * (1 + jnp.exp(-t))


def igamma_da(a: Any, x: Any) -> Any:
    """The derivative of the regularised lower incomplete gamma function P(a, x) by a."""
    v, w = half_line_rule(jnp.result_type(a, x))
    return igamma_slope(jnp.asarray(a), jnp.asarray(x), v, w, jnp, jax.scipy.special.digamma, jax.scipy.special.gammaln)[0]


def ibeta_da(a: Any, b: Any, x: Any) -> Any:
    """The derivative of the regularised incomplete beta function I_x(a, b) by a."""
    v, w = half_line_rule(jnp.result_type(a, b, x))
    return ibeta_parts(jnp.asarray(a), jnp.asarray(b), jnp.asarray(x), 1 - x, v, w, jnp, jax.scipy.special.gammaln)[1]


def ibeta_db(a: Any, b: Any, x: Any) -> Any:
    """The derivative of I_x(a, b) by b: I_x(a, b) = 1 - I_(1 - x)(b, a)."""
    v, w = half_line_rule(jnp.result_type(a, b, x))
    return -ibeta_parts(jnp.asarray(b), jnp.asarray(a), 1 - x, jnp.asarray(x), v, w, jnp, jax.scipy.special.gammaln)[1]


def gamma_shift(a: Any, x: Any) -> Any:
    """How x moves with a while P(a, x) stays."""
    v, w = half_line_rule(jnp.result_type(a, x))
    return igamma_slope(jnp.asarray(a), jnp.asarray(x), v, w, jnp, jax.scipy.special.digamma, jax.scipy.special.gammaln)[1]


def beta_shift_a(a: Any, b: Any, x: Any) -> Any:
    """How x moves with a while I_x(a, b) stays."""
    v, w = half_line_rule(jnp.result_type(a, b, x))
    return ibeta_parts(jnp.asarray(a), jnp.asarray(b), jnp.asarray(x), 1 - x, v, w, jnp, jax.scipy.special.gammaln)[2]


def beta_shift_b(a: Any, b: Any, x: Any) -> Any:
    """How x moves with b while I_x(a, b) stays."""
    v, w = half_line_rule(jnp.result_type(a, b, x))
    return -ibeta_parts(jnp.asarray(b), jnp.asarray(a), 1 - x, jnp.asarray(x), v, w, jnp, jax.scipy.special.gammaln)[2]


def student_shift(nu: Any, t: Any) -> Any:
    """How t moves with nu while Student's distribution function stays."""
    v, w = half_line_rule(jnp.result_type(nu, t))
    return jnp.where(jnp.equal(t, 0), 0.0, student_moved(jnp.asarray(nu), jnp.asarray(t), v, w, jnp))


def digammainv(x: Any) -> Any:
    """The y > 0 with digamma(y) = x."""
    special = jax.scipy.special
    return digamma_root(jnp.asarray(x), jnp, special.digamma, lambda y: special.polygamma(1, y))


def igammainv(a: Any, u: Any) -> Any:
    """x with P(a, x) = u."""
    special = jax.scipy.special
    a, u = jnp.broadcast_arrays(a, u)
    low, z = igamma_start(a, u, jnp, special.gammaln)

    def step(_: Any, z: Any) -> Any:
        return igamma_step(z, a, u, low, jnp, special.gammainc, special.gammaincc, special.gammaln)

    return jnp.exp(jax.lax.fori_loop(0, 16, step, z))


def ibetainv(a: Any, b: Any, u: Any) -> Any:
    """x with I_x(a, b) = u."""
    low, p, c, d, lbeta, z = ibeta_start(jnp.asarray(a), jnp.asarray(b), jnp.asarray(u), jnp, jax.scipy.special.gammaln)
    v, w = half_line_rule(z.dtype)

    def step(_: Any, z: Any) -> Any:
        return ibeta_step(z, p, c, d, lbeta, v, w, jnp, jax.scipy.special.gammaln)

    z = jax.lax.fori_loop(0, 16, step, z)
    return jnp.where(low, jax.nn.sigmoid(z), jax.nn.sigmoid(-z))

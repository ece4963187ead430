"""What generated modules for JAX carry for modified Bessel functions."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from symgen.codegen.runtime_bessel import bessel_parts, bessel_small
from symgen.codegen.runtime_jax import log_ratio


def besseli_scaled(v: Any, x: Any) -> Any:
    """exp(-x)*I_v(x)."""
    end = 2 * jnp.sqrt(v + 1.0 + 0.0 * x)
    near, far = jnp.minimum(x, end), jnp.maximum(x, end)
    small = jnp.exp(v * jnp.log(near / 2) - jax.scipy.special.gammaln(v + 1.0) - near) * (1 + bessel_small(v, near)[0])
    small = jnp.where(near == 0, 0.0 * near + (v == 0), small)
    return jnp.where(x < end, small, bessel_parts(v, far, jnp)[0] / jnp.sqrt(2 * jnp.pi * far))


def besseli_gap(v: Any, x: Any) -> Any:
    """1 - I_(v+1)(x)/I_v(x)."""
    end = 2 * jnp.sqrt(v + 1.0 + 0.0 * x)
    return jnp.where(x < end, 1 - bessel_small(v, jnp.minimum(x, end))[1], bessel_parts(v, jnp.maximum(x, end), jnp)[1])


def besseli_remainder(v: Any, a: Any, b: Any, d: Any) -> Any:
    """J(b) - J(a) - d*J'(a) >= 0, d = b - a, for J(x) = log(I_v(x)) - v*log(x): near a the integral of (1 - t) d^2 J''(a + t d)."""
    k = jnp.arange(1.0, 20.0, dtype=a.dtype)
    side = k / jnp.sqrt(4 * k * k - 1)
    t, V = jnp.linalg.eigh(jnp.diag(side, 1) + jnp.diag(side, -1))  # Gauss's nodes on (-1, 1)
    w = 2 * V[0] ** 2
    near, end = jnp.abs(d) < a / 2, 2 * jnp.sqrt(v + 1.0 + 0.0 * a)
    x = a[..., None] + (t + 1) / 2 * jnp.where(near, d, 0.0 * d)[..., None]
    last = end[..., None]
    slope = jnp.where(x < last, bessel_small(v, jnp.minimum(x, last))[2], bessel_parts(v, jnp.maximum(x, last), jnp)[2])
    (p, rate, _), (q, _, _) = (bessel_small(v, jnp.minimum(y, end)) for y in (a, b))
    small = jnp.log1p(q) - jnp.log1p(p) - d * rate
    ratio = jnp.log(besseli_scaled(v, b)) - jnp.log(besseli_scaled(v, a)) - v * log_ratio(b, a, d)
    far = jnp.where(jnp.maximum(a, b) < end, small, ratio + d * besseli_gap(v, a))
    return jnp.where(near, d * (d * (w * (1 - t) / 4 * slope).sum(-1)), far)


def besseli(v: Any, x: Any) -> Any:
    """The modified Bessel function I_v(x)."""
    return jnp.exp(x) * besseli_scaled(v, x)

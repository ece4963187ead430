"""What generated modules for JAX carry. Nothing imports this file: `sources` takes the text of its functions."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from symgen.codegen.runtime import known, shown_sizes

# --- functions on elements --------------------------------------------------------------------------------------------


def cross_entropy_of_logit(z: Any, y: Any) -> Any:
    """-y*log(p) - (1 - y)*log(1 - p) for p = sigmoid(z)."""
    return y * jax.nn.softplus(-z) + (1 - y) * jax.nn.softplus(z)


def logdet_spd(A: Any) -> Any:
    """log(det A) of a symmetric positive definite A, from its Cholesky factor."""
    L = jnp.linalg.cholesky(A)
    return 2 * jnp.log(jnp.diagonal(L, axis1=-2, axis2=-1)).sum(-1)


def eigvals(A: Any) -> Any:
    """The eigenvalues of the symmetric part, ascending."""
    return jnp.linalg.eigvalsh((A + jnp.swapaxes(A, -1, -2)) / 2)


def eigvecs(A: Any) -> Any:
    """The eigenvectors of the symmetric part as columns, the sum of each at least 0."""
    V = jnp.linalg.eigh((A + jnp.swapaxes(A, -1, -2)) / 2)[1]
    return V * jnp.where(V.sum(-2, keepdims=True) < 0, -1, 1)


def sqrtm(A: Any) -> Any:
    """The root of a symmetric positive semidefinite A."""
    s, V = jnp.linalg.eigh((A + jnp.swapaxes(A, -1, -2)) / 2)
    return (V * jnp.sqrt(jnp.maximum(s, 0))[..., None, :]) @ jnp.swapaxes(V, -1, -2)


def polar(A: Any) -> Any:
    """U V' for the singular value decomposition A = U S V': the nearest matrix with orthonormal columns."""
    U, _, Vt = jnp.linalg.svd(A, full_matrices=False)
    return U @ Vt


def matrix_power(A: Any, k: Any) -> Any:
    """A^k for a whole number k."""
    if float(k) != round(float(k)):
        raise ValueError(f"the exponent of a matrix power is a whole number, not {float(k)}")
    return jnp.linalg.matrix_power(A, round(float(k)))


def expm_frechet(A: Any, E: Any) -> Any:
    """The derivative of expm at A in the direction E: a block of expm([[A, E], [0, A]])."""
    n = A.shape[-1]
    top, bottom = jnp.concatenate([A, E], -1), jnp.concatenate([jnp.zeros_like(A), A], -1)
    return jax.scipy.linalg.expm(jnp.concatenate([top, bottom], -2))[..., :n, n:]


# --- positions --------------------------------------------------------------------------------------------------------


def inside(i: Any, size: int) -> Any:
    """The position i; one that is none of 0 .. size-1 is an error, or past the end where its value is not known yet."""
    if isinstance(i, int):
        if not 0 <= i < size:
            raise IndexError(f"there is no entry {i} on an axis of {size}")
        return i
    return all_inside(i, size)


def all_inside(i: Any, size: int) -> Any:
    """The positions i; one that is none of 0 .. size-1 becomes one past the end, where nan is read."""
    return jnp.where((0 <= i) & (i < size), i, size)


def put(shape: Any, where: Any, values: Any) -> Any:
    """Zeros of a shape, with `values` at `where`."""
    return jnp.zeros(shape, values.dtype).at[where].set(values)


def put_added(shape: Any, where: Any, values: Any) -> Any:
    """Zeros of a shape, with the rows of `values` added at the positions `where` of the first axis."""
    return jnp.zeros(shape, values.dtype).at[where].add(values)


def windows(x: Any, axis: int, size: int) -> Any:
    """The windows of a length along an axis; the places in a window are the last axis."""
    places = jnp.arange(x.shape[axis] - size + 1)[:, None] + jnp.arange(size)
    return jnp.moveaxis(jnp.take(x, places, axis=axis), axis + 1, -1)


# --- the door ---------------------------------------------------------------------------------------------------------


def door(names: Any, places: Any, shapes: Any, sizes: Any) -> Any:
    """The named arrays from their places, as floats of one dtype that fit each other; raises ValueError naming one that
    does not."""
    known((places[0], places[-1]), shapes)
    found = {}
    for name, place in zip(names, places):
        if place is None or name not in place:
            raise ValueError(f"`{name}` is missing")
        found[name] = place[name]
    typed = [a.dtype for a in found.values() if hasattr(a, "dtype") and jnp.issubdtype(a.dtype, jnp.floating)]
    dtype = jnp.result_type(*typed) if typed else jnp.result_type(float)
    for name, a in found.items():
        if jnp.iscomplexobj(a):
            raise ValueError(f"`{name}` holds complex numbers, and should hold real ones")
        found[name] = jnp.asarray(a, dtype)
    shown_sizes(shapes, found, sizes)
    return list(found.values())


# --- initial values ---------------------------------------------------------------------------------------------------


def constrained(domain: str, u: Any) -> Any:
    """The point of a domain at the free coordinates u."""
    if domain == "positive":
        return jnp.exp(u)
    if domain == "unit":
        return jax.nn.sigmoid(u)
    if domain == "simplex":
        return jax.nn.softmax(u, axis=-1)
    if domain in ("spd", "lower"):
        L = jnp.where(jnp.eye(u.shape[-1], dtype=bool), jnp.exp(u), jnp.tril(u, -1))
        return L if domain == "lower" else L @ L.mT
    if domain == "symmetric":
        return u + u.mT
    if domain == "skew":
        return u - u.mT
    if domain == "psd":
        return u @ u.mT
    if domain == "diagonal":
        return u * jnp.eye(u.shape[-1], dtype=u.dtype)
    if domain == "orthogonal":
        U, _, V = jnp.linalg.svd(u)
        return U @ V
    return jnp.abs(u) if domain == "nonnegative" else u


def initial(rng: Any, kind: str, scale: float, shape: Any, domain: str, dtype: Any) -> Any:
    """A start: a number, normal(scale), glorot, he; `small` is near the middle of the domain."""
    fan_in, fan_out = (shape[-2], shape[-1]) if len(shape) > 1 else (shape[0] if shape else 1, 1)
    if kind == "number":
        return jnp.full(shape, scale, dtype)
    if kind == "glorot":
        bound = (6 / (fan_in + fan_out)) ** 0.5
        return jax.random.uniform(rng, shape, dtype, -bound, bound)
    x = jax.random.normal(rng, shape, dtype)
    if kind == "normal":
        return scale * x
    return (2 / fan_in) ** 0.5 * x if kind == "he" else constrained(domain, 0.1 * x)


# --- noise ------------------------------------------------------------------------------------------------------------


def drawn_normal(rng: Any, shape: Any, dtype: Any) -> Any:
    """Draws of Normal(0, 1)."""
    return jax.random.normal(rng, shape, dtype)


def drawn_uniform(rng: Any, shape: Any, dtype: Any) -> Any:
    """Draws of Uniform(0, 1)."""
    return jax.random.uniform(rng, shape, dtype)


def drawn_exponential(rng: Any, shape: Any, dtype: Any) -> Any:
    """Draws of Exponential(1)."""
    return jax.random.exponential(rng, shape, dtype)


def drawn_gumbel(rng: Any, shape: Any, dtype: Any) -> Any:
    """Draws of Gumbel(0, 1)."""
    return jax.random.gumbel(rng, shape, dtype)


def drawn_logistic(rng: Any, shape: Any, dtype: Any) -> Any:
    """Draws of Logistic(0, 1)."""
    return jax.random.logistic(rng, shape, dtype)


def drawn_laplace(rng: Any, shape: Any, dtype: Any) -> Any:
    """Draws of Laplace(0, 1)."""
    return jax.random.laplace(rng, shape, dtype)

"""What generated modules for JAX carry. Nothing imports this file: `sources` takes the text of its functions."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from symgen.codegen.runtime import known, shown_sizes
from symgen.codegen.runtime_remainders import gauss_16

# --- functions on elements --------------------------------------------------------------------------------------------


def cross_entropy_of_logit(z: Any, y: Any) -> Any:
    """-y*log(p) - (1 - y)*log(1 - p) for p = sigmoid(z)."""
    return y * jax.nn.softplus(-z) + (1 - y) * jax.nn.softplus(z)


# --- remainders, by which divergences keep their digits ---------------------------------------------------------------


def log_remainder(u: Any, log_of: Any) -> Any:
    """u - log(1 + u) >= 0, exact near 0 too: by the series of 2 artanh(u/(2 + u)); far from 0 by the logarithm given."""
    near = jnp.abs(u) < 0.5
    small = jnp.where(near, u, 0.0 * u)
    s = small / (2 + small)
    t = s * s
    series = 0.0 * t
    for k in range(14, -1, -1):
        series = series * t + 1 / (2 * k + 3)
    given = (u < -0.9) | (u > 1e30)
    far = jnp.where(given, log_of, jnp.log1p(jnp.where(given, 0.0 * small, u)))
    return jnp.where(near, s * small - 2 * s * t * series, u - far)


def expm1_remainder(w: Any) -> Any:
    """exp(w) - 1 - w >= 0, exact near 0 too."""
    near = jnp.abs(w) < 0.5
    small = jnp.where(near, w, 0.0 * w)
    series = 0.0 * small
    for k in range(18, 1, -1):
        series = (series * small + 1) / k
    return jnp.where(near, series * small * small, jnp.expm1(w) - w)


def kl_term(p: Any, q: Any, d: Any) -> Any:
    """p*log(p/q) - p + q >= 0, d = q - p; q where p is 0, inf where q is 0 and p is not."""
    safe = jnp.where(p == 0, p + 1, p)
    return jnp.where(p == 0, q, p * log_remainder(d / safe, jnp.log(q) - jnp.log(safe)))


def root_difference(a: Any, b: Any, d: Any) -> Any:
    """sqrt(a) - sqrt(b), d = a - b, exact for near a and b."""
    total = jnp.sqrt(a) + jnp.sqrt(b)
    return d / jnp.where(total == 0, total + 1, total)


def erf_gap(a: Any, b: Any) -> Any:
    """erf(a) - erf(b), by what both lack of 1, or of -1, where they lie on one side of 0."""
    beyond = jnp.sign(a) * (jax.scipy.special.erfc(jnp.abs(b)) - jax.scipy.special.erfc(jnp.abs(a)))
    return jnp.where(a * b > 0.25, beyond, jax.scipy.special.erf(a) - jax.scipy.special.erf(b))


def log_half_erf_gap(a: Any, b: Any, d: Any) -> Any:
    """log(|erf(a) - erf(b)|/2), d = a - b: on one side of 0 from the nearer end, by a rule of 16 nodes or by erfcx."""
    a, b, d = jnp.maximum(a, b), jnp.minimum(a, b), jnp.abs(d)
    left = a + b < 0
    low, high = jnp.where(left, -a, b), jnp.where(left, -b, a)
    aside, w = low > 0, d * (low + high)
    start, end = jnp.where(aside, low, 0.0 * low), jnp.where(aside, high, 0.0 * high)
    short, mean = jnp.where(w < 4, d, 0.0 * d), 0.0 * d
    for x, c in gauss_16():
        for t in (0.5 - x, 0.5 + x):
            mean = mean + c * jnp.exp(-short * t * (2 * start + short * t))
    near = jnp.log(d * mean / jnp.pi**0.5)
    beyond = erfcx(start) - jnp.exp(-jnp.where(aside, w, 0.0 * w)) * erfcx(end)
    far = jnp.log(jnp.where(beyond > 0, beyond, 1 + 0.0 * beyond) / 2)
    gap = (jax.scipy.special.erf(high) - jax.scipy.special.erf(low)) / 2
    beside = jnp.log1p(-(jax.scipy.special.erfc(high) + jax.scipy.special.erfc(-low)) / 2)
    across = jnp.where(gap < 0.5, jnp.log(jnp.where(aside, 1 + 0.0 * gap, gap)), beside)
    return jnp.where(aside, jnp.where(w < 4, near, far) - start * start, across)


def artanh_rest(t: Any) -> Any:
    """artanh(t)/t - 1 for |t| < 1/2, by its series."""
    v = jnp.where(jnp.abs(t) < 0.5, t, 0.0 * t) ** 2
    series = 0.0 * v
    for k in range(27, 0, -1):
        series = (series + 1 / (2 * k + 1)) * v
    return series


def lgamma_rest(x: Any) -> Any:
    """lgamma(x) - x*log(x) + x: what is left beyond the leading terms of Stirling's formula."""
    low, high = jnp.minimum(x, 10.0), jnp.maximum(x, 10.0)
    v = 1 / (high * high)
    series = 1 / 12 + v * (-1 / 360 + v * (1 / 1260 + v * (-1 / 1680 + v * (1 / 1188 + v * (-691 / 360360 + v / 156)))))
    return jnp.where(
        x < 10, jax.scipy.special.gammaln(low) - low * jnp.log(low) + low, jnp.log(2 * jnp.pi / high) / 2 + series / high
    )


def digamma_rest(x: Any) -> Any:
    """digamma(x) - log(x) < 0."""
    low, high = jnp.minimum(x, 10.0), jnp.maximum(x, 10.0)
    v = 1 / (high * high)
    series = 1 / 12 + v * (-1 / 120 + v * (1 / 252 + v * (-1 / 240 + v * (1 / 132 + v * (-691 / 32760 + v / 12)))))
    return jnp.where(x < 10, jax.scipy.special.digamma(low) - jnp.log(low), -0.5 / high - v * series)


def gamma_ratio(a: Any, b: Any, d: Any) -> Any:
    """gamma(a)/gamma(b), d = a - b, also where the two overflow: far out by the difference of Stirling's series."""
    x, y = jnp.maximum(a, 30.0), jnp.maximum(b, 30.0)
    tails = []
    for z in (x, y):
        v = 1 / (z * z)
        tails.append((1 / 12 + v * (-1 / 360 + v * (1 / 1260 + v * (-1 / 1680 + v * (1 / 1188 - v * 691 / 360360))))) / z)
    large = (y - 0.5) * jnp.log1p(d / y) + d * jnp.log(x) - d + (tails[0] - tails[1])
    return jnp.exp(jnp.where(jnp.minimum(a, b) >= 30, large, jax.scipy.special.gammaln(a) - jax.scipy.special.gammaln(b)))


def lbeta(x: Any, y: Any) -> Any:
    """log of the beta function: of a large argument the leading terms cancel by their form."""
    low, high = jnp.minimum(x, y), jnp.maximum(x, y)
    far = jnp.maximum(high, 10 + 0.0 * high)
    both = low + far
    large = (
        jax.scipy.special.gammaln(low)
        - far * jnp.log1p(low / far)
        - low * jnp.log(both)
        + low
        + lgamma_rest(far)
        - lgamma_rest(both)
    )
    near = jnp.minimum(high, 10 + 0.0 * high)
    return jnp.where(
        high < 10, jax.scipy.special.gammaln(low) + jax.scipy.special.gammaln(near) - jax.scipy.special.gammaln(low + near), large
    )


def beta(x: Any, y: Any) -> Any:
    """The beta function; where an argument is large by the quotient of gammas."""
    return jnp.exp(lbeta(x, y))


def erfcx(x: Any) -> Any:
    """exp(x^2)*erfc(x); far out by the continued fraction of Laplace."""
    near, y = jnp.minimum(x, 5.0), jnp.maximum(x, 5.0)
    fraction = y
    for k in range(40, 0, -1):
        fraction = y + k / 2 / fraction
    return jnp.where(x < 5, jnp.exp(near * near) * jax.scipy.special.erfc(near), 1 / (jnp.sqrt(jnp.pi) * fraction))


def E1_scaled(x: Any) -> Any:
    """exp(x)*E1(x); far out by the series 1/x - 1/x^2 + 2/x^3 - .. ."""
    near, y = jnp.minimum(x, 50.0), jnp.maximum(x, 50.0)
    series: Any = 1.0
    for k in range(24, 0, -1):
        series = 1 - series * k / y
    return jnp.where(x < 50, jnp.exp(near) * jax.scipy.special.exp1(near), series / y)


def log_ratio(x: Any, y: Any, d: Any) -> Any:
    """log(x/y), d = x - y: exact for near x and y too; 0 where both are 0."""
    near, q = jnp.abs(d) < 0.5 * y, x / y
    far = jnp.where((q > 1e-30) & (q < 1e30), jnp.log(q), jnp.log(x) - jnp.log(y))
    return jnp.where(d == 0, 0.0 * d, jnp.where(near, jnp.log1p(jnp.where(near, d, 0.0 * d) / y), far))


def stirling_series(a: Any, b: Any, d: Any) -> Any:
    """r(b) - r(a) - d*r'(a), d = b - a, for r(x) = lgamma(x) - x*log(x) + x, by Stirling's series: a and b are large."""
    power: Any = 1.0
    term: Any = 0.0
    series: Any = 0.0
    for n, c in enumerate((1 / 12, 0, -1 / 360, 0, 1 / 1260, 0, -1 / 1680, 0, 1 / 1188, 0, -691 / 360360, 0, 1 / 156), 1):
        power = power / a
        term = term / b + n * power
        series = series + c * term
    return log_remainder(d / a, log_ratio(b, a, d)) / 2 + d / a * (d / b) * series


def lgamma_remainder(a: Any, b: Any, d: Any) -> Any:
    """lgamma(b) - lgamma(a) - d*digamma(a) >= 0, d = b - a: u - log(1 + u) for each of 10 steps up, and the rest by
    Stirling's series."""
    k = jnp.arange(10.0, dtype=a.dtype)
    low, high, apart = a[..., None] + k, b[..., None] + k, d[..., None]
    steps = log_remainder(apart / low, log_ratio(high, low, apart)).sum(-1)
    x, y = a + 10, b + 10
    return steps + y * log_remainder(-d / y, log_ratio(x, y, -d)) + stirling_series(x, y, d)


def stirling_remainder(a: Any, b: Any, d: Any) -> Any:
    """lgamma_remainder(a, b, d) - (b*log(b/a) - d) >= 0: what is left of it where a and b are large."""
    k = jnp.arange(10.0, dtype=a.dtype)
    low, high, apart = a[..., None] + k, b[..., None] + k, d[..., None]
    steps = log_remainder(apart / low, log_ratio(high, low, apart)).sum(-1)
    x, y = a + 10, b + 10
    near = y * log_remainder(-d / y, log_ratio(x, y, -d)) - b * log_remainder(-d / b, log_ratio(a, b, -d))
    far = 10 * log_ratio(y, x, d) + b * (log_ratio(y, b, 10 + 0.0 * d) - log_ratio(x, a, 10 + 0.0 * d))
    low_ones = steps + jnp.where(jnp.abs(d) < a / 2, near, far) + stirling_series(x, y, d)
    return jnp.where(jnp.minimum(a, b) < 10, low_ones, stirling_series(a, b, d))


def solve_lower(L: Any, b: Any, turned: int = 0) -> Any:
    """inv(L) @ b of a lower triangular L by substitution, inv(L') @ b where it is turned."""
    return jax.scipy.linalg.solve_triangular(L, b, trans=turned, lower=True)


def inv_lower(L: Any) -> Any:
    """The inverse of a lower triangular matrix."""
    return solve_lower(L, jnp.eye(L.shape[-1], dtype=L.dtype))


def cholesky_remainder(A: Any, B: Any) -> Any:
    """|inv(B) @ A|^2 - k - 2 log(det A/det B) >= 0 for lower A and B: |E|^2 + 2 sum(u - log(1 + u)) over the diagonal u of
    E = inv(B) @ (A - B)."""
    E = solve_lower(B, A - B)
    a, b = jnp.diagonal(A, axis1=-2, axis2=-1), jnp.diagonal(B, axis1=-2, axis2=-1)
    return (E * E).sum((-2, -1)) + 2 * log_remainder((a - b) / b, jnp.log(a) - jnp.log(b)).sum(-1)


def relative_eigenvalues(A: Any, B: Any) -> Any:
    """The eigenvalues of inv(B) @ (A - B), and log(det A/det B)."""
    K, L = jnp.linalg.cholesky(A), jnp.linalg.cholesky(B)
    half = solve_lower(L, A - B)
    u = jnp.linalg.eigvalsh(solve_lower(L, jnp.swapaxes(half, -1, -2)))
    ratio = jnp.diagonal(K, axis1=-2, axis2=-1) / jnp.diagonal(L, axis1=-2, axis2=-1)
    return u, 2 * jnp.log(ratio).sum(-1)


def logdet_remainder(A: Any, B: Any) -> Any:
    """tr(inv(B) @ A) - k - log(det A/det B) >= 0: the sum of u - log(1 + u) over the eigenvalues u of inv(B) @ (A - B)."""
    u, log_of = relative_eigenvalues(A, B)
    near = (jnp.abs(u) < 0.5).all(-1)
    return jnp.where(near, log_remainder(jnp.where(near[..., None], u, 0.0 * u), 0.0 * u).sum(-1), u.sum(-1) - log_of)


def logdet_ratio(A: Any, B: Any) -> Any:
    """log(det A/det B): the sum of log(1 + u) over the eigenvalues u of inv(B) @ (A - B), where these are small."""
    u, log_of = relative_eigenvalues(A, B)
    near = (jnp.abs(u) < 0.5).all(-1)
    return jnp.where(near, jnp.log1p(jnp.where(near[..., None], u, 0.0 * u)).sum(-1), log_of)


def mixed_logdet_remainder(A: Any, B: Any, c: Any) -> Any:
    """log det(c A + (1 - c) B) - c log det A - (1 - c) log det B: the sum of c r(u) - r(c u), r(u) = u - log(1 + u), over the
    eigenvalues u of inv(B) @ (A - B), where these are small."""
    u, log_of = relative_eigenvalues(A, B)
    near = (jnp.abs(u) < 0.5).all(-1) & (jnp.abs(c * u) < 0.5).all(-1)
    u = jnp.where(near[..., None], u, 0.0 * u)
    close = (c * log_remainder(u, 0.0 * u) - log_remainder(c * u, 0.0 * u)).sum(-1)
    mixed = jnp.linalg.slogdet(c * A + (1 - c) * B)[1] - jnp.linalg.slogdet(B)[1]
    return jnp.where(near, close, mixed - c * log_of)


def softmax(Z: Any) -> Any:
    """exp(Z)/sum(exp(Z)) over the last axis; 0 where all of Z is -inf."""
    nothing = Z.max(axis=-1, keepdims=True) == -jnp.inf
    return jnp.where(nothing, 0, jax.nn.softmax(jnp.where(nothing, 0, Z), axis=-1))


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

"""What generated modules for PyTorch carry. Nothing imports this file: `sources` takes the text of its functions."""

from __future__ import annotations

from typing import Any

import torch

from symgen.codegen.runtime import known, shown_sizes
from symgen.codegen.runtime_remainders import gauss_16

# --- functions on elements --------------------------------------------------------------------------------------------


def softplus(z: Any) -> Any:
    """log(1 + exp(z)) without overflow."""
    return torch.logaddexp(z, torch.zeros_like(z))


def cross_entropy_of_logit(z: Any, y: Any) -> Any:
    """-y*log(p) - (1 - y)*log(1 - p) for p = sigmoid(z)."""
    return y * softplus(-z) + (1 - y) * softplus(z)


# --- remainders, by which divergences keep their digits ---------------------------------------------------------------


def log_remainder(u: Any, log_of: Any) -> Any:
    """u - log(1 + u) >= 0, exact near 0 too: by the series of 2 artanh(u/(2 + u)); far from 0 by the logarithm given."""
    near = torch.abs(u) < 0.5
    small = torch.where(near, u, 0.0 * u)
    s = small / (2 + small)
    t = s * s
    series = 0.0 * t
    for k in range(14, -1, -1):
        series = series * t + 1 / (2 * k + 3)
    given = (u < -0.9) | (u > 1e30)
    far = torch.where(given, log_of, torch.log1p(torch.where(given, 0.0 * small, u)))
    return torch.where(near, s * small - 2 * s * t * series, u - far)


def expm1_remainder(w: Any) -> Any:
    """exp(w) - 1 - w >= 0, exact near 0 too."""
    near = torch.abs(w) < 0.5
    small = torch.where(near, w, 0.0 * w)
    series = 0.0 * small
    for k in range(18, 1, -1):
        series = (series * small + 1) / k
    return torch.where(near, series * small * small, torch.expm1(w) - w)


def kl_term(p: Any, q: Any, d: Any) -> Any:
    """p*log(p/q) - p + q >= 0, d = q - p; q where p is 0, inf where q is 0 and p is not."""
    safe = torch.where(p == 0, p + 1, p)
    return torch.where(p == 0, q, p * log_remainder(d / safe, torch.log(q) - torch.log(safe)))


def root_difference(a: Any, b: Any, d: Any) -> Any:
    """sqrt(a) - sqrt(b), d = a - b, exact for near a and b."""
    total = torch.sqrt(a) + torch.sqrt(b)
    return d / torch.where(total == 0, total + 1, total)


def trigamma_positive(x: Any) -> Any:
    """The derivative of digamma for x > 0 to all digits (torch.special.polygamma has 9): up 12 steps, then by the series."""
    y = x + 12
    v = 1 / (y * y)
    series = 1 / 6 + v * (-1 / 30 + v * (1 / 42 + v * (-1 / 30 + v * (5 / 66 + v * (-691 / 2730)))))
    out = (1 + v * series) / y + v / 2
    for k in range(11, -1, -1):
        out = out + 1 / ((x + k) * (x + k))
    return out


def trigamma(x: Any) -> Any:
    """The derivative of digamma; left of 0 by its reflection."""
    left = x <= 0
    y = torch.where(left, x, 0.5 + 0.0 * x)
    reflected = (torch.pi / torch.sin(torch.pi * y)) ** 2 - trigamma_positive(1 - y)
    return torch.where(left, reflected, trigamma_positive(torch.where(left, 1 + 0.0 * x, x)))


def erf_gap(a: Any, b: Any) -> Any:
    """erf(a) - erf(b), by what both lack of 1, or of -1, where they lie on one side of 0."""
    beyond = torch.sign(a) * (torch.erfc(torch.abs(b)) - torch.erfc(torch.abs(a)))
    return torch.where(a * b > 0.25, beyond, torch.erf(a) - torch.erf(b))


def log_half_erf_gap(a: Any, b: Any, d: Any) -> Any:
    """log(|erf(a) - erf(b)|/2), d = a - b: on one side of 0 from the nearer end, by a rule of 16 nodes or by erfcx."""
    a, b, d = torch.maximum(a, b), torch.minimum(a, b), torch.abs(d)
    left = a + b < 0
    low, high = torch.where(left, -a, b), torch.where(left, -b, a)
    aside, w = low > 0, d * (low + high)
    start, end = torch.where(aside, low, 0.0 * low), torch.where(aside, high, 0.0 * high)
    short, mean = torch.where(w < 4, d, 0.0 * d), 0.0 * d
    for x, c in gauss_16():
        for t in (0.5 - x, 0.5 + x):
            mean = mean + c * torch.exp(-short * t * (2 * start + short * t))
    near = torch.log(d * mean / torch.pi**0.5)
    beyond = torch.special.erfcx(start) - torch.exp(-torch.where(aside, w, 0.0 * w)) * torch.special.erfcx(end)
    far = torch.log(torch.where(beyond > 0, beyond, 1 + 0.0 * beyond) / 2)
    gap = (torch.erf(high) - torch.erf(low)) / 2
    beside = torch.log1p(-(torch.erfc(high) + torch.erfc(-low)) / 2)
    across = torch.where(gap < 0.5, torch.log(torch.where(aside, 1 + 0.0 * gap, gap)), beside)
    return torch.where(aside, torch.where(w < 4, near, far) - start * start, across)


def artanh_rest(t: Any) -> Any:
    """artanh(t)/t - 1 for |t| < 1/2, by its series."""
    v = torch.where(torch.abs(t) < 0.5, t, 0.0 * t) ** 2
    series = 0.0 * v
    for k in range(27, 0, -1):
        series = (series + 1 / (2 * k + 1)) * v
    return series


def lgamma_rest(x: Any) -> Any:
    """lgamma(x) - x*log(x) + x: what is left beyond the leading terms of Stirling's formula."""
    low, high = torch.clamp(x, max=10.0), torch.clamp(x, min=10.0)
    v = 1 / (high * high)
    series = 1 / 12 + v * (-1 / 360 + v * (1 / 1260 + v * (-1 / 1680 + v * (1 / 1188 + v * (-691 / 360360 + v / 156)))))
    return torch.where(x < 10, torch.lgamma(low) - low * torch.log(low) + low, torch.log(2 * torch.pi / high) / 2 + series / high)


def digamma_rest(x: Any) -> Any:
    """digamma(x) - log(x) < 0."""
    low, high = torch.clamp(x, max=10.0), torch.clamp(x, min=10.0)
    v = 1 / (high * high)
    series = 1 / 12 + v * (-1 / 120 + v * (1 / 252 + v * (-1 / 240 + v * (1 / 132 + v * (-691 / 32760 + v / 12)))))
    return torch.where(x < 10, torch.digamma(low) - torch.log(low), -0.5 / high - v * series)


def gamma_ratio(a: Any, b: Any, d: Any) -> Any:
    """gamma(a)/gamma(b), d = a - b, also where the two overflow: far out by the difference of Stirling's series."""
    x, y = torch.clamp(a, min=30), torch.clamp(b, min=30)
    tails = []
    for z in (x, y):
        v = 1 / (z * z)
        tails.append((1 / 12 + v * (-1 / 360 + v * (1 / 1260 + v * (-1 / 1680 + v * (1 / 1188 - v * 691 / 360360))))) / z)
    large = (y - 0.5) * torch.log1p(d / y) + d * torch.log(x) - d + (tails[0] - tails[1])
    return torch.exp(torch.where(torch.minimum(a, b) >= 30, large, torch.lgamma(a) - torch.lgamma(b)))


def lbeta(x: Any, y: Any) -> Any:
    """log of the beta function: of a large argument the leading terms cancel by their form."""
    low, high = torch.minimum(x, y), torch.maximum(x, y)
    far = torch.maximum(high, 10 + 0.0 * high)
    both = low + far
    large = torch.lgamma(low) - far * torch.log1p(low / far) - low * torch.log(both) + low + lgamma_rest(far) - lgamma_rest(both)
    near = torch.minimum(high, 10 + 0.0 * high)
    return torch.where(high < 10, torch.lgamma(low) + torch.lgamma(near) - torch.lgamma(low + near), large)


def beta(x: Any, y: Any) -> Any:
    """The beta function; where an argument is large by the quotient of gammas."""
    return torch.exp(lbeta(x, y))


def E1_scaled(x: Any) -> Any:
    """exp(x)*E1(x): near 0 by its series, far out by its continued fraction."""
    near, y = torch.clamp(x, max=2.0), torch.clamp(x, min=2.0)
    term = 1.0 + 0.0 * near
    series = 0.0 * near
    for k in range(1, 30):
        term = -term * near / k
        series = series - term / k
    fraction = y + 0.0
    for k in range(80, 0, -1):
        fraction = y + k / (1 + k / fraction)
    small = torch.exp(near) * (series - torch.log(near) - 0.5772156649015329)
    return torch.where(x < 2, small, 1 / fraction)


def E1(x: Any) -> Any:
    """The integral of exp(-t)/t from x to infinity."""
    return torch.exp(-x) * E1_scaled(x)


def log_ratio(x: Any, y: Any, d: Any) -> Any:
    """log(x/y), d = x - y: exact for near x and y too; 0 where both are 0."""
    near, q = torch.abs(d) < 0.5 * y, x / y
    far = torch.where((q > 1e-30) & (q < 1e30), torch.log(q), torch.log(x) - torch.log(y))
    return torch.where(d == 0, 0.0 * d, torch.where(near, torch.log1p(torch.where(near, d, 0.0 * d) / y), far))


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
    k = torch.arange(10.0, dtype=a.dtype, device=a.device)
    low, high, apart = a[..., None] + k, b[..., None] + k, d[..., None]
    steps = log_remainder(apart / low, log_ratio(high, low, apart)).sum(-1)
    x, y = a + 10, b + 10
    return steps + y * log_remainder(-d / y, log_ratio(x, y, -d)) + stirling_series(x, y, d)


def stirling_remainder(a: Any, b: Any, d: Any) -> Any:
    """lgamma_remainder(a, b, d) - (b*log(b/a) - d) >= 0: what is left of it where a and b are large."""
    k = torch.arange(10.0, dtype=a.dtype, device=a.device)
    low, high, apart = a[..., None] + k, b[..., None] + k, d[..., None]
    steps = log_remainder(apart / low, log_ratio(high, low, apart)).sum(-1)
    x, y = a + 10, b + 10
    near = y * log_remainder(-d / y, log_ratio(x, y, -d)) - b * log_remainder(-d / b, log_ratio(a, b, -d))
    far = 10 * log_ratio(y, x, d) + b * (log_ratio(y, b, 10 + 0.0 * d) - log_ratio(x, a, 10 + 0.0 * d))
    low_ones = steps + torch.where(torch.abs(d) < a / 2, near, far) + stirling_series(x, y, d)
    return torch.where(torch.minimum(a, b) < 10, low_ones, stirling_series(a, b, d))


def solve_lower(L: Any, b: Any, turned: int = 0) -> Any:
    """inv(L) @ b of a lower triangular L by substitution, inv(L') @ b where it is turned."""
    L = L.mT if turned else L
    if b.ndim == 1:
        return torch.linalg.solve_triangular(L, b[:, None], upper=bool(turned))[:, 0]
    return torch.linalg.solve_triangular(L, b, upper=bool(turned))


def inv_lower(L: Any) -> Any:
    """The inverse of a lower triangular matrix."""
    return solve_lower(L, torch.eye(L.shape[-1], dtype=L.dtype, device=L.device))


def cholesky_remainder(A: Any, B: Any) -> Any:
    """|inv(B) @ A|^2 - k - 2 log(det A/det B) >= 0 for lower A and B: |E|^2 + 2 sum(u - log(1 + u)) over the diagonal u of
    E = inv(B) @ (A - B)."""
    E = solve_lower(B, A - B)
    a, b = A.diagonal(0, -2, -1), B.diagonal(0, -2, -1)
    return (E * E).sum((-2, -1)) + 2 * log_remainder((a - b) / b, torch.log(a) - torch.log(b)).sum(-1)


def relative_eigenvalues(A: Any, B: Any) -> Any:
    """The eigenvalues of inv(B) @ (A - B), and log(det A/det B)."""
    K, L = torch.linalg.cholesky(A), torch.linalg.cholesky(B)
    half = solve_lower(L, A - B)
    u = torch.linalg.eigvalsh(solve_lower(L, half.mT))
    ratio = K.diagonal(0, -2, -1) / L.diagonal(0, -2, -1)
    return u, 2 * torch.log(ratio).sum(-1)


def logdet_remainder(A: Any, B: Any) -> Any:
    """tr(inv(B) @ A) - k - log(det A/det B) >= 0: the sum of u - log(1 + u) over the eigenvalues u of inv(B) @ (A - B)."""
    u, log_of = relative_eigenvalues(A, B)
    near = (torch.abs(u) < 0.5).all(-1)
    return torch.where(near, log_remainder(torch.where(near[..., None], u, 0.0 * u), 0.0 * u).sum(-1), u.sum(-1) - log_of)


def logdet_ratio(A: Any, B: Any) -> Any:
    """log(det A/det B): the sum of log(1 + u) over the eigenvalues u of inv(B) @ (A - B), where these are small."""
    u, log_of = relative_eigenvalues(A, B)
    near = (torch.abs(u) < 0.5).all(-1)
    return torch.where(near, torch.log1p(torch.where(near[..., None], u, 0.0 * u)).sum(-1), log_of)


def mixed_logdet_remainder(A: Any, B: Any, c: Any) -> Any:
    """log det(c A + (1 - c) B) - c log det A - (1 - c) log det B: the sum of c r(u) - r(c u), r(u) = u - log(1 + u), over the
    eigenvalues u of inv(B) @ (A - B), where these are small."""
    u, log_of = relative_eigenvalues(A, B)
    near = (torch.abs(u) < 0.5).all(-1) & (torch.abs(c * u) < 0.5).all(-1)
    u = torch.where(near[..., None], u, 0.0 * u)
    close = (c * log_remainder(u, 0.0 * u) - log_remainder(c * u, 0.0 * u)).sum(-1)
    mixed = torch.linalg.slogdet(c * A + (1 - c) * B)[1] - torch.linalg.slogdet(B)[1]
    return torch.where(near, close, mixed - c * log_of)


def gamma(x: Any) -> Any:
    """The gamma function: exp(lgamma(x)), with its sign left of 0."""
    negative = (x < 0) & (torch.remainder(torch.floor(x), 2) == 1)
    return torch.where(negative, -torch.exp(torch.lgamma(x)), torch.exp(torch.lgamma(x)))


def inv_or_nan(A: Any) -> Any:
    """The inverse; nan where A is singular."""
    return torch.linalg.inv_ex(torch.where((torch.linalg.det(A) == 0)[..., None, None], torch.nan, A))[0]


def softmax(Z: Any) -> Any:
    """exp(Z)/sum(exp(Z)) over the last axis; 0 where all of Z is -inf."""
    nothing = Z.amax(-1, keepdim=True) == -torch.inf
    return torch.where(nothing, 0, torch.softmax(torch.where(nothing, 0, Z), -1))


def logdet_spd(A: Any) -> Any:
    """log(det A) of a symmetric positive definite A, from its Cholesky factor."""
    L = torch.linalg.cholesky(A)
    return 2 * torch.log(L.diagonal(0, -2, -1)).sum(-1)


def eigvals(A: Any) -> Any:
    """The eigenvalues of the symmetric part, ascending."""
    return torch.linalg.eigvalsh((A + A.mT) / 2)


def eigvecs(A: Any) -> Any:
    """The eigenvectors of the symmetric part as columns, the sum of each at least 0."""
    V = torch.linalg.eigh((A + A.mT) / 2)[1]
    return V * torch.where(V.sum(-2, keepdim=True) < 0, -1, 1)


def sqrtm(A: Any) -> Any:
    """The root of a symmetric positive semidefinite A."""
    s, V = torch.linalg.eigh((A + A.mT) / 2)
    return (V * torch.sqrt(torch.clamp(s, min=0))[..., None, :]) @ V.mT


def polar(A: Any) -> Any:
    """U V' for the singular value decomposition A = U S V': the nearest matrix with orthonormal columns."""
    U, _, Vt = torch.linalg.svd(A, full_matrices=False)
    return U @ Vt


def matrix_power(A: Any, k: Any) -> Any:
    """A^k for a whole number k."""
    if float(k) != round(float(k)):
        raise ValueError(f"the exponent of a matrix power is a whole number, not {float(k)}")
    return torch.linalg.matrix_power(A, round(float(k)))


def expm_frechet(A: Any, E: Any) -> Any:
    """The derivative of expm at A in the direction E: a block of expm([[A, E], [0, A]])."""
    n = A.shape[-1]
    top, bottom = torch.cat([A, E], -1), torch.cat([torch.zeros_like(A), A], -1)
    return torch.linalg.matrix_exp(torch.cat([top, bottom], -2))[..., :n, n:]


# --- positions --------------------------------------------------------------------------------------------------------


def inside(i: Any, size: int) -> Any:
    """The position i, which has to be one of 0 .. size-1."""
    if not 0 <= i < size:
        raise IndexError(f"there is no entry {i} on an axis of {size}")
    return i


def all_inside(i: Any, size: int) -> Any:
    """The positions i, each of which has to be one of 0 .. size-1."""
    if i.numel() and not (0 <= i.min() and i.max() < size):
        raise IndexError(f"the entries {int(i.min())} .. {int(i.max())} do not lie on an axis of {size}")
    return i


def put(shape: Any, where: Any, values: Any) -> Any:
    """Zeros of a shape, with `values` at `where`."""
    out = values.new_zeros(shape)
    out[where] = values
    return out


def put_added(shape: Any, where: Any, values: Any) -> Any:
    """Zeros of a shape, with the rows of `values` added at the positions `where` of the first axis."""
    return values.new_zeros(shape).index_put((where,), values, accumulate=True)


# --- the door ---------------------------------------------------------------------------------------------------------


def door(names: Any, places: Any, shapes: Any, sizes: Any) -> Any:
    """The named tensors from their places, as floats of one dtype on one device that fit each other; raises ValueError
    naming one that does not."""
    known((places[0], places[-1]), shapes)
    found = {}
    for name, place in zip(names, places):
        if place is None or name not in place:
            raise ValueError(f"`{name}` is missing")
        found[name] = place[name]
    typed = [torch.as_tensor(a) for a in found.values() if hasattr(a, "dtype")]
    device = next((a.device for a in found.values() if isinstance(a, torch.Tensor)), None)
    dtype = None
    for a in typed:
        if a.is_floating_point():
            dtype = a.dtype if dtype is None else torch.promote_types(dtype, a.dtype)
    for name, a in found.items():
        if torch.as_tensor(a).is_complex():
            raise ValueError(f"`{name}` holds complex numbers, and should hold real ones")
        found[name] = torch.as_tensor(a, dtype=dtype or torch.float64, device=device)
    shown_sizes(shapes, found, sizes)
    return list(found.values())


# --- initial values ---------------------------------------------------------------------------------------------------


def constrained(domain: str, u: Any) -> Any:
    """The point of a domain at the free coordinates u."""
    if domain == "positive":
        return torch.exp(u)
    if domain == "unit":
        return torch.sigmoid(u)
    if domain == "simplex":
        return torch.softmax(u, -1)
    if domain in ("spd", "lower"):
        L = torch.tril(u, -1) + torch.diag_embed(torch.exp(u.diagonal(0, -2, -1)))
        return L if domain == "lower" else L @ L.mT
    if domain == "symmetric":
        return u + u.mT
    if domain == "skew":
        return u - u.mT
    if domain == "psd":
        return u @ u.mT
    if domain == "diagonal":
        return torch.diag_embed(u.diagonal(0, -2, -1))
    if domain == "orthogonal":
        U, _, V = torch.linalg.svd(u)
        return U @ V
    return torch.abs(u) if domain == "nonnegative" else u


def initial(rng: Any, kind: str, scale: float, shape: Any, domain: str, dtype: Any, device: Any) -> Any:
    """A start: a number, normal(scale), glorot, he; `small` is near the middle of the domain."""
    fan_in, fan_out = (shape[-2], shape[-1]) if len(shape) > 1 else (shape[0] if shape else 1, 1)
    if kind == "number":
        return torch.full(shape, scale, dtype=dtype, device=device)
    if kind == "glorot":
        return (6 / (fan_in + fan_out)) ** 0.5 * (2 * torch.rand(shape, generator=rng, dtype=dtype, device=device) - 1)
    x = torch.randn(shape, generator=rng, dtype=dtype, device=device)
    if kind == "normal":
        return scale * x
    return (2 / fan_in) ** 0.5 * x if kind == "he" else constrained(domain, 0.1 * x)


# --- noise ------------------------------------------------------------------------------------------------------------


def drawn_normal(rng: Any, shape: Any, dtype: Any, device: Any) -> Any:
    """Draws of Normal(0, 1)."""
    return torch.randn(shape, generator=rng, dtype=dtype, device=device)


def drawn_uniform(rng: Any, shape: Any, dtype: Any, device: Any) -> Any:
    """Draws of Uniform(0, 1)."""
    return torch.rand(shape, generator=rng, dtype=dtype, device=device)


def drawn_exponential(rng: Any, shape: Any, dtype: Any, device: Any) -> Any:
    """Draws of Exponential(1)."""
    return torch.empty(shape, dtype=dtype, device=device).exponential_(generator=rng)


def drawn_gumbel(rng: Any, shape: Any, dtype: Any, device: Any) -> Any:
    """Draws of Gumbel(0, 1)."""
    return -torch.log(drawn_exponential(rng, shape, dtype, device))


def drawn_logistic(rng: Any, shape: Any, dtype: Any, device: Any) -> Any:
    """Draws of Logistic(0, 1)."""
    return drawn_gumbel(rng, shape, dtype, device) - drawn_gumbel(rng, shape, dtype, device)


def drawn_laplace(rng: Any, shape: Any, dtype: Any, device: Any) -> Any:
    """Draws of Laplace(0, 1)."""
    return drawn_exponential(rng, shape, dtype, device) - drawn_exponential(rng, shape, dtype, device)

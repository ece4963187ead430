"""Functions and operations on numbers, each in float64 and in balls: what `evaluate` looks up by name.

A function acts on elements. An operation acts on the last axes of its operands; `evaluate` maps it over the batch axes.
A ball function gives a ball that holds the true value, or nan where the function is not defined over the whole ball.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from importlib import import_module
from typing import Any

import numpy as np
from flint import acb, arb, arb_mat

from symgen.tensor import incomplete
from symgen.tensor import spectral as sp

__all__ = ["FUNCTIONS", "OPERATIONS", "Function", "MatrixOperation", "ball_power"]


class Later:
    """A module that is imported when a function of it is called: SciPy takes longer to load than a spec to derive."""

    def __init__(self, module: str) -> None:
        self.module = module

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            return getattr(import_module(self.module), name)(*args, **options)

        return call


linalg, special, floats = Later("scipy.linalg"), Later("scipy.special"), Later("symgen.tensor.incomplete_floats")
Ball = Any  # flint.arb
NAN_BALL = arb("nan")


@dataclass(frozen=True)
class Function:
    """A function of numbers: `float64` on arrays, `ball` on single balls."""

    name: str
    float64: Callable[..., Any]
    ball: Callable[..., Ball]


@dataclass(frozen=True)
class MatrixOperation:
    """An operation on arrays without batch axes; `ranks` are the ranks of its operands (None: one or two, a solve).
    With `rows`, `float64` takes batches: it goes along the last axis."""

    name: str
    ranks: tuple[int, ...]
    float64: Callable[..., Any]
    ball: Callable[..., Any]
    rows: bool = False


# --- functions on elements --------------------------------------------------------------------------------------------


def _inside(test: Callable[[Ball], bool], f: Callable[[Ball], Ball]) -> Callable[[Ball], Ball]:
    return lambda x: f(x) if test(x) else NAN_BALL


def _lgamma(x: Ball) -> Ball:
    return x.lgamma() if x > 0 else abs(x.gamma()).log()


def _polygamma(n: Ball, x: Ball) -> Ball:
    k = n.unique_fmpz()
    if k is None or k < 0:
        return NAN_BALL
    value = acb(x).polygamma(acb(k))
    return value.real if value.imag.contains(0) else NAN_BALL


def _xlogy(x: Ball, y: Ball) -> Ball:
    return arb(0) if x == 0 and not y < 0 else x * y.log()


def _xlog1py(x: Ball, y: Ball) -> Ball:
    return arb(0) if x == 0 and not y < -1 else x * y.log1p()


def _softplus(x: Ball) -> Ball:
    return (-x).exp().log1p() + x if x > 0 else x.exp().log1p()


def _sigmoid(x: Ball) -> Ball:
    return 1 / (1 + (-x).exp()) if x > 0 else x.exp() / (1 + x.exp())


def _piece(positive: Callable[..., Ball], other: Callable[..., Ball]) -> Callable[..., Ball]:
    """positive(x) for x > 0, other(x) for x <= 0, the union where a ball does not say."""

    def function(x: Ball, *more: Ball) -> Ball:
        if x > 0:
            return positive(x, *more)
        if x <= 0:
            return other(x, *more)
        return positive(x, *more).union(other(x, *more))

    return function


def _first(x: Ball, *more: Ball) -> Ball:
    return x


def _nary(f: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return lambda *args: reduce(f, args)


def _gelu(x: Ball) -> Ball:
    return x / 2 * (1 + (x / arb(2).sqrt()).erf())


def _floor_mod(a: Ball, n: Ball) -> Ball:
    return a - n * (a / n).floor()


def _floor_div(a: Ball, n: Ball) -> Ball:
    i, k = a.unique_fmpz(), n.unique_fmpz()
    if i is not None and k is not None and k != 0:
        return arb(i // k)
    return (a / n).floor()


def _exact_mod(a: Ball, n: Ball) -> Ball:
    i, k = a.unique_fmpz(), n.unique_fmpz()
    if i is not None and k is not None and k != 0:
        return arb(i % k)
    return _floor_mod(a, n)


def _atan2(y: Ball, x: Ball) -> Ball:
    return arb.atan2(y, x)


def _erfinv(x: Ball) -> Ball:
    return x.erfinv() if abs(x) < 1 else NAN_BALL


def _hypgeom(f: Callable[..., Ball]) -> Callable[..., Ball]:
    """Flint's argument stands first, ours last."""
    return lambda *args: f(args[-1], *args[:-1])


def _with_lgamma(*args: Ball) -> Ball:
    total = arb(0)
    for a in args:
        total += _lgamma(a)
    return total - _lgamma(sum(args[1:], args[0]))


def _float_elu(x: Any, alpha: Any = 1.0) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _float_leaky(x: Any, slope: Any = 0.01) -> Any:
    return np.where(x > 0, x, slope * x)


def _float_zeta(s: Any, a: Any = 1.0) -> Any:
    return np.where(np.asarray(s) > 1, special.zeta(s, a), np.nan if np.ndim(a) or a != 1.0 else _zeta_left(s))


_zeta_left = np.vectorize(lambda s: float(arb(float(s)).zeta()) if s != 1 else math.nan, otypes=[float])


def _through_balls(f: Callable[..., Ball]) -> Callable[..., Any]:
    """A float function made from the ball function, where SciPy has none or a poor one."""

    def one(*args: float) -> float:
        if not all(map(math.isfinite, args)):
            return math.nan
        value = f(*(arb(float(a)) for a in args))
        return float(value) if value.is_finite() else math.nan

    return np.vectorize(one, otypes=[float])


def _dilog(x: Ball) -> Ball:
    return x.polylog(2) if x <= 1 else acb(x).polylog(2).real


def _parts(name: str, f: Callable[..., Any]) -> tuple[Function, Function]:
    """The real and the imaginary part of a function of z = x + i y, where x and y stand last."""

    def real(*args: Ball) -> Ball:
        return f(*map(acb, args[:-2]), acb(*args[-2:])).real

    def imaginary(*args: Ball) -> Ball:
        return f(*map(acb, args[:-2]), acb(*args[-2:])).imag

    return Function(f"{name}_re", _through_balls(real), real), Function(f"{name}_im", _through_balls(imaginary), imaginary)


def _log_ndtr(x: Ball) -> Ball:
    return ((-x / arb(2).sqrt()).erfc() / 2).log()


_FUNCTIONS = (
    Function("exp", np.exp, arb.exp),
    Function("log", np.log, arb.log),
    Function("log1p", np.log1p, arb.log1p),
    Function("expm1", np.expm1, arb.expm1),
    Function("sqrt", np.sqrt, arb.sqrt),
    Function("abs", np.abs, abs),
    Function("sign", np.sign, arb.sgn),
    Function("step", lambda x: np.heaviside(x, 0.0), _piece(lambda x: arb(1), lambda x: arb(0))),
    Function("heaviside", lambda x: np.heaviside(x, 0.0), _piece(lambda x: arb(1), lambda x: arb(0))),
    Function("floor", np.floor, arb.floor),
    Function("ceil", np.ceil, arb.ceil),
    Function("round", np.round, lambda x: (x + arb(1) / 2).floor()),
    Function("sin", np.sin, arb.sin),
    Function("cos", np.cos, arb.cos),
    Function("tan", np.tan, arb.tan),
    Function("sinh", np.sinh, arb.sinh),
    Function("cosh", np.cosh, arb.cosh),
    Function("tanh", np.tanh, arb.tanh),
    Function("asin", np.arcsin, arb.asin),
    Function("acos", np.arccos, arb.acos),
    Function("atan", np.arctan, arb.atan),
    Function("asinh", np.arcsinh, arb.asinh),
    Function("acosh", np.arccosh, arb.acosh),
    Function("atanh", np.arctanh, arb.atanh),
    Function("atan2", np.arctan2, _atan2),
    Function("sigmoid", special.expit, _sigmoid),
    Function("log_sigmoid", special.log_expit, lambda x: -_softplus(-x)),
    Function("softplus", lambda x: np.logaddexp(0.0, x), _softplus),
    Function("logaddexp", np.logaddexp, lambda x, y: (x.exp() + y.exp()).log()),
    Function("relu", lambda x: np.maximum(x, 0.0), lambda x: x.max(arb(0))),
    Function("leaky_relu", _float_leaky, _piece(_first, lambda x, a=None: x / 100 if a is None else a * x)),
    Function("elu", _float_elu, _piece(_first, lambda x, a=None: x.expm1() if a is None else a * x.expm1())),
    Function("gelu", lambda x: x * special.ndtr(x), _gelu),
    Function("silu", lambda x: x * special.expit(x), lambda x: x * _sigmoid(x)),
    Function("erf", special.erf, arb.erf),
    Function("erfc", special.erfc, arb.erfc),
    Function("erfi", special.erfi, arb.erfi),
    Function("erfinv", special.erfinv, _erfinv),
    Function("ndtr", special.ndtr, lambda x: (-x / arb(2).sqrt()).erfc() / 2),
    Function("log_ndtr", special.log_ndtr, _log_ndtr),
    Function("ndtri", special.ndtri, lambda p: arb(2).sqrt() * _erfinv(2 * p - 1)),
    Function("gamma", special.gamma, arb.gamma),
    Function("lgamma", special.gammaln, _lgamma),
    Function("digamma", special.digamma, arb.digamma),
    Function("trigamma", lambda x: special.polygamma(1, x), lambda x: _polygamma(arb(1), x)),
    Function("polygamma", lambda n, x: special.polygamma(np.asarray(n, int), x), _polygamma),
    Function("beta", special.beta, lambda *a: _with_lgamma(*a).exp()),
    Function("lbeta", lambda *a: sum(map(special.gammaln, a)) - special.gammaln(sum(a)), _with_lgamma),
    Function("max", _nary(np.maximum), _nary(arb.max)),
    Function("min", _nary(np.minimum), _nary(arb.min)),
    Function("clip", lambda x, a, b: np.minimum(np.maximum(x, a), b), lambda x, a, b: x.max(a).min(b)),
    Function("xlogy", special.xlogy, _xlogy),
    Function("xlog1py", special.xlog1py, _xlog1py),
    Function("mod", np.mod, _exact_mod),
    Function("div", np.floor_divide, _floor_div),
    Function("E1", special.exp1, _inside(lambda x: bool(x > 0), lambda x: x.expint(arb(1)))),
    Function("Ei", special.expi, arb.ei),
    Function("li", lambda x: special.expi(np.log(x)), arb.li),
    Function("dilog", lambda x: special.spence(1.0 - np.asarray(x)), _dilog),
    Function("igamma", special.gammainc, lambda a, x: x.gamma_lower(a, regularized=1)),
    Function("igammac", special.gammaincc, lambda a, x: x.gamma_upper(a, regularized=1)),
    Function("ibeta", special.betainc, lambda a, b, x: x.beta_lower(a, b, regularized=1)),
    Function("igamma_da", floats.igamma_da, incomplete.igamma_da),
    Function("ibeta_da", floats.ibeta_da, incomplete.ibeta_da),
    Function("ibeta_db", floats.ibeta_db, incomplete.ibeta_db),
    Function("gamma_shift", floats.gamma_shift, incomplete.gamma_shift),
    Function("beta_shift_a", floats.beta_shift_a, incomplete.beta_shift_a),
    Function("beta_shift_b", floats.beta_shift_b, incomplete.beta_shift_b),
    Function("student_shift", floats.student_shift, incomplete.student_shift),
    Function("digammainv", floats.digammainv, incomplete.digammainv),
    Function("igammainv", special.gammaincinv, incomplete.igammainv),
    Function("ibetainv", special.betaincinv, incomplete.ibetainv),
    Function("besseli", special.iv, lambda v, x: x.bessel_i(v)),
    Function("besselk", special.kv, lambda v, x: x.bessel_k(v)),
    Function("besselj", special.jv, lambda v, x: x.bessel_j(v)),
    Function("bessely", special.yv, lambda v, x: x.bessel_y(v)),
    Function("hyp1f1", special.hyp1f1, _hypgeom(arb.hypgeom_1f1)),
    Function("hyp2f1", special.hyp2f1, _hypgeom(arb.hypgeom_2f1)),
    Function("hyperu", special.hyperu, _hypgeom(arb.hypgeom_u)),
    Function("zeta", _float_zeta, arb.zeta),
    *_parts("scaled_E1", lambda z: z.exp() * z.expint(acb(1))),
    *_parts("polygamma", lambda n, z: z.polygamma(n)),
    *_parts("lerch", lambda s, a, z: z.lerch_phi(s, a)),
    Function("lambertw", lambda x: special.lambertw(x).real, arb.lambertw),
    Function("polylog", _through_balls(lambda s, x: x.polylog(s)), lambda s, x: x.polylog(s)),
    Function("binomial", special.binom, lambda n, k: (_lgamma(n + 1) - _lgamma(k + 1) - _lgamma(n - k + 1)).exp()),
)
FUNCTIONS: dict[str, Function] = {f.name: f for f in _FUNCTIONS}


def _whole_power(base: Ball, k: int) -> Ball:
    """base ^ k, k >= 0. Flint's power has no value where the ball holds 0."""
    if k < 2 or not base.is_finite() or not base.contains(0) or base == 0:
        return base**k
    high = arb(base.abs_upper()) ** k
    return arb(0).union(high) if k % 2 == 0 else (-high).union(high)


def ball_power(base: Ball, exponent: Ball) -> Ball:
    """base ^ exponent over the reals; nan where it is not real or not known to be."""
    k = exponent.unique_fmpz() if exponent.is_exact() else None
    if k is not None and abs(k) < 1 << 30:
        return 1 / _whole_power(base, int(-k)) if k < 0 else _whole_power(base, int(k))
    if base == 0:
        return arb(0) if exponent > 0 else NAN_BALL
    twice = (2 * exponent).unique_fmpz() if exponent.is_exact() else None
    if twice is not None and abs(twice) < 1 << 20:
        root = base.sqrt()
        return root ** int(twice) if twice > 0 else 1 / root ** int(-twice)
    if base > 0:
        return (exponent * base.log()).exp()
    if base >= 0 and exponent > 0:
        upper = arb(base.abs_upper())
        return arb(0).union((exponent * upper.log()).exp()) if upper > 0 else arb(0)
    return NAN_BALL


# --- operations on the last axes --------------------------------------------------------------------------------------


def _nan_like(shape: tuple[int, ...]) -> Any:
    out = np.empty(shape, dtype=object)
    out.fill(NAN_BALL)
    return out


def _objects(values: list[Any], shape: tuple[int, ...]) -> Any:
    out = np.empty(len(values), dtype=object)
    for k, v in enumerate(values):
        out[k] = v
    return out.reshape(shape)


def _matrix(a: Any) -> Any:
    n, m = a.shape
    return arb_mat(n, m, list(a.reshape(-1)))


def _array(m: Any) -> Any:
    return _objects(m.entries(), (m.nrows(), m.ncols()))


def _guard(f: Callable[..., Any], shape: Callable[..., tuple[int, ...]]) -> Callable[..., Any]:
    """nan where a matrix cannot be shown to be invertible."""

    def guarded(*args: Any) -> Any:
        try:
            return f(*args)
        except (ZeroDivisionError, ValueError):
            return _nan_like(shape(*args))

    return guarded


def _float_guard(f: Callable[..., Any], shape: Callable[..., tuple[int, ...]]) -> Callable[..., Any]:
    def guarded(*args: Any) -> Any:
        if not all(np.all(np.isfinite(a)) for a in args):
            return np.full(shape(*args), np.nan)
        try:
            return f(*args)
        except (np.linalg.LinAlgError, ValueError):
            return np.full(shape(*args), np.nan)

    return guarded


def _same(*args: Any) -> tuple[int, ...]:
    return tuple(np.shape(args[0]))


def _scalar(*args: Any) -> tuple[int, ...]:
    return ()


def _vector(*args: Any) -> tuple[int, ...]:
    return (np.shape(args[0])[0],)


def _second(*args: Any) -> tuple[int, ...]:
    return tuple(np.shape(args[1]))


def _ball_inv(a: Any) -> Any:
    return _array(_matrix(a).inv()) if a.size else a


def _ball_det(a: Any) -> Any:
    return _objects([_matrix(a).det() if a.size else arb(1)], ())


def _ball_logdet(a: Any) -> Any:
    return _objects([abs(_matrix(a).det()).log() if a.size else arb(0)], ())


def _ball_solve(a: Any, b: Any) -> Any:
    if not a.size:
        return b
    columns = b.reshape(b.shape[0], -1)
    return _array(_matrix(a).solve(_matrix(columns))).reshape(b.shape)


def _ball_cholesky(a: Any) -> Any:
    n = a.shape[0]
    lower = _objects([arb(0)] * (n * n), (n, n))
    for j in range(n):
        pivot = a[j, j] - sum((lower[j, k] ** 2 for k in range(j)), arb(0))
        if not pivot > 0:
            return _nan_like((n, n))
        lower[j, j] = pivot.sqrt()
        for i in range(j + 1, n):
            rest = a[i, j] - sum((lower[i, k] * lower[j, k] for k in range(j)), arb(0))
            lower[i, j] = rest / lower[j, j]
    return lower


def _ball_expm(a: Any) -> Any:
    return _array(_matrix(a).exp()) if a.size else a


def _ball_matpow(a: Any, k: Any) -> Any:
    exponent = k.item().unique_fmpz()
    if exponent is None or abs(exponent) > 10_000:
        return _nan_like(a.shape)
    m = _matrix(a) if exponent >= 0 else _matrix(a).inv()
    return _array(m ** int(abs(exponent)))


def _float_matpow(a: Any, k: Any) -> Any:
    if float(k) != round(float(k)):
        return np.full(a.shape, np.nan)
    return np.linalg.matrix_power(a, round(float(k)))


def _frechet(expm: Callable[[Any], Any], zeros: Callable[[int], Any]) -> Callable[[Any, Any], Any]:
    """The derivative of expm at A in the direction E is the corner of expm [[A, E], [0, A]]."""

    def frechet(a: Any, e: Any) -> Any:
        n = a.shape[0]
        return expm(np.block([[a, e], [zeros(n), a]]))[:n, n:]

    return frechet


def _ball_zeros(n: int) -> Any:
    return _objects([arb(0)] * (n * n), (n, n))


_exp = np.frompyfunc(arb.exp, 1, 1)
_log = np.frompyfunc(arb.log, 1, 1)


def _ball_sum(x: Any) -> Ball:
    total = arb(0)
    for v in x.reshape(-1):
        total += v
    return total


def _ball_softmax(x: Any) -> Any:
    e = _exp(x)
    return e / _ball_sum(e) if x.size else x


def _ball_logsumexp(x: Any) -> Any:
    return _objects([_ball_sum(_exp(x)).log() if x.size else NAN_BALL], ())


def _ball_log_softmax(x: Any) -> Any:
    return x - _ball_sum(_exp(x)).log() if x.size else x


def _ball_layernorm(x: Any, eps: Any = None) -> Any:
    centred = x - _ball_sum(x) / x.size
    variance = _ball_sum(centred * centred) / x.size
    return centred / (variance if eps is None else variance + eps.item()).sqrt()


def _shifted(x: Any) -> tuple[Any, Any]:
    """x - max(x), and log(sum(exp(x - max(x)))) to its last digit, along the last axis."""
    top = np.argmax(x, axis=-1, keepdims=True)
    best = np.take_along_axis(x, top, axis=-1)
    moved = x - np.where(best == -np.inf, 0.0, best)
    others = np.exp(moved)
    np.put_along_axis(others, top, np.where(best == -np.inf, -1.0, 0.0), axis=-1)
    return moved, np.log1p(others.sum(axis=-1, keepdims=True))


def _float_logsumexp(x: Any) -> Any:
    if not x.shape[-1]:
        return np.full(x.shape[:-1], np.nan)
    best = np.max(x, axis=-1)
    return np.where(np.isinf(best), best, best + _shifted(x)[1][..., 0])


def _float_log_softmax(x: Any) -> Any:
    if not x.shape[-1]:
        return x
    moved, rest = _shifted(x)
    return moved - rest


def _float_layernorm(x: Any, eps: Any = 0.0) -> Any:
    centred = x - x.mean()
    return centred / np.sqrt((centred**2).mean() + eps)


def _scan(combine: Callable[[Ball, Ball], Ball]) -> Callable[[Any], Any]:
    def scan(x: Any) -> Any:
        out: list[Ball] = []
        for v in x:
            out.append(combine(out[-1], v) if out else v)
        return _objects(out, (len(out),))

    return scan


def _sorted_balls(x: Any) -> Any:
    return _objects(sorted(x, key=lambda v: float(v.mid())), x.shape)


def _float_solve(a: Any, b: Any) -> Any:
    return np.linalg.solve(a, b)


_OPERATIONS = (
    MatrixOperation("inv", (2,), _float_guard(np.linalg.inv, _same), _guard(_ball_inv, _same)),
    MatrixOperation("det", (2,), _float_guard(np.linalg.det, _scalar), _guard(_ball_det, _scalar)),
    MatrixOperation("logdet", (2,), _float_guard(lambda a: np.linalg.slogdet(a)[1], _scalar), _guard(_ball_logdet, _scalar)),
    MatrixOperation("solve", (2, -1), _float_guard(_float_solve, _second), _guard(_ball_solve, _second)),
    MatrixOperation("cholesky", (2,), _float_guard(np.linalg.cholesky, _same), _guard(_ball_cholesky, _same)),
    MatrixOperation("expm", (2,), _float_guard(linalg.expm, _same), _guard(_ball_expm, _same)),
    MatrixOperation(
        "expm_frechet",
        (2, 2),
        _float_guard(_frechet(linalg.expm, lambda n: np.zeros((n, n))), _same),
        _guard(_frechet(_ball_expm, _ball_zeros), _same),
    ),
    MatrixOperation("matpow", (2, 0), _float_guard(_float_matpow, _same), _guard(_ball_matpow, _same)),
    MatrixOperation("eigvals", (2,), _float_guard(sp.float_eigvals, _vector), _guard(sp.ball_eigvals, _vector)),
    MatrixOperation("eigvecs", (2,), _float_guard(sp.float_eigvecs, _same), _guard(sp.ball_eigvecs, _same)),
    MatrixOperation("sqrtm", (2,), _float_guard(sp.float_sqrtm, _same), _guard(sp.ball_sqrtm, _same)),
    MatrixOperation("polar", (2,), _float_guard(sp.float_polar, _same), _guard(sp.ball_polar, _same)),
    MatrixOperation("nuclear_norm", (2,), _float_guard(sp.float_nuclear_norm, _scalar), _guard(sp.ball_nuclear_norm, _scalar)),
    MatrixOperation("spectral_norm", (2,), _float_guard(sp.float_spectral_norm, _scalar), _guard(sp.ball_spectral_norm, _scalar)),
    MatrixOperation("softmax", (1,), lambda x: np.exp(_float_log_softmax(x)), _ball_softmax, True),
    MatrixOperation("log_softmax", (1,), _float_log_softmax, _ball_log_softmax, True),
    MatrixOperation("logsumexp", (1,), _float_logsumexp, _ball_logsumexp, True),
    MatrixOperation("layernorm", (1, 0), _float_layernorm, _ball_layernorm),
    MatrixOperation("cumsum", (1,), lambda x: np.cumsum(x, axis=-1), _scan(lambda a, b: a + b), True),
    MatrixOperation("cumprod", (1,), lambda x: np.cumprod(x, axis=-1), _scan(lambda a, b: a * b), True),
    MatrixOperation("sort", (1,), lambda x: np.sort(x, axis=-1), _sorted_balls, True),
)
OPERATIONS: dict[str, MatrixOperation] = {o.name: o for o in _OPERATIONS}

"""The functions of the language and those of SymPy, each as the other calls it; what SymPy lacks is given a number there."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import sympy

from symgen.tensor.expression import (
    HALF,
    MINUS_ONE,
    ONE,
    ZERO,
    Scalar,
    add,
    compare,
    delta,
    divide,
    fn,
    mul,
    neg,
    power,
    sub,
    where,
)

__all__ = ["FROM_SYMPY", "HANDED_OUT", "TO_SYMPY", "own_function", "polygamma"]

_S = sympy
HUNDREDTH = sympy.Rational(1, 100)  # the slope of leaky_relu


def _lbeta(a: Any, b: Any) -> Any:
    return _S.loggamma(a) + _S.loggamma(b) - _S.loggamma(a + b)


def _beta(a: Any, b: Any) -> Any:
    return _S.gamma(a) * _S.gamma(b) / _S.gamma(a + b)


TO_SYMPY: dict[str, Callable[..., Any]] = {
    "exp": _S.exp, "log": _S.log, "log1p": lambda x: _S.log(1 + x), "expm1": lambda x: _S.exp(x) - 1,
    "abs": _S.Abs, "sign": _S.sign, "sin": _S.sin, "cos": _S.cos, "tan": _S.tan, "sinh": _S.sinh, "cosh": _S.cosh,
    "tanh": _S.tanh, "asin": _S.asin, "acos": _S.acos, "atan": _S.atan, "asinh": _S.asinh, "acosh": _S.acosh,
    "atanh": _S.atanh, "sigmoid": lambda x: 1 / (1 + _S.exp(-x)), "softplus": lambda x: _S.log(1 + _S.exp(x)),
    "relu": lambda x: _S.Max(x, 0), "silu": lambda x: x / (1 + _S.exp(-x)),
    "gelu": lambda x: x * (1 + _S.erf(x / _S.sqrt(2))) / 2,
    "leaky_relu": lambda x, a=HUNDREDTH: _S.Piecewise((x, x > 0), (a * x, True)),
    "elu": lambda x, a=_S.S.One: _S.Piecewise((x, x > 0), (a * (_S.exp(x) - 1), True)),
    "erf": _S.erf, "erfc": _S.erfc, "lgamma": _S.loggamma, "gamma": _S.gamma, "digamma": _S.digamma,
    "trigamma": _S.trigamma, "polygamma": _S.polygamma, "beta": _beta, "lbeta": _lbeta, "max": _S.Max, "min": _S.Min,
    "clip": lambda x, a, b: _S.Min(_S.Max(x, a), b),
    "xlogy": lambda x, y: _S.Piecewise((0, _S.Eq(x, 0)), (x * _S.log(y), True)),
    "floor": _S.floor, "mod": _S.Mod, "div": lambda a, n: _S.floor(a / n), "E1": lambda x: _S.expint(1, x), "Ei": _S.Ei,
    "besseli": _S.besseli, "besselk": _S.besselk, "hyp1f1": lambda a, b, x: _S.hyper((a,), (b,), x),
    "hyp2f1": lambda a, b, c, x: _S.hyper((a, b), (c,), x), "zeta": _S.zeta, "dilog": lambda x: _S.polylog(2, x),
    "igamma": lambda a, x: _S.lowergamma(a, x) / _S.gamma(a),
    "ibeta": lambda a, b, x: _S.betainc_regularized(a, b, 0, x),
}  # fmt: skip


def _part(part: Any, f: Callable[..., Any]) -> Callable[..., Any]:
    """The real or imaginary part of f at x + i y, which stand last."""
    return lambda *args: part(f(*args[:-2], args[-2] + _S.I * args[-1]), evaluate=False)


# what is handed out, and stays whole inside: SymPy's parts of a function do not come back
HANDED_OUT: dict[str, Callable[..., Any]] = {
    f"{name}_{end}": _part(part, f)
    for name, f in {
        "scaled_E1": lambda z: _S.exp(z) * _S.expint(1, z), "polygamma": _S.polygamma,
        "lerch": lambda s, a, z: _S.lerchphi(z, s, a),
    }.items()
    for end, part in (("re", _S.re), ("im", _S.im))
}  # fmt: skip


@cache
def own_function(name: str) -> Any:
    """A function that SymPy lacks, as one of SymPy's with a number: `evalf` asks for its ball."""
    from flint import arb, ctx

    from symgen.tensor.numeric import FUNCTIONS as NUMERIC

    row = NUMERIC.get(name)
    if row is None:
        return sympy.Function(name)

    def evaluated(self: Any, precision: int) -> Any:
        if not all(a.is_number and a.is_extended_real for a in self.args):
            return None
        with ctx.workprec(precision + 30):
            value = row.ball(*(arb(str(a.evalf(int(precision / 3) + 10))) for a in self.args))
        return (
            sympy.Float(value.mid().str(int(precision / 3) + 5, radius=False), precision=precision) if value.is_finite() else None
        )

    return type(name, (sympy.Function,), {"_eval_evalf": evaluated})


FROM_SYMPY: dict[type, Callable[..., Scalar]] = {
    _S.exp: lambda x: fn("exp", x), _S.log: lambda x: fn("log", x), _S.Abs: lambda x: fn("abs", x),
    _S.sign: lambda x: fn("sign", x), _S.sin: lambda x: fn("sin", x), _S.cos: lambda x: fn("cos", x),
    _S.tan: lambda x: fn("tan", x), _S.cot: lambda x: power(fn("tan", x), MINUS_ONE),
    _S.sec: lambda x: power(fn("cos", x), MINUS_ONE), _S.csc: lambda x: power(fn("sin", x), MINUS_ONE),
    _S.sinh: lambda x: fn("sinh", x), _S.cosh: lambda x: fn("cosh", x), _S.tanh: lambda x: fn("tanh", x),
    _S.coth: lambda x: power(fn("tanh", x), MINUS_ONE),
    _S.asin: lambda x: fn("asin", x), _S.acos: lambda x: fn("acos", x), _S.atan: lambda x: fn("atan", x),
    # the language has no inverse hyperbolic functions: they are logarithms
    _S.asinh: lambda x: fn("log", add(x, power(add(mul(x, x), ONE), HALF))),
    _S.acosh: lambda x: fn("log", add(x, power(add(mul(x, x), MINUS_ONE), HALF))),
    _S.atanh: lambda x: mul(HALF, fn("log", divide(add(ONE, x), sub(ONE, x)))),
    _S.erf: lambda x: fn("erf", x), _S.erfc: lambda x: fn("erfc", x), _S.loggamma: lambda x: fn("lgamma", x),
    _S.gamma: lambda x: fn("gamma", x), _S.factorial: lambda x: fn("gamma", add(x, ONE)),
    _S.floor: lambda x: fn("floor", x), _S.ceiling: lambda x: neg(fn("floor", neg(x))), _S.Ei: lambda x: fn("Ei", x),
    _S.lowergamma: lambda a, x: mul(fn("gamma", a), fn("igamma", a, x)),
    _S.uppergamma: lambda a, x: mul(fn("gamma", a), sub(ONE, fn("igamma", a, x))),
    _S.besseli: lambda a, x: fn("besseli", a, x), _S.besselk: lambda a, x: fn("besselk", a, x),
    _S.Mod: lambda a, n: sub(a, mul(n, fn("floor", divide(a, n)))),
    _S.zeta: lambda s, a=ONE: fn("zeta", s) if a is ONE else fn("zeta", s, a),
    _S.KroneckerDelta: lambda i, j: delta(i, j), _S.Heaviside: lambda x, *_: where(compare("<", x, ZERO), ZERO, ONE),
}  # fmt: skip


def polygamma(n: Scalar, x: Scalar) -> Scalar:
    if n is ZERO:
        return fn("digamma", x)
    return fn("trigamma", x) if n is ONE else fn("polygamma", n, x)

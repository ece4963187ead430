"""The backends ▣: how each function and operation is written in NumPy, and the helper functions that a module carries.

A function without an entry here is written by the `numeric` template of its row in tensor/functions.py or
tensor/operations.py. Entries here are those that code needs in a form without overflow, or without SciPy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from symgen.tensor.functions import FUNCTIONS
from symgen.tensor.operations import OPERATIONS
from symgen.text.diagnostics import CannotDerive

__all__ = ["HELPERS", "Helper", "Template", "function_template", "operation_template"]


@dataclass(frozen=True)
class Helper:
    """A function that generated modules define where they use it; `uses` are the helpers that it calls."""

    name: str
    text: str
    uses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Template:
    """A text with `{0}`, `{1}` for the arguments; a lone `{0}` inside a call needs no brackets. `call` says that the text
    is an atom, `imports` what it takes from SciPy."""

    text: str
    helpers: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()


HELPERS = {
    h.name: h
    for h in (
        Helper(
            "sigmoid",
            '''\
def sigmoid(z):
    """1/(1 + exp(-z)), exact to the last digits in both tails."""
    with np.errstate(over="ignore"):  # exp(-z) = inf gives 0, as it should
        s = np.exp(np.negative(z))
        s += 1
        return 1 / s
''',
        ),
        Helper(
            "softplus",
            '''\
def softplus(z):
    """log(1 + exp(z)) without overflow."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))
''',
        ),
        Helper(
            "softmax",
            '''\
def softmax(Z):
    """exp(Z)/sum(exp(Z)) over the last axis, without overflow."""
    E = Z - Z.max(axis=-1, keepdims=True)
    np.exp(E, out=E)
    E /= E.sum(axis=-1, keepdims=True)
    return E
''',
        ),
        Helper(
            "logsumexp",
            '''\
def logsumexp(Z):
    """log(sum(exp(Z))) over the last axis, without overflow."""
    top = Z.max(axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):  # the log of a sum of zeros is -inf
        return np.log(np.exp(Z - top).sum(axis=-1)) + top[..., 0]
''',
        ),
        Helper(
            "log_softmax",
            '''\
def log_softmax(Z):
    """Z - log(sum(exp(Z))) over the last axis, without overflow."""
    Z = Z - Z.max(axis=-1, keepdims=True)
    return Z - np.log(np.exp(Z).sum(axis=-1, keepdims=True))
''',
        ),
        Helper(
            "xlogy",
            '''\
def xlogy(x, y):
    """x*log(y), and 0 where x is 0."""
    return x * np.log(np.where(x == 0, 1, y))
''',
        ),
        Helper(
            "logdet",
            '''\
def logdet(A):
    """log|det A|."""
    return np.linalg.slogdet(A)[1]
''',
        ),
        Helper(
            "logdet_spd",
            '''\
def logdet_spd(A):
    """log(det A) of a symmetric positive definite A, from its Cholesky factor."""
    L = np.linalg.cholesky(A)
    return 2 * np.log(np.diagonal(L, axis1=-2, axis2=-1)).sum(axis=-1)
''',
        ),
        Helper(
            "matrix_power",
            '''\
def matrix_power(A, k):
    """A^k for a whole number k."""
    if float(k) != round(float(k)):
        raise ValueError(f"the exponent of a matrix power is a whole number, not {k}")
    return np.linalg.matrix_power(A, round(float(k)))
''',
        ),
        Helper(
            "inside",
            '''\
def inside(i, size):
    """The position i, which has to be one of 0 .. size-1."""
    if not 0 <= i < size:
        raise IndexError(f"there is no entry {i} on an axis of {size}")
    return i
''',
        ),
        Helper(
            "all_inside",
            '''\
def all_inside(i, size):
    """The positions i, each of which has to be one of 0 .. size-1."""
    if i.size and not (0 <= i.min() and i.max() < size):
        raise IndexError(f"the entries {i.min()} .. {i.max()} do not lie on an axis of {size}")
    return i
''',
        ),
        Helper(
            "put",
            '''\
def put(shape, where, values, dtype):
    """Zeros of a shape, with `values` at `where`."""
    out = np.zeros(shape, dtype)
    out[where] = values
    return out
''',
        ),
        Helper(
            "put_added",
            '''\
def put_added(shape, where, values, dtype):
    """Zeros of a shape, with the rows of `values` added at the positions `where` of the first axis."""
    out = np.zeros(shape, dtype)
    np.add.at(out, where, values)
    return out
''',
        ),
    )
}

_FUNCTIONS = {
    "sigmoid": Template("sigmoid({0})", ("sigmoid",)),
    "softplus": Template("softplus({0})", ("softplus",)),
    "relu": Template("np.maximum({0}, 0)"),
    "silu": Template("{0} * sigmoid({0})", ("sigmoid",)),
    "xlogy": Template("xlogy({0}, {1})", ("xlogy",)),
    "leaky_relu": Template("np.where({0} > 0, {0}, {1} * {0})"),
    "elu": Template("np.where({0} > 0, {0}, {1} * np.expm1(np.minimum({0}, 0)))"),
    "gelu": Template("0.5 * {0} * special.erfc({0} * -0.7071067811865476)", (), ("special",)),
    "trigamma": Template("special.polygamma(1, {0})", (), ("special",)),
    "logaddexp": Template("np.logaddexp({0}, {1})"),
}

_OPERATIONS = {
    "softmax": Template("softmax({0})", ("softmax",)),
    "log_softmax": Template("log_softmax({0})", ("log_softmax",)),
    "logsumexp": Template("logsumexp({0})", ("logsumexp",)),
    "logdet": Template("logdet({0})", ("logdet",)),
    "logdet_spd": Template("logdet_spd({0})", ("logdet_spd",)),
    "matpow": Template("matrix_power({0}, {1})", ("matrix_power",)),
}

DEFAULTS = {"leaky_relu": ("0.01",), "elu": ("1",), "zeta": ("1",)}


def _positional(text: str, names: tuple[str, ...]) -> str:
    """{x} and {y} as {0} and {1}."""
    places = {name: str(k) for k, name in enumerate(names)}
    return re.sub(r"\{(\w+)\}", lambda m: "{" + places[m[1]] + "}", text)


def function_template(name: str) -> Template:
    """How `name` is written in NumPy."""
    own = _FUNCTIONS.get(name)
    if own is not None:
        return own
    row = FUNCTIONS.get(name)
    if row is None:
        raise CannotDerive(f"`{name}` is not known as numbers", None, "symgen/tensor/functions.py")
    text = _positional(row.numeric, row.arguments)
    return Template(text, (), _imports(text))


def operation_template(name: str) -> Template:
    """How the operation `name` is written in NumPy."""
    own = _OPERATIONS.get(name)
    if own is not None:
        return own
    row = OPERATIONS.get(name)
    if row is None or not row.numeric:
        raise CannotDerive(f"the operation `{name}` is not known as numbers", None, "symgen/tensor/operations.py")
    text = _positional(row.numeric, tuple(row.operands))
    return Template(text, (), _imports(text))


def _imports(text: str) -> tuple[str, ...]:
    found = ["special"] if re.search(r"(?<![\w.])special\.", text) else []
    if re.search(r"(?<![\w.])linalg\.", text):
        found.append("linalg")
    return tuple(found)

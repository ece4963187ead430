"""Functions of whole arrays, one entry each: reductions, linear algebra, what joins and reshapes.

An entry reads its arguments and builds the index form; `network_functions` adds those of neural networks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from symgen.tensor import build
from symgen.tensor.build import ShapeClash, Value
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Num,
    compare,
    entry,
    fold,
    fresh_index,
    logic,
    operation,
    substitute,
    tensor,
    total,
    where,
)  # fmt: skip
from symgen.tensor.reading import Reading
from symgen.tensor.scope import Clash, shape_text
from symgen.text import tree

Special = Callable[[Reading, tree.Call], Value]
ARRAY_FUNCTIONS: dict[str, Special] = {}


def special(*names: str) -> Callable[[Special], Special]:
    def put(f: Special) -> Special:
        for n in names:
            ARRAY_FUNCTIONS[n] = f
        return f

    return put


def arguments(r: Reading, e: tree.Call, count: int, *keywords: str) -> tuple[list[Value], dict[str, tree.Expression]]:
    named = r.no_keywords(e, *keywords)
    if len(e.arguments) != count:
        raise r.wrong_count(e, str(count))
    return [r.number(a) for a in e.arguments], named


def integer(r: Reading, e: tree.Expression, what: str) -> int:
    v = r.scalar(e, what)
    if not isinstance(v, Num) or isinstance(v.value, str) or v.value.denominator != 1:
        raise Clash(f"{what} is an integer", e.span, "not an integer")
    return int(v.value)


def axes_of(r: Reading, named: Mapping[str, tree.Expression]) -> list[int] | None:
    e = named.get("axis")
    if e is None:
        return None
    items = e.items if isinstance(e, tree.ListOf) else (e,)
    return [integer(r, x, "an axis") for x in items]


def truth(r: Reading, e: tree.Expression | None) -> bool:
    if e is None:
        return False
    if isinstance(e, tree.Name) and e.name in ("True", "true", "False", "false"):
        return e.name in ("True", "true")
    return bool(integer(r, e, "a truth value"))


@special("sum", "mean", "prod", "logsumexp", "var", "norm")
def _reduction(r: Reading, e: tree.Call) -> Value:
    (v,), named = arguments(r, e, 1, "axis", "keepdims")
    return build.reduce(e.function, v, axes_of(r, named), truth(r, named.get("keepdims")))


@special("max", "min")
def _extremum(r: Reading, e: tree.Call) -> Value:
    if len(e.arguments) == 1:
        return _reduction(r, e)
    r.no_keywords(e)
    if not e.arguments:
        raise r.wrong_count(e, "1 or more")
    result = r.number(e.arguments[0])
    for a in e.arguments[1:]:
        result = build.apply(e.function, result, r.number(a))
    return result


@special("softmax", "log_softmax", "cumsum", "cumprod")
def _along(r: Reading, e: tree.Call) -> Value:
    (v,), named = arguments(r, e, 1, "axis")
    axes = axes_of(r, named) or [-1]
    if e.function in ("cumsum", "cumprod"):
        (k,) = build.normal_axes(v.rank, axes)
        v = build.settled(v)
        i, j = v.indices[k], fresh_index(v.shape[k])
        inner = substitute(v.body, {i: j})
        kept = compare("<=", j, i)
        if e.function == "cumsum":
            return Value(v.indices, total(where(kept, inner, ZERO), [j]))
        return Value(v.indices, fold("prod", where(kept, inner, ONE), [j]))
    return build.along_axis(e.function, v, axes[0])


@special("inv")
def _inv(r: Reading, e: tree.Call) -> Value:
    (v,), _ = arguments(r, e, 1)
    return build.inverse(v)


@special("det", "logdet")
def _det(r: Reading, e: tree.Call) -> Value:
    (v,), _ = arguments(r, e, 1)
    return build.determinant(v, e.function)


@special("cholesky", "expm", "eigvecs", "sqrtm")
def _square(r: Reading, e: tree.Call) -> Value:
    (v,), _ = arguments(r, e, 1)
    return build.operate(e.function, build.square(v, e.function), v.shape)


@special("eigvals")
def _eigvals(r: Reading, e: tree.Call) -> Value:
    (v,), _ = arguments(r, e, 1)
    return build.operate("eigvals", build.square(v, "eigvals"), v.shape[:-1])


@special("nuclear_norm", "spectral_norm", "polar")
def _of_singular_values(r: Reading, e: tree.Call) -> Value:
    (v,), _ = arguments(r, e, 1)
    if v.rank < 2:
        raise ShapeClash(f"`{e.function}` takes a matrix")
    return build.operate(e.function, v, v.shape if e.function == "polar" else v.shape[:-2])


@special("matpow")
def _matpow(r: Reading, e: tree.Call) -> Value:
    (v, k), _ = arguments(r, e, 2)
    build.square(v, "matpow")
    if k.rank:
        power = e.arguments[1]
        raise Clash("the exponent of `matpow` must be a scalar", power.span, shape_text(k.shape), r.witnesses(power))
    if isinstance(k.body, Num) and not isinstance(k.body.value, str) and k.body.value.denominator == 1:
        n = int(k.body.value)
        if n == 0:
            return build.identity(v.shape[-1])
        if abs(n) <= 16:
            base = build.inverse(v) if n < 0 else v
            result = base
            for _ in range(abs(n) - 1):
                result = build.matmul(result, base)
            return result
    if isinstance(k.body, Num) and not (isinstance(k.body.value, Fraction) and k.body.value.denominator == 1):
        raise Clash("the exponent of `matpow` is a whole number", e.arguments[1].span, "not a whole number")
    if v.outer or k.outer:
        raise Clash("`matpow` with a symbolic exponent does not stand under an index", e.span)
    return build.operate("matpow", v, v.shape, (k.body,))


@special("expm_frechet")
def _expm_frechet(r: Reading, e: tree.Call) -> Value:
    """The derivative of expm at A in the direction E; both map over common batch axes."""
    values, _ = arguments(r, e, 2)
    a, b = (build.square(v, "expm_frechet") for v in values)
    if not build.same_size(a.shape[-1], b.shape[-1]):
        raise ShapeClash("`expm_frechet` takes two matrices of one size", a.shape[-1], b.shape[-1], 1)
    outer = tuple(sorted({*a.outer, *b.outer}, key=lambda i: (i.kind, i.number)))
    batch, (left, right) = build.broadcast([Value(a.indices[:-2], a.body), Value(b.indices[:-2], b.body)])
    operands = (
        tensor((*outer, *batch, *a.indices[-2:]), left),
        tensor((*outer, *batch, *b.indices[-2:]), right),
    )
    result = operation("expm_frechet", operands, operands[0].shape)
    indices = build.fresh(result.shape[len(outer) :])
    return Value(indices, entry(result, *outer, *indices))


@special("solve")
def _solve(r: Reading, e: tree.Call) -> Value:
    (a, b), _ = arguments(r, e, 2)
    if a.rank < 2 or not build.same_size(a.shape[-1], a.shape[-2]):
        text = r.written(e.arguments[0].span)
        raise Clash(
            f"`solve` takes a square matrix, and `{text}` {shape_text(a.shape)}", e.arguments[0].span, "not square",
            r.witnesses(e.arguments[0]), help=f"`solve({text}' @ {text}, {text}' @ b)` is least squares" if a.rank == 2 else None,
        )  # fmt: skip
    return build.matmul(build.inverse(a), b)


@special("tr", "trace")
def _trace(r: Reading, e: tree.Call) -> Value:
    (v,), _ = arguments(r, e, 1)
    return build.trace(v)


@special("diag")
def _diag(r: Reading, e: tree.Call) -> Value:
    (v,), _ = arguments(r, e, 1)
    if v.rank != 1:
        text = r.written(e.arguments[0].span)
        raise Clash(
            f"`diag` takes a vector, and `{text}` {shape_text(v.shape)}", e.span, "", r.witnesses(*e.arguments),
            help=f"`diagonal({text})` is the diagonal of a matrix",
        )  # fmt: skip
    return build.diagonal_matrix(v)


@special("diagonal")
def _diagonal(r: Reading, e: tree.Call) -> Value:
    (v,), _ = arguments(r, e, 1)
    return build.diagonal(v)


@special("outer")
def _outer(r: Reading, e: tree.Call) -> Value:
    (a, b), _ = arguments(r, e, 2)
    return build.outer(a, b)


@special("dot")
def _dot(r: Reading, e: tree.Call) -> Value:
    (a, b), _ = arguments(r, e, 2)
    return build.dot(a, b)


@special("kron")
def _kron(r: Reading, e: tree.Call) -> Value:
    (a, b), _ = arguments(r, e, 2)
    return build.kron(a, b)


@special("vec")
def _vec(r: Reading, e: tree.Call) -> Value:
    (a,), _ = arguments(r, e, 1)
    return build.vec(a)


@special("tril", "triu")
def _triangle(r: Reading, e: tree.Call) -> Value:
    """The lower (upper) triangle of a matrix, zeros elsewhere."""
    (a,), _ = arguments(r, e, 1)
    return build.triangle(a, e.function == "tril")


@special("eye")
def _eye(r: Reading, e: tree.Call) -> Value:
    r.no_keywords(e)
    if len(e.arguments) not in (1, 2):
        raise r.wrong_count(e, "1 or 2")
    return build.identity(*(r.size(a) for a in e.arguments))


@special("ones", "zeros")
def _filled(r: Reading, e: tree.Call) -> Value:
    r.no_keywords(e)
    return build.filled([r.size(a) for a in e.arguments], ONE if e.function == "ones" else ZERO)


@special("reshape")
def _reshape(r: Reading, e: tree.Call) -> Value:
    r.no_keywords(e)
    if len(e.arguments) < 2:
        raise r.wrong_count(e, "2 or more")
    shape = list(e.arguments[1:])
    if len(shape) == 1 and isinstance(shape[0], tree.ListOf):
        shape = list(shape[0].items)
    sizes = [r.size(a) for a in shape]
    for size, a in zip(sizes, shape, strict=True):
        if isinstance(size, Num) and not isinstance(size.value, str) and size.value < 1:
            raise Clash("a size is at least 1", a.span, f"is {size.value}", help="every size is said: none is worked out")
    return build.reshape(r.number(e.arguments[0]), sizes)


@special("concat", "stack")
def _joined(r: Reading, e: tree.Call) -> Value:
    named = r.no_keywords(e, "axis")
    axis = integer(r, named["axis"], "an axis") if "axis" in named else 0
    items = list(e.arguments)
    if len(items) == 1 and isinstance(items[0], tree.ListOf):
        items = list(items[0].items)
    if not items:
        raise r.wrong_count(e, "1 or more")
    values = [r.number(a) for a in items]
    return build.concat(values, axis) if e.function == "concat" else build.stack(values, axis)


@special("where")
def _where(r: Reading, e: tree.Call) -> Value:
    r.no_keywords(e)
    if len(e.arguments) != 3:
        raise r.wrong_count(e, "3")
    condition = r.condition(e.arguments[0])
    guard = None if condition.indices else condition.body
    branches = []
    for argument, holds in ((e.arguments[1], guard), (e.arguments[2], logic("not", guard) if guard is not None else None)):
        r.inside_where += 1
        r.guards.append(holds)
        try:
            branches.append(r.number(argument))
        finally:
            r.guards.pop()
            r.inside_where -= 1
    return build.select(condition, *branches)

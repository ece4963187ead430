"""The shape of a written expression, from the shapes of its names: what a printer needs to know a vector from a scalar.

A shape is a tuple of sizes as written; None where it is not known, and then the printer assumes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from symgen.tensor.functions import FUNCTIONS
from symgen.tensor.operations import OPERATIONS
from symgen.text import tree as t

Shape = tuple[t.Expression | None, ...]
REDUCTIONS = frozenset("sum mean prod max min logsumexp var norm".split())
SCALAR_CALLS = frozenset(
    "tr det logdet dot KL JS chi2 hellinger tv entropy entropy_rate cross_entropy renyi elbo wasserstein2".split()
)


def broadcast(*shapes: Shape | None) -> Shape | None:
    if any(s is None for s in shapes):
        return None
    known = [s for s in shapes if s is not None]
    rank = max((len(s) for s in known), default=0)
    out: list[t.Expression | None] = []
    for k in range(rank):
        sizes = [s[k - rank] for s in known if len(s) >= rank - k]
        wide = [z for z in sizes if not (isinstance(z, t.Number) and z.value == 1)]
        out.append(next((z for z in wide if z is not None), sizes[0] if sizes and not wide else None))
    return tuple(out)


def matmul(a: Shape | None, b: Shape | None) -> Shape | None:
    if a is None or b is None or not a or not b:
        return None
    if len(a) == 1:
        return b[:-2] + b[-1:] if len(b) > 1 else ()
    if len(b) == 1:
        return a[:-1]
    return (broadcast(a[:-2], b[:-2]) or ()) + (a[-2], b[-1])


def shape_of(e: t.Tree, shapes: Mapping[str, Shape]) -> Shape | None:
    """The shape of `e`."""
    match e:
        case t.Number():
            return ()
        case t.Name(name):
            return shapes[name] if name in shapes else () if name in ("pi", "e", "inf", "undefined") else None
        case t.Terms(terms):
            return broadcast(*(shape_of(x, shapes) for _, x in terms))
        case t.Factors(first, rest):
            out = shape_of(first, shapes)
            for op, x in rest:
                other = shape_of(x, shapes)
                out = matmul(out, other) if op == "@" else broadcast(out, other)
            return out
        case t.Power(base, exponent):
            return broadcast(shape_of(base, shapes), shape_of(exponent, shapes))
        case t.Transpose(operand):
            inner = shape_of(operand, shapes)
            return inner if inner is None or len(inner) < 2 else (*inner[:-2], inner[-1], inner[-2])
        case t.Comparison(operands) | t.Logical(_, operands):
            return broadcast(*(shape_of(x, shapes) for x in operands))
        case t.Subscript(operand, items):
            return _subscript(shape_of(operand, shapes), items, shapes)
        case t.ListOf(items):
            inner = shape_of(items[0], shapes) if items else None
            return None if inner is None else (t.Number(Fraction(len(items))), *inner)
        case t.Call():
            return _call(e, shapes)
        case t.Binder():
            return _binder(e, shapes)
    return None


def _subscript(shape: Shape | None, items: tuple[t.Expression, ...], shapes: Mapping[str, Shape]) -> Shape | None:
    if shape is None:
        return None
    out: list[t.Expression | None] = []
    k = 0
    for item in items:
        if isinstance(item, t.Name) and item.name == "None" and "None" not in shapes:
            out.append(t.Number(Fraction(1)))
            continue
        if k >= len(shape):
            return None
        if isinstance(item, t.Slice):
            out.append(shape[k] if item.lower is None and item.upper is None and item.step is None else None)
        k += 1
    return (*out, *shape[k:])


def _axis(e: t.Call) -> list[int] | None:
    for k in e.keywords:
        if k.name == "axis":
            items = k.value.items if isinstance(k.value, t.ListOf) else (k.value,)
            out = []
            for x in items:
                sign = 1
                if isinstance(x, t.Terms) and len(x.terms) == 1:
                    sign, x = x.terms[0]
                if not isinstance(x, t.Number):
                    return None
                out.append(sign * int(x.value))
            return out
    return None


def _call(e: t.Call, shapes: Mapping[str, Shape]) -> Shape | None:
    arguments = [shape_of(a, shapes) for a in e.arguments]
    name = e.function
    if name in SCALAR_CALLS or e.log:
        return ()
    if name in REDUCTIONS and len(arguments) == 1:
        inner, axis = arguments[0], _axis(e)
        kept = any(k.name == "keepdims" for k in e.keywords)
        if axis is None or inner is None:
            return inner if kept else () if axis is None else None
        gone = {a % len(inner) for a in axis if inner}
        if kept:
            return tuple(t.Number(Fraction(1)) if k in gone else s for k, s in enumerate(inner))
        return tuple(s for k, s in enumerate(inner) if k not in gone)
    if name in FUNCTIONS or name == "where":
        return broadcast(*arguments)
    if name in ("eye",):
        return (e.arguments[0], e.arguments[0])
    if name in ("ones", "zeros"):
        return e.arguments
    if name == "diag" and arguments[0] is not None:
        return (*arguments[0], arguments[0][-1]) if arguments[0] else None
    if name == "diagonal" and arguments[0] is not None:
        return arguments[0][:-1]
    if name == "outer" and None not in arguments:
        return tuple(s for a in arguments if a is not None for s in a)
    if name in ("softmax", "log_softmax", "cumsum", "cumprod", "layernorm", "grad", "tril", "triu", "matpow") and arguments:
        return arguments[0 if name == "matpow" else -1]
    if name == "embed" and len(arguments) == 2 and arguments[0] is not None and arguments[1] is not None:
        return (*arguments[1], *arguments[0][1:])
    if name == "vec" or (name == "kron" and None not in arguments):
        return (None,) if name == "vec" else (None,) * len(arguments[0] or ())
    if name == "reshape":
        return tuple(e.arguments[1:])
    if name == "concat" and arguments and arguments[0] is not None:
        axis = _axis(e) or [0]
        return tuple(None if k == axis[0] % len(arguments[0]) else s for k, s in enumerate(arguments[0]))
    if name == "stack" and arguments and arguments[0] is not None:
        return (t.Number(Fraction(len(arguments))), *arguments[0])
    if name == "solve" and len(arguments) == 2:
        return arguments[1]
    row = OPERATIONS.get(name)
    if row is not None and None not in arguments:
        letters: dict[str, t.Expression | None] = {}
        for axes, a in zip(row.operands.values(), arguments, strict=False):
            if a is not None:
                letters.update(zip(axes, a[len(a) - len(axes) :], strict=False))
        own = next((len(a) - len(axes) for axes, a in zip(row.operands.values(), arguments, strict=False) if a), 0)
        batch = arguments[0][:own] if arguments and arguments[0] else ()
        return (*batch, *(letters.get(x) for x in row.result))
    return None


def _binder(e: t.Binder, shapes: Mapping[str, Shape]) -> Shape | None:
    inner = dict(shapes)
    sizes: list[t.Expression | None] = []
    for s in e.specs:
        if isinstance(s, t.IndexSpec):
            inner[s.name] = ()
            sizes.append(s.size)
    body = shape_of(e.arguments[0], inner) if e.arguments else None
    if e.function == "tensor":
        return None if body is None else (*sizes, *body)
    return body

"""Functions of neural networks by their index form: layernorm, attention, embed, convolutions, pooling."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from symgen.tensor import build
from symgen.tensor.array_functions import Special, arguments, axes_of, integer
from symgen.tensor.build import ShapeClash, Value
from symgen.tensor.expression import HALF, ONE, Num, add, divide, fn, fold, fresh_index, mul, num, sub, total
from symgen.tensor.reading import Reading
from symgen.tensor.scope import Clash, shape_text
from symgen.text import tree


def _layernorm(r: Reading, e: tree.Call) -> Value:
    """(x - mean)/sqrt(var + eps) along the last axis; eps = 1e-5 unless given."""
    (v,), named = arguments(r, e, 1, "axis", "eps")
    if v.rank == 0:
        raise ShapeClash("`layernorm` takes an array")
    axes = axes_of(r, named) or [-1]
    eps = r.value(named["eps"]) if "eps" in named else build.scalar(num(Fraction(1, 100000)))
    v = build.settled(v)
    centred = build.named(build.plus([(1, v), (-1, build.named(build.reduce("mean", v, axes, True)))]))
    variance = build.reduce("mean", build.raised(centred, build.number(2)), axes, True)
    root = build.named(build.raised(build.plus([(1, variance), (1, eps)]), build.scalar(HALF)))
    return build.over(centred, root)


def _attention(r: Reading, e: tree.Call) -> Value:
    """softmax(Q @ K'/sqrt(d)) @ V, d the length of a row of Q."""
    (q, k, v), _ = arguments(r, e, 3)
    scores = build.over(build.matmul(q, build.transpose(k)), build.scalar(fn("sqrt", q.shape[-1])))
    return build.matmul(build.along_axis("softmax", scores), v)


def _embed(r: Reading, e: tree.Call) -> Value:
    """embed(E, ids)[i, :] = E[ids[i], :]."""
    (table, ids), _ = arguments(r, e, 2)
    if table.rank != 2:
        raise Clash("`embed` takes a table: a matrix of rows", e.arguments[0].span, shape_text(table.shape))
    ids = build.settled(ids)
    j = table.indices[1]
    return Value((*ids.indices, j), table.at(ids.body, j))


def _window(r: Reading, named: Mapping[str, tree.Expression], key: str, default: int) -> int:
    return integer(r, named[key], f"`{key}`") if key in named else default


def _convolution(r: Reading, e: tree.Call) -> Value:
    """Cross-correlation: y[.., o, u] = sum[c, s](w[o, c, s]*x[.., c, stride*u + s - padding]), over one axis or two."""
    (x, w), named = arguments(r, e, 2, "stride", "padding")
    space = 1 if e.function == "conv1d" else 2
    stride, padding = _window(r, named, "stride", 1), _window(r, named, "padding", 0)
    if stride < 1 or padding < 0:
        raise Clash("`stride` is at least 1 and `padding` at least 0", e.span)
    if x.rank < space + 1 or w.rank != space + 2:
        extent = "length" if space == 1 else "height, width"
        raise Clash(
            f"`{e.function}` takes an input [.., channels, {extent}] and a kernel [out, channels, {extent}]",
            e.span, "", r.witnesses(*e.arguments),
        )  # fmt: skip
    x, w = build.settled(x), build.settled(w)
    if not build.same_size(x.shape[-space - 1], w.shape[1]):
        raise ShapeClash("the numbers of channels differ", x.shape[-space - 1], w.shape[1])
    for k in range(space):
        if padding:
            position = x.rank - space + k
            size = build.normal_size(add(x.shape[position], num(2 * padding)))
            x = build.named(build.shifted(x, position, num(padding), size))
    batch = x.indices[: -space - 1]
    channel = fresh_index(w.shape[1])
    out = fresh_index(w.shape[0])
    taps = [fresh_index(s) for s in w.shape[2:]]
    places = []
    for k in range(space):
        length = add(divide(sub(x.shape[x.rank - space + k], taps[k].size), num(stride)), ONE)
        if stride != 1:
            length = add(fn("floor", divide(sub(x.shape[x.rank - space + k], taps[k].size), num(stride))), ONE)
        length = build.normal_size(length)
        if isinstance(length, Num) and not isinstance(length.value, str) and length.value < 1:
            raise Clash(f"the kernel of `{e.function}` is longer than its input", e.span, "", r.witnesses(*e.arguments))
        places.append(fresh_index(length))
    at = [add(mul(num(stride), u), s) for u, s in zip(places, taps, strict=True)]
    body = total(mul(w.at(out, channel, *taps), x.at(*batch, channel, *at)), [channel, *taps])
    return Value((*batch, out, *places), body)


def _pool(r: Reading, e: tree.Call) -> Value:
    """The largest or mean entry of windows along the last axis (two of them with `axes=2`): maxpool(x, 2)."""
    named = r.no_keywords(e, "stride", "axes")
    if len(e.arguments) != 2:
        raise r.wrong_count(e, "2")
    x = build.settled(r.value(e.arguments[0]))
    width = integer(r, e.arguments[1], "the width of a window")
    stride = _window(r, named, "stride", width)
    space = _window(r, named, "axes", 1 if x.rank < 3 else 2)
    if width < 1 or stride < 1 or space > x.rank:
        raise Clash("a window is at least 1 wide and lies within the array", e.span)
    batch = x.indices[: x.rank - space]
    taps = [fresh_index(num(width)) for _ in range(space)]
    places = []
    for k in range(space):
        length = divide(sub(x.shape[x.rank - space + k], num(width)), num(stride))
        places.append(fresh_index(build.normal_size(add(fn("floor", length) if stride != 1 else length, ONE))))
    body = x.at(*batch, *(add(mul(num(stride), u), s) for u, s in zip(places, taps, strict=True)))
    if e.function == "maxpool":
        return Value((*batch, *places), fold("max", body, taps))
    return Value((*batch, *places), mul(divide(ONE, num(width**space)), total(body, taps)))


NETWORK_FUNCTIONS: dict[str, Special] = {
    "layernorm": _layernorm,
    "attention": _attention,
    "embed": _embed,
    "conv1d": _convolution,
    "conv2d": _convolution,
    "maxpool": _pool,
    "meanpool": _pool,
}

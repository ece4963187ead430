"""Sums and products as people write them: a column after a row is an inner product, a row after a column an outer one.

What has no shape (a document without a spec) is multiplied plainly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from symgen.text import tree as t
from symgen.text.latex.tokens import Slip
from symgen.text.tree import Span

__all__ = ["Item", "Shape", "added", "applied", "closed", "multiplied", "number", "transposed"]

Shape = tuple[t.Expression | None, ...]
ShapeOf = Callable[[t.Expression], "Shape | None"]


@dataclass(frozen=True)
class Item:
    """A part of a formula. `rank` is None where it is not known; `row` says that a vector stands as a row.

    `hole` marks what has a size that only its surroundings know: `ones` (the vector 1), `eye` (a multiple of I), `rows`
    (1 b', every row is b), `columns` (b 1'), `both` (1 1'). Its tree is what it is when it is broadcast.
    """

    tree: t.Expression
    rank: int | None = None
    row: bool = False
    hole: str = ""

    @property
    def span(self) -> Span:
        return self.tree.span


def number(value: int | Fraction, span: Span = t.NOWHERE) -> t.Number:
    return t.Number(Fraction(value), span=span)


def call(name: str, *arguments: t.Expression, span: Span, **keywords: t.Expression) -> t.Call:
    words = tuple(t.Keyword(k, v, span=span) for k, v in keywords.items())
    return t.Call(name, arguments, words, span=span, name_span=span)


def hull(*items: t.Tree) -> Span:
    return Span(min(x.span.start for x in items), max(x.span.end for x in items))


def closed(item: Item) -> Item:
    """What is still open in size must not leave its surroundings."""
    if item.hole in ("", "ones", "both"):
        return replace(item, hole="") if item.hole else item
    sign = r"I" if item.hole == "eye" else r"\mathbf{1}"
    raise Slip(f"the size of `{sign}` is not clear here", item.span.start, item.span.end,
               help=f"write it as an index: `{sign}_n`", malformed=False)  # fmt: skip


def transposed(item: Item, span: Span) -> Item:
    if item.rank == 0 or item.hole == "both" or item.hole == "eye":
        return item
    if item.hole in ("rows", "columns"):
        raise Slip(r"a product with `\mathbf{1}` cannot be transposed here", item.span.start, item.span.end, malformed=False)
    if item.rank == 1:
        return replace(item, row=not item.row)
    return replace(item, tree=t.Transpose(item.tree, span=span))


# --- sums -------------------------------------------------------------------------------------------------------------


def added(terms: Sequence[tuple[int, Item]], shape_of: ShapeOf) -> Item:
    """A sum; `I` and `1` take their sizes from the other terms."""
    if len(terms) == 1 and terms[0][0] > 0:
        return terms[0][1]
    span = hull(*(x.tree for _, x in terms))
    items = [x for _, x in terms]
    known = [x.rank for x in items if x.rank is not None and not x.hole]
    widest = max((x.rank for x in items if x.rank is not None), default=0 if known else None)
    rank = None if any(x.rank is None for x in items) else widest
    hole = ""
    if any(x.hole for x in items):
        solid = max(known, default=0)
        if all(x.hole == "eye" or x.rank == 0 for x in items) and any(x.hole == "eye" for x in items):
            hole = "eye" if all(x.hole == "eye" for x in items) else ""
        items = [_filled(x, items, shape_of) if x.hole == "eye" and not hole else x for x in items]
        open_ = [x.hole for x in items if x.hole and x.hole != "eye"]
        if open_ and solid < max(2 if h != "ones" else 1 for h in open_) and rank is not None:
            hole = open_[0] if len(set(open_)) == 1 and all(x.hole or x.rank == 0 for x in items) else hole
            if hole not in ("ones", "both", "eye") and open_ and not hole:
                closed(next(x for x in items if x.hole))
    vectors = [x for x in items if x.rank == 1 and not x.hole]
    row = bool(vectors) and all(x.row for x in vectors)
    if widest == 1 and any(x.row for x in vectors) and not row:
        a, b = next(x for x in vectors if x.row), next(x for x in vectors if not x.row)
        raise Slip("a row is added to a column", a.span.start, a.span.end, "a row", other=(b.span.start, b.span.end, "a column"))
    made = t.Terms(tuple((s, x.tree) for (s, _), x in zip(terms, items, strict=True)), span=span)
    return Item(made, rank, row, hole)


def _filled(eye: Item, items: Sequence[Item], shape_of: ShapeOf) -> Item:
    """c I as c*eye(n), with the size of the matrices around it."""
    for x in items:
        shape = shape_of(x.tree) if not x.hole else None
        size = shape[-1] if shape and len(shape) >= 2 else None
        if size is not None:
            return Item(scaled(eye.tree, call("eye", size, span=eye.span)), 2)
    if any(x.rank is None for x in items):
        return Item(scaled(eye.tree, t.Name("I", span=eye.span)), None)
    return closed(eye)


def scaled(coefficient: t.Expression, e: t.Expression) -> t.Expression:
    if isinstance(coefficient, t.Number) and coefficient.value == 1:
        return e
    if isinstance(coefficient, t.Factors):
        return t.Factors(coefficient.first, (*coefficient.rest, ("*", e)), span=hull(coefficient, e))
    return t.Factors(coefficient, (("*", e),), span=hull(coefficient, e))


# --- products ---------------------------------------------------------------------------------------------------------


def flat(a: t.Expression, op: str, b: t.Expression) -> t.Expression:
    """a op b, products from the left in one node."""
    span = hull(a, b)
    if isinstance(a, t.Factors):
        return t.Factors(a.first, (*a.rest, (op, b)), span=span)
    return t.Factors(a, ((op, b),), span=span)


def clash(message: str, a: Item, b: Item, help: str | None = None, malformed: bool = True) -> Slip:
    start, end = min(a.span.start, b.span.start), max(a.span.end, b.span.end)
    return Slip(message, start, end, help=help, malformed=malformed)


def multiplied(a: Item, op: str, b: Item) -> Item:
    """The product of two factors, `op` the sign between them: empty, cdot, times, * / odot circ oslash otimes mod."""
    if op in ("/", "oslash"):
        return _elementwise(a, "/", b)
    if op in ("odot", "*", "circ"):
        return _elementwise(a, "*", b)
    if op == "otimes":
        return Item(call("kron", a.tree, b.tree, span=hull(a.tree, b.tree)), 2 if a.rank == b.rank == 2 else None)
    if op == "mod":
        if a.rank or b.rank:
            raise clash("a remainder is of two numbers", a, b)
        span = hull(a.tree, b.tree)
        below = call("floor", flat(a.tree, "/", b.tree), span=span)
        return Item(t.Terms(((1, a.tree), (-1, flat(b.tree, "*", below))), span=span), 0)
    if op not in ("", "cdot", "times"):
        return Item(call(op, a.tree, b.tree, span=hull(a.tree, b.tree)), None)
    if a.hole or b.hole:
        return _with_hole(a, b)
    if a.rank is None or b.rank is None:
        return Item(flat(a.tree, "*", b.tree), None)
    if a.rank == 0 or b.rank == 0:
        other = b if a.rank == 0 else a
        return Item(flat(a.tree, "*", b.tree), _wider(a.rank, b.rank), other.row)
    if op == "times":
        raise clash(r"`\times` between arrays: `\odot` is elementwise, nothing at all is the matrix product", a, b)
    return _arrays(a, op, b)


def _arrays(a: Item, op: str, b: Item) -> Item:
    ranks = (a.rank, b.rank)
    if ranks == (1, 1):
        if a.row and not b.row:
            return Item(flat(a.tree, "@", b.tree), 0)
        if not a.row and b.row:
            return Item(call("outer", a.tree, b.tree, span=hull(a.tree, b.tree)), 2)
        if op == "cdot" and not a.row:
            return Item(flat(a.tree, "@", b.tree), 0)
        what = "rows" if a.row else "columns"
        raise clash(f"two {what} side by side have no product", a, b,
                    r"`x^\top y` is the inner product, `x y^\top` the outer one, `x \odot y` elementwise")  # fmt: skip
    if ranks == (2, 1):
        if b.row:
            raise clash("a matrix is followed by a row", a, b)
        return Item(flat(a.tree, "@", b.tree), 1)
    if ranks == (1, 2):
        return Item(flat(a.tree, "@", b.tree), 1, True)
    return Item(flat(a.tree, "@", b.tree), max(a.rank or 0, b.rank or 0))


def _wider(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else max(a, b)


def _elementwise(a: Item, op: str, b: Item) -> Item:
    """Entry by entry; what has no size of its own is broadcast over what has one."""
    rank = _wider(a.rank, b.rank)
    if not a.hole and not b.hole and a.rank and b.rank:
        if a.rank != b.rank:
            raise clash("entry by entry, a vector and a matrix have two readings", a, b, malformed=False)
        if a.rank == 1 and a.row != b.row:
            raise clash("entry by entry, a row and a column do not fit", a, b)
    if "eye" in (a.hole, b.hole):
        if op == "/" and a.hole == "eye" and b.rank == 0:
            return Item(flat(a.tree, "/", b.tree), 2, hole="eye")
        closed(a if a.hole == "eye" else b)
    solid = [x.rank for x in (a, b) if not x.hole and x.rank is not None]
    wide = max((x.rank or 0 for x in (a, b) if x.hole), default=0)
    holes = [x.hole for x in (a, b) if x.hole]
    hole = holes[0] if holes and rank is not None and max(solid, default=0) < wide else ""
    if hole and len(holes) == 2 and holes[0] != holes[1]:
        hole = "" if {"rows", "columns"} == set(holes) else next(h for h in holes if h != "ones")
    row = (a.row and a.rank == 1 and not a.hole) or (b.row and b.rank == 1 and not b.hole)
    return Item(flat(a.tree, op, b.tree), rank, row, hole)


def _with_hole(a: Item, b: Item) -> Item:
    """Products with 1 and I, whose sizes fit."""
    span = hull(a.tree, b.tree)
    if a.hole == "eye" or b.hole == "eye":
        eye, other = (a, b) if a.hole == "eye" else (b, a)
        one = isinstance(eye.tree, t.Number) and eye.tree.value == 1
        if other.hole == "eye" or other.rank == 0:
            product = other.tree if one else flat(a.tree, "*", b.tree)
            return Item(product, 2, hole="eye")
        if one or other.rank is None:
            return other
        return replace(other, tree=flat(a.tree, "*", b.tree))
    if a.rank == 0 or b.rank == 0 or a.rank is None or b.rank is None:
        holed = a if a.hole else b
        return Item(flat(a.tree, "*", b.tree), holed.rank, holed.row, holed.hole)
    kinds = (a.hole, b.hole)
    if kinds == ("ones", "ones") and not a.row and b.row:
        return Item(_by_coefficient(a, b.tree), 2, hole="both")
    if a.hole == "ones" and not b.hole:
        if a.row and b.rank == 1 and not b.row:
            return Item(_by_coefficient(a, call("sum", b.tree, span=span)), 0)
        if a.row and b.rank == 2:
            return Item(_by_coefficient(a, call("sum", b.tree, span=span, axis=number(0))), 1, True)
        if not a.row and b.rank == 1 and b.row:
            return Item(flat(a.tree, "*", b.tree) if _coefficient(a) else b.tree, 2, hole="rows")
    if b.hole == "ones" and not a.hole:
        if not b.row and a.rank == 1 and a.row:
            return Item(_by_coefficient(b, call("sum", a.tree, span=span)), 0)
        if not b.row and a.rank == 2:
            return Item(_by_coefficient(b, call("sum", a.tree, span=span, axis=number(1))), 1)
        if b.row and a.rank == 1 and not a.row:
            items = (t.Slice(None, None, span=span), t.Name("None", span=span))
            return Item(t.Subscript(_by_coefficient(b, a.tree), items, span=span), 2, hole="columns")
    if a.hole == "rows" and not b.hole and b.rank == 2:
        return Item(flat(a.tree, "@", b.tree), 2, hole="rows")
    if b.hole == "columns" and not a.hole and a.rank == 2:
        inner = b.tree.operand if isinstance(b.tree, t.Subscript) else b.tree
        items = (t.Slice(None, None, span=span), t.Name("None", span=span))
        return Item(t.Subscript(flat(a.tree, "@", inner), items, span=span), 2, hole="columns")
    raise Slip(r"the size of `\mathbf{1}` is not clear here", span.start, span.end, malformed=False)


def _coefficient(a: Item) -> bool:
    return not (isinstance(a.tree, t.Number) and a.tree.value == 1)


def _by_coefficient(a: Item, e: t.Expression) -> t.Expression:
    """e times the number that stands at a vector of ones."""
    return flat(a.tree, "*", e) if _coefficient(a) else e


def applied(name: str, item: Item, span: Span, name_span: Span) -> Item:
    """A function of one argument, entry by entry."""
    made = t.Call(name, (item.tree,), span=span, name_span=name_span)
    return Item(made, item.rank, item.row, "" if item.hole == "eye" else item.hole)

"""Derivatives with three axes and more as linear maps of a direction dX, and as Kronecker products over vec(dX).

d(A X B) = A dX B, so that vec(dY) = (B' (x) A) vec(dX); a transposed direction takes the commutation matrix K, for which
K vec(dX) = vec(dX'). Magnus and Neudecker (2019), 3.
"""

from __future__ import annotations

from collections.abc import Mapping

from symgen.algebra.collect import collect_common
from symgen.algebra.products import Used, flat_length, merged_terms
from symgen.algebra.rational import simplify_scalar
from symgen.render.compose import call, parts, transposed
from symgen.render.network import NoMatrixForm
from symgen.render.page import Block, Chain, Paragraph, Relation, marked
from symgen.render.raising import raise_array
from symgen.render.writing import size_tree
from symgen.tensor.expression import (
    Array,
    Operator,
    Scalar,
    Var,
    axis,
    entry,
    fresh_index,
    is_larger,
    mul,
    open_tensor,
    tensor,
    total,
    var,
    variables_of,
)  # fmt: skip
from symgen.tensor.facts import is_symmetric
from symgen.text import tree as t

__all__ = ["as_linear_map", "in_kronecker_form", "linear_map_blocks"]

LARGEST = 400  # nodes of a derivative that is written in these forms too
COMMUTATION = "K"


def linear_map_blocks(goal: Array | None, result: Array, names: Mapping[Array, str]) -> list[Block]:
    """The forms of `result`, a derivative as `goal` says, where it has three axes or more; none where there is no such form."""
    found = as_linear_map(goal, result, names)
    if found is None or not isinstance(goal, Operator):
        return []
    along, value = found
    left, x = _left(goal, along, names), goal.args[1]
    out: list[Block] = [Paragraph(marked("As a linear map of a direction")), Chain((Relation(value, left),))]
    two = isinstance(x, Array) and x.rank == 2 and result.rank == 4
    kronecker = in_kronecker_form(value, along, x) if two and isinstance(x, Array) else None
    if kronecker is not None:
        right = t.Factors(kronecker, (("@", call("vec", t.Name(along.name))),))
        out.append(Chain((Relation(right, call("vec", left)),)))
        if any(n == COMMUTATION for n in _names(kronecker)):
            out.append(Paragraph(marked(f"where `{COMMUTATION} @ vec({along.name}) = vec({along.name}')`.")))
    return out


def as_linear_map(goal: Array | None, result: Array, names: Mapping[Array, str]) -> tuple[Var, t.Expression] | None:
    """dX and the derivative applied to it, in matrix notation."""
    if not isinstance(goal, Operator) or goal.name not in ("jacobian", "hessian") or result.rank < 3:
        return None
    f, x = goal.args[0], goal.args[1]
    if not isinstance(f, Array) or not isinstance(x, Array) or is_larger(_opened(result), LARGEST):
        return None
    rank = f.rank + x.rank * (goal.name == "hessian")
    name = names.get(x) or (x.name if isinstance(x, Var) else "")
    taken = {v.name for v in variables_of(result)} | set(names.values())
    if rank + x.rank != result.rank or rank > 2 or not name or f"d{name}" in taken:
        return None
    along = var(f"d{name}", x.shape, "symmetric" if is_symmetric(x) else "real")
    own = [axis(k, s) for k, s in enumerate(result.shape[:rank])]
    free = [fresh_index(s) for s in x.shape]
    body = total(mul(open_tensor(result, [*own, *free]), entry(along, *free)), free)
    plain = simplify_scalar(body, None)

    def said(a: Array) -> str | None:
        return names.get(a) or (a.name if isinstance(a, Var) else None)

    ways = [merged_terms(plain, names, Used(), said, expand=expand) for expand in (False, True)]
    # of dS and dS' of a symmetric S one is left, in the shorter form that is one of matrices
    for body in sorted(dict.fromkeys(ways), key=lambda b: flat_length(b, names)):
        try:
            value = raise_array(tensor(own, collect_common(body)), names)
        except NoMatrixForm:
            continue
        if not any(isinstance(e, t.Binder) or (isinstance(e, t.Call) and e.function == "where") for e in _walk(value)):
            return along, value
    return None


def _opened(result: Array) -> Scalar:
    return open_tensor(result, [axis(k, s) for k, s in enumerate(result.shape)])


def _left(goal: Operator, along: Var, names: Mapping[Array, str]) -> t.Expression:
    """dY for a Y with a name, d(f) else; the Hessian along a direction is `hvp`."""
    f, x = goal.args[0], goal.args[1]
    assert isinstance(f, Array) and isinstance(x, Array)
    if goal.name == "hessian":
        return call("hvp", raise_array(f, names), raise_array(x, names), t.Name(along.name))
    name = names.get(f)
    return t.Name(f"d{name}") if name else call("d", raise_array(f, names))


def in_kronecker_form(value: t.Expression, along: Var, x: Array) -> t.Expression | None:
    """The matrix M with vec(value) = M vec(dX), of a sum of terms c L @ dX @ R, c L @ dX' @ R and U*dX."""
    rows, columns = (size_tree(s) for s in x.shape)
    terms = (
        _turned(value.operand) if isinstance(value, t.Transpose) else value.terms if isinstance(value, t.Terms) else ((1, value),)
    )
    made: list[tuple[int, t.Expression]] = []
    for sign, term in terms:
        found = _term(term, t.Name(along.name), rows, columns)
        if found is None:
            return None
        made.append((sign, found))
    return t.Terms(tuple(made)) if len(made) > 1 or made[0][0] < 0 else made[0][1]


def _turned(e: t.Expression) -> tuple[tuple[int, t.Expression], ...]:
    """The terms of a transpose: (A dX + B dX')' is dX' A' + dX B'."""
    out = []
    for sign, term in e.terms if isinstance(e, t.Terms) else ((1, e),):
        chain = [term.first, *(f for _, f in term.rest)] if isinstance(term, t.Factors) else [term]
        if isinstance(term, t.Factors) and any(op != "@" for op, _ in term.rest):
            return ((1, t.Transpose(e)),)
        factors = [transposed(f) for f in reversed(chain)]
        out.append((sign, _chained(factors) or term))
    return tuple(out)


def _term(term: t.Expression, along: t.Name, rows: t.Expression, columns: t.Expression) -> t.Expression | None:
    first, rest = (term.first, term.rest) if isinstance(term, t.Factors) else (term, ())
    factors = [("", first), *rest]
    where = [k for k, (_, f) in enumerate(factors) if f in (along, t.Transpose(along))]
    if len(where) != 1 or any(along in _walk(f) for k, (_, f) in enumerate(factors) if k != where[0]):
        return None
    (k,) = where
    chain = [f for op, f in factors]
    ops = [op for op, _ in factors]
    turned = isinstance(chain[k], t.Transpose)
    scale: list[tuple[str, t.Expression]] = []
    left: list[t.Expression] = []
    right: list[t.Expression] = []
    for j, f in enumerate(chain):
        if j == k:
            continue
        joined = "@" in (ops[j] if j > 0 else "", ops[j + 1] if j + 1 < len(ops) else "")
        if not joined:
            if not isinstance(f, (t.Number, t.Name)) or isinstance(f, t.Name):
                return None  # a scalar, or an array entry by entry: told apart by shapes, which are not known here
            scale.append(("/" if ops[j] == "/" else "*", f))
        elif ops[j] not in ("@", "") and not (j > 0 and ops[j] == "*" and isinstance(chain[j - 1], t.Number)):
            return None
        else:
            (left if j < k else right).append(f)
    a, b = (columns, rows) if turned else (rows, columns)
    front = _chained(left) or call("eye", a)
    behind = _chained(right)
    back = transposed(behind) if behind is not None else call("eye", b)
    made: t.Expression = call("kron", back, front)
    if turned:
        made = t.Factors(made, (("@", t.Name(COMMUTATION)),))
    for op, c in scale:
        head, tail = (made.first, made.rest) if isinstance(made, t.Factors) else (made, ())
        made = t.Factors(c, (("*", head), *tail)) if op == "*" else t.Factors(head, (*tail, ("/", c)))
    return made


def _chained(factors: list[t.Expression]) -> t.Expression | None:
    if not factors:
        return None
    return factors[0] if len(factors) == 1 else t.Factors(factors[0], tuple(("@", f) for f in factors[1:]))


def _walk(e: t.Tree) -> list[t.Tree]:
    out: list[t.Tree] = []
    stack = [e]
    while stack:
        x = stack.pop()
        out.append(x)
        stack.extend(parts(x))
    return out


def _names(e: t.Tree) -> set[str]:
    return {x.name for x in _walk(e) if isinstance(x, t.Name)}

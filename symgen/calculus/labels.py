"""Where an index is a label: what stands beside Delta(j, y[i]) may as well stand at j = y[i], and cancels there."""

from __future__ import annotations

from symgen.algebra.collect import written_length
from symgen.algebra.rational import simplify_scalar
from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import Add, Delta, Entry, Index, Mul, Scalar, Sum, add, mul, open_sum, substitute, total
from symgen.tensor.facts import Facts
from symgen.tensor.nodes import LABEL

__all__ = ["pinned"]


def pinned(body: Scalar, facts: Facts | None = None) -> Scalar:
    """`body` with its terms taken at the label that a Delta in them says, where that is shorter."""
    if not body.marks & LABEL:
        return body
    made = add(*(_at_label(t) for t in _terms(body)))
    if made is body:
        return body
    made = simplify_scalar(made, facts)
    return made if written_length(made) <= written_length(body) else body


def _terms(body: Scalar) -> list[Scalar]:
    if isinstance(body, Add):
        return [u for t in body.args for u in _terms(t)]
    if isinstance(body, Mul):
        sums = [f for f in body.args if isinstance(f, Add) and any(_label(t) is not None for t in f.args)]
        if len(sums) == 1:
            rest = mul(*(f for f in body.args if f is not sums[0]))
            return [mul(rest, t) for t in sums[0].args]
    return [body]


def _label(term: Scalar) -> tuple[Index, Scalar, Delta] | None:
    """The index that a factor Delta sets equal to an entry of data, that entry and the factor."""
    for f in term.args if isinstance(term, Mul) else (term,):
        if isinstance(f, Delta):
            for i, value in (f.args, f.args[::-1]):
                if isinstance(i, Index) and isinstance(value, Entry):
                    return i, value, f
    return None


def _at_label(term: Scalar) -> Scalar:
    found = _label(term)
    if found is None or not isinstance(term, Mul):
        return _counted(term)
    i, value, d = found
    rest = mul(*(f for f in term.args if f is not d))
    return mul(d, substitute(rest, {i: value}))


def _counted(term: Scalar) -> Scalar:
    """sum[n](b[y[n]] Delta(i, y[n])) is b[i] sum[n](Delta(i, y[n])): a count."""
    factors = list(term.args) if isinstance(term, Mul) else [term]
    for place, f in enumerate(factors):
        if not isinstance(f, Sum) or isinstance(f.body, Add) or _label(f.body) is None:
            continue
        body, indices = open_sum(f)
        found = _label(body)
        if found is None or found[0] in indices or not isinstance(body, Mul):
            continue
        i, value, d = found
        rest = replace_scalars(mul(*(g for g in body.args if g is not d)), {value: i})
        factors[place] = total(mul(d, rest), indices)
    return mul(*factors)

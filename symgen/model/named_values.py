"""`let` and `loss`: named expressions, also by their entries, `let z[i] = ..`."""

from __future__ import annotations

from fractions import Fraction

from symgen.model.distribution_reader import DistributionReader, plain_or_new
from symgen.model.elaboration import Elaboration
from symgen.tensor import build
from symgen.tensor.binders import bind
from symgen.tensor.build import Value
from symgen.tensor.expression import Compare, Logic, Num
from symgen.tensor.scope import Clash, Poisoned, parts_of, shape_text
from symgen.text import tree


def define_let(model: Elaboration, name: str, s: tree.Let) -> None:
    reader = model.reader()
    if s.indices is None:
        v = reader.value(s.value)
    else:
        specs = [i for i in s.indices if isinstance(i, tree.IndexSpec)]
        indices, scope = bind(reader, specs, [s.value])
        for spec in specs:
            if spec.lower is not None and lower_end(reader, spec) != 0:
                raise Clash(f"an index on the left starts at 0, and `{spec.name}` does not", spec.span, "starts later",
                            help="only a recurrence starts later: it needs its first entries, `let h[0] = ..`")  # fmt: skip
        body = reader.in_scope(scope, s.value)
        v = Value((*indices, *body.indices), body.body)
    if isinstance(v.body, (Compare, Logic)):
        raise Clash(f"`{name}` is a condition, not a number", s.value.span, help="`where(c, 1, 0)` is its number")
    if s.role == "loss" and v.rank:
        raise Clash(f"a loss is a scalar, and `{name}` {shape_text(v.shape)}", s.name.span, shape_text(v.shape),
                    reader.witnesses(s.value), help="`sum(..)` or `mean(..)` makes it one")  # fmt: skip
    array = plain_or_new(v)
    model.out.lets[name] = array
    if s.role == "loss":
        model.out.losses.append(name)
    model.bind(name, build.of_array(array))
    warn(model, s.value, reader)


def lower_end(reader: DistributionReader, spec: tree.IndexSpec) -> Fraction | None:
    assert spec.lower is not None
    low = reader.scalar(spec.lower, "the lower end")
    return low.value if isinstance(low, Num) and not isinstance(low.value, str) else None


def warn(model: Elaboration, e: tree.Expression, reader: DistributionReader) -> None:
    """What means something else than it may look like: x @ y' of two vectors, the mean of one number."""
    stack = [e]
    while stack:
        x = stack.pop()
        if isinstance(x, tree.Call) and x.function in ("mean", "var") and len(x.arguments) == 1 and not x.keywords:
            warn_of_one_number(model, x, reader)
        if isinstance(x, tree.Factors):
            operands = [x.first, *(f for _, f in x.rest)]
            for (op, right), left in zip(x.rest, operands, strict=False):
                if op == "@" and isinstance(right, tree.Transpose):
                    try:
                        a, b = reader.value(left), reader.value(right.operand)
                    except (Clash, Poisoned):
                        continue
                    if a.rank == 1 and b.rank == 1:
                        model.report(Clash(
                            f"`{model.written(right.span)}` is `{model.written(right.operand.span)}`: this is an inner product",
                            right.span, "a vector is its own transpose",
                            help=f"`outer({model.written(left.span)}, {model.written(right.operand.span)})` is the matrix",
                        ), "warning")  # fmt: skip
        stack.extend(parts_of(x))


def warn_of_one_number(model: Elaboration, e: tree.Call, reader: DistributionReader) -> None:
    """mean(log p(y)): a log-density is one number, the sum over all that it is of."""
    (inside,) = e.arguments
    try:
        v = reader.value(inside)
    except (Clash, Poisoned):
        return
    if v.rank or v.outer:
        return
    text = model.written(inside.span)
    density = isinstance(inside, tree.Call) and inside.log
    model.report(Clash(
        f"`{text}` is one number, and `{e.function}` of it is {'the same' if e.function == 'mean' else '0'}", inside.span,
        "the sum over all entries" if density else "a number",
        help=f"`{text}/n` is the mean over n entries" if density and e.function == "mean" else None,
    ), "warning")  # fmt: skip

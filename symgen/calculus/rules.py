"""Local derivatives: the rows of the functions and operations tables, read once and put to use.

`derivative_of` gives the partial derivative of a function of numbers, `pullback` the adjoints of the operands of an
operation on arrays. Both take the rows' texts as they stand; a row without a text raises CannotDerive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from symgen.tensor.expression import (
    Array,
    Fn,
    Index,
    Mul,
    Node,
    Operation,
    Operator,
    Recurrence,
    Scalar,
    Var,
    arrays_below,
    axis,
    delta,
    entry,
    fresh_index,
    mul,
    open_tensor,
    operation,
    operator,
    rebuild,
    replace_arrays,
    substitute,
    tensor,
    topological,
    var,
    walk,
)  # fmt: skip
from symgen.tensor.formula import read, read_value
from symgen.tensor.functions import FUNCTIONS
from symgen.tensor.nodes import DELTAS
from symgen.tensor.operations import OPERATIONS
from symgen.text.diagnostics import CannotDerive

FUNCTIONS_FILE = "symgen/tensor/functions.py"
OPERATIONS_FILE = "symgen/tensor/operations.py"


class Template:
    """An expression over a few leaves, kept as the list of its constructions: it is made quickly over others."""

    __slots__ = ("program", "result")

    def __init__(self, body: Scalar, leaves: Sequence[Scalar]) -> None:
        place: dict[Node, int] = {leaf: k for k, leaf in enumerate(leaves)}
        self.program: list[tuple[Scalar, tuple[int, ...]]] = []
        for node in walk(body):
            if node in place or node.is_array_node:
                continue
            place[node] = len(place)
            self.program.append((node, tuple(place[a] for a in node.args)))
        self.result = place[body]

    def __call__(self, *values: Scalar) -> Scalar:
        made: list[Scalar] = list(values)
        for node, places in self.program:
            made.append(rebuild(node, [made[k] for k in places]) if places else node)
        return made[self.result]


@cache
def _derivative(name: str, k: int, tied: bool = False) -> Template | None:
    row = FUNCTIONS[name]
    text = row.tied if tied else row.derivative[k]
    if text is None:
        return None
    names = (*row.arguments, "Y")
    leaves = {n: entry(var(n, (), role="placeholder")) for n in names}
    return Template(read_value(text, leaves).body, [leaves[n] for n in names])


def derivative_of(name: str, k: int, args: Sequence[Scalar], value: Scalar, tied: bool = False) -> Scalar:
    """The partial derivative of `name` by its argument `k` at `args`, where its value is `value`; `tied` where the last
    argument may equal another on an open set."""
    row = FUNCTIONS.get(name)
    if row is None:
        raise CannotDerive(f"the function `{name}` has no derivative rule", value, FUNCTIONS_FILE)
    template = _derivative(name, k, tied and row.tied is not None and k == len(args) - 1)
    if template is None:
        raise CannotDerive(f"`{name}` has no rule for the derivative by `{row.arguments[k]}`", value, FUNCTIONS_FILE)
    missing = len(row.arguments) - len(args)
    if missing:
        args = (*args, *(read_value(t, {}).body for t in row.defaults[len(row.defaults) - missing :]))
    return template(*args, value)


@cache
def _definition(name: str) -> Template | None:
    row = FUNCTIONS[name]
    if row.definition is None:
        return None
    leaves = {n: entry(var(n, (), role="placeholder")) for n in row.arguments}
    return Template(read_value(row.definition, leaves).body, list(leaves.values()))


def definition_of(node: Fn) -> Scalar | None:
    """A compound function written in simpler ones; None where it has no definition, or not all of its arguments."""
    row = FUNCTIONS.get(node.name)
    template = _definition(node.name) if row is not None and len(node.args) == len(row.arguments) else None
    return template(*node.args) if template is not None else None


# --- operations on arrays ---------------------------------------------------------------------------------------------


@cache
def _pullback(
    name: str, operand: str, shapes: tuple[tuple[Scalar, ...], ...], at_identity: bool = False
) -> tuple[Array, dict[str, Array]] | None:
    """The adjoint of an operand as an array over placeholders, for operands of these shapes (no batch axes)."""
    row = OPERATIONS[name]
    text = row.at_identity[operand] if at_identity else row.pullback.get(operand)
    if text is None:
        return None
    sizes: dict[str, Scalar] = {}
    things: dict[str, Array] = {}
    for (own, axes), shape in zip(row.operands.items(), shapes, strict=True):
        sizes.update(zip(axes, shape, strict=True))
        things[own] = var(own, shape, role="placeholder")
    result = tuple(sizes[a] for a in row.result)
    things["Y"] = var("Y", result, role="placeholder")
    things["Y_bar"] = var("Y_bar", result, role="placeholder")
    scope: dict[str, Array | Scalar] = {**sizes, **things}
    for own, body in row.local.items():
        square = next(iter(sizes.values()))
        i, j = fresh_index(square), fresh_index(square)
        scope[own] = tensor((i, j), read_value(body, {"i": i, "j": j}).body)
    return read(text, scope), things


def pullback(node: Operation, position: int, y_bar: Scalar, lifted: Sequence[Index] = ()) -> Scalar:
    """The adjoint of operand `position` as a body over its axes `axis(k, size)`; `y_bar` is one over those of `node`.

    Both may hold the further indices `lifted`.
    """
    row = OPERATIONS.get(node.name)
    if row is None:
        raise CannotDerive(f"the operation `{node.name}` has no pullback", node, OPERATIONS_FILE)
    names = list(row.operands)
    batch = node.rank - len(row.result)
    shapes = []
    for (_, axes), operand in zip(row.operands.items(), node.operands, strict=True):
        shapes.append(operand.shape[operand.rank - len(axes) :] if isinstance(operand, Array) else ())
    scale = _times_identity(y_bar, node) if names[position] in row.at_identity and not batch else None
    found = _pullback(node.name, names[position], tuple(shapes), scale is not None)
    if found is None:
        raise CannotDerive(f"the operation `{node.name}` has no pullback to `{names[position]}`", node, OPERATIONS_FILE)
    template, things = found
    outer = [fresh_index(s) for s in node.shape[:batch]]
    inner = [fresh_index(s) for s in node.shape[batch:]]
    own = [axis(k, s) for k, s in enumerate(node.shape)]
    y_bar = substitute(y_bar, dict(zip(own, [*outer, *inner], strict=True)))
    entries: dict[Array, Callable[..., Scalar]] = {
        things["Y"]: lambda *at: entry(node, *outer, *at),
        things["Y_bar"]: lambda *at: substitute(y_bar, dict(zip(inner, at, strict=True))),
    }
    for name, operand in zip(names, node.operands, strict=True):
        entries[things[name]] = _entries(operand, outer)
    target = node.operands[position]
    assert isinstance(target, Array)
    own = [axis(k, s) for k, s in enumerate(target.shape)]
    last = [fresh_index(s) for s in target.shape[batch:]]
    body = lift(open_tensor(template, last), entries)
    body = substitute(body, dict(zip([*outer, *last], own, strict=True)))
    return mul(scale, body) if scale is not None else body


def _times_identity(y_bar: Scalar, node: Operation) -> Scalar | None:
    """c where the adjoint is c I."""
    i, j = axis(0, node.shape[0]), axis(1, node.shape[1])
    factors = y_bar.args if isinstance(y_bar, Mul) else (y_bar,)
    rest = [f for f in factors if f is not delta(i, j)]
    if len(rest) == len(factors) or any(i in f.free or j in f.free for f in rest):
        return None
    return mul(*rest)


def _entries(operand: Node, outer: Sequence[Index]) -> Callable[..., Scalar]:
    if isinstance(operand, Array):
        array = operand
        return lambda *at: entry(array, *outer, *at)
    scalar = operand
    return lambda *at: scalar


def lift(root: Scalar, entries: Mapping[Array, Callable[..., Scalar]]) -> Scalar:
    """`root` with the entries of arrays replaced, where the new ones may have further free indices: every array below
    that depends on them gets these indices as leading axes, and operations map over them."""
    how: dict[Array, Callable[..., Scalar]] = dict(entries)
    for array in topological(root):
        if array in how or isinstance(array, Var) or not any(a in how for a in arrays_below(array)):
            continue
        if isinstance(array, Operation):
            how[array] = _lifted_operation(array, how)
        elif isinstance(array, Operator):
            how[array] = _lifted_function(array, how)
        elif isinstance(array, Recurrence):
            raise CannotDerive("a sequence that hangs on this one", array, "symgen/calculus/rules.py")
        else:
            indices = [fresh_index(s) for s in array.shape]
            body = substitute(array.args[0], dict(zip(array.axes, indices, strict=True)))
            body = replace_arrays(body, how)
            extra = _extra(body, indices)
            if extra and has_delta(body):
                how[array] = _written_out(body, indices)  # the sums outside take the Deltas away
            else:
                how[array] = _entries(tensor((*extra, *indices), body), extra)
    return replace_arrays(root, how)  # type: ignore[no-any-return]


def _lifted_function(node: Operator, how: Mapping[Array, Callable[..., Scalar]]) -> Callable[..., Scalar]:
    """The values of an unknown function at arguments with further indices: a map over these."""
    if node.name != "apply":
        raise CannotDerive(f"`{node.name}` under an index", node, "symgen/calculus/rules.py")
    own = [axis(k, s) for k, s in enumerate(node.shape)]
    bodies: list[tuple[Scalar, list[Index]]] = []
    for a in node.args:
        indices = [fresh_index(s) for s in a.shape]
        bodies.append((how[a](*indices) if a in how else entry(a, *indices), indices))
    extra = list(dict.fromkeys(i for body, indices in bodies for i in _extra(body, indices)))
    operands = [tensor((*extra, *indices), body) for body, indices in bodies]
    shape = (*(i.size for i in extra), *(i.size for i in own))
    lifted = operator("apply", operands, shape, (*node.attrs[:2], len(shape)))
    return lambda *at: entry(lifted, *extra, *at)


def _written_out(body: Scalar, indices: Sequence[Index]) -> Callable[..., Scalar]:
    return lambda *at: substitute(body, dict(zip(indices, at, strict=True)))


def has_delta(body: Scalar) -> bool:
    """Whether a Delta stands in the expression (arrays not looked into)."""
    return bool(body.marks & DELTAS)


def _extra(body: Scalar, indices: Sequence[Index]) -> list[Index]:
    return sorted(body.free.difference(indices), key=lambda i: (i.kind, i.number))


def _lifted_operation(node: Operation, how: Mapping[Array, Callable[..., Scalar]]) -> Callable[..., Scalar]:
    bodies: list[tuple[list[Index], Scalar]] = []
    extra: dict[Index, None] = {}
    for operand in node.operands:
        indices = [fresh_index(s) for s in operand.shape] if isinstance(operand, Array) else []
        body = replace_arrays(entry(operand, *indices) if isinstance(operand, Array) else operand, how)
        bodies.append((indices, body))
        extra.update(dict.fromkeys(_extra(body, indices)))
    lead = list(extra)
    operands = [
        tensor((*lead, *indices), body) if isinstance(operand, Array) else body
        for operand, (indices, body) in zip(node.operands, bodies, strict=True)
    ]
    made = operation(node.name, operands, (*(i.size for i in lead), *node.shape))
    return _entries(made, lead)

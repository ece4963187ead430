"""Laws: a distribution of the table at given parameters.

A law is an array node `operator(family, parameters, shape of a draw, ("law", ..))`: its operands are the parameters,
broadcast to the draw, so that a gradient or a replacement reaches them.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from symgen.probability.families.distribution import Alternative, Distribution
from symgen.probability.families.distributions import FAMILIES
from symgen.probability.families.texts import names_in, read_array, scalar_text
from symgen.tensor import build
from symgen.tensor.expression import (
    ONE,
    Array,
    Entry,
    Node,
    Num,
    Operator,
    Scalar,
    Tensor,
    Var,
    describe,
    open_tensor,
    operator,
    tensor,
    walk,
)
from symgen.tensor.scope import is_size

NORMALS = "normals"
LAW = "law"
Shape = tuple[Scalar, ...]


class LawError(ValueError):
    """A law that cannot be made: `argument` names the parameter at fault (None: the family or the number of them)."""

    def __init__(self, message: str, argument: str | None = None, help: str | None = None) -> None:
        super().__init__(message)
        self.message, self.argument, self.help = message, argument, help


def families() -> Mapping[str, Distribution]:
    """The rows of the table by name, other names of a family included."""
    return FAMILIES


def family(name: str) -> Distribution:
    """The row of that name; a LawError offers near names."""
    table = FAMILIES
    row = table.get(name)
    if row is None:
        near = difflib.get_close_matches(name, table, 1, 0.6)
        if not near:
            lower = {k.lower(): k for k in table}
            near = [lower[name.lower()]] if name.lower() in lower else []
        raise LawError(f"there is no distribution `{name}`", help=f"did you mean `{near[0]}`?" if near else None)
    return row


COMBINATORS = ("Truncated", "Mixture", "Transformed")


def is_family(name: str) -> bool:
    return name in FAMILIES or name in COMBINATORS


def is_law(node: object) -> bool:
    return isinstance(node, Operator) and bool(node.attrs) and node.attrs[0] == LAW


def row_of(law: Array) -> Distribution | None:
    """The row of a law's family; None for an opaque density, an own formula or data."""
    assert isinstance(law, Operator)
    return FAMILIES.get(law.name)


def parameters_of(law: Array) -> dict[str, Array]:
    """The canonical parameters of a law of the table by name, each over the batch axes and then its own axes."""
    row = row_of(law)
    assert isinstance(law, Operator) and row is not None
    return dict(zip(row.parameters, law.args, strict=False))


def alternative_of(law: Array) -> tuple[Alternative, dict[str, Array]] | None:
    """The parameterisation that was used, with its arguments, where it was not the canonical one."""
    row = row_of(law)
    assert isinstance(law, Operator)
    if row is None or len(law.attrs) < 2:
        return None
    chosen = row.alternatives[law.attrs[1]]
    return chosen, dict(zip(chosen.arguments, law.args[len(row.parameters) :], strict=False))


def without_copies(array: Array, own_rank: int) -> Array:
    """What stands over the own axes of a parameter, where it is the same at all places of a batch."""
    if not isinstance(array, Tensor) or array.rank <= own_rank:
        return array
    lead, own = array.axes[: array.rank - own_rank], array.axes[array.rank - own_rank :]
    if array.body.free.intersection(lead):
        return array
    if own and isinstance(array.body, Entry) and array.body.indices == own:
        return array.body.array
    return tensor(own, array.body)


def shown_parameters(law: Operator) -> tuple[Node, ...]:
    """The operands of a law as a reader needs them: what is the same for all of a batch once, as long as another shows the
    batch."""
    row = row_of(law)
    if row is None or len(law.args) != len(row.parameters) or not law.rank - row.own_rank:
        return tuple(law.args)
    ranks = [len(row.axes_of(name)) for name in row.parameters]
    single = [without_copies(a, r) if isinstance(a, Array) else a for a, r in zip(law.args, ranks, strict=True)]
    if all(s is not a for s, a in zip(single, law.args, strict=True)):
        single[0] = law.args[0]
    return tuple(single)


def batch_shape(law: Array) -> Shape:
    row = row_of(law)
    rank = row.own_rank if row is not None else 0
    return law.shape[: law.rank - rank]


def law_of_row(name: str, arguments: Sequence[Array]) -> Array:
    """The scalar law of a family at its canonical parameters."""
    return operator(name, arguments, (), (LAW,))


# --- laws -------------------------------------------------------------------------------------------------------------


def broadcast_shapes(shapes: Sequence[Sequence[Scalar]]) -> Shape:
    indices, _ = build.broadcast([build.Value(build.fresh(s), ONE) for s in shapes])
    return tuple(i.size for i in indices)


def broadcast_array(array: Array, shape: Sequence[Scalar]) -> Array:
    """`array` over `shape`, by NumPy's rule; the array itself where nothing changes."""
    if len(array.shape) == len(shape) and all(build.same_size(a, b) for a, b in zip(array.shape, shape, strict=True)):
        return array
    number = array.body if isinstance(array, Tensor) and isinstance(array.body, Num) else None  # it needs no name
    value = build.of_array(array) if number is None else build.Value(build.fresh(array.shape), number)
    return build.broadcast_to(value, shape).array()


def make_law(
    name: str,
    arguments: Sequence[Array],
    keywords: Mapping[str, Array] | None = None,
    event_shape: Sequence[Scalar] | None = None,
) -> Array:
    """The law of the family `name` at these parameters, of draws of shape `event_shape` where that is known.

    Parameters broadcast: over all axes of a draw where its entries are independent, else over the leading ones.
    Raises LawError with the argument at fault.
    """
    row = family(name)
    given, chosen = _match_arguments(row, list(arguments), dict(keywords or {}))
    alternative = row.alternatives[chosen] if chosen else None
    axes = {p: row.axes_of(p) for p in row.parameters}
    if alternative is not None:
        axes.update({a: tuple(alternative.shapes.get(a, ())) for a in alternative.arguments})
    sizes = _sizes(row, given, axes, event_shape)
    batches: list[Sequence[Scalar]] = []
    for p, array in given.items():
        own = len(axes[p])
        batches.append(array.shape[: max(array.rank - own, 0)])
    if event_shape is not None:
        batches.append(tuple(event_shape)[: len(event_shape) - row.own_rank])
    try:
        batch = broadcast_shapes(batches)
    except build.ShapeClash as clash:
        raise LawError(
            f"the parameters of a {row.name} do not broadcast: {describe_size(clash.left)} and {describe_size(clash.right)}",
            list(given)[min(clash.operand, len(given) - 1)],
        ) from clash
    if event_shape is not None and len(batch) + row.own_rank > len(event_shape):
        widest = max(given, key=lambda p: given[p].rank - len(axes[p]))
        raise LawError(f"`{widest}` has more axes than the variable", widest)
    full: dict[str, Array] = {}
    for p, array in given.items():
        own_shape = tuple(sizes[a] for a in axes[p])
        try:
            full[p] = broadcast_array(array, (*batch, *own_shape))
        except build.ShapeClash as clash:
            raise LawError(
                f"the parameter `{p}` of a {row.name} has shape {describe_shape(array.shape)}, not "
                f"{describe_shape((*batch, *own_shape))}",
                p,
            ) from clash
    shape = (*batch, *(sizes[a] for a in row.event))
    if alternative is None:
        return operator(row.name, [full[p] for p in row.parameters], shape, (LAW,))
    for p, text in alternative.canonical.items():
        made = _with_entries_opened(read_array(text, {**full, **sizes}), [full[a] for a in alternative.arguments])
        full[p] = broadcast_array(made, (*batch, *(sizes[a] for a in axes[p])))
    operands = [full[p] for p in row.parameters] + [full[a] for a in alternative.arguments]
    return operator(row.name, operands, shape, (LAW, chosen))


def _with_entries_opened(made: Array, arguments: Sequence[Array]) -> Array:
    """A matrix with the definitions of the vectors that it is made of: exp(v) on a diagonal meets exp(-v)."""
    if not isinstance(made, Tensor):
        return made
    vectors = [a for a in arguments if isinstance(a, Tensor) and a.rank == 1]
    inside = {e: e.array for e in walk(made.body) if isinstance(e, Entry) and e.array in vectors}
    found: dict[Scalar, Scalar] = {e: open_tensor(a, e.indices) for e, a in inside.items() if isinstance(a, Tensor)}
    return tensor(made.axes, build.replace_scalars(made.body, found))


def _match_arguments(row: Distribution, arguments: list[Array], keywords: dict[str, Array]) -> tuple[dict[str, Array], str]:
    names = list(row.parameters)
    keywords = {row.argument_names.get(k, k): v for k, v in keywords.items()}
    chosen = ""
    for key, other in row.alternatives.items():
        own = [k for k in keywords if k not in row.parameters]
        if own and all(k in other.arguments for k in own):
            chosen = key
            break
    option = row.alternatives[chosen] if chosen else None
    replaced = set(option.canonical) if option else set()
    expected = [n for n in names if n not in replaced]
    allowed = {*expected, *(option.arguments if option else ())}
    for k in keywords:
        if k not in allowed:
            others = {*names, *(a for o in row.alternatives.values() for a in o.arguments)}
            near = difflib.get_close_matches(k, others, 1, 0.5)
            raise LawError(
                f"a {row.name} has no parameter `{k}`" if k not in others else f"`{k}` is given twice over",
                k,
                f"did you mean `{near[0]}`?" if near and near[0] != k else f"its parameters are {listed(names)}",
            )
    positional = [n for n in expected if n not in keywords]
    if len(arguments) > len(positional):
        raise LawError(
            f"a {row.name} takes {len(expected)} {'argument' if len(expected) == 1 else 'arguments'} "
            f"({listed(expected)}), not {len(arguments) + sum(k in expected for k in keywords)}",
            None,
        )
    given = {**dict(zip(positional, arguments, strict=False)), **keywords}
    missing = [n for n in (*expected, *(option.arguments if option else ())) if n not in given]
    if missing:
        raise LawError(f"the parameter {listed(missing)} of a {row.name} is missing", None,
                       f"its parameters are {listed(names)}")  # fmt: skip
    order = [*names, *(option.arguments if option else ())]
    return {n: given[n] for n in order if n in given}, chosen


def _sizes(
    row: Distribution,
    given: Mapping[str, Array],
    axes: Mapping[str, tuple[str, ...]],
    event_shape: Sequence[Scalar] | None,
) -> dict[str, Scalar]:
    sizes: dict[str, Scalar] = {}
    where_from: dict[str, str] = {}
    if event_shape is not None and row.event:
        if len(event_shape) < row.own_rank:
            kind = "a vector" if row.own_rank == 1 else "a matrix"
            raise LawError(f"a draw of a {row.name} is {kind}, and the variable has shape {describe_shape(event_shape)}")
        sizes.update(zip(row.event, tuple(event_shape)[-row.own_rank :], strict=True))
        where_from.update(dict.fromkeys(row.event, "the variable"))
    for p, array in given.items():
        letters = axes[p]
        if array.rank < len(letters):
            continue
        for letter, size in zip(letters, array.shape[array.rank - len(letters) :], strict=True):
            old = sizes.setdefault(letter, size)
            if not build.same_size(old, size):
                raise LawError(
                    f"the parameter `{p}` of a {row.name} has an axis of length {describe_size(size)}, not "
                    f"{describe_size(old)} as {where_from.get(letter, 'its other axis')}",
                    p,
                )
            where_from.setdefault(letter, f"`{p}`")
    for letter, text in row.lengths.items():
        known = {**sizes, **{p: open_tensor(a, ()) for p, a in given.items() if not a.rank and p not in row.shapes}}
        if not names_in(text) <= set(known):
            continue
        length = scalar_text(text, known)
        if not is_size(length):
            raise LawError(f"the parameter `{text}` of {row.name} is a size, and `{describe(length)}` is none", text)
        if letter in sizes and not build.same_size(sizes[letter], length):
            raise LawError(
                f"a draw of {row.name} has length {describe_size(length)} here, not {describe_size(sizes[letter])} as "
                f"{where_from.get(letter, 'the variable')}"
            )
        sizes[letter] = length
    for p, letters in axes.items():
        for letter in letters:
            if letter not in sizes and p in given:
                kind = {1: "a vector", 2: "a matrix"}.get(len(letters), "an array")
                raise LawError(f"the parameter `{p}` of a {row.name} is {kind}, not a scalar", p)
    return sizes


def listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{n}`" for n in names)


def describe_size(size: Scalar | None) -> str:
    return describe(size) if size is not None else "?"


def describe_shape(shape: Sequence[Scalar]) -> str:
    return "[" + ", ".join(describe_size(s) for s in shape) + "]" if shape else "() of a scalar"


def opaque_density(name: str, shape: Sequence[Scalar] = (), given: Sequence[Array] = (), names: Sequence[str] = ()) -> Array:
    """The law of a `density` that is not known; `names` of its variables tell a joint from copies of one variable."""
    return operator("density", given, shape, (LAW, name, tuple(names)) if len(names) > 1 else (LAW, name))


def empirical(rows: Array) -> Array:
    """The law that puts weight 1/n on each row of a data array."""
    return operator("Empirical", (rows,), rows.shape[1:], (LAW,))


def formula_law(placeholder: Var, log_density: Array, normaliser: str = "", name: str = "", has_mass_one: bool = False) -> Array:
    """A density of one's own: its logarithm, of rank 0, as an array over the placeholder; `normaliser` names the
    constant that is not declared and that derivation finds, `name` the density; `has_mass_one` where that was shown."""
    attrs = (LAW, placeholder, normaliser, name, *((True,) if has_mass_one else ()))
    return operator("formula", (log_density,), placeholder.shape, attrs)


def beside_normal(law: Array, normal: Array) -> Array:
    """A density of one's own, of what is also one normal vector: means are taken under that."""
    assert isinstance(law, Operator)
    return operator("formula", (*law.args, normal), law.shape, (*law.attrs, (NORMALS,)))


def with_normal_beside(law: Array) -> Array:
    """The normal law that stands beside a density, where one does."""
    made = law.operands[1] if isinstance(law, Operator) and law.name == "formula" and law.attrs[5:] == ((NORMALS,),) else law
    assert isinstance(made, Array)
    return made


def has_density(law: Array) -> bool:
    """Whether the density can be written out: a law of the table, or a density of one's own of mass 1."""
    return row_of(law) is not None or (isinstance(law, Operator) and law.name == "formula" and not law.attrs[2])


def value_domain(law: Array) -> str:
    """The word of the domains table for a draw: real, positive, unit, natural, binary, simplex .."""
    row = row_of(law)
    if row is None:
        if isinstance(law, Operator) and law.name == "formula":
            return str(law.attrs[1].domain)
        return "real"
    if isinstance(row.support, str):
        return row.support
    if row.support.kind == "interval":
        return "positive" if row.support.low == "0" else "real"
    if row.support.kind == "integers":
        return "natural" if row.support.low in ("0", "1") else "integer"
    if row.support.kind == "positives":
        return "positive"
    if row.support.kind in ("labels", "counts"):
        return "natural"
    return row.support.kind if row.support.kind in ("simplex", "onehot", "spd") else "real"

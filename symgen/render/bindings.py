"""Long results and derivations in parts: what occurs twice, is long, or is differentiated by gets a name of its own, as a
person would give it one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from symgen.render.compose import weight
from symgen.render.network import NoMatrixForm
from symgen.render.raising import Raiser
from symgen.tensor.expression import (
    Add,
    Array,
    Dim,
    Entry,
    Fn,
    Index,
    Mul,
    Node,
    Num,
    Operation,
    Operator,
    Pow,
    Recurrence,
    Scalar,
    Sum,
    Tensor,
    Var,
    topological,
    walk,
)  # fmt: skip
from symgen.text import tree as t

# what a part is -> the letters it may get, by its rank
LETTERS: dict[str, tuple[str, str, str]] = {
    "softmax": ("s", "p", "P"),
    "inverse": ("c", "m", "M"),
    "difference": ("r", "r", "R"),
    "squash": ("q", "h", "H"),
    "exponential": ("e_1", "k", "K"),
    "product": ("z", "z", "Z"),
    "norm": ("s", "s", "S"),
    "": ("c", "u", "A"),
}
MORE = ("c s q t".split(), "u v q h a b".split(), "M S Q H G A B".split())
OTHERS = "T K N".split()
SPOKEN = 4  # ink of a part that is spoken of by a name
LEAST = 5  # ink of a part that is worth a name where it occurs twice
OFTEN = 4  # ink that its other uses take beyond a letter each
LONG = 60  # ink of a part that gets a name anyhow
SAVED = 12  # ink that names must save where a result is short


def raise_with_bindings(
    array: Array, names: Mapping[Array, str] | None = None, long: int = LONG, taken: Iterable[str] = ()
) -> tuple[t.Expression, list[tuple[str, t.Expression]]]:
    """`array` in matrix notation, and the parts of it that were named, each after those that it is made of."""
    known = {a: n for a, n in (names or {}).items() if a is not array}
    made: list[tuple[str, t.Expression]] = []
    for part, name, tree in named_parts([array], known, (), long, taken):
        known[part] = name
        made.append((name, tree))
    return Raiser(known, array).array(array), made


def named_parts(
    roots: Sequence[Array],
    names: Mapping[Array, str],
    asked: Iterable[Array] = (),
    long: int = LONG,
    taken: Iterable[str] = (),
) -> list[tuple[Array, str, t.Expression]]:
    """The nameless parts of `roots` that deserve a name, each after those that it is made of; `asked` are parts that
    the text speaks of, `taken` names that others bear."""
    known = dict(names)
    uses = _uses(roots, known)
    wanted = {a for a in asked if not (isinstance(a, Tensor) and isinstance(a.body, Entry))}
    taken = _taken(roots, known) | set(taken)
    made: list[tuple[Array, str, t.Expression]] = []
    for part in topological(*roots):
        if part in known or not isinstance(part, (Tensor, Operation)):
            continue
        if part not in wanted and (part not in uses or part in roots):
            continue
        try:
            tree = Raiser(known, part).array(part)
        except NoMatrixForm:
            continue
        ink = weight(tree)
        more = uses.get(part, 0) - 1
        often = more * (ink - 1) >= OFTEN or (more > 0 and ink >= LEAST)
        if often or (part in wanted and ink >= SPOKEN) or ink > long:
            name = _invented(part, taken)
            known[part] = name
            made.append((part, name, tree))
    return made


def ink_saved(array: Array, names: Mapping[Array, str]) -> int:
    """How much less is written with the repeated parts named, definitions counted."""
    plain = Raiser(names, array).array(array)
    tree, made = raise_with_bindings(array, names)
    return weight(plain) - weight(tree) - sum(weight(e) + 1 for _, e in made)


def _uses(roots: Sequence[Array], known: Mapping[Array, str]) -> dict[Array, int]:
    """In how many places each array is written, those under a name not looked into."""
    edges: dict[Node, int] = {}
    users: dict[Array, list[Node]] = {}
    seen: set[Node] = set()
    stack: list[Node] = list(roots)
    while stack:
        node = stack.pop()
        if node in seen or (node in known and node not in roots):
            continue
        seen.add(node)
        for a in node.args:
            edges[a] = edges.get(a, 0) + 1
            if isinstance(a, Array):
                users.setdefault(a, []).append(node)
            stack.append(a)
    return {a: sum(edges[u] if isinstance(u, Entry) else 1 for u in places) for a, places in users.items()}


def _taken(roots: Sequence[Array], known: Mapping[Array, str]) -> set[str]:
    taken = set(known.values())
    sizes: set[Scalar] = set()
    for n in walk(*roots, *known):
        if isinstance(n, Array):
            sizes.update(n.shape)
            if isinstance(n, Var):
                taken.add(n.name)
            elif isinstance(n, Recurrence):
                taken.add(n.self_var.name)
            elif isinstance(n, Operator):
                taken.update(a for a in n.attrs if isinstance(a, str))
        elif isinstance(n, Index):
            sizes.add(n.size)
        elif isinstance(n, Dim):
            taken.add(n.name)
    taken.update(n.name for n in walk(*sizes) if isinstance(n, Dim))
    return taken


def _kind(part: Array) -> str:
    """What a person sees in a part: a softmax, a residual, an activation, a product."""
    if isinstance(part, Operation):
        return "softmax" if "softmax" in part.name else "inverse" if part.name == "inv" else ""
    body = part.body if isinstance(part, Tensor) else None
    match body:
        case Fn():
            return "exponential" if body.name == "exp" else "norm" if body.name == "sqrt" else "squash"
        case Pow():
            return "norm"
        case Sum():
            return "product"
        case Add():
            signs = [isinstance(a, Mul) and a.args[0] is not None and _is_negative(a) for a in body.args]
            return "difference" if any(signs) and len(body.args) == 2 else "product"
        case Mul() if any(isinstance(f, Sum) for f in body.args):
            return "product"
    return ""


def _is_negative(term: Mul) -> bool:
    first = term.args[0]
    return isinstance(first, Num) and not isinstance(first.value, str) and first.value < 0


def _invented(part: Array, taken: set[str]) -> str:
    pool = [LETTERS[_kind(part)][part.rank], *MORE[part.rank]] if part.rank < 3 else OTHERS
    for name in (*pool, *(f"{pool[0].split('_')[0]}_{k}" for k in range(1, 10_000))):
        if name not in taken:
            taken.add(name)
            return name
    raise AssertionError("there are more names than that")

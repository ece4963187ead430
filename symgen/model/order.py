"""The order of a spec's names: each after those that its statement speaks of, so that elaboration never nests deeply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from symgen.tensor.scope import parts_of, words_of
from symgen.text import tree
from symgen.text.tree import Span

Declaring = tree.Statement | list[tree.Statement]
LONG = 50  # names: a shorter circle is found, with its witnesses, where it is elaborated


def expressions_in(s: Declaring) -> Iterator[tree.Expression]:
    """The expressions on the right sides of a statement, and in the shapes of what it declares."""
    if isinstance(s, list):
        for part in s:
            yield from expressions_in(part)
    elif isinstance(s, tree.Let):
        yield s.value
    elif isinstance(s, tree.Def):
        yield s.body
    elif isinstance(s, tree.Dist):
        yield s.law
    elif isinstance(s, tree.Derive):
        yield s.goal
    elif isinstance(s, tree.Game):
        yield from (p.payoff for p in s.players)


def bound_in(spec: tree.Spec) -> Iterator[tuple[str, tuple[Span, str]]]:
    """The names that binders and the left sides of definitions bind, with their places and what they are."""
    for s in spec.statements:
        stack = [s.value for s in s.steps] + [s.first] if isinstance(s, tree.Claim) else list(expressions_in(s))
        if isinstance(s, tree.Let):
            yield from ((i.name, (i.span, "an index")) for i in s.indices or () if isinstance(i, tree.IndexSpec))
        while stack:
            e = stack.pop()
            if isinstance(e, tree.Binder):
                for i in e.specs:
                    if isinstance(i, tree.IndexSpec):
                        yield i.name, (i.span, "an index")
                    else:
                        yield from ((n, (i.span, "drawn here")) for n in i.names)
            stack.extend(parts_of(e))


def unbound(s: Declaring) -> Iterator[tuple[str, Span, str]]:
    """The names that a statement uses and does not bind, with their places, as `name` or `function`; not those of keywords."""
    own = {p.name for p in s.parameters} if isinstance(s, tree.Def) else set[str]()
    if isinstance(s, tree.Let):
        own |= {i.name for i in s.indices or () if isinstance(i, tree.IndexSpec)}
    stack = [(e, frozenset(own)) for e in expressions_in(s)]
    while stack:
        e, bound = stack.pop()
        if isinstance(e, tree.Name) and e.name not in bound:
            yield e.name, e.span, "name"
        elif isinstance(e, tree.Call):
            if e.function not in bound:
                yield e.function, e.name_span if e.name_span != tree.NOWHERE else e.span, "distribution" if e.log else "function"
            stack.extend((x, bound) for x in (*e.arguments, *e.given, *e.versus))
            continue
        elif isinstance(e, tree.Binder):
            bound |= {n for i in e.specs for n in ((i.name,) if isinstance(i, tree.IndexSpec) else i.names)}
        stack.extend((x, bound) for x in parts_of(e))


def program_order(statements: Mapping[str, Declaring]) -> tuple[list[str], list[list[str]]]:
    """All names, each after what it is made from; and the circles of names that are too long to be walked by recursion."""
    order: list[str] = []
    circles: list[list[str]] = []
    place: dict[str, int] = {}  # on the way down: the depth; done: -1
    for root in statements:
        if root in place:
            continue
        place[root] = 0
        path = [(root, _needed(statements, root))]
        while path:
            name, rest = path[-1]
            following = next(rest, None)
            if following is None:
                path.pop()
                place[name] = -1
                order.append(name)
            elif following not in place:
                place[following] = len(path)
                path.append((following, _needed(statements, following)))
            elif len(path) - place[following] > LONG and place[following] >= 0:
                circles.append([n for n, _ in path[place[following] :]])
    return order, circles


def _needed(statements: Mapping[str, Declaring], name: str) -> Iterator[str]:
    own = statements[name]
    bound = {p.name for p in own.parameters} if isinstance(own, tree.Def) else set()
    for e in expressions_in(own):
        for word in words_of(e):
            if word in statements and word not in bound and word != name:
                yield word

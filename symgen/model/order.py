"""The order of a spec's names: each after those that its statement speaks of, so that elaboration never nests deeply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from symgen.tensor.scope import words_of
from symgen.text import tree

Declared = tree.Statement | list[tree.Statement]
LONG = 50  # names: a shorter circle is found, with its witnesses, where it is elaborated


def expressions_in(s: Declared) -> Iterator[tree.Expression]:
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


def program_order(statements: Mapping[str, Declared]) -> tuple[list[str], list[list[str]]]:
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


def _needed(statements: Mapping[str, Declared], name: str) -> Iterator[str]:
    own = statements[name]
    bound = {p.name for p in own.parameters} if isinstance(own, tree.Def) else set()
    for e in expressions_in(own):
        for word in words_of(e):
            if word in statements and word not in bound and word != name:
                yield word

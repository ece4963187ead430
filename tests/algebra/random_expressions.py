"""Random matrix expressions, each written in many ways: other orders, groupings, names of indices, transposes moved,
products multiplied out, traces turned. All ways have one value, which is computed here in exact integers."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np

SIZES = {"n": 2, "m": 3, "p": 4}
MATRICES = {"A": ("n", "m"), "B": ("m", "p"), "C": ("n", "n"), "D": ("m", "m"), "E": ("n", "m"), "F": ("p", "n")}
VECTORS = {"u": ("n",), "v": ("m",), "w": ("p",)}
NUMBERS = {"a": (), "b": (), "c": ()}


@dataclass(frozen=True)
class Node:
    """`kind` is a name, number, sum, product (of matrices, or elementwise: times), transpose, tr, dot or total."""

    kind: str
    shape: tuple[str, ...]
    parts: tuple[Any, ...] = ()


def leaf(rng: random.Random, shape: tuple[str, ...]) -> Node:
    names = {**MATRICES, **VECTORS, **NUMBERS}
    fitting = [k for k, s in names.items() if s == shape]
    turned = [k for k, s in MATRICES.items() if s == shape[::-1] and len(shape) == 2]
    chosen = rng.choice(fitting + turned) if fitting + turned else None
    if chosen is None:  # no matrix of these sizes: a product of two
        middle = rng.choice(list(SIZES))
        return Node("product", shape, (leaf(rng, (shape[0], middle)), leaf(rng, (middle, shape[1]))))
    if chosen in turned and (chosen not in fitting or rng.random() < 0.5):
        return Node("transpose", shape, (Node(chosen, names[chosen]),))
    return Node(chosen, shape)


def draw(rng: random.Random, shape: tuple[str, ...], depth: int) -> Node:
    if depth == 0:
        return leaf(rng, shape)
    kinds = ["sum", "sum", "times"]
    kinds += ["product", "product", "transpose"] if len(shape) == 2 else ["product"] if shape else ["tr", "dot", "total"]
    kind = rng.choice(kinds)
    if kind in ("sum", "times"):
        count = rng.choice((2, 2, 3)) if kind == "sum" else 2
        return Node(kind, shape, tuple(draw(rng, shape, depth - 1) for _ in range(count)))
    if kind == "transpose":
        return Node(kind, shape, (draw(rng, shape[::-1], depth - 1),))
    if kind == "product":
        middle = rng.choice(list(SIZES))
        left = draw(rng, (shape[0], middle), depth - 1)
        return Node(kind, shape, (left, draw(rng, (middle, *shape[1:]), depth - 1)))
    if kind == "tr":
        size = rng.choice(list(SIZES))
        middle = rng.choice(list(SIZES))
        inner = Node("product", (size, size), (draw(rng, (size, middle), depth - 1), draw(rng, (middle, size), depth - 1)))
        return Node(kind, (), (inner,))
    if kind == "dot":
        size = rng.choice(list(SIZES))
        return Node(kind, (), (draw(rng, (size,), depth - 1), draw(rng, (size,), depth - 1)))
    return Node("total", (), (draw(rng, tuple(rng.sample(list(SIZES), 2)), depth - 1),))


def value(node: Node, at: dict[str, Any]) -> Any:
    """The value in exact integers."""
    if node.kind in at:
        return at[node.kind]
    parts = [value(p, at) for p in node.parts]
    match node.kind:
        case "sum":
            return sum(parts[1:], parts[0])
        case "times":
            return parts[0] * parts[1]
        case "product":
            return parts[0] @ parts[1]
        case "transpose":
            return parts[0].T
        case "tr":
            return np.trace(parts[0])
        case "dot":
            return parts[0] @ parts[1]
    return parts[0].sum()


def point(rng: random.Random) -> dict[str, Any]:
    def drawn(shape: tuple[str, ...]) -> Any:
        sizes = [SIZES[s] for s in shape]
        numbers = [rng.randint(-9, 9) for _ in range(int(np.prod(sizes, dtype=int)))]
        out = np.empty(len(numbers), dtype=object)
        out[:] = numbers
        return out.reshape(sizes) if sizes else numbers[0]

    return {k: drawn(s) for k, s in {**MATRICES, **VECTORS, **NUMBERS}.items()}


# --- ways to write one expression -------------------------------------------------------------------------------------


def terms(node: Node) -> list[Node]:
    return [t for p in node.parts for t in terms(p)] if node.kind == "sum" else [node]


def turned(node: Node) -> Node:
    """The transpose of a node, carried inwards."""
    shape = node.shape[::-1]
    if node.kind == "transpose":
        return node.parts[0]  # type: ignore[no-any-return]
    if node.kind in ("sum", "times"):
        return Node(node.kind, shape, tuple(turned(p) for p in node.parts))
    if node.kind == "product" and len(shape) == 2:
        return Node("product", shape, tuple(turned(p) for p in node.parts[::-1]))
    return Node("transpose", shape, (node,))


def varied(node: Node, rng: random.Random) -> Node:
    """The same value, written in another way."""
    parts = [varied(p, rng) for p in node.parts]
    node = Node(node.kind, node.shape, tuple(parts))
    if node.kind == "sum":
        all_terms = terms(node)
        rng.shuffle(all_terms)
        while len(all_terms) > 1:  # grouped at random
            k = rng.randrange(len(all_terms) - 1)
            all_terms[k : k + 2] = [Node("sum", node.shape, tuple(all_terms[k : k + 2]))]
        return all_terms[0]
    if node.kind in ("times", "dot") and rng.random() < 0.5:
        return Node(node.kind, node.shape, (parts[1], parts[0]))
    if node.kind == "transpose" and rng.random() < 0.7:
        return turned(parts[0])
    if node.kind == "product":
        left, right = parts
        if right.kind == "sum" and rng.random() < 0.4:  # multiplied out
            return Node("sum", node.shape, tuple(Node("product", node.shape, (left, t)) for t in terms(right)))
        if left.kind == "product" and rng.random() < 0.5:  # grouped the other way
            first, second = left.parts
            inner = Node("product", (second.shape[0], *right.shape[1:]), (second, right))
            return Node("product", node.shape, (first, inner))
        if len(node.shape) == 2 and rng.random() < 0.3:
            return Node("transpose", node.shape, (turned(node),))
    if node.kind == "tr" and parts[0].kind == "product":
        left, right = parts[0].parts
        if rng.random() < 0.5:
            return Node("tr", (), (Node("product", (right.shape[0],) * 2, (right, left)),))
        if rng.random() < 0.3:
            return Node("tr", (), (turned(parts[0]),))
    return node


def written(node: Node, rng: random.Random) -> str:
    parts = [written(p, rng) for p in node.parts]
    match node.kind:
        case "sum":
            return "(" + " + ".join(parts) + ")"
        case "times":
            return f"({parts[0]}*{parts[1]})"
        case "product":
            return f"({parts[0]} @ {parts[1]})"
        case "transpose":
            return f"({parts[0]})'"
        case "tr":
            return f"tr({parts[0]})"
        case "dot":
            if rng.random() < 0.3:
                i = rng.choice("ijkl")
                return f"sum[{i}]({parts[0]}[{i}]*{parts[1]}[{i}])"
            return f"({parts[0]} @ {parts[1]})"
        case "total":
            return f"sum({parts[0]})"
    return node.kind

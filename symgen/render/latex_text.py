"""Pieces of LaTeX: brackets as tall as they must be, subscripts that go on, what seems to go on to the right."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from symgen.render import compose
from symgen.render.escape import name_tex
from symgen.text import tree as t

TALL = re.compile(r"\\(frac|sum|prod|left|begin|int|big|sqrt|binom|overset|mathbb\{E\})")


_SIGN = re.compile(r"\\mathrm\{+\w\}+|\\[A-Za-z]+|[A-Za-z](?![A-Za-z])")


def is_taken(template: str, names: frozenset[str]) -> bool:
    """Whether the sign of a function is that of a name: psi(x) where the author has a psi."""
    found = _SIGN.match(template)
    return found is not None and _plain(found[0]) in _signs_of(names)


@lru_cache(maxsize=64)
def _signs_of(names: frozenset[str]) -> frozenset[str]:
    return frozenset(_plain(name_tex(n, names)) for n in names)


def _plain(sign: str) -> str:
    return sign.replace(r"\mathrm", "").strip("{}")


def brackets(text: str) -> str:
    """The text in brackets, unless it stands in them already."""
    if is_bracketed(text):
        return text
    return rf"\left({text}\right)" if TALL.search(text) else f"({text})"


def is_bracketed(text: str) -> bool:
    """Whether one pair of brackets holds the whole."""
    if not (text.startswith(("(", r"\left(")) and text.endswith(")")):
        return False
    depth = 0
    for k, ch in enumerate(text):
        depth += (ch == "(") - (ch == ")")
        if depth == 0 and ch == ")":
            return k == len(text) - 1
    return False


def subscripted(base: str, subscript: str) -> str:
    """base_{subscript}; a subscript that is there already goes on after a comma."""
    if re.fullmatch(r"\\?[A-Za-z]+|\\(mathrm|mathcal|bar|hat)\{[^{}]*\}", base):
        return f"{base}_{{{subscript}}}"
    found = re.fullmatch(r"(.*)_\{([^{}]*(?:\{[^{}]*\})*)\}", base)
    if found and "(" not in found[1] and " " not in found[1]:
        return f"{found[1]}_{{{found[2]},{subscript}}}"
    return f"{brackets(base)}_{{{subscript}}}"


def stacked(head: str, ranges: Iterable[tuple[str, str]]) -> str:
    ranges = list(ranges)
    if len(ranges) == 1:
        low, high = ranges[0]
        return f"{head}_{{{low}}}" + (f"^{{{high}}}" if high else "")
    return " ".join(f"{head}_{{{low}}}" + (f"^{{{high}}}" if high else "") for low, high in ranges)


def is_open(text: str) -> bool:
    """Whether what follows the text would seem to belong to it: a sum, a logarithm without brackets."""
    return bool(re.match(r"\\(sum|prod|int|log|det|lim|max|min|nabla|frac\{\\partial)(?![a-zA-Z])", text)) and not re.fullmatch(
        r"\\log\([^()]*\)|\\max\([^()]*\)|\\min\([^()]*\)", text
    )


def bare(text: str) -> str:
    """Without the brackets round the whole."""
    for left, right in (("(", ")"), (r"\left(", r"\right)")):
        if text.startswith(left) and text.endswith(right):
            inside = text[len(left) : len(text) - len(right)]
            depth = 0
            for ch in inside:
                depth += (ch == "(") - (ch == ")")
                if depth < 0:
                    break
            if depth == 0 and "(" not in inside:
                return inside
            if depth == 0 and left == "(":
                return inside
    return text


def names_in(e: t.Tree) -> set[str]:
    out: set[str] = set()
    stack: list[t.Tree] = [e]
    while stack:
        x = stack.pop()
        if isinstance(x, t.Name):
            out.add(x.name)
        elif isinstance(x, t.IndexSpec):
            out.add(x.name)
        elif isinstance(x, t.Call):
            out.add(x.function)
        stack.extend(compose.parts(x))
    return out


def counts_from_zero(trees: Iterable[t.Tree]) -> bool:
    """Whether an index in one of the trees is seen to count from 0: it is a number, or stands elsewhere than in a subscript."""
    stack = list(trees)
    while stack:
        x = stack.pop()
        if isinstance(x, t.Subscript) and any(isinstance(i, t.Number) for i in x.items):
            return True
        if isinstance(x, t.Binder):
            own = {s.name for s in x.specs if isinstance(s, t.IndexSpec) and s.lower is None}
            if x.function in ("sum", "prod", "mean", "logsumexp") and own and any(off_plain(a, own) for a in x.arguments):
                return True
        stack.extend(compose.parts(x))
    return False


def off_plain(e: t.Tree, names: set[str]) -> bool:
    """Whether an index stands anywhere but alone in a subscript, or a subscript is a number: counted from 0."""
    stack: list[t.Tree] = [e]
    while stack:
        x = stack.pop()
        if isinstance(x, t.Name) and x.name in names:
            return True
        if isinstance(x, t.Subscript):
            if any(isinstance(i, t.Number) for i in x.items):
                return True
            stack.append(x.operand)
            stack.extend(i for i in x.items if not isinstance(i, t.Name))
            continue
        stack.extend(compose.parts(x))
    return False

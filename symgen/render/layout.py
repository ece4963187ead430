"""Where long equations break: at the terms of a sum, with the sign in front of the next line."""

from __future__ import annotations

import re
from collections.abc import Callable

from symgen.text import tree as t


def ink(tex: str) -> int:
    """About how many characters wide a formula of LaTeX is when it is set."""
    text = re.sub(r"\\(left|right|mathrm|mathbf|mathbb|mathcal|operatorname\*?|text|big|bigl|bigr)\b", "", tex)
    text = re.sub(r"\\(begin|end)\{\w+\}", "", text)
    text = re.sub(r"\\[a-zA-Z]+|\\.", "x", text)
    return len(re.sub(r"[{}_^&\s]", "", text)) + text.count(" ") // 3


def broken(e: t.Expression, write: Callable[[t.Expression], str], measure: Callable[[str], int], limit: int) -> list[str]:
    """The text of `e` in lines of at most `limit`, where its terms allow that."""
    whole = write(e)
    if measure(whole) <= limit or not isinstance(e, t.Terms) or len(e.terms) < 2:
        return [whole]
    lines: list[str] = []
    group: list[tuple[int, t.Expression]] = []

    def close() -> None:
        if group:
            text = write(t.Terms(tuple(group)))
            if lines:
                text = f"- {text[1:]}" if text.startswith("-") else f"+ {text}"
            lines.append(text)
            group.clear()

    for term in e.terms:
        if group and measure(write(t.Terms((*group, term)))) > limit:
            close()
        group.append(term)
    close()
    return lines

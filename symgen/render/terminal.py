"""Pages as text for a terminal: formulas in the language, Greek words as letters, lines no wider than the window."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterable

from symgen.render.escape import printable
from symgen.render.language import unparse
from symgen.render.layout import broken
from symgen.render.page import (
    Block,
    Chain,
    Code,
    Figure,
    Heading,
    Inline,
    Items,
    Maths,
    Member,
    Mono,
    Page,
    Paragraph,
    Part,
    Relation,
    Table,
)  # fmt: skip
from symgen.text import tree as t
from symgen.text.names import letter_of

RULES = {1: "═", 2: "─"}
RELATIONS = {"->": "→", "<=": "≤", ">=": "≥", "propto": "∝", "~=": "≃"}
MARKS = {"proved": "✓", "checked": "✓", "refuted": "✗", "malformed": "✗", "unknown": "?"}


def width_of_window() -> int:
    return max(40, min(shutil.get_terminal_size((100, 24)).columns, 120))


def render(page: Page, width: int | None = None, shift: int = 0) -> str:
    """The page as plain text of at most `width` columns where formulas allow it."""
    width = width or width_of_window()
    return "\n\n".join(block(b, width) for b in page.lowered(shift)).rstrip() + "\n"


def formula(e: t.Expression) -> str:
    """The text of an expression, Greek words as letters."""
    return re.sub(r"[^\W\d]\w*(?!\w|\()", lambda m: letter_of(m[0]), unparse(e))


def inline(parts: Iterable[Inline]) -> str:
    out = []
    for x in parts:
        match x:
            case Maths(tree):
                out.append(formula(tree))
            case Member(name, word, arguments, shape):
                text = f"{letter_of(name)}: {word}" + (f"({', '.join(map(formula, arguments))})" if arguments else "")
                out.append(text + (f"[{', '.join(map(formula, shape))}]" if shape else ""))
            case Mono(text):
                out.append(printable(text))
            case _:
                out.append(printable(x))
    return "".join(out)


def wrapped(text: str, width: int, first: str = "", later: str = "") -> str:
    return textwrap.fill(text, width, initial_indent=first, subsequent_indent=later, break_long_words=False)


def block(b: Block, width: int) -> str:
    match b:
        case Heading(level, content):
            text = inline(content)
            return f"{text}\n{RULES[level] * min(len(text), width)}" if level in RULES else f"{text}:"
        case Paragraph(content, kind):
            return wrapped(inline(content), width, "note: " if kind == "note" else "")
        case Chain(lines):
            return "\n".join(row for line in lines for row in relation(line, width))
        case Items(items):
            return "\n".join(wrapped(inline(x), width, "  - ", "    ") for x in items)
        case Code(text, _):
            return "\n".join(f"    {line}" for line in printable(text).splitlines())
        case Figure(_, caption, _):
            return f"[figure: {printable(caption)}]"
        case Table(titles, rows):
            cells = [list(map(printable, titles)), *([inline(c) for c in row] for row in rows)]
            widths = [max(len(row[k]) for row in cells) for k in range(len(titles))]
            return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells)
        case Part(page, shift):
            return render(page, width, shift).rstrip()
    raise TypeError(f"no text for {type(b).__name__}")


def relation(line: Relation, width: int) -> list[str]:
    """One line `left = right   (reason)`, or several where it is long."""
    sign = RELATIONS.get(line.relation, line.relation)
    if line.over:
        sign += f"[{', '.join(letter_of(n) for n in line.over)}]"
    left = formula(line.left) if line.left is not None else ""
    reason = inline(line.reason)
    if line.mark:
        reason = f"{MARKS.get(line.mark, '?')} {line.mark}" + (f": {reason}" if reason else "")
    rights = broken(line.right, formula, len, width - 8)
    head = f"    {left} {sign} " if left else f"      {sign} " if sign else "    "
    rows: list[str] = []
    if left and len(head) + len(rights[0]) > width and len(left) > 16:
        rows.append(f"    {left}")
        head = f"      {sign} "
    for k, right in enumerate(rights):
        rows.append((head if k == 0 else " " * 10) + right)
    if reason:
        tail = f"   {reason}" if line.mark else f"   ({reason})"
        if len(rows[-1]) + len(tail) <= width:
            rows[-1] += tail
        else:
            rows.append(wrapped(tail.strip(), width, " " * 12, " " * 12))
    return rows

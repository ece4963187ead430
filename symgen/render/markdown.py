"""Pages as Markdown with formulas in dollars, as notebooks and code hosts show it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

from symgen.render.escape import markdown_text
from symgen.render.latex import Latex
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
    Table,
)  # fmt: skip
from symgen.render.tex import chain_rows, member, printer


def render(page: Page, shift: int = 0) -> str:
    """The page as Markdown."""
    latex = printer(page)
    return "\n\n".join(block(b, latex) for b in page.lowered(shift)) + "\n"


def inline(parts: Iterable[Inline], latex: Latex) -> str:
    out = []
    for x in parts:
        match x:
            case Maths(tree):
                out.append(f"${latex.tex(tree)}$")
            case Member():
                out.append(f"${member(x, latex)}$")
            case Mono(text):
                out.append(code(text))
            case _:
                out.append(markdown_text(x))
    return "".join(out)


def code(text: str) -> str:
    """Text between backquotes, more of them than stand in a row inside."""
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def fenced(text: str, language: str) -> str:
    """A block of code; its fence is longer than any inside."""
    longest = max((len(run) for run in re.findall("`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{re.sub(r'[^a-z]', '', language)}\n{text.rstrip()}\n{fence}"


def block(b: Block, latex: Latex) -> str:
    match b:
        case Heading(level, content):
            return "#" * min(level + 1, 6) + " " + inline(content, latex)
        case Paragraph(content, kind):
            text = inline(content, latex)
            return f"*{text}*" if kind == "evidence" else f"> {text}" if kind == "note" else text
        case Chain():
            return "$$\n\\begin{aligned}\n" + " \\\\\n".join(chain_rows(b, latex)) + "\n\\end{aligned}\n$$"
        case Items(lines):
            return "\n".join(f"- {inline(x, latex)}" for x in lines)
        case Code(text, language):
            return fenced(text, language)
        case Figure(png, caption, _):
            data = base64.b64encode(png).decode("ascii")
            return f"![{markdown_text(caption)}](data:image/png;base64,{data})"
        case Table(titles, rows):
            head = "| " + " | ".join(markdown_text(x) for x in titles) + " |"
            rule = "|" + " --- |" * len(titles)
            return "\n".join([head, rule, *("| " + " | ".join(inline(c, latex) for c in row) + " |" for row in rows)])
        case Part(page, shift):
            return render(page, shift).rstrip()
    raise TypeError(f"no Markdown for {type(b).__name__}")

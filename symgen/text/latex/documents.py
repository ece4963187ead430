"""Where the displays of a document stand: in LaTeX, and in Markdown between its dollars."""

from __future__ import annotations

import re
from collections.abc import Sequence

from symgen.text.tree import Span

__all__ = ["displays"]

_ENVIRONMENTS = "equation align gather eqnarray multline alignat flalign displaymath math dmath IEEEeqnarray"
_DISPLAY = re.compile(
    r"(?P<comment>(?<!\\)%[^\n]*)"
    r"|(?P<verbatim>\\begin\{(?P<v>verbatim\*?|lstlisting|comment|minted)\})"
    r"|(?P<begin>\\begin\{(?P<name>(?:" + "|".join(_ENVIRONMENTS.split()) + r")\*?)\})"
    r"|(?P<open>\\\[)|(?P<dollars>\$\$)|(?P<escaped>\\.)",
    re.DOTALL,
)
_FENCE = re.compile(r"^[ \t]{0,3}(`{3,}|~{3,})[^\n]*$", re.MULTILINE)
_CODE = re.compile(r"(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)")


def displays(text: str, markdown: bool = False, skip: Sequence[tuple[int, int]] = ()) -> list[Span]:
    """The stretches of text between the signs of displays, in order; one that is never closed goes to the end of its
    paragraph, so that its slip is told. `skip` are stretches to leave out: definitions of macros."""
    hidden = [*skip, *(_code(text) if markdown else ())]
    hidden.sort()
    out: list[Span] = []
    position = 0
    while True:
        m = _DISPLAY.search(text, position)
        if m is None:
            return out
        position = m.end()
        inside = next(((a, b) for a, b in hidden if a <= m.start() < b), None)
        if inside is not None:
            position = max(position, inside[1])
            continue
        if m["comment"] is not None:
            if markdown:
                position = m.start() + 1
            continue
        if m["verbatim"]:
            end = text.find(rf"\end{{{m['v']}}}", position)
            position = len(text) if end < 0 else end
            continue
        if m["escaped"]:
            continue
        if m["begin"]:
            closing, inner = rf"\end{{{m['name']}}}", m.start()
            end = text.find(closing, position)
            stop = end + len(closing) if end >= 0 else _paragraph(text, position)
            out.append(Span(inner, stop))
            position = stop
            continue
        closing = "\\]" if m["open"] else "$$"
        end = text.find(closing, position)
        stop = end if end >= 0 else _paragraph(text, position)
        if text[position:stop].strip():
            out.append(Span(position, stop))
        position = stop + (len(closing) if end >= 0 else 0)


def _paragraph(text: str, start: int) -> int:
    found = re.compile(r"\n\s*\n").search(text, start)
    return found.start() if found else len(text)


def _code(text: str) -> list[tuple[int, int]]:
    """Fenced blocks and code in a line of Markdown."""
    out: list[tuple[int, int]] = []
    opened: tuple[str, int] | None = None
    for m in _FENCE.finditer(text):
        if opened is None:
            opened = (m[1], m.start())
        elif m[1].startswith(opened[0]):
            out.append((opened[1], m.end()))
            opened = None
    if opened is not None:
        out.append((opened[1], len(text)))
    fences = list(out)
    out.extend((m.start(), m.end()) for m in _CODE.finditer(text) if not any(a <= m.start() < b for a, b in fences))
    return out

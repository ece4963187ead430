"""How a diagnostic reads: the reader's lines, `^^^` under the culprit, `---` under what makes it one, the way out."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from symgen.text.characters import code_point, is_refused, shown, width
from symgen.text.tree import Source

if TYPE_CHECKING:
    from symgen.text.diagnostics import Diagnostic, Label

__all__ = ["excerpt", "line_and_column"]

WIDTH = 100  # columns of a source line that are shown; of a longer one, the part around the labels
_TAB = "    "
_NEWLINE = re.compile(r"\r\n|\r|\n")
_STYLE = {"error": "1;31", "warning": "1;33", "note": "1;36", "frame": "1;34", "message": "1"}


@lru_cache(8)
def _line_starts(text: str) -> list[int]:
    return [0, *(found.end() for found in _NEWLINE.finditer(text))]


def line_and_column(source: Source, position: int) -> tuple[int, int]:
    """Where a position stands, from 1, the line with the shift of the source; a byte order mark has no column."""
    starts = _line_starts(source.text)
    line = bisect_right(starts, min(position, len(source.text)))
    column = position - starts[line - 1] + 1
    if line == 1 and source.text.startswith("\ufeff"):
        column = max(1, column - 1)
    return line + source.line_shift, column


@dataclass
class _Stretch:
    """The part of a label that lies in one line: columns of that line's text, from 0."""

    start: int
    end: int
    culprit: bool
    text: str


class _Paint:
    """Colours, or none."""

    def __init__(self, color: bool) -> None:
        self.color = color

    def __call__(self, style: str, text: str) -> str:
        return f"\x1b[{_STYLE[style]}m{text}\x1b[0m" if self.color and text else text


def excerpt(diagnostic: Diagnostic, color: bool = False) -> str:
    """The report of one diagnostic, as STYLE.md draws it; nothing of the reader's text can hide or act in it."""
    paint = _Paint(color)
    source = diagnostic.source
    lines = _lines_of(diagnostic)
    shift = source.line_shift
    pad = len(str(max(lines) + shift)) if lines else 1
    severity = diagnostic.severity
    out = [paint(severity if severity in _STYLE else "error", f"{severity}:") + " " + paint("message", _safe(diagnostic.message))]
    where = shown(source.name)
    if diagnostic.labels:
        line, column = line_and_column(source, diagnostic.position)
        where = f"{where}:{line}:{column}"
    out.append(paint("frame", " " * pad + "-->") + f" {where}")
    gutter = " " * (pad + 1)
    bar = paint("frame", "|")
    if lines:
        out.append(f"{gutter}{bar}")
    for number, stretches in sorted(lines.items()):
        text, rows = _drawn(source.text, number, stretches, paint, severity)
        out.append(f"{paint('frame', f'{number + shift:>{pad}}')} {bar} {text}".rstrip())
        out.extend(f"{gutter}{bar} {row}" for row in rows)
    remarks = [("note", note) for note in diagnostic.notes]
    if diagnostic.help:
        remarks.append(("help", diagnostic.help))
    for word, remark in remarks:
        first, *more = _safe(remark).split("\n")
        out.append(f"{gutter}{paint('frame', '=')} {paint('message', word + ':')} {first}")
        out.extend(f"{gutter}  {' ' * len(word)}  {line}" for line in more)
    return "\n".join(out)


def _safe(text: str) -> str:
    """Text of a message, which may quote the reader's: control characters are shown, newlines kept."""
    return "\n".join(shown(line) for line in text.split("\n"))


def _lines_of(diagnostic: Diagnostic) -> dict[int, list[_Stretch]]:
    """Line number -> what is drawn under it. Of a label over several lines, the first and the last are drawn."""
    text = diagnostic.source.text
    lines: dict[int, list[_Stretch]] = {}
    if not text:
        return lines
    starts = _line_starts(text)
    for label in _distinct(diagnostic.labels):
        begin = max(0, min(label.span.start, len(text)))
        end = max(begin, min(label.span.end, len(text)))
        first = bisect_right(starts, begin)
        last = max(first, bisect_right(starts, max(begin, end - 1)))
        for line in dict.fromkeys((first, last)):
            start = starts[line - 1]
            stop = _end_of_line(text, starts, line)
            left = begin - start if line == first else _indent(text, start, stop)
            right = (end if line == last else stop) - start
            words = label.text if line == last else ""
            lines.setdefault(line, []).append(_Stretch(left, max(left + 1, right), label.culprit, words))
    return lines


def _distinct(labels: Iterable[Label]) -> list[Label]:
    return list(dict.fromkeys(labels))


def _end_of_line(text: str, starts: list[int], line: int) -> int:
    stop = starts[line] if line < len(starts) else len(text)
    while stop > starts[line - 1] and text[stop - 1] in "\r\n":
        stop -= 1
    return stop


def _indent(text: str, start: int, stop: int) -> int:
    place = start
    while place < stop and text[place] in " \t":
        place += 1
    return place - start


def _drawn(text: str, number: int, stretches: list[_Stretch], paint: _Paint, severity: str) -> tuple[str, list[str]]:
    """A source line as it is shown, and the rows of marks under it."""
    starts = _line_starts(text)
    start, stop = starts[number - 1], _end_of_line(text, starts, number)
    low, high = _window(stop - start, stretches)
    line = text[start + low : start + high]
    before = "..." if low else ""
    pieces, columns = [before], [len(before)]
    for c in line:
        piece = _TAB if c == "\t" else "" if c == "\ufeff" and start + low == 0 else f"<{code_point(c)}>" if is_refused(c) else c
        pieces.append(piece)
        columns.append(columns[-1] + (width(c) if piece == c else len(piece)))
    if high < stop - start:
        pieces.append("...")

    def column(place: int) -> int:
        place -= low
        if place < 0:
            return 0
        return columns[place] if place < len(columns) else columns[-1] + place - len(columns) + 1

    rows: list[str] = []
    row, width_of_row, open_text = "", 0, True
    for s in sorted(stretches, key=lambda s: (s.start, s.end, s.culprit)):
        left, right = column(s.start), max(column(s.start) + 1, column(min(s.end, high)))
        mark = (
            paint(severity if severity in _STYLE else "error", "^" * (right - left))
            if s.culprit
            else paint("frame", "-" * (right - left))
        )
        if row and (not open_text or left <= width_of_row):
            rows.append(row)
            row, width_of_row = "", 0
        row += " " * (left - width_of_row) + mark
        width_of_row = right
        open_text = not s.text
        if s.text:
            row += " " + _safe(s.text).replace("\n", " ")
    rows.append(row)
    return "".join(pieces), rows


def _window(size: int, stretches: list[_Stretch]) -> tuple[int, int]:
    """The part of a long line that is shown: around its labels, the culprit first."""
    if size <= WIDTH:
        return 0, size
    main = min(stretches, key=lambda s: (not s.culprit, s.start))
    low = min(s.start for s in stretches)
    if main.end - low > WIDTH - 20:
        low = main.start
    low = max(0, min(low - 20, size - WIDTH + 3))
    if low <= 8:
        low = 0
    return low, min(size, low + WIDTH - 6)

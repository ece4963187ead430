"""A page before it has a format: headings, paragraphs, chains of equations, figures. Every format prints it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from symgen.render.shapes import Shape
from symgen.text import tree as t


@dataclass(frozen=True)
class Maths:
    """An expression in running text. `relation` stands between several: E = E'."""

    tree: t.Expression


@dataclass(frozen=True)
class Mono:
    """Text of a program, as it was written."""

    text: str


@dataclass(frozen=True)
class Member:
    """A name and what it ranges over: `X: real[n, d]`."""

    name: str
    word: str
    arguments: tuple[t.Expression, ...] = ()
    shape: tuple[t.Expression, ...] = ()


Inline = str | Maths | Mono | Member
Line = Sequence[Inline]


def marked(text: str) -> tuple[Inline, ...]:
    """Text with what stands between backquotes as `Mono`."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return (text,)
    return tuple(Mono(part) if k % 2 else part for k, part in enumerate(parts) if part)


@dataclass(frozen=True)
class Relation:
    """One line of a chain: `left relation right`, with its reason; `left` is missing where the chain goes on. `mark` is
    the status of a step that was checked."""

    right: t.Expression
    left: t.Expression | None = None
    relation: str = "="
    over: tuple[str, ...] = ()
    reason: tuple[Inline, ...] = ()
    mark: str = ""


@dataclass(frozen=True)
class Heading:
    level: int
    content: tuple[Inline, ...]


@dataclass(frozen=True)
class Paragraph:
    content: tuple[Inline, ...]
    kind: str = ""  # note, evidence, caution


@dataclass(frozen=True)
class Chain:
    """Aligned equations."""

    lines: tuple[Relation, ...]


@dataclass(frozen=True)
class Items:
    lines: tuple[tuple[Inline, ...], ...]


@dataclass(frozen=True)
class Code:
    text: str
    language: str = ""


@dataclass(frozen=True)
class Figure:
    """A picture as the bytes of a PNG."""

    png: bytes
    caption: str = ""
    name: str = "figure"


@dataclass(frozen=True)
class Table:
    """Rows of cells below a row of titles."""

    titles: tuple[str, ...]
    rows: tuple[tuple[tuple[Inline, ...], ...], ...]


@dataclass(frozen=True)
class Part:
    """A page inside a page, with names of its own; its headings stand `shift` levels lower."""

    page: Page
    shift: int = 0


Block = Heading | Paragraph | Chain | Items | Code | Figure | Table | Part


@dataclass
class Page:
    """Blocks in order, and the shapes of the names in their mathematics."""

    title: str
    blocks: list[Block] = field(default_factory=list)
    shapes: Mapping[str, Shape] = field(default_factory=dict)

    def figures(self) -> list[Figure]:
        """All figures, those of parts included."""
        out: list[Figure] = []
        for b in self.blocks:
            if isinstance(b, Figure):
                out.append(b)
            elif isinstance(b, Part):
                out += b.page.figures()
        return out

    def trees(self) -> Iterator[t.Tree]:
        """The formulas of the page, in no order."""
        stack: list[Any] = list(self.blocks)
        while stack:
            x = stack.pop()
            if isinstance(x, t.Tree):
                yield x
            elif isinstance(x, (list, tuple)):
                stack.extend(x)
            elif is_dataclass(x) and not isinstance(x, (Page, Part)):
                stack.extend(getattr(x, f.name) for f in fields(x))

    def lowered(self, shift: int) -> list[Block]:
        """The blocks with headings `shift` levels lower."""
        out: list[Block] = []
        for b in self.blocks:
            if isinstance(b, Heading):
                out.append(Heading(b.level + shift, b.content))
            elif isinstance(b, Part):
                out.append(Part(b.page, b.shift + shift))
            else:
                out.append(b)
        return out

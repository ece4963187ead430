"""Several derivations, verdicts, listings and pictures in one document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symgen.render import derivation as derivations
from symgen.render import html as html_pages
from symgen.render import markdown as markdown_pages
from symgen.render import pdf as pdf_pages
from symgen.render import terminal as terminal_pages
from symgen.render import tex as tex_pages
from symgen.render import verdict as verdicts
from symgen.render.page import Block, Code, Figure, Heading, Page, Paragraph, Part


@dataclass(frozen=True)
class Section:
    """A titled part of a report. An item is a derivation, a verdict, a `Code`, a `Figure`, any other block, a page, or
    a text."""

    title: str
    items: tuple[Any, ...] = ()


Sections = Iterable[Section | tuple[str, Sequence[Any]] | Mapping[str, Any]]


def report_page(title: str, sections: Sections) -> Page:
    """The report as one page."""
    out = Page(title, [Heading(1, (title,))])
    count = 0
    for section in sections:
        if isinstance(section, Mapping):
            section = Section(str(section.get("title", "")), tuple(section.get("items", ())))
        elif not isinstance(section, Section):
            section = Section(section[0], tuple(section[1]))
        if section.title:
            out.blocks.append(Heading(2, (section.title,)))
        for item in section.items:
            block = as_block(item, 2 if section.title else 1)
            if isinstance(block, Figure):
                count += 1
                block = Figure(block.png, block.caption, f"figure{count}")
            out.blocks.append(block)
    return out


def as_block(item: Any, shift: int) -> Block:
    """An item of a section as a block of a page."""
    if isinstance(item, str):
        return Paragraph((item,))
    if isinstance(item, bytes):
        return Figure(item)
    if isinstance(item, Page):
        return Part(item, shift)
    if isinstance(item, Block):
        return item
    if hasattr(item, "goal") and hasattr(item, "steps"):
        return Part(derivations.page(item), shift)
    if hasattr(item, "status"):
        return Part(verdicts.page(item), shift)
    raise TypeError(f"no place in a report for {type(item).__name__}")


def report_html(title: str, sections: Sections) -> str:
    """An HTML file that stands alone, with links to its sections."""
    page = report_page(title, sections)
    content = html_pages.fragment(page)
    names: list[tuple[str, str]] = []

    def anchored(found: re.Match[str]) -> str:
        key = f"s{len(names) + 1}"
        names.append((key, found[1]))
        return f'<h2 id="{key}">{found[1]}</h2>'

    content = re.sub(r"<h2>(.*?)</h2>", anchored, content)
    if len(names) > 1:
        links = " ".join(f'<a href="#{key}">{name}</a>' for key, name in names)
        content = content.replace("</h1>", f"</h1>\n<nav>{links}</nav>", 1)
    return html_pages.assembled(title, content)


def report_latex(title: str, sections: Sections) -> str:
    """A LaTeX document; its figures are the files of `report_figures`."""
    return tex_pages.document(report_page(title, sections))


def report_figures(title: str, sections: Sections) -> dict[str, bytes]:
    """The figures of a report by the file names under which its LaTeX reads them."""
    return {f"{f.name}.png": f.png for f in report_page(title, sections).figures()}


def report_markdown(title: str, sections: Sections) -> str:
    return markdown_pages.render(report_page(title, sections))


def report_text(title: str, sections: Sections, width: int | None = None) -> str:
    return terminal_pages.render(report_page(title, sections), width)


def report_pdf(title: str, sections: Sections) -> bytes:
    """The report compiled by pdflatex. Raises `pdf.NoPdf` where there is none."""
    page = report_page(title, sections)
    return pdf_pages.compiled(tex_pages.document(page), {f"{f.name}.png": f.png for f in page.figures()})


__all__ = [
    "Code", "Figure", "Section", "as_block", "report_figures", "report_html", "report_latex", "report_markdown",
    "report_page",
    "report_pdf", "report_text",
]  # fmt: skip

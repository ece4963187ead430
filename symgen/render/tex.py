"""Pages as LaTeX: a body, or a document with amsmath, amssymb and bm (and graphicx where there are figures)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from symgen.render.escape import name_tex, tex_code, tex_text
from symgen.render.latex import Latex
from symgen.render.latex_text import counts_from_zero
from symgen.render.layout import broken, ink
from symgen.render.notation import RELATIONS
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
    marked,
)  # fmt: skip
from symgen.text.diagnostics import SpecError
from symgen.text.parse import parse_expression

WIDTH = 76  # characters of a display, about
PAGE = 84  # with a reason beside it
SETS = {
    "real": r"\mathbb{R}", "positive": r"\mathbb{R}_{>0}", "nonnegative": r"\mathbb{R}_{\ge 0}", "unit": "(0, 1)",
    "integer": r"\mathbb{Z}", "natural": r"\mathbb{N}", "binary": r"\{0, 1\}", "simplex": r"\Delta",
    "spd": r"\mathbb{S}_{++}",
    "psd": r"\mathbb{S}_{+}", "symmetric": r"\mathbb{S}",
}  # fmt: skip
SIZES = {0: r"\section*", 1: r"\section*", 2: r"\subsection*", 3: r"\subsubsection*"}
MARKS = {
    "proved": r"\checkmark",
    "checked": r"\checkmark",
    "refuted": r"\times",
    "malformed": r"\times",
    "unknown": "?",
}


def printer(page: Page) -> Latex:
    """What prints the formulas of a page, which count all alike."""
    return Latex(page.shapes, counts_from_zero(page.trees()))


def body(page: Page, figures: str = "", shift: int = 0) -> str:
    """The blocks of a page in LaTeX; figures are read from files `figures`name.png."""
    latex = printer(page)
    return "\n".join(block(b, latex, figures) for b in page.lowered(shift))


def display(page: Page) -> str:
    """The equations of a page as one display in dollars."""
    latex = printer(page)
    rows = [row for b in page.blocks if isinstance(b, Chain) for row in chain_rows(b, latex)]
    if not rows:
        return ""
    return "$$\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}$$"


def document(page: Page, figures: str = "") -> str:
    """A document that compiles."""
    packages = [r"\usepackage{amsmath,amssymb,bm}"]
    if page.figures():
        packages.append(r"\usepackage{graphicx}")
    return "\n".join(
        [
            r"\documentclass[11pt]{article}", *packages,
            r"\setlength{\textwidth}{6.6in}\setlength{\oddsidemargin}{0in}\setlength{\evensidemargin}{0in}",
            r"\setlength{\textheight}{9in}\setlength{\topmargin}{-0.5in}",
            r"\setlength{\parindent}{0pt}\setlength{\parskip}{6pt plus 2pt}\allowdisplaybreaks",
            r"\begin{document}", body(page, figures), r"\end{document}", "",
        ]
    )  # fmt: skip


def inline(parts: Iterable[Inline], latex: Latex) -> str:
    out = []
    for x in parts:
        match x:
            case Maths(tree):
                out.append(f"${latex.tex(tree)}$")
            case Member():
                out.append(f"${member(x, latex)}$")
            case Mono(text):
                out.append(rf"\texttt{{{tex_code(text)}}}")
            case _:
                out.append(tex_text(x))
    return "".join(out)


def member(x: Member, latex: Latex) -> str:
    """X in R^{n x d}."""
    sizes = [latex.tex(s) for s in x.shape]
    if x.word == "label" and x.arguments:
        base = rf"\{{0, \dots, {latex.tex(x.arguments[0])} - 1\}}"
    else:
        base = SETS.get(x.word) or rf"\mathrm{{{tex_text(x.word)}}}"
    if x.word in ("spd", "psd", "symmetric") and sizes:
        *batch, _, last = sizes if len(sizes) > 1 else [*sizes, sizes[-1]]
        power = r" \times ".join([*batch, last])
    else:
        power = r" \times ".join(sizes)
    text = base + (f"^{{{power}}}" if power else "")
    if power and "_{" in base:
        stem, below = base.split("_", 1)
        text = f"{stem}_{below}^{{{power}}}"
    return rf"{latex.name(x.name)} \in {text}"


def block(b: Block, latex: Latex, figures: str) -> str:
    match b:
        case Heading(level, content):
            return f"{SIZES.get(level, SIZES[3])}{{{inline(content, latex)}}}"
        case Paragraph(content, kind):
            text = inline(content, latex)
            return rf"\textit{{{text}}}" + "\n" if kind in ("evidence", "note") else text + "\n"
        case Chain():
            return "\\begin{align*}\n" + " \\\\\n".join(chain_rows(b, latex)) + "\n\\end{align*}"
        case Items(lines):
            items = "\n".join(rf"\item {inline(x, latex)}" for x in lines)
            return f"\\begin{{itemize}}\n{items}\n\\end{{itemize}}"
        case Code(text, _):
            listing = "\\\\\n".join(
                r"\mbox{}" if not line.strip() else tex_code(line).replace(" ", "~") for line in text.splitlines() or [""]
            )
            return f"{{\\small\\ttfamily\\raggedright\n{listing}\\par}}"
        case Figure(_, caption, name):
            picture = rf"\includegraphics[width=0.75\linewidth]{{{figures}{name}.png}}"
            return rf"\begin{{center}}{picture}\\ {tex_text(caption)}\end{{center}}"
        case Table(titles, rows):
            head = " & ".join(tex_text(x) for x in titles)
            body_rows = " \\\\\n".join(" & ".join(inline(cell, latex) for cell in row) for row in rows)
            return f"\\begin{{tabular}}{{{'l' * len(titles)}}}\n{head} \\\\\\hline\n{body_rows}\n\\end{{tabular}}\n"
        case Part(page, shift):
            return body(page, figures, shift)
    raise TypeError(f"no LaTeX for {type(b).__name__}")


def chain_rows(chain: Chain, latex: Latex) -> list[str]:
    """The rows of an alignment: left & relation right && reason; long reasons stand below their lines."""
    told = [Told(line, latex) for line in chain.lines]
    widest = max((x.width for x in told), default=0)
    reasons = max((len(x.plain) for x in told), default=0)
    beside = widest + 0.9 * reasons + 4 <= PAGE
    column = max((ink(x.left) for x in told if not x.apart), default=0)  # where the relations stand
    rows: list[str] = []
    for x in told:
        rows += x.rows(beside, max(PAGE - 16 - column, 30))
    return rows


class Told:
    """One line of a chain, measured before it is set."""

    def __init__(self, line: Relation, latex: Latex) -> None:
        self.left = latex.tex(line.left) if line.left is not None else ""
        self.sign = relation(line, latex)
        self.reason = text_of(line.reason, latex)
        self.plain = "".join(x.replace("`", "") if isinstance(x, str) else "xxxx" for x in line.reason)
        if line.mark:
            mark = rf"${MARKS.get(line.mark, '?')}$ {line.mark}"
            self.reason = rf"{mark}: {self.reason}" if self.reason else mark
            self.plain += f"xx{line.mark}"
        self.rights = broken(line.right, latex.tex, ink, WIDTH - min(ink(self.left), 30) - 4)
        widest = max(map(ink, self.rights))
        self.apart = bool(self.left) and ink(self.left) + widest > WIDTH and ink(self.left) > 24
        self.width = max(ink(self.left), widest + 4) if self.apart else ink(self.left) + widest + 3

    def rows(self, beside: bool, room: int) -> list[str]:
        rows: list[str] = []
        left, sign = self.left, self.sign
        if self.apart:
            rows.append(f"& {left}")
            left, sign = "", rf"\quad {sign}"
        for k, right in enumerate(self.rights):
            if k == 0:
                rows.append(f"{left} &{sign} {right}")
            else:
                rows.append(rf"&\qquad {{}} {right}")
        if self.reason and beside:
            rows[-1] += rf" && \text{{{self.reason}}}"
        elif self.reason:
            rows += [rf"&\qquad \rlap{{\text{{\small {part}}}}}" for part in folded(self.reason, room)]
        return rows


def folded(text: str, width: int) -> list[str]:
    """A text for \\text{..} in lines; formulas in dollars are not broken."""
    lines, words = [""], re.findall(r"(?:\$[^$]*\$|[^\s$])+", text)
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) + 1 > width:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return lines


def text_of(parts: Sequence[Inline], latex: Latex) -> str:
    """A reason for \\text{..}."""
    out = []
    for x in parts:
        if isinstance(x, Maths):
            out.append(f"${latex.tex(x.tree)}$")
        elif isinstance(x, Mono):
            out.append(tex_text(x.text))
        elif isinstance(x, str):
            out += [quoted(part.text, latex) if isinstance(part, Mono) else tex_text(str(part)) for part in marked(x)]
    return "".join(out)


def quoted(text: str, latex: Latex) -> str:
    """What a reason speaks of, as the formula that it is."""
    try:
        return f"${latex.tex(parse_expression(text))}$"
    except SpecError:
        return tex_text(text)


def relation(line: Relation, latex: Latex) -> str:
    sign = RELATIONS.get(line.relation, line.relation)
    if line.over:
        over = ", ".join(name_tex(n, latex.taken) for n in line.over)
        return rf"{sign}_{{{over}}}" if line.relation == "propto" else rf"\overset{{{over}}}{{{sign}}}"
    return sign

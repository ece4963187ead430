"""A verdict as a page: the chain as it was written, a mark at each step, the counterexample and the way out."""

from __future__ import annotations

import json as json_format
from collections.abc import Mapping, Sequence
from typing import Any

from symgen.derivation.derivation import Evidence
from symgen.render import html as html_pages
from symgen.render import markdown as markdown_pages
from symgen.render import terminal as terminal_pages
from symgen.render import tex as tex_pages
from symgen.render.derivation import evidence_data, evidence_words
from symgen.render.language import unparse
from symgen.render.page import Block, Chain, Code, Heading, Inline, Mono, Page, Paragraph, Relation, marked
from symgen.render.shapes import Shape
from symgen.render.writing import size_tree
from symgen.text import tree as t

WORDS = {
    "proved": "holds: it is proved",
    "checked": "holds at all points tried",
    "refuted": "does not hold",
    "malformed": "has no meaning",
    "unknown": "could not be decided",
}


def page(v: Any) -> Page:
    """The verdict `v` as a page. Where it holds no claim, its own text stands as it is."""
    claim: t.Claim | None = getattr(v, "claim", None)
    sizes = getattr(v, "shapes", None) or {}
    shapes: dict[str, Shape] = {name: tuple(map(size_tree, shape)) for name, shape in sizes.items()}
    name = claim.name.name if claim is not None and claim.name is not None else str(getattr(v, "name", "") or "")
    is_definition = bool(getattr(v, "is_definition", False))
    word = "Definition" if is_definition else "Claim"
    title = f"{word} {name}" if name else word
    out = Page(title, [Heading(1, (f"{word} ", Mono(name)) if name else (word,))], shapes)
    if claim is not None and is_definition:
        out.blocks.append(Chain(tuple(_lines(claim, []))))
        out.blocks.append(Paragraph(marked(f"{v.reason}."), "note"))
        return out
    if claim is not None:
        out.blocks.append(Chain(tuple(_lines(claim, list(v.steps)))))
    else:
        out.blocks.append(Code(str(v.text())))
    out.blocks.append(Paragraph((f"The claim {WORDS.get(v.status, v.status)}.", *_summary(v)), "evidence"))
    out.blocks += _troubles(v)
    return out


def _summary(v: Any) -> tuple[Inline, ...]:
    evidence = getattr(v, "evidence", None)
    if isinstance(evidence, Evidence) and v.status in ("proved", "checked", "unknown"):
        return (" ", *evidence_words(evidence))
    return ()


def _lines(claim: t.Claim, steps: Sequence[Any]) -> list[Relation]:
    lines = []
    for k, step in enumerate(claim.steps):
        mark = steps[k].status if k < len(steps) else ""
        reason: tuple[Inline, ...] = (step.reason,) if step.reason else ()
        left = claim.first if k == 0 else None
        lines.append(Relation(step.value, left, step.relation, tuple(n.name for n in step.over), reason, mark))
    return lines


def _troubles(v: Any) -> list[Block]:
    """What is wrong at each step that does not hold."""
    out: list[Block] = []
    steps = list(v.steps) or [v]
    for k, step in enumerate(steps, 1):
        if step.status in ("proved", "checked"):
            continue
        where = f"Step {k}: " if len(steps) > 1 else ""
        found = getattr(step, "counterexample", None)
        if found:
            out.append(Paragraph(marked(f"{where}{_words(found)}."), "note"))
        elif step.status in ("malformed", "unknown"):
            message = getattr(step, "message", "") or getattr(step, "reason", "") or WORDS[step.status]
            out.append(Paragraph(marked(f"{where}{message}"), "note"))
        suggestion = getattr(step, "suggestion", None)
        if suggestion:
            words = (Mono(unparse(suggestion)),) if isinstance(suggestion, t.Tree) else marked(str(suggestion))
            out.append(Paragraph(("Suggestion: ", *words), "note"))
    return out


def _words(counterexample: Any) -> str:
    """at n = 1, x = (0.5): left is 2, right is 3."""
    text = getattr(counterexample, "text", None)
    if callable(text):
        return str(text())
    if isinstance(text, str):
        return text
    if isinstance(counterexample, Mapping):
        return "at " + ", ".join(f"{k} = {v}" for k, v in counterexample.items())
    return str(counterexample)


def as_data(v: Any) -> dict[str, Any]:
    """What the JSON holds."""
    claim = getattr(v, "claim", None)
    found = getattr(v, "counterexample", None)
    suggestion = getattr(v, "suggestion", None)
    evidence = getattr(v, "evidence", None)
    return {
        "status": v.status,
        "claim": unparse(claim) if isinstance(claim, t.Tree) else None,
        "counterexample": _words(found) if found else None,
        "suggestion": None if not suggestion else unparse(suggestion) if isinstance(suggestion, t.Tree) else str(suggestion),
        "evidence": evidence_data(evidence) if isinstance(evidence, Evidence) else None,
        **({"defines": v.defines} if getattr(v, "defines", "") else {}),
        "steps": [as_data(s) for s in v.steps if s is not v],
    }


def text(v: Any, width: int | None = None) -> str:
    return terminal_pages.render(page(v), width)


def markdown(v: Any) -> str:
    return markdown_pages.render(page(v))


def html(v: Any) -> str:
    return html_pages.document(page(v))


def latex(v: Any) -> str:
    return tex_pages.body(page(v))


def json(v: Any) -> str:
    return json_format.dumps({"schema": "symgen.verdict", "version": 1, **as_data(v)}, ensure_ascii=False, indent=2)

"""Pages as HTML files that stand alone: KaTeX with its fonts inside, no network, no foreign script."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

from symgen.render.escape import html_text
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

STYLE = """
:root { color-scheme: light dark; --ink: #1c1e21; --paper: #fdfdfb; --line: #d9d9d2; --soft: #f2f2ec; --mark: #2a5d8f; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e4e0; --paper: #17181a; --line: #3a3c40; --soft: #202225; --mark: #8fb8de; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 17px/1.55 Georgia, 'Times New Roman', serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2.2rem 1.4rem 5rem; }
h1 { font-size: 1.6rem; font-weight: 600; margin: 0 0 1.2rem; line-height: 1.25; }
h2 { font-size: 1.2rem; font-weight: 600; margin: 2.2rem 0 .6rem; padding-bottom: .2rem;
  border-bottom: 1px solid var(--line); }
h3 { font-size: 1.02rem; font-weight: 600; margin: 1.4rem 0 .3rem; color: var(--mark); }
p { margin: .6rem 0; }
.display { overflow-x: auto; overflow-y: hidden; padding: .35rem 0; margin: .5rem 0; }
.katex-display { margin: .35em 0; }
.evidence { border-left: 3px solid var(--mark); background: var(--soft); padding: .5rem .9rem; margin: 1.2rem 0; }
.note { color: var(--mark); font-style: italic; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: 4px; padding: .8rem 1rem;
  overflow-x: auto; }
pre, code { font: .82rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
figure { margin: 1.2rem 0; text-align: center; }
figure img { max-width: 100%; background: #fff; border-radius: 3px; }
figcaption { font-size: .9rem; color: var(--mark); margin-top: .3rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { text-align: left; padding: .3rem .8rem; border-bottom: 1px solid var(--line); vertical-align: top; }
nav { font-size: .95rem; margin: 0 0 1.5rem; }
nav a { color: var(--mark); text-decoration: none; margin-right: 1.2rem; white-space: nowrap; }
@media print { body { font-size: 11pt; } .display { overflow: visible; } nav { display: none; } }
"""
SCRIPT = """
for (const e of document.querySelectorAll('.math')) {
  const source = e.textContent;
  try {
    const shown = e.classList.contains('shown');
    katex.render(source, e, {displayMode: shown, throwOnError: true, strict: false, trust: false});
  } catch (error) {
    e.textContent = source;
    e.setAttribute('data-error', String(error));
  }
}
"""


@cache
def katex() -> tuple[str, str]:
    """KaTeX's script and its style with the fonts as data."""
    folder = files("symgen.render") / "katex"
    script = (folder / "katex.min.js").read_text(encoding="utf-8")
    style = (folder / "katex.min.css").read_text(encoding="utf-8")

    def font(found: re.Match[str]) -> str:
        data = (folder / "fonts" / f"{found[1]}.woff2").read_bytes()
        return f'url(data:font/woff2;base64,{base64.b64encode(data).decode("ascii")}) format("woff2")'

    style = re.sub(
        r'url\(fonts/([\w-]+)\.woff2\) format\("woff2"\)(?:,url\([^)]*\) format\("\w+"\))*',
        font, style,
    )  # fmt: skip
    # a closing tag inside a script would end it
    return script.replace("</script", "<\\/script"), style


def digest(text: str) -> str:
    """The hash by which a content policy knows a script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def document(page: Page) -> str:
    """The page as an HTML file."""
    return assembled(page.title, fragment(page))


def assembled(title: str, content: str) -> str:
    """An HTML file round the content of its body."""
    script, style = katex()
    policy = (
        f"default-src 'none'; script-src '{digest(script)}' '{digest(SCRIPT)}'; style-src 'unsafe-inline'; "
        "font-src data:; img-src data:; base-uri 'none'; form-action 'none'"
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html_text(title)}</title>
<style>{style}</style>
<style>{STYLE}</style>
</head>
<body>
<main>
{content}
</main>
<script>{script}</script>
<script>{SCRIPT}</script>
</body>
</html>
"""


def fragment(page: Page, shift: int = 0) -> str:
    """The blocks of a page as HTML without a frame."""
    latex = printer(page)
    return "\n".join(block(b, latex) for b in page.lowered(shift))


def maths(tex: str, shown: bool = False) -> str:
    tag, name = ("div", "math shown") if shown else ("span", "math")
    return f'<{tag} class="{name}">{html_text(tex)}</{tag}>'


def inline(parts: Iterable[Inline], latex: Latex) -> str:
    out = []
    for x in parts:
        match x:
            case Maths(tree):
                out.append(maths(latex.tex(tree)))
            case Member():
                out.append(maths(member(x, latex)))
            case Mono(text):
                out.append(f"<code>{html_text(text)}</code>")
            case _:
                out.append(html_text(x))
    return "".join(out)


def block(b: Block, latex: Latex) -> str:
    match b:
        case Heading(level, content):
            level = min(max(level, 1), 6)
            return f"<h{level}>{inline(content, latex)}</h{level}>"
        case Paragraph(content, kind):
            name = f' class="{kind}"' if kind in ("evidence", "note", "caution") else ""
            return f"<p{name}>{inline(content, latex)}</p>"
        case Chain():
            rows = " \\\\\n".join(chain_rows(b, latex))
            return f'<div class="display">{maths(f"{chr(92)}begin{{aligned}}{rows}{chr(92)}end{{aligned}}", True)}</div>'
        case Items(lines):
            return "<ul>" + "".join(f"<li>{inline(x, latex)}</li>" for x in lines) + "</ul>"
        case Code(text, _):
            return f"<pre><code>{html_text(text.rstrip())}</code></pre>"
        case Figure(png, caption, _):
            data = base64.b64encode(png).decode("ascii")
            alt = html_text(caption)
            return f'<figure><img src="data:image/png;base64,{data}" alt="{alt}"><figcaption>{alt}</figcaption></figure>'
        case Table(titles, rows):
            head = "".join(f"<th>{html_text(x)}</th>" for x in titles)
            body = "".join(f"<tr>{_cells(row, latex)}</tr>" for row in rows)
            return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        case Part(page, shift):
            return fragment(page, shift)
    raise TypeError(f"no HTML for {type(b).__name__}")


def _cells(row: Sequence[Sequence[Inline]], latex: Latex) -> str:
    return "".join(f"<td>{inline(cell, latex)}</td>" for cell in row)

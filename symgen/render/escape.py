"""What people wrote, made safe for LaTeX, HTML, Markdown and the terminal; and names as mathematics."""

from __future__ import annotations

import html
import re
import unicodedata

from symgen.render.notation import LETTERS
from symgen.text.names import GREEK

_TEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": "$<$", ">": "$>$",
    "|": "$|$", '"': "''", "'": "'", "`": "`",
}  # fmt: skip
_TYPED = {'"': r"\char34{}", "'": r"\char13{}", "`": r"\char18{}"}
_MATH_SYMBOLS = {
    "≤": r"$\le$", "≥": r"$\ge$", "≠": r"$\ne$", "→": r"$\to$",
    "∞": r"$\infty$", "·": r"$\cdot$", "×": r"$\times$", "±": r"$\pm$",
    "∈": r"$\in$", "∝": r"$\propto$", "≈": r"$\approx$", "−": "-", "–": "--", "—": "---",
    "…": "...", "“": "``", "”": "''", "‘": "`", "’": "'", "∑": r"$\sum$", "∇": r"$\nabla$",
}  # fmt: skip
_GREEK_WORDS = {word: letter for letter, word in GREEK.items()}
# capitals that look Latin have no command of their own
_LATIN_GREEK = {
    "Alpha": "A", "Beta": "B", "Epsilon": "E", "Zeta": "Z", "Eta": "H", "Iota": "I", "Kappa": "K", "Mu": "M", "Nu": "N",
    "Omicron": "O", "Rho": "P", "Tau": "T", "Chi": "X", "omicron": "o",
}  # fmt: skip
_SEGMENT = re.compile(r"_+|[0-9]+|[^0-9_]+")


def tex_text(text: str) -> str:
    """Text for text mode of LaTeX: every special character escaped, what fonts lack by its code point."""
    out: list[str] = []
    for ch in text:
        if ch in _TEX:
            out.append(_TEX[ch])
        elif ch in _MATH_SYMBOLS:
            out.append(_MATH_SYMBOLS[ch])
        elif ch in GREEK:
            out.append(f"${greek(GREEK[ch])}$")
        elif " " <= ch <= "~" or ("\u00c0" <= ch <= "\u017f" and unicodedata.decomposition(ch)):
            out.append(ch)
        elif ch in "\n\t\r\u00a0":
            out.append(" ")
        elif unicodedata.category(ch)[0] != "C":
            out.append(f"U+{ord(ch):04X}")
    return "".join(out)


def tex_code(text: str) -> str:
    """Text for a typewriter font of LaTeX, whose quotes stand upright as they were typed."""
    return "".join(_TYPED.get(ch) or tex_text(ch) for ch in text)


def html_text(text: str) -> str:
    return html.escape(printable(text), quote=True)


def markdown_text(text: str) -> str:
    """Text for Markdown: no character of it is markup, and no HTML."""
    text = printable(text).replace("\n", " ")
    return re.sub(r"([\\`*_{}\[\]()#+\-!|<>~$&])", r"\\\1", text)


def printable(text: str) -> str:
    """Control characters (of a terminal, of bidirectional text) taken out, line ends kept."""
    return "".join(ch for ch in text if ch in "\n\t" or unicodedata.category(ch) not in ("Cc", "Cf", "Cs", "Co", "Cn"))


def greek(word: str) -> str:
    """The command of a Greek letter: \\mu, \\Sigma, and A for Alpha."""
    return (
        rf"\mathrm{{{_LATIN_GREEK[word]}}}"
        if word in _LATIN_GREEK and word != "omicron"
        else ("o" if word == "omicron" else rf"\{word}")
    )


def _letters(text: str) -> str:
    """Letters for \\mathrm: ASCII as they are, Greek by command, others by base letter or code point."""
    out: list[str] = []
    for ch in text:
        if ch.isascii() and ch.isalnum():
            out.append(ch)
        elif ch in GREEK:
            out.append(greek(GREEK[ch]) + " ")
        else:
            base = unicodedata.normalize("NFD", ch)[0]
            out.append(base if base.isascii() and base.isalnum() else f"U{ord(ch):04X}")
    return "".join(out)


def _word(text: str, taken: frozenset[str]) -> str:
    if text in LETTERS and LETTERS[text] not in taken:
        text = LETTERS[text]
    if text in _GREEK_WORDS:
        return greek(text)
    if len(text) == 1 and text.isascii():
        return text
    return rf"\mathrm{{{_letters(text)}}}"


def name_tex(name: str, taken: frozenset[str] = frozenset()) -> str:
    """A name in math mode: mu_0 is \\mu_{0}, p_data is p_{\\mathrm{data}}, W1 is W_{1}, delta_Z1
    is \\delta_{Z_{1}}."""
    parts = _SEGMENT.findall(name)
    if not parts:
        return r"\mathrm{?}"
    primes = ""
    groups: list[list[str]] = [[]]
    for p in parts:
        if p.startswith("_"):
            if groups[-1] or len(groups) == 1:
                groups.append([])
            continue
        groups[-1].append(p)
    groups = [g for g in groups if g]
    if not groups:
        return r"\mathrm{\_}"
    head, *rest = groups
    base = _word(head[0], taken)
    subscripts: list[str] = []
    if len(head) > 1:
        subscripts.append("".join(x if x.isdigit() else _word(x, taken) for x in head[1:]))
    accent = ""
    for g in rest:
        if g == ["bar"] and not subscripts:
            accent = r"\bar"
        elif g in (["hat"], ["dot"], ["tilde"]) and not subscripts:
            accent = rf"\{g[0]}"
        elif g == ["star"] and not primes:
            primes = "^{*}"
        else:
            words = [x if x.isdigit() else _word(x, taken) for x in g]
            numbered = len(g) == 2 and g[1].isdigit() and (len(g[0]) == 1 or g[0] in _GREEK_WORDS)
            subscripts.append(f"{words[0]}_{{{words[1]}}}" if numbered else "".join(words))
    if name.endswith("_") and not rest:
        subscripts.append(r"\_")
    if accent:
        base = f"{accent}{{{base}}}"
    if head[0].isdigit():
        base = rf"\mathrm{{\_}}{base}" if name.startswith("_") else base
    text = base + (f"_{{{','.join(subscripts)}}}" if subscripts else "")
    return text + primes


__all__ = ["greek", "html_text", "markdown_text", "name_tex", "printable", "tex_code", "tex_text"]

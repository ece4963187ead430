"""What other languages, papers and keyboards write -> what is written here: (spelling, what it is, what to write)."""

from __future__ import annotations

import unicodedata

__all__ = ["FOREIGN", "POWERS", "SUBSCRIPTS"]

_CHANGES = "a name is defined once, and nothing changes it"

_ROWS = [
    (":=", "`:=` is not an operator here", "write `=`"),
    ("=>", "`=>` is not an operator here", "write `>=`"),
    ("=<", "`=<` is not an operator here", "write `<=`"),
    ("<>", "`<>` is not an operator here", "write `!=`"),
    ("===", "`===` is not an operator here", "write `==`"),
    ("+=", _CHANGES, "define a new name by `let`"),
    ("-=", _CHANGES, "define a new name by `let`"),
    ("*=", _CHANGES, "define a new name by `let`"),
    ("/=", _CHANGES, "define a new name by `let`, or write `!=`"),
    ("&&", "`&&` is not an operator here", "write `and`"),
    (".*", "`.*` is not an operator here", "`*` acts on elements"),
    ("./", "`./` is not an operator here", "`/` acts on elements"),
    (".^", "`.^` is not an operator here", "`^` acts on elements"),
    (".+", "`.+` is not an operator here", "`+` acts on elements"),
    ("...", "`...` is not part of the language", "write out what is meant, or a range as in `t: 1..T`"),
    ("->", "`->` is not part of the language", "write the range of a function after `:`, as in `function f(x): real`"),
    ("!", "`!` is not an operator here", "write `not`, `!=`, or a factorial as `gamma(n + 1)`"),
    ("%", "`%` is not an operator here", "write `a - m*floor(a/m)`"),
    ("&", "`&` is not an operator here", "write `and`"),
    (";", "`;` does not end a statement", "write each statement on a line of its own"),
    ("\\", "`\\` is not part of the language", "a statement goes on in an open bracket or after an operator"),
    ("?", "`?` is not part of the language", "write `where(condition, a, b)`"),
    ("$", "`$` is not part of the language", "formulas stand without delimiters"),
    ("`", "a backquote is not part of the language", "names stand without quotes"),
    (".", "`.` stands only in numbers, ranges and the transpose `.T`", "call functions as in `sum(x)`"),
    ("×", "`×` is not an operator here", "write `*`, or `@` for the matrix product"),
    ("·", "`·` is not an operator here", "write `*`, or `@` for the inner product"),
    ("⋅", "`⋅` is not an operator here", "write `*`, or `@` for the inner product"),
    ("∗", "`∗` (U+2217) is not the star of the keyboard", "write `*`"),
    ("÷", "`÷` is not an operator here", "write `/`"),
    ("−", "`−` (U+2212) is not the minus of the keyboard", "write `-`"),
    ("–", "`–` (U+2013) is a dash, not a minus", "write `-`"),
    ("—", "`—` (U+2014) is a dash, not a minus", "write `-`"),
    ("≤", "`≤` is not a relation here", "write `<=`"),
    ("≥", "`≥` is not a relation here", "write `>=`"),
    ("≠", "`≠` is not a relation here", "write `!=`"),
    ("≈", "`≈` is not a relation here", "a claim is exact: write `=`"),
    ("∝", "`∝` is not a relation here", "write `propto[z]`"),
    ("∼", "`∼` (U+223C) is not the tilde of the keyboard", "write `~`"),
    ("∈", "`∈` is not an operator here", "declare a domain after `:`, as in `x: real[n]`"),
    ("∞", "`∞` is not a number here", "write `inf`"),
    ("∑", "`∑` is not an operator here", "write `sum[i](..)`"),
    ("∏", "`∏` is not an operator here", "write `prod[i](..)`"),
    ("∫", "`∫` is not an operator here", "write `integral[x: a..b](..)`"),
    ("√", "`√` is not an operator here", "write `sqrt(..)`"),
    ("∇", "`∇` is not an operator here", "write `grad(f, x)`"),
    ("∂", "`∂` is not an operator here", "write `grad(f, x)`, or `d(f, t)` for scalars"),
    ("‖", "`‖` is not part of the language", "write `norm(x)`, or `||` in `KL(q || p)`"),
    ("∥", "`∥` is not part of the language", "write `norm(x)`, or `||` in `KL(q || p)`"),
    ("∣", "`∣` (U+2223) is not the bar of the keyboard", "write `|`"),
    ("ᵀ", "`ᵀ` is not an operator here", "the transpose is `'`"),
    ("⊤", "`⊤` is not an operator here", "the transpose is `'`"),
    ("’", "`’` (U+2019) is not the quote of the keyboard", "the transpose is `'`"),
    ("′", "`′` (U+2032) is not the quote of the keyboard", "the transpose is `'`"),
    ("“", "`“` (U+201C) is not the quote of the keyboard", 'write a reason as `"text"`'),
    ("”", "`”` (U+201D) is not the quote of the keyboard", 'write a reason as `"text"`'),
    ("…", "`…` is not part of the language", "write out what is meant, or a range as in `t: 1..T`"),
    ("←", "`←` is not an operator here", "write `=`"),
    ("→", "`→` is not part of the language", "write the range of a function after `:`"),
]

FOREIGN = {spelling: (what, instead) for spelling, what, instead in _ROWS}

POWERS = {c: unicodedata.normalize("NFKC", c) for c in "⁰¹²³⁴⁵⁶⁷⁸⁹"}
SUBSCRIPTS = {c: unicodedata.normalize("NFKC", c) for c in "₀₁₂₃₄₅₆₇₈₉"}

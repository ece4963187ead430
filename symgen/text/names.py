"""Names: one spelling for each, none that can be taken for another, and the near ones.

A name is a Unicode identifier in NFKC. A Greek letter that stands alone, or next to a digit or `_`, is its word: `μ` is
`mu`, `μ_0` is `mu_0`, `Σ1` is `Sigma1`; in `Δx` it stays a letter, since `Deltax` is another name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from symgen.text.characters import code_point, described, is_refused, quoted

__all__ = ["GREEK", "canonical", "hint_of", "is_name_character", "letter_of", "near_name", "near_names", "refusal"]

_WORDS = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho varsigma sigma tau "
    "upsilon phi chi psi omega"
).split()

# letter -> word: α..ω with the final sigma, Α..Ω without
GREEK = {chr(0x3B1 + i): word for i, word in enumerate(_WORDS)}
GREEK |= {chr(ord(letter) - 0x20): word.capitalize() for letter, word in GREEK.items() if word != "varsigma"}
_LETTERS = {word: letter for letter, word in GREEK.items()}

# letters that a reader takes for the Latin ones
_LOOKALIKE = dict(
    zip(
        "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοαγινρυϲϳАВЕЅІЈКМНОРСТУХаеіјорсухѕһԛԝԁՕօոսհցյԼՏᎪᎫᎬᎳᎷᎻᏀᏃᏟᏢᏚᏞɑɡı",
        "ABEZHIKMNOPTYXoayivpucjABESIJKMHOPCTYXaeijopcyxshqwdOonuhgjLSAJEWMHGZCPSLagi",
        strict=True,
    )
)
_TWINS = set("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο")  # Greek letters that are drawn as the Latin ones even alone
_EAST_ASIAN = {"LATIN", "HAN", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"}
_POINTS = "\u00b7\u0387"  # points of multiplication, which Unicode allows in words
_SEGMENT = re.compile(r"[0-9_]+|[^0-9_]+")


def is_name_character(character: str) -> bool:
    """Whether it can stand inside a name."""
    return character not in _POINTS and ("a" + character).isidentifier()


def _segments(name: str) -> list[str]:
    return _SEGMENT.findall(name)


@lru_cache(4096)
def canonical(name: str) -> str:
    """The one spelling under which symgen knows a name: `μ_0` gives `mu_0`."""
    if name.isascii():
        return name
    return "".join(GREEK.get(part, part) for part in _segments(unicodedata.normalize("NFKC", name)))


def letter_of(name: str) -> str:
    """The name as it is printed, Greek words as letters: `mu_0` gives `μ_0`."""
    return "".join(_LETTERS.get(part, part) for part in _segments(name))


def _script(character: str) -> str | None:
    if character.isascii():
        return "LATIN" if character.isalpha() else None
    if not character.isalpha():
        return None
    word = unicodedata.name(character, "UNKNOWN").split()[0]
    return "HAN" if word == "CJK" else word


@lru_cache(4096)
def refusal(name: str) -> tuple[str, str] | None:
    """Why a name must not be used, with the way out; None for a good name.

    Refused is what looks like another name: mixed scripts, letters that are drawn as Latin ones, what cannot be seen.
    """
    if name.isascii():
        return None
    written = quoted(name)
    plain = unicodedata.normalize("NFKC", name)
    hidden = next((c for c in plain if is_refused(c)), None)
    if hidden is not None:
        return f"a name holds {described(hidden)}", "write the name without it"
    twin = next((part for part in _segments(plain) if part in _TWINS), None)
    if twin is not None:
        word, latin = GREEK[twin], _LOOKALIKE[twin]
        return (
            f"`{twin}` is the Greek letter {word}, which looks like the Latin {latin}",
            f"write `{word}` or `{latin}`",
        )
    plain = canonical(name)
    odd = [c for c in plain if c in _LOOKALIKE]
    looks = "".join(_LOOKALIKE.get(c, c) for c in plain)
    if odd and looks.isascii():
        word = f", or the Greek letter as the word `{GREEK[odd[0]]}`" if odd[0] in GREEK else ""
        return f"the name {written} looks like `{looks}` and is another: {_letter(odd[0])}", f"write `{looks}`{word}"
    scripts = {script for script in map(_script, plain) if script}
    if len(scripts) > 1 and (odd or not (scripts <= {"LATIN", "GREEK"} or scripts <= _EAST_ASIAN)):
        stranger = odd[0] if odd else next(c for c in plain if _script(c) not in (None, "LATIN"))
        mixed = " and ".join(sorted(script.capitalize() for script in scripts))
        return f"the name {written} mixes {mixed} letters: {_letter(stranger)}", "write it in one script"
    return None


def _letter(character: str) -> str:
    return f"`{character}` is {unicodedata.name(character, 'unnamed').lower()} ({code_point(character)})"


# --- near names -------------------------------------------------------------------------------------------------------


def _distance(a: str, b: str, limit: int) -> int:
    """Edits (insert, delete, replace, swap of neighbours) between two words; `limit + 1` stands for more."""
    if abs(len(a) - len(b)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        older, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if older and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, older[j - 2] + 1)
            row.append(best)
        if min(row) > limit:
            return limit + 1
    return row[-1]


def near_names(name: str, candidates: Iterable[str]) -> list[str]:
    """Candidates that one may have meant by `name`, nearest first; a third of its letters may differ."""
    if len(name) > 60:
        return []
    limit = max(1, len(name) // 3)
    found = []
    for candidate in dict.fromkeys(candidates):
        if candidate.lower() == name.lower() or candidate.replace("_", "").lower() == name.replace("_", "").lower():
            distance = 0
        else:
            distance = _distance(name, candidate, limit)
            if len(name) == 1 or distance >= len(candidate):
                continue  # one letter is near to every other
        if distance <= limit:
            found.append((distance, candidate))
    return [candidate for _, candidate in sorted(found)]


def near_name(name: str, candidates: Iterable[str]) -> str | None:
    """The nearest candidate, or None."""
    return next(iter(near_names(name, candidates)), None)


def hint_of(name: str, candidates: Iterable[str]) -> str | None:
    """The help line `did you mean `near`?`, or None."""
    near = near_name(name, candidates)
    return f"did you mean `{near}`?" if near else None

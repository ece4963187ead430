"""Characters: which must not stand in a text, how wide they are, and how they are shown so that nothing hides."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = ["code_point", "described", "is_plain", "is_refused", "quoted", "shown", "width"]

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_INVISIBLE = {0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10)}
_TURNING = {0x200E, 0x200F, 0x61C, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}


def code_point(character: str) -> str:
    """U+202E"""
    return f"U+{ord(character):04X}"


def is_plain(text: str) -> bool:
    """Whether the text is printable ASCII with tabs and newlines: the common case, decided fast."""
    return text.isascii() and _CONTROL.search(text) is None


@lru_cache(4096)
def is_refused(character: str) -> bool:
    """Whether it must not stand in a text, comments and reasons included: it hides, turns text, or is no character."""
    category = unicodedata.category(character)
    hidden = category in ("Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Co") and character not in "\n\t\r"
    return hidden or ord(character) in _INVISIBLE


def described(character: str) -> str:
    """`the control character U+0007`, `the invisible character U+200B (zero width space)`."""
    category, n = unicodedata.category(character), ord(character)
    if n in _TURNING:
        kind = "direction-changing character"
    elif category == "Cs":
        kind = "half character"
    elif category in ("Cn", "Co"):
        kind = "unassigned character"
    elif category == "Cf" or n in _INVISIBLE:
        kind = "invisible character"
    else:
        kind = "control character"
    name = unicodedata.name(character, "").lower()
    return f"the {kind} {code_point(character)}" + (f" ({name})" if name else "")


@lru_cache(4096)
def width(character: str) -> int:
    """Columns in a terminal: 2 for wide characters, 0 for combining ones."""
    if character.isascii():
        return 1
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def shown(text: str) -> str:
    """The text with each character that must not stand there as <U+XXXX>; newlines and tabs too."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"<{code_point(c)}>" if is_refused(c) or c in "\n\t\r" else c for c in text)


def quoted(text: str, limit: int = 40) -> str:
    """The text in backquotes, shortened."""
    return f"`{shown(text[: limit - 3])}...`" if len(text) > limit else f"`{shown(text)}`"

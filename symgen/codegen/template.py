"""A text of generated code with places for its arguments."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Template"]


@dataclass(frozen=True)
class Template:
    """A text with `{0}`, `{1}` for the arguments; `helpers` are functions that the module carries, `imports` what it takes
    from SciPy."""

    text: str
    helpers: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()

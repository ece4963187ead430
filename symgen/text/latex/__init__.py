"""LaTeX of people as trees of symgen."""

from symgen.text.latex.documents import displays
from symgen.text.latex.macros import Macro, definitions
from symgen.text.latex.reader import Chain, Definition, Display, Unread, read_display, read_expression
from symgen.text.latex.symbols import Law, Symbols

__all__ = [
    "Chain", "Definition", "Display", "Law", "Macro", "Symbols", "Unread", "definitions", "displays", "read_display",
    "read_expression",
]  # fmt: skip

"""Real and imaginary parts of functions of a complex number: Re psi^{(n)}(x + i y), Im Phi(x + i y, s, a), Re U(1, 1, x + i y)."""

from __future__ import annotations

from symgen.text import tree as t
from symgen.text.latex import items
from symgen.text.latex.items import Item
from symgen.text.latex.norms import Norms
from symgen.text.latex.tokens import Token
from symgen.text.tree import Span

__all__ = ["ComplexParts"]

# the letter, how many arguments stand in its brackets: symgen's name, where the complex one stands
PARTS = {("psi", 1): ("polygamma", 0), ("Phi", 3): ("lerch", 0), ("U", 3): ("scaled_E1", 2)}


class ComplexParts(Norms):
    """Reads what is a part of a complex number."""

    def closing_of(self, k: int) -> int:
        raise NotImplementedError

    def complex_part(self, word: str, token: Token) -> Item | None:
        """A part of a function that is named in `PARTS`, behind its word; None where something else stands there."""
        start, head = self.pos, self.peek()
        if head is None or word not in ("Re", "Im"):
            return None
        self.pos += 1
        base, script = head.command or head.text, self.scripts()
        opener = self.peek()
        if script.low is not None or opener is None or not (opener.is_sign("(", "[") or opener.side == "<"):
            self.pos = start
            return None
        places = self.places(*self.bracket_range())
        name, k = PARTS.get((base, len(places)), ("", 0))
        pair = self.both_parts(*places[k]) if name else None
        if pair is None:
            self.pos = start
            return None
        order: tuple[t.Expression, ...] = ()
        if name == "polygamma":
            order = (items.number(0, head.span),)
            if script.high is not None and self.tokens[script.high[0]].is_sign("("):  # psi^{(n)}
                order, script.high = (self.part(script.high[0] + 1, script.high[1] - 1).tree,), None
        elif name == "lerch":
            order = tuple(self.part(*p).tree for p in places[1:])
        whole = Span(token.start, self.tokens[self.pos - 1].end)
        made = Item(t.Call(f"{name}_{word.lower()}", (*order, *pair), span=whole, name_span=token.span), 0)
        return self.postfix(self.powers(made, script))

    def places(self, start: int, end: int) -> list[tuple[int, int]]:
        """The ranges of the arguments between two positions."""
        out, k, begin = [], start, start
        while k < end:
            x = self.tokens[k]
            if x.is_sign(","):
                out.append((begin, k))
                begin = k + 1
            k = self.behind(k)
        return [*out, (begin, end)]

    def behind(self, k: int) -> int:
        """The position behind the token at k, or behind what it opens."""
        x = self.tokens[k]
        opens = x.side == "<" or x.is_sign("{") or not x.side and x.is_sign("(", "[")
        return self.closing_of(k) + 1 if opens else k + 1

    def both_parts(self, start: int, end: int) -> tuple[t.Expression, t.Expression] | None:
        """x and y of x + i y."""
        k = start
        while k < end:
            if k > start and self.tokens[k].text == "i" and self.tokens[k - 1].is_sign("+", "-") and k + 1 < end:
                x, y = self.part(start, k - 1).tree, self.part(k + 1, end).tree
                return x, t.Terms(((-1, y),), span=y.span) if self.tokens[k - 1].is_sign("-") else y
            k = self.behind(k)
        return None

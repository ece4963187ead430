"""Bars: absolute values, determinants and norms."""

from __future__ import annotations

from symgen.text import tree as t
from symgen.text.latex import items
from symgen.text.latex.functions import Functions
from symgen.text.latex.items import Item
from symgen.text.latex.parser import fraction
from symgen.text.latex.tokens import Token
from symgen.text.latex.vocabulary import BARS
from symgen.text.tree import Span

__all__ = ["Norms"]


class Norms(Functions):
    """Reads what stands between bars."""

    def bars(self, token: Token) -> Item:
        """|x| and \\|x\\|."""
        kind = BARS[token.text]
        start = self.pos
        if token.side == "<":
            self.pos -= 1
            inside = self.bracket_range()
            span = self.spanned(start - 1)
            closer = self.tokens[inside[1]]
            if BARS.get(closer.text) != kind:
                kind = "|"
            with self.within(*inside):
                made = self.expression() if self.symbols is not None else Item(self.loose())
                if self.symbols is not None:
                    self.finished()
        else:
            self.deeper()
            self.closers.append(kind)
            made = self.expression()
            self.closers.pop()
            self.nesting -= 1
            closer_token = self.peek()
            if closer_token is None or BARS.get(closer_token.text) != kind:
                raise self.slip(f"`{token.text}` is never closed", token.span)
            self.pos += 1
            span = self.spanned(start - 1)
        made = items.closed(made)
        if kind == "||":
            return self.norm(made, span)
        if self.symbols is not None and made.rank == 1:
            raise self.slip("bars around a vector have two readings", span, r"`\|x\|` is the norm", False)
        name = "det" if made.rank == 2 else "abs"
        found = items.applied(name, made, span, span)
        return self.postfix(Item(found.tree, 0 if name == "det" else made.rank))

    def norm(self, made: Item, span: Span) -> Item:
        script = self.scripts()
        result = Item(t.Call("norm", (made.tree,), span=span), 0 if self.symbols is not None else None)
        if script.low is not None and self.symbols is not None:
            result = Item(self.norm_named(made, script.low, span), 0)
        return self.postfix(self.powers(result, script))

    def norm_named(self, made: Item, low: tuple[int, int], span: Span) -> t.Expression:
        """\\|x\\|_p, \\|A\\|_F, \\|A\\|_2, \\|A\\|_*, \\|x\\|_A."""
        which = self.text_of(low)
        entries = t.Call("abs", (made.tree,), span=span, name_span=span)
        whole = t.Call("norm", (made.tree,), span=span, name_span=span)
        if made.rank == 1 and which == "1":
            return t.Call("sum", (entries,), span=span, name_span=span)
        if made.rank == 1 and which == "2" or made.rank in (1, 2) and which in ("F", "Fro", "fro"):
            return whole
        if made.rank == 1 and which == "infty":
            return t.Call("max", (entries,), span=span, name_span=span)
        if made.rank == 2 and which in ("2", "*", "ast", "star"):
            return t.Call("spectral_norm" if which == "2" else "nuclear_norm", (made.tree,), span=span, name_span=span)
        value = fraction(which) if which.replace(".", "", 1).isdecimal() else None
        if made.rank == 1 and value is not None and value > 1:
            power = items.number(value, span)
            total = t.Call("sum", (t.Power(entries, power, span=span),), span=span, name_span=span)
            return t.Power(total, t.Factors(items.number(1, span), (("/", power),), span=span), span=span)
        weight = self.part(*low) if made.rank == 1 and value is None else None
        if weight is not None and weight.rank == 2 and not weight.hole:
            form = t.Factors(made.tree, (("@", weight.tree), ("@", made.tree)), span=span)
            return t.Call("sqrt", (form,), span=span, name_span=span)
        raise self.slip(f"the norm `{which}` is not read", span, malformed=False)

"""Derivatives: gradients, fractions of differentials, and the bar that says at which point they are taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from symgen.text import tree as t
from symgen.text.latex import items
from symgen.text.latex.binders import Binders
from symgen.text.latex.items import Item
from symgen.text.latex.parser import calls_of, names_of
from symgen.text.latex.tokens import Slip, Token
from symgen.text.tree import Span

__all__ = ["Derivatives"]


# functions whose derivatives by an argument are functions of the language
SLOTS = {("igamma", 1): "igamma_da", ("ibeta", 1): "ibeta_da", ("ibeta", 2): "ibeta_db"}


def in_slot(e: t.Expression, slot: Fraction) -> t.Expression | None:
    """The derivative of a function by its argument of that number; a power stands outside."""
    if isinstance(e, t.Power):
        base = in_slot(e.base, slot)
        return None if base is None else replace(e, base=base)
    name = SLOTS.get((e.function, int(slot))) if isinstance(e, t.Call) else None
    return replace(e, function=name) if isinstance(e, t.Call) and name is not None else None


class Derivatives(Binders):
    """Reads derivatives."""

    def gradient(self, token: Token) -> Item:
        """\\nabla_w L, \\nabla_w^2 L, \\nabla L(w)."""
        start = self.pos - 1
        script = self.scripts()
        second = script.high is not None and self.text_of(script.high) == "2"
        if self.symbols is None:
            after = self.peek()
            if after is None or not self.begins_factor(after):
                return Item(t.Name("nabla", span=token.span))
            under = self.indices(script.low) if script.low is not None else ()
            f = self.operand_of_derivative()
            return Item(t.Call("grad", (f.tree, *under), span=self.spanned(start)))
        if script.high is not None and not second:
            raise self.slip("this power of a gradient is not read", script.span, malformed=False)
        at = self.pos
        if script.low is not None:
            groups = self.argument_list(*script.low)
            by_list = [x.tree for g in groups for x in g]
            f = items.closed(self.operand_of_derivative(by_list))
        else:
            f = items.closed(self.operand_of_derivative())
            by_list = self.called_variables(at)
            if len(by_list) != 1:
                raise self.slip("`\\nabla` does not say by what", token.span, r"write `\nabla_w L`", False)
        by = by_list[0] if len(by_list) == 1 else t.ListOf(tuple(by_list), span=token.span)
        return self.derived(f, by, second, self.spanned(start), token.span)

    def operand_of_derivative(self, by: Sequence[t.Expression] = (), whole: bool = False) -> Item:
        """What a derivative is of: the next factor, and those beside it where it cannot be the factor alone.

        `\\nabla_w \\frac12 \\|w\\|^2` and `\\nabla_w w^\\top v` are of the product. `\\nabla_w f g`, where w is in both, has
        two readings; with `whole`, as in `\\frac{d}{dx} f g`, it is of the product.
        """
        found = self.peek()
        if found is None:
            raise self.missing("what is differentiated")
        if self.sign_of(found) is not None:
            raise self.slip("what is differentiated needs brackets", found.span, malformed=False)
        outside, self.bar_waits = self.bar_waits, True
        try:
            return self.what_is_differentiated(by, whole)
        finally:
            self.bar_waits = outside

    def what_is_differentiated(self, by: Sequence[t.Expression], whole: bool) -> Item:
        start = self.pos
        first = self.factor()
        if self.symbols is None or not by:
            return first
        beside = [first]
        while (found := self.peek()) is not None and self.operator(found) is None and self.begins_factor(found):
            if found.command == "nabla" or self.at_derivative() or found.kind == "text":
                break
            beside.append(self.factor())
        inside = [self.moves_with(x.tree, by) for x in beside]
        alone = inside[0] and not first.row and first.rank != 2
        if len(beside) == 1 or alone and not any(inside[1:]):
            self.pos = start
            return self.factor()
        if alone and any(inside[1:]) and not whole:
            span = self.spanned(start)
            raise self.slip("what is differentiated has two readings", span, "write brackets around it", False)
        return self.folded([("", x) for x in beside])

    def moves_with(self, e: t.Expression, by: Sequence[t.Expression]) -> bool:
        """Whether what a derivative is by stands in an expression, or in what its names are made of."""
        depends = self.symbols.depends if self.symbols is not None else {}
        names = {n for x in by for n in names_of(x)} - set(self.bound)
        inside = names_of(e) | {c for c in calls_of(e) if c in depends}
        return bool(names & (inside | {m for n in inside for m in depends.get(n, ())}))

    def at_derivative(self) -> bool:
        """Whether \\frac{\\partial ..}{\\partial ..} comes next."""
        rest = self.tokens[self.pos : self.pos + 3]
        return len(rest) == 3 and "frac" in rest[0].command and (rest[2].command == "partial" or rest[2].text == "d")

    def called_variables(self, at: int) -> list[t.Expression]:
        """The variables of L(w), written at a position."""
        for k in range(at, self.pos):
            if self.tokens[k].is_sign("("):
                outside = self.pos
                self.pos = k
                try:
                    inside = self.bracket_range()
                    groups = self.argument_list(*inside)
                except Slip:
                    return []
                finally:
                    self.pos = outside
                return [x.tree for g in groups for x in g]
        return []

    def derived(self, f: Item, by: t.Expression, second: bool, span: Span, name_span: Span) -> Item:
        """The gradient of a scalar, the Jacobian of an array, the Hessian."""
        rank = self.rank(by)
        if second:
            made: t.Expression = t.Call("hessian", (f.tree, by), span=span, name_span=name_span)
            return Item(made, None if rank is None else 2 * rank)
        name = "jacobian" if f.rank else "d" if rank == 0 else "grad"
        if isinstance(f.tree, t.Subscript) or isinstance(by, t.Subscript):
            return self.entry_derivative(f, by, span, name_span)
        made = t.Call(name, (f.tree, by), span=span, name_span=name_span)
        return Item(made, None if rank is None or f.rank is None else f.rank + rank)

    def entry_derivative(self, f: Item, by: t.Expression, span: Span, name_span: Span) -> Item:
        """d p_i / d z_j as jacobian(p, z)[i, j]."""
        above, over = _entry(f.tree)
        below, under = _entry(by)
        whole = t.Call("jacobian" if over else "grad", (above, below), span=span, name_span=name_span)
        made = t.Subscript(whole, (*over, *under), span=span)
        ranks = (self.rank(above), self.rank(below))
        rank = None if None in ranks else sum(r or 0 for r in ranks) - len(over) - len(under)
        return Item(made, rank)

    def derivative(self, a: int, b: int, c: int, d: int, span: Span) -> Item | None:
        """\\frac{\\partial L}{\\partial w}, \\frac{d}{dx} f; None where the fraction is a fraction."""
        above = self.differentials(a, b, True)
        below = self.differentials(c, d, False)
        if above is None or below is None or not below[1]:
            return None
        order, (first, last) = above[0], above[1][0] if above[1] else (b, b)
        if self.symbols is None:
            plain = [self.part(*p).tree for p in below[1]]
            f = self.part(first, last) if first < last else None
            if f is None:
                after = self.peek()
                f = self.operand_of_derivative() if after is not None and self.begins_factor(after) else Item(t.Name("d"))
            return self.postfix(Item(t.Call("d", (f.tree, *plain), span=span)))
        by: list[t.Expression] = []
        for start, end in below[1]:
            with self.within(start, end):
                found = self.expression()
                self.finished()
            by.append(found.tree)
        if self.at_bar() and first >= last:
            raise self.slip("a value at a point is not read", self.here(), "write the bar behind what is differentiated", False)
        if first < last:
            f = self.applied_alone(self.part(first, last), by)
        else:
            f = self.operand_of_derivative(by, whole=True)
        f = items.closed(f)
        by = [e.operand if isinstance(e, t.Transpose) else e for e in by]
        repeated = below[0]
        whole = Span(span.start, max(span.end, self.spanned(max(0, self.pos - 1)).end))
        if order == 1 and len(by) == 1 and repeated in (2, 3):  # \partial L / \partial \sigma^2, by the variance
            by[0] = t.Power(by[0], items.number(repeated, by[0].span), span=by[0].span)
        if order == 1 and len(by) == 1 and isinstance(by[0], t.Power) and self.rank(by[0].base) == 0:
            made = self.with_bar(self.by_power(f, by[0], whole))
            return made if first >= last else self.postfix(made)
        if order == 1 and len(by) == 1:
            made = self.with_bar(self.derived(f, by[0], False, whole, span))
            return made if first >= last else self.postfix(made)
        if order == 2 and (repeated == 2 or len(by) == 2 and by[0] == by[1]) and len(set(by)) == 1:
            if self.rank(by[0]) == 0:
                inner = self.derived(f, by[0], False, whole, span)
                return self.with_bar(self.derived(inner, by[0], False, whole, span))
            return self.with_bar(self.derived(f, by[0], True, whole, span))
        if order == len(by):
            for one in reversed(by):
                f = self.derived(f, one, False, whole, span)
            return self.with_bar(f)
        raise self.slip("this derivative is not read", span, malformed=False)

    def by_power(self, f: Item, by: t.Power, span: Span) -> Item:
        """The derivative by x^k: that by x over k x^(k - 1)."""
        slope = t.Call("d", (by, by.base), span=by.span)
        made = self.derived(f, by.base, False, span, span)
        return Item(t.Factors(made.tree, (("/", slope),), span=span), made.rank)

    def with_bar(self, made: Item) -> Item:
        """A derivative with its value at a point, where a bar says it."""
        if not self.at_bar() or not self.tokens[self.pos].side and "|" in self.closers[-1:]:
            return made
        self.pos += 1
        return self.at_point(made)

    def applied_alone(self, f: Item, by: list[t.Expression]) -> Item:
        """df/dt of a function of one number is that of f(t)."""
        law = self.law(f.tree.name) if isinstance(f.tree, t.Name) else None
        if law is None or law.is_density or len(law.variables) != 1 or len(by) != 1 or self.rank(by[0]) != 0:
            return f
        return Item(t.Call(law.name, (by[0],), span=f.tree.span, name_span=f.tree.span), 0)

    def differentials(self, start: int, end: int, above: bool) -> tuple[int, list[tuple[int, int]]] | None:
        """(order, ranges of what is differentiated, or of what it is by) of \\partial^2 L, \\partial w \\partial v."""
        places: list[tuple[int, int]] = []
        order = 0
        k = start
        while k < end:
            x = self.tokens[k]
            curly = x.command == "partial"
            straight = x.kind in ("letters", "word") and x.text == "d"
            joined = x.kind == "letters" and not x.side and len(x.text) == 2 and x.text[0] == "d"
            joined = joined and not self.symbols_declare(x.text)
            if not (curly or straight or joined) or k + 1 < end and self.tokens[k + 1].is_sign("_"):
                return None
            if joined:
                if k > start and above:
                    return None
                rest = Token("letters", x.text[1:], x.start + 1, x.end, x.side)
                self.tokens[k] = rest
                order += 1
            else:
                k += 1
                times = 1
                if k < end and self.tokens[k].is_sign("^"):
                    power = self.tokens[k + 1] if k + 1 < end else None
                    if power is not None and power.is_sign("{") and k + 2 < end:
                        times = int(self.tokens[k + 2].text) if self.tokens[k + 2].text in "123" else 9
                        k += 4
                    elif power is not None:
                        times = int(power.text) if power.text in "123" else 9
                        k += 2
                order += times
            if above:
                return order, [(k, end)] if k < end else []
            begin, depth = k, 0
            while k < end:
                x = self.tokens[k]
                depth += x.is_sign("{", "(") - x.is_sign("}", ")")
                more = x.command == "partial" or x.kind == "letters" and x.text == "d" and k > begin
                if depth == 0 and more and k > begin:
                    break
                k += 1
            stop = k
            if not above and stop - begin >= 3 and self.tokens[stop - 2].is_sign("^") and self.tokens[stop - 1].text in "23":
                order += int(self.tokens[stop - 1].text) - 1
                stop -= 2
            elif stop - begin >= 5 and self.tokens[stop - 4].is_sign("^") and self.tokens[stop - 2].text in ("2", "3"):
                order += int(self.tokens[stop - 2].text) - 1
                stop -= 4
            if begin >= stop:
                return None
            places.append((begin, stop))
        return (order, places) if places or above else None

    def partial(self, token: Token) -> Item:
        """\\partial_x f"""
        start = self.pos - 1
        script = self.scripts()
        assert script.low is not None
        by = self.part(*script.low).tree
        if isinstance(by, t.Number):  # \partial_1 P(a, x), by the first argument
            found = items.closed(self.operand_of_derivative())
            made = in_slot(found.tree, by.value)
            if made is None:
                raise self.slip("a derivative by a number", by.span, r"`\partial_1 P(a, x)` is by the first argument", False)
            return self.postfix(Item(made, 0))
        f = items.closed(self.operand_of_derivative([by]))
        return self.derived(f, by, False, self.spanned(start), token.span)


def _entry(e: t.Expression) -> tuple[t.Expression, tuple[t.Expression, ...]]:
    return (e.operand, e.items) if isinstance(e, t.Subscript) else (e, ())

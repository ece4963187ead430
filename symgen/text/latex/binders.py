"""Sums and products over indices, integrals, optima, derivatives: what binds a name, and how far it reaches.

A sum reaches to the next + or -, and over it where its index stands in the term that follows.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgen.text import tree as t
from symgen.text.latex import items
from symgen.text.latex.items import Item
from symgen.text.latex.laws import Laws
from symgen.text.latex.parser import Range, calls_of, names_of
from symgen.text.latex.rows import relation_of
from symgen.text.latex.tokens import Slip, Token
from symgen.text.latex.vocabulary import BIG, CLOSING, LETTERS, OPENING, SUMS
from symgen.text.tree import Span

__all__ = ["Binders"]


class Binders(Laws):
    """Reads what binds names."""

    # --- how far

    def body(self, names: list[str]) -> Item:
        """The product that follows, and the terms after it in which a bound name stands."""
        made = self.product()
        while True:
            found = self.peek()
            while found is not None and found.kind == "row" and self.goes_on():
                self.pos += 1
                found = self.peek()
            if found is None or self.symbols is not None and found.command in SUMS:
                return made
            step = self.sign_of(found)
            if step is None or not self.stands_ahead(names):
                return made
            self.pos += 1
            other = self.product()
            made = items.added([(1, made), (step, other)], self.shape)

    def stands_ahead(self, names: list[str]) -> bool:
        """Whether one of the names stands in the terms that follow, up to the end of the bracket."""
        depth = 0
        for k in range(self.pos + 1, self.end):
            x = self.tokens[k]
            opens = x.is_sign("{") or x.side == "<" or x.kind == "begin" or not x.side and x.text in OPENING and x.kind != "text"
            shuts = x.is_sign("}") or x.side == ">" or x.kind == "end" or not x.side and x.text in CLOSING and x.kind != "text"
            depth += opens - shuts
            if depth < 0 or depth == 0 and (relation_of(x) is not None or x.is_sign(",")):
                return False
            if x.command in BIG and k + 1 < self.end and self.tokens[k + 1].is_sign("_"):
                bound = {y for z in self.tokens[k + 2 : k + 5] for y in (z.text, *z.text)}
                if bound & set(names):
                    return False
            if x.kind == "letters":
                if x.text in names:
                    return True
                known = self.symbols is not None and self.symbols.declares(x.text)
                if not known and len(x.text) < 4 and any(n in x.text for n in names if len(n) == 1):
                    return True
            elif x.command in LETTERS and LETTERS[x.command] in names:
                return True
        return False

    # --- sums and products

    def big(self, kind: str, token: Token) -> Item:
        start = self.pos - 1
        script = self.scripts()
        if kind == "integral":
            return self.integral(token, script.low, script.high)
        if self.symbols is None:
            return self.plain_big(kind, token, script.low, script.high)
        if kind not in ("sum", "prod"):
            raise self.slip(f"`{token.text}` is about sets", token.span, malformed=False)
        if script.low is None:
            raise self.slip(f"`{token.text}` does not say over what", token.span, r"write `\sum_{i=1}^{n}`", False)
        specs, condition = self.ranges(script.low, script.high, token)
        drawn = [name for name, _ in specs if self.is_random(name)]
        if drawn and kind == "sum":
            return self.over_values(drawn, token)
        return self.bound_body(kind, specs, condition, start)

    def bound_body(self, kind: str, specs: list[tuple[str, Range]], condition: t.Expression | None, start: int) -> Item:
        outside = dict(self.bound), dict(self.local)
        for name, ends in specs:
            self.bound[name] = ends
            self.local[name] = ()
        as_index, self.as_index = self.as_index, False
        try:
            body = items.closed(self.body([n for n, _ in specs]) if kind == "sum" else self.product_of([n for n, _ in specs]))
        finally:
            self.bound, self.local = outside
            self.as_index = as_index
        tree = body.tree
        span = Span(self.tokens[start].start, max(self.spanned(start).end, tree.span.end))
        if condition is not None:
            neutral = items.number(0 if kind == "sum" else 1, span)
            tree = t.Call("where", (condition, tree, neutral), span=span)
        made = tuple(self.index_spec(name, ends, span) for name, ends in specs)
        return Item(t.Binder(kind, made, (tree,), span=span, name_span=self.tokens[start].span), body.rank, body.row)

    def product_of(self, names: list[str]) -> Item:
        """\\prod_i a_i b: factors after the last that holds the index stand outside, and are refused where that is open."""
        made = self.product()
        if isinstance(made.tree, t.Factors):
            last = made.tree.rest[-1][1]
            if not names_of(last) & set(names) and made.tree.rest[-1][0] == "*":
                raise self.slip("how far the product reaches has two readings", last.span, "write brackets", False)
        return made

    def index_spec(self, name: str, ends: Range, span: Span) -> t.IndexSpec:
        if ends.lower is None or ends.upper is None:
            return t.IndexSpec(name, span=span)
        if ends.origin:
            one = items.number(1, span)
            if isinstance(ends.lower, t.Number) and ends.lower.value == 1:
                return t.IndexSpec(name, ends.upper, span=span)
            lower: t.Expression = t.Terms(((1, ends.lower), (-1, one)), span=span)
            if isinstance(ends.lower, t.Number):
                lower = items.number(ends.lower.value - 1, span)
            return t.IndexSpec(name, None, lower, t.Terms(((1, ends.upper), (-1, one)), span=span), span=span)
        return t.IndexSpec(name, None, ends.lower, ends.upper, span=span)

    def ranges(
        self, low: tuple[int, int], high: tuple[int, int] | None, token: Token
    ) -> tuple[list[tuple[str, Range]], t.Expression | None]:
        """i=1 .. n, i, (i, j), i < j, j \\ne i."""
        names: list[str] = []
        lower: t.Expression | None = None
        condition: t.Expression | None = None
        outside = dict(self.bound), dict(self.local), dict(self.state.undeclared)
        with self.within(*low):
            while self.pos < self.end:
                x = self.tokens[self.pos]
                if x.kind == "letters" or x.command in LETTERS:
                    text = LETTERS.get(x.command, x.text)
                    self.pos += 1
                    after = self.peek()
                    if after is not None and relation_of(after) in ("=", "in", ":"):
                        relation = relation_of(after)
                        self.pos += 1
                        names.append(text)
                        if relation != "=":
                            raise self.slip(f"`{token.text}` over a set", after.span, "write the ends of the index", False)
                        lower = self.expression().tree
                        continue
                    if after is not None and relation_of(after) in ("<", "<=", "!=", ">", ">="):
                        self.pos -= 1
                        begin = self.pos
                        places = [LETTERS.get(y.command, y.text) for y in self.tokens[begin : self.end]
                                  if y.kind == "letters" or y.command in LETTERS]  # fmt: skip
                        own = [p for p in places if p not in outside[0] and not self.symbols_declare(p)]
                        for p in own:
                            if p not in names:
                                names.append(p)
                            self.bound[p] = Range()
                            self.local[p] = ()
                        condition = self.side().tree
                        continue
                    whole = self.is_random(text)
                    names.extend([text] if whole or self.symbols_declare(text) else list(text) if x.kind == "letters" else [text])
                elif x.is_sign(",", "(", ")") or x.kind == "row":
                    self.pos += 1
                else:
                    raise self.slip(f"the range of `{token.text}` is not read", x.span, malformed=False)
        self.bound, self.local = outside[0], outside[1]
        self.state.undeclared = outside[2]
        if not names:
            raise self.slip(f"`{token.text}` does not say over what", token.span, malformed=False)
        upper = None
        if high is not None:
            if len(names) > 1:
                raise self.slip(f"`{token.text}` has one end for several indices", token.span, malformed=False)
            upper = self.part(*high).tree
            if lower is None:
                lower = items.number(1, token.span)
        elif lower is not None and condition is None:
            raise self.slip(f"`{token.text}` has no upper end", token.span, malformed=False)
        zero = isinstance(lower, t.Number) and lower.value == 0
        origin = 0 if zero else 1 if lower is None or isinstance(lower, t.Number) else self.origin
        return [(n, Range(lower, upper, origin)) for n in names], condition

    def symbols_declare(self, name: str) -> bool:
        return self.symbols is not None and self.symbols.find(name) is not None

    def plain_big(self, kind: str, token: Token, low: tuple[int, int] | None, high: tuple[int, int] | None) -> Item:
        """Without a spec: whatever stands under the sign."""
        start = self.pos
        names: list[str] = []
        under: list[t.Expression] = []
        for place in (low, high):
            if place is not None:
                groups = self.argument_list(*place)
                under.extend(x.tree for g in groups for x in g)
        if low is not None:
            for k in range(*low):
                x = self.tokens[k]
                if relation_of(x) is not None:
                    break
                if x.kind == "letters" or x.command in LETTERS:
                    names.extend([x.text] if x.kind == "letters" else [LETTERS[x.command]])
        after = self.peek()
        if after is None or not self.begins_factor(after) and self.sign_of(after) is None:
            return Item(t.Call(kind, tuple(under), span=token.span))
        if self.sign_of(after) is not None:
            self.pos += 1
        body = self.body(names)
        return Item(t.Call(kind, (body.tree, *under), span=self.spanned(start)))

    # --- integrals

    def integral(self, token: Token, low: tuple[int, int] | None, high: tuple[int, int] | None) -> Item:
        start = self.pos - 1
        if self.symbols is None:
            return self.plain_big("integral", token, low, high)
        place = self.differential()
        if place is None:
            raise self.slip(r"`\int` has no `dx`", token.span, malformed=False)
        at, name, end = place
        body_start = self.pos
        lower = self.part(*low).tree if low is not None and high is not None else None
        upper = self.part(*high).tree if low is not None and high is not None else None
        random = self.is_random(name)
        outside = dict(self.bound), dict(self.local)
        if not random:
            self.bound[name] = Range()
            self.local[name] = ()
        try:
            if at == body_start:  # \int dx f(x)
                self.pos = end
                body, stop = self.product(), self.pos
            else:
                with self.within(body_start, at):
                    body = self.expression()
                    self.finished()
                stop = end
        finally:
            self.bound, self.local = outside
        self.pos = stop
        span = self.spanned(start)
        if lower is not None and upper is not None:
            spec = t.IndexSpec(name, None, lower, upper, span=span)
            return Item(t.Binder("integral", (spec,), (body.tree,), span=span, name_span=token.span), 0)
        return Item(self.as_expectation(body.tree, name, span), 0)

    def differential(self) -> tuple[int, str, int] | None:
        """Where the next dx stands outside brackets: its position, its variable, and where it ends."""
        depth = 0
        nested = 0
        k = self.pos
        while k < self.end:
            x = self.tokens[k]
            opens = x.is_sign("{") or x.side == "<" or not x.side and x.text in OPENING and x.kind != "text"
            shuts = x.is_sign("}") or x.side == ">" or not x.side and x.text in CLOSING and x.kind != "text"
            depth += opens - shuts
            if depth < 0:
                return None
            if depth == 0 and x.command in ("int", "iint"):
                nested += 1
            upright = x.side in ("mathrm", "operatorname", "text") and x.text == "d"
            if depth == 0 and x.kind == "letters" and x.text[0] == "d" and (upright or not self.symbols_declare(x.text)):
                after = self.tokens[k + 1] if k + 1 < self.end else None
                name = x.text[1:]
                end = k + 1
                if not name and after is not None and (after.kind == "letters" or after.command in LETTERS):
                    name, end = LETTERS.get(after.command, after.text), k + 2
                if name and (len(name) == 1 or name in LETTERS.values() or self.is_random(name)):
                    if not nested:
                        return k, name, end
                    nested -= 1
            k += 1
        return None

    def over_values(self, names: list[str], token: Token) -> Item:
        """\\sum_z p(z) f(z), over the values of random variables, as an expectation."""
        start = self.pos - 1
        body = self.body(names)
        span = self.spanned(start)
        made = body.tree
        for name in names:
            made = self.as_expectation(made, name, span)
        return Item(made, 0)

    def as_expectation(self, e: t.Expression, name: str, span: Span) -> t.Expression:
        """The integral of p(x) f(x) over all x as E[x ~ p](f(x)), term by term."""
        if isinstance(e, t.Terms):
            parts = tuple((s, self.as_expectation(x, name, span)) for s, x in e.terms)
            return t.Terms(parts, span=span)
        first, rest = (e.first, e.rest) if isinstance(e, t.Factors) else (e, ())
        factors = [("*", first), *rest]
        for k, (op, x) in enumerate(factors):
            law = self.law(x.function) if isinstance(x, t.Call) and not x.log else None
            if op == "*" and law is not None and law.is_density and isinstance(x, t.Call):
                if [a.name if isinstance(a, t.Name) else "" for a in x.arguments] == [name]:
                    others = factors[:k] + factors[k + 1 :]
                    draw = t.Draw((name,), x, span=x.span)
                    return t.Binder("E", (draw,), (_product(others, span),), span=span, name_span=span)
        if len(factors) > 1 and isinstance(factors[-1][1], t.Terms) and factors[-1][0] == "*":
            inner = factors[-1][1]
            terms = tuple((s, self.as_expectation(_product([*factors[:-1], ("*", x)], span), name, span)) for s, x in inner.terms)
            return t.Terms(terms, span=span)
        raise self.slip(f"the integral over `{name}` is not that of a declared density times something", span, malformed=False)

    # --- optima and limits

    def limit(self, kind: str, token: Token) -> Item:
        """\\max_i x_i, \\max(a, b), \\arg\\min_w L, \\lim_{x \\to 0} f."""
        start = self.pos - 1
        if token.command in ("arg",):
            self.pos += 1
        script = self.scripts()
        found = self.peek()
        if self.symbols is None:
            return self.plain_big(kind, token, script.low, script.high)
        if kind in ("max", "min") and script.low is None:
            if found is None or not (found.is_sign("(", "[", "{") or found.text == "\\{" or found.side == "<"):
                raise self.slip(f"`{token.text}` does not say of what", token.span, malformed=False)
            groups = self.argument_list(*self.bracket_range())
            arguments, words = self.without_keywords([items.closed(x) for g in groups for x in g])
            trees = tuple(x.tree for x in arguments)
            made = t.Call(kind, trees, words, span=self.spanned(start), name_span=token.span)
            return self.postfix(self.item(made))
        if script.low is None or kind not in ("max", "min", "argmin", "argmax", "limit"):
            raise self.slip(f"`{token.text}` is not read", token.span, malformed=False)
        if kind in ("argmin", "argmax"):
            by, facts = self.optimised(script.low)
            f = self.product()
            given = (t.Keyword("subject_to", facts, span=facts.span),) if facts is not None else ()
            variables = by[0] if len(by) == 1 else t.ListOf(tuple(by), span=by[0].span)
            made = t.Call(kind, (f.tree, variables), given, span=self.spanned(start), name_span=token.span)
            return Item(made, self.rank(by[0]) if len(by) == 1 else None)
        if kind == "limit":
            with self.within(*script.low):
                x = self.expression().tree
                arrow = self.next()
                if relation_of(arrow) != "->":
                    raise self.slip("a limit goes `x \\to a`", arrow.span)
                to = self.expression().tree
            f = self.product()
            return Item(t.Call("limit", (f.tree, x, to), span=self.spanned(start), name_span=token.span), 0)
        specs, condition = self.ranges(script.low, script.high, token)
        if any(self.symbols_declare(n) for n, _ in specs):
            raise self.slip(f"`{token.text}` over a variable has no value in symgen", token.span,
                            "`argmin` is the place where it is taken", False)  # fmt: skip
        return self.bound_body(kind, specs, condition, start)

    def optimised(self, low: tuple[int, int]) -> tuple[list[t.Expression], t.Expression | None]:
        """w, or w : sum(w) = 1."""
        groups = self.argument_list(*low)
        by = [x.tree for x in groups[0]]
        facts = [x.tree for g in groups[1:] for x in g]
        if not by:
            raise self.slip("an optimum does not say over what", self.tokens[low[0] - 1].span, malformed=False)
        facts = [
            t.Comparison(f.operands, tuple("=" if op == "==" else op for op in f.ops), span=f.span)
            if isinstance(f, t.Comparison) else f for f in facts
        ]  # fmt: skip
        return by, None if not facts else facts[0] if len(facts) == 1 else t.ListOf(tuple(facts), span=facts[0].span)

    # --- derivatives

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
        if first < last:
            f = self.part(first, last)
        else:
            f = self.operand_of_derivative(by, whole=True)
        f = items.closed(f)
        by = [e.operand if isinstance(e, t.Transpose) else e for e in by]
        repeated = below[0]
        whole = Span(span.start, max(span.end, self.spanned(max(0, self.pos - 1)).end))
        if order == 1 and len(by) == 1:
            return (
                self.derived(f, by[0], False, whole, span)
                if first >= last
                else self.postfix(self.derived(f, by[0], False, whole, span))
            )
        if order == 2 and (repeated == 2 or len(by) == 2 and by[0] == by[1]) and len(set(by)) == 1:
            if self.rank(by[0]) == 0:
                inner = self.derived(f, by[0], False, whole, span)
                return self.derived(inner, by[0], False, whole, span)
            return self.derived(f, by[0], True, whole, span)
        if order == len(by):
            for one in reversed(by):
                f = self.derived(f, one, False, whole, span)
            return f
        raise self.slip("this derivative is not read", span, malformed=False)

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
        f = items.closed(self.operand_of_derivative([by]))
        return self.derived(f, by, False, self.spanned(start), token.span)


def _entry(e: t.Expression) -> tuple[t.Expression, tuple[t.Expression, ...]]:
    return (e.operand, e.items) if isinstance(e, t.Subscript) else (e, ())


def _product(factors: list[tuple[str, t.Expression]], span: Span) -> t.Expression:
    """The product of some factors, each with its sign; 1 of none."""
    if not factors:
        return items.number(1, span)
    if factors[0][0] == "/":
        factors = [("*", items.number(1, span)), *factors]
    if len(factors) == 1:
        return factors[0][1]
    return t.Factors(factors[0][1], tuple(factors[1:]), span=span)

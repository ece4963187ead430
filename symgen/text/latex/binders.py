"""Sums and products over indices, integrals, optima, derivatives: what binds a name, and how far it reaches.

A sum reaches to the next + or -, and over it where its index stands in the term that follows.
"""

from __future__ import annotations

from dataclasses import replace

from symgen.text import tree as t
from symgen.text.latex import items
from symgen.text.latex.items import Item
from symgen.text.latex.laws import Laws
from symgen.text.latex.parser import Range, calls_of, names_of
from symgen.text.latex.rows import relation_of
from symgen.text.latex.tokens import Token
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
        endless = [ends for _, ends in specs if ends.upper is not None and is_infinite(ends.upper)]
        if endless and kind != "sum":
            raise self.slip(f"`{token.text}` without end is not read", token.span, malformed=False)
        if drawn and kind == "sum" and not any(not is_zero(ends.lower) for ends in endless):
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
                            self.bound[p] = Range(origin=0 if isinstance(lower, t.Number) and lower.value == 0 else 1)
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
            self.check_end(upper, token)
            if lower is None:
                lower = items.number(1, token.span)
            if is_infinite(upper):
                return [(names[0], Range(lower, t.Name("inf", span=upper.span)))], condition
        elif lower is not None and condition is None:
            raise self.slip(f"`{token.text}` has no upper end", token.span, malformed=False)
        zero = isinstance(lower, t.Number) and lower.value == 0
        origin = 0 if zero else 1 if lower is None or isinstance(lower, t.Number) else self.origin
        return [(n, Range(lower, upper, origin)) for n in names], condition

    def check_end(self, upper: t.Expression, token: Token) -> None:
        """Sums go up to sizes, numbers and infinity; ends that are values are not read."""
        if isinstance(upper, t.Name) and self.symbols is not None and upper.name in self.symbols.values:
            help = f"declare it as a size: `dim {upper.name}`"
            raise self.slip(f"the end `{upper.name}` of `{token.text}` is no size", upper.span, help, False)

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
        whole = random and (lower is None or upper is None or _whole_line(lower, upper))
        if lower is not None and upper is not None and not (whole and self.speaks_of_density(body.tree)):
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
                others = factors[:k] + factors[k + 1 :]
                apart = [a for a in x.arguments if not (isinstance(a, t.Name) and a.name == name)]
                if len(apart) == len(x.arguments) - 1:
                    if not apart:
                        draw = t.Draw((name,), x, span=x.span)
                        return t.Binder("E", (draw,), (_product(others, span),), span=span, name_span=span)
                    return self.summed_out(x, name, tuple(apart), others, span)
        if len(factors) > 1 and isinstance(factors[-1][1], t.Terms) and factors[-1][0] == "*":
            inner = factors[-1][1]
            terms = tuple((s, self.as_expectation(_product([*factors[:-1], ("*", x)], span), name, span)) for s, x in inner.terms)
            return t.Terms(terms, span=span)
        raise self.slip(f"the integral over `{name}` is not that of a declared density times something", span, malformed=False)

    def summed_out(
        self, p: t.Call, name: str, left: tuple[t.Expression, ...], others: list[tuple[str, t.Expression]], span: Span
    ) -> t.Expression:
        """The integral of p(x, z) f(z) over z as p(x) E[z ~ p(z | x)](f(z))."""
        marginal = replace(p, arguments=left)
        free = [f for f in others if name not in names_of(f[1])]
        bound = [f for f in others if f not in free]
        if not bound:
            return _product([("*", marginal), *free], span)
        at = next(a for a in p.arguments if a not in left)
        draw = t.Draw((name,), replace(p, arguments=(at,), given=(*left, *p.given)), span=p.span)
        mean = t.Binder("E", (draw,), (_product(bound, span),), span=span, name_span=span)
        return _product([("*", marginal), *free, ("*", mean)], span)

    def speaks_of_density(self, e: t.Expression) -> bool:
        """Whether a density of the spec stands in an expression."""
        return any((law := self.law(name)) is not None and law.is_density for name in calls_of(e))

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
            f = self.reached([n for x in by for n in sorted(names_of(x))], token)
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
            f = self.reached(sorted(names_of(x)), token)
            return Item(t.Call("limit", (f.tree, x, to), span=self.spanned(start), name_span=token.span), 0)
        specs, condition = self.ranges(script.low, script.high, token)
        if any(self.symbols_declare(n) for n, _ in specs):
            raise self.slip(f"`{token.text}` over a variable has no value in symgen", token.span,
                            "`argmin` is the place where it is taken", False)  # fmt: skip
        return self.bound_body(kind, specs, condition, start)

    def reached(self, names: list[str], token: Token) -> Item:
        """What an optimum or a limit is of: the terms that follow, up to the last in which a name stands. A term without
        them has two readings."""
        made = self.body(names)
        found = self.peek()
        if found is not None and self.sign_of(found) is not None:
            raise self.slip(f"how far `{token.text}` reaches has two readings", found.span, "write brackets", False)
        return made

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


def _whole_line(lower: t.Expression, upper: t.Expression) -> bool:
    below = lower.terms[0] if isinstance(lower, t.Terms) and len(lower.terms) == 1 else None
    ends = (below[1] if below is not None and below[0] < 0 else None, upper)
    return all(isinstance(x, t.Name) and x.name == "inf" for x in ends)


def _product(factors: list[tuple[str, t.Expression]], span: Span) -> t.Expression:
    """The product of some factors, each with its sign; 1 of none."""
    if not factors:
        return items.number(1, span)
    if factors[0][0] == "/":
        factors = [("*", items.number(1, span)), *factors]
    if len(factors) == 1:
        return factors[0][1]
    return t.Factors(factors[0][1], tuple(factors[1:]), span=span)


def is_infinite(e: t.Expression) -> bool:
    r"""\infty or +\infty."""
    if isinstance(e, t.Terms) and len(e.terms) == 1 and e.terms[0][0] == 1:
        e = e.terms[0][1]
    return isinstance(e, t.Name) and e.name == "inf"


def is_zero(e: t.Expression | None) -> bool:
    return isinstance(e, t.Number) and e.value == 0

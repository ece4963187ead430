"""Names with what stands at them: indices, transposes, inverses, powers, stars; and what is called with brackets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symgen.text import tree as t
from symgen.text.latex import items
from symgen.text.latex.indices import Indices
from symgen.text.latex.items import Item
from symgen.text.latex.parser import Script, names_of
from symgen.text.latex.rows import relation_of
from symgen.text.latex.symbols import Law
from symgen.text.latex.tokens import Slip, Token
from symgen.text.latex.vocabulary import ACCENTS, LETTERS
from symgen.text.tree import Span

__all__ = ["Names"]

CALLED = frozenset("fghpqFGHPQDKVJRULEITCBNSWZy") | {"phi", "psi", "sigma", "pi", "mu", "Phi", "Psi", "Gamma", "rho", "kappa", "nu"}
TRANSPOSES = frozenset(["top", "intercal", "T", "mathsf", "prime", "t", "tr", "trans"])


class Names(Indices):
    """Reads names, their scripts and their arguments."""

    bar_waits = False  # what is differentiated is read: the bar behind it is the derivative's

    # --- scripts

    def scripts(self) -> Script:
        found = Script()
        start = self.pos
        while self.pos < self.end:
            token = self.tokens[self.pos]
            if token.is_sign("_") and found.low is None:
                self.pos += 1
                found.low = self.group()
            elif token.is_sign("^") and found.high is None:
                self.pos += 1
                if self.pos < self.end and self.tokens[self.pos].is_sign("'"):
                    continue
                found.high = self.group()
                inside = [x for x in self.tokens[slice(*found.high)] if not x.is_sign("{", "}")]
                if inside and all(x.command == "prime" for x in inside):  # f^{\\prime\\prime}
                    found.primes, found.high = found.primes + len(inside), None
            elif token.is_sign("'"):
                self.pos += 1
                found.primes += 1
            elif token.is_sign("_", "^"):
                raise self.slip(f"two `{token.text}` stand at one letter", token.span, "put the inner one in braces")
            else:
                break
        if found.low is not None and found.low[0] >= found.low[1]:
            found.low = None
        if found.high is not None and found.high[0] >= found.high[1]:
            found.high = None
        if self.pos > start:
            found.span = self.spanned(start)
        return found

    def words_of(self, span: tuple[int, int]) -> list[str] | None:
        """The parts between commas of a script, each a word or number; None where one is neither."""
        parts: list[str] = [""]
        k = span[0]
        while k < span[1]:
            token = self.tokens[k]
            if token.kind in ("letters", "number", "word", "text"):
                parts[-1] += "".join(token.text.split()).replace("-", "_").strip(".")
            elif token.is_sign(","):
                parts.append("")
            elif token.command in LETTERS and token.command not in ("top", "intercal", "perp"):
                parts[-1] += LETTERS[token.command]
            elif token.command in ("max", "min", "sup", "inf", "det", "log", "exp", "dim"):
                parts[-1] += token.command
            elif token.command in ACCENTS:
                pass
            elif token.is_sign("{", "}", "*") or token.is_sign("_"):
                parts[-1] += "star" if token.text == "*" else "_" if token.text == "_" else ""
            else:
                return None
            k += 1
        return [p.strip("_") for p in parts] if all(p.strip("_") for p in parts) else None

    def text_of(self, span: tuple[int, int]) -> str:
        return "".join(x.text.lstrip("\\") for x in self.tokens[span[0] : span[1]])

    # --- names

    def name(self, base: str, span: Span, accents: Sequence[str] = ()) -> Item:
        """A letter or word that was read, with its scripts and arguments."""
        script = self.scripts()
        where = Span(span.start, max(span.end, script.span.end)) if script.span != t.NOWHERE else span
        high = self.text_of(script.high) if script.high else ""
        stars = list(accents)
        if high in ("*", "star", "ast"):
            stars.append("star")
            script.high = None
        if self.symbols is None:
            return self.plain_name(base, stars, script, where)
        return self.declared_name(base, stars, script, where)

    def plain_name(self, base: str, accents: list[str], script: Script, span: Span) -> Item:
        """Without a spec: subscripts of words belong to the name, others are indices."""
        name = "_".join([base, *accents])
        indices: tuple[t.Expression, ...] = ()
        if script.low is not None:
            words = self.words_of(script.low)
            word = any(x.kind in ("text", "word") for x in self.tokens[slice(*script.low)])
            if words is not None and (len(words[0]) > 2 or word):
                name = "_".join([name, *words])
            else:
                indices = self.indices(script.low)
        made: t.Expression = t.Name(name, span=span)
        if indices:
            made = t.Subscript(made, indices, span=span)
        item = Item(made)
        token = self.peek()
        if token is not None and token.is_sign("(", "[") and script.high is None and self.applies(base, token):
            return self.called(name, item)
        item = self.powers(item, script)
        if token is not None and token.is_sign("(", "[") and self.applies(base, token):
            k = self.pos
            inside = self.bracket_range()
            groups = self.argument_list(*inside)
            if len(groups) > 1 or len(groups[0]) != 1 or base in CALLED:
                arguments = tuple(x.tree for g in groups for x in g)
                return self.postfix(Item(t.Call(f"{name}", (item.tree, *arguments), span=span)))
            self.pos = k
        return item

    def applies(self, base: str, token: Token) -> bool:
        return base in CALLED or len(base) > 1 or not token.is_sign("[")

    def declared_name(self, base: str, accents: list[str], script: Script, span: Span) -> Item:
        symbols = self.symbols
        assert symbols is not None
        words = self.words_of(script.low) if script.low is not None else []
        high = self.text_of(script.high) if script.high else ""
        if base in self.bound and not accents and script.low is None:
            return self.powers(self.index_item(base, span), script)
        runs = script.low is not None and any(x in self.bound for x in self.letters_in(script.low))
        name = None
        rest = script.low
        if script.primes and symbols.find(base, [*accents, *["prime"] * script.primes]) is not None:
            accents = [*accents, *["prime"] * script.primes]
            script.primes = 0
        if words:
            if not runs:
                name = symbols.find(base, [*accents, *words])
                rest = None if name else rest
            if name is None and len(words) > 1:
                name, rest = self.with_prefix(base, accents, words, script.low)
        if name is None and high[:1] in ("(", "[") and high[-1:] in (")", "]") and not (words and runs):
            inner = high[1:-1]
            if inner not in self.bound:
                name = symbols.find(base, [*accents, inner, *(words or [])])
                if name is not None:
                    rest, script.high = None, None
        if name is None:
            name = symbols.find(base, accents)
        if name is None and not accents and rest is not None and len(words or []) == 1:
            name = self.matrix_of_rows(base)
        if name is None and not accents and high[:1] == "(" and high[-1:] == ")":  # x^{(i)}
            name = self.matrix_of_rows(base)
        if name is None:
            return self.unknown_name(base, accents, words or [], script, span)
        law = symbols.laws.get(name)
        if law is not None:
            after = self.peek()
            called = after is not None and after.is_sign("(", "[")
            if not called and name not in symbols.shapes and rest is not None and not self.law_wanted:
                return self.unknown_name(base, accents, words or [], script, span)  # p_i is a number, and no distribution
            if called or name not in symbols.shapes:
                return self.called_law(law, script, span)
        made: Item = self.item(t.Name(name, span=span))
        if script.high is not None and high[:1] == "(" and high[-1:] == ")" and (made.rank or 0) > 0:
            if name not in symbols.data:
                raise self.slip(f"`^{{{high}}}` is a layer, a step or an index", span, malformed=False)
            first = self.indices((script.high[0] + 1, script.high[1] - 1), made.tree)
            script.high = None
            second = self.indices(rest, made.tree, 1) if rest is not None else ()
            made = self.picked(made, (*first, *second), span)
        elif rest is not None:
            drawn = not made.rank and name not in symbols.values and not accents and len(words or []) == 1
            rows = self.matrix_of_rows(base) if drawn else None
            if rows is not None:
                made = self.item(t.Name(rows, span=span))
            elif made.rank == 0:
                return self.unknown_name(base, accents, words or [], script, span)
            whole, made = made, self.picked(made, self.indices(rest, made.tree), span)
            if whole.rank == 2 and made.rank == 0 and high in (*TRANSPOSES, "-1", "-T", "-top"):
                raise self.slip(f"`^{{{high}}}` of a matrix or of its entry: two readings", span, r"write `(A^{-1})_{ij}`", False)
        made = self.powers(made, script)
        return self.of_its_variables(name, made)

    def index_item(self, base: str, span: Span) -> Item:
        """A bound index as a number: counted from 0 inside, from 1 on paper."""
        found: t.Expression = t.Name(base, span=span)
        if self.bound[base].origin and not self.as_index:
            found = t.Terms(((1, found), (1, items.number(1, span))), span=span)
        return Item(found, 0)

    def letters_in(self, span: tuple[int, int]) -> set[str]:
        out: set[str] = set()
        for token in self.tokens[slice(*span)]:
            if token.kind == "letters":
                out.update((token.text, *token.text))
            elif token.command in LETTERS:
                out.add(LETTERS[token.command])
        return out

    def with_prefix(
        self, base: str, accents: list[str], words: list[str], low: tuple[int, int] | None
    ) -> tuple[str | None, tuple[int, int] | None]:
        """W_{1,ij}: as many parts as belong to the name; the rest are indices."""
        assert self.symbols is not None and low is not None
        for k in range(len(words) - 1, 0, -1):
            name = self.symbols.find(base, [*accents, *words[:k]])
            if name is not None and name != self.symbols.find(base, accents):
                commas = [j for j in range(*low) if self.tokens[j].is_sign(",")]
                return name, (commas[k - 1] + 1, low[1])
        return None, low

    def matrix_of_rows(self, base: str) -> str | None:
        """X, whose row i is x_i, where no x is declared."""
        assert self.symbols is not None
        large = base.upper() if len(base) == 1 else base.capitalize()
        shape = self.symbols.shapes.get(large)
        return large if base != large and shape is not None and len(shape) == 2 else None

    def unknown_name(self, base: str, accents: list[str], words: list[str], script: Script, span: Span) -> Item:
        """What the spec does not declare: constants, indices, functions of mathematics; else it is told."""
        token = self.peek()
        plain = not accents and script.low is None
        if base == "e" and plain and script.high is not None:
            start, end = script.high
            with self.within(start, end):
                exponent = self.expression()
            if exponent.rank == 2:
                return Item(t.Call("expm", (exponent.tree,), span=span), 2)
            return items.applied("exp", exponent, span, span)
        if base in ("pi", "e", "inf") and plain:
            return self.powers(Item(t.Name(base, span=span), 0), script)
        ordered = self.of_order(base, script, span) if base == "I" and token is not None and token.is_sign("(") else None
        if ordered is not None:
            return ordered
        if base == "I" and not accents:
            letters = self.letters_in(script.low) if script.low is not None else set()
            if script.low is not None and letters and all(len(x) > 1 or x in self.bound for x in letters):
                pair = self.indices(script.low, t.Call("eye", (items.number(1),)))
                if len(pair) == 2:
                    condition = t.Comparison(pair, ("==",), span=span)
                    one, zero = items.number(1, span), items.number(0, span)
                    return self.powers(Item(t.Call("where", (condition, one, zero), span=span), 0), script)
            if words and len(words) == 1 and script.low is not None:
                size = self.indices((script.low[0], script.low[0] + 1), None, numbers=True)[0]
                return self.powers(Item(t.Call("eye", (size,), span=span), 2), script)
            if script.low is None:
                return self.powers(Item(items.number(1, span), 2, hole="eye"), script)
        if base == "delta" and not accents and script.low is not None:
            indices = self.indices(script.low, t.Call("eye", (items.number(1),)))
            if len(indices) == 2:
                one, zero = items.number(1, span), items.number(0, span)
                condition = t.Comparison(indices, ("==",), span=span)
                return self.powers(Item(t.Call("where", (condition, one, zero), span=span), 0), script)
        if token is not None and token.is_sign("(", "["):
            found = self.function_of(base, accents, words, script, span)
            if found is not None:
                return found
        name = "_".join([base, *accents, *words])
        if plain and len(base) == 1 and base.isalpha() and script.high is None and self.as_index:
            self.state.free.setdefault(base, span)
            return Item(t.Name(base, span=span), 0)
        if name in self.local:  # drawn here
            return self.powers(Item(t.Name(name, span=span), len(self.local[name])), script)
        self.undeclared(name, span)
        self.state.parts[name] = "_".join([base, *accents]), ",".join(words)
        made = Item(t.Name(name, span=span), None)
        if token is not None and token.is_sign("(", "["):
            return self.called(name, made)
        return self.powers(made, script)

    def function_of(self, base: str, accents: list[str], words: list[str], script: Script, span: Span) -> Item | None:
        raise NotImplementedError

    def of_order(self, base: str, script: Script, span: Span) -> Item | None:
        raise NotImplementedError

    # --- what stands high

    def powers(self, base: Item, script: Script) -> Item:
        """Primes, transposes, inverses and powers of what was read."""
        made = base
        span = Span(base.span.start, max(base.span.end, script.span.end))
        for _ in range(script.primes):
            if self.symbols is None:
                made = Item(t.Transpose(made.tree, span=span), made.rank)
            elif made.rank == 0:
                raise self.slip("a prime at a number is not declared", span, "declare it as `.._prime`", False)
            else:
                made = items.transposed(made, span)
        if script.high is None:
            return made
        start, end = script.high
        tokens = [x for x in self.tokens[start:end] if not x.is_sign("{", "}")]
        word = "".join(x.text.lstrip("\\") for x in tokens)
        declared = self.symbols is not None and self.symbols.declares(word)
        if declared and (word in ("t", "tr") and made.rank or word == "T" and made.rank == 2):
            raise self.slip(f"`^{word}` is a transpose or a power", span, r"write `^\top`", False)
        if word in TRANSPOSES and not (word in ("t", "tr") and self.symbols is not None and made.rank == 0):
            if self.symbols is None or made.rank != 0 or word in ("top", "intercal", "prime"):
                return items.transposed(made, span)
        if word in ("-1", "-T", "-top", "-intercal") and (made.rank == 2 or self.symbols is None and word != "-1"):
            if made.hole == "eye":
                return made
            inverse = Item(t.Call("inv", (made.tree,), span=span, name_span=span), made.rank)
            return inverse if word == "-1" else items.transposed(inverse, span)
        if not tokens:
            return made
        if tokens[0].command in ("odot", "circ") and len(tokens) > 1:
            start = next(k for k in range(start, end) if self.tokens[k] is tokens[0]) + 1
            with self.within(start, end):
                exponent = self.expression()
            return replace(made, tree=t.Power(made.tree, exponent.tree, span=span))
        if self.symbols is None:
            return Item(t.Power(made.tree, self.exponent(start, end), span=span), made.rank)
        if word in ("+", "dagger", "perp", "c", "C", "H", "*", "star"):
            raise self.slip(f"`^{word}` has no meaning in symgen", span, malformed=False)
        with self.within(start, end):
            power = self.expression()
            self.finished()
        if made.rank == 2:
            if made.hole == "eye":
                return made
            return Item(t.Call("matpow", (made.tree, power.tree), span=span, name_span=span), 2)
        return replace(made, tree=t.Power(made.tree, power.tree, span=span))

    def exponent(self, start: int, end: int) -> t.Expression:
        """Without a spec: an expression, else whatever stands there."""
        with self.within(start, end):
            if self.pos >= self.end:
                return t.Name("nothing", span=self.tokens[start - 1].span)
            made = self.loose()
            while self.pos < self.end:
                if self.tokens[self.pos].is_sign(",", ";", ":", "+", "-", "*", "|", "(", ")", "[", "]"):
                    self.pos += 1
                else:
                    self.loose()
            return made

    def finished(self) -> None:
        """Raises Slip unless all tokens were read."""
        found = self.peek()
        while found is not None and (found.is_sign(",", ".", ";") or found.kind == "row"):
            self.pos += 1
            found = self.peek()
        if found is not None:
            raise self.slip(f"`{found.text}` is out of place", found.span)

    def postfix(self, made: Item) -> Item:
        """Scripts after a closing bracket, and the bar of a value at a point."""
        if self.at_bar():
            if not self.tokens[self.pos].side and "|" in self.closers[-1:] or self.bar_waits:
                return made
            bar = self.tokens[self.pos]
            if self.symbols is not None:
                raise self.slip("a value at a point is not read", bar.span, "substitute it by hand", False)
            self.pos += 1
            self.scripts()
        while self.pos < self.end and self.tokens[self.pos].is_sign("_", "^", "'"):
            script = self.scripts()
            if self.symbols is not None and script.low is not None and self.text_of(script.low) == "+":  # [x]_+
                script.low = None
                positive = t.Call("relu", (made.tree,), span=Span(made.span.start, script.span.end), name_span=script.span)
                made = Item(positive, made.rank, made.row)
            if script.low is not None:
                span = Span(made.span.start, script.span.end)
                if self.symbols is None:
                    made = Item(t.Subscript(made.tree, self.indices(script.low) or (t.Name("_"),), span=span))
                else:
                    made = self.entry_of(made, script.low, span)
            made = self.powers(made, script)
        return made

    def at_bar(self) -> bool:
        """Whether |_ comes next."""
        bar, after = self.peek(), self.peek(1)
        return bar is not None and after is not None and bar.text == "|" and after.is_sign("_") and bar.side in ("", ">", "|")

    def at_point(self, made: Item) -> Item:
        """f|_{x = a}: its Taylor polynomial of order 0 there."""
        start = self.pos
        script = self.scripts()
        low, high = script.low, script.high
        equal = [k for k in range(*low) if relation_of(self.tokens[k]) == "="] if low is not None else []
        if low is None or high is not None or len(equal) != 1 or made.hole:
            span = script.span if self.pos > start else made.span
            raise self.slip("a value at a point is not read", span, r"write `|_{x = a}`", False)
        x, a = self.part(low[0], equal[0]), self.part(equal[0] + 1, low[1])
        span = Span(made.span.start, script.span.end)
        if not isinstance(x.tree, t.Name) or x.rank is not None and a.rank not in (0, x.rank):
            raise self.slip("a value at a point is not read", script.span, r"write `|_{x = a}`", False)
        words = (t.Keyword("at", items.closed(a).tree, span=span), t.Keyword("order", items.number(0, span), span=span))
        return Item(t.Call("taylor", (made.tree, x.tree), words, span=span, name_span=script.span), made.rank)

    def factorial(self, made: Item) -> Item:
        """n! is gamma(n + 1)."""
        mark = self.next()
        after = self.peek()
        if after is not None and after.is_sign("!") and self.symbols is not None:
            raise self.slip("`!!` is not read", Span(mark.start, after.end), malformed=False)
        span = Span(made.span.start, max(made.span.end, mark.end))
        inner = t.Terms(((1, made.tree), (1, items.number(1, span))), span=span)
        return Item(t.Call("gamma", (inner,), span=span, name_span=span), 0 if made.rank == 0 else None)

    def entry_of(self, made: Item, low: tuple[int, int], span: Span) -> Item:
        """[..]_{ij}: the array with these entries, where the indices stand inside; else an entry of it."""
        free = dict(self.state.free)
        bounded = self.bounded(low)
        if bounded:
            for spec in bounded:
                self.state.free.pop(spec.name, None)
            return self.item(t.Binder("tensor", tuple(bounded), (made.tree,), span=span))
        indices = self.indices(low, made.tree)
        inside = names_of(made.tree)
        names = [i.name for i in indices if isinstance(i, t.Name)]
        if len(names) == len(indices) and all(n in inside and n not in self.bound for n in names):
            for n in names:
                self.state.free.pop(n, None)
            specs = tuple(t.IndexSpec(n, span=span) for n in names)
            return self.item(t.Binder("tensor", specs, (made.tree,), span=span))
        self.state.free.update(free)
        if made.hole in ("rows", "columns") and len(indices) == 2:
            row = made.hole == "rows"
            vector = made.tree.operand if isinstance(made.tree, t.Subscript) and not row else made.tree
            return self.picked(self.item(vector), indices[1:] if row else indices[:1], span)
        return self.picked(items.closed(made), indices, span)

    def bounded(self, low: tuple[int, int]) -> list[t.IndexSpec]:
        """i, 0 <= j < n under a bracket: indices of which some say how far they run; none where no index does."""
        groups: list[list[tuple[int, int]]] = [[]]
        begin = low[0]
        for k in range(*low):
            token = self.tokens[k]
            if token.is_sign(",") or relation_of(token) in ("<", "<="):
                groups[-1].append((begin, k))
                begin = k + 1
                if token.is_sign(","):
                    groups.append([])
        groups[-1].append((begin, low[1]))
        if all(len(g) == 1 for g in groups):
            return []
        specs = []
        for group in groups:
            a, b = group[min(1, len(group) - 1)]
            if len(group) not in (1, 3) or b - a != 1 or self.tokens[a].kind not in ("letters", "word", "command"):
                return []
            name = LETTERS.get(self.tokens[a].command, self.tokens[a].text)
            size = self.part(*group[2]).tree if len(group) == 3 else None
            specs.append(t.IndexSpec(name, size, span=self.tokens[a].span))
        return specs

    # --- calls

    def bracket_range(self) -> tuple[int, int]:
        raise NotImplementedError

    def called(self, name: str, head: Item) -> Item:
        """f(..) of what no spec declares."""
        span = head.span
        start = self.pos
        groups = self.argument_list(*self.bracket_range())
        whole = Span(span.start, self.spanned(start).end)
        first = tuple(x.tree for x in groups[0])
        given = tuple(x.tree for g in groups[1:] for x in g)
        return self.postfix(Item(t.Call(name, first, given=given, span=whole, name_span=span)))

    def differentiated(self, f: t.Call, times: int, span: Span) -> t.Call:
        """f'(x), f''(x) at a number that has a name."""
        x = f.arguments[0] if len(f.arguments) == 1 else None
        known = self.symbols.shapes if self.symbols is not None else {}
        if not isinstance(x, t.Name) or known.get(x.name) != ():
            raise self.slip(f"`{f.function}'(..)` is read of a number that the spec names", span, malformed=False)
        for _ in range(times):
            f = t.Call("d", (f, x), span=span, name_span=span)
        return f

    def called_law(self, law: Law, script: Script, span: Span) -> Item:
        """p(x | z), D(x), or the name alone, as in KL(q || p)."""
        found = self.peek()
        name = t.Name(law.name, span=span)
        if found is None or not found.is_sign("(", "["):
            return Item(name, None)
        high = self.text_of(script.high) if script.high is not None else ""
        if script.primes and (law.is_density or not law.scalar):
            raise self.slip(f"`{law.name}'(..)` is not read", span, f"name it: `def {law.name}_prime(t) = ..`", False)
        if high[:1] in ("-", "(", "["):
            raise self.slip(f"`{law.name}^{{{high}}}(..)` is a value, an inverse or a derivative", span, malformed=False)
        start = self.pos
        separators = [self.tokens[k].text for k in range(*self.look_inside())]
        groups = self.argument_list(*self.bracket_range())
        whole = Span(span.start, self.spanned(start).end)
        if law.scalar and any(x.rank != 0 for g in groups for x in g):
            raise self.slip(f"`{law.name}(..)` is of numbers, and an array stands here", whole, malformed=False)
        arguments = tuple(items.closed(x).tree for x in groups[0])
        given = tuple(items.closed(x).tree for g in groups[1:] for x in g)
        if law.is_density and arguments == (t.Name("cdot"),) and len(law.variables) == 1:  # q(\cdot | x)
            arguments = (t.Name(law.variables[0], span=arguments[0].span),)
            self.state.undeclared.pop("cdot", None)
        if law.is_density and ";" in separators and not any(s in separators for s in ("|", "\\mid", "\\vert")):
            given = ()  # p(x; theta): what it is given by its declaration
        elif not law.is_density and law.kind == "function":
            arguments, given = (*arguments, *given)[: len(law.variables)] or arguments, ()
        made = t.Call(law.name, arguments, given=given, span=whole, name_span=span)
        if script.primes:
            made, script.primes = self.differentiated(made, script.primes, whole), 0
        rank = 0 if law.is_density else self.rank(made)
        item = Item(made, rank)
        if script.high is not None or script.primes:
            item = self.powers(item, script)
        return self.postfix(item)

    def look_inside(self) -> tuple[int, int]:
        """The range inside the bracket that opens here, without reading it."""
        at = self.pos
        inside = self.bracket_range()
        self.pos = at
        return inside

    def of_its_variables(self, name: str, made: Item) -> Item:
        """L(w) of a named value is L, where w is what it is made of."""
        found = self.peek()
        assert self.symbols is not None
        depends = self.symbols.depends.get(name)
        if name in ("sigma", "Gamma") and found is not None and found.is_sign("(") and not depends:
            inside = self.look_inside()
            if name not in {LETTERS.get(x.command, x.text) for x in self.tokens[slice(*inside)]}:
                raise self.slip(f"`\\{name}(..)` is a function or a product", made.span,
                                rf"write `\{name} \cdot (..)`, or `\operatorname{{sigmoid}}(..)`", False)  # fmt: skip
        if depends is None or found is None or not found.is_sign("("):
            return made
        start = self.pos
        inside = self.bracket_range()
        try:
            groups = self.argument_list(*inside)
        except Slip:
            groups = []
        names = [x.tree.name if isinstance(x.tree, t.Name) else "" for g in groups for x in g]
        if names and all(n in depends for n in names):
            return self.postfix(made)
        trees = [x.tree for g in groups for x in g]
        inside_names = {n for e in trees for n in names_of(e)}
        alone = len(trees) == 1 and isinstance(trees[0], (t.Name, t.Number))
        if (alone or inside_names & depends) and name not in inside_names:
            raise self.slip(f"`{name}(..)` at other values is not read, and as a product it has two readings", made.span,
                            f"write `{name} \\cdot (..)`", False)  # fmt: skip
        self.pos = start
        return made

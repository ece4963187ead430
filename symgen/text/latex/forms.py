"""The forms of mathematics: fractions, roots, brackets, functions, derivatives, matrices, cases."""

from __future__ import annotations

from symgen.text import tree as t
from symgen.text.latex import items
from symgen.text.latex.complex_parts import ComplexParts
from symgen.text.latex.items import Item
from symgen.text.latex.parser import fraction
from symgen.text.latex.rows import has_relation
from symgen.text.latex.tokens import Slip, Token
from symgen.text.latex.vocabulary import (
    ACCENTS,
    BARS,
    BIG,
    CLOSING,
    DOTS,
    FUNCTION_WORDS,
    FUNCTIONS,
    LETTERS,
    LIMITS,
    OPENING,
    RELATIONS,
    WORDS,
)
from symgen.text.tree import Span

__all__ = ["Parser"]

FRACTIONS = frozenset("frac dfrac tfrac cfrac nicefrac sfrac".split())
MAX_LETTERS = 100


class Parser(ComplexParts):
    """Reads one formula."""

    def whole(self) -> Item:
        """All tokens as one expression."""
        made = items.closed(self.expression())
        self.finished()
        return made

    def factor(self) -> Item:
        self.deeper()
        made = self.one_factor()
        while (found := self.peek()) is not None and found.is_sign("!") and not found.side:
            made = self.factorial(made)
        self.nesting -= 1
        return made

    def one_factor(self) -> Item:
        token = self.next()
        start = self.pos - 1
        if token.kind == "number":
            return self.number(token)
        if token.kind == "letters":
            return self.letters(token)
        if token.kind in ("word", "text"):
            return self.word(token)
        if token.kind == "begin":
            return self.environment(token)
        if token.text in BARS and token.kind in ("sign", "command"):
            return self.bars(token)
        if token.is_sign("{"):
            return self.braces(start)
        if token.kind in ("sign", "command") and token.text in OPENING or token.is_sign("nothing") and token.side == "<":
            return self.bracket(token)
        if token.kind == "command":
            return self.command(token)
        if token.is_sign("_", "^") and self.symbols is None:  # {}_1 F, left scripts
            self.group()
            return self.factor()
        if token.is_sign("-", "+"):
            made = self.factor()
            return made if token.text == "+" else items.added([(-1, made)], self.shape)
        if self.symbols is None and token.is_sign("!", "@", "?", "'", "&", ".", '"', "`"):
            return Item(t.Name(token.text, span=token.span))
        closing = token.text in CLOSING or token.side == ">"
        raise self.slip(f"`{token.text}` {'closes nothing' if closing else 'is out of place'}", token.span)

    def number(self, token: Token) -> Item:
        if len(token.text) > 400:
            raise self.slip(f"a number of {len(token.text):,} digits", token.span)
        value = fraction(token.text) if token.text[0].isdigit() or token.text[0] == "." else None
        if value is None:
            raise self.slip(f"`{token.text}` is no number", token.span)
        self.check_number(token)
        if token.side and self.symbols is not None and value in (0, 1):  # \mathbf{1}, \mathbf{0}
            if value == 1:
                return self.indicator(token)
            shape = self.sizes_below()
            if shape:
                return self.postfix(Item(t.Call("zeros", shape, span=token.span, name_span=token.span), len(shape)))
            return self.postfix(Item(items.number(0, token.span), None if self.symbols is None else 1, hole="ones"))
        return self.postfix(Item(t.Number(value, token.text, span=token.span), 0 if self.symbols is not None else None))

    def check_number(self, token: Token) -> None:
        """`1e-3`, `2 3` and `x2` are not what they look like."""
        if self.symbols is None or token.depth or token.side:
            return
        k = self.pos
        before = self.tokens[k - 2] if k > 1 else None
        joined = before is not None and before.end == token.start and not before.side
        if before is not None and (before.kind == "number" or joined and before.kind == "letters" and before.text != "d"):
            takes = FRACTIONS | {"binom"} if before.kind == "letters" else FRACTIONS | {"sqrt", "binom"}
            if not (k > 2 and self.tokens[k - 3].command in takes):  # \frac12, \frac k2
                span = Span(before.start, token.end)
                raise self.slip("a number right after another sign has two readings", span,
                                r"write `^{..}`, `_{..}` or `\cdot`", False)  # fmt: skip
        after = self.tokens[k : k + 3]
        if after and after[0].kind == "letters" and after[0].text in ("e", "E") and after[0].start == token.end:
            signed = len(after) > 2 and after[1].is_sign("-", "+") and after[1].start == after[0].end
            digits = after[2] if signed else after[1] if len(after) > 1 else None
            if digits is not None and digits.kind == "number" and digits.start == (after[1].end if signed else after[0].end):
                span = Span(token.start, digits.end)
                raise self.slip("`e` after a number has two readings", span, r"write `\times 10^{..}`", False)

    def indicator(self, token: Token) -> Item:
        """The vector of ones, or the indicator of a condition: \\mathbf{1}[i = j]."""
        found = self.peek()
        span = token.span
        opens = found is not None and (found.is_sign("[", "(") or found.text == "\\{")
        if opens and has_relation(self.tokens[slice(*self.look_inside())]):
            groups = self.argument_list(*self.bracket_range())
            if len(groups) == 1 and len(groups[0]) == 1 and isinstance(groups[0][0].tree, t.Comparison):
                one, zero = items.number(1, span), items.number(0, span)
                return self.postfix(Item(t.Call("where", (groups[0][0].tree, one, zero), span=span), 0))
            raise self.slip(r"`\mathbf{1}` before a bracket has two readings", span, malformed=False)
        if found is not None and found.is_sign("_"):
            script = self.scripts()
            size = self.indices(script.low, None, numbers=True)
            if len(size) == 1 and not isinstance(size[0], t.Comparison):
                return self.powers(Item(t.Call("ones", size, span=span), 1), script)
            if len(size) == 1:
                return Item(t.Call("where", (size[0], items.number(1, span), items.number(0, span)), span=span), 0)
        return self.postfix(Item(items.number(1, span), 1, hole="ones"))

    # --- names

    def letters(self, token: Token) -> Item:
        text = token.text
        if len(text) > MAX_LETTERS:
            raise self.slip(f"{len(text):,} letters side by side are no formula", token.span)
        after = self.peek()
        called = after is not None and (after.is_sign("(", "[", "{") or after.side == "<")
        if token.side in ("mathbb", "mathds", "mathbbm") and len(text) == 1:
            found = self.blackboard(token)
            if found is not None:
                return found
        if len(text) > 1:
            declared = self.symbols is not None and self.symbols.declares(text)
            if not declared and text in WORDS and (called or text in FUNCTIONS and len(text) > 2 and not token.side):
                return self.word(token)
            if self.symbols is None and called and len(text) > 2:
                return self.word(token)
            pieces = self.symbols.pieces(text) if self.symbols is not None else list(text)
            if len(pieces) > 1:
                at = token.start
                made: Item | None = None
                for k, piece in enumerate(pieces):
                    span = Span(at, at + len(piece)) if token.end - token.start == len(text) else token.span
                    at += len(piece)
                    last = k == len(pieces) - 1
                    one = self.single(piece, span, token.side) if last else self.bare_name(piece, span)
                    made = one if made is None else items.multiplied(made, "", one)
                assert made is not None
                return made
        if text == "E" and called and not (self.symbols is not None and self.symbols.declares("E")):
            if self.symbols is not None or after is not None and after.is_sign("["):
                return self.expectation("E", token)
        below = [x.text for x in self.tokens[self.pos : self.pos + 5]]
        integral = below[:3] == ["_", "1", "("] or below == ["_", "{", "1", "}", "("]  # E_1(x)
        declared = self.symbols is not None and (
            self.symbols.declares("E") or any("E" + x in self.symbols.by_letters for x in below[1:3])
        )
        if text == "E" and after is not None and after.is_sign("_") and not integral and not declared:
            k, nesting = self.pos, self.nesting
            try:
                return self.expectation("E", token)
            except Slip:
                if self.symbols is not None:
                    raise
                self.pos, self.nesting, self.closers = k, nesting, []
        return self.single(text, token.span, token.side)

    def single(self, base: str, span: Span, font: str) -> Item:
        if self.symbols is not None and base in self.symbols.families and font in ("mathcal", "mathscr"):
            after = self.peek()
            if self.symbols.families[base] == "Normal" and after is not None and (after.is_sign("(") or after.side == "<"):
                inside = self.look_inside()
                if any(x.is_sign(";", "|") or x.command in ("mid", "vert") for x in self.tokens[slice(*inside)]):
                    return self.normal_density(span)
            if not self.symbols.declares(base):
                raise self.slip("a distribution stands here, and not a number", span, "declare it with `dist` in the spec", False)
        found = self.divergence_letter(base, span, font)
        return found if found is not None else self.name(base, span)

    def bare_name(self, piece: str, span: Span) -> Item:
        """A name in a run of letters: no script stands at it."""
        if self.symbols is None:
            return Item(t.Name(piece, span=span))
        if piece in self.bound:
            return self.index_item(piece, span)
        name = self.symbols.find(piece)
        if name is None:
            if piece in ("e", "pi"):
                return Item(t.Name(piece, span=span), 0)
            if piece == "I":
                return Item(items.number(1, span), 2, hole="eye")
            if self.as_index:
                self.state.free.setdefault(piece, span)
                return Item(t.Name(piece, span=span), 0)
            if piece in self.local:  # drawn here
                return Item(t.Name(piece, span=span), len(self.local[piece]))
            self.undeclared(piece, span)
            return Item(t.Name(piece, span=span), None)
        return self.item(t.Name(name, span=span))

    def word(self, token: Token) -> Item:
        """\\mathrm{KL}, \\operatorname{tr}, \\text{loss}: a name, a function, a distribution."""
        word = " ".join(token.text.split())
        name = word.replace(" ", "_").replace("-", "_").strip("_.,:")
        if not name:
            return Item(t.Name("text", span=token.span))
        symbols = self.symbols
        if symbols is not None:
            declared = symbols.find(name)
            after = self.peek()
            low = after is not None and after.is_sign("_")
            if declared is not None or low and symbols.find(name, ()) is not None:
                return self.name(name, token.span)
            if low:
                at = self.pos
                script = self.scripts()
                words = self.words_of(script.low) if script.low is not None else None
                self.pos = at
                if words and symbols.find(name, words) is not None:
                    return self.name(name, token.span)
        function = FUNCTION_WORDS.get(word) or FUNCTIONS.get(word)
        found = self.complex_part(word, token)
        if found is not None:
            return found
        if word in ("d", "D") and token.kind == "word" or word == "e":
            return self.single(word, token.span, "mathrm")
        if function in ("argmin", "argmax", "max", "min", "sup", "infimum", "arginf", "argsup", "limit"):
            return self.limit(function, token)
        found = self.probability_word(function or name, token)
        if found is not None:
            return found
        if function is not None:
            return self.function(function, token)
        after = self.peek()
        if symbols is not None and not (after is not None and (after.is_sign("(", "[", "_") or after.side == "<")):
            self.undeclared(name, token.span)
            return self.postfix(Item(t.Name(name, span=token.span), None))
        if symbols is None and not (after is not None and after.is_sign("(", "[", "_", "^")):
            return Item(t.Name(name, span=token.span))
        if symbols is None:
            return self.name(name, token.span)
        if name == "Pr":
            raise self.slip("a probability of an event is not read", token.span, malformed=False)
        if not symbols.built_in(name):
            self.undeclared(name, token.span)
        return self.function(name, token)

    # --- brackets

    def bracket_range(self) -> tuple[int, int]:
        """The range inside the bracket that opens at the position, which goes behind it."""
        opener = self.next()
        start = self.pos
        closes = self.closing_of(self.pos - 1)
        self.pos = closes + 1
        _ = opener
        return start, closes

    def closing_of(self, k: int) -> int:
        """The position of what closes the bracket at k. Raises Slip."""
        opener = self.tokens[k]
        sided = opener.side == "<"
        depth: list[Token] = []
        j = k
        while j < self.end:
            x = self.tokens[j]
            if x.side == "<" or (not x.side and x.kind in ("sign", "command") and x.text in OPENING) or x.is_sign("{"):
                depth.append(x)
            elif x.side == ">" or (not x.side and x.kind in ("sign", "command") and x.text in CLOSING) or x.is_sign("}"):
                if depth and depth[-1].is_sign("{") != x.is_sign("}"):
                    last = depth[-1]
                    raise Slip(f"`{x.text}` does not close `{last.text}`", x.start, x.end, "closed here",
                               other=(last.start, last.end, "opened here"))  # fmt: skip
                if not depth:
                    break
                last = depth.pop()
                if not last.side and not x.side and CLOSING.get(x.text) != last.text and not x.is_sign("}"):
                    if not self.is_interval(last, x):
                        raise Slip(f"`{x.text}` does not close `{last.text}`", x.start, x.end, "closed here",
                                   other=(last.start, last.end, "opened here"))  # fmt: skip
                if not depth:
                    return j
            j += 1
        shown = f"\\left{opener.text}" if sided else opener.text
        raise self.slip(f"`{shown}` is never closed", opener.span)

    def is_interval(self, opener: Token, closer: Token) -> bool:
        return self.symbols is None and opener.text in "([" and closer.text in ")]"

    def bracket(self, token: Token) -> Item:
        """(..), [..], \\{..\\}, floors: an expression, or a list."""
        self.pos -= 1
        first = self.pos
        inside = self.bracket_range()
        span = self.spanned(first)
        closer = self.tokens[inside[1]]
        if token.is_sign("nothing") or closer.is_sign("nothing") or closer.text in BARS:
            return self.evaluated(inside, closer, span)
        if token.text == "\\lfloor":
            with self.within(*inside):
                made = self.whole()
            return self.postfix(items.applied("floor", made, span, span))
        if token.text == "\\lceil" and self.symbols is not None:
            with self.within(*inside):
                made = self.whole()
            below = items.applied("floor", items.added([(-1, made)], self.shape), span, span)
            return self.postfix(items.added([(-1, below)], self.shape))
        if token.text == "\\langle" and self.symbols is not None:
            return self.postfix(self.inner_product(inside, span))
        empty = inside[0] >= inside[1]
        if empty:
            if self.symbols is not None:
                raise self.slip("a bracket holds nothing", span)
            return self.postfix(Item(t.Name("()", span=span)))
        if self.symbols is not None:
            return self.postfix(self.bracketed(inside, span))
        groups = self.argument_list(*inside)
        flat = [x for g in groups for x in g]
        if len(flat) == 1 and len(groups) == 1:
            return self.postfix(Item(flat[0].tree))
        return self.postfix(Item(t.ListOf(tuple(x.tree for x in flat), span=span)))

    def inner_product(self, inside: tuple[int, int], span: Span) -> Item:
        """\\langle x, y \\rangle of two vectors, or of two matrices."""
        at = self.pos
        groups = self.argument_list(*inside)
        self.pos = at
        flat = [items.closed(x) for x in groups[0]]
        ranks = {x.rank for x in flat}
        if len(groups) != 1 or len(flat) != 2 or len(ranks) != 1 or not ranks <= {1, 2}:
            raise self.slip("these angle brackets are not read", span, r"`\langle x, y \rangle` is an inner product", False)
        if ranks == {1}:
            return Item(t.Factors(flat[0].tree, (("@", flat[1].tree),), span=span), 0)
        product = t.Factors(flat[0].tree, (("*", flat[1].tree),), span=span)
        return Item(t.Call("sum", (product,), span=span, name_span=span), 0)

    def bracketed(self, inside: tuple[int, int], span: Span) -> Item:
        """With a spec: one expression, a list [a, b] of numbers, or arrays one after the other, [a; b]."""
        at = self.pos
        with self.within(*inside):
            made = self.expression()
            if self.peek() is None:
                self.pos = at
                return made
        groups = self.argument_list(*inside)
        self.pos = at
        flat = [items.closed(x) for g in groups for x in g]
        stacked = len(groups) > 1 and all(len(g) == 1 for g in groups)
        stacked = stacked and all(self.tokens[k].text not in BARS for k in range(*inside)) and self.tokens[inside[1]].text == "]"
        if len(groups) > 1 and not stacked or any(isinstance(x.tree, t.Comparison) for x in flat):
            raise self.slip("this bracket has no meaning in symgen", span, malformed=False)
        if all(x.rank == 0 for x in flat):
            return Item(t.ListOf(tuple(x.tree for x in flat), span=span), 1)
        if not stacked or any(x.rank != 1 for x in flat):
            raise self.slip("arrays side by side have two readings", span, "`[a; b]` is one vector after the other", False)
        return Item(t.Call("concat", tuple(x.tree for x in flat), span=span, name_span=span), 1)

    def evaluated(self, inside: tuple[int, int], closer: Token, span: Span) -> Item:
        """\\left. f \\right|_{x = a}; \\left\\{ .. \\right. around cases or equations."""
        rows = any(x.kind == "row" or x.is_sign("&") for x in self.tokens[slice(*inside)])
        if closer.text in BARS:
            if self.symbols is not None:
                with self.within(*inside):
                    made = self.whole()
                return self.postfix(self.at_point(made))
            with self.within(*inside):
                made = Item(self.loose())
            return self.postfix(made)
        if self.symbols is not None and not rows:
            with self.within(*inside):
                return self.whole()
        if self.symbols is not None:
            raise self.slip("a system of equations is not read", span, malformed=False)
        groups = self.argument_list(*inside)
        return self.postfix(Item(t.ListOf(tuple(x.tree for g in groups for x in g), span=span)))

    def chosen(self, n: t.Expression, k: t.Expression, span: Span) -> Item:
        """n over k, by the gamma function: n! is gamma(n + 1)."""
        if self.symbols is None:
            return Item(t.Call("binomial", (n, k), span=span))
        one = items.number(1, span)

        def factorial(*terms: tuple[int, t.Expression]) -> t.Expression:
            return t.Call("gamma", (t.Terms((*terms, (1, one)), span=span),), span=span)

        below = (("/", factorial((1, k))), ("/", factorial((1, n), (-1, k))))
        return Item(t.Factors(factorial((1, n)), below, span=span), 0)

    def braces(self, start: int) -> Item:
        self.pos = start
        inside = self.group()
        choose = next((k for k in range(*inside) if self.tokens[k].command == "choose"), None)
        if choose is not None:
            pair = (self.part(inside[0], choose).tree, self.part(choose + 1, inside[1]).tree)
            return self.postfix(self.chosen(*pair, self.spanned(start)))
        over = next((k for k in range(*inside) if self.tokens[k].command == "over"), None)
        if over is not None:
            return self.postfix(self.quotient(self.part(inside[0], over), self.part(over + 1, inside[1]), self.spanned(start)))
        if inside[0] >= inside[1]:
            after = self.peek()
            if after is not None and after.is_sign("_", "^"):
                if self.symbols is not None:
                    found = self.hypergeometric(start)
                    if found is not None:
                        return found
                    raise self.slip("a script stands at an empty group", after.span, r"write `(A^\top)^{-1}`", False)
                self.scripts()
            if self.peek() is not None and self.begins_factor(self.tokens[self.pos]):
                return self.factor()
            return Item(t.Number(fraction("1"), span=self.spanned(start)), 0)
        if self.symbols is None:
            groups = self.argument_list(*inside)
            flat = [x for g in groups for x in g]
            return self.postfix(flat[0] if len(flat) == 1 else Item(t.ListOf(tuple(x.tree for x in flat))))
        with self.within(*inside):
            made = self.expression()
            self.finished()
        return self.postfix(made)

    # --- commands

    def command(self, token: Token) -> Item:
        name = token.command
        start = self.pos - 1
        if name in FRACTIONS:
            return self.fraction(start)
        if name in ("sqrt",):
            return self.root(start)
        if name in BIG:
            return self.big(BIG[name], token)
        if name in LIMITS and not (name == "inf" and self.symbols and self.symbols.declares("inf")):
            return self.limit(LIMITS[name], token)
        if name == "Gamma" and not (self.symbols is not None and self.symbols.declares("Gamma")):
            after = self.peek()
            if after is not None and (after.is_sign("(") or after.side == "<"):
                return self.function("gamma", token)
        if name == "nabla":
            return self.gradient(token)
        if name == "partial" and self.peek() is not None and self.tokens[self.pos].is_sign("_") and self.symbols:
            return self.partial(token)
        if name in ACCENTS:
            return self.accented(token)
        if name in ("binom", "dbinom", "tbinom", "choose"):
            above, below = self.group(), self.group()
            trees = (self.part(*above).tree, self.part(*below).tree)
            return self.postfix(self.chosen(*trees, self.spanned(start)))
        if name in DOTS:
            self.informal(f"`{token.text}` leaves terms out", token.span)
            return self.postfix(Item(t.Name("dots", span=token.span)))
        if name in FUNCTIONS and not (self.symbols is not None and self.symbols.declares(name)):
            return self.function(FUNCTIONS[name], token)
        if name in LETTERS:
            return self.single(LETTERS[name], token.span, token.side)
        if name in RELATIONS and self.symbols is not None:
            raise self.slip(f"`{token.text}` is out of place", token.span)
        if name in FUNCTION_WORDS or name in ("Pr", "E", "KL", "Expect", "EE"):
            return self.word(Token("word", name, token.start, token.end, "operatorname"))
        if name in ("forall", "exists", "neg", "lnot", "dag", "prime", "angle", "triangle", "square", "Box", "dagger"):
            return self.name(name, token.span)
        if name == "#" or name in ("%", "$", "_", "&"):
            return Item(t.Name(name, span=token.span))
        if not name.isalpha():
            raise self.slip(f"`{token.text}` is out of place", token.span)
        return self.name(name, token.span)

    def accented(self, token: Token) -> Item:
        accent = ACCENTS[token.command]
        a, b = self.group()
        inner = [x for x in self.tokens[a:b] if not x.is_sign("{", "}")]
        span = self.spanned(self.pos - 1)
        span = Span(token.start, span.end)
        accents = [accent] if accent else []
        while inner and inner[0].command in ACCENTS:
            accents += [ACCENTS[inner[0].command]] if ACCENTS[inner[0].command] else []
            inner = inner[1:]
        base = None
        if inner and (inner[0].kind in ("letters", "word", "text") or inner[0].command in LETTERS):
            base = LETTERS.get(inner[0].command, inner[0].text)
        if base is not None and len(inner) == 1:
            return self.name(base.replace(" ", "_"), span, accents)
        if base is not None and len(inner) >= 3 and inner[1].is_sign("_"):  # \hat{x_0}
            words = self.words_of((a + (len(self.tokens[a:b]) - len(inner)) + 2, b)) if len(inner) < 6 else None
            if words is not None and (self.symbols is None or self.symbols.find(base, [*accents, *words])):
                return self.name("_".join([base, *words]), span, accents)
        if self.symbols is not None and accents:
            raise self.slip(f"`{token.text}` over more than a name", span, malformed=False)
        return self.postfix(self.part(a, b))

    def part(self, start: int, end: int) -> Item:
        """An argument as an expression of its own."""
        if start >= end:
            raise self.slip("an argument is empty", self.tokens[max(0, start - 1)].span)
        with self.within(start, end):
            if self.symbols is None:
                made = self.side()
                while self.pos < self.end:
                    before = self.pos
                    if (
                        self.tokens[before].kind == "sign"
                        and self.tokens[before].text in ",;:.|&!*/"
                        or (self.tokens[before].kind == "row" or self.parts_arguments(self.tokens[before]))
                    ):
                        self.pos += 1
                    else:
                        self.side()
                    if self.pos == before:
                        raise self.slip(f"`{self.tokens[before].text}` is out of place", self.tokens[before].span)
                return Item(made.tree)
            made = self.expression()
            self.finished()
            return made

    def fraction(self, start: int) -> Item:
        a, b = self.group()
        c, d = self.group()
        span = self.spanned(start)
        derivative = self.derivative(a, b, c, d, span)
        if derivative is not None:
            return derivative
        return self.postfix(self.quotient(self.part(a, b), self.part(c, d), span))

    def quotient(self, above: Item, below: Item, span: Span) -> Item:
        made = items.multiplied(above, "/", below)
        tree = t.Factors(above.tree, (("/", items.closed(below).tree),), span=span)
        return Item(tree, made.rank, made.row, made.hole)

    def root(self, start: int) -> Item:
        degree = None
        found = self.peek()
        if found is not None and found.is_sign("["):
            inside = self.bracket_range()
            degree = self.part(*inside)
        made = items.closed(self.part(*self.group()))
        span = self.spanned(start)
        if degree is not None:
            power = t.Factors(items.number(1, span), (("/", degree.tree),), span=span)
            return self.postfix(Item(t.Power(made.tree, power, span=span), made.rank))
        return self.postfix(items.applied("sqrt", made, span, span))

"""Distributions on paper: expectations, divergences, entropies, families with their parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symgen.text import tree as t
from symgen.text.latex import items
from symgen.text.latex.items import Item
from symgen.text.latex.parser import Script
from symgen.text.latex.rows import relation_of
from symgen.text.latex.tokens import Token
from symgen.text.latex.unsaid import Unsaid
from symgen.text.latex.vocabulary import BARS
from symgen.text.tree import Span

__all__ = ["Laws"]

# words of divergences: symgen's name, and how many sides
DIVERGENCES = {
    "KL": ("KL", 2), "D_KL": ("KL", 2), "JS": ("JS", 2), "tv": ("tv", 2), "H": ("entropy", 1), "entropy": ("entropy", 1),
    "Ent": ("entropy", 1), "CE": ("cross_entropy", 2), "chi2": ("chi2", 2),
}  # fmt: skip
# functions that are a letter on paper
LETTER_FUNCTIONS = {
    ("sigma", ""): "sigmoid", ("Gamma", ""): "gamma", ("psi", ""): "digamma", ("B", ""): "beta", ("psi", "1"): "trigamma",
    ("E", "1"): "E1", ("zeta", ""): "zeta",
}  # fmt: skip
# functions that are a letter with an order below, or with so many arguments: the letter, whether it has an order, the count
ORDERED_FUNCTIONS = {
    ("I", True, 1): "besseli", ("K", True, 1): "besselk", ("I", True, 2): "ibeta", ("P", False, 2): "igamma",
    ("U", False, 3): "hyperu",
}  # fmt: skip
HYPERGEOMETRIC = {("1", "1"): ("hyp1f1", 3), ("2", "1"): ("hyp2f1", 4)}


class Laws(Unsaid):
    """Reads what is over a distribution."""

    def is_random(self, name: str) -> bool:
        """Whether a distribution of the spec is over this name."""
        return self.symbols is not None and any(name in law.variables for law in self.symbols.laws.values() if law.is_density)

    # --- expectations

    def blackboard(self, token: Token) -> Item | None:
        """\\mathbb{E}, \\mathbb{V}, \\mathbb{1}, \\mathbb{KL}"""
        if token.text == "E":
            return self.expectation("E", token)
        if token.text == "V":
            return self.expectation("Var", token)
        if token.text == "H":
            return self.divergence("entropy", 1, token)
        if token.text == "P" and self.symbols is not None and self.is_event():
            raise self.slip("a probability of an event is not read", token.span, malformed=False)
        if token.text == "I" and self.symbols is not None:
            return self.indicator(token)
        return None

    def is_event(self) -> bool:
        """Whether a bracket with a relation in it comes next: [x > 0]."""
        found = self.peek()
        opens = found is not None and (found.is_sign("[", "(") or found.text == "\\{" or found.side == "<")
        return opens and any(relation_of(x) in ("<", "<=", ">", ">=", "=") for x in self.tokens[slice(*self.look_inside())])

    def indicator(self, token: Token) -> Item:
        raise NotImplementedError

    def probability_word(self, word: str, token: Token) -> Item | None:
        """KL, Var, Cov, entropy and the families, as words."""
        if word in ("E", "Var", "Cov"):
            return self.expectation(word, token)
        if word in DIVERGENCES:
            name, sides = DIVERGENCES[word]
            return self.divergence(name, sides, token)
        if self.symbols is not None and word in self.symbols.families:
            raise self.slip("a distribution stands here, and not a number", token.span, "declare it with `dist` in the spec", False)
        return None

    def expectation(self, kind: str, token: Token) -> Item:
        start = self.pos - 1
        script = self.scripts()
        specs: list[t.IndexSpec | t.Draw] = []
        outside = dict(self.local)
        plain = self.symbols is None
        under: list[t.Expression] = []
        if script.low is not None:
            if plain:
                under = list(self.indices(script.low))
            else:
                specs.extend(self.draws(script.low))
        if script.high is not None and plain:
            under.extend(self.indices(script.high))
        try:
            found = self.peek()
            bracket = found is not None and (found.is_sign("[", "(") or found.text == "\\{" or found.side == "<")
            if bracket:
                inside = self.bracket_range()
                if plain:
                    groups = self.argument_list(*inside)
                    trees = tuple(x.tree for g in groups for x in g)
                else:
                    names = [n for s in specs if isinstance(s, t.Draw) for n in s.names]
                    before, self.outer_draws = self.outer_draws, (*self.outer_draws, *names)
                    try:
                        trees, given = self.drawn_values(inside, bool(specs))
                    finally:
                        self.outer_draws = before
                    if not specs:
                        trees = tuple(self.in_small_letters(e) for e in trees)
                        specs = self.unsaid(trees, given, token)
            elif plain and (found is None or not self.begins_factor(found)):
                return Item(t.Name(kind, span=token.span))
            else:
                names = [n for s in specs if isinstance(s, t.Draw) for n in s.names]
                if not specs:
                    self.unsaid((), (), token)
                trees = (items.closed(self.body(names)).tree,)
        finally:
            self.local = outside
        span = self.spanned(start)
        if plain:
            return self.postfix(Item(t.Call(kind, (*trees, *under), span=span)))
        if len(trees) != (2 if kind == "Cov" else 1):
            raise self.slip(f"`{token.text}` of {len(trees)} values", span)
        made = t.Binder(kind, tuple(specs), trees, span=span, name_span=token.span)
        self.local, outside = {**self.local, **self.drawn_shapes(specs)}, self.local
        rank = self.rank(trees[0])
        self.local = outside
        item = Item(made, rank if kind == "E" else None if rank is None else 0 if rank == 0 else 2)
        return self.postfix(item) if bracket else item

    def unsaid(self, trees: Sequence[t.Expression], given: Sequence[str], token: Token) -> list[t.IndexSpec | t.Draw]:
        draw = self.unsaid_draw(trees, given, token.span)
        if draw is None:
            raise self.slip(f"`{token.text}` does not say what is drawn", token.span, r"write `\mathbb{E}_{x \sim p}[..]`", False)
        return [draw]

    def drawn_values(self, inside: tuple[int, int], said: bool) -> tuple[tuple[t.Expression, ...], tuple[str, ...]]:
        """The values in brackets, and where nothing says what is drawn, the names behind a bar."""
        groups = self.argument_list(*inside)
        if not said and len(groups) == 2 and all(isinstance(x.tree, t.Name) for x in groups[1]):
            behind = [self.as_drawn(x.tree.name) for x in groups[1] if isinstance(x.tree, t.Name)]
            if all(n is not None for n in behind):
                for x in groups[1]:
                    self.state.undeclared.pop(x.tree.name if isinstance(x.tree, t.Name) else "", None)
                return tuple(items.closed(x).tree for x in groups[0]), tuple(n for n in behind if n is not None)
        flat = [items.closed(x).tree for g in groups for x in g]
        if len(groups) > 1 or any(isinstance(x, t.Comparison) for x in flat):
            raise self.slip("a conditional expectation is not read", self.tokens[inside[0]].span,
                            r"write `\mathbb{E}_{x \sim p(x \mid z)}[..]`", False)  # fmt: skip
        return tuple(flat), ()

    def body(self, names: list[str]) -> Item:
        raise NotImplementedError

    def drawn_shapes(self, specs: list[t.IndexSpec | t.Draw]) -> dict[str, items.Shape]:
        found: dict[str, items.Shape] = {}
        for s in specs:
            if isinstance(s, t.Draw) and self.symbols is not None:
                for n in s.names:
                    shape = self.symbols.shapes.get(n)
                    if shape is None and isinstance(s.law, t.Call) and s.law.arguments:
                        shape = self.shape(s.law.arguments[0])
                    if shape is None and isinstance(s.law, t.Call) and s.law.function in self.symbols.families.values():
                        shape = ()
                    if shape is not None:
                        found[n] = shape
        return found

    def draws(self, low: tuple[int, int]) -> list[t.Draw]:
        """x \\sim p, z \\sim q(z | x), q(z | x), q."""
        out: list[t.Draw] = []
        with self.within(*low):
            while self.pos < self.end:
                if self.tokens[self.pos].is_sign(",") or self.tokens[self.pos].kind == "row":
                    self.pos += 1
                    continue
                out.append(self.one_draw())
                self.local.update(self.drawn_shapes([out[-1]]))
        if not out:
            raise self.slip("an expectation does not say what is drawn", self.tokens[low[0] - 1].span, malformed=False)
        return out

    def one_draw(self) -> t.Draw:
        start = self.pos
        tilde = next((k for k in range(self.pos, self.end) if relation_of(self.tokens[k]) == "~"), None)
        comma = next((k for k in range(self.pos, self.end) if self.tokens[k].is_sign("(")), self.end)
        if tilde is not None and tilde < comma:
            names = self.drawn_names(start, tilde)
            self.pos = tilde + 1
            law = self.law_side(names)
            return t.Draw(tuple(names), law, span=self.spanned(start))
        law = self.law_side([])
        span = self.spanned(start)
        if isinstance(law, t.Call) and self.law(law.function) is not None:
            names = [a.name for a in law.arguments if isinstance(a, t.Name)]
            if len(names) == len(law.arguments):
                return t.Draw(tuple(names), law, span=span)
        if isinstance(law, t.Name):
            known = self.law(law.name)
            if known is not None and known.variables:
                return t.Draw(known.variables, law, span=span)
            alone = self.as_drawn(law.name)
            unsaid = self.law_of([alone], [], span) if alone is not None else None
            if unsaid is not None and alone is not None:
                return t.Draw((alone,), unsaid, span=span)
            self.undeclared(law.name, law.span)
            return t.Draw((law.name,), law, span=span)
        raise self.slip("what is drawn is not named", span, r"write `x \sim ..`", False)

    def drawn_names(self, start: int, end: int) -> list[str]:
        names: list[str] = []
        with self.within(start, end):
            while self.pos < self.end:
                if self.tokens[self.pos].is_sign(",", "(", ")"):
                    self.pos += 1
                    continue
                before = dict(self.state.undeclared)
                made = self.factor().tree
                self.state.undeclared = before  # a drawn name is bound here
                if not isinstance(made, t.Name):
                    raise self.slip("what is drawn is a name", made.span, malformed=False)
                names.append(made.name)
        return names

    # --- laws

    def law_side(self, names: list[str]) -> t.Expression:
        """q, q(z | x), or a family with its parameters."""
        found = self.peek()
        if found is None:
            raise self.missing("a distribution")
        assert self.symbols is not None
        head = self.family_head(found)
        if head is not None:
            self.pos += 1
            self.drawn_as = names
            return self.family(head, found).tree
        self.law_wanted = True
        try:
            return self.factor().tree
        finally:
            self.law_wanted = False

    drawn_as: Sequence[str] = ()

    def family_head(self, found: Token) -> str | None:
        assert self.symbols is not None
        after = self.peek(1)
        if after is None or not (after.is_sign("(", "[")):
            return None
        key = found.text if found.kind in ("word", "text") or found.side in ("mathcal", "mathscr") else None
        if found.kind == "letters" and found.text in ("N", "U") and not self.symbols.declares(found.text):
            key = found.text
        if key is None or self.symbols.find(key) is not None and found.side not in ("mathcal", "mathscr"):
            return None
        return self.symbols.families.get(key.strip())

    def family(self, name: str, token: Token) -> Item:
        """\\mathcal{N}(\\mu, \\sigma^2): a Normal is written with its variance on paper."""
        start = self.pos - 1
        names, self.drawn_as = self.drawn_as, ()
        groups_at = self.pos
        inside = self.bracket_range()
        separators = [x for x in self.tokens[slice(*inside)] if x.is_sign(";", "|") or x.command == "mid"]
        groups = self.argument_list(*inside)
        span = self.spanned(start)
        if separators and len(groups) > 1:
            raise self.slip("the density of a family at a point is not read", span, "name it with `dist` in the spec", False)
        flat = [x for g in groups for x in g]
        if name == "Normal" and len(flat) == 2:
            return Item(self.normal(flat[0], flat[1], names, span, token.span), None)
        trees = tuple(items.closed(x).tree for x in flat)
        _ = groups_at
        return Item(t.Call(name, trees, span=span, name_span=token.span), None)

    def normal(self, mean: Item, variance: Item, names: Sequence[str], span: Span, name_span: Span) -> t.Expression:
        shape = self.shape(t.Name(names[0])) if names and self.symbols is not None else None
        zero = isinstance(mean.tree, t.Number) and mean.tree.value == 0
        where = mean.tree
        if variance.rank == 2 and not variance.hole:
            diagonal = variance.tree
            if isinstance(diagonal, t.Call) and diagonal.function == "diag":
                where = self.centre(mean, diagonal.arguments[0], zero, span)
                return self.with_variance(where, diagonal.arguments[0], span, name_span)
            where = self.centre(mean, diagonal, zero, span)
            return t.Call("MvNormal", (where, variance.tree), span=span, name_span=name_span)
        if variance.hole == "eye":
            if zero and not shape:
                raise self.slip("the length of this mean is not clear", mean.span, "name the variable: `z \\sim ..`", False)
            if zero and shape:
                where = t.Call("zeros", tuple(x for x in shape if x is not None), span=mean.span)
            return self.with_variance(where, variance.tree, span, name_span)
        return self.with_variance(where, items.closed(variance).tree, span, name_span)

    def centre(self, mean: Item, like: t.Expression, zero: bool, span: Span) -> t.Expression:
        shape = self.shape(like)
        if zero and shape and shape[-1] is not None:
            return t.Call("zeros", (shape[-1],), span=mean.span)
        return mean.tree

    def with_variance(self, mean: t.Expression, variance: t.Expression, span: Span, name_span: Span) -> t.Expression:
        """Normal(m, s) where the variance is written s^2, else Normal(m, var=v)."""
        if isinstance(variance, t.Number) and variance.value == 1:
            return t.Call("Normal", (mean, variance), span=span, name_span=name_span)
        if isinstance(variance, t.Power) and isinstance(variance.exponent, t.Number) and variance.exponent.value == 2:
            return t.Call("Normal", (mean, variance.base), span=span, name_span=name_span)
        word = t.Keyword("var", variance, span=variance.span)
        return t.Call("Normal", (mean,), (word,), span=span, name_span=name_span)

    def normal_density(self, span: Span) -> Item:
        """\\mathcal{N}(x; m, v), its density at x, where v is the variance, a multiple of I, or the covariance."""
        start = self.pos
        groups = self.argument_list(*self.bracket_range())
        whole = Span(span.start, self.spanned(start).end)
        if [len(g) for g in groups] != [1, 2]:
            raise self.slip("this density is not read", whole, r"write `\mathcal{N}(x; \mu, \Sigma)`", False)
        (x,), (mean, variance) = groups
        zero = isinstance(mean.tree, t.Number) and mean.tree.value == 0
        isotropic = variance.hole == "eye"
        vector = x.rank == 1 and (isotropic or variance.rank == 2 and not variance.hole)
        shape = self.shape(x.tree)
        if not (vector or x.rank == variance.rank == 0) or not (zero or mean.rank == x.rank) or x.hole or mean.hole and not zero:
            raise self.slip("the shapes of this density are not read", whole, malformed=False)
        away = x.tree if zero else t.Terms(((1, x.tree), (-1, mean.tree)), span=whole)

        def call(name: str, e: t.Expression) -> t.Expression:
            return t.Call(name, (e,), span=whole, name_span=whole)

        def times(first: t.Expression, *rest: tuple[str, t.Expression]) -> t.Expression:
            return t.Factors(first, rest, span=whole)

        two = items.number(2, whole)
        declared = self.symbols is not None and self.symbols.declares("pi")
        pi = call("acos", items.number(-1, whole)) if declared else t.Name("pi", span=whole)
        square: t.Expression = t.Power(away, two, span=whole)
        if not vector or isotropic:
            form = times(call("sum", square) if vector else square, ("/", two), ("/", variance.tree))
            scale = times(two, ("*", pi), ("*", variance.tree))
        else:
            form = times(away, ("@", call("inv", variance.tree)), ("@", away), ("/", two))
            scale = times(two, ("*", pi))
        size = shape[0] if shape else None
        if vector and size is None:
            raise self.slip("the length of this density is not clear", whole, malformed=False)
        volume = call("sqrt", scale) if not vector else t.Power(scale, times(size or two, ("/", two)), span=whole)
        if vector and not isotropic:
            volume = times(volume, ("*", call("sqrt", call("det", variance.tree))))
        value = times(call("exp", t.Terms(((-1, form),), span=whole)), ("/", volume))
        return self.postfix(Item(value, 0))

    # --- divergences

    def divergence_letter(self, base: str, span: Span, font: str) -> Item | None:
        """D_{KL}, D_\\mathrm{JS}, H(q), \\chi^2(q || p), W_2^2(q, p), D(q || p)."""
        at = self.pos
        found = self.peek()
        if base not in ("D", "H", "chi", "W", "d", "J", "I", "TV", "V") or found is None:
            return None
        script = self.scripts()
        low = "".join(self.words_of(script.low) or []) if script.low is not None else ""
        high = self.text_of(script.high) if script.high is not None else ""
        after = self.peek()
        if self.symbols is not None and self.symbols.declares(base) and low.upper() not in ("KL", "JS", "JSD", "TV"):
            self.pos = at
            return None
        token = Token("word", base, span.start, span.end)
        name, sides = self.divergence_name(base, low, high)
        if after is None or not (after.is_sign("(", "[") or after.text == "\\{" or after.side == "<"):
            self.pos = at
            return None
        if name is None or self.symbols is None and name in ("entropy",):
            if not (base == "D" and any(BARS.get(x.text) == "||" for x in self.tokens[slice(*self.look_inside())])):
                self.pos = at
                return None
            name, sides = "KL", 2
        if name == "renyi" and script.low is not None and self.symbols is not None:
            order = self.indices(script.low, None, numbers=True)
            return self.divergence(name, sides, token, order[:1])
        if name == "fisher" and script.low is not None and self.symbols is not None:
            joint = self.part(*script.low)
            groups = self.argument_list(*self.bracket_range())
            trees = (joint.tree, *(x.tree for g in groups for x in g))
            return self.item(t.Call("fisher", trees, span=Span(span.start, self.spanned(at).end), name_span=span))
        return self.divergence(name, sides, token)

    def divergence_name(self, base: str, low: str, high: str) -> tuple[str | None, int]:
        if base == "D" and low.upper() in ("KL", "JS", "TV", "JSD"):
            return {"KL": "KL", "JS": "JS", "JSD": "JS", "TV": "tv"}[low.upper()], 2
        if base == "D" and low and not low.isupper() and self.symbols is not None:
            return "renyi", 2
        if base == "H" and not low:
            return ("hellinger", 2) if high == "2" else ("entropy", 1)
        if base == "chi" and high == "2":
            return "chi2", 2
        if base == "W" and low == "2" and high == "2":
            return "wasserstein2", 2
        return None, 0

    def divergence(self, name: str, sides: int, token: Token, more: tuple[t.Expression, ...] = ()) -> Item:
        """KL(q || p), with the bar that people like; H(q), H(q, p)."""
        start = max(0, self.pos - 1)
        script: Script = self.scripts()
        _ = script
        found = self.peek()
        if found is None or not (found.is_sign("(", "[") or found.text == "\\{" or found.side == "<"):
            if self.symbols is None:
                return Item(t.Name(name, span=token.span))
            raise self.slip(f"`{token.text}` has no arguments", token.span, malformed=False)
        inside = self.bracket_range()
        if self.symbols is None:
            groups = self.argument_list(*inside)
            return self.postfix(Item(t.Call(name, tuple(x.tree for g in groups for x in g), span=self.spanned(start))))
        after = self.pos
        random = self.random_groups(*inside) if name == "entropy" else None
        of_variables = self.entropy_of(random, Span(token.start, self.tokens[after - 1].end)) if random else None
        if of_variables is not None:
            return self.postfix(Item(of_variables, 0))
        laws = self.sides_of(inside, name == "KL")
        self.pos = after
        span = Span(token.start, self.tokens[after - 1].end)
        if name == "entropy" and len(laws) == 2:
            name, sides = "cross_entropy", 2
        if len(laws) != sides:
            plural = "distribution" if sides == 1 else "distributions"
            raise self.slip(f"`{token.text}` is of {sides} {plural}", span, malformed=False)
        if not isinstance(laws[-1], t.Name | t.Call):
            return self.postfix(Item(self.against_mixture(laws[0], laws[1], span, token.span), 0))
        if name in ("KL", "chi2") and sides == 2:
            made = t.Call(name, (laws[0],), versus=(laws[1],), span=span, name_span=token.span)
        else:
            made = t.Call(name, (*laws, *more), span=span, name_span=token.span)
        return self.postfix(Item(made, 0))

    def against_mixture(self, p: t.Expression, m: t.Expression, span: Span, name_span: Span) -> t.Expression:
        """KL(p || m) of densities added up, m = (p + q)/2: the mean of log p(x) - log m(x)."""
        names = self.law_variables(p)
        law = p.function if isinstance(p, t.Call) else p.name if isinstance(p, t.Name) else ""
        if len(names) != 1 or not law:
            raise self.slip("a distribution in place is not read", m.span, "declare it with `dist` in the spec", False)
        x = t.Name(names[0], span=span)
        at_x = p if isinstance(p, t.Call) else t.Call(law, (x,), span=p.span, name_span=p.span)
        logs = [t.Call("log", (e,), span=e.span, name_span=name_span) for e in (at_x, self.at_draw(m, x))]
        body = t.Terms(((1, logs[0]), (-1, logs[1])), span=span)
        return t.Binder("E", (t.Draw((names[0],), p, span=p.span),), (body,), span=span, name_span=name_span)

    def at_draw(self, e: t.Expression, x: t.Name) -> t.Expression:
        """Densities that are named alone, at a draw."""
        if isinstance(e, t.Name):
            law = self.law(e.name)
            return t.Call(e.name, (x,), span=e.span, name_span=e.span) if law is not None and law.is_density else e
        if isinstance(e, t.Terms):
            return replace(e, terms=tuple((s, self.at_draw(u, x)) for s, u in e.terms))
        if isinstance(e, t.Factors):
            return replace(e, first=self.at_draw(e.first, x), rest=tuple((op, self.at_draw(u, x)) for op, u in e.rest))
        return e

    def sides_of(self, inside: tuple[int, int], sums: bool = False) -> list[t.Expression]:
        """The distributions in brackets; with `sums` the second may be densities added up."""
        laws: list[t.Expression] = []
        with self.within(*inside):
            self.closers = ["args"]
            while self.pos < self.end:
                x = self.tokens[self.pos]
                if laws and (x.text in BARS and x.side != "<" or x.is_sign(",", ";", ":")):
                    self.pos += 1
                    continue
                names = list(self.law_variables(laws[0])) if laws else []
                before = self.pos
                laws.append(self.law_side(names))
                if sums and len(laws) == 3 and isinstance(laws[1], t.Number | t.Factors):  # 1/2 (p + q)
                    laws[1:] = [t.Factors(laws[1], (("*", laws[2]),), span=items.hull(laws[1], laws[2]))]
                known = isinstance(laws[-1], t.Name) or isinstance(laws[-1], t.Call) and not laws[-1].log
                if not known and not (sums and len(laws) == 2 and isinstance(laws[-1], t.Terms | t.Factors | t.Number)):
                    raise self.slip(
                        "a distribution in place is not read", laws[-1].span, "declare it with `dist` in the spec", False
                    )
                if self.pos == before:
                    raise self.slip(f"`{x.text}` is out of place", x.span)
        return laws

    def law_variables(self, e: t.Expression) -> tuple[str, ...]:
        if isinstance(e, t.Call):
            law = self.law(e.function)
            if law is not None:
                return tuple(a.name for a in e.arguments if isinstance(a, t.Name))
        if isinstance(e, t.Name):
            law = self.law(e.name)
            if law is not None:
                return law.variables
        return ()

    # --- functions that are letters

    def function_of(self, base: str, accents: list[str], words: list[str], script: Script, span: Span) -> Item | None:
        """\\sigma(x), \\Gamma(x), \\psi_1(x), Ei(x), of no name of the spec."""
        if accents:
            return None
        low = "".join(words)
        name = LETTER_FUNCTIONS.get((base, low))
        if name is None and base in ("log", "exp", "softmax"):
            name = base
        order = None
        if base == "psi" and script.high is not None and not low:
            high = self.text_of(script.high)
            if high[:1] == "(" and high[-1:] == ")":
                order = self.indices((script.high[0] + 1, script.high[1] - 1), None, numbers=True)
                name, script.high = "polygamma", None
        if name is None:
            return self.of_order(base, script, span)
        start = self.pos
        groups = self.argument_list(*self.bracket_range())
        arguments = [items.closed(x) for g in groups for x in g]
        whole = Span(span.start, self.spanned(start).end)
        trees = (*(order or ()), *(x.tree for x in arguments))
        call = t.Call(name, trees, span=whole, name_span=span)
        made = Item(call, arguments[0].rank if len(arguments) == 1 else 0)
        script.low = None
        if script.primes and self.symbols is not None and made.rank == 0:
            made, script.primes = Item(self.differentiated(call, script.primes, whole), 0), 0
        return self.postfix(self.powers(made, script))

    def of_order(self, base: str, script: Script, span: Span) -> Item | None:
        """I_n(x) and K_n(x) of Bessel, I_x(a, b), P(a, x), U(a, b, x): of numbers, and of nothing that is drawn."""
        if self.symbols is None or not any(letter == base for letter, _, _ in ORDERED_FUNCTIONS):
            return None
        start, nesting = self.pos, self.nesting
        inside = self.bracket_range()
        random = self.random_groups(*inside) if base == "I" and script.low is None else None
        shared = self.information_of(random, Span(span.start, self.spanned(start).end)) if random else None
        if shared is not None:
            return self.postfix(Item(shared, 0))
        groups = self.argument_list(*inside)
        arguments = [items.closed(x) for g in groups for x in g]
        name = ORDERED_FUNCTIONS.get((base, script.low is not None, len(arguments)))
        order = self.indices(script.low, None, numbers=True) if script.low is not None else ()
        if base == "I" and len(order) == 1 and isinstance(order[0], t.Name) and order[0].name in self.symbols.laws:
            return self.information(order[0], [x for g in groups for x in g], Span(span.start, self.spanned(start).end), span)
        sizes = [e for e in order if isinstance(e, t.Name) and e.name in self.symbols.sizes]
        drawn = [x for x in arguments if isinstance(x.tree, t.Name) and (self.is_random(x.tree.name) or x.tree.name in self.local)]
        if name is None or len(groups) > 1 or len(order) > 1 or sizes or drawn or any(x.rank != 0 for x in arguments):
            self.pos, self.nesting, self.closers = start, nesting, []
            return None
        trees = tuple(x.tree for x in arguments)
        trees = (*trees, *order) if name == "ibeta" else (*order, *trees)
        whole = Span(span.start, self.spanned(start).end)
        script.low = None
        return self.postfix(self.powers(Item(t.Call(name, trees, span=whole, name_span=span), 0), script))

    def information(self, law: t.Name, by: list[Item], whole: Span, span: Span) -> Item | None:
        """I_p(theta), the Fisher information."""
        trees = [x.tree for x in by]
        if len(trees) == 1 and isinstance(trees[0], t.ListOf) and len(trees[0].items) == 1:
            trees = [trees[0].items[0]]
        return self.postfix(Item(t.Call("fisher", (law, *trees), span=whole, name_span=span)))

    def hypergeometric(self, start: int) -> Item | None:
        """{}_2F_1(a, b; c; x), behind the empty group."""
        texts = [x.text for x in self.tokens[self.pos : self.pos + 6]]
        if len(texts) < 6 or texts[0] != "_" or texts[2:4] != ["F", "_"] or texts[5] not in ("(", "["):
            return None
        name, count = HYPERGEOMETRIC.get((texts[1], texts[4]), ("", 0))
        self.pos += 5
        groups = self.argument_list(*self.bracket_range())
        arguments = tuple(items.closed(x).tree for g in groups for x in g)
        span = self.spanned(start)
        if not name or len(arguments) != count:
            raise self.slip("this hypergeometric function is not read", span, "those with 1 and 1, 2 and 1 parameters are", False)
        return self.postfix(Item(t.Call(name, arguments, span=span, name_span=span), 0))

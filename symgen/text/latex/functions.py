"""Functions with their arguments, bracketed or not: \\log a b takes the product that follows."""

from __future__ import annotations

from symgen.text import tree as t
from symgen.text.latex import items
from symgen.text.latex.environments import Environments
from symgen.text.latex.items import Item
from symgen.text.latex.tokens import Token
from symgen.text.latex.vocabulary import BARE, BARS, BIG, DOTS, FUNCTION_WORDS, FUNCTIONS
from symgen.text.tree import Span

__all__ = ["Functions"]

ENTRYWISE = frozenset(
    "exp log sqrt abs sigmoid tanh relu sin cos tan sinh cosh softplus gelu silu erf erfc log1p expm1 floor sign log10".split()
)

OF_MATRICES = frozenset(["det", "tr", "diag", "logdet"])


class Functions(Environments):
    """Reads calls of functions."""

    def function(self, name: str, token: Token) -> Item:
        """A function with its power, its base, and its argument, bracketed or not."""
        start = self.pos - 1
        script = self.scripts()
        base: t.Expression | None = None
        if script.low is not None and (name == "log" or self.symbols is None):
            base = next(iter(self.indices(script.low, None, numbers=True)), None)
        if name == "logsumexp" and self.symbols is not None and script.low is not None:
            specs, condition = self.ranges(script.low, script.high, token)
            if condition is not None:
                raise self.slip("a condition on the index has no meaning here", token.span, malformed=False)
            return self.bound_body(name, specs, None, start)
        found = self.peek()
        inverse = script.high is not None and self.text_of(script.high) == "-1"
        if inverse and self.symbols is not None:
            raise self.slip("the power -1 of a function has two readings", script.span, malformed=False)
        bracket = found is not None and self.opens_arguments(found)
        keywords: tuple[t.Keyword, ...] = ()
        arguments: list[Item]
        if bracket:
            groups = self.argument_list(*self.bracket_range())
            arguments = [self.of_size(x, name) for g in groups for x in g]
            if name in BARE - OF_MATRICES and len(arguments) == 1 and found is not None and not found.side:
                self.check_power(found)
            arguments, keywords = self.without_keywords(arguments)
        elif name in BARE or self.symbols is None:
            if found is None or not self.begins_factor(found) and self.sign_of(found) is None and found.command not in DOTS:
                if self.symbols is None:
                    return Item(t.Name(name, span=token.span))
                raise self.slip(f"`{token.text}` has no argument", token.span)
            arguments = [self.of_size(self.bare_argument(name), name)]
        else:
            self.undeclared(name, token.span)
            return self.postfix(Item(t.Name(name, span=token.span), None))
        span = self.spanned(start)
        if script.low is not None and self.symbols is not None and name in ("leaky_relu", "elu"):
            arguments.append(Item(self.indices(script.low, None, numbers=True)[0], 0))
        made = self.applied_function(name, arguments, keywords, span, token.span)
        if base is not None:
            below = t.Call("log", (base,), span=span)
            made = Item(t.Factors(made.tree, (("/", below),), span=span), made.rank)
        script.low = None
        made = self.powers(made, script)
        return self.postfix(made) if bracket else made

    def of_size(self, x: Item, name: str) -> Item:
        """An argument whose size is known, as all functions but those on entries need it."""
        if x.hole and name not in ENTRYWISE:
            raise self.slip("the size of this argument is not clear", x.span, malformed=False)
        return items.closed(x)

    def opens_arguments(self, found: Token) -> bool:
        return found.is_sign("(", "[") or found.text == "\\{" or found.side == "<" and found.text not in BARS

    def check_power(self, opener: Token) -> None:
        """\\log (x)^2 has two readings."""
        after = self.peek()
        if self.symbols is not None and after is not None and after.is_sign("^") and not after.side:
            raise self.slip("a power after a function has two readings", after.span, r"write `\log(x^2)` or `(\log x)^2`", False)

    def applied_function(
        self, name: str, arguments: list[Item], keywords: tuple[t.Keyword, ...], span: Span, name_span: Span
    ) -> Item:
        trees = tuple(x.tree for x in arguments)
        if self.symbols is None:
            return Item(t.Call(name, trees, span=span, name_span=name_span))
        first = arguments[0].tree if arguments else None
        if name == "log" and len(arguments) == 1:
            if isinstance(first, t.Call) and first.function == "det":
                return Item(t.Call("logdet", first.arguments, span=span, name_span=name_span), 0)
            inner = first.arguments[0] if isinstance(first, t.Call) and first.function == "abs" else None
            if isinstance(inner, t.Call) and inner.function == "det":
                return Item(t.Call("logdet", inner.arguments, span=span, name_span=name_span), 0)
            if isinstance(first, t.Call) and first.function in ("gamma", "beta") and self.law(first.function) is None:
                return Item(t.Call(f"l{first.function}", first.arguments, span=span, name_span=name_span), self.rank(first))
            law = self.law(first.function) if isinstance(first, t.Call) else None
            if isinstance(first, t.Call) and law is not None and law.is_density:
                made = t.Call(first.function, first.arguments, first.keywords, first.given, log=True, span=span,
                              name_span=first.name_span)  # fmt: skip
                return Item(made, 0)
        if name == "log10":
            ten = t.Call("log", (items.number(10, span),), span=span)
            return Item(t.Factors(t.Call("log", trees, span=span), (("/", ten),), span=span), arguments[0].rank)
        made = t.Call(name, trees, keywords, span=span, name_span=name_span)
        if len(arguments) == 1 and name in ENTRYWISE:
            return Item(made, arguments[0].rank, arguments[0].row)
        if name in ("det", "tr", "logdet"):
            return Item(made, 0)
        return self.item(made)

    def bare_argument(self, name: str) -> Item:
        """\\log a b: the product that follows; after a bracket or a call, no more."""
        found = self.peek()
        assert found is not None
        sign = self.sign_of(found)
        if sign is not None:  # \exp -x
            self.pos += 1
            return items.added([(sign, self.bare_argument(name))], self.shape)
        made = self.factor()
        while True:
            found = self.peek()
            if found is None or not self.begins_factor(found) or self.closers_next(found):
                return made
            if found.command in BIG or found.command in FUNCTIONS or found.command == "nabla" or found.side == "mathbb":
                return made
            if found.kind in ("word", "text") and (found.text in FUNCTIONS or found.text in FUNCTION_WORDS):
                return made
            if isinstance(made.tree, (t.Call, t.Binder)) and name not in ("tr", "det"):
                at = self.pos
                factor = self.factor()
                if not (self.is_density(made.tree) and self.is_density(factor.tree)):
                    self.pos = at
                    return made
                made = items.multiplied(made, "", factor)
                continue
            if found.is_sign("(", "[") or found.side == "<":
                return made
            made = items.multiplied(made, "", self.factor())

    def is_density(self, e: t.Expression) -> bool:
        law = self.law(e.function) if isinstance(e, t.Call) else None
        return law is not None and law.is_density

    def closers_next(self, found: Token) -> bool:
        return found.text in BARS and not self.bar_opens(found)

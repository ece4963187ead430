"""What the parser calls as it reduces: rules of the grammar to nodes of the tree, without recursion.

Each method is called with what the rule of the same name (or alias) matched, all tokens kept, so that spans are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from symgen.text import tree
from symgen.text.lalr import Token
from symgen.text.tree import Expression, Name, Span

__all__ = ["Misplaced", "TreeBuilder"]


class Misplaced(Exception):
    """What parses and cannot be meant: message, span, help. The parser makes a diagnostic of it."""

    def __init__(self, message: str, span: Span, help: str | None = None) -> None:
        super().__init__(message)
        self.message, self.span, self.help = message, span, help


def _cover(*parts: Any) -> Span:
    """From the first to the last part that is there."""
    there = [p for p in parts if p is not None]
    first, last = there[0], there[-1]
    start = first.start if isinstance(first, Token) else first.span.start
    return Span(start, last.end if isinstance(last, Token) else last.span.end)


def _nodes(parts: Any) -> tuple[Any, ...]:
    """The parts that are not tokens."""
    return tuple(p for p in parts if p is not None and not isinstance(p, Token))


def _span_of(token: Token) -> Span:
    return Span(token.start, token.end)


class _Items(tuple[Any, ...]):
    """The parts of a list on their way up."""


class _Arguments:
    def __init__(self, parts: tuple[Any, ...]) -> None:
        self.given: tuple[Expression, ...] = ()
        self.versus: tuple[Expression, ...] = ()
        self.keywords: tuple[tree.Keyword, ...] = tuple(p for p in parts if isinstance(p, tree.Keyword))
        groups: dict[str, list[Expression]] = {"": []}
        current = ""
        for part in parts:
            if isinstance(part, Token):
                if part in ("|", "||"):
                    current = str(part)
                    groups[current] = []
            elif isinstance(part, Expression):
                groups[current].append(part)
        self.positional = tuple(groups[""])
        self.given = tuple(groups.get("|", ()))
        self.versus = tuple(groups.get("||", ()))
        seen: set[str] = set()
        for part in parts:
            if isinstance(part, Expression) and seen and not (self.given or self.versus):
                help = "put the keywords last; `==` compares"
                raise Misplaced("an argument stands after a keyword", part.span, help)
            if isinstance(part, tree.Keyword):
                seen.add(part.name)
        seen = set()
        for keyword in self.keywords:
            if keyword.name in seen:
                raise Misplaced(f"the keyword `{keyword.name}` is given twice", keyword.span)
            seen.add(keyword.name)


def _text_of(token: Token | None) -> str | None:
    """The text of a reason, without its quotes and backslashes."""
    if token is None:
        return None
    out, escaped = [], False
    for c in token[1:-1]:
        if c == "\\" and not escaped:
            escaped = True
            continue
        if escaped and c not in '"\\':
            out.append("\\")  # `\mu` in a reason is kept
        out.append(c)
        escaped = False
    return "".join(out)


def _rounds(term: Expression) -> bool:
    """Whether a term is a product with `//` that stands without parentheses."""
    return isinstance(term, tree.Factors) and any(op == "//" for op, _ in term.rest) and term.span.start == term.first.span.start


class TreeBuilder:
    """Stateless: one instance serves all parses."""

    # --- expressions --------------------------------------------------------------------------------------------------

    def name(self, token: Token) -> Name:
        return Name(str(token), span=_span_of(token))

    def number(self, token: Token) -> tree.Number:
        written = str(token)
        digits, _, exponent = written.lower().partition("e")
        value = Fraction(digits.rstrip(".") if digits.endswith(".") else digits)
        if exponent:
            value *= Fraction(10) ** int(exponent)
        return tree.Number(value, written, span=_span_of(token))

    def parenthesis(self, opening: Token, inner: Expression, closing: Token) -> Expression:
        return replace(inner, span=_cover(opening, closing))

    def list_of(self, *parts: Any) -> tree.ListOf:
        return tree.ListOf(_nodes(parts), span=_cover(*parts))

    def transpose(self, operand: Expression, mark: Token) -> tree.Transpose:
        return tree.Transpose(operand, span=_cover(operand, mark))

    def part(self, operand: Expression, _: Token, name: Name) -> tree.Part:
        return tree.Part(operand, name.name, span=_cover(operand, name))

    def power(self, base: Expression, _: Token, exponent: Expression) -> tree.Power:
        return tree.Power(base, exponent, span=_cover(base, exponent))

    def term(self, first: Expression, *rest: Any) -> tree.Factors:
        pairs = tuple(("^" if op == "**" else str(op), factor) for op, factor in zip(rest[::2], rest[1::2]))
        return tree.Factors(first, pairs, span=_cover(first, *rest))

    def signs(self, *tokens: Token) -> tuple[Token, ...]:
        return tokens

    def signed(self, *parts: Any) -> Expression:
        """(signs term)+ with the first signs left out, or a token and a factor."""
        span = _cover(*(p[0] if isinstance(p, tuple) else p for p in (parts[0], parts[-1])))
        if not isinstance(parts[0], tuple | Token):
            parts = ((), *parts)
        terms: list[tuple[int, Expression]] = []
        for signs, term in zip(parts[::2], parts[1::2]):
            if isinstance(signs, Token):
                signs = (signs,)
            own = signs[1:] if terms else signs  # the signs of the term itself: -7//2 is (-7)//2, as in Python
            if "-" in own and _rounds(term):
                first = term.first
                for inner in reversed(own):
                    if inner == "-":
                        first = tree.Terms(((-1, first),), span=_cover(inner, first))
                term = replace(term, first=first, span=_cover(own[0], term))
                signs = signs[: len(signs) - len(own)]
            for inner in reversed(signs[1:]):
                if inner == "-":
                    term = tree.Terms(((-1, term),), span=_cover(inner, term))
            terms.append((-1 if signs and signs[0] == "-" else 1, term))
        if len(terms) == 1 and terms[0][0] == 1:
            return replace(terms[0][1], span=span)
        return tree.Terms(tuple(terms), span=span)

    def comparison(self, *parts: Any) -> tree.Comparison:
        return tree.Comparison(_nodes(parts), tuple(str(p) for p in parts[1::2]), span=_cover(*parts))

    equation = comparison

    def expression(self, *parts: Any) -> tree.Logical:
        return tree.Logical("or", _nodes(parts), span=_cover(*parts))

    def conjunction(self, *parts: Any) -> tree.Logical:
        return tree.Logical("and", _nodes(parts), span=_cover(*parts))

    def negation(self, word: Token, operand: Expression) -> tree.Logical:
        return tree.Logical("not", (operand,), span=_cover(word, operand))

    def keyword(self, name: Name, _: Token, value: Expression) -> tree.Keyword:
        return tree.Keyword(name.name, value, span=_cover(name, value))

    def arguments(self, *parts: Any) -> _Arguments:
        return _Arguments(parts)

    def call(self, name: Name, opening: Token, arguments: _Arguments, closing: Token, *, log: Token | None = None) -> tree.Call:
        return tree.Call(
            name.name,
            arguments.positional,
            arguments.keywords,
            arguments.given,
            arguments.versus,
            log is not None,
            span=_cover(log or name, closing),
            name_span=name.span,
        )

    def log_call(self, log: Token, *parts: Any) -> tree.Call:
        return self.call(*parts, log=log)

    def slice(self, *parts: Any) -> tree.Slice:
        values: list[Any] = [None]
        for part in parts:
            if isinstance(part, Token):
                values.append(None)
            elif part is not None:
                values[-1] = part
        lower, upper, step = (*values, None, None)[:3]
        return tree.Slice(lower, upper, step, span=_cover(*parts))

    def range(self, name: Expression, _: Token, lower: Expression, dots: Token, upper: Expression) -> tree.IndexSpec:
        if not isinstance(name, Name):
            raise Misplaced("an index must be a name", name.span, "write a range as `t: 1..T`")
        return tree.IndexSpec(name.name, None, lower, upper, span=_cover(name, upper))

    def drawn(self, name: Name, opening: Token, items: _Items, closing: Token) -> tree.Subscript:
        return tree.Subscript(name, tuple(items), span=_cover(name, closing))

    def draw(self, *parts: Any) -> tree.Draw:
        *names, law = (p for p in parts if isinstance(p, Expression))
        many = next((p for p in parts if isinstance(p, _Items)), None)
        if many is not None:
            names = [tree.Subscript(names[0], tuple(many), span=names[0].span)]
        return _draw(names, law, _cover(*parts))

    def items(self, *parts: Any) -> _Items:
        return _Items(_nodes(parts))

    def subscript(self, operand: Expression, opening: Token, items: _Items, closing: Token) -> tree.Subscript:
        for item in items:
            if isinstance(item, tree.Draw | tree.IndexSpec):
                written = "a draw `x ~ p`" if isinstance(item, tree.Draw) else "a range `t: a..b`"
                help = "put the body in round brackets after it, as in `E[x ~ p](f)` or `sum[t: 1..T](f)`"
                raise Misplaced(f"{written} stands in the bracket of an operator, and no body follows it", item.span, help)
        return tree.Subscript(operand, tuple(items), span=_cover(operand, closing))

    def binder(
        self,
        name: Name,
        opening: Token,
        items: _Items,
        closing: Token,
        left: Token,
        arguments: _Arguments,
        right: Token,
    ) -> tree.Binder:
        if arguments.given or arguments.versus:
            what = (arguments.given or arguments.versus)[0]
            raise Misplaced(f"`|` cannot stand in the body of `{name.name}[..]`", what.span, None)
        return tree.Binder(
            name.name, _specs(name.name, items), arguments.positional, arguments.keywords,
            span=_cover(name, right), name_span=name.span,
        )  # fmt: skip

    def log_binder(self, log: Token, *parts: Any) -> tree.Call:
        inner = self.binder(*parts)
        return tree.Call("log", (inner,), span=_cover(log, inner), name_span=_span_of(log))

    # --- statements ---------------------------------------------------------------------------------------------------

    def names(self, *parts: Any) -> _Items:
        return _Items(_nodes(parts))

    sums = variables = names

    def shape(self, opening: Token, sums: _Items | None, closing: Token) -> _Items:
        return _Items((tuple(sums or ()), _cover(opening, closing)))

    def dim_item(self, name: Name, _: Token | None = None, value: Expression | None = None) -> _Items:
        return _Items((name, value))

    def dim(self, word: Token, *items: Any) -> tree.Dim:
        pairs = tuple((name, value) for name, value in _nodes(items))
        name, value = pairs[-1]
        return tree.Dim(pairs, span=_cover(word, name, value))

    def domain(self, name: Name, *parts: Any) -> tree.Domain:
        shape = parts[-1]
        arguments = parts[1] if len(parts) == 4 else None
        end = Span(0, shape[1].end) if shape else None
        last = end.end if end else (parts[2].end if parts[2] is not None else name.span.end)
        return tree.Domain(name.name, tuple(arguments or ()), shape[0] if shape else None, span=Span(name.span.start, last))

    def bare_domain(self, shape: _Items) -> tree.Domain:
        return tree.Domain("real", (), shape[0], span=shape[1])

    def declared(self, name: Name, *parts: Any) -> tree.Declared:
        domain = next((p for p in parts if isinstance(p, tree.Domain)), None)
        initial = next((p for p in parts if isinstance(p, Expression)), None)
        return tree.Declared(name, domain, initial, span=_cover(name, domain, initial))

    def variable(self, name: Name, opening: Token | None, items: _Items | None, *parts: Any) -> tree.Declared:
        domain = next((p for p in parts if isinstance(p, tree.Domain)), None)
        span = _cover(name, *parts)
        if items is None:
            return tree.Declared(name, domain, span=span)
        return tree.DeclaredEntry(name, domain, indices=tuple(_defined_index(item) for item in items), span=span)

    def declaration(self, word: Token, *parts: Any) -> tree.Declaration:
        items = list(_nodes(parts))
        for i in range(len(items) - 2, -1, -1):  # `a, b: real` declares both as real
            if items[i].domain is None and items[i].initial is None and items[i + 1].domain is not None:
                items[i] = replace(items[i], domain=items[i + 1].domain)
        for item in items:
            if item.domain is None:
                name = item.name.name
                help = f"write `{word} {name}: real`, or `{word} {name}: real[n]` for a vector"
                raise Misplaced(f"the domain of `{name}` is missing", item.name.span, help)
        return tree.Declaration(str(word), tuple(items), span=_cover(word, items[-1]))

    def assume(self, word: Token, *facts: Any) -> tree.Assume:
        return tree.Assume(_nodes(facts), span=_cover(word, *facts))

    def let(self, word: Token, name: Name, *parts: Any) -> tree.Let:
        items = next((p for p in parts if isinstance(p, _Items)), None)
        indices = None if items is None else tuple(_defined_index(item) for item in items)
        return tree.Let(name, indices, parts[-1], str(word), span=_cover(word, parts[-1]))

    def def_(self, word: Token, name: Name, opening: Token, names: _Items | None, *parts: Any) -> tree.Def:
        return tree.Def(name, tuple(names or ()), parts[-1], span=_cover(word, parts[-1]))

    def head(self, name: Name, *parts: Any) -> tree.Head:
        groups: list[tuple[tree.Declared, ...]] = [(), ()]
        side = 0
        for part in parts:
            if isinstance(part, _Items):
                groups[side] = tuple(part)
            elif isinstance(part, Token) and part == "|":
                side = 1
        if not groups[0]:
            raise Misplaced(f"`{name.name}` must say what it is over", _cover(name, *parts), f"write `{name.name}(x)`")
        return tree.Head(name, groups[0], groups[1], span=_cover(name, *parts))

    def dist(self, word: Token, head: tree.Head, _: Token, law: Expression) -> tree.Dist:
        return tree.Dist(head, law, span=_cover(word, law))

    def density(self, word: Token, *heads: Any) -> tree.Density:
        return tree.Density(_nodes(heads), span=_cover(word, *heads))

    def function(self, word: Token, head: tree.Head, _: Token | None = None, domain: tree.Domain | None = None) -> tree.Function:
        return tree.Function(head, domain, span=_cover(word, head, domain))

    def player(self, *parts: Any) -> tree.Player:
        named = next(p for p in parts if isinstance(p, Name | _Items))
        names = tuple(named) if isinstance(named, _Items) else (named,)
        return tree.Player(names, str(parts[-2]), parts[-1], span=_cover(*parts_of_player(parts)))

    def game(self, word: Token, name: Name, *parts: Any) -> tree.Game:
        return tree.Game(name, _nodes(parts), span=_cover(word, *parts))

    def derive(self, word: Token, *parts: Any) -> tree.Derive:
        name = parts[0] if len(parts) > 1 else None
        return tree.Derive(name, parts[-1], span=_cover(word, parts[-1]))

    def relation(self, token: Token, *parts: Any) -> _Items:
        names = next((p for p in parts if isinstance(p, _Items)), ())
        return _Items((str(token), tuple(names), _cover(token, *parts)))

    def step(self, relation: _Items, value: Expression, reason: Token | None) -> tree.ClaimStep:
        word, over, span = relation
        end = reason.end if reason is not None else value.span.end
        return tree.ClaimStep(word, over, value, _text_of(reason), span=Span(span.start, end), relation_span=span)

    def chain(self, *parts: Any) -> tree.Claim:
        name = parts[0]
        first, reason, *steps = parts[2:]
        if not steps:
            help = "write what it equals, as in `claim a = b`"
            raise Misplaced("a claim needs a relation and a right side", first.span, help)
        return tree.Claim(name, first, tuple(steps), _text_of(reason), span=_cover(*parts))

    def claim(self, word: Token, chain: tree.Claim) -> tree.Claim:
        return replace(chain, span=_cover(word, chain))

    def method(self, name: Name, opening: Token | None, arguments: _Arguments | None, closing: Token | None) -> tree.Call:
        if opening is None or arguments is None or closing is None:
            return tree.Call(name.name, (), span=name.span, name_span=name.span)
        return self.call(name, opening, arguments, closing)

    option = keyword

    def train(self, word: Token, target: Name, *parts: Any) -> tree.Train:
        wrt = tuple(p for p in parts if isinstance(p, Name))
        method = next((p for p in parts if isinstance(p, tree.Call)), None)
        options = tuple(p for p in parts if isinstance(p, tree.Keyword))
        return tree.Train(target, wrt, method, options, span=_cover(word, target, *parts))


def parts_of_player(parts: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(p for p in parts if not isinstance(p, _Items))


def _specs(function: str, items: _Items) -> tuple[tree.IndexSpec | tree.Draw, ...]:
    """The bracket of a binder: names before a draw belong to it, `i: n` is an index with its size."""
    draws = any(isinstance(item, tree.Draw) for item in items)
    specs: list[tree.IndexSpec | tree.Draw] = []
    waiting: list[Name | tree.Subscript] = []
    for item in items:
        if isinstance(item, tree.Draw):
            last = [tree.Name(n, span=item.span) for n in item.names]
            own = [tree.Subscript(n, item.sizes, span=n.span) if item.sizes else n for n in last]
            specs.append(_draw([*waiting, *own], item.law, _cover(*waiting, item)))
            waiting = []
        elif draws:
            if not isinstance(item, Name) and not (isinstance(item, tree.Subscript) and isinstance(item.operand, Name)):
                raise Misplaced(f"`{function}[..]` draws names, as in `{function}[x ~ p]`", item.span)
            waiting.append(item)
        else:
            specs.append(_index(function, item))
    if waiting:
        (name,), _ = _names_and_sizes(waiting[:1])
        raise Misplaced(f"`{name}` is drawn from nothing", waiting[0].span, f"say where it comes from, as in `{name} ~ p`")
    return tuple(specs)


def _names_and_sizes(drawn: Sequence[Any]) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """x and z[n] of what is drawn: the names, and how many of each."""
    heads: list[Any] = [d.operand if isinstance(d, tree.Subscript) else d for d in drawn]
    return tuple(h.name for h in heads), [d.items if isinstance(d, tree.Subscript) else () for d in drawn]


def _draw(drawn: Sequence[Any], law: Expression, span: Span) -> tree.Draw:
    names, sizes = _names_and_sizes(drawn)
    for d, many in zip(drawn, sizes, strict=True):
        if many != sizes[0]:
            raise Misplaced("what is drawn together is drawn equally often", d.span, "write `(x[n], z[n]) ~ p`")
        if not all(isinstance(s, Expression) for s in many):
            raise Misplaced("the bracket of what is drawn says how many", d.span, "write `z[n] ~ q`, and `z[i]` for one of them")
    return tree.Draw(names, law, sizes[0], span=span)


def _index(function: str, item: Any) -> tree.IndexSpec:
    if isinstance(item, tree.IndexSpec):
        return item
    if isinstance(item, Name):
        return tree.IndexSpec(item.name, span=item.span)
    if isinstance(item, tree.Slice) and isinstance(item.lower, Name) and item.upper is not None and item.step is None:
        return tree.IndexSpec(item.lower.name, item.upper, span=item.span)
    help = f"write `{function}[i](..)`, `{function}[i: n](..)` or `{function}[t: 1..T](..)`"
    raise Misplaced(f"an index of `{function}` must be a name", item.span, help)


def _defined_index(item: Any) -> tree.IndexSpec | Expression:
    """The left side of a definition: an index, or an expression as in `h[0]`."""
    if isinstance(item, Name | tree.IndexSpec | tree.Slice):
        return _index("let", item) if not isinstance(item, tree.Slice) else _sized(item)
    if isinstance(item, tree.Draw):
        raise Misplaced("a definition names its indices, and draws nothing", item.span, "draw inside `E[x ~ p](..)`")
    return item  # type: ignore[no-any-return]


def _sized(item: tree.Slice) -> tree.IndexSpec:
    if isinstance(item.lower, Name) and item.upper is not None and item.step is None:
        return tree.IndexSpec(item.lower.name, item.upper, span=item.span)
    raise Misplaced("a definition names its indices", item.span, "write `let z[i] = ..` or `let h[t: 1..T] = ..`")

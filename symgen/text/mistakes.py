"""What people get wrong, told apart: from the place where the parser stopped to a sentence about it.

`_RULES` is tried in order; each rule looks at a `Situation` and gives a diagnostic or None. What none knows is answered
by what could have stood there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from symgen.text.characters import quoted
from symgen.text.diagnostics import Diagnostic, Label
from symgen.text.lalr import END, Token
from symgen.text.layout import STATEMENT_WORDS, Words
from symgen.text.names import near_name
from symgen.text.spellings import DOMAINS, KNOWN_DOMAINS, OTHER_STATEMENTS, OTHER_WORDS, USAGE
from symgen.text.tree import Source, Span

__all__ = ["Situation", "explain"]


@dataclass(frozen=True)
class Situation:
    """The parser stopped at tokens[position] (at the end, if there is none); `accepted` could have stood there."""

    source: Source
    words: Words
    tokens: list[Token]
    position: int
    start: str
    accepted: frozenset[str]

    @property
    def token(self) -> Token | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    @property
    def previous(self) -> Token | None:
        return self.tokens[self.position - 1] if self.position else None

    def near(self, offset: int) -> Token | None:
        """The token `offset` places from where the parser stopped."""
        place = self.position + offset
        return self.tokens[place] if 0 <= place < len(self.tokens) else None

    @property
    def word(self) -> str:
        """The word of the statement; empty for a lone expression."""
        return str(self.tokens[0]) if self.start == "statement" else "claim" if self.start == "chain" else ""

    @property
    def wants_operand(self) -> bool:
        return "NUMBER" in self.accepted

    @property
    def wants_name(self) -> bool:
        return "NAME" in self.accepted and not self.wants_operand

    @property
    def wants_operator(self) -> bool:
        return "@" in self.accepted and not self.wants_operand

    @cached_property
    def brackets(self) -> tuple[int, ...]:
        """Where the brackets stand that are open here."""
        found: list[int] = []
        for i, token in enumerate(self.tokens[: self.position]):
            if token.type in ("(", "[", "{"):
                found.append(i)
            elif token.type in (")", "]", "}") and found:
                found.pop()
        return tuple(found)

    def opened_by_name(self, closing: int) -> bool:
        """Whether the bracket that closes at tokens[closing] follows a name, as in `sum[i]`."""
        depth = 0
        for place in range(closing, 0, -1):
            depth += (self.tokens[place].type in (")", "]", "}")) - (self.tokens[place].type in ("(", "[", "{"))
            if depth == 0:
                return self.tokens[place - 1].type == "NAME"
        return False

    @property
    def bracket(self) -> str:
        """The innermost open bracket, or nothing."""
        return str(self.tokens[self.brackets[-1]]) if self.brackets else ""

    @property
    def function(self) -> str:
        """The name before the innermost open bracket, or nothing."""
        place = self.brackets[-1] - 1 if self.brackets else -1
        return str(self.tokens[place]) if place >= 0 and self.tokens[place].type == "NAME" else ""

    def written(self, token: Token) -> str:
        return self.source.text[token.start : token.end]

    def quote(self, token: Token) -> str:
        return quoted(self.written(token))

    def report(self, message: str, token: Token, help: str | None = None, label: str = "", to: Token | None = None) -> Diagnostic:
        """A diagnostic whose culprit is `token`, or all up to `to`."""
        span = Span(token.start, (to or token).end)
        return Diagnostic(message, self.source, (Label(span, label, True),), (), help)


Rule = Callable[[Situation], Diagnostic | None]


# --- the start of a statement -----------------------------------------------------------------------------------------


def _no_statement(at: Situation) -> Diagnostic | None:
    """A line that starts with no statement word."""
    token, following = at.token, at.near(1)
    if at.position or at.start != "statement" or token is None:
        return None
    if token.type == "//" or (token.type == "-" and following is not None and following.type == "-"):
        return at.report("a comment starts with `#`", token, "write `# ..`", to=following if token.type == "-" else None)
    if token.type == "STRING":
        return at.report("a reason stands after a step of a claim", token, "indent it under the step it belongs to")
    if token.type == "/" and following is not None and following.type in ("*", "**") and following.start == token.end:
        return at.report("a comment starts with `#`", token, "write `# ..`", to=following)
    if token.type in ("=", "<=", ">=", "<", ">", "~=", "+", "-", "*", "/", "@", "^", "**", "and", "or", "propto"):
        help = "a line that goes on from the one before is indented more than its statement"
        return at.report(f"no statement starts with {at.quote(token)}", token, help)
    if token.type != "NAME":
        return at.report(f"a statement starts with a word, and not with {at.quote(token)}", token, _words_help(at))
    name = at.written(token)
    if name in OTHER_STATEMENTS:
        return at.report(f"unknown statement {quoted(name)}", token, OTHER_STATEMENTS[name])
    if following is not None and following.type in ("=", "[", "("):
        near = near_name(token, STATEMENT_WORDS) if following.type == "=" and at.near(2) is None else None
        if near is None:
            return at.report(f"unknown statement {quoted(name)}", token, _definition_help(at, name, following))
    if following is not None and following.type == ":":
        help = f"write `data {name[:20]}: ..`, `param {name[:20]}: ..` or `const {name[:20]}: ..`"
        return at.report(f"unknown statement {quoted(name)}", token, help)
    if following is not None and following.type == "~":
        return at.report(f"unknown statement {quoted(name)}", token, f"write `dist p({name[:20]}) = ..` for its distribution")
    near = near_name(token, STATEMENT_WORDS)
    help = f"did you mean `{near}`?" if near else _words_help(at)
    return at.report(f"unknown statement {quoted(name)}", token, help)


def _words_help(at: Situation) -> str:
    if at.words.stray:
        return "a line that goes on from the one before starts with an operator, a relation or a reason"
    return f"a statement starts with one of: {' '.join(STATEMENT_WORDS)}"


def _definition_help(at: Situation, name: str, following: Token) -> str:
    name = name[:20]
    if following.type == "(":
        if any(t.type == "=" for t in at.tokens):
            return f"write `def {name}(t) = ..` for a function, `dist {name}(z) = ..` for a density"
        return f"write `derive {name}(..)` to derive an expression"
    return f"write `let {name}{'[i]' if following.type == '[' else ''} = ..` to define a name"


# --- signs that have a place of their own -----------------------------------------------------------------------------


def _log_of_nothing(at: Situation) -> Diagnostic | None:
    """`log x`: with a space it is the log-density of a name, which needs its variables."""
    log, name = at.near(-2), at.previous
    if log is None or name is None or log.type != "log" or name.type != "NAME":
        return None
    word = at.written(name)[:20]
    help = f"write `log({word})` for a logarithm, `log {word}(x)` for the log-density of `{word}` at x"
    return at.report("`log` needs brackets", log, help, to=name)


def _relation_needs_names(at: Situation) -> Diagnostic | None:
    relation = at.previous
    if relation is None or relation.type not in ("propto", "~=") or at.accepted != {"["}:
        return None
    what = "of what its factor is free" if relation.type == "propto" else "of what the left out term is free"
    return at.report(f"`{relation}` must say {what}", relation, f"write `{relation}[z]`")


def _relation_outside_claim(at: Situation) -> Diagnostic | None:
    token = at.token
    if token is None or token.type not in ("~=", "propto") or not at.wants_operator or at.word == "claim":
        return None
    return at.report(f"`{token}` relates the steps of a claim", token, "write `claim a ~=[w] b`, or `claim a propto[z] b`")


def _draw(at: Situation) -> Diagnostic | None:
    """`~` outside the bracket of an operator."""
    token = at.token
    if token is None or token.type != "~":
        return None
    if at.word == "dist" and not at.brackets:
        return at.report("a dist gives a density by `=`", token, "write `dist p(z) = Normal(0, 1)`")
    if at.bracket == "[" and at.previous is not None and at.previous.type != "NAME":
        return at.report("only a name can be drawn", token, "write `E[z ~ p](..)`")
    help = "write `E[z ~ p](..)`; `dist p(z) = ..` gives z its density"
    if at.word in ("data", "param", "const"):
        name = at.written(at.tokens[1])[:20]
        help = f"a declaration gives a domain; write `dist p({name}) = ..` for a prior, `= ..` for an initial value"
    return at.report("`~` draws a name in the bracket of an operator", token, help)


def _range(at: Situation) -> Diagnostic | None:
    token = at.token
    if token is None or token.type != "..":
        return None
    return at.report("a range stands in the bracket of an operator, after its index", token, "write `sum[t: 1..T](..)`")


def _bars(at: Situation) -> Diagnostic | None:
    """|x| and ||x||, and bars outside of brackets."""
    token = at.token
    if token is None or token.type not in ("|", "||"):
        return None
    if at.wants_operand:
        if token.type == "|":
            return at.report("`|x|` is not written so here", token, "write `abs(x)`, or `det(A)` for a determinant")
        return at.report("`||x||` is not written so here", token, "write `norm(x)`")
    if at.bracket == "(" and {"|", "||"} & {str(t.type) for t in at.tokens[at.brackets[-1] : at.position]}:
        return at.report(f"a second {at.quote(token)} in one bracket", token, "write `p(x | z, y)`, or `KL(q || p)`")
    if token.type == "|":
        return at.report("`|` stands in the bracket of a density, before what is given", token, "write `p(x | z)`")
    return at.report("`||` stands in the bracket of a divergence", token, "write `KL(q || p)`")


def _braces(at: Situation) -> Diagnostic | None:
    token = at.token
    if token is None or token.type != "{" or at.word == "game":
        return None
    help = "write `(..)` around an expression, `[..]` around a list"
    if at.previous is not None and at.previous.endswith("_"):
        name = at.previous.rstrip("_")
        help = "write `E[x ~ p](..)` for an expectation, `x[i]` for an entry"
        if name in ("sum", "prod", "max", "min", "mean"):
            help = f"write `{name}[i](..)`"
    return at.report("braces hold the players of a game, and nothing else", token, help)


def _stray_reason(at: Situation) -> Diagnostic | None:
    token = at.token
    if token is None or token.type != "STRING":
        return None
    if at.word == "claim" and at.previous is not None and at.previous.type == "STRING":
        return at.report("a step has one reason", token, "write both in one string")
    if at.word == "claim" and not at.brackets:
        return None
    help = "comments start with `#`" if at.word != "claim" else "write it at the end of the step"
    return at.report("a reason stands only after a step of a claim", token, help)


def _quote(at: Situation) -> Diagnostic | None:
    token = at.token
    if token is None or token.type != "'" or not at.wants_operand:
        return None
    help = "a reason stands in double quotes" if at.word == "claim" else "write `A'` for the transpose of A"
    return at.report("`'` is the transpose and follows what it transposes", token, help)


# --- `=` and `==`, `:` ------------------------------------------------------------------------------------------------


def _equal_signs(at: Situation) -> Diagnostic | None:
    """`=` where only `==` compares, and the other way round."""
    token = at.token
    if token is None:
        return None
    if token.type == "==" and "=" in at.accepted:
        claims = "`==` compares inside an expression; a claim relates its steps by `=`"
        return at.report(claims if at.word == "claim" else "`==` compares", token, "write `=`")
    if token.type == "!=" and at.word == "claim" and not at.brackets:
        return at.report("a claim cannot say `!=`", token, "its relations are = <= >= < > propto[..] ~=[..]")
    if token.type != "=" or not at.wants_operator:
        return None
    if at.brackets:
        if at.bracket == "(" and at.function and at.function not in ("where", "and", "or", "not"):
            return at.report("`=` does not compare", token, "write `==` to compare; the keyword before `=` is a single name")
        return at.report("`=` does not compare", token, "write `==`")
    if at.word in ("let", "loss", "def", "dist"):
        return at.report(f"a `{at.word}` has one `=`", token, "write `==` to compare, or a `claim` to relate two expressions")
    if at.word == "derive":
        return at.report("`derive` takes an expression", token, "write `claim a = b` to check that two expressions are equal")
    if at.word == "":
        return at.report("an expression has no `=`", token, "write `==` to compare; a claim `a = b` is checked, not derived")
    return at.report("`=` does not compare", token, "write `==`")


def _colon(at: Situation) -> Diagnostic | None:
    token, previous = at.token, at.previous
    if token is None or previous is None:
        return None
    if previous.type == ":" and at.accepted <= {"max", "min"}:
        return at.report("a player must say `max` or `min`", previous, "write `D: max V`", to=token)
    if token.type != ":":
        return None
    if at.word in ("let", "loss") and at.position == 2:
        return at.report(f"a `{at.word}` takes its domain from its value", token, f"write `{at.word} {previous} = ..`")
    if at.word == "derive" and at.position == 2:
        return at.report("a `derive` is named by `=`", token, f"write `derive {previous} = ..`")
    if at.word in ("dist", "def") and not at.brackets:
        return at.report(f"a `{at.word}` has no domain of its own", token, USAGE[at.word])
    return None


# --- operands, operators, names ---------------------------------------------------------------------------------------


def _split_operator(at: Situation) -> Diagnostic | None:
    """`< =` for `<=`."""
    token, previous = at.token, at.previous
    if token is None or previous is None or previous.end == token.start:
        return None
    together = str(previous) + str(token)
    if together not in ("<=", ">=", "==", "!=", "||", "**", "//", "~=", "..") or not at.wants_operand:
        return None
    return at.report(f"`{previous} {token}` is broken in two", previous, f"write `{together}`", to=token)


def _missing_operand(at: Situation) -> Diagnostic | None:
    token, previous = at.token, at.previous
    if not at.wants_operand:
        return None
    if previous is None:
        assert token is not None
        return at.report(f"an expression must stand before {at.quote(token)}", token)
    if token is not None and token.type in (")", "]", "}") and previous.type in ("(", "["):
        if previous.type == "[":
            help = "write `x[0]`, `x[1:]` or `sum[i](..)`" if at.function else "write `[a, b]`"
        else:
            help = None
        return at.report(f"the brackets `{previous}{token}` are empty", previous, help, to=token)
    help = USAGE.get(at.word) if at.position == 1 else None
    if token is None:
        return at.report(f"an expression must follow {at.quote(previous)}", previous, help)
    label = f"and not {at.quote(token)}"
    if previous.type in ("(", "[", ",", ":", "{"):
        return at.report(f"an expression must stand before {at.quote(token)}", token)
    if token.type in ("*", "/", "@", "^") and previous.type == token.type:
        help = f"write `{token}` once"
    return at.report(f"an expression must follow {at.quote(previous)}", token, help, label)


def _missing_operator(at: Situation) -> Diagnostic | None:
    """Two operands side by side."""
    token, previous = at.token, at.previous
    if token is None or previous is None or not at.wants_operator:
        return None
    if token.type not in ("NAME", "NUMBER", "(", "[", "log", "not"):
        return None
    for word in (token, previous):
        if word.type == "NAME" and word in OTHER_WORDS:
            return at.report(f"{at.quote(word)} is not an operator here", word, OTHER_WORDS[word])
    left, right = at.written(previous), at.written(token)
    comma = " or a comma" if "," in at.accepted else ""
    if previous.type == "NUMBER" and token.type in ("NAME", "(", "log"):
        help = f"write `{left[:20]}*{right[:20]}{'..)' if right == '(' else ''}`"
        comma = ""
    elif previous.type == "NAME" and token.type in ("NAME", "NUMBER"):
        following = at.near(1)
        if at.bracket == "{" and following is not None and following.type == ":":
            return at.report(f"a comma is missing between {quoted(left)} and {quoted(right)}", previous, USAGE["game"], to=token)
        a, b = left[:20], right[:20]
        products = f"`{a}*{b}` or `{a} @ {b}` for a product"
        if comma:
            products = f"`{a}, {b}` for two {'arguments' if at.bracket == '(' else 'entries'}, {products}"
        application = f"`{a}({b})` for a function `{a}` of `{b}`"
        help = f"write {products}, {application}" if len(a) == 1 else f"write {application}, {products}"
        if left in ("grad", "hessian", "jacobian", "argmin", "argmax"):
            help = f"write `{left}({b}, x)`"
    elif token.type == "(":
        help = "write `*` or `@`; only a name is applied by brackets"
    elif previous.type == "]" and at.opened_by_name(at.position - 1):
        help = "write `*` or `@` for a product; the body of an operator stands in brackets, as in `sum[i](..)`"
    elif token.type == "[":
        help = "write `*` or `@`; `[` picks entries where it follows without another operand"
    else:
        help = "write `*` for the product of elements, `@` for the matrix product"
    if at.start == "statement" and token.type == "NAME" and token in STATEMENT_WORDS and not at.brackets:
        help = "each statement starts on a line of its own"
    message = f"an operator{comma} is missing between {quoted(left, 20)} and {quoted(right, 20)}"
    return at.report(message, previous, help, to=token)


def _missing_name(at: Situation) -> Diagnostic | None:
    token, previous = at.token, at.previous
    if not at.wants_name or previous is None:
        return None
    help = USAGE.get(at.word)
    if previous.type == ":" and "[" in at.accepted:
        return at.report("a domain must follow `:`", token or previous, DOMAINS, "" if token is None else "and not this")
    if token is None:
        return at.report(f"a name must follow {at.quote(previous)}", previous, help)
    if token.type == "(" and at.word in ("def", "dist", "function", "density"):
        return at.report(f"a name must follow {at.quote(previous)}", token, help, "before the bracket")
    if token.type in (")", "]", "}", ","):
        return at.report(f"a name must stand before {at.quote(token)}", token, help)
    return at.report(f"a name must follow {at.quote(previous)}", token, help, f"and not {at.quote(token)}")


def _missing_comma(at: Situation) -> Diagnostic | None:
    token, previous = at.token, at.previous
    if token is None or previous is None or "," not in at.accepted or at.wants_operand:
        return None
    if token.type not in ("NAME", "[") or previous.type not in ("NAME", "NUMBER", ")", "]"):
        return None
    if ":" in at.accepted and at.word in ("data", "param", "const") and token in KNOWN_DOMAINS:
        name = at.written(previous)
        return at.report(f"`:` is missing after {quoted(name)}", previous, f"write `{name[:20]}: {token}`", to=token)
    message = f"a comma is missing between {at.quote(previous)} and {at.quote(token)}"
    return at.report(message, previous, USAGE.get(at.word) if not at.brackets else None, to=token)


# --- statements -------------------------------------------------------------------------------------------------------


def _one_definition(at: Situation) -> Diagnostic | None:
    """`let a = 1, b = 2`"""
    token = at.token
    if token is None or token.type != "," or at.brackets or at.word not in ("let", "loss", "def", "dist", "derive", "claim"):
        return None
    if at.wants_operand:
        return None
    message = f"a `{at.word}` takes one expression" if at.word == "derive" else f"a `{at.word}` defines one name"
    if at.word == "claim":
        message = "a `claim` is one chain of relations"
    thousands = at.near(1)
    if at.previous is not None and at.previous.type == "NUMBER" and thousands is not None and thousands.type == "NUMBER":
        return at.report("a number has no commas", at.previous, f"write `{at.previous}{thousands}`"[:60], to=thousands)
    if at.word == "dist" and not any(t.type == "=" for t in at.tokens[: at.position]):
        return at.report("`=` is missing", token, USAGE["dist"])
    return at.report(message, token, f"write another `{at.word}` on a line of its own")


def _head_without_variables(at: Situation) -> Diagnostic | None:
    previous = at.previous
    if at.accepted != {"("} or previous is None or previous.type != "NAME":
        return None
    if at.word not in ("dist", "density", "function", "def"):
        return None
    name = at.written(previous)
    if at.word == "def":
        return at.report(f"the function {quoted(name)} needs its arguments", previous, f"write `def {name[:20]}(t) = ..`")
    return at.report(f"`{at.word} {name[:30]}` must say what it is over", previous, USAGE[at.word])


def _let_of_function(at: Situation) -> Diagnostic | None:
    """`let f(x) = ..`"""
    token, previous = at.token, at.previous
    if token is None or previous is None or token.type != "(" or at.position != 2 or at.word not in ("let", "loss"):
        return None
    name = at.written(previous)[:20]
    return at.report(f"a `{at.word}` names a value", token, f"write `def {name}(t) = ..` for a function")


def _players(at: Situation) -> Diagnostic | None:
    token, previous = at.token, at.previous
    if at.word != "game" or previous is None:
        return None
    if previous.type == "=" and at.accepted == {"{"}:
        return at.report("the players of a game stand in braces", token or previous, USAGE["game"])
    if token is None or at.bracket != "{" or at.wants_operand:
        return None
    if token.type == "}" and previous.type == "{":
        return at.report("a game needs its players", previous, USAGE["game"], to=token)
    if ":" in at.accepted:
        return at.report(f"`:` is missing after {at.quote(previous)}", previous, f"write `{at.written(previous)[:20]}: max V`")
    return None


def _train(at: Situation) -> Diagnostic | None:
    """Options of training that are not after a comma, and words of other languages."""
    token, previous = at.token, at.previous
    if at.word != "train" or token is None or previous is None or at.brackets:
        return None
    if token.type == "NAME" and "," in at.accepted and any(t.type == "wrt" for t in at.tokens[: at.position - 1]):
        names = "with" in at.accepted
        message = f"a comma is missing between {at.quote(previous)} and {at.quote(token)}"
        return at.report(message, previous, "write `wrt a, b`" if names else USAGE["train"], to=token)
    if token.type == "NAME" and "with" in at.accepted:
        return at.report(f"{at.quote(token)} cannot stand here", token, USAGE["train"])
    if token.type == "NAME" and "," in at.accepted:
        return at.report(f"a comma is missing before {at.quote(token)}", token, USAGE["train"])
    if previous.type == "NAME" and at.accepted == {"="}:
        return at.report(f"the option {at.quote(previous)} needs a value", previous, f"write `{previous}=..`")
    return None


# --- what could have stood there --------------------------------------------------------------------------------------


_KINDS = {"NAME": "a name", "NUMBER": "a number", "STRING": "a reason", END: "the end of the statement"}
_ORDER = ("=", ":", "(", ",", ")", "]", "}", "[", "{", "wrt", "with", "max", "min")


def _could_be(at: Situation) -> str:
    """The accepted terminals in words."""
    words = [f"`{t}`" for t in _ORDER if t in at.accepted]
    words = [_KINDS["NAME"]] * at.wants_name + words
    if at.wants_operator:
        words = ["an operator", *words]
    if END in at.accepted:
        words.append(_KINDS[END])
    words = words[:4] or [f"`{t}`" for t in sorted(at.accepted)][:4]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _something_missing(at: Situation) -> Diagnostic:
    token, previous = at.token, at.previous
    help = USAGE.get(at.word)
    if token is not None and token.type == "," and at.bracket == "(" and not at.function:
        help = "a list stands in square brackets: write `[a, b]`"
    if token is None or len(at.accepted) == 1:
        assert previous is not None
        return at.report(f"{_could_be(at)} must follow {at.quote(previous)}", previous if token is None else token, help)
    return at.report(f"{at.quote(token)} cannot stand here", token, help, f"{_could_be(at)} would do")


_RULES: tuple[Rule, ...] = (
    _no_statement,
    _log_of_nothing,
    _relation_needs_names,
    _relation_outside_claim,
    _split_operator,
    _draw,
    _range,
    _bars,
    _braces,
    _stray_reason,
    _quote,
    _let_of_function,
    _head_without_variables,
    _equal_signs,
    _colon,
    _players,
    _one_definition,
    _missing_operand,
    _missing_operator,
    _train,
    _missing_comma,
    _missing_name,
)


def explain(at: Situation) -> Diagnostic:
    """The diagnostic of a statement that does not parse."""
    for rule in _RULES:
        found = rule(at)
        if found is not None:
            return found
    return _something_missing(at)

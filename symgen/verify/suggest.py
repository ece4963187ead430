"""The way out of a wrong step: one small edit that makes it hold. Most slips are one sign, factor, log or transpose.

Edits are made on the tree, so that they can be said in the author's words: `- k` for `+ k`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from symgen.tensor.clock import spent
from symgen.text.names import GREEK
from symgen.text.tree import (
    Binder,
    Call,
    Expression,
    Factors,
    Keyword,
    Logical,
    Name,
    Number,
    Part,
    Power,
    Source,
    Span,
    Subscript,
    Terms,
    Transpose,
)

__all__ = ["Edit", "balanced", "edits", "suggest"]

SECONDS = 1.5
MAX_EDITS = 600
TWO = Number(Fraction(2), "2")


@dataclass(frozen=True)
class Edit:
    """`after` stands for `before`, at `span`; `result` is the whole expression with it."""

    result: Expression
    before: str
    after: str
    span: Span

    @property
    def text(self) -> str:
        return f"`{self.after}` for `{self.before}`"


def suggest(
    expression: Expression,
    source: Source,
    holds: Callable[[Expression], bool],
    sizes: Sequence[str] = (),
    names: Sequence[str] = (),
    seconds: float = SECONDS,
    lost: Sequence[str] = (),
) -> Edit | None:
    """The first edit under which the step holds; `holds` decides on the edited expression. `sizes` are the dims that a
    factor may be missing of, `names` what a name may have been mistaken for, `lost` those that the step before has."""
    until = spent() + seconds
    for k, edit in enumerate(edits(expression, source, sizes, names, lost)):
        if k >= MAX_EDITS or spent() > until:
            return None
        if holds(edit.result):
            return edit
    return None


def edits(
    expression: Expression, source: Source, sizes: Sequence[str] = (), names: Sequence[str] = (), lost: Sequence[str] = ()
) -> Iterator[Edit]:
    """All single edits, the likely kinds first and of each kind the outer places first."""
    kinds: list[Callable[[Expression, _Text], Iterator[_Change]]] = [
        _signs, _factors, lambda e, t: _restored(e, t, lost), _transposes, _logs, _powers, _orders, _reductions,
        lambda e, t: _sizes(e, t, sizes), lambda e, t: _names(e, t, names), _numbers, _dropped,
    ]  # fmt: skip
    written = _Text(source, expression)
    places = list(_places(expression))
    seen: set[Expression] = {expression}
    for kind in kinds:
        for place, rebuild in places:
            for change in kind(place, written):
                result = rebuild(change.result)
                if result not in seen:
                    seen.add(result)
                    yield Edit(result, change.before, change.after, place.span)


@dataclass(frozen=True)
class _Change:
    result: Expression
    before: str
    after: str


class _Text:
    """The author's text of an expression, in the language or in LaTeX."""

    def __init__(self, source: Source, whole: Expression) -> None:
        self.source = source
        own = source.text[whole.span.start : whole.span.end]
        self.is_tex = "\\" in own or ("@" not in own and _has_matrix_product(whole))

    def __call__(self, e: Expression) -> str:
        start, end = e.span.start, e.span.end
        if self.is_tex:  # spans of LaTeX leave out closing brackets
            start, end = balanced(self.source.text, start, end)
        return " ".join(self.source.text[start:end].split())

    def tight(self, e: Expression) -> str:
        """With brackets where it is a sum."""
        text = self(e)
        return f"({text})" if isinstance(e, Terms) and not _is_wrapped(text) else text

    def times(self, a: str, b: str) -> str:
        return f"{a} {b}" if self.is_tex else f"{a}*{b}"

    def applied(self, function: str, e: Expression) -> str:
        if not self.is_tex:
            return f"{function}({self(e)})"
        return {"sqrt": f"\\sqrt{{{self(e)}}}", "inv": f"{self.tight(e)}^{{-1}}"}.get(function, f"\\{function}({self(e)})")

    def named(self, name: str) -> str:
        return f"\\{name}" if self.is_tex and name in GREEK.values() else name

    def transposed(self, text: str) -> str:
        return f"{text}^\\top" if self.is_tex else f"{text}'"


def _has_matrix_product(e: Expression) -> bool:
    return any(isinstance(x, Factors) and any(op == "@" for op, _ in x.rest) for x, _ in _places(e))


_PAIRS = {"(": ")", "[": "]", "{": "}"}


def balanced(text: str, start: int, end: int) -> tuple[int, int]:
    """A span widened until every bracket in it has its partner, where they stand next to it."""
    waiting: list[str] = []
    missing: list[str] = []
    for ch in text[start:end]:
        if ch in _PAIRS:
            waiting.append(_PAIRS[ch])
        elif ch in _PAIRS.values():
            if waiting and waiting[-1] == ch:
                waiting.pop()
            else:
                missing.append(ch)
    opening = {close: open for open, close in _PAIRS.items()}
    for close in reversed(waiting):
        rest = text[end:].lstrip()
        gap = len(text) - end - len(rest)
        if not rest.startswith((close, "\\right" + close)):
            break
        end += gap + (len("\\right") if rest.startswith("\\right") else 0) + 1
    for close in missing:
        before = text[:start].rstrip()
        if not before.endswith(opening[close]):
            break
        start = len(before) - 1
        while text[:start].endswith(("\\left", "\\frac", "\\tfrac", "\\dfrac", "\\sqrt")):
            start = text[:start].rindex("\\")
    return start, end


def _is_wrapped(text: str) -> bool:
    if not (text.startswith("(") and text.endswith(")")):
        return False
    depth = 0
    for k, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0 and k < len(text) - 1:
            return False
    return True


Rebuild = Callable[[Expression], Expression]


def _places(e: Expression) -> Iterator[tuple[Expression, Rebuild]]:
    """Every sub-expression, from the outside in, with what puts another in its place."""
    queue: list[tuple[Expression, Rebuild]] = [(e, lambda x: x)]
    while queue:
        node, rebuild = queue.pop(0)
        yield node, rebuild
        for child, put in _children(node):
            queue.append((child, lambda x, put=put, rebuild=rebuild: rebuild(put(x))))  # type: ignore[misc]


def _swap(items: tuple[Expression, ...], k: int, x: Expression) -> tuple[Expression, ...]:
    return (*items[:k], x, *items[k + 1 :])


def _children(e: Expression) -> Iterator[tuple[Expression, Rebuild]]:
    if isinstance(e, Terms):
        for k, (sign, term) in enumerate(e.terms):

            def put(x: Expression, k: int = k, sign: int = sign) -> Expression:
                return replace(e, terms=(*e.terms[:k], (sign, x), *e.terms[k + 1 :]))

            yield term, put
    elif isinstance(e, Factors):
        yield e.first, lambda x: replace(e, first=x)
        for k, (op, f) in enumerate(e.rest):

            def put_factor(x: Expression, k: int = k, op: str = op) -> Expression:
                return replace(e, rest=(*e.rest[:k], (op, x), *e.rest[k + 1 :]))

            yield f, put_factor
    elif isinstance(e, Power):
        yield e.base, lambda x: replace(e, base=x)
        yield e.exponent, lambda x: replace(e, exponent=x)
    elif isinstance(e, Transpose | Part | Subscript):
        yield e.operand, lambda x: replace(e, operand=x)
    elif isinstance(e, Call | Binder):
        for k, a in enumerate(e.arguments):

            def put_argument(x: Expression, k: int = k) -> Expression:
                return replace(e, arguments=_swap(e.arguments, k, x))

            yield a, put_argument
        for k, key in enumerate(e.keywords):

            def put_keyword(x: Expression, k: int = k, key: Keyword = key) -> Expression:
                return replace(e, keywords=(*e.keywords[:k], replace(key, value=x), *e.keywords[k + 1 :]))

            yield key.value, put_keyword
    elif isinstance(e, Logical):
        return


def _signs(e: Expression, text: _Text) -> Iterator[_Change]:
    if isinstance(e, Terms):
        for k, (sign, term) in enumerate(e.terms):
            flipped = replace(e, terms=(*e.terms[:k], (-sign, term), *e.terms[k + 1 :]))
            yield _Change(flipped, _signed(sign, text(term), k), _signed(-sign, text(term), k))
    elif not isinstance(e, Number):
        yield _Change(Terms(((-1, e),), span=e.span), text(e), f"-{text.tight(e)}")


def _signed(sign: int, term: str, k: int) -> str:
    if k == 0:
        return term if sign > 0 else f"-{term}"
    return f"{'+' if sign > 0 else '-'} {term}"


def _factors(e: Expression, text: _Text) -> Iterator[_Change]:
    """A factor 2 or 1/2 that is missing, and any factor that is too many."""
    if isinstance(e, Factors):
        parts = [("*", e.first), *e.rest]
        for k, (op, f) in enumerate(parts):
            rest = parts[:k] + parts[k + 1 :]
            if op == "@" or (k == 0 and rest[0][0] != "*"):
                continue
            first, others = rest[0][1], tuple(rest[1:])
            less = replace(e, first=first, rest=others) if others else first
            yield _Change(less, text(e), _joined(text, rest))
            if isinstance(f, Number) and op == "*":
                yield _Change(replace(e, first=first, rest=(*others, ("/", f))), text(e), f"{_joined(text, rest)}/{text(f)}")
    if isinstance(e, Number):
        return
    yield _Change(Factors(TWO, (("*", e),), span=e.span), text(e), text.times("2", text.tight(e)))
    yield _Change(Factors(e, (("/", TWO),), span=e.span), text(e), f"{text.tight(e)}/2")


def _joined(text: _Text, parts: Sequence[tuple[str, Expression]]) -> str:
    out = text.tight(parts[0][1])
    for op, f in parts[1:]:
        if text.is_tex and op in "@*":
            out += f" {text.tight(f)}"
        else:
            out += f" {op} {text.tight(f)}" if op == "@" else f"{op}{text.tight(f)}"
    return out


def _transposes(e: Expression, text: _Text) -> Iterator[_Change]:
    if isinstance(e, Transpose):
        yield _Change(e.operand, text(e), text(e.operand))
    elif isinstance(e, Name | Call):
        yield _Change(Transpose(e, span=e.span), text(e), text.transposed(text(e)))
    elif isinstance(e, Factors) and any(op == "@" for op, _ in e.rest):
        yield _Change(Transpose(e, span=e.span), text(e), text.transposed(f"({text(e)})"))


def _logs(e: Expression, text: _Text) -> Iterator[_Change]:
    if isinstance(e, Call) and e.function in ("log", "exp", "sqrt", "abs", "inv") and len(e.arguments) == 1:
        yield _Change(e.arguments[0], text(e), text(e.arguments[0]))
    if isinstance(e, Name | Call | Factors | Subscript):
        for f in ("log", "exp", "inv"):
            yield _Change(Call(f, (e,), span=e.span), text(e), text.applied(f, e))


def _powers(e: Expression, text: _Text) -> Iterator[_Change]:
    if isinstance(e, Power):
        yield _Change(e.base, text(e), text(e.base))
        if isinstance(e.exponent, Terms | Name | Number):
            yield _Change(
                replace(e, exponent=Terms(((-1, e.exponent),), span=e.exponent.span)),
                text(e),
                f"{text.tight(e.base)}^(-{text.tight(e.exponent)})",
            )
    elif isinstance(e, Name | Call | Subscript):
        yield _Change(Power(e, TWO, span=e.span), text(e), f"{text(e)}^2")
    if isinstance(e, Name | Call | Subscript | Factors):
        yield _Change(Call("sqrt", (e,), span=e.span), text(e), text.applied("sqrt", e))


def _orders(e: Expression, text: _Text) -> Iterator[_Change]:
    """Neighbours exchanged: factors of a product, a quotient turned round."""
    if isinstance(e, Factors):
        parts = [("*", e.first), *e.rest]
        for k in range(len(parts) - 1):
            op = parts[k + 1][0]
            if op == "@" or (op == "/" and k == 0):
                turned = list(parts)
                turned[k], turned[k + 1] = (parts[k][0], parts[k + 1][1]), (op, parts[k][1])
                result = replace(e, first=turned[0][1], rest=tuple(turned[1:]))
                yield _Change(result, text(e), _joined(text, turned))
            if op in "*/":
                turned = list(parts)
                turned[k + 1] = ("/" if op == "*" else "*", parts[k + 1][1])
                result = replace(e, first=turned[0][1], rest=tuple(turned[1:]))
                yield _Change(result, text(e), _joined(text, turned))
    if isinstance(e, Call) and len(e.arguments) == 2:
        a, b = e.arguments
        yield _Change(replace(e, arguments=(b, a)), text(e), f"{e.function}({text(b)}, {text(a)})")
    if isinstance(e, Call) and len(e.arguments) == len(e.versus) == 1 and not e.given:
        p, q = e.arguments[0], e.versus[0]
        yield _Change(replace(e, arguments=(q,), versus=(p,)), text(e), f"{e.function}({text(q)} || {text(p)})")


_KIN = {"sum": ("mean", "prod"), "mean": ("sum",), "prod": ("sum",), "max": ("min",), "min": ("max",), "sin": ("cos",),
        "cos": ("sin",), "tr": ("logdet", "det"), "logdet": ("det", "tr"), "det": ("logdet",), "digamma": ("lgamma",),
        "lgamma": ("digamma",), "diag": ("diagonal",), "softmax": ("log_softmax", "sigmoid"), "sigmoid": ("tanh",),
        "tanh": ("sigmoid",)}  # fmt: skip


def _reductions(e: Expression, text: _Text) -> Iterator[_Change]:
    if isinstance(e, Call | Binder):
        for other in _KIN.get(e.function, ()):
            shown, slash = text(e), "\\" * text.is_tex
            if shown.startswith(slash + e.function):  # else it is written in another way
                yield _Change(replace(e, function=other), shown, slash + other + shown[len(slash + e.function) :])
    if isinstance(e, Name | Call):
        yield _Change(Call("sum", (e,), span=e.span), text(e), text.applied("sum", e))


def _sizes(e: Expression, text: _Text, sizes: Sequence[str]) -> Iterator[_Change]:
    """A size that is missing as a factor or a divisor."""
    if isinstance(e, Number):
        return
    for n in sizes:
        yield _Change(Factors(e, (("/", Name(n)),), span=e.span), text(e), f"{text.tight(e)}/{text.named(n)}")
        yield _Change(Factors(Name(n), (("*", e),), span=e.span), text(e), text.times(text.named(n), text.tight(e)))


def _restored(e: Expression, text: _Text, lost: Sequence[str]) -> Iterator[_Change]:
    """A factor that was lost on the way from the step before."""
    if isinstance(e, Number):
        return
    for n in lost:
        yield _Change(Factors(Name(n), (("*", e),), span=e.span), text(e), text.times(text.named(n), text.tight(e)))
        yield _Change(Factors(e, (("/", Name(n)),), span=e.span), text(e), f"{text.tight(e)}/{text.named(n)}")


def _numbers(e: Expression, text: _Text) -> Iterator[_Change]:
    if isinstance(e, Number):
        v = e.value
        for other in (v + 1, v - 1, 2 * v, v / 2, 1 / v if v else v, v * v):
            if other != v and other >= 0:
                yield _Change(Number(other, str(other), span=e.span), text(e), str(other))
    elif isinstance(e, Name | Call | Terms | Factors):
        yield _Change(Terms(((1, Number(Fraction(1), "1")), (-1, e)), span=e.span), text(e), f"1 - {text.tight(e)}")
        yield _Change(Terms(((1, e), (-1, Number(Fraction(1), "1"))), span=e.span), text(e), f"{text(e)} - 1")
        yield _Change(Terms(((1, e), (1, Number(Fraction(1), "1"))), span=e.span), text(e), f"{text(e)} + 1")


def _dropped(e: Expression, text: _Text) -> Iterator[_Change]:
    if isinstance(e, Terms) and len(e.terms) > 1:
        for k in range(len(e.terms)):
            left = (*e.terms[:k], *e.terms[k + 1 :])
            shown = " ".join(_signed(s, text(t), j) for j, (s, t) in enumerate(left))
            yield _Change(replace(e, terms=left), text(e), shown)


def _names(e: Expression, text: _Text, names: Sequence[str]) -> Iterator[_Change]:
    if isinstance(e, Name):
        for n in names:
            if n != e.name:
                yield _Change(Name(n, span=e.span), text(e), text.named(n))

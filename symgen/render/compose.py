"""Builders of trees that read as a person writes: order of terms and factors, signs in front, one fraction bar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

from symgen.render.language import number_text, unparse
from symgen.text import tree as t
from symgen.text.parse import parse_expression

REDUCTIONS = frozenset("sum mean prod max min logsumexp".split())
Chain = tuple[t.Expression, ...]
ELEMENTWISE = frozenset(
    "exp log log1p expm1 sqrt abs sign sin cos tan sinh cosh tanh asin acos atan sigmoid softplus relu leaky_relu elu "
    "gelu silu erf erfc lgamma gamma digamma trigamma polygamma max min clip xlogy floor where".split()
)


def number(value: Fraction | int) -> t.Expression:
    """An exact number; below zero it is a term with its sign."""
    value = Fraction(value)
    if value < 0:
        return t.Terms(((-1, number(-value)),))
    if value.denominator == 1:
        return t.Number(value)
    return t.Factors(t.Number(Fraction(value.numerator)), (("/", t.Number(Fraction(value.denominator))),))


def call(function: str, *arguments: t.Expression, **keywords: t.Expression) -> t.Call:
    return t.Call(function, arguments, tuple(t.Keyword(k, v) for k, v in keywords.items()))


def is_number(e: t.Expression) -> bool:
    return isinstance(e, t.Number)


def signed(e: t.Expression) -> tuple[int, t.Expression]:
    """-x as (-1, x)."""
    if isinstance(e, t.Terms) and len(e.terms) == 1:
        return e.terms[0]
    return 1, e


def negated(e: t.Expression) -> t.Expression:
    sign, x = signed(e)
    if sign < 0:
        return x
    if isinstance(x, t.Terms):
        return sum_of((-s, y) for s, y in x.terms)
    return t.Terms(((-1, x),))


def transposed(e: t.Expression) -> t.Expression:
    """The transpose of a matrix, moved inwards past products and signs."""
    match e:
        case t.Transpose(operand):
            return operand
        case t.Call("diag" | "eye"):
            return e
        case t.Call("outer", (x, y)):
            return call("outer", y, x)
    sign, x = signed(e)
    if sign < 0:
        return t.Terms(((-1, transposed(x)),))
    return t.Transpose(e)


def outer(x: t.Expression, y: t.Expression) -> t.Expression:
    """outer(x, y), signs in front."""
    (a, x), (b, y) = signed(x), signed(y)
    made = call("outer", x, y)
    return made if a * b > 0 else t.Terms(((-1, made),))


def spread(vector: t.Expression, size: t.Expression) -> t.Expression:
    """A vector over the rows, as a matrix with `size` equal columns, or as a column where it is a reduction."""
    sign, x = signed(vector)
    kept = column(x) or call("outer", x, call("ones", size))
    return kept if sign > 0 else t.Terms(((-1, kept),))


def column(x: t.Expression) -> t.Expression | None:
    """sum(A, axis=1) kept as a column."""
    match x:
        case t.Call(function, (_,), (t.Keyword("axis", t.Number(value)),)) if value == 1 and function in REDUCTIONS:
            return t.Call(function, x.arguments, (*x.keywords, t.Keyword("keepdims", t.Name("True"))))
    return None


def exponential(e: t.Expression) -> t.Expression:
    """exp(e); with log-densities in e, exp(log q(x) - log p(x)) = q(x)/p(x)."""
    terms = e.terms if isinstance(e, t.Terms) else ((1, e),)
    densities = [(s, replace(x, log=False)) for s, x in terms if isinstance(x, t.Call) and x.log]
    if not densities:
        return t.Call("exp", (e,))
    rest = tuple((s, x) for s, x in terms if not (isinstance(x, t.Call) and x.log))
    factors: list[tuple[str, t.Expression]] = [("*" if s > 0 else "/", x) for s, x in sorted(densities, key=lambda pair: -pair[0])]
    if rest:
        alone = rest[0][1] if len(rest) == 1 and rest[0][0] > 0 else t.Terms(rest)
        factors.insert(sum(op == "*" for op, _ in factors), ("*", t.Call("exp", (alone,))))
    if factors[0][0] == "/":
        factors.insert(0, ("*", number(1)))
    return factors[0][1] if len(factors) == 1 else t.Factors(factors[0][1], tuple(factors[1:]))


# --- order ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=20_000)
def weight(e: Any) -> int:
    """How much ink: nodes of the tree; a transpose costs one more."""
    own = 1
    if isinstance(e, t.Transpose):
        own = 2
    elif isinstance(e, t.Call) and e.function in ("ones", "zeros"):
        own = 4
    return own + sum(weight(x) for x in parts(e))


@lru_cache(maxsize=20_000)
def transposes(e: Any) -> int:
    return int(isinstance(e, t.Transpose)) + sum(transposes(x) for x in parts(e))


def parts(e: Any) -> Iterable[Any]:
    """The expressions directly below a tree, those in keywords and brackets included."""
    match e:
        case t.Terms(terms):
            return [x for _, x in terms]
        case t.Factors(first, rest):
            return [first, *(x for _, x in rest)]
        case t.Power(base, exponent):
            return [base, exponent]
        case t.Transpose(operand) | t.Part(operand):
            return [operand]
        case t.Comparison(operands) | t.Logical(_, operands):
            return operands
        case t.Slice(a, b, c):
            return [x for x in (a, b, c) if x is not None]
        case t.Subscript(operand, items):
            return [operand, *items]
        case t.Call():
            return [*e.arguments, *(k.value for k in e.keywords), *e.given, *e.versus]
        case t.Binder():
            return [*e.specs, *e.arguments, *(k.value for k in e.keywords)]
        case t.IndexSpec(_, size, lower, upper):
            return [x for x in (size, lower, upper) if x is not None]
        case t.Draw(_, law, sizes):
            return [law, *sizes]
        case t.ListOf(items):
            return items
    return []


@lru_cache(maxsize=20_000)
def degree(e: t.Expression) -> int | None:
    """The degree of a polynomial in names, or None where a function stands."""
    match e:
        case t.Number() | t.Call("eye" | "ones" | "zeros"):
            return 0
        case t.Name():
            return 1
        case t.Transpose(x) | t.Subscript(x):
            return degree(x)
        case t.Power(base, t.Number(value)) if value.denominator == 1:
            inner = degree(base)
            return None if inner is None else int(inner * value)
        case t.Terms(terms):
            degrees = [degree(x) for _, x in terms]
            return None if None in degrees else max(x for x in degrees if x is not None)
        case t.Factors(first, rest):
            out = degree(first)
            if any(op == "@" for op, _ in rest):
                return None
            for op, x in rest:
                below = degree(x)
                if below is None or out is None:
                    return None
                out = out - below if op == "/" else out + below
            return out
    return None


def is_filler(e: t.Expression) -> bool:
    """outer(v, ones(n)): a vector spread over the other axis."""
    return (
        isinstance(e, t.Call) and e.function == "outer" and any(isinstance(a, t.Call) and a.function == "ones" for a in e.arguments)
    )


@lru_cache(maxsize=20_000)
def fillers(e: Any) -> int:
    return int(isinstance(e, t.Call) and is_filler(e)) + sum(fillers(x) for x in parts(e))


def is_shift(e: t.Expression) -> bool:
    """lam*eye(d): what is added to a diagonal stands last."""
    factors = [e.first, *(x for _, x in e.rest)] if isinstance(e, t.Factors) else [e]
    return any(isinstance(x, t.Call) and x.function == "eye" for x in factors)


def _natural(text: str) -> tuple[Any, ...]:
    """W2 before W10, small letters with their capitals."""
    out: list[Any] = []
    for ch in text:
        if ch.isdigit() and out and isinstance(out[-1], tuple) and out[-1][0] == 0:
            out[-1] = (0, out[-1][1] * 10 + int(ch), "")
        elif ch.isdigit():
            out.append((0, int(ch), ""))
        else:
            out.append((1, 0, ch.lower()))
    return (tuple(out), text)


class Spelled:
    """The text of an expression as a key of order, spelled only where a tie is to be broken."""

    def __init__(self, *trees: t.Expression) -> None:
        self.trees = trees

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spelled) and self.trees == other.trees

    def __hash__(self) -> int:
        return hash(self.trees)

    def __lt__(self, other: Spelled) -> bool:
        return [_natural(unparse(e)) for e in self.trees] < [_natural(unparse(e)) for e in other.trees]


def factor_key(e: t.Expression) -> tuple[Any, ...]:
    """Numbers, then names, sums in brackets, functions."""
    base = e.base if isinstance(e, t.Power) else e
    match base:
        case t.Number():
            rank = 0
        case t.Name("pi" | "e"):
            rank = 1
        case t.Name() | t.Transpose() | t.Subscript():
            rank = 2
        case t.Terms() | t.Factors():
            rank = 3
        case t.Call("sqrt", (t.Number() | t.Name("pi"),)):
            rank = 0
        case t.Call():
            rank = 4
        case _:
            rank = 5
    return (rank, Spelled(e))


@lru_cache(maxsize=20_000)
def contracts(e: Any) -> bool:
    """Whether a matrix product or a reduction stands in it."""
    if isinstance(e, t.Factors) and any(op == "@" for op, _ in e.rest):
        return True
    if isinstance(e, t.Call) and e.function in ("sum", "mean", "tr", "norm", "logdet", "outer", "diag"):
        return True
    return any(contracts(x) for x in parts(e))


def term_key(sign: int, e: t.Expression, polynomial: bool, wide: bool = True) -> tuple[Any, ...]:
    """Positive terms first; a number last among polynomials and first among functions; higher degree first; then, where
    matrix products stand (`wide`), the longer first, else the shorter."""
    constant = degree(e) == 0
    place = (1 if polynomial else -1) if constant and sign > 0 else 1 if constant else 0
    d = degree(e)
    order = -d if polynomial and d is not None else 0
    ink = min(weight(e), 60)
    turned = isinstance(e, t.Transpose)
    return (sign < 0, place, is_filler(e), is_shift(e), order, turned, -ink if wide else ink, Spelled(e))


def sum_of(terms: Iterable[tuple[int, t.Expression]]) -> t.Expression:
    """The sum of signed terms, in the order in which a person writes them."""
    flat: list[tuple[int, t.Expression]] = []
    for sign, term in terms:
        if isinstance(term, t.Terms):
            flat.extend((sign * s, x) for s, x in term.terms)
        else:
            flat.append((sign, term))
    flat = [(s, x) for s, x in flat if not (isinstance(x, t.Number) and x.value == 0)]
    if not flat:
        return t.Number(Fraction(0))
    if len(flat) == 1:
        sign, x = flat[0]
        return x if sign > 0 else t.Terms(((-1, x),))
    polynomial = all(degree(x) is not None for _, x in flat)
    wide = polynomial or any(contracts(x) for _, x in flat)
    flat.sort(key=lambda pair: term_key(pair[0], pair[1], polynomial, wide))
    return t.Terms(tuple(flat))


def one_less(e: t.Expression) -> t.Expression:
    """e - 1, with the numbers of a sum taken together: T - 2 of T - 1."""
    terms = e.terms if isinstance(e, t.Terms) else ((1, e),)
    numbers = [s * x.value for s, x in terms if isinstance(x, t.Number) and isinstance(x.value, Fraction)]
    rest = [(s, x) for s, x in terms if not (isinstance(x, t.Number) and isinstance(x.value, Fraction))]
    number = sum(numbers, Fraction(-1))
    return sum_of([*rest, (1 if number > 0 else -1, t.Number(abs(number)))])


def over_one_bar(terms: list[tuple[int, t.Expression]]) -> list[tuple[int, t.Expression]]:
    """Terms with one denominator put together: a/2 + b/2 - c as (a + b)/2 - c."""
    groups: dict[t.Expression, list[tuple[int, t.Expression]]] = {}
    for sign, term in terms:
        if isinstance(term, t.Factors) and term.rest[-1][0] == "/":
            *rest, (_, below) = term.rest
            above = t.Factors(term.first, tuple(rest)) if rest else term.first
            groups.setdefault(below, []).append((sign, above))
    shared = {below for below, group in groups.items() if len(group) > 1}
    out = [(s, x) for s, x in terms if not (isinstance(x, t.Factors) and x.rest[-1][0] == "/" and x.rest[-1][1] in shared)]
    for below in shared:
        sign, above = signed(sum_of(groups[below]))
        if isinstance(above, t.Terms) and all(s < 0 for s, _ in above.terms):
            sign, above = -sign, t.Terms(tuple((-s, x) for s, x in above.terms))
        out.append((sign, _over(above, below)))
    return out


# --- products ---------------------------------------------------------------------------------------------------------


def matmul(chain: Sequence[t.Expression]) -> t.Expression:
    """a @ b @ c; a sign of a factor goes in front."""
    sign, links = 1, []
    for link in chain:
        s, x = signed(link)
        sign *= s
        links.append(x)
    first, rest = links[0], links[1:]
    out: t.Expression = first if not rest else _flat(first, [("@", x) for x in rest])
    return out if sign > 0 else t.Terms(((-1, out),))


def _flat(first: t.Expression, rest: list[tuple[str, t.Expression]]) -> t.Expression:
    if not rest:
        return first
    if isinstance(first, t.Factors) and all(op == "@" for op, _ in first.rest) and rest[0][0] in "@/":
        return t.Factors(first.first, (*first.rest, *rest))
    return t.Factors(first, tuple(rest))


def powered(base: t.Expression, exponent: Fraction) -> t.Expression:
    """base^exponent for a positive exponent: x, x^2, sqrt(x), x^(3/2)."""
    if exponent == 1:
        return base
    if exponent == Fraction(1, 2):
        return call("sqrt", base)
    return t.Power(base, number(exponent))


@dataclass
class Product:
    """coefficient * product of scalars^exponent * elementwise product of arrays^exponent; a key of `arrays` is a chain
    of matrix products. The arrays have the axes of the whole."""

    coefficient: Fraction = Fraction(1)
    scalars: dict[t.Expression, Fraction] = field(default_factory=dict)
    arrays: dict[Chain, Fraction] = field(default_factory=dict)

    def scale(self, e: t.Expression, exponent: Fraction = Fraction(1)) -> None:
        """Multiply by a scalar."""
        short = abs(exponent) < 64 or (isinstance(e, t.Number) and abs(e.value) == 1)
        if isinstance(e, t.Number) and short and exponent.denominator == 1 and (e.value != 0 or exponent > 0):
            self.coefficient *= e.value ** int(exponent)
            return
        sign, x = signed(e)
        if sign < 0 and exponent.denominator == 1:
            self.coefficient *= (-1) ** int(exponent)
            e = x
        self.scalars[e] = self.scalars.get(e, Fraction(0)) + exponent
        if self.scalars[e] == 0:
            del self.scalars[e]

    def times(self, chain: Chain, exponent: Fraction = Fraction(1)) -> None:
        """Multiply elementwise by an array."""
        if exponent.denominator == 1:
            sign, links = 1, []
            for link in chain:
                s, x = signed(link)
                sign *= s
                links.append(x)
            if sign < 0:
                self.coefficient *= (-1) ** int(exponent)
            chain = tuple(links)
        self.arrays[chain] = self.arrays.get(chain, Fraction(0)) + exponent
        if self.arrays[chain] == 0:
            del self.arrays[chain]

    def absorb(self, other: Product) -> None:
        """Take over number and scalars of another product."""
        self.coefficient *= other.coefficient
        for e, x in other.scalars.items():
            self.scale(e, x)

    def bare(self) -> Product:
        """The arrays alone."""
        return Product(arrays=dict(self.arrays))

    def chain(self) -> Chain:
        """The arrays as a chain of matrix products."""
        if len(self.arrays) == 1:
            ((chain, exponent),) = self.arrays.items()
            if exponent == 1:
                return chain
        return (self.bare().tree(),)

    def tree(self) -> t.Expression:
        """One expression: sign in front, numbers, scalars, arrays, all denominators under one `/`."""
        if len(self.arrays) > 1 and all(len(c) == 1 and isinstance(c[0], t.Transpose) for c in self.arrays):
            turned: dict[Chain, Fraction] = {(c[0].operand,): x for c, x in self.arrays.items() if isinstance(c[0], t.Transpose)}
            return Product(self.coefficient, self.scalars, {(t.Transpose(Product(arrays=turned).tree()),): Fraction(1)}).tree()
        above = [powered(e, x) for e, x in self.scalars.items() if x > 0]
        below = [powered(e, -x) for e, x in self.scalars.items() if x < 0]
        above.sort(key=factor_key)
        alone: Chain | None = None
        over: list[t.Expression] = []
        under: list[t.Expression] = []
        if len(self.arrays) == 1 and next(iter(self.arrays.values())) == 1:
            alone = next(iter(self.arrays))
        else:
            over = sorted((powered(matmul(c), x) for c, x in self.arrays.items() if x > 0), key=factor_key)
            under = [powered(matmul(c), -x) for c, x in self.arrays.items() if x < 0]
        below = sorted([*below, *under], key=factor_key)
        top, bottom = abs(self.coefficient.numerator), self.coefficient.denominator
        front = [*above, *over]
        if top != 1 or (not front and alone is None):
            front.insert(0, t.Number(Fraction(top)))
        out = _joined(front, alone)
        if bottom != 1:
            below.insert(0, t.Number(Fraction(bottom)))
        if below:
            flat = [x for e in below for x in _factors_of(e)]
            under_one = flat[0] if len(flat) == 1 else t.Factors(flat[0], tuple(("*", x) for x in flat[1:]))
            if isinstance(out, t.Number) and bottom == 1 and len(below) == 1 and out.value == 1:
                out = t.Factors(out, (("/", under_one),))
            else:
                out = _over(out, under_one)
        return out if self.coefficient > 0 else t.Terms(((-1, out),))


def _factors_of(e: t.Expression) -> list[t.Expression]:
    if isinstance(e, t.Factors) and all(op == "*" for op, _ in e.rest):
        return [e.first, *(x for _, x in e.rest)]
    return [e]


def _joined(front: list[t.Expression], alone: Chain | None) -> t.Expression:
    flat = [x for e in front for x in _factors_of(e)]
    if alone is None:
        return flat[0] if len(flat) == 1 else t.Factors(flat[0], tuple(("*", x) for x in flat[1:]))
    links = list(alone)
    if len(links) == 1:
        flat += _factors_of(links[0])
        return flat[0] if len(flat) == 1 else t.Factors(flat[0], tuple(("*", x) for x in flat[1:]))
    if not flat:
        return matmul(links)
    head = [("*", x) for x in flat[1:]] + [("*", links[0])] + [("@", x) for x in links[1:]]
    return t.Factors(flat[0], tuple(head))


def _over(above: t.Expression, below: t.Expression) -> t.Expression:
    if isinstance(above, t.Factors) and all(op != "/" for op, _ in above.rest):
        return t.Factors(above.first, (*above.rest, ("/", below)))
    return t.Factors(above, (("/", below),))


__all__ = [
    "Chain", "ELEMENTWISE", "Product", "Spelled", "call", "column", "contracts", "exponential", "factor_key", "fillers", "matmul",
    "negated", "number", "number_text", "outer", "over_one_bar", "parts", "powered", "signed", "spread", "sum_of",
    "transposed", "transposes", "weight",
]  # fmt: skip


def name_tree(name: str) -> t.Expression:
    """What something is called: a name; for one of several laws of a joint, what it is the law of: q(z | x)."""
    return t.Name(name) if name.isidentifier() else parse_expression(name)

"""The tree of a spec: statements and expressions as written, each with its span. No mathematics here.

Sums, products and logical chains are flat, so that a thousand terms nest no deeper than two. Names are canonical (NFKC;
a Greek letter stands as its word, `mu`); `written` text is what the span covers in the `Source`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction


@dataclass(frozen=True)
class Source:
    """A text and where it came from. `line_shift` is added to line numbers (cells of a notebook, blocks of a page)."""

    text: str
    name: str = "<text>"
    line_shift: int = 0


@dataclass(frozen=True)
class Span:
    """text[start:end] of a source."""

    start: int
    end: int


NOWHERE = Span(0, 0)


@dataclass(frozen=True)
class Tree:
    span: Span = field(default=NOWHERE, kw_only=True, compare=False, repr=False)


class Expression(Tree):
    pass


# --- expressions ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Number(Expression):
    value: Fraction
    written: str = field(default="", compare=False)


@dataclass(frozen=True)
class Name(Expression):
    """A name; the constants pi, e, inf are names too."""

    name: str


@dataclass(frozen=True)
class Terms(Expression):
    """+a - b + c: (sign, term) pairs, sign +1 or -1; also a lone -a."""

    terms: tuple[tuple[int, Expression], ...]


@dataclass(frozen=True)
class Factors(Expression):
    """a * b / c @ d, from the left: `first`, then (op, factor) with op in * / @."""

    first: Expression
    rest: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True)
class Power(Expression):
    base: Expression
    exponent: Expression


@dataclass(frozen=True)
class Transpose(Expression):
    operand: Expression


@dataclass(frozen=True)
class Comparison(Expression):
    """a < b <= c: operands and the ops between them, each of == != < <= > >= (and = ~= propto inside lists)."""

    operands: tuple[Expression, ...]
    ops: tuple[str, ...]


@dataclass(frozen=True)
class Logical(Expression):
    """and, or over operands; not over one."""

    op: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True)
class Slice(Expression):
    """lower:upper:step inside a subscript; parts may be missing."""

    lower: Expression | None
    upper: Expression | None
    step: Expression | None = None


@dataclass(frozen=True)
class Subscript(Expression):
    operand: Expression
    items: tuple[Expression, ...]


@dataclass(frozen=True)
class Part(Expression):
    """equilibrium(g).value: a field of a record, by name."""

    operand: Expression
    name: str


@dataclass(frozen=True)
class Keyword(Tree):
    name: str
    value: Expression


@dataclass(frozen=True)
class Call(Expression):
    """f(a, b, key=c). For densities `given` holds what stands after `|`; for divergences `versus` what stands after
    `||`. `log p(x | z)`, with a space, is a Call of p with `log=True`."""

    function: str
    arguments: tuple[Expression, ...]
    keywords: tuple[Keyword, ...] = ()
    given: tuple[Expression, ...] = ()
    versus: tuple[Expression, ...] = ()
    log: bool = False
    name_span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class IndexSpec(Tree):
    """i  |  i: n  |  t: 1..T  in the bracket of a binder, or on the left of a definition."""

    name: str
    size: Expression | None = None
    lower: Expression | None = None
    upper: Expression | None = None


@dataclass(frozen=True)
class Draw(Tree):
    """z ~ q(z | x): the names drawn (one or several) and their law; z[n] ~ q: n independent draws."""

    names: tuple[str, ...]
    law: Expression
    sizes: tuple[Expression, ...] = ()


@dataclass(frozen=True)
class Binder(Expression):
    """sum[i, j: n](body), integral[x: a..b](f), E[x ~ p, y ~ q](f), Var[..](f), Cov[..](f, g)."""

    function: str
    specs: tuple[IndexSpec | Draw, ...]
    arguments: tuple[Expression, ...]
    keywords: tuple[Keyword, ...] = ()
    name_span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class ListOf(Expression):
    """[a, b]"""

    items: tuple[Expression, ...]


# --- statements -------------------------------------------------------------------------------------------------------


class Statement(Tree):
    pass


@dataclass(frozen=True)
class Dim(Statement):
    """dim n, k = 10: (name, value) pairs."""

    items: tuple[tuple[Name, Expression | None], ...]


@dataclass(frozen=True)
class Domain(Tree):
    """real[n, d], label(k)[n]: word, arguments, shape (None where no bracket stands)."""

    word: str
    arguments: tuple[Expression, ...] = ()
    shape: tuple[Expression, ...] | None = None


@dataclass(frozen=True)
class Declared(Tree):
    name: Name
    domain: Domain | None
    initial: Expression | None = None


@dataclass(frozen=True)
class DeclaredEntry(Declared):
    """An entry of a variable, in a head: z[0], z[t: 1..T], z[t - 1]."""

    indices: tuple[IndexSpec | Expression, ...] = ()


def indices_of(v: Declared) -> tuple[IndexSpec | Expression, ...]:
    return v.indices if isinstance(v, DeclaredEntry) else ()


@dataclass(frozen=True)
class Declaration(Statement):
    """data, param or const (`role`) with what they declare."""

    role: str
    items: tuple[Declared, ...]


@dataclass(frozen=True)
class Assume(Statement):
    facts: tuple[Expression, ...]


@dataclass(frozen=True)
class Let(Statement):
    """let name = e, let name[i, t: 1..T] = e, let h[0] = e; `loss` has role "loss"."""

    name: Name
    indices: tuple[IndexSpec | Expression, ...] | None
    value: Expression
    role: str = "let"


@dataclass(frozen=True)
class Def(Statement):
    name: Name
    parameters: tuple[Name, ...]
    body: Expression


@dataclass(frozen=True)
class Head(Tree):
    """q(z: real[k], u | x): what a dist, density or function is of."""

    name: Name
    variables: tuple[Declared, ...]
    given: tuple[Declared, ...] = ()


@dataclass(frozen=True)
class Dist(Statement):
    head: Head
    law: Expression


@dataclass(frozen=True)
class Density(Statement):
    heads: tuple[Head, ...]


@dataclass(frozen=True)
class Function(Statement):
    """function D(x: real[d]): unit"""

    head: Head
    range: Domain | None


@dataclass(frozen=True)
class Player(Tree):
    """names: max V"""

    names: tuple[Name, ...]
    sense: str
    payoff: Expression


@dataclass(frozen=True)
class Game(Statement):
    name: Name
    players: tuple[Player, ...]


@dataclass(frozen=True)
class Derive(Statement):
    name: Name | None
    goal: Expression


@dataclass(frozen=True)
class ClaimStep(Tree):
    """relation (= <= >= < > propto ~=), the names in its bracket, the right side, its reason."""

    relation: str
    over: tuple[Name, ...]
    value: Expression
    reason: str | None = None
    relation_span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Claim(Statement):
    name: Name | None
    first: Expression
    steps: tuple[ClaimStep, ...]
    first_reason: str | None = None


@dataclass(frozen=True)
class Train(Statement):
    """train L wrt a, b with adam(lr=1e-3), steps=2000, ..  (`wrt` empty: all parameters of the target)."""

    target: Name
    wrt: tuple[Name, ...]
    method: Call | None
    options: tuple[Keyword, ...]


@dataclass(frozen=True)
class Spec(Tree):
    source: Source
    statements: tuple[Statement, ...]

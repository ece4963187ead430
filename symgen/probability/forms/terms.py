"""A scalar as terms in a random draw: definitions opened, logarithms expanded, products distributed, linear forms read.

`is_random(node)` says what depends on the draw; all else is a coefficient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from symgen.calculus.rules import lift
from symgen.probability.forms.knowledge import Knowledge, is_natural
from symgen.tensor.expression import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Array,
    Entry,
    Fn,
    Index,
    Mul,
    Node,
    Num,
    Pow,
    Scalar,
    Sum,
    Tensor,
    Var,
    add,
    as_coefficient,
    divide,
    entry,
    fn,
    mul,
    num,
    open_sum,
    open_tensor,
    power,
    rebuild,
    sub,
    total,
    variables_of,
)  # fmt: skip

MAX_TERMS = 400
Random = Callable[[Node], bool]


def depends_on_any(variables: frozenset[Var]) -> Random:
    return lambda node: not variables_of(node).isdisjoint(variables)


def factors_of(x: Scalar) -> tuple[Scalar, ...]:
    return x.args if isinstance(x, Mul) else (x,)


def terms_of(x: Scalar) -> tuple[Scalar, ...]:
    return x.args if isinstance(x, Add) else (x,)


def opened(node: Scalar, is_random: Random) -> Scalar:
    """`node` with the definitions put in of every tensor that depends on the draw; what does not keeps its name."""
    memo: dict[Node, Scalar] = {}

    def visit(x: Scalar) -> Scalar:
        if not is_random(x) or isinstance(x, Index):
            return x
        found = memo.get(x)
        if found is not None:
            return found
        if isinstance(x, Entry):
            if isinstance(x.array, Tensor):
                made = visit(open_tensor(x.array, x.indices))
            else:
                made = entry(x.array, *(visit(i) for i in x.indices))
        elif isinstance(x, Sum):
            body, indices = open_sum(x)
            made = total(visit(body), indices)
        elif type(x).__name__ in ("Fold", "Expect"):
            made = x
        else:
            made = rebuild(x, [visit(a) if a.is_scalar_node else a for a in x.args])
        memo[x] = made
        return made

    return visit(node)


# --- logarithms and powers of products --------------------------------------------------------------------------------


def normalised(node: Scalar, is_random: Random, know: Knowledge) -> Scalar:
    """`node` with logarithms of products expanded, as far as the signs of the factors are known."""
    memo: dict[Node, Scalar] = {}

    def visit(x: Scalar) -> Scalar:
        if not is_random(x) or isinstance(x, (Entry, Index)) or type(x).__name__ in ("Fold", "Expect"):
            return x
        found = memo.get(x)
        if found is not None:
            return found
        if isinstance(x, Sum):
            body, indices = open_sum(x)
            made = total(visit(body), indices)
        else:
            args = [visit(a) for a in x.args]
            made = rebuild(x, args)
            if isinstance(made, Fn):
                made = _function(made, is_random, know)
            elif isinstance(made, Pow):
                made = _power(made, is_random, know)
        memo[x] = made
        return made

    return visit(node)


def _function(x: Fn, is_random: Random, know: Knowledge) -> Scalar:
    arg = x.args[0]
    if x.name == "log":
        return log_of(arg, know)
    if x.name == "log1p":
        return log_of(add(ONE, arg), know)
    if x.name == "expm1":
        return sub(fn("exp", arg), ONE)
    if x.name == "xlogy":
        return mul(arg, log_of(x.args[1], know))
    if x.name == "abs":
        positive = know.positive(arg)
        if positive is not None:
            return arg if positive else mul(MINUS_ONE, arg)
        inside = factors_of(arg)
        outside = [f for f in inside if not is_random(f)]
        if outside:
            rest = mul(*(f for f in inside if is_random(f)))
            return mul(*(_absolute(f, know) for f in outside), _function_abs(rest, is_random, know))
        return _function_abs(arg, is_random, know)
    return x


def _absolute(x: Scalar, know: Knowledge) -> Scalar:
    return x if know.positive(x) else fn("abs", x)


def _function_abs(arg: Scalar, is_random: Random, know: Knowledge) -> Scalar:
    """|c x + d| = |c| |x + d/c| for a lone random entry x."""
    random = [t for t in terms_of(arg) if is_random(t)]
    if isinstance(arg, Add) and len(random) == 1:
        c, x = split(random[0], is_random)
        if c is not ONE and isinstance(x, Entry):  # of a function of x the form has no lemma, and c may be 0
            size = num(abs(c.rational)) if isinstance(c, Num) and c.rational is not None else _absolute(c, know)
            rest = add(*(t for t in arg.args if t is not random[0]))
            return mul(size, fn("abs", add(x, divide(rest, c))))
    return fn("abs", arg)


OF_LOGARITHMS = {"gamma": "lgamma", "beta": "lbeta"}


def log_of(x: Scalar, know: Knowledge) -> Scalar:
    """log x, the logarithms of positive factors apart."""
    if isinstance(x, Pow) and know.positive(x.base):
        return mul(x.exponent, log_of(x.base, know))
    if isinstance(x, Fn) and x.name == "sigmoid":
        return mul(MINUS_ONE, fn("softplus", mul(MINUS_ONE, x.args[0])))
    if isinstance(x, Fn) and x.name in OF_LOGARITHMS and all(know.positive(a) for a in x.args):
        return fn(OF_LOGARITHMS[x.name], *x.args)
    if isinstance(x, Mul):
        apart = [f for f in x.args if know.positive(f)]
        rest = [f for f in x.args if f not in apart]
        if apart and (not rest or len(x.args) > 1):
            out = [log_of(f, know) for f in apart]
            if rest:
                out.append(fn("log", mul(*rest)))
            return add(*out)
    if isinstance(x, Add) and len(x.args) == 2 and ONE in x.args:
        other = x.args[0] if x.args[1] is ONE else x.args[1]
        c, inner = as_coefficient(other)
        if c == -1 and isinstance(inner, Fn) and inner.name == "sigmoid":
            return mul(MINUS_ONE, fn("softplus", inner.args[0]))
    if isinstance(x, Add):
        constant = [t for t in x.args if isinstance(t, Num)]
        if constant and constant[0] is not ONE and know.positive(constant[0]):
            return add(fn("log", constant[0]), fn("log", add(*(divide(t, constant[0]) for t in x.args))))
    return fn("log", x)


def _power(x: Pow, is_random: Random, know: Knowledge) -> Scalar:
    base, exponent = x.base, x.exponent
    if isinstance(base, Mul):
        apart = [f for f in base.args if know.positive(f)]
        if apart:
            rest = [f for f in base.args if f not in apart]
            return mul(*(positive_power(f, exponent) for f in apart), power(mul(*rest), exponent))
    if isinstance(base, Pow) and know.positive(base.base):
        return power(base.base, mul(base.exponent, exponent))
    if isinstance(base, Fn) and base.name == "exp":
        return fn("exp", mul(exponent, base.args[0]))
    if isinstance(base, Fn) and base.name == "abs" and (is_natural(exponent) or 1) % 2 == 0:
        return power(base.args[0], exponent)
    return x


def positive_power(base: Scalar, exponent: Scalar) -> Scalar:
    """base^exponent for a positive base: powers of powers multiply."""
    if isinstance(base, Pow):
        return power(base.base, mul(base.exponent, exponent))
    return power(base, exponent)


def split(term: Scalar, is_random: Random) -> tuple[Scalar, Scalar]:
    """coefficient, random part of a product."""
    inside = [f for f in factors_of(term) if is_random(f)]
    outside = [f for f in factors_of(term) if not is_random(f)]
    return mul(*outside), mul(*inside)


# --- linear forms -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """The sum over `indices` of coefficient * entry."""

    indices: tuple[Index, ...]
    coefficient: Scalar
    entry: Entry


@dataclass(frozen=True)
class LinearForm:
    """constant + sum of parts."""

    constant: Scalar
    parts: tuple[Part, ...]
    whole: Scalar

    @property
    def single(self) -> Part | None:
        return self.parts[0] if len(self.parts) == 1 and not self.parts[0].indices else None


def linear_form(x: Scalar, is_random: Random, variables: frozenset[Var]) -> LinearForm | None:
    """`x` as a linear form in the entries of `variables`; None where it is not one."""
    if not is_random(x):
        return LinearForm(x, (), x)
    if isinstance(x, Entry):
        if x.array in variables and not any(is_random(i) for i in x.indices):
            return LinearForm(ZERO, (Part((), ONE, x),), x)
        return None
    if isinstance(x, Add):
        forms = [linear_form(t, is_random, variables) for t in x.args]
        if any(f is None for f in forms):
            return None
        parts: list[Part] = []
        for f in forms:
            parts.extend(f.parts)  # type: ignore[union-attr]
        return LinearForm(add(*(f.constant for f in forms)), _merged(parts), x)  # type: ignore[union-attr]
    if isinstance(x, Mul):
        coefficient, rest = split(x, is_random)
        if isinstance(rest, Mul):
            return None
        inner = linear_form(rest, is_random, variables)
        return None if inner is None else scaled(inner, coefficient, x)
    if isinstance(x, Sum):
        body, indices = open_sum(x)
        inner = linear_form(body, is_random, variables)
        if inner is None:
            return None
        return LinearForm(
            total(inner.constant, indices),
            tuple(Part((*p.indices, *indices), p.coefficient, p.entry) for p in inner.parts),
            x,
        )
    return None


def scaled(form: LinearForm, c: Scalar, whole: Scalar) -> LinearForm:
    return LinearForm(mul(c, form.constant), tuple(Part(p.indices, mul(c, p.coefficient), p.entry) for p in form.parts), whole)


def _merged(parts: Sequence[Part]) -> tuple[Part, ...]:
    plain: dict[Entry, Scalar] = {}
    out: list[Part] = []
    for p in parts:
        if p.indices:
            out.append(p)
        else:
            plain[p.entry] = add(plain.get(p.entry, ZERO), p.coefficient)
    return tuple(Part((), c, e) for e, c in plain.items() if c is not ZERO) + tuple(out)


# --- expansion --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Item:
    """coefficient * atom, or coefficient * sum over `indices` of atom."""

    coefficient: Scalar
    atom: Scalar
    indices: tuple[Index, ...] = ()


class TooManyTerms(Exception):
    pass


def expanded(body: Scalar, is_random: Random, keep_power: Callable[[Scalar], bool]) -> list[Item]:
    """`body` as a sum of items; a power of a sum stays one atom where `keep_power` says so and it stands alone."""
    out: list[Item] = []
    rounds = 0
    stack: list[tuple[Scalar, Scalar]] = [(ONE, body)]
    while stack:
        rounds += 1
        if len(out) + len(stack) > MAX_TERMS or rounds > 20 * MAX_TERMS:
            raise TooManyTerms
        coefficient, x = stack.pop()
        if isinstance(x, Add):
            fixed = [t for t in x.args if not is_random(t)]
            if fixed:
                stack.append((mul(coefficient, add(*fixed)), ONE))
            stack.extend((coefficient, t) for t in reversed(x.args) if is_random(t))
            continue
        c, rest = split(x, is_random)
        coefficient = mul(coefficient, c)
        if rest is ONE:
            out.append(Item(coefficient, ONE))
            continue
        if isinstance(rest, Sum):
            inner, indices = open_sum(rest)
            out.append(Item(coefficient, inner, tuple(indices)))
            continue
        if isinstance(rest, Add):
            stack.append((coefficient, rest))
            continue
        if isinstance(rest, Pow):
            n = is_natural(rest.exponent)
            if n is not None and isinstance(rest.base, (Add, Sum)) and n >= 2 and not keep_power(rest):
                stack.append((coefficient, _power_out(rest.base, n, is_random)))
                continue
            out.append(Item(coefficient, rest))
            continue
        if isinstance(rest, Mul) and not keep_power(rest):
            inside = next((f for f in rest.args if isinstance(f, Sum)), None)
            if inside is not None:
                inner, indices = open_sum(inside)
                others = (f for f in rest.args if f is not inside)
                out.append(Item(coefficient, mul(inner, *others), tuple(indices)))
                continue
            again = _distributed(rest, is_random)
            if again is not None:
                stack.append((coefficient, again))
                continue
        out.append(Item(coefficient, rest))
    return out


def _power_out(base: Scalar, n: int, is_random: Random) -> Scalar:
    """base^n as a sum of products, one binomial step: (x + r)^n."""
    if isinstance(base, Sum):
        parts = []
        for _ in range(n):
            parts.append(open_sum(base))
        return total(mul(*(b for b, _ in parts)), [i for _, idx in parts for i in idx])
    random = [t for t in base.args if is_random(t)]
    first = random[0]
    rest = add(*(t for t in base.args if t is not first))
    terms = []
    binomial = Fraction(1)
    for k in range(n + 1):
        terms.append(mul(num(binomial), power(first, num(n - k)), power(rest, num(k))))
        binomial = binomial * (n - k) / (k + 1)
    return add(*terms)


def _distributed(product: Mul, is_random: Random) -> Scalar | None:
    factors = list(product.args)
    for k, f in enumerate(factors):
        others = factors[:k] + factors[k + 1 :]
        if isinstance(f, Add):
            return add(*(mul(t, *others) for t in f.args))
        if isinstance(f, Pow) and isinstance(f.base, (Add, Sum)):
            n = is_natural(f.exponent)
            if n is not None and n >= 2:
                return add(*(mul(t, *others) for t in terms_of(_power_out(f.base, n, is_random))))
    return None


def entries_in(x: Scalar, variables: frozenset[Var]) -> list[Entry] | None:
    """The distinct entries of the variables in `x`; None where one stands under a binder of its own index, or inside an
    array."""
    found: dict[Entry, None] = {}
    stack: list[Node] = [x]
    seen: set[Node] = set()
    while stack:
        n = stack.pop()
        if n in seen:
            continue
        seen.add(n)
        if isinstance(n, Entry):
            if n.array in variables:
                found[n] = None
                continue
            if not variables_of(n.array).isdisjoint(variables):
                return None
            stack.extend(n.indices)
        elif isinstance(n, Array):
            return None
        else:
            stack.extend(n.args)
    entries = list(found)
    return entries if all(e.free.issubset(x.free) for e in entries) else None


def with_value(x: Scalar, variable: Var, value: Callable[..., Scalar]) -> Scalar:
    """`x` with the entries of the draw replaced, inside definitions too."""
    return lift(x, {variable: value})

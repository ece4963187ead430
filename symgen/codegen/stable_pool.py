"""A sum sorted for rewriting by remainders: coefficients of logarithms and gammas, what is rational, what is small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from symgen.algebra.collect import sum_to_one, written_length
from symgen.algebra.rational import as_quotient, simplify_scalar
from symgen.codegen.stable_differences import Pair, difference, factors_of, terms_of
from symgen.tensor.expression import (
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Add,
    Entry,
    Fn,
    Index,
    Mul,
    Num,
    Pow,
    Scalar,
    Sum,
    Tensor,
    Where,
    add,
    as_coefficient,
    mul,
    num,
    open_tensor,
    power,
    total,
)  # fmt: skip
from symgen.tensor.facts import is_nonnegative

LOGS = ("log", "log1p", "xlogy", "xlog1py")
GAMMAS = ("lgamma", "lbeta")
REMAINDERS = ("log_remainder", "expm1_remainder", "kl_term", "lgamma_remainder", "stirling_remainder", "besseli_remainder")
MOST_TERMS = 60
EXPONENTIALS = ("exp", "gamma", "gamma_ratio", "beta")


@dataclass
class Pool:
    """A sum sorted: coefficients of log b, lgamma b, digamma b, what is rational, and what is small as it stands."""

    logs: dict[Scalar, Scalar] = field(default_factory=dict)
    gammas: dict[Scalar, Scalar] = field(default_factory=dict)
    psis: dict[Scalar, Scalar] = field(default_factory=dict)
    rest: list[Scalar] = field(default_factory=list)
    small: list[Scalar] = field(default_factory=list)

    def put(self, x: Scalar) -> None:
        for t in expanded(x):
            if any(isinstance(f, Fn) and f.name in REMAINDERS for f in factors_of(t)):
                self.small.append(t)
                continue
            special = [f for f in factors_of(t) if isinstance(f, Fn) and f.name in (*LOGS, *GAMMAS, "digamma")]
            if len(special) != 1:
                self.rest.append(t)
                continue
            (f,) = special
            self.one(f, mul(*(g for g in factors_of(t) if g is not f)))

    def one(self, f: Fn, c: Scalar) -> None:
        if f.name in GAMMAS:
            arguments = [*f.args, add(*f.args)] if f.name == "lbeta" else [f.args[0]]
            for k, a in enumerate(arguments):
                into(self.gammas, a, c if k < 2 else mul(MINUS_ONE, c))
        elif f.name == "digamma":
            into(self.psis, f.args[0], c)
        else:
            c = mul(c, f.args[0]) if f.name in ("xlogy", "xlog1py") else c
            inside = add(ONE, f.args[-1]) if f.name in ("log1p", "xlog1py") else f.args[-1]
            for base, e in positive_factors(inside):
                into(self.logs, base, mul(e, c))

    def tidy(self) -> None:
        for table in (self.logs, self.gammas, self.psis):
            for b, c in list(table.items()):
                table[b] = short(c)
                if table[b] is ZERO or (b is ONE and table is not self.psis):  # log 1 = lgamma 1 = 0
                    del table[b]


def into(table: dict[Scalar, Scalar], key: Scalar, c: Scalar) -> None:
    table[key] = add(table.get(key, ZERO), c)


def short(x: Scalar) -> Scalar:
    return min((as_quotient(x), simplify_scalar(x), x), key=written_length)


def holds(x: Scalar, names: Sequence[str]) -> bool:
    return any(isinstance(f, Fn) and f.name in names for t in terms_of(x) for f in factors_of(t))


def expanded(x: Scalar) -> list[Scalar]:
    """Terms, products with sums that hold logarithms multiplied out."""
    out: list[Scalar] = []
    stack = list(reversed(terms_of(x)))
    names = (*LOGS, *GAMMAS, "digamma")
    while stack:
        t = stack.pop()
        sums = [f for f in factors_of(t) if isinstance(f, Add)]
        inner = next((f for f in sums if holds(f, names)), None)
        if inner is None and sums and any(isinstance(f, Fn) and f.name == "digamma" for f in factors_of(t)):
            inner = sums[0]
        if inner is None:
            out.append(roots_apart(t))
            continue
        rest = mul(*(f for f in factors_of(t) if f is not inner))
        stack.extend(mul(rest, u) for u in reversed(inner.args))
    return out


def roots_apart(t: Scalar) -> Scalar:
    """sqrt(a b) = sqrt(a) sqrt(b) for positive a and b."""
    made: list[Scalar] = []
    for f in factors_of(t):
        base = f.base if isinstance(f, Pow) and isinstance(f.exponent, Num) else f  # a^e may be no number where (a/b)^e is one
        if isinstance(f, Pow) and isinstance(base, Mul) and all(is_nonnegative_by_form(g) for g in base.args):
            made.extend(power(g, f.exponent) for g in base.args)
        else:
            made.append(f)
    return mul(*made)


def is_nonnegative_by_form(x: Scalar) -> bool:
    if isinstance(x, Num):
        return x.rational is not None and x.rational > 0 or x.value in ("pi", "e")
    if isinstance(x, Pow):
        return is_nonnegative_by_form(x.base)
    if isinstance(x, Mul):
        return all(is_nonnegative_by_form(f) for f in x.args)
    return bool(is_nonnegative(x, None))  # of 0, what the logarithm is multiplied by is 0


def positive_factors(x: Scalar) -> list[tuple[Scalar, Scalar]]:
    """b, e with x = product of b^e for positive b; x alone where that is not known."""
    whole = as_quotient(x) if isinstance(x, Add) and any(has_denominator(t) for t in x.args) else x
    out: list[tuple[Scalar, Scalar]] = []
    for f in factors_of(whole):
        base, e = (f.base, f.exponent) if isinstance(f, Pow) else (f, ONE)
        if isinstance(base, Num) and base.rational is not None and base.rational.denominator != 1:
            out.append((num(base.rational.numerator), e))
            base, e = num(base.rational.denominator), mul(MINUS_ONE, e)
        out.append((base, e))
    if len(out) == 1:
        return out
    return out if all(is_nonnegative_by_form(b) for b, _ in out) else [(x, ONE)]


def is_sum_of_remainders(x: Scalar) -> bool:
    """Whether no term is negative, by its form: then nothing cancels."""
    for t in terms_of(x):
        for f in factors_of(t):
            if isinstance(f, Sum):
                fine = is_sum_of_remainders(f.body)
            elif isinstance(f, Where):
                fine = all(map(is_sum_of_remainders, f.args[1:]))
            elif isinstance(f, Fn) and f.name in REMAINDERS or isinstance(f, Pow) and f.exponent is TWO:
                fine = True
            else:
                fine = is_nonnegative_by_form(f)
            if not fine:
                return False
    return True


def has_denominator(t: Scalar) -> bool:
    return any(isinstance(f, Pow) and as_coefficient(f.exponent)[0] < 0 for f in factors_of(t))


def whole(e: Num) -> bool:
    return e.rational is not None and e.rational.denominator == 1


def entries_of(x: Scalar) -> set[Entry]:
    found: set[Entry] = set()
    stack: list[Scalar] = [x]
    while stack:
        n = stack.pop()
        if isinstance(n, Entry):
            found.add(n)
        else:
            stack.extend(a for a in n.args if a.is_scalar_node)
    return found


def of_entries(a: Scalar, b: Scalar) -> list[Pair]:
    """The entries that differ between two like expressions: 1 - p and 1 - q differ by p and q."""
    if isinstance(a, Entry):
        return [(a, b)] if isinstance(b, (Entry, Num)) else []
    left = [as_coefficient(t)[1] for t in terms_of(difference(a, b))]
    if len(left) == 2 and all(isinstance(e, Entry) for e in left):
        return [(left[0], left[1])]
    if len(left) == 2 and b is ONE and ONE in left:
        return [(next(e for e in left if e is not ONE), ONE)]
    return []


def pairs_in(t: Scalar) -> list[Pair]:
    """The entries whose difference stands in a remainder."""
    found: list[Pair] = []
    stack: list[Scalar] = [t]
    while stack:
        n = stack.pop()
        if isinstance(n, Add) and len(n.args) == 2:
            (c, a), (d, b) = (as_coefficient(u) for u in n.args)
            if c == -d and isinstance(a, Entry) and isinstance(b, Entry) and not any({a, b} & set(p) for p in found):
                found.append((a, b))
        if isinstance(n, Entry) and isinstance(n.array, Tensor):
            stack.append(open_tensor(n.array, n.indices))
        elif not isinstance(n, Entry):
            stack.extend(a for a in n.args if a.is_scalar_node)
    return found


def multiplied(t: Scalar) -> list[Scalar]:
    inner = [f for f in factors_of(t) if isinstance(f, Add)]
    if len(inner) != 1:
        return [t]
    rest = mul(*(f for f in factors_of(t) if f is not inner[0]))
    return [mul(rest, u) for u in inner[0].args]


def multiplied_out(n: Scalar) -> list[Scalar]:
    """The terms of a sum, products with sums multiplied out."""
    out: list[Scalar] = []
    stack = list(reversed(terms_of(n)))
    while stack and len(out) + len(stack) < MOST_TERMS:
        t = stack.pop()
        inner = next((f for f in factors_of(t) if isinstance(f, Add)), None)
        if inner is None:
            out.append(t)
        else:
            rest = mul(*(f for f in factors_of(t) if f is not inner))
            stack.extend(mul(rest, u) for u in reversed(inner.args))
    return [*out, *stack]


def flat(x: Scalar) -> list[Scalar]:
    """A fraction's terms: (a + b)/c is a/c + b/c."""
    return [u for t in terms_of(x) for u in multiplied(t)]


def closed_sum(x: Scalar, indices: Sequence[Index]) -> Scalar:
    """The sum of x over the indices, probabilities summed to 1."""
    pairs = (as_coefficient(t) for t in flat(x))
    return add(*(mul(num(c), sum_to_one(total(base, list(indices)))) for c, base in pairs))


def summed(x: Scalar, indices: Sequence[Index]) -> Scalar:
    return total(x, list(indices)) if indices else x

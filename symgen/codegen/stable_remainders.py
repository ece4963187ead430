"""Divergences that keep their digits: sums of logarithms, gammas and exponentials by the remainders after their first terms.

A divergence of two near laws is of the size of the square of their distance, made from terms of the size of one:
a/b - 1 - log(a/b) is phi(a/b - 1), phi(u) = u - log(1 + u). Each rewriting is an identity. What is left beside the
remainders is rational; it is written in differences of parameters, each term of second order, or nothing is rewritten.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from itertools import permutations, product

from symgen.algebra.collect import symmetric_entries, written_length
from symgen.codegen.stable_differences import Pair, difference, factors_of, kept_apart, terms_of
from symgen.codegen.stable_gammas import gamma_pairs
from symgen.codegen.stable_logarithms import log_ratio, may_near_one, opposite, products, quotients, references, relative
from symgen.codegen.stable_mixtures import mixed_determinants
from symgen.codegen.stable_pool import (
    EXPONENTIALS,
    GAMMAS,
    LOGS,
    Pool,
    closed_sum,
    entries_of,
    expanded,
    holds,
    is_nonnegative_by_form,
    is_sum_of_remainders,
    multiplied,
    multiplied_out,
    pairs_in,
    positive_factors,
    roots_apart,
    short,
    summed,
    whole,
)
from symgen.codegen.stable_rational import left_in_differences
from symgen.tensor.build import identity
from symgen.tensor.expression import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Add,
    Array,
    Dim,
    Entry,
    Fn,
    Index,
    Node,
    Num,
    Operation,
    Pow,
    Scalar,
    Sum,
    Tensor,
    Var,
    Where,
    add,
    as_coefficient,
    delta,
    divide,
    entry,
    fn,
    fresh_index,
    mul,
    num,
    open_sum,
    open_tensor,
    operation,
    power,
    replace_arrays,
    sub,
    substitute,
    tensor,
    total,
    walk,
)  # fmt: skip

__all__ = ["error_function_difference", "root_difference", "with_remainders"]

QUARTER = num(Fraction(1, 4))
MAX_LENGTH = 260
MOST_TERMS_OF_GAMMAS = 12
MOST_PAIRS = 2  # of logarithms, for which all exponents are tried


def with_remainders(n: Scalar) -> Scalar:
    """`n` by remainders, where that applies; else as it is."""
    if isinstance(n, Add):
        factors = _of_cholesky_factors(n)
        if factors is not n:
            return factors
        mixed = mixed_determinants(_without_names(n)) if any(map(_is_logdet, walk(n))) else None
        if mixed is not None:
            return add(mixed[0], with_remainders(mixed[1]))
        paired = _of_determinants(n)
        if paired is n and any(map(_is_logdet, walk(n))):
            flat = add(*multiplied_out(n))
            opened = _of_determinants(flat) if isinstance(flat, Add) else flat
            paired = n if opened is flat else opened
        n = paired
    if not isinstance(n, (Add, Sum)) or written_length(n) > MAX_LENGTH or not _may_cancel(n):
        return n
    made = _grouped(n)
    return n if made is None else made


def _without_names(n: Add) -> Scalar:
    """The sum with its named numbers written out."""
    names = {a: partial(open_tensor, a, ()) for a in walk(n) if isinstance(a, Tensor) and not a.rank}
    return replace_arrays(n, dict(names)) if names else n


def _is_logdet(n: Node) -> bool:
    return isinstance(n, Operation) and n.name == "logdet_spd"


def _of_determinants(n: Add) -> Scalar:
    """tr(inv(B) @ A) - k - logdet(A) + logdet(B) as one function of A and B: the sum of phi over the eigenvalues of
    inv(B) @ A less 1. B may be the identity."""
    found: dict[Array, Fraction] = {}
    for t in n.args:
        c, base = as_coefficient(t)
        if isinstance(base, Entry) and isinstance(base.array, Operation) and base.array.name == "logdet_spd":
            (matrix,) = base.array.operands
            if isinstance(matrix, Array):
                found[matrix] = c
    pairs: list[tuple[Array, Array]] = [(a, b) for b, a in permutations(found, 2) if found[a] == -found[b]]
    for a, b in (*pairs, *((a, identity(a.shape[0]).array()) for a in found if a.rank == 2)):
        if a.rank != 2:
            continue
        c, k = num(-found[a]), a.shape[0]
        i, j = fresh_index(k), fresh_index(k)
        over = delta(i, j) if b not in found else entry(operation("inv", (b,), b.shape), i, j)
        trace = total(mul(entry(a, i, j), over), [i, j])
        rest = [t for t in n.args if not (isinstance(u := as_coefficient(t)[1], Entry) and isinstance(u.array, Operation)
                and u.array.name == "logdet_spd" and u.array.operands[0] in (a, b))]  # fmt: skip
        apart = [u for t in rest for u in _split_sums(t)]
        left = symmetric_entries(add(*apart, mul(MINUS_ONE, c, trace)))
        left = add(left, mul(c, k))
        if len(terms_of(left)) == len(apart) - 2 or left is ZERO:
            return add(left, mul(c, entry(operation("logdet_remainder", (a, b), ()))))
    return _of_weighted_determinants(n)


def _of_weighted_determinants(n: Add) -> Add | Scalar:
    """t tr(inv(B) @ A) + c (logdet(B) - logdet(A)) is c times the remainder + (t - c) tr(inv(B) @ (A - B)) + t k."""
    logs: dict[Array, Scalar] = {}
    rest: list[Scalar] = []
    for t in n.args:
        inside = [f for f in factors_of(t) if isinstance(f, Entry) and isinstance(f.array, Operation)]
        inside = [f for f in inside if f.array.name == "logdet_spd" and not f.indices]
        matrix = inside[0].array.operands[0] if len(inside) == 1 else None
        if isinstance(matrix, Array) and matrix.rank == 2:
            logs[matrix] = add(logs.get(matrix, ZERO), mul(*(f for f in factors_of(t) if f is not inside[0])))
        else:
            rest.append(t)
    for b, a in permutations(logs, 2):
        if short(add(logs[a], logs[b])) is not ZERO:
            continue
        k = a.shape[0]
        i, j = fresh_index(k), fresh_index(k)
        inverse = entry(operation("inv", (b,), b.shape), i, j)
        trace = symmetric_entries(total(mul(entry(a, i, j), inverse), [i, j]))
        traces = {t: f for t in rest for f in factors_of(t) if isinstance(f, Sum) and symmetric_entries(f) is trace}
        if not traces:
            continue
        weight = add(*(mul(*(g for g in factors_of(t) if g is not f)) for t, f in traces.items()))
        gap = total(mul(kept_apart(difference(entry(a, i, j), entry(b, i, j))), inverse), [i, j])
        others = [mul(c, entry(operation("logdet_spd", (m,), ()))) for m, c in logs.items() if m is not a and m is not b]
        remainder = mul(logs[b], entry(operation("logdet_remainder", (a, b), ())))
        more = mul(kept_apart(short(sub(weight, logs[b]))), gap)
        sizes = [mul(k, u) for u in terms_of(weight)]
        return add(*(u for u in rest if u not in traces), *others, remainder, more, *sizes)
    return n


def _of_cholesky_factors(n: Add) -> Scalar:
    """tr(inv(B B') @ A @ A')/2 - k/2 - sum(log(diagonal(A))) + sum(log(diagonal(B))) for lower A and B, as one function of
    them: what is squared is inv(B) @ (A - B); B may be the identity."""
    sums = [b for b in (as_coefficient(t)[1] for t in n.args) if isinstance(b, Sum)]
    if not any(isinstance(b.body, Fn) and b.body.name == "log" for b in sums):
        return n
    logs: dict[Var, Scalar] = {}
    rest: list[Scalar] = []
    for t in (u for whole_term in multiplied_out(n) for u in _split_sums(whole_term)):
        c, base = as_coefficient(t)
        body, indices = open_sum(base) if isinstance(base, Sum) else (ZERO, [])
        inner = body.args[0] if isinstance(body, Fn) and body.name == "log" else None
        if isinstance(inner, Entry) and isinstance(inner.array, Var) and inner.array.domain == "lower" and len(indices) == 1:
            logs[inner.array] = add(logs.get(inner.array, ZERO), num(c))
        else:
            rest.append(t)
    pairs = [(a, b) for b, a in permutations(logs, 2) if add(logs[a], logs[b]) is ZERO]
    for a, b in (*pairs, *((a, identity(a.shape[0]).array()) for a in logs if a.rank == 2)):
        if a.rank != 2:
            continue
        half = mul(MINUS_ONE, HALF, logs[a])
        for trace in _traces(a, b):
            left = add(symmetric_entries(add(*rest, mul(MINUS_ONE, half, trace))), mul(half, a.shape[0]))
            if len(terms_of(left)) == len(rest) - 2 or left is ZERO:
                i = fresh_index(a.shape[0])
                others = [mul(c, total(fn("log", entry(v, i, i)), [i])) for v, c in logs.items() if v is not a and v is not b]
                return add(left, *others, mul(half, entry(operation("cholesky_remainder", (a, b), ()))))
    return n


def _traces(a: Var, b: Array) -> list[Scalar]:
    """tr(inv(B B') @ A @ A') of lower A and B, as it may be written."""
    i, j, m = (fresh_index(a.shape[0]) for _ in range(3))
    square = tensor([i, j], total(mul(entry(a, i, m), entry(a, j, m)), [m]))
    if not isinstance(b, Var):
        return [total(power(entry(a, i, m), TWO), [i, m]), total(entry(square, i, i), [i])]
    other = tensor([i, j], total(mul(entry(b, i, m), entry(b, j, m)), [m]))
    inverse = entry(operation("inv", (other,), other.shape), i, j)
    return [symmetric_entries(total(mul(entry(square, i, j), inverse), [i, j]))]


def _split_sums(t: Scalar) -> list[Scalar]:
    """A sum of a sum, term by term, nested sums as one."""
    c, base = as_coefficient(t)
    if not isinstance(base, Sum):
        return [t]
    waiting: list[tuple[Scalar, list[Index]]] = [open_sum(base)]
    out: list[Scalar] = []
    while waiting:
        body, indices = waiting.pop()
        if isinstance(body, Add):
            waiting.extend((u, indices) for u in body.args)
        elif sum(isinstance(f, Sum) for f in factors_of(body)) == 1:
            inner = next(f for f in factors_of(body) if isinstance(f, Sum))
            more, others = open_sum(inner)
            waiting.append((mul(more, *(f for f in factors_of(body) if f is not inner)), [*indices, *others]))
        else:
            out.append(mul(num(c), total(body, indices)))
    return out


def root_difference(n: Add) -> Scalar | None:
    """c sqrt(a) - c sqrt(b) as c (a - b)/(sqrt(a) + sqrt(b)), for what is positive."""
    if len(n.args) != 2:
        return None
    (c, x), (d, y) = (as_coefficient(t) for t in n.args)
    if c != -d or not all(isinstance(r, Pow) and r.exponent is HALF and is_nonnegative_by_form(r.base) for r in (x, y)):
        return None
    a, b = x.args[0], y.args[0]
    return mul(num(c), fn("root_difference", a, b, kept_apart(difference(a, b))))


def error_function_difference(n: Add) -> Scalar | None:
    """c erf(a) - c erf(b) as one function, exact on one side of 0."""
    if len(n.args) != 2:
        return None
    (c, x), (d, y) = (as_coefficient(t) for t in n.args)
    if c != -d or not all(isinstance(r, Fn) and r.name == "erf" for r in (x, y)):
        return None
    upper, lower = (x, y) if c > 0 else (y, x)
    return mul(num(abs(c)), fn("erf_gap", upper.args[0], lower.args[0]))


def _may_cancel(n: Add | Sum) -> bool:
    """Whether logarithms meet, or an exponential, a root or a fraction is compared with a number."""
    logs = exponentials = 0
    stack: list[Scalar] = [n]
    while stack:
        x = stack.pop()
        if isinstance(x, Fn):
            logs += x.name in (*LOGS, *GAMMAS)
            exponentials += x.name in EXPONENTIALS
        exponentials += isinstance(x, Pow) and not (isinstance(x.exponent, Num) and whole(x.exponent))
        if not isinstance(x, (Entry, Where)):
            stack.extend(a for a in x.args if a.is_scalar_node)
    numbers = any(isinstance(f, (Num, Dim)) for t in terms_of(n) for f in factors_of(as_coefficient(t)[1]))
    return logs > 0 or (numbers and (exponentials > 0 or _has_fraction(n)))


def _has_fraction(n: Scalar) -> bool:
    return any(isinstance(f, Pow) and f.exponent is MINUS_ONE for t in terms_of(n) for f in factors_of(t))


def _grouped(n: Add | Sum) -> Scalar | None:
    """Sums over axes of one length are taken together, each group by itself; a size outside is a sum of ones."""
    groups: dict[tuple[Scalar, ...], list[tuple[Scalar, list[Index]]]] = {}
    outside: list[Scalar] = []
    for t in terms_of(n):
        sums = [f for f in factors_of(t) if isinstance(f, Sum)]
        if len(sums) == 1:
            body, indices = open_sum(sums[0])
            outer = mul(*(f for f in factors_of(t) if f is not sums[0]))
            groups.setdefault(tuple(i.size for i in indices), []).append((mul(outer, body), indices))
        else:
            outside.append(t)
    out: list[Scalar] = []
    changed = False
    for sizes, members in groups.items():
        common = members[0][1]
        body = add(*(substitute(b, dict(zip(i, common, strict=True))) for b, i in members))
        if all(isinstance(s, Dim) for s in sizes):
            for t in [t for t in outside if _per_entry(t, mul(*sizes)) is not None]:
                body = add(body, _per_entry(t, mul(*sizes)) or ZERO)
                outside.remove(t)
        body = _without_fixed(body, common, outside)
        made = _rewritten(body, common, outside)
        changed = changed or made is not None
        out.append(made if made is not None else total(body, common))
    if outside:
        rest = add(*outside)
        made = _rewritten(rest, ()) if isinstance(rest, Add) else None
        if made is None and groups and not changed:
            return None
        changed = changed or made is not None
        out.append(made if made is not None else rest)
    return add(*out) if changed else None


def _without_fixed(body: Scalar, indices: Sequence[Index], outside: list[Scalar]) -> Scalar:
    """The body less terms whose special function does not hang on the index: those go outside, f sum(c)."""
    kept: list[Scalar] = []
    for t in expanded(body):
        special = [f for f in factors_of(t) if isinstance(f, Fn) and f.name in (*LOGS, *GAMMAS, "digamma")]
        if len(special) == 1 and special[0].free.isdisjoint(indices):
            c = mul(*(g for g in factors_of(t) if g is not special[0]))
            outside.extend(mul(special[0], total(u, list(indices))) for v in terms_of(c) for u in multiplied(v))
        else:
            kept.append(t)
    return add(*kept)


def _per_entry(t: Scalar, size: Scalar) -> Scalar | None:
    """c, where t = c k is the sum of c over k entries."""
    c, base = as_coefficient(t)
    return num(c) if base is size else None


def _rewritten(body: Scalar, indices: Sequence[Index], outside: list[Scalar] | None = None) -> Scalar | None:
    """The sum over `indices` of the body, by remainders; None where something of first order is left."""
    best: tuple[Scalar, list[Scalar] | None] | None = None
    terms = [t for u in terms_of(body) for t in _opened_fraction(u)]
    exponentials = [t for t in terms if _exponent(t) is not None]
    for chosen in [[], *([t] for t in exponentials[:3])] if len(exponentials) != 1 else [exponentials, []]:
        more: list[Scalar] | None = [] if outside is not None else None
        made = _with_exponential(terms, chosen, indices, more)
        if made is not None and (best is None or _rank(made) < _rank(best[0])):
            best = made, more
    if best is not None and outside is not None:
        outside.extend(best[1] or [])
    return best[0] if best is not None else None


def _rank(x: Scalar) -> tuple[bool, int]:
    """What is taken first: a sum without negative terms, then what is short."""
    return not is_sum_of_remainders(x), written_length(x)


def _opened_fraction(t: Scalar) -> list[Scalar]:
    """(a + b exp(w))/c is a/c + b exp(w)/c."""
    inner = next((f for f in factors_of(t) if isinstance(f, Add) and holds(f, EXPONENTIALS)), None)
    if inner is None:
        return [roots_apart(t)]
    rest = mul(*(f for f in factors_of(t) if f is not inner))
    return [u for v in inner.args for u in _opened_fraction(mul(rest, v))]


def _exponent(t: Scalar) -> tuple[Scalar, Scalar] | None:
    """c, w with t = c exp(w): exponentials, gammas, powers that are no number."""
    c: list[Scalar] = []
    w: list[Scalar] = []
    for f in factors_of(t):
        if isinstance(f, Fn) and f.name == "exp":
            w.append(f.args[0])
        elif isinstance(f, Fn) and f.name == "gamma":
            w.append(fn("lgamma", f.args[0]))
        elif isinstance(f, Fn) and f.name == "gamma_ratio":
            w.append(sub(fn("lgamma", f.args[0]), fn("lgamma", f.args[1])))
        elif isinstance(f, Fn) and f.name == "beta":
            w.append(fn("lbeta", *f.args))
        elif isinstance(f, Pow) and isinstance(f.base, Fn) and f.base.name == "gamma":
            w.append(mul(f.exponent, fn("lgamma", f.base.args[0])))
        elif isinstance(f, Pow) and _is_power(f):
            w.append(mul(f.exponent, fn("log", f.base)))
        else:
            c.append(f)
    return (mul(*c), add(*w)) if w else None


def _is_power(f: Pow) -> bool:
    """Whether f is exp(e log b): what is raised to a power that is no integer is not negative."""
    if isinstance(f.exponent, Num):
        return not whole(f.exponent)
    kinds = {e.array.domain for e in entries_of(f.exponent) if isinstance(e.array, Var)}
    return is_nonnegative_by_form(f.base) or bool(kinds) and kinds <= {"real", "positive", "nonnegative", "unit"}


def _with_exponential(
    terms: Sequence[Scalar], chosen: Sequence[Scalar], indices: Sequence[Index], outside: list[Scalar] | None
) -> Scalar | None:
    """c exp(w) = c r(w) + c + c w, r the remainder; what stays must be of second order."""
    pool = Pool()
    out: list[Scalar] = []
    for t in terms:
        if any(t is u for u in chosen):
            continue
        pool.put(t)
    for t in chosen:
        c, w = _exponent(t) or (t, ZERO)
        whole = _numeric_only(c)
        if not whole:  # all of it in the exponent: s2^2/s1 exp(w) is exp(w + 2 log s2 - log s1)
            sign, inside = as_coefficient(c)
            if not all(is_nonnegative_by_form(b) for b, _ in positive_factors(inside)):
                return None
            both = [(num(sign), add(w, *(mul(e, fn("log", b)) for b, e in positive_factors(inside)))), (c, w)]
        else:
            both = [(c, w)]
        alone = not pool.logs and not pool.gammas and not pool.psis and not pool.small
        if alone and not indices and add(both[0][0], *pool.rest) is ZERO and isinstance(both[0][0], Num):
            exponent = _settled(both[0][1])  # exp(w) - 1
            return None if exponent is None else mul(both[0][0], fn("expm1", exponent))
        found: list[tuple[tuple[bool, int], Scalar, list[Scalar]]] = []
        for c, w in both:
            stable = _settled(w)
            if stable is None:
                continue
            own = Pool(dict(pool.logs), dict(pool.gammas), dict(pool.psis), list(pool.rest), list(pool.small))
            own.put(c)
            own.put(mul(c, w) if isinstance(c, Num) or not isinstance(w, Add) else add(*(mul(c, u) for u in w.args)))
            told: list[Scalar] | None = None if outside is None else []
            made = _settled_pool(own, indices, 2, told, is_beside=True)
            if made is not None:
                made = add(total(mul(c, fn("expm1_remainder", stable)), list(indices)), made)
                found.append((_rank(made), made, told or []))
        if not found:
            return None
        _, made, told = min(found, key=lambda f: f[0])
        if outside is not None:
            outside.extend(told)
        return made
    made = _settled_pool(pool, indices, 2, outside)
    return None if made is None else add(*out, made)


def _numeric_only(c: Scalar) -> bool:
    return isinstance(c, Num)


def _settled(w: Scalar) -> Scalar | None:
    """An exponent in stable form: of second order, or of first."""
    for order in (2, 1):
        pool = Pool()
        pool.put(w)
        made = _settled_pool(pool, (), order)
        if made is not None:
            return made
    return None


def _settled_pool(
    pool: Pool, indices: Sequence[Index], order: int, outside: list[Scalar] | None = None, is_beside: bool = False
) -> Scalar | None:
    """The sum with its logarithms and gammas as remainders (or, of first order, as differences); what does not hang on
    the indices goes `outside`. What `is_beside` a remainder may be rational alone."""
    pool.tidy()
    large = _for_large_shapes(pool) if order == 2 and pool.psis and not indices else None
    if large is not None:
        return large
    told: list[Scalar] = []
    out: list[Scalar] = list(pool.small)
    pairs: list[Pair] = [p for t in pool.small for p in pairs_in(t)]
    gamma_pairs(pool, out, pairs, order)
    if pool.gammas or pool.psis:
        return None
    pool.tidy()
    references(pool, out, pairs)
    for b in [b for b in pool.logs if indices and b.free.isdisjoint(indices)]:  # sum(c) log b, by itself
        c = closed_sum(pool.logs[b], indices)
        if outside is None or not isinstance(c, Num):
            return None
        del pool.logs[b]
        told.append(mul(c, fn("log", b)))
    against = opposite(pool.logs, pairs)
    for x, y, _ in against:
        del pool.logs[x], pool.logs[y]
    quotients(pool, out, order)
    singles = [(b, ONE, c) for b, c in pool.logs.items()]
    if not all(may_near_one(b, pool) for b, _, _ in singles):
        return None
    found = [*against, *singles]
    if len(found) > 6:
        return None
    options = (1, 2, -1) if len(found) <= MOST_PAIRS else (1,)
    best: tuple[tuple[bool, int], Scalar] | None = None
    for exponents in product(options, repeat=len(found)):
        made = list(out)
        rest = list(pool.rest)
        for (x, y, c), e in zip(found, exponents, strict=True):
            if order == 1:
                made.append(mul(c, fn("log_ratio", x, y, difference(x, y))))
                continue
            ratio = short(divide(c, x))
            if e == 1 and (isinstance(ratio, Num) or written_length(ratio) <= written_length(c)):  # x may be 0
                made.append(mul(ratio, fn("kl_term", x, y, kept_apart(difference(y, x)))))
            else:
                made.append(mul(divide(c, num(e)), fn("log_remainder", relative(x, y, e), log_ratio(x, y, e))))
            rest.append(mul(MINUS_ONE, divide(c, num(e)), relative(x, y, e)))
        left = left_in_differences(add(*rest), [*pairs, *((x, y) for x, y, _ in found)], indices, order)
        if left is None:
            continue
        whole = add(*(summed(m, indices) for m in made), left)
        if best is None or _rank(whole) < best[0]:
            best = _rank(whole), whole
        if order == 1:
            break
    if best is None or not (found or out or order == 1 or not indices or is_beside):
        return None
    if outside is not None:
        outside.extend(told)
    return best[1]


def _for_large_shapes(pool: Pool) -> Scalar | None:
    """The sum by what Stirling's formula leaves of the gammas, where all else is one remainder for each coefficient."""
    own = Pool(dict(pool.logs), dict(pool.gammas), dict(pool.psis), list(pool.rest), list(pool.small))
    if own.small or (not own.logs and len(own.psis) == 1) or len(own.logs) + len(own.gammas) > MOST_TERMS_OF_GAMMAS:
        return None
    out: list[Scalar] = []
    pairs: list[Pair] = []
    gamma_pairs(own, out, pairs, 2, stirling=True)
    if own.gammas or own.psis:
        return None
    own.tidy()
    return add(*out) if products(own, out, pairs) else None

"""Results made readable: inverses contracted with what they invert, sums split, what feeds a function named."""

from __future__ import annotations

from fractions import Fraction

from symgen.algebra.inside import settled_inside
from symgen.algebra.rational import simplify_scalar
from symgen.probability.forms.choices import with_choices_met
from symgen.probability.forms.special import simplified
from symgen.probability.forms.terms import terms_of
from symgen.probability.forms.walks import bottom_up
from symgen.tensor import build
from symgen.tensor.build import Value
from symgen.tensor.expression import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Add,
    Entry,
    Fn,
    Index,
    Mul,
    Node,
    Num,
    Operation,
    Pow,
    Scalar,
    Sum,
    Tensor,
    add,
    as_coefficient,
    delta,
    entry,
    fn,
    fresh_index,
    mul,
    num,
    open_sum,
    open_tensor,
    power,
    rebuild,
    sub,
    tensor,
    total,
    variables_of,
    walk,
)  # fmt: skip
from symgen.tensor.facts import is_positive, is_symmetric

MAX_PRODUCTS = 60


def with_inverses_contracted(root: Scalar) -> Scalar:
    """The sum over j of inv(A)[i, j] A[j, k] is Delta(i, k)."""

    def rule(x: Scalar) -> Scalar:
        if not isinstance(x, Sum):
            return x
        body, indices = open_sum(x)
        terms = list(body.args) if isinstance(body, Add) else [body]
        terms = [u for t in terms for u in _beside_its_inverse(t)]
        made, changed = [], False
        for t in terms:
            new = _contracted(t, indices)
            changed = changed or new is not None
            made.append(total(t, indices) if new is None else rule_all(new))
        return add(*made) if changed else x

    def rule_all(x: Scalar) -> Scalar:
        return rule(x) if isinstance(x, Sum) else x

    return bottom_up(root, rule)


def _beside_its_inverse(term: Scalar) -> list[Scalar]:
    """The terms of (inv(W) - inv(S))[i, j] S[j, i], where a matrix stands beside a difference that holds its inverse."""
    factors = list(term.args) if isinstance(term, Mul) else [term]
    for k, f in enumerate(factors):
        named = isinstance(f, Entry) and isinstance(f.array, Tensor)
        c, inner = as_coefficient(open_tensor(f.array, f.indices) if named else f)
        sizes = [u for u in (inner.args if isinstance(inner, Mul) else (inner,)) if isinstance(u, Add)]
        if len(sizes) != 1:
            continue
        inverted = {op.operands[0] for u in sizes[0].args for op in _inverses(u)}
        others = [mul(num(c), *(u for u in (inner.args if isinstance(inner, Mul) else ()) if u is not sizes[0]))]
        others += factors[:k] + factors[k + 1 :]
        if any(isinstance(g, Entry) and g.array in inverted for g in others):
            return [mul(u, *others) for u in sizes[0].args]
    return [term]


def _inverses(term: Scalar) -> list[Operation]:
    parts = term.args if isinstance(term, Mul) else (term,)
    arrays = [e.array for e in parts if isinstance(e, Entry)]
    return [a for a in arrays if isinstance(a, Operation) and a.name == "inv"]


def _contracted(term: Scalar, indices: list[Index]) -> Scalar | None:
    factors = list(term.args) if isinstance(term, Mul) else [term]
    for f in factors:
        if not (isinstance(f, Entry) and isinstance(f.array, Operation) and f.array.name == "inv"):
            continue
        matrix = f.array.operands[0]
        for g in factors:
            if not (isinstance(g, Entry) and g.array is matrix and g.indices[:-2] == f.indices[:-2]):
                continue
            rest = mul(*(h for h in factors if h is not f and h is not g))
            symmetric = is_symmetric(matrix) is True
            a, b = f.indices[-2:], g.indices[-2:]
            for p, q in ((1, 0), (0, 1), (0, 0), (1, 1)):
                j = a[p]
                if j is not b[q] or j not in indices or j in rest.free or (p == q and not symmetric):
                    continue
                if j is a[1 - p] or j is b[1 - q]:
                    continue
                kept = [i for i in indices if i is not j]
                return total(mul(rest, delta(a[1 - p], b[1 - q])), kept)
    return None


def with_sums_named(root: Scalar) -> Scalar:
    """What feeds a function and holds a contraction gets a name of its own: digamma(sum(alpha))."""

    def rule(x: Scalar) -> Scalar:
        if isinstance(x, Fn) and any(build.has_contraction(a) for a in x.args):
            args = [build.named(Value((), a)).body if build.has_contraction(a) else a for a in x.args]
            return rebuild(x, args)  # type: ignore[no-any-return]
        if isinstance(x, Pow) and build.has_contraction(x.base) and isinstance(x.base, Add):
            return power(build.named(Value((), x.base)).body, x.exponent)
        return x

    return bottom_up(root, rule)


def multiplied_out(x: Scalar, squares: bool = False) -> Scalar:
    """Products of sums (and their squares) written out, where that is short: like terms meet."""

    def rule(n: Scalar) -> Scalar:
        if squares and isinstance(n, Pow) and isinstance(n.base, Add) and n.exponent is TWO and len(n.base.args) <= 6:
            return add(*(mul(a, b) for a in n.base.args for b in n.base.args))
        if not isinstance(n, Mul):
            return n
        sums = [f for f in n.args if isinstance(f, Add)]
        if not sums:
            return n
        count = 1
        for s in sums:
            count *= len(s.args)
        if count > MAX_PRODUCTS:
            return n
        terms: list[Scalar] = [mul(*(f for f in n.args if f not in sums))]
        for s in sums:
            terms = [mul(t, u) for t in terms for u in s.args]
        return add(*terms)

    return bottom_up(x, rule)


def with_sums_factored(root: Scalar) -> Scalar:
    """A sum of products as the product of the sums over the indices that hang together, term by term."""

    def rule(x: Scalar) -> Scalar:
        if not isinstance(x, Sum):
            return x
        body, indices = open_sum(x)
        flat = _flat(body, indices)
        return add(*(_components(t, i) for t, i in flat)) if flat is not None else x

    return bottom_up(root, rule)


def _flat(body: Scalar, indices: list[Index]) -> list[tuple[Scalar, list[Index]]] | None:
    """The terms of a sum with inner sums opened, each with its bound indices."""
    out: list[tuple[Scalar, list[Index]]] = []
    stack: list[tuple[Scalar, list[Index]]] = [(body, indices)]
    while stack:
        if len(out) + len(stack) > MAX_PRODUCTS:
            return None
        t, bound = stack.pop()
        if isinstance(t, Add):
            stack.extend((u, bound) for u in t.args)
            continue
        factors = list(t.args) if isinstance(t, Mul) else [t]
        inner = next((f for f in factors if isinstance(f, (Sum, Add))), None)
        if inner is None:
            out.append((t, bound))
            continue
        others = [f for f in factors if f is not inner]
        if isinstance(inner, Sum):
            b, more = open_sum(inner)
            stack.append((mul(b, *others), [*bound, *more]))
        else:
            stack.extend((mul(u, *others), bound) for u in inner.args)
    return out


def _components(term: Scalar, indices: list[Index]) -> Scalar:
    factors: list[Scalar] = []
    for f in term.args if isinstance(term, Mul) else (term,):
        if isinstance(f, Fn) and f.name == "exp" and isinstance(f.args[0], Add):
            factors.extend(fn("exp", a) for a in f.args[0].args)
        else:
            factors.append(f)
    groups: list[tuple[set[Index], list[Scalar]]] = []
    for f in factors:
        mine = {i for i in f.free if i in indices}
        joined = [f]
        rest = []
        for free, members in groups:
            if free & mine:
                mine |= free
                joined = [*members, *joined]
            else:
                rest.append((free, members))
        groups = [*rest, (mine, joined)]
    unused = [i for i in indices if all(i not in g[0] for g in groups)]
    made = [simplified(total(mul(*members), [i for i in indices if i in free])) for free, members in groups]
    return mul(total(ONE, unused), *made)


def size_of(x: Scalar) -> int:
    """A length for comparing forms: leaves and functions, as a tree."""
    memo: dict[Node, int] = {}

    def visit(n: Node) -> int:
        if n not in memo:
            memo[n] = 1 + sum(visit(a) for a in n.args) if not isinstance(n, Entry) else 1
        return memo[n]

    return visit(x)


def factored_by_function(x: Scalar) -> Scalar:
    """a digamma(b) - c digamma(b) = (a - c) digamma(b): terms of a sum joined by the function that they share."""

    def rule(n: Scalar) -> Scalar:
        if not isinstance(n, Add):
            return n
        groups: dict[Scalar, list[Scalar]] = {}
        order: list[Scalar] = []
        for t in n.args:
            key: Scalar = ONE
            for f in t.args if isinstance(t, Mul) else (t,):
                if isinstance(f, Fn) and f.name not in ("exp",):
                    key = f
            if key not in groups:
                order.append(key)
            groups.setdefault(key, []).append(t)
        out: list[Scalar] = []
        for key in order:
            terms = groups[key]
            if key is ONE or len(terms) == 1:
                out.extend(terms)
            else:
                out.append(mul(key, add(*(mul(t, power(key, MINUS_ONE)) for t in terms))))
        return add(*out)

    return bottom_up(x, rule)


def with_squares_completed(x: Scalar) -> Scalar:
    """c a^2 + c b^2 - 2 c a b + .. as c (a - b)^2 + ..: the mean of (log x - m)^2 as its textbook has it."""
    if not isinstance(x, Add) or len(x.args) > MAX_PRODUCTS:
        return x
    squares: dict[Scalar, list[tuple[Scalar, Scalar]]] = {}
    for t in x.args:
        c, root = _as_square(t)
        if root is not ONE:
            squares.setdefault(c, []).append((root, t))
    terms = dict.fromkeys(x.args)
    for c, found in squares.items():
        group: list[Scalar] = []  # roots with their signs
        gone: list[Scalar] = []
        for root, t in found:
            for own in (root, mul(MINUS_ONE, root)) if group else (root,):
                crossed = [mul(TWO, c, g, own) for g in group]
                if all(k in terms and k not in gone for k in crossed):
                    gone += [t, *crossed]
                    group.append(own)
                    break
        if len(group) > 1:
            for t in gone:
                terms.pop(t, None)
            shared = set.intersection(*(set(g.args if isinstance(g, Mul) else (g,)) for g in group))
            outer = mul(*(f for f in shared if not isinstance(f, Num)))
            whole = add(*(mul(g, power(outer, MINUS_ONE)) for g in group))
            terms[mul(c, power(outer, TWO), power(whole, TWO))] = None
    return add(*terms)


def _as_square(term: Scalar) -> tuple[Scalar, Scalar]:
    """c and r with term = c r^2: r of the even powers, c what is left."""
    c: list[Scalar] = []
    root: list[Scalar] = []
    for f in term.args if isinstance(term, Mul) else (term,):
        e = f.exponent if isinstance(f, Pow) else None
        if isinstance(e, Num) and isinstance(e.value, Fraction) and e.value.denominator == 1 and e.value % 2 == 0:
            root.append(power(f.base, num(e.value / 2)))
        else:
            c.append(f)
    return mul(*c), mul(*root)


def collected(x: Scalar) -> Scalar:
    """The shortest of the forms of a result."""
    x = simplified(with_inverses_contracted(with_shifts_cancelled(with_bases_upright(with_choices_met(x)))))
    flat = simplified(with_inverses_contracted(with_choices_met(multiplied_out(x))))
    forms = [x, factored_by_function(flat), flat]
    for form in (x, flat):
        apart = with_numbers_apart(form)
        if apart is not form:
            forms.append(simplified(apart))
    completed = with_squares_completed(flat)
    if completed is not flat:
        forms += [completed, factored_by_function(completed)]
    if any(isinstance(n, Sum) for n in walk(flat)):
        forms.append(with_inverses_contracted(with_sums_factored(flat)))
    best = settled_inside(min(forms, key=size_of), (), None, lambda s: s)
    reduced = add(*(simplify_scalar(t) for t in (best.args if isinstance(best, Add) else (best,))))
    return with_shifts_cancelled(with_sums_named(min((best, reduced), key=size_of)))


def with_shifts_cancelled(x: Scalar) -> Scalar:
    """The difference of two named vectors that share a term without it, (A m + b)[i] - (A t + b)[i], and a named sum without
    what stands beside it with the other sign."""

    def rule(n: Scalar) -> Scalar:
        if isinstance(n, Entry) and isinstance(n.array, Tensor) and isinstance(n.array.body, Sum):
            i = [fresh_index(s) for s in n.array.shape]
            body = open_tensor(n.array, i)
            made = bottom_up(body, rule)
            return n if made is body else entry(tensor(i, made), *n.indices)
        if not isinstance(n, Add):
            return n
        named: dict[Scalar, Entry] = {}
        for t in n.args:
            c, e = as_coefficient(t)
            if abs(c) == 1 and isinstance(e, Entry) and isinstance(e.array, Tensor) and isinstance(e.array.body, Add):
                named[t] = e
        for t, e in named.items():
            for u, f in named.items():
                if as_coefficient(t)[0] != 1 or as_coefficient(u)[0] != -1 or e.indices != f.indices:
                    continue
                i = [fresh_index(s) for s in e.array.shape]
                first, second = open_tensor(e.array, i), open_tensor(f.array, i)
                left = sub(first, second)
                if len(terms_of(left)) < len(terms_of(first)) + len(terms_of(second)):
                    return rule(add(entry(tensor(i, left), *e.indices), *(a for a in n.args if a is not t and a is not u)))
            rest = [a for a in n.args if a is not t]
            opened = mul(num(as_coefficient(t)[0]), open_tensor(e.array, e.indices))
            whole = add(opened, *rest)
            if len(terms_of(whole)) < min(len(terms_of(opened)) + len(rest), len(n.args) + 1):
                return rule(whole)
        return n

    return bottom_up(x, rule)


def with_bases_upright(x: Scalar) -> Scalar:
    """(2/(u + v))^e as ((u + v)/2)^(-e): what is positive to both powers, so that it meets its own inverse."""

    def rule(n: Scalar) -> Scalar:
        if not isinstance(n, Pow) or isinstance(n.exponent, Num) or not isinstance(n.base, (Mul, Pow)):
            return n
        c, rest = as_coefficient(n.base)
        if c <= 0 or not isinstance(rest, Pow) or not isinstance(rest.exponent, Num):
            return n
        down = rest.exponent.rational
        if down is None or down >= 0 or not isinstance(rest.base, Add):
            return n
        return power(mul(num(1 / c), power(rest.base, num(-down))), mul(MINUS_ONE, n.exponent))

    return bottom_up(x, rule)


def _halved(exponent: Scalar) -> bool:
    """Whether it is 1/2, -1/2, 3/2: that of a square root."""
    return isinstance(exponent, Num) and exponent.rational is not None and exponent.rational.denominator == 2


def with_numbers_apart(x: Scalar) -> Scalar:
    """log(2 s) as log(2) + log(s), log(1/2) as -log(2), sqrt(2 pi) sqrt(2/pi) as 2: what may cancel."""

    def rule(n: Scalar) -> Scalar:
        if isinstance(n, Fn) and n.name == "log":
            c, rest = as_coefficient(n.args[0])
            if c > 0 and c != 1 and (rest is ONE or is_positive(rest) is True):
                top, bottom = (fn("log", num(k)) for k in (c.numerator, c.denominator))
                return add(top, mul(MINUS_ONE, bottom), fn("log", rest) if rest is not ONE else ZERO)
        if isinstance(n, Mul):
            roots = [f for f in n.args if isinstance(f, Pow) and _halved(f.exponent) and not variables_of(f)]
            if len(roots) > 1:
                inside = simplify_scalar(mul(*(power(f.base, mul(TWO, f.exponent)) for f in roots)))
                c, rest = as_coefficient(inside)
                root = power(rest.base, mul(HALF, rest.exponent)) if isinstance(rest, Pow) else power(rest, HALF)
                return mul(power(num(c), HALF), root, *(f for f in n.args if f not in roots))
        return n

    return bottom_up(x, rule)


def difference_of_means(x: Scalar) -> Scalar:
    """E f g - E f E g, with both written out over sums that factor, so that what they share cancels."""
    apart = with_sums_factored(multiplied_out(with_sums_factored(multiplied_out(x, squares=True)), squares=True))
    return min((collected(x), collected(simplified(apart)), apart), key=size_of)

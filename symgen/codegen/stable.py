"""Rewrites that keep the digits: what overflows, underflows or cancels in floating point gets a form that does not.

Each rule is an identity of the reals. The rules look through named values: where p = sigmoid(z), log(p) is computed
from z, and p keeps its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from symgen.algebra.rational import as_quotient
from symgen.codegen.stable_bessel import bessel_remainders, log_of_bessel, without_growth
from symgen.codegen.stable_branches import with_quiet_inverses, without_choice
from symgen.codegen.stable_gammas import near_flat
from symgen.codegen.stable_logistic import (
    common_exponential,
    odd_in_logit,
    power_of_logistic,
    product_of_logistics,
    two_exponentials,
)
from symgen.codegen.stable_logit import near_one_half
from symgen.codegen.stable_matrices import is_spd, with_triangular_factors
from symgen.codegen.stable_moments import beyond_leading_terms, difference_of_powers
from symgen.codegen.stable_pool import has_denominator, is_nonnegative_by_form
from symgen.codegen.stable_products import may_overflow, without_overflow
from symgen.codegen.stable_quadratics import squares_of_differences
from symgen.codegen.stable_rational import beside_one, near_one
from symgen.codegen.stable_remainders import error_function_difference, root_difference, with_remainders
from symgen.codegen.stable_special import (
    OF_ARGUMENT,
    complement,
    exact_difference,
    log_beside_one,
    log_of_cosh,
    log_of_half_erf_gap,
    log_of_half_erfc,
    scaled,
    short_differences,
)
from symgen.codegen.stable_zero import (
    centred_at_zero,
    is_one_number,
    log_ratios,
    logs_of_what_may_be_zero,
    may_be_zero,
    power_at_zero,
    quotient_at_zero,
    weighted_ratio,
)
from symgen.tensor.expression import (
    INF,
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Add,
    Array,
    Entry,
    Expect,
    Fn,
    Fold,
    Index,
    Mul,
    Node,
    Num,
    Operation,
    Pow,
    Recurrence,
    Scalar,
    Sum,
    Tensor,
    Where,
    add,
    as_coefficient,
    entry,
    expect,
    fn,
    fold,
    fresh_index,
    mul,
    neg,
    num,
    open_sum,
    open_tensor,
    operation,
    power,
    rebuild,
    recurrence,
    sub,
    substitute,
    tensor,
    total,
    walk,
    where,
)  # fmt: skip

__all__ = ["stabilised"]

LOWEST = num(-(10**30))  # a shift stays finite where all exponents are -inf
POSITIVE = frozenset({"positive", "unit"})


def stabilised(outputs: Mapping[str, Array], for_code: bool = True) -> tuple[dict[str, Array], dict[Array, Array]]:
    """The outputs in stable form, and what became of each array (for their names). `for_code`: with operations that have
    words in code alone."""
    engine = _Stabiliser()
    made = {}
    for name, a in outputs.items():
        if name.startswith("grad ") and not engine.is_gradient and engine.meets_zero:
            engine.others, engine.memo = engine.memo, {}
        engine.is_gradient = name.startswith("grad ")
        made[name] = engine.array(a)
    if for_code:
        made = with_triangular_factors(made)
    made = with_quiet_inverses(made)
    last = _LastRules()
    if any(may_overflow(n) for n in walk(*made.values())):
        made = {name: last.array(a) for name, a in made.items()}
    return made, {
        old: last.memo.get(new, new)
        for old, new in {**engine.memo, **engine.others}.items()
        if isinstance(old, Array) and isinstance(new, Array) and old is not new
    }


def factors_of(x: Scalar) -> tuple[Scalar, ...]:
    return x.args if isinstance(x, Mul) else (x,)


def definition(x: Scalar) -> Scalar:
    """What an entry stands for: the body of its tensor there; anything else is itself."""
    for _ in range(8):
        if not (isinstance(x, Entry) and isinstance(x.array, Tensor)):
            break
        x = open_tensor(x.array, x.indices)
    return x


def argument_of(x: Scalar, name: str) -> Scalar | None:
    """u, where x is name(u), by definition if need be."""
    x = definition(x)
    return x.args[0] if isinstance(x, Fn) and x.name == name else None


def logit_of(x: Scalar) -> Scalar | None:
    """z with x = sigmoid(z)."""
    z = plain_logit_of(x)
    return z if z is not None else complement_of(x)


def plain_logit_of(x: Scalar) -> Scalar | None:
    """z with x = sigmoid(z), 1/(1 + exp(-z)) or exp(z)/(1 + exp(z))."""
    z = argument_of(x, "sigmoid")
    if z is not None:
        return z
    x = definition(x)
    if isinstance(x, Pow) and x.exponent is MINUS_ONE:
        u = exponential_part(x.base)
        return neg(u) if u is not None else None
    if isinstance(x, Mul) and len(x.args) == 2:
        for f, g in (x.args, x.args[::-1]):
            if isinstance(g, Pow) and g.exponent is MINUS_ONE:
                u = exponential_part(g.base)
                if u is not None and argument_of(f, "exp") is u:
                    return u
    return None


def complement_of(x: Scalar) -> Scalar | None:
    """-z with x = 1 - sigmoid(z)."""
    x = definition(x)
    if isinstance(x, Add) and len(x.args) == 2:
        a, b = x.args
        if b is ONE:
            a, b = b, a
        if a is ONE:
            c, base = as_coefficient(b)
            z = plain_logit_of(base) if c == -1 else None
            return neg(z) if z is not None else None
    return None


def exponential_part(x: Scalar) -> Scalar | None:
    """u with x = 1 + exp(u)."""
    x = definition(x)
    if isinstance(x, Add) and len(x.args) == 2:
        a, b = x.args
        if b is ONE:
            a, b = b, a
        if a is ONE:
            return argument_of(b, "exp")
    return None


def sum_of_exponentials(x: Scalar) -> tuple[Scalar, Scalar, list[Index]] | None:
    """w, u, indices with x = sum over the indices of w*exp(u), u depending on one of them."""
    x = definition(x)
    if not isinstance(x, Sum):
        return None
    body, indices = open_sum(x)
    weights: list[Scalar] = []
    exponents: list[Scalar] = []
    for f in factors_of(body):
        u = argument_of(f, "exp")
        if u is None and isinstance(definition(f), Mul):
            inner = [argument_of(g, "exp") for g in factors_of(definition(f))]
            if any(e is not None for e in inner):
                for g, e in zip(factors_of(definition(f)), inner, strict=True):
                    (exponents if e is not None else weights).append(e if e is not None else g)
                continue
        (exponents if u is not None else weights).append(u if u is not None else f)
    exponent = add(*exponents)
    if exponent.free.isdisjoint(indices):
        return None
    return mul(*weights), exponent, indices


def lifted(body: Scalar, last: Sequence[Index] = ()) -> tuple[Array, list[Index]]:
    """An array of `body` over its free indices (those of `last` at the end), and the other indices."""
    outer = sorted(body.free.difference(last), key=lambda i: (i.kind, i.number))
    return tensor((*outer, *last), body), outer


class _Stabiliser:
    def __init__(self) -> None:
        self.memo: dict[Node, Node] = {}
        self.others: dict[Node, Node] = {}  # of the values, where gradients have their own
        self.is_gradient = False  # of the output at hand
        self.meets_zero = False  # where gradients have forms of their own

    def array(self, array: Array) -> Array:
        result = self.walked(array)
        assert isinstance(result, Array)
        return result

    def walked(self, root: Node) -> Node:
        """`root` with the rules applied from the leaves up."""
        memo = self.memo
        stack: list[Node] = [root]
        while stack:
            n = stack[-1]
            if n in memo:
                stack.pop()
                continue
            waiting = [a for a in n.args if a not in memo]
            if waiting:
                stack.extend(waiting)
                continue
            stack.pop()
            memo[n] = self.rewritten(self.renewed(n, [memo[a] for a in n.args]))
        return memo[root]

    def renewed(self, n: Node, new: list[Node]) -> Node:
        if all(a is b for a, b in zip(n.args, new, strict=True)):
            return n
        if isinstance(n, Tensor):
            return tensor(n.axes, new[0])
        if isinstance(n, (Sum, Fold)):
            unique = {i: fresh_index(i.size) for i in n.indices}
            body, bound = substitute(new[0], unique), list(unique.values())
            return total(body, bound) if isinstance(n, Sum) else fold(n.kind, body, bound)
        if isinstance(n, Expect):
            return expect(new[0], n.noise, n.laws)
        if isinstance(n, Recurrence):
            return recurrence(n.self_var, new[0], new[1:], n.reverse)
        made: Node = rebuild(n, new)
        return made

    def rewritten(self, n: Node) -> Node:
        if isinstance(n, Fn) and n.name == "log":
            return near_one(definition(n.args[0])) or self.log(n.args[0]) or n
        if isinstance(n, Fn) and n.name in OF_ARGUMENT:
            return OF_ARGUMENT[n.name](n)
        if isinstance(n, Fn) and n.name == "exp" and isinstance(n.args[0], Add):
            return fn("exp", add(*map(power_at_zero, n.args[0].args)))
        if isinstance(n, Add):
            return self.sum_rule(n)
        if isinstance(n, Mul):
            return self.product_rule(n)
        if isinstance(n, Where):
            chosen = without_choice(n)
            return near_one_half(chosen) if isinstance(chosen, Where) else chosen
        if isinstance(n, Sum):
            return with_remainders(n)
        if isinstance(n, Pow):
            z = plain_logit_of(n)
            if z is None and n.exponent is TWO:
                apart = exact_difference(n.base)
                return power(apart, TWO) if apart is not n.base else power_of_logistic(n)
            return fn("sigmoid", z) if z is not None else power_of_logistic(n)
        if isinstance(n, Operation) and n.name == "logdet" and is_spd(n.operands[0]):
            return operation("logdet_spd", n.operands, n.shape)
        return n

    # --- logarithms ---

    def log(self, x: Scalar) -> Scalar | None:
        """log(x) in a stable form; None if it is best as it stands."""
        z = logit_of(x)
        if z is not None:
            return neg(fn("softplus", neg(z)))
        u = exponential_part(x)
        if u is not None:
            return fn("softplus", u)
        u = argument_of(x, "exp")
        if u is not None:
            return u
        u = argument_of(x, "erfc")
        if u is not None:
            return add(log_of_half_erfc(u), fn("log", TWO))
        inside = definition(x)
        gap = log_of_half_erf_gap(inside)
        if gap is not None:
            return add(gap, fn("log", TWO))
        if isinstance(inside, Fn) and inside.name == "besseli":
            return log_of_bessel(inside)
        beside = log_beside_one(inside)
        if beside is not None:
            return beside
        found = sum_of_exponentials(x)
        if found is not None:
            return self.log_of_sum(*found)
        two = two_exponentials(x)
        if two is not None:
            return add(two[0], fn("softplus", sub(two[1], two[0])))
        shared = common_exponential(x)
        if shared is not None:
            return add(shared[0], fn("log", shared[1]))
        u = argument_of(x, "cosh")
        if u is not None:
            return log_of_cosh(u)
        if isinstance(inside, Entry) and isinstance(inside.array, Operation):
            op = inside.array
            if op.name == "softmax":
                return entry(operation("log_softmax", op.operands, op.shape), *inside.indices)
            if op.name == "det" and is_spd(op.operands[0]):
                return entry(operation("logdet_spd", op.operands, op.shape), *inside.indices)
        if isinstance(inside, Mul):
            return self.log_of_product(inside)
        if isinstance(inside, Pow) and not isinstance(inside.base, Num):
            below = self.log(inside.base)
            if below is not None and (self.is_positive(inside.base)):
                return mul(inside.exponent, below)
        if isinstance(inside, Where):
            c, a, b = inside.args
            left, right = (neg(INF) if part is ZERO else self.log(part) for part in (a, b))
            if left is not None or right is not None:
                return where(c, left or fn("log", a), right or fn("log", b))
        if isinstance(inside, Add) and ONE in inside.args:
            return fn("log1p", add(*(t for t in inside.args if t is not ONE)))
        return None

    def log_of_product(self, x: Mul) -> Scalar | None:
        """log(a*b) = log(a) + log(b) for what is positive and has a stable logarithm; the rest stays together."""
        parts: list[Scalar] = []
        rest: list[Scalar] = []
        for f in x.args:
            base, exponent = (f.base, f.exponent) if isinstance(f, Pow) else (f, ONE)
            u, gap = argument_of(f, "erfc"), log_of_half_erf_gap(f)
            stable = self.log(base) if self.is_positive(base) else None
            if u is not None:  # log(c erfc(u)) is log(2 c) beside log(erfc(u)/2)
                parts.append(log_of_half_erfc(u))
                rest.append(TWO)
            elif gap is not None:
                parts.append(gap)
                rest.append(TWO)
            elif stable is None:
                rest.append(f)
            else:
                parts.append(mul(exponent, stable))
        if not parts:
            return None
        left = mul(*rest)
        if as_coefficient(left)[0] < 0 and any(log_of_half_erf_gap(f) is not None for f in x.args):
            left = neg(left)  # the gap is negative too
        made = add(*parts, *([] if left is ONE else [self.log(left) or fn("log", left)]))
        return odd_in_logit(made) if isinstance(made, Add) else made

    def is_positive(self, x: Scalar) -> bool:
        """Whether x > 0 by its form alone."""
        if logit_of(x) is not None or exponential_part(x) is not None or argument_of(x, "exp") is not None:
            return True
        names = ("cosh", "erfc", "erf_gap", "besseli")
        if any(argument_of(x, name) is not None for name in names) or two_exponentials(x) is not None:
            return True
        inside = definition(x)
        if isinstance(inside, Entry) and isinstance(inside.array, Operation):
            return inside.array.name == "softmax"
        shared = common_exponential(x)
        if shared is not None:
            return is_nonnegative_by_form(shared[1])
        found = sum_of_exponentials(x)
        return found is not None and found[0] is ONE

    def log_of_sum(self, w: Scalar, u: Scalar, indices: list[Index]) -> Scalar:
        """log(sum(w*exp(u))): the largest exponent is taken out."""
        if w is ONE:
            body = u
            for i in indices:  # log(sum_ij) = logsumexp_i(logsumexp_j)
                array, outer = lifted(body, [i])
                body = entry(operation("logsumexp", (array,), array.shape[:-1]), *outer)
            return body
        top, rest = self.shifted(w, u, indices)
        return add(top, fn("log", rest))

    def shifted(self, w: Scalar, u: Scalar, indices: list[Index]) -> tuple[Scalar, Scalar]:
        """m and r with sum(w*exp(u)) = exp(m)*r, m the largest exponent."""
        array, outer = lifted(fn("max", fold("max", u, indices), LOWEST))
        top = entry(array, *outer)
        return top, total(mul(w, fn("exp", add(u, neg(top)))), indices)

    # --- sums ---

    def sum_rule(self, n: Add) -> Scalar:
        """exp(x) - 1, 1 - sigmoid(z), 1 - erf(x), and the cross entropy of a logit."""
        paired = log_ratios(n)
        centred = centred_at_zero(paired) if isinstance(paired, Add) else paired
        self.meets_zero = self.meets_zero or centred is not n
        if self.is_gradient and centred is not n:
            return centred
        if len(n.args) == 2:
            z = complement_of(n)
            if z is not None:
                return fn("sigmoid", z)
        constant = next((t for t in n.args if isinstance(t, Num) and t.value in (1, -1)), None)
        if constant is not None and isinstance(constant.value, Fraction):
            for t in n.args:
                c, base = as_coefficient(t)
                if c != -constant.value or not isinstance(base, Fn):
                    continue
                if base.name == "exp":
                    rest = [s for s in n.args if s is not t and s is not constant]
                    made = with_remainders(n) if rest else n
                    return made if made is not n else add(mul(num(c), fn("expm1", base.args[0])), *rest)
        for rule in (complement, odd_in_logit, squares_of_differences):
            turned = rule(n)
            if turned is not n:
                return turned
        roots = root_difference(n) or error_function_difference(n) or beside_one(n)
        if roots is not None:
            return roots
        made = with_remainders(n)
        if made is not n:
            return near_flat(made, beyond_leading_terms(n))
        for rule in (bessel_remainders, beyond_leading_terms, short_differences, difference_of_powers):
            made = rule(n)
            if made is not n:
                return made
        made = self.cross_entropy(n)
        made = self.cross_entropies(made) if isinstance(made, Add) else made
        return made if made is not n else self.weights_at_zero(n)

    def weights_at_zero(self, n: Add) -> Scalar:
        """c log(q) - c p log(q) with one weight, of which 0 log 0 is 0."""
        logs, rest = logs_of_what_may_be_zero(n)
        out, changed = rest, False
        for log, weights in logs.items():
            whole = mul(as_quotient(add(*weights)), log)
            made = self.product_rule(whole) if isinstance(whole, Mul) else whole
            changed = changed or made is not whole
            out.append(made)
        return add(*out) if changed else n

    def cross_entropies(self, n: Add) -> Scalar:
        """The same for two sums over the same indices."""
        sums = []
        for t in n.args:
            inner = [f for f in factors_of(t) if isinstance(f, Sum) and holds_softplus(f.body)]
            if len(inner) == 1:
                sums.append((t, inner[0], mul(*(f for f in factors_of(t) if f is not inner[0]))))
        for k, (t, a, c) in enumerate(sums):
            for u, b, d in sums[k + 1 :]:
                if c is not d or [i.size for i in a.indices] != [i.size for i in b.indices]:
                    continue
                body, indices = open_sum(a)
                other = substitute(b.body, dict(zip(b.indices, indices, strict=True)))
                both = add(body, other)
                made = self.cross_entropy(both) if isinstance(both, Add) else both
                if made is not both:
                    rest = [x for x in n.args if x is not t and x is not u]
                    return add(mul(c, total(made, indices)), *rest)
        return n

    def cross_entropy(self, n: Add) -> Scalar:
        """k y softplus(-z) + k (1 - y) softplus(z) = k (softplus(z) - y z), computed as one function of z and y."""
        terms: list[tuple[Scalar, Scalar, list[Scalar]]] = []
        for t in n.args:
            for f in factors_of(t):
                if isinstance(f, Fn) and f.name == "softplus":
                    terms.append((t, f.args[0], [g for g in factors_of(t) if g is not f]))
                    break
        for k, (t, z, a) in enumerate(terms):
            for s, minus, b in terms[k + 1 :]:
                if minus is not neg(z):
                    continue
                common = [f for f in a if f in b and not isinstance(f, Num)]
                ca, ra = apart([f for f in a if f not in common])
                cb, rb = apart([f for f in b if f not in common])
                if ca != cb:
                    continue
                if add(ra, rb) is not ONE:
                    continue
                rest = [x for x in n.args if x is not t and x is not s]
                target, logit = (rb, z) if not is_negated(z) else (ra, minus)
                made = mul(num(ca), *common, fn("cross_entropy_of_logit", logit, target))
                return self.cross_entropy(result) if isinstance(result := add(made, *rest), Add) else result
        return n

    # --- products ---

    def product_rule(self, n: Mul) -> Scalar:
        """exp(v)/sum(exp(u)) shifted, x*log(x) at 0, and p*(1 - p) left as it was written."""
        z = plain_logit_of(n)
        if z is not None:
            return fn("sigmoid", z)
        logistic = product_of_logistics(n)
        if logistic is not n:
            return self.product_rule(logistic) if isinstance(logistic, Mul) else logistic
        for f in sorted(n.args, key=lambda x: not (isinstance(x, Fn) and is_negated(x.args[0]))):  # p*(1 - p): one sigmoid
            if isinstance(f, Fn) and f.name == "sigmoid":
                p = next((g for g in n.args if g is not f and plain_logit_of(g) is neg(f.args[0])), None)
                if p is not None:
                    return mul(*(g for g in n.args if g is not f), add(ONE, neg(p)))
        n = without_growth(n)
        made: Scalar = quotient_at_zero(n, self.is_gradient)
        self.meets_zero = self.meets_zero or quotient_at_zero(n, True) is not made
        if made is not n:
            return made
        made = self.quotient_of_exponentials(n)
        made = scaled(made) if isinstance(made, Mul) else made
        made = weighted_ratio(made) if isinstance(made, Mul) else made
        if not isinstance(made, Mul):
            return made
        for f in made.args:
            if isinstance(f, Fn) and f.name in ("log", "log1p"):
                inside = f.args[0] if f.name == "log" else add(ONE, f.args[0])
                for g in made.args:
                    turned = isinstance(g, Add) and (neg(g) is inside or may_be_zero(neg(g)))
                    sign, weight = (MINUS_ONE, neg(g)) if turned else (ONE, g)
                    fraction = isinstance(g, Add) and not turned and any(map(has_denominator, g.args))
                    if fraction and may_be_zero(inside):  # 1 - 1/p = -(1 - p)/p
                        whole = as_quotient(g)
                        if inside in factors_of(whole) or neg(inside) in factors_of(whole):
                            again = mul(whole, *(h for h in made.args if h is not g))
                            return self.product_rule(again) if isinstance(again, Mul) else again
                    meets = inside is weight or weight in factors_of(inside) or may_be_zero(inside)
                    if may_be_zero(weight) and (meets or is_one_number(weight)):
                        rest = [h for h in made.args if h is not f and h is not g]
                        name = "xlogy" if f.name == "log" else "xlog1py"
                        return mul(sign, *rest, fn(name, weight, f.args[0]))
            if isinstance(f, Add):
                for g in made.args:
                    logs = [t for t in f.args if may_be_zero(g) and as_coefficient(t)[1] is fn("log", g)]
                    if logs:
                        others = [h for h in made.args if h is not f and h is not g]
                        c = as_coefficient(logs[0])[0]
                        left = add(*(t for t in f.args if t is not logs[0]))
                        return add(mul(num(c), *others, fn("xlogy", g, g)), mul(*others, g, left))
        return made

    def quotient_of_exponentials(self, n: Mul) -> Scalar:
        exponents = [(f, argument_of(f, "exp")) for f in n.args]
        exponentials = {f: u for f, u in exponents if u is not None}
        if not exponentials:
            return n
        for f in n.args:
            if not (isinstance(f, Pow) and as_coefficient(f.exponent)[0] < 0):
                continue
            found = sum_of_exponentials(f.base)
            if found is None:
                continue
            top, rest = self.shifted(*found)
            others = [g for g in n.args if g is not f and g not in exponentials]
            exponent = add(*exponentials.values(), mul(f.exponent, top))
            return mul(*others, fn("exp", exponent), power(rest, f.exponent))
        return n


class _LastRules(_Stabiliser):
    """What comes when the other forms are found."""

    def rewritten(self, n: Node) -> Node:
        return without_overflow(n)


def apart(factors: Sequence[Scalar]) -> tuple[Fraction, Scalar]:
    """The number among factors and the product of the rest; a sign is not carried into a sum."""
    c = Fraction(1)
    rest = []
    for f in factors:
        if isinstance(f, Num) and isinstance(f.value, Fraction):
            c *= f.value
        else:
            rest.append(f)
    return c, mul(*rest)


def holds_softplus(body: Scalar) -> bool:
    terms = body.args if isinstance(body, Add) else (body,)
    return any(isinstance(f, Fn) and f.name == "softplus" for t in terms for f in factors_of(t))


def is_negated(z: Scalar) -> bool:
    c, _ = as_coefficient(z.args[0] if isinstance(z, Add) else z)
    return c < 0

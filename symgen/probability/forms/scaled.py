"""Factors brought together: inv(c A) = inv(A)/c, logdet(c A) = n log c + logdet(A), logdet(L L') = 2 sum of log(L[k, k]) of a
Cholesky factor, inv(inv(A)) = A, a f + b f = (a + b) f."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from math import gcd, lcm
from typing import Any

from symgen.derivation.context import Context
from symgen.probability.forms.collect import with_inverses_contracted
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.terms import factors_of, opened, terms_of
from symgen.probability.forms.walks import bottom_up
from symgen.tensor.expression import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Add,
    Array,
    Delta,
    Dim,
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
    depends_on,
    divide,
    entry,
    fn,
    fresh_index,
    mul,
    neg,
    num,
    open_sum,
    open_tensor,
    operation,
    power,
    replace_arrays,
    substitute,
    tensor,
    total,
    walk,
)  # fmt: skip
from symgen.tensor.facts import is_symmetric
from symgen.tensor.matrix_facts import cholesky_factor_of


def scale_and_core(matrix: Array) -> tuple[Scalar, Array] | None:
    """c, A with matrix = c A, A an array of its own: of n A + r A too; or what all terms of a sum share, and the rest."""
    if not isinstance(matrix, Tensor) or matrix.rank != 2:
        return None
    k, m = fresh_index(matrix.shape[0]), fresh_index(matrix.shape[1])
    body = open_tensor(matrix, (k, m))
    return _one_core(body, k, m) or _shared_scale(body, k, m)


def _shared_scale(body: Scalar, k: Index, m: Index) -> tuple[Scalar, Array] | None:
    """c, A with c A[k, m] the sum: c is made of the factors of all terms in which no index stands, and their number. Of
    a product with one factor in which they stand, the others."""
    if isinstance(body, Mul):
        outside = [f for f in body.args if not f.free]
        rest = mul(*(f for f in body.args if f.free))
        return (mul(*outside), tensor([k, m], rest)) if outside and isinstance(rest, Add) else None
    if not isinstance(body, Add):
        return None
    numbers = {abs(as_coefficient(t)[0]) for t in body.args}
    number = num(numbers.pop()) if len(numbers) == 1 else ONE
    shared = [f for f in factors_of(body.args[0]) if not isinstance(f, Num) and not f.free]
    shared = [f for f in shared if all(f in factors_of(t) for t in body.args)]
    scale = mul(number, *shared)
    if scale is ONE:
        return None
    return scale, tensor([k, m], add(*(divide(t, scale) for t in body.args)))


def _one_core(body: Scalar, k: Index, m: Index) -> tuple[Scalar, Array] | None:
    core: Array | None = None
    scales: list[Scalar] = []
    for t in body.args if type(body).__name__ == "Add" else (body,):
        factors = t.args if isinstance(t, Mul) else (t,)
        inside = [f for f in factors if f.free & {k, m}]
        if len(inside) != 1 or not isinstance(inside[0], Entry) or set(inside[0].indices) != {k, m}:
            return None
        found = inside[0]
        if len(found.indices) != 2 or core is not None and found.array is not core:
            return None
        if found.indices[0] is m and is_symmetric(found.array) is not True:
            return None
        core = found.array
        scales.append(mul(*(f for f in factors if f is not found)))
    return None if core is None else (add(*scales), core)


def apart(x: Scalar, i: Index, j: Index) -> Scalar | None:
    """f with x = Delta(i, j) f."""
    out = []
    for t in terms_of(x):
        factors = t.args if isinstance(t, Mul) else (t,)
        link = [f for f in factors if isinstance(f, Delta) and {i, j} == set(f.args)]
        if t is ZERO:
            continue
        if not link:
            return None
        out.append(substitute(mul(*(f for f in factors if f is not link[0])), {j: i}))
    return add(*out)


def inverse(matrix: Array) -> Array:
    """inv(matrix); of an inverse what it inverts."""
    if isinstance(matrix, Operation) and matrix.name == "inv":
        inside = matrix.operands[0]
        assert isinstance(inside, Array)
        return inside
    return operation("inv", (matrix,), matrix.shape)


def unscaled(x: Scalar, of: Callable[[Node], bool] = lambda _: True) -> Scalar:
    """Inverses and determinants of multiples of a matrix as those of the matrix; of those that `of` is true of."""
    made: list[Array] = []
    while True:
        found = next((new for n in walk(x) if n.args and of(n.args[0]) and (new := _simpler(n)) is not None), None)
        if found is None:
            break
        made += [a for a in found.values() if isinstance(a, Tensor)]
        x = replace_arrays(x, found)
    return opened(x, lambda n: any(depends_on(n, a) for a in made)) if made else x


def without_sums_of_inverses(x: Scalar) -> Scalar:
    """a inv(S) + b inv(T) = inv(S) @ (a T + b S) @ inv(T) where its inverse, its determinant or the sign of its eigenvalues
    is asked for; S and T are spd."""
    made: list[Array] = []
    found: dict[Array, Any] = {}
    for n in walk(x):
        core = _between_inverses(n.operands[0]) if isinstance(n, Operation) and n.name in ("inv", "logdet", "eigvals") else None
        if core is None or not isinstance(n, Operation):
            continue
        s, t, middle = core
        if n.name == "logdet":
            logs = [entry(operation("logdet", (a,), ())) for a in (middle, s, t)]
            found[n] = partial(add, logs[0], neg(logs[1]), neg(logs[2]))
        elif n.name == "eigvals":
            found[n] = operation("eigvals", (middle,), n.shape)
        else:
            i, j, k, m = (fresh_index(s.shape[0]) for _ in range(4))
            inside = entry(operation("inv", (middle,), middle.shape), k, m)
            found[n] = tensor([i, j], total(mul(entry(s, i, k), inside, entry(t, m, j)), [k, m]))
        made += [a for a in (found[n],) if isinstance(a, Tensor)]
    return opened(unscaled(replace_arrays(x, found), _is_inverse), lambda n: any(depends_on(n, a) for a in made))


def _is_inverse(matrix: Node) -> bool:
    return isinstance(matrix, Operation) and matrix.name == "inv"


def _between_inverses(matrix: Node) -> tuple[Array, Array, Array] | None:
    """S, T and a T + b S, where the matrix is a inv(S) + b inv(T)."""
    if not isinstance(matrix, Tensor) or matrix.rank != 2 or not isinstance(matrix.body, Add) or len(matrix.body.args) != 2:
        return None
    scales: list[Scalar] = []
    inside: list[Array] = []
    for t in matrix.body.args:
        (f, *more) = [f for f in factors_of(t) if f.free] or [t]
        op = f.array if isinstance(f, Entry) and f.indices == matrix.axes and not more else None
        if not isinstance(op, Operation) or op.name != "inv" or not isinstance(op.operands[0], Array):
            return None
        scales.append(mul(*(g for g in factors_of(t) if g is not f)))
        inside.append(op.operands[0])
    terms = (mul(c, entry(a, *matrix.axes)) for c, a in zip(scales, reversed(inside), strict=True))
    return inside[0], inside[1], tensor(matrix.axes, add(*terms))


def squared(x: Scalar) -> Scalar:
    """x^2; of sqrt(y) it is y."""
    parts = []
    for f in x.args if isinstance(x, Mul) else (x,):
        if isinstance(f, Fn) and f.name == "sqrt":
            parts.append(f.args[0])
        elif isinstance(f, Pow) and isinstance(f.base, Fn) and f.base.name == "sqrt" and f.exponent is MINUS_ONE:
            parts.append(power(f.base.args[0], MINUS_ONE))
        else:
            parts.append(power(f, TWO))
    return mul(*parts)


def with_inverses_met(x: Scalar) -> Scalar:
    """inv(S) S = 1, before S is drawn in its turn."""
    return with_inverses_contracted(unscaled(x))


def _simpler(n: Node) -> dict[Array, Any] | None:
    if not isinstance(n, Operation) or n.name not in ("inv", "logdet"):
        return None
    matrix = n.operands[0]
    if not isinstance(matrix, Array):
        return None
    if isinstance(matrix, Operation) and matrix.name == "inv":
        inside = matrix.operands[0]
        assert isinstance(inside, Array)
        if n.name == "inv":
            return {n: inside}
        lead = [fresh_index(size) for size in n.shape]
        turned = neg(entry(operation("logdet", (inside,), n.shape), *lead))
        return {n: tensor(lead, turned) if lead else lambda: turned}
    if not isinstance(matrix, Tensor):
        return None
    factor = cholesky_factor_of(matrix) if n.name == "logdet" else None
    if factor is not None:
        k = fresh_index(matrix.shape[0])
        twice = mul(TWO, total(fn("log", entry(factor, k, k)), [k]))
        return {n: lambda: twice}
    picked = _of_picked(n, matrix) or _of_many(n, matrix)
    if picked is not None or matrix.rank != 2:
        return picked
    k, m = fresh_index(matrix.shape[0]), fresh_index(matrix.shape[1])
    single = apart(open_tensor(matrix, (k, m)), k, m)
    if single is not None:
        if n.name == "logdet":
            spread = total(fn("log", single), [k]) if k in single.free else mul(matrix.shape[0], fn("log", single))
            return {n: lambda: spread}
        return {n: tensor([k, m], mul(delta(k, m), power(single, MINUS_ONE)))}
    found = scale_and_core(matrix)
    if found is None:
        return None
    c, core = found
    if n.name == "logdet":
        made = add(mul(matrix.shape[-1], fn("log", c)), entry(operation("logdet", (core,), ())))
        return {n: lambda: made}
    k, m = fresh_index(n.shape[0]), fresh_index(n.shape[1])
    return {n: tensor([k, m], mul(power(c, MINUS_ONE), entry(inverse(core), k, m)))}


def _of_picked(n: Operation, matrix: Tensor) -> dict[Array, Any] | None:
    """inv(S[c]) = inv(S)[c]: of one matrix of many."""
    body, axes = matrix.body, matrix.axes[-2:]
    if not isinstance(body, Entry) or len(body.indices) < 3 or body.indices[-2:] != axes:
        return None
    lead = body.indices[:-2]
    if any(i.free & set(axes) for i in lead) or lead == matrix.axes[:-2]:
        return None
    if n.name == "inv":
        return {n: tensor(matrix.axes, entry(operation("inv", (body.array,), body.array.shape), *body.indices))}
    made = entry(operation("logdet", (body.array,), body.array.shape[:-2]), *lead)
    return {n: tensor(matrix.axes[:-2], made) if matrix.rank > 2 else (lambda: made)}


def _of_many(n: Operation, matrix: Tensor) -> dict[Array, Any] | None:
    """inv(c[i] S[i]) = inv(S)[i]/c[i]: of many matrices, each with a scale of its own."""
    lead, own = matrix.axes[:-2], set(matrix.axes[-2:])
    inside = [f for f in factors_of(matrix.body) if f.free & own]
    if not lead or len(inside) != 1 or not isinstance(inside[0], Entry) or inside[0].indices[-2:] != matrix.axes[-2:]:
        return None
    (one,) = inside
    scale = mul(*(f for f in factors_of(matrix.body) if f is not one))
    if scale is ONE or any(i.free & own for i in one.indices[:-2]):
        return None
    if n.name == "inv":
        return {n: tensor(matrix.axes, divide(entry(inverse(one.array), *one.indices), scale))}
    made = entry(operation("logdet", (one.array,), one.array.shape[:-2]), *one.indices[:-2])
    return {n: tensor(lead, add(mul(matrix.shape[-1], fn("log", scale)), made))}


def with_common_factors(x: Scalar) -> Scalar:
    """a c + b c under a power or a logarithm as c (a + b), so that c is found in it."""

    def rule(n: Scalar) -> Scalar:
        inside = n.base if isinstance(n, Pow) else n.args[0] if isinstance(n, Fn) and n.name == "log" else None
        if not isinstance(inside, Add):
            return n
        shared = [f for f in factors_of(inside.args[0]) if not isinstance(f, Num)]
        for t in inside.args[1:]:
            shared = [f for f in shared if f in factors_of(t)]
        if not shared:
            return n
        out = mul(*shared, add(*(mul(*(f for f in factors_of(t) if f not in shared)) for t in inside.args)))
        return power(out, n.exponent) if isinstance(n, Pow) else fn("log", out)

    return bottom_up(x, rule)


def with_shared_factors(x: Scalar) -> Scalar:
    """a f + b f as (a + b) f, f made of sums, a and b of names: powers of a + b in f then meet it."""

    def rule(n: Scalar) -> Scalar:
        if not isinstance(n, Add):
            return n
        groups: dict[Scalar, list[Scalar]] = {}
        for t in n.args:
            plain = [f for f in factors_of(t) if isinstance(f, (Num, Dim, Entry))]
            groups.setdefault(mul(*(f for f in factors_of(t) if f not in plain)), []).append(mul(*plain))
        out: list[Scalar] = []
        for f, coefficients in groups.items():
            if f is ONE or len(coefficients) == 1:
                out.extend(mul(c, f) for c in coefficients)
                continue
            numbers = {as_coefficient(c)[0] for c in coefficients}
            number = num(numbers.pop()) if len(numbers) == 1 else ONE
            common = [g for g in factors_of(coefficients[0]) if not isinstance(g, Num)]
            common = [g for g in common if all(g in factors_of(c) for c in coefficients)]
            whole = mul(number, *common)
            out.append(mul(whole, add(*(divide(c, whole) for c in coefficients)), f))
        return add(*out)

    return bottom_up(x, rule)


def with_numbers_inside(x: Scalar) -> Scalar:
    """-2 (a/(2 k) - b/2) as b - a/k: a number goes into a sum where fractions leave it by that, and out of a denominator."""

    def rule(n: Scalar) -> Scalar:
        if isinstance(n, Sum):
            body, indices = open_sum(n)
            c, core = as_coefficient(body)
            return n if c == 1 else mul(num(c), total(core, indices))
        if isinstance(n, Pow) and n.exponent is MINUS_ONE and isinstance(n.base, Add):
            shared = content([as_coefficient(t)[0] for t in n.base.args])
            if shared == 1:
                return n
            return mul(num(1 / shared), power(add(*(mul(num(1 / shared), t) for t in n.base.args)), MINUS_ONE))
        if not isinstance(n, Mul):
            return n
        c, core = as_coefficient(n)
        sums = [f for f in factors_of(core) if isinstance(f, Add)]
        if c == 1 or len(sums) != 1:
            return n
        inside = [as_coefficient(t)[0] for t in sums[0].args]
        if any((c * k).denominator != 1 for k in inside) or all(k.denominator == 1 for k in inside):
            return n
        rest = [f for f in factors_of(core) if f is not sums[0]]
        return mul(*rest, add(*(mul(num(c), t) for t in sums[0].args)))

    return bottom_up(x, rule)


def content(numbers: Sequence[Fraction]) -> Fraction:
    """What all of these share, below 0 where all of them are."""
    shared = Fraction(gcd(*(abs(k.numerator) for k in numbers)), lcm(*(k.denominator for k in numbers)))
    return -shared if all(k < 0 for k in numbers) else shared


def with_roots_taken(x: Scalar, ctx: Context) -> Scalar:
    """sqrt(a^2 b) = a sqrt(b) for a > 0."""
    know = Knowledge(ctx)

    def rule(n: Scalar) -> Scalar:
        if not isinstance(n, Pow) or n.exponent is not HALF:
            return n
        out: list[Scalar] = []
        for f in factors_of(n.base):
            k = f.exponent.rational if isinstance(f, Pow) and isinstance(f.exponent, Num) else None
            if k is not None and k % 2 == 0 and know.positive(f.base):
                out.append(power(f.base, num(k / 2)))
        return mul(*out, power(divide(n.base, power(mul(*out), TWO)), HALF)) if out else n

    return bottom_up(x, rule)

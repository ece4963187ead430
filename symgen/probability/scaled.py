"""Factors brought together: inv(c A) = inv(A)/c, logdet(c A) = n log c + logdet(A), inv(inv(A)) = A, a f + b f = (a + b) f."""

from __future__ import annotations

from typing import Any

from symgen.derivation.context import Context
from symgen.probability.collect import with_inverses_contracted
from symgen.probability.knowledge import Knowledge
from symgen.probability.terms import factors_of, opened
from symgen.probability.walks import bottom_up
from symgen.tensor.expression import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    Add,
    Array,
    Dim,
    Entry,
    Fn,
    Mul,
    Node,
    Num,
    Operation,
    Pow,
    Scalar,
    Tensor,
    add,
    as_coefficient,
    depends_on,
    divide,
    entry,
    fn,
    fresh_index,
    mul,
    neg,
    num,
    open_tensor,
    operation,
    power,
    replace_arrays,
    tensor,
    walk,
)  # fmt: skip
from symgen.tensor.facts import is_symmetric


def scale_and_core(matrix: Array) -> tuple[Scalar, Array] | None:
    """c, A with matrix = c A, A an array of its own: of n A + r A too."""
    if not isinstance(matrix, Tensor) or matrix.rank != 2:
        return None
    k, m = fresh_index(matrix.shape[0]), fresh_index(matrix.shape[1])
    body = open_tensor(matrix, (k, m))
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


def inverse(matrix: Array) -> Array:
    """inv(matrix); of an inverse what it inverts."""
    if isinstance(matrix, Operation) and matrix.name == "inv":
        inside = matrix.operands[0]
        assert isinstance(inside, Array)
        return inside
    return operation("inv", (matrix,), matrix.shape)


def unscaled(x: Scalar) -> Scalar:
    """Inverses and determinants of multiples of a matrix as those of the matrix."""
    made: list[Array] = []
    while True:
        found = next((new for n in walk(x) if (new := _simpler(n)) is not None), None)
        if found is None:
            break
        made += [a for a in found.values() if isinstance(a, Tensor)]
        x = replace_arrays(x, found)
    return opened(x, lambda n: any(depends_on(n, a) for a in made)) if made else x


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
        turned = neg(entry(operation("logdet", (inside,), ())))
        return {n: lambda: turned}
    found = scale_and_core(matrix)
    if found is None:
        return None
    c, core = found
    if n.name == "logdet":
        made = add(mul(matrix.shape[-1], fn("log", c)), entry(operation("logdet", (core,), ())))
        return {n: lambda: made}
    k, m = fresh_index(n.shape[0]), fresh_index(n.shape[1])
    return {n: tensor([k, m], mul(power(c, MINUS_ONE), entry(inverse(core), k, m)))}


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

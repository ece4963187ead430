"""The stable form of a result as a reader sees it: the identity that the generated code computes by."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symgen.codegen.stable import stabilised
from symgen.codegen.stable_differences import kept_apart
from symgen.codegen.stable_pool import REMAINDERS
from symgen.tensor.expression import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    Array,
    Delta,
    Entry,
    Fn,
    Fold,
    Node,
    Operation,
    Scalar,
    Sum,
    Tensor,
    add,
    count_nodes,
    divide,
    entry,
    fn,
    fold,
    fresh_index,
    mul,
    neg,
    open_sum,
    open_tensor,
    operation,
    power,
    rebuild,
    sub,
    tensor,
    total,
    walk,
)  # fmt: skip
from symgen.tensor.functions import FUNCTIONS

__all__ = ["stable_form"]

MOST_NODES = 400

# what the helpers of generated code are, in the language
MEANINGS: Mapping[str, Callable[..., Scalar]] = {
    "log_remainder": lambda u, _: kept_apart(sub(u, fn("log1p", u))),
    "expm1_remainder": lambda w: kept_apart(sub(fn("expm1", w), w)),
    "kl_term": lambda p, q, d: mul(p, kept_apart(sub(divide(d, p), fn("log1p", divide(d, p))))),
    "root_difference": lambda a, b, d: divide(d, add(power(a, HALF), power(b, HALF))),
    "besseli_scaled": lambda v, x: mul(fn("exp", neg(x)), fn("besseli", v, x)),
    "besseli_gap": lambda v, x: kept_apart(sub(ONE, divide(fn("besseli", add(v, ONE), x), fn("besseli", v, x)))),
    "besseli_remainder": lambda v, a, b, d: kept_apart(
        add(
            fn("log", divide(fn("besseli", v, b), fn("besseli", v, a))),
            mul(v, fn("log", divide(a, b))),
            neg(mul(d, divide(fn("besseli", add(v, ONE), a), fn("besseli", v, a)))),
        )
    ),
    "exact_sum_3": lambda *terms: add(*terms),
    "exact_sum_4": lambda *terms: add(*terms),
    "artanh_rest": lambda t: sub(divide(fn("log", divide(add(ONE, t), sub(ONE, t))), mul(TWO, t)), ONE),
    "lgamma_rest": lambda x: kept_apart(add(fn("lgamma", x), neg(mul(x, fn("log", x))), x)),
    "digamma_rest": lambda x: kept_apart(sub(fn("digamma", x), fn("log", x))),
    "log_ratio": lambda x, y, d: fn("log1p", divide(d, y)),
    "stirling_remainder": lambda a, b, d: kept_apart(
        add(fn("lgamma", b), neg(fn("lgamma", a)), mul(MINUS_ONE, d, fn("digamma", a)), d, neg(mul(b, fn("log", divide(b, a)))))
    ),
    "lgamma_remainder": lambda a, b, d: kept_apart(add(fn("lgamma", b), neg(fn("lgamma", a)), mul(MINUS_ONE, d, fn("digamma", a)))),
    "xlog1py": lambda x, y: mul(x, fn("log1p", y)),
    "gamma_ratio": lambda a, b, _: divide(fn("gamma", a), fn("gamma", b)),
    "igammac": lambda a, x: sub(ONE, fn("igamma", a, x)),
    "ibetac": lambda a, b, x: sub(ONE, fn("ibeta", a, b, x)),
    "erf_gap": lambda a, b: sub(fn("erf", a), fn("erf", b)),
    "log_half_erf_gap": lambda a, b, _: fn("log", mul(HALF, sub(fn("erf", a), fn("erf", b)))),
    "inverse_mean": lambda b, w: mul(fn("exp", w), fn("hyp2f1", ONE, b, add(b, ONE), neg(fn("exp", w)))),
    "log_hyperu": lambda a, b, x: fn("log", fn("hyperu", a, b, x)),
    "log_besselk": lambda v, x: add(x, fn("log", fn("besselk", v, x))),
    "erfcx": lambda x: mul(fn("exp", power(x, TWO)), fn("erfc", x)),
    "E1_scaled": lambda x: mul(fn("exp", x), fn("E1", x)),
    "hyp2f1_rest": lambda a, b, c, y: fn("hyp2f1", a, b, c, sub(ONE, y)),
}


def stable_form(array: Array) -> Array | None:
    """The scalar with its remainders written out; None where generated code computes it as it is written."""
    if array.rank or count_nodes(array) > MOST_NODES:
        return None
    made, _ = stabilised({"result": array}, for_code=False)
    new = made["result"]
    if not any(_is_remainder(n) for n in walk(new)) or any(_is_remainder(n) for n in walk(array)):
        return None
    body = _written(open_tensor(new, ()) if not isinstance(new, Operation) else entry(new))
    return tensor((), body) if body is not None else None


def _is_remainder(n: Node) -> bool:
    if isinstance(n, Operation):
        return n.name in ("logdet_remainder", "cholesky_remainder", "mixed_logdet_remainder", "logdet_ratio")
    return isinstance(n, Fn) and n.name in (*REMAINDERS, "root_difference", "expm1", "lgamma_rest", "digamma_rest", "besseli_gap")


def _is_of_code(n: Node) -> bool:
    """Whether a node has words in generated code alone."""
    return _is_remainder(n) or isinstance(n, Operation) and n.name == "logdet_spd" or isinstance(n, Fn) and n.name in MEANINGS


def _is_identity(b: Array) -> bool:
    return isinstance(b, Tensor) and isinstance(b.body, Delta)


def _of_cholesky_factors(a: Node, b: Node) -> Scalar:
    """norm(inv(B) @ (A - B))^2 + 2 sum(u - log1p(u)), u = (A[i, i] - B[i, i])/B[i, i], of lower A and B."""
    assert isinstance(a, Array) and isinstance(b, Array)
    i, j, m = (fresh_index(a.shape[0]) for _ in range(3))
    if _is_identity(b):
        off = tensor([i, j], kept_apart(sub(entry(a, i, j), open_tensor(b, (i, j)))))
        u = kept_apart(sub(entry(a, i, i), ONE))
    else:
        inverse = entry(operation("inv", (b,), b.shape), i, m)
        off = tensor([i, j], total(mul(inverse, kept_apart(sub(entry(a, m, j), entry(b, m, j)))), [m]))
        u = divide(kept_apart(sub(entry(a, i, i), entry(b, i, i))), entry(b, i, i))
    return add(total(power(entry(off, i, j), TWO), [i, j]), mul(TWO, total(kept_apart(sub(u, fn("log1p", u))), [i])))


def _written(root: Scalar) -> Scalar | None:
    """`root` with the helpers in terms of the language; None where one has no words in it."""
    memo: dict[Scalar, Scalar | None] = {}

    def visit(x: Scalar) -> Scalar | None:
        if x not in memo:
            memo[x] = step(x)
        return memo[x]

    def step(x: Scalar) -> Scalar | None:
        if isinstance(x, Entry):
            return _operation(x)
        if isinstance(x, Sum):
            body, indices = open_sum(x)
            inner = visit(body)
            return None if inner is None else total(inner, indices)
        if isinstance(x, Fold):
            body, indices = open_sum(x)
            inner = visit(body)
            return None if inner is None else fold(x.kind, inner, indices)
        if not x.args or not all(a.is_scalar_node for a in x.args):
            return x
        found = [visit(a) for a in x.args]
        args = [a for a in found if a is not None]
        if len(args) < len(found):
            return None
        if isinstance(x, Fn):
            meaning = MEANINGS.get(x.name)
            if meaning is not None:
                return meaning(*args)
            if x.name not in FUNCTIONS:
                return None
        made: Scalar = rebuild(x, args)
        return made

    def _operation(x: Entry) -> Scalar | None:
        array = x.array
        if isinstance(array, Operation) and array.name == "logdet_spd":
            return entry(operation("logdet", array.operands, array.shape), *x.indices)
        if isinstance(array, Operation) and array.name == "logdet_remainder":
            a, b = array.operands
            assert isinstance(a, Array) and isinstance(b, Array)
            i, j = fresh_index(a.shape[0]), fresh_index(a.shape[0])
            logs = [entry(operation("logdet", (m,), ())) for m in (a, b)]
            if _is_identity(b):
                return kept_apart(add(total(entry(a, i, i), [i]), mul(MINUS_ONE, a.shape[0]), neg(logs[0])))
            trace = total(mul(entry(a, i, j), entry(operation("inv", (b,), b.shape), i, j)), [i, j])
            return kept_apart(add(trace, mul(MINUS_ONE, a.shape[0]), neg(logs[0]), logs[1]))
        if isinstance(array, Operation) and array.name in ("mixed_logdet_remainder", "logdet_ratio"):
            return _of_determinants(array)
        if isinstance(array, Operation) and array.name == "cholesky_remainder":
            return _of_cholesky_factors(*array.operands)
        if type(array).__name__ == "Tensor" and any(_is_of_code(n) for n in walk(array)):
            inner = visit(open_tensor(array, x.indices))
            return None if inner is None else kept_apart(inner)
        return x

    return visit(root)


def _of_determinants(array: Operation) -> Scalar:
    a, b, *more = (m for m in array.operands if isinstance(m, Array))
    logs = [entry(operation("logdet", (m,), ())) for m in (a, b)]
    if not more:
        return kept_apart(sub(*logs))
    c = open_tensor(more[0], ())
    d = sub(ONE, c)
    i, j = fresh_index(a.shape[0]), fresh_index(a.shape[0])
    mixture = tensor([i, j], add(mul(c, entry(a, i, j)), mul(d, entry(b, i, j))))
    whole = entry(operation("logdet", (mixture,), ()))
    return kept_apart(add(whole, mul(MINUS_ONE, c, logs[0]), mul(MINUS_ONE, d, logs[1])))

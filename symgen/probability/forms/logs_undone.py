"""Functions of logarithms without them: exp(c log z) = z^c, sigmoid(log z - log(1 - z)) = z, softmax(log p) = p."""

from __future__ import annotations

from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.terms import Random, TooManyTerms, depends_on_any, expanded, normalised, opened
from symgen.probability.forms.walks import bottom_up
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Entry,
    Fn,
    Index,
    Node,
    Num,
    Operation,
    Scalar,
    Tensor,
    Var,
    add,
    entry,
    fn,
    mul,
    neg,
    num,
    power,
    sub,
    substitute,
    variables_of,
    walk,
)


def without_logs(x: Scalar, is_random: Random, know: Knowledge) -> Scalar:
    """`x` with the functions of logarithms of what is random written without them."""

    def rule(n: Scalar) -> Scalar:
        if isinstance(n, Entry) and isinstance(n.array, Operation) and n.array.name == "softmax":
            return _share(n)
        if not isinstance(n, Fn) or n.name not in ("exp", "sigmoid", "softplus") or not is_random(n):
            return n
        found = _as_ratio(n.args[0], is_random, know)
        if found is None:
            return n
        above, below, rest = found
        if n.name == "exp":
            return mul(above, power(below, num(-1)), _exp(rest, know))
        if rest is not ZERO:
            return n
        whole = add(above, below)
        return mul(above, power(whole, num(-1))) if n.name == "sigmoid" else sub(fn("log", whole), fn("log", below))

    return bottom_up(opened(x, lambda n: is_random(n) and _holds_log(n, is_random)), rule)


def _holds_log(x: Node, is_random: Random) -> bool:
    return any(isinstance(n, Fn) and n.name == "log" and is_random(n) for n in walk(x))


def _exp(x: Scalar, know: Knowledge) -> Scalar:
    """exp(x), the logarithms of positive numbers in it undone."""
    found = _as_ratio(x, depends_on_any(variables_of(x)), know)
    return fn("exp", x) if found is None else mul(found[0], power(found[1], num(-1)), fn("exp", found[2]))


def _as_ratio(x: Scalar, is_random: Random, know: Knowledge) -> tuple[Scalar, Scalar, Scalar] | None:
    """above, below and rest with exp(x) = above/below exp(rest): the logarithms in `x` of what is random."""
    try:
        items = expanded(normalised(x, is_random, know), is_random, lambda _: False)
    except TooManyTerms:
        return None
    above, below, rest = ONE, ONE, ZERO
    seen = False
    for item in items:
        if item.indices:
            return None
        inside = item.atom.args[0] if isinstance(item.atom, Fn) and item.atom.name == "log" else None
        if inside is None or not isinstance(inside, Scalar) or not know.positive(inside):
            rest = add(rest, mul(item.coefficient, item.atom))
            continue
        seen = True
        c = item.coefficient
        if isinstance(c, Num) and c.rational is not None and c.rational < 0:
            below = mul(below, power(inside, neg(c)))
        else:
            above = mul(above, power(inside, c))
    return (above, below, rest) if seen else None


def _share(n: Entry) -> Scalar:
    """softmax(log p) of shares p, which sum to 1."""
    assert isinstance(n.array, Operation)
    logits = n.array.operands[0]
    if not isinstance(logits, Tensor) or not isinstance(logits.body, Fn) or logits.body.name != "log":
        return n
    p = logits.body.args[0]
    if not isinstance(p, Entry) or not isinstance(p.array, Var) or p.array.domain != "simplex":
        return n
    if p.indices[-1] is not logits.axes[-1]:
        return n
    places: dict[Index, Scalar] = dict(zip(logits.axes, n.indices, strict=True))
    return entry(p.array, *(substitute(i, places) for i in p.indices))

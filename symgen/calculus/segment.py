"""The remainder of a Taylor series along a segment, as a sum over nodes: what keeps the digits of a small difference.

f vanishes where what moves stands at its start, to first order or to second. Along the way from the start, x + t d,
    f = integral over t from 0 to 1 of f'(t), or of (1 - t) f''(t),
and the integrand is of the size of f, where the closed form is a difference of terms of size 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from symgen.algebra.rational import simplify_scalar
from symgen.algebra.undone import with_exponentials_met
from symgen.calculus.gradient import by_scalar, gradient
from symgen.derivation.context import Context
from symgen.derivation.derivation import Trace
from symgen.tensor import build
from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import (
    INF,
    ONE,
    ZERO,
    Add,
    Array,
    Compare,
    Entry,
    Expect,
    Fn,
    Fold,
    Node,
    Operation,
    Scalar,
    Sum,
    Tensor,
    Var,
    Where,
    add,
    compare,
    entry,
    fn,
    fold,
    fresh_index,
    logic,
    mul,
    neg,
    num,
    open_tensor,
    operation,
    operator,
    power,
    rebuild,
    replace_arrays,
    sub,
    substitute,
    tensor,
    total,
    var,
    variables_of,
    walk,
    where,
)  # fmt: skip
from symgen.tensor.functions import FUNCTIONS
from symgen.text.diagnostics import CannotDerive

__all__ = ["PLACES", "WEIGHTS", "along_segment", "listed", "remainder_along_segment", "slopes_at_start"]

AGREE = num(Fraction(1, 10**11))  # of the rule with a rule of half the nodes: it is off by far less
ROUGHLY = num(Fraction(1, 10**6))
LIKELY = num(Fraction(1, 10**4))
SURER = num(Fraction(1, 1000))
LIKE_THE_FORM = num(Fraction(1, 10**5))
MOST_TERMS = 4
PLACE = var("t", (), "unit", "placeholder", uid=-73)


def slopes_at_start(f: Array, starts: Mapping[Var, Array]) -> dict[Var, tuple[Scalar, Var]] | None:
    """The slope of f at the start by each variable, along a way that is the second of each pair."""
    held = _held(starts)
    found = _derivative(f, starts, 1, frozenset(starts), is_straight=True)
    if found is None:
        return None
    return {x: (_without(found[1], [h for h in held.values() if h is not held[x]]), held[x]) for x in starts}


def remainder_along_segment(f: Array, starts: Mapping[Var, Array], order: int, steep: frozenset[Var] = frozenset()) -> Array | None:
    """The scalar f as the integral of its remainder of that order, for a reader."""
    found = _derivative(f, starts, order, steep, is_straight=True)
    if found is None or any(v.name == PLACE.name for v in variables_of(f)):
        return None
    slope, first, gaps = found
    body = mul(power(sub(ONE, entry(PLACE)), num(order - 1)), open_tensor(slope, ()))
    ends = (tensor((), replace_arrays(body, gaps)), tensor((), ZERO), tensor((), ONE))
    return tensor((), add(replace_arrays(first, gaps), entry(operator("integral", ends, (), ((PLACE,),)))))


def along_segment(
    f: Array,
    starts: Mapping[Var, Array],
    order: int,
    steep: frozenset[Var] = frozenset(),
    otherwise: Scalar | None = None,
) -> Array | None:
    """The scalar f by its remainder of that order in the variables, each moved from its start, where it is 0, and its slope
    too but along the `steep` ones, where it is added; f itself, or the form that is to be taken `otherwise`, where the rule
    has not settled, or says another thing than it. None where a rule of differentiation is missing."""
    derived = _derivative(f, starts, order, steep)
    if derived is None:
        return None
    slope, first, gaps = derived
    k = fresh_index(NODES)
    batched = _Nodes()
    body = batched.scalar(open_tensor(slope, ()), k)
    if body is None:
        return None
    values = replace_arrays(tensor([k], body), gaps)
    found, off = (_summed(values, weights) for weights in _weights(order))
    plain = open_tensor(f, ()) if otherwise is None else otherwise
    found = add(replace_arrays(first, gaps), found)
    off, size, apart = fn("abs", off), fn("abs", found), fn("abs", sub(found, plain))
    surer = fn("max", mul(AGREE, size), fn("min", mul(ROUGHLY, size), mul(SURER, apart)))  # of itself than of the form
    is_short = compare("==", entry(tensor((), add(size, mul(AGREE, size)))), size)  # floats in which both are off by more
    settled = logic(
        "and",
        compare("<=", off, where(is_short, mul(LIKELY, size), surer)),
        compare("<=", apart, mul(LIKE_THE_FORM, add(ONE, _size(plain)))),
        compare("<", plain, INF),
    )
    return tensor((), where(settled, found, plain))


def _derivative(
    f: Array, starts: Mapping[Var, Array], order: int, steep: frozenset[Var], is_straight: bool = False
) -> tuple[Array, Scalar, dict[Array, Array]] | None:
    """The derivative of that order along the way, the slope at the start, and what the placeholders for gaps stand for.
    Where the way is not straight, the logarithm of what is positive moves evenly: rules settle at far greater ratios."""
    held = _held(starts)
    ctx = Context(Trace())
    bent = [] if is_straight else [x for x in starts if x.domain == "positive"]
    slope = replace_arrays(f, {x: (_by_logarithm if x in bent else _on_the_way)(starts[x], held[x]) for x in starts})
    if bent and isinstance(slope, Tensor):
        roots = [b for x in bent if isinstance(b := open_tensor(starts[x], [fresh_index(s) for s in x.shape]), Entry)]
        slope = tensor(slope.axes, with_exponentials_met(slope.body, roots))
    if order > 1 and _has_kinks(slope):
        return None
    first: Scalar = ZERO
    try:
        for n in range(order):
            forward = by_scalar(slope, PLACE, ctx)
            slope = forward if forward is not None else gradient(slope, [PLACE], ctx)[PLACE]
            if n == 0 and steep:
                first = _just_after_start(open_tensor(slope, ()))
                first = simplify_scalar(_without(first, [h for x, h in held.items() if x not in steep]))
    except (CannotDerive, TypeError):
        return None  # a function without a derivative in an argument
    return slope, first, {held[x]: _apart(x, starts[x], x in bent) for x in starts}


def _held(starts: Mapping[Var, Array]) -> dict[Var, Var]:
    return {x: var(f"held{k}", x.shape, "real", "placeholder", uid=-74) for k, x in enumerate(starts)}


def _without(slope: Scalar, held: Sequence[Var]) -> Scalar:
    """The slope where these do not move."""
    made: Scalar = replace_arrays(slope, {h: lambda *_: ZERO for h in held})
    return made


# The rule of Gauss and Kronrod with 21 nodes on -1 .. 1, and of Gauss at every other one: QUADPACK (1983), qk21.
ABSCISSAE = (
    0.9956571630258081, 0.9739065285171717, 0.9301574913557082, 0.8650633666889845, 0.7808177265864169,
    0.6794095682990244, 0.5627571346686047, 0.4333953941292472, 0.2943928627014602, 0.14887433898163122,
)  # fmt: skip
KRONROD = (
    0.011694638867371874, 0.03255816230796473, 0.054755896574351995, 0.07503967481091996, 0.0931254545836976,
    0.10938715880229764, 0.12349197626206585, 0.13470921731147334, 0.14277593857706009, 0.1477391049013385,
    0.14944555400291692,
)  # fmt: skip
GAUSS = (0.06667134430868814, 0.1494513491505806, 0.21908636251598204, 0.26926671930999635, 0.29552422471475287)
PLACES = tuple((1 + x) / 2 for x in (*(-x for x in ABSCISSAE), 0.0, *reversed(ABSCISSAE)))
WEIGHTS = tuple(w / 2 for w in (*KRONROD[:-1], KRONROD[-1], *reversed(KRONROD[:-1])))
NODES = num(len(PLACES))


def _weights(order: int) -> tuple[list[float], list[float]]:
    """The weights of the integral of (1 - t)^(order - 1) f over 0 .. 1, and what they are more than those of Gauss."""
    half = [0.0 if k % 2 == 0 else GAUSS[k // 2] for k in range(10)]
    whole, gauss = ([*w, *m, *reversed(w)] for w, m in ((KRONROD[:-1], KRONROD[-1:]), (half, [0.0])))
    falls = [(1 - t) ** (order - 1) / 2 for t in PLACES]
    return [w * c for w, c in zip(whole, falls, strict=True)], [(w - g) * c for w, g, c in zip(whole, gauss, falls, strict=True)]


def listed(numbers: Sequence[float]) -> Array:
    """Numbers as an array."""
    return build.stack([build.of_array(tensor((), num(Fraction(x)))) for x in numbers]).array()


def _summed(values: Array, weights: Sequence[float]) -> Scalar:
    j = fresh_index(NODES)
    return total(mul(entry(listed(weights), j), entry(values, j)), [j])


def _has_kinks(f: Array) -> bool:
    """Whether f has a kink after the start: an absolute value that is not 0 there, a piece that ends (but not the limit
    at one point)."""
    for n in walk(f):
        if isinstance(n, Where) and not any(_is_infinite_piece(a) for a in n.args[1:]):
            kinks = [sub(*c.args) for c in walk(n.args[0]) if isinstance(c, Compare) and c.op not in ("==", "!=")]
        elif isinstance(n, Fn) and n.name in FUNCTIONS and FUNCTIONS[n.name].kinks:
            kinks = [sub(*n.args)] if len(n.args) == 2 else [n.args[0]]
        else:
            continue
        if any(PLACE in variables_of(x) and replace_arrays(x, {PLACE: lambda: ZERO}) is not ZERO for x in kinks):
            return True
    return False


def _is_infinite_piece(x: Node) -> bool:
    """Whether a piece is infinite, but perhaps where the laws are one."""
    return x in (INF, neg(INF)) or isinstance(x, Where) and INF in x.args[1:] and ZERO in x.args[1:]


def _size(x: Scalar) -> Scalar:
    """What the terms of a closed form come to, all taken positive: its rounding is a part of that."""
    if isinstance(x, Add) and len(x.args) <= MOST_TERMS:
        return add(*(fn("abs", t) for t in x.args))
    return fn("abs", x)


def _just_after_start(slope: Scalar) -> Scalar:
    """The slope as t goes to 0 from above: what has a sign that no t changes keeps that sign."""
    signs = [n for n in walk(slope) if isinstance(n, Compare) or isinstance(n, Fn) and n.name == "sign"]
    after = {n: replace_arrays(n, {PLACE: lambda: ONE}) for n in signs}
    made: Scalar = replace_arrays(replace_scalars(slope, after), {PLACE: lambda: ZERO})
    return made


def _on_the_way(start: Array, gap: Var) -> Callable[..., Scalar]:
    return lambda *at: add(open_tensor(start, at), mul(entry(PLACE), entry(gap, *at)))


def _by_logarithm(start: Array, gap: Var) -> Callable[..., Scalar]:
    return lambda *at: mul(open_tensor(start, at), fn("exp", mul(entry(PLACE), entry(gap, *at))))


def _apart(x: Var, start: Array, is_bent: bool) -> Array:
    own = [fresh_index(s) for s in x.shape]
    ends = (entry(x, *own), open_tensor(start, own))
    return tensor(own, sub(*(fn("log", e) for e in ends)) if is_bent else sub(*ends))


class _Nodes:
    """An expression at all nodes of the rule: arrays that depend on the place t get the node as their first axis."""

    def __init__(self) -> None:
        self.arrays: dict[Array, Array | None] = {}

    def scalar(self, root: Scalar, k: Scalar) -> Scalar | None:
        """`root` at node k; None where what stands in it has no such form."""
        if PLACE not in variables_of(root):
            return root
        if isinstance(root, Entry):
            if root.array is PLACE:
                return entry(listed(PLACES), k)
            array = self.array(root.array)
            return None if array is None else entry(array, k, *root.indices)
        if isinstance(root, (Sum, Fold)):
            own = {i: fresh_index(i.size) for i in root.indices}
            body = self.scalar(substitute(root.body, own), k)
            if body is None:
                return None
            bound = list(own.values())
            return total(body, bound) if isinstance(root, Sum) else fold(root.kind, body, bound)
        if isinstance(root, Expect):
            return None
        parts = [self.scalar(a, k) if a.is_scalar_node else a for a in root.args]
        return None if any(p is None for p in parts) else rebuild(root, parts)

    def array(self, array: Array) -> Array | None:
        if array not in self.arrays:
            self.arrays[array] = self.made(array)
        return self.arrays[array]

    def made(self, array: Array) -> Array | None:
        k = fresh_index(NODES)
        own = [fresh_index(s) for s in array.shape]
        if PLACE not in variables_of(array):
            return tensor([k, *own], open_tensor(array, own))
        if isinstance(array, Tensor):
            body = self.scalar(open_tensor(array, own), k)
            return None if body is None else tensor([k, *own], body)
        if isinstance(array, Operation):
            operands = [self.array(a) if isinstance(a, Array) else a for a in array.operands]
            if any(a is None or (not isinstance(a, Array) and PLACE in variables_of(a)) for a in operands):
                return None
            return operation(array.name, [a for a in operands if a is not None], (NODES, *array.shape))
        return None

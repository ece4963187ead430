"""Functions of a vector in which an entry meets the others: steered by one number of the whole, or by entries before it.

y_i = a_i(s) x_i + b_i(s), s = S(x): the planar and the radial flow of Rezende & Mohamed (2015), eq. 10 and 14. At a given s the
inverse is a line, and s is the root of S((y - b(s))/a(s)) - s; by the matrix determinant lemma
    |det| = prod |a_i| (1 + sum over i of (a_i' x_i + b_i') dS/dx_i / a_i),
and the root is the only one where the last factor is above 0.
y_i = a_i x_i + b_i, where a_i and b_i speak of entries before the i-th alone: the matrix of slopes is triangular, and
x <- (y - b)/a has undone it after as many rounds as there are layers of entries. Dinh et al. (2017), 3.2; Kingma et al. (2016), 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

from symgen.calculus.root import root
from symgen.derivation.context import Context
from symgen.probability.forms.collect import collected, multiplied_out
from symgen.probability.forms.inversion import NoInverse
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.matching import derivative
from symgen.probability.forms.terms import depends_on_any, factors_of, opened, split, terms_of, with_value
from symgen.tensor import build
from symgen.tensor.expression import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Array,
    Compare,
    Delta,
    Entry,
    Fn,
    Index,
    Mul,
    Node,
    Num,
    Pow,
    Scalar,
    Sum,
    Var,
    Where,
    add,
    compare,
    delta,
    divide,
    ends_of,
    entry,
    fn,
    fresh_index,
    mul,
    neg,
    num,
    open_sum,
    recurrence,
    sub,
    substitute,
    tensor,
    total,
    var,
    variables_of,
    walk,
)  # fmt: skip
from symgen.tensor.facts import is_nonnegative, range_of

__all__ = ["Steered", "Triangular", "flow_of", "needs_of"]

OWN = var("t", (), "real", "placeholder", uid=6)  # the entry of x that stands where y's does
STEERS = {word: var("s_x", (), word, "placeholder", uid=7) for word in ("real", "positive")}
ROUNDS = 6


@dataclass(frozen=True)
class Steered:
    """y_i = a_i(s) x_i + b_i(s): `scale` and `shift` in the number `steer`, which is `of` x."""

    index: Index
    scale: Scalar
    shift: Scalar
    steer: Var
    of: Scalar
    x: Var

    def _at(self, part: Scalar, i: Scalar, s: Scalar) -> Scalar:
        return with_value(substitute(part, {self.index: i}), self.steer, lambda: s)

    def _steer(self, x: Callable[[Scalar], Scalar]) -> Scalar:
        return with_value(self.of, self.x, x)

    def apply(self, x: Callable[[Scalar], Scalar], i: Scalar) -> Scalar:
        s = self._steer(x)
        return add(mul(self._at(self.scale, i, s), x(i)), self._at(self.shift, i, s))

    def undo(self, y: Array) -> Array:
        i, s = fresh_index(self.index.size), entry(self.steer)

        def before(k: Scalar, at: Scalar = s) -> Scalar:
            return divide(sub(entry(y, k), self._at(self.shift, k, at)), self._at(self.scale, k, at))

        found = root(sub(self._steer(before), s), self.steer, str(self.steer.domain))
        return tensor([i], before(i, found))

    def log_slope_of(self, y: Array, x: Array, know: Knowledge) -> Scalar:
        """That at the x which gives y."""
        return self.log_slope(x, know)

    def log_slope(self, x: Array, know: Knowledge) -> Scalar:
        i, s = fresh_index(self.index.size), entry(self.steer)
        a, b = (self._at(part, i, s) for part in (self.scale, self.shift))
        turned = add(mul(derivative(a, s), entry(self.x, i)), derivative(b, s))
        along = mul(turned, _slope_of_sum(self.of, self.x, i), divide(ONE, a))
        short = build.replace_scalars(collected(total(along, [i])), {self.of: s})
        lines = total(fn("log", neg(a) if know.negative(a) else a), [i])  # of one sign at every s, or there is no inverse
        made = add(lines, fn("log", add(ONE, short)))
        return with_value(with_value(made, self.steer, lambda: self.of), self.x, lambda k: entry(x, k))


def needs_of(log_slope: Array, x: Var, ctx: Context) -> Iterator[tuple[Scalar, Scalar]]:
    """(a, what has to hold) for factors a of a determinant, above 0 at every x where they are; of 1 + c g(x) by the ends of g."""
    know = Knowledge(ctx)
    hangs = depends_on_any(frozenset((x,)))
    for a in sorted({n.args[0] for n in walk(log_slope) if isinstance(n, Fn) and n.name == "log"}, key=lambda a: a.serial):
        if know.positive(a) or isinstance(a, Fn) and a.name == "abs":
            continue
        moving = [t for t in terms_of(a) if hangs(t)]
        rest = add(*(t for t in terms_of(a) if t not in moving))
        c, g = split(moving[0], hangs) if len(moving) == 1 else (ZERO, ZERO)
        low, high = _ends(g, ctx) if moving else (None, None)
        if not moving:
            needs = [compare("<", ZERO, a)]
        elif low is None or high is None and know.nonnegative(c) is not True:
            needs = [] if know.positive(_over_one(a)) else [compare("<", ZERO, a)]
        else:
            ends = [add(rest, mul(c, num(end))) for end in (low, high) if end is not None]
            needs = [compare("<", ZERO, e) for e in ends if not _is_known(e, know)]
        yield from ((a, need) for need in needs)


def _over_one(a: Scalar) -> Scalar:
    """The numerator of a sum of fractions, multiplied out."""
    below = {f for t in terms_of(a) for f in factors_of(t) if isinstance(f, Pow) and f.exponent is MINUS_ONE}
    items = [mul(t, *(f.base for f in below)) for t in terms_of(a)]
    return collected(multiplied_out(add(*items)))


def _is_known(x: Scalar, know: Knowledge) -> bool:
    """Whether x > 0 by what is known, or by what was assumed as it stands."""
    if know.positive(x):
        return True
    said = [c for c in know.facts.assumptions if isinstance(c, Compare) and c.op in ("<", "<=")]
    over = [collected(sub(x, _written(sub(c.args[1], c.args[0])))) for c in said]
    return any(know.positive(gap) or c.op == "<" and gap is ZERO for c, gap in zip(said, over, strict=True))


def _written(x: Scalar) -> Scalar:
    """With no part under a name."""
    return opened(x, depends_on_any(frozenset(variables_of(x))))


def _ends(g: Scalar, ctx: Context) -> tuple[Fraction | None, Fraction | None]:
    """The least and the greatest value of g: of a parabola in a sigmoid or a tanh, or by its range."""
    for f in {n for n in walk(g) if isinstance(n, Fn) and n.name in ("sigmoid", "tanh")}:
        t = entry(OWN)
        body = build.replace_scalars(g, {f: t})
        parts = _line(collected(derivative(body, t)))
        if parts is None or not all(isinstance(p, Num) and p.rational is not None for p in parts):
            continue
        bend, start = (p.rational for p in parts)
        low, high = Fraction(0 if f.name == "sigmoid" else -1), Fraction(1)
        places = [low, high, *([-start / bend] if bend and low < -start / bend < high else [])]
        values = [with_value(body, OWN, lambda p=p: num(p)) for p in places]
        numbers = [v.rational for v in values if isinstance(v, Num) and v.rational is not None]
        if len(numbers) == len(places):
            return min(numbers), max(numbers)
    r = range_of(g, ctx.facts)
    return r.low, r.high


def _size(a: Scalar, know: Knowledge) -> Scalar:
    return a if know.positive(a) else fn("abs", a)


def _slope_of_sum(of: Scalar, x: Var, i: Index) -> Scalar:
    """dS/dx_i of a sum over the entries."""
    assert isinstance(of, Sum)
    inner, (j,) = open_sum(of)
    made: Scalar = substitute(derivative(inner, entry(x, j)), {j: i})
    return made


@dataclass(frozen=True)
class Block:
    """y at `place`, over `index`: `scale` times x there and `shift`; `masked`: (m, a) where the scale is a^m for m = 0, 1."""

    index: Index
    place: Scalar
    scale: Scalar
    shift: Scalar
    masked: tuple[Scalar, Scalar] | None = None


@dataclass(frozen=True)
class Triangular:
    """Blocks of entries, of which `rounds` layers hang on one another."""

    blocks: tuple[Block, ...]
    rounds: Scalar
    x: Var

    def _over_blocks(self, part: Callable[[Block], Scalar], i: Scalar) -> Scalar:
        made: list[Scalar] = []
        for b in self.blocks:
            alone = len(self.blocks) == 1
            made.append(substitute(part(b), {b.index: i}) if alone else _spread(part(b), b, i))
        return add(*made)

    def apply(self, x: Callable[[Scalar], Scalar], i: Scalar) -> Scalar:
        return self._over_blocks(
            lambda b: add(*(with_value(p, self.x, x) for p in (mul(b.scale, entry(self.x, b.place)), b.shift))), i
        )

    def _once(self, y: Array, x: Callable[[Scalar], Scalar], i: Scalar) -> Scalar:
        """(y - b(x))/a(x)"""
        return self._over_blocks(
            lambda b: divide(sub(entry(y, b.place), with_value(b.shift, self.x, x)), with_value(b.scale, self.x, x)), i
        )

    def undo(self, y: Array) -> Array:
        (size,) = self.x.shape
        rounds = getattr(self.rounds, "rational", None)
        if rounds is None or rounds > ROUNDS:
            n, i = fresh_index(add(self.rounds, ONE)), fresh_index(size)
            u = var("u", (n.size, size), "real", "placeholder", uid=13)
            step = tensor((n, i), self._once(y, lambda k: entry(u, add(n, MINUS_ONE), k), i))
            k = fresh_index(size)
            return tensor([k], entry(recurrence(u, step, [y]), self.rounds, k))
        now = y
        for _ in range(int(rounds)):
            i = fresh_index(size)
            now = tensor([i], self._once(y, partial(entry, now), i))
        return now

    def log_slope_of(self, y: Array, x: Array, know: Knowledge) -> Scalar:
        """That at the x which gives y: of one round, what scales hang on passes as it is."""
        return self.log_slope(y if self.rounds is ONE else x, know)

    def log_slope(self, x: Array, know: Knowledge) -> Scalar:
        logs: list[Scalar] = []
        for b in self.blocks:
            weight, scale = b.masked or (ONE, b.scale)
            logs.append(total(mul(weight, _log(scale, know)), [b.index]))
        return with_value(add(*logs), self.x, lambda k: entry(x, k))


def _spread(value: Scalar, block: Block, i: Scalar) -> Scalar:
    """What a block puts into entry i."""
    made: Scalar = total(mul(delta(i, block.place), value), [block.index])
    return made


def _log(a: Scalar, know: Knowledge) -> Scalar:
    """log |a|, of an exponential its exponent."""
    if isinstance(a, Fn) and a.name == "exp":
        exponent: Scalar = a.args[0]
        return exponent
    if isinstance(a, Mul):
        return add(*(_log(f, know) for f in a.args))
    return ZERO if a is ONE else fn("log", _size(a, know))


def flow_of(body: Scalar, i: Index, x: Var) -> tuple[Steered | Triangular, Scalar | None]:
    """The outermost stage that y_i = body is, and what stands for its argument; None: x itself. Raises NoInverse."""
    body = opened(body, depends_on_any(frozenset((x,))))
    made = _triangular(body, i, x) or _steered(body, i, x)
    if made is not None:
        return made, None
    for of in _wholes(body, x):
        inside = add(*(t for t in terms_of(body) if of not in set(walk(t))))
        outer = _with_argument(of, inside, i, x)
        if outer is None or inside is ZERO:
            continue
        moving = build.replace_scalars(add(*(t for t in terms_of(body) if of in set(walk(t)))), {of: outer})
        stage = _steered(add(entry(x, i), moving), i, x)
        if stage is not None:
            return stage, inside
    raise NoInverse("it holds its argument in more than one way")


def _with_argument(of: Sum, inside: Scalar, i: Index, x: Var) -> Scalar | None:
    """A sum over the entries of a function of x, as a sum over those of its value."""
    inner, indices = open_sum(of)
    if len(indices) != 1:
        return None
    mark = var("v", x.shape, "real", "placeholder", uid=8)
    made = build.replace_scalars(inner, {substitute(inside, {i: indices[0]}): entry(mark, *indices)})
    if x in variables_of(made):
        return None
    return total(with_value(made, mark, lambda k: entry(x, k)), indices)


def _wholes(body: Scalar, x: Var) -> set[Sum]:
    return {n for n in walk(body) if isinstance(n, Sum) and x in variables_of(n)}


# --- steered by one number ----------------------------------------------------------------------------------------------


def _steered(body: Scalar, i: Index, x: Var) -> Steered | None:
    own = with_value(body, x, lambda k: entry(OWN) if k is i else entry(x, k))
    wholes = _wholes(own, x)
    if len(wholes) != 1:
        return None
    (of,) = wholes
    if of.free or not _is_sum_of_entries(of, x):
        return None
    steer = STEERS["positive" if is_nonnegative(of) else "real"]
    steered = build.replace_scalars(own, {of: entry(steer)})
    parts = _line(steered)
    if x in variables_of(steered) or parts is None:
        return None
    return Steered(i, collected(parts[0]), collected(parts[1]), steer, of, x)


def _is_sum_of_entries(of: Sum, x: Var) -> bool:
    inner, indices = open_sum(of)
    met = [n for n in walk(inner) if isinstance(n, Entry) and n.array is x]
    return len(indices) == 1 and all(n.indices == (indices[0],) for n in met)


def _open(part: Scalar, x: Var) -> Scalar:
    """Collected, with nothing that hangs on x under a name."""
    return opened(collected(part), depends_on_any(frozenset((x,))))


def _line(node: Scalar) -> tuple[Scalar, Scalar] | None:
    """(a, b) of a line a t + b in OWN."""
    if OWN not in variables_of(node):
        return ZERO, node
    if isinstance(node, Entry) and node.array is OWN:
        return ONE, ZERO
    if isinstance(node, Add):
        parts = [_line(t) for t in node.args]
        if any(p is None for p in parts):
            return None
        return add(*(p[0] for p in parts if p)), add(*(p[1] for p in parts if p))
    if isinstance(node, Mul):
        moving = [f for f in node.args if OWN in variables_of(f)]
        inside = _line(moving[0]) if len(moving) == 1 else None
        if inside is None:
            return None
        rest = mul(*(f for f in node.args if f is not moving[0]))
        return mul(rest, inside[0]), mul(rest, inside[1])
    return None


# --- triangular ---------------------------------------------------------------------------------------------------------


def _triangular(body: Scalar, i: Index, x: Var) -> Triangular | None:
    blocks = [b for b in (_block(*p, x) for p in _pieces(body, i)) if b is not None]
    if not blocks or not _covers(blocks, x.shape[0]):
        return None
    if len(blocks) == 1 and blocks[0].place is blocks[0].index:
        made = _masked(blocks[0], x)
        if made is not None:
            return Triangular((made,), ONE, x)
        if all(_is_earlier(k, guards, blocks[0].index) for k, guards in _met(blocks[0], x)):
            return Triangular(tuple(blocks), x.shape[0], x)
        return None
    done: list[Block] = []
    rounds = 0
    while len(done) < len(blocks):
        ready = [b for b in blocks if b not in done and all(any(_within(k, d) for d in done) for k, _ in _met(b, x))]
        if not ready:
            return None
        rounds += bool(done) or any(b.scale is not ONE or b.shift is not ZERO for b in ready)
        done += ready
    return Triangular(tuple(blocks), num(rounds), x)


def _pieces(body: Scalar, i: Index) -> Iterator[tuple[Index, Scalar, Scalar]]:
    """(index, place, value there) of what a vector is put together from."""
    found: dict[tuple[Scalar, Scalar], tuple[Index, Scalar, list[Scalar]]] = {}
    plain: list[Scalar] = []
    for term in terms_of(body):
        if not (isinstance(term, Sum) and any(isinstance(n, Delta) for n in walk(term.body))):
            plain.append(term)
            continue
        inner, indices = open_sum(term)
        for t in terms_of(inner):
            factors = t.args if isinstance(t, Mul) else (t,)
            marks = [f for f in factors if isinstance(f, Delta) and i in f.args]
            if len(indices) != 1 or len(marks) != 1:
                raise NoInverse("it is put together from parts in a way that has no rule")
            place = next(a for a in marks[0].args if a is not i)
            low = ends_of(place)
            assert low is not None
            key = (low[0], indices[0].size)
            k, _, values = found.setdefault(key, (indices[0], place, []))
            values.append(substitute(mul(*(f for f in factors if f is not marks[0])), {indices[0]: k}))
    if plain and found:
        raise NoInverse("it is put together from parts in a way that has no rule")
    if plain:
        yield i, i, add(*plain)
    for k, place, values in found.values():
        yield k, place, add(*values)


def _block(index: Index, place: Scalar, value: Scalar, x: Var) -> Block | None:
    parts = _line(with_value(value, x, lambda k: entry(OWN) if k is place else entry(x, k)))
    return None if parts is None or parts[0] is ZERO else Block(index, place, *(_open(p, x) for p in parts))


def _covers(blocks: list[Block], size: Scalar) -> bool:
    """Whether the blocks are the whole, side by side."""
    if len(blocks) == 1 and blocks[0].place is blocks[0].index:
        return True
    starts = {sub(b.place, b.index): b.index.size for b in blocks}
    at: Scalar = ZERO
    for _ in blocks:
        length = next((n for start, n in starts.items() if build.same_size(start, at)), None)
        if length is None:
            return False
        at = add(at, length)
    return build.same_size(at, size)


def _within(k: Scalar, block: Block) -> bool:
    ends, own = ends_of(k), ends_of(block.place)
    return (
        ends is not None
        and own is not None
        and is_nonnegative(sub(ends[0], own[0])) is True
        and is_nonnegative(sub(own[1], ends[1])) is True
    )


def _met(block: Block, x: Var) -> Iterator[tuple[Scalar, tuple[Node, ...]]]:
    """The entries of x that a block speaks of, each with the conditions and factors that it stands under."""
    stack: list[tuple[Node, tuple[Node, ...]]] = [(block.scale, ()), (block.shift, ())]
    while stack:
        node, around = stack.pop()
        if isinstance(node, Entry) and node.array is x:
            yield node.indices[0], around
        elif isinstance(node, Where):
            stack += [(node.args[0], around), (node.args[1], (*around, node.args[0])), (node.args[2], around)]
        elif isinstance(node, Mul):
            stack += [(f, (*around, *(g for g in node.args if g is not f))) for f in node.args]
        elif isinstance(node, Sum):
            stack.append((node.body, around))
        else:
            stack += [(a, around) for a in node.args]


def _is_earlier(k: Scalar, around: tuple[Node, ...], i: Index) -> bool:
    """Whether what stands around an entry says that it stands before the i-th."""
    for c in around:
        if isinstance(c, Compare) and c.op in ("<", "<="):
            left, right = c.args
            gap = sub(sub(i, k), sub(right, left))  # i - k = (right - left) + gap
            if is_nonnegative(gap if c.op == "<" else sub(gap, ONE)) is True:
                return True
    return False


def _masked(block: Block, x: Var) -> Block | None:
    """Entries that a mask keeps pass, and the others speak of these alone."""
    i = block.index
    for m in {v for v in variables_of(block.scale) | variables_of(block.shift) if v.domain == "binary" and v.rank == 1}:
        for kept in (ONE, ZERO):
            put = {entry(m, i): kept}
            scale, shift = (_open(build.replace_scalars(p, put), x) for p in (block.scale, block.shift))
            if scale is not ONE or shift is not ZERO:
                continue
            if all(_is_kept(k, around, m, kept) for k, around in _met(block, x)):
                moved = sub(ONE, entry(m, i)) if kept is ONE else entry(m, i)
                other = _open(build.replace_scalars(block.scale, {entry(m, i): sub(ONE, kept)}), x)
                return replace(block, masked=(moved, other))
    return None


def _is_kept(k: Scalar, around: tuple[Node, ...], m: Var, kept: Scalar) -> bool:
    mask = entry(m, k) if kept is ONE else sub(ONE, entry(m, k))
    return any(f is mask or isinstance(f, Pow) and f.base is mask for f in around)

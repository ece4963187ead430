"""Backpropagation through time: the adjoint of a recurrence is a recurrence that runs backwards.

For h[t] = step(t, h[t-1], .., h[t-b]) with the adjoint G[t] from outside, the total adjoint is
A[t] = G[t] + sum over c of (d step[t+c] / d h[t])' A[t+c], from the last t down to 0. Parameters of the step get the
sum over t of (d step[t] / d theta)' A[t], and the first entries h[k] get A[k]. The length stays symbolic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from symgen.calculus.chain_logs import paths_of
from symgen.tensor.build import has_contraction, replace_scalars
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Array,
    Delta,
    Index,
    Node,
    Num,
    Operation,
    Recurrence,
    Scalar,
    Tensor,
    Var,
    add,
    arrays_below,
    axis,
    compare,
    depends_on,
    entry,
    fresh_index,
    is_larger,
    num,
    open_tensor,
    operation,
    recurrence,
    replace_arrays,
    sub,
    substitute,
    tensor,
    topological,
    var,
    walk,
    where,
)
from symgen.text.diagnostics import CannotDerive

if TYPE_CHECKING:
    from symgen.calculus.reverse import Reverse

THIS_FILE = "symgen/calculus/recurrence.py"
FIRST_LEAD = 900  # of the axes that stand for the leading ones in the number of a sequence
SHORT = 24  # nodes of an adjoint from outside that is written into the recurrence


class Restricted:
    """The step at the times t = s + b alone, over an index s; h[t - c] is a variable `views[c]` over (s, ..) there."""

    def __init__(self, node: Recurrence, inlined: Callable[[Array], bool]) -> None:
        self.node = node
        self.first = len(node.base)
        self.s = fresh_index(sub(node.shape[0], num(self.first)))
        self.time = add(self.s, num(self.first))
        self.views: dict[int, Var] = {}
        self.made: set[Array] = set()
        self.how: dict[Array, Callable[..., Scalar]] = {node.self_var: self.view}
        for array in topological(node.step):
            if array is node.self_var or (array is node.step and isinstance(array, Tensor)):
                continue
            if depends_on(array, node.self_var) or (self.over_time(array) and inlined(array)):
                self.how[array] = self.reader(array)
            elif any(a in self.how for a in arrays_below(array)):
                self.how[array] = _as_it_is(array)  # its adjoint is asked for: what stands inside is not taken apart
        indices = [fresh_index(s) for s in node.shape[1:]]
        body = replace_arrays(open_tensor(node.step, [self.time, *indices]), self.how)
        self.step = tensor((self.s, *indices), body)

    def over_time(self, array: Array) -> bool:
        return isinstance(array, (Tensor, Operation)) and array.rank > 0 and array.shape[0] is self.node.shape[0]

    def view(self, t: Scalar, *rest: Scalar) -> Scalar:
        back = sub(self.time, t)
        if not isinstance(back, Num) or back.rational is None or not 0 < back.rational <= self.first:
            raise CannotDerive("a recurrence that looks back by a varying distance", t, THIS_FILE)
        c = int(back.rational)
        if c not in self.views:
            shape = (self.s.size, *self.node.shape[1:])
            self.views[c] = var(self.node.self_var.name, shape, role="placeholder", uid=1000 + c)
        return entry(self.views[c], self.s, *rest)

    def reader(self, array: Array) -> Callable[..., Scalar]:
        """How an array that depends on the sequence is read: at the time of the step, from its own restriction; one that
        has no entries for the first times is read by the number of the step."""
        made: list[Array] = []

        def read(t: Scalar, *rest: Scalar) -> Scalar:
            if t is not (self.s if self.by_number(array) else self.time):
                if isinstance(array, Operation) and not depends_on(array, self.node.self_var):
                    return entry(array, t, *rest)  # made outside: its adjoint is that of its own
                if not isinstance(array, Tensor):
                    raise CannotDerive("a recurrence that reads an operation at another time", array, THIS_FILE)
                return replace_arrays(open_tensor(array, [t, *rest]), self.how)  # type: ignore[no-any-return]
            if not made:
                made.append(self.restricted(array))
                self.made.add(made[0])
            return entry(made[0], self.s, *rest)

        return read

    def by_number(self, array: Array) -> bool:
        return array.rank > 0 and array.shape[0] is self.s.size and self.s.size is not self.node.shape[0]

    def restricted(self, array: Array) -> Array:
        if array.rank == 0 or not (array.shape[0] is self.node.shape[0] or self.by_number(array)):
            raise CannotDerive("an array inside a recurrence that mixes times", array, THIS_FILE)
        time = self.s if self.by_number(array) else self.time
        if isinstance(array, Operation):
            operands: list[Node] = []
            for x in array.operands:
                if isinstance(x, Array) and x.rank and x.shape[0] is array.shape[0]:
                    # batch axes go together: what does not depend on the sequence is taken at the same times
                    indices = [fresh_index(s) for s in x.shape[1:]]
                    body = replace_arrays(entry(x, time, *indices), self.how)
                    operands.append(tensor((self.s, *indices), body))
                elif depends_on(x, self.node.self_var):
                    raise CannotDerive("an operation inside a recurrence that mixes times", array, THIS_FILE)
                else:
                    operands.append(x)
            return operation(array.name, operands, (self.s.size, *array.shape[1:]))
        if not isinstance(array, Tensor):
            raise CannotDerive("a recurrence inside a recurrence", array, THIS_FILE)
        own = [fresh_index(s) for s in array.shape[1:]]
        return tensor((self.s, *own), replace_arrays(open_tensor(array, [time, *own]), self.how))


def _as_it_is(array: Array) -> Callable[..., Scalar]:
    return lambda *at: entry(array, *at)


def backward(outer: Reverse, node: Recurrence, g: Scalar) -> None:
    """Emits into `outer` the adjoints of all that the recurrence is made from; `g` is its own, over its axes."""
    if node.reverse:
        backward_of_reversed(outer, node, g)
        return
    ctx = outer.ctx
    # what the step makes for itself has meaning at its own times only; what has a name is an array like others
    paths = paths_of(outer, node, g)
    if paths is not None:
        paths.emit(outer)
        if not paths.leads_on(outer) and node not in outer.wanted:
            return
    kept = node if paths is None else paths.node
    restricted = Restricted(kept, lambda a: a in outer.active and a not in outer.wanted and ctx.name_of(a) is None)
    lead = [i for i in outer.lifted if i in g.free]
    if is_larger(g, SHORT) or has_contraction(g):
        axes = [axis(k, s) for k, s in enumerate(node.shape)]
        g = entry(tensor((*lead, *axes), g), *lead, *axes)
    shape = (node.shape[0], *(i.size for i in lead), *node.shape[1:])
    # of its own, whatever else runs backwards through this recurrence
    own = var(f"{node.self_var.name}_bar", shape, role="recurrence", uid=_uid(node, g, lead))
    indices = [fresh_index(s) for s in node.shape[1:]]

    inner = type(outer)(restricted.step, (), ctx, outer.lifted)
    inner.quiet = True
    inner.taken = outer.taken
    inside = {a for a in inner.program if any(depends_on(a, v) for v in restricted.views.values())}
    inside |= {restricted.step, *restricted.made}
    inner.stop = {a for a in inner.program if a not in inside} | set(restricted.views.values())
    wanted = (outer.active & set(inner.program)) | set(restricted.views.values())
    inner.active, inner.onward = set(), set()
    for a in inner.program:
        if a in inside and any(b in inner.active for b in arrays_below(a)):
            inner.onward.add(a)
        if a in wanted or a in inner.onward:
            inner.active.add(a)
    seed_axes = [axis(k, s) for k, s in enumerate(restricted.step.shape)]
    seed = entry(own, add(seed_axes[0], num(restricted.first)), *lead, *seed_axes[1:])
    inner.run(seed)

    # A[t] = G[t] + what the later entries hand back
    whole = [axis(k, s) for k, s in enumerate(node.shape)]
    handed = {c: inner.adjoints.get(v, ZERO) for c, v in restricted.views.items()}
    views: dict[Array, Callable[..., Scalar]] = {v: _shifted(node, restricted.first - c) for c, v in restricted.views.items()}
    if restricted.step not in views:  # its values are those of the sequence: not computed again
        views[restricted.step] = _shifted(node, restricted.first)
    if paths is not None:
        views.update(paths.constants)

    def back(c: int, t: Scalar) -> Scalar:
        """The part of A[t] that comes from time t + c."""
        s = add(t, num(c - restricted.first))
        body = handed[c]
        at = [axis(k, x) for k, x in enumerate((restricted.s.size, *node.shape[1:]))]
        return substitute(body, dict(zip(at, [s, *indices], strict=True)))  # type: ignore[no-any-return]

    def outside(t: Scalar) -> Scalar:
        return substitute(g, dict(zip(whole, [t, *indices], strict=True)))  # type: ignore[no-any-return]

    furthest = max((c for c, body in handed.items() if body is not ZERO), default=0)
    last = sub(node.shape[0], ONE)
    if furthest == 0:
        made: Array = tensor((whole[0], *lead, *whole[1:]), g)
    else:
        base: list[Array] = []
        for k in range(furthest):
            t = sub(last, num(k))
            terms = [outside(t)]
            for c in range(1, k + 1):
                if handed.get(c, ZERO) is not ZERO:
                    terms.append(_with_base(back(c, t), own, last, base))
            base.append(tensor((*lead, *indices), replace_arrays(add(*terms), views)))
        t = fresh_index(node.shape[0])
        terms = [before_the_end(outside(t), t, last, furthest)]
        for c, body in handed.items():
            if body is not ZERO:
                term = back(c, t)
                if c < restricted.first:  # the first entries are not made by the rule
                    term = where(compare("<=", num(restricted.first - c), t), term, ZERO)
                terms.append(term)
        step = tensor((t, *lead, *indices), replace_arrays(add(*terms), views))
        made = recurrence(own, step, base, reverse=True)
    name = ctx.name_of(node)
    if name and ctx.name_of(made) is None and not isinstance(made, Var):
        ctx.trace.names[made] = outer.unused(f"delta_{name}")
    outer.adjoints[node] = entry(made, whole[0], *lead, *whole[1:])
    if len(lead) == len(outer.lifted):
        ctx.trace.adjoints[made] = (outer.f, node)
    outer.explain(node, made, "backpropagation_through_time", "the adjoint runs backwards through the recurrence")
    final: dict[Array, Array | Callable[..., Scalar]] = {own: made, **views}
    for a in inner.stop:
        body = inner.adjoints.get(a, ZERO)
        if a in outer.active and body is not ZERO:
            outer.emit(a, replace_arrays(body, final))
    if paths is not None:
        paths.starts(outer, lambda *at: entry(made, ZERO, *lead, *at))
        return
    for k, start in enumerate(node.base):
        if start in outer.active:
            at = [axis(j, s) for j, s in enumerate(start.shape)]
            outer.emit(start, entry(made, num(k), *lead, *at))


def perturbed(node: Recurrence, by: Var) -> Recurrence:
    """The sequence whose every entry is moved by that of `by`: its derivative by them is the adjoint."""
    own = var(f"{node.self_var.name}_moved", node.shape, role="recurrence", uid=_uid(node, ZERO, ()))
    axes = [axis(k, s) for k, s in enumerate(node.shape)]
    step = replace_arrays(open_tensor(node.step, axes), {node.self_var: own})
    base: list[Array] = []
    for k, start in enumerate(node.base):
        at = [axis(j, s) for j, s in enumerate(start.shape)]
        place = sub(node.shape[0], num(k + 1)) if node.reverse else num(k)
        base.append(tensor(at, add(open_tensor(start, at), entry(by, place, *at))))
    return recurrence(own, tensor(axes, add(step, entry(by, *axes))), base, node.reverse)  # type: ignore[no-any-return]


def _uid(node: Recurrence, g: Scalar, lead: Sequence[Index]) -> int:
    """A number for a sequence that belongs to `node` and its adjoint `g`: the same in every process."""
    plain = substitute(g, {i: axis(FIRST_LEAD + k, i.size) for k, i in enumerate(lead)})
    number: int = (31 * node.serial + plain.serial) % (1 << 60)
    return number


def backward_of_reversed(outer: Reverse, node: Recurrence, g: Scalar) -> None:
    """A recurrence from the last entry down is the forward one of the mirrored sequence."""
    last = sub(node.shape[0], ONE)

    def mirrored(array: Array) -> Callable[..., Scalar]:
        return lambda t, *rest: entry(array, sub(last, t), *rest)

    own = var(node.self_var.name, node.shape, role="recurrence", uid=_uid(node, ONE, ()))
    t = fresh_index(node.shape[0])
    indices = [fresh_index(s) for s in node.shape[1:]]
    step = open_tensor(node.step, [sub(last, t), *indices])
    forward = recurrence(own, tensor((t, *indices), replace_arrays(step, {node.self_var: mirrored(own)})), node.base)
    axes = [axis(k, s) for k, s in enumerate(node.shape)]
    backward(outer, forward, substitute(g, {axes[0]: sub(last, axes[0])}))


def before_the_end(body: Scalar, t: Index, last: Scalar, count: int) -> Scalar:
    """`body` for a time `t` that is none of the last `count`: what stands at the end alone is 0."""
    gone: dict[Scalar, Scalar] = {}
    for node in walk(body):
        if isinstance(node, Delta) and t in node.args:
            other = node.args[0] if node.args[1] is t else node.args[1]
            j = sub(last, other)
            if isinstance(j, Num) and j.rational is not None and 0 <= j.rational < count:
                gone[node] = ZERO
    return replace_scalars(body, gone) if gone else body


def _shifted(node: Recurrence, offset: int) -> Callable[..., Scalar]:
    return lambda s, *rest: entry(node, add(s, num(offset)), *rest)


def _with_base(body: Scalar, own: Var, last: Scalar, base: list[Array]) -> Scalar:
    """`body` with the entries of `own` near the end read from the arrays `base` (base[j] is the entry last - j)."""

    def read(t: Scalar, *rest: Scalar) -> Scalar:
        j = sub(last, t)
        if not isinstance(j, Num) or j.rational is None or not 0 <= j.rational < len(base):
            raise CannotDerive("a recurrence that looks back by a varying distance", body, THIS_FILE)
        return entry(base[int(j.rational)], *rest)

    inner = {a for a in topological(body) if a is not own and depends_on(a, own)}
    while inner:
        body = replace_arrays(body, {a: _opened(a) for a in inner if isinstance(a, Tensor)})
        left = {a for a in topological(body) if a is not own and depends_on(a, own)}
        if left == inner:
            raise CannotDerive("an operation inside a recurrence that looks back by several steps", body, THIS_FILE)
        inner = left
    return replace_arrays(body, {own: read})  # type: ignore[no-any-return]


def _opened(array: Array) -> Callable[..., Scalar]:
    return lambda *at: open_tensor(array, at)

"""Gradients and Jacobians: reverse mode over the statements of a program, symbolic inside each statement.

The adjoint of an array (what the literature calls delta) is carried on as an expression while it is short, and becomes
an array of its own where it is long or used more than once. Whoever asks for the gradient by a `let` gets its adjoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from symgen.algebra.collect import collect_common, with_scalars_open, written_length
from symgen.algebra.products import (
    MAX_LENGTH,
    Used,
    flat_length,
    merged_by_symmetry,
    merged_terms,
    speaks_of_facts,
)  # fmt: skip
from symgen.algebra.rational import simplify_scalar
from symgen.calculus.adjoint import Noise, Statement
from symgen.calculus.labels import pinned
from symgen.calculus.patterns import Emitted, pattern_of, with_arrays
from symgen.calculus.recurrence import backward
from symgen.calculus.rules import OPERATIONS_FILE, has_delta, pullback
from symgen.calculus.structured import KINDS, why_within, within_set
from symgen.calculus.tangent import NoForwardRule, tangent
from symgen.calculus.telling import MOST_TOLD, READABLE, Differentials, how, is_worth_telling, slope
from symgen.derivation.context import Context
from symgen.tensor.build import has_contraction, is_plain, replace_scalars
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Add,
    Array,
    Dim,
    Entry,
    Expect,
    Fold,
    Index,
    Mul,
    Node,
    Num,
    Operation,
    Operator,
    Pow,
    Recurrence,
    Scalar,
    Sum,
    Tensor,
    Var,
    Where,
    add,
    arrays_below,
    axis,
    delta,
    entry,
    fresh_index,
    is_larger,
    mul,
    open_tensor,
    operator,
    substitute,
    tensor,
    total,
    uncollected,
)  # fmt: skip
from symgen.tensor.facts import is_symmetric
from symgen.tensor.operations import OPERATIONS
from symgen.text.diagnostics import CannotDerive

THIS_FILE = "symgen/calculus/gradient.py"
PLAIN = 14  # nodes of an adjoint that is carried into every use
LONG = 200  # nodes of an adjoint with a Delta, which goes away where it is used
STRUCTURED = 110  # length of a result that keeps its adjoints apart unless much is won
SHORT = 48  # nodes of an elementwise adjoint that is carried into one use


class Reverse:
    """One reverse sweep over the program of `f`; `lifted` are the axes of a Jacobian's values, carried along."""

    def __init__(
        self,
        f: Array,
        wanted: Iterable[Array],
        ctx: Context,
        lifted: Sequence[Index] = (),
        program: list[Array] | None = None,
        free: Var | None = None,
    ) -> None:
        self.f, self.ctx, self.lifted, self.free = f, ctx, tuple(lifted), free
        self.wanted = set(wanted)
        self.program = program_of(f) if program is None else program
        self.active, self.onward = active_arrays(self.program, self.wanted)
        self.noise = Noise()
        self.parts: dict[Array, list[Scalar]] = {}
        self.adjoints: dict[Array, Scalar] = {}
        self.through: dict[Array, list[Array]] = {}
        self.held: dict[Array, list[Scalar]] = {}  # adjoints that go no further
        self.current: Array = f
        self.stop: set[Array] = set()  # arrays that adjoints are handed to, and not through
        self.quiet = False
        self.brief = False  # many adjoints: their rules are named, no more
        self.taken = {*ctx.taken, *ctx.names.values(), *ctx.trace.names.values()}
        self.differentials: Differentials | None = None
        self.patterns: dict[tuple[object, ...], tuple[list[Array], Emitted]] = {}
        self.told: set[tuple[Array, Array]] = set()

    def run(self, seed: Scalar) -> None:
        """Fills `adjoints`, each a body over the axes of its array."""
        if self.f not in self.active:
            return
        self.parts[self.f] = [seed]
        lifted = frozenset(self.lifted)
        if self.ctx.style == "differentials" and not self.quiet and not self.lifted:
            self.taken |= {v.name for v in self.program if isinstance(v, Var)}
            self.differentials = Differentials(self.f, self.ctx, self.taken)
        self.brief = len(self.active) > MOST_TOLD
        telling = self.ctx.detail > 1 and not self.quiet and not self.brief
        for array in reversed(self.program):
            parts = self.parts.pop(array, None)
            if parts is None:
                continue
            self.ctx.check()
            self.current = array
            raw = add(*parts) if len(parts) > 1 else parts[0]
            g = self.with_means(pinned(self.simplify(raw), self.ctx.facts))
            if type(g) is Add and array.rank > 1:
                g = self.by_symmetry(array, g)
            self.adjoints[array] = g
            if g is ZERO or not (self.leads_on(array) or (type(array) is Recurrence and array not in self.stop)):
                if self.differentials is not None and g is not ZERO:
                    self.held[array] = [g]
                continue
            if self.differentials is not None:
                self.differentials.of_value(array, self.active)
            elif telling and array is not self.f and array not in self.wanted:
                self.tell(array, raw, g)
            if type(array) is Tensor:
                g = self.adjoints[array] = self.carried(array, g)
                self.statement(array, g, lifted)
            elif type(array) is Operation:
                self.operation(array, g)
            elif type(array) is Operator:
                self.operator(array, g)
            elif type(array) is Recurrence:
                backward(self, array, g)
            else:
                raise CannotDerive("no derivative of this is known", array, THIS_FILE)
            if self.differentials is not None:
                waiting = {**self.held, **self.parts}
                self.differentials.of_frontier(waiting, self.simplify, self.put_in(array))

    def by_symmetry(self, array: Array, g: Scalar) -> Scalar:
        """The adjoint of a matrix with its terms merged by the symmetry of what stands in it; that of a symmetric value
        in the form in which its own symmetry shows."""
        if self.free is None and type(array) is Tensor and array.rank == 2 and is_symmetric(array):
            return finished(g, self.ctx)
        used = Used()
        g = merged_by_symmetry(g, self.free, used)
        for fact in used:
            self.ctx.trace.condition(fact)
        return g

    def statement(self, array: Tensor, g: Scalar, lifted: frozenset[Index]) -> None:
        """The sweep over one lambda; where one like it has been swept before, that is read off with other arrays."""
        pattern = None if lifted or self.noise else pattern_of(array, g, self.active, self.ctx.name_of(array) is not None)
        if pattern is None:
            statement = Statement(self.active, lifted, self.noise, self.ctx, self.simplify, self.emit)
            statement.sweep(array.body, g, array.axes, entry(array, *array.axes))
            return
        key, arrays = pattern
        known = self.patterns.get(key)
        if known is None:
            emitted: Emitted = []

            def emit(target: Array, body: Scalar) -> None:
                emitted.append((target, body))
                self.emit(target, body)

            statement = Statement(self.active, lifted, self.noise, self.ctx, self.simplify, emit)
            statement.sweep(array.body, g, array.axes, entry(array, *array.axes))
            if not statement.changed and not self.noise:
                self.patterns[key] = arrays, emitted
            return
        others, emitted = known
        mapping = dict(zip(others, arrays, strict=True))
        memo: dict[Node, Scalar] = {}
        for target, body in emitted:
            self.emit(mapping[target], with_arrays(body, mapping, memo))

    def put_in(self, array: Array) -> str:
        name = self.ctx.name_of(array)
        return "" if array is self.f else f"d{name} put in" if name else "put in"

    def tell(self, array: Array, raw: Scalar, g: Scalar) -> None:
        """The adjoint of an intermediate value as a line of its own; before it is simplified too, if asked for."""
        if not is_worth_telling(array, g, self.ctx) or written_length(g) > READABLE:
            return
        lead = [i for i in self.lifted if i in g.free]
        if len(lead) + array.rank > 2 or (self.lifted and len(lead) < len(self.lifted)):
            return
        axes = [axis(k, s) for k, s in enumerate(array.shape)]
        made = tensor((*lead, *axes), collect_common(g))
        if self.ctx.detail > 2 and raw is not g and written_length(raw) <= READABLE:
            before = tensor((*lead, *axes), raw)
            self.explain(array, before)
            self.ctx.trace.add("simplify", before, made, where=self.ctx.name_of(array) or "")
        else:
            self.explain(array, made)

    def leads_on(self, array: Array) -> bool:
        return array in self.onward and array not in self.stop

    def emit(self, array: Array, body: Scalar) -> None:
        if body is ZERO:
            return
        self.parts.setdefault(array, []).append(body)
        through = self.through.setdefault(array, [])
        if not through or through[-1] is not self.current:
            through.append(self.current)

    def simplify(self, body: Scalar) -> Scalar:
        return simplify_scalar(body, self.ctx.facts)

    def with_means(self, g: Scalar, depth: int = 2) -> Scalar:
        """`g` with nameless sums written out where they cancel: sum(x - mean(x)) is 0."""
        if not has_contraction(g) or not any(self.is_centring(a) for a in arrays_below(g)):
            return g
        opened: dict[Scalar, Scalar] = {}
        seen: set[Node] = set()
        stack: list[Node] = [g]
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            if type(node) is Entry:
                if type(node.array) is Tensor and _is_mean(node.array.body) and not self.ctx.name_of(node.array):
                    opened[node] = open_tensor(node.array, node.indices)
            elif type(node) is Sum:
                terms = node.body.args if type(node.body) is Add else (node.body,)
                kept = [t for t in terms if not self.vanishes(t, node.indices)]
                if len(kept) < len(terms):
                    opened[node] = total(add(*kept), node.indices)
            elif not node.is_array_node:
                stack.extend(node.args)
        if not opened:
            return g
        other = self.simplify(replace_scalars(g, opened))
        if depth:
            other = self.with_means(other, depth - 1)
        return other if written_length(other) < written_length(g) else g

    def is_centring(self, array: Array) -> bool:
        """Whether an array without a name is a sum of terms or a mean."""
        if type(array) is not Tensor or self.ctx.name_of(array):
            return False
        return type(array.body) is Add or _is_mean(array.body)

    def carried(self, array: Tensor, g: Scalar) -> Scalar:
        """`g` as it goes on: itself while short or used once, else the entry of an array of its own."""
        if is_plain(g) or (self.lifted and has_delta(g) and not is_larger(g, LONG)):
            return g
        within = has_contraction(array.body)
        if has_contraction(g):
            if array.rank == 0:
                return self.hoisted(g)
            if not within and self.count_uses(array.body, 1) == 1 and not is_larger(g, SHORT):
                return g
            return self.materialised(array, g)
        if not is_larger(g, SHORT if self.lifted else PLAIN):
            return g
        uses = self.count_uses(array.body, 2)
        if (uses == 1 and not is_larger(g, 2 * SHORT)) or (uses <= 2 and not within and not is_larger(g, SHORT)):
            return g
        return self.materialised(array, g)

    def vanishes(self, term: Scalar, indices: Sequence[Index]) -> bool:
        """Whether the sum of `term` over `indices` is one of a centred array without a name: c for c = x - mean(x)."""
        varies = [f for f in (term.args if type(term) is Mul else (term,)) if not f.free.isdisjoint(indices)]
        inside = varies[0] if len(varies) == 1 else term
        if type(inside) is not Entry or type(inside.array) is not Tensor or type(inside.array.body) is not Add:
            return False
        if self.ctx.name_of(inside.array) or len(inside.array.body.args) > 4:
            return False
        terms = total(open_tensor(inside.array, inside.indices), indices)
        named = self.ctx.all_names()
        if merged_terms(terms, named, Used(), lambda a: _name(a, self.ctx)) is ZERO:
            return True
        means = {
            f: open_tensor(f.array, f.indices) for f in _entries_in(terms) if isinstance(f.array, Tensor) and _is_mean(f.array.body)
        }
        return replace_scalars(terms, means) is ZERO if means else False

    def hoisted(self, g: Scalar) -> Scalar:
        """The adjoint of a scalar with its contractions under names, so that what is around them can cancel."""
        inner: dict[Scalar, Scalar] = {}
        stack = [g]
        while stack:
            node = stack.pop()
            if type(node) is Sum or type(node) is Fold:
                free = sorted(node.free, key=lambda i: (i.kind, i.number))
                inner[node] = entry(tensor(free, node), *free)
            elif type(node) is not Entry:
                stack.extend(node.args)
        return replace_scalars(g, inner)

    def count_uses(self, body: Scalar, limit: int) -> int:
        """How many different entries of active arrays stand in `body`; counting stops past `limit`."""
        seen: set[Node] = set()
        count = 0
        stack: list[Node] = [body]
        while stack and count <= limit:
            node = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            if type(node) is Entry:
                count += node.array in self.active
            elif type(node) is Where:
                stack.extend(node.args[1:])
            else:
                stack.extend(node.args)
        return count

    def materialised(self, array: Array, g: Scalar) -> Scalar:
        """The entry of a new array that holds the adjoint `g` of `array`, with the lifted axes that occur in front."""
        own = [axis(k, s) for k, s in enumerate(array.shape)]
        lead = [i for i in self.lifted if i in g.free]
        made = tensor((*lead, *own), g)
        if not isinstance(made, Var) and self.ctx.name_of(made) is None:
            name = self.ctx.name_of(array)
            if name is not None:
                self.ctx.trace.names[made] = self.unused(f"delta_{name}")
            self.explain(array, made)
        return entry(made, *lead, *own)

    def unused(self, name: str) -> str:
        chosen, k = name, 2
        while chosen in self.taken:
            chosen, k = f"{name}_{k}", k + 1
        self.taken.add(chosen)
        return chosen

    def explain(self, array: Array, result: Array, rule: str = "chain_rule", reason: str = "", form: str | None = None) -> None:
        """A step of the derivation: the adjoint of `array`, and the statements that it comes through."""
        if self.quiet or ((array, result) in self.told and not reason):
            return
        self.told.add((array, result))
        source = ""
        if not reason:
            consumers = self.through.get(array, ())
            if len(consumers) > 1 and self.brief:
                rule = "sum_over_uses"
            elif len(consumers) > 1:
                rule = "sum_over_uses"
                words = dict.fromkeys(w for c in consumers[:6] if (w := how(c, array)))
                reason = ", ".join(words)
            elif consumers:
                rule, reason, source = self.local_rule(consumers[0], array)
        kind = "jacobian" if self.lifted else "grad"
        before = (kind, (self.f, array), result.shape, (form,) if form else ())
        self.ctx.trace.add(rule, before, result, where=self.ctx.name_of(array) or "", reason=reason, source=source)

    def local_rule(self, consumer: Array, array: Array) -> tuple[str, str, str]:
        """Through which operation the adjoint of `array` comes, in words, with its derivative where that is short."""
        if isinstance(consumer, Operation):
            row = OPERATIONS[consumer.name]
            return f"pullback_of_{row.name}", row.because, row.source
        if self.brief:
            return "chain_rule", "", ""
        words = how(consumer, array)
        local = slope(consumer, array, self.ctx)
        if local:
            words = f"{words}: {local}"
        name = self.ctx.name_of(consumer)
        words = words or (f"through {name}" if name else "")
        return ("differentiate" if consumer is self.f else "chain_rule"), words, ""

    # --- statements that are not lambdas ------------------------------------------------------------------------------

    def operation(self, node: Operation, g: Scalar) -> None:
        if self.lifted and has_delta(g) and not is_larger(g, LONG):
            pass
        elif has_contraction(g) or is_larger(g, SHORT):
            g = self.adjoints[node] = self.materialised(node, g)
        for k, operand in enumerate(node.operands):
            if isinstance(operand, Array):
                if operand in self.active:
                    self.emit(operand, self.averaged(pullback(node, k, g, self.lifted), operand))
            elif any(a in self.active for a in arrays_below(operand)):
                raise CannotDerive(f"`{node.name}` has no rule for its parameter", operand, OPERATIONS_FILE)

    def operator(self, node: Operator, g: Scalar) -> None:
        """E[x ~ law](body) is linear in its body, where the law does not depend on what is differentiated by."""
        if node.name == "E" and node.args and not any(law in self.active for law in node.args[1:]):
            variables = [v for v in node.attrs[0] if isinstance(v, Array)]
            self.noise.in_operator(node.args[1:], node.attrs, variables)
            body = node.args[0]
            if body in self.active:
                self.emit(body, self.averaged(g, body))
            return
        raise CannotDerive(f"`{node.name}` has to be reduced before it is differentiated", node, THIS_FILE)

    def averaged(self, body: Scalar, target: Array) -> Scalar:
        if self.noise:
            loose = self.noise.loose(body, target)
            if loose:
                return self.noise.average(body, loose)
        return body


def program_of(f: Array) -> list[Array]:
    """The arrays below `f`, each after those that it reads."""
    done: set[Array] = set()
    out: list[Array] = []
    stack: list[tuple[Array, bool]] = [(f, False)]
    while stack:
        array, ready = stack.pop()
        if ready:
            out.append(array)
        elif array not in done:
            done.add(array)
            below = arrays_below(array)
            if below:
                stack.append((array, True))
                stack.extend((a, False) for a in below if a not in done)
            else:
                out.append(array)
    return out


def active_arrays(program: Sequence[Array], wanted: set[Array]) -> tuple[set[Array], set[Array]]:
    """The arrays of the program that depend on a wanted one, itself included, and those that read such an array."""
    active: set[Array] = set()
    onward: set[Array] = set()
    for array in program:
        for a in arrays_below(array):
            if a in active:
                active.add(array)
                onward.add(array)
                break
        else:
            if array in wanted:
                active.add(array)
    return active, onward


def gradient(f: Array, xs: Sequence[Array], ctx: Context, form: str | None = None) -> dict[Array, Array]:
    """The gradient of the scalar `f` by each of `xs`, in the shape of each.

    An `x` is a variable, an array of the program (then its adjoint, the gradient by its value), or an entry or slice of
    one of these. By a variable that is declared symmetric, spd, diagonal, lower, skew, orthogonal or simplex it is the
    gradient within its set, unless `form` is "free", or "tied" (partial derivatives by the free entries).
    Raises CannotDerive with the sub-expression where a rule is missing. Giles (2008); Griewank and Walther (2008), 3.
    """
    if f.rank:
        raise CannotDerive("the gradient is of a scalar; `jacobian` differentiates an array", f)
    if len(xs) == 1 and xs[0].rank == 0 and form is None and has_shorter_front(f, xs[0]):
        forward = by_scalar(f, xs[0], ctx)
        if forward is not None:
            return {xs[0]: forward}
    return differentiate(f, xs, ctx, (), ONE, form)


def jacobian(f: Array, x: Array, ctx: Context, form: str | None = None) -> Array:
    """The derivative of every entry of `f` by every entry of `x`: the axes of `f`, then the axes of `x`."""
    if x.rank == 0 and f.rank > 0 and form is None:
        found = by_scalar(f, x, ctx)
        if found is not None:
            return found
    own = [axis(k, s) for k, s in enumerate(f.shape)]
    lifted = [fresh_index(s) for s in f.shape]
    seed = mul(*(delta(i, j) for i, j in zip(own, lifted, strict=True)))
    return differentiate(f, (x,), ctx, lifted, seed, form)[x]


def has_shorter_front(f: Array, x: Array) -> bool:
    """Whether an operation on the way is shorter in forward mode: A expm(t A) for the derivative of expm(t A) by t."""
    program = program_of(f)
    active, _ = active_arrays(program, {x})
    return any(isinstance(a, Operation) and a.name in OPERATIONS and OPERATIONS[a.name].commuting for a in active)


def by_scalar(f: Array, x: Array, ctx: Context) -> Array | None:
    """The derivative of an array by a scalar in forward mode; None where a rule for that is missing."""
    program = program_of(f)
    inside = set(program)
    if x not in inside or any(isinstance(a, (Recurrence, Operator)) for a in program):
        return None
    steps = len(ctx.trace.steps)
    with uncollected():
        active, _ = active_arrays(program, {x})
        try:
            body = finished(tangent(f, x, program, active, ctx), ctx)
        except NoForwardRule:
            del ctx.trace.steps[steps:]
            return None
        result = tensor([axis(k, s) for k, s in enumerate(f.shape)], body)
    ctx.trace.add("forward", operator("d", (f, x), f.shape), result, where=ctx.name_of(f) or "")
    return result


def differentiate(
    f: Array, xs: Sequence[Array], ctx: Context, lifted: Sequence[Index], seed: Scalar, form: str | None
) -> dict[Array, Array]:
    """The sum over entries of `seed` times f, by each of `xs`; the lifted axes stand first in the results."""
    with uncollected():
        return _differentiate(f, xs, ctx, lifted, seed, form)


def _differentiate(
    f: Array, xs: Sequence[Array], ctx: Context, lifted: Sequence[Index], seed: Scalar, form: str | None
) -> dict[Array, Array]:
    program = program_of(f)
    inside = set(program)
    sources = {x: source_of(x, inside) for x in xs}
    free_ones = {s for s, _ in sources.values() if form == "free" and isinstance(s, Var) and s.domain in KINDS}
    sweep = Reverse(f, {s for s, _ in sources.values()}, ctx, lifted, program, next(iter(free_ones), None))
    sweep.run(seed)
    out: dict[Array, Array] = {}
    for x in xs:
        source, at = sources[x]
        free = source if isinstance(source, Var) and source in free_ones else None
        body = finished(sweep.adjoints.get(source, ZERO), ctx, free)
        within = ""
        if isinstance(source, Var):
            projected = within_set(body, source, ctx, form)
            if projected is not body:
                if sweep.differentials is None and at is None and body is not ZERO:
                    own = [axis(k, s) for k, s in enumerate(source.shape)]
                    sweep.explain(source, tensor((*lifted, *own), spread(body) if lifted else body), form="free")
                    within = why_within(source, ctx, form)
                body = finished(projected, ctx)
        if lifted:
            body = spread(body)
        own = [axis(k, s) for k, s in enumerate(source.shape)]
        if at is not None:
            indices = [fresh_index(s) for s in x.shape]
            values = [substitute(i, dict(zip(at[0], indices, strict=True))) for i in at[1]]
            body, own = substitute(body, dict(zip(own, values, strict=True))), indices
        out[x] = result = tensor((*lifted, *own), body)
        if body is ZERO:
            before = operator("jacobian" if lifted else "grad", (f, x), result.shape)
            ctx.trace.add("independent", before, result, where=ctx.name_of(x) or "", reason="it is constant in it")
        elif sweep.differentials is not None:
            sweep.differentials.read_off(source if at is None else x, result)
        else:
            rule = "gradient_within_set" if within else "chain_rule"
            sweep.explain(source if at is None else x, result, rule, within)
    return out


def finished(body: Scalar, ctx: Context, free: Var | None = None) -> Scalar:
    """A result as people write it: fractions cancelled, sums joined, facts of matrices used where that is shorter (not
    those of `free`, whose entries are taken as unrelated)."""
    body = pinned(body, ctx.facts)
    best = collect_common(simplify_scalar(body, ctx.facts))
    named = ctx.all_names()
    ways = (False, True) if speaks_of_facts(body, named) else (False,) if type(body) is Add else ()
    inside = with_scalars_open(body, named)
    if not ways and inside is body:
        return best
    length, used = flat_length(best, named), Used()
    if length > MAX_LENGTH:
        return best
    if inside is not body:
        other = collect_common(simplify_scalar(inside, ctx.facts))
        if flat_length(other, named) <= length:
            body, best, length = inside, other, flat_length(other, named)
    for expand in ways:
        facts = Used()
        other = merged_terms(body, named, facts, lambda a: _name(a, ctx), free, expand)
        if other is not body:
            other = collect_common(simplify_scalar(other, ctx.facts))
            found = flat_length(other, named)
            if found < (length if length <= STRUCTURED else length * 7 // 8):
                best, length, used = other, found, facts
    for fact in used:
        ctx.trace.condition(fact)
    return best


def _name(array: Array, ctx: Context) -> str | None:
    return ctx.name_of(array) or (array.name if isinstance(array, Var) else None)


def _entries_in(body: Scalar) -> Iterator[Entry]:
    """The entries that stand in an expression outside binders; definitions are not looked into."""
    stack: list[Node] = [body]
    while stack:
        node = stack.pop()
        if isinstance(node, Entry):
            yield node
        elif not node.is_array_node and not isinstance(node, (Sum, Fold, Expect)):
            stack.extend(node.args)


def _is_mean(body: Scalar) -> bool:
    """Whether a body is a sum of entries, or that over a size."""
    sums = 0
    for f in body.args if type(body) is Mul else (body,):
        if type(f) is Sum and type(f.body) is Entry:
            sums += 1
        elif type(f) not in (Num, Dim, Pow):
            return False
    return sums == 1


def spread(body: Scalar) -> Scalar:
    """p_j (Delta(i, j) - p_i) as Delta(i, j) p_j - p_i p_j: diag(p) - p p'."""
    if type(body) is not Mul:
        return body
    for f in body.args:
        if type(f) is Add and len(f.args) <= 4:
            with_delta = [has_delta(t) for t in f.args]
            if any(with_delta) and not all(with_delta):
                rest = mul(*(g for g in body.args if g is not f))
                if not has_delta(rest):
                    return add(*(mul(rest, t) for t in f.args))
    return body


def source_of(x: Array, program: set[Array]) -> tuple[Array, tuple[tuple[Index, ...], tuple[Scalar, ...]] | None]:
    """The array that `x` is taken from: itself, or W for an entry or a slice of W (with its indices in W)."""
    if x in program or not isinstance(x, Tensor) or not isinstance(x.body, Entry):
        return x, None
    if isinstance(x.body.array, (Var, Tensor, Operation)) and all(_is_place(i) for i in x.body.indices):
        return x.body.array, (x.axes, x.body.indices)
    return x, None


def _is_place(index: Scalar) -> bool:
    return not any(isinstance(n, Entry) for n in (index, *index.args))

"""The reverse sweep over the statements of a program: the adjoints of its arrays, each told as a step.

The adjoint of an array (what the literature calls delta) is carried on as an expression while it is short, and becomes
an array of its own where it is long or used more than once. Whoever asks for the gradient by a `let` gets its adjoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from symgen.algebra.collect import collect_common, written_length
from symgen.algebra.products import (
    Used,
    merged_by_symmetry,
)  # fmt: skip
from symgen.algebra.rational import simplify_scalar
from symgen.calculus.adjoint import Noise, Statement, summed
from symgen.calculus.chain_logs import logarithms_under
from symgen.calculus.finished import finished
from symgen.calculus.labels import pinned
from symgen.calculus.own_names import OwnNames
from symgen.calculus.patterns import Emitted, pattern_of, with_arrays
from symgen.calculus.recurrence import backward
from symgen.calculus.rules import OPERATIONS_FILE, has_delta, pullback
from symgen.calculus.telling import MOST_TOLD, READABLE, Differentials, how, is_worth_telling, slope
from symgen.derivation.context import Context
from symgen.tensor.build import has_contraction, is_plain, replace_scalars
from symgen.tensor.expression import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Array,
    Entry,
    Fn,
    Fold,
    Index,
    Mul,
    Node,
    Operation,
    Operator,
    Recurrence,
    Scalar,
    Sum,
    Tensor,
    Var,
    Where,
    add,
    arrays_below,
    axis,
    entry,
    is_larger,
    mul,
    open_tensor,
    replace_arrays,
    tensor,
    walk,
)  # fmt: skip
from symgen.tensor.facts import is_symmetric
from symgen.tensor.operations import OPERATIONS
from symgen.text.diagnostics import CannotDerive

THIS_FILE = "symgen/calculus/reverse.py"
PLAIN = 14  # nodes of an adjoint that is carried into every use
JUMPS = frozenset("floor sign step round".split())
LONG = 200  # nodes of an adjoint with a Delta, which goes away where it is used
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
        self.own = OwnNames(self.program, ctx)
        self.because: dict[Array, str] = {}  # by which definitions adjoints are short
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
        self.unspoken: set[Array] = set()  # parts of an integral: they have no adjoint that is worth a line

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
            g = self.own.put_in(pinned(self.simplify(raw), self.ctx.facts))
            if self.own.why:
                self.because[array] = ", ".join(self.own.why)
            if type(g) in (Add, Mul, Sum) and array.rank:
                g = self.by_symmetry(array, g)
            self.adjoints[array] = g
            if g is ZERO and array in self.because and telling and self.differentials is None and array not in self.wanted:
                if self.ctx.name_of(array) and not self.lifted:
                    self.explain(array, tensor([axis(k, s) for k, s in enumerate(array.shape)], ZERO))
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
        merged = merged_by_symmetry(g, self.free, used)
        for fact in used:
            self.ctx.trace.condition(fact)
        return g if merged is g else collect_common(merged)

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
        if not self.ctx.name_of(array) and (array in self.unspoken or (isinstance(array, Operator) and array.name == "integral")):
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
        if array in self.because:
            reason = f"{reason}; {self.because[array]}" if reason else self.because[array]
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
        if self.noise.integrates(consumer) and not words.startswith("under"):
            words = f"under the integral, {words}"
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
        if node.name == "logsumexp" and not self.noise and logarithms_under(self, node, g):
            return
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
        if node.name == "integral" and not any(end.rank for end in node.operands[1:]):
            self.integral(node, g)
            return
        raise CannotDerive(f"`{node.name}` has to be reduced before it is differentiated", node, THIS_FILE)

    def integral(self, node: Operator, g: Scalar) -> None:
        """Leibniz: d(integral of f over a .. b) = f(b) db - f(a) da + integral of df."""
        x = node.attrs[0][0]
        body, low, high = node.operands
        self.unspoken.update((node, body, low, high))
        if not self.noise.in_integral(x, (low, high)):
            raise CannotDerive(f"integrals over `{x.name}` with different ends meet", node, THIS_FILE)
        for end, sign in ((high, ONE), (low, MINUS_ONE)):
            if end in self.active:
                axes = [axis(k, s) for k, s in enumerate(node.shape)]
                at_end = replace_arrays(open_tensor(body, axes), {x: end})
                if any(isinstance(n, Where) or (isinstance(n, Fn) and n.name in JUMPS) for n in walk(body)):
                    self.ctx.trace.condition(f"the integrand is continuous at the ends of the integral over {x.name}")
                self.emit(end, self.averaged(summed(mul(sign, g, at_end), axes), end))
        if body in self.active:
            self.emit(body, self.averaged(g, body))

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

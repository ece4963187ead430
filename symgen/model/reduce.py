"""Operators are reduced, innermost first, each by its engine; the result is what the last step says.

Every reduction leaves a question for its referee in the trace; it is asked before the result is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from symgen.algebra.collect import MAX_READ, arrays_on_surface, is_written_out
from symgen.algebra.products import Used, flat_length, merged_terms
from symgen.algebra.rational import simplify_scalar
from symgen.algebra.signs import signs_joined
from symgen.algebra.small_matrices import with_small_matrices_opened
from symgen.algebra.undone import without_logs_of_exponentials
from symgen.calculus.gradient import Gradients, gradient, jacobian
from symgen.calculus.hessian import hessian, hvp
from symgen.calculus.integral import reduce_integral
from symgen.calculus.kinks import note_kinks
from symgen.calculus.recognise import recognised
from symgen.calculus.root import by_halving, has_roots
from symgen.calculus.sequence_referee import check_adjoint
from symgen.calculus.structured import by_free_entries
from symgen.derivation.context import BudgetSpent, Context
from symgen.derivation.derivation import Evidence, Trace
from symgen.derivation.referee import check_derivative, check_equal_numeric
from symgen.model.engines import ENGINES, KEPT, LATE
from symgen.model.records import RECORDS, reduce_part
from symgen.probability.bayes.mixtures import by_components
from symgen.probability.divergences.divergence import ExpectationStays
from symgen.probability.estimation.estimators import with_estimators
from symgen.probability.estimation.slopes_of_roots import with_slopes_of_roots
from symgen.probability.laws.reparameterisation import is_drawn, reparameterise, thawed
from symgen.probability.means.exponential_integrals import is_bell_over_sum
from symgen.probability.means.nodes_and_weights import by_nodes
from symgen.probability.means.quadrature import check_slope
from symgen.tensor import build
from symgen.tensor.clock import spent
from symgen.tensor.expression import (
    NAN,
    ZERO,
    Add,
    Array,
    Entry,
    Node,
    Operator,
    Recurrence,
    Scalar,
    Tensor,
    Var,
    Where,
    add,
    axis,
    is_larger,
    open_tensor,
    replace_arrays,
    tensor,
    uncollected,
    var,
    variables_of,
    walk,
)  # fmt: skip
from symgen.tensor.facts import Facts, is_positive, is_spd, is_symmetric, is_unit
from symgen.tensor.sympy_bridge import NotInSymPy
from symgen.text.diagnostics import CannotDerive

OPTIMA = ("argmin", "argmax", "joint_optimum", "optimum_by_rows", "stationary", "convex")
SAMPLED = ("E", "Var", "Cov", "elbo")  # what samples may estimate where it has no closed form
SECONDS = 20.0  # for one goal, the referee not counted


@dataclass
class Reduced:
    """What a goal came to: an array, or a record of an engine."""

    array: Array | None
    record: Any
    trace: Trace
    names: dict[Array, str] = field(default_factory=dict)
    spent: bool = False
    untidied: Array | None = None
    goal: Array | None = None
    sampled: bool = False  # whether its author wrote a mean; what a divergence leaves is summed over nodes


def is_open(node: Node) -> bool:
    """Whether an operator waits for an engine."""
    return isinstance(node, Operator) and node.name not in KEPT and not (node.attrs and node.attrs[0] == "law")


def reduce(
    goal: Array, facts: Facts | None, names: Mapping[Array, str], seconds: float = SECONDS,
    style: str = "chain", detail: int = 2, taken: frozenset[str] = frozenset(), outside: bool = False,
) -> Reduced:  # fmt: skip
    """`goal` with its operators reduced. `names` are the author's; those of arrays that changed are carried over.
    What is invented on the way has no name that is `taken`. `outside`: densities are 0 outside of their supports.

    Raises CannotDerive where a rule is missing; where the time is up, what is left stands as it is.
    """
    with uncollected():
        ctx = Context(Trace(), facts, dict(names), spent() + seconds, style, detail, taken, outside)
        try:
            found = _reduce(goal, ctx, seconds)
        except NotInSymPy as error:  # an engine met what neither side has a word for
            raise CannotDerive(f"SymPy and symgen have no common word for {error}", goal) from error
    found.goal = goal
    found.sampled = any(isinstance(n, Operator) and n.name in SAMPLED for n in walk(goal))
    return found


def _reduce(goal: Array, ctx: Context, seconds: float) -> Reduced:
    trace = ctx.trace
    state = _State(ctx, dict(ctx.names))
    ctx.names = state.names
    record_of = goal.body.array if isinstance(goal, Tensor) and not goal.rank and _is_entry(goal.body) else goal
    if isinstance(record_of, Operator) and record_of.name in RECORDS:
        inner = operands_reduced(record_of, state)
        record = ENGINES[record_of.name](inner, ctx)
        if isinstance(record, Array):
            if is_undefined(record):
                raise CannotDerive(f"this has no value: {trace.notes[-1] if trace.notes else 'a mean in it does not exist'}", goal)
            return Reduced(record, None, trace, state.names)
        return Reduced(None, record, trace, state.names)
    try:
        array = state.reduce(goal)
        array = with_terms_met(with_values_met(state.late(array), state), state.names)
    except BudgetSpent:
        trace.notes.append(f"the budget of {seconds:g} s is spent; what is left stands unreduced")
        return Reduced(state.partial(goal), None, trace, state.names, True)
    refuse_undefined(array, goal, trace)
    if is_undefined(array) and not array.rank:  # what is made of it has none either
        array = tensor((), NAN)
    if isinstance(record_of, Operator) and record_of.name == "expand":
        return Reduced(array, None, trace, state.names)  # what was multiplied out stays so
    small = with_small_matrices_opened(array, state.names, ctx.facts)
    return Reduced(tidy(small, ctx, state.names), None, trace, state.names, untidied=array)


def is_undefined(array: Array) -> bool:
    """Whether an array has no value whatever its variables are: no branch leads past what is undefined."""
    stack: list[Node] = [array]
    seen: set[Node] = set()
    while stack:
        n = stack.pop()
        if n is NAN:
            return True
        if n not in seen:
            seen.add(n)
            stack.extend(n.args[:1] if isinstance(n, Where) else n.args)
    return False


def refuse_undefined(array: Array, goal: Array, trace: Trace) -> None:
    """Raises CannotDerive where a result is no number at all, and no note says why that is so."""
    if is_undefined(array) and not any(note.startswith("the mean does not exist") for note in trace.notes):
        means = any(isinstance(n, Operator) and n.name in ("E", "Var", "Cov") for n in walk(goal))
        why = "a mean in it does not exist, or it comes to" if means else "it comes to"
        raise CannotDerive(f"this has no value: {why} inf - inf, 0*inf or the like", goal)


def _is_entry(body: Any) -> bool:
    return getattr(body, "array", None) is not None and not getattr(body, "indices", (1,))


def operands_reduced(op: Operator, state: _State) -> Operator:
    mapping: dict[Array, Array] = {}
    for operand in op.operands:
        if isinstance(operand, Array):
            new = state.late(state.reduce(operand))
            if new is not operand:
                mapping[operand] = new
    return replace_arrays(op, mapping) if mapping else op


def with_terms_met(array: Array, names: Mapping[Array, str]) -> Array:
    """A sum in which nameless sums stand as one: log p(x) + log p(y), each written out."""
    if not isinstance(array, Tensor) or array.rank or not isinstance(array.body, Add):
        return array
    out = []
    for t in array.body.args:
        inner = t.array if isinstance(t, Entry) and not t.indices else None
        out.append(inner.body if isinstance(inner, Tensor) and inner not in names else t)
    return tensor((), add(*out))


def with_values_met(array: Array, state: _State) -> Array:
    """A number in which the values of operators, numbers without a name, stand as they are: 1 - (1 - c) is c."""
    values = {a for a in state.done.values() if is_written_out(a, state.names)}
    if not values or not isinstance(array, Tensor) or array.rank or array in values or is_larger(array.body, MAX_READ):
        return array
    opened: dict[Array, Array | Callable[..., Scalar]] = {}
    for a in arrays_on_surface(array.body, state.names):
        inner = replace_arrays(a.body, opened) if a in values and isinstance(a, Tensor) else None
        opened[a] = a if inner is None else lambda *_, inner=inner: inner
    return tensor((), without_logs_of_exponentials(replace_arrays(array.body, opened)))


def tidy(array: Array, ctx: Context, names: Mapping[Array, str]) -> Array:
    """The body of a result simplified pointwise, and by facts of its matrices where one applies: Q'Q = I. A named array
    stays as it is."""
    if isinstance(array, Tensor) and array not in names:
        body = simplify_scalar(array.body, ctx.facts)
        used = Used()
        known = {**ctx.trace.names, **names}
        other = merged_terms(body, known, used, lambda a: names.get(a) or (a.name if isinstance(a, Var) else None))
        if used and flat_length(other, names) < flat_length(body, names):
            for fact in used:
                ctx.trace.condition(fact)
            body = simplify_scalar(other, ctx.facts)
        body, has_pole = signs_joined(body)
        if has_pole:  # 1/q, the derivative of log|q|, has no value at 0: no subgradient is taken there
            taken = "elsewhere the subgradient 0 is taken", "where a norm or a root of squares is 0, the subgradient 0 is taken"
            kept = [c.replace("; " + taken[0], "") for c in ctx.trace.conditions if c != taken[1]]
            ctx.trace.conditions[:] = kept
        return tensor(array.axes, body)
    return array


class _State:
    """The reductions of one goal, shared between its parts."""

    def __init__(self, ctx: Context, names: dict[Array, str]) -> None:
        self.ctx, self.names = ctx, names
        self.done: dict[Array, Array] = {}

    def reduce(self, root: Array) -> Array:
        asked = {n.args[0] for n in walk(root) if isinstance(n, Operator) and n.name == "part"}  # records of which parts are
        densities = [n.args[0] for n in walk(root) if isinstance(n, Operator) and n.name == "formula"]
        asked |= {n for n in walk(*densities) if isinstance(n, Operator) and n.name == "root"}  # in a density that is not put in
        for node in list(walk(root)):
            if not is_open(node) or node in self.done or (isinstance(node, Operator) and node.name in LATE):
                continue
            assert isinstance(node, Operator)
            if node in asked:
                continue
            self.ctx.check()
            self.run(node)
        return self.carry(root)

    def run(self, node: Operator) -> None:
        current = self.carry(node)
        if isinstance(current, Operator) and current.name in OPTIMA:  # densities are written out before they are solved
            mapping = {a: new for a in current.operands if isinstance(a, Array) and (new := self.late(a)) is not a}
            current = replace_arrays(current, mapping) if mapping else current
        if isinstance(current, Operator) and current.name == "part":
            whole = current.args[0]
            assert isinstance(whole, Operator)
            record = ENGINES[whole.name](operands_reduced(whole, self), self.ctx)
            part = reduce_part(current, record)
            self.ctx.trace.add("part", None, part, reason=f"{' of its '.join(reversed(current.attrs[0]))} is what was asked")
            if record.evidence is not None:
                self.ctx.trace.checks.append(lambda: record.evidence)
            self.done[node] = self.done[current] = part
            return
        if isinstance(current, Operator) and is_open(current):
            result = ENGINES[current.name](current, self.ctx) if current.name in ENGINES else None
            if result is None:
                raise CannotDerive(f"symgen has no engine for `{current.name}`", current, "symgen/model/engines.py")
            if not isinstance(result, Array):
                text = f"`{current.name}` gives a record: it stands alone in a `derive`, or a part of it is named"
                raise CannotDerive(text, current)
            if result is not current:
                self.done[node] = result
                self.done[current] = result

    def carry(self, array: Array) -> Array:
        """`array` with what was reduced put in; the author's names go along."""
        if not self.done:
            return array
        new = replace_arrays(array, self.done)
        for old, name in list(self.names.items()):
            if any(n in self.done for n in walk(old)):
                moved = replace_arrays(old, self.done)
                if isinstance(moved, Array) and moved not in self.names:
                    self.names[moved] = name
        self.ctx.names = self.names
        return new  # type: ignore[no-any-return]

    def late(self, array: Array) -> Array:
        """Densities of known laws written out where no expectation has taken them up."""
        mapping: dict[Array, Array] = {}
        inside: set[Node] = set()
        for node in walk(array):
            if isinstance(node, Operator) and node.name in KEPT and node.name not in LATE:
                inside.update(walk(*node.args))
        for node in walk(array):
            if isinstance(node, Operator) and node.name in LATE and node not in inside:
                result = ENGINES[node.name](replace_arrays(node, mapping) if mapping else node, self.ctx)
                if result is not node:
                    mapping[node] = result
        if not mapping:
            return array
        self.done.update(mapping)
        return self.carry(array)

    def partial(self, root: Array) -> Array:
        return self.carry(root)


# --- the calculus as engines ------------------------------------------------------------------------------------------


def prepared(
    f: Array,
    ctx: Context,
    scored: bool = False,
    smooth: bool = False,
    exact: bool = False,
    x: Array | None = None,
    order: int = 1,
) -> Array:
    """`f` ready for numbers or for differentiation: densities written out, samples of what has no closed form
    reparameterised (`smooth`: by what gradients pass through) or, first, so written that derivatives of that `order`
    are right with the laws held fixed (`scored`), where a law hangs on `x`. Integrals (where no derivative by an `x`
    is asked for), means whose law has no draw and, where `exact`, all means over one scalar are summed over nodes."""
    state = _State(ctx, dict(ctx.names))
    f = state.late(f)
    if scored and has_roots(f):
        f = with_slopes_of_roots(f, ctx, order)
    f = by_halving(f)
    if any(isinstance(n, Operator) and n.name in ("E", "integral", "series") for n in walk(f)):
        f = by_nodes(by_components(f, ctx), ctx, lambda op: exact or not (scored or is_drawn(op)), x is None)
    if any(isinstance(n, Operator) and n.name == "E" for n in walk(f)):
        if scored:
            f = with_estimators(f, ctx, x, order)
        f = reparameterise(f, ctx, smooth)
    return f


def has_integrals(f: Array) -> bool:
    return any(isinstance(n, Operator) and n.name in ("integral", "series") for n in walk(f))


def integrated(f: Array, ctx: Context) -> Array:
    """`f` with its integrals in closed form, where they have one: differentiation may have helped."""
    found: dict[Array, Array] = {}
    for node in list(walk(f)):
        if isinstance(node, Operator) and node.name == "integral":
            current = replace_arrays(node, found) if found else node
            if is_bell_over_sum(node.operands[0], node.attrs[0][0]):
                continue
            if isinstance(current, Operator) and (made := reduce_integral(current, ctx)) is not current:
                found[node] = found[current] = made
    return replace_arrays(f, found) if found else f


def left_to_referee(
    f: Array, x: Array, result: Array, order: int, facts: Facts | None, checks: list[Callable[[], Evidence]]
) -> Callable[[], Evidence]:
    """The referee's question about a derivative; where expectations stay, it is asked of their quadrature."""
    if has_integrals(f) or has_integrals(result):  # what stays an integral is asked about by its nodes
        quiet = Context(facts=facts)
        f, result = (by_nodes(a, quiet, lambda op: False) for a in (f, result))
    stays = any(isinstance(n, Operator) and n.name == "E" for n in walk(f))
    if has_roots(result) and order == 1 and not f.shape and isinstance(x, Var):
        return lambda: check_slope(by_halving(thawed(f)), x, by_halving(result), facts)
    if stays and order == 1 and not f.shape and isinstance(x, Var):
        # what stays below is looked at together with its derivative
        checks[:] = [c for c in checks if not isinstance(c, ExpectationStays)]
        return lambda: check_slope(thawed(f), x, result, facts)
    return check_by_differences(f, x, result, order, facts)


def check_by_differences(f: Array, x: Array, result: Array, order: int, facts: Facts | None) -> Callable[[], Evidence]:
    """The referee's question: differences of f in high precision against the result."""

    def ask() -> Evidence:
        by, value, claim = x, f, result
        if not isinstance(by, Var):
            if isinstance(x, Recurrence) and order == 1:
                return check_adjoint(f, x, result, facts)
            by = var("_at", x.shape, domain_of(x, facts), "placeholder", uid=11)
            value, claim = replace_arrays(f, {x: by}), replace_arrays(result, {x: by})
            if variables_of(value).isdisjoint((by,)):
                if isinstance(result, Tensor) and result.body is ZERO:
                    return Evidence("proved", method="it does not occur")
                return Evidence("unknown", tried=("the referee differentiates by variables and lets only",))
        return check_derivative(value, [by], [claim], order, facts)

    return ask


def domain_of(array: Array, facts: Facts | None) -> str:
    """A domain of the table that the values of `array` stay in, as narrow as the rules know."""
    if array.rank == 2 and is_symmetric(array):
        return "spd" if is_spd(array, facts) else "symmetric"
    body = open_tensor(array, [axis(k, s) for k, s in enumerate(array.shape)])
    if is_unit(body, facts):
        return "unit"
    return "positive" if is_positive(body, facts) else "real"


def named_functions(f: Array, x: Array, ctx: Context) -> Array:
    """`f` with the functions that were written out in it, for differentiation; not where `x` is such a value itself."""
    made: dict[Array, str] = {}
    found = recognised(f, x, ctx.all_names(), ctx.facts, made)
    if found is f or (not isinstance(x, Var) and x not in set(walk(found))):
        return f
    if isinstance(ctx.names, dict):  # the author's names go along
        for array, name in made.items():
            ctx.names.setdefault(array, name)
    ctx.trace.add("recognise", f, found, reason="functions that are written out have names")
    return found


def _grad(op: Operator, ctx: Context) -> Array:
    f, x = prepared(op.operands[0], ctx, scored=True, smooth=True, x=op.operands[1]), op.operands[1]
    form = op.attrs[0] if op.attrs and op.attrs[0] != "score" else None
    result = integrated(thawed(gradient(named_functions(f, x, ctx), [x], ctx, form)[x]), ctx)
    note_kinks(ctx.trace, f, [result], ctx.facts)
    if form != "tied":
        ctx.trace.checks.append(left_to_referee(f, x, result, 1, ctx.facts, ctx.trace.checks))
    elif isinstance(x, Var):
        value, v, claim = by_free_entries(f, x, result)
        ctx.trace.checks.append(lambda: check_derivative(value, [v], [claim], 1, ctx.facts))
    return result


def asked_together(f: Array, gradients: Mapping[Var, Array], facts: Facts | None) -> Callable[[], Evidence]:
    """The referee's question about all gradients of one sweep, along one direction of all parameters: linear in the
    size of the program. Where no point answers it, each gradient is asked about alone."""

    def ask() -> Evidence:
        found = check_derivative(f, list(gradients), gradients, 1, facts)
        if found.kind == "unknown" and len(gradients) > 1:
            for p, g in gradients.items():
                found = check_derivative(f, [p], [g], 1, facts)
        return found

    return ask


def _gradients(op: Operator, ctx: Context) -> Gradients:
    """The gradients of one scalar by several variables, in one sweep backwards."""
    asked, *xs = (a for a in op.operands if isinstance(a, Array))
    if len(set(xs)) < len(xs):
        raise CannotDerive("a gradient is by each variable once", op)
    f = asked
    for x in xs:
        f = prepared(f, ctx, scored=True, smooth=True, x=x)
    (form,) = op.attrs
    found = {x: integrated(thawed(g), ctx) for x, g in gradient(f, xs, ctx, form).items()}
    note_kinks(ctx.trace, f, list(found.values()), ctx.facts)
    plain = {x: g for x, g in found.items() if isinstance(x, Var)}
    stays = any(isinstance(n, Operator) and n.name in ("E", "integral") for n in walk(f))
    if form != "tied" and len(plain) == len(found) and not stays:
        ctx.trace.checks.append(asked_together(f, plain, ctx.facts))
    else:
        for x, g in found.items():
            if form == "tied" and isinstance(x, Var):
                value, v, claim = by_free_entries(f, x, g)
                ctx.trace.checks.append(partial(check_derivative, value, [v], [claim], 1, ctx.facts))
            elif form != "tied":
                ctx.trace.checks.append(left_to_referee(f, x, g, 1, ctx.facts, ctx.trace.checks))
    names = {x: x.name if isinstance(x, Var) else ctx.name_of(x) or str(k) for k, x in enumerate(xs)}
    return Gradients({names[x]: found[x] for x in xs}, asked, tuple(xs))


def _jacobian(op: Operator, ctx: Context) -> Array:
    f, x = prepared(op.operands[0], ctx, scored=True, smooth=True, x=op.operands[1]), op.operands[1]
    result = integrated(thawed(jacobian(named_functions(f, x, ctx), x, ctx, op.attrs[0] if op.attrs else None)), ctx)
    note_kinks(ctx.trace, f, [result], ctx.facts)
    if not op.attrs or op.attrs[0] != "tied":
        ctx.trace.checks.append(left_to_referee(f, x, result, 1, ctx.facts, ctx.trace.checks))
    return result


def _hessian(op: Operator, ctx: Context) -> Array:
    f, x = prepared(op.operands[0], ctx, scored=True, smooth=True, x=op.operands[1], order=2), op.operands[1]
    result = integrated(thawed(hessian(named_functions(f, x, ctx), x, ctx, op.attrs[0] if op.attrs else None)), ctx)
    note_kinks(ctx.trace, f, [result], ctx.facts)
    if not op.attrs or op.attrs[0] != "tied":
        ctx.trace.checks.append(left_to_referee(f, x, result, 2, ctx.facts, ctx.trace.checks))
    return result


def _hvp(op: Operator, ctx: Context) -> Array:
    f, x, v = prepared(op.operands[0], ctx, scored=True, smooth=True, x=op.operands[1], order=2), op.operands[1], op.operands[2]
    result = thawed(hvp(named_functions(f, x, ctx), x, v, ctx))
    note_kinks(ctx.trace, f, [result], ctx.facts)

    def ask() -> Evidence:
        """The derivative of g . u by x, u held fixed, by differences; and the result is that at u = v."""
        fixed = var("_direction", x.shape, "real", "placeholder", uid=12)
        quiet = ctx.quiet()
        general = hvp(f, x, fixed, quiet)
        slope = gradient(f, [x], quiet)[x]
        product = build.dot(build.of_array(slope), build.of_array(fixed)).array()
        found = check_by_differences(product, x, general, 1, ctx.facts)()
        same = check_equal_numeric(replace_arrays(general, {fixed: v}), result, ctx.facts)
        return found if same.kind != "unknown" else same

    ctx.trace.checks.append(ask)
    return result


ENGINES.update({"grad": _grad, "gradients": _gradients, "jacobian": _jacobian, "hessian": _hessian, "hvp": _hvp})

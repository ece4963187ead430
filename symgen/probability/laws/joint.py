"""Joint distributions: named factors, what `q`, `q(z | x)` or `p(z)` stand for, and the operators on them.

An operator keeps the laws of its distributions as operands; what is a name (variables, factors) is among its `attrs`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symgen.probability.laws.law import alternative_of, broadcast_array, row_of, value_domain
from symgen.tensor.build import normal_size
from symgen.tensor.expression import (
    ONE,
    Array,
    Node,
    Operator,
    Scalar,
    Var,
    add,
    depends_on,
    entry,
    fn,
    mul,
    operator,
    replace_arrays,
    tensor,
    var,
    variables_of,
    walk,
)  # fmt: skip


@dataclass(frozen=True)
class Factor:
    """p(variables | given) = law; the law mentions the given variables."""

    name: str
    variables: tuple[Var, ...]
    given: tuple[Var, ...]
    law: Array


@dataclass(frozen=True)
class Joint:
    """Several factors under one name, each after those that it is given: p(x, z) = p(x | z) p(z)."""

    name: str
    factors: tuple[Factor, ...]

    @property
    def variables(self) -> tuple[Var, ...]:
        return tuple(dict.fromkeys(v for f in self.factors for v in f.variables))

    @property
    def outside(self) -> tuple[Var, ...]:
        """What the factors are given and no factor draws."""
        return tuple(dict.fromkeys(v for f in self.factors for v in f.given if v not in self.variables))

    def factor_of(self, variable: Var) -> Factor | None:
        return next((f for f in self.factors if variable in f.variables), None)

    def named(self, name: str) -> Var | None:
        return next((v for v in (*self.variables, *self.outside) if v.name == name), None)


@dataclass(frozen=True)
class DistRef:
    """What stands for a distribution in an operator: `q`, `q(z | x)`, `p(z)`, or a family written in place."""

    joint: Joint
    variables: tuple[Var, ...]
    given: tuple[Var, ...] = ()


def whole(joint: Joint) -> DistRef:
    """`q`, without arguments."""
    return DistRef(joint, joint.variables, joint.outside)


def inline(law: Array, name: str = "x") -> DistRef:
    """A family written in place: `KL(q || Normal(0, 1))`."""
    x = var(name, law.shape, value_domain(law), "random", uid=-1)
    return DistRef(Joint("", (Factor("", (x,), (), law),)), (x,))


def declare(joint: Joint, factor: Factor) -> Joint:
    """`joint` with one more factor, in an order in which each stands after those that it is given: what a law speaks of and
    the joint draws is given, said or not."""
    every = {v for f in (*joint.factors, factor) for v in f.variables}
    factors = [_with_all_given(f, every) for f in (*joint.factors, factor)]
    ordered: list[Factor] = []
    while factors:
        drawn = {v for f in factors for v in f.variables}
        ready = [f for f in factors if not any(g in drawn for g in f.given if g not in f.variables)]
        if not ready:
            raise ValueError("the factors of a joint distribution are given each other in a circle")
        ordered.extend(ready)
        factors = [f for f in factors if f not in ready]
    return Joint(joint.name, tuple(ordered))


def _with_all_given(f: Factor, drawn: set[Var]) -> Factor:
    spoken = sorted(variables_of(f.law).intersection(drawn).difference(f.given, f.variables), key=lambda v: v.name)
    return Factor(f.name, f.variables, (*f.given, *spoken), f.law) if spoken else f


# --- references as operands -------------------------------------------------------------------------------------------

Spec = tuple[str, tuple[tuple[str, tuple[Var, ...], tuple[Var, ...]], ...], tuple[Var, ...], tuple[Var, ...]]


def spec_of(ref: DistRef) -> Spec:
    factors = tuple((f.name, f.variables, f.given) for f in ref.joint.factors)
    return ref.joint.name, factors, ref.variables, ref.given


def encode(name: str, refs: Sequence[DistRef], options: Mapping[str, Any] | None = None,
           shape: Sequence[Scalar] = ()) -> Operator:  # fmt: skip
    """An unreduced operator on distributions. Options that are arrays are operands, others are attributes."""
    options = dict(options or {})
    if name == "elbo":
        refs = [resolved(refs[0]), *refs[1:]]
    elif name not in OF_JOINTS:
        refs = [r if SAMPLED.get(name) == k and not looks_back(r, r.variables) else resolved(r) for k, r in enumerate(refs)]
        given = {g: g for r in refs if not is_known(r) for g in r.given if g in r.joint.variables}
        if given and "names" not in options:  # a density that is not known has no operand to say at what x it stands
            options |= placed_at(given)
    laws: list[Array] = []
    own: dict[Array, Array] = {}
    for ref in refs:
        mine = hidden(ref, options)
        laws += [replace_arrays(f.law, mine) if mine else f.law for f in ref.joint.factors]
        own.update((new, v) for v, new in mine.items())
    if own:
        options["hidden"] = tuple(own.items())
    arrays = {k: v for k, v in options.items() if isinstance(v, Node)}
    plain = tuple((k, v) for k, v in options.items() if not isinstance(v, Node))
    operands: list[Node] = [*laws, *arrays.values()]
    return operator(name, operands, shape, (tuple(spec_of(r) for r in refs), tuple(arrays), plain))


HIDDEN = -1000  # numbers of the variables that an operator binds, below this


def hidden(ref: DistRef, options: Mapping[str, Any]) -> dict[Array, Array]:
    """What a joint draws is bound by the operator: in its laws it stands under names that nothing outside has, so that
    E[z ~ ..] around log p(x) leaves the z alone over which p(x) is the marginal. What is given is free, or has its value
    among the options."""
    placed = {v for v, _ in options.get("names", ())}
    drawn = [v for v in ref.joint.variables if v not in ref.given or v in placed]
    inside = frozenset().union(*(variables_of(f.law) for f in ref.joint.factors))
    depth = max((HIDDEN - v.uid for v in inside if v.uid <= HIDDEN), default=-1) + 1
    return {v: var(v.name, v.shape, v.domain, "random", v.domain_args, HIDDEN - depth) for v in drawn if v in inside}


def decode(op: Operator) -> tuple[list[DistRef], dict[str, Any]]:
    """The distributions and options of an operator made by `encode`."""
    specs, arrays, plain = op.attrs
    position = 0
    refs: list[DistRef] = []
    own: dict[Array, Array] = dict(dict(plain).get("hidden", ()))
    for joint_name, factors, variables, given in specs:
        made = []
        for name, drawn, conditions in factors:
            law = op.args[position]
            made.append(Factor(name, drawn, conditions, replace_arrays(law, own) if own else law))
            position += 1
        refs.append(DistRef(Joint(joint_name, tuple(made)), variables, given))
    options: dict[str, Any] = {k: v for k, v in plain if k != "hidden"}
    options.update(zip(arrays, op.args[position:], strict=True))
    return refs, options


# --- references to a part of a joint ----------------------------------------------------------------------------------

SAMPLED = {"cross_entropy": 0, "moment_match": 1}  # which of the two is drawn from, its density never asked for
OF_JOINTS = ("posterior", "marginal", "log_density_of", "mutual_information", "conditional_law")


def above(ref: DistRef, variables: Iterable[Var]) -> set[Var]:
    """The variables and what the joint draws for them, up to what is given."""
    out = set(variables).difference(ref.given)
    while True:
        more = {
            u
            for f in ref.joint.factors
            if out.intersection(f.variables)
            for u in ref.joint.variables
            if u not in ref.given and u not in out and (u in f.given or depends_on(f.law, u))
        }
        if not more:
            return out
        out |= more


def looks_back(ref: DistRef, variables: Iterable[Var]) -> bool:
    """Whether something is given that hangs on what is asked, or on what that hangs on: p(z | x) of p(x | z) p(z)."""
    mine = above(ref, variables)
    drawn = [f for f in ref.joint.factors if set(f.variables).intersection(ref.given)]
    return any(mine & above(ref, {u for u in ref.joint.variables if u in f.given or depends_on(f.law, u)}) for f in drawn)


def is_known(ref: DistRef) -> bool:
    """Whether no factor is a density that is not known."""
    return not any(isinstance(f.law, Operator) and f.law.name == "density" for f in ref.joint.factors)


def conditional_law(ref: DistRef, v: Var) -> Array:
    """The law of one variable of a joint given what the reference gives: reduced before what stands on it."""
    given = [g for g in ref.given if g in ref.joint.variables]
    return encode("conditional_law", [ref], {"x": (v,), **placed_at({g: g for g in given})}, v.shape)


def placed_at(values: Mapping[Var, Array]) -> dict[str, Any]:
    """The options that put values in for variables."""
    return {**{f"at_{v.name}": a for v, a in values.items()}, "names": tuple((v, f"at_{v.name}") for v in values)}


def resolved(ref: DistRef) -> DistRef:
    """p(x) or p(z | x) as a distribution of its own, where the joint draws other things for it; of what the joint draws
    beside it, given or not, no factor is left."""
    if not set(ref.variables) <= set(ref.joint.variables):
        return ref
    if above(ref, ref.variables) == set(ref.variables) and not looks_back(ref, ref.variables):
        own = tuple(f for f in ref.joint.factors if set(f.variables).intersection(ref.variables))
        alone = {v for f in own for v in f.variables} == set(ref.variables)
        return DistRef(Joint(ref.joint.name, own), ref.variables, ref.given) if alone else ref
    if not is_known(ref):
        return ref
    given = tuple(g for g in ref.given if g not in ref.variables)
    made = [Factor(ref.joint.name, one.variables, one.given, conditional_law(one, one.variables[0])) for one in in_turn(ref)]
    return DistRef(Joint(ref.joint.name, tuple(made)), ref.variables, given)


def in_turn(ref: DistRef, variables: Collection[Var] | None = None) -> list[DistRef]:
    """p(a, b | x) = p(a | x) p(b | a, x): each of the variables given those before it."""
    wanted = ref.variables if variables is None else variables
    asked = [v for v in ref.joint.variables if v in wanted]
    given = tuple(g for g in ref.given if g not in asked)
    return [DistRef(ref.joint, (v,), (*given, *asked[:k])) for k, v in enumerate(asked)]


# --- builders ---------------------------------------------------------------------------------------------------------


def expectation(body: Array, draws: Sequence[tuple[Var, Array]], name: str = "E") -> Array:
    """E[v ~ law, ..](body). `body` mentions the drawn variables; a law may mention those drawn before it.

    The drawn variables are renamed to ones that this operator binds, numbered by depth, so that equal expectations are
    one node.
    """
    depth = 1 + max((v.uid for n in (body, *(law for _, law in draws)) for v in bound_variables(n)), default=0)
    mapping: dict[Array, Any] = {}
    fresh: list[Var] = []
    laws: list[Array] = []
    for v, law in draws:
        laws.append(replace_arrays(law, mapping) if mapping else law)
        again = sum(w.name == v.name for w in fresh)  # z ~ p(z | x) of x ~ p(x), for which a z was drawn
        new = var(v.name, v.shape, v.domain, "random", v.domain_args, depth + again)
        mapping[v] = new
        fresh.append(new)
    body = replace_arrays(body, mapping)
    return operator(name, (body, *laws), body.shape, (tuple(fresh),))


def bound_variables(node: Node) -> list[Var]:
    """The variables that expectations inside `node` bind."""
    return [v for n in walk(node) if isinstance(n, Operator) and is_expectation(n) for v in n.attrs[0]]


def is_expectation(op: Operator) -> bool:
    return op.name in ("E", "Var", "Cov") and len(op.attrs) == 1 and isinstance(op.attrs[0], tuple)


def opened_expectation(op: Operator) -> tuple[list[Array], list[tuple[Var, Array]]]:
    """The bodies (two of a covariance) and the draws of E, Var, Cov."""
    drawn = op.attrs[0]
    laws = op.args[len(op.args) - len(drawn) :]
    return list(op.args[: len(op.args) - len(drawn)]), list(zip(drawn, laws, strict=True))


def variance(body: Array, draws: Sequence[tuple[Var, Array]]) -> Array:
    """Var[..](f): the variance, or the covariance matrix of a vector."""
    op = expectation(body, draws, "Var")
    assert isinstance(op, Operator)
    shape = body.shape if body.rank == 0 else (*body.shape, *body.shape)
    return operator("Var", op.args, shape, op.attrs)


def covariance(f: Array, g: Array, draws: Sequence[tuple[Var, Array]]) -> Array:
    """Cov[..](f, g), of shape f.shape + g.shape."""
    first = expectation(f, draws, "Cov")
    second = expectation(g, draws, "Cov")
    assert isinstance(first, Operator) and isinstance(second, Operator)
    (a,), draws_a = opened_expectation(first)
    (b,), draws_b = opened_expectation(second)
    depth = max((v.uid for v, _ in (*draws_a, *draws_b)), default=1)
    fresh = tuple(var(v.name, v.shape, v.domain, "random", v.domain_args, depth) for v, _ in draws_a)
    a = replace_arrays(a, {v: n for (v, _), n in zip(draws_a, fresh, strict=True)})
    b = replace_arrays(b, {v: n for (v, _), n in zip(draws_b, fresh, strict=True)})
    laws = [replace_arrays(law, {v: n for (v, _), n in zip(draws_a, fresh, strict=True)}) for _, law in draws_a]
    return operator("Cov", (a, b, *laws), (*f.shape, *g.shape), (fresh,))


def draws_of(ref: DistRef, variables: Sequence[Var] | None = None) -> list[tuple[Var, Array]]:
    """What `E[v ~ ref]` draws: the asked variables and what they are given within the joint, in order."""
    wanted = set(variables if variables is not None else ref.variables)
    if is_known(ref) and looks_back(ref, wanted):  # p(a, b | x) = p(a | x) p(b | a, x)
        return [(one.variables[0], conditional_law(one, one.variables[0])) for one in in_turn(ref, wanted - set(ref.given))]
    own = next((f for f in ref.joint.factors if wanted & set(f.variables)), None)
    if len(wanted) == 1 and own is not None and set(own.variables) & set(ref.given):  # p(y | x) of an unknown p(x, y)
        return [(v, conditional_law(ref, v)) for v in wanted]
    known = set(ref.given)
    out: list[tuple[Var, Array]] = []
    for f in reversed(ref.joint.factors):
        if any(v in wanted and v not in known for v in f.variables):
            wanted.update(g for g in f.given if g not in known)
            wanted.update(v for v in variables_of(f.law) if v in ref.joint.variables and v not in known)
            out.extend((v, f.law) for v in reversed(f.variables))
    return list(reversed(out))


def log_density(ref: DistRef, values: Mapping[Var, Array] | None = None) -> Array:
    """log p(x | z) at `values` (a variable without one stands for itself); the sum over all components, of rank 0."""
    values = dict(values or {})
    wanted = set(ref.variables)
    terms: list[Scalar] = []
    covered: set[Var] = set()
    for f in ref.joint.factors:
        if set(f.variables) & wanted:
            covered.update(f.variables)
            if not set(f.variables) <= wanted:
                break
            if any(g in ref.joint.variables and g not in wanted and g not in ref.given for g in f.given):
                break
            terms.append(entry(factor_log_density(f, values)))
    else:
        if covered == wanted and not looks_back(ref, ref.variables):
            return tensor((), add(*terms))
    return encode("log_density_of", [ref], placed_at({v: values.get(v, v) for v in (*ref.variables, *ref.given)}))


def factor_log_density(f: Factor, values: Mapping[Var, Array]) -> Array:
    """log f(values), unreduced: operands are the law at the given values, then the values."""
    given = {g: values[g] for g in f.given if g in values and values[g] is not g}
    law = replace_arrays(f.law, given) if given else f.law
    at = [values.get(v, v) for v in f.variables]
    conditions = [values.get(g, g) for g in f.given]
    return operator("log_density", (law, *at, *conditions), (), (f.name, f.variables, f.given))


def density(ref: DistRef, values: Mapping[Var, Array] | None = None) -> Array:
    """p(x | z) at `values`: the exponential of the log-density."""
    return tensor((), fn("exp", entry(log_density(ref, values))))


DIVERGENCES = (
    "KL", "JS", "renyi", "chi2", "hellinger", "tv", "wasserstein2", "fdiv", "cross_entropy", "moment_match",
)  # fmt: skip


def divergence(name: str, q: DistRef, p: DistRef, **options: Any) -> Array:
    """KL(q || p) and its kin; `renyi` takes alpha=, `fdiv` f= as (placeholder Var, Array over it)."""
    if name not in DIVERGENCES:
        raise ValueError(f"there is no divergence `{name}`")
    if "f" in options and isinstance(options["f"], tuple):
        argument, body = options.pop("f")
        options |= {"argument": (argument,), "f": body}
    return encode(name, [q, p], options | given_placed(q, p))


def entropy(ref: DistRef) -> Array:
    return encode("entropy", [ref], given_placed(ref))


def entropy_rate(ref: DistRef) -> Array:
    return encode("entropy_rate", [ref])


def placed_in(op: Operator) -> dict[Array, Array]:
    """What stands for the variables that an operator is given."""
    _, options = decode(op)
    return {v: options[key] for v, key in options.get("names", ())}


def given_placed(*refs: DistRef) -> dict[str, Any]:
    """The options by which p(x | y) of a density that is not known keeps y where an operator outside draws it."""
    given = [g for r in refs if not is_known(r) for g in r.given if g in r.joint.variables]
    return placed_at({g: g for g in given}) if given else {}


def mutual_information(joint: Joint, x: Sequence[Var], z: Sequence[Var]) -> Array:
    return encode("mutual_information", [whole(joint)], {"x": tuple(x), "z": tuple(z)})


def elbo(q: DistRef, p: DistRef, given: Mapping[Var, Array] | None = None) -> Array:
    """E_q[log p(x, z)] + entropy of q, the variables of p that q does not draw being given (by default as data of that
    name)."""
    drawn = {v.name for v in q.variables}
    return encode("elbo", [q, p], placed_at({**{v: v for v in p.joint.variables if v.name not in drawn}, **(given or {})}))


def posterior(p: DistRef | Joint, z: Sequence[Var], given: Sequence[Var], values: Mapping[Var, Array] | None = None) -> Array:
    """p(z | given) as a record: family, parameters, density. `values` puts data in for given variables."""
    ref = whole(p) if isinstance(p, Joint) else p
    options = {"z": tuple(z), "given": tuple(given), **placed_at({**{v: v for v in ref.joint.variables}, **(values or {})})}
    return encode("posterior", [ref], options)


def marginal(p: DistRef | Joint, x: Sequence[Var]) -> Array:
    """p(x), the other variables integrated out."""
    ref = whole(p) if isinstance(p, Joint) else p
    return encode("marginal", [ref], {"x": tuple(x), **placed_at({v: v for v in x})})


def score(p: DistRef, x: Array, values: Mapping[Var, Array] | None = None) -> Array:
    """grad log p with respect to x (a variable of p, or a parameter)."""
    return operator("grad", (log_density(p, values), x), x.shape, ("score",))


def length_together(parameters: Sequence[Array]) -> Scalar:
    """How many entries scalars and vectors have, one after the other."""
    return normal_size(add(*(mul(*a.shape) for a in parameters)))


def fisher(p: DistRef, parameters: Sequence[Array]) -> Array:
    """The Fisher information of parameters: E of the outer product of the score; for several scalars and vectors, a
    matrix of blocks."""
    if len(parameters) == 1:
        shape: tuple[Scalar, ...] = (*parameters[0].shape, *parameters[0].shape)
    else:
        shape = (length_together(parameters), length_together(parameters))
    return encode("fisher", [p], {f"parameter{k}": a for k, a in enumerate(parameters)}, shape)


def mle(p: DistRef, parameters: Sequence[Array], values: Mapping[Var, Array] | None = None) -> Array:
    """The parameters that maximise the likelihood; several scalars and vectors, as one vector in the order asked, and
    where there is a matrix among them, as a record."""
    values = dict(values or {})
    if len(parameters) > 1 and any(a.rank > 1 for a in parameters):
        return operator("joint_optimum", (log_density(p, values), *parameters), (), ("argmax", ()))
    options: dict[str, Any] = {f"parameter{k}": a for k, a in enumerate(parameters)}
    options |= {f"at_{v.name}": a for v, a in values.items()}
    options["names"] = tuple((v, f"at_{v.name}") for v in values)
    shape = parameters[0].shape if len(parameters) == 1 else (length_together(parameters),)
    return encode("mle", [p], options, shape)


def moment_match(q: DistRef, p: DistRef) -> Array:
    return encode("moment_match", [q, p])


def full_law(law: Array, shape: Sequence[Scalar]) -> Array:
    """The law of independent copies of `law` over the leading axes of `shape`, and over axes of length 1."""
    assert isinstance(law, Operator)
    if len(law.shape) == len(shape) and not any(a is ONE and b is not ONE for a, b in zip(law.shape, shape, strict=True)):
        return law
    row = row_of(law)
    if row is None:
        return operator(law.name, law.args, shape, law.attrs)
    axes = [row.axes_of(p) for p in row.parameters]
    chosen = alternative_of(law)
    if chosen is not None:
        axes += [tuple(chosen[0].shapes.get(a, ())) for a in chosen[0].arguments]
    batch = tuple(shape)[: len(shape) - row.own_rank]
    operands = []
    for a, letters in zip(law.args, axes, strict=True):
        assert isinstance(a, Array)
        operands.append(broadcast_array(a, (*batch, *a.shape[a.rank - len(letters) :])))
    return operator(law.name, operands, shape, law.attrs)

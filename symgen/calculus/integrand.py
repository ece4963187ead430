"""A payoff in an unknown function, as the integral of an integrand in its value at the point.

sum_k c_k E[x ~ p_k](f_k(D(x), x)) is the integral of F(t, x) = sum_k c_k p_k(x) f_k(t, x) at t = D(x), so that D is
chosen point by point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from symgen.tensor.expression import (
    ONE,
    ZERO,
    Add,
    Array,
    Entry,
    Fn,
    Mul,
    Node,
    Operator,
    Scalar,
    Sum,
    Tensor,
    Var,
    add,
    as_coefficient,
    entry,
    fn,
    mul,
    neg,
    num,
    open_sum,
    open_tensor,
    operator,
    replace_arrays,
    sub,
    tensor,
    var,
    variables_of,
    walk,
)
from symgen.tensor.facts import is_negative, is_positive
from symgen.text.diagnostics import CannotDerive

__all__ = ["Term", "Integrand", "integrand_of", "DensityAt", "value_at_point"]

DensityAt = Callable[[Array, Var], Scalar | None]  # the density of a law at a point, where it is known
# the density of some of what is drawn, the rest integrated out, where it is known
MarginalOf = Callable[[Sequence[tuple[Var, Array]], Sequence[Var]], Scalar | None]
RULES = "symgen/calculus/integrand.py"


@dataclass(frozen=True)
class Term:
    """coefficient * E[drawn ~ laws](body), the body in t and the point; `weight` is the density of the laws there. A
    law of several variables stands once for each of them; `groups` counts it once. What is drawn beside what the function
    sees stands among `drawn` too."""

    coefficient: Scalar
    weight: Scalar
    body: Scalar
    laws: tuple[Array, ...]
    drawn: tuple[Var, ...]
    at: tuple[tuple[Array, Var], ...] = ()  # the common points, and what is drawn there
    groups: tuple[tuple[Array, tuple[Var, ...]], ...] = ()


@dataclass(frozen=True)
class Integrand:
    """`t` is the value of the function at the point `points`; `rest` is what does not hang on the function. `densities`
    gives, for the name of a density at the point, its law and the points that it is of."""

    name: str
    t: Var
    terms: tuple[Term, ...]
    rest: Scalar
    points: tuple[Array, ...]
    notes: tuple[str, ...] = ()
    formulas: Mapping[Array, Scalar] = field(default_factory=dict)  # of the densities that are known
    densities: Mapping[Array, tuple[Array, tuple[Var, ...]]] = field(default_factory=dict)
    parts: Mapping[Array, tuple[int, ...]] = field(default_factory=dict)  # which variables of its law a marginal is of
    tangents: tuple[Scalar, ...] = ()  # slopes of the tangents that stand for logarithms of means

    @property
    def scalar(self) -> Scalar:
        return add(*(mul(x.coefficient, x.weight, x.body) for x in self.terms))

    @property
    def weights(self) -> tuple[Scalar, ...]:
        """The values of the densities at the point."""
        return tuple(entry(a) for a in self.densities)

    def law_of(self, weight: Scalar) -> tuple[Array, Var] | None:
        """The law whose density a weight is, and the first variable drawn from it."""
        found = self.densities.get(weight.args[0]) if weight.args else None
        if found is None:
            return None
        for x in self.terms:
            for law, drawn in x.groups:
                if law is found[0]:
                    return law, drawn[0]
        return found[0], found[1][0]


def value_at_point(name: str, domain: str = "positive") -> Scalar:
    """The value of a density or function at the point, under its own name."""
    return entry(var(name, (), domain, "placeholder"))


def is_apply(node: Node, name: str) -> bool:
    return isinstance(node, Operator) and node.name == "apply" and bool(node.attrs) and node.attrs[0] == name


def integrand_of(
    payoff: Array,
    name: str,
    domain: str,
    density: DensityAt | None = None,
    names: Mapping[Array, str] | None = None,
    arity: Mapping[str, int] | None = None,
    marginal: MarginalOf | None = None,
    sense: str = "",
) -> Integrand:
    """The integrand of `payoff` in the function `name` with values in `domain`; `arity` says of how many variables a
    density that is not known is (one, where it does not say). With a `sense`, the logarithm of a mean that bends the right
    way is the best of its tangents: -log S = max over a > 0 of log a + 1 - a S.

    Raises CannotDerive where the payoff is not a sum of expectations of expressions in its value at the point drawn.
    """
    reader = _Reader(name, domain, density or (lambda law, x: None), names or {}, arity or {}, sense)
    if marginal is not None:
        reader.marginal = marginal
    reader.collect(entry(payoff), ONE)
    if not reader.terms:
        raise CannotDerive(f"the payoff does not depend on `{name}`", payoff)
    return Integrand(
        name,
        reader.t,
        tuple(reader.terms),
        add(*reader.rest),
        reader.points,
        tuple(reader.notes),
        reader.formulas,
        reader.densities,
        reader.parts,
        tuple(reader.tangents),
    )


class _Reader:
    def __init__(
        self, name: str, domain: str, density: DensityAt, names: Mapping[Array, str], arity: Mapping[str, int], sense: str
    ) -> None:
        self.name, self.density, self.names, self.arity, self.sense = name, density, names, arity, sense
        self.marginal: MarginalOf = lambda draws, seen: None
        self.parts: dict[Array, tuple[int, ...]] = {}
        self.tangents: list[Scalar] = []
        self.t = var(name, (), domain, "placeholder")
        self.terms: list[Term] = []
        self.rest: list[Scalar] = []
        self.notes: list[str] = []
        self.points: tuple[Array, ...] = ()
        self.touched: dict[Node, bool] = {}
        self.weights: dict[tuple[Array, tuple[Var, ...]], Scalar] = {}
        self.formulas: dict[Array, Scalar] = {}
        self.densities: dict[Array, tuple[Array, tuple[Var, ...]]] = {}

    def mentions(self, node: Node) -> bool:
        found = self.touched.get(node)
        if found is None:
            for n in walk(node):
                if n not in self.touched:
                    self.touched[n] = is_apply(n, self.name) or any(self.touched[a] for a in n.args)
            found = self.touched[node]
        return found

    def fail(self, message: str, node: Node) -> CannotDerive:
        return CannotDerive(message, node, RULES)

    def collect(self, s: Scalar, coefficient: Scalar) -> None:
        """Go down the part of the payoff that is linear in expectations."""
        if not self.mentions(s):
            self.rest.append(mul(coefficient, s))
        elif isinstance(s, Add):
            for a in s.args:
                self.collect(a, coefficient)
        elif isinstance(s, Mul):
            inside = [f for f in s.args if self.mentions(f)]
            if len(inside) != 1:
                raise self.fail(f"the payoff is no sum of expectations in `{self.name}`: a product of two of them", s)
            others = [f for f in s.args if f is not inside[0]]
            self.collect(inside[0], mul(coefficient, *others))
        elif isinstance(s, Entry) and isinstance(s.array, Tensor):
            self.collect(open_tensor(s.array, s.indices), coefficient)
        elif isinstance(s, Entry) and isinstance(s.array, Operator) and s.array.name == "E":
            self.expectation(s.array, s.indices, coefficient, [])
        elif isinstance(s, Sum):
            self.rows(s, coefficient)
        elif isinstance(s, Fn) and s.name == "log" and self.bends(coefficient):
            slope = value_at_point(f"a_{len(self.tangents) + 1}")
            self.tangents.append(slope)
            self.rest.append(mul(neg(coefficient), add(fn("log", slope), ONE)))
            self.collect(s.args[0], mul(coefficient, slope))
        else:
            raise self.fail(f"`{self.name}` stands outside of an expectation, or inside a function of one", s)

    def bends(self, coefficient: Scalar) -> bool:
        """Whether a logarithm before which this stands is the best of its tangents: it stands below, or above for the least."""
        if self.sense == "max":
            return is_negative(coefficient, None) is True
        return self.sense == "min" and is_positive(coefficient, None) is True

    def expectation(self, op: Operator, indices: Sequence[Scalar], coefficient: Scalar, draws: list[tuple[Var, Array]]) -> None:
        drawn = op.attrs[0]
        laws = op.args[len(op.args) - len(drawn) :]
        if any(self.mentions(law) for law in laws):
            raise self.fail(f"a law depends on `{self.name}`", op)
        inner = [*draws, *zip(drawn, laws, strict=True)]
        self.split(open_tensor(op.args[0], indices), coefficient, inner)

    def split(self, s: Scalar, coefficient: Scalar, draws: list[tuple[Var, Array]]) -> None:
        """Inside an expectation: terms apart, constants out, further expectations entered."""
        if isinstance(s, Entry) and isinstance(s.array, Tensor) and self.mentions(s):
            self.split(open_tensor(s.array, s.indices), coefficient, draws)
        elif isinstance(s, Add):
            drawn = {v for v, _ in draws}
            pointwise = [a for a in s.args if self.mentions(a) and not self.holds_expectation(a)]
            for a in s.args:
                if a not in pointwise:
                    if self.mentions(a):
                        self.split(a, coefficient, draws)
                    elif not drawn & variables_of(a):
                        self.rest.append(mul(coefficient, a))
                    else:
                        body = tensor((), a)
                        self.rest.append(mul(coefficient, entry(_expectation(body, draws))))
            if pointwise:
                self.pointwise(add(*pointwise), coefficient, draws)
        elif isinstance(s, Mul) and self.holds_expectation(s):
            inside = [f for f in s.args if self.holds_expectation(f)]
            if len(inside) != 1 or any(self.mentions(f) for f in s.args if f is not inside[0]):
                raise self.fail(f"the payoff is not linear in expectations over `{self.name}`", s)
            others = mul(*(f for f in s.args if f is not inside[0]))
            if {v for v, _ in draws} & variables_of(others):
                raise self.fail("a factor that is drawn stands before an inner expectation", s)
            self.split(inside[0], mul(coefficient, others), draws)
        elif isinstance(s, Entry) and isinstance(s.array, Operator) and s.array.name == "E" and self.mentions(s):
            self.expectation(s.array, s.indices, coefficient, draws)
        elif self.mentions(s):
            self.pointwise(s, coefficient, draws)

    def holds_expectation(self, s: Scalar) -> bool:
        return any(isinstance(n, Operator) and n.name == "E" and self.mentions(n) for n in walk(s))

    def rows(self, s: Sum, coefficient: Scalar) -> None:
        """sum_i f(D(X[i])) = n E[x ~ Empirical(X)](f(D(x)))."""
        body, indices = open_sum(s)
        applied = [n for n in walk(body) if is_apply(n, self.name)]
        if len(indices) != 1 or len(applied) != 1 or len(applied[0].args) != 1:
            raise self.fail(f"a sum in `{self.name}` that is not over the rows of one array", s)
        (op,), (i,) = applied, indices
        rows = op.args[0]
        if not op.shape or rows.rank < 1 or rows.shape[0] is not i.size:
            raise self.fail(f"a sum in `{self.name}` that is not over the rows of one array", s)
        x = var("x", rows.shape[1:], "real", "random", (), 1)
        law = operator("Empirical", (rows,), rows.shape[1:], ("law",))
        at_x = operator("apply", (x,), (), op.attrs[:2])
        inside = replace_arrays(body, {op: lambda *_: entry(at_x)})
        if i in inside.free:
            raise self.fail(f"the terms of a sum in `{self.name}` differ by more than the row", s)
        self.touched.clear()
        self.split(inside, mul(coefficient, i.size), [(x, law)])

    # --- one expression in the value at the point

    def pointwise(self, s: Scalar, coefficient: Scalar, draws: list[tuple[Var, Array]]) -> None:
        applied = [n for n in walk(s) if is_apply(n, self.name)]
        if len(applied) != 1:
            raise self.fail(
                f"`{self.name}` stands at {len(applied)} points in one term, so that the payoff is not maximised point by point",
                s,
            )
        (op,) = applied
        if op.shape:
            raise self.fail(f"`{self.name}` under an index inside an expectation", s)
        for n in walk(s):
            if isinstance(n, Operator) and n.name in ("grad", "jacobian", "hessian", "integral") and self.mentions(n):
                raise self.fail(f"the payoff holds a derivative of `{self.name}`: it is not maximised point by point", n)
        laws: list[Array] = []
        drawn: list[Var] = []
        rename: dict[Array, Array] = {}
        points: list[Array] = []
        at_point: list[Var | None] = []
        by_variable = dict(draws)
        sources: set[Var] = set()
        for k, a in enumerate(op.args):
            if isinstance(a, Var) and a in by_variable:
                point = self.point(k, a.name, a.shape, a)
                rename[a] = point
                laws.append(by_variable[a])
                drawn.append(a)
                at_point.append(a)
            elif (used := variables_of(a) & set(by_variable)) and not isinstance(a, Var):
                point = self.point(k, "x", a.shape, a)
                laws.append(self.image(a, used))
                drawn.append(var("x", a.shape, "real", "random", (), 1))
                at_point.append(drawn[-1])
                sources |= used
            else:
                point = self.point(k, "", a.shape, a)
                at_point.append(None)
            points.append(point)
        body = replace_arrays(s, {op: self.t})
        left = variables_of(body) & (set(by_variable) - set(drawn))
        if left:
            raise self.fail(
                f"the term also depends on {', '.join(sorted(v.name for v in left))}, which `{self.name}` does not see",
                s,
            )
        body = replace_arrays(body, rename)
        weight: Scalar = ONE
        at = {v: p for p, v in zip(points, at_point, strict=True) if v is not None}
        groups: list[tuple[Array, tuple[Var, ...]]] = []
        beside: list[tuple[Var, Array]] = []
        hidden = set(by_variable) - set(drawn) - sources
        left_over = sorted(zip(laws, drawn, strict=True), key=lambda d: not variables_of(d[0]) & hidden)
        while left_over:  # first what hangs together by what is not seen: its density is of all of it at once
            law, v = left_over.pop(0)
            together = self.copy_of(law, v, draws)
            mine = [u for u in together if u is v or (law, u) in left_over]
            unseen = variables_of(law) & (set(by_variable) - set(drawn)) - sources
            if unseen:
                component = _connected(v, draws)
                mine = [u for u, _ in component if u in drawn]
                place = {u: at[u] for u in mine}
                formula = self.marginal(component, mine)
                if formula is None:
                    raise self.fail(
                        f"the law of {v.name} is given {', '.join(sorted(u.name for u in unseen))}, which `{self.name}` does not "
                        "see: declare the marginal law",
                        law,
                    )
                weight = mul(weight, self.known_weight(law, place, replace_arrays(formula, place)))
                beside += [d for d in component if d[0] not in mine]
            else:
                places = [at[u] for u in mine]
                weight = mul(weight, self.weight(replace_arrays(law, rename), places, tuple(together.index(u) for u in mine)))
                beside += [(u, law) for u in together if u not in mine]
            left_over = [(other, u) for other, u in left_over if u not in mine]
            groups.append((law, tuple(mine)))
        constant, body = _constant_factor(body)
        places_drawn = tuple((p, v) for p, v in zip(points, at_point, strict=True) if v is not None)
        if beside:  # in the order in which they are drawn
            whole = {v: law for v, law in draws if v in drawn or any(v is u for u, _ in beside)}
            whole |= {v: law for v, law in zip(drawn, laws, strict=True) if v not in whole}
            drawn, laws = list(whole), list(whole.values())
        self.terms.append(Term(mul(coefficient, constant), weight, body, tuple(laws), tuple(drawn), places_drawn, tuple(groups)))

    def copy_of(self, law: Array, v: Var, draws: Sequence[tuple[Var, Array]]) -> list[Var]:
        """The variables that one draw of a law gives, in its order: a density of (x, y) is drawn by two."""
        size = self.arity.get(_density_of(law), 1)
        same = [u for u, other in draws if other is law]
        if size == 1 or v not in same:
            return [v]
        start = same.index(v) // size * size
        return same[start : start + size]

    def known_weight(self, law: Array, place: Mapping[Var, Array], formula: Scalar) -> Scalar:
        """The density of what is seen of a draw, by its formula, under a name."""
        points = tuple(p for p in place.values() if isinstance(p, Var))
        found = self.weights.get((law, points))
        if found is None:
            whole = self.names.get(law) or "p"
            found = self.weights[law, points] = self.free_name(f"{whole}_{points[-1].name}")
            self.densities[found.args[0]] = (law, points)
            self.formulas[found.args[0]] = formula
        return found

    def point(self, position: int, name: str, shape: tuple[Scalar, ...], given: Array) -> Array:
        """The common name of the points at which the terms are looked at."""
        if position < len(self.points):
            known = self.points[position]
            if known.rank != len(shape) or any(sub(a, b) is not ZERO for a, b in zip(known.shape, shape, strict=True)):
                raise self.fail(f"`{self.name}` is applied to arrays of different shapes", given)
            return known
        domain = given.domain if isinstance(given, Var) else "real"
        extra = given.domain_args if isinstance(given, Var) else ()
        made = var(name, shape, domain, "placeholder", extra) if name else given
        self.points = (*self.points, made)
        return made

    def image(self, a: Array, used: frozenset[Var]) -> Array:
        """The law of a function of what is drawn: of G(z), it is called p_G."""
        label = self.names.get(a)
        if label is None and isinstance(a, Operator) and a.name == "apply":
            label = str(a.attrs[0])
        if label is None:
            raise self.fail(
                f"`{self.name}` is applied to a function of {', '.join(sorted(v.name for v in used))} that has "
                "no name: "
                "name it with `let` or `function`",
                a,
            )
        self.notes.append(f"p_{label} is the density of {label}, of what is drawn")
        return operator("density", (), a.shape, ("law", f"p_{label}"))

    def weight(self, law: Array, places: Sequence[Array], part: tuple[int, ...] = (0,)) -> Scalar:
        """The density of a law at the point, or of the `part` of its variables that is seen, under a name; its formula is
        kept where it is known."""
        points = tuple(p for p in places if isinstance(p, Var))
        found = self.weights.get((law, points))
        if found is None:
            assert isinstance(law, Operator)
            formula = self.density(law, points[0]) if len(points) == 1 else None
            size = self.arity.get(str(law.attrs[1]), 1) if _is_density(law) else 1
            if len(part) < size:
                found = self.free_name(f"{law.attrs[1]}_{'_'.join(p.name for p in points)}")
                self.parts[found.args[0]] = part
            else:
                found = self.named(law, points, formula is not None)
            self.weights[law, points] = found
            self.densities[found.args[0]] = (law, points)
            if formula is not None:
                self.formulas[found.args[0]] = formula
        return found

    def named(self, law: Operator, points: tuple[Var, ...], known: bool) -> Scalar:
        name = self.names.get(law)
        if name is None and law.name == "density":
            name = str(law.attrs[1])
        elif name is None and law.name == "Empirical":
            rows = law.args[0]
            name = f"p_{self.names.get(rows) or getattr(rows, 'name', 'data')}"
        elif name is None:
            name = f"p_{law.name}"
            if not known:
                raise self.fail(f"the density of {law.name} at the point is not known", law)
        taken = {w.args[0].name for w in self.weights.values()}
        if name in taken and points:  # the same density at another point
            name = f"{name}_{points[-1].name}"
        return self.free_name(name)

    def free_name(self, name: str) -> Scalar:
        """The value of a density at the point, under a name that no other has."""
        taken = {w.args[0].name for w in self.weights.values()}
        while name in taken:
            name += "_"
        return value_at_point(name)


def _is_density(law: Array) -> bool:
    return isinstance(law, Operator) and law.name == "density" and len(law.attrs) > 1


def _density_of(law: Array) -> str:
    """The name of a density that is not known; "" of all else."""
    return str(law.attrs[1]) if isinstance(law, Operator) and _is_density(law) else ""


def _connected(v: Var, draws: Sequence[tuple[Var, Array]]) -> list[tuple[Var, Array]]:
    """What is drawn that hangs together with v, in order."""
    mine = {v}
    while True:
        more = {u for u, law in draws if u in mine or variables_of(law) & mine}
        more |= {w for u, law in draws if u in more for w in variables_of(law) if any(w is x for x, _ in draws)}
        if more <= mine:
            return [d for d in draws if d[0] in mine]
        mine |= more


def _constant_factor(body: Scalar) -> tuple[Scalar, Scalar]:
    c, rest = as_coefficient(body)
    return num(c), rest


def _expectation(body: Array, draws: Sequence[tuple[Var, Array]]) -> Array:
    kept = [(v, law) for v, law in draws if v in variables_of(body)]
    return operator("E", (body, *(law for _, law in kept)), body.shape, (tuple(v for v, _ in kept),))

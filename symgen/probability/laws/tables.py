"""Densities that are not known are tested as random finite tables: a space of a few points with cell weights, on which
E, KL and Bayes are finite sums.

All variables of one shape and domain share one space. A density is a random positive table over the space of its
variables, normalised with the cell weights; under conditions there is one table for each of their values. What holds
for all finite distributions is what is tested: nothing that differentiates a density is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import combinations_with_replacement, product
from typing import Any

import numpy as np

from symgen.probability.laws.copies import COPIES, is_symmetric_in, law_of_one, one_of
from symgen.probability.laws.joint import DistRef, decode
from symgen.tensor.domains import DOMAINS
from symgen.tensor.evaluate import Evaluator, NotEvaluable, Point, size_of
from symgen.tensor.expression import Node, Operator, Tensor, Var, variables_of, walk
from symgen.tensor.field import apply
from symgen.tensor.sample import RandomFunction, generator, place_of
from symgen.tensor.sample import complete_point as complete_functions

__all__ = ["complete_point"]

ATOMS = 3  # points of a space
MOST_CELLS = 1500  # values of several draws
DIVERGENCES = ("KL", "cross_entropy", "JS", "chi2", "hellinger", "tv")


def complete_point(point: Point, nodes: Sequence[Node], rng: np.random.Generator) -> None:
    """Give the point all that its nodes need and that is not known: functions, draws, tables of densities."""
    complete_functions(point, nodes, rng)
    laws = [n for n in walk(*nodes) if isinstance(n, Operator) and n.name == "density" and n.attrs[:1] == ("law",)]
    if not laws:
        return
    world = World(point, int(rng.integers(0, 1 << 30)))
    if any(isinstance(n, Operator) and n.name == COPIES for n in walk(*nodes)):
        world.atoms = 2  # of each of many draws
    for n in walk(*nodes):
        world.register(n)
    for n in walk(*nodes):
        if isinstance(n, Operator) and n.name in ("log_density", "log_density_of", "density"):
            for a in n.args:
                if isinstance(a, Var) and a in point.values:
                    atoms = world.space(a).atoms
                    point.values[a] = atoms[int(rng.integers(0, len(atoms)))]
    world.tell_apart(nodes)
    point.shown = world.shown
    point.operators.update(
        {
            "E": world.expectation,
            "Var": world.variance,
            "log_density": world.log_density,
            "log_density_of": world.log_density_of,
            "entropy": world.entropy,
            "mutual_information": world.mutual_information,
            **dict.fromkeys(DIVERGENCES, world.divergence),
        }
    )


def drawn_together(laws: Sequence[Node]) -> int:
    """How many of the first variables are one draw of the first law: more than one of a joint density alone."""
    law, count = laws[0], 1
    attrs = law.attrs[2] if isinstance(law, Operator) and law.name == COPIES else law.attrs if isinstance(law, Operator) else ()
    if isinstance(law, Operator) and law.name in ("density", COPIES) and len(attrs) > 2:
        while count < min(len(attrs[2]), len(laws)) and laws[count] is law:
            count += 1
    return count


@dataclass(frozen=True)
class Space:
    """Points with cell weights."""

    atoms: tuple[Any, ...]
    weights: tuple[Fraction, ...]


@dataclass(frozen=True)
class RatioOfDensities:
    """A function whose values are logarithms of a ratio of densities, brought into its range: where bounds that hold for
    every function are tight, and where those that do not fail first."""

    values: Mapping[str, float]
    range_word: str

    def __call__(self, number: Any, *arguments: Any) -> Any:
        value = self.values.get(place_of(arguments), 0.0)
        if self.range_word == "unit":
            value = 1 / (1 + math.exp(-value))
        elif self.range_word in ("positive", "nonnegative"):
            value = math.exp(value)
        return np.asarray(number.number(Fraction(value)), dtype=object if number.exact else float)


@dataclass
class World:
    """The spaces and tables of one point."""

    point: Point
    seed: int
    atoms: int = ATOMS
    spaces: dict[Any, Space] = field(default_factory=dict)
    tables: dict[Any, dict[tuple[int, ...], Fraction]] = field(default_factory=dict)
    over: dict[str, tuple[Var, ...]] = field(default_factory=dict)  # what each unknown density is of
    parts: dict[Any, dict[tuple[int, ...], Fraction]] = field(default_factory=dict)  # tables with variables summed out

    def register(self, n: Node) -> None:
        """Learn what an unknown density is of: a mean may draw a part of its variables only."""
        if not isinstance(n, Operator):
            return
        if n.name == "log_density":
            self._is_over(n.args[0], n.attrs[1])
        elif n.name in ("E", "Var", "Cov"):
            variables, laws = n.attrs[0], n.args[len(n.args) - len(n.attrs[0]) :]
            while variables:
                count = drawn_together(laws)
                self._is_over(laws[0], variables[:count])
                variables, laws = variables[count:], laws[count:]
        elif n.name in ("log_density_of", "conditional_law", "entropy", *DIVERGENCES):
            for ref in decode(n)[0]:
                for f in ref.joint.factors:
                    self._is_over(f.law, f.variables)

    def _is_over(self, law: Node, variables: Sequence[Var]) -> None:
        if isinstance(law, Operator) and law.name == COPIES:
            law, variables = law_of_one(law), [one_of(v, law) for v in variables]
        if isinstance(law, Operator) and law.name == "density" and law.attrs[:1] == ("law",):
            name = law.attrs[1]
            if len(variables) > len(self.over.get(name, ())):
                self.over[name] = tuple(variables)

    def places(self, law: Operator, variables: Sequence[Var]) -> tuple[tuple[Var, ...], list[int]]:
        """All variables of a density, and where some of them stand among them."""
        whole = self.over.get(law.attrs[1], tuple(variables))
        names = [v.name for v in whole]
        if len(whole) == len(variables):
            return tuple(variables), list(range(len(whole)))
        if any(v.name not in names for v in variables):
            raise NotEvaluable(f"the density {law.attrs[1]} has other variables", law)
        return whole, [names.index(v.name) for v in variables]

    def marginal_table(self, ev: Evaluator, law: Operator, variables: Sequence[Var]) -> dict[tuple[int, ...], Fraction]:
        """The density of a part of its variables, the others summed out."""
        whole, places = self.places(law, variables)
        table = self.table(law.attrs[1], self.given_text(ev, law), whole)
        if len(places) == len(whole):
            return table
        key = (id(table), tuple(places))
        if key in self.parts:
            return self.parts[key]
        out = self.parts[key] = {}
        others = [k for k in range(len(whole)) if k not in places]
        spaces = [self.space(whole[k]) for k in others]
        for cell, height in table.items():
            part = tuple(cell[k] for k in places)
            weight = self.weight(spaces, [cell[k] for k in others])
            out[part] = out.get(part, Fraction(0)) + height * weight
        return out

    def space(self, v: Var) -> Space:
        shape = tuple(size_of(s, self.point.sizes) for s in v.shape)
        key = (v.domain, shape)
        found = self.spaces.get(key)
        if found is None:
            rng = generator(self.seed, *key)
            row = DOMAINS.get(v.domain, DOMAINS["real"])
            if v.domain in ("binary", "label"):
                k = 2 if v.domain == "binary" else size_of(v.domain_args[0], self.point.sizes)
                atoms = [np.full(shape, float(j)) for j in range(k)]
            elif v.domain == "onehot":
                atoms = list(np.eye(shape[-1])) if len(shape) == 1 else []
            else:
                # by their text, for equal points would share the height of the first
                distinct = {_text(x): x for x in (row.sample(rng, shape, 0, ()) for _ in range(4 * ATOMS))}
                atoms = list(distinct.values())[: self.atoms]
            if not atoms:
                raise NotEvaluable(f"the space of {v.name} has no table", v)
            whole = row.integer
            narrow = 128 if self.seed % 3 == 1 else 8  # densities above 1 too
            weights = tuple(Fraction(1) if whole else Fraction(int(rng.integers(2, 14)), narrow) for _ in atoms)
            found = self.spaces[key] = Space(tuple(atoms), weights)
        return found

    def table(self, name: str, given: str, variables: Sequence[Var]) -> dict[tuple[int, ...], Fraction]:
        """The density of `name` under conditions: by the numbers of the points, integrating to 1."""
        spaces = [self.space(v) for v in variables]
        key = (name, given, tuple(id(s) for s in spaces))
        found = self.tables.get(key)
        if found is None:
            rng = generator(self.seed) if self.point.alike else generator(self.seed, name, given)
            cells = list(product(*(range(len(s.atoms)) for s in spaces)))
            flat = self.point.alike and self.seed % 2 == 0  # conditions tell nothing: posteriors are exact
            heights = {c: 1 if flat else int(rng.integers(1, 24)) for c in cells}
            if self.seed % 5 == 2 and not self.point.alike:  # nearly all on one cell: densities far from each other
                heights[cells[int(rng.integers(0, len(cells)))]] *= 2**16
            if self.seed % 5 == 4 and len(spaces) > 1 and not self.point.alike:  # each variable tells the others, nearly
                heights = {c: h * 2**12 if len(set(c)) == 1 else h for c, h in heights.items()}
            mass = sum((h * self.weight(spaces, c) for c, h in heights.items()), Fraction(0))
            found = self.tables[key] = {c: h / mass for c, h in heights.items()}
        return found

    def tell_apart(self, nodes: Sequence[Node]) -> None:
        """At every other point, functions that are not known are the logarithms of ratios of densities over their arguments,
        or minus these: of a joint and the product of its marginals, of two densities."""
        if self.seed % 2 or self.point.alike:
            return
        for n in walk(*nodes):
            if isinstance(n, Operator) and n.name == "apply" and n.args and all(isinstance(a, Var) for a in n.args):
                values = self.log_ratio([self.space(a) for a in n.args if isinstance(a, Var)])
                before = self.point.functions.get(n.attrs[0])
                if values and isinstance(before, RandomFunction):
                    self.point.functions[n.attrs[0]] = RatioOfDensities(values, before.range_word)

    def log_ratio(self, spaces: Sequence[Space]) -> dict[str, float]:
        """The logarithm of a ratio at each place; none where no densities are over these spaces."""
        tables = [
            self.table(name, "", over)
            for name, over in self.over.items()
            if len(over) == len(spaces) and all(self.space(v) is s for v, s in zip(over, spaces, strict=True))
        ]
        if len(spaces) > 1 and tables:
            p = tables[(self.seed >> 2) % len(tables)]
            sums: list[dict[int, Fraction]] = [{} for _ in spaces]
            for cell, height in p.items():
                mass = height * self.weight(spaces, cell)
                for k, j in enumerate(cell):
                    sums[k][j] = sums[k].get(j, Fraction(0)) + mass / spaces[k].weights[j]
            tables = [p, {cell: math.prod((sums[k][j] for k, j in enumerate(cell)), start=Fraction(1)) for cell in p}]
        if len(tables) < 2:
            return {}
        first, second = (tables[k] for k in ((0, 1) if self.seed & 2 else (1, 0)))
        shift = 1.0 if self.seed & 8 else 0.0  # E_p f - E_q exp(f - 1) is greatest one above
        return {
            place_of([s.atoms[k] for s, k in zip(spaces, cell, strict=True)]): math.log(height / second[cell]) + shift
            for cell, height in first.items()
        }

    def shown(self) -> dict[str, Any]:
        """The probabilities of the points, of each density without conditions."""
        out: dict[str, Any] = {}
        for (name, given, _), table in self.tables.items():
            if not given:
                spaces = [self.space(v) for v in self.over[name]]
                out[name] = np.array([float(h * self.weight(spaces, c)) for c, h in table.items()])
        return out

    @staticmethod
    def weight(spaces: Sequence[Space], cell: Sequence[int]) -> Fraction:
        out = Fraction(1)
        for s, k in zip(spaces, cell, strict=True):
            out *= s.weights[k]
        return out

    def given_text(self, ev: Evaluator, law: Operator) -> str:
        """The values of the conditions, as text."""
        return "|".join(_text(ev.value(a)) for a in law.args)

    # --- draws --------------------------------------------------------------------------------------------------------

    def draws(self, ev: Evaluator, variables: Sequence[Var], laws: Sequence[Node], body: Node) -> Iterator[tuple[Any, Evaluator]]:
        """Every joint value with its probability, as far as the body tells them apart; the evaluator in which the variables
        have it."""
        if not variables:
            yield ev.number.number(1), ev
            return
        law = laws[0]
        assert isinstance(law, Operator)
        count = drawn_together(laws)
        many = law.name == COPIES
        made = self.outcomes_of_copies(ev, law, variables[:count], body) if many else self.outcomes(ev, law, variables[:count])
        for values, mass in made:
            inner = ev.inner({}, dict(zip(variables[:count], values, strict=True)))
            for rest, deeper in self.draws(inner, variables[count:], laws[count:], body):
                yield mass * rest, deeper

    def outcomes(self, ev: Evaluator, law: Operator, variables: Sequence[Var]) -> Iterator[tuple[list[Any], Any]]:
        if law.name == "density":
            if any(v.shape != law.shape for v in variables[:1]) and len(variables) == 1:
                raise NotEvaluable("independent copies of an unknown density have no table", law)
            spaces = [self.space(v) for v in variables]
            for cell, height in self.marginal_table(ev, law, variables).items():
                mass = ev.number.number(height * self.weight(spaces, cell))
                yield [s.atoms[k] for s, k in zip(spaces, cell, strict=True)], mass
            return
        if law.name == "conditional_law":
            yield from self.conditional_outcomes(ev, law)
            return
        parameters = [ev.value(a) for a in law.args]
        if law.name == "Empirical":
            rows = parameters[0]
            for row in rows:
                yield [row], ev.number.number(Fraction(1, len(rows)))
        elif law.name == "Bernoulli" and parameters[0].ndim == 0 and len(parameters) == 1:
            p = parameters[0][()]
            yield [np.asarray(1.0)], p
            yield [np.asarray(0.0)], 1 - p
        elif law.name in ("Categorical", "OneHotCategorical") and parameters[0].ndim == 1 and len(parameters) == 1:
            k = len(parameters[0])
            for j, p in enumerate(parameters[0]):
                yield [np.asarray(float(j)) if law.name == "Categorical" else np.eye(k)[j]], p
        else:
            raise NotEvaluable(f"a mean over {law.name} is no finite sum", law)

    def outcomes_of_copies(
        self, ev: Evaluator, law: Operator, variables: Sequence[Var], body: Node
    ) -> Iterator[tuple[list[Any], Any]]:
        """Independent draws of one density: every list of its points, and of lists that the body does not tell apart, one."""
        sizes = tuple(size_of(s, self.point.sizes) for s in law.shape[: law.attrs[1]])
        n = math.prod(sizes)
        ones = [one_of(v, law) for v in variables]
        spoken = [k for k, v in enumerate(variables) if v in variables_of(body)]
        each: dict[tuple[str, ...], tuple[list[Any], Any]] = {}
        for values, mass in self.outcomes(ev, law_of_one(law), ones):
            key = tuple(_text(values[k]) for k in spoken)
            each[key] = (values, mass if key not in each else each[key][1] + mass)
        alike = len(sizes) == 1 and isinstance(body, Tensor) and not body.rank and is_symmetric_in(body.body, set(variables))
        lists = math.comb(len(each) + n - 1, n) if alike else len(each) ** n
        if lists > MOST_CELLS:
            raise NotEvaluable(f"too many values of {n} draws", law)
        shapes = [(*sizes, *(size_of(s, self.point.sizes) for s in v.shape)) for v in ones]
        cells = list(each.values())
        for chosen in combinations_with_replacement(cells, n) if alike else product(cells, repeat=n):
            ways = math.factorial(n) if alike else 1
            for c in cells if alike else ():
                ways //= math.factorial(sum(other is c for other in chosen))
            mass = ev.number.number(ways)
            for _, m in chosen:
                mass = mass * m
            points = [np.asarray([values[k] for values, _ in chosen], dtype=float) for k in range(len(ones))]
            yield [p.reshape(shape) for p, shape in zip(points, shapes, strict=True)], mass

    def conditional_outcomes(self, ev: Evaluator, law: Operator) -> Iterator[tuple[list[Any], Any]]:
        """The values of one variable of a joint, given others."""
        (ref,), options = decode(law)
        (x,) = options["x"]
        given = {v: ev.value(options[key]) for v, key in options["names"]}
        space = self.space(x)
        for atom, weight in zip(space.atoms, space.weights, strict=True):
            yield [atom], ev.number.number(weight * self.conditional(ev, ref, {**given, x: atom}))

    # --- operators ----------------------------------------------------------------------------------------------------

    def mean(self, ev: Evaluator, op: Operator, value: Callable[[Evaluator], Any]) -> Any:
        (variables,) = op.attrs
        laws = op.args[len(op.args) - len(variables) :]
        total: Any = None
        for mass, inner in self.draws(ev, variables, laws, op.args[0]):
            term = value(inner) * mass
            total = term if total is None else total + term
        return ev._cast(total)

    def expectation(self, ev: Evaluator, op: Operator) -> Any:
        return self.mean(ev, op, lambda inner: inner.value(op.args[0]))

    def variance(self, ev: Evaluator, op: Operator) -> Any:
        if op.shape:
            raise NotEvaluable("the covariance matrix of a vector has no table", op)
        mean = self.expectation(ev, op)
        return self.mean(ev, op, lambda inner: (inner.value(op.args[0]) - mean) * (inner.value(op.args[0]) - mean))

    def log_density(self, ev: Evaluator, op: Operator) -> Any:
        name, variables, _ = op.attrs
        law = op.args[0]
        if not isinstance(law, Operator) or law.name != "density":
            raise NotEvaluable(f"the density of {name} has no table", op)
        at = [ev.value(a) for a in op.args[1 : 1 + len(variables)]]
        height = self.height(ev, law, variables, at)
        return ev._cast(ev.number.function("log")(ev._cast(ev.number.number(height))))

    def height(self, ev: Evaluator, law: Operator, variables: Sequence[Var], at: Sequence[Any]) -> Fraction:
        cell = tuple(self.place(self.space(v), x, v) for v, x in zip(variables, at, strict=True))
        return self.marginal_table(ev, law, variables)[cell]

    @staticmethod
    def place(space: Space, x: Any, v: Var) -> int:
        text = _text(x)
        for k, atom in enumerate(space.atoms):
            if _text(atom) == text:
                return k
        raise NotEvaluable(f"a density is asked for at a value of {v.name} that is no point of its table", v)

    def log_density_of(self, ev: Evaluator, op: Operator) -> Any:
        """log p(x | z) of a joint, other variables summed out."""
        (ref,), options = decode(op)
        values = {v: ev.value(options[key]) for v, key in options["names"]}
        height = self.conditional(ev, ref, values)
        return ev._cast(ev.number.function("log")(ev._cast(ev.number.number(height))))

    def conditional(self, ev: Evaluator, ref: DistRef, values: dict[Var, Any]) -> Fraction:
        top = self.marginal(ev, ref, {v: x for v, x in values.items() if v in ref.variables or v in ref.given})
        if not any(v in ref.joint.variables for v in ref.given):
            return top
        return top / self.marginal(ev, ref, {v: x for v, x in values.items() if v in ref.given})

    def marginal(self, ev: Evaluator, ref: DistRef, values: dict[Var, Any]) -> Fraction:
        """The density of the joint at values, summed over its other variables."""
        rest = [v for v in ref.joint.variables if v not in values]
        spaces = [self.space(v) for v in rest]
        total = Fraction(0)
        for cell in product(*(range(len(s.atoms)) for s in spaces)):
            full = {**values, **{v: s.atoms[k] for v, s, k in zip(rest, spaces, cell, strict=True)}}
            inner = ev.inner({}, full)
            height = self.weight(spaces, cell)
            for f in ref.joint.factors:
                if not isinstance(f.law, Operator) or f.law.name != "density":
                    raise NotEvaluable(f"the density of {f.name} has no table", f.law)
                height *= self.height(inner, f.law, f.variables, [full[v] for v in f.variables])
            total += height
        return total

    def cells(
        self, ev: Evaluator, ref: DistRef, at: dict[Var, Any] | None = None
    ) -> Iterator[tuple[tuple[int, ...], Fraction, Fraction]]:
        """The points of a reference with their weights and densities; what it is given has its value at this point."""
        spaces = [self.space(v) for v in ref.variables]
        given = {v: ev.value((at or {}).get(v, v)) for v in ref.given}
        for cell in product(*(range(len(s.atoms)) for s in spaces)):
            values = {v: s.atoms[k] for v, s, k in zip(ref.variables, spaces, cell, strict=True)}
            yield cell, self.weight(spaces, cell), self.conditional(ev, ref, {**given, **values})

    def divergence(self, ev: Evaluator, op: Operator) -> Any:
        refs, options = decode(op)
        placed = {"names", *(key for _, key in options.get("names", ()))}
        if set(options) - placed or len(refs) != 2:
            raise NotEvaluable(f"{op.name} has no table", op)
        at = {v: options[key] for v, key in options.get("names", ())}
        first = {cell: (w, d) for cell, w, d in self.cells(ev, refs[0], at)}
        second = {cell: d for cell, _, d in self.cells(ev, refs[1], at)}
        number = ev.number

        def each(f: Callable[[Any, Any], Any]) -> Any:
            return number.add([number.number(w) * f(number.number(a), number.number(second[c]))
                               for c, (w, a) in first.items()])  # fmt: skip

        def log(x: Any) -> Any:
            return number.function("log")(ev._cast(x))[()]

        def root(x: Any) -> Any:
            return number.function("sqrt")(ev._cast(x))[()]

        two = number.number(2)
        formulas: dict[str, Callable[[], Any]] = {
            "KL": lambda: each(lambda a, b: a * (log(a) - log(b))),
            "cross_entropy": lambda: each(lambda a, b: -a * log(b)),
            "JS": lambda: each(lambda a, b: (a * (log(a) - log((a + b) / two)) + b * (log(b) - log((a + b) / two))) / two),
            "chi2": lambda: each(lambda a, b: a * a / b) - 1,
            "hellinger": lambda: 1 - each(lambda a, b: root(a * b)),
            "tv": lambda: each(lambda a, b: abs(a - b)) / two,
        }
        return ev._cast(formulas[op.name]())

    def mutual_information(self, ev: Evaluator, op: Operator) -> Any:
        """The mean of log p(x, z) - log p(x) - log p(z)."""
        (ref,), options = decode(op)
        xs, zs = options["x"], options["z"]
        number = ev.number
        parts = []
        for cell, w, d in self.cells(ev, replace(ref, variables=(*xs, *zs))):
            at = {v: self.space(v).atoms[k] for v, k in zip((*xs, *zs), cell, strict=True)}
            alone = [self.marginal(ev, ref, {v: at[v] for v in vs}) for vs in (xs, zs)]
            log = number.function("log")(ev._cast(number.number(d / alone[0] / alone[1])))[()]
            parts.append(number.number(w * d) * log)
        return ev._cast(number.add(parts))

    def entropy(self, ev: Evaluator, op: Operator) -> Any:
        (ref,), options = decode(op)
        number = ev.number
        parts = []
        for _, w, d in self.cells(ev, ref, {v: options[key] for v, key in options.get("names", ())}):
            height = number.number(d)
            parts.append(-number.number(w) * height * number.function("log")(ev._cast(height))[()])
        return ev._cast(number.add(parts))


def _text(value: Any) -> str:
    """A key for a value: its nearest floats."""
    a = np.asarray(value)
    if a.dtype == object:
        a = np.asarray(apply(lambda x: float(x.mid()) if hasattr(x, "mid") else float(x), a), dtype=float)
    return repr(np.asarray(a, dtype=float).tolist())

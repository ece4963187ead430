"""The canonical form of tensor expressions: equal forms are one node, so that `is` proves equality.

An entry expression becomes a polynomial over atoms. Definitions are opened, functions written in a small basis (exp,
log, powers, sign, lgamma and its derivatives, cos, sin), products of sums expanded to connected contractions with
canonical labels, fractions brought to lowest terms. A rule that needs a sign asks the facts, and the fact is kept as
a condition. All of it under a budget of terms and time: when that is spent, BudgetSpent is raised and nothing is known.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from symgen.algebra import polynomial as poly
from symgen.algebra import powers, relations
from symgen.algebra.chains import Link, chain_of, contract_pairs, inverses
from symgen.algebra.closed_forms import closed_sum, last_probability, places_of, product_of_eigenvalues, unrolled
from symgen.algebra.contraction import Order, components, labelled
from symgen.algebra.integrals import canonical_log_density, is_mean, open_integral, open_mean
from symgen.algebra.operation_forms import open_operation
from symgen.algebra.ordering import is_nonnegative_form
from symgen.algebra.polynomial import Budget, Monomial, Poly
from symgen.algebra.rewriting import FUNCTION_RULES
from symgen.derivation.context import BudgetSpent
from symgen.tensor.clock import spent
from symgen.tensor.expression import (
    INF,
    NAN,
    Add,
    Array,
    Compare,
    Delta,
    Dim,
    Entry,
    Expect,
    Fn,
    Fold,
    Index,
    Logic,
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
    axis,
    compare,
    delta,
    entry,
    expect,
    fn,
    fold,
    fresh_index,
    mul,
    num,
    open_sum,
    open_tensor,
    operation,
    operator,
    power,
    replace_arrays,
    sub,
    substitute,
    tensor,
    total,
    var,
    variables_of,
)
from symgen.tensor.facts import NO_FACTS, Facts, is_symmetric, range_of

__all__ = ["Workshop", "canonical", "is_canonical"]

DEPTH = 120  # of nested definitions that are opened
SECONDS = 3.0


def canonical(node: Any, facts: Facts | None = None, seconds: float = SECONDS) -> Any:
    """The canonical form of an array or of a closed scalar, interned. Raises BudgetSpent."""
    workshop = Workshop(facts or NO_FACTS, spent() + seconds)
    return workshop.form(node) if isinstance(node, Array) else workshop.scalar(node)


def is_canonical(node: Any, facts: Facts | None = None) -> bool:
    return canonical(node, facts) is node


def _is_skew(atom: Scalar) -> bool:
    return isinstance(atom, Entry) and isinstance(atom.array, Var) and atom.array.domain == "skew"


class Workshop:
    """Forms under one set of facts and one budget. `opening` False keeps named definitions as atoms; `spelling` writes
    sums over a few numbers of places, and small determinants and inverses, out."""

    def __init__(self, facts: Facts, deadline: float, opening: bool = True, spelling: bool = False) -> None:
        self.facts = facts
        self.budget = Budget(deadline)
        self.opening = opening
        self.spelling = spelling
        self.memo: dict[Scalar, Poly] = {}
        self.forms: dict[Array, Array] = {}
        self.definitions: dict[Scalar, Poly] = {}  # of the atoms that stand for sums in denominators and under roots
        self.signs: dict[Scalar, Poly] = {}  # the arguments of sign atoms
        self.used: dict[str, None] = {}
        self.used_signs: dict[tuple[Scalar, str], str] = {}  # what was taken to be "> 0", ">= 0" or "< 0", and its text
        self.symmetric: dict[Array, bool] = {}
        self.leads: dict[Array, tuple[Scalar, list[Link], Array] | None] = {}
        self.depth = self.count = 0

    @property
    def conditions(self) -> tuple[str, ...]:
        return (*self.used, *self.used_signs.values())

    def fresh(self) -> int:
        """A number not used before."""
        self.count += 1
        return self.count

    # --- what callers ask ---------------------------------------------------------------------------------------------

    def form(self, array: Array) -> Array:
        """The canonical tensor of the same entries."""
        found = self.forms.get(array)
        if found is None:
            axes = tuple(axis(k, s) for k, s in enumerate(array.shape))
            body = self.scalar(open_tensor(array, axes))
            turned = isinstance(body, Entry) and body.indices == (*axes[:-2], *axes[:-3:-1]) and array.rank > 1
            found = body.array if turned and self.is_symmetric(body.array) else tensor(axes, body)
            self.forms[array] = found
        return found

    def scalar(self, node: Scalar) -> Scalar:
        return poly.node_of(self.poly(node))

    def difference(self, a: Array, b: Array) -> Poly:
        axes = tuple(axis(k, s) for k, s in enumerate(a.shape))
        return self.poly(sub(open_tensor(a, axes), open_tensor(b, axes)))

    def is_equal(self, a: Array, b: Array) -> bool:
        """Whether a - b has the form 0, or each of its few entries has, or a product of it with the matrices that are
        inverted in it has."""
        p = self.difference(a, b)
        if not p:
            return True
        places = places_of(a.shape) if a.rank else None
        if places is not None:
            return all(not self.poly(sub(open_tensor(a, at), open_tensor(b, at))) for at in places)
        return a.rank in (1, 2) and self._vanishes_multiplied(p, a.shape, 2)

    def _vanishes_multiplied(self, p: Poly, shape: Sequence[Scalar], times: int) -> bool:
        """M @ D = 0, or D @ M = 0, for an invertible M: then D = 0."""
        atoms = list(dict.fromkeys(a for m in p for a, _ in m))
        for matrix in inverses(self, atoms)[:4]:
            for k, size in enumerate(shape):
                if size is not matrix.shape[0]:
                    continue
                i, j = axis(k, size), fresh_index(size)
                inside = substitute(poly.node_of(p), {i: j})
                factor = open_tensor(matrix, (i, j) if k == 0 else (j, i))
                q = self.poly(total(mul(factor, inside), [j]))
                if not q or (times > 1 and self._vanishes_multiplied(q, shape, times - 1)):
                    self.used.setdefault("what is inverted is invertible")
                    return True
        return False

    # --- matrices that are sums of products -----------------------------------------------------------------------

    def matrix_terms(self, matrix: Array) -> Poly:
        """The form of a matrix, over two axes."""
        return self.poly(open_tensor(matrix, (axis(0, matrix.shape[0]), axis(1, matrix.shape[1]))))

    def leading_product(self, matrix: Array) -> tuple[Scalar, list[Link], Array] | None:
        """c, a chain and a matrix with `matrix` = c chain + rest: the longest chain, if there is one term more or it is a
        product."""
        if matrix not in self.leads:
            self.leads[matrix] = None  # while it is being found
            i, j = axis(0, matrix.shape[0]), axis(1, matrix.shape[1])
            terms = self.matrix_terms(matrix)
            found = [(m, c, chain) for m, c in terms.items() if (chain := chain_of(m, i, j)) is not None]
            if found and (len(terms) > 1 or len(found[0][2][1]) > 1):
                m, c, (scalars, links) = max(
                    found, key=lambda t: (len(t[2][1]), [a.serial for a, _ in t[2][1]], [f for _, f in t[2][1]])
                )
                rest = tensor((i, j), poly.node_of({n: v for n, v in terms.items() if n != m}))
                self.leads[matrix] = mul(num(c), poly.term_node(scalars)), links, rest
        return self.leads[matrix]

    def is_ordered(self, a: Array, b: Array, strict: bool) -> bool:
        """Whether b - a is nonnegative (positive if `strict`) by its form."""
        return is_nonnegative_form(self, self.difference(b, a), strict)

    def is_free(self, array: Array, over: Sequence[Var], positive: bool = False) -> bool:
        """Whether the form of an array does not mention the variables (and is positive)."""
        form = self.form(array)
        if not variables_of(form).isdisjoint(over):
            return False
        return not positive or range_of(form, self.facts).positive

    def positive(self, p: Poly) -> bool:
        """Whether a polynomial is known to be positive; a fact that was needed becomes a condition."""
        return self._sign(p, lambda r: r.positive, "> 0")

    def nonnegative(self, p: Poly) -> bool:
        return self._sign(p, lambda r: r.nonnegative, ">= 0")

    def negative(self, p: Poly) -> bool:
        return self._sign(p, lambda r: r.negative, "< 0")

    def _sign(self, p: Poly, test: Callable[[Any], bool], says: str) -> bool:
        node = poly.node_of(p)
        if not test(range_of(node, self.facts)):
            return False
        if not test(range_of(node)):  # what the domains imply goes without saying
            name = node.array.name if isinstance(node, Entry) and isinstance(node.array, Var) else str(node)
            if says == ">= 0" and range_of(node, self.facts).positive:
                says = "> 0"  # the fact as it was declared
            self.used_signs[node, says] = f"{name} {says}"
        return True

    # --- polynomials of nodes -----------------------------------------------------------------------------------------

    def poly(self, node: Scalar) -> Poly:
        found = self.memo.get(node)
        if found is not None:
            return found
        self.budget.spend()
        self.depth += 1
        if self.depth > DEPTH:
            self.depth = 0
            raise BudgetSpent
        try:
            rule = _RULES.get(type(node))
            p = rule(self, node) if rule is not None else poly.of_atom(node)
        finally:
            self.depth = max(0, self.depth - 1)
        self.memo[node] = p
        return p

    def add(self, *polys: Poly) -> Poly:
        return self.tidy(poly.add_polys(polys, self.budget))

    def times(self, *polys: Poly) -> Poly:
        out = poly.constant(1)
        for p in polys:
            out = poly.multiply(out, p, self.budget)
        return self.tidy(out)

    def tidy(self, p: Poly) -> Poly:
        """Relations between atoms: what is idempotent, sin^2 + cos^2 = 1, signs, powers of sums, denominators."""
        p = relations.relations(self, p)
        return poly.reduce_denominators(p, self.definitions, self.budget)

    # --- atoms --------------------------------------------------------------------------------------------------------

    def abstracted(self, node: Scalar) -> Scalar:
        """A scalar with free indices as the entry of a closed tensor, so that labels do not reach inside it.

        The order of the axes is the one that gives the oldest tensor: the same for every naming of the indices.
        """
        free = sorted(node.free, key=lambda i: (i.size.serial, i.serial))
        if not free:
            return node
        if len(free) > 3:
            return entry(tensor(free, node), *free)
        best: Scalar | None = None
        for order in itertools.permutations(free):
            array = tensor(order, node)
            if not isinstance(array, Tensor):
                return entry(array, *order)
            candidate = entry(array, *order)
            if best is None or (array.serial, [i.serial for i in order]) < (
                best.args[0].serial, [i.serial for i in best.args[1:]]
            ):  # fmt: skip
                best = candidate
        assert best is not None
        return best

    def atom_of(self, name: str, *args: Poly) -> Scalar:
        """The atom name(args) of arguments in canonical form."""
        nodes = [poly.node_of(p) for p in args]
        node = fn(name, *nodes)
        if not isinstance(node, Fn):
            return node
        return self._outer(lambda relabel: fn(name, *(self.scalar(substitute(a, relabel)) for a in nodes)), node)

    def _outer(self, build: Callable[[dict[Index, Scalar]], Scalar], node: Scalar) -> Scalar:
        """`build` under the relabelling of the free indices that gives the oldest node, as an entry atom."""
        free = sorted(node.free, key=lambda i: (i.size.serial, i.serial))
        if not free:
            return build({})
        orders = itertools.permutations(free) if len(free) <= 3 else [tuple(free)]
        best: tuple[int, list[int], Scalar] | None = None
        for order in orders:
            relabel: dict[Index, Scalar] = {i: axis(k, i.size) for k, i in enumerate(order)}
            body = build(relabel)
            array = tensor([axis(k, i.size) for k, i in enumerate(order)], body)
            key = (array.serial, [i.serial for i in order], entry(array, *order))
            if best is None or key[:2] < best[:2]:
                best = key
        assert best is not None
        return best[2]

    def _argument(self, atom: Scalar) -> Poly:
        """The argument of a function atom of one argument."""
        inner = open_tensor(atom.array, atom.indices) if isinstance(atom, Entry) else atom
        return self.poly(inner.args[0])

    def tidied(self, atom: Scalar) -> Scalar:
        """An entry of a symmetric or skew matrix with its last two indices in order."""
        if isinstance(atom, Entry) and len(atom.indices) >= 2 and (_is_skew(atom) or self.is_symmetric(atom.array)):
            *front, i, j = atom.indices
            if i.serial > j.serial:
                return entry(atom.array, *front, j, i)
        return atom

    def turns(self, atom: Scalar) -> bool:
        """Whether the atom is the negative of what `tidied` makes of it."""
        return _is_skew(atom) and atom.args[-2].serial > atom.args[-1].serial

    def is_symmetric(self, array: Array) -> bool:
        found = self.symmetric.get(array)
        if found is None:
            found = bool(is_symmetric(array))
            if not found and isinstance(array, Tensor) and array.rank >= 2 and array.shape[-1] is array.shape[-2]:
                *front, i, j = array.axes
                found = tensor((*front, j, i), array.body) is array
            if not found and isinstance(array, Operation) and array.name in ("inv", "expm", "matpow"):
                inner = array.operands[0]
                found = isinstance(inner, Array) and self.is_symmetric(inner)
            self.symmetric[array] = found
        return found

    # --- powers -------------------------------------------------------------------------------------------------------

    power = powers.power_of
    factored = powers.factored
    oriented = powers.oriented
    absolute = powers.absolute
    sign = powers.sign_of
    _parts = powers.factors_of
    _atom_power = powers.atom_power
    picked = staticmethod(relations.picked)

    # --- sums ---------------------------------------------------------------------------------------------------------

    def sum(self, p: Poly, bound: Sequence[Index]) -> Poly:
        """The sum of a polynomial over indices, term by term, in connected components."""
        return self.add(*(poly.scale(self._sum_term(m, bound), c) for m, c in p.items()))

    def _sum_term(self, m: Monomial, bound: Sequence[Index]) -> Poly:
        self.budget.spend(1 + len(m))
        opened = self._flattened(m, bound)
        if opened is not None:
            return self.sum(*opened)
        if any(isinstance(a, Delta) and not a.free.isdisjoint(bound) for a, _ in m):
            node = total(poly.term_node(m), bound)
            if not (isinstance(node, Sum) and len(node.indices) == len(bound)):
                return self.poly(node)
        pairs = contract_pairs(self, m, bound)
        if pairs is not None:
            return self.poly(total(pairs, bound))
        missing = [i for i in bound if not any(i in a.free for a, _ in m)]
        outside, groups = components(m, [i for i in bound if i not in missing])
        out = self.times({tuple(outside): Fraction(1)}, *(self.poly(i.size) for i in missing))
        for factors, indices in groups:
            out = self.times(out, self._component(factors, indices))
        return out

    def _flattened(self, m: Monomial, bound: Sequence[Index]) -> tuple[Poly, list[Index]] | None:
        """Sums inside that a bound index reaches are opened into the product; None where there are none."""
        reached = [
            (a, e) for a, e in m
            if isinstance(a, Sum) and e.denominator == 1 and 0 < e <= 4 and not a.free.isdisjoint(bound)
        ]  # fmt: skip
        if not reached:
            return None
        indices = list(bound)
        parts: list[Poly] = [{tuple(x for x in m if x not in reached): Fraction(1)}]
        for a, e in reached:
            for _ in range(int(e)):
                body, fresh = open_sum(a)
                indices += fresh
                parts += [self.poly(f) for f in (body.args if isinstance(body, Mul) else (body,))]
        return self.times(*parts), indices

    def _component(self, factors: list[tuple[Scalar, Fraction]], bound: list[Index]) -> Poly:
        for i in bound:
            holding = [x for x in factors if i in x[0].free]
            closed = closed_sum(*holding[0], i) if len(holding) == 1 else None
            if closed is not None:
                rest = {poly.ordered(dict(x for x in factors if x is not holding[0])): Fraction(1)}
                return self.sum(self.times(rest, self.poly(closed)), [j for j in bound if j is not i])
        node, sign = labelled(factors, bound, Order(self.tidied, self.turns), self.budget)
        return poly.scale(poly.of_atom(node), Fraction(sign))

    # --- node kinds ---------------------------------------------------------------------------------------------------

    def _num(self, node: Num) -> Poly:
        if node.rational is not None:
            return poly.constant(node.rational)
        return poly.of_atom(node)

    def _entry(self, node: Entry) -> Poly:
        array, indices = node.array, [self.index(i) for i in node.indices]
        if isinstance(array, Tensor):
            if not self.opening and array.rank + 1 and _is_heavy(array):
                return poly.of_atom(entry(array, *indices))
            return self.poly(substitute(array.body, dict(zip(array.axes, indices, strict=True))))
        if isinstance(array, Operation):
            return open_operation(self, array, indices)
        if isinstance(array, Var):
            return self._variable(array, indices)
        if is_mean(array):
            return open_mean(self, array)
        if isinstance(array, Operator) and array.name == "integral":
            return open_integral(self, array, indices)
        if isinstance(array, Recurrence):
            opened = unrolled(array, indices)
            if opened is not None:
                return self.poly(opened)
        return poly.of_atom(entry(self.opaque(array), *indices))

    def _variable(self, array: Var, indices: list[Scalar]) -> Poly:
        last = last_probability(array, indices) if self.spelling else None
        if last is not None:
            return self.poly(last)
        if len(indices) >= 2:
            i, j = indices[-2:]
            if array.domain == "diagonal" and i is not j:
                return self.poly(mul(entry(array, *indices[:-1], i), delta(i, j)))
            if array.domain == "skew" and i is j:
                return {}
        atom = entry(array, *indices)
        return poly.scale(poly.of_atom(self.tidied(atom)), Fraction(-1 if self.turns(atom) else 1))

    def index(self, i: Scalar) -> Scalar:
        """An index argument in normal form."""
        return i if isinstance(i, Index | Num) else self.scalar(i)

    def opaque(self, array: Array) -> Array:
        """An array that is not opened, over canonical operands."""
        if isinstance(array, Operator) and array.name == "log_density" and len(array.attrs) >= 3:
            return canonical_log_density(self, array)
        if isinstance(array, Operator):
            args = [self.form(a) if isinstance(a, Array) else self.scalar(a) for a in array.args]
            return operator(array.name, args, array.shape, array.attrs)
        if isinstance(array, Recurrence):
            return array
        return array

    def canonical_operation(self, array: Operation) -> Operation:
        args: list[Node] = [self.form(a) if isinstance(a, Array) else self.scalar(a) for a in array.operands]
        return operation(array.name, args, array.shape)

    def _add(self, node: Add) -> Poly:
        return self.add(*(self.poly(a) for a in node.args))

    def _mul(self, node: Mul) -> Poly:
        if NAN in node.args or INF in node.args:
            return poly.of_atom(node)
        return self.times(*(self.poly(a) for a in node.args))

    def _pow(self, node: Pow) -> Poly:
        exponent = self.poly(node.exponent)
        value = poly.constant_of(exponent)
        base = self.poly(node.base)
        if value is not None:
            if value.denominator > 64 or (abs(value) > 64 and len(base) > 1):
                return poly.of_atom(self._outer(lambda r: power(self.scalar(substitute(node.base, r)), num(value)), node))
            return self.power(base, value)
        if self.positive(base):  # a^y = exp(y log a)
            return self.poly(fn("exp", mul(node.exponent, fn("log", node.base))))
        return poly.of_atom(
            self._outer(lambda r: power(self.scalar(substitute(node.base, r)), self.scalar(substitute(node.exponent, r))), node)
        )

    def _fn(self, node: Fn) -> Poly:
        rule = FUNCTION_RULES.get(node.name)
        if rule is not None:
            return rule(self, *node.args)
        return self.plain_function(node.name, *(self.poly(a) for a in node.args))

    def plain_function(self, name: str, *args: Poly) -> Poly:
        atom = self.atom_of(name, *args)
        return poly.of_atom(atom) if not isinstance(atom, Num) else self._num(atom)

    def _sum(self, node: Sum) -> Poly:
        body, bound = open_sum(node)
        places = places_of([i.size for i in bound]) if self.spelling else None
        if places is not None:
            return self.add(*(self.poly(substitute(body, dict(zip(bound, at, strict=True)))) for at in places))
        return self.sum(self.poly(body), bound)

    def _fold(self, node: Fold) -> Poly:
        body, bound = open_sum(node)
        places = places_of([i.size for i in bound]) if self.spelling else None
        if places is not None:
            terms = [substitute(body, dict(zip(bound, at, strict=True))) for at in places]
            return self.times(*map(self.poly, terms)) if node.kind == "prod" else self.poly(fn(node.kind, *terms))
        p = self.poly(body)
        if node.kind == "prod":
            one = poly.single(p)
            if one is not None:
                return self._product(one[0], one[1], bound)
        free = self._outer(lambda r: fold(node.kind, self.scalar(substitute(body, r)), bound), node)
        return poly.of_atom(free)

    def _product(self, c: Fraction, m: Monomial, bound: list[Index]) -> Poly:
        """prod(c a^x b^y) = c^n prod(a)^x prod(b)^y; prod(exp(x)) = exp(sum(x))."""
        parts: list[Poly] = []
        if c != 1:
            parts.append(self.poly(power(num(c), mul(*(i.size for i in bound)))))
        for a, e in m:
            inner = open_tensor(a.array, a.indices) if isinstance(a, Entry) and isinstance(a.array, Tensor) else a
            if isinstance(inner, Fn) and inner.name == "exp":
                parts.append(self.poly(fn("exp", total(mul(num(e), inner.args[0]), bound))))
            elif (determinant := product_of_eigenvalues(a, bound)) is not None:
                parts.append(self.poly(power(determinant, num(e))))
            elif not any(i in a.free for i in bound):
                parts.append(self.poly(power(a, mul(num(e), *(i.size for i in bound)))))
            else:
                node = fold("prod", a, bound)
                if isinstance(node, Fold):
                    node = self.abstracted(node)
                parts.append(poly.of_atom(node, e))
        return self.times(*parts)

    def _delta(self, node: Delta) -> Poly:
        d = delta(*(self.index(a) for a in node.args))
        return self._num(d) if isinstance(d, Num) else poly.of_atom(d)

    def _where(self, node: Where) -> Poly:
        condition, a, b = node.args
        inside = self.indicator(condition)
        value = poly.constant_of(inside)
        if value is not None:
            return self.poly(a if value == 1 else b)
        p, q = self.poly(a), self.poly(b)
        minus = poly.scale(q, Fraction(-1))
        return self.add(q, self.times(inside, poly.add_polys([p, minus], self.budget)))

    def indicator(self, condition: Scalar) -> Poly:
        """1 where the condition holds, else 0, in signs: [0 < d] = (s^2 + s)/2, [d == 0] = 1 - s^2."""
        one = poly.constant(1)
        if isinstance(condition, Num):
            return self._num(condition)
        if isinstance(condition, Logic):
            parts = [self.indicator(a) for a in condition.args]
            if condition.op == "not":
                return self.add(one, poly.scale(parts[0], Fraction(-1)))
            if condition.op == "and":
                return self.times(*parts)
            none = self.times(*(self.add(one, poly.scale(p, Fraction(-1))) for p in parts))
            return self.add(one, poly.scale(none, Fraction(-1)))
        assert isinstance(condition, Compare)
        left, right = condition.args
        if condition.op in ("==", "!="):
            if isinstance(left, Index) and isinstance(right, Index):
                same = self.poly(delta(left, right))
            else:
                s = self.sign(self.poly(sub(right, left)))
                same = self.add(one, poly.scale(self.times(s, s), Fraction(-1)))
            return same if condition.op == "==" else self.add(one, poly.scale(same, Fraction(-1)))
        if condition.op == "<=":
            return self.add(one, poly.scale(self.indicator(compare("<", right, left)), Fraction(-1)))
        s = self.sign(self.poly(sub(right, left)))
        return poly.scale(self.add(self.times(s, s), s), Fraction(1, 2))

    def _expect(self, node: Expect) -> Poly:
        """Linear in the body; the noise is renamed by its place."""
        fresh = [var(f"noise{k}", v.shape, v.domain, "random", uid=-1 - k) for k, v in enumerate(node.noise)]
        body = replace_arrays(node.body, dict(zip(node.noise, fresh, strict=True)))
        out: list[Poly] = []
        for m, c in self.poly(body).items():
            inside = tuple((a, e) for a, e in m if not variables_of(a).isdisjoint(fresh))
            outside = tuple((a, e) for a, e in m if variables_of(a).isdisjoint(fresh))
            mean = expect(poly.term_node(inside), fresh, node.laws)
            atom = poly.of_atom(self.abstracted(mean)) if inside else poly.constant(1)
            out.append(poly.scale(poly.multiply({outside: Fraction(1)}, atom, self.budget), c))
        return self.add(*out)


_RULES: dict[type[Node], Callable[[Workshop, Any], Poly]] = {
    Num: Workshop._num,
    Entry: Workshop._entry,
    Add: Workshop._add,
    Mul: Workshop._mul,
    Pow: Workshop._pow,
    Fn: Workshop._fn,
    Sum: Workshop._sum,
    Fold: Workshop._fold,
    Delta: Workshop._delta,
    Where: Workshop._where,
    Expect: Workshop._expect,
}


def _is_heavy(array: Tensor) -> bool:
    return not isinstance(array.body, Entry | Num | Dim)

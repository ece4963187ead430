"""Whether an expression is convex or concave in variables, by rules of composition, with the rule that says so.

Signs of slopes and curvatures (Boyd and Vandenberghe (2004), 3.2; Grant, Boyd and Ye (2006)), logarithms of what is
log-convex or log-concave (3.5), quadratic forms and matrix fractions (3.1.7, 3.4), spectral functions (Davis (1957)),
perspectives (3.2.6), and functions of one affine or convex value, looked at as functions of a number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction

from symgen.calculus.bend import AFFINE, CONCAVE, CONSTANT, CONVEX, OPPOSITE, UNKNOWN, composed, summed
from symgen.calculus.one_variable import Bend, bend_of
from symgen.calculus.perspective import entropy, in_common, is_log_beta, perspective
from symgen.calculus.quadratic_form import form, is_geometric_mean, is_norm, is_spectrum, of_matrix
from symgen.calculus.rules import derivative_of
from symgen.tensor.build import replace_scalars, same_size
from symgen.tensor.expression import (
    HALF,
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Array,
    Compare,
    Entry,
    Expect,
    Fn,
    Fold,
    Logic,
    Mul,
    Node,
    Num,
    Operation,
    Pow,
    Scalar,
    Sum,
    Tensor,
    Var,
    Where,
    add,
    as_coefficient,
    entry,
    fn,
    mul,
    num,
    open_sum,
    open_tensor,
    operation,
    power,
    replace_arrays,
    var,
    variables_of,
    walk,
)  # fmt: skip
from symgen.tensor.facts import Facts, is_spd, range_of
from symgen.tensor.functions import FUNCTIONS
from symgen.tensor.operations import OPERATIONS

__all__ = ["AFFINE", "CONCAVE", "CONSTANT", "CONVEX", "UNKNOWN", "Curvature", "flat"]

HEAVIEST = 4000  # nodes of an expression whose named parts are put in


def flat(array: Array) -> Array:
    """`array` with what its named parts say put in their place, as far as that does not grow without measure."""
    for _ in range(20):
        parts = [n for n in walk(array) if isinstance(n, Tensor) and n is not array]
        if not isinstance(array, Tensor) or not parts or array.weight > HEAVIEST:
            break
        opened = replace_arrays(array, {p: lambda *at, p=p: open_tensor(p, at) for p in parts})
        if opened is array:
            break
        array = opened
    return array


def _tail(node: Scalar) -> Scalar | None:
    """c erfc(u) for c - c erf(u)."""
    if not isinstance(node, Add) or len(node.args) != 2:
        return None
    for fixed, moving in (node.args, node.args[::-1]):
        c, rest = as_coefficient(moving)
        if isinstance(rest, Fn) and rest.name == "erf" and isinstance(fixed, Num) and fixed.rational == abs(c):
            return mul(fixed, fn("erfc", rest.args[0] if c < 0 else mul(MINUS_ONE, rest.args[0])))
    return None


_OPERANDS = {"increasing": "convex, in which it increases", "affine": "affine", "spd": "affine and positive definite"}


class Curvature:
    """The curvature of expressions as functions of `xs` together. `told` holds the rules that were used, by node;
    `quick` leaves out what SymPy is asked for."""

    def __init__(self, xs: Collection[Var], facts: Facts | None, quick: bool = False) -> None:
        self.xs, self.facts, self.quick = frozenset(xs), facts, quick
        self.arrays: dict[Array, str] = {}
        self.memo: dict[Node, str] = {}
        self.logs: dict[Node, str] = {}
        self.told: dict[Node, str] = {}

    def used(self, root: Array) -> list[tuple[Scalar, str, str]]:
        """The rules that say why `root` is what it is: (expression, convex or concave, rule), what is inside first."""
        out: list[tuple[Scalar, str, str]] = []
        for n in walk(root):
            if isinstance(n, Scalar) and n in self.told and self.memo.get(n) in (CONVEX, CONCAVE):
                out.append((n, self.memo[n], self.told[n]))
        return out

    # --- arrays -------------------------------------------------------------------------------------------------------

    def of_array(self, root: Array) -> str:
        for array in [n for n in walk(root) if isinstance(n, Array)]:
            if array not in self.arrays:
                self.arrays[array] = self._array(array)
        return self.arrays[root]

    def moves(self, node: Node) -> bool:
        return not self.xs.isdisjoint(variables_of(node))

    def array(self, array: Array) -> str:
        return self.of_array(array) if array not in self.arrays else self.arrays[array]

    def _array(self, array: Array) -> str:
        if array in self.xs:
            return AFFINE
        if not self.moves(array):
            return CONSTANT
        if isinstance(array, Tensor):
            return self.of(array.body)
        if isinstance(array, Operation):
            return self.operation(array)
        return UNKNOWN

    def operation(self, array: Operation) -> str:
        row = OPERATIONS.get(array.name)
        if array.name == "logdet" and isinstance(array.operands[0], Operation) and array.operands[0].name == "inv":
            inner = self.array(operation("logdet", array.operands[0].operands, ()))
            return OPPOSITE.get(inner, inner)
        operands = [a for a in array.operands if isinstance(a, Array)]
        inside = {self.arrays.get(a, UNKNOWN) for a in operands}
        if row is None or row.curvature is None or len(operands) < len(array.operands):
            return UNKNOWN
        curvature, _, where = row.curvature.partition(" ")
        if where == "increasing":
            return composed(curvature, 1, inside.pop()) if len(inside) == 1 else UNKNOWN
        if where == "affine":
            return curvature if inside <= {AFFINE, CONSTANT} else UNKNOWN
        if where == "spd" and inside == {AFFINE}:
            return curvature if all(is_spd(a, self.facts) for a in operands) else UNKNOWN
        return UNKNOWN

    # --- scalars ------------------------------------------------------------------------------------------------------

    def of(self, node: Scalar) -> str:
        found = self.memo.get(node)
        if found is None:
            self.memo[node] = UNKNOWN  # while it is being asked
            found = self.memo[node] = self._of(node)
        return found

    def say(self, node: Scalar, kind: str, rule: str) -> str:
        if kind in (CONVEX, CONCAVE):
            self.told[node] = rule
        return kind

    def _of(self, node: Scalar) -> str:
        if not self.moves(node):
            return CONSTANT
        kind = self.by_rule(node)
        if kind == UNKNOWN and not isinstance(node, Entry | Compare | Logic):
            kind = self.as_function_of_one(node)
        if kind == UNKNOWN and isinstance(node, Mul):
            kind = self.say(node, entropy(self, node), "a relative entropy")
            if kind == UNKNOWN:
                kind = self.say(node, perspective(self, node), "a perspective")
        return kind

    def by_rule(self, node: Scalar) -> str:
        match node:
            case Entry():
                kind = self.of_entry(node)
                row = OPERATIONS.get(node.array.name) if isinstance(node.array, Operation) else None
                where = (row.curvature or "").partition(" ")[2] if row is not None else ""
                return self.say(node, kind, f"{node.array.name} of what is {_OPERANDS[where]}") if where else kind
            case Add():
                return self.say(node, self.sum_of(node), "a sum of such")
            case Mul():
                return self.product(node)
            case Pow():
                return self.power(node)
            case Fn():
                return self.function(node)
            case Sum() | Expect():
                kind = self.of(node.body)
                if kind == UNKNOWN and isinstance(node, Sum):
                    return form(self, node)
                return self.say(node, kind, "a mean of such" if isinstance(node, Expect) else "a sum of such")
            case Fold():
                return self.fold(node)
            case Where():
                condition, a, b = node.args
                return summed({self.of(a), self.of(b)}) if not self.moves(condition) else UNKNOWN
        return UNKNOWN

    def sum_of(self, node: Add) -> str:
        kind = summed({self.of(a) for a in node.args})
        if kind != UNKNOWN:
            return kind
        for way in (is_log_beta, in_common):
            kind = way(self, node)
            if kind != UNKNOWN:
                return kind
        # t + sqrt(..) alone may say less than several terms of one value together
        groups: dict[frozenset[Scalar], list[Scalar]] = {}
        for a in node.args:
            cores = frozenset(self.cores(a)) if self.of(a) in (UNKNOWN, CONVEX, CONCAVE, AFFINE) else frozenset()
            groups.setdefault(cores, []).append(a)
        if len(groups) < 2:
            return UNKNOWN
        return summed({self.of(add(*terms)) for terms in groups.values()})

    def of_entry(self, node: Entry) -> str:
        kind = self.array(node.array)
        inside = node.array
        if kind == UNKNOWN and isinstance(inside, Operation) and inside.name == "eigvals":
            (i,) = node.indices
            (a,) = inside.operands
            affine = isinstance(a, Array) and self.array(a) == AFFINE
            last = isinstance(a, Array) and same_size(add(i, ONE), a.shape[-1])
            if affine and (last or i is ZERO):
                return self.say(node, CONVEX if last else CONCAVE, "an extreme eigenvalue")
        if kind == UNKNOWN and len(node.indices) == 2 and node.indices[0] is node.indices[1]:
            return self.say(node, of_matrix(self, node), "a diagonal entry of a convex function of a matrix")
        return kind

    def fold(self, node: Fold) -> str:
        inner = self.of(node.body)
        shape = {"max": CONVEX, "min": CONCAVE}.get(node.kind)
        if inner == CONSTANT:
            return CONSTANT
        if shape is not None and inner in (AFFINE, shape):
            return self.say(node, shape, "a largest value" if shape == CONVEX else "a least value")
        if shape is not None and is_spectrum(self, node.body):
            return self.say(node, shape, "an extreme eigenvalue")
        return UNKNOWN

    def product(self, node: Mul) -> str:
        varying = [a for a in node.args if self.of(a) != CONSTANT]
        if len(varying) > 1:
            kind = self.of_powers(node, varying)
            return kind if kind != UNKNOWN else form(self, node)
        inner = self.of(varying[0])
        if inner == AFFINE:
            return inner
        if inner == UNKNOWN:
            return form(self, node)
        sign = self.sign([a for a in node.args if a is not varying[0]])
        return UNKNOWN if sign == 0 else inner if sign > 0 else OPPOSITE[inner]

    def sign(self, factors: list[Scalar]) -> int:
        """1: their product is not negative; -1: not positive; 0: it may be either."""
        r = range_of(mul(*factors), self.facts)
        if r.nonnegative or r.nonpositive:
            return 1 if r.nonnegative else -1
        signs = [range_of(a, self.facts) for a in factors]
        if not all(r.nonnegative or r.nonpositive for r in signs):
            return 0
        return -1 if sum(not r.nonnegative for r in signs) % 2 else 1

    def of_powers(self, node: Mul, varying: list[Scalar]) -> str:
        """f1^a1 f2^a2 ..: concave for a > 0 that sum to at most 1, convex for a < 0, or with one a that the others leave
        at 1 at least (Boyd and Vandenberghe (2004), 3.15, 3.16)."""
        sign = self.sign([a for a in node.args if a not in varying])
        powers: list[tuple[Scalar, Fraction]] = []
        for f in varying:
            base, e = (f.base, f.exponent) if isinstance(f, Pow) else (f, ONE)
            rational = self.exponent(e)
            if rational is None or sign == 0:
                return UNKNOWN
            powers.append((base, rational))
        roots = [(b, power(b, HALF)) for b, _ in powers]
        norms = {b: r for b, r in roots if isinstance(r, Pow) and self.of(b) == CONVEX and is_norm(self, r)}
        powers = [(norms[b], 2 * e) if b in norms else (b, e) for b, e in powers]
        positive = [(b, e) for b, e in powers if e > 0]
        rest = [(b, e) for b, e in powers if e < 0]
        kinds = {id(b): self.of(b) for b, _ in powers}
        if not all(range_of(b, self.facts).positive and kinds[id(b)] in (AFFINE, CONCAVE) for b, _ in rest):
            return UNKNOWN
        kind = UNKNOWN
        if not rest:
            concave = all(range_of(b, self.facts).nonnegative and kinds[id(b)] in (AFFINE, CONCAVE) for b, _ in positive)
            kind = CONCAVE if concave and sum(e for _, e in positive) <= 1 else UNKNOWN
        elif not positive:
            kind = CONVEX
        elif len(positive) == 1:
            b, own = positive[0]
            even = own.denominator == 1 and own.numerator % 2 == 0
            inside = kinds[id(b)]
            fits = inside == AFFINE and (even or range_of(b, self.facts).nonnegative)
            fits = fits or (inside == CONVEX and range_of(b, self.facts).nonnegative)
            kind = CONVEX if fits and sum(e for _, e in powers) >= 1 else UNKNOWN
        if kind == UNKNOWN:
            return UNKNOWN
        kind = kind if sign > 0 else OPPOSITE[kind]
        return self.say(node, kind, "a square over what is affine" if rest and positive else "a product of powers")

    def exponent(self, e: Scalar) -> Fraction | None:
        if isinstance(e, Num):
            return e.rational
        r = range_of(e, self.facts)
        return r.point

    def power(self, node: Pow) -> str:
        inner, base = self.of(node.base), range_of(node.base, self.facts)
        if self.of(node.exponent) != CONSTANT:
            return self.exponential(node)
        r = range_of(node.exponent, self.facts)
        e = self.exponent(node.exponent)
        if is_norm(self, node):
            return self.say(node, CONVEX, "a norm of what is affine")
        if is_geometric_mean(self, node):
            return self.say(node, CONCAVE, "a geometric mean")
        if e is not None and e.denominator == 1 and e.numerator % 2 == 0 and e > 0:
            if inner == AFFINE or (inner == CONVEX and base.nonnegative) or (inner == CONCAVE and base.nonpositive):
                return self.say(node, CONVEX, "a square" if e == 2 else "an even power")
            return UNKNOWN
        # a broken power has a value where its base is not negative alone: of what is affine or concave, a convex set
        broken = e is not None and e.denominator > 1 and inner in (AFFINE, CONCAVE)
        if r.low is not None and r.low >= 1 and (base.nonnegative or (broken and inner == AFFINE)):
            kind = CONVEX if inner in (AFFINE, CONVEX) else UNKNOWN
        elif r.positive and r.high is not None and r.high <= 1 and (base.nonnegative or broken):
            kind = CONCAVE if inner in (AFFINE, CONCAVE) else UNKNOWN
        elif r.negative and (base.positive or broken):
            kind = CONVEX if inner in (AFFINE, CONCAVE) else UNKNOWN
        else:
            kind = UNKNOWN
        return self.say(node, kind, "a power of what has one sign")

    def exponential(self, node: Pow) -> str:
        """a^f = exp(f log a)."""
        if not range_of(node.base, self.facts).positive:
            return UNKNOWN
        inner = self.of(mul(node.exponent, fn("log", node.base)))
        return self.say(node, composed(CONVEX, 1, inner), "an exponential")

    # --- norms, forms -------------------------------------------------------------------------------------------------

    # --- logarithms ---------------------------------------------------------------------------------------------------

    def log_of(self, node: Scalar) -> str:
        """The curvature of log(node), for a node that is positive."""
        found = self.logs.get(node)
        if found is None:
            found = self.logs[node] = self._log_of(node)
        return found

    def _log_of(self, node: Scalar) -> str:
        if not self.moves(node):
            return CONSTANT
        if isinstance(node, Fn) and node.name == "exp":
            return self.of(node.args[0])
        if isinstance(node, Mul):
            if not all(range_of(a, self.facts).nonnegative for a in node.args):
                return UNKNOWN
            return summed({self.log_of(a) for a in node.args})
        if isinstance(node, Pow) and not self.moves(node.exponent) and range_of(node.base, self.facts).nonnegative:
            inner, r = self.log_of(node.base), range_of(node.exponent, self.facts)
            return inner if r.nonnegative else OPPOSITE.get(inner, inner) if r.nonpositive else UNKNOWN
        if isinstance(node, Add | Sum):
            terms = node.args if isinstance(node, Add) else (open_sum(node)[0],)
            kinds = {self.log_of(t) if range_of(t, self.facts).nonnegative else UNKNOWN for t in terms}
            if kinds <= {CONSTANT, AFFINE, CONVEX}:
                return CONVEX
            tail = _tail(node)
            if tail is not None:
                return self.log_of(tail)
        if isinstance(node, Fold) and node.kind == "prod" and range_of(node.body, self.facts).nonnegative:
            return self.log_of(node.body)
        if isinstance(node, Entry) and isinstance(node.array, Operation):
            return self.log_of_operation(node, node.array)
        if isinstance(node, Fn):
            row = FUNCTIONS.get(node.name)
            shape = row.log_curvature if row is not None else None
            if shape is not None and len(node.args) == 1 and self.is_in_domain(node):
                kind = composed(shape, self.slope(node), self.of(node.args[0]))
                if kind != UNKNOWN:
                    return kind
        return CONCAVE if self.of(node) in (AFFINE, CONCAVE) else UNKNOWN  # where it is positive

    def log_of_operation(self, node: Entry, array: Operation) -> str:
        (a, *_) = array.operands
        if not isinstance(a, Array):
            return UNKNOWN
        if array.name == "softmax" and self.array(a) == AFFINE:
            return CONCAVE
        if array.name == "det" and self.array(a) == AFFINE and is_spd(a, self.facts):
            return CONCAVE
        return UNKNOWN

    def is_in_domain(self, node: Fn) -> bool:
        row = FUNCTIONS[node.name]
        return row.poles is None or range_of(node.args[0], self.facts).positive

    # --- functions ----------------------------------------------------------------------------------------------------

    def slope(self, node: Fn) -> int:
        """1 where a function of one argument rises over the values of the argument, -1 where it falls, else 0."""
        at = var("_at", (), "real", "placeholder", uid=21)
        free = entry(at)
        bounds = (self.facts or Facts()).with_range(free, range_of(node.args[0], self.facts))
        slope = range_of(derivative_of(node.name, 0, (free,), fn(node.name, free)), bounds)
        return 1 if slope.nonnegative else -1 if slope.nonpositive else 0

    def function(self, node: Fn) -> str:
        kinds = [self.of(a) for a in node.args]
        if node.name in ("max", "min"):
            shape = CONVEX if node.name == "max" else CONCAVE
            fits = all(k in (CONSTANT, AFFINE, shape) for k in kinds)
            return self.say(node, shape, "a maximum" if shape == CONVEX else "a minimum") if fits else UNKNOWN
        if node.name == "log":
            kind = self.log_of(node.args[0])
            return self.say(node, kind, "the logarithm of what is log-convex" if kind == CONVEX else "a logarithm")
        row = FUNCTIONS.get(node.name)
        if row is None or len(node.args) != 1 or row.derivative[0] is None or row.curvature is None:
            return UNKNOWN
        kind = composed(row.curvature, self.slope(node), kinds[0])
        inner = "affine" if kinds[0] == AFFINE else kinds[0]
        return self.say(node, kind, f"`{node.name}` of what is {inner}")

    # --- one value ----------------------------------------------------------------------------------------------------

    def cores(self, node: Scalar) -> list[Scalar]:
        """The affine values that `node` is a function of, up to what is constant, and its sums that are not affine."""
        for bare in (None, False, True):
            found = self._cores(node, bare)
            if len(found) == 1:
                break
        return found

    def _cores(self, node: Scalar, bare: bool | None) -> list[Scalar]:
        out: dict[Scalar, None] = {}
        seen: set[Node] = set()
        stack: list[Node] = [node]
        while stack:
            n = stack.pop()
            if n in seen or not isinstance(n, Scalar) or not self.moves(n):
                continue
            seen.add(n)
            if n is not node and self.of(n) == AFFINE:
                out[n if bare is None else self.core(n, bare)[0]] = None
            elif isinstance(n, Sum | Fold | Expect) and n is not node:
                out[n] = None
            else:
                stack.extend(reversed(n.args))
        return list(out)

    def core(self, node: Scalar, bare: bool) -> tuple[Scalar, Scalar, Scalar]:
        """(u, a, b) with node = a u + b for an affine node, a and b free of the variables; `bare`: a takes all factors,
        not its number alone."""
        terms = node.args if isinstance(node, Add) else (node,)
        offset = add(*(t for t in terms if not self.moves(t)))
        c, rest = as_coefficient(add(*(t for t in terms if self.moves(t))))
        scale: Scalar = num(c)
        factors = rest.args if isinstance(rest, Mul) else (rest,)
        fixed = [f for f in factors if not self.moves(f)]
        if bare and len(factors) - len(fixed) == 1:
            scale = mul(scale, *fixed)
            (rest,) = [f for f in factors if self.moves(f)]
        return rest, scale, offset

    def as_function_of_one(self, node: Scalar) -> str:
        """g(u) for an affine u, or for a convex or concave u along which g is monotone."""
        if self.quick or isinstance(node, Sum | Fold | Expect) or node.weight > 400:
            return UNKNOWN
        cores = self.cores(node)
        if len(cores) == 1 and self.of(cores[0]) == AFFINE:
            bend = self.bend_in(node, cores[0])
            if bend is not None:
                return self.say(node, bend.shape, "a function of one affine value, by its second derivative")
            return UNKNOWN
        for u in self.candidates(node):
            bend = self.bend_in(node, u)
            kind = UNKNOWN if bend is None else composed(bend.shape, bend.slope, self.of(u))
            if kind in (CONVEX, CONCAVE):
                return self.say(node, kind, f"a monotone function of one {self.of(u)} value, by its derivatives")
        return UNKNOWN

    def candidates(self, node: Scalar) -> Iterator[Scalar]:
        tried = 0
        for n in walk(node):
            if tried > 4:
                return
            if n is not node and isinstance(n, Scalar) and self.memo.get(n) in (CONVEX, CONCAVE) and n.weight < 200:
                if not self.moves(self.without(node, n, entry(var("_u", (), "real", "placeholder", uid=23)))):
                    tried += 1
                    yield n

    def without(self, node: Scalar, u: Scalar, at: Scalar) -> Scalar:
        """`node` with `at` for u, also where an affine function of u, or the square of it, stands."""
        found: dict[Scalar, Scalar] = {u: at}
        if isinstance(u, Pow) and u.exponent is HALF:
            found[u.base] = power(at, num(Fraction(2)))
        if self.of(u) == AFFINE:
            for n in walk(node):
                if isinstance(n, Scalar) and self.memo.get(n) == AFFINE and n not in found:
                    for bare in (False, True):
                        core, scale, offset = self.core(n, bare)
                        if core is u:
                            found[n] = add(mul(scale, at), offset)
                            break
        return replace_scalars(node, found)

    def bend_in(self, node: Scalar, u: Scalar) -> Bend | None:
        r = range_of(u, self.facts)
        domain = "positive" if r.positive else "nonnegative" if r.nonnegative else "real"
        at = entry(var("_u", (), domain, "placeholder", uid=23))
        body = self.without(node, u, at)
        return None if self.moves(body) else bend_of(body, at, r, self.facts)

    # --- perspectives and entropies -----------------------------------------------------------------------------------

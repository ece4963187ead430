"""Functions that were written out are known by their names before they are differentiated.

log(sum exp u) is logsumexp(u), exp(u)/sum exp u is softmax(u), 1/(1 + exp(-z)) is sigmoid(z), log(1 + exp z) is
softplus(z): the gradient of a mixture then shows its responsibilities. Weights go into the exponent where they are
positive. log(prod u) is sum(log u), and functions of eigenvalues and determinants that have a shorter name get it.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from fractions import Fraction

from symgen.algebra.products import links_of
from symgen.tensor.expression import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    Add,
    Array,
    Entry,
    Expect,
    Fn,
    Fold,
    Index,
    Mul,
    Node,
    Num,
    Operation,
    Pow,
    Recurrence,
    Scalar,
    Sum,
    Tensor,
    add,
    as_coefficient,
    depends_on,
    entry,
    expect,
    fn,
    fold,
    fresh_index,
    mul,
    neg,
    open_sum,
    open_tensor,
    operation,
    power,
    rebuild,
    recurrence,
    substitute,
    tensor,
    total,
    walk,
)  # fmt: skip
from symgen.tensor.facts import Facts, is_nonnegative, is_positive, is_psd, is_spd, is_symmetric

__all__ = ["recognised"]

MULTIPLICATIVE = ("det", "logdet", "sqrtm")


def recognised(root: Array, x: Array, names: Mapping[Array, str], facts: Facts | None, made: MutableMapping[Array, str]) -> Array:
    """`root` with the functions named, to be differentiated by `x`; `made` gets the names of the new arrays."""
    if not any(_speaks(n) for n in walk(root)):
        return root
    memo: dict[Node, Node] = {}
    engine = _Recogniser(names, facts, x)
    for node in list(walk(root)):
        new = _renewed(node, memo)
        if isinstance(new, (Fn, Mul, Pow)):
            new = engine.rule(new)
        elif isinstance(new, Operation):
            new = _of_operation(new)
        elif isinstance(new, Sum):
            new = engine.of_eigenvalues(new)
        memo[node] = new
        if new is not node and isinstance(node, Array) and isinstance(new, Array) and node in names:
            made.setdefault(new, names[node])
            engine.known.add(new)
    found = memo[root]
    assert isinstance(found, Array)
    return found


def _speaks(node: Node) -> bool:
    """Whether a rule may begin at a node."""
    if isinstance(node, Operation):
        inner = node.operands[0]
        return node.name == "eigvals" or (node.name in MULTIPLICATIVE and isinstance(inner, (Operation, Tensor)))
    return (isinstance(node, Fn) and node.name == "exp") or (isinstance(node, Fold) and node.kind == "prod")


def _of_operation(node: Operation) -> Array:
    """det(expm(A)) = exp(tr A), det(cholesky(S)) = sqrt(det S), det(A^k) = det(A)^k, det(A B) = det(A) det(B) for square
    ones, and their logarithms; sqrtm(S S) = S."""
    inner = node.operands[0]
    if node.name not in MULTIPLICATIVE or node.rank != (2 if node.name == "sqrtm" else 0):
        return node
    if isinstance(inner, Tensor):
        return _of_product(node, inner)
    if not isinstance(inner, Operation) or node.name == "sqrtm":
        return node
    given = inner.operands[0]
    assert isinstance(given, Array)
    logarithm = node.name == "logdet"
    if inner.name == "expm":
        k = fresh_index(given.shape[0])
        trace = total(open_tensor(given, (k, k)), [k])
        return tensor((), trace if logarithm else fn("exp", trace))
    whole = entry(operation(node.name, (given,), ()))
    times = {"cholesky": HALF, "inv": MINUS_ONE}.get(inner.name)
    if inner.name == "matpow":
        k_th = inner.operands[1]
        times = open_tensor(k_th, ()) if isinstance(k_th, Array) else k_th  # type: ignore[assignment]
    if times is None:
        return node
    return tensor((), mul(times, whole) if logarithm else power(whole, times))


def _of_product(node: Operation, inner: Tensor) -> Array:
    chain = links_of(inner) if isinstance(inner.body, Sum) and inner.rank == 2 else None
    if chain is None or len(chain) < 2:
        return node
    if node.name == "sqrtm":
        (a, _), (b, _) = chain[0], chain[-1]
        return a if len(chain) == 2 and a is b and is_psd(a) else node
    if len({a for a, _ in chain}) == len(chain):
        return node  # each factor has a rule of its own already: the result is no shorter
    each = [entry(operation(node.name, (a,), ())) for a, _ in chain]
    return tensor((), add(*each) if node.name == "logdet" else mul(*each))


def _renewed(node: Node, memo: Mapping[Node, Node]) -> Node:
    old = node.args
    new = [memo.get(a, a) for a in old]
    if all(a is b for a, b in zip(old, new, strict=True)):
        return node
    if isinstance(node, Tensor):
        return tensor(node.axes, new[0])  # type: ignore[arg-type]
    if isinstance(node, (Sum, Fold)):
        fresh = {i: fresh_index(i.size) for i in node.indices}
        body, bound = substitute(new[0], fresh), list(fresh.values())
        return total(body, bound) if isinstance(node, Sum) else fold(node.kind, body, bound)
    if isinstance(node, Expect):
        return expect(new[0], node.noise, node.laws)  # type: ignore[arg-type]
    if isinstance(node, Recurrence):
        return recurrence(node.self_var, new[0], new[1:], node.reverse)  # type: ignore[arg-type]
    return rebuild(node, new)  # type: ignore[no-any-return]


class _Recogniser:
    def __init__(self, names: Mapping[Array, str], facts: Facts | None, x: Array) -> None:
        self.names, self.facts, self.x = names, facts, x
        self.known: set[Array] = set()

    def rule(self, node: Fn | Mul | Pow) -> Scalar:
        if isinstance(node, Fn):
            return (self.logarithm(node.args[0]) if node.name == "log" else None) or node
        if isinstance(node, Pow):
            u = self.one_plus_exp(node.base) if self.exponent(node) < 0 else None
            return power(fn("sigmoid", neg(self.plain(u))), neg(node.exponent)) if u is not None else node
        return self.quotient(node)

    def exponent(self, node: Pow) -> Fraction:
        e = node.exponent
        return e.value if isinstance(e, Num) and isinstance(e.value, Fraction) else Fraction(0)

    def of_eigenvalues(self, node: Sum) -> Scalar:
        """The sum of the eigenvalues is tr(A), that of their powers tr(A^k), that of their logarithms logdet(A)."""
        body, indices = open_sum(node)
        inner = self.opened(body)
        kind: str | int = "sum"
        if isinstance(inner, Pow) and inner.exponent is TWO:
            kind, inner = "squares", self.opened(inner.base)
        elif isinstance(inner, Pow) and self.exponent(inner) in range(-4, 9):
            kind, inner = int(self.exponent(inner)), self.opened(inner.base)
        elif isinstance(inner, Fn) and inner.name == "log":
            kind, inner = "logs", self.opened(inner.args[0])
        if not isinstance(inner, Entry) or len(indices) != 1 or inner.indices != (indices[0],):
            return node
        if not isinstance(inner.array, Operation) or inner.array.name != "eigvals":
            return node
        A = inner.array.operands[0]
        assert isinstance(A, Array)
        i, j = fresh_index(A.shape[0]), fresh_index(A.shape[0])
        if kind == "sum":
            return total(open_tensor(A, (i, i)), [i])
        if isinstance(kind, int):
            return self.of_powers(A, kind) or node
        if kind == "squares" and is_symmetric(A):
            return total(power(entry(A, i, j), TWO), [i, j])
        if kind == "logs" and is_spd(A):
            return entry(operation("logdet", (A,), ()))
        return node

    def of_powers(self, A: Array, k: int) -> Scalar | None:
        """tr(A^k), of a matrix that is symmetric, and definite for k < 0."""
        if not (is_spd(A) if k < 0 else is_symmetric(A)):
            return None
        base = operation("inv", (A,), A.shape) if k < 0 else A
        stops = [fresh_index(A.shape[0]) for _ in range(abs(k))]
        links = zip(stops, [*stops[1:], stops[0]], strict=True)
        return total(mul(*(open_tensor(base, link) for link in links)), stops)

    def is_weight(self, f: Scalar) -> bool:
        """Whether f may go into an exponent: positive, or not negative and constant in what is differentiated by."""
        constant = not depends_on(f, self.x)
        return bool(is_positive(f, self.facts)) or (constant and bool(is_nonnegative(f, self.facts)))

    def opened(self, x: Scalar) -> Scalar:
        """What an entry of a nameless array stands for."""
        while isinstance(x, Entry) and isinstance(x.array, Tensor):
            if x.array in self.names or x.array in self.known:
                break
            x = open_tensor(x.array, x.indices)
        return x

    def plain(self, u: Scalar) -> Scalar:
        """`u` written out where it is the negative of something, so that its negative is that."""
        inner = self.opened(u)
        return inner if as_coefficient(inner)[0] < 0 else u

    def one_plus_exp(self, x: Scalar) -> Scalar | None:
        """u with x = 1 + exp(u)."""
        x = self.opened(x)
        if isinstance(x, Add) and len(x.args) == 2 and ONE in x.args:
            other = self.opened(x.args[0] if x.args[1] is ONE else x.args[1])
            if isinstance(other, Fn) and other.name == "exp":
                exponent: Scalar = other.args[0]
                return exponent
        return None

    def exponents(self, x: Scalar) -> tuple[Scalar, Index, Sum] | None:
        """v and its index with x = sum exp(v), positive weights put in."""
        x = self.opened(x)
        if not isinstance(x, Sum) or len(x.indices) != 1:
            return None
        body, (i,) = open_sum(x)
        v = self.log_of_weights(body)
        return None if v is None or i not in v.free else (v, i, x)

    def log_of_weights(self, body: Scalar) -> Scalar | None:
        """v with body = exp(v), if there is an exp among the factors and the others are positive."""
        body = self.opened(body)
        parts: list[Scalar] = []
        found = False
        for f in body.args if isinstance(body, Mul) else (body,):
            inner = self.opened(f)
            if isinstance(inner, Fn) and inner.name == "exp":
                parts.append(inner.args[0])
                found = True
            elif isinstance(inner, Mul) and f is not inner and (v := self.log_of_weights(inner)) is not None:
                parts.append(v)
                found = True
            elif self.is_weight(f):
                base, e = (inner.base, inner.exponent) if isinstance(inner, Pow) else (f, ONE)
                parts.append(mul(e, fn("log", base)) if self.is_weight(base) else fn("log", f))
            else:
                return None
        return add(*parts) if found else None

    def logarithm(self, x: Scalar) -> Scalar | None:
        u = self.one_plus_exp(x)
        if u is not None:
            return fn("softplus", u)
        x = self.opened(x)
        if isinstance(x, Fold) and x.kind == "prod":
            body, indices = open_sum(x)
            return total(fn("log", body), indices) if is_positive(body, self.facts) else None
        factors = list(x.args) if isinstance(x, Mul) else [x]
        for f in factors:
            found = self.exponents(f)
            rest = [g for g in factors if g is not f]
            if found is not None and all(is_positive(g, self.facts) for g in rest):
                v, i, _ = found
                outer = sorted(v.free - {i}, key=lambda j: (j.kind, j.number))
                array = tensor((*outer, i), v)
                whole = entry(operation("logsumexp", (array,), array.shape[:-1]), *outer)
                return add(whole, *(fn("log", g) for g in rest))
        return None

    def quotient(self, node: Mul) -> Scalar:
        """exp(u)/(1 + exp(u)) and w exp(u)/sum(w exp(u))."""
        for f in node.args:
            if not isinstance(f, Pow) or f.exponent is not MINUS_ONE:
                continue
            found = self.exponents(f.base)
            if found is None:
                continue
            v, i, _ = found
            rest = [g for g in node.args if g is not f]
            made = self.softmax(rest, v, i)
            if made is not None:
                return made
            for g in rest:  # sum(a*exp(u))/sum(exp(u)): under the sum
                inner = self.opened(g)
                if isinstance(inner, Sum) and v.free - {i} <= g.free:
                    body, indices = open_sum(inner)
                    made = self.softmax(list(body.args) if isinstance(body, Mul) else [body], v, i)
                    if made is not None:
                        return mul(*(h for h in rest if h is not g), total(made, indices))
        for f in node.args:  # exp(u) sigmoid(-u) = sigmoid(u)
            if isinstance(f, Fn) and f.name == "sigmoid":
                for g in node.args:
                    inner = self.opened(g)
                    if isinstance(inner, Fn) and inner.name == "exp" and inner.args[0] is neg(f.args[0]):
                        return mul(*(h for h in node.args if h is not f and h is not g), fn("sigmoid", inner.args[0]))
        return node

    def softmax(self, factors: list[Scalar], v: Scalar, i: Index) -> Scalar | None:
        """The product of `factors` over the sum of exp(v) over i, if exp(v) at another index is among them."""
        own = self.matching(factors, v, i)
        if own is None:
            return None
        j, used = own
        outer = sorted(v.free - {i}, key=lambda a: (a.kind, a.number))
        array = tensor((*outer, i), v)
        left = [g for g in factors if g not in used]
        return mul(*left, entry(operation("softmax", (array,), array.shape), *outer, j))

    def matching(self, factors: list[Scalar], v: Scalar, i: Index) -> tuple[Scalar, list[Scalar]] | None:
        """The index j at which factors are exp(v[j]), and these factors."""
        heads = [f for f in factors if isinstance(self.opened(f), Fn) and self.opened(f).name == "exp"]  # type: ignore[attr-defined]
        for f in heads:
            inside = self.opened(f).args[0]
            for j in sorted(f.free - v.free, key=lambda a: (a.kind, a.number)):
                if j.size is not i.size:
                    continue
                weights = substitute(v, {i: j})
                used = [g for g in factors if g is f or (j in g.free and self.is_weight(g))]
                mine = self.log_of_weights(mul(*used))
                if mine is weights:
                    return j, used
                if inside is weights:
                    return j, [f]
        return None

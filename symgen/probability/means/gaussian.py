"""Normal laws of vectors: by completing the square, and of any graph whose means are linear in what is above them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from symgen.calculus.gradient import gradient, jacobian
from symgen.calculus.hessian import hessian
from symgen.derivation.context import Context
from symgen.probability.forms.collect import collected
from symgen.probability.forms.scaled import apart, inverse, scale_and_core, squared, unscaled
from symgen.probability.forms.terms import with_value
from symgen.probability.forms.walks import constants_opened
from symgen.probability.laws.elimination import Question, opened_in, with_values_in
from symgen.probability.laws.joint import full_law
from symgen.probability.laws.law import LAW, row_of, without_copies
from symgen.probability.means.conjugate import tidy
from symgen.tensor.expression import (
    MINUS_ONE,
    TWO,
    ZERO,
    Array,
    Fn,
    Fold,
    Index,
    Mul,
    Operation,
    Operator,
    Pow,
    Scalar,
    Var,
    Where,
    add,
    delta,
    entry,
    fn,
    fresh_index,
    mul,
    neg,
    open_tensor,
    operator,
    power,
    sub,
    substitute,
    tensor,
    total,
    variables_of,
    walk,
)  # fmt: skip

KINKED = ("abs", "sign", "floor", "relu", "leaky_relu", "max", "min", "clip", "elu")
GAUSSIAN = ("Normal", "MvNormal")


def free_name(wanted: str, ctx: Context, *roots: Array) -> str:
    """A name for an intermediate that nobody uses."""
    taken = {*ctx.taken, *ctx.all_names().values(), *(v.name for r in roots for v in variables_of(r))}
    name, k = wanted, 0
    while name in taken:
        k += 1
        name = f"{wanted}_{k}"
    return name


def named(array: Array, wanted: str, ctx: Context, *roots: Array, why: str = "") -> None:
    """Gives an intermediate a name, and says what it is. What is short enough needs none."""
    if isinstance(array, (Var, Operation)) or ctx.name_of(array) is not None:
        return
    name = free_name(wanted, ctx, array, *roots)
    ctx.trace.add("name", None, array, where=name, reason=f"named: {why}" if why else "")
    ctx.trace.names[array] = name


# --- completing the square --------------------------------------------------------------------------------------------


def is_kinked(body: Scalar, z: Var) -> bool:
    """Whether a function that is linear in pieces stands over z: its second derivative tells nothing."""
    return any(
        (isinstance(n, Fn) and n.name in KINKED or isinstance(n, (Where, Fold))) and z in variables_of(n) for n in walk(body)
    )


def by_completing_the_square(body: Scalar, z: Var, ctx: Context) -> Array | None:
    """A log-density quadratic in z: precision = -Hessian, mean = precision^-1 gradient at 0. A matrix z whose rows are
    apart is one normal vector per row.

    Bishop (2006), 2.3.3.
    """
    if z.rank not in (1, 2) or is_kinked(opened_in(body, z), z):
        return None
    f = tensor((), body)
    bend = hessian(f, z, ctx.quiet())
    if z in variables_of(bend):
        return None
    rows = [fresh_index(s) for s in z.shape[:-1]]
    size = z.shape[-1]
    i, j = fresh_index(size), fresh_index(size)
    if rows:
        other = fresh_index(rows[0].size)
        at = opened_in(open_tensor(bend, (rows[0], i, other, j)), z)
        own = apart(collected(at), rows[0], other)
        if own is None:
            return None
        curvature = collected(neg(own))
    else:
        curvature = collected(neg(open_tensor(bend, (i, j))))
    if curvature is ZERO:
        return None
    scaled = scale_and_core(tensor([i, j], curvature)) if not curvature.free - {i, j} else None
    if scaled is not None:
        curvature = mul(scaled[0], entry(scaled[1], i, j))
    slope = gradient(f, [z], ctx.quiet())[z]
    pull = collected(with_value(opened_in(open_tensor(slope, (*rows, i)), z), z, lambda *_: ZERO))
    precision = tensor([*(r for r in rows if r in curvature.free), i, j], curvature)
    covariance, at_covariance = inverse_of(precision, [r for r in rows if r in curvature.free])
    mean = tensor([*rows, j], collected(total(mul(at_covariance(j, i), pull), [i])))
    named(precision, "Lambda", ctx, f, why="the precision")
    named(mean, "m", ctx, f, precision, why="the mean")
    if rows:
        return operator("MvNormal", [mean, tensor([*rows, i, j], at_covariance(i, j))], z.shape, (LAW,))
    return operator("MvNormal", [mean, covariance, precision], z.shape, (LAW, "precision"))


def inverse_of(matrix: Array, batch: Sequence[Index] = ()) -> tuple[Array, Callable[[Scalar, Scalar], Scalar]]:
    """The inverse and its entries: of c A it is inv(A)/c, of a diagonal its reciprocals."""
    size = matrix.shape[-1]
    k, m = fresh_index(size), fresh_index(size)
    diagonal = apart(open_tensor(matrix, (*batch, k, m)), k, m)
    if diagonal is not None:
        at = diagonal
        made = tensor([*batch, k, m], mul(delta(k, m), power(at, MINUS_ONE)))
        return made, lambda a, b: mul(delta(a, b), power(substitute(at, {k: a}), MINUS_ONE))
    scaled = scale_and_core(matrix) if not batch else None
    if scaled is not None:
        inside, scale = inverse(scaled[1]), power(scaled[0], MINUS_ONE)
        made = tensor([k, m], mul(scale, entry(inside, k, m)))
        return made, lambda a, b: mul(scale, entry(inside, a, b))
    inverted = inverse(matrix)
    return inverted, lambda a, b: entry(inverted, *batch, a, b)


# --- graphs -----------------------------------------------------------------------------------------------------------

At = tuple[Index, ...]


def indices_of(v: Var) -> At:
    return tuple(fresh_index(s) for s in v.shape)


@dataclass
class Graph:
    """Means and covariances of normal variables, each linear in those before it: entries over the indices in `at`."""

    at: dict[Var, At] = field(default_factory=dict)
    mean: dict[Var, Scalar] = field(default_factory=dict)
    joint: dict[tuple[Var, Var], Scalar] = field(default_factory=dict)  # over at[u] and the twin of at[v]
    twin: dict[Var, At] = field(default_factory=dict)

    def covariance(self, u: Var, v: Var, rows: Sequence[Scalar], columns: Sequence[Scalar]) -> Scalar:
        if (u, v) in self.joint:
            where = dict(zip((*self.at[u], *self.twin[v]), (*rows, *columns), strict=True))
            made: Scalar = substitute(self.joint[u, v], where)
            return made
        if (v, u) in self.joint:
            return self.covariance(v, u, columns, rows)
        return ZERO

    def law_of(self, v: Var) -> Array | None:
        """The law of v: independent entries, one vector, or one vector per row."""
        at, twin = self.at[v], self.twin[v]
        spread = self.joint[v, v]
        single: Scalar | None = spread
        for a, b in zip(at, twin, strict=True):
            single = apart(single, a, b) if single is not None else None
        if single is not None:
            return operator("Normal", [tensor(at, self.mean[v]), tensor(at, root(single))], v.shape, (LAW,))
        if v.rank == 2:
            rows = apart(spread, at[0], twin[0])
            if rows is None:
                return None
            spread = rows
            if at[0] not in rows.free:  # one matrix for all rows
                spread = entry(tensor([at[1], twin[1]], rows), at[1], twin[1])
        elif v.rank != 1:
            return None
        matrix = tensor([*at, twin[-1]], spread)
        return operator("MvNormal", [tensor(at, self.mean[v]), matrix], v.shape, (LAW,))

    def conditioned(self, x: Var, value: Array, ctx: Context, names: bool) -> bool:
        """What is left to know once x is seen: m + C S^-1 (x - m_x), C - C S^-1 C'. Bishop (2006), 2.81, 2.82."""
        inside = self.inverse(x, ctx, names)
        if inside is None:
            return False
        at = self.at[x]
        fresh = tuple(fresh_index(i.size) for i in at)
        off = sub(open_tensor(value, fresh), substitute(self.mean[x], dict(zip(at, fresh, strict=True))))
        others = [v for v in self.at if v is not x]
        new_mean: dict[Var, Scalar] = {}
        new_joint: dict[tuple[Var, Var], Scalar] = {}
        gains: dict[Var, Callable[[At, At], Scalar]] = {}
        for v in others:

            def gain(rows: At, columns: At, v: Var = v) -> Scalar:
                mid = tuple(fresh_index(i.size) for i in at)
                return collected(total(mul(self.covariance(v, x, rows, mid), inside(mid, columns)), mid))

            gains[v] = gain
            moved = total(mul(gain(self.at[v], fresh), off), fresh)
            new_mean[v] = (tidy if not v.rank else collected)(add(self.mean[v], moved))
        for k, u in enumerate(others):
            for v in others[: k + 1]:
                mid = tuple(fresh_index(i.size) for i in at)
                less = total(mul(gains[u](self.at[u], mid), self.covariance(x, v, mid, self.twin[v])), mid)
                left = (tidy if not (u.rank or v.rank) else collected)(sub(self.covariance(u, v, self.at[u], self.twin[v]), less))
                if left is not ZERO:
                    new_joint[u, v] = left
        self.mean, self.joint = new_mean, new_joint
        self.at = {v: self.at[v] for v in others}
        return True

    def inverse(self, x: Var, ctx: Context, names: bool) -> Callable[[At, At], Scalar] | None:
        """Entries of the inverse covariance of x."""
        at, twin = self.at[x], self.twin[x]
        spread = self.joint.get((x, x), ZERO)
        single: Scalar | None = spread
        for a, b in zip(at, twin, strict=True):
            single = apart(single, a, b) if single is not None else None
        if single is not None:
            whole = single

            def diagonal(rows: At, columns: At) -> Scalar:
                same = mul(*(delta(a, b) for a, b in zip(rows, columns, strict=True)))
                return mul(same, power(substitute(whole, dict(zip(at, rows, strict=True))), MINUS_ONE))

            return diagonal
        if x.rank == 1:
            matrix = tensor([at[0], twin[0]], spread)
            if names:
                named(matrix, "S", ctx, why=f"the covariance of {x.name}")
            _, entry_at = inverse_of(matrix)
            return lambda rows, columns: entry_at(rows[0], columns[0])
        if x.rank == 2:
            block = apart(spread, at[0], twin[0])
            if block is None:
                return None
            batch = [at[0]] if at[0] in block.free else []
            matrix = tensor([*batch, at[1], twin[1]], block)
            if names:
                named(matrix, "S", ctx, why=f"the covariance of {x.name}")
            _, entry_at = inverse_of(matrix, batch)

            def rowwise(rows: At, columns: At) -> Scalar:
                one = entry_at(rows[1], columns[1])
                return mul(delta(rows[0], columns[0]), substitute(one, dict.fromkeys(batch, rows[0])))

            return rowwise
        return None


def root(x: Scalar) -> Scalar:
    """The square root of a variance; of s^2 it is s."""
    parts = []
    for f in x.args if isinstance(x, Mul) else (x,):
        if isinstance(f, Pow) and f.exponent is TWO:
            parts.append(f.base)
        else:
            return fn("sqrt", x)
    return mul(*parts)


def graph_of(q: Question, ctx: Context, fixed: Sequence[Var] = ()) -> Graph | None:
    """The means and covariances of all variables that the factors draw but those that are `fixed`; None where one is not
    normal, or its mean is not linear, or its spread hangs on others."""
    graph = Graph()
    drawn = {v for f in q.factors for v in f.variables if v not in fixed}
    for f in q.factors:
        if not drawn.intersection(f.variables):
            continue
        row = row_of(f.law)
        if row is None or row.name not in GAUSSIAN or len(f.variables) != 1:
            return None
        v = f.variables[0]
        given = {w: a for w, a in q.values.items() if w not in drawn}
        whole = full_law(with_values_in(f, given).law, v.shape)
        assert isinstance(whole, Operator)
        mean, scale = whole.args[0], whole.args[1]
        assert isinstance(mean, Array) and isinstance(scale, Array)
        parents = [u for u in graph.at if u in variables_of(mean)]
        if any(u in drawn for u in variables_of(scale)):
            return None
        at, twin = indices_of(v), indices_of(v)
        slopes: dict[Var, Array] = {}
        for u in parents:
            slope = jacobian(mean, u, ctx.quiet())
            opened = open_tensor(slope, [fresh_index(s) for s in slope.shape])
            if any(w in variables_of(opened) for w in drawn) or is_kinked(opened_in(open_tensor(mean, at), u), u):
                return None
            slopes[u] = slope
        constant = constants_opened(open_tensor(mean, at))
        for u in parents:
            constant = with_value(opened_in(constant, u), u, lambda *_: ZERO)

        def along(v_at: Sequence[Scalar], u: Var, u_at: Sequence[Scalar], slopes: dict[Var, Array] = slopes) -> Scalar:
            return open_tensor(slopes[u], (*v_at, *u_at))

        moved = [total(mul(along(at, u, graph.at[u]), graph.mean[u]), graph.at[u]) for u in parents]
        covariances: dict[Var, Scalar] = {}
        for w in list(graph.at):
            terms = []
            for u in parents:
                mid = indices_of(u)
                terms.append(total(mul(along(at, u, mid), graph.covariance(u, w, mid, graph.twin[w])), mid))
            made = collected(add(*terms))
            if made is not ZERO:
                covariances[w] = made
        if row.name == "Normal":
            noise = mul(squared(constants_opened(open_tensor(scale, at))), *(delta(a, b) for a, b in zip(at, twin, strict=True)))
        else:
            apart_rows = [delta(a, b) for a, b in zip(at[:-1], twin[:-1], strict=True)]
            noise = mul(unscaled(constants_opened(open_tensor(scale, (*at, twin[-1])))), *apart_rows)
        own = [noise]
        for u in parents:
            mid = indices_of(u)
            inner = substitute(covariances.get(u, ZERO), dict(zip(graph.twin[u], mid, strict=True)))
            own.append(total(mul(inner, along(twin, u, mid)), mid))
        graph.mean[v] = collected(add(constant, *moved))
        graph.joint.update({(v, w): c for w, c in covariances.items()})
        graph.joint[v, v] = collected(add(*own))
        graph.at[v], graph.twin[v] = at, twin
    return graph


def by_conditioning(q: Question, ctx: Context, names: bool = True) -> Array | None:
    """The law of the target in a linear-Gaussian graph: what was seen is put in, one variable after the other."""
    graph = graph_of(q, ctx)
    if graph is None:
        return None
    (z,) = q.targets
    for x in q.observed:
        if x in graph.at and not graph.conditioned(x, q.values.get(x, x), ctx, names):
            return None
    law = graph.law_of(z)
    if names and isinstance(law, Operator) and law.name == "MvNormal":
        mean, covariance = law.args
        assert isinstance(mean, Array) and isinstance(covariance, Array)
        named(mean, "m", ctx, why=f"the mean of {z.name}")
        named(without_copies(covariance, 2), "V", ctx, mean, why=f"the covariance of {z.name}")
    return law


def chain_of_laws(q: Question, ctx: Context) -> list[tuple[Var, Array]] | None:
    """p(x1) p(x2 | x1) .. of the targets of a linear-Gaussian graph, what else is drawn integrated out."""
    graph = graph_of(q, ctx)
    if graph is None:
        return None
    out = []
    for x in q.observed:
        if x in graph.at and not graph.conditioned(x, q.values.get(x, x), ctx, False):
            return None
    for x in q.targets:
        law = graph.law_of(x)
        if law is None:
            return None
        out.append((x, law))
        if x is not q.targets[-1] and not graph.conditioned(x, q.values.get(x, x), ctx, False):
            return None
    return out


__all__ = ["apart", "by_completing_the_square", "by_conditioning", "chain_of_laws", "graph_of"]

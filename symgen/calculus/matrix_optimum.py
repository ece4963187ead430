"""Optima over sets of matrices: positive definite ones, orthonormal columns, vectors on an ellipsoid.

Positive definite X: the gradient holds inv(X), and is multiplied by X from both sides, or solved for inv(X). On W'W = I
a function that is linear has its optimum at the polar factor of its gradient, a quadratic one at eigenvectors; on
x'Bx = c a quadratic form has it at a generalised eigenvector. Boyd and Vandenberghe (2004), 7.1; Higham (2008), 8;
Magnus and Neudecker (2019), 17.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from symgen.algebra.products import Used, merged_terms
from symgen.algebra.rational import simplify_scalar
from symgen.calculus.gradient import gradient, jacobian
from symgen.calculus.scalar_optimum import Task
from symgen.calculus.separate import separate, terms_of
from symgen.derivation.context import Context
from symgen.tensor.build import replace_scalars
from symgen.tensor.expression import (
    HALF,
    ONE,
    ZERO,
    Add,
    Array,
    Delta,
    Entry,
    Index,
    Mul,
    Operation,
    Pow,
    Scalar,
    Sum,
    Tensor,
    Var,
    add,
    as_coefficient,
    axis,
    compare,
    delta,
    depends_on,
    divide,
    entry,
    fresh_index,
    mul,
    neg,
    num,
    open_sum,
    open_tensor,
    operation,
    power,
    replace_arrays,
    sub,
    substitute,
    tensor,
    total,
    var,
    walk,
)  # fmt: skip
from symgen.tensor.facts import Facts, is_positive, is_spd, is_symmetric, is_zero
from symgen.tensor.scope import size_text
from symgen.text.diagnostics import CannotDerive

__all__ = ["on_an_ellipsoid", "over_positive_definite", "with_orthonormal_columns"]

Affine = Callable[[Task, Array, Scalar, list[Index]], Array]


def axes_of(x: Array) -> list[Index]:
    return [axis(k, s) for k, s in enumerate(x.shape)]


def product(*arrays: Array) -> Array:
    """The product of matrices, over common leading axes."""
    out = arrays[0]
    for b in arrays[1:]:
        lead = [fresh_index(s) for s in b.shape[:-2]]
        i, k, j = fresh_index(out.shape[-2]), fresh_index(b.shape[-2]), fresh_index(b.shape[-1])
        out = tensor((*lead, i, j), total(mul(entry(out, *lead, i, k), entry(b, *lead, k, j)), [k]))
    return out


def transposed(a: Array) -> Array:
    i, j = axis(0, a.shape[1]), axis(1, a.shape[0])
    return tensor((i, j), entry(a, j, i))


def scaled(c: Scalar, a: Array) -> Array:
    axes = axes_of(a)
    return tensor(axes, mul(c, open_tensor(a, axes)))


def symmetric_part(a: Array) -> Array:
    """(A + A')/2, or A where that is the same."""
    axes = axes_of(a)
    i, j = axes[-2:]
    body = oriented(open_tensor(a, axes))
    if is_symmetric(a):
        return tensor(axes, merged(body))
    flipped = substitute(body, {i: j, j: i})
    return tensor(axes, body) if flipped is body else tensor(axes, merged(simplify_scalar(mul(HALF, add(body, flipped)), None)))


def merged(body: Scalar) -> Scalar:
    """Like terms joined, the symmetry of matrices used: (C + C')/2 is C, (m - x)(x - m) is -(x - m)^2."""
    return merged_terms(oriented(body), (), Used(), lambda a: None)


def oriented(body: Scalar) -> Scalar:
    """Differences among the factors the same way round."""
    if isinstance(body, Add):
        return add(*(oriented(t) for t in body.args))
    if isinstance(body, Sum):
        inner, indices = open_sum(body)
        return total(oriented(inner), indices)
    if isinstance(body, Mul):
        sign, factors = 1, []
        for f in body.args:
            if isinstance(f, Entry) and isinstance(f.array, Tensor) and isinstance(f.array.body, Add):
                f = open_tensor(f.array, f.indices)
            if isinstance(f, Add) and f.free and _is_turned(f):
                sign, f = -sign, neg(f)
            factors.append(oriented(f) if isinstance(f, Sum) else f)
        return mul(num(sign), *factors)
    return body


def _is_turned(f: Add) -> bool:
    """Whether the data are subtracted, or of two parameters the older one: m - x for x - m."""

    def rank(term: Scalar) -> tuple[bool, int]:
        arrays = [n.array for n in walk(term) if isinstance(n, Entry)]
        given = any(isinstance(a, Var) and a.role == "data" for a in arrays)
        return not given, min((a.serial for a in arrays), default=0)

    return as_coefficient(min(f.args, key=rank))[0] < 0


def holds_operation(node: Scalar | Array, name: str, x: Var) -> bool:
    return any(isinstance(n, Operation) and n.name == name and depends_on(n, x) for n in walk(node))


# --- positive definite matrices ---------------------------------------------------------------------------------------


def over_positive_definite(task: Task, solved: Affine) -> Iterator[Array]:
    """X with G(X) = 0 where X G(X) X or G as a function of inv(X) is affine. `solved` is the zero of an affine gradient."""
    x = task.x
    if x.domain not in ("spd", "psd") or x.rank < 2 or task.constraints:
        return
    quiet = Context(facts=task.ctx.facts, names=task.ctx.names)
    slope = gradient(task.f, [x], quiet, "free")[x]
    axes = axes_of(x)
    task.ctx.trace.add("stationarity", task.f, slope, where=f"d/d{x.name}", reason=f"the gradient vanishes at the {task.word}")
    free = var(x.name, x.shape, "symmetric", "placeholder", uid=x.uid + 7000)
    if holds_operation(slope, "inv", x):
        for expand in (False, True):
            body = add(*(_between(x, t, axes, expand) for t in _spread(open_tensor(slope, axes))))
            body = simplify_scalar(separate(body, x), task.ctx.facts)
            if not holds_operation(body, "inv", x):
                break
        if not holds_operation(body, "inv", x):
            task.ctx.trace.add(
                "multiply", slope, tensor(axes, body), where=x.name, reason=f"multiplied by {x.name} from both sides"
            )
            plain = Task(task.f, free, (), 0, task.ctx)
            try:
                found = solved(plain, replace_arrays(tensor(axes, body), {x: free}), replace_arrays(body, {x: free}), axes)
            except CannotDerive:
                pass
            else:
                yield _told(task, symmetric_part(found))
        inverses = {n for n in walk(slope) if isinstance(n, Operation) and n.name == "inv" and n.operands[0] is x}
        turned = replace_arrays(slope, dict.fromkeys(inverses, free))  # type: ignore[arg-type]
        turned = tensor(axes, merged(open_tensor(turned, axes)))
        if not depends_on(turned, x):
            plain = Task(task.f, free, (), 0, task.ctx)
            body = separate(open_tensor(turned, axes), free)
            found = symmetric_part(solved(plain, turned, body, axes))
            task.ctx.trace.add("solve_stationarity", slope, found, where=f"inv({x.name})", reason="solved for the inverse")
            yield _told(task, operation("inv", (found,), x.shape))


def _spread(body: Scalar) -> list[Scalar]:
    """The terms of a sum, or of one with a factor before it."""
    sums = [f for f in body.args if isinstance(f, Add)] if isinstance(body, Mul) else []
    if len(sums) != 1:
        return list(terms_of(body))
    rest = mul(*(f for f in body.args if f is not sums[0]))
    return [mul(rest, t) for t in sums[0].args]


def _between(x: Var, term: Scalar, axes: list[Index], expand: bool) -> Scalar:
    """A term of the gradient, multiplied by X from both sides."""
    made = product(x, tensor(axes, term), x)
    return merged_terms(open_tensor(made, axes), (), Used(), lambda a: None, None, expand)


def _told(task: Task, found: Array) -> Array:
    if not is_spd(found, task.ctx.facts):
        task.ctx.trace.condition("the solution is positive definite")
        task.conditional = True
    task.ctx.trace.add(
        "solve_stationarity", task.f, found, where=task.x.name, reason=f"the {task.word}",
        source="Boyd and Vandenberghe (2004), 7.1.1",
    )  # fmt: skip
    return found


# --- orthonormal columns ----------------------------------------------------------------------------------------------


def with_orthonormal_columns(task: Task) -> Iterator[Array]:
    """W on W'W = I: the polar factor of a constant gradient, or eigenvectors of one that is H W."""
    x = task.x
    if x.rank != 2 or task.sign == 0:
        return
    if x.domain != "orthogonal" and not (len(task.constraints) == 1 and says_orthonormal(task.constraints[0], x)):
        return
    if x.domain == "orthogonal" and task.constraints:
        return
    if task.constraints and x.shape[0] is not x.shape[1]:
        told = compare("<=", x.shape[1], x.shape[0])
        task.facts = (task.ctx.facts or Facts()).with_assumption(told)
        task.ctx.trace.condition(f"{size_text(x.shape[1])} <= {size_text(x.shape[0])}")
    quiet = Context(facts=task.ctx.facts, names=task.ctx.names)
    known = var(x.name, x.shape, "orthogonal", x.role, uid=x.uid + 9000)
    body = separate(entry(replace_arrays(task.f, {x: known})), known)
    used = Used()
    flat = merged_terms(body, (), used, lambda a: x.name, None, True)
    f = replace_arrays(tensor((), flat), {known: x})
    slope = gradient(f, [x], quiet, "free")[x]
    if not depends_on(slope, x):
        task.ctx.trace.add(
            "stationarity", task.f, slope, where=f"d/d{x.name}",
            reason=f"on {x.name}'{x.name} = I the function is linear: its gradient",
        )  # fmt: skip
        toward = slope if task.sign > 0 else scaled(num(-1), slope)
        toward = tensor(axes_of(x), _without_scale(open_tensor(toward, axes_of(x)), task))
        found: Array = operation("polar", (toward,), x.shape)
        task.ctx.trace.condition("the gradient has full rank")
        task.ctx.trace.add(
            "solve_stationarity", slope, found, where=x.name, reason="the polar factor U V' of U S V'",
            source="Higham (2008), theorem 8.4",
        )  # fmt: skip
        _with_multiplier(task, found)
        yield found
        return
    second = jacobian(slope, x, quiet, "free")
    if depends_on(second, x):
        return
    rows, columns = axes_of(x), [axis(2 + k, s) for k, s in enumerate(x.shape)]
    acting = _acting_on_columns(open_tensor(second, [*rows, *columns]), rows, columns)
    zero = replace_arrays(open_tensor(slope, rows), {x: lambda *_: ZERO})
    if acting is None or simplify_scalar(zero, task.ctx.facts) is not ZERO:
        return
    i, j = fresh_index(x.shape[0]), fresh_index(x.shape[0])
    body = substitute(acting, {rows[0]: i, columns[0]: j})
    matrix, turned = _plain(tensor((i, j), simplify_scalar(body, task.ctx.facts)), task)
    vectors = operation("eigvecs", (matrix,), (x.shape[0], x.shape[0]))
    a, b = axes_of(x)
    place = add(b, sub(x.shape[0], x.shape[1])) if task.sign * turned > 0 else b
    found = tensor((a, b), entry(vectors, a, place))
    which = "largest" if task.sign * turned > 0 else "least"
    task.ctx.trace.condition("the eigenvalues are simple; any rotation of the columns does as well")
    task.ctx.trace.add(
        "solve_stationarity", slope, found, where=x.name, reason=f"the eigenvectors of the {which} eigenvalues",
        source="Magnus and Neudecker (2019), 17.4",
    )  # fmt: skip
    _with_multiplier(task, found)
    yield found


def _with_multiplier(task: Task, found: Array) -> None:
    """The symmetric multiplier of W'W - I: -W'G/2 for the gradient G of the function at the solution."""
    if not task.constraints:
        return
    x, (c,) = task.x, task.constraints
    slope = gradient(task.f, [x], Context(facts=task.ctx.facts), "free")[x]
    made = replace_arrays(scaled(num(Fraction(-says_orthonormal(c, x), 2)), product(transposed(x), slope)), {x: found})
    task.multipliers = {var("lambda", c.shape, "real", "placeholder", uid=13): made}


def says_orthonormal(constraint: Array, x: Var) -> int:
    """1 where a constraint is W'W - I, -1 where it is I - W'W, else 0."""
    if constraint.rank != 2:
        return 0
    i, j = axes_of(constraint)
    body = separate(open_tensor(constraint, (i, j)), x)
    k = fresh_index(x.shape[0])
    wanted = sub(total(mul(entry(x, k, i), entry(x, k, j)), [k]), delta(i, j))
    if simplify_scalar(sub(body, wanted), None) is ZERO:
        return 1
    return -1 if simplify_scalar(add(body, wanted), None) is ZERO else 0


def _acting_on_columns(second: Scalar, rows: list[Index], columns: list[Index]) -> Scalar | None:
    """H where the Jacobian of the gradient is H[i, k] Delta(j, l)."""
    out = []
    for t in terms_of(second):
        factors = t.args if isinstance(t, Mul) else (t,)
        rest = [f for f in factors if not (isinstance(f, Delta) and set(f.args) == {rows[1], columns[1]})]
        if len(rest) == len(factors):
            return None
        out.append(mul(*rest))
    return add(*out)


def _without_scale(body: Scalar, task: Task) -> Scalar:
    """`body` without a positive factor that does not vary: it changes neither eigenvectors nor polar factors."""
    factors = body.args if isinstance(body, Mul) else (body,)
    varying = [f for f in factors if f.free]
    constant = mul(*(f for f in factors if not f.free))
    if not varying or constant is ONE:
        return body
    if is_positive(constant, task.ctx.facts):
        return mul(*varying)
    if is_positive(neg(constant), task.ctx.facts):
        return neg(mul(*varying))
    return body


# --- quadratic forms on an ellipsoid ----------------------------------------------------------------------------------


def on_an_ellipsoid(task: Task) -> Iterator[Array]:
    """x at which x'Ax is greatest or least on x'Bx = c, or x'Ax/x'Bx: sqrt(c) times a generalised eigenvector."""
    x, facts = task.x, task.ctx.facts
    if x.rank != 1 or len(task.constraints) > 1 or task.sign == 0 or x.domain != "real":
        return
    quiet = Context(facts=facts, names=task.ctx.names)
    found = _forms(task, quiet)
    if found is None:
        return
    A, B, radius = found
    i, j = axis(0, x.shape[0]), axis(1, x.shape[0])
    b = open_tensor(B, (i, j))
    factors = b.args if isinstance(b, Mul) else (b,)
    n = x.shape[0]
    back: Array | None = None
    if delta(i, j) in factors:
        square = divide(radius, mul(*(f for f in factors if f is not delta(i, j))))
        matrix, turned = _plain(A, task)
    elif is_spd(B, facts):
        back = operation("inv", (operation("cholesky", (B,), (n, n)),), (n, n))
        square = radius
        matrix, turned = _plain(product(back, A, transposed(back)), task)
    else:
        return
    vectors = operation("eigvecs", (matrix,), (n, n))
    place = sub(n, ONE) if task.sign * turned > 0 else ZERO
    k = fresh_index(n)
    body = entry(vectors, i, place) if back is None else total(mul(entry(back, k, i), entry(vectors, k, place)), [k])
    solved = tensor((i,), mul(power(square, HALF), body))
    which = "largest" if task.sign * turned > 0 else "least"
    task.ctx.trace.add(
        "stationarity", task.f, matrix, where=f"d/d{x.name}",
        reason="the gradient of the Lagrangian vanishes: an eigenvector of this matrix",
    )  # fmt: skip
    if task.constraints:  # lambda = -<x, df>/<x, dc> at the solution
        slopes = [gradient(a, [x], quiet, "free")[x] for a in (task.f, task.constraints[0])]
        top, bottom = (total(mul(entry(x, i), open_tensor(a, [i])), [i]) for a in slopes)
        value = replace_arrays(tensor((), neg(divide(top, bottom))), {x: solved})
        task.multipliers = {var("lambda", (), "real", "placeholder", uid=13): value}
    others = "the negative of the vector does" if task.constraints else "its multiples do"
    task.ctx.trace.condition(f"the {which} eigenvalue is simple; {others} as well")
    task.ctx.trace.add(
        "solve_stationarity", task.f, solved, where=x.name, reason=f"the eigenvector of the {which} eigenvalue",
        source="Magnus and Neudecker (2019), 17.2",
    )  # fmt: skip
    yield solved


def _forms(task: Task, ctx: Context) -> tuple[Array, Array, Scalar] | None:
    """A, B and c where x'Ax stands on x'Bx = c, or is divided by x'Bx (then c = 1)."""
    x = task.x
    if not task.constraints:
        body = open_tensor(task.f, ())
        factors = body.args if isinstance(body, Mul) else (body,)
        below = [power(f, num(-1)) for f in factors if isinstance(f, Pow) and depends_on(f, x) and f.exponent is num(-1)]
        if not below:
            return None
        above = [f for f in factors if not (isinstance(f, Pow) and power(f, num(-1)) in below)]
        forms = [_quadratic(tensor((), mul(*part)), x, ctx) for part in (above, below)]
        if forms[0] is None or forms[1] is None or not (is_zero(forms[0][1]) and is_zero(forms[1][1])):
            return None
        return forms[0][0], forms[1][0], ONE
    (c,) = task.constraints
    border = None if c.rank else _quadratic(c, x, ctx)
    if border is None:
        return None
    form = _quadratic(task.f, x, ctx) or _quadratic(_on_the_sphere(task, border), x, ctx)
    return None if form is None else (form[0], border[0], neg(border[1]))


def _on_the_sphere(task: Task, border: tuple[Array, Scalar]) -> Array:
    """The function multiplied out, x'x replaced by what the constraint says it is."""
    x = task.x
    i, j = axes_of(border[0])
    b = open_tensor(border[0], (i, j))
    factors = b.args if isinstance(b, Mul) else (b,)
    if delta(i, j) not in factors:
        return task.f
    square = divide(neg(border[1]), mul(*(f for f in factors if f is not delta(i, j))))
    flat = merged_terms(separate(entry(task.f), x), (), Used(), lambda a: None, None, True)
    k = fresh_index(x.shape[0])
    unit = total(power(entry(x, k), num(2)), [k])
    return tensor((), simplify_scalar(replace_scalars(flat, {unit: square}), task.ctx.facts))


def _plain(a: Array, task: Task) -> tuple[Array, int]:
    """The symmetric part without a positive factor; and -1 where its sign was turned."""
    part = symmetric_part(a)
    axes = axes_of(part)
    body = _without_scale(open_tensor(part, axes), task)
    turned = as_coefficient(body)[0] < 0
    return tensor(axes, neg(body) if turned else body), -1 if turned else 1


def _quadratic(f: Array, x: Var, ctx: Context) -> tuple[Array, Scalar] | None:
    """A and c with f(x) = x'Ax + c, or None."""
    slope = gradient(f, [x], ctx, "free")[x]
    second = jacobian(slope, x, ctx, "free")
    if depends_on(second, x):
        return None
    axes = axes_of(x)
    zero = replace_arrays(open_tensor(slope, axes), {x: lambda *_: ZERO})
    if simplify_scalar(zero, ctx.facts) is not ZERO:
        return None
    constant = simplify_scalar(replace_arrays(open_tensor(f, ()), {x: lambda *_: ZERO}), ctx.facts)
    rows = axes_of(second)
    return tensor(rows, merged(simplify_scalar(mul(HALF, open_tensor(second, rows)), ctx.facts))), constant

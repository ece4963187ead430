"""The law of f(x) for a vector x: of the table where it is one, else its density by the change of variables.

p(y) = p(x(y)) |det dx/dy| for a function that is taken apart into stages, each with its inverse and its determinant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from symgen.derivation.context import Context
from symgen.probability.families.texts import read_array, scalar_text
from symgen.probability.forms.collect import collected
from symgen.probability.forms.flow_maps import needs_of
from symgen.probability.forms.inversion import NoInverse, inverse_of
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.terms import depends_on_any, opened, with_value
from symgen.probability.forms.vector_maps import NUMBER, Entries, Linear, Stage, stages_of
from symgen.probability.forms.walks import constants_opened
from symgen.probability.laws.combinators import (
    ENDS_OF_WORDS,
    FAMILIES_OF_IMAGES,
    IMAGES,
    LOCATION_AND_SCALE,
    MINUS_INF,
    VECTORS,
    image_of,
    is_vector_image,
)  # fmt: skip
from symgen.probability.laws.densities import entry_log_density, log_density_at, parameters
from symgen.probability.laws.intervals import slope_in
from symgen.probability.laws.law import LAW, LawError, formula_law, parameters_of, row_of, value_domain
from symgen.tensor import build
from symgen.tensor.evaluate import NotEvaluable, Point, evaluate
from symgen.tensor.expression import (
    INF,
    ONE,
    TWO,
    ZERO,
    Array,
    Entry,
    Fn,
    Num,
    Operator,
    Scalar,
    Tensor,
    Var,
    add,
    compare,
    entry,
    fold,
    fresh_index,
    logic,
    mul,
    neg,
    open_tensor,
    operator,
    power,
    sub,
    tensor,
    total,
    var,
    variables_of,
    where,
)  # fmt: skip
from symgen.tensor.facts import is_positive, range_of
from symgen.tensor.sample import generator, random_point, random_sizes, sizes_in

__all__ = ["Image", "are_met", "image_in_parts", "is_vector_image", "transformed_vector"]

AFFINE_FAMILIES = ("MvNormal", "MultivariateT")
POINTS = 40
SCALES = tuple(10.0**k for k in (-2, -1, 0, 0, 0, 1, 2) for _ in range(4))
LOGARITHMS: Mapping[tuple[str, str], str] = {("MvNormal", "exp"): "MvLogNormal", ("MvLogNormal", "log"): "MvNormal"}


def argument(law: Array) -> Var:
    """The vector that a function is of."""
    word = value_domain(law)
    return var("x", law.shape, word if word in ENDS_OF_WORDS else "real", "placeholder", uid=4)


class Image:
    """y = f(x), x from a law of the table: `forward` is f of `x`, `log_slope` log |det df/dx|."""

    def __init__(self, x: Var, forward: Array, inner: Array, log_slope: Array) -> None:
        self.x, self.forward, self.inner, self.log_slope = x, forward, inner, log_slope

    def at(self, v: Var) -> tuple[Array, Array]:
        """f and log |det df/dx| at a draw of the inner law."""
        indices = [fresh_index(s) for s in self.forward.shape]
        value = with_value(open_tensor(self.forward, indices), self.x, lambda *at: entry(v, *at))
        slope = with_value(open_tensor(self.log_slope, ()), self.x, lambda *at: entry(v, *at))
        return tensor(indices, value), tensor((), slope)

    def preimage_of(self, y: Array) -> Var | None:
        """The variable x of which y is the image, where that is how y is written."""
        at = [fresh_index(s) for s in y.shape]
        for x in variables_of(y):
            hangs = depends_on_any(frozenset((x,)))
            if x.shape == self.x.shape and opened(open_tensor(self.at(x)[0], at), hangs) is opened(open_tensor(y, at), hangs):
                return x
        return None

    def is_of_one_map(self, other: Image) -> bool:
        return self.x is other.x and self.forward is other.forward


def image_in_parts(law: Array) -> Image | None:
    """What a law that is an image is made of; None of other laws."""
    if is_vector_image(law):
        assert isinstance(law, Operator)
        inner, forward, slope = law.operands[1:4]
        assert isinstance(inner, Array) and isinstance(forward, Array) and isinstance(slope, Array)
        return Image(argument(inner), forward, inner, slope)
    found = image_of(law)
    if found is None:
        return None
    f, inner = found
    x = argument(inner)
    know = Knowledge(Context())
    if x.domain == "positive" or is_positive(entry(x)):
        know.assume_positive(entry(x))
    body = f(entry(x))
    try:
        made = inverse_of(body, x, entry(var("y", (), "real", "placeholder", uid=3)), know)
    except NoInverse:
        return None
    return Image(x, tensor((), body), inner, tensor((), made.forward))


def are_met(needs: Sequence[Scalar], x: Var, point: Point, rng: np.random.Generator) -> bool:
    """Whether they hold at many x."""
    shape = np.shape(point.values[x])
    for scale in SCALES:
        at = Point(point.sizes, {**point.values, x: np.abs(point.values[x]) * scale * rng.normal(size=shape)})
        if not all(evaluate([tensor((), need)], at)[0] for need in needs):
            return False
    return True


def _is_met_somewhere(needs: Sequence[Scalar], x: Var) -> bool:
    """Whether there are parameters at which a map has an inverse, among those that are looked at."""
    needed = [tensor((), n) for n in needs]
    variables = [x, *(v for v in dict.fromkeys(v for n in needed for v in variables_of(n)) if v is not x)]
    rng = generator("inverse", *sorted(v.name for v in variables))
    sizes_of = sizes_in(needed, variables)
    for _ in range(POINTS):
        sizes = random_sizes(sizes_of, {}, rng, (), largest=4)
        point = random_point(variables, sizes, rng, 0, ()) if sizes is not None else None
        try:
            if point is not None and are_met(needs, x, point, rng):
                return True
        except NotEvaluable:
            return True  # not looked at
    return False


# --- making one -------------------------------------------------------------------------------------------------------


def transformed_vector(law: Array, f: Callable[[Array], build.Value]) -> Array:
    """The law of f(x) for the draws x of a law of vectors."""
    x, before, links = argument(law), None, list[Array]()
    if is_vector_image(law):  # of what was mapped to it
        assert isinstance(law, Operator)
        before, links = law.operands[2], [a for a in law.operands[4:] if isinstance(a, Array)]
        law = law.operands[1]
        assert isinstance(law, Array) and isinstance(before, Array)
    row = row_of(law)
    if row is None or law.rank != 1 or row.region.kind not in ("interval", "vectors", "positives"):
        raise LawError("a law of a real number or of a real vector is needed here")
    value = f(x)
    if value.rank != 1:
        raise LawError("a function of a vector that has an inverse gives a vector")
    (i,), body = value.indices, value.body
    links.append(tensor([i], with_value(body, x, lambda *at: entry(_linked(law.shape), *at))))
    if before is not None:
        inside = before
        body, x = with_value(body, x, lambda *at: open_tensor(inside, at)), argument(law)
    whole = tensor([i], body)
    try:
        stages = _one_after_the_other(whole, x, links)
        first = law
        while stages:
            made = absorbed(law, stages[0])
            if made is None:
                break
            law = made
            stages.pop(0)
        return law if not stages else _with_density(law, stages, whole if law is first else None, links)
    except NoInverse as why:
        raise LawError(f"this function has no inverse here: {why}") from None


def _linked(shape: Sequence[Scalar]) -> Var:
    """What a function within a chain of them is of."""
    return var("x", tuple(shape), "real", "placeholder", uid=9)


def _one_after_the_other(whole: Array, x: Var, links: Sequence[Array]) -> list[Stage]:
    """The stages of a function, or those of the functions that it was put together from."""

    def of(f: Array, x: Var) -> list[Stage]:
        i = fresh_index(f.shape[0])
        return stages_of(open_tensor(f, (i,)), i, x)

    try:
        return of(whole, x)
    except NoInverse:
        if len(links) == 1:
            raise
        return [s for f in links for s in of(f, _linked(f.shape))]


def absorbed(law: Array, stage: Stage) -> Array | None:
    """The law of the table that the image under one stage is."""
    row = row_of(law)
    assert row is not None and isinstance(law, Operator)
    if isinstance(stage, Linear):
        return _under_a_matrix(law, stage)
    if not isinstance(stage, Entries):
        return None
    i = fresh_index(law.shape[0])
    body = stage.at(entry(NUMBER), i)
    name = body.name if isinstance(body, Fn) and body.args == (entry(NUMBER),) else ""
    if (row.name, name) in LOGARITHMS:
        return operator(LOGARITHMS[row.name, name], law.args, law.shape, law.attrs)
    line = slope_in(body, _number())
    know = Knowledge(Context())
    if row.name in AFFINE_FAMILIES:
        if line is None or know.positive(line[0]) is not True:
            return None
        scale, shift = tensor([i], line[0]), tensor([i], line[1])
        p = parameters_of(law)
        scope = {**p, "s": scale, "b": shift}
        moved = {"mu": read_array("s*mu + b", scope), "Sigma": read_array("outer(s, s)*Sigma", scope)}
        return operator(row.name, [moved.get(n, p[n]) for n in row.parameters], law.shape, (LAW,))
    if not row.is_univariate or row.shapes:
        return None
    scope_i = parameters(law, Context()).scalars((i,))
    family = FAMILIES_OF_IMAGES.get((row.name, name))
    if family is not None:
        return operator(family[0], [tensor([i], scalar_text(t, scope_i)) for t in family[1]], law.shape, (LAW,))
    if line is None or row.name not in LOCATION_AND_SCALE or know.positive(line[0]) is not True:
        return None
    locations, scales = LOCATION_AND_SCALE[row.name]
    slope, shift_i = line
    texts = [
        add(shift_i, mul(slope, scope_i[n])) if n in locations else mul(slope, scope_i[n]) if n in scales else scope_i[n]
        for n in row.parameters
    ]
    return operator(row.name, [tensor([i], t) for t in texts], law.shape, (LAW,))


def _under_a_matrix(law: Operator, stage: Linear) -> Array | None:
    row = row_of(law)
    assert row is not None
    if row.name not in (*AFFINE_FAMILIES, "Normal"):
        return None
    rows, columns = stage.matrix.shape
    numbers = [s.rational for s in (rows, columns) if isinstance(s, Num) and s.rational is not None]
    fewer = len(numbers) == 2 and numbers[0] < numbers[1]
    if not stage.is_square and not fewer:
        raise NoInverse("the matrix has more rows than columns, or may have: the image has no density")
    p = parameters_of(law)
    i, k, j = fresh_index(rows), fresh_index(rows), fresh_index(columns)
    mean = tensor([i], collected(stage.apply(lambda at: _entry_of(p["mu"], at), i)))
    if row.name == "Normal":
        spread = mul(entry(stage.matrix, i, j), power(_entry_of(p["sigma"], j), TWO), entry(stage.matrix, k, j))
        return operator("MvNormal", [mean, tensor([i, k], total(spread, [j]))], (rows,), (LAW,))
    covariance = read_array("A @ Sigma @ A'", {"Sigma": p["Sigma"], "A": stage.matrix})
    moved = {"mu": mean, "Sigma": covariance}
    return operator(row.name, [moved.get(n, p[n]) for n in row.parameters], (rows,), (LAW,))


def _entry_of(a: Array, i: Scalar) -> Scalar:
    """An entry of what has a name, else its formula."""
    return constants_opened(open_tensor(a, (i,))) if isinstance(a, Tensor) else entry(a, i)


def _number() -> Entry:
    made = entry(NUMBER)
    assert isinstance(made, Entry)
    return made


def _with_density(law: Array, stages: list[Stage], written: Array | None, links: Sequence[Array]) -> Array:
    """The density of the image by its inverse; `written`: what it is an image under, if no stage was absorbed."""
    x = argument(law)
    size = law.shape[0]
    if any(isinstance(s, Linear) and not s.is_square for s in stages):
        raise NoInverse("a matrix within it is not square")
    values: list[Array] = [x]  # what goes into each stage, and comes out of the last
    for stage in stages:
        i = fresh_index(size)
        inside = values[-1]
        if isinstance(stage, Entries):
            values.append(tensor([i], stage.at(entry(inside, i), i)))
        else:
            values.append(tensor([i], stage.apply(partial(entry, inside), i)))
    positive = [x.domain in ("positive", "unit")]
    for stage in stages:
        positive.append(isinstance(stage, Entries) and bool(is_positive(stage.body)))
    last = stages[-1]
    r = range_of(last.body) if isinstance(last, Entries) else None
    word = "real" if r is None or not r.positive else "unit" if r.high is not None and r.high <= 1 else "positive"
    y = var("x", law.shape, word, "placeholder", uid=3)
    now: Array = y
    slopes: list[Scalar] = []
    forward: list[Scalar] = []
    conditions: list[Scalar] = []
    for k in range(len(stages) - 1, -1, -1):
        stage, i = stages[k], fresh_index(size)
        if isinstance(stage, Entries):
            know = Knowledge(Context())
            found = stage.inverse(entry(now, i), i, positive[k], know)
            conditions += [fold("min", where(c, ONE, ZERO), [i]) for c in found.conditions]
            slopes.append(total(found.log_slope, [i]))
            inside = values[k]
            forward.append(total(with_value(found.forward, NUMBER, lambda *_, a=inside, i=i: entry(a, i)), [i]))
            now = tensor([i], found.value)
        elif not isinstance(stage, Linear):
            after, now = now, stage.undo(now)
            slopes.append(neg(stage.log_slope_of(after, now, Knowledge(Context()))))
            forward.append(stage.log_slope(values[k], Knowledge(Context())))
        else:
            matrix = build.of_array(stage.matrix)
            left = build.Value((i,), sub(entry(now, i), _entry_of(stage.shift, i)))
            now = build.matmul(build.inverse(matrix), left).array()
            size_of = build.determinant(matrix, "logdet").body
            slopes.append(neg(size_of))
            forward.append(size_of)
    body = add(_log_density(law, now, conditions), *slopes)
    if conditions:
        inside_all = logic("and", *(compare("==", c, ONE) for c in conditions))
        body = where(inside_all, body, MINUS_INF)
    needs = [n for _, n in needs_of(tensor((), add(*forward)), x, Context())]
    if needs and not _is_met_somewhere(needs, x):
        raise NoInverse("it folds over at all parameters that were looked at")
    plain = formula_law(y, tensor((), body), "", "", True)
    assert isinstance(plain, Operator)
    whole = [law, _opened(written or values[-1]), tensor((), add(*forward)), *links]
    return operator("formula", (*plain.args, *whole), law.shape, (*plain.attrs, (IMAGES, VECTORS)))


def _opened(a: Array) -> Array:
    indices = [fresh_index(s) for s in a.shape]
    return tensor(indices, open_tensor(a, indices))


def _log_density(law: Array, value: Array, conditions: list[Scalar]) -> Scalar:
    """log p(x), and what x must satisfy."""
    row = row_of(law)
    assert row is not None
    if row.is_univariate and not row.shapes and row.region.kind == "interval":
        i = fresh_index(law.shape[0])
        scope = parameters(law, Context()).scalars((i,))
        low, high = (scalar_text(t, scope) for t in (row.region.low, row.region.high))
        at = _entry_of(value, i)
        know = Knowledge(Context())
        ends = [compare("<", low, at)] if low is not MINUS_INF and know.positive(sub(at, low)) is not True else []
        ends += [compare("<", at, high)] if high is not INF and know.positive(sub(high, at)) is not True else []
        conditions += [fold("min", where(c, ONE, ZERO), [i]) for c in ends]
        return total(entry_log_density(law, at, (i,), Context()), [i])
    if row.region.kind == "positives":
        i = fresh_index(law.shape[0])
        at = _entry_of(value, i)
        if is_positive(at) is not True:
            conditions.append(fold("min", where(compare("<", ZERO, at), ONE, ZERO), [i]))
    return log_density_at(law, value, Context())

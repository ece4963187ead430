"""Means, entropies and divergences over images: E g(y) = E g(f(x)), H(y) = H(x) + E log |det df/dx| for y = f(x)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symgen.calculus.root import by_halving
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.probability.divergences.divergence import ExpectationStays, aligned, bound_of, rank_zero
from symgen.probability.forms.flow_maps import needs_of
from symgen.probability.laws.densities import log_density_at
from symgen.probability.laws.joint import (
    DistRef,
    covariance,
    decode,
    divergence,
    draws_of,
    entropy,
    expectation,
    factor_log_density,
    inline,
    opened_expectation,
    variance,
)  # fmt: skip
from symgen.probability.laws.law import row_of, value_domain
from symgen.probability.laws.vector_images import Image, are_met, image_in_parts, is_vector_image
from symgen.probability.means.support import image_within, without_support
from symgen.tensor.evaluate import NotEvaluable, Point, evaluate
from symgen.tensor.expression import (
    Array,
    Operation,
    Operator,
    Scalar,
    Tensor,
    Var,
    add,
    neg,
    open_tensor,
    replace_arrays,
    scalar_of,
    sub,
    tensor,
    var,
    variables_of,
    walk,
)  # fmt: skip
from symgen.tensor.facts import Facts
from symgen.tensor.sample import generator, random_point, random_sizes, sizes_in
from symgen.text.diagnostics import CannotDerive

__all__ = ["on_what_is_mapped", "over_preimages", "with_images_opened"]

HERE = "symgen/probability/divergences/images.py"
Engine = Callable[[Operator, Context], Any]
INVERTIBLE = ("lower", "spd", "orthogonal")
POINTS, ENOUGH = 40, 4
STEP = 1e-5
MAPPED = "an image has the means of what is mapped to it"


def over_preimages(engine: Engine) -> Engine:
    """The engine of a mean on the draws that are mapped, where a law is the image of a vector."""

    def run(op: Operator, ctx: Context) -> Any:
        return engine(on_what_is_mapped(op, ctx, is_vector_image), ctx)

    return run


def on_what_is_mapped(op: Operator, ctx: Context, which: Callable[[Array], bool]) -> Operator:
    """E, Var or Cov over the draws that are mapped, of the laws that are asked for."""
    bodies, draws = opened_expectation(op)
    new: list[tuple[Var, Array]] = []
    for k, (v, law) in enumerate(draws):
        image = image_in_parts(law) if which(law) else None
        if image is None:
            new.append((v, law))
            continue
        assert isinstance(law, Operator)
        _ask(law, image, ctx)
        x = var(v.name, v.shape, value_domain(image.inner), "random", v.domain_args, v.uid)
        forward, slope = image.at(x)
        bodies = [_mapped(b, v, law, image, x, forward, slope) for b in bodies]
        rest = draws[k + 1 :]
        draws[k + 1 :] = [(w, replace_arrays(other, {v: forward})) for w, other in rest]
        new.append((x, image.inner))
    if all(law is other for (_, law), (_, other) in zip(draws, new, strict=True)):
        return op
    if op.name == "E":
        made = expectation(bodies[0], new)
    else:
        made = variance(bodies[0], new) if op.name == "Var" else covariance(bodies[0], bodies[1], new)
    assert isinstance(made, Operator)
    ctx.trace.add("image", op, made, reason=MAPPED)
    return made


def _mapped(body: Array, v: Var, law: Operator, image: Image, x: Var, forward: Array, slope: Array) -> Array:
    """`body` at y = f(x); the log-density of an image under the same f is that of what is mapped, less the slope."""
    put: dict[Array, Array] = {}
    for n in walk(body):
        if isinstance(n, Operator) and n.name == "log_density" and n.args[1] is v and isinstance(n.args[0], Array):
            other = image_in_parts(n.args[0])
            if other is not None and image.is_of_one_map(other):
                put[n] = tensor((), sub(log_density_at(other.inner, x, Context()), open_tensor(slope, ())))
    made: Array = replace_arrays(body, {**put, v: forward})  # at once: x may be v
    return made


def with_images_opened(engine: Engine, run_entropy: Engine, run_mean: Engine) -> Engine:
    """The engine of KL, entropy or cross-entropy; of an image by what is mapped to it."""

    def mean_over(image: Image, body: Callable[[Array], Scalar], q: DistRef) -> Array:
        v = q.variables[0]
        x = var(v.name, v.shape, value_domain(image.inner), "random", (), 1)
        inside = body(x)
        return expectation(rank_zero(inside), [(x, image.inner)]) if x in variables_of(inside) else rank_zero(inside)

    def run(op: Operator, ctx: Context) -> Any:
        refs, _ = decode(op)
        q = refs[0]
        p = refs[1] if len(refs) > 1 else q
        if any(len(r.joint.factors) != 1 or r.given for r in refs):
            return engine(op, ctx)
        law, other = q.joint.factors[0].law, p.joint.factors[0].law
        image = image_in_parts(law)
        second = image if op.name == "entropy" else image_in_parts(other)
        if image is None or not (is_vector_image(law) or op.name == "entropy"):
            return engine(op, ctx)
        assert isinstance(law, Operator)
        mapped = image
        one_map = second is not None and image.is_of_one_map(second)
        if op.name == "KL":
            if one_map:
                return engine(op, ctx)  # no divergence is changed
            if image_within(law, other) is False:
                return without_support(op, q, p, ctx, lambda _: True)
            cross, own = divergence("cross_entropy", q, p), entropy(q)
            assert isinstance(cross, Operator) and isinstance(own, Operator)
            split = rank_zero(sub(scalar_of(cross), scalar_of(own)))
            ctx.trace.add("definition", op, split, reason="the cross-entropy less the entropy")
            return rank_zero(sub(open_tensor(run(cross, ctx), ()), open_tensor(run(own, ctx), ())))
        if one_map:
            assert second is not None
            inner = (
                entropy(inline(image.inner))
                if op.name == "entropy"
                else divergence("cross_entropy", inline(image.inner), inline(second.inner))
            )
            mean = mean_over(image, lambda x: open_tensor(mapped.at(x)[1], ()), q)
            both = rank_zero(add(scalar_of(inner), _scalar(mean)))
            ctx.trace.add("image", op, both, reason="that of what is mapped, and the mean of the logarithm of the slope")
            _ask(law, image, ctx)
            assert isinstance(inner, Operator)
            first = run_entropy(inner, ctx) if op.name == "entropy" else engine(inner, ctx)
            return rank_zero(add(_scalar(first), _scalar(_kept(mean, ctx, run_mean))))
        if row_of(other) is None or len(aligned(q, p)) != 1:
            raise CannotDerive("the divergence of images under different functions has no rule", op, HERE)
        within = image_within(law, other)
        if within is None:
            raise CannotDerive("whether an image lies in the support of this law is not known", op, HERE)
        if not within:
            return without_support(op, q, p, ctx, lambda _: True)
        mean = mean_over(image, lambda x: neg(log_density_at(other, mapped.at(x)[0], ctx)), q)
        ctx.trace.add("image", op, mean, reason=MAPPED)
        _ask(law, image, ctx)
        return _kept(mean, ctx, run_mean)

    return run


def _kept(mean: Array, ctx: Context, run_mean: Engine) -> Array:
    """The mean over what is mapped; where it stays as it is, the image was shown all the same."""
    before = len(ctx.trace.checks)
    made: Array = run_mean(mean, ctx) if isinstance(mean, Operator) else mean
    if isinstance(made, Operator):
        ctx.trace.checks[before:] = [c for c in ctx.trace.checks[before:] if not isinstance(c, ExpectationStays)]
    return made


def with_bounds_over_images(engine: Engine, run_entropy: Engine, run_mean: Engine) -> Engine:
    """The engine of the evidence lower bound: of an image the energy and the entropy, each by what is mapped."""

    def run(op: Operator, ctx: Context) -> Any:
        q, p, values = bound_of(op)
        if len(q.joint.factors) != 1 or q.given or not is_vector_image(q.joint.factors[0].law):
            return engine(op, ctx)
        energies = [expectation(factor_log_density(f, values), draws_of(q)) for f in p.joint.factors]
        own = entropy(q)
        split = rank_zero(add(*map(scalar_of, energies), scalar_of(own)))
        ctx.trace.add("definition", op, split, reason="the evidence lower bound: energy and entropy")
        assert isinstance(own, Operator)
        parts = [_scalar(run_entropy(own, ctx)), *(_scalar(_kept(e, ctx, run_mean)) for e in energies)]
        return rank_zero(add(*parts))

    return run


def at_images(engine: Engine) -> Engine:
    """The engine of a log-density; of an image at f(x), that of what is mapped at x, less the slope."""

    def run(op: Operator, ctx: Context) -> Any:
        law, at, *given = op.operands
        image = image_in_parts(law) if isinstance(law, Array) and is_vector_image(law) else None
        x = None if image is None or given or not isinstance(at, Tensor) else image.preimage_of(at)
        if image is None or x is None:
            if image is not None:
                _say_needs(image, ctx)
            return engine(op, ctx)
        assert isinstance(law, Operator)
        value, slope = log_density_at(image.inner, x, ctx), open_tensor(image.at(x)[1], ())
        made = rank_zero(sub(value, slope))
        ctx.trace.add("image", op, made, reason="the density of what is mapped, over the slope of the map")
        _ask(law, image, ctx)
        return made

    return run


def _scalar(a: Array) -> Scalar:
    return scalar_of(a) if isinstance(a, Operator) else open_tensor(a, ())


# --- the referee ------------------------------------------------------------------------------------------------------


def _say_needs(image: Image, ctx: Context) -> list[tuple[Scalar, Scalar]]:
    """What the map needs to have an inverse."""
    needs = list(needs_of(image.log_slope, image.x, ctx))
    for factor, need in needs:
        place = "at every x, so" if image.x in variables_of(need) else "so"
        ctx.trace.add("inverse_of_a_flow", tensor((), factor), tensor((), need), reason=f"{place} that the map has an inverse")
        ctx.trace.condition("the map has an inverse")
    return needs


def _ask(law: Operator, image: Image, ctx: Context) -> None:
    if not is_vector_image(law):
        return
    needs = _say_needs(image, ctx)
    for n in walk(image.log_slope):
        if not isinstance(n, Operation) or n.name != "logdet":
            continue
        matrix = n.operands[0]
        if not isinstance(matrix, Var):
            ctx.trace.condition("the matrix of the map has an inverse")
        elif matrix.domain not in INVERTIBLE:
            ctx.trace.condition(f"{ctx.name_of(matrix) or matrix.name} has an inverse")
    ctx.trace.checks.append(lambda: check_image(law, image, ctx.facts, [need for _, need in needs]))


def check_image(law: Operator, image: Image, facts: Facts | None, needs: Sequence[Scalar] = ()) -> Evidence:
    """log p(f(x)) + log |det df/dx| against log p(x), the determinant by differences of f."""
    y = law.attrs[1]
    density = law.operands[0]
    below = tensor((), log_density_at(image.inner, image.x, Context()))
    assert isinstance(density, Array)
    density = by_halving(density)
    arrays = [density, image.forward, below]
    variables = [v for v in {v for a in arrays for v in variables_of(a)} if v is not y]
    assumptions = facts.assumptions if facts is not None else ()
    rng = generator("image", *sorted(v.name for v in variables))
    needed = sizes_in(arrays, variables)
    found = 0
    for _ in range(POINTS):
        sizes = random_sizes(needed, {}, rng, assumptions, largest=4)
        point = random_point(variables, sizes, rng, 0, assumptions) if sizes is not None else None
        if point is None:
            continue

        def forward(x: np.ndarray, point: Point = point) -> np.ndarray:
            return np.asarray(evaluate([image.forward], Point(point.sizes, {**point.values, image.x: x}))[0], float)

        try:
            if not are_met(needs, image.x, point, rng):
                continue
            x = np.asarray(point.values[image.x], float)
            steps = STEP * np.maximum(np.abs(x), 1) * np.eye(len(x))
            slope = np.stack([(forward(x + h) - forward(x - h)) / (2 * h.sum()) for h in steps], -1)
            at = Point(point.sizes, {**point.values, y: forward(x)})
            left, right = (float(evaluate([a], p)[0]) for a, p in ((density, at), (below, point)))
        except (NotEvaluable, np.linalg.LinAlgError, KeyError):
            continue
        size = np.linalg.slogdet(slope)[1]
        if not np.isfinite([left, right, size]).all():
            continue
        if abs(left + size - right) > 1e-5 * max(1.0, abs(left), abs(right), abs(size)):
            return Evidence("refuted", points=found, method="the determinant by differences")
        found += 1
        if found == ENOUGH:
            return Evidence("checked", digits=5, points=found, method="the inverse put in, the determinant by differences")
    return Evidence("unknown", points=found, tried=("points at which the map and its density can be evaluated",))

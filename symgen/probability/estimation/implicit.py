"""Gradients through draws that are no smooth function of noise written down, by the implicit function theorem.

F(z; theta) is uniform whatever theta is, so that z moves with theta as dz/dtheta = -(dF/dtheta)/p(z) while F stays.
Figurnov, Mohamed & Mnih (2018), eq. 3 to 5. To first order in theta - theta_0 the draw is z - (F(z; theta) - F(z; theta_0))/p(z)
for z from the law at theta_0: a gradient of that is the gradient of the mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symgen.calculus.gradient import gradient
from symgen.derivation.context import Context
from symgen.probability.families.distribution_functions import DISTRIBUTION_FUNCTIONS
from symgen.probability.families.texts import scalar_text, value_text
from symgen.probability.forms.collect import collected
from symgen.probability.laws.densities import entry_log_density, parameters
from symgen.probability.laws.joint import expectation, full_law, opened_expectation
from symgen.probability.laws.law import law_of_row, row_of
from symgen.probability.laws.reparameterisation import as_function_of_noise, frozen, standard_noise, transform_of
from symgen.tensor.expression import (
    Array,
    Fn,
    Operator,
    Scalar,
    Var,
    Where,
    add,
    divide,
    entry,
    fn,
    fresh_index,
    mul,
    neg,
    num,
    open_tensor,
    operator,
    replace_arrays,
    sub,
    tensor,
    total,
    var,
    variables_of,
    walk,
)  # fmt: skip
from symgen.text.diagnostics import CannotDerive

__all__ = ["implicitly_moved"]

SOURCE = "Figurnov, Mohamed & Mnih (2018), eq. 3 to 5"
SHIFTS = {"igamma": ("gamma_shift",), "ibeta": ("beta_shift_a", "beta_shift_b")}
LEVELS = {"StudentT": ("student_shift", ("nu",), "(x - mu)/sigma")}
STANDARD = {  # the laws of noise
    "normal": ("Normal", (0, 1)), "uniform": ("Uniform", (0, 1)), "exponential": ("Exponential", (1,)),
    "gumbel": ("Gumbel", (0, 1)), "logistic": ("Logistic", (0, 1)), "laplace": ("Laplace", (0, 1)),
}  # fmt: skip


@dataclass(frozen=True)
class Made:
    """A draw that is a function `text` of independent draws, each by its name of a family with those parameters."""

    draws: Mapping[str, tuple[str, tuple[str, ...]]]
    text: str
    says: str


MADE = {
    "Dirichlet": Made({"g": ("Gamma", ("alpha", "1"))}, "g/sum(g)", "a Dirichlet draw is Gammas of its shapes over their sum"),
}  # fmt: skip


def has_cdf(law: Array) -> bool:
    """Whether the table has the distribution function of the components of a law of numbers."""
    row = row_of(law)
    return (
        row is not None and row.is_univariate and not row.shapes and not row.region.discrete and row.name in DISTRIBUTION_FUNCTIONS
    )


class _Mover:
    """The draws of one mean, one after the other, each as what it moves to."""

    def __init__(self, x: Array | None, ctx: Context) -> None:
        self.x, self.ctx = x, ctx
        self.mapping: dict[Array, Array] = {}
        self.draws: list[tuple[Var, Array]] = []
        self.said: list[str] = []
        self.steps: list[tuple[str, Array | None, Array, dict[str, str]]] = []

    def hangs(self, law: Array) -> bool:
        if self.x is None:
            return any(v.role == "param" for v in variables_of(law))
        return self.x in set(walk(law))

    def add(self, v: Var, given: Array) -> bool:
        law = replace_arrays(given, self.mapping) if self.mapping else given
        row = row_of(law)
        if not self.hangs(law):
            self.draws.append((v, law))
            return True
        found = transform_of(law)
        if found is not None and row is not None and found[0].lower() in STANDARD:
            noise = standard_noise(v, law)
            family, numbers = STANDARD[found[0].lower()]
            self.draws.append((noise, law_of_row(family, [tensor((), num(k)) for k in numbers])))
            self.mapping[v] = as_function_of_noise(law, noise, self.ctx)
            return True
        if row is not None and row.name in MADE and law.rank == row.own_rank == v.rank:
            return self.make(v, law, MADE[row.name])
        if not has_cdf(law):
            return False
        self.move(v, full_law(law, v.shape))
        return True

    def make(self, v: Var, law: Array, made: Made) -> bool:
        """A draw as a function of others, which move."""
        p = parameters(law, self.ctx)
        parts: dict[str, Var] = {}
        self.said.append(made.says)
        for name, (family, texts) in made.draws.items():
            g = parts[name] = var(f"{name}_{v.name}", v.shape, "real", "random", uid=max(v.uid, 1))
            if not self.add(g, law_of_row(family, [p.value(text, ()).array() for text in texts])):
                return False
        row = row_of(law)
        assert row is not None
        whole = value_text(made.text, {**{n: p.value(n, ()) for n in row.parameters}, **parts}).array()
        self.mapping[v] = replace_arrays(whole, {g: self.mapping.pop(g) for g in parts.values() if g in self.mapping})
        return True

    def move(self, v: Var, law: Array) -> None:
        fixed = (a for a in variables_of(law) if a.role not in ("random", "placeholder"))
        mapping: dict[Array, Array] = {a: frozen(a, self.ctx, "_0") for a in fixed}
        held = replace_arrays(law, mapping)
        at = [fresh_index(s) for s in v.shape]
        z = entry(v, *at)
        now, then = distribution_at(law, z, at, self.ctx), distribution_at(held, z, at, self.ctx)
        new, old = level_of(law, z, at, self.ctx), level_of(held, z, at, self.ctx)
        if new is not None and old is not None:
            step = _along(new, old, v, at, self.ctx)
        else:
            step = neg(divide(sub(now, then), fn("exp", entry_log_density(held, z, at, self.ctx))))
        self.draws.append((v, held))
        moved = self.mapping[v] = tensor(at, add(z, step))
        self.ctx.trace.names.setdefault(moved, f"{v.name}_theta")
        self.steps.append(("name", None, moved, {}))
        self.tell(v, law, moved, {b: a for a, b in mapping.items()})
        row = row_of(law)
        assert row is not None
        self.said.append(f"F({v.name}) stays as a {row.name} draw {v.name} moves: d{v.name} = -(dF)/p({v.name})")

    def tell(self, v: Var, law: Array, moved: Array, back: dict[Array, Array]) -> None:
        """The distribution function, and how the draw moves with each parameter that is a number."""
        if v.rank:
            return
        now = distribution_at(law, entry(v), [], self.ctx)
        log_p = entry_log_density(law, entry(v), [], self.ctx)
        said = {"where": v.name, "reason": f"F({v.name}) is uniform whatever the parameters are, and stays"}
        self.steps.append(("distribution function", operator("cdf", (v,), ()), tensor((), now), said))
        trained = sorted((a for a in variables_of(now) if a.role == "param"), key=lambda a: a.serial)
        for theta in trained if self.x is None else [self.x]:
            if not isinstance(theta, Var) or theta.rank:
                continue
            quiet = Context(facts=self.ctx.facts)
            slope = open_tensor(gradient(tensor((), now), [theta], quiet)[theta], ())
            first = tensor((), collected(neg(divide(slope, fn("exp", log_p)))))
            reason = f"0 = dF = p({v.name}) d{v.name} + F_{theta.name} d{theta.name}"
            said = {"where": v.name, "reason": reason, "source": SOURCE}
            self.steps.append(("implicit function theorem", operator("d", (v, theta), ()), first, said))
            short = replace_arrays(gradient(moved, [theta], quiet)[theta], back)
            if short is not first:
                said = {"where": v.name, "reason": f"-F_{theta.name}/p as one function, without overflow"}
                self.steps.append(("shift", operator("d", (v, theta), ()), short, said))


@dataclass(frozen=True)
class Level:
    """A distribution function that varies by G(shapes, y) alone; `shifts` say how y moves with each shape while G stays."""

    shifts: tuple[str, ...]
    shapes: tuple[Scalar, ...]
    y: Scalar


def level_of(law: Array, z: Scalar, at: list[Scalar], ctx: Context) -> Level | None:
    """By the table, or by the one incomplete gamma or beta function in the distribution function."""
    row = row_of(law)
    assert row is not None
    if row.name in LEVELS:
        shift, shapes, y = LEVELS[row.name]
        scope = parameters(law, ctx).scalars(at)
        return Level((shift,), tuple(scalar_text(a, scope) for a in shapes), scalar_text(y, {**scope, "x": z}))
    f = distribution_at(law, z, at, ctx)
    found = {n for n in walk(f) if isinstance(n, Fn) and n.name in SHIFTS}
    if len(found) != 1 or any(isinstance(n, Where) for n in walk(f)):
        return None
    (g,) = found
    drawn = variables_of(z)
    return None if any(drawn & variables_of(a) for a in g.args[:-1]) else Level(SHIFTS[g.name], g.args[:-1], g.args[-1])


def _along(new: Level, old: Level, v: Var, at: list[Scalar], ctx: Context) -> Scalar:
    """(shift (a - a_0) - (y - y_0))/y_z: how far the draw moves, to first order, while G stays."""
    line = tensor((), total(old.y, at)) if at else tensor((), old.y)
    slope = open_tensor(gradient(line, [v], Context(facts=ctx.facts))[v], at)
    shifts = [
        mul(fn(name, *old.shapes, old.y), sub(a, a_0)) for name, a, a_0 in zip(old.shifts, new.shapes, old.shapes, strict=True)
    ]
    return divide(sub(add(*shifts), sub(new.y, old.y)), slope)


def distribution_at(law: Array, z: Scalar, at: list[Scalar], ctx: Context) -> Scalar:
    """F(z) of the component of a law at given indices, z inside its support."""
    row = row_of(law)
    assert row is not None
    return scalar_text(DISTRIBUTION_FUNCTIONS[row.name], {**parameters(law, ctx).scalars(at), "x": z})


def implicitly_moved(op: Operator, x: Array | None, ctx: Context) -> Array | None:
    """E over the laws held fixed of the body at draws that move with the parameters; None where some law has no
    distribution function in the table. The body must not jump."""
    (body,), draws = opened_expectation(op)
    mover = _Mover(x, ctx)
    if not all(mover.add(v, law) for v, law in draws):
        return None
    result = expectation(replace_arrays(body, mover.mapping), mover.draws)
    if not isinstance(result, Operator):
        raise CannotDerive("this mean cannot be written over draws that move", op, "symgen/probability/estimation/implicit.py")
    reason = "; ".join(dict.fromkeys(mover.said))
    ctx.trace.add("implicit reparameterisation", op, op, reason=reason, source=SOURCE)
    for rule, before, after, more in mover.steps:
        ctx.trace.add(rule, before, after, **more)
    ctx.trace.notes.append(f"the estimator is the path derivative, found implicitly: {reason}")
    return result

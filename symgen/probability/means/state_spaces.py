"""Linear-Gaussian state spaces of any length: z[t + 1] ~ N(F z[t] + b, Q), x[t] ~ N(H z[t] + c, R), and a first state.

Forwards, the Kalman filter: the law of a state given what was seen before it, mu_bar and P, and how it moves by what is seen, of
covariance S = H P H' + R, by the gain K = P H' S^-1. Backwards, the smoother of Rauch, Tung and Striebel. Bishop (2006), 13.3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symgen.derivation.context import Context
from symgen.derivation.derivation import Trace
from symgen.probability.forms.linear_maps import Affine, affine_in
from symgen.probability.forms.quadratics import bend_and_slope
from symgen.probability.forms.scaled import squared
from symgen.probability.forms.walks import constants_opened
from symgen.probability.laws.elimination import Question, log_joint
from symgen.probability.laws.joint import Factor, full_law
from symgen.probability.laws.law import LAW, alternative_of, parameters_of, row_of
from symgen.probability.means.gaussian import named
from symgen.probability.means.hidden_chains import at_all_times
from symgen.tensor.build import Value
from symgen.tensor.expression import (
    ONE,
    ZERO,
    Array,
    Operator,
    Scalar,
    Tensor,
    Var,
    add,
    delta,
    entry,
    fresh_index,
    mul,
    open_tensor,
    operator,
    replace_arrays,
    sub,
    tensor,
    variables_of,
)  # fmt: skip
from symgen.tensor.formula import read, read_value
from symgen.text.diagnostics import CannotDerive

HERE = "symgen/probability/means/state_spaces.py"

# by whether a state is a vector, and whether what is seen of it is one: how the covariance of a state is narrowed by what is
# seen of it, then what an array over time is made of. A letter with `-` is taken one step earlier.
NARROWED = {
    (True, True): "({P} - {P} @ {H}' @ inv({H} @ {P} @ {H}' + {R}) @ {H} @ {P})",
    (True, False): "({P} - outer({P} @ {H}, {P} @ {H})/({H} @ {P} @ {H} + {R}))",
    (False, True): "({P} - {P}^2*({H} @ inv(outer({H}, {H})*{P} + {R}) @ {H}))",
    (False, False): "{P}*{R}/({H}^2*{P} + {R})",
}
SEEN = {  # the covariance of what is seen, the gain
    (True, True): ("{H} @ {P} @ {H}' + {R}", "{P} @ {H}' @ inv({S})"),
    (True, False): ("{H} @ {P} @ {H} + {R}", "{P} @ {H}/{S}"),
    (False, True): ("outer({H}, {H})*{P} + {R}", "{P}*(inv({S}) @ {H})"),
    (False, False): ("{H}^2*{P} + {R}", "{P}*{H}/{S}"),
}
SURPRISE = {
    True: "-sum[t: T]({e} @ inv({S}) @ {e} + logdet({S}))/2 - T*n*log(2*pi)/2",
    False: "-sum[t: T]({e}^2/{S} + log({S}))/2 - T*log(2*pi)/2",
}


@dataclass(frozen=True)
class States:
    """A chain of states with its parameters, each over time where it hangs on it."""

    m: Array
    V: Array
    F: Array
    b: Array
    Q: Array
    length: Scalar
    of_vectors: bool

    @property
    def ranks(self) -> dict[str, int]:
        """Of the parameters at one time."""
        return {"F": 2, "b": 1, "Q": 2} if self.of_vectors else {"F": 0, "b": 0, "Q": 0}

    def written(self, text: str, made: Mapping[str, Array]) -> str:
        """{F} as F[t], or as F where it is the same at all times; {P-} one step earlier."""
        rank = self.ranks

        def put(found: re.Match[str]) -> str:
            name, step = found[1], found[2]
            whole = made.get(name, getattr(self, name, None))
            if name in rank and isinstance(whole, Array) and whole.rank == rank[name]:
                return name
            return f"{name}[t{' ' + step[0] + ' 1' if step else ''}]"

        return re.sub(r"\{(\w+)([-+]?)\}", put, text)

    def scope(self, made: Mapping[str, Array]) -> dict[str, Array | Scalar | Value]:
        own = {n: getattr(self, n) for n in "mVFbQ"}
        return {**own, "T": self.length, **({"d": self.m.shape[0]} if self.of_vectors else {}), **made}

    def sequence(self, text: str, made: Mapping[str, Array]) -> Array:
        return read(self.written(text, made), self.scope(made))

    def over_time(self, text: str, made: Mapping[str, Array], length: Scalar | None = None) -> Array:
        """The array whose entry at t is the text."""
        t = fresh_index(self.length if length is None else length)
        found = read_value(self.written(text, made), {**self.scope(made), "t": t})
        return tensor((t, *found.indices), found.body)

    def times(self, a: str, b: str, inner: bool | None = None) -> str:
        """A product over the axis of a state, or of what is seen (`inner`), where that is a vector."""
        return f"{a} @ {b}" if (self.of_vectors if inner is None else inner) else f"{a}*{b}"

    def constant(self, name: str, sign: str) -> str:
        """A constant to be added, where it is not 0."""
        array = getattr(self, name)
        return "" if isinstance(array, Tensor) and array.body is ZERO else f" {sign} {{{name}}}"

    def moved(self, what: str, spread: str, made: dict[str, Array], ctx: Context) -> None:
        """The recurrence of the covariance of a state given what is seen before it; `spread` is that given what is seen up to
        the one before."""
        step = f"{{F-}} @ {spread} @ {{F-}}'" if self.of_vectors else f"{{F-}}^2*({spread})"
        made[what] = self.sequence(f"recurrence[{what}, t: 1..T - 1](V, {step} + {{Q-}})", made)
        named(made[what], what, ctx, why="the covariance of a state, given what is seen before it")

    def stepped(self, what: str, update: str, made: dict[str, Array], ctx: Context) -> None:
        """The recurrence of the mean of a state given what is seen before it."""
        step = self.times("{F-}", f"({update})") + self.constant("b", "+").replace("}", "-}")
        made[what] = self.sequence(f"recurrence[{what}, t: 1..T - 1](m, {step})", made)
        named(made[what], what, ctx, why="the mean of a state, given what is seen before it")


@dataclass(frozen=True)
class StateSpace(States):
    """What is seen, `x`, is linear in the state at its time: H z[t] + c, with the covariance R."""

    H: Array
    c: Array
    R: Array
    x: Array
    sees_vectors: bool

    @property
    def ranks(self) -> dict[str, int]:
        first, second = int(self.sees_vectors), int(self.of_vectors)
        return {**super().ranks, "H": first + second, "c": first, "R": 2 * first}

    def scope(self, made: Mapping[str, Array]) -> dict[str, Array | Scalar | Value]:
        own = {n: getattr(self, n) for n in "HcRx"}
        sizes = {"n": self.x.shape[1]} if self.sees_vectors else {}
        return {**super().scope({}), **own, **sizes, **made}


def is_gaussian_chain(law: Array) -> bool:
    """Whether a law is that of the states of chains whose steps are linear with normal noise."""
    row = row_of(law)
    return row is not None and bool(row.spread)


def states_of(q: Question, z: Var) -> States:
    """The states z of a question, with what is seen of them: one variable that is linear in the state at its time, or whatever
    has a log-density quadratic in the states."""
    law = q.factor_of(z).law
    if (row := row_of(law)) is None or z.rank != row.own_rank:
        text = f"`{z.name}` is of several chains: let the state of a time hold them all"
        raise CannotDerive(text, law, HERE)
    m, V, F, b, Q = parameters_of(law).values()
    own = States(m, V, at_all_times(F), at_all_times(b), at_all_times(Q), z.shape[0], z.rank == 2)
    others = [f for f in q.factors if z not in f.variables]
    single = _seen(own, others[0], z, q) if len(others) == 1 else None
    return quadratic(own, others, z, q) if single is None else single


def _seen(states: States, f: Factor, z: Var, q: Question) -> StateSpace | None:
    """None where what is seen is not one draw at each time, linear in the state then."""
    if len(f.variables) != 1:
        return None
    (x,) = f.variables
    row, values = row_of(f.law), dict(q.values)
    value = values.pop(x, x)
    law = full_law(replace_arrays(f.law, values) if values else f.law, x.shape)
    fits = row is not None and row.name in ("Normal", "MvNormal") and 1 <= x.rank <= 2 and x.shape[0] is states.length
    if not fits or any(z in variables_of(a) for a in law.args[1:]):
        return None
    assert isinstance(law, Operator) and isinstance(law.args[0], Array) and isinstance(law.args[1], Array)
    own = [fresh_index(s) for s in x.shape]
    found = affine_in(open_tensor(law.args[0], own), z, own[0])
    if found is None:
        return None
    H, c = found.arrays(own)
    R = covariance(law)
    return StateSpace(**vars(states), H=at_all_times(H), c=at_all_times(c), R=at_all_times(R), x=value, sees_vectors=x.rank == 2)


@dataclass(frozen=True)
class SeenQuadratically(States):
    """What is seen has the log-density `seen`, as a function of the states -z[t]' J[t] z[t]/2 + h[t] z[t] summed over t, and
    what is free of them."""

    J: Array
    h: Array
    seen: Scalar
    z: Var

    @property
    def ranks(self) -> dict[str, int]:
        return {**super().ranks, **({"J": 2, "h": 1} if self.of_vectors else {"J": 0, "h": 0})}

    def scope(self, made: Mapping[str, Array]) -> dict[str, Array | Scalar | Value]:
        return {**super().scope({}), "J": self.J, "h": self.h, **made}


def quadratic(states: States, seen: Sequence[Factor], z: Var, q: Question) -> SeenQuadratically:
    """Every term is of one state: of several variables that are seen of it, at some times only, or of what is seen earlier."""
    if any(v is not z for v in q.hidden):
        raise CannotDerive(f"the states `{z.name}` are integrated out beside what is seen of them, and here are others", None, HERE)
    body = log_joint(seen, q.values, Context(Trace()))
    J, h = bend_and_slope(body, z)
    return SeenQuadratically(**vars(states), J=at_all_times(J), h=at_all_times(h), seen=body, z=z)


def covariance(law: Operator, over_time: bool = True) -> Array:
    """The covariances of the rows of a normal law, or of the one draw that it is of: variances for numbers."""
    mean, scale = law.args[0], law.args[1]
    assert isinstance(mean, Array) and isinstance(scale, Array)
    if law.name == "MvNormal":
        return scale
    at = [fresh_index(s) for s in law.shape]
    square = squared(constants_opened(open_tensor(scale, at)))
    if len(at) == over_time:
        return tensor(at, square)
    other = fresh_index(at[-1].size)
    return tensor([*at, other], mul(square, delta(at[-1], other)))


@dataclass(frozen=True)
class Filtered:
    """What the sweep forwards knows: arrays over time by their letters; log p(x) is the evidence."""

    space: States
    made: dict[str, Array]
    evidence: Scalar


def filtered(space: States, ctx: Context) -> Filtered:
    if isinstance(space, SeenQuadratically):
        return _by_information(space, ctx)
    assert isinstance(space, StateSpace)
    kind = space.of_vectors, space.sees_vectors
    made: dict[str, Array] = {}
    space.moved("P", NARROWED[kind].replace("}", "-}"), made, ctx)
    made["S"] = space.over_time(SEEN[kind][0], made)
    made["K"] = space.over_time(SEEN[kind][1], made)
    named(made["S"], "S", ctx, why="the covariance of what is seen, given what is seen before it")
    named(made["K"], "K", ctx, why="the gain")
    surprise = "{x}" + space.constant("c", "-") + " - " + space.times("{H}", "{mu_bar}")
    update = f"{{mu_bar}} + {space.times('{K}', '(' + surprise + ')', space.sees_vectors)}".replace("}", "-}")
    space.stepped("mu_bar", update, made, ctx)
    made["e"] = space.over_time(surprise, made)
    named(made["e"], "e", ctx, why="what is seen, less its mean given what is seen before it")
    ctx.trace.note("the evidence is the product over `t` of the normal densities of `e[t]` with the covariance `S[t]`")
    return Filtered(space, made, entry(space.sequence(SURPRISE[space.sees_vectors], made)))


# by whether a state is a vector: the covariance of a state by what is seen at its time, how much that narrows it, and what is
# added to the log-density of what is seen at mu_bar
INFORMED = {
    True: ("inv(eye(d) + {P} @ {J}) @ {P}", "eye(d) + {P} @ {J}", "sum[t: T]({e} @ {C} @ {e} - logdet({N}))/2"),
    False: ("{P}/(1 + {P}*{J})", "1 + {P}*{J}", "sum[t: T]({C}*{e}^2 - log({N}))/2"),
}


def _by_information(space: SeenQuadratically, ctx: Context) -> Filtered:
    """The integral of exp(h z - z' J z/2) over z ~ N(mu_bar, P) is the value at mu_bar, times exp(e' C e/2)/sqrt(|1 + P J|),
    with the slope e = h - J mu_bar there and C = (P^-1 + J)^-1."""
    left, narrowing, gained = INFORMED[space.of_vectors]
    made: dict[str, Array] = {}
    named(space.J, "J", ctx, why="how much what is seen at a time tells of the state then: minus the second derivative")
    named(space.h, "h", ctx, why="the slope of the log-density of what is seen at a time, at the state 0")
    space.moved("P", f"({left})".replace("}", "-}"), made, ctx)
    made["C"] = space.over_time(left, made)
    named(made["C"], "C", ctx, why="the covariance of a state, given what is seen up to it")
    slope = "{h} - " + space.times("{J}", "{mu_bar}")
    space.stepped("mu_bar", ("{mu_bar} + " + space.times("{C}", f"({slope})")).replace("}", "-}"), made, ctx)
    made["e"] = space.over_time(slope, made)
    named(made["e"], "e", ctx, why="the slope of the log-density of what is seen, at mu_bar")
    made["N"] = space.over_time(narrowing, made)
    made["mu"] = space.over_time("{mu_bar} + " + space.times("{C}", "{e}"), made)
    named(made["mu"], "mu", ctx, why="the mean of a state, given what is seen up to it")
    ctx.trace.note("the evidence is the density of what is seen at the states `mu_bar`, and what their spread adds to it")
    at_mean = replace_arrays(tensor((), space.seen), {space.z: made["mu_bar"]})
    return Filtered(space, made, add(entry(at_mean), entry(space.sequence(gained, made))))


# the covariance of a state when what is seen at its time is known too, by what is a vector
LEFT = {
    (True, True): "{P} - {K} @ {H} @ {P}",
    (True, False): "{P} - outer({K}, {P} @ {H})",
    (False, True): "{P} - {P}*({K} @ {H})",
    (False, False): "{P} - {K}*{H}*{P}",
}


def smoothed(found: Filtered, z: Var, ctx: Context) -> tuple[Array, dict[str, Array]]:
    """The law of the states given all that is seen, a chain of the same kind; its parameters, with the laws of one state."""
    space, made = found.space, dict(found.made)
    length, vector = sub(space.length, ONE), space.of_vectors

    def over(name: str, text: str, why: str, steps: bool = True) -> None:
        made[name] = space.over_time(text, made, length if steps else None)
        named(made[name], name, ctx, why=why)

    if isinstance(space, StateSpace):
        forwards = "{mu_bar} + " + space.times("{K}", "{e}", space.sees_vectors)
        over("mu", forwards, "the mean of a state, given what is seen up to it", False)
        over("C", LEFT[vector, space.sees_vectors], "the covariance of a state, given what is seen up to it", False)
    over("J", "{C} @ {F}' @ inv({P+})" if vector else "{C}*{F}/{P+}", "the gain of the sweep backwards")
    back = space.times("{J}", "({mu_hat+} - {mu_bar+})")
    made["mu_hat"] = space.sequence(f"backward[mu_hat, t: T - 2..0](mu[T - 1], {{mu}} + {back})", made)
    named(made["mu_hat"], "mu_hat", ctx, why="the mean of a state, given all that is seen")
    narrowed = "{J} @ ({C_hat+} - {P+}) @ {J}'" if vector else "{J}^2*({C_hat+} - {P+})"
    made["C_hat"] = space.sequence(f"backward[C_hat, t: T - 2..0](C[T - 1], {{C}} + {narrowed})", made)
    named(made["C_hat"], "C_hat", ctx, why="the covariance of a state, given all that is seen")
    over(
        "D",
        "{C_hat+} @ {J}'" if vector else "{C_hat+}*{J}",
        "the covariance of a state and the one before it, given all that is seen",
    )
    over("F_hat", "{D} @ inv({C_hat})" if vector else "{D}/{C_hat}", "how a state hangs on the one before it")
    over("b_hat", "{mu_hat+} - " + space.times("{F_hat}", "{mu_hat}"), "the constant of a step")
    over("Q_hat", "{C_hat+} - " + ("{F_hat} @ {D}'" if vector else "{F_hat}*{D}"), "the covariance of a step")
    own = [*(space.sequence(f"{n}[0]", made) for n in ("mu_hat", "C_hat")), *(made[n] for n in ("F_hat", "b_hat", "Q_hat"))]
    law = operator("GaussianChain" if vector else "GaussianWalk", own, z.shape, (LAW,))
    told = {"mean": "mu_hat", "covariance": "C_hat", "cross": "D", "filtered_mean": "mu", "filtered_covariance": "C"}
    return law, {**parameters_of(law), **{n: made[letter] for n, letter in told.items()}}


def chain_of_normals(first: Array, step: Array, before: Var, shape: tuple[Scalar, ...]) -> Array | None:
    """The law of z[0] ~ first, z[t + 1] ~ step[t] whose mean is linear in before[t]; None where it is not of this kind."""
    for law in (first, step):
        row = row_of(law)
        if row is None or row.name not in ("Normal", "MvNormal") or alternative_of(law) is not None and row.name == "Normal":
            return None
    if len(shape) > 2 or before in variables_of(step.args[1]):
        return None
    assert isinstance(first, Operator) and isinstance(step, Operator) and isinstance(step.args[0], Array)
    own = [fresh_index(s) for s in step.shape]
    found: Affine | None = affine_in(open_tensor(step.args[0], own), before, own[0])
    if found is None:
        return None
    F, b = found.arrays(own)
    start = first.args[0]
    assert isinstance(start, Array)
    name = "GaussianChain" if len(shape) == 2 else "GaussianWalk"
    return operator(name, [start, covariance(first, False), F, b, covariance(step)], shape, (LAW,))


__all__ = ["chain_of_normals", "filtered", "is_gaussian_chain", "smoothed", "states_of"]

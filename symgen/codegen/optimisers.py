"""The optimisers ▣ and the loops that use them; generated modules carry the source of what they train with.

An update changes the vector `x` of all trained parameters in place, given the gradient `g`; what it remembers stands in
`memory`, as arrays, so that a checkpoint holds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symgen.codegen.runtime import constrained, counted, freed, next_rows, packed, projected, pulled, saved_state, stopped


@dataclass(frozen=True)
class Optimiser:
    """`options` with their defaults, `loop` the function that runs it; `says` is the sentence in a docstring."""

    name: str
    options: Mapping[str, float]
    says: str
    source: str
    loop: str = "minimise"


@dataclass(frozen=True)
class Dynamics:
    """A way to play a game by gradients: which players move at once (`schedule`), by which optimiser."""

    name: str
    schedule: str
    update: str
    options: Mapping[str, float] = field(default_factory=dict)
    says: str = ""
    source: str = ""


_SGD = {"lr": 0.01}
_ADAM = {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
OPTIMISERS = {
    row.name: row
    for row in (
        Optimiser("sgd", _SGD, "gradient descent", "Robbins and Monro (1951)"),
        Optimiser("momentum", {"lr": 0.01, "beta": 0.9}, "gradient descent with momentum", "Polyak (1964)"),
        Optimiser("rmsprop", {"lr": 0.001, "rho": 0.9, "eps": 1e-8}, "RMSprop", "Tieleman and Hinton (2012)"),
        Optimiser("adam", _ADAM, "Adam", "Kingma and Ba (2015), algorithm 1"),
        Optimiser("adamw", {**_ADAM, "decay": 0.01}, "AdamW", "Loshchilov and Hutter (2019), algorithm 2"),
        Optimiser(
            "lbfgs", {"history": 10, "tol": 1e-9}, "L-BFGS on all rows", "Nocedal and Wright (2006), 7.4, 7.5",
            "quasi_newton",
        ),
        Optimiser(
            "newton", {"tol": 1e-9}, "Newton's method with conjugate gradients on all rows",
            "Nocedal and Wright (2006), 7.1", "newton_cg",
        ),
    )
}  # fmt: skip
DYNAMICS = {
    row.name: row
    for row in (
        Dynamics("simultaneous", "simultaneous", "sgd", _SGD, "all players step at once", "Mescheder et al. (2017)"),
        Dynamics("alternating", "alternating", "sgd", _SGD, "the players step in turn", "Goodfellow et al. (2014)"),
        Dynamics("extragradient", "extragradient", "sgd", _SGD, "a look ahead, then the step", "Korpelevich (1976)"),
        Dynamics("optimistic", "optimistic", "sgd", _SGD, "the step 2 F_t - F_(t-1)", "Daskalakis et al. (2018)"),
        Dynamics(
            "momentum", "simultaneous", "momentum", {"lr": 0.01, "beta": 0.9}, "all players step with momentum",
            "Gidel et al. (2019)",
        ),
        *(Dynamics(o, "alternating", o, OPTIMISERS[o].options, f"the players step in turn, by {OPTIMISERS[o].says}",
                   OPTIMISERS[o].source) for o in ("sgd", "rmsprop", "adam", "adamw")),
    )
}  # fmt: skip


# --- updates ----------------------------------------------------------------------------------------------------------


def sgd(x: Any, g: Any, memory: Any, step: int, lr: float) -> None:
    """x - lr g"""
    x -= lr * g


def momentum(x: Any, g: Any, memory: Any, step: int, lr: float, beta: float) -> None:
    """m = beta m + g, x - lr m"""
    if not memory:
        memory["m"] = np.zeros_like(x)
    m = memory["m"]
    m *= beta
    m += g
    x -= lr * m


def rmsprop(x: Any, g: Any, memory: Any, step: int, lr: float, rho: float, eps: float) -> None:
    """v = rho v + (1 - rho) g^2, x - lr g/(sqrt(v) + eps)"""
    if not memory:
        memory["v"] = np.zeros_like(x)
    v = memory["v"]
    v += (1 - rho) * (g * g - v)
    x -= lr * g / (np.sqrt(v) + eps)


def adam(x: Any, g: Any, memory: Any, step: int, lr: float, beta1: float, beta2: float, eps: float) -> None:
    """The moments m and v of the gradient, without their bias towards 0: x - lr m/(sqrt(v) + eps)"""
    if not memory:
        memory.update(m=np.zeros_like(x), v=np.zeros_like(x))
    m, v = memory["m"], memory["v"]
    m *= beta1
    m += (1 - beta1) * g
    v *= beta2
    v += (1 - beta2) * (g * g)
    size = np.sqrt(v)
    size *= (1 - beta2**step) ** -0.5
    size += eps
    x -= lr / (1 - beta1**step) * m / size


def adamw(x: Any, g: Any, memory: Any, step: int, lr: float, beta1: float, beta2: float, eps: float, decay: float) -> None:
    """Adam, with the parameters drawn towards 0 beside the gradient."""
    x *= 1 - lr * decay
    adam(x, g, memory, step, lr, beta1, beta2, eps)


# --- loops ------------------------------------------------------------------------------------------------------------


def minimise(
    evaluate: Any, params: Any, data: Any, trained: Any, domains: Any, update: Any, options: Any, steps: int,
    batch: Any, row_names: Any, rng: Any, callback: Any, state: Any, checkpoint: Any, every: int, what: str, terms: Any,
) -> Any:  # fmt: skip
    """Steps of `update` along the gradient; parameters of a domain move in free coordinates, or are projected back."""
    counted(steps, batch)
    params = dict(params)
    dtype = np.result_type(*(params[name] for name in trained))
    x, views = packed({name: freed(domains[name], params[name]) for name in trained}, dtype)
    curved = [name for name in trained if domains[name] in ("positive", "unit", "simplex", "spd", "lower")]
    bounded = [name for name in trained if domains[name] in ("nonnegative", "psd", "orthogonal")]
    if not np.all(np.isfinite(x)):
        bad = next(name for name in trained if not np.all(np.isfinite(views[name])))
        raise ValueError(f"`{bad}` starts outside its domain ({domains[bad]}), or is not finite")
    params.update(views)
    g, slots = packed({name: views[name] for name in trained}, dtype)
    memory: Any = {}
    rows = {"order": None, "at": 0}
    start = 0
    if state is not None:
        x[...], start = state["free"], int(state["step"])
        memory.update({name: np.array(a) for name, a in state["memory"].items()})
        rows = {"order": state["order"], "at": int(state["at"])}
        rng.bit_generator.state = state["rng"]
    n = len(data[row_names[0]]) if row_names else 0
    for step in range(start + 1, steps + 1):
        for name in curved:
            params[name] = constrained(domains[name], views[name])
        part = data
        if batch is not None and batch < n:
            chosen = next_rows(rows, n, batch, rng)
            part = {**data, **{name: data[name][chosen] for name in row_names}}
        value, gradients = evaluate(params, part, rng)
        for name, slot in slots.items():
            slot[...] = gradients[name]
        for name in curved:
            slots[name][...] = pulled(domains[name], views[name], params[name], gradients[name])
        if not (np.isfinite(value) and np.isfinite(g).all()):
            raise FloatingPointError(stopped(step, what, value, gradients, params, terms))
        update(x, g, memory, step, **options)
        for name in bounded:
            views[name][...] = projected(domains[name], views[name])
        last = step == steps
        if callback is not None or (checkpoint is not None and (last or step % every == 0)):
            for name in curved:
                params[name] = constrained(domains[name], views[name])
            if callback is not None:
                callback(step, float(value), params)
            if checkpoint is not None and (last or step % every == 0):
                checkpoint(saved_state(step, x, memory, rows, rng, {name: params[name] for name in params}))
    for name in curved:
        params[name] = constrained(domains[name], views[name])
    return {name: np.array(p)[()] for name, p in params.items()}


def quasi_newton(
    evaluate: Any, params: Any, data: Any, trained: Any, domains: Any, update: Any, options: Any, steps: int,
    batch: Any, row_names: Any, rng: Any, callback: Any, state: Any, checkpoint: Any, every: int, what: str, terms: Any,
) -> Any:  # fmt: skip
    """L-BFGS with a line search for the weak Wolfe conditions, on all rows; noise is drawn once and kept."""
    counted(steps, batch)
    place = free_place(evaluate, params, data, trained, domains, rng, state, what, terms)
    f, g = place["at"](place["x"])
    x, memory, history = place["x"], place["memory"], int(options["history"])
    S, Y = (
        memory.setdefault("S", np.zeros((0, x.size), x.dtype)),
        memory.setdefault("Y", np.zeros((0, x.size), x.dtype)),
    )
    for step in range(place["start"] + 1, steps + 1):
        d, a = -g, []
        for s, y in zip(S[::-1], Y[::-1]):
            a.append((s @ d) / (s @ y))
            d = d - a[-1] * y
        if len(S):
            d = d * ((S[-1] @ Y[-1]) / (Y[-1] @ Y[-1]))
        else:
            d = d / max(1.0, float(np.linalg.norm(g)))
        for s, y, c in zip(S, Y, a[::-1]):
            d = d + s * (c - (y @ d) / (s @ y))
        found = line_search(place["at"], x, f, g, d)
        if found is None or np.linalg.norm(g) <= options["tol"] * max(1.0, abs(f)):
            place["done"](step - 1, x, f, callback, checkpoint, every, True)
            break
        new, f, h = found
        if (new - x) @ (h - g) > 0:
            S, Y = np.vstack([S, new - x])[-history:], np.vstack([Y, h - g])[-history:]
        memory["S"], memory["Y"] = S, Y
        x[...], g = new, h
        place["done"](step, x, f, callback, checkpoint, every, step == steps)
    return place["params"](x)


def newton_cg(
    evaluate: Any, params: Any, data: Any, trained: Any, domains: Any, update: Any, options: Any, steps: int,
    batch: Any, row_names: Any, rng: Any, callback: Any, state: Any, checkpoint: Any, every: int, what: str, terms: Any,
) -> Any:  # fmt: skip
    """Newton's method on all rows: H d = -g by conjugate gradients, H v by differences of gradients; a line search."""
    counted(steps, batch)
    place = free_place(evaluate, params, data, trained, domains, rng, state, what, terms)
    x = place["x"]
    f, g = place["at"](x)
    for step in range(place["start"] + 1, steps + 1):
        d, r = np.zeros_like(g), -g
        p, rr = r.copy(), float(g @ g)
        enough = min(0.25, rr**0.25) * rr**0.5
        for k in range(2 * x.size):
            h = np.finfo(x.dtype).eps ** (1 / 3) * (1 + float(np.abs(x).max())) / max(float(np.abs(p).max()), 1e-300)
            Hp = (place["at"](x + h * p)[1] - place["at"](x - h * p)[1]) / (2 * h)
            curvature = float(p @ Hp)
            if curvature <= 0:
                d = d if k else -g
                break
            c = rr / curvature
            d, r = d + c * p, r - c * Hp
            new = float(r @ r)
            if new**0.5 <= enough:
                break
            p, rr = r + (new / rr) * p, new
        found = line_search(place["at"], x, f, g, d)
        if found is None or np.linalg.norm(g) <= options["tol"] * max(1.0, abs(f)):
            place["done"](step - 1, x, f, callback, checkpoint, every, True)
            break
        x[...], f, g = found
        place["done"](step, x, f, callback, checkpoint, every, step == steps)
    return place["params"](x)


def free_place(
    evaluate: Any, params: Any, data: Any, trained: Any, domains: Any, rng: Any, state: Any, what: str, terms: Any
) -> Any:
    """The loss as a function of one vector of free coordinates, with its start and what to do after a step."""
    fixed = dict(params)
    dtype = np.result_type(*(params[name] for name in trained))
    x, views = packed({name: freed(domains[name], params[name]) for name in trained}, dtype)
    memory: Any = {"seed": np.array(rng.integers(2**31))}
    start = 0
    if state is not None:
        x[...], start = state["free"], int(state["step"])
        memory.update({name: np.array(a) for name, a in state["memory"].items()})
    if not np.all(np.isfinite(x)):
        raise ValueError("a parameter starts outside its domain, or is not finite")

    def params_at(x: Any) -> Any:
        out, at = dict(fixed), 0
        for name, view in views.items():
            u = x[at : at + view.size].reshape(view.shape)
            out[name] = np.array(projected(domains[name], constrained(domains[name], u)))[()]
            at += view.size
        return out

    def value_at(x: Any) -> Any:
        here, gradients = params_at(x), []
        value, by_name = evaluate(here, data, np.random.default_rng(int(memory["seed"])))
        at = 0
        for name, view in views.items():
            u = x[at : at + view.size].reshape(view.shape)
            gradients.append(np.ravel(pulled(domains[name], u, here[name], by_name[name])))
            at += view.size
        return float(value), np.concatenate(gradients).astype(x.dtype)

    def done(step: int, x: Any, f: float, callback: Any, checkpoint: Any, every: int, last: bool) -> None:
        if not (np.isfinite(f) and np.all(np.isfinite(x))):
            raise FloatingPointError(stopped(step, what, f, {}, params_at(x), terms))
        if callback is not None:
            callback(step, f, params_at(x))
        if checkpoint is not None and (last or step % every == 0):
            checkpoint(saved_state(step, x, memory, {"order": None, "at": 0}, rng, params_at(x)))

    first = value_at(x)
    if not (np.isfinite(first[0]) and np.all(np.isfinite(first[1]))):
        raise FloatingPointError(stopped(start + 1, what, first[0], {}, params_at(x), terms))
    return {"x": x, "at": value_at, "memory": memory, "start": start, "params": params_at, "done": done}


def line_search(value_at: Any, x: Any, f: float, g: Any, d: Any) -> Any:
    """A point x + t d that satisfies the weak Wolfe conditions, with value and gradient, by bisection, or None."""
    slope = float(g @ d)
    if not slope < 0:
        return None
    low, high, t, best = 0.0, np.inf, 1.0, None
    for _ in range(40):
        new = x + t * d
        value, gradient = value_at(new)
        if not value <= f + 1e-4 * t * slope:
            high = t
        elif not gradient @ d >= 0.9 * slope:
            low, best = t, (new, value, gradient)
        else:
            return new, value, gradient
        t = 2 * t if high == np.inf else (low + high) / 2
    return best


def play(
    evaluate: Any, players: Any, senses: Any, params: Any, data: Any, domains: Any, schedule: str, update: Any,
    options: Any, steps: int, batch: Any, row_names: Any, rng: Any, callback: Any, state: Any, checkpoint: Any,
    every: int, what: str, terms: Any,
) -> Any:  # fmt: skip
    """A game by gradients. `players` are the names of each one's parameters, `senses` 1 for one that minimises its
    payoff and -1 for one that maximises; `evaluate(params, data, rng, who)` gives the payoffs of the players `who` and
    their gradients by their own parameters."""
    counted(steps, batch)
    params = dict(params)
    names = [name for player in players for name in player]
    dtype = np.result_type(*(params[name] for name in names))
    x, views = packed({name: freed(domains[name], params[name]) for name in names}, dtype)
    if not np.all(np.isfinite(x)):
        bad = next(name for name in names if not np.all(np.isfinite(views[name])))
        raise ValueError(f"`{bad}` starts outside its domain ({domains[bad]}), or is not finite")
    params.update(views)
    g, slots = packed(views, dtype)
    curved = [name for name in names if domains[name] in ("positive", "unit", "simplex", "spd", "lower")]
    ends = np.cumsum([0] + [sum(views[name].size for name in player) for player in players])
    parts = [slice(int(a), int(b)) for a, b in zip(ends[:-1], ends[1:])]
    memory: Any = {}
    rows = {"order": None, "at": 0}
    start = 0
    if state is not None:
        x[...], start = state["free"], int(state["step"])
        memory.update({name: np.array(a) for name, a in state["memory"].items()})
        rows = {"order": state["order"], "at": int(state["at"])}
        rng.bit_generator.state = state["rng"]
    n = len(data[row_names[0]]) if row_names else 0

    def settle() -> None:
        for name in names:
            if domains[name] in ("nonnegative", "psd", "orthogonal"):
                views[name][...] = projected(domains[name], views[name])
        for name in curved:
            params[name] = constrained(domains[name], views[name])

    def directions(step: int, who: Any) -> Any:
        payoffs, gradients = evaluate(params, part, rng, who)
        for k in who:
            for name in players[k]:
                slots[name][...] = senses[k] * pulled(domains[name], views[name], params[name], gradients[name])
        if not (np.isfinite(list(payoffs.values())).all() and all(np.isfinite(g[parts[k]]).all() for k in who)):
            raise FloatingPointError(stopped(step, what, [float(v) for v in payoffs.values()], gradients, params, terms))
        return payoffs

    settle()
    everybody = tuple(range(len(players)))
    for step in range(start + 1, steps + 1):
        part = data
        if batch is not None and batch < n:
            chosen = next_rows(rows, n, batch, rng)
            part = {**data, **{name: data[name][chosen] for name in row_names}}
        payoffs: Any = {}
        if schedule == "alternating":
            for k in everybody:
                payoffs.update(directions(step, (k,)))
                own = {name[len(f"{k}.") :]: a for name, a in memory.items() if name.startswith(f"{k}.")}
                update(x[parts[k]], g[parts[k]], own, step, **options)
                memory.update({f"{k}.{name}": a for name, a in own.items()})
                settle()
        else:
            payoffs = directions(step, everybody)
            if schedule == "extragradient":
                here = x.copy()
                x -= options["lr"] * g
                settle()
                directions(step, everybody)
                x[...] = here
                update(x, g, memory, step, **options)
            elif schedule == "optimistic":
                past = memory.setdefault("past", g.copy())
                ahead = 2 * g - past
                past[...] = g
                update(x, ahead, memory, step, **options)
            else:
                update(x, g, memory, step, **options)
            settle()
        if callback is not None:
            callback(step, {name: float(value) for name, value in payoffs.items()}, params)
        if checkpoint is not None and (step == steps or step % every == 0):
            checkpoint(saved_state(step, x, memory, rows, rng, params))
    return {name: np.array(p)[()] for name, p in params.items()}

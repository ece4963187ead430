"""The operators of the language: what they take, what they make. One row each.

`takes` lists the arguments in order: `value` an expression, `scalar` one of rank 0, `variable` a name to differentiate by
(a variable, a let, or an entry of one), `variables` one of them or a list, `dist` a distribution, `joint` a distribution
without arguments, `random` a random variable (or a list), `game`, `player`, `unary` the name of a function. `pair` means
that two distributions may stand as `q || p`. `make` builds the unreduced node; engines reduce it (reduce.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symgen.games import game as games
from symgen.probability.laws import joint as probability
from symgen.tensor.expression import HALF, Array, Var, entry, mul, operator, tensor


@dataclass(frozen=True)
class OperatorRow:
    name: str
    takes: tuple[str, ...]
    make: Callable[..., Any]
    pair: bool = False
    optional: int = 0
    keywords: Mapping[str, str] = field(default_factory=dict)
    latex: str = ""


def _grad(f: Array, xs: Sequence[Array], form: str | None = None) -> Array:
    if len(xs) > 1:
        return operator("gradients", (f, *xs), (), (form,))
    return operator("grad", (f, xs[0]), xs[0].shape, (form,))


def _jacobian(f: Array, x: Array, form: str | None = None) -> Array:
    return operator("jacobian", (f, x), (*f.shape, *x.shape), (form,))


def _hessian(f: Array, x: Array, form: str | None = None) -> Array:
    return operator("hessian", (f, x), (*x.shape, *x.shape), (form,))


def _hvp(f: Array, x: Array, v: Array) -> Array:
    return operator("hvp", (f, x, v), x.shape, ())


def _argument_of_optimum(name: str) -> Callable[..., Array]:
    def make(f: Array, xs: Sequence[Array], subject_to: tuple[Array, ...] = ()) -> Array:
        if len(xs) > 1:
            return operator("joint_optimum", (f, *xs), (), (name, subject_to))
        return operator(name, (f, xs[0], *subject_to), xs[0].shape, ())

    return make


def _stationary(f: Array, x: Array) -> Array:
    return operator("stationary", (f, x), x.shape, ())


def _convex(f: Array, xs: Sequence[Array]) -> Array:
    return operator("convex", (f, *xs), (), ())


def _bound(name: str) -> Callable[[Array, Array], Array]:
    return lambda f, x: operator(name, (f, x), (), ())


def _taylor(f: Array, x: Array, at: Array | None = None, order: int = 2) -> Array:
    return operator("taylor", (f, x) if at is None else (f, x, at), f.shape, (order,))


def _limit(f: Array, x: Array, at: Array, direction: str = "") -> Array:
    return operator("limit", (f, x, at), f.shape, (direction,))


def _form(name: str) -> Callable[[Array], Array]:
    return lambda f: operator(name, (f,), f.shape, ())


def _divergence(name: str) -> Callable[..., Array]:
    return lambda q, p, **options: probability.divergence(name, q, p, **options)


def _renyi(q: probability.DistRef, p: probability.DistRef, alpha: Array) -> Array:
    return probability.divergence("renyi", q, p, alpha=alpha)


def _bhattacharyya(q: probability.DistRef, p: probability.DistRef) -> Array:
    """-log of the integral of sqrt(p q): half the Renyi divergence of order 1/2."""
    half = tensor((), HALF)
    return tensor((), mul(HALF, entry(probability.divergence("renyi", q, p, alpha=half))))


def _posterior(p: probability.DistRef, z: tuple[Var, ...], given: tuple[Var, ...] = ()) -> Array:
    return probability.posterior(p, z, given)


def _inequality(f: Array, name: str = "", arguments: tuple[Any, ...] = ()) -> Array:
    return operator("bound", (), (), (f, name, arguments))


ROWS = [
    OperatorRow("grad", ("scalar", "variables"), _grad, optional=1, keywords={"form": "word"}),
    OperatorRow("jacobian", ("value", "variable"), _jacobian, keywords={"form": "word"}),
    OperatorRow("hessian", ("scalar", "variable"), _hessian, keywords={"form": "word"}),
    OperatorRow("hvp", ("scalar", "variable", "value"), _hvp),
    OperatorRow("d", ("value", "variable"), _jacobian),
    OperatorRow("argmin", ("scalar", "variables"), _argument_of_optimum("argmin"), keywords={"subject_to": "equations"}),
    OperatorRow("argmax", ("scalar", "variables"), _argument_of_optimum("argmax"), keywords={"subject_to": "equations"}),
    OperatorRow("stationary", ("scalar", "variable"), _stationary),
    OperatorRow("convex", ("scalar", "variables"), _convex),
    OperatorRow("smoothness", ("scalar", "variable"), _bound("smoothness")),
    OperatorRow("lipschitz", ("scalar", "variable"), _bound("lipschitz")),
    OperatorRow("taylor", ("value", "variable"), _taylor, keywords={"at": "value", "order": "integer"}),
    OperatorRow("limit", ("value", "variable", "value"), _limit),
    OperatorRow("simplify", ("value",), _form("simplify")),
    OperatorRow("expand", ("value",), _form("expand")),
    OperatorRow("KL", ("dist", "dist"), _divergence("KL"), pair=True),
    OperatorRow("cross_entropy", ("dist", "dist"), _divergence("cross_entropy"), pair=True),
    OperatorRow("JS", ("dist", "dist"), _divergence("JS"), pair=True),
    OperatorRow("renyi", ("dist", "dist", "scalar"), _renyi, pair=True),
    OperatorRow("chi2", ("dist", "dist"), _divergence("chi2"), pair=True),
    OperatorRow("bhattacharyya", ("dist", "dist"), _bhattacharyya, pair=True),
    OperatorRow("hellinger", ("dist", "dist"), _divergence("hellinger"), pair=True),
    OperatorRow("tv", ("dist", "dist"), _divergence("tv"), pair=True),
    OperatorRow("wasserstein2", ("dist", "dist"), _divergence("wasserstein2"), pair=True),
    OperatorRow("fdiv", ("unary", "dist", "dist"), lambda f, q, p: probability.divergence("fdiv", q, p, f=f)),
    OperatorRow("moment_match", ("dist", "dist"), probability.moment_match, pair=True),
    OperatorRow("entropy", ("dist",), probability.entropy),
    OperatorRow("entropy_rate", ("dist",), probability.entropy_rate),
    OperatorRow("mutual_information", ("joint", "random", "random"), lambda p, x, z: probability.mutual_information(p.joint, x, z)),
    OperatorRow("elbo", ("dist", "joint"), probability.elbo, pair=True),
    OperatorRow("bound", ("scalar",), _inequality, keywords={"by": "inequality"}),
    OperatorRow("posterior", ("joint", "random"), _posterior, keywords={"given": "random"}),
    OperatorRow("marginal", ("joint", "random"), probability.marginal),
    OperatorRow("score", ("dist", "variable"), probability.score),
    OperatorRow("fisher", ("dist", "variables"), probability.fisher),
    OperatorRow("mle", ("dist", "variables"), probability.mle),
    OperatorRow("best_response", ("game", "player"), games.best_response),
    OperatorRow("value", ("game", "player"), games.value_at_best_response, optional=1),
    OperatorRow("equilibrium", ("game",), games.equilibrium),
    OperatorRow(
        "stability", ("game",), games.stability,
        keywords={"method": "method", "step": "step", "at": "value"},
    ),
]  # fmt: skip

OPERATORS: dict[str, OperatorRow] = {row.name: row for row in ROWS}

"""How players move ▣: one row for each method, by its iteration matrix near an equilibrium.

z moves along the vector field v (each player up its payoff), J is the Jacobian of v at the equilibrium, h the step.
A row gives the matrix of the linearised iteration (over z, and the iterate before it where the method remembers one)
and, where it is a function of J alone, the equation between an eigenvalue lam of J and one mu of the iteration.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy

__all__ = ["DYNAMICS", "Dynamics"]

S = sympy
I = sympy.eye


@dataclass(frozen=True)
class Dynamics:
    """`update` is the rule as papers write it; `matrix(J, blocks, h, *options)` its linearisation, where `blocks` lists
    the coordinates of each player in the order in which they move; `characteristic(mu, lam, h, *options)` is 0."""

    name: str
    update: str
    matrix: Callable[..., Any]
    source: str
    characteristic: Callable[..., Any] | None = None
    options: tuple[str, ...] = ()


def _remembering(now: Any, before: Any) -> Any:
    """z, z_before -> now z + before z_before, z."""
    n = now.rows
    return S.Matrix(S.BlockMatrix([[now, before], [I(n), S.zeros(n, n)]]))


def _alternating(J: Any, blocks: Sequence[Sequence[int]], h: Any) -> Any:
    n = J.rows
    out = I(n)
    for block in blocks:
        P = S.diag(*[1 if i in block else 0 for i in range(n)])
        out = (I(n) + h * P * J) * out
    return out


ROWS = (
    Dynamics(
        "simultaneous",
        update="z[t+1] = z[t] + h*v(z[t])",
        matrix=lambda J, blocks, h: I(J.rows) + h * J,
        characteristic=lambda mu, lam, h: mu - (1 + h * lam),
        source="Mescheder et al. (2017), lemma 4",
    ),
    Dynamics(
        "alternating",
        update="each player in turn: z_k = z_k + h*v_k(z)",
        matrix=_alternating,
        source="Mescheder et al. (2018), lemma 2.5",
    ),
    Dynamics(
        "extragradient",
        update="z[t+1] = z[t] + h*v(z[t] + h*v(z[t]))",
        matrix=lambda J, blocks, h: I(J.rows) + h * J + h**2 * J * J,
        characteristic=lambda mu, lam, h: mu - (1 + h * lam + h**2 * lam**2),
        source="Korpelevich (1976)",
    ),
    Dynamics(
        "optimistic",
        update="z[t+1] = z[t] + 2*h*v(z[t]) - h*v(z[t-1])",
        matrix=lambda J, blocks, h: _remembering(I(J.rows) + 2 * h * J, -h * J),
        characteristic=lambda mu, lam, h: mu**2 - (1 + 2 * h * lam) * mu + h * lam,
        source="Daskalakis et al. (2018), eq. 7",
    ),
    Dynamics(
        "consensus",
        update="z[t+1] = z[t] + h*(v(z) - gamma*grad(|v|^2/2))",
        matrix=lambda J, blocks, h, gamma: I(J.rows) + h * (J - gamma * J.T * J),
        options=("gamma",),
        source="Mescheder et al. (2017), eq. 6",
    ),
    Dynamics(
        "momentum",
        update="z[t+1] = z[t] + h*v(z[t]) + beta*(z[t] - z[t-1])",
        matrix=lambda J, blocks, h, beta: _remembering(I(J.rows) * (1 + beta) + h * J, -beta * I(J.rows)),
        characteristic=lambda mu, lam, h, beta: mu**2 - (1 + beta + h * lam) * mu + beta,
        options=("beta",),
        source="Gidel et al. (2019), eq. 12",
    ),
)

DYNAMICS: dict[str, Dynamics] = {row.name: row for row in ROWS}
CONTINUOUS = ("continuous", "flow")

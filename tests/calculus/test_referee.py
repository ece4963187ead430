"""What the referees of derivatives can decide: domains that random points miss, lets that are symmetric, extremes, floats."""

from __future__ import annotations

import numpy as np
import pytest

import symgen

SPEC = """
dim n, m
data X: real[n, m], y: real[n]
param w: real[n], S: spd[n, n], s: positive, M: real[m, m], Q: real[n, n]
let K = s*Q @ Q' + eye(n)
"""

DECIDED = [
    "grad(-log(1 - sum(w^2)), w)",  # defined where w is small alone
    "hessian(-log(1/100 - w @ w), w)",
    "grad(y @ inv(K) @ y/2 + logdet(K)/2, K)",  # K is symmetric: so are the points at which it is moved
    "grad(max(eigvals(S)), S)",  # an extreme of numbers that no float holds exactly
    "grad(max(sin(w)*w), w)",
    "grad(min[i](exp(w[i])*y[i]), w)",
    "grad(nuclear_norm(X)*spectral_norm(X), X)",
]


@pytest.mark.parametrize("goal", DECIDED)
def test_the_referee_decides(goal: str) -> None:
    assert symgen.loads(SPEC).derive(goal).evidence.kind == "checked"


def test_the_gradient_by_a_symmetric_value_is_its_adjoint() -> None:
    m = symgen.loads(SPEC)
    assert m.check("grad(y @ inv(K) @ y/2 + logdet(K)/2, K) = (inv(K) - outer(inv(K) @ y, inv(K) @ y))/2").status == "proved"


NEED_TALL = ["grad(logdet(X' @ X), X)", "grad(tr(inv(X' @ X)), X)", "grad(log(det(X' @ S @ X)), X)"]


@pytest.mark.parametrize("goal", NEED_TALL)
def test_code_is_not_blamed_for_matrices_without_inverse(goal: str) -> None:
    """At some sizes X' X has no inverse; the code is compared with its expression where it has one."""
    x = np.random.default_rng(3).normal(size=(5, 3))
    root = np.random.default_rng(4).normal(size=(5, 5))
    given = {"X": x, "S": root @ root.T + np.eye(5)}
    m = symgen.loads(SPEC)
    f = m.derive(goal.removeprefix("grad(").removesuffix(", X)"))
    got = m.derive(goal).evaluate(**given)
    h = 1e-5
    for i, j in ((0, 0), (4, 2), (2, 1)):
        step = np.zeros_like(x)
        step[i, j] = h
        by_hand = (f.evaluate(**{**given, "X": x + step}) - f.evaluate(**{**given, "X": x - step})) / (2 * h)
        assert got[i, j] == pytest.approx(by_hand, rel=1e-5, abs=1e-7)

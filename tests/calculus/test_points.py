"""Polynomials of Taylor at points of vectors and matrices, held against numbers."""

import numpy as np
import pytest
from numpy.linalg import inv, slogdet
from scipy.special import logsumexp, softmax

import symgen

MODEL = symgen.loads("dim n\nparam x: real[n], z: real[n], S: spd[n, n]\n")
X, Z = np.array([0.3, -1.2, 0.8]), np.array([-0.4, 0.9, 1.7])
S = np.array([[2.0, 0.3, 0.1], [0.3, 1.5, -0.2], [0.1, -0.2, 1.1]])
P = softmax(Z)


@pytest.mark.parametrize(
    "goal, value",
    [
        ("taylor(softmax(x), x, at=z, order=0)", P), ("taylor(grad(logsumexp(x), x), x, at=z, order=0)", P),
        ("taylor(logsumexp(x), x, at=z, order=2)",
         logsumexp(Z) + P @ (X - Z) + (X - Z) @ (np.diag(P) - np.outer(P, P)) @ (X - Z) / 2),
        ("taylor(logsumexp(x), x, order=1)", np.log(3) + X.mean()),
        ("taylor(logdet(S), S, at=2*eye(n), order=1)", slogdet(2 * np.eye(3))[1] + np.trace(S) / 2 - 3),
        ("taylor(inv(S), S, at=2*eye(n), order=0)", inv(2 * np.eye(3))),
    ],
)  # fmt: skip
def test_what_stands_in_an_operation_is_moved_to_the_point(goal, value):
    found = MODEL.derive(goal)
    given = {"x": X, "z": Z, "S": S, "n": 3}
    needed = {v for v in ("x", "z", "S") if v in found.symbols or v in found.text_result}
    assert np.allclose(found.evaluate(**{k: given[k] for k in needed}, **({} if needed else {"n": 3})), value, rtol=1e-10)


def test_a_point_on_a_kink_refutes_no_derivative():
    for name in "ABCDFGHJKMPQRTUVWYZ":  # each draws points of its own
        model = symgen.loads(
            f"dim n\nparam {name}: real[n, n]\nlet f = sum(clip({name}, -1, 2) + relu({name} - 1/2) + abs({name} + 2))\n"
        )
        assert model.derive(f"grad(f, {name})").evidence.kind == "checked"

"""A sum over an index that what it sums does not depend on counts as often as the index has values."""

from __future__ import annotations

import numpy as np
import pytest

import symgen

SPEC = "dim n, d\ndata y: real[n], v: real[d]\nparam a: real, M: real[d, d]\nlet f = {}\n"
Y, V, A = np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0]), 0.7
M = np.array([[0.5, -1.0], [2.0, 0.3]])
ONES = np.ones(2)
TABLE = {
    "(sum(y)*ones(d)) @ ones(d)": Y.sum() * 2,
    "(a*ones(d)) @ (sum(y)*ones(d))": A * 2 * Y.sum(),
    "tr(sum(y)*eye(d))": 2 * Y.sum(),
    "var(outer(y, sum(v)*ones(d)))": np.var(np.outer(Y, V.sum() * ONES)),
    "sum(outer(v, sum(y)*ones(d)) @ outer(ones(d), v))": (np.outer(V, Y.sum() * ONES) @ np.outer(ONES, V)).sum(),
    "norm(M @ ones(d, d))^2": np.linalg.norm(M @ np.ones((2, 2))) ** 2,
    "logdet(3*eye(d) + (M @ ones(d, d)) @ (M @ ones(d, d))')": np.linalg.slogdet(
        3 * np.eye(2) + (M @ np.ones((2, 2))) @ (M @ np.ones((2, 2))).T
    )[1],
    "sum(M @ (ones(d, d) @ (M @ ones(d))))": (M @ (np.ones((2, 2)) @ (M @ ONES))).sum(),
}


@pytest.mark.parametrize("text", TABLE)
def test_a_constant_factor_counts(text):
    got = symgen.loads(SPEC.format(text)).derive("f").evaluate(y=Y, v=V, a=A, M=M)
    assert np.isclose(got, TABLE[text], rtol=1e-12)

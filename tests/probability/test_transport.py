"""Wasserstein distances of normal vectors against the eigenvalues of the product of their covariances."""

import math

import numpy as np
import pytest

import symgen

SPEC = """
dim d
param m: real[d], S: spd[d, d], b: real[d], T: spd[d, d], v: positive[d], w: positive[d], s: positive
dist p(x) = MvNormal(m, S)
dist q(x) = MvNormal(b, T)
dist r(x) = MvNormal(b, diag=v)
dist e(x) = MvNormal(m, diag=w)
dist n(x: real[d]) = Normal(b, v)
dist g(x) = MvNormal(b, s*S)
"""
rng = np.random.default_rng(8)
spd = lambda: (lambda a: a @ a.T + np.eye(3))(rng.normal(size=(3, 3)))  # noqa: E731
AT = {"m": rng.normal(size=3), "S": spd(), "b": rng.normal(size=3), "T": spd(), "v": np.array([0.4, 1.3, 2.2]),
      "w": np.array([1.9, 0.6, 0.8]), "s": 2.6}  # fmt: skip
LAWS = {"p": ("m", AT["S"]), "q": ("b", AT["T"]), "r": ("b", np.diag(AT["v"])), "e": ("m", np.diag(AT["w"])),
        "n": ("b", np.diag(AT["v"] ** 2)), "g": ("b", AT["s"] * AT["S"])}  # fmt: skip


@pytest.mark.parametrize("pair", ["pq", "re", "pn", "nr", "pg", "gq", "rq", "pp"])
def test_wasserstein(pair):
    d = symgen.loads(SPEC).derive(f"wasserstein2({pair[0]}, {pair[1]})")
    assert d.evidence.kind == "checked"
    (m, S), (b, T) = LAWS[pair[0]], LAWS[pair[1]]
    roots = np.sqrt(np.linalg.eigvals(S @ T).real)
    want = ((AT[m] - AT[b]) ** 2).sum() + np.trace(S) + np.trace(T) - 2 * roots.sum()
    assert math.isclose(float(d.evaluate(**AT)), want, rel_tol=1e-9, abs_tol=1e-9)

"""Means of exponentials of whole draws: a normal vector by nodes of a product rule, Wishart matrices by simulation."""

import math

import numpy as np
import pytest
from scipy import stats

import symgen

MODEL = symgen.loads("""
dim d, n, p
param m: real[d], b: real[d], S: spd[d, d], T: spd[d, d], A: symmetric[d, d], l: positive, s: positive[d]
data X: real[n, d]
param nu: positive, V: spd[p, p], Y: spd[p, p], B: real[p, p], t: positive
assume nu > p + 3
dist f(x) = MvNormal(m, S)
dist g(x) = MvNormal(m, diag=s)
dist W(Z) = Wishart(nu, V)
dist I(Z) = InverseWishart(nu, V)
""")
rng = np.random.default_rng(8)


def spd(n):
    a = rng.normal(size=(n, n))
    return a @ a.T / 2 + np.eye(n)


AT = {"m": rng.normal(size=2), "b": rng.normal(size=2), "S": spd(2), "T": spd(2), "A": np.array([[0.05, -0.03], [-0.03, -0.2]]),
      "l": 0.8, "s": np.array([0.7, 1.6]), "X": rng.normal(size=(3, 2)), "nu": 6.5, "V": spd(2), "Y": spd(2),
      "B": 0.03*rng.normal(size=(2, 2)), "t": 0.6}  # fmt: skip

OF_VECTORS = {
    "f(exp(-x @ T @ x/2))": lambda x: np.exp(-np.einsum("ni,ij,nj->n", x, AT["T"], x) / 2),
    "f(exp(b @ x - x @ T @ x/2))": lambda x: np.exp(x @ AT["b"] - np.einsum("ni,ij,nj->n", x, AT["T"], x) / 2),
    "f(exp(-(x - b) @ inv(T) @ (x - b)/2))": lambda x: np.exp(
        -np.einsum("ni,ij,nj->n", x - AT["b"], np.linalg.inv(AT["T"]), x - AT["b"]) / 2
    ),
    "f(sum[i: n](exp(-sum((x - X[i])^2)/(2*l^2))))": lambda x: np.exp(-((x[:, None] - AT["X"]) ** 2).sum(-1) / (2 * 0.64)).sum(1),
    "f(exp(x @ A @ x))": lambda x: np.exp(np.einsum("ni,ij,nj->n", x, AT["A"], x)),
    "g(exp(-x @ x))": lambda x: np.exp(-(x**2).sum(1)),
    "f(exp(-(b @ x)^2))": lambda x: np.exp(-((x @ AT["b"]) ** 2)),
}


@pytest.mark.parametrize("goal", OF_VECTORS)
def test_a_quadratic_exponential_of_a_normal_vector_has_the_mean_of_nodes(goal):
    law, f = goal.split("(", 1)
    e, w = np.polynomial.hermite_e.hermegauss(90)
    z = np.stack(np.meshgrid(e, e, indexing="ij"), -1).reshape(-1, 2)
    x = AT["m"] + z @ np.linalg.cholesky(AT["S"] if law == "f" else np.diag(AT["s"])).T
    want = np.outer(w, w).reshape(-1) @ OF_VECTORS[goal](x) / (2 * math.pi)
    d = MODEL.derive(f"E[x ~ {law}]({f}")
    assert "E[" not in d.text_result and d.evidence.kind == "checked"
    assert math.isclose(float(d.evaluate(**AT)), want, rel_tol=1e-6)


def test_where_the_mean_is_infinite_no_number_is_given():
    d = MODEL.derive("E[x ~ f](exp(x @ A @ x))")
    assert any("positive definite" in c for c in d.evidence.conditions)
    with pytest.raises(symgen.DataError):
        d.evaluate(**{**AT, "A": np.eye(2)})


OF_MATRICES = {
    "W": {"det(Z)": lambda z: np.linalg.det(z), "det(Z)^2": lambda z: np.linalg.det(z) ** 2,
          "det(Z)^t": lambda z: np.linalg.det(z) ** 0.6, "1/det(Z)": lambda z: 1 / np.linalg.det(z),
          "exp(-tr(Y @ Z))": lambda z: np.exp(-np.einsum("ij,nji->n", AT["Y"], z)),
          "exp(tr(B @ Z))": lambda z: np.exp(np.einsum("ij,nji->n", AT["B"], z)),
          "det(Z)*exp(-tr(Z))": lambda z: np.linalg.det(z) * np.exp(-np.trace(z, axis1=1, axis2=2))},
    "I": {"det(Z)": lambda z: np.linalg.det(z),
          "exp(-tr(inv(Z)))": lambda z: np.exp(-np.trace(np.linalg.inv(z), axis1=1, axis2=2))},
}  # fmt: skip


@pytest.mark.parametrize("law", OF_MATRICES)
def test_traces_and_determinants_of_wishart_draws_have_the_means_of_samples(law):
    z = (stats.wishart if law == "W" else stats.invwishart)(6.5, AT["V"]).rvs(60_000, random_state=2)
    for f, value in OF_MATRICES[law].items():
        d = MODEL.derive(f"E[Z ~ {law}]({f})")
        assert "E[" not in d.text_result and d.evidence.kind == "checked", f
        x = value(z)
        assert abs(d.evaluate(**AT) - x.mean()) < 5 * x.std() / math.sqrt(len(x)), f

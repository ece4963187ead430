"""Laws of matrices and directions, of symbolic size: against formulas of the books and sampled or exact numbers."""

import math

import numpy as np
import pytest
from scipy import special, stats

import symgen

SPEC = """
dim p, n, d
param nu: positive, nv: positive, V: spd[p, p], W: spd[p, p], M: real[n, p], N: real[n, p], U: spd[n, n], Y: spd[n, n]
param m: real[d], k: positive, l: positive
assume nu > p + 1, nv > p + 1
dist a(x) = Wishart(nu, V)
dist b(x) = Wishart(nv, W)
dist c(y) = InverseWishart(nu, V)
dist e(y) = InverseWishart(nv, W)
dist f(z) = MatrixNormal(M, U, V)
dist g(z) = MatrixNormal(N, Y, W)
dist v(u) = VonMisesFisher(m, k)
dist w(u) = VonMisesFisher(m, l)
dist q(r) = TruncatedNormal(0, k, -1, l)
dist o(r) = GeneralizedNormal(1, k, l)
"""
rng = np.random.default_rng(2)
spd = lambda n: (lambda A: A @ A.T + np.eye(n))(rng.normal(size=(n, n)))  # noqa: E731
AT = {"nu": 6.5, "nv": 5.2, "V": spd(3), "W": spd(3), "M": rng.normal(size=(2, 3)), "N": rng.normal(size=(2, 3)),
      "U": spd(2), "Y": spd(2), "m": np.array([0.6, 0.8]), "k": 1.3, "l": 0.7}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return symgen.loads(SPEC)


def at(model, goal):
    d = model.derive(goal)
    assert d.evidence.kind == "checked", d.evidence
    return d.evaluate(**AT)


def kl_wishart(nu, V, nv, W):
    p = len(V)
    inverse = np.linalg.inv(W)
    return (nv / 2 * (np.linalg.slogdet(W)[1] - np.linalg.slogdet(V)[1]) + nu / 2 * (np.trace(inverse @ V) - p)
            + special.multigammaln(nv / 2, p) - special.multigammaln(nu / 2, p)
            + (nu - nv) / 2 * sum(special.digamma((nu - j) / 2) for j in range(p)))  # fmt: skip


def test_wishart(model):
    assert math.isclose(at(model, "KL(a || b)"), kl_wishart(AT["nu"], AT["V"], AT["nv"], AT["W"]), rel_tol=1e-10)
    assert math.isclose(at(model, "entropy(a)"), stats.wishart(AT["nu"], AT["V"]).entropy(), rel_tol=1e-10)
    assert np.allclose(at(model, "E[x ~ a](x)"), AT["nu"] * AT["V"])


def test_inverse_wishart_is_the_wishart_of_the_inverse(model):
    inverse = np.linalg.inv
    want = kl_wishart(AT["nu"], inverse(AT["V"]), AT["nv"], inverse(AT["W"]))
    assert math.isclose(at(model, "KL(c || e)"), want, rel_tol=1e-10)
    assert np.allclose(at(model, "E[y ~ c](y)"), AT["V"] / (AT["nu"] - 4))


def test_matrix_normal_is_a_normal_vector(model):
    S, T = np.kron(AT["U"], AT["V"]), np.kron(AT["Y"], AT["W"])
    mean = (AT["M"] - AT["N"]).reshape(-1)
    inverse = np.linalg.inv(T)
    want = 0.5 * (np.trace(inverse @ S) + mean @ inverse @ mean - 6 + np.linalg.slogdet(T)[1] - np.linalg.slogdet(S)[1])
    assert math.isclose(at(model, "KL(f || g)"), want, rel_tol=1e-10)
    assert np.allclose(at(model, "E[z ~ f](z @ z')"), AT["M"] @ AT["M"].T + np.trace(AT["V"]) * AT["U"])


def test_directions(model):
    ratio = special.ive(1, 1.3) / special.ive(0, 1.3)
    want = 0.6 * ratio + np.log(special.iv(0, 0.7)) - np.log(special.iv(0, 1.3))
    assert math.isclose(at(model, "KL(v || w)"), want, rel_tol=1e-10)


def test_truncated_and_generalised_normals(model):
    want = stats.truncnorm(-1 / 1.3, 0.7 / 1.3, loc=0, scale=1.3).entropy()
    assert math.isclose(at(model, "entropy(q)"), want, rel_tol=1e-8)
    assert math.isclose(at(model, "entropy(o)"), stats.gennorm(0.7, 1, 1.3).entropy(), rel_tol=1e-8)


def test_a_matrix_meets_its_inverse_in_a_difference():
    """tr((inv(W) - inv(S)) S) is tr(inv(W) S) - k."""
    model = symgen.loads(
        "dim k\nparam S: spd[k, k], W: spd[k, k], nu: positive\n"
        "dist v(X: spd[k, k]) = Wishart(nu + k, S)\ndist w(X: spd[k, k]) = Wishart(nu + k, W)"
    )
    assert model.derive("KL(v || w)").text_result == "(k + nu)*(tr(inv(W) @ S) + logdet(W) - logdet(S) - k)/2"

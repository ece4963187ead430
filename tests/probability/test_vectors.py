"""Vectors and matrices of symbolic size: what is derived for all sizes, against NumPy at unequal ones."""

import math

import numpy as np
import pytest

import symgen

SPEC = """
dim k, n, d
param mu: real[k], s: positive[k], nu: real[k], t: positive[k]
param m: real[d], b: real[d], S: spd[d, d], T: spd[d, d], L: lower[d, d], v: positive[d], A: real[d, d]
param al: positive[k], be: positive[k], w: simplex[k], u: simplex[k]
data Z: real[n, k]
dist q(z) = Normal(mu, s)
dist p(z) = Normal(nu, t)
dist one(z) = Normal(0, 1)
dist f(x) = MvNormal(m, S)
dist g(x) = MvNormal(b, T)
dist gl(x) = MvNormal(b, chol=L)
dist gp(x) = MvNormal(b, precision=T)
dist gd(x) = MvNormal(b, diag=v)
dist D(r) = Dirichlet(al)
dist F(r) = Dirichlet(be)
dist c(y) = Categorical(w)
dist e(y) = Categorical(u)
dist o(h) = OneHotCategorical(w)
dist emp(z) = Empirical(Z)
"""


@pytest.fixture(scope="module")
def model():
    return symgen.loads(SPEC)


@pytest.fixture(scope="module")
def at():
    rng = np.random.default_rng(5)
    spd = lambda: (lambda a: a @ a.T + 2 * np.eye(3))(rng.normal(size=(3, 3)))  # noqa: E731
    simplex = lambda: rng.dirichlet(np.ones(4))  # noqa: E731
    return {
        "mu": rng.normal(size=4), "s": rng.uniform(0.5, 2, 4), "nu": rng.normal(size=4), "t": rng.uniform(0.5, 2, 4),
        "m": rng.normal(size=3), "b": rng.normal(size=3), "S": spd(), "T": spd(), "A": rng.normal(size=(3, 3)),
        "L": np.tril(rng.normal(size=(3, 3)), -1) + np.diag([0.7, 1.3, 2.1]), "v": rng.uniform(0.5, 2, 3),
        "al": rng.uniform(0.5, 3, 4), "be": rng.uniform(0.5, 3, 4), "w": simplex(), "u": simplex(),
        "Z": rng.normal(size=(6, 4)),
    }  # fmt: skip


def kl_gauss(m, S, b, T):
    inverse = np.linalg.inv(T)
    return 0.5 * (np.trace(inverse @ S) + (m - b) @ inverse @ (m - b) - len(m)
                  + np.linalg.slogdet(T)[1] - np.linalg.slogdet(S)[1])  # fmt: skip


def digamma(x):
    from scipy.special import digamma

    return digamma(x)


def lgamma(x):
    return np.array([math.lgamma(y) for y in np.atleast_1d(x)])


CASES = {
    "KL(q || p)": lambda x: np.sum(np.log(x["t"] / x["s"])
                                   + (x["s"] ** 2 + (x["mu"] - x["nu"]) ** 2) / (2 * x["t"] ** 2) - 0.5),
    "KL(q || one)": lambda x: np.sum((x["s"] ** 2 + x["mu"] ** 2 - 1) / 2 - np.log(x["s"])),
    "KL(f || g)": lambda x: kl_gauss(x["m"], x["S"], x["b"], x["T"]),
    "KL(f || gl)": lambda x: kl_gauss(x["m"], x["S"], x["b"], x["L"] @ x["L"].T),
    "KL(gl || g)": lambda x: kl_gauss(x["b"], x["L"] @ x["L"].T, x["b"], x["T"]),
    "KL(f || gp)": lambda x: kl_gauss(x["m"], x["S"], x["b"], np.linalg.inv(x["T"])),
    "KL(gd || f)": lambda x: kl_gauss(x["b"], np.diag(x["v"]), x["m"], x["S"]),
    "KL(D || F)": lambda x: (lgamma(x["al"].sum()) - lgamma(x["be"].sum())
                             - lgamma(x["al"]).sum() + lgamma(x["be"]).sum()
                             + (x["al"] - x["be"]) @ (digamma(x["al"]) - digamma(x["al"].sum())))[0],
    "KL(c || e)": lambda x: x["w"] @ np.log(x["w"] / x["u"]),
    "entropy(o)": lambda x: -x["w"] @ np.log(x["w"]),
    "entropy(f)": lambda x: 0.5 * np.linalg.slogdet(2 * np.pi * np.e * x["S"])[1],
    "E[x ~ f](x @ A @ x)": lambda x: np.trace(x["A"] @ x["S"]) + x["m"] @ x["A"] @ x["m"],
    "Var[x ~ f](b @ x)": lambda x: x["b"] @ x["S"] @ x["b"],
    "Var[x ~ f](x @ A @ x)": lambda x: (lambda B: 2 * np.trace(B @ x["S"] @ B @ x["S"])
                                        + 4 * x["m"] @ B @ x["S"] @ B @ x["m"])((x["A"] + x["A"].T) / 2),
    "Var[z ~ q](z)": lambda x: np.diag(x["s"] ** 2),
    "Var[z ~ q](sum(z^2))": lambda x: np.sum(2 * x["s"] ** 4 + 4 * x["mu"] ** 2 * x["s"] ** 2),
    "Cov[z ~ q](z[0], z @ z)": lambda x: 2 * x["mu"][0] * x["s"][0] ** 2,
    "E[x ~ f](exp(b @ x))": lambda x: np.exp(x["b"] @ x["m"] + x["b"] @ x["S"] @ x["b"] / 2),
    "E[z ~ q](exp(sum(z)))": lambda x: np.exp(np.sum(x["mu"] + x["s"] ** 2 / 2)),
    "E[r ~ D](r)": lambda x: x["al"] / x["al"].sum(),
    "Var[r ~ D](r)": lambda x: (lambda a, A: (np.diag(a) / A - np.outer(a, a) / A**2) / (A + 1))(
        x["al"], x["al"].sum()),
    "E[h ~ o](log(h @ al))": lambda x: x["w"] @ np.log(x["al"]),
    "E[y ~ c](al[y])": lambda x: x["w"] @ x["al"],
    "E[z ~ emp](z)": lambda x: x["Z"].mean(0),
    "E[z ~ emp](z @ z)": lambda x: (x["Z"] ** 2).sum(1).mean(),
    "wasserstein2(q, p)": lambda x: np.sum((x["mu"] - x["nu"]) ** 2 + (x["s"] - x["t"]) ** 2),
    "renyi(q, p, 1/2)": lambda x: -2 * np.sum(np.log(np.sqrt(2 * x["s"] * x["t"] / (x["s"] ** 2 + x["t"] ** 2)))
                                              - (x["mu"] - x["nu"]) ** 2 / (4 * (x["s"] ** 2 + x["t"] ** 2))),
}  # fmt: skip


@pytest.mark.parametrize("goal", CASES)
def test_the_closed_form_is_that_of_the_book(model, at, goal):
    got = model.derive(goal).evaluate(**at)
    assert np.allclose(got, CASES[goal](at), rtol=1e-8), goal


def test_the_kl_of_a_vae_adds_up_over_rows():
    m = symgen.loads(
        "dim n, k\nparam M: real[n, k], V: real[n, k]\ndata x: real[n]\n"
        "dist q(z | x) = Normal(M, exp(V/2))\ndist p(z) = Normal(zeros(k), 1)\n"
    )
    rng = np.random.default_rng(1)
    M, V = rng.normal(size=(5, 2)), rng.normal(size=(5, 2))
    want = 0.5 * np.sum(np.exp(V) + M**2 - 1 - V)
    assert math.isclose(float(m.derive("KL(q(z | x) || p(z))").evaluate(M=M, V=V)), want, rel_tol=1e-10)

"""Laws of broken sticks, of directions and of chains, of symbolic size: against sums over all paths, grids on the simplex
and SciPy's laws on the sphere."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import special, stats

import symgen

SPEC = """
dim m, d, k, T
param a: positive[m], b: positive[m], a2: positive[m], b2: positive[m], al: positive[m+1]
param mu: real[d], kap: positive, A: real[d, d]
param p0: simplex[k], P: simplex[k, k], r0: simplex[k], R: simplex[k, k], c: real[k]
data z: simplex[m+1]
dist g(x) = GeneralizedDirichlet(a, b)
dist h(x) = GeneralizedDirichlet(a2, b2)
dist D(x) = Dirichlet(al)
dist v(u) = VonMisesFisher(mu, kap)
dist s(u) = SphericalUniform(d)
dist p(y) = MarkovChain(p0, P, T)
dist q(y) = MarkovChain(r0, R, T)
"""
rng = np.random.default_rng(4)
STICKS = {"a": np.array([1.7, 2.6]), "b": np.array([2.9, 1.4]), "a2": np.array([2.2, 1.3]), "b2": np.array([1.8, 1.2]),
          "al": np.array([1.6, 2.7, 1.9])}  # fmt: skip
ROUND = {"mu": np.array([2.0, -1.0, 2.0]) / 3, "kap": 1.7, "A": rng.normal(size=(3, 3))}
CHAIN = {"p0": rng.dirichlet(np.ones(3)), "P": rng.dirichlet(np.ones(3), 3), "r0": rng.dirichlet(np.ones(3)),
         "R": rng.dirichlet(np.ones(3), 3), "c": rng.normal(size=3), "T": 4}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return symgen.loads(SPEC)


def at(model, goal, numbers):
    d = model.derive(goal)
    assert d.evidence.kind == "checked", (goal, d.evidence)
    return d.evaluate(**numbers)


# --- sticks: nodes on the triangle, with the densities as Connor and Mosimann and as Dirichlet wrote them


def density_of_parts(a, b):
    """x[i]^(a[i] - 1) (1 - x[0] - .. - x[i])^c[i]/B(a[i], b[i]) with c[i] = b[i] - a[i + 1] - b[i + 1], the last b[i] - 1."""
    c = np.append(b[:-1] - a[1:] - b[1:], b[-1] - 1)
    return lambda x: (
        np.sum((a - 1) * np.log(x[..., :-1]) + c * np.log(1 - np.cumsum(x[..., :-1], -1)), -1) - np.sum(special.betaln(a, b))
    )


def triangle():
    t, w = np.polynomial.legendre.leggauss(80)
    t, w = (1 - np.cos(math.pi * (t + 1) / 2)) / 2, w * math.pi / 4 * np.sin(math.pi * (t + 1) / 2)
    first, share = np.meshgrid(t, t, indexing="ij")
    x = np.stack([first, (1 - first) * share, (1 - first) * (1 - share)], -1)
    return x, np.outer(w, w) * (1 - first)


def test_quantities_of_a_generalised_dirichlet_are_integrals_over_the_simplex(model):
    x, w = triangle()
    g, h = density_of_parts(STICKS["a"], STICKS["b"]), density_of_parts(STICKS["a2"], STICKS["b2"])
    lg, lh = g(x), h(x)
    ld = np.sum((STICKS["al"] - 1) * np.log(x), -1) + special.gammaln(STICKS["al"].sum()) - special.gammaln(STICKS["al"]).sum()
    p, d = w * np.exp(lg), w * np.exp(ld)
    assert np.allclose([p.sum(), d.sum()], 1)
    mean = np.einsum("ij,ijk->k", p, x)
    want = {
        "KL(g || h)": np.sum(p * (lg - lh)), "KL(g || D)": np.sum(p * (lg - ld)), "KL(D || g)": np.sum(d * (ld - lg)),
        "entropy(g)": -np.sum(p * lg), "E[x ~ g](x)": mean, "E[x ~ g](log(x))": np.einsum("ij,ijk->k", p, np.log(x)),
        "Var[x ~ g](x)": np.einsum("ij,ijk,ijl->kl", p, x, x) - np.outer(mean, mean),
        "renyi(g, h, 1/2)": -2 * np.log(np.sum(w * np.exp((lg + lh) / 2))),
        "chi2(g || h)": np.sum(w * np.exp(2 * lg - lh)) - 1, "log g(z)": g(np.array([0.2, 0.5, 0.3])),
    }  # fmt: skip
    for goal, value in want.items():
        got = model.derive(goal).evaluate(**STICKS, z=np.array([0.2, 0.5, 0.3]))
        assert np.allclose(got, value, rtol=1e-5, atol=1e-6), goal


def test_the_classical_dirichlet_is_a_generalised_one(model):
    al = STICKS["al"]
    same = {**STICKS, "a": al[:-1], "b": np.cumsum(al[::-1])[::-1][1:]}
    assert abs(at(model, "KL(g || D)", same)) < 1e-12 and abs(at(model, "KL(D || g)", same)) < 1e-12


# --- directions


def test_directions_are_those_of_scipy(model):
    law = stats.vonmises_fisher(ROUND["mu"], ROUND["kap"])
    area = math.log(4 * math.pi)
    assert math.isclose(at(model, "entropy(v)", ROUND), law.entropy(), rel_tol=1e-9)
    assert math.isclose(at(model, "entropy(s)", {"d": 3}), area, rel_tol=1e-12)
    assert math.isclose(at(model, "KL(v || s)", ROUND), area - law.entropy(), rel_tol=1e-8)
    lean = math.log(math.sinh(1.7) / 1.7)  # the mean of exp(kappa mu @ u) over the sphere
    assert math.isclose(at(model, "KL(s || v)", ROUND), lean, rel_tol=1e-9)
    assert math.isclose(at(model, "E[u ~ s](u @ A @ u)", ROUND), np.trace(ROUND["A"]) / 3, rel_tol=1e-12)


def test_the_spread_of_a_direction_is_that_of_nodes_on_the_sphere(model):
    t, w = np.polynomial.legendre.leggauss(60)  # along mu, whose law is exp(kappa t)
    w = w * np.exp(1.7 * t) / np.sum(w * np.exp(1.7 * t))
    mu = ROUND["mu"]
    second = (1 - w @ t**2) / 2 * (np.eye(3) - np.outer(mu, mu)) + w @ t**2 * np.outer(mu, mu)
    assert np.allclose(at(model, "Var[u ~ v](u)", ROUND), second - (w @ t) ** 2 * np.outer(mu, mu), atol=1e-12)


def test_a_length_that_is_no_size_is_refused():
    with pytest.raises(symgen.SpecError, match="is a size"):
        symgen.loads("param x: positive\ndist s(u) = SphericalUniform(x)")


# --- chains: all paths


def log_probability(path, start, moves):
    return math.log(start[path[0]]) + sum(math.log(moves[i, j]) for i, j in zip(path, path[1:], strict=False))


def test_quantities_of_a_chain_are_sums_over_all_paths(model):
    paths = list(product(range(3), repeat=4))
    lp = np.array([log_probability(x, CHAIN["p0"], CHAIN["P"]) for x in paths])
    lq = np.array([log_probability(x, CHAIN["r0"], CHAIN["R"]) for x in paths])
    w = np.exp(lp)
    c = np.array([sum(CHAIN["c"][i] for i in x) for x in paths])
    pairs = np.array([sum(CHAIN["c"][i] * CHAIN["c"][j] for i, j in zip(x, x[1:], strict=False)) for x in paths])
    skip = np.array([CHAIN["c"][x[0]] * CHAIN["c"][x[2]] for x in paths])
    want = {"entropy(p)": -w @ lp, "KL(p || q)": w @ (lp - lq), "cross_entropy(p, q)": -w @ lq,
            "E[y ~ p](sum[t: T](c[y[t]]))": w @ c, "E[y ~ p](sum[t: T - 1](c[y[t]]*c[y[t + 1]]))": w @ pairs,
            "E[y ~ p](y)": w @ np.array(paths)}  # fmt: skip
    for goal, value in want.items():
        assert np.allclose(at(model, goal, CHAIN), value, rtol=1e-10), goal
    four = symgen.loads(SPEC.replace("MarkovChain(p0, P, T)", "MarkovChain(p0, P, 4)").replace("(r0, R, T)", "(r0, R, 4)"))
    assert math.isclose(at(four, "E[y ~ p](c[y[0]]*c[y[2]])", CHAIN), w @ skip, rel_tol=1e-10)


def test_the_entropy_rate_is_the_entropy_that_one_more_state_adds(model):
    def entropy(length):
        lp, w = np.zeros(1), np.ones(1)
        for t in range(length):
            moves = CHAIN["P"] if t else CHAIN["p0"][None]
            start = np.arange(len(lp)) % 3 if t else np.zeros(1, int)
            lp = (lp[:, None] + np.log(moves[start])).reshape(-1)
            w = np.exp(lp)
        return -w @ lp

    assert math.isclose(at(model, "entropy_rate(p)", CHAIN), entropy(12) - entropy(11), rel_tol=1e-4)
    with pytest.raises(symgen.CannotDerive, match="entropy rate"):
        model.derive("entropy_rate(g)")


@pytest.mark.slow
def test_the_backends_agree_on_chains_and_sticks():
    pytest.importorskip("jax")
    m = symgen.loads(SPEC.replace("MarkovChain(p0, P, T)", "MarkovChain(p0, P, 4)").replace("(r0, R, T)", "(r0, R, 4)")
                     + "derive chain = KL(p || q)\nderive rate = entropy_rate(p)\nderive sticks = KL(g || D)\n")  # fmt: skip
    numbers = {k: v for k, v in {**CHAIN, **STICKS}.items() if k != "T"}
    plain = m.compile(target="numpy")
    jax = m.compile(target="jax")
    for name in ("chain", "rate", "sticks"):
        want = getattr(plain, name)(numbers, {})
        assert math.isclose(float(getattr(jax, name)(numbers, {})), want, rel_tol=1e-4), name

"""Gradients of the evidence of hidden chains by transitions, starts and emissions of probability 0, against sums over all paths.

Rabiner (1989), III.C.
"""

from itertools import product

import numpy as np
import pytest
from scipy import stats

import symgen

CHAIN = """
dim T, k, v
data x: label(v)[T]
param w: simplex[k], A: simplex[k, k], th: simplex[k, v]
dist p(z[0]) = Categorical(w)
dist p(z[t: 1..T-1] | z[t - 1]) = Categorical(A[z[t - 1]])
dist p(x[t] | z[t]) = Categorical(th[z[t]])
loss L = -2*log p(x)
"""
AT = {
    "w": np.array([1.0, 0, 0]),
    "A": np.array([[0.5, 0.5, 0], [0, 0.3, 0.7], [0, 0, 1]]),
    "th": np.array([[0.2, 0.8, 0, 0], [0.1, 0.2, 0.7, 0], [0, 0.3, 0.3, 0.4]]),
}
X = np.array([0, 2, 1, 1, 3])


def of_paths(w, A, th):
    """The derivatives of log p(x) by the entries, each less the mean of its row: sums over all paths of the other factors."""
    whole, slopes = 0.0, {name: np.zeros_like(a) for name, a in AT.items()}
    for z in product(range(len(w)), repeat=len(X)):
        places = [("w", z[:1]), *(("A", p) for p in zip(z, z[1:], strict=False)), *(("th", p) for p in zip(z, X, strict=True))]
        factors = [{"w": w, "A": A, "th": th}[name][at] for name, at in places]
        whole += np.prod(factors)
        for n, (name, at) in enumerate(places):
            slopes[name][at] += np.prod(factors[:n] + factors[n + 1 :])
    return {name: (s - s.mean(-1, keepdims=True)) / whole for name, s in slopes.items()}


@pytest.fixture(scope="module")
def model():
    return symgen.loads(CHAIN)


@pytest.mark.parametrize("name", AT)
def test_gradients_are_sums_over_paths_where_a_probability_is_zero(model, name):
    derived = model.derive(f"grad(log p(x), {name})")
    assert derived.evidence.kind == "checked"
    assert np.allclose(derived.evaluate(**AT, x=X), of_paths(**AT)[name], rtol=1e-12)
    assert "Result" in derived.text()


@pytest.mark.parametrize("target", ["numpy", pytest.param("jax", marks=pytest.mark.slow), "torch"])
def test_programs_have_gradients_where_a_probability_is_zero(model, target):
    library = pytest.importorskip(target)
    if target == "jax":
        library.config.update("jax_enable_x64", True)
    as_array = library.as_tensor if target == "torch" else np.asarray
    _, slopes = model.compile(target=target).L_value_and_grad({n: as_array(v) for n, v in AT.items()}, {"x": as_array(X)})
    for name, slope in of_paths(**AT).items():
        assert np.allclose(np.asarray(slopes[name]), -2 * slope, rtol=1e-11)


MIXTURE = """
dim n, k
data x: real[n]
param w: simplex[k], mu: real[k]
dist p(z[i: n]) = Categorical(w)
dist p(x[i] | z[i]) = Normal(mu[z[i]], 1)
loss L = log p(x)
"""


@pytest.mark.parametrize("target", ["numpy", "torch"])
def test_a_mixture_has_a_gradient_by_a_weight_of_zero(target):
    """d log p/dw_j = sum over i of p(x_i | j)/p(x_i), w_j = 0 or not."""
    library = pytest.importorskip(target)
    as_array = library.as_tensor if target == "torch" else np.asarray
    mixture, x = symgen.loads(MIXTURE), np.array([0.3, -1.2, 2.1])
    at = {"w": np.array([0.4, 0.6, 0]), "mu": np.array([-0.5, 0.2, 1.4])}
    seen = stats.norm.pdf(x[:, None], at["mu"])
    want = (seen / (seen @ at["w"])[:, None]).sum(0)
    want -= want.mean()
    assert np.allclose(mixture.derive("grad(L, w)").evaluate(**at, x=x), want, rtol=1e-12)
    _, slopes = mixture.compile(target=target).L_value_and_grad({n: as_array(v) for n, v in at.items()}, {"x": as_array(x)})
    assert np.allclose(np.asarray(slopes["w"]), want, rtol=1e-12)


@pytest.mark.parametrize("given", ["z[t - 1], A", "z[t - 1]"])
def test_moves_that_are_unknown_beside_the_states_are_left_to_mean_field(given):
    unknown = CHAIN.replace("A: simplex[k, k], ", "").replace("loss L = -2*log p(x)", "").replace("z[t - 1])", f"{given})", 1)
    bayes = symgen.loads(unknown + "param a: positive[k]\ndist p(A[i: k]) = Dirichlet(a)\n")
    for goal in ("log p(x)", "posterior(p, A, given=x)"):
        with pytest.raises(symgen.CannotDerive, match=r"`A` is not integrated out beside the hidden chain `z`.*elbo\(q, p\)"):
            bayes.derive(goal)

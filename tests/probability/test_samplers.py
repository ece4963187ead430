"""Samplers of vectors and matrices draw what their densities say: their means are the known ones."""

import numpy as np
import pytest
from laws import drawn

V = np.array([[2.0, 0.3], [0.3, 1.0]])
DRAWN = {
    "MvNormal": ({"mu": np.array([0.4, -1.1]), "Sigma": V}, (2,), np.array([0.4, -1.1])),
    "Dirichlet": ({"alpha": np.array([0.7, 1.9, 2.4])}, (3,), np.array([0.7, 1.9, 2.4]) / 5),
    "Wishart": ({"nu": 5.5, "V": V}, (2, 2), 5.5 * V),
    "InverseWishart": ({"nu": 8.5, "Psi": V}, (2, 2), V / 5.5),
    "MatrixNormal": ({"M": V[:1] - 2, "U": np.array([[1.4]]), "V": V}, (1, 2), V[:1] - 2),
    "VonMisesFisher": ({"mu": np.array([0.6, 0.8, 0.0]), "kappa": 2.3}, (3,),
                       (1 / np.tanh(2.3) - 1 / 2.3) * np.array([0.6, 0.8, 0.0])),
    "GeneralizedDirichlet": ({"a": np.array([1.7, 2.6]), "b": np.array([2.9, 1.4])}, (3,),
                             np.array([1.7, 2.9 * 2.6 / 4, 2.9 * 1.4 / 4]) / 4.6),
    "SphericalUniform": ({"d": 3}, (3,), np.zeros(3)),
    "MarkovChain": ({"p0": np.array([0.3, 0.7]), "P": np.array([[0.8, 0.2], [0.4, 0.6]]), "T": 3}, (3,),
                    np.array([0.7, 0.48, 0.392])),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWN)
def test_the_sampler_has_the_known_mean(name):
    parameters, shape, mean = DRAWN[name]
    count = 40_000
    x = drawn(name, np.random.default_rng(3), count, *shape, **parameters)
    assert x.shape == (count, *shape)
    error = x.std(axis=0) / np.sqrt(count)
    assert np.all(np.abs(x.mean(axis=0) - mean) < 5 * error + 1e-12)


def test_draws_of_a_wishart_have_its_log_determinant():
    from scipy.special import digamma

    parameters, shape, _ = DRAWN["Wishart"]
    x = drawn("Wishart", np.random.default_rng(5), 40_000, *shape, **parameters)
    logs = np.linalg.slogdet(x)[1]
    want = sum(digamma((5.5 - j) / 2) for j in range(2)) + 2 * np.log(2) + np.linalg.slogdet(V)[1]
    assert abs(logs.mean() - want) < 5 * logs.std() / 200

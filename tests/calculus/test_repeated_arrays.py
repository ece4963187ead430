"""Arrays that repeat one number along an axis are differentiated as that number."""

import numpy as np
import pytest

import symgen

SPEC = """
dim n, d
param w: real[d], mu: real
data X: real[n, d]
loss L = {}
"""

LOSSES = (
    "sum(log(norm(w)*ones(n)))",
    "sum((norm(w)*ones(n))^2/2 + mu^2)",
    "sum(exp(-sum(w^2)*ones(n, d)))",
    "sum(sqrt(1 + mu^2*ones(n)))",
    "sum(softplus(X @ w + norm(w)*ones(n))*(norm(w)*ones(n))^3)",
    "KL(Normal(mu*ones(n), norm(w)*ones(n)) || Normal(zeros(n), 1))",
    "logsumexp(sum(w)*ones(n))",
)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_compiled_gradient_is_that_of_differences(loss):
    model = symgen.loads(SPEC.format(loss)).compile()
    rng = np.random.default_rng(3)
    params = {"w": rng.normal(size=3), "mu": np.float64(0.7)}
    data = {"X": rng.normal(size=(4, 3))} if "X" in loss else {}
    sizes = {} if data else {"n": 4}
    value, gradient = model.L_value_and_grad(params, data, **sizes)
    assert np.isfinite(value)
    for name, slope in gradient.items():
        found = np.empty(np.shape(params[name]))
        for k in np.ndindex(found.shape):
            step = np.zeros(found.shape)
            step[k] = 1e-6
            up, down = ({**params, name: params[name] + s * step} for s in (1, -1))
            found[k] = (model.L(up, data, **sizes) - model.L(down, data, **sizes)) / 2e-6
        np.testing.assert_allclose(slope, found, rtol=2e-7, atol=1e-8)

"""`grad(f)` and `grad(f, [x, y])`: the gradients of one sweep are those by each variable alone."""

import numpy as np
import pytest

import symgen

MODELS = {
    "tied weights": "dim n, d, h\ndata X: real[n, d]\nparam W: real[d, h], b: real[h]\n"
                    "loss L = norm(tanh(X @ W + b) @ W' - X)^2/(2*n)",
    "a factor": "dim m, n, k\ndata Y: real[m, n]\nparam U: real[m, k], V: real[n, k], mu: real\n"
                "loss L = norm(Y - U @ V' - mu)^2 + norm(U)^2 + norm(V)^2",
    "a precision": "dim n, d\ndata X: real[n, d]\nparam m: real[d], S: spd[d, d]\n"
                   "loss L = n*logdet(S)/2 + sum[i]((X[i] - m)' @ inv(S) @ (X[i] - m))/2",
    "two scalars": "data y: real\nparam a: real, b: positive\nloss L = (y - a)^2/b + log(b)",
    "a classifier": "dim n, d, k\ndata X: real[n, d], Y: simplex[n, k]\nparam W: real[d, k], c: real[k]\n"
                    "let Z = X @ W + c\nloss L = sum(logsumexp(Z, axis=1) - sum(Y*Z, axis=1))/n",
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_gradients_of_one_sweep_are_those_by_each_parameter(name):
    model = symgen.loads(MODELS[name])
    params = [v.variable for v in model.elaborated.variables.values() if v.variable.role == "param"]
    d = model.derive("grad(L)")
    assert list(d.record.by) == [p.name for p in params]
    assert d.evidence.kind in ("checked", "proved")
    for line in d.text_result.splitlines():
        assert model.check(line).status == "proved"
    for p in params:
        alone = model.derive(f"grad(L, {p.name})")
        assert model.check(f"grad(L).{p.name} = {alone.text_result}").status == "proved"
    again = model.derive("grad(L, [{}])".format(", ".join(p.name for p in params)))
    assert again.text_result == d.text_result


def test_their_numbers_are_those_of_the_module():
    model = symgen.loads(MODELS["tied weights"])
    rng = np.random.default_rng(0)
    params, data = {"W": rng.normal(size=(3, 2)), "b": rng.normal(size=2)}, {"X": rng.normal(size=(5, 3))}
    _, wanted = model.compile().L_value_and_grad(params, data)
    found = model.derive("grad(L)").evaluate(**params, **data)["by"]
    assert all(np.allclose(found[k], wanted[k], rtol=1e-10, atol=0) for k in params)


def test_a_value_that_does_not_occur_has_a_gradient_of_0():
    d = symgen.loads("param a: real\nconst x: real\nlet f = a*x\nlet k = x + 1").derive("grad(f, [a, k])")
    assert d.text_result == "grad(f, a) = x\ngrad(f, k) = 0" and d.evidence.kind == "checked"


@pytest.mark.parametrize("goal, says", [
    ("grad(x^2)", "has none"), ("grad(f, [])", "one variable at least"), ("grad(f, [a, a])", "each variable once"),
    ("grad(f, [a, b]) + 1", "a part of it is named"),
])  # fmt: skip
def test_what_has_no_gradient_is_said(goal, says):
    model = symgen.loads("param a: real, b: real\nconst x: real\nlet f = a*x + b")
    with pytest.raises(symgen.SymgenError, match=says):
        model.derive(goal)

"""Every closed result has been looked at by quadrature; what keeps an expectation is not called proved."""

import pytest

import symgen
from symgen.probability.means.quadrature import check_mean
from symgen.tensor.expression import add, entry, num, tensor
from symgen.text.diagnostics import InternalError

SPEC = """
dim k, d
param mu: real[k], s: positive[k], nu: real[k], t: positive[k], m: real[d], S: spd[d, d], T: spd[d, d], al: positive[k]
param a: positive, b: positive, p: unit, c: real, g: positive, h: positive
dist q(z) = Normal(mu, s)
dist r(z) = Normal(nu, t)
dist f(x) = MvNormal(m, S)
dist e(x) = MvNormal(m, T)
dist D(y) = Dirichlet(al)
dist n(u) = Normal(c, g)
dist o(u) = Laplace(c, h)
dist G(v) = Gamma(a, b)
dist j(w) = Normal(c, g)
dist j(l | w) = Normal(w, h)
"""
CLOSED = [
    "KL(q || r)", "KL(f || e)", "entropy(q)", "entropy(f)", "entropy(D)", "cross_entropy(n, o)", "E[v ~ G](1/v)",
    "E[z ~ q](z)", "Var[z ~ q](z)", "Cov[z ~ q](z, sum(z))", "Var[v ~ G](v^2)", "E[y ~ D](y)", "E[x ~ f](x @ x)",
    "KL(n || Exponential(a))", "KL(G || Beta(a, b))", "KL(StudentT(a, c, g) || n)", "KL(Cauchy(c, g) || n)",
    "KL(Pareto(a, b) || G)", "fisher(n, [c, g])", "fisher(G, a)", "mutual_information(j, w, l)",
    "wasserstein2(n, Normal(0, 1))", "E[l ~ j](l^2)", "renyi(n, Normal(0, 2), 2)", "E[u ~ n](u^2 + tanh(u))",
]  # fmt: skip
OPEN = {"E[u ~ n](tanh(u))": "unknown", "tv(n, o)": "checked", "JS(n, o)": "checked"}


@pytest.fixture(scope="module")
def model():
    return symgen.loads(SPEC)


@pytest.mark.parametrize("goal", CLOSED)
def test_a_closed_result_is_checked(model, goal):
    found = model.derive(goal).evidence
    assert found.kind == "checked" and found.points >= 1, found


@pytest.mark.parametrize("goal", OPEN)
def test_what_stays_is_not_proved(model, goal):
    found = model.derive(goal).evidence
    assert found.kind == OPEN[goal] and (found.tried or found.points)


def test_a_wrong_mean_is_refuted(model):
    d = model.derive("E[u ~ n](u^2)")
    body, draws = model._array_of, None  # noqa: F841
    from symgen.probability.laws.joint import opened_expectation
    from symgen.tensor.expression import Operator, open_tensor

    op = next(s.before for s in d.steps if isinstance(s.before, Operator) and s.before.name == "E")
    (inner,), draws = opened_expectation(op)
    right = open_tensor(d.array, ())
    assert check_mean(inner, draws, right, None).kind == "checked"
    with pytest.raises(InternalError):
        check_mean(inner, draws, tensor((), add(right, num(1))), None)
    assert entry

"""Gradients through draws by the implicit function theorem: against quadrature of scipy, torch's own draws and training."""

from functools import partial

import numpy as np
import pytest
from scipy import integrate, optimize, special, stats

import symgen
from symgen.tensor import incomplete_floats as floats

SPEC = """
dim k
param a: positive, b: positive, m: real, s: positive, lo: real, hi: real, w: real
param A: positive[k], R: positive[k], v: real[k]
assume lo < hi
dist G(z) = Gamma(a, b)
dist I(z) = InverseGamma(a, b)
dist B(z) = Beta(a, b)
dist T(z) = StudentT(a, m, s)
dist N(z) = TruncatedNormal(m, s, lo, hi)
dist K(z) = Nakagami(a, b)
dist g(y: positive[k]) = Gamma(A, R)
dist D(p) = Dirichlet(A)
dist x(x | z) = Normal(0, exp(z))
"""
AT = {"a": 2.3, "b": 1.7, "m": 0.4, "s": 0.8, "lo": -0.9, "hi": 1.3, "w": 0.7}


def truncated(a, b, m, s, lo, hi, **_):
    return stats.truncnorm((lo - m) / s, (hi - m) / s, m, s)


LAWS = {
    "G": lambda a, b, **_: stats.gamma(a, scale=1 / b), "I": lambda a, b, **_: stats.invgamma(a, scale=b),
    "B": lambda a, b, **_: stats.beta(a, b), "T": lambda a, m, s, **_: stats.t(a, m, s), "N": truncated,
    "K": lambda a, b, **_: stats.nakagami(a, scale=np.sqrt(b)),
}  # fmt: skip
CASES = ["G a", "I a", "B a", "B b", "T a", "N hi", "N m", "K a"]


@pytest.fixture(scope="module")
def model():
    return symgen.loads(SPEC)


@pytest.mark.parametrize("case", CASES)
def test_they_are_the_slopes_of_quadrature(model, case):
    law, by = case.split()
    d = model.derive(f"grad(E[z ~ {law}](tanh(w*z)), {by})")
    assert d.evidence.kind == "checked"
    assert any("implicitly" in n for n in d.notes)

    def value(at):
        return integrate.quad(lambda u: np.tanh(at["w"] * LAWS[law](**at).ppf(u)), 0, 1, epsabs=1e-12, limit=300)[0]

    ends = [value(AT | {by: AT[by] + h}) for h in (1e-4, -1e-4)]
    assert np.isclose(d.evaluate(**AT), (ends[0] - ends[1]) / 2e-4, rtol=1e-6, atol=1e-8)


def test_the_steps_name_the_distribution_function_and_the_theorem(model):
    d = model.derive("grad(E[z ~ G](tanh(w*z)), a)")
    rules = [s.rule for s in d.steps]
    assert rules.index("distribution function") < rules.index("implicit function theorem")
    assert d.text_result == "w*E[z ~ Gamma(a, b)]((1 - tanh(w*z)^2)*gamma_shift(a, b*z))/b"


@pytest.mark.parametrize("law, body, by", [
    ("G", "where(z > 1, tanh(w*z), 1)", "a"), ("Normal(m, s)", "where(z > 0, tanh(exp(w*z)), 2)", "m"),
    ("Normal(m, s)", "sign(z)*tanh(exp(w*z))", "s"),
])  # fmt: skip
def test_a_jump_takes_the_score(model, law, body, by):
    """No path derivative sees what a mean gains where draws pass a jump."""
    d = model.derive(f"grad(E[z ~ {law}]({body}), {by})")
    assert any("score function" in n for n in d.notes)
    assert d.evidence.kind == "checked" and d.evidence.method == "differences of quadrature"


def test_pieces_that_meet_let_gradients_pass(model):
    d = model.derive("grad(E[z ~ Normal(m, s)](where(z > 0, tanh(exp(w*z)) - tanh(1), w*z)), m)")
    assert not any("score function" in n for n in d.notes)


@pytest.mark.parametrize("goal", [
    "grad(E[z ~ Normal(m, s)](where(z > w, tanh(exp(z)), 2)), w)",  # moves the jump
    "grad(E[z ~ N](where(z > 0, tanh(w*z), 2)), hi)",  # moves the end of the support
])  # fmt: skip
def test_what_has_parts_at_jumps_and_ends_is_refused(model, goal):
    with pytest.raises(symgen.CannotDerive, match="a part"):
        model.derive(goal)


def test_draws_that_hang_on_draws_move_along(model):
    d = model.derive("grad(E[z ~ G, x ~ x(x | z)](tanh(w*x + z)), a)")
    assert d.evidence.kind == "checked"
    model = symgen.loads(SPEC + "dist h(q) = Gamma(b, a)\n")
    d = model.derive("grad(E[z ~ G](tanh(w*z)) + E[z ~ B](cos(w*z)), b)")  # two draws of one name
    assert d.evidence.kind == "checked"


@pytest.mark.parametrize(
    "goal, by", [("E[y ~ g](tanh(v @ y))", "A"), ("E[y ~ g](tanh(v @ y))", "R"), ("E[p ~ D](tanh(v @ p))", "A")]
)
def test_vectors_are_sampled_without_bias(model, goal, by):
    d = model.derive(f"grad({goal}, {by})")
    assert d.evidence.kind == "checked"
    at = {"A": np.array([0.8, 2.6]), "R": np.array([1.3, 0.7]), "v": np.array([0.5, -0.4])}
    t, w = np.polynomial.legendre.leggauss(80)
    u, w = (t + 1) / 2, w / 2

    def value(A, R, v):
        y = [special.gammaincinv(A[j], u) / (R[j] if "g" in goal.split(")")[0] else 1) for j in range(2)]
        total = 1 if "~ g" in goal else y[0][:, None] + y[1]
        return w @ np.tanh((v[0] * y[0][:, None] + v[1] * y[1]) / total) @ w

    used = {n: x for n, x in at.items() if n != "R" or "~ g" in goal}
    got = d.evaluate(**used, seed=0, samples=200_000)
    for j in range(2):
        ends = [value(**(at | {by: at[by] + h * np.eye(2)[j]})) for h in (1e-3, -1e-3)]
        assert np.isclose(got[j], (ends[0] - ends[1]) / 2e-3, atol=2e-3)


def test_shifts_are_those_of_torch():
    torch = pytest.importorskip("torch")
    a, x = np.array([0.3, 1.0, 4.5, 30.0]), np.array([0.2, 1.5, 3.0, 33.0])
    assert np.allclose(floats.gamma_shift(a, x), torch._standard_gamma_grad(torch.tensor(a), torch.tensor(x)), rtol=1e-4)
    b, y = np.array([1.3, 0.6, 2.0, 8.0]), np.array([0.3, 0.6, 0.7, 0.8])
    total = torch.tensor(a + b)
    want = torch._dirichlet_grad(torch.tensor(y)[:, None], torch.tensor(a)[:, None], total[:, None])[:, 0] * (1 - torch.tensor(y))
    assert np.allclose(floats.beta_shift_a(a, b, y), want, rtol=2e-2)


TRAINED = """
dim n, k
data c: natural[n], V: real[n, k]
param a: positive[k] = ones, r: positive[k] = ones
dist p(z: positive[k]) = Gamma(2, 1)
dist p(c | z) = Poisson(V^2 @ z + 1/10)
dist q(z: positive[k]) = Gamma(a, r)
loss L = -elbo(q, p)
train L wrt a, r with adam(lr=0.05), steps=1500, seed=0, samples=32
"""


def test_a_gamma_posterior_is_fitted():
    model = symgen.loads(TRAINED)
    rng = np.random.default_rng(3)
    V = rng.normal(size=(30, 1))
    c = rng.poisson(V[:, 0] ** 2 * 1.8 + 0.1).astype(float)
    t, w = np.polynomial.legendre.leggauss(200)

    def loss(theta):
        a, r = np.exp(theta)
        z = special.gammaincinv(a, (t + 1) / 2) / r
        rate = V[:, :1] ** 2 * z + 0.1
        like = stats.poisson.logpmf(c[:, None], rate).sum(0)
        return -(w / 2) @ (like + stats.gamma.logpdf(z, 2) - stats.gamma.logpdf(z, a, scale=1 / r))

    best = np.exp(optimize.minimize(loss, [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-4}).x)
    fitted = model.compile().train({"c": c, "V": V})
    assert np.isclose(fitted["a"][0] / fitted["r"][0], best[0] / best[1], rtol=0.02)
    assert loss(np.log([fitted["a"][0], fitted["r"][0]])) < loss(np.log(best)) + 0.01


@pytest.mark.parametrize("target", ["torch", pytest.param("jax", marks=pytest.mark.slow)])
def test_other_backends_agree(target):
    library = pytest.importorskip(target)
    number = float
    if target == "jax":
        library.config.update("jax_enable_x64", True)
    else:
        number = partial(library.tensor, dtype=library.float64)
    model = symgen.loads("param a: positive, b: positive, x: unit, y: real\n"
                         "derive f = igamma_da(a, x) + ibeta_da(a, b, x)*ibeta_db(a, b, x) + ibeta(a, b, x)\n"
                         "derive h = gamma_shift(a, x)*beta_shift_a(a, b, x) - beta_shift_b(a, b, x) + student_shift(a, y)\n"
                         "derive q = igammainv(a, x)*ibetainv(a, b, x)\n")  # fmt: skip
    at = {"a": 2.3, "b": 0.7, "x": 0.35, "y": -1.4}
    one, two = model.compile(), model.compile(target)
    for name in ("f", "h", "q"):
        want = getattr(one, name)(at)
        got = getattr(two, name)({k: number(v) for k, v in at.items()})
        assert np.isclose(float(got), want, rtol=1e-11), name

"""How gradients pass through means, law by law: the estimator that is chosen, and the number against quadrature of scipy."""

import numpy as np
import pytest
from scipy import integrate, stats

import symgen

SPEC = """
dim k
param a: real, b: positive, nu: positive, c: real, v: unit, w: simplex[k], mu: real[k], s: positive[k]
dist S(z) = StudentT(nu, a, b)
dist G(x) = Gamma(nu, b)
dist C(u) = Cauchy(a, b)
dist M(y) = Mixture(w, Normal(mu, s))
dist D(t) = Mixture(v, Normal(a, b), Laplace(c, b))
"""
AT = {"a": 0.3, "b": 1.4, "nu": 2.6, "c": -0.7, "v": 0.35, "w": np.array([0.2, 0.5, 0.3]), "mu": np.array([-1.1, 0.4, 1.6]),
      "s": np.array([0.7, 1.2, 0.5])}  # fmt: skip
STRETCHED, IMPLICIT, SMOOTH = "location + scale", "implicitly", ""


def student(z, at):
    return stats.t.pdf(z, at["nu"], at["a"], at["b"])


def gamma(z, at):
    return stats.gamma.pdf(z, at["nu"], scale=1 / at["b"])


def cauchy(z, at):
    return stats.cauchy.pdf(z, at["a"], at["b"])


def mixture(z, at):
    return at["w"] @ stats.norm.pdf(z, at["mu"], at["s"])


def two(z, at):
    return at["v"] * stats.norm.pdf(z, at["a"], at["b"]) + (1 - at["v"]) * stats.laplace.pdf(z, at["c"], at["b"])


CASES = {
    ("E[z ~ S](tanh(z))", "a"): (student, STRETCHED),
    ("E[z ~ S](tanh(z))", "b"): (student, STRETCHED),
    ("E[z ~ S](tanh(z))", "nu"): (student, IMPLICIT),
    ("E[x ~ G](tanh(x))", "b"): (gamma, STRETCHED),
    ("E[x ~ G](tanh(x))", "nu"): (gamma, IMPLICIT),
    ("E[u ~ C](tanh(u))", "b"): (cauchy, SMOOTH),
    ("E[y ~ M](tanh(y))", "s"): (mixture, SMOOTH),
    ("E[t ~ D](tanh(t))", "v"): (two, SMOOTH),
}


@pytest.fixture(scope="module")
def model():
    return symgen.loads(SPEC)


@pytest.mark.parametrize("mean, by", CASES)
def test_gradients_through_laws(model, mean, by):
    density, words = CASES[mean, by]
    d = model.derive(f"grad({mean}, {by})")
    assert d.evidence.kind == "checked"
    assert any(words in n for n in d.notes)
    assert words or not any("score function" in n for n in d.notes)

    def value(at):
        low = 0 if density is gamma else -np.inf
        return integrate.quad(lambda z: np.tanh(z) * density(z, at), low, np.inf, epsabs=1e-12, limit=300)[0]

    def slope(direction):
        ends = [value(AT | {by: AT[by] + sign * 1e-4 * direction}) for sign in (1, -1)]
        return (ends[0] - ends[1]) / 2e-4

    drawn = words == SMOOTH
    got = d.evaluate(**AT, **({"seed": 0, "samples": 400_000} if drawn else {}))
    for e in np.eye(np.size(AT[by])).reshape(-1, *np.shape(AT[by])):
        assert np.isclose(np.sum(got * e), slope(e), rtol=1e-5, atol=1e-2 if drawn else 1e-7)


def test_second_derivatives_hold_the_ratio_of_the_densities(model):
    d = model.derive("hessian(E[x ~ G](x), nu)")
    assert float(d.evaluate(**AT)) == 0
    d = model.derive("hessian(E[x ~ G](tanh(x)), nu)")

    def value(nu):
        return integrate.quad(lambda x: np.tanh(x) * gamma(x, AT | {"nu": nu}), 0, np.inf, epsabs=1e-12)[0]

    want = (value(2.602) - 2 * value(2.6) + value(2.598)) / 0.002**2
    assert np.isclose(d.evaluate(**AT), want, rtol=1e-3)


def test_bounds_by_importance_weights():
    """Burda, Grosse & Salakhutdinov (2016), eq. 8 to 14: k stays a letter, and weights make the gradient."""
    model = symgen.loads(
        "dim K\nparam m: real, c: positive, t: positive\ndata x: real\ndist p(z) = Normal(0, 1)\ndist p(x | z) = Normal(z, t)\n"
        "dist q(z) = Normal(m, c)\ndist Q(u: real[K]) = Normal(m, c)\n"
        "let L = E[u ~ Q](log(mean[i](exp(log p(x, u[i]) - log q(u[i])))))\n"
        "claim above: L <= log p(x)\nclaim below: L >= elbo(q, p)\n"
    )
    assert all(v.status == "checked" for v in model.verify())
    d = model.derive("grad(L, m)")
    assert d.evidence.kind == "checked"
    assert "m - m" not in d.text_result
    m, c, t, x, K = 0.4, 0.9, 0.7, 1.1, 3
    eps = np.random.default_rng(8).normal(size=(200_000, K))
    u = m + c * eps
    slopes = -u - (u - x) / t**2
    logs = -(u**2) / 2 - (x - u) ** 2 / (2 * t**2) + eps**2 / 2
    w = np.exp(logs - logs.max(1, keepdims=True))
    want = ((w / w.sum(1, keepdims=True)) * slopes).sum(1).mean()
    assert np.isclose(d.evaluate(m=m, c=c, t=t, x=x, K=K, seed=0, samples=200_000), want, atol=1e-2)


WEIGHTS = """
dim k
data x: real
param m: real, s: positive, t: positive
dist p(z) = Normal(0, 1)
dist p(x | z) = Normal(z, t)
dist q(z) = Normal(m, s)
"""


@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_bound_by_importance_weights_grows_to_the_evidence(k):
    """Against Gauss-Hermite sums over every draw, with NumPy."""
    at = {"x": 0.8, "m": 0.3, "s": 0.9, "t": 0.7}
    model = symgen.loads(WEIGHTS)
    nodes, weights = np.polynomial.hermite_e.hermegauss(24)
    z, w = at["m"] + at["s"] * nodes, weights / weights.sum()
    ratio = stats.norm(0, 1).pdf(z) * stats.norm(z, at["t"]).pdf(at["x"]) / stats.norm(at["m"], at["s"]).pdf(z)

    def bound(draws):
        share = sum(ratio.reshape([-1 if i == j else 1 for i in range(draws)]) for j in range(draws)) / draws
        share = np.log(share)
        for _ in range(draws):
            share = share @ w
        return float(share)

    d = model.derive(f"bound(log p(x), by=importance(q, {k}))")
    assert d.evidence.kind == "checked" or k == 3  # no quadrature over three draws
    assert [s.rule for s in d.steps][:2] == ["importance weights", "bound_below"]
    evidence = stats.norm(0, np.hypot(1, at["t"])).logpdf(at["x"])
    assert bound(1) < bound(2) < bound(3) < evidence
    got = d.evaluate(**at, **({} if k == 1 else {"seed": 1}))
    assert float(got) == pytest.approx(bound(k), rel=1e-9) if k == 1 else abs(float(got) - bound(k)) < 6 * got.standard_error


def test_a_symbolic_number_of_weights_and_what_it_does_not_bound():
    model = symgen.loads(WEIGHTS + "dist r(u) = Normal(0, 1)\n")
    d = model.derive("bound(log p(x), by=importance(q, k))")
    assert d.evidence.kind == "checked" and "Jensen" in d.text() and "k" in d.text_result
    for goal, words in (
        ("bound(log p(x | z), by=importance(q, k))", "bounds `log p"),
        ("bound(log p(x), by=importance(r, k))", "the proposal draws"),
        ("bound(log p(x), by=importance(q, 1/2))", "are counted"),
    ):  # fmt: skip
        with pytest.raises(symgen.CannotDerive, match=words):
            model.derive(goal)


def test_classes_and_a_function_that_is_not_known():
    """On a simplex the gradient of a mean of g is g(i) less the mean of all g: the referee moves within the simplex."""
    model = symgen.loads("dim k\nparam w: simplex[k]\nfunction g(c): real\ndist C(c) = Categorical(w)\n")
    assert model.derive("grad(E[c ~ C](g(c)), w)").evidence.kind == "checked"


MOVING = {
    "Truncated(Gamma(b, 1), c, c + s)": (lambda z, c, s, b, m: z ** (b - 1) * np.exp(-z), lambda c, s: (c, c + s)),
    "Truncated(Logistic(m, s), c, inf)": (lambda z, c, s, b, m: stats.logistic(m, s).pdf(z), lambda c, s: (c, 40.0)),
    "Truncated(Gamma(b, 1), 0, s)": (lambda z, c, s, b, m: z ** (b - 1) * np.exp(-z), lambda c, s: (0.0, s)),
    "where(z > m and z < m + s, exp(-b*z^2), 0)/C": (lambda z, c, s, b, m: np.exp(-b * z * z), lambda c, s: None),
}


@pytest.mark.parametrize("law", [pytest.param(law, marks=[pytest.mark.slow] if "c," in law else []) for law in MOVING])
def test_gradients_by_ends_that_move_are_those_of_the_integral(law):
    """The rule of Leibniz: against differences of quadrature with SciPy."""
    model = symgen.loads(f"param c: positive, s: positive, b: positive, m: real\ndist u(z) = {law}\n")
    at = {"c": 0.4, "s": 1.3, "b": 1.7, "m": 0.2}
    weight, ends = MOVING[law]

    def mean(**point):
        low, high = ends(point["c"], point["s"]) or (point["m"], point["m"] + point["s"])
        mass = integrate.quad(lambda z: weight(z, **point), low, high, epsabs=1e-13)[0]
        return integrate.quad(lambda z: np.tanh(z) * weight(z, **point), low, high, epsabs=1e-13)[0] / mass

    for name in (n for n in at if n in law):
        d = model.derive(f"grad(E[z ~ u](tanh(z)), {name})")
        step = 1e-5
        up, down = ({**at, name: at[name] + sign * step} for sign in (1, -1))
        assert d.evaluate(**{n: at[n] for n in at if n in law}) == pytest.approx((mean(**up) - mean(**down)) / (2 * step), rel=1e-7)


def test_a_density_that_jumps_inside_where_its_parameter_moves_is_refused():
    model = symgen.loads("param m: unit\ndist u(z: unit) = where(z < m, 2, 1)/C\n")
    with pytest.raises(symgen.CannotDerive, match="the end of the support"):
        model.derive("grad(E[z ~ u](tanh(z)), m)")

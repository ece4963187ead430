"""Laws of f(x) for a vector x: their densities, means, entropies and divergences against the map itself, taken by numbers."""

import math

import numpy as np
import pytest
from scipy import stats

import symgen
from symgen.text.diagnostics import CannotDerive, SpecError

SPEC = """dim k
param A: real[k, k], L: lower[k, k], b: real[k], m: real[k], s: positive[k], S: spd[k, k], y: real[k], t: real[k]
def line(x) = A @ x + b
def falls(x) = L @ x + b
def mixed(x) = A @ exp(x) + b
def deep(x) = L @ tanh(A @ x + b) + b
def residual(x) = x + L @ x
def each(x) = s*sinh(x) + b
"""
RNG = np.random.default_rng(7)
POINT = {
    "A": np.array([[1.1, 0.4], [-0.3, 0.8]]), "L": np.array([[0.9, 0.0], [0.5, 1.3]]), "b": np.array([0.2, -0.4]),
    "m": np.array([0.3, -0.5]), "s": np.array([0.7, 1.2]), "S": np.array([[0.8, 0.3], [0.3, 0.6]]),
}  # fmt: skip
A, L, b, m, s, S = (POINT[n] for n in "ALbmsS")
MAPS = {
    "line": lambda x: A @ x + b,
    "falls": lambda x: L @ x + b,
    "mixed": lambda x: A @ np.exp(x) + b,
    "deep": lambda x: L @ np.tanh(A @ x + b) + b,
    "residual": lambda x: x + L @ x,
    "each": lambda x: s * np.sinh(x) + b,
    "exp": np.exp, "tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "softplus": lambda x: np.log1p(np.exp(x)),
    "sinh": np.sinh,
}  # fmt: skip
INNER = {
    "Laplace(m, s)": lambda x: stats.laplace.logpdf(x, m, s).sum(),
    "MvNormal(m, S)": lambda x: stats.multivariate_normal.logpdf(x, m, S),
    "Logistic(m, s)": lambda x: stats.logistic.logpdf(x, m, s).sum(),
    "MultivariateT(5, m, S)": lambda x: stats.multivariate_t.logpdf(x, m, S, df=5),
}


def slope(f, x):
    """log |det df/dx| by differences."""
    h = 1e-6 * np.eye(len(x))
    return np.linalg.slogdet(np.stack([(f(x + e) - f(x - e)) / 2e-6 for e in h], -1))[1]


CASES = [(law, name) for law in INNER for name in MAPS]
QUICK = CASES[::7]


@pytest.mark.parametrize(
    ("law", "name"), [pytest.param(*c, marks=[] if c in QUICK else [pytest.mark.slow], id=f"{c[1]}-{c[0][:4]}") for c in CASES]
)
def test_the_density_of_an_image_is_that_of_what_is_mapped_over_the_slope(law, name):
    model = symgen.loads(SPEC + f"dist p(x) = Transformed({law}, {name})\n")
    found = model.derive("log p(y)")
    f = MAPS[name]
    for x in RNG.normal(size=(3, 2)):
        values = POINT | {"y": f(x)}
        got = found.evaluate(**{n: v for n, v in values.items() if n in found.symbols})
        assert got == pytest.approx(INNER[law](x) - slope(f, x), rel=1e-6, abs=1e-6)


NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(60)


def over_normal(f):
    """The mean of f over N(m, S), by Gauss's rule in two dimensions."""
    root = np.linalg.cholesky(S)
    w = np.outer(WEIGHTS, WEIGHTS) / (2 * math.pi)
    return sum(w[i, j] * f(m + root @ np.array([NODES[i], NODES[j]])) for i in range(60) for j in range(60))


@pytest.mark.parametrize(
    ("name", "goal"),
    [("mixed", "E[x ~ p](x)"), ("mixed", "Var[x ~ p](x)"), ("line", "Var[x ~ p](x)"), ("residual", "E[x ~ p](norm(x)^2)")],
)
def test_the_means_of_an_image_are_those_of_what_is_mapped(name, goal):
    found = symgen.loads(SPEC + f"dist p(x) = Transformed(MvNormal(m, S), {name})\n").derive(goal)
    f = MAPS[name]
    mean = over_normal(f)
    want = {
        "E[x ~ p](x)": lambda: mean,
        "Var[x ~ p](x)": lambda: over_normal(lambda x: np.outer(f(x), f(x))) - np.outer(mean, mean),
        "E[x ~ p](norm(x)^2)": lambda: over_normal(lambda x: f(x) @ f(x)),
    }[goal]()
    assert "E[" not in found.text_result
    assert found.evaluate(**{n: v for n, v in POINT.items() if n in found.symbols}) == pytest.approx(want, rel=1e-9)


@pytest.mark.parametrize("name", ["mixed", "deep", "planar"])
def test_the_mean_of_its_own_log_density_is_less_the_entropy(name):
    spec = SPEC + f"assume t @ y > -1\ndef planar(x) = x + t*tanh(y @ x)\ndist p(x) = Transformed(MvNormal(m, S), {name})\n"
    assert symgen.loads(spec).check("E[x ~ p](log p(x)) = -entropy(p)").status in ("proved", "checked")


@pytest.mark.parametrize("name", ["mixed", "exp", "line"])
def test_the_entropy_of_an_image_is_that_of_what_is_mapped_and_the_mean_of_the_slope(name):
    found = symgen.loads(SPEC + f"dist p(x) = Transformed(MvNormal(m, S), {name})\n").derive("entropy(p)")
    want = stats.multivariate_normal(m, S).entropy() + over_normal(lambda x: slope(MAPS[name], x))
    assert found.evaluate(**{n: v for n, v in POINT.items() if n in found.symbols}) == pytest.approx(want, rel=1e-7)
    assert found.evidence.kind == "checked"


@pytest.mark.parametrize("name", ["deep", *(pytest.param(n, marks=pytest.mark.slow) for n in ("residual", "each", "tanh"))])
@pytest.mark.parametrize("goal", ["KL(p || q)", "hellinger(p, q)", "renyi(p, q, 1/3)"])
def test_no_divergence_is_changed_by_one_map_of_both(name, goal):
    laws = ["MvNormal(m, S)", "MvNormal(t, S)"]
    lines = [f"dist {w}(x) = Transformed({law}, {name})\n" for w, law in zip("pq", laws, strict=True)]
    lines += [f"dist {w}(x) = {law}\n" for w, law in zip("uv", laws, strict=True)]
    model = symgen.loads(SPEC + "".join(lines))
    values = POINT | {"t": np.array([-0.2, 0.9])}
    got, want = model.derive(goal), model.derive(goal.replace("p", "u", 1).replace("q", "v", 1) if goal[0] == "K" else
                                                 goal.replace("(p, q", "(u, v"))  # fmt: skip
    first, second = (d.evaluate(**{n: v for n, v in values.items() if n in d.text_result}) for d in (got, want))
    assert first == pytest.approx(second, rel=1e-10)


def test_a_divergence_from_an_image_that_does_not_reach_everywhere_is_infinite():
    model = symgen.loads(SPEC + "dist p(x) = Transformed(MvNormal(m, S), mixed)\ndist q(x) = Normal(m, s)\n"
                         "dist r(x) = Transformed(Laplace(m, s), sigmoid)\n")  # fmt: skip
    assert model.derive("KL(q || p)").text_result == "inf"
    assert model.derive("KL(q || r)").text_result == "inf"
    found = model.derive("KL(p || q)")
    points = [m + np.linalg.cholesky(S) @ z for z in RNG.normal(size=(4000, 2))]
    f = MAPS["mixed"]
    logs = [INNER["MvNormal(m, S)"](x) - slope(f, x) - stats.norm.logpdf(f(x), m, s).sum() for x in points]
    got = found.evaluate(**{n: v for n, v in POINT.items() if n in found.symbols})
    assert abs(got - np.mean(logs)) < 5 * np.std(logs) / math.sqrt(len(logs))


def test_an_image_of_a_normal_vector_under_a_line_is_a_normal_vector():
    model = symgen.loads(
        SPEC + "dist p(x) = Transformed(Normal(m, s), line)\ndist q(x) = MvNormal(A @ m + b, A @ diag(s^2) @ A')\n"
    )
    found = model.derive("wasserstein2(p, q)")
    assert found.evaluate(**{n: v for n, v in POINT.items() if n in found.symbols}) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize(
    ("law", "body", "says"),
    [
        ("MvNormal(m, S)", "x*sum(x)", "no inverse"),
        ("MvNormal(m, S)", "x^2", "no inverse"),
        ("Laplace(m, s)", "sum(x)", "gives a vector"),
        ("Laplace(m, s)", "W @ x", "not square"),
        ("Dirichlet(s)", "A @ x", "real vector"),
    ],
)
def test_a_map_that_has_no_inverse_is_refused(law, body, says):
    with pytest.raises(SpecError, match=says):
        symgen.loads(SPEC + f"param W: real[3, k]\ndef g(x) = {body}\ndist p(x) = Transformed({law}, g)\n").derive("entropy(p)")


def test_images_under_two_maps_have_no_rule_and_say_so():
    model = symgen.loads(SPEC + "dist p(x) = Transformed(Laplace(m, s), tanh)\ndist q(x) = Transformed(Laplace(m, s), line)\n")
    with pytest.raises(CannotDerive):
        model.derive("KL(p || q)")

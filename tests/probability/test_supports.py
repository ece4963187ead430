"""Who has mass where the other has none is said the right way round; data have atoms; moving supports have no score."""

import math

import numpy as np
import pytest
from scipy import stats

import symgen
from tests.benchmarks.accuracy import typed

HEAD = """
dim n
data X: real[n]
param m: real, s: positive, b: positive, r: real, p0: unit, q0: unit
dist emp(x) = Empirical(X)
dist p(z: binary) = Bernoulli(p0)
dist p(x | z) = Normal(m*z, s)
dist q(z: binary) = Bernoulli(q0)
dist q(x | z) = Normal(-m*z, s)
dist two(x, y) = BivariateNormal(s, b, r)
"""


@pytest.fixture(scope="module")
def model():
    return symgen.loads(HEAD)


@pytest.mark.parametrize(
    ("goal", "said"),
    [
        ("KL(Normal(m, s) || Exponential(b))", "a Normal has mass where an Exponential has none"),
        ("cross_entropy(Laplace(m, s), Gamma(b, s))", "a Laplace has mass where a Gamma has none"),
        ("chi2(Normal(m, s) || Beta(b, s))", "a Normal has mass where a Beta has none"),
        ("KL(Uniform(0, 2) || Uniform(0, 1))", "the first has mass where the second has none"),
        ("KL(emp || Normal(m, s))", "`emp` has mass where a Normal has none"),
        ("KL(Normal(m, s) || emp)", "a Normal has mass where `emp` has none"),
    ],
)
def test_the_reason_of_an_infinity_names_who_has_mass_where(model, goal, said):
    d = model.derive(goal)
    assert d.text_result == "inf" and d.evidence.kind == "checked"
    assert any(step.reason == said for step in d.steps)


@pytest.mark.parametrize(("goal", "value"), [("tv(emp, Normal(m, s))", 1.0), ("JS(emp, Normal(m, s))", math.log(2)),
                                             ("hellinger(emp, Normal(m, s))", 1.0)])  # fmt: skip
def test_data_and_a_density_share_no_mass(model, goal, value):
    d = model.derive(goal)
    assert d.evaluate() == pytest.approx(value) and d.evidence.kind == "proved"


def test_the_cross_entropy_of_data_is_the_mean_of_minus_the_log_likelihood(model):
    X, at = np.array([0.3, -1.7, 2.2]), {"m": 0.4, "s": 1.3}
    want = np.mean(((X - at["m"]) / at["s"]) ** 2 / 2 + math.log(at["s"]) + math.log(2 * math.pi) / 2)
    assert model.derive("cross_entropy(emp, Normal(m, s))").evaluate(X=X, **at) == pytest.approx(want, rel=1e-13)


@pytest.mark.parametrize("goal", ["entropy(emp)", "KL(emp || emp)", "KL(emp || Poisson(b))"])
def test_what_hangs_on_which_rows_are_equal_is_refused(model, goal):
    with pytest.raises(symgen.CannotDerive, match="which rows are equal"):
        model.derive(goal)


def test_joints_of_discrete_and_continuous_variables_share_their_mass(model):
    assert "log(2) - " in model.derive("JS(p, q)").text_result


@pytest.mark.parametrize(("goal", "value"), [("fisher(Pareto(2, b), [b])", "1/b^2"), ("fisher(LogUniform(1, 3), b)", "0")])
def test_a_known_end_of_the_support_is_no_obstacle_to_a_score(model, goal, value):
    assert model.derive(goal).text_result == value


@pytest.mark.parametrize("goal", ["fisher(Pareto(b, 2), [b])", "fisher(Uniform(0, b), b)", "fisher(Uniform(m, 9), [m])"])
def test_an_end_of_the_support_that_moves_is_named(model, goal):
    with pytest.raises(symgen.CannotDerive, match=r"the support depends on `[bm]`"):
        model.derive(goal)


def test_a_law_that_is_none_at_some_values_is_looked_at_elsewhere(model):
    d = model.derive("entropy(two)")  # of a correlation that is only said to be real
    want = 1 + math.log(2 * math.pi * 1.3 * 0.7 * math.sqrt(1 - 0.4**2))
    assert d.evaluate(s=1.3, b=0.7, r=0.4) == pytest.approx(want) and d.evidence.kind == "checked"


@pytest.mark.parametrize(("law", "domain", "said"), [
    ("Exponential(r)", "real", "an Exponential"), ("Exponential(r)", "positive", ""),
    ("Uniform(0, r)", "positive", "a Uniform"), ("Beta(r, 2)", "unit", ""),
    ("Beta(r, 2)", "positive", "a Beta"), ("Normal(0, r)", "real", ""),
    ("Poisson(r)", "real", "a Poisson"), ("Poisson(r)", "natural", ""), ("Gamma(r, 1)", "unit", ""),
])  # fmt: skip
def test_a_log_density_of_what_may_lie_outside_says_where_it_holds(law, domain, said):
    model = symgen.loads(f"const r: positive\ndata v: {domain}\ndist p(x) = {law}\n")
    assert model.derive("log p(v)").conditions == ([f"v lies where {said} has mass; elsewhere the density is 0"] if said else [])


SUPPORTS = [  # a law, a value inside, values outside
    ("Exponential(r)", 0.7, (-0.1,)), ("Uniform(0, r)", 0.7, (-0.1, 2.5)), ("Beta(r, 2)", 0.7, (-0.1, 1.1)),
    ("Gamma(r, 2)", 0.7, (-0.1,)), ("Pareto(r, 2)", 2.7, (1.0, -1.0)), ("TruncatedNormal(0, 1, -r, 1)", 0.7, (-2.5, 1.5)),
    ("Truncated(Laplace(0, r), 0, 2)", 0.7, (-0.5, 2.5)), ("Poisson(r)", 3.0, (-1.0, 2.5)), ("Binomial(5, 0.4)", 3.0, (6.0, 2.5)),
]  # fmt: skip


@pytest.mark.parametrize(
    "target", ["numpy", pytest.param("torch", marks=pytest.mark.slow), pytest.param("jax", marks=pytest.mark.slow)]
)
def test_code_gives_the_density_0_outside_of_a_support_and_no_slope(target):
    pytest.importorskip(target)
    text = "param r: positive\ndata v: real, w: real[2]\n"
    for k, (law, *_) in enumerate(SUPPORTS):
        text += f"dist p{k}(x) = {law}\nloss two{k} = -log p{k}(w)\nderive l{k} = log p{k}(v)\nderive f{k} = p{k}(v)\n"
        text += f"derive g{k} = grad(log p{k}(v), v)\n"
    model = symgen.loads(text)
    module = model.compile(target=target)
    number = typed(target, "float64")
    for k, (law, inside, outside) in enumerate(SUPPORTS):
        for v in (inside, *outside):
            given = {"r": number(1.7)}, {"v": number(v), "w": number([inside, v])}
            both, slopes = getattr(module, f"two{k}_value_and_grad")(*given)
            log_p, p, slope = (float(getattr(module, f"{name}{k}")(*given)) for name in "lfg")
            if v == inside:
                assert math.isfinite(slope) and log_p == pytest.approx(-both / 2) and p == pytest.approx(math.exp(log_p))
            else:
                assert (float(both), log_p, p, slope, float(slopes.get("r", 0))) == (math.inf, -math.inf, 0, 0, 0), (law, v)
            assert model.derive(f"log p{k}(v)").evaluate(r=1.7, v=v) == pytest.approx(log_p)


def test_an_image_of_a_law_cut_off_has_the_images_of_its_ends():
    model = symgen.loads(
        "param m: real, s: positive\ndist p(y) = Transformed(Truncated(Normal(m, s), -1, 1), exp)\ndist q(y) = LogNormal(m, s)\n"
    )
    assert model.derive("KL(q || p)").evaluate(m=0.3, s=0.9) == math.inf
    inside = stats.norm(0.3, 0.9).cdf(1) - stats.norm(0.3, 0.9).cdf(-1)
    assert model.derive("KL(p || q)").evaluate(m=0.3, s=0.9) == pytest.approx(-math.log(inside), rel=1e-12)


COUNTS = """dim k
param u: simplex[k], v: simplex[k], l: positive[k], n: natural, m: natural
"""
OF_COUNTS = [  # two laws of k counts, and whether the first lies in the support of the second at n = 2, m = 3, k = 2
    ("Multinomial(2, u)", "Multinomial(3, v)", False),
    ("Multinomial(n, u)", "Multinomial(m, v)", False),
    ("Multinomial(m, u)", "Multinomial(n + 1, v)", True),
    ("Multinomial(n, u)", "Poisson(l)", True),
    ("Poisson(l)", "Multinomial(n, u)", False),
    ("Multinomial(m, u)", "Binomial(2, v)", False),
    ("Multinomial(n, u)", "Binomial(2, v)", True),
]


@pytest.mark.parametrize(("first", "second", "lies"), OF_COUNTS)
def test_counts_that_add_up_lie_among_counts_with_that_sum(first, second, lies):
    head = COUNTS + f"dist p(x: natural[k]) = {first}\ndist q(x: natural[k]) = {second}\n"
    at = {"u": np.array([0.3, 0.7]), "v": np.array([0.6, 0.4]), "l": np.array([0.8, 1.7]), "n": 2, "m": 3}

    def log_density(law: str, x: tuple[int, int]) -> float:
        name, arguments = law[:-1].split("(")
        one, two = (eval_count(a, at) for a in arguments.split(", ")) if ", " in arguments else (None, at[arguments])
        if name == "Multinomial":
            return stats.multinomial.logpmf(x, one, two)
        return sum(stats.poisson.logpmf(x, two) if name == "Poisson" else stats.binom.logpmf(x, one, two))

    places = [(i, j) for i in range(9) for j in range(9)]
    logs = [[log_density(law, x) for x in places] for law in (first, second)]
    shared = [(a, b) for a, b in zip(*logs, strict=True) if a > -math.inf]
    want = sum(math.exp(a) * (a - b) for a, b in shared)
    assert math.isfinite(want) == lies
    d = symgen.loads(head).derive("KL(p || q)")
    assert d.evidence.kind == "checked"
    assert d.evaluate(**{k: x for k, x in at.items() if k in d.symbols}) == pytest.approx(want, rel=1e-12)


def eval_count(text: str, at: dict) -> object:
    return int(text) if text.isdigit() else at["n"] + 1 if text == "n + 1" else at[text]


@pytest.mark.parametrize(("goal", "value"), [("tv(p, q)", 1.0), ("JS(p, q)", math.log(2)), ("hellinger(p, q)", 1.0),
                                             ("chi2(p || q)", math.inf), ("renyi(p, q, 1/2)", math.inf)])  # fmt: skip
def test_counts_of_other_sums_share_no_mass(goal, value):
    d = symgen.loads(COUNTS + "dist p(x) = Multinomial(4, u)\ndist q(x) = Multinomial(5, v)").derive(goal)
    assert d.evaluate() == pytest.approx(value) and d.evidence.kind in ("proved", "checked")


def test_coins_of_their_own_are_no_one_hot_vector():
    d = symgen.loads(COUNTS + "param c: unit[k]\ndist p(x: binary[k]) = Bernoulli(c)\ndist q(x) = OneHotCategorical(v)")
    assert d.derive("KL(p || q)").text_result == "inf"
    assert math.isfinite(d.derive("KL(q || p)").evaluate(c=np.array([0.3, 0.7]), v=np.array([0.6, 0.4])))

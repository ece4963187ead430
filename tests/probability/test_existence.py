"""A law that is none is refused, a mean that does not exist is said not to; what is finite keeps its value."""

import math

import mpmath
import numpy as np
import pytest

import symgen
from symgen.probability.families.distributions import FAMILIES
from symgen.probability.laws.referee import Numeric
from symgen.text.diagnostics import DataError

NORMALISERS = [  # density, domain, its integral
    ("1/(1 + x^2)/Z", "real", "pi"),
    ("1/(1 + x^4)/Z", "real", "pi/sqrt(2)"),
    ("exp(-x^4)/Z", "real", "2*gamma(5/4)"),
    ("exp(-abs(x)^3)/Z", "real", "2*gamma(4/3)"),
    ("exp(-x^2 + x)/Z", "real", "sqrt(pi)*exp(1/4)"),
    ("x^2*exp(-3*x)/Z", "positive", "2/27"),
    ("x^2*(1 - x)/Z", "unit", "1/12"),
    ("exp(-x^4)*Z", "real", "1/(2*gamma(5/4))"),
]
IMPROPER = [
    ("exp(x^2)/Z", "real"), ("exp(-x)/Z", "real"), ("x^(-1)/Z", "positive"), ("1/x^2/Z", "real"), ("1/Z", "real"),
    ("1/(1 + abs(x))/Z", "real"), ("1/(1 - x)/Z", "unit"), ("exp(a*x^2)/Z", "real"), ("x^(-1 - a)/Z", "positive"),
    ("1/Z", "positive"), ("2^x/Z", "natural"), ("1/(1 + x)/Z", "natural"), ("1/(x*(2 + log(1 + x^2)))/Z", "positive"),
    ("1/(x - 3)^2/Z", "positive"), ("2*exp(-x)", "positive"), ("exp(-x^2)", "real"), ("3*x", "unit"),
]  # fmt: skip
CONDITIONAL = [  # density, domain, the condition, a mean and its value
    ("exp(-c*x^2)/Z", "real", "0 < c", "x^2", "1/(2*c)"),
    ("x^(c - 1)*exp(-x)/Z", "positive", "0 < c", "x", "c"),
]
UNDEFINED = [
    ("Normal(c, a)", "log(x)"), ("Normal(c, a)", "1/x"), ("Normal(c, a)", "sqrt(x)"), ("Cauchy(c, a)", "x"),
    ("Normal(c, a)", "x + 1/x"), ("Laplace(c, a)", "log(1 + x)"), ("Cauchy(0, 1)", "x^3"), ("Poisson(a)", "log(x - 2)"),
    ("Normal(c, a)", "tan(x)"),
]  # fmt: skip
INFINITE = [
    ("Normal(c, a)", "1/x^2"), ("Normal(c, a)", "1/abs(x)"), ("Cauchy(c, a)", "abs(x)^(3/2)"), ("Exponential(a)", "exp(x^2)"),
    ("Normal(c, a)", "exp(x^4)"), ("Cauchy(c, a)", "exp(x) + x^2"), ("Poisson(a)", "exp(x^2)"), ("Uniform(0, 1)", "1/(1 - x)"),
    ("Cauchy(c, a)", "log(1 + exp(x))"),
]  # fmt: skip
FINITE = [  # a mean that stays has a number
    ("Normal(c, a)", "log(abs(x))"), ("Normal(c, a)", "tanh(x)"), ("Normal(c, a)", "1/abs(x)^(1/2)"), ("Cauchy(c, a)", "sin(x)"),
    ("Normal(0, 1)", "exp(x^2/3)*cos(x)"), ("Exponential(a)", "x/(exp(x) - 1)"), ("Poisson(a)", "log(1 + x)"),
    ("Normal(c, a)", "log(1 - sigmoid(x))"), ("Cauchy(c, a)", "(1 - sigmoid(x))*log(1 - sigmoid(x))"),
    ("Normal(c, a)", "asin(tanh(x))"),
]  # fmt: skip
POWERS = [
    "chi2(Cauchy(c, a) || Logistic(0, b))", "chi2(Laplace(c, a) || Normal(0, b))", "renyi(Cauchy(c, a), Gumbel(0, b), 2)",
    "renyi(StudentT(a, 0, 1), Logistic(c, b), 3)", "chi2(Logistic(c, a) || Normal(0, b))",
]  # fmt: skip
NO_LAW = [
    "Uniform(1, 0)", "Uniform(1, 1)", "Uniform(lo=2, hi=1)", "DiscreteUniform(3, 1)", "LogUniform(2, 1)", "Triangular(0, 1, 2)",
    "TruncatedNormal(0, 1, 2, 1)", "Wishart(1, eye(2))", "InverseWishart(1/2, eye(2))", "Geometric(0)", "LogSeries(0)",
    "LogSeries(1)", "NegativeBinomial(2, 1)", "VonMisesFisher([1, 1], 1)", "Normal(inf, 1)", "Normal(0, inf)", "Uniform(0, inf)",
    "Uniform([0, 1], [1, 0])", "Uniform(a, a - 1)", "Categorical([1/2, 1/3, 1/3])", "Multinomial(2, [1/2, 1/3])",
    "OneHotCategorical([1/2, 1/4])", "Normal(0, 0)", "Beta(0, 1)", "Binomial(5/2, 1/2)", "Bernoulli(3/2)",
    "MvNormal([0, 0], [[1, 2], [2, 1]])", "Poisson(-1)",
]  # fmt: skip
HEAD = "param a: positive, b: positive, c: real\n"


@pytest.mark.parametrize(("density", "domain", "z"), NORMALISERS)
def test_a_normaliser_is_derived(density, domain, z):
    d = symgen.loads(f"dist r(x: {domain}) = {density}").derive("log r(1/3)")
    told = [s for s in d.steps if s.rule == "normaliser" and s.where == "Z"]
    assert len(told) == 1
    assert float(symgen.loads("").derive(z).evaluate()) == pytest.approx(_value(told[0].after), rel=1e-12)


def _value(array):
    from symgen.tensor.evaluate import Point, evaluate

    return float(evaluate([array], Point({}))[0])


@pytest.mark.parametrize(("density", "domain"), IMPROPER)
def test_a_density_without_mass_one_is_refused(density, domain):
    with pytest.raises(symgen.SpecError, match=r"cannot be normalised|integrates to"):
        symgen.loads(f"{HEAD}dist r(x: {domain}) = {density}")


@pytest.mark.parametrize(("density", "domain", "condition", "f", "mean"), CONDITIONAL)
def test_a_density_for_some_parameters_states_its_condition(density, domain, condition, f, mean):
    m = symgen.loads(f"{HEAD}dist r(x: {domain}) = {density}")
    d = m.derive(f"E[x ~ r]({f})")
    assert condition in d.evidence.conditions
    assert d.evaluate(c=1.7) == pytest.approx(float(m.derive(mean).evaluate(c=1.7)), rel=1e-12)


@pytest.mark.parametrize(("density", "domain", "f"), [
    ("c^x*exp(-x)/Z", "natural", "x"), ("x^c*exp(-x)/Z", "positive", "x"), ("x^c/Z", "unit", "x"), ("exp(-c*x^2)/Z", "real", "x^2"),
    ("(1 + x)^(-c)/Z", "positive", "log(1 + x)"),
])  # fmt: skip
def test_where_a_density_has_no_normaliser_there_is_no_number(density, domain, f):
    declared = (
        f"param c: {'positive' if 'natural' in domain else 'real'}\ndist p(x: {domain}) = {density}\nderive m = E[x ~ p]({f})"
    )
    model = symgen.loads(declared)
    outside, inside = (-1.5, 1.5) if domain != "natural" else (3.0, 1.5)
    assert math.isfinite(model.derive("m").evaluate(c=inside))
    with pytest.raises(DataError, match="has no normaliser at these numbers"):
        model.derive("m").evaluate(c=outside)
    assert math.isnan(model.compile().m({"c": np.float64(outside)}))


def test_a_density_of_ones_own_prints_under_its_name():
    d = symgen.loads("dist r(x) = 1/(1 + x^2)/Z").derive("E[x ~ r](sin(x))")
    assert "formula" not in d.text() + d.latex() + d.text_result
    assert "r" in d.text_result


@pytest.mark.parametrize(("law", "f"), UNDEFINED)
def test_a_mean_that_does_not_exist_is_told(law, f):
    d = symgen.loads(HEAD).derive(f"E[x ~ {law}]({f})")
    assert d.text_result == "undefined"
    assert d.evidence.kind == "checked" and any("does not exist" in n for n in d.notes)


@pytest.mark.parametrize(("law", "f"), INFINITE)
def test_an_infinite_mean_is_told(law, f):
    d = symgen.loads(HEAD).derive(f"E[x ~ {law}]({f})")
    assert d.text_result == "inf" and d.evidence.kind == "checked"


@pytest.mark.parametrize(("law", "f"), FINITE)
def test_a_finite_mean_is_not_called_infinite(law, f):
    d = symgen.loads(HEAD).derive(f"E[x ~ {law}]({f})")
    assert "inf" not in d.text_result and "undefined" not in d.text_result
    assert not any("infinite" in n or "undefined" in n for n in d.notes)


@pytest.mark.parametrize(("f", "want"), [  # integrals from 0, where the integrand may have none of its own values
    ("log(x)^2", 2), ("log(x)^3", -6), ("1/sqrt(x)", 2), ("x^(-a)", 1 / 0.6), ("log(x)*log(1 - x)", 2 - math.pi**2 / 6),
    ("log(1 - x^a)", float(-mpmath.digamma(3.5) - mpmath.euler)), ("x^(-1 - a)", math.inf), ("log(x)/x", -math.inf),
])  # fmt: skip
def test_a_mean_under_a_uniform_law_from_zero(f, want):
    d = symgen.loads("param a: positive\n").derive(f"E[x ~ Uniform(0, 1)]({f})")
    assert d.evidence.kind == "checked" and "E[" not in d.text_result
    assert d.evaluate(**({"a": 0.4} if "a" in f else {})) == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("goal", POWERS)
def test_an_infinite_divergence_of_powers_is_inf(goal):
    d = symgen.loads(HEAD).derive(goal)
    assert d.text_result == "inf" and any("infinite" in n for n in d.notes)


@pytest.mark.parametrize("goal", ["chi2(LogNormal(c, a) || Lomax(b, 2))", "chi2(LogNormal(0, 40 + a) || Lomax(b, 2))"])
def test_a_tail_that_falls_only_far_out_is_followed_there(goal):
    d = symgen.loads(HEAD).derive(goal)
    assert "inf" not in d.text_result and not any("infinite" in n for n in d.notes)


@pytest.mark.parametrize("law", NO_LAW)
def test_parameters_that_contradict_their_domains_are_refused(law):
    m = symgen.loads(HEAD)
    with pytest.raises(symgen.SpecError):
        m.derive(f"entropy({law})")


@pytest.mark.parametrize("law", ["TruncatedNormal(0, 1, 0, inf)", "Bernoulli(0)", "Categorical([0, 1])", "Uniform(a, a + b)"])
def test_the_edge_of_a_domain_is_a_law(law):
    symgen.loads(HEAD).derive(f"entropy({law})")


@pytest.mark.parametrize("p", [(1 / 2, 1 / 3, 1 / 6), (1 / 4, 3 / 4)])
def test_a_law_over_labels_of_numbers_is_rendered(p):
    texts = {1 / 2: "1/2", 1 / 3: "1/3", 1 / 6: "1/6", 1 / 4: "1/4", 3 / 4: "3/4"}
    d = symgen.loads("").derive(f"entropy(Categorical([{', '.join(texts[x] for x in p)}]))")
    assert d.evaluate() == pytest.approx(float(-sum(x * mpmath.log(x) for x in p)), rel=1e-14)
    assert d.latex() and d.markdown() and d.html() and d.text() and d.to_json()


SOMETIMES = [  # a goal, when it is finite, a point where it is and one where it is not
    ("chi2(StudentT(a, 0, 1) || StudentT(b, 0, 2))", "b < 2*a", {"a": 3.0, "b": 2.0}, {"a": 1.0, "b": 3.0}),
    ("chi2(Logistic(0, a) || Logistic(0, b))", "a < 2*b", {"a": 1.0, "b": 1.5}, {"a": 3.0, "b": 1.0}),
    ("renyi(Laplace(c, a), Logistic(0, b), 3)", "2*a < 3*b", {"a": 1.0, "b": 1.5, "c": 0.3}, {"a": 3.0, "b": 1.0, "c": 0.3}),
    ("E[x ~ Normal(0, a)](exp(b*x^2))", "a^2*b < 1/2", {"a": 0.5, "b": 0.5}, {"a": 2.0, "b": 1.0}),
    ("E[x ~ Normal(0, 1)](exp(a*x^2)*cos(x)^2)", "a < 1/2", {"a": 0.1}, {"a": 0.7}),
    ("E[x ~ Exponential(a)](exp(x)*tanh(x))", "1 < a", {"a": 4.0}, {"a": 0.5}),
    ("E[x ~ Beta(a, b)](1/(x*(1 + x)))", "1 < a", {"a": 3.0, "b": 2.0}, {"a": 0.5, "b": 2.0}),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize(("goal", "condition", "inside", "outside"), SOMETIMES)
def test_a_mean_that_is_finite_for_some_parameters_says_for_which(goal, condition, inside, outside):
    d = symgen.loads(HEAD).derive(goal)
    assert condition in d.text_result and "inf" in d.text_result
    assert "E[" not in d.text_result or any("infinite unless" in n for n in d.notes)
    if "StudentT" in goal or "Beta" in goal:  # their draws have no transformation of noise
        return
    assert mpmath.isfinite(d.evaluate(**inside, seed=0)) and d.evaluate(**outside, seed=0) == float("inf")


@pytest.mark.parametrize("goal", ["chi2(Weibull(a, 1) || Weibull(b, 2))", "chi2(Gumbel(0, a) || Gumbel(0, b))"])
def test_what_may_be_infinite_without_a_known_condition_is_not_sampled(goal):
    with pytest.raises(symgen.CannotDerive, match="infinite for some values"):
        symgen.loads(HEAD).derive(goal)


TILTED = [  # a law, an exponential with which its density is another of the table, the law's numbers
    ("Normal", "c, a", "exp(-b*x^2)", lambda x: np.exp(-0.4 * x**2)),
    ("Gamma", "a, b", "sqrt(x)*exp(-2*x)", lambda x: np.sqrt(x) * np.exp(-2 * x)),
    ("Rayleigh", "a", "exp(-b*x^2)", lambda x: np.exp(-0.4 * x**2)),
    ("LogNormal", "c, a", "exp(-b*log(x)^2)", lambda x: np.exp(-0.4 * np.log(x) ** 2)),
    ("Laplace", "c, a", "exp(-b*abs(x - c))", lambda x: np.exp(-0.4 * abs(x - 0.9))),
    ("InverseGamma", "a, b", "exp(-3/x)", lambda x: np.exp(-3 / x)),
    ("Weibull", "a, b", "exp(-2*x^a)", lambda x: np.exp(-2 * x**1.7)),
]


@pytest.mark.parametrize(("family", "given", "f", "by_hand"), TILTED)
def test_the_mean_of_an_exponential_by_the_family_of_the_product(family, given, f, by_hand):
    at = {"a": 1.7, "b": 0.4, "c": 0.9}
    d = symgen.loads(HEAD).derive(f"E[x ~ {family}({given})]({f})")
    assert "E[" not in d.text_result and d.evidence.kind == "checked"
    row = FAMILIES[family]
    law = Numeric(row, dict(zip(row.parameters, (at[n] for n in given.split(", ")), strict=True)))
    assert d.evaluate(**{k: v for k, v in at.items() if k in d.symbols}) == pytest.approx(law.mean(by_hand), rel=1e-9)


@pytest.mark.parametrize(
    ("law", "variance"),
    [
        ("StudentT(nu, mu, s)", "where(2 < nu, nu*s^2/(nu - 2), where(1 < nu, inf, undefined))"),
        ("Pareto(s, nu)", "where(2 < nu, nu*s^2/((nu - 2)*(nu - 1)^2), inf)"),
        ("Cauchy(mu, s)", "undefined"),
        ("Levy(s)", "inf"),
    ],
)
def test_a_variance_is_told_where_it_is_finite_infinite_and_undefined(law: str, variance: str) -> None:
    """Johnson, Kotz and Balakrishnan (1995), chapters 16, 20 and 28."""
    model = symgen.loads(f"const nu: positive, mu: real, s: positive\ndist p(x) = {law}\n")
    assert model.check(f"Var[x ~ p](x) = {variance}").holds or model.derive("Var[x ~ p](x)").text_result == variance


@pytest.mark.parametrize(
    ("law", "claim", "condition"),
    [
        ("StudentT(nu, mu, s)", "E[x ~ p](x) = mu", "nu > 1"),
        ("StudentT(nu, mu, s)", "Var[x ~ p](x) = s^2*nu/(nu - 2)", "nu > 2"),
        ("Pareto(s, nu)", "E[x ~ p](x) = nu*s/(nu - 1)", "nu > 1"),
        ("InverseGamma(nu, s)", "E[x ~ p](x) = s/(nu - 1)", "nu > 1"),
    ],
)
def test_a_claim_of_a_mean_tells_where_the_mean_exists(law: str, claim: str, condition: str) -> None:
    model = symgen.loads(f"const nu: positive, mu: real, s: positive\ndist p(x) = {law}\n")
    verdict = model.check(claim)
    assert verdict.holds and condition in verdict.evidence.conditions, verdict.text()


CUT_TAILS = [  # a law whose tail falls as x^(-1 - l), cut off, and a power: its mean is finite where the power is less than l
    ("Truncated(StudentT(l, 0, 1), 0, inf)", "x^2", 2),
    ("Truncated(Pareto(1, l), 2, inf)", "x", 1),
    ("Truncated(Lomax(l, 1), 1, inf)", "x", 1),
    ("Truncated(LogLogistic(1, l), 1, inf)", "x", 1),
    ("Truncated(Frechet(l, 1), 2, inf)", "x^2", 2),
]


@pytest.mark.parametrize(("law", "f", "power"), CUT_TAILS)
def test_the_mean_of_a_law_cut_off_is_infinite_by_the_tail_that_is_left(law, f, power):
    d = symgen.loads(f"param l: positive\ndist p(x) = {law}\n").derive(f"E[x ~ p]({f})")
    assert d.text_result.startswith(f"where({power} < l, ")
    assert d.evaluate(l=power * 0.8) == math.inf
    assert math.isfinite(d.evaluate(l=power * 1.4))


@pytest.mark.parametrize(("ends", "value"), [("-1, inf", math.inf), ("-inf, 2", -math.inf)])
def test_a_cauchy_cut_off_on_one_side_has_an_infinite_mean(ends, value):
    d = symgen.loads(f"param l: positive\ndist p(x) = Truncated(Cauchy(0, l), {ends})\n").derive("E[x ~ p](x)")
    assert d.evaluate() == value and d.evidence.kind == "checked"

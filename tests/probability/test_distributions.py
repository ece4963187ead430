"""Every distribution: its density has mass 1, its known moments are those of quadrature, its sampler and its
reparameterisation draw from it."""

import math

import numpy as np
import pytest
from laws import UNIVARIATE, drawn, parameters
from scipy import integrate, stats

import symgen
from symgen.probability.families.distributions import ROWS
from symgen.probability.families.texts import scalar_text
from symgen.probability.laws.referee import Numeric, close, scalar_at
from symgen.tensor.evaluate import Point, evaluate
from symgen.tensor.expression import entry, fresh_index, num, tensor, var

every_univariate = pytest.mark.parametrize("row", UNIVARIATE, ids=lambda r: r.name)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@every_univariate
def test_the_density_has_mass_one(row, rng):
    law = Numeric(row, parameters(row, rng))
    assert close(law.mean(lambda x: np.ones_like(x)), 1.0)


@every_univariate
def test_known_moments_are_those_of_quadrature(row, rng):
    for _ in range(2):
        law = Numeric(row, parameters(row, rng))
        mean = law.mean(lambda x: x)
        found = {"mean": mean, "variance": law.mean(lambda x, m=mean: (x - m) ** 2),
                 "entropy": law.mean(lambda x, p=law: -p.log_density(x))}  # fmt: skip
        for name, text in row.known.items():
            assert close(scalar_at(text, law.parameters), found[name], 6), name


@every_univariate
def test_the_sampler_draws_from_the_density(row, rng):
    values = parameters(row, rng)
    law = Numeric(row, values)
    check_quantiles(law, np.asarray(drawn(row.name, rng, 20_000, **values), dtype=float))


@pytest.mark.parametrize("row", [r for r in UNIVARIATE if r.transform], ids=lambda r: r.name)
def test_the_reparameterisation_draws_from_the_density(row, rng):
    values = parameters(row, rng)
    n = 20000
    noise = {"normal": rng.standard_normal, "uniform": rng.random, "exponential": rng.standard_exponential,
             "laplace": lambda k: rng.laplace(size=k), "gumbel": lambda k: rng.gumbel(size=k),
             "logistic": lambda k: rng.logistic(size=k)}[row.noise](n)  # fmt: skip
    places = {name: var(name, (), "real", "placeholder") for name in values}
    eps, i = var("eps", (num(n),), "real", "placeholder"), fresh_index(num(n))
    made = tensor([i], scalar_text(row.transform, {**{k: entry(v) for k, v in places.items()}, "eps": entry(eps, i)}))
    point = Point({}, {**{v: np.float64(values[k]) for k, v in places.items()}, eps: noise})
    check_quantiles(Numeric(row, values), np.asarray(evaluate([made], point)[0]))


def check_quantiles(law, draws):
    """The share of draws below each of three places against the mass there."""
    assert np.all((draws >= law.low) & (draws <= law.high))
    for place in np.quantile(draws, [0.2, 0.5, 0.8]):
        share = np.mean(draws <= place)
        mass = law.mean(lambda x, place=place: (x <= place) * 1.0, breaks=[place])
        assert abs(share - mass) < 0.02


def test_families_have_sources_and_pictures():
    assert len(ROWS) >= 58
    for row in ROWS:
        assert row.source and row.latex and row.log_density


@pytest.mark.parametrize(("law", "referee"), [
    ("StudentT(k, a, s)", stats.t(9.3, 0.3, 0.7)), ("GeneralizedNormal(a, s, 7/5)", stats.gennorm(1.4, 0.3, 0.7)),
])  # fmt: skip
@pytest.mark.parametrize(("f", "at"), [
    ("x^3", lambda x: x**3), ("(x - a)^4", lambda x: (x - 0.3) ** 4), ("(x - 1)^5", lambda x: (x - 1) ** 5),
    ("abs(x - a)^(5/2)", lambda x: abs(x - 0.3) ** 2.5),
])  # fmt: skip
def test_higher_moments_of_even_laws(law, referee, f, at):
    d = symgen.loads("param a: real, s: positive, k: positive\n").derive(f"E[x ~ {law}]({f})")
    want = sum(integrate.quad(lambda x: at(x) * referee.pdf(x), *ends)[0] for ends in ((-math.inf, 0.3), (0.3, math.inf)))
    values = {"a": 0.3, "s": 0.7, "k": 9.3}
    assert "E[" not in d.text_result
    assert d.evaluate(**{n: v for n, v in values.items() if n in {str(x) for x in d.symbols}}) == pytest.approx(want, rel=1e-7)

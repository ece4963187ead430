"""Counts that are cut off or mixed: masses, means, entropies and divergences, against enumeration."""

import math

import numpy as np
import pytest
from scipy import stats

import symgen

HEAD = "param lam: positive, a: positive, w: unit\n"
AT = {"lam": 2.3, "a": 1.7, "w": 0.3}
K = np.arange(0, 121)


def cut(p, low, high):
    inside = np.where((K >= low) & (K <= high), p, 0.0)
    return inside / inside.sum()


POISSON, OTHER = stats.poisson.pmf(K, 2.3), stats.poisson.pmf(K, 1.7)
GEOMETRIC = 0.3 * 0.7**K
NEGATIVE = stats.nbinom.pmf(K, 1.7, 0.7)
LAWS = {
    "Truncated(Poisson(lam), 1, inf)": cut(POISSON, 1, 120),
    "Truncated(Poisson(lam), 0, 5)": cut(POISSON, 0, 5),
    "Truncated(Poisson(lam), 2, 40)": cut(POISSON, 2, 40),
    "Truncated(Geometric(w), 0, 6)": cut(GEOMETRIC, 0, 6),
    "Truncated(Binomial(7, w), 2, 6)": cut(stats.binom.pmf(K, 7, 0.3), 2, 6),
    "Truncated(NegativeBinomial(a, w), 1, inf)": cut(NEGATIVE, 1, 120),
    "Mixture(w, DiscreteUniform(0, 0), Poisson(lam))": 0.3 * (K == 0) + 0.7 * POISSON,
    "Mixture(w, Poisson(a), Geometric(w))": 0.3 * OTHER + 0.7 * GEOMETRIC,
}  # fmt: skip


def kl(p, q):
    with np.errstate(all="ignore"):
        terms = np.where(p > 0, p * (np.log(p) - np.log(q)), 0.0)
    return float(terms.sum())


@pytest.mark.parametrize("text", LAWS)
def test_what_is_left_or_mixed_is_summed(text):
    p = LAWS[text]
    model = symgen.loads(f"{HEAD}dist p(x) = {text}\ndist q(x) = Poisson(a)")

    def number(goal, **more):
        return float(
            np.asarray(model.derive(goal).evaluate(**{k: v for k, v in AT.items() if k in model.derive(goal).symbols}, **more))
        )

    mean = (K * p).sum()
    assert number("E[x ~ p](x)") == pytest.approx(mean, rel=1e-9)
    assert number("Var[x ~ p](x)") == pytest.approx((K**2 * p).sum() - mean**2, rel=1e-9)
    assert number("log p(x)", x=3) == pytest.approx(math.log(p[3]), rel=1e-9)
    assert number("entropy(p)") == pytest.approx(-np.sum(p[p > 0] * np.log(p[p > 0])), rel=1e-9)
    assert number("KL(p || q)") == pytest.approx(kl(p, OTHER), rel=1e-8)


PAIRS = {
    ("Truncated(Poisson(lam), 1, inf)", "Truncated(Poisson(a), 1, inf)"): kl(cut(POISSON, 1, 120), cut(OTHER, 1, 120)),
    ("Truncated(Poisson(lam), 2, inf)", "Truncated(Poisson(a), 1, inf)"): kl(cut(POISSON, 2, 120), cut(OTHER, 1, 120)),
    ("Truncated(Poisson(lam), 1, inf)", "Truncated(Poisson(a), 2, inf)"): math.inf,
    ("Poisson(a)", "Truncated(Poisson(lam), 0, 9)"): math.inf,
    ("Truncated(Geometric(w), 0, 9)", "Truncated(Poisson(a), 0, 9)"): kl(cut(GEOMETRIC, 0, 9), cut(OTHER, 0, 9)),
    ("Binomial(6, w)", "Truncated(Poisson(a), 0, 6)"): kl(stats.binom.pmf(K, 6, 0.3), cut(OTHER, 0, 6)),
}  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS)
def test_divergences_are_infinite_where_one_is_cut_off_inside_the_other(pair):
    d = symgen.loads(f"{HEAD}dist p(x) = {pair[0]}\ndist q(x) = {pair[1]}").derive("KL(p || q)")
    assert float(d.evaluate(**{k: v for k, v in AT.items() if k in d.symbols})) == pytest.approx(PAIRS[pair], rel=1e-8)
    if PAIRS[pair] == math.inf:
        assert d.text_result == "inf"


def test_cut_poissons_keep_a_closed_form():
    model = symgen.loads(f"{HEAD}dist p(x) = Truncated(Poisson(lam), 1, inf)\ndist q(x) = Truncated(Poisson(a), 1, inf)")
    assert model.derive("E[x ~ p](x)").text_result == "lam/(1 - exp(-lam))"
    assert "E[" not in model.derive("KL(p || q)").text_result


@pytest.mark.parametrize("text, said", [
    ("Truncated(LogSeries(w), 1, lam)", "has no closed form"),
    ("Mixture(w, Normal(0, 1), Poisson(lam))", "not mixed"),
])  # fmt: skip
def test_what_has_no_mass_function_is_refused(text, said):
    with pytest.raises(symgen.SpecError, match=said):
        symgen.loads(f"{HEAD}dist p(x) = {text}")

"""Simulation-based calibration: of parameters drawn from the prior, and data drawn given them, the true values rank among draws
of the derived posterior as any of those. Their ranks are uniform; Talts et al. (2018)."""

import numpy as np
import pytest
from calibrated import ALL, MODELS, SCALARS, Calibrated, Drawer
from scipy import stats

import symgen
from symgen.probability.families.distributions import FAMILIES

DRAWS, BINS = 59, 12
QUICK = ("normal variance, InverseGamma",)


def drawn_after(draw, case: Calibrated, record, parameters, count):
    if case.after is not None:
        return case.after(draw, parameters, count)
    own = {name: parameters[name] for name in FAMILIES[record.family].parameters if name in parameters}
    return draw(record.family, count, *case.event, **own)


def p_values(case: Calibrated, runs: int, seed: int, wrong=lambda parameters: parameters):
    """Of each number that is looked at, how far its ranks are from uniform, by chi-square. Equals are ordered by chance."""
    draw, tie = Drawer(seed), np.random.default_rng(seed + 1)
    record = symgen.loads(case.text).derive(case.goal).result
    given = case.goal.split("given=")[1].rstrip(")")
    ranks = []
    for _ in range(runs):
        z = case.prior(draw)
        at = case.given | {given: np.asarray(case.data(draw, z), dtype=float)}
        parameters = wrong({k: np.asarray(v) for k, v in record.evaluate("parameters", **at).items()})
        others = drawn_after(draw, case, record, parameters, DRAWS)
        for true, drawn in zip(case.looked(z), case.looked(others), strict=True):
            ranks.append(np.sum(drawn < true) + tie.integers(np.sum(drawn == true) + 1))
    looked = np.reshape(ranks, (runs, -1)).T
    return [stats.chisquare(np.bincount(r * BINS // (DRAWS + 1), minlength=BINS)).pvalue for r in looked]


@pytest.mark.parametrize("name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in ALL])
def test_ranks_of_true_values_are_uniform(name):
    found = p_values(ALL[name], 240 if name in QUICK or name in MODELS else 600, seed=list(ALL).index(name))
    print(f"{name}: p = {', '.join(f'{p:.3f}' for p in found)}")
    assert min(found) * len(found) > 1e-3


WRONG = {  # slips that hands make: what a calibration must see
    "a rate for a scale": ("Poisson, Gamma", lambda p: p | {"r": 1 / p["r"]}),
    "one count too many": ("Bernoulli, Beta", lambda p: p | {"a": p["a"] + 1}),
    "n for n/2": ("normal variance, InverseGamma", lambda p: p | {"a": p["a"] + 2}),
    "a variance for a deviation": ("normal mean, Normal", lambda p: p | {"sigma": p["sigma"] ** 2}),
}


@pytest.mark.parametrize("slip", [pytest.param(n, marks=pytest.mark.slow) if n != "n for n/2" else n for n in WRONG])
def test_a_wrong_posterior_is_seen(slip):
    name, wrong = WRONG[slip]
    assert min(p_values(SCALARS[name], 240, seed=2024, wrong=wrong)) < 1e-4

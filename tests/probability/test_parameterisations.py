"""Every other way to give the parameters of a family says the same law as its own: by the density, and by a second law
whose own parameters are written out. The referee is the claim, read anew, and SciPy's parameters where it has them."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

import symgen
from symgen.probability.families.distribution import Distribution
from symgen.probability.families.distributions import FAMILIES

CASES = [(row, key) for name, row in FAMILIES.items() if name == row.name for key in row.alternatives]


def spec_of(row: Distribution, key: str) -> tuple[str, str, str]:
    """Declarations, the law by the keywords of `key`, and by its own parameters."""
    other = row.alternatives[key]
    shapes = {**row.shapes, **other.shapes}
    lines = [f"dim {size}" for size in dict.fromkeys(s for shape in shapes.values() for s in shape)]
    plain = {p: d for p, d in row.parameters.items() if p not in other.canonical}
    for p, domain in {**plain, **other.arguments}.items():
        shape = f"[{', '.join(shapes[p])}]" if shapes.get(p) else ""
        lines.append(f"const {p}: {'natural' if row.name in ('Binomial', 'Multinomial') and p == 'n' else domain}{shape}")
    given = ", ".join([*plain, *(f"{a}={a}" for a in other.arguments)])
    own = ", ".join(other.canonical.get(p, p) for p in row.parameters)
    return "\n".join(lines), f"{row.name}({given})", f"{row.name}({own})"


@pytest.mark.parametrize(("row", "key"), CASES, ids=[f"{row.name}-{key}" for row, key in CASES])
def test_another_way_says_the_same_law(row: Distribution, key: str) -> None:
    declared, by_keyword, own = spec_of(row, key)
    model = symgen.loads(f"{declared}\ndist first(x) = {by_keyword}\ndist second(x) = {own}\n")
    claim = "log first(x) = log second(x)"
    x = {"Wishart": "spd[p, p]", "InverseWishart": "spd[p, p]"}.get(row.name)
    if x:
        model = symgen.loads(f"{declared}\ndist first(x: {x}) = {by_keyword}\ndist second(x: {x}) = {own}\n")
    assert model.check(claim).status in ("proved", "checked"), (by_keyword, own)


TRUTHS = [
    ("Gamma(mean=3, var=2)", stats.gamma(4.5, scale=2 / 3)),
    ("Gamma(2, mean=5)", stats.gamma(2, scale=2.5)),
    ("Beta(mean=1/3, concentration=6)", stats.beta(2, 4)),
    ("BetaBinomial(7, mean=1/4, concentration=8)", stats.betabinom(7, 2, 6)),
    ("NegativeBinomial(3, mean=2)", stats.nbinom(3, 3 / 5)),
    ("NegativeBinomial(3, logits=1/2)", stats.nbinom(3, 1 - 1 / (1 + math.exp(-0.5)))),
    ("Binomial(9, logits=-1)", stats.binom(9, 1 / (1 + math.e))),
    ("Geometric(logits=-1)", stats.geom(1 / (1 + math.e), loc=-1)),
    ("Poisson(log_rate=1/2)", stats.poisson(math.exp(0.5))),
    ("Laplace(1, var=8)", stats.laplace(1, 2)),
    ("Normal(1, logvar=2)", stats.norm(1, math.e)),
    ("Normal(1, log_scale=2)", stats.norm(1, math.e**2)),
    ("Exponential(mean=4)", stats.expon(scale=4)),
]


@pytest.mark.parametrize(("law", "truth"), TRUTHS, ids=[law for law, _ in TRUTHS])
def test_the_moments_are_those_of_scipy(law: str, truth: Any) -> None:
    model = symgen.loads("")
    mean, var = (float(np.asarray(model.derive(f"{f}[x ~ {law}](x)").evaluate())) for f in ("E", "Var"))
    assert (mean, var) == pytest.approx(tuple(map(float, truth.stats())), rel=1e-12)

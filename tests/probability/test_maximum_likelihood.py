"""Maximum likelihood: the values against scipy's own search over the log-likelihood, and refusals where nothing is one."""

import numpy as np
import pytest

import symgen

RNG = np.random.default_rng(4)
TOGETHER = {
    "lo: real, hi: real": ("Uniform(lo, hi)", "real", "[lo, hi]", lambda x: [x.min(), x.max()]),
    "t: positive, u: positive": ("Pareto(t, u)", "positive", "[u, t]",
                                 lambda x: [len(x) / np.log(x / x.min()).sum(), x.min()]),
    "m: positive, s: positive": ("InverseGaussian(m, s)", "positive", "[s, m]",
                                 lambda x: [1 / np.mean(1 / x - 1 / x.mean()), x.mean()]),
}  # fmt: skip


@pytest.mark.parametrize("declared", TOGETHER)
def test_several_parameters_with_ends_of_supports(declared):
    law, domain, asked, want = TOGETHER[declared]
    order = "assume lo < hi\n" if "lo" in declared else ""
    model = symgen.loads(f"dim n\nparam {declared}\n{order}dist p(x: {domain}[n]) = {law}\n")
    d = model.derive(f"mle(p, {asked})")
    assert d.evidence.kind in ("proved", "checked")
    x = RNG.gamma(2, 1.5, size=9)
    assert np.allclose(d.evaluate(x=x), want(x), rtol=1e-12)

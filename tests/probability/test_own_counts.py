"""Densities of one's own over counts: their normaliser is a sum, closed or by its terms; means and divergences against plain
summation in high precision."""

import mpmath
import pytest

import symgen

HEAD = """param l: unit, t: positive, s: positive
assume s > 1
dist p({k}) = {density}/Z
dist q({k}) = Geometric(0.3)
"""
AT = {"l": 0.6, "t": 0.7, "s": 2.5}
SLOW = pytest.mark.slow
mp = mpmath.mp
DENSITIES = {
    "(k + 1)*l^k": lambda k: (k + 1) * mp.mpf(0.6) ** k,
    "l^k/(k + 1)": lambda k: mp.mpf(0.6) ** k / (k + 1),
    "t^k/gamma(k + 1)^2": lambda k: mp.mpf(0.7) ** k / mp.gamma(k + 1) ** 2,
    "exp(-t*k^2)": lambda k: mp.exp(-mp.mpf(0.7) * k * k),
    "exp(-t*abs(k))": lambda k: mp.exp(-mp.mpf(0.7) * abs(k)),
    "where(k < 5, k + 1, 0)": lambda k: k + 1 if k < 5 else 0,
    "(k + 1)^(-s)": lambda k: (k + 1) ** -mp.mpf(2.5),
    "1/(1 + k^2)^2": lambda k: 1 / (1 + k * k) ** mp.mpf(2),
}
FUNCTIONS = {"k": lambda k: k, "k^2": lambda k: k * k, "log(k + 1)": lambda k: mp.log(k + 1), "sqrt(k)": mp.sqrt}
LAWS = [  # density, its domain, a function and whether its mean is closed
    pytest.param("(k + 1)*l^k", "natural", "k", True, marks=SLOW),
    ("l^k/(k + 1)", "natural", "log(k + 1)", False),
    ("t^k/gamma(k + 1)^2", "natural", "k", True),
    ("exp(-t*k^2)", "natural", "k", False),
    ("exp(-t*k^2)", "integer", "k^2", False),
    pytest.param("exp(-t*abs(k))", "integer", "k^2", True, marks=SLOW),
    ("where(k < 5, k + 1, 0)", "natural", "k^2", False),
    pytest.param("(k + 1)^(-s)", "natural", "log(k + 1)", False, marks=SLOW),
    pytest.param("1/(1 + k^2)^2", "natural", "sqrt(k)", False, marks=SLOW),
]


def geometric(k):
    return mp.mpf(0.3) * mp.mpf(0.7) ** k


def summed(f, domain="natural", heavy=False):
    if heavy:
        return mpmath.nsum(f, [0, mpmath.inf], method="e")
    return mpmath.fsum(f(k) for k in range(-60 if domain == "integer" else 0, 300))


@pytest.mark.parametrize(("density", "domain", "f", "closed"), LAWS)
def test_a_mean_over_counts_of_ones_own_is_its_sum(density, domain, f, closed):
    d = symgen.loads(HEAD.format(k=f"k: {domain}", density=density)).derive(f"E[k ~ p]({f})")
    weight, value, heavy = DENSITIES[density], FUNCTIONS[f], density in ("(k + 1)^(-s)", "1/(1 + k^2)^2")
    want = summed(lambda k: weight(k) * value(k), domain, heavy) / summed(weight, domain, heavy)
    assert ("E[" not in d.text_result) == closed
    assert not closed or d.evidence.kind == "checked"
    assert d.evaluate(**{n: x for n, x in AT.items() if n in d.symbols}) == pytest.approx(float(want), rel=1e-12)


@pytest.mark.parametrize(("density", "goal", "of"), [
    ("l^k/(k + 1)", "KL(p || q)", lambda p, q: p * mp.log(p / q)),
    ("exp(-t*k^2)", "entropy(p)", lambda p, q: -p * mp.log(p)),
    pytest.param("l^k/(k + 1)", "tv(p, q)", lambda p, q: abs(p - q) / 2, marks=SLOW),
    ("exp(-t*k^2)", "chi2(p || q)", lambda p, q: p * p / q - p),
])  # fmt: skip
def test_a_divergence_of_counts_of_ones_own_is_its_sum(density, goal, of):
    d = symgen.loads(HEAD.format(k="k: natural", density=density)).derive(goal)
    mass = summed(DENSITIES[density])
    want = summed(lambda k: of(DENSITIES[density](k) / mass, geometric(k)))
    assert d.evaluate(**{n: x for n, x in AT.items() if n in d.symbols}) == pytest.approx(float(want), rel=1e-12)


@SLOW
def test_a_mean_over_counts_is_infinite_where_the_tail_is_too_heavy():
    model = symgen.loads("param s: positive\nassume s > 1\ndist p(k: natural) = (k + 1)^(-s)/Z\n")
    d = model.derive("E[k ~ p](k)")
    assert d.text_result.startswith("where(2 < s, ") and d.evaluate(s=1.9) == float("inf")
    want = mpmath.zeta(1.5) / mpmath.zeta(2.5) - 1
    assert d.evaluate(s=2.5) == pytest.approx(float(want), rel=1e-12)


def test_an_infinite_sum_without_closed_form_has_a_number():
    d = symgen.loads("param t: positive\nlet S = sum[k: 0..inf](exp(-t*k^2))\n").derive("S")
    want = mpmath.nsum(lambda k: mpmath.exp(-0.7 * k * k), [0, mpmath.inf])
    assert d.evaluate(t=0.7) == pytest.approx(float(want), rel=1e-14)

"""f-divergences of a function of one's own, and products over independent entries, against quadrature of scipy's densities."""

import math

import numpy as np
import pytest
from scipy import integrate, special, stats

import symgen

MODEL = symgen.loads("""
dim k
param m: real, w: real, s: positive, r: positive, a: positive, b: positive, x1: positive, x2: positive, alpha: unit
param mu: real[k], c: positive[k], nu: real[k], d: positive[k], tt: real[k]
def triangle(t) = (t - 1)^2/(t + 1)
def amari(t) = (t^alpha - 1 - alpha*(t - 1))/(alpha*(alpha - 1))
def reverse(t) = -log(t)
""")
AT = {"m": -0.8, "w": 1.1, "s": 0.3, "r": 2.2, "a": 8.2, "b": 6.5, "x1": 1.6, "x2": 1.4, "alpha": 0.37}
FAR = AT | {"m": 0.0, "w": 60.0, "s": 0.1, "r": 0.1}
LAWS = {
    "Normal": ("Normal(m, s)", "Normal(w, r)", lambda v: (stats.norm(v["m"], v["s"]), stats.norm(v["w"], v["r"]))),
    "Pareto": ("Pareto(x1, a)", "Pareto(x2, b)",
               lambda v: (stats.pareto(v["a"], scale=v["x1"]), stats.pareto(v["b"], scale=v["x2"]))),
    "LogLogistic": ("LogLogistic(x1, a)", "LogLogistic(x2, b)",
                    lambda v: (stats.fisk(v["a"], scale=v["x1"]), stats.fisk(v["b"], scale=v["x2"]))),
    "Gumbel": ("Gumbel(m, s)", "Gumbel(w, r)", lambda v: (stats.gumbel_r(v["m"], v["s"]), stats.gumbel_r(v["w"], v["r"]))),
    "Exponential": ("Exponential(a)", "Exponential(b)", lambda v: (stats.expon(scale=1 / v["a"]), stats.expon(scale=1 / v["b"]))),
}  # fmt: skip
F = {
    "triangle": lambda p, q, _: (p - q) ** 2 / (p + q) if p + q else 0.0,
    "amari": lambda p, q, a: (p**a * q ** (1 - a) - (1 - a) * q - a * p) / (a * (a - 1)),
}


def over_the_line(p, q, f, t=0.0):
    """The integral of f(p, q) exp(t x)."""
    levels = [1e-12, 1e-3, 0.2, 0.5, 0.8, 0.999, 1 - 1e-12]
    cuts = sorted({float(e) for one in (p, q) for e in (*one.ppf(levels), *one.support()) if math.isfinite(e)})
    return sum(integrate.quad(lambda x: f(p.pdf(x), q.pdf(x)) * math.exp(t * x), u, v, limit=200)[0]
               for u, v in zip(cuts, cuts[1:], strict=False))  # fmt: skip


@pytest.mark.parametrize(("law", "f"), [("Normal", "triangle"), ("Pareto", "amari"), ("LogLogistic", "amari"),
                                        ("Gumbel", "triangle"), ("Exponential", "amari")])  # fmt: skip
def test_an_f_divergence_is_its_integral(law, f):
    first, second, at = LAWS[law]
    d = MODEL.derive(f"fdiv({f}, {first}, {second})")
    want = over_the_line(*at(AT), lambda p, q: F[f](p, q, AT["alpha"]))
    assert math.isclose(d.evaluate(**{k: v for k, v in AT.items() if k in d.symbols}), want, rel_tol=1e-7)
    assert d.evidence.kind == "checked"


def test_of_laws_far_apart_it_is_the_mass_of_both():
    d = MODEL.derive("fdiv(triangle, Normal(m, s), Normal(w, r))")
    assert math.isclose(d.evaluate(**{k: v for k, v in FAR.items() if k in d.symbols}), 2, rel_tol=1e-12)


@pytest.mark.parametrize("low", [1.1, 1.9])
def test_where_f_is_infinite_at_0_so_is_what_lies_outside(low):
    d = MODEL.derive("fdiv(reverse, Pareto(x1, a), Pareto(x2, b))")
    v = AT | {"x1": low}
    p, q = LAWS["Pareto"][2](v)
    want = integrate.quad(lambda x: q.pdf(x) * (q.logpdf(x) - p.logpdf(x)), 1.4, np.inf)[0] if low < 1.4 else math.inf
    assert d.evaluate(**{k: x for k, x in v.items() if k in d.symbols}) == pytest.approx(want, rel=1e-9)
    assert "log(0)" not in d.text_result


def test_a_vector_has_its_power_divergence_by_that_of_renyi():
    d = MODEL.derive("fdiv(amari, Dirichlet(c), Dirichlet(d))")
    renyi = MODEL.derive("renyi(Dirichlet(c), Dirichlet(d), alpha)")
    v = {"c": [1.3, 2.2, 0.7], "d": [0.9, 1.7, 2.8], "alpha": 0.37}
    want = (math.exp((0.37 - 1) * renyi.evaluate(**v)) - 1) / (0.37 * (0.37 - 1))
    assert math.isclose(d.evaluate(**v), want, rel_tol=1e-10)


# --- nodes that reach the ends ------------------------------------------------------------------------------------------


def test_a_steeper_target_does_not_overflow():
    d = MODEL.derive("KL(LogLogistic(x2, b) || LogLogistic(x1, a))")
    q, p = LAWS["LogLogistic"][2](AT)
    want = integrate.quad(lambda x: p.pdf(x) * (p.logpdf(x) - q.logpdf(x)), 0, np.inf)[0]
    assert math.isclose(d.evaluate(**{k: v for k, v in AT.items() if k in d.symbols}), want, rel_tol=1e-8)


def test_under_uniform_the_logarithm_of_one_less_a_power_is_integrated():
    model = symgen.loads("param lo: unit, hi: unit, a: positive, b: positive\nassume lo < hi")
    d = model.derive("KL(Uniform(lo, hi) || Kumaraswamy(a, b))")
    want = integrate.quad(lambda x: -math.log(0.6) - math.log(2.5 * 1.7 * x**1.5 * (1 - x**2.5) ** 0.7), 0.2, 0.8)[0] / 0.6
    assert "E[" not in d.text_result
    assert math.isclose(d.evaluate(lo=0.2, hi=0.8, a=2.5, b=1.7), want, rel_tol=1e-10)


def test_levels_next_to_one_are_counted():
    d = MODEL.derive("wasserstein2(FisherSnedecor(s, a), FisherSnedecor(r, b))")
    t = np.arange(-4, 4, 0.005)
    above, below = 1 / (1 + np.exp(np.pi * np.sinh(t))), 1 / (1 + np.exp(-np.pi * np.sinh(t)))

    def quantiles(n, m):
        share = special.betaincinv(n / 2, m / 2, below)
        rest = special.betaincinv(m / 2, n / 2, above)
        return m / n * np.where(t < 0, share / np.maximum(1 - share, 0.1), 1 / rest - 1)

    gap = quantiles(0.3, 8.2) - quantiles(2.2, 6.5)
    want = float(np.sum(0.005 * np.pi * np.cosh(t) * above * below * gap**2))
    assert math.isclose(d.evaluate(**{k: v for k, v in AT.items() if k in d.symbols}), want, rel_tol=1e-8)


# --- entry by entry -----------------------------------------------------------------------------------------------------

ENTRIES = {
    "E[x ~ Laplace(mu, c)](exp(tt @ x))": lambda v: over_the_line(
        stats.laplace(v[0], v[1]), stats.laplace(v[0], 2 * v[1]), lambda p, q: p, v[4]),
    "E[x ~ Gamma(c, d)](exp(tt @ x))": lambda v: over_the_line(
        stats.gamma(v[1], scale=1 / v[3]), stats.gamma(v[1], scale=2 / v[3]), lambda p, q: p, v[4]),
    "1 - hellinger(Laplace(mu, c), Laplace(nu, d))": lambda v: over_the_line(
        stats.laplace(v[0], v[1]), stats.laplace(v[2], v[3]), lambda p, q: math.sqrt(p * q)),
    "1 - hellinger(Cauchy(mu, c), Cauchy(nu, d))": lambda v: integrate.quad(
        lambda x: math.sqrt(stats.cauchy(v[0], v[1]).pdf(x) * stats.cauchy(v[2], v[3]).pdf(x)), -np.inf, np.inf)[0],
    "1 + chi2(Laplace(mu, c) || Laplace(nu, d))": lambda v: over_the_line(
        stats.laplace(v[0], v[1]), stats.laplace(v[2], v[3]), lambda p, q: p * p / q),
    "exp(-renyi(Laplace(mu, c), Laplace(nu, d), 1/2)/2)": lambda v: over_the_line(
        stats.laplace(v[0], v[1]), stats.laplace(v[2], v[3]), lambda p, q: math.sqrt(p * q)),
}  # fmt: skip
VECTORS = {"mu": [0.3, -1.1], "c": [0.8, 1.3], "nu": [0.5, 0.2], "d": [1.4, 1.7], "tt": [0.4, -0.3]}


@pytest.mark.parametrize("goal", ENTRIES)
def test_independent_entries_multiply(goal):
    d = MODEL.derive(goal)
    want = math.prod(ENTRIES[goal](v) for v in zip(*VECTORS.values(), strict=True))
    assert math.isclose(d.evaluate(**{k: VECTORS[k] for k in d.symbols if k in VECTORS}), want, rel_tol=1e-6)
    assert "E[" not in d.text_result and d.evidence.kind == "checked"


def test_waves_of_independent_entries():
    d = MODEL.derive("E[x ~ Laplace(mu, c)](cos(tt @ x))")
    laws = [stats.laplace(m, c) for m, c in zip(VECTORS["mu"], VECTORS["c"], strict=True)]
    parts = [complex(*(one.expect(lambda x, t=t, f=f: f(t * x)) for f in (np.cos, np.sin)))
             for one, t in zip(laws, VECTORS["tt"], strict=True)]  # fmt: skip
    got = d.evaluate(**{k: VECTORS[k] for k in ("mu", "c", "tt")})
    assert math.isclose(got, math.prod(parts).real, rel_tol=1e-7)


def test_a_generating_function_is_infinite_beyond_its_strip():
    d = MODEL.derive("E[x ~ Laplace(mu, c)](exp(tt @ x))")
    assert d.evaluate(mu=[0.0, 0.0], c=[0.5, 2.0], tt=[1.0, 0.6]) == math.inf


# --- values of operators meet what stands around them -------------------------------------------------------------------

MET = {
    "E[x ~ Normal(m, s)]((x - E[x ~ Normal(m, s)](x))^4) - 3*Var[x ~ Normal(m, s)](x)^2": "0",
    "3*Var[x ~ Normal(m, s)](x)^2": "3*s^4",
    "log(E[x ~ Normal(m, s)](exp(w*x)))": "m*w + s^2*w^2/2",
    "1 - (1 - E[x ~ Normal(m, s)](x))": "m",
}


@pytest.mark.parametrize("goal", MET)
def test_what_an_operator_gave_cancels(goal):
    d = MODEL.derive(goal)
    assert "".join(sorted(d.text_result)) == "".join(sorted(MET[goal]))


@pytest.mark.parametrize("goal", ["bhattacharyya(Normal(m, s), Normal(w, r))", "-log(1 - hellinger(Normal(m, s), Normal(w, r)))"])
def test_the_bhattacharyya_distance_is_no_logarithm_of_0(goal):
    d = MODEL.derive(goal)
    first, second = LAWS["Normal"][2](AT)
    want = -math.log(over_the_line(first, second, lambda p, q: math.sqrt(p * q)))
    assert math.isclose(d.evaluate(**{k: v for k, v in AT.items() if k in d.symbols}), want, rel_tol=1e-8)
    assert math.isclose(d.evaluate(**{k: v for k, v in FAR.items() if k in d.symbols}), 60**2 / (8 * 0.1**2), rel_tol=1e-12)


def test_what_is_made_of_a_mean_that_does_not_exist_has_no_value():
    d = MODEL.derive("E[x ~ Cauchy(m, s)]((x - E[x ~ Cauchy(m, s)](x))^3)")
    assert d.text_result == "undefined"


def test_a_variance_on_an_interval_far_from_0_does_not_overflow():
    model = symgen.loads("param lo: real, hi: real, r: positive\nassume lo < hi")
    d = model.derive("Var[x ~ TruncatedExponential(r, lo, hi)](x)")
    want = stats.truncexpon(23.6 * 1.3, 30, 1 / 23.6).var()
    assert math.isclose(d.evaluate(lo=30, hi=31.3, r=23.6), want, rel_tol=1e-10)


@pytest.mark.parametrize("goal", ["tv(Poisson(c), Poisson(d))", "JS(Multinomial(3, p), Multinomial(3, q))"])
def test_a_mean_without_a_draw_is_said_to_have_no_number(goal):
    model = symgen.loads("dim k\nparam c: positive[k], d: positive[k], p: simplex[k], q: simplex[k]")
    d = model.derive(goal)
    values = {"c": [1.0, 2.0], "d": [2.0, 1.5], "p": [0.2, 0.8], "q": [0.4, 0.6]}
    with pytest.raises(symgen.CannotDerive, match="no draw of"):
        d.evaluate(seed=0, **{k: v for k, v in values.items() if k in d.symbols})


def test_a_direction_is_no_free_vector():
    model = symgen.loads("param u: real[3], s: positive\ndist p(x) = VonMisesFisher(u, s)")
    with pytest.raises(symgen.CannotDerive, match="direction"):
        model.derive("fisher(p, [u, s])")
    assert model.derive("fisher(p, s)").evidence.kind == "checked"


def test_an_f_with_a_kink_has_its_divergence():
    """The hockey stick: the integral of p - g q where it is positive, here x below log(3/g)/2."""
    model = symgen.loads("param g: positive\ndef f(t) = max(t - g, 0)\ndist p(x) = Exponential(3)\ndist q(x) = Exponential(1)")
    d = model.derive("fdiv(f, p, q)")
    end = math.log(1.5) / 2
    assert math.isclose(d.evaluate(g=2.0), 1 - math.exp(-3 * end) - 2 * (1 - math.exp(-end)), rel_tol=1e-6)
    assert d.evidence.kind == "checked"

"""Generated code of divergences keeps its digits as q approaches p, at the edge of the domains and far away."""

import itertools

import mpmath as mp
import numpy as np
import pytest

import symgen
from symgen.codegen import runtime_remainders as helpers
from symgen.codegen.stable_form import stable_form
from symgen.derivation.referee import check_equal_numeric
from tests.benchmarks.accuracy import (
    FAR,
    HEAD,
    NEAR,
    code_of,
    edges,
    error,
    exactly,
    is_right,
    truth,
    typed,
    value_of,
    values,
)
from tests.benchmarks.accuracy_table import CASES

mp.mp.dps = 60
DISTANCES = (1e-1, 1e-4, 1e-7)


@pytest.fixture(scope="module")
def model():
    return symgen.loads(HEAD)


@pytest.fixture(scope="module")
def code():
    """The generated module alone: no balls sharpen what it gives."""
    module = code_of(list(CASES))
    return {name: getattr(module, f"h{k}") for k, name in enumerate(CASES)}


def at(model, goal, point):
    d = model.derive(goal)
    return d, float(d.evaluate(**{k: v for k, v in point.items() if k != "n" or "n" in d.symbols}))


@pytest.mark.parametrize("name", CASES)
def test_the_code_of_a_divergence_keeps_its_digits_near_and_far(code, name):
    c = CASES[name]
    for distance in (*DISTANCES, None):
        point = values(c, distance)
        assert error(value_of(code[name], point), truth(c, point)) <= (FAR if distance is None else NEAR), distance


def test_generated_code_is_right_where_others_are_wrong():
    for (goal, point, want, _), got in edges("numpy"):
        assert is_right(got, want), (goal, point)


@pytest.mark.parametrize("name", CASES)
def test_the_stable_form_is_an_identity_and_a_step(model, name):
    d = model.derive(CASES[name].goal)
    form = stable_form(d.array)
    if form is None:
        return
    assert check_equal_numeric(d.array, form).kind in ("checked", "proved")
    (step,) = [s for s in d.steps if s.rule == "stable"]
    assert step.before is d.array or "Taylor" in step.reason or "sums over nodes" in step.reason
    assert step.evidence.kind == "checked"
    assert d.steps[-1] is not step


EDGES = [  # the limit at the boundary: 0 log 0 = 0
    ("KL(Bernoulli(p1) || Bernoulli(p2))", {"p1": 0.0, "p2": 0.3}, -np.log1p(-0.3)),
    ("KL(Bernoulli(p1) || Bernoulli(p2))", {"p1": 1.0, "p2": 0.3}, -np.log(0.3)),
    ("KL(Bernoulli(p1) || Bernoulli(p2))", {"p1": 0.3, "p2": 0.0}, np.inf),
    ("KL(Bernoulli(p1) || Bernoulli(p2))", {"p1": 0.0, "p2": 0.0}, 0.0),
    ("KL(Bernoulli(p1) || Bernoulli(p2))", {"p1": 1.0, "p2": 1.0}, 0.0),
    ("KL(Bernoulli(p1) || Bernoulli(p2))", {"p1": 0.5, "p2": 1e-30}, 33.84562921435074),
    ("KL(Binomial(5, p1) || Binomial(5, p2))", {"p1": 1.0, "p2": 0.5}, 5 * np.log(2)),
    ("KL(Binomial(5, p1) || Binomial(5, p2))", {"p1": 0.5, "p2": 0.0}, np.inf),
    ("KL(Binomial(5, p1) || Binomial(5, p2))", {"p1": 1.0, "p2": 1.0}, 0.0),
    ("KL(Poisson(r1) || Poisson(r2))", {"r1": 0.0, "r2": 2.0}, 2.0),
    ("KL(Poisson(r1) || Poisson(r2))", {"r1": 0.0, "r2": 0.0}, 0.0),
    ("KL(Poisson(r1) || Poisson(r2))", {"r1": 1.0, "r2": 0.0}, np.inf),
    ("KL(Poisson(r1) || Poisson(r2))", {"r1": 1e-300, "r2": 1e-200}, 1e-200),
    ("KL(Bernoulli(p1) || Poisson(r1))", {"p1": 0.0, "r1": 0.0}, 0.0),
    ("KL(Geometric(p1) || Geometric(p2))", {"p1": 1.0, "p2": 0.5}, np.log(2)),
    ("KL(Categorical(w1) || Categorical(w2))", {"w1": [0.5, 0.5, 0.0], "w2": [0.25, 0.25, 0.5]}, np.log(2)),
    ("KL(Categorical(w1) || Categorical(w2))", {"w1": [0.5, 0.5, 0.0], "w2": [0.5, 0.5, 0.0]}, 0.0),
    ("KL(Categorical(w1) || Categorical(w2))", {"w1": [0.5, 0.25, 0.25], "w2": [0.5, 0.5, 0.0]}, np.inf),
    ("JS(Categorical(w1), Categorical(w2))", {"w1": [1.0, 0.0, 0.0], "w2": [0.0, 1.0, 0.0]}, np.log(2)),
    ("JS(Bernoulli(p1), Bernoulli(p2))", {"p1": 1.0, "p2": 0.0}, np.log(2)),
    ("hellinger(Bernoulli(p1), Bernoulli(p2))", {"p1": 1.0, "p2": 0.0}, 1.0),
    ("hellinger(Bernoulli(p1), Bernoulli(p2))", {"p1": 0.0, "p2": 0.0}, 0.0),
    ("hellinger(Poisson(r1), Poisson(r2))", {"r1": 0.0, "r2": 0.0}, 0.0),
    ("entropy(Bernoulli(p1))", {"p1": 0.0}, 0.0),
    ("entropy(Bernoulli(p1))", {"p1": 1e-12}, float(exactly(1e-12) * (1 - mp.log(exactly(1e-12))))),
    ("entropy(Categorical(w1))", {"w1": [1.0, 0.0, 0.0]}, 0.0),
    ("KL(Exponential(a1) || Exponential(a2))", {"a1": 1.0, "a2": 1e-20}, 45.051701859880914),
    ("KL(Exponential(a1) || Exponential(a2))", {"a1": 1e-200, "a2": 1e-190}, 9999999975.97415),
    ("KL(Normal(m1, a1) || Normal(m2, a2))", {"m1": 0.0, "m2": 0.0, "a1": 1e-200, "a2": 1e-200}, 0.0),
    ("KL(Normal(m1, a1) || Normal(m2, a2))", {"m1": 0.0, "m2": 1e200, "a1": 1e200, "a2": 1e200}, 0.5),
    ("KL(Normal(m1, a1) || Normal(m2, a2))", {"m1": 0.0, "m2": 0.0, "a1": 1e-200, "a2": 1.0}, 460.01701859880916),
    ("KL(Normal(m1, a1) || Normal(0, 1))", {"m1": 1e-9, "a1": 1.0}, 5e-19),
    ("KL(Uniform(1, 2) || Pareto(a1, b1))", {"a1": 1e-3, "b1": 150.0}, 1089.4831050823277),
]  # fmt: skip


@pytest.mark.parametrize(("goal", "point", "want"), EDGES)
def test_the_limit_at_the_boundary_and_no_overflow(goal, point, want):
    m = symgen.loads(HEAD + "param r1: nonnegative, r2: nonnegative\n")
    _, got = at(m, goal, {k: np.asarray(v) if np.ndim(v) else v for k, v in point.items()})
    assert got == pytest.approx(want, rel=1e-11, abs=0 if want else 1e-300)


EXTREMES = [  # of the digits that floats lose balls tell: scales and shapes of 1e300, quotients of squares that overflow
    ("hellinger Normal", (0.0, 1e300, 0.0, 1.25e300)),
    ("renyi Normal", (0.0, 1e-300, 1.0, 1.0)),
    ("Gamma", (1e-300, 1.0, 1.25e-300, 1.0)),
    ("Gamma", (1e12, 1.0, 1.1e12, 1.0)),
    ("Laplace", (0.0, 1.0, 1.0, 1e150)),
    ("Weibull", (2.0, 1e-150, 1.5, 1.0)),
]


@pytest.mark.parametrize(("name", "numbers"), EXTREMES)
def test_extreme_parameters_keep_all_digits(model, name, numbers):
    c = CASES[name]
    point = dict(zip([a + n for n in "12" for a in c.at], numbers, strict=True))
    with mp.workdps(700):
        want = c.exact({k: exactly(v) for k, v in point.items()})
    assert at(model, c.goal, point)[1] == pytest.approx(float(want), rel=1e-13)


APART = [  # parts of the closed form are no numbers: by the code alone, against sums and integrals of 40 digits
    ("hellinger(VonMises(0, a1), VonMises(1, a2))", {"a1": 1156.25, "a2": 3.125}, 0.8465747348976599),
    ("renyi(Laplace(0, a1), Laplace(1000, a2), 1/2)", {"a1": 1e-3, "a2": 1.0}, 1005.5214589178612),
    ("hellinger(Weibull(a1, 2), Weibull(a1, 3))", {"a1": 1800.0}, 1.0),
    ("KL(TruncatedNormal(0, a1, 0, 1) || TruncatedNormal(30, a2, 0, 1))", {"a1": 0.05, "a2": 0.5}, 110.7337463204183338),
    ("hellinger(ContinuousBernoulli(p1), ContinuousBernoulli(p2))", {"p1": 0.99, "p2": 0.01}, 0.5334605588894723),
    ("hellinger(Pareto(2, a1), Pareto(3, a2))", {"a1": 2000.0, "a2": 1e-3}, 1.0),
]


@pytest.mark.parametrize(("goal", "point", "want"), APART)
def test_code_has_numbers_where_parts_of_a_closed_form_have_none(goal, point, want):
    module = symgen.loads(f"{HEAD}derive h = {goal}\n").compile()
    assert float(module.h(point)) == pytest.approx(want, rel=1e-12)


OF_ONE_LAW = [
    ("chi2(Bernoulli(p1) || Bernoulli(p2))", {"p1": 0.0, "p2": 0.0}),
    ("hellinger(Categorical(w1), Categorical(w2))", {"w1": [0.2, 0.3, 0.5], "w2": [0.2, 0.3, 0.5]}),
    ("renyi(Exponential(a1), Exponential(a2), 2)", {"a1": 1e-300, "a2": 1e-300}),
]


@pytest.mark.parametrize(("goal", "point"), OF_ONE_LAW)
def test_a_divergence_of_a_law_from_itself_is_0(model, goal, point):
    assert at(model, goal, {k: np.asarray(v) if np.ndim(v) else v for k, v in point.items()})[1] == 0


def test_a_chi_square_of_classes_without_mass(model):
    point = {"w1": np.array([0.0, 0.5, 0.5]), "w2": np.array([0.0, 0.25, 0.75])}
    assert at(model, "chi2(Categorical(w1) || Categorical(w2))", point)[1] == pytest.approx(1 / 3, rel=1e-13)


LARGE = [
    ("KL(Beta(a1, b1) || Beta(a2, b2))", {"a1": 1e8, "b1": 1e8, "a2": 1.0001e8, "b2": 1.0001e8}, "Beta"),
    ("KL(Gamma(a1, b1) || Gamma(a2, b2))", {"a1": 1e8, "b1": 1.0, "a2": 1.0001e8, "b2": 1.0}, "Gamma"),
    ("KL(Gamma(a1, b1) || Gamma(a2, b2))", {"a1": 1e-8, "b1": 1.0, "a2": 2e-8, "b2": 1.0}, "Gamma"),
]


@pytest.mark.parametrize(("goal", "point", "name"), LARGE)
def test_large_and_small_shapes_keep_digits(model, goal, point, name):
    assert error(at(model, goal, point)[1], truth(CASES[name], point)) < 1e-7


HELPERS = [  # a helper, its value in 60 digits, arguments
    (helpers.log_remainder, lambda u, _: u - mp.log(1 + u), lambda u: (u, np.log1p(u)), np.r_[-0.49:0.6:13j, 1e-9, -1e-5, 1e3]),
    (helpers.expm1_remainder, lambda w: mp.expm1(w) - w, lambda w: (w,), np.r_[-3:3:17j, 1e-9, -1e-5]),
]


@pytest.mark.parametrize(("helper", "exact", "arguments", "points"), HELPERS)
def test_a_remainder_is_exact_near_0_and_far(helper, exact, arguments, points):
    for x in points[points != 0]:
        got = helper(*arguments(np.float64(x)))
        assert error(float(got), exact(*(exactly(a) for a in arguments(x)))) < 1e-14, x


SHAPES = (1e-150, 1e-6, 0.3, 2.5, 11.0, 80.0, 1e6, 1e12, 1e200)
FACTORS = (1e-8, 0.4, 0.6, 1 + 1e-8, 1 - 1e-3, 1.1, 1.7, 30.0, 1e8)


@pytest.mark.parametrize("name", ["lgamma_remainder", "stirling_remainder"])
def test_the_remainders_of_lgamma_are_exact(name):
    for a in SHAPES:
        for b in (a * r for r in FACTORS):
            with mp.workdps(500):
                x, y = exactly(a), exactly(b)
                want = mp.loggamma(y) - mp.loggamma(x) - (y - x) * mp.digamma(x)
                want -= y * mp.log(y / x) - (y - x) if name == "stirling_remainder" else 0
            got = getattr(helpers, name)(np.float64(a), np.float64(b), np.float64(b - a))
            assert error(float(got), want) < 1e-13, (a, b)


def test_helpers_at_0_and_over_arrays():
    p, q = np.array([0.0, 0.2, 0.5]), np.array([0.1, 0.0, 0.5])
    assert helpers.kl_term(p, q, q - p).tolist() == [0.1, np.inf, 0.0]
    assert helpers.root_difference(np.zeros(2), np.zeros(2), np.zeros(2)).tolist() == [0, 0]
    assert helpers.xlog1py(np.array([0.0, 2.0]), np.array([-1.0, 0.5])).tolist() == [0, 2 * np.log1p(0.5)]
    A = np.array([[2.0, 0.3], [0.3, 1.0]])
    B = A + 1e-7 * np.array([[1.0, -0.5], [-0.5, 0.7]])
    k = mp.matrix(B.tolist()) ** -1 * mp.matrix(A.tolist())
    want = k[0, 0] + k[1, 1] - 2 - mp.log(mp.det(k))
    assert error(float(helpers.logdet_remainder(A, B)), want) < 1e-11
    L, R = np.linalg.cholesky(A), np.linalg.cholesky(A) + 1e-7 * np.array([[0.5, 0.0], [-0.3, 0.7]])
    k = mp.matrix(R.tolist()) ** -1 * mp.matrix(L.tolist())
    want = sum(x * x for x in k) - 2 - 2 * mp.log(mp.det(k))
    assert error(float(helpers.cholesky_remainder(L, R)), want) < 1e-14
    assert helpers.lgamma_remainder(np.array([1.0, 2.0]), np.array([1.001, 32.0]), np.array([1e-3, 30.0])).shape == (2,)


@pytest.mark.parametrize("target", ["numpy", *(pytest.param(t, marks=pytest.mark.slow) for t in ("torch", "jax"))])
def test_normal_vectors_by_cholesky_factors_keep_their_digits(target):
    library = np if target == "numpy" else pytest.importorskip(target)
    if target == "jax":
        library.config.update("jax_enable_x64", True)
    laws = (f"MvNormal(m{k}, chol=L{k})" for k in (1, 2))
    spec = f"dim k\nparam m1: real[k], m2: real[k], L1: lower[k, k], L2: lower[k, k]\nderive h = KL({' || '.join(laws)})"
    module = symgen.loads(spec).compile(target=target)
    rng = np.random.default_rng(7)
    first = np.tril(rng.normal(size=(5, 5)), -1) + np.diag(rng.uniform(0.5, 2, 5))
    step = 1e-7 * np.tril(rng.normal(size=(5, 5)))
    point = {"m1": np.ones(5), "m2": np.ones(5) + 1e-7, "L1": first, "L2": first + step}
    m, (a, b) = mp.matrix((point["m1"] - point["m2"]).tolist()), (mp.matrix(point[n].tolist()) for n in ("L1", "L2"))
    k, z = b**-1 * a, b**-1 * m
    want = (sum(x * x for x in k) - 5 + sum(x * x for x in z)) / 2 - mp.log(mp.det(k))
    made = library.tensor if target == "torch" else np.asarray
    kind = library.float64 if target == "torch" else np.float64
    assert error(float(module.h({n: made(x, dtype=kind) for n, x in point.items()})), want) < 1e-12


OF_FACTORS = {
    "KL(p, q)": lambda S, W, d, e: (tr(W**-1 * S) - 6 + (d.T * W**-1 * d)[0] + log_det(W) - log_det(S)) / 2,
    "hellinger(p, q)": lambda S, W, d, e: 1 - mp.exp((log_det(S) + log_det(W)) / 4 - log_det((S + W) / 2) / 2
                                                     - (d.T * ((S + W) / 2) ** -1 * d)[0] / 8),
    "renyi(p, q, 1/2)": lambda S, W, d, e: (d.T * ((S + W) / 2) ** -1 * d)[0] / 4 + log_det((S + W) / 2)
                                            - (log_det(S) + log_det(W)) / 2,
    "log q(x)": lambda S, W, d, e: -((e.T * W**-1 * e)[0] + log_det(W) + 6 * mp.log(2 * mp.pi)) / 2,
    "entropy(p)": lambda S, W, d, e: (log_det(S) + 6 * mp.log(2 * mp.pi) + 6) / 2,
}  # fmt: skip


def tr(A):
    return sum(A[i, i] for i in range(A.rows))


def log_det(A):
    return mp.log(mp.det(A))


@pytest.mark.parametrize("goal", OF_FACTORS)
@pytest.mark.parametrize(("first", "second"), [("chol=L", "chol=K"), ("L @ L'", "K @ K'")])
def test_covariances_by_factors_of_condition_1e8_keep_their_digits(goal, first, second):
    """L L' has no digit left of its least eigenvalue: all is computed by the factors."""
    spec = f"""dim k
param mu: real[k], m: real[k], L: lower[k, k], K: lower[k, k]
data x: real[k]
dist p(x) = MvNormal(mu, {first})
dist q(x) = MvNormal(m, {second})
"""
    rng = np.random.default_rng(1)
    L, K = (np.tril(0.3 * rng.normal(size=(6, 6)), -1) + np.diag(np.exp(np.linspace(0, -9, 6))) for _ in range(2))
    mu, x = rng.normal(size=6), rng.normal(size=6)
    m = mu + rng.normal(size=6) * np.diag(L)
    got = symgen.loads(spec).derive(goal).evaluate(mu=mu, m=m, L=L, K=K, x=x)
    L, K, mu, m, x = (mp.matrix(a.tolist()) for a in (L, K, mu, m, x))
    assert error(float(got), OF_FACTORS[goal](L * L.T, K * K.T, mu - m, x - m)) < 1e-13


MIXED = (0, 1, mp.mpf(1) / 2, mp.mpf(3) / 4, -1)


def gap(logs, k):
    """log det(c S + (1 - c) T) - c log det S - (1 - c) log det T."""
    return logs[k] - MIXED[k] * logs[1] - (1 - MIXED[k]) * logs[0]


def gammas(a, b):
    def each(nu, j):
        return mp.loggamma((mp.mpf(nu) - j) / 2)

    return mp.fsum(each((a + b) / 2, j) - (each(a, j) + each(b, j)) / 2 for j in range(5))


MATRICES = {
    "hellinger(MvNormal(m, precision=S), MvNormal(m, precision=T))": lambda logs: -mp.expm1(-gap(logs, 2) / 2),
    "renyi(MvNormal(m, S), MvNormal(m, T), 1/4)": lambda logs: gap(logs, 3) * 2 / 3,
    "chi2(MvNormal(m, S) || MvNormal(m, T))": lambda logs: mp.expm1(-gap(logs, 4) / 2),
    "hellinger(Wishart(9, S), Wishart(9, T))": lambda logs: -mp.expm1(-9 * gap(logs, 2) / 2),
    "renyi(InverseWishart(9, S), InverseWishart(nu, T), 1/2)": lambda logs: (
        9.0625 * gap(logs, 2) + 0.03125 * (logs[1] - logs[0]) - 2 * gammas(9, 9.125)
    ),
}


@pytest.mark.parametrize("target", ["numpy", *(pytest.param(t, marks=pytest.mark.slow) for t in ("torch", "jax"))])
def test_power_integrals_of_matrices_keep_their_digits_near_and_far_and_where_they_are_nearly_singular(target):
    library = np if target == "numpy" else pytest.importorskip(target)
    if target == "jax":
        library.config.update("jax_enable_x64", True)
    made = library.tensor if target == "torch" else np.asarray
    kind = library.float64 if target == "torch" else np.float64
    spec = "dim k\nparam m: real[k], S: spd[k, k], T: spd[k, k], nu: positive\n"
    module = symgen.loads(spec + "".join(f"derive h{k} = {g}\n" for k, g in enumerate(MATRICES))).compile(target=target)
    rng = np.random.default_rng(3)
    factor = np.tril(rng.normal(size=(5, 5)), -1) + np.diag([1.0, 0.6, 0.8, 0.2, 0.3])
    way = rng.normal(size=(5, 5))
    first = factor @ factor.T
    for distance in (2.0**-4, 2.0**-23):
        second = first + distance * factor @ (way + way.T) @ factor.T / 16
        first, second = (first + first.T) / 2, (second + second.T) / 2
        a, b = mp.matrix(first.tolist()), mp.matrix(second.tolist())
        logs = [mp.log(mp.det(c * a + (1 - c) * b)) for c in MIXED]
        values = {"m": np.ones(5), "S": first, "T": second, "nu": np.float64(9.125)}
        for k, (goal, want) in enumerate(MATRICES.items()):
            got = float(getattr(module, f"h{k}")({n: made(x, dtype=kind) for n, x in values.items()}))
            assert error(got, want(logs)) < 1e-11, (goal, distance)


def kl_log_variance(m, v):
    return (mp.expm1(v) - v + m * m) / 2


FIXED = {  # against a law without parameters: the value from two numbers, over entries
    "KL(Normal(m, exp(v/2)) || Normal(0, 1))": lambda m, v: kl_log_variance(m[0], v[0]),
    "KL(Normal(M, exp(V/2)) || Normal(0, 1))": lambda m, v: mp.fsum(map(kl_log_variance, m, v)),
    "KL(Normal(W, exp(U/2)) || Normal(0, 1))": lambda m, v: mp.fsum(map(kl_log_variance, m, v)),
    "KL(MvNormal(M, diag=exp(V)) || MvNormal(zeros(k), eye(k)))": lambda m, v: mp.fsum(map(kl_log_variance, m, v)),
    "KL(Beta(a, b) || Uniform(0, 1))": lambda m, v: -mp.log(mp.beta(1 + m[0], 1 + v[0])) + m[0] * mp.digamma(1 + m[0])
    + v[0] * mp.digamma(1 + v[0]) - (m[0] + v[0]) * mp.digamma(2 + m[0] + v[0]),
}  # fmt: skip


@pytest.mark.parametrize("distance", [2.0**-3, 2.0**-13, 2.0**-23])
def test_divergences_from_a_law_without_parameters_keep_their_digits(distance):
    spec = "dim n, k\nparam a: positive, b: positive, m: real, v: real, M: real[k], V: real[k], W: real[n, k], U: real[n, k]\n"
    module = symgen.loads(spec + "".join(f"derive h{k} = {g}\n" for k, g in enumerate(FIXED))).compile()
    m, v = (distance * np.array(x) for x in ([0.5, -0.25, 0.125, 0.75, -1, 0.25], [-0.25, 0.5, 0.75, -0.125, 0.375, 1]))
    values = {"a": 1 + m[0], "b": 1 + v[0], "m": m[0], "v": v[0], "M": m, "V": v, "W": m.reshape(2, 3), "U": v.reshape(2, 3)}
    exact = [[mp.mpf(float(x)) for x in u] for u in (m, v)]
    for k, (goal, want) in enumerate(FIXED.items()):
        assert error(getattr(module, f"h{k}")(values), want(*exact)) < 1e-14, goal


BACKENDS = ["Normal", "MvNormal", "Bernoulli", "Categorical", "Gamma", "Beta", "Dirichlet", "Laplace", "Weibull", "Cauchy",
            "hellinger Normal", "hellinger Bernoulli", "JS Bernoulli", "chi2 Normal"]  # fmt: skip


@pytest.mark.parametrize("target", ["torch", "jax"])
def test_other_backends_keep_the_digits_too(target):
    library = pytest.importorskip(target)
    if target == "jax":
        library.config.update("jax_enable_x64", True)
    goals = "".join(f"derive h{k} = {CASES[name].goal}\n" for k, name in enumerate(BACKENDS))
    module = symgen.loads(HEAD.replace(", n: natural", "") + goals).compile(target=target)
    for k, name in enumerate(BACKENDS):
        for distance in (1e-1, 1e-7):
            point = {a: x for a, x in values(CASES[name], distance).items() if a != "n"}
            if target == "torch":
                arrays = {a: library.tensor(np.asarray(x), dtype=library.float64) for a, x in point.items()}
            else:
                arrays = {a: library.numpy.asarray(x, dtype=library.numpy.float64) for a, x in point.items()}
            got = float(getattr(module, f"h{k}")(arrays))
            assert error(got, truth(CASES[name], point)) <= NEAR, (name, distance)


@pytest.mark.parametrize("target", ["numpy", "torch", pytest.param("jax", marks=pytest.mark.slow)])
def test_laws_of_directions_keep_their_digits_at_any_concentration(target):
    library = np if target == "numpy" else pytest.importorskip(target)
    if target == "jax":
        library.config.update("jax_enable_x64", True)
    text = """
    param c: real, m: real[5], a: positive, b: positive
    derive h0 = KL(VonMises(c, a) || VonMises(c, b))
    derive h1 = KL(VonMisesFisher(m, a) || VonMisesFisher(m, b))
    derive h2 = entropy(VonMises(c, a))
    """
    module = symgen.loads(text).compile(target=target)
    number = {"numpy": np.float64, "torch": lambda x: library.as_tensor(x, dtype=library.float64),
              "jax": lambda x: library.numpy.asarray(x, dtype="float64")}[target]  # fmt: skip
    for a in (1e-4, 1.3, 60.0, 2e3) if target != "jax" else (60.0,):
        for b in (a * (1 + 1e-6), 2.5 * a):
            point = {"c": 0.3, "m": np.eye(5)[0], "a": a, "b": b}
            with mp.workdps(80):
                x, y = exactly(a), exactly(b)
                want = []
                for v in (mp.mpf(0), mp.mpf(3) / 2):
                    ratio = mp.besseli(v + 1, x) / mp.besseli(v, x)
                    want.append(mp.log(mp.besseli(v, y) / mp.besseli(v, x)) - v * mp.log(y / x) + ratio * (x - y))
                want.append(mp.log(2 * mp.pi * mp.besseli(0, x)) - x * mp.besseli(1, x) / mp.besseli(0, x))
            for k, w in enumerate(want):
                got = getattr(module, f"h{k}")({n: number(z) for n, z in point.items()})
                assert error(float(got), w) < 2e-12, (k, a, b)


UNIFORM = """
param a: real, b: real, c: real, d: real
assume a < b
assume c < d
derive h0 = KL(Uniform(a, b) || Uniform(c, d))
derive h1 = wasserstein2(Uniform(a, b), Uniform(c, d))
"""


@pytest.mark.parametrize("target", ["numpy", "torch"])
def test_ends_of_intervals_are_compared_before_anything_is_rounded(target):
    if target != "numpy":
        pytest.importorskip(target)
    module = symgen.loads(UNIFORM).compile(target=target)
    for distance in (1e-2, 1e-7):
        a, b, c, d = (exactly(x) for x in (1.1, 2.3, 1.1 - distance, 2.3 + distance / 3))
        point = {n: float(x) for n, x in zip("abcd", (a, b, c, d))}
        wanted = mp.log((d - c) / (b - a)), ((a + b - c - d) / 2) ** 2 + (b - a - d + c) ** 2 / 12
        for k, want in enumerate(wanted):
            assert error(value_of(getattr(module, f"h{k}"), point, target), want) <= 1e-13, (k, distance)


GAPS = [(-0.3, 1e-9), (0.2, 1e-7), (-7.0, 3.0), (-0.5, 2.0), (-20.0, 60.0), (3.0, 0.7), (40.0, 1e-3), (60.0, 200.0)]


@pytest.mark.parametrize(("b", "d"), GAPS)
def test_the_logarithm_of_a_gap_of_error_functions_keeps_its_digits(b, d):
    a = b + d
    low, high = (exactly(x) for x in sorted((abs(a), abs(b))))
    mass = mp.erfc(low) - mp.erfc(high) if a * b > 0 else mp.erf(exactly(a)) - mp.erf(exactly(b))
    for gap in (helpers.log_half_erf_gap(a, b, a - b), helpers.log_half_erf_gap(b, a, b - a)):
        assert error(float(gap), mp.log(mass / 2)) <= 1e-14


@pytest.mark.parametrize("target", ["numpy", pytest.param("torch", marks=pytest.mark.slow)])
def test_gradients_of_truncated_laws_are_numbers_far_out(target):
    pytest.importorskip(target)
    goal = "KL(TruncatedNormal(0, 0.05, 0, 1) || TruncatedNormal(m, s, 0, 1))"
    module = symgen.loads(f"param m: real, s: positive\nloss L = {goal}\n").compile(target=target)
    for m, s in ((30.0, 0.5), (-50.0, 0.5), (0.3, 0.2)):
        at = {k: typed(target, "float64")(v) for k, v in (("m", m), ("s", s))}
        _, slopes = module.L_value_and_grad(at)
        for name, slope in slopes.items():
            ends = [float(module.L({**at, name: at[name] + h})) for h in (1e-6, -1e-6)]
            assert float(slope) == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4), (m, s, name)


def kl_of_logistic(m, s, n, r):
    """By quadrature over the level u of the first."""

    def log_density(x, at, scale):
        return -(x - at) / scale - mp.log(scale) - 2 * mp.log1p(mp.exp(-(x - at) / scale))

    def gap(u):
        x = m + s * mp.log(u / (1 - u))
        return log_density(x, m, s) - log_density(x, n, r)

    return mp.quad(gap, [0, mp.mpf(1) / 2, 1])


ODDS = [  # the code of the first writes over arrays that long statements still read, unless it is known what these read
    ("KL(Logistic(m1, a1) || Logistic(m2, a2))", lambda v: kl_of_logistic(v["m1"], v["a1"], v["m2"], v["a2"])),
    (
        "KL(LogLogistic(a1, b1) || LogLogistic(a2, b2))",
        lambda v: kl_of_logistic(mp.log(v["a1"]), 1 / v["b1"], mp.log(v["a2"]), 1 / v["b2"]),
    ),
    (
        "KL(LogLogistic(a1, b1) || LogLogistic(a2, b1)) + KL(LogLogistic(a2, b1) || LogLogistic(a1, b1))",
        lambda v: (lambda w: 2 * w * mp.coth(w / 2) - 4)(v["b1"] * mp.log(v["a1"] / v["a2"])),
    ),
]


@pytest.mark.parametrize(("goal", "exact"), ODDS)
def test_the_code_of_logistic_laws_is_right_near_and_far(goal, exact):
    code = symgen.loads(f"{HEAD.replace(', n: natural', '')}derive h = {goal}").compile().h
    for step in (1.0, 0.1, 1e-3, 1e-6):
        point = {"m1": 0.3, "m2": 0.3 + step, "a1": 1.3, "a2": 1.3 + 0.7 * step, "b1": 2.1, "b2": 2.1 - 0.6 * step}
        with mp.workdps(40):
            want = exact({k: exactly(v) for k, v in point.items()})
        assert error(value_of(code, point), want) < 1e-11, step


def spread_of_log_uniform(a, b):
    log = mp.log(b / a)
    return (b * b - a * a) / (2 * log) - ((b - a) / log) ** 2


def spread_of_triangular(a, b, c):
    return (a * a + b * b + c * c - a * b - b * c - c * a) / 18


NARROW = [
    ("LogUniform(u, v)", spread_of_log_uniform, [{"u": 1.3, "v": 1.3 + h} for h in (2.0, 1e-2, 1e-4, 1e-7)]),
    ("Triangular(u, v, w)", spread_of_triangular, [{"u": m - 1.1, "v": m + 2.3, "w": m + 0.4} for m in (1.5, 1e3, 1e7)]),
]


@pytest.mark.parametrize(("law", "exact", "points"), NARROW)
def test_the_variance_of_a_narrow_law_keeps_its_digits(law, exact, points):
    text = f"param u: positive, v: positive, w: positive\nassume u < w, w < v\nderive h = Var[x ~ {law}](x)"
    code = symgen.loads(text).compile().h
    for point in points:
        assert error(value_of(code, point), exact(*(exactly(x) for x in point.values()))) < 1e-13, point


@pytest.mark.parametrize("law", ["MvNormal(m, S)", "MvNormal(m, chol=L)", "MvNormal(m, L @ L')"])
def test_normal_vectors_beside_the_standard_one_keep_their_digits(law):
    """(|m|^2 + tr(S) - k - log det S)/2, where S is nearly the identity."""
    spec = "dim k\nparam m: real[k], S: spd[k, k], L: lower[k, k]\n"
    d = symgen.loads(f"{spec}dist p(x) = {law}\ndist q(x) = MvNormal(zeros(k), eye(k))\n").derive("KL(p, q)")
    assert any(s.rule == "stable" for s in d.steps)
    rng = np.random.default_rng(4)
    for size, distance in itertools.product((3, 8), (1e-1, 1e-3, 1e-5, 1e-7)):
        m, move = distance * rng.normal(size=size), 0.1 * distance * rng.normal(size=(size, size))
        S, L = np.eye(size) + move + move.T, np.eye(size) + np.tril(move)
        B, off = mp.matrix((L if "L" in law else S).tolist()), mp.matrix(m.tolist())
        A = B * B.T if "L" in law else B
        want = ((off.T * off)[0] + tr(A) - size - log_det(A)) / 2
        assert error(float(d.evaluate(m=m, S=S, L=L)), want) < NEAR, (size, distance)

"""Critics of several variables: the best function of what a joint draws, and of what its marginals draw apart.

The payoffs are lower bounds on mutual information and on KL, whose best critic and value are known: Donsker & Varadhan (1983),
Nguyen, Wainwright & Jordan (2010), Poole et al. (2019).
"""

import math

import numpy as np
import pytest
from scipy import stats

import symgen

UNKNOWN = (
    "density p(x, z), P(y), Q(y)\nfunction T(x, z): real\nfunction A(x, z): positive\nfunction D(x, z): unit\nfunction S(y): real\n"
)
RATIO = "log p(x, z) - log p(x) - log p(z)"
APART = "E[x ~ p(x), z ~ p(z)]"
CRITICS = {
    "Donsker-Varadhan": ("T", f"E[(x, z) ~ p](T(x, z)) - log({APART}(exp(T(x, z))))", RATIO, "mutual_information(p, x, z)"),
    "NWJ": ("T", f"E[(x, z) ~ p](T(x, z)) - {APART}(exp(T(x, z) - 1))", f"{RATIO} + 1", "mutual_information(p, x, z)"),
    "NWJ, scaled": (
        "T", f"3*E[(x, z) ~ p](T(x, z)) - {APART}(exp(T(x, z)))", f"{RATIO} + log(3)",
        "3*log(3) + 3*mutual_information(p, x, z) - 3",
    ),
    "a ratio": ("A", f"1 + E[(x, z) ~ p](log(A(x, z))) - {APART}(A(x, z))", f"exp({RATIO})", "mutual_information(p, x, z)"),
    "one to tell pairs apart": ("D", f"E[(x, z) ~ p](log(D(x, z))) + {APART}(log(1 - D(x, z)))", f"1/(1 + exp(-({RATIO})))", None),
    "of two densities": ("S", "E[y ~ P](S(y)) - log(E[y ~ Q](exp(S(y))))", "log P(y) - log Q(y)", "KL(P || Q)"),
    "the least of what is bent the other way": (
        "S", "log(E[y ~ Q](exp(S(y)))) - E[y ~ P](S(y))", "log P(y) - log Q(y)", "-KL(P || Q)",
    ),
}  # fmt: skip


def model_of(name: str) -> symgen.Model:
    f, payoff, *_ = CRITICS[name]
    sense = "min" if name.startswith("the least") else "max"
    return symgen.loads(f"{UNKNOWN}let V = {payoff}\ngame g = {{{f}: {sense} V}}\n")


@pytest.mark.parametrize("name", CRITICS)
def test_the_best_critic_is_a_ratio_of_densities(name: str) -> None:
    f, _, best, worth = CRITICS[name]
    d = model_of(name).derive(f"best_response(g, {f})")
    assert d.evidence.kind == "proved"
    assert (f"{f} + c is as good" in d.text()) == ("exp(S" in CRITICS[name][1] or name == "Donsker-Varadhan")
    at = {"p": 0.3, "p_x": 0.5, "p_z": 0.7, "P": 0.4, "Q": 0.9}
    ratio = math.log(0.4 / 0.9) if f == "S" else math.log(0.3 / 0.5 / 0.7)
    wanted = {"log(3)": ratio + math.log(3), "+ 1": ratio + 1, "exp(l": math.exp(ratio), "1/(1": 1 / (1 + math.exp(-ratio))}
    want = next((v for k, v in wanted.items() if best.startswith(k) or best.endswith(k)), ratio)
    assert d.result.evaluate("strategy", **at) == pytest.approx(want, rel=1e-12)
    if worth is not None:
        assert f"\nvalue = {worth}\n" in d.text_result


@pytest.mark.slow
@pytest.mark.parametrize("name", CRITICS)
def test_claims_speak_of_best_critics_and_their_values(name: str) -> None:
    f, _, best, worth = CRITICS[name]
    model = model_of(name)
    assert model.check(f"best_response(g, {f}).strategy = {best}").status in ("proved", "checked")
    assert model.check(f"best_response(g, {f}).strategy = {best} - 1/3").status == "refuted"
    if worth is not None:
        assert model.check(f"value(g, {f}) = {worth}").status in ("proved", "checked")
        assert model.check(f"value(g, {f}) = {worth} + 1/2").status == "refuted"


def test_a_logarithm_bent_the_wrong_way_has_no_best_critic() -> None:
    model = symgen.loads(f"{UNKNOWN}let V = log(E[y ~ Q](exp(S(y)))) - E[y ~ P](S(y))\ngame g = {{S: max V}}\n")
    with pytest.raises(symgen.CannotDerive):
        model.derive("best_response(g, S)")


def test_the_best_critic_of_a_known_joint_is_its_log_ratio() -> None:
    model = symgen.loads(
        "param s: positive\ndist p(x) = Normal(0, 1)\ndist p(z | x) = Normal(x, s)\nfunction T(x, z): real\n"
        f"let V = E[(x, z) ~ p](T(x, z)) - log({APART}(exp(T(x, z))))\ngame g = {{T: max V}}\n"
    )
    x, z, s = 0.4, -1.1, 0.7

    def log_normal(v: float, m: float, t: float) -> float:
        return -(((v - m) / t) ** 2) / 2 - math.log(t) - math.log(2 * math.pi) / 2

    best = model.derive("best_response(g, T)").result.evaluate("strategy", x=x, z=z, s=s)
    assert best == pytest.approx(log_normal(z, x, s) - log_normal(z, 0, math.hypot(1, s)), rel=1e-12)
    d = model.derive("value(g, T)")
    assert d.evidence.kind == "checked"
    assert d.evaluate(s=s) == pytest.approx(math.log(1 + 1 / s**2) / 2, rel=1e-12)


FALSE = [
    "mutual_information(p, x, z) >= E[x ~ p(x), z ~ p(z)](T(x, z)) - log(E[(x, z) ~ p](exp(T(x, z))))",
    "mutual_information(p, x, z) >= E[x ~ p(x), z ~ p(z)](T(x, z)) - E[(x, z) ~ p](exp(T(x, z) - 1))",
    "mutual_information(p, x, z) <= log(2)",
    "KL(P || Q) >= E[y ~ Q](S(y)) - log(E[y ~ P](exp(S(y))))",
]


@pytest.mark.parametrize("claim", FALSE)
def test_bounds_whose_laws_are_exchanged_are_refuted(claim: str) -> None:
    assert symgen.loads(UNKNOWN).check(claim).status == "refuted"


def test_what_one_draw_gives_is_written_as_one_draw() -> None:
    model = symgen.loads(UNKNOWN)
    assert str(model.derive("mutual_information(p, x, z)").result) == "-entropy(p) + entropy(p(x)) + entropy(p(z))"
    for text in ("E[(x, z) ~ p](T(x, z))", "E[x ~ p(x), z ~ p(z)](T(x, z))", "E[(x, z) ~ p, w ~ p(z)](T(x, w))"):
        kept = model.derive(text).text_result
        assert kept == text.replace("(x, z) ~ p, w", "x ~ p(x), w")
        assert model.derive(f"({kept}) - ({text})").result == 0


@pytest.mark.parametrize("payoff, strategy, worth", [
    ("E[(x, z) ~ p](log q(x | z))", "p/p_z", "E[(x, z) ~ p](log p(x | z))"),
    ("b*E[(x, z) ~ p](2*log q(x | z)) + 3", "p/p_z", "3 + 2*b*E[(x, z) ~ p](log p(x | z))"),
    ("E[x ~ p(x)](log r(x))", "p_x", "E[x ~ p(x)](log p(x))"),
])  # fmt: skip
def test_a_density_that_is_scored_by_its_logarithm_is_best_at_the_law_of_what_is_drawn(
    payoff: str, strategy: str, worth: str
) -> None:
    q = "r" if " r(" in payoff else "q"
    spec = f"density p(x, z), r(x)\ndensity q(x | z)\nconst b: positive\nlet V = {payoff}\ngame g = {{{q}: max V}}\n"
    model = symgen.loads(spec)
    d = model.derive(f"best_response(g, {q})")
    assert d.evidence.kind == "proved"
    assert d.text_result.startswith(f"strategy = {strategy}\nvalue = {worth}\n")
    with pytest.raises(symgen.CannotDerive, match="logarithm of the density"):
        symgen.loads(spec.replace("max", "min")).derive(f"best_response(g, {q})")


VECTORS = """
dim d, k
param W: real[k, d], Sx: spd[d, d], Se: spd[k, k]
dist p(x) = MvNormal(zeros(d), Sx)
dist p(y | x) = MvNormal(W @ x, Se)
function T(x: real[d], y: real[k]): real
let V = E[x ~ p, y ~ p](T(x, y)) - log(E[x ~ p(x), y ~ p(y)](exp(T(x, y))))
let U = E[x ~ p, y ~ p](T(x, y)) - E[x ~ p(x), y ~ p(y)](exp(T(x, y) - 1))
game dv = {T: max V}
game nwj = {T: max U}
"""


@pytest.mark.parametrize("game, shift", [("dv", 0), ("nwj", 1)])
def test_the_best_critic_of_normal_vectors_is_the_log_ratio_and_its_value_the_information(game, shift):
    model = symgen.loads(VECTORS)
    rng = np.random.default_rng(4)
    W, B, C = rng.normal(size=(2, 3)), rng.normal(size=(3, 3)), rng.normal(size=(2, 2))
    at = {"W": W, "Sx": B @ B.T + np.eye(3), "Se": C @ C.T + np.eye(2)}
    whole = W @ at["Sx"] @ W.T + at["Se"]
    want = (np.linalg.slogdet(whole)[1] - np.linalg.slogdet(at["Se"])[1]) / 2
    worth = model.derive(f"value({game}, T)")
    assert worth.evidence.kind == "checked"
    assert worth.evaluate(**at) == pytest.approx(want, rel=1e-12)
    x, y = rng.normal(size=3), rng.normal(size=2)
    ratio = stats.multivariate_normal(W @ x, at["Se"]).logpdf(y) - stats.multivariate_normal(np.zeros(2), whole).logpdf(y)
    critic = model.derive(f"best_response({game}, T)").result
    assert critic.evaluate("strategy", x=x, y=y, **at) == pytest.approx(ratio + shift, rel=1e-10)


@pytest.mark.parametrize("spec, at, log_ratio", [
    # what stands between is not seen by the critic: the density of both at once, counted once
    ("dist p(x) = Normal(0, 1)\ndist p(h | x) = Normal(a*x, 1)\ndist p(y | h) = Normal(h, s)\nfunction T(x, y): real",
     {"x": 0.4, "y": -0.7},
     lambda x, y, a, s, v, lam: stats.norm(a * x, math.hypot(1, s)).logpdf(y) - stats.norm(0, math.hypot(1, a, s)).logpdf(y)),
    ("dist p(x: label(k)) = Categorical(v)\ndist p(y: natural | x) = Poisson(lam[x])\nfunction T(x: label(k), y: natural): real",
     {"x": 1, "y": 3},
     lambda x, y, a, s, v, lam: stats.poisson(lam[x]).logpmf(y) - math.log(sum(v * stats.poisson(lam).pmf(y)))),
    ("dist p(x: real[3]) = Normal(0, 1)\ndist p(y | x) = Normal(a*sum(x), s)\nfunction T(x: real[3], y): real",
     {"x": np.array([0.4, -0.3, 1.1]), "y": -0.7},
     lambda x, y, a, s, v, lam: stats.norm(a * x.sum(), s).logpdf(y) - stats.norm(0, math.sqrt(3 * a * a + s * s)).logpdf(y)),
])  # fmt: skip
def test_the_best_critic_sees_the_law_of_both_variables(spec, at, log_ratio):
    model = symgen.loads(
        f"dim k\nparam a: real, s: positive, v: simplex[k], lam: positive[k]\n{spec}\n"
        "let V = E[x ~ p, y ~ p](T(x, y)) - log(E[x ~ p(x), y ~ p(y)](exp(T(x, y))))\ngame g = {T: max V}\n"
    )
    known = {"a": 0.8, "s": 0.6, "v": np.array([0.3, 0.7]), "lam": np.array([0.9, 2.3])}
    critic = model.derive("best_response(g, T)").result
    used = {n: known[n] for n in (("v", "lam") if "Categorical" in spec else ("a", "s"))}
    assert critic.evaluate("strategy", **at, **used) == pytest.approx(log_ratio(**at, **known), rel=1e-10)

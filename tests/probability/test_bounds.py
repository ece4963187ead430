"""bound(f, by=..): on the right side of the quantity, equal to it where the row says, with the inequality as a step.

The referees are sums and quadrature of the definitions with NumPy and SciPy.
"""

import math

import numpy as np
import pytest
from scipy import integrate, stats

import symgen
from symgen.probability.divergences.inequalities import INEQUALITIES

UNKNOWN = "dim n\ndensity p(x, z), P(y), Q(y)\ndensity q(x | z), r(z | x)\nfunction T(x, z): real\nfunction S(y): real\n"
INFORMATION = {
    "barber_agakov(q)": "entropy(p(x)) + E[(x, z) ~ p](log q(x | z))",
    "donsker_varadhan(T)": "E[(x, z) ~ p](T(x, z)) - log(E[x ~ p(x), z ~ p(z)](exp(T(x, z))))",
    "nwj(T)": "E[(x, z) ~ p](T(x, z)) - E[x ~ p(x), z ~ p(z)](exp(T(x, z) - 1))",
    "infonce(T, 2)": "E[(x, z) ~ p, z_1 ~ p(z)](T(x, z) - log((exp(T(x, z)) + exp(T(x, z_1)))/2))",
    "infonce(T, n)": "E[(x, z) ~ p, z_1[n - 1] ~ p(z)](T(x, z) - log((exp(T(x, z)) + sum[i: n - 1](exp(T(x, z_1[i]))))/n))",
}


@pytest.mark.parametrize("by", INFORMATION)
def test_bounds_on_information_name_their_inequality(by: str) -> None:
    d = symgen.loads(UNKNOWN).derive(f"bound(mutual_information(p, x, z), by={by})")
    assert d.text_result == INFORMATION[by]
    assert "bound_below" in [s.rule for s in d.steps]
    assert any("a lower bound" in n and "equal where" in n for n in d.notes)


@pytest.mark.slow
@pytest.mark.parametrize("by", [*INFORMATION, "barber_agakov(r)", "infonce(T, 3)"])
def test_bounds_on_information_are_checked_on_any_tables(by: str) -> None:
    model = symgen.loads(UNKNOWN)
    d = model.derive(f"bound(mutual_information(p, x, z), by={by})")
    assert d.evidence.kind == "checked"
    assert "≥" in d.text() and r"\ge" in d.latex()
    assert model.check(f"mutual_information(p, x, z) >= {d.text_result}").status == "checked"


BATCH = "mutual_information(p, x, z) >= {} + E[(x[n], z[n]) ~ p](mean[i](T(x[i], z[i]) - log(sum[j](exp(T(x[i], z[j]))))))"
OTHERS = "E[(x, z) ~ p, u[n - 1] ~ p(z)](T(x, z) - log((exp(T(x, z)) + sum[i](exp(T({}))))/{}))"


@pytest.mark.slow
@pytest.mark.parametrize("claim, holds", [
    (BATCH.format("log(n)"), True), (BATCH.format("log(n - 1/2)"), True), (BATCH.format("log(n + 1)"), False),
    (BATCH.format("2*log(n)"), False), (BATCH.format("log(n)").replace(">=", "<="), False),
    ("mutual_information(p, x, z) >= " + OTHERS.format("x, u[i]", "n"), True),
    ("log(n) >= " + OTHERS.format("x, u[i]", "n"), True),
    ("mutual_information(p, x, z) >= " + OTHERS.format("x, u[i]", "(n + 1)"), False),
    ("mutual_information(p, x, z) >= " + OTHERS.format("u[i], x", "n"), False),
])  # fmt: skip
def test_contrastive_bounds_of_a_symbolic_batch(claim: str, holds: bool) -> None:
    verdict = symgen.loads(UNKNOWN).check(claim)
    assert verdict.status == ("checked" if holds else "refuted")


@pytest.mark.slow
def test_the_contrastive_bound_of_normals_is_below_the_information_and_below_log_n() -> None:
    """The critic is the log-ratio: by simulation with NumPy, and by the draws of the generated code."""
    s, n = 0.4, 6
    model = symgen.loads("dim n\nparam s: positive\ndist p(x) = Normal(0, 1)\ndist p(z | x) = Normal(x, s)\n")
    score = "-({} - x)^2/(2*s^2)"
    whole = (
        f"E[x ~ p, z ~ p, u[n - 1] ~ p(z)]({score.format('z')} - log((exp({score.format('z')})"
        f" + sum[i](exp({score.format('u[i]')})))/n))"
    )
    got = model.derive(whole).evaluate(s=s, n=n, seed=0)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200_000, 1))
    z = np.concatenate([x, rng.normal(size=(200_000, n - 1))], 1) + s * rng.normal(size=(200_000, n))
    scores = -((z - x) ** 2) / (2 * s * s)
    want = float((scores[:, 0] - np.log(np.exp(scores).mean(1))).mean())
    assert float(got) == pytest.approx(want, abs=6 * got.standard_error + 5e-3)
    assert want < min(math.log(n), math.log(1 + 1 / s**2) / 2)


@pytest.mark.parametrize("goal, want", [
    ("E[z[n] ~ p(z)](sum(z^2))", "n*(s^2 + 1)"), ("Var[z[n] ~ p(z)](sum(z))", "n*(s^2 + 1)"),
    ("E[(x[n], z[n]) ~ p](sum[i](x[i]*z[i]))", "n"), ("E[x ~ p, z[n] ~ p(z | x)](sum(z)^2)", "n^2 + n*s^2"),
    ("E[u[n] ~ Gamma(2, s)](sum(log(u)))", "n*(digamma(2) - log(s))"), ("E[u[n, 3] ~ Normal(1, s)](sum(u))", "3*n"),
])  # fmt: skip
def test_means_of_independent_draws(goal: str, want: str) -> None:
    model = symgen.loads("dim n\nparam s: positive\ndist p(x) = Normal(0, 1)\ndist p(z | x) = Normal(x, s)\n")
    d = model.derive(f"simplify({goal} - ({want}))")
    assert d.result == 0


def test_what_is_drawn_is_counted_by_sizes_and_together() -> None:
    model = symgen.loads("param s: positive\ndim n\ndist p(x) = Normal(0, 1)\ndist p(z | x) = Normal(x, s)\n")
    for goal, words in (
        ("E[z[s] ~ p(z)](sum(z))", "counted by sizes"), ("E[(x[n], z) ~ p](sum(x))", "drawn equally often"),
        ("E[z[1:] ~ p(z)](sum(z))", "range"), ("E[z ~ p(z | x=2)](z)", "takes no keyword"),
    ):  # fmt: skip
        with pytest.raises(symgen.SpecError, match=words):
            model.derive(goal)


def test_a_decoder_is_best_where_it_is_the_posterior() -> None:
    model = symgen.loads(
        "param s: positive, a: real, c: positive\ndist p(x) = Normal(0, 1)\ndist p(z | x) = Normal(x, s)\n"
        "dist q(x | z) = Normal(a*z, c)\n"
    )
    d = model.derive("bound(mutual_information(p, x, z), by=barber_agakov(q))")
    assert d.evidence.kind == "checked"
    s = 0.7
    best = {"s": s, "a": 1 / (1 + s**2), "c": s / math.sqrt(1 + s**2)}
    information = math.log(1 + 1 / s**2) / 2
    assert d.evaluate(**best) == pytest.approx(information, rel=1e-12)
    for aside in ({"a": 0.5}, {"c": 0.9}, {"c": 0.3}):
        assert d.evaluate(**{**best, **aside}) < information - 1e-3


W, M, S = np.array([0.3, 0.7]), np.array([-0.6, 1.1]), np.array([0.8, 0.5])
MIXTURE = (
    "dim k\nparam w: simplex[k], m: real[k], s: positive[k]\ndist p(c: label(k)) = Categorical(w)\n"
    "dist p(x: real | c) = Normal(m[c], s[c])\ndist t(c: label(k)) = Categorical(w)\ndist t(x: positive | c) = Exponential(s[c])\n"
    "dist u(x) = Mixture(2/5, Normal(0, 1), Normal(2, 1/2))\n"
)
LAWS = {
    "p(x)": ([stats.norm(m, s) for m, s in zip(M, S, strict=True)], W, (-15, 15)),
    "t(x)": ([stats.expon(scale=1 / s) for s in S], W, (0, 60)),
    "u": ([stats.norm(0, 1), stats.norm(2, 0.5)], np.array([0.4, 0.6]), (-15, 15)),
}


def integral(f, ends) -> float:
    return integrate.quad(f, *ends, points=[0.1, 1.1], limit=200, epsabs=1e-12)[0]


def density(law: str):
    parts, w, _ = LAWS[law]
    return lambda x: sum(a * p.pdf(x) for a, p in zip(w, parts, strict=True))


def quantities(law: str) -> dict[str, float]:
    """The bounds by quadrature of their definitions, and the entropy under None."""
    parts, w, ends = LAWS[law]
    own = sum(a * p.entropy() for a, p in zip(w, parts, strict=True))
    pairs = [(a, b) for a in parts for b in parts]

    def spread(d) -> float:
        table = np.array([d(a, b) for a, b in pairs]).reshape(len(w), -1)
        return float(w @ np.log(np.exp(-table) @ w))

    def kl(a, b) -> float:
        return integral(lambda x: a.pdf(x) * (a.logpdf(x) - b.logpdf(x)) if a.pdf(x) > 1e-300 else 0.0, ends)

    def cher(t):
        return lambda a, b: -math.log(integral(lambda x: a.pdf(x) ** t * b.pdf(x) ** (1 - t), ends))

    mixed = density(law)
    return {
        "": -integral(lambda x: mixed(x) * math.log(mixed(x)) if mixed(x) > 1e-300 else 0.0, ends),
        "pairwise": own - spread(kl), "bhattacharyya": own - spread(cher(0.5)), "chernoff(1/3)": own - spread(cher(1 / 3)),
        "overlaps": -spread(lambda a, b: -math.log(integral(lambda x: a.pdf(x) * b.pdf(x), ends))),
        "labels": own - float(w @ np.log(w)), "given_labels": own,
    }  # fmt: skip


@pytest.mark.parametrize("law", [pytest.param(law, marks=[pytest.mark.slow] if law == "u" else []) for law in LAWS])
def test_bounds_on_the_entropy_of_a_mixture(law: str) -> None:
    model = symgen.loads(MIXTURE)
    wanted = quantities(law)
    at = {} if law == "u" else {"w": W, "s": S} | ({"m": M} if law == "p(x)" else {})
    for by, want in wanted.items():
        if not by:
            continue
        d = model.derive(f"bound(entropy({law}), by={by})")
        assert d.evaluate(**at) == pytest.approx(want, rel=1e-8), by
        side = INEQUALITIES[by.split("(")[0]].side
        assert (want > wanted[""] - 1e-9) if side == "upper" else (want < wanted[""] + 1e-9)
    assert d.evidence.kind == "checked"


def test_bounds_on_divergence_and_information_of_mixtures() -> None:
    model = symgen.loads(MIXTURE)
    parts, first, second = LAWS["p(x)"][0], density("p(x)"), density("u")
    exact = integral(lambda x: first(x) * math.log(first(x) / second(x)) if first(x) > 1e-300 else 0.0, (-8, 8))
    at = {"w": W, "m": M, "s": S}
    pairwise, convex = (model.derive(f"bound(KL(p(x) || u), by={by})").evaluate(**at) for by in ("pairwise", "convexity"))
    assert exact < pairwise < convex
    information = quantities("p(x)")[""] - float(W @ [p.entropy() for p in parts])
    below, above = (
        model.derive(f"bound(mutual_information(p, x, c), by={by})").evaluate(**at) for by in ("bhattacharyya", "pairwise")
    )
    assert below < information < above < -float(W @ np.log(W))


def test_what_an_inequality_does_not_bound_is_said() -> None:
    model = symgen.loads(UNKNOWN)
    for goal, words in (
        ("bound(entropy(P), by=nwj(S))", "bounds `KL` or `mutual_information`"),
        ("bound(KL(P || Q), by=nwj(T))", "the critic"),
    ):
        with pytest.raises(symgen.CannotDerive, match=words):
            model.derive(goal)
    with pytest.raises(symgen.SpecError, match="did you mean `pairwise`"):
        model.derive("bound(entropy(P), by=piarwise)")


@pytest.mark.slow
def test_a_batch_of_symbolic_size_is_looked_at_beyond_one_draw() -> None:
    """InfoNCE over n pairs: at n = 1 both sides of any multiple of log n are 0, and nothing is seen."""
    model = symgen.loads(
        "dim n\nparam s: positive\ndist p(x: real[n]) = Normal(0, 1)\ndist p(z: real[n] | x) = Normal(x, s)\n"
        "let L = E[x ~ p, z ~ p](mean[i](-(z[i] - x[i])^2/(2*s^2) - log(sum[j](exp(-(z[i] - x[j])^2/(2*s^2))))))\n"
    )
    assert model.check("mutual_information(p, x, z)/n >= log(n) + L").status == "checked"
    for slip in ("mutual_information(p, x, z)/n >= 2*log(n) + L", "mutual_information(p, x, z)/n <= log(n) + L"):
        assert model.check(slip).status == "refuted"


@pytest.mark.slow
def test_a_bound_is_a_loss_like_any_other() -> None:
    model = symgen.loads(MIXTURE + "loss L = bound(entropy(p(x)), by=pairwise)\nlet B = bound(entropy(p(x)), by=bhattacharyya)\n")
    at = {"w": W, "m": M, "s": S}
    value, slopes = model.compile().L_value_and_grad(at, {})
    assert value == pytest.approx(quantities("p(x)")["pairwise"], rel=1e-8)
    step = np.array([1e-5, 0])
    ends = [model.derive("L").evaluate(**{**at, "m": M + sign * step}) for sign in (1, -1)]
    assert slopes["m"][0] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-6)
    assert model.check("B <= entropy(p(x))").holds and model.check("entropy(p(x)) <= B").status == "refuted"


@pytest.mark.parametrize("order", ["2", "0", "-1/2"])
def test_an_order_that_gives_no_bound_is_refused(order):
    model = symgen.loads("dim k\nparam w: simplex[k], u: real[k]\ndist m(c) = Categorical(w)\ndist m(y | c) = Normal(u[c], 1)\n")
    with pytest.raises(symgen.CannotDerive, match="between 0 and 1"):
        model.derive(f"bound(entropy(m(y)), by=chernoff({order}))")
    assert "entropy(m(y)) ≥ " in model.derive("bound(entropy(m(y)), by=chernoff(1/2))").text()  # not entropy(m), of both


@pytest.mark.parametrize("proposal, given", [("q(z)", "z"), ("q(z | x)", "z | x")])
def test_importance_weights_of_densities_that_are_not_known(proposal: str, given: str) -> None:
    model = symgen.loads(f"dim n\ndensity p(x, z), {proposal}\n")
    one, two = (model.derive(f"bound(log p(x), by=importance(q, {k}))") for k in (1, 2))
    assert one.evidence.kind == two.evidence.kind == "checked"
    assert one.text_result == f"E[z ~ q](log p(x, z) - log q({given}))"
    first, second = (f"p(x, z_{k})/q({given.replace('z', f'z_{k}')})" for k in (1, 2))
    assert f"(log(({first} + {second})/2))" in two.text_result
    with pytest.raises(symgen.CannotDerive, match="are counted"):
        model.derive("bound(log p(x), by=importance(q, n))")

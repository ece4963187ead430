"""Divergences of laws of counts where a parameter is at the end of its domain: the limit, and its slope from inside."""

import itertools
import math

import mpmath as mp
import numpy as np
import pytest

import symgen

HEAD = "param r: nonnegative, s: nonnegative, p: unit, q: unit\n"
KEPT = math.exp(-2)
# the goal, the point, the value there; the slopes are differences of the code further inside
EDGES = [
    ("tv(Poisson(r), Poisson(s))", {"r": 0.0, "s": 2.0}, 1 - KEPT),
    ("tv(Poisson(r), Poisson(s))", {"r": 2.0, "s": 0.0}, 1 - KEPT),
    ("JS(Poisson(r), Poisson(s))", {"r": 0.0, "s": 2.0}, math.log(2) + (KEPT * math.log(KEPT) - (1 + KEPT) * math.log1p(KEPT)) / 2),
    ("cross_entropy(Poisson(r), Poisson(s))", {"r": 0.0, "s": 2.0}, 2.0),
    ("tv(Binomial(5, p), Binomial(5, q))", {"p": 0.0, "q": 0.3}, 1 - 0.7**5),
    ("cross_entropy(Binomial(5, p), Binomial(5, q))", {"p": 0.0, "q": 0.3}, -5 * math.log(0.7)),
    ("tv(NegativeBinomial(3, p), NegativeBinomial(3, q))", {"p": 0.3, "q": 0.0}, 1 - 0.7**3),
    ("JS(Geometric(p), Geometric(q))", {"p": 0.3, "q": 1.0}, math.log(2) + (0.3 * math.log(0.3) - 1.3 * math.log(1.3)) / 2),
]  # fmt: skip
STILL = [  # both at the end: the value alone
    ("tv(Poisson(r), Poisson(s))", {"r": 0.0, "s": 0.0}),
    ("JS(Poisson(r), Poisson(s))", {"r": 0.0, "s": 0.0}),
    ("cross_entropy(Poisson(r), Poisson(s))", {"r": 0.0, "s": 0.0}),
    ("entropy(Poisson(r))", {"r": 0.0}),
    ("entropy(Binomial(5, p))", {"p": 1.0}),
    ("cross_entropy(Binomial(5, p), Binomial(5, q))", {"p": 1.0, "q": 1.0}),
    ("tv(Geometric(p), Geometric(q))", {"p": 1.0, "q": 1.0}),
    ("JS(Exponential(r), Exponential(s))", {"r": 1.3, "s": 1.3}),
]


def compiled(target, goals):
    if target != "numpy":
        pytest.importorskip(target)
    text = HEAD + "".join(f"loss L{k} = {g}\n" for k, g in enumerate(goals))
    return symgen.loads(text).compile(target=target), {g: f"L{k}_value_and_grad" for k, g in enumerate(goals)}


def number(target, x):
    return (
        pytest.importorskip("torch").tensor(x, dtype=pytest.importorskip("torch").float64) if target == "torch" else np.float64(x)
    )


QUICK = ("tv(Poisson(r), Poisson(s))", "cross_entropy(Binomial(5, p), Binomial(5, q))", "cross_entropy(Poisson(r), Poisson(s))")
ALL = tuple(dict.fromkeys(g for g, *_ in (*EDGES, *STILL)))


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize(
    ("target", "goals"),
    [("numpy", QUICK), pytest.param("numpy", ALL, marks=pytest.mark.slow), pytest.param("torch", ALL, marks=pytest.mark.slow)],
)
def test_values_and_slopes_at_the_edge_are_the_limits(target, goals):
    module, names = compiled(target, goals)

    def found(goal, at):
        value, slopes = getattr(module, names[goal])({k: number(target, v) for k, v in at.items()}, {})
        return float(value), {k: float(g) for k, g in slopes.items()}

    for goal, at in [e for e in STILL if e[0] in goals]:
        assert abs(found(goal, at)[0]) <= 1e-15, (goal, at)
    for goal, at, want in [e for e in EDGES if e[0] in goals]:
        value, slopes = found(goal, at)
        assert abs(value - want) <= 1e-13 * want, (goal, at)
        for name, slope in slopes.items():
            if "JS" in goal and at[name] in (0.0, 1.0) or math.isinf(slope):
                continue  # as h log h
            inwards = -1 if at[name] == 1.0 else 1
            h = 1e-5 * inwards
            one, two = (found(goal, {**at, name: at[name] + k * h})[0] for k in (1, 2))
            assert abs((4 * one - two - 3 * value) / (2 * h) - slope) <= 1e-6 * max(1, abs(slope)), (goal, at, name)


OF_CATEGORIES = {
    "hellinger({}(w), {}(v))": lambda w, v, n: 1 - mp.fsum(mp.sqrt(a * b) for a, b in zip(w, v)) ** n,
    "renyi({}(w), {}(v), 1/2)": lambda w, v, n: -2 * n * mp.log(mp.fsum(mp.sqrt(a * b) for a, b in zip(w, v))),
    "renyi({}(w), {}(v), 2)": lambda w, v, n: n * mp.log(mp.fsum(a * a / b for a, b in zip(w, v) if a)),
    "chi2({}(w) || {}(v))": lambda w, v, n: mp.fsum(a * a / b for a, b in zip(w, v) if a) ** n - 1,
}


def test_distributions_that_both_lack_a_label_keep_their_digits_near_each_other():
    laws = {"Categorical": ("Categorical", 1), "Multinomial": ("Multinomial", 4)}
    goals = {(g, law): g.replace("{}(", f"{law}(" if n == 1 else f"{law}({n}, ") for g in OF_CATEGORIES for law, n in laws.values()}
    text = "dim k\nparam w: simplex[k], v: simplex[k]\n"
    module = symgen.loads(text + "".join(f"derive h{k} = {g}\n" for k, g in enumerate(goals.values()))).compile()
    first = np.array([0.0, 0.25, 0.75])
    with mp.workdps(60):
        for step in (2.0**-4, 2.0**-13, 2.0**-23):
            second = first + np.array([0.0, step, -step])
            for k, (goal, law) in enumerate(goals):
                want = OF_CATEGORIES[goal](*([mp.mpf(float(x)) for x in u] for u in (first, second)), laws[law][1])
                got = getattr(module, f"h{k}")({"w": first, "v": second})
                assert abs(got - want) <= 1e-14 * want, (goal, law, step)
                assert getattr(module, f"h{k}")({"w": first, "v": first}) == 0


def test_divergences_of_binomials_are_numbers_at_both_ends():
    values = {
        "chi2(Binomial(5, p) || Binomial(5, q))": lambda t: sum((a - b) ** 2 / b if b else math.inf for a, b in t if a or b),
        "hellinger(Binomial(5, p), Binomial(5, q))": lambda t: sum((math.sqrt(a) - math.sqrt(b)) ** 2 for a, b in t) / 2,
        "JS(Binomial(5, p), Binomial(5, q))": lambda t: sum(x * math.log(2 * x / (a + b)) for a, b in t for x in (a, b) if x) / 2,
    }  # fmt: skip
    module = symgen.loads(HEAD + "".join(f"derive h{k} = {g}\n" for k, g in enumerate(values))).compile()
    for p, q in itertools.product((0.0, 0.3, 1.0), (0.0, 0.4, 1.0)):
        table = [tuple(math.comb(5, x) * u**x * (1 - u) ** (5 - x) for u in (p, q)) for x in range(6)]
        for k, (goal, value) in enumerate(values.items()):
            got, want = getattr(module, f"h{k}")({"p": p, "q": q}), value(table)
            assert got == want or abs(got - want) <= 1e-13 * abs(want), (goal, p, q)

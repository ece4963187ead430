"""Generated code of normal laws cut off: far wider than their interval, far out, and near each other, against 34 digits."""

import mpmath as mp
import numpy as np
import pytest

import symgen

HEAD = "param m: real, s: positive, n: real, t: positive, a: real, b: real\nassume a < b\n"
GOALS = {
    "mean": "E[x ~ TruncatedNormal(m, s, a, b)](x)",
    "variance": "Var[x ~ TruncatedNormal(m, s, a, b)](x)",
    "entropy": "entropy(TruncatedNormal(m, s, a, b))",
    "cross": "cross_entropy(TruncatedNormal(m, s, a, b), TruncatedNormal(n, t, a, b))",
    "kl": "KL(TruncatedNormal(m, s, a, b) || TruncatedNormal(n, t, a, b))",
    "wider": "KL(TruncatedNormal(m, s, a, b) || TruncatedNormal(n, t, a - 1, b + 2))",
}
POINTS = [  # m, s, n, t, a, b
    (0.7, 1250.0, 30.0, 1109.375, -0.01, 1.29),
    (30.0, 0.515625, 29.0, 0.5, 0.0, 1.3),
    (-0.123, 0.2238, -0.123 + 1e-7, 0.2238 - 3e-8, 0.789, 2.089),
    (0.3, 0.05, 30.0, 1359.0, -4.0, 2.7),
    (0.3, 2.0, -0.4, 0.7, -1.5, 2.25),
]


def truth(m, s, n, t, a, b):
    """The values by quadrature over pieces of the scale of the density."""

    def law(mean, scale, low, high):
        peak = min(max(mean, low), high)
        steep = max(1 / scale, abs(peak - mean) / scale**2)
        cuts = {low, high} | {c for k in (-60, -15, -4, 0, 4, 15, 60) if low < (c := peak + k / steep) < high}

        def log_f(x):
            return -((x - mean) ** 2 - (peak - mean) ** 2) / (2 * scale**2)

        mass = mp.quad(lambda x: mp.exp(log_f(x)), sorted(cuts))
        return lambda x: log_f(x) - mp.log(mass), sorted(cuts)

    log_p, cuts = law(m, s, a, b)

    def mean_of(f):
        return mp.quad(lambda x: mp.exp(log_p(x)) * f(x), cuts)

    mean, own = mean_of(lambda x: x), -mean_of(log_p)
    others = [-mean_of(log_q) for log_q, _ in (law(n, t, a, b), law(n, t, a - 1, b + 2))]
    return {
        "mean": mean, "variance": mean_of(lambda x: (x - mean) ** 2), "entropy": own,
        "cross": others[0], "kl": others[0] - own, "wider": others[1] - own,
    }  # fmt: skip


@pytest.fixture(scope="module")
def goals():
    return "".join(f"derive {name} = {text}\n" for name, text in GOALS.items())


@pytest.mark.parametrize("target", ["numpy", pytest.param("torch", marks=pytest.mark.slow)])
def test_its_code_keeps_twelve_digits(goals, target):
    library = pytest.importorskip(target)
    made = symgen.loads(HEAD + goals).compile(target=target)
    number = np.float64 if target == "numpy" else (lambda v: library.tensor(v, dtype=library.float64))
    for at in POINTS:
        with mp.workdps(34):
            wanted = truth(*map(mp.mpf, at))
        for name, want in wanted.items():
            used = {k: number(v) for k, v in zip("msntab", at, strict=True) if k not in "nt" or name in ("cross", "kl", "wider")}
            got = float(getattr(made, name)(used))
            assert abs(got - want) <= 1e-12 * abs(want), (name, at)

"""Sequences that need one another: values and gradients against the same loop, unrolled in NumPy with differences."""

import numpy as np
import pytest

import symgen


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


LSTM = """dim T, d, k
data x: real[T + 1, d], y: real[k]
param Wf: real[k, d], Uf: real[k, k], Wi: real[k, d], Ui: real[k, k], Wo: real[k, d], Uo: real[k, k], Wc: real[k, d], Uc: real[k, k]
let h[0] = zeros(k)
let c[0] = zeros(k)
"""
CELL = """let c[t: 1..T] = sigmoid(Wf @ x[t] + Uf @ h[t-1])*c[t-1] + sigmoid(Wi @ x[t] + Ui @ h[t-1])*tanh(Wc @ x[t] + Uc @ h[t-1])
let h[t: 1..T] = sigmoid(Wo @ x[t] + Uo @ h[t-1])*tanh(c[t])
"""
GATES = """let f[t: 1..T] = sigmoid(Wf @ x[t] + Uf @ h[t-1])
let i[t: 1..T] = sigmoid(Wi @ x[t] + Ui @ h[t-1])
let o[s: 1..T] = sigmoid(Wo @ x[s] + Uo @ h[s-1])
let g[t: 1..T] = tanh(Wc @ x[t] + Uc @ h[t-1])
let h[t: 1..T] = o[t]*tanh(c[t])
let c[t: 1..T] = f[t]*c[t-1] + i[t]*g[t]
"""
LOSS = "loss L = sum((h[T] - y)^2) + sum(c)\n"


def lstm(a):
    h = c = np.zeros(a["y"].size)
    total = 0.0
    for t in range(1, a["x"].shape[0]):
        x = a["x"][t]
        f, i, o = (sigmoid(a["W" + g] @ x + a["U" + g] @ h) for g in "fio")
        c, h = (cc := f * c + i * np.tanh(a["Wc"] @ x + a["Uc"] @ h)), o * np.tanh(cc)
        total += c.sum()
    return float(((h - a["y"]) ** 2).sum() + total)


def linear(a):
    u, v = a["p"], a["q"]
    for _ in range(int(a["T"])):
        u, v = a["a"] * u + a["b"] * v, np.tanh(u) + a["b"] * v
    return float(u * v)


def volterra(a):
    u, v, w = a["p"], a["q"], 0.5
    us = [u]
    for _ in range(int(a["T"])):
        u, v, w = u + a["a"] * u * (1 - v), v - a["b"] * v * (1 - u), w + 0.1 * u
        us.append(u)
    return float(sum(us) + w)


def second_order(a):
    u, v = [a["p"], a["q"]], [a["q"], a["p"]]
    for t in range(2, int(a["T"]) + 1):
        u.append(np.sin(a["a"] * u[t - 1]) + a["b"] * v[t - 2])
        v.append(a["b"] * v[t - 1] + u[t] * u[t - 2])
    return float(u[-1] + v[-1] * v[1])


SCALARS = "dim T\nparam a: real, b: real, p: real, q: real\n"
CASES = {
    "LSTM": (LSTM + CELL + LOSS, lstm),
    "LSTM with gates": (LSTM + GATES + LOSS, lstm),
    "two numbers": (SCALARS + "let u[0] = p\nlet v[0] = q\nlet u[t: 1..T] = a*u[t-1] + b*v[t-1]\n"
                    "let v[t: 1..T] = tanh(u[t-1]) + b*v[t-1]\nloss L = u[T]*v[T]\n", linear),
    "predator and prey, one more": (
        SCALARS + "let u[t: 1..T] = u[t-1] + a*u[t-1]*(1 - v[t-1])\nlet v[t: 1..T] = v[t-1] - b*v[t-1]*(1 - u[t-1])\n"
        "let w[t: 1..T] = w[t-1] + u[t-1]/10\nlet w[0] = 1/2\nlet u[0] = p\nlet v[0] = q\nloss L = sum(u) + w[T]\n", volterra),
    "second order, at once": (
        SCALARS + "let u[0] = p\nlet u[1] = q\nlet v[0] = q\nlet v[1] = p\nlet u[t: 2..T] = sin(a*u[t-1]) + b*v[t-2]\n"
        "let v[t: 2..T] = b*v[t-1] + u[t]*u[t-2]\nloss L = u[T] + v[T]*v[1]\n", second_order),
}  # fmt: skip


def arrays(case, T=4, d=2, k=3):
    rng = np.random.default_rng(5)
    if "LSTM" in case:
        shapes = {"x": (T + 1, d), "y": (k,)} | {f"{m}{g}": (k, d if m == "W" else k) for m in "WU" for g in "fioc"}
        return {n: rng.normal(size=s) * 0.7 for n, s in shapes.items()}
    return {n: rng.normal() * 0.6 for n in "abpq"} | {"T": T}


@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_are_those_of_the_loop(case):
    spec, loop = CASES[case]
    m, at = symgen.loads(spec), arrays(case)
    assert m.derive("L").evaluate(**at) == pytest.approx(loop(at), rel=1e-12)
    for name in ("Wf", "Uo", "Uc") if "LSTM" in case else ("a", "b", "p", "q"):
        d = m.derive(f"grad(L, {name})")
        assert d.evidence.kind in ("checked", "proved")
        found = np.asarray(d.evaluate(**at))
        for place in list(np.ndindex(found.shape))[:4]:
            step = np.zeros(found.shape)
            step[place] = 1e-6
            up, down = (loop({**at, name: at[name] + s * step}) for s in (1, -1))
            assert found[place] == pytest.approx((up - down) / 2e-6, rel=1e-6, abs=1e-8)


MISTAKES = {
    "let u[t: 1..T] = v[t]\nlet v[t: 1..T] = u[t] + v[t-1]\n": "need one another at the same time",
    "let u[t: 1..T] = v[t+1]\nlet v[t: 1..T] = u[t-1] + v[t-1]\n": "another time",
    "let u[t: 1..T] = sum(v)\nlet v[t: 1..T] = u[t-1] + v[t-1]\n": "all of `v`",
    "let u[t: 1..T] = v[t-1]\nlet v[t: 1..T - 1] = u[t-1] + v[t-1]\n": "as many entries",
}


@pytest.mark.parametrize("rules", MISTAKES)
def test_what_cannot_be_one_sequence_is_said(rules):
    with pytest.raises(symgen.SpecError, match=MISTAKES[rules]):
        symgen.loads("dim T\nlet u[0] = 1\nlet v[0] = 2\n" + rules)

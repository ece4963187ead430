"""Expectations without closed form are estimated without bias, with an honest standard error."""

import numpy as np

from symgen.codegen.compile import compile_arrays
from symgen.codegen.sampling import is_linear_in_expectations
from symgen.tensor.expression import (
    ONE,
    add,
    axis,
    dim,
    entry,
    expect,
    fn,
    mul,
    num,
    power,
    recurrence,
    tensor,
    var,
)
from symgen.tensor.formula import read

n, k = dim("n"), dim("k")
mu, s, A = var("mu", (n, k)), var("s", (n, k), "positive"), var("A", (k, k))
eps = var("eps", (n, k), role="random", uid=1)


def scalar(body):
    return tensor((), body)


def test_the_mean_of_a_reparameterised_square():
    z = read("mu + s*eps", {"mu": mu, "s": s, "eps": eps})
    f = read("sum((z @ A)^2)", {"z": z, "A": A})
    loss = scalar(add(num(3), expect(entry(f), [eps], ["Normal"])))
    rng = np.random.default_rng(0)
    values = {"mu": rng.normal(size=(2, 3)), "s": np.exp(rng.normal(size=(2, 3))), "A": rng.normal(size=(3, 3))}
    made = compile_arrays({"f": loss})
    got = made.estimate(values, seed=1, samples=8000)
    error = {"f": got["f"].standard_error}
    want = 3 + np.sum((values["mu"] @ values["A"]) ** 2) + np.sum(values["s"] ** 2 @ values["A"] ** 2)
    assert abs(got["f"] - want) < 5 * error["f"] < 0.1 * want
    assert made(values, seed=1) == made(values, seed=1)
    assert made(values, seed=1) != made(values, seed=2)


def test_a_function_of_an_expectation_is_taken_of_the_mean():
    e = expect(
        entry(read("exp(a*u)", {"a": var("a"), "u": var("u", (), role="random", uid=2)})),
        [var("u", (), role="random", uid=2)],
        ["Normal"],
    )
    loss = scalar(fn("log", e))
    assert not is_linear_in_expectations(loss)
    assert is_linear_in_expectations(scalar(mul(num(2), e)))
    got = compile_arrays({"f": loss}).estimate({"a": 0.5}, seed=3)
    assert abs(got["f"] - 0.125) < 0.01


def test_softmax_of_noise_over_samples():
    z = read("softmax(mu + s*eps)", {"mu": mu, "s": s, "eps": eps})
    loss = tensor((i := axis(0, n), j := axis(1, k)), expect(entry(z, i, j), [eps], ["Normal"]))
    values = {"mu": np.zeros((2, 3)), "s": np.ones((2, 3))}
    got = compile_arrays({"f": loss}).estimate(values, seed=3)
    assert np.allclose(got["f"], 1 / 3, atol=0.02) and np.all(got["f"].standard_error < 0.01)


def test_a_recurrence_over_samples():
    T = num(4)
    e = var("e", (T,), role="random", uid=5)
    h = var("h", (T,), role="placeholder", uid=6)
    t = axis(0, T)
    step = tensor((t,), add(mul(num(2), entry(h, add(t, num(-1)))), entry(e, t)))
    walk = recurrence(h, step, [scalar(ONE)])
    loss = scalar(expect(power(entry(walk, num(3)), num(2)), [e], ["Normal"]))
    got = compile_arrays({"f": loss}).estimate({}, seed=3)
    want = 64 + 16 + 4 + 1
    assert abs(got["f"] - want) < 5 * got["f"].standard_error

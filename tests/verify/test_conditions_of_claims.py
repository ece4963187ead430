"""A claim that holds where both sides have values tells where that is, if the declared domains are wider."""

import numpy as np
import pytest

import symgen

SPEC = """dim n
param a: real, b: real, p: positive, c: unit, x: real[n], A: real[n, n], S: spd[n, n], L: lower[n, n], v: positive[n]
const t: real = 1
def f(s) = log(s)
"""
# the claim, the conditions told, its sides in NumPy
NUMBERS = {
    "exp(log(a)) = a": (("a > 0",), lambda a, b, p, t: (np.exp(np.log(a)), a)),
    "(a^3)^(1/3) = a": (("a^3 >= 0",), lambda a, b, p, t: (np.power(a**3, 1 / 3), a)),
    "log(a*p) = log(a) + log(p)": (("a > 0",), lambda a, b, p, t: (np.log(a * p), np.log(a) + np.log(p))),
    "log(a*b) = log(a) + log(b)": (("a > 0", "b > 0"), lambda a, b, p, t: (np.log(a * b), np.log(a) + np.log(b))),
    "log(a^2) = 2*log(a)": (("a > 0",), lambda a, b, p, t: (np.log(a**2), 2 * np.log(a))),
    "log(a^2) = 2*log(abs(a))": ((), lambda a, b, p, t: (np.log(a**2), 2 * np.log(abs(a)))),
    "f(b - a)*2 = log((b - a)^2)": (("b > a",), lambda a, b, p, t: (2 * np.log(b - a), np.log((b - a) ** 2))),
    "sqrt(a)^2 + b = a + b": (("a >= 0",), lambda a, b, p, t: (np.sqrt(a) ** 2 + b, a + b)),
    "sin(asin(a)) = a": (("-1 <= a <= 1",), lambda a, b, p, t: (np.sin(np.arcsin(a)), a)),
    "exp(log(a)/2) = sqrt(a)": (("a > 0",), lambda a, b, p, t: (np.exp(np.log(a) / 2), np.sqrt(a))),
    "a^t*a = a^(t + 1)": (("a > 0",), lambda a, b, p, t: (np.power(a, t) * a, np.power(a, t + 1))),
    "log(a) <= a - 1": (("a > 0",), None),
    "log(1 + a^2) = log(a^2 + 1)": ((), lambda a, b, p, t: (np.log(1 + a**2), np.log(1 + a**2))),
    "log(p^2) = 2*log(p)": ((), lambda a, b, p, t: (np.log(p**2), 2 * np.log(p))),
    "argmin(exp(b) - t*b, b) = log(t)": (("t > 0",), None),
    "argmin(exp(b) - p*b, b) = log(p)": ((), None),
    "where(a > 0, log(a), 0) = where(a > 0, log(a), 0)": ((), None),
    "log(c/(1 - c)) = log(c) - log(1 - c)": ((), None),
}
ARRAYS = {
    "logdet(A) = log(det(A))": ("det(A) > 0",),
    "logdet(S) = log(det(S))": (),
    "log(det(L)) = sum(log(diagonal(L)))": (),
    "logdet(L) = sum(log(diagonal(L)))": (),
    "log(x @ x) = 2*log(norm(x))": (),
    "log(x @ S @ x) = 2*log(sqrt(x @ S @ x))": (),
    "sum(log(v)) = log(prod(v))": (),
    "argmin(t*(x @ x) - v @ x, x) = v/(2*t)": ("t > 0",),
    "sum[i](log(x[i])) = sum(log(x))": ("x[i] > 0", "x > 0"),
}


@pytest.fixture(scope="module")
def model():
    return symgen.loads(SPEC)


@pytest.mark.parametrize("claim", [*NUMBERS, *ARRAYS])
def test_the_conditions_are_those_under_which_both_sides_have_values(model, claim):
    told = NUMBERS[claim][0] if claim in NUMBERS else ARRAYS[claim]
    v = model.check(claim)
    assert v.status in ("proved", "checked")
    assert v.evidence.conditions == told, v.evidence.conditions
    assert ("under {" + ", ".join(told) + "}" in v.text()) == bool(told)


@pytest.mark.parametrize("claim", [c for c in NUMBERS if NUMBERS[c][1]])
def test_where_the_conditions_fail_a_side_has_no_value(claim):
    told, sides = NUMBERS[claim]
    rng = np.random.default_rng(3)
    for a, b, p, t in np.column_stack([rng.normal(size=(60, 2)) * 1.5, rng.exponential(size=60), rng.normal(size=60)]):
        held = all(eval(c.replace("^", "**"), {"a": a, "b": b, "__builtins__": {}}) for c in told)
        with np.errstate(all="ignore"):
            left, right = sides(a, b, p, t)
        assert (np.isfinite(left) and np.isfinite(right)) == held
        assert not held or abs(left - right) <= 1e-12 * (1 + abs(left))


def test_assumed_facts_are_no_conditions():
    m = symgen.loads("param a: real, b: real\nassume a > 1, b > a")
    assert m.check("exp(log(b - a)) = b - a").evidence.conditions == ()


def test_what_a_named_value_needs_is_told_where_it_is_used():
    m = symgen.loads("param a: real, b: real\nlet L = log(a)\nlet M = sqrt(b) + L\nlet N = a^2 + 1")
    assert m.check("exp(L) = a").evidence.conditions == ("a > 0",)
    assert set(m.check("exp(M - sqrt(b)) = a").evidence.conditions) == {"a > 0", "b >= 0"}
    assert m.check("log(N) = log(1 + a^2)").evidence.conditions == ()


def test_every_name_that_nothing_declares_is_told_in_one_run():
    text = symgen.loads("param a: real\nclaim a + foo = a*bar + sum[i: 3](i*baz)").verify()[0].text()
    assert [text.count(f"unknown name `{name}`\n -->") for name in ("foo", "bar", "baz", "i")] == [1, 1, 1, 0]


# what the sides need to have values is used in the proof, and told once
PROVED = {
    "log(a/b) = log(a) - log(b)": ("a > 0", "b > 0"),
    "sqrt(a*b) = sqrt(a)*sqrt(b)": ("a >= 0", "b >= 0"),
    "(a*b)^t = a^t*b^t": ("a > 0", "b > 0"),
    "log(a^t) = t*log(a)": ("a > 0",),
    "exp(t*log(a)) = a^t": ("a > 0",),
}


@pytest.mark.parametrize("claim", PROVED)
def test_what_the_sides_need_is_used_in_the_proof(model, claim):
    verdict = model.check(claim)
    assert (verdict.status, verdict.evidence.conditions) == ("proved", PROVED[claim])


# equations that fail where no random point lies: at a jump, or at the whole powers of a negative base
FEW_POINTS = {
    "(a^b)^t = a^(b*t)": lambda a, b, t: (np.power(np.power(a, b), t), np.power(a, b * t)),
    "(a^2)^t = a^(2*t)": lambda a, b, t: (np.power(a**2, t), np.power(a, 2 * t)),
    "exp(t*log(abs(a))) = a^t": lambda a, b, t: (np.exp(t * np.log(abs(a))), np.power(a, t)),
    "sign(a)^2 = 1": lambda a, b, t: (np.sign(a) ** 2, 1.0),
    "where(a == 1, 2, a) = a": lambda a, b, t: (2.0 if a == 1 else a, a),
    "floor(-a) = -floor(a) - 1": lambda a, b, t: (np.floor(-a), -np.floor(a) - 1),
}


@pytest.mark.parametrize("claim", FEW_POINTS)
def test_an_equation_that_fails_at_few_points_is_refuted(model, claim):
    verdict = model.check(claim)
    assert verdict.status == "refuted"
    values = {name: float(x) for name, x in verdict.counterexample.values.items()}
    left, right = FEW_POINTS[claim](*(values.get(name, 0.0) for name in "abt"))
    assert abs(left - right) > 1e-6, values


def test_the_order_that_a_proof_used_is_told_as_people_write_it():
    model = symgen.loads("param a: real, b: real\nassume a < b")
    assert model.check("sqrt((b - a)^2) = b - a").evidence.conditions == ("a < b",)

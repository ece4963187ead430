"""What a reader who tried to break symgen found: numbers, sizes, ties, parentheses and refusals."""

import numpy as np
import pytest

import symgen
from symgen.text.diagnostics import DataError, SpecError


def derived(spec, goal):
    return symgen.loads(spec).derive(goal)


def number(spec, goal, **arrays):
    return derived(spec, goal).evaluate(**arrays)


# --- numbers of generated code ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "want"),
    [
        ("softmax(where(v > 0, 1, 2)) @ v", (1 - np.e) / (1 + np.e)),
        ("sum(sigmoid(where(v > 0, 1, 2)))", 1 / (1 + np.exp(-1.0)) + 1 / (1 + np.exp(-2.0))),
        ("sum(exp(where(v > 0, d, 2*d)))", np.exp(2.0) + np.exp(4.0)),
    ],
)
def test_whole_numbers_in_branches_are_floats(body, want):
    assert number(f"dim d\nparam v: real[d]\nloss L = {body}", "L", v=[1.0, -1.0]) == pytest.approx(want)


@pytest.mark.parametrize(
    ("body", "want"),
    [
        ("(a*ones(d)) @ (sum(y)*ones(d)) + sum(v)", 14),
        ("(sum(y)*ones(d)) @ ones(d)", 14),
        ("tr(sum(y)*eye(d))", 14),
        ("var(outer(y, (1 + sum(v))*ones(d)))", np.var([1, 2, 4])),
    ],
)
def test_a_sum_over_an_index_that_does_not_occur_counts_it(body, want):
    spec = f"dim n, d\ndata y: real[n], v: real[d]\nparam a: real\nloss L = {body}"
    assert number(spec, "L", y=[1.0, 2, 4], v=[0.0, 0], **({"a": 1.0} if "a*" in body else {})) == pytest.approx(want)


@pytest.mark.parametrize(
    ("body", "python"),
    [
        ("y[:2]", lambda y: y[:2]),
        ("y[:-1]", lambda y: y[:-1]),
        ("logsumexp(y[:2])", lambda y: np.log(np.exp(y[:2]).sum())),
        ("softmax(y[0:2])", lambda y: np.exp(y[:2]) / np.exp(y[:2]).sum()),
        ("y[::2]", lambda y: y[::2]),
        ("y[1::3]", lambda y: y[1::3]),
        ("maxpool(y, 2)", lambda y: y[: len(y) // 2 * 2].reshape(-1, 2).max(axis=1)),
    ],
)
@pytest.mark.parametrize("n", [4, 5, 7])
def test_slices_have_the_length_of_pythons(body, python, n):
    y = np.arange(n) ** 2.0
    got = number(f"dim n\ndata y: real[n]\nlet z = {body}", "z", y=y)
    assert np.shape(got) == np.shape(python(y))
    assert got == pytest.approx(python(y))


# --- balls and ties ---------------------------------------------------------------------------------------------------


def test_a_batch_of_numbers_is_folded_in_balls():
    spec = "dim d, k\nparam M: real[d,d], S: real[k,k]\nloss L = max(logsumexp(S, axis=1)) + sum(M)"
    assert derived(spec, "grad(L, M)").evidence.kind in ("checked", "proved")


TIED = {
    "min(inv(3*eye(d) + A @ A'))": lambda a: np.linalg.inv(3 * np.eye(len(a)) + a @ a.T).min(),
    "max(A + A' - 9*eye(d))": lambda a: (a + a.T - 9 * np.eye(len(a))).max(),
    "max(erf(ones(d, d) @ A @ ones(d, d)/9))": lambda a: _erf(a.sum() / 9),
    "max(A)": lambda a: a.max(),
}


def _erf(x):
    from scipy.special import erf

    return erf(x)


@pytest.mark.parametrize("body", TIED)
def test_entries_that_stay_equal_share_the_gradient(body):
    a = np.random.default_rng(0).normal(size=(3, 3))
    d = derived(f"dim d\nparam A: real[d,d]\nloss L = {body}", "grad(L, A)")
    want = np.empty((3, 3))
    for at in np.ndindex(3, 3):
        e = np.zeros((3, 3))
        e[at] = 1e-6
        want[at] = (TIED[body](a + e) - TIED[body](a - e)) / 2e-6
    assert d.evaluate(A=a) == pytest.approx(want, abs=1e-7)
    assert any("attained once" in c for c in d.conditions)


def test_roots_say_where_they_are_differentiated():
    spec = "dim d\nparam w: real[d]\nparam s: positive\n"
    assert derived(spec + "loss L = norm(w)", "grad(L, w)").conditions
    assert derived(spec + "loss L = sqrt(s)", "grad(L, s)").conditions == []
    assert derived(spec + "loss L = norm(w)^2", "grad(L, w)").conditions == []


# --- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["-7//2", "-(7//2)", "3 - 7//2", "3 - -7//2", "--7//2", "-7*3//2", "(-7)//2", "7//-2", "2 + -7//2", "-(-7//2)"],
)
def test_floor_division_is_pythons(text):
    model = symgen.loads("param a: real")
    assert float(model.derive(text).evaluate()) == eval(text)
    assert symgen.loads(f"let b = {text}\nparam a: real").derive("b + 0*a").evaluate(a=0.0) == eval(text)


@pytest.mark.parametrize("text", ["matpow(S, 1/2)", "matpow(S, pi)", "sum(S > 0)", "(S > 0)*3"])
def test_what_has_no_meaning_is_refused_at_reading(text):
    with pytest.raises(SpecError):
        derived("dim d\nparam S: real[d,d]", text)


@pytest.mark.parametrize("n", [2, 4])
def test_an_index_out_of_range_is_a_data_error(n):
    d = derived("dim d\nparam v: real[d]\nlet z = v[5]", "z")
    with pytest.raises(DataError, match="lies outside"):
        d.evaluate(v=np.arange(n) * 1.0)
    assert d.evaluate(v=np.arange(9.0)) == 5


def test_a_singular_matrix_is_a_data_error():
    with pytest.raises(DataError, match="singular"):
        number("dim d\nparam A: real[d,d]\nlet z = inv(A)", "z", A=np.zeros((2, 2)))


# --- what is printed --------------------------------------------------------------------------------------------------


def test_powers_of_sums_are_multiplied_out():
    spec = "param a: real, b: real, c: real"
    d = derived(spec, "expand((a + b)^5)")
    assert d.result.is_Add and len(d.result.args) == 6
    assert len(derived(spec, "expand((a + b)^5*(c + 1))").result.args) == 12
    kept = derived(spec, "expand((a + b + c)^100)")
    assert kept.result.is_Pow and any("2000" in n for n in kept.notes)


def test_densities_are_printed_as_the_language_writes_them():
    spec = (
        "dim n, d\nconst X: real[n,d], tau: positive, sig: positive\n"
        "dist p(w) = Normal(zeros(d), tau)\ndist p(y|w) = Normal(X@w, sig)\n"
    )
    for goal in ("log p(y)", "log p(w | y)"):
        text = derived(spec, goal).text()
        assert "log_density_of" not in text and "at_" not in text
        assert text.count(goal) >= 2


# --- modules ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def module():
    return symgen.loads(
        "dim n, d\ndata X: real[n,d], y: real[n]\nconst lam: positive = 0.01\nparam w: real[d] = zeros\n"
        "loss L = mean((X@w - y)^2) + lam*sum(w^2)\ntrain L with sgd(lr=0.1), steps=3"
    ).compile()


DATA = {"X": np.ones((3, 2)), "y": np.ones(3)}


def test_names_that_a_module_does_not_know_are_refused(module):
    w = {"w": np.ones(2)}
    module.L(w, DATA)
    for params, data in (({**w, "lam": 5}, DATA), (w, {**DATA, "lam": 5}), (w, {**DATA, "typo": 1})):
        for f in (module.L, module.L_value_and_grad):
            with pytest.raises(ValueError, match="neither data nor a parameter"):
                f(params, data)
        with pytest.raises(ValueError, match="neither data nor a parameter"):
            module.train(data, params)
    assert module.L(w, DATA, lam=5) == pytest.approx(11)


@pytest.mark.parametrize("option", [{"steps": -1}, {"steps": 2.5}, {"batch": 0}, {"batch": 1.5}, {"batch": -2}])
def test_steps_and_batches_are_whole_numbers(module, option):
    with pytest.raises(ValueError, match=f"`{next(iter(option))}` is a whole number"):
        module.train(DATA, **option)


def test_data_without_rows_are_refused(module):
    with pytest.raises(ValueError, match="has no rows"):
        module.train({"X": np.ones((0, 2)), "y": np.ones(0)})

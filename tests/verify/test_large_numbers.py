"""Claims about numbers so large, or so near to a limit, that no fixed number of digits tells both sides apart."""

import pytest

import symgen

MODEL = symgen.loads("param a: real, b: positive\n")


@pytest.mark.parametrize(
    "claim",
    [
        "9^9^9 = 9^9^9 + 1", "2^(2^100) = 2^(2^100) + 1", "9^9^9 + a = 9^9^9", "(9^9^9 + 1)/9^9^9 = 1", "1/9^9^9 = 0",
        "gamma(10^9) = gamma(10^9) + 1", "exp(1000)*a + 1 <= exp(1000)*a", "1 + exp(-1000) = 1", "tanh(1000) = 1",
        "a + exp(-9^9) = a", "erf(100) = 1", "sin(10^50) = sin(10^50 + 1/10^30)", "b^(10^9)*1.0001 = b^(10^9)",
    ],
)  # fmt: skip
def test_what_a_larger_term_absorbs_is_refuted(claim):
    verdict = MODEL.check(claim)
    assert verdict.status == "refuted"
    assert " apart" in verdict.text() or ", step 1 is " in verdict.text()


@pytest.mark.parametrize("claim", ["log(9^9^9 + 1) = log(9^9^9)", "a*tanh(10^7) = a", "exp(-9^9^9) = 0", "7^7^7^7 = 7^7^7^7 + 1"])
def test_what_no_digits_tell_is_unknown(claim):
    assert MODEL.check(claim).status == "unknown"


@pytest.mark.parametrize(
    "claim",
    [
        "9^9^9 < 9^9^9 + 1", "9^9^9*9 = 9^(9^9 + 1)", "(-9)^9^9 = -9^9^9", "atan(1/2) + atan(1/3) = pi/4",
        "(3*a)^(9^9) = 3^(9^9)*a^(9^9)", "9^9^9 > 10^(10^8)",
    ],
)  # fmt: skip
def test_what_is_true_of_large_numbers_holds(claim):
    assert MODEL.check(claim).holds


def test_sums_too_long_to_evaluate_are_proved_or_told():
    model = symgen.loads("let a = zeros(1000000, 1000000)\n")
    assert model.check("sum[i: 1..1000000000](i) = 500000000500000000").status == "proved"
    assert model.check("sum(a) = 0").status == "proved"
    assert "too many terms" in model.check("prod[i: 1..100000000000](i) = 3").text()

"""A derivative by sigma^2 is by the variance: that by sigma, over the derivative of sigma^2."""

import pytest

import symgen

SPEC = "dim n\ndata x: real[n]\nparam mu: real, sigma: positive\nlet L = -n/2*log(2*pi*sigma^2) - sum((x - mu)^2)/(2*sigma^2)\n"
BY = [r"\partial\sigma^2", r"\partial \sigma^{2}", r"\partial(\sigma^2)"]
RIGHT = r"-\frac{n}{2\sigma^2} + \frac{1}{2\sigma^4}\sum_{i=1}^n (x_i-\mu)^2"
WRONG = r"-\frac{n}{\sigma} + \frac{1}{\sigma^3}\sum_{i=1}^n (x_i-\mu)^2"
SECOND = r"\frac{\partial^2 L}{\partial\sigma^2} = \frac{n}{\sigma^2} - \frac{3}{\sigma^4}\sum_{i=1}^n (x_i-\mu)^2"


def status(formula, folder):
    (folder / "m.sg").write_text(SPEC)
    (folder / "d.tex").write_text(rf"\[ {formula} \]")
    (v,) = symgen.verify_document(str(folder / "d.tex"), spec=str(folder / "m.sg"))
    return v.status


@pytest.mark.parametrize("by", BY)
def test_a_first_derivative_by_a_square(by, tmp_path):
    assert status(rf"\frac{{\partial L}}{{{by}}} = {RIGHT}", tmp_path) == "proved"
    assert status(rf"\frac{{\partial L}}{{{by}}} = {WRONG}", tmp_path) == "refuted"


def test_a_second_derivative_is_by_the_letter_twice(tmp_path):
    assert status(SECOND, tmp_path) == "proved"

"""What a spec may not mean, though it has a meaning, is warned of."""

import pytest

import symgen

HEAD = "dim n\ndata y: real[n]\nparam b: real, w: real[n]\ndist p(t) = Normal(b, 1)\n"


@pytest.mark.parametrize("text", ["mean(log p(y))", "-mean(log p(y))/2", "mean(b)", "var(w @ y)", "mean(sum(y))"])
def test_the_mean_of_one_number_is_warned_of(text):
    (found,) = symgen.loads(f"{HEAD}loss L = {text}\n").warnings
    assert "is one number" in found.message


@pytest.mark.parametrize("text", ["mean(y)", "log p(y)/n", "mean[i](log p(y[i]))", "var(y - w)", "sum(log p(y))"])
def test_what_means_what_it_says_is_not(text):
    assert not symgen.loads(f"{HEAD}loss L = {text}\n").warnings

"""Means, variances, entropies and information whose draws nobody names: of the one joint that is over the variables."""

import pytest

import symgen

JOINT = "density p(x, y), q(z)\nfunction f(x: real): real\n"
POISSON = "param lambda: positive\ndist p(x) = Poisson(lambda)\n"
RIGHT = {
    JOINT: [
        r"\mathbb{E}[y] = \mathbb{E}_x\left[\mathbb{E}[y \mid x]\right]",
        r"\mathbb{E}[f(X)] = \mathbb{E}[\mathbb{E}[f(X) \mid Y]]",
        r"\mathrm{Var}(y) = \mathbb{E}[\mathrm{Var}(y \mid x)] + \mathrm{Var}(\mathbb{E}[y \mid x])",
        r"I(X; Y) = H(X) - H(X \mid Y) = H(X) + H(Y) - H(X, Y)",
        r"H(X, Y) = H(X) + H(Y | X)",
        r"\mathrm{Cov}(x, y) = \mathbb{E}[x y] - \mathbb{E}[x]\,\mathbb{E}[y]",
        r"H(Z) \geq \frac x2 - \frac x2 - H(Z) + 2 H(Z)",
    ],
    POISSON: [r"\operatorname{Var}[x] = \mathbb{E}[x^2] - \mathbb{E}[x]^2 = \lambda^2 + \lambda - \lambda^2 = \lambda"],
}
WRONG = {
    JOINT: [
        r"\mathbb{E}[y] = \mathbb{E}_y\left[\mathbb{E}[x \mid y]\right]",
        r"\mathrm{Var}(y) = \mathbb{E}[\mathrm{Var}(y \mid x)] - \mathrm{Var}(\mathbb{E}[y \mid x])",
        r"I(X; Y) = H(X) - H(Y \mid X)",
        r"H(X, Y) = H(X) + H(Y)",
        r"\mathrm{Cov}(x, y) = \mathbb{E}[x y] - \mathbb{E}[x]^2",
    ],
    POISSON: [r"\operatorname{Var}[x] = \mathbb{E}[x^2] - \mathbb{E}[x]^2 = \lambda"
              r" + \lambda^2 - \lambda"],
}  # fmt: skip
UNREAD = {  # two joints are over x; nothing is drawn; a name that is a value
    "density p(x), q(x)\n": r"\mathbb{E}[x] = 0",
    "density p(x)\nparam w: real\n": r"\mathbb{E}[w] = w",
}


def verdict(spec, formula, folder):
    (folder / "spec.sg").write_text(spec)
    (folder / "text.tex").write_text(f"$${formula}$$")
    (found,) = symgen.verify_document(folder / "text.tex", spec=folder / "spec.sg")
    return found


@pytest.mark.parametrize(("spec", "formula"), [(s, f) for s, fs in RIGHT.items() for f in fs])
def test_a_right_line_holds_where_the_draws_are_not_said(spec, formula, tmp_path):
    assert verdict(spec, formula, tmp_path).status in ("proved", "checked")


@pytest.mark.parametrize(("spec", "formula"), [(s, f) for s, fs in WRONG.items() for f in fs])
def test_a_wrong_line_is_refuted_where_the_draws_are_not_said(spec, formula, tmp_path):
    assert verdict(spec, formula, tmp_path).status == "refuted"


@pytest.mark.parametrize("spec", UNREAD)
def test_a_mean_that_may_be_over_two_joints_is_not_read(spec, tmp_path):
    assert verdict(spec, UNREAD[spec], tmp_path).status == "unknown"

r"""\sigma'(t) is the derivative at a number that the spec names; of anything else it is told."""

import pytest

import symgen

SPEC = "param t: real, w: real[3]\ndef f(u) = u^3 + u\ndist p(z) = Normal(0, 1)\n"
SAID = {
    r"\sigma'(t) = \sigma(t)(1-\sigma(t))": "proved",
    r"\sigma''(t) = \sigma(t)(1-\sigma(t))(1-2\sigma(t))": "proved",
    r"\Gamma'(t) = \Gamma(t)\psi(t)": "proved",
    r"f'(t)^2 = (3t^2+1)^2": "proved",
    r"\sigma'(t) = \sigma(t)(1+\sigma(t))": "refuted",
    r"\sigma'(t^2) = 1": "unknown",
    r"p'(t) = 1": "unknown",
}


@pytest.mark.parametrize("display", SAID)
def test_a_prime_is_a_derivative(tmp_path, display):
    spec, paper = tmp_path / "m.sg", tmp_path / "m.tex"
    spec.write_text(SPEC)
    paper.write_text(f"\\[{display}\\]\n")
    assert [v.status for v in symgen.verify_document(str(paper), spec=str(spec))] == [SAID[display]]

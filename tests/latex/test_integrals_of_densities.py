"""Integrals of densities and divergences from a mixture, as papers write them: what is right holds, slips are refuted."""

import pytest

import symgen

SPEC = """
density p(x, z), q(z | x), p_data(y), p_g(y)
data x: real
param a: real, b: positive
"""
RIGHT = [
    r"\int p(x,z)\,dz = p(x)",
    r"\int z\,p(x,z)\,dz = p(x)\,\mathbb{E}_{z\sim p(z|x)}[z]",
    r"\int p(x|z)p(z)\,dz = p(x)",
    r"\log\int p(x,z)\,dz = \log\int q(z|x)\frac{p(x,z)}{q(z|x)}\,dz \ge \int q(z|x)\log\frac{p(x,z)}{q(z|x)}\,dz",
    r"JSD(p_{data}\|p_g) = \frac12 D_{KL}\left(p_{data}\,\Big\|\,\frac{p_{data}+p_g}{2}\right)"
    r" + \frac12 D_{KL}\left(p_g\,\Big\|\,\frac{p_{data}+p_g}{2}\right)",
    r"KL(p_{data} \| \tfrac{1}{2}(p_{data}+p_g)) \le \log 2",
    r"\int_{-\infty}^{\infty} e^{-b z^2 + a z}\,dz = \sqrt{\frac{\pi}{b}}\,e^{\frac{a^2}{4b}}",
]
WRONG = [
    r"\int z\,p(x,z)\,dz = \mathbb{E}_{z\sim p(z|x)}[z]",
    r"\log\int p(x,z)\,dz \le \int q(z|x)\log\frac{p(x,z)}{q(z|x)}\,dz",
    r"JSD(p_{data}\|p_g) = D_{KL}\left(p_{data}\,\Big\|\,\frac{p_{data}+p_g}{2}\right) + KL(p_g \| \frac{p_{data}+p_g}{2})",
    r"KL(p_{data} \| \tfrac{1}{2}(p_{data}+p_g)) \le \log\frac32",
]


def statuses(tmp_path, display):
    spec, paper = tmp_path / "m.sg", tmp_path / "m.tex"
    spec.write_text(SPEC)
    paper.write_text(f"\\[{display}\\]\n")
    return {v.status for v in symgen.verify_document(str(paper), spec=str(spec))}


@pytest.mark.parametrize("display", RIGHT)
def test_what_is_right_holds(tmp_path, display):
    assert statuses(tmp_path, display) <= {"proved", "checked"}


@pytest.mark.parametrize("display", WRONG)
def test_slips_are_refuted(tmp_path, display):
    assert statuses(tmp_path, display) == {"refuted"}

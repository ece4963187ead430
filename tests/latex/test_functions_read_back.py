"""Every function of the language that is printed as LaTeX reads back as itself."""

import pytest

import symgen
from symgen.algebra.equality import agrees
from symgen.render.language import unparse
from symgen.render.latex import to_latex
from symgen.render.shapes import shape_of
from symgen.tensor.functions import FUNCTIONS
from symgen.text.latex import Symbols, read_expression
from symgen.text.parse import parse_expression

SHAPES = dict.fromkeys("abcdk", ())
ARGUMENTS = ("a", "a, b", "b, c, a", "b, c, d, a")


@pytest.fixture(scope="module")
def model():
    return symgen.loads("param a: unit, b: positive, c: positive, d: positive, k: natural")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_reads_back(model, name):
    (arguments,) = (x for x in ARGUMENTS if x.count(",") + 1 == len(FUNCTIONS[name].arguments))
    for text in (f"{name}({arguments})", f"2*{name}({arguments}) + c", f"{name}({arguments})^2*b", f"c^{name}({arguments})"):
        try:
            wanted = model.derive(text)
        except symgen.SpecError:  # called by no name of the language
            return
        tex = to_latex(parse_expression(text), SHAPES)
        again = unparse(read_expression(tex, Symbols(SHAPES, shape_of=shape_of), origin=0))
        found = model.derive(again).array
        assert found is wanted.array or agrees(found, wanted.array), tex


@pytest.mark.parametrize("tex, text", [
    (r"I_n(x) y", "besseli(n, x)*y"),
    (r"I_d A", "eye(d) @ A"),
    (r"I_d (A + A)", "eye(d) @ (A + A)"),
    (r"K_{1/2}(x)", "besselk(1/2, x)"),
    (r"P(n, x)", "igamma(n, x)"),
    (r"{}_2F_1(x, y; n; 1/2)", "hyp2f1(x, y, n, 1/2)"),
    (r"E_1(x) + \mathbb{E}_{z \sim p}[z]", "E1(x) + E[z ~ p](z)"),
    (r"2 x \bmod y", "mod(2*x, y)"),
])  # fmt: skip
def test_letters_with_an_order_are_functions_where_they_can_be_nothing_else(tmp_path, tex, text):
    spec = "dim d\nparam n: positive, x: positive, y: positive, A: real[d, d]\ndist p(z) = Normal(n, 1)\n"
    (tmp_path / "a.sg").write_text(spec + f"let u = {text}")
    (tmp_path / "a.tex").write_text(rf"\[ u = {tex} \]")
    (verdict,) = symgen.verify_document(tmp_path / "a.tex", spec=tmp_path / "a.sg")
    assert verdict.status in ("proved", "checked")


def test_the_fisher_information_reads_back(tmp_path):
    (tmp_path / "a.sg").write_text("param a: positive, b: positive\ndist p(x) = Gamma(a, b)")
    displays = (r"\mathcal{I}_p(b) = \frac{a}{b^2}", r"\mathcal{I}_{p}\left(\left[a, b\right]\right) = "
                r"\begin{pmatrix} \psi_1(a) & -\frac{1}{b} \\ -\frac{1}{b} & \frac{a}{b^{2}} \end{pmatrix}")  # fmt: skip
    (tmp_path / "a.tex").write_text("".join(rf"\[ {x} \]" for x in displays))
    assert [v.status for v in symgen.verify_document(tmp_path / "a.tex", spec=tmp_path / "a.sg")] == ["proved", "proved"]


@pytest.mark.parametrize("tex, text", [
    (r"A_{0,1} + x_0", "A[0, 1] + x[0]"),
    (r"A_{1,2} + x_1", "A[0, 1] + x[0]"),
    (r"x_1 - x_0", "x[1] - x[0]"),
    (r"(A A)_{0,1}", "(A @ A)[0, 1]"),
    (r"\sum_{i=0}^{d-1} x_i + x_1", "sum(x) + x[1]"),
])  # fmt: skip
def test_entries_are_counted_from_0_where_one_has_that_number(tmp_path, tex, text):
    (tmp_path / "a.sg").write_text(f"dim d\nparam A: real[d, d], x: real[d]\nlet u = {text}")
    (tmp_path / "a.tex").write_text(rf"\[ u = {tex} \]")
    assert [v.status for v in symgen.verify_document(tmp_path / "a.tex", spec=tmp_path / "a.sg")] == ["proved"]

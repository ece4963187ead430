"""LaTeX is what a paper would hold, and everything that is printed compiles and is drawn by KaTeX."""

import re
import shutil
import subprocess

import pytest

import symgen
from symgen.render import html, pdf
from symgen.render.escape import name_tex, tex_text
from symgen.render.latex import to_latex
from symgen.render.raising import raise_array
from symgen.render.writing import size_tree
from symgen.tensor.formula import read
from symgen.text.parse import parse_claim, parse_expression

from .worlds import LEAVES, SCOPE, SHAPES, Grammar

SIZES = {name: tuple(size_tree(s) for s in shape) for name, shape in SHAPES.items()} | {"n": (), "d": (), "k": ()}
FORMS = {
    "X' @ (x - y)/n + s*w": r"\frac{1}{n} X^{\top} (x - y) + s w",
    "x @ A @ y": r"x^{\top} A y",
    "x @ X": r"X^{\top} x",
    "x*y": r"x \odot y",
    "s*x": "s x",
    "x^2": r"x^{\odot 2}",
    "s^2": "s^{2}",
    "t/2": r"\frac{t}{2}",
    "-t/2": r"-\frac{t}{2}",
    "1/2*t": r"\frac{t}{2}",
    "outer(x, y)": r"x y^{\top}",
    "diag(x) - outer(x, x)": r"\operatorname{diag}(x) - x x^{\top}",
    "X @ W + b": r"X W + \mathbf{1} b^{\top}",
    "inv(A)' @ B": r"(A^{-1})^{\top} B",
    "tr(A @ B)": r"\operatorname{tr}(A B)",
    "logdet(A)": r"\log\left|\det A\right|",
    "sum(x*log(y))": r"\sum_{i=1}^{n} x_{i} \log y_{i}",
    "sum(A, axis=1)": r"A \mathbf{1}",
    "sum(A, axis=0)": r"A^{\top} \mathbf{1}",
    "norm(x - y)^2": r"\left\|x - y\right\|^{2}",
    "norm(A)^2": r"\left\|A\right\|_{F}^{2}",
    "sqrt(t)": r"\sqrt{t}",
    "exp(-t)": r"\exp(-t)",
    "where(t < 0, -t, t)": r"\begin{cases} -t & \text{if } t < 0 \\ t & \text{otherwise} \end{cases}",
    "KL(q(z | x) || p(z))": r"D_{\mathrm{KL}}\left(q(z \mid x)\,\middle\|\,p(z)\right)",
    "E[z ~ q](log p(z))": r"\mathbb{E}_{z \sim q}\left[\log p(z)\right]",
    "E[z ~ Normal(zeros(k), 1)](f(z))": r"\mathbb{E}_{z \sim \mathcal{N}(0, I)}\left[f(z)\right]",
    "E[z ~ Normal(m, tau)](z)": r"\mathbb{E}_{z \sim \mathcal{N}(m, \tau^{2})}\left[z\right]",
    "grad(L, W1)": r"\nabla_{W_{1}}\, L",
    "grad(L, S) @ K": r"(\nabla_{S}\, L) K",
    "p_data(x)/(p_data(x) + p_g(x))": r"\frac{p_{\mathrm{data}}(x)}{p_{\mathrm{data}}(x) + p_{g}(x)}",
    "grad(L)": r"\nabla L",
    "argmin(L, w)": r"\operatorname*{arg\,min}_{w}\; L",
    "posterior(p, z, given=x)": r"p(z \mid x)",
    "[[0, 1], [t, 0]]": r"\begin{pmatrix} 0 & 1 \\ t & 0 \end{pmatrix}",
    "sum[i: n, j: d](X[i, j]*w[j])": r"\sum_{i=1}^{n} \sum_{j=1}^{d} X_{ij} w_{j}",
    "1e-3*lam": r"10^{-3} \lambda",
}


@pytest.mark.parametrize("text, wanted", FORMS.items())
def test_formulas_look_as_in_a_paper(text, wanted):
    assert to_latex(parse_expression(text), SIZES) == wanted


@pytest.mark.parametrize(
    "name, wanted",
    [
        ("mu", r"\mu"), ("mu_0", r"\mu_{0}"), ("W1", "W_{1}"), ("p_data", r"p_{\mathrm{data}}"), ("Sigma", r"\Sigma"),
        ("Alpha", r"\mathrm{A}"), ("loss", r"\mathrm{loss}"), ("x_bar", r"\bar{x}"), ("delta_z", r"\delta_{z}"),
        ("theta_star", r"\theta^{*}"), ("naïve", r"\mathrm{naive}"),
        ("да", r"\mathrm{U0434U0430}"),
    ],
)  # fmt: skip
def test_names_are_letters_with_subscripts(name, wanted):
    assert name_tex(name) == wanted


def test_lam_is_lambda_unless_there_is_a_lambda():
    assert to_latex(parse_expression("lam"), {"lam": ()}) == r"\lambda"
    assert to_latex(parse_expression("lam"), {"lam": (), "lambda": ()}) == r"\mathrm{lam}"


def test_text_of_people_holds_no_command():
    assert tex_text(r"50% of \input{x} & $y_1$ #~^") == (
        r"50\% of \textbackslash{}input\{x\} \& \$y\_1\$ \#\textasciitilde{}\textasciicircum{}"
    )


def test_claims_are_aligned():
    claim = parse_claim('f = g "by parts" propto[z] h')
    assert to_latex(claim) == r"\begin{aligned} f &= g && \text{by parts} \\  &\propto_{z} h \end{aligned}"


def everything():
    """The LaTeX of many expressions, as written and as raised."""
    out = [to_latex(parse_expression(text), SIZES) for text in FORMS]
    for seed in range(250):
        grammar = Grammar(seed)
        text = grammar.make(grammar.r.choice(list(LEAVES)), grammar.r.choice([1, 2, 3]))
        try:
            array = read(text, SCOPE)
        except Exception:
            continue
        out += [to_latex(parse_expression(text), SIZES), to_latex(raise_array(array), SIZES)]
    return out


def test_braces_and_delimiters_balance():
    for tex in everything():
        bare = re.sub(r"\\[{}|]", "", tex)
        assert bare.count("{") == bare.count("}")
        assert tex.count(r"\left") == tex.count(r"\right")
        assert tex.count(r"\begin{") == tex.count(r"\end{")


@pytest.mark.skipif(not pdf.available(), reason="no pdflatex")
def test_everything_compiles():
    lines = "\n".join(rf"\[ {tex} \]" for tex in everything())
    document = rf"\documentclass{{article}}\usepackage{{amsmath,amssymb,bm}}\begin{{document}}{lines}\end{{document}}"
    assert pdf.compiled(document).startswith(b"%PDF")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no browser")
def test_everything_is_drawn_by_katex(tmp_path):
    formulas = everything()
    page = tmp_path / "page.html"
    page.write_text(html.assembled("formulas", "\n".join(html.maths(tex, True) for tex in formulas)), encoding="utf-8")
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    command += ["--virtual-time-budget=20000", "--dump-dom", page.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
    assert re.findall(r'data-error="([^"]*)"', dom) == []
    assert dom.count('class="katex-display"') == len(formulas)


@pytest.mark.skipif(not pdf.available(), reason="no pdflatex")
def test_a_document_reads_no_file_outside_its_folder(tmp_path):
    secret = tmp_path / "secret.tex"
    secret.write_text("secret")
    for attack in (rf"\input{{{secret}}}", r"\immediate\write18{touch pwned}\input{pwned}", r"\input{/etc/passwd}"):
        with pytest.raises(pdf.NoPdf):
            pdf.compiled(rf"\documentclass{{article}}\begin{{document}}{attack} x\end{{document}}")


@pytest.mark.skipif(not pdf.available(), reason="no pdflatex")
def test_an_endless_document_is_stopped():
    with pytest.raises(pdf.NoPdf, match="took more than"):
        pdf.compiled(r"\documentclass{article}\begin{document}\loop\iftrue\repeat\end{document}", seconds=2)


MIXTURE = """dim K, n, k
param w: simplex[K], lam: positive[K], al: positive[k]
data x: natural[n], c: label(k)[n]
dist p(z[i]) = Categorical(w)
dist p(x[i] | z[i]) = Poisson(lam[z[i]])
dist h(th) = Dirichlet(al)
dist h(c[i] | th) = Categorical(th)
"""


def test_sums_over_data_are_written_entry_by_entry():
    model = symgen.loads(MIXTURE)
    tex = model.derive("log p(x)").latex()
    assert r"\sum_{i=1}^{n} (x_{i} \log \lambda_{z_{i}} - \lambda_{z_{i}} - \log\Gamma(x_{i} + 1))" in tex
    assert r"\sum_{i=1}^{n} \operatorname*{logsumexp}_{j=1}^{K} (x_{i} \log \lambda_{j} + \log w_{j}" in tex
    assert r"\right]_" not in tex
    assert r"\sum_{j=1}^{n} \delta_{i,c_{j}}" in model.derive("log h(c)").latex(), "how many of the labels are i"

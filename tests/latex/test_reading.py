"""What LaTeX means, given the names of a spec: read as a person who knows them would."""

import random

import pytest

import symgen
from symgen.displays import symbols_of, verdicts_of_displays
from symgen.facade import loads
from symgen.render.language import unparse
from symgen.text.diagnostics import SpecError
from symgen.text.latex import Unread, definitions, displays, read_display, read_expression
from symgen.text.parse import parse_expression
from symgen.text.tree import Source

SPEC = """
dim n, d, k
data X: real[n, d], y: real[n], A: spd[d, d], B: real[d, d]
param w: real[d], v: real[d], W1: real[d, k], b: real[k], lr: positive, mu: real[k], s: positive[k], t: real, y_hat: real[n]
const lam: positive
let r = X @ w - y
loss L = r @ r/(2*n)
dist q(z | x) = Normal(mu, s)
dist p(z) = Normal(zeros(k), 1)
density p_data(u), p_g(u)
function D(u): unit
def f(t) = t^2
"""
SYMBOLS = symbols_of(loads(SPEC))

FORMS = {
    # names
    r"\mu": "mu", r"\mathbf{w}": "w", r"\boldsymbol w": "w", r"\vec{w}": "w", r"W_1": "W1", r"\hat y": "y_hat",
    r"\hat{\mathbf{y}}": "y_hat", r"\lambda t": "lam*t", r"lr\,t": "lr*t", r"2lr t": "2*lr*t",
    # products
    r"w^\top v": "w @ v", r"w^T v": "w @ v", r"w v^{\intercal}": "outer(w, v)", r"X w": "X @ w",
    r"w^\top A v": "w @ A @ v", r"X^{\mathrm T} y": "X' @ y", r"w \odot v": "w*v", r"2 \cdot 3": "2*3", r"w \cdot v": "w @ v",
    r"t X w": "t*X @ w", r"(w^\top v) w": "w @ v*w", r"A^{-1} w": "inv(A) @ w", r"A^{-\top}": "inv(A)'",
    r"w^\top \mathbf{1}": "sum(w)", r"X \mathbf{1}": "sum(X, axis=1)", r"A + \lambda I": "A + lam*eye(d)", r"A I w": "A @ w",
    r"A^2": "matpow(A, 2)", r"w^{\odot 2}": "w^2", r"t^2": "t^2", r"\frac12 t": "1/2*t", r"\frac{w}{t}": "w/t",
    # functions
    r"\log t": "log(t)", r"\ln(t)": "log(t)", r"\sigma(X w)": "sigmoid(X @ w)", r"e^{-t}": "exp(-t)", r"\exp(-t)": "exp(-t)",
    r"\operatorname{tr}(A B)": "tr(A @ B)",
    r"\log\det A": "logdet(A)", r"|A|": "det(A)", r"\log |A|": "logdet(A)", r"|t|": "abs(t)",
    r"\|w\|^2": "norm(w)^2", r"\left\|A\right\|_F^2": "norm(A)^2", r"\|w\|_1": "sum(abs(w))", r"\sqrt{t}": "sqrt(t)",
    r"\max(t, 0)": "max(t, 0)", r"f(t)": "f(t)", r"\operatorname{softmax}(b)": "softmax(b)",
    r"\begin{cases} t & \text{if } t > 0 \\ 0 & \text{otherwise} \end{cases}": "where(t > 0, t, 0)",
    r"\begin{cases} t & t > 0 \\ 0 & t \le 0 \end{cases}": "where(t > 0, t, 0)", r"1/2\,(t + 1)": "1/2*(t + 1)",
    # sums
    r"\sum_{i=1}^{n} y_i": "sum[i: n](y[i])", r"\sum_i y_i^2": "sum[i](y[i]^2)",
    r"\sum_{i=1}^n y_i + t": "sum[i: n](y[i]) + t", r"\sum_{i=1}^n y_i - \hat y_i": "sum[i: n](y[i] - y_hat[i])",
    r"\sum_{i=1}^n \sum_{j=1}^d X_{ij} w_j": "sum[i: n](sum[j: d](X[i, j]*w[j]))",
    r"\sum_i i y_i": "sum[i]((i + 1)*y[i])",
    r"\sum_{i=1}^{n} x_i^\top w": "sum[i: n](X[i] @ w)", r"y_1": "y[0]",
    r"X_{12}": "X[0, 1]", r"\prod_{i=1}^n y_i": "prod[i: n](y[i])",
    r"\frac{1}{n}\sum_{i=1}^n r_i^2": "1/n*sum[i: n](r[i]^2)", r"\sum_{i=1}^{n-1} y_{i+1}": "sum[i: n - 1](y[i + 1])",
    # derivatives
    r"\nabla_w L": "grad(L, w)", r"\nabla_w L(w)": "grad(L, w)", r"\nabla L(w)": "grad(L, w)",
    r"\nabla^2_w L": "hessian(L, w)", r"\frac{\partial L}{\partial w}": "grad(L, w)",
    r"\frac{\partial}{\partial w} L": "grad(L, w)",
    r"\frac{\partial r}{\partial w}": "jacobian(r, w)", r"\frac{d t^2}{d t}": "d(t^2, t)",
    r"\frac{\partial^2 L}{\partial w \partial w^\top}": "hessian(L, w)",
    # distributions
    r"\log q(z \mid x)": "log q(z | x)", r"\log p(z)": "log p(z)",
    r"\mathbb{E}_{z\sim q(z|x)}[\log p(z)]": "E[z ~ q(z | x)](log p(z))",
    r"\mathbb E_{q(z|x)}\left[t\right]": "E[z ~ q(z | x)](t)", r"\mathbb{E}_q[\log p(z)]": "E[z ~ q](log p(z))",
    r"D_{\mathrm{KL}}(q(z|x) \,\|\, p(z))": "KL(q(z | x) || p(z))", r"\mathrm{KL}[q\,||\,p]": "KL(q || p)",
    r"KL(q|p)": "KL(q || p)",
    r"D_{KL}\left(q_\phi(z|x) \middle\| p_\theta(z)\right)": "KL(q(z | x) || p(z))",
    r"\mathbb{E}_{u\sim p_{\text{data}}}[\log D(u)]": "E[u ~ p_data](log(D(u)))",
    r"\int p_{data}(u) \log D(u)\,du": "E[u ~ p_data(u)](log(D(u)))", r"\int_0^1 a^2 \,da": "integral[a: 0..1](a^2)",
    r"\mathrm{JS}(p_{data} \| p_g)": "JS(p_data, p_g)",
    r"\mathrm{KL}(p_{data} \| \frac{p_{data} + p_g}{2})": "E[u ~ p_data](log(p_data(u)) - log((p_data(u) + p_g(u))/2))",
    r"H(p)": "entropy(p)", r"\arg\min_w L": "argmin(L, w)",
    r"\mathbb{E}_{z \sim q(\cdot \mid x)}[t]": "E[z ~ q(z | x)](t)",
    r"\mathbb{E}_{z \sim \mathcal{N}(\mu, s^2)}[t]": "E[z ~ Normal(mu, s)](t)",
    r"\mathbb{E}_{z \sim \mathcal{N}(0, I)}[t]": "E[z ~ Normal(zeros(k), 1)](t)",
}  # fmt: skip


@pytest.mark.parametrize("tex, wanted", FORMS.items())
def test_a_formula_means_what_it_says(tex, wanted):
    assert unparse(read_expression(tex, SYMBOLS)) == unparse(parse_expression(wanted))


@pytest.mark.parametrize("tex", [r"w v", r"w^\top + v", r"X^\top w^\top", r"\log(t)^2", r"t/t t", r"1/2t", r"\prod_i y_i t",
    r"\mathrm{KL}(\frac{p_{data} + p_g}{2} \| p_{data})"])  # fmt: skip
def test_what_has_no_meaning_or_two_is_told(tex):
    with pytest.raises(SpecError):
        read_expression(tex, SYMBOLS)


def chains(tex, symbols=SYMBOLS):
    return read_display(Source(tex), None, symbols).chains


def test_rows_go_on_with_the_chain():
    (chain,) = chains(r"\begin{align} L &= t && \text{first} \\ &\le t^2 + 1 \\ &\quad + 2 \end{align}")
    assert [s.relation for s in chain.relations] == ["=", "<="]
    assert chain.relations[0].reason == "first"
    assert unparse(chain.sides[2]) == "t^2 + 1 + 2"


def test_two_equations_are_two_chains():
    assert len(chains(r"\begin{align} t &= 1 \\ \lambda &= 2 \end{align}")) == 2
    assert len(chains(r"t = 1, \quad \lambda = 2")) == 2


def test_brackets_may_go_over_rows():
    (chain,) = chains(r"\begin{align} L &= \left( t \right. \\ & \left. + 1 \right) t \end{align}")
    assert unparse(chain.sides[1]) == "(t + 1)*t"


def test_free_indices_mean_for_all():
    (chain,) = chains(r"r_i = \sum_j X_{ij} w_j - y_i")
    assert unparse(chain.sides[1]) == "tensor[i](sum[j](X[i, j]*w[j]) - y[i])"


def test_proportion_is_in_what_the_density_is_of():
    (chain,) = chains(r"p(z) \propto t p(z)")
    assert [n.name for n in chain.relations[0].over] == ["z"]


def test_macros_are_expanded_where_they_are_used():
    text = r"\newcommand{\half}[1][2]{\frac{1}{#1}} \DeclareMathOperator{\Tr}{tr} $$ L = \half t + \Tr(A) $$"
    macros, places = definitions(text)
    (span,) = displays(text, skip=places)
    (chain,) = read_display(Source(text), span, SYMBOLS, macros).chains
    assert unparse(chain.sides[1]) == "1/2*t + tr(A)"
    assert text[chain.sides[1].span.start : chain.sides[1].span.end].startswith(r"\half")


def test_undeclared_names_are_told_and_the_other_sides_read():
    (chain,) = chains(r"t = \alpha = t")
    assert isinstance(chain.sides[1], Unread) and chain.sides[1].undeclared[0][0] == "alpha"
    assert unparse(chain.sides[2]) == "t"


HOSTILE = {
    "a macro of itself": r"\def\x{\x}\x = 1", "macros in a circle": r"\def\a{\b}\def\b{\a}\a=1",
    "a macro that doubles": r"\def\a#1{\a{#1#1}}\a{x} = 1", "braces": "{" * 20_000, "brackets": "(" * 20_000,
    "nested": "(" * 9_000 + "x" + ")" * 9_000, "left": r"\left(" * 500, "nothing": "\x00", "logarithms": r"\log " * 3_000 + "x=1",
    "fractions": r"\frac{1}{" * 3_000 + "x" + "}" * 3_000, "bars": "|" * 5_000, "unbalanced": r"\left( x \right] ) } = {",
    "letters": "a" * 20_000 + "=x", "digits": "9" * 5_000 + "=x", "surrogate": "x=\ud800", "turned": "x=\u202ey",
    "environments": r"\begin{cases}" * 300, "scripts": "x_" * 5_000, "two powers": "x^2^2 = 1", "end": "x = \\",
}  # fmt: skip
bomb = "".join(rf"\def\{chr(97 + i)}{{\{chr(98 + i)}\{chr(98 + i)}}}" for i in range(24)) + r"\a = 1"
HOSTILE["a bomb of macros"] = bomb


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("symbols", [None, SYMBOLS], ids=["without", "with"])
def test_hostile_latex_is_told_once(text, symbols):
    display = read_display(Source(text, "hostile.tex"), None, symbols)
    mistakes = [display.mistake] if display.mistake else [u.mistake for c in display.chains for u in c.unread]
    assert mistakes
    assert mistakes[0] is None or "hostile.tex" in str(mistakes[0])


def test_a_huge_power_stays_one():
    assert unparse(read_expression("t^{10^{10^{10}}}", SYMBOLS)) == "t^10^10^10"


@pytest.mark.parametrize("seed", range(20))
def test_torn_formulas_are_read_or_told(seed):
    """Nothing but diagnostics comes of formulas with a piece cut out or put in."""
    r = random.Random(seed)
    texts = list(FORMS)
    for _ in range(40):
        text, other = r.choice(texts), r.choice(texts)
        k, j = r.randrange(len(text) + 1), r.randrange(len(other) + 1)
        torn = text[:k] + (text[k + r.randrange(1, 5) :] if r.random() < 0.5 else other[j : j + 12] + text[k:])
        for symbols in (None, SYMBOLS):
            display = read_display(Source(torn), None, symbols)
            assert display.mistake is not None or display.chains is not None


SPEC_OF_DISPLAYS = """
dim n, d
data X: real[n, d], y: real[n]
param w: real[d], A: real[d, d], S: spd[d, d], b: real, mu: real[d], s: positive[d]
const lambda: positive = 1/2, sigma: positive = 1
let r = X @ w - y
loss L = r @ r/(2*n) + lambda/2*norm(w)^2
"""
# a display, its verdict, and what is suggested
DRAWN_AND_MENDED = [
    (r"\mathbb{E}_{x \sim \mathcal{N}(b, \sigma^2)}[x^2] = b^2 + \sigma^2", "proved", None),
    (r"\mathbb{E}_{x \sim \mathcal{N}(b, \sigma^2)}[x^2] = b^2", "refuted", None),
    (r"E_{u \sim \mathcal{U}(0, 1)}[u^2] = \frac13", "proved", None),
    (r"\operatorname{Var}_{x \sim \mathcal{N}(b, \sigma^2)}[2x] = 4\sigma^2", "proved", None),
    (r"\mathbb{E}_{u \sim \mathrm{Exponential}(\lambda)}[u] = \lambda", "refuted", None),
    (r"\nabla_w L = \frac{1}{n} X^\top (Xw - y) - \lambda w", "refuted", r"`+ \lambda w` for `- \lambda w`"),
    (r"\nabla_b (b^2) = -(2 b)", "refuted", None),
    (r"(AS)^{-1} = A^{-1}S^{-1}", "refuted", r"`S^{-1} A^{-1}` for `A^{-1}S^{-1}`"),
    (r"\log \prod_i s_i = \prod_i \log s_i", "refuted", r"`\sum_i \log s_i` for `\prod_i \log s_i`"),
    (r"\|Xw - y\|^2 = w^\top X^\top X w - y^\top X w + y^\top y", "refuted", r"`2 y^\top X w` for `y^\top X w`"),
    (r"\binom{5}{2} + b = 10 + b", "proved", None),
    (r"\binom{5}{2} + b = 20 + b", "refuted", None),
]


@pytest.mark.parametrize(("tex", "status", "suggestion"), DRAWN_AND_MENDED)
def test_what_is_drawn_is_bound_and_suggestions_are_latex(tex: str, status: str, suggestion: str | None) -> None:
    model = symgen.loads(SPEC_OF_DISPLAYS)
    source = Source(f"\\[ {tex} \\]", "paper.tex")
    (verdict,) = verdicts_of_displays(model, source)
    assert verdict.status == status
    said = verdict.suggestion
    assert suggestion is None or said == suggestion
    if said is not None:
        assert "@" not in said and "*" not in said
        for text in said.split("` for `"):
            assert text.count("(") == text.count(")") and text.count("{") == text.count("}")

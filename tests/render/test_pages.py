"""A derivation is one page in every format; what people wrote in it is text, never markup."""

import base64
import json
import re
from types import SimpleNamespace

import pytest

import symgen
from symgen.derivation.derivation import Evidence, Step
from symgen.render import derivation as pages
from symgen.render import html, markdown, pdf, terminal, tex
from symgen.render.page import Code, Figure, Heading, Items, Mono, Page, Paragraph, Table
from symgen.render.report import (
    Section,
    report_figures,
    report_html,
    report_latex,
    report_markdown,
    report_pdf,
    report_text,
)
from symgen.render.verdict import json as verdict_json
from symgen.render.verdict import text as verdict_text

LOGISTIC = """
dim n, d
data  X: real[n, d], y: binary[n]
param w: real[d]
const lam: positive = 1e-3
let p = sigmoid(X @ w)
loss L = -mean(y*log(p) + (1 - y)*log(1 - p)) + lam/2 * w @ w
derive g = grad(L, w)
claim right: grad(L, w) = X' @ (p - y)/n + lam*w "by the chain rule"
claim wrong: grad(L, w) = X' @ (y - p)/n + lam*w
"""
PARTS = [
    "Derivation of grad(L, w)\n════════════════════════\n",
    "Given X: real[n, d], y: binary[n], w: real[d] and lam: positive.",
    "    p = sigmoid(X @ w)\n",
    "    L = lam*(w @ w)/2 - sum(y*log(p) + (1 - y)*log(1 - p))/n\n",
    "Derivation\n──────────\n",
    "    grad(L, p) = (p - y)/(n*p*(1 - p))   (differentiated, sum and the log)\n",
    "    grad(L, X @ w) = (p - y)/n   (chain rule, the sigmoid: p*(1 - p))\n",
    "    grad(L, w) = X' @ (p - y)/n + lam*w   (",
    "Result\n──────\n\n    grad(L, w) = X' @ (p - y)/n + lam*w\n",
    "Checked at 2 random points to 30 digits (central differences in ball arithmetic).\n",
]
HOSTILE = "</script><img src=x onerror=alert(1)> $\\input{/etc/passwd}$ `a` **b** [c](http://d) \u202e\x1b[31m"
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


@pytest.fixture(scope="module")
def model():
    return symgen.loads(LOGISTIC, name="logistic.sg")


@pytest.fixture(scope="module")
def derived(model):
    return model.derive("grad(L, w)")


def test_a_derivation_reads_like_a_textbook(derived):
    text, place = pages.text(derived, 100), 0
    for part in PARTS:
        place = text.find(part, place)
        assert place >= 0, part
        place += len(part)
    assert place == len(text)


def test_lines_keep_within_a_narrow_window(derived):
    assert max(map(len, pages.text(derived, 60).splitlines())) <= 66


def test_latex_is_aligned_and_compiles(derived, tmp_path):
    body = pages.latex(derived)
    assert r"\begin{align*}" in body and r"X^{\top} (p - y)" in body and r"\lambda w" in body
    if pdf.available():
        derived.pdf(tmp_path / "page.pdf")
        assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


def test_html_stands_alone(derived):
    text = pages.html(derived)
    outside = re.sub(r"<script>.*?</script>", "", text, flags=re.S)
    assert not re.search(r'<(link|img|script)[^>]*(src|href)="(?!data:)', outside)
    assert "Content-Security-Policy" in text and "default-src &#x27;none&#x27;" not in text
    assert "url(fonts" not in text


def test_json_has_a_schema_and_a_version(derived):
    data = json.loads(pages.json(derived))
    assert data["schema"] == "symgen.derivation" and data["version"] == 1
    assert data["result"]["text"] == "X' @ (p - y)/n + lam*w"
    assert data["evidence"]["kind"] == "checked"
    assert {"rule", "before", "after", "reason"} <= set(data["steps"][0])


def test_the_display_of_a_notebook_is_the_result(derived):
    assert pages.latex_display(derived).startswith("$$") and r"\top" in pages.latex_display(derived)


def test_what_people_write_is_escaped_everywhere():
    page = Page(
        HOSTILE,
        [
            Heading(1, (HOSTILE,)), Paragraph((HOSTILE, Mono(HOSTILE)), "note"), Items(((HOSTILE,),)),
            Code(HOSTILE + "\n```\n"), Table((HOSTILE,), (((HOSTILE,),),)), Figure(PNG, HOSTILE),
        ],
    )  # fmt: skip
    web = html.document(page)
    assert "<img src=x" not in web and "onerror=alert(1)>" not in web
    assert web.count("</script>") == 2
    md = markdown.render(page)
    fenced = re.sub(r"(`{4,}).*?\1", "", md, flags=re.S)
    assert "<img" not in re.sub(r"`+[^`]*`+", "", fenced) or r"\<img" in fenced
    assert "\x1b" not in terminal.render(page) and "\u202e" not in terminal.render(page)
    latex = tex.document(page)
    assert r"\input{" not in latex
    if pdf.available():
        assert pdf.compiled(latex, {"figure.png": PNG}).startswith(b"%PDF")


def test_hostile_reasons_and_notes_do_no_harm(derived):
    stranger = SimpleNamespace(
        goal=derived.goal, model_name="m", array=derived.array, record=None, names=derived.names,
        author_names=derived.names, definitions=[], assumptions=["X: real[n, d]", HOSTILE], notes=[HOSTILE],
        steps=[Step("rule_" + HOSTILE, None, derived.array, reason=HOSTILE, source=HOSTILE)],
        evidence=Evidence("checked", (HOSTILE,), 30, 2, HOSTILE),
    )  # fmt: skip
    assert "<img src=x" not in pages.html(stranger)
    assert "\x1b" not in pages.text(stranger)
    assert r"\input{" not in pages.latex(stranger)
    json.loads(pages.json(stranger))
    if pdf.available():
        assert pdf.compiled(pages.latex_document(stranger))


@pytest.mark.parametrize("kind", ["proved", "checked", "refuted", "malformed", "unknown"])
def test_evidence_is_told_in_words(kind):
    words = terminal.inline(pages.evidence_words(Evidence(kind, ("a > 0",), 40, 3, "balls", ("limits",))))
    assert words.endswith(".") and words[0].isupper()
    assert kind not in ("proved", "checked") or "a > 0" in words
    assert kind != "checked" or "3 random points to 40 digits" in words


def test_a_verdict_marks_its_steps_and_shows_where_it_fails(model):
    right, wrong = model.check("right"), model.check("wrong")
    assert "✓" in verdict_text(right) and "by the chain rule" in verdict_text(right)
    text = verdict_text(wrong)
    assert "✗ refuted" in text and "does not hold" in text and " is " in text
    assert json.loads(verdict_json(wrong))["status"] == "refuted"


def test_a_report_holds_derivations_verdicts_code_and_pictures(model, derived):
    sections = [
        Section("Gradient", (derived, model.check("right"), "A sentence.")),
        ("Training", [Code("print(1)", "python"), Figure(PNG, "the loss"), Figure(PNG, "digits")]),
    ]
    web = report_html("Tour & report", sections)
    assert "Tour &amp; report" in web and web.count("data:image/png;base64,") == 2 and 'href="#s2"' in web
    assert set(report_figures("Tour", sections)) == {"figure1.png", "figure2.png"}
    latex = report_latex("Tour", sections)
    assert r"\includegraphics" in latex and "graphicx" in latex
    assert "Gradient" in report_markdown("Tour", sections) and "[figure: digits]" in report_text("Tour", sections)
    if pdf.available():
        assert report_pdf("Tour", sections).startswith(b"%PDF")


def test_records_are_titled_parts():
    m = symgen.loads("param x: real, y: real\nconst h: positive\nlet V = x*y\ngame g = {y: max V, x: min V}\n")
    text = m.derive("stability(g, method=simultaneous, step=h)").text()
    assert "Jacobian:" in text and "Eigenvalues:" in text and "diverges" in text and "λ_1 = " in text


def test_a_step_that_is_no_equality_is_not_written_as_one():
    m = symgen.loads(
        "density p_data(x), p_g(x)\nfunction D(x): unit\n"
        "let V = E[x ~ p_data](log(D(x))) + E[x ~ p_g](log(1 - D(x)))\ngame gan = {D: max V, p_g: min V}\n"
    )
    text = m.derive("best_response(gan, D)").text()
    assert "p_data/D - p_g/(1 - D) = 0" in text
    assert "D = p_data/(p_data + p_g)" in text
    assert "V = p_" not in text


def test_the_best_values_of_several_parameters_have_names():
    spec = "dim n\nparam mu: real, s: positive\ndata x: real[n]\ndist p(x) = Normal(mu, s)"
    page = symgen.loads(spec).derive("mle(p, [mu, s])").text()
    assert "μ_hat = sum(x)/n" in page and "s_hat = norm(x - μ_hat)/sqrt(n)" in page and "= [μ_hat, s_hat]" in page


def test_a_marginal_is_told_as_a_mean():
    spec = "param a: positive, b: positive\ndist p(l) = Gamma(a, b)\ndist p(x | l) = Poisson(l)"
    page = symgen.loads(spec).derive("marginal(p, x)").text()
    assert "E[l ~ p(l)](p(x | l))   (the law of total probability)" in page and "(recognised: a NegativeBinomial)" in page
    assert "(b/(b + 1))^a" in page


NAMED = {
    "an ELBO": ("dim d\nparam m: real[d], s: positive[d], W: real[3, d], t: positive\ndata x: real[3]\n"
                "dist p(z) = Normal(zeros(d), ones(d))\ndist p(x | z) = Normal(W @ z, t)\ndist q(z) = Normal(m, s)", "elbo(q, p)"),
    "attention": ("dim n, d, k\ndata X: real[n, d]\nparam Q: real[d, k], K: real[d, k]\nlet A = softmax(X @ Q @ K' @ X')\n"
                  "loss L = sum((A @ X)^2)/2", "grad(L, Q)"),
    "a mixture": ("dim n, k\ndata x: real[n]\nparam m: real[k], w: simplex[k]\n"
                  "loss L = -sum(logsumexp(log(w) - (x[:, None] - m)^2/2, axis=1))", "hessian(L, m)"),
    "the best": ("dim n\ndata x: real[n]\nparam m: real, s: positive\ndist p(x) = Normal(m, s)", "mle(p, [m, s])"),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("style, detail", [("chain", 2), ("chain", 3), ("differentials", 2), ("differentials", 3)])
def test_every_name_that_a_page_gives_is_defined_on_it(name, style, detail):
    spec, goal = NAMED[name]
    page = symgen.loads(spec).derive(goal, style=style, detail=detail).text()
    used = set(re.findall(r"δ[_A-Za-z0-9]*|\w+_hat", page))
    assert {u for u in used if not re.search(rf"(^|= ) *{u} = ", page, re.M)} == set()


@pytest.mark.parametrize("goal", ["grad(L, W1)", "grad(L)"])
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_layers_of_a_network_stand_side_by_side(depth, goal):
    spec = ["dim n, d", "data X: real[n, d], y: real[n, d]"]
    for k in range(1, depth + 1):
        spec += [f"param W{k}: real[d, d]", f"let Z{k} = {'X' if k == 1 else f'tanh(Z{k - 1})'} @ W{k}"]
    spec += [f"loss L = norm(Z{depth} - y)^2/2"]
    model = symgen.loads("\n".join(spec))
    d = model.derive(goal)
    rows = [re.split("  +", line.strip()) for line in d.text().splitlines() if re.match(r"Z\d = .*  +\S.* = ", line)]
    assert len(rows) == (depth if depth > 2 else 0)
    names = {f"δ_Z{m}": model.derive(f"grad(L, Z{m})").text_result for m in range(1, depth)}
    for k, (_, backward, *gradients) in enumerate(rows, 1):  # what stands at the right is the derivative that it says
        for told in (backward.replace(f"δ_Z{k} =", f"grad(L, Z{k}) ="), *gradients):
            for name, text in sorted(names.items(), reverse=True):
                told = told.replace(name, f"({text})")
            assert model.check(told).status == "proved"
        assert len(gradients) == (goal == "grad(L)" or k == 1)
    if rows:
        assert "\\begin{tabular}" in d.latex() and "| Forward | Backward | Gradients |" in d.markdown()


def test_the_parts_of_a_convex_function_are_told_each():
    page = symgen.loads("dim n, d\ndata X: real[n, d]\nparam w: real[d]").derive("convex(logsumexp(X @ w) + w @ w/2, w)").text()
    page = " ".join(page.split())
    told = [page.index(f"→ {x} (curv") for x in ("logsumexp(X @ w)", "w^2", "w @ w", "logsumexp(X @ w) + w @ w/2")]
    assert told == sorted(told) and "δ" not in page

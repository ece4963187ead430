"""Derivations in LaTeX, Markdown and notebooks, checked against a spec."""

import json

import pytest

from symgen.documents import verify_document
from symgen.text.diagnostics import CannotDerive
from symgen.text.latex import displays

SPEC = """
dim n, d
data X: real[n, d], y: real[n]
param w: real[d]
const lam: positive
let r = X @ w - y
loss L = r @ r/(2*n) + lam/2 * w @ w
"""
RIGHT = r"\nabla_w L = \frac{1}{n} X^\top (Xw - y) + \lambda w"
WRONG = r"\nabla_w L = \frac{1}{n} X^\top (Xw + y) + \lambda w"
PAPER = rf"""
\newcommand{{\w}}{{\mathbf{{w}}}}
Text with $x$ in it, and % \[ a comment \]
\begin{{align}}
\nabla_\w L &= \frac{{1}}{{n}} X^\top r + \lambda \w \label{{eq:grad}} \\
            &= \frac1n X^\top X \w - \frac1n X^\top y + \lambda \w && \text{{put r in}}
\end{{align}}
\[ {WRONG} \]
\[ \alpha = L \]
\[ \nabla_w L = \bigl( X^\top r / n + \lambda w \]
\[ X \in \mathbb{{R}}^{{n \times d}} \]
$$ L = \frac{{1}}{{2n}} \sum_{{i=1}}^n (x_i^\top w - y_i)^2 + \frac\lambda2 \|w\|^2 $$
"""


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "ridge.sg"
    path.write_text(SPEC)
    return path


def test_a_paper_is_checked_step_by_step(tmp_path, spec):
    paper = tmp_path / "paper.tex"
    paper.write_text(PAPER)
    found = verify_document(paper, spec=spec)
    assert [v.status for v in found] == ["proved", "refuted", "unknown", "malformed", "proved"]
    assert found[0].name == "eq:grad" and len(found[0].steps) == 2
    assert "paper.tex:8" in found[1].text() and "`- y` for `+ y`" in found[1].text()
    assert "`alpha` is not declared" in found[2].text()
    assert "never closed" in found[3].text() and "paper.tex:10" in found[3].text()


def test_a_step_that_is_not_read_leaves_the_others_checked(tmp_path, spec):
    paper = tmp_path / "paper.tex"
    paper.write_text(r"\[ r^\top r = \beta = \|Xw - y\|^2 = \|Xw + y\|^2 \]")
    (found,) = verify_document(paper, spec=spec)
    assert [s.status for s in found.steps] == ["unknown", "proved", "refuted"]


def test_markdown_and_notebooks_hold_displays_too(tmp_path, spec):
    text = f"Text\n\n$$ {RIGHT} $$\n\n```\n$$ {WRONG} $$\n```\n\n\\[ {WRONG} \\]\n"
    page = tmp_path / "notes.md"
    page.write_text(text)
    assert [v.status for v in verify_document(page, spec=spec)] == ["proved", "refuted"]
    notebook = tmp_path / "notes.ipynb"
    notebook.write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": [text]}]}))
    assert [v.status for v in verify_document(notebook, spec=spec)] == ["proved", "refuted"]


def test_latex_needs_a_spec(tmp_path):
    paper = tmp_path / "paper.tex"
    paper.write_text(PAPER)
    with pytest.raises(CannotDerive, match="spec"):
        verify_document(paper)


def test_macros_stand_in_a_file_beside_the_paper(tmp_path, spec):
    (tmp_path / "macros.tex").write_text(r"\newcommand{\grad}[1]{\nabla_{#1}}")
    paper = tmp_path / "paper.tex"
    paper.write_text("\\input{macros}\n" + r"\[ \grad{w} L = X^\top r/n + \lambda w \]")
    assert [v.status for v in verify_document(paper, spec=spec)] == ["proved"]


def test_displays_are_found_and_comments_are_not():
    text = r"\% \[ a \] % \[ b \]" "\n" r"$$ c $$ \begin{verbatim} \[ d \] \end{verbatim} \begin{align*} e \end{align*} \\[2mm]"
    assert [text[s.start : s.end].strip() for s in displays(text)] == ["a", "c", r"\begin{align*} e \end{align*}"]

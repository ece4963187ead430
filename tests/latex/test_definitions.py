"""Names that a document defines itself hold from there on, and are told."""

import pytest

import symgen
from symgen.displays import verdicts_of_displays
from symgen.text.tree import Source

SPEC = """
dim n, d
data X: real[n, d], y: real[n]
param w: real[d], b: real, u: real
const lam: positive
let r = X @ w - y
loss L = r @ r/(2*n) + lam/2 * w @ w
def phi(t) = t^3
density f_a(z), f_b(z)
"""
MODEL = symgen.loads(SPEC)
HESSIAN = r"\[ H = \frac1n X^\top X + \lambda I \] "

# a document, what it defines, and the verdicts on its claims
PAPERS = {
    HESSIAN + r"\[ \nabla_w^2 L = H \]": ("H", "proved"),
    HESSIAN + r"\[ \nabla_w^2 L = H + I \]": ("H", "refuted"),
    r"\[ g := \nabla_w L = X^\top r/n + \lambda w \]": ("g", "proved"),
    r"\[ g = \nabla_w L = X^\top r/n - \lambda w \]": ("g", "refuted"),
    r"\[ g = \nabla_w L \] \[ g = X^\top r \]": ("g", "refuted"),
    r"\[ G := X X^\top \] \[ G := X^\top X \] \[ \operatorname{tr} G = \sum_i \|x_i\|^2 \]": ("G G", "proved"),
    r"\[ f(t) = \log(1 + e^t) \] \[ f'(b) = \frac{1}{1 + e^{-b}} \]": ("f", "proved"),
    r"\[ f(t) = \log(1 + e^t) \] \[ f'(b) = \frac{1}{1 + e^{b}} \]": ("f", "refuted"),
    r"\[ f(t) = \log(1 + e^t), \quad f'(t) = \frac{1}{1 + e^{-t}} \]": ("f", "proved"),
    r"\[ f(t) = \log(1 + e^t) \] \[ f'(2b + 1) = \frac{1}{1 + e^{-2b - 1}} \]": ("f", "proved"),
    r"\[ f(t) = t^2 \] \[ h(t) = t f(t) \] \[ h''(b) = 6b \]": ("f h", "proved"),
    r"\[ \phi'(u) = 3u^2, \quad \phi''(u) = 6u, \quad \phi'(2u) = 6u^2 \]": ("", "proved proved refuted"),
    r"\[ J(w) = L(w) + b \] \[ \nabla_w J(w) = \nabla_w L \]": ("J", "proved"),
    r"\[ \nabla_w J = X^\top r / n \] where \[ J = \frac{1}{2n} \|Xw - y\|^2 \]": ("J", "proved"),
    r"\[ p_i = \sigma(x_i^\top w) \] \[ \sum_i p_i = \sum_{i=1}^n \frac{1}{1 + e^{-x_i^\top w}} \]": ("p", "proved"),
    r"\[ P_{ij} = w_j y_i \] \[ P_{12} = w_2 y_1 \]": ("P", "proved"),
    r"\[ P_{ij} = w_j y_i \] \[ P_{12} = w_1 y_2 \]": ("P", "refuted"),
    r"\[ D^*(z) = \frac{f_a(z)}{f_a(z) + f_b(z)} \] \[ D^*(z) = 1 - \frac{f_b(z)}{f_a(z) + f_b(z)} \]": ("D_star", "proved"),
    r"\[ \hat{w} = (X^\top X)^{-1} X^\top y \]": ("w_hat", ""),
    r"\[ \alpha w = \beta w \]": ("", "unknown"),
    r"\[ Q = Q + L \]": ("", "unknown"),
    r"\[ Q = X + y \]": ("", "malformed"),
}


@pytest.mark.parametrize("text", PAPERS)
def test_what_a_document_defines_holds_in_it(text):
    found = verdicts_of_displays(MODEL, Source(text, "paper.tex"))
    defined, statuses = PAPERS[text]
    assert sorted(v.defines for v in found if v.defines) == defined.split()
    assert [v.status for v in found if not v.is_definition] == statuses.split()
    assert all("is not declared in the spec" in v.text() for v in found if v.is_definition)


def test_a_spec_is_not_changed_by_a_document():
    verdicts_of_displays(MODEL, Source(HESSIAN, "paper.tex"))
    assert "H" not in MODEL.elaborated.lets

"""Brackets are neither doubled nor missing, operations keep their names, and all that is shown is declared."""

from __future__ import annotations

import re

import pytest

import symgen

SPEC = """
dim n, d, k
data R: real[n, k], X: real[n, d], Y: real[n, k]
param m: real[k], v: positive[k], P: positive[n, k], M: real[d, d], S: real[k, k], w: real[d], u: real[d]
const lam: positive = 0.1, tau: positive = 2
let r = X @ w
loss L = norm(r)^2/n + lam*norm(w)^2
loss K = L + tau*norm(u)^2
"""

# an expression, and how it is to stand in LaTeX
DISPLAYS = {
    "(R' @ ones(n) - v*m)/v": r"(R^{\top} \mathbf{1} - v \odot m) \oslash v",
    "-Y/(n*P)": r"-Y \oslash (n P)",
    "Y/(P*R)": r"Y \oslash (P \odot R)",
    "m/(S @ v)": r"m \oslash (S v)",
    "m/(R' @ R @ v)": r"m \oslash (R^{\top} R v)",
    "m/sum(R, axis=0)": r"m \oslash (R^{\top} \mathbf{1})",
    "(m - v)/v": r"(m - v) \oslash v",
    "((m - v)*v + m)/v^2": r"((m - v) \odot v + m) \oslash v^{\odot 2}",
    "Y/P": r"Y \oslash P",
}


@pytest.mark.parametrize("text", DISPLAYS)
def test_brackets_are_as_on_paper(text: str) -> None:
    shown = symgen.loads(SPEC).derive(text).latex()
    assert DISPLAYS[text] in shown
    assert not re.search(r"\(\([^()]*\)\)", shown), "no bracket is doubled"


@pytest.mark.parametrize(
    "text",
    ["kron(M, S)", "vec(M)", "concat(w, u)", "cumsum(w)", "cumprod(w)", "cumprod(X)", "stack(w, u)", "stack(u, w, u)",
     "exp(cumsum(w))", "reshape(M, d^2)", "2*kron(M, S)", "stack(w + u, u)"],
)  # fmt: skip
def test_operations_keep_their_names(text: str) -> None:
    m = symgen.loads(SPEC)
    d = m.derive(text)
    assert d.text_result.replace(" ", "") in (text.replace(" ", ""), text.replace(" ", "").replace("w+u", "u+w"))
    assert m.check(f"{text} = {d.text_result}").status == "proved"


@pytest.mark.parametrize(("goal", "names"), [("grad(L, w)", "X w lam"), ("grad(K, u)", "X w u lam tau"), ("L", "X w lam")])
def test_all_that_the_definitions_use_is_declared(goal: str, names: str) -> None:
    text = symgen.loads(SPEC).derive(goal).text()
    given = text[text.index("Given") : text.index("where")] if "where" in text else text[text.index("Given") :].split("\n\n")[0]
    for name in names.split():
        assert re.search(rf"\b{ {'lam': 'lam', 'tau': 'τ'}.get(name, name) }:", given), (name, given)

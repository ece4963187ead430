"""Every line of a derivation is true: adjoints against differences in balls, differentials against those in float."""

from __future__ import annotations

import numpy as np
import pytest

import symgen
from symgen.calculus.gradient import gradient
from symgen.derivation.context import Context
from symgen.derivation.referee import check_derivative
from symgen.tensor.evaluate import FLOAT, Point, evaluate
from symgen.tensor.expression import Array, Operator, Var, replace_arrays, var, variables_of
from symgen.tensor.facts import is_symmetric
from tests.calculus.problems import GRADIENTS, Problem
from tests.calculus.test_gradient import direction_of, point_for

SMOOTH = [p for p in GRADIENTS if p.x.isidentifier() and p.form is None and f"{p.x} =" not in p.lets]
STEP = 1e-5


def told(problem: Problem, **how: object) -> tuple[Array, Array, Context]:
    f, x, names = problem.parts()
    ctx = Context(names=names, **how)  # type: ignore[arg-type]
    gradient(f, [x], ctx)
    return f, x, ctx


@pytest.mark.parametrize("problem", SMOOTH[::3], ids=str)
def test_every_adjoint_that_is_told_is_the_gradient_by_that_value(problem: Problem) -> None:
    f, _, ctx = told(problem, detail=3)
    asked = 0
    for step in ctx.trace.steps:
        if not isinstance(step.before, Operator) or step.before.name != "grad":
            continue
        by, result = step.before.args[1], step.after
        if isinstance(by, Var) or asked > 3 or not isinstance(result, Array):
            continue
        kind = "symmetric" if by.rank == 2 and is_symmetric(by) else "real"  # such a value moves within its set
        free = var("_by", by.shape, kind, "placeholder", uid=91)
        value, claim = replace_arrays(f, {by: free}), replace_arrays(result, {by: free})
        if free not in variables_of(value):
            continue
        # InternalError where it is wrong; a random value may lie where f is not defined
        assert check_derivative(value, [free], [claim]).kind in ("checked", "unknown")
        asked += 1


@pytest.mark.parametrize("problem", SMOOTH[1::3], ids=str)
def test_every_line_of_differentials_holds_along_a_direction(problem: Problem) -> None:
    f, x, ctx = told(problem, style="differentials")
    lines = [s for s in ctx.trace.steps if s.rule in ("differential", "put_in")]
    found = {v for s in lines for n in (s.before, s.after) if n is not None for v in variables_of(n) if v.uid == 17}
    names = {f"d{name}": a for a, name in {**ctx.names, **ctx.trace.names}.items()}
    names |= {f"d{v.name}": v for v in variables_of(f)}
    names["df"] = names.get("df", f)
    meaning = {v: names[v.name] for v in found if v.name in names}
    assert len(meaning) == len(found)
    nodes = [n for s in lines for n in (s.before, s.after) if n is not None]
    point = point_for(problem, [f, x, *nodes])
    d = direction_of(x, point, problem.form)

    def at(t: float) -> list[np.ndarray]:
        values = {**point.values, x: point.values[x] + t * d}
        return [np.asarray(a, float) for a in evaluate(list(meaning.values()), Point(point.sizes, values), FLOAT)]

    moved = {v: (a - b) / (2 * STEP) for v, a, b in zip(meaning, at(STEP), at(-STEP), strict=True)}
    there = Point(point.sizes, {**point.values, **moved})
    for s in lines:
        left, right = evaluate([s.before, s.after], there, FLOAT)
        scale = 1 + np.max(np.abs(np.asarray(right, float)), initial=0)
        assert np.allclose(np.asarray(left, float), np.asarray(right, float), atol=1e-6 * scale)


LOGISTIC = """
dim n, d
data  X: real[n, d], y: binary[n]
param w: real[d]
const lam: positive = 1e-3
let p = sigmoid(X @ w)
loss L = -mean(y*log(p) + (1 - y)*log(1 - p)) + lam/2 * w @ w
"""


def test_the_styles_and_details_of_logistic_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")  # reasons stand beside their lines
    m = symgen.loads(LOGISTIC)
    chain = m.derive("grad(L, w)").text()
    first = chain.index("grad(L, p) = (p - y)/(n*p*(1 - p))")
    second = chain.index("grad(L, X @ w) = (p - y)/n   (chain rule, the sigmoid: p*(1 - p))")
    assert first < second < chain.index("grad(L, w) = X' @ (p - y)/n + lam*w   (chain rule over all uses")
    assert len(m.derive("grad(L, w)", detail=1).steps) < len(m.derive("grad(L, w)").steps)
    assert "simplified" in m.derive("grad(L, w)", detail=3).text()
    other = m.derive("grad(L, w)", style="differentials")
    assert "dz = X @ dw" in other.text() and "(read off, dL = g @ dw)" in other.text()
    assert other.text_result == m.derive("grad(L, w)").text_result
    with pytest.raises(ValueError, match="style"):
        m.derive("grad(L, w)", style="magic")


@pytest.mark.parametrize("style", ("chain", "differentials"))
def test_more_detail_is_more_lines_of_one_derivation(style: str) -> None:
    m = symgen.loads(LOGISTIC)
    told = [m.derive("grad(L, w)", style=style, detail=k) for k in (1, 2, 3)]
    lines = [len([s for s in d.steps if s.rule != "name"]) for d in told]
    assert lines[0] < lines[1] < lines[2]
    assert len({d.text_result for d in told}) == 1


def test_what_is_asked_first_is_not_mistaken_for_the_goal() -> None:
    m = symgen.loads("dim n\nparam S: spd[n, n]\ndata B: real[n, n]\nlet f = tr(inv(S) @ B)\n")
    d = m.derive("grad(f, S)")
    assert "M = inv(S)" in d.text() and "grad(f, M) = B'" in d.text()

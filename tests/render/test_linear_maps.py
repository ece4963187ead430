"""Derivatives of higher order say what they do to a direction, and the Kronecker form is the same map over vec."""

import numpy as np
import pytest

import symgen
from symgen.render.language import unparse
from symgen.render.linear_maps import as_linear_map, in_kronecker_form
from symgen.tensor.expression import Dim, variables_of, walk

SPEC = """
dim n, m, p
param A: real[p, n], B: real[m, p], C: real[n, n], Z: real[n, n], X: real[n, m], S: spd[n, n], x: real[n]
"""
SIZES = {"n": 4, "m": 3, "p": 2}
AT = np.random.default_rng(5)
VALUES = {"A": AT.normal(size=(2, 4)), "B": AT.normal(size=(3, 2)), "C": AT.normal(size=(4, 4)), "Z": AT.normal(size=(4, 4)),
          "X": AT.normal(size=(4, 3)), "x": AT.normal(size=4), "S": np.diag([1.0, 2, 3, 4]) + 0.1}  # fmt: skip
GOALS = {
    "jacobian(A @ X @ B, X)": ("A @ dX @ B", "kron(B', A)"),
    "jacobian(inv(Z), Z)": ("-inv(Z) @ dZ @ inv(Z)", "-kron(inv(Z)', inv(Z))"),
    "jacobian(X' @ C @ X, X)": ("dX' @ C @ X + X' @ C @ dX", "kron((C @ X)', eye(m)) @ K + kron(eye(m), X' @ C)"),
    "jacobian(Z @ Z, Z)": ("dZ @ Z + Z @ dZ", "kron(Z', eye(n)) + kron(eye(n), Z)"),
    "hessian(tr(Z @ C @ Z), Z)": ("(C @ dZ + dZ @ C)'", "kron(C, eye(n)) @ K + kron(eye(n), C') @ K"),
    "jacobian(S @ C, S)": ("dS @ C", "kron(C', eye(n))"),
    "hessian(logdet(S), S)": ("-inv(S) @ dS @ inv(S)", "-kron(inv(S)', inv(S))"),
    "hessian(x @ inv(S) @ x, S)": (
        "outer(inv(S) @ dS @ inv(S) @ x, inv(S) @ x) + outer(inv(S) @ x, inv(S) @ dS @ inv(S) @ x)",
        None,
    ),
    "hessian(tr(inv(Z)), Z)": (
        "(inv(Z) @ dZ @ inv(Z) @ inv(Z) + inv(Z) @ inv(Z) @ dZ @ inv(Z))'",
        "kron(inv(Z), inv(Z)' @ inv(Z)') @ K + kron((inv(Z)' @ inv(Z)')', inv(Z)') @ K",
    ),
    "jacobian(outer(x, x), x)": ("outer(dx, x) + outer(x, dx)", None),
    "jacobian(Z*C, Z)": ("C*dZ", None),
}


@pytest.mark.parametrize("goal", GOALS)
def test_a_derivative_is_a_linear_map(goal):
    model = symgen.loads(SPEC)
    d = model.derive(goal)
    along, value = as_linear_map(d._goal_array, d.array, d.author_names)
    wanted, kronecker = GOALS[goal]
    assert unparse(value) == wanted
    x = d._goal_array.args[1]
    found = in_kronecker_form(value, along, x) if x.rank == 2 else None
    assert (None if found is None else unparse(found)) == kronecker
    if kronecker is None:
        return
    direction = AT.normal(size=VALUES[x.name].shape)
    direction = direction + direction.T if x.name == "S" else direction
    a, b = (s.name for s in x.shape)
    over = symgen.loads(SPEC + f"param d{x.name}: real[{a}, {b}], K: real[{a}*{b}, {a}*{b}]\n")
    rows, columns = direction.shape
    swap = np.zeros((rows * columns, rows * columns))  # K vec(dX) = vec(dX')
    for i in range(rows):
        for j in range(columns):
            swap[i * columns + j, j * rows + i] = 1
    given = {**VALUES, f"d{x.name}": direction, "K": swap}
    matrix = evaluate(over, unparse(found), given)
    assert np.allclose(matrix @ direction.reshape(-1, order="F"), evaluate(over, wanted, given).reshape(-1, order="F"))


def evaluate(model, text, given):
    d = model.derive(text)
    variables = variables_of(d.array)
    shown = {n.name for v in variables for s in v.shape for n in walk(s) if isinstance(n, Dim)}
    sizes = {n.name: SIZES[n.name] for n in walk(d.array) if isinstance(n, Dim) and n.name not in shown}
    return np.asarray(d.evaluate(**{v.name: given[v.name] for v in variables}, **sizes))

"""Results are told in the form of the textbook where parts of them meet: equal terms inside a product, pieces, roots."""

import pytest

import symgen
from symgen.derivation.referee import check_equal_numeric

MODEL = symgen.loads(
    """
dim n, m, d
param A: real[n, d], B: real[n, d], x: real[n], a: real[n], b: real[n], c: real[m], W: real[m, n], S: spd[n, n], C: real[n, n]
param t: real, q: unit, r: positive, z: real[d], V: real[n, d]
"""
)
TOLD = """
d((x - t*(S @ x - b)) @ S @ (x - t*(S @ x - b))/2 - b @ (x - t*(S @ x - b)), t)
    = -(S @ (x - t*(S @ x - b)) - b) @ (S @ x - b)
hessian(exp(-(x - a) @ inv(S) @ (x - a)/2), x)
    = exp(-(x - a) @ inv(S) @ (x - a)/2)*(outer(inv(S) @ (x - a), inv(S) @ (x - a)) - inv(S))
jacobian(inv(diag(x) + C) @ b, x)
    = -inv(diag(x) + C) @ diag(inv(diag(x) + C) @ b)
grad(sum[i: n, j: n](exp(-norm(A[i] - A[j])^2)), A)
    = tensor[i: n, j: d](-4*sum[k: n]((A[i, j] - A[k, j])*exp(-sum[l: d]((A[i, l] - A[k, l])^2))))
grad(-sum(log(2*cosh(A' @ x))), A)
    = -outer(x, tanh(A' @ x))
grad(sum(relu(W @ x + c)^3), x)
    = 3*W' @ relu(W @ x + c)^2
grad(norm(max(W @ x - c, 0))^2/2, x)
    = W' @ max(W @ x - c, 0)
hessian(norm(max(W @ x - c, 0))^2/2, x)
    = W' @ diag(where(0 < W @ x - c, 1, 0)) @ W
jacobian(sign(x)*max(abs(x) - r, 0), x)
    = diag(where(0 < abs(x) - r, 1, 0))
grad(sum(max(q*(b - x), (q - 1)*(b - x))), x)
    = -where(0 < b - x, q, 0) - where(0 < x - b, q - 1, 0)
"""


@pytest.mark.parametrize("line", TOLD.strip().replace("\n    =", " =").splitlines())
def test_what_meets_inside_a_result_is_one(line):
    goal, wanted = line.split(" = ")
    derived = MODEL.derive(goal)
    assert derived.evidence.kind == "checked"
    assert len(derived.text_result) <= len(wanted)
    assert check_equal_numeric(derived.array, MODEL.derive(wanted).array).kind in ("checked", "proved")

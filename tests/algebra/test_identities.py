"""Identities of matrices that need facts: each is proved, and a slip in it is refuted."""

import pytest

import symgen

SPEC = """dim n, m, k
param A: real[n, n], B: real[n, n], C: real[n, n], X: real[n, m], U: real[n, k], W: spd[k, k], S: spd[n, n], T: spd[n, n]
param D: real[m, m], E: spd[m, m], Q: orthogonal[n, n], L: lower[n, n], K: skew[n, n], x: real[n], w: positive[n], t: real
"""
# what holds, and the same with a slip
IDENTITIES = [
    ("inv(kron(S, E)) = kron(inv(S), inv(E))", "inv(kron(S, E)) = kron(inv(E), inv(S))"),
    ("logdet(kron(S, E)) = m*logdet(S) + n*logdet(E)", "logdet(kron(S, E)) = n*logdet(S) + m*logdet(E)"),
    ("det(kron(A, D)) = det(A)^m*det(D)^n", "det(kron(A, D)) = det(A)*det(D)"),
    ("kron(A, D) @ kron(B, E) = kron(A @ B, D @ E)", "kron(A, D) @ kron(B, E) = kron(B @ A, D @ E)"),
    ("expm(A) @ expm(-A) = eye(n)", "expm(A) @ expm(A) = eye(n)"),
    ("expm(A) @ expm(2*A) = expm(3*A)", "expm(A) @ expm(2*A) = expm(2*A)"),
    ("inv(expm(t*A)) = expm(-t*A)", "inv(expm(t*A)) = expm(-A/t)"),
    ("expm(A - B) @ expm(B - A) = eye(n)", "expm(A - B) = expm(A) @ expm(-B)"),
    ("S @ inv(S + T) @ T = inv(inv(S) + inv(T))", "S @ inv(S + T) @ T = inv(S) + inv(T)"),
    ("S - S @ inv(S + T) @ S = inv(inv(S) + inv(T))", "S + S @ inv(S + T) @ S = inv(inv(S) + inv(T))"),
    (
        "inv(S + U @ W @ U') = inv(S) - inv(S) @ U @ inv(inv(W) + U' @ inv(S) @ U) @ U' @ inv(S)",
        "inv(S + U @ W @ U') = inv(S) - inv(S) @ U @ inv(W + U' @ inv(S) @ U) @ U' @ inv(S)",
    ),
    ("inv(X' @ X/n) = n*inv(X' @ X)", "inv(X' @ X/n) = inv(X' @ X)/n"),
    ("inv(D' @ X' @ X @ D) = inv(D) @ inv(X' @ X) @ inv(D)'", "inv(D' @ X' @ X @ D) = inv(D)' @ inv(X' @ X) @ inv(D)"),
    ("D @ X' @ X @ inv(X' @ X) = D", "X' @ X @ D @ inv(X' @ X) = D"),
    ("inv(X' @ S @ X) @ X' @ S @ X @ D = D", "inv(X' @ S @ X) @ X' @ X @ D = D"),
    ("X @ inv(X' @ X) @ X' @ X @ inv(X' @ X) @ X' = X @ inv(X' @ X) @ X'", "X @ inv(X' @ X) @ X' = eye(n)"),
    ("tr(X @ inv(X' @ X) @ X') = m", "tr(X @ inv(X' @ X) @ X') = n"),
    ("norm(x - X @ inv(X' @ X) @ X' @ x)^2 = x @ x - x @ X @ inv(X' @ X) @ X' @ x", "norm(x - X @ inv(X' @ X) @ X' @ x)^2 = x @ x"),
    ("det(Q)^2 = 1", "det(Q) = 1"),
    ("det(Q @ A @ Q') = det(A)", "det(Q @ A) = det(A)"),
    ("prod(w) = exp(sum(log(w)))", "prod(w) = exp(mean(log(w)))"),
    ("sqrt(prod(w)) = exp(sum(log(w))/2)", "sqrt(prod(w)) = exp(sum(log(w)))/2"),
    ("sum(cumsum(x)) = sum[i]((n - i)*x[i])", "sum(cumsum(x)) = sum[i]((i + 1)*x[i])"),
    ("sum[i: n, j: n](where(i < j, 1, 0)) = n*(n - 1)/2", "sum[i: n, j: n](where(i < j, 1, 0)) = n^2/2"),
]

SMALL = """param A: real[2, 2], X: real[3, 3], x: real[3], y: real[3], p: simplex[3], t: real, s: positive
dist q(u) = Normal(t, s)
"""
# arrays of known sizes, entry by entry
SPELLED = [
    ("det(A) = A[0, 0]*A[1, 1] - A[0, 1]*A[1, 0]", "det(A) = A[0, 0]*A[1, 1] + A[0, 1]*A[1, 0]"),
    ("inv(A) = stack(stack(A[1, 1], -A[0, 1]), stack(-A[1, 0], A[0, 0]))/det(A)", "inv(A) = A/det(A)"),
    ("A @ A - tr(A)*A + det(A)*eye(2) = zeros(2, 2)", "A @ A - tr(A)*A - det(A)*eye(2) = zeros(2, 2)"),
    ("det(X) = det(X')", "det(X) = -det(X')"),
    ("sum(x)^2 = x @ x + 2*(x[0]*x[1] + x[0]*x[2] + x[1]*x[2])", "sum(x)^2 = x @ x + x[0]*x[1] + x[0]*x[2] + x[1]*x[2]"),
    ("prod(x) = x[0]*x[1]*x[2]", "prod(x) = x[0]*x[1]"),
    ("p[2] = 1 - p[0] - p[1]", "p[2] = 1 - p[0]"),
    ("logsumexp(stack(t, 0)) = softplus(t)", "logsumexp(stack(t, 0)) = softplus(-t)"),
    ("softmax(stack(t, 0)) = stack(sigmoid(t), sigmoid(-t))", "softmax(stack(t, 0)) = stack(sigmoid(-t), sigmoid(t))"),
    ("fisher(q, [t, s]) = diag(stack(1/s^2, 2/s^2))", "fisher(q, [t, s]) = diag(stack(1/s^2, 1/s^2))"),
]
# signs of signs are signs
RECTIFIED = [
    ("where(relu(t) > 0, 1, 0) = where(t > 0, 1, 0)", "where(relu(t) > 0, 1, 0) = where(t >= 0, 1, 0)"),
    ("sign(relu(t)) = where(t > 0, 1, 0)", "sign(relu(t)) = sign(t)"),
    ("relu(relu(t)) = relu(t)", "relu(-relu(t)) = relu(t)"),
    ("max(relu(x), x) = relu(x)", "min(relu(x), x) = relu(x)"),
    ("grad(sum(relu(x))^2, x) = 2*sum(relu(x))*where(relu(x) > 0, 1, 0)", "grad(sum(relu(x))^2, x) = 2*relu(x)"),
]

MODELS = {"matrices": symgen.loads(SPEC), "small": symgen.loads(SMALL)}
CASES = [("matrices", *x) for x in IDENTITIES] + [("small", *x) for x in (*SPELLED, *RECTIFIED)]


@pytest.mark.parametrize("spec, claim, slip", CASES, ids=lambda x: x)
def test_an_identity_is_proved_and_a_slip_refuted(spec, claim, slip):
    assert MODELS[spec].check(claim).status == "proved"
    assert MODELS[spec].check(slip).status == "refuted"

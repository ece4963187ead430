"""The gradients of what is centred and scaled, as textbooks print them: sums of centred values are 0, means keep their names."""

import pytest

import symgen

ROWS = "data X: real[n, d], C: real[n, d]\nlet mu = mean(X, axis=0)\nlet V = mean((X - mu)^2, axis=0)\nlet s = sqrt(V + 1e-5)\n"
ONE = "data x: real[n], c: real[n]\nlet m = mean(x)\nlet v = mean((x - m)^2)\n"
LAYER = (
    "data X: real[n, d], C: real[n, d]\nlet m = mean(X, axis=1, keepdims=True)\n"
    "let s = sqrt(mean((X - m)^2, axis=1, keepdims=True) + 1e-5)\nlet H = (X - m)/s\n"
)
COVARIANCE = "data X: real[n, d]\nlet mu = mean(X, axis=0)\nlet S = (X - mu)' @ (X - mu)/n\n"
WEIGHTED = "data x: real[n], p: simplex[n]\nlet m = p @ x\nlet v = p @ (x - m)^2\n"
SHARES = "data x: real[n], c: real[n]\nlet s = sum(exp(x))\nlet p = exp(x)/s\n"
TWO = "data x: real[n], y: real[n]\nlet a = x - mean(x)\nlet b = y - mean(y)\nlet r = a @ b/(norm(a)*norm(b))\n"
SYSTEM = (
    "param A: real[d, d], b: real[d], B: real[d, n], S: spd[d, d]\nlet x = solve(A, b)\nlet Z = inv(A) @ B\nlet v = solve(S, b)\n"
)
CLASSES = (
    "dim k\ndata X: real[n, d], Y: onehot[n, k]\nparam W: real[d, k], b: real[k]\n"
    "let P = softmax(X @ W + b, axis=1)\nlet L = -sum(Y*log(P))/n\n"
)
HUBER = "data r: real[n]\nparam delta: positive\nlet L = sum(where(abs(r) <= delta, r^2/2, delta*(abs(r) - delta/2)))\n"
GRAM = "data X: real[n, d]\nparam W: real[d, d]\nlet Y = X @ W\nlet S = Y' @ Y/n\n"
CENTRES = "dim k\ndata X: real[n, d], R: simplex[n, k]\nparam M: real[k, d]\nlet D = tensor[i: n, j: k](norm(X[i] - M[j])^2)\n"
TEXTBOOK = [
    (ONE, "grad(v, x)", "2*(x - m)/n"),
    (ONE, "grad(log(v), x)", "2*(x - m)/(n*v)"),
    (ONE, "hessian(v, x)", "2*eye(n)/n - 2/n^2"),
    (ONE, "hessian(log(v), x)", "2*eye(n)/(n*v) - 4*outer(x - m, x - m)/(n^2*v^2) - 2/(n^2*v)"),
    (ONE, "d((x - m)/sqrt(v), x)", "eye(n)/sqrt(v) - outer(x - m, x - m)/(n*v^(3/2)) - 1/(n*sqrt(v))"),
    (ONE + "let k = x - m\nlet u = mean(k^2)\n", "grad(u, x)", "2*k/n"),
    (ONE + "let k = x - mean(x)\nlet u = mean(k^2)\n", "grad(sqrt(u), x)", "k/(n*sqrt(u))"),
    (ONE + "let k = x - m\n", "grad(sum(k)*v, x)", "zeros(n)"),
    (ONE + "let k = c*(x - m)\n", "grad(sum(k), x)", "c - sum(c)/n"),
    (WEIGHTED, "grad(v, x)", "2*p*(x - m)"),
    (WEIGHTED, "hessian(v, x)", "2*diag(p) - 2*outer(p, p)"),
    (SHARES, "d(p, x)", "diag(p) - outer(p, p)"),
    (SHARES, "grad(c @ p, x)", "p*(c - c @ p)"),
    (SHARES + "let H = -sum(p*log(p))\n", "grad(H, x)", "-p*(H + log(p))"),
    (SHARES, "grad(log(s), x)", "p"),
    (TWO, "grad(r, x)", "(b - r*norm(b)*a/norm(a))/(norm(a)*norm(b))"),
    (ROWS, "grad(logdet((X - mu)' @ (X - mu)/n), X)", "2*(X - mu) @ inv((X - mu)' @ (X - mu)/n)/n"),
    (COVARIANCE, "grad(logdet(S), X)", "2*(X - mu) @ inv(S)/n"),
    (
        LAYER,
        "grad(sum(C*H), X)",
        "C/s - outer((C @ ones(d))/(d*s[:, 0]), ones(d)) - diag(sum(C*(X - m), axis=1)/(d*s[:, 0]^3)) @ (X - m)",
    ),
    (ROWS, "grad(sum(V), X)", "2*(X - mu)/n"),
    (SYSTEM, "grad(norm(x)^2/2, A)", "-outer(inv(A)' @ x, x)"),
    (SYSTEM, "grad(norm(Z)^2/2, A)", "-inv(A)' @ Z @ Z'"),
    (SYSTEM, "grad(b @ v, S)", "-outer(v, v)"),
    (SYSTEM, "grad(sum(exp(x)), A)", "-outer(inv(A)' @ exp(x), x)"),
    (SYSTEM, "d(x, A)", "tensor[i: d, j: d, k: d](-inv(A)[i, j]*x[k])"),
    (CLASSES, "hessian(L, b)", "(diag(sum(P, axis=0)) - P' @ P)/n"),
    (GRAM, "grad(norm(S - eye(d))^2, W)", "4*X' @ (Y @ S - Y)/n"),
    (GRAM, "grad(logdet(S), W)", "2*X' @ Y @ inv(S)/n"),
    (GRAM, "grad(tr(S @ S @ S), W)", "6*X' @ Y @ S @ S/n"),
    (CENTRES, "grad(sum(R*D), M)", "-2*(R' @ X - diag(sum(R, axis=0)) @ M)"),
    (ONE, "hessian(norm(x), x)", "eye(n)/norm(x) - outer(x, x)/norm(x)^3"),
    (ONE, "grad(c @ x/norm(x), x)", "c/norm(x) - (c @ x)*x/norm(x)^3"),
    (ONE, "hessian(norm(x)^3, x)", "3*outer(x, x)/norm(x) + 3*norm(x)*eye(n)"),
    ("param A: real[d, d], x: real[d]\n", "grad(x @ A @ x/(x @ x), x)", "((x @ x)*(A' @ x + A @ x) - 2*(x @ A @ x)*x)/(x @ x)^2"),
    (HUBER, "grad(L, delta)", "sum(where(delta < abs(r), abs(r) - delta, 0))"),
    (ROWS, "grad(sum(C*((X - mu)/s)), X)", "C @ diag(1/s) - (X - mu) @ diag(sum(C*(X - mu), axis=0)/s^3)/n - sum(C, axis=0)/(n*s)"),
    (ROWS, "d(V, X)", "tensor[i: d, j: n, k: d](2*eye(d)[i, k]*(X[j, i] - mu[i])/n)"),
]


@pytest.mark.parametrize("spec, goal, textbook", TEXTBOOK)
def test_what_is_centred_has_the_textbooks_gradient(spec, goal, textbook):
    model = symgen.loads(f"dim n, d\n{spec}")
    d = model.derive(goal)
    assert model.check(f"{goal} = {textbook}").status == "proved"
    assert d.evidence.kind == "checked"
    assert len(d.text_result) <= len(textbook)


def test_a_term_that_is_left_out_has_its_reason():
    d = symgen.loads(f"dim n, d\n{ROWS}").derive("grad(sum(C*((X - mu)/s)), X)")
    assert any("by the definition of mu" in step.reason for step in d.steps)
    d = symgen.loads(f"dim n, d\n{ONE}let k = x - m\nlet u = mean(k^2)\n").derive("grad(u, x)")
    assert any("what is centred sums to 0" in step.reason for step in d.steps)

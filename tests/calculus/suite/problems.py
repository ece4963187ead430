"""Derivative problems as people state them, with the textbook answer where there is one: `goal | answer`, one a line.

Sources: Petersen and Pedersen (2012), chapters 2 and 9 (the Matrix Cookbook); Bishop (2006); Murphy (2022); Goodfellow et
al. (2016); Magnus and Neudecker (2019). Sizes are symbols: the referee draws them pairwise unequal.
"""
# ruff: noqa: E501

from __future__ import annotations

from dataclasses import dataclass

from tests.calculus.suite.again import AGAIN
from tests.calculus.suite.learning import LEARNING
from tests.calculus.suite.more import MORE


@dataclass(frozen=True)
class Problem:
    group: str
    spec: str
    goal: str
    expect: str | None

    def __str__(self) -> str:
        return f"{self.group}: {self.goal}"


COOKBOOK = """
dim m, n, p
param X: real[m, n], Y: real[n, m], A: real[n, n], B: real[n, n], C: real[n, n], M: real[m, n], N: real[n, m], P: real[m, m]
param a: real[m], b: real[n], c: real[n], x: real[n], y: real[m], s: real, t: real, Z: real[n, n], D: real[m, p]
param S: spd[n, n], W: symmetric[n, n]
"""

GROUPS: dict[str, tuple[str, str]] = {
    "cookbook, determinants": (
        COOKBOOK,
        """
        grad(det(Z), Z) | det(Z)*inv(Z)'
        grad(det(A @ Z @ B), Z) | det(A @ Z @ B)*inv(Z)'
        grad(det(X' @ P @ X), X)
        grad(det(X' @ X), X) | 2*det(X' @ X)*X @ inv(X' @ X)
        grad(logdet(X' @ X), X) | 2*X @ inv(X' @ X)
        grad(logdet(Z), Z) | inv(Z)'
        grad(log(det(Z)), Z) | inv(Z)'
        grad(det(Z)^2, Z) | 2*det(Z)^2*inv(Z)'
        grad(det(matpow(Z, 3)), Z) | 3*det(Z)^3*inv(Z)'
        grad(logdet(A @ Z @ B), Z) | inv(Z)'
        grad(logdet(eye(n) + t*A), t) | tr(inv(eye(n) + t*A) @ A)
        grad(det(eye(n) + t*A), t) | det(eye(n) + t*A)*tr(inv(eye(n) + t*A) @ A)
        d(d(logdet(eye(n) + t*A), t), t)
        grad(logdet(S), S) | inv(S)
        grad(logdet(A + outer(b, c)), b)
    """,
    ),
    "cookbook, inverses": (
        COOKBOOK,
        """
        d(inv(A + t*B), t) | -inv(A + t*B) @ B @ inv(A + t*B)
        grad(b @ inv(Z) @ c, Z) | -outer(inv(Z)' @ b, inv(Z) @ c)
        grad(tr(A @ inv(Z) @ B), Z) | -(inv(Z) @ B @ A @ inv(Z))'
        grad(tr(inv(Z + A)), Z) | -(inv(Z + A) @ inv(Z + A))'
        grad(tr(inv(Z) @ A), Z) | -(inv(Z) @ A @ inv(Z))'
        grad(det(inv(Z)), Z) | -inv(Z)'/det(Z)
        jacobian(inv(Z), Z)
        grad(x @ inv(S) @ x, x) | 2*inv(S) @ x
        grad(x @ inv(S) @ x, S) | -outer(inv(S) @ x, inv(S) @ x)
        grad(tr(inv(Z) @ Z), Z) | zeros(n, n)
        grad(tr(A @ Z @ inv(Z)), Z) | zeros(n, n)
        grad(tr(inv(X' @ X) @ A), X)
        grad(tr(inv(X' @ X) @ (X' @ P @ X)), X)
        jacobian(solve(A, b), b) | inv(A)
        grad(c @ solve(A, b), A) | -outer(inv(A)' @ c, inv(A) @ b)
    """,
    ),
    "cookbook, first order": (
        COOKBOOK,
        """
        grad(x @ b, x) | b
        grad(b @ x, x) | b
        grad(a @ X @ b, X) | outer(a, b)
        grad(b @ X' @ a, X) | outer(a, b)
        grad(b @ Z @ b, Z) | outer(b, b)
        grad(b @ (Z + Z') @ c, Z) | outer(b, c) + outer(c, b)
        grad(tr(X @ Y), X) | Y'
        grad(tr(Z), Z) | eye(n)
        grad(tr(Z @ A), Z) | A'
        grad(tr(A @ Z @ B), Z) | A' @ B'
        grad(tr(A @ Z' @ B), Z) | B @ A
        grad(tr(Z' @ A), Z) | A
        grad(tr(A @ Z'), Z) | A
        grad(tr(M' @ X), X) | M
        grad(sum(X), X) | ones(m, n)
        grad(sum(X @ b), X) | outer(ones(m), b)
        grad(Z[0, 1], Z)
        grad(x[0]*x[1], x)
        jacobian(A @ x, x) | A
        jacobian(x @ A, x) | A'
        jacobian(X @ x, X)
        jacobian(s*x, s) | x
        jacobian(s*x, x) | s*eye(n)
        jacobian(outer(y, x), x)
    """,
    ),
    "cookbook, second order": (
        COOKBOOK,
        """
        grad(x @ A @ x, x) | (A + A') @ x
        grad(x @ W @ x, x) | 2*W @ x
        grad(b @ X' @ X @ c, X) | X @ (outer(b, c) + outer(c, b))
        grad((A @ x + b) @ C @ (Z @ x + c), x) | A' @ C @ (Z @ x + c) + Z' @ C' @ (A @ x + b)
        grad(tr(Z' @ B @ Z @ C), Z) | B @ Z @ C + B' @ Z @ C'
        grad(b @ Z' @ A @ Z @ c, Z) | A' @ Z @ outer(b, c) + A @ Z @ outer(c, b)
        grad((Z @ b + c) @ A @ (Z @ b + c), Z) | outer((A + A') @ (Z @ b + c), b)
        hessian(x @ A @ x + b @ x, x) | A + A'
        grad(tr(Z @ Z), Z) | 2*Z'
        grad(tr(Z @ Z @ B), Z) | (Z @ B + B @ Z)'
        grad(tr(X' @ P @ X), X) | P @ X + P' @ X
        grad(tr(A @ X' @ X), X) | X @ A + X @ A'
        grad(tr(X' @ X @ A), X) | X @ A + X @ A'
        grad(tr(X @ A @ X'), X) | X @ A + X @ A'
        grad(tr(A @ Z @ B @ Z), Z) | A' @ Z' @ B' + B' @ Z' @ A'
        grad(tr(X' @ X), X) | 2*X
        grad(tr(B @ X' @ P @ X @ B), X)
        grad(tr(A @ Z @ B @ Z' @ C), Z) | A' @ C' @ Z @ B' + C @ A @ Z @ B
        grad(norm(X - outer(y, x))^2, x) | 2*(x*(y @ y) - X' @ y)
        hessian(b @ Z @ Z' @ c, b)
        jacobian(Z @ Z, Z)
        grad(x @ A @ (x*b), x) | A @ (b*x) + b*(A' @ x)
        jacobian(outer(x, x) @ b, x) | outer(x, b) + x @ b*eye(n)
    """,
    ),
    "cookbook, higher order": (
        COOKBOOK,
        """
        grad(tr(matpow(Z, 3)), Z) | 3*(Z @ Z)'
        grad(tr(matpow(Z, 5)), Z) | 5*matpow(Z, 4)'
        grad(tr(A @ matpow(Z, 3)), Z)
        grad(b @ matpow(Z, 3) @ c, Z)
        grad(b @ X' @ X @ X' @ X @ c, X)
        grad(tr(X' @ X @ X' @ X), X) | 4*X @ X' @ X
        grad(tr(B' @ X' @ P @ X @ X' @ P @ X @ B), X)
        hessian(tr(matpow(Z, 3)), Z)
        grad(norm(Z @ Z - A)^2, Z)
        jacobian(jacobian(Z @ Z, Z), Z)
        grad((x @ A @ x)^2, x) | 2*x @ A @ x*(A + A') @ x
        hessian((x @ x)^2, x) | 4*(x @ x)*eye(n) + 8*outer(x, x)
        jacobian(hessian((x @ x)^2, x), x)
        grad(tr(matpow(Z, -2)), Z) | -2*matpow(Z, -3)'
    """,
    ),
    "cookbook, norms": (
        COOKBOOK,
        """
        grad(norm(x - b), x) | (x - b)/norm(x - b)
        jacobian((x - b)/norm(x - b), x) | eye(n)/norm(x - b) - outer(x - b, x - b)/norm(x - b)^3
        grad(norm(x)^2, x) | 2*x
        grad(norm(X)^2, X) | 2*X
        grad(norm(X), X) | X/norm(X)
        grad(sum(abs(x)), x) | sign(x)
        grad(sum(abs(x)^3)^(1/3), x)
        hessian(norm(x), x) | eye(n)/norm(x) - outer(x, x)/norm(x)^3
        grad(norm(X @ x - y)^2, x) | 2*X' @ (X @ x - y)
        grad(norm(X @ x - y)^2, X) | 2*outer(X @ x - y, x)
        hessian(norm(X @ x - y)^2, x) | 2*X' @ X
        grad(1/norm(x), x) | -x/norm(x)^3
        grad(log(norm(x)), x) | x/norm(x)^2
        hessian(log(norm(x)), x) | eye(n)/norm(x)^2 - 2*outer(x, x)/norm(x)^4
        grad(norm(X @ A @ X')^2, X)
        grad(norm(X*M)^2, X) | 2*M^2*X
        grad(tr(X @ X')^2, X) | 4*tr(X @ X')*X
        grad(sqrt(x @ S @ x), x) | S @ x/sqrt(x @ S @ x)
    """,
    ),
    "cookbook, structured": (
        COOKBOOK + "param L: lower[n, n], K: skew[n, n], G: diagonal[n, n], Q: orthogonal[n, n], pi_: simplex[n]\n",
        """
        grad(tr(A @ W), W) | (A + A')/2
        grad(tr(A @ W), W, form=tied) | A + A' - diag(diagonal(A))
        grad(tr(A @ W), W, form=free) | A'
        grad(logdet(S), S, form=tied) | 2*inv(S) - diag(diagonal(inv(S)))
        grad(tr(A @ G), G) | diag(diagonal(A))
        grad(b @ G @ c, G) | diag(b*c)
        grad(logdet(G), G)
        grad(tr(A @ K), K) | (A' - A)/2
        grad(b @ K @ c, K) | (outer(b, c) - outer(c, b))/2
        grad(tr(A @ L), L)
        grad(sum(L @ L'), L)
        grad(logdet(L @ L'), L)
        grad(tr(A @ Q), Q) | (A' - Q @ A @ Q)/2
        grad(tr(Q' @ A @ Q), Q) | zeros(n, n)
        grad(norm(A @ Q - B)^2, Q) | Q @ B' @ A @ Q - A' @ B
        grad(tr(Q' @ A @ Q @ B), Q)
        grad(sum(pi_*log(pi_)), pi_) | log(pi_) - sum(log(pi_))/n
        grad(b @ pi_, pi_) | b - sum(b)/n
        grad(x @ W @ x + tr(W @ W), W) | outer(x, x) + 2*W
        grad(tr(W @ A @ W), W)
        hessian(tr(W @ A @ W), W)
        grad(b @ inv(W) @ b, W) | -outer(inv(W) @ b, inv(W) @ b)
        grad(norm(cholesky(S))^2, S) | eye(n)
        grad(logdet(S) + tr(inv(S) @ W), S) | inv(S) - inv(S) @ W @ inv(S)
        grad(norm(S)^2, S) | 2*S
        grad(norm(Q @ x - b)^2, x) | 2*(x - Q' @ b)
    """,
    ),
    "by scalars": (
        COOKBOOK,
        """
        d(exp(t)*x, t) | exp(t)*x
        d(t*A @ x, t) | A @ x
        grad(x @ (A + t*B) @ x, t) | x @ B @ x
        grad(tr(inv(A + t*B)), t) | -tr(inv(A + t*B) @ B @ inv(A + t*B))
        d(expm(t*A), t)
        grad(tr(expm(t*A)), t) | tr(A @ expm(t*A))
        grad(x @ expm(t*A) @ x, t) | x @ A @ expm(t*A) @ x
        d(matpow(A + t*B, 3), t)
        d(kron(t*A, B), t) | kron(A, B)
        d(vec(A + t*B), t) | vec(B)
        grad(tr(kron(A + t*B, P)), t) | tr(P)*tr(B)
        grad(norm(A + t*B)^2, t) | 2*sum(B*(A + t*B))
        d(sin(t*x), t) | x*cos(t*x)
        d(softmax(t*x), t)
        grad(logsumexp(t*x), t) | x @ softmax(t*x)
        d(d(sin(t*x), t), t) | -x^2*sin(t*x)
        d(d(inv(A + t*B), t), t) | 2*inv(A + t*B) @ B @ inv(A + t*B) @ B @ inv(A + t*B)
        d(x^2/(1 + t), t) | -x^2/(1 + t)^2
        grad(det(A + t*B), t)
        d(cholesky(S + exp(t)*eye(n)), t)
        grad(sum(s*t*x) + s^2, s) | t*sum(x) + 2*s
        d(eye(n)*t, t) | eye(n)
        d(outer(x, x)*t^3, t) | 3*t^2*outer(x, x)
        grad(prod(t + x), t)
    """,
    ),
    "elementwise": (
        "dim n, m\nparam x: real[n], y: real[n], u: positive[n], v: unit[n], X: real[n, m], U: positive[n, m], s: real, a: positive, w: real[m]\n",
        """
        grad(sum(exp(x)), x) | exp(x)
        grad(sum(log(u)), u) | 1/u
        grad(sum(u*log(u)), u) | 1 + log(u)
        hessian(sum(u*log(u)), u) | diag(1/u)
        jacobian(sin(x), x) | diag(cos(x))
        jacobian(x^3, x) | 3*diag(x^2)
        jacobian(exp(x)*y, x) | diag(exp(x)*y)
        grad(sum(tanh(x)), x) | 1 - tanh(x)^2
        grad(sum(sigmoid(x)), x) | sigmoid(x)*(1 - sigmoid(x))
        hessian(sum(sigmoid(x)), x)
        grad(sum(softplus(x)), x) | sigmoid(x)
        grad(sum(log(sigmoid(x))), x) | 1 - sigmoid(x)
        grad(sum(sqrt(u)), u) | 1/(2*sqrt(u))
        grad(sum(u^s), u) | s*u^(s - 1)
        grad(sum(u^s), s) | sum(u^s*log(u))
        grad(sum(s^2*x), s) | 2*s*sum(x)
        grad(sum(atan(x)), x) | 1/(1 + x^2)
        grad(sum(asin(v)), v) | 1/sqrt(1 - v^2)
        grad(sum(log(cosh(x))), x)
        grad(sum(sinh(x)*y), x) | cosh(x)*y
        grad(sum(erf(x)), x) | 2*exp(-x^2)/sqrt(pi)
        grad(sum(lgamma(u)), u) | digamma(u)
        grad(sum(digamma(u)), u) | trigamma(u)
        hessian(sum(lgamma(u)), u) | diag(trigamma(u))
        grad(sum(trigamma(u)), u) | polygamma(2, u)
        grad(sum(gelu(x)), x)
        grad(sum(silu(x)), x) | sigmoid(x)*(1 + x*(1 - sigmoid(x)))
        grad(sum(relu(x)), x) | where(x > 0, 1, 0)
        grad(sum(elu(x)), x)
        grad(sum(leaky_relu(x)), x)
        grad(sum(max(x, y)), x)
        grad(sum(clip(x, -1, 1)), x)
        grad(sum(where(x > 0, x^2, -x)), x) | where(x > 0, 2*x, -1)
        grad(sum(abs(x)*y), x) | y*sign(x)
        grad(sum(x/(1 + x^2)), x) | (1 - x^2)/(1 + x^2)^2
        grad(sum(exp(-x^2/2)), x) | -x*exp(-x^2/2)
        hessian(sum(exp(-x^2/2)), x) | diag((x^2 - 1)*exp(-x^2/2))
        grad(sum(log(1 + exp(x))), x)
        grad(sum(x^2*exp(x)), x) | (2*x + x^2)*exp(x)
        grad(sum(log(v/(1 - v))), v) | 1/(v*(1 - v))
        grad(sum(-v*log(v) - (1 - v)*log(1 - v)), v) | log(1 - v) - log(v)
        grad(sum(exp(X) @ w), X) | exp(X)*w
        grad(sum(sin(X) @ w), w) | sum(sin(X), axis=0)
        grad(sum(X*outer(x, w)), x) | X @ w
        grad(norm(exp(X))^2, X) | 2*exp(2*X)
        grad(sum(u^u), u) | u^u*(1 + log(u))
        grad(sum(expm1(x)) + sum(log1p(u)), u) | 1/(1 + u)
        grad(sum(lbeta(u, a)), a)
        grad(sum(tan(x/3)), x)
        grad(sum(acos(v)*x), x) | acos(v)
        grad(sum(exp(sin(x))), x) | exp(sin(x))*cos(x)
        jacobian(jacobian(sin(x), x), x)
        jacobian(hessian(sum(exp(x)), x), x)
        hessian(sum(x*y*x), x) | 2*diag(y)
        hessian(sum(tanh(x)), x)
    """,
    ),
    "regression": (
        "dim n, d\ndata X: real[n, d], y: real[n], b01: binary[n]\nparam w: real[d], b: real\nconst lam: positive = 1/10, s: positive = 2, nu: positive = 3, tau: unit = 1/4\nlet r = X @ w - y\nlet p = sigmoid(X @ w)\n",
        """
        grad(norm(X @ w - y)^2/(2*n) + lam/2*w @ w, w) | X' @ (X @ w - y)/n + lam*w
        grad(norm(r)^2/(2*n) + lam/2*w @ w, w) | X' @ r/n + lam*w
        hessian(norm(r)^2/(2*n) + lam/2*w @ w, w) | X' @ X/n + lam*eye(d)
        grad(norm(r)^2/2, X) | outer(r, w)
        grad(norm(r)^2/2, y) | -r
        grad(norm(r)^2/2, r) | r
        grad(norm(r), w) | X' @ r/norm(r)
        grad(-sum(b01*log(p) + (1 - b01)*log(1 - p)), w) | X' @ (p - b01)
        grad(-mean(b01*log(p) + (1 - b01)*log(1 - p)) + lam/2*w @ w, w) | X' @ (p - b01)/n + lam*w
        hessian(-sum(b01*log(p) + (1 - b01)*log(1 - p)), w) | X' @ diag(p*(1 - p)) @ X
        hessian(-mean(b01*log(p) + (1 - b01)*log(1 - p)) + lam/2*w @ w, w) | X' @ diag(p*(1 - p)) @ X/n + lam*eye(d)
        jacobian(hessian(-sum(b01*log(p) + (1 - b01)*log(1 - p)), w), w)
        grad(sum(softplus(X @ w) - b01*(X @ w)), w) | X' @ (sigmoid(X @ w) - b01)
        hessian(sum(softplus(X @ w)), w)
        grad(sum(log(1 + exp(-y*(X @ w)))), w)
        grad(sum(exp(X @ w) - y*(X @ w)), w) | X' @ (exp(X @ w) - y)
        hessian(sum(exp(X @ w) - y*(X @ w)), w) | X' @ diag(exp(X @ w)) @ X
        grad(mean(max(0, 1 - y*(X @ w))), w)
        grad(mean(max(0, 1 - y*(X @ w))^2), w)
        grad(norm(r)^2 + lam*sum(abs(w)), w) | 2*X' @ r + lam*sign(w)
        grad(sum(where(abs(r) <= s, r^2/2, s*(abs(r) - s/2))), w)
        grad(sum(log(cosh(r))), w)
        grad(sum(log(1 + r^2/nu))*(nu + 1)/2, w)
        hessian(sum(log(1 + r^2/nu)), w)
        grad(sum(where(r < 0, (tau - 1)*r, tau*r)), w)
        grad(sum(sqrt(r^2 + s^2)), w) | X' @ (r/sqrt(r^2 + s^2))
        grad(-sum(b01*(1 - p)^2*log(p)), w)
        grad(norm(r)^2/(2*s^2) + n*log(s), s) | n/s - norm(r)^2/s^3
        grad(norm(r)^2/(2*lam), lam) | -norm(r)^2/(2*lam^2)
        grad(sum(abs(r)), w) | X' @ sign(r)
        grad(norm(X @ w + b - y)^2/n, b) | 2*sum(X @ w + b - y)/n
        grad(norm(X @ (w*w) - y)^2, w) | 4*w*(X' @ (X @ (w*w) - y))
        grad(log(norm(r)^2/n), w) | 2*X' @ r/norm(r)^2
        hvp(norm(r)^2/2, w, w) | X' @ X @ w
        grad(max(abs(r)), w)
        grad(w @ X' @ X @ w/(w @ w), w)
        grad(1 - r @ y/(norm(r)*norm(y)), y)
        grad(var(r), w)
        grad(prod(p), w)
    """,
    ),
    "classification": (
        "dim n, d, k\ndata X: real[n, d], Y: onehot[n, k], t: onehot[k]\nparam W: real[d, k], b: real[k], z: real[k], tau: positive\nlet P = softmax(X @ W + b)\nlet p = softmax(z)\n",
        """
        grad(-sum(Y*log(P))/n, W) | X' @ (P - Y)/n
        grad(-sum(Y*log(P))/n, b) | sum(P - Y, axis=0)/n
        grad(-sum(Y*log(P))/n, X) | (P - Y) @ W'/n
        grad(-sum(Y*log_softmax(X @ W + b))/n, W) | X' @ (softmax(X @ W + b) - Y)/n
        grad(-t @ log(p), z) | p - t
        hessian(-t @ log(p), z) | diag(p) - outer(p, p)
        jacobian(p, z) | diag(p) - outer(p, p)
        jacobian(log_softmax(z), z) | eye(k) - outer(ones(k), softmax(z))
        grad(logsumexp(z), z) | softmax(z)
        hessian(logsumexp(z), z) | diag(softmax(z)) - outer(softmax(z), softmax(z))
        jacobian(hessian(logsumexp(z), z), z)
        grad(-t @ log_softmax(z/tau), tau)
        grad(-t @ log_softmax(z/tau), z) | (softmax(z/tau) - t)/tau
        grad(sum(p*log(p)), z)
        grad(norm(p - t)^2, z) | 2*p*(p - t - p @ (p - t))
        grad(-log(p @ t), z)
        grad(-sum(Y*(1 - P)^2*log(P)), W)
        grad(sum(logsumexp(X @ W, axis=1)), W) | X' @ softmax(X @ W)
        jacobian(softmax(z/tau), tau)
        grad(-sum((Y*9/10 + 1/(10*k))*log(P)), W)
        hessian(-sum(Y*log(P))/n, b)
        grad(mean(sum(P*log(P), axis=1)), b)
        grad(max(z), z)
        grad(sum(cumsum(p)^2), z)
    """,
    ),
    "networks": (
        "dim n, d, h, k\ndata X: real[n, d], Y: real[n, k]\nparam W1: real[d, h], b1: real[h], W2: real[h, k], b2: real[k], V: real[h, h], x: real[d], u: real[h]\nlet H = tanh(X @ W1 + b1)\nlet O = H @ W2 + b2\nlet R = relu(X @ W1 + b1)\nlet q = sigmoid(x @ W1 + b1)\nloss L = norm(O - Y)^2/(2*n)\n",
        """
        grad(L, W2) | H' @ (O - Y)/n
        grad(L, b2) | sum(O - Y, axis=0)/n
        grad(L, W1) | X' @ ((1 - H^2)*((O - Y) @ W2'))/n
        grad(L, b1) | sum((1 - H^2)*((O - Y) @ W2'), axis=0)/n
        grad(L, H) | (O - Y) @ W2'/n
        grad(L, X) | (1 - H^2)*((O - Y) @ W2') @ W1'/n
        grad(norm(R @ W2 - Y)^2/2, W1)
        grad(norm(R @ W2 - Y)^2/2, W2) | R' @ (R @ W2 - Y)
        grad(norm(gelu(X @ W1) @ W2 - Y)^2/2, W1)
        grad(norm(silu(X @ W1) @ W2 - Y)^2/2, W1)
        grad(norm(q @ W2)^2, x)
        jacobian(q, x) | diag(q*(1 - q)) @ W1'
        jacobian(q @ W2, x) | W2' @ diag(q*(1 - q)) @ W1'
        jacobian(tanh(x @ W1), W1)
        hessian(norm(q)^2, b1)
        hessian(u @ tanh(x @ W1), x)
        grad(norm(H + tanh(H @ V))^2, W1)
        grad(sum(sigmoid(X @ W1)*tanh(X @ W1)), W1)
        grad(-sum(Y*log_softmax(O))/n, W1)
        grad(norm(X - tanh(X @ W1) @ W1')^2, W1)
        grad(norm(H)^2 + norm(W1)^2, W1) | 2*X' @ (H*(1 - H^2)) + 2*W1
        grad(sum(exp(-norm(x @ W1 - u)^2)), x)
        grad(norm(W1 @ V @ W2)^2, V) | 2*W1' @ W1 @ V @ W2 @ W2'
        grad(sum((X @ W1)^3 @ u), W1)
        hvp(norm(q)^2, x, x)
        grad(norm(grad(u @ tanh(x @ W1), x))^2, W1)
    """,
    ),
    "layers": (
        "dim n, d, m, e, c, t, o, v\nparam x: real[d], X: real[n, d], Q: real[n, d], K: real[m, d], V: real[m, e], T: real[n, e], g: real[d], b: real[d], F: real[o, c, 3], s: real[c, t + 2], I: real[c, 2*t, 2*e], J: real[o, c, 2, 2], E: real[v, d], U: real[d, e]\ndata ids: label(v)[n], y: real[n, d]\n",
        """
        grad(sum(layernorm(x)*g), x)
        jacobian(layernorm(x), x)
        grad(sum(layernorm(x)*g), g) | layernorm(x)
        grad(sum(g*layernorm(X)*y), X)
        grad(norm(g*layernorm(X) + b - y)^2/2, b)
        grad(norm(g*layernorm(X) + b - y)^2/2, g)
        grad(sum((X - mean(X, axis=0))/sqrt(var(X, axis=0) + 1/1000)*y), X)
        grad(norm(X - mean(X, axis=0))^2, X) | 2*(X - mean(X, axis=0))
        grad(norm(attention(Q, K, V) - T)^2/2, Q)
        grad(norm(attention(Q, K, V) - T)^2/2, K)
        grad(norm(attention(Q, K, V) - T)^2/2, V)
        grad(sum(softmax(Q @ K'/sqrt(d)) @ V), V)
        grad(sum(conv1d(s, F)), F)
        grad(sum(conv1d(s, F)^2)/2, F)
        grad(sum(conv1d(s, F)^2)/2, s)
        grad(sum(conv1d(s, F, padding=1)^2)/2, s)
        grad(sum(conv2d(I, J)^2)/2, J)
        grad(sum(conv2d(I, J)^2)/2, I)
        grad(sum(conv2d(I, J, stride=2)^2)/2, I)
        grad(sum(maxpool(I, 2)^2)/2, I)
        grad(sum(meanpool(I, 2)^2)/2, I)
        grad(norm(embed(E, ids) @ U)^2/2, E)
        grad(norm(embed(E, ids) - y)^2/2, E)
        grad(norm(X/norm(X))^2, X) | zeros(n, d)
        grad(sum(x/sqrt(mean(x^2) + 1/1000)*g), x)
        jacobian(x/norm(x), x) | eye(d)/norm(x) - outer(x, x)/norm(x)^3
        jacobian(x - mean(x), x) | eye(d) - ones(d, d)/d
        grad(var(x), x) | 2*(x - mean(x))/d
        grad(sqrt(var(x)), x)
        hessian(var(x), x)
    """,
    ),
    "Gaussian models": (
        "dim n, d, k\ndata X: real[n, d], y: real[n]\nparam mu: real[d], S: spd[d, d], s: positive[d], lv: real[d], L: lower[d, d], M: real[k, d], a: real[k], W: real[d, k], l: positive, v: positive\nconst lam: positive = 1/10\nlet Dm = (reshape(y, n, 1) - y)^2\nlet Kn = v*exp(-Dm/(2*l^2)) + lam*eye(n)\n",
        """
        grad(sum((X - mu) @ inv(S)*(X - mu))/2 + n/2*logdet(S), mu) | -inv(S) @ sum(X - mu, axis=0)
        grad(sum((X - mu) @ inv(S)*(X - mu))/2 + n/2*logdet(S), S) | (n*inv(S) - inv(S) @ (X - mu)' @ (X - mu) @ inv(S))/2
        hessian(sum((X - mu) @ inv(S)*(X - mu))/2, mu) | n*inv(S)
        grad(sum(s^2 + mu^2 - 1 - 2*log(s))/2, s) | s - 1/s
        grad(sum(s^2 + mu^2 - 1 - 2*log(s))/2, mu) | mu
        grad(sum(exp(lv) + mu^2 - 1 - lv)/2, lv) | (exp(lv) - 1)/2
        grad(sum(((X - mu)/s)^2)/2 + n*sum(log(s)), s) | n/s - sum((X - mu)^2, axis=0)/s^3
        grad(tr(inv(S)) + mu @ inv(S) @ mu + logdet(S), S) | inv(S) - inv(S) @ (outer(mu, mu) + eye(d)) @ inv(S)
        grad(norm(solve(L, mu))^2/2 + sum(log(diagonal(L))), mu)
        grad(norm(solve(L, mu))^2/2 + sum(log(diagonal(L))), L)
        grad(mu @ inv(L @ L') @ mu, mu) | 2*inv(L @ L') @ mu
        grad(y @ inv(Kn) @ y/2 + logdet(Kn)/2, l)
        grad(y @ inv(Kn) @ y/2 + logdet(Kn)/2, v)
        grad(logdet(W @ W' + lam*eye(d)), W) | 2*inv(W @ W' + lam*eye(d)) @ W
        grad(mu @ inv(W @ W' + lam*eye(d)) @ mu, W)
        grad(logdet(W @ W' + diag(s)), s) | diagonal(inv(W @ W' + diag(s)))
        grad(-logsumexp(log_softmax(a) - sum((M - mu)^2, axis=1)/2), M)
        grad(-logsumexp(log_softmax(a) - sum((M - mu)^2, axis=1)/2), a)
        grad(sum(logsumexp(-(sum(X^2, axis=1, keepdims=True) - 2*X @ M' + sum(M^2, axis=1))/2, axis=1)), M)
        grad(logdet(S @ S), S) | 2*inv(S)
        grad(tr(S @ inv(S + eye(d))), S)
        grad(norm(cholesky(S) @ mu)^2, S)
        grad(logdet(cholesky(S)), S) | inv(S)/2
        grad(mu @ S @ mu/(mu @ mu), mu)
        grad(lam/2*tr(W' @ inv(S) @ W), W) | lam*inv(S) @ W
    """,
    ),
    "unsupervised": (
        "dim n, m, k, d\ndata X: real[n, m]\nparam U: real[n, k], V: real[m, k], W: real[m, k], Z: real[n, d], x: real[n], A: symmetric[n, n], H: positive[n, k], G: positive[k, m]\nconst lam: positive = 1/10\nlet R = U @ V' - X\n",
        """
        grad(norm(X - U @ V')^2/2, U) | (U @ V' - X) @ V
        grad(norm(X - U @ V')^2/2, V) | (U @ V' - X)' @ U
        grad(norm(R)^2/2 + lam/2*(norm(U)^2 + norm(V)^2), U) | R @ V + lam*U
        hessian(norm(R)^2/2, U)
        grad(norm(X - X @ W @ W')^2, W)
        grad(tr(W' @ X' @ X @ W), W) | 2*X' @ X @ W
        grad(x @ A @ x/(x @ x), x)
        hessian(x @ A @ x/(x @ x), x)
        grad(norm(X - H @ G)^2/2, H) | (H @ G - X) @ G'
        grad(sum(H @ G - X*log(H @ G)), H)
        grad(sum(H @ G - X*log(H @ G)), G)
        grad(tr(Z' @ A @ Z), Z) | 2*A @ Z
        grad(norm(A - Z @ Z')^2/4, Z) | (Z @ Z' - A) @ Z
        grad(sum(A*outer(x, x))/(x @ x), x)
        grad(norm(W' @ W - eye(k))^2, W) | 4*W @ (W' @ W - eye(k))
        grad(logdet(eye(k) + V' @ V), V) | 2*V @ inv(eye(k) + V' @ V)
        grad(sum(log(1 + R^2)), U)
        grad(sum(exp(-R^2)), V)
        grad(sum(X*(U @ V')) - sum(log(1 + exp(U @ V'))), U)
    """,
    ),
    "shapes and entries": (
        "dim n, m, p\nparam x: real[n], y: real[m], A: real[n, m], B: real[m, p], C: real[n, n], u: positive[n], b: real[n + 1], z: real[2*n]\n",
        """
        grad(sum((x[1:] - x[:-1])^2), x)
        grad(sum(x[1:]*x[:-1]), x)
        grad(x[0]^2*x[1], x)
        grad(sum(exp(x[1:])), x)
        grad(exp(A[0, 1]*A[1, 0]), A)
        grad(sum(A[:, 0]^2), A)
        grad(sum(A[0]*y), A)
        grad(sin(x @ C @ x), C[0, 1])
        grad(x @ C @ x, C[0])
        grad(norm(concat(x, y))^2, x) | 2*x
        grad(sum(sin(concat(x, y))), y) | cos(y)
        grad(norm(stack(x, 2*x))^2, x) | 10*x
        grad(sum(vec(A)^2), A) | 2*A
        grad(sum(sin(vec(A @ B))), A) | cos(A @ B) @ B'
        grad(norm(reshape(A, m, n))^2, A) | 2*A
        grad(sum(kron(A, B)), A) | sum(B)*ones(n, m)
        grad(norm(kron(A, B))^2, A) | 2*norm(B)^2*A
        grad(tr(kron(C, C)), C) | 2*tr(C)*eye(n)
        jacobian(vec(A), A)
        jacobian(A', A)
        jacobian(kron(x, y), x)
        jacobian(diag(x), x)
        jacobian(diagonal(C), C)
        grad(sum(diag(x) @ C), x) | sum(C, axis=1)
        grad(sum(diagonal(C)^2), C) | 2*diag(diagonal(C))
        grad(tr(diag(x) @ C), x) | diagonal(C)
        grad(sum(outer(x, y)*A), x) | A @ y
        grad(sum(cumsum(x)^2), x)
        grad(sum(cumsum(x)), x)
        grad(sum(cumprod(u)), u)
        grad(prod(x), x)
        hessian(prod(x), x)
        grad(prod(u), u)
        grad(log(prod(u)), u) | 1/u
        grad(sum(prod(A, axis=1)), A)
        grad(sum(max(A, axis=1)), A)
        grad(min(x), x)
        grad(mean(A), A) | ones(n, m)/(n*m)
        grad(norm(A - mean(A, axis=1, keepdims=True))^2/2, A)
        grad(sum(A @ y), A) | outer(ones(n), y)
        grad(sum[i](x[i]^3), x) | 3*x^2
        grad(sum[i, j](x[i]*C[i, j]*x[j]), x) | (C + C') @ x
        grad(sum[i](log(sum[j](exp(A[i, j])))), A)
        grad(sum[i, j]((x[i] - x[j])^2), x)
        grad(norm(b[1:] - b[:-1])^2/2, b)
        grad(sum(z[:n]*z[n:]), z)
        grad(sum(z[::2]^2), z)
        grad(sum(x[::-1]*u), x)
        grad(sum(A*reshape(x, n, 1)), x) | sum(A, axis=1)
        grad(norm(A*y)^2/2, y) | y*sum(A^2, axis=0)
        grad(sum((A + y)*outer(x, y)), y)
        grad(logsumexp(concat(x, y)), x)
    """,
    ),
    "matrix functions": (
        "dim n, m\nparam A: real[n, n], B: real[n, n], S: spd[n, n], X: real[n, m], x: real[n], t: real\ndim k\n",
        """
        grad(tr(expm(A)), A) | expm(A)'
        grad(tr(B @ expm(A)), A)
        grad(sum(expm(A)), A)
        grad(tr(expm(S)), S) | expm(S)
        grad(tr(matpow(A, k)), A) | k*matpow(A, k - 1)'
        grad(tr(matpow(S, k)), S) | k*matpow(S, k - 1)
        grad(x @ matpow(A, k) @ x, A)
        grad(x @ matpow(A, k) @ x, x) | (matpow(A, k) + matpow(A, k)') @ x
        grad(x @ matpow(S, k) @ x, x) | 2*matpow(S, k) @ x
        jacobian(expm(A), A)
        jacobian(cholesky(S), S)
        hessian(logdet(S), S, form=free)
        hessian(logdet(A), A)
        hessian(tr(inv(A)), A)
        grad(logdet(expm(A)), A) | eye(n)
        grad(det(expm(A)), A)
        grad(nuclear_norm(X), X) | polar(X)
        grad(nuclear_norm(X - outer(x, x[0]*X[0])), x)
        grad(norm(X)^2/2 + t*nuclear_norm(X), X) | X + t*polar(X)
        grad(spectral_norm(X), X)
        grad(spectral_norm(X)^2, X)
        grad(log(spectral_norm(A)), A)
        grad(sum(eigvals(S)), S) | eye(n)
        grad(sum(eigvals(S)^2), S) | 2*S
        grad(sum(log(eigvals(S))), S) | inv(S)
        grad(eigvals(S)[n - 1], S) | outer(eigvecs(S)[:, n - 1], eigvecs(S)[:, n - 1])
        grad(eigvals(S)[0] + eigvals(S)[n - 1], S)
        grad(x @ eigvals(S), S) | eigvecs(S) @ diag(x) @ eigvecs(S)'
        grad(sum(eigvals(X' @ X)), X) | 2*X
        d(sum(exp(eigvals(S + t*eye(n)))), t) | sum(exp(eigvals(S + t*eye(n))))
        jacobian(eigvals(S), S)
        grad((eigvecs(S)[:, n - 1] @ x)^2, S)
        grad(tr(sqrtm(S)), S) | inv(sqrtm(S))/2
        grad(sum(B*sqrtm(S)), S)
        grad(norm(sqrtm(S) @ x)^2, S) | outer(x, x)
        hessian(sum(eigvals(S)), S)
    """,
    ),
}


def problems() -> list[Problem]:
    out = []
    for group, (spec, lines) in {**GROUPS, **MORE, **AGAIN, **LEARNING}.items():
        for line in lines.strip().splitlines():
            goal, _, answer = line.strip().partition(" | ")
            if goal:
                out.append(Problem(group, spec, goal.strip(), answer.strip() or None))
    return out


PROBLEMS = problems()

"""Claims of many fields, true and false: none that is true is refuted, none that is false holds."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

import symgen

HEAD = """
dim n, d, k
data X: real[n, d], y: real[n], t: label(k)[n]
param w: real[d], v: real[d], A: real[d, d], B: real[d, d]
param S: spd[d, d], T: spd[d,d], Q: orthogonal[d, d], L0: lower[d,d], K: skew[d,d]
param p: simplex[k], q: simplex[k], s: positive[d], a: positive, b: positive, c: real, u: unit, z: real[k], W: real[d, k]
let r = X @ w - y
let g = softmax(z)
dist N1(x) = Normal(c, a)
dist N2(x) = Normal(0, b)
dist G1(x) = Gamma(a, b)
dist P1(x) = Poisson(a)
dist E1(x) = Exponential(a)
dist B1(x) = Beta(a, b)
density f(x), h(x)
"""

TRUE = [
    "tr(A @ B - B @ A) = 0",
    "det(exp(c)*S) = exp(c*d)*det(S)",
    "logdet(S @ T) = logdet(T) + logdet(S)",
    "norm(Q @ w) = norm(w)",
    "w @ K @ w = 0",
    "grad(logdet(L0), L0) = diag(1/diagonal(L0))",
    "grad(logsumexp(X @ w), w) = X' @ softmax(X @ w)",
    "hessian(norm(r)^2/2, w) = X' @ X",
    "jacobian(softmax(z), z) = diag(g) - outer(g, g)",
    "E[x ~ N1](x^3) = c^3 + 3*c*a^2",
    "E[x ~ N1](exp(x)) = exp(c + a^2/2)",
    "Var[x ~ G1](x) = a/b^2",
    "E[x ~ P1](x*(x - 1)*(x - 2)) = a^3",
    "E[x ~ E1](x^4) = 24/a^4",
    "E[x ~ B1](x*(1 - x)) = a*b/((a + b)*(a + b + 1))",
    "KL(N1 || N2) = log(b/a) + (a^2 + c^2)/(2*b^2) - 1/2",
    "entropy(E1) = 1 - log(a)",
    "KL(f || h) >= 0",
    "JS(f, h) <= log(2)",
    "sum(p*log(p/q)) >= 0",
    "tanh(c) = 2*sigmoid(2*c) - 1",
    "softplus(c) - softplus(-c) = c",
    "log(cosh(c)) = softplus(2*c) - c - log(2)",
    "gamma(a + 1) = a*gamma(a)",
    "digamma(a + 1) - digamma(a) = 1/a",
    "beta(a, b) = gamma(a)*gamma(b)/gamma(a + b)",
    "inv(S + outer(w, w)) = inv(S) - outer(inv(S) @ w, inv(S) @ w)/(1 + w @ inv(S) @ w)",
    "det(eye(d) + outer(w, v)) = 1 + v @ w",
    "tr(inv(S) @ S) = d",
    "a/b + b/a >= 2",
    "log(a) <= a - 1",
    "u*(1 - u) <= 1/4",
    "(w @ v)^2 <= (w @ w)*(v @ v)",
    "logsumexp(z) >= max(z)",
    "logsumexp(z) <= max(z) + log(k)",
    "sum(p^2) <= 1",
    "norm(A @ w) <= norm(A)*norm(w)",
    "sigmoid(c) + sigmoid(-c) = 1",
    "relu(c) - relu(-c) = c",
    "grad(w @ A @ w, w) = (A + A') @ w",
    "grad(tr(A @ B @ A'), A) = A @ (B + B')",
    "d(erf(c), c) = 2/sqrt(pi)*exp(-c^2)",
    "integral[x: 0..inf](x^2*exp(-a*x)) = 2/a^3",
    "sum[i: n](i) = n*(n - 1)/2",
    "var(y) = mean(y^2) - mean(y)^2",
    "-logdet(inv(S)) = logdet(S)",
    "expm(K) @ expm(-K) = eye(d)",
    "log(prod(s)) = sum(log(s))",
    "diagonal(diag(w) @ A @ diag(v)) = w*diagonal(A)*v",
    "kron(A, B) @ kron(B, A) = kron(A @ B, B @ A)",
    "vec(A @ B @ A) = kron(A', A) @ vec(B)",
    "sum(outer(w, v)) = sum(w)*sum(v)",
    "mean(X, axis=0) @ w = mean(X @ w)",
    "abs(c) = max(c, -c)",
    "acos(u) + asin(u) = pi/2",
    "E[x ~ f](1) = 1",
    "Cov[x ~ N1](x, x^2) = 2*c*a^2",
]

FALSE = [
    "tr(A @ B) = tr(A)*tr(B)",
    "det(A + B) = det(A) + det(B)",
    "logdet(S + T) = logdet(S) + logdet(T)",
    "inv(S + T) = inv(S) + inv(T)",
    "A @ B = B @ A",
    "expm(A + B) = expm(A) @ expm(B)",
    "norm(A @ B) = norm(A)*norm(B)",
    "grad(logdet(S), S) = inv(S)*2",
    "grad(w @ A @ w, w) = 2*A @ w",
    "hessian(logsumexp(z), z) = diag(g) - g*g",
    "E[x ~ N1](x^4) = 3*a^4",
    "E[x ~ N1](exp(x)) = exp(c)",
    "Var[x ~ G1](x) = a/b",
    "E[x ~ P1](x^2) = a^2",
    "KL(N1 || N2) = KL(N2 || N1)",
    "entropy(N1) = log(2*pi*a^2)/2",
    "JS(f, h) <= 1/2",
    "KL(f || h) <= KL(h || f)",
    "KL(f || h) > 0",
    "log(a + b) = log(a) + log(b)",
    "sqrt(c^2) = c",
    "abs(c) > 0",
    "exp(c) >= 1 + c + c^2/2",
    "sum(p^2) < 1",
    "a/b + b/a > 2",
    "logsumexp(z) > max(z) + log(2)",
    "gamma(a + b) = gamma(a) + gamma(b)",
    "det(2*S) = 2*det(S)",
    "tanh(a + b) = tanh(a) + tanh(b)",
    "max(z) <= mean(z)",
    "norm(w + v) >= norm(w) + norm(v)",
    "c^3 <= c^4 + 1/10",
    "a^b = b^a",
    "floor(c) = c",
    "sin(c)^2 = sin(c^2)",
    "sum[i: n](i) = n*(n + 1)/2",
    "var(y) = mean(y^2)",
    "vec(A') = vec(A)",
    "kron(A, B) = kron(B, A)",
    "mean(y)^2 >= mean(y^2)",
    "n >= 2",
    "sum(s) <= prod(s)",
    "log(cosh(c)) <= c/2 + 0.2",
    "E[x ~ f](log f(x)) <= 0",
    "entropy(N1) >= 0",
    "(a - b)^2*(a - 2*b)^2 > 0",
    "sum(t) >= n",
    "w @ v <= norm(w)*norm(v) - 1e-9",
    "S @ T = T @ S",
]


@cache
def model() -> Any:
    return symgen.loads(HEAD)


@pytest.mark.parametrize("claim", TRUE)
def test_a_true_claim_holds(claim: str) -> None:
    assert model().check(claim, 60).holds


@pytest.mark.parametrize("claim", FALSE)
def test_a_false_claim_is_refuted(claim: str) -> None:
    v = model().check(claim, 60)
    assert v.status == "refuted" and v.counterexample is not None

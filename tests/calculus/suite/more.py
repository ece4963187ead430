"""More derivative problems, other than those of `problems`, in the same form: structured matrices, layers, models, matrix
functions, entries and sums, recurrences."""
# ruff: noqa: E501

from __future__ import annotations

SQUARES = """
dim n, m, k, p
param X: real[n, m], A: real[n, n], B: real[n, n], C: real[m, m], D: real[n, n], Y: real[m, n], Z: real[n, n], U: real[n, k], V: real[m, k]
param a: real[n], b: real[n], c: real[m], x: real[n], z: real[n], u: positive[n], s: real, t: real, q: positive
param S: spd[n, n], W: symmetric[n, n], G: diagonal[n, n], K: skew[n, n], L: lower[n, n], Q: orthogonal[n, n], w: simplex[n], R: spd[m, m]
"""
MORE: dict[str, tuple[str, str]] = {
    "more cookbook": (
        SQUARES,
        """
        grad(det(X' @ A @ X), A) | det(X' @ A @ X)*X @ inv(X' @ A' @ X) @ X'
        grad(logdet(X' @ S @ X), X) | 2*S @ X @ inv(X' @ S @ X)
        grad(log(det(X' @ X)), X) | 2*X @ inv(X' @ X)
        grad(det(matpow(Z, 4)), Z) | 4*det(Z)^4*inv(Z)'
        grad(det(Z)^3*tr(Z), Z) | det(Z)^3*(3*tr(Z)*inv(Z)' + eye(n))
        grad(1/det(Z), Z) | -inv(Z)'/det(Z)
        d(det(A + t*B), t) | det(A + t*B)*tr(inv(A + t*B) @ B)
        d(log(det(A + t^2*B)), t) | 2*t*tr(inv(A + t^2*B) @ B)
        grad(tr(A @ inv(Z) @ B @ inv(Z)), Z) | -(inv(Z) @ (A @ inv(Z) @ B + B @ inv(Z) @ A) @ inv(Z))'
        grad(a @ inv(Z) @ inv(Z)' @ b, Z)
        grad(tr(inv(X @ R @ X' + eye(n))), R)
        grad(a @ inv(A + outer(x, x)) @ a, x)
        grad(tr(inv(A @ Z @ B)), Z)
        grad(norm(inv(Z))^2, Z) | -2*inv(Z)' @ inv(Z) @ inv(Z)'
        grad(norm(Z @ inv(Z + A))^2, Z)
        grad(a @ X @ X' @ b, X) | (outer(a, b) + outer(b, a)) @ X
        grad(a @ X @ C @ X' @ a, X) | outer(a, (C + C') @ X' @ a)
        grad((X @ c + a) @ A @ (X @ c + b), X)
        grad((A @ x + a) @ (B @ x + b), x) | A' @ (B @ x + b) + B' @ (A @ x + a)
        grad(tr(A @ X @ X' @ B), X) | (A' @ B' + B @ A) @ X
        grad(tr(X @ X' @ X @ Y), X)
        grad(tr(A @ Z @ Z @ Z), Z) | (Z @ Z @ A + Z @ A @ Z + A @ Z @ Z)'
        grad(norm(A @ X - B @ X)^2, X) | 2*(A - B)' @ (A - B) @ X
        grad(norm(X' @ A @ X)^2, X) | 2*A @ X @ X' @ A' @ X + 2*A' @ X @ X' @ A @ X
        grad(tr(kron(Z, C)), Z) | tr(C)*eye(n)
        grad(norm(kron(X, Y))^2, X) | 2*norm(Y)^2*X
        d(kron(A + t*B, C), t) | kron(B, C)
        d(vec(A @ inv(A + t*B)), t)
        grad(a @ (X*X) @ c, X) | 2*outer(a, c)*X
        grad(tr(diag(x) @ A @ diag(x) @ B), x) | (A*B' + A'*B) @ x
        grad(tr(A @ diag(x) @ B), x) | diagonal(B @ A)
        grad(norm(diag(x) @ X)^2, x) | 2*x*sum(X^2, axis=1)
        grad(x @ A @ x/(x @ B @ x), x)
        grad((x @ S @ x)/(x @ x), x) | 2*(S @ x - x @ S @ x/(x @ x)*x)/(x @ x)
        grad(exp(x @ A @ x), x) | exp(x @ A @ x)*(A + A') @ x
        hessian(exp(x @ S @ x/2), x) | exp(x @ S @ x/2)*(S + S @ outer(x, x) @ S)
        hessian(log(x @ S @ x), x) | 2*S/(x @ S @ x) - 4*outer(S @ x, S @ x)/(x @ S @ x)^2
        hessian(norm(A @ x - b)^4, x)
        hessian(a @ inv(A + t*B) @ a, t) | 2*a @ inv(A + t*B) @ B @ inv(A + t*B) @ B @ inv(A + t*B) @ a
        jacobian(inv(Z) @ b, Z)
        jacobian(X @ X', X)
        jacobian(X' @ a, X)
        jacobian(tr(Z)*Z, Z)
        jacobian(Z*Z, Z)
        jacobian(x/(a @ x), x) | eye(n)/(a @ x) - outer(x, a)/(a @ x)^2
        jacobian(A @ x*norm(x)^2, x) | norm(x)^2*A + 2*outer(A @ x, x)
        jacobian(outer(x, x) @ A @ x, x)
        jacobian(hessian((a @ x)^4, x), x)
        hessian(hessian(s^5*t^4, s), t) | 240*s^3*t^2
        hessian(tr(X' @ S @ X @ R), X)
        hvp(tr(X' @ S @ X @ R)/2, X, X) | S @ X @ R
        hvp(norm(Z @ Z)^2, Z, A)
        hvp(logdet(S), S, W) | -inv(S) @ W @ inv(S)
        d(d(d(inv(A + t*B), t), t), t) | -6*inv(A + t*B) @ B @ inv(A + t*B) @ B @ inv(A + t*B) @ B @ inv(A + t*B)
    """,
    ),
    "more structured": (
        SQUARES,
        """
        grad(a @ W @ b, W) | (outer(a, b) + outer(b, a))/2
        grad(a @ W @ b, W, form=tied) | outer(a, b) + outer(b, a) - diag(a*b)
        grad(tr(A @ W @ B @ W), W)
        grad(det(S), S) | det(S)*inv(S)
        grad(det(S), S, form=tied) | det(S)*(2*inv(S) - diag(diagonal(inv(S))))
        grad(norm(inv(S))^2, S) | -2*inv(S) @ inv(S) @ inv(S)
        grad(tr(inv(S) @ A), S) | -inv(S) @ (A + A') @ inv(S)/2
        grad(tr(inv(G) @ A), G) | -diag(diagonal(A)/diagonal(G)^2)
        grad(logdet(G), G) | inv(G)
        grad(norm(G @ A)^2, G) | 2*diag(diagonal(G)*sum(A^2, axis=1))
        grad(x @ G @ x + tr(G @ G), G) | diag(x^2) + 2*G
        grad(norm(K @ x - b)^2, K)
        grad(norm(K)^2, K) | 2*K
        grad(a @ K @ a, K) | zeros(n, n)
        grad(a @ L @ b, L) | tril(outer(a, b))
        grad(norm(L @ L' - S)^2, L) | 4*tril((L @ L' - S) @ L)
        grad(logdet(L), L) | diag(1/diagonal(L))
        grad(sum(log(diagonal(L))), L) | diag(1/diagonal(L))
        grad(norm(inv(L) @ a)^2, L)
        grad(norm(Q - A)^2, Q) | Q @ A' @ Q - A
        grad(a @ Q @ b, Q) | (outer(a, b) - Q @ outer(b, a) @ Q)/2
        grad(norm(Q)^2, Q) | zeros(n, n)
        grad(logdet(Q), Q) | zeros(n, n)
        grad(tr(Q' @ S @ Q @ G), Q)
        grad(norm(w)^2, w) | 2*(w - 1/n)
        grad(a @ log(w), w) | a/w - sum(a/w)/n
        grad(w @ A @ w, w)
        hessian(w @ S @ w, w)
        hessian(tr(W @ W @ A), W)
        hessian(tr(inv(S) @ A), S)
        hessian(logdet(S), S)
        hessian(norm(G)^2, G)
        grad(norm(S @ x - b)^2, S)
        grad(norm(Q @ X - X)^2, X) | 4*X - 2*(Q + Q') @ X
        grad(x @ matpow(S, 3) @ x, S)
        grad(tr(matpow(W, 4)), W) | 4*W @ W @ W
        grad(tr(S @ log(S)), S)
    """,
    ),
    "more layers": (
        """
dim n, d, m, e, c, t, o, h, v, g
param X: real[n, d], Q: real[n, d], K: real[m, d], V: real[m, e], T: real[n, e], Wq: real[d, h], Wk: real[d, h], Wv: real[d, e], Wo: real[e, d], gam: real[d], bet: real[d]
param x: real[d], F: real[o, c, 4], s: real[2, c, 2*t + 2], I: real[3, c, 2*t + 1, 2*h + 1], J: real[o, c, 3, 3], b: real[o], E: real[v, d], U: real[d, v], W1: real[d, h], W2: real[h, d], b1: real[h], b2: real[d]
data ids: label(v)[n], y: label(v)[n], N: real[n, d], P: real[n, e]
const eps: positive = 1/1000
let A = softmax(Q @ K'/sqrt(d))
let xb = mean(X, axis=0)
let vb = var(X, axis=0)
""",
        """
        grad(norm(A @ V - P)^2/2, V) | A' @ (A @ V - P)
        grad(sum(P*(A @ V)), Q)
        grad(sum(P*(softmax((X @ Wq) @ (X @ Wk)'/sqrt(h)) @ (X @ Wv))), Wv) | X' @ softmax(X @ Wq @ (X @ Wk)'/sqrt(h))' @ P
        grad(sum(P*(softmax((X @ Wq) @ (X @ Wk)'/sqrt(h)) @ (X @ Wv))), Wq)
        grad(sum(P*(softmax((X @ Wq) @ (X @ Wk)'/sqrt(h)) @ (X @ Wv))), X)
        jacobian(softmax(Wk' @ x), x)
        grad(norm(gam*(X - xb)/sqrt(vb + eps) + bet - N)^2/2, gam)
        grad(norm(gam*(X - xb)/sqrt(vb + eps) + bet - N)^2/2, bet) | sum(gam*(X - xb)/sqrt(vb + eps) + bet - N, axis=0)
        grad(norm(gam*(X - xb)/sqrt(vb + eps) + bet - N)^2/2, X)
        grad(sum(N*layernorm(X, eps=1/100)), X)
        grad(sum(N*(X/sqrt(mean(X^2, axis=1, keepdims=True) + eps))), X)
        grad(norm(X/norm(X))^2/2 + sum(N*X), X) | N
        jacobian(x/sqrt(mean(x^2) + eps), x)
        grad(sum(conv1d(s, F, stride=2)^2)/2, F)
        grad(sum(conv1d(s, F, stride=2, padding=1)^2)/2, s)
        grad(sum(conv2d(I, J, stride=2)^2)/2, J)
        grad(sum(conv2d(I, J, padding=1)^2)/2, I)
        grad(sum(relu(conv2d(I, J, stride=2, padding=1))), J)
        grad(sum(tanh(conv1d(s, F))), s)
        grad(sum(maxpool(conv2d(I, J), 2)), J)
        grad(sum(meanpool(I[:, :, 1:, 1:], 2)^2), I)
        grad(-sum(log_softmax(embed(E, ids) @ U)*embed(eye(v), y)), E)
        grad(-sum(log_softmax(embed(E, ids) @ U)*embed(eye(v), y)), U) | embed(E, ids)' @ (softmax(embed(E, ids) @ U) - embed(eye(v), y))
        grad(sum(N*gelu(X)), X)
        grad(norm(gelu(X @ W1 + b1) @ W2 + b2 - X)^2/2, b1)
        grad(norm(silu(X @ W1)*(X @ W1) @ W2)^2/2, W1)
        grad(norm(X + gelu(layernorm(X) @ W1) @ W2)^2/2, W2)
        grad(norm(X + relu(layernorm(X) @ W1) @ W2)^2/2, X)
        hessian(sum(silu(x)), x)
        hessian(sum(softmax(x)*bet), x)
        hessian(sum(layernorm(x)*gam), x)
        grad(sum(N*softmax(X)), X) | softmax(X)*(N - sum(N*softmax(X), axis=1, keepdims=True))
        grad(sum(N*log_softmax(X)), X) | N - sum(N, axis=1, keepdims=True)*softmax(X)
        grad(sum(N*cumsum(X)), X)
        grad(sum(bet*cumprod(exp(x))), x)
        grad(prod(1 + x^2), x)
        grad(sum(N*sigmoid(X @ W1 @ W2)), W1)
        grad(sum(x*(sigmoid(gam*x)*tanh(bet*x))), x)
    """,
    ),
    "more models": (
        """
dim n, d, k, l
data X: real[n, d], y: real[n], Xs: real[l, d], Y: onehot[n, k], cnt: natural[n]
param w: real[d], M: real[k, d], a: real[k], lv: real[k], Th: real[d, k], mu: real[d], S: spd[d, d], P: spd[d, d], L: lower[d, d], ell: positive, sf: positive, sn: positive, F: real[n, k], H: real[d, k], s: positive[d], nu: positive, al: positive[k], b: real, pi: simplex[k]
let r = X @ w - y
let Z = exp(-(sum(X^2, axis=1, keepdims=True) + sum(X^2, axis=1) - 2*X @ X')/(2*ell^2))
let Kn = sf*Z + sn*eye(n)
let C = H @ H' + diag(s)
let eta = X @ Th
""",
        """
        grad(y @ inv(Kn) @ y/2 + logdet(Kn)/2, sf) | (tr(inv(Kn) @ Z) - y @ inv(Kn) @ Z @ inv(Kn) @ y)/2
        grad(y @ inv(Kn) @ y/2 + logdet(Kn)/2, sn) | (tr(inv(Kn)) - norm(inv(Kn) @ y)^2)/2
        grad(y @ inv(Kn) @ y/2 + logdet(Kn)/2, ell)
        grad(y @ inv(Kn) @ y/2 + logdet(Kn)/2, Kn) | (inv(Kn) - inv(Kn) @ outer(y, y) @ inv(Kn))/2
        grad(sum((X - mu)*((X - mu) @ P))/2 - n/2*logdet(P), P) | ((X - mu)' @ (X - mu) - n*inv(P))/2
        grad(sum((X - mu)*((X - mu) @ P))/2 - n/2*logdet(P), mu) | -P @ sum(X - mu, axis=0)
        grad((mu @ inv(C) @ mu + logdet(C))/2, H) | inv(C) @ H - inv(C) @ outer(mu, mu) @ inv(C) @ H
        grad((mu @ inv(C) @ mu + logdet(C))/2, s) | (diagonal(inv(C)) - (inv(C) @ mu)^2)/2
        grad(tr(inv(P) @ S) - d + logdet(P) - logdet(S), S) | inv(P) - inv(S)
        grad(tr(inv(P) @ S) - d + logdet(P) - logdet(S), P) | inv(P) - inv(P) @ S @ inv(P)
        grad(norm(solve(L, mu))^2, mu) | 2*inv(L @ L') @ mu
        grad(-sum(logsumexp(a - (sum(X^2, axis=1, keepdims=True) - 2*X @ M' + sum(M^2, axis=1))/2, axis=1)), M)
        grad(-sum(logsumexp(log(pi) - lv/2 - exp(-lv)*(y[0] - a)^2/2)), lv)
        grad(-logsumexp(a - lv/2 - exp(-lv)*(b - a)^2/2), b)
        grad(-sum(Y*log_softmax(eta)), Th) | X' @ (softmax(eta) - Y)
        hessian(-sum(Y*log_softmax(eta)), Th)
        grad(sum(exp(X @ w) - cnt*(X @ w)), w) | X' @ (exp(X @ w) - cnt)
        hessian(sum(softplus(X @ w)) + norm(w)^2/2, w) | X' @ diag(sigmoid(X @ w)*(1 - sigmoid(X @ w))) @ X + eye(d)
        hessian(sum(log(cosh(r))), w) | X' @ diag(1 - tanh(r)^2) @ X
        grad(sum(log(1 + r^2/nu)), w) | 2*X' @ (r/(nu + r^2))
        grad(n*lgamma((nu + 1)/2) - n*lgamma(nu/2) - n*log(nu)/2 - (nu + 1)/2*sum(log(1 + r^2/nu)), nu)
        grad(lgamma(sum(al)) - sum(lgamma(al)) + (al - 1) @ a, al) | digamma(sum(al)) - digamma(al) + a
        hessian(lgamma(sum(al)) - sum(lgamma(al)), al) | trigamma(sum(al))*ones(k, k) - diag(trigamma(al))
        grad(norm(X - F @ H')^2/2 + norm(F)^2/2, F) | (F @ H' - X) @ H + F
        grad(norm(X - F @ H')^2/2, H) | (H @ F' - X') @ F
        grad(norm(X - X @ H @ H')^2/2, H)
        grad(tr(H' @ S @ H @ inv(H' @ H)), H)
        grad(sum(exp(-norm(w - mu)^2/2)*s), w)
        grad(sum(Z @ y), ell)
        jacobian(exp(-sum((Xs - w)^2, axis=1)/2), w)
        grad(w @ S @ w/sqrt(w @ P @ w), w)
        grad(mu @ w/sqrt(w @ S @ w), w) | mu/sqrt(w @ S @ w) - mu @ w*S @ w/(w @ S @ w)^(3/2)
        grad(-log(1 - sum(w^2)), w) | 2*w/(1 - sum(w^2))
        grad(-sum(log(1 - X @ w)), w) | X' @ (1/(1 - X @ w))
        hessian(-sum(log(1 - X @ w)), w) | X' @ diag(1/(1 - X @ w)^2) @ X
        grad(mean(log(1 + exp(-y*(X @ w + b)))), b)
        hvp(mean(softplus(X @ w)), w, mu) | X' @ (sigmoid(X @ w)*(1 - sigmoid(X @ w))*(X @ mu))/n
        grad(norm(X' @ r)^2/2, w) | X' @ X @ X' @ r
        grad(norm(r/norm(r) - y)^2, w)
        grad(logsumexp(X @ w)/b, w) | X' @ softmax(X @ w)/b
        hessian(logsumexp(X @ w), w) | X' @ (diag(softmax(X @ w)) - outer(softmax(X @ w), softmax(X @ w))) @ X
    """,
    ),
    "more matrix functions, entries, sums": (
        """
dim n, m, k
param A: real[n, n], B: real[n, n], S: spd[n, n], W: symmetric[n, n], X: real[n, m], x: real[n], y: real[m], u: positive[n], T: real[n, m, k], t: real, M: real[m, k]
""",
        """
        grad(x @ expm(A) @ x, A)
        d(tr(expm(A + t*B)), t) | tr(expm(A + t*B) @ B)
        d(expm(t*A) @ x, t) | A @ expm(t*A) @ x
        d(d(expm(t*A) @ x, t), t) | A @ A @ expm(t*A) @ x
        grad(det(expm(A)), A) | exp(tr(A))*eye(n)
        grad(logdet(matpow(A, k)), A) | k*inv(A)'
        grad(tr(matpow(A + t*B, k)), t) | k*tr(matpow(A + t*B, k - 1) @ B)
        grad(tr(B @ matpow(A, k)), A)
        grad(nuclear_norm(A @ X), X) | A' @ polar(A @ X)
        grad(nuclear_norm(X)^2, X) | 2*nuclear_norm(X)*polar(X)
        grad(spectral_norm(X - outer(x, y)), x)
        grad(sum(1/eigvals(S)), S) | -inv(S) @ inv(S)
        grad(sum(eigvals(W)^3), W) | 3*W @ W
        grad(max(eigvals(S)), S)
        grad(eigvals(S)[n - 1]/eigvals(S)[0], S)
        grad(log(eigvals(S)[0]), S) | outer(eigvecs(S)[:, 0], eigvecs(S)[:, 0])/eigvals(S)[0]
        d(eigvals(S + t*W)[0], t)
        d(spectral_norm(X*t), t)
        grad(tr(sqrtm(S) @ A), S)
        grad(tr(sqrtm(S @ S)), S) | eye(n)
        grad(norm(cholesky(S) @ x)^2, S)
        grad(x @ solve(S, x), S) | -outer(inv(S) @ x, inv(S) @ x)
        grad(sum[i, j, l](T[i, j, l]*x[i]*y[j]), T)
        grad(sum[i, j, l](T[i, j, l]*x[i]*y[j]*M[j, l]), M)
        grad(sum[i, j, l](T[i, j, l]*x[i]*y[j]*M[j, l]), x)
        grad(sum[i](prod[j](X[i, j] + y[j])), y)
        grad(sum[i, j](X[i, j]^2*x[i]), X) | 2*X*reshape(x, n, 1)
        grad(norm(T)^2, T) | 2*T
        grad(sum(T*T*T), T) | 3*T^2
        grad(max[i](x[i]*u[i]), x)
        grad(sum(sin(X[0])*y), X)
        grad(x[0]*x[n - 1], x)
        hessian(x[0]*x[1]*x[2], x)
        grad(A[0] @ B[:, 1], A)
        grad(exp(A[0, 0])*tr(A), A)
        grad(sum(x[1:]*log(u[:-1])), u)
        grad(sum((x[2:] - 2*x[1:-1] + x[:-2])^2), x)
        grad(sum(cumprod(x)*u), x)
        grad(cumsum(x)[n - 1], x) | ones(n)
        jacobian(cumsum(x), x)
        jacobian(cumprod(x), x)
        jacobian(prod(X, axis=1), X)
        grad(sum(log(prod(1 + X^2, axis=0))), X) | 2*X/(1 + X^2)
        grad(var(X @ y), y)
        grad(sum(var(X, axis=0)), X) | 2*(X - mean(X, axis=0))/n
        jacobian(norm(X, axis=1), X)
        grad(sum(norm(X, axis=1)), X) | X/norm(X, axis=1, keepdims=True)
        grad(sum(logsumexp(X, axis=0)), X)
        jacobian(mean(X, axis=0), X)
        grad(dot(x, sin(x)), x) | sin(x) + x*cos(x)
        jacobian(hessian(sum(x^4), x), x)
        jacobian(hessian(prod(x), x), x)
        jacobian(jacobian(outer(x, y), x), y)
        grad(besseli(0, t), t)
        grad(sum(igamma(2, u)), u) | u*exp(-u)
        grad(sum(erfc(x)), x) | -2*exp(-x^2)/sqrt(pi)
        grad(sum(Ei(u)), u) | exp(u)/u
        grad(sum(atan(x)*log1p(u)), u) | atan(x)/(1 + u)
        hessian(sum(where(abs(x) < 1, x^2/2, abs(x) - 1/2)), x)
        grad(sum(xlogy(u, u)), u) | 1 + log(u)
        grad(sum(min(x^2, 1)), x)
    """,
    ),
    "more recurrences": (
        """
dim n, d, T
data x: real[T, d]
param A: real[n, n], B: real[n, d], h0: real[n], c: real[n], b: real[n], a: real
let h[0] = h0
let h[t: 1..T] = tanh(A @ h[t-1] + B @ x[t-1] + b)
let g[0] = h0
let g[t: 1..T] = A @ g[t-1]
let s[0] = a
let s[t: 1..T] = s[t-1]^2 - a
""",
        """
        grad(c @ h[T], A)
        grad(c @ h[T], B)
        grad(c @ h[T], b)
        grad(c @ h[T], h0)
        grad(sum[t: 1..T](norm(h[t])^2), A)
        grad(c @ g[T], h0)
        grad(c @ g[T], A)
        jacobian(g[T], h0)
        grad(s[T], a)
    """,
    ),
}

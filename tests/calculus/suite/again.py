"""Derivative problems: the Matrix Cookbook a second time, structured and patterned matrices, matrix functions, scans, recurrences."""
# ruff: noqa: E501

from __future__ import annotations

COOK = """
dim m, n, p, q, k
param X: real[m, n], Y: real[n, m], Z: real[n, n], A: real[n, n], B: real[n, n], C: real[n, n], D: real[n, n], E: real[m, n], F: real[m, m], H: real[p, m], J: real[n, q], M: real[p, q]
param a: real[n], b: real[n], c: real[m], x: real[n], y: real[m], s: real[q], v: real[2*n - 1], u: positive[n], g: real, t: real, r: positive
param S: spd[n, n], R: spd[m, m], W: symmetric[n, n], V: symmetric[m, m], T: spd[n, n], G: diagonal[n, n], K: skew[n, n], L: lower[n, n], Q: orthogonal[n, n], w: simplex[n]
"""

AGAIN: dict[str, tuple[str, str]] = {
    "cookbook again": (
        COOK,
        """
        d(d(det(A + t*B + t^2*C), t), t)
        d(tr(A + t*B) + logdet(A + exp(t)*B), t) | tr(B) + exp(t)*tr(inv(A + exp(t)*B) @ B)
        d((A + t*B) @ (C + t^2*D), t) | B @ (C + t^2*D) + 2*t*(A + t*B) @ D
        d((A + t*B)*(C + t*D), t) | B*(C + t*D) + (A + t*B)*D
        d(kron(A + t*B, C + t*D), t) | kron(B, C + t*D) + kron(A + t*B, D)
        d((A + t*B)', t) | B'
        d(inv(A + t*B)', t) | -(inv(A + t*B) @ B @ inv(A + t*B))'
        grad(det(X' @ F @ X), X) | det(X' @ F @ X)*(F @ X @ inv(X' @ F @ X) + F' @ X @ inv(X' @ F' @ X))
        grad(det(X' @ V @ X), X) | 2*det(X' @ V @ X)*V @ X @ inv(X' @ V @ X)
        grad(det(X @ Y), Y) | det(X @ Y)*X' @ inv(X @ Y)'
        grad(logdet(X @ X'), X) | 2*inv(X @ X') @ X
        grad(det(matpow(Z, k)), Z) | k*det(Z)^k*inv(Z)'
        grad(log(abs(det(Z))), Z) | inv(Z)'
        grad(prod(eigvals(S)), S) | det(S)*inv(S)
        grad(sum(eigvals(W)), W) | eye(n)
        jacobian(X @ A, X)
        jacobian(X' @ H', X)
        jacobian(Z, Z)
        jacobian(Z', Z)
        jacobian(tr(X @ Y), X) | Y'
        grad(sum[i: m, j: n, l: m, o: n](X[i, j]*X[l, o]), X) | 2*sum(X)*ones(m, n)
        jacobian(X' @ F @ X, X)
        jacobian(Z @ B @ Z', Z)
        grad((y - X @ x) @ V @ (y - X @ x), x) | -2*X' @ V @ (y - X @ x)
        grad((y - X @ x) @ V @ (y - X @ x), y) | 2*V @ (y - X @ x)
        grad((y - X @ x) @ V @ (y - X @ x), X) | -2*outer(V @ (y - X @ x), x)
        grad(a @ matpow(Z, k)' @ matpow(Z, k) @ b, Z)
        grad(a @ matpow(Z, k) @ b, Z)
        grad((A @ x + b) @ (A @ x + b), x) | 2*A' @ (A @ x + b)
        hessian((A @ x + a) @ C @ (B @ x + b), x) | A' @ C @ B + B' @ C' @ A
        grad(tr(kron(A, Z)), Z) | tr(A)*eye(n)
        grad(tr(kron(Z, Z)), Z) | 2*tr(Z)*eye(n)
        grad(tr((A @ Z @ B + C) @ (A @ Z @ B + C)'), Z) | 2*A' @ (A @ Z @ B + C) @ B'
        grad(tr(A @ Z @ B @ Z' @ C + Z @ D), Z) | A' @ C' @ Z @ B' + C @ A @ Z @ B + D'
        grad(tr(X @ A @ X' @ F), X) | F' @ X @ A' + F @ X @ A
        grad(tr(A*Z), Z) | diag(diagonal(A))
        grad(tr(matpow(Z, k) @ A), Z)
        grad(tr(inv(A + X' @ F @ X) @ (X' @ V @ X)), X)
        grad(tr(inv(X' @ V @ X) @ (X' @ R @ X)), X) | 2*R @ X @ inv(X' @ V @ X) - 2*V @ X @ inv(X' @ V @ X) @ X' @ R @ X @ inv(X' @ V @ X)
        grad(tr(inv(X' @ V @ X) @ A), X) | -V @ X @ inv(X' @ V @ X) @ (A + A') @ inv(X' @ V @ X)
        jacobian((x - a)/norm(x - a)^3, x) | eye(n)/norm(x - a)^3 - 3*outer(x - a, x - a)/norm(x - a)^5
        grad(norm(x - a)^3, x) | 3*norm(x - a)*(x - a)
        hessian(norm(x - a)^3, x)
        grad(norm(Z @ Z' - A)^2, Z)
        grad(tr(inv(Z)), Z) | -(inv(Z) @ inv(Z))'
        grad(sum(inv(Z)), Z) | -outer(inv(Z)' @ ones(n), inv(Z) @ ones(n))
        grad(a @ inv(Z + eye(n)) @ inv(Z + eye(n)) @ b, Z)
        jacobian(vec(A @ Z @ B), Z)
        grad(vec(Z) @ kron(A, B) @ vec(Z), Z) | B @ Z @ A' + B' @ Z @ A
        grad(vec(X) @ vec(E), X) | E
        grad(vec(Z) @ kron(S, T) @ vec(Z), Z) | 2*T @ Z @ S
        grad(tr(H @ X @ J @ M'), X) | H' @ M @ J'
        grad(norm(H @ X @ J - M)^2/2, X) | H' @ (H @ X @ J - M) @ J'
        hessian(norm(H @ X @ J - M)^2/2, X)
        grad(s @ J' @ Z @ Z' @ J @ s, Z) | 2*outer(J @ s, J @ s) @ Z
        grad(s @ J' @ Z @ Z' @ J @ s, s) | 2*J' @ Z @ Z' @ J @ s
        grad(sum[i: n, j: n](A[i, j]*v[i - j + n - 1]), v)
        grad(sum[i: n, j: n](A[i, j]*v[i + j]), v)
        grad(logdet(tensor[i: n, j: n](v[i - j + n - 1]) + r*eye(n)), v)
        grad(tr(Z @ Z') + norm(Z)^2, Z) | 4*Z
        grad(norm(Z - Z')^2/4, Z) | Z - Z'
        grad(norm(Z + Z')^2/4, Z) | Z + Z'
        grad(a @ X' @ inv(X @ A @ X' + R) @ y, y) | inv(X @ A @ X' + R)' @ X @ a
        grad(norm(inv(X' @ X) @ X' @ y)^2, y)
        grad(y @ X @ inv(X' @ X) @ X' @ y, y) | 2*X @ inv(X' @ X) @ X' @ y
        grad(y @ X @ inv(X' @ X) @ X' @ y, X)
        grad(norm(y - X @ inv(X' @ X) @ X' @ y)^2, X)
        jacobian(X @ inv(X' @ X + r*eye(n)) @ X' @ y, y) | X @ inv(X' @ X + r*eye(n)) @ X'
        d(X @ inv(X' @ X + t*eye(n)) @ X' @ y, t)
        grad(tr(X @ inv(X' @ X + r*eye(n)) @ X'), r)
        hessian(1/(x @ S @ x), x)
        hessian(sqrt(x @ S @ x), x)
        jacobian(S @ x/(x @ S @ x), x)
        grad(a @ diag(x) @ B @ diag(x) @ a, x)
        grad(tr(B @ diag(x) @ B'), x) | sum(B^2, axis=0)
        jacobian(diag(x) @ A @ x, x) | diag(A @ x) + diag(x) @ A
        jacobian(A @ diag(x) @ B, x)
        grad(logdet(diag(u) + A), u) | diagonal(inv(diag(u) + A))
        grad(logdet(diag(u)), u) | 1/u
        grad(a @ inv(diag(u)) @ b, u) | -a*b/u^2
        grad(det(diag(u) @ A), u) | det(diag(u) @ A)/u
        grad(a @ inv(A + diag(x)) @ b, x) | -(inv(A + diag(x))' @ a)*(inv(A + diag(x)) @ b)
    """,
    ),
    "structured again": (
        COOK,
        """
        grad(a @ W @ W @ b, W) | ((outer(a, b) + outer(b, a)) @ W + W @ (outer(a, b) + outer(b, a)))/2
        grad(a @ S @ a, S, form=tied) | 2*outer(a, a) - diag(a^2)
        grad(a @ inv(S) @ a, S, form=tied) | diag((inv(S) @ a)^2) - 2*outer(inv(S) @ a, inv(S) @ a)
        grad(tr(S @ A) - logdet(S), S) | (A + A')/2 - inv(S)
        grad(tr(S @ A) - logdet(S), S, form=free) | A' - inv(S)
        grad(tr(S @ A @ S @ B), S, form=free) | (A @ S @ B + B @ S @ A)'
        grad(tr(inv(S) @ T) + logdet(S), S) | inv(S) - inv(S) @ T @ inv(S)
        grad(tr(inv(S) @ T) + logdet(S), T) | inv(S)
        grad(log(tr(S @ T)), S) | T/tr(S @ T)
        grad(logdet(S + T) - logdet(S)/2 - logdet(T)/2, S) | inv(S + T) - inv(S)/2
        grad(norm(S - T)^2/2, S) | S - T
        grad(tr(S @ inv(T) @ S), S) | inv(T) @ S + S @ inv(T)
        grad(tr(matpow(S, k)), S, form=tied)
        grad(max(eigvals(W)), W)
        grad(tr(sqrtm(S @ S + eye(n))), S)
        grad(norm(L @ L' @ x - a)^2/2, L) | tril((outer(L @ L' @ x - a, x) + outer(x, L @ L' @ x - a)) @ L)
        grad(x @ inv(L @ L') @ x/2 + sum(log(diagonal(L))), x) | inv(L @ L') @ x
        grad(x @ inv(L @ L') @ x/2 + logdet(L), L)
        grad(tr(L' @ A @ L), L) | tril((A + A') @ L)
        grad(prod(diagonal(L)), L)
        grad(det(L), L) | det(L)*diag(1/diagonal(L))
        grad(a @ G @ A @ G @ b, G) | diag(a*(A @ G @ b) + b*(A' @ G @ a))
        grad(tr(inv(G + S)), G) | -diag(diagonal(inv(G + S) @ inv(G + S)))
        grad(logdet(G + A), G) | diag(diagonal(inv(G + A)))
        grad(tr(expm(G)), G)
        grad(tr(K @ A @ K), K)
        grad(norm(expm(K) @ x - a)^2, x) | 2*(x - expm(K)' @ a)
        grad(tr(expm(K)), K)
        grad(a @ inv(eye(n) + K) @ b, K)
        grad(logdet(eye(n) + K), K)
        grad(norm(Q' @ A @ Q - B)^2, Q)
        grad(a @ Q @ A @ Q' @ b, Q)
        grad(tr(Q' @ S @ Q @ T), S) | Q @ T @ Q'
        grad(norm(Q @ A)^2, Q) | zeros(n, n)
        grad(norm(Q @ x)^2, x) | 2*x
        hessian(norm(Q @ x - a)^2/2, x) | eye(n)
        jacobian(Q @ Q' @ x, x) | eye(n)
        grad(logsumexp(log(w)), w) | zeros(n)
        grad(sum(w), w) | zeros(n)
        grad(w @ log(w) - w @ a, w)
        grad(w @ S @ w/2 - a @ w, w)
        hessian(w @ log(w), w, form=free) | diag(1/w)
        grad(tr(A @ W @ A'), W) | A' @ A
        grad(tr(A @ W @ A'), W, form=tied) | 2*A' @ A - diag(sum(A^2, axis=0))
        hessian(x @ W @ x, x) | 2*W
        hessian(logdet(S), S, form=tied)
        hessian(tr(S @ S)/2, S)
        hessian(a @ inv(S) @ a, a) | 2*inv(S)
        jacobian(inv(S), S)
        jacobian(S @ x, S)
        jacobian(L @ L', L)
        jacobian(G @ x, G)
        hessian(sum(log(diagonal(L))), L)
    """,
    ),
    "Kronecker, vec, patterned": (
        COOK,
        """
        jacobian(vec(Z'), Z)
        jacobian(vec(X' @ X), X)
        jacobian(kron(x, x), x)
        jacobian(kron(A, Z), Z)
        jacobian(kron(X, eye(p)), X)
        grad(norm(kron(x, y) - vec(X))^2, X)
        grad(norm(kron(Z, Z))^2, Z) | 4*norm(Z)^2*Z
        grad(logdet(kron(Z, S)), Z) | n*inv(Z)'
        grad(det(kron(Z, F)), Z)
        grad(tr(kron(Z, inv(Z))), Z)
        grad(vec(E) @ kron(A, eye(m)) @ vec(X), X) | E @ A
        grad(sum(kron(x, y)), x) | sum(y)*ones(n)
        grad(kron(x, x) @ vec(A), x) | (A + A') @ x
        hessian(kron(x, x) @ vec(A), x) | A + A'
        grad(sum[i: n](sum[j: 0..i](A[i, j]*Z[i, j])), Z)
        grad(norm(tril(Z))^2, Z) | 2*tril(Z)
        grad(sum(triu(Z) @ x), Z)
        grad(norm(tril(Z) @ tril(Z)' - A)^2, Z)
        jacobian(tril(Z), Z)
        grad(tr(reshape(x, n, 1) @ reshape(a, 1, n)), x) | a
        grad(norm(reshape(vec(Z), n, n) - A)^2, Z)
        grad(norm(stack(x, a)' @ stack(x, a))^2, x)
        jacobian(outer(x, x), x)
        jacobian(x*(a @ x), x) | a @ x*eye(n) + outer(x, a)
        jacobian(jacobian(x*(a @ x), x), x)
        jacobian(hessian(tr(Z @ Z @ Z), Z), Z)
        jacobian(jacobian(A @ (x*x), x), x)
        jacobian(hessian(norm(x)^4, x), x)
        jacobian(hessian(log(a @ x), x), x)
        jacobian(hessian(1/norm(x), x), x)
        jacobian(hessian(exp(a @ x), x), x)
        jacobian(hessian(logdet(A + t*B), t), t)
        d(d(d(logdet(A + t*B), t), t), t) | 2*tr(inv(A + t*B) @ B @ inv(A + t*B) @ B @ inv(A + t*B) @ B)
        d(hessian(x @ inv(A + t*B) @ x, x), t)
        jacobian(grad(x @ Z @ a, x), Z)
        jacobian(grad(a @ inv(Z) @ x, x), Z)
        hessian(a @ inv(Z) @ b, Z)
        hessian(det(Z), Z)
        hessian(tr(Z @ A @ Z), Z)
        hessian(a @ Z @ Z' @ a, Z)
        hessian(norm(Z)^4/4, Z)
        hessian(log(norm(Z)), Z)
        hessian(tr(Z)^3, Z)
        hessian(tr(Z @ Z)*tr(Z), Z)
        hessian(norm(X @ X')^2/4, X)
        hvp(norm(X @ X')^2/4, X, E)
        hvp(a @ inv(Z) @ b, Z, A)
        hvp(det(Z), Z, A)
        hvp(tr(expm(Z)), Z, A) | expm_frechet(Z, A)'
    """,
    ),
    "matrix functions again": (
        """
dim n, m, k
param A: real[n, n], B: real[n, n], C: real[n, n], S: spd[n, n], W: symmetric[n, n], X: real[n, m], x: real[n], y: real[n], t: real, s: positive, u: positive[n], a: real, b: real, Y: real[n, m]
""",
        """
        d(expm(A + t*B), t)
        d(x @ expm(A + t*B) @ y, t)
        d(expm(t*A) @ expm(t*B), t) | expm(t*A) @ (A + B) @ expm(t*B)
        d(d(expm(t*A), t), t) | A @ A @ expm(t*A)
        d(expm(t*A) @ B @ expm(-t*A), t)
        d(expm(t^2*A), t) | 2*t*A @ expm(t^2*A)
        d(tr(expm(t*A) @ B), t) | tr(A @ expm(t*A) @ B)
        d(x @ expm(t*A) @ y, t) | x @ A @ expm(t*A) @ y
        d(matpow(A + t*B, k), t) | matpow(concat(concat(A + t*B, B, axis=1), concat(zeros(n, n), A + t*B, axis=1)), k)[:n, n:]
        d(expm(sin(t)*A) @ x, t) | cos(t)*A @ expm(sin(t)*A) @ x
        d(expm_frechet(A, t*B), t) | expm_frechet(A, B)
        grad(tr(expm(A) @ expm(B)), A)
        grad(norm(expm(A) @ x)^2, x) | 2*expm(A)' @ expm(A) @ x
        grad(tr(expm(A @ B)), A) | expm(A @ B)' @ B'
        hessian(tr(expm(W)), W)
        hvp(tr(expm(A)), A, B)
        grad(logdet(expm(A) + B), A)
        d(matpow(A + t*B, 2), t) | B @ (A + t*B) + (A + t*B) @ B
        d(tr(matpow(A + t*B, k)), t) | k*tr(matpow(A + t*B, k - 1) @ B)
        d(d(tr(matpow(A + t*B, k)), t), t)
        d(matpow(A + t*B, -1), t) | -inv(A + t*B) @ B @ inv(A + t*B)
        grad(det(matpow(A, k)), A) | k*det(A)^k*inv(A)'
        grad(tr(matpow(A, k + 1))/(k + 1), A) | matpow(A, k)'
        jacobian(matpow(A, k) @ x, x) | matpow(A, k)
        jacobian(matpow(A, k) @ x, A)
        hessian(tr(matpow(A, 4)), A)
        hessian(x @ matpow(S, k) @ x, x) | 2*matpow(S, k)
        grad(norm(matpow(A, k) @ x - y)^2, x) | 2*matpow(A, k)' @ (matpow(A, k) @ x - y)
        jacobian(cholesky(S) @ x, S)
        d(cholesky(S + s*W) @ x, s)
        grad(sum(log(diagonal(cholesky(S)))), S) | inv(S)/2
        grad(prod(diagonal(cholesky(S))), S)
        grad(norm(solve(cholesky(S), x))^2, S) | -outer(inv(S) @ x, inv(S) @ x)
        grad(norm(solve(cholesky(S), x))^2, x) | 2*inv(S) @ x
        d(eigvals(W + t*S), t)
        d(sum(eigvals(W + t*S)), t) | tr(S)
        d(d(eigvals(W + t*S)[0], t), t)
        grad(eigvals(W)[1], W) | outer(eigvecs(W)[:, 1], eigvecs(W)[:, 1])
        hessian(eigvals(W)[0], W)
        grad(sum(sqrt(eigvals(S))), S) | inv(sqrtm(S))/2
        grad(logsumexp(eigvals(W)), W)
        grad(sum(abs(eigvals(W))), W)
        jacobian(eigvecs(W)[:, 0], W)
        d(eigvecs(W + t*S), t)
        grad(spectral_norm(A)^2/2, A)
        grad(nuclear_norm(X) + norm(X - Y)^2/2, X) | polar(X) + X - Y
        hessian(nuclear_norm(X), X)
        hvp(nuclear_norm(X), X, Y)
        grad(nuclear_norm(A @ X)/norm(X), X)
        jacobian(polar(X), X)
        jacobian(sqrtm(S), S)
        d(sqrtm(S + t*W), t)
        grad(tr(sqrtm(S)), S) | inv(sqrtm(S))/2
        grad(tr(S) - 2*tr(sqrtm(S)), S) | eye(n) - inv(sqrtm(S))
        grad(x @ inv(A)' @ inv(A) @ x, A) | -2*inv(A)' @ inv(A) @ outer(x, x) @ inv(A)'
        grad(tr(inv(A) @ inv(B)), A) | -(inv(A) @ inv(B) @ inv(A))'
        grad(tr(inv(A @ B)), B)
        grad(logdet(A @ B @ C), B) | inv(B)'
        grad(logdet(inv(A)), A) | -inv(A)'
        grad(logdet(s*A), s) | n/s
        grad(logdet(s*A), A) | inv(A)'
        grad(det(s*A), s) | n*det(s*A)/s
        grad(x @ solve(A, y), y) | inv(A)' @ x
        jacobian(solve(A, x), A)
        grad(x @ inv(A + outer(x, x)) @ y, y) | inv(A + outer(x, x))' @ x
    """,
    ),
    "entries and scans again": (
        """
dim n, m, k
param x: real[n], y: real[n], u: positive[n], X: real[n, m], A: real[n, n], T: real[n, m, k], z: real[n + 2], s: real, B: real[n, m, m], C: real[n, m, m], w: real[2*n], v: real[m], P: real[k, k]
data ids: label(n)[m]
""",
        """
        grad(sum(cumprod(x)), x)
        hessian(sum(cumprod(x)), x)
        grad(cumprod(x)[n - 1], x)
        jacobian(cumprod(x)*y, x)
        grad(log(sum(cumprod(u))), u)
        grad(sum(cumsum(cumsum(x))*y), x)
        grad(sum(exp(cumsum(x))), x)
        grad(norm(cumsum(X, axis=0))^2/2, X)
        grad(sum(cumprod(1 - 1/(1 + u))*y), u)
        grad(prod(x)*sum(x), x)
        grad(prod(x*u), x)
        grad(log(prod(x^2)), x) | 2/x
        grad(sum(prod(X, axis=0)), X)
        hessian(prod(u), u)
        grad(prod(1 + s*x), s)
        grad(sum(x[::2]^3), x)
        grad(sum(x[::-1]*x), x) | 2*x[::-1]
        grad(x[-1]^2 + x[0]*x[-2], x)
        grad(sum(X[1:, :-1]*X[:-1, 1:]), X)
        grad(sum((X[1:] - X[:-1])^2) + sum((X[:, 1:] - X[:, :-1])^2), X)
        grad(sum(sqrt((X[1:, 1:] - X[:-1, 1:])^2 + (X[1:, 1:] - X[1:, :-1])^2 + 1)), X)
        grad(sum(z[2:]*z[:-2]) + sum(z[1:-1]^2), z)
        hessian(sum((z[2:] - 2*z[1:-1] + z[:-2])^2)/2, z)
        grad(sum((w[:n] - w[n:])^2), w)
        grad(sum(B @ C), B)
        grad(norm(B @ C)^2/2, C)
        grad(sum(T*T)/norm(T), T)
        grad(sum(softmax(T)*T), T)
        grad(sum(mean(T, axis=2)^2), T)
        grad(sum(max(T, axis=1)), T)
        grad(sum(T @ P), P)
        grad(sum((T @ P)^2), T)
        grad(max(x) - min(x), x)
        grad(max(x)^2, x)
        grad(sum[i: n](x[i]*sum[j: 0..i](y[j])), y)
        grad(sum[i: n, j: n](where(i < j, (x[i] - x[j])^2, 0)), x)
        grad(sum[i: n](abs(x[i] - y[i])^3), x) | 3*abs(x - y)*(x - y)
        grad(sum(x[ids]*v), x)
        grad(sum(X[ids]^2), X)
        grad(A[0, 0]*A[n - 1, n - 1] - A[0, n - 1]*A[n - 1, 0], A)
        grad(sum(diagonal(A)^3), A) | 3*diag(diagonal(A)^2)
        grad(sum(A*A'), A) | 2*A'
        grad(sum(A @ A'), A)
        grad(sum(tril(A) @ x), A)
        grad(var(x)*mean(x), x)
        grad(mean(x)^2, x) | 2*mean(x)/n*ones(n)
        grad(norm(x - mean(x))^2/2, x) | x - mean(x)
        grad(mean((x - mean(x))^3)/var(x)^(3/2), x)
        jacobian((x - mean(x))/sqrt(var(x)), x)
        hessian(log(var(x)), x)
        hessian(logsumexp(x), x) | diag(softmax(x)) - outer(softmax(x), softmax(x))
        jacobian(cumsum(softmax(x)), x)
        grad(logsumexp(cumsum(x)), x)
        jacobian(stack(x, y^2), y)
        jacobian(concat(x, y), x)
        grad(sum(norm(X, axis=0)), X)
        jacobian(X @ v/norm(X @ v), v)
        d(norm(x - s*y)^2, s) | -2*y @ (x - s*y)
        d(d(norm(x - s*y), s), s)
        d(d(d(exp(s*sum(x)), s), s), s) | sum(x)^3*exp(s*sum(x))
        d(softmax(s*x), s)
        d(d(logsumexp(s*x), s), s)
        jacobian(grad(log(x @ A @ x), x), A)
    """,
    ),
    "recurrences again": (
        """
dim n, d, T
data x: real[T + 1, d]
param A: real[n, n], B: real[n, d], h0: real[n], c: real[n], b: real[n], a: real, Wz: real[n, n], Uz: real[n, d], g: unit, G: real[n, n]
let h[0] = h0
let h[t: 1..T] = tanh(A @ h[t-1] + B @ x[t] + b)
let e[0] = 0
let e[t: 1..T] = g*e[t-1] + (1 - g)*a*t
let l[0] = h0
let l[t: 1..T] = A @ l[t-1] + b
let q[0] = h0
let zt[t: 1..T] = sigmoid(Wz @ q[t-1] + Uz @ x[t])
let q[t: 1..T] = (1 - zt[t])*q[t-1] + zt[t]*tanh(A @ q[t-1] + B @ x[t])
let f[0] = h0
let f[t: 1..T] = f[t-1] - a*(G @ f[t-1] - c)
let p[0] = zeros(n)
let p[t: 1..T] = relu(A @ p[t-1] + B @ x[t])
""",
        """
        grad(norm(h[T] - c)^2/2, A)
        grad(norm(h[T] - c)^2/2, h0)
        grad(sum[t: 1..T](c @ h[t]), B)
        grad(sum[t: 1..T](norm(h[t] - h[t-1])^2), b)
        grad(e[T], g)
        grad(e[T], a)
        grad(c @ l[T], b)
        grad(norm(l[T])^2, A)
        jacobian(l[T], h0)
        grad(c @ q[T], Wz)
        grad(c @ q[T], A)
        grad(norm(f[T])^2, a)
        grad(norm(f[T])^2, G)
        hessian(c @ l[T], h0)
        hessian(e[T], g)
        hessian(c @ h[T], h0)
        hessian(norm(f[T])^2, a)
        d(d(e[T], g), g)
        grad(c @ p[T], A)
        grad(logsumexp(h[T]), b)
        hvp(c @ h[T], h0, c)
        jacobian(h[T], h0)
    """,
    ),
}

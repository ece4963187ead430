"""Derivative problems of machine learning: the losses, activations and layers of torch.nn one by one, and models of papers."""
# ruff: noqa: E501

from __future__ import annotations

LEARNING: dict[str, tuple[str, str]] = {
    "losses of torch.nn": (
        """
dim n, k, d
data x: real[n], y: real[n], Y: onehot[n, k], P: simplex[n, k], b01: binary[n], B: binary[n, k], c: natural[n], pm: real[n], cw: positive[k], pw: positive[k]
param w: real[n], W: real[n, k], v: positive[n], z: real[k], A: real[n, d], Pp: real[n, d], N: real[n, d], a: real[d], b: real[d], t: onehot[k]
const beta: positive = 1/2, delta: positive = 1, margin: positive = 1, eps: positive = 1/1000, ls: unit = 1/10, tau: positive = 2, gam: positive = 2
let Q = softmax(W)
let q = sigmoid(w)
let u1 = a/norm(a)
""",
        """
        grad(mean(abs(w - y)), w) | sign(w - y)/n
        grad(mean((w - y)^2), w) | 2*(w - y)/n
        grad(mean(where(abs(w - y) < beta, (w - y)^2/(2*beta), abs(w - y) - beta/2)), w) | where(abs(w - y) < beta, (w - y)/beta, sign(w - y))/n
        grad(sum(where(abs(w - y) <= delta, (w - y)^2/2, delta*(abs(w - y) - delta/2))), w)
        grad(-sum(Y*log_softmax(W))/n, W) | (softmax(W) - Y)/n
        grad(-sum(cw*Y*log_softmax(W))/sum(Y @ cw), W)
        grad(-sum(((1 - ls)*Y + ls/k)*log_softmax(W))/n, W) | (Q - (1 - ls)*Y - ls/k)/n
        grad(-sum(P*log_softmax(W)), W) | Q - P
        grad(mean(exp(w) - y*w), w) | (exp(w) - y)/n
        grad(sum(exp(w) - c*w + lgamma(c + 1)), w) | exp(w) - c
        grad(mean(v - c*log(v + eps)), v) | (1 - c/(v + eps))/n
        grad(sum(log(v) + (w - y)^2/v)/2, v) | (1/v - (w - y)^2/v^2)/2
        grad(sum(log(v) + (w - y)^2/v)/2, w) | (w - y)/v
        hessian(sum(log(v) + (w - y)^2/v)/2, w) | diag(1/v)
        grad(sum(log(max(v, eps)) + (w - y)^2/max(v, eps))/2, v)
        grad(sum(P*(log(P) - log_softmax(W)))/n, W) | (Q - P)/n
        grad(sum(xlogy(P, P) - P*log_softmax(W/tau))*tau^2, W) | tau*(softmax(W/tau) - P)
        grad(-mean(b01*log(q) + (1 - b01)*log(1 - q)), w) | (q - b01)/n
        grad(mean(softplus(w) - b01*w), w) | (sigmoid(w) - b01)/n
        grad(mean((1 - b01)*w + (1 + (pm^2 - 1)*b01)*softplus(-w)), w)
        grad(mean(sum(pw*B*softplus(-W) + (1 - B)*softplus(W), axis=1)), W) | ((1 - B)*sigmoid(W) - pw*B*(1 - sigmoid(W)))/n
        grad(mean(max(0, -pm*(w - x) + margin)), w)
        grad(mean(where(b01 == 1, w, max(0, margin - w))), w)
        grad(mean(log(1 + exp(-pm*w))), w) | -pm*(1 - sigmoid(pm*w))/n
        grad(-sum(B*log(sigmoid(W)) + (1 - B)*log(1 - sigmoid(W)))/(n*k), W) | (sigmoid(W) - B)/(n*k)
        grad(sum(max(0, margin - sum(Y*W, axis=1, keepdims=True) + W)*(1 - Y))/k, W)
        grad(sum(max(0, margin - sum(Y*W, axis=1, keepdims=True) + W)^2*(1 - Y))/k, W)
        grad(1 - a @ b/(norm(a)*norm(b)), a) | a @ b*a/(norm(a)^3*norm(b)) - b/(norm(a)*norm(b))
        grad(max(0, a @ b/(norm(a)*norm(b)) - margin), a)
        grad(max(0, norm(a - b) - norm(a - A[0]) + margin), a)
        grad(sum(max(0, norm(A - Pp, axis=1) - norm(A - N, axis=1) + margin)), A)
        grad(sum(max(0, sum((A - Pp)^2, axis=1) - sum((A - N)^2, axis=1) + margin)), Pp)
        grad(-sum(b01*(1 - q)^gam*log(q) + (1 - b01)*q^gam*log(1 - q)), w)
        grad(1 - (2*sum(q*b01) + 1)/(sum(q) + sum(b01) + 1), w)
        grad(1 - sum(q*b01)/(sum(q) + sum(b01) - sum(q*b01)), w)
        grad(-mean(log(sigmoid(beta*(w - x - (y - pm))))), w) | -beta*(1 - sigmoid(beta*(w - x - (y - pm))))/n
        grad(mean(max(-pm*exp(w - x), -pm*clip(exp(w - x), 1 - ls, 1 + ls))), w)
        grad(-sum(pm*sum(Y*log_softmax(W), axis=1)), W) | reshape(pm, n, 1)*(Q - Y)
        grad(-sum(Q*log_softmax(W)), W)
        grad(-sum(diagonal(log_softmax(A @ Pp'/tau))), A) | (softmax(A @ Pp'/tau) - eye(n)) @ Pp/tau
        grad(-sum(diagonal(log_softmax(A @ Pp'/tau)) + diagonal(log_softmax(A @ Pp'/tau, axis=0)))/2, Pp)
        grad(-sum(diagonal(log_softmax(A @ Pp'/tau))), tau)
        grad(sum((w - mean(w) - (y - mean(y)))^2), w) | 2*(w - mean(w) - (y - mean(y)))
        grad(1 - sum((w - mean(w))*(y - mean(y)))/sqrt(sum((w - mean(w))^2)*sum((y - mean(y))^2)), w)
        grad(sum(where(w < y, ls*(y - w), (1 - ls)*(w - y))), w)
        grad(sum(where(w < y, ls, 1 - ls)*(w - y)^2), w) | where(w < y, 2*ls, 2*(1 - ls))*(w - y)
        grad(sum((w - y)^2/(1 + (w - y)^2)), w) | 2*(w - y)/(1 + (w - y)^2)^2
        grad(sum(1 - exp(-(w - y)^2/2)), w) | (w - y)*exp(-(w - y)^2/2)
        grad(sum(where(abs(w) < delta, 1 - (1 - (w/delta)^2)^3, 1)), w)
        grad(sum(log(cosh(w - y))), y) | -tanh(w - y)
        grad(norm(u1 - b/norm(b))^2, a)
        grad(-log(a @ b/(norm(a)*norm(b))), a) | a/norm(a)^2 - b/(a @ b)
        grad(norm(A' @ Pp/n - eye(d))^2, A) | 2*Pp @ (A' @ Pp/n - eye(d))'/n
        grad(sum(max(0, 1 - sqrt(var(A, axis=0) + eps))), A)
        grad(norm((A - mean(A, axis=0))' @ (A - mean(A, axis=0))/n)^2, A)
        hessian(-t @ log_softmax(z), z) | diag(softmax(z)) - outer(softmax(z), softmax(z))
        hessian(sum(softplus(w) - b01*w), w) | diag(sigmoid(w)*(1 - sigmoid(w)))
        hessian(sum(sqrt(1 + (w - y)^2) - 1), w) | diag((1 + (w - y)^2)^(-3/2))
        jacobian(hessian(sum(softplus(w)), w), w)
        jacobian(softmax(z/tau), z) | (diag(softmax(z/tau)) - outer(softmax(z/tau), softmax(z/tau)))/tau
    """,
    ),
    "activations of torch.nn": (
        """
dim n, m
param x: real[n], X: real[n, m], a: positive, g: real[2*n], u: positive[n], b: real[n]
""",
        """
        grad(sum(clip(x/6 + 1/2, 0, 1)), x) | where(abs(x) < 3, 1/6, 0)
        grad(sum(x*clip(x/6 + 1/2, 0, 1)), x)
        grad(sum(clip(x, -1, 1)), x)
        grad(sum(min(relu(x), 6)), x) | where(0 < x and x < 6, 1, 0)
        grad(sum(where(abs(x) > 1/2, x, 0)), x) | where(abs(x) > 1/2, 1, 0)
        grad(sum(where(x > 1/2, x - 1/2, where(x < -1/2, x + 1/2, 0))), x)
        grad(sum(log(sigmoid(x))), x) | 1 - sigmoid(x)
        grad(sum(where(x > 0, x, a*x)), a) | sum(where(x > 0, 0, x))
        grad(sum(max(0, x) + a*min(0, x)), x)
        grad(sum(105/100*(max(0, x) + min(0, 167/100*(exp(x) - 1)))), x)
        grad(sum(max(0, x) + min(0, a*(exp(x/a) - 1))), x)
        grad(sum(x/2*(1 + tanh(sqrt(2/pi)*(x + 44715/1000000*x^3)))), x)
        grad(sum(x*tanh(softplus(x))), x) | tanh(softplus(x)) + x*(1 - tanh(softplus(x))^2)*sigmoid(x)
        grad(sum(log(1 + exp(a*x))/a), x) | sigmoid(a*x)
        grad(sum(softplus(a*x)/a), a)
        grad(sum(x/(1 + abs(x))), x) | 1/(1 + abs(x))^2
        hessian(sum(x/(1 + abs(x))), x)
        grad(sum(x - tanh(x)), x) | tanh(x)^2
        grad(sum(where(x > 1, x, 3)), x) | where(x > 1, 1, 0)
        grad(sum(g[:n]*sigmoid(g[n:])), g)
        grad(sum(b*softmax(-x)), x)
        jacobian(softmax(-x), x)
        grad(sum(b*log_softmax(x)), x) | b - sum(b)*softmax(x)
        jacobian(log_softmax(x), x)
        hessian(b @ log_softmax(x), x) | -sum(b)*(diag(softmax(x)) - outer(softmax(x), softmax(x)))
        grad(sum(x*sigmoid(a*x)), x) | sigmoid(a*x)*(1 + a*x*(1 - sigmoid(a*x)))
        grad(sum(x*sigmoid(a*x)), a) | sum(x^2*sigmoid(a*x)*(1 - sigmoid(a*x)))
        grad(sum(relu(x)^2), x) | 2*relu(x)
        grad(sum(sin(a*x)^2/a + x), x)
        hessian(sum(gelu(x)), x)
        hessian(sum(elu(x)), x)
        hessian(sum(softplus(x)), x) | diag(sigmoid(x)*(1 - sigmoid(x)))
        jacobian(hessian(sum(tanh(x)), x), x)
        jacobian(hessian(sum(silu(x)), x), x)
        hessian(b @ softmax(x), x)
        jacobian(hessian(b @ log_softmax(x), x), x)
        hessian(sum(log(1 + x^2)), x) | diag(2*(1 - x^2)/(1 + x^2)^2)
        grad(sum(softmax(X, axis=0)*X), X)
        grad(sum(x^3/(1 + exp(-x))), x)
        grad(sum(u^(1/3)), u) | u^(-2/3)/3
        grad(sum(abs(x)^(3/2)), x)
        grad(sum(sign(x)*log1p(abs(x))), x) | 1/(1 + abs(x))
        grad(sum(exp(-1/u)), u) | exp(-1/u)/u^2
        grad(sum(atan(x/u)), u) | -x/(u^2 + x^2)
        grad(sum(atan(x/u)), x) | u/(u^2 + x^2)
        grad(sum(x*erf(x) + exp(-x^2)/sqrt(pi)), x) | erf(x)
        grad(sum(u*digamma(u) - lgamma(u)), u) | u*trigamma(u)
        grad(sum(lbeta(u, a)), u) | digamma(u) - digamma(u + a)
        hessian(sum(lbeta(u, a)), u)
        grad(sum(polygamma(2, u)), u) | polygamma(3, u)
        grad(sum(gamma(u)), u) | gamma(u)*digamma(u)
        hessian(sum(gamma(u)), u)
        grad(sum(log(besseli(0, u))), u) | besseli(1, u)/besseli(0, u)
        grad(sum(u^2*log(u)^2), u) | 2*u*log(u)*(log(u) + 1)
        grad(sum(sinh(x)/cosh(x)), x) | 1 - tanh(x)^2
        grad(sum(cos(x)^2 + sin(x)^2), x) | zeros(n)
        grad(sum(log(exp(x))), x) | ones(n)
        grad(sum(exp(2*log(u))), u) | 2*u
        grad(sum(sqrt(1 - tanh(x)^2)), x)
        grad(sum(floor(x)*x), x) | floor(x)
        grad(sum(max(x, b)*min(x, b)), x) | b
        grad(sum(max(x, b) + min(x, b)), x) | ones(n)
    """,
    ),
    "layers of torch.nn": (
        """
dim n, d, c, o, t, h, g, m, e, v, l
param X: real[n, d], x: real[d], T: real[n, d], W: real[o, d], b: real[o], N: real[n, c, t], I: real[c, h, t], S: real[c, t], K: real[o, c, 3], K2: real[o, c, 3, 3], Bl: real[o, d, e], y: real[e], Yb: real[n, e], G: real[n, g, m], gam: real[c], bet: real[c], Tn: real[n, c, t], To: real[n, o], Em: real[v, d], s: real[2*t], A: real[d, d], Sx: real[c, 2*t + 1], Si: real[c, 2*h, 3*t], U: real[d, e], z: real[n, 2*c]
data ids: label(v)[n], M: binary[n, n], off: binary[l, n]
const eps: positive = 1/1000, p: positive = 3
let mu = mean(N, axis=2, keepdims=True)
let sd = sqrt(var(N, axis=2, keepdims=True) + eps)
let R = X @ W' + b - To
""",
        """
        grad(norm(X @ W' + b - To)^2/2, W) | (X @ W' + b - To)' @ X
        grad(norm(R)^2/2, X) | R @ W
        grad(sum[i: n, k: o](To[i, k]*sum[p: d, q: e](X[i, p]*Bl[k, p, q]*Yb[i, q])), Bl)
        grad(sum[i: n, k: o](To[i, k]*sum[p: d, q: e](X[i, p]*Bl[k, p, q]*Yb[i, q])), X)
        jacobian(tensor[k: o](x @ Bl[k] @ y), x)
        grad(sum(Tn*(N - mu)/sd), N)
        grad(sum(Tn*(reshape(gam, c, 1)*(N - mu)/sd + reshape(bet, c, 1))), gam)
        grad(norm(reshape(gam, c, 1)*(N - mu)/sd + reshape(bet, c, 1) - Tn)^2/2, bet)
        grad(sum((G - mean(G, axis=2, keepdims=True))/sqrt(var(G, axis=2, keepdims=True) + eps)), G)
        grad(sum(((G - mean(G, axis=2, keepdims=True))/sqrt(var(G, axis=2, keepdims=True) + eps))^3), G)
        grad(sum(T*(X - mean(X))/sqrt(var(X) + eps)), X)
        grad(sum(T*X/max(norm(X, axis=1, keepdims=True), eps)), X)
        grad(sum(conv1d(S, K)), S)
        grad(norm(conv1d(S, K, padding=1))^2/2, K)
        grad(norm(conv1d(S, K, stride=3))^2/2, S)
        grad(norm(conv1d(N, K))^2/2, K)
        grad(norm(conv1d(Sx, K, stride=2, padding=2))^2/2, Sx)
        grad(sum(conv2d(I, K2)), K2)
        grad(norm(conv2d(I, K2, padding=1))^2/2, K2)
        grad(norm(conv2d(I, K2, stride=2, padding=1))^2/2, I)
        grad(norm(conv2d(Si, K2, stride=3))^2/2, K2)
        grad(sum(tanh(conv2d(I, K2) + reshape(b, o, 1, 1))), b)
        grad(sum(maxpool(Si, 2)), Si)
        grad(sum(meanpool(relu(conv2d(I, K2, padding=1)), 2)), K2)
        grad(norm(meanpool(Si, 2))^2/2, Si)
        hessian(norm(conv1d(S, K))^2/2, K)
        hvp(norm(conv1d(S, K))^2/2, K, K)
        jacobian(conv1d(S, K), S)
        grad(sum(mean(I, axis=[1, 2])^2), I)
        grad(sum((s[::2] + s[1::2])^2)/8, s)
        grad(sum(norm(X, axis=1)^p), X)
        grad(sum(sum(abs(X)^p, axis=1)^(1/p)), X)
        grad(norm(off @ embed(Em, ids))^2/2, Em)
        grad(norm(embed(Em, ids) @ U - Yb)^2/2, U) | embed(Em, ids)' @ (embed(Em, ids) @ U - Yb)
        grad(sum(T*(softmax(where(M == 1, X @ X', -100)) @ X)), X)
        grad(sum(T*(softmax(X @ A @ X'/sqrt(d)) @ X)), A)
        grad(sum(T*((1 + elu(X)) @ (X' @ T))), X)
        grad(sum(Yb*(X @ (A + U @ Yb' @ T/2) @ U)), U)
        grad(sum(T*(X*sigmoid(mean(X, axis=0) @ A))), A)
        grad(sum(T*(sigmoid(X @ A)*tanh(X @ A') + (1 - sigmoid(X @ A))*X)), A)
        grad(sum(z[:, :c]*sigmoid(z[:, c:])), z)
        grad(sum(To*(X @ (norm(b)*W/norm(W, axis=1, keepdims=True))')), W)
        grad(sum(To*(X @ W'/spectral_norm(W))), W)
        grad(sum[i: n, k: d](T[i, k]*X[i, k]/(1 + eps*sum[j: d](X[i, j]^2))^(3/4)), X)
        jacobian(x/(1 + norm(x)), x)
        jacobian(tanh(A @ x) + x, x) | diag(1 - tanh(A @ x)^2) @ A + eye(d)
        logdet(jacobian(x + tanh(A @ x), x))
        grad(logdet(eye(d) + diag(1 - tanh(A @ x)^2) @ A), A)
        grad(tr(jacobian(tanh(A @ x), x)), A)
        grad(norm(grad(sum(tanh(A @ x)), x))^2/2, A)
        grad((norm(grad(sum(sigmoid(A @ x)), x)) - 1)^2, A)
        grad(sum(diagonal(hessian(sum(sin(A @ x)), x))), A)
    """,
    ),
    "models again": (
        """
dim n, d, k, m, r, c
data X: real[n, d], y: real[n], Y: onehot[n, k], M: binary[n, m], D: real[n, m], lab: label(k)[n], ev: binary[n], G: symmetric[n, n], P: simplex[n], cnt: positive[n, m]
param w: real[d], U: real[n, r], V: real[m, r], a: real[n], b: real[m], mu: real, Z: real[n, c], W: real[d, d], H: real[n, r], A: real[d, r], B: real[d, r], q: real[r], s: positive, l: positive[d], f: real[n], al: positive[n], xs: real[d], C: real[k, d], th: real[k], T3: real[n, m, k], F1: real[n, r], F2: real[m, r], F3: real[k, r], S: spd[d, d], L: lower[d, d], z: real[d], u: real[d]
const lam: positive = 1/10, eps: positive = 1/1000, tau: positive = 2
let E = M*(U @ V' + reshape(a, n, 1) + b + mu - D)
let Dz = sum(Z^2, axis=1, keepdims=True) + sum(Z^2, axis=1) - 2*Z @ Z'
let Kx = exp(-sum(l*(reshape(X, n, 1, d) - X)^2, axis=2)/2)
let eta = X @ w
""",
        """
        grad(norm(E)^2/2 + lam/2*(norm(U)^2 + norm(V)^2), U) | (M*E) @ V + lam*U
        grad(norm(E)^2/2 + lam/2*(norm(U)^2 + norm(V)^2), b) | sum(M*E, axis=0)
        grad(norm(E)^2/2, mu) | sum(M*E)
        grad(sum(cnt*(U @ V' + reshape(a, n, 1) + b - log(cnt))^2)/2, U)
        grad(sum(1/(1 + Dz)), Z)
        grad(log(sum(1/(1 + Dz)) - n), Z)
        grad(sum(G*Dz), Z)
        grad(y @ inv(Kx + s*eye(n)) @ y/2 + logdet(Kx + s*eye(n))/2, l)
        grad(exp(-sum(l*(X - xs)^2, axis=1)/2) @ al, xs)
        jacobian(exp(-sum(l*(X - xs)^2, axis=1)/2), l)
        grad(-sum(log(abs(1/cosh(X @ W')))) - n*logdet(W), W)
        grad(sum(log(cosh(X @ W))) - n*logdet(W), W) | X' @ tanh(X @ W) - n*inv(W)'
        grad(al @ G @ al/2 - sum(al), al) | G @ al - 1
        grad(lam/2*norm(w)^2 + mean(max(0, 1 - y*eta)), w)
        grad(-sum(ev*(eta - log(cumsum(exp(eta))))), w)
        grad(-sum[i: n](eta[i] - logsumexp[j: n](eta[j])), w)
        grad(sum((eta*M[:, 0] - D[:, 0])^2), w)
        grad(mu + w @ xs + sum((xs @ A)^2 - (xs^2) @ (A^2))/2, A) | outer(xs, xs @ A) - diag(xs^2) @ A
        grad(mu + w @ xs + sum((xs @ A)^2 - (xs^2) @ (A^2))/2, xs)
        grad(norm(T3 - tensor[i: n, j: m, o: k](sum[p: r](F1[i, p]*F2[j, p]*F3[o, p])))^2/2, F1)
        grad(sum[i: n, j: m, o: k](T3[i, j, o]*sum[p: r](F1[i, p]*F2[j, p]*F3[o, p])), F2)
        hessian(sum[i: n, j: m, o: k](T3[i, j, o]*sum[p: r](F1[i, p]*F2[j, p]*F3[o, p])), F1)
        grad(norm(X - X @ A @ inv(A' @ A) @ A')^2, A)
        grad(tr(A' @ S @ A @ inv(A' @ A)), A)
        grad(tr(inv(A' @ A) @ A' @ S @ A), A)
        grad(logdet(A' @ S @ A) - logdet(A' @ A), A)
        grad(z @ inv(A @ A' + s*eye(d)) @ z + logdet(A @ A' + s*eye(d)), A)
        grad(z @ inv(A @ A' + s*eye(d)) @ z + logdet(A @ A' + s*eye(d)), s)
        grad(norm(X @ A @ B' - X)^2/(2*n), B)
        grad(-mean(logsumexp(th + X @ C' - sum(C^2, axis=1)/2, axis=1)), C)
        grad(-mean(logsumexp(th + X @ C' - sum(C^2, axis=1)/2, axis=1)), th)
        grad(sum(softmax(-sum((reshape(X, n, 1, d) - C)^2, axis=2)/tau)*sum((reshape(X, n, 1, d) - C)^2, axis=2)), C)
        grad(-z @ xs - sum(softplus(xs @ A + q)), A) | -outer(xs, sigmoid(xs @ A + q))
        grad(-z @ xs - sum(softplus(xs @ A + q)), xs)
        hessian(-z @ xs - sum(softplus(xs @ A + q)), xs) | -A @ diag(sigmoid(xs @ A + q)*(1 - sigmoid(xs @ A + q))) @ A'
        grad(log(abs(1 + u @ (w*(1 - tanh(w @ z + mu)^2)))), w)
        jacobian(z + u*tanh(w @ z + mu), z) | eye(d) + (1 - tanh(w @ z + mu)^2)*outer(u, w)
        logdet(jacobian(z + u*tanh(w @ z + mu), z))
        grad(tr(hessian(-(z - xs) @ inv(S) @ (z - xs)/2, z)) + norm(grad(-(z - xs) @ inv(S) @ (z - xs)/2, z))^2/2, S)
        grad(norm(L' @ (z - xs))^2/2 - sum(log(diagonal(L))), L)
        grad(norm(L' @ (z - xs))^2/2 - sum(log(diagonal(L))), xs) | -L @ L' @ (z - xs)
        grad((z - xs) @ inv(S) @ (z - xs)/2 + logdet(S)/2, S, form=tied)
        hessian((z - xs) @ inv(S) @ (z - xs)/2, xs) | inv(S)
        grad(lgamma((s + d)/2) - lgamma(s/2) - d/2*log(s) - (s + d)/2*log(1 + z @ inv(S) @ z/s), s)
        grad((s + d)/2*log(1 + z @ inv(S) @ z/s), z) | (s + d)*inv(S) @ z/(s + z @ inv(S) @ z)
        grad((s + d)/2*log(1 + z @ inv(S) @ z/s), S)
        grad(f @ softplus(eta), w) | X' @ (f*sigmoid(eta))
        grad(mean((y - eta)^2/(2*exp(f)) + f/2), f)
        hessian(mean((y - eta)^2/(2*exp(f)) + f/2), f)
        grad(-sum(lgamma(y^2 + s) - lgamma(s) + s*log(s) - (s + y^2)*log(s + exp(eta)) + y^2*eta), w)
        grad(-sum(lgamma(y^2 + s) - lgamma(s) + s*log(s) - (s + y^2)*log(s + exp(eta)) + y^2*eta), s)
        hessian(sum(log(1 + exp(-y*eta))), w) | X' @ diag(y^2*sigmoid(y*eta)*(1 - sigmoid(y*eta))) @ X
        hessian(norm(eta - y)/n, w)
        hessian(sum(exp(eta)) + lam/2*norm(w)^2, w) | X' @ diag(exp(eta)) @ X + lam*eye(d)
        hessian(-sum(P*log(softmax(f))), f) | diag(softmax(f)) - outer(softmax(f), softmax(f))
        grad(P @ log(P/softmax(f)), f) | softmax(f) - P
        grad(log(sum(exp(f + y))) - log(sum(exp(f))), f) | softmax(f + y) - softmax(f)
        grad(tr(S) + tr(matpow(S, 2)) + tr(matpow(S, 3)), S) | eye(d) + 2*S + 3*S @ S
        grad(logdet(eye(d) + W) , W) | inv(eye(d) + W)'
    """,
    ),
}

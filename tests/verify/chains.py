# ruff: noqa: E501
"""True derivations of the field as chains, under the declarations that they need.

Shapes of chains after the 93 reported errors of published texts: gradients, matrix identities, KL, entropy, ELBO and
Bayes steps with known and unknown densities, softmax and logistic models, games, recurrences, sums, integrals.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["GROUPS", "Group", "chains"]


@dataclass(frozen=True)
class Group:
    """Declarations, and chains one a line; ` | ` stands before each relation but the first."""

    name: str
    spec: str
    lines: str


REGRESSION = Group(
    "regression",
    """
dim n, d
data X: real[n, d], y: real[n], t: binary[n]
param w: real[d], b: real
const lam: positive = 0.1
let z = X @ w
let L2 = norm(z - y)^2/2
let LL = -sum(t*log(sigmoid(z)) + (1 - t)*log(1 - sigmoid(z)))
let LB = sum(softplus(z + b) - t*(z + b))
""",
    """
L2 = (X @ w - y) @ (X @ w - y)/2 = (w @ X' @ X @ w - 2*w @ X' @ y + y @ y)/2
grad(L2, w) = X' @ (X @ w - y) = X' @ X @ w - X' @ y
hessian(L2, w) = X' @ X
grad(L2/n + lam*(w @ w)/2, w) = X' @ (X @ w - y)/n + lam*w
hessian(L2 + lam*(w @ w)/2, w) = X' @ X + lam*eye(d)
LL = sum(softplus(z) - t*z) = sum(log(1 + exp(z))) - t @ z
grad(LL, w) = X' @ (sigmoid(z) - t)
grad(LL, w) = X' @ sigmoid(z) - X' @ t
hessian(LL, w) = X' @ diag(sigmoid(z)*(1 - sigmoid(z))) @ X
grad(LB, b) = sum(sigmoid(z + b) - t) = sum(sigmoid(z + b)) - sum(t)
d(LB, b) = sum(1/(1 + exp(-z - b))) - sum(t)
grad(sum(abs(z - y)), w) = X' @ sign(z - y)
grad(sum(relu(z)), w) = X' @ where(z > 0, 1, 0)
grad(norm(w), w) = w/norm(w)
grad(log(w @ w + lam), w) = 2*w/(w @ w + lam)
grad(sum(exp(z)*y), w) = X' @ (exp(z)*y)
hvp(L2, w, w) = X' @ X @ w = X' @ z
grad(mean((z - y)^2), w) = 2*X' @ (z - y)/n = 2*(X' @ z - X' @ y)/n
grad(sum(tanh(z)), w) = X' @ (1 - tanh(z)^2)
argmin(L2 + lam*(w @ w)/2, w) = inv(X' @ X + lam*eye(d)) @ X' @ y
sum((y - mean(y))^2) = y @ y - n*mean(y)^2 = sum(y^2) - sum(y)^2/n
var(y) = mean(y^2) - mean(y)^2
log_softmax(z) = z - logsumexp(z)
grad(logsumexp(z), w) = X' @ softmax(z)
hessian(logsumexp(z), w) = X' @ (diag(softmax(z)) - outer(softmax(z), softmax(z))) @ X
grad(-t @ log_softmax(z), w) = X' @ (sum(t)*softmax(z) - t)
""",
)

MATRIX = Group(
    "matrix",
    """
dim n, m, k
param A: real[n, n], B: real[n, n], U: real[n, k], V: real[n, k], C: real[n, m], W: real[m, k]
param S: spd[n, n], P: spd[k, k], Q: orthogonal[n, n], x: real[n], y: real[n], s: positive[n]
""",
    """
(A @ B)' = B' @ A'
tr(A @ B) = tr(B @ A) = sum(A'*B)
tr(A' @ A) = sum(A^2) = norm(A)^2
x @ A @ y = y @ A' @ x = sum(outer(x, y)*A)
(x + y) @ (x + y) = x @ x + 2*x @ y + y @ y
norm(x - y)^2 = norm(x)^2 - 2*x @ y + norm(y)^2
grad(x @ A @ x, x) = (A + A') @ x = A @ x + A' @ x
hessian(x @ A @ x, x) = A + A'
grad(tr(A @ B), A) = B'
grad(norm(C @ W)^2/2, W) = C' @ C @ W
grad(norm(C @ W)^2/2, C) = C @ W @ W'
inv(A @ B) = inv(B) @ inv(A)
inv(A') = inv(A)'
inv(inv(A)) = A
det(A @ B) = det(A)*det(B)
logdet(A @ B) = logdet(A) + logdet(B)
logdet(2*S) = n*log(2) + logdet(S)
logdet(inv(S)) = -logdet(S)
grad(logdet(A), A) = inv(A)'
grad(x @ inv(A) @ y, A) = -inv(A)' @ outer(x, y) @ inv(A)'
Q' @ Q = eye(n)
norm(Q @ x)^2 = x @ x
tr(Q @ A @ Q') = tr(A)
tr(outer(x, y)) = x @ y
diag(s) @ A = s[:, None]*A
inv(diag(s)) = diag(1/s)
logdet(diag(s)) = sum(log(s))
outer(x, y) @ y = (y @ y)*x
inv(S + U @ P @ U') = inv(S) - inv(S) @ U @ inv(inv(P) + U' @ inv(S) @ U) @ U' @ inv(S)
U @ inv(eye(k) + U' @ U) = inv(eye(n) + U @ U') @ U
logdet(eye(n) + U @ V') = logdet(eye(k) + V' @ U)
det(S + outer(x, x)) = det(S)*(1 + x @ inv(S) @ x)
inv(S + outer(x, x)) = inv(S) - inv(S) @ outer(x, x) @ inv(S)/(1 + x @ inv(S) @ x)
S @ inv(S + A' @ A) = eye(n) - A' @ A @ inv(S + A' @ A)
inv(A) - inv(B) = inv(A) @ (B - A) @ inv(B)
x @ S @ x - 2*x @ y + y @ inv(S) @ y = (x - inv(S) @ y) @ S @ (x - inv(S) @ y)
cholesky(S) @ cholesky(S)' = S
vec(A @ B @ A) = kron(A', A) @ vec(B)
tr(kron(A, B)) = tr(A)*tr(B)
(A + B) @ (A - B) = A @ A - A @ B + B @ A - B @ B
sum(C @ W) = sum[i, j, l](C[i, j]*W[j, l])
diagonal(A @ B') = sum(A*B, axis=1)
""",
)

SCALAR = Group(
    "scalar",
    """
param x: real, y: real, a: positive, b: positive, p: unit, q: unit
""",
    """
sigmoid(-x) = 1 - sigmoid(x) = 1/(1 + exp(x))
d(sigmoid(x), x) = sigmoid(x)*(1 - sigmoid(x)) = sigmoid(x) - sigmoid(x)^2
d(softplus(x), x) = sigmoid(x)
d(log(sigmoid(x)), x) = 1 - sigmoid(x) = sigmoid(-x)
d(tanh(x), x) = 1 - tanh(x)^2
tanh(x) = 2*sigmoid(2*x) - 1
log(sigmoid(x)) - log(1 - sigmoid(x)) = x
log(p/(1 - p)) = log(p) - log(1 - p)
d(x*log(a), a) = x/a
d(a^x, x) = a^x*log(a)
d(x*exp(-x^2/2), x) = (1 - x^2)*exp(-x^2/2) = exp(-x^2/2) - x^2*exp(-x^2/2)
d(-p*log(p) - (1 - p)*log(1 - p), p) = log((1 - p)/p) = log(1 - p) - log(p)
d(d(-p*log(p) - (1 - p)*log(1 - p), p), p) = -1/p - 1/(1 - p) = -1/(p*(1 - p))
p*log(p/q) + (1 - p)*log((1 - p)/(1 - q)) = p*log(p) - p*log(q) + (1 - p)*log(1 - p) - (1 - p)*log(1 - q)
lgamma(a + 1) = log(a) + lgamma(a)
digamma(a + 1) = digamma(a) + 1/a
d(lgamma(a), a) = digamma(a)
sqrt(a*b) = exp((log(a) + log(b))/2)
log(a^2*b) = 2*log(a) + log(b)
(x - y)^2 = (x + y)^2 - 4*x*y
abs(x)^2 = x^2
relu(x) = (x + abs(x))/2 = max(x, 0)
relu(x) - relu(-x) = x
max(x, y) = x + relu(y - x)
exp(-(x - y)^2/2) = exp(-x^2/2)*exp(x*y)*exp(-y^2/2)
sin(x + y) = sin(x)*cos(y) + cos(x)*sin(y)
1/(a*(a + b)) = (1/a - 1/(a + b))/b
d(log(1 + exp(a*x)), a) = x*sigmoid(a*x)
integral[t: 0..inf](exp(-a*t)) = 1/a
integral[t: 0..1](t^2) = 1/3
integral[t: 0..inf](t*a*exp(-a*t)) = 1/a
integral[t: 0..x](2*t + 1) = x^2 + x
""",
)

SUMS = Group(
    "sums",
    """
dim n, k, T
param x: real[n], y: real[n], w: positive[n], pi_: simplex[k], rho: simplex[k], g: onehot[k], u: real[k], r: real, h0: real, v: real[T], f: real[n, k]
let h[0] = h0
let h[t: 1..T] = r*h[t-1] + v[t-1]
""",
    """
sum[i: n](1) = n
sum[i: n](i) = n*(n - 1)/2
sum[i: n](i^2) = n*(n - 1)*(2*n - 1)/6
sum[i, j](x[i]*y[j]) = sum(x)*sum(y)
sum[i, j]((x[i] - x[j])^2) = 2*n*sum(x^2) - 2*sum(x)^2
sum(x*y) = x @ y = sum[i](x[i]*y[i])
sum(log(w)) = log(prod(w))
prod(exp(x)) = exp(sum(x))
sum(2*x + 3) = 2*sum(x) + 3*n
sum(pi_) = 1
sum(g) = 1
sum(g*u)^2 = sum(g*u^2)
g*g = g
log(sum(g*exp(u))) = sum(g*u) = g @ u
sum(pi_*log(pi_/rho)) = sum(pi_*log(pi_)) - sum(pi_*log(rho))
sum(pi_*(u - pi_ @ u)^2) = sum(pi_*u^2) - (pi_ @ u)^2
sum(softmax(u)) = 1
softmax(u + r) = softmax(u)
logsumexp(u + r) = logsumexp(u) + r
sum(g*log_softmax(u)) = g @ u - logsumexp(u)
grad(-g @ log_softmax(u), u) = softmax(u) - g
grad(logsumexp(u), u) = softmax(u)
jacobian(softmax(u), u) = diag(softmax(u)) - outer(softmax(u), softmax(u))
grad(softmax(u) @ u, u) = softmax(u)*(1 + u - softmax(u) @ u)
mean(f, axis=0) = sum(f, axis=0)/n
sum(f - mean(f, axis=0)) = 0
h[1] = r*h0 + v[0]
h[2] = r*h[1] + v[1] = r^2*h0 + r*v[0] + v[1]
h[3] - r*h[2] = v[2]
cumsum(x)[1] = x[0] + x[1]
""",
)

GAUSS = Group(
    "gauss",
    """
dim k
param mu: real[k], s: positive[k], m: real, tau: positive, c: real, a: positive
dist q(z) = Normal(mu, s)
dist p(z) = Normal(zeros(k), 1)
dist g(u) = Normal(m, tau)
dist g0(u) = Normal(0, 1)
dist gc(u) = Normal(c, a)
dist ex(t) = Exponential(a)
dist be(o) = Bernoulli(sigmoid(c))
dist po(j) = Poisson(a)
dist ga(e) = Gamma(a, tau)
dist bt(l) = Beta(a, tau)
""",
    """
KL(q || p) = E[z ~ q](log q(z) - log p(z)) = 1/2*(sum(s^2) + mu @ mu - k) - sum(log(s))
KL(g || g0) = (tau^2 + m^2 - 1)/2 - log(tau)
KL(g || gc) = log(a/tau) + (tau^2 + (m - c)^2)/(2*a^2) - 1/2
KL(gc || g) = E[u ~ gc](log gc(u)) - E[u ~ gc](log g(u)) = cross_entropy(gc, g) - entropy(gc)
entropy(g) = log(2*pi*e*tau^2)/2 = 1/2 + log(2*pi)/2 + log(tau)
entropy(q) = sum(log(s)) + k*(1 + log(2*pi))/2
E[u ~ g](u^2) = m^2 + tau^2
E[u ~ g]((u - m)^2) = tau^2
E[u ~ g]((u - c)^2) = (m - c)^2 + tau^2 = tau^2 + m^2 - 2*m*c + c^2
E[u ~ g](exp(u)) = exp(m + tau^2/2)
E[u ~ g](u^3) = m^3 + 3*m*tau^2
E[u ~ g](exp(c*u)) = exp(c*m + c^2*tau^2/2)
E[z ~ q](z @ z) = mu @ mu + sum(s^2)
E[z ~ q](sum(log p(z))) = -k*log(2*pi)/2 - (mu @ mu + sum(s^2))/2
Var[u ~ g](2*u + c) = 4*tau^2
log g(c) = -(c - m)^2/(2*tau^2) - log(tau) - log(2*pi)/2
d(log g(c), m) = (c - m)/tau^2
d(log g(c), tau) = (c - m)^2/tau^3 - 1/tau
grad(KL(q || p), mu) = mu
grad(KL(q || p), s) = s - 1/s
E[t ~ ex](t) = 1/a
E[t ~ ex](t^2) = 2/a^2
entropy(ex) = 1 - log(a)
entropy(be) = softplus(c) - c*sigmoid(c)
E[o ~ be](o) = sigmoid(c)
Var[o ~ be](o) = sigmoid(c)*(1 - sigmoid(c))
E[j ~ po](j) = a
E[j ~ po](j^2) = a^2 + a
E[e ~ ga](e) = a/tau
E[e ~ ga](log(e)) = digamma(a) - log(tau)
E[l ~ bt](l) = a/(a + tau)
E[l ~ bt](log(l)) = digamma(a) - digamma(a + tau)
Var[l ~ bt](l) = a*tau/((a + tau)^2*(a + tau + 1))
wasserstein2(g, g0) = m^2 + (tau - 1)^2
hellinger(g0, gc) = 1 - sqrt(2*a/(1 + a^2))*exp(-c^2/(4*(1 + a^2)))
exp(-(m - c)^2/2) propto[m] exp(m*c - m^2/2)
(m - c)^2/2 ~=[m] m^2/2 - m*c
E[u ~ g0](tanh(u)) = -E[u ~ g0](tanh(-u))
E[u ~ g](log(1 + exp(u))) = E[u ~ g](u) + E[u ~ g](log(1 + exp(-u)))
E[u ~ g](sigmoid(u)) = E[u ~ g0](sigmoid(m + tau*u))
""",
)

DENSITIES = Group(
    "densities",
    """
dim d
density p(x: real[d]), q(x: real[d]), r(x: real[d])
function D(x): unit
function f(x): real
const c: real = 2
""",
    """
KL(p || q) = E[x ~ p](log p(x) - log q(x)) = E[x ~ p](log(p(x)/q(x)))
KL(p || q) = cross_entropy(p, q) - entropy(p) = -E[x ~ p](log q(x)) + E[x ~ p](log p(x))
entropy(p) = -E[x ~ p](log p(x)) = E[x ~ p](log(1/p(x)))
E[x ~ p](2*f(x) + c) = 2*E[x ~ p](f(x)) + c
E[x ~ p]((f(x) - c)^2) = E[x ~ p](f(x)^2) - 2*c*E[x ~ p](f(x)) + c^2
Var[x ~ p](f(x)) = E[x ~ p](f(x)^2) - E[x ~ p](f(x))^2
Var[x ~ p](3*f(x) + c) = 9*Var[x ~ p](f(x))
E[x ~ p](q(x)/p(x)) = 1
E[x ~ p](q(x)/p(x)*f(x)) = E[x ~ q](f(x))
chi2(p || q) = E[x ~ q]((p(x)/q(x) - 1)^2) = E[x ~ q]((p(x)/q(x))^2) - 1
E[x ~ p](log(p(x)/(p(x) + q(x)))) + E[x ~ q](log(q(x)/(p(x) + q(x)))) = 2*JS(p, q) - log(4)
JS(p, q) = E[x ~ p](log(2*p(x)/(p(x) + q(x))))/2 + E[x ~ q](log(2*q(x)/(p(x) + q(x))))/2
E[x ~ p](log(D(x))) + E[x ~ q](log(1 - D(x))) = E[x ~ p](log(D(x)) + q(x)/p(x)*log(1 - D(x)))
hellinger(p, q) = 1 - E[x ~ p](sqrt(q(x)/p(x)))
tv(p, q) = E[x ~ p](abs(1 - q(x)/p(x)))/2
KL(p || q) + KL(q || p) = E[x ~ p](log(p(x)/q(x))) - E[x ~ q](log(p(x)/q(x)))
E[x ~ p](log p(x) - log r(x)) = KL(p || q) + E[x ~ p](log q(x) - log r(x))
E[x ~ p, y ~ q](f(x)*f(y)) = E[x ~ p](f(x))*E[y ~ q](f(y))
E[x ~ p, y ~ p]((f(x) - f(y))^2)/2 = Var[x ~ p](f(x))
0 <= KL(p || q)
E[x ~ p](log(D(x))) <= log(E[x ~ p](D(x)))
E[x ~ p](f(x))^2 <= E[x ~ p](f(x)^2)
2*JS(p, q) - log(4) >= -log(4)
""",
)

LATENT = Group(
    "latent",
    """
density p(x, z), q(z | x)
data xs: real
function f(x): real
""",
    """
log p(xs) = E[z ~ q(z | xs)](log p(xs)) = E[z ~ q(z | xs)](log(p(xs, z)/p(z | xs))) = E[z ~ q(z | xs)](log p(xs, z) - log p(z | xs))
log p(xs) = E[z ~ q(z | xs)](log p(xs, z) - log q(z | xs)) + E[z ~ q(z | xs)](log q(z | xs) - log p(z | xs))
E[z ~ q(z | xs)](log p(xs, z) - log q(z | xs)) = E[z ~ q(z | xs)](log p(xs | z)) + E[z ~ q(z | xs)](log p(z) - log q(z | xs))
E[z ~ q(z | xs)](log p(xs, z) - log q(z | xs)) = E[z ~ q(z | xs)](log p(xs | z)) - KL(q(z | xs) || p(z))
log p(xs) - E[z ~ q(z | xs)](log p(xs, z) - log q(z | xs)) = KL(q(z | xs) || p(z | xs))
E[z ~ q(z | xs)](p(xs | z)*p(z)/q(z | xs)) = p(xs)
E[x, z ~ p](log p(z | x)) - E[x, z ~ p](log p(x | z)) = E[x, z ~ p](log p(z) - log p(x))
E[x, z ~ p](log p(x, z)) = E[x, z ~ p](log p(x | z)) + E[x, z ~ p](log p(z))
E[x, z ~ p](f(x) + f(z)) = E[x ~ p](f(x)) + E[z ~ p](f(z))
E[z ~ q(z | xs)](log p(xs, z) - log q(z | xs)) <= log p(xs)
""",
)

VAE = Group(
    "vae",
    """
dim n, d, k
data x: binary[d]
param mu: real[k], s: positive[k], W: real[d, k], b: real[d]
dist q(z) = Normal(mu, s)
dist p(z) = Normal(zeros(k), 1)
dist p(x | z) = Bernoulli(sigmoid(W @ z + b))
""",
    """
E[z ~ q](log p(x | z) + log p(z) - log q(z)) = E[z ~ q](log p(x | z)) - KL(q(z) || p(z))
elbo(q, p) = E[z ~ q](log p(x | z)) - KL(q(z) || p(z))
E[z ~ q](W @ z + b) = W @ mu + b
E[z ~ q](norm(W @ z)^2) = norm(W @ mu)^2 + sum(W^2 @ s^2)
E[z ~ q](sum(x*(W @ z + b))) = x @ (W @ mu + b)
E[z ~ q](sum(log p(z) - log q(z))) = -KL(q(z) || p(z))
""",
)

GAMES = Group(
    "games",
    """
param psi: real, theta: real, h: positive
let U = psi*theta
let R = log(1 + exp(-psi*theta))
let V = psi*theta - h*psi^2/2
""",
    """
d(U, psi) = theta
d(R, theta) = -psi*sigmoid(-psi*theta) = -psi/(1 + exp(psi*theta))
d(d(R, psi), psi) = theta^2*sigmoid(psi*theta)*(1 - sigmoid(psi*theta))
argmax(V, psi) = theta/h
hessian(V, psi) = -h
V = theta^2/(2*h) - h*(psi - theta/h)^2/2
log(1 + exp(-psi)) >= -psi
psi*theta <= (psi^2 + theta^2)/2
psi*theta <= h*psi^2/2 + theta^2/(2*h)
""",
)

GROUPS = (REGRESSION, MATRIX, SCALAR, SUMS, GAUSS, DENSITIES, LATENT, VAE, GAMES)


def chains(group: Group) -> list[str]:
    return [line.strip() for line in group.lines.strip().splitlines() if line.strip()]

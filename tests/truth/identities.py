"""Equalities of the field, each with a near miss: the right side with one slip in it. In the scope of `SCOPE`."""

from __future__ import annotations

from symgen.tensor.expression import Array, Scalar, dim, var

DIMS = {name: dim(name) for name in "nmkd"}


def _scope() -> dict[str, Array | Scalar]:
    n, m, k, d = (DIMS[x] for x in "nmkd")
    scope: dict[str, Array | Scalar] = dict(DIMS)
    shapes = {
        "real": {"x": (), "y": (), "z": (), "t": (), "u": (n,), "v": (n,), "w": (d,), "mu": (k,), "A": (n, m),
                 "B": (m, k), "C": (k, n), "M": (n, n), "N": (n, n), "K": (n, n), "X": (n, d), "Y": (n, d)},
        "positive": {"a": (), "b": (), "c": (), "s": (k,), "r": (n,)},
        "unit": {"p": (), "q": ()},
        "spd": {"S": (n, n), "T": (n, n)},
        "orthogonal": {"Q": (n, n)},
        "diagonal": {"D": (n, n)},
        "lower": {"L": (n, n)},
        "skew": {"G": (n, n)},
        "simplex": {"pi_": (k,), "rho": (k,)},
        "binary": {"e_": (), "f_": (n,)},
        "onehot": {"o": (k,)},
        "natural": {"j": ()},
    }  # fmt: skip
    for domain, names in shapes.items():
        for name, shape in names.items():
            scope[name] = var(name, shape, domain)
    return scope


SCOPE = _scope()

# left side, right side, near miss
SCALARS = """
x*(y + z) | x*y + x*z | x*y + y*z
(x + y)^2 | x^2 + 2*x*y + y^2 | x^2 + x*y + y^2
(x + y)^3 | x^3 + 3*x^2*y + 3*x*y^2 + y^3 | x^3 + 3*x^2*y + 2*x*y^2 + y^3
(x^2 - y^2)/(x - y) | x + y | x - y
1/(a*(a + b)) + 1/(b*(a + b)) | 1/(a*b) | 1/(a + b)
log(a*b) | log(a) + log(b) | log(a)*log(b)
log(a/b) | log(a) - log(b) | log(a)/log(b)
log(a^x) | x*log(a) | log(a)^x
log(a^2*b) | 2*log(a) + log(b) | 2*(log(a) + log(b))
log(x^2) | 2*log(abs(x)) | log(2*abs(x))
log(6) | log(2) + log(3) | log(2)*log(3)
exp(x + y) | exp(x)*exp(y) | exp(x) + exp(y)
exp(x)^y | exp(x*y) | exp(x^y)
exp(2*log(a)) | a^2 | 2*a
(a^x)^y | a^(x*y) | a^(x^y)
sqrt(a*b) | sqrt(a)*sqrt(b) | sqrt(a) + sqrt(b)
sqrt(x^2) | abs(x) | x
sqrt(a^2*b) | a*sqrt(b) | a^2*sqrt(b)
(sqrt(a) - sqrt(b))*(sqrt(a) + sqrt(b)) | a - b | a + b
sqrt(8) | 2*sqrt(2) | 4*sqrt(2)
1/(sqrt(a) + sqrt(b)) | (sqrt(a) - sqrt(b))/(a - b) | (sqrt(a) + sqrt(b))/(a - b)
abs(x*y) | abs(x)*abs(y) | x*y
abs(x)^2 | x^2 | abs(x)
abs(-x) | abs(x) | -abs(x)
sign(x)*abs(x) | x | abs(x)
max(x, y) + min(x, y) | x + y | x - y
max(x, y) | (x + y + abs(x - y))/2 | (x + y - abs(x - y))/2
relu(x) - relu(-x) | x | abs(x)
where(x > 0, x, 0) | relu(x) | abs(x)
where(x > 0, x, -x) | abs(x) | relu(x)
where(x > y, x, y) | max(x, y) | min(x, y)
leaky_relu(x) | max(x, x/100) | max(x, x/10)
clip(x, 0, 1) | min(max(x, 0), 1) | max(x, 0)
sigmoid(-x) | 1 - sigmoid(x) | -sigmoid(x)
sigmoid(x) | exp(x)/(1 + exp(x)) | exp(-x)/(1 + exp(x))
sigmoid(x) | (1 + tanh(x/2))/2 | (1 + tanh(x))/2
log(sigmoid(x)) | -softplus(-x) | -softplus(x)
log(1 + exp(x)) | x + log(1 + exp(-x)) | x - log(1 + exp(-x))
sigmoid(x)*(1 - sigmoid(x)) | exp(x)/(1 + exp(x))^2 | exp(x)/(1 + exp(x))
log(1 - sigmoid(x)) | -softplus(x) | softplus(-x)
log(p/(1 - p)) | log(p) - log(1 - p) | log(p)/log(1 - p)
sigmoid(log(p) - log(1 - p)) | p | 1 - p
tanh(x) | 2*sigmoid(2*x) - 1 | 2*sigmoid(x) - 1
1 - tanh(x)^2 | 1/cosh(x)^2 | 1/cosh(x)
cosh(x)^2 - sinh(x)^2 | 1 | exp(x)
silu(x) | x*sigmoid(x) | sigmoid(x)
gelu(x) | x/2*(1 + erf(x/sqrt(2))) | x/2*(1 + erf(x))
erf(-x) | -erf(x) | erf(x)
sin(x)^2 + cos(x)^2 | 1 | sin(x^2) + cos(x^2)
sin(2*x) | 2*sin(x)*cos(x) | sin(x)*cos(x)
cos(x + y) | cos(x)*cos(y) - sin(x)*sin(y) | cos(x)*cos(y) + sin(x)*sin(y)
gamma(a + 1) | a*gamma(a) | (a + 1)*gamma(a)
lgamma(a + 2) | lgamma(a) + log(a) + log(a + 1) | lgamma(a) + log(a) + log(a + 2)
digamma(a + 1) | digamma(a) + 1/a | digamma(a) + 1/(a + 1)
trigamma(a + 1) | trigamma(a) - 1/a^2 | trigamma(a) + 1/a^2
beta(a, b) | gamma(a)*gamma(b)/gamma(a + b) | gamma(a)*gamma(b)/gamma(a*b)
lgamma(1/2) | log(pi)/2 | log(pi)
lbeta(a, b + 1) | lbeta(a, b) + log(b) - log(a + b) | lbeta(a, b) + log(b) + log(a + b)
-(p*log(p) + (1 - p)*log(1 - p)) | p*log(1/p) + (1 - p)*log(1/(1 - p)) | p*log(1/p) - (1 - p)*log(1/(1 - p))
p*log(p/q) + (1 - p)*log((1 - p)/(1 - q)) | p*log(p) - p*log(q) + (1 - p)*log(1 - p) - (1 - p)*log(1 - q) | p*log(p) - p*log(q)
e_^2 | e_ | 1 - e_
e_*log(p) + (1 - e_)*log(1 - p) | log(p^e_*(1 - p)^(1 - e_)) | log(p)*e_
xlogy(a, b) | a*log(b) | b*log(a)
-log(1/(a*sqrt(2*pi))*exp(-(x - y)^2/(2*a^2))) | log(a) + log(2*pi)/2 + (x - y)^2/(2*a^2) | log(a) + log(2*pi)/2 + (x - y)^2/a^2
log(a + b) | log(a) + log(1 + b/a) | log(a) + log(b/a)
a/(a + b) | 1/(1 + b/a) | 1/(1 + a/b)
a/(a + b) - b/(a + b) | 1 - 2*b/(a + b) | 1 - b/(a + b)
"""

TENSORS = """
sum(u + v) | sum(u) + sum(v) | sum(u) - sum(v)
sum(x*u) | x*sum(u) | sum(u)
sum(u + x) | sum(u) + n*x | sum(u) + x
mean(u) | sum(u)/n | sum(u)
sum((u - mean(u))^2) | sum(u^2) - n*mean(u)^2 | sum(u^2) - mean(u)^2
var(u) | mean(u^2) - mean(u)^2 | mean(u^2) + mean(u)^2
sum(u)*sum(v) | sum(outer(u, v)) | sum(u*v)
sum(u)^2 | sum[i, j](u[i]*u[j]) | sum(u^2)
u @ v | v @ u | sum(u)*sum(v)
(u - v) @ (u - v) | u @ u - 2*(u @ v) + v @ v | u @ u - u @ v + v @ v
norm(u)^2 | u @ u | sqrt(u @ u)
norm(x*u) | abs(x)*norm(u) | x*norm(u)
norm(A)^2 | tr(A' @ A) | sum(A)^2
norm(u + v)^2 + norm(u - v)^2 | 2*(u @ u) + 2*(v @ v) | 2*(u @ u) - 2*(v @ v)
(A @ B)' | B' @ A' | (A @ B)' + 1/1000
(A @ B) @ C | A @ (B @ C) | A @ (B @ C) + M/1000
tr(A @ B @ C) | tr(C @ A @ B) | tr(C @ A @ B)/n
tr(M @ N) | tr(N @ M) | tr(N)*tr(M)
tr(M @ N @ K) | tr(N @ K @ M) | tr(M @ K @ N)
tr(M') | tr(M) | -tr(M)
tr(outer(u, v)) | u @ v | sum(u)*sum(v)
tr(M @ outer(u, v)) | v @ M @ u | u @ M @ v
u @ M @ v | v @ M' @ u | v @ M @ u
u @ M @ u | u @ ((M + M')/2) @ u | u @ (M + M') @ u
sum(M) | ones(n) @ M @ ones(n) | tr(M)
diag(u) @ v | u*v | outer(u, v) @ v
diag(u) @ M | u[:, None]*M | M*u
diagonal(M @ N') | sum(M*N, axis=1) | sum(M*N, axis=0)
diagonal(diag(u)) | u | u^2
tr(eye(n)) | n | n^2
eye(n) @ M | M | M'
(M + N) @ (M + N) | M @ M + M @ N + N @ M + N @ N | M @ M + 2*(M @ N) + N @ N
(M + N) @ (M - N) | M @ M - M @ N + N @ M - N @ N | M @ M - N @ N
M @ N | M @ N | N @ M
S' | S | 2*S
S @ T | (T @ S)' | T @ S
inv(M) @ M | eye(n) | M
M @ inv(M) @ N | N | M
inv(M @ N) | inv(N) @ inv(M) | inv(M) @ inv(N)
inv(M') | inv(M)' | inv(M)
inv(inv(M)) | M | inv(M)
inv(2*M) | inv(M)/2 | 2*inv(M)
inv(S)' | inv(S) | S
u @ inv(S) @ v | v @ inv(S) @ u | u @ S @ v
solve(M, u) | inv(M) @ u | inv(M)' @ u
det(M @ N) | det(M)*det(N) | det(M) + det(N)
det(M') | det(M) | -det(M)
det(inv(M)) | 1/det(M) | det(M)
logdet(M @ N) | logdet(M) + logdet(N) | logdet(M)*logdet(N)
logdet(inv(M)) | -logdet(M) | logdet(M)
logdet(a*M) | n*log(a) + logdet(M) | log(a) + logdet(M)
logdet(diag(r)) | sum(log(r)) | sum(r)
logdet(L) | sum(log(diagonal(L))) | sum(diagonal(L))
log(det(S)) | logdet(S) | 2*logdet(S)
cholesky(S) @ cholesky(S)' | S | T
Q' @ Q | eye(n) | Q
norm(Q @ u) | norm(u) | norm(u)^2
tr(Q @ M @ Q') | tr(M) | tr(M @ Q)
inv(Q) | Q' | Q
G' | -G | G
u @ G @ u | 0 | u @ u
D @ D | diag(diagonal(D)^2) | diag(diagonal(D))
inv(diag(r)) | diag(1/r) | diag(r)
sum(softmax(u)) | 1 | n
softmax(u + x) | softmax(u) | softmax(x*u)
log_softmax(u) | u - logsumexp(u) | u + logsumexp(u)
log(softmax(u)) | log_softmax(u) | softmax(u)
logsumexp(u + x) | logsumexp(u) + x | logsumexp(u) + n*x
exp(logsumexp(u)) | sum(exp(u)) | prod(exp(u))
prod(exp(u)) | exp(sum(u)) | sum(exp(u))
log(prod(r)) | sum(log(r)) | log(sum(r))
prod(2*r) | 2^n*prod(r) | 2*prod(r)
sum(pi_) | 1 | k
sum(pi_*log(pi_/rho)) | sum(pi_*log(pi_)) - sum(pi_*log(rho)) | sum(pi_*log(pi_)) - sum(rho*log(rho))
-sum(pi_*log(pi_*2)) | -sum(pi_*log(pi_)) - log(2) | -sum(pi_*log(pi_)) - k*log(2)
sum(o) | 1 | 0
o^2 | o | 2*o
1/2*(sum(s^2) + mu @ mu - k) - sum(log(s)) | sum(s^2/2 + mu^2/2 - 1/2 - log(s)) | 1/2*(sum(s^2) + mu @ mu + k) - sum(log(s))
sum(sigmoid(u)) | n - sum(sigmoid(-u)) | sum(sigmoid(-u))
sum[i: n](i) | n*(n - 1)/2 | n*(n + 1)/2
sum[i: n](1) | n | n - 1
sum[i: n, j: n](where(i == j, u[i], 0)) | sum(u) | n*sum(u)
norm(X @ w)^2 | w @ X' @ X @ w | w @ X' @ X @ w/n
X' @ (X @ w) | (X' @ X) @ w | (X' @ X) @ w/n
sum((X @ w - f_)^2) | w @ (X' @ X) @ w - 2*(f_ @ X @ w) + sum(f_) | w @ (X' @ X) @ w - 2*(f_ @ X @ w) + f_ @ ones(n)*2
sum(X*Y) | tr(X' @ Y) | tr(X @ Y') / 2
kron(u, v) @ kron(u, v) | (u @ u)*(v @ v) | (u @ v)^2
vec(A) @ vec(A) | norm(A)^2 | norm(A)
norm(outer(u, v)) | norm(u)*norm(v) | abs(u @ v)
cumsum(u)[0] | u[0] | u[0] + u[0]
sum(where(u > 0, u, 0)) | sum(relu(u)) | sum(abs(u))
sum(max(u, v)) | sum(u + relu(v - u)) | sum(u + relu(u - v))
mean((u - mean(u))*(v - mean(v))) | mean(u*v) - mean(u)*mean(v) | mean(u*v) + mean(u)*mean(v)
sum[i, j]((u[i] - u[j])^2) | 2*n*sum(u^2) - 2*sum(u)^2 | 2*sum(u^2) - 2*sum(u)^2
"""

# what looks true at few points: both sides agree on a thin set, at small sizes, or nearly
TRAPS = """
max(x, 10) | 10
sqrt((x - 10)^2) | 10 - x
e^(pi*sqrt(163)) | 262537412640768744
where(x > 200, x, 0) | 0
where(abs(x) < 1/1000, 1, 0) | 0
x/x | 1 + x/10^12
M @ N | N @ M
tr(M @ N @ K) | tr(M @ K @ N)
M @ M - tr(M)*M + det(M)*eye(n) | 0*M
(M @ N - N @ M) @ (M @ N - N @ M) @ K | K @ (M @ N - N @ M) @ (M @ N - N @ M)
norm(M @ u) | norm(M' @ u)
1/(1 + exp(-50*x)) | where(x > 0, 1, 0)
log(1 + exp(-x^2)/10^9) | 0
sum[i: n](i^3) - (n*(n - 1)/2)^2 + x/10^30 | 0
relu(x - 20) | 0
floor(x/64) | where(x < 0, -1, 0)
"""


def rows(table: str) -> list[tuple[str, ...]]:
    return [tuple(part.strip() for part in line.split(" | ")) for line in table.strip().splitlines()]

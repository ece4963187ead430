"""Derivative problems as text: declarations, named intermediates, f, the variable. Sizes are drawn pairwise unequal."""
# ruff: noqa: E501

from __future__ import annotations

from dataclasses import dataclass

from symgen.tensor.expression import Array, Dim, Scalar, Var, dim, num, var
from symgen.tensor.formula import read


@dataclass(frozen=True)
class Problem:
    name: str
    declared: str
    f: str
    x: str
    lets: str = ""
    form: str | None = None

    def __str__(self) -> str:
        return self.name

    def scope(self) -> dict[str, Array | Scalar]:
        """The names in force: sizes, variables, then the lets in their order."""
        scope: dict[str, Array | Scalar] = {}
        for item in self.declared.split(";"):
            left, _, domain = item.strip().partition(":")
            name, _, shape = left.partition("[")
            sizes = []
            for s in filter(None, (t.strip() for t in shape.rstrip("] ").split(","))):
                size: Scalar = num(int(s)) if s.isdigit() else dim(s)
                if isinstance(size, Dim):
                    scope[s] = size
                sizes.append(size)
            scope[name.strip()] = var(name.strip(), sizes, domain.strip() or "real")
        for item in filter(None, (t.strip() for t in self.lets.split(";"))):
            name, _, text = item.partition("=")
            scope[name.strip()] = read(text, scope)
        return scope

    def parts(self) -> tuple[Array, Array, dict[Array, str]]:
        """f, the variable, and the names of the lets."""
        scope = self.scope()
        f = read(self.f, scope)
        x = scope.get(self.x)
        if not isinstance(x, Array):
            x = read(self.x, scope)
        names = {a: k for k, a in scope.items() if isinstance(a, Array) and not isinstance(a, Var)}
        return f, x, names


RIDGE = "X[n, d]; y[n]; w[d]; lam: positive"
LOGISTIC = "X[n, d]; y[n]: binary; w[d]; b; lam: positive"
MLP = "X[n, d]; Y[n, k]; W1[d, h]; b1[h]; W2[h, k]; b2[k]"
GRADIENTS = [
    # regression
    Problem("ridge", RIDGE, "norm(X@w - y)^2/(2*n) + lam/2*w@w", "w"),
    Problem("ridge_by_lam", RIDGE, "norm(X@w - y)^2/(2*n) + lam/2*w@w", "lam"),
    Problem("ridge_by_data", RIDGE, "norm(X@w - y)^2/(2*n) + lam/2*w@w", "X"),
    Problem("least_norm", RIDGE, "norm(X@w - y)", "w"),
    Problem("logistic", LOGISTIC, "-mean(y*log(p) + (1-y)*log(1-p)) + lam/2*w@w", "w", "p = sigmoid(X@w + b)"),
    Problem("logistic_bias", LOGISTIC, "-mean(y*log(p) + (1-y)*log(1-p))", "b", "p = sigmoid(X@w + b)"),
    Problem("logistic_softplus", LOGISTIC, "mean(softplus(X@w + b) - y*(X@w + b))", "w"),
    Problem("logistic_adjoint", LOGISTIC, "-mean(y*log(p) + (1-y)*log(1-p))", "z", "z = X@w + b; p = sigmoid(z)"),
    Problem("poisson", RIDGE, "sum(exp(X@w) - y*(X@w))", "w"),
    Problem("huber", RIDGE, "sum(where(abs(r) <= lam, r^2/2, lam*(abs(r) - lam/2)))", "w", "r = X@w - y"),
    Problem("hinge", RIDGE, "mean(max(0, 1 - y*(X@w)))", "w"),
    Problem("lasso", RIDGE, "norm(X@w - y)^2 + lam*sum(abs(w))", "w"),
    Problem("log_cosh", RIDGE, "sum(log(cosh(X@w - y)))", "w"),
    Problem("student", RIDGE, "sum(log(1 + (X@w - y)^2/lam))", "w"),
    Problem("student_by_lam", RIDGE, "sum(lgamma((lam + 1)/2) - lgamma(lam/2) - log(1 + (X@w - y)^2/lam)*(lam + 1)/2)", "lam"),
    Problem("probit", RIDGE, "sum(log(1 + erf((X@w)/sqrt(2))))", "w"),
    # classification
    Problem("softmax_ce", "X[n, d]; Y[n, k]: onehot; W[d, k]; b[k]", "-sum(Y*log(P))/n", "W", "P = softmax(X@W + b)"),
    Problem("softmax_ce_bias", "X[n, d]; Y[n, k]: onehot; W[d, k]; b[k]", "-sum(Y*log(P))/n", "b", "P = softmax(X@W + b)"),
    Problem("log_softmax_ce", "X[n, d]; Y[n, k]; W[d, k]", "-mean(sum(Y*log_softmax(X@W), axis=1))", "W"),
    Problem("logsumexp_ce", "X[n, d]; Y[n, k]; W[d, k]", "sum(logsumexp(Z, axis=1) - sum(Y*Z, axis=1))/n", "W", "Z = X@W"),
    Problem("focal", LOGISTIC, "-sum(y*(1-p)^2*log(p))", "w", "p = sigmoid(X@w + b)"),
    Problem("temperature", "z[k]; y[k]; t: positive", "-y@log_softmax(z/t)", "t"),
    # networks
    *(Problem(f"mlp_{x}", MLP, "norm(H@W2 + b2 - Y)^2/n", x, "H = tanh(X@W1 + b1)") for x in ("W1", "b1", "W2", "b2", "X", "H")),
    Problem("mlp_relu", MLP, "mean((H@W2 + b2 - Y)^2)", "W1", "H = relu(X@W1 + b1)"),
    Problem("mlp_gelu", MLP, "mean((H@W2 + b2 - Y)^2)", "W1", "H = gelu(X@W1 + b1)"),
    Problem("mlp_silu_ce", MLP, "-sum(Y*log_softmax(H@W2 + b2))", "W1", "Z = X@W1 + b1; H = silu(Z)"),
    Problem("shared_weight", "x[n]; W[n, n]; y[n]", "norm(tanh(W@tanh(W@x)) - y)^2", "W"),
    Problem("residual", "x[n]; W[n, n]; V[n, n]", "sum(h2^2)", "W", "h1 = x + tanh(W@x); h2 = h1 + tanh(V@h1)"),
    Problem("attention", "Q[n, d]; K[m, d]; V[m, e]; T[n, e]", "norm(attention(Q, K, V) - T)^2", "Q"),
    Problem("attention_keys", "Q[n, d]; K[m, d]; V[m, e]; T[n, e]", "norm(attention(Q, K, V) - T)^2", "K"),
    Problem("attention_values", "Q[n, d]; K[m, d]; V[m, e]; T[n, e]", "sum(tanh(attention(Q, K, V)))", "V"),
    Problem("self_attention", "X[n, d]; W[d, e]; U[d, e]; V[d, e]", "sum(attention(X@W, X@U, X@V)^2)", "X"),
    Problem("layernorm", "x[n, d]; g[d]; b[d]; t[n, d]", "sum((g*layernorm(x) + b - t)^2)", "x"),
    Problem("layernorm_gain", "x[n, d]; g[d]; b[d]; t[n, d]", "sum((g*layernorm(x) + b - t)^2)", "g"),
    Problem("batchnorm", "x[n, d]; t[n, d]", "sum(tanh((x - mean(x, axis=0))/sqrt(var(x, axis=0) + 1e-3))*t)", "x"),
    Problem("embedding_sum", "E[v, d]; p[v]; t[d]", "norm(p@E - t)^2", "E"),
    Problem("gated", "x[n]; W[n, n]; V[n, n]", "sum(sigmoid(W@x)*tanh(V@x))", "x"),
    # factorisation and unsupervised
    Problem("matrix_factorisation", "X[n, m]; U[n, k]; V[m, k]; lam: positive", "norm(X - U@V')^2 + lam*norm(U)^2", "U"),
    Problem("matrix_factorisation_v", "X[n, m]; U[n, k]; V[m, k]; lam: positive", "norm(X - U@V')^2 + lam*norm(U)^2", "V"),
    Problem("pca", "X[n, d]; W[d, k]", "norm(X - X@W@W')^2", "W"),
    Problem("soft_kmeans", "X[n, d]; M[k, d]", "-sum(logsumexp(-S/2, axis=1))", "M",
            "S = sum(X^2, axis=1, keepdims=True) - 2*X@M' + sum(M^2, axis=1)"),
    Problem("mixture", "x[n]; mu[k]; s[k]: positive; a[k]", "sum(logsumexp(L, axis=1))", "mu",
            "L = -((reshape(x, n, 1) - mu)/s)^2/2 - log(s) + log_softmax(a)"),
    Problem("mixture_scales", "x[n]; mu[k]; s[k]: positive; a[k]", "sum(logsumexp(L, axis=1))", "s",
            "L = -((reshape(x, n, 1) - mu)/s)^2/2 - log(s) + log_softmax(a)"),
    Problem("mixture_weights", "x[n]; mu[k]; s[k]: positive; a[k]", "sum(logsumexp(L, axis=1))", "a",
            "L = -((reshape(x, n, 1) - mu)/s)^2/2 - log(s) + log_softmax(a)"),
    Problem("gaussian_kl", "mu[k]; s[k]: positive", "sum(s^2 + mu^2 - 1 - 2*log(s))/2", "s"),
    Problem("beta_likelihood", "x[n]: unit; a: positive; b: positive", "sum((a-1)*log(x) + (b-1)*log(1-x) - lbeta(a, b))", "a"),
    Problem("gamma_likelihood", "x[n]: positive; a: positive; b: positive", "sum((a-1)*log(x) - b*x) + n*(a*log(b) - lgamma(a))", "a"),
    # linear algebra
    Problem("quadratic", "A[n, n]; x[n]; b[n]", "x@A@x/2 - b@x", "x"),
    Problem("quadratic_by_matrix", "A[n, n]; x[n]", "x@A@x", "A"),
    Problem("bilinear", "A[n, m]; x[n]; y[m]", "x@A@y", "A"),
    Problem("trace", "A[n, m]; X[m, n]", "tr(A@X)", "X"),
    Problem("trace_transposed", "A[n, m]; X[n, m]", "tr(A@X')", "X"),
    Problem("trace_quadratic", "A[n, n]; B[m, m]; X[n, m]", "tr(A@X@B@X')", "X"),
    Problem("trace_cube", "A[n, n]", "tr(A@A@A)", "A"),
    Problem("sum_of_cube", "A[n, n]; x[n]", "x@(A@A@A)@x", "A"),
    Problem("trace_inverse", "A[n, n]: spd; B[n, n]", "tr(inv(A)@B)", "A", form="free"),
    Problem("logdet", "A[n, n]: spd", "logdet(A)", "A", form="free"),
    Problem("log_of_det", "A[n, n]: spd", "log(det(A))", "A", form="free"),
    Problem("logdet_of_gram", "X[n, d]; lam: positive", "logdet(X'@X + lam*eye(d))", "X"),
    Problem("det_squared", "A[n, n]", "det(A)^2", "A"),
    Problem("gaussian_covariance", "x[n, d]; mu[d]; S[d, d]: spd", "sum((x - mu)@inv(S)*(x - mu))/2 + n*logdet(S)/2", "S", form="free"),
    Problem("gaussian_mean", "x[n, d]; mu[d]; S[d, d]: spd", "sum((x - mu)@inv(S)*(x - mu))/2 + n*logdet(S)/2", "mu"),
    Problem("solve", "A[n, n]: spd; b[n]; c[n]", "c@solve(A, b)", "A", form="free"),
    Problem("solve_by_right", "A[n, n]: spd; b[n]; c[n]", "c@solve(A, b)", "b"),
    Problem("gaussian_process", "x[n]; y[n]; l: positive; s: positive", "y@inv(K)@y/2 + logdet(K)/2", "l",
            "D = (reshape(x, n, 1) - x)^2; K = exp(-D/(2*l^2)) + s*eye(n)"),
    Problem("kernel_inputs", "x[n]; y[n]; l: positive; s: positive", "y@inv(K)@y/2 + logdet(K)/2", "x",
            "D = (reshape(x, n, 1) - x)^2; K = exp(-D/(2*l^2)) + s*eye(n)"),
    Problem("cholesky", "A[n, n]: spd; B[n, n]", "sum(B*cholesky(A))", "A"),
    Problem("expm", "A[n, n]; B[n, n]", "sum(B*expm(A))", "A"),
    Problem("expm_of_t", "A[n, n]; x[n]; t", "x@expm(t*A)@x", "t"),
    Problem("matrix_power", "A[n, n]; B[n, n]", "sum(B*matpow(A, 5))", "A"),
    Problem("nuclear_like", "A[n, m]", "tr(inv(A@A' + eye(n)))", "A"),
    Problem("rayleigh", "A[n, n]; x[n]", "x@A@x/(x@x)", "x"),
    Problem("cosine", "x[n]; y[n]", "x@y/(norm(x)*norm(y))", "x"),
    Problem("normalised", "x[n]; a[n]", "a@(x/norm(x))", "x"),
    Problem("kron", "A[n, m]; B[p, q]", "sum(sin(kron(A, B)))", "A"),
    Problem("kron_right", "A[n, m]; B[p, q]", "sum(sin(kron(A, B)))", "B"),
    Problem("vec", "A[n, m]; B[m, n]", "vec(A)@vec(B')", "A"),
    Problem("vec_of_product", "A[n, m]; B[m, p]", "sum(tanh(vec(A@B)))", "A"),
    Problem("reshape", "A[n, m]; b[m]", "sum(sin(reshape(A, m, n))*reshape(b, m, 1))", "A"),
    Problem("outer", "x[n]; y[m]; A[n, m]", "sum(outer(x, y)*A) + sum(sin(outer(x, y)))", "x"),
    Problem("diag", "x[n]; A[n, n]", "sum(A@diag(x)@A)", "x"),
    Problem("diagonal", "A[n, n]", "sum(diagonal(A@A)^2)", "A"),
    Problem("commutator", "A[n, n]; B[n, n]", "norm(A@B - B@A)^2", "A"),
    # entries, slices, joins, pieces
    Problem("entry", "A[n, m]", "A[0, 1]^2*A[1, 0]", "A"),
    Problem("by_entry", "A[n, n]; x[n]", "x@A@x + A[0, 1]^3", "A[0, 1]"),
    Problem("by_column", "A[n, n]; x[n]", "sum(sin(A@x))", "A[:, 1]"),
    Problem("slice", "x[n]", "sum((x[1:] - x[:-1])^2)", "x"),
    Problem("product_of_neighbours", "x[n]", "sum(x[1:]*x[:-1])", "x"),
    Problem("concat", "x[n]; y[m]", "norm(cumsum(concat(x, y)))^2", "y"),
    Problem("stack", "x[n]; y[n]; A[2, n]", "sum(A*tanh(stack(x, y)))", "y"),
    Problem("pieces", "x[n]", "sum(where(x > 0, x^2, sin(x)))", "x"),
    Problem("clipped", "x[n]", "sum(clip(x, -1/2, 1/2)*x)", "x"),
    Problem("largest", "x[n]; A[n, n]", "max(A@x)", "x"),
    Problem("row_minima", "A[n, m]", "sum(min(A, axis=1)^2)", "A"),
    Problem("product", "x[n]", "prod(x)", "x"),
    Problem("product_of_rows", "A[n, m]", "sum(prod(sin(A), axis=1))", "A"),
    Problem("cumprod", "x[n]; a[n]", "a@cumprod(x)", "x"),
    Problem("variance", "x[n]", "var(x)", "x"),
    Problem("index_notation", "X[n, d]; w[d]", "sum[i](sin(sum[j](X[i, j]*w[j])))", "w"),
    Problem("broadcast", "A[n, m]; b[m]; c[n]", "sum(exp(A + b)*reshape(c, n, 1))", "b"),
    Problem("power_of_x", "x[n]: positive; a", "sum(x^a)", "a"),
    Problem("self_power", "x[n]: positive", "sum(x^x)", "x"),
    Problem("conv1d", "x[c, t]; w[o, c, 2]", "sum(conv1d(x, w)^2)", "w"),
    Problem("conv1d_input", "x[c, t]; w[o, c, 2]", "sum(conv1d(x, w)^2)", "x"),
    # variables in sets
    Problem("symmetric", "A[n, n]: symmetric; B[n, n]", "sum(B*(A@A@A))", "A"),
    Problem("spd_logdet", "A[n, n]: spd; B[n, n]", "logdet(A) + tr(B@A)", "A"),
    Problem("skew", "A[n, n]: skew; B[n, n]", "sum(B*(A@A))", "A"),
    Problem("diagonal_set", "A[n, n]: diagonal; B[n, n]", "sum(B*(A@B@A))", "A"),
    Problem("lower", "A[n, n]: lower; B[n, n]", "sum(B*(A@A'))", "A"),
    Problem("orthogonal", "Q[n, n]: orthogonal; B[n, n]", "sum(B*Q@Q@B)", "Q"),
    Problem("simplex", "p[k]: simplex; a[k]", "sum(p*log(p) + a*p)", "p"),
]  # fmt: skip

JACOBIANS = [
    Problem("linear", "A[n, m]; x[m]", "A@x", "x"),
    Problem("linear_by_matrix", "A[n, m]; x[m]", "A@x", "A"),
    Problem("product_by_matrix", "A[m, n]; B[n, k]", "A@B", "A"),
    Problem("elementwise", "x[n]", "sin(x)*exp(x)", "x"),
    Problem("softmax", "z[k]", "softmax(z)", "z"),
    Problem("log_softmax", "z[k]", "log_softmax(z)", "z"),
    Problem("softmax_rows", "Z[n, k]", "softmax(Z)", "Z"),
    Problem("softmax_column", "Z[n, k]", "softmax(Z, axis=0)", "Z"),
    Problem("normalise", "x[n]", "x/norm(x)", "x"),
    Problem("inverse", "A[n, n]: spd", "inv(A)", "A", form="free"),
    Problem("inverse_of_gram", "A[m, n]", "inv(A@A' + eye(m))", "A"),
    Problem("square", "A[n, n]", "A@A", "A"),
    Problem("transpose", "A[n, m]", "A'", "A"),
    Problem("outer_self", "x[n]", "outer(x, x)", "x"),
    Problem("diag", "x[n]", "diag(exp(x))", "x"),
    Problem("kron", "A[n, m]; B[p, q]", "kron(A, B)", "A"),
    Problem("vec", "A[n, m]", "vec(A)", "A"),
    Problem("reshape", "A[n, m]", "reshape(A, m, n)", "A"),
    Problem("concat", "x[n]; y[m]", "concat(sin(x), y)", "x"),
    Problem("slice", "x[n]", "x[1:]*x[:-1]", "x"),
    Problem("layer", "X[n, d]; W[d, h]; b[h]", "tanh(X@W + b)", "W"),
    Problem("two_layers", "x[d]; W[h, d]; V[k, h]", "softmax(V@tanh(W@x))", "x"),
    Problem("layernorm", "x[d]", "layernorm(x)", "x"),
    Problem("expm", "A[n, n]", "expm(A)", "A"),
    Problem("cholesky", "A[n, n]: spd", "cholesky(A)", "A"),
    Problem("attention", "Q[n, d]; K[m, d]; V[m, e]", "attention(Q, K, V)", "K"),
    Problem("cumsum", "x[n]", "cumsum(sin(x))", "x"),
    Problem("cumprod", "x[n]", "cumprod(x)", "x"),
    Problem("symmetric_square", "A[n, n]: symmetric", "A@A", "A"),
    Problem("batched_solve", "A[n, n]: spd; X[m, n]", "solve(A, X')", "X"),
]  # fmt: skip

HESSIANS = [
    Problem("quadratic", "A[n, n]; x[n]", "x@A@x", "x"),
    Problem("logistic", LOGISTIC, "-mean(y*log(p) + (1-y)*log(1-p)) + lam/2*w@w", "w", "p = sigmoid(X@w + b)"),
    Problem("softmax_ce", "X[n, d]; Y[n, k]: onehot; W[d, k]", "-sum(Y*log_softmax(X@W))/n", "W"),
    Problem("logsumexp", "z[k]", "logsumexp(z)", "z"),
    Problem("rayleigh", "A[n, n]; x[n]", "x@A@x/(x@x)", "x"),
    Problem("norm", "x[n]", "norm(x)", "x"),
    Problem("mlp", "x[d]; W[h, d]; v[h]", "v@tanh(W@x)", "x"),
    Problem("mlp_weights", "x[d]; W[h, d]; v[h]", "(v@tanh(W@x))^2", "W"),
    Problem("logdet", "A[n, n]: spd", "logdet(A)", "A", form="free"),
    Problem("symmetric_logdet", "A[n, n]: spd", "logdet(A)", "A"),
    Problem("trace_inverse", "A[n, n]: spd; B[n, n]", "tr(inv(A)@B)", "A", form="free"),
    Problem("factorisation", "X[n, m]; U[n, k]; V[m, k]", "norm(X - U@V')^2/2", "U"),
    Problem("product", "x[n]", "prod(x)", "x"),
    Problem("student", RIDGE, "sum(log(1 + (X@w - y)^2/lam))", "w"),
    Problem("expm", "A[n, n]; B[n, n]", "sum(B*expm(A))", "A"),
    Problem("cholesky", "A[n, n]: spd; B[n, n]", "sum(B*cholesky(A))", "A"),
    Problem("poisson", RIDGE, "sum(exp(X@w) - y*(X@w))", "w"),
    Problem("digamma", "a[n]: positive", "sum(lgamma(a)) - lgamma(sum(a))", "a"),
    Problem("skew", "A[n, n]: skew; B[n, n]", "sum(B*(A@A@A))", "A"),
    Problem("residual", "x[n]; W[n, n]", "sum((x + tanh(W@x))^2)", "x"),
]  # fmt: skip

"""Every construct of the Expressions section of the language means what NumPy says."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import scipy.special

import symgen

SPEC = """
dim n, d, k, T
data X: real[n, d], y: binary[n], ids: label(k)[n]
param w: real[d], W: real[d, k], A: real[d, d], B: real[d, d], b: real[k], s: positive, E: real[k, d], U: real[4]
param V: real[T+1, d], C: real[3, 4, 6], K: real[2, 4, 3], M: real[2, 3, 5, 7], N: real[4, 3, 2, 2], h0: real[d]
let f = {}
"""
SIZES = {"n": 5, "d": 3, "k": 4, "T": 6}


def values():
    rng = np.random.default_rng(3)
    n, d, k, t = SIZES.values()
    shapes = {
        "X": (n, d), "w": (d,), "W": (d, k), "A": (d, d), "B": (d, d), "b": (k,), "E": (k, d), "U": (4,), "V": (t + 1, d),
        "C": (3, 4, 6), "K": (2, 4, 3), "M": (2, 3, 5, 7), "N": (4, 3, 2, 2), "h0": (d,),
    }  # fmt: skip
    out = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return out | {"s": 0.7, "y": np.array([1, 0, 0, 1, 1.0]), "ids": np.array([3, 0, 2, 2, 1])}


def softmax(x, axis=-1):
    return scipy.special.softmax(x, axis=axis)


def convolve1(x, w, stride=1, pad=0):
    x = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(pad, pad)])
    length = (x.shape[-1] - w.shape[-1]) // stride + 1
    taps = w.shape[-1]
    return np.stack([np.einsum("ocs,bcs->bo", w, x[..., u * stride : u * stride + taps]) for u in range(length)], -1)


def convolve2(x, w):
    h, v = x.shape[-2] - w.shape[-2] + 1, x.shape[-1] - w.shape[-1] + 1
    out = np.zeros((x.shape[0], w.shape[0], h, v))
    for i in range(h):
        for j in range(v):
            out[:, :, i, j] = np.einsum("ocab,ncab->no", w, x[:, :, i : i + w.shape[2], j : j + w.shape[3]])
    return out


def layernorm(x):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)


TABLE = {
    "X @ W + b": lambda X, W, b, **_: X @ W + b,
    "softmax(X @ W + b)": lambda X, W, b, **_: softmax(X @ W + b),
    "softmax(X @ W, axis=0)": lambda X, W, **_: softmax(X @ W, 0),
    "log_softmax(X @ W)": lambda X, W, **_: scipy.special.log_softmax(X @ W, -1),
    "-w^2": lambda w, **_: -(w**2),
    "2^3^2 - 2**-1": lambda **_: 2**9 - 0.5,
    "A' @ w": lambda A, w, **_: A.T @ w,
    "A.T @ A'": lambda A, **_: A.T @ A.T,
    "w @ A @ w": lambda A, w, **_: w @ A @ w,
    "X * w": lambda X, w, **_: X * w,
    "X[0]": lambda X, **_: X[0],
    "X[-1, 1]": lambda X, **_: X[-1, 1],
    "X[:, 1]": lambda X, **_: X[:, 1],
    "w[1:]": lambda w, **_: w[1:],
    "w[:-1] - w[1:]": lambda w, **_: w[:-1] - w[1:],
    "U[::2]": lambda U, **_: U[::2],
    "U[::-1]": lambda U, **_: U[::-1],
    "E[ids]": lambda E, ids, **_: E[ids],
    "sum[i]((X @ W)[i, ids[i]])": lambda X, W, ids, **_: (X @ W)[np.arange(5), ids].sum(),
    "sum(X)/n": lambda X, **_: X.sum() / 5,
    "sum(X, axis=0)": lambda X, **_: X.sum(0),
    "sum(X, axis=1, keepdims=True)": lambda X, **_: X.sum(1, keepdims=True),
    "mean(X, axis=0)": lambda X, **_: X.mean(0),
    "var(X, axis=1)": lambda X, **_: X.var(1),
    "prod(X, axis=1)": lambda X, **_: X.prod(1),
    "max(X, axis=0)": lambda X, **_: X.max(0),
    "min(X)": lambda X, **_: X.min(),
    "norm(A)": lambda A, **_: np.linalg.norm(A),
    "norm(X, axis=1)": lambda X, **_: np.linalg.norm(X, axis=1),
    "logsumexp(X, axis=1)": lambda X, **_: scipy.special.logsumexp(X, axis=1),
    "logsumexp(X)": lambda X, **_: scipy.special.logsumexp(X),
    "max(w, 0)": lambda w, **_: np.maximum(w, 0),
    "min(w, s, 1/2)": lambda w, s, **_: np.minimum(np.minimum(w, s), 0.5),
    "clip(w, -1/2, 1/2)": lambda w, **_: np.clip(w, -0.5, 0.5),
    "where(w > 0 and w < s, w, -w)": lambda w, s, **_: np.where((w > 0) & (w < s), w, -w),
    "where(not w >= 0 or w == 1, 1, 0)": lambda w, **_: np.where(~(w >= 0) | (w == 1), 1.0, 0.0),
    "where(0 <= w < s, 1, 0)": lambda w, s, **_: np.where((w >= 0) & (w < s), 1.0, 0.0),
    "sum[i: n](1)": lambda **_: 5.0,
    "sum[t: 1..T](t*V[t, 0])": lambda V, **_: sum(t * V[t, 0] for t in range(1, 7)),
    "sum[i, j](X[i, j]*w[j])": lambda X, w, **_: (X @ w).sum(),
    "prod[i](w[i])": lambda w, **_: w.prod(),
    "max[i](w[i]^2)": lambda w, **_: (w**2).max(),
    "mean[i](X[i, 0])": lambda X, **_: X[:, 0].mean(),
    "sum[i](norm(X[i, :])*y[i])": lambda X, y, **_: np.linalg.norm(X, axis=1) @ y,
    "sum[i](softmax(X[i, :] @ W)[2])": lambda X, W, **_: softmax(X @ W)[:, 2].sum(),
    "sum[i](logsumexp(X[i, :]))": lambda X, **_: scipy.special.logsumexp(X, axis=1).sum(),
    "tensor[i: d, j: n](X[j, i]*w[i])": lambda X, w, **_: (X * w).T,
    "inv(A)": lambda A, **_: np.linalg.inv(A),
    "solve(A, w)": lambda A, w, **_: np.linalg.solve(A, w),
    "det(A) + logdet(A)": lambda A, **_: np.linalg.det(A) + np.linalg.slogdet(A)[1],
    "tr(A @ B)": lambda A, B, **_: np.trace(A @ B),
    "diag(w) @ diagonal(A)": lambda A, w, **_: w * np.diag(A),
    "outer(w, b)": lambda w, b, **_: np.outer(w, b),
    "dot(A, B)": lambda A, B, **_: (A * B).sum(),
    "kron(A, B)": lambda A, B, **_: np.kron(A, B),
    "kron(w, b)": lambda w, b, **_: np.kron(w, b),
    "tr(kron(A, B))": lambda A, B, **_: np.trace(A) * np.trace(B),
    "vec(W)": lambda W, **_: W.T.ravel(),
    "reshape(X, d, n)": lambda X, **_: X.reshape(3, 5),
    "reshape(C, 2, 6, 6)": lambda C, **_: C.reshape(2, 6, 6),
    "eye(d)*2 + ones(d, d) - zeros(d)": lambda **_: 2 * np.eye(3) + 1,
    "matpow(A, 3) + matpow(A, 0)": lambda A, **_: A @ A @ A + np.eye(3),
    "matpow(A, -2)": lambda A, **_: np.linalg.inv(A @ A),
    "expm(A)": lambda A, **_: scipy.linalg.expm(A),
    "cholesky(A @ A' + eye(d))": lambda A, **_: np.linalg.cholesky(A @ A.T + np.eye(3)),
    "concat(w, b, U)": lambda w, b, U, **_: np.concatenate([w, b, U]),
    "concat(A, X, axis=0)": lambda A, X, **_: np.concatenate([A, X]),
    "concat([A, B], axis=1)": lambda A, B, **_: np.concatenate([A, B], 1),
    "stack(w, h0, axis=1)": lambda w, h0, **_: np.stack([w, h0], 1),
    "[s, s^2, 1]": lambda s, **_: np.array([s, s**2, 1]),
    "cumsum(w)": lambda w, **_: np.cumsum(w),
    "cumprod(X, axis=0)": lambda X, **_: np.cumprod(X, 0),
    "layernorm(X)": lambda X, **_: layernorm(X),
    "embed(E, ids)": lambda E, ids, **_: E[ids],
    "attention(X, A, B)": lambda X, A, B, **_: softmax(X @ A.T / np.sqrt(3)) @ B,
    "conv1d(C, K)": lambda C, K, **_: convolve1(C, K),
    "conv1d(C, K, stride=2)": lambda C, K, **_: convolve1(C, K, 2),
    "conv1d(C, K, padding=1)": lambda C, K, **_: convolve1(C, K, 1, 1),
    "conv2d(M, N)": lambda M, N, **_: convolve2(M, N),
    "maxpool(U, 2)": lambda U, **_: U.reshape(2, 2).max(1),
    "meanpool(C, 2, axes=1)": lambda C, **_: C.reshape(3, 4, 3, 2).mean(-1),
    "maxpool(M[:, :, 0:4, 0:6], 2)": lambda M, **_: M[:, :, :4, :6].reshape(2, 3, 2, 2, 3, 2).max((3, 5)),
    "sigmoid(w) + softplus(w) + relu(w)": lambda w, **_: 1 / (1 + np.exp(-w)) + np.log1p(np.exp(w)) + np.maximum(w, 0),
    "gelu(w)": lambda w, **_: w * scipy.special.ndtr(w),
    "silu(w) + elu(w)": lambda w, **_: w * scipy.special.expit(w) + np.where(w > 0, w, np.expm1(w)),
    "leaky_relu(w)": lambda w, **_: np.where(w > 0, w, 0.01 * w),
    "xlogy(s, s) + log1p(s) + expm1(s)": lambda s, **_: s * np.log(s) + np.log1p(s) + np.expm1(s),
    "lgamma(s) + digamma(s) + trigamma(s)": lambda s, **_: scipy.special.gammaln(s) + scipy.special.polygamma([0, 1], s).sum(),
    "erf(w) + erfc(w)": lambda w, **_: np.ones(3),
    "sqrt(s) + abs(w) + sign(w)": lambda s, w, **_: np.sqrt(s) + abs(w) + np.sign(w),
    "floor(w)": lambda w, **_: np.floor(w),
    "X - mean(X, axis=0)": lambda X, **_: X - X.mean(0),
    "sqrt(d) + n/k": lambda **_: np.sqrt(3) + 5 / 4,
}  # fmt: skip


@pytest.mark.parametrize("text", TABLE)
def test_an_expression_means_what_numpy_says(text):
    given = values()
    got = symgen.loads(SPEC.format(text)).derive("f").evaluate(**given, **SIZES)
    want = TABLE[text](**given)
    assert np.shape(got) == np.shape(want)
    assert np.allclose(got, want, rtol=1e-9, atol=1e-12)


def test_a_recurrence_runs_through_its_sequence():
    given = values()
    spec = SPEC.format("w @ w") + "let h[0] = h0\nlet h[t: 1..T] = tanh(A @ h[t-1] + V[t])\n"
    got = symgen.loads(spec).derive("h").evaluate(**given, **SIZES)
    h = [given["h0"]]
    for t in range(1, 7):
        h.append(np.tanh(given["A"] @ h[-1] + given["V"][t]))
    assert np.allclose(got, np.stack(h))


def test_a_function_of_ones_own_is_put_in_place_of_its_calls():
    given = values()
    spec = SPEC.format("g(w) + g(s)").replace("let f", "def g(t) = -log(1 + exp(-t))\nlet f")
    got = symgen.loads(spec).derive("f").evaluate(**given, **SIZES)
    assert np.allclose(got, -np.log1p(np.exp(-given["w"])) - np.log1p(np.exp(-given["s"])))


def test_statements_stand_in_any_order():
    forward = symgen.loads("let b = a^2\nlet a = x + 1\nparam x: real\n").derive("b").evaluate(x=2.0)
    assert forward == 9.0


def test_a_greek_letter_and_its_word_are_one_name():
    m = symgen.loads("param μ: real, Σ: positive\nlet f = mu^2*Sigma\n")
    assert m.derive("f").evaluate(mu=3.0, Sigma=2.0) == m.derive("f").evaluate(**{"μ": 3.0, "Σ": 2.0}) == 18.0

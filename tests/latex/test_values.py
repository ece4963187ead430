"""Formulas whose naive reading is wrong: each has the value that a person gives it, or is told as not read."""

import math

import numpy as np
import pytest
from numpy import cos, exp, log, outer, sin, sqrt
from numpy.linalg import det, inv, norm

import symgen
from symgen.displays import symbols_of
from symgen.render.language import unparse
from symgen.text.latex import Unread, read_display
from symgen.text.tree import Source

SPEC = """
dim n, d, k
data X: real[n, d], y: real[n], a: real[n]
param A: spd[d, d], B: real[d, d], w: real[d], v: real[d], theta: real[d], W1: real[d, k], w_k: real[k], b: real[k]
param t: positive, q: positive, u: positive, c: real, m: real, sigma: positive, y_hat: real[n], p1: unit, u_max: positive
const lam: positive
let r = X @ w - y
loss L = r @ r/(2*n) + lam/2*w @ w
dist g(z | c) = Normal(c, sigma)
dist h(z) = Normal(m, 1)
def f(z) = z^3 + z^2
"""
MODEL = symgen.loads(SPEC)
SYMBOLS = symbols_of(MODEL)
R = np.random.default_rng(5)
N, D, K = 4, 3, 2
ROOT = R.normal(size=(D, D))
V = {
    "X": R.normal(size=(N, D)), "y": R.normal(size=N), "a": R.normal(size=N), "A": ROOT @ ROOT.T + np.eye(D),
    "B": R.normal(size=(D, D)), "w": R.normal(size=D), "v": R.normal(size=D), "theta": R.normal(size=D),
    "W1": R.normal(size=(D, K)), "w_k": R.normal(size=K), "b": R.normal(size=K), "t": 0.7, "q": 1.3, "u": 1.9, "c": -0.4,
    "m": 0.6, "sigma": 1.2, "y_hat": R.normal(size=N), "p1": 0.3, "u_max": 2.2, "lam": 0.37,
}  # fmt: skip
X, y, a, A, B, w, v, theta, W1, b = (V[name] for name in ("X", "y", "a", "A", "B", "w", "v", "theta", "W1", "b"))
t, q, u, c, m, sigma, y_hat, p1 = (V[name] for name in ("t", "q", "u", "c", "m", "sigma", "y_hat", "p1"))
r = X @ w - y
G = X.T @ r / N + V["lam"] * w
L = r @ r / (2 * N) + V["lam"] / 2 * w @ w
H = X.T @ X / N + V["lam"] * np.eye(D)


def normal(x, mean, scale):
    return exp(-(((x - mean) / scale) ** 2) / 2) / (scale * sqrt(2 * np.pi))


KL = log(1 / sigma) + (sigma**2 + (c - m) ** 2) / 2 - 1 / 2

VALUES = {
    # how far a fraction, a function, a power reach
    r"\frac{t}{q}u": t / q * u, r"\frac12u": u / 2, r"\sqrt2u": sqrt(2) * u, r"\sqrt[3]{u}": u ** (1 / 3), r"t/(q u)": t / (q * u),
    r"\log t u": log(t * u), r"\log t + u": log(t) + u, r"\log t \log u": log(t) * log(u), r"\log(t) u": log(t) * u,
    r"\log^2 t": log(t) ** 2, r"\sin^2 u": sin(u) ** 2, r"\sin u^2": sin(u**2), r"\sin 2u": sin(2 * u),
    r"\sin u \cos t": sin(u) * cos(t), r"-u^2": -(u**2), r"{e^{-u}}^2": exp(-u) ** 2, r"e^{-u^2/2}": exp(-(u**2) / 2),
    r"2^{u^t}": 2 ** (u**t), r"u^tq": u**t * q, r"u - t - q": u - t - q, r"u/t/q": u / t / q, r"3!u": 6 * u, r"n! u": 24 * u,
    r"{u + t \over q} t": (u + t) / q * t, r"u \bmod t": u % t, r"\lceil u \rceil": 2.0, r"-\lfloor -u \rfloor": 2.0,
    r"1{,}000u": 1000 * u, r"1\,000\,u": 1000 * u, r"1.5 \times 10^{-2}": 0.015, r"\binom{n}{2}": 6.0, r"e\,u": math.e * u,
    # bars
    r"\|w\|_2^2": w @ w, r"\|w\|^3": norm(w) ** 3, r"\|w\|_1": norm(w, 1), r"\|w\|_\infty": norm(w, np.inf),
    r"\|w\|_3": norm(w, 3), r"\|w\|_A^2": w @ A @ w, r"\|B\|_F": norm(B), r"\|B\|_2": norm(B, 2), r"\|B\|_*": norm(B, "nuc"),
    r"|c||t|": abs(c) * t, r"|c + |c||": abs(c + abs(c)), r"\log |A|": log(det(A)), r"|B|": det(B), r"||w - v||": norm(w - v),
    r"\langle w, v\rangle": w @ v, r"\langle A, B\rangle": (A * B).sum(),
    r"\lVert w \rVert_2": norm(w), r"\lvert c \rvert t": abs(c) * t, r"|\,||w|| - ||v||\,|": abs(norm(w) - norm(v)),
    r"\left<w, v\right>": w @ v,
    # matrices
    r"\frac{1}{n} \mathbf{1}^\top y": y.mean(), r"t B \mathbf{1}": t * B.sum(1), r"2 \mathbf{1}^\top B": 2 * B.sum(0),
    r"\operatorname{diag}(w)^{-1}": np.diag(1 / w), r"\begin{bmatrix} A & B \end{bmatrix}": np.hstack([A, B]),
    r"\begin{bmatrix} A \\ B \end{bmatrix} w": np.vstack([A, B]) @ w, r"\operatorname{tr}(B)^2": np.trace(B) ** 2,
    r"B^{-T}": inv(B).T, r"(B^{-1})_{12}": inv(B)[0, 1], r"w^\top B v": w @ B @ v, r"w w^\top v": w * (w @ v),
    r"B w v^\top": outer(B @ w, v), r"[B w]_1": (B @ w)[0], r"B_{12}": B[0, 1], r"w_1^2": w[0] ** 2, r"W_1^\top w": W1.T @ w,
    r"\operatorname{diag}(w) v": w * v, r"(B + I) w": B @ w + w, r"\operatorname{tr} A B": np.trace(A @ B),
    r"\begin{vmatrix} u & t \\ q & c \end{vmatrix}": u * c - t * q, r"w_k": V["w_k"], r"u_{\max}": V["u_max"],
    r"\hat y_1": y_hat[0], r"x_2^\top w": X[1] @ w, r"x^{(2)}": X[1], r"e^{A}": np.asarray(
        sum(np.linalg.matrix_power(A, j) / math.factorial(j) for j in range(60))
    ),
    # sums
    r"\sum_i a_i y_i + c": a @ y + c, r"\sum_i a_i + y_i": (a + y).sum(), r"\sum_i a_i \sum_j y_j": a.sum() * y.sum(),
    r"\left(\sum_i a_i\right)^2": a.sum() ** 2, r"\sum_{i<j} A_{ij}": np.triu(A, 1).sum(), r"\sum_{i=1}^n y_i^i":
    (y ** np.arange(1, N + 1)).sum(), r"\sum_{i=2}^n y_i y_{i-1}": (y[1:] * y[:-1]).sum(), r"\sum_{i=1}^{n} i": 10.0,
    r"\max_i (y_i + c)": y.max() + c, r"\sum_i \frac{1}{1 + e^{-y_i}}": (1 / (1 + exp(-y))).sum(),
    # derivatives
    r"\nabla_w^2 L": H, r"\nabla_w \frac12 \|w\|^2": w, r"\nabla_w w^\top v + \nabla_w v^\top w": 2 * v,
    r"\nabla_w c L": c * G, r"\nabla_w \frac{1}{2} \sum_i r_i^2": X.T @ r, r"\frac{\partial L}{\partial w_1}": G[0],
    r"(\nabla_w L)^\top v": G @ v, r"\frac{d}{du} u \sin u": sin(u) + u * cos(u), r"\frac{d^2}{du^2} u^3": 6 * u,
    r"\frac{\partial u^2}{\partial u}\frac{\partial t^2}{\partial t}": 4 * u * t, r"\frac{d}{du}\left[u^2 + u\right]": 2 * u + 1,
    # distributions and integrals
    r"g(u|c)": normal(u, c, sigma), r"\log h(u) + t": log(normal(u, m, 1)) + t, r"h(u) t": normal(u, m, 1) * t,
    r"\mathbb{E}_{z \sim h}[z^2] + c": m**2 + 1 + c, r"\mathbb{E}_{h}[z]^2": m**2, r"D_{KL}(g \| h)": KL,
    r"\mathrm{KL}(h, g) + D_{\mathrm{KL}}(g\,\|\,h)": KL - log(1 / sigma) + (1 + (c - m) ** 2) / (2 * sigma**2) - 1 / 2,
    r"\int_0^u e^{-z} \,\mathrm{d}z": 1 - exp(-u), r"\int_0^t z \, dz + c": t**2 / 2 + c, r"\int h(z) z^2\,dz": m**2 + 1,
    r"\frac{1}{\sigma\sqrt{2\pi}} e^{-\frac{(u-m)^2}{2\sigma^2}}": normal(u, m, sigma),
    # values at a point, positive parts, densities in place, how far an optimum reaches, ranges with conditions
    r"\left. u^2 \right|_{u=t} + c": t**2 + c, r"c\left.\frac{df}{du}\right|_{u=t}": c * (3 * t**2 + 2 * t),
    r"\frac{\partial u^2 c}{\partial u}\Big|_{u=t}": 2 * t * c, r"\frac{d}{du} f(u)\Big|_{u=t}": 3 * t**2 + 2 * t,
    r"\frac{d^2 f}{du^2}\Big|_{u=1}": 8.0, r"v^\top \left. \nabla_w L \right|_{w=0}": -v @ X.T @ y / N,
    r"[t - u]_+ + [u - t]_+^2": (u - t) ** 2, r"\sum_j (1 - w_j)_+": np.maximum(1 - w, 0).sum(),
    r"\operatorname*{arg\,min}_q (q - u)^2 + t q^2": u / (1 + t), r"\lim_{q \to 0} \frac{\sin q}{q} + q": 1.0,
    r"\sum_{i=1, i \ne 2}^{d} w_i": w[0] + w[2], r"\sum_{i \ge 2} w_i": w[1] + w[2],
    r"\sum_i \sum_{j \ne i} B_{ij}": B.sum() - np.trace(B),
    r"{\rm tr}(A) + {\bf w}^T {\bf v}": np.trace(A) + w @ v,
    r"\begin{bmatrix} u & t\end{bmatrix} \begin{bmatrix} c\\ q\end{bmatrix}": u * c + t * q,
    r"\mathcal{N}(u; c, \sigma^2)": normal(u, c, sigma), r"\log {\cal N}(u \mid c, \sigma^2)": log(normal(u, c, sigma)),
    r"\log \mathcal{N}(w \mid v, A)": -(w - v) @ inv(A) @ (w - v) / 2 - log(det(2 * np.pi * A)) / 2,
    r"\mathcal{N}(w; 0, t I)": exp(-w @ w / (2 * t)) / (2 * np.pi * t) ** (D / 2),
    r"B_{1 \cdot}": B[0], r"w^\top B_{\cdot 2}": w @ B[:, 1],
    r"\begin{cases} u^2 & u \ge t \\ t & \text{otherwise}\end{cases} + c": u**2 + c, r"f(u)^2": (u**3 + u**2) ** 2,
}  # fmt: skip


@pytest.mark.parametrize("tex", VALUES)
def test_a_formula_has_the_value_that_a_person_gives_it(tex):
    (chain,) = read_display(Source(tex), None, SYMBOLS).chains
    (side,) = chain.sides
    assert not isinstance(side, Unread), side.reason
    found = MODEL.derive(unparse(side)).evaluate(**V)
    assert np.shape(found) == np.shape(VALUES[tex])
    assert np.allclose(found, VALUES[tex], rtol=1e-9, atol=1e-11)


TOLD = [
    r"t/q u", r"e^{-u}^2", r"u^23", r"2 3", r"u2", r"1.5e-2 u", r"1e3", r"u^-1", r"\log(t)^2 u", r"\sin^{-1} p_1", r"n!!",
    r"|w|", r"\langle u \rangle", r"\langle w | v \rangle", r"(w, v)", r"[w, v]", r"\|w\|_0", r"w v", r"w^\top + v",
    r"B^{-1}_{11}", r"B_{12}^\top", r"B^\top{}^{-1}", r"w^{(1)}", r"w^{t}", r"w^*", r"A \odot w", r"w \odot v^\top", r"w \times v",
    r"c'", r"f^{-1}(u)", r"f^{(2)}(u)", r"f f", r"\sigma(u + t)", r"L(c)", r"u_1", r"x \pm t", r"\nabla_w L^\top v",
    r"\nabla_w L \|w\|", r"\Delta_w L", r"\prod_i w_i c", r"\max u t", r"\mathbb{E}[z]", r"\operatorname{Var}(z)",
    r"y_1 + \dots + y_n", r"\prod_{j=0}^\infty q^j", r"\Pr(z \le u)", r"\operatorname{foo}(u)", r"\arg\min_q (q - u)^2 + t",
    r"\frac{d}{du}\Big|_{u=0} f(u)", r"\mathcal{N}(w; v, t)",
    r"\begin{bmatrix} A & w \end{bmatrix}", r"\left. u^2 \right|_0^1", r"w_{12}", r"h(u, t)", r"p_i",
]  # fmt: skip


@pytest.mark.parametrize("tex", TOLD)
def test_what_has_two_readings_or_none_is_told(tex):
    chains = read_display(Source(tex), None, SYMBOLS).chains
    if all(not c.unread for c in chains):
        with pytest.raises(symgen.SymgenError):
            MODEL.derive(unparse(chains[0].sides[0])).evaluate(**V)

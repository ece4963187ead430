"""Generated loss and gradient against hand-written NumPy, interleaved in one process, medians of CPU time.

Run: python tests/benchmarks/bench_codegen.py (with OPENBLAS_CORETYPE unset, OPENBLAS_NUM_THREADS=1 for one core).
"""

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import by_hand

import symgen

SOFTMAX = """
dim n, d, k
data  X: real[n, d], Y: onehot[n, k]
param W: real[d, k] = glorot, b: real[k] = zeros
const lam: positive = 1e-4
let Z = X @ W + b
let P = softmax(Z)
loss L = -sum(Y*log(P))/n + lam/2*sum(W^2)
"""


def mlp_spec(layers):
    lines = ["dim n, d, h, k", "data X: real[n, d], Y: onehot[n, k]"]
    below = "X"
    for i in range(1, layers + 1):
        lines.append(f"param W{i}: real[{'d' if i == 1 else 'h'}, h] = glorot, b{i}: real[h] = zeros")
        lines.append(f"let H{i} = tanh({below} @ W{i} + b{i})")
        below = f"H{i}"
    lines.append("param V: real[h, k] = glorot, c: real[k] = zeros")
    lines.append(f"let P = softmax({below} @ V + c)")
    lines.append("loss L = -sum(Y*log(P))/n")
    return "\n".join(lines) + "\n"


VAE = """
dim n, d, h, k
data  x: binary[n, d]
param We: real[d, h] = glorot, be: real[h] = zeros
param Wm: real[h, k] = glorot, bm: real[k] = zeros
param Wv: real[h, k] = glorot, bv: real[k] = zeros
param Wd: real[k, h] = glorot, bd: real[h] = zeros
param Wx: real[h, d] = glorot, bx: real[d] = zeros
let a  = tanh(x @ We + be)
let mu = a @ Wm + bm
let lv = a @ Wv + bv
def decoder(z) = sigmoid(tanh(z @ Wd + bd) @ Wx + bx)
dist q(z | x) = Normal(mu, exp(lv/2))
dist p(z) = Normal(zeros(k), 1)
dist p(x | z) = Bernoulli(decoder(z))
loss L = -(E[z ~ q](log p(x | z)) - KL(q(z | x) || p(z)))/n
"""

GAN = """
dim n, k, h
data  X: real[n, 2]
param A1: real[k, h] = glorot, a1: real[h] = zeros
param A2: real[h, 2] = glorot, a2: real[2] = zeros
param B1: real[2, h] = glorot, b1: real[h] = zeros
param B2: real[h] = normal(0.1), b2: real = 0
def G(z) = tanh(z @ A1 + a1) @ A2 + a2
def D(x) = sigmoid(tanh(x @ B1 + b1) @ B2 + b2)
dist emp(x) = Empirical(X)
dist noise(z) = Normal(zeros(k), 1)
let V = E[x ~ emp](log(D(x))) + E[z ~ noise](log(1 - D(G(z))))
let W = E[z ~ noise](log(D(G(z))))
game gan = {[B1, b1, B2, b2]: max V, [A1, a1, A2, a2]: max W}
train gan with simultaneous(lr=0.01)
"""


class Fixed:
    """A generator whose draws are known: both contenders see the same noise at no cost."""

    def __init__(self, noise):
        self.noise = noise

    def standard_normal(self, shape, dtype=None):
        assert tuple(shape) == self.noise.shape
        return self.noise


def one_hot(rng, n, k, dtype):
    return np.eye(k, dtype=dtype)[rng.integers(0, k, n)]


def cases(dtype, quick=False):
    """(name, generated call, hand-written call): each gives (value, gradients by name)."""
    rng = np.random.default_rng(0)

    def normal(*shape, scale=1.0):
        return (scale * rng.standard_normal(shape)).astype(dtype)

    m = symgen.loads(SOFTMAX).compile()
    for name, n, d, k in [("softreg b32", 32, 64, 10), ("softreg digits", 1797, 64, 10)]:
        X, Y, W, b = normal(n, d), one_hot(rng, n, k, dtype), normal(d, k, scale=0.1), normal(k)
        yield (
            name,
            lambda m=m, X=X, Y=Y, W=W, b=b: m.L_value_and_grad({"W": W, "b": b}, {"X": X, "Y": Y}, lam=1e-4),
            lambda X=X, Y=Y, W=W, b=b: by_hand.softmax_regression(X, Y, W, b, 1e-4),
        )
    for layers in (1, 10):
        m = symgen.loads(mlp_spec(layers)).compile()
        sizes = [(32, 16), (32, 128), (256, 128), (4096, 128)] if layers == 1 else [(32, 32), (32, 128), (256, 256)]
        for n, h in sizes:
            X, Y = normal(n, 64), one_hot(rng, n, 10, dtype)
            shapes = [(64 if i == 0 else h, h) for i in range(layers)] + [(h, 10)]
            weights = [(normal(*s, scale=s[0] ** -0.5), normal(s[1], scale=0.1)) for s in shapes]
            names = [(f"W{i + 1}", f"b{i + 1}") for i in range(layers)] + [("V", "c")]
            params = {name: a for pair, arrays in zip(names, weights) for name, a in zip(pair, arrays)}

            def hand(X=X, Y=Y, weights=weights, names=names):
                L, gradients = by_hand.mlp(X, Y, weights)
                return L, {name: g for pair, gs in zip(names, gradients) for name, g in zip(pair, gs)}

            yield (
                f"mlp{layers + 1} b{n}h{h}",
                lambda m=m, X=X, Y=Y, params=params: m.L_value_and_grad(params, {"X": X, "Y": Y}),
                hand,
            )
    m = symgen.loads(VAE).compile()
    for n, h, k in [(32, 128, 8), (128, 128, 8), (1024, 512, 32)]:
        x = (rng.random((n, 64)) < 0.3).astype(dtype)
        shapes = {"We": (64, h), "be": (h,), "Wm": (h, k), "bm": (k,), "Wv": (h, k), "bv": (k,), "Wd": (k, h),
                  "bd": (h,),                  "Wx": (h, 64), "bx": (64,)}  # fmt: skip
        p = {name: normal(*s, scale=s[0] ** -0.5 if len(s) > 1 else 0.1) for name, s in shapes.items()}
        eps = normal(n, k)
        yield (
            f"vae b{n}",
            lambda m=m, x=x, p=p, eps=eps: m._L_value_and_grad(x, *(p[name] for name in p), Fixed(eps)),
            lambda x=x, p=p, eps=eps: by_hand.vae(x, p, eps),
        )
    m = symgen.loads(GAN).compile()
    for n, h, k in [(64, 32, 2), (512, 128, 8)]:
        X, eps = normal(n, 2), normal(n, k)
        shapes = {"A1": (k, h), "a1": (h,), "A2": (h, 2), "a2": (2,), "B1": (2, h), "b1": (h,), "B2": (h,), "b2": ()}
        p = {name: normal(*s, scale=0.3) for name, s in shapes.items()}

        def made(m=m, X=X, p=p, eps=eps):
            payoffs, gradients = m._gan_values_and_grads(X, *(p[name] for name in p), Fixed(eps), len(eps))
            return tuple(payoffs.values()), gradients

        yield f"gan b{n}h{h}", made, lambda X=X, p=p, eps=eps: by_hand.gan(X, p, eps)


def same(a, b, dtype):
    tolerance = 1e-8 if dtype == np.float64 else 3e-4
    (va, ga), (vb, gb) = a, b
    scale = max(float(np.max(np.abs(g))) for g in gb.values())
    assert np.allclose(va, vb, rtol=tolerance), (va, vb)
    for name in gb:
        assert np.allclose(ga[name], gb[name], rtol=tolerance, atol=tolerance * scale), name


def times(contenders, seconds):
    """Median CPU seconds of each, in turns."""
    for f in contenders:
        for _ in range(3):
            f()
    start = time.process_time()
    for f in contenders:
        f()
    once = (time.process_time() - start) / len(contenders)
    inner = max(1, int(2e-4 / once))
    rounds = max(7, int(seconds / (len(contenders) * inner * once)))
    found = [[] for _ in contenders]
    for _ in range(rounds):
        for k, f in enumerate(contenders):
            t = time.process_time()
            for _ in range(inner):
                f()
            found[k].append((time.process_time() - t) / inner)
    return [float(np.median(t)) for t in found]


def measure(dtype, seconds=0.6, only=""):
    """Rows (name, generated s, hand-written s)."""
    for name, made, hand in cases(dtype):
        if only not in name:
            continue
        same(made(), hand(), dtype)
        yield (name, *times([made, hand], seconds))


def main():
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    for dtype in (np.float64, np.float32):
        print(f"{np.dtype(dtype).name:20} generated   by hand   ratio")
        ratios = []
        for name, a, b in measure(dtype, only=only):
            ratios.append(a / b)
            print(f"{name:20} {a * 1e6:9.1f} {b * 1e6:9.1f} {a / b:7.2f}")
        if ratios:
            print(f"{'geometric mean':40} {np.exp(np.mean(np.log(ratios))):7.2f}  worst {max(ratios):.2f}")


if __name__ == "__main__":
    main()

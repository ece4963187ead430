"""Generated NumPy against PyTorch and JAX, where they are installed: loss and gradient, and whole cold trainings.

Run: python tests/benchmarks/bench_frameworks.py (with OPENBLAS_CORETYPE unset, OPENBLAS_NUM_THREADS=1 for one core).
Frameworks run as their users write them: PyTorch eagerly with autograd, JAX compiled with jit; one thread each.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
sys.path.insert(0, str(Path(__file__).parent))

from bench_codegen import SOFTMAX, mlp_spec, one_hot, times

import symgen

ZOO = Path(symgen.__file__).parent / "zoo"
MLP = """
dim n, d, h, k
data X: real[n, d], Y: onehot[n, k]
param W1: real[d, h] = glorot, b1: real[h] = zeros, W2: real[h, k] = glorot, b2: real[k] = zeros
let H = tanh(X @ W1 + b1)
let P = softmax(H @ W2 + b2)
loss L = -sum(Y*log(P))/n
train L with adam(lr=0.01), steps=580, batch=64
"""
TORCH = """
import sys, numpy as np, torch
torch.set_num_threads(1)
data = np.load(sys.argv[1]); X, Y = (torch.from_numpy(data[k].astype(np.float64)) for k in "XY")
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.Tanh(), torch.nn.Linear(32, 10)).double()
best = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(580):
    rows = torch.randint(0, len(X), (64,))
    loss = torch.nn.functional.cross_entropy(net(X[rows]), Y[rows])
    best.zero_grad(); loss.backward(); best.step()
print(float(loss))
"""
JAX = """
import sys, numpy as np, jax, jax.numpy as jnp
jax.config.update("jax_enable_x64", True)
data = np.load(sys.argv[1]); X, Y = (data[k].astype(np.float64) for k in "XY")
rng = np.random.default_rng(0)
p = [rng.normal(size=(64, 32))/8, np.zeros(32), rng.normal(size=(32, 10))/6, np.zeros(10)]
def loss(p, x, y):
    return -jnp.mean(jnp.sum(y*jax.nn.log_softmax(jnp.tanh(x @ p[0] + p[1]) @ p[2] + p[3]), axis=1))
@jax.jit
def step(p, m, v, t, x, y):
    l, g = jax.value_and_grad(loss)(p, x, y)
    m = [0.9*a + 0.1*b for a, b in zip(m, g)]
    v = [0.999*a + 0.001*b*b for a, b in zip(v, g)]
    p = [a - 0.01*(b/(1 - 0.9**t))/(jnp.sqrt(c/(1 - 0.999**t)) + 1e-8) for a, b, c in zip(p, m, v)]
    return p, m, v, l
m, v = [0*a for a in p], [0*a for a in p]
for t in range(1, 581):
    rows = rng.integers(0, len(X), 64)
    p, m, v, l = step(p, m, v, float(t), X[rows], Y[rows])
print(float(l))
"""
NUMPY = """
import sys, numpy as np
sys.path.insert(0, sys.argv[2])
import made
data = np.load(sys.argv[1])
last = []
made.train({"X": data["X"], "Y": data["Y"]}, made.init(0, d=64, h=32, k=10), callback=lambda step, value, *rest: last.append(value))
print(float(last[-1]))
"""


def has(name):
    return importlib.util.find_spec(name) is not None


def in_torch(dtype, X, Y, weights, lam):
    import torch

    torch.set_num_threads(1)
    x, y = torch.from_numpy(X), torch.from_numpy(Y)
    p = [torch.from_numpy(a).requires_grad_() for pair in weights for a in pair]

    def call():
        for a in p:
            a.grad = None
        h = x
        for k in range(0, len(p) - 2, 2):
            h = torch.tanh(h @ p[k] + p[k + 1])
        z = torch.log_softmax(h @ p[-2] + p[-1], 1)
        loss = -(y * z).sum() / len(x)
        if lam:
            loss = loss + lam / 2 * (p[0] ** 2).sum()
        loss.backward()
        return loss

    return call


def in_jax(dtype, X, Y, weights, lam):
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    p = [jnp.asarray(a) for pair in weights for a in pair]
    x, y = jnp.asarray(X), jnp.asarray(Y)

    def loss(p, x, y):
        h = x
        for k in range(0, len(p) - 2, 2):
            h = jnp.tanh(h @ p[k] + p[k + 1])
        out = -(y * jax.nn.log_softmax(h @ p[-2] + p[-1])).sum() / len(x)
        return out + lam / 2 * (p[0] ** 2).sum() if lam else out

    call = jax.jit(jax.value_and_grad(loss))
    return lambda: jax.block_until_ready(call(p, x, y))


def cases(dtype):
    """(name, generated call, arrays for the frameworks)."""
    rng = np.random.default_rng(0)

    def normal(*shape, scale=1.0):
        return (scale * rng.standard_normal(shape)).astype(dtype)

    m = symgen.loads(SOFTMAX).compile()
    for name, n in (("softreg b32", 32), ("softreg digits", 1797)):
        X, Y, pair = normal(n, 64), one_hot(rng, n, 10, dtype), (normal(64, 10, scale=0.1), normal(10))
        p = dict(zip("Wb", pair, strict=True))
        yield name, lambda m=m, X=X, Y=Y, p=p: m.L_value_and_grad(p, {"X": X, "Y": Y}, lam=1e-4), (X, Y, [pair], 1e-4)
    for layers in (1, 10):
        m = symgen.loads(mlp_spec(layers)).compile()
        for n, h in ((32, 16), (32, 128), (256, 128), (4096, 128)) if layers == 1 else ((32, 32), (32, 128), (256, 256)):
            X, Y = normal(n, 64), one_hot(rng, n, 10, dtype)
            shapes = [(64 if i == 0 else h, h) for i in range(layers)] + [(h, 10)]
            weights = [(normal(*s, scale=s[0] ** -0.5), normal(s[1], scale=0.1)) for s in shapes]
            names = [(f"W{i + 1}", f"b{i + 1}") for i in range(layers)] + [("V", "c")]
            p = {name: a for pair, arrays in zip(names, weights, strict=True) for name, a in zip(pair, arrays, strict=True)}
            yield (
                f"mlp{layers + 1} b{n}h{h}",
                lambda m=m, X=X, Y=Y, p=p: m.L_value_and_grad(p, {"X": X, "Y": Y}),
                (X, Y, weights, 0),
            )


def compare(dtype):
    peers = [(name, f) for name, f in (("torch", in_torch), ("jax", in_jax)) if has(name)]
    print(f"{np.dtype(dtype).name:16} generated" + "".join(f"{name:>10} ratio" for name, _ in peers))
    ratios = {name: [] for name, _ in peers}
    for name, made, arrays in cases(dtype):
        own, *others = times([made, *(f(dtype, *arrays) for _, f in peers)], 0.6)
        line = f"{name:16} {own * 1e6:9.1f}"
        for (peer, _), t in zip(peers, others, strict=True):
            ratios[peer].append(own / t)
            line += f"{t * 1e6:10.1f} {own / t:5.2f}"
        print(line)
    for peer, r in ratios.items():
        print(f"geometric mean against {peer}: {np.exp(np.mean(np.log(r))):.2f}, worst {max(r):.2f}")


def cold():
    """Wall seconds of whole processes that train the digits MLP for 580 steps of 64 rows (about 20 epochs)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "made.py").write_text(symgen.loads(MLP).generate(), encoding="utf-8")
        scripts = {"generated": NUMPY, "torch": TORCH, "jax": JAX}
        for name, text in scripts.items():
            if name != "generated" and not has(name):
                continue
            (path / f"with_{name}.py").write_text(text, encoding="utf-8")
            seconds = []
            for _ in range(5):
                start = time.perf_counter()
                done = subprocess.run(
                    [sys.executable, path / f"with_{name}.py", ZOO / "data" / "digits.npz", path],
                    capture_output=True,
                    text=True,
                    check=True,
                )
                seconds.append(time.perf_counter() - start)
            print(f"cold training, {name:10} {sorted(seconds)[2]:6.2f} s, last loss {float(done.stdout):.3f}")


if __name__ == "__main__":
    for kind in (np.float64, np.float32):
        compare(kind)
    cold()

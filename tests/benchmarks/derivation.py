"""How long derivations take as networks grow: a deep MLP, an unrolled RNN, a transformer; cost is linear in the program.

Where JAX is installed, what it needs to trace the gradients of the same MLP stands beside it.

python -m tests.benchmarks.derivation
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from symgen.calculus.gradient import gradient
from symgen.calculus.hessian import hessian, hvp
from symgen.derivation.context import Context
from symgen.tensor.expression import Array, Scalar, Var, dim, var
from symgen.tensor.formula import read

n, d, h, k = (dim(c) for c in "ndhk")


class Program:
    """Statements read one after the other, their names kept."""

    def __init__(self, **scope: Array | Scalar) -> None:
        self.scope: dict[str, Array | Scalar] = dict(scope)
        self.names: dict[Array, str] = {}
        self.params: list[Var] = []

    def let(self, name: str, text: str) -> None:
        spoken = set(re.findall(r"\w+", text))
        made = read(text, {k: v for k, v in self.scope.items() if k in spoken})
        self.scope[name] = made
        self.names[made] = name

    def param(self, name: str, *shape: Scalar) -> None:
        made = var(name, shape)
        self.scope[name] = made
        self.params.append(made)

    def loss(self) -> tuple[Array, list[Var], dict[Array, str]]:
        f = self.scope["L"]
        assert isinstance(f, Array)
        return f, self.params, self.names


def mlp(layers: int) -> tuple[Array, list[Var], dict[Array, str]]:
    p = Program(n=n, X=var("X", (n, h)), Y=var("Y", (n, h)))
    p.let("H0", "1*X")
    for i in range(layers):
        p.param(f"W{i}", h, h)
        p.param(f"b{i}", h)
        p.let(f"H{i + 1}", f"tanh(H{i} @ W{i} + b{i})")
    p.let("L", f"norm(H{layers} - Y)^2/(2*n)")
    return p.loss()


def rnn(steps: int) -> tuple[Array, list[Var], dict[Array, str]]:
    p = Program(x=var("x", (dim("T"), d)), y=var("y", (h,)))
    p.param("A", h, h)
    p.param("B", h, d)
    p.param("c", h)
    p.let("h0", "0*c")
    for i in range(steps):
        p.let(f"h{i + 1}", f"tanh(A @ h{i} + B @ x[0] + c)")
    p.let("L", f"norm(h{steps} - y)^2")
    return p.loss()


def softmax_regression() -> tuple[Array, list[Var], dict[Array, str]]:
    p = Program(n=n, X=var("X", (n, d)), Y=var("Y", (n, k), "onehot"))
    p.param("W", d, k)
    p.let("Z", "X @ W")
    p.let("L", "-sum(Y*log_softmax(Z))/n")
    return p.loss()


def transformer(blocks: int) -> tuple[Array, list[Var], dict[Array, str]]:
    p = Program(n=n, d=d, X=var("X", (n, d)), Y=var("Y", (n, d), "onehot"))
    p.let("H0", "1*X")
    for i in range(blocks):
        for name in "QKV":
            p.param(f"{name}{i}", d, d)
        p.param(f"U{i}", d, h)
        p.param(f"V_{i}", h, d)
        p.param(f"g{i}", d)
        p.let(f"N{i}", f"g{i}*layernorm(H{i})")
        p.let(f"S{i}", f"softmax(N{i} @ Q{i} @ (N{i} @ K{i})'/sqrt(d))")
        p.let(f"M{i}", f"H{i} + S{i} @ (N{i} @ V{i})")
        p.let(f"H{i + 1}", f"M{i} + gelu(layernorm(M{i}) @ U{i}) @ V_{i}")
    p.let("L", f"-sum(Y*log_softmax(H{blocks}))/n")
    return p.loss()


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def all_gradients(build: Callable[[int], tuple[Array, list[Var], dict[Array, str]]], size: int) -> tuple[float, float]:
    """Seconds to read the program and to find all gradients; each call has names and sizes of its own."""
    start = time.process_time()
    f, params, names = build(size)
    middle = time.process_time()
    gradient(f, params, Context(names=names))
    return middle - start, time.process_time() - middle


ROUNDS = 3  # the least of these is told: CPU time, collections of garbage included


def traced_by_jax(layers: int) -> float | None:
    """Seconds that JAX needs to trace the loss and all gradients of the MLP; no array is computed."""
    if find_spec("jax") is None:
        return None
    import jax
    import jax.numpy as jnp

    def loss(params: list[Any], x: Any, y: Any) -> Any:
        for w, b in params:
            x = jnp.tanh(x @ w + b)
        return jnp.sum((x - y) ** 2) / (2 * x.shape[0])

    x = jnp.zeros((3, 4))
    params = [(jnp.zeros((4, 4)), jnp.zeros(4)) for _ in range(layers)]
    trace = jax.make_jaxpr(jax.value_and_grad(loss))
    return seconds(lambda: trace(params, x, x))


CASES: list[tuple[str, Callable[[int], tuple[Array, list[Var], dict[Array, str]]], tuple[int, ...]]] = [
    ("MLP, layers", mlp, (31, 62, 125, 250, 500)),
    ("RNN, unrolled steps", rnn, (13, 25, 50, 100)),
    ("transformer, blocks", transformer, (3, 6, 12)),
]


def main() -> None:
    for name, build, sizes in CASES:
        for size in sizes:
            rounds = [all_gradients(build, size + k) for k in range(ROUNDS)]  # a size of its own each: nothing is known yet
            read_s, derive_s = (min(times) for times in zip(*rounds, strict=True))
            peer = ""
            if build is mlp:
                traced = traced_by_jax(size)
                peer = "" if traced is None else f"; JAX traces them in {traced:5.3f} s, {traced / derive_s:.1f} times that"
            print(f"{name:22} {size:4}: read {read_s:6.3f} s, all gradients {derive_s:6.3f} s{peer}")
    f, params, names = softmax_regression()
    print(f"Hessian of softmax regression: {seconds(lambda: hessian(f, params[0], Context(names=names))):.3f} s")
    f, params, names = mlp(41)
    v = var("v", params[0].shape)
    print(f"Hessian-vector product of an MLP of 41 layers: {seconds(lambda: hvp(f, params[0], v, Context(names=names))):.3f} s")


if __name__ == "__main__":
    main()

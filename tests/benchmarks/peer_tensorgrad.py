"""symgen's expressions in tensorgrad, whose edges are the free indices; the numbers of what comes back."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
from scipy.special import erf

from symgen.tensor import expression as x
from tests.benchmarks.peer_problems import NotStated


class ToTensorgrad:
    """Nodes as tensors whose edges are the free indices."""

    def __init__(self):
        import tensorgrad as tg
        import tensorgrad.functions as F

        self.tg, self.F = tg, F
        self.variables, self.dims, self.memo, self.made = {}, {}, {}, 0

    def dim(self, s):
        if isinstance(s, x.Num):
            raise NotStated("a fixed size")
        if not isinstance(s, x.Dim):
            raise NotStated("a size that is no symbol")
        return self.dims.setdefault(s, self.tg.symbols(s.name))

    def variable(self, v):
        if v not in self.variables:
            edges = {f"{v.name}_{k}": self.dim(s) for k, s in enumerate(v.shape)}
            self.variables[v] = self.tg.Variable(v.name, **edges)
        return self.variables[v]

    def edge(self, i):
        return f"{i.kind}{i.number}"

    def array(self, a, names):
        """An array with the edges `names`, which differ."""
        if isinstance(a, x.Var):
            t = self.variable(a)
            return t.rename(**{f"{a.name}_{k}": n for k, n in enumerate(names)}) if names else t
        if isinstance(a, x.Tensor):
            if a not in self.memo:
                t = self.scalar(a.body)
                for i in a.axes:
                    if i not in a.body.free:
                        t = t @ self.tg.Ones(**{self.edge(i): self.dim(i.size)})
                self.memo[a] = t
            return self.memo[a].rename(**{self.edge(i): n for i, n in zip(a.axes, names, strict=True)})
        if isinstance(a, x.Operation):
            if len(a.operands) != 1 or not isinstance(a.operands[0], x.Array):
                raise NotStated(a.name)
            rank = a.operands[0].rank
            own = [f"op{self.fresh()}_{k}" for k in range(rank)]
            t = self.array(a.operands[0], own)
            if a.name == "inv" and rank == 2:
                return self.F.inverse(t).rename(**{own[1]: names[0], own[0]: names[1]})
            if a.name in ("det", "logdet") and rank == 2:
                t = self.F.det(t)
                return t if a.name == "det" else self.F.log(t)
            if a.name in ("softmax", "log_softmax"):
                return getattr(self.F, a.name)(t, own[-1]).rename(**dict(zip(own, names, strict=True)))
            if a.name == "logsumexp":
                t = self.F.log(self.F.sum(self.F.exp(t), own[-1]))
                return t.rename(**dict(zip(own[:-1], names, strict=True))) if names else t
            raise NotStated(a.name)
        raise NotStated(type(a).__name__)

    def fresh(self):
        self.made += 1
        return self.made

    def scalar(self, node):
        tg, F = self.tg, self.F
        if isinstance(node, x.Num):
            if isinstance(node.value, str):
                if node.value == "pi":
                    return tg.Ones() * float(np.pi)
                raise NotStated(node.value)
            return tg.Ones() * node.value
        if isinstance(node, x.Dim):
            return tg.Delta(self.dim(node))
        if isinstance(node, x.Entry):
            if not all(isinstance(i, x.Index) and i.size is s for i, s in zip(node.indices, node.array.shape, strict=True)):
                raise NotStated("an entry")
            if len(set(node.indices)) == len(node.indices):
                return self.array(node.array, [self.edge(i) for i in node.indices])
            if len(node.indices) != 2:
                raise NotStated("a diagonal of a tensor")
            own = [f"dg{self.fresh()}_{k}" for k in range(2)]
            i = node.indices[0]
            return self.array(node.array, own) @ tg.Delta(self.dim(i.size), *own, self.edge(i))
        if isinstance(node, x.Add):
            free = sorted(node.free, key=self.edge)
            total = None
            for term in node.args:
                t = self.scalar(term)
                for i in free:
                    if i not in term.free:
                        t = t @ tg.Ones(**{self.edge(i): self.dim(i.size)})
                total = t if total is None else total + t
            return total
        if isinstance(node, x.Mul):
            c, rest = Fraction(1), []
            for f in node.args:
                if isinstance(f, x.Num) and isinstance(f.value, Fraction):
                    c *= f.value
                else:
                    rest.append(self.scalar(f))
            t = rest[0] if rest else tg.Ones()
            for f in rest[1:]:
                t = t * f
            return t * c if c != 1 else t
        if isinstance(node, x.Pow):
            e = node.exponent
            if not isinstance(e, x.Num) or not isinstance(e.value, Fraction):
                raise NotStated("a symbolic exponent")
            return F.pow(self.scalar(node.base), int(e.value) if e.value.denominator == 1 else e.value)
        if isinstance(node, x.Sum):
            body, indices = x.open_sum(node)
            t = self.scalar(body)
            for i in indices:
                t = F.sum(t, self.edge(i)) if i in body.free else t * tg.Delta(self.dim(i.size))
            return t
        if isinstance(node, x.Delta):
            a, b = node.args
            if not (isinstance(a, x.Index) and isinstance(b, x.Index) and a.size is b.size):
                raise NotStated("an entry")
            return tg.Delta(self.dim(a.size), self.edge(a), self.edge(b))
        if isinstance(node, x.Fn):
            a = [self.scalar(arg) for arg in node.args]
            simple = {"exp": F.exp, "log": F.log, "tanh": F.tanh, "erf": F.erf, "abs": F.abs, "sign": F.sign, "relu": F.relu,
                      "sigmoid": F.sigmoid}  # fmt: skip
            if node.name in simple:
                return simple[node.name](a[0])
            (t,) = a if len(a) == 1 else (None,)
            ways = {
                "softplus": lambda: F.log(F.exp(t) + 1), "log1p": lambda: F.log(t + 1), "expm1": lambda: F.exp(t) - 1,
                "cosh": lambda: (F.exp(t) + F.exp(-t)) / 2, "sinh": lambda: (F.exp(t) - F.exp(-t)) / 2,
                "gelu": lambda: F.gelu(t), "silu": lambda: t * F.sigmoid(t), "erfc": lambda: 1 - F.erf(t),
                "max": lambda: F.maximum(*a) if node.args[0].free == node.args[1].free else None,
            }  # fmt: skip
            made = ways[node.name]() if node.name in ways else None
            if made is None:
                raise NotStated(node.name)
            return made
        if isinstance(node, x.Fold) and node.kind == "max":
            body, indices = x.open_sum(node)
            return F.max(self.scalar(body), {self.edge(i) for i in indices})
        raise NotStated(type(node).__name__)


class Evaluator:
    """The numbers of a tensorgrad expression (its own evaluator needs named tensors, which torch no longer has)."""

    def __init__(self, values, dims):
        self.values, self.dims, self.memo = values, dims, {}

    def of(self, t):
        """(array, edges in order)"""
        key = id(t)
        if key not in self.memo:
            self.memo[key] = (t, self.made(t))
        return self.memo[key][1]

    def made(self, t):
        kind = type(t).__name__
        if kind == "Variable":
            value = next(a for v, a in self.values if v is t or v.name == t.name)
            return np.asarray(value, dtype=float), list(t.edges)
        if kind == "Rename":
            value, edges = self.of(t.tensor)
            return value, [t.mapping.get(e, e) for e in edges]
        if kind == "Delta":
            n = self.dims[t.size]
            edges = list(t.edges)
            value = np.zeros([n] * len(edges))
            for k in range(n):
                value[(k,) * len(edges)] = 1 if edges else n
            return value, edges
        if kind == "Zero":
            return np.zeros([self.dims[n] for n in t.shape.values()]), list(t.shape)
        if kind == "Sum":
            edges = list(t.edges)
            return sum(float(w) * self.aligned(u, edges) for w, u in zip(t.weights, t.terms, strict=True)), edges
        if kind == "Product":
            parts, letters = [], {}
            for f in t.factors:
                value, edges = self.of(f)
                parts += [value, [letters.setdefault(e, len(letters)) for e in edges]]
            out = list(t.edges)
            if not parts:
                return np.asarray(1.0), []
            if len(letters) > 50:
                raise NotStated("too many edges")
            return np.einsum(*parts, [letters[e] for e in out], optimize=len(parts) > 4), out
        if kind == "Function":
            return self.function(t.signature, [self.of(u) for u in t.inputs])
        raise NotStated(f"evaluating {kind}")

    def aligned(self, t, edges):
        value, own = self.of(t)
        return np.transpose(value, [own.index(e) for e in edges])

    def function(self, s, given):
        kind, (value, edges) = type(s).__name__, given[0]
        if kind == "_ScaleFunction":
            found, edges = self.function(s.inner, given)
            return float(s.alpha) * found, edges
        if kind == "_RenameFunction":
            found, edges = self.function(s.inner, given)
            return found, [s.renames.get(e, e) for e in edges]
        if kind == "_PowerFunction":
            return np.power(value, float(s.k)), edges
        if kind == "_LogFunction":
            return np.log(value), edges
        if kind == "_SimpleFunction":
            ways = {"exp": np.exp, "sign": np.sign, "relu": lambda a: np.maximum(a, 0), "abs": np.abs, "tanh": np.tanh, "erf": erf,
                    "gt0": lambda a: (a > 0) * 1.0}  # fmt: skip
            return ways[s.name](value), edges
        if kind == "_MatrixInverseFunction":
            a, b = s.edges
            front = [e for e in edges if e not in (a, b)]
            moved = np.transpose(value, [edges.index(e) for e in (*front, a, b)])
            return np.linalg.inv(moved), [*front, b, a]
        (inside,) = s.inputs if len(s.inputs) == 1 else (s.inputs[0],)
        front = [e for e in edges if e not in inside]
        if kind == "_DeterminantFunction":
            return np.linalg.det(np.transpose(value, [edges.index(e) for e in (*front, *inside)])), front
        axes = tuple(edges.index(e) for e in inside)
        if kind == "_MaxFunction":
            return value.max(axis=axes), front
        if kind == "_MaxGradFunction":
            mask = (value == value.max(axis=axes, keepdims=True)) * 1.0
            return mask / mask.sum(axis=axes, keepdims=True), edges
        raise NotStated(f"evaluating {kind}")


class Tensorgrad:
    name = "tensorgrad"

    def __init__(self):
        ToTensorgrad()

    def ask(self, f, by, order, sizes, values, text, spec):
        """The value of f; then that of the derivative, and the seconds it took."""
        make = ToTensorgrad()
        own = [f"f{k}" for k in range(f.rank)]
        t = make.array(f, own)
        variable = make.variable(by)
        evaluator = Evaluator(
            [(made, values[v]) for v, made in make.variables.items()], {s: sizes[d.name] for d, s in make.dims.items()}
        )
        yield evaluator.aligned(t, own)
        start = time.perf_counter()
        edges = list(own)
        for k in range(order):
            names = {f"{by.name}_{j}": f"x{k}_{j}" for j in range(by.rank)}
            t = t.grad(variable, names)
            edges += names.values()
        t = t.full_simplify()
        seconds = time.perf_counter() - start
        yield lambda: evaluator.aligned(t, edges), seconds

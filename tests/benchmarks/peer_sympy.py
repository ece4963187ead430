"""The author's text as matrix expressions of SymPy; vectors are n by 1."""

from __future__ import annotations

import time

import numpy as np
import sympy

from symgen.tensor import expression as x
from symgen.text import tree
from symgen.text.parse import parse_expression
from tests.benchmarks.peer_problems import ORDERS, NotStated
from tests.calculus.suite.solve import model_of


class Sympy:
    """The author's text as matrix expressions; vectors are n by 1."""

    name = "sympy"

    def ask(self, f, by, order, sizes, values, text, spec):
        goal = parse_expression(text)
        while isinstance(goal, tree.Call) and goal.function in ORDERS:
            goal = goal.arguments[0]
        self.variables = {v.name: v for v in values}
        self.lets = model_of(spec).elaborated
        self.symbols = {}
        self.sizes = sizes
        made = self.of(goal)
        ones = {sympy.Symbol(k, integer=True, positive=True): n for k, n in sizes.items()}
        given = {self.symbols[n]: values[v] for n, v in self.variables.items() if n in self.symbols}

        def value(e):
            e = sympy.sympify(e)
            for s, number in given.items():
                if getattr(s, "is_Matrix", False):
                    e = e.subs(s, sympy.Matrix(np.asarray(number).reshape(np.shape(number)[0], -1)))
                else:
                    e = e.subs(s, float(number))
            e = e.subs(ones)
            e = e.doit()
            e = e.as_explicit() if hasattr(e, "as_explicit") else e
            return np.asarray(np.array(e.tolist() if hasattr(e, "tolist") else e), dtype=float)

        yield np.squeeze(value(made))
        start = time.perf_counter()
        for _ in range(order):
            made = sympy.diff(made, self.symbol(by.name))
        made = made.doit() if hasattr(made, "doit") else made
        seconds = time.perf_counter() - start
        yield lambda: value(made), seconds

    def symbol(self, name):
        if name not in self.symbols:
            v = self.variables[name]
            size = [self.size(s) for s in v.shape]
            if len(size) > 2:
                raise NotStated("a tensor")
            self.symbols[name] = sympy.MatrixSymbol(name, *(size if len(size) == 2 else [*size, 1])) if size else sympy.Symbol(name)
        return self.symbols[name]

    def size(self, s):
        if isinstance(s, x.Num):
            return int(s.value)
        if isinstance(s, x.Dim):
            return sympy.Symbol(s.name, integer=True, positive=True)
        raise NotStated("a size")

    def rank(self, e):
        if not getattr(e, "is_Matrix", False):
            return 0
        return 1 if e.shape[1] == 1 else 2

    def of(self, e):
        match e:
            case tree.Number(value):
                return sympy.Rational(value.numerator, value.denominator)
            case tree.Name(name):
                if name in self.variables:
                    return self.symbol(name)
                if name in self.sizes:
                    return sympy.Symbol(name, integer=True, positive=True)
                if name == "pi":
                    return sympy.pi
                for s in self.lets.spec.statements:
                    if isinstance(s, tree.Let) and s.name.name == name and not s.indices:
                        return self.of(s.value)
                raise NotStated(name)
            case tree.Terms(terms):
                parts = [(sign, self.of(p)) for sign, p in terms]
                if len({self.rank(p) and p.shape for _, p in parts}) > 1:
                    raise NotStated("broadcasting")
                total = None
                for sign, p in parts:
                    total = sign * p if total is None else total + sign * p
                return total
            case tree.Factors(first, rest):
                total = self.of(first)
                for op, p in rest:
                    total = self.product(total, op, self.of(p))
                return total
            case tree.Power(base, exponent):
                a, b = self.of(base), self.of(exponent)
                if self.rank(b):
                    raise NotStated("an exponent that is an array")
                return sympy.HadamardPower(a, b) if self.rank(a) else a**b
            case tree.Transpose(operand):
                a = self.of(operand)
                return a.T if self.rank(a) == 2 else a
            case tree.Call(name, arguments) if not e.keywords:
                return self.call(name, [self.of(a) for a in arguments])
        raise NotStated(type(e).__name__)

    def product(self, a, op, b):
        ra, rb = self.rank(a), self.rank(b)
        if op == "@":
            if ra == 1 and rb == 1:
                return sympy.Trace(a.T * b)
            return (a.T * b).T if ra == 1 else a * b
        if op == "/":
            if rb:
                return sympy.HadamardProduct(a, sympy.HadamardPower(b, -1)) if ra else a * sympy.HadamardPower(b, -1)
            return a / b
        if ra and rb:
            if a.shape != b.shape:
                raise NotStated("broadcasting")
            return sympy.HadamardProduct(a, b)
        return a * b

    def call(self, name, a):
        if name == "tr":
            return sympy.Trace(a[0])
        if name == "inv":
            return sympy.Inverse(a[0])
        if name in ("det", "logdet"):
            d = sympy.Determinant(a[0])
            return d if name == "det" else sympy.log(d)
        if name == "norm":
            return sympy.sqrt(sympy.Trace(a[0].T * a[0]))
        if name == "sum" and self.rank(a[0]):
            m, n = a[0].shape
            return sympy.Trace(sympy.OneMatrix(1, m) * a[0] * sympy.OneMatrix(n, 1))
        if name == "mean" and self.rank(a[0]):
            m, n = a[0].shape
            return sympy.Trace(sympy.OneMatrix(1, m) * a[0] * sympy.OneMatrix(n, 1)) / (m * n)
        if name == "outer":
            return a[0] * a[1].T
        if name == "dot":
            return sympy.Trace(a[0].T * a[1])
        if name == "diag":
            return sympy.DiagMatrix(a[0])
        if name == "kron":
            return sympy.KroneckerProduct(*a)
        if name == "eye":
            return sympy.Identity(a[0])
        if name == "matpow":
            return sympy.MatPow(a[0], a[1])
        t = sympy.Symbol("t")
        bodies = {
            "exp": sympy.exp(t), "log": sympy.log(t), "sin": sympy.sin(t), "cos": sympy.cos(t), "tanh": sympy.tanh(t),
            "sigmoid": 1 / (1 + sympy.exp(-t)), "softplus": sympy.log(1 + sympy.exp(t)), "sqrt": sympy.sqrt(t),
            "abs": sympy.Abs(t), "atan": sympy.atan(t), "lgamma": sympy.loggamma(t), "digamma": sympy.digamma(t),
            "erf": sympy.erf(t), "cosh": sympy.cosh(t), "sinh": sympy.sinh(t), "log1p": sympy.log(1 + t), "sign": sympy.sign(t),
        }  # fmt: skip
        if name not in bodies or len(a) != 1:
            raise NotStated(name)
        return a[0].applyfunc(sympy.Lambda(t, bodies[name])) if self.rank(a[0]) else bodies[name].subs(t, a[0])

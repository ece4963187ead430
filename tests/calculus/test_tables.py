"""Claims over the whole tables of functions and operations, against mpmath and differences."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy import linalg, special

from symgen.calculus.rules import derivative_of, pullback
from symgen.codegen import runtime, runtime_complex
from symgen.tensor import incomplete_floats
from symgen.tensor.evaluate import FLOAT, Point, evaluate
from symgen.tensor.expression import Operation as OperationNode
from symgen.tensor.expression import Scalar, Var, axis, dim, entry, fn, operation, tensor, var
from symgen.tensor.formula import read, read_value
from symgen.tensor.functions import FUNCTIONS, Function
from symgen.tensor.operations import OPERATIONS, Operation, shape_of
from symgen.text.diagnostics import CannotDerive

mpmath.mp.dps = 40
COMPLEX = {
    "scaled_E1": lambda z: mpmath.exp(z) * mpmath.e1(z), "polygamma": lambda n, z: mpmath.polygamma(int(n), z),
    "lerch": lambda s, a, z: mpmath.lerchphi(z, s, a),
}  # fmt: skip
PARTS = {
    f"{name}_{end}": lambda *args, f=f, part=part: getattr(f(*args[:-2], mpmath.mpc(*args[-2:])), part)
    for name, f in COMPLEX.items()
    for end, part in (("re", "real"), ("im", "imag"))
}
REFEREE = {
    "exp": mpmath.exp, "log": mpmath.log, "log1p": mpmath.log1p, "expm1": mpmath.expm1, "sqrt": mpmath.sqrt,
    "xlogy": lambda x, y: x * mpmath.log(y), "abs": abs, "sign": mpmath.sign, "floor": mpmath.floor,
    "max": max, "min": min, "clip": lambda x, a, b: min(max(x, a), b), "sin": mpmath.sin, "cos": mpmath.cos,
    "tan": mpmath.tan, "asin": mpmath.asin, "acos": mpmath.acos, "atan": mpmath.atan, "sinh": mpmath.sinh,
    "cosh": mpmath.cosh, "tanh": mpmath.tanh, "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)), "relu": lambda x: max(x, 0),
    "leaky_relu": lambda x, a: x if x > 0 else a * x, "elu": lambda x, a: x if x > 0 else a * mpmath.expm1(x),
    "gelu": lambda x: x * mpmath.ncdf(x), "silu": lambda x: x / (1 + mpmath.exp(-x)), "erf": mpmath.erf,
    "erfc": mpmath.erfc, "gamma": mpmath.gamma, "lgamma": lambda x: mpmath.log(abs(mpmath.gamma(x))),
    "digamma": mpmath.digamma, "trigamma": lambda x: mpmath.polygamma(1, x),
    "polygamma": lambda n, x: mpmath.polygamma(int(n), x), "beta": mpmath.beta,
    "lbeta": lambda x, y: mpmath.log(mpmath.beta(x, y)), "E1": mpmath.e1, "Ei": mpmath.ei,
    "dilog": lambda x: mpmath.polylog(2, x).real, "igamma": lambda a, x: mpmath.gammainc(a, 0, x, regularized=True),
    "ibeta": lambda a, b, x: mpmath.betainc(a, b, 0, x, regularized=True), "besseli": mpmath.besseli,
    "besselk": mpmath.besselk, "hyp1f1": mpmath.hyp1f1, "hyp2f1": mpmath.hyp2f1, "hyperu": mpmath.hyperu,
    "zeta": mpmath.zeta, **PARTS,
}  # fmt: skip
REFEREE |= {
    "igamma_da": lambda a, x: mpmath.diff(lambda t: mpmath.gammainc(t, 0, x, regularized=True), a),
    "ibeta_da": lambda a, b, x: mpmath.diff(lambda t: mpmath.betainc(t, b, 0, x, regularized=True), a),
    "ibeta_db": lambda a, b, x: mpmath.diff(lambda t: mpmath.betainc(a, t, 0, x, regularized=True), b),
    "digammainv": lambda x: mpmath.findroot(lambda y: mpmath.digamma(y) - x, float(incomplete_floats.digammainv(float(x)))),
    "igammainv": lambda a, u: mpmath.findroot(
        lambda x: mpmath.gammainc(a, 0, x, regularized=True) - u, special.gammaincinv(float(a), float(u))
    ),
    "ibetainv": lambda a, b, u: mpmath.findroot(
        lambda x: mpmath.betainc(a, b, 0, x, regularized=True) - u, (0, 1), solver="anderson", tol=1e-60
    ),
}


def _student(nu, t):
    tail = mpmath.betainc(nu / 2, mpmath.mpf(1) / 2, 0, nu / (nu + t * t), regularized=True) / 2
    return tail if t < 0 else 1 - tail


REFEREE |= {
    "gamma_shift": lambda a, x: -REFEREE["igamma_da"](a, x) / mpmath.diff(lambda t: REFEREE["igamma"](a, t), x),
    "beta_shift_a": lambda a, b, x: -REFEREE["ibeta_da"](a, b, x) / mpmath.diff(lambda t: REFEREE["ibeta"](a, b, t), x),
    "student_shift": lambda nu, t: -mpmath.diff(lambda n: _student(n, t), nu) / mpmath.diff(lambda s: _student(nu, s), t),
    "beta_shift_b": lambda a, b, x: -REFEREE["ibeta_db"](a, b, x) / mpmath.diff(lambda t: REFEREE["ibeta"](a, b, t), x),
}
ROWS = [row for row in FUNCTIONS.values() if not row.internal]
every_function = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
every_operation = pytest.mark.parametrize("op", OPERATIONS.values(), ids=lambda op: op.name)


def ends(interval: str) -> tuple[float, float]:
    low, high = interval.strip("()[]").split(",")
    return float(low), float(high)


def inside(row: Function, k: int) -> list[float]:
    """Values of the arguments in their domains: unequal, none of them 0 or 1."""
    out = []
    for j, (name, interval) in enumerate(zip(row.arguments, row.domain, strict=True)):
        low, high = ends(interval)
        low = max(low, -1.7 if row.poles is None or k % 2 else 0.1)
        high = min(high, low + 3.1, 2.3 if row.poles != "0, -1, -2, .." or k % 2 == 0 else -1.1)
        share = (0.37 + 0.241 * k + 0.313 * j) % 1
        value = low + (high - low) * (0.05 + 0.9 * share)
        out.append(float(2 + k % 3) if name in ("n", "s") and row.name.startswith(("polygamma", "lerch")) else value)
    return [(-0.8, 0.4, 1.3, 0.2)[k], -0.3, 0.9] if row.name == "clip" else out


def number(node: Scalar, values: dict[Var, float]) -> float:
    return float(evaluate([tensor((), node)], Point({}, dict(values)), FLOAT)[0])


@every_function
@pytest.mark.parametrize("k", range(4))
def test_value_is_that_of_mpmath(row: Function, k: int) -> None:
    values = inside(row, k)
    want = float(REFEREE[row.name](*map(mpmath.mpf, values)))
    names = {"np": np, "special": special, **vars(runtime_complex), **vars(incomplete_floats)}
    arguments = dict(zip(row.arguments, values, strict=True))
    variables = [var(n, (), role="placeholder") for n in row.arguments]
    got = number(fn(row.name, *map(entry, variables)), dict(zip(variables, values, strict=True)))
    assert got == pytest.approx(want, rel=1e-9, abs=1e-12)
    # the template of generated code, run as code is: it is the project's own text
    code = row.numeric.format(**arguments)
    assert float(eval(code, names)) == pytest.approx(want, rel=1e-9, abs=1e-12)


@every_function
def test_value_lies_in_the_range(row: Function) -> None:
    low, high = ends(row.range)
    for k in range(4):
        assert low <= float(REFEREE[row.name](*map(mpmath.mpf, inside(row, k)))) <= high


@every_function
@pytest.mark.parametrize("k", range(4))
def test_derivative_is_the_slope(row: Function, k: int) -> None:
    values = inside(row, k)
    variables = [var(n, (), role="placeholder") for n in row.arguments]
    leaves = [entry(v) for v in variables]
    value = fn(row.name, *leaves)
    for j, text in enumerate(row.derivative):
        if text is None:
            with pytest.raises(CannotDerive, match=row.arguments[j]):
                derivative_of(row.name, j, leaves, value)
            continue
        h = mpmath.mpf(10) ** -12
        shifted = [[mpmath.mpf(v) + (s * h if i == j else 0) for i, v in enumerate(values)] for s in (1, -1)]
        want = float((REFEREE[row.name](*shifted[0]) - REFEREE[row.name](*shifted[1])) / (2 * h))
        got = number(derivative_of(row.name, j, leaves, value), dict(zip(variables, values, strict=True)))
        assert got == pytest.approx(want, rel=1e-8, abs=1e-10), (row.arguments[j], values)


@every_function
def test_definition_has_the_value(row: Function) -> None:
    if row.definition is None:
        return
    for k in range(4):
        values = inside(row, k)
        variables = {n: var(n, (), role="placeholder") for n in row.arguments}
        at = {variables[n]: v for n, v in zip(row.arguments, values, strict=True)}
        got = number(read_value(row.definition, variables).body, at)
        assert got == pytest.approx(float(REFEREE[row.name](*map(mpmath.mpf, values))), rel=1e-9, abs=1e-12)


@every_function
def test_monotone_and_curved_as_said(row: Function) -> None:
    low, high = ends(row.domain[0])
    xs = np.linspace(max(low, -1.7) + 0.05, min(high, 2.2) - 0.05, 9)
    if row.monotone or row.curvature:
        ys = np.array([float(REFEREE[row.name](mpmath.mpf(float(x)))) for x in xs])
        if row.monotone:
            assert (np.diff(ys) > 0).all() == (row.monotone == "increasing")
            assert (np.diff(ys) < 0).all() == (row.monotone == "decreasing")
        if row.curvature:
            bend = np.diff(ys, 2)
            assert (bend >= -1e-12).all() if row.curvature == "convex" else (bend <= 1e-12).all()
    if row.log_curvature:
        positive = np.linspace(0.05, 2.2, 9) if row.poles else xs
        bend = np.diff([float(mpmath.log(REFEREE[row.name](mpmath.mpf(float(x))))) for x in positive], 2)
        assert (bend >= -1e-12).all() if row.log_curvature == "convex" else (bend <= 1e-12).all()


@every_function
def test_parity_is_as_said(row: Function) -> None:
    if row.parity:
        f = REFEREE[row.name]
        assert f(mpmath.mpf("-0.37")) == pytest.approx(f(mpmath.mpf("0.37")) * (1 if row.parity == "even" else -1))


@every_function
def test_derivative_at_a_kink_is_zero(row: Function) -> None:
    """abs and relu: the subgradient 0 is taken."""
    if row.name in ("abs", "relu"):
        variables = [var(n, (), role="placeholder") for n in row.arguments]
        values = dict(zip(variables, [0.0, 0.7], strict=False))
        leaves = [entry(v) for v in variables]
        got = number(derivative_of(row.name, 0, leaves, fn(row.name, *leaves)), values)
        assert got == 0.0


# --- operations -------------------------------------------------------------------------------------------------------

n = dim("n")


def operand(op: Operation, size: int, batch: tuple[int, ...], rng: np.random.Generator) -> dict[str, np.ndarray]:
    out = {}
    for name, axes in op.operands.items():
        if not axes:
            out[name] = np.array(3.0)
            continue
        a = rng.normal(size=(*batch, *(size for _ in axes)))
        if op.needs == "spd":
            a = a @ np.swapaxes(a, -1, -2) + size * np.eye(size)
        out[name] = a
    return out


def node_of(op: Operation, batch: tuple[Scalar, ...]) -> tuple[OperationNode, dict[str, Var]]:
    variables = {name: var(name, (*batch, *(n for _ in axes)) if axes else ()) for name, axes in op.operands.items()}
    operands = [v if v.rank else entry(v) for v in variables.values()]
    shape = shape_of(op.name, [v.shape for v in variables.values()])
    return operation(op.name, operands, shape), variables


@every_operation
@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
def test_pullback_transposes_the_differential(op: Operation, batch: tuple[int, ...]) -> None:
    rng = np.random.default_rng(7)
    size = 4
    symbols = tuple(dim(f"b{k}") for k in range(len(batch)))
    node, variables = node_of(op, symbols)
    y_bar = var("Y_bar", node.shape)
    sizes = {"n": size, **{f"b{k}": b for k, b in enumerate(batch)}}
    x = operand(op, size, batch, rng)
    values = {variables[k]: v for k, v in x.items()}
    Y_bar = rng.normal(size=tuple(sizes[s.name] for s in node.shape))  # type: ignore[attr-defined]
    own = [axis(k, s) for k, s in enumerate(node.shape)]

    def Y(at: dict[Var, np.ndarray]) -> np.ndarray:
        return np.asarray(evaluate([node], Point(sizes, at), FLOAT)[0], dtype=float)

    for position, name in enumerate(variables):
        v = variables[name]
        if not v.rank:
            continue
        if op.pullback.get(name, "") is None:
            with pytest.raises(CannotDerive, match=op.name):
                pullback(node, position, entry(y_bar, *own))
            continue
        body = pullback(node, position, entry(y_bar, *own))
        made = tensor([axis(k, s) for k, s in enumerate(v.shape)], body)
        x_bar = evaluate([made], Point(sizes, {**values, y_bar: Y_bar}), FLOAT)[0]
        dx = rng.normal(size=x[name].shape)
        if op.needs == "spd":
            dx = dx + np.swapaxes(dx, -1, -2)
        h = 1e-3
        weights = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}
        dY = sum(w * (Y({**values, v: x[name] + k * h * dx}) - Y({**values, v: x[name] - k * h * dx}))
                 for k, w in weights.items()) / h  # fmt: skip
        assert x_bar.shape == dx.shape
        assert np.sum(Y_bar * dY) == pytest.approx(np.sum(x_bar * dx), rel=1e-8, abs=1e-8)


@every_operation
def test_differential_is_the_one_that_is_printed(op: Operation) -> None:
    """`because` is read as a formula in dA and compared, where it is one of the language."""
    text = op.because.removeprefix("dY = ")
    rng = np.random.default_rng(11)
    node, variables = node_of(op, ())
    several = len([v for v in variables.values() if v.rank]) > 1
    if several or "sum over" in text or not op.because.startswith("dY = "):
        return
    (name, v) = next(iter(variables.items()))
    d = var(f"d{name}", v.shape)
    scope: dict[str, object] = {**variables, f"d{name}": d, "Y": node, "n": n, "m": n}
    for own, body in op.local.items():
        i, j = axis(0, n), axis(1, n)
        scope[own] = tensor((i, j), read_value(body, {"i": i, "j": j}).body)
    said = read(text, scope)  # type: ignore[arg-type]
    x = operand(op, 4, (), rng)
    dx = rng.normal(size=x[name].shape)
    dx = dx + dx.T if op.needs == "spd" else dx
    values = {variables[k]: a for k, a in x.items()}
    h = 1e-5
    at = [evaluate([node], Point({"n": 4}, {**values, v: x[name] + s * h * dx}), FLOAT)[0] for s in (1, -1)]
    want = (np.asarray(at[0], float) - np.asarray(at[1], float)) / (2 * h)
    got = evaluate([said], Point({"n": 4}, {**values, d: dx}), FLOAT)[0]
    assert np.allclose(np.asarray(got, float), want, rtol=1e-6, atol=1e-7)


@every_operation
def test_template_computes_the_value(op: Operation) -> None:
    rng = np.random.default_rng(5)
    node, variables = node_of(op, ())
    x = operand(op, 4, (), rng)
    want = evaluate([node], Point({"n": 4}, {variables[k]: v for k, v in x.items()}), FLOAT)[0]
    names = {**vars(runtime), "np": np, "linalg": linalg, "special": special, **x, "k": 3}
    code = op.numeric.format(**{k: k for k in x})
    assert np.allclose(eval(code, names), np.asarray(want, float))


@every_operation
def test_definition_opens_to_the_value(op: Operation) -> None:
    if op.definition is None:
        return
    rng = np.random.default_rng(3)
    node, variables = node_of(op, ())
    opened = read(op.definition, {**variables, "n": n})
    x = operand(op, 4, (), rng)
    point = Point({"n": 4}, {variables[k]: v for k, v in x.items()})
    got, want = evaluate([opened, node], point, FLOAT)
    assert np.allclose(np.asarray(got, float), np.asarray(want, float))

"""PyTorch and JAX compute what NumPy computes, and PyTorch's own derivatives of the values are the gradients given."""

import ast
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import symgen
from symgen.codegen.tensor_backends import BACKENDS
from symgen.tensor.functions import FUNCTIONS
from symgen.tensor.sample import random_point, random_sizes
from symgen.text.diagnostics import CannotDerive
from symgen.units import unit_of
from tests.codegen.test_module import SPECS

ZOO = sorted((Path(symgen.__file__).parent / "zoo").glob("*.sg"))
OPERATIONS = {
    "conv": """
dim n, w
dim p, q
data x: real[p, n + w - 1], y: real[q, n]
param k: real[q, p, w], s: positive[n]
let c = conv1d(x, k)
let e = concat(s, k[0, 0, :])
loss L = sum((c - y)^2)/n + sum(e[1:]*e[:n+w-1]) + sum(exp(-x[0, ::-1]^2*sum(s)))
""",
    "conv_of_conv": """
dim n, w, p, q, u, r, h
data y: real[r, n]
param k: real[q, p, w], k2: real[r, q, u], x: real[p, n + u + w - 2]
param z: real[p, h + 2, h + 2], c: real[r, p, 3, 3]
let H = tanh(conv1d(x, k))
loss L = sum((conv1d(H, k2) - y)^2)/n + sum(sin(conv2d(z, c)))
""",
    "matrices": """
dim k
data S: spd[k, k], b: real[k]
param C: lower[k, k], P: spd[k, k], u: real[k]
loss L = tr(inv(P) @ S) + logdet(P) + b @ inv(C @ C') @ u + tr(expm(S/9 + C/9)) + det(P) + tr(P^3)
""",
    "functions": """
dim n, m
data x: real[n], y: positive[n]
param a: real[n], b: positive[n], q: real
let s = where(a > x, a*x, sin(a))
let g = max(a, x)
loss L = sum(lgamma(b) + digamma(y*b) + erf(a) + softplus(a*x)) + sum(abs(s) + relu(g) + gelu(a)) + logsumexp(a*q) + \
sum(silu(x*a) + elu(a) + leaky_relu(a) + gamma(b)) + sum(clip(a, -1, 1)) + max(a) + prod(b) + log(n)*q^2
""",
    "gather": """
dim n, v, d
data t: integer[n], y: real[n, d]
param E: real[v, d], w: real[d]
loss L = sum[i, j]((E[t[i], j] - y[i, j])^2*w[j])
""",
}


def models():
    return {**{p.stem: p.read_text() for p in ZOO}, **SPECS, **OPERATIONS}


MODELS = models()


@cache
def unit_for(name):
    model = symgen.loads(MODELS[name])
    return model, unit_of(model)


def point(model, seed=0):
    """Random values of data, parameters and constants, by the spec's declarations."""
    rng = np.random.default_rng(seed)
    declared = [d.variable for d in model.elaborated.variables.values() if d.variable.role in ("data", "param", "const")]
    sizes = random_sizes([s for v in declared for s in v.shape], {}, rng)
    found = random_point(declared, sizes, rng)
    values = {v.name: np.asarray(found.values[v], float) for v in declared}
    if "E" in values:  # t: positions of its rows
        values["t"] = rng.integers(0, len(values["E"]), values["t"].shape) * 1.0
    return {r: {v.name: values[v.name] for v in declared if v.role == r} for r in ("data", "param", "const")}, sizes


class Torch:
    def __init__(self):
        self.torch = pytest.importorskip("torch")

    def array(self, a):
        return self.torch.as_tensor(a)

    def numpy(self, a):
        return a.detach().numpy()


class Jax:
    def __init__(self):
        self.jax = pytest.importorskip("jax")
        self.jax.config.update("jax_enable_x64", True)

    def array(self, a):
        return self.jax.numpy.asarray(a)

    def numpy(self, a):
        return np.asarray(a)


LIBRARIES = {"torch": Torch, "jax": Jax}


def same_noise(module, library):
    """Replaces the draws of a module by those of NumPy's generator."""
    if hasattr(module, "drawn_normal"):
        source = np.random.default_rng(0)
        module.drawn_normal = lambda rng, shape, *place: library.array(source.standard_normal(shape))
    return module


def functions(source):
    return [n.name for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)]


def keywords(function, given, sizes):
    names = function.__kwdefaults__ or {}
    named = [*names, *function.__code__.co_varnames[2 : 2 + function.__code__.co_kwonlyargcount]]
    more = {k: v for k, v in {**sizes, **given}.items() if k in named}
    return more | ({"seed": 0, "samples": 3} if "seed" in named else {})


@pytest.mark.parametrize("target", ["torch", pytest.param("jax", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", MODELS)
def test_every_function_computes_what_numpy_computes(name, target):
    library = LIBRARIES[target]()
    model, unit = unit_for(name)
    here, there = unit.module("numpy"), unit.module(target)
    at, sizes = point(model)
    params, data = ({k: library.array(a) for k, a in at[role].items()} for role in ("param", "data"))
    compared = 0
    for f in functions(here.__source__):
        if f.startswith("_") or f == "init" or "_" + f not in vars(here) or not hasattr(there, f):
            continue
        more = keywords(getattr(here, f), at["const"], sizes)
        want = getattr(here, f)(at["param"], at["data"], **more)
        got = getattr(same_noise(there, library), f)(params, data, **more)
        assert close(library, got, want), f
        compared += 1
    assert compared or not (unit.unit.losses or unit.unit.values or unit.unit.games)


def close(library, got, want):
    if isinstance(want, tuple):
        return len(got) == len(want) and all(close(library, a, b) for a, b in zip(got, want, strict=True))
    if isinstance(want, dict):
        return set(got) == set(want) and all(close(library, got[k], want[k]) for k in want)
    got = library.numpy(got)
    return got.shape == np.shape(want) and np.allclose(got, want, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_those_of_torch_autograd(name):
    library = Torch()
    model, unit = unit_for(name)
    module = unit.module("torch")
    at, sizes = point(model)
    data = {k: library.array(a) for k, a in at["data"].items()}
    for loss in unit.unit.losses:
        params = {k: library.array(a).requires_grad_() for k, a in at["param"].items()}
        value = getattr(module, loss.name)
        more = keywords(value, at["const"], sizes)
        same_noise(module, library)
        value(params, data, **more).backward()
        same_noise(module, library)
        _, gradients = getattr(module, f"{loss.name}_value_and_grad")(params, data, **more)
        for p, g in gradients.items():
            want = params[p].grad
            assert g.shape == want.shape
            moved, expected = in_domain(model, p, g), in_domain(model, p, want)
            assert library.torch.allclose(moved, expected, rtol=1e-9, atol=1e-9), p


def in_domain(model, name, g):
    """The part of a gradient that moves within the domain: differentials of a symmetric matrix are symmetric."""
    domain = model.elaborated.variables[name].variable.domain
    if domain == "simplex":
        return g - g.mean(-1, keepdim=True)
    return g + g.mT if domain in ("spd", "psd", "symmetric") else g.tril() if domain == "lower" else g


@pytest.mark.parametrize("target", LIBRARIES)
@pytest.mark.parametrize("name", SPECS)
def test_the_source_imports_its_library_alone(name, target):
    source = symgen.loads(SPECS[name]).generate(target)
    imports = {a.name.split(".")[0] for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Import) for a in n.names}
    assert imports <= {target, "math"} and target in imports
    assert "np." not in source.replace("jnp.", "")


@pytest.mark.parametrize("target", LIBRARIES)
def test_every_function_of_the_language_is_written_in_every_library(target):
    assert set(FUNCTIONS) <= set(BACKENDS[target].functions)
    with pytest.raises(CannotDerive, match="backend"):
        symgen.loads("param a: positive\nloss L = a^2\n").generate("fortran")


@pytest.mark.parametrize("target", LIBRARIES)
def test_parameters_start_in_their_domains(target):
    library = LIBRARIES[target]()
    module = symgen.loads(SPECS["domains"]).compile(target)
    p = {k: library.numpy(a) for k, a in module.init(seed=1, k=3).items()}
    assert np.all(p["s"] > 0) and 0 < p["u"] < 1 and np.all(p["v"] >= 0) and np.isclose(p["w"].sum(), 1)
    assert np.allclose(p["S"], p["S"].T) and np.all(np.linalg.eigvalsh(p["S"]) > 0)
    assert np.allclose(p["C"], np.tril(p["C"])) and np.all(np.diag(p["C"]) > 0)


def test_functions_for_jax_compile():
    library = Jax()
    for name in ("mlp", "recurrence", "domains"):
        model = symgen.loads(MODELS[name])
        module, (at, _) = model.compile("jax"), point(model)
        params, data = ({k: library.array(a) for k, a in at[role].items()} for role in ("param", "data"))
        value, gradients = library.jax.jit(module.L_value_and_grad)(params, data)
        want, slopes = module.L_value_and_grad(params, data)
        assert np.isclose(value, want) and all(np.allclose(gradients[k], slopes[k]) for k in slopes)

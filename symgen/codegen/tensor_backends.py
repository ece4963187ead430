"""The backends ▣ without in-place updates: how each operation is written in PyTorch and in JAX."""

from __future__ import annotations

from symgen.codegen.backend import Backend
from symgen.codegen.backends import COMPLEX
from symgen.codegen.template import Template

__all__ = ["BACKENDS", "NUMBERS"]

# by which divergences keep their digits
REMAINDERS = {
    name: Template(f"{name}({', '.join('{%d}' % k for k in range(count))})", (name,))
    for name, count in {
        "log_remainder": 2, "expm1_remainder": 1, "kl_term": 3, "root_difference": 3, "lgamma_remainder": 3,
        "besseli": 2, "besseli_scaled": 2, "besseli_gap": 2, "besseli_remainder": 4,
        "artanh_rest": 1, "gamma_ratio": 3, "lbeta": 2, "beta": 2, "log_ratio": 3,
        "lgamma_rest": 1, "digamma_rest": 1, "stirling_remainder": 3, "erf_gap": 2, "log_half_erf_gap": 3,
    }.items()
}  # fmt: skip
REMAINDERS |= {f"exact_sum_{k}": Template(f"exact_sum({', '.join('{%d}' % i for i in range(k))})", ("exact_sum",)) for k in (3, 4)}

# incomplete gamma and beta functions, by their shapes and backwards
INCOMPLETE = {
    name: Template(f"{name}({', '.join('{%d}' % k for k in range(count))})", (name,))
    for name, count in {
        "digammainv": 1, "igamma_da": 2, "ibeta_da": 3, "ibeta_db": 3, "igammainv": 2, "ibetainv": 3, "gamma_shift": 2,
        "beta_shift_a": 3, "beta_shift_b": 3, "student_shift": 2,
    }.items()
}  # fmt: skip

# hypergeometric functions, and Bessel functions of the second kind
HYPER = {
    "hyp2f1": Template("hyp2f1_rest({0}, {1}, {2}, 1 - {3})", ("hyp2f1_rest",)),
    "hyp2f1_rest": Template("hyp2f1_rest({0}, {1}, {2}, {3})", ("hyp2f1_rest",)),
    "hyp1f1": Template("hyp1f1({0}, {1}, {2})", ("hyp1f1",)),
    "hyperu": Template("hyperu({0}, {1}, {2})", ("hyperu",)),
    "besselk": Template("besselk({0}, {1})", ("besselk",)),
    "inverse_mean": Template("inverse_mean({0}, {1})", ("inverse_mean",)),
    "log_hyperu": Template("log_hyperu({0}, {1}, {2})", ("log_hyperu",)),
    "log_besselk": Template("log_besselk({0}, {1})", ("log_besselk",)),
    "dilog": Template("dilog({0})", ("dilog",)),
}

# functions of numbers and sizes, which Python computes itself
NUMBERS = {
    name: "math." + called for name, called in {
        "exp": "exp", "log": "log", "log1p": "log1p", "expm1": "expm1", "sin": "sin", "cos": "cos", "tan": "tan",
        "asin": "asin", "acos": "acos", "atan": "atan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "erf": "erf",
        "erfc": "erfc", "gamma": "gamma", "lgamma": "lgamma", "floor": "floor",
    }.items()
} | {"abs": "abs", "max": "max", "min": "min", "sqrt": "math.sqrt"}  # fmt: skip


def plain(module: str, names: dict[str, str]) -> dict[str, Template]:
    """Functions of one argument that are called as such."""
    return {name: Template(f"{module}.{called}({{0}})") for name, called in names.items()}


ELEMENTARY = (
    "exp log log1p expm1 sqrt abs sign floor sin cos tan sinh cosh tanh"  # of the same name everywhere
).split()

TORCH = Backend(
    "torch",
    module="torch",
    imports=("import torch",),
    runtime="runtime_torch.py",
    forms={
        "sqrt": "torch.sqrt({0})",
        "where": "torch.where({0}, {1}, {2})",
        "vdot": "torch.sum({0} * {1})",
        "tensordot": "torch.tensordot({0}, {1}, ({2}, {3}))",
        "einsum": 'torch.einsum("{0}", {1})',
        "permute": "{0}.permute({1})",
        "flip": "{0}.flip({1})",
        "number": "torch.tensor({0}, dtype=dtype, device=device)",
        "zeros": "torch.zeros({0}, dtype=dtype, device=device)",
        "ones": "torch.ones({0}, dtype=dtype, device=device)",
        "broadcast": "torch.broadcast_to({0}, {1})",
        "arange": "torch.arange({0}, dtype=dtype, device=device)",
        "range": "torch.arange({0}, device=device)",
        "eye": "torch.eye({0}, {1}, dtype=dtype, device=device)",
        "diag": "torch.diag({0})",
        "concat": "torch.cat([{0}], {1})",
        "stack": "torch.stack([{0}])",
        "windows": "{0}.unfold({1}, {2}, 1)",
        "sum": "{0}.sum({1})",
        "max": "{0}.amax({1})",
        "min": "{0}.amin({1})",
        "cast": "{0}.to(dtype)",
        "to_int": "int({0})",
        "to_index": "{0}.long()",
        "clamp": "min(max({0}, 0), {1} - 1)",
        "clamp_index": "torch.clamp({0}, 0, {1} - 1)",
        "take": "{0}[{2}{1}]",
        "gather": "{0}[{1}]",
        "pick": "{0}[{1}]",
    },
    functions=plain("torch", {name: name for name in ELEMENTARY})
    | plain("torch", {
        "asin": "arcsin", "acos": "arccos", "atan": "arctan", "sigmoid": "sigmoid", "relu": "relu", "lgamma": "lgamma",
        "erf": "special.erf", "erfc": "special.erfc", "digamma": "digamma",
    })
    | REMAINDERS
    | COMPLEX
    | INCOMPLETE
    | HYPER
    | {
        "xlog1py": Template("torch.special.xlog1py({0}, {1})"),
        "softplus": Template("softplus({0})", ("softplus",)),
        "cross_entropy_of_logit": Template("cross_entropy_of_logit({0}, {1})", ("cross_entropy_of_logit",)),
        "silu": Template("{0} * torch.sigmoid({0})"),
        "leaky_relu": Template("torch.where({0} > 0, {0}, {1} * {0})"),
        "elu": Template("torch.where({0} > 0, {0}, {1} * torch.expm1(torch.clamp({0}, max=0)))"),
        "gelu": Template("0.5 * {0} * torch.special.erfc({0} * -0.7071067811865476)"),
        "max": Template("torch.maximum({0}, {1})"),
        "min": Template("torch.minimum({0}, {1})"),
        "clip": Template("torch.minimum(torch.maximum({0}, {1}), {2})"),
        "xlogy": Template("torch.xlogy({0}, {1})"),
        "logaddexp": Template("torch.logaddexp({0}, {1})"),
        "trigamma": Template("trigamma({0})", ("trigamma",)),
        "polygamma": Template("torch.special.polygamma({0}, {1})"),
        "gamma": Template("gamma({0})", ("gamma",)),
        "ibeta": Template("ibeta({0}, {1}, {2})", ("ibeta",)),
        "ibetac": Template("ibeta({1}, {0}, 1 - {2})", ("ibeta",)),
        "igamma": Template("torch.special.gammainc({0}, {1})"),
        "igammac": Template("torch.special.gammaincc({0}, {1})"),
        "erfcx": Template("torch.special.erfcx({0})"),
        "E1": Template("E1({0})", ("E1",)),
        "E1_scaled": Template("E1_scaled({0})", ("E1_scaled",)),
        "Ei": Template("Ei({0})", ("Ei",)),
        "zeta": Template("torch.special.zeta({0}, {1})"),
        "mod": Template("torch.remainder({0}, {1})"),
        "div": Template("torch.floor_divide({0}, {1})"),
    },
    operations={
        "inv": Template("torch.linalg.inv({0})"),
        "inv_or_nan": Template("inv_or_nan({0})", ("inv_or_nan",)),
        "det": Template("torch.linalg.det({0})"),
        "logdet": Template("torch.linalg.slogdet({0})[1]"),
        "logdet_spd": Template("logdet_spd({0})", ("logdet_spd",)),
        "logdet_remainder": Template("logdet_remainder({0}, {1})", ("logdet_remainder",)),
        "cholesky_remainder": Template("cholesky_remainder({0}, {1})", ("cholesky_remainder",)),
        "logdet_ratio": Template("logdet_ratio({0}, {1})", ("logdet_ratio",)),
        "mixed_logdet_remainder": Template("mixed_logdet_remainder({0}, {1}, {2})", ("mixed_logdet_remainder",)),
        "solve": Template("torch.linalg.solve({0}, {1})"),
        "solve_lower": Template("solve_lower({0}, {1})", ("solve_lower",)),
        "solve_lower_transposed": Template("solve_lower({0}, {1}, 1)", ("solve_lower",)),
        "inv_lower": Template("inv_lower({0})", ("inv_lower",)),
        "cholesky": Template("torch.linalg.cholesky({0})"),
        "expm": Template("torch.linalg.matrix_exp({0})"),
        "expm_frechet": Template("expm_frechet({0}, {1})", ("expm_frechet",)),
        "matpow": Template("matrix_power({0}, {1})", ("matrix_power",)),
        **{name: Template(f"{name}({{0}})", (name,)) for name in ("eigvals", "eigvecs", "sqrtm", "polar")},
        "nuclear_norm": Template("torch.linalg.svdvals({0}).sum(-1)"),
        "spectral_norm": Template("torch.linalg.svdvals({0}).amax(-1)"),
        "softmax": Template("softmax({0})", ("softmax",)),
        "log_softmax": Template("torch.log_softmax({0}, -1)"),
        "logsumexp": Template("torch.logsumexp({0}, -1)"),
    },
    noise={
        law: f"drawn_{law}(rng, {{0}}, dtype, device)"
        for law in ("normal", "uniform", "exponential", "gumbel", "logistic", "laplace")
    },
    prologue="dtype, device = {0}.dtype, {0}.device",
    alone="dtype, device = torch.get_default_dtype(), None",
    owned="{0}.clone()",
    rng="torch.Generator({0}).manual_seed(seed)",
    repeats="averaged([{0} for _ in range({1})])",
    stream="rng",
    decorator="@torch.no_grad()",
    says="value and gradients are for an optimiser of torch.optim: `params[name].grad = gradients[name]` before its "
    "`step()`. They come from formulas; the value may also be differentiated by torch.autograd.",
)  # fmt: skip

JAX = Backend(
    "jax",
    module="jnp",
    imports=("import jax", "import jax.numpy as jnp"),
    runtime="runtime_jax.py",
    forms={
        "sqrt": "jnp.sqrt({0})",
        "where": "jnp.where({0}, {1}, {2})",
        "vdot": "jnp.vdot({0}, {1})",
        "tensordot": "jnp.tensordot({0}, {1}, ({2}, {3}))",
        "einsum": 'jnp.einsum("{0}", {1})',
        "permute": "{0}.transpose({1})",
        "flip": "jnp.flip({0}, ({1},))",
        "number": "jnp.asarray({0}, dtype)",
        "zeros": "jnp.zeros({0}, dtype)",
        "ones": "jnp.ones({0}, dtype)",
        "broadcast": "jnp.broadcast_to({0}, {1})",
        "arange": "jnp.arange({0}, dtype=dtype)",
        "range": "jnp.arange({0})",
        "eye": "jnp.eye({0}, {1}, dtype=dtype)",
        "diag": "jnp.diag({0})",
        "concat": "jnp.concatenate([{0}], {1})",
        "stack": "jnp.stack([{0}])",
        "windows": "windows({0}, {1}, {2})",
        "sum": "{0}.sum({1})",
        "max": "{0}.max({1})",
        "min": "{0}.min({1})",
        "cast": "{0}.astype(dtype)",
        "to_int": "{0}.astype(int)",
        "to_index": "{0}.astype(int)",
        "clamp": "jnp.clip({0}, 0, {1} - 1)",
        "clamp_index": "jnp.clip({0}, 0, {1} - 1)",
        "take": "jnp.take({0}, {1}, axis={3}, mode=\"fill\")",
        "gather": "{0}.at[{1}].get(mode=\"fill\", fill_value=jnp.nan)",
        "pick": "{0}.at[{1}].get(mode=\"fill\", fill_value=jnp.nan)",
    },
    functions=plain("jnp", {name: name for name in ELEMENTARY})
    | plain("jnp", {"asin": "arcsin", "acos": "arccos", "atan": "arctan"})
    | plain("jax.nn", {"sigmoid": "sigmoid", "relu": "relu", "softplus": "softplus"})
    | plain("jax.scipy.special", {
        "erf": "erf", "erfc": "erfc", "lgamma": "gammaln", "digamma": "digamma", "gamma": "gamma", "E1": "exp1", "Ei": "expi",
    })
    | REMAINDERS
    | COMPLEX
    | INCOMPLETE
    | HYPER
    | {
        "xlog1py": Template("jax.scipy.special.xlog1py({0}, {1})"),
        "cross_entropy_of_logit": Template("cross_entropy_of_logit({0}, {1})", ("cross_entropy_of_logit",)),
        "silu": Template("{0} * jax.nn.sigmoid({0})"),
        "leaky_relu": Template("jnp.where({0} > 0, {0}, {1} * {0})"),
        "elu": Template("jnp.where({0} > 0, {0}, {1} * jnp.expm1(jnp.minimum({0}, 0)))"),
        "gelu": Template("0.5 * {0} * jax.scipy.special.erfc({0} * -0.7071067811865476)"),
        "max": Template("jnp.maximum({0}, {1})"),
        "min": Template("jnp.minimum({0}, {1})"),
        "clip": Template("jnp.minimum(jnp.maximum({0}, {1}), {2})"),
        "xlogy": Template("jax.scipy.special.xlogy({0}, {1})"),
        "logaddexp": Template("jnp.logaddexp({0}, {1})"),
        "trigamma": Template("jax.scipy.special.polygamma(1, {0})"),
        "polygamma": Template("jax.scipy.special.polygamma({0}, {1})"),
        "igamma": Template("jax.scipy.special.gammainc({0}, {1})"),
        "igammac": Template("jax.scipy.special.gammaincc({0}, {1})"),
        "ibetac": Template("jax.scipy.special.betainc({1}, {0}, 1 - {2})"),
        "erfcx": Template("erfcx({0})", ("erfcx",)),
        "E1_scaled": Template("E1_scaled({0})", ("E1_scaled",)),
        "ibeta": Template("jax.scipy.special.betainc({0}, {1}, {2})"),
        "zeta": Template("jax.scipy.special.zeta({0}, {1})"),
        "mod": Template("jnp.mod({0}, {1})"),
        "div": Template("jnp.floor_divide({0}, {1})"),
    },
    operations={
        "inv": Template("jnp.linalg.inv({0})"),
        "inv_or_nan": Template("jnp.linalg.inv({0})"),
        "det": Template("jnp.linalg.det({0})"),
        "logdet": Template("jnp.linalg.slogdet({0})[1]"),
        "logdet_spd": Template("logdet_spd({0})", ("logdet_spd",)),
        "logdet_remainder": Template("logdet_remainder({0}, {1})", ("logdet_remainder",)),
        "cholesky_remainder": Template("cholesky_remainder({0}, {1})", ("cholesky_remainder",)),
        "logdet_ratio": Template("logdet_ratio({0}, {1})", ("logdet_ratio",)),
        "mixed_logdet_remainder": Template("mixed_logdet_remainder({0}, {1}, {2})", ("mixed_logdet_remainder",)),
        "solve": Template("jnp.linalg.solve({0}, {1})"),
        "solve_lower": Template("solve_lower({0}, {1})", ("solve_lower",)),
        "solve_lower_transposed": Template("solve_lower({0}, {1}, 1)", ("solve_lower",)),
        "inv_lower": Template("inv_lower({0})", ("inv_lower",)),
        "cholesky": Template("jnp.linalg.cholesky({0})"),
        "expm": Template("jax.scipy.linalg.expm({0})"),
        "expm_frechet": Template("expm_frechet({0}, {1})", ("expm_frechet",)),
        "matpow": Template("matrix_power({0}, {1})", ("matrix_power",)),
        **{name: Template(f"{name}({{0}})", (name,)) for name in ("eigvals", "eigvecs", "sqrtm", "polar")},
        "nuclear_norm": Template("jnp.linalg.svd({0}, compute_uv=False).sum(-1)"),
        "spectral_norm": Template("jnp.linalg.svd({0}, compute_uv=False).max(-1)"),
        "softmax": Template("softmax({0})", ("softmax",)),
        "log_softmax": Template("jax.nn.log_softmax({0}, axis=-1)"),
        "logsumexp": Template("jax.scipy.special.logsumexp({0}, axis=-1)"),
    },
    noise={
        law: f"drawn_{law}(jax.random.fold_in(rng, {{1}}), {{0}}, dtype)"
        for law in ("normal", "uniform", "exponential", "gumbel", "logistic", "laplace")
    },
    prologue="dtype = {0}.dtype",
    alone="dtype = jnp.result_type(float)",
    owned="{0}",
    rng="jax.random.key(seed)",
    repeats="averaged([{0} for rng in jax.random.split(rng, {1})])",
    stream="jax.random.fold_in(rng, {0})",
    says="all functions may be compiled (jax.jit, with sizes as static keywords); value and gradients are for any "
    "optimiser of pytrees. Numbers are float32 unless jax_enable_x64 is set. A position that lies outside its axis "
    "gives nan.",
)  # fmt: skip

BACKENDS = {"torch": TORCH, "jax": JAX}

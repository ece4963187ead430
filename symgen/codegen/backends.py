"""The backends ▣: how each function and operation is written in NumPy.

A function without an entry here is written by the `numeric` template of its row in tensor/functions.py or
tensor/operations.py. Entries here are those that code needs in a form without overflow, or without SciPy.
"""

from __future__ import annotations

import re

from symgen.codegen.template import Template
from symgen.tensor.functions import FUNCTIONS
from symgen.tensor.operations import OPERATIONS
from symgen.text.diagnostics import CannotDerive

__all__ = ["COMPLEX", "DEFAULTS", "Template", "function_template", "operation_template"]


# real and imaginary parts of functions of a complex number, the same in every backend
COMPLEX = {
    f"{name}_{end}": Template(f"{carried}({', '.join('{%d}' % k for k in range(count))}).{part}", (carried,))
    for name, carried, count in (
        ("scaled_E1", "complex_E1", 2),
        ("polygamma", "complex_polygamma", 3),
        ("lerch", "complex_lerch", 4),
    )
    for end, part in (("re", "real"), ("im", "imag"))
}

_FUNCTIONS = {
    "sigmoid": Template("sigmoid({0})", ("sigmoid",)),
    "softplus": Template("softplus({0})", ("softplus",)),
    "cross_entropy_of_logit": Template("cross_entropy_of_logit({0}, {1})", ("cross_entropy_of_logit",)),
    "log_remainder": Template("log_remainder({0}, {1})", ("log_remainder",)),
    "expm1_remainder": Template("expm1_remainder({0})", ("expm1_remainder",)),
    "root_difference": Template("root_difference({0}, {1}, {2})", ("root_difference",)),
    "xlog1py": Template("xlog1py({0}, {1})", ("xlog1py",)),
    "kl_term": Template("kl_term({0}, {1}, {2})", ("kl_term",)),
    "log_ratio": Template("log_ratio({0}, {1}, {2})", ("log_ratio",)),
    "lgamma_rest": Template("lgamma_rest({0})", ("lgamma_rest",), ("special",)),
    "digamma_rest": Template("digamma_rest({0})", ("digamma_rest",), ("special",)),
    "besseli_scaled": Template("besseli_scaled({0}, {1})", ("besseli_scaled",), ("special",)),
    "besseli_gap": Template("besseli_gap({0}, {1})", ("besseli_gap",), ("special",)),
    "besseli_remainder": Template("besseli_remainder({0}, {1}, {2}, {3})", ("besseli_remainder",), ("special",)),
    "exact_sum_3": Template("exact_sum({0}, {1}, {2})", ("exact_sum",)),
    "exact_sum_4": Template("exact_sum({0}, {1}, {2}, {3})", ("exact_sum",)),
    "erf_gap": Template("erf_gap({0}, {1})", ("erf_gap",), ("special",)),
    "log_half_erf_gap": Template("log_half_erf_gap({0}, {1}, {2})", ("log_half_erf_gap",), ("special",)),
    "artanh_rest": Template("artanh_rest({0})", ("artanh_rest",)),
    "stirling_remainder": Template("stirling_remainder({0}, {1}, {2})", ("stirling_remainder",)),
    "lgamma_remainder": Template("lgamma_remainder({0}, {1}, {2})", ("lgamma_remainder",), ("special",)),
    "lbeta": Template("lbeta({0}, {1})", ("lbeta",), ("special",)),
    "beta": Template("beta({0}, {1})", ("beta",), ("special",)),
    "gamma_ratio": Template("gamma_ratio({0}, {1}, {2})", ("gamma_ratio",), ("special",)),
    "E1_scaled": Template("E1_scaled({0})", ("E1_scaled",), ("special",)),
    "hyp2f1": Template("hyp2f1_rest({0}, {1}, {2}, 1 - {3})", ("hyp2f1_rest",), ("special",)),
    "hyp2f1_rest": Template("hyp2f1_rest({0}, {1}, {2}, {3})", ("hyp2f1_rest",), ("special",)),
    "hyp1f1": Template("hyp1f1({0}, {1}, {2})", ("hyp1f1",), ("special",)),
    "dilog": Template("dilog({0})", ("dilog",)),
    "hyperu": Template("hyperu({0}, {1}, {2})", ("hyperu",), ("special",)),
    "inverse_mean": Template("inverse_mean({0}, {1})", ("inverse_mean",)),
    "log_hyperu": Template("log_hyperu({0}, {1}, {2})", ("log_hyperu",)),
    "log_besselk": Template("log_besselk({0}, {1})", ("log_besselk",)),
    "erfcx": Template("special.erfcx({0})", (), ("special",)),
    "igammac": Template("special.gammaincc({0}, {1})", (), ("special",)),
    "ibetac": Template("special.betainc({1}, {0}, 1 - {2})", (), ("special",)),
    **COMPLEX,
    "digammainv": Template("digammainv({0})", ("digammainv",), ("special",)),
    **{name: Template(f"{name}({{0}}, {{1}})", (name,), ("special",)) for name in ("igamma_da", "gamma_shift", "student_shift")},
    **{
        name: Template(f"{name}({{0}}, {{1}}, {{2}})", (name,), ("special",))
        for name in ("ibeta_da", "ibeta_db", "beta_shift_a", "beta_shift_b")
    },
    "relu": Template("np.maximum({0}, 0)"),
    "silu": Template("{0} * sigmoid({0})", ("sigmoid",)),
    "xlogy": Template("xlogy({0}, {1})", ("xlogy",)),
    "leaky_relu": Template("np.where({0} > 0, {0}, {1} * {0})"),
    "elu": Template("np.where({0} > 0, {0}, {1} * np.expm1(np.minimum({0}, 0)))"),
    "gelu": Template("0.5 * {0} * special.erfc({0} * -0.7071067811865476)", (), ("special",)),
    "trigamma": Template("special.polygamma(1, {0})", (), ("special",)),
    "logaddexp": Template("np.logaddexp({0}, {1})"),
}

_OPERATIONS = {
    "softmax": Template("softmax({0})", ("softmax",)),
    "log_softmax": Template("log_softmax({0})", ("log_softmax",)),
    "logsumexp": Template("logsumexp({0})", ("logsumexp",)),
    "logdet": Template("logdet({0})", ("logdet",)),
    "logdet_spd": Template("logdet_spd({0})", ("logdet_spd",)),
    "inv_or_nan": Template("inv_or_nan({0})", ("inv_or_nan",)),
    "logdet_remainder": Template("logdet_remainder({0}, {1})", ("logdet_remainder",)),
    "cholesky_remainder": Template("cholesky_remainder({0}, {1})", ("cholesky_remainder",), ("linalg",)),
    "logdet_ratio": Template("logdet_ratio({0}, {1})", ("logdet_ratio",)),
    "mixed_logdet_remainder": Template("mixed_logdet_remainder({0}, {1}, {2})", ("mixed_logdet_remainder",)),
    "solve": Template("np.linalg.solve({0}, {1})"),
    "solve_lower": Template("solve_lower({0}, {1})", ("solve_lower",), ("linalg",)),
    "solve_lower_transposed": Template("solve_lower({0}, {1}, 1)", ("solve_lower",), ("linalg",)),
    "inv_lower": Template("inv_lower({0})", ("inv_lower",), ("linalg",)),
    "matpow": Template("matrix_power({0}, {1})", ("matrix_power",)),
    **{name: Template(f"{name}({{0}})", (name,)) for name in ("eigvals", "eigvecs", "sqrtm", "polar")},
}

DEFAULTS = {"leaky_relu": ("0.01",), "elu": ("1",), "zeta": ("1",)}


def _positional(text: str, names: tuple[str, ...]) -> str:
    """{x} and {y} as {0} and {1}."""
    places = {name: str(k) for k, name in enumerate(names)}
    return re.sub(r"\{(\w+)\}", lambda m: "{" + places[m[1]] + "}", text)


def function_template(name: str) -> Template:
    """How `name` is written in NumPy."""
    own = _FUNCTIONS.get(name)
    if own is not None:
        return own
    row = FUNCTIONS.get(name)
    if row is None:
        raise CannotDerive(f"`{name}` is not known as numbers", None, "symgen/tensor/functions.py")
    text = _positional(row.numeric, row.arguments)
    return Template(text, (), _imports(text))


def operation_template(name: str) -> Template:
    """How the operation `name` is written in NumPy."""
    own = _OPERATIONS.get(name)
    if own is not None:
        return own
    row = OPERATIONS.get(name)
    if row is None or not row.numeric:
        raise CannotDerive(f"the operation `{name}` is not known as numbers", None, "symgen/tensor/operations.py")
    text = _positional(row.numeric, tuple(row.operands))
    return Template(text, (), _imports(text))


def _imports(text: str) -> tuple[str, ...]:
    found = ["special"] if re.search(r"(?<![\w.])special\.", text) else []
    if re.search(r"(?<![\w.])linalg\.", text):
        found.append("linalg")
    return tuple(found)

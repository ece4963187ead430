"""Random laws of the table, for claims over all of them."""

import numpy as np

from symgen.probability.families.distributions import FAMILIES, ROWS
from symgen.probability.laws.joint import inline
from symgen.probability.laws.law import make_law
from symgen.tensor.expression import tensor, var

UNIVARIATE = [r for r in ROWS if r.is_univariate and not r.shapes]
DOMAINS = ("positive", "unit", "natural", "integer")
RANGES = {  # the first law's parameters lie high, so that its means exist well within their conditions
    "first": {"real": (-1.5, 1.5), "positive": (4.2, 5.6), "unit": (0.2, 0.8)},
    "second": {"real": (-1.5, 1.5), "positive": (0.3, 0.7), "unit": (0.2, 0.8)},
}


def parameters(row, rng, place="first"):
    """Unequal numbers in the domains of the row, none of them 0 or 1."""
    out = {}
    for name, domain in row.parameters.items():
        if domain in ("natural", "integer"):
            out[name] = float(rng.integers(2, 6))
        else:
            out[name] = rng.uniform(0.6, 1.6) if name == "kappa" else rng.uniform(*RANGES[place][domain])
    if row.name == "Triangular":
        out.update(b=out["a"] + rng.uniform(1, 2))
        out["c"] = out["a"] + rng.uniform(0.2, 0.8)
    elif row.name == "TruncatedExponential":
        out["b"] = out["a"] + rng.uniform(0.5, 2)
    elif row.name == "Hypergeometric":
        out.update(N=float(rng.integers(9, 12)))
    elif row.order:
        low, high = row.order.split(" ")[::2]
        out[high] = out[low] + (float(rng.integers(2, 5)) if row.parameters[low] == "integer" else rng.uniform(0.5, 2))
    return out


def drawn(family, rng, *shape, **parameters):
    """A draw by the NumPy sampler of a row; `shape` is its whole shape, the axes of one draw with it."""
    row = FAMILIES[family]
    batch = shape[: len(shape) - row.own_rank]
    code = row.sampler.format(**{name: name for name in parameters}, shape=repr(shape), batch=repr(batch))
    return eval(code, {"np": np, "rng": rng, **parameters})  # the template of the table, no text of a user


def symbolic(row, suffix):
    """A law over variables, and the variables by parameter."""
    names = {n: var(n + suffix, (), d if d in DOMAINS else "real") for n, d in row.parameters.items()}
    return make_law(row.name, list(names.values())), names


def reference(law, name="x"):
    return inline(law, name)


def at(*pairs):
    """The values of a point: each pair is (variables by parameter, numbers by parameter)."""
    return {v: np.float64(numbers[n]) for variables, numbers in pairs for n, v in variables.items()}


def scalar(v):
    return tensor((), v)

"""Claims about densities that are not known are tested on random finite tables."""

from __future__ import annotations

import pytest

import symgen
from symgen.model.elaborate import elaborate
from symgen.model.reduce import reduce
from symgen.tensor.expression import Array
from symgen.text.diagnostics import CannotDerive
from symgen.text.parse import parse_spec
from symgen.verify.chain import compare_values

GAN = """
dim d
density p(x: real[d]), q(x: real[d])
function D(x): unit
let left = {left}
let right = {right}
"""
LATENT = """
density p(x, z), q(z | x)
data xs: real
function f(x): real
let left = {left}
let right = {right}
"""
GAN_CLAIMS = """
KL(p || q) = E[x ~ p](log p(x) - log q(x)) | E[x ~ p](log q(x) - log p(x))
E[x ~ p](log(p(x)/(p(x) + q(x)))) + E[x ~ q](log(q(x)/(p(x) + q(x)))) = 2*JS(p, q) - log(4) | 2*JS(p, q) - log(2)
E[x ~ p](log(D(x))) + E[x ~ q](log(1 - D(x))) = E[x ~ p](log(D(x)) + q(x)/p(x)*log(1 - D(x))) | E[x ~ p](log(D(x)) + log(1 - D(x)))
entropy(p) = -E[x ~ p](log p(x)) | E[x ~ p](log p(x))
E[x ~ p](q(x)/p(x)) = 1 | 2
cross_entropy(p, q) = entropy(p) + KL(p || q) | entropy(q) + KL(p || q)
E[x ~ p](D(x)^2) - E[x ~ p](D(x))^2 = Var[x ~ p](D(x)) | Var[x ~ q](D(x))
0 <= KL(p || q) | -KL(p || q)
E[x ~ p](log(D(x))) <= log(E[x ~ p](D(x))) | 2*log(E[x ~ p](D(x)))
"""
LATENT_CLAIMS = """
E[x, z ~ p](log p(z | x)) - E[x, z ~ p](log p(x | z)) = E[x, z ~ p](log p(z) - log p(x)) | E[x, z ~ p](log p(x) - log p(z))
E[z ~ q(z | xs)](p(xs | z)*p(z)/q(z | xs)) = p(xs) | log p(xs)
E[z ~ q(z | xs)](log p(xs, z) - log q(z | xs)) <= log p(xs) | log p(xs) - 1
"""


def table(text: str) -> list[tuple[str, str, str, str]]:
    out = []
    for line in text.strip().splitlines():
        true, wrong = line.rsplit(" | ", 1)
        op = " <= " if " <= " in true else " = "
        left, right = true.split(op)
        out.append((left.strip(), op.strip(), right.strip(), wrong.strip()))
    return out


def values(spec: str) -> dict[str, Array]:
    model, _ = elaborate(parse_spec(spec))
    out = {}
    for name, array in model.lets.items():
        try:
            out[name] = reduce(array, None, {}).array
        except CannotDerive:
            out[name] = array
    return out


@pytest.mark.parametrize(("spec", "claim"), [(GAN, c) for c in table(GAN_CLAIMS)] + [(LATENT, c) for c in table(LATENT_CLAIMS)])
def test_true_claims_hold_and_near_misses_are_refuted(spec: str, claim: tuple[str, str, str, str]) -> None:
    left, op, right, wrong = claim
    v = values(spec.format(left=left, right=right))
    found = compare_values(v["left"], v["right"], op)
    assert found.status in ("proved", "checked"), found
    v = values(spec.format(left=left, right=wrong))
    missed = compare_values(v["left"], v["right"], op)
    assert missed.status == "refuted", missed


def test_the_counterexample_shows_the_probabilities() -> None:
    v = values(GAN.format(left="KL(p || q)", right="KL(q || p)"))
    found = compare_values(v["left"], v["right"], "=").counterexample
    assert found is not None and set(found.values) >= {"p", "q"}
    assert abs(sum(found.values["p"]) - 1) < 1e-12


@pytest.mark.parametrize(
    ("claim", "true"),
    [
        ("JS(f, h) <= 1/2", False),
        ("JS(f, h) <= log(2)", True),
        ("KL(f || h) <= 5", False),
        ("tv(f, h) <= 2/3", False),
        ("tv(f, h) <= 1", True),
        ("hellinger(f, h) <= 2/3", False),
        ("JS(f, h) <= tv(f, h)*log(2)", True),
        ("renyi(f, h, 1/2) >= KL(f || h)", False),
        ("KL(f || h) >= -2*log(1 - hellinger(f, h))", True),
        ("KL(f || h) + KL(h || f) >= 4*JS(f, h)", True),
    ],
)
def test_bounds_between_divergences_are_tried_on_densities_that_lie_far_apart(claim: str, true: bool) -> None:
    v = symgen.loads("density f(x), h(x)").check(claim)
    assert v.holds == true and (true or v.status == "refuted")

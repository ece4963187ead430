"""What lies outside its declared domain is refused with its name, by `evaluate` and by the training of a module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symgen
from symgen.codegen.runtime import belonging, within
from symgen.tensor.domains import DOMAINS

SHAPES = {0: (4,), 1: (3, 4), 2: (3, 3)}
HALF = {"label", "natural", "integer", "binary"}


def spoiled(name: str, x: Any) -> list[Any]:
    """Points next to x that leave the domain: of another sign, no whole number, of another sum, of another symmetry."""
    tried: list[Callable[[Any], Any]] = [
        lambda x: -x,
        lambda x: x + 0.5,
        lambda x: 1.5 * x,
        lambda x: x + np.arange(x.size).reshape(x.shape),
        lambda x: x * np.nan,
    ]
    return [y for y in (f(x) for f in tried) if not DOMAINS[name].contains(y, [4]) or np.isnan(y).any()]


@pytest.mark.parametrize("name", DOMAINS)
def test_points_of_a_domain_pass_and_others_are_named(name: str) -> None:
    row = DOMAINS[name]
    rng = np.random.default_rng(3)
    top = 4 if name == "label" else None
    for scale in (0, 1, 2):
        x = np.asarray(row.sample(rng, SHAPES[row.structure], scale, [4]), dtype=float)
        within("x", x, name, top)
        within("x", x.astype(np.float32), name, top)
        words, belongs = belonging(name, x, top)
        assert words and np.shape(belongs) == x.shape[: x.ndim - row.structure]
        assert len(spoiled(name, x)) >= (1 if name == "real" else 2)
        for y in spoiled(name, x):
            with pytest.raises(ValueError, match="`x"):
                within("x", y, name, top)


@pytest.mark.parametrize("name", [name for name in DOMAINS if name != "real"])
def test_evaluate_and_train_refuse_what_leaves_its_domain(name: str) -> None:
    row = DOMAINS[name]
    shape = {0: "[n]", 1: "[n, k]", 2: "[k, k]"}[row.structure]
    declared = "label(k)" if name == "label" else name
    m = symgen.loads(
        f"dim n, k\ndata A: {declared}{shape}, M: real[k]\nconst lam: positive = 1/2\nparam w: real = 1/3\n"
        "loss L = w*sum(A) + lam*w^2 + w*sum(M)\ntrain L with sgd(lr=0.01), steps=2\n"
    )
    x = np.asarray(row.sample(np.random.default_rng(4), SHAPES[row.structure], 1, [4]), dtype=float)
    data = {"A": x, "M": np.ones(x.shape[-1] if row.structure else 4)}
    d, module = m.derive("L"), m.compile()
    want = x.sum() / 3 + 0.5 / 9 + data["M"].sum() / 3
    assert d.evaluate(w=1 / 3, **data) == pytest.approx(want)
    assert np.isfinite(module.train(data)["w"])
    for y in spoiled(name, x):
        with pytest.raises(symgen.DataError, match="`A"):
            d.evaluate(w=1 / 3, A=y, M=data["M"])
        with pytest.raises(ValueError, match="`A"):
            module.train({"A": y, "M": data["M"]})
    for lam in (0.0, -1.0, np.inf):
        with pytest.raises(symgen.DataError, match=r"`lam` is .* number"):
            d.evaluate(w=1 / 3, lam=lam, **data)
        with pytest.raises(ValueError, match=r"`lam` is .* number"):
            module.train(data, lam=lam)


def test_a_name_that_the_module_uses_may_be_a_name_of_the_spec() -> None:
    m = symgen.loads(
        "dim n, k\ndata shown: label(k)[n], s: real[n]\nparam W: real[k] = ones\nloss L = sum(shown*s) + norm(W)^2\n"
        "train L with sgd(lr=0.1), steps=1\n"
    )
    data = {"shown": np.array([0.0, 2.0]), "s": np.ones(2)}
    assert m.compile().train(data, k=3)["W"].shape == (3,)
    with pytest.raises(ValueError, match=r"`shown\[1\]` is 2, and should be a label, one of 0 .. 1"):
        m.compile().train(data, k=2)


def test_a_module_takes_names_as_the_author_spelled_them() -> None:
    m = symgen.loads(
        "dim n\ndata ﬁ: real[n], μ_0: real\nparam λ: real = 1, 𝒙: real = 2, Σ: positive = 2\nconst π: real = 2\n"
        "loss L = sum((ﬁ - λ*𝒙)^2) + μ_0*λ*π*Σ\ntrain L with sgd(lr=0.01), steps=2\n"
    )
    module = m.compile()
    as_written = {"λ": 1.0, "𝒙": 2.0, "Σ": 1.0}, {"ﬁ": np.ones(3), "μ_0": 1.0}
    as_words = {"lambda": 1.0, "x": 2.0, "Sigma": 1.0}, {"fi": np.ones(3), "mu_0": 1.0}
    assert module.L_value_and_grad(*as_written) == module.L_value_and_grad(*as_words)
    assert module.train(as_written[1], as_written[0]) == module.train(as_words[1], as_words[0])
    assert module.train(as_written[1], seed=1) == module.train(as_words[1], seed=1)
    assert "SPELLINGS" not in symgen.loads("param lambda: real = 1\nloss L = lambda^2").generate()

"""Layers that are alike are swept once: what is read off for the others is what a sweep of their own gives."""

from __future__ import annotations

import pytest

import symgen
from symgen.calculus import reverse

LAYERS = {
    "tanh": "tanh({p} @ {W} + {b})",
    "residual": "{p} + sigmoid({p} @ {W} + {b})",
    "rectifier": "relu({p} @ {W} + {b})",
    "leaky": "where({p} @ {W} > 0, {p} @ {W}, 0.1*({p} @ {W})) + {b}",
    "norm": "layernorm({p} @ {W} + {b})",
    "root": "sqrt(1 + ({p} @ {W})^2) - {b}",
    "attention": "softmax({p} @ {W} @ {p}'/sqrt(d)) @ {p} + {b}",
}


def program(layer: str, domain: str, shared: bool) -> str:
    lines = ["dim n, d", "data X: real[n, d], Y: real[n, d]"]
    lines += [f"param W{k}: {domain}[d, d], b{k}: real[d]" for k in range(1 if shared else 4)]
    before = "X"
    for k in range(4):
        own = 0 if shared else k
        lines.append(f"let H{k} = " + layer.format(p=before, W=f"W{own}", b=f"b{own}"))
        before = f"H{k}"
    return "\n".join([*lines, f"loss L = mean(({before} - Y)^2)"]) + "\n"


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("domain", ["real", "symmetric"])
@pytest.mark.parametrize("layer", LAYERS)
def test_what_is_read_off_is_what_a_sweep_gives(layer: str, domain: str, shared: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    text = program(LAYERS[layer], domain, shared)
    asked = ["grad(L, W0)", "grad(L, b0)", "grad(L, X)"]
    read_off = symgen.loads(text)
    found = [read_off.derive(goal) for goal in asked]
    monkeypatch.setattr(reverse, "pattern_of", lambda *_: None)
    swept = symgen.loads(text)
    for goal, d in zip(asked, found, strict=True):
        own = swept.derive(goal)
        assert d.array is own.array, goal
        assert d.evidence.kind in ("proved", "checked") and d.evidence.conditions == own.evidence.conditions

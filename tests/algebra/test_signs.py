"""A sign beside a power of the absolute value becomes a power: the values stay, at 0 too where there is one."""

import numpy as np
import pytest

import symgen

SHORT = {
    "sign(q)/abs(q)": "1/q",
    "abs(q)*sign(q)": "q",
    "sign(q)*abs(q)^2": "q*abs(q)",
    "sign(q)^2*abs(q)^3": "abs(q)^3",
    "sign(q)^2/abs(q)^2": "1/q^2",
    "sign(q)*abs(q)^5/3": "q^5/3",
    "grad(log(abs(q)), q)": "1/q",
    "grad(abs(q)^4, q)": "4*q^3",
    "grad(abs(q)^3, q)": "3*q*abs(q)",
}


@pytest.mark.parametrize("goal", SHORT)
def test_signs_are_joined_with_sizes(goal):
    m = symgen.loads("param q: real")
    d = m.derive(goal)
    assert d.text_result == SHORT[goal] and d.evidence.kind in ("checked", "proved")
    for q in (-1.7, 0.4):
        if goal.startswith("grad"):
            f = {"grad(log(abs(q)), q)": lambda x: np.log(abs(x)), "grad(abs(q)^4, q)": lambda x: x**4,
                 "grad(abs(q)^3, q)": lambda x: abs(x) ** 3}[goal]  # fmt: skip
            assert d.evaluate(q=q) == pytest.approx((f(q + 1e-6) - f(q - 1e-6)) / 2e-6, rel=1e-8)
        else:
            plain = eval(goal.replace("^", "**"), {"sign": np.sign, "abs": abs, "q": q})
            assert d.evaluate(q=q) == pytest.approx(plain, rel=1e-14)


def test_no_subgradient_is_claimed_at_a_pole():
    conditions = symgen.loads("param q: real").derive("grad(log(abs(q)), q)").evidence.conditions
    assert conditions and not any("subgradient" in c for c in conditions)

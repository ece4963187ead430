"""The mean of log(1 + ((x - v)/w)^2), the divergence from laws of thin tails to Cauchy and StudentT, and its functions."""

import mpmath
import numpy as np
import pytest

import symgen

AT = {"m": 0.3, "s": 0.7, "a": 1.6, "u": -0.4, "c": 1.3, "n": 2.4}
HEAD = "param m: real, s: positive, a: positive, u: real, c: positive, n: positive\n"
LAWS = {  # density, where it lives, where it breaks
    "Laplace(m, s)": (lambda x: mpmath.exp(-abs(x - 0.3) / 0.7) / 1.4, [-40, 0.3, 40]),
    "AsymmetricLaplace(m, s, a)": (
        lambda x: 0.7 / (1.6 + 1 / 1.6) * mpmath.exp(-0.7 * (x - 0.3) * (1.6 if x > 0.3 else -1 / 1.6)), [-90, 0.3, 50]),
    "Logistic(m, s)": (lambda x: mpmath.sech((x - 0.3) / 1.4) ** 2 / 2.8, [-35, 0.3, 35]),
    "Exponential(s)": (lambda x: 0.7 * mpmath.exp(-0.7 * x), [0, 5, 80]),
    "Pareto(s, a)": (lambda x: 1.6 * mpmath.mpf(0.7) ** 1.6 / x**2.6, [0.7, 3, 30, mpmath.inf]),
    "Lomax(a, s)": (lambda x: 1.6 / 0.7 * (1 + x / 0.7) ** -2.6, [0, 3, 30, mpmath.inf]),
}  # fmt: skip
TARGETS = {
    "Cauchy(u, c)": lambda x: 1 / (mpmath.pi * 1.3 * (1 + ((x + 0.4) / 1.3) ** 2)),
    "StudentT(n, u, c)": lambda x: mpmath.gamma(1.7) / mpmath.gamma(1.2) / mpmath.sqrt(mpmath.pi * 2.4) / 1.3
    * (1 + ((x + 0.4) / 1.3) ** 2 / 2.4) ** -1.7,
}  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("law", LAWS)
def test_divergence_from_thin_tails_to_thick_ones_is_that_of_quadrature(law, target):
    p, places = LAWS[law]
    q = TARGETS[target]
    with mpmath.workdps(18):
        want = mpmath.quad(lambda x: p(x) * mpmath.log(p(x) / q(x)), places)
    model = symgen.loads(f"{HEAD}dist p(x) = {law}\ndist q(x) = {target}")
    d = model.derive("KL(p || q)")
    assert d.evaluate(**AT) == pytest.approx(float(want), rel=1e-10)
    assert "E[" not in d.text_result


@pytest.mark.parametrize("law, by", [("Laplace(m, s)", "s"), ("Logistic(m, s)", "u"), ("Pareto(s, a)", "a"), ("Pareto(s, a)", "c")])
def test_its_slope_is_a_difference(law, by):
    model = symgen.loads(f"{HEAD}dist p(x) = {law}\ndist q(x) = Cauchy(u, c)")
    value, slope = model.derive("KL(p || q)"), model.derive(f"grad(KL(p || q), {by})")
    h = 1e-5
    difference = (value.evaluate(**AT | {by: AT[by] + h}) - value.evaluate(**AT | {by: AT[by] - h})) / (2 * h)
    assert slope.evaluate(**AT) == pytest.approx(difference, rel=1e-7)


POINTS = {
    "scaled_E1": (lambda z: mpmath.exp(z) * mpmath.e1(z), [(), ()]),
    "polygamma": (lambda z, n: mpmath.polygamma(n, z), [(0,), (3,)]),
    "lerch": (lambda z, s, a: mpmath.hyp2f1(1, a, a + 1, z) / a if s == 1 else mpmath.lerchphi(z, s, a), [(1, 2.35), (1, 40.0)]),
}  # fmt: skip


@pytest.mark.parametrize("target", ["numpy", pytest.param("jax", marks=pytest.mark.slow), "torch"])
def test_parts_of_complex_functions_keep_their_digits_in_code(target):
    if target != "numpy":
        pytest.importorskip(target)
    rng = np.random.default_rng(3)
    size, angle = np.exp(rng.uniform(-9, 7, 24)), rng.uniform(-1, 1, 24) * np.pi * (1 - 1e-3)
    x, y = size * np.cos(angle), size * np.sin(angle)
    names, wanted = [], []
    text = "dim n\ndata x: real[n], y: real[n]\n"
    for name, (f, heads) in POINTS.items():
        for k, head in enumerate(heads[: 2 if target == "numpy" else 1]):
            first = ", ".join(map(str, head)) + (", " if head else "")
            for part in ("re", "im"):
                at = "abs(x)" if name == "polygamma" else "x"
                text += f"let {name}_{part}{k} = {name}_{part}({first}{at}, y)\nderive d_{name}_{part}{k} = {name}_{part}{k}\n"
                names.append(f"d_{name}_{part}{k}")
                with mpmath.workdps(25):
                    values = [f(mpmath.mpc(abs(a) if name == "polygamma" else a, b), *head) for a, b in zip(x, y, strict=True)]
                wanted.append((values, part))
    module = symgen.loads(text).compile(target=target)
    if target == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)
        arrays = {"x": jax.numpy.asarray(x), "y": jax.numpy.asarray(y)}
    elif target == "torch":
        import torch

        arrays = {"x": torch.tensor(x), "y": torch.tensor(y)}
    else:
        arrays = {"x": x, "y": y}
    for name, (values, part) in zip(names, wanted, strict=True):
        got = np.asarray(getattr(module, name)({}, arrays))
        want = np.array([float(v.real if part == "re" else v.imag) for v in values])
        assert np.abs(got - want).max() <= 1e-13 * np.max(np.abs(want)), name
        near = np.array([float(abs(v)) for v in values])
        assert (np.abs(got - want) <= 2e-13 * near).all(), name

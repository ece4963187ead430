"""The pages of marginals, evidences and posteriors: how what nobody has seen goes out is told, and each line is true."""

import re

import pytest

import symgen

HEAD = """
dim n, k, d
data c: binary[n], l: natural[n], X: real[n, d], y: real[n]
param w: simplex[k], mu: real[k], s: positive[k], a: positive, b: positive
dist p(z) = Categorical(w)
dist p(x | z) = Normal(mu[z], s[z])
dist B(t) = Beta(a, b)
dist B(c | t) = Bernoulli(t)
dist N(m) = Normal(a, b)
dist N(u | m) = Normal(m, 1)
dist N(v | m) = Normal(m, 2)
dist R(q) = MvNormal(0, eye(d)/a)
dist R(y | q) = Normal(X @ q, sqrt(b))
dist T(r) = Gamma(a, b)
dist T(h | r) = Normal(0, r^(-1/2))
"""
TOLD = {
    "log p(x)": ["log(E[z ~ p(z)](p(x | z)))", "total probability", "summed over `z`"],
    "log p(z | x)": ["log p(z) + log p(x | z) - log p(x)", "Bayes' rule", "a Categorical"],
    "log B(c)": ["log B(t) + log B(c | t) - log B(t | c)", "whatever `t` is", "a Beta", "`t` cancels"],
    "log T(h)": ["log T(r | h)", "a Gamma", "`r` cancels"],
    "log N(u)": ["N(u) = Normal(a, sqrt(b^2 + 1))", "linear in `m`", "its density"],
    "log N(v | u)": ["N(v | u) = Normal((b^2*u + a)/(b^2 + 1)", "all given `u`"],
    "log N(u, v)": ["log N(m | u, v)", "a Normal", "`m` cancels"],
    "log R(y)": ["R(y) = MvNormal(zeros(n), X @ X'/a + b*eye(n))", "linear in `q`"],
    "marginal(T, h)": ["E[r ~ T(r)](T(h | r))", "recognised: a StudentT"],
}


@pytest.fixture(scope="module")
def model():
    return symgen.loads(HEAD)


@pytest.mark.parametrize("goal", TOLD)
def test_what_is_not_seen_goes_out_in_steps(model, goal):
    d = model.derive(goal)
    text = re.sub(r"\s+", " ", d.text())
    assert all(re.sub(r"\s+", " ", words) in text for words in TOLD[goal]), text
    assert d.evidence.kind in ("proved", "checked")


@pytest.mark.parametrize("goal", ["log B(c)", "log p(z | x)", "log p(x)"])
def test_each_line_is_true_as_a_claim(model, goal):
    text = model.derive(goal).text().split("Derivation\n──────────")[1].split("using")[0].split("Result\n──")[0]
    text = re.sub(r"\s*\n\s{6}\s*([-+] )", r" \1", text)  # lines that were broken
    sides = [re.sub(r"\s{3,}\(.*", "", part).strip() for part in re.split(r"(?:^|\n)\s*(?:log [^=]*)?= ", text)[1:]]
    sides = [re.sub(r"\n\s+\(.*", "", side, flags=re.S).translate({ord("μ"): "mu", ord("π"): "pi"}) for side in sides]
    assert len(sides) >= 2
    for side in sides:
        assert model.check(f"{goal} = {side}").holds, side
    assert not model.check(f"{goal} = {sides[0]} + 1").holds

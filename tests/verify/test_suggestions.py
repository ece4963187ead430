"""What is suggested for a wrong step is put into the text, and the claim is checked again: then it has to hold."""

from __future__ import annotations

import re

import pytest

import symgen

HEAD = """
dim n, d, k
data X: real[n, d], y: real[n], M: binary[n, d], R: real[n, d]
param w: real[d], U: real[n, k], V: real[d, k], s: positive[d], m: real[d], S: spd[d, d], a: positive, b: real, Q: real[d, d]
const lam: positive = 1/2, tau: positive = 2
let r = X @ w - y
let P = U @ V'
let t = X @ w
let h = tanh(t)
loss L = r @ r/(2*n) + lam*(w @ w)/2
loss F = sum(M*(R - P)^2)/2
loss G = sum((h - y)^2)/2
dist q(z) = Normal(m, s)
dist p(z) = Normal(zeros(d), tau)
density f(x), g(x)
"""
# a claim of which one step is wrong, and the line of that step
WRONG = {
    "a sign": ("grad(L, w) = X' @ r/n - lam*w", 1),
    "a mean": ("grad(L, w) = X' @ r + lam*w", 1),
    "a factor": ("grad(r @ r, w) = X' @ r", 1),
    "a factor too many": ("grad(r @ r/2, w) = 2*X' @ r", 1),
    "a mask lost": ("grad(F, U) = (M*(P - R)) @ V = (P - R) @ V", 2),
    "a weight lost": ("grad(lam*(w @ w)/2, w) = w", 1),
    "a transpose": ("grad(b*tr(S @ (X' @ X) @ Q), Q) = b*(S @ X' @ X)' = b*S @ X' @ X", 2),
    "what went in for what came out": ("grad(G, w) = X' @ ((h - y)*(1 - t^2))", 1),
    "a log": ("logdet(S) = det(S)", 1),
    "an inverse": ("grad(logdet(S), S, form=free) = S", 1),
    "a size": ("KL(q || p) = sum(s^2 + m^2)/(2*tau^2) - d/2 - sum(log(s)) + log(tau)", 1),
    "a power": ("KL(q || p) = sum(s + m^2)/(2*tau^2) - d/2 - sum(log(s)) + d*log(tau)", 1),
    "an order": ("KL(f || g) = KL(g || f)", 1),
    "a quotient": ("log(a) - log(tau) = log(tau/a)", 1),
    "a relation": ("KL(f || g) <= 0", 1),
    "Jensen": ("log(E[x ~ f](g(x)/f(x))) <= E[x ~ f](log(g(x)/f(x)))", 1),
    "the second of three": ("(a + b)^2 = a^2 + 2*a*b + b^2\n    = a^2 + a*b + b^2\n    = a*(a + b) + b^2", 2),
}


def steps_of(claim: str) -> list[str]:
    return re.split(r"(?<=[^<>=!~])(?=\s(?:=|<=|>=)\s)", claim)


@pytest.mark.parametrize("name", WRONG)
def test_a_suggestion_makes_the_claim_hold(name: str) -> None:
    claim, wrong = WRONG[name]
    m = symgen.loads(HEAD)
    v = m.check(claim, 60)
    assert v.status == "refuted"
    assert [s.status == "refuted" for s in v.steps].index(True) == wrong - 1
    suggestion = v.steps[wrong - 1].suggestion
    assert suggestion is not None, "these slips are small"
    after, before = re.fullmatch(r"`(.*)` for `(.*)`", suggestion).groups()  # type: ignore[union-attr]
    parts = steps_of(claim)
    step = " ".join(parts[wrong].split())
    places = [
        i for i in range(len(step)) if re.match(rf"(?<!\w){re.escape(before)}(?!\w)", step[i:]) and not step[:i][-1:].isalnum()
    ]
    assert places, "what is to be replaced stands in the step"
    mended = ["".join(parts[:wrong]) + " " + step[:i] + after + step[i + len(before) :] for i in places]
    assert any(m.check(text).holds for text in mended), (suggestion, mended)


# a right line behind a wrong one: not to be spoilt
SPARED = [
    ("grad(F, U) = (M*(P - R)) @ V = (P - R) @ V = (M*(P - R)) @ V", 3),
    ("grad(L, w) = X' @ r/n = X' @ r/n + lam*w", 2),
    ("(a + b)^2 = a^2 + b^2 = a^2 + 2*a*b + b^2", 2),
    ("log(a*tau) = log(a) - log(tau) = log(a) + log(tau) = log(tau) + log(a)", 2),
]


@pytest.mark.parametrize(("claim", "right"), SPARED)
def test_a_right_line_behind_a_wrong_one_is_not_spoilt(claim: str, right: int) -> None:
    v = symgen.loads(HEAD).check(claim, 60)
    assert v.steps[right - 1].status == "refuted" and v.steps[right - 1].suggestion is None
    notes = v.steps[right - 1].diagnostic.notes
    assert any("which was right" in note for note in notes)


def test_facts_are_listed_as_they_were_declared() -> None:
    m = symgen.loads("dim d\nparam s: positive[d], t: nonnegative\ndist q(z) = Normal(zeros(d), s)\n")
    for claim, fact in [
        ("E[z ~ q](z @ z) = sum(s^2)", ""),
        ("sqrt(s^2) = s", "s > 0"),
        ("sqrt(t^2) = t", "t >= 0"),
        ("log(s^2) = 2*log(s)", "s > 0"),
    ]:
        v = m.check(claim)
        assert v.status == "proved" and set(v.evidence.conditions) <= {fact}, (claim, v.evidence.conditions)

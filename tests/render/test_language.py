"""Trees print as the text that they were parsed from, but for spaces and needless brackets."""

from pathlib import Path

import pytest

import symgen
from symgen.render.language import unparse
from symgen.text.parse import parse_claim, parse_expression, parse_spec

ZOO = sorted((Path(symgen.__file__).parent / "zoo").rglob("*.sg"))
EXPRESSIONS = """
-x^2 | (-x)^2 | 2^(-1) | a - (b - c) | a/(b*c) | a/b*c | (a @ b)*c | a @ (b*c) | not (a < b and c < d) | a @ b*c
where(not x > 0, 1, 2) | (a*b) @ c | a*(b*c) | (a^b)^c | a^b^c | (a + b)' | a'^2 | f(x | z)* | log p(x | z)*
KL(q || p)* | E[z ~ q(z | x)](f)* | sum[i: n, j](A[i, j]) | x[1:] | x[::2] | x[a:b:2] | A[:, None] | [a, b] | 0.1
integral[x: 0..inf](exp(-x)) | argmin(f, x, subject_to=[sum(pi) = 1]) | a <= b < c | 1e-3*x | -(a + b) | -a*b | (-a)*b
a - (-b) | x'' | (-x)' | 2*(-3) | a or b and c | (a or b) and c | 1/2*x | a//b | sum[t: 1..T](x[t - 1]) | inv(A)'
E[x ~ p, y ~ q](f(x)) | A[0]' | a @ (b @ c) | x^(1/2) | -x' | sum(x, axis=[0, 1], keepdims=True) | grad(L, w) @ v
"""


def expressions():
    for line in EXPRESSIONS.strip().splitlines():
        # a bar with spaces parts two expressions, but for those marked with a star
        text = ""
        for piece in line.split(" | "):
            text = f"{text} | {piece}" if text else piece
            if text.count("(") == text.count(")") and text.count("[") == text.count("]"):
                yield text.rstrip("*").strip()
                text = ""


@pytest.mark.parametrize("text", list(expressions()))
def test_an_expression_prints_as_it_was_written(text):
    assert unparse(parse_expression(text)) == text


@pytest.mark.parametrize("path", ZOO, ids=lambda p: p.stem)
def test_a_spec_means_the_same_when_it_is_printed(path):
    spec = parse_spec(path.read_text(encoding="utf-8"))
    again = parse_spec(unparse(spec))
    assert again.statements == spec.statements


def test_claims_print_with_their_reasons():
    claim = parse_claim('a: f(x) >= g(x) "Jensen\'s" propto[z] h(x, z)')
    assert unparse(claim).splitlines()[0] == "claim a: f(x)"
    assert parse_spec(unparse(claim)).statements[0] == claim

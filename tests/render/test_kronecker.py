"""What has Kronecker form is printed in it: products and sums of Kronecker products, their derivatives, vec of products."""

import pytest

import symgen

MODEL = symgen.loads(
    """
dim n, m
param A: real[n, n], B: real[n, n], C: real[n, m], D: real[m, m], F: real[m, m], X: real[n, m]
param x: real[n], y: real[n], c: real[m], t: real
"""
)
PRINTED = """
d(kron(A + t*B, D + t*F), t) | kron(B, t*F + D) + kron(t*B + A, F)
d(kron(A + t*B, D) @ kron(A, D), t) | kron(B @ A, D @ D)
d(d(kron(A + t*B, D + t*F), t), t) | 2*kron(B, F)
d(kron(x + t*y, c), t) | kron(y, c)
d(kron(t*A, D) @ vec(X'), t) | vec(D @ X' @ A')
d(kron(expm(t*A), D), t) | kron(A @ expm(t*A), D)
kron(A, eye(m)) + kron(eye(n), D) | kron(A, eye(m)) + kron(eye(n), D)
kron(A @ B, D @ F) | kron(A @ B, D @ F)
kron(C, A*B) | kron(C, A*B)
"""


@pytest.mark.parametrize("line", PRINTED.strip().splitlines())
def test_kronecker_products_keep_their_form(line):
    goal, printed = line.split(" | ")
    derived = MODEL.derive(goal)
    assert derived.text_result == printed
    assert MODEL.check(f"{goal} = {printed}").status == "proved"
    assert derived.evidence.kind in ("checked", "proved")

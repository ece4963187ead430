r"""An index that stands in a \delta alone on one side is as long as it is on the others."""

import pytest

import symgen

SPEC = "dim n, m\nparam A: real[n, m], x: real[m], z: real[m]\nlet y = A @ x\nlet p = softmax(z)\n"
CLAIMS = [
    (r"\frac{\partial x_i}{\partial x_j} = \delta_{ij}", "proved"),
    (r"\frac{\partial y_i}{\partial A_{jk}} = \delta_{ij} x_k", "proved"),
    (r"\frac{\partial y_i}{\partial A_{jk}} = -\delta_{ij} x_k", "refuted"),
    (r"\frac{\partial p_i}{\partial z_j} = p_i(\delta_{ij} - p_j) = \delta_{ij} p_i - p_i p_j", "proved"),
    (r"\frac{\partial p_i}{\partial z_j} = p_i(\delta_{ij} - p_i)", "refuted"),
    (r"\frac{\partial y_i}{\partial A_{jk}} = \delta_{ik} x_j", "malformed"),  # its shape is another
]


@pytest.mark.parametrize(("formula", "status"), CLAIMS)
def test_an_index_has_the_length_that_another_side_gives_it(formula, status, tmp_path):
    (tmp_path / "m.sg").write_text(SPEC)
    (tmp_path / "d.tex").write_text(rf"\[ {formula} \]")
    (v,) = symgen.verify_document(str(tmp_path / "d.tex"), spec=str(tmp_path / "m.sg"))
    assert v.status == status

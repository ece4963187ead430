"""A row that begins with a sign goes on with the row above, however the space around the sign is made."""

import pytest

import symgen

SPEC = "param a: real, b: real\n"
ROWS = [
    r"(a+b)^2 &= a^2 + 2ab \\ &\qquad {} + b^2",
    r"(a+b)^2 &= a^2 + 2ab \\ &\quad + b^2",
    r"(a+b)^2 &= a^2 + 2ab + \\ &\quad b^2",
    r"(a+b)^2 &= a^2 + 2ab \\ &+ b^2 \\ &= b^2 + 2ab \\ &\quad {} + a^2",
    r"(a+b)^2 &= a^2 + 2ab \\ & \phantom{=} + b^2",
    r"(a+b)^2 &= a^2 + 2ab \nonumber\\ & \hspace{1em} {}+{} b^2",
    r"(a-b)^2 &= a^2 - 2ab \\ &{}- (-b^2)",
]


@pytest.mark.parametrize("rows", ROWS)
def test_a_sum_over_two_rows_is_one_side(tmp_path, rows):
    (tmp_path / "s.sg").write_text(SPEC)
    for sign, status in (("", "proved"), ("2", "refuted")):
        text = rows.replace("2ab", f"2{sign}ab", 1)
        (tmp_path / "s.tex").write_text(f"\\begin{{document}}\n\\begin{{align*}}\n{text}\n\\end{{align*}}\n\\end{{document}}\n")
        (verdict,) = symgen.verify_document(tmp_path / "s.tex", spec=tmp_path / "s.sg")
        assert verdict.status == status, verdict.text()

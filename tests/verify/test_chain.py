"""Chains are judged step by step, and a wrong step is told with its way out."""

from __future__ import annotations

from symgen.tensor.expression import Array, Dim, Scalar, dim, var
from symgen.tensor.formula import Clash, read
from symgen.text.parse import parse_expression
from symgen.text.tree import Expression, Source
from symgen.verify.chain import Relation, compare_values, verify_chain
from symgen.verify.suggest import edits, suggest

N, K = dim("n"), dim("k")
SCOPE: dict[str, Array | Scalar] = {
    "n": N, "k": K, "x": var("x"), "y": var("y"), "a": var("a", (), "positive"), "u": var("u", (N,)), "v": var("v", (N,)),
    "M": var("M", (N, N)), "P": var("P", (N, N)), "mu": var("mu", (K,)), "s": var("s", (K,), "positive"),
}  # fmt: skip


def of(text: str) -> Array:
    return read(text, SCOPE)


def test_each_step_is_judged_against_its_neighbour() -> None:
    values = [of("(x + y)^2"), of("x^2 + 2*x*y + y^2"), of("x^2 + x*y + y^2"), of("x^2 + x*y + y^2 + 1")]
    verdict = verify_chain(values, ["=", "=", "<"])
    assert [s.status for s in verdict.steps] == ["proved", "refuted", "proved"]
    assert verdict.status == "refuted" and verdict.counterexample is verdict.steps[1].counterexample
    assert "step 1 is" in verdict.text() and "step 2 is" in verdict.text()


def test_a_malformed_step_does_not_stop_the_others() -> None:
    verdict = verify_chain([of("x + x"), None, of("2*x"), of("3*x")], ["=", "=", "="])
    assert [s.status for s in verdict.steps] == ["malformed", "proved", "refuted"]


def test_relations_up_to_a_factor_and_a_term() -> None:
    x = SCOPE["x"]
    assert compare_values(of("exp(-(x - y)^2)"), of("exp(2*x*y - x^2)"), Relation("propto", (x,))).status == "proved"  # type: ignore[arg-type]
    assert compare_values(of("(x - y)^2"), of("x^2 - 2*x*y"), Relation("~=", (x,))).status == "proved"  # type: ignore[arg-type]
    assert compare_values(of("x^2 + 1"), of("x^2"), ">").status == "proved"
    assert compare_values(of("x^2"), of("x^2"), ">=").status == "proved"


def test_an_inequality_turned_round_tells_its_sides_in_order() -> None:
    found = compare_values(of("0*x"), of("x^2"), ">=").counterexample
    assert found is not None and found.left == 0.0 and found.right > 0


SLIPS = [
    ("1/2*(sum(s^2) + mu @ mu - k) - sum(log(s))", "1/2*(sum(s^2) + mu @ mu + k) - sum(log(s))", "`- k` for `+ k`"),
    ("x^2/2", "x^2", "`x^2/2` for `x^2`"),
    ("M' @ u", "M @ u", "`M'` for `M`"),
    ("log(a) + x", "a + x", "`log(a)` for `a`"),
    ("2*x*y + y^2", "x*y + y^2", "`2*x*y` for `x*y`"),
    ("mean(u)", "sum(u)", "`mean(u)` for `sum(u)`"),
    ("inv(M @ P)", "inv(M) @ inv(P)", "`inv(P) @ inv(M)` for `inv(M) @ inv(P)`"),
    ("u @ v + x", "u @ v - x", "`+ x` for `- x`"),
    ("sqrt(u @ u)", "u @ u", "`sqrt(u @ u)` for `u @ u`"),
]


def holds(left: Array, e: Expression, source: str) -> bool:
    from symgen.algebra.equality import agrees
    from symgen.tensor import build
    from symgen.tensor.build import ShapeClash
    from symgen.tensor.formula import Binding, Reader, Scope

    names = {n: Binding(build.of_array(x) if isinstance(x, Array) else build.scalar(x)) for n, x in SCOPE.items()}
    try:
        right = Reader(Scope(names)).value(e).array()
    except (Clash, ShapeClash):
        return False
    return right.shape == left.shape and agrees(left, right)


def test_the_edit_that_makes_a_step_hold_is_found() -> None:
    for left, wrong, text in SLIPS:
        target = of(left)
        found = suggest(parse_expression(wrong), Source(wrong), lambda e, t=target, w=wrong: holds(t, e, w), ["n", "k"], 30.0)
        assert found is not None, wrong
        assert found.text == text or holds(target, found.result, wrong)
        if text.startswith(("`-", "`+", "`M", "`log", "`inv")):
            assert found.text == text


def test_what_no_small_edit_mends_has_no_suggestion() -> None:
    wrong = "x + y"
    assert suggest(parse_expression(wrong), Source(wrong), lambda e: False) is None


def test_edits_are_all_different_and_change_the_expression() -> None:
    tree = parse_expression("1/2*(sum(s^2) - k) - log(x)")
    results = [e.result for e in edits(tree, Source("1/2*(sum(s^2) - k) - log(x)"), ["n"], ["y"])]
    assert len(results) == len(set(results)) and tree not in results and len(results) > 50
    assert isinstance(N, Dim)

"""A report is drawn as STYLE.md draws it: the lines in order, the marks under their text, whatever the text holds."""

from __future__ import annotations

import random
import re
import unicodedata

import pytest

from symgen.text.diagnostics import Diagnostic, Label, SpecError
from symgen.text.excerpt import WIDTH, excerpt, line_and_column
from symgen.text.names import canonical, letter_of, near_name
from symgen.text.parse import parse_spec
from symgen.text.tree import Source, Span


def report(text: str, message: str, *marks: tuple[str, str, bool], name: str = "a.sg", **more) -> Diagnostic:
    """A diagnostic whose labels are given by the text that they cover; `$n` picks its n-th occurrence."""
    labels = []
    for words, label, culprit in marks:
        words, _, count = words.partition("$")
        start = -1
        for _ in range(int(count or 1)):
            start = text.index(words, start + 1)
        labels.append(Label(Span(start, start + len(words)), label, culprit))
    return Diagnostic(message, Source(text, name), tuple(labels), **more)


def test_the_inner_sizes_differ():
    spec = "\nparam W: real[n, k]\ndata  x: real[n]\n\nloss fit = norm(W @ x)^2\n"
    found = report(
        spec, "the inner sizes of `W @ x` differ: k and n", ("W @ x", "k must equal n", True),
        ("real[n, k]", "W is n by k", False), ("real[n]", "x has length n", False),
        name="ridge.sg", help="`W' @ x` and `x @ W` have length k",
    )  # fmt: skip
    assert (
        str(found)
        == """\
error: the inner sizes of `W @ x` differ: k and n
 --> ridge.sg:5:17
  |
2 | param W: real[n, k]
  |          ---------- W is n by k
3 | data  x: real[n]
  |          ------- x has length n
5 | loss fit = norm(W @ x)^2
  |                 ^^^^^ k must equal n
  = help: `W' @ x` and `x @ W` have length k"""
    )


def test_a_step_does_not_follow():
    spec = "claim kl: KL(q || p)\n    = E[z ~ q](log q(z) - log p(z))\n    = 1/2*(mu @ mu + k)\n"
    found = report(
        spec, "step 2 does not follow from step 1",
        ("E[z ~ q](log q(z) - log p(z))", "step 1", False), ("1/2*(mu @ mu + k)", "step 2", True),
        name="kl.sg", notes=("at k = 1, mu = (0.5), s = (2): step 1 is 0.9319, step 2 is 1.9319",),
        help="`- k` for `+ k` makes the step hold",
    )  # fmt: skip
    assert (
        str(found)
        == """\
error: step 2 does not follow from step 1
 --> kl.sg:3:7
  |
2 |     = E[z ~ q](log q(z) - log p(z))
  |       ----------------------------- step 1
3 |     = 1/2*(mu @ mu + k)
  |       ^^^^^^^^^^^^^^^^^ step 2
  = note: at k = 1, mu = (0.5), s = (2): step 1 is 0.9319, step 2 is 1.9319
  = help: `- k` for `+ k` makes the step hold"""
    )


def test_marks_of_one_line_stand_in_rows():
    found = report("let a = b + c + b\n", "m", ("b", "first", False), ("c", "", False), ("b$2", "last", True))
    assert str(found).split("\n")[3:] == [
        "1 | let a = b + c + b",
        "  |         - first",
        "  |             -   ^ last",
    ]


def test_a_label_over_many_lines_marks_the_first_and_the_last():
    found = report("let a = f(\n  x,\n  y,\n  z)\n", "m", ("f(\n  x,\n  y,\n  z)", "all of it", True))
    assert str(found).split("\n")[3:] == [
        "1 | let a = f(",
        "  |         ^^",
        "4 |   z)",
        "  |   ^^ all of it",
    ]


def test_the_gutter_is_as_wide_as_its_numbers():
    spec = "\n" * 7 + "let a = b\n\n\n" + "let c = a\n"
    found = report(spec, "m", ("a$2", "here", False), ("c", "there", True), notes=("one\nand two",))
    assert (
        str(found)
        == """\
error: m
  --> a.sg:11:5
   |
11 | let c = a
   |     ^ there
   |         - here
   = note: one
           and two"""
    )


def test_a_diagnostic_without_a_place_names_its_text():
    assert str(Diagnostic("the text is empty", Source("", "a.sg"))) == "error: the text is empty\n --> a.sg"


def test_the_end_of_a_text_can_be_marked():
    found = Diagnostic("m", Source("let a ="), (Label(Span(7, 7), "here", True),))
    assert str(found).split("\n")[-1] == "  |        ^ here"


def test_colours_add_nothing_but_colours():
    found = report("let a = b\n", "m", ("b", "here", True), ("a", "there", False), notes=("n",), help="h")
    painted = excerpt(found, color=True)
    assert "\x1b[" in painted and re.sub(r"\x1b\[[0-9;]*m", "", painted) == excerpt(found)


def columns(text: str) -> int:
    """Columns of a terminal, by the widths of Unicode."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.category(c) in ("Mn", "Me") for c in text)


@pytest.mark.parametrize("seed", range(200))
def test_marks_stand_under_their_text(seed):
    rng = random.Random(seed)
    word = "".join(rng.choice("ab c(変x̂é+*") for _ in range(rng.choice([5, 50, 500])))
    place = rng.randrange(len(word) + 1)
    spec = f"{word[:place]}§§{word[place:]}"
    if "\u0302" in spec[place + 2 : place + 3]:
        spec = spec[: place + 2] + spec[place + 3 :]
    drawn = str(report(f"# x\n{spec}\n", "m", ("§§", "here", True))).split("\n")
    line, marks = drawn[3][4:], drawn[4][4:]
    assert marks.strip() == "^^ here"
    assert columns(line[: line.index("§§")]) == len(marks) - len("^^ here")
    assert len(spec) > WIDTH or line == spec.rstrip()
    assert len(line) <= WIDTH


@pytest.mark.parametrize("seed", range(50))
def test_lines_and_columns_count_as_an_editor_does(seed):
    rng = random.Random(seed)
    text = "".join(rng.choice(["a", "b", "\n", "\r\n", "\r", "é"]) for _ in range(60))
    place = rng.randrange(len(text) + 1)
    before = re.split("\r\n|\r|\n", text[:place])
    if text[place - 1 : place + 1] != "\r\n":
        assert line_and_column(Source(text), place) == (len(before), len(before[-1]) + 1)


def test_the_text_of_an_error_is_the_report_of_all_its_diagnostics():
    with pytest.raises(SpecError) as error:
        parse_spec("let a = )\nlet b = (\n", "two.sg")
    assert str(error.value) == "\n\n".join(map(excerpt, error.value.diagnostics))


def test_nothing_of_the_text_acts_in_a_report():
    text = "let \x1b[31m\u202ea\x00 = \ud800 # \x07\n"
    labels = (Label(Span(4, 5), "\x1b", True),)
    found = Diagnostic(f"m {text}", Source(text, "a\x1bb\n.sg"), labels, ("n\x00",), "h\u202e")
    drawn = str(found)
    assert drawn.encode("utf-8")
    assert not [c for c in drawn if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c != "\n"]


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, near",
    [
        ("losss", "loss"), ("Nromal", "Normal"), ("normal", "Normal"), ("MVNormal", "MvNormal"), ("sigmod", "sigmoid"),
        ("logsoftmax", "log_softmax"), ("x", None), ("foo", None), ("qq", None), ("Bernouli", "Bernoulli"),
    ],
)  # fmt: skip
def test_a_near_name_is_offered(name, near):
    known = ["loss", "Normal", "MvNormal", "sigmoid", "log_softmax", "Bernoulli", "y", "Wd", "Exponential"]
    assert near_name(name, known) == near


@pytest.mark.parametrize("letter", ["μ", "Σ_x", "θ1", "x_λ"])
def test_a_name_is_printed_by_its_letter(letter):
    assert letter_of(canonical(letter)) == letter

"""Whatever the text, there is a tree or a SpecError, in little time, and a message through which nothing acts."""

from __future__ import annotations

import random
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symgen.text.diagnostics import SpecError
from symgen.text.parse import parse_claim, parse_expression, parse_spec, read_spec

GOOD = """
dim n, d, k = 10
data  X: real[n, d], y: binary[n]
param w: real[d] = normal(0.01), s: positive[k]
const lam: positive = 1e-3
assume lam > 0, 0 < 1
let p = sigmoid(X @ w)
let h[t: 1..T] = tanh(A' @ h[t-1] + B @ x[t])
loss L = -mean(y*log(p) + (1 - y)*log(1 - p)) + lam/2 * w @ w^2
def f(t) = where(t > 0 and not t == 1, -log(1 + exp(-t)), 0)
dist q(z | x) = Normal(mu, exp(lv/2))
density p_data(x: real[d]), p_g(x)
function D(x): unit
game gan = {D: max V, [Wg, bg]: min V}
derive best = E[x ~ p_data, z ~ q(z | x)](log(D(x)) - log q(z | x))
claim kl: KL(q(z | x) || p(z))
    = sum[i: n](x[i]*w[i])  "definition"  # a comment
    propto[z] 1/2*(mu @ mu - k)
train L wrt w with adam(lr=1e-3), steps=2000, seed=0
"""
PIECES = [
    *"()[]{},:|'\"#+-*/@^<>=~.\\;!?$&%`_ \t\n\r\x00\x07\x1b\x7f\ufeff\u200b\u202e\u2028√−“”²₁µΑаx1",
    "..", ".T", "||", "**", "==", "<=", "~=", ":=", "0.5", "1e9", "1e999", "2.", "\ud800", "😀", "x̂", "変数", "\n  ",
    "\n    = ", '"why"', "log p(x)", "E[x ~ p](", "sum[i: n](", "dim ", "data ", "param ", "let ", "loss ", "def ",
    "dist ", "density ", "function ", "game ", "derive ", "claim ", "train ", "assume ", "const ", " wrt ", " with ",
    " and ", " or ", " not ", " propto ",
]  # fmt: skip


def survives(text: str) -> None:
    """The one claim of this file."""
    for read in (parse_spec, parse_expression, parse_claim):
        start = time.process_time()
        try:
            read(text)
        except SpecError as error:
            report = str(error)
            assert error.diagnostics and report.startswith(("error: ", "note: "))
            assert not [c for c in report if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c != "\n"]
            assert len(report) < 100_000
        assert time.process_time() - start < 10  # no hang


@pytest.mark.parametrize("seed", range(60))
def test_noise_is_answered(seed):
    rng = random.Random(seed)
    survives("".join(rng.choice(PIECES) for _ in range(rng.choice([1, 3, 10, 100, 1000]))))


@pytest.mark.parametrize("seed", range(60))
def test_a_spec_with_a_slip_is_answered(seed):
    rng = random.Random(seed)
    text = GOOD
    for _ in range(rng.choice([1, 1, 3])):
        place = rng.randrange(len(text))
        text = text[:place] + rng.choice(["", rng.choice(PIECES)]) + text[place + rng.randrange(3) :]
    survives(text)


@pytest.mark.parametrize("seed", range(20))
def test_bytes_are_answered(seed):
    data = random.Random(seed).randbytes(4000)
    survives(data.decode("latin-1"))
    survives(data.decode("utf-8", "surrogateescape"))
    survives(data.decode("utf-16-le", "surrogatepass"))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_answered(text):
    survives(text)


def test_every_prefix_of_a_spec_is_answered():
    for end in range(0, len(GOOD), 7):
        survives(GOOD[:end])


K = 4000
LONG = {
    "brackets": "let a = " + "(" * K,
    "closing": ")" * K,
    "lines of brackets": "let a = (\n" * (K // 10),
    "transposes": "let a = x" + "'" * K,
    "signs": "let a = " + "-" * K + "x",
    "powers": "let a = " + "x^" * (K // 2) + "x",
    "nots": "let a = " + "not " * (K // 4) + "x",
    "subscripts": "let a = x" + "[0]" * (K // 3),
    "calls": "let a = " + "f(" * (K // 3) + "x" + ")" * (K // 3),
    "sum": "let a = " + "x+" * (K // 2) + "x",
    "comparisons": "let a = " + "x<" * (K // 2) + "x",
    "arguments": "let a = f(" + "x," * (K // 2) + "x)",
    "names side by side": "let a = " + "x " * (K // 2),
    "one name": "x" * K,
    "one number": "let a = " + "1" * K,
    "a number": "let a = 0." + "0" * K + "1e-" + "9" * K,
    "quotes": '"' * (K + 1),
    "backslashes": 'claim a = b "' + "\\" * (K + 1),
    "dashes": "−" * K,
    "NUL bytes": "\x00" * K,
    "combining marks": "let x" + "\u0302" * K + " = 1",
    "wide characters": "let a = " + "変" * 100 + " )" + "変" * K,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_four_kilobytes_take_a_tenth_of_a_second(text):
    parse_expression("x")
    spent = []
    for _ in range(3):  # other programs share the machine
        start = time.process_time()
        try:
            parse_spec(text)
        except SpecError as error:
            str(error)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("text", ["x+" * 499_000 + "x", "(" * 999_000, "let a = (\n" * 99_000, "−x " * 300_000])
def test_a_megabyte_does_not_hang(text):
    start = time.process_time()
    with pytest.raises(SpecError):
        parse_spec("let a = " + text)
    assert time.process_time() - start < 10


def test_what_is_too_much_says_so():
    for text, words in {
        "x" * 2_000_001: "2,000,001 characters",
        "let a = " + "x+" * 100_000 + "x": "200,004 words and signs",
        "let a = " + "(" * 201 + "x" + ")" * 201: "nested more than 200 deep",
        "let a = " + "-" * 300 + "x": "nested more than 200 deep",
        "let a = 1e401": "beyond 400",
        "let a = " + "1" * 401: "more than 400 digits",
        "let " + "a" * 201 + " = 1": "longer than 200",
    }.items():
        with pytest.raises(SpecError, match=words):
            parse_spec(text)


def test_what_is_much_parses():
    assert parse_spec("let a = " + "(" * 200 + "x" + ")" * 200).statements
    assert parse_spec("let a = " + "exp(" * 190 + "x" + ")" * 190).statements
    assert parse_spec("let a = " + "x + " * 20_000 + "x").statements
    assert parse_spec("let a = 1e400 + 1e-400 + " + "1" * 400).statements


def test_mistakes_beyond_two_hundred_are_not_listed():
    reading = read_spec("let a = )\n" * 1000)
    assert len(reading.mistakes) == 201
    assert reading.mistakes[-1].severity == "note"

"""The grammar against Python's own, whose precedence it has, and the meaning of every other form as a nested list."""

from __future__ import annotations

import ast
import random
import re
from dataclasses import fields
from fractions import Fraction
from typing import Any

import pytest

from symgen.text import tree
from symgen.text.diagnostics import SpecError
from symgen.text.lalr import Tables
from symgen.text.parse import grammar_folder, parse_claim, parse_expression, parse_spec, read_spec
from symgen.text.tables import make_tables


def form(node: Any) -> Any:
    """A tree as nested lists, sums and products folded from the left."""
    match node:
        case tree.Name(name):
            return name
        case tree.Number(value):
            return value
        case tree.Terms(terms):
            sign, first = terms[0]
            folded = form(first) if sign > 0 else ["-", form(first)]
            for sign, term in terms[1:]:
                folded = ["+" if sign > 0 else "-", folded, form(term)]
            return folded
        case tree.Factors(first, rest):
            folded = form(first)
            for op, factor in rest:
                folded = [op, folded, form(factor)]
            return folded
        case tree.Power(base, exponent):
            return ["^", form(base), form(exponent)]
        case tree.Transpose(operand):
            return ["'", form(operand)]
        case tree.Comparison(operands, ops):
            return ["compare", [form(x) for x in operands], list(ops)]
        case tree.Logical(op, operands):
            return [op, *map(form, operands)]
        case tree.Slice(lower, upper, step):
            return ["slice", form(lower), form(upper), form(step)]
        case tree.Subscript(operand, items):
            return ["[]", form(operand), *map(form, items)]
        case tree.Call(function, arguments, keywords, given, versus, log):
            out = ["log" if log else "call", function, *map(form, arguments), *map(form, keywords)]
            return out + ["|", *map(form, given)] * bool(given) + ["||", *map(form, versus)] * bool(versus)
        case tree.Binder(function, specs, arguments, keywords):
            return ["bind", function, *map(form, specs), "of", *map(form, arguments), *map(form, keywords)]
        case tree.IndexSpec(name, size, lower, upper):
            return ["index", name, *(form(x) for x in (size, lower, upper) if x is not None)]
        case tree.Draw(names, law):
            return ["draw", *names, form(law)]
        case tree.Keyword(name, value):
            return ["keyword", name, form(value)]
        case tree.ListOf(items):
            return ["list", *map(form, items)]
        case tuple():
            return [form(x) for x in node]
        case tree.Tree():
            return [type(node).__name__, *(form(getattr(node, f.name)) for f in fields(node) if f.name != "span")]
        case _:
            return node


# --- Python as the referee --------------------------------------------------------------------------------------------

_PYTHON = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@", ast.Pow: "^", ast.FloorDiv: "//",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=", ast.And: "and", ast.Or: "or",
}  # fmt: skip


def python_form(node: ast.AST) -> Any:
    match node:
        case ast.Expression(body):
            return python_form(body)
        case ast.Name(name):
            return name
        case ast.Constant(value):
            return Fraction(str(value))
        case ast.BinOp(left, op, right):
            return [_PYTHON[type(op)], python_form(left), python_form(right)]
        case ast.UnaryOp(ast.USub(), operand):
            return ["-", python_form(operand)]
        case ast.UnaryOp(ast.Not(), operand):
            return ["not", python_form(operand)]
        case ast.Compare(left, ops, rest):
            return ["compare", [python_form(x) for x in (left, *rest)], [_PYTHON[type(op)] for op in ops]]
        case ast.BoolOp(op, values):
            return [_PYTHON[type(op)], *map(python_form, values)]
        case ast.Attribute(operand, "T"):
            return ["'", python_form(operand)]
        case ast.Subscript(operand, index):
            return ["[]", python_form(operand), python_form(index)]
        case ast.Call(ast.Name(function), arguments):
            return ["call", function, *map(python_form, arguments)]
    raise AssertionError(ast.dump(node))


def some_expression(rng: random.Random, depth: int) -> str:
    """An expression that both languages can read."""
    if depth == 0 or rng.random() < 0.1:
        return rng.choice(["x", "y", "A", "loss", "e", "E", "max", "d", "2", "0.25", "x.T", "f(x, y)", "A[0]"])

    def inner() -> str:
        return some_expression(rng, depth - 1)

    kind = rng.randrange(12)
    if kind < 7:
        blank = rng.choice(["", " "])
        return inner() + blank + rng.choice(["+", "-", "*", "/", "@", "**", "//"]) + blank + inner()
    if kind == 7:
        return "-" + inner()
    if kind == 8:
        return f"({inner()}).T"
    return f"({inner()})"


def some_condition(rng: random.Random, depth: int) -> str:
    if depth == 0:
        parts = [some_expression(rng, 2) for _ in range(rng.randrange(2, 4))]
        return parts[0] + "".join(f" {rng.choice(['<', '<=', '>', '>=', '==', '!='])} {p}" for p in parts[1:])
    left, right = some_condition(rng, depth - 1), some_condition(rng, depth - 1)
    return rng.choice([f"{left} and {right}", f"{left} or {right}", f"not {left}", f"({left}) or {right}"])


def normal(node: Any) -> Any:
    """Python's tree up to what has the same meaning in both: -(a*b) is (-a)*b, `and` and `or` are flat."""
    if not isinstance(node, list):
        return node
    node = [normal(x) for x in node]
    if node[0] == "-" and len(node) == 2 and isinstance(node[1], list) and node[1][0] in ("*", "/", "@", "//"):
        op, left, right = node[1]
        return [op, normal(["-", left]), right]
    if node[0] in ("and", "or"):
        flat = [y for x in node[1:] for y in (x[1:] if isinstance(x, list) and x[0] == node[0] else [x])]
        return [node[0], *flat]
    return node


@pytest.mark.parametrize("seed", range(400))
def test_precedence_is_that_of_python(seed):
    rng = random.Random(seed)
    text = some_condition(rng, 2) if seed % 4 == 0 else some_expression(rng, 1 + seed % 5)
    expected = python_form(ast.parse(text, mode="eval"))
    assert normal(form(parse_expression(text))) == normal(expected), text


@pytest.mark.parametrize("seed", range(100))
def test_the_transpose_binds_like_an_attribute(seed):
    text = some_expression(random.Random(seed), 4)
    assert parse_expression(text.replace(".T", "'")) == parse_expression(text)


@pytest.mark.parametrize("seed", range(150))
def test_a_span_covers_the_text_of_its_node(seed):
    rng = random.Random(seed)
    text = f"E[x ~ p(x | {some_expression(rng, 2)})](" + some_expression(rng, 4) + f", k={some_expression(rng, 1)})"
    waiting: list[Any] = [parse_expression(text)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tree.Expression):
            assert parse_expression(text[node.span.start : node.span.end]) == node
        if isinstance(node, tree.Tree):
            assert 0 <= node.span.start < node.span.end <= len(text)
            waiting.extend(getattr(node, f.name) for f in fields(node))
        elif isinstance(node, tuple):
            waiting.extend(node)


# --- the other forms --------------------------------------------------------------------------------------------------

N = Fraction

EXPRESSIONS: dict[str, Any] = {
    "-x^2": ["-", ["^", "x", N(2)]],
    "2^-1": ["^", N(2), ["-", N(1)]],
    "a*-b": ["*", "a", ["-", "b"]],
    "a - -b": ["-", "a", ["-", "b"]],
    "+a": "a",
    "--a": ["-", ["-", "a"]],
    "a^b^c": ["^", "a", ["^", "b", "c"]],
    "a^-b^c": ["^", "a", ["-", ["^", "b", "c"]]],
    "x'^2": ["^", ["'", "x"], N(2)],
    "x''": ["'", ["'", "x"]],
    "(A@B)'": ["'", ["@", "A", "B"]],
    "A.T": ["'", "A"],
    "A.T'": ["'", ["'", "A"]],
    "X' @ (p - y)/n": ["/", ["@", ["'", "X"], ["-", "p", "y"]], "n"],
    "lam/2 * w @ w": ["@", ["*", ["/", "lam", N(2)], "w"], "w"],
    "x[1:]": ["[]", "x", ["slice", N(1), None, None]],
    "x[:-1]": ["[]", "x", ["slice", None, ["-", N(1)], None]],
    "x[::2]": ["[]", "x", ["slice", None, None, N(2)]],
    "x[1:n:2]": ["[]", "x", ["slice", N(1), "n", N(2)]],
    "X[:, 1]": ["[]", "X", ["slice", None, None, None], N(1)],
    "A[i, j]": ["[]", "A", "i", "j"],
    "x'[0]": ["[]", ["'", "x"], N(0)],
    "A[0][1]": ["[]", ["[]", "A", N(0)], N(1)],
    "f(x)[0]'": ["'", ["[]", ["call", "f", "x"], N(0)]],
    "sum[i, j](X[i, j])": ["bind", "sum", ["index", "i"], ["index", "j"], "of", ["[]", "X", "i", "j"]],
    "sum[i: n](1)": ["bind", "sum", ["index", "i", "n"], "of", N(1)],
    "sum[t: 1..T](x)": ["bind", "sum", ["index", "t", N(1), "T"], "of", "x"],
    "sum[t: 0..2*T-1](x)": ["bind", "sum", ["index", "t", N(0), ["-", ["*", N(2), "T"], N(1)]], "of", "x"],
    "max[i](x[i])": ["bind", "max", ["index", "i"], "of", ["[]", "x", "i"]],
    "max(a, b)": ["call", "max", "a", "b"],
    "max - min*sum": ["-", "max", ["*", "min", "sum"]],
    "sum(x, axis=0, keepdims=True)": ["call", "sum", "x", ["keyword", "axis", N(0)], ["keyword", "keepdims", "True"]],
    "integral[x: -inf..inf](f)": ["bind", "integral", ["index", "x", ["-", "inf"], "inf"], "of", "f"],
    "log p(x | z)": ["log", "p", "x", "|", "z"],
    "log(p(x | z, y))": ["call", "log", ["call", "p", "x", "|", "z", "y"]],
    "log E[x ~ p](f)": ["call", "log", ["bind", "E", ["draw", "x", "p"], "of", "f"]],
    "log": "log",
    "log + 1": ["+", "log", N(1)],
    "KL(q || p)": ["call", "KL", "q", "||", "p"],
    "KL(q(z | x) || p(z))": ["call", "KL", ["call", "q", "z", "|", "x"], "||", ["call", "p", "z"]],
    "E[z ~ Normal(zeros(k), 1)](f)": [
        "bind", "E", ["draw", "z", ["call", "Normal", ["call", "zeros", "k"], N(1)]], "of", "f",
    ],
    "E[(x, z) ~ p, y ~ q](f)": ["bind", "E", ["draw", "x", "z", "p"], ["draw", "y", "q"], "of", "f"],
    "E[x ~ p, y ~ q](f)": ["bind", "E", ["draw", "x", "p"], ["draw", "y", "q"], "of", "f"],
    "E[x, z ~ p](f)": ["bind", "E", ["draw", "x", "z", "p"], "of", "f"],
    "Cov[x ~ p](f, g)": ["bind", "Cov", ["draw", "x", "p"], "of", "f", "g"],
    "E[d](e)": ["bind", "E", ["index", "d"], "of", "e"],
    "E*d(e, pi)": ["*", "E", ["call", "d", "e", "pi"]],
    "where(x > 0 and y < 1, a, b)": [
        "call", "where", ["and", ["compare", ["x", N(0)], [">"]], ["compare", ["y", N(1)], ["<"]]], "a", "b",
    ],
    "not x > 0 or y == 1": [
        "or", ["not", ["compare", ["x", N(0)], [">"]]], ["compare", ["y", N(1)], ["=="]],
    ],
    "0 <= x < 1 <= y": ["compare", [N(0), "x", N(1), "y"], ["<=", "<", "<="]],
    "argmin(f, x, subject_to=[sum(pi) = 1, pi > 0])": [
        "call", "argmin", "f", "x",
        ["keyword", "subject_to", ["list", ["compare", [["call", "sum", "pi"], N(1)], ["="]],
                                   ["compare", ["pi", N(0)], [">"]]]],
    ],
    "fisher(p, [mu, sigma])": ["call", "fisher", "p", ["list", "mu", "sigma"]],
    "stability(g, method=consensus(gamma), step=h)": [
        "call", "stability", "g", ["keyword", "method", ["call", "consensus", "gamma"]], ["keyword", "step", "h"],
    ],
    "f(\n  x,\n  y,\n)": ["call", "f", "x", "y"],
    "a\n  + b": ["+", "a", "b"],
    "[[1, 2], [3, 4]]": ["list", ["list", N(1), N(2)], ["list", N(3), N(4)]],
    "0.1": N(1, 10), "1e-3": N(1, 1000), "2.": N(2), ".5": N(1, 2), "1.5E+2": N(150), "007": N(7),
}  # fmt: skip


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_an_expression_means_what_the_language_says(text):
    assert form(parse_expression(text)) == EXPRESSIONS[text]


STATEMENTS: dict[str, Any] = {
    "dim n, k = 10": ["Dim", [["n", None], ["k", N(10)]]],
    "data X: real[2*d, k+1], y: label(k)[n]": [
        "Declaration", "data",
        [
            ["Declared", "X", ["Domain", "real", [], [["*", N(2), "d"], ["+", "k", N(1)]]], None],
            ["Declared", "y", ["Domain", "label", ["k"], ["n"]], None],
        ],
    ],
    "param a, b: real": [
        "Declaration", "param",
        [["Declared", "a", ["Domain", "real", [], None], None], ["Declared", "b", ["Domain", "real", [], None], None]],
    ],
    "param W: real[n//2] = normal(0.01)": [
        "Declaration", "param",
        [["Declared", "W", ["Domain", "real", [], [["//", "n", N(2)]]], ["call", "normal", N(1, 100)]]],
    ],
    "const lam: positive = 1e-3": [
        "Declaration", "const", [["Declared", "lam", ["Domain", "positive", [], None], N(1, 1000)]],
    ],
    "assume a > b, 0 < t, a = b": [
        "Assume", [["compare", ["a", "b"], [">"]], ["compare", [N(0), "t"], ["<"]], ["compare", ["a", "b"], ["="]]],
    ],
    "let p = 1": ["Let", "p", None, N(1), "let"],
    "loss loss = loss": ["Let", "loss", None, "loss", "loss"],
    "let let = dim": ["Let", "let", None, "dim", "let"],
    "let z[i, t: 1..T] = i": ["Let", "z", [["index", "i"], ["index", "t", N(1), "T"]], "i", "let"],
    "let h[0] = h0": ["Let", "h", [N(0)], "h0", "let"],
    "let h[i: n] = i": ["Let", "h", [["index", "i", "n"]], "i", "let"],
    "def f(s, t) = s*t": ["Def", "f", ["s", "t"], ["*", "s", "t"]],
    "dist q(z | x) = p": [
        "Dist", ["Head", "q", [["Declared", "z", None, None]], [["Declared", "x", None, None]]], "p",
    ],
    "dist p(z[0], y[t: 1..T] | z[t - 1]) = p": [
        "Dist",
        ["Head", "p",
         [["DeclaredEntry", "z", None, None, [N(0)]], ["DeclaredEntry", "y", None, None, [["index", "t", N(1), "T"]]]],
         [["DeclaredEntry", "z", None, None, [["-", "t", N(1)]]]]],
        "p",
    ],
    "dist s(t: positive) = exp(-t)/Z": [
        "Dist", ["Head", "s", [["Declared", "t", ["Domain", "positive", [], None], None]], []],
        ["/", ["call", "exp", ["-", "t"]], "Z"],
    ],
    "density p(x: real[d]), q(x, y)": [
        "Density",
        [
            ["Head", "p", [["Declared", "x", ["Domain", "real", [], ["d"]], None]], []],
            ["Head", "q", [["Declared", "x", None, None], ["Declared", "y", None, None]], []],
        ],
    ],
    "density p(z: [n, k])": [
        "Density", [["Head", "p", [["Declared", "z", ["Domain", "real", [], ["n", "k"]], None]], []]],
    ],
    "function D(x): unit": [
        "Function", ["Head", "D", [["Declared", "x", None, None]], []], ["Domain", "unit", [], None],
    ],
    "function f(x: real[d], y)": [
        "Function",
        ["Head", "f", [["Declared", "x", ["Domain", "real", [], ["d"]], None], ["Declared", "y", None, None]], []],
        None,
    ],
    "game g = {D: max V, [Wg, bg]: min max - V}": [
        "Game", "g", [["Player", ["D"], "max", "V"], ["Player", ["Wg", "bg"], "min", ["-", "max", "V"]]],
    ],
    "derive KL(q || p)": ["Derive", None, ["call", "KL", "q", "||", "p"]],
    "derive g = grad(L, w)": ["Derive", "g", ["call", "grad", "L", "w"]],
    "train L": ["Train", "L", [], None, []],
    "train L wrt a, b with adam(lr=1), steps=5, seed=0": [
        "Train", "L", ["a", "b"], ["call", "adam", ["keyword", "lr", N(1)]],
        [["keyword", "steps", N(5)], ["keyword", "seed", N(0)]],
    ],
    "train L wrt a, steps=5": ["Train", "L", ["a"], None, [["keyword", "steps", N(5)]]],
    "train gan with sgd, steps=5": ["Train", "gan", [], ["call", "sgd"], [["keyword", "steps", N(5)]]],
}  # fmt: skip


@pytest.mark.parametrize("text", STATEMENTS)
def test_a_statement_means_what_the_language_says(text):
    (statement,) = parse_spec(text).statements
    assert form(statement) == STATEMENTS[text]


def test_a_claim_is_a_chain_of_relations_with_reasons():
    claim = parse_claim(r'jensen: a "first" = b "say \"so\" of \mu" <= c propto[z, w] d ~=[w] [e, f]')
    assert claim.name == tree.Name("jensen") and claim.first_reason == "first"
    steps = [(s.relation, [n.name for n in s.over], form(s.value), s.reason) for s in claim.steps]
    assert steps == [
        ("=", [], "b", r'say "so" of \mu'),
        ("<=", [], "c", None),
        ("propto", ["z", "w"], "d", None),
        ("~=", ["w"], ["list", "e", "f"], None),
    ]


@pytest.mark.parametrize("text", ["a = b", "claim a = b", "c: a = b", "claim c: a = b", "  c: a\n    = b\n"])
def test_a_claim_is_read_with_and_without_its_word(text):
    claim = parse_claim(text)
    assert form(claim.first) == "a" and form(claim.steps[0].value) == "b"
    assert (claim.name == tree.Name("c")) == (":" in text)


def test_claim_can_be_a_name_of_a_claim():
    assert form(parse_claim("claim = claim + 1").first) == "claim"


# --- layout -----------------------------------------------------------------------------------------------------------

CLAIM = 'claim kl: KL(q || p)\n    = a "definition"\n    = b - c\n'

JOINED = [
    "let a = b + c",
    "let a = b +\nc",
    "let a = b\n  + c",
    "let a =\n    b + c",
    "let a\n  = b + c",
    "let\n  a = b + c",
    "let a = b # one\n# two\n\n  # three\n  + c",
    "  let a = b\n    + c",
    "\tlet a = b\n\t\t+ c",
    "let a = b\r\n  + c\r\n",
    "let a = b\r  + c\r",
    "\ufefflet a = b + c",
    "let a = b\u00a0+\u2003c",
    "let a = (b\n+ c)",
]


@pytest.mark.parametrize("text", JOINED)
def test_a_statement_goes_on_where_it_is_not_finished(text):
    assert parse_spec(text).statements == parse_spec("let a = b + c").statements


@pytest.mark.parametrize(
    "text",
    [
        'claim a = b "why"',
        'claim a\n  = b "why"',
        'claim a = b\n  "why"',
        'claim a =\n b\n   # so\n "why"',
    ],
)
def test_a_reason_may_stand_on_a_line_of_its_own(text):
    assert parse_spec(text).statements == parse_spec('claim a = b "why"').statements


def test_lines_that_go_on_with_words():
    text = "train L\n  wrt a,\n    b\n  with adam(\n lr=1)\n  , steps=3\ndist p(x) = f\nclaim a\n propto[x] b"
    assert [type(s).__name__ for s in parse_spec(text).statements] == ["Train", "Dist", "Claim"]


def test_a_text_indented_as_a_whole_is_one_without_indentation():
    text = "dim n\n" + CLAIM + "let a = b\n"
    indented = "".join(f"    {line}\n" for line in text.splitlines())
    assert parse_spec(indented).statements == parse_spec(text).statements


def test_words_of_statements_are_names_inside_brackets():
    assert len(parse_spec("let a = f(\nloss,\ndata)\nlet b = (x +\n  let - dim)").statements) == 2


@pytest.mark.parametrize("text", ["", "\n", "  \n\t\r\n", "# only a comment", "\ufeff"])
def test_an_empty_text_has_no_statements(text):
    assert parse_spec(text).statements == ()


@pytest.mark.parametrize("text", ["", "# x", "\n\n"])
def test_an_empty_expression_is_missing(text):
    for parse in (parse_expression, parse_claim):
        with pytest.raises(SpecError, match="is missing"):
            parse(text)


# --- names and numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(100))
def test_numbers_are_exact(seed):
    rng = random.Random(seed)
    digits = str(rng.randrange(10**9))
    power = rng.choice(["", f"e{rng.randrange(-300, 300)}", f"E+{rng.randrange(9)}"])
    text = f"{digits}.{rng.randrange(10**6)}{power}"
    number = parse_expression(text)
    assert isinstance(number, tree.Number) and number.value == Fraction(text) and number.written == text


SAME = ["μ mu", "μ_0 mu_0", "Σ Sigma", "Σ1 Sigma1", "x_θ x_theta", "µ mu", "ϵ epsilon", "𝐱 x", "ﬁt fit", "Ω Omega"]


@pytest.mark.parametrize("pair", SAME)
def test_a_letter_and_its_word_are_one_name(pair):
    letter, word = pair.split()
    assert parse_expression(letter) == parse_expression(word) == tree.Name(word)


@pytest.mark.parametrize("name", ["Δx", "変数", "скорость", "x̂", "naïve", "_", "λλ", "数x", "Z1", "y_pred"])
def test_a_name_may_be_any_word(name):
    assert parse_expression(name).name == name  # type: ignore[attr-defined]
    assert name == "Δx" or parse_expression(name) != parse_expression("Deltax")


KEYWORDS = (
    "dim data param const assume let loss def dist density function game derive claim train wrt with and or propto "
    "max min log sum E KL pi e inf d on T True"
).split()


@pytest.mark.parametrize("word", KEYWORDS)
def test_every_word_can_be_a_name(word):
    let, _ = parse_spec(f"let {word} = {word} + 1\nderive {word}({word})*({word})").statements
    assert let.name == tree.Name(word)
    assert form(let.value) == ["+", word, N(1)]
    declared = f"param {word}: real, b: {word}\ndist {word}({word}) = {word}\n"
    assert len(parse_spec(declared + f"game {word} = {{{word}: max {word}}}").statements) == 3


# --- mistakes ---------------------------------------------------------------------------------------------------------


def test_every_statement_with_a_mistake_is_told():
    text = "let a = )\ndim n\nlet b = (x\nlet c = 1 2\nloss L = ☃\nlet d = a\nfoo\n= 3\nlet e = \x00 + \u202e\n"
    with pytest.raises(SpecError) as error:
        parse_spec(text)
    lines = [text.count("\n", 0, d.position) + 1 for d in error.value.diagnostics]
    assert lines == [1, 3, 4, 5, 7, 8, 9, 9]


def test_what_parses_is_kept_with_the_names_of_the_rest():
    reading = read_spec("dim n\nlet a = )\nparam W: real[n] =, v: real\nlet b = a\nx = 3\n")
    assert [type(s).__name__ for s in reading.spec.statements] == ["Dim", "Let"]
    assert {"a", "W", "v", "x"} <= reading.lost and "b" not in reading.lost
    assert len(reading.mistakes) == 3


def test_the_number_of_a_line_counts_from_where_the_text_was_cut():
    with pytest.raises(SpecError, match=re.escape("page.md:42:9")):
        parse_spec("\nlet a = )", "page.md", 40)


# --- the grammar itself -----------------------------------------------------------------------------------------------


def test_the_automaton_is_that_of_the_grammar(caplog):
    """`python -m symgen.text.tables` makes it anew; Lark logs what is ambiguous."""
    folder = grammar_folder()
    with caplog.at_level("DEBUG", logger="lark"):
        tables = make_tables((folder / "symgen.lark").read_text(encoding="utf-8"))
    assert not [record for record in caplog.messages if "conflict" in record.lower()]
    assert tables.to_json() == (folder / "symgen.json").read_text(encoding="utf-8")
    assert Tables.from_json(tables.to_json()) == tables

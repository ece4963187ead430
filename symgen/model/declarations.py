"""Sizes, variables and functions: what `dim`, `data`, `param`, `const`, `def` and `function` declare."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from symgen.model.distribution_reader import DistributionReader
from symgen.model.elaboration import Elaboration
from symgen.model.model import Declared, Initial, UnknownFunction
from symgen.tensor import build
from symgen.tensor.domains import DOMAINS
from symgen.tensor.evaluate import NotEvaluable, Point, evaluate
from symgen.tensor.expression import Dim, Num, Scalar, Var, dim, tensor, var, variables_of, walk
from symgen.tensor.scope import Clash, UserFunction, Witness, parts_of, shape_text
from symgen.text import tree
from symgen.text.names import near_name


def domain(model: Elaboration, d: tree.Domain | None, what: str) -> tuple[str, tuple[Scalar, ...], tuple[Scalar, ...]]:
    """word, arguments, shape."""
    if d is None:
        return "real", (), ()
    if d.word not in DOMAINS:
        near = near_name(d.word, list(DOMAINS))
        help = f"did you mean `{near}`?" if near else "domains are " + ", ".join(DOMAINS)
        raise Clash(f"unknown domain `{d.word}`", d.span, "not a domain", help=help)
    reader = model.reader()
    shape = tuple(declared_size(model, reader, e, what) for e in d.shape or ())
    arguments = tuple(reader.size(e) for e in d.arguments)
    if d.word == "label" and len(arguments) != 1:
        raise Clash("`label` takes the number of classes", d.span, help="`label(k)`: 0, 1, .. k-1")
    if d.word != "label" and arguments:
        raise Clash(f"`{d.word}` takes no argument", d.span)
    if d.word in ("symmetric", "spd", "psd", "diagonal", "lower", "skew", "orthogonal"):
        if len(shape) < 2:
            raise Clash(f"a `{d.word}` variable is a matrix", d.span, shape_text(shape), help=f"`{d.word}[n, n]`")
        if d.word != "orthogonal" and not build.same_size(shape[-1], shape[-2]):
            raise Clash(f"a `{d.word}` matrix is square", d.span, shape_text(shape))
    if d.word in ("simplex", "onehot") and not shape:
        raise Clash(f"a `{d.word}` variable is a vector", d.span, "a scalar", help=f"`{d.word}[k]`")
    return d.word, arguments, shape


def declared_size(model: Elaboration, reader: DistributionReader, e: tree.Expression, what: str) -> Scalar:
    if isinstance(e, tree.Name) and e.name not in model.statements:
        near = near_name(e.name, [n for n, k in model.kinds.items() if k == "size"])
        raise Clash(f"unknown size `{e.name}`", e.span, "not declared",
                    help=f"did you mean `{near}`?" if near else f"declare it: `dim {e.name}`")  # fmt: skip
    if isinstance(e, tree.Name) and model.kinds.get(e.name) != "size":
        raise Clash(f"`{e.name}` is not a size", e.span, f"a {model.kinds[e.name]}",
                    [Witness(model.places[e.name], "declared here")])  # fmt: skip
    size = reader.size(e)
    if isinstance(size, Num) and not isinstance(size.value, str) and size.value < 1:
        raise Clash("a size is at least 1", e.span, f"is {size.value}")
    return size


def define_dim(model: Elaboration, name: str, s: tree.Dim) -> None:
    value: Scalar = dim(name)
    for n, e in s.items:
        if n.name == name and e is not None:
            given = model.reader().scalar(e, "a size")
            if (
                not isinstance(given, Num)
                or isinstance(given.value, str)
                or given.value.denominator != 1
                or given.value < 1
            ):
                raise Clash(f"the size `{name}` must be a positive integer", e.span, "not one")
            if given.value > 10**9:
                raise Clash(f"the size `{name}` is larger than any array can be", e.span, "too large")
            value = given
    model.out.dims[name] = value
    model.bind(name, build.scalar(value), "dim")


def define_variable(model: Elaboration, name: str, s: tree.Declaration) -> None:
    item = model.items[name]
    word, arguments, shape = domain(model, item.domain, name)
    v = var(name, shape, word, s.role, arguments)
    initial: Initial | None = None
    default: Any = None
    if item.initial is not None:
        if s.role == "param":
            initial = initialiser(model, item.initial, v)
        elif s.role == "const":
            default = default_value(model, item.initial, v)
        else:
            raise Clash("data has no value in the spec", item.initial.span, "given at run time",
                        help=f"`const {name}: {word} = ..` declares a constant")  # fmt: skip
    model.out.variables[name] = Declared(v, item.name.span, initial, default)
    model.bind(name, build.of_array(v))


def initialiser(model: Elaboration, e: tree.Expression, v: Var) -> Initial:
    if isinstance(e, tree.Name) and e.name in ("zeros", "ones", "glorot", "he", "normal"):
        return Initial(e.name, 1.0 if e.name == "normal" else 0.0)
    if isinstance(e, tree.Call) and e.function == "normal" and len(e.arguments) == 1:
        return Initial("normal", float(number(model, e.arguments[0])))
    if isinstance(e, (tree.Name, tree.Call)) and (not isinstance(e, tree.Name) or e.name not in model.statements):
        near = near_name(
            e.name if isinstance(e, tree.Name) else e.function, ["zeros", "ones", "normal", "glorot", "he"]
        )
        raise Clash("unknown initialiser", e.span, "zeros, ones, normal(0.01), glorot, he or a number",
                    help=f"did you mean `{near}`?" if near else None)  # fmt: skip
    value = float(number(model, e))
    in_domain(model, value, v, e)
    return Initial("number", value)


def default_value(model: Elaboration, e: tree.Expression, v: Var) -> Any:
    if v.rank:
        if isinstance(e, tree.ListOf):
            return np.array([float(number(model, x)) for x in e.items])
        return float(number(model, e))
    value = number(model, e)
    in_domain(model, float(value), v, e)
    return float(value)


def in_domain(model: Elaboration, value: float, v: Var, e: tree.Expression) -> None:
    bad = (
        (v.domain == "positive" and not value > 0) or (v.domain == "nonnegative" and value < 0)
        or (v.domain == "unit" and not 0 < value < 1) or (v.domain == "binary" and value not in (0, 1))
        or (v.domain in ("integer", "natural", "label") and value != int(value))
        or (v.domain in ("natural", "label") and value < 0)
    )  # fmt: skip
    if bad:
        raise Clash(f"`{v.name}` is {v.domain}, and its value is not", e.span, f"not {v.domain}",
                    [Witness(model.places[v.name], f"{v.name} is {v.domain}")])  # fmt: skip


def number(model: Elaboration, e: tree.Expression) -> float | Fraction:
    """A number worked out now: 1e-3, 1/2, sqrt(2)."""
    s = model.reader().scalar(e, "this")
    if isinstance(s, Num) and not isinstance(s.value, str):
        return s.value
    if variables_of(s) or any(isinstance(n, Dim) for n in walk(s)):
        raise Clash("a number is needed here", e.span, "not a number")
    try:
        (value,) = evaluate([tensor((), s)], Point({}))
    except NotEvaluable:
        raise Clash("a number is needed here", e.span, "not a number") from None
    if not np.isfinite(value):
        raise Clash("this number is not finite", e.span)
    return float(value)


def define_function(model: Elaboration, name: str, s: tree.Def) -> None:
    parameters = [p.name for p in s.parameters]
    for k, p in enumerate(s.parameters):
        if p.name in parameters[:k]:
            raise Clash(f"the parameter `{p.name}` stands twice", p.span, "again")
    check_body(model, s)
    model.bind(name, UserFunction(name, tuple(parameters), s.body, s.name.span))


def check_body(model: Elaboration, s: tree.Def) -> None:
    """Unknown names in the body of a function are mistakes even if nobody calls it."""
    known = {p.name for p in s.parameters}
    reader = model.reader()
    stack: list[tuple[tree.Expression, set[str]]] = [(s.body, known)]
    while stack:
        e, names = stack.pop()
        if isinstance(e, tree.Binder):
            names = names | {
                n for spec in e.specs for n in ((spec.name,) if isinstance(spec, tree.IndexSpec) else spec.names)
            }
        if (
            isinstance(e, tree.Name)
            and e.name not in names
            and e.name not in ("pi", "e", "inf", "None", "True", "False")
        ):
            if e.name not in model.statements and e.name not in model.heads:
                raise reader.unknown_name(e.name, e.span)
        if isinstance(e, tree.Call) and e.function == s.name.name:
            raise Clash(f"`{s.name.name}` calls itself", e.span, "a function must not be recursive")
        stack.extend((p, names) for p in parts_of(e))


def define_unknown(model: Elaboration, name: str, s: tree.Function) -> None:
    shapes: list[tuple[Scalar, ...] | None] = []
    for v in s.head.variables:
        shapes.append(None if v.domain is None else domain(model, v.domain, v.name.name)[2])
    word = "real"
    if s.range is not None:
        word, _, shape = domain(model, s.range, name)
        if shape:
            raise Clash("an unknown function is real-valued", s.range.span, shape_text(shape))
    made = UnknownFunction(name, tuple(shapes), word, s.head.name.span)
    model.out.functions[name] = made
    model.bind(name, made)

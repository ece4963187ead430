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
from symgen.tensor.scope import Clash, UserFunction, Witness, parts_of, shape_text, size_text
from symgen.text import tree
from symgen.text.names import near_name
from symgen.text.spellings import OTHER_DOMAINS

INITIALISERS = ("zeros", "ones", "normal", "glorot", "he")


def domain(model: Elaboration, d: tree.Domain | None, what: str) -> tuple[str, tuple[Scalar, ...], tuple[Scalar, ...]]:
    """word, arguments, shape."""
    if d is None:
        return "real", (), ()
    if d.word not in DOMAINS:
        near = OTHER_DOMAINS.get(d.word) or near_name(d.word, list(DOMAINS))
        matrices = [n for n, row in DOMAINS.items() if row.structure == 2]
        known = ["domains are " + ", ".join(n for n in DOMAINS if n not in matrices), "and of matrices " + ", ".join(matrices)]
        raise Clash(f"unknown domain `{d.word}`", d.span, "not a domain", notes=known,
                    help=f"did you mean `{near}`?" if near else None)  # fmt: skip
    reader = model.reader()
    shape = tuple(declared_size(model, reader, e, what) for e in d.shape or ())
    arguments = tuple(reader.size(e) for e in d.arguments)
    if d.word == "label" and len(arguments) != 1:
        raise Clash("`label` takes the number of classes", d.span, "how many classes?", help="`label(k)`: 0, 1, .. k-1")
    if d.word != "label" and arguments:
        text = ", ".join(model.written(a.span) for a in d.arguments)
        raise Clash(f"`{d.word}` takes no argument", d.span, "an argument", help=f"`{d.word}[{text}]` has that shape")
    if d.word in ("symmetric", "spd", "psd", "diagonal", "lower", "skew", "orthogonal"):
        if len(shape) < 2:
            raise Clash(f"a `{d.word}` variable is a matrix", d.span, shape_text(shape), help=f"`{d.word}[n, n]`")
        if d.word != "orthogonal" and not build.same_size(shape[-1], shape[-2]):
            size = size_text(shape[-1])
            raise Clash(f"a `{d.word}` matrix is square", d.span, shape_text(shape), help=f"`{d.word}[{size}, {size}]`")
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
            if not isinstance(given, Num) or isinstance(given.value, str) or given.value.denominator != 1 or given.value < 1:
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
    if isinstance(e, tree.Name) and e.name in INITIALISERS:
        return Initial(e.name, 1.0 if e.name == "normal" else 0.0)
    if isinstance(e, tree.Call) and e.function == "normal" and len(e.arguments) == 1:
        return Initial("normal", float(number(model, e.arguments[0])))
    if isinstance(e, (tree.Name, tree.Call)) and (not isinstance(e, tree.Name) or e.name not in model.statements):
        name = e.name if isinstance(e, tree.Name) else e.function
        near = {"xavier": "glorot", "kaiming": "he", "randn": "normal", "gaussian": "normal"}.get(name.lower())
        near = near or near_name(name, INITIALISERS)
        known = "initialisers are zeros, ones, normal(0.01), glorot, he or a number"
        raise Clash(f"unknown initialiser `{name}`", e.span, "not known",
                    notes=[known] if near else [], help=f"did you mean `{near}`?" if near else known)  # fmt: skip
    value = float(number(model, e))
    in_domain(model, value, v, e)
    return Initial("number", value)


def default_value(model: Elaboration, e: tree.Expression, v: Var) -> Any:
    if v.rank:
        return default_array(model, e, v)
    value = number(model, e)
    in_domain(model, float(value), v, e)
    return float(value)


def default_array(model: Elaboration, e: tree.Expression, v: Var) -> Any:
    """The value of a constant array: one number for all entries, or a list in the declared shape."""
    reader = model.reader()
    value = reader.number(e)
    array = value.array()
    if variables_of(array):
        raise Clash("a number is needed here", e.span, "not a number", reader.witnesses(e))
    if value.rank and not (value.rank == v.rank and all(build.same_size(a, b) for a, b in zip(value.shape, v.shape, strict=True))):
        raise Clash(f"`{v.name}` {shape_text(v.shape)}, and its value {shape_text(value.shape)}", e.span,
                    shape_text(value.shape), [Witness(model.places[v.name], shape_text(v.shape))])  # fmt: skip
    if any(isinstance(n, Dim) for n in walk(array)):
        return float(number(model, e))
    try:
        (numbers,) = evaluate([array], Point({}))
    except NotEvaluable:
        raise Clash("a number is needed here", e.span, "not a number") from None
    for x in np.ravel(numbers):
        in_domain(model, float(x), v, e)
    return np.asarray(numbers, dtype=float) if value.rank else float(numbers)


def in_domain(model: Elaboration, value: float, v: Var, e: tree.Expression) -> None:
    bad = (
        (v.domain == "positive" and not value > 0) or (v.domain == "nonnegative" and value < 0)
        or (v.domain == "unit" and not 0 < value < 1) or (v.domain == "binary" and value not in (0, 1))
        or (v.domain in ("integer", "natural", "label") and value != int(value))
        or (v.domain in ("natural", "label") and value < 0)
    )  # fmt: skip
    if bad:
        need = {"unit": "between 0 and 1", "binary": "0 or 1", "natural": "a natural number", "integer": "an integer",
                "label": "a natural number"}.get(v.domain, v.domain)  # fmt: skip
        raise Clash(f"`{v.name}` is {need}, and `{model.written(e.span)}` is not", e.span, "outside",
                    [Witness(model.places[v.name], v.domain)])  # fmt: skip


def number(model: Elaboration, e: tree.Expression) -> float | Fraction:
    """A number worked out now: 1e-3, 1/2, sqrt(2)."""
    s = model.reader().scalar(e, "this")
    if isinstance(s, Num) and not isinstance(s.value, str):
        return s.value
    if variables_of(s) or any(isinstance(n, Dim) for n in walk(s)):
        raise Clash("a number is needed here", e.span, "not a number", model.reader().witnesses(e),
                    help="it is worked out when the spec is read, from numbers alone")  # fmt: skip
    try:
        (value,) = evaluate([tensor((), s)], Point({}))
    except NotEvaluable:
        raise Clash("a number is needed here", e.span, "not a number") from None
    if not np.isfinite(value):
        raise Clash(f"`{model.written(e.span)}` is not finite", e.span, f"is {float(value)}")
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
            names = names | {n for spec in e.specs for n in ((spec.name,) if isinstance(spec, tree.IndexSpec) else spec.names)}
        if isinstance(e, tree.Name) and e.name not in names and e.name not in ("pi", "e", "inf", "None", "True", "False"):
            if e.name not in model.statements and e.name not in model.heads:
                raise reader.unknown_name(e.name, e.span)
        if isinstance(e, tree.Call) and not e.log:
            if e.function == s.name.name:
                raise Clash(f"`{s.name.name}` calls itself", e.span, "a function must not be recursive",
                            help="a sequence may be: `let h[0] = ..` and `let h[t: 1..T] = ..`")  # fmt: skip
            if isinstance(model.statements.get(e.function), tree.Def):
                model.scope.find(e.function)
            elif e.function not in model.statements and not reader.is_known_function(e.function):
                raise reader.unknown_name(e.function, e.name_span, "function")
        stack.extend((p, names) for p in parts_of(e))


def define_unknown(model: Elaboration, name: str, s: tree.Function) -> None:
    shapes: list[tuple[Scalar, ...] | None] = []
    for v in s.head.variables:
        if tree.indices_of(v):
            raise Clash("a function that is not known takes whole variables", v.span, "an entry")
        shapes.append(None if v.domain is None else domain(model, v.domain, v.name.name)[2])
    word = "real"
    if s.range is not None:
        word, _, shape = domain(model, s.range, name)
        if shape:
            raise Clash("an unknown function is real-valued", s.range.span, shape_text(shape))
    made = UnknownFunction(name, tuple(shapes), word, s.head.name.span)
    model.out.functions[name] = made
    model.bind(name, made)

"""Formulas of LaTeX beside a spec: a display is read in the names of the spec, and each chain of relations is a claim,
whose carets stand in the document.

What a document defines itself, `H = X^\\top X`, `f(t) = t^2`, `p_i := ..`, of names that the spec does not declare, is
told and holds from there on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from symgen.derivation.derivation import Evidence
from symgen.facade import Model
from symgen.probability.families.distributions import FAMILIES
from symgen.render.shapes import Shape, shape_of
from symgen.render.writing import size_tree
from symgen.tensor.expression import Scalar
from symgen.tensor.scope import names_in
from symgen.text import tree
from symgen.text.diagnostics import Diagnostic, Label, SpecError
from symgen.text.excerpt import line_and_column
from symgen.text.latex import Chain, Definition, Law, Macro, Symbols, Unread, definitions, displays, read_display
from symgen.text.latex.vocabulary import CHECKED
from symgen.text.names import near_name
from symgen.text.tree import Source, Span
from symgen.verify.check import check_claim, shapes_of
from symgen.verify.verdict import Verdict, of_chain

_LABEL = re.compile(r"\\label\s*\{([^{}]*)\}")
PRIMES = 3  # derivatives of a function of one number that are read: f', f'', f'''
ROUNDS = 3  # names that are defined further below are looked for that often


# --- the names of a spec ----------------------------------------------------------------------------------------------


def symbols_of(model: Model) -> Symbols:
    """The names of a model, as the reader of LaTeX asks for them."""
    e = model.elaborated
    shapes: dict[str, Shape] = {}
    laws: dict[str, Law] = {}
    bodies: dict[str, tuple[tuple[str, ...], tree.Expression]] = {}

    def shape(sizes: tuple[Scalar, ...]) -> Shape:
        return tuple(size_tree(s) for s in sizes)

    for array, name in e.names.items():
        shapes[name] = shape(array.shape)
    for name, array in e.lets.items():
        shapes[name] = shape(array.shape)
    for name, declared in e.variables.items():
        shapes[name] = shape(declared.variable.shape)
    shapes.update(dict.fromkeys(e.dims, ()))
    for name, joint in e.joints.items():
        unknown = any(isinstance(s, tree.Density) and any(h.name.name == name for h in s.heads) for s in e.spec.statements)
        for v in (*joint.variables, *joint.outside):
            shapes.setdefault(v.name, shape(v.shape))
        variables, given = (tuple(v.name for v in vs) for vs in (joint.variables, joint.outside))
        laws[name] = Law(name, "density" if unknown else "dist", variables, given)
    for name, f in e.functions.items():
        laws[name] = Law(name, "function", ("x",) * len(f.shapes))
    for s in e.spec.statements:
        if isinstance(s, tree.Def):
            parameters = tuple(p.name for p in s.parameters)
            laws[s.name.name] = Law(s.name.name, "function", parameters)
            bodies[s.name.name] = (parameters, s.body)

    def shape_in(x: tree.Expression, names: Mapping[str, Shape]) -> Shape | None:
        if isinstance(x, tree.Call) and x.function in e.functions:
            return ()
        if isinstance(x, tree.Call) and x.function in bodies:
            parameters, body = bodies[x.function]
            known = {p: s for p, a in zip(parameters, x.arguments, strict=False) if (s := shape_in(a, names)) is not None}
            return shape_of(body, {**names, **known})
        return shape_of(x, names)

    depends = {name: frozenset(_made_of(model, name)) for name in [*e.lets, *e.losses] if name in shapes}
    data = frozenset(n for n, v in e.variables.items() if v.variable.role == "data")
    return Symbols(shapes, laws, depends, _families(), shape_in, frozenset(e.dims), data, frozenset([*e.variables, *e.lets]),
                   built_in=model._elaborator.reader().is_built_in)  # fmt: skip


def _made_of(model: Model, name: str) -> Iterator[str]:
    """The names that a named value is made of, those in other named values too."""
    e = model.elaborated
    values = {s.name.name: s.value for s in e.spec.statements if isinstance(s, tree.Let)}
    waiting, seen = [name], {name}
    while waiting:
        value = values.get(waiting.pop())
        stack: list[object] = [value]
        while stack:
            x = stack.pop()
            word = x.name if isinstance(x, tree.Name) else x.function if isinstance(x, tree.Call) else None
            if word is not None and word not in seen:
                seen.add(word)
                yield word
                waiting.append(word)
            if isinstance(x, tree.Tree):
                stack.extend(v for v in vars(x).values() if isinstance(v, (tree.Tree, tuple)))
            elif isinstance(x, tuple):
                stack.extend(x)


def _families() -> dict[str, str]:
    """The families by the words that stand for them on paper."""
    words = {name: name for name in FAMILIES}
    for name, row in FAMILIES.items():
        found = re.fullmatch(r"\\(?:operatorname|mathcal|mathrm)\{(\w+)\}", row.latex or "")
        if found:
            words.setdefault(found[1], name)
    return words | {"N": "Normal", "U": "Uniform" if "Uniform" in FAMILIES else words.get("U", "Uniform"), "Ber": "Bernoulli",
                    "Bern": "Bernoulli", "Poi": "Poisson", "Unif": "Uniform", "Normal": "Normal"}  # fmt: skip


# --- the verdicts on displays -----------------------------------------------------------------------------------------


@dataclass
class _Display:
    """A display of a document, and what was read in it."""

    source: Source
    span: Span
    macros: Mapping[str, Macro]
    verdicts: list[Verdict]
    missing: frozenset[str] = frozenset()  # names that nothing declares


@dataclass
class Paper:
    """The displays of a document, read one after the other in the scope of a model and of their own definitions."""

    model: Model
    seconds: float | None = None
    displays: list[_Display] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)  # of the names that the document defines
    numeric: set[str] = field(default_factory=set)  # its functions, which are of numbers
    mute: set[str] = field(default_factory=set)  # their parameters

    def __post_init__(self) -> None:
        self.symbols = symbols_of(self.model)
        self.define([])

    def read(self, source: Source, markdown: bool = False, macros: Mapping[str, Macro] | None = None) -> None:
        """Read all displays of a text."""
        own, places = definitions(source.text)
        known = {**(macros or {}), **own}
        for span in displays(source.text, markdown, places):
            self.displays.append(_Display(source, span, known, []))
            self.judge(self.displays[-1])

    def verdicts(self) -> list[Verdict]:
        """One verdict for each chain of relations, those first read again that use names defined below them."""
        for _ in range(ROUNDS):
            waiting = [d for d in self.displays if d.missing & self.places.keys()]
            for display in waiting:
                self.judge(display)
            if not waiting:
                break
        return [v for d in self.displays for v in d.verdicts]

    def judge(self, d: _Display) -> None:
        """The verdicts on one display."""
        d.verdicts, d.missing = [], frozenset()
        display = read_display(d.source, d.span, self.symbols, d.macros)
        label = _LABEL.search(d.source.text, d.span.start, d.span.end)
        if display.mistake is not None:
            bad = display.mistake
            name = label[1] if label else _line(d.source, bad.position)
            d.verdicts.append(Verdict("malformed", evidence=Evidence("malformed"), reason=bad.message, name=name, diagnostic=bad))
            return
        own = set(self.places)
        for k in range(len(display.chains)):
            chain = display.chains[k]
            again = chain.sides[0].name if chain.assigned and isinstance(chain.sides[0], tree.Name) else ""
            value = chain.sides[1] if again in self.places else None
            if isinstance(value, tree.Expression) and again not in {n.name for n in names_in(value)}:
                self.forget(again)
                chain = replace(chain, defined=Definition(again))
            if chain.defined is not None:
                found = self.definition(d.source, chain)
                if found is not None:
                    d.verdicts.append(replace(found, name=self.named(d, label, display.chains, chain)))
                    if self.places.keys() - own:  # the rest is read with the new name
                        display = read_display(d.source, d.span, self.symbols, d.macros)
                    continue
            d.missing |= {n for side in chain.unread for n, _ in side.undeclared}
            if _is_claim(chain, self.symbols):
                found = self.noted(_verdict(self.model, self.symbols, d.source, chain, self.seconds), chain)
                d.verdicts.append(replace(found, name=self.named(d, label, display.chains, chain)))

    def named(self, d: _Display, label: re.Match[str] | None, chains: tuple[Chain, ...], chain: Chain) -> str:
        claims = [c for c in chains if _is_claim(c, self.symbols)]
        return label[1] if label and len(claims) == 1 else _line(d.source, chain.span.start)

    # --- definitions

    def definition(self, source: Source, chain: Chain) -> Verdict | None:
        """The verdict on a chain that begins with a definition; None where it cannot be one."""
        defined, value = chain.defined, chain.sides[1]
        assert defined is not None and isinstance(value, tree.Expression)
        name = tree.Name(defined.name)
        made: list[tree.Statement] = [tree.Let(name, None, value)]
        if defined.parameters:
            parameters = tuple(map(tree.Name, defined.parameters))
            made = [tree.Def(name, parameters, value)]
            self.numeric.add(defined.name)
            new = tuple(tree.Declared(p, tree.Domain("real")) for p in parameters if not self.symbols.declares(p.name))
            if new:  # in f'(t) = .. below, t is any number
                self.mute |= {p.name.name for p in new}
                made.append(tree.Declaration("data", new))
        try:
            self.define(made)
        except SpecError as error:
            self.numeric.discard(defined.name)
            bad = error.diagnostics[0]
            found = Diagnostic(bad.message, source, (Label(_within(value.span, source), "", True),), bad.notes, bad.help)
            return Verdict("malformed", evidence=Evidence("malformed"), reason=bad.message, diagnostic=found)
        self.places[defined.name] = _line(source, chain.span.start)
        if len(chain.sides) > 2:
            rest = replace(chain, sides=chain.sides[1:], relations=chain.relations[1:], defined=None)
            return replace(_verdict(self.model, self.symbols, source, rest, self.seconds), defines=defined.name)
        reason = f"`{defined.name}` is not declared in the spec: this is its definition"
        head = tree.Call(defined.name, tuple(map(tree.Name, defined.parameters))) if defined.parameters else name
        said = tree.Claim(None, head, (replace(chain.relations[0], value=value),), span=chain.span)
        return replace(_open(reason), defines=defined.name, claim=said, shapes=shapes_of(self.model.elaborated))

    def define(self, statements: list[tree.Statement]) -> None:
        """Go on with more statements, and the derivatives f', f'' of the functions of one number."""
        e = self.model.elaborated
        new = [*statements]
        for s in [*e.spec.statements, *statements]:
            if isinstance(s, tree.Def) and len(s.parameters) == 1 and not s.name.name.endswith("_prime"):
                names = [s.name.name + "_prime" * k for k in range(PRIMES + 1)]
                if not any(n in e.declared for n in names[1:]) and not any(n in self.numeric for n in names[1:]):
                    self.numeric.update(names[1:])
                    new += [_slope(f, g, s.parameters[0]) for f, g in pairwise(names)]
        if not new:
            return
        self.model = Model(replace(e.spec, statements=(*e.spec.statements, *new)))
        symbols = symbols_of(self.model)
        laws = {n: replace(law, scalar=True) if n in self.numeric else law for n, law in symbols.laws.items()}
        self.symbols = replace(symbols, laws=laws, mute=frozenset(self.mute))

    def forget(self, name: str) -> None:
        """Leave out a definition of the document, in whose place another comes."""
        e = self.model.elaborated
        kept = tuple(s for s in e.spec.statements if not (isinstance(s, tree.Let) and s.name.name == name))
        self.model.elaborated.spec = replace(e.spec, statements=kept)

    def noted(self, v: Verdict, chain: Chain) -> Verdict:
        """A refuted verdict with the places where the document defines what its left side names."""
        first = chain.sides[0]
        name = first.name if isinstance(first, tree.Name) else first.function if isinstance(first, tree.Call) else ""
        if v.status != "refuted" or name not in self.places or v.diagnostic is None:
            return v
        note = f"`{name}` is defined {self.places[name]}"
        return replace(v, diagnostic=replace(v.diagnostic, notes=(*v.diagnostic.notes, note)))


def _slope(f: str, slope: str, parameter: tree.Name) -> tree.Def:
    """def f_prime(t) = d(f(t), t)"""
    return tree.Def(tree.Name(slope), (parameter,), tree.Call("d", (tree.Call(f, (parameter,)), parameter)))


def verdicts_of_displays(model: Model, source: Source, seconds: float | None = None) -> list[Verdict]:
    """One verdict for each chain of relations in the displays of a text."""
    paper = Paper(model, seconds)
    paper.read(source)
    return paper.verdicts()


def _line(source: Source, position: int) -> str:
    return f"in line {line_and_column(source, position)[0]}"


def _is_claim(chain: Chain, symbols: Symbols) -> bool:
    """Whether a chain says something about the names of the spec that can be true or false."""
    if not any(step.relation in CHECKED or step.relation == "approx" for step in chain.relations):
        return False
    return any(isinstance(x, tree.Expression) for x in chain.sides) or any(u.mistake or u.mentions for u in chain.unread)


def _verdict(model: Model, symbols: Symbols, source: Source, chain: Chain, seconds: float | None) -> Verdict:
    """The verdict on a chain; steps that were not read stand in their places."""
    if chain.claim is not None:
        return check_claim(model, chain.claim, source, seconds)
    steps: list[Verdict | None] = [None] * len(chain.relations)
    first: tree.Expression | None = None
    made: list[tree.ClaimStep] = []
    at: list[int] = []
    passed: list[str] = []  # the relations since the last side that was read
    for k, side in enumerate(chain.sides):
        step = chain.relations[k - 1] if k else None
        if step is not None:
            passed.append(step.relation)
        if isinstance(side, Unread):
            if k:
                steps[k - 1] = _unread(symbols, source, side)
            elif steps:
                steps[0] = _unread(symbols, source, side)
            continue
        relation = _composed(passed)
        if first is None:
            first = side
        elif step is not None and relation is not None:
            made.append(replace(step, relation=relation))
            at.append(k - 1)
        elif step is not None:
            steps[k - 1] = steps[k - 1] or _open("the step before it is not read, and its relation is another")
            continue
        passed = []
    claim = tree.Claim(None, first or tree.Name("_"), tuple(made), span=chain.span)
    shapes = {}
    if made:
        found = check_claim(model, claim, source, seconds)
        shapes = dict(found.shapes)
        for k, verdict in zip(at, found.steps, strict=True):
            steps[k] = verdict
    whole = of_chain([s or _open("the step before it is not read") for s in steps], "", claim)
    return replace(whole, shapes=shapes)


def _composed(relations: list[str]) -> str | None:
    """The relation of the ends of a chain: <= of = and <=; None where it has none."""
    kinds = {r for r in relations if r != "="}
    if not kinds <= CHECKED:
        return None
    if not kinds:
        return "="
    if kinds <= {"<=", "<"}:
        return "<" if "<" in kinds else "<="
    if kinds <= {">=", ">"}:
        return ">" if ">" in kinds else ">="
    return relations[0] if len(relations) == 1 else None


def _open(reason: str) -> Verdict:
    return Verdict("unknown", evidence=Evidence("unknown", tried=(reason,)), reason=reason)


def _unread(symbols: Symbols, source: Source, side: Unread) -> Verdict:
    if side.mistake is not None:
        return Verdict("malformed", evidence=Evidence("malformed"), reason=side.reason, diagnostic=side.mistake)
    labels: list[Label] = []
    help = None
    for name, span in side.undeclared[:4]:
        near = near_name(name, [*symbols.shapes, *symbols.laws])
        help = help or (f"did you mean `{near}`?" if near else None)
        labels.append(Label(span, "not declared", not labels))
    labels = labels or [Label(_within(side.span, source), "not read", True)]
    found = Diagnostic(side.reason, source, tuple(labels), (), help, "note")
    return Verdict("unknown", evidence=Evidence("unknown", tried=(side.reason,)), reason=side.reason, diagnostic=found)


def _within(span: Span, source: Source) -> Span:
    return Span(min(span.start, len(source.text)), min(max(span.end, span.start + 1), len(source.text)))

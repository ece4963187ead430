"""Derivations in documents: specs, fenced blocks of Markdown, cells of notebooks; and formulas of LaTeX, beside a spec.

Lines that are not of the language are blanked, so that every excerpt shows the line of the document. A display of LaTeX
is read in the names of the spec: each chain of relations is a claim, whose carets stand in the document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from symgen.derivation.derivation import Evidence
from symgen.facade import Model, load, loads
from symgen.probability.distributions import FAMILIES
from symgen.render.shapes import Shape, shape_of
from symgen.render.writing import size_tree
from symgen.tensor.expression import Scalar
from symgen.text import tree
from symgen.text.diagnostics import CannotDerive, DataError, Diagnostic, Label
from symgen.text.excerpt import line_and_column
from symgen.text.latex import Chain, Law, Macro, Symbols, Unread, definitions, displays, read_display
from symgen.text.latex.vocabulary import CHECKED
from symgen.text.names import near_name
from symgen.text.parse import decoded
from symgen.text.tree import Source, Span
from symgen.verify.check import check_claim
from symgen.verify.verdict import Verdict, of_chain

FENCE = re.compile(r"^\s{0,3}(`{3,}|~{3,})\s*(\S*)")
WORDS = ("symgen", "sg")
MARKDOWN = (".md", ".markdown", ".rmd", ".qmd")
LATEX = (".tex", ".ltx", ".latex")
_LABEL = re.compile(r"\\label\s*\{([^{}]*)\}")
_INPUT = re.compile(r"^[^%\n]*\\(?:input|include|usepackage|RequirePackage)\s*\{([A-Za-z0-9_./-]+)\}", re.MULTILINE)


def markdown_spec(text: str) -> str:
    """The fenced blocks marked `symgen` or `sg`, every other line empty."""
    out: list[str] = []
    fence, inside = "", False
    for line in text.splitlines():
        found = FENCE.match(line)
        if not fence and found:
            fence, inside = found.group(1), found.group(2).strip("{.}").lower() in WORDS
            out.append("")
        elif fence and found and found.group(1).startswith(fence) and not found.group(2):
            fence, inside = "", False
            out.append("")
        else:
            out.append(line if inside else "")
    return "\n".join(out) + "\n"


def _cells(text: str) -> list[dict[str, object]]:
    try:
        cells = json.loads(text)["cells"]
        return [{"kind": c.get("cell_type"), "source": "".join(c["source"])} for c in cells]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise DataError("this is not a Jupyter notebook") from None


def notebook_spec(text: str) -> str:
    """The cells that begin with %%symgen, one after the other. Raises DataError for what is no notebook."""
    sources = [str(c["source"]) for c in _cells(text) if c["kind"] == "code"]
    return "\n".join(s.split("\n", 1)[1] if "\n" in s else "" for s in sources if s.startswith("%%symgen"))


def read_document(path: str | Path, spec: str | Path | None = None) -> Model:
    """The model of a document: the declarations of `spec`, then what stands in the document."""
    path = Path(path)
    kind = path.suffix.lower()
    if kind in LATEX:
        if spec is None:
            raise CannotDerive("the formulas of a LaTeX document are read in the names of a spec: give `spec=`", None)
        return load(spec)
    text = decoded(path.read_bytes(), str(path))
    own = markdown_spec(text) if kind in MARKDOWN else notebook_spec(text) if kind == ".ipynb" else text
    if spec is None:
        return loads(own, str(path))
    before = decoded(Path(spec).read_bytes(), str(spec))
    lines = before.count("\n") + 1
    return loads(f"{before}\n{own}", str(path) if own.strip() else str(spec), -lines if own.strip() else 0)


def verify_document(path: str | Path, spec: str | Path | None = None, seconds: float | None = None) -> list[Verdict]:
    """The verdicts on all claims of a document (.sg .md .ipynb .tex), read in the scope of `spec` where one is given.

    With a spec, the displays of LaTeX are read too (equation, align, $$ .. $$ and their kin; of Markdown and notebooks
    those outside code). Each chain of relations is one verdict, named by its label or its line, with one step for each
    relation. What uses a name that is not declared, or cannot be read, is `unknown` and says why; a slip of the LaTeX
    itself is `malformed`. Left out are displays without relations, declarations such as x in R^n, and those in which no
    declared name stands. Raises SpecError where a spec does not parse, CannotDerive for LaTeX without a spec.
    """
    model = read_document(path, spec)
    verdicts = model.verify(seconds) if Path(path).suffix.lower() not in LATEX else []
    if spec is None:
        return verdicts
    symbols = symbols_of(model)
    for source, markdown, macros in _sources(Path(path)):
        verdicts.extend(verdicts_of_displays(model, symbols, source, markdown, macros, seconds))
    return verdicts


def _sources(path: Path) -> Iterator[tuple[Source, bool, dict[str, Macro]]]:
    """The texts of a document that hold displays, and the macros from elsewhere."""
    kind = path.suffix.lower()
    if kind not in (*LATEX, *MARKDOWN, ".ipynb"):
        return
    text = decoded(path.read_bytes(), str(path))
    if kind != ".ipynb":
        yield Source(text, str(path)), kind in MARKDOWN, _preamble(path, text) if kind in LATEX else {}
        return
    for k, cell in enumerate(_cells(text), 1):
        if cell["kind"] == "markdown":
            yield Source(str(cell["source"]), f"{path}, cell {k}"), True, {}


def _preamble(path: Path, text: str) -> dict[str, Macro]:
    """The macros of files beside the document that it takes in."""
    found: dict[str, Macro] = {}
    folder = path.parent.resolve()
    for m in list(_INPUT.finditer(text))[:20]:
        for suffix in (".tex", ".sty", ""):
            other = (folder / (m[1] + suffix)).resolve()
            if other.is_relative_to(folder) and other.suffix in (".tex", ".sty", ".cls") and other.is_file():
                if other.stat().st_size < 1_000_000:
                    found.update(definitions(other.read_bytes().decode("utf-8", "replace"))[0])
                break
    return found


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
    return Symbols(shapes, laws, depends, _families(), shape_in, frozenset(e.dims))


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


def verdicts_of_displays(
    model: Model, symbols: Symbols, source: Source, markdown: bool = False,
    macros: Mapping[str, Macro] | None = None, seconds: float | None = None,
) -> list[Verdict]:  # fmt: skip
    """One verdict for each chain of relations in the displays of a text."""
    own, places = definitions(source.text)
    known = {**(macros or {}), **own}
    out: list[Verdict] = []
    for span in displays(source.text, markdown, places):
        display = read_display(source, span, symbols, known)
        label = _LABEL.search(source.text, span.start, span.end)
        if display.mistake is not None:
            bad = display.mistake
            name = label[1] if label else _line(source, bad.position)
            out.append(Verdict("malformed", evidence=Evidence("malformed"), reason=bad.message, name=name, diagnostic=bad))
            continue
        chains = [c for c in display.chains if _is_claim(c, symbols)]
        for chain in chains:
            name = label[1] if label and len(chains) == 1 else _line(source, chain.span.start)
            out.append(replace(_verdict(model, symbols, source, chain, seconds), name=name))
    return out


def _line(source: Source, position: int) -> str:
    return f"in line {line_and_column(source, position)[0]}"


def _is_claim(chain: Chain, symbols: Symbols) -> bool:
    """Whether a chain says something about the names of the spec that can be true or false."""
    if not any(step.relation in CHECKED or step.relation == "approx" for step in chain.relations):
        return False
    return any(isinstance(x, tree.Expression) for x in chain.sides) or any(u.mistake for u in chain.unread)


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



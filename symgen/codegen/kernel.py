"""A kernel: the function that computes some arrays from the arrays and sizes below them, as source."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from symgen.codegen.backend import Backend
from symgen.codegen.contraction import nominal_size
from symgen.codegen.emit import Emitter
from symgen.codegen.lower import lower
from symgen.codegen.program import VIEWS, Value
from symgen.codegen.sampling import NOISE, changed, followed, is_linear_in_expectations, sampled
from symgen.codegen.sizes import dims_of, sights
from symgen.codegen.stable import stabilised
from symgen.codegen.tensor_emit import TensorEmitter
from symgen.codegen.words import ATOM, Names, size_text
from symgen.tensor.expression import ZERO, Array, Dim, Expect, Scalar, Var, dim

__all__ = ["SAMPLES", "Kernel", "make_kernel"]

SAMPLES = dim("samples of each expectation")
LARGE = 4000  # entries at nominal sizes; smaller arrays are not worth a statement of their own


@dataclass
class Kernel:
    """The source of a function of `inputs`, then `told` (dims that no input shows), then `rng` and `samples` where it
    draws. `lifted`: its noise has an axis of samples; `repeated`: some noise is drawn once a call."""

    name: str
    inputs: list[Var]
    told: list[Dim]
    source: str
    helpers: dict[str, None]
    imports: dict[str, None]
    draws: bool
    lifted: bool
    repeated: bool


def make_kernel(
    name: str,
    outputs: Mapping[str, Array],
    names: Mapping[Array, str],
    formula: Callable[[Array], str] | None,
    order: Sequence[Var],
    rows: Scalar | None,
    result: Callable[[Mapping[str, str]], str],
    doc: str = "",
    called: Mapping[str, str] | None = None,
    backend: Backend | None = None,
) -> Kernel:
    """The kernel of `outputs`. `order` sorts its inputs; `rows` is the number of rows of the data: noise that has a row
    each is drawn once and `repeated` for more samples, other noise is `lifted` to an axis of samples. `result` makes
    the returned expression from the texts of the outputs, `called` names outputs that have no name. Without a `backend`
    it is written in NumPy."""
    linear = is_linear_in_expectations(*outputs.values())

    def lifts(e: Expect) -> bool:
        return not linear or not any(v.shape and v.shape[0] is rows for v in e.noise)

    made, noise, renamed = sampled(outputs, SAMPLES, lifts)
    made, renewed = stabilised(made)
    known = followed(names, renamed, renewed)
    written = {new: old for old, new in changed(names, renamed, renewed).items()}

    def words(array: Array) -> str:
        return formula(written.get(array, array)) if formula is not None else ""

    program = lower(made, known, words, () if rows is None else (rows,))
    for key, word in (called or {}).items():
        output = program.outputs[key]
        if output.name is None and output.op not in ("input", "num", "size", *VIEWS):
            output.name = word
    values = program.reachable(program.outputs.values())
    used = {v.attrs[0] for v in values if v.op == "input"}
    inputs = [v for v in order if v in used]
    missing = used.difference(inputs, noise)
    if missing:
        raise KeyError(f"variables that nobody gives: {sorted(v.name for v in missing)}")
    taken = Names()
    arguments: dict[Var | Dim, str] = {v: taken.new(v.name) for v in (*inputs, *noise)}
    needed: dict[Dim, None] = {}
    laws = sorted(noise.items(), key=lambda x: (x[0].name, x[0].serial))
    needed.update(dict.fromkeys(d for v in noise for s in v.shape for d in dims_of(s)))
    for v in values:
        sizes = [x for x in (*v.attrs, *v.shape) if getattr(x, "is_scalar_node", False)]
        for x in v.attrs:
            if isinstance(x, tuple):
                sizes.extend(y for y in _flat(x) if getattr(y, "is_scalar_node", False))
        for s in sizes:
            needed.update(dict.fromkeys(dims_of(s)))
    dims: dict[Scalar, str] = {d: taken.new("samples" if d is SAMPLES else d.name) for d in needed}
    nominal: dict[Scalar, float] = {} if rows is None else {rows: 1000.0, SAMPLES: 1000.0}

    def large(v: Value) -> bool:
        entries = 1.0
        for s in v.shape:
            entries *= nominal_size(s, nominal)
        return v.rank > 1 and entries >= LARGE

    given_names = {v: arguments[v] for v in (*inputs, *noise)}
    emitter = (
        Emitter(program, taken, dims, given_names, large)
        if backend is None
        else TensorEmitter(program, taken, dims, given_names, backend)
    )
    roots = list(program.outputs.values())
    body = emitter.emit(roots)
    bases = Counter(_base(r).serial for r in roots)
    texts = {key: _owned(emitter, v, bases, backend) for key, v in program.outputs.items()}
    drawn: list[str] = []
    for variable, law in laws:
        shape = "(" + ", ".join(size_text(s, dims) for s in variable.shape) + ("," if variable.rank == 1 else "") + ")"
        if backend is None:
            text = NOISE[law.lower()].format(shape=shape)
        else:
            text = backend.noise[law.lower()].format(shape, len(drawn))
            emitter.helpers[f"drawn_{law.lower()}"] = None
        drawn.append(f"    {arguments[variable]} = {text}")
    prologue, told = _sizes_shown(inputs, arguments, dims, " ".join([*drawn, *body, *texts.values()]))
    if emitter.needs_dtype or drawn:
        first = next((arguments[v] for v in inputs if v.role != "const" or backend is not None), None)
        if backend is not None:
            prologue.append("    " + (backend.prologue.format(first) if first else backend.alone))
        else:
            prologue.append("    dtype = " + (f"{first}.dtype" if first else "np.dtype(np.float64)"))
    if emitter.risky:
        body = ['    with np.errstate(all="ignore"):  # in branches that are not taken', *("    " + line for line in body)]
        body.append("        return " + result(texts))
    else:
        body.append("    return " + result(texts))
    given = [arguments[v] for v in inputs] + [dims[d] for d in told if d is not SAMPLES]
    lifted = any(SAMPLES in v.shape for v in noise)
    given += (["rng"] if noise else []) + (["samples"] if lifted else [])
    lines = [f"def {name}({', '.join(given)}):", *([f'    """{doc}"""'] if doc else []), *prologue, *drawn, *body]
    return Kernel(
        name, inputs, [d for d in told if d is not SAMPLES], "\n".join(lines), emitter.helpers, emitter.imports,
        bool(noise), lifted, any(SAMPLES not in v.shape for v in noise),
    )  # fmt: skip


def _owned(emitter: Emitter, value: Value, bases: Mapping[int, int], backend: Backend | None) -> str:
    """The text of an output, copied where it would share memory with an input or another output."""
    base = _base(value)
    if isinstance(emitter, TensorEmitter) and backend is not None:
        if base.op == "input" or bases[base.serial] > 1:
            return backend.owned.format(emitter.array_text(value, ATOM))
        return emitter.array_text(value)
    text = emitter.text(value)
    return f"np.array({text})" if (base.op == "input" or bases[base.serial] > 1) and value.rank else text


def _base(value: Value) -> Value:
    while value.op in VIEWS:
        value = value.args[0]
    return value


def _flat(x: tuple[object, ...]) -> list[object]:
    out: list[object] = []
    for y in x:
        out.extend(_flat(y) if isinstance(y, tuple) else [y])
    return out


def _sizes_shown(
    inputs: Sequence[Var], arguments: Mapping[Var | Dim, str], dims: Mapping[Scalar, str], text: str
) -> tuple[list[str], list[Dim]]:
    """Lines that read the sizes used in `text` off the inputs, and the sizes that none shows."""

    wanted = [d for d, name in dims.items() if re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", text)]
    lines: list[str] = []
    left = list(wanted)
    for v in inputs:
        own = [s for s in v.shape if s in left]
        if not own:
            continue
        if len(v.shape) == len(set(own)) == len(own):
            pattern = ", ".join(dims[s] for s in v.shape) + ("," if len(own) == 1 else "")
            lines.append(f"    {pattern} = {arguments[v]}.shape")
        else:
            lines.extend(f"    {dims[s]} = {arguments[v]}.shape[{v.shape.index(s)}]" for s in dict.fromkeys(own))
        left = [d for d in left if d not in own]
    seen = [d for d in wanted if d not in left]
    for sight in sights(inputs, [d for d in seen if isinstance(d, Dim)]):  # x: real[T + 1] shows T
        if sight.dim in left and all(d in seen for d in dims_of(sight.offset)):
            length = f"{arguments[sight.variable]}.shape[{sight.axis}]"
            text = length if sight.offset is ZERO else f"{length} - {size_text(sight.offset, dims, 4)}"
            if sight.factor != 1:
                text = f"({text}) // {sight.factor}" if sight.offset is not ZERO else f"{text} // {sight.factor}"
            lines.append(f"    {dims[sight.dim]} = {text}")
            left.remove(sight.dim)
            seen.append(sight.dim)
    return lines, [d for d in left if isinstance(d, Dim)]

"""Arrays to a function of numbers: lowered, printed, checked, and run as our own source."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symgen.codegen.emit import Emitter
from symgen.codegen.lower import lower
from symgen.codegen.runtime import within
from symgen.codegen.sampling import NOISE, followed, sampled
from symgen.codegen.sizes import dims_of, sights, substitute_dims
from symgen.codegen.sources import source_of
from symgen.codegen.stable import stabilised
from symgen.codegen.words import Names
from symgen.tensor.expression import Array, Dim, Scalar, Var, dim, variables_of
from symgen.text.diagnostics import DataError, InternalError

__all__ = ["Compiled", "Estimate", "check_source", "compile_arrays"]


SAMPLES = dim("samples of each expectation")
BATCHES = 16  # an estimate is the mean of 16 averages, which show its standard error


class Compiled:
    """A function of arrays and sizes. `source` is what runs; `is_random` says that it draws noise, with a seed."""

    def __init__(self, outputs: Mapping[str, Array], names: Mapping[Array, str] | None = None) -> None:
        self.outputs, self.noise, renamed = sampled(outputs, SAMPLES, lambda _: True)
        self.outputs, renewed = stabilised(self.outputs)
        self.is_random = bool(self.noise)
        variables: dict[Var, None] = {}
        for array in outputs.values():
            variables.update(dict.fromkeys(sorted(variables_of(array), key=lambda v: v.serial)))
        self.variables = list(variables)
        self.dims = dims_of(*self.outputs.values(), *self.variables)
        self.sights = sights(self.variables)
        self.names = followed(names or {}, renamed, renewed)
        self.source = self.write()
        self.function = run(self.source)

    def write(self) -> str:
        program = lower(self.outputs, self.names)
        taken = Names()
        inputs = {v: taken.new(v.name) for v in self.variables}
        dims: dict[Scalar, str] = {d: taken.new("samples" if d is SAMPLES else d.name) for d in self.dims}
        inputs.update({v: taken.new(v.name) for v in self.noise})
        emitter = Emitter(program, taken, dims, inputs)
        roots = list(program.outputs.values())
        lines = emitter.emit(roots)
        results = ", ".join(f"{name!r}: {emitter.text(v)}" for name, v in program.outputs.items())
        given = (inputs[v] for v in self.variables)
        arguments = ", ".join((*given, *dims.values(), "dtype", *(["rng"] if self.noise else [])))
        draws = [
            f"    {inputs[v]} = " + NOISE[law.lower()].format(shape=emitter.shape_text(v.shape)) for v, law in self.noise.items()
        ]
        body = [f"def compute({arguments}):", *draws, *lines, f"    return {{{results}}}"]
        return "\n".join(header(emitter) + body) + "\n"

    def sizes(self, arrays: Mapping[str, Any], given: Mapping[str, int]) -> dict[Dim, int]:
        """The number that each dim is; shapes that contradict each other or `given` raise DataError."""
        values: dict[Dim, int] = {SAMPLES: 1}
        origin: dict[Dim, str] = {}
        for d in self.dims:
            if d.name in given:
                values[d] = int(given[d.name])
                origin[d] = "the keyword"
        for s in self.sights:
            shape = np.shape(arrays[s.variable.name])
            if len(shape) != s.variable.rank:
                v = s.variable
                raise DataError(f"`{v.name}` has {len(shape)} axes, and should have {v.rank}: {shape_words(v)}")
            if s.dim in values:
                continue
            rest = shape[s.axis] - substitute_dims(s.offset, values)
            if rest % s.factor or rest <= 0:
                raise DataError(f"`{s.variable.name}` has length {shape[s.axis]} where it should have {s.variable.shape[s.axis]}")
            values[s.dim] = rest // s.factor
            origin[s.dim] = f"`{s.variable.name}`"
        missing = [d.name for d in self.dims if d not in values]
        if missing:
            raise DataError(f"no array shows the size `{missing[0]}`: give it as a keyword, {missing[0]}=..")
        for v in self.variables:
            shape = np.shape(arrays[v.name])
            expected = tuple(substitute_dims(s, values) for s in v.shape)
            if shape != expected:
                raise DataError(f"`{v.name}` has the shape {shape}, and should have {expected}: {shape_words(v)}")
        return values

    def refuse_outside(self, arrays: Mapping[str, Any], sizes: Mapping[str, int]) -> None:
        """Raises DataError naming an array that is missing, does not fit or leaves its domain."""
        numbers, values = self.fitted(arrays, sizes)
        for v in self.variables:
            if v.domain != "real":
                count = v.domain_args[0] if v.domain == "label" and v.domain_args else None
                is_known = count is not None and all(d in values for d in dims_of(count))
                top = substitute_dims(count, values) if count is not None and is_known else None
                try:
                    within(v.name, numbers[v.name], v.domain, top)
                except ValueError as error:
                    raise DataError(f"{error} (it is declared {v.domain})") from None

    def fitted(self, arrays: Mapping[str, Any], sizes: Mapping[str, int]) -> tuple[dict[str, Any], dict[Dim, int]]:
        """The arrays as floats of one type, and the sizes that they show."""
        for v in self.variables:
            if v.name not in arrays:
                raise DataError(f"no value for `{v.name}`: {shape_words(v)}")
        numbers = {v.name: real_array(v.name, arrays[v.name]) for v in self.variables}
        dtype = np.result_type(np.float32, *numbers.values()) if numbers else np.dtype(np.float64)
        numbers = {k: a.astype(dtype)[()] for k, a in numbers.items()}
        return numbers, self.sizes(numbers, sizes)

    def __call__(
        self, arrays: Mapping[str, Any], sizes: Mapping[str, int] | None = None, seed: int | None = None
    ) -> dict[str, Any]:
        """The outputs by name: floats for scalars, arrays for the rest."""
        return self.estimate(arrays, sizes, seed)

    def estimate(
        self,
        arrays: Mapping[str, Any],
        sizes: Mapping[str, int] | None = None,
        seed: int | None = None,
        samples: int = 4096,
    ) -> dict[str, Any]:
        """The outputs; where noise is drawn, Monte Carlo estimates of them by at least `samples` draws, each with its
        `standard_error`."""
        numbers, values = self.fitted(arrays, sizes or {})
        dtype = np.result_type(np.float32, *numbers.values()) if numbers else np.dtype(np.float64)
        if self.is_random and samples < 2:
            raise DataError(f"an estimate and its standard error need 2 samples at least, not {samples}")
        batches = min(BATCHES, samples)
        values[SAMPLES] = -(-samples // batches)
        inputs = [*(numbers[v.name] for v in self.variables), *(values[d] for d in self.dims), dtype]
        with np.errstate(all="ignore"):
            if not self.is_random:
                return {k: finished(x, dtype) for k, x in self.function(*inputs).items()}
            if seed is None:
                raise DataError("an expectation without closed form is sampled: give `seed=`")
            rng = np.random.default_rng(seed)
            results = [self.function(*inputs, rng) for _ in range(batches)]
        each = {k: np.array([r[k] for r in results]) for k in results[0]}
        return {
            k: Estimate.of(finished(x.mean(axis=0), dtype), finished(x.std(axis=0, ddof=1) / batches**0.5, dtype))
            for k, x in each.items()
        }


class Estimate(float):
    """A Monte Carlo estimate of a number, with its standard error."""

    standard_error: Any

    @staticmethod
    def of(value: Any, standard_error: Any) -> Any:
        """A float or an array that knows its standard error."""
        made = Estimate(value) if np.ndim(value) == 0 else np.asarray(value).view(EstimateArray)
        made.standard_error = standard_error
        return made

    def __repr__(self) -> str:
        return f"{float(self):.6g} ± {self.standard_error:.2g}"


class EstimateArray(np.ndarray[Any, Any]):
    """A Monte Carlo estimate of an array, with the standard error of each entry."""

    standard_error: Any = None


def finished(x: Any, dtype: np.dtype[Any]) -> Any:
    return float(x) if np.ndim(x) == 0 else np.asarray(x, dtype)


def shape_words(v: Var) -> str:
    if not v.shape:
        return f"`{v.name}` is a number"
    return f"`{v.name}` is declared {v.domain}[{', '.join(map(str, v.shape))}]"


def real_array(name: str, value: Any) -> Any:
    """`value` as an array of real numbers: floats stay as they are, integers and truth values become float64."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise DataError(f"`{name}` is not an array: its rows differ in length") from None
    if array.dtype.kind in "iub":
        return array.astype(np.float64)
    if array.dtype.kind != "f":
        raise DataError(f"`{name}` holds {array.dtype}, and should hold real numbers")
    return array


def header(emitter: Emitter) -> list[str]:
    """Imports and helper functions."""
    lines = ["import numpy as np"]
    if emitter.imports:
        lines.append("from scipy import " + ", ".join(sorted(emitter.imports)))
    lines.append("")
    for text in source_of(emitter.helpers):
        lines.extend(["", *text.rstrip().split("\n"), ""])
    return [*lines, ""]


ALLOWED_IMPORTS = {"numpy", "scipy", "torch", "jax", "math"}
FORBIDDEN = {
    "eval",
    "exec",
    "open",
    "compile",
    "getattr",
    "setattr",
    "globals",
    "locals",
    "vars",
    "input",
    "breakpoint",
}


def check_source(source: str) -> ast.Module:
    """The tree of generated source; anything but arithmetic on arrays in it is a bug of ours."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(a.name.split(".")[0] not in ALLOWED_IMPORTS for a in node.names):
            raise InternalError("generated code imports what it may not")
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] not in ALLOWED_IMPORTS:
            raise InternalError("generated code imports what it may not")
        if isinstance(node, ast.Name) and (node.id in FORBIDDEN or node.id.startswith("__")):
            raise InternalError(f"generated code uses `{node.id}`")
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            raise InternalError(f"generated code uses the attribute `{node.attr}`")
        if isinstance(node, (ast.ClassDef, ast.AsyncFunctionDef, ast.Global, ast.Await)):
            raise InternalError("generated code holds a statement that it may not")
    return tree


def run(source: str) -> Callable[..., dict[str, Any]]:
    """The function `compute` of our own source."""
    code = compile(check_source(source), "<generated by symgen>", "exec")
    namespace: dict[str, Any] = {}
    exec(code, namespace)  # noqa: S102  (source that symgen made, checked above; no text of a user)
    function: Callable[..., dict[str, Any]] = namespace["compute"]
    return function


def compile_arrays(outputs: Mapping[str, Array], names: Mapping[Array, str] | None = None) -> Compiled:
    """A function (arrays, sizes, seed=None) -> values that computes `outputs`; `names` are the author's."""
    return Compiled(outputs, names)

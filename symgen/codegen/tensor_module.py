"""A `Unit` as the source of a module for PyTorch or JAX: losses with gradients, named values and `init`.

The functions take and give arrays of the library, on its device; training is left to its optimisers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symgen.codegen.backend import Backend
from symgen.codegen.kernel import Kernel, make_kernel
from symgen.codegen.layout import dictionary, docstring, initial_kind, initial_words, quoted, spelling_lines, wrapped
from symgen.codegen.module import HELPERS, Writer
from symgen.codegen.sizes import dims_of
from symgen.codegen.sources import source_of
from symgen.codegen.unit import Unit
from symgen.codegen.words import size_text
from symgen.tensor.expression import Array, Dim

__all__ = ["TensorWriter"]


class TensorWriter(Writer):
    def __init__(self, unit: Unit, formula: Callable[[Array], str] | None, backend: Backend) -> None:
        super().__init__(unit, formula)
        self.backend = backend

    def kernel(
        self,
        name: str,
        outputs: Mapping[str, Array],
        result: Callable[[Mapping[str, str]], str],
        called: Mapping[str, str],
    ) -> Kernel:
        kernel = make_kernel(
            name, outputs, self.unit.names, self.formula, self.order, self.rows, result, called=called, backend=self.backend
        )
        self.helpers.update(kernel.helpers)
        self.imports.update(kernel.imports)
        self.parts.append(kernel.source)
        return kernel

    def public(self, name: str, kernel: Kernel, doc: str, wrap: str | None, plural: bool = False) -> None:
        """The function that people call: arrays by name, whose shapes fit."""
        keywords = self.keyword_texts(kernel)
        if kernel.draws:
            keywords += ["seed=0", f"samples={256 if kernel.lifted else 1}"]
            doc += "\n\nA Monte Carlo estimate of an expectation: `samples` draws of the noise by `seed`."
            self.helpers["averaged"] = None
        star = ", *, " + ", ".join(keywords) if keywords else ""
        lines = [self.backend.decorator] if wrap is None and self.backend.decorator else []
        text = f"def {name}(params, data=None{star}):"
        if len(text) > 110:
            text = "\n".join([f"def {name}(", *wrapped(["params", "data=None", "*", *keywords]), "):"])
        lines += [text, *docstring(doc), *self.opened(kernel)]
        call = self.call(kernel, "samples")
        if kernel.draws:
            device = f"{self.local(kernel.inputs[0])}.device" if kernel.inputs else ""
            lines.append("    rng = " + self.backend.rng.format(device))
            if kernel.repeated and not kernel.lifted:
                call = self.backend.repeats.format(call, "samples")
        lines.append(f"    return {call}")
        self.parts.append("\n".join(lines))

    def opened(self, kernel: Kernel) -> list[str]:
        if not kernel.inputs:
            return []
        places: dict[str, list[str]] = {}
        for v in kernel.inputs:
            place = "params" if v in self.params else "consts" if v in self.unit.consts else "data"
            places.setdefault(place, []).append(self.local(v))
        names = [quoted(v.name) for v in kernel.inputs]
        order = ["params" if v in self.params else "consts" if v in self.unit.consts else "data" for v in kernel.inputs]
        comma = "," if len(names) == 1 else ""
        lines = self.respelled()
        if "consts" in order:
            consts = {v.name: self.local(v) for v in kernel.inputs if v in self.unit.consts}
            lines.append("    consts = " + dictionary(consts))
        sizes = dictionary({d.name: self.local(d) for d in kernel.told})
        targets = ", ".join(self.local(v) for v in kernel.inputs) + comma
        line = f"    {targets} = door(({', '.join(names)}{comma}), ({', '.join(order)}{comma}), SHAPES, {sizes})"
        if len(line) > 118:
            line = "\n".join([
                f"    {targets} = door(",
                *("    " + x for x in wrapped([f"({', '.join(names)}{comma})", f"({', '.join(order)}{comma})", "SHAPES", sizes])),
                "    )",
            ])  # fmt: skip
        self.helpers["door"] = None
        self.helpers.update({"needed": None} if kernel.told else {})
        return [*lines, line]

    def init(self) -> None:
        torch = self.backend.name == "torch"
        dims: dict[Dim, None] = {}
        for v in self.params:
            for s in v.shape:
                dims.update(dict.fromkeys(dims_of(s)))
        text = {d: self.local(d) for d in self.all_dims}
        keywords = [f"{self.local(d)}={self.unit.dims.get(d.name)}" for d in self.all_dims]
        keywords += ["dtype=None", "device=None"] if torch else ["dtype=float"]
        lines = [f"def init(seed=0, *, {', '.join(keywords)}):"]
        words = (f"{v.name}: {initial_words(p.initial, p.scale, v)}" for v, p in self.params.items())
        lines += docstring("Parameters to start from.\n\n" + "\n".join(words))
        lines += [f"    {text[d]} = needed({quoted(d.name)}, {text[d]})" for d in dims]
        lines.append("    rng = " + self.backend.rng.format('device or "cpu"'))
        if torch:
            lines.append("    dtype = dtype or torch.get_default_dtype()")
        lines.append("    return {")
        for k, (v, p) in enumerate(self.params.items()):
            kind, scale = initial_kind(p.initial, p.scale, v)
            shape = "(" + ", ".join(size_text(s, text) for s in v.shape) + ("," if len(v.shape) == 1 else "") + ")"
            arguments = [self.backend.stream.format(k), quoted(kind), repr(scale), shape, quoted(v.domain), "dtype"]
            arguments += ["device"] if torch else []
            lines.append(f"        {quoted(v.name)}: initial({', '.join(arguments)}),")
        lines.append("    }")
        self.helpers.update({"initial": None})
        self.helpers.update({"needed": None} if dims else {})
        self.parts.append("\n".join(lines))

    def trains(self) -> None:
        """Training is left to the optimisers of the library."""

    def assembled(self) -> str:
        words = self.module_words().replace("losses, gradients and training", f"losses and gradients in {self.backend.name}")
        lines = docstring(words + "\n\n" + self.backend.says[0].upper() + self.backend.says[1:], indent="")
        lines += ["", *(f"import {name}" for name in sorted(self.imports)), *([""] if self.imports else []), *self.backend.imports]
        lines += self.shape_lines(self.order)
        lines += spelling_lines(self.unit.spellings)
        carried = source_of(self.helpers, self.backend.runtime)
        text = "\n".join(lines)
        for part in (*self.parts, *([HELPERS] if carried else []), *carried):
            text += "\n\n\n" + part.rstrip()
        return text + "\n"

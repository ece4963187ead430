"""A `Program` as lines of source for a backend without in-place updates (PyTorch, JAX)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from symgen.codegen.backend import Backend
from symgen.codegen.backends import DEFAULTS
from symgen.codegen.emit import Emitter, balanced
from symgen.codegen.program import Program, Value
from symgen.codegen.tensor_backends import NUMBERS
from symgen.codegen.words import ATOM, COMPARE, NONE, POWER, PRODUCT, SUM, UNARY, Names
from symgen.tensor.expression import Scalar
from symgen.text.diagnostics import CannotDerive

__all__ = ["TensorEmitter"]

WHERE = "codegen/tensor_backends.py"


def is_known(v: Value) -> bool:
    """Whether a value, or a comparison, is made of numbers and sizes alone, which Python knows."""
    if v.kind == "s":
        return not is_read(v)
    return v.rank == 0 and bool(v.args) and v.op.startswith(("cmp:", "not_", "and_", "or_")) and all(map(is_known, v.args))


def is_read(v: Value) -> bool:
    """Whether an index value comes out of an array."""
    return v.op == "to_int" or any(is_read(a) for a in v.args)


class TensorEmitter(Emitter):
    def __init__(
        self, program: Program, names: Names, dims: Mapping[Scalar, str], inputs: Mapping[Any, str], backend: Backend
    ) -> None:
        super().__init__(program, names, dims, inputs)
        self.backend = backend

    def form(self, name: str, *args: str) -> tuple[str, int]:
        """The text of an operation in this backend."""
        template = self.backend.forms.get(name)
        if template is None:
            raise CannotDerive(f"no code for `{name}` in {self.backend.name}", None, WHERE)
        if name in ("number", "zeros", "ones", "arange", "eye", "cast"):
            self.needs_dtype = True
        if template.startswith("windows("):
            self.helpers["windows"] = None
        return template.format(*args), ATOM

    def array_text(self, v: Value, needed: int = NONE) -> str:
        """The text of a value as an array, also where it is a number."""
        return self.form("number", self.text(v))[0] if v.kind == "s" else self.text(v, needed)

    def shape_text(self, shape: Sequence[Scalar]) -> str:
        return "(" + ", ".join(self.size(s) for s in shape) + ("," if len(shape) == 1 else "") + ")"

    # --- statements ---

    def both(self, v: Value) -> None:
        """softmax as the exponential of its logarithm."""
        items = {x.attrs[0]: x for x in self.program.table.values() if x.op == "item" and x.args[0] is v}
        P, log_P = (
            self.names.new((items[k].name if k in items else None) or word) for k, word in enumerate(("softmax_Z", "log_P"))
        )
        template = self.backend.operations["log_softmax"]
        self.put(f"{log_P} = {template.text.format(self.text(v.args[0]))}")
        self.put(f"{P} = {self.backend.functions['exp'].text.format(log_P)}")
        for k, name in enumerate((P, log_P)):
            if k in items:
                self.texts[items[k].serial] = (name, ATOM)
                self.variables[items[k].serial] = name

    def begin_loop(self, v: Value, name: str, length: str) -> None:
        """The steps stand in a list, which is stacked at the end."""
        self.put(f"{name} = [None] * {length if length.isidentifier() else f'({length})'}")

    def step_text(self, v: Value) -> str:
        return self.array_text(v)

    def in_loop(self, v: Value) -> None:
        if any(a.op == "loopself" for a in v.args) and not (v.op == "index" and v.attrs[0][0] == "pick"):
            raise CannotDerive("a recurrence that reads several times at once", None, WHERE)
        self.statement(v)

    def end_loop(self, name: str) -> None:
        self.put(f"{name} = {self.form('stack', f'*{name}')[0]}")

    # --- numbers ---

    def own(self, text: tuple[str, int]) -> tuple[str, int]:
        return text[0].replace("np.", self.backend.module + "."), text[1]

    def op_num(self, v: Value) -> tuple[str, int]:
        return self.own(super().op_num(v))

    def op_size(self, v: Value) -> tuple[str, int]:
        return self.own(super().op_size(v))

    def op_sqrt(self, v: Value) -> tuple[str, int]:
        if v.kind == "s":
            return f"{self.text(v.args[0], ATOM)} ** 0.5", POWER
        return self.form("sqrt", self.text(v.args[0]))

    def op_pow(self, v: Value) -> tuple[str, int]:
        base = f"float({self.text(v.args[0])})" if v.kind == "s" else self.text(v.args[0], ATOM)
        return f"{base} ** {self.text(v.args[1], ATOM)}", POWER

    # --- elements ---

    def op_where(self, v: Value) -> tuple[str, int]:
        c, a, b = v.args
        if is_known(c):
            return f"{self.array_text(a, COMPARE)} if {self.text(c, COMPARE)} else {self.array_text(b, COMPARE)}", 1
        return self.form("where", self.text(c), self.array_text(a), self.array_text(b))

    def op_not_(self, v: Value) -> tuple[str, int]:
        known = is_known(v.args[0])
        return (f"(not {self.text(v.args[0], SUM)})" if known else f"(~{self.text(v.args[0], ATOM)})"), ATOM

    def op_and_(self, v: Value) -> tuple[str, int]:
        return f"(({self.text(v.args[0])}) & ({self.text(v.args[1])}))", ATOM

    def op_or_(self, v: Value) -> tuple[str, int]:
        return f"(({self.text(v.args[0])}) | ({self.text(v.args[1])}))", ATOM

    def function(self, v: Value, name: str) -> tuple[str, int]:
        if v.kind == "s" and (name in NUMBERS or name not in self.backend.functions):
            called = NUMBERS.get(name)
            if called is None:
                raise CannotDerive(f"`{name}` of a number has no code in {self.backend.name}", None, WHERE)
            if called.startswith("math."):
                self.imports["math"] = None
            return f"{called}({', '.join(self.text(a) for a in v.args)})", ATOM
        template = self.backend.functions.get(name)
        if template is None:
            raise CannotDerive(f"{self.backend.name} has no function `{name}`", None, WHERE)
        self.helpers.update(dict.fromkeys(template.helpers))
        simple = template.text.count("{0}") == 1 and template.text.endswith("({0})")
        plain = name.startswith(("polygamma", "lerch"))  # their order is a number
        args = [
            self.text(a, ATOM) if plain and k == 0 else self.array_text(a, NONE if simple else ATOM) for k, a in enumerate(v.args)
        ]
        while "{" + str(len(args)) + "}" in template.text:
            args.append(DEFAULTS[name][len(args) - len(v.args)])
        text = template.text.format(*args)
        return text, ATOM if re.fullmatch(r"[\w.]+\(.*\)", text) and balanced(text) else SUM

    # --- views ---

    def op_transpose(self, v: Value) -> tuple[str, int]:
        x, order = self.text(v.args[0], ATOM), v.attrs[0]
        if order == (1, 0):
            return f"{x}.T", ATOM
        if order == (*range(len(order) - 2), len(order) - 1, len(order) - 2):
            return f"{x}.mT", ATOM
        return self.form("permute", x, ", ".join(map(str, order)))

    def op_index(self, v: Value) -> tuple[str, int]:
        x = v.args[0]
        reverse = [str(k) for k, item in enumerate(v.attrs) if item[0] == "reverse"]
        if reverse:
            return self.form("flip", self.text(x, ATOM), ", ".join(reverse))
        text, own = super().op_index(v)
        front = self.text(x, ATOM)
        places = text[len(front) + 1 : -1]
        if x.op == "loopself":  # a list of arrays
            picked = self.text(v.args[1])
            rest = places[len(picked) :].removeprefix(", ")
            return f"{front}[{picked}]" + (f"[{rest}]" if rest else ""), ATOM
        if any(is_read(a) for a in v.args[1:]):
            return self.form("pick", front, places)
        return text, own

    def op_broadcast(self, v: Value) -> tuple[str, int]:
        (x,) = v.args
        shape = self.shape_text(v.shape)
        if x.number == 0:
            return self.form("zeros", shape)
        if x.number == 1:
            return self.form("ones", shape)
        return self.form("broadcast", self.array_text(x), shape)

    def op_windows(self, v: Value) -> tuple[str, int]:
        place, size = v.attrs
        return self.form("windows", self.text(v.args[0], ATOM), str(place), self.size(size))

    # --- products and reductions ---

    def op_vdot(self, v: Value) -> tuple[str, int]:
        return self.form("vdot", self.text(v.args[0], PRODUCT), self.text(v.args[1], UNARY))

    def op_tensordot(self, v: Value) -> tuple[str, int]:
        left, right = v.attrs
        return self.form("tensordot", *(self.text(a) for a in v.args), str(list(left)), str(list(right)))

    def op_einsum(self, v: Value) -> tuple[str, int]:
        return self.form("einsum", v.attrs[0], ", ".join(self.text(a) for a in v.args))

    def op_reduce(self, v: Value) -> tuple[str, int]:
        kind, axes = v.attrs
        text = self.text(v.args[0], ATOM)
        if kind == "prod":
            for k in sorted(axes, reverse=True):
                text += f".prod({k})"
            return text, ATOM
        whole = len(axes) == v.args[0].rank
        return self.form(kind, text, "" if whole else str(axes[0]) if len(axes) == 1 else str(axes))

    def op_operation(self, v: Value) -> tuple[str, int]:
        name, ranks, _ = v.attrs
        template = self.backend.operations.get(name)
        if template is None:
            raise CannotDerive(f"{self.backend.name} has no operation `{name}`", None, WHERE)
        self.helpers.update(dict.fromkeys(template.helpers))
        args = [self.text(a) for a in v.args]
        if name == "solve" and ranks[1] == ranks[0] - 1 and ranks[0] > 2:
            return template.text.format(args[0], self.text(v.args[1], ATOM) + "[..., None]") + "[..., 0]", ATOM
        return template.text.format(*args), ATOM

    # --- arrays from nothing ---

    def op_arange(self, v: Value) -> tuple[str, int]:
        size, real = v.attrs
        return self.form("arange" if real else "range", self.size(size))

    def op_eye(self, v: Value) -> tuple[str, int]:
        n, m = v.attrs
        return self.form("eye", self.size(n), self.size(m))

    def op_diag(self, v: Value) -> tuple[str, int]:
        return self.form("diag", self.text(v.args[0]))

    def op_scatter(self, v: Value) -> tuple[str, int]:
        text, own = super().op_scatter(v)
        return text.removesuffix(", dtype)") + ")", own

    def op_scatter_add(self, v: Value) -> tuple[str, int]:
        text, own = super().op_scatter_add(v)
        return text.removesuffix(", dtype)") + ")", own

    def op_concat(self, v: Value) -> tuple[str, int]:
        return self.form("concat", ", ".join(self.text(a) for a in v.args), str(v.attrs[0]))

    def op_stack(self, v: Value) -> tuple[str, int]:
        return self.form("stack", ", ".join(self.array_text(a) for a in v.args))

    def op_cast(self, v: Value) -> tuple[str, int]:
        (x,) = v.args
        if is_known(x):
            return f"float({self.text(x)})", ATOM
        if x.op == "arange":
            return self.form("arange", self.size(x.attrs[0]))
        return self.form("cast", self.text(x, ATOM))

    def op_to_int(self, v: Value) -> tuple[str, int]:
        return self.form("to_int", self.text(v.args[0], ATOM if self.backend.module == "jnp" else NONE))

    def op_to_index(self, v: Value) -> tuple[str, int]:
        return self.form("to_index", self.text(v.args[0], ATOM))

    def op_clamp(self, v: Value) -> tuple[str, int]:
        if is_known(v.args[0]):
            return super().op_clamp(v)
        return self.form("clamp", self.text(v.args[0]), self.text(v.args[1], SUM))

    def op_clamp_index(self, v: Value) -> tuple[str, int]:
        return self.form("clamp_index", self.text(v.args[0]), self.text(v.args[1], SUM))

    def op_take(self, v: Value) -> tuple[str, int]:
        (place,) = v.attrs
        x, i = v.args
        return self.form("take", self.text(x, ATOM), self.text(i), ":, " * place, str(place))

    def op_gather(self, v: Value) -> tuple[str, int]:
        return self.form("gather", self.text(v.args[0], ATOM), ", ".join(self.text(a) for a in v.args[1:]))

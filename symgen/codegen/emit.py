"""A `Program` as lines of NumPy source: what is used once is written where it is used, names stay the author's."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symgen.codegen.backends import DEFAULTS, function_template, operation_template
from symgen.codegen.liveness import Liveness
from symgen.codegen.program import LEAVES, VIEWS, Program, Value
from symgen.codegen.words import (
    ATOM,
    COMPARE,
    NONE,
    POWER,
    PRODUCT,
    SUM,
    UNARY,
    Names,
    bracket,
    number_text,
    size_expression,
    size_text,
)
from symgen.tensor.expression import ZERO, Scalar
from symgen.text.diagnostics import CannotDerive

__all__ = ["Emitter", "Names", "size_text"]

WIDTH = 100
ASSIGN = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
UFUNCS = {
    "add": "np.add", "sub": "np.subtract", "mul": "np.multiply", "div": "np.divide", "neg": "np.negative",
    "square": "np.square", "sqrt": "np.sqrt",
}  # fmt: skip
IN_PLACE = re.compile(
    r"(np\.(exp|expm1|log|log1p|tanh|sin|cos|tan|sinh|cosh|arctan|abs|maximum|minimum|clip|sign|floor)|sigmoid)\(.*\)"
)


class Emitter:
    """Prints values of one program as statements. `inputs` names what is given, `dims` names sizes; values that are
    `large` are computed in place where an operand is not needed any more."""

    def __init__(
        self,
        program: Program,
        names: Names,
        dims: Mapping[Scalar, str],
        inputs: Mapping[Any, str],
        large: Callable[[Value], bool] | None = None,
        indent: str = "    ",
    ) -> None:
        self.program = program
        self.names = names
        self.large = large
        self.live: Liveness | None = None
        self.dims = dict(dims)
        self.inputs = dict(inputs)
        self.indent = indent
        self.texts: dict[int, tuple[str, int]] = {}
        self.variables: dict[int, str] = {}
        self.lines: list[str] = []
        self.uses: dict[int, int] = {}
        self.before_loops: set[int] = set()  # what a loop uses and does not change
        self.helpers: dict[str, None] = {}
        self.imports: dict[str, None] = {}
        self.needs_dtype = False
        self.risky = False
        self.depth = 1
        self.counter = 0

    # --- blocks ---

    def emit(self, roots: Sequence[Value]) -> list[str]:
        """The statements that compute the roots; `text(root)` then says what each is called."""
        values = self.program.reachable(roots)
        for v in values:
            for a in self.program.needs(v):
                self.uses[a.serial] = self.uses.get(a.serial, 0) + 1
                if v.loops - a.loops:
                    self.before_loops.add(a.serial)
        for v in roots:
            self.uses[v.serial] = self.uses.get(v.serial, 0) + 1
        if self.large is not None and not self.program.loops:
            self.live = Liveness(self.program, values, roots, self.may_inline)
        for v in values:
            if not v.loops:
                self.statement(v)
        return self.lines

    def statement(self, v: Value) -> None:
        if v.serial in self.variables:
            return
        if v.op == "loop":
            self.loop(v)
            return
        if v.op == "both":
            self.both(v)
            return
        text, precedence = self.expression(v)
        if self.inlined(v, text):
            self.texts[v.serial] = (text, precedence)
            return
        name = self.variable(v)
        self.comment(v)
        self.assign(name, v, v)
        self.variables[v.serial] = name
        self.texts[v.serial] = (name, ATOM)

    def both(self, v: Value) -> None:
        """softmax and its logarithm, as two variables."""
        items = {x.attrs[0]: x for x in self.program.table.values() if x.op == "item" and x.args[0] is v}
        names = [self.names.new((items[k].name if k in items else None) or word) for k, word in enumerate(("softmax_Z", "log_P"))]
        self.helpers["softmax_and_log"] = None
        self.put(f"{', '.join(names)} = softmax_and_log({self.text(v.args[0])})")
        for k, name in enumerate(names):
            if k in items:
                self.texts[items[k].serial] = (name, ATOM)
                self.variables[items[k].serial] = name

    def assign(self, name: str, v: Value, statement: Value) -> None:
        """Statements after which the variable `name` holds `v`, written as `statement` or as a part of it."""
        k = self.overwritten(v, statement)
        if k is None:
            self.put(f"{name} = {self.expression(v)[0] if v is statement else self.text(v)}")
            return
        a = v.args[k]
        if a.serial in self.variables:
            self.put(f"{name} = {self.update(v, k, self.variables[a.serial])}")
            return
        self.assign(name, a, statement)
        if v.op in ASSIGN and (k == 0 or v.op in ("add", "mul")):
            self.put(f"{name} {ASSIGN[v.op]}= {self.text(v.args[1 - k])}")
        else:
            self.put(self.update(v, k, name))

    def update(self, v: Value, k: int, name: str) -> str:
        """A call that overwrites the array `name`, which holds operand k of `v`, by `v`."""
        args = [name if j == k else self.text(x) for j, x in enumerate(v.args)]
        if v.op in UFUNCS:
            return f"{UFUNCS[v.op]}({', '.join(args)}, out={name})"
        text = function_template(v.op[3:]).text
        return f"{text.format(*args)[:-1]}, out={name})"

    def overwritten(self, v: Value, statement: Value) -> int | None:
        """Which operand of an elementwise operation may be overwritten by it: a part of the same statement (a matrix
        product first), or a variable that is not needed any more."""
        if self.live is None or self.large is None or v.kind != "f" or not v.rank or not self.large(v):
            return None
        if v.op.startswith("fn:"):
            if not IN_PLACE.fullmatch(function_template(v.op[3:]).text):
                return None
        elif v.op not in UFUNCS:
            return None
        found: tuple[int, int] | None = None
        for k, a in enumerate(v.args):
            if a.shape != v.shape or a.kind != "f" or v.args.count(a) > 1:
                continue
            if a.serial in self.variables:
                rank = 1 if self.live.dies_in(a, statement) else 0
            else:
                rank = 0 if a.op in LEAVES or a.op in VIEWS else 3 if self.starts_with_product(a) else 2
            if rank and (found is None or rank > found[0]):
                found = (rank, k)
        return None if found is None else found[1]

    def starts_with_product(self, v: Value) -> bool:
        """Whether a matrix product of this shape is the first thing that is computed for `v`."""
        while True:
            if v.op in ("matmul", "tensordot", "einsum"):
                return True
            inner = [a for a in v.args if a.shape == v.shape and a.serial not in self.variables and a.op not in LEAVES]
            if not inner or not (v.op in UFUNCS or v.op.startswith("fn:")):
                return False
            v = inner[0]

    def put(self, line: str) -> None:
        self.lines.append(self.indent * self.depth + line)

    def comment(self, v: Value) -> None:
        if not v.comment:
            return
        text = re.sub(r"\s+", " ", v.comment)
        if len(text) < WIDTH and plain(text) != plain(self.expression(v)[0]):
            self.put("# " + text)

    def variable(self, v: Value) -> str:
        if v.name is not None:
            return self.names.new(v.name)
        self.counter += 1
        return self.names.new(f"t{self.counter}")

    def may_inline(self, v: Value) -> bool:
        """Whether a value is written where it is used, unless it turns out too long."""
        if v.op in LEAVES:
            return True
        if v.name is not None or v.op in ("loop", "both"):
            return False
        if v.op in ("transpose", "expand"):
            base = v.args[0]
            if base.op in LEAVES or not self.may_inline(base):
                return True
        if v.op == "item":
            return False
        if v.serial in self.before_loops and v.rank:
            base = v.args[0] if v.op in VIEWS else v
            if base is v or (base.op not in LEAVES and self.may_inline(base)):
                return False
        return v.kind == "s" or self.uses.get(v.serial, 0) <= 1

    def inlined(self, v: Value, text: str) -> bool:
        if not self.may_inline(v):
            return False
        if v.op in LEAVES:
            return True
        return len(text) < (24 if v.kind == "s" and self.uses.get(v.serial, 0) > 1 else WIDTH)

    def loop(self, v: Value) -> None:
        """for t in ..: h[t] = step."""
        number = v.attrs[0]
        loop = self.program.loops[number]
        assert loop.step is not None
        name = self.names.new(v.name or "h")
        time = self.names.new("t")
        length = size_text(loop.length, self.dims, PRODUCT)
        inner = [x for x in self.program.reachable([loop.step]) if number in x.loops]
        self.begin_loop(v, name, length)
        for k, b in enumerate(loop.base):
            place = str(k) if not loop.reverse else f"{length} - {k + 1}"
            self.put(f"{name}[{place}] = {self.step_text(b)}")
        first = len(loop.base)
        bounds = f"{first}, {length}" if not loop.reverse else f"{length} - {first + 1}, -1, -1"
        if not loop.reverse and first == 0:
            bounds = length
        self.put(f"for {time} in range({bounds}):")
        self.depth += 1
        for x in inner:
            if x.op == "loopvar" and x.attrs[0] == number:
                self.texts[x.serial] = (time, ATOM)
            elif x.op == "loopself" and x.attrs[0] == number:
                self.texts[x.serial] = (name, ATOM)
            else:
                self.in_loop(x)
        self.put(f"{name}[{time}] = {self.step_text(loop.step)}")
        self.depth -= 1
        self.end_loop(name)
        self.variables[v.serial] = name
        self.texts[v.serial] = (name, ATOM)

    def begin_loop(self, v: Value, name: str, length: str) -> None:
        """Room for the steps."""
        self.needs_dtype = True
        self.put(f"{name} = np.empty({self.shape_text(v.shape)}, dtype)")

    def step_text(self, v: Value) -> str:
        """The value of one step."""
        return self.text(v)

    def in_loop(self, v: Value) -> None:
        """A statement of the body."""
        self.statement(v)

    def end_loop(self, name: str) -> None:
        """What is left to do when all steps are there."""

    # --- expressions ---

    def text(self, v: Value, needed: int = NONE) -> str:
        text, own = self.texts[v.serial]
        return bracket(text, own, needed)

    def size(self, s: Scalar, needed: int = NONE) -> str:
        return size_text(s, self.dims, needed)

    def shape_text(self, shape: Sequence[Scalar]) -> str:
        if len(shape) == 1:
            return self.size(shape[0])
        return "(" + ", ".join(self.size(s) for s in shape) + ")"

    def call(self, name: str, *args: str) -> tuple[str, int]:
        return f"{name}({', '.join(args)})", ATOM

    def expression(self, v: Value) -> tuple[str, int]:
        if v.serial in self.texts:
            return self.texts[v.serial]
        op = v.op
        if op.startswith("fn:"):
            return self.function(v, op[3:])
        if op.startswith("cmp:"):
            return f"{self.text(v.args[0], SUM)} {op[4:]} {self.text(v.args[1], SUM)}", COMPARE
        method = getattr(self, "op_" + op, None)
        if method is None:
            raise CannotDerive(f"no code for `{op}`", None, "codegen/emit.py")
        result: tuple[str, int] = method(v)
        return result

    def op_input(self, v: Value) -> tuple[str, int]:
        return self.inputs[v.attrs[0]], ATOM

    def op_num(self, v: Value) -> tuple[str, int]:
        return number_text(v.attrs[0])

    def op_size(self, v: Value) -> tuple[str, int]:
        return size_expression(v.attrs[0], self.dims)

    def op_add(self, v: Value) -> tuple[str, int]:
        return f"{self.text(v.args[0], SUM)} + {self.text(v.args[1], PRODUCT)}", SUM

    def op_sub(self, v: Value) -> tuple[str, int]:
        return f"{self.text(v.args[0], SUM)} - {self.text(v.args[1], PRODUCT)}", SUM

    def op_mul(self, v: Value) -> tuple[str, int]:
        return f"{self.text(v.args[0], PRODUCT)} * {self.text(v.args[1], UNARY)}", PRODUCT

    def op_div(self, v: Value) -> tuple[str, int]:
        if v.args[1].op == "num" and not v.args[1].attrs[0]:  # in a piece that is not taken: Python raises where arrays do not
            return 'float("nan")', ATOM
        return f"{self.text(v.args[0], PRODUCT)} / {self.text(v.args[1], UNARY)}", PRODUCT

    def op_floordiv(self, v: Value) -> tuple[str, int]:
        return f"{self.text(v.args[0], PRODUCT)} // {self.text(v.args[1], UNARY)}", PRODUCT

    def op_mod(self, v: Value) -> tuple[str, int]:
        return f"{self.text(v.args[0], PRODUCT)} % {self.text(v.args[1], UNARY)}", PRODUCT

    def op_neg(self, v: Value) -> tuple[str, int]:
        return f"-{self.text(v.args[0], UNARY)}", UNARY

    def op_square(self, v: Value) -> tuple[str, int]:
        return f"{self.text(v.args[0], ATOM)} ** 2", POWER

    def op_sqrt(self, v: Value) -> tuple[str, int]:
        text = f"np.sqrt({self.text(v.args[0])})"
        return (f"float({text})" if v.kind == "s" else text), ATOM

    def op_pow(self, v: Value) -> tuple[str, int]:
        if v.kind == "s":
            return f"float(np.power(float({self.text(v.args[0])}), {self.text(v.args[1])}))", ATOM
        return f"{self.text(v.args[0], ATOM)} ** {self.text(v.args[1], ATOM)}", POWER

    def op_where(self, v: Value) -> tuple[str, int]:
        self.risky = True
        c, a, b = v.args
        if v.rank == 0:
            return f"{self.text(a, COMPARE)} if {self.text(c, COMPARE)} else {self.text(b, COMPARE)}", 1
        if a.kind == b.kind == "s":  # two integers would make an array of integers
            own = self.text(a)
            return self.call("np.where", self.text(c), own + ".0" if own.isdecimal() else f"float({own})", self.text(b))
        return self.call("np.where", self.text(c), self.text(a), self.text(b))

    def op_not_(self, v: Value) -> tuple[str, int]:
        return self.call("np.logical_not", self.text(v.args[0]))

    def op_and_(self, v: Value) -> tuple[str, int]:
        return self.call("np.logical_and", *(self.text(a) for a in v.args))

    def op_or_(self, v: Value) -> tuple[str, int]:
        return self.call("np.logical_or", *(self.text(a) for a in v.args))

    def function(self, v: Value, name: str) -> tuple[str, int]:
        template = function_template(name)
        self.helpers.update(dict.fromkeys(template.helpers))
        self.imports.update(dict.fromkeys(template.imports))
        simple = template.text.count("{0}") == 1 and template.text.endswith("({0})")
        args = [self.text(a, NONE if simple else ATOM) for a in v.args]
        while "{" + str(len(args)) + "}" in template.text:
            args.append(DEFAULTS[name][len(args) - len(v.args)])
        text = template.text.format(*args)
        own = ATOM if re.fullmatch(r"[\w.]+\(.*\)", text) and balanced(text) else SUM
        return (f"float({text})", ATOM) if v.kind == "s" else (text, own)

    # --- views ---

    def op_transpose(self, v: Value) -> tuple[str, int]:
        x = self.text(v.args[0], ATOM)
        order = v.attrs[0]
        if order == tuple(reversed(range(len(order)))):
            return f"{x}.T", ATOM
        return f"{x}.transpose({', '.join(map(str, order))})", ATOM

    def op_expand(self, v: Value) -> tuple[str, int]:
        places = list(v.attrs[0])
        while places[-1]:
            places.pop()  # trailing axes are taken whole
        return f"{self.text(v.args[0], ATOM)}[{', '.join(':' if own else 'None' for own in places)}]", ATOM

    def op_index(self, v: Value) -> tuple[str, int]:
        parts = []
        for item in v.attrs:
            if item[0] == "all":
                parts.append(":")
            elif item[0] == "reverse":
                parts.append("::-1")
            elif item[0] == "pick":
                parts.append(self.text(v.args[1 + item[1]]) if len(v.args) > 1 else "0")
            else:
                _, start, stop, step = item
                part = ("" if start is ZERO else self.size(start)) + ":" + ("" if stop is None else self.size(stop))
                parts.append(part + (f":{step}" if step != 1 else ""))
        while len(parts) > 1 and parts[-1] == ":":
            parts.pop()
        return f"{self.text(v.args[0], ATOM)}[{', '.join(parts)}]", ATOM

    def op_diagonal(self, v: Value) -> tuple[str, int]:
        a, b = v.attrs
        if v.args[0].rank == 2:
            return f"{self.text(v.args[0], ATOM)}.diagonal()", ATOM
        return f"{self.text(v.args[0], ATOM)}.diagonal(0, {a}, {b})", ATOM

    def op_reshape(self, v: Value) -> tuple[str, int]:
        return f"{self.text(v.args[0], ATOM)}.reshape({', '.join(self.size(s) for s in v.attrs)})", ATOM

    def op_broadcast(self, v: Value) -> tuple[str, int]:
        self.needs_dtype = True
        (x,) = v.args
        shape = self.shape_text(v.shape)
        if x.number == 0:
            return f"np.zeros({shape}, dtype)", ATOM
        if x.number == 1:
            return f"np.ones({shape}, dtype)", ATOM
        if x.rank == 0:
            return f"np.full({shape}, {self.text(x)}, dtype)", ATOM
        return f"np.broadcast_to({self.text(x)}, {shape}).copy()", ATOM

    def op_windows(self, v: Value) -> tuple[str, int]:
        place, size = v.attrs
        return (
            f"np.lib.stride_tricks.sliding_window_view({self.text(v.args[0])}, {self.size(size)}, axis={place})", ATOM,
        )  # fmt: skip

    # --- products and reductions ---

    def op_dot(self, v: Value) -> tuple[str, int]:
        return self.op_matmul(v)

    def op_matmul(self, v: Value) -> tuple[str, int]:
        return f"{self.text(v.args[0], PRODUCT)} @ {self.text(v.args[1], UNARY)}", PRODUCT

    def op_vdot(self, v: Value) -> tuple[str, int]:
        return self.call("np.vdot", *(self.text(a) for a in v.args))

    def op_tensordot(self, v: Value) -> tuple[str, int]:
        left, right = v.attrs
        return self.call("np.tensordot", *(self.text(a) for a in v.args), f"({list(left)}, {list(right)})")

    def op_einsum(self, v: Value) -> tuple[str, int]:
        return self.call("np.einsum", f'"{v.attrs[0]}"', *(self.text(a) for a in v.args))

    def op_reduce(self, v: Value) -> tuple[str, int]:
        kind, axes = v.attrs
        (x,) = v.args
        if kind == "sum" and axes == (0,) and x.rank == 2 and x.kind == "f":
            self.helpers["column_sums"] = None
            return f"column_sums({self.text(x)})", ATOM
        if len(axes) == x.rank:
            where = ""
        else:
            where = "axis=" + (str(axes[0]) if len(axes) == 1 else str(axes))
        return f"{self.text(x, ATOM)}.{kind}({where})", ATOM

    def op_operation(self, v: Value) -> tuple[str, int]:
        name, ranks, _ = v.attrs
        args = [self.text(a) for a in v.args]
        if name == "solve" and ranks[1] == ranks[0] - 1 and ranks[0] > 2:
            return f"np.linalg.solve({args[0]}, {self.text(v.args[1], ATOM)}[..., None])[..., 0]", ATOM
        template = operation_template(name)
        self.helpers.update(dict.fromkeys(template.helpers))
        self.imports.update(dict.fromkeys(template.imports))
        if not re.fullmatch(r"[\w.]+\(\{0\}(, \{\d\})*\).*", template.text):
            args = [self.text(a, ATOM) for a in v.args]
        return template.text.format(*args), ATOM

    # --- arrays from nothing ---

    def op_arange(self, v: Value) -> tuple[str, int]:
        size, real = v.attrs
        self.needs_dtype = self.needs_dtype or real
        return f"np.arange({self.size(size)}{', dtype=dtype' if real else ''})", ATOM

    def op_eye(self, v: Value) -> tuple[str, int]:
        self.needs_dtype = True
        n, m = v.attrs
        sizes = self.size(n) if n is m else f"{self.size(n)}, {self.size(m)}"
        return f"np.eye({sizes}, dtype=dtype)", ATOM

    def op_diag(self, v: Value) -> tuple[str, int]:
        return self.call("np.diag", self.text(v.args[0]))

    def op_scatter(self, v: Value) -> tuple[str, int]:
        self.needs_dtype = True
        self.helpers["put"] = None
        shape, items = v.attrs
        where = []
        for item in items:
            if item[0] == "all":
                where.append("slice(None)")
            else:
                _, start, stop, step = item
                ends = [self.size(start), "None" if stop is None else self.size(stop)]
                where.append(f"slice({', '.join(ends + ([str(step)] if step != 1 else []))})")
        places = where[0] if len(where) == 1 else "(" + ", ".join(where) + ")"
        return self.call("put", self.shape_text(shape), places, self.text(v.args[0]), "dtype")

    def op_concat(self, v: Value) -> tuple[str, int]:
        parts = ", ".join(self.text(a) for a in v.args)
        return f"np.concatenate([{parts}], axis={v.attrs[0]})", ATOM

    def op_stack(self, v: Value) -> tuple[str, int]:
        return f"np.stack([{', '.join(self.text(a) for a in v.args)}])", ATOM

    def op_scatter_add(self, v: Value) -> tuple[str, int]:
        self.needs_dtype = True
        self.helpers["put_added"] = None
        return self.call("put_added", self.shape_text(v.attrs[0]), self.text(v.args[0]), self.text(v.args[1]), "dtype")

    def op_cast(self, v: Value) -> tuple[str, int]:
        self.needs_dtype = True
        (x,) = v.args
        if x.rank == 0:
            return self.call("float", self.text(x))
        if x.op == "arange":
            return f"np.arange({self.size(x.attrs[0])}, dtype=dtype)", ATOM
        return f"{self.text(x, ATOM)}.astype(dtype)", ATOM

    def op_to_int(self, v: Value) -> tuple[str, int]:
        return self.call("int", self.text(v.args[0]))

    def op_to_index(self, v: Value) -> tuple[str, int]:
        return f"{self.text(v.args[0], ATOM)}.astype(np.intp)", ATOM

    def op_clamp(self, v: Value) -> tuple[str, int]:
        return f"min(max({self.text(v.args[0])}, 0), {self.text(v.args[1], SUM)} - 1)", ATOM

    def op_inside(self, v: Value) -> tuple[str, int]:
        self.helpers["inside"] = None
        return self.call("inside", self.text(v.args[0]), self.text(v.args[1]))

    def op_clamp_index(self, v: Value) -> tuple[str, int]:
        return self.call("np.clip", self.text(v.args[0]), "0", f"{self.text(v.args[1], SUM)} - 1")

    def op_check_index(self, v: Value) -> tuple[str, int]:
        self.helpers["all_inside"] = None
        return self.call("all_inside", self.text(v.args[0]), self.text(v.args[1]))

    def op_take(self, v: Value) -> tuple[str, int]:
        (place,) = v.attrs
        return self.call("np.take", *(self.text(a) for a in v.args), f"axis={place}")

    def op_gather(self, v: Value) -> tuple[str, int]:
        return f"{self.text(v.args[0], ATOM)}[{', '.join(self.text(a) for a in v.args[1:])}]", ATOM


def plain(text: str) -> str:
    """A formula without what the libraries and the language write differently."""
    for a, b in (("np.", ""), ("torch.", ""), ("jnp.", ""), (".T", "'"), ("**", "^"), (" ", ""), ("(", ""), (")", "")):
        text = text.replace(a, b)
    return text


def balanced(text: str) -> bool:
    """Whether the first bracket of `text` closes at its end, so that the text is one call."""
    depth = 0
    for k, c in enumerate(text):
        depth += (c in "([") - (c in ")]")
        if depth == 0 and c in ")]" and k < len(text) - 1:
            return False
    return True

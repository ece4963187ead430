"""Trees as LaTeX that amsmath, amssymb and bm set, and KaTeX.

Shapes tell a vector from a scalar: `x @ y` is x^T y, `*` between arrays is an elementwise product, a vector added to a
matrix is spread over its rows by a column of ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction

from symgen.probability.families.distributions import FAMILIES
from symgen.render import compose
from symgen.render.escape import greek, name_tex, tex_text
from symgen.render.latex_entries import Entries
from symgen.render.latex_products import ONES, Products, is_filler
from symgen.render.latex_text import TALL, brackets, is_taken, names_in, off_plain, stacked, subscripted
from symgen.render.notation import RELATIONS, TABLE
from symgen.render.shapes import REDUCTIONS, Shape, shape_of
from symgen.tensor.functions import FUNCTIONS
from symgen.tensor.operations import OPERATIONS
from symgen.tensor.reading import room_to_nest
from symgen.text import tree as t

ATOMIC_CALLS = frozenset("norm abs tr diag diagonal vec floor ones zeros eye".split())
_PLACE = re.compile(r"\{(\w+|\*)\}")
_TOKEN = re.compile(r"(\{\{|\}\}|\{\w+\}|\{\*\})")
_OPENED = re.compile(r"(\\left.|\\left\\.|\\left\\\w+|[{,;|]|\\,|\\partial)\s*$")
_CLOSED = re.compile(r"\s*(\\right|[},;|]|\\,)")


def to_latex(tree: t.Tree, shapes: Mapping[str, Shape] | None = None) -> str:
    """The LaTeX of an expression or a claim; `shapes` are those of the names."""
    printer = Latex(shapes or {})
    if isinstance(tree, t.Expression):
        with room_to_nest():
            return printer.tex(tree)
    if isinstance(tree, t.Claim):
        return printer.chain(tree)
    raise TypeError(f"no LaTeX for {type(tree).__name__}")


class Latex(Products, Entries):
    """Prints trees, given the shapes of names."""

    def __init__(self, shapes: Mapping[str, Shape], from_zero: bool = False) -> None:
        self.shapes = dict(shapes)
        self.taken = frozenset(shapes)
        self.from_zero = from_zero  # all indices count from 0, since one of them is seen to
        self.sized = False  # what stands beside I or 1 tells its size
        self.spread: Shape | None = None  # of what a column or a row is spread over

    # --- forms --------------------------------------------------------------------------------------------------------

    def tex(self, e: t.Tree) -> str:
        sized, self.sized = self.sized, False
        if isinstance(e, t.Terms | t.Factors):
            before, self.spread, self.sized = self.spread, self.spread_of(e), sized
            text = self.terms(e.terms) if isinstance(e, t.Terms) else self.factors(e)
            self.spread = before
            return text
        match e:
            case t.Call("eye" | "ones", arguments) if (not sized or self.owned(e)) and e.function not in self.shapes:
                return self.filler(e.function, arguments)
            case t.Number(value, written):
                return self.number(value, written)
            case t.Name(name):
                return self.name(name)
            case t.Power(base, exponent):
                return self.power(base, exponent)
            case t.Transpose(operand):
                if self.rank(operand) == 1:
                    return self.tex(operand)
                return f"{self.base(operand)}^{{\\top}}"
            case t.Comparison(operands, ops):
                texts = [self.tex(x) for x in operands]
                return texts[0] + "".join(f" {RELATIONS.get(op, op)} {x}" for op, x in zip(ops, texts[1:], strict=True))
            case t.Logical("not", (operand,)):
                return rf"\lnot {brackets(self.tex(operand))}"
            case t.Logical(op, operands):
                word = r" \text{ and } " if op == "and" else r" \text{ or } "
                return word.join(
                    brackets(self.tex(x)) if isinstance(x, t.Logical) and x.op != op else self.tex(x) for x in operands
                )
            case t.Slice(lower, upper, step):
                text = (self.tex(lower) if lower else "") + ":" + (self.tex(upper) if upper else "")
                return text + (f":{self.tex(step)}" if step else "")
            case t.Part(operand, name):
                return rf"{self.tex(operand)}\text{{.{tex_text(name)}}}"
            case t.Subscript(operand, items):
                return self.subscript(operand, items)
            case t.Call():
                return self.call(e)
            case t.Binder():
                return self.binder(e)
            case t.ListOf(items):
                return self.list_of(items)
            case t.Keyword(name, value):
                return rf"{self.name(name)} = {self.tex(value)}"
            case t.Draw(names, law, sizes):
                drawn = self.name(names[0]) if len(names) == 1 else rf"({', '.join(map(self.name, names))})"
                many = r" \times ".join(map(self.tex, sizes))
                simple = len(sizes) == 1 and isinstance(sizes[0], t.Name | t.Number)
                often = rf"^{{\otimes {many if simple else brackets(many)}}}" if sizes else ""
                return rf"{drawn} \sim {self.law(law)}{often}"
        raise TypeError(f"no LaTeX for {type(e).__name__}")

    def spread_of(self, e: t.Terms | t.Factors) -> Shape | None:
        """The shape of a matrix whose parts meet entry by entry; in x + s the spread of s is that of both."""
        shape = self.shape(e)
        plain = isinstance(e, t.Terms) or all(op != "@" for op, _ in e.rest)
        if shape is None or len(shape) != 2 or not plain:
            return None
        one = [isinstance(z, t.Number) and z.value == 1 for z in shape]
        return self.spread if any(one) else shape

    def owned(self, e: t.Call) -> bool:
        """Whether the author has named something I, so that the identity cannot be."""
        return e.function == "eye" and "I" in self.shapes

    def filler(self, name: str, sizes: Sequence[t.Expression]) -> str:
        """I_n, and 1_n, with the sizes that nothing beside them tells."""
        if not 1 <= len(sizes) <= 2:
            return "I" if name == "eye" else ONES
        if name == "eye" and "I" in self.shapes:
            return rf"\operatorname{{eye}}{brackets(self.tex(sizes[0]))}"
        texts = [rf"{'I' if name == 'eye' else ONES}_{{{self.tex(s)}}}" for s in sizes]
        return texts[0] if len(sizes) == 1 else rf"{texts[0]} {texts[1]}^{{\top}}"

    def list_of(self, items: Sequence[t.Expression]) -> str:
        """A list of lists as a matrix."""
        widths = {len(x.items) if isinstance(x, t.ListOf) else 0 for x in items}
        if len(widths) == 1 and widths != {0}:
            rows = [" & ".join(map(self.tex, x.items)) for x in items if isinstance(x, t.ListOf)]
            return r"\begin{pmatrix} " + r" \\ ".join(rows) + r" \end{pmatrix}"
        return rf"\left[{', '.join(map(self.tex, items))}\right]"

    def number(self, value: Fraction, written: str = "") -> str:
        if written and re.fullmatch(r"[0-9.]+", written):
            return written
        found = re.fullmatch(r"([0-9.]+)[eE]([+-]?[0-9]+)", written)
        if found:
            mantissa = "" if found[1] == "1" else rf"{found[1]} \cdot "
            return rf"{mantissa}10^{{{int(found[2])}}}"
        if value < 0:
            return "-" + self.number(-value)
        if value.denominator == 1:
            return str(value.numerator)
        return rf"\frac{{{value.numerator}}}{{{value.denominator}}}"

    def name(self, name: str) -> str:
        if name not in self.shapes:
            if name == "inf":
                return r"\infty"
            if name == "pi":
                return r"\pi"
        return name_tex(name, self.taken)

    def shape(self, e: t.Tree) -> Shape | None:
        return shape_of(e, self.shapes)

    def rank(self, e: t.Tree) -> int:
        """0 where the shape is not known."""
        s = self.shape(e)
        return len(s) if s is not None else 0

    def terms(self, terms: Sequence[tuple[int, t.Expression]]) -> str:
        widest = max((self.rank(x) for _, x in terms), default=0)
        sized = any(self.rank(x) == widest and not is_filler(x) for _, x in terms)
        out: list[str] = []
        for k, (sign, x) in enumerate(terms):
            self.sized = sized and widest > 0 and is_filler(x)
            text = self.tex(x)
            if isinstance(x, t.Terms) or (isinstance(x, t.Number) and x.value < 0):
                text = brackets(text)
            if widest == 2 and self.rank(x) == 1:
                text = rf"{ONES} {self.transposed(x)}"
            if k == 0:
                out.append(text if sign > 0 else f"-{text}")
            else:
                out.append(f" + {text}" if sign > 0 else f" - {text}")
        return "".join(out)

    def base(self, e: t.Expression) -> str:
        """What an exponent, an index or a transpose can be put on."""
        text = self.tex(e)
        simple = isinstance(e, (t.Name, t.Subscript)) or (isinstance(e, t.Number) and re.fullmatch(r"[0-9.]+", text))
        if simple and "^" not in text:
            return text
        if isinstance(e, t.Call) and (e.function in ATOMIC_CALLS or not self.has_notation(e)) and not e.log:
            return f"{{{text}}}" if "^" in text else text
        return brackets(text)

    def transposed(self, e: t.Expression) -> str:
        return f"{self.base(e)}^{{\\top}}"

    def power(self, base: t.Expression, exponent: t.Expression) -> str:
        match exponent:
            case t.Factors(t.Number(a), (("/", t.Number(b)),)):
                above = f"{self.number(a)}/{self.number(b)}"
            case _:
                above = self.tex(exponent)
        if self.rank(base) > 0 and not isinstance(exponent, t.Transpose):
            above = rf"\odot {above}"
        if isinstance(base, t.Name) and base.name == "e" and "e" not in self.shapes:
            return f"e^{{{self.tex(exponent)}}}"
        return f"{self.base(base)}^{{{above}}}"

    # --- subscripts and calls -----------------------------------------------------------------------------------------

    def subscript(self, operand: t.Expression, items: Sequence[t.Expression]) -> str:
        eye = isinstance(operand, t.Call) and operand.function == "eye" and "eye" not in self.shapes
        places = all(isinstance(x, t.Name) or (isinstance(x, t.Subscript) and isinstance(x.operand, t.Name)) for x in items)
        kronecker = eye and "delta" not in self.shapes and len(items) == 2 and places
        if eye and "delta" in self.shapes and len(items) == 2:
            condition = t.Comparison((items[0], items[1]), ("==",))
            return self.cases(t.Call("where", (condition, t.Number(Fraction(1)), t.Number(Fraction(0)))))
        if eye and len(items) == 1:
            items = (*items, t.Slice(None, None))
        base = r"\delta" if kronecker else self.tex(operand)
        if not isinstance(operand, t.Name) and not kronecker:
            base = brackets(base)
        if len(items) == 2 and isinstance(items[1], t.Name) and items[1].name == "None" and self.rank(operand) == 1:
            return rf"{base} {ONES}^{{\top}}"  # a column, repeated
        texts = [self.tex(x) for x in items]
        short = all(isinstance(x, t.Name) and re.fullmatch(r"\\?[a-z]+", y) for x, y in zip(items, texts, strict=True))
        inside = (" " if any("\\" in x for x in texts) else "").join(texts) if short else ",".join(texts)
        if base.startswith(("(", r"\left(")):
            return f"{base}_{{{inside}}}"
        return subscripted(base, inside)

    def has_notation(self, e: t.Call) -> bool:
        return e.function in TABLE or e.function in FUNCTIONS or e.function in OPERATIONS or e.function in REDUCTIONS

    def call(self, e: t.Call) -> str:
        name, arguments = e.function, e.arguments
        if (name in self.shapes and not e.keywords and name not in FUNCTIONS) or e.log or e.given:
            return self.applied(e)
        words = {k.name: k.value for k in e.keywords}
        if name in ("argmin", "argmax") and len(arguments) == 2 and set(words) == {"subject_to"}:
            given = words["subject_to"]
            facts = ", ".join(map(self.tex, given.items if isinstance(given, t.ListOf) else (given,)))
            f = self._argument(arguments[0], self.tex(arguments[0]))
            return rf"\operatorname*{{arg\,{name[3:]}}}_{{{self.tex(arguments[1])} \,:\, {facts}}}\; {f}"
        if name == "posterior" and len(arguments) == 2 and set(words) == {"given"} and isinstance(arguments[0], t.Name):
            return rf"{self.tex(arguments[0])}({self.tex(arguments[1])} \mid {self.tex(words['given'])})"
        if name == "where" and len(arguments) == 3:
            return self.cases(e)
        if name == "log_density" and len(arguments) > 1 and isinstance(arguments[0], t.Call):
            return rf"\log {self.law(arguments[0], arguments[1:])}"
        if name == "abs" and len(arguments) == 1 and (self.rank(arguments[0]) or 0) > 0:
            return rf"\operatorname{{abs}}{brackets(self.tex(arguments[0]))}"  # |A| is a determinant, |x| a norm to many
        if name == "concat" and len(arguments) > 1 and self.blocks(e) is not None:
            return self.blocks(e) or ""
        if name in ("ones", "zeros") and arguments:
            return r"\mathbf{0}" if name == "zeros" else ONES if len(arguments) == 1 else rf"{ONES} {ONES}^{{\top}}"
        if name == "outer" and len(arguments) == 2:
            return rf"{self.base(arguments[0])} {self.transposed(arguments[1])}"
        if name == "dot" and len(arguments) == 2:
            return rf"{self.transposed(arguments[0])} {self.base(arguments[1])}"
        if name in ("max", "min") and len(arguments) > 1 and not e.keywords:
            return rf"\{name}{brackets(', '.join(map(self.tex, arguments)))}"
        if name in REDUCTIONS and len(arguments) == 1:
            return self.reduction(e)
        if name in FAMILIES and FAMILIES[name].name == name:  # a function may be called T, as StudentT may
            return self.law(e)
        row = TABLE.get(f"{name}/{len(arguments)}", TABLE.get(name))
        if (
            row is not None
            and not e.keywords
            and not is_taken(row.latex, self.taken)
            and row.arity in (None, len(arguments) + len(e.versus))
        ):
            return self.filled(row.latex, self._places(e))
        for table in (FUNCTIONS, OPERATIONS):
            entry = table.get(name)
            if entry is not None and not e.keywords and not e.versus and not is_taken(entry.latex, self.taken):
                names = entry.arguments if table is FUNCTIONS else tuple(entry.operands)  # type: ignore[union-attr]
                wanted = {found[1] for x in _TOKEN.split(entry.latex) if (found := _PLACE.fullmatch(x))}
                places = dict(zip(names, arguments, strict=False))
                if wanted <= set(places) and not self.is_batch(entry.latex, arguments):
                    return self.filled(entry.latex, places)
        return self.applied(e)

    def is_batch(self, template: str, arguments: Sequence[t.Expression]) -> bool:
        """Whether a power is of many matrices: A^k of an array with more axes is one of its entries."""
        return "^" in template and any(self.rank(a) > 2 for a in arguments)

    def _places(self, e: t.Call) -> dict[str, t.Expression]:
        both = [*e.arguments, *e.versus]
        places = {str(k): x for k, x in enumerate(both)}
        if len(both) >= 2:
            places["q"], places["p"] = both[0], both[1]
        if e.arguments:
            places["*"] = t.ListOf(tuple(both))
        return places

    def filled(self, template: str, places: Mapping[str, t.Expression]) -> str:
        """The template with its places filled; bracketed where nothing delimits them."""
        tokens = [x for x in _TOKEN.split(template) if x]
        literal = ["{" if x == "{{" else "}" if x == "}}" else x for x in tokens]
        out = ""
        for k, token in enumerate(tokens):
            found = _PLACE.fullmatch(token)
            if not found or found[1] not in places:
                out += literal[k]
                continue
            x = places[found[1]]
            if found[1] == "*" and isinstance(x, t.ListOf):
                out += ", ".join(map(self.tex, x.items))
                continue
            text = self.law(x) if found[1] in ("q", "p") else self.tex(x)
            before, after = out, literal[k + 1] if k + 1 < len(literal) else ""
            if before.endswith(r"\left(") and after.startswith(r"\right)") and not TALL.search(text):
                out = before[: -len(r"\left(")] + f"({text})"
                literal[k + 1] = after[len(r"\right)") :]
            elif _OPENED.search(before) and _CLOSED.match(after):
                out += text
            elif after.startswith("^") or literal[k + 1 : k + 2] == ["^{"]:
                out += self.base(x)
            else:
                out += self._argument(x, text)
        return out

    def _argument(self, x: t.Expression, text: str) -> str:
        """An argument after an operator name that has no brackets of its own."""
        if isinstance(x, (t.Name, t.Subscript)) or isinstance(x, t.Number) or (isinstance(x, t.Call) and text.endswith(")")):
            return text
        return brackets(text)

    def applied(self, e: t.Call) -> str:
        """f(x), q(z | x), log p(x)."""
        inside = ", ".join(self.tex(a) for a in e.arguments)
        if e.given:
            inside += r" \mid " + ", ".join(self.tex(a) for a in e.given)
        if e.versus:
            inside += r" \,\|\, " + ", ".join(self.law(a) for a in e.versus)
        if e.keywords:
            inside = ", ".join(filter(None, [inside, *map(self.tex, e.keywords)]))
        short = re.fullmatch(r"[a-zA-Z]\w{0,2}|[a-zA-Z]_\w+", e.function) and e.function not in REDUCTIONS
        if (e.function in self.shapes and e.function not in FUNCTIONS) or short:
            name = self.name(e.function)
        else:
            words = r"\ ".join(tex_text(w) for w in e.function.split("_") if w)
            name = rf"\operatorname{{{words}}}" if words.isascii() else self.name(e.function)
        return (r"\log " if e.log else "") + name + brackets(inside)

    def law(self, e: t.Expression, at: Sequence[t.Expression] = ()) -> str:
        """A distribution: q, q(z | x), or a family, `at` a value; a Normal is written with its variance, as on paper."""
        if isinstance(e, t.Call) and e.function in FAMILIES and e.function not in self.shapes:
            head = FAMILIES[e.function].latex or rf"\operatorname{{{tex_text(e.function)}}}"
            texts = [self._standard(a) for a in e.arguments]
            if e.function == "Normal" and len(e.arguments) == 2 and not e.keywords:
                texts[1] = self._variance(e.arguments)
            texts += [self.tex(k) for k in e.keywords]
            values = ", ".join(map(self.tex, at))
            return head + brackets((f"{values}; " if values else "") + ", ".join(texts))
        return self.tex(e)

    def _standard(self, e: t.Expression) -> str:
        return "0" if isinstance(e, t.Call) and e.function == "zeros" else self.tex(e)

    def _variance(self, arguments: Sequence[t.Expression]) -> str:
        mean, scale = arguments
        one = (isinstance(scale, t.Number) and scale.value == 1) or (isinstance(scale, t.Call) and scale.function == "ones")
        wide = max(self.rank(mean), self.rank(scale), 1 if isinstance(mean, t.Call) and mean.function == "zeros" else 0)
        if one:
            return "I" if wide else "1"
        if self.rank(scale) == 0:
            match scale:
                case t.Call("sqrt", (inner,)):
                    square = self.tex(inner)
                case _:
                    square = self.power(scale, t.Number(Fraction(2)))
            return rf"{square} I" if wide else square
        return rf"\operatorname{{diag}}{brackets(self.power(scale, t.Number(Fraction(2))))}"

    def cases(self, e: t.Call) -> str:
        rows: list[str] = []
        rest: t.Expression = e
        while isinstance(rest, t.Call) and rest.function == "where" and len(rest.arguments) == 3:
            condition, value, rest = rest.arguments
            rows.append(rf"{self.tex(value)} & \text{{if }} {self.tex(condition)}")
        rows.append(rf"{self.tex(rest)} & \text{{otherwise}}")
        return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"

    def blocks(self, e: t.Call) -> str | None:
        """Vectors one after the other, [a; b]; matrices beside and below one another."""
        ranks = {self.rank(a) for a in e.arguments}
        axis = next((k.value for k in e.keywords if k.name == "axis"), t.Number(Fraction(0)))
        if ranks == {1} and not e.keywords:
            return rf"\left[{'; '.join(self.sized_zeros(a) or self.tex(a) for a in e.arguments)}\right]"
        if ranks != {2} or not isinstance(axis, t.Number) or axis.value not in (0, 1):
            return None
        sign = r" \\ " if axis.value == 0 else " & "
        parts = [self.sized_zeros(a) or self.tex(a) for a in e.arguments]
        return rf"\begin{{bmatrix}} {sign.join(parts)} \end{{bmatrix}}"

    def sized_zeros(self, e: t.Expression) -> str:
        if isinstance(e, t.Call) and e.function == "zeros" and len(e.arguments) in (1, 2):
            sizes = r" \times ".join(map(self.tex, e.arguments))
            return rf"\mathbf{{0}}_{{{sizes}}}"
        return ""

    # --- sums ---------------------------------------------------------------------------------------------------------

    def reduction(self, e: t.Call) -> str:
        """sum(x) as a sum over indices that are put on the names inside."""
        (body,) = e.arguments
        shape = self.shape(body)
        if e.function == "norm":
            mark = "_{F}" if shape is not None and len(shape) == 2 and not e.keywords else ""
            return rf"\left\|{self.tex(body)}\right\|{mark}" if not e.keywords else self.applied(e)
        if e.keywords:
            return self._over_axis(e, body, shape)
        if not shape or e.function in ("var", "logsumexp"):
            return self.applied(e)
        letters = [c for c in "ijklmr" if c not in self.shapes and c not in names_in(body)][: len(shape)]
        if len(letters) < len(shape):
            return self.applied(e)
        pushed = self.push(body, letters)
        specs = tuple(t.IndexSpec(c, s) for c, s in zip(letters, shape, strict=True))
        return self.binder(t.Binder(e.function, specs, (pushed,)))

    def _over_axis(self, e: t.Call, body: t.Expression, shape: Shape | None) -> str:
        """A reduction of a matrix along one axis: A 1 for the sums of its rows, [max_j A_ij]_i."""
        words = {k.name: k.value for k in e.keywords}
        axis = words.pop("axis", None)
        kept = words.pop("keepdims", None) is not None
        if words or shape is None or len(shape) != 2 or not isinstance(axis, t.Number) or axis.value not in (0, 1):
            return self.applied(e)
        if e.function in ("sum", "mean"):
            size = shape[int(axis.value)]
            beside = self.spread[int(axis.value)] if kept and self.spread else None
            over = rf"\frac{{1}}{{{self.tex(size)}}} " if e.function == "mean" and size is not None else ""
            if e.function == "sum" or over:
                text = f"{over}{self._matrix(body) if axis.value == 1 else self.transposed(body)} {ONES}"
                if not kept:
                    return text
                ones = ONES + (rf"_{{{self.tex(beside)}}}" if beside is not None else "")
                return rf"{text} {ones}^{{\top}}" if axis.value == 1 else rf"{ones} {brackets(text)}^{{\top}}"
        letters = [c for c in "ijklmr" if c not in self.shapes and c not in names_in(body)][:2]
        beside = (self.spread or shape)[int(axis.value)]
        if len(letters) < 2 or e.function not in ("max", "min", "prod", "logsumexp") or (kept and beside is None):
            return self.applied(e)
        summed, free = (letters[1], letters[0]) if axis.value == 1 else (letters[0], letters[1])
        pushed = self.push(body, letters)
        text = self.binder(t.Binder(e.function, (t.IndexSpec(summed, shape[int(axis.value)]),), (pushed,)))
        text = rf"\left[{text}\right]_{{{free}}}"
        if kept and beside is not None:  # as wide as the matrix again
            ones = rf"{ONES}_{{{self.tex(beside)}}}"
            return rf"{text} {ones}^{{\top}}" if axis.value == 1 else rf"{ones} {text}^{{\top}}"
        return text

    def _matrix(self, e: t.Expression) -> str:
        text = self.tex(e)
        return brackets(text) if isinstance(e, (t.Terms, t.Factors)) else text

    def inside(self, names: Mapping[str, Shape]) -> Latex:
        """What prints where these names are bound."""
        inner = Latex({**self.shapes, **names}, self.from_zero)
        inner.taken = self.taken
        return inner

    def binder(self, e: t.Binder) -> str:
        inner = self.inside({s.name: () for s in e.specs if isinstance(s, t.IndexSpec)})
        if any(isinstance(s, t.Draw) for s in e.specs):
            for s in e.specs:
                if isinstance(s, t.Draw):
                    own = (*s.sizes, *_known(self.shape_of_law(s.law)))
                    inner.shapes.update({n: own for n in s.names if s.sizes or n not in inner.shapes})
            under = ", ".join(self.tex(s) for s in e.specs)
            head = {"E": r"\mathbb{E}", "Var": r"\operatorname{Var}", "Cov": r"\operatorname{Cov}"}.get(e.function)
            head = head or rf"\operatorname{{{tex_text(e.function)}}}"
            body = ", ".join(inner.tex(a) for a in e.arguments)
            return rf"{head}_{{{under}}}\left[{body}\right]"
        if e.function in ("recurrence", "backward") and len(e.specs) == 2:
            return self.sequence(e)
        body = inner.tex(e.arguments[0]) if e.arguments else ""
        names = [s.name for s in e.specs if isinstance(s, t.IndexSpec)]
        if e.function == "tensor":
            told = _with_clear_range(e.arguments[0])
            plain = all(n in told for n in names)
            indices = [self.name(s.name) if s.name in told else self._bounds(s) for s in e.specs if isinstance(s, t.IndexSpec)]
            listed = ("," if plain else r",\, ").join(indices)
            return rf"\left[{body}\right]_{{{listed}}}"
        if e.arguments and isinstance(e.arguments[0], (t.Terms, t.Comparison)):
            body = brackets(body)
        if e.function == "integral":
            spec = e.specs[0]
            assert isinstance(spec, t.IndexSpec)
            ends = ""
            if spec.lower is not None and spec.upper is not None:
                ends = rf"_{{{self.tex(spec.lower)}}}^{{{self.tex(spec.upper)}}}"
            return rf"\int{ends} {body} \,\mathrm{{d}}{self.name(spec.name)}"
        shifted = any(off_plain(a, set(names)) for a in e.arguments)
        ranges = [self._range(s, shifted or self.from_zero) for s in e.specs if isinstance(s, t.IndexSpec)]
        if e.function == "mean":
            sizes = [s.size for s in e.specs if isinstance(s, t.IndexSpec)]
            if all(z is not None for z in sizes):
                size = self._joined([self._factor(z, self.tex(z)) for z in sizes if z is not None])
                return rf"\frac{{1}}{{{size}}} {stacked(chr(92) + 'sum', ranges)} {body}"
        head = {"sum": r"\sum", "prod": r"\prod", "max": r"\max", "min": r"\min"}.get(e.function)
        if head is None:
            head = rf"\operatorname*{{{tex_text(e.function)}}}"
        if e.function in ("max", "min"):
            if not shifted or not all(s.size for s in e.specs if isinstance(s, t.IndexSpec)):
                return rf"{head}_{{{', '.join(self.name(n) for n in names)}}} {self._argument(e.arguments[0], body)}"
            body = self._argument(e.arguments[0], body)
        return f"{stacked(head, ranges)} {body}"

    def sequence(self, e: t.Binder) -> str:
        """A sequence by its first entries and its rule, over the times of the rule."""
        own, time = (s for s in e.specs if isinstance(s, t.IndexSpec))
        inner = self.inside({own.name: (None, *(self.shape(e.arguments[0]) or ())), time.name: ()})
        ends = ", \\dots, ".join(self.tex(x) for x in (time.lower, time.upper) if x is not None)
        values = [*map(self.tex, e.arguments[:-1]), inner.tex(e.arguments[-1])]
        under = rf"{self.name(own.name)},\, {self.name(time.name)} = {ends}"
        listed = r";\; ".join(values)
        return rf"\operatorname{{{e.function}}}_{{{under}}}\left({listed}\right)"

    def shape_of_law(self, law: t.Expression) -> Shape | None:
        if isinstance(law, t.Call) and law.function in FAMILIES and law.arguments:
            return self.shape(law.arguments[0])
        return None

    def _bounds(self, s: t.IndexSpec) -> str:
        """0 <= i < n: an index that does not stand alone at an axis, so that nothing beside it tells how far it runs."""
        name = self.name(s.name)
        return rf"0 \le {name} < {self.tex(s.size)}" if s.size is not None and s.lower is None else name

    def _range(self, s: t.IndexSpec, shifted: bool) -> tuple[str, str]:
        name = self.name(s.name)
        if s.lower is not None and s.upper is not None:
            return f"{name}={self.tex(s.lower)}", self.tex(s.upper)
        if s.size is None:
            return name, ""
        if shifted:
            return f"{name}=0", self.tex(compose.one_less(s.size))
        return f"{name}=1", self.tex(s.size)

    # --- claims -------------------------------------------------------------------------------------------------------

    def chain(self, claim: t.Claim) -> str:
        """first = second = .. as aligned lines, reasons at the right."""
        lines = []
        left = self.tex(claim.first)
        for k, step in enumerate(claim.steps):
            reason = rf" && \text{{{tex_text(step.reason)}}}" if step.reason else ""
            lines.append(f"{left if k == 0 else ''} &{self.relation(step)} {self.tex(step.value)}{reason}")
        return r"\begin{aligned} " + r" \\ ".join(lines) + r" \end{aligned}"

    def relation(self, step: t.ClaimStep) -> str:
        text = RELATIONS.get(step.relation, step.relation)
        if step.over:
            over = ", ".join(self.name(n.name) for n in step.over)
            return rf"{text}_{{{over}}}" if step.relation == "propto" else rf"\overset{{{over}}}{{{text}}}"
        return text


def _with_clear_range(e: t.Tree) -> set[str]:
    """The indices that stand alone at an axis of an array whose sizes are known: i in A[i, j], not in eye(n)[i, j]."""
    out: set[str] = set()
    stack = [e]
    while stack:
        x = stack.pop()
        if isinstance(x, t.Subscript) and isinstance(x.operand, (t.Name, t.Call)):
            if not (isinstance(x.operand, t.Call) and x.operand.function in ("eye", "zeros", "ones")):
                out.update(i.name for i in x.items if isinstance(i, t.Name))
        stack.extend(compose.parts(x))
    return out


def _known(shape: Shape | None) -> Shape:
    return shape if shape is not None else ()


__all__ = ["Latex", "brackets", "greek", "to_latex"]

"""Products on paper: scalars in front, fractions, the transposes of columns, signs for elementwise products."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

from symgen.render import compose
from symgen.render.latex_text import bare, brackets, is_open
from symgen.render.shapes import Shape, matmul
from symgen.text import tree as t

__all__ = ["ONES", "Parts", "Products", "is_filler"]

ONES = r"\mathbf{1}"


@dataclass
class Parts:
    """A product while it is put together: scalars in front, what stands below, the array."""

    front: list[str] = field(default_factory=list)
    below: list[str] = field(default_factory=list)
    array: str | None = None
    shape: Shape | None = ()
    row: bool = False  # the array is a row at the moment
    compound: bool = False
    loose: bool = False  # an elementwise sign stands in it


def is_filler(e: t.Expression) -> bool:
    """I or 1, or a number times one of them."""
    if isinstance(e, t.Factors):
        parts = [e.first, *(x for _, x in e.rest)]
        return (
            sum(map(is_filler, parts)) == 1
            and not any(op == "@" for op, _ in e.rest)
            and all(is_filler(x) or isinstance(x, (t.Number, t.Name)) for x in parts)
        )
    return isinstance(e, t.Call) and e.function in ("eye", "ones") and len(e.arguments) == 1


class Products(ABC):
    """How factors are put together; what a factor looks like and of which shape it is, others say."""

    sized: bool  # what stands beside I or 1 tells its size

    @abstractmethod
    def tex(self, e: t.Tree) -> str:
        """An expression."""

    @abstractmethod
    def shape(self, e: t.Tree) -> Shape | None:
        """Its shape, where that is known."""

    @abstractmethod
    def rank(self, e: t.Tree) -> int:
        """0 where the shape is not known."""

    @abstractmethod
    def transposed(self, e: t.Expression) -> str:
        """Its transpose."""

    def factors(self, e: t.Factors) -> str:
        sized, self.sized = self.sized, False
        turned = self._as_column(e)
        if turned is not None:
            return self.tex(turned)
        p = Parts()
        links = [("*", e.first), *e.rest]
        for k, (op, x) in enumerate(links):
            self.sized = sized or self._tells_size(links, k)
            self._multiply(p, op, x)
            self.sized = False
        return self._assembled(p)

    def _tells_size(self, links: Sequence[tuple[str, t.Expression]], k: int) -> bool:
        """Whether factor k of a product is multiplied by an array that tells its size."""
        if not is_filler(links[k][1]):
            return False
        before = k > 0 and links[k][0] == "@" and self.rank(links[k - 1][1]) > 0 and not is_filler(links[k - 1][1])
        after = k + 1 < len(links) and links[k + 1][0] == "@" and self.rank(links[k + 1][1]) > 0
        return before or (after and not is_filler(links[k + 1][1]))

    def _as_column(self, e: t.Factors) -> t.Expression | None:
        """x @ A as A' x: on paper, vectors are columns."""
        if any(op != "@" for op, _ in e.rest) or self.rank(e.first) != 1 or self.rank(e) != 1:
            return None
        links = [e.first, *(x for _, x in e.rest)]
        if any(self.rank(x) != 2 for x in links[1:]):
            return None
        turned = [compose.transposed(x) for x in reversed(links[1:])] + [links[0]]
        return t.Factors(turned[0], tuple(("@", x) for x in turned[1:]))

    def _multiply(self, p: Parts, op: str, x: t.Expression) -> None:
        shape = self.shape(x)
        rank = len(shape) if shape is not None else 0
        text = self.tex(x)
        if op == "/":
            if rank == 0:
                p.below.append(self._factor(x, text))
                return
            compound = isinstance(x, t.Factors) or (isinstance(x, t.Call) and text.endswith(ONES))
            bottom = brackets(text) if compound else self._factor(x, text)
            over = p.array if p.array is not None else self._joined(p.front) or "1"
            if p.array is None:
                p.front = []
            p.array, p.shape, p.compound, p.loose = rf"{self._closed(over, p)} \oslash {bottom}", shape, True, True
            return
        if op == "@":
            if p.array is None:
                p.array = self._joined(p.front)
                p.front = []
            if p.loose:
                p.array, p.loose = brackets(p.array), False
            left = len(p.shape) if p.shape is not None else 0
            if left == 1 and not p.row and rank >= 1:
                p.array = f"{self._closed(p.array, p)}^{{\\top}}"
                p.row = True
            p.array = self._joined([p.array, brackets(text) if self._scaled(x) else self._factor(x, text)], commute=False)
            p.shape = matmul(p.shape, shape)
            p.row = p.row and p.shape is not None and len(p.shape) > 0
            p.compound = True
            return
        if rank == 0:
            if p.array is not None and shape is None:
                p.array = self._joined([p.array, self._factor(x, text)])
            else:
                p.front.append(self._factor(x, text))
            return
        if p.array is None:
            p.array, p.shape = self._factor(x, text), shape
            p.compound = not isinstance(x, (t.Name, t.Transpose, t.Subscript)) and not text.endswith(")")
            if isinstance(x, t.Terms):
                p.compound = False
            return
        left = len(p.shape) if p.shape is not None else 0
        right = self._factor(x, text)
        if left == 0:
            p.array, p.shape = self._joined([p.array, right]), shape
        elif left == 2 and rank == 1:
            p.array = rf"{p.array} \odot {ONES} {self.transposed(x)}"
        elif left == 1 and rank == 2:
            p.array, p.shape = rf"{ONES} {self._closed(p.array, p)}^{{\top}} \odot {right}", shape
        else:
            p.array = rf"{p.array} \odot {right}"
        p.compound = True
        p.loose = left > 0

    def _scaled(self, x: t.Expression) -> bool:
        """Whether a factor is an array times x' A y: beside a matrix its brackets say where the number ends."""
        if not isinstance(x, t.Factors) or self.rank(x) == 0:
            return False
        parts = [x.first, *(y for op, y in x.rest if op == "*")]
        return any(isinstance(y, t.Factors) and self.rank(y) == 0 and any(op == "@" for op, _ in y.rest) for y in parts)

    def _closed(self, text: str, p: Parts) -> str:
        return brackets(text) if p.compound or "^" in text else text

    def _factor(self, x: t.Expression, text: str) -> str:
        if isinstance(x, t.Terms) or (isinstance(x, t.Number) and x.value < 0):
            return brackets(text)
        if isinstance(x, (t.Comparison, t.Logical)) or (isinstance(x, t.Call) and r"\otimes" in text and x.function == "kron"):
            return brackets(text)
        if isinstance(x, t.Factors) and (r"\odot" in text or r"\oslash" in text):
            return brackets(text)
        return text

    def _joined(self, texts: Sequence[str], commute: bool = True) -> str:
        """Factors side by side, open ones (a sum, a logarithm) last or in brackets."""
        out = ""
        ordered = list(texts)
        if commute:
            ordered.sort(key=is_open)
        for k, text in enumerate(ordered):
            if is_open(text) and k < len(ordered) - 1:
                text = brackets(text)
            if not out:
                out = text
            elif text[:1].isdigit() or (text.startswith(r"\frac") and out[-1:].isdigit()):
                out = rf"{out} \cdot {text}"
            elif (out.endswith(("}", ")")) and text.startswith(r"\mathrm")) or r"\mathrm" in out.rsplit(" ", 1)[-1][:8]:
                out = rf"{out}\, {text}"
            else:
                out = f"{out} {text}"
        return out

    def _assembled(self, p: Parts) -> str:
        front = [x for x in p.front if x != "1" or (len(p.front) == 1 and p.array is None)]
        if p.loose and p.array is not None and any(map(is_open, front)):
            p.array = brackets(p.array)
        above = self._joined(front)
        if not p.below:
            if p.array is None:
                return above
            return self._joined([*front, p.array]) if above else p.array
        below = self._joined(p.below)
        if p.array is None:
            if (above and is_open(above)) or (len(above) > 60 and above.count(r"\sum")):
                return rf"\frac{{1}}{{{bare(below)}}} {above}"
            return rf"\frac{{{bare(above) or '1'}}}{{{bare(below)}}}"
        if p.shape == () and len(p.array) < 40:
            return rf"\frac{{{self._joined([*front, p.array])}}}{{{bare(below)}}}"
        return rf"\frac{{{bare(above) or '1'}}}{{{bare(below)}}} {p.array}"

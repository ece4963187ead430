"""Identifiers, sizes and numbers as Python writes them."""

from __future__ import annotations

import builtins
import keyword
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from fractions import Fraction

from symgen.codegen.sources import CARRIED
from symgen.tensor.expression import Add, Dim, Fn, Mul, Num, Pow, Scalar, as_coefficient, expand_size, mul, num
from symgen.text.diagnostics import CannotDerive

__all__ = [
    "ATOM", "COMPARE", "NONE", "POWER", "PRODUCT", "SUM", "UNARY", "Names", "bracket", "number_text", "safe",
    "size_expression", "size_text",
]  # fmt: skip

ATOM, POWER, UNARY, PRODUCT, SUM, COMPARE, NONE = 7, 6, 5, 4, 3, 2, 0
RESERVED = {"np", "special", "linalg", "math", "params", "data", "grads", "rng", "dtype", "sizes", "arrays", "out",
            "torch", "jax", "jnp", "device"}  # fmt: skip


class Names:
    """Identifiers that are safe, unique, and as near to the author's as Python allows."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = set(taken) | RESERVED | CARRIED

    def new(self, wanted: str) -> str:
        name = safe(wanted)
        if name in self.taken or keyword.iskeyword(name) or name in dir(builtins):
            base, k = name.rstrip("_") or "v", 1
            name = base + "_"
            while name in self.taken:
                k += 1
                name = f"{base}_{k}"
        self.taken.add(name)
        return name


def safe(wanted: str) -> str:
    """A valid identifier in the form in which Python compares them (NFKC)."""
    name = unicodedata.normalize("NFKC", wanted)
    name = re.sub(r"\W", "_", name)
    if not name or not name.isidentifier():
        name = "v_" + name
    if name.startswith("_"):  # what begins so is the module's own
        name = "v" + name
    return name if name.isidentifier() else "v"


def bracket(text: str, own: int, needed: int) -> str:
    return text if own >= needed else f"({text})"


def size_text(size: Scalar, dims: Mapping[Scalar, str], needed: int = NONE) -> str:
    """A size as a Python integer expression."""
    text, own = size_expression(size, dims)
    return bracket(text, own, needed)


def size_expression(size: Scalar, dims: Mapping[Scalar, str]) -> tuple[str, int]:
    if isinstance(size, Num):
        if not isinstance(size.value, Fraction):
            return {"pi": "np.pi", "e": "np.e", "inf": "np.inf", "nan": "np.nan"}[size.value], ATOM
        if size.value.denominator != 1:
            return f"{size.value.numerator} / {size.value.denominator}", PRODUCT
        return str(size.value), ATOM if size.value >= 0 else UNARY
    if isinstance(size, Dim):
        return dims[size], ATOM
    if isinstance(size, Add):
        out = ""
        for t in sorted(size.args, key=lambda t: (isinstance(t, Num), as_coefficient(t)[0] < 0)):
            c, base = as_coefficient(t)
            if out:
                out += " - " if c < 0 else " + "
                out += size_text(mul(num(abs(c)), base), dims, PRODUCT)
            else:
                out = size_text(t, dims, SUM)
        return out, SUM
    if isinstance(size, Mul):
        c, base = as_coefficient(size)
        top = base.args if isinstance(base, Mul) else (base,)
        above = [str(c.numerator)] if c.numerator != 1 else []
        below = [str(c.denominator)] if c.denominator != 1 else []
        for f in top:
            if isinstance(f, Pow) and as_coefficient(f.exponent)[0] < 0:
                below.append(size_text(f.base, dims, POWER))
            else:
                above.append(size_text(f, dims, POWER))
        text = " * ".join(above) or "1"
        if below:
            text += " // " + (below[0] if len(below) == 1 else "(" + " * ".join(below) + ")")
        return text, PRODUCT
    if isinstance(size, Pow):
        return f"{size_text(size.base, dims, ATOM)} ** {size_text(size.exponent, dims, ATOM)}", POWER
    if isinstance(size, Fn) and size.name in ("div", "mod"):
        a, b = (size_text(x, dims, POWER) for x in size.args)
        return f"{a} {'//' if size.name == 'div' else '%'} {b}", PRODUCT
    if isinstance(size, Fn) and size.name == "floor":
        return rounded_down(expand_size(size.args[0]), dims)
    if isinstance(size, Fn) and size.name in ("max", "min"):
        return f"{size.name}({', '.join(size_text(x, dims) for x in size.args)})", ATOM
    raise CannotDerive("a size that code cannot compute", size, "codegen/emit.py")


def rounded_down(size: Scalar, dims: Mapping[Scalar, str]) -> tuple[str, int]:
    """The floor of a polynomial in sizes: its terms over their common denominator, as an integer division."""
    terms = size.args if isinstance(size, Add) else (size,)
    common = math.lcm(*(as_coefficient(t)[0].denominator for t in terms))
    if common == 1:
        return size_expression(size, dims)
    return f"{size_text(expand_size(mul(num(common), size)), dims, POWER)} // {common}", PRODUCT


def number_text(value: Fraction | str) -> tuple[str, int]:
    """A number as Python writes it: exact decimals as such, other fractions as quotients."""
    if isinstance(value, str):
        return {"pi": "np.pi", "e": "np.e", "inf": "np.inf", "nan": "np.nan"}[value], ATOM
    if value.denominator == 1 and abs(value) < 2**31:  # larger ones are floats: an integer of JAX has 32 bits
        return str(value.numerator), ATOM if value >= 0 else UNARY
    try:
        nearest = float(value)
    except OverflowError:
        return ("np.inf", ATOM) if value > 0 else ("-np.inf", UNARY)
    text = repr(nearest)
    if value.denominator != 1 and Fraction(text) != value and max(abs(value.numerator), value.denominator) < 10_000:
        return f"{value.numerator} / {value.denominator}", PRODUCT
    return text, ATOM if value >= 0 else UNARY

"""The one world of expressions: SymPy scalars with indices.

A scalar node is the expression of one *entry*; its free indices name the axes of a tensor. An array node is a name for
a whole tensor: a declared `Var`, a `Tensor` (a lambda over axes), an `Operation` without index form (inv, cholesky),
an `Operator` that an engine has still to reduce (grad, KL, E) or a `Recurrence`.

Nodes are interned subclasses of `sympy.Basic`, made past SymPy's automatic evaluation: equal nodes are one object, so
that `is` is equality, bound indices included (they are numbered by height). The constructors below fold constants,
flatten, merge like terms and equal bases, and eliminate `Delta`; they never expand and never search.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from hashlib import blake2b
from math import factorial
from typing import Any

from sympy import Basic

__all__ = [
    "Node", "Scalar", "Array", "Num", "Dim", "Index", "Entry", "Add", "Mul", "Pow", "Fn", "Sum", "Fold", "Delta",
    "Where", "Compare", "Logic", "Expect", "Var", "Tensor", "Operation", "Operator", "Recurrence",
    "num", "dim", "axis", "fresh_index", "entry", "add", "mul", "neg", "sub", "power", "divide", "fn", "total", "fold",
    "delta", "where", "compare", "logic", "expect", "tensor", "operation", "operator", "var", "scalar_of",
    "substitute", "replace_arrays", "arrays_below", "topological", "walk", "count_nodes", "depends_on", "size_product",
    "ZERO", "ONE", "TWO", "HALF", "MINUS_ONE", "INF", "NAN", "PI", "EULER",
]  # fmt: skip

_table: dict[tuple[Any, ...], Node] = {}
DIGEST_BITS = 64  # of a serial; above them stands the first name of the node in the alphabet, none for a number
LAST_DIGEST = (1 << DIGEST_BITS) - 1
EMPTY: frozenset[Index] = frozenset()


class Node(Basic):  # type: ignore[misc]
    """An interned expression node.

    `args` are its children; `serial` orders nodes by what they say, in the alphabet of their names, whatever was built
    before and in every process alike; `free` holds the free `Index` nodes; `height` is the largest number of an index
    bound inside, so that `total` can number a new one past it.
    """

    __slots__ = ("free", "height", "key", "serial")
    is_scalar_node = False
    is_array_node = False

    serial: int
    free: frozenset[Index]
    height: int
    key: tuple[Any, ...]

    # interned: equality is identity, in C; SymPy's own are Python functions, and this is the hottest spot of all
    __eq__ = object.__eq__
    __ne__ = object.__ne__
    __hash__ = object.__hash__
    args = Basic.__dict__["_args"]  # the slot itself, past SymPy's property

    def __reduce__(self) -> Any:
        raise TypeError("symgen expressions are interned: write them as text (Derivation.text_result), not by pickle")

    def __copy__(self) -> Node:
        return self

    def __deepcopy__(self, memo: Any) -> Node:
        return self

    def __repr__(self) -> str:
        return describe(self)

    __str__ = __repr__

    def _sympystr(self, printer: Any) -> str:
        return describe(self)

    _sympyrepr = _sympystr


class Scalar(Node):
    """The expression of one entry."""

    __slots__ = ()
    is_scalar_node = True


class Array(Node):
    """A whole tensor under one name; `shape` holds one size (a scalar node) per axis. Arrays have no free index."""

    __slots__ = ("shape",)
    is_array_node = True
    shape: tuple[Scalar, ...]

    @property
    def rank(self) -> int:
        return len(self.shape)


_words: dict[str, int] = {}


def _digest(x: Any) -> int:
    """A number that depends on nothing but what `x` says."""
    if isinstance(x, Node):
        return x.serial
    kind = type(x)
    if kind is str:
        found = _words.get(x)
        if found is None:
            found = _words[x] = int.from_bytes(blake2b(x.encode(), digest_size=7).digest(), "big")
        return found
    if kind is tuple:
        return hash(tuple([_digest(y) for y in x]))
    if kind is type:
        return _digest(x.__name__)
    if kind is int or kind is Fraction or kind is bool or kind is float:
        return hash(x)
    if x is None:
        return 1
    if kind is frozenset:
        return hash(tuple(sorted(_digest(y) for y in x)))
    return _digest(x.__name__ if isinstance(x, type) else repr(x))


def _lead(name: str) -> int:
    """The part of a serial that puts names in the order of the alphabet."""
    return int.from_bytes(name.casefold().encode()[:7].ljust(7, b"\0"), "big") << DIGEST_BITS


def _intern(cls: type[Node], key: tuple[Any, ...], args: tuple[Any, ...], free: frozenset[Index], height: int) -> Any:
    node = object.__new__(cls)
    node._args = args
    node._assumptions = cls.default_assumptions if hasattr(cls, "default_assumptions") else None
    node._mhash = hash(key)
    lead = 0
    for a in args:
        s = a.serial >> DIGEST_BITS
        if s and (not lead or s < lead):
            lead = s
    node.serial = (lead << DIGEST_BITS) + (hash(tuple([_digest(x) for x in key])) & LAST_DIGEST)
    node.free = free
    node.height = height
    node.key = key
    _table[key] = node
    return node


def _union(args: Iterable[Node]) -> frozenset[Index]:
    free = EMPTY
    for a in args:
        if a.free and a.free is not free:
            free = free | a.free if free else a.free
    return free


def _make(cls: type[Node], args: tuple[Any, ...], extra: tuple[Any, ...] = ()) -> Any:
    """An interned node whose children are all nodes."""
    key = (cls, *extra, *args)
    found = _table.get(key)
    if found is not None:
        return found
    height = 0
    for a in args:
        if a.height > height:
            height = a.height
    return _intern(cls, key, args, _union(args), height)


# --- leaves -----------------------------------------------------------------------------------------------------------


class Num(Scalar):
    """An exact rational number, or one of the constants inf, nan, pi, e (`value` is then its name)."""

    __slots__ = ("value",)
    value: Fraction | str

    @property
    def rational(self) -> Fraction | None:
        return self.value if isinstance(self.value, Fraction) else None


def num(value: int | Fraction | str) -> Num:
    """The number `value`: an int, a Fraction, or one of the words inf nan pi e."""
    if not isinstance(value, str):
        value = Fraction(value)
    key = (Num, value)
    found = _table.get(key)
    if found is None:
        found = _intern(Num, key, (), EMPTY, 0)
        found.value = value
    return found


class Dim(Scalar):
    """A symbolic size: a positive integer, `dim n`."""

    __slots__ = ("name",)
    name: str


def dim(name: str) -> Dim:
    key = (Dim, name)
    found = _table.get(key)
    if found is None:
        found = _intern(Dim, key, (), EMPTY, 0)
        found.name = name
        found.serial += _lead(name)
    return found


class Index(Scalar):
    """An index that runs over 0 .. size-1; as a number it is its own value.

    kind "a": the k-th axis of a `Tensor`; "s": bound by a reduction, numbered by height; "u": unique, for the while.
    """

    __slots__ = ("kind", "number", "size")
    kind: str
    number: int
    size: Scalar


def _index(kind: str, number: int, size: Scalar) -> Index:
    key = (Index, kind, number, size)
    found = _table.get(key)
    if found is None:
        found = _intern(Index, key, (), EMPTY, 0)
        found.serial = (("a", "s", "u").index(kind) << 60) + ((number & 0xFFFFFFFFFF) << 20) + (size.serial & 0xFFFFF)
        found.kind, found.number, found.size = kind, number, size
        found.free = frozenset((found,))
    return found


def axis(number: int, size: Scalar) -> Index:
    """The index of axis `number`, of length `size`."""
    return _index("a", number, size)


def bound_index(number: int, size: Scalar) -> Index:
    """The index that a binder over a body of height `number` - 1 gets: `total` need not rename it."""
    return _index("s", number, size)


_unique = 0


def fresh_index(size: Scalar) -> Index:
    """An index that occurs nowhere else."""
    global _unique
    _unique += 1
    return _index("u", _unique, size)


class Var(Array):
    """A tensor that is given: data, a parameter, a constant, or a random variable.

    `role` is data, param, const, random, size or placeholder; `domain` a word of the domains table, `domain_args` its
    arguments (`label(k)`); `uid` tells apart variables of equal name.
    """

    __slots__ = ("domain", "domain_args", "name", "role", "uid")
    name: str
    domain: str
    role: str
    domain_args: tuple[Scalar, ...]
    uid: int


def var(
    name: str,
    shape: Sequence[Scalar] = (),
    domain: str = "real",
    role: str = "param",
    domain_args: Sequence[Scalar] = (),
    uid: int = 0,
) -> Var:
    shape, domain_args = tuple(shape), tuple(domain_args)
    key = (Var, name, shape, domain, role, domain_args, uid)
    found = _table.get(key)
    if found is None:
        found = _intern(Var, key, (), EMPTY, 0)
        found.name, found.shape, found.domain, found.role = name, shape, domain, role
        found.domain_args, found.uid = domain_args, uid
        found.serial += _lead(name)
    return found


# --- arrays -----------------------------------------------------------------------------------------------------------


class Tensor(Array):
    """A lambda over its axes: entry (i, j, ..) is `body`, where axis k appears as `axis(k, shape[k])`."""

    __slots__ = ("axes", "body")
    axes: tuple[Index, ...]
    body: Scalar


def _is_same_size(a: Scalar, b: Scalar) -> bool:
    return expand_size(sub(a, b)) is ZERO


def tensor(indices: Sequence[Index], body: Scalar) -> Array:
    """The tensor whose entry at `indices` is `body`; the eta rule gives back X for the entries of X in order."""
    indices = tuple(indices)
    if (
        isinstance(body, Entry)
        and len(body.args) == len(indices) + 1
        and all(a is b for a, b in zip(body.args[1:], indices, strict=True))
        and len(set(indices)) == len(indices)
        and all(i.size is s or _is_same_size(i.size, s) for i, s in zip(indices, body.array.shape, strict=True))
    ):
        return body.array
    axes = tuple(axis(k, i.size) for k, i in enumerate(indices))
    if axes != indices:
        body = substitute(body, dict(zip(indices, axes, strict=True)))
    if body.free and not body.free.issubset(axes):
        raise ValueError(f"free indices {sorted(map(str, body.free.difference(axes)))} in the body of a tensor")
    key = (Tensor, axes, body)
    found = _table.get(key)
    if found is None:
        found = _intern(Tensor, key, (body,), EMPTY, 0)  # closed: no index of a binder outside can meet one inside
        found.axes, found.body, found.shape = axes, body, tuple(i.size for i in axes)
    return found


class Operation(Array):
    """An operation of the operations table on whole arrays (inv, softmax, cholesky): opened only on purpose.

    The last axes are the operation's own; axes before them are batch axes, over which it maps. `params` are scalars
    (the exponent of matpow).
    """

    __slots__ = ("name",)
    name: str

    @property
    def operands(self) -> tuple[Node, ...]:
        return self.args  # type: ignore[no-any-return]


def operation(name: str, operands: Sequence[Node], shape: Sequence[Scalar]) -> Operation:
    """`shape` is what the row of the operations table says of these operands; arrays and closed scalars are operands."""
    operands, shape = tuple(operands), tuple(shape)
    key = (Operation, name, shape, *operands)
    found = _table.get(key)
    if found is None:
        found = _intern(Operation, key, operands, _union(operands), 0)
        found.name, found.shape = name, shape
    return found


class Operator(Array):
    """What an engine has still to reduce: grad, hessian, KL, E, posterior. `attrs` are hashable Python values."""

    __slots__ = ("attrs", "name")
    name: str
    attrs: tuple[Any, ...]

    @property
    def operands(self) -> tuple[Node, ...]:
        return self.args  # type: ignore[no-any-return]


def operator(name: str, operands: Sequence[Node], shape: Sequence[Scalar] = (), attrs: Sequence[Any] = ()) -> Operator:
    operands, shape, attrs = tuple(operands), tuple(shape), tuple(attrs)
    key = (Operator, name, shape, attrs, *operands)
    found = _table.get(key)
    if found is None:
        found = _intern(Operator, key, operands, _union(operands), 0)
        found.name, found.shape, found.attrs = name, shape, attrs
    return found


class Recurrence(Array):
    """A sequence h[0..T]: `base` holds the entries h[0] .. h[b-1] as arrays of shape shape[1:], then
    h[t] = body for t = b .. T (or T down to 0 where `reverse`). In `body`, an array of shape[1:] with one more leading
    axis for t, the sequence itself is the variable `self_var`.
    """

    __slots__ = ("base", "reverse", "self_var", "step")
    self_var: Var
    step: Array
    base: tuple[Array, ...]
    reverse: bool


def recurrence(self_var: Var, step: Array, base: Sequence[Array], reverse: bool = False) -> Recurrence:
    """`step` has the shape of the whole sequence: its entry (t, ..) is the value at t, meaningful for t past the base."""
    base = tuple(base)
    key = (Recurrence, self_var, step, base, reverse)
    found = _table.get(key)
    if found is None:
        found = _intern(Recurrence, key, (step, *base), EMPTY, 0)
        found.self_var, found.step, found.base, found.reverse = self_var, step, base, reverse
        found.shape = self_var.shape
    return found


# --- scalars ----------------------------------------------------------------------------------------------------------


class Entry(Scalar):
    """Entry (i, j, ..) of an array; of an array of rank 0, its value."""

    __slots__ = ()

    @property
    def array(self) -> Array:
        return self.args[0]  # type: ignore[no-any-return]

    @property
    def indices(self) -> tuple[Scalar, ...]:
        return self.args[1:]  # type: ignore[no-any-return]


def entry(array: Array, *indices: Scalar) -> Scalar:
    return _make(Entry, (array, *indices))  # type: ignore[no-any-return]


def scalar_of(array: Array) -> Scalar:
    """The value of an array of rank 0."""
    return entry(array)


class Add(Scalar):
    """A sum of two or more terms, like terms merged."""

    __slots__ = ()


class Mul(Scalar):
    """A product: at most one `Num`, first, then powers of distinct bases."""

    __slots__ = ()


class Pow(Scalar):
    """base ^ exponent."""

    __slots__ = ()

    @property
    def base(self) -> Scalar:
        return self.args[0]  # type: ignore[no-any-return]

    @property
    def exponent(self) -> Scalar:
        return self.args[1]  # type: ignore[no-any-return]


class Fn(Scalar):
    """A function of the functions table applied to scalars, `exp(x)`; or the value f(x) of a function not known."""

    __slots__ = ("name",)
    name: str


class Sum(Scalar):
    """The contraction: the sum of `body` over all values of `indices`."""

    __slots__ = ("body", "indices")
    indices: tuple[Index, ...]
    body: Scalar


class Fold(Scalar):
    """prod, max or min (`kind`) of `body` over all values of `indices`."""

    __slots__ = ("body", "indices", "kind")
    indices: tuple[Index, ...]
    body: Scalar
    kind: str


class Delta(Scalar):
    """1 where the two index values are equal, else 0."""

    __slots__ = ()


class Compare(Scalar):
    """A condition `left op right`, op in == != < <=; a truth value, never an operand of arithmetic."""

    __slots__ = ("op",)
    op: str


class Logic(Scalar):
    """and, or, not of conditions."""

    __slots__ = ("op",)
    op: str


class Where(Scalar):
    """`args` = (condition, value where it holds, value where it does not)."""

    __slots__ = ()


class Expect(Scalar):
    """The mean of `body` over fresh draws of the noise variables `noise` (each a `Var` of role random): what is left of
    an expectation without closed form, after reparameterisation. Linear in the body; binds its noise."""

    __slots__ = ("body", "laws", "noise")
    noise: tuple[Var, ...]
    laws: tuple[str, ...]
    body: Scalar


ZERO, ONE, TWO, MINUS_ONE = num(0), num(1), num(2), num(-1)
HALF = num(Fraction(1, 2))
INF, NAN, PI, EULER = num("inf"), num("nan"), num("pi"), num("e")
MAX_BITS = 100_000  # of an exact number; a larger power stays a power


def _rational(x: Scalar) -> Fraction | None:
    return x.value if type(x) is Num and not isinstance(x.value, str) else None


_NO, _YES = Fraction(0), Fraction(1)  # made once: making a Fraction costs as much as making a node


def as_coefficient(term: Scalar) -> tuple[Fraction, Scalar]:
    """c, t with term = c t, c a rational number."""
    if type(term) is Num:
        return (term.value, ONE) if not isinstance(term.value, str) else (_YES, term)
    if type(term) is Mul:
        c = _rational(term.args[0])
        if c is not None:
            rest = term.args[1:]
            return c, rest[0] if len(rest) == 1 else _make(Mul, rest)
    return _YES, term


def _times(c: Fraction, term: Scalar) -> Scalar:
    if c == 1:
        return term
    if term is ONE:
        return num(c)
    if type(term) is Mul:
        return _make(Mul, (num(c), *term.args))  # type: ignore[no-any-return]
    return _make(Mul, (num(c), term))  # type: ignore[no-any-return]


def add(*terms: Scalar) -> Scalar:
    """The sum, flattened, like terms merged."""
    constant = _NO
    special: list[Scalar] = []
    coefficients: dict[Scalar, Fraction] = {}
    stack = list(reversed(terms))
    while stack:
        t = stack.pop()
        kind = type(t)
        if kind is Num:
            if isinstance(t.value, str) and t.value in ("inf", "nan"):
                special.append(t)
            elif isinstance(t.value, str):
                coefficients[t] = coefficients.get(t, _NO) + 1
            else:
                constant += t.value
            continue
        if kind is Add:
            stack.extend(reversed(t.args))
            continue
        c, base = as_coefficient(t)
        if type(base) is Add:
            stack.extend(_times_into(c, b) for b in reversed(base.args))
            continue
        coefficients[base] = coefficients.get(base, _NO) + c
    if special:
        return _add_special(special, coefficients)
    out = [_times(c, t) for t, c in coefficients.items() if c != 0]
    if constant != 0:
        out.append(num(constant))
    if not out:
        return ZERO
    if len(out) == 1:
        return out[0]
    out.sort(key=_serial_of)
    return _make(Add, tuple(out))  # type: ignore[no-any-return]


def _times_into(c: Fraction, term: Scalar) -> Scalar:
    d, base = as_coefficient(term)
    return _times(c * d, base)


def _add_special(special: list[Scalar], coefficients: Mapping[Scalar, Fraction]) -> Scalar:
    if NAN in special:
        return NAN
    negative = [t for t, c in coefficients.items() if t is INF and c < 0]
    if negative or coefficients.get(INF, _YES) < 0:
        return NAN
    return INF


def _serial_of(node: Node) -> int:
    return node.serial


def neg(x: Scalar) -> Scalar:
    return mul(MINUS_ONE, x)


def sub(x: Scalar, y: Scalar) -> Scalar:
    return add(x, neg(y))


def divide(x: Scalar, y: Scalar) -> Scalar:
    return mul(x, power(y, MINUS_ONE))


def mul(*factors: Scalar) -> Scalar:
    """The product, flattened, powers of one base merged; a rational coefficient goes into a lone sum only if it is -1."""
    coefficient = _YES
    powers: dict[Scalar, Scalar] = {}
    stack = list(reversed(factors))
    while stack:
        f = stack.pop()
        kind = type(f)
        if kind is Num:
            if not isinstance(f.value, str):
                coefficient *= f.value
                continue
        elif kind is Mul:
            stack.extend(reversed(f.args))
            continue
        elif kind is Delta:
            powers[f] = ONE
            continue
        base, exponent = (f.args[0], f.args[1]) if kind is Pow else (f, ONE)
        if base in powers:
            powers[base] = add(powers[base], exponent)
        else:
            powers[base] = exponent
    if coefficient == 0:
        return NAN if INF in powers or NAN in powers else ZERO
    if INF in powers or NAN in powers:
        if NAN in powers or powers[INF] is not ONE:
            return NAN
        if len(powers) == 1:
            return INF if coefficient > 0 else _make(Mul, (MINUS_ONE, INF))
    out: list[Scalar] = []
    again = False
    for base, exponent in powers.items():
        if exponent is ONE:
            out.append(base)
            continue
        p = power(base, exponent)
        if p is ONE:
            continue
        if type(p) is Num and not isinstance(p.value, str):
            coefficient *= p.value
            continue
        again = again or type(p) is Mul
        out.append(p)
    if again:
        return mul(num(coefficient), *out)
    if not out:
        return num(coefficient)
    if len(out) == 1:
        only = out[0]
        if coefficient == 1:
            return only
        if coefficient == -1 and type(only) is Add:
            return add(*(_times_into(coefficient, t) for t in only.args))
        return _make(Mul, (num(coefficient), only))  # type: ignore[no-any-return]
    out.sort(key=_serial_of)
    if coefficient != 1:
        out.insert(0, num(coefficient))
    return _make(Mul, tuple(out))  # type: ignore[no-any-return]


def _integer_root(value: int, degree: int) -> int | None:
    """The exact root, or None."""
    if value < 0:
        return None
    if value in (0, 1):
        return value
    if value.bit_length() // degree > 2000:
        return None
    low, high = 1, 1 << (value.bit_length() // degree + 1)
    while low <= high:
        middle = (low + high) // 2
        p = middle**degree
        if p == value:
            return middle
        low, high = (middle + 1, high) if p < value else (low, middle - 1)
    return None


def power(base: Scalar, exponent: Scalar) -> Scalar:
    """base ^ exponent; exact where a rational power is rational and short, else kept."""
    if exponent is ONE:
        return base
    if exponent is ZERO:
        return ONE
    e = _rational(exponent)
    if type(base) is Num and e is not None and not isinstance(base.value, str):
        b = base.value
        if b == 1:
            return ONE
        if b == 0:
            return ZERO if e > 0 else _make(Pow, (base, exponent))
        if e.denominator == 1:
            bits = max(b.numerator.bit_length(), b.denominator.bit_length()) * abs(e)
            if bits <= MAX_BITS:
                return num(b ** int(e))
        elif b > 0 and e.denominator <= 64 and abs(e) < 64:
            top, bottom = _integer_root(b.numerator, e.denominator), _integer_root(b.denominator, e.denominator)
            if top is not None and bottom is not None:
                return num(Fraction(top, bottom) ** e.numerator)
    if base is INF and e is not None:
        return INF if e > 0 else ZERO
    if base is ONE:
        return ONE
    if e is not None and e.denominator == 1:
        if type(base) is Pow:
            return power(base.args[0], mul(base.args[1], exponent))
        if type(base) is Mul:
            return mul(*(power(f, exponent) for f in base.args))
        if type(base) is Delta and e > 0:
            return base
        if type(base) is Fn and base.name == "exp":
            return fn("exp", mul(exponent, base.args[0]))
    elif e is not None and type(base) is Mul:
        c = _rational(base.args[0])
        if c is not None and c > 0:  # sqrt(4 x) = 2 sqrt(x)
            root = power(base.args[0], exponent)
            if type(root) is Num:
                return mul(root, power(mul(*base.args[1:]), exponent))
    if base is EULER:
        return fn("exp", exponent)
    return _make(Pow, (base, exponent))  # type: ignore[no-any-return]


_EXACT: dict[str, dict[Scalar, Scalar]] = {
    "exp": {ZERO: ONE, ONE: EULER, INF: INF},
    "log": {ONE: ZERO, EULER: ONE, INF: INF},
    "log1p": {ZERO: ZERO}, "expm1": {ZERO: ZERO}, "sqrt": {}, "abs": {ZERO: ZERO, INF: INF}, "sign": {ZERO: ZERO},
    "sin": {ZERO: ZERO, PI: ZERO}, "cos": {ZERO: ONE, PI: MINUS_ONE}, "tan": {ZERO: ZERO}, "sinh": {ZERO: ZERO},
    "cosh": {ZERO: ONE}, "tanh": {ZERO: ZERO}, "asin": {ZERO: ZERO}, "atan": {ZERO: ZERO}, "sigmoid": {ZERO: HALF},
    "relu": {ZERO: ZERO}, "erf": {ZERO: ZERO, INF: ONE}, "erfc": {ZERO: ONE, INF: ZERO}, "lgamma": {ONE: ZERO, TWO: ZERO},
    "gamma": {ONE: ONE, TWO: ONE}, "gelu": {ZERO: ZERO}, "silu": {ZERO: ZERO},
}  # fmt: skip


def fn(name: str, *args: Scalar) -> Scalar:
    """name(args); `sqrt(x)` is x^(1/2); exact values at 0, 1, e, inf are taken."""
    if name == "sqrt":
        return power(args[0], HALF)
    if len(args) == 1:
        a = args[0]
        known = _EXACT.get(name)
        if known is not None:
            value = known.get(a)
            if value is not None:
                return value
        if name == "exp" and type(a) is Fn and a.name == "log":
            return a.args[0]  # type: ignore[no-any-return]
        if name == "log" and type(a) is Fn and a.name == "exp":
            return a.args[0]  # type: ignore[no-any-return]
        r = _rational(a)
        if r is not None:
            if name == "abs":
                return num(abs(r))
            if name == "sign":
                return num((r > 0) - (r < 0))
            if name == "relu":
                return num(max(r, Fraction(0)))
            if name == "floor":
                return num(r.numerator // r.denominator)
            if name == "gamma" and r.denominator == 1 and 0 < r <= 170:
                return num(factorial(int(r) - 1))
    elif name in ("max", "min") and len(args) == 2:
        r, s = _rational(args[0]), _rational(args[1])
        if r is not None and s is not None:
            return num(max(r, s) if name == "max" else min(r, s))
        if args[0] is args[1]:
            return args[0]
    elif (name == "mod" and len(args) == 2) or (name == "div" and len(args) == 2):
        return _split_index(name, *args)
    key = (Fn, name, *args)
    found = _table.get(key)
    if found is None:
        found = _intern(Fn, key, args, _union(args), max((a.height for a in args), default=0))
        found.name = name
    return found


def _split_index(name: str, a: Scalar, n: Scalar) -> Scalar:
    """mod(a, n) and div(a, n) of index values: (n j + i) splits where i is an index of size n."""
    a = _recombined(a)
    r, s = _rational(a), _rational(n)
    if r is not None and s is not None and s > 0:
        return num(r % s) if name == "mod" else num(r // s)
    if n is ONE:
        return ZERO if name == "mod" else a
    if type(a) is Index and a.size is n:
        return a if name == "mod" else ZERO
    if type(a) is Add:
        inside = [t for t in a.args if type(t) is Index and t.size is n]
        if len(inside) == 1:
            rest = [divide(t, n) for t in a.args if t is not inside[0]]
            if all(n not in _factors(t) and not _has_power_of(t, n) for t in rest):
                return inside[0] if name == "mod" else add(*rest)
    quotient = divide(a, n)
    if type(a) is Mul and not _has_power_of(quotient, n) and quotient is not a:
        if len(_factors(quotient)) < len(_factors(a)) or (_rational(n) is not None and _is_integral(quotient)):
            return ZERO if name == "mod" else quotient
    key = (Fn, name, a, n)
    found = _table.get(key)
    if found is None:
        found = _intern(Fn, key, (a, n), _union((a, n)), 0)
        found.name = name
    return found


def _factors(x: Scalar) -> tuple[Scalar, ...]:
    return x.args if type(x) is Mul else (x,)


def _is_integral(x: Scalar) -> bool:
    return all(((r := _rational(f)) is not None and r.denominator == 1) or type(f) in (Index, Dim) for f in _factors(x))


def _has_power_of(x: Scalar, n: Scalar) -> bool:
    c = _rational(n)
    if c is not None:
        return not _is_integral(x)
    return any(type(f) is Pow and f.args[0] is n for f in _factors(x))


def delta(a: Scalar, b: Scalar) -> Scalar:
    """1 if the index values are equal, else 0."""
    if a is b:
        return ONE
    difference = _rational(sub(a, b)) if a.free == b.free else None
    if difference is not None:
        return ONE if difference == 0 else ZERO
    if type(a) is Add or type(b) is Add:
        a, b = _recombined(a), _recombined(b)
        if a is b or _is_apart(a, b):
            return ONE if a is b else ZERO
    if a.serial > b.serial:
        a, b = b, a
    return _make(Delta, (a, b))  # type: ignore[no-any-return]


def _is_apart(a: Scalar, b: Scalar) -> bool:
    """Whether two affine index values are never equal: i + n and j, for j below n."""
    ends = ends_of(sub(a, b))
    if ends is None:
        return False
    low, high = ends
    return _nonnegative(expand_size(sub(low, ONE))) or _nonnegative(expand_size(sub(MINUS_ONE, high)))


def _recombined(x: Scalar) -> Scalar:
    """n div(e, n) + mod(e, n) is e."""
    if type(x) is not Add:
        return x
    for t in x.args:
        if type(t) is Fn and t.name == "mod":
            e, n = t.args
            whole = mul(n, fn("div", e, n))
            if whole in x.args:
                return _recombined(add(e, *(u for u in x.args if u is not t and u is not whole)))
    return x


def compare(op: str, a: Scalar, b: Scalar) -> Scalar:
    """The condition a op b; > and >= are turned round. Known ones are the numbers 1 and 0."""
    if op in (">", ">="):
        op, a, b = {">": "<", ">=": "<="}[op], b, a
    difference = _rational(sub(a, b))
    if difference is not None:
        holds = {"==": difference == 0, "!=": difference != 0, "<": difference < 0, "<=": difference <= 0}[op]
        return ONE if holds else ZERO
    if op in ("==", "!=") and a.serial > b.serial:
        a, b = b, a
    key = (Compare, op, a, b)
    found = _table.get(key)
    if found is None:
        found = _intern(Compare, key, (a, b), _union((a, b)), max(a.height, b.height))
        found.op = op
    return found


_NEGATED = {"==": "!=", "!=": "==", "<": "<=", "<=": "<"}


def logic(op: str, *args: Scalar) -> Scalar:
    """and, or, not; 1 and 0 are true and false."""
    if op == "not":
        (a,) = args
        if a is ONE or a is ZERO:
            return ZERO if a is ONE else ONE
        if isinstance(a, Compare):
            flipped = _NEGATED[a.op]
            return compare(flipped, *a.args) if a.op in ("==", "!=") else compare(flipped, a.args[1], a.args[0])
        if isinstance(a, Logic) and a.op == "not":
            return a.args[0]  # type: ignore[no-any-return]
        if isinstance(a, Logic):
            return logic("or" if a.op == "and" else "and", *(logic("not", x) for x in a.args))
    else:
        absorbing, neutral = (ZERO, ONE) if op == "and" else (ONE, ZERO)
        flat: list[Scalar] = []
        for a in args:
            for x in a.args if isinstance(a, Logic) and a.op == op else (a,):
                if x is absorbing:
                    return absorbing
                if x is not neutral and x not in flat:
                    flat.append(x)
        if not flat:
            return neutral
        if len(flat) == 1:
            return flat[0]
        args = tuple(flat)
    key = (Logic, op, *args)
    found = _table.get(key)
    if found is None:
        found = _intern(Logic, key, args, _union(args), max((a.height for a in args), default=0))
        found.op = op
    return found


def where(condition: Scalar, a: Scalar, b: Scalar) -> Scalar:
    """a where the condition holds, else b."""
    if condition is ONE or a is b:
        return a
    if condition is ZERO:
        return b
    if (
        (isinstance(condition, Logic)
        and condition.op == "not")
        or (isinstance(condition, Compare)
        and condition.op == "!=")
    ):
        condition, a, b = logic("not", condition), b, a
    return _make(Where, (condition, a, b))  # type: ignore[no-any-return]


def _bind(cls: type[Node], body: Scalar, indices: Sequence[Index], extra: tuple[Any, ...] = ()) -> Any:
    """A binder: its indices are renumbered by height, so that equal expressions are one node."""
    height = body.height
    numbered = tuple(_index("s", height + 1 + k, i.size) for k, i in enumerate(indices))
    if not body.free.isdisjoint(numbered) and any(i in body.free and i not in indices for i in numbered):
        # below a binder that is being replaced an index of it may be free, and must not be caught
        height = max(i.number for i in body.free if i.kind == "s")
        numbered = tuple(_index("s", height + 1 + k, i.size) for k, i in enumerate(indices))
    if numbered != tuple(indices):
        body = substitute(body, dict(zip(indices, numbered, strict=True)))
    key = (cls, *extra, numbered, body)
    found = _table.get(key)
    if found is None:
        found = _intern(cls, key, (body,), body.free.difference(numbered), height + len(numbered))
        found.indices, found.body = numbered, body
        if extra:
            found.kind = extra[0]
    return found


def size_product(indices: Iterable[Index]) -> Scalar:
    return mul(*(i.size for i in indices))


def total(body: Scalar, indices: Sequence[Index]) -> Scalar:
    """The sum of `body` over `indices`: constant factors go out, Deltas are eliminated, a constant body gives its size."""
    todo = list(dict.fromkeys(indices))
    if not todo or body is ZERO:
        return body
    kind = type(body)
    if kind is Add:
        return _total_of_sum(body, todo)
    if kind is Sum:
        inner = dict(zip(body.indices, (fresh_index(i.size) for i in body.indices), strict=True))
        return total(substitute(body.body, inner), [*todo, *inner.values()])
    if kind is Where and not any(i in body.args[0].free for i in todo):
        return where(body.args[0], total(body.args[1], todo), total(body.args[2], todo))
    missing = [i for i in todo if i not in body.free]
    if missing:
        return mul(size_product(missing), total(body, [i for i in todo if i in body.free]))
    halves = _halves(body, todo)
    if halves is not None:
        i, parts, value = halves
        return total(substitute(body, {i: value}), [j for j in todo if j is not i] + parts)
    if kind is Delta or (kind is Mul and any(type(f) is Delta for f in body.args)):
        eliminated = _eliminate_delta(body, todo)
        if eliminated is not None:
            return eliminated
    if kind is Mul:
        free_of = [f for f in body.args if f.free.isdisjoint(todo)]
        if free_of:
            inside = [f for f in body.args if not f.free.isdisjoint(todo)]
            return mul(*free_of, total(mul(*inside), todo))
        inside = [f for f in body.args if type(f) is Add and any(has_delta_on(t, todo) for t in f.args)]
        if inside:
            rest = mul(*(f for f in body.args if f is not inside[0]))
            return add(*(total(mul(rest, t), todo) for t in inside[0].args))
        for f in body.args:
            if type(f) is Sum and has_delta_on(f.body, todo):
                opened, bound = open_sum(f)
                return total(mul(opened, *(g for g in body.args if g is not f)), todo + bound)
    return _bind(Sum, body, todo)  # type: ignore[no-any-return]


def _halves(body: Scalar, todo: list[Index]) -> tuple[Index, list[Index], Scalar] | None:
    """An index that occurs in `body` inside mod(i, n) and div(i, n) alone, with i = n j + k written out."""
    found: dict[Index, Scalar] = {}
    raw: set[Index] = set()
    seen: set[Node] = set()
    stack: list[Node] = [body]
    while stack:
        node = stack.pop()
        if node in seen or node.is_array_node or node.free.isdisjoint(todo):
            continue
        seen.add(node)
        if type(node) is Index:
            raw.add(node)
        elif type(node) is Fn and node.name in ("mod", "div") and type(node.args[0]) is Index and node.args[0] in todo:
            i, n = node.args
            if found.setdefault(i, n) is not n:
                raw.add(i)
        else:
            stack.extend(node.args)
    for i in todo:
        n = found.get(i)
        if n is None or i in raw or n.free:
            continue
        m = divide(i.size, n)
        if _has_power_of(m, n) or any(type(x) is Pow for x in _factors(m)):
            continue
        k, j = fresh_index(n), fresh_index(m)
        return i, [j, k], add(mul(n, j), k)
    return None


def has_delta_on(term: Scalar, indices: Sequence[Index]) -> bool:
    """Whether a factor of `term`, or of a term inside, is a Delta on one of `indices`."""
    for f in _factors(term):
        if type(f) is Delta and not f.free.isdisjoint(indices):
            return True
        if type(f) is Add and any(has_delta_on(t, indices) for t in f.args):
            return True
        if type(f) is Sum and has_delta_on(f.body, indices):
            return True
    return False


def _total_of_sum(body: Scalar, todo: list[Index]) -> Scalar:
    apart: list[Scalar] = []
    together: list[Scalar] = []
    for t in body.args:
        if any(i not in t.free for i in todo) or has_delta_on(t, todo):
            apart.append(total(t, todo))
        else:
            together.append(t)
    if together and apart:
        apart.append(total(add(*together), todo))
    if apart:
        return add(*apart)
    return _bind(Sum, body, todo)  # type: ignore[no-any-return]


def in_range(value: Scalar, size: Scalar) -> bool:
    """Whether an index value lies in 0 .. size-1 for certain: an index of that size, a number, or an affine index."""
    if type(value) is Index:
        return value.size is size or _nonnegative(sub(size, value.size))
    r = _rational(value)
    if r is not None:
        return r >= 0 and _nonnegative(sub(size, num(r + 1)))
    if type(value) is Fn and value.name == "mod":
        return value.args[1] is size
    if type(value) is Fn and value.name == "div":
        inner = value.args[0]
        return type(inner) is Index and mul(size, value.args[1]) is inner.size
    if type(value) is Add:
        ends = ends_of(value)
        if ends is None:
            return False
        low, high = ends
        return _nonnegative(expand_size(low)) and _nonnegative(expand_size(sub(sub(size, ONE), high)))
    return False


def ends_of(value: Scalar) -> tuple[Scalar, Scalar] | None:
    """The least and the largest value of an affine index."""
    low, high = ZERO, ZERO
    for t in value.args if type(value) is Add else (value,):
        c, base = as_coefficient(t)
        if base is ONE or not base.free:
            low, high = add(low, t), add(high, t)
            continue
        indices = [f for f in _factors(base) if type(f) is Index]
        others = [f for f in _factors(base) if type(f) is not Index]
        if len(indices) != 1 or any(f.free for f in others):
            return None
        top = mul(num(c), *others, sub(indices[0].size, ONE))
        low, high = (low, add(high, top)) if c > 0 else (add(low, top), high)
    return low, high


def expand_size(x: Scalar) -> Scalar:
    """A size as a sum of monomials in dims."""
    if type(x) is Add:
        return add(*(expand_size(t) for t in x.args))
    if type(x) is Mul:
        terms: list[Scalar] = [ONE]
        for f in x.args:
            f = expand_size(f)
            parts = f.args if type(f) is Add else (f,)
            if len(terms) * len(parts) > 64:
                return x
            terms = [mul(t, p) for t in terms for p in parts]
        return add(*terms)
    if type(x) is Pow and type(x.args[0]) is Add and x.args[1] is TWO:
        return expand_size(_make(Mul, (x.args[0], x.args[0])))
    return x


def _nonnegative(x: Scalar) -> bool:
    """Whether a size expression is >= 0 for all dims >= 1: each dim is written 1 + m with m >= 0."""
    x = expand_size(x)
    low = Fraction(0)
    for t in x.args if type(x) is Add else (x,):
        c, base = as_coefficient(t)
        if base is ONE:
            low += c
        elif c < 0:
            return False
        elif any(type(f) not in (Dim, Pow) for f in _factors(base)):
            return False
        else:
            low += c
    return low >= 0


def _solve_for(index: Index, a: Scalar, b: Scalar) -> Scalar | None:
    """The value of `index` that makes a equal b, where both are affine and its coefficient is 1 or -1."""
    difference = sub(a, b)
    for t in difference.args if type(difference) is Add else (difference,):
        c, base = as_coefficient(t)
        if base is index and abs(c) == 1:
            rest = sub(difference, t)
            if index in rest.free:
                return None
            return mul(num(-c), rest)
    return None


def _eliminate_delta(body: Scalar, todo: list[Index]) -> Scalar | None:
    """One Delta(i, e) under the sum over i is taken away by i := e, where e is in the range of i for certain."""
    deltas = [f for f in _factors(body) if type(f) is Delta]
    joined = _joined_deltas(deltas)
    if joined is not None:
        pair, one = joined
        return total(mul(one, *(g for g in _factors(body) if g not in pair)), todo)
    for f in deltas:
        rest = mul(*(g for g in _factors(body) if g is not f))
        for i in todo:
            if i not in f.free:
                continue
            value = _solve_for(i, f.args[0], f.args[1])
            if value is not None and in_range(value, i.size):
                return total(substitute(rest, {i: value}), [j for j in todo if j is not i])
        digits = _digits(f, todo)
        if digits is not None:
            return total(substitute(rest, digits), [j for j in todo if j not in digits])
        split = _split_delta(f, todo)
        if split is not None:
            i, parts, value = split
            return total(substitute(body, {i: value}), [j for j in todo if j is not i] + parts)
    return None


def _joined_deltas(deltas: Sequence[Scalar]) -> tuple[tuple[Scalar, Scalar], Scalar] | None:
    """Delta(x, div(e, m)) Delta(y, mod(e, m)) as Delta(m x + y, e), for y in range of m."""
    if len(deltas) < 2:
        return None
    for f in deltas:
        for a, y in (f.args, f.args[::-1]):
            if type(a) is not Fn or a.name != "mod" or not in_range(y, a.args[1]):
                continue
            e, m = a.args
            quotient = fn("div", e, m)
            for g in deltas:
                if g is not f and quotient in g.args:
                    x = g.args[1] if g.args[0] is quotient else g.args[0]
                    return (f, g), delta(add(mul(m, x), y), e)
    return None


def _digits(f: Scalar, todo: list[Index]) -> dict[Index, Scalar] | None:
    """Delta(e, n l + k) under the sums over k (of size n) and l: k = mod(e, n), l = div(e, n); and so for more digits."""
    for side, e in (f.args, f.args[::-1]):
        if type(side) is not Add:
            continue
        places: dict[Scalar, Index] = {}
        for t in side.args:
            inside = [x for x in _factors(t) if type(x) is Index]
            if len(inside) != 1 or inside[0] not in todo or inside[0] in e.free:
                break
            places[divide(t, inside[0])] = inside[0]
        else:
            if len(places) != len(side.args):
                continue
            found: dict[Index, Scalar] = {}
            weight: Scalar = ONE
            left = e
            while weight in places and len(found) < len(places):
                i = places[weight]
                weight = mul(weight, i.size)
                last = len(found) == len(places) - 1
                found[i] = left if last else fn("mod", left, i.size)
                left = fn("div", left, i.size)
            if len(found) == len(places) and in_range(e, expand_size(weight)):
                return found
    return None


def _split_delta(f: Scalar, todo: list[Index]) -> tuple[Index, list[Index], Scalar] | None:
    """Delta(mod(i, n), e) or Delta(div(i, n), e) under the sum over i of size n m: write i = n j + k."""
    for a in f.args:
        if type(a) is Fn and a.name in ("mod", "div") and a.args[0] in todo:
            i, n = a.args
            m = divide(i.size, n)
            if _has_power_of(m, n) or any(type(x) is Pow for x in _factors(m)):
                continue
            k, j = fresh_index(n), fresh_index(m)
            return i, [j, k], add(mul(n, j), k)
    return None


def fold(kind: str, body: Scalar, indices: Sequence[Index]) -> Scalar:
    """prod, max or min of `body` over `indices`."""
    todo = list(dict.fromkeys(indices))
    if not todo:
        return body
    missing = [i for i in todo if i not in body.free]
    if missing:
        body = power(body, size_product(missing)) if kind == "prod" else body
        return fold(kind, body, [i for i in todo if i in body.free])
    if all(i.size is ONE for i in todo):
        return substitute(body, dict.fromkeys(todo, ZERO))  # type: ignore[no-any-return]
    return _bind(Fold, body, todo, (kind,))  # type: ignore[no-any-return]


def expect(body: Scalar, noise: Sequence[Var], laws: Sequence[str]) -> Scalar:
    """E over the noise; what does not depend on it goes out."""
    kept = [(v, law) for v, law in zip(noise, laws, strict=True) if depends_on(body, v)]
    if not kept:
        return body
    variables, names = tuple(v for v, _ in kept), tuple(law for _, law in kept)
    if type(body) is Add:
        out = [t for t in body.args if not any(depends_on(t, v) for v in variables)]
        if out:
            rest = add(*(t for t in body.args if t not in out))
            return add(*out, expect(rest, variables, names))
    if type(body) is Mul:
        out = [f for f in body.args if not any(depends_on(f, v) for v in variables)]
        if out:
            return mul(*out, expect(mul(*(f for f in body.args if f not in out)), variables, names))
    key = (Expect, variables, names, body)
    found = _table.get(key)
    if found is None:
        found = _intern(Expect, key, (body,), body.free, body.height)
        found.noise, found.laws, found.body = variables, names, body
    return found


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage collection inside: interned nodes are never garbage, and looking through all of them takes half the time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


# --- walks ------------------------------------------------------------------------------------------------------------


def rebuild(node: Node, args: Sequence[Any]) -> Any:
    """The node of the same kind over other children, through the constructors (binders are not for this)."""
    kind = type(node)
    if kind is Add:
        return add(*args)
    if kind is Mul:
        return mul(*args)
    if kind is Pow:
        return power(args[0], args[1])
    if kind is Entry:
        return entry(*args)
    if kind is Fn:
        return fn(node.name, *args)
    if kind is Delta:
        return delta(*args)
    if kind is Where:
        return where(*args)
    if kind is Compare:
        return compare(node.op, *args)
    if kind is Logic:
        return logic(node.op, *args)
    if kind is Operation:
        return operation(node.name, args, node.shape)
    if kind is Operator:
        return operator(node.name, args, node.shape, node.attrs)
    raise TypeError(f"no rebuild for {kind.__name__}")


def substitute(node: Any, mapping: Mapping[Index, Scalar]) -> Any:
    """`node` with free indices replaced, capture avoided; arrays are closed and stay as they are."""
    mapping = {i: v for i, v in mapping.items() if i is not v and i in node.free}
    if not mapping:
        return node
    values = set(mapping.values())
    if len(values) == len(mapping) and all(type(v) is Index and v.size is i.size for i, v in mapping.items()):
        if values.isdisjoint(node.free) or values.isdisjoint(node.free.difference(mapping)):
            renamed = _rename(node, mapping, {}, values, 0)
            if renamed is not None:
                return renamed
    return _substitute(node, mapping, {})


MAX_RENAME_DEPTH = 100


def _rename(node: Any, mapping: Mapping[Index, Any], memo: dict[Any, Any], values: set[Any], depth: int) -> Any:
    """One to one renaming of indices: nothing merges, so nodes are made without the constructors' work. None: give up
    (too deep for recursion, or an index would be captured)."""
    if node.free.isdisjoint(mapping):
        return node
    found = memo.get(node)
    if found is not None:
        return found
    kind = type(node)
    if kind is Index:
        return mapping[node]
    if depth > MAX_RENAME_DEPTH:
        return None
    if kind is Sum or kind is Fold:
        if not values.isdisjoint(node.indices):
            return None
        body = _rename(node.body, mapping, memo, values, depth + 1)
        if body is None or node.indices[0].number != body.height + 1:
            return None
        extra = (node.kind,) if kind is Fold else ()
        key = (kind, *extra, node.indices, body)
        found = _table.get(key)
        if found is None:
            found = _intern(kind, key, (body,), body.free.difference(node.indices), node.height)
            found.indices, found.body = node.indices, body
            if extra:
                found.kind = node.kind
    else:
        args = []
        for a in node.args:
            new = _rename(a, mapping, memo, values, depth + 1) if a.free else a
            if new is None:
                return None
            args.append(new)
        if kind is Entry or kind is Pow or kind is Where:
            found = _make(kind, tuple(args))
        elif kind is Mul:
            if type(args[0]) is Num and not isinstance(args[0].value, str):
                first = args.pop(0)
                args.sort(key=_serial_of)
                args.insert(0, first)
            else:
                args.sort(key=_serial_of)
            found = _make(Mul, tuple(args))
        elif kind is Add or kind is Delta:
            args.sort(key=_serial_of)
            found = _make(kind, tuple(args))
        elif kind is Fn and node.name not in ("mod", "div"):
            key = (Fn, node.name, *args)
            found = _table.get(key)
            if found is None:
                found = _intern(Fn, key, tuple(args), _union(args), node.height)
                found.name = node.name
        else:
            found = rebuild(node, args) if kind is not Expect else None
            if found is None:
                return None
    memo[node] = found
    return found


def _substitute(root: Any, mapping: Mapping[Index, Scalar], memo: dict[Node, Any]) -> Any:
    if root.free.isdisjoint(mapping):
        return root
    stack: list[Node] = [root]
    while stack:
        node = stack[-1]
        if node in memo:
            stack.pop()
            continue
        if node.free.isdisjoint(mapping):
            memo[node] = node
            stack.pop()
            continue
        kind = type(node)
        if kind is Index:
            memo[node] = mapping[node]
            stack.pop()
            continue
        if kind is Sum or kind is Fold:
            unique = {i: fresh_index(i.size) for i in node.indices}
            body = _substitute(node.body, {**mapping, **unique}, {})
            bound = list(unique.values())
            memo[node] = total(body, bound) if kind is Sum else fold(node.kind, body, bound)
            stack.pop()
            continue
        if kind is Expect:
            memo[node] = expect(_substitute(node.body, mapping, {}), node.noise, node.laws)
            stack.pop()
            continue
        waiting = [a for a in node.args if a not in memo]
        if waiting:
            stack.extend(waiting)
            continue
        memo[node] = rebuild(node, [memo[a] for a in node.args])
        stack.pop()
    return memo[root]


def children(node: Node) -> tuple[Node, ...]:
    """What a walk goes down to: the arguments, and the body of a lambda, binder or recurrence."""
    return node.args  # type: ignore[no-any-return]


def walk(*roots: Node) -> Iterator[Node]:
    """Every node below the roots once, children before parents, bodies of tensors included."""
    seen: set[Node] = set()
    for root in roots:
        stack: list[tuple[Node, bool]] = [(root, False)]
        while stack:
            node, ready = stack.pop()
            if ready:
                yield node
                continue
            if node in seen:
                continue
            seen.add(node)
            stack.append((node, True))
            stack.extend((a, False) for a in reversed(children(node)) if a not in seen)


def topological(*roots: Node) -> list[Array]:
    """The arrays below the roots, each after those that it is made from: the program."""
    return [n for n in walk(*roots) if n.is_array_node]


_direct: dict[Node, tuple[Array, ...]] = {}


def arrays_below(node: Node) -> tuple[Array, ...]:
    """The arrays that occur in `node` (in the body, of a tensor) without looking into them; in order of appearance."""
    found = _direct.get(node)
    if found is None:
        out: dict[Array, None] = {}
        seen: set[Node] = set()
        stack: list[Node] = list(reversed(children(node)))
        while stack:
            n = stack.pop()
            if n in seen:
                continue
            seen.add(n)
            if n.is_array_node:
                out[n] = None
            else:
                stack.extend(reversed(children(n)))
        found = _direct[node] = tuple(out)
    return found


_leaves: dict[Node, frozenset[Var]] = {}


def variables_of(node: Node) -> frozenset[Var]:
    """The variables that `node` depends on, through all definitions (a bound noise variable is not one of them)."""
    found = _leaves.get(node)
    if found is not None:
        return found
    stack: list[Node] = [node]
    while stack:
        n = stack[-1]
        if n in _leaves:
            stack.pop()
            continue
        if isinstance(n, Var):
            _leaves[n] = frozenset((n,))
            stack.pop()
            continue
        waiting = [a for a in children(n) if a not in _leaves]
        if waiting:
            stack.extend(waiting)
            continue
        out: frozenset[Var] = frozenset()
        for a in children(n):
            below = _leaves[a]
            if below and below is not out:
                out = out | below if out else below
        if isinstance(n, Expect):
            out = out.difference(n.noise)
        elif isinstance(n, Recurrence):
            out = out.difference((n.self_var,))
        _leaves[n] = out
        stack.pop()
    return _leaves[node]


def depends_on(node: Node, variable: Array) -> bool:
    """Whether `variable` (a Var, or any array) occurs in `node` or in what its arrays are made from."""
    if isinstance(variable, Var):
        return variable in variables_of(node)
    return any(n is variable for n in walk(node))


def replace_arrays(node: Any, mapping: Mapping[Array, Array | Callable[..., Scalar]]) -> Any:
    """`node` with arrays replaced, through all definitions. A value is an array of the same shape, or a function from
    the index values to a scalar (which is then put in the place of the entry)."""
    return _replace(node, mapping, {})


def _replace(root: Any, mapping: Mapping[Array, Any], memo: dict[Node, Any]) -> Any:
    stack: list[Node] = [root]
    while stack:
        node = stack[-1]
        if node in memo:
            stack.pop()
            continue
        if node in mapping and not callable(mapping[node]):
            memo[node] = mapping[node]
            stack.pop()
            continue
        waiting = [a for a in children(node) if a not in memo and not (a in mapping and callable(mapping[a]))]
        if waiting:
            stack.extend(waiting)
            continue
        stack.pop()
        kind = type(node)
        old = children(node)
        if kind is Entry and node.array in mapping and callable(mapping[node.array]):
            memo[node] = mapping[node.array](*(memo[a] for a in node.indices))
            continue
        new = tuple(memo.get(a, a) for a in old)
        if all(a is b for a, b in zip(old, new, strict=True)):
            memo[node] = node
        elif kind is Tensor:
            # new axes may stand in another length than before only if the caller meant it
            memo[node] = tensor(node.axes, new[0])
        elif kind is Sum:
            memo[node] = _rebind(node, new[0])
        elif kind is Fold:
            memo[node] = _rebind(node, new[0])
        elif kind is Expect:
            memo[node] = expect(new[0], node.noise, node.laws)
        elif kind is Recurrence:
            memo[node] = recurrence(node.self_var, new[0], new[1:], node.reverse)
        else:
            memo[node] = rebuild(node, new)
    return memo[root]


def _rebind(node: Any, body: Scalar) -> Scalar:
    """The binder over another body: its indices are made unique first, for the body may bind indices of that height."""
    unique = {i: fresh_index(i.size) for i in node.indices}
    body = substitute(body, unique)
    bound = list(unique.values())
    return total(body, bound) if type(node) is Sum else fold(node.kind, body, bound)


def open_sum(node: Any) -> tuple[Scalar, list[Index]]:
    """The body and fresh indices of a binder."""
    unique = {i: fresh_index(i.size) for i in node.indices}
    return substitute(node.body, unique), list(unique.values())


def open_tensor(array: Array, indices: Sequence[Scalar]) -> Scalar:
    """Entry `indices` of `array`, with the definition of a `Tensor` put in."""
    if type(array) is Tensor:
        return substitute(array.body, dict(zip(array.axes, indices, strict=True)))  # type: ignore[no-any-return]
    return entry(array, *indices)


_counts: dict[Node, int] = {}


def count_nodes(node: Node) -> int:
    """How many nodes stand in the expression as a DAG, arrays counted as leaves."""
    found = _counts.get(node)
    if found is None:
        seen: set[Node] = set()
        stack: list[Node] = [node]
        while stack:
            n = stack.pop()
            if n in seen:
                continue
            seen.add(n)
            if not n.is_array_node or n is node:
                stack.extend(children(n))
        found = _counts[node] = len(seen)
    return found


# --- a plain text for debugging and error messages; people read what `render` prints -----------------------------------

_LETTERS = "ijklmabcdefgh"


def describe(node: Node, limit: int = 2000) -> str:
    """A short text of a node."""
    out: list[str] = []
    budget = [limit]
    _describe(node, out, budget, 0)
    return "".join(out)


def _describe(node: Any, out: list[str], budget: list[int], depth: int) -> None:
    def put(text: str) -> None:
        budget[0] -= len(text)
        out.append(text)

    if budget[0] < 0 or depth > 60:
        put("..")
        return
    kind = type(node)

    def many(nodes: Iterable[Any], separator: str) -> None:
        for k, a in enumerate(nodes):
            if k:
                put(separator)
            _describe(a, out, budget, depth + 1)

    if kind is Num:
        put(str(node.value))
    elif kind is Dim or kind is Var:
        put(node.name)
    elif kind is Index:
        put(f"{node.kind}{node.number}")
    elif kind is Entry:
        _describe(node.array, out, budget, depth + 1)
        if node.indices:
            put("[")
            many(node.indices, ", ")
            put("]")
    elif kind is Add or kind is Mul or kind is Pow:
        put("(")
        many(node.args, {Add: " + ", Mul: "*", Pow: "^"}[kind])
        put(")")
    elif kind is Sum or kind is Fold:
        put(("sum" if kind is Sum else node.kind) + "[" + ", ".join(f"s{i.number}" for i in node.indices) + "](")
        _describe(node.body, out, budget, depth + 1)
        put(")")
    elif kind is Tensor:
        put("{" + ",".join(f"a{k}" for k in range(len(node.axes))) + ": ")
        _describe(node.body, out, budget, depth + 1)
        put("}")
    elif kind is Expect:
        put("E[" + ", ".join(v.name for v in node.noise) + "](")
        _describe(node.body, out, budget, depth + 1)
        put(")")
    elif kind is Compare:
        many(node.args, f" {node.op} ")
    elif kind is Recurrence:
        put(f"recurrence {node.self_var.name}")
    else:
        put((getattr(node, "name", None) or getattr(node, "op", None) or kind.__name__) + "(")
        many(node.args, ", ")
        put(")")

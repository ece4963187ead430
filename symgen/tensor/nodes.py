"""The one world of expressions: SymPy scalars with indices.

A scalar node is the expression of one *entry*; its free indices name the axes of a tensor. An array node is a name for
a whole tensor: a declared `Var`, a `Tensor` (a lambda over axes), an `Operation` without index form (inv, cholesky),
an `Operator` that an engine has still to reduce (grad, KL, E) or a `Recurrence`.

Nodes are interned subclasses of `sympy.Basic`, made past SymPy's automatic evaluation: equal nodes are one object, so
that `is` is equality, bound indices included (they are numbered by height). The constructors, here and in `arithmetic`
and `binding`, fold constants, flatten, merge like terms and equal bases, and eliminate `Delta`; they never expand and
never search.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from hashlib import blake2b
from typing import Any

from sympy import Basic

__all__ = [
    "ADDS", "AVERAGES", "Add", "Array", "CALLS", "CHOOSES", "CONTRACTS", "Compare", "DELTAS", "DIGEST_BITS", "Delta", "Dim",
    "EMPTY", "EULER", "Entry", "Expect", "Fn", "Fold", "HALF", "INF", "Index", "LABEL", "LAST_DIGEST", "Logic",
    "MINUS_ONE", "Mul", "NAN", "Node", "Num", "ONE", "Operation", "Operator", "PI", "POWERS", "Pow", "Recurrence",
    "Scalar", "Sum", "TWO", "Tensor", "Var", "Where", "ZERO", "axis",
    "bound_index", "describe", "dim", "entry", "free_of_all", "fresh_index", "intern", "make_index", "make_node",
    "node_table", "num", "operation", "operator", "recurrence", "scalar_of", "var",
]  # fmt: skip

node_table: dict[tuple[Any, ...], Node] = {}
DIGEST_BITS = 64  # of a serial; above them stands the first name of the node in the alphabet, none for a number
LAST_DIGEST = (1 << DIGEST_BITS) - 1
EMPTY: frozenset[Index] = frozenset()


_words: dict[str | type, int] = {}
_shapes: dict[tuple[Any, ...], int] = {}


def _digest(x: Any) -> int:
    """A number that depends on nothing but what `x` says."""
    if isinstance(x, Node):
        return x.serial
    kind = type(x)
    if kind is tuple:
        found = _shapes.get(x)
        if found is None:
            found = hash(tuple([_digest(y) for y in x]))
            if all(isinstance(y, Node) for y in x):  # not where (1,) and (True,) would be one key
                _shapes[x] = found
        return found
    if kind is str or isinstance(x, type):
        found = _words.get(x)
        if found is None:
            text = x if kind is str else x.__name__
            found = _words[x] = int.from_bytes(blake2b(text.encode(), digest_size=7).digest(), "big")
        return found
    if kind is int or kind is Fraction or kind is bool or kind is float:
        return hash(x)
    if x is None:
        return 1
    if kind is frozenset:
        return hash(tuple(sorted(_digest(y) for y in x)))
    return _digest(repr(x))


# what `marks` says of a node: which kinds stand inside
CONTRACTS, DELTAS, LABEL, CHOOSES, ADDS, CALLS, POWERS, AVERAGES = (1 << k for k in range(8))


class Node(Basic):  # type: ignore[misc]
    """An interned expression node.

    `args` are its children; `serial` orders nodes by what they say, in the alphabet of their names, whatever was built
    before and in every process alike (`lead` is its upper part); `free` holds the free `Index` nodes; `height` is the
    largest number of an index bound inside, so that `total` can number a new one past it. `marks` tells which kinds of
    node stand inside, arrays not looked into, and `weight` how many nodes, what is shared counted as often as it stands;
    `arrays` is for `arrays_below`.
    """

    __slots__ = ("arrays", "free", "height", "lead", "marks", "serial", "weight")
    is_scalar_node = False
    is_array_node = False
    mark = 0  # what a node of this kind adds to `marks`
    word = 0  # what its kind adds to `serial`

    arrays: tuple[Array, ...] | None
    lead: int
    marks: int
    serial: int
    weight: int
    free: frozenset[Index]
    height: int

    # interned: equality is identity, in C; SymPy's own are Python functions, and this is the hottest spot of all
    __eq__ = object.__eq__
    __ne__ = object.__ne__
    __hash__ = object.__hash__
    args = Basic.__dict__["_args"]  # the slot itself, past SymPy's property

    _mhash = None  # SymPy's slots, which nodes do not fill
    _assumptions: Any

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._assumptions = cls.default_assumptions
        cls.word = _digest(cls)

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


def _lead(name: str) -> int:
    """The upper part of a serial, which puts names in the order of the alphabet."""
    return int.from_bytes(name.casefold().encode()[:7].ljust(7, b"\0"), "big")


MAX_WEIGHT = 1 << 40  # what is shared again and again is no heavier


def intern(cls: type[Node], key: tuple[Any, ...], args: tuple[Any, ...], free: frozenset[Index], height: int) -> Any:
    """A new node under `key`, whose words and children together are what it says."""
    lead, marks, weight = 0, cls.mark, 1
    for a in args:
        s = a.lead
        if s and (not lead or s < lead):
            lead = s
        if a.is_array_node:
            weight += 1
        else:
            marks |= a.marks
            weight += a.weight
    node = object.__new__(cls)
    node._args = args
    node.arrays = None
    node.free = free
    node.height = height
    node.lead = lead
    node.marks = 0 if cls.is_array_node else marks
    node.serial = (lead << DIGEST_BITS) + (hash(tuple([_digest(x) for x in key])) & LAST_DIGEST)
    node.weight = weight if weight < MAX_WEIGHT else MAX_WEIGHT
    node_table[key] = node
    return node


def free_of_all(args: Iterable[Node]) -> frozenset[Index]:
    free = EMPTY
    for a in args:
        if a.free and a.free is not free:
            free = free | a.free if free else a.free
    return free


def make_node(cls: type[Node], args: tuple[Any, ...]) -> Any:
    """An interned node whose children are all nodes."""
    key = (cls, *args)
    found = node_table.get(key)
    if found is not None:
        return found
    free, height, lead, marks, weight, says = EMPTY, 0, 0, cls.mark, 1, [cls.word]
    for a in args:
        says.append(a.serial)
        if a.height > height:
            height = a.height
        s = a.lead
        if s and (not lead or s < lead):
            lead = s
        f = a.free
        if f and f is not free:
            free = free | f if free else f
        if a.is_array_node:
            weight += 1
        else:
            marks |= a.marks
            weight += a.weight
    if cls is Delta and (type(args[0]) is Entry or type(args[1]) is Entry):
        marks |= LABEL
    node = object.__new__(cls)
    node._args = args
    node.arrays = None
    node.free = free
    node.height = height
    node.lead = lead
    node.marks = marks
    node.serial = (lead << DIGEST_BITS) + (hash(tuple(says)) & LAST_DIGEST)
    node.weight = weight if weight < MAX_WEIGHT else MAX_WEIGHT
    node_table[key] = node
    return node


class Num(Scalar):
    """An exact rational number, or one of the constants inf, nan, pi, e (`value` is then its name)."""

    __slots__ = ("value",)
    value: Fraction | str

    @property
    def rational(self) -> Fraction | None:
        return self.value if isinstance(self.value, Fraction) else None


_numbers: dict[tuple[int, int] | str, Num] = {}


def num(value: int | Fraction | str) -> Num:
    """The number `value`: an int, a Fraction, or one of the words inf nan pi e."""
    short = value if isinstance(value, str) else value.as_integer_ratio()
    found = _numbers.get(short)
    if found is None:
        exact = short if isinstance(short, str) else Fraction(*short)
        found = _numbers[short] = intern(Num, (Num, exact), (), EMPTY, 0)
        found.value = exact
    return found


class Dim(Scalar):
    """A symbolic size: a positive integer, `dim n`."""

    __slots__ = ("name",)
    name: str


def dim(name: str) -> Dim:
    key = (Dim, name)
    found = node_table.get(key)
    if found is None:
        found = intern(Dim, key, (), EMPTY, 0)
        found.name = name
        found.lead = _lead(name)
        found.serial += found.lead << DIGEST_BITS
    return found


class Index(Scalar):
    """An index that runs over 0 .. size-1; as a number it is its own value.

    kind "a": the k-th axis of a `Tensor`; "s": bound by a reduction, numbered by height; "u": unique, for the while.
    """

    __slots__ = ("kind", "number", "size")
    kind: str
    number: int
    size: Scalar


def make_index(kind: str, number: int, size: Scalar) -> Index:
    key = (Index, kind, number, size)
    found = node_table.get(key)
    if found is None:
        found = intern(Index, key, (), EMPTY, 0)
        found.serial = (("a", "s", "u").index(kind) << 60) + ((number & 0xFFFFFFFFFF) << 20) + (size.serial & 0xFFFFF)
        found.kind, found.number, found.size = kind, number, size
        found.free = frozenset((found,))
    return found


def axis(number: int, size: Scalar) -> Index:
    """The index of axis `number`, of length `size`."""
    return make_index("a", number, size)


def bound_index(number: int, size: Scalar) -> Index:
    """The index that a binder over a body of height `number` - 1 gets: `total` need not rename it."""
    return make_index("s", number, size)


_unique = 0


def fresh_index(size: Scalar) -> Index:
    """An index that occurs nowhere else."""
    global _unique
    _unique += 1
    return make_index("u", _unique, size)


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
    found = node_table.get(key)
    if found is None:
        found = intern(Var, key, (), EMPTY, 0)
        found.name, found.shape, found.domain, found.role = name, shape, domain, role
        found.domain_args, found.uid = domain_args, uid
        found.lead = _lead(name)
        found.serial += found.lead << DIGEST_BITS
    return found


class Tensor(Array):
    """A lambda over its axes: entry (i, j, ..) is `body`, where axis k appears as `axis(k, shape[k])`."""

    __slots__ = ("axes", "body")
    axes: tuple[Index, ...]
    body: Scalar


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
    found = node_table.get(key)
    if found is None:
        found = intern(Operation, key, operands, free_of_all(operands), 0)
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
    found = node_table.get(key)
    if found is None:
        found = intern(Operator, key, operands, free_of_all(operands), 0)
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
    found = node_table.get(key)
    if found is None:
        found = intern(Recurrence, key, (step, *base), EMPTY, 0)
        found.self_var, found.step, found.base, found.reverse = self_var, step, base, reverse
        found.shape = self_var.shape
    return found


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
    return make_node(Entry, (array, *indices))  # type: ignore[no-any-return]


def scalar_of(array: Array) -> Scalar:
    """The value of an array of rank 0."""
    return entry(array)


class Add(Scalar):
    """A sum of two or more terms, like terms merged."""

    __slots__ = ()
    mark = ADDS


class Mul(Scalar):
    """A product: at most one `Num`, first, then powers of distinct bases."""

    __slots__ = ()


class Pow(Scalar):
    """base ^ exponent."""

    __slots__ = ()
    mark = POWERS

    @property
    def base(self) -> Scalar:
        return self.args[0]  # type: ignore[no-any-return]

    @property
    def exponent(self) -> Scalar:
        return self.args[1]  # type: ignore[no-any-return]


class Fn(Scalar):
    """A function of the functions table applied to scalars, `exp(x)`; or the value f(x) of a function not known."""

    __slots__ = ("name",)
    mark = CALLS
    name: str


class Sum(Scalar):
    """The contraction: the sum of `body` over all values of `indices`."""

    __slots__ = ("body", "indices")
    mark = CONTRACTS
    indices: tuple[Index, ...]
    body: Scalar


class Fold(Scalar):
    """prod, max or min (`kind`) of `body` over all values of `indices`."""

    __slots__ = ("body", "indices", "kind")
    mark = CONTRACTS
    indices: tuple[Index, ...]
    body: Scalar
    kind: str


class Delta(Scalar):
    """1 where the two index values are equal, else 0."""

    __slots__ = ()
    mark = DELTAS


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
    mark = CHOOSES


class Expect(Scalar):
    """The mean of `body` over fresh draws of the noise variables `noise` (each a `Var` of role random): what is left of
    an expectation without closed form, after reparameterisation. Linear in the body; binds its noise."""

    __slots__ = ("body", "laws", "noise")
    mark = CONTRACTS | AVERAGES
    noise: tuple[Var, ...]
    laws: tuple[str, ...]
    body: Scalar


ZERO, ONE, TWO, MINUS_ONE = num(0), num(1), num(2), num(-1)
HALF = num(Fraction(1, 2))
INF, NAN, PI, EULER = num("inf"), num("nan"), num("pi"), num("e")
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

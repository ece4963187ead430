"""From nodes to SymPy and back.

`to_sympy(node, table)` writes a scalar in internal symbols s0, s1, .. whose assumptions come from the domains: what
SymPy is consulted on, and `from_sympy` reads back. `to_sympy(node, names=..)` writes it in symbols without assumptions
named as the author named them: what a caller is handed. `within` calls SymPy under a deadline.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import sympy
from sympy.polys.polyerrors import BasePolynomialError

from symgen.tensor.expression import (
    HALF,
    INF,
    MINUS_ONE,
    NAN,
    ONE,
    PI,
    TWO,
    ZERO,
    Add,
    Array,
    Compare,
    Delta,
    Dim,
    Entry,
    Expect,
    Fn,
    Fold,
    Index,
    Logic,
    Mul,
    Node,
    Num,
    Operator,
    Pow,
    Recurrence,
    Scalar,
    Sum,
    Tensor,
    Var,
    Where,
    add,
    axis,
    compare,
    entry,
    fn,
    fresh_index,
    logic,
    mul,
    num,
    open_sum,
    open_tensor,
    power,
    substitute,
    where,
)
from symgen.tensor.facts import Facts, is_negative, is_nonnegative, is_positive
from symgen.tensor.sympy_functions import FROM_SYMPY, HANDED_OUT, TO_SYMPY, own_function, polygamma

__all__ = [
    "Table", "NotInSymPy", "Timeout", "Closed", "to_sympy", "from_sympy", "array_to_sympy", "in_time", "within", "SYMPY_ERRORS",
]  # fmt: skip

MAX_UNROLLED = 64  # terms of a sum over a fixed range that is written out for SymPy


class NotInSymPy(ValueError):
    """An expression that the other side has no word for."""


class Timeout(BaseException):
    """Past `except Exception`, of which SymPy has many."""


# what SymPy raises when a question is beyond it
SYMPY_ERRORS = (
    ArithmeticError, AssertionError, AttributeError, BasePolynomialError, IndexError, KeyError, NotImplementedError,
    RecursionError, StopIteration, TypeError, ValueError,
)  # fmt: skip


def within(seconds: float, call: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """call(*args), or None when it takes longer than `seconds` or SymPy gives up. For questions to SymPy alone: errors of
    our own that are ValueErrors would be taken for SymPy's."""
    try:
        return in_time(seconds, call, *args, **options)
    except SYMPY_ERRORS:
        return None


def in_time(seconds: float, call: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """call(*args), or None when it takes longer than `seconds`.

    The clock counts processor time (SIGPROF), so that a busy machine changes no answer. Only the main thread has one;
    elsewhere the call runs without, so that callers ask for small expressions only.
    """
    clocked = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()

    def ring(*_: object) -> None:
        raise Timeout

    if seconds <= 0:
        return None
    started = time.process_time()
    old_handler, old_left = None, 0.0
    try:
        if clocked:
            old_handler = signal.signal(signal.SIGPROF, ring)
            old_left, _ = signal.setitimer(signal.ITIMER_PROF, seconds)
            if 0 < old_left < seconds:  # an outer clock rings first
                signal.setitimer(signal.ITIMER_PROF, old_left)
        return call(*args, **options)
    except Timeout:
        if 0 < old_left <= time.process_time() - started and old_handler is not None:
            raise
        return None
    finally:
        if clocked:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, old_handler if old_handler is not None else signal.SIG_DFL)
            if old_left > 0:
                signal.setitimer(signal.ITIMER_PROF, max(old_left - (time.process_time() - started), 1e-3))


# --- the table of what SymPy does not look into -----------------------------------------------------------------------

_ASSUMPTIONS: dict[str, dict[str, bool]] = {
    "positive": {"positive": True}, "nonnegative": {"nonnegative": True}, "unit": {"positive": True},
    "integer": {"integer": True}, "natural": {"integer": True, "nonnegative": True},
    "binary": {"integer": True, "nonnegative": True}, "label": {"integer": True, "nonnegative": True},
    "onehot": {"integer": True, "nonnegative": True}, "simplex": {"nonnegative": True},
}  # fmt: skip


class Table:
    """The atoms of a question to SymPy, and the symbols that stand for them."""

    def __init__(self, facts: Facts | None = None, generic: bool = False) -> None:
        """`generic` takes sums of squares and of nonnegative data for positive, and keeps them in `assumed`."""
        self.facts, self.generic = facts, generic
        self.assumed: list[Scalar] = []
        self.symbols: dict[Scalar, Any] = {}
        self.atoms: dict[Any, Scalar] = {}
        self.units: list[Any] = []  # symbols of numbers between 0 and 1

    def symbol(self, atom: Scalar, **assumptions: bool) -> Any:
        """The symbol of `atom`; `assumptions` are taken when it is new."""
        found = self.symbols.get(atom)
        if found is None:
            if not assumptions:
                assumptions = self.assumptions_of(atom)
            found = sympy.Symbol(f"s{len(self.symbols)}", **assumptions)
            self.symbols[atom], self.atoms[found] = found, atom
            if isinstance(atom, Entry) and isinstance(atom.array, Var) and atom.array.domain == "unit":
                self.units.append(found)
        return found

    def assumptions_of(self, atom: Scalar) -> dict[str, bool]:
        if isinstance(atom, Dim):
            return {"integer": True, "positive": True}
        if isinstance(atom, Index):
            return {"integer": True, "nonnegative": True}
        out: dict[str, bool] = {"real": True}
        if isinstance(atom, Entry) and isinstance(atom.array, Var):
            out = dict(_ASSUMPTIONS.get(atom.array.domain, {"real": True}))
            if atom.array.domain == "lower" and len(atom.indices) == 2 and atom.indices[0] is atom.indices[1]:
                out = {"positive": True}
            if atom.array.domain == "spd" and len(atom.indices) == 2 and atom.indices[0] is atom.indices[1]:
                out = {"positive": True}
        if "positive" in out or (isinstance(atom, Entry) and isinstance(atom.array, Var) and not self.facts):
            return out
        if is_positive(atom, self.facts):
            return {**{k: v for k, v in out.items() if k == "integer"}, "positive": True}
        if is_negative(atom, self.facts):
            return {"negative": True}
        if self.generic and not isinstance(atom, Entry) and is_nonnegative(atom, self.facts):
            self.assumed.append(atom)
            return {"positive": True}
        return out


# --- nodes to SymPy ---------------------------------------------------------------------------------------------------

_LETTERS = "i j k l m a b c u v r q".split()


class _Writer:
    """One translation; `names` is None for internal symbols."""

    def __init__(
        self,
        table: Table | None,
        names: Mapping[Array, str] | None,
        indices: Mapping[Index, Any] | None,
        values: Mapping[Scalar, Any] | None,
    ) -> None:
        self.table, self.names = table, names
        self.memo: dict[Node, Any] = dict(values or {})
        self.memo.update(indices or {})
        self.taken = {str(s) for s in self.memo.values()}
        if names is not None:
            self.taken |= set(names.values())
        self.letters: dict[Index, Any] = {}

    def index(self, index: Index) -> Any:
        found = self.letters.get(index)
        if found is None:
            used = {str(s) for s in self.letters.values()} | self.taken
            letters = (f"{x}{k or ''}" for k in range(1000) for x in _LETTERS)
            name = next(x for x in letters if x not in used)
            found = self.letters[index] = sympy.Symbol(name, integer=True)
        return found

    def write(self, root: Scalar) -> Any:
        stack: list[Node] = [root]
        while stack:
            node = stack[-1]
            if node in self.memo:
                stack.pop()
                continue
            waiting = [a for a in self.below(node) if a not in self.memo]
            if waiting:
                stack.extend(reversed(waiting))
                continue
            self.memo[node] = self.make(node)
            stack.pop()
        return self.memo[root]

    def opened(self, node: Entry) -> Scalar | None:
        """The definition, where an entry of a tensor is read through."""
        if isinstance(node.array, Tensor) and (self.names is None or node.array not in self.names):
            return open_tensor(node.array, node.indices)
        return None

    def unrolled(self, node: Any) -> list[Scalar] | None:
        """The terms of a sum or fold over fixed ranges."""
        count = 1
        for i in node.indices:
            size = i.size.value if isinstance(i.size, Num) else None
            if not isinstance(size, Fraction) or size.denominator != 1:
                return None
            count *= int(size)
        if count > MAX_UNROLLED:
            return None
        body, fresh = open_sum(node)
        terms = [body]
        for i in fresh:
            terms = [substitute(t, {i: num(k)}) for t in terms for k in range(int(i.size.value))]
        return terms

    def below(self, node: Any) -> Sequence[Node]:
        kind = type(node)
        if kind in (Add, Mul, Pow, Fn, Delta, Compare, Logic, Where):
            return node.args  # type: ignore[no-any-return]
        if kind is Entry:
            opened = self.opened(node)
            if opened is not None:
                return (opened,)
            if self.names is None:
                return ()
            array = node.array
            below = list(node.indices)
            if array not in self.names and not isinstance(array, Var | Recurrence):
                below += [a for a in array.args if a.is_scalar_node]
            return below
        if kind in (Sum, Fold):
            terms = self.unrolled(node) if self.names is None or kind is Fold else None
            if terms is not None:
                return terms
            return () if self.names is None else (node.body, *(i.size for i in node.indices))
        if kind is Expect:
            return () if self.names is None else (node.body,)
        if kind is Index:
            return ()
        return ()

    def make(self, node: Any) -> Any:
        kind = type(node)
        args: list[Any] = [self.memo.get(a) for a in node.args] if kind is not Entry else []
        if kind is Num:
            return _number(node)
        if kind is Add:
            return sympy.Add(*args)
        if kind is Mul:
            return sympy.Mul(*args)
        if kind is Pow:
            if args[0].is_Number and args[1].is_Integer and abs(args[1]) > 64:
                return sympy.Pow(*args, evaluate=False)  # a number too long to write out stays a power
            return sympy.Pow(*args)
        if kind is Fn:
            return self.function(node, args)
        if kind is Delta:
            return sympy.KroneckerDelta(*args)
        if kind is Compare:
            op = {"==": sympy.Eq, "!=": sympy.Ne, "<": sympy.StrictLessThan, "<=": sympy.LessThan}[node.op]
            return op(*args)
        if kind is Logic:
            args = [sympy.true if a == 1 else sympy.false if a == 0 else a for a in args]
            return {"and": sympy.And, "or": sympy.Or, "not": sympy.Not}[node.op](*args)
        if kind is Where:
            return sympy.Piecewise((args[1], args[0]), (args[2], True))
        if kind is Entry:
            opened = self.opened(node)
            if opened is not None:
                return self.memo[opened]
            return self.atom(node)
        if kind is Sum:
            return self.sum(node)
        if kind is Fold:
            return self.fold(node)
        if self.names is None:
            return self.internal(node)
        if kind is Index:
            return self.index(node)
        if kind is Dim:
            return sympy.Symbol(node.name)
        if kind is Expect:
            return sympy.Function("E")(self.memo[node.body])
        raise NotInSymPy(f"{node}")

    def internal(self, node: Scalar) -> Any:
        if self.table is None:
            raise NotInSymPy(f"{node}")
        return self.table.symbol(node)

    def function(self, node: Fn, args: Sequence[Any]) -> Any:
        made = TO_SYMPY.get(node.name)
        if made is not None:
            return made(*args)
        if self.names is None:
            return self.internal(node)
        made = HANDED_OUT.get(node.name) or own_function(node.name)
        return made(*args)

    def sum(self, node: Sum) -> Any:
        if self.names is None:
            terms = self.unrolled(node)
            return self.internal(node) if terms is None else sympy.Add(*(self.memo[t] for t in terms))
        limits = [(self.index(i), 0, self.memo[i.size] - 1) for i in node.indices]
        return sympy.Sum(self.memo[node.body], *limits)

    def fold(self, node: Fold) -> Any:
        terms = self.unrolled(node)
        if terms is not None:
            kind = {"prod": sympy.Mul, "max": sympy.Max, "min": sympy.Min}[node.kind]
            return kind(*(self.memo[t] for t in terms))
        if self.names is None:
            return self.internal(node)
        limits = [(self.index(i), 0, self.memo[i.size] - 1) for i in node.indices]
        if node.kind == "prod":
            return sympy.Product(self.memo[node.body], *limits)
        letters = tuple(self.index(i) for i in node.indices)
        return sympy.Function(node.kind)(sympy.Lambda(letters, self.memo[node.body]))

    def atom(self, node: Entry) -> Any:
        """An entry of what has a name, or of an operation without index form."""
        if self.names is None:
            return self.internal(node)
        array, indices = node.array, [self.memo[i] for i in node.indices]
        name = self.names.get(array)
        if name is None and isinstance(array, Var):
            name = array.name
        if name is None and isinstance(array, Recurrence):
            name = array.self_var.name
        if name is not None:
            return sympy.IndexedBase(name)[tuple(indices)] if indices else sympy.Symbol(name)
        if isinstance(array, Operator) and array.name == "apply" and array.attrs:
            return sympy.Function(str(array.attrs[0]))(*(self.operand(a) for a in array.args))
        if isinstance(array, Operator) and array.name == "integral":
            f, low, high = (self.write(open_tensor(a, node.indices if a.rank else ())) for a in array.operands)
            return sympy.Integral(f, (self.write(entry(array.attrs[0][0])), low, high))
        if isinstance(array, Operator) and array.name == "series":
            f, low, high = (self.write(open_tensor(a, ())) for a in array.operands)
            return sympy.Sum(f, (self.write(entry(array.attrs[0][0])), low, high))
        label = str(getattr(array, "name", type(array).__name__.lower()))
        parts = _parts_of_unknown(array)
        if parts:
            return sympy.Function(label)(*parts, *indices)
        return sympy.Function(label)(*(self.operand(a) for a in array.args), *indices)

    def operand(self, operand: Any) -> Any:
        if operand.is_scalar_node:
            return self.memo[operand] if operand in self.memo else self.write(operand)
        name = self.names.get(operand) if self.names is not None else None
        if name is None and isinstance(operand, Var):
            name = operand.name
        if name is not None:
            return sympy.IndexedBase(name) if operand.rank else sympy.Symbol(name)
        if isinstance(operand, Tensor):
            if not operand.axes:
                return self.memo[operand.body] if operand.body in self.memo else self.write(operand.body)
            fresh = [fresh_index(i.size) for i in operand.axes]  # the axes around it carry the same indices
            return sympy.Lambda(tuple(self.index(i) for i in fresh), self.write(open_tensor(operand, fresh)))
        if _is_density(operand) and not operand.args:
            return sympy.Symbol(str(operand.attrs[1]))
        is_law = isinstance(operand, Operator) and operand.attrs[:1] == ("law",)
        if not operand.rank and not is_law:
            return self.write(entry(operand))
        label = str(operand.attrs[1]) if _is_density(operand) else str(getattr(operand, "name", "array"))
        return sympy.Function(label)(*(self.operand(a) for a in operand.args))


def _parts_of_unknown(array: Array) -> list[Any]:
    """p(x), p(z | x) of a density of several variables that is not known, and which variables an operator is about."""
    if not isinstance(array, Operator) or len(array.attrs) != 3 or array.name not in ("entropy", "mutual_information"):
        return []
    if not all(_is_density(law) and not law.args and len(law.attrs) > 2 for law in array.args):
        return []
    specs, _, plain = array.attrs
    out = []
    for name, factors, variables, given in specs:
        drawn = tuple(v for _, vs, _ in factors for v in vs)
        part = ", ".join(v.name for v in variables) + (" | " + ", ".join(v.name for v in given) if given else "")
        out.append(sympy.Symbol(name if variables == drawn and not given else f"{name}({part})"))
    return out + [sympy.Symbol(v.name) for key in ("x", "z") for v in dict(plain).get(key, ())]


def _is_density(array: Array) -> bool:
    return isinstance(array, Operator) and array.name == "density" and len(array.attrs) > 1


def _number(node: Num) -> Any:
    if isinstance(node.value, str):
        return {"inf": sympy.oo, "nan": sympy.nan, "pi": sympy.pi, "e": sympy.E}[node.value]
    return sympy.Rational(node.value.numerator, node.value.denominator)


def to_sympy(
    node: Scalar,
    table: Table | None = None,
    *,
    names: Mapping[Array, str] | None = None,
    indices: Mapping[Index, Any] | None = None,
    values: Mapping[Scalar, Any] | None = None,
) -> Any:
    """`node` as a SymPy expression: in the symbols of `table`, or in the author's names, where `names` are given.

    `indices` says what free indices are called; `values` gives expressions for scalars in place of their own. Sums over
    fixed ranges are written out for a `table`; what SymPy has no word for is a symbol of the table there, and an
    undefined function under `names`.
    """
    if table is None and names is None:
        names = {}
    return _Writer(table, None if table is not None else names, indices, values).write(node)


def array_to_sympy(array: Array, names: Mapping[Array, str]) -> tuple[Any, tuple[Any, ...]]:
    """An entry of `array` in the author's names, and its indices."""
    axes = [axis(k, size) for k, size in enumerate(array.shape)]
    taken = set(names.values())
    letters = [x for x in (f"{x}{k or ''}" for k in range(10) for x in _LETTERS) if x not in taken]
    symbols = {i: sympy.Symbol(x, integer=True) for i, x in zip(axes, letters, strict=False)}
    return to_sympy(open_tensor(array, axes), names=names, indices=symbols), tuple(symbols.values())


class Closed:
    """A closed SymPy expression in the symbols of a table: for what nodes have no word for (complex numbers). With
    `roots`, the numbers meant are the roots of `expression` as a polynomial in the symbol `roots`."""

    def __init__(self, expression: Any, table: Table, roots: Any = None) -> None:
        self.expression, self.table, self.roots = expression, table, roots

    def named(self, names: Mapping[Array, str]) -> Any:
        """The expression in the author's names."""
        atoms = self.expression.free_symbols & set(self.table.atoms)
        return self.expression.xreplace({s: to_sympy(self.table.atoms[s], names=names) for s in atoms})

    def __repr__(self) -> str:
        return f"Closed({self.named({})})"


# --- SymPy to nodes ---------------------------------------------------------------------------------------------------


def from_sympy(expression: Any, table: Table) -> Scalar:
    """The node of a SymPy expression in the symbols of `table`. Raises NotInSymPy for what the language lacks (complex
    numbers, roots without radicals, unevaluated integrals)."""
    return _read(sympy.Integer(expression) if isinstance(expression, int) else expression, table, {})


def _read(e: Any, table: Table, memo: dict[Any, Scalar]) -> Scalar:
    found = memo.get(e)
    if found is None:
        found = memo[e] = _read_new(e, table, memo)
    return found


def _read_new(e: Any, table: Table, memo: dict[Any, Scalar]) -> Scalar:
    if e.is_Rational:
        return num(Fraction(int(e.p), int(e.q)))
    if e.is_Symbol:
        if e not in table.atoms:
            raise NotInSymPy(f"the symbol {e}")
        return table.atoms[e]
    constant = _CONSTANTS.get(e)
    if constant is not None:
        return constant
    if e is sympy.S.NegativeInfinity:
        return mul(MINUS_ONE, INF)
    if isinstance(e, sympy.Piecewise):
        out: Scalar | None = None
        for value, condition in reversed(e.args):
            v = _read(value, table, memo)
            out = v if condition == True or out is None else where(_read(condition, table, memo), v, out)  # noqa: E712
        assert out is not None
        return out
    if isinstance(e, sympy.hyper):
        top, bottom, x = e.args
        name = {(1, 1): "hyp1f1", (2, 1): "hyp2f1"}.get((len(top), len(bottom)))
        if name is None:
            raise NotInSymPy(f"{e.func}")
        return fn(name, *(_read(a, table, memo) for a in (*top, *bottom, x)))
    if not isinstance(e, sympy.Basic) or not e.args or isinstance(e, sympy.Integral | sympy.Derivative | sympy.Sum):
        raise NotInSymPy(f"{e}")
    args = [_read(a, table, memo) for a in e.args]
    if e.is_Add:
        return add(*args)
    if e.is_Mul:
        return mul(*args)
    if e.is_Pow:
        return power(args[0], args[1])
    if isinstance(e, sympy.Max | sympy.Min):
        out = args[0]
        for a in args[1:]:
            out = fn("max" if isinstance(e, sympy.Max) else "min", out, a)
        return out
    if isinstance(e, sympy.Rel):
        return compare(str(e.rel_op), *args)
    if isinstance(e, sympy.And | sympy.Or | sympy.Not):
        return logic(type(e).__name__.lower(), *args)
    if isinstance(e, sympy.polygamma):
        return polygamma(*args)
    if isinstance(e, sympy.expint) and args[0] is ONE:
        return fn("E1", args[1])
    if isinstance(e, sympy.polylog) and args[0] is TWO:
        return fn("dilog", args[1])
    if isinstance(e, sympy.betainc_regularized) and args[2] is ZERO:
        return fn("ibeta", args[0], args[1], args[3])
    made = FROM_SYMPY.get(type(e))
    if made is None:
        raise NotInSymPy(f"{e.func}")
    return made(*args)


_CONSTANTS: dict[Any, Scalar] = {
    sympy.S.Exp1: num("e"), sympy.S.Pi: PI, sympy.S.Infinity: INF, sympy.S.NaN: NAN, sympy.S.true: ONE,
    sympy.S.false: ZERO, sympy.S.Half: HALF, sympy.Integer(2): TWO,
}  # fmt: skip

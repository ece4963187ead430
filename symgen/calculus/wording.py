"""Small closed expressions and conditions in the words of the language: `0 < 3*t^(2/3)`, `t > 0`, `real`.

The page that shows a derivation prints nodes by itself; this is for the words beside it: conditions, reasons, refusals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy
from sympy.printing.str import StrPrinter

from symgen.calculus.solving import RANGES, Interval, generic_sign, sign_of, sign_off_zero
from symgen.tensor.expression import Array, Scalar
from symgen.tensor.sympy_bridge import Table, to_sympy, within

__all__ = ["said", "said_relation", "sides", "range_words", "contradict", "without_repeats"]

S = sympy
NAMES = {
    "Abs": "abs", "Max": "max", "Min": "min", "loggamma": "lgamma", "ceiling": "ceil", "factorial": "gamma",
    "polygamma": "polygamma", "besseli": "besseli", "besselk": "besselk",
}  # fmt: skip
TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def _power(printer: Any, e: Any, rational: bool = False) -> str:
    return str(StrPrinter._print_Pow(printer, e, rational)).replace("**", "^")


def _call(printer: Any, e: Any) -> str:
    """f(a, b); of arrays at indices f(A)[i, j]."""
    arrays = [a for a in e.args if isinstance(a, S.IndexedBase)]
    inside, at = (arrays, e.args[len(arrays) :]) if arrays else (e.args, ())
    text = f"{NAMES.get(e.func.__name__, e.func.__name__)}({printer.stringify(inside, ', ')})"
    return f"{text}[{printer.stringify(at, ', ')}]" if at else text


def _folded(printer: Any, e: Any) -> str:
    *rest, last = [printer._print(a) for a in sorted(e.args, key=str)]
    for a in reversed(rest):
        last = f"{NAMES[e.func.__name__]}({a}, {last})"
    return str(last)


def _pieces(printer: Any, e: Any) -> str:
    *rest, (last, _) = e.args
    text = printer._print(last)
    for value, condition in reversed(rest):
        text = f"where({printer._print(condition)}, {printer._print(value)}, {text})"
    return str(text)


def _joined(printer: Any, e: Any) -> str:
    word = f" {e.func.__name__.lower()} "
    return word.join(f"({printer._print(a)})" if a.args and not isinstance(a, S.Rel) else printer._print(a) for a in e.args)


def _relation(printer: Any, e: Any) -> str:
    return f"{printer._print(e.lhs)} {e.rel_op} {printer._print(e.rhs)}"


def _sum(printer: Any, e: Any) -> str:
    return f"sum[{', '.join(printer._print(limit[0]) for limit in e.limits)}]({printer._print(e.function)})"


# SymPy's text with the signs of the language
LanguagePrinter = type(
    "LanguagePrinter",
    (StrPrinter,),
    {
        "_print_Pow": _power, "_print_Function": _call, "_print_Abs": _call, "_print_Max": _folded, "_print_Min": _folded,
        "_print_Piecewise": _pieces, "_print_And": _joined, "_print_Or": _joined, "_print_Relational": _relation,
        "_print_Sum": _sum, "_print_Exp1": lambda printer, e: "e", "_print_Infinity": lambda printer, e: "inf",
        "_print_NegativeInfinity": lambda printer, e: "-inf", "_print_Float": lambda printer, e: f"{float(e):.6g}",
    },
)  # fmt: skip


def said(e: Any, table: Table | None = None, names: Mapping[Array, str] | None = None) -> str:
    """The text of a node, or of an expression in the symbols of `table`, under the author's names."""
    if isinstance(e, Scalar):
        e = to_sympy(e, names=names or {})
    elif table is not None:
        e = e.xreplace({s: to_sympy(table.atoms[s], names=names or {}) for s in e.free_symbols & set(table.atoms)})
    e = e.xreplace({r: S.Float(r.evalf(8), 6) for r in e.atoms(S.CRootOf)}) if isinstance(e, S.Basic) else e
    return str(LanguagePrinter().doprint(e))


def range_words(interval: Interval) -> str:
    """The domain that an interval is, or the interval."""
    word = next((w for w, known in RANGES.items() if known == interval), None)
    low, high = said(interval.low), said(interval.high)
    return f"`{word}`" if word else f"{'[' if interval.closed_low else '('}{low}, {high}{']' if interval.closed_high else ')'}"


# --- conditions -------------------------------------------------------------------------------------------------------


def simplest(value: Any, op: str) -> tuple[Any, str]:
    """The relation `value op 0` without factors of a sure sign: 2 lam > 0 is lam > 0, 3 t^(2/3) > 0 is t != 0."""
    short = within(1.5, lambda: S.factor(S.cancel(S.together(S.powsimp(value)))))
    value = value if short is None else short
    sign, even, rest = 1, [], []
    top, bottom = S.fraction(value)
    if op in ("<=", ">=") and all(sign_of(f) in (1, -1) for f in S.Mul.make_args(top)):
        op = op[0]  # a quotient of what is not 0
    for part in (top, bottom):
        for f in S.Mul.make_args(part):
            f = same_sign(f) if op in ("<", ">") else f
            s = sign_of(f)
            if s in (1, -1):
                sign *= s
            elif generic_sign(f) in (1, -1):  # 0 at most somewhere
                even.append(f)
            else:
                rest.append(f)
    if len(rest) > 1 and op in ("<", ">") and generic_sign(S.Mul(*rest)) in (1, -1):
        even, rest = [*even, S.Mul(*rest)], []
    if op == "!=" or (even and not rest and op in ("<", ">")):
        factors = dict.fromkeys(base_of(f) for f in (*even, *rest))
        below = sign * S.prod([generic_sign(f) for f in even])
        if op == "!=" or (op == "<") == (below < 0):
            return S.Mul(*factors), "!="
        return S.Integer(1 if op == "<" else -1), op  # never
    product = S.expand(S.Mul(*even, *rest))
    content, primitive = product.as_content_primitive()
    product = primitive if content > 0 else -primitive
    return product, op if sign == 1 else TURNED[op]


def same_sign(f: Any) -> Any:
    """What has the sign of a root or of a logarithm, wherever that has a value."""
    if f.is_Pow and f.exp.is_Rational and f.exp.q % 2 == 0:
        return same_sign(f.base)
    return same_sign(f.args[0] - 1) if isinstance(f, S.log) else f


def base_of(f: Any) -> Any:
    """What vanishes where a power or an absolute value does, or an expression that does so at 0 alone."""
    loose = [s for s in f.free_symbols if s.is_real and sign_of(s) is None]
    if not f.is_Symbol and len(loose) == 1 and sign_off_zero(f) is not None:
        return loose[0]
    while (f.is_Pow and f.exp.is_positive) or isinstance(f, S.Abs):
        f = f.args[0]
    return f


def sides(value: Any, op: str) -> tuple[Any, str, Any]:
    """`value op 0` as a person writes it, left, relation, right: what is positive on the larger side, numbers right."""
    value, op = simplest(value, op)
    positive: list[Any] = []
    negative: list[Any] = []
    for t in S.Add.make_args(value):
        (negative if t.could_extract_minus_sign() else positive).append(t)
    numbers = [t for t in positive if t.is_number]
    if numbers and not negative and len(positive) > len(numbers):  # t > -1 rather than t + 1 > 0
        return S.Add(*(t for t in positive if t not in numbers)), op, -S.Add(*numbers)
    left, right = S.Add(*positive), -S.Add(*negative)
    return (right, TURNED[op], left) if left == 0 else (left, op, right)


def said_relation(value: Any, op: str, table: Table | None = None, names: Mapping[Array, str] | None = None) -> str:
    """The text of `value op 0`: `t > 0`, `c < a`."""
    left, op, right = sides(value, op)
    return f"{said(left, table, names)} {op} {said(right, table, names)}"


def contradict(conditions: Sequence[tuple[str, Any]]) -> bool:
    """Whether conditions `value op 0`, op one of < and <=, cannot hold together: two of them, brought to one scale, add
    up to what is not negative."""
    scaled = []
    for op, value in conditions:
        if op == "!=":
            if sign_of(value) == 0:
                return True
            continue
        if sign_of(value) == 1 or (op == "<" and sign_of(value) == 0):
            return True
        roots = {r: S.Dummy(nonnegative=True) for r in value.atoms(S.Pow) if r.exp == S.Rational(1, 2)}
        if roots and sign_of(value.xreplace(roots)) == 1:  # wherever the roots are real
            return True
        rest, turned = simplest(value, op)
        if turned == "!=":
            continue
        scaled.append((op, rest if turned == op else -rest))
    for k, (op, a) in enumerate(scaled):
        for other, b in scaled[:k]:
            total = sign_of(S.expand(a + b))
            if total == 1 or (total == 0 and "<" in (op, other)):
                return True
    return False


def without_repeats(conditions: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Conditions `value op 0` without those that hold anyway, or that another one says."""
    out: dict[str, tuple[str, Any]] = {}
    for op, value in without_known_factors(conditions):
        s = sign_of(value)
        if s == -1 or (op == "<=" and s == 0) or (op == "!=" and s == 1):
            continue
        out.setdefault(str(simplest(value, op)), (op, value))
    below = [_signed(value, op) for op, value in out.values() if simplest(value, op)[1] in ("<", ">")]
    apart = {f for e in below for x in (e, -e) for f in (x, *S.Mul.make_args(S.factor(x)))}
    return [
        (op, v) for op, v in out.values()
        if simplest(v, op)[1] in ("<", ">") or _signed(v, op) not in (below if op == "<=" else apart)
    ]  # fmt: skip


def without_known_factors(conditions: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Strict conditions on products, solved for the signs of the factors: a (a p + q) > 0 beside a p + q > 0 is a > 0."""
    out = [(op, v) for op, v in conditions if op != "<" or simplest(v, op)[1] == "!="]
    rows: list[tuple[frozenset[Any], int]] = []  # the factors, and the sign of their product
    for op, value in conditions:
        if (op, value) in out:
            continue
        found = within(1.0, lambda v=value: S.factor_list(S.fraction(S.together(_signed(v, "<")))[0]))
        if found is None:
            out.append((op, value))
            continue
        rows.append((frozenset(f for f, k in found[1] if k % 2), -1 if found[0] > 0 else 1))
        out += [("!=", f) for f, k in found[1] if k % 2 == 0 and sign_of(f) is None]
    if any(not factors for factors, _ in rows):
        return list(conditions)
    solved: list[tuple[frozenset[Any], int]] = []
    for factors, sign in rows:  # Gauss and Jordan, signs multiplied
        for other, known in solved:
            if min(other, key=str) in factors:
                factors, sign = factors ^ other, sign * known
        if not factors:
            if sign == -1:
                return list(conditions)  # they contradict each other
            continue
        pivot = min(factors, key=str)
        solved = [(o ^ factors, k * sign) if pivot in o else (o, k) for o, k in solved]
        solved.append((factors, sign))
    made = [("<", -sign * S.Mul(*factors)) for factors, sign in solved]
    return [(op, value) for op, value in [*out, *made] if not _follows(op, value, made)]


def _follows(op: str, value: Any, made: Sequence[tuple[str, Any]]) -> bool:
    """Whether `value op 0` holds where the symbols have the signs that are told of them."""
    signed = {}
    for _, v in made:
        x = -v if v.could_extract_minus_sign() else v
        if x.is_Symbol and v != value:
            signed[x] = S.Dummy(str(x), positive=True) if x != v else S.Dummy(str(x), negative=True)
    s = sign_of(value.xreplace(signed)) if signed and not (value.is_Symbol or (-value).is_Symbol) else None
    return s == -1 or (op == "!=" and s == 1)


def _signed(value: Any, op: str) -> Any:
    """The simplest expression that stands on the smaller side of 0."""
    rest, turned = simplest(value, op)
    return S.expand(-rest if turned in (">", ">=") else rest)

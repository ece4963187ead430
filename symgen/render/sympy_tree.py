"""SymPy expressions as trees: eigenvalues and other closed values that may be complex, printed like all else."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy

from symgen.render.compose import Product, call, number, sum_of
from symgen.text import tree as t

FUNCTIONS = {"Abs": "abs", "loggamma": "lgamma", "Max": "max", "Min": "min", "LambertW": "lambertw"}
OPS = {
    "Equality": "=",
    "Unequality": "!=",
    "LessThan": "<=",
    "StrictLessThan": "<",
    "GreaterThan": ">=",
    "StrictGreaterThan": ">",
}


def tree_of(e: Any) -> t.Expression:
    """The tree of a SymPy expression."""
    if isinstance(e, bool) or e in (sympy.true, sympy.false):
        return t.Name("true" if e else "false")
    if isinstance(e, sympy.Rational):
        return number(Fraction(int(e.p), int(e.q)))
    if isinstance(e, sympy.Float):
        return t.Number(Fraction(float(e)), f"{float(e):.6g}")
    if e is sympy.I:
        return t.Name("i")
    if e in (sympy.oo, -sympy.oo):
        return t.Name("inf") if e is sympy.oo else t.Terms(((-1, t.Name("inf")),))
    if e is sympy.pi or e is sympy.E:
        return t.Name("pi" if e is sympy.pi else "e")
    if isinstance(e, sympy.Indexed):
        return t.Subscript(t.Name(str(e.base.label)), tuple(tree_of(i) for i in e.indices))
    if isinstance(e, sympy.Symbol):
        return t.Name(str(e))
    if isinstance(e, sympy.MatrixBase):
        rows = [t.ListOf(tuple(tree_of(x) for x in e.row(i))) for i in range(e.rows)]
        return t.ListOf(tuple(rows)) if e.cols != 1 else t.ListOf(tuple(tree_of(x) for x in e))
    if isinstance(e, sympy.Add):
        return sum_of((1, tree_of(a)) for a in e.args)
    if isinstance(e, (sympy.Mul, sympy.Pow)):
        return _product(e)
    if isinstance(e, sympy.core.relational.Relational):
        return t.Comparison((tree_of(e.lhs), tree_of(e.rhs)), (OPS[type(e).__name__],))
    if isinstance(e, sympy.Piecewise):
        *front, (last, _) = e.args
        out = tree_of(last)
        for value, condition in reversed(front):
            out = call("where", tree_of(condition), tree_of(value), out)
        return out
    if isinstance(e, (sympy.And, sympy.Or)):
        return t.Logical("and" if isinstance(e, sympy.And) else "or", tuple(tree_of(a) for a in e.args))
    if isinstance(e, sympy.Not):
        return t.Logical("not", (tree_of(e.args[0]),))
    if isinstance(e, sympy.CRootOf) and e.is_real:
        return t.Number(Fraction(float(e)), f"{float(e):.6g}")  # a root that has no closed form, as a decimal number
    name = type(e).__name__
    if isinstance(e, sympy.Function):
        name = e.func.__name__
    if e.args and all(isinstance(a, sympy.Basic) for a in e.args):
        return call(FUNCTIONS.get(name, name), *(tree_of(a) for a in e.args))
    return t.Name(str(e))


def _product(e: Any) -> t.Expression:
    p = Product()
    for f in e.args if isinstance(e, sympy.Mul) else (e,):
        base, exponent = f.as_base_exp() if isinstance(f, sympy.Pow) else (f, sympy.S.One)
        if isinstance(f, sympy.exp):
            p.scale(call("exp", tree_of(f.args[0])))
        elif isinstance(f, sympy.Rational):
            p.coefficient *= Fraction(int(f.p), int(f.q))
        elif isinstance(exponent, sympy.Rational):
            p.scale(tree_of(base), Fraction(int(exponent.p), int(exponent.q)))
        else:
            p.scale(t.Power(tree_of(base), tree_of(exponent)))
    return p.tree()


__all__ = ["tree_of"]

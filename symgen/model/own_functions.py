"""Functions of a spec's own in which something is differentiated: `def g(t) = d(f(t), t)`, called at a value.

The value is put in the place of the parameter after the derivative is taken: g(2*x + 1) is f' at 2*x + 1, and with
`def k(t) = grad(t*x, x)` the argument of k(x) is held fixed.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgen.model.distribution_reader import DistributionReader
from symgen.model.operators import OPERATORS
from symgen.tensor import build
from symgen.tensor.build import Value
from symgen.tensor.expression import Array, Var, operator, var, walk
from symgen.tensor.facts import is_positive
from symgen.tensor.scope import Clash, UserFunction, parts_of
from symgen.text import tree


class FunctionReader(DistributionReader):
    """Reads calls of functions that a spec defines."""

    def body_of(self, e: tree.Call, f: UserFunction, arguments: Sequence[Value]) -> Value:
        by = differentiated(f.body)
        own = by & set(f.parameters)
        if not own and not any(self.stands_in(name, value) for name in by for value in arguments):
            return super().body_of(e, f, arguments)
        held: list[tuple[Var, Array]] = []
        for name, value in zip(f.parameters, arguments, strict=True):
            if value.outer:
                raise Clash(f"`{f.name}` holds a derivative, and does not stand under an index", e.span,
                            help="name it with `let` outside")  # fmt: skip
            array = value.array()
            domain = array.domain if isinstance(array, Var) else "positive" if is_positive(value.body, None) else "real"
            domain_args = array.domain_args if isinstance(array, Var) else ()
            held.append((var(name, array.shape, domain, "placeholder", domain_args, uid=21), array))
        inner = super().body_of(e, f, [build.of_array(u) for u, _ in held]).array()
        return build.of_array(operator("at", (inner, *(x for pair in held for x in pair)), inner.shape, ("call", f.name)))

    def stands_in(self, name: str, value: Value) -> bool:
        """Whether the variable or `let` of a name stands in a value."""
        b = self.scope.find(name)
        if b is None or not isinstance(b.meaning, Value):
            return False
        wanted = b.meaning.array()
        return any(node is wanted for node in walk(value.array() if not value.outer else value.body))


def differentiated(body: tree.Expression) -> set[str]:
    """The names by which something is differentiated, optimised or expanded in an expression."""
    found: set[str] = set()
    stack = [body]
    while stack:
        e = stack.pop()
        row = OPERATORS.get(e.function) if isinstance(e, tree.Call) else None
        if row is not None and isinstance(e, tree.Call):
            for kind, item in zip(row.takes, e.arguments, strict=False):
                if kind in ("variable", "variables"):
                    items = item.items if isinstance(item, tree.ListOf) else (item,)
                    bases = [x.operand if isinstance(x, tree.Subscript) else x for x in items]
                    found.update(x.name for x in bases if isinstance(x, tree.Name))
        stack.extend(parts_of(e))
    return found

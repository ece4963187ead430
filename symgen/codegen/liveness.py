"""When a value is used for the last time, so that a statement may overwrite the array of an operand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from symgen.codegen.program import LEAVES, VIEWS, Program, Value

__all__ = ["Liveness"]

FOREVER = 1 << 60


class Liveness:
    """`inlined` tells which values are written inside the statement that uses them."""

    def __init__(self, program: Program, values: Sequence[Value], roots: Sequence[Value], inlined: Callable[[Value], bool]) -> None:
        self.program = program
        self.inlined = inlined
        self.position: dict[int, int] = {}  # of the statement in which a value is computed
        self.last: dict[int, int] = {v.serial: FOREVER for v in roots}  # in which its array is read for the last time
        self.order = {v.serial: k for k, v in enumerate(values)}
        self.users = users = dict[int, list[Value]]()
        for v in values:
            for a in program.needs(v):
                users.setdefault(a.serial, []).append(v)
        for k in range(len(values) - 1, -1, -1):
            v = values[k]
            above = users.get(v.serial, [])
            self.position[v.serial] = max((self.position[u.serial] for u in above), default=k) if inlined(v) else k
            last = self.last.get(v.serial, -1)
            for u in above:
                shares = u.op in VIEWS and u.op != "item"
                last = max(last, self.position[u.serial], self.last[u.serial] if shares else -1)
            self.last[v.serial] = last
        self.counts: dict[int, Counter[int]] = {}

    def occurrences(self, statement: Value) -> Counter[int]:
        """How often each variable is read in the text of a statement."""
        found = self.counts.get(statement.serial)
        if found is None:
            found = Counter()
            stack = list(statement.args)
            while stack:
                v = stack.pop()
                found[v.serial] += 1
                if self.inlined(v) or v.op in VIEWS:
                    stack.extend(v.args)
            self.counts[statement.serial] = found
        return found

    def dies_in(self, operand: Value, statement: Value) -> bool:
        """Whether the array of `operand`, a variable, is read in this statement once and never again."""
        return (
            operand.op not in LEAVES
            and (operand.op not in VIEWS or operand.op == "item")
            and self.last[operand.serial] == self.position[statement.serial]
            and self.occurrences(statement)[operand.serial] == 1
            and self.is_read_before(operand, statement)
        )

    def is_read_before(self, operand: Value, statement: Value) -> bool:
        """Whether all that reads the array elsewhere has done so: what turned out too long to be written inside of another
        statement comes before the other parts of that."""
        now, inside = self.order[statement.serial], self.occurrences(statement)
        stack = [operand]
        while stack:
            v = stack.pop()
            for u in self.users.get(v.serial, []):
                if u is statement or u.serial in inside:
                    continue
                if self.position[u.serial] >= now:
                    return False
                if u.op in VIEWS and u.op != "item":
                    stack.append(u)
        return True

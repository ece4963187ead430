"""The LALR(1) automaton: tokens in, what the builder makes out. A loop over a stack, so that no depth is too deep.

Its tables are made from grammars/symgen.lark by Lark (`tables.py`) and kept beside it: making them takes longer than
most texts take to parse.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any

__all__ = ["END", "Parser", "Stopped", "Tables", "Token"]

END = "$END"


class Token(str):
    """A word or sign: its canonical text, `type` the terminal of the grammar, text[start:end] what was written."""

    __slots__ = ("end", "start", "type")
    type: str
    start: int
    end: int

    def __new__(cls, type: str, value: str, start: int, end: int) -> Token:
        self = super().__new__(cls, value)
        self.type, self.start, self.end = type, start, end
        return self


class Stopped(Exception):
    """No action for tokens[position] (the end, if there is none)."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


@dataclass(frozen=True)
class Tables:
    """`actions[state][terminal]` is a state to shift to, or -1 - rule to reduce; `gotos[state][symbol]` a state.

    A rule is (symbol, size, name, alone, plan). The plan gives the parts of the call: "c" a child, "i" a child that is
    a list to be spliced in, "n" None. A rule without name makes a list; `alone` passes a single part through.
    """

    grammar: str  # SHA-256 of the text they were made from
    number: str
    string: str
    symbols: tuple[str, ...]
    rules: tuple[tuple[str, int, str, bool, str], ...]
    starts: dict[str, tuple[int, int]]
    actions: tuple[dict[str, int], ...]
    gotos: tuple[dict[str, int], ...]

    def to_json(self) -> str:
        terminals = sorted({t for row in self.actions for t in row})
        names = sorted({s for row in self.gotos for s in row})
        place = {t: i for i, t in enumerate(terminals)}
        where = {s: i for i, s in enumerate(names)}
        record = {
            "made by": "python -m symgen.text.tables, from symgen.lark: never edited by hand",
            "grammar": self.grammar,
            "number": self.number,
            "string": self.string,
            "symbols": self.symbols,
            "terminals": terminals,
            "names": names,
            "starts": self.starts,
            "rules": self.rules,
            "actions": [[x for t, action in sorted(row.items()) for x in (place[t], action)] for row in self.actions],
            "gotos": [[x for s, state in sorted(row.items()) for x in (where[s], state)] for row in self.gotos],
        }
        return "{\n" + ",\n".join(f"{json.dumps(k)}: {_rows(v)}" for k, v in record.items()) + "\n}\n"

    @staticmethod
    def from_json(text: str) -> Tables:
        r = json.loads(text)
        terminals, names = r["terminals"], r["names"]
        return Tables(
            grammar=r["grammar"],
            number=r["number"],
            string=r["string"],
            symbols=tuple(r["symbols"]),
            rules=tuple((s, n, name, alone, plan) for s, n, name, alone, plan in r["rules"]),
            starts={s: (a, b) for s, (a, b) in r["starts"].items()},
            actions=tuple({terminals[t]: a for t, a in zip(row[::2], row[1::2])} for row in r["actions"]),
            gotos=tuple({names[s]: a for s, a in zip(row[::2], row[1::2])} for row in r["gotos"]),
        )


def _rows(value: Any) -> str:
    """JSON with one row a line, so that a change of the grammar is a small change of the file."""
    if isinstance(value, list | tuple) and value and isinstance(value[0], list | tuple):
        return "[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in value) + "\n]"
    return json.dumps(value, separators=(",", ":"))


class Parser:
    """Tables with a builder: an object with one method for every named rule (`def` is `def_`)."""

    def __init__(self, tables: Tables, builder: object) -> None:
        self.tables = tables
        self.rules: list[tuple[str, int, Callable[..., Any] | None, bool, str]] = []
        for symbol, size, name, alone, plan in tables.rules:
            method = getattr(builder, name + "_" * iskeyword(name)) if name else None
            self.rules.append((symbol, size, method, alone, plan if plan.strip("c") else ""))

    def parse(self, tokens: Sequence[Token], start: str) -> Any:
        """The value of `start` over all tokens. Raises Stopped, and what the builder raises."""
        actions, gotos, rules = self.tables.actions, self.tables.gotos, self.rules
        state, end_state = self.tables.starts[start]
        states, values = [state], []
        position = 0
        for position, token in enumerate(tokens):
            kind = token.type
            while (action := actions[states[-1]].get(kind)) is not None:
                if action >= 0:
                    states.append(action)
                    values.append(token)
                    break
                self._reduce(rules[-1 - action], states, values, gotos)
            else:
                raise Stopped(position)
        while states[-1] != end_state:
            action = actions[states[-1]].get(END)
            if action is None or action >= 0:
                raise Stopped(len(tokens))
            self._reduce(rules[-1 - action], states, values, gotos)
        return values[-1]

    @staticmethod
    def _reduce(
        rule: tuple[str, int, Callable[..., Any] | None, bool, str],
        states: list[int],
        values: list[Any],
        gotos: tuple[dict[str, int], ...],
    ) -> None:
        symbol, size, method, alone, plan = rule
        parts = values[-size:] if size else []
        if size:
            del states[-size:], values[-size:]
        if plan:
            parts = _planned(plan, parts, method is None)
        if method is None:
            values.append(parts[0] if alone and len(parts) == 1 else parts)
        else:
            values.append(parts[0] if alone and len(parts) == 1 else method(*parts))
        states.append(gotos[states[-1]][symbol])

    def accepted(self, tokens: Iterable[Token], start: str) -> frozenset[str]:
        """The terminals that may follow `tokens`, which parse so far."""
        states = [self.tables.starts[start][0]]
        for token in tokens:
            if not self._advance(states, token.type):
                return frozenset()
        end_state = self.tables.starts[start][1]
        return frozenset(t for t in self.tables.actions[states[-1]] if self._advance(states[:], t, end_state))

    def _advance(self, states: list[int], terminal: str, end_state: int = -1) -> bool:
        """Whether the automaton shifts the terminal; moves `states` there."""
        while True:
            if terminal == END and states[-1] == end_state:
                return True
            action = self.tables.actions[states[-1]].get(terminal)
            if action is None:
                return False
            if action >= 0:
                states.append(action)
                return True
            symbol, size, *_ = self.rules[-1 - action]
            if size:
                del states[-size:]
            states.append(self.tables.gotos[states[-1]][symbol])


def _planned(plan: str, parts: list[Any], is_list: bool) -> list[Any]:
    """The parts of a call or of a list. A list that starts with a list is that one grown: n parts cost n steps."""
    children = iter(parts)
    out: list[Any] = next(children) if is_list and plan[0] == "i" else []
    for step in plan[1:] if is_list and plan[0] == "i" else plan:
        if step == "c":
            out.append(next(children))
        elif step == "i":
            out.extend(next(children))
        else:
            out.append(None)
    return out

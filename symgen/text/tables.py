"""From grammars/symgen.lark to the tables of its LALR automaton: `python -m symgen.text.tables` writes them anew.

Lark reads the grammar and does the analysis.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from lark import Lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

from symgen.text.lalr import END, Tables

__all__ = ["STARTS", "make_tables"]

STARTS = ("statement", "expression", "chain")


def make_tables(grammar: str) -> Tables:
    """The tables of a grammar; literals stand under their own spelling, `<=` and not LESSTHAN."""
    lark = Lark(
        grammar, parser="lalr", lexer="basic", start=list(STARTS), keep_all_tokens=True, maybe_placeholders=True,
        propagate_positions=False,
    )  # fmt: skip
    data, memo = lark.memo_serialize([TerminalDef, Rule])
    automaton = data["parser"]["parser"]
    patterns = {m["name"]: m["pattern"]["value"] for m in memo.values() if m["__type__"] == "TerminalDef"}
    number, string = patterns.pop("NUMBER"), patterns.pop("STRING")
    token_name = {i: patterns.get(name, name) for i, name in automaton["tokens"].items()}
    is_terminal = {i: name.isupper() or name == END for i, name in automaton["tokens"].items()}
    rule_at = {place: _rule(m) for place, m in memo.items() if m["__type__"] == "Rule"}
    rules = sorted(set(rule_at.values()))  # two that are reduced alike are one
    rule_number = {place: rules.index(rule) for place, rule in rule_at.items()}
    rows = {
        state: sorted((token_name[t], is_terminal[t], kind, target) for t, (kind, target) in row.items())
        for state, row in automaton["states"].items()
    }
    # Lark numbers its states anew in every run: here in the order in which they are met
    order = [automaton["start_states"][start] for start in STARTS]
    for state in order:
        order.extend(dict.fromkeys(t for _, _, kind, t in rows[state] if kind == 0 and t not in order))
    numbers = {state: number for number, state in enumerate(order)}
    actions: list[dict[str, int]] = []
    gotos: list[dict[str, int]] = []
    for state in order:
        steps = {}
        jumps = {}
        for name, terminal, kind, target in rows[state]:
            if not terminal:
                jumps[name] = numbers[target]
            else:
                steps[name] = numbers[target] if kind == 0 else -1 - rule_number[target["@"]]
        actions.append(steps)
        gotos.append(jumps)
    return Tables(
        grammar=hashlib.sha256(grammar.encode()).hexdigest(),
        number=number,
        string=string,
        symbols=tuple(sorted(patterns.values())),
        rules=tuple(rules),
        starts={s: (numbers[automaton["start_states"][s]], numbers[automaton["end_states"][s]]) for s in STARTS},
        actions=tuple(actions),
        gotos=tuple(gotos),
    )


def _rule(record: dict[str, Any]) -> tuple[str, int, str, bool, str]:
    symbol, expansion, options = record["origin"]["name"], record["expansion"], record["options"]
    steps = ["i" if s["name"].startswith("_") and s["__type__"] == "NonTerminal" else "c" for s in expansion]
    plan, rest = "", iter(steps)
    for missing in options["empty_indices"] or [False] * len(steps):
        plan += "n" if missing else next(rest)
    alone = options["expand1"] and not record["alias"]
    name = "" if symbol.startswith("_") or (alone and plan == "c") else record["alias"] or symbol
    return symbol, len(expansion), name, alone, plan


def main() -> None:
    folder = Path(__file__).parents[2] / "grammars"
    tables = make_tables((folder / "symgen.lark").read_text(encoding="utf-8"))
    (folder / "symgen.json").write_text(tables.to_json(), encoding="utf-8")


if __name__ == "__main__":
    main()

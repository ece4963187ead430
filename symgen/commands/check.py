"""`symgen check`: what specs declare, with shapes and domains, and every mistake of theirs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click

from symgen.commands.boundary import Exit, Unusable, tell, tell_diagnostics, worst
from symgen.commands.files import stamp
from symgen.commands.specs import load
from symgen.model.model import Declared, Elaborated
from symgen.render.language import number_text, unparse
from symgen.render.raising import raise_scalar
from symgen.tensor.expression import Array, Scalar
from symgen.text import tree
from symgen.text.diagnostics import Diagnostic, SpecError

if TYPE_CHECKING:
    from symgen.facade import Model

LONGEST = 400  # characters of a value in the table; `--format json` has them all


@dataclass(frozen=True)
class Item:
    """One thing that a spec declares. `says` is its domain and shape, its arguments or its rule, in the language."""

    kind: str
    name: str
    says: str


def mistakes_of_claims(model: Model) -> list[Diagnostic]:
    """Why steps of claims have no meaning; a file without claims is spared the engines."""
    if not model.elaborated.claims:
        return []
    from symgen.verify import check

    return check.mistakes_of_claims(model)


def run(files: Sequence[str], form: str) -> int:
    statuses: list[int] = []
    reports: list[dict[str, Any]] = []
    for file in files:
        items: list[Item] = []
        mistakes: list[Diagnostic] = []
        try:
            model = load(file)
            items, mistakes = list(items_of(model.elaborated)), list(model.warnings)
            wrong = mistakes_of_claims(model)
            if wrong:
                tell_diagnostics(wrong)
            mistakes += wrong
            statuses.append(Exit.REFUTED if wrong else Exit.DONE)
        except (SpecError, Unusable) as error:
            statuses.append(tell(error))
            mistakes = error.diagnostics if isinstance(error, SpecError) else []
        reports.append(
            {
                "file": file,
                "declares": [asdict(item) for item in items],
                "diagnostics": [as_data(mistake) for mistake in mistakes],
            }
        )
        if form == "text" and items:
            click.echo(table(file, items))
    if form == "json":
        whole = {"schema": "symgen.check", "version": 1, "generator": stamp(), "files": reports}
        click.echo(json.dumps(whole, indent=2, ensure_ascii=False))
    return worst(statuses)


def table(file: str, items: Sequence[Item]) -> str:
    kinds = max(len(item.kind) for item in items)
    names = min(24, max(len(item.name) for item in items))
    lines, last = [file], ""
    for item in items:
        kind = item.kind if item.kind != last else ""
        says = item.says if len(item.says) <= LONGEST else item.says[: LONGEST - 3].rstrip() + " .."
        lines.append(f"  {kind:{kinds}}  {item.name:{names}}  {says}".rstrip())
        last = item.kind
    return "\n".join(lines)


def items_of(model: Elaborated) -> Iterator[Item]:
    """What a model declares, in the order of the pages of the language."""
    for name, size in model.dims.items():
        yield Item("dim", name, "" if str(size) == name else f"= {size_text(size)}")
    for role in ("data", "param", "const"):
        yield from (Item(role, name, domain_text(x)) for name, x in model.variables.items() if x.variable.role == role)
    yield from (Item("assume", fact, "") for fact in model.assumptions)
    written = {s.name.name: s for s in model.spec.statements if isinstance(s, tree.Let)}
    for name, array in model.lets.items():
        role = "loss" if name in model.losses else "let"
        yield Item(
            role,
            name,
            f"{shape_text(array)} = {unparse(written[name].value)}" if name in written else shape_text(array),
        )
    for statement in model.spec.statements:
        yield from statement_items(statement)


def statement_items(statement: tree.Statement) -> Iterator[Item]:
    match statement:
        case tree.Def(name, parameters, body):
            yield Item("def", name.name, f"({', '.join(p.name for p in parameters)}) = {unparse(body)}")
        case tree.Dist(head, law):
            yield Item("dist", head_text(head), f"= {unparse(law)}")
        case tree.Density(heads):
            yield from (Item("density", head_text(head), "") for head in heads)
        case tree.Function(head, domain):
            yield Item("function", head_text(head), f": {unparse(domain)}" if domain else "")
        case tree.Game(name, players):
            for player in players:
                yield Item(
                    "game",
                    name.name,
                    f"{', '.join(n.name for n in player.names)}: {player.sense} {unparse(player.payoff)}",
                )
        case tree.Derive(name, goal):
            yield Item("derive", name.name if name else "", unparse(goal))
        case tree.Claim(name, first, steps):
            yield Item("claim", name.name if name else "", f"{unparse(first)} .. {len(steps)} step{'s' * (len(steps) > 1)}")
        case tree.Train(target, _, method, options):
            words = [unparse(method)] if method else []
            words += [f"{option.name}={unparse(option.value)}" for option in options]
            yield Item("train", target.name, "with " + ", ".join(words))


def head_text(head: tree.Head) -> str:
    given = f" | {commas(head.given)}" if head.given else ""
    return f"{head.name.name}({commas(head.variables)}{given})"


def commas(variables: Iterable[tree.Declared]) -> str:
    return ", ".join(v.name.name for v in variables)


def size_text(size: Scalar) -> str:
    return unparse(raise_scalar(size))


def shape_text(array: Array) -> str:
    return f"[{', '.join(map(size_text, array.shape))}]" if array.shape else "scalar"


def domain_text(declared: Declared) -> str:
    x = declared.variable
    arguments = f"({', '.join(map(size_text, x.domain_args))})" if x.domain_args else ""
    text = x.domain + arguments + (shape_text(x) if x.shape else "")
    if declared.initial is not None:
        kind, scale = declared.initial.kind, f"{declared.initial.scale:g}"
        text += f" = {scale if kind == 'number' else f'normal({scale})' if kind == 'normal' else kind}"
    if declared.default is not None:
        default = declared.default
        text += f" = {number_text(default) if hasattr(default, 'denominator') else default}"
    return text


def as_data(mistake: Diagnostic) -> dict[str, Any]:
    """A diagnostic for programs: where it stands as line and column, both from 1."""
    return {
        "message": mistake.message,
        "severity": mistake.severity,
        "file": mistake.source.name,
        **place(mistake, mistake.position),
        "labels": [
            {
                "text": label.text,
                "culprit": label.culprit,
                **place(mistake, label.span.start),
                "length": label.span.end - label.span.start,
            }
            for label in mistake.labels
        ],
        "notes": list(mistake.notes),
        "help": mistake.help,
    }


def place(mistake: Diagnostic, position: int) -> dict[str, int]:
    before = mistake.source.text[:position]
    return {"line": before.count("\n") + 1 + mistake.source.line_shift, "column": position - before.rfind("\n")}

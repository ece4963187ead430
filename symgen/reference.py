"""The tables of the language reference, made from the rows: `python -m symgen.reference` writes them into grammars/LANGUAGE.md.

What a table says is what the engines look up, so that the page cannot promise what is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from symgen.codegen.optimisers import DYNAMICS, OPTIMISERS
from symgen.games.dynamics import ROWS as METHODS
from symgen.model.operators import OPERATORS
from symgen.probability.divergences.inequalities import CALLED, INEQUALITIES
from symgen.probability.families.composites import COMPOSITES
from symgen.probability.families.distributions import ROWS as DISTRIBUTIONS
from symgen.tensor.domains import DOMAINS
from symgen.tensor.functions import FUNCTIONS
from symgen.tensor.operations import OPERATIONS

__all__ = ["TABLES", "refreshed", "table"]

WORDS = {
    "scalar": "f", "value": "f", "variable": "x", "variables": "[x, ..]", "dist": "p", "joint": "p", "random": "z",
    "unary": "f", "game": "g", "player": "player", "limit": "at",
}  # fmt: skip


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(text: str) -> str:
    return f"`{text}`" if text else ""


def domains() -> str:
    return table(("domain", "holds"), ((code(d.name), d.says) for d in DOMAINS.values()))


def functions() -> str:
    rows = []
    for f in FUNCTIONS.values():
        if f.internal:
            continue
        least = len(f.arguments) - len(f.defaults)
        arguments = [a if k < least else f"{a}={f.defaults[k - least]}" for k, a in enumerate(f.arguments)]
        derivatives = ", ".join(code(d) if d is not None else "no rule" for d in f.derivative)
        rows.append((code(f"{f.name}({', '.join(arguments)})"), code(f.definition or ""), derivatives, f.range))
    return table(("function", "is", "derivative by each argument (Y: its value)", "range"), rows)


def operations() -> str:
    rows = ((code(o.name), code(o.shape), o.because, o.source) for o in OPERATIONS.values() if not o.internal)
    return table(("operation", "shapes", "differential", "source"), rows)


def distributions() -> str:
    rows = []
    for d in DISTRIBUTIONS:
        parameters = ", ".join(d.parameters)
        others = "; ".join(", ".join(f"{a}=" for a in other.arguments) for other in d.alternatives.values())
        support = d.support if isinstance(d.support, str) else f"{d.support.kind} {d.support.low}..{d.support.high}".strip()
        names = ", ".join((code(f"{d.name}({parameters})"), *(code(other) for other in d.aliases)))
        rows.append((names, support, code(d.log_density), others, d.source))
    for c in COMPOSITES.values():
        chain = ", ".join(f"`{name} ~ {law}`" for name, _, law in c.factors)
        rows.append((code(f"{c.name}({', '.join(c.parameters)})"), f"({', '.join(c.variables)})", chain, "", c.source))
    return table(("distribution", "support", "log-density at `x`", "by keyword", "source"), rows)


def operators() -> str:
    rows = []
    for o in OPERATORS.values():
        words = [WORDS.get(k, k) for k in o.takes]
        call = f"{o.name}({' || '.join(words[:2])})" if o.pair and len(words) == 2 else f"{o.name}({', '.join(words)})"
        rows.append((code(call), ", ".join(code(f"{k}=") for k in o.keywords)))
    return table(("operator", "keywords"), rows)


def inequalities() -> str:
    rows = []
    for q in INEQUALITIES.values():
        call = f"{q.name}({', '.join(q.takes)})" if q.takes else q.name
        rows.append((code(call), ", ".join(code(CALLED.get(n, n)) for n in q.of), q.side, q.says, q.tight, q.source))
    return table(("inequality", "of", "bound", "says", "equal where", "source"), rows)


def training() -> str:
    rows = []
    for o in OPTIMISERS.values():
        rows.append((code(o.name), ", ".join(f"{k}={v:g}" for k, v in o.options.items()), o.says, o.source))
    for d in DYNAMICS.values():
        if d.name not in OPTIMISERS:
            rows.append((f"{code(d.name)} (games)", ", ".join(f"{k}={v:g}" for k, v in d.options.items()), d.says, d.source))
    return table(("method", "options", "step", "source"), rows)


def methods() -> str:
    return ", ".join(code(r.name) for r in METHODS)


TABLES: dict[str, Callable[[], str]] = {
    "domains": domains,
    "functions": functions,
    "operations": operations,
    "distributions": distributions,
    "operators": operators,
    "inequalities": inequalities,
    "training": training,
    "methods": methods,
}


def refreshed(page: str) -> str:
    """The page with each table between `<!-- table: name -->` and `<!-- end -->` made anew."""
    out = []
    rest = page
    while "<!-- table: " in rest:
        before, rest = rest.split("<!-- table: ", 1)
        name, rest = rest.split(" -->", 1)
        _, rest = rest.split("<!-- end -->", 1)
        out.append(f"{before}<!-- table: {name} -->\n{TABLES[name]()}\n<!-- end -->")
    return "".join(out) + rest


def main() -> None:
    """Writes the page of the checkout anew."""
    path = Path(__file__).parent.parent / "grammars" / "LANGUAGE.md"
    path.write_text(refreshed(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()

"""What a claim comes to: its status, with what speaks for it or against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symgen.algebra.equality import Comparison, Counterexample
from symgen.derivation.derivation import Evidence
from symgen.tensor.expression import Scalar
from symgen.text import tree
from symgen.text.diagnostics import Diagnostic

__all__ = ["Verdict", "of_chain", "of_comparison"]

STATUSES = ("proved", "checked", "unknown", "malformed", "refuted")  # from good to bad
SAYS = {
    "proved": "is proved",
    "checked": "holds at all points tried",
    "refuted": "does not hold",
    "malformed": "has no meaning",
    "unknown": "could not be decided",
}


@dataclass(frozen=True)
class Verdict:
    """The verdict on a relation, or on a chain of them: then `steps` holds one verdict for each relation, in order.

    `reason` says why it is malformed or unknown, `suggestion` what to write instead: "`- k` for `+ k` makes the step
    hold". `diagnostic` is the excerpt of a step that fails, `others` what else is wrong with it; `claim` the tree of the chain.
    """

    status: str
    counterexample: Counterexample | None = None
    steps: tuple[Verdict, ...] = ()
    suggestion: str | None = None
    evidence: Evidence = field(default_factory=lambda: Evidence("unknown"))
    reason: str = ""
    name: str = ""
    claim: tree.Claim | None = None
    diagnostic: Diagnostic | None = None
    others: tuple[Diagnostic, ...] = ()
    shapes: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict, compare=False, repr=False)  # of names
    defines: str = ""  # the name that a document gives to the first side

    @property
    def holds(self) -> bool:
        return self.status in ("proved", "checked")

    @property
    def is_definition(self) -> bool:
        """Whether it claims nothing, and a document gives a name here."""
        return bool(self.defines) and not self.steps and self.status == "unknown"

    @property
    def message(self) -> str:
        return self.reason

    def text(self) -> str:
        """The verdict in words; a step that fails with its excerpt, where there is one."""
        title = f"claim {self.name}" if self.name else "the claim"
        if self.is_definition:
            return f"definition {self.name}: {self.reason}"
        lines = [f"{title} {SAYS[self.status]}{_evidence_text(self)}"]
        for k, step in enumerate(self.steps or (self,), 1):
            if step.holds or (step is self and not step.diagnostic and step.status != "refuted"):
                continue
            if step.diagnostic is not None:
                lines += [str(d) for d in (step.diagnostic, *step.others)]
                continue
            lines.append(f"step {k} {SAYS[step.status]}" + (f": {step.reason}" if step.reason else ""))
            if step.counterexample is not None:
                left = f"step {k - 1}" if k > 1 else "the left side"
                lines.append("  note: " + step.counterexample.text(left, f"step {k}"))
            if step.suggestion:
                lines.append("  help: " + step.suggestion)
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text()


def _evidence_text(v: Verdict) -> str:
    e = v.evidence
    under = f" under {{{', '.join(e.conditions)}}}" if e.conditions else ""
    if v.status == "proved":
        return under
    if v.status == "checked" and e.digits is None:
        return f"{under}: {e.points} points"
    if v.status == "checked" and e.digits is not None:
        return f"{under}: {e.points} points, " + (f"to {e.digits} digits" if e.digits < 500 else "exactly")
    return f": {v.reason}" if v.reason else ""


def of_comparison(c: Comparison) -> Verdict:
    """The verdict on one relation."""
    reason = c.tried[-1] if c.status == "unknown" and c.tried else ""
    return Verdict(c.status, c.counterexample, evidence=c.evidence, reason=reason)


def of_chain(steps: Sequence[Verdict], name: str = "", claim: tree.Claim | None = None) -> Verdict:
    """The verdict on a chain: as bad as its worst step, as sure as its least sure one."""
    steps = tuple(steps)
    worst = max(steps, key=lambda s: STATUSES.index(s.status), default=Verdict("unknown"))
    conditions = tuple(dict.fromkeys(c for s in steps for c in s.evidence.conditions))
    digits = [s.evidence.digits for s in steps if s.evidence.digits is not None]
    points = [s.evidence.points for s in steps if s.evidence.points]
    methods = tuple(dict.fromkeys(s.evidence.method for s in steps if s.evidence.method))
    evidence = Evidence(
        worst.status,
        conditions,
        min(digits, default=None),
        min(points, default=0),
        "; ".join(methods),
        worst.evidence.tried,
    )
    return Verdict(
        worst.status,
        worst.counterexample,
        steps,
        worst.suggestion,
        evidence,
        worst.reason,
        name,
        claim,
        worst.diagnostic,
    )

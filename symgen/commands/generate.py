"""`symgen generate`: numeric code that stands alone."""

from __future__ import annotations

from symgen.commands.boundary import Exit, say
from symgen.commands.files import deliver
from symgen.commands.specs import load


def run(file: str, target: str, output: str | None, force: bool) -> int:
    source = load(file).generate(target=target)
    deliver(source, output, force)
    if output:
        say(f"wrote {output}")
    return Exit.DONE

"""`symgen zoo`: the packaged models listed, printed, copied."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

import click

from symgen import zoo
from symgen.commands.boundary import Exit, Unusable, say
from symgen.commands.files import write_bytes, write_text


def run(name: str | None, output: str | None, force: bool) -> int:
    if name is None:
        return listing()
    try:
        file = zoo.spec(name)
    except KeyError:
        near = get_close_matches(name, zoo.names(), n=1, cutoff=0.5)
        hint = f"; did you mean `{near[0]}`?" if near else "; `symgen zoo` lists them"
        raise Unusable(f"the zoo has no `{name}`{hint}") from None
    if output is None:
        click.echo(file.read_text(encoding="utf-8"), nl=False)
        return Exit.DONE
    write_text(Path(output) / file.name, file.read_text(encoding="utf-8"), force)
    say(f"wrote {Path(output) / file.name}")
    arrays = zoo.data(name)
    if arrays is not None:
        write_bytes(Path(output) / arrays.name, arrays.read_bytes(), force)
        say(f"wrote {Path(output) / arrays.name}")
    return Exit.DONE


def listing() -> int:
    names = zoo.names()
    width = max(map(len, names))
    for name in names:
        arrays = zoo.data(name)
        click.echo(f"{name:{width}}  {zoo.title(name).rstrip('.')}" + (f"  [{arrays.name}]" if arrays else ""))
    return Exit.DONE

"""What a library of arrays without in-place updates is to the code that is generated for it: texts for each operation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symgen.codegen.template import Template

__all__ = ["Backend"]


@dataclass(frozen=True)
class Backend:
    """`module` is what the source calls the library and `runtime` the file with the functions that modules carry;
    `forms`, `functions`, `operations` and `noise` are texts with places {0}, {1} for arguments. What has no entry cannot be
    generated. `prologue` is how what new arrays take is read off the first input {0}, `alone` the
    same where nothing is given. `owned` makes an array that shares no memory, `decorator` stands before functions with
    gradients, `rng` makes the noise of a seed, `repeats` is how one call is repeated with other noise."""

    name: str
    module: str
    imports: tuple[str, ...]
    runtime: str
    forms: Mapping[str, str]
    functions: Mapping[str, Template]
    operations: Mapping[str, Template]
    noise: Mapping[str, str]
    prologue: str
    alone: str
    owned: str
    rng: str
    repeats: str
    stream: str
    decorator: str = ""
    says: str = ""

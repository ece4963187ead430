"""A `Unit` as the source of a module, for one of the libraries of arrays."""

from __future__ import annotations

from collections.abc import Callable

from symgen.codegen.compile import check_source
from symgen.codegen.module import Writer
from symgen.codegen.tensor_backends import BACKENDS
from symgen.codegen.tensor_module import TensorWriter
from symgen.codegen.unit import Unit
from symgen.tensor.expression import Array
from symgen.text.diagnostics import CannotDerive

__all__ = ["generate_module"]


def generate_module(unit: Unit, formula: Callable[[Array], str] | None = None, target: str = "numpy") -> str:
    """The source of a module for `unit`: numpy, torch or jax. `formula` writes an array in symgen's language, for comments.

    Raises CannotDerive naming what the library lacks.
    """
    if target == "numpy":
        source = Writer(unit, formula).write()
    elif target in BACKENDS:
        source = TensorWriter(unit, formula, BACKENDS[target]).write()
    else:
        raise CannotDerive(f"there is no backend `{target}`: numpy, {', '.join(BACKENDS)}", None, "codegen/tensor_backends.py")
    check_source(source)
    return source

"""symgen: a symbolic derivation engine for the mathematics of generative models.

>>> import symgen
>>> m = symgen.loads("dim n\\nparam A: real[n, n], x: real[n]\\nlet f = x @ A @ x\\n")
>>> m.derive("grad(f, x)").text_result
"A @ x + A' @ x"
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from symgen.documents import verify_document
    from symgen.facade import Model, load, loads
    from symgen.notebook import load_ipython_extension
    from symgen.results import Derivation, Record
    from symgen.text.diagnostics import CannotDerive, DataError, SpecError, SymgenError
    from symgen.verify.verdict import Verdict

_HOMES = {
    "load": "symgen.facade", "loads": "symgen.facade", "Model": "symgen.facade", "Derivation": "symgen.results",
    "Record": "symgen.results", "Verdict": "symgen.verify.verdict", "verify_document": "symgen.documents",
    "SymgenError": "symgen.text.diagnostics", "SpecError": "symgen.text.diagnostics",
    "CannotDerive": "symgen.text.diagnostics", "DataError": "symgen.text.diagnostics",
    "load_ipython_extension": "symgen.notebook",
}  # fmt: skip

__all__ = [
    "CannotDerive", "DataError", "Derivation", "Model", "Record", "SpecError", "SymgenError", "Verdict", "__version__",
    "load", "load_ipython_extension", "loads", "verify_document",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Names are imported when first used, so that `symgen --help` needs neither SymPy nor NumPy."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'symgen' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__

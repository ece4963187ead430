"""The statements of generated modules, for a reviewer to read in a diff: golden/*.txt.

After a change that is meant, write them anew: python tests/codegen/test_golden.py
"""

import ast
import difflib
from pathlib import Path

import pytest

import symgen

HERE = Path(__file__).parent / "golden"
SPECS = {path.stem: path for path in sorted(HERE.glob("*.sg"))}


def statements(path):
    """The functions of the module that compute, init and train; what it carries is left out."""
    source = symgen.load(path).generate()
    parts = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and (node.name.startswith("_") or node.name in ("init", "train")):
            parts.append(ast.get_source_segment(source, node))
    return "\n\n\n".join(parts) + "\n"


@pytest.mark.parametrize("name", SPECS)
def test_the_code_reads_as_agreed(name):
    want = (HERE / f"{name}.txt").read_text(encoding="utf-8")
    got = statements(SPECS[name])
    difference = "\n".join(difflib.unified_diff(want.split("\n"), got.split("\n"), "golden", "now", lineterm="", n=1))
    assert got == want, difference


if __name__ == "__main__":
    for name, path in SPECS.items():
        (HERE / f"{name}.txt").write_text(statements(path), encoding="utf-8")

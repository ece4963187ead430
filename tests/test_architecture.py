"""The folders are the path that a text takes, and imports point one way along it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "symgen"
FILES = sorted(PACKAGE.rglob("*.py"))

# a package imports from those of the lines before its own, and from itself
ORDER = [
    {"text"},
    {"tensor"},
    {"derivation"},
    {"algebra"},
    {"calculus"},
    {"probability"},
    {"games"},
    {"model"},
    {"verify", "codegen", "render"},
    {"nearness"},
    {"results", "reference"},
    {"facade"},
    {"displays"},
    {"units", "documents"},
    {"zoo"},
    {"commands"},
    {"cli", "notebook"},
    {"__main__"},
]
# the same inside of the largest package; `reducers.py`, beside them, is the list of what they offer
ROOMS = ["families", "forms", "laws", "means", "bayes", "divergences", "estimation"]
RANK = {package: rank for rank, packages in enumerate(ORDER) for package in packages}

# modules that import when they are used, so that `symgen --help` and `import symgen` are quick
LAZY = {"__init__", "cli", "facade", "results", "notebook"}
CLOCKS = {"monotonic", "perf_counter", "time"}


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


def package_of(module: str) -> str:
    """symgen.tensor.build -> tensor; symgen -> the empty string."""
    return ([*module.split("."), ""])[1]


def imported(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Every import statement with each module of symgen that it names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, name.name) for name in node.names if name.name.split(".")[0] == "symgen")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            if node.module == "symgen":
                yield from ((node, f"symgen.{name.name}") for name in node.names)
            elif node.module and node.module.startswith("symgen."):
                yield node, node.module


def for_types_only(tree: ast.Module) -> set[ast.stmt]:
    """The statements under `if TYPE_CHECKING:`, which do not run."""
    guarded = [n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.dump(n.test)]
    return {statement for n in guarded for statement in ast.walk(n) if isinstance(statement, ast.stmt)}


def in_functions(tree: ast.Module) -> set[ast.stmt]:
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    return {statement for f in functions for statement in ast.walk(f) if isinstance(statement, ast.stmt)}


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_a_package_imports_only_from_those_before_it(file: Path) -> None:
    own = package_of(module_of(file))
    if own == "__init__":
        return  # the lazy face, which hands out what the facade holds
    tree = ast.parse(file.read_text(encoding="utf-8"))
    unused = for_types_only(tree) | (in_functions(tree) if own in LAZY else set())
    for statement, module in imported(tree):
        other = package_of(module)
        if other not in RANK or other == own or statement in unused:
            continue  # `from symgen import __version__`; within a package; annotations; when used
        assert RANK[other] < RANK[own], f"{module_of(file)}:{statement.lineno} imports {module}"


@pytest.mark.parametrize("file", [f for f in FILES if "probability" in f.parts and f.parent.name in ROOMS], ids=module_of)
def test_a_room_of_probability_imports_only_from_those_before_it(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    types = for_types_only(tree)
    for statement, module in imported(tree):
        room = ([*module.split("."), "", ""])[2]
        if module.startswith("symgen.probability.") and statement not in types:
            assert ROOMS.index(room) <= ROOMS.index(file.parent.name), f"{module_of(file)}:{statement.lineno} imports {module}"


def test_every_room_of_probability_has_its_place_in_the_order() -> None:
    folder = PACKAGE / "probability"
    assert {p.parent.name for p in folder.rglob("*.py")} - {"probability"} == set(ROOMS)
    assert {p.name for p in folder.glob("*.py")} == {"__init__.py", "reducers.py"}


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_no_import_of_symgen_hides_inside_a_function(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    if package_of(module_of(file)) in LAZY:
        return
    own = package_of(module_of(file))
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for statement, module in imported(function):
                hides = package_of(module) != own and own != "commands"
                assert not hides, f"{module_of(file)}:{statement.lineno} hides an import of {module}"


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_budgets_have_one_clock(file: Path) -> None:
    """Processor time, by `tensor/clock.py`: with any other clock a busy machine would change answers."""
    if package_of(module_of(file)) == "commands" or file.name == "clock.py":
        return  # they tell how long a reader waited
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "time":
            assert node.attr not in CLOCKS, f"{module_of(file)}:{node.lineno}: use `spent()` of symgen.tensor.clock"


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_no_text_becomes_code(file: Path) -> None:
    """No eval, exec, sympify, parse_expr, lambdify; numpy reads no pickles. One place compiles what codegen wrote."""
    forbidden = {"eval", "exec", "sympify", "S", "parse_expr", "lambdify"}
    tree = ast.parse(file.read_text(encoding="utf-8"))
    own = package_of(module_of(file))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            qualified = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") in ("sympy", "sp")
            called = name if isinstance(node.func, ast.Name) or qualified else ""
            if called == "exec" and own in ("codegen", "units"):
                continue  # generated source, whose tree was checked
            assert called not in forbidden, f"{module_of(file)}:{node.lineno} calls {called}"
            if name == "load" and getattr(getattr(node.func, "value", None), "id", "") in ("np", "numpy"):
                pickles = [k.value for k in node.keywords if k.arg == "allow_pickle"]
                assert pickles and getattr(pickles[0], "value", True) is False, f"{module_of(file)}:{node.lineno}"


def test_every_package_has_its_place_in_the_order() -> None:
    names = {p.stem for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").is_file()}
    assert names - {"__init__"} <= set(RANK)

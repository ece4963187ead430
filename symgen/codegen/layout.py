"""Small texts of generated modules: docstrings, literals, what is said of a parameter."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from symgen.codegen.unit import Game
from symgen.tensor.expression import Var


def quoted(name: str) -> str:
    """A string literal, in double quotes where it can be."""
    return f'"{name}"' if repr(name)[1:-1] == name and '"' not in name else repr(name)


def dictionary(pairs: Mapping[str, str], indent: str = "") -> str:
    """A dict display; with `indent`, over several lines where it is long."""
    items = [f"{quoted(name)}: {text}" for name, text in pairs.items()]
    text = "{" + ", ".join(items) + "}"
    if len(text) <= 90 or not indent:
        return text
    lines = textwrap.wrap(", ".join(items) + ",", 112 - len(indent), break_long_words=False, break_on_hyphens=False)
    return "{\n" + "\n".join(indent + "    " + line for line in lines) + f"\n{indent}}}"


def spelling_lines(spellings: Mapping[str, str]) -> list[str]:
    """The table of names as the author spelled them."""
    return ["SPELLINGS = " + dictionary({name: quoted(word) for name, word in spellings.items()})] if spellings else []


def strings(names: Sequence[str]) -> str:
    """A tuple of string literals."""
    return "(" + ", ".join(quoted(n) for n in names) + ("," if len(names) == 1 else "") + ")"


def docstring(text: str, indent: str = "    ") -> list[str]:
    """A docstring that no text can end or escape from."""
    text = text.replace("\\", "\\\\").replace('"""', "'''")
    lines: list[str] = []
    for line in text.split("\n"):
        lines.extend(textwrap.wrap(line, 116 - len(indent), break_long_words=False, break_on_hyphens=False) or [""])
    if lines[-1].endswith('"'):
        lines[-1] += " "
    if len(lines) == 1:
        return [f'{indent}"""{lines[0]}"""']
    return [f'{indent}"""{lines[0]}', *(indent + line if line else "" for line in lines[1:]), f'{indent}"""']


def wrapped(items: Sequence[str]) -> list[str]:
    return ["    " + line for line in textwrap.wrap(", ".join(items) + ",", 112, break_long_words=False)]


def constant_text(value: Any) -> str:
    if isinstance(value, Fraction):
        return repr(float(value))
    if isinstance(value, (int, float)):
        return repr(value)
    return repr(float(value))


def option_text(value: float) -> str:
    return repr(int(value)) if float(value).is_integer() and abs(value) >= 1 else repr(float(value))


def declaration(v: Var) -> str:
    return f"{v.name}: {v.domain}" + (f"[{', '.join(map(str, v.shape))}]" if v.shape else "")


def initial_kind(kind: str | None, scale: float, v: Var) -> tuple[str, float]:
    if kind is None:
        return ("glorot", 0.0) if len(v.shape) > 1 and v.domain == "real" else ("small", 0.0)
    if kind in ("zeros", "ones"):
        return "number", 0.0 if kind == "zeros" else 1.0
    return kind, float(scale)


def initial_words(kind: str | None, scale: float, v: Var) -> str:
    kind, scale = initial_kind(kind, scale, v)
    words = {
        "number": f"{scale:g}", "normal": f"normal, standard deviation {scale:g}", "glorot": "Glorot (2010), uniform",
        "he": "He (2015), normal",
        "small": "near 0" if v.domain == "real" else f"near the middle of its domain ({v.domain})",
    }  # fmt: skip
    return words[kind]


def player_names(game: Game) -> list[str]:
    """What the payoffs are called: as the author called them; `max V` and `min V` where two players share one."""
    plain = [player.name or player.params[0].name for player in game.players]
    told = [f"{p.sense} {name}" if plain.count(name) > 1 else name for p, name in zip(game.players, plain, strict=True)]
    return [f"{name} by {p.params[0].name}" if told.count(name) > 1 else name for p, name in zip(game.players, told, strict=True)]


def payoffs_text(texts: Mapping[str, str], names: Sequence[str]) -> str:
    payoffs = {name: texts[f"payoff {name}"] for name in names}
    gradients = {key[len("grad ") :]: text for key, text in texts.items() if key.startswith("grad ")}
    return dictionary(payoffs) + ", " + dictionary(gradients, "    ")

"""The macros of a document: found, and put in place of their uses, within bounds.

\\newcommand \\renewcommand \\providecommand \\def \\let \\DeclareMathOperator \\DeclarePairedDelimiter. What a macro says
stands, for every excerpt, where the macro is used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from symgen.text.latex.tokens import Slip, Token, scan, spliced

__all__ = ["Macro", "definitions", "expand"]

MAX_DEPTH = 40  # of macros in macros
MAX_TOKENS = 50_000  # of an expanded formula
MAX_BODY = 5_000
MAX_MACROS = 2_000

_DEFINITION = re.compile(
    r"\\(?:(?P<new>(?:re)?newcommand|providecommand|DeclareRobustCommand)\*?\s*(?:\{\s*\\(?P<a>[A-Za-z]+|.)\s*\}|\\(?P<b>[A-Za-z]+|.))\s*"
    r"(?:\[(?P<count>\d)\]\s*)?(?:\[(?P<default>[^\[\]]{0,200})\]\s*)?(?=\{)"
    r"|g?def\s*\\(?P<c>[A-Za-z]+|.)\s*(?P<parameters>(?:\#\d)*)\s*(?=\{)"
    r"|let\s*\\(?P<d>[A-Za-z]+)\s*=?\s*(?P<alias>\\(?:[A-Za-z]+|.))"
    r"|(?P<operator>DeclareMathOperator)(?P<star>\*?)\s*(?:\{\s*\\(?P<e>[A-Za-z]+)\s*\}|\\(?P<f>[A-Za-z]+))\s*(?=\{)"
    r"|(?P<paired>DeclarePairedDelimiter)\s*(?:\{\s*\\(?P<g>[A-Za-z]+)\s*\}|\\(?P<h>[A-Za-z]+))\s*(?=\{))"
)


@dataclass(frozen=True)
class Macro:
    """A name with the number of its arguments, the default of the first where it is optional, and its body."""

    name: str
    count: int
    body: tuple[Token, ...]
    default: tuple[Token, ...] | None = None


def _group(text: str, start: int) -> int:
    """The end of the group {..} at `start`; -1 where it never ends."""
    depth, k = 0, start
    stop = min(len(text), start + MAX_BODY)
    while k < stop:
        ch = text[k]
        if ch == "\\":
            k += 1
        elif ch == "{":
            depth += 1
        elif ch == "}":
            depth -= 1
            if depth == 0:
                return k + 1
        k += 1
    return -1


def definitions(text: str) -> tuple[dict[str, Macro], list[tuple[int, int]]]:
    """The macros that a text defines, by name, and the stretches of text that define them."""
    found: dict[str, Macro] = {}
    places: list[tuple[int, int]] = []
    if "\\" not in text:
        return found, places
    position = 0
    while len(found) < MAX_MACROS:
        m = _DEFINITION.search(text, position)
        if m is None:
            break
        position = m.end()
        name = next(m[g] for g in "abcdefgh" if m[g] is not None)
        if m["alias"]:
            found[name] = Macro(name, 0, tuple(scan(m["alias"])))
            places.append((m.start(), m.end()))
            continue
        end = _group(text, m.end())
        if end < 0:
            continue
        body = text[m.end() + 1 : end - 1]
        if m["paired"]:
            start = end + len(text[end:]) - len(text[end:].lstrip()) if text[end : end + 1].isspace() else end
            second = _group(text, start)
            if second < 0:
                continue
            body = rf"\left{body.strip()} #1 \right{text[start + 1 : second - 1].strip()}"
            found[name] = Macro(name, 1, tuple(scan(body)))
            end = second
        elif m["operator"]:
            found[name] = Macro(name, 0, tuple(scan(rf"\operatorname{m['star']}{{{body}}}")))
        else:
            count = len(m["parameters"]) // 2 if m["c"] else int(m["count"] or 0)
            default = tuple(scan(m["default"])) if m["default"] is not None else None
            found[name] = Macro(name, count, tuple(scan(body)), default)
        position = end
        places.append((m.start(), end))
    return found, places


def expand(tokens: list[Token], macros: Mapping[str, Macro]) -> list[Token]:
    """The tokens with every macro replaced by its body. Raises Slip where that has no end."""
    if not macros or not any(t.kind == "command" and t.text[1:] in macros for t in tokens):
        return tokens
    out: list[Token] = []
    waiting = list(reversed(tokens))
    steps = 0
    while waiting:
        t = waiting.pop()
        macro = macros.get(t.text[1:]) if t.kind == "command" else None
        if macro is None:
            out.append(t)
            if len(out) > MAX_TOKENS:
                raise Slip(f"macros make this formula longer than {MAX_TOKENS:,} words", t.start, t.end)
            continue
        steps += 1
        if t.depth >= MAX_DEPTH or steps > MAX_TOKENS or len(waiting) > 4 * MAX_TOKENS:
            raise Slip(f"the macro `{t.text}` goes on without end", t.start, t.end, "used here",
                       "define it without itself")  # fmt: skip
        arguments = _arguments(waiting, macro, t)
        body: list[Token] = []
        for part in macro.body:
            if part.kind == "param":
                k = int(part.text[1:])
                if k <= len(arguments):
                    body.extend(arguments[k - 1])
                if len(body) > MAX_TOKENS:
                    raise Slip(f"the macro `{t.text}` becomes too long", t.start, t.end, "used here")
            else:
                body.extend(spliced((part,), t, t.depth + 1))
        waiting.extend(reversed(body))
    return out


def _arguments(waiting: list[Token], macro: Macro, use: Token) -> list[list[Token]]:
    """The arguments of a use, taken off the tokens that wait (the next is the last)."""
    out: list[list[Token]] = []
    for k in range(macro.count):
        while waiting and waiting[-1].kind == "space":
            waiting.pop()
        if k == 0 and macro.default is not None:
            if waiting and waiting[-1].is_sign("["):
                waiting.pop()
                given: list[Token] = []
                while waiting and not waiting[-1].is_sign("]"):
                    given.append(waiting.pop())
                if waiting:
                    waiting.pop()
                out.append(given)
            else:
                out.append(list(spliced(macro.default, use, use.depth + 1)))
            continue
        if not waiting:
            raise Slip(f"`{use.text}` takes {macro.count} arguments", use.start, use.end)
        if waiting[-1].is_sign("{"):
            depth, given = 0, []
            while waiting:
                t = waiting.pop()
                depth += t.is_sign("{") - t.is_sign("}")
                given.append(t)
                if depth == 0:
                    break
            if depth:
                raise Slip("`{` is never closed", given[0].start, given[0].end, "opened here")
            out.append(given[1:-1] if macro.count else given)
        else:
            t = waiting.pop()
            if t.kind in ("letters", "number") and len(t.text) > 1:  # only its first character
                waiting.append(Token(t.kind, t.text[1:], t.start + 1, t.end, depth=t.depth))
                t = Token(t.kind, t.text[0], t.start, t.start + 1, depth=t.depth)
            out.append([t])
    return out

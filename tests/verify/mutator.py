"""Slips in the text of a chain, by tokens: it knows nothing of symgen's trees nor of its suggestions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Mutant", "mutants", "sides_of"]

TOKEN = re.compile(r"\s+|\d+(?:\.\d+)?|[^\W\d]\w*|\|\||<=|>=|~=|==|.", re.UNICODE)
RELATIONS = ("=", "<=", ">=", "<", ">", "~=", "propto")
OPEN, CLOSE = "([{", ")]}"
FUNCTIONS = {"log": "", "exp": "", "sqrt": "", "abs": "", "inv": "", "sum": "mean", "mean": "sum", "sin": "cos",
             "cos": "sin", "sigmoid": "tanh", "softplus": "relu", "digamma": "lgamma", "softmax": "log_softmax",
             "tr": "sum", "logdet": "tr", "diag": "diagonal", "max": "min", "KL": "JS"}  # fmt: skip
# names that may be mistaken for each other
PAIRS = [("x", "y"), ("p", "q"), ("a", "b"), ("mu", "s"), ("A", "B"), ("w", "b"), ("m", "c"), ("a", "tau"), ("tau", "m"),
         ("psi", "theta"), ("u", "rho"), ("pi_", "rho"), ("t", "y"), ("n", "d"), ("n", "k"), ("S", "A"), ("g", "u"),
         ("xs", "z"), ("x", "z"), ("h0", "r"), ("U", "V"), ("C", "W")]  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A chain with one slip in its relation or value number `step` (from 1)."""

    text: str
    step: int
    kind: str


def tokens(text: str) -> list[str]:
    return TOKEN.findall(text)


def sides_of(chain: str) -> list[list[str]]:
    """Values and relations in turn, as token lists."""
    out: list[list[str]] = [[]]
    depth = 0
    parts = tokens(chain)
    k = 0
    while k < len(parts):
        t = parts[k]
        depth += (t in OPEN) - (t in CLOSE)
        if depth == 0 and t in RELATIONS:
            relation = [t]
            if k + 1 < len(parts) and parts[k + 1] == "[":
                end = parts.index("]", k)
                relation = parts[k : end + 1]
                k = end
            out += [relation, []]
        else:
            out[-1].append(t)
        k += 1
    return out


def mutants(chain: str) -> Iterator[Mutant]:
    """Every single slip of every kind, in each value but the first and in each relation."""
    sides = sides_of(chain)
    for at in range(1, len(sides)):
        found = _relations(sides[at]) if at % 2 else _values(sides[at])
        seen = {"".join(sides[at]).strip()}
        for kind, new in found:
            text = "".join(new)
            if text.strip() and text.strip() not in seen:
                seen.add(text.strip())
                whole = ["".join(s) for s in sides]
                whole[at] = f" {text.strip()} "
                yield Mutant("".join(whole).strip(), (at + 1) // 2, kind)


def _relations(tokens: list[str]) -> Iterator[tuple[str, list[str]]]:
    turned = {"=": "<", "<=": ">=", ">=": "<="}.get(tokens[0])
    if turned is not None:
        yield "relation", [turned]


def _values(ts: list[str]) -> Iterator[tuple[str, list[str]]]:
    before = [k for k, t in enumerate(ts) if not t.isspace()]

    def previous(k: int) -> str:
        left = [j for j in before if j < k]
        return ts[left[-1]] if left else ""

    def following(k: int) -> str:
        right = [j for j in before if j > k]
        return ts[right[0]] if right else ""

    yield "sign", ["-(", *ts, ")"]
    yield "factor", ["2*(", *ts, ")"]
    for k, t in enumerate(ts):
        ahead, after = ts[:k], ts[k + 1 :]
        binary = previous(k) not in ("", *OPEN, ",", "+", "-", "*", "/", "@", "^", ":", ".")
        if t in "+-" and not t.isspace():
            yield "sign", [*ahead, ("-" if t == "+" else "+") if binary else "", *after] if t == "-" or binary else ts
        elif t.isdigit() and previous(k) not in ("[", ".", ":", "=") and following(k) not in ("]", ".", ":", "=="):
            yield "number", [*ahead, str(int(t) + 1), *after]
            if following(k) == "*":
                yield "factor", [*ahead, *_without(after, "*")]
            if previous(k) == "^":
                yield "square", [*_chopped(ahead), *after]
            elif previous(k) in ("*", "/"):
                yield "factor", [*_chopped(ahead), *after]
        elif t == "'":
            yield "transpose", [*ahead, *after]
        elif t == "/" and binary:
            yield "factor", [*ahead, "*", *after]
        elif t == "||":
            yield from _swap(ts, k)
        elif t == ",":
            yield from _swap(ts, k)
        elif t == "@" and re.fullmatch(r"\w+", previous(k)) and re.fullmatch(r"\w+", following(k)):
            left, right = max(j for j in before if j < k), min(j for j in before if j > k)
            if previous(left) not in ("@", "[") and following(right) not in ("@", "(", "["):
                yield "order", [*ts[:left], ts[right], *ts[left + 1 : right], ts[left], *ts[right + 1 :]]
        elif t in FUNCTIONS and following(k) == "(" and previous(k) != "~":
            yield "function", [*ahead, FUNCTIONS[t], *after]
        elif t == "log":
            yield "function", [*ahead, *after]
        if re.fullmatch(r"[^\W\d]\w*", t) and previous(k) not in ("[", "~") and following(k) not in ("~", "="):
            call = following(k) == "("
            for a, b in PAIRS:
                other = b if t == a else a if t == b else None
                if other is not None and (not call or t in "pq"):
                    yield "name", [*ahead, other, *after]
            if t.isupper() and len(t) == 1 and following(k) not in ("'", "(", "["):
                yield "transpose", [*ahead, t, "'", *after]
    yield from _terms(ts)


def _without(ts: list[str], token: str) -> list[str]:
    k = ts.index(token)
    return ts[:k] + ts[k + 1 :]


def _chopped(ts: list[str]) -> list[str]:
    """Without the last token that is no space."""
    out = list(ts)
    while out and out[-1].isspace():
        out.pop()
    return out[:-1]


def _swap(ts: list[str], k: int) -> Iterator[tuple[str, list[str]]]:
    """What stands on both sides of a comma or ||, exchanged."""
    start, depth = k - 1, 0
    while start >= 0 and not (depth == 0 and (ts[start] in OPEN or ts[start] == ",")):
        depth += (ts[start] in CLOSE) - (ts[start] in OPEN)
        start -= 1
    end, depth = k + 1, 0
    while end < len(ts) and not (depth == 0 and (ts[end] in CLOSE or ts[end] == ",")):
        depth += (ts[end] in OPEN) - (ts[end] in CLOSE)
        end += 1
    left, right = ts[start + 1 : k], ts[k + 1 : end]
    if any(t in ("~", "=", ":") for t in (*left, *right)):
        return
    yield "swap", [*ts[: start + 1], *right, ts[k], *left, *ts[end:]]


def _terms(ts: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The value without one of its terms."""
    cuts, depth, last = [0], 0, ""
    for k, t in enumerate(ts):
        depth += (t in OPEN) - (t in CLOSE)
        if depth == 0 and t in "+-" and last not in ("", *OPEN, ",", "+", "-", "*", "/", "@", "^"):
            cuts.append(k)
        if not t.isspace():
            last = t
    if len(cuts) < 2:
        return
    cuts.append(len(ts))
    for a, b in zip(cuts, cuts[1:], strict=False):
        rest = ts[:a] + ts[b:]
        while rest and (rest[0].isspace() or rest[0] == "+"):
            rest = rest[1:]
        yield "term", rest

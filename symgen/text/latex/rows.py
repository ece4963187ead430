"""The rows of a display as statements: chains of relations, each side a stretch of tokens, with the reasons beside them.

`&= ..` goes on with the chain of the row above; so does a row that begins with an operator. A second column, and words
at the end of a row, are its reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from symgen.text.latex.prepare import plain
from symgen.text.latex.tokens import Token
from symgen.text.latex.vocabulary import CLOSING, FUNCTION_WORDS, OPENING, PRODUCTS, RELATIONS, SUMS

__all__ = ["Link", "Statement", "has_relation", "relation_of", "statements"]

CONDITIONS = frozenset("if when whenever provided unless assuming given suppose".split())
JOINTS = frozenset("and or where with so thus hence then since because but s.t. st subject such while".split())
_FLAT = frozenset(["letters", "number", "word", "text", "row", "space"])
_WORD = re.compile(r"[A-Za-z.]+")


@dataclass
class Link:
    """A relation and the side that follows it."""

    relation: str
    token: Token
    tokens: list[Token] = field(default_factory=list)
    reason: str = ""
    condition: str = ""  # words that say when it holds


@dataclass
class Statement:
    """first = second = ..; without a relation, `links` is empty."""

    first: list[Token]
    links: list[Link] = field(default_factory=list)
    first_reason: str = ""

    @property
    def tokens(self) -> list[Token]:
        return [*self.first, *(x for link in self.links for x in (link.token, *link.tokens))]


@dataclass
class _Piece:
    """A stretch of a row: the tokens of (part of) a statement, with its reason."""

    tokens: list[Token]
    reason: str = ""
    condition: str = ""
    aligned: bool = False  # a & stood before it
    row: bool = True  # it begins a row


def relation_of(t: Token) -> str | None:
    """The relation that a token is, or None."""
    if t.kind == "sign":
        return RELATIONS.get(t.text) if t.text in ("=", "<", ">", ":=") and not t.side else None
    if t.kind == "command":
        return RELATIONS.get(t.text[1:])
    return None


def is_operator(t: Token) -> bool:
    return t.is_sign("+", "-", "*", "/") or t.command in PRODUCTS or t.command in SUMS


class _Depth:
    """How deep in braces, environments and brackets a token stands."""

    def __init__(self) -> None:
        self.hard = 0  # braces, \left..\right, environments
        self.soft = 0  # plain brackets, which people leave open

    def put(self, t: Token) -> None:
        if t.kind in _FLAT:
            return
        if t.kind == "begin" or t.is_sign("{") or t.side == "<":
            self.hard += 1
        elif t.kind == "end" or t.is_sign("}") or t.side == ">":
            self.hard = max(0, self.hard - 1)
        elif not t.side and t.text in OPENING and t.kind in ("sign", "command"):
            self.soft += 1
        elif not t.side and t.text in CLOSING and t.kind in ("sign", "command"):
            self.soft = max(0, self.soft - 1)


def statements(tokens: Sequence[Token]) -> list[Statement]:
    """The statements of a display, in order."""
    pieces: list[_Piece] = []
    for row in _rows(tokens):
        pieces.extend(_pieces(row))
    out: list[Statement] = []
    for piece in pieces:
        _put(out, piece)
    return [s for s in out if s.first or s.links]


def _rows(tokens: Sequence[Token]) -> list[list[Token]]:
    rows: list[list[Token]] = [[]]
    depth = _Depth()
    for t in tokens:
        depth.put(t)
        if t.kind == "row" and depth.hard == 0:
            rows.append([])
            depth.soft = 0
        else:
            rows[-1].append(t)
    return rows


def _split(row: Sequence[Token], sign: str) -> list[list[Token]]:
    """The parts between signs that stand outside braces (and, for commas, outside brackets)."""
    parts: list[list[Token]] = [[]]
    depth = _Depth()
    for t in row:
        depth.put(t)
        if t.is_sign(sign) and depth.hard == 0 and (sign == "&" or depth.soft == 0) and not t.side:
            parts.append([])
        else:
            parts[-1].append(t)
    return parts


def _starts(tokens: Sequence[Token]) -> bool:
    return bool(tokens) and (relation_of(tokens[0]) is not None or is_operator(tokens[0]))


def has_relation(tokens: Sequence[Token]) -> bool:
    """Whether a relation stands outside all brackets."""
    depth = _Depth()
    for t in tokens:
        depth.put(t)
        if depth.hard == depth.soft == 0 and relation_of(t) is not None:
            return True
    return False


def _unfinished(tokens: Sequence[Token]) -> bool:
    if not tokens:
        return True
    depth = _Depth()
    for t in tokens:
        depth.put(t)
    last = tokens[-1]
    return depth.soft > 0 or relation_of(last) is not None or is_operator(last)


def _pieces(row: list[Token]) -> list[_Piece]:
    """The statements of a row, and its reason."""
    cells = [_unpadded(cell) for cell in _split(row, "&")]
    out: list[_Piece] = []
    current: list[Token] = []
    aligned = False
    begins = True
    gap = False
    for k, cell in enumerate(cells):
        if k == 0:
            current = list(cell)
            continue
        if not current:
            aligned = True
        if not cell:
            gap = bool(current) and has_relation(current)
            continue
        after = cells[k + 1] if k + 1 < len(cells) else []
        own = not gap and has_relation(cell) and not _starts(cell) or bool(after) and relation_of(after[0]) is not None
        text = cell[0].kind == "text" or _is_note(cell)
        if not gap and (_starts(cell) or _unfinished(current) or not (has_relation(current) or text)):
            current = [*current, *cell]
        elif own and not text:
            out.extend(_comma_pieces(current, "", aligned, begins))
            current, aligned, begins, gap = list(cell), False, False, False
        elif gap or text:
            rest = [t for c in cells[k:] for t in c]
            out.extend(_comma_pieces(current, plain(rest), aligned, begins))
            return out
        else:
            current = [*current, *cell]
    out.extend(_comma_pieces(current, "", aligned, begins))
    return out


def _unpadded(cell: list[Token]) -> list[Token]:
    """`{} + b` as `+ b`: the empty group is for the space around the sign."""
    while len(cell) > 1 and cell[0].is_sign("{") and cell[1].is_sign("}"):
        cell = cell[2:]
    return cell


def _is_note(cell: Sequence[Token]) -> bool:
    """(1), (\\text{Jensen}): a note in a column of its own."""
    return len(cell) == 3 and cell[0].is_sign("(") and cell[2].is_sign(")") and cell[1].kind in ("text", "number")


def _comma_pieces(tokens: list[Token], reason: str, aligned: bool, begins: bool) -> list[_Piece]:
    parts = [x for part in _split(tokens, ",") for x in _split(part, ";")]
    if len(parts) > 1 and not any(has_relation(p) for p in parts):
        parts = [tokens] if not any(not p for p in parts) else parts
    out: list[_Piece] = []
    for k, part in enumerate(parts):
        for piece in _without_words(part):
            piece.aligned, piece.row = aligned and k == 0, begins and k == 0 and not out
            out.append(piece)
    if out and reason and not out[-1].reason:
        out[-1].reason = reason
    return out


def _without_words(tokens: list[Token]) -> list[_Piece]:
    """Words after a formula are its reason; words between two formulas part them."""
    while tokens and tokens[-1].is_sign(".", ",", ";"):
        tokens = tokens[:-1]
    while tokens and tokens[0].is_sign(".", ",", ";", ":") and not (len(tokens) > 1 and tokens[1].is_sign("=")):
        tokens = tokens[1:]
    depth = _Depth()
    for k, t in enumerate(tokens):
        if t.kind == "text" and depth.hard == depth.soft == 0 and _is_prose(tokens, k):
            before, after = tokens[:k], tokens[k + 1 :]
            first = (_WORD.findall(t.text.lower()) or [""])[0]
            if not before:
                return _without_words(after)
            if first in CONDITIONS:
                return [_Piece(before, plain(tokens[k:]), plain(tokens[k:]))]
            if after and has_relation(after) and first in JOINTS:
                return [_Piece(before, ""), *_without_words(after)]
            return [_Piece(before, plain(tokens[k:]))]
        depth.put(t)
    return [_Piece(tokens)] if tokens else []


def _is_prose(tokens: Sequence[Token], k: int) -> bool:
    """Whether a text is a remark and not the name of something."""
    text = tokens[k].text.strip()
    if not _WORD.search(text):
        return False
    if k == 0:
        return len(tokens) > 1 and text.lower().split()[0].strip(".,:;") in JOINTS | CONDITIONS | {"let", "for", "we", "i.e."}
    before = tokens[k - 1]
    if before.is_sign("_", "^", "&", "{") or is_operator(before) or relation_of(before) is not None:
        return False
    if before.kind == "command" and before.command in ("log", "exp", "frac", "sum", "max", "min", "nabla", "sqrt"):
        return False
    after = tokens[k + 1] if k + 1 < len(tokens) else None
    if " " not in text and after is not None and after.is_sign("(", "[", "_"):
        return text in JOINTS or text in CONDITIONS or text in ("for", "by")
    return text not in FUNCTION_WORDS


def _put(out: list[Statement], piece: _Piece) -> None:
    """Go on with the last statement, or begin a new one."""
    tokens = piece.tokens
    if not tokens:
        return
    last = out[-1] if out else None
    goes_on = False
    if (
        last is not None
        and piece.row
        and len(tokens) == 1
        and tokens[0].kind == "text"
        and (piece.aligned or " " in tokens[0].text.strip())
    ):
        _add_reason(last, plain(tokens))  # a row of words alone
        return
    if last is not None:
        tail = last.links[-1].tokens if last.links else last.first
        starts_relation = relation_of(tokens[0]) is not None
        alone = is_operator(tokens[0]) and (piece.aligned or not has_relation(tokens))
        closes = tokens[0].text in CLOSING and tokens[0].kind in ("sign", "command")
        goes_on = piece.row and (starts_relation or alone or closes or _unfinished(tail))
        goes_on = goes_on or (not piece.row and _unfinished(tail))
    first, links = _links(tokens, piece)
    if not goes_on or last is None:
        out.append(Statement(first, links, piece.reason if not links else ""))
        return
    if last.links:
        last.links[-1].tokens.extend(first)
        if not links and piece.reason:
            last.links[-1].reason = " ".join(filter(None, [last.links[-1].reason, piece.reason]))
            last.links[-1].condition = last.links[-1].condition or piece.condition
    else:
        last.first.extend(first)
    last.links.extend(links)


def _add_reason(s: Statement, reason: str) -> None:
    if s.links:
        s.links[-1].reason = " ".join(filter(None, [s.links[-1].reason, reason]))


def _links(tokens: list[Token], piece: _Piece) -> tuple[list[Token], list[Link]]:
    """The sides between the relations that stand outside all brackets."""
    first: list[Token] = []
    links: list[Link] = []
    depth = _Depth()
    k = 0
    while k < len(tokens):
        t = tokens[k]
        depth.put(t)
        relation = relation_of(t) if depth.hard == depth.soft == 0 and not (k and tokens[k - 1].is_sign("_", "^")) else None
        if t.is_sign(":") and k + 1 < len(tokens) and tokens[k + 1].is_sign("="):
            relation, k = ":=", k + 1
        elif t.is_sign("=") and k + 1 < len(tokens) and tokens[k + 1].is_sign(":"):
            relation, k = "=:", k + 1
        if relation is None:
            (links[-1].tokens if links else first).append(t)
        elif links and not links[-1].tokens and links[-1].relation == relation:
            pass  # `= \\ &= ..`, the sign repeated
        else:
            links.append(Link(relation, t, reason=plain(t.above) if relation != "~=" else ""))
        k += 1
    if links and piece.reason:
        links[-1].reason = piece.reason
        links[-1].condition = piece.condition
    return first, links

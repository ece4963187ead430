"""Tokens made ready to parse: spaces, labels and looks taken out, texts and words joined, \\left and \\right marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from symgen.text.latex.tokens import Slip, Token, group_end
from symgen.text.latex.vocabulary import ACCENTS, FONTS, IGNORED, LIMITS, RELATIONS, SILENT, SIZES, TEXTS, WRAPPING

_TEXT_SIGNS = {"\\_": "_", "\\&": "&", "\\%": "%", "\\#": "#", "\\textasciicircum": "^", "~": " ", "\\$": ""}
_DELIMITERS = {
    "<": "\\langle", ">": "\\rangle",
    "\\[": "[", "\\]": "]", "\\(": "(", "\\)": ")", "\\rvert": "|", "\\lvert": "|", "\\rVert": "\\|", "\\lVert": "\\|",
}  # fmt: skip
_TAKES_ONE = frozenset("frac dfrac tfrac cfrac binom dbinom tbinom sqrt".split()) | frozenset(ACCENTS)

__all__ = ["ROW_ENVIRONMENTS", "plain", "prepared"]

ROW_ENVIRONMENTS = frozenset(
    "align align* aligned split equation equation* gather gather* gathered eqnarray eqnarray* multline multline* "
    "alignat alignat* alignedat flalign flalign* IEEEeqnarray IEEEeqnarray* displaymath math dmath dmath* subequations "
    "multlined empheq darray center small document".split()
)
OLD_FONTS = {"rm": "mathrm", "bf": "mathbf", "it": "mathit", "cal": "mathcal", "sf": "mathsf", "tt": "mathtt"}
_COLUMNS = frozenset("array tabular alignat alignat* alignedat subarray IEEEeqnarray IEEEeqnarray* darray tabularx".split())


def plain(tokens: Sequence[Token]) -> str:
    """The words of some tokens, as a reason says them."""
    out = "".join(t.text if t.kind != "space" else " " for t in tokens)
    return " ".join(out.replace("{", "").replace("}", "").replace("~", " ").replace("$", "").split())


def prepared(tokens: Sequence[Token]) -> list[Token]:
    """What is left to parse. Raises Slip where a command lacks its argument."""
    return list(_single_characters(_over_rows(_Preparation(tokens).run())))


def _over_rows(tokens: list[Token]) -> list[Token]:
    """\\left( a \\right. \\\\ \\left. b \\right) is one bracket over two rows."""
    gone: set[int] = set()
    ends = [k for k, t in enumerate(tokens) if t.text == "nothing"]
    for a, b in zip(ends, ends[1:], strict=False):
        if tokens[a].side == ">" and tokens[b].side == "<" and b - a < 8:
            between = tokens[a + 1 : b]
            if any(t.kind == "row" for t in between) and not any(t.side or t.is_sign("=") for t in between):
                gone.update((a, b, *(a + 1 + j for j, t in enumerate(between) if t.kind == "row" or t.is_sign("&"))))
    return [t for k, t in enumerate(tokens) if k not in gone] if gone else tokens


def _single_characters(tokens: Sequence[Token]) -> Iterator[Token]:
    """x^23 raises the 2 alone, \\frac12 is a half."""
    before: Token | None = None
    bars: list[list[str]] = [[]]
    for k, t in enumerate(tokens):
        if t.is_sign("||") and not t.side and bars[-1][-1:] == ["|"] and not _begins_value(before):  # |a||b|, |a + |b||
            middle = min(t.start + 1, t.end)
            for half in (Token("sign", "|", t.start, middle, depth=t.depth), Token("sign", "|", middle, t.end, depth=t.depth)):
                _bars_after(bars, half, before)
                yield half
            before = half
            continue
        _bars_after(bars, t, before)
        if _is_bar(t) and k + 1 < len(tokens) and tokens[k + 1].text == t.text and not tokens[k + 1].side:
            if tokens[k + 1].start - t.end < (4 if t.command == "mid" else 1):
                before = Token("sign", "||", t.start, tokens[k + 1].end)
                yield before
                continue
        if before is not None and before.text == "||" and _is_bar(t) and before.end == t.end:
            continue
        takes_one = before is not None and (before.is_sign("_", "^") or before.command in _TAKES_ONE)
        if takes_one and t.kind in ("number", "letters") and len(t.text) > 1 and t.text[0] != ".":
            middle = t.start + 1 if t.end - t.start == len(t.text) else t.start
            yield Token(t.kind, t.text[0], t.start, max(middle, t.start + 1), t.side, t.depth)
            yield Token(t.kind, t.text[1:], middle, t.end, t.side, t.depth)
        else:
            yield t
        before = t


def _bars_after(open_: list[list[str]], t: Token, before: Token | None) -> None:
    """Keeps which bars are open in each bracket: one after an operator opens, one after a value closes if it can."""
    if t.side == "<" or not t.side and (t.is_sign("(", "[", "{") or t.command == "{"):
        open_.append([])
    elif (t.side == ">" or not t.side and (t.is_sign(")", "]", "}") or t.command == "}")) and len(open_) > 1:
        open_.pop()
    elif not t.side and t.is_sign("|", "||"):
        if open_[-1] and open_[-1][-1] == t.text and not _begins_value(before):
            open_[-1].pop()
        else:
            open_[-1].append(t.text)


def _begins_value(before: Token | None) -> bool:
    """Whether a value is still to come after a sign."""
    return before is None or before.is_sign("+", "-", "*", "/", "=", "(", "[", "{", ",", "<", ">", "&", "|")


def _is_bar(t: Token) -> bool:
    return not t.side and t.kind in ("sign", "command") and t.text in ("|", "\\mid", "\\|", "\\vert", "\\Vert")


class _Preparation:
    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = list(tokens)
        self.k = 0
        self.out: list[Token] = []
        self.drop_at: set[int] = set()  # closing braces of groups that are opened

    def run(self) -> list[Token]:
        size = len(self.tokens)
        while self.k < size:
            t = self.tokens[self.k]
            if t.kind == "space" or self.k in self.drop_at:
                self.k += 1
            elif t.kind == "command":
                self.command(t)
            elif t.kind == "begin":
                self.begin(t)
            elif t.kind == "end" and t.text in ROW_ENVIRONMENTS:
                self.k += 1
            elif t.kind == "sign" and t.text in "~$":
                self.k += 1
            elif t.kind == "param":
                raise Slip(f"`{t.text}` stands outside a macro", t.start, t.end)
            else:
                self.emit(t)
        return self.out

    def emit(self, t: Token) -> None:
        self.out.append(t)
        self.k += 1

    def skip_space(self) -> None:
        while self.k < len(self.tokens) and self.tokens[self.k].kind == "space":
            self.k += 1

    def skip_optional(self) -> None:
        self.skip_space()
        if self.k < len(self.tokens) and self.tokens[self.k].is_sign("["):
            k = self.k
            while k < len(self.tokens) and not self.tokens[k].is_sign("]"):
                k += 1
            if k < len(self.tokens):
                self.k = k + 1

    def argument(self, use: Token) -> tuple[int, int]:
        """The range of the next argument, without its braces; the position goes behind it."""
        self.skip_space()
        if self.k >= len(self.tokens):
            raise Slip(f"`{use.text}` lacks its argument", use.start, use.end)
        if self.tokens[self.k].is_sign("{"):
            end = group_end(self.tokens, self.k)
            start, self.k = self.k + 1, end + 1
            return start, end
        self.k += 1
        return self.k - 1, self.k

    def begin(self, t: Token) -> None:
        self.k += 1
        if t.text in _COLUMNS:
            self.skip_optional()
            if self.k < len(self.tokens) and self.tokens[self.k].is_sign("{"):
                self.argument(t)
        elif t.text in ROW_ENVIRONMENTS:
            self.skip_optional_position()
        if t.text not in ROW_ENVIRONMENTS:
            self.out.append(t)

    def opened_before(self) -> int:
        """The position of the brace that opens right before here; -1 for none."""
        k = self.k - 1
        while k > 0 and self.tokens[k].kind == "space":
            k -= 1
        return k if k >= 0 and self.tokens[k].is_sign("{") else -1

    def skip_optional_position(self) -> None:
        """\\begin{aligned}[t]"""
        rest = self.tokens[self.k : self.k + 3]
        if len(rest) == 3 and rest[0].is_sign("[") and rest[2].is_sign("]") and rest[1].text in ("t", "b", "c"):
            self.k += 3

    def command(self, t: Token) -> None:
        name = t.command
        if name in OLD_FONTS and self.out and self.out[-1].is_sign("{") and self.opened_before() >= 0:  # {\rm tr}
            place = self.opened_before()
            self.tokens[self.k] = replace(t, kind="space", text=" ")
            self.out.pop()
            self.k = place - 1
            self.font(replace(t, text="\\" + OLD_FONTS[name], start=self.tokens[place].start))
            return
        if t.text in SIZES or name in ("left", "right", "middle"):
            self.delimiter(t)
        elif name in ("lvert", "rvert", "lVert", "rVert"):
            sign = "|" if name[1] == "v" else "\\|"
            self.emit(replace(t, kind="sign" if sign == "|" else "command", text=sign, side="<" if name[0] == "l" else ">"))
        elif t.text in IGNORED or name in ("(", ")", "[", "]"):
            self.k += 1
        elif name in ("kern", "mkern", "mskip", "hskip", "vskip"):
            self.k += 1
            while self.k < len(self.tokens) and (
                self.tokens[self.k].kind in ("space", "number") or self.tokens[self.k].text in ("-", "mu", "pt", "em", "ex")
            ):
                self.k += 1
        elif name in ("rlap", "llap", "clap"):
            self.k += 1
            start, end = self.argument(t)
            self.out.extend(_Preparation(self.tokens[start:end]).run())
        elif name in TEXTS:
            self.k += 1
            start, end = self.argument(t)
            inside = [x for x in self.tokens[start:end] if x.text not in IGNORED]
            text = "".join(_TEXT_SIGNS.get(x.text, x.text) if x.kind != "space" else " " for x in inside)
            if start < end:
                self.out.append(Token("text", text, t.start, self.tokens[end - 1].end))
        elif name in SILENT:
            self.k += 1
            self.skip_optional()
            for _ in range(SILENT[name]):
                self.argument(t)
        elif name in WRAPPING:
            self.wrapping(t)
        elif name in ("overset", "underset", "stackrel", "stackrel*"):
            self.stacked(t)
        elif name in ("xrightarrow", "xleftarrow", "xlongequal", "xRightarrow", "xmapsto"):
            self.k += 1
            self.skip_optional()
            start, end = self.argument(t)
            self.out.append(replace(t, above=tuple(self.tokens[start:end])))
        elif name == "arg":
            self.k += 1
            self.skip_space()
            while self.k < len(self.tokens) and (self.tokens[self.k].text in IGNORED or self.tokens[self.k].kind == "space"):
                self.k += 1
            after = self.tokens[self.k] if self.k < len(self.tokens) else None
            if after is not None and after.command in ("min", "max", "inf", "sup"):
                self.emit(replace(after, text=f"\\arg{after.command}", start=t.start))
            else:
                self.out.append(t)
        elif name == "_":
            self.emit(replace(t, kind="sign", text="_"))  # Markdown's escape
        elif name == "not":
            self.k += 1
            self.skip_space()
            if self.k < len(self.tokens):
                self.emit(Token("command", "\\ne", t.start, self.tokens[self.k].end))
        elif name == "substack":
            self.k += 1
            self.skip_space()
            if self.k < len(self.tokens) and self.tokens[self.k].is_sign("{"):
                self.drop_at.add(group_end(self.tokens, self.k))
                self.k += 1
        elif name in FONTS:
            self.font(t)
        elif name in ("limits", "nolimits"):
            self.k += 1
        else:
            self.emit(t)

    def delimiter(self, t: Token) -> None:
        self.k += 1
        self.skip_space()
        if self.k >= len(self.tokens):
            raise Slip(f"`{t.text}` lacks its delimiter", t.start, t.end)
        d = self.tokens[self.k]
        name = t.command
        side = "<" if name == "left" or name.endswith("l") and name.startswith(("b", "B")) else ""
        side = ">" if name == "right" or name.endswith("r") and name.startswith(("b", "B")) else side
        side = "|" if name == "middle" or name.endswith("m") and name.startswith(("b", "B")) else side
        if d.is_sign(".") and name in ("left", "right"):
            self.out.append(Token("sign", "nothing", t.start, d.end, side))
        elif name in ("left", "right") and d.kind == "number":
            raise Slip(f"`{t.text}` lacks its delimiter", t.start, t.end)
        else:
            fixed = _DELIMITERS.get(d.text, d.text)
            self.out.append(replace(d, text=fixed, start=t.start, side=side, kind="sign" if fixed in "|[]()" else d.kind))
        self.k += 1

    def wrapping(self, t: Token) -> None:
        """\\textcolor{red}{x} is x; what stands under a brace goes with it."""
        self.k += 1
        self.skip_optional()
        for _ in range(WRAPPING[t.command] - 1):
            self.argument(t)
        self.skip_space()
        if t.command in ("underbrace", "overbrace", "underbracket", "overbracket") and self.k < len(self.tokens):
            if self.tokens[self.k].is_sign("{"):
                end = group_end(self.tokens, self.k)
                after = end + 1
                while after < len(self.tokens) and self.tokens[after].kind == "space":
                    after += 1
                if after < len(self.tokens) and self.tokens[after].is_sign("_", "^"):
                    after += 1
                    while after < len(self.tokens) and self.tokens[after].kind == "space":
                        after += 1
                    if after < len(self.tokens):
                        last = group_end(self.tokens, after) if self.tokens[after].is_sign("{") else after
                        inner = _Preparation(self.tokens[self.k : end + 1]).run()
                        self.out.extend(inner)
                        self.k = last + 1

    def stacked(self, t: Token) -> None:
        """\\overset{a}{=} is a relation with a note; \\underset{x}{\\max} has a limit; else the base alone."""
        self.k += 1
        start, end = self.argument(t)
        above = self.tokens[start:end]
        start, end = self.argument(t)
        base = prepared(self.tokens[start:end])
        if len(base) == 1 and (base[0].text.lstrip("\\") in RELATIONS):
            self.out.append(replace(base[0], start=t.start, above=tuple(above)))
            return
        if "".join(x.text for x in base) == ":=":
            self.out.append(Token("sign", ":=", t.start, base[-1].end, above=tuple(above)))
            return
        self.out.extend(base)
        limit = base and (base[-1].command in LIMITS or base[-1].kind == "word" or base[-1].side == "mathbb")
        if t.command == "underset" and limit:
            first, last = above[0] if above else t, above[-1] if above else t
            self.out.append(Token("sign", "_", first.start, first.start))
            self.out.append(Token("sign", "{", first.start, first.start))
            self.out.extend(prepared(above))
            self.out.append(Token("sign", "}", last.end, last.end))

    def font(self, t: Token) -> None:
        """\\mathbf{x} is x, \\mathrm{KL} a word; the font is kept where it makes another letter."""
        self.k += 1
        self.skip_space()
        if self.k >= len(self.tokens):
            raise Slip(f"`{t.text}` lacks its argument", t.start, t.end)
        if not self.tokens[self.k].is_sign("{"):
            x = self.tokens[self.k]
            if x.kind in ("letters", "number") and len(x.text) > 1:
                self.out.append(Token(x.kind, x.text[0], t.start, x.start + 1, t.command, x.depth))
                self.out.append(Token(x.kind, x.text[1:], x.start + 1, x.end, "", x.depth))
                self.k += 1
            elif x.kind in ("letters", "number"):
                self.emit(replace(x, start=t.start, side=t.command))
            return
        start, end = self.k + 1, group_end(self.tokens, self.k)
        inside = [x for x in self.tokens[start:end] if x.kind != "space" and x.text not in IGNORED]
        letters = all(x.kind in ("letters", "number") or x.is_sign("-") for x in inside) and inside
        if letters and (len(inside) > 1 or len(inside[0].text) > 1 or t.command.startswith("operatorname")):
            shown = [x for x in self.tokens[start:end] if x.kind != "space" or t.command != "mathrm"]
            word = " ".join("".join(x.text if x in inside else " " for x in shown).split())
            kind = "word" if inside[0].kind == "letters" else "number" if len(inside) == 1 else "word"
            bold = t.command not in ("mathrm", "operatorname", "operatorname*", "mathop", "textrm", "mathsf", "mathit",
                                     "mathtt", "mathcal", "text")  # fmt: skip
            if bold and kind == "word":  # \mathbf{Xw} is a product of bold letters
                kind = "letters"
                word = word.replace(" ", "")
            self.out.append(Token(kind, word, t.start, self.tokens[end].end, t.command, t.depth))
            self.k = end + 1
        elif len(inside) == 1 and inside[0].kind in ("letters", "number", "command") and inside[0].command not in FONTS:
            self.out.append(replace(inside[0], start=t.start, end=self.tokens[end].end, side=t.command))
            self.k = end + 1

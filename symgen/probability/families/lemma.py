"""What a lemma is: the mean of one function of a draw, with the condition under which it exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Lemma:
    """E[of] = value for x of the family, where `when` holds.

    In `of`, x is the draw; j, t, v, w stand for anything that does not depend on x, the names of the parameters for the
    parameters. From x^j follow x^j log(x)^m (derivatives by j), from exp(t*x) follow the powers x^n exp(t*x), from
    x^j*(1 - x)^w all products with log(x) and log(1 - x). `otherwise` is the mean where the condition fails: inf; nan,
    where the function is not defined; undefined, where the lemma says nothing.
    """

    family: str
    of: str
    value: str
    when: str = ""
    otherwise: str = "inf"
    source: str = ""


@dataclass(frozen=True)
class Antiderivative:
    """The integral of `of` is `value`, as functions of x: for the means under laws of constant density. It holds for
    x in `domain`, `when` that holds of the letters; a `hole` says where it has none: the name, its value there and the integral
    instead."""

    of: str
    value: str
    domain: str = "real"
    source: str = ""
    hole: tuple[str, str, str] | None = None
    when: str = ""


@dataclass(frozen=True)
class PowerLemma:
    """The logarithm of the integral of p^alpha q^(1 - alpha) for two laws of a family, as a text over their parameters
    with 1 and 2 behind, after the named values `lets`. Outside 0 <= alpha <= 1 it is `guarded_value` (the same where that
    is empty), where the condition `when` of the language and what `note` says hold. `degenerate` is a condition and the
    value there, where the formula is 0/0. `smooth` is a condition and a form without such places there, which code takes
    derivatives of: it may speak of S and W, the nodes and weights of a rule on 0 .. 1. The parameters `equal` are those of
    both laws; `on_any_support` where the formula holds whatever the two have in common."""

    value: str
    guarded_value: str = ""
    note: str = ""
    lets: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    when: str = ""
    degenerate: tuple[str, str] = ("", "")
    smooth: tuple[str, str] = ("", "")
    equal: tuple[str, ...] = ()
    on_any_support: bool = False

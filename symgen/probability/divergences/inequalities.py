"""The inequalities by which a quantity is bounded: `bound(f, by=name(..))`. One row each.

`of` says which quantities, `takes` what stands in the brackets: a `critic` (the name of an unknown function), a `decoder` (a
distribution), a `number`. `side` is the side of the quantity on which the bound lies, `tight` where the two are equal.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CALLED", "INEQUALITIES", "Inequality"]

CALLED = {"log_density_of": "log p(x)"}  # quantities as they are written


@dataclass(frozen=True)
class Inequality:
    name: str
    of: tuple[str, ...]
    takes: tuple[str, ...]
    side: str  # lower or upper
    says: str
    tight: str
    source: str


BOTH = ("KL", "mutual_information")

ROWS = [
    Inequality("barber_agakov", ("mutual_information",), ("decoder",), "lower", "I(x; z) >= E log q(x | z) + H(x)",
               "the decoder is the posterior", "Barber & Agakov (2003)"),
    Inequality("donsker_varadhan", BOTH, ("critic",), "lower", "KL(p || q) >= E_p T - log E_q exp(T)",
               "T = log p - log q + c for some constant c", "Donsker & Varadhan (1983)"),
    Inequality("nwj", BOTH, ("critic",), "lower", "KL(p || q) >= E_p T - E_q exp(T - 1)",
               "T = 1 + log p - log q", "Nguyen, Wainwright & Jordan (2010)"),
    Inequality("infonce", ("mutual_information",), ("critic", "number"), "lower",
               "I(x; z) >= log n + E log(exp f(x, z_1)/sum_j exp f(x, z_j)), x and z_1 a pair, the others drawn apart",
               "f = log p(z | x) + c(x), in the limit of many draws: it is never above log n",
               "van den Oord, Li & Vinyals (2018)"),
    Inequality("importance", ("log_density_of",), ("decoder", "number"), "lower",
               "log p(x) >= E log of the mean of p(x, z_j)/q(z_j) over n draws of q; one is the evidence lower bound, more are "
               "greater", "q is the posterior, or in the limit of many draws", "Burda, Grosse & Salakhutdinov (2016)"),
    Inequality("pairwise", ("entropy", "mutual_information", "KL"), (), "upper",
               "H(x) <= H(x | c) - E_a log E_b exp(-KL(p_a || p_b)) of a mixture, and likewise its information and divergence",
               "the parts are one, or lie apart", "Kolchinsky & Tracey (2017)"),
    Inequality("chernoff", ("entropy", "mutual_information"), ("number",), "lower",
               "H(x) >= H(x | c) - E_a log E_b integral p_a^alpha p_b^(1 - alpha) of a mixture",
               "the parts are one, or lie apart", "Kolchinsky & Tracey (2017)"),
    Inequality("bhattacharyya", ("entropy", "mutual_information"), (), "lower",
               "H(x) >= H(x | c) - E_a log E_b integral sqrt(p_a p_b) of a mixture",
               "the parts are one, or lie apart", "Kolchinsky & Tracey (2017)"),
    Inequality("overlaps", ("entropy",), (), "lower", "H(x) >= -E_a log E_b integral p_a p_b of a mixture",
               "the density is one number wherever it is not 0", "Huber, Bailey, Durrant-Whyte & Hanebeck (2008)"),
    Inequality("labels", ("entropy",), (), "upper", "H(x) <= H(c) + H(x | c) of a mixture",
               "the label is a function of x", "Cover & Thomas (2006), 2.5.1"),
    Inequality("given_labels", ("entropy",), (), "lower", "H(x) >= H(x | c) of a mixture",
               "the parts are one", "Cover & Thomas (2006), 2.7.3"),
    Inequality("convexity", ("KL",), (), "upper", "KL(p || q) <= E_a E_b KL(p_a || q_b) of two mixtures",
               "the parts are one", "Cover & Thomas (2006), 2.7.2"),
]  # fmt: skip

INEQUALITIES: dict[str, Inequality] = {row.name: row for row in ROWS}

"""How calls of the language are written in mathematics ▣, beside functions and operations, whose rows say it.

In a template `{0}`, `{1}` are the arguments, and braces of LaTeX are doubled; an argument between delimiters or in
braces stands as it is, elsewhere it is bracketed where it must be. `{*}` are all arguments, `{q}`, `{p}` the two sides
of a divergence.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Notation:
    """A call with `arity` arguments (None: any number)."""

    name: str
    latex: str
    arity: int | None = None


ROWS = (
    # linear algebra
    Notation("tr", r"\operatorname{{tr}}\left({0}\right)", 1),
    Notation("diag", r"\operatorname{{diag}}\left({0}\right)", 1),
    Notation("diagonal", r"\operatorname{{diagonal}}\left({0}\right)", 1),
    Notation("kron", r"{0} \otimes {1}", 2),
    Notation("vec", r"\operatorname{{vec}}\left({0}\right)", 1),
    Notation("norm", r"\left\|{0}\right\|", 1),
    Notation("inv", r"{0}^{{-1}}", 1),
    Notation("det", r"\det\left({0}\right)", 1),
    Notation("logdet", r"\log\left|\det {0}\right|", 1),
    Notation("eye", r"I", 1),
    Notation("solve", r"{0}^{{-1}} {1}", 2),
    Notation("concat", r"\left[{*}\right]", None),
    Notation("stack", r"\left[{*}\right]", None),
    # calculus
    Notation("grad", r"\nabla_{{{1}}}\, {0}", 2),
    Notation("grad/1", r"\nabla {0}", 1),  # by all parameters
    Notation("hessian", r"\nabla_{{{1}}}^{2}\, {0}", 2),
    Notation("jacobian", r"\frac{{\partial}}{{\partial {1}}} {0}", 2),
    Notation("d", r"\frac{{\partial}}{{\partial {1}}} {0}", 2),
    Notation("hvp", r"\nabla_{{{1}}}^{{2}}\, {0}\; {2}", 3),
    Notation("argmin", r"\operatorname*{{arg\,min}}_{{{1}}}\; {0}", 2),
    Notation("argmax", r"\operatorname*{{arg\,max}}_{{{1}}}\; {0}", 2),
    Notation("limit", r"\lim_{{{1} \to {2}}} {0}", 3),
    # probability and information
    Notation("KL", r"D_{{\mathrm{{KL}}}}\left({q}\,\middle\|\,{p}\right)", 2),
    Notation("chi2", r"\chi^{2}\left({q}\,\middle\|\,{p}\right)", 2),
    Notation("JS", r"\mathrm{{JS}}\left({q}, {p}\right)", 2),
    Notation("tv", r"\mathrm{{TV}}\left({q}, {p}\right)", 2),
    Notation("hellinger", r"H^{2}\left({q}, {p}\right)", 2),
    Notation("wasserstein2", r"W_{2}^{2}\left({q}, {p}\right)", 2),
    Notation("renyi", r"D_{{{2}}}\left({0}\,\middle\|\,{1}\right)", 3),
    Notation("entropy", r"\mathrm{{H}}\left({0}\right)", 1),
    Notation("entropy_rate", r"\mathrm{{h}}\left({0}\right)", 1),
    Notation("cross_entropy", r"\mathrm{{H}}\left({0}, {1}\right)", 2),
    Notation("mutual_information", r"\mathrm{{I}}_{{{0}}}\left({1}; {2}\right)", 3),
    Notation("fisher", r"\mathcal{{I}}_{{{0}}}\left({1}\right)", 2),
    Notation("score", r"\nabla_{{{1}}} \log {0}", 2),
    # games
    Notation("best_response", r"\operatorname{{BR}}_{{{1}}}\left({0}\right)", 2),
)

TABLE: dict[str, Notation] = {row.name: row for row in ROWS}

# the operators that ask for a derivative
DERIVATIVES = frozenset("grad jacobian hessian hvp d".split())

# names that are said in full in a program and by a letter on paper
LETTERS = {"lam": "lambda", "eps": "epsilon", "lmbda": "lambda"}

# rules that say before = after, where their name says less than a person would
RULES = {
    "bound_below": "", "bound_above": "", "split": "", "exchange": "",
    "gradient_within_set": "",
    "sum_over_uses": "chain rule over all uses", "chain_rule": "chain rule", "differentiate": "differentiated",
    "differential": "", "put_in": "", "read_off": "read off", "forward": "differentiated", "name": "named",
    "hessian": "gradient of the gradient", "independent": "", "collect": "", "moments": "", "linearity": "linearity",
    "densities": "", "marginal": "", "definition": "", "lemma": "", "constant": "", "simplify": "simplified", "expand": "expanded",
    "fubini": "Fubini",
}  # fmt: skip

# rules that go from one question to another: `zero` (after = 0), `optimum` (name = after), `alone`, else an arrow
BECOMES = {
    "payoff_as_integral": "becomes", "log_likelihood": "becomes", "stationarity": "zero", "solve_stationarity": "optimum",
    "optimum_at_a_kink": "optimum", "optimum_at_an_end": "optimum",
    "second_order": "alone", "recognise_divergence": "becomes", "substitute": "becomes", "least_divergence": "becomes",
    "no_better_pure_strategy": "alone", "vector_field": "alone", "jacobian": "alone", "eigenvalues": "alone",
    "multiplier": "optimum", "never_stationary": "alone", "bound_below": ">=", "bound_above": "<=",
}  # fmt: skip

RELATIONS = {
    "->": r"\longrightarrow",
    "=": "=", "<=": r"\le", ">=": r"\ge", "<": "<", ">": ">", "==": "=", "!=": r"\ne",
    "propto": r"\propto", "~=": r"\simeq",
}  # fmt: skip

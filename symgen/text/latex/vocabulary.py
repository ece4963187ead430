"""What commands of LaTeX mean ▣: letters, operators, relations, functions, and what only changes the look."""

from __future__ import annotations

from symgen.text.names import GREEK

# --- letters ----------------------------------------------------------------------------------------------------------

LETTERS = {word: word for word in GREEK.values()} | {
    "varepsilon": "epsilon", "vartheta": "theta", "varphi": "phi", "varrho": "rho", "varpi": "pi", "varkappa": "kappa",
    "ell": "ell", "hbar": "hbar", "imath": "i", "jmath": "j", "aleph": "aleph", "wp": "wp", "Re": "Re", "Im": "Im",
    "infty": "inf", "emptyset": "emptyset", "varnothing": "emptyset", "partial": "partial", "star": "star",
    "top": "top", "intercal": "top", "perp": "perp", "dagger": "dagger", "ast": "star", "bullet": "bullet",
    "lbrack": "[", "rbrack": "]",
}  # fmt: skip

# other words for a letter, in a program
SPELLINGS = {
    "lambda": ("lam", "lmbda", "lambd"), "epsilon": ("eps", "varepsilon"), "ell": ("l", "loss", "L"), "phi": ("varphi",),
    "theta": ("vartheta",),
}  # fmt: skip

FONTS = frozenset(
    "mathbf mathrm mathit mathsf mathtt mathcal mathscr mathfrak mathbb mathnormal boldsymbol bm bold pmb symbf symbfit "
    "vec operatorname operatorname* mathop mathbin mathrel mathord mathopen mathclose mathpunct overrightarrow textbf "
    "textrm textit textsf texttt textsc textnormal textmd bf rm it cal sf mathds mathbbm mathbold mathbfit".split()
)
ACCENTS = {
    "hat": "hat", "widehat": "hat", "bar": "bar", "overline": "bar", "tilde": "tilde", "widetilde": "tilde",
    "dot": "dot", "ddot": "ddot", "check": "check", "breve": "breve", "acute": "acute", "grave": "grave",
    "mathring": "ring", "underline": "", "uline": "", "underbar": "",
}  # fmt: skip

TEXTS = frozenset(
    "text textrm textit textbf textsf texttt textsc textnormal textup emph mbox hbox intertext shortintertext".split()
)

# --- what only changes the look ---------------------------------------------------------------------------------------

IGNORED = frozenset(
    r"\, \: \; \! \  \> \/ \- \quad \qquad \enspace \enskip \thinspace \medspace \thickspace \negthinspace \nobreak "
    r"\displaystyle \textstyle \scriptstyle \scriptscriptstyle \limits \nolimits \nonumber \notag \noindent \centering "
    r"\allowbreak \break \newline \hfill \hfil \strut \mathstrut \relax \protect \normalsize \small \large \Large \tiny "
    r"\footnotesize \scriptsize \bf \rm \it \cal \sf \bfseries \boldmath \unboldmath \par \indent \null \hline \toprule "
    r"\midrule \bottomrule \qedhere \qed \blacksquare \displaylimits \mathsurround \smallskip \medskip \bigskip "
    r"\because \therefore \left. \right. \null \noalign \allowdisplaybreaks \tt".split()
) | {"\\ ", "\\\n", "\\\t", "~"}
SIZES = frozenset(
    r"\big \Big \bigg \Bigg \bigl \Bigl \biggl \Biggl \bigr \Bigr \biggr \Biggr \bigm \Bigm \biggm \Biggm \mathopen "
    r"\mathclose".split()
)
# commands whose arguments say nothing, with how many they have
SILENT = {
    "label": 1, "tag": 1, "tag*": 1, "hspace": 1, "hspace*": 1, "vspace": 1, "vspace*": 1, "color": 1, "cite": 1,
    "citep": 1, "citet": 1, "ref": 1, "eqref": 1, "phantom": 1, "hphantom": 1, "vphantom": 1, "footnote": 1,
    "rule": 2, "cline": 1, "cmidrule": 1, "setlength": 2, "raisebox": 1, "footnotemark": 0, "footnotetext": 1,
    "kern": 0, "mkern": 0, "mskip": 0, "setcounter": 2, "addtocounter": 2, "numberthis": 0, "require": 1,
    "newline": 0, "pagebreak": 0, "cssId": 1, "class": 1, "style": 1, "bbox": 0, "index": 1, "todo": 1,
    "setstretch": 1, "resizebox": 2, "scalebox": 1, "arraycolsep": 0, "renewcommand": 2, "newcommand": 2,
}  # fmt: skip
# commands that stand for the last of their arguments: those before it say nothing
WRAPPING = {
    "textcolor": 2, "colorbox": 2, "fcolorbox": 3, "boxed": 1, "cancel": 1, "bcancel": 1, "xcancel": 1, "smash": 1,
    "ensuremath": 1, "underbrace": 1, "overbrace": 1, "mathclap": 1, "mathrlap": 1, "mathllap": 1, "fbox": 1,
    "href": 2, "hl": 1, "underbracket": 1, "overbracket": 1, "mathstrut": 0, "vcenter": 1, "tcboxmath": 1, "enclose": 2,
    "sout": 1, "unicode": 1, "framebox": 1, "makebox": 1, "hcancel": 1, "prescript": 3, "adjustbox": 2, "mathinner": 1,
}  # fmt: skip

# --- operators --------------------------------------------------------------------------------------------------------

# between factors, by the sign that the products know
PRODUCTS = {
    "cdot": "cdot", "times": "times", "ast": "*", "odot": "odot", "circ": "circ", "otimes": "otimes", "oslash": "oslash",
    "div": "/", "bmod": "mod", "star": "*", "bullet": "cdot", "wedge": "wedge", "vee": "vee", "cap": "cap", "cup": "cup",
    "setminus": "setminus", "oplus": "oplus", "ominus": "ominus", "dagger": "dagger", "bigodot": "odot", "sqcup": "sqcup",
    "land": "wedge", "lor": "vee", "backslash": "setminus", "smallsetminus": "setminus", "boxtimes": "otimes",
    "uplus": "cup", "diamond": "diamond", "ltimes": "otimes", "amalg": "amalg", "bigtimes": "times", "mod": "mod",
}  # fmt: skip
SUMS = {"pm": 1, "mp": -1}

RELATIONS = {
    "=": "=", "<": "<", ">": ">", "le": "<=", "leq": "<=", "leqslant": "<=", "leqq": "<=", "ge": ">=", "geq": ">=",
    "geqslant": ">=", "geqq": ">=", "lt": "<", "gt": ">", "propto": "propto", "varpropto": "propto", "equiv": "=",
    "simeq": "~=", "triangleq": ":=", "coloneqq": ":=", "coloneq": ":=", "eqqcolon": "=:", "doteq": ":=", ":=": ":=",
    "eqdef": ":=", "defeq": ":=", "stackrel": "=", "approx": "approx", "approxeq": "approx", "sim": "~", "thicksim": "~",
    "cong": "cong", "ne": "!=", "neq": "!=", "ll": "<<", "gg": ">>", "lesssim": "<~", "gtrsim": ">~", "prec": "prec",
    "succ": "succ", "preceq": "preceq", "succeq": "succeq", "preccurlyeq": "preceq", "succcurlyeq": "succeq",
    "in": "in", "notin": "notin", "ni": "ni", "subset": "subset", "subseteq": "subset", "supset": "supset",
    "supseteq": "supset", "subsetneq": "subset", "to": "->", "rightarrow": "->", "longrightarrow": "->", "mapsto": "->",
    "longmapsto": "->", "Rightarrow": "=>", "Longrightarrow": "=>", "implies": "=>", "iff": "<=>",
    "Leftrightarrow": "<=>", "Longleftrightarrow": "<=>", "leftarrow": "<-", "gets": "<-", "Leftarrow": "<=",
    "impliedby": "<==", "leftrightarrow": "<->", "longleftrightarrow": "<->", "xrightarrow": "->", "xleftarrow": "<-",
    "xlongequal": "=", "asymp": "asymp", "models": "models", "vdash": "models", "perp": "perp", "bot": "perp",
    "uparrow": "^", "downarrow": "v", "nearrow": "->", "searrow": "->", "hookrightarrow": "->", "rightsquigarrow": "~>",
    "leadsto": "~>", "colon": ":", "nsim": "!~", "not": "not", "longleftarrow": "<-", "Longleftarrow": "<==",
    "rightleftharpoons": "<->", "nleq": "!<=", "ngeq": "!>=", "dashv": "models", "trianglelefteq": "<=",
    "Updownarrow": "^", "updownarrow": "^", "vdots": "vdots", "lessgtr": "<>", "gtrless": "><", "vDash": "models",
    "overset": "=", "underset": "=", "xRightarrow": "=>", "xmapsto": "->", "curvearrowright": "->", "risingdotseq": ":=",
    "lessapprox": "<~", "gtrapprox": ">~", "eqsim": "approx", "supsetneq": "supset", "nsubseteq": "subset",
    "rightharpoonup": "->", "rightrightarrows": "->", "twoheadrightarrow": "->", "rightarrowtail": "->",
}  # fmt: skip
CHECKED = frozenset(["=", "<=", ">=", "<", ">", "propto", "~="])

# what people write for a relation that no claim can hold, said plainly
INFORMAL = {
    "approx": "`\\approx` says nothing exact", "~": "`\\sim` declares a distribution", ":=": "a definition",
    "=:": "a definition", "->": "an arrow", "=>": "`\\Rightarrow` is between statements",
    "<=>": "`\\iff` is between statements", "in": "`\\in` is about sets",
}  # fmt: skip

# --- functions --------------------------------------------------------------------------------------------------------

# one argument, with or without brackets
FUNCTIONS = {
    "log": "log", "ln": "log", "exp": "exp", "sin": "sin", "cos": "cos", "tan": "tan", "sinh": "sinh", "cosh": "cosh",
    "tanh": "tanh", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "det": "det", "tr": "tr", "Tr": "tr",
    "trace": "tr", "Trace": "tr", "diag": "diag", "Diag": "diag", "sign": "sign", "sgn": "sign", "lg": "log10",
    "cot": "cot", "sec": "sec", "csc": "csc", "dim": "dim", "rank": "rank", "vec": "vec", "erf": "erf",
    "relu": "relu", "ReLU": "relu", "softmax": "softmax", "sigmoid": "sigmoid", "softplus": "softplus", "arg": "arg",
    "logsumexp": "logsumexp", "logdet": "logdet", "ker": "ker", "deg": "deg", "hom": "hom", "Pr": "Pr", "gcd": "gcd",
}  # fmt: skip
# functions that take what follows them without brackets
BARE = frozenset(
    "log exp sin cos tan sinh cosh tanh asin acos atan det tr diag sign log10 cot sec csc dim rank logdet arg ker deg "
    "erf logsumexp".split()
)
# words that are functions also without a backslash, if nothing of that name is declared
WORDS = FUNCTIONS | {"KL": "KL", "JSD": "JS", "argmax": "argmax", "argmin": "argmin", "max": "max", "min": "min"}
BIG = {
    "sum": "sum", "prod": "prod", "int": "integral", "iint": "integral", "iiint": "integral", "oint": "integral",
    "coprod": "prod", "bigcup": "union", "bigcap": "intersection", "bigoplus": "oplus", "bigotimes": "otimes",
    "bigvee": "or", "bigwedge": "and", "bigsqcup": "union", "idotsint": "integral",
}  # fmt: skip
LIMITS = {
    "max": "max", "min": "min", "sup": "sup", "inf": "infimum", "lim": "limit", "argmin": "argmin", "argmax": "argmax",
    "limsup": "limsup", "liminf": "liminf", "arginf": "arginf", "argsup": "argsup", "plim": "plim",
}  # fmt: skip
FUNCTION_WORDS = {
    "arg min": "argmin", "arg max": "argmax", "argmin": "argmin", "argmax": "argmax", "KL": "KL", "Var": "Var",
    "var": "var", "Cov": "Cov", "cov": "Cov", "tr": "tr", "Tr": "tr", "trace": "tr", "diag": "diag", "ReLU": "relu",
    "arg inf": "arginf", "arg sup": "argsup", "min": "min", "max": "max", "Softmax": "softmax", "Sigmoid": "sigmoid",
    "lrelu": "leaky_relu", "chol": "cholesky", "log softmax": "log_softmax", "nuclear norm": "nuclear_norm",
    "Dexp": "expm_frechet", "igammainv": "igammainv", "digammainv": "digammainv", "ibetainv": "ibetainv",
    "gamma shift": "gamma_shift", "beta shift a": "beta_shift_a", "beta shift b": "beta_shift_b",
    "Student shift": "student_shift",
    "spectral norm": "spectral_norm", "JS": "JS", "JSD": "JS", "TV": "tv",
    "MSE": "mse", "sup": "sup", "inf": "infimum", "E": "E", "Li": "dilog", "grad": "grad", "sgn": "sign",
}  # fmt: skip

OPENING = {"(": ")", "[": "]", "\\{": "\\}", "\\lbrace": "\\rbrace", "\\langle": "\\rangle", "\\lfloor": "\\rfloor",
           "\\lceil": "\\rceil", "\\lvert": "\\rvert", "\\lVert": "\\rVert", "\\llbracket": "\\rrbracket",
           "\\lbrack": "\\rbrack", "\\lgroup": "\\rgroup"}  # fmt: skip
CLOSING = {closing: opening for opening, closing in OPENING.items()}
BARS = {"|": "|", "\\vert": "|", "\\mid": "|", "\\|": "||", "\\Vert": "||", "\\parallel": "||", "||": "||"}
DOTS = frozenset("ldots cdots dots dotsc dotsb dotsm vdots ddots dotsi hdots mathellipsis".split())

# Unicode signs as commands
SIGNS = {
    "≤": "le", "≥": "ge", "≠": "ne", "→": "to", "∞": "infty", "·": "cdot", "×": "times", "±": "pm", "∈": "in",
    "∝": "propto", "≈": "approx", "∑": "sum", "∏": "prod", "∫": "int", "∇": "nabla", "∂": "partial", "⊙": "odot",
    "⊗": "otimes", "∼": "sim", "≡": "equiv", "⊤": "top", "…": "dots", "⋯": "cdots", "√": "sqrt", "∥": "Vert",
    "⇒": "Rightarrow", "⇔": "iff", "∣": "mid", "≜": "triangleq", "≔": "coloneqq", "⟨": "langle", "⟩": "rangle", "∘": "circ",
}  # fmt: skip

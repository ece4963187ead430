"""How it is written here: the form of each statement, and what to write for the signs and words of other languages."""

from __future__ import annotations

import unicodedata

__all__ = [
    "DOMAINS", "FOREIGN", "KNOWN_DOMAINS", "OTHER_DOMAINS", "OTHER_FUNCTIONS", "OTHER_STATEMENTS", "OTHER_WORDS", "POWERS",
    "SUBSCRIPTS", "USAGE",
]  # fmt: skip

_CHANGES = "a name is defined once, and nothing changes it"

# (spelling, what it is, what to write)
_ROWS = [
    (":=", "`:=` is not an operator here", "write `=`"),
    ("=>", "`=>` is not an operator here", "write `>=`"),
    ("=<", "`=<` is not an operator here", "write `<=`"),
    ("<>", "`<>` is not an operator here", "write `!=`"),
    ("===", "`===` is not an operator here", "write `==`"),
    ("+=", _CHANGES, "define a new name by `let`"),
    ("-=", _CHANGES, "define a new name by `let`"),
    ("*=", _CHANGES, "define a new name by `let`"),
    ("/=", _CHANGES, "define a new name by `let`, or write `!=`"),
    ("&&", "`&&` is not an operator here", "write `and`"),
    (".*", "`.*` is not an operator here", "`*` acts on elements"),
    ("./", "`./` is not an operator here", "`/` acts on elements"),
    (".^", "`.^` is not an operator here", "`^` acts on elements"),
    (".+", "`.+` is not an operator here", "`+` acts on elements"),
    ("...", "`...` is not part of the language", "write out what is meant, or a range as in `t: 1..T`"),
    ("->", "`->` is not part of the language", "write the range of a function after `:`, as in `function f(x): real`"),
    ("!", "`!` is not an operator here", "write `not`, `!=`, or a factorial as `gamma(n + 1)`"),
    ("%", "`%` is not an operator here", "write `a - m*floor(a/m)`"),
    ("&", "`&` is not an operator here", "write `and`"),
    (";", "`;` does not end a statement", "write each statement on a line of its own"),
    ("\\", "`\\` is not part of the language", "a statement goes on in an open bracket or after an operator"),
    ("?", "`?` is not part of the language", "write `where(condition, a, b)`"),
    ("$", "`$` is not part of the language", "formulas stand without delimiters"),
    ("`", "a backquote is not part of the language", "names stand without quotes"),
    (".", "`.` stands only in numbers, ranges and the transpose `.T`", "call functions as in `sum(x)`"),
    ("×", "`×` is not an operator here", "write `*`, or `@` for the matrix product"),
    ("·", "`·` is not an operator here", "write `*`, or `@` for the inner product"),
    ("⋅", "`⋅` is not an operator here", "write `*`, or `@` for the inner product"),
    ("∗", "`∗` (U+2217) is not the star of the keyboard", "write `*`"),
    ("÷", "`÷` is not an operator here", "write `/`"),
    ("−", "`−` (U+2212) is not the minus of the keyboard", "write `-`"),
    ("–", "`–` (U+2013) is a dash, not a minus", "write `-`"),
    ("—", "`—` (U+2014) is a dash, not a minus", "write `-`"),
    ("≤", "`≤` is not a relation here", "write `<=`"),
    ("≥", "`≥` is not a relation here", "write `>=`"),
    ("≠", "`≠` is not a relation here", "write `!=`"),
    ("≈", "`≈` is not a relation here", "a claim is exact: write `=`"),
    ("∝", "`∝` is not a relation here", "write `propto[z]`"),
    ("∼", "`∼` (U+223C) is not the tilde of the keyboard", "write `~`"),
    ("∈", "`∈` is not an operator here", "declare a domain after `:`, as in `x: real[n]`"),
    ("∞", "`∞` is not a number here", "write `inf`"),
    ("∑", "`∑` is not an operator here", "write `sum[i](..)`"),
    ("∏", "`∏` is not an operator here", "write `prod[i](..)`"),
    ("∫", "`∫` is not an operator here", "write `integral[x: a..b](..)`"),
    ("√", "`√` is not an operator here", "write `sqrt(..)`"),
    ("∇", "`∇` is not an operator here", "write `grad(f, x)`"),
    ("∂", "`∂` is not an operator here", "write `grad(f, x)`, or `d(f, t)` for scalars"),
    ("‖", "`‖` is not part of the language", "write `norm(x)`, or `||` in `KL(q || p)`"),
    ("∥", "`∥` is not part of the language", "write `norm(x)`, or `||` in `KL(q || p)`"),
    ("∣", "`∣` (U+2223) is not the bar of the keyboard", "write `|`"),
    ("ᵀ", "`ᵀ` is not an operator here", "the transpose is `'`"),
    ("⊤", "`⊤` is not an operator here", "the transpose is `'`"),
    ("’", "`’` (U+2019) is not the quote of the keyboard", "the transpose is `'`"),
    ("′", "`′` (U+2032) is not the quote of the keyboard", "the transpose is `'`"),
    ("“", "`“` (U+201C) is not the quote of the keyboard", 'write a reason as `"text"`'),
    ("”", "`”` (U+201D) is not the quote of the keyboard", 'write a reason as `"text"`'),
    ("…", "`…` is not part of the language", "write out what is meant, or a range as in `t: 1..T`"),
    ("←", "`←` is not an operator here", "write `=`"),
    ("→", "`→` is not part of the language", "write the range of a function after `:`"),
]

FOREIGN = {spelling: (what, instead) for spelling, what, instead in _ROWS}

POWERS = {c: unicodedata.normalize("NFKC", c) for c in "⁰¹²³⁴⁵⁶⁷⁸⁹"}
SUBSCRIPTS = {c: unicodedata.normalize("NFKC", c) for c in "₀₁₂₃₄₅₆₇₈₉"}

USAGE = {
    "dim": "write `dim n, d`, or `dim k = 10`",
    "data": "write `data X: real[n, d]`",
    "param": "write `param W: real[n, d]`, or `param W: real[n, d] = glorot`",
    "const": "write `const lam: positive = 1e-3`",
    "assume": "write `assume a > b`",
    "let": "write `let p = sigmoid(X @ w)`",
    "loss": "write `loss L = norm(X @ w - y)^2`",
    "def": "write `def f(t) = t^2`",
    "dist": "write `dist q(z | x) = Normal(mu, s)`",
    "density": "write `density p(x)`, or `density p(x: real[d])`",
    "function": "write `function D(x): unit`",
    "game": "write `game g = {x: min V, y: max V}`",
    "derive": "write `derive grad(L, w)`, or `derive g = grad(L, w)`",
    "claim": "write `claim a = b`, or `claim name: a = b`",
    "train": "write `train L wrt w with adam(lr=0.01), steps=100`",
}
DOMAINS = "a domain is `real`, `positive`, `unit`, `simplex`, ..., with a shape as in `real[n, d]`"

# words that other languages start a statement with, and what to do here
OTHER_STATEMENTS = {
    word: help
    for words, help in [
        ("import from", "a spec stands alone and imports nothing"),
        ("parameter parameters", "write `param`"),
        ("var variable variables", "write `param` for what is trained, `data` for what is given"),
        ("input observed", "write `data`"),
        ("constant hyper hyperparameter", "write `const`"),
        ("shape size dims sizes", "write `dim`"),
        ("given", "write `data`, or `assume` for a fact"),
        ("suppose require where", "write `assume` for a fact, `let` for a definition"),
        ("set define", "write `let`, or `def` for a function"),
        ("func fun lambda", "write `def` for a function, `function` for an unknown one"),
        ("return", "write `def f(t) = ..`"),
        ("for", "write `sum[i](..)`, or `let z[i] = ..` over an index"),
        ("while", "write `let h[t: 1..T] = ..`"),
        ("if", "write `where(condition, a, b)`"),
        ("distribution random sample", "write `dist`"),
        ("minimize minimise maximize maximise", "write `loss` and `train`, or `derive argmin(f, x)`"),
        ("objective cost", "write `loss`"),
        ("fit learn optimize optimise", "write `train`"),
        ("prove theorem lemma assert verify check", "write `claim`"),
        ("show print compute evaluate", "write `derive`"),
        ("player players", "write `game`"),
    ]
    for word in words.split()
}


# words that other languages write inside an expression
OTHER_WORDS = {
    "if": "write `where(condition, a, b)`",
    "then": "write `where(condition, a, b)`",
    "else": "write `where(condition, a, b)`",
    "for": "write `sum[i](..)`, or `let z[i] = ..` over an index",
    "in": "declare a domain after `:`, as in `data x: real[n]`; a range is `t: 1..T`",
    "to": "write a range as `t: 1..T`",
    "lambda": "write `def f(t) = ..`",
    "where": "write `where(condition, a, b)`",
    "mod": "write `a - m*floor(a/m)`",
    "div": "write `floor(a/m)`",
    "is": "write `==`",
    "given": "write `p(x | z)`",
}

# what functions are called elsewhere, and what to write here
OTHER_FUNCTIONS = {
    word: help
    for words, help in [
        ("ln", "write `log(x)`"),
        ("log2", "write `log(x)/log(2)`"),
        ("log10", "write `log(x)/log(10)`"),
        ("gradient nabla", "write `grad(f, x)`"),
        ("diff derivative partial deriv", "write `d(f, t)` for a scalar t, `grad(f, x)` for an array"),
        ("hess", "write `hessian(f, x)`"),
        ("jac jacob", "write `jacobian(f, x)`"),
        ("pow power", "write `x^y`"),
        ("square", "write `x^2`"),
        ("len length size shape ndim", "a size has a name of its own, such as `n` in `real[n]`"),
        ("concatenate hstack vstack cat append", "write `concat(a, b)`, with `axis=` for matrices"),
        ("transpose", "write `A'`"),
        ("matmul mm bmm mv einsum", "write `A @ B`, or `sum[j](A[i, j]*B[j, k])`"),
        ("pinv lstsq", "write `inv(A' @ A) @ A'` for a matrix of full column rank"),
        ("average avg", "write `mean(x)`"),
        ("std stdev", "write `sqrt(var(x))`"),
        ("mse", "write `mean((y - f)^2)`"),
        ("mae", "write `mean(abs(y - f))`"),
        ("bce binary_cross_entropy", "write `-mean(y*log(p) + (1 - y)*log(1 - p))`"),
        ("expit logistic", "write `sigmoid(x)`"),
        ("logit", "write `log(p/(1 - p))`"),
        ("sgn signum", "write `sign(x)`"),
        ("heaviside step indicator", "write `where(x > 0, 1, 0)`"),
        ("maximum", "write `max(a, b)`"),
        ("minimum", "write `min(a, b)`"),
        ("range arange linspace", "an index runs by itself: `sum[i: n](..)`"),
        ("factorial", "write `gamma(n + 1)`"),
        ("binom binomial choose comb", "write `gamma(n + 1)/(gamma(k + 1)*gamma(n - k + 1))`"),
        ("int integrate quad", "write `integral[x: a..b](f)`"),
        ("expectation expected_value", "write `E[x ~ p](f)`"),
        ("kl_div kl_divergence dkl", "write `KL(q || p)`"),
        ("log_prob logpdf logprob loglik log_likelihood evidence", "write `log p(x)`"),
        ("js_div jsd jensen_shannon", "write `JS(p, q)`"),
        ("tvd total_variation", "write `tv(p, q)`"),
        ("w2 W2 wasserstein", "write `wasserstein2(p, q)`, which is the square"),
        ("chi_square chi_squared", "write `chi2(p || q)`"),
        ("mi MI info information", "write `mutual_information(p, x, z)`"),
        ("H ent", "write `entropy(p)`"),
        ("ce crossentropy", "write `cross_entropy(q, p)`"),
        ("mgf MGF moment_generating_function", "write `E[x ~ p](exp(t*x))`"),
        ("cgf cumulants", "write `log E[x ~ p](exp(t*x))`: the cumulants are its derivatives at 0"),
        ("cf characteristic_function", "write `E[x ~ p](cos(t*x))` and `E[x ~ p](sin(t*x))`, its real and imaginary part"),
        ("variance", "write `Var[x ~ p](x)`, or `var(x)` of data"),
        ("covariance", "write `Cov[x ~ p](x, y)`, or `Var[x ~ p](x)` of a vector"),
        ("cdf sf survival", "write `E[x ~ p](where(x <= t, 1, 0))`"),
        ("predictive posterior_predictive", "write `marginal(p, y)`, or `log p(y | x)` for its density"),
        ("map_estimate mode", "write `argmax(log p(x), x)`"),
        ("identity", "write `eye(n)`"),
        ("l2 norm2", "write `norm(x)`"),
        ("l1 norm1", "write `sum(abs(x))`"),
        ("arcsin", "write `asin(x)`"),
        ("arccos", "write `acos(x)`"),
        ("arctan", "write `atan(x)`"),
        ("array tensor vector", "write a list: `[a, b]`"),
    ]
    for word in words.split()
}

# what domains are called elsewhere
OTHER_DOMAINS = {
    word: domain
    for words, domain in [
        ("float double number scalar complex float32 float64 vector matrix tensor reals R", "real"),
        ("int int32 int64 long Z", "integer"),
        ("nat count counts N", "natural"),
        ("bool boolean bit", "binary"),
        ("prob probability unit_interval interval", "unit"),
        ("pos", "positive"),
        ("nonneg", "nonnegative"),
        ("category categorical class classes", "label"),
        ("probabilities stochastic", "simplex"),
        ("posdef pd covariance cov", "spd"),
        ("triangular tril chol cholesky", "lower"),
    ]
    for word in words.split()
}

KNOWN_DOMAINS = (
    "real positive nonnegative unit integer natural binary label onehot simplex symmetric spd psd diagonal orthogonal lower skew"
).split()

"""Laws made of laws: truncated to an interval, mixed, transformed by a function of the table.

Each is a density of one's own, and where it is a family of the table, that family.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from symgen.derivation.context import Context
from symgen.probability.families.texts import scalar_text
from symgen.probability.forms.collect import collected
from symgen.probability.forms.inversion import INSIDE, MAPS, NoInverse, inverse_of
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.terms import depends_on_any, normalised, with_value
from symgen.probability.laws.cut_counts import is_of_counts, truncated_counts
from symgen.probability.laws.densities import entry_log_density, parameters
from symgen.probability.laws.intervals import has_distribution_function, probability_below, slope_in
from symgen.probability.laws.law import LAW, LawError, formula_law, law_of_row, row_of, value_domain
from symgen.tensor.expression import (
    INF,
    MINUS_ONE,
    ONE,
    ZERO,
    Array,
    Entry,
    Operator,
    Scalar,
    Var,
    add,
    compare,
    delta,
    divide,
    entry,
    fn,
    fresh_index,
    logic,
    mul,
    neg,
    num,
    open_tensor,
    operator,
    sub,
    tensor,
    total,
    var,
    variables_of,
    where,
)  # fmt: skip
from symgen.tensor.facts import range_of

__all__ = [
    "IMAGES", "MAPS", "VECTORS", "image_of", "inner_of_images", "is_vector_image", "mixture", "named_formula", "parts_of",
    "transformed", "transformed_by", "truncated",
]  # fmt: skip


FAMILIES_OF_IMAGES: Mapping[tuple[str, str], tuple[str, tuple[str, ...]]] = {
    ("Normal", "exp"): ("LogNormal", ("mu", "sigma")),
    ("Normal", "sigmoid"): ("LogitNormal", ("mu", "sigma")),
    ("LogNormal", "log"): ("Normal", ("mu", "sigma")),
    ("Gamma", "log"): ("ExpGamma", ("a", "r")),
    ("Logistic", "exp"): ("LogLogistic", ("exp(mu)", "1/s")),
    ("LogLogistic", "log"): ("Logistic", ("log(alpha)", "1/beta")),
    ("Exponential", "log"): ("ExpGamma", ("1", "rate")),
    ("Exponential", "exp"): ("Pareto", ("1", "rate")),
    ("Exponential", "sqrt"): ("Rayleigh", ("(2*rate)^(-1/2)",)),
}
LOCATION_AND_SCALE: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Normal": (("mu",), ("sigma",)), "Laplace": (("mu",), ("b",)), "Logistic": (("mu",), ("s",)), "Gumbel": (("mu",), ("beta",)),
    "Cauchy": (("x0",), ("gamma",)), "StudentT": (("mu",), ("sigma",)), "Moyal": (("mu",), ("s",)), "Uniform": (("lo", "hi"), ()),
}  # fmt: skip
# the families of which the integral of the density between two ends is found
INTEGRATED = ("Exponential", "Gamma", "Chi2", "HalfNormal", "Rayleigh", "Maxwell", "Chi", "Nakagami", "GeneralizedGamma", "Beta")
IMAGES, VECTORS = "image", "vectors"
ARGUMENT = var("x", (), "real", "placeholder", uid=4)  # of a function of one's own
ENDS_OF_WORDS = ("real", "positive", "unit")
PARTS = "parts"
WIDER = {
    "unit": ("unit", "positive", "real"),
    "positive": ("positive", "real"),
    "real": ("real",),
    "binary": ("binary", "natural", "integer"),
    "natural": ("natural", "integer"),
    "integer": ("integer",),
}
MINUS_INF = mul(MINUS_ONE, INF)


def _log_density(law: Array, x: Scalar, batch: Sequence[Scalar] = ()) -> tuple[Scalar, list[Scalar]]:
    """log p(x), and the conditions for x to lie in the support beyond its domain."""
    row = row_of(law)
    own = _own_formula(law)
    if own is not None and not batch:
        place, body = own
        return with_value(body, place, lambda *_: x), []
    if row is None or not row.is_univariate or row.shapes or law.rank != len(batch):
        raise LawError("a law of one real number is needed here")
    ctx = Context()
    scope = parameters(law, ctx).scalars(batch)
    low, high = (scalar_text(t, scope) for t in (row.region.low, row.region.high))
    if row.region.kind == "integers":
        ends = [compare("<=", low, x)] + ([] if high is INF else [compare("<=", x, high)])
        return entry_log_density(law, x, batch, ctx), ends
    if row.region.kind != "interval":
        raise LawError("a law of one real number is needed here")
    parts = []
    if low is not MINUS_INF and not (low is ZERO and value_domain(law) in ("positive", "unit")):
        parts.append(compare("<", low, x))
    if high is not INF and not (high is ONE and value_domain(law) == "unit"):
        parts.append(compare("<", x, high))
    return entry_log_density(law, x, batch, ctx), parts


def _own_formula(law: Array) -> tuple[Var, Scalar] | None:
    """The placeholder and the logarithm of the density of a law of one number that is a formula of mass 1."""
    if not (isinstance(law, Operator) and law.name == "formula") or law.attrs[2] or len(law.attrs) < 5 or law.attrs[1].rank:
        return None
    return law.attrs[1], open_tensor(law.operands[0], ())


def _placeholder(word: str) -> Entry:
    made = var("x", (), word, "placeholder", uid=3)
    assert isinstance(made, Var)
    return _value_of(made)


def _value_of(x: Var) -> Entry:
    made = entry(x)
    assert isinstance(made, Entry)
    return made


def _named(density: Scalar, x: Entry) -> Array:
    """The density up to its normaliser as a law."""
    z = entry(var("Z", (), "positive", "normaliser", uid=3))
    assert isinstance(x.array, Var)
    return formula_law(x.array, tensor((), fn("log", divide(density, z))), "Z")


def is_normal(law: Array) -> bool:
    row = row_of(law)
    return row is not None and row.name == "Normal"


def truncated_normal(law: Array, low: Array, high: Array) -> Array:
    """A Normal law given that low < x < high, entry by entry; an end may be infinite."""
    assert isinstance(law, Operator)
    return law_of_row("TruncatedNormal", [*law.args[:2], low, high])


def truncated(law: Array, low: Scalar, high: Scalar) -> Array:
    """The law given that low < x < high."""
    if is_normal(law):
        return truncated_normal(law, tensor((), low), tensor((), high))
    if is_of_counts(law):
        return truncated_counts(law, low, high)
    apart = _truncated_parts(law, low, high) or _truncated_image(law, low, high)
    if apart is not None:
        return apart
    x = _placeholder(value_domain(law))
    counted = value_domain(law) in ("natural", "integer", "binary")
    log_p, parts = _log_density(law, x)
    if counted:
        parts += [compare("<=", low, x), *([] if high is INF else [compare("<=", x, high)])]
        return _named(where(logic("and", *parts), fn("exp", log_p), ZERO), x)
    if low is not MINUS_INF and not (low is ZERO and x.array.domain in ("positive", "unit")):  # type: ignore[union-attr]
        parts.append(compare("<", low, x))
    if high is not INF:
        parts.append(compare("<", x, high))
    density = where(logic("and", *parts), fn("exp", log_p), ZERO)
    mass = _mass_between(law, low, high)
    if mass is None:
        return _named(density, x)
    assert isinstance(x.array, Var)
    return formula_law(x.array, tensor((), fn("log", divide(density, mass))), "", "", True)


def _truncated_parts(law: Array, low: Scalar, high: Scalar) -> Array | None:
    """Of a mixture, the mixture of its parts cut off: their weights by the mass that each has between the ends."""
    parts = parts_of(law)
    if not isinstance(parts, list) or any(value_domain(one) not in ENDS_OF_WORDS for _, one in parts):
        return None
    masses = [_probability_between(one, low, high) for _, one in parts]
    if any(m is None for m in masses):
        return None
    shares = [mul(w, m) for (w, _), m in zip(parts, masses, strict=True) if m is not None]
    new = [divide(share, add(*shares)) for share in shares]
    k = fresh_index(num(len(new)))
    weights = tensor((), new[0]) if len(new) == 2 else tensor([k], add(*(mul(delta(k, num(j)), w) for j, w in enumerate(new))))
    cut = [_divided(one, low, high, m) for (_, one), m in zip(parts, masses, strict=True) if m is not None]
    x = _placeholder(value_domain(law))
    log_p, ends = _log_density(law, x)
    ends += [] if low is MINUS_INF else [compare("<", low, x)]
    ends += [] if high is INF else [compare("<", x, high)]
    assert isinstance(x.array, Var)
    density = divide(where(logic("and", *ends), fn("exp", log_p), ZERO), add(*shares))
    plain = formula_law(x.array, tensor((), fn("log", density)), "", "", True)
    assert isinstance(plain, Operator)
    return operator("formula", (*plain.args, weights, *cut), (), (*plain.attrs, (PARTS,)))


def _truncated_image(law: Array, low: Scalar, high: Scalar) -> Array | None:
    """f(x) between two ends is f of x between theirs, f increasing."""
    made = MAPS.get(law.attrs[5][1]) if image_of(law) is not None and isinstance(law, Operator) else None
    if made is None or not isinstance(law, Operator):
        return None
    know = Knowledge(Context())
    ends = []
    for end, least in ((low, MINUS_INF if made.image == "real" else ZERO), (high, ONE if made.image == "unit" else INF)):
        if end is least or (end is MINUS_INF and least is ZERO) or (end is INF and least is ONE):
            ends.append(INF if end is high else ZERO if made.domain == "positive" else MINUS_INF)
        elif made.image != "real" and (
            know.positive(end) is not True or (least is ONE and know.positive(sub(ONE, end)) is not True)
        ):
            return None
        else:
            ends.append(scalar_text(made.inverse, {"y": end}))
    inner = law.operands[1]
    assert isinstance(inner, Array)
    mass = _probability_between(inner, ends[0], ends[1])
    cut = truncated(inner, ends[0], ends[1]) if mass is None else _divided(inner, ends[0], ends[1], mass)
    return None if isinstance(cut, Operator) and cut.name == "formula" and cut.attrs[2] else transformed(cut, law.attrs[5][1])


def _divided(law: Array, low: Scalar, high: Scalar, mass: Scalar) -> Array:
    """The law between two ends, of which the mass is known."""
    if is_normal(law):
        return truncated_normal(law, tensor((), low), tensor((), high))
    x = _placeholder(value_domain(law))
    log_p, parts = _log_density(law, x)
    parts += [] if low is MINUS_INF else [compare("<", low, x)]
    parts += [] if high is INF else [compare("<", x, high)]
    assert isinstance(x.array, Var)
    density = divide(where(logic("and", *parts), fn("exp", log_p), ZERO), mass)
    return formula_law(x.array, tensor((), fn("log", density)), "", "", True)


def _probability_between(law: Array, low: Scalar, high: Scalar) -> Scalar | None:
    """P(low < x < high) by the distribution function, also of what is mixed; None where that is not known."""
    parts = parts_of(law)
    if isinstance(parts, list):
        found = [_probability_between(one, low, high) for _, one in parts]
        known = [mul(w, m) for (w, _), m in zip(parts, found, strict=True) if m is not None]
        return add(*known) if len(known) == len(parts) else None
    row = row_of(law)
    if row is None or row.region.kind != "interval" or row.shapes or law.shape:
        return None
    know = Knowledge(Context())
    one = parameters(law, Context()).univariate((), know)
    if not has_distribution_function(one):
        return None
    below = ZERO if low is MINUS_INF else probability_below(one, low, know)
    return sub(ONE if high is INF else probability_below(one, high, know), below)


def _mass_between(law: Array, low: Scalar, high: Scalar) -> Scalar | None:
    """P(low < x < high) by the distribution function, of families whose density is not integrated between two ends."""
    row = row_of(law)
    return None if row is None or row.name in INTEGRATED else _probability_between(law, low, high)


def mixture(weights: Array, laws: Sequence[Array]) -> Array:
    """sum of weights[k] p_k(x); of two laws the weight of the first; of one law over [k] all its entries."""
    words = [value_domain(law) for law in laws]
    if any(w not in WIDER for w in words):
        raise LawError("a law of one real number is needed here")
    word = next((w for w in WIDER[words[0]] if all(w in WIDER[other] for other in words)), None)
    if word is None:
        raise LawError("counts are not mixed with real numbers")
    x = _placeholder(word)

    def density(law: Array, batch: Sequence[Scalar] = ()) -> Scalar:
        log_p, parts = _log_density(law, x, batch)
        mine = value_domain(law)
        if mine != word and mine in ("positive", "unit"):
            parts.append(compare("<", ZERO, x))
        if mine == "natural" and word == "integer":
            parts.append(compare("<=", ZERO, x))
        if mine != word and mine == "unit":
            parts.append(compare("<", x, ONE))
        return where(logic("and", *parts), fn("exp", log_p), ZERO)

    assert isinstance(x.array, Var)
    if len(laws) == 1 and laws[0].rank == 1 and weights.rank == 1:
        k = fresh_index(laws[0].shape[0])
        body = total(mul(entry(weights, k), density(laws[0], (k,))), [k])
    elif len(laws) == 2 and not weights.rank:
        w = entry(weights)
        shares = [w, sub(ONE, w)]
        body = add(*(mul(share, density(law)) for share, law in zip(shares, laws, strict=True)))
    elif weights.rank == 1 and weights.shape[0] is num(len(laws)) and not any(law.rank for law in laws):
        shares = [entry(weights, num(k)) for k in range(len(laws))]
        body = add(*(mul(share, density(law)) for share, law in zip(shares, laws, strict=True)))
    else:
        raise LawError("a `Mixture` takes a weight and two laws, a weight for each law, or weights and one law over the same axis",
                       help="`Mixture(w, Normal(m, s), Normal(n, t))`, `Mixture([a, b, c], P, Q, R)`,"
                       " `Mixture(pi, Normal(mu, s))`")  # fmt: skip
    plain = formula_law(x.array, tensor((), fn("log", body)), "", "", True)
    assert isinstance(plain, Operator)
    whole = weights if weights.rank else tensor((), entry(weights))
    return operator("formula", (*plain.args, whole, *laws), (), (*plain.attrs, (PARTS,)))


def parts_of(law: Array) -> list[tuple[Scalar, Array]] | tuple[Array, Array] | None:
    """What a `Mixture` was made of: (weight, law) of each, or the weights and one law over their axis."""
    if not (isinstance(law, Operator) and law.name == "formula" and law.attrs[5:] == ((PARTS,),)):
        return None
    weights, *laws = law.operands[1:]
    if len(laws) == 1:
        return weights, laws[0]
    if not weights.rank:
        w = entry(weights)
        return [(w, laws[0]), (sub(ONE, w), laws[1])]
    return [(entry(weights, num(k)), one) for k, one in enumerate(laws)]


def is_vector_image(law: Array) -> bool:
    return isinstance(law, Operator) and law.name == "formula" and law.attrs[5:] == ((IMAGES, VECTORS),)


def image_of(law: Array) -> tuple[Callable[[Scalar], Scalar], Array] | None:
    """The function and the law of which this is the image, where it is none of the table."""
    if not (isinstance(law, Operator) and law.name == "formula" and law.attrs[5:] and law.attrs[5][0] == IMAGES):
        return None
    if is_vector_image(law):
        return None
    inner = law.operands[1]
    assert isinstance(inner, Array)
    if len(law.args) == 2:
        return partial(fn, law.attrs[5][1]), inner
    body = law.operands[2]
    return lambda s: with_value(open_tensor(body, ()), ARGUMENT, lambda *_: s), inner


def transformed_by(law: Array, f: Callable[[Array], Scalar]) -> Array:
    """The law of f(x) for a function of one's own that has an inverse: p(x(y)) |dx/dy|; of an even one, that of f(|x|)."""
    x = var(ARGUMENT.name, (), value_domain(law) if value_domain(law) in ENDS_OF_WORDS else "real", "placeholder", uid=ARGUMENT.uid)
    body = f(x)
    if x not in variables_of(body):
        raise LawError("a function that does not hang on its argument has no inverse")
    r = range_of(body)
    word = "real" if not r.positive else "unit" if r.high is not None and r.high <= 1 else "positive"
    y = _placeholder(word)
    assert isinstance(y.array, Var)
    know = Knowledge(Context())
    shifted = _shifted_and_scaled(law, body, x, know)
    if shifted is not None:
        return shifted
    if _is_above_zero(law):
        know.assume_positive(entry(x))
    try:
        found = inverse_of(body, x, y, know)
    except NoInverse as why:
        if not law.shape and value_domain(law) == "real" and _is_even(body, x):
            return transformed_by(transformed(law, "abs"), f)  # f(x) is f(|x|), which has one if f has on the positive side
        raise LawError(f"this function has no inverse here: {why}") from None
    log_p, parts = _log_density(law, found.value)
    if word != "real":
        know.assume_positive(y)
    density = normalised(add(log_p, found.log_slope), depends_on_any(frozenset((y.array,))), know)
    parts = [*found.conditions, *parts]
    if parts:
        density = fn("log", where(logic("and", *parts), fn("exp", density), ZERO))
    plain = formula_law(y.array, tensor((), density), "", "", True)
    assert isinstance(plain, Operator)
    whole = tensor((), with_value(body, x, lambda *_: entry(ARGUMENT)))
    return operator("formula", (*plain.args, law, whole), (), (*plain.attrs, (IMAGES, "")))


def _is_even(body: Scalar, x: Var) -> bool:
    turned = with_value(body, x, lambda *_: neg(entry(x)))
    return collected(sub(turned, body)) is ZERO


def transformed(law: Array, name: str) -> Array:
    """The law of f(x): p(f^-1(y)) |d f^-1/dy|; of |x| the sum over both signs."""
    row = row_of(law)
    if name == "abs" and value_domain(law) in ("positive", "unit") and not law.rank:
        return law
    if name == "abs":
        y = _placeholder("positive")
        sides = [where(logic("and", *parts), fn("exp", log_p), ZERO)
                 for log_p, parts in (_log_density(law, s) for s in (y, neg(y)))]  # fmt: skip
        assert isinstance(y.array, Var)
        return formula_law(y.array, tensor((), fn("log", add(*sides))), "", "", True)
    made = MAPS.get(name)
    if made is None and name in INSIDE:
        return transformed_by(law, lambda x: fn(name, entry(x)))
    if made is None:
        known = ", ".join(f"`{n}`" for n in (*INSIDE, "abs"))
        raise LawError(f"`{name}` has no inverse here", help=f"`Transformed` takes {known}")
    y = _placeholder(made.image)
    assert isinstance(y.array, Var)
    if made.domain == "positive" and value_domain(law) not in ("positive", "unit") and not _is_above_zero(law):
        raise LawError(f"`{name}` is of what is positive, and a draw of this law need not be")
    family = FAMILIES_OF_IMAGES.get((row.name if row is not None else "", name))
    if family is not None and row is not None:
        scope = parameters(law, Context()).scalars(())
        return law_of_row(family[0], [tensor((), scalar_text(t, scope)) for t in family[1]])
    log_p, parts = _log_density(law, scalar_text(made.inverse, {"y": y}))
    know = Knowledge(Context())
    if made.image != "real":
        know.assume_positive(y)
    body = normalised(add(log_p, scalar_text(made.log_slope, {"y": y})), depends_on_any(frozenset((y.array,))), know)
    density = fn("log", where(logic("and", *parts), fn("exp", body), ZERO)) if parts else body
    plain = formula_law(y.array, tensor((), density), "", "", True)
    assert isinstance(plain, Operator)
    return operator("formula", (*plain.args, law), (), (*plain.attrs, (IMAGES, name)))


def _shifted_and_scaled(law: Array, body: Scalar, x: Var, know: Knowledge) -> Array | None:
    """The law of a + b x, b > 0, of a family of locations and scales."""
    row, line = row_of(law), slope_in(body, _value_of(x))
    if row is None or row.name not in LOCATION_AND_SCALE or law.shape or line is None or know.positive(line[0]) is not True:
        return None
    slope, intercept = line
    if depends_on_any(frozenset((x,)))(slope) or depends_on_any(frozenset((x,)))(intercept):
        return None
    locations, scales = LOCATION_AND_SCALE[row.name]
    scope = parameters(law, Context()).scalars(())
    moved = [
        add(intercept, mul(slope, scope[n])) if n in locations else mul(slope, scope[n]) if n in scales else scope[n]
        for n in row.parameters
    ]
    return law_of_row(row.name, [tensor((), p) for p in moved])


def _is_above_zero(law: Array) -> bool:
    """Whether the draws of a law on an interval are positive, but for its end."""
    row = row_of(law)
    if row is None or not row.is_univariate or row.shapes or law.shape or row.region.kind != "interval":
        return False
    low = scalar_text(row.region.low, parameters(law, Context()).scalars(()))
    return low is not MINUS_INF and Knowledge(Context()).nonnegative(low) is True


def named_formula(law: Array, name: str) -> Array:
    """A density of one's own under a name: that of the dist, or its text where it stands in place."""
    if not isinstance(law, Operator) or law.name != "formula":
        return law
    return operator(law.name, law.args, law.shape, (*law.attrs[:3], name, *law.attrs[4:]))


def inner_of_images(p: Array, q: Array) -> tuple[Array, Array] | None:
    """The laws of which two laws are images under one injective function."""
    if not (isinstance(p, Operator) and isinstance(q, Operator)) or p.name != q.name:
        return None
    row = row_of(p)
    if row is not None and row.inner:
        first, second = (operator(row.inner, law.args, law.args[0].shape, (LAW,)) for law in (p, q))
        return first, second
    if p.name != "formula":
        return None
    if len(p.args) < 2 or not p.attrs[5:] or p.attrs[5:] != q.attrs[5:] or p.attrs[5][0] != IMAGES or p.args[2:] != q.args[2:]:
        return None
    first, second = p.args[1], q.args[1]
    assert isinstance(first, Array) and isinstance(second, Array)
    return first, second

"""The laws that a mixture is made of, read off its density: a sum of densities of the table, each with its weight."""

from __future__ import annotations

from symgen.algebra.rational import simplify_scalar
from symgen.derivation.context import Context
from symgen.probability.families.distribution import Distribution
from symgen.probability.forms.knowledge import Knowledge
from symgen.probability.forms.special import simplified
from symgen.probability.forms.terms import factors_of, terms_of
from symgen.probability.forms.walks import bottom_up
from symgen.probability.laws.elimination import opened_in
from symgen.probability.laws.law import LAW
from symgen.probability.means.conjugate import families_on, kernel_of, log_partition, recognised
from symgen.tensor.expression import (
    HALF,
    ZERO,
    Add,
    Array,
    Entry,
    Fn,
    Num,
    Operation,
    Operator,
    Pow,
    Scalar,
    Sum,
    Tensor,
    Var,
    add,
    fn,
    fresh_index,
    mul,
    open_sum,
    open_tensor,
    operator,
    power,
    tensor,
    variables_of,
)  # fmt: skip

__all__ = ["components_of", "laws_apart", "with_logs_of_powers"]


def components_of(law: Array, ctx: Context) -> tuple[Array, Array] | None:
    """The weights and the components, one law over k, of a density that is a logsumexp of densities of one family."""
    if not isinstance(law, Operator) or law.name != "formula":
        return None
    z, log_density = law.attrs[1], law.args[0]
    assert isinstance(log_density, Array)
    outside, inside = ZERO, None
    for t in terms_of(opened_in(open_tensor(log_density, ()), z)):
        if z not in variables_of(t):
            outside = add(outside, t)
        elif isinstance(t, Entry) and isinstance(t.array, Operation) and t.array.name == "logsumexp" and inside is None:
            inside = t.array.args[0]
        elif isinstance(t, Fn) and t.name == "log" and isinstance(t.args[0], Sum) and inside is None:
            term, indices = open_sum(t.args[0])
            inside = tensor(indices, log_of_term(term))
        else:
            return None
    if not isinstance(inside, Tensor) or inside.rank != 1:
        return None
    k = fresh_index(inside.shape[0])
    found = _family_of(open_tensor(inside, (k,)), z, ctx)
    if found is None:
        return None
    mass, row, parameters = found
    many = operator(row.name, [tensor([k], parameters[n]) for n in row.parameters], (k.size,), (LAW,))
    return tensor([k], _weight(add(mass, outside), ctx)), many


def laws_apart(law: Array, ctx: Context) -> list[tuple[Scalar, Array]] | None:
    """(weight, law) of each term of a density that is a sum of a few, of whatever families."""
    if not isinstance(law, Operator) or law.name != "formula" or len(law.attrs) < 5:
        return None
    z, body = law.attrs[1], open_tensor(law.operands[0], ())
    if not (isinstance(body, Fn) and body.name == "log" and isinstance(body.args[0], Add)):
        return None
    out: list[tuple[Scalar, Array]] = []
    for t in body.args[0].args:
        found = _family_of(log_of_term(t), z, ctx) if z in variables_of(t) else None
        if found is None:
            return None
        mass, row, parameters = found
        one = operator(row.name, [tensor((), parameters[n]) for n in row.parameters], (), (LAW,))
        out.append((_weight(mass, ctx), one))
    return out


def log_of_term(x: Scalar) -> Scalar:
    """log of a product, the exponents of exponentials and the logarithms of the rest added."""
    return add(*(f.args[0] if isinstance(f, Fn) and f.name == "exp" else fn("log", f) for f in factors_of(x)))


def _family_of(x: Scalar, z: Var, ctx: Context) -> tuple[Scalar, Distribution, dict[str, Scalar]] | None:
    """(logarithm of the mass, family, parameters) of exp(x) as a density of z up to its mass."""
    know = ctx.quiet()
    for row in families_on(z.domain):
        kernel = kernel_of(x, z, row, know)
        match = recognised(kernel, z, [row], know) if kernel is not None else None
        scale = log_partition(row, match.parameters, know) if match is not None else None
        if kernel is not None and match is not None and scale is not None:
            return add(kernel.constant, scale), row, {n: simplify_scalar(x, ctx.facts) for n, x in match.parameters.items()}
    return None


def _weight(mass: Scalar, ctx: Context) -> Scalar:
    return simplified(fn("exp", with_logs_of_powers(mass, ctx.quiet())))


def with_logs_of_powers(x: Scalar, ctx: Context) -> Scalar:
    """log(y^c) as c log y, for y > 0 and a number c, and for a root; sqrt(y)^2 as y."""
    know = Knowledge(ctx)

    def rule(n: Scalar) -> Scalar:
        if isinstance(n, Fn) and n.name == "log" and isinstance(n.args[0], Fn) and n.args[0].name == "sqrt":
            return mul(HALF, fn("log", n.args[0].args[0]))
        if isinstance(n, Pow) and isinstance(n.base, Fn) and n.base.name == "sqrt" and isinstance(n.exponent, Num):
            return power(n.base.args[0], mul(HALF, n.exponent))
        if not (isinstance(n, Fn) and n.name == "log" and isinstance(n.args[0], Pow)):
            return n
        base, c = n.args[0].base, n.args[0].exponent
        return mul(c, fn("log", base)) if isinstance(c, Num) and know.positive(base) else n

    return bottom_up(x, rule)

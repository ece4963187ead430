"""The Fisher information of families ▣ whose score is no polynomial in moments: entries by the parameters they belong to,
names in alphabetical order. What is claimed is checked against the mean outer product of the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symgen.derivation.context import Context
from symgen.probability.divergences.divergence import ExpectationStays, rank_zero
from symgen.probability.families.texts import scalar_text
from symgen.probability.laws.densities import parameters
from symgen.probability.laws.joint import DistRef
from symgen.probability.laws.law import parameters_of, row_of
from symgen.tensor.expression import Array, Operator, add, delta, fresh_index, mul, num, tensor, walk

__all__ = ["INFORMATION", "settled_fisher"]

INFORMATION: Mapping[str, Mapping[str, str]] = {
    "AsymmetricLaplace": {
        "m": "lam^2",
        "lam": "1/lam^2",
        "kappa": "1/kappa^2 + 4/(1 + kappa^2)^2",
        "kappa m": "-2*lam/(1 + kappa^2)",
        "lam m": "0",
        "kappa lam": "(1 - kappa^2)/(lam*kappa*(1 + kappa^2))",
    },
    "Cauchy": {"x0": "1/(2*gamma^2)", "gamma": "1/(2*gamma^2)", "gamma x0": "0"},
    "FisherSnedecor": {
        "dn": "(trigamma(dn/2) - trigamma((dn + dd)/2))/4 + dd/(2*dn*(dn + dd + 2)) - dd/(dn*(dn + dd))",
        "dd": "(trigamma(dd/2) - trigamma((dn + dd)/2))/4 + dn/(2*dd*(dn + dd + 2)) - dn/(dd*(dn + dd))",
        "dd dn": "1/(dn + dd) - 1/(2*(dn + dd + 2)) - trigamma((dn + dd)/2)/4",
    },
    "GeneralizedNormal": {
        "mu": "where(1/2 < beta, beta^2*gamma(2 - 1/beta)/(alpha^2*gamma(1/beta)), inf)",
        "alpha": "beta/alpha^2",
        "beta": "1/beta^2 + trigamma(1/beta)/beta^4 + 2*digamma(1/beta)/beta^3"
        " + (trigamma(1 + 1/beta) + digamma(1 + 1/beta)^2)/beta^3",
        "alpha beta": "-(1 + digamma(1 + 1/beta))/(alpha*beta)",
        "alpha mu": "0",
        "beta mu": "0",
    },
    "HalfCauchy": {"gamma": "1/(2*gamma^2)"},
    "Kumaraswamy": {
        "a": "(1 + where(b == 2, -2*polygamma(2, 2), b/(b - 2)*((digamma(b) - digamma(2))^2 + trigamma(2) - trigamma(b))))/a^2",
        "b": "1/b^2",
        "a b": "where(b == 1, -trigamma(2)/a, (digamma(2) - digamma(b + 1))/(a*(b - 1)))",
    },
    "Laplace": {"mu": "1/b^2", "b": "1/b^2", "b mu": "0"},
    "Logistic": {"mu": "1/(3*s^2)", "s": "(3 + pi^2)/(9*s^2)", "mu s": "0"},
    "LogLogistic": {"alpha": "beta^2/(3*alpha^2)", "beta": "(3 + pi^2)/(9*beta^2)", "alpha beta": "0"},
    "LogitNormal": {"mu": "1/sigma^2", "sigma": "2/sigma^2", "mu sigma": "0"},
    "StudentT": {
        "mu": "(nu + 1)/((nu + 3)*sigma^2)",
        "sigma": "2*nu/((nu + 3)*sigma^2)",
        "nu": "(trigamma(nu/2) - trigamma((nu + 1)/2))/4 - (nu + 5)/(2*nu*(nu + 1)*(nu + 3))",
        "nu sigma": "-2/(sigma*(nu + 1)*(nu + 3))",
        "mu nu": "0",
        "mu sigma": "0",
    },
    "MultivariateT": {
        "mu": "(nu + d)/(nu + d + 2)*inv(Sigma)",
        "nu": "(trigamma(nu/2) - trigamma((nu + d)/2))/4 - d*(nu + d + 4)/(2*nu*(nu + d)*(nu + d + 2))",
    },
    "Lomax": {"alpha": "1/alpha^2", "lam": "alpha/((alpha + 2)*lam^2)", "alpha lam": "-1/((alpha + 1)*lam)"},
}


def settled_fisher(result: Array, p: DistRef, thetas: Sequence[Array], ctx: Context) -> Array:
    """Where a mean stays in it: the information of a family at its own parameters, by its lemma."""
    law = p.joint.factors[0].law
    row = row_of(law)
    if len(p.joint.factors) != 1 or row is None or law.rank != row.own_rank or row.name not in INFORMATION:
        return result
    if not any(isinstance(n, Operator) and n.name == "E" for n in walk(result)):
        return result
    places = {a: n for n, a in parameters_of(law).items()}
    names = [places.get(t, "") for t in thetas]
    texts = [[INFORMATION[row.name].get(" ".join(sorted({a, b})), "") for b in names] for a in names]
    if not all(all(line) for line in texts):
        return result
    quiet = ctx.quiet()
    if row.event:
        if len(names) > 1:
            return result
        made = parameters(law, quiet).value(texts[0][0], ()).array()
        return _told(made, result, row.name, ctx)
    scope = parameters(law, quiet).scalars(())
    values = [[scalar_text(t, scope) for t in line] for line in texts]
    if len(names) == 1:
        made = rank_zero(values[0][0])
    else:
        i, j = fresh_index(num(len(names))), fresh_index(num(len(names)))
        terms = [mul(delta(i, num(a)), delta(j, num(b)), v) for a, line in enumerate(values) for b, v in enumerate(line)]
        made = tensor([i, j], add(*terms))
    return _told(made, result, row.name, ctx)


def _told(made: Array, result: Array, name: str, ctx: Context) -> Array:
    ctx.trace.checks[:] = [c for c in ctx.trace.checks if not isinstance(c, ExpectationStays)]
    ctx.trace.notes[:] = [n for n in ctx.trace.notes if not n.startswith("a mean stays")]
    reason = f"the mean squares and products of the score of a {name}"
    ctx.trace.add("lemma", result, made, reason=reason, source="Lehmann & Casella (1998), 2.5")
    return made

"""The integral of p^alpha q^(1 - alpha) within a family ▣: where no density of the table is the product of the powers."""

from __future__ import annotations

from symgen.probability.families.lemma import PowerLemma

GIL = "Gil, Alajaji & Linder (2013), table 2"
_MIXED = "alpha*logdet(Sigma2)/2 + (1 - alpha)*logdet(Sigma1)/2 - alpha*(1 - alpha)/2*(mu1 - mu2) @ inv(M) @ (mu1 - mu2)"
_WISHART = "sum[j: p](lgamma((nu - j)/2) - alpha*lgamma((nu1 - j)/2) - (1 - alpha)*lgamma((nu2 - j)/2))"
_LAPLACE = "log(b1*b2*(exp(-A*D) + exp(-B*D))/(alpha*b2 + (1 - alpha)*b1) {}) - alpha*log(2*b1) - (1 - alpha)*log(2*b2)"
_DIRECTIONS = "((d/2 - 1)*log({k}) - log(besseli(d/2 - 1, {k})))"

_ASYMMETRIC = (
    "log(exp(-P*D)/where(m1 < m2, A, B) + exp(-Q*D)/where(m1 < m2, B, A) {})"
    " + alpha*log(lam1/(kappa1 + 1/kappa1)) + (1 - alpha)*log(lam2/(kappa2 + 1/kappa2))"
)

POWER_INTEGRALS = {
    "MvNormal": PowerLemma(
        f"{_MIXED} - logdet(M)/2", lets={"M": "alpha*Sigma2 + (1 - alpha)*Sigma1"}, when="0 < min(eigvals(M))", source=GIL,
    ),
    "MatrixNormal": PowerLemma(
        "(alpha*(n*logdet(V2) + p*logdet(U2)) + (1 - alpha)*(n*logdet(V1) + p*logdet(U1)) - logdet(S))/2"
        " - alpha*(1 - alpha)/2*vec(M1 - M2) @ inv(S) @ vec(M1 - M2)",
        lets={"S": "alpha*kron(V2, U2) + (1 - alpha)*kron(V1, U1)"}, when="0 < min(eigvals(S))", source=GIL,
    ),
    "MarkovChain": PowerLemma(
        "log(sum((p01^alpha*p02^(1 - alpha)) @ matpow(P1^alpha*P2^(1 - alpha), T - 1)))", equal=("T",),
        source="Thierrin, Alajaji & Linder (2022): a Markov source has the powers of one matrix",
    ),
    "Laplace": PowerLemma(
        f"{_LAPLACE.format('- exp(-min(A, B)*D)*expm1(-abs(A - B)*D)/abs(A - B)')}",
        degenerate=("alpha*b2 == (1 - alpha)*b1", _LAPLACE.format("+ D*exp(-A*D)")),
        smooth=("D*max(abs(A), abs(B)) < 2", _LAPLACE.format("+ D*sum(W*exp(-D*(A*S + B*(1 - S))))")),
        lets={"A": "alpha/b1", "B": "(1 - alpha)/b2", "D": "abs(mu1 - mu2)"}, when="0 < alpha*b2 + (1 - alpha)*b1",
        source=GIL,
    ),
    "Pareto": PowerLemma(
        "alpha*(log(alpha1) + alpha1*log(xm1)) + (1 - alpha)*(log(alpha2) + alpha2*log(xm2))"
        " - log(A) - A*log(max(xm1, xm2))",
        lets={"A": "alpha*alpha1 + (1 - alpha)*alpha2"}, when="0 < alpha*alpha1 + (1 - alpha)*alpha2",
        on_any_support=True, source=GIL,
    ),
    "TruncatedExponential": PowerLemma(
        "alpha*(log(rate1) + rate1*a1 - log(1 - exp(-rate1*(b1 - a1))))"
        " + (1 - alpha)*(log(rate2) + rate2*a2 - log(1 - exp(-rate2*(b2 - a2))))"
        " + where(L < H, log((exp(-R*L) - exp(-R*H))/R), -inf)",
        degenerate=("alpha*rate1 + (1 - alpha)*rate2 == 0",
                    "alpha*(log(rate1) + rate1*a1 - log(1 - exp(-rate1*(b1 - a1))))"
                    " + (1 - alpha)*(log(rate2) + rate2*a2 - log(1 - exp(-rate2*(b2 - a2)))) + where(L < H, log(H - L), -inf)"),
        lets={"R": "alpha*rate1 + (1 - alpha)*rate2", "L": "max(a1, a2)", "H": "min(b1, b2)"}, on_any_support=True,
        source=GIL,
    ),
    "Cauchy": PowerLemma(
        "log(hyp2f1(alpha, 1 - alpha, 1, -((x01 - x02)^2 + (gamma1 - gamma2)^2)/(4*gamma1*gamma2)))",
        source="Nielsen & Okamura (2022): Laplace's integral of a Legendre function, DLMF (2024), 14.12.7",
    ),
    "HalfCauchy": PowerLemma(
        "log(hyp2f1(alpha, 1 - alpha, 1, -(gamma1 - gamma2)^2/(4*gamma1*gamma2)))",
        source="Nielsen & Okamura (2022): Laplace's integral of a Legendre function, DLMF (2024), 14.12.7",
    ),
    "AsymmetricLaplace": PowerLemma(
        _ASYMMETRIC.format("+ exp(-min(P, Q)*D)*(-expm1(-abs(P - Q)*D))/abs(P - Q)"),
        degenerate=("m1 < m2 and alpha*lam1*kappa1 == (1 - alpha)*lam2/kappa2"
                    " or m2 <= m1 and alpha*lam1/kappa1 == (1 - alpha)*lam2*kappa2",
                    _ASYMMETRIC.format("+ D*exp(-P*D)")),
        smooth=("D*max(abs(P), abs(Q)) < 2", _ASYMMETRIC.format("+ D*sum(W*exp(-D*(P*S + Q*(1 - S))))")),
        lets={
            "A": "alpha*lam1*kappa1 + (1 - alpha)*lam2*kappa2", "B": "alpha*lam1/kappa1 + (1 - alpha)*lam2/kappa2",
            "P": "where(m1 < m2, alpha*lam1*kappa1, alpha*lam1/kappa1)",
            "Q": "where(m1 < m2, (1 - alpha)*lam2/kappa2, (1 - alpha)*lam2*kappa2)", "D": "abs(m1 - m2)",
        },
        when="0 < alpha*lam1*kappa1 + (1 - alpha)*lam2*kappa2 and 0 < alpha*lam1/kappa1 + (1 - alpha)*lam2/kappa2",
        source="the integrals of exponentials left of, between and right of the two modes",
    ),
    "Binomial": PowerLemma(
        "n1*log(p1^alpha*p2^(1 - alpha) + (1 - p1)^alpha*(1 - p2)^(1 - alpha))", equal=("n",), source="Nielsen & Nock (2011)"
    ),
    "Multinomial": PowerLemma("n1*log(sum(p1^alpha*p2^(1 - alpha)))", equal=("n",), source="Nielsen & Nock (2011)"),
    "VonMisesFisher": PowerLemma(
        f"alpha*{_DIRECTIONS.format(k='kappa1')} + (1 - alpha)*{_DIRECTIONS.format(k='kappa2')} - {_DIRECTIONS.format(k='K')}",
        lets={"K": "norm(alpha*kappa1*mu1 + (1 - alpha)*kappa2*mu2)"}, source="Nielsen & Nock (2011)",
    ),
    "VonMises": PowerLemma(
        "log(besseli(0, K)) - alpha*log(besseli(0, kappa1)) - (1 - alpha)*log(besseli(0, kappa2))",
        lets={"K": "sqrt((alpha*kappa1 + (1 - alpha)*kappa2)^2"
              " - 4*alpha*(1 - alpha)*kappa1*kappa2*sin((mu1 - mu2)/2)^2)"},
        source="Nielsen & Nock (2011)",
    ),
    "Wishart": PowerLemma(
        f"{_WISHART} - (nu*logdet(Q) + alpha*nu1*logdet(V1) + (1 - alpha)*nu2*logdet(V2))/2",
        lets={"nu": "alpha*nu1 + (1 - alpha)*nu2", "Q": "alpha*inv(V1) + (1 - alpha)*inv(V2)"},
        when="p - 1 < alpha*nu1 + (1 - alpha)*nu2 and 0 < min(eigvals(Q))", source="Nielsen & Nock (2011)",
    ),
    "InverseWishart": PowerLemma(
        f"{_WISHART} - (nu*logdet(Q) - alpha*nu1*logdet(Psi1) - (1 - alpha)*nu2*logdet(Psi2))/2",
        lets={"nu": "alpha*nu1 + (1 - alpha)*nu2", "Q": "alpha*Psi1 + (1 - alpha)*Psi2"},
        when="p - 1 < alpha*nu1 + (1 - alpha)*nu2 and 0 < min(eigvals(Q))", source="Nielsen & Nock (2011)",
    ),
}  # fmt: skip
POWER_INTEGRALS["MvLogNormal"] = POWER_INTEGRALS["MvNormal"]  # of log x, whose ratio of densities is the same

_NIELSEN = "Nielsen & Okamura (2022): every f-divergence of Cauchy laws is a function of their chi-square divergence"
_JS = "log(2*sqrt({apart} + (gamma1 + gamma2)^2)/(sqrt({apart} + (gamma1 + gamma2)^2) + 2*sqrt(gamma1*gamma2)))"
_TV = "2/pi*atan(sqrt({apart} + (gamma1 - gamma2)^2)/(2*sqrt(gamma1*gamma2)))"

# divergences of two laws of a family that are no power integrals: the operator, the family
WITHIN_FAMILY = {
    ("JS", "Cauchy"): (_JS.format(apart="(x01 - x02)^2"), _NIELSEN),
    ("JS", "HalfCauchy"): ("log(2*(gamma1 + gamma2)/(sqrt(gamma1) + sqrt(gamma2))^2)", _NIELSEN),
    ("tv", "Cauchy"): (_TV.format(apart="(x01 - x02)^2"), _NIELSEN),
    ("tv", "HalfCauchy"): ("2/pi*atan(abs(gamma1 - gamma2)/(2*sqrt(gamma1*gamma2)))", _NIELSEN),
}  # fmt: skip

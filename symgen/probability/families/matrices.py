"""Families of matrices ▣: one entry each, in symgen's own language. `x` is the value of a draw."""

from __future__ import annotations

from symgen.probability.families.distribution import Alternative, Distribution, Support

POSITIVE = "positive"


def scales(name: str) -> dict[str, Alternative]:
    """The ways to give the matrix of a Wishart or its inverse."""
    square = ("p", "p")
    return {
        "chol": Alternative(
            {"chol": "lower"}, {name: "chol @ chol'"}, {"chol": square}, {f"logdet({name})": "2*sum(log(diagonal(chol)))"}
        ),
        "precision": Alternative(
            {"precision": "spd"}, {name: "inv(precision)"}, {"precision": square},
            {f"inv({name})": "precision", f"logdet({name})": "-logdet(precision)"},
        ),
    }  # fmt: skip


ROWS = (
    Distribution(
        "MatrixNormal",
        parameters={"M": "real", "U": "spd", "V": "spd"},
        event=("n", "p"),
        shapes={"M": ("n", "p"), "U": ("n", "n"), "V": ("p", "p")},
        support=Support("matrices"),
        log_density="-tr(inv(V) @ (x - M)' @ inv(U) @ (x - M))/2 - n*p*log(2*pi)/2 - n*logdet(V)/2 - p*logdet(U)/2",
        known={"mean": "M", "covariance of entries": "U[i, k]*V[j, l]",
               "entropy": "n*p*log(2*pi*e)/2 + n*logdet(V)/2 + p*logdet(U)/2"},
        argument_names={"loc": "M"},
        noise="normal", transform="M + cholesky(U) @ eps @ cholesky(V)'",
        sampler="{M} + np.linalg.cholesky({U}) @ rng.standard_normal({shape}) @ np.linalg.cholesky({V}).T",
        latex=r"\mathcal{MN}",
        source="Gupta & Nagar (2000), 2.2",
    ),
    Distribution(
        "Wishart",
        parameters={"nu": POSITIVE, "V": "spd"},
        event=("p", "p"),
        shapes={"V": ("p", "p")},
        support=Support("spd"),
        log_density="(nu - p - 1)/2*logdet(x) - tr(inv(V) @ x)/2 - nu*p/2*log(2) - nu/2*logdet(V)"
        " - p*(p - 1)/4*log(pi) - sum[j: p](lgamma((nu - j)/2))",
        known={"mean": "nu*V", "covariance of entries": "nu*(V[i, k]*V[j, l] + V[i, l]*V[j, k])",
               "logdet": "sum[j: p](digamma((nu - j)/2)) + p*log(2) + logdet(V)", "inv": "inv(V)/(nu - p - 1)"},
        conditions={"inv": "nu > p + 1"},
        alternatives=scales("V"),
        argument_names={"scale_tril": "chol", "df": "nu", "scale": "V"},
        sampler="(lambda F: F @ np.swapaxes(F, -1, -2))(np.linalg.cholesky({V}) @ (np.tril(rng.standard_normal({shape}), -1)"
        " + np.eye({shape}[-1])*np.sqrt(rng.chisquare(np.asarray({nu})[..., None] - np.arange({shape}[-1]),"
        " {shape}[:-1]))[..., None, :]))",
        proper="p - 1 < nu",
        latex=r"\mathcal{W}",
        source="Bishop (2006), B.78",
    ),
    Distribution(
        "InverseWishart",
        parameters={"nu": POSITIVE, "Psi": "spd"},
        event=("p", "p"),
        shapes={"Psi": ("p", "p")},
        support=Support("spd"),
        log_density="-(nu + p + 1)/2*logdet(x) - tr(Psi @ inv(x))/2 - nu*p/2*log(2) + nu/2*logdet(Psi)"
        " - p*(p - 1)/4*log(pi) - sum[j: p](lgamma((nu - j)/2))",
        known={"mean": "Psi/(nu - p - 1)", "inv": "nu*inv(Psi)",
               "covariance of entries": "(2*Psi[i, j]*Psi[k, l]/(nu - p - 1) + Psi[i, k]*Psi[j, l] + Psi[i, l]*Psi[j, k])"
               "/((nu - p)*(nu - p - 1)*(nu - p - 3))",
               "logdet": "logdet(Psi) - p*log(2) - sum[j: p](digamma((nu - j)/2))"},
        conditions={"mean": "nu > p + 1", "covariance of entries": "nu > p + 3"},
        alternatives=scales("Psi"),
        argument_names={"scale_tril": "chol", "df": "nu", "scale": "Psi"},
        sampler="np.linalg.inv((lambda F: F @ np.swapaxes(F, -1, -2))(np.linalg.cholesky(np.linalg.inv({Psi}))"
        " @ (np.tril(rng.standard_normal({shape}), -1)"
        " + np.eye({shape}[-1])*np.sqrt(rng.chisquare(np.asarray({nu})[..., None] - np.arange({shape}[-1]),"
        " {shape}[:-1]))[..., None, :])))",
        proper="p - 1 < nu",
        latex=r"\mathcal{W}^{-1}",
        source="Gelman et al. (2013), A.1",
    ),
)  # fmt: skip

"""Families of vectors ▣: one entry each, in symgen's own language. `x` is the value of a draw."""

from __future__ import annotations

from dataclasses import replace

from symgen.probability.distribution import Alternative, Distribution, Support

POSITIVE = "positive"

# the ways to give a covariance
COVARIANCES = {
    "chol": Alternative({"chol": "lower"}, {"Sigma": "chol @ chol'"}, {"chol": ("d", "d")},
                        {"logdet(Sigma)": "2*sum(log(diagonal(chol)))"}, transform="mu + chol @ eps"),
    "precision": Alternative({"precision": "spd"}, {"Sigma": "inv(precision)"}, {"precision": ("d", "d")},
                             {"inv(Sigma)": "precision", "logdet(Sigma)": "-logdet(precision)"}),
    "diag": Alternative({"diag": POSITIVE}, {"Sigma": "diag(diag)"}, {"diag": ("d",)},
                        {"inv(Sigma)": "diag(1/diag)", "logdet(Sigma)": "sum(log(diag))"},
                        transform="mu + sqrt(diag)*eps"),
    "low_rank": Alternative({"low_rank": "real", "diag": POSITIVE},
                            {"Sigma": "low_rank @ low_rank' + diag(diag)"},
                            {"low_rank": ("d", "r"), "diag": ("d",)}),
}  # fmt: skip

ROWS = (
    Distribution(
        "MvNormal",
        parameters={"mu": "real", "Sigma": "spd"},
        event=("d",),
        shapes={"mu": ("d",), "Sigma": ("d", "d")},
        support=Support("vectors"),
        log_density="-(x - mu) @ inv(Sigma) @ (x - mu)/2 - logdet(Sigma)/2 - d*log(2*pi)/2",
        known={"mean": "mu", "covariance": "Sigma", "entropy": "logdet(Sigma)/2 + d*log(2*pi*e)/2"},
        alternatives=COVARIANCES,
        argument_names={"loc": "mu", "mean": "mu", "m": "mu", "cov": "Sigma", "covariance": "Sigma", "S": "Sigma",
                        "scale_tril": "chol"},
        noise="normal", transform="mu + cholesky(Sigma) @ eps",
        moments={"mu": "mean", "Sigma": "covariance"},
        sampler="{mu} + (np.linalg.cholesky({Sigma}) @ rng.standard_normal({shape})[..., None])[..., 0]",
        aliases=("MultivariateNormal", "MVN"),
        latex=r"\mathcal{N}",
        source="Bishop (2006), eq. 2.43",
    ),
    Distribution(
        "MvLogNormal",
        parameters={"mu": "real", "Sigma": "spd"},
        event=("d",),
        shapes={"mu": ("d",), "Sigma": ("d", "d")},
        support=Support("positives"),
        log_density="-(log(x) - mu) @ inv(Sigma) @ (log(x) - mu)/2 - sum(log(x)) - logdet(Sigma)/2 - d*log(2*pi)/2",
        known={"mean": "exp(mu + diagonal(Sigma)/2)",
               "covariance": "outer(exp(mu + diagonal(Sigma)/2), exp(mu + diagonal(Sigma)/2))*(exp(Sigma) - 1)",
               "entropy": "logdet(Sigma)/2 + d*log(2*pi*e)/2 + sum(mu)"},
        alternatives={k: replace(a, transform=a.transform and f"exp({a.transform})") for k, a in COVARIANCES.items()},
        argument_names={"loc": "mu", "cov": "Sigma", "covariance": "Sigma"},
        noise="normal", transform="exp(mu + cholesky(Sigma) @ eps)",
        sampler="np.exp({mu} + (np.linalg.cholesky({Sigma}) @ rng.standard_normal({shape})[..., None])[..., 0])",
        aliases=("MultivariateLogNormal", "MVLogNormal"),
        latex=r"\operatorname{LogNormal}",
        source="Kotz, Balakrishnan & Johnson (2000), 44",
        image_of="MvNormal",
    ),
    Distribution(
        "Dirichlet",
        parameters={"alpha": POSITIVE},
        event=("k",),
        shapes={"alpha": ("k",)},
        support=Support("simplex"),
        log_density="sum((alpha - 1)*log(x)) + lgamma(sum(alpha)) - sum(lgamma(alpha))",
        known={
            "mean": "alpha/sum(alpha)",
            "covariance": "(diag(alpha)*sum(alpha) - outer(alpha, alpha))/(sum(alpha)^2*(sum(alpha) + 1))",
            "entropy": "sum(lgamma(alpha)) - lgamma(sum(alpha)) + (sum(alpha) - k)*digamma(sum(alpha))"
            " - sum((alpha - 1)*digamma(alpha))",
        },
        argument_names={"concentration": "alpha", "a": "alpha"},
        kernel={"log(x)": "alpha - 1"}, inverse={"alpha": "c1 + 1"},
        sampler="(lambda g: g/g.sum(-1, keepdims=True))(rng.gamma(np.broadcast_to({alpha}, {shape})))",
        latex=r"\operatorname{Dir}",
        source="Bishop (2006), eq. 2.38",
    ),
    Distribution(
        "OneHotCategorical",
        parameters={"p": "simplex"},
        event=("k",),
        shapes={"p": ("k",)},
        support=Support("onehot"),
        log_density="sum(x*log(p))",
        known={"mean": "p", "covariance": "diag(p) - outer(p, p)", "entropy": "-sum(p*log(p))"},
        alternatives={"logits": Alternative({"logits": "real"}, {"p": "softmax(logits)"}, {"logits": ("k",)})},
        argument_names={"probs": "p", "pi": "p"},
        noise="gumbel", draw="where(log(p) + eps == max(log(p) + eps), 1, 0)",
        moments={"p": "mean"},
        sampler="rng.multinomial(1, {p}, {batch})",
        latex=r"\operatorname{OneHot}",
        source="Bishop (2006), eq. 2.26",
    ),
    Distribution(
        "Multinomial",
        parameters={"n": "natural", "p": "simplex"},
        event=("k",),
        shapes={"p": ("k",)},
        support=Support("counts"),
        log_density="lgamma(n + 1) - sum(lgamma(x + 1)) + sum(x*log(p))",
        known={"mean": "n*p", "covariance": "n*(diag(p) - outer(p, p))"},
        argument_names={"probs": "p"},
        sampler="rng.multinomial({n}, {p}, {batch})",
        latex=r"\operatorname{Mult}",
        source="Bishop (2006), eq. 2.34",
    ),
    Distribution(
        "MultivariateT",
        parameters={"nu": POSITIVE, "mu": "real", "Sigma": "spd"},
        event=("d",),
        shapes={"mu": ("d",), "Sigma": ("d", "d")},
        support=Support("vectors"),
        log_density="lgamma((nu + d)/2) - lgamma(nu/2) - d*log(nu*pi)/2 - logdet(Sigma)/2"
        " - (nu + d)/2*log(1 + (x - mu) @ inv(Sigma) @ (x - mu)/nu)",
        known={"mean": "mu", "covariance": "nu/(nu - 2)*Sigma",
               "log(1 + (x - mu) @ inv(Sigma) @ (x - mu)/nu)": "digamma((nu + d)/2) - digamma(nu/2)"},
        conditions={"mean": "nu > 1", "covariance": "nu > 2"},
        argument_names={"df": "nu", "loc": "mu", "scale": "Sigma"},
        sampler="{mu} + (np.linalg.cholesky({Sigma}) @ rng.standard_normal({shape})[..., None])[..., 0]"
        "/np.sqrt(rng.chisquare({nu}, {batch})/{nu})[..., None]",
        aliases=("MvT", "MvStudentT"),
        latex=r"t",
        source="Kotz & Nadarajah (2004), 1.1",
    ),
    Distribution(
        "VonMisesFisher",
        parameters={"mu": "real", "kappa": POSITIVE},
        event=("d",),
        shapes={"mu": ("d",)},
        support=Support("sphere"),
        log_density="kappa*(mu @ x) + (d/2 - 1)*log(kappa) - d/2*log(2*pi) - log(besseli(d/2 - 1, kappa))",
        known={"mean": "besseli(d/2, kappa)/besseli(d/2 - 1, kappa)*mu"},
        argument_names={"loc": "mu", "concentration": "kappa"},
        sampler="(lambda t, u, g: (lambda w: np.interp(u, np.cumsum(w)/np.sum(w), t)[..., None]*np.asarray({mu})"
        " + np.sqrt(1 - np.interp(u, np.cumsum(w)/np.sum(w), t)**2)[..., None]*(lambda v:"
        " v/np.linalg.norm(v, axis=-1, keepdims=True))(g - np.sum(g*{mu}, -1, keepdims=True)*np.asarray({mu})))"
        "(np.exp({kappa}*(t - 1))*(1 - t**2)**(({shape}[-1] - 3)/2)))"
        "(np.linspace(-1, 1, 200003)[1:-1], rng.random({shape}[:-1]), rng.standard_normal({shape}))",
        proper="abs(sum(mu^2) - 1) < 1e-9",
        latex=r"\operatorname{vMF}",
        source="Mardia & Jupp (2000), 9.3.2",
    ),
)  # fmt: skip

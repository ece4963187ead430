"""Families of vectors ▣: one entry each, in symgen's own language. `x` is the value of a draw."""

from __future__ import annotations

from dataclasses import replace

from symgen.probability.families.distribution import Alternative, Distribution, Support

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

# of a stick, what is left before its part i is broken off, and after
BEFORE, AFTER = "log(sum[j: k](where(i <= j, x[j], 0)))", "log(sum[j: k](where(i < j, x[j], 0)))"
LEFT = "sum[j: m](where(j < i, digamma(b[j]) - digamma(a[j] + b[j]), 0))"
MEAN_OF_PARTS = "concat(a/(a + b), ones(1))*concat(ones(1), cumprod(b/(a + b)))"
SQUARES = "concat(ones(1), cumprod((b + 1)/(a + b + 1)))"

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
        alternatives={
            "mean": Alternative({"mean": "simplex", "precision": POSITIVE}, {"alpha": "precision*mean"}, {"mean": ("k",)}),
        },
        argument_names={"concentration": "alpha", "a": "alpha"},
        kernel={"log(x)": "alpha - 1"}, inverse={"alpha": "c1 + 1"},
        means=((BEFORE, "digamma(sum[j: k](where(i <= j, alpha[j], 0))) - digamma(sum(alpha))", ""),
               (AFTER, "digamma(sum[j: k](where(i < j, alpha[j], 0))) - digamma(sum(alpha))", "")),
        noise="uniform", draw="igammainv(alpha, eps)/sum(igammainv(alpha, eps))",
        sampler="(lambda g: g/g.sum(-1, keepdims=True))(rng.gamma(np.broadcast_to({alpha}, {shape})))",
        latex=r"\operatorname{Dir}",
        source="Bishop (2006), eq. 2.38",
    ),
    Distribution(
        "GeneralizedDirichlet",
        parameters={"a": POSITIVE, "b": POSITIVE},
        event=("k",),
        shapes={"a": ("m",), "b": ("m",)},
        lengths={"k": "m + 1", "m": "k - 1"},
        support=Support("simplex"),
        # breaking a stick: of what is left before i, sum of x[j] over j >= i, the part x[i] has the law Beta(a[i], b[i])
        log_density=f"sum[i: m]((a[i] - 1)*log(x[i]) + (b[i] - 1)*{AFTER} - (a[i] + b[i] - 1)*{BEFORE} - lbeta(a[i], b[i]))",
        known={"mean": MEAN_OF_PARTS,
               "covariance of entries": "where(i == j, E[i]*(concat((a + 1)/(a + b + 1), ones(1))[i]*F[i] - E[i]),"
               " where(i < j, E[j]*(concat(a/(a + b + 1), ones(1))[i]*F[i] - E[i]),"
               " E[i]*(concat(a/(a + b + 1), ones(1))[j]*F[j] - E[j])))"
               .replace("E[", f"({MEAN_OF_PARTS})[").replace("F[", f"({SQUARES})[")},
        means=((BEFORE, LEFT, "m"), (AFTER, f"digamma(b[i]) - digamma(a[i] + b[i]) + {LEFT}", "m"),
               ("log(x[i])", f"digamma(a[i]) - digamma(a[i] + b[i]) + {LEFT}", "m"),
               ("log(x[i])", f"concat(digamma(a) - digamma(a + b), zeros(1))[i] + {LEFT}", "k")),
        inner="Beta",
        sampler="(lambda v: np.concatenate([v, np.ones_like(v[..., :1])], -1)*np.concatenate([np.ones_like(v[..., :1]),"
        " np.cumprod(1 - v, -1)], -1))(rng.beta({a}, {b}, {shape}[:-1] + ({shape}[-1] - 1,)))",
        latex=r"\operatorname{GD}",
        source="Connor & Mosimann (1969)",
    ),
    Distribution(
        "OneHotCategorical",
        parameters={"p": "simplex"},
        event=("k",),
        shapes={"p": ("k",)},
        support=Support("onehot", total="1"),
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
        support=Support("counts", total="n"),
        log_density="lgamma(n + 1) - sum(lgamma(x + 1)) + sum(x*log(p))",
        known={"mean": "n*p", "covariance": "n*(diag(p) - outer(p, p))"},
        alternatives={"logits": Alternative({"logits": "real"}, {"p": "softmax(logits)"}, {"logits": ("k",)})},
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
        alternatives={k: replace(a, transform="") for k, a in COVARIANCES.items()},
        argument_names={"df": "nu", "loc": "mu", "scale": "Sigma", "scale_tril": "chol"},
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
        log_density="kappa*(mu @ x) + (d/2 - 1)*log(kappa/2) - d/2*log(pi) - log(2) - log(besseli(d/2 - 1, kappa))",
        known={"mean": "besseli(d/2, kappa)/besseli(d/2 - 1, kappa)*mu",
               "covariance": "besseli(d/2, kappa)/besseli(d/2 - 1, kappa)/kappa*eye(d) + (1 - besseli(d/2, kappa)/besseli(d/2 - 1,"
               " kappa)*d/kappa - (besseli(d/2, kappa)/besseli(d/2 - 1, kappa))^2)*outer(mu, mu)"},
        argument_names={"loc": "mu", "concentration": "kappa"},
        sampler="(lambda t, u, g: (lambda w: np.interp(u, np.cumsum(w)/np.sum(w), t)[..., None]*np.asarray({mu})"
        " + np.sqrt(1 - np.interp(u, np.cumsum(w)/np.sum(w), t)**2)[..., None]*(lambda v:"
        " v/np.linalg.norm(v, axis=-1, keepdims=True))(g - np.sum(g*{mu}, -1, keepdims=True)*np.asarray({mu})))"
        "(np.exp({kappa}*(t - 1))*(1 - t**2)**(({shape}[-1] - 3)/2)))"
        "(np.linspace(-1, 1, 200003)[1:-1], rng.random({shape}[:-1]), rng.standard_normal({shape}))",
        proper="abs(sum(mu^2) - 1) < 1e-9",
        unit="mu",
        latex=r"\operatorname{vMF}",
        source="Mardia & Jupp (2000), 9.3.2",
    ),
    Distribution(
        "SphericalUniform",
        parameters={"d": "natural"},
        event=("d",),
        lengths={"d": "d"},
        support=Support("sphere"),
        log_density="lgamma(d/2) - d/2*log(pi) - log(2)",
        known={"mean": "zeros(d)", "covariance": "eye(d)/d", "entropy": "d/2*log(pi) + log(2) - lgamma(d/2)"},
        noise="normal", transform="eps/norm(eps)",
        sampler="(lambda v: v/np.linalg.norm(v, axis=-1, keepdims=True))(rng.standard_normal({shape}))",
        latex=r"\operatorname{Unif}_{\mathbb{S}}",
        source="Mardia & Jupp (2000), 9.3.1",
        proper="d > 0",
    ),
    Distribution(
        "MarkovChain",
        parameters={"p0": "simplex", "P": "simplex", "T": "natural"},
        event=("T",),
        shapes={"p0": ("k",), "P": ("k", "k")},
        lengths={"T": "T"},
        support=Support("labels", "0", "k - 1"),
        log_density="log(p0[x[0]]) + sum[t: T - 1](log(P[x[t], x[t + 1]]))",
        states="recurrence[s, t: 1..T - 1](p0, s[t - 1] @ P)",
        argument_names={"initial": "p0", "transition": "P", "length": "T"},
        sampler="(lambda u, x: ([x.append((u[..., t, None] > np.cumsum(np.asarray({P})[x[-1]], -1)).sum(-1))"
        " for t in range(1, u.shape[-1])], np.stack(x, -1))[1])(*(lambda u: (u, [(u[..., 0, None] > np.cumsum({p0}, -1)).sum(-1)]))"
        "(rng.random({shape})))",
        latex=r"\operatorname{Markov}",
        source="Cover & Thomas (2006), 4.1",
        proper="T > 0",
    ),
    Distribution(
        "InhomogeneousMarkovChain",
        parameters={"p0": "simplex", "P": "simplex"},
        event=("T",),
        shapes={"p0": ("k",), "P": ("m", "k", "k")},
        lengths={"T": "m + 1", "m": "T - 1"},
        support=Support("labels", "0", "k - 1"),
        log_density="log(p0[x[0]]) + sum[t: m](log(P[t, x[t], x[t + 1]]))",
        states="recurrence[s, t: 1..m](p0, s[t - 1] @ P[t - 1])",
        argument_names={"initial": "p0", "transition": "P"},
        sampler="(lambda u, x: ([x.append((u[..., t, None] > np.cumsum(np.asarray({P})[t - 1, x[-1]], -1)).sum(-1))"
        " for t in range(1, u.shape[-1])], np.stack(x, -1))[1])(*(lambda u: (u, [(u[..., 0, None] > np.cumsum({p0}, -1)).sum(-1)]))"
        "(rng.random({shape})))",
        latex=r"\operatorname{Markov}",
        source="Rabiner (1989), II",
    ),
    Distribution(
        "GaussianChain",
        parameters={"m": "real", "V": "spd", "F": "real", "b": "real", "Q": "spd"},
        event=("T", "d"),
        shapes={"m": ("d",), "V": ("d", "d"), "F": ("s", "d", "d"), "b": ("s", "d"), "Q": ("s", "d", "d")},
        lengths={"T": "s + 1", "s": "T - 1"},
        support=Support("sequences"),
        log_density="-(x[0] - m) @ inv(V) @ (x[0] - m)/2 - logdet(V)/2 - T*d*log(2*pi)/2 - sum[t: s](logdet(Q)[t])/2"
        " - sum[t: s]((x[t + 1] - F[t] @ x[t] - b[t]) @ inv(Q)[t] @ (x[t + 1] - F[t] @ x[t] - b[t]))/2",
        known={"mean": "recurrence[mu, t: 1..s](m, F[t - 1] @ mu[t - 1] + b[t - 1])"},
        spread="recurrence[C, t: 1..s](V, F[t - 1] @ C[t - 1] @ F[t - 1]' + Q[t - 1])",
        latex=r"\operatorname{GaussianChain}",
        source="Bishop (2006), 13.3",
    ),
    Distribution(
        "GaussianWalk",
        parameters={"m": "real", "v": POSITIVE, "a": "real", "b": "real", "q": POSITIVE},
        event=("T",),
        shapes={"a": ("s",), "b": ("s",), "q": ("s",)},
        lengths={"T": "s + 1", "s": "T - 1"},
        support=Support("sequences"),
        log_density="-(x[0] - m)^2/(2*v) - log(v)/2 - T*log(2*pi)/2 - sum[t: s](log(q[t]))/2"
        " - sum[t: s]((x[t + 1] - a[t]*x[t] - b[t])^2/q[t])/2",
        known={"mean": "recurrence[mu, t: 1..s](m, a[t - 1]*mu[t - 1] + b[t - 1])"},
        spread="recurrence[C, t: 1..s](v, a[t - 1]^2*C[t - 1] + q[t - 1])",
        latex=r"\operatorname{GaussianWalk}",
        source="Bishop (2006), 13.3",
    ),
)  # fmt: skip

"""Derivations of variational inference and of losses made from densities: right steps hold, and each slip is refuted.

the bound of an autoencoder: Kingma & Welling (2014), appendix B.
diffusion: the posterior of a step: Ho, Jain & Abbeel (2020), eq. 6, 7.
preferences: Rafailov et al. (2023), eq. 7.
REINFORCE: Williams (1992).
bounds between divergences: Nguyen, Wainwright & Jordan (2010); Donsker & Varadhan (1983).
critics: van den Oord et al. (2018); Poole et al. (2019).
information in an unknown joint: Barber & Agakov (2003).
two draws of one joint: Cheng et al. (2020), theorem 3.1.
importance weights: Burda, Grosse & Salakhutdinov (2016).
the clipped ratio: Schulman et al. (2017), eq. 7.
score matching: Hyvarinen (2005).
the natural gradient of a normal: Amari (1998).
the information bottleneck: Tishby, Pereira & Bialek (1999).
mean field: Bishop (2006), 10.1.3.
"""

from __future__ import annotations

import pytest

import symgen

CASES: dict[str, tuple[str, list[str], list[str]]] = {
    "the bound of an autoencoder": (
        """dim n, k, d, m
data X: real[n,d]
param We: real[d,k], Wv: real[d,k], Wd: real[k,d], bd: real[d]
let mu = X @ We
let lv = X @ Wv
dist q(z: real[n,k] | x) = Normal(mu, exp(lv/2))
dist p(z: real[n,k]) = Normal(zeros(k), 1)
dist p(x: real[n,d] | z) = Normal(z @ Wd + bd, 1)
const beta: positive
""",
        [
            "E[z ~ q](log p(X | z)) - KL(q(z | x) || p(z)) = E[z ~ q](log p(X, z) - log q(z | X))",
            "elbo(q, p) = E[z ~ q](log p(x | z)) - KL(q(z | x) || p(z))",
            "KL(q(z | x) || p(z)) = 1/2*sum(exp(lv) + mu^2 - 1 - lv)",
            "E[z ~ q](log p(X | z)) = -n*d/2*log(2*pi) - 1/2*norm(X - mu @ Wd - bd)^2 - 1/2*sum(exp(lv) @ Wd^2)",
        ],
        [
            "KL(q(z | x) || p(z)) = 1/2*sum(exp(lv) + mu^2 + 1 - lv)",
            "KL(q(z | x) || p(z)) = -1/2*sum(1 + lv - mu^2 - exp(2*lv))",
            "E[z ~ q](log p(X | z)) = -n*d/2*log(2*pi) - 1/2*norm(X - mu @ Wd - bd)^2",
        ],
    ),
    "the bound in three forms, its tightness and gap": (
        """param mu: real, s: positive, x0: real, t: positive
dist q(z) = Normal(mu, s)
dist p(z) = Normal(0, 1)
dist p(x | z) = Normal(z, t)
""",
        [
            "log p(x) = elbo(q, p) + KL(q(z) || p(z | x))",
            "elbo(q, p) = E[z ~ q](log p(x, z)) + entropy(q)",
            "elbo(q, p) = E[z ~ q](log p(x | z)) - KL(q || p(z))",
            "elbo(q, p) <= log p(x)",
            "E[z ~ p(z | x)](log p(x, z) - log p(z | x)) = log p(x)",
            "log p(x) - elbo(q, p) = KL(q(z) || p(z | x))",
            "log p(x) = -1/2*log(2*pi*(1 + t^2)) - x^2/(2*(1+t^2))",
            "grad(elbo(q, p), mu) = (x - mu)/t^2 - mu",
            "grad(elbo(q, p), s) = 1/s - s - s/t^2",
            "argmax(elbo(q, p), mu) = x/(1+t^2)",
            "argmax(elbo(q, p), s) = t/sqrt(1+t^2)",
        ],
        [
            "log p(x) = elbo(q, p) - KL(q(z) || p(z | x))",
            "elbo(q, p) = E[z ~ q](log p(x, z)) - entropy(q)",
            "grad(elbo(q, p), s) = 1/s - s - 2*s/t^2",
        ],
    ),
    "diffusion: the posterior of a step": (
        """dim d
param a: unit, ab: unit, b0: unit
param x0: real[d]
dist q(xp: real[d]) = Normal(sqrt(ab)*x0, sqrt(1 - ab))
dist q(xt: real[d] | xp) = Normal(sqrt(a)*xp, sqrt(1 - a))
param eps: real[d], th: real[d], mt: real[d], sg: positive
dist p(xp: real[d]) = Normal(mt, sg)
dist r(xp: real[d]) = Normal(th, sg)
""",
        [
            "posterior(q, xp, given=xt).mu = (sqrt(ab)*(1-a)*x0 + sqrt(a)*(1-ab)*xt)/(1 - a*ab)",
            "posterior(q, xp, given=xt).sigma^2 = (1-ab)*(1-a)/(1-a*ab)*ones(d)",
            "KL(r || p) = norm(mt - th)^2/(2*sg^2)",
            "log q(xt) = -norm(xt - sqrt(a*ab)*x0)^2/(2*(1-a*ab)) - d/2*log(2*pi*(1-a*ab))",
            "score(q(xt), xt) = -(xt - sqrt(a*ab)*x0)/(1-a*ab)",
        ],
        [
            "posterior(q, xp, given=xt).mu = (sqrt(ab)*(1-a)*x0 + sqrt(a)*(1-a)*xt)/(1 - a*ab)",
            "posterior(q, xp, given=xt).sigma^2 = (1-ab)*(1-a)/(1-ab)*ones(d)",
            "KL(r || p) = norm(mt - th)^2/sg^2",
            "log q(xt) = -norm(xt - sqrt(a*ab)*x0)^2/(2*(2-a-ab)) - d/2*log(2*pi*(2-a-ab))",
        ],
    ),
    "preferences": (
        """param b: positive, rw: real, rl: real, pw: unit, pl: unit, rfw: unit, rfl: unit, th: real
let h = b*(log(pw/rfw) - log(pl/rfl))
let L = -log(sigmoid(h))
let Lt = -log(sigmoid(th*b))
""",
        [
            "grad(L, pw) = -b*sigmoid(-h)/pw",
            "grad(L, pl) = b*sigmoid(-h)/pl",
            "exp(rw)/(exp(rw)+exp(rl)) = sigmoid(rw - rl)",
            "hessian(Lt, th) = b^2*sigmoid(th*b)*sigmoid(-th*b)",
        ],
        [
            "grad(L, pw) = -b*sigmoid(h)/pw",
            "exp(rw)/(exp(rw)+exp(rl)) = sigmoid(rl - rw)",
        ],
    ),
    "REINFORCE": (
        """dim k
param th: real[k], r: real[k], b: real
dist pi(a: label(k)) = Categorical(softmax(th))
let J = E[a ~ pi](r[a])
let p = softmax(th)
""",
        [
            "grad(J, th) = p*(r - p @ r)",
            "E[a ~ pi](score(pi, th)) = zeros(k)",
            "J = p @ r",
            "E[a ~ pi](grad(log pi(a), th)*(r[a]-b)) = grad(J, th)",
        ],
        [
            "grad(J, th) = p*(r - sum(r))",
            "grad(J, th) = p*r",
        ],
    ),
    "bounds between divergences": (
        """density p(x), q(x)
function T(x): real
function c(x): positive
""",
        [
            "KL(p || q) >= E[x ~ p](T(x)) - log(E[x ~ q](exp(T(x))))",
            "KL(p || q) >= E[x ~ p](T(x)) - E[x ~ q](exp(T(x))) + 1",
            "KL(p || q) >= E[x ~ p](T(x)) - E[x ~ q](exp(T(x) - 1))",
            "KL(p || q) >= E[x ~ p](T(x)) - E[x ~ q](exp(T(x)))",
        ],
        [
            "KL(p || q) <= E[x ~ p](T(x)) - log(E[x ~ q](exp(T(x))))",
            "KL(p || q) >= E[x ~ p](T(x)) - E[x ~ q](T(x))",
        ],
    ),
    "critics": (
        """dim k
density p(x), q(x)
function f(x): positive
""",
        [
            "E[x ~ p](log(f(x))) - log(E[x ~ q](f(x))) <= KL(p || q)",
            "E[x ~ p](log(f(x))) - E[x ~ q](f(x)) + 1 <= KL(p || q)",
            "E[x ~ p](log(f(x))) - log(E[x ~ p](f(x))) <= 0",
        ],
        [
            "E[x ~ p](log(f(x))) - log(E[x ~ p](f(x))) >= 0",
        ],
    ),
    "information in an unknown joint": (
        """density p(x, y)
density q(x | y)
""",
        [
            "mutual_information(p, x, y) >= E[x ~ p, y ~ p](log q(x | y)) + entropy(p(x))",
            "mutual_information(p, x, y) = E[x ~ p, y ~ p](log p(x, y) - log p(x) - log p(y))",
            "mutual_information(p, x, y) = E[x ~ p, y ~ p](log p(x | y) - log p(x))",
            "mutual_information(p, x, y) = entropy(p(x)) + entropy(p(y)) - entropy(p)",
            "entropy(p) <= entropy(p(x)) + entropy(p(y))",
        ],
        [
            "mutual_information(p, x, y) <= E[x ~ p, y ~ p](log q(x | y)) + entropy(p(x))",
            "mutual_information(p, x, y) = entropy(p(x)) - entropy(p(y))",
        ],
    ),
    "importance weights": (
        """param mu: real, s: positive, t: positive
dist q(z) = Normal(mu, s)
dist p(z) = Normal(0, 1)
dist p(x | z) = Normal(z, t)
let w = E[z ~ q](exp(log p(x, z) - log q(z)))
""",
        [
            "log(E[z ~ q](exp(log p(x, z) - log q(z)))) = log p(x)",
            "E[z ~ q](log p(x, z) - log q(z)) <= log(E[z ~ q](exp(log p(x, z) - log q(z))))",
        ],
        [],
    ),
    "more samples, tighter bounds": (
        """density q(z), p(z, x)
density p2(z)
function w(z): positive
""",
        [
            "E[z ~ q](log(w(z))) <= log(E[z ~ q](w(z)))",
            "E[z ~ q, u ~ q](log((w(z) + w(u))/2)) >= E[z ~ q](log(w(z)))",
            "E[z ~ q, u ~ q](log((w(z) + w(u))/2)) <= log(E[z ~ q](w(z)))",
        ],
        [
            "E[z ~ q, u ~ q](log((w(z) + w(u))/2)) <= E[z ~ q](log(w(z)))",
        ],
    ),
    "two draws of one joint, and one": (
        """density p(x, z), q(z | x)
function f(x, z): real
""",
        [
            "mutual_information(p, x, z) <= E[(x, z) ~ p](log p(z | x)) - E[x ~ p(x), z ~ p(z)](log p(z | x))",
            "mutual_information(p, x, z) >= E[(x, z) ~ p, w ~ p(z)](f(x, z) - log((exp(f(x, z)) + exp(f(x, w)))/2))",
            "log p(x) >= E[z ~ q(z | x), u ~ q(u | x)](log((p(x, z)/q(z | x) + p(x, u)/q(u | x))/2))",
            "E[x ~ p, z ~ p](f(x, z)) = E[(x, z) ~ p](f(x, z))",
        ],
        [
            "mutual_information(p, x, z) = E[x ~ p(x), z ~ p(z)](log p(x, z) - log p(x) - log p(z))",
            "mutual_information(p, x, z) >= E[(x, z) ~ p](log p(z | x)) - E[x ~ p(x), w ~ p(z)](log p(w | x))",
            "E[z ~ q(z | x), u ~ q(u | x)](log((p(x, z)/q(z | x) + p(x, u)/q(u | x))/2)) >= log p(x)",
        ],
    ),
    "the clipped ratio": (
        """param r: positive, A: real, th: real, old: real, c: unit
let ratio = exp(th - old)
let L = ratio*A
let C = min(ratio*A, clip(ratio, 1-c, 1+c)*A)
""",
        [
            "grad(L, th) = ratio*A",
            "C <= L",
        ],
        [
            "grad(L, th) = A",
            "C >= L",
        ],
    ),
    "score matching": (
        """param m: real, s: positive, a: real, b: positive
dist p(x) = Normal(a, b)
dist q(x) = Normal(m, s)
""",
        [
            "score(q, x) = -(x - m)/s^2",
            "E[x ~ p](score(q, x)^2/2 + d(score(q, x), x)) = (b^2 + (a-m)^2)/(2*s^4) - 1/s^2",
            "E[x ~ p]((score(q, x) - score(p, x))^2/2) = E[x ~ p](score(q, x)^2/2 + d(score(q, x), x)) + 1/(2*b^2)",
            "fisher(p, a) = 1/b^2",
        ],
        [
            "score(q, x) = (x - m)/s^2",
            "E[x ~ p]((score(q, x) - score(p, x))^2/2) = E[x ~ p](score(q, x)^2/2 - d(score(q, x), x)) + 1/(2*b^2)",
        ],
    ),
    "the natural gradient of a normal": (
        """param m: real, s: positive
dist q(x) = Normal(m, s)
let F = fisher(q, [m, s])
""",
        [
            "F = [[1/s^2, 0], [0, 2/s^2]]",
            "inv(F) = [[s^2, 0],[0, s^2/2]]",
        ],
        [
            "F = [[1/s^2, 0], [0, 1/s^2]]",
        ],
    ),
    "the information bottleneck": (
        """param w: real, s: positive, t: positive, beta: positive
dist p(x) = Normal(0, 1)
dist p(z | x) = Normal(w*x, s)
dist p(y | x) = Normal(x, t)
""",
        [
            "mutual_information(p, x, z) = log(1 + w^2/s^2)/2",
            "mutual_information(p, z, y) = -log(1 - w^2/((w^2+s^2)*(1+t^2)))/2",
            "mutual_information(p, z, y) <= mutual_information(p, x, z)",
        ],
        [
            "mutual_information(p, x, z) = log(1 + w/s^2)/2",
            "mutual_information(p, z, y) >= mutual_information(p, x, z)",
        ],
    ),
    "mean field": (
        """dim n
param m0: real, l0: positive, a0: positive, b0: positive, m: real, l: positive, a: positive, b: positive
data x: real[n]
dist p(mu, tau) = NormalGamma(m0, l0, a0, b0)
dist p(x | mu, tau) = Normal(mu, 1/sqrt(tau))
dist q(mu) = Normal(m, 1/sqrt(l))
dist q(tau) = Gamma(a, b)
""",
        [
            "argmax(elbo(q, p), m) = (l0*m0 + sum(x))/(l0 + n)",
            "argmax(elbo(q, p), l) = (l0 + n)*a/b",
            "argmax(elbo(q, p), b) = a*(b0 + (l0*((m - m0)^2 + 1/l) + sum((x - m)^2) + n/l)/2)/(a0 + (n + 1)/2)",
        ],
        [
            "argmax(elbo(q, p), m) = (l0*m0 + sum(x))/(l0 - n)",
        ],
    ),
}

STEPS = [(name, claim, True) for name, (_, right, _) in CASES.items() for claim in right]
STEPS += [(name, claim, False) for name, (_, _, wrong) in CASES.items() for claim in wrong]


@pytest.fixture(scope="module")
def models():
    return {name: symgen.loads(spec) for name, (spec, _, _) in CASES.items()}


@pytest.mark.parametrize("name, claim, holds", STEPS)
def test_a_step_holds_and_a_slip_is_refuted(models, name, claim, holds):
    status = models[name].check(claim).status
    assert status in (("proved", "checked") if holds else ("refuted",))

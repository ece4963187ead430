"""A page says what it starts from: every parameter that it speaks of, what the parameters of laws are, which draw is whose."""

import re

import pytest

import symgen
from symgen.probability.families.distributions import FAMILIES
from symgen.probability.families.roles import ROLES

HEAD = """dim k
param m0: real[k], S: spd[k, k], B: spd[k, k], al: positive[k], be: positive[k]
param a: real, b: real, s: positive, t: positive
dist f(u) = Normal(a, s)
dist g(u) = Normal(a, t)
dist p(z) = MvNormal(m0, S)
dist p(x | z) = MvNormal(z, B)
dist v(z) = Wishart(k + s, S)
dist w(z) = Wishart(k + t, B)
dist h(r) = GeneralizedDirichlet(al, be)
"""
SPOKEN = {
    "KL(f || g)": "a s t", "mutual_information(p, x, z)": "m0 S B", "Var[u ~ Gamma(t, s)](log(u))": "s t",
    "entropy(f)": "a s", "KL(v || w)": "s t S B",
}  # fmt: skip


@pytest.mark.parametrize("goal", SPOKEN)
def test_every_parameter_that_a_law_of_the_page_speaks_of_is_given(goal):
    text = symgen.loads(HEAD).derive(goal).text()
    (given,) = re.findall(r"^Given (.*?)\.\n\n", text, re.S | re.M)
    assert {part.split(":")[0].strip() for part in re.split(r", (?=\w+:)| and |\n", given) if ":" in part} == {
        *SPOKEN[goal].split()
    }


def test_parameters_are_called_by_their_roles():
    text = symgen.loads("param s: positive\ndist p(x) = Gamma(2, s)\ndist q(x) = InverseGamma(3, s)").derive("KL(p || q)").text()
    assert "Gamma(2, s)   (shape, rate)" in text and "InverseGamma(3, s)   (shape, scale)" in text
    assert all(set(words) <= set(FAMILIES[family].parameters) for family, words in ROLES.items())


def test_two_draws_of_one_joint_are_told_apart():
    text = symgen.loads(HEAD).derive("mutual_information(p, x, z)").text()
    assert "E[z ~ p(z), x ~ p(x | z)]" in text and "x ~ p]" not in text


def test_a_number_that_is_an_index_stands_under_its_sum_and_parts_are_not_named_as_draws():
    model = symgen.loads(HEAD)
    result = model.derive("KL(v || w)").text_result
    assert "sum[i: k](lgamma((k + t - i)/2))" in result and "tensor" not in result
    assert (
        model.derive(result).array is model.derive("KL(v || w)").array or model.check(f"{result} = KL(v || w)").status != "refuted"
    )
    assert not re.search(r"^    r = ", model.derive("Var[r ~ h](r)").text(), re.M)


SAID = {
    "KL(Normal(a, s) || Laplace(a, s))": "sqrt(2/pi) + (log(2) - log(pi) - 1)/2",
    "KL(Uniform(0, s) || Uniform(0, 2*s))": "log(2)",
    "entropy(ContinuousBernoulli(1/2))": "0",
    "entropy(Gamma(2, 1/(2*s^2)))": "1 + log(2) + 2*log(s) - digamma(1)",
}


@pytest.mark.parametrize("goal", SAID)
def test_logarithms_of_numbers_stand_apart_where_they_cancel(goal):
    assert symgen.loads(HEAD).derive(goal).text_result == SAID[goal]


def test_a_law_made_of_others_stands_as_it_was_written():
    model = symgen.loads(
        "const c: real, a: positive, m: real, s: positive\ndef f(u) = c + a*exp(u)\n"
        "dist p(y) = Transformed(Normal(m, s), f)\ndist t(y) = Truncated(Gamma(a, s), 1, 3)\n"
    )
    assert "p = Transformed(Normal(m, s), f)" in model.derive("entropy(p)").text()
    assert "= Truncated(Gamma(a, s), 1, 3)" in model.derive("entropy(t)").text()


DRAWN = {
    "grad(E[u ~ f](tanh(u)), a)": "u = eps_u*s + a",
    "grad(E[y ~ N](tanh(sum(y))), m0)": "y = cholesky(S) @ eps_y + m0",
    "grad(E[r ~ Gamma(t, s)](tanh(r)), s)": "r = eps_r/s",
}


@pytest.mark.parametrize("goal", DRAWN)
def test_a_draw_that_is_a_function_of_noise_is_written_out(goal):
    text = symgen.loads(HEAD + "dist N(y) = MvNormal(m0, S)").derive(goal).text()
    assert re.search(rf"^    {re.escape(DRAWN[goal])}$", text, re.M), text
    assert "grad(f, " not in text  # f is a law here
    assert not re.search(r"^note: [A-Z]\w* =", text, re.M)


def test_the_function_of_the_question_keeps_its_name():
    model = symgen.loads("dim n, d\ndata X: real[n, d]\nparam m: real[d], s: positive[d]\ndist q(w) = Normal(m, s)\n"
                         "dist p(w) = MvNormal(0, eye(d))\nlet L = E[w ~ q](sum(tanh(X @ w))) - KL(q || p)")  # fmt: skip
    text = model.derive("grad(L, m)").text()
    assert "grad(L, X @ w) = " in text and "f = L" not in text and "MvNormal(zeros(d), eye(d))" in text


GROUPS = """dim n
param a: positive, b: positive, s: positive
data y: natural[n]
dist q(lam) = Gamma(a, b)
dist q(y[i] | lam) = Poisson(lam)
"""


def test_a_law_of_entries_is_told_as_it_was_declared_and_two_laws_of_one_name_are_told_apart():
    text = " ".join(symgen.loads(GROUPS).derive("KL(q(lam | y) || q(lam))").text().split())
    assert "q(y[i] | lam) = Poisson(lam)" in text and "ones(n)" not in text
    assert "E[lam ~ q(lam | y)](log q(lam | y) - log q(lam))" in text
    assert "sum(y) + a - a" not in text, "what is in a named sum cancels against what stands beside it"


def test_no_number_gets_a_letter():
    text = symgen.loads("param s: positive").derive("wasserstein2(Exponential(s), Uniform(0, s))").text()
    assert "Exponential(1)" in text and "δ" not in text


def test_roots_of_numbers_meet():
    """sqrt(2)*sqrt(2*pi)^-1 is written once."""
    spec = "param s: positive, t: positive\ndist p(x) = Normal(0, s)\ndist q(x) = Laplace(0, t)"
    assert symgen.loads(spec).derive("renyi(p, q, 2)").text_result.count("sqrt") == 1


@pytest.mark.parametrize("given, want", {"sin(-2*x)": "-sin(2*x)", "cos(-x)": "cos(x)", "abs(-3*x)": "abs(3*x)",
                                         "log(1/x^3)": "-3*log(x)", "log(1/x^2)": "log(1/x^2)"}.items())  # fmt: skip
def test_signs_and_odd_powers_come_out(given, want):
    assert symgen.loads("param x: real").derive(given).text_result == want


def test_later_draws_are_of_the_laws_that_the_author_named():
    spec = """dim n
param a: positive, b: positive, m: real, k: positive
data x: real[n]
dist p(lam) = Gamma(a, b)
dist p(mu | lam) = Normal(m, 1/sqrt(k*lam))
dist p(x[i] | mu, lam) = Normal(mu, 1/sqrt(lam))
"""
    assert "E[lam ~ p(lam), μ ~ p(μ | lam)](p(x | μ, lam))" in symgen.loads(spec).derive("log p(x)").text()


def test_a_sequence_is_told_with_its_first_entries():
    spec = """dim T, K
param w: simplex[K], A: simplex[K, K], lam: positive[K]
data x: natural[T]
dist p(z[0]) = Categorical(w)
dist p(z[t] | z[t-1]) = Categorical(A[z[t-1]])
dist p(x[t] | z[t]) = Poisson(lam[z[t]])
"""
    text = symgen.loads(spec).derive("log p(x)").text()
    assert "p(z[0]) = Categorical(w)" in text and "p(z[t] | z[t - 1]) = Categorical(A[z[t - 1]])" in text


HIDDEN_CHAIN = """dim T, K
param w: simplex[K], A: simplex[K, K], lam: positive[K]
data x: natural[T]
dist p(z[0]) = Categorical(w)
dist p(z[t] | z[t-1]) = Categorical(A[z[t-1]])
dist p(x[t] | z[t]) = Poisson(lam[z[t]])
"""


def test_all_sums_of_a_page_count_from_0_where_one_does():
    """x_0 stands on the page, so that no sum over x may begin with x_1."""
    d = symgen.loads(HIDDEN_CHAIN).derive("log p(x)")
    for page in (d.latex(), d.markdown(), d.html()):
        assert r"\sum_{i=0}^{T - 2}" in page and r"\sum_{i=0}^{T - 1}" in page
        assert "=1}" not in page and "- 1 - 1" not in page
    assert r"\sum_{i=1}^{n}" in symgen.loads("dim n\nparam x: real[n]").derive("sum(sin(x))").latex()


def test_notes_speak_of_formulas_as_formulas():
    d = symgen.loads(HIDDEN_CHAIN).derive("log p(x)")
    assert r"\textit{$\alpha_{tj}$ is the log of the sum over all paths of $z$ that end in $j$ at the time $t$.}" in d.latex()
    said = "note: α[t, j] is the log of the sum over all paths of z that end in j at the time t."
    assert said in " ".join(d.text().split())


def test_the_density_of_a_path_is_a_sum_over_its_steps():
    d = symgen.loads(HIDDEN_CHAIN).derive("log p(x)")
    assert "log p(z | x) = log(softmax(α[0] + β[0])[z[0]])" in d.text() and "log(tensor" not in d.text()


PPCA = """dim n, d, q
param W: real[d, q], mu: real[d], s: positive
data X: real[n, d]
dist p(z[i: n]) = MvNormal(zeros(q), eye(q))
dist p(X[i] | z[i]) = MvNormal(W @ z[i] + mu, s^2*eye(d))
"""


def test_what_all_rows_share_stands_once():
    """Tipping and Bishop (1999), equations 4 and 6: no identity matrix between factors, one covariance for all rows."""
    m = symgen.loads(PPCA)
    assert "p(X) = MvNormal(outer(ones(n), μ), W @ W' + s^2*eye(d))" in m.derive("log p(X)").text()
    page = m.derive("posterior(p, z, given=X)").text()
    assert "S = W @ W' + s^2*eye(d)" in page and "V = eye(q) - W' @ inv(S) @ W" in page
    assert "p(z | X) = MvNormal(m, V)" in page and "Σ_post[i] = eye(q) - W' @ inv(S) @ W" in page and "tensor" not in page

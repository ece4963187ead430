"""Results and generated code do not depend on what was derived before in the same process."""

from symgen import load, loads, zoo

NAMES = ("ridge", "logistic", "gaussian_kl", "gan_theory", "matrix_factorisation")
BETWEEN = (
    "dim n, d\ndata y: real[n], X: real[n, d]\nparam w: real[d]\nconst lam: positive = 1\n"
    "loss L = lam*norm(w)^2 + norm(y - X @ w)^2\nderive hessian(L, w)",
    "dim k\nparam s: positive[k], mu: real[k]\ndist q(z) = Normal(mu, s)\ndist p(z) = Normal(zeros(k), 1)\nderive KL(p || q)",
)


def told(name):
    model = load(zoo.spec(name))
    return [*(model.derive(goal).text_result for goal in model.goals), model.generate() if model.elaborated.losses else ""]


def test_an_answer_is_the_same_after_others():
    first = {name: told(name) for name in NAMES}
    for text in BETWEEN:
        model = loads(text)
        for goal in model.goals:
            model.derive(goal)
    assert {name: told(name) for name in reversed(NAMES)} == first

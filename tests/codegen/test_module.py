"""Generated modules: they stand alone, know their shapes, have right gradients, and training can stop and go on."""

import ast
import builtins
import keyword

import numpy as np
import pytest

import symgen

SPECS = {
    "logistic": """
dim n, d
data  X: real[n, d], y: binary[n]
param w: real[d], b: real
const lam: positive = 1e-3
let p = sigmoid(X @ w + b)
loss L = -mean(y*log(p) + (1 - y)*log(1 - p)) + lam/2 * w @ w
derive g = grad(L, w)
train L with adam(lr=0.05), steps=40, batch=4
""",
    "mlp": """
dim n, d, k
dim h = 5
data  X: real[n, d], Y: onehot[n, k]
param W1: real[d, h], b1: real[h] = zeros, W2: real[h, k] = he, b2: real[k] = 0
let H = tanh(X @ W1 + b1)
let P = softmax(H @ W2 + b2)
loss L = -sum(Y*log(P))/n
train L with rmsprop(lr=0.01), steps=40, batch=3
""",
    "domains": """
dim n, k
data  X: real[n, k]
param s: positive[k], u: unit, w: simplex[k], S: spd[k, k], C: lower[k, k], v: nonnegative[k]
let r = X - w
let t = tr(inv(S) @ C @ C')/k + logdet(S) - sum(log(diagonal(C)))
loss L = mean(r^2/s) + sum(log(s)) + (u - 1/3)^2 + t + sum((v - w)^2)
train L with adamw(lr=0.02), steps=40
""",
    "recurrence": """
dim d, T
data x: real[T + 1, d], y: real[d]
param A: real[d, d] = normal(0.3), B: real[d, d] = glorot, h0: real[d] = zeros
let h[0] = h0
let h[t: 1..T] = tanh(A @ h[t-1] + B @ x[t])
loss L = sum((h[T] - y)^2) + sum(h^2)/T
train L with momentum(lr=0.01), steps=30
""",
    "vae": """
dim n, d
dim k = 2
data  x: binary[n, d]
param Wm: real[d, k], Wv: real[d, k], Wx: real[k, d]
let mu = x @ Wm
let lv = x @ Wv
dist q(z | x) = Normal(mu, exp(lv/2))
dist p(z) = Normal(zeros(k), 1)
dist p(x | z) = Bernoulli(sigmoid(z @ Wx))
loss L = -(E[z ~ q](log p(x | z)) - KL(q(z | x) || p(z)))/n
train L with adam(lr=0.01), steps=30, batch=4
""",
    "mixture": """
dim n, d
dim k = 2
data X: real[n, d]
param M: real[k, d] = normal(1), w: simplex[k]
let S = log(w) - sum((X[:, None, :] - M[None, :, :])^2, axis=2)/2
loss L = -sum(logsumexp(S, axis=1))/n
train L with lbfgs(), steps=20
""",
    "newton": """
dim n, d
data X: real[n, d], y: real[n]
param w: real[d], s: positive
loss L = norm(X @ w - y)^2/(2*s^2) + n*log(s) + w @ w
train L with newton(), steps=30
""",
}
SIZES = {"n": 7, "d": 3, "T": 5, "h": 5}


def data_for(name, dtype=np.float64):
    rng = np.random.default_rng(3)
    n, d, k, T = 7, 3, 4, 5
    X = rng.normal(size=(n, d))
    made = {
        "logistic": {"X": X, "y": (rng.random(n) > 0.4) * 1.0},
        "mlp": {"X": X, "Y": np.eye(k)[rng.integers(0, k, n)]},
        "domains": {"X": rng.normal(size=(n, k))},
        "recurrence": {"x": rng.normal(size=(T + 1, d)), "y": rng.normal(size=d)},
        "vae": {"x": (rng.random((n, d)) > 0.5) * 1.0},
        "mixture": {"X": np.vstack([X - 3, X + 3])},
        "newton": {"X": X, "y": X @ np.array([1.0, -2.0, 0.5]) + 0.1 * rng.normal(size=n)},
    }[name]
    return {key: a.astype(dtype) for key, a in made.items()}


@pytest.fixture(scope="module")
def modules():
    made = {}

    def module(name):
        if name not in made:
            made[name] = symgen.loads(SPECS[name]).compile()
        return made[name]

    return module


def start(m, name):
    sizes = {key: v for key, v in {**SIZES, "k": 2 if name in ("vae", "mixture") else 4}.items() if key in m.init.__kwdefaults__}
    return m.init(seed=1, **sizes)


RANDOM = {"vae"}


@pytest.mark.parametrize("name", SPECS)
def test_gradients_are_the_slopes_of_the_loss(modules, name):
    m, data = modules(name), data_for(name)
    params = start(m, name)
    more = {"seed": 5} if name in RANDOM else {}
    value, gradients = m.L_value_and_grad(params, data, **more)
    assert np.isscalar(value) and value == pytest.approx(m.L(params, data, **more), rel=1e-12)
    rng = np.random.default_rng(0)
    for key, g in gradients.items():
        assert np.shape(g) == np.shape(params[key])
        direction = rng.normal(size=np.shape(params[key]))
        if key in ("S",):
            direction = direction + direction.T
        if key in ("C",):
            direction = np.tril(direction)
        if key == "w" and name in ("domains", "mixture"):
            direction = direction - direction.mean()
        step = 1e-5
        up = m.L({**params, key: params[key] + step * direction}, data, **more)
        down = m.L({**params, key: params[key] - step * direction}, data, **more)
        assert np.sum(g * direction) == pytest.approx((up - down) / (2 * step), rel=2e-5, abs=1e-6), key


@pytest.mark.parametrize("name", SPECS)
def test_single_precision_goes_in_and_comes_out(modules, name):
    m = modules(name)
    params = {key: np.float32(v) for key, v in start(m, name).items()}
    more = {"seed": 5} if name in RANDOM else {}
    value, gradients = m.L_value_and_grad(params, data_for(name, np.float32), **more)
    assert all(g.dtype == np.float32 for g in gradients.values())
    if name not in RANDOM:
        exact = m.L({key: np.float64(v) for key, v in params.items()}, data_for(name))
        assert value == pytest.approx(exact, rel=1e-4)


@pytest.mark.parametrize("name", SPECS)
def test_training_goes_down_and_is_the_same_each_time(modules, name):
    m, data = modules(name), data_for(name)
    seen = []
    a = m.train(data, seed=2, callback=lambda step, value, params: seen.append(value))
    b = m.train(data, seed=2)
    assert all(np.array_equal(a[key], b[key]) for key in a)
    assert seen[-1] < seen[0] and len(seen) >= 5


@pytest.mark.parametrize("name", SPECS)
def test_training_that_stopped_goes_on_to_the_same_bits(modules, name):
    m, data = modules(name), data_for(name)
    states = []
    whole = m.train(data, seed=2, steps=12)
    m.train(data, seed=2, steps=5, checkpoint=states.append, every=5)
    again = m.train(data, seed=2, steps=12, state=states[-1])
    assert states[-1]["step"] == 5
    for key in whole:
        assert np.array_equal(whole[key], again[key]), key


def test_parameters_stay_in_their_domain(modules):
    m, data = modules("domains"), data_for("domains")

    def inside(step, value, p):
        assert np.all(p["s"] > 0) and 0 < p["u"] < 1 and np.all(p["v"] >= 0)
        assert np.all(p["w"] > 0) and np.isclose(p["w"].sum(), 1)
        assert np.allclose(p["S"], p["S"].T) and np.all(np.linalg.eigvalsh(p["S"]) > 0)
        assert np.allclose(p["C"], np.tril(p["C"])) and np.all(np.diag(p["C"]) > 0)

    m.train(data, steps=200, lr=0.1, callback=inside)


def test_second_order_methods_reach_the_optimum(modules):
    for name in ("newton", "mixture"):
        m, data = modules(name), data_for(name)
        params = m.train(data, steps=100)
        _, gradients = m.L_value_and_grad(params, data)
        free = {key: g - (params[key] @ g if key == "w" and name == "mixture" else 0) for key, g in gradients.items()}
        assert all(np.abs(g).max() < 1e-4 for g in free.values()), (name, free)


def test_the_door_names_the_array_that_does_not_fit(modules):
    m, data = modules("logistic"), data_for("logistic")
    params = start(m, "logistic")
    for wrong, word in [
        ({"X": data["X"]}, "y"),
        ({**data, "y": np.zeros(3)}, "y"),
        ({**data, "y": np.zeros((7, 1))}, "y"),
        ({**data, "y": ["a"] * 7}, "y"),
        ({**data, "X": np.full((7, 3), np.nan)}, "X"),
        ({**data, "X": [[1.0, 2.0, 3.0]] * 6 + [[1.0]]}, "X"),
    ]:
        with pytest.raises(ValueError, match=f"`{word}`"):
            m.L_value_and_grad(params, wrong)
        with pytest.raises(ValueError, match=f"`{word}`"):
            m.train(wrong, steps=2)
    with pytest.raises(ValueError, match="`w`"):
        m.L({"w": np.zeros(4), "b": 0.0}, data)
    with pytest.raises(ValueError, match="`d`"):
        m.init(seed=0)


def test_integers_and_lists_are_numbers(modules):
    m, data = modules("logistic"), data_for("logistic")
    params = start(m, "logistic")
    want = m.L_value_and_grad(params, data)
    got = m.L_value_and_grad(
        {"w": list(params["w"]), "b": float(params["b"])}, {"X": data["X"].tolist(), "y": data["y"].astype(int)}
    )
    assert got[0] == want[0] and np.array_equal(got[1]["w"], want[1]["w"])


def test_training_stops_where_numbers_end(modules):
    m, data = modules("mlp"), data_for("mlp")
    with pytest.raises(FloatingPointError, match=r"step \d+.*`\w+`"), np.errstate(all="ignore"):
        m.train(data, steps=50, lr=1e308)


def test_the_first_term_that_is_not_finite_is_named():
    spec = "dim n\ndata x: real[n]\nparam a: real = 3\nlet u = a*x\nlet v = exp(u)\nlet w = v - 1\nloss L = sum(w^2)\n"
    m = symgen.loads(spec).compile()
    with pytest.raises(FloatingPointError, match=r"step 1: L is inf.*`v`"), np.errstate(all="ignore"):
        m.train({"x": np.array([1.0, 900.0])}, steps=5)


def test_arrays_that_go_in_are_left_alone(modules):
    for name in SPECS:
        m, data = modules(name), data_for(name)
        params = start(m, name)
        before = {key: np.array(a) for key, a in (data | params).items()}
        m.L_value_and_grad(params, data)
        m.train(data, params, steps=3)
        assert all(np.array_equal(before[key], a) for key, a in (data | params).items()), name


@pytest.mark.parametrize("name", SPECS)
def test_the_source_is_plain(name):
    source = symgen.loads(SPECS[name]).generate()
    tree = ast.parse(source)
    imports = [n for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom))]
    assert [n.names[0].name for n in imports] == ["numpy"]
    assert "symgen" not in source.replace("made by symgen", "")
    assert max(map(len, source.split("\n"))) <= 200
    compile(source, name, "exec")


def test_names_that_python_or_the_module_use_themselves():
    spec = """
dim len, np
data  lambda: real[len, np], self: real[len]
param params: real[np], data: real, μ: positive, sigmoid: real, L_value_and_grad: real
let init = lambda @ params + data*sigmoid
let train = init - self
loss for = mean(train^2)*μ + (L_value_and_grad - 1)^2
derive init
"""
    m = symgen.loads(spec).compile()
    rng = np.random.default_rng(0)
    arrays = {"lambda": rng.normal(size=(4, 2)), "self": rng.normal(size=4)}
    params = m.init(np_=2)
    name = next(f for f in vars(m) if f.startswith("for") and f.endswith("_value_and_grad"))
    value, gradients = getattr(m, name)(params, arrays)
    fit = arrays["lambda"] @ params["params"] + params["data"] * params["sigmoid"] - arrays["self"]
    mu = next(key for key in params if key in ("μ", "mu"))
    assert value == pytest.approx(np.mean(fit**2) * params[mu] + (params["L_value_and_grad"] - 1) ** 2)
    assert set(gradients) == set(params)
    trained = m.train(arrays, steps=3)
    assert set(trained) == set(params)
    for n in ast.walk(ast.parse(symgen.loads(spec).generate())):
        if isinstance(n, ast.FunctionDef):
            assert not keyword.iskeyword(n.name) and n.name not in dir(builtins)

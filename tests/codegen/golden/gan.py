def _gan_values_and_grads(X, a, b, u, v, rng, samples):
    n, = X.shape
    dtype = X.dtype
    eps_z = rng.standard_normal((samples,), dtype)
    t1 = b * eps_z + a
    t2 = u * t1 + v
    t3 = u * X + v
    t4 = -t3
    t5 = sigmoid(t2)
    du = X @ sigmoid(t4) / n - t1 @ t5 / samples
    t6 = t5.sum() / samples
    dv = (n - sigmoid(t3).sum()) / n - t6
    t7 = -t2
    da = u * (1 - t6)
    db = u * (eps_z @ sigmoid(t7)) / samples
    return {"u": -(softplus(t2).sum() / samples) + -(softplus(t4).sum() / n), "a": -(softplus(t7).sum() / samples)}, {"u": du, "v": dv, "a": da, "b": db}


def init(seed=0, *, n=None, dtype=np.float64):
    """Parameters to start from.

    a: 0
    b: 1
    u: 0.1
    v: 0
    """
    rng = np.random.default_rng(seed)
    return {
        "a": initial(rng, "number", 0.0, (), "real", dtype),
        "b": initial(rng, "number", 1.0, (), "positive", dtype),
        "u": initial(rng, "number", 0.1, (), "real", dtype),
        "v": initial(rng, "number", 0.0, (), "real", dtype),
    }


def _gan_u(X, a, b, u, v, rng, samples):
    n, = X.shape
    dtype = X.dtype
    eps_z = rng.standard_normal((samples,), dtype)
    t1 = b * eps_z + a
    t2 = u * t1 + v
    t3 = u * X + v
    t4 = -t3
    t5 = sigmoid(t2)
    du = X @ sigmoid(t4) / n - t1 @ t5 / samples
    dv = (n - sigmoid(t3).sum()) / n - t5.sum() / samples
    return {"u": -(softplus(t2).sum() / samples) + -(softplus(t4).sum() / n)}, {"u": du, "v": dv}


def _gan_a(a, b, u, v, rng, samples):
    dtype = a.dtype
    eps_z = rng.standard_normal((samples,), dtype)
    t1 = u * (b * eps_z + a) + v
    t2 = -t1
    da = u * (1 - sigmoid(t1).sum() / samples)
    db = u * (eps_z @ sigmoid(t2)) / samples
    return {"a": -(softplus(t2).sum() / samples)}, {"a": da, "b": db}


def train(
    data, params=None, *,
    steps=400, seed=1, batch=32, samples=32, lr=0.02, beta1=0.9, beta2=0.999, eps=1e-08, callback=None, state=None,
    checkpoint=None, every=100, n=None,
):
    """Play the game gan: the players step in turn, by Adam (Kingma and Ba (2015), algorithm 1).

    A minibatch takes `batch` rows of X at a time (None: all rows). `callback(step, payoffs, params)` is called
    after each step; `checkpoint(state)` every `every` steps and at the end, with all that `state=` needs to go on
    to the same bits. Returns the parameters.
    """
    data, params = started(
        SHAPES, ("X",), ("a", "b", "u", "v"), data, params,
        lambda dtype, s: init(seed, dtype=dtype), {"n": n},
    )
    rng = np.random.default_rng(seed)

    def evaluate(params, data, rng, who):
        return (
            lambda: _gan_u(data["X"], params["a"], params["b"], params["u"], params["v"], rng, samples),
            lambda: _gan_a(params["a"], params["b"], params["u"], params["v"], rng, samples),
        )[who[0]]()

    return play(
        evaluate, (("u", "v"), ("a", "b"),), (-1, -1), params, data, DOMAINS, "alternating", adam, {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps}, steps,
        batch, ("X",), rng, callback, state, checkpoint, every, "gan",
        lambda params: {},
    )

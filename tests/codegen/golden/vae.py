def _L(x, Wm, Wv, Wx, rng):
    n = x.shape[0]
    dtype = x.dtype
    eps_z = rng.standard_normal((n, 2), dtype)
    lv = x @ Wv
    mu = x @ Wm
    t1 = lv / 2
    t2 = -cross_entropy_of_logit(((mu + np.exp(t1) * eps_z) @ Wx), x).sum() - ((mu ** 2 / 2 + np.exp(lv) / 2 - t1).sum() - n)
    L = -(t2 / n)
    return L


def _L_value_and_grad(x, Wm, Wv, Wx, rng):
    n = x.shape[0]
    dtype = x.dtype
    eps_z = rng.standard_normal((n, 2), dtype)
    lv = x @ Wv
    mu = x @ Wm
    t1 = lv / 2
    t2 = np.exp(t1) * eps_z
    t3 = mu + t2
    t4 = t3 @ Wx
    t5 = sigmoid(t4)
    np.subtract(x, t5, out=t5)
    t6 = t5 @ (-Wx / n).T
    # mu/n + E[eps_z ~ normal](-(x - sigmoid((mu + eps_z*exp(lv/2)) @ Wx)) @ Wx'/n)
    delta_mu = mu / n + t6
    t7 = np.exp(lv)
    delta_lv = (t7 / n + t2 * t6 - 1 / n) / 2
    L = -((-cross_entropy_of_logit(t4, x).sum() - ((mu ** 2 / 2 + t7 / 2 - t1).sum() - n)) / n)
    dWm = x.T @ delta_mu
    dWv = x.T @ delta_lv
    dWx = -(t3.T @ t5 / n)
    return L, {"Wm": dWm, "Wv": dWv, "Wx": dWx}


def init(seed=0, *, n=None, d=None, dtype=np.float64):
    """Parameters to start from.

    Wm: Glorot (2010), uniform
    Wv: Glorot (2010), uniform
    Wx: Glorot (2010), uniform
    """
    d = needed("d", d)
    rng = np.random.default_rng(seed)
    return {
        "Wm": initial(rng, "glorot", 0.0, (d, 2), "real", dtype),
        "Wv": initial(rng, "glorot", 0.0, (d, 2), "real", dtype),
        "Wx": initial(rng, "glorot", 0.0, (2, d), "real", dtype),
    }


def train(
    data, params=None, *,
    steps=30, seed=0, batch=4, samples=1, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-08, callback=None, state=None,
    checkpoint=None, every=100, n=None, d=None,
):
    """Minimise L by Wm, Wv, Wx with Adam (Kingma and Ba (2015), algorithm 1).

    A minibatch takes `batch` rows of x at a time (None: all rows). `callback(step, value, params)` is called after
    each step; `checkpoint(state)` every `every` steps and at the end, with all that `state=` needs to go on to the
    same bits. Returns the parameters.
    """
    data, params = started(
        SHAPES, ("x",), ("Wm", "Wv", "Wx"), data, params,
        lambda dtype, s: init(seed, d=s.get("d"), dtype=dtype), {"n": n, "d": d},
    )
    rng = np.random.default_rng(seed)

    def evaluate(params, data, rng):
        return averaged([_L_value_and_grad(data["x"], params["Wm"], params["Wv"], params["Wx"], rng) for _ in range(samples)])

    return minimise(
        evaluate, params, data, ("Wm", "Wv", "Wx"), DOMAINS, adam, {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps}, steps,
        batch, ("x",), rng, callback, state, checkpoint, every, "L",
        lambda params: {},
    )

def _L(X, y, w, b, lam):
    n = X.shape[0]
    # lam*(w @ w)/2 - sum(y*log(p) + (1 - y)*log(1 - p))/n
    L = cross_entropy_of_logit((X @ w + b), y).sum() / n + lam * (w @ w) / 2
    return L


def _L_value_and_grad(X, y, w, b, lam):
    n = X.shape[0]
    t1 = X @ w + b
    # lam*(w @ w)/2 - sum(y*log(p) + (1 - y)*log(1 - p))/n
    L = cross_entropy_of_logit(t1, y).sum() / n + lam * (w @ w) / 2
    # sigmoid(X @ w + b)
    p = sigmoid(t1)
    t2 = p - y
    dw = X.T @ t2 / n + lam * w
    db = t2.sum() / n
    return L, {"w": dw, "b": db}


def _g(X, y, w, b, lam):
    n = X.shape[0]
    p = sigmoid(X @ w + b)
    g = X.T @ (p - y) / n + lam * w
    return g


def init(seed=0, *, n=None, d=None, dtype=np.float64):
    """Parameters to start from.

    w: near 0
    b: near 0
    """
    d = needed("d", d)
    rng = np.random.default_rng(seed)
    return {
        "w": initial(rng, "small", 0.0, (d,), "real", dtype),
        "b": initial(rng, "small", 0.0, (), "real", dtype),
    }


def _terms(X, w, b):
    p = sigmoid(X @ w + b)
    return {"p": p}


def train(
    data, params=None, *,
    steps=40, seed=0, batch=4, lr=0.05, beta1=0.9, beta2=0.999, eps=1e-08, lam=0.001, callback=None, state=None,
    checkpoint=None, every=100, n=None, d=None,
):
    """Minimise L by w, b with Adam (Kingma and Ba (2015), algorithm 1).

    A minibatch takes `batch` rows of X, y at a time (None: all rows). `callback(step, value, params)` is called
    after each step; `checkpoint(state)` every `every` steps and at the end, with all that `state=` needs to go on
    to the same bits. Returns the parameters.
    """
    data, params = started(
        SHAPES, ("X", "y"), ("w", "b"), data, params,
        lambda dtype, s: init(seed, d=s.get("d"), dtype=dtype), {"n": n, "d": d},
    )
    rng = np.random.default_rng(seed)

    def evaluate(params, data, rng):
        return _L_value_and_grad(data["X"], data["y"], params["w"], params["b"], lam)

    return minimise(
        evaluate, params, data, ("w", "b"), DOMAINS, adam, {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps}, steps,
        batch, ("X", "y"), rng, callback, state, checkpoint, every, "L",
        lambda params: _terms(data["X"], params["w"], params["b"]),
    )

def _L(X, Y, W1, b1, W2, b2):
    n = X.shape[0]
    H = X @ W1
    H += b1
    np.tanh(H, out=H)
    # -sum(Y*log(P))/n
    L = -(np.vdot(Y, log_softmax(H @ W2 + b2)) / n)
    return L


def _L_value_and_grad(X, Y, W1, b1, W2, b2):
    n = X.shape[0]
    H = X @ W1
    H += b1
    np.tanh(H, out=H)
    P, log_P = softmax_and_log(H @ W2 + b2)
    # -sum(Y*log(P))/n
    L = -(np.vdot(Y, log_P) / n)
    t1 = np.subtract(P, Y, out=P)
    t2 = t1 @ (W2 / n).T
    t2 *= 1 - H ** 2
    dW1 = X.T @ t2
    db1 = column_sums(t2)
    dW2 = H.T @ t1 / n
    db2 = column_sums(t1) / n
    return L, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


def init(seed=0, *, n=None, d=None, k=None, dtype=np.float64):
    """Parameters to start from.

    W1: Glorot (2010), uniform
    b1: 0
    W2: He (2015), normal
    b2: 0
    """
    d = needed("d", d)
    k = needed("k", k)
    rng = np.random.default_rng(seed)
    return {
        "W1": initial(rng, "glorot", 0.0, (d, 5), "real", dtype),
        "b1": initial(rng, "number", 0.0, (5,), "real", dtype),
        "W2": initial(rng, "he", 0.0, (5, k), "real", dtype),
        "b2": initial(rng, "number", 0.0, (k,), "real", dtype),
    }


def _terms(X, W1, b1, W2, b2):
    H = X @ W1
    H += b1
    np.tanh(H, out=H)
    P = softmax(H @ W2 + b2)
    return {"H": H, "P": P}


def train(
    data, params=None, *,
    steps=40, seed=0, batch=3, lr=0.01, rho=0.9, eps=1e-08, callback=None, state=None, checkpoint=None, every=100,
    n=None, d=None, k=None,
):
    """Minimise L by W1, b1, W2, b2 with RMSprop (Tieleman and Hinton (2012)).

    A minibatch takes `batch` rows of X, Y at a time (None: all rows). `callback(step, value, params)` is called
    after each step; `checkpoint(state)` every `every` steps and at the end, with all that `state=` needs to go on
    to the same bits. Returns the parameters.
    """
    data, params = started(
        SHAPES, ("X", "Y"), ("W1", "b1", "W2", "b2"), data, params,
        lambda dtype, s: init(seed, d=s.get("d"), k=s.get("k"), dtype=dtype), {"n": n, "d": d, "k": k},
    )
    rng = np.random.default_rng(seed)

    def evaluate(params, data, rng):
        return _L_value_and_grad(data["X"], data["Y"], params["W1"], params["b1"], params["W2"], params["b2"])

    return minimise(
        evaluate, params, data, ("W1", "b1", "W2", "b2"), DOMAINS, rmsprop, {"lr": lr, "rho": rho, "eps": eps}, steps,
        batch, ("X", "Y"), rng, callback, state, checkpoint, every, "L",
        lambda params: _terms(data["X"], params["W1"], params["b1"], params["W2"], params["b2"]),
    )

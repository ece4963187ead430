def _L(x, y, A, B, h0):
    d = x.shape[1]
    T = x.shape[0] - 1
    dtype = x.dtype
    h = np.empty((T + 1, d), dtype)
    h[0] = h0
    for t in range(1, (T + 1)):
        h[t] = np.tanh(B @ x[t] + A @ h[t - 1])
    t1 = h[inside(T, T + 1)] - y
    # norm(h[T] - y)^2 + norm(h)^2/T
    L = t1 @ t1 + np.vdot(h, h) / T
    return L


def _L_value_and_grad(x, y, A, B, h0):
    d = x.shape[1]
    T = x.shape[0] - 1
    dtype = x.dtype
    h = np.empty((T + 1, d), dtype)
    h[0] = h0
    for t in range(1, (T + 1)):
        h[t] = np.tanh(B @ x[t] + A @ h[t - 1])
    t1 = h[inside(T, T + 1)]
    t2 = t1 - y
    # norm(h[T] - y)^2 + norm(h)^2/T
    L = t2 @ t2 + np.vdot(h, h) / T
    t3 = 2 * t1
    delta_h = np.empty((T + 1, d), dtype)
    delta_h[(T + 1) - 1] = t3 / T + t3 - 2 * y
    for t_ in range((T + 1) - 2, -1, -1):
        delta_h[t_] = A.T @ ((1 - h[1 + t_] ** 2) * delta_h[1 + t_]) + 2 * h[t_] / T
    t4 = ((1 - h[1:] ** 2) * delta_h[1:]).T
    dA = t4 @ h[:T]
    dB = t4 @ x[1:]
    return L, {"A": dA, "B": dB, "h0": delta_h[0]}


def init(seed=0, *, T=None, d=None, dtype=np.float64):
    """Parameters to start from.

    A: normal, standard deviation 0.3
    B: Glorot (2010), uniform
    h0: 0
    """
    d = needed("d", d)
    rng = np.random.default_rng(seed)
    return {
        "A": initial(rng, "normal", 0.3, (d, d), "real", dtype),
        "B": initial(rng, "glorot", 0.0, (d, d), "real", dtype),
        "h0": initial(rng, "number", 0.0, (d,), "real", dtype),
    }


def _terms(x, A, B, h0):
    d = x.shape[1]
    T = x.shape[0] - 1
    dtype = x.dtype
    h = np.empty((T + 1, d), dtype)
    h[0] = h0
    for t in range(1, (T + 1)):
        h[t] = np.tanh(B @ x[t] + A @ h[t - 1])
    return {"h": h}


def train(
    data, params=None, *,
    steps=30, seed=0, batch=None, lr=0.01, beta=0.9, callback=None, state=None, checkpoint=None, every=100, T=None,
    d=None,
):
    """Minimise L by A, B, h0 with gradient descent with momentum (Polyak (1964)).

    `callback(step, value, params)` is called after each step; `checkpoint(state)` every `every` steps and at the
    end, with all that `state=` needs to go on to the same bits. Returns the parameters.
    """
    if batch is not None:
        raise ValueError("these data have no axis of rows that could be split into batches")
    data, params = started(
        SHAPES, ("x", "y"), ("A", "B", "h0"), data, params,
        lambda dtype, s: init(seed, d=s.get("d"), dtype=dtype), {"T": T, "d": d},
    )
    rng = np.random.default_rng(seed)

    def evaluate(params, data, rng):
        return _L_value_and_grad(data["x"], data["y"], params["A"], params["B"], params["h0"])

    return minimise(
        evaluate, params, data, ("A", "B", "h0"), DOMAINS, momentum, {"lr": lr, "beta": beta}, steps,
        batch, (), rng, callback, state, checkpoint, every, "L",
        lambda params: _terms(data["x"], params["A"], params["B"], params["h0"]),
    )

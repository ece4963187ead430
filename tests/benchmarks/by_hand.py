"""Losses with gradients as an expert writes them in NumPy: what generated code is measured against."""

import numpy as np


def softmax_regression(X, Y, W, b, lam):
    n = len(X)
    Z = X @ W
    Z += b
    Z -= Z.max(axis=1, keepdims=True)
    P = np.exp(Z)
    s = P.sum(axis=1, keepdims=True)
    L = (np.log(s).sum() - np.vdot(Y, Z)) / n + lam / 2 * np.vdot(W, W)
    P /= s
    P -= Y
    P /= n
    dW = X.T @ P
    dW += lam * W
    return L, {"W": dW, "b": P.sum(axis=0)}


def mlp(X, Y, weights):
    """Layers of tanh, softmax at the end; `weights` = [(W, b), ..]."""
    n = len(X)
    H = [X]
    for W, b in weights[:-1]:
        A = H[-1] @ W
        A += b
        H.append(np.tanh(A, out=A))
    W, b = weights[-1]
    Z = H[-1] @ W
    Z += b
    Z -= Z.max(axis=1, keepdims=True)
    P = np.exp(Z)
    s = P.sum(axis=1, keepdims=True)
    L = (np.log(s).sum() - np.vdot(Y, Z)) / n
    P /= s
    P -= Y
    P /= n
    gradients, D = [], P
    for k in range(len(weights) - 1, -1, -1):
        gradients.append((H[k].T @ D, D.sum(axis=0)))
        if k:
            D = D @ weights[k][0].T
            T = H[k] * H[k]
            np.subtract(1, T, out=T)
            D *= T
    return L, gradients[::-1]


def vae(x, p, eps):
    """The negative ELBO of a Bernoulli VAE, tanh layers, per image."""
    n = len(x)
    a = x @ p["We"]
    a += p["be"]
    np.tanh(a, out=a)
    mu = a @ p["Wm"]
    mu += p["bm"]
    lv = a @ p["Wv"]
    lv += p["bv"]
    s = np.exp(lv / 2)
    z = s * eps
    z += mu
    h = z @ p["Wd"]
    h += p["bd"]
    np.tanh(h, out=h)
    o = h @ p["Wx"]
    o += p["bx"]
    e = np.exp(-np.abs(o))
    rebuilt = np.log1p(e).sum() + np.maximum(o, 0).sum() - np.vdot(x, o)
    L = (rebuilt + 0.5 * (np.vdot(mu, mu) + np.vdot(s, s) - lv.sum() - lv.size)) / n
    do = 1 / (1 + np.exp(-o))
    do -= x
    do /= n
    dh = do @ p["Wx"].T
    dh *= 1 - h * h
    dz = dh @ p["Wd"].T
    dmu = mu / n
    dmu += dz
    dlv = 0.5 * (dz * eps * s + (s * s - 1) / n)
    da = dmu @ p["Wm"].T
    da += dlv @ p["Wv"].T
    da *= 1 - a * a
    return L, {
        "We": x.T @ da, "be": da.sum(axis=0), "Wm": a.T @ dmu, "bm": dmu.sum(axis=0),
        "Wv": a.T @ dlv, "bv": dlv.sum(axis=0),
        "Wd": z.T @ dh, "bd": dh.sum(axis=0), "Wx": h.T @ do, "bx": do.sum(axis=0),
    }  # fmt: skip


def gan(X, p, eps):
    """Both players' payoffs and gradients at once: V = mean log D(X) + mean log(1 - D(G)), W = mean log D(G)."""
    n, m = len(X), len(eps)
    g = eps @ p["A1"]
    g += p["a1"]
    np.tanh(g, out=g)
    G = g @ p["A2"]
    G += p["a2"]
    r = X @ p["B1"]
    r += p["b1"]
    np.tanh(r, out=r)
    zr = r @ p["B2"] + p["b2"]
    f = G @ p["B1"]
    f += p["b1"]
    np.tanh(f, out=f)
    zf = f @ p["B2"] + p["b2"]

    def softplus(z):
        return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))

    V = -softplus(-zr).sum() / n - softplus(zf).sum() / m
    W = -softplus(-zf).sum() / m
    sr = 1 / (1 + np.exp(zr)) / n  # dV/dzr
    sf = -1 / (1 + np.exp(-zf)) / m  # dV/dzf
    wf = 1 / (1 + np.exp(zf)) / m  # dW/dzf
    slope = 1 - f * f
    dr = np.outer(sr, p["B2"])
    dr *= 1 - r * r
    df = np.outer(sf, p["B2"])
    df *= slope
    dG = np.outer(wf, p["B2"])
    dG *= slope
    dG = dG @ p["B1"].T
    dg = dG @ p["A2"].T
    dg *= 1 - g * g
    return (V, W), {
        "B1": X.T @ dr + G.T @ df, "b1": dr.sum(axis=0) + df.sum(axis=0),
        "B2": sr @ r + sf @ f, "b2": sr.sum() + sf.sum(),
        "A1": eps.T @ dg, "a1": dg.sum(axis=0), "A2": g.T @ dG, "a2": dG.sum(axis=0),
    }  # fmt: skip

"""What generated modules carry: functions without overflow, the door that checks arrays, optimisers' loops.

A module gets the source of those functions of this file that it uses, and of what they use; so they need NumPy alone,
and call nothing of symgen. `sources` picks them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# --- functions on elements, exact to the last digits ------------------------------------------------------------------


def sigmoid(z: Any, out: Any = None) -> Any:
    """1/(1 + exp(-z)), exact in both tails."""
    with np.errstate(over="ignore"):  # exp(-z) = inf gives 0, as it should
        s = np.negative(z, out=out)
        s = np.exp(s, out=s if np.ndim(s) else None)
        s += 1
        return np.divide(1, s, out=s if np.ndim(s) else None)


def softplus(z: Any) -> Any:
    """log(1 + exp(z)) without overflow."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def cross_entropy_of_logit(z: Any, y: Any) -> Any:
    """-y*log(p) - (1 - y)*log(1 - p) for p = sigmoid(z): max(z, 0) - y*z + log(1 + exp(-|z|))."""
    t = np.exp(-np.abs(z))
    return np.log1p(t) + (np.maximum(z, 0) - y * z)


def softmax(Z: Any) -> Any:
    """exp(Z)/sum(exp(Z)) over the last axis, without overflow; 0 where all of Z is -inf."""
    top = Z.max(axis=-1, keepdims=True)
    E = Z - np.where(top == -np.inf, 0, top)
    np.exp(E, out=E)
    total = E.sum(axis=-1, keepdims=True)
    E /= np.where(total == 0, 1, total)
    return E


def softmax_and_log(Z: Any) -> Any:
    """softmax(Z) and its logarithm over the last axis, by one exponential."""
    log_P = Z - Z.max(axis=-1, keepdims=True)
    P = np.exp(log_P)
    total = P.sum(axis=-1, keepdims=True)
    P /= total
    log_P -= np.log(total)
    return P, log_P


def column_sums(A: Any) -> Any:
    """The sum over the first axis; of many rows as a matrix product, which is several times as fast."""
    return A.sum(axis=0) if len(A) < 128 else np.ones(len(A), A.dtype) @ A


def logsumexp(Z: Any) -> Any:
    """log(sum(exp(Z))) over the last axis, without overflow."""
    top = Z.max(axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):  # the log of a sum of zeros is -inf
        return np.log(np.exp(Z - top).sum(axis=-1)) + top[..., 0]


def log_softmax(Z: Any) -> Any:
    """Z - log(sum(exp(Z))) over the last axis, without overflow."""
    Z = Z - Z.max(axis=-1, keepdims=True)
    return Z - np.log(np.exp(Z).sum(axis=-1, keepdims=True))


def xlogy(x: Any, y: Any) -> Any:
    """x*log(y), and 0 where x is 0."""
    return x * np.log(np.where(x == 0, 1, y))


def logdet(A: Any) -> Any:
    """log|det A|."""
    return np.linalg.slogdet(A)[1]


def logdet_spd(A: Any) -> Any:
    """log(det A) of a symmetric positive definite A, from its Cholesky factor."""
    L = np.linalg.cholesky(A)
    return 2 * np.log(np.diagonal(L, axis1=-2, axis2=-1)).sum(axis=-1)


def eigvals(A: Any) -> Any:
    """The eigenvalues of the symmetric part, ascending."""
    return np.linalg.eigvalsh((A + np.swapaxes(A, -1, -2)) / 2)


def eigvecs(A: Any) -> Any:
    """The eigenvectors of the symmetric part as columns, the sum of each at least 0."""
    V = np.linalg.eigh((A + np.swapaxes(A, -1, -2)) / 2)[1]
    return V * np.where(V.sum(axis=-2, keepdims=True) < 0, -1, 1)


def sqrtm(A: Any) -> Any:
    """The root of a symmetric positive semidefinite A."""
    s, V = np.linalg.eigh((A + np.swapaxes(A, -1, -2)) / 2)
    return (V * np.sqrt(np.maximum(s, 0))[..., None, :]) @ np.swapaxes(V, -1, -2)


def polar(A: Any) -> Any:
    """U V' for the singular value decomposition A = U S V': the nearest matrix with orthonormal columns."""
    U, _, Vt = np.linalg.svd(A, full_matrices=False)
    return U @ Vt


def matrix_power(A: Any, k: Any) -> Any:
    """A^k for a whole number k."""
    if float(k) != round(float(k)):
        raise ValueError(f"the exponent of a matrix power is a whole number, not {k}")
    return np.linalg.matrix_power(A, round(float(k)))


# --- positions --------------------------------------------------------------------------------------------------------


def inside(i: Any, size: int) -> Any:
    """The position i, which has to be one of 0 .. size-1."""
    if not 0 <= i < size:
        raise IndexError(f"there is no entry {i} on an axis of {size}")
    return i


def all_inside(i: Any, size: int) -> Any:
    """The positions i, each of which has to be one of 0 .. size-1."""
    if i.size and not (0 <= i.min() and i.max() < size):
        raise IndexError(f"the entries {i.min()} .. {i.max()} do not lie on an axis of {size}")
    return i


def put(shape: Any, where: Any, values: Any, dtype: Any) -> Any:
    """Zeros of a shape, with `values` at `where`."""
    out = np.zeros(shape, dtype)
    out[where] = values
    return out


def put_added(shape: Any, where: Any, values: Any, dtype: Any) -> Any:
    """Zeros of a shape, with the rows of `values` added at the positions `where` of the first axis."""
    out = np.zeros(shape, dtype)
    np.add.at(out, where, values)
    return out


# --- the door ---------------------------------------------------------------------------------------------------------


def shown_sizes(shapes: Any, arrays: Any, sizes: Any) -> Any:
    """The sizes that the arrays show; raises ValueError naming the array that contradicts what is known."""
    sizes = {name: int(size) for name, size in sizes.items() if size is not None}
    origin = dict.fromkeys(sizes, "the keyword")
    for name, array in arrays.items():
        if array.ndim != len(shapes[name]):
            raise ValueError(f"`{name}` has {array.ndim} axes, and should have {len(shapes[name])}")
    pending = [(name, k, size) for name in arrays for k, size in enumerate(shapes[name])]
    for name, k, size in pending:
        if isinstance(size, str) and size not in sizes:
            sizes[size], origin[size] = arrays[name].shape[k], f"`{name}`"
    for name, k, size in pending:  # 2*d + 1: a size, how it is computed, how it is solved for
        if isinstance(size, tuple) and size[0] not in sizes and all(s in sizes for s in size[3]):
            sizes[size[0]], origin[size[0]] = size[2](sizes, arrays[name].shape[k]), f"`{name}`"
    for name, k, size in pending:
        length = arrays[name].shape[k]
        if isinstance(size, str):
            wanted, why = sizes[size], f"{size} = {sizes[size]} by {origin[size]}"
        elif isinstance(size, int):
            wanted, why = size, "by declaration"
        else:
            wanted, why = size[1](sizes), ", ".join(f"{s} = {sizes[s]}" for s in (size[0], *size[3]))
        if length != wanted:
            raise ValueError(f"axis {k} of `{name}` has length {length}, and should have {wanted} ({why})")
    return sizes


def real_array(name: str, value: Any) -> Any:
    """`value` as an array of real numbers; integers and truth values become float64."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"`{name}` is not an array: its rows differ in length") from None
    if array.dtype.kind in "iub":
        return array.astype(np.float64)
    if array.dtype.kind != "f":
        raise ValueError(f"`{name}` holds {array.dtype}, and should hold real numbers")
    return array


def checked(shapes: Any, names: Any, places: Any, sizes: Any) -> Any:
    """The named arrays as floats of one dtype (that of the first place that holds floats), and their sizes."""
    found = {}
    for name, place in zip(names, places):
        if place is None or name not in place:
            raise ValueError(f"`{name}` is missing")
        found[name] = real_array(name, place[name])
    dtype = np.result_type(*(a for a in found.values())) if found else np.dtype(np.float64)
    sizes = shown_sizes(shapes, found, sizes)
    return {name: a.astype(dtype, copy=False)[()] for name, a in found.items()}, sizes


def known(places: Any, shapes: Any) -> None:
    """Raises ValueError for a number under a name that the model lacks; a file of data may hold more arrays."""
    for place in places:
        for name, value in (place or {}).items():
            number = value.shape == () if hasattr(value, "shape") else isinstance(value, (int, float))
            if number and name not in shapes:
                raise ValueError(f"`{name}` is neither data nor a parameter of the model; a constant is a keyword")


def spelled(place: Any, letters: Any) -> Any:
    """The arrays under the names of the module; a name may also be spelled as in the spec, `λ` for lambda."""
    if place is None or letters.keys().isdisjoint(place):
        return place
    return {letters.get(name, name): value for name, value in place.items()}


def door(names: Any, places: Any, shapes: Any, sizes: Any, seen: Any) -> Any:
    """The named arrays from their places as floats of one dtype that fit each other; raises ValueError naming one that
    does not. Shapes that came before are known to fit."""
    try:
        found = [place[name] for name, place in zip(names, places)]
        key = (names, *[(a.dtype, a.shape) for a in found])
        if key in seen and not sizes and places[0].keys() <= shapes.keys() >= places[-1].keys():
            return found
    except (KeyError, TypeError, AttributeError):
        key = None
    known((places[0], places[-1]), shapes)
    arrays, _ = checked(shapes, names, places, sizes)
    if key is not None and all(a.dtype == b.dtype for a, b in zip(arrays.values(), found)):
        if len(seen) > 1000:
            seen.clear()
        seen.add(key)
    return list(arrays.values())


def belonging(domain: str, x: Any, top: Any = None) -> Any:
    """What a domain holds, in words, and which entries of x (rows, for a probability vector; matrices, for a set of
    them) belong to it. Rounding is forgiven where a set is given by equations."""
    t, n = np.swapaxes(x, -1, -2) if x.ndim > 1 else x, np.arange(x.shape[-1] if x.ndim else 0)
    near = 1e-4 * (1 + np.abs(x))

    def largest(a: Any) -> Any:
        return (np.abs(a) <= near).all(axis=(-2, -1))

    if domain in ("positive", "nonnegative"):
        return f"a {domain} number", x > 0 if domain == "positive" else x >= 0
    if domain == "unit":
        return "a number between 0 and 1", (x >= 0) & (x <= 1)  # of certain events, divergences have limits
    if domain == "integer":
        return "an integer", x == np.round(x)
    if domain == "binary":
        return "0 or 1", (x == 0) | (x == 1)
    if domain in ("natural", "label"):
        words = "a whole number 0, 1, .." if top is None else f"a label, one of 0 .. {top - 1}"
        return words, (x == np.round(x)) & (x >= 0) & (x < (np.inf if top is None else top))
    if domain == "onehot":
        return "a vector of zeros and one 1", ((x == 0) | (x == 1)).all(axis=-1) & (x.sum(axis=-1) == 1)
    if domain == "simplex":
        return "a probability vector (its sum is 1)", (x >= 0).all(axis=-1) & (np.abs(x.sum(axis=-1) - 1) <= 1e-4)
    if domain == "symmetric":
        return "a symmetric matrix", largest(x - t)
    if domain == "skew":
        return "a skew-symmetric matrix", largest(x + t)
    if domain == "diagonal":
        return "a diagonal matrix", largest(x * (1 - np.eye(len(n))))
    if domain == "orthogonal":
        return "an orthogonal matrix", largest(x @ t - np.eye(len(n)))
    if domain == "lower":
        words = "a lower triangular matrix with positive diagonal"
        return words, largest(np.triu(x, 1)) & (x[..., n, n] > 0).all(axis=-1)
    if domain in ("spd", "psd"):
        low = np.linalg.eigvalsh((x + t) / 2).min(axis=-1)
        words = f"a symmetric positive {'definite' if domain == 'spd' else 'semidefinite'} matrix"
        return words, largest(x - t) & ((low > 0) | (domain == "psd") & (low >= -near.max(axis=(-2, -1))))
    return "a number", np.isfinite(x)


def within(name: str, x: Any, domain: str, top: Any = None) -> None:
    """Raises ValueError naming the first entry of x that lies outside its domain; labels are 0 .. top - 1."""
    x = np.asarray(x)
    words, belongs = belonging(domain, x, top) if np.isfinite(x).all() else ("a finite number", np.isfinite(x))
    if not np.all(belongs):
        where = tuple(int(i) for i in np.argwhere(~belongs)[0])
        found = x[where]
        text = f"{found:.6g}" if found.ndim == 0 else np.array2string(found, precision=4, threshold=8)
        place = f"[{', '.join(map(str, where))}]" if where else ""
        raise ValueError(f"`{name}{place}` is {text}, and should be {words}")


def blame(value: Any, arrays: Any) -> None:
    """Raises ValueError naming an array that is not finite, where `value` is not."""
    if not np.all(np.isfinite(value)):
        for name, array in arrays.items():
            if not np.all(np.isfinite(array)):
                raise ValueError(f"`{name}` holds values that are not finite")


def averaged(results: Any) -> Any:
    """The mean of values, of (value, gradients), or of (values, gradients)."""
    first = results[0]
    if isinstance(first, tuple):
        return tuple(averaged([r[k] for r in results]) for k in range(len(first)))
    if isinstance(first, dict):
        return {name: averaged([r[name] for r in results]) for name in first}
    return sum(results[1:], first) / len(results) if len(results) > 1 else first


def needed(name: str, size: Any) -> Any:
    """A size that has to be given."""
    if size is None:
        raise ValueError(f"no array shows the size `{name}`: give it as a keyword, {name}=..")
    return int(size)


# --- parameters that stay in their domain -----------------------------------------------------------------------------


def lower_factor(u: Any) -> Any:
    """The lower triangular matrix with diagonal exp(u_ii)."""
    L = np.tril(u, -1)
    n = np.arange(u.shape[-1])
    L[..., n, n] = np.exp(u[..., n, n])
    return L


def freed_factor(L: Any) -> Any:
    """u with lower_factor(u) = L."""
    u = np.tril(L)
    n = np.arange(L.shape[-1])
    u[..., n, n] = np.log(L[..., n, n])
    return u


def pulled_factor(u: Any, L: Any, G: Any) -> Any:
    """The gradient by u of what has the gradient G by L = lower_factor(u)."""
    g = np.tril(G)
    n = np.arange(u.shape[-1])
    g[..., n, n] *= L[..., n, n]
    return g


def constrained(domain: str, u: Any) -> Any:
    """The point of a domain at the free coordinates u."""
    if domain == "positive":
        return np.exp(u)
    if domain == "unit":
        return 1 / (1 + np.exp(-u))
    if domain == "simplex":
        e = np.exp(u - u.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)
    if domain == "spd":
        L = lower_factor(u)
        return L @ np.swapaxes(L, -1, -2)
    if domain == "lower":
        return lower_factor(u)
    return u


def freed(domain: str, x: Any) -> Any:
    """Free coordinates of a point of a domain."""
    with np.errstate(all="ignore"):
        if domain in ("positive", "simplex"):
            return np.log(x)
        if domain == "unit":
            return np.log(x) - np.log1p(-x)
    if domain == "spd":
        return freed_factor(np.linalg.cholesky(x))
    if domain == "lower":
        return freed_factor(x)
    return x


def pulled(domain: str, u: Any, x: Any, g: Any) -> Any:
    """The gradient by the free coordinates u of what has the gradient g by x = constrained(u)."""
    if domain == "positive":
        return g * x
    if domain == "unit":
        return g * x * (1 - x)
    if domain == "simplex":
        return x * (g - (x * g).sum(axis=-1, keepdims=True))
    if domain == "spd":
        L = lower_factor(u)
        return pulled_factor(u, L, (g + np.swapaxes(g, -1, -2)) @ L)
    if domain == "lower":
        return pulled_factor(u, x, g)
    return g


def projected(domain: str, x: Any) -> Any:
    """The point of a domain next to x, for domains without free coordinates."""
    if domain == "nonnegative":
        return np.maximum(x, 0)
    if domain == "psd":
        values, vectors = np.linalg.eigh((x + np.swapaxes(x, -1, -2)) / 2)
        return (vectors * np.maximum(values, 0)[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    if domain == "orthogonal":
        U, _, V = np.linalg.svd(x)
        return U @ V
    return x


# --- initial values ---------------------------------------------------------------------------------------------------


def initial(rng: Any, kind: str, scale: float, shape: Any, domain: str, dtype: Any) -> Any:
    """A start: zeros, ones, a number, normal(scale), glorot, he; `small` is near the middle of the domain."""
    fan_in, fan_out = (shape[-2], shape[-1]) if len(shape) > 1 else (shape[0] if shape else 1, 1)
    if kind == "number":
        x = np.full(shape, scale)
    elif kind == "normal":
        x = scale * rng.standard_normal(shape)
    elif kind == "glorot":
        bound = (6 / (fan_in + fan_out)) ** 0.5
        x = rng.uniform(-bound, bound, shape)
    elif kind == "he":
        x = (2 / fan_in) ** 0.5 * rng.standard_normal(shape)
    else:
        x = constrained(domain, 0.1 * rng.standard_normal(shape))
        if domain == "symmetric":
            x = x + np.swapaxes(x, -1, -2)
        elif domain == "skew":
            x = x - np.swapaxes(x, -1, -2)
        elif domain == "psd":
            x = x @ np.swapaxes(x, -1, -2)
        elif domain == "diagonal":
            x = x * np.eye(shape[-1])
        elif domain == "orthogonal":
            x = projected(domain, x)
        elif domain == "nonnegative":
            x = np.abs(x)
    return np.asarray(x, dtype)[()]


# --- the rows of the data ---------------------------------------------------------------------------------------------


def next_rows(state: Any, n: int, batch: int, rng: Any) -> Any:
    """The rows of the next minibatch: all rows in a new random order, then again."""
    at = state["at"]
    if state["order"] is None or at + batch > n:
        state["order"] = rng.permutation(n)
        at = 0
    state["at"] = at + batch
    return state["order"][at : at + batch]


def started(shapes: Any, data_names: Any, param_names: Any, data: Any, params: Any, init: Any, sizes: Any) -> Any:
    """Data and parameters to train with: shapes and dtypes that fit, all values finite, parameters made by `init` where
    none are given."""
    known((params, data), shapes)
    arrays, shown = checked(shapes, data_names, [data] * len(data_names), sizes)
    for name, a in arrays.items():
        if a.ndim and len(a) == 0:
            raise ValueError(f"`{name}` has no rows to train with")
    dtype = next((a.dtype for a in arrays.values()), np.dtype(np.float64))
    if params is None:
        params = init(dtype, shown)
    names = (*data_names, *param_names)
    arrays, _ = checked(shapes, names, [arrays] * len(data_names) + [params] * len(param_names), shown)
    for name, a in arrays.items():
        if not np.all(np.isfinite(a)):
            raise ValueError(f"`{name}` holds values that are not finite")
    return {name: arrays[name] for name in data_names}, {name: arrays[name] for name in param_names}


def counted(steps: Any, batch: Any) -> None:
    """Raises ValueError unless the steps are a whole number, and the rows of a minibatch too, one or more."""
    for name, value, least in (("steps", steps, 0), ("batch", 1 if batch is None else batch, 1)):
        if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
            raise ValueError(f"`{name}` is a whole number, {least} or more, and not {value!r}")


# --- training ---------------------------------------------------------------------------------------------------------


def saved_state(step: int, x: Any, memory: Any, rows: Any, rng: Any, params: Any) -> Any:
    """All that training needs to go on as if it had not stopped: numbers and arrays alone."""
    return {
        "step": step,
        "params": {name: np.array(a) for name, a in params.items()},
        "free": x.copy(),
        "memory": {name: np.array(a) for name, a in memory.items()},
        "order": None if rows["order"] is None else rows["order"].copy(),
        "at": rows["at"],
        "rng": rng.bit_generator.state,
    }


def packed(arrays: Any, dtype: Any) -> Any:
    """One vector of all arrays, and a view of it for each."""
    x = np.concatenate([np.ravel(a) for a in arrays.values()]).astype(dtype) if arrays else np.zeros(0, dtype)
    views, at = {}, 0
    for name, a in arrays.items():
        views[name] = x[at : at + np.size(a)].reshape(np.shape(a))
        at += np.size(a)
    return x, views


def stopped(step: int, what: str, value: Any, gradients: Any, params: Any, terms: Any) -> str:
    """Why training cannot go on: the value, the gradient or the parameter that is not finite, and the first term."""
    text = f"step {step}: {what} is {value}" if not np.all(np.isfinite(value)) else f"step {step}"
    for name, p in params.items():
        if not np.all(np.isfinite(p)):
            text += f"; the parameter `{name}` is not finite"
            break
    else:
        for name, g in gradients.items():
            if not np.all(np.isfinite(g)):
                text += f"; the gradient by `{name}` is not finite"
                break
    for name, term in terms(params).items():
        if not np.all(np.isfinite(term)):
            text += f"; the first term that is not finite is `{name}`"
            break
    return text + " (a smaller `lr` may help)"

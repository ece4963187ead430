"""Draws as functions of standard noise: E over z becomes E over eps, z = mu + sigma eps, and gradients pass through."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from symgen.algebra.collect import written_length
from symgen.derivation.context import Context
from symgen.probability.families.texts import scalar_text
from symgen.probability.laws.densities import entry_of, parameters
from symgen.probability.laws.joint import expectation, full_law, is_expectation, opened_expectation
from symgen.probability.laws.law import alternative_of, row_of
from symgen.tensor import build
from symgen.tensor.build import Value
from symgen.tensor.expression import (
    MINUS_ONE,
    Add,
    Array,
    Entry,
    Mul,
    Node,
    Operator,
    Scalar,
    Tensor,
    Var,
    add,
    as_coefficient,
    entry,
    expect,
    fresh_index,
    mul,
    num,
    open_tensor,
    operator,
    replace_arrays,
    tensor,
    var,
    variables_of,
    walk,
)  # fmt: skip

NOISE_LAWS = ("normal", "uniform", "exponential", "gumbel", "logistic", "laplace")
_originals: dict[Array, Array] = {}  # of what is frozen, below


def transform_of(law: Array, smooth: bool = True) -> tuple[str, str] | None:
    """(law of the noise, text of the draw as a function of it), or None; `smooth` in the parameters, or any."""
    row = row_of(law)
    if row is None:
        return None
    chosen = alternative_of(law)
    if chosen is not None and chosen[0].transform:
        return row.noise, chosen[0].transform
    text = row.transform if smooth else row.transform or row.draw
    return (row.noise, text) if text else None


def is_drawn(op: Operator) -> bool:
    """Whether the draws of a mean are functions of noise: smooth ones, or counts."""
    return all(transform_of(law, smooth=is_continuous(law)) is not None for _, law in opened_expectation(op)[1])


def is_continuous(law: Array) -> bool:
    row = row_of(law)
    return row is not None and not row.region.discrete


def as_function_of_noise(law: Array, noise: Var, ctx: Context) -> Array:
    """The draw of a law at the noise, over all axes of the noise."""
    found = transform_of(law, smooth=False)
    row = row_of(law)
    assert found is not None and row is not None
    law = full_law(law, noise.shape)
    own = row.own_rank
    indices = [fresh_index(s) for s in noise.shape[: noise.rank - own]]
    p = parameters(law, ctx)
    if not own and row.shapes:
        value = p.value(found[1], indices, eps=entry(noise, *indices))
        return tensor(indices, value.body)
    if not own:
        return tensor(indices, scalar_text(found[1], {**p.scalars(indices), "eps": entry(noise, *indices)}))
    axes = build.fresh(noise.shape[noise.rank - own :])
    value = p.value(found[1], indices, eps=Value(axes, entry(noise, *indices, *axes)))
    return tensor([*indices, *value.indices], value.body)


def standard_noise(v: Var, law: Array) -> Var:
    """The noise that a variable is a function of; numbered as the variable, so that equal expectations stay equal, and by
    its law: noise of two laws is never drawn as one."""
    found = transform_of(law, smooth=False)
    kind = NOISE_LAWS.index(found[0].lower()) if found is not None and found[0].lower() in NOISE_LAWS else 0
    return var(f"eps_{v.name}", v.shape, "real", "random", uid=max(v.uid, 1) + 2000 * kind)


def reparameterised(op: Operator, ctx: Context, smooth: bool = False) -> Array | None:
    """One E as an Expect over standard noise, or None where a law has no such form (`smooth` in its parameters)."""
    (body,), draws = opened_expectation(op)
    noise: list[Var] = []
    laws: list[str] = []
    mapping: dict[Array, Array | Callable[..., Scalar]] = {}
    for v, law in draws:
        law = replace_arrays(law, mapping) if mapping else law
        found = transform_of(law, smooth)
        if found is None:
            return None
        eps = standard_noise(v, law)
        made = as_function_of_noise(law, eps, ctx)
        name_draw(made, v, ctx)
        mapping[v] = made
        noise.append(eps)
        laws.append(found[0])
    indices = [fresh_index(s) for s in body.shape]
    inner = entry_of(body, indices, ctx)
    for v, draw in list(mapping.items()):
        if isinstance(v, Var) and isinstance(draw, Array) and meets_its_location(inner, v, draw):
            mapping[v] = partial(open_at, draw)
    inner = replace_arrays(inner, mapping)
    result = tensor(indices, expect(inner, noise, laws))
    ctx.trace.add(
        "reparameterise",
        op,
        result,
        reason=", ".join(f"{v.name} is a function of {law} noise" for (v, _), law in zip(draws, laws, strict=True)),
    )
    return result


def name_draw(made: Array, v: Var, ctx: Context) -> None:
    """z = mu + sigma eps: the draw keeps its name, and the page says what it is made of."""
    if isinstance(made, Var) or made in ctx.all_names():
        return
    ctx.trace.names[made] = v.name
    ctx.trace.add("name", None, made, where=v.name)


def open_at(array: Array, *at: Scalar) -> Scalar:
    return open_tensor(array, at)


def meets_its_location(x: Scalar, v: Var, made: Array) -> bool:
    """Whether z - mu stands in x, which is sigma eps: then z = mu + sigma eps is written out there."""
    for n in walk(x):
        if isinstance(n, Add):
            parts = [as_coefficient(t) for t in n.args]
            if any(isinstance(t, Entry) and t.array is v for _, t in parts):
                written = add(*(mul(num(c), open_tensor(made, t.indices) if isinstance(t, Entry) and t.array is v else t)
                                for c, t in parts))  # fmt: skip
                if written_length(written) <= written_length(n):
                    return True
    return False


def reparameterise(f: Array, ctx: Context, smooth: bool = False) -> Array:
    """`f` with every E whose laws are functions of standard noise written over that noise; others stay. `smooth`: only
    where gradients pass through these functions."""
    done: dict[Array, Array] = {}
    for node in list(walk(f)):
        if isinstance(node, Operator) and node.name == "E" and is_expectation(node):
            current = replace_arrays(node, done) if done else node
            if not isinstance(current, Operator) or current.name != "E":
                continue
            if any(v in _originals for law in current.args[1:] for v in variables_of(law)):
                continue  # its gradient is the score function's
            made = reparameterised(current, ctx, smooth)
            if made is not None:
                done[node] = made
                if current is not node:
                    done[current] = made
    return replace_arrays(f, done) if done else f


# --- laws that are held fixed -----------------------------------------------------------------------------------------


def frozen(array: Array, ctx: Context, mark: str = "", opened: bool = False) -> Var:
    """A variable in the place of `array`, by which nothing is differentiated, until `thawed`; `mark` is put to its name.
    `opened`: its formula comes back, not its name, so that it cancels against what it was."""
    name = ctx.name_of(array) or (array.name if isinstance(array, Var) else "theta")
    domain = array.domain if isinstance(array, Var) else "real"
    held = var(name + mark, array.shape, domain, "frozen", uid=(-1 if opened else 1) * (1_000_000 + array.serial))
    _originals[held] = array
    return held


def thawed(array: Array) -> Array:
    """`array` with what was frozen put back."""
    held = {n: _originals[n] for n in walk(array) if n in _originals}
    mapping = {n: partial(open_at, a) if isinstance(n, Var) and n.uid < 0 else a for n, a in held.items()}
    made = replace_arrays(array, mapping) if mapping else array
    assert isinstance(made, Array)
    return with_draws_first(without_repeated_means(thawed(made) if mapping else with_draws_numbered(made)))


APART = 50_000  # numbers of drawn variables whose means are held apart


def with_draws_apart(f: Array) -> Array:
    """`f` with the draws of means over different laws under numbers of their own: E over z ~ p and E over z ~ q are of two z."""
    seen: dict[tuple[Node, ...], dict[tuple[Node, ...], None]] = {}
    means = [n for n in walk(f) if isinstance(n, Operator) and n.name == "E" and is_expectation(n)]
    for n in means:
        seen.setdefault(n.attrs[0], {})[n.args[1:]] = None
    several = {drawn: list(laws) for drawn, laws in seen.items() if len(laws) > 1}
    done: dict[Array, Array] = {}
    for n in means if several else ():
        place = several.get(n.attrs[0], [])
        if n.args[1:] in place[1:]:
            k = place.index(n.args[1:])
            mapping: dict[Array, Array] = {
                v: var(v.name, v.shape, v.domain, v.role, v.domain_args, APART * k + v.uid) for v in n.attrs[0]
            }
            body, *laws = (replace_arrays(a, mapping) for a in n.args)
            done[n] = operator("E", (body, *laws), n.shape, (tuple(mapping[v] for v in n.attrs[0]),))
    return replace_arrays(f, done) if done else f


def with_draws_numbered(f: Array) -> Array:
    """The drawn variables under the numbers that `expectation` gives them."""
    done: dict[Array, Array] = {}
    for n in walk(f):
        if isinstance(n, Operator) and n.name == "E" and is_expectation(n) and any(v.uid >= APART for v in n.attrs[0]):
            current = replace_arrays(n, done) if done else n
            if isinstance(current, Operator) and current.name == "E":
                (body,), draws = opened_expectation(current)
                done[n] = expectation(body, draws)
    return replace_arrays(f, done) if done else f


def with_draws_first(array: Array) -> Array:
    """-E[(a - x) f] as E[(x - a) f], in the terms of an array."""
    if not isinstance(array, Tensor):
        return array
    terms = array.body.args if isinstance(array.body, Add) else (array.body,)
    made = [_turned(t) for t in terms]
    return array if all(a is b for a, b in zip(made, terms, strict=True)) else tensor(array.axes, add(*made))


def _turned(term: Scalar) -> Scalar:
    for f in term.args if isinstance(term, Mul) and MINUS_ONE in term.args else ():
        op = f.array if isinstance(f, Entry) else None
        inner = op.args[0] if isinstance(op, Operator) and op.name == "E" else None
        if not isinstance(op, Operator) or not isinstance(inner, Tensor) or not isinstance(inner.body, Mul):
            continue
        for g in inner.body.args:
            if isinstance(g, Add) and len(g.args) == 2 and {as_coefficient(t)[0] > 0 for t in g.args} == {True, False}:
                other = add(*(mul(MINUS_ONE, t) for t in g.args))
                body = tensor(inner.axes, mul(other, *(h for h in inner.body.args if h is not g)))
                mean = entry(operator("E", (body, *op.args[1:]), op.shape, op.attrs), *f.indices)
                return mul(MINUS_ONE, mean, *(h for h in term.args if h is not f))
    return term


def without_repeated_means(array: Array) -> Array:
    """E E f = E f: a mean of what is not random any more."""
    done: dict[Array, Array] = {}
    for node in list(walk(array)):
        if not (isinstance(node, Operator) and node.name == "E" and is_expectation(node)):
            continue
        current = replace_arrays(node, done) if done else node
        if isinstance(current, Operator) and current.name == "E":
            (body,), draws = opened_expectation(current)
            if not _is_random(body, {v for v, _ in draws}):
                current = body
        if current is not node:
            done[node] = current
    return replace_arrays(array, done) if done else array


def _is_random(body: Array, drawn: set[Var]) -> bool:
    """Whether a drawn variable stands free in the body: not below an expectation that draws it itself."""
    seen: set[Node] = set()
    stack: list[Node] = [body]
    while stack:
        n = stack.pop()
        if n in seen:
            continue
        seen.add(n)
        if n in drawn:
            return True
        if isinstance(n, Operator) and is_expectation(n) and drawn.issubset(n.attrs[0]):
            continue
        stack.extend(n.args)
    return False

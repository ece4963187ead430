"""Lambdas and binders: sums over indices, in which a `Delta` is eliminated, and the renaming of indices and arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from symgen.tensor.arithmetic import (
    add,
    as_coefficient,
    delta,
    divide,
    expand_size,
    factors_of,
    fn,
    has_power_of,
    in_range,
    mul,
    power,
    serial_of,
    sub,
)
from symgen.tensor.conditions import compare, logic, where
from symgen.tensor.nodes import (
    CALLS,
    DELTAS,
    EMPTY,
    ONE,
    ZERO,
    Add,
    Array,
    Compare,
    Delta,
    Entry,
    Expect,
    Fn,
    Fold,
    Index,
    Logic,
    Mul,
    Node,
    Num,
    Operation,
    Operator,
    Pow,
    Recurrence,
    Scalar,
    Sum,
    Tensor,
    Var,
    Where,
    axis,
    entry,
    free_of_all,
    fresh_index,
    intern,
    make_index,
    make_node,
    node_table,
    num,
    operation,
    operator,
    recurrence,
)
from symgen.tensor.walking import children, depends_on

__all__ = [
    "MAX_RENAME_DEPTH", "expect", "fold", "has_delta_on", "open_sum", "open_tensor", "rebuild", "replace_arrays",
    "same_binder", "size_product", "substitute", "tensor", "total",
]  # fmt: skip


def _is_same_size(a: Scalar, b: Scalar) -> bool:
    return expand_size(sub(a, b)) is ZERO


def tensor(indices: Sequence[Index], body: Scalar) -> Array:
    """The tensor whose entry at `indices` is `body`; the eta rule gives back X for the entries of X in order."""
    indices = tuple(indices)
    if (
        isinstance(body, Entry)
        and len(body.args) == len(indices) + 1
        and all(a is b for a, b in zip(body.args[1:], indices, strict=True))
        and len(set(indices)) == len(indices)
        and all(i.size is s or _is_same_size(i.size, s) for i, s in zip(indices, body.array.shape, strict=True))
    ):
        return body.array
    axes = tuple(axis(k, i.size) for k, i in enumerate(indices))
    if axes != indices:
        body = substitute(body, dict(zip(indices, axes, strict=True)))
    if body.free and not body.free.issubset(axes):
        raise ValueError(f"free indices {sorted(map(str, body.free.difference(axes)))} in the body of a tensor")
    key = (Tensor, axes, body)
    found = node_table.get(key)
    if found is None:
        found = intern(Tensor, key, (body,), EMPTY, 0)  # closed: no index of a binder outside can meet one inside
        found.axes, found.body, found.shape = axes, body, tuple(i.size for i in axes)
    return found


def _bind(cls: type[Node], body: Scalar, indices: Sequence[Index], extra: tuple[Any, ...] = ()) -> Any:
    """A binder: its indices are renumbered by height, so that equal expressions are one node."""
    height = body.height
    numbered = tuple(make_index("s", height + 1 + k, i.size) for k, i in enumerate(indices))
    if not body.free.isdisjoint(numbered) and any(i in body.free and i not in indices for i in numbered):
        # below a binder that is being replaced an index of it may be free, and must not be caught
        height = max(i.number for i in body.free if i.kind == "s")
        numbered = tuple(make_index("s", height + 1 + k, i.size) for k, i in enumerate(indices))
    if numbered != tuple(indices):
        body = substitute(body, dict(zip(indices, numbered, strict=True)))
    key = (cls, *extra, numbered, body)
    found = node_table.get(key)
    if found is None:
        found = intern(cls, key, (body,), body.free.difference(numbered), height + len(numbered))
        found.indices, found.body = numbered, body
        if extra:
            found.kind = extra[0]
    return found


def size_product(indices: Iterable[Index]) -> Scalar:
    return mul(*(i.size for i in indices))


def total(body: Scalar, indices: Sequence[Index]) -> Scalar:
    """The sum of `body` over `indices`: constant factors go out, Deltas are eliminated, a constant body gives its size."""
    todo = list(dict.fromkeys(indices))
    if not todo or body is ZERO:
        return body
    kind = type(body)
    if kind is Add:
        return _total_of_sum(body, todo)
    if kind is Sum:
        inner = dict(zip(body.indices, (fresh_index(i.size) for i in body.indices), strict=True))
        return total(substitute(body.body, inner), [*todo, *inner.values()])
    if kind is Where and not any(i in body.args[0].free for i in todo):
        return where(body.args[0], total(body.args[1], todo), total(body.args[2], todo))
    if kind is Where:
        given = _given_outside(body)
        if given:
            a, b = (x if x is ZERO else mul(*(f for f in factors_of(x) if f not in given)) for x in body.args[1:])
            return total(mul(*given, where(body.args[0], a, b)), todo)
    if not body.free.issuperset(todo):
        missing = [i for i in todo if i not in body.free]
        return mul(size_product(missing), total(body, [i for i in todo if i in body.free]))
    if body.marks & CALLS:
        halves = _halves(body, todo)
        if halves is not None:
            i, parts, value = halves
            return total(substitute(body, {i: value}), [j for j in todo if j is not i] + parts)
    if kind is Delta or (body.marks & DELTAS and kind is Mul and any(type(f) is Delta for f in body.args)):
        eliminated = _eliminate_delta(body, todo)
        if eliminated is not None:
            return eliminated
    if kind is Mul:
        free_of = [f for f in body.args if f.free.isdisjoint(todo)]
        if free_of:
            inside = [f for f in body.args if not f.free.isdisjoint(todo)]
            return mul(*free_of, total(mul(*inside), todo))
        if not body.marks & DELTAS:
            return _bind(Sum, body, todo)  # type: ignore[no-any-return]
        inside = [f for f in body.args if type(f) is Add and any(has_delta_on(t, todo) for t in f.args)]
        if inside:
            rest = mul(*(f for f in body.args if f is not inside[0]))
            return add(*(total(mul(rest, t), todo) for t in inside[0].args))
        for f in body.args:
            if type(f) is Sum and has_delta_on(f.body, todo):
                opened, bound = open_sum(f)
                return total(mul(opened, *(g for g in body.args if g is not f)), todo + bound)
    return _bind(Sum, body, todo)  # type: ignore[no-any-return]


def _halves(body: Scalar, todo: list[Index]) -> tuple[Index, list[Index], Scalar] | None:
    """An index that occurs in `body` inside mod(i, n) and div(i, n) alone, with i = n j + k written out."""
    found: dict[Index, Scalar] = {}
    raw: set[Index] = set()
    seen: set[Node] = set()
    stack: list[Node] = [body]
    while stack:
        node = stack.pop()
        if node in seen or node.is_array_node or node.free.isdisjoint(todo):
            continue
        seen.add(node)
        if type(node) is Index:
            raw.add(node)
        elif type(node) is Fn and node.name in ("mod", "div") and type(node.args[0]) is Index and node.args[0] in todo:
            i, n = node.args
            if found.setdefault(i, n) is not n:
                raw.add(i)
        else:
            stack.extend(node.args)
    for i in todo:
        n = found.get(i)
        if n is None or i in raw or n.free:
            continue
        m = divide(i.size, n)
        if has_power_of(m, n) or any(type(x) is Pow for x in factors_of(m)):
            continue
        k, j = fresh_index(n), fresh_index(m)
        return i, [j, k], add(mul(n, j), k)
    return None


def _given_outside(body: Scalar) -> list[Scalar]:
    """The factors of both branches that are given numbers, with an axis that the condition lacks: where(c_k, X_ki, 0) is
    X_ki where(c_k, 1, 0), a matrix product when it is summed. What is computed stays inside: it may have no value there."""
    condition, *branches = body.args
    parts = [factors_of(x) for x in branches if x is not ZERO]
    return [
        f for f in parts[0]
        if type(f) is Entry and type(f.array) is Var and not f.free <= condition.free and all(f in p for p in parts)
    ]  # fmt: skip


def has_delta_on(term: Scalar, indices: Sequence[Index]) -> bool:
    """Whether a factor of `term`, or of a term inside, is a Delta on one of `indices`."""
    if not term.marks & DELTAS:
        return False
    for f in factors_of(term):
        if type(f) is Delta and not f.free.isdisjoint(indices) and not _says_label(f, indices):
            return True
        if type(f) is Add and any(has_delta_on(t, indices) for t in f.args):
            return True
        if type(f) is Sum and has_delta_on(f.body, indices):
            return True
    return False


def _says_label(d: Delta, indices: Sequence[Index]) -> bool:
    """Whether a Delta(j, y[n]) stays under a sum over n."""
    return any(
        type(value) is Entry and type(j) is Index and j not in indices
        for j, value in (d.args, d.args[::-1])
    )  # fmt: skip


def _total_of_sum(body: Scalar, todo: list[Index]) -> Scalar:
    apart: list[Scalar] = []
    together: list[Scalar] = []
    for t in body.args:
        if any(i not in t.free for i in todo) or has_delta_on(t, todo):
            apart.append(total(t, todo))
        else:
            together.append(t)
    if together and apart:
        apart.append(total(add(*together), todo))
    if apart:
        return add(*apart)
    return _bind(Sum, body, todo)  # type: ignore[no-any-return]


def _solve_for(index: Index, a: Scalar, b: Scalar) -> Scalar | None:
    """The value of `index` that makes a equal b, where both are affine and its coefficient is 1 or -1."""
    difference = sub(a, b)
    for t in difference.args if type(difference) is Add else (difference,):
        c, base = as_coefficient(t)
        if base is index and abs(c) == 1:
            rest = sub(difference, t)
            if index in rest.free:
                return None
            return mul(num(-c), rest)
    return None


def _eliminate_delta(body: Scalar, todo: list[Index]) -> Scalar | None:
    """One Delta(i, e) under the sum over i is taken away by i := e, where e is in the range of i for certain."""
    deltas = [f for f in factors_of(body) if type(f) is Delta]
    joined = _joined_deltas(deltas)
    if joined is not None:
        pair, one = joined
        return total(mul(one, *(g for g in factors_of(body) if g not in pair)), todo)
    for f in deltas:
        rest = mul(*(g for g in factors_of(body) if g is not f))
        for i in todo:
            if i not in f.free:
                continue
            value = _solve_for(i, f.args[0], f.args[1])
            if value is not None and in_range(value, i.size):
                return total(substitute(rest, {i: value}), [j for j in todo if j is not i])
        digits = _digits(f, todo)
        if digits is not None:
            return total(substitute(rest, digits), [j for j in todo if j not in digits])
        split = _split_delta(f, todo)
        if split is not None:
            i, parts, value = split
            return total(substitute(body, {i: value}), [j for j in todo if j is not i] + parts)
    return None


def _joined_deltas(deltas: Sequence[Scalar]) -> tuple[tuple[Scalar, Scalar], Scalar] | None:
    """Delta(x, div(e, m)) Delta(y, mod(e, m)) as Delta(m x + y, e), for y in range of m."""
    if len(deltas) < 2:
        return None
    for f in deltas:
        for a, y in (f.args, f.args[::-1]):
            if type(a) is not Fn or a.name != "mod" or not in_range(y, a.args[1]):
                continue
            e, m = a.args
            quotient = fn("div", e, m)
            for g in deltas:
                if g is not f and quotient in g.args:
                    x = g.args[1] if g.args[0] is quotient else g.args[0]
                    return (f, g), delta(add(mul(m, x), y), e)
    return None


def _digits(f: Scalar, todo: list[Index]) -> dict[Index, Scalar] | None:
    """Delta(e, n l + k) under the sums over k (of size n) and l: k = mod(e, n), l = div(e, n); and so for more digits."""
    for side, e in (f.args, f.args[::-1]):
        if type(side) is not Add:
            continue
        places: dict[Scalar, Index] = {}
        for t in side.args:
            inside = [x for x in factors_of(t) if type(x) is Index]
            if len(inside) != 1 or inside[0] not in todo or inside[0] in e.free:
                break
            places[divide(t, inside[0])] = inside[0]
        else:
            if len(places) != len(side.args):
                continue
            found: dict[Index, Scalar] = {}
            weight: Scalar = ONE
            left = e
            while weight in places and len(found) < len(places):
                i = places[weight]
                weight = mul(weight, i.size)
                last = len(found) == len(places) - 1
                found[i] = left if last else fn("mod", left, i.size)
                left = fn("div", left, i.size)
            if len(found) == len(places) and in_range(e, expand_size(weight)):
                return found
    return None


def _split_delta(f: Scalar, todo: list[Index]) -> tuple[Index, list[Index], Scalar] | None:
    """Delta(mod(i, n), e) or Delta(div(i, n), e) under the sum over i of size n m: write i = n j + k."""
    for a in f.args:
        if type(a) is Fn and a.name in ("mod", "div") and a.args[0] in todo:
            i, n = a.args
            m = divide(i.size, n)
            if has_power_of(m, n) or any(type(x) is Pow for x in factors_of(m)):
                continue
            k, j = fresh_index(n), fresh_index(m)
            return i, [j, k], add(mul(n, j), k)
    return None


def fold(kind: str, body: Scalar, indices: Sequence[Index]) -> Scalar:
    """prod, max or min of `body` over `indices`."""
    todo = list(dict.fromkeys(indices))
    if not todo:
        return body
    missing = [i for i in todo if i not in body.free]
    if missing:
        body = power(body, size_product(missing)) if kind == "prod" else body
        return fold(kind, body, [i for i in todo if i in body.free])
    if all(i.size is ONE for i in todo):
        return substitute(body, dict.fromkeys(todo, ZERO))  # type: ignore[no-any-return]
    return _bind(Fold, body, todo, (kind,))  # type: ignore[no-any-return]


def expect(body: Scalar, noise: Sequence[Var], laws: Sequence[str]) -> Scalar:
    """E over the noise; what does not depend on it goes out."""
    kept = [(v, law) for v, law in zip(noise, laws, strict=True) if depends_on(body, v)]
    if not kept:
        return body
    variables, names = tuple(v for v, _ in kept), tuple(law for _, law in kept)
    if type(body) is Add:
        out = [t for t in body.args if not any(depends_on(t, v) for v in variables)]
        if out:
            rest = add(*(t for t in body.args if t not in out))
            return add(*out, expect(rest, variables, names))
    if type(body) is Mul:
        out = [f for f in body.args if not any(depends_on(f, v) for v in variables)]
        if out:
            return mul(*out, expect(mul(*(f for f in body.args if f not in out)), variables, names))
    key = (Expect, variables, names, body)
    found = node_table.get(key)
    if found is None:
        found = intern(Expect, key, (body,), body.free, body.height)
        found.noise, found.laws, found.body = variables, names, body
    return found


def rebuild(node: Node, args: Sequence[Any]) -> Any:
    """The node of the same kind over other children, through the constructors (binders are not for this)."""
    kind = type(node)
    if kind is Add:
        return add(*args)
    if kind is Mul:
        return mul(*args)
    if kind is Pow:
        return power(args[0], args[1])
    if kind is Entry:
        return entry(*args)
    if kind is Fn:
        return fn(node.name, *args)
    if kind is Delta:
        return delta(*args)
    if kind is Where:
        return where(*args)
    if kind is Compare:
        return compare(node.op, *args)
    if kind is Logic:
        return logic(node.op, *args)
    if kind is Operation:
        return operation(node.name, args, node.shape)
    if kind is Operator:
        return operator(node.name, args, node.shape, node.attrs)
    raise TypeError(f"no rebuild for {kind.__name__}")


def substitute(node: Any, mapping: Mapping[Index, Scalar]) -> Any:
    """`node` with free indices replaced, capture avoided; arrays are closed and stay as they are."""
    free = node.free
    needed: dict[Index, Scalar] = {}
    renames = True
    for i, v in mapping.items():
        if i is not v and i in free:
            needed[i] = v
            renames = renames and type(v) is Index and v.size is i.size
    if not needed:
        return node
    if renames:
        values = set(needed.values())
        if len(values) == len(needed) and (values.isdisjoint(free) or values.isdisjoint(free.difference(needed))):
            renamed = _rename(node, needed, {}, values, 0)
            if renamed is not None:
                return renamed
    return _substitute(node, needed, {})


MAX_RENAME_DEPTH = 100


def _rename(node: Any, mapping: Mapping[Index, Any], memo: dict[Any, Any], values: set[Any], depth: int) -> Any:
    """One to one renaming of indices: nothing merges, so nodes are made without the constructors' work. None: give up
    (too deep for recursion, or an index would be captured)."""
    if node.free.isdisjoint(mapping):
        return node
    found = memo.get(node)
    if found is not None:
        return found
    kind = type(node)
    if kind is Index:
        return mapping[node]
    if depth > MAX_RENAME_DEPTH:
        return None
    if kind is Sum or kind is Fold:
        if not values.isdisjoint(node.indices) or any(i in mapping for i in node.indices):
            return None  # caught or shadowed
        body = _rename(node.body, mapping, memo, values, depth + 1)
        if body is None or node.indices[0].number != body.height + 1:
            return None
        found = same_binder(node, body)
    else:
        args = []
        for a in node.args:
            new = _rename(a, mapping, memo, values, depth + 1) if a.free else a
            if new is None:
                return None
            args.append(new)
        if kind is Entry or kind is Pow or kind is Where:
            found = make_node(kind, tuple(args))
        elif kind is Mul:
            if type(args[0]) is Num and not isinstance(args[0].value, str):
                first = args.pop(0)
                args.sort(key=serial_of)
                args.insert(0, first)
            else:
                args.sort(key=serial_of)
            found = make_node(Mul, tuple(args))
        elif kind is Add or kind is Delta:
            args.sort(key=serial_of)
            found = make_node(kind, tuple(args))
        elif kind is Fn and node.name not in ("mod", "div"):
            key = (Fn, node.name, *args)
            found = node_table.get(key)
            if found is None:
                found = intern(Fn, key, tuple(args), free_of_all(args), node.height)
                found.name = node.name
        else:
            found = rebuild(node, args) if kind is not Expect else None
            if found is None:
                return None
    memo[node] = found
    return found


def same_binder(node: Any, body: Scalar) -> Any:
    """A sum or fold over another body of the same height, with the same indices."""
    extra = (node.kind,) if type(node) is Fold else ()
    key = (type(node), *extra, node.indices, body)
    found = node_table.get(key)
    if found is None:
        found = intern(type(node), key, (body,), body.free.difference(node.indices), node.height)
        found.indices, found.body = node.indices, body
        if extra:
            found.kind = node.kind
    return found


def _substitute(root: Any, mapping: Mapping[Index, Scalar], memo: dict[Node, Any]) -> Any:
    if root.free.isdisjoint(mapping):
        return root
    stack: list[Node] = [root]
    while stack:
        node = stack[-1]
        if node in memo:
            stack.pop()
            continue
        if node.free.isdisjoint(mapping):
            memo[node] = node
            stack.pop()
            continue
        kind = type(node)
        if kind is Index:
            memo[node] = mapping[node]
            stack.pop()
            continue
        if kind is Sum or kind is Fold:
            unique = {i: fresh_index(i.size) for i in node.indices}
            body = _substitute(node.body, {**mapping, **unique}, {})
            bound = list(unique.values())
            memo[node] = total(body, bound) if kind is Sum else fold(node.kind, body, bound)
            stack.pop()
            continue
        if kind is Expect:
            memo[node] = expect(_substitute(node.body, mapping, {}), node.noise, node.laws)
            stack.pop()
            continue
        waiting = [a for a in node.args if a not in memo]
        if waiting:
            stack.extend(waiting)
            continue
        memo[node] = rebuild(node, [memo[a] for a in node.args])
        stack.pop()
    return memo[root]


def replace_arrays(node: Any, mapping: Mapping[Array, Array | Callable[..., Scalar]]) -> Any:
    """`node` with arrays replaced, through all definitions. A value is an array of the same shape, or a function from
    the index values to a scalar (which is then put in the place of the entry)."""
    return _replace(node, mapping, {})


def _replace(root: Any, mapping: Mapping[Array, Any], memo: dict[Node, Any]) -> Any:
    stack: list[Node] = [root]
    while stack:
        node = stack[-1]
        if node in memo:
            stack.pop()
            continue
        if node in mapping and not callable(mapping[node]):
            memo[node] = mapping[node]
            stack.pop()
            continue
        waiting = [a for a in children(node) if a not in memo and not (a in mapping and callable(mapping[a]))]
        if waiting:
            stack.extend(waiting)
            continue
        stack.pop()
        kind = type(node)
        old = children(node)
        if kind is Entry and node.array in mapping and callable(mapping[node.array]):
            memo[node] = mapping[node.array](*(memo[a] for a in node.indices))
            continue
        for a in old:
            if kind is not Entry and a not in memo and a in mapping:  # softmax(x): the array itself, not an entry of it
                axes = tuple(axis(k, s) for k, s in enumerate(a.shape))
                body = mapping[a](*axes)
                memo[a] = tensor(axes, body) if body.free.issubset(axes) else a
        new = tuple(memo.get(a, a) for a in old)
        if all(a is b for a, b in zip(old, new, strict=True)):
            memo[node] = node
        elif kind is Tensor:
            # new axes may stand in another length than before only if the caller meant it
            memo[node] = tensor(node.axes, new[0])
        elif kind is Sum:
            memo[node] = _rebind(node, new[0])
        elif kind is Fold:
            memo[node] = _rebind(node, new[0])
        elif kind is Expect:
            memo[node] = expect(new[0], node.noise, node.laws)
        elif kind is Recurrence:
            memo[node] = recurrence(node.self_var, new[0], new[1:], node.reverse)
        else:
            memo[node] = rebuild(node, new)
    return memo[root]


def _rebind(node: Any, body: Scalar) -> Scalar:
    """The binder over another body: its indices are made unique first, for the body may bind indices of that height."""
    unique = {i: fresh_index(i.size) for i in node.indices}
    body = substitute(body, unique)
    bound = list(unique.values())
    return total(body, bound) if type(node) is Sum else fold(node.kind, body, bound)


def open_sum(node: Any) -> tuple[Scalar, list[Index]]:
    """The body and fresh indices of a binder."""
    unique = {i: fresh_index(i.size) for i in node.indices}
    return substitute(node.body, unique), list(unique.values())


def open_tensor(array: Array, indices: Sequence[Scalar]) -> Scalar:
    """Entry `indices` of `array`, with the definition of a `Tensor` put in."""
    if type(array) is Tensor:
        return substitute(array.body, dict(zip(array.axes, indices, strict=True)))  # type: ignore[no-any-return]
    return entry(array, *indices)

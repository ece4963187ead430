"""Expectations without closed form become averages over drawn noise.

Either one draw stands for the mean (right where the outputs are linear in the expectation: an average of the outputs
is then unbiased), or the noise gets a leading axis of samples and the mean is a sum over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from symgen.tensor.expression import (
    MINUS_ONE,
    Add,
    Array,
    Entry,
    Expect,
    Fold,
    Index,
    Mul,
    Node,
    Operation,
    Recurrence,
    Scalar,
    Sum,
    Tensor,
    Var,
    Where,
    entry,
    fold,
    fresh_index,
    mul,
    operation,
    power,
    rebuild,
    recurrence,
    substitute,
    tensor,
    total,
    var,
    variables_of,
    walk,
)  # fmt: skip
from symgen.tensor.nodes import AVERAGES
from symgen.tensor.walking import marks_below
from symgen.text.diagnostics import CannotDerive

__all__ = ["NOISE", "changed", "expectations", "followed", "is_linear_in_expectations", "sampled"]

# how the noise of a law is drawn by a NumPy generator: the law's name -> a text over `rng`, {shape} and `dtype`
NOISE = {
    "normal": "rng.standard_normal({shape}, dtype)",
    "uniform": "rng.random({shape}, dtype)",
    "exponential": "rng.standard_exponential({shape}, dtype)",
    "gumbel": "rng.gumbel(size={shape}).astype(dtype)",
    "logistic": "rng.logistic(size={shape}).astype(dtype)",
    "laplace": "rng.laplace(size={shape}).astype(dtype)",
}


def expectations(*roots: Node) -> list[Expect]:
    """The expectations below the roots."""
    return [n for n in walk(*roots) if isinstance(n, Expect)] if any(marks_below(r) & AVERAGES for r in roots) else []


def is_linear_in_expectations(*roots: Array) -> bool:
    """Whether each root is linear in its expectations, so that averages of whole evaluations are unbiased."""
    holding: set[Node] = set()
    for n in walk(*roots):
        if isinstance(n, Expect) or any(a in holding for a in n.args):
            holding.add(n)
    if not holding:
        return True
    linear: dict[Node, bool] = dict.fromkeys(roots, True)
    order = [n for n in walk(*roots) if n in holding]
    for n in reversed(order):  # parents before children
        flag = linear.get(n, True)
        inside = [a for a in n.args if a in holding]
        if isinstance(n, (Add, Sum, Tensor, Entry, Expect)):
            passed = flag if not (isinstance(n, Entry) and any(a in holding for a in n.indices)) else False
        elif isinstance(n, Mul):
            passed = flag and len(inside) == 1
        elif isinstance(n, Where):
            passed = flag and n.args[0] not in holding
        else:
            passed = False
        for a in inside:
            linear[a] = linear.get(a, True) and passed
    return all(linear[n] for n in order if isinstance(n, Expect))


class _Sampler:
    def __init__(self, samples: Scalar, lifts: Callable[[Expect], bool]) -> None:
        self.samples = samples
        self.lifts = lifts
        self.noise: dict[Var, str] = {}  # the noise to draw (with its axis of samples) and its law
        self.lifted: dict[Var, Var] = {}
        self.plain: dict[Node, Node] = {}
        self.above: dict[Array, Array] = {}
        self.kept: set[Var] = set()

    def prepare(self, roots: Sequence[Node]) -> None:
        """A noise variable is lifted in all of its expectations or in none."""
        found = expectations(*roots)
        wanted = {v for e in found if self.lifts(e) for v in e.noise}
        for e in found:
            for v, law in zip(e.noise, e.laws, strict=True):
                if law.lower() not in NOISE:
                    raise CannotDerive(f"no way to draw noise from `{law}`", e, "codegen/sampling.py")
                if v in wanted:
                    self.lifted[v] = var(v.name, (self.samples, *v.shape), v.domain, v.role, v.domain_args, v.uid)
                    self.noise[self.lifted[v]] = law
                else:
                    self.noise[v] = law

    def depends(self, node: Node) -> bool:
        return not variables_of(node).isdisjoint(self.lifted)

    def array(self, array: Array) -> Array:
        """The array with its expectations replaced; it does not depend on lifted noise itself."""
        result = self.replaced(array, None)
        assert isinstance(result, Array)
        return result

    def raised(self, array: Array) -> Array:
        """The array over a leading axis of samples."""
        found = self.above.get(array)
        if found is None:
            found = self.above[array] = self.raise_array(array)
        return found

    def raise_array(self, array: Array) -> Array:
        s = fresh_index(self.samples)
        own = [fresh_index(size) for size in array.shape]
        if isinstance(array, Var):
            return self.lifted[array]
        if isinstance(array, Tensor):
            return tensor((s, *array.axes), self.scalar(array.body, s))
        if isinstance(array, Operation):
            operands: list[Node] = []
            for x in array.operands:
                if not isinstance(x, Array):
                    if self.depends(x):
                        raise CannotDerive("an operation whose parameter is random", array)
                    operands.append(self.replaced(x, None))
                elif self.depends(x):
                    operands.append(self.raised(x))
                else:
                    axes = [fresh_index(size) for size in x.shape]
                    operands.append(tensor((s, *axes), entry(self.array(x), *axes)))
            return operation(array.name, operands, (self.samples, *array.shape))
        if isinstance(array, Recurrence):
            old = array.self_var
            new = var(old.name, (old.shape[0], self.samples, *old.shape[1:]), old.domain, old.role, old.domain_args, old.uid)
            t, rest = own[0], own[1:]
            self.above[old] = tensor((s, t, *rest), entry(new, t, s, *rest))
            self.lifted[old] = new  # arrays that read the sequence are raised with it
            step = tensor((t, s, *rest), entry(self.over_samples(array.step), s, t, *rest))
            base = [self.over_samples(b) for b in array.base]
            made = recurrence(new, step, base, array.reverse)
            return tensor((s, t, *rest), entry(made, t, s, *rest))
        raise CannotDerive(f"`{type(array).__name__}` over samples", array)

    def over_samples(self, array: Array) -> Array:
        if self.depends(array):
            return self.raised(array)
        s = fresh_index(self.samples)
        own = [fresh_index(size) for size in array.shape]
        return tensor((s, *own), entry(self.array(array), *own))

    def scalar(self, body: Scalar, s: Index | None) -> Scalar:
        result = self.replaced(body, s)
        return result

    def replaced(self, root: Node, s: Index | None) -> Node:
        """`root` with entries of lifted arrays read at the sample s, and expectations replaced."""
        memo: dict[Node, Node] = {} if s is not None else self.plain
        stack: list[Node] = [root]
        while stack:
            n = stack[-1]
            if n in memo:
                stack.pop()
                continue
            if isinstance(n, Expect) and any(v in self.lifted for v in n.noise):
                stack.pop()
                inner = fresh_index(self.samples)
                body = self.scalar(n.body, inner)
                memo[n] = mul(power(self.samples, MINUS_ONE), total(body, [inner]))
                continue
            if isinstance(n, Entry) and s is not None and self.depends(n.array):
                waiting = [a for a in n.indices if a not in memo]
                if waiting:
                    stack.extend(waiting)
                    continue
                stack.pop()
                memo[n] = entry(self.raised(n.array), s, *(memo[a] for a in n.indices))
                continue
            if n.is_array_node and s is not None:
                stack.pop()
                memo[n] = self.array(n)
                continue
            waiting = [a for a in n.args if a not in memo]
            if waiting:
                stack.extend(waiting)
                continue
            stack.pop()
            new = [memo[a] for a in n.args]
            if isinstance(n, Expect):
                memo[n] = new[0]
            elif all(a is b for a, b in zip(n.args, new, strict=True)):
                memo[n] = n
            elif isinstance(n, Tensor):
                memo[n] = tensor(n.axes, new[0])
            elif isinstance(n, (Sum, Fold)):
                memo[n] = self.rebound(n, new[0])
            elif isinstance(n, Recurrence):
                memo[n] = recurrence(n.self_var, new[0], new[1:], n.reverse)
            else:
                memo[n] = rebuild(n, new)
        return memo[root]

    def rebound(self, node: Sum | Fold, body: Node) -> Scalar:
        unique = {i: fresh_index(i.size) for i in node.indices}
        opened = substitute(body, unique)
        bound = list(unique.values())
        return total(opened, bound) if isinstance(node, Sum) else fold(node.kind, opened, bound)


def sampled(
    outputs: Mapping[str, Array], samples: Scalar, lifts: Callable[[Expect], bool]
) -> tuple[dict[str, Array], dict[Var, str], dict[Array, Array]]:
    """The outputs with expectations replaced, the noise variables with their laws, and old arrays by new ones (for
    their names)."""
    sampler = _Sampler(samples, lifts)
    sampler.prepare(list(outputs.values()))
    if not sampler.noise:
        return dict(outputs), {}, {}
    made = {name: sampler.array(a) for name, a in outputs.items()}
    renamed = {old: new for old, new in sampler.plain.items() if isinstance(old, Array) and isinstance(new, Array)}
    renamed.update(sampler.above)
    return made, sampler.noise, renamed


def changed(arrays: Iterable[Array], *changes: Mapping[Array, Array]) -> dict[Array, Array]:
    """What became of each array by `changes`, each from old arrays to new ones."""
    out: dict[Array, Array] = {}
    for array in arrays:
        out[array] = array
        for change in changes:
            out[array] = change.get(out[array], out[array])
    return out


def followed(names: Mapping[Array, str], *changes: Mapping[Array, Array]) -> dict[Array, str]:
    """The names of arrays after `changes`."""
    out = dict(names)
    for old, new in changed(names, *changes).items():
        out.setdefault(new, names[old])
    return out

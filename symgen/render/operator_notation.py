"""Operators that were not reduced, as the calls they were: grad(f, x), KL(q || p), E[z ~ q](f)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symgen.probability.families.distributions import FAMILIES
from symgen.probability.laws.copies import COPIES
from symgen.probability.laws.law import shown_parameters
from symgen.render.compose import call, number, signed
from symgen.render.network import NoMatrixForm
from symgen.tensor import expression as x
from symgen.tensor.expression import Array, Node, Scalar
from symgen.text import tree as t

PAIRS = frozenset("KL chi2".split())  # written q || p


def is_encoded(node: Node) -> bool:
    """Whether the attributes of an operator say which distributions its operands belong to."""
    return (
        isinstance(node, x.Operator)
        and len(node.attrs) == 3
        and isinstance(node.attrs[0], tuple)
        and all(isinstance(s, tuple) and len(s) == 4 for s in node.attrs[0])
        and bool(node.attrs[0])
    )


def law_call(law: x.Operator, operands: Sequence[t.Expression]) -> t.Call:
    """A law as its author gives it: MvNormal(mu, precision=P), where other parameters than those of its row were given."""
    row = FAMILIES.get(law.name)
    chosen = row.alternatives.get(law.attrs[1]) if row is not None and len(law.attrs) > 1 else None
    if row is None or chosen is None or len(operands) != len(row.parameters) + len(chosen.arguments):
        return t.Call(law.name, tuple(operands))
    plain = [o for name, o in zip(row.parameters, operands, strict=False) if name not in chosen.canonical]
    words = zip(chosen.arguments, operands[len(row.parameters) :], strict=True)
    return t.Call(law.name, tuple(plain), tuple(t.Keyword(name, o) for name, o in words))


def density_of(law: Node) -> tuple[Any, ...]:
    """What a density that is not known says of itself, or what each of its copies says."""
    if not isinstance(law, x.Operator) or law.name not in ("density", COPIES):
        return ()
    return tuple(law.attrs[2] if law.name == COPIES else law.attrs)


def drawn_together(drawn: Sequence[x.Var], laws: Sequence[Node]) -> list[tuple[int, ...]]:
    """The places of what one draw gives: more than one of a density of several variables that is not known."""
    out: list[tuple[int, ...]] = []
    while sum(map(len, out)) < len(drawn):
        start = sum(map(len, out))
        law = laws[start]
        own = density_of(law)
        many = len(own[2]) if len(own) > 2 else 1
        count = next((k for k in range(1, many) if start + k >= len(laws) or laws[start + k] is not law), many)
        out.append(tuple(range(start, start + count)))
    return out


def told_apart(drawn: Sequence[x.Var], laws: Sequence[Node], written: Sequence[t.Expression]) -> list[t.Expression]:
    """Laws of several draws under one name, p, as p(z) and p(x | z)."""
    out: list[t.Expression] = []
    for k, (v, law, tree) in enumerate(zip(drawn, laws, written, strict=True)):
        if isinstance(tree, t.Name) and sum(other == tree for other in written) > 1:
            given = tuple(t.Name(u.name) for u in drawn[:k] if u in x.variables_of(law))
            tree = t.Call(tree.name, (t.Name(v.name),), (), given)
        out.append(tree)
    return out


class OperatorNotation(ABC):
    """Writes operators; their operands are left to `operand`."""

    names: Mapping[Array, str]

    @abstractmethod
    def operand(self, node: Node) -> t.Expression: ...

    @abstractmethod
    def size(self, size: Scalar) -> t.Expression: ...

    def operator(self, node: x.Operator) -> t.Expression:
        """An operator that was not reduced, as the call it was."""
        node = self.without_clash(node)
        operands = [self.operand(a) for a in node.args]
        drawn = node.attrs[0] if node.attrs and isinstance(node.attrs[0], tuple) else ()
        if node.name in ("integral", "root", "series") and drawn:
            body, low, high = operands
            return t.Binder(
                "sum" if node.name == "series" else node.name, (t.IndexSpec(drawn[0].name, lower=low, upper=high),), (body,)
            )
        if node.name in ("E", "Var", "Cov") and drawn and all(isinstance(v, x.Var) for v in drawn):
            count = len(operands) - len(drawn)
            laws = told_apart(drawn, node.args[count:], operands[count:])
            groups = drawn_together(drawn, node.args[count:])
            specs = tuple(spec for places in groups for spec in self.draw(node, count, places, laws, operands[count:]))
            return t.Binder(node.name, specs, tuple(operands[:count]))
        if node.attrs[:1] == ("law",):
            if density_of(node):
                return t.Name(str(density_of(node)[1]))
            if node.name == "formula" and len(node.attrs) > 3 and node.attrs[3]:
                return t.Name(str(node.attrs[3]))
            return law_call(node, list(map(self.operand, shown_parameters(node))))
        if node.name == "log_density" and len(node.attrs) == 3 and node.attrs[0]:
            name, drawn, _ = node.attrs
            at, given = operands[1 : 1 + len(drawn)], operands[1 + len(drawn) :]
            return t.Call(str(name), tuple(at), (), tuple(given), log=True)
        if is_encoded(node):
            return self.encoded(node, operands)
        if node.name == "bound":
            return self.bound(node)
        if node.name == "at":
            return t.Call(str(node.attrs[1]), tuple(operands[2::2]))
        if node.name == "apply":
            return t.Call(str(node.attrs[0]), tuple(operands))
        if node.name in ("KL", "chi2") and len(operands) == 2:
            return t.Call(node.name, (operands[0],), versus=(operands[1],))
        if node.name in ("argmin", "argmax") and len(operands) > 2:
            facts = tuple(t.Comparison((c, number(0)), ("=",)) for c in operands[2:])
            return t.Call(node.name, tuple(operands[:2]), (t.Keyword("subject_to", t.ListOf(facts)),))
        if node.name == "optimum_by_rows":
            word, names = node.attrs
            return t.Call(word, (operands[0], t.Subscript(operands[1], tuple(t.Name(n) for n in names))))
        words: tuple[t.Keyword, ...] = ()
        if node.name in ("grad", "jacobian", "hessian") and node.attrs and node.attrs[0] in ("free", "tied"):
            words = (t.Keyword("form", t.Name(node.attrs[0])),)
        return t.Call(node.name, tuple(operands), words)

    def bound(self, node: x.Operator) -> t.Expression:
        """bound(f, by=nwj(T))."""
        whole, name, given = node.attrs
        arguments: list[t.Expression] = []
        for kind, what, *_ in given:
            if kind == "critic":
                arguments.append(t.Name(str(what)))
            elif kind == "decoder":
                arguments.append(t.Name(what.joint.name))
            else:
                arguments.append(self.operand(what))
        by = t.Call(name, tuple(arguments)) if arguments else t.Name(name)
        return t.Call("bound", (self.operand(whole),), (t.Keyword("by", by),))

    def draw(
        self, node: x.Operator, count: int, places: tuple[int, ...], laws: Sequence[t.Expression], plain: Sequence[t.Expression]
    ) -> list[t.Draw]:
        """x ~ p; (x, z) ~ p where one draw gives both, and x ~ p(x) where the other is not spoken of."""
        drawn, made = node.attrs[0], node.args[count + places[0]]
        is_many = isinstance(made, x.Operator) and made.name == COPIES
        sizes = tuple(self.size(s) for s in made.shape[: made.attrs[1]]) if is_many else ()
        if len(places) == 1:
            return [t.Draw((drawn[places[0]].name,), laws[places[0]], sizes)]
        spoken = frozenset().union(*(x.variables_of(a) for k, a in enumerate(node.args) if k - count not in places))
        seen = [k for k in places if drawn[k] in spoken]
        law = plain[places[0]]
        if len(seen) == len(places) or not isinstance(law, t.Name):
            return [t.Draw(tuple(drawn[k].name for k in places), law, sizes)]
        own = density_of(made)[2]  # what the density calls its variables
        part = t.Call(law.name, tuple(t.Name(own[k - places[0]]) for k in seen))
        return [t.Draw(tuple(drawn[k].name for k in seen), part, sizes)] if seen else []

    def is_each(self, node: Node) -> bool:
        """Whether an operator is written under an index: integrals, values of a function that is not known."""
        return isinstance(node, x.Operator) and node.name in ("integral", "apply") and bool(node.rank) and node not in self.names

    def one_of_each(self, node: x.Entry, write: Callable[[Scalar], t.Expression]) -> t.Expression:
        """One of the integrals or values under an index, at its place."""
        if node.array.name == "apply":
            return t.Call(str(node.array.attrs[0]), tuple(self.argument_at(a, node.indices, write) for a in node.array.args))
        op = self.without_clash(node.array)
        body, low, high = (write(x.open_tensor(a, node.indices if a.rank else ())) for a in op.operands)
        return t.Binder("integral", (t.IndexSpec(op.attrs[0][0].name, lower=low, upper=high),), (body,))

    def argument_at(self, a: Array, indices: Sequence[Scalar], write: Callable[[Scalar], t.Expression]) -> t.Expression:
        """What a function sees for these indices: a number, or what the leading indices pick of an array."""
        own = [x.fresh_index(s) for s in a.shape[len(indices) :]]
        body = x.open_tensor(a, (*indices, *own))
        if not own:
            return write(body)
        if not isinstance(body, x.Entry) or body.indices[len(body.indices) - len(own) :] != tuple(own):
            raise NoMatrixForm
        picked = body.indices[: len(body.indices) - len(own)]
        return t.Subscript(self.operand(body.array), tuple(write(i) for i in picked)) if picked else self.operand(body.array)

    def without_clash(self, node: x.Operator) -> x.Operator:
        """The operator with what it binds renamed, where another variable in it has that name."""
        drawn = node.attrs[0] if node.attrs and isinstance(node.attrs[0], tuple) else ()
        if node.name not in ("E", "Var", "Cov", "integral", "root", "series") or not all(isinstance(v, x.Var) for v in drawn):
            return node
        taken = {v.name for v in x.variables_of(node) if v not in drawn} | set(self.names.values())
        count = len(node.args) - len(drawn)
        groups = drawn_together(drawn, node.args[count:]) if node.name in ("E", "Var", "Cov") else []
        together = {drawn[k] for places in groups if len(places) > 1 for k in places}
        if together:  # what of a draw is not spoken of is not written
            spoken = frozenset().union(*(x.variables_of(a) for a in node.args))
            drawn = tuple(v for v in drawn if v not in together or v in spoken)
        mapping: dict[Array, Array] = {}
        for v in drawn:
            name, k = v.name, 1
            while name in taken:
                name, k = f"{v.name}_{k}", k + 1
            taken.add(name)
            if name != v.name:
                mapping[v] = x.var(name, v.shape, v.domain, v.role, v.domain_args, v.uid)
        if not mapping:
            return node
        operands = [x.replace_arrays(a, mapping) for a in node.args]
        attrs = (tuple(mapping.get(v, v) for v in node.attrs[0]), *node.attrs[1:])
        return x.operator(node.name, operands, node.shape, attrs)

    def encoded(self, node: x.Operator, operands: list[t.Expression]) -> t.Expression:
        """An operator on distributions, which are named where they have names."""
        specs, keys, plain = node.attrs
        refs: list[t.Expression] = []
        position = 0
        for name, factors, variables, given in specs:
            law, made = operands[position], node.args[position]
            is_part = isinstance(made, x.Operator) and made.name == "conditional_law"  # p(y) of a p(y, z), not p
            position += len(factors)
            drawn = {v for _, vs, _ in factors for v in vs}
            if not name:
                refs.append(law)
            elif drawn == set(variables) and not given and not is_part:
                refs.append(t.Name(name))
            else:
                refs.append(t.Call(name, tuple(t.Name(v.name) for v in variables), (), tuple(t.Name(v.name) for v in given)))
        rest = operands[position:]
        words = tuple(t.Keyword(k, self.plain(v)) for k, v in plain if isinstance(v, (str, int, bool)))
        if node.name in PAIRS and len(refs) == 2 and not rest:
            return t.Call(node.name, (refs[0],), words, versus=(refs[1],))
        if node.name == "conditional_law" and len(refs) == 1:
            return refs[0]
        if node.name == "log_density_of" and len(refs) == 1:
            return self.log_density(specs[0], keys, rest, dict(plain))
        if node.name == "mutual_information" and {"x", "z"} <= set(dict(plain)):
            each = [tuple(t.Name(v.name) for v in dict(plain)[k]) for k in ("x", "z")]
            return t.Call(node.name, (*refs, *(e[0] if len(e) == 1 else t.ListOf(e) for e in each)))
        named = tuple(
            t.Keyword(k, v)
            for k, v in zip(keys, rest, strict=False)
            if not (k.startswith("at_") and v == t.Name(k.removeprefix("at_")))  # at its own name
        )
        return t.Call(node.name, tuple(refs), (*named, *words))

    def log_density(self, spec: Any, keys: Any, values: list[t.Expression], plain: dict[str, Any]) -> t.Expression:
        """log p(y | x) of a joint, at the values of its variables."""
        name, _, variables, given = spec
        at = dict(zip(keys, values, strict=False))
        places = dict(plain["names"])

        def put(v: Any) -> t.Expression:
            found: t.Expression = at.get(places.get(v), t.Name(v.name))
            return found

        return t.Call(name, tuple(put(v) for v in variables), (), tuple(put(v) for v in given), log=True)

    def plain(self, value: Any) -> t.Expression:
        return t.Name(str(value)) if isinstance(value, (str, bool)) else number(value)

    def expectation(self, node: x.Expect, body: t.Expression) -> t.Expression:
        specs = tuple(t.Draw((v.name,), self.law(law, v)) for v, law in zip(node.noise, node.laws, strict=True))
        sign, inside = signed(body)
        mean = t.Binder("E", specs, (inside,))
        return mean if sign > 0 else t.Terms(((-1, mean),))

    def law(self, law: str, variable: x.Var) -> t.Expression:
        """The law of a noise variable: standard, in its shape."""
        family = law.capitalize()
        shape = tuple(self.size(s) for s in variable.shape)
        if family == "Exponential":
            return call(family, call("ones", *shape) if shape else number(1))
        if family in FAMILIES:
            return call(family, call("zeros", *shape) if shape else number(0), number(1))
        return t.Name(law)

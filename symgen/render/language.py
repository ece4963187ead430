"""Trees as text of the language: minimal brackets, one way to write each thing, and it parses back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from symgen.tensor.reading import room_to_nest
from symgen.text import tree as t

# how tightly each form binds; an operand is bracketed where it binds less than its place asks for
OR, AND, NOT, COMPARISON, TERMS, FACTORS, POWER, ATOM = range(8)


def number_text(value: Fraction) -> str:
    """An exact number; a fraction is a quotient."""
    return str(value.numerator) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"


def level(e: t.Expression) -> int:
    """How tightly the outermost form of `e` binds."""
    match e:
        case t.Number(value, written):
            if written:
                return ATOM
            return TERMS if value < 0 else FACTORS if value.denominator != 1 else ATOM
        case t.Terms():
            return TERMS
        case t.Factors():
            return FACTORS
        case t.Power():
            return POWER
        case t.Comparison():
            return COMPARISON
        case t.Logical(op):
            return {"or": OR, "and": AND, "not": NOT}[op]
        case t.Slice():
            return OR
    return ATOM


def unparse(tree: t.Tree) -> str:
    """The text of an expression, a statement or a whole spec."""
    if isinstance(tree, t.Expression):
        with room_to_nest():
            return expression(tree)
    if isinstance(tree, t.Spec):
        return "".join(statement(s) + "\n" for s in tree.statements)
    if isinstance(tree, t.Statement):
        return statement(tree)
    return part(tree)


def at_least(e: t.Expression, wanted: int) -> str:
    text = expression(e)
    return text if level(e) >= wanted else f"({text})"


def commas(items: Iterable[t.Tree]) -> str:
    return ", ".join(unparse(x) for x in items)


def expression(e: t.Expression) -> str:
    match e:
        case t.Number(value, written):
            return written or number_text(value)
        case t.Name(name):
            return name
        case t.Terms(terms):
            return _terms(terms)
        case t.Factors():
            return _factors(e)
        case t.Power(base, exponent):
            return f"{at_least(base, ATOM)}^{at_least(exponent, POWER)}"
        case t.Transpose(operand):
            return at_least(operand, ATOM) + "'"
        case t.Comparison(operands, ops):
            texts = [at_least(x, TERMS) for x in operands]
            return texts[0] + "".join(f" {op} {x}" for op, x in zip(ops, texts[1:], strict=True))
        case t.Logical("not", (operand,)):
            return f"not {at_least(operand, COMPARISON)}"
        case t.Logical(op, operands):
            wanted = AND if op == "or" else NOT
            return f" {op} ".join(at_least(x, wanted) for x in operands)
        case t.Slice(lower, upper, step):
            text = (at_least(lower, TERMS) if lower else "") + ":" + (at_least(upper, TERMS) if upper else "")
            return text + (f":{at_least(step, TERMS)}" if step else "")
        case t.Part(operand, name):
            return f"{at_least(operand, ATOM)}.{name}"
        case t.Subscript(operand, items):
            return f"{at_least(operand, ATOM)}[{commas(items)}]"
        case t.Call():
            return _call(e)
        case t.Binder(function, specs, arguments, keywords):
            return f"{function}[{commas(specs)}]({', '.join([*map(unparse, arguments), *map(part, keywords)])})"
        case t.ListOf(items):
            return f"[{commas(items)}]"
    raise TypeError(f"no text for {type(e).__name__}")


def _terms(terms: Sequence[tuple[int, t.Expression]]) -> str:
    out: list[str] = []
    for k, (sign, term) in enumerate(terms):
        text = at_least(term, FACTORS)
        if k == 0:
            out.append(text if sign > 0 else f"-{text}")
        else:
            out.append(f" + {text}" if sign > 0 else f" - {text}")
    return "".join(out)


def _factors(e: t.Factors) -> str:
    # a product in front of a product was bracketed by whoever wrote it: (x @ y)*z
    text = at_least(e.first, POWER)
    for op, factor in e.rest:
        right = at_least(factor, POWER)
        text += f" @ {right}" if op == "@" else op + right
    return text


def _call(e: t.Call) -> str:
    inside = commas(e.arguments)
    if e.given:
        inside += f" | {commas(e.given)}" if inside else f"| {commas(e.given)}"
    if e.versus:
        inside += f" || {commas(e.versus)}"
    if e.keywords:
        inside = ", ".join(filter(None, [inside, *map(part, e.keywords)]))
    return f"{'log ' if e.log else ''}{e.function}({inside})"


def part(x: t.Tree) -> str:
    """Parts of expressions and statements that are neither."""
    match x:
        case t.Keyword(name, value):
            return f"{name}={expression(value)}"
        case t.IndexSpec(name, size, lower, upper):
            if lower is not None and upper is not None:
                return f"{name}: {at_least(lower, TERMS)}..{at_least(upper, TERMS)}"
            return f"{name}: {expression(size)}" if size is not None else name
        case t.Draw(names, law, sizes):
            each = [f"{name}[{commas(sizes)}]" if sizes else name for name in names]
            drawn = each[0] if len(each) == 1 else f"({', '.join(each)})"
            return f"{drawn} ~ {expression(law)}"
        case t.Domain(word, arguments, shape):
            text = word + (f"({commas(arguments)})" if arguments else "")
            return text + (f"[{commas(shape)}]" if shape is not None else "")
        case t.DeclaredEntry(name, domain, _, indices):
            return f"{name.name}[{commas(indices)}]" + (f": {part(domain)}" if domain else "")
        case t.Declared(name, domain, initial):
            text = name.name + (f": {part(domain)}" if domain else "")
            return text + (f" = {expression(initial)}" if initial is not None else "")
        case t.Head(name, variables, given):
            inside = commas(variables) + (f" | {commas(given)}" if given else "")
            return f"{name.name}({inside})"
        case t.Player(names, sense, payoff):
            who = names[0].name if len(names) == 1 else f"[{', '.join(n.name for n in names)}]"
            return f"{who}: {sense} {expression(payoff)}"
        case t.ClaimStep(relation, over, value, reason):
            bracket = f"[{', '.join(n.name for n in over)}]" if over else ""
            return f"{relation}{bracket} {expression(value)}" + (f" {quoted(reason)}" if reason else "")
    raise TypeError(f"no text for {type(x).__name__}")


def quoted(text: str) -> str:
    """A reason in its quotation marks."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def statement(s: t.Statement) -> str:
    match s:
        case t.Dim(items):
            return "dim " + ", ".join(n.name + (f" = {expression(v)}" if v is not None else "") for n, v in items)
        case t.Declaration(role, declared):
            return f"{role} {commas(declared)}"
        case t.Assume(facts):
            return f"assume {commas(facts)}"
        case t.Let(name, indices, value, role):
            left = name.name + (f"[{commas(indices)}]" if indices is not None else "")
            return f"{role} {left} = {expression(value)}"
        case t.Def(name, parameters, body):
            return f"def {name.name}({', '.join(p.name for p in parameters)}) = {expression(body)}"
        case t.Dist(head, law):
            return f"dist {part(head)} = {expression(law)}"
        case t.Density(heads):
            return f"density {commas(heads)}"
        case t.Function(head, codomain):
            return f"function {part(head)}" + (f": {part(codomain)}" if codomain else "")
        case t.Game(name, players):
            return f"game {name.name} = {{{commas(players)}}}"
        case t.Derive(None, goal):
            return f"derive {expression(goal)}"
        case t.Derive(name, goal) if name is not None:
            return f"derive {name.name} = {expression(goal)}"
        case t.Claim(name, first, steps, reason):
            text = "claim " + (f"{name.name}: " if name else "") + expression(first)
            text += f" {quoted(reason)}" if reason else ""
            return text + "".join(f"\n    {part(step)}" for step in steps)
        case t.Train(target, wrt, method, options):
            text = f"train {target.name}" + (f" wrt {', '.join(n.name for n in wrt)}" if wrt else "")
            text += f" with {expression(method)}" if method is not None else ""
            return text + "".join(f", {part(o)}" for o in options)
    raise TypeError(f"no text for {type(s).__name__}")

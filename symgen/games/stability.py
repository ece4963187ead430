"""Stability of the players' motion near an equilibrium: vector field, Jacobian, eigenvalues, verdict.

Hyperbolic: the linearisation decides (Hartman & Grobman; Ostrowski for iterations). On the boundary it decides only for
linear fields; else a conserved or a falling quadratic form may, and where none is found the verdict is inconclusive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy

from symgen.calculus.solving import assuming, never_positive, roots_of, sign_of, vanishes
from symgen.derivation.context import Context
from symgen.derivation.derivation import Evidence
from symgen.games.arrays import array_stability
from symgen.games.dynamics import CONTINUOUS, DYNAMICS, Dynamics
from symgen.games.equilibrium import stationary_points
from symgen.games.game import Game
from symgen.games.parameters import Coordinates, coordinates
from symgen.games.records import Stability
from symgen.games.spectrum import (
    Pair,
    below_zero,
    characteristic,
    eigenvalue_pairs,
    hurwitz,
    in_circle,
    largest,
    mu,
    square_root,
    tidy,
)  # fmt: skip
from symgen.tensor.expression import ZERO, Array, Num, Scalar, axis, compare, entry, num, tensor, var
from symgen.tensor.sympy_bridge import Closed, NotInSymPy, to_sympy, within
from symgen.text.diagnostics import CannotDerive

__all__ = ["stability"]

S = sympy


@dataclass
class Verdict:
    word: str
    conditions: tuple[Any, ...] = ()
    bound: Any = None
    reason: str = ""
    shown: str = "proved"


@dataclass
class Motion:
    """The field near the point `at`; `w` are the coordinates measured from it."""

    c: Coordinates
    at: dict[Any, Any]
    field: list[Any]
    jacobian: Any
    is_linear: bool

    @property
    def centred(self) -> list[Any]:
        """The field in the distance from the equilibrium."""
        return [v.subs({s: s + self.at[s] for s in self.c.symbols}, simultaneous=True) for v in self.field]


def stability(
    game: Game, ctx: Context, method: str | None = None, step: Array | None = None, at: Array | None = None,
    options: tuple[Array, ...] = (),
) -> Stability:  # fmt: skip
    """Of the flow where neither a method nor a step is named. Raises CannotDerive where no equilibrium is found."""
    if not game.is_parametric:
        raise CannotDerive("stability is of players that are parameters; a function moves in infinitely many directions",
                           game.players[0].payoff, "symgen/games/stability.py")  # fmt: skip
    if any(not isinstance(size, Num) for p in game.players for v in p.parameters for size in v.shape):
        return array_stability(game, ctx, method, step)
    c = coordinates(game, ctx)
    with assuming(c.table):
        return _stability(game, c, ctx, method, step, at, options)


def _stability(
    game: Game, c: Coordinates, ctx: Context, method: str | None, step: Array | None, at: Array | None,
    options: tuple[Array, ...],
) -> Stability:  # fmt: skip
    field = c.field
    place = _point(c, field, at)
    J = S.Matrix(field).jacobian(S.Matrix(c.symbols)).subs(place, simultaneous=True).applyfunc(_short)
    linear = all(S.Matrix([v]).jacobian(S.Matrix(c.symbols)).free_symbols.isdisjoint(c.symbols) for v in field)
    motion = Motion(c, place, field, J, linear)
    shown = [_short(v) for v in field]
    payoff = game.players[0].payoff
    ctx.trace.add("vector_field", payoff, _vector(c, shown), reason="each player moves along the gradient of its payoff")
    ctx.trace.add("jacobian", _vector(c, shown), _matrix(c, J), reason="its derivative at " + _where(c, place))
    if method in CONTINUOUS or (method is None and step is None):
        record = _flow(motion, shown)
    else:
        row = DYNAMICS.get(method or "simultaneous")
        if row is None:
            raise CannotDerive(f"symgen does not know the method `{method}`", payoff, "symgen/games/dynamics.py")
        record = _iteration(motion, shown, row, step, options)
    ctx.trace.add("eigenvalues", _matrix(c, J), record.jacobian, where=record.verdict,
                  reason=str(record.evidence.method) if record.evidence else "")  # fmt: skip
    return record


def _short(e: Any) -> Any:
    e = S.sympify(e)
    if e.is_number and not e.has(S.exp, S.log):
        return e
    simple = within(1.5, S.simplify, e)
    forms = [e] if simple is None else [simple, e]
    factored = within(1.0, S.factor, forms[0])
    return min([*forms, *([factored] if factored is not None else [])], key=S.count_ops)


def _vector(c: Coordinates, values: list[Any]) -> Array:
    """The tensor of rank 1 with these entries."""
    from symgen.tensor.expression import add, delta, mul

    i = axis(0, num(len(values)))
    return tensor((i,), add(*(mul(delta(i, num(k)), c.node(v)) for k, v in enumerate(values))))


def _matrix(c: Coordinates, m: Any) -> Array:
    from symgen.tensor.expression import add, delta, mul

    i, j = axis(0, num(m.rows)), axis(1, num(m.cols))
    return tensor((i, j), add(*(mul(delta(i, num(a)), delta(j, num(b)), c.node(m[a, b]))
                                for a in range(m.rows) for b in range(m.cols))))  # fmt: skip


def _rows(c: Coordinates, m: Any) -> tuple[tuple[Scalar, ...], ...]:
    return tuple(tuple(c.node(m[a, b]) for b in range(m.cols)) for a in range(m.rows))


def _where(c: Coordinates, place: dict[Any, Any]) -> str:
    return ", ".join(f"{c.name(s)} = {to_sympy(c.node(v), names={})}" for s, v in place.items())


def _point(c: Coordinates, field: list[Any], at: Array | None) -> dict[Any, Any]:
    if at is not None:
        return _given_point(c, field, at)
    points, _ = stationary_points(c)
    good = [p for p in points if p.is_equilibrium] or [p for p in points if all(j.word != "worse" for j in p.judgements)]
    chosen = (good or points)[:1]
    if not chosen:
        raise CannotDerive(
            "no equilibrium of the game was found to look at: say where with `at=`", c.game.players[0].payoff,
            "symgen/calculus/system.py",
        )  # fmt: skip
    values = chosen[0].solution.values
    return {s: values.get(s, s) for s in c.symbols}


def _given_point(c: Coordinates, field: list[Any], at: Array) -> dict[Any, Any]:
    from symgen.tensor.expression import open_tensor

    if at.rank == 0:
        values = [to_sympy(entry(at), c.table)] * len(c.symbols)
    elif at.rank == 1 and at.shape[0] is num(len(c.symbols)):
        values = [to_sympy(open_tensor(at, (num(k),)), c.table) for k in range(len(c.symbols))]
    else:
        raise CannotDerive(f"`at` has to give the {len(c.symbols)} coordinates of the players, in their order", at)
    place = dict(zip(c.symbols, values, strict=True))
    for v in field:
        if vanishes(v.subs(place, simultaneous=True)) is None:
            raise CannotDerive("the point `at` is not stationary: the vector field does not vanish there", at)
    return place


# --- the flow ---------------------------------------------------------------------------------------------------------


def _flow(m: Motion, shown: list[Any]) -> Stability:
    polynomial = characteristic(m.jacobian)
    pairs = eigenvalue_pairs(polynomial)
    verdict = _by_symmetry(m) or _flow_verdict(m, polynomial, pairs)
    c = m.c
    return Stability(
        tuple(c.node(v) for v in shown), _rows(c, m.jacobian), _eigenvalues(c, pairs, polynomial),
        _radius(c, [p.modulus for p in pairs]) if pairs is not None else None, verdict.word, None, verdict.conditions,
        {c.name(s): c.node(v) for s, v in m.at.items()}, tuple(c.name(s) for s in c.symbols), None,
        Evidence(verdict.shown, method=verdict.reason),
    )  # fmt: skip


def _by_symmetry(m: Motion) -> Verdict | None:
    """A linear field with a skew Jacobian keeps the distance."""
    if not m.is_linear or not (m.jacobian + m.jacobian.T).applyfunc(S.simplify).is_zero_matrix:
        return None
    if m.jacobian.is_zero_matrix:
        return None
    return Verdict("cycles", reason="the field is linear and its Jacobian is skew: the distance from the equilibrium is "
                   "conserved, and all eigenvalues are imaginary")  # fmt: skip


def _grows_by_symmetry(m: Motion, row: Dynamics) -> Verdict | None:
    """A simultaneous step along a linear field with a skew Jacobian: |z + h J z|^2 = |z|^2 + h^2 |J z|^2."""
    if row.name != "simultaneous" or m.jacobian.rows == 2 or _by_symmetry(m) is None:
        return None
    determinant = tidy(m.jacobian.det(method="berkowitz"))
    conditions: tuple[Any, ...] = ()
    if sign_of(determinant) not in (1, -1):
        conditions = ((-(determinant**2), S.Integer(0)),)
    return Verdict("diverges", conditions, None, "the Jacobian J is skew: a step multiplies |z|^2 by 1 + h^2 |J z|^2/|z|^2")


def _flow_verdict(m: Motion, polynomial: Any, pairs: list[Pair] | None) -> Verdict:
    tests = hurwitz(polynomial)
    signs = [sign_of(t) for t in tests]
    if 0 in signs and pairs is None:
        return _falling_energy(m) or Verdict("inconclusive", reason="a real part vanishes whatever the constants (Hurwitz)",
                                             shown="unknown")  # fmt: skip
    if all(s == 1 for s in signs):
        return Verdict("converges", reason="all eigenvalues have negative real parts (Hurwitz)")
    parts = [s for p in pairs for s in p.real_part_signs] if pairs is not None else []
    if parts and None not in parts:
        if 1 in parts and -1 in parts:
            return Verdict("saddle", reason="eigenvalues with positive and with negative real parts")
        if 1 in parts:
            return Verdict("diverges", reason="an eigenvalue has a positive real part, none a negative one")
        return _boundary(m, pairs or [], parts)
    if pairs is None and all(s in (1, -1) for s in signs) and polynomial.degree() > 2:
        word = "saddle" if sign_of(-polynomial.all_coeffs()[1]) == -1 else "diverges"
        return Verdict(word, reason="an eigenvalue has a positive real part (Hurwitz)")
    if -1 in signs and pairs is None:
        return Verdict("diverges", reason="an eigenvalue has a real part that is not negative (Hurwitz)")
    energy = _falling_energy(m)
    if energy is not None:
        return energy
    conditions = tuple(compare("<", ZERO, m.c.node(t)) for t, s in zip(tests, signs, strict=True) if s != 1)
    return Verdict("inconclusive", conditions, reason="the signs depend on the constants; it converges under the conditions",
                   shown="unknown")  # fmt: skip


def _boundary(m: Motion, pairs: list[Pair], parts: list[Any]) -> Verdict:
    """No eigenvalue to the right, some on the imaginary axis."""
    rotating = [p for p in pairs if not p.single and p.sign == -1 and p.center == 0]
    resting = any(p.single and p.center == 0 for p in pairs)
    if m.is_linear:
        distinct = len({p.radicand for p in rotating}) == len(rotating)
        if rotating and not resting and len(rotating) == len(pairs) and (distinct or _semisimple(m.jacobian, rotating)):
            return Verdict("cycles", reason="the field is linear and all eigenvalues are imaginary: closed orbits")
        if resting or -1 in parts:
            energy = _falling_energy(m)
            if energy is not None:
                return energy
            return Verdict("inconclusive", reason="an eigenvalue is 0 or imaginary beside others: some directions do not "
                           "move or do not contract", shown="proved")  # fmt: skip
    if rotating and len(m.c.symbols) == 2:
        form = _conserved(m)
        if form is not None:
            text = to_sympy(m.c.node(form), names={})
            return Verdict("cycles", reason=f"{text}, in the distance from the equilibrium, is conserved: closed orbits")
    energy = _falling_energy(m)
    if energy is not None:
        return energy
    return Verdict("inconclusive", reason="eigenvalues on the imaginary axis: the linearisation does not decide for a field "
                   "that is not linear, and no conserved or falling quadratic form was found", shown="unknown")  # fmt: skip


def _semisimple(J: Any, rotating: list[Pair]) -> bool:
    """Whether equal imaginary pairs have as many eigenvectors."""
    squared = J * J
    for p in set(rotating):
        times = sum(q == p for q in rotating)
        if (squared - p.radicand * S.eye(J.rows)).applyfunc(S.simplify).rank() > J.rows - 2 * times:
            return False
    return True


def _conserved(m: Motion) -> Any:
    """The quadratic form that the flow near a centre keeps, if the whole field keeps it."""
    a, b, c = m.jacobian[0, 0], m.jacobian[0, 1], m.jacobian[1, 0]
    x, y = m.c.symbols
    form = c * x**2 - 2 * a * x * y - b * y**2
    v, w = m.centred
    change = S.diff(form, x) * v + S.diff(form, y) * w
    if vanishes(change) != "proved":
        return None
    form = S.cancel(form / (c if sign_of(c) is not None else S.Integer(1)))
    return S.expand(form)


def _falling_energy(m: Motion) -> Verdict | None:
    """|z - z*|^2/2 falls along the flow at every other point: it converges, though not at an exponential rate."""
    change = S.expand(sum(s * v for s, v in zip(m.c.symbols, m.centred, strict=True)))
    if not change.is_polynomial(*m.c.symbols):
        return None
    polynomial = S.Poly(change, *m.c.symbols)
    pure: set[int] = set()
    slow = False
    for powers, coefficient in polynomial.terms():
        if any(p % 2 for p in powers) or sign_of(coefficient) != -1:
            return None
        used = [k for k, p in enumerate(powers) if p]
        if len(used) == 1:
            pure.add(used[0])
            slow = slow or powers[used[0]] > 2
    if pure != set(range(len(m.c.symbols))):
        return None
    return Verdict("sublinear" if slow else "converges", reason="the squared distance from the equilibrium falls along the flow"
                   + (", slower than exponentially" if slow else ""))  # fmt: skip


# --- iterations -------------------------------------------------------------------------------------------------------


def _iteration(m: Motion, shown: list[Any], row: Dynamics, step: Array | None, options: tuple[Array, ...]) -> Stability:
    c = m.c
    h_scalar = entry(step) if step is not None else entry(var("h", (), "positive", "const"))
    given = to_sympy(h_scalar, c.table)
    h = given if given.is_Symbol and given.is_positive else S.Dummy("h", positive=True)
    if len(options) > len(row.options):
        raise CannotDerive(f"the method `{row.name}` takes {len(row.options)} options", c.game.players[0].payoff)
    extra = [to_sympy(entry(o), c.table) for o in options]
    for name in row.options[len(extra) :]:
        extra.append(c.table.symbol(entry(var(name, (), "positive", "const"))))
    blocks = [[i for i, k in enumerate(c.owner) if k == player] for player in range(len(c.game.players))]
    M = row.matrix(m.jacobian, blocks, h, *extra).applyfunc(tidy)
    polynomial = characteristic(M)
    values, moduli, closed = _iteration_spectrum(m, row, h, extra, polynomial)
    verdict = _grows_by_symmetry(m, row) or _iteration_verdict(m, row, polynomial, h)

    def put(e: Any) -> Any:
        return S.sympify(e).xreplace({h: given}) if h is not given else e

    radius = None
    if moduli is not None:
        radius = _radius(c, [put(x) for x in moduli])
    elif closed is not None:
        apart = [S.Abs(put(v), evaluate=False) for v in closed]
        radius = Closed(S.Max(*apart, evaluate=False), c.table)
    word, conditions = _at_step(c, verdict, h, given, put)
    eigenvalues = tuple(_value(c, put(v)) for v in values) if values is not None else _eigenvalues(c, None, polynomial.subs(h, given)
                        if h is not given else polynomial)  # fmt: skip
    bound = verdict.bound
    bound_node = None if bound is None else _value(c, put(bound))
    return Stability(
        tuple(c.node(v) for v in shown), _rows(c, m.jacobian), eigenvalues, radius, word, bound_node, conditions,
        {c.name(s): c.node(v) for s, v in m.at.items()}, tuple(c.name(s) for s in c.symbols),
        _rows(c, M.applyfunc(put)), Evidence(verdict.shown, method=verdict.reason),
    )  # fmt: skip


def _at_step(c: Coordinates, verdict: Verdict, h: Any, given: Any, put: Any) -> tuple[str, tuple[Any, ...]]:
    """The verdict at the step that was given: a number decides the conditions on h."""
    kept: list[Any] = []
    word = verdict.word
    for left, right in verdict.conditions:
        gap = sign_of(S.sympify(put(right - left)))
        if gap == 1:
            continue
        if gap in (-1, 0) and h is not given:
            word = "diverges" if gap == -1 else "inconclusive"
            continue
        try:
            kept.append(compare("<", c.node(put(left)), c.node(put(right))))
        except NotInSymPy:
            kept.append(Closed(S.Lt(put(left), put(right)), c.table))
    return word, tuple(kept)


def _iteration_spectrum(
    m: Motion, row: Dynamics, h: Any, extra: list[Any], polynomial: Any
) -> tuple[list[Any] | None, list[Any] | None, list[Any] | None]:
    """The eigenvalues of the iteration, the moduli of them (real expressions) or else the eigenvalues again."""
    pairs = eigenvalue_pairs(polynomial)
    if pairs is not None:
        return [r for p in pairs for r in p.roots], [p.modulus for p in pairs], None
    if row.characteristic is None:
        return None, None, None
    lam = S.Dummy("lam")
    relation = S.Poly(row.characteristic(mu, lam, h, *extra), mu)
    base = eigenvalue_pairs(characteristic(m.jacobian))
    if base is None:
        return None, None, None
    values: list[Any] = []
    moduli: list[Any] | None = []
    for p in base:
        for root in p.roots:
            r = relation.as_expr().subs(lam, root)
            b, e = [S.expand(x) for x in S.Poly(r, mu).all_coeffs()[1:]] if relation.degree() == 2 else [None, None]
            if b is None:
                values.append(S.solve(r, mu)[0])
                if p.sign == -1 and moduli is not None:
                    other = S.solve(relation.as_expr().subs(lam, p.roots[1] if root == p.roots[0] else p.roots[0]), mu)[0]
                    moduli.append(S.sqrt(tidy(S.expand(values[-1] * other))))
                elif moduli is not None:
                    moduli.append(S.Abs(values[-1]))
                continue
            inside = S.expand(b**2 - 4 * e)
            half = S.sqrt(inside) if inside.has(S.I) else square_root(inside, True)
            values += [S.expand(-b / 2) + half / 2, S.expand(-b / 2) - half / 2]
            modulus = _modulus(S.expand(-b), inside)
            moduli = moduli + [modulus] if moduli is not None and modulus is not None else None
    if moduli is not None:
        return values, moduli, None
    # conjugate eigenvalues of J give conjugate ones of the iteration: half of them show all moduli
    half_of_them = [v for k, v in enumerate(values) if not _conjugate_before(base, k // relation.degree())]
    return values, None, half_of_them


def _conjugate_before(base: list[Pair], position: int) -> bool:
    """Whether the root at this position is the second of a conjugate pair."""
    flat = [(p, k) for p in base for k in range(len(p.roots))]
    p, k = flat[position]
    return k == 1 and p.sign == -1


def _modulus(b: Any, inside: Any) -> Any:
    """The larger |b +- sqrt(inside)|/2 for complex b and real `inside`; None where that is complex too."""
    re, im = b.subs(S.I, 0), S.expand((b - b.subs(S.I, 0)) / S.I)
    if inside.has(S.I):
        return None
    apart = S.sqrt(_short(((S.Abs(re) + square_root(inside)) / 2) ** 2 + im**2 / 4))
    together = S.sqrt(_short(re**2 / 4 + ((S.Abs(im) + square_root(-inside)) / 2) ** 2))
    s = sign_of(inside)
    if s in (0, 1):
        return apart
    return together if s == -1 else S.Piecewise((together, below_zero(inside)), (apart, True))


def _iteration_verdict(m: Motion, row: Dynamics, polynomial: Any, h: Any) -> Verdict:
    """Which of Jury's expressions vanish, and at which steps the others change sign."""
    tests = [tidy(t) for t in in_circle(polynomial)]
    marginal = [t for t in tests if t == 0]
    bounds: list[Any] = []
    unstable: list[Any] = []
    open_tests: list[Any] = []
    degenerate: list[Any] = []
    for t in tests:
        if t == 0:
            continue
        if sign_of(t) == 1:
            continue
        small = _sign_near_zero(t, h)
        if small is None and never_positive(t):
            degenerate.append((t, S.Integer(0)))
            small = -1
        if small == 1:
            found = _first_root(t, h)
            if found is None:
                open_tests.append(t)
            else:
                bounds += found
        elif small == -1:
            unstable.append(t)
        else:
            open_tests.append(t)
    flow = _flow_kind(m)
    if unstable:
        word = "saddle" if flow == "saddle" else "diverges"
        always = [t for t in unstable if sign_of(t) == -1 or never_positive(t)]
        if always:
            kept = () if any(sign_of(t) == -1 for t in always) else tuple(degenerate[:1])
            return Verdict(word, kept, reason="an eigenvalue lies outside the unit circle for every step (Jury)")
        firsts = [_first_root(-t, h) for t in unstable]
        limits = [b for f in firsts if f for b in f]
        conditions = tuple((h, b) for b in limits[:1])
        return Verdict(word, conditions, reason="an eigenvalue lies outside the unit circle for small steps (Jury)")
    bound = None
    if bounds:
        bound = _least(bounds)
    if open_tests:
        conditions = tuple((S.Integer(0), t) for t in open_tests)
        return Verdict("inconclusive", conditions, None, "it converges under the conditions (Jury)", "unknown")
    if marginal:
        return _marginal(m, polynomial, bound, h)
    conditions = ((h, bound),) if bound is not None else ()
    reason = "all eigenvalues lie inside the unit circle (Jury)"
    return Verdict("converges", conditions, S.oo if bound is None else bound, reason)


def _flow_kind(m: Motion) -> str:
    pairs = eigenvalue_pairs(characteristic(m.jacobian))
    parts = [s for p in pairs for s in p.real_part_signs] if pairs else []
    return "saddle" if 1 in parts and -1 in parts else ""


def _sign_near_zero(t: Any, h: Any) -> int | None:
    """The sign for all small enough steps: that of the lowest coefficient in h."""
    top, bottom = S.fraction(S.together(t))
    signs = []
    for part in (top, bottom):
        polynomial = S.Poly(S.expand(part), h) if S.expand(part).is_polynomial(h) else None
        if polynomial is None:
            return None
        signs.append(sign_of(tidy(polynomial.all_coeffs()[::-1][polynomial.monoms()[-1][0]])))
    return signs[0] * signs[1] if None not in signs else None  # type: ignore[operator]


def _first_root(t: Any, h: Any) -> list[Any] | None:
    """The steps at which t, positive for small steps, may first vanish; [] where there is none for certain, None where
    that is open. A step that is there only under a condition is oo otherwise."""
    if sign_of(t) == 1:
        return []
    top = S.fraction(S.together(t))[0]
    out: list[Any] = []
    for f, _ in S.factor_list(S.expand(top))[1]:
        if h not in f.free_symbols or sign_of(f) in (1, -1):
            continue
        polynomial = S.Poly(f, h) if f.is_polynomial(h) else None
        if polynomial is not None and polynomial.degree() == 2 and len(f.free_symbols) > 1:
            found = _first_root_of_quadratic(polynomial)
            if found is None:
                return None
            out += found
            continue
        if polynomial is not None and f.free_symbols == {h}:
            out += [r for r in S.Poly(f, h).real_roots() if r.is_positive][:1]
            continue
        roots = roots_of(f, h)
        if polynomial is None or not roots or not all(r.complete for r in roots):
            return None
        for r in roots:
            s = sign_of(r.value)
            if r.value.has(S.I) or r.value.is_real is False or s in (-1, 0):
                continue
            if s is None and r.value.free_symbols:
                out.append(S.Piecewise((r.value, r.value > 0), (S.oo, True)))
            elif s == 1 or complex(r.value.evalf()).real > 0:
                out.append(r.value)
    return out


def _first_root_of_quadratic(polynomial: Any) -> list[Any] | None:
    """Of a h^2 + b h + c; the signs of a and c are to be sure."""
    a, b, c = polynomial.all_coeffs()
    if sign_of(c) == -1:
        a, b, c = -a, -b, -c
    if sign_of(c) != 1:
        return None
    inside = tidy(b**2 - 4 * a * c)
    if sign_of(a) == -1:
        return [_short((-b - square_root(inside)) / (2 * a))]
    if sign_of(a) != 1:
        return None
    turn = sign_of(b)
    if turn in (0, 1) or sign_of(inside) == -1:
        return []
    root = S.expand((-b - square_root(inside)) / (2 * a))
    if turn == -1 and sign_of(inside) == 1:
        return [root]
    there = S.Not(below_zero(inside))
    return [S.Piecewise((root, there if turn == -1 else S.And(there, below_zero(b))), (S.oo, True))]


def _least(bounds: list[Any]) -> Any:
    out: list[Any] = []
    sometimes = [b for b in bounds if isinstance(b, S.Piecewise)]
    for b in bounds:
        if b in sometimes or any(vanishes(b - o) == "proved" or _above(b, o) for o in out):
            continue
        out = [o for o in out if not _above(o, b)] + [b]
    least = S.Min(*out) if out else S.oo
    for b in sometimes:
        (value, condition), _ = b.args
        under = value if least is S.oo or _above(least, value) else least if _above(value, least) else S.Min(value, least)
        if under is not least:
            least = S.Piecewise((under, condition), (least, True))
    return least


def _above(a: Any, b: Any) -> bool:
    """a >= b for certain, wherever the roots in them are real."""
    difference = S.expand(a - b)
    places = {r: S.Dummy(positive=True) for r in difference.atoms(S.Pow) if r.exp == S.Rational(1, 2)}
    return sign_of(difference.xreplace(places)) in (0, 1)


def _marginal(m: Motion, polynomial: Any, bound: Any, h: Any) -> Verdict:
    """Eigenvalues on the unit circle whatever the step."""
    conditions = ((h, bound),) if bound is not None else ()
    pairs = eigenvalue_pairs(polynomial)
    if pairs is not None and polynomial.degree() == 2 and len(pairs) == 1 and not pairs[0].single:
        center, radicand = pairs[0].center, pairs[0].radicand
        on_circle = vanishes(center**2 - radicand - 1) == "proved"
        if on_circle and m.is_linear and _sign_near_zero(radicand, h) == -1:
            return Verdict("cycles", conditions, None, "the iteration is linear with a pair of eigenvalues of modulus 1: it "
                           "neither grows nor shrinks")  # fmt: skip
    energy = _falling_energy(m)
    if energy is not None and energy.word == "sublinear":
        return Verdict("sublinear", conditions, None, "an eigenvalue is 1; the flow contracts slower than exponentially, and so "
                       "does the iteration with small steps", "checked")  # fmt: skip
    return Verdict("inconclusive", conditions, None, "eigenvalues on the unit circle: the linearisation does not decide",
                   "unknown")  # fmt: skip


# --- fields of the record ---------------------------------------------------------------------------------------------


def _value(c: Coordinates, e: Any) -> Any:
    e = S.sympify(e)
    if not e.has(S.I):
        known = [sign_of(a.base) for a in e.atoms(S.Pow) if a.exp == S.Rational(1, 2)]
        if all(k in (0, 1) for k in known):
            try:
                return c.node(e)
            except NotInSymPy:
                pass
    return Closed(e, c.table)


def _eigenvalues(c: Coordinates, pairs: list[Pair] | None, polynomial: Any) -> tuple[Any, ...]:
    if pairs is None:
        return (Closed(polynomial.as_expr(), c.table, mu),)
    return tuple(_value(c, r) for p in pairs for r in p.roots)


def _radius(c: Coordinates, moduli: list[Any]) -> Any:
    e = S.sympify(largest(moduli))
    short = within(1.5, S.simplify, e) if not e.has(S.Piecewise) else e
    e = e if short is None or S.count_ops(short) > S.count_ops(e) else short
    try:
        return c.node(e)
    except NotInSymPy:
        return Closed(e, c.table)

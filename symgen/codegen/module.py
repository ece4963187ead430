"""A `Unit` as the source of a NumPy module: losses with gradients, named values, `init` and `train`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from symgen.codegen.kernel import Kernel, make_kernel
from symgen.codegen.layout import (
    constant_text,
    declaration,
    dictionary,
    docstring,
    initial_kind,
    initial_words,
    option_text,
    payoffs_text,
    player_names,
    quoted,
    spelling_lines,
    strings,
    wrapped,
)  # fmt: skip
from symgen.codegen.optimisers import DYNAMICS, OPTIMISERS
from symgen.codegen.sampling import expectations
from symgen.codegen.sizes import dims_of, sights
from symgen.codegen.sources import source_of
from symgen.codegen.unit import Game, Loss, Train, Unit
from symgen.codegen.words import Names, safe, size_text
from symgen.tensor.expression import Array, Dim, Num, Scalar, Var, topological, variables_of
from symgen.text.diagnostics import CannotDerive

__all__ = ["HELPERS", "Writer"]


LOCALS = (
    "value", "gradients", "consts", "seed", "samples", "steps", "batch", "callback", "state", "checkpoint", "every",
    "evaluate", "who", "SPELLINGS", "init", "train", "device", "SHAPES", "DOMAINS", "SEEN", "TRAINS",
)  # fmt: skip


HELPERS = "# " + " what the functions above use ".center(118, "-")


class Writer:
    def __init__(self, unit: Unit, formula: Callable[[Array], str] | None) -> None:
        self.unit = unit
        self.formula = formula
        self.names = Names(
            ["SHAPES", "DOMAINS", "SEEN", "SPELLINGS", "TRAINS", "init", "train", "callback", "state", "checkpoint", "every"]
        )
        self.params = {p.variable: p for p in unit.params}
        self.order = [*unit.data, *self.params, *unit.consts]
        self.rows = self.row_size()
        self.helpers: dict[str, None] = {}
        self.imports: dict[str, None] = {}
        self.parts: list[str] = []
        self.all_dims = self.declared_dims()
        taken = Names(LOCALS)
        self.locals: dict[Var | Dim, str] = {v: taken.new(v.name) for v in (*self.order, *self.all_dims)}
        self.shown = taken.new("shown")  # the sizes that the arrays show, inside the public functions

    def declared_dims(self) -> list[Dim]:
        found: dict[Dim, None] = {}
        for v in self.order:
            for s in v.shape:
                found.update(dict.fromkeys(dims_of(s)))
        return list(found)

    def row_size(self) -> Scalar | None:
        """The size of the leading axis of the data, if it stands nowhere else: then minibatches make sense."""
        counts: dict[Scalar, int] = {}
        for v in self.unit.data:
            if v.shape and isinstance(v.shape[0], Dim):
                counts[v.shape[0]] = counts.get(v.shape[0], 0) + 1
        for s in sorted(counts, key=lambda s: -counts[s]):
            elsewhere = [t for v in self.unit.data for t in v.shape[1:]]
            elsewhere += [t for v in (*self.params, *self.unit.consts) for t in v.shape]
            if not any(s in dims_of(t) for t in elsewhere) and self.unit.dims.get(getattr(s, "name", "")) is None:
                return s
        return None

    # --- the parts of the module ---

    def write(self) -> str:
        unit = self.unit
        for loss in unit.losses:
            self.loss(loss)
        for name, array in unit.values:
            self.value(name, array)
        for game in unit.games:
            self.game(game)
        if self.params:
            self.init()
            self.trains()
        return self.assembled()

    def kernel(
        self,
        name: str,
        outputs: Mapping[str, Array],
        result: Callable[[Mapping[str, str]], str],
        called: Mapping[str, str],
    ) -> Kernel:
        kernel = make_kernel(name, outputs, self.unit.names, self.formula, self.order, self.rows, result, called=called)
        self.helpers.update(kernel.helpers)
        self.imports.update(kernel.imports)
        self.parts.append(kernel.source)
        return kernel

    def loss(self, loss: Loss) -> None:
        name = self.names.new(loss.name)
        both = self.names.new(loss.name + "_value_and_grad")
        kernel = self.kernel(f"_{name}", {"value": loss.value}, lambda t: t["value"], {"value": loss.name})
        text = self.text_of(loss.value)
        self.public(name, kernel, f"{loss.name} = {text}" if text else f"The loss {loss.name}.", "float({})")
        gradients = {v.name: g for v, g in loss.gradients.items()}
        outputs = {"value": loss.value, **{f"grad {name}": g for name, g in gradients.items()}}
        called = {"value": loss.name, **{f"grad {name}": f"d{name}" for name in gradients}}
        kernel = self.kernel(
            f"_{both}",
            outputs,
            lambda t: t["value"] + ", " + dictionary({name: t[f"grad {name}"] for name in gradients}, "    "),
            called,
        )
        doc = f"{loss.name} and its gradient by each of {', '.join(gradients)}."
        self.public(both, kernel, doc, None)

    def value(self, name: str, array: Array) -> None:
        own = self.names.new(name)
        kernel = self.kernel(f"_{own}", {"value": array}, lambda t: t["value"], {"value": name})
        text = self.text_of(array)
        self.public(own, kernel, f"{name} = {text}" if text else name, "float({})" if not array.shape else "{}")

    def game(self, game: Game) -> None:
        """The payoffs of all players with the gradients of each by its own parameters."""
        both = self.names.new(game.name + "_values_and_grads")
        outputs: dict[str, Array] = {}
        called: dict[str, str] = {}
        names = player_names(game)
        for name, player in zip(names, game.players, strict=True):
            outputs[f"payoff {name}"] = player.payoff
            for v, g in player.gradients.items():
                outputs[f"grad {v.name}"] = g
                called[f"grad {v.name}"] = f"d{v.name}"
        kernel = self.kernel(f"_{both}", outputs, lambda t: payoffs_text(t, names), called)
        doc = f"The payoff of each player of the game {game.name}, and its gradient by the player's own parameters."
        self.public(both, kernel, doc, None, plural=True)

    def public(self, name: str, kernel: Kernel, doc: str, wrap: str | None, plural: bool = False) -> None:
        """The function that people call: arrays by name, checked at the door."""
        keywords = self.keyword_texts(kernel)
        if kernel.draws:
            keywords += ["seed=0", "samples=1" if not kernel.lifted else "samples=256"]
            doc += "\n\nA Monte Carlo estimate of an expectation: `samples` draws of the noise by `seed`."
            self.helpers["averaged"] = None
        star = ", *, " + ", ".join(keywords) if keywords else ""
        lines = [f"def {name}(params, data=None{star}):", *docstring(doc)]
        lines += self.opened(kernel)
        call = self.call(kernel, "samples")
        if kernel.draws:
            lines.append("    rng = np.random.default_rng(seed)")
            if kernel.repeated:
                repeats = "samples" if not kernel.lifted else "1"
                call = f"averaged([{call} for _ in range({repeats})])" if repeats == "samples" else call
        if wrap is not None:
            lines.append(f"    value = {call}")
            lines.append("    if not np.all(np.isfinite(value)):\n        blame(value, " + self.arrays_text(kernel) + ")")
            lines.append(f"    return {wrap.format('value')}")
        else:
            lines.append(f"    value, gradients = {call}")
            if plural:
                lines.append("    return {name: float(v) for name, v in value.items()}, gradients")
            else:
                lines.append("    if not np.isfinite(value):\n        blame(value, " + self.arrays_text(kernel) + ")")
                lines.append("    return float(value), gradients")
        self.helpers.update({"door": None, "blame": None})
        self.parts.append("\n".join(lines))

    def arrays_text(self, kernel: Kernel) -> str:
        return "{" + ", ".join(f"{quoted(v.name)}: {self.local(v)}" for v in kernel.inputs if v.role != "const" or v.shape) + "}"

    def local(self, v: Var | Dim) -> str:
        """What an array or a size is called inside the public functions, and as their keyword."""
        if v not in self.locals:
            self.locals[v] = Names([*LOCALS, *self.locals.values()]).new(v.name)
        return self.locals[v]

    def keyword_texts(self, kernel: Kernel) -> list[str]:
        keywords = []
        for v in kernel.inputs:
            if v in self.unit.consts:
                default = self.unit.consts[v]
                keywords.append(self.local(v) + ("" if default is None else f"={constant_text(default)}"))
        keywords.sort(key=lambda k: "=" in k)
        for d in kernel.told:
            fixed = self.unit.dims.get(d.name)
            keywords.append(f"{self.local(d)}={fixed}")
        return keywords

    def respelled(self) -> list[str]:
        """The line that takes names as the author spelled them for those of the module."""
        if not self.unit.spellings:
            return []
        self.helpers["spelled"] = None
        return ["    params, data = spelled(params, SPELLINGS), spelled(data, SPELLINGS)"]

    def opened(self, kernel: Kernel) -> list[str]:
        """The lines that take the arrays of a kernel from `params` and `data`."""
        arrays = [v for v in kernel.inputs if v not in self.unit.consts or v.shape]
        lines = self.respelled() if any(v not in self.unit.consts for v in arrays) else []
        if arrays:
            places = ", ".join("params" if v in self.params else "data" if v not in self.unit.consts else "consts" for v in arrays)
            if "consts" in places:
                lines.append("    consts = " + dictionary({v.name: self.local(v) for v in arrays if v in self.unit.consts}))
            names = ", ".join(quoted(v.name) for v in arrays)
            comma = "," if len(arrays) == 1 else ""
            sizes = dictionary({d.name: self.local(d) for d in kernel.told})
            targets = ", ".join(self.local(v) for v in arrays) + comma
            lines.append(f"    {targets} = door(({names}{comma}), ({places}{comma}), SHAPES, {sizes}, SEEN)")
        for v in kernel.inputs:
            if v in self.unit.consts and not v.shape:
                lines.append(f"    {self.local(v)} = float({self.local(v)})")
        self.helpers.update({"needed": None} if kernel.told else {})
        return lines

    def call(self, kernel: Kernel, samples: str) -> str:
        arguments = [self.local(v) for v in kernel.inputs]
        arguments += [f"needed({quoted(d.name)}, {self.local(d)})" for d in kernel.told]
        arguments += (["rng"] if kernel.draws else []) + ([samples] if kernel.lifted else [])
        return f"{kernel.name}({', '.join(arguments)})"

    def text_of(self, array: Array) -> str:
        return self.formula(array) if self.formula is not None else ""

    # --- init and train ---

    def init(self) -> None:
        dims: dict[Dim, None] = {}
        for v in self.params:
            for s in v.shape:
                dims.update(dict.fromkeys(dims_of(s)))
        self.init_dims = list(dims)
        keywords = [f"{self.local(d)}={self.unit.dims.get(d.name)}" for d in self.all_dims]
        text = {d: self.local(d) for d in self.all_dims}
        lines = [f"def init(seed=0, *, {''.join(k + ', ' for k in keywords)}dtype=np.float64):"]
        lines += docstring(
            "Parameters to start from.\n\n"
            + "\n".join(f"{v.name}: {initial_words(p.initial, p.scale, v)}" for v, p in self.params.items())
        )
        for d in self.init_dims:
            lines.append(f"    {text[d]} = needed({quoted(d.name)}, {text[d]})")
        lines.append("    rng = np.random.default_rng(seed)")
        lines.append("    return {")
        for v, p in self.params.items():
            kind, scale = initial_kind(p.initial, p.scale, v)
            shape = "(" + ", ".join(size_text(s, text) for s in v.shape) + ("," if len(v.shape) == 1 else "") + ")"
            lines.append(f"        {quoted(v.name)}: initial(rng, {quoted(kind)}, {scale!r}, {shape}, {quoted(v.domain)}, dtype),")
        lines.append("    }")
        self.helpers.update({"initial": None, "needed": None})
        self.parts.append("\n".join(lines))

    def trains(self) -> None:
        statements = list(self.unit.trains)
        told = {t.target for t in statements}
        for loss in self.unit.losses:
            if loss.name not in told and loss.gradients:
                statements.append(Train(loss.name, options={"lr": 0.01}))
        for game in self.unit.games:
            if game.name not in told:
                statements.append(Train(game.name))
        table: dict[str, str] = {}
        for t in statements:
            name = "train" if not table else self.names.new(f"train_{t.target}")
            losses = {loss.name: loss for loss in self.unit.losses}
            games = {game.name: game for game in self.unit.games}
            if t.target in losses:
                self.train_loss(name, losses[t.target], t)
            elif t.target in games:
                self.train_game(name, games[t.target], t)
            else:
                continue
            table.setdefault(t.target, name)
        if table:
            self.parts.append("TRAINS = " + dictionary(table))

    def header(self, name: str, t: Train, kernels: Sequence[Kernel], options: Mapping[str, float], batch: bool) -> list[str]:
        settings = dict(t.settings)
        keywords = [f"steps={int(settings.get('steps', 1000))}", f"seed={int(settings.get('seed', 0))}"]
        if batch:
            size = settings.get("batch")
            keywords.append(f"batch={int(size) if size else None}")
        if any(k.draws for k in kernels):
            default = settings.get("samples") or (settings.get("batch") or 64 if any(k.lifted for k in kernels) else 1)
            keywords.append(f"samples={int(default)}")
        keywords += [f"{self.option(k, t)}={option_text(v)}" for k, v in options.items()]
        consts = dict.fromkeys(v for k in kernels for v in k.inputs if v in self.unit.consts)
        for v in consts:
            default = self.unit.consts[v]
            keywords.append(self.local(v) + ("" if default is None else f"={constant_text(default)}"))
        keywords += ["callback=None", "state=None", "checkpoint=None", "every=100"]
        keywords += [f"{self.local(d)}={self.unit.dims.get(d.name)}" for d in self.all_dims]
        text = f"def {name}(data, params=None, *, {', '.join(keywords)}):"
        if len(text) > 110:
            text = "\n".join([f"def {name}(", "    data, params=None, *,", *wrapped(keywords), "):"])
        return [text]

    def option(self, name: str, t: Train) -> str:
        """The keyword of an option of an optimiser: its name, unless something of the spec is called so."""
        return f"{t.method}_{name}" if name in self.locals.values() else name

    def train_loss(self, name: str, loss: Loss, t: Train) -> None:
        row = OPTIMISERS.get(t.method)
        if row is None:
            raise CannotDerive(f"there is no optimiser `{t.method}` for a loss", None, "codegen/optimisers.py")
        options = {**row.options, **t.options}
        unknown = [o for o in t.options if o not in row.options and not (o == "lr" and row.loop != "minimise")]
        if unknown:
            raise CannotDerive(f"`{t.method}` has no option `{unknown[0]}`", None, "codegen/optimisers.py")
        options = {k: v for k, v in options.items() if k in row.options}
        trained = [v.name for v in loss.gradients if not t.wrt or v.name in t.wrt]
        gradients = {v.name: g for v, g in loss.gradients.items() if v.name in trained}
        if not trained:
            return
        if len(trained) == len(loss.gradients):
            kernel_name = f"_{safe(loss.name)}_value_and_grad"
            kernel = self.quiet_kernel(kernel_name, loss.value, gradients)
        else:
            kernel_name = "_" + self.names.new(f"{name}_value_and_grad")
            kernel = self.quiet_kernel(kernel_name, loss.value, gradients, keep=True)
        batch = row.loop == "minimise"
        rows = self.rows_of([kernel]) if batch else []
        lines = self.header(name, t, [kernel], options, batch)
        lines += docstring(self.train_words(f"Minimise {loss.name} by {', '.join(trained)} with {row.says} ({row.source}).", rows))
        lines += self.started([kernel], batch)
        lines += ["", "    def evaluate(params, data, rng):", "        return " + self.inner_call(kernel), ""]
        pairs = dictionary({k: self.option(k, t) for k in options})
        terms = self.terms([loss.value])
        update = t.method if row.loop == "minimise" else "None"
        first = [f"evaluate, params, data, {strings(trained)}"]
        lines += self.loop(row.loop, first, update, pairs, rows if batch else None, loss.name, terms)
        self.helpers.update({row.loop: None, **({t.method: None} if batch else {})})
        self.parts.append("\n".join(lines))

    def quiet_kernel(self, name: str, value: Array, gradients: Mapping[str, Array], keep: bool = False) -> Kernel:
        """The kernel of a loss with gradients; its source is put into the module only with `keep`."""
        outputs = {"value": value, **{f"grad {n}": g for n, g in gradients.items()}}
        kernel = make_kernel(
            name, outputs, self.unit.names, self.formula, self.order, self.rows,
            lambda t: t["value"] + ", " + dictionary({n: t[f"grad {n}"] for n in gradients}, "    "),
            called={f"grad {n}": f"d{n}" for n in gradients},
        )  # fmt: skip
        if keep:
            self.helpers.update(kernel.helpers)
            self.imports.update(kernel.imports)
            self.parts.append(kernel.source)
        return kernel

    def inner_call(self, kernel: Kernel) -> str:
        """A call of a kernel with arrays from the dictionaries of a training loop."""
        arguments = []
        for v in kernel.inputs:
            if v in self.params:
                arguments.append(f"params[{quoted(v.name)}]")
            elif v in self.unit.consts:
                arguments.append(self.local(v))
            else:
                arguments.append(f"data[{quoted(v.name)}]")
        arguments += [f"needed({quoted(d.name)}, {self.local(d)})" for d in kernel.told]
        arguments += (["rng"] if kernel.draws else []) + (["samples"] if kernel.lifted else [])
        call = f"{kernel.name}({', '.join(arguments)})"
        if kernel.repeated and not kernel.lifted:
            self.helpers["averaged"] = None
            return f"averaged([{call} for _ in range(samples)])"
        return call

    def train_words(self, first: str, rows: Sequence[str]) -> str:
        text = first + "\n\n"
        if rows:
            text += f"A minibatch takes `batch` rows of {', '.join(rows)} at a time (None: all rows). "
        text += (
            "`callback(step, value, params)` is called after each step; `checkpoint(state)` every `every` steps and at "
            "the end, with all that `state=` needs to go on to the same bits. Returns the parameters."
        )
        return text

    def read_data(self, kernels: Sequence[Kernel]) -> list[Var]:
        """The data that training reads."""
        read = {v for k in kernels for v in k.inputs}
        return [v for v in self.unit.data if v in read]

    def rows_of(self, kernels: Sequence[Kernel]) -> list[str]:
        return [v.name for v in self.read_data(kernels) if v.shape and v.shape[0] is self.rows]

    def data_text(self, kernels: Sequence[Kernel]) -> str:
        """The names of the data that training reads; other arrays are welcome where only they show a size."""
        read = self.read_data(kernels)
        shown = {d for v in read for s in v.shape for d in dims_of(s)}
        wanted = {d for d in (*self.init_dims, *(d for k in kernels for d in k.told)) if d not in shown}
        more = [v.name for v in self.unit.data if v not in read and any(wanted & set(dims_of(s)) for s in v.shape)]
        if not more:
            return strings([v.name for v in read])
        names = "".join(f"{quoted(v.name)}, " for v in read)
        return f"({names}*(name for name in {strings(more)} if name in data),)"

    def started(self, kernels: Sequence[Kernel], batch: bool) -> list[str]:
        params = tuple(v.name for v in self.params)
        sizes = dictionary({d.name: self.local(d) for d in self.all_dims})
        made = ", ".join(["seed", *(f"{self.local(d)}=s.get({quoted(d.name)})" for d in self.init_dims), "dtype=dtype"])
        lines = [
            *self.respelled(),
            "    data, params = started(",
            f"        SHAPES, {self.data_text(kernels)}, {strings(params)}, data, params,",
            f"        lambda dtype, s: init({made}), {sizes},",
            "    )",
        ]
        self.helpers["started"] = None
        if batch and not self.rows_of(kernels):
            lines.insert(
                0,
                "    if batch is not None:\n"
                '        raise ValueError("these data have no axis of rows that could be split into batches")',
            )
        lines += self.domain_checks(kernels, sizes)
        lines.append("    rng = np.random.default_rng(seed)")
        return lines

    def domain_checks(self, kernels: Sequence[Kernel], sizes: str) -> list[str]:
        """The lines that refuse what lies outside its domain, before training begins."""
        read = {v for k in kernels for v in k.inputs if v.domain != "real"}
        lines = []
        for v in (v for v in self.order if v in read):
            names = {d: f"{self.shown}[{quoted(d.name)}]" for count in v.domain_args for d in dims_of(count)}
            top = f", {size_text(v.domain_args[0], names)}" if v.domain == "label" and v.domain_args else ""
            place = f"{'params' if v in self.params else 'data'}[{quoted(v.name)}]"
            value = self.local(v) if v in self.unit.consts else place
            lines.append(f"    within({quoted(v.name)}, {value}, {quoted(v.domain)}{top})")
        if any(f"{self.shown}[" in line for line in lines):
            lines.insert(0, f"    {self.shown} = shown_sizes(SHAPES, {{**data, **params}}, {sizes})")
        self.helpers.update({"within": None, "shown_sizes": None} if lines else {})
        return lines

    def terms(self, values: Sequence[Array]) -> str:
        """The function that computes the named values of a loss or game, to tell which one is not finite; means over
        noise are left out."""
        named = {
            name: a
            for a in topological(*values)
            if (name := self.unit.names.get(a)) and not isinstance(a, Var) and not expectations(a)
        }
        named = {name: a for name, a in named.items() if a not in values and variables_of(a) <= set(self.order)}
        if not named:
            return "lambda params: {}"
        kernel = self.kernel("_" + self.names.new("terms"), named, dictionary, {})
        return f"lambda params: {self.inner_call(kernel)}"

    def loop(
        self, loop: str, first: list[str], update: str, pairs: str, batch: list[str] | None, what: str, terms: str
    ) -> list[str]:
        rows = strings(batch or ())
        return [
            f"    return {loop}(",
            f"        {first[0]}, DOMAINS, {''.join(x + ', ' for x in first[1:])}{update}, {pairs}, steps,",
            f"        {'None' if batch is None else 'batch'}, {rows}, rng, callback, state, checkpoint, every, {quoted(what)},",
            f"        {terms},",
            "    )",
        ]

    def train_game(self, name: str, game: Game, t: Train) -> None:
        row = DYNAMICS.get(t.method)
        if row is None:
            raise CannotDerive(f"no training loop for the method `{t.method}` of a game", None, "codegen/optimisers.py")
        unknown = [o for o in t.options if o not in row.options]
        if unknown:
            raise CannotDerive(f"`{t.method}` has no option `{unknown[0]}`", None, "codegen/optimisers.py")
        options = {**row.options, **t.options}
        names = player_names(game)
        kernels = []
        if row.schedule == "alternating":
            for who, player in zip(names, game.players, strict=True):
                outputs = {f"payoff {who}": player.payoff, **{f"grad {v.name}": g for v, g in player.gradients.items()}}
                called = {f"grad {v.name}": f"d{v.name}" for v in player.gradients}
                own = "_" + self.names.new(f"{game.name}_{who}")
                kernels.append(self.kernel(own, outputs, partial(payoffs_text, names=[who]), called))
            body = [
                "        return (",
                *(f"            lambda: {self.inner_call(k)}," for k in kernels),
                "        )[who[0]]()",
            ]
        else:
            outputs = {}
            for who, player in zip(names, game.players, strict=True):
                outputs[f"payoff {who}"] = player.payoff
                outputs.update({f"grad {v.name}": g for v, g in player.gradients.items()})
            kernel = make_kernel(
                f"_{safe(game.name)}_values_and_grads", outputs, self.unit.names, None, self.order, self.rows,
                lambda t: payoffs_text(t, names),
            )  # fmt: skip
            kernels.append(kernel)
            body = ["        return " + self.inner_call(kernel)]
        lines = self.header(name, t, kernels, options, True)
        rows = self.rows_of(kernels)
        says = f"Play the game {game.name}: {row.says} ({row.source})."
        lines += docstring(self.train_words(says, rows).replace("value, params", "payoffs, params"))
        lines += self.started(kernels, True)
        lines += ["", "    def evaluate(params, data, rng, who):", *body, ""]
        players = [strings([v.name for v in p.params]) for p in game.players]
        pairs = dictionary({k: self.option(k, t) for k in options})
        senses = tuple(1 if p.sense == "min" else -1 for p in game.players)
        lines += self.loop(
            "play",
            [f"evaluate, ({', '.join(players)},), {senses!r}, params, data", quoted(row.schedule)],
            row.update,
            pairs,
            rows,
            game.name,
            self.terms([p.payoff for p in game.players]),
        )
        self.helpers.update({"play": None, row.update: None})
        self.parts.append("\n".join(lines))

    # --- all together ---

    def assembled(self) -> str:
        lines = docstring(self.module_words(), indent="")
        lines += ["", "import numpy as np"]
        if self.imports:
            lines.append("from scipy import " + ", ".join(sorted(self.imports)))
        lines += self.shape_lines([v for v in self.order if v.shape or v not in self.unit.consts])
        if self.params:
            lines.append("DOMAINS = " + dictionary({v.name: quoted(v.domain) for v in self.params}))
        lines += spelling_lines(self.unit.spellings)
        lines.append("SEEN = set()  # shapes that were checked")
        carried = source_of(self.helpers)
        text = "\n".join(lines)
        for part in self.parts:
            text += "\n\n\n" + part.rstrip()
        if carried:
            text += "\n\n\n" + HELPERS
        for part in carried:
            text += "\n\n\n" + part.rstrip()
        return text + "\n"

    def shape_lines(self, variables: Sequence[Var]) -> list[str]:
        lines = ["", "# the sizes of the axes of each array", "SHAPES = {"]
        for v in variables:
            sizes = ", ".join(self.shape_entry(v, k) for k in range(len(v.shape)))
            lines.append(f"    {quoted(v.name)}: ({sizes}{',' if len(v.shape) == 1 else ''}),")
        return [*lines, "}"]

    def shape_entry(self, v: Var, k: int) -> str:
        size = v.shape[k]
        if isinstance(size, Dim):
            return quoted(size.name)
        if isinstance(size, Num):
            return str(size.value)
        names = {d: f"s[{quoted(d.name)}]" for d in dims_of(size)}
        text = size_text(size, names)
        for s in sights([v]):
            if s.axis == k:
                solved = f"(length - ({size_text(s.offset, names)})) // {s.factor}"
                others = tuple(d.name for d in names if d is not s.dim)
                return f"({quoted(s.dim.name)}, lambda s: {text}, lambda s, length: {solved}, {strings(others)})"
        first, *rest = [d.name for d in names]
        return f"({quoted(first)}, lambda s: {text}, None, {strings((*rest, first))})"

    def module_words(self) -> str:
        unit = self.unit
        lines = [f"{unit.name}: losses, gradients and training, made by symgen.", ""]
        for what, variables in (
            ("data", unit.data),
            ("parameters", list(self.params)),
            ("constants", list(unit.consts)),
        ):
            if variables:
                lines.append(f"{what}: " + ", ".join(declaration(v) for v in variables))
        for loss in unit.losses:
            text = self.text_of(loss.value)
            lines.append(f"loss {loss.name}" + (f" = {text}" if text else ""))
        lines += [f"assuming {a}" for a in unit.assumptions]
        return "\n".join(lines)

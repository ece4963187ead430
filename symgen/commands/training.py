"""A training run on disk: the program, checkpoints, the history of the loss, the parameters, a plot."""

from __future__ import annotations

import csv
import io
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from symgen.commands import checkpoints, figures
from symgen.commands.boundary import Unusable
from symgen.commands.files import refuse_loss, stamp, write_bytes, write_text
from symgen.text.diagnostics import DataError

Arrays = dict[str, np.ndarray[Any, Any]]

EVERY_SECONDS = 5.0  # a checkpoint about so often, where --every does not say


@dataclass
class Run:
    """One `train` statement, with what it is trained on. `facts` are what a checkpoint must agree with."""

    target: str
    source: str
    module: ModuleType
    train: Callable[..., Arrays]
    steps: int
    arguments: dict[str, Any]
    data: Arrays
    sizes: dict[str, int]
    folder: Path | None = None
    every: int | None = None
    precision: str = "float64"
    history: list[tuple[int, list[float]]] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)

    @property
    def files(self) -> list[Path]:
        """What a run leaves in its folder, beside the checkpoints."""
        names = ("program.py", "params.npz", "history.csv", "history.json", "loss.png")
        return [self.folder / name for name in names] if self.folder is not None else []

    @property
    def facts(self) -> dict[str, Any]:
        """What a run is of: two runs with equal facts take the same steps to the last bit."""
        arguments = {name: repr(value) for name, value in sorted(self.arguments.items())}
        return {
            "target": self.target,
            "precision": self.precision,
            "program": checkpoints.digest(self.source.encode()),
            "data": checkpoints.digest_arrays(self.data),
            "arguments": arguments,
        }

    def start(self, force: bool) -> None:
        """Prepare the folder. Raises Unusable where a run already lies there."""
        if self.folder is None:
            return
        if checkpoints.checkpoints(self.folder) and not force:
            raise Unusable(f"`{self.folder}` holds a run already: --resume goes on with it, --force starts again")
        for path in self.files:
            refuse_loss(path, force)  # now, not after hours of training
        for old in checkpoints.checkpoints(self.folder):
            old.unlink()
        write_text(self.folder / "program.py", self.source, force)

    def resumed(self) -> Any:
        """The state to go on from. Raises DataError where the spec, the data or the options are others."""
        found = checkpoints.latest(self.folder) if self.folder is not None else None
        if found is None:
            raise DataError(f"`{self.folder}` holds no checkpoint to go on from")
        header, state = found
        words = {
            "target": "another loss or game is trained",
            "precision": "another --dtype is asked for",
            "program": "the spec has changed",
            "data": "the data have changed",
            "arguments": "the options have changed",
        }
        for fact, now in self.facts.items():
            if header.get(fact, now) != now:
                raise DataError(
                    f"`{self.folder}` cannot be resumed: {words[fact]} since its checkpoint at step {header['step']}"
                    + changes(header[fact], now)
                )
        self.columns = state["columns"]
        self.history = list(zip(state["steps"].tolist(), state["values"].tolist()))
        return state["training"]

    def work(self, report: Callable[[int, Mapping[str, float]], None], state: Any = None, params: Arrays | None = None) -> Arrays:
        """Train, with a checkpoint every so often; what is told at each step goes to `report`."""
        clock = Clock(self.every)

        def callback(step: int, value: Any, _: Any) -> None:
            named = dict(value) if isinstance(value, Mapping) else {self.target: float(value)}
            if not self.columns:
                self.columns = list(named)
            self.history.append((step, [float(named[c]) for c in self.columns]))
            report(step, named)

        def save(training: Any) -> None:
            step = int(training["step"])
            if self.folder is not None and (step == self.steps or clock.strikes(step)):
                kept = [(s, v) for s, v in self.history if s <= step]
                whole = {
                    "training": training,
                    "columns": self.columns,
                    "steps": np.array([s for s, _ in kept], dtype=np.int64),
                    "values": np.array([v for _, v in kept], dtype=np.float64),
                }
                checkpoints.save(self.folder, step, whole, self.facts)

        keep = {"checkpoint": save, "every": self.every or 10} if self.folder is not None else {}
        with np.errstate(all="ignore"):  # the loop itself looks for what is not finite
            return self.train(self.data, params, steps=self.steps, callback=callback, state=state, **keep, **self.arguments)

    def finish(self, params: Arrays, force: bool) -> list[Path]:
        """Write parameters, history and plot; the files written."""
        if self.folder is None:
            return []
        arrays = {name: np.asarray(value) for name, value in params.items()}
        header = {"schema": "symgen.params", "version": 1, "step": self.steps, **self.facts}
        checkpoints.save_arrays(self.folder / "params.npz", header, arrays, force)
        return [self.folder / "params.npz", *self.leave_history(force)]

    def leave_history(self, force: bool) -> list[Path]:
        """What happened so far, as numbers and, where matplotlib is installed, as a plot."""
        if self.folder is None or not self.history:
            return []
        write_text(self.folder / "history.csv", self.table(), force)
        summary = {
            "schema": "symgen.history",
            "version": 1,
            "generator": stamp(),
            "target": self.target,
            "columns": ["step", *self.columns],
            "rows": [[step, *map(finite, values)] for step, values in self.history],
        }
        write_text(self.folder / "history.json", json.dumps(summary), force)
        written = [self.folder / "history.csv", self.folder / "history.json"]
        if figures.available():
            steps = [step for step, _ in self.history]
            curves = {name: [values[k] for _, values in self.history] for k, name in enumerate(self.columns)}
            write_bytes(self.folder / "loss.png", figures.curves(curves, log=len(curves) == 1, steps=steps), force)
            written.append(self.folder / "loss.png")
        return written

    def table(self) -> str:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["step", *self.columns])
        writer.writerows([step, *map(repr, values)] for step, values in self.history)
        return text.getvalue()


def finite(value: float) -> float | None:
    """JSON knows no infinity."""
    return value if math.isfinite(value) else None


def changes(before: Any, now: Any) -> str:
    if not isinstance(before, Mapping):
        return f": it was {before}, and is {now}" if max(len(str(before)), len(str(now))) < 20 else ""
    names = [name for name in dict.fromkeys([*before, *now]) if before.get(name) != now.get(name)]
    return ": " + ", ".join(f"{name} was {before.get(name, 'not given')}, is {now.get(name, 'not given')}" for name in names)


class Clock:
    """When to write a checkpoint: every so many steps, or about every few seconds."""

    def __init__(self, every: int | None) -> None:
        self.every = every
        self.last = time.monotonic()

    def strikes(self, step: int) -> bool:
        if self.every is not None:
            return step % self.every == 0
        now = time.monotonic()
        if now - self.last < EVERY_SECONDS:
            return False
        self.last = now
        return True


def parsed(pairs: Sequence[str], what: str, kind: Callable[[str], Any]) -> dict[str, Any]:
    """NAME=VALUE pairs of the command line."""
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        try:
            found[name.strip()] = kind(value)
        except ValueError:
            equals = ""
        if not equals or not name.strip():
            raise Unusable(f"`{pair}` is no {what}: write NAME=VALUE")
    return found

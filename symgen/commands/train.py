"""`symgen train`: a `train` statement carried out on data, with progress, checkpoints and a plot of the loss."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from symgen.commands.arrays import read_arrays
from symgen.commands.boundary import Exit, Unusable, say
from symgen.commands.specs import load
from symgen.commands.training import Run, parsed
from symgen.model.model import Elaborated, TrainGoal
from symgen.tensor.expression import Array, variables_of
from symgen.text.diagnostics import DataError


def run(
    file: str, data: str | None, only: str | None, steps: int | None, batch: int | None, seed: int | None,
    sizes: Sequence[str], settings: Sequence[str], every: int | None, dtype: str, output: str | None, resume: bool,
    force: bool,
) -> int:  # fmt: skip
    model = load(file)
    goals = chosen(model, file, only)
    if resume and output is None:
        raise Unusable("--resume goes on with the run in a folder: say which with -o")
    module = model.compile()
    source = module.__source__
    known = parsed(sizes, "size", int)
    arrays = {name: values.astype(dtype) for name, values in data_of(model, goals, data, known).items()}
    for goal in goals:
        folder = Path(output) if output else None
        if folder is not None and len(goals) > 1:
            folder = folder / goal.target
        function = module.TRAINS[goal.target]
        arguments = arguments_of(function, goal, batch, seed, settings)
        length = steps or int(goal.options.get("steps", 1000))
        task = Run(goal.target, source, module, function, length, arguments, arrays, known, folder, every, dtype)
        status = work(model, task, known, dtype, resume, force)
        if status:
            return status
    return Exit.DONE


def chosen(model: Any, file: str, only: str | None) -> list[TrainGoal]:
    """The `train` statements that are meant. Raises Unusable where there is none."""
    goals: list[TrainGoal] = model.elaborated.trains
    found = [goal for goal in goals if only in (None, goal.target)]
    if not found:
        there = ", ".join(f"`{goal.target}`" for goal in goals)
        raise Unusable(f"`{file}` does not train `{only}`, but {there}" if goals else f"`{file}` has no `train` statement")
    return found


def arguments_of(function: Any, goal: TrainGoal, batch: int | None, seed: int | None, settings: Sequence[str]) -> dict[str, Any]:
    """What the training function is called with, beyond steps and data: what the command line says, else the spec."""
    said = parsed(settings, "number", float)
    takes = inspect.signature(function).parameters
    own = ("data", "params", "steps", "seed", "batch", "callback", "state", "checkpoint", "every")
    may = [name for name in takes if name not in own and takes[name].default is not None]
    for name in said:
        if name not in may:
            raise Unusable(f"training of `{goal.target}` has no `{name}` to set; it has {', '.join(may)}")
    arguments = {name: type(takes[name].default)(value) for name, value in said.items()}
    arguments["seed"] = int(goal.options.get("seed", 0)) if seed is None else seed
    if "batch" in takes:
        arguments["batch"] = batch if batch is not None else takes["batch"].default
    return arguments


def data_of(model: Any, goals: Sequence[TrainGoal], data: str | None, sizes: dict[str, int]) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays that the trained losses depend on. Raises DataError naming what is missing or wrong."""
    elaborated = model.elaborated
    roots = [root for goal in goals for root in trained_arrays(elaborated, goal)]
    used = {variable for root in roots for variable in variables_of(root)}
    wanted = [d.variable for d in elaborated.variables.values() if d.variable.role == "data" and d.variable in used]
    if not wanted:
        return {}
    if data is None:
        names = ", ".join(f"`{variable.name}`" for variable in wanted)
        raise DataError(f"training needs {names}: give a file with --data")
    return read_arrays(Path(data), wanted, sizes)


def trained_arrays(elaborated: Elaborated, goal: TrainGoal) -> list[Array]:
    """The loss of a `train` statement, or the payoffs of its game."""
    if goal.is_game:
        return [player.payoff for player in elaborated.games[goal.target].players]
    return [elaborated.lets[goal.target]]


def work(model: Any, task: Run, sizes: Mapping[str, int], dtype: str, resume: bool, force: bool) -> Exit:
    if resume:
        state, params = task.resumed(), None
        begun = int(state["step"])
        if begun >= task.steps:
            say(f"`{task.folder}` is at step {begun} already; --steps asks for {task.steps}")
            return Exit.DONE
        say(f"going on from step {begun}")
    else:
        task.start(force)
        state, begun = None, 0
    params = start_values(task, sizes, dtype)
    try:
        with progress(task.target, task.steps, begun) as report:
            trained = task.work(report, state, params)
    except FloatingPointError as error:
        task.leave_history(force=True)
        say(f"error: training of `{task.target}` stopped: {error}")
        return Exit.WRONG
    except ValueError as error:
        raise DataError(str(error)) from None
    except KeyboardInterrupt:
        task.leave_history(force=True)
        raise
    for path in task.finish(trained, force=True):
        say(f"wrote {path}")
    if task.history:
        last = ", ".join(f"{name} = {value:.6g}" for name, value in zip(task.columns, task.history[-1][1]))
        say(f"step {task.history[-1][0]}: {last}")
    return Exit.DONE


def start_values(task: Run, sizes: Mapping[str, int], dtype: str) -> dict[str, np.ndarray[Any, Any]]:
    """Initial parameters: of the sizes that the data show and --dim gives, in the precision asked for."""
    takes = inspect.signature(task.module.init).parameters
    known = {name: size for name, size in sizes.items() if name in takes}
    missing = [name for name, p in takes.items() if p.default is None and name not in known and name != "dtype"]
    if missing:
        raise DataError(f"neither the spec nor the data show the size `{missing[0]}`: give it with --dim {missing[0]}=..")
    params = task.module.init(seed=task.arguments["seed"], **known)
    return {name: np.asarray(value, dtype=dtype) for name, value in params.items()}


@contextmanager
def progress(name: str, steps: int, begun: int) -> Iterator[Any]:
    """A bar on a terminal, else a line for every tenth; what is yielded takes the step and its values."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lines(name, steps)
        return
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    with Progress(*columns, TextColumn("{task.fields[values]}"), console=console, refresh_per_second=8) as bar:
        task = bar.add_task(name, total=steps, completed=begun, values="")

        def report(step: int, values: Mapping[str, float]) -> None:
            bar.update(task, completed=step, values=shown(values))

        yield report


def lines(name: str, steps: int) -> Any:
    often = max(1, math.ceil(steps / 10))

    def report(step: int, values: Mapping[str, float]) -> None:
        if step % often == 0 or step == steps:
            say(f"{name}: step {step} of {steps}, {shown(values)}")

    return report


def shown(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.5g}" for name, value in values.items())

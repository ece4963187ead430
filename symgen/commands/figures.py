"""Figures of training: loss curves, digits, points, vector fields, as PNG. They need matplotlib (the extra `plot`)."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from symgen.commands.files import stamp

Array = np.ndarray[Any, Any]


def available() -> bool:
    return find_spec("matplotlib") is not None


def png(draw: Callable[[Any], None], width: float = 6.0, height: float = 3.2) -> bytes:
    """What `draw` makes of an empty figure, with symgen's mark in the file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # only where it is installed
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    draw(figure)
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": stamp()})
    return file.getvalue()


def curves(
    histories: Mapping[str, Sequence[float]],
    ylabel: str = "loss",
    log: bool = False,
    steps: Sequence[int] | None = None,
) -> bytes:
    """Losses against steps: as they were, pale, and their running mean."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for k, (name, values) in enumerate(histories.items()):
            x = np.arange(1, len(values) + 1) if steps is None else np.asarray(steps)
            y = np.asarray(values, dtype=float)
            axes.plot(x, y, color=f"C{k}", alpha=0.3, linewidth=0.8)
            axes.plot(x, running_mean(y, max(1, len(y) // 50)), color=f"C{k}", label=name)
        axes.set_xlabel("step")
        axes.set_ylabel(ylabel)
        if log and all(np.min(values) > 0 for values in histories.values()):
            axes.set_yscale("log")
        if len(histories) > 1:
            axes.legend()

    return png(draw)


def running_mean(values: Array, width: int) -> Array:
    """The mean of the last `width` values, of fewer at the start."""
    sums = np.cumsum(np.concatenate([[0.0], values]))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - width)
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts))


def digits(rows: Mapping[str, Array]) -> bytes:
    """Rows of images of 8 by 8, each row under its name."""

    def draw(figure: Any) -> None:
        for axes, (name, images) in zip(figure.subplots(len(rows), 1, squeeze=False)[:, 0], rows.items()):
            framed = np.pad(np.reshape(images, (-1, 8, 8)), ((0, 0), (0, 0), (1, 1)))
            axes.imshow(np.concatenate(list(framed), axis=1), cmap="gray_r", vmin=0, vmax=1)
            axes.set_title(name, loc="left", fontsize=8)
            axes.axis("off")

    return png(draw, 7.0, 0.8 * len(rows))


def points(sets: Mapping[str, Array], xlabel: str, ylabel: str) -> bytes:
    """Sets of points in the plane."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for name, values in sets.items():
            axes.scatter(values[:, 0], values[:, 1], s=9, alpha=0.7, label=name)
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        axes.legend()

    return png(draw, 5.0, 4.0)


def vector_field(
    field: Callable[[Array, Array], tuple[Array, Array]], paths: Mapping[str, Array], xlabel: str, ylabel: str
) -> bytes:
    """Arrows of a field in the plane, with the paths that steps take in it."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        ticks = np.linspace(-2, 2, 17)
        x, y = np.meshgrid(ticks, ticks)
        axes.quiver(x, y, *field(x, y), color="0.6", angles="xy")
        for name, path in paths.items():
            axes.plot(path[:, 0], path[:, 1], label=name, linewidth=1.2)
        axes.plot(0, 0, "k+")
        axes.set_xlim(-2.2, 2.2)
        axes.set_ylim(-2.2, 2.2)
        axes.set_aspect("equal")
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        axes.legend(loc="upper right", fontsize=8)

    return png(draw, 4.6, 4.6)

"""`symgen tour`: the main job, end to end, on packaged data: derive, verify, generate, train, and leave a report."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

import symgen
from symgen import zoo
from symgen.commands import figures
from symgen.commands.boundary import Boundary, Exit, say, worst
from symgen.commands.files import write_bytes, write_pdf, write_text
from symgen.render import pdf, report
from symgen.render.page import Code, Figure, Table

Arrays = dict[str, np.ndarray[Any, Any]]

# what is derived, in the order of the report
DERIVED = [
    ("ridge", "Least squares with a penalty"),
    ("logistic", "Logistic regression"),
    ("softmax", "Softmax regression"),
    ("mlp", "Backpropagation"),
    ("attention", "Attention"),
    ("matrix_factorisation", "Matrix factorisation"),
    ("gaussian_kl", "Divergences between Gaussians"),
    ("gaussian_mixture", "A mixture of Gaussians"),
    ("vae", "A variational autoencoder"),
    ("gan_theory", "What a GAN converges to"),
    ("dirac_gan", "The smallest GAN, which turns in circles"),
]
NEW = 360  # the last digits are kept to see what was learnt


@dataclass
class Tour:
    """What the stages share: the folder, the report so far, how far it is."""

    folder: Path
    quick: bool
    force: bool
    sections: list[report.Section] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    advance: Callable[[str], None] = lambda text: None

    def section(self, title: str, *items: Any) -> None:
        self.sections.append(report.Section(title, items))

    def steps(self, steps: int) -> int:
        return max(10, steps // 10) if self.quick else steps

    def attempt(self, work: Callable[[], None]) -> None:
        """A failure is told and counted, and the tour goes on."""
        with Boundary() as boundary:
            work()
        self.statuses.append(boundary.status)


def run(output: str | None, quick: bool, force: bool) -> int:
    folder = Path(output or "tour")
    tour = Tour(folder, quick, force)
    stages: list[tuple[str, int, Callable[[Tour], None]]] = [
        ("derive", len(DERIVED), derive),
        ("verify", len(zoo.names()), verify),
        ("train", len(TRAINED), train),
        ("report", 3, leave_report),
    ]
    start = time.monotonic()
    with bars(stages) as advance_of:
        for name, _, stage in stages:
            tour.advance = advance_of(name)
            stage(tour)
    say(f"done in {time.monotonic() - start:.0f} s: open {folder / 'report.html'}")
    return worst(tour.statuses)


@contextmanager
def bars(stages: Sequence[tuple[str, int, Any]]) -> Iterator[Callable[[str], Callable[[str], None]]]:
    """A bar for every stage on a terminal, else a line for every piece of work."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda name: lambda text: say(f"{name}: {text}")
        return
    columns = [
        SpinnerColumn(),
        TextColumn("{task.description:8}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    ]
    with Progress(*columns, TextColumn("{task.fields[text]}"), console=console) as progress:
        tasks = {name: progress.add_task(name, total=count, text="", start=False) for name, count, _ in stages}

        def advance_of(name: str) -> Callable[[str], None]:
            progress.start_task(tasks[name])

            def advance(text: str) -> None:
                progress.update(tasks[name], advance=1, text=text)

            return advance

        yield advance_of


# --- derivations ------------------------------------------------------------------------------------------------------


def derive(tour: Tour) -> None:
    """Derive what the packaged specs ask for."""
    count, open_, start = 0, 0, time.monotonic()
    for name, title in DERIVED:
        model = symgen.load(zoo.spec(name))
        derived: list[Any] = []

        def work(goal: str, model: Any = model, derived: list[Any] = derived) -> None:
            derivation = model.derive(goal)
            _ = derivation.evidence  # its referee speaks before anything is shown
            derived.append(derivation)

        for goal in model.goals:
            tour.attempt(lambda goal=goal, work=work: work(goal))  # type: ignore[misc]
        tour.section(title, Code(without_comments(zoo.spec(name).read_text(encoding="utf-8"))), *derived)
        tour.advance(f"{name}: {len(derived)}")
        count += len(derived)
        open_ += sum(d.evidence.kind == "unknown" for d in derived)
    shown = f"{count - open_} proved or checked" + (f", {open_} said to be undecided" if open_ else "")
    tour.facts["Derivations"] = f"{count} in {time.monotonic() - start:.1f} s: {shown}"


def without_comments(text: str) -> str:
    """A spec without the comment that it opens with."""
    lines = text.splitlines()
    first = next(k for k, line in enumerate(lines) if not line.startswith("#"))
    return "\n".join(lines[first:]).strip("\n")


# --- verdicts ---------------------------------------------------------------------------------------------------------


def verify(tour: Tour) -> None:
    """Check every claim of the zoo: the right ones hold, of each wrong derivation the wrong step is found."""
    rows: list[tuple[tuple[str, ...], ...]] = []
    caught: list[Any] = []
    wrong = 0
    for name in zoo.names():
        model = symgen.load(zoo.spec(name))

        def check(name: str = name, model: Any = model) -> None:
            for claim, verdict in zip(model.claims, model.verify()):
                if not name.startswith("wrong/"):
                    rows.append(((name,), (claim,), (", ".join(step.status for step in verdict.steps),)))
                elif verdict.status == "refuted":
                    caught.extend([zoo.title(name), verdict])
                if (verdict.status in ("refuted", "malformed")) != name.startswith("wrong/"):
                    say(verdict.text())
                    tour.statuses.append(Exit.BUG)

        wrong += name.startswith("wrong/")
        tour.attempt(check)
        tour.advance(name)
    tour.section("Claims that hold", Table(("spec", "claim", "each step is"), tuple(rows)))
    tour.section("Hand derivations with one wrong step each", *caught)
    tour.facts["Claims"] = f"{len(rows)} hold; of {wrong} wrong derivations {len(caught) // 2} were caught"


# --- training ---------------------------------------------------------------------------------------------------------


def train(tour: Tour) -> None:
    """Generate code, train it on the packaged data, and show what was learnt."""
    for name, work in TRAINED.items():
        tour.attempt(lambda work=work: work(tour))  # type: ignore[misc]
        tour.advance(name)


def prepared(tour: Tour, name: str) -> tuple[Any, ModuleType, Arrays]:
    """The model, its generated module, which is written to the folder, and its data."""
    model = symgen.load(zoo.spec(name))
    module = model.compile()
    write_text(tour.folder / "modules" / f"{name}.py", module.__source__, tour.force)
    data = zoo.data(name)
    return model, module, dict(np.load(data, allow_pickle=False)) if data else {}


def trained(tour: Tour, model: Any, module: ModuleType, data: Arrays) -> tuple[Arrays, dict[str, list[float]], float]:
    """Parameters trained as the spec says, what was told at each step, and the seconds that it took."""
    history: dict[str, list[float]] = {}
    (goal,) = model.elaborated.trains

    def callback(step: int, value: Any, params: Any) -> None:
        for name, number in (value if isinstance(value, Mapping) else {goal.target: value}).items():
            history.setdefault(name, []).append(float(number))

    start = time.monotonic()
    params = module.train(data, steps=tour.steps(int(goal.options["steps"])), seed=0, callback=callback)
    return params, history, time.monotonic() - start


def classifier(name: str, words: str) -> Callable[[Tour], None]:
    def work(tour: Tour) -> None:
        model, module, data = prepared(tour, name)
        old = {key: values[:-NEW] for key, values in data.items()}
        new = {key: values[-NEW:] for key, values in data.items()}
        params, history, seconds = trained(tour, model, module, old)
        P = model.derive("P").evaluate(X=new["X"], **params)
        right = float(np.mean(P.argmax(axis=1) == new["Y"].argmax(axis=1)))
        said = (
            f"Trained on {len(old['X'])} digits in {seconds:.1f} s ({len(history['L'])} steps); of {NEW} new ones"
            f" {100 * right:.1f} % are read right. From the generated module:"
        )
        curve = figure(lambda: figures.curves(history, log=True), "The loss of the minibatches.")
        tour.section(f"{words}, trained", said, Code(function_text(module.__source__, "_L_value_and_grad"), "python"), *curve)
        tour.facts[words] = f"{100 * right:.1f} % of new digits right, trained in {seconds:.1f} s"

    return work


def function_text(source: str, name: str) -> str:
    """The source of one function of a module."""
    lines = source.splitlines()
    (node,) = (n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef) and n.name == name)
    return "\n".join(lines[node.lineno - 1 : node.end_lineno])


def autoencoder(tour: Tour) -> None:
    model, module, data = prepared(tour, "vae")
    params, history, seconds = trained(tour, model, module, data)
    text = zoo.spec("vae").read_text(encoding="utf-8")
    wider = symgen.loads(text + "data code: real[n, k]\nderive drawn = decoder(code)\n", name="vae.sg")
    originals = data["x"][:14]
    rebuilt = wider.derive("rebuilt").evaluate(x=originals, **params)
    codes = np.random.default_rng(0).normal(size=(14, 8))
    drawn = wider.derive("drawn").evaluate(code=codes, **params)
    said = (
        f"Trained in {seconds:.1f} s ({len(history['L'])} steps). Below, digits as they are, as they come back from"
        " their codes, and digits that nobody wrote, from random codes."
    )
    curve = figure(lambda: figures.curves(history, "minus the ELBO"), "Minus the ELBO of the minibatches, in nats per image.")
    rows = {"digits": originals, "rebuilt": rebuilt, "drawn from random codes": drawn}
    images = figure(lambda: figures.digits(rows), "Digits, rebuilt digits, and digits from random codes.")
    tour.section("The autoencoder, trained on digits", said, *curve, *images)
    tour.facts["VAE"] = f"minus ELBO {np.mean(history['L'][-50:]):.2f} nats per image, trained in {seconds:.1f} s"


def adversaries(tour: Tour) -> None:
    model, module, data = prepared(tour, "gan")
    params, history, seconds = trained(tour, model, module, data)
    text = zoo.spec("gan").read_text(encoding="utf-8")
    wider = symgen.loads(text + "dim m\ndata code: real[m, k]\nderive fakes = G(code)\n", name="gan.sg")
    codes = np.random.default_rng(0).normal(size=(len(data["X"]), 2))
    fakes = wider.derive("fakes").evaluate(code=codes, **params)
    said = (
        f"Trained in {seconds:.1f} s ({len(next(iter(history.values())))} steps). Each point is an eruption of Old"
        " Faithful: how long it lasted, and how long one waited for the next, both standardised."
    )
    curve = figure(lambda: figures.curves(history, "payoff"), "The payoffs of both players.")
    sets = {"eruptions": data["X"], "from the generator": fakes}
    points = figure(lambda: figures.points(sets, "duration", "waiting"), "Eruptions, and what the generator draws.")
    tour.section("A GAN, trained on eruptions of a geyser", said, *curve, *points)
    near = np.abs(fakes.mean(axis=0) - data["X"].mean(axis=0)).max()
    tour.facts["GAN"] = f"mean of the generated points within {near:.2f} of the data's, trained in {seconds:.1f} s"


def turning(tour: Tour) -> None:
    """The vector field of the Dirac-GAN, with the paths of simultaneous and of extragradient steps."""
    model, module, _ = prepared(tour, "dirac_gan")
    up, down = model.derive("grad(U, psi)"), model.derive("-grad(U, theta)")

    def at(psi: Any, theta: Any) -> tuple[Any, Any]:
        return float(up.evaluate(psi=psi, theta=theta)), float(down.evaluate(psi=psi, theta=theta))

    field = np.vectorize(at)
    points = [(1.0, 1.0)]
    for _step in range(250):
        (psi, theta), (a, b) = points[-1], at(*points[-1])
        points.append((psi + 0.1 * a, theta + 0.1 * b))
    path: list[tuple[float, float]] = []
    module.train({}, seed=0, callback=lambda step, value, p: path.append((float(p["psi"]), float(p["theta"]))))
    paths = {"simultaneous steps": np.array(points), "extragradient": np.array(path)}
    said = "Simultaneous gradient steps of length 0.1 spiral outwards; extragradient steps spiral in."
    arrows = figure(
        lambda: figures.vector_field(field, paths, "psi", "theta"),
        "The vector field of the Dirac-GAN, and two paths from (1, 1).",
    )
    tour.section("The Dirac-GAN, played", said, *arrows)
    radius = float(np.hypot(*path[-1]))
    tour.facts["Dirac-GAN"] = (
        f"extragradient from a distance of 1.41 to {radius:.3f} in {len(path)} steps; simultaneous to {np.hypot(*points[-1]):.2f}"
    )


def figure(draw: Callable[[], bytes], caption: str) -> list[Figure]:
    """The figure, or none without matplotlib."""
    return [Figure(draw(), caption)] if figures.available() else []


TRAINED: dict[str, Callable[[Tour], None]] = {
    "softmax": classifier("softmax", "Softmax regression"),
    "mlp": classifier("mlp", "Multilayer perceptron"),
    "vae": autoencoder,
    "gan": adversaries,
    "dirac_gan": turning,
}


# --- the report -------------------------------------------------------------------------------------------------------


def leave_report(tour: Tour) -> None:
    """The report as HTML, LaTeX and, where pdflatex is installed, PDF."""
    folder, title = tour.folder, "A tour of symgen"
    summary = Table(("what", "came to"), tuple(((name,), (words,)) for name, words in tour.facts.items()))
    sections = [report.Section("", (summary,)), *tour.sections]
    if not figures.available():
        say("no figures: they need matplotlib, as in pip install 'symgen[plot]'")
    write_text(folder / "report.html", report.report_html(title, sections), tour.force)
    tour.advance("report.html")
    for name, png in report.report_figures(title, sections).items():
        write_bytes(folder / name, png, tour.force)
    write_text(folder / "report.tex", report.report_latex(title, sections), tour.force)
    tour.advance("report.tex")
    if pdf.available():
        write_pdf(folder / "report.pdf", report.report_pdf(title, sections), tour.force)
    else:
        say("no report.pdf: there is no pdflatex here")
    tour.advance("report.pdf")

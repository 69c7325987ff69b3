"""The pages of ``theorylab falsify`` and ``phase``, the sharpness table, and a picture."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from theorylab.conjecture.fact import NO_DATA
from theorylab.falsify import Counterexample, Refutation, Survived
from theorylab.falsify.sharpness import Row, Sharpness
from theorylab.instances import Case, Instance
from theorylab.kernel.statements import decode
from theorylab.phase import Cell, Phase
from theorylab.report.figures import equation
from theorylab.report.page import Column, Grid, Page
from theorylab.report.pictures import saved
from theorylab.topology.counterexample import weights_of

# prints a labelled row: the label, then the words
Row_ = Callable[..., None]

_INDENT = 2
_STYLES = {"lemma": "bold green", "refuted": "bold magenta", "open": "bold yellow"}
FACTS = {
    "separated": "A and B lie in different components of the sublevel set",
    "trapped": "A's component stays above a value that other points have less than",
    "poor_minimum": "A is a local minimum, and another point has less",
    "different_function": "A and B are different functions",
    "no_span_path": "no path has the column spans inside",
    "other_components": "the number of components is another",
    "other_level_tree": "the components change at other levels",
    "joined": "A and B lie in one component of the sublevel set",
    "no_relation": "the relation does not hold",
}


# conclusions in which data and loss play no part
_NO_LOSS = ("same_function", "span_path")


def print_hunt(
    found: Refutation | Counterexample | Survived, console: Console, command: Sequence[str] = ()
) -> None:
    """The page of ``theorylab falsify``."""
    page = Page(console)
    width = len("certificate")

    def row(label: str, words: Text | str, look: str = "") -> None:
        page.labelled(label, words, width, look)

    page.heading(f"theorylab falsify {found.claim}")
    row("claim", found.title)
    if found.words != found.title:
        row("hunted", found.words)
    if found.dropped:
        row("dropped", ", ".join(found.dropped))
    if isinstance(found, Survived):
        if found.tried:
            row("outcome", f"survived {found.tried} (seed {found.seed})", "bold yellow")
            row("that is", "no counterexample was found; nothing is proved by that")
        else:
            row("outcome", "not hunted: no case was tried, nothing is known", "bold yellow")
        if found.reason:
            row("stopped", found.reason)
    elif isinstance(found, Counterexample):
        _said(found, row)
    else:
        _refuted(found, row)
    row(
        "searched",
        f"{found.tried} case{'s' * (found.tried != 1)}, seed {found.seed}, {found.seconds:.2f} s",
    )
    _next(page, found, command or ("theorylab", "falsify", found.claim))
    page.print()


def _next(
    page: Page, found: Refutation | Counterexample | Survived, command: Sequence[str]
) -> None:
    """What to do with the outcome of a hunt."""
    words = shlex.join(command)
    if isinstance(found, Counterexample):
        page.again("ask your function again:", words)
    elif isinstance(found, Survived):
        page.again("hunt again, or on with more --tries or another --seed:", words)
    elif found.certificate is None:
        page.again("keep the certificate, to check it again:", f"{words} --out DIR")
    else:
        file = shlex.quote(found.certificate)
        kernel = f"python -m theorylab.kernel {file}"
        said = "check the certificate again, the second time with the bare kernel:"
        page.again(said, f"theorylab check {file}", kernel)


def _case(case: Case, row: Row_) -> None:
    """Network, data and ridge."""
    network, data = case.network.to_json(), case.data.to_json()
    activation = network["activation"]
    named = activation if isinstance(activation, str) else _activation(activation)
    output = ", activated output" if case.network.output == "activation" else ""
    row("network", f"{case.architecture} {named}{output}")
    for k, layer in enumerate(network["pattern"] or (), start=1):
        row(f"pattern {k}", _pattern(layer))
    row("x", _rows(data["x"]))
    row("y", _rows(data["y"]))
    if data["weights"] is not None:
        row("weights", ", ".join(data["weights"]))
    if case.ridge is not None:
        row("ridge", ", ".join(map(str, case.ridge)))


def _refuted(found: Refutation, row: Row_) -> None:
    instance = found.instance
    row("outcome", "refuted by this instance", "bold magenta")
    row("because", FACTS.get(found.fact, found.fact.replace("_", " ")))
    instance_rows(instance, decode(found.certificate_bytes)["statement"]["conclusion"], row)
    row("assurance", f"kernel ({'; '.join(found.lemmas)})")
    if instance.note:
        row("besides", instance.note)
    row(
        "shrunk",
        f"in {found.shrinks} step{'s' * (found.shrinks != 1)}, each refuted by the kernel anew",
    )
    if found.certificate is not None:
        row("certificate", found.certificate)


def instance_rows(instance: Instance, conclusion: dict[str, Any], row: Row_) -> None:
    """An instance number by number: network, data, points, their losses, the level."""
    if conclusion["kind"] == "relation":
        _sides(instance, conclusion, row)
    if instance.data.name != NO_DATA:
        _case(Case(instance.network, instance.data, instance.loss.penalties), row)
    for name in ("A", "B"):
        if name in conclusion:
            layers = enumerate(conclusion[name], start=1)
            row(name, "; ".join(f"W_{k} = {_rows(layer)}" for k, layer in layers))
    loss = instance.loss
    for name, point in (("A", instance.a), ("B", instance.b)):
        if point is not None and name in conclusion and conclusion["kind"] not in _NO_LOSS:
            row(f"L({name})", equation(str(loss(point))))
    if "u" in conclusion:
        row("level", f"u {equation(conclusion['u'])}")
    if conclusion["kind"] == "descends":
        row("elsewhere", f"the loss goes down to {conclusion['v']}")


def _sides(instance: Instance, conclusion: dict[str, Any], row: Row_) -> None:
    """Both sides of a relation that does not hold."""
    row("claimed", f"left {conclusion['op']} right")
    for name in ("left", "right"):
        side = conclusion[name]
        if isinstance(side, str):
            row(name, side)
            continue
        layers = enumerate(side["loss"], start=1)
        point = "; ".join(f"W_{k} = {_rows(layer)}" for k, layer in layers)
        row(name, f"L({point}) {equation(str(instance.loss(weights_of(side['loss']))))}")


def _said(found: Counterexample, row: Row_) -> None:
    """A case that a user's own function says no of."""
    row("outcome", found.outcome, "bold red")
    why = f": {found.said}" if found.said else ""
    row("because", f"your function says False of this case{why}")
    if found.case is not None:
        _case(found.case, row)
    if found.choices:
        row("drawn", ", ".join(map(str, found.choices)))
    row("assurance", "unchecked: your function vouches, not the kernel")
    row("shrunk", f"in {found.shrinks} step{'s' * (found.shrinks != 1)}, your function asked anew")


def _activation(parameters: dict[str, object]) -> str:
    ((kind, values),) = parameters.items()
    if isinstance(values, list):
        powers = ["", " z", *(f" z^{i}" for i in range(2, len(values)))]
        terms = [f"{a}{power}" for a, power in zip(values, powers, strict=False) if a != "0"]
        terms = [term.removeprefix("1 ") for term in terms]
        return " + ".join(terms) or "0"
    return f"{kind} of slope {values}"


def _rows(table: Sequence[Sequence[str]]) -> str:
    """A small matrix in one line.

    >>> _rows([["1", "0"], ["1/2", "2"]])
    '(1, 0), (1/2, 2)'
    """
    return ", ".join(f"({', '.join(row)})" for row in table)


def _pattern(layer: Sequence[Sequence[object]] | None) -> str:
    if layer is None:
        return "all entries free"

    def word(entry: object) -> str:
        return (
            "free" if entry is None else f"slot {entry}" if isinstance(entry, int) else str(entry)
        )

    return _rows([[word(entry) for entry in row] for row in layer])


_MOST_CELLS = 24
_MARKS = {"lemma": "+", "refuted": "x", "open": "?"}


def print_phase(found: Phase, console: Console, command: Sequence[str] = ()) -> None:
    """The page of ``theorylab phase``: the grid at a glance, then each cell in words."""
    page = Page(console)
    page.heading(f"theorylab phase {found.claim}")
    page.text(found.title, _INDENT, "bold")
    page.text(f"{found.variant}: {found.words}", _INDENT)
    page.text(f"family {found.family}; n inputs from left to right, p hidden units upwards", 2)
    page.blank()
    _grid(page, found)
    page.blank()
    legend = ["+ lemma applies", "x refuted by a certificate", "? open: searched, nothing found"]
    whole = "   ".join(legend)
    for words in [whole] if len(whole) <= page.width - _INDENT else legend:
        page.text(words, _INDENT)
    page.blank()
    _cells_in_words(page, found)
    page.blank()
    page.rule()
    if len(found.cells) < found.planned:
        page.text(f"cut after {len(found.cells)} of {found.planned} cells", 0, "bold yellow")
    page.text(
        f"{found.pairs} instance{'s' * (found.pairs != 1)} and {found.tries} cases for each cell; "
        f"assurance: kernel; "
        f"seed {found.seed}; {found.seconds:.1f} s"
    )
    kept = [cell.certificate for cell in found.cells if cell.certificate is not None]
    if kept:
        place = shlex.quote(str(Path(kept[0]).parent))
        page.again("check the certificates again:", f"theorylab check {place}", indent=0)
    elif command:
        page.again("map it again with", shlex.join(command), indent=0)
    page.print()


def _grid(page: Page, found: Phase) -> None:
    """The marks of all cells, in as many blocks of columns as the width asks for."""
    side = max(len(str(p)) for p in found.ps) + 4
    room, longest = page.width - side - 5, max(len(str(n)) for n in found.ns)
    step = max(longest + 1, min(4, room // len(found.ns)))
    many = max(1, room // step)
    for start in range(0, len(found.ns), many):
        page.blank()
        ns = found.ns[start : start + many]
        for p in reversed(found.ps):
            line = Text(f"{'p = ' + str(p):>{side}} ")
            for n in ns:
                cell = found.at(n, p)
                mark = " " if cell is None else _MARKS[cell.verdict]
                line.append(" " * (step - 1))
                line.append(mark, "" if cell is None else _STYLES[cell.verdict])
            page.line(line)
        numbers = "".join(f"{n:>{step}}" for n in ns)
        page.line(Text(f"{'':{side}} {numbers}  n", "dim"))


def _cells_in_words(page: Page, found: Phase) -> None:
    """Each cell in words; on a large map a line for each n, like cells together."""
    if len(found.cells) <= _MOST_CELLS:
        cells = [(f"n = {c.n}, p = {c.p}", c.words) for c in found.cells]
        grid = Grid((Column(keep=2), Column(keep=1)), cells, page.width, _INDENT)
        for cell, words in zip(found.cells, cells, strict=True):
            page.line(grid.row(words, ("", _STYLES[cell.verdict])))
            for dropped in grid.dropped(words):
                page.text(dropped, _INDENT + 2, _STYLES[cell.verdict])
        return
    width = max(len(f"n = {n}") for n in found.ns)
    for n in found.ns:
        line = Text()
        column = [c for p in found.ps for c in found.cells if (c.n, c.p) == (n, p)]
        for (words, verdict), group in groupby(column, key=lambda c: (c.words, c.verdict)):
            ps = [c.p for c in group]
            line.append("; " if line.plain else "")
            line.append(f"p = {ps[0]}" if len(ps) == 1 else f"p = {ps[0]}..{ps[-1]}")
            line.append(" ").append(words, _STYLES[verdict])
        if line.plain:
            page.labelled(f"n = {n}", line, width)


_COLOURS = {"lemma": "#4c9a6a", "refuted": "#a8448e", "open": "#e8c25a"}
_LEGEND = {"lemma": "lemma applies", "refuted": "refuted", "open": "open: survived"}


def picture(found: Phase, kind: str = "png") -> bytes:
    """The grid as png, svg or pdf: the same bytes (but pdf) for the same cells and matplotlib."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch, Rectangle

    columns, rows = len(found.ns), len(found.ps)
    figure = Figure(figsize=(max(6.4, 1.35 * columns + 1.2), 0.62 * rows + 1.9))
    figure.set_layout_engine("constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for i, n in enumerate(found.ns):
        for j, p in enumerate(found.ps):
            cell = found.at(n, p)
            colour = "#f2f2f2" if cell is None else _COLOURS[cell.verdict]
            box = Rectangle((i - 0.47, j - 0.46), 0.94, 0.92, facecolor=colour, edgecolor="none")
            axes.add_patch(box)
            if cell is not None:
                light = cell.verdict != "open"
                ink = "white" if light else "#3a3000"
                words = _short(cell)
                axes.text(i, j, words, ha="center", va="center", fontsize=7.5, color=ink)
    axes.set_xlim(-0.6, columns - 0.4)
    axes.set_ylim(-0.6, rows - 0.4)
    axes.set_xticks(range(columns), [str(n) for n in found.ns])
    axes.set_yticks(range(rows), [str(p) for p in found.ps])
    axes.set_xlabel("n, inputs")
    axes.set_ylabel("p, hidden units")
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_title(f"{found.claim} ({found.variant}), {found.family}", fontsize=10)
    used = [v for v in _COLOURS if any(c.verdict == v for c in found.cells)]
    patches = [Patch(facecolor=_COLOURS[v], label=_LEGEND[v]) for v in used]
    figure.legend(handles=patches, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return saved(figure, kind)


def _short(cell: Cell) -> str:
    if cell.verdict == "lemma":
        return f"{cell.proved}/{cell.pairs} proved"
    if cell.verdict == "refuted":
        return cell.fact or "refuted"
    done = f"\n{cell.proved}/{cell.pairs} proved" if cell.proved else ""
    return f"survived {cell.tried}{done}"


def print_sharpness(found: Sharpness, console: Console) -> None:
    """The sharpness table: what happens to each claim without each of its hypotheses."""
    page = Page(console)
    page.heading("sharpness: each claim without each of its hypotheses")
    width = max((len(r.hypothesis) for r in found.rows), default=0)
    for name, group in groupby(found.rows, key=lambda r: r.claim):
        page.text(name, _INDENT, "bold cyan")
        for r in group:
            page.labelled(r.hypothesis, _hunted(r), width)
        page.blank()
    page.rule()
    refuted, survived = (
        sum(r.outcome == word for r in found.rows) for word in ("refuted", "survived")
    )
    page.text(
        f"{refuted} of {len(found.rows)} refuted, {survived} survived: none known, the others not "
        f"hunted; assurance: kernel; seed {found.seed}; {found.seconds:.0f} s"
    )
    page.print()


def _hunted(r: Row) -> Text:
    """What became of a claim without a hypothesis."""
    line = Text()
    if r.outcome == "refuted":
        line.append("refuted", "bold magenta").append(f"  {r.counterexample}")
    elif r.outcome == "survived":
        first, _, rest = r.why.partition(";")
        line.append(first, "bold yellow").append(f";{rest}" if rest else "")
    else:
        line.append(r.outcome).append(f"  {r.why}")
    tried = "" if r.outcome == "survived" else f"{r.tried} tried, "
    return line.append(f"; {tried}{r.seconds:.1f} s", "dim")

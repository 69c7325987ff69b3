"""The page of ``theorylab experiment``, its pictures and the files of a folder."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from theorylab.experiments.run import Finding, Result
from theorylab.report.figures import tidy
from theorylab.report.page import Page
from theorylab.report.pictures import FORMATS, saved
from theorylab.verify import write

_INDENT = 2
_ROOM = 60  # narrower pages begin the words of a finding at the left
_WORDS = ("consistent", "inconsistent", "undecided")
# Blue, orange and grey are told apart by everyone; the marks say the same again.
_MARKS = {
    "consistent": ("o", "#1f77b4"),
    "inconsistent": ("X", "#ff7f0e"),
    "undecided": ("s", "0.6"),
}


def drawn(result: Result, path: Path) -> bytes:
    """The figure of a result as PNG, SVG or PDF, by the ending of the path."""
    return _canvas(result.figure(), FORMATS[path.suffix.lower()])


def with_files(results: Sequence[Result], folder: Path) -> tuple[Path, ...]:
    """Write each result, its findings and pictures, and of several a summary; the files written.

    Unfinished results have their parts kept only. Raises InputError when a file cannot be written.
    """
    files: list[Path] = []
    for result in results:
        if not result.complete:
            continue
        name = result.config.experiment
        files.append(result.save(folder / name))
        text = json.dumps(result.to_json(), indent=2) + "\n"
        files.append(write(folder / name / "findings.json", text.encode()))
        for kind in ("png", "svg"):
            picture = _canvas(result.figure(), kind)
            files.append(write(folder / name / f"{name}.{kind}", picture))
    if len(results) > 1 and any(result.complete for result in results):
        figure = summary(results)
        for kind in ("png", "svg"):
            files.append(write(folder / f"summary.{kind}", _canvas(figure, kind)))
    return tuple(files)


def summary(results: Sequence[Result]) -> object:
    """All verdicts on one figure: a line for each reading, marked by its word."""
    from matplotlib.figure import Figure

    findings = [finding for result in results for finding in result.findings]
    figure = Figure(figsize=(9.0, 0.8 + 0.23 * len(findings)), layout="constrained")
    axes = figure.add_subplot()
    for row, finding in enumerate(findings):
        mark, colour = _MARKS[finding.observed.outcome]
        place = _WORDS.index(finding.observed.outcome)
        edge = "black" if finding.expected else "red"
        axes.scatter([place], [row], marker=mark, color=colour, edgecolors=edge, s=60, zorder=3)
    labels = [f"{f.experiment}: {f.reading.variant}" for f in findings]
    axes.set_yticks(range(len(findings)), labels, fontsize=8)
    axes.set_xticks(range(len(_WORDS)), list(_WORDS))
    axes.set_xlim(-0.5, len(_WORDS) - 0.5)
    axes.set_ylim(len(findings) - 0.4, -0.6)
    axes.grid(axis="y", color="0.92")
    axes.tick_params(length=0)
    expected = sum(finding.expected for finding in findings)
    axes.set_title(f"{expected} of {len(findings)} readings came out as expected", fontsize=10)
    return figure


def print_results(
    results: Sequence[Result],
    console: Console,
    command: Sequence[str],
    files: Sequence[Path] = (),
) -> None:
    """The page of ``theorylab experiment``; ``command`` are its words, ``files`` what it wrote."""
    page = Page(console)
    for result in results:
        _result(page, result)
    page.rule()
    page.text(_summary(results))
    page.blank()
    if files:
        page.text("tables, findings and pictures, one folder for each experiment:", style="dim")
        place = files[0].parent.parent
        page.verbatim(str(place), _INDENT)
    else:
        page.text("keep tables and pictures, and go on after a break:", style="dim")
        page.verbatim(shlex.join([*command, "--out", "DIR"]), _INDENT)
    page.print()


def _result(page: Page, result: Result) -> None:
    found = result.experiment
    page.heading(found.name)
    page.text(found.title, _INDENT, "bold")
    page.text(str(found.source), _INDENT, "dim")
    page.blank()
    if not result.complete:
        done = f"{result.done} of {result.planned} parts measured"
        page.text(f"{done}: nothing is judged before all are", _INDENT, "bold yellow")
        page.blank()
    for finding in result.findings:
        _finding(page, finding)
    if found.remarks:
        page.text(f"Remarks, not judged by this run: {found.remarks}", _INDENT, "dim")
    page.blank()


def _finding(page: Page, finding: Finding) -> None:
    observed, reading = finding.observed, finding.reading
    indent = _INDENT + (14 if page.width >= _ROOM else 2)
    line = Text(" " * _INDENT).append(observed.outcome.ljust(12), _style(finding))
    line.append(f"  {reading.variant}")
    page.line(line)
    page.text(reading.words, indent)
    page.text(tidy(observed.words.removeprefix(f"{reading.words}: ")), indent, "dim")
    power = "" if observed.power is None else f"power {observed.power:.2f} at the declared effect"
    gates = [name if is_open else f"{name}: SHUT" for name, is_open in observed.gates]
    notes = "; ".join([power] * bool(power) + [f"gates: {', '.join(gates)}"] * bool(gates))
    if notes:
        page.text(notes, indent, "dim")
    if not finding.expected:
        page.text(f"expected: {reading.expected}", indent, "bold")
    page.blank()


def _style(finding: Finding) -> str:
    if finding.observed.outcome == "undecided":
        return "bold yellow"
    if not finding.expected:
        return "bold red"
    return "green" if finding.observed.outcome == "consistent" else "magenta"


def _summary(results: Sequence[Result]) -> str:
    findings = [finding for result in results for finding in result.findings]
    counts = [(sum(f.observed.outcome == word for f in findings), word) for word in _WORDS]
    expected = sum(finding.expected for finding in findings)
    unfinished = sum(not result.complete for result in results)
    parts = [", ".join(f"{count} {word}" for count, word in counts)]
    parts.append(f"{expected} of {len(findings)} as expected")
    if unfinished:
        parts.append(f"{unfinished} unfinished")
    seconds = sum(result.seconds for result in results)
    first = results[0]
    parts.append(f"assurance: statistical; level {first.config.alpha:g}; seed {first.config.seed}")
    parts.append(f"device {first.device}; {seconds:.1f} s of work")
    return "; ".join(parts)


def _canvas(figure: object, kind: str) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    assert isinstance(figure, Figure)
    FigureCanvasAgg(figure)
    return saved(figure, kind)

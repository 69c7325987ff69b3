"""The page of ``theorylab sweep``, its files and its picture."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from theorylab.counting.random_data import Survey
from theorylab.report.page import Column, Grid, Page
from theorylab.report.pictures import saved
from theorylab.verify import write

_INDENT = 2
_FEW = 5
_BAR = 30
_MOST_BINS = 24
_COLUMNS = tuple(Column(keep=keep, right=True) for keep in (9, 8, 7, 3, 6))


def file_stem(name: str, digest: str) -> str:
    """The name, without ending, of the files of a sweep."""
    return f"sweep-{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}-{digest[:12]}"


def with_files(found: Survey, folder: Path, stem: str) -> tuple[Path, ...]:
    """Write the JSON and the picture of a sweep, each whole or not at all. InputError if not."""
    text = json.dumps(found.to_json(), indent=2) + "\n"
    return (
        write(folder / f"{stem}.json", text.encode()),
        write(folder / f"{stem}.png", picture(found)),
    )


def picture(found: Survey) -> bytes:
    """The histogram of real solutions as PNG: the same bytes for the same counts and matplotlib."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    counted = found.histogram("real_orbits")
    axes.bar(list(counted), list(counted.values()), width=0.8, color="#3b6ea5")
    axes.set_xlabel("orbits with real weights, certified")
    axes.set_ylabel("data sets")
    axes.set_xticks(list(counted))
    mean = found.mean("real_orbits")
    shown = "" if mean is None else f", mean {mean:.3g}"
    axes.set_title(f"{found.name}: {len(found.rows)} random data sets{shown}", fontsize=10)
    return saved(figure)


def print_sweep(
    found: Survey, console: Console, command: Sequence[str], files: Sequence[Path] = ()
) -> None:
    """The page of ``theorylab sweep``."""
    page = Page(console)
    width = len("certified")
    generic = found.generic
    total = len(found.rows)
    page.heading("theorylab sweep")
    done = found.complete == found.planned
    words = f"complete (numeric) on {found.complete} of {found.planned} data sets"
    page.labelled("counts", words, width, "bold green" if done else "bold yellow")
    page.labelled("system", f"{found.name}, {found.problem.sample_count} samples", width)
    page.labelled("data", f"standard normal, rounded to 1/1024, seed {found.problem.seed}", width)
    page.labelled("modulo", str(generic.system.gauge), width)
    if generic.complete:
        page.labelled("at most", f"{generic.count}: {found.upper_rule}", width)
    else:
        reasons = [*generic.reasons, *(part.note for part in generic.components if part.note)]
        page.labelled("at most", f"no bound: {'; '.join(reasons)}", width, "bold yellow")
    if found.unfinished:
        page.labelled("given up", _given_up(found), width, "bold yellow")
    if total:
        page.labelled("certified", _range(found, "certified"), width)
        page.labelled("real", _range(found, "real") + ", in this gauge", width)
        page.labelled("orbits", _range(found, "real_orbits") + ", with real weights", width)
        page.blank()
        _histogram(page, found)
    page.blank()
    _table(page, found)
    page.blank()
    if command:
        page.again("sweep it again with", shlex.join(command))
    for path in files:
        page.verbatim(f"wrote {path}", _INDENT, "dim")
    page.print()


def _range(found: Survey, key: str) -> str:
    values = found.histogram(key)
    low, high = min(values), max(values)
    return f"{low} each" if low == high else f"{low} to {high}, mean {found.mean(key):.4g}"


def _given_up(found: Survey) -> str:
    counted = Counter(map(_why, found.unfinished))
    several = "data set" if len(found.unfinished) == 1 else "data sets"
    reasons = ", ".join(f"{many} {why}" for why, many in sorted(counted.items()))
    return f"{len(found.unfinished)} {several}: {reasons}"


def _why(row: Mapping[str, Any]) -> str:
    if row["reason"] == "crashed":
        return "crashed twice"
    return (
        f"beyond {row['seconds']:g} s" if row["reason"] == "time" else f"beyond {row['memory']} MiB"
    )


def _histogram(page: Page, found: Survey) -> None:
    counted = found.histogram("real_orbits")
    page.text("orbits with real weights: how many data sets have so many", _INDENT, "bold")
    most = max(counted.values())
    shown = sorted(sorted(counted, key=lambda k: (-counted[k], k))[:_MOST_BINS])
    places = max(len(str(k)) for k in shown)
    longest = min(_BAR, page.width - _INDENT - places - len(str(most)) - 3)
    for k in shown:
        bar = page.block * max(1, round(longest * counted[k] / most))
        page.line(
            Text(f"{'':{_INDENT}}{k:>{places}}  ").append(bar, "cyan").append(f" {counted[k]}")
        )
    if len(shown) < len(counted):
        page.text(f"and {len(counted) - len(shown)} rarer numbers", _INDENT, "dim")


def _table(page: Page, found: Survey) -> None:
    """The first data sets and all that are not complete."""
    heads = ("data set", "certified", "real", "orbits", "complete")
    rows = [row for k, row in enumerate(found.rows) if k < _FEW or not row["complete"]]
    cells: list[tuple[str, ...]] = [heads]
    given_up = {row["instance"]: f"NO {_why(row)}" for row in found.unfinished}
    for row in sorted([*rows, *found.unfinished], key=lambda row: int(row["instance"])):
        if row["instance"] in given_up:
            cells.append((str(row["instance"]), "", "", "", given_up[row["instance"]]))
            continue
        open_ends = ", ".join(f"{row[k]} {k}" for k in ("singular", "unresolved", "lost") if row[k])
        verdict = "yes" if row["complete"] else f"NO {open_ends}".strip()
        numbers = (row["instance"], row["certified"], row["real"], row["real_orbits"])
        cells.append((*map(str, numbers), verdict))
    grid = Grid(_COLUMNS, cells, page.width, _INDENT)
    for place, line in enumerate(cells):
        style = "dim" if place == 0 else ""
        last = "bold yellow" if line[-1].startswith("NO") else style
        page.line(grid.row(line, (style, style, style, style, last)))
    if len(rows) < len(found.rows):
        page.text(f"and {len(found.rows) - len(rows)} more, all complete", _INDENT, "dim")

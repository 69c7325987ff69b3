"""The page of ``theorylab levels``, and the picture of a level tree."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from theorylab.outcome import InputError
from theorylab.report.figures import SHORT, equation, rounded
from theorylab.report.page import Column, Grid, Page
from theorylab.report.pictures import FORMATS, saved
from theorylab.report.terminal import short_name
from theorylab.verify import write

if TYPE_CHECKING:
    from theorylab.levels import Levels
    from theorylab.topology.level_trees.tree import LevelTree

_INDENT = 2
_BAR = 24
_MOST_ROWS = 40
_GLOBAL, _SPURIOUS, _QUIET = "#1f5f8b", "#c8553d", "#8a8f98"


def print_levels(
    found: Levels, console: Console, command: Sequence[str] = (), picture: Path | None = None
) -> None:
    """The page of ``theorylab levels``; ``command`` are its words, ``picture`` a file it wrote."""
    page, tree = Page(console), found.tree
    width = len("certificate")
    page.heading("theorylab levels")
    page.labelled("network", f"{found.architecture} {found.activation}", width)
    page.labelled("data", f"{short_name(found.data)}, N={found.samples}", width)
    if found.outcome != "proved":
        words = f"the kernel rejected the certificate: {found.reason}"
        page.labelled("outcome", words, width, "bold red")
        page.print()
        return
    words = f"proved: the components of {{L <= u}} at every level u, {_count(found)}"
    page.labelled("outcome", words, width, "bold green")
    least, top = tree.global_min, tree.top_merge
    page.labelled("minimum", f"u {equation(str(least))}, attained", width)
    if top is None:
        page.labelled("connected", "from the minimum on: one component at every level", width)
    else:
        page.labelled("connected", f"from u {equation(str(top))} on", width)
        barrier = equation(str(tree.barrier)).removeprefix("= ")
        barrier = f"{barrier}, the largest climb that a component needs"
        page.labelled("barrier", barrier, width)
    page.labelled("valleys", _valleys(found), width)
    work = f"{tree.regions:,} regions, {tree.problems:,} least-squares problems"
    page.labelled("work", f"{work}, {tree.solutions:,} different solutions", width)
    lemmas = "; ".join(found.lemmas)
    words = f"{found.assurance} ({lemmas}) for the minimum and the number at every level; which"
    page.labelled(
        "assurance", f"{words} components meet is exact, but not in the certificate", width
    )
    page.blank()
    _table(page, found)
    if tree.merges:
        page.blank()
        _merges(page, tree)
    if found.certificate is not None:
        words = f"theorylab check {shlex.quote(found.certificate)}"
        page.again("certificate; check it again with", words)
    elif command:
        page.again("compute it again with", shlex.join(command))
    if picture is not None:
        page.verbatim(f"wrote {picture}", _INDENT, "dim")
    page.print()


def _count(found: Levels) -> str:
    steps = len(found.steps)
    return f"{steps} interval{'s' * (steps != 1)}"


def _valleys(found: Levels) -> str:
    least = len(found.tree.births) - len(found.spurious)
    words = f"{least} component{'s' * (least != 1)} at the minimum"
    if not found.spurious:
        return f"{words}, no spurious valley"
    spurious = len(found.spurious)
    return f"{words}, {spurious} spurious valley{'s' * (spurious != 1)} born above it"


def _exact(level: Fraction) -> str:
    return str(level) if len(str(level)) <= 2 * SHORT else "..."


def _table(page: Page, found: Levels) -> None:
    """The intervals of levels, each with its number of components as a bar."""
    page.text("components of {L <= u} from each level on, below the next", _INDENT, "bold")
    steps = found.steps
    most = max(n for _, _, n in steps)
    cells = [("u", "exactly", "components")]
    cells += [
        (rounded(level, 6), _exact(level), f"{n} {page.block * max(1, round(_BAR * n / most))}")
        for level, _, n in steps[:_MOST_ROWS]
    ]
    grid = Grid((Column(9, right=True), Column(3), Column(8)), cells, page.width, _INDENT)
    for place, row in enumerate(cells):
        style = "dim" if place == 0 else ""
        page.line(grid.row(row, (style, "dim", style or "cyan")))
    if len(steps) > _MOST_ROWS:
        page.text(f"and {len(steps) - _MOST_ROWS} more intervals", _INDENT, "dim")


def _merges(page: Page, tree: LevelTree) -> None:
    """Which components end where."""
    born = {birth.component: birth.level for birth in tree.births}
    page.text(
        "merges: how many components meet a lower one, its number, and where", _INDENT, "bold"
    )
    alike = Counter(
        (born[one], merge.level, merge.survivor) for merge in tree.merges for one in merge.absorbed
    )
    cells = [("components", "born at", "meet", "at", "climb")]
    for (start, end, survivor), number in sorted(alike.items(), key=lambda item: item[0][1]):
        low, high, climb = (rounded(v, 6) for v in (start, end, end - start))
        cells.append((str(number), low, str(survivor), high, climb))
    columns = tuple(Column(keep, right=True) for keep in (9, 7, 5, 8, 6))
    grid = Grid(columns, cells[: _MOST_ROWS + 1], page.width, _INDENT)
    for place, row in enumerate(cells[: _MOST_ROWS + 1]):
        page.line(grid.row(row, ("dim" if place == 0 else "",) * 5))
    if len(cells) > _MOST_ROWS + 1:
        page.text(f"and {len(cells) - _MOST_ROWS - 1} more", _INDENT, "dim")


@dataclass(frozen=True, slots=True)
class Node:
    """A point of the merge tree: a birth, or a meeting of ``children``; ``low`` is its minimum."""

    level: Fraction
    low: Fraction
    children: tuple[Node, ...] = ()


def tree_of(tree: LevelTree) -> Node:
    """The merge tree, its root the last meeting, the lower children first."""
    live = {birth.component: Node(birth.level, birth.level) for birth in tree.births}
    for merge in tree.merges:
        parts = [live[merge.survivor], *(live.pop(c) for c in merge.absorbed)]
        parts.sort(key=lambda node: (node.low, -node.level))
        live[merge.survivor] = Node(merge.level, parts[0].low, tuple(parts))
    (root,) = live.values()
    return root


def draw(found: Levels, path: str | Path) -> Path:
    """Write the picture of a level tree as PNG, SVG or PDF, by the ending of the path.

    Left the merge tree against the level, right the number of components. Returns the path.
    Guarantees: the same bytes for the same tree and matplotlib (PNG, SVG). Raises InputError for
    another ending, for a tree that the kernel has not proved, and when the file cannot be written.
    """
    place = Path(path)
    if place.suffix.lower() not in FORMATS:
        rule = f"a picture ends in {', '.join(FORMATS)}"
        raise InputError("path", str(path), rule, "choose one of these endings")
    if found.outcome != "proved":
        raise InputError("levels", found.outcome, "only proved trees are drawn", "see its reason")
    return write(place, _picture(found, FORMATS[place.suffix.lower()]))


def _picture(found: Levels, kind: str) -> bytes:
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    tree = found.tree
    low, high = _span(tree)
    with matplotlib.rc_context({"font.size": 9}):
        figure = Figure(figsize=(8.6, 4.8), layout="constrained")
        FigureCanvasAgg(figure)
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(2.6, 1))
        for axes in (left, right):
            axes.spines[["top", "right", "bottom"]].set_visible(False)
            axes.spines["left"].set_color(_QUIET)
            axes.tick_params(color=_QUIET, labelcolor="#333333")
            axes.set_ylim(low, high)
        marks = _marks(tree, low, high)
        left.set_yticks([float(v) for v in marks], [_label(v) for v in marks])
        for v in marks:
            for axes in (left, right):
                axes.axhline(float(v), color="#e4e6ea", linewidth=0.7, zorder=0)
        _draw_tree(left, tree_of(tree), tree.global_min, high)
        _legend(left, spurious=bool(found.spurious))
        left.set_xticks([])
        left.set_ylabel("level u")
        left.set_title(_heading(found), fontsize=9.5, loc="left")
        _draw_steps(right, tree, high)
        right.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        right.tick_params(left=False)
        right.spines["left"].set_visible(False)
        right.spines["bottom"].set_visible(True)
        right.spines["bottom"].set_color(_QUIET)
        right.set_title("components of {L ≤ u}", fontsize=9.5, loc="left")
        return saved(figure, kind)


def _heading(found: Levels) -> str:
    name = short_name(found.data)
    return f"merge tree: {found.activation} {found.architecture} on {name}, N = {found.samples}"


def _span(tree: LevelTree) -> tuple[float, float]:
    """The levels to show, with room below the minimum and above the last meeting."""
    least = float(tree.global_min)
    top = float(tree.levels[-1][0] if tree.top_merge is None else tree.top_merge)
    height = top - least or abs(least) or 1.0
    return least - 0.07 * height, top + 0.16 * height


def _marks(tree: LevelTree, low: float, high: float) -> list[Fraction]:
    """Levels to name, the minimum and the last meeting first, none too near to another."""
    births = [b.level for b in tree.births]
    meetings = [m.level for m in reversed(tree.merges)]
    chosen: list[Fraction] = []
    for level in [tree.global_min, *meetings, *births]:
        if all(abs(float(level - other)) > 0.045 * (high - low) for other in chosen):
            chosen.append(level)
    return sorted(chosen)


def _label(level: Fraction) -> str:
    return str(level) if len(str(level)) <= 9 else rounded(level, 5)


def _draw_tree(axes: Any, root: Node, least: Fraction, high: float) -> None:
    """Leaves side by side; a meeting stands over the middle of what meets there."""
    leaves = 0

    def colour(node: Node) -> str:
        return _GLOBAL if node.low == least else _SPURIOUS

    def width(node: Node) -> float:
        return 1.8 if node.low == least else 1.5

    def place(node: Node) -> float:
        nonlocal leaves
        if not node.children:
            leaves += 1
            axes.plot(
                leaves, float(node.level), "o", color=colour(node), markersize=5.5, zorder=4,
                markeredgecolor="white", markeredgewidth=0.8,
            )  # fmt: skip
            return float(leaves)
        spots = [place(child) for child in node.children]
        level = float(node.level)
        for child, x in zip(node.children, spots, strict=True):
            axes.plot(
                [x, x], [float(child.level), level], color=colour(child), linewidth=width(child),
                solid_capstyle="round", zorder=3 if child.low == least else 2,
            )  # fmt: skip
        axes.plot(
            [min(spots), max(spots)], [level, level], color=colour(node), linewidth=width(node),
            solid_capstyle="round", zorder=3,
        )  # fmt: skip
        return (min(spots) + max(spots)) / 2

    x = place(root)
    axes.plot([x, x], [float(root.level), high], color=_GLOBAL, linewidth=1.8, zorder=3)
    axes.set_xlim(0.3, leaves + 0.7)


def _legend(axes: Any, spurious: bool) -> None:
    named = {"at the global minimum": _GLOBAL} | (
        {"spurious valley": _SPURIOUS} if spurious else {}
    )
    for words, hue in named.items():
        axes.plot([], [], "o", color=hue, label=words, markersize=5.5)
    axes.legend(
        loc="upper left", bbox_to_anchor=(0, 0), ncols=2, fontsize=8, frameon=False,
        borderaxespad=0.4, handletextpad=0.2,
    )  # fmt: skip


def _draw_steps(axes: Any, tree: LevelTree, high: float) -> None:
    """N_u to the right, the level upwards, the number written in each step that has room."""
    starts = [float(level) for level, _ in tree.levels]
    numbers = [n for _, n in tree.levels]
    ends = [*starts[1:], high]
    most = max(numbers)
    for start, end, n in zip(starts, ends, numbers, strict=True):
        axes.fill_betweenx([start, end], 0, n, color=_GLOBAL, alpha=0.16, linewidth=0)
        axes.plot([n, n], [start, end], color=_GLOBAL, linewidth=1.8)
        if end - start > 0.04 * (high - starts[0]):
            axes.text(n + 0.03 * most, (start + end) / 2, str(n), va="center", color=_GLOBAL)
    edges = [0, *numbers]
    for start, before, after in zip(starts, edges, numbers, strict=False):
        axes.plot([before, after], [start, start], color=_GLOBAL, linewidth=1.0, alpha=0.6)
    axes.set_xlim(0, most * 1.15)

"""Trajectories of training: branches and basins, SGD repeated from one point, no local minimum.

As in Figures 3 and 4 of Theory II. Full-batch descents get branches at several epochs: Gaussian
noise on all weights, then the same descent, its momentum at 0, to the same last epoch. How high
does the training loss rise on the straight line from main run to branch, and what is the error of
their average, epoch by epoch? SGD runs in stages, eight parallel runs from one point P, four of
them from P perturbed by noise; the next stage begins at the end of the first. Distances are those
of the directions of the weights of layer 2, as in the paper, and so are the planes that strain MDS
puts the points into; how much of the strain a plane shows is measured too. The unit is the network,
with initial weights of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from theorylab.experiments.drawing import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    title_with_verdicts,
)
from theorylab.experiments.experiment import Arrays, Experiment, Null, Reading
from theorylab.experiments.sources import POGGIO_LIAO
from theorylab.experiments.studies.trajectory_runs import (
    NAME,
    PAPERS_NOISE,
    RUNS,
    TrajectoryConfig,
    drawn_noise,
    measure,
    parts,
)
from theorylab.experiments.table import Cell, Table
from theorylab.experiments.verdict import (
    Asserted,
    Measured,
    conclude,
    mean_of,
    share,
    signed_ranks,
    trend,
)
from theorylab.outcome import Observed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

_FITTED: Final = 0.05
# Instead of a number that a net has not because it diverged: nats, shares and distances are lower.
_WORST: Final = 1e6
_STALLED: Final = 0.95
# Nats: barriers below it are rounding.
_FLAT: Final = 1e-6

READINGS: Final = {
    "branching": "early branches end behind higher barriers than late ones",
    "quarter-noise": "noise of a quarter of each layer's deviation at the start leads behind a "
    "wall of raised errors",
    "no-local-minimum": "no local minimum stops full-batch descent: it reaches training error 0, "
    "and does not stall before",
    "parallel-runs": "SGD repeated from one point ends elsewhere, at every stage of training",
    "late-average": "averages of models within a basin, main run and late branch, err hardly more "
    "than they do",
    "settling": "later stages of SGD change the weights less",
    "plane": "a plane shows most of the distances between the points of a training run",
}


def judge_branching(config: TrajectoryConfig, table: Table) -> Observed:
    """Whether early branches lie behind higher barriers than late ones, at each noise but the
    paper's: ln of the ratio of their mean heights, paired within each net."""
    late = np.array([epoch >= config.late for epoch in config.branches])
    asserted = Asserted.above(0.0, log(config.higher))
    measured = []
    for noise in config.noises:
        if noise > PAPERS_NOISE:
            # a net that diverged speaks against the reading
            high = _branches(config, table, noise, "barrier", 0.0)[:, ~late].mean(1)
            low = _branches(config, table, noise, "barrier", _WORST)[:, late].mean(1)
            ratio = np.log(np.maximum(high, _FLAT) / np.maximum(low, _FLAT))
            name = f"ln(early / late barrier) at noise {noise:g}"
            measured.append(signed_ranks(name, ratio, asserted, config.alpha))
    return _concluded(config, table, "branching", measured, [_fitted(table)])


def judge_quarter_noise(config: TrajectoryConfig, table: Table) -> Observed:
    """Whether there is a wall of errors between a net and its branch of the first epoch."""
    heights = _branches(config, table, PAPERS_NOISE, "error_barrier", 0.0)[:, 0]
    asserted = Asserted.above(config.wall / 5, config.wall)
    found = mean_of("error above the chord", heights, asserted, config.alpha)
    return _concluded(config, table, "quarter-noise", [found], [_fitted(table)])


def judge_no_local_minimum(config: TrajectoryConfig, table: Table) -> Observed:
    """Whether all descents reach training error 0, their losses falling all the way.

    A run that still descends at the last epoch says nothing: the horizon was too short.
    """
    rows = table.where(kind="main")
    reached = np.array([row["reached"] is True for row in rows])
    slowest, last = (np.nan_to_num(rows.column(name), nan=_WORST) for name in ("slowest", "last"))
    measured = [
        share("reached error 0", int(reached.sum()), len(rows), Asserted.above(0.8, 0.99),
              config.alpha),
        mean_of("least fall while the epochs double, L(2t)/L(t)", np.minimum(slowest, 1.0),
                Asserted.below(_STALLED, 0.8), config.alpha),
    ]  # fmt: skip
    diverged = any(row["diverged"] is True for row in rows)
    gates = [
        ("no run diverged", not diverged),
        ("runs reached error 0, or stall", bool((reached | (last > _STALLED)).all())),
    ]
    return _concluded(config, table, "no-local-minimum", measured, gates)


def judge_parallel_runs(config: TrajectoryConfig, table: Table) -> Observed:
    """Whether the closest two of four ends are apart, at the stage where they are closest."""
    closest = _stages(config, table, "apart", 0.0).min(1)
    asserted = Asserted.above(config.elsewhere / 2, config.elsewhere)
    name = "closest ends over the distance moved"
    found = mean_of(name, closest, asserted, config.alpha)
    return _concluded(config, table, "parallel-runs", [found], [_moving(table)])


def judge_late_average(config: TrajectoryConfig, table: Table) -> Observed:
    """Whether the average of main run and late branch errs no more than half of each, nearly."""
    asserted = Asserted.below(2 * config.average, config.average)
    late = [at for at, epoch in enumerate(config.branches) if epoch >= config.late]
    measured = [
        mean_of(
            f"error of the average, branch {config.branches[at]} at noise {noise:g}",
            _branches(config, table, noise, "middle_error", 1.0)[:, at], asserted, config.alpha,
        )
        for noise in config.noises if noise <= 1 for at in late
    ]  # fmt: skip
    return _concluded(config, table, "late-average", measured, [_fitted(table)])


def judge_settling(config: TrajectoryConfig, table: Table) -> Observed:
    """Whether the distance moved falls from stage to stage."""
    moved = _stages(config, table, "moved", _WORST)
    found = trend("fall of the distance moved", -moved, config.falls, config.alpha)
    return _concluded(config, table, "settling", [found], [_moving(table)])


def judge_plane(config: TrajectoryConfig, table: Table) -> Observed:
    """Whether two dimensions hold more than half of the strain."""
    strain = np.nan_to_num(table.where(kind="plane").column("strain"), nan=0.0)
    asserted = Asserted.above(0.5, config.plane)
    found = mean_of("share of the strain in the plane", strain, asserted, config.alpha)
    return _concluded(config, table, "plane", [found], [_moving(table)])


def _branches(
    config: TrajectoryConfig, table: Table, noise: float, column: str, missing: float
) -> Floats:
    """A column of the branches as [net, branch]; ``missing`` where a net diverged."""
    rows = table.where(kind="branch", noise=noise)
    return _by_net(rows, "epoch", config.branches, column, missing)


def _stages(config: TrajectoryConfig, table: Table, column: str, missing: float) -> Floats:
    """A column of the stages as [net, stage]."""
    stages = range(1, config.stages + 1)
    return _by_net(table.where(kind="stage"), "stage", stages, column, missing)


def _by_net(table: Table, place: str, places: Sequence[int], column: str, missing: float) -> Floats:
    nets = _nets(table)
    found = np.full((len(nets), len(places)), missing)
    for row, value in zip(table, table.column(column), strict=True):
        if not np.isnan(value):
            found[nets[row["net"]], places.index(int(row[place] or 0))] = value
    return found


def _nets(table: Table) -> dict[Cell, int]:
    """The number of each net among those of the table."""
    return {net: at for at, net in enumerate(sorted(table.values("net"), key=lambda n: n or 0))}


def _fitted(table: Table) -> tuple[str, bool]:
    ends = [r for r in table if r["kind"] in ("main", "branch") and r["diverged"] is not True]
    errors = [r["error"] for r in ends if isinstance(r["error"], (int, float))]
    every = len(errors) == sum(r["kind"] in ("main", "branch") for r in table)
    return f"every run ends with error at most {_FITTED:g}", every and max(errors) <= _FITTED


def _moving(table: Table) -> tuple[str, bool]:
    moved = table.where(kind="stage").column("moved")
    return "every stage ended and moved the weights", bool((moved > 0).all())


def _concluded(
    config: TrajectoryConfig,
    table: Table,
    variant: str,
    measured: Sequence[Measured],
    gates: Sequence[tuple[str, bool]],
) -> Observed:
    words = READINGS[variant]
    return conclude(measured, words, seed=config.seed, gates=gates, alpha=config.alpha)


World = Callable[[TrajectoryConfig, Table, np.random.Generator], Table]


def _permuted(kind: str, column: str, which: str) -> World:
    """The cells of each net are dealt out anew among its branches of one noise, or its stages."""

    def draw(config: TrajectoryConfig, table: Table, random: np.random.Generator) -> Table:
        cells: list[Any] = [row[column] for row in table]
        groups: dict[tuple[Any, ...], list[int]] = {}
        for at, row in enumerate(table):
            if row["kind"] == kind:
                groups.setdefault((row["net"], row[which]), []).append(at)
        dealt = list(cells)
        for rows in groups.values():
            for at, other in zip(rows, random.permutation(rows), strict=True):
                dealt[at] = cells[other]
        return table.replaced(column, dealt)

    return draw


def _close(config: TrajectoryConfig, table: Table, random: np.random.Generator) -> Table:
    """Nets drawn anew, and all their distances scaled so that the mean closest ends are at the
    bound."""
    apart = _stages(config, table, "apart", 0.0)
    drawn = apart[random.integers(len(apart), size=len(apart))]
    drawn *= config.elsewhere / 2 / apart.min(1).mean()
    nets = _nets(table.where(kind="stage"))
    return table.replaced(
        "apart",
        [
            drawn[nets[row["net"]], int(row["stage"] or 0) - 1] if row["kind"] == "stage" else None
            for row in table
        ],
    )


def _around(
    kind: str, column: str, centre: Callable[[TrajectoryConfig], float], wide: float
) -> World:
    """Cells from a symmetric world whose centre is exactly a bound of the reading."""

    def draw(config: TrajectoryConfig, table: Table, random: np.random.Generator) -> Table:
        middle = centre(config)
        cells = [
            middle * (1 + wide * random.standard_normal()) if row["kind"] == kind else row[column]
            for row in table
        ]
        return table.replaced(column, cells)

    return draw


def _four_of_five(config: TrajectoryConfig, table: Table, random: np.random.Generator) -> Table:
    """Each descent reaches error 0 with probability .8, and is stuck otherwise."""
    stuck = [row["kind"] == "main" and random.random() < 0.2 for row in table]
    for column, cell in (("reached", False), ("last", 1.0)):
        pairs = zip(stuck, table, strict=True)
        table = table.replaced(column, [cell if s else row[column] for s, row in pairs])
    return table


_MARKS: Final = ((GREEN, "s"), (BLUE, "o"), (ORANGE, "^"), (PURPLE, "D"))


def draw(config: TrajectoryConfig, table: Table, arrays: Arrays, figure: Figure) -> None:
    """SGD in stages and full-batch branches in the planes of strain MDS; barrier against epoch."""
    stages, branches, heights = figure.subplots(1, 3, width_ratios=[1.05, 1.05, 0.9])
    first = {key.rpartition("/")[2]: a for key, a in arrays.items() if key.startswith("stages")}
    if "places" in first:
        _draw_stages(stages, first, config)
    second = {key.rpartition("/")[2]: a for key, a in arrays.items() if key.startswith("branches")}
    if "places" in second:
        _draw_branches(branches, second, config)
    for (colour, marker), noise in zip(_MARKS, config.noises, strict=False):
        found = _branches(config, table, noise, "barrier", np.nan)
        found = np.maximum(found, 1e-5)
        places = np.arange(len(config.branches))
        heights.plot(
            np.repeat(places, len(found)), found.T.ravel(), marker, color=colour,
            alpha=0.35, markersize=3.5, markeredgewidth=0, linestyle="none",
        )  # fmt: skip
        middles = [float(np.median(c[np.isfinite(c)])) if np.isfinite(c).any() else np.nan
                   for c in found.T]  # fmt: skip
        heights.plot(places, middles, color=colour, marker=marker, label=f"{noise:g} S")
    heights.set_xticks(range(len(config.branches)), [str(e) for e in config.branches])
    heights.set(yscale="log", xlabel="epoch of the branch", title="main run to branch")
    heights.set_ylabel("barrier above the chord (nats)")
    heights.legend(title="noise", fontsize=7, title_fontsize=7)
    for axes in figure.axes:
        axes.title.set_fontsize(9)
        axes.tick_params(labelsize=7)
        axes.xaxis.label.set_fontsize(8)
        axes.yaxis.label.set_fontsize(8)
    title = f"Trajectories of training, {config.data}, {config.model}"
    title_with_verdicts(figure, title, TRAJECTORY_BASINS.judged(config, table))


def _draw_stages(axes: Axes, drawn: dict[str, NDArray[Any]], config: TrajectoryConfig) -> None:
    """The runs of all stages; the error at the end of the first run of some."""
    kinds, stages, places = drawn["kinds"], drawn["stages"], drawn["places"]
    begin: NDArray[Any] | None = None
    for stage in range(1, config.stages + 1):
        ends = places[(kinds == 1) & (stages == stage)]
        for run in range(1, RUNS + 1):
            line = places[(kinds == run) & (stages == stage)]
            if begin is not None:
                line = np.concatenate([begin[None], line])
            plain = run <= RUNS // 2
            axes.plot(
                *line.T, color=BLUE if plain else ORANGE, linewidth=0.7, alpha=0.8,
                marker="o" if plain else "^", markersize=2,
                label=("from P" if plain else "from P perturbed")
                if stage == 1 and run in (1, RUNS) else None,
            )  # fmt: skip
        if len(ends):
            begin = ends[-1]
            if stage in (1, 3, config.stages):
                error = drawn["errors"][(kinds == 1) & (stages == stage)][-1]
                axes.annotate(
                    f"{100 * error:.2g} %", (begin[0], begin[1]), fontsize=7, xytext=(3, 3),
                    textcoords="offset points",
                )  # fmt: skip
    axes.legend(fontsize=7)
    axes.set(title=f"SGD, {config.stages} stages of {RUNS} runs")
    _plane_labels(axes, drawn)


def _draw_branches(axes: Axes, drawn: dict[str, NDArray[Any]], config: TrajectoryConfig) -> None:
    """Main run, branches, and their averages, with the errors at the ends and of the averages."""
    kinds, places, errors = drawn["kinds"], drawn["places"], drawn["errors"]
    main = places[kinds == 0]
    axes.plot(*main.T, color="black", linewidth=1.5, marker=".", label="main run", zorder=3)
    for (colour, marker), (number, epoch) in zip(
        _MARKS, enumerate(config.branches, start=1), strict=False
    ):
        branch = places[kinds == number]
        if len(branch):
            axes.plot(*branch.T, color=colour, linewidth=1, marker=marker, markersize=3,
                      label=f"branch at {epoch}")  # fmt: skip
        middle = places[kinds == -number]
        axes.plot(*middle.T, color=GREY, linewidth=0, marker="x", markersize=3,
                  label="averages" if number == 1 else None)  # fmt: skip
        if len(middle):
            error = 100 * errors[kinds == -number][-1]
            axes.annotate(
                f"{error:.2g} %", (middle[-1, 0], middle[-1, 1]), fontsize=7, color=GREY,
                xytext=(3, -8), textcoords="offset points",
            )  # fmt: skip
    axes.set(title=f"full batch, branches by noise {drawn_noise(config):g} S")
    axes.legend(fontsize=7)
    _plane_labels(axes, drawn)


def _plane_labels(axes: Axes, drawn: dict[str, NDArray[Any]]) -> None:
    held = 100 * float(drawn["strain"][0])
    axes.set(xlabel=f"strain MDS: {held:.0f} % of the strain in this plane", xticks=[], yticks=[])


TRAJECTORY_BASINS: Final = Experiment(
    name=NAME,
    title=(
        "Training is a descent in basins: early branches part, late ones do not, no local minimum"
    ),
    source=POGGIO_LIAO,
    readings=(
        Reading("branching", READINGS["branching"], "consistent", judge_branching),
        Reading("quarter-noise", READINGS["quarter-noise"], "inconsistent", judge_quarter_noise),
        Reading(
            "no-local-minimum", READINGS["no-local-minimum"], "consistent", judge_no_local_minimum
        ),
        Reading("parallel-runs", READINGS["parallel-runs"], "consistent", judge_parallel_runs),
        Reading("late-average", READINGS["late-average"], "consistent", judge_late_average),
        Reading("settling", READINGS["settling"], "consistent", judge_settling),
        Reading("plane", READINGS["plane"], "consistent", judge_plane),
    ),
    budgets={
        "ci": TrajectoryConfig(),
        "full": TrajectoryConfig(
            data="fashion-mnist", train=5000, model="paper", descents=24, branched=8,
            branched_at_once=1, draws=(1, 1, 1), epochs=2000, trajectories=8,
            trajectories_at_once=1, stage_epochs=10, batch=100,
        ),
    },
    parts=parts,
    measure=measure,
    draw=draw,
    nulls=(
        Null(
            "barriers do not depend on the epoch", "branching", "consistent",
            _permuted("branch", "barrier", "noise"),
        ),
        Null(
            "walls of exactly the smallest height", "quarter-noise", "inconsistent",
            _around("branch", "error_barrier", lambda config: config.wall, 0.4),
        ),
        Null("one descent in five is stuck", "no-local-minimum", "consistent", _four_of_five),
        Null(
            "ends as close as passes for the same", "parallel-runs", "consistent",
            _close,
        ),
        Null(
            "averages err by the bound", "late-average", "consistent",
            _around("branch", "middle_error", lambda config: 2 * config.average, 0.5),
        ),
        Null(
            "stages move the weights alike", "settling", "consistent",
            _permuted("stage", "moved", "kind"),
        ),
        Null(
            "half of the strain in the plane", "plane", "consistent",
            _around("plane", "strain", lambda config: 0.5, 0.1),
        ),
    ),
    remarks=(
        "Walls need more noise on a small perceptron than in the paper: at a quarter of the "
        "deviation there is none. The ends of parallel SGD runs differ, but by a fifth to a half "
        "of the way that they went together; late in training the paper's noise of a hundredth "
        "sets runs apart more than SGD does. At three times the deviation the barriers fall up to "
        "some epoch only, and the last branches have the least time to come back. No reading "
        "claims that a basin is connected: lines are looked at in a few points."
    ),
)  # fmt: skip
EXPERIMENTS: Final = {NAME: TRAJECTORY_BASINS}

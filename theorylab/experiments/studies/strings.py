"""How curved sublevel sets are: the length of paths in them, over the distance of their ends.

Pairs of networks are stopped at the same level u of the training loss and joined by dynamic string
sampling in {L <= u}. Freeman & Bruna 2017 (section 3.3 and Figure 1) find that the normalised
length rises as u falls. Compared here: that trend; how much of it beads alone make, by strings
that have as many beads at every level from the start; and whether the length belongs to the
landscape or to the way beads are pulled down. Lengths are upper bounds, and a string that was not
finished says nothing: only pairs that were joined at all levels enter a trend.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from theorylab.experiments.data import load_dataset
from theorylab.experiments.drawing import BLUE, GREEN, ORANGE, medians, title_with_verdicts
from theorylab.experiments.experiment import (
    Arrays,
    Config,
    Experiment,
    Measurements,
    Null,
    Reading,
)
from theorylab.experiments.networks.ensemble import Descent, train_ensemble
from theorylab.experiments.networks.model import Perceptron, flattened
from theorylab.experiments.sources import FREEMAN_BRUNA
from theorylab.experiments.studies.string_sampling import Relaxer, energy_of, strings
from theorylab.experiments.table import Table
from theorylab.experiments.verdict import (
    Asserted,
    Measured,
    conclude,
    share,
    signed_ranks,
    trend,
)
from theorylab.outcome import InputError, Observed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME: Final = "string-geodesic-length"
# ADAPTIVE strings get beads where they are needed, SEEDED ones many from the start; ADAM pulls
# beads down in another way.
ADAPTIVE, SEEDED, ADAM = "adaptive", "seeded", "adam"
WORDS: Final = {
    "longer": "the paths found in sublevel sets get longer as the level falls",
    "equal-beads": "with many beads from the start, the paths found still get longer as the level "
    "falls",
    "beads": "at one level a string of more beads is longer",
    "found": "a path in the sublevel set is found for every pair at every level",
    "absolute": "the length belongs to the landscape: two ways of pulling beads agree on it",
}
_Columns = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class StringConfig(Config):
    """Pairs of networks at falling levels: on a cubic of one variable, and on images.

    Levels are mean losses: of squares for the cubic, in shares of the variance of its values, and
    cross-entropy for ``data``, in nats. ``seeded_beads`` are in a seeded string at the start;
    Adam's strings are made at the first ``adam_levels`` of the cubic. ``smallest_trend`` is a mean
    rank correlation, ``longer_by`` what beads add to the logarithm of the length, ``agreement``
    the difference of logarithms up to which two lengths agree: less than what the trend itself
    amounts to. ``complete`` is the share of pairs that must be joined at all levels.
    """

    experiment: ClassVar[str] = NAME

    pairs: int = 14
    pairs_at_once: int = 14
    cubic_width: int = 64
    cubic_samples: int = 64
    cubic_levels: tuple[float, ...] = (0.3, 0.15, 0.07, 0.03, 0.015)
    data: str = "digits"
    train: int = 300
    width: int = 32
    levels: tuple[float, ...] = (1.0, 0.3, 0.1, 0.03, 0.01)
    rate: float = 0.01
    steps: int = 4000
    check: int = 5
    rounds: int = 7
    points: int = 9
    iterations: int = 400
    most_beads: int = 200
    seeded_beads: int = 15
    adam_levels: int = 2
    smallest_trend: float = 0.8
    longer_by: float = 0.01
    agreement: float = 0.01
    complete: float = 0.75

    def __post_init__(self) -> None:
        for name in ("cubic_levels", "levels"):
            found = getattr(self, name)
            if len(found) < 3 or list(found) != sorted({*found}, reverse=True) or found[-1] <= 0:
                rule = "three levels at least, positive, each below the one before"
                raise InputError(name, found, rule, "write e.g. (0.3, 0.1, 0.03)")
        if self.pairs < 2 or self.pairs_at_once < 1:
            rule = "two pairs at least, and one at a time"
            raise InputError("pairs", self.pairs, rule, "choose more")
        if self.data == "cubic":
            rule = "the cubic is a task already"
            raise InputError("data", self.data, rule, "name images, e.g. digits")

    def tasks(self) -> dict[str, tuple[float, ...]]:
        """The levels of each task."""
        return {"cubic": self.cubic_levels, self.data: self.levels}

    def arms(self, task: str, step: int) -> tuple[str, ...]:
        """The kinds of strings that are made on a task at its level number ``step``."""
        if task != "cubic":
            return ADAPTIVE, SEEDED
        return (ADAPTIVE, ADAM) if step < self.adam_levels else (ADAPTIVE,)


def parts(config: StringConfig) -> tuple[str, ...]:
    """One part for each task, level and group of pairs."""
    groups = range(0, config.pairs, config.pairs_at_once)
    return tuple(
        f"task={task} level={step} pairs={first}"
        for task, levels in config.tasks().items()
        for step in range(len(levels))
        for first in groups
    )


def _task(config: StringConfig, task: str, device: str) -> tuple[Perceptron, Tensor, Tensor, str]:
    if task == "cubic":
        x = torch.linspace(-1, 1, config.cubic_samples, dtype=torch.float64)[:, None].to(device)
        y = (4 * x**3 - 3 * x)[:, 0]
        # levels are shares of the variance
        widths = (1, config.cubic_width, config.cubic_width, 1)
        return Perceptron(widths), x, y / y.std(correction=0), "squares"
    data = load_dataset(task)
    split = data.split(train=config.train, seed=config.seed).standardised()
    x = torch.tensor(split.x, dtype=torch.float64).to(device)
    widths = (x.shape[1], config.width, config.width, data.classes)
    return Perceptron(widths), x, torch.tensor(split.y).to(device), "cross-entropy"


def measure(config: StringConfig, part: str, device: str) -> Measurements:
    """One row for each pair and kind of string, at one level of one task."""
    task, number, group = (field.partition("=")[2] for field in part.split())
    step, first = int(number), int(group)
    level = config.tasks()[task][step]
    pairs = range(first, min(first + config.pairs_at_once, config.pairs))
    model, x, y, loss = _task(config, task, device)
    # the same nets at every level: a lower one is a later stop of the same descent
    trained = train_ensemble(
        model, x, y, [net for pair in pairs for net in (2 * pair, 2 * pair + 1)],
        seed=config.seed, names=(NAME, task), loss=loss, dtype=torch.float64, device=device,
        descent=Descent(
            config.rate, config.steps, kind="adam", stop_loss=level, check=config.check
        ),
    )  # fmt: skip
    vectors = flattened(trained.parameters)
    reached = (trained.losses <= level).reshape(-1, 2).all(1)
    a, b = vectors[0::2][reached], vectors[1::2][reached]
    energy = energy_of(model, trained.parameters, x, y, loss)
    rows = []
    for arm in config.arms(task, step):
        relaxer = Relaxer(ADAM if arm == ADAM else "polyak", config.iterations)
        found = iter(
            strings(
                energy, a, b, level, relaxer, rounds=config.rounds, points=config.points,
                beads=config.seeded_beads if arm == SEEDED else 0, most=config.most_beads,
            )
        )  # fmt: skip
        for pair, done in zip(pairs, reached.tolist(), strict=True):
            string = next(found) if done else None
            rows.append(
                {
                    "task": task,
                    "step": step,
                    "level": level,
                    "arm": arm,
                    "pair": pair,
                    "reached": done,
                    "connected": string is not None and string.connected,
                    "length": None if string is None else string.length,
                    "beads": 0 if string is None else len(string.beads),
                }
            )
    return Measurements(rows)


def _lengths(config: StringConfig, table: Table, task: str, arm: str) -> _Columns:
    """The lengths, pairs x levels; nan where the string was not finished."""
    chosen = table.where(task=task, arm=arm)
    steps = len(set(chosen.values("step")))
    found = np.full((config.pairs, steps), np.nan)
    places = chosen.column("pair").astype(int), chosen.column("step").astype(int)
    found[places] = np.where(chosen.column("connected") > 0, chosen.column("length"), np.nan)
    return found


def _joined(config: StringConfig, lengths: _Columns, task: str) -> Measured:
    """The share of pairs that are joined at all levels: also what is said where too few are."""
    count = int(np.isfinite(lengths).all(1).sum())
    asserted = Asserted.above(0.5, 0.9)
    return share(f"pairs joined on {task}", count, len(lengths), asserted, config.alpha)


def _trend(config: StringConfig, table: Table, choice: dict[str, str], variant: str) -> Observed:
    measured, gates = [], []
    for task, arm in choice.items():
        lengths = _lengths(config, table, task, arm)
        whole = lengths[np.isfinite(lengths).all(1)]
        enough = len(whole) >= max(2.0, config.complete * config.pairs)
        gates.append((f"{task}: enough pairs joined at all levels", enough))
        if enough:
            name = f"rank correlation on {task}"
            measured.append(trend(name, whole, config.smallest_trend, config.alpha))
        else:
            measured.append(_joined(config, lengths, task))
    return conclude(measured, WORDS[variant], seed=config.seed, gates=gates, alpha=config.alpha)


def judge_longer(config: StringConfig, table: Table) -> Observed:
    """Whether lengths rise as levels fall, on both tasks."""
    return _trend(config, table, dict.fromkeys(config.tasks(), ADAPTIVE), "longer")


def judge_equal_beads(config: StringConfig, table: Table) -> Observed:
    """Whether they still rise when strings are seeded with beads."""
    return _trend(config, table, {config.data: SEEDED}, "equal-beads")


def _ratios(config: StringConfig, table: Table, task: str, over: str, under: str) -> _Columns:
    """log(length / length) of two kinds of strings, pairs x levels; nan where one is missing."""
    first, second = (_lengths(config, table, task, arm) for arm in (over, under))
    return np.log(first) - np.log(second[:, : first.shape[1]])


def judge_beads(config: StringConfig, table: Table) -> Observed:
    """Whether seeded strings are longer than adaptive ones at every level."""
    found = _ratios(config, table, config.data, SEEDED, ADAPTIVE)
    gates = [("every string was finished", bool(np.isfinite(found).all()))]
    asserted = Asserted.above(0.0, config.longer_by)
    measured = [
        signed_ranks(f"log length ratio at level {level}", column, asserted, config.alpha)
        for level, column in zip(config.levels, found.T, strict=True)
        if np.isfinite(column).all()
    ]
    measured = measured or [_joined(config, found, config.data)]
    return conclude(measured, WORDS["beads"], seed=config.seed, gates=gates, alpha=config.alpha)


def judge_found(config: StringConfig, table: Table) -> Observed:
    """Whether strings were finished; one that was not leaves it undecided, never says no."""
    found = {task: _lengths(config, table, task, ADAPTIVE) for task in config.tasks()}
    measured = [_joined(config, lengths, task) for task, lengths in found.items()]
    whole = all(bool(np.isfinite(lengths).all()) for lengths in found.values())
    gates = [("every search ended in a path", whole)]
    return conclude(measured, WORDS["found"], seed=config.seed, gates=gates, alpha=config.alpha)


def judge_absolute(config: StringConfig, table: Table) -> Observed:
    """Whether Adam's and Polyak's strings are equally long where both joined every pair."""
    found = _ratios(config, table, "cubic", ADAM, ADAPTIVE)
    whole = np.isfinite(found).all(0)
    gates = [("both joined every pair at some level", bool(whole.any()))]
    if whole.any():
        means = found[:, whole].mean(1)
        asserted = Asserted.within(-config.agreement, config.agreement)
        measured = signed_ranks("log length ratio, Adam's over", means, asserted, config.alpha)
    else:
        measured = _joined(config, found, "cubic by both")
    words = WORDS["absolute"]
    return conclude([measured], words, seed=config.seed, gates=gates, alpha=config.alpha)


Draw = Callable[[StringConfig, Table, np.random.Generator], Table]


def _unordered(arm: str) -> Draw:
    """The lengths of each pair stand at its levels in a drawn order."""

    def draw(config: StringConfig, table: Table, random: np.random.Generator) -> Table:
        lengths, connected = table.column("length"), table.column("connected")
        owners = [(row["task"], row["pair"], row["arm"]) for row in table]
        for owner in dict.fromkeys(o for o in owners if o[2] == arm):
            here = np.array([i for i, o in enumerate(owners) if o == owner])
            there = random.permutation(here)
            lengths[here], connected[here] = lengths[there], connected[there]
        moved = table.replaced("length", lengths)
        return moved.replaced("connected", (c > 0 for c in connected))

    return draw


def _exchanged(config: StringConfig, table: Table, random: np.random.Generator) -> Table:
    """Seeded and adaptive strings have changed names, for some pairs."""
    swapped = {SEEDED: ADAPTIVE, ADAPTIVE: SEEDED}
    change = random.random(config.pairs) < 0.5
    arms = [
        swapped[str(row["arm"])]
        if row["task"] == config.data and change[int(str(row["pair"]))]
        else row["arm"]
        for row in table
    ]
    return table.replaced("arm", arms)


def _unfinished(config: StringConfig, table: Table, random: np.random.Generator) -> Table:
    """Each pair of a task is joined by even chance, at all its levels or at none."""
    joined = {task: random.random(config.pairs) < 0.5 for task in config.tasks()}
    cells = [bool(joined[str(row["task"])][int(str(row["pair"]))]) for row in table]
    return table.replaced("connected", cells)


def _at_the_margin(config: StringConfig, table: Table, random: np.random.Generator) -> Table:
    """Adam's strings are longer by just as much as still passes for agreement."""
    found = _ratios(config, table, "cubic", ADAM, ADAPTIVE)
    means = np.nanmean(found, 1)
    off = random.choice((-1.0, 1.0), config.pairs) * (means - np.median(means))
    plain = _lengths(config, table, "cubic", ADAPTIVE)
    lengths = [
        plain[int(str(row["pair"])), int(str(row["step"]))]
        * np.exp(config.agreement + off[int(str(row["pair"]))])
        if row["arm"] == ADAM
        else row["length"]
        for row in table
    ]
    return table.replaced("length", lengths)


def draw(config: StringConfig, table: Table, arrays: Arrays, figure: Figure) -> None:
    """Length against level, on each task, for each kind of string."""
    styles = {ADAPTIVE: (BLUE, "o"), SEEDED: (GREEN, "s"), ADAM: (ORANGE, "^")}
    labels = {ADAPTIVE: "beads where needed", SEEDED: "beads from the start", ADAM: "Adam's beads"}
    axes = figure.subplots(1, 3, width_ratios=[1, 1, 0.8])
    for at, (task, levels) in enumerate(config.tasks().items()):
        for arm, (colour, marker) in styles.items():
            if not len(table.where(task=task, arm=arm)):
                continue
            excess = 100 * (_lengths(config, table, task, arm) - 1)
            here = levels[: excess.shape[1]]
            axes[at].plot(here, excess.T, color=colour, linewidth=0.5, alpha=0.4)
            axes[at].plot(
                here, medians(excess), color=colour, marker=marker, linewidth=2,
                label=labels[arm],
            )  # fmt: skip
            beads = table.where(task=task, arm=arm)
            counts = [
                np.median(beads.where(step=step).column("beads")) for step in range(len(here))
            ]
            axes[2].plot(
                range(len(here)), counts, color=colour, marker=marker,
                linestyle="--" if task == "cubic" else "-", label=f"{task}, {labels[arm]}",
            )  # fmt: skip
        axes[at].set(xscale="log", yscale="log", title=task)
        axes[at].set_xticks(levels, [f"{u:g}" for u in levels], fontsize=8)
        axes[at].set_xticks([], minor=True)
        axes[at].invert_xaxis()
        axes[at].legend(fontsize=7)
    axes[0].set(xlabel="level u (share of the variance)", ylabel="length above the distance (%)")
    axes[1].set(xlabel="level u (nats)")
    last = axes[2]
    last.set(title="beads", xlabel="level, first to last", ylabel="beads of a string (median)")
    last.set_xticks(range(max(map(len, config.tasks().values()))))
    last.set_ylim(0, 1.5 * last.get_ylim()[1])
    last.legend(fontsize=6, loc="upper left")
    title = f"Paths in sublevel sets, {config.pairs} pairs of networks"
    title_with_verdicts(figure, title, STRINGS.judged(config, table), per_line=5)


STRINGS: Final = Experiment(
    name=NAME,
    title="Paths in sublevel sets get longer as the level falls",
    source=FREEMAN_BRUNA,
    readings=(
        Reading("longer", WORDS["longer"], "consistent", judge_longer),
        Reading("equal-beads", WORDS["equal-beads"], "consistent", judge_equal_beads),
        Reading("beads", WORDS["beads"], "consistent", judge_beads),
        Reading("found", WORDS["found"], "consistent", judge_found),
        Reading("absolute", WORDS["absolute"], "inconsistent", judge_absolute),
    ),
    budgets={
        "ci": StringConfig(),
        "full": StringConfig(
            pairs=96,
            pairs_at_once=16,
            data="fashion-mnist",
            train=5000,
            width=128,
            levels=(1.0, 0.5, 0.25, 0.12, 0.06),
        ),
    },
    parts=parts,
    measure=measure,
    draw=draw,
    nulls=(
        Null("lengths in a drawn order", "longer", "consistent", _unordered(ADAPTIVE)),
        Null("lengths in a drawn order", "equal-beads", "consistent", _unordered(SEEDED)),
        Null("names of strings exchanged", "beads", "consistent", _exchanged),
        Null("the strings of every other pair fail", "found", "consistent", _unfinished),
        Null("lengths at the margin", "absolute", "inconsistent", _at_the_margin),
        Null("lengths at the margin", "absolute", "consistent", _at_the_margin),
    ),
    remarks=(
        "Lengths are upper bounds, seen at some points of each segment. A search that spent its "
        "rounds leaves its pair out of the trends and makes the reading found undecided."
    ),
)
EXPERIMENTS: Final = {NAME: STRINGS}

"""Three minima and the triangle between them: how much is flat, for natural and random labels.

Three networks are trained from independent weights on the same labels, each until its loss is first
at most the same small number, and every mean of their weights w_1, w_2, w_3 on a grid of the
simplex is evaluated on the training samples (Poggio & Liao, equation 10, Figs. 12 and 13). The
share of the grid where few samples are wrong is the flat region; the three corners belong to it in
any case and are left out. The unit is the triple of networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import log, sqrt
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
import torch
from numpy.typing import NDArray

from theorylab.experiments.data import load_dataset
from theorylab.experiments.drawing import BLUE, GREY, ORANGE, strip, title_with_verdicts
from theorylab.experiments.experiment import (
    Arrays,
    Config,
    Experiment,
    Measurements,
    Null,
    Reading,
)
from theorylab.experiments.networks.ensemble import Descent, train_ensemble
from theorylab.experiments.networks.model import Parameters, Perceptron, picked
from theorylab.experiments.sources import POGGIO_LIAO
from theorylab.experiments.studies.arms import ARMS, NATURAL, RANDOM, labels_of
from theorylab.experiments.studies.flatness_radius import evaluated
from theorylab.experiments.table import Table
from theorylab.experiments.verdict import Asserted, conclude, rank_shift
from theorylab.outcome import InputError, Observed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME: Final = "three-point-interpolation"
# Below any share of a grid that is not 0, and areas that speak against the reading.
_LEAST_SHARE: Final = 1e-4
_SMALL, _LARGE = 1e-9, 1e9
_CORNERS: Final = (
    (0.0, 0.0, (-6, 6), "$w_1$"),
    (1.0, 0.0, (-4, 6), "$w_2$"),
    (0.5, sqrt(3) / 2, (6, -6), "$w_3$"),
)

READINGS: Final = {
    "printed": "between three minima a larger share of the triangle is flat for natural labels "
    "than for random ones, on each data set tried",
    "area": "between three minima a larger area of the triangle, in units of the weights, is flat "
    "for natural labels than for random ones, on each data set tried",
}


@dataclass(frozen=True, kw_only=True)
class ThreePointConfig(Config):
    """Triples of networks of two hidden layers, so many of each arm on each data set.

    A mean of weights is flat when at most ``level`` of the training samples are wrong; guessing
    leaves nine tenths. The source gives no size: a ratio of natural to random shares, or areas,
    counts from ``least_ratio`` on, a twentieth, and is none to ``no_ratio``. ``matched`` is the
    largest ratio of the arms' losses.
    """

    experiment: ClassVar[str] = NAME

    data: tuple[str, ...] = ("digits", "mnist1d")
    train: int = 500
    triples: int = 16
    triples_at_once: int = 16
    width: int = 64
    steps: int = 8000
    rate: float = 0.1
    batch: int = 100
    stop_loss: float = 0.01
    check: int = 5
    grid: int = 18
    level: float = 0.25
    no_ratio: float = 1.0
    least_ratio: float = 1.05
    matched: float = 1.5

    def __post_init__(self) -> None:
        for name, value, least in (
            ("data", len(self.data), 1),
            ("triples", self.triples, 2),
            ("triples_at_once", self.triples_at_once, 1),
            ("grid", self.grid, 3),
        ):
            if value < least:
                raise InputError(name, value, f"it is at least {least}", "choose more")


def simplex(grid: int) -> NDArray[np.float64]:
    """The weights (l_1, l_2, l_3) of all means on a grid of the triangle, its corners included.

    >>> simplex(2).tolist()[:3], len(simplex(20))
    ([[0.0, 0.0, 1.0], [0.0, 0.5, 0.5], [0.0, 1.0, 0.0]], 231)
    """
    return np.array(
        [(i, j, grid - i - j) for i in range(grid + 1) for j in range(grid + 1 - i)]
    ) / float(grid)


def parts(config: ThreePointConfig) -> tuple[str, ...]:
    """One part for each data set, arm, and group of triples."""
    return tuple(
        f"data={data} arm={arm} triples={first}"
        for data in config.data
        for arm in ARMS
        for first in range(0, config.triples, config.triples_at_once)
    )


def measure(config: ThreePointConfig, part: str, device: str) -> Measurements:
    """One row for each triple: which share of its triangle is flat, and how large the triangle."""
    name, arm, text = (field.partition("=")[2] for field in part.split())
    triples = range(int(text), min(int(text) + config.triples_at_once, config.triples))
    nets = [3 * triple + corner for triple in triples for corner in range(3)]
    source = load_dataset(name)
    split = source.split(train=config.train, test=0, seed=config.seed).standardised()
    model = Perceptron((split.x.shape[1], config.width, config.width, split.classes))
    x = torch.tensor(split.x).to(device)
    # the three networks of a triple share their labels
    y = torch.tensor(labels_of(split, arm, config.seed, [net // 3 for net in nets])).to(device)
    trained = train_ensemble(
        model, x, y, nets, seed=config.seed, names=(NAME, name, arm), device=device,
        descent=Descent(
            config.rate, config.steps, batch=config.batch, stop_loss=config.stop_loss,
            check=config.check,
        ),
    )  # fmt: skip
    corners = [picked(trained.parameters, range(c, len(nets), 3)) for c in range(3)]
    places = simplex(config.grid)
    errors = np.stack(
        [evaluated(model, mean_of_three(corners, at), x, y[::3])[1].cpu().numpy() for at in places]
    )
    inner = places.max(1) < 1
    middle = int(np.abs(places - 1 / 3).max(1).argmin())
    losses = trained.losses.cpu().double()
    rows = [
        {
            "data": name,
            "arm": arm,
            "triple": triple,
            "diverged": bool(trained.diverged[3 * k : 3 * k + 3].any()),
            "worst_loss": float(losses[3 * k : 3 * k + 3].max()),
            "mean_log_loss": float(losses[3 * k : 3 * k + 3].log().mean()),
            "area": area_of(corners, k),
            "flat": float((errors[inner, k] <= config.level + 1e-6).mean()),
            "middle_error": float(errors[middle, k]),
            "mean_error": float(errors[inner, k].mean()),
        }
        for k, triple in enumerate(triples)
    ]
    return Measurements(rows, {"errors": errors.astype(np.float32)})


def mean_of_three(corners: Sequence[Parameters], at: NDArray[np.float64]) -> Parameters:
    """The means of the corners' weights, w_l = l_1 w_1 + l_2 w_2 + l_3 w_3."""
    a, b, c = at.tolist()
    return tuple(a * u + b * v + c * w for u, v, w in zip(*corners, strict=True))


def area_of(corners: Sequence[Parameters], k: int) -> float:
    """The area of triangle k in the space of all weights."""
    flat = [torch.cat([p[k].double().reshape(-1) for p in corner]) for corner in corners]
    u, v = flat[1] - flat[0], flat[2] - flat[0]
    square = float((u @ u) * (v @ v) - (u @ v) ** 2)
    return sqrt(square) / 2 if square > 0 else 0.0


def _gates(config: ThreePointConfig, table: Table) -> list[tuple[str, bool]]:
    losses = np.where(np.isfinite(table.column("worst_loss")), table.column("worst_loss"), np.inf)
    reached = bool((losses <= config.stop_loss).all())
    matched = reached
    for data in config.data if reached else ():
        a, b = (table.where(data=data, arm=arm).column("mean_log_loss").mean() for arm in ARMS)
        matched &= bool(abs(a - b) <= log(config.matched))
    return [("every net reached the loss", reached), ("the losses are matched", matched)]


def flat(table: Table, data: str, arm: str, scale: str) -> NDArray[np.float64]:
    """The flat share of each triple's triangle, or its area; what cannot be measured speaks
    against the reading."""
    rows = table.where(data=data, arm=arm)
    found = np.maximum(rows.column("flat"), _LEAST_SHARE)
    if scale == "area":
        found = found * rows.column("area")
    return np.where(np.isfinite(found), found, _SMALL if arm == NATURAL else _LARGE)


def _judge(scale: str) -> Callable[[ThreePointConfig, Table], Observed]:
    variant = "printed" if scale == "share" else scale

    def judge(config: ThreePointConfig, table: Table) -> Observed:
        """Whether the flat region is larger for natural labels, on every data set."""
        measured = [
            rank_shift(
                f"natural over random {scale} that is flat on {data}",
                flat(table, data, NATURAL, scale), flat(table, data, RANDOM, scale),
                Asserted.above(config.no_ratio, config.least_ratio), config.alpha, ratio=True,
            )
            for data in config.data
        ]  # fmt: skip
        return conclude(
            measured, READINGS[variant], seed=config.seed, gates=_gates(config, table),
            alpha=config.alpha,
        )  # fmt: skip

    return judge


def _shuffled(
    scale: str, counts: bool
) -> Callable[[ThreePointConfig, Table, np.random.Generator], Table]:
    """Arms in a drawn order, then natural regions larger by a ratio: on the first data set by the
    one that is none, or on all by the least that counts."""

    def draw(config: ThreePointConfig, table: Table, random: np.random.Generator) -> Table:
        sizes, areas = np.maximum(table.column("flat"), _LEAST_SHARE), table.column("area")
        values = sizes * areas if scale == "area" else sizes.copy()
        data = np.array([row["data"] for row in table])
        natural = np.array([row["arm"] == NATURAL for row in table])
        for name in config.data if counts else config.data[:1]:
            here = data == name
            values[here] = random.permutation(values[here])
            values[here & natural] *= config.least_ratio if counts else config.no_ratio
        return table.replaced("flat", values / areas if scale == "area" else values)

    return draw


def draw(config: ThreePointConfig, table: Table, arrays: Arrays, figure: Figure) -> None:
    """Training error over the triangle of one triple for each arm, and all shares and areas."""
    columns = len(config.data)
    shown = figure.subplots(2, columns + 1, width_ratios=[1] * columns + [1.1])
    places = simplex(config.grid)
    across, up = places[:, 1] + places[:, 2] / 2, places[:, 2] * sqrt(3) / 2
    filled = None
    for (line, arm), (at, data) in product(enumerate(ARMS), enumerate(config.data)):
        axes = shown[line][at]
        axes.set_aspect("equal")
        axes.set_axis_off()
        axes.set_title(f"{data}, {arm} labels", fontsize=9)
        errors = arrays.get(f"data={data} arm={arm} triples=0/errors")
        if errors is None or len(errors) != len(places):
            continue
        levels = np.linspace(0, 1, 11)
        filled = axes.tricontourf(across, up, errors[:, 0], levels=levels, cmap="cividis")
        axes.tricontour(across, up, errors[:, 0], levels=[config.level], colors="white")
        for x, y, offset, name in _CORNERS:
            axes.plot(x, y, "o", color="black", markersize=3, clip_on=False)
            axes.annotate(name, (x, y), xytext=offset, textcoords="offset points", fontsize=7)
    if filled is not None:
        bar = figure.colorbar(filled, ax=list(shown[:, :columns].ravel()), shrink=0.8)
        bar.set_label(f"training error (white line: {config.level:g})", fontsize=8)
    for axes, scale, label in zip(
        shown[:, -1], ("share", "area"), ("flat share", "flat area (weights²)"), strict=True
    ):
        for place, data in enumerate(config.data):
            for shift, (arm, colour, marker) in enumerate(
                ((NATURAL, BLUE, "o"), (RANDOM, ORANGE, "s"))
            ):
                named = arm if place == 0 and scale == "share" else None
                values = flat(table, data, arm, scale)
                strip(axes, place + 0.3 * (shift - 0.5), values, colour, marker, named)
        axes.set_xticks(range(columns), config.data, fontsize=8)
        axes.set(yscale="log", xlim=(-0.6, columns - 0.4))
        axes.set_ylabel(label, fontsize=8)
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
        axes.tick_params(axis="y", which="both", labelsize=7)
        axes.grid(axis="y", which="both", color=GREY, alpha=0.2)
    shown[0][-1].legend(fontsize=7)
    title = f"Between three minima of equal loss {config.stop_loss:g}, {config.triples} triples"
    title_with_verdicts(figure, title, THREE_POINTS.judged(config, table))


THREE_POINTS: Final = Experiment(
    name=NAME,
    title="Between three minima, natural labels leave a larger flat region than random ones",
    source=replace(POGGIO_LIAO, where="equation 10, Figs. 12 and 13"),
    readings=(
        Reading("printed", READINGS["printed"], "consistent", _judge("share")),
        Reading("area", READINGS["area"], "inconsistent", _judge("area")),
    ),
    budgets={
        "ci": ThreePointConfig(),
        "full": ThreePointConfig(
            data=("digits", "mnist1d", "mnist-5000", "fashion-mnist"), train=1000, triples=32,
            triples_at_once=8, width=128, steps=40_000, rate=0.02, grid=40,
        ),
    },
    parts=parts,
    measure=measure,
    draw=draw,
    nulls=(
        Null(
            "labels do not matter on one data set", "printed", "consistent",
            _shuffled("share", counts=False),
        ),
        Null(
            "natural shares larger by the least ratio", "printed", "inconsistent",
            _shuffled("share", counts=True),
        ),
        Null(
            "natural areas larger by the least ratio", "area", "inconsistent",
            _shuffled("area", counts=True),
        ),
    ),
    remarks=(
        "Minima of random labels lie farther apart, so that the same share is a larger area: on "
        "mnist1d the flat area is no larger for natural labels, and the printed difference there "
        "is one of distance. "
        "The corners, which are minima by choice, are not counted."
    ),
)  # fmt: skip
EXPERIMENTS: Final = {NAME: THREE_POINTS}

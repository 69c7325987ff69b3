"""Mode connectivity: how high the loss rises between independently trained networks.

Pairs of networks from independent initial values are joined by the straight line, by the line
after the hidden units of one are permuted to resemble those of the other, and by a Bezier curve
whose middle point is trained. Heights are those above the chord of the end losses, on the whole
training set, in loss and in error. The theory compared: sublevel sets of wide networks are
connected though not convex (Freeman & Bruna 2017, Theorem 2.4; Draxler et al. and Garipov et al.
2018), so a line may rise and a curve need not. A path that was not found says nothing: no reading
says "disconnected".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from theorylab.experiments.data import load_dataset
from theorylab.experiments.drawing import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    medians,
    strip,
    title_with_verdicts,
)
from theorylab.experiments.experiment import (
    Arrays,
    Config,
    Experiment,
    Measurements,
    Null,
    Reading,
)
from theorylab.experiments.networks.curves import Bending, Curve, Profile, bezier, matched, profile
from theorylab.experiments.networks.ensemble import Descent, train_ensemble
from theorylab.experiments.networks.model import Parameters, Perceptron, picked
from theorylab.experiments.sources import GARIPOV
from theorylab.experiments.table import Table
from theorylab.experiments.verdict import Asserted, conclude, rank_shift, signed_ranks
from theorylab.outcome import InputError, Observed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAME: Final = "mode-connectivity"
CURVES: Final = ("linear", "matched", "bezier")
_LOSS: Final = "cross-entropy"
# Nats: the height of a curve whose ends diverged, above that of guessing among any 1,000 classes.
_DIVERGED: Final = 10.0


READINGS: Final = {
    "wall": "the straight line between independent solutions leads over a wall",
    "joined": "a curve between the same solutions stays low",
    "permutation": "permuting the hidden units of one solution lowers the wall",
    "width": "the wall is lower in wider networks",
}


@dataclass(frozen=True, kw_only=True)
class ConnectivityConfig(Config):
    """Pairs of networks of two hidden layers, at several widths.

    ``wall`` and ``error_wall`` are the least heights of a straight line that count as a wall, in
    nats and in share of wrong answers; ``joined`` and ``error_joined`` the largest heights at
    which a curve joins. The grey zone reaches down to a quarter of a wall, and a curve that joins
    is said to stay below half of its bound. ``gain`` is the least that matching is said to take
    off, ``fall`` the least ratio of the heights at successive widths. A wall of 0.4 nats is some
    hundred times the end losses.
    """

    experiment: ClassVar[str] = NAME

    data: str = "digits"
    train: int = 1000
    pairs: int = 20
    pairs_at_once: int = 20
    widths: tuple[int, ...] = (16, 64)
    batch_norm: bool = False
    steps: int = 800
    rate: float = 0.05
    batch: int = 100
    bending_steps: int = 400
    bending_rate: float = 0.05
    points: int = 25
    fitted: float = 0.02
    wall: float = 0.4
    error_wall: float = 0.1
    joined: float = 0.2
    error_joined: float = 0.05
    gain: float = 0.3
    fall: float = 1.4

    def __post_init__(self) -> None:
        for name, value, least in (
            ("pairs", self.pairs, 1),
            ("pairs_at_once", self.pairs_at_once, 1),
            ("widths", min(self.widths, default=0), 1),
            ("points", self.points, 3),
        ):
            if value < least:
                rule = f"it is at least {least}"
                raise InputError(name, value, rule, "choose more")


def parts(config: ConnectivityConfig) -> tuple[str, ...]:
    """One part for each width and each group of pairs."""
    groups = range(0, config.pairs, config.pairs_at_once)
    return tuple(f"width={w} pairs={first}" for w in config.widths for first in groups)


def measure(config: ConnectivityConfig, part: str, device: str) -> Measurements:
    """One row for each pair: the heights of its three curves, and how well its ends are fitted."""
    width, first = (int(field.partition("=")[2]) for field in part.split())
    pairs = range(first, min(first + config.pairs_at_once, config.pairs))
    data = load_dataset(config.data)
    split = data.split(train=config.train, seed=config.seed).standardised()
    x, y = torch.tensor(split.x).to(device), torch.tensor(split.y).to(device)
    widths = (x.shape[1], width, width, data.classes)
    model = Perceptron(widths, batch_norm=config.batch_norm)
    nets = [2 * pair + end for pair in pairs for end in (0, 1)]
    names = (NAME, f"width {width}")
    trained = train_ensemble(
        model, x, y, nets, seed=config.seed, names=names, device=device,
        descent=Descent(config.rate, config.steps, batch=config.batch),
    )  # fmt: skip
    a = picked(trained.parameters, range(0, len(nets), 2))
    b = picked(trained.parameters, range(1, len(nets), 2))
    bending = Bending(config.bending_steps, config.bending_rate, batch=config.batch)
    with torch.no_grad():
        curves = {
            "linear": Curve((a, b)),
            "matched": Curve((a, matched(a, b))),
            "bezier": bezier(
                model, a, b, x, y, _LOSS,
                seed=config.seed, nets=pairs, names=names, bending=bending,
            ),
        }  # fmt: skip
        found = {
            name: profile(model, curve, x, y, _LOSS, config.points)
            for name, curve in curves.items()
        }
    rows = [
        {
            "width": width,
            "pair": pair,
            "diverged": bool(trained.diverged[2 * k : 2 * k + 2].any()),
            "end_loss": _worse(trained.losses, k),
            "end_error": _worse(trained.errors, k),
            "distance": _distance(a, b, k),
            **{name: float(p.barrier[k]) for name, p in found.items()},
            **{f"{name}_error": float(p.error_barrier[k]) for name, p in found.items()},
        }
        for k, pair in enumerate(pairs)
    ]
    return Measurements(rows, _arrays(found))


def _worse(values: Tensor, pair: int) -> float:
    return float(values[2 * pair : 2 * pair + 2].max())


def _distance(a: Parameters, b: Parameters, k: int) -> float:
    return float(sum(((p[k] - q[k]).double() ** 2).sum() for p, q in zip(a, b, strict=True)) ** 0.5)


def _arrays(found: dict[str, Profile]) -> dict[str, NDArray[Any]]:
    """The losses [T, K] along the curves, in the precision of a drawing."""
    return {name: p.losses.numpy().astype(np.float32) for name, p in found.items()}


def _heights(table: Table, width: int, name: str, missing: float) -> NDArray[np.float64]:
    """The heights at a width; pairs that diverged have the one that speaks against the reading."""
    found = table.where(width=width).column(name)
    return np.where(np.isfinite(found), found, missing)


def _fitted(config: ConnectivityConfig, table: Table) -> tuple[str, bool]:
    return "every net is fitted", bool((table.column("end_error") <= config.fitted).all())


def judge_wall(config: ConnectivityConfig, table: Table) -> Observed:
    """Whether straight lines rise at every width, in loss and in error."""
    measured = []
    for width in config.widths:
        for name, least in (("linear", config.wall), ("linear_error", config.error_wall)):
            asserted = Asserted.above(least / 4, least)
            heights = _heights(table, width, name, 0.0)
            measured.append(
                signed_ranks(f"{name} at width {width}", heights, asserted, config.alpha)
            )
    gates = [_fitted(config, table)]
    return conclude(measured, READINGS["wall"], seed=config.seed, gates=gates, alpha=config.alpha)


def judge_joined(config: ConnectivityConfig, table: Table) -> Observed:
    """Whether the curves stay low, and lower than the lines, at every width."""
    measured = []
    bounds = (
        ("", config.joined, config.wall, _DIVERGED),
        ("_error", config.error_joined, config.error_wall, 1.0),
    )
    for width, (mark, bound, wall, missing) in product(config.widths, bounds):
        curve = _heights(table, width, f"bezier{mark}", missing)
        line = _heights(table, width, f"linear{mark}", 0.0)
        low, lower = Asserted.below(bound, bound / 2), Asserted.above(0.0, wall - bound / 2)
        name = f"bezier{mark} at width {width}"
        measured.append(signed_ranks(name, curve, low, config.alpha))
        name = f"linear{mark} - bezier{mark} at width {width}"
        measured.append(signed_ranks(name, line - curve, lower, config.alpha))
    gates = [_fitted(config, table)]
    return conclude(measured, READINGS["joined"], seed=config.seed, gates=gates, alpha=config.alpha)


def judge_permutation(config: ConnectivityConfig, table: Table) -> Observed:
    """Whether matching the units takes a part of the wall away, at every width."""
    asserted = Asserted.above(0.0, config.gain)
    measured = [
        signed_ranks(
            f"linear - matched at width {width}",
            _heights(table, width, "linear", 0.0) - _heights(table, width, "matched", 0.0),
            asserted, config.alpha,
        )
        for width in config.widths
    ]  # fmt: skip
    gates = [_fitted(config, table)]
    words = READINGS["permutation"]
    return conclude(measured, words, seed=config.seed, gates=gates, alpha=config.alpha)


def judge_width(config: ConnectivityConfig, table: Table) -> Observed:
    """Whether the straight lines rise less at the larger width."""
    asserted = Asserted.above(1.0, config.fall)
    measured = [
        rank_shift(
            f"linear at width {narrow} over {wide}",
            _heights(table, narrow, "linear", 1e-6), _heights(table, wide, "linear", 1e6),
            asserted, config.alpha, ratio=True,
        )
        for narrow, wide in pairwise(config.widths)
    ]  # fmt: skip
    gates = [_fitted(config, table)]
    return conclude(measured, READINGS["width"], seed=config.seed, gates=gates, alpha=config.alpha)


def _mirrored(
    columns: tuple[str, ...], bound: str, factor: float, every: bool
) -> Callable[[ConnectivityConfig, Table, np.random.Generator], Table]:
    """Heights whose centre is a bound at every width, or at the first: mirrored about it."""

    def draw(config: ConnectivityConfig, table: Table, random: np.random.Generator) -> Table:
        for column in columns:
            mark = "error_" if column.endswith("_error") else ""
            centre, cells = factor * float(getattr(config, mark + bound)), table.column(column)
            for width in config.widths if every else config.widths[:1]:
                here = table.column("width") == width
                off = cells[here] - np.nanmedian(cells[here])
                cells[here] = centre + random.choice((-1.0, 1.0), len(off)) * off
            table = table.replaced(column, cells)
        return table

    return draw


def _exchanged(config: ConnectivityConfig, table: Table, random: np.random.Generator) -> Table:
    """The line and the matched line of some pairs have changed names at the first width."""
    change = (table.column("width") == config.widths[0]) & (random.random(len(table)) < 0.5)
    line, other = table.column("linear"), table.column("matched")
    changed = table.replaced("linear", np.where(change, other, line))
    return changed.replaced("matched", np.where(change, line, other))


def _shuffled(config: ConnectivityConfig, table: Table, random: np.random.Generator) -> Table:
    """The widths belong to the pairs in a drawn order."""
    return table.replaced("width", random.permutation(table.column("width").astype(int)))


def draw(config: ConnectivityConfig, table: Table, arrays: Arrays, figure: Figure) -> None:
    """The loss along the three curves at each width, and all heights beside each other."""
    shown = config.widths[:3]
    axes = figure.subplots(1, len(shown) + 1, width_ratios=[1] * len(shown) + [1.15])
    styles = dict(zip(CURVES, ((ORANGE, "o"), (GREEN, "s"), (BLUE, "^")), strict=True))
    labels = dict(zip(CURVES, ("straight line", "after matching", "Bezier curve"), strict=True))
    highest = 0.0
    for at, width in enumerate(shown):
        for name, (colour, _) in styles.items():
            groups = [a for key, a in arrays.items() if _is_of(key, width, name)]
            if not groups:
                continue
            losses = np.concatenate(groups, 1)
            t = np.linspace(0, 1, len(losses))
            axes[at].plot(t, losses, color=colour, linewidth=0.5, alpha=0.35)
            axes[at].plot(t, medians(losses.T), color=colour, linewidth=2, label=labels[name])
            highest = max(highest, float(np.nanmax(np.where(np.isinf(losses), 0, losses))))
        axes[at].set(title=f"width {width}", xlabel="place t on the curve")
    for at in range(len(shown)):
        axes[at].set_ylim(0, 1.05 * highest or None)
    axes[0].set_ylabel("training loss (nats)")
    axes[len(shown) - 1].legend(fontsize=8, loc="upper right")
    last: Axes = axes[-1]
    for place, width in enumerate(config.widths):
        for shift, (name, (colour, marker)) in enumerate(styles.items()):
            values = table.where(width=width).column(name)
            strip(last, place + 0.28 * (shift - 1), np.maximum(values, 1e-4), colour, marker)
    last.axhline(config.wall, color=GREY, linestyle="--", linewidth=1)
    last.text(-0.45, config.wall * 1.07, "wall", fontsize=7, color=GREY)
    last.set_xticks(range(len(config.widths)), [str(w) for w in config.widths])
    last.set(yscale="log", xlabel="width", ylabel="height above the chord (nats)", title="heights")
    title = f"Between independent solutions, {config.data}, {config.pairs} pairs"
    title_with_verdicts(figure, title, MODE_CONNECTIVITY.judged(config, table))


def _is_of(key: str, width: int, name: str) -> bool:
    part, _, array = key.rpartition("/")
    return array == name and part.split()[0] == f"width={width}"


MODE_CONNECTIVITY: Final = Experiment(
    name=NAME,
    title="Independent solutions are parted on the straight line and joined by a curve",
    source=GARIPOV,
    readings=(
        Reading("wall", READINGS["wall"], "consistent", judge_wall),
        Reading("joined", READINGS["joined"], "consistent", judge_joined),
        Reading("permutation", READINGS["permutation"], "consistent", judge_permutation),
        Reading("width", READINGS["width"], "consistent", judge_width),
    ),
    budgets={
        "ci": ConnectivityConfig(),
        "full": ConnectivityConfig(
            data="fashion-mnist", train=20_000, pairs=32, pairs_at_once=8,
            widths=(16, 64, 256, 1024), steps=12_000, bending_steps=8_000, batch=128, fitted=0.1,
        ),
    },
    parts=parts,
    measure=measure,
    draw=draw,
    nulls=(
        Null(
            "loss walls at the far end of the grey zone, one width", "wall", "consistent",
            _mirrored(("linear",), "wall", 0.25, every=False),
        ),
        Null(
            "walls of exactly the smallest size", "wall", "inconsistent",
            _mirrored(("linear", "linear_error"), "wall", 1.0, every=True),
        ),
        Null(
            "curves as high as the bound, one width", "joined", "consistent",
            _mirrored(("bezier",), "joined", 1.0, every=False),
        ),
        Null(
            "curves of exactly half the bound", "joined", "inconsistent",
            _mirrored(("bezier", "bezier_error"), "joined", 0.5, every=True),
        ),
        Null("matching changes nothing, one width", "permutation", "consistent", _exchanged),
        Null("width changes nothing", "width", "consistent", _shuffled),
    ),
    remarks=(
        "The heights are maxima over a grid of places. A curve that stays low was found by "
        "training; had none been found, that would say nothing. With batch normalisation the "
        "statistics are taken anew at every place of a curve, from the samples it is looked at on."
    ),
)  # fmt: skip
EXPERIMENTS: Final = {NAME: MODE_CONNECTIVITY}

"""SGDL, that is SGD with Gaussian noise of constant power added to every step, against SGD.

Network k has the same split of the data, the same first weights and the same minibatches with and
without noise, so that what is compared is a difference within pairs: test accuracy with noise less
test accuracy without. "Better" is read where the statement has its best chance, at the noise that
does best on validation data. Poggio & Liao, Theory II, equation (5) and Fig. 7.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
import torch
from numpy.typing import NDArray

from theorylab.experiments.data import load_dataset
from theorylab.experiments.drawing import BLUE, GREY, ORANGE, title_with_verdicts
from theorylab.experiments.experiment import (
    Arrays,
    Config,
    Experiment,
    Measurements,
    Null,
    Reading,
)
from theorylab.experiments.networks.ensemble import Descent, train_ensemble
from theorylab.experiments.networks.model import Perceptron
from theorylab.experiments.seeds import child
from theorylab.experiments.sources import POGGIO_LIAO
from theorylab.experiments.table import Table
from theorylab.experiments.verdict import Asserted, Measured, conclude, mean_of
from theorylab.outcome import InputError, Observed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME: Final = "sgdl-matches-sgd"
_FIELDS: Final = ("x", "y", "x_validation", "y_validation", "x_test", "y_test")

READINGS: Final = {
    "printed": "SGD with added noise classifies slightly better than SGD",
    "as-well": "SGD with little added noise classifies as well as SGD",
    "large-noise-hurts": "SGD with much added noise classifies worse than SGD",
}


@dataclass(frozen=True, kw_only=True)
class DescentConfig(Config):
    """Pairs of trained networks; the noise is the deviation added to each weight at each step.

    ``little`` noises and the ``large`` ones are those that the readings name, all of them compete
    to be the best. ``slight`` is the least gain in test accuracy that is one: half a point, a fifth
    of SGD's errors here and hardly visible in a figure. ``margin`` is what counts as equal.
    """

    experiment: ClassVar[str] = NAME

    data: str = "digits"
    train: int = 1000
    validation: int = 300
    pairs: int = 24
    pairs_at_once: int = 24
    hidden: tuple[int, ...] = (64, 64)
    steps: int = 500
    rate: float = 0.05
    batch: int = 100
    little: tuple[float, ...] = (1e-4, 1e-3)
    middle: tuple[float, ...] = (3e-3,)
    large: tuple[float, ...] = (1e-2,)
    slight: float = 0.005
    margin: float = 0.01
    fitted: float = 0.01

    def __post_init__(self) -> None:
        noises = self.noises
        for name, value, fits, rule in (
            ("pairs", self.pairs, self.pairs >= 2, "there are at least 2 pairs"),
            ("pairs_at_once", self.pairs_at_once, self.pairs_at_once >= 1, "at least 1 at a time"),
            ("validation", self.validation, self.validation >= 1, "the noise is picked on some"),
            ("little", noises, bool(self.little and self.large), "some noises are named"),
            ("noises", noises, min(noises, default=1.0) > 0 and len(set(noises)) == len(noises),
             "the noises are positive and different"),
        ):  # fmt: skip
            if not fits:
                raise InputError(name, value, rule, "choose others")

    @property
    def noises(self) -> tuple[float, ...]:
        """All noises but none."""
        return (*self.little, *self.middle, *self.large)


def parts(config: DescentConfig) -> tuple[str, ...]:
    """One part for each noise, none first, and each group of pairs."""
    return tuple(_pieces(config))


def _pieces(config: DescentConfig) -> dict[str, tuple[float, int]]:
    return {
        f"noise={noise:g} pairs from {first}": (noise, first)
        for noise in (0.0, *config.noises)
        for first in range(0, config.pairs, config.pairs_at_once)
    }


def measure(config: DescentConfig, part: str, device: str) -> Measurements:
    """One row for each network."""
    noise, first = _pieces(config)[part]
    pairs = range(first, min(first + config.pairs_at_once, config.pairs))
    data = load_dataset(config.data)
    # each pair has its own split: pairs are independent draws of data and weights
    drawn = [int(child(config.seed, NAME, "split", k).generate_state(1)[0]) for k in pairs]
    splits = [data.split(config.train, config.validation, seed=s).standardised() for s in drawn]
    x, y, x_validation, y_validation, x_test, y_test = (
        torch.tensor(np.stack([getattr(split, name) for split in splits])).to(device)
        for name in _FIELDS
    )
    model = Perceptron((x.shape[2], *config.hidden, data.classes))
    trained = train_ensemble(
        model, x, y, pairs, seed=config.seed, names=(NAME,), device=device,
        descent=Descent(config.rate, config.steps, batch=config.batch, noise=noise),
    )  # fmt: skip
    accuracies = []
    for inputs, labels in ((x_validation, y_validation), (x_test, y_test)):
        right = (model.outputs(trained.parameters, inputs).argmax(2) == labels).double().mean(1)
        # a net that diverged guesses
        chance = torch.full_like(right, 1 / data.classes)
        accuracies.append(torch.where(trained.diverged, chance, right).tolist())
    rows = [
        {
            "noise": noise,
            "pair": pair,
            "diverged": bool(trained.diverged[k]),
            "train_loss": float(trained.losses[k]),
            "train_error": float(trained.errors[k]),
            "validation": accuracies[0][k],
            "test": accuracies[1][k],
        }
        for k, pair in enumerate(pairs)
    ]
    return Measurements(rows)


def _of_pairs(table: Table, noise: float, column: str) -> NDArray[np.float64]:
    rows = sorted(table.where(noise=noise), key=lambda row: float(row["pair"] or 0))
    return Table(tuple(rows)).column(column)


def gains(table: Table, noise: float) -> NDArray[np.float64]:
    """The test accuracy with this noise less that without, pair by pair."""
    return _of_pairs(table, noise, "test") - _of_pairs(table, 0.0, "test")


def picked_noise(config: DescentConfig, table: Table) -> float:
    """The positive noise with the best mean validation accuracy."""
    means = [float(_of_pairs(table, noise, "validation").mean()) for noise in config.noises]
    return config.noises[int(np.argmax(means))]


def _gain(config: DescentConfig, table: Table, noise: float, asserted: Asserted) -> Measured:
    lost = int(_of_pairs(table, noise, "diverged").sum())
    found = mean_of(f"gain at noise {noise:g}", gains(table, noise), asserted, config.alpha)
    return replace(found, remark=f"{lost} of {found.n} diverged" if lost else "")


def _concluded(
    config: DescentConfig, table: Table, variant: str, measured: list[Measured]
) -> Observed:
    fitted = float(_of_pairs(table, 0.0, "train_error").mean()) <= config.fitted
    gates = [("SGD fits", fitted)]
    words = READINGS[variant]
    return conclude(measured, words, seed=config.seed, gates=gates, alpha=config.alpha)


def judge_better(config: DescentConfig, table: Table) -> Observed:
    """A gain at the noise that is best on validation data."""
    asserted = Asserted.above(0.0, config.slight)
    best = _gain(config, table, picked_noise(config, table), asserted)
    return _concluded(config, table, "printed", [best])


def judge_equal(config: DescentConfig, table: Table) -> Observed:
    """Equivalence at every little noise."""
    asserted = Asserted.within(-config.margin, config.margin)
    found = [_gain(config, table, noise, asserted) for noise in config.little]
    return _concluded(config, table, "as-well", found)


def judge_worse(config: DescentConfig, table: Table) -> Observed:
    """A loss at every large noise."""
    asserted = Asserted.below(0.0, -config.margin)
    found = [_gain(config, table, noise, asserted) for noise in config.large]
    return _concluded(config, table, "large-noise-hurts", found)


def _planted(
    table: Table, draw: np.random.Generator, noise: float, gain: float, column: str = "test"
) -> Table:
    """The table with this mean gain at a noise: the measured residuals get signs by chance."""
    base = _of_pairs(table, 0.0, column)
    measured = _of_pairs(table, noise, column) - base
    residuals = (measured - measured.mean()) * sqrt(len(base) / (len(base) - 1))
    new = base + gain + residuals * draw.choice((-1.0, 1.0), len(base))
    order = sorted(row["pair"] for row in table.where(noise=noise))  # type: ignore[type-var]
    cells = dict(zip(order, new, strict=True))
    return table.replaced(
        column, [cells[row["pair"]] if row["noise"] == noise else row[column] for row in table]
    )


def _no_gain(config: DescentConfig, table: Table, draw: np.random.Generator) -> Table:
    """No noise helps or hurts, on validation data neither: the best is picked by chance."""
    for noise in config.noises:
        for column in ("validation", "test"):
            table = _planted(table, draw, noise, 0.0, column)
    return table


def _slight_gain(config: DescentConfig, table: Table, draw: np.random.Generator) -> Table:
    for noise in config.noises:
        table = _planted(table, draw, noise, config.slight)
    return table


def _unequal(config: DescentConfig, table: Table, draw: np.random.Generator) -> Table:
    return _planted(table, draw, config.little[-1], -config.margin)


def _harmless(config: DescentConfig, table: Table, draw: np.random.Generator) -> Table:
    return _planted(table, draw, config.large[0], 0.0)


NULLS: Final = (
    Null("no noise helps", "printed", "consistent", _no_gain),
    Null("every noise helps slightly", "printed", "inconsistent", _slight_gain),
    Null("little noise costs the margin", "as-well", "consistent", _unequal),
    Null("large noise does nothing", "large-noise-hurts", "consistent", _harmless),
)


def draw(config: DescentConfig, table: Table, arrays: Arrays, figure: Figure) -> None:
    """Gain against noise, in points of test accuracy: each pair, mean and interval."""
    panel = figure.subplots()
    margin, slight = 100 * config.margin, 100 * config.slight
    panel.axhspan(-margin, margin, color=BLUE, alpha=0.12, linewidth=0,
                  label=f"as well: within {margin:g} point{'s' * (margin > 1)}")  # fmt: skip
    panel.axhline(slight, color=GREY, linestyle="--", linewidth=1,
                  label=f"slightly better: {slight:g} points")  # fmt: skip
    panel.axhline(0, color=GREY, linewidth=0.8)
    best = picked_noise(config, table)
    lows = []
    for place, noise in enumerate(config.noises):
        gained = 100 * gains(table, noise)
        shown = np.sort(gained)
        panel.plot(place + np.linspace(-0.2, 0.2, len(shown)), shown, ".", color=GREY, alpha=0.6,
                   markersize=5, label="a pair" if place == 0 else None)  # fmt: skip
        asserted = Asserted.above(0.0, config.slight)
        found = _gain(config, table, noise, asserted)
        low, high = (100 * end for end in found.interval)
        mean = 100 * found.effect
        lows.append(min(low, float(shown[0])))
        panel.errorbar(
            place, mean, [[mean - low], [high - mean]], fmt="D", color=ORANGE, markersize=6,
            linewidth=2, capsize=4,
            label=f"mean, {1 - config.alpha:.0%} interval" if place == 0 else None,
        )  # fmt: skip
    panel.set_ylim(max(min(lows) - 0.5, -12.0), None)
    labels = [f"{noise:g}" + (" (best)" if noise == best else "") for noise in config.noises]
    panel.set_xticks(range(len(labels)), labels)
    panel.set_xlabel("deviation of the noise added to each weight at each step")
    panel.set_ylabel("test accuracy less SGD's (points)")
    panel.legend(fontsize=8, loc="lower left")
    judged = EXPERIMENTS[NAME].judged(config, table)
    title_with_verdicts(
        figure, "SGD with added Gaussian noise, against the same runs of SGD", judged
    )


EXPERIMENTS: Final = {
    NAME: Experiment(
        name=NAME,
        title="Whether SGD with added Gaussian noise does as well as SGD, or better",
        source=replace(POGGIO_LIAO, where="equation (5), Fig. 7"),
        readings=(
            Reading("printed", READINGS["printed"], "inconsistent", judge_better),
            Reading("as-well", READINGS["as-well"], "consistent", judge_equal),
            Reading("large-noise-hurts", READINGS["large-noise-hurts"], "consistent", judge_worse),
        ),
        budgets={
            "ci": DescentConfig(),
            "full": DescentConfig(
                data="fashion-mnist", train=12000, validation=3000, pairs=32, pairs_at_once=8,
                hidden=(256, 256), steps=6000,
            ),
        },
        parts=parts,
        measure=measure,
        draw=draw,
        nulls=NULLS,
        remarks="The noise has constant power, as in Fig. 7; in equation (5) it goes to zero, and "
        "any noise that vanishes early enough equals SGD.",
    )
}  # fmt: skip

"""Random labels: do overparametrised networks fit labels that mean nothing, without one error?

Each network gets the training labels in a drawn order of its own and is trained until its loss is
at most log(2)/n: a sample that is wrong has a loss of log 2 at least, so none of the n is wrong.
The count is exact. Compared with Zhang et al. 2017 and Poggio & Liao, section 8, and with the
reading that more weights than samples are enough: a network with barely more gets the same
training. That it is not fitted says nothing about weights that training did not find.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log
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
from theorylab.experiments.sources import ZHANG
from theorylab.experiments.studies.arms import RANDOM, cells_of, labels_of
from theorylab.experiments.table import Table
from theorylab.experiments.verdict import Asserted, conclude, share
from theorylab.outcome import InputError, Observed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME: Final = "random-labels-fit"
WIDE: Final = "wide"
BARELY: Final = "barely"

READINGS: Final = {
    "printed": "stochastic gradient descent fits random labels without an error in every network "
    "that has many more weights than there are samples",
    "barely": "the same training does so in every network that has more weights than there are "
    "samples, however few more",
}


@dataclass(frozen=True, kw_only=True)
class RandomLabelsConfig(Config):
    """Networks on labels in drawn orders: wide ones of two hidden layers, and barely wide ones.

    These have one hidden layer, the narrowest with more weights than samples. A statement on every
    network is shown when more than ``most`` of them keep it, and is wrong at the first that does
    not. ``many`` is the least ratio of weights to samples of the wide ones.
    """

    experiment: ClassVar[str] = NAME

    data: tuple[str, ...] = ("digits", "mnist1d")
    train: int = 500
    nets: int = 22
    barely_nets: int = 22
    nets_at_once: int = 22
    width: int = 64
    steps: int = 2500
    rate: float = 0.1
    batch: int = 100
    check: int = 50
    curve: int = 24
    most: float = 0.8
    many: float = 10.0

    def __post_init__(self) -> None:
        for name, value, least in (
            ("data", len(self.data), 1),
            ("nets", self.nets, 1),
            ("barely_nets", self.barely_nets, 1),
            ("nets_at_once", self.nets_at_once, 1),
            ("curve", self.curve, 2),
        ):
            if value < least:
                raise InputError(name, value, f"it is at least {least}", "choose more")

    @property
    def stop_loss(self) -> float:
        """A mean loss at which no sample can be wrong."""
        return log(2) / self.train

    @property
    def looks(self) -> tuple[int, ...]:
        """The steps at which the curve of errors is recorded."""
        spaced = np.geomspace(1, self.steps, self.curve - 1).round().astype(int)
        return (0, *(int(step) for step in np.unique(spaced)))


def architecture(config: RandomLabelsConfig, arm: str, inputs: int, classes: int) -> Perceptron:
    """The wide network, or the narrowest of one hidden layer with more weights than samples.

    >>> model = architecture(RandomLabelsConfig(), "barely", 64, 10)
    >>> model.widths, model.parameter_count
    ((64, 7, 10), 535)
    """
    if arm == WIDE:
        return Perceptron((inputs, config.width, config.width, classes))
    width = max(1, (config.train - classes) // (inputs + 1 + classes) + 1)
    return Perceptron((inputs, width, classes))


def parts(config: RandomLabelsConfig) -> tuple[str, ...]:
    """One part for each data set, arm, and group of nets."""
    return tuple(
        f"data={data} arm={arm} nets={first}"
        for data in config.data
        for arm, count in ((WIDE, config.nets), (BARELY, config.barely_nets))
        for first in range(0, count, config.nets_at_once)
    )


def measure(config: RandomLabelsConfig, part: str, device: str) -> Measurements:
    """One row for each net: how many samples are wrong in the end, and after how many steps."""
    name, arm, text = (field.partition("=")[2] for field in part.split())
    count = config.nets if arm == WIDE else config.barely_nets
    nets = range(int(text), min(int(text) + config.nets_at_once, count))
    source = load_dataset(name)
    split = source.split(train=config.train, test=0, seed=config.seed).standardised()
    model = architecture(config, arm, split.x.shape[1], split.classes)
    trained = train_ensemble(
        model, torch.tensor(split.x), torch.tensor(labels_of(split, RANDOM, config.seed, nets)),
        nets, seed=config.seed, names=(NAME, name, arm), device=device,
        descent=Descent(
            config.rate, config.steps, batch=config.batch, stop_loss=config.stop_loss,
            check=config.check, record=config.looks,
        ),
    )  # fmt: skip
    rows = [
        {
            "data": name,
            "arm": arm,
            "net": net,
            "parameters": model.parameter_count,
            "samples": config.train,
            **cells_of(trained, k, config.train),
        }
        for k, net in enumerate(nets)
    ]
    curves = torch.stack([record.errors for record in trained.records]).cpu().numpy()
    return Measurements(rows, {"errors": curves.astype(np.float32)})


def _judge(variant: str, arm: str) -> Callable[[RandomLabelsConfig, Table], Observed]:
    def judge(config: RandomLabelsConfig, table: Table) -> Observed:
        """How many networks of the arm have no sample wrong."""
        least = config.many if arm == WIDE else 1.0
        measured, wide_enough = [], True
        for data in config.data:
            rows = table.where(data=data, arm=arm)
            fitted = int((rows.column("wrong") == 0).sum())
            ratio = rows.column("parameters") / rows.column("samples")
            wide_enough &= bool((ratio > least).all())
            measured.append(
                share(
                    f"share of networks without an error on {data}", fitted, len(rows),
                    Asserted.above(config.most, 1.0), config.alpha,
                )
            )  # fmt: skip
        gates = [(f"weights over samples exceed {least:g}", wide_enough)]
        return conclude(
            measured, READINGS[variant], seed=config.seed, gates=gates, alpha=config.alpha
        )

    return judge


def _fallible(
    arm: str,
) -> Callable[[RandomLabelsConfig, Table, np.random.Generator], Table]:
    """Of the arm's networks on the first data set, ``most`` in the mean are fitted."""

    def draw(config: RandomLabelsConfig, table: Table, random: np.random.Generator) -> Table:
        wrong = table.column("wrong")
        for at, row in enumerate(table):
            if row["arm"] == arm:
                fails = row["data"] == config.data[0] and random.random() >= config.most
                wrong[at] = int(fails)
        return table.replaced("wrong", wrong.astype(int))

    return draw


def draw(config: RandomLabelsConfig, table: Table, arrays: Arrays, figure: Figure) -> None:
    """The training error of every network against the steps."""
    axes = figure.subplots(1, len(config.data), sharey=True, squeeze=False)[0]
    styles = ((WIDE, BLUE, "-", "o"), (BARELY, ORANGE, "--", "s"))
    looks = np.maximum(np.array(config.looks), 0.7)
    for panel, data in zip(axes, config.data, strict=True):
        for arm, colour, line, marker in styles:
            rows = table.where(data=data, arm=arm)
            errors = _curves(arrays, data, arm)
            if errors is None or not len(rows):
                continue
            panel.plot(looks, errors, color=colour, linewidth=0.4, alpha=0.4)
            fitted = int((rows.column("wrong") == 0).sum())
            ratio = rows.column("parameters")[0] / rows.column("samples")[0]
            label = f"{ratio:.3g} weights a sample:\n{fitted} of {len(rows)} without error"
            panel.plot(
                looks, np.median(errors, 1), line, color=colour, marker=marker, markersize=3,
                label=label,
            )  # fmt: skip
        panel.axhline(0, color=GREY, linewidth=0.8)
        panel.set(xscale="log", xlabel="steps", title=data)
        panel.set_xticks([0.7, 10, 100, 1000], ["0", "10", "100", "1000"])
        panel.legend(fontsize=7, loc="lower left", bbox_to_anchor=(0.0, 0.06))
    axes[0].set_ylabel("training error on random labels")
    title = f"Networks trained on {config.train} random labels"
    title_with_verdicts(figure, title, RANDOM_LABELS.judged(config, table))


def _curves(arrays: Arrays, data: str, arm: str) -> NDArray[np.float64] | None:
    mark = f"data={data} arm={arm} "
    found = [a for key, a in arrays.items() if key.startswith(mark)]
    return np.concatenate(found, 1) if found else None


RANDOM_LABELS: Final = Experiment(
    name=NAME,
    title="Overparametrised networks fit random labels without error",
    source=ZHANG,
    readings=(
        Reading("printed", READINGS["printed"], "consistent", _judge("printed", WIDE)),
        Reading("barely", READINGS["barely"], "inconsistent", _judge("barely", BARELY)),
    ),
    budgets={
        "ci": RandomLabelsConfig(),
        "full": RandomLabelsConfig(
            data=("digits", "mnist1d", "mnist-5000", "fashion-mnist"),
            train=1500, nets=64, barely_nets=64, nets_at_once=32, width=256, steps=40_000,
            rate=0.03,
        ),
    },
    parts=parts,
    measure=measure,
    draw=draw,
    nulls=(
        Null("some wide networks are not fitted", "printed", "consistent", _fallible(WIDE)),
        Null("some barely wide ones are not fitted", "barely", "consistent", _fallible(BARELY)),
    ),
    remarks=(
        "The statement is one of this training on so many samples. Networks with barely more "
        "weights than samples are left with a third of them wrong or more, on digits even "
        "after 16 times as many steps; whether they have weights that fit is not asked."
    ),
)  # fmt: skip
EXPERIMENTS: Final = {NAME: RANDOM_LABELS}

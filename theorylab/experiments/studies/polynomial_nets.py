"""Polynomials in the place of ReLU: does a network of them classify as well as one with ReLU?

Each arm has an activation: ReLU, the expansion of ReLU in Legendre polynomials on [-R, R] (of all
polynomials of its degree the nearest in L2), the square, the identity. Network k of every arm has
the same split of the data, the same first weights and the same minibatches; each arm trains at
several rates, and the one with the best mean validation accuracy is read. A network that diverged
counts as one that guesses. What is compared is the test accuracy, by equivalence: "no significant
difference" would be no argument. Poggio & Liao, Theory II, Fig. 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import sqrt
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
import torch
from numpy.polynomial import Polynomial
from numpy.typing import NDArray
from torch import Tensor

from theorylab.experiments.data import load_dataset
from theorylab.experiments.data.labelled import Labelled, Split
from theorylab.experiments.drawing import BLUE, GREY, ORANGE, title_with_verdicts
from theorylab.experiments.experiment import (
    Arrays,
    Config,
    Experiment,
    Measurements,
    Null,
    Reading,
)
from theorylab.experiments.networks.ensemble import Descent, Trained, train_ensemble
from theorylab.experiments.networks.model import Perceptron
from theorylab.experiments.seeds import child
from theorylab.experiments.sources import POGGIO_LIAO
from theorylab.experiments.studies.legendre import legendre_of_relu, sup_error
from theorylab.experiments.table import Row, Table
from theorylab.experiments.verdict import Asserted, Measured, conclude, mean_of
from theorylab.outcome import InputError, Observed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAME: Final = "polynomial-net-equals-relu"
BATCH: Final = "batch norm"
PLAIN: Final = "no norm"
_PARTS: Final = ("x", "y", "x_validation", "y_validation", "x_test", "y_test")

READINGS: Final = {
    "with-batch-norm": "with batch normalisation, polynomials near ReLU on all that they meet do "
    "as well as ReLU",
    "without": "without normalisation, polynomials of low degree do as well as ReLU",
    "better-fit-is-enough": "a polynomial nearer to ReLU on its interval does as well as ReLU",
}


@dataclass(frozen=True, kw_only=True)
class PolynomialConfig(Config):
    """Networks of several activations, with and without batch normalisation.

    A polynomial is its degree and its R. ``covering`` and ``low`` are those that the first two
    readings name, ``narrow`` those of the third: of a high degree on a short interval. ``margin``
    of test accuracy is what counts as equal: one point, about half of what a linear network loses.
    ``outside`` is the share of pre-activations outside the interval up to which it covers them.
    """

    experiment: ClassVar[str] = NAME

    data: str = "digits"
    train: int = 1000
    validation: int = 300
    nets: int = 16
    nets_at_once: int = 16
    hidden: tuple[int, ...] = (64, 64)
    steps: int = 400
    batch: int = 100
    rates: tuple[float, ...] = (0.1, 0.03)
    covering: tuple[tuple[int, float], ...] = ((4, 4.0), (6, 4.0), (10, 4.0))
    low: tuple[tuple[int, float], ...] = ((2, 4.0), (4, 4.0))
    narrow: tuple[tuple[int, float], ...] = ((10, 3.0),)
    margin: float = 0.01
    outside: float = 0.001
    fitted: float = 0.01

    def __post_init__(self) -> None:
        for name, value, least in (
            ("nets", self.nets, 2),
            ("nets_at_once", self.nets_at_once, 1),
            ("validation", self.validation, 1),
            ("rates", len(self.rates), 1),
        ):
            if value < least:
                rule = f"it is at least {least}"
                raise InputError(name, value, rule, "choose more")

    @property
    def polynomials(self) -> dict[str, tuple[int, float]]:
        """Degree and R of every polynomial arm, by its name."""
        found = dict.fromkeys(sorted((*self.low, *self.covering, *self.narrow)))
        return {arm_name(degree, radius): (degree, radius) for degree, radius in found}

    @property
    def arms(self) -> tuple[str, ...]:
        """The names of all arms."""
        return ("relu", *self.polynomials, "square", "identity")


def arm_name(degree: int, radius: float) -> str:
    """The name of the arm of the Legendre expansion of that degree on [-radius, radius]."""
    return f"degree {degree} on {radius:g}"


def parts(config: PolynomialConfig) -> tuple[str, ...]:
    """One part for each normalisation, arm and group of networks."""
    return tuple(_pieces(config))


def _pieces(config: PolynomialConfig) -> dict[str, tuple[str, str, int]]:
    return {
        f"{norm}, {arm}, nets from {first}": (norm, arm, first)
        for norm in (BATCH, PLAIN)
        for arm in config.arms
        for first in range(0, config.nets, config.nets_at_once)
    }


def measure(config: PolynomialConfig, part: str, device: str) -> Measurements:
    """One row for each network and rate."""
    norm, arm, first = _pieces(config)[part]
    nets = range(first, min(first + config.nets_at_once, config.nets))
    data = load_dataset(config.data)
    splits = [_split_of(config, data, k) for k in nets]
    given = {
        name: torch.tensor(np.stack([getattr(split, name) for split in splits])).to(device)
        for name in _PARTS
    }
    degree, radius = config.polynomials.get(arm, (0, 0.0))
    polynomial = legendre_of_relu(degree, radius) if radius else ()
    fit = sup_error(polynomial, radius) if radius else None
    widths = (data.x.shape[1], *config.hidden, data.classes)
    model = Perceptron(widths, polynomial or arm, batch_norm=norm == BATCH)
    rows: list[dict[str, object]] = []
    for rate in config.rates:
        trained = train_ensemble(
            model, given["x"], given["y"], nets, seed=config.seed, names=(NAME,), device=device,
            descent=Descent(rate, config.steps, batch=config.batch),
        )  # fmt: skip
        found = _read(model, trained, given, polynomial, radius)
        for k, net in enumerate(nets):
            rows.append(
                {
                    "norm": norm,
                    "arm": arm,
                    "rate": rate,
                    "net": net,
                    "diverged": bool(trained.diverged[k]),
                    "train_error": float(trained.errors[k]),
                    "validation": found["validation"][k],
                    "test": found["test"][k],
                    "fit": fit,
                    "outside": found["outside"][k],
                    "miss": found["miss"][k],
                }
            )
    return Measurements(rows)


def _split_of(config: PolynomialConfig, data: Labelled, net: int) -> Split:
    """The net's own split, so that the nets of an arm are independent draws of data and weights."""
    drawn = int(child(config.seed, NAME, "split", net).generate_state(1)[0])
    return data.split(config.train, config.validation, seed=drawn).standardised()


def _read(
    model: Perceptron,
    trained: Trained,
    given: dict[str, Tensor],
    polynomial: tuple[float, ...],
    radius: float,
) -> dict[str, list[float | None]]:
    """Accuracies; and where the pre-activations of the training samples lie, net by net."""
    chance = 1.0 / model.output_width
    found: dict[str, list[float | None]] = {
        name: [] for name in ("validation", "test", "outside", "miss")
    }
    for k, diverged in enumerate(trained.diverged.tolist()):
        own = tuple(p[k : k + 1] for p in trained.parameters)
        x = given["x"][k]
        statistics = model.statistics(own, x) or None
        for name in ("validation", "test"):
            outputs = model.outputs(own, given[f"x_{name}"][k], statistics=statistics)
            right = (outputs.argmax(2) == given[f"y_{name}"][k]).double().mean()
            found[name].append(chance if diverged else float(right))
        outside = miss = None
        if polynomial and not diverged:
            layers = model.preactivations(own, x, statistics=statistics)
            z = torch.cat([layer.flatten() for layer in layers]).double().cpu().numpy()
            error = Polynomial(polynomial)(z) - np.maximum(z, 0)
            outside = float((np.abs(z) > radius).mean())
            miss = sqrt(float(np.square(error).mean()))
        found["outside"].append(outside)
        found["miss"].append(miss)
    return found


def read_at(table: Table, norm: str, arm: str) -> Table:
    """The rows of an arm at the rate with the best mean validation accuracy, in order of nets."""
    rates: dict[object, list[Row]] = {}
    for row in table:
        if row["norm"] == norm and row["arm"] == arm:
            rates.setdefault(row["rate"], []).append(row)
    found = [Table(tuple(rows)) for rows in rates.values()]
    best = max(found, key=lambda rows: float(rows.column("validation").mean()))
    return Table(tuple(sorted(best, key=lambda row: float(row["net"] or 0))))


def gains(table: Table, norm: str, arm: str) -> NDArray[np.float64]:
    """The test accuracy of each net of an arm less that of the ReLU net with the same draws."""
    return read_at(table, norm, arm).column("test") - read_at(table, norm, "relu").column("test")


def _equal(config: PolynomialConfig, table: Table, norm: str, arm: str) -> Measured:
    rows = read_at(table, norm, arm)
    asserted = Asserted.within(-config.margin, config.margin)
    lost = int(rows.column("diverged").sum())
    found = mean_of(f"{norm}, {arm}", gains(table, norm, arm), asserted, config.alpha)
    return replace(found, remark=f"{lost} of {len(rows)} diverged" if lost else "")


def _gates(config: PolynomialConfig, table: Table, norm: str) -> list[tuple[str, bool]]:
    # where a linear network does as well, equality says nothing of activations
    fits = float(read_at(table, norm, "relu").column("train_error").mean()) <= config.fitted
    linear = float(gains(table, norm, "identity").mean()) <= -config.margin
    return [(f"{norm}: fitted", fits), (f"{norm}: a linear network is worse", linear)]


def judge_covering(config: PolynomialConfig, table: Table) -> Observed:
    """Equivalence, with batch normalisation, of the polynomials that cover."""
    arms = [arm_name(*p) for p in config.covering]
    outside = [read_at(table, BATCH, arm).column("outside") for arm in arms]
    # a network that diverged left every interval
    shares = [float(np.nan_to_num(cells, nan=1.0).mean()) for cells in outside]
    return conclude(
        [_equal(config, table, BATCH, arm) for arm in arms],
        READINGS["with-batch-norm"],
        seed=config.seed,
        gates=[*_gates(config, table, BATCH), ("covered", max(shares) <= config.outside)],
        alpha=config.alpha,
    )


def judge_low(config: PolynomialConfig, table: Table) -> Observed:
    """Equivalence, without normalisation, of the polynomials of low degree."""
    return conclude(
        [_equal(config, table, PLAIN, arm_name(*p)) for p in config.low],
        READINGS["without"],
        seed=config.seed,
        gates=_gates(config, table, PLAIN),
        alpha=config.alpha,
    )


def judge_narrow(config: PolynomialConfig, table: Table) -> Observed:
    """Equivalence of the polynomials that are nearest to ReLU, with normalisation and without."""
    others = [*config.covering, *config.low]
    errors = {p: table.where(arm=arm_name(*p)).column("fit")[0] for p in (*others, *config.narrow)}
    nearer = max(errors[p] for p in config.narrow) < min(errors[p] for p in others)
    return conclude(
        [_equal(config, table, n, arm_name(*p)) for p in config.narrow for n in (BATCH, PLAIN)],
        READINGS["better-fit-is-enough"],
        seed=config.seed,
        gates=[
            *_gates(config, table, BATCH), *_gates(config, table, PLAIN), ("fits better", nearer),
        ],
        alpha=config.alpha,
    )  # fmt: skip


def _at_margin(
    config: PolynomialConfig,
    table: Table,
    draw: np.random.Generator,
    arms: Callable[[PolynomialConfig], Sequence[tuple[str, str]]],
) -> Table:
    """The table with these arms worse, or all better, by exactly the margin.

    The residuals of the measured differences get signs by chance.
    """
    side = config.margin * float(draw.choice((-1, 1)))
    planted: dict[tuple[object, ...], float] = {}
    for norm, arm in arms(config):
        gained, base = gains(table, norm, arm), read_at(table, norm, "relu").column("test")
        residuals = (gained - gained.mean()) * sqrt(len(gained) / (len(gained) - 1))
        cells = base + side + residuals * draw.choice((-1.0, 1.0), len(gained))
        for row, cell in zip(read_at(table, norm, arm), cells, strict=True):
            planted[norm, arm, row["rate"], row["net"]] = float(cell)
    keys = ((row["norm"], row["arm"], row["rate"], row["net"]) for row in table)
    return table.replaced(
        "test", [planted.get(key, row["test"]) for key, row in zip(keys, table, strict=True)]
    )


def _edges(norm: str, field: str, count: int | None) -> Callable[..., list[tuple[str, str]]]:
    return lambda config: [(norm, arm_name(*p)) for p in getattr(config, field)[:count]]


def _narrow_edges(config: PolynomialConfig) -> list[tuple[str, str]]:
    return [(norm, arm_name(*p)) for p in config.narrow for norm in (BATCH, PLAIN)]


NULLS: Final = (
    # one arm at the edge is the hardest case for an equivalence of all, all arms that for one
    Null("one arm at the margin", "with-batch-norm", "consistent",
         partial(_at_margin, arms=_edges(BATCH, "covering", 1))),
    Null("all arms at the margin", "with-batch-norm", "inconsistent",
         partial(_at_margin, arms=_edges(BATCH, "covering", None))),
    Null("one arm at the margin", "without", "consistent",
         partial(_at_margin, arms=_edges(PLAIN, "low", 1))),
    Null("all arms at the margin", "better-fit-is-enough", "inconsistent",
         partial(_at_margin, arms=_narrow_edges)),
)  # fmt: skip


def draw(config: PolynomialConfig, table: Table, arrays: Arrays, figure: Figure) -> None:
    """Difference to ReLU in points of test accuracy: each network, mean and interval."""
    axes = figure.subplots(1, 2, sharey=True)
    for place, (panel, norm) in enumerate(zip(axes, (BATCH, PLAIN), strict=True)):
        _forest(config, table, panel, norm)
        panel.set_title(("with batch normalisation", "without normalisation")[place], fontsize=9)
        panel.set_xlabel("test accuracy less ReLU's (points)")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=7, loc="outside lower center", ncols=3)
    judged = EXPERIMENTS[NAME].judged(config, table)
    title_with_verdicts(figure, "Networks with polynomials in the place of ReLU", judged)


def _forest(config: PolynomialConfig, table: Table, panel: Axes, norm: str) -> None:
    low, margin = -4.0, 100 * config.margin
    panel.axvspan(-margin, margin, color=BLUE, alpha=0.12, linewidth=0,
                  label=f"equal: within {margin:g} point{'s' * (margin > 1)}")  # fmt: skip
    panel.axvline(0, color=GREY, linewidth=0.8)
    arms = [arm for arm in config.arms if arm != "relu"]
    for place, arm in enumerate(reversed(arms)):
        rows = read_at(table, norm, arm)
        gained = 100 * gains(table, norm, arm)
        found = _equal(config, table, norm, arm)
        share, lost = rows.column("outside"), int(rows.column("diverged").sum())
        seen = gained >= low
        spread = np.linspace(-0.22, 0.22, len(gained))
        panel.plot(gained[seen], place + spread[seen], ".", color=GREY, alpha=0.5, markersize=4,
                   label="a network" if place == 0 else None)  # fmt: skip
        ends = np.clip([100 * end for end in found.interval], low, None)
        mean = 100 * found.effect
        if mean >= low:
            panel.hlines(place, ends[0], ends[1], color=ORANGE, linewidth=2)
            label = f"mean, {1 - config.alpha:.0%} interval" if place == 0 else None
            panel.plot(mean, place, "D", color=ORANGE, markersize=5, label=label)
        else:
            text = f"mean {mean:.0f} points" + (f", {lost} of {len(rows)} diverged" if lost else "")
            panel.plot(low + 0.1, place, "<", color=ORANGE, markersize=6)
            panel.text(low + 0.3, place + 0.3, text, va="center", fontsize=7)
        if np.isfinite(share).any():
            text = f"{100 * np.nanmean(share):.2g}% outside"
            panel.text(
                0.99, place + 0.3, text, va="center", ha="right", fontsize=6.5, color="0.35",
                transform=panel.get_yaxis_transform(),
            )  # fmt: skip
    names = [_shown(config, arm) for arm in reversed(arms)]
    panel.set_yticks(range(len(arms)), names, fontsize=8)
    panel.set_ylim(-0.5, len(arms) - 0.4)
    panel.set_xlim(low, 4.0)


def _shown(config: PolynomialConfig, arm: str) -> str:
    if arm not in config.polynomials:
        return arm
    degree, radius = config.polynomials[arm]
    return f"degree {degree} on [-{radius:g}, {radius:g}]"


def _config(data: str, train: int, validation: int) -> PolynomialConfig:
    return PolynomialConfig(data=data, train=train, validation=validation)


EXPERIMENTS: Final = {
    NAME: Experiment(
        name=NAME,
        title="A network with a polynomial fitted to ReLU trains as well as with ReLU",
        source=replace(POGGIO_LIAO, where="Fig. 2"),
        readings=(
            Reading("with-batch-norm", READINGS["with-batch-norm"], "consistent", judge_covering),
            Reading("without", READINGS["without"], "consistent", judge_low),
            Reading(
                "better-fit-is-enough", READINGS["better-fit-is-enough"], "inconsistent",
                judge_narrow,
            ),
        ),
        budgets={
            "ci": PolynomialConfig(),
            "full": replace(
                _config("fashion-mnist", 12000, 3000), nets=32, nets_at_once=8, hidden=(256, 256),
                steps=6000, rates=(0.1, 0.03, 0.01),
            ),
        },
        parts=parts,
        measure=measure,
        draw=draw,
        nulls=NULLS,
        remarks="How near a polynomial of each degree is to ReLU in the sup norm is certified by "
        "the claim relu-polynomial-approximation; that it is near on an interval is not enough: "
        "outside it a polynomial of high degree grows, and a few pre-activations in a thousand "
        "ruin the network. Degree 2 without normalisation meets many and does not mind.",
    )
}  # fmt: skip

"""Width and overfitting: what happens to test loss and test error as networks grow.

Networks of one hidden layer are trained for the same number of steps at every width, and looked at
on the way. Yao's lectures, after Poggio: "Big models may overfit test loss, but generalize well in
test error". Read in time, that compares the end of training with the step of the least test loss;
read in width, it compares wider networks with narrower ones that fit the training labels, too. The
step of the least loss is chosen on validation samples and judged on test samples, so that choosing
it does not favour it. The unit is the trained network; the data are the same for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from math import log, log2
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

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
from theorylab.experiments.sources import YAO
from theorylab.experiments.studies.flatness_radius import evaluated
from theorylab.experiments.table import Table
from theorylab.experiments.verdict import Asserted, Measured, by_t, conclude, mean_of, signed_ranks
from theorylab.outcome import InputError, Observed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAME: Final = "width-test-error"
# Of a network that diverged: a test loss as bad as any, and the error of a constant answer.
_DIVERGED_LOSS, _CHANCE = 1e6, 0.9
_TICKS: Final = tuple(digit * 10.0**power for power in range(-3, 3) for digit in (1, 2, 5))

READINGS: Final = {
    "error-in-width": "beyond the width that fits the training labels, test error does not grow "
    "with the width",
    "loss-in-width": "beyond the width that fits the training labels, test loss grows with the "
    "width",
    "loss-in-time": "on the hard data set the widest networks overfit the test loss: in the end it "
    "is larger than at its least",
    "loss-in-time-always": "on each data set tried the widest networks overfit the test loss: in "
    "the end it is larger than at its least",
    "error-in-time": "the widest networks do not overfit the test error: in the end it is no "
    "larger than at the step of the least test loss, on each data set tried",
}


@dataclass(frozen=True, kw_only=True)
class WidthConfig(Config):
    """Networks of one hidden layer at several widths, so many at each on each data set.

    A width fits when at most ``fitted`` of the training samples of each of its networks are wrong;
    ``fitting`` widths are needed. ``error_slope`` is the growth of the test error at each doubling
    of the width that would matter, a point; ``loss_slope`` that of the logarithm of the test loss,
    a twentieth. ``overfit`` is the least ratio of last to least test loss that counts, a quarter;
    ``error_rise`` the rise of the test error in time that would matter, two points.
    """

    experiment: ClassVar[str] = NAME

    data: tuple[str, ...] = ("digits", "mnist1d")
    hard: str = "mnist1d"
    train: int = 1000
    validation: int = 300
    nets: int = 8
    widths: tuple[int, ...] = (8, 16, 32, 64, 128, 256)
    steps: int = 2000
    rate: float = 0.05
    batch: int = 100
    looks: int = 12
    fitted: float = 0.01
    fitting: int = 3
    error_slope: float = 0.01
    loss_slope: float = 0.05
    overfit: float = 1.25
    error_rise: float = 0.02

    def __post_init__(self) -> None:
        if self.hard not in self.data:
            raise InputError("hard", self.hard, "it is one of the data sets", "name one of them")
        if list(self.widths) != sorted(set(self.widths)) or len(self.widths) < 2:
            raise InputError("widths", self.widths, "widths rise, and are two or more", "sort them")
        for name, value, least in (("nets", self.nets, 2), ("looks", self.looks, 2)):
            if value < least:
                raise InputError(name, value, f"it is at least {least}", "choose more")

    @property
    def recorded(self) -> tuple[int, ...]:
        """The steps after which the networks are looked at, the last one included."""
        spaced = np.geomspace(min(10, self.steps), self.steps, self.looks).round().astype(int)
        return tuple(int(step) for step in np.unique(spaced))


def parts(config: WidthConfig) -> tuple[str, ...]:
    """One part for each data set and width."""
    return tuple(f"data={data} width={width}" for data in config.data for width in config.widths)


def measure(config: WidthConfig, part: str, device: str) -> Measurements:
    """One row for each net: test loss and error in the end and at the validation loss's least."""
    name, text = (field.partition("=")[2] for field in part.split())
    split = load_dataset(name).split(
        train=config.train, validation=config.validation, seed=config.seed
    ).standardised()  # fmt: skip
    model = Perceptron((split.x.shape[1], int(text), split.classes))
    trained = train_ensemble(
        model, torch.tensor(split.x), torch.tensor(split.y), config.nets, seed=config.seed,
        names=(NAME, name, f"width {text}"), device=device,
        descent=Descent(config.rate, config.steps, batch=config.batch, record=config.recorded),
    )  # fmt: skip
    place = trained.losses.device

    def seen(inputs: NDArray[np.float32], answers: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        x, y = torch.tensor(inputs).to(place), torch.tensor(answers).to(place)
        pairs = [evaluated(model, record.parameters, x, y) for record in trained.records]
        losses, errors = (torch.stack(values).cpu() for values in zip(*pairs, strict=True))
        return torch.where(losses.isfinite(), losses, torch.inf), errors

    validation, _ = seen(split.x_validation, split.y_validation)
    losses, errors = seen(split.x_test, split.y_test)
    least = validation.argmin(0)
    rows = [
        {
            "data": name,
            "width": int(text),
            "net": net,
            "parameters": model.parameter_count,
            "diverged": bool(trained.diverged[net]),
            "train_loss": float(trained.losses[net]),
            "train_error": float(trained.errors[net]),
            "test_loss": float(losses[-1, net]),
            "test_error": float(errors[-1, net]),
            "least_step": config.recorded[int(least[net])],
            "least_loss": float(losses[least[net], net]),
            "error_then": float(errors[least[net], net]),
        }
        for net in range(config.nets)
    ]
    kept = {"losses": losses.numpy(), "errors": errors.numpy()}
    return Measurements(rows, {key: a.astype(np.float32) for key, a in kept.items()})


def fitting_widths(config: WidthConfig, table: Table, data: str) -> tuple[int, ...]:
    """The widths all of whose networks fit the training labels of a data set."""
    found = []
    for width in config.widths:
        wrong = table.where(data=data, width=width).column("train_error")
        if len(wrong) and bool((wrong <= config.fitted).all()):
            found.append(width)
    return tuple(found)


def _filled(table: Table, column: str, missing: float) -> NDArray[np.float64]:
    found = table.column(column)
    return np.where(np.isfinite(found), found, missing)


def _slope(
    config: WidthConfig, table: Table, data: str, column: str, asserted: Asserted
) -> Measured:
    """The growth of a column at each doubling of the width, over the widths that fit.

    The error comes from the spread of the networks within each width, not from how well the points
    lie on a line: the slope is a weighted sum of the widths' means.
    """
    groups = []
    for width in fitting_widths(config, table, data):
        rows = table.where(data=data, width=width)
        values = _filled(rows, "test_error", _CHANCE)
        if column == "test_loss":
            values = np.log(_filled(rows, "test_loss", _DIVERGED_LOSS))
        groups.append((log2(width), values))
    places = np.array([place for place, _ in groups])
    weights = (places - places.mean()) / np.square(places - places.mean()).sum()
    means = np.array([values.mean() for _, values in groups])
    parts = [
        (w * w * float(np.var(values, ddof=1)) / len(values), len(values))
        for w, (_, values) in zip(weights, groups, strict=True)
    ]
    variance = sum(v for v, _ in parts)
    spread = sum(v * v / (n - 1) for v, n in parts)
    freedom = variance**2 / spread if spread > 0 else float("inf")
    name = f"{'log test loss' if column == 'test_loss' else 'test error'} per doubling on {data}"
    n = sum(n for _, n in parts)
    return by_t(name, float(weights @ means), variance**0.5, freedom, n, asserted, config.alpha)


def _judge_width(
    variant: str, column: str, asserted: Callable[[WidthConfig], Asserted]
) -> Callable[[WidthConfig, Table], Observed]:
    def judge(config: WidthConfig, table: Table) -> Observed:
        """How a test figure changes with the width, on every data set."""
        enough = all(
            len(fitting_widths(config, table, data)) >= config.fitting for data in config.data
        )
        gates = [(f"{config.fitting} widths fit the training labels", enough)]
        if not enough:
            shut = mean_of(f"{column} of all networks", _filled(table, column, _CHANCE),
                           asserted(config), config.alpha)  # fmt: skip
            measured = [shut]
        else:
            measured = [
                _slope(config, table, data, column, asserted(config)) for data in config.data
            ]
        return conclude(
            measured, READINGS[variant], seed=config.seed, gates=gates, alpha=config.alpha
        )

    return judge


def _widest(config: WidthConfig, table: Table, data: str) -> Table:
    return table.where(data=data, width=config.widths[-1])


def _loss_ratio(config: WidthConfig, table: Table, data: str) -> Measured:
    rows = _widest(config, table, data)
    last, least = (_filled(rows, name, _DIVERGED_LOSS) for name in ("test_loss", "least_loss"))
    asserted = Asserted.above(0.0, log(config.overfit))
    name = f"log of last over least test loss on {data}"
    return signed_ranks(name, np.log(last / least), asserted, config.alpha)


def _fitted_gate(config: WidthConfig, table: Table) -> list[tuple[str, bool]]:
    fits = all(config.widths[-1] in fitting_widths(config, table, data) for data in config.data)
    return [("the widest networks fit the training labels", fits)]


def judge_loss_hard(config: WidthConfig, table: Table) -> Observed:
    """Whether the test loss of the widest networks ends above its least on the hard data set."""
    return conclude(
        [_loss_ratio(config, table, config.hard)], READINGS["loss-in-time"], seed=config.seed,
        gates=_fitted_gate(config, table), alpha=config.alpha,
    )  # fmt: skip


def judge_loss_always(config: WidthConfig, table: Table) -> Observed:
    """The same on every data set."""
    return conclude(
        [_loss_ratio(config, table, data) for data in config.data],
        READINGS["loss-in-time-always"], seed=config.seed, gates=_fitted_gate(config, table),
        alpha=config.alpha,
    )  # fmt: skip


def judge_error_time(config: WidthConfig, table: Table) -> Observed:
    """Whether the test error of the widest networks ends above that at the least test loss."""
    measured = []
    for data in config.data:
        rows = _widest(config, table, data)
        rise = _filled(rows, "test_error", _CHANCE) - _filled(rows, "error_then", 0.0)
        asserted = Asserted.below(config.error_rise, 0.0)
        name = f"rise of the test error after the least test loss on {data}"
        measured.append(signed_ranks(name, rise, asserted, config.alpha))
    return conclude(
        measured, READINGS["error-in-time"], seed=config.seed, gates=_fitted_gate(config, table),
        alpha=config.alpha,
    )  # fmt: skip


def _resampled(
    column: str, slope: Callable[[WidthConfig], float], every: bool
) -> Callable[[WidthConfig, Table, np.random.Generator], Table]:
    """A test figure of this slope in the width on every data set, or on the first, with the
    measured networks' deviations from their widths' means, drawn with replacement."""

    def draw(config: WidthConfig, table: Table, random: np.random.Generator) -> Table:
        cells = table.column(column)
        scaled = np.log(cells) if column == "test_loss" else cells.copy()
        data = np.array([row["data"] for row in table])
        widths = table.column("width")
        for name in config.data if every else config.data[:1]:
            off = {
                w: scaled[(data == name) & (widths == w)]
                for w in fitting_widths(config, table, name)
            }
            centre = float(np.mean([values.mean() for values in off.values()]))
            middle = float(np.mean([log2(w) for w in off]))
            for w, values in off.items():
                here = (data == name) & (widths == w)
                n = len(values)
                noise = random.choice(values - values.mean(), n) * (n / (n - 1)) ** 0.5
                scaled[here] = centre + slope(config) * (log2(w) - middle) + noise
        return table.replaced(column, np.exp(scaled) if column == "test_loss" else scaled)

    return draw


def _signed(config: WidthConfig, table: Table, random: np.random.Generator) -> Table:
    """The last and the least test loss of some networks have changed names on the hard data set."""
    change = random.random(len(table)) < 0.5
    change &= np.array([row["data"] == config.hard for row in table])
    last, least = table.column("test_loss"), table.column("least_loss")
    changed = table.replaced("test_loss", np.where(change, least, last))
    return changed.replaced("least_loss", np.where(change, last, least))


def _shifted(
    column: str, other: str, centre: Callable[[WidthConfig], float], wrong: str
) -> Callable[[WidthConfig, Table, np.random.Generator], Table]:
    """The widest networks' changes in time about a centre, their deviations from the median change
    with drawn signs: on the first data set when "consistent" would be wrong, or on all."""

    def draw(config: WidthConfig, table: Table, random: np.random.Generator) -> Table:
        before, after = table.column(other), table.column(column)
        loss = column == "test_loss"
        change = np.log(after / before) if loss else after - before
        data = np.array([row["data"] for row in table])
        widest = table.column("width") == config.widths[-1]
        for name in config.data[:1] if wrong == "consistent" else config.data:
            here = widest & (data == name)
            off = change[here] - np.median(change[here])
            moved = centre(config) + random.choice((-1.0, 1.0), len(off)) * off
            after[here] = before[here] * np.exp(moved) if loss else before[here] + moved
        return table.replaced(column, after)

    return draw


def draw(config: WidthConfig, table: Table, arrays: Arrays, figure: Figure) -> None:
    """Test loss and test error against the width, and on the way of the widest networks."""
    axes = figure.subplots(2, 2, sharex="col")
    colours = dict(zip(config.data, (BLUE, ORANGE, GREY, "#009e73"), strict=False))
    marks = dict(zip(config.data, "os^D", strict=False))
    figures = (("test_loss", "losses", "test loss (nats)"), ("test_error", "errors", "test error"))
    for (line, (column, array, label)), data in product(enumerate(figures), config.data):
        by_width, in_time = axes[line]
        values = [table.where(data=data, width=w).column(column) for w in config.widths]
        _band(by_width, config.widths, values, colours[data], marks[data], data)
        fits = fitting_widths(config, table, data)
        if fits:
            by_width.axvline(fits[0] / 1.09, color=colours[data], linestyle=":", linewidth=1)
        curves = arrays.get(f"data={data} width={config.widths[-1]}/{array}")
        if curves is not None:
            _band(in_time, config.recorded, list(curves), colours[data], marks[data], data)
        for panel in (by_width, in_time):
            panel.set(xscale="log", yscale="log")
            panel.set_yticks(_TICKS, [f"{tick:g}" for tick in _TICKS])
            panel.minorticks_off()
            panel.set_ylim(*_limits(panel))
            panel.grid(axis="y", color=GREY, alpha=0.2)
        by_width.set_ylabel(label)
    axes[0][0].set_title("in the end of training", fontsize=9)
    axes[0][1].set_title(f"in time, width {config.widths[-1]}", fontsize=9)
    axes[1][0].set_xticks(config.widths, [str(w) for w in config.widths])
    axes[1][0].set_xlabel("width (dotted: from here on all fit the training labels)")
    axes[1][1].set_xlabel("steps")
    axes[0][1].legend(fontsize=8)
    title = f"Networks of one hidden layer, {config.train} samples, {config.nets} nets a width"
    title_with_verdicts(figure, title, WIDTH.judged(config, table), per_line=3)


def _limits(axes: Axes) -> tuple[float, float]:
    """The range of what is drawn, a little wider."""
    box = axes.dataLim
    return max(box.ymin, 1e-4) / 1.15, max(box.ymax, 2e-4) * 1.15


def _band(
    axes: Axes, places: tuple[int, ...], values: list[NDArray[np.float64]], colour: str, mark: str,
    label: str,
) -> None:  # fmt: skip
    """Medians joined by a line, in the range of all values."""
    finite = [v[np.isfinite(v)] for v in values]
    kept = [(place, v) for place, v in zip(places, finite, strict=True) if len(v)]
    x = [place for place, _ in kept]
    axes.plot(x, [np.median(v) for _, v in kept], color=colour, marker=mark, markersize=4,
              label=label)  # fmt: skip
    axes.fill_between(x, [v.min() for _, v in kept], [v.max() for _, v in kept], color=colour,
                      alpha=0.2, linewidth=0)  # fmt: skip


def _no_growth(config: WidthConfig) -> Asserted:
    return Asserted.below(config.error_slope, 0.0)


def _growth(config: WidthConfig) -> Asserted:
    return Asserted.above(0.0, config.loss_slope)


WIDTH: Final = Experiment(
    name=NAME,
    title="What larger networks overfit: the test loss, or the test error",
    source=replace(YAO, where='"Big models does not overfit", after T. Poggio'),
    readings=(
        Reading(
            "error-in-width", READINGS["error-in-width"], "consistent",
            _judge_width("error-in-width", "test_error", _no_growth),
        ),
        Reading(
            "loss-in-width", READINGS["loss-in-width"], "inconsistent",
            _judge_width("loss-in-width", "test_loss", _growth),
        ),
        Reading("loss-in-time", READINGS["loss-in-time"], "consistent", judge_loss_hard),
        Reading(
            "loss-in-time-always", READINGS["loss-in-time-always"], "inconsistent",
            judge_loss_always,
        ),
        Reading("error-in-time", READINGS["error-in-time"], "consistent", judge_error_time),
    ),
    budgets={
        "ci": WidthConfig(),
        "full": WidthConfig(
            data=("digits", "mnist1d", "mnist-5000", "fashion-mnist"), nets=32,
            widths=(4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096), steps=20_000, looks=24,
        ),
    },
    parts=parts,
    measure=measure,
    draw=draw,
    nulls=(
        Null(
            "test error grows by what matters on one data set", "error-in-width", "consistent",
            _resampled("test_error", lambda c: c.error_slope, every=False),
        ),
        Null(
            "test error does not change", "error-in-width", "inconsistent",
            _resampled("test_error", lambda c: 0.0, every=True),
        ),
        Null(
            "test loss grows by what matters", "loss-in-width", "inconsistent",
            _resampled("test_loss", lambda c: c.loss_slope, every=True),
        ),
        Null(
            "last and least loss have the same distribution", "loss-in-time", "consistent",
            _signed,
        ),
        Null(
            "test loss rises in time by what counts", "loss-in-time-always", "inconsistent",
            _shifted("test_loss", "least_loss", lambda c: log(c.overfit), "inconsistent"),
        ),
        Null(
            "test error rises in time by what matters on one data set", "error-in-time",
            "consistent",
            _shifted("test_error", "error_then", lambda c: c.error_rise, "consistent"),
        ),
        Null(
            "test error does not change in time", "error-in-time", "inconsistent",
            _shifted("test_error", "error_then", lambda c: 0.0, "inconsistent"),
        ),
    ),
    remarks=(
        "Test loss is largest at the width that just fits the training labels, and falls from "
        "there on: the printed 'may' is true in time, on the hard data set, and false in width. "
        "All networks of a data set share one split, so that a verdict is one on these samples."
    ),
)  # fmt: skip
EXPERIMENTS: Final = {NAME: WIDTH}

"""Homogeneous ReLU networks on separable data: how fast the norms grow, where the margin settles.

The prediction for a network of L layers without biases, once all examples are classified: |theta|^L
times the normalised margin is log t to leading order, and the layers stay balanced, so each grows
like (log t)^(1/L) and only their product like log t. Each exponent is measured over the last
doubling of log t, up to 5,000 for two layers and 100,000 for three. Sources: Lyu & Li, "Gradient
Descent Maximizes the Margin of Homogeneous Neural Networks" (2020), Theorems 4.1 and 4.3; [Y],
the slides that print log k for each layer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from theorylab.experiments.experiment import Arrays, Experiment, Null, Reading
from theorylab.experiments.sources import YAO
from theorylab.experiments.studies.homogeneous_descent import (
    HomogeneousConfig,
    levels_of,
    measure,
    parts,
)
from theorylab.experiments.table import Table
from theorylab.experiments.verdict import Asserted, Measured, conclude, mean_of, share
from theorylab.outcome import Observed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class NormGrowthConfig(HomogeneousConfig):
    """``tolerance`` is the smallest deviation of a layer's exponent that matters; the margins still
    creep at a finite horizon, which costs an exponent up to ``creep``."""

    experiment: ClassVar[str] = "norm-growth"

    depths: tuple[int, ...] = (2, 3)
    horizons: tuple[float, ...] = (5_000.0, 100_000.0)
    windows: int = 9
    tolerance: float = 0.03
    creep: float = 0.02


@dataclass(frozen=True, kw_only=True)
class MarginConfig(HomogeneousConfig):
    """``settled`` is the largest relative change of the margin over a doubling of log t that counts
    as settled, ``fall`` the relative fall of the smoothed margin over one that is put down to the
    steps, ``falls`` the share of steps that is; the share of networks that classify all
    examples is above ``least_share``."""

    experiment: ClassVar[str] = "normalised-margin"

    settled: float = 0.02
    fall: float = 0.005
    falls: float = 0.01
    least_share: float = 0.7


def _exponent(
    config: NormGrowthConfig, table: Table, depth: int, column: str, asserted: Asserted
) -> Measured:
    # a network that has not come so far has shown no growth
    values = np.nan_to_num(table.where(depth=depth).column(column))
    what = "the product" if column == "product" else column.replace("_", " ")
    return mean_of(f"exponent of {what} of {depth} layers", values, asserted, config.alpha)


def _about(config: NormGrowthConfig, value: float, layers: int = 1) -> Asserted:
    inner, outer = config.creep * layers, config.tolerance * layers
    return Asserted(value - inner, value + inner, value - outer, value + outer)


def _layers(
    config: NormGrowthConfig, table: Table, claimed: Callable[[int], float]
) -> list[Measured]:
    return [
        _exponent(config, table, depth, f"layer_{n + 1}", _about(config, claimed(depth)))
        for depth in config.depths
        for n in range(depth)
    ]


def _gates(table: Table) -> list[tuple[str, bool]]:
    return [
        ("all examples classified", all(row["classified"] for row in table)),
        ("horizon reached", all(row["reached"] for row in table)),
    ]


def _judge_logarithm(config: NormGrowthConfig, table: Table) -> Observed:
    found = _layers(config, table, lambda depth: 1.0)
    return conclude(found, _LOGARITHM, seed=config.seed, gates=_gates(table), alpha=config.alpha)


def _judge_root(config: NormGrowthConfig, table: Table) -> Observed:
    found = _layers(config, table, lambda depth: 1 / depth)
    return conclude(found, _ROOT, seed=config.seed, gates=_gates(table), alpha=config.alpha)


def _judge_product(config: NormGrowthConfig, table: Table) -> Observed:
    found = [
        _exponent(config, table, depth, "product", _about(config, 1.0, depth))
        for depth in config.depths
    ]
    return conclude(found, _PRODUCT, seed=config.seed, gates=_gates(table), alpha=config.alpha)


def _margin_column(table: Table, column: str) -> NDArray[np.float64]:
    # a network that has not come so far has not settled: its margin may yet double, or fall to 0
    missing = {"change": 1.0, "rise": -1.0, "falls": 0.0}[column]
    return np.nan_to_num(table.column(column), nan=missing)


def _judge_settles(config: MarginConfig, table: Table) -> Observed:
    changes = np.abs(_margin_column(table, "change"))
    right = sum(bool(row["classified"]) for row in table)
    found = [
        mean_of("relative change of the margin over the last doubling of log t", changes,
                Asserted.below(config.settled, config.settled / 2), config.alpha),
        share("networks that classify all examples", right, len(table),
              Asserted.above(config.least_share, 1.0), config.alpha),
    ]  # fmt: skip
    gates = _gates(table)[1:]
    return conclude(found, _SETTLES, seed=config.seed, gates=gates, alpha=config.alpha)


def _judge_windows(config: MarginConfig, table: Table) -> Observed:
    name, asserted = "smallest relative rise over a doubling", Asserted.above(-config.fall, 0.0)
    found = [mean_of(name, _margin_column(table, "rise"), asserted, config.alpha)]
    return conclude(found, _WINDOWS, seed=config.seed, gates=_gates(table), alpha=config.alpha)


def _judge_steps(config: MarginConfig, table: Table) -> Observed:
    name, asserted = "share of steps in which it falls", Asserted.below(config.falls, 0.0)
    found = [mean_of(name, _margin_column(table, "falls"), asserted, config.alpha)]
    return conclude(found, _STEPS, seed=config.seed, gates=_gates(table), alpha=config.alpha)


_LOGARITHM = "the norm of each layer grows like log t"
_ROOT = "the norm of each of L layers grows like (log t)^(1/L)"
_PRODUCT = "the product of the layers' norms grows like log t"
_SETTLES = "over the last doubling of log t the normalised margin stays, all examples classified"
_WINDOWS = "the smoothed normalised margin falls over no doubling of log t"
_STEPS = "the smoothed normalised margin falls in no step of descent"

Centres = Callable[[Any, int], Mapping[str, float]]


def _redrawn(centres: Centres) -> Callable[[Any, Table, np.random.Generator], Table]:
    """Tables with these columns of each depth Gaussian about given centres, with their spread."""

    def draw(config: HomogeneousConfig, table: Table, rng: np.random.Generator) -> Table:
        depths = table.column("depth")
        for depth in config.depths:
            here = depths == depth
            for column, centre in centres(config, depth).items():
                cells = table.column(column)
                spread = float(np.std(cells[here], ddof=1))
                cells[here] = rng.normal(centre, spread, int(here.sum()))
                table = table.replaced(column, cells)
        return table

    return draw


def _slower(config: NormGrowthConfig, depth: int) -> Mapping[str, float]:
    """The first layer of the first depth off by the tolerance, the others right."""
    off = config.tolerance if depth == config.depths[0] else 0.0
    return {f"layer_{n + 1}": 1 / depth - (off if n == 0 else 0.0) for n in range(depth)}


def _every(value: Callable[[NormGrowthConfig, int], float]) -> Centres:
    return lambda config, depth: {f"layer_{n + 1}": value(config, depth) for n in range(depth)}


_GROWTH_NULLS = (
    Null("logarithms", "printed", "inconsistent", _redrawn(_every(lambda c, d: 1 - c.creep))),
    Null("roots", "corrected", "inconsistent", _redrawn(_every(lambda c, d: 1 / d - c.creep))),
    Null("one layer slower", "corrected", "consistent", _redrawn(_slower)),
    Null("logarithm", "product", "inconsistent",
         _redrawn(lambda c, d: {"product": 1 - d * c.creep})),
    Null("slower than a logarithm", "product", "consistent",
         _redrawn(lambda c, d: {"product": 1 - d * c.tolerance})),
)  # fmt: skip
_MARGIN_NULLS = (
    Null("settled", "printed", "inconsistent", _redrawn(lambda c, d: {"change": c.settled / 2})),
    Null("not settled", "printed", "consistent", _redrawn(lambda c, d: {"change": c.settled})),
    Null("level", "smoothed", "inconsistent", _redrawn(lambda c, d: {"rise": 0.0})),
    Null("falling", "smoothed", "consistent", _redrawn(lambda c, d: {"rise": -c.fall})),
    Null("no falls", "each-step", "inconsistent", _redrawn(lambda c, d: {"falls": 0.0})),
)


def _joined(arrays: Arrays, depth: int, kind: str) -> NDArray[np.float64]:
    found = [
        array
        for name, array in arrays.items()
        if name.startswith(f"depth={depth} ") and name.endswith(f"/{kind}")
    ]
    return np.concatenate(found).astype(np.float64)


def _draw_growth(config: NormGrowthConfig, table: Table, arrays: Arrays, figure: Figure) -> None:
    left, right = figure.subplots(1, 2)
    for depth, color, marker in zip(config.depths, ("tab:blue", "tab:orange"), "os", strict=False):
        crossed = _joined(arrays, depth, "crossed")
        mean = np.exp(np.mean(np.log(crossed), axis=0))
        time, norms = mean[:, 0], mean[:, 1:]
        rates = np.diff(np.log(crossed), axis=1)
        rates = rates[..., 1:] / rates[..., :1]
        middle = np.sqrt(time[1:] * time[:-1])
        for n in range(depth):
            looks: dict[str, Any] = {
                "color": color,
                "marker": marker,
                "fillstyle": ("full", "none", "bottom")[n],
                "label": f"layer {n + 1} of {depth}",
            }
            left.loglog(time, norms[:, n], markersize=4, linewidth=1, **looks)
            reach = 2 * rates[..., n].std(0)
            right.errorbar(middle * 1.08 ** (n - (depth - 1) / 2), rates[..., n].mean(0), reach,
                           linestyle="", markersize=5, capsize=2, **looks)  # fmt: skip
        left.loglog(time, norms.prod(1), "--", color=color, linewidth=1, marker="^", markersize=4,
                    label=f"product of {depth}")  # fmt: skip
        right.axhline(1 / depth, color=color, linewidth=1)
        low, high = 1 / depth - config.tolerance, 1 / depth + config.tolerance
        right.axhspan(low, high, color=color, alpha=0.12)
    right.axhline(1.0, color="0.3", linestyle="--", label="printed: each layer like log t")
    right.set_xscale("log")
    right.set_ylim(0, 1.08)
    left.set_xlabel("log t")
    left.set_ylabel("Frobenius norm (geometric mean)")
    right.set_xlabel("log t")
    right.set_ylabel("exponent of the norm in log t (mean, 2 sd)")
    left.legend(frameon=False, fontsize=8)
    right.legend(frameon=False, fontsize=8, loc="center right", bbox_to_anchor=(1, 0.72))
    figure.suptitle(str(_judge_root(config, table)), fontsize=8, wrap=True)


def _draw_margin(config: MarginConfig, table: Table, arrays: Arrays, figure: Figure) -> None:
    left, right = figure.subplots(1, 2)
    depth = config.depths[0]
    levels, margins = np.array(levels_of(config, depth)), _joined(arrays, depth, "margins")
    middle = np.sqrt(levels[1:] * levels[:-1])
    for k, margin in enumerate(margins):
        looks: dict[str, Any] = {"color": "tab:blue", "alpha": 0.6, "linewidth": 0.8}
        left.semilogx(middle, margin, label="a network" if k == 0 else None, **looks)
        change = np.abs(margin[1:] / margin[:-1] - 1)
        right.loglog(levels[1:-1], change, marker=".", markersize=4, **looks)
    left.semilogx(middle, np.mean(margins, axis=0), "o-", color="tab:orange", label="mean")
    right.axhline(config.settled, color="0.3", linestyle="--", label="settled: below this")
    right.yaxis.set_minor_formatter("")
    right.set_ylim(min(1e-3, right.get_ylim()[0]), 0.1)
    left.set_ylim(bottom=0)
    left.set_xlabel("log t (means over doublings)")
    left.set_ylabel("least y f(x) / product of the layers' norms")
    right.set_xlabel("log t")
    right.set_ylabel("relative change over a doubling of log t")
    left.legend(frameon=False, fontsize=8)
    right.legend(frameon=False, fontsize=8)
    figure.suptitle(str(_judge_settles(config, table)), fontsize=8, wrap=True)


def _large(config: Any) -> Any:
    """The configuration at the size for a GPU: twenty thousand steps or more, of some ms each."""
    return replace(config, nets=64, nets_per_part=32, points=200, dimension=20, width=256,
                   most=60_000)  # fmt: skip


EXPERIMENTS = {
    "norm-growth": Experiment(
        name="norm-growth",
        title="How fast the weights of a homogeneous network grow on separable data",
        source=replace(YAO, where="slide 'Both W_1 and W_2 grows to infinity (log k)'"),
        readings=(
            Reading("corrected", _ROOT, "consistent", _judge_root),
            Reading("printed", _LOGARITHM, "inconsistent", _judge_logarithm),
            Reading("product", _PRODUCT, "consistent", _judge_product),
        ),
        budgets={"ci": NormGrowthConfig(), "full": _large(NormGrowthConfig())},
        parts=parts,
        measure=measure,
        draw=_draw_growth,
        nulls=_GROWTH_NULLS,
        remarks="At the horizon of plain training, log t of ten, a root is hard to tell from a "
        "logarithm: the exponents still rise there.",
    ),
    "normalised-margin": Experiment(
        name="normalised-margin",
        title="The normalised margin of a homogeneous network settles, all examples classified",
        source=replace(YAO, where="slide 'Normalized Margin stabilizes'"),
        readings=(
            Reading("printed", _SETTLES, "consistent", _judge_settles),
            Reading("smoothed", _WINDOWS, "consistent", _judge_windows),
            Reading("each-step", _STEPS, "inconsistent", _judge_steps),
        ),
        budgets={"ci": MarginConfig(), "full": _large(MarginConfig())},
        parts=parts,
        measure=measure,
        draw=_draw_margin,
        nulls=_MARGIN_NULLS,
        remarks="That the smoothed margin never falls (Lyu & Li 2020, Theorem 4.1) is a statement "
        "on the gradient flow; steps of finite length overshoot, doublings of log t do not.",
    ),
}

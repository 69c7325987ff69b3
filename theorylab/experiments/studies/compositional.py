"""Compositional functions: a tree of local units against shallow and fully connected networks.

The target is f(x_1, ..., x_8) = g(g(g(x_1,x_2), g(x_3,x_4)), g(g(x_5,x_6), g(x_7,x_8))) with
g(a, b) = sin(2ab + a). Four kinds of networks of equal parameter count learn it: a tree shaped as
its graph, a shallow network, a deep fully connected one with as many nonlinear layers as the tree,
and, as a control, the same tree for the same function with its variables crossed, so that no two
inputs of a lowest node belong together. (The fully connected networks do not know the order of
their inputs, so that their errors are distributed for both targets alike.)
The theory compared (Mhaskar & Poggio 2016; Yao's lectures, "Hierarchically local
compositionality"): a network that has the graph of a function of d variables needs O(d eps^-2)
parameters, a shallow one O(eps^-d). These are upper bounds on approximation; what is measured is
what training finds, on the same terms for every kind. Every net has samples of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
import torch
from numpy.typing import NDArray

from theorylab.experiments.drawing import BLUE, GREEN, GREY, ORANGE, title_with_verdicts
from theorylab.experiments.experiment import (
    Arrays,
    Config,
    Experiment,
    Measurements,
    Null,
    Reading,
)
from theorylab.experiments.networks.devices import device as device_of
from theorylab.experiments.networks.ensemble import Descent, train_ensemble
from theorylab.experiments.networks.model import Model, Perceptron
from theorylab.experiments.seeds import generator
from theorylab.experiments.sources import MHASKAR_POGGIO
from theorylab.experiments.studies.tree import Tree
from theorylab.experiments.table import Table
from theorylab.experiments.verdict import Asserted, Measured, by_t, conclude, rank_shift
from theorylab.outcome import InputError, Observed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME: Final = "compositional-approximation"
INPUTS: Final = 8
ARMS: Final = ("tree", "shallow", "dense", "crossed")
# The function's lowest pairs are then (1, 5), (2, 6), ...: no node of the tree gets one of them.
CROSSED: Final = (0, 4, 1, 5, 2, 6, 3, 7)
# Shares of the steps, and the factors of the rate in them.
_STAGES: Final = ((0.5, 1.0), (0.25, 0.3), (0.25, 0.1))
# The relative error of the best constant, which a net that diverged is taken to have.
_CONSTANT: Final = 1.0

READINGS: Final = {
    "locality": "a tree with the graph of the function has a smaller error than shallow and fully "
    "connected networks of its size",
    "control": "when the variables are crossed, the tree is no better than a shallow network",
    "depth": "a fully connected deep network has a smaller error than a shallow one of its size",
    "depth-alone": "depth without locality brings at least half of what the tree gains, on the log "
    "scale",
}


@dataclass(frozen=True, kw_only=True)
class CompositionalConfig(Config):
    """``nets`` of each kind for every number of ``units`` per node of the tree.

    ``rate`` is the same for all kinds: of .015, .03 and .06 it was the best for each, or within
    10 % of it, in runs with other draws. ``locality`` is the least ratio of errors that matters
    between networks of equal size, and the largest advantage of the tree that the control
    overlooks; ``depth`` is that least ratio for depth alone.
    """

    experiment: ClassVar[str] = NAME

    nets: int = 16
    units: tuple[int, ...] = (8, 16, 32)
    samples: int = 4000
    test: int = 2000
    steps: int = 1000
    rate: float = 0.03
    batch: int = 128
    locality: float = 1.25
    depth: float = 1.05

    def __post_init__(self) -> None:
        for name, value, least in (
            ("nets", self.nets, 2),
            ("units", min(self.units, default=0), 2),
            ("samples", self.samples, 2),
            ("test", self.test, 2),
            ("steps", self.steps, 4),
        ):
            if value < least:
                raise InputError(name, value, f"it is at least {least}", "choose more")


def compositional(x: NDArray[np.float64], crossed: bool = False) -> NDArray[np.float64]:
    """The function at x [..., 8], or the one with its variables crossed.

    >>> compositional(np.zeros((2, 8))).tolist()
    [0.0, 0.0]
    """
    h = x[..., CROSSED] if crossed else x
    while h.shape[-1] > 1:
        a, b = h[..., 0::2], h[..., 1::2]
        h = np.sin(2 * a * b + a)
    return h[..., 0]


def network(arm: str, units: int) -> Model:
    """The network of a kind whose parameter count is that of the tree, within 2 %.

    >>> [network(arm, 16).parameter_count for arm in ARMS]
    [455, 451, 454, 455]
    """
    tree = Tree(INPUTS, units)
    if arm in ("tree", "crossed"):
        return tree
    if arm == "shallow":
        return Perceptron((INPUTS, round((tree.parameter_count - 1) / (INPUTS + 2)), 1))
    return Perceptron((INPUTS, *_even_widths(tree.parameter_count), 1))


def _even_widths(parameters: int) -> tuple[int, int, int]:
    """The three hidden widths closest to each other with so many parameters, within 1 %."""
    around = sqrt(parameters / 2)
    best: tuple[tuple[int, int], tuple[int, int, int]] | None = None
    for a in range(max(2, int(around / 2)), int(around) + 2):
        for b in range(max(2, int(around / 2)), int(around) + 2):
            left = parameters - 1 - (INPUTS + 1) * a - (a + 1) * b
            c = round(left / (b + 2))
            miss = abs(left - (b + 2) * c)
            if c >= 2 and miss <= parameters / 100:
                order = (max(a, b, c) - min(a, b, c), miss)
                best = min(best or (order, (a, b, c)), (order, (a, b, c)))
    if best is None:
        rule = "three hidden layers fit the parameters of the tree"
        raise InputError("units", parameters, rule, "choose more units")
    return best[1]


def parts(config: CompositionalConfig) -> tuple[str, ...]:
    """One part for each size and kind, the longest first."""
    sizes = sorted(config.units, reverse=True)
    return tuple(f"units={u} arm={arm}" for u in sizes for arm in ARMS)


def measure(config: CompositionalConfig, part: str, device: str) -> Measurements:
    """One row for each net: its root mean square errors relative to the target's deviation."""
    size, arm = (field.partition("=")[2] for field in part.split())
    units, place = int(size), device_of(device)
    model, nets = network(arm, units), range(config.nets)
    names = (NAME, arm, units)
    fits, tests = (
        _samples(config.seed, names, role, count, nets, arm == "crossed")
        for role, count in (("train", config.samples), ("test", config.test))
    )
    x, y = (torch.tensor(a, dtype=torch.float32).to(place) for a in fits)
    start = None
    for stage, (share, factor) in enumerate(_STAGES):
        steps = max(1, round(share * config.steps))
        trained = train_ensemble(
            model, x, y, nets, seed=config.seed, names=(*names, stage), start=start,
            loss="squares", device=place,
            descent=Descent(config.rate * factor, steps, batch=config.batch, kind="adam"),
        )  # fmt: skip
        start = trained.parameters
    errors = []
    for x_part, y_part in (fits, tests):
        with torch.no_grad():
            at = torch.tensor(x_part, dtype=torch.float32).to(place)
            outputs = model.outputs(trained.parameters, at)[..., 0].double().cpu().numpy()
        errors.append(np.sqrt(((outputs - y_part) ** 2).mean(1) / y_part.var(1)))
    rows = [
        {
            "units": units,
            "arm": arm,
            "net": k,
            "parameters": model.parameter_count,
            "diverged": bool(trained.diverged[k]),
            "train_error": errors[0][k],
            "error": errors[1][k],
        }
        for k in nets
    ]
    return Measurements(rows)


def _samples(
    seed: int,
    names: Sequence[str | int],
    role: str,
    count: int,
    nets: Sequence[int],
    crossed: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each net's own inputs [K, n, 8], uniform on the cube [-1, 1]^8, and their values [K, n]."""
    shape = (count, INPUTS)
    x = np.stack([generator(seed, *names, role, k).uniform(-1, 1, shape) for k in nets])
    return x, compositional(x, crossed)


def _errors(table: Table, units: int, arm: str) -> NDArray[np.float64]:
    found = table.where(units=units, arm=arm).column("error")
    return np.where(np.isfinite(found), np.minimum(found, 1e6), _CONSTANT)


def _gates(config: CompositionalConfig, table: Table) -> list[tuple[str, bool]]:
    """Sizes are equal, and every kind has learned something."""
    counts = [
        [next(iter(table.where(units=u, arm=arm).values("parameters"))) for arm in ARMS]
        for u in config.units
    ]
    equal = all(abs(n / row[0] - 1) <= 0.02 for row in counts for n in row)  # type: ignore[operator]
    medians = [np.median(_errors(table, u, arm)) for u in config.units for arm in ARMS]
    return [
        ("parameter counts equal within 2 %", equal),
        ("every kind beats the best constant", bool(max(medians) < 0.95 * _CONSTANT)),
    ]


def judge_locality(config: CompositionalConfig, table: Table) -> Observed:
    """Whether the tree has the smaller errors at every size."""
    asserted = Asserted.above(1.0, config.locality)
    measured = [
        rank_shift(
            f"{other} / tree, {units} units a node",
            _errors(table, units, other), _errors(table, units, "tree"),
            asserted, config.alpha, ratio=True,
        )
        for units in config.units
        for other in ("shallow", "dense")
    ]  # fmt: skip
    return _concluded(config, table, "locality", measured)


def judge_control(config: CompositionalConfig, table: Table) -> Observed:
    """Whether the tree loses its advantage at every size when the variables are crossed."""
    asserted = Asserted.below(config.locality, 1.0)
    measured = [
        rank_shift(
            f"shallow / crossed tree, {units} units a node",
            _errors(table, units, "shallow"), _errors(table, units, "crossed"),
            asserted, config.alpha, ratio=True,
        )
        for units in config.units
    ]  # fmt: skip
    return _concluded(config, table, "control", measured)


def judge_depth(config: CompositionalConfig, table: Table) -> Observed:
    """Whether fully connected depth lowers the error, on the geometric mean over the sizes."""
    asserted = Asserted.above(0.0, log(config.depth))
    weights = {"shallow": 1.0, "dense": -1.0}
    found = _contrast("ln(shallow / dense), mean over sizes", config, table, weights, asserted)
    return _concluded(config, table, "depth", [found])


def judge_depth_alone(config: CompositionalConfig, table: Table) -> Observed:
    """Whether ln(shallow / dense) is at least half of ln(shallow / tree), over the sizes."""
    asserted = Asserted.above(-log(config.depth), 0.0)
    found = _contrast(
        "ln(shallow / dense) - ln(shallow / tree) / 2, mean over sizes", config, table,
        {"shallow": 0.5, "dense": -1.0, "tree": 0.5}, asserted,
    )  # fmt: skip
    return _concluded(config, table, "depth-alone", [found])


def _contrast(
    name: str,
    config: CompositionalConfig,
    table: Table,
    weights: dict[str, float],
    asserted: Asserted,
) -> Measured:
    """A weighted sum of mean log errors, averaged over the sizes; Welch and Satterthwaite."""
    effect, terms = 0.0, []
    for units in config.units:
        for arm, weight in weights.items():
            logs = np.log(_errors(table, units, arm))
            share = weight / len(config.units)
            effect += share * float(logs.mean())
            terms.append((share**2 * float(logs.var(ddof=1)) / len(logs), len(logs) - 1))
    variance = sum(v for v, _ in terms)
    df = float(config.nets - 1)
    if variance > 0:
        df = variance**2 / sum(v**2 / n for v, n in terms)
    return by_t(name, effect, sqrt(variance), df, config.nets, asserted, config.alpha)


def _concluded(
    config: CompositionalConfig, table: Table, variant: str, measured: Sequence[Measured]
) -> Observed:
    gates = _gates(config, table)
    words = READINGS[variant]
    return conclude(measured, words, seed=config.seed, gates=gates, alpha=config.alpha)


World = Callable[[CompositionalConfig, Table, np.random.Generator], Table]


def _alike(*arms: str) -> World:
    """The errors of these kinds are dealt out anew among them, at every size."""

    def draw(config: CompositionalConfig, table: Table, random: np.random.Generator) -> Table:
        errors = _all_errors(table)
        of, sizes = np.array([r["arm"] for r in table]), table.column("units")
        for units in config.units:
            here = np.flatnonzero(np.isin(of, arms) & (sizes == units))
            errors[here] = errors[random.permutation(here)]
        return table.replaced("error", errors)

    return draw


def _shifted(
    arm: str, like: str, of: dict[str, float], by: Callable[[CompositionalConfig], float]
) -> World:
    """All errors drawn again from their own kind, and those of ``arm`` as the kind ``like`` spreads
    about its mean, on the log scale, about the weighted means of others and a number."""

    def draw(config: CompositionalConfig, table: Table, random: np.random.Generator) -> Table:
        logs = np.log(_all_errors(table))
        arms, sizes = np.array([r["arm"] for r in table]), table.column("units")
        drawn = logs.copy()
        for units in config.units:
            rows = {a: np.flatnonzero((arms == a) & (sizes == units)) for a in ARMS}
            for here in rows.values():
                drawn[here] = random.choice(logs[here], len(here))
            spread = logs[rows[like]] - logs[rows[like]].mean()
            centre = sum(w * logs[rows[a]].mean() for a, w in of.items()) + by(config)
            drawn[rows[arm]] = centre + random.choice(spread, len(rows[arm]))
        return table.replaced("error", np.exp(drawn))

    return draw


def _all_errors(table: Table) -> NDArray[np.float64]:
    found = table.column("error")
    return np.where(np.isfinite(found), found, _CONSTANT)


_STYLES: Final = {
    "tree": (BLUE, "o", "tree with the graph of the function"),
    "dense": (GREEN, "s", "deep, fully connected"),
    "shallow": (ORANGE, "^", "shallow"),
    "crossed": (GREY, "x", "tree, variables crossed"),
}


def draw(config: CompositionalConfig, table: Table, arrays: Arrays, figure: Figure) -> None:
    """The test error of every net against the number of parameters, and the medians."""
    del arrays
    axes = figure.subplots()
    for shift, (arm, (colour, marker, label)) in enumerate(_STYLES.items()):
        rows = table.where(arm=arm)
        counts = np.array([Tree(INPUTS, u).parameter_count for u in config.units], dtype=float)
        medians = [float(np.median(_errors(table, u, arm))) for u in config.units]
        axes.plot(counts, medians, color=colour, linewidth=2, marker=marker, label=label)
        tree = 7 * (4 * rows.column("units") + 1)
        axes.plot(
            tree * 1.02 ** (shift - 1.5), rows.column("error"), marker,
            color=colour, markersize=4, alpha=0.4, linestyle="none",
        )  # fmt: skip
    axes.axhline(_CONSTANT, color="black", linewidth=0.8, linestyle=":")
    axes.text(counts[0], 1.02, "best constant", fontsize=8, va="bottom")
    axes.set(xscale="log", yscale="log", ylim=(None, 1.7))
    axes.set_xticks(counts, [f"{int(c)}" for c in counts])
    axes.minorticks_off()
    ticks = [t for t in (0.1, 0.2, 0.3, 0.5, 0.7, 1.0) if t >= axes.get_ylim()[0]]
    axes.set_yticks(ticks, [f"{t:g}" for t in ticks])
    axes.set(xlabel="parameters", ylabel="test error / deviation of the target")
    axes.legend(fontsize=8, loc="upper center", ncols=4)
    title = f"Learning a compositional function of {INPUTS} variables, {config.nets} nets each"
    title_with_verdicts(figure, title, COMPOSITIONAL.judged(config, table))


COMPOSITIONAL: Final = Experiment(
    name=NAME,
    title=(
        "A tree of local units learns a compositional function better than shallow or dense ones"
    ),
    source=MHASKAR_POGGIO,
    readings=(
        Reading("locality", READINGS["locality"], "consistent", judge_locality),
        Reading("control", READINGS["control"], "consistent", judge_control),
        Reading("depth", READINGS["depth"], "consistent", judge_depth),
        Reading("depth-alone", READINGS["depth-alone"], "inconsistent", judge_depth_alone),
    ),
    budgets={
        "ci": CompositionalConfig(),
        "full": CompositionalConfig(
            nets=64, units=(8, 16, 32, 64, 128), samples=20_000, test=10_000, steps=20_000
        ),
    },
    parts=parts,
    measure=measure,
    draw=draw,
    nulls=(
        Null("all kinds alike", "locality", "consistent", _alike("tree", "shallow", "dense")),
        Null("deep and shallow alike", "depth", "consistent", _alike("shallow", "dense")),
        Null(
            "the crossed tree keeps the smallest advantage", "control", "consistent",
            _shifted("crossed", "shallow", {"shallow": 1.0}, lambda config: -log(config.locality)),
        ),
        Null(
            "depth brings exactly half", "depth-alone", "inconsistent",
            _shifted("dense", "dense", {"shallow": 0.5, "tree": 0.5}, lambda config: 0.0),
        ),
        Null(
            "the tree is better by exactly the smallest ratio", "locality", "inconsistent",
            _shifted("tree", "dense", {"dense": 1.0}, lambda config: -log(config.locality)),
        ),
    ),
    remarks=(
        "Without locality depth helps too, and the more the longer one trains: after 800 steps at "
        "a third of the rate it lowers the error by 5 to 9 %, after 4,000 at this rate by 10 to "
        "26 % (8 nets, other draws). A net without the graph of the function might still represent "
        "it well with other weights than training finds."
    ),
)  # fmt: skip
EXPERIMENTS: Final = {NAME: COMPOSITIONAL}

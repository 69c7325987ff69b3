"""Barriers between trained networks against their width, beside what theory says exactly.

Scalar networks with one hidden layer and squared loss, on flowers. For squares the theory is exact
at every width from d = rank X on (``square_theory``, kernel-checked at run time): no barrier for
p > d, and at p = d a wall up to tau between networks of different orientation. For ReLU it says
only that p = q + 1 units suffice, q the dimension of the features (exchange argument). The search
for low paths is the same for both, knows none of this, and is put to the test by the squares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from theorylab.experiments.drawing import BLUE, GREY, ORANGE, strip, title_with_verdicts
from theorylab.experiments.experiment import (
    Arrays,
    Config,
    Experiment,
    Measurements,
    Null,
    Reading,
)
from theorylab.experiments.networks.ensemble import Descent, Trained, train_ensemble
from theorylab.experiments.networks.model import Parameters, Perceptron, picked
from theorylab.experiments.sources import FREEMAN_BRUNA
from theorylab.experiments.studies.lowest_paths import Search, lowest_paths
from theorylab.experiments.studies.square_theory import SETS, Floating, Theory, iris
from theorylab.experiments.table import Row, Table
from theorylab.experiments.verdict import Asserted, conclude, share, signed_ranks, trend
from theorylab.model import Network
from theorylab.outcome import InputError, Observed
from theorylab.topology.lifted import exchange_widths

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME: Final = "relu-connectedness-trend"
_LEAST_PAIRS: Final = 7
_SOME: Final = Asserted.above(0.0, 0.1)
_SUFFICIENT: Final = "sufficient"
_BARRIER: Final = "peak above the higher end (zero net's loss)"
_SETS_RULE: Final = f"the sets are {' and '.join(SETS)}"
WORDS: Final = {
    "square": (
        "squares: a search finds no barrier between trained networks of more than rank X units"
    ),
    "square-at-rank": (
        "squares: at rank X units and fewer, networks that the theory parts keep a barrier, and "
        "the best path found climbs to the theory's level"
    ),
    "relu": "ReLU: the barriers found fall with the width, and at q + 1 units a search finds none",
    "relu-sharp": (
        "ReLU: q + 1 units are needed; with half as many, a search still finds barriers"
    ),
}


@dataclass(frozen=True, kw_only=True)
class ConnectednessConfig(Config):
    """Pairs of networks of squares at widths rank X + offset, and of ReLU at other widths.

    Barriers are peaks above the higher end, in shares of the loss of the zero network. One up to
    ``tolerance`` is none: the search is no finer. ``wall`` is the least that counts as a barrier
    at rank X, half of what theory says of these data. ``enough`` ends the search for a pair.
    Networks count as joined when more than ``shown_share`` of the pairs are, and do not when it is
    less than ``joined_share``: the search fails now and then. ``reached_share`` is that of the
    best paths which peak at the exact level, to be shown to be more than one half.
    """

    experiment: ClassVar[str] = NAME

    samples: int = 24
    square_sets: tuple[str, ...] = ("petals", "setosa")
    offsets: tuple[int, ...] = (-1, 0, 1, 2)
    square_pairs: int = 12
    rank_pairs: int = 24
    relu_sets: tuple[str, ...] = ("setosa",)
    relu_widths: tuple[int, ...] = (1, 2, 4, 8)
    relu_pairs: int = 28
    pairs_at_once: int = 28
    rate: float = 0.02
    steps: int = 3000
    beads: int = 14
    search_steps: int = 500
    inner: int = 2
    starts: int = 6
    enough: float = 0.02
    tolerance: float = 0.03
    wall: float = 0.06
    joined_share: float = 0.95
    shown_share: float = 0.7
    reached_share: float = 0.75
    smallest_trend: float = 0.3

    def __post_init__(self) -> None:
        for name, value, fits, rule in (
            ("square_sets", self.square_sets, {*self.square_sets} <= {*SETS}, _SETS_RULE),
            ("relu_sets", self.relu_sets, {*self.relu_sets} <= {*SETS}, _SETS_RULE),
            ("relu_sets", self.relu_sets, self.relu_sets, "there is one at least"),
            ("square_sets", self.square_sets, self.square_sets, "there is one at least"),
            ("offsets", self.offsets, {0, 1} <= {*self.offsets} and min(self.offsets) >= -1,
             "they are -1 or more, 0 and 1 among them"),
            ("relu_widths", self.relu_widths, len(self.relu_widths) >= 2,
             "a trend needs two widths and the sufficient one"),
        ):  # fmt: skip
            if not fits:
                raise InputError(name, value, rule, "choose others")

    def pairs_of(self, activation: str, offset: int = 1) -> int:
        """How many pairs there are; more at rank X, where most nets stop above the exact level."""
        if activation == "square":
            return self.square_pairs if offset else self.rank_pairs
        return self.relu_pairs


def parts(config: ConnectednessConfig) -> tuple[str, ...]:
    """One part for each set, activation, width and group of pairs."""
    found = [
        (name, "square", f"rank{offset:+d}", config.pairs_of("square", offset))
        for name in config.square_sets
        for offset in config.offsets
    ]
    found += [
        (name, "relu", width, config.pairs_of("relu"))
        for name in config.relu_sets
        for width in (*map(str, config.relu_widths), _SUFFICIENT)
    ]
    return tuple(
        f"set={name} activation={activation} width={width} pairs={first}"
        for name, activation, width, pairs in found
        for first in range(0, pairs, config.pairs_at_once)
    )


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Trained pairs of one width, their ends, and how many there are of which numbers."""

    model: Perceptron
    x: Tensor
    y: Tensor
    numbers: range
    trained: Trained
    a: Parameters
    b: Parameters

    def weights(self, k: int) -> tuple[Floating, Floating]:
        """W (p x n) and U (p) of both ends of the k-th pair."""
        ends = [[part[k].cpu().numpy() for part in end] for end in (self.a, self.b)]
        first, second = [(w.T.copy(), u[:, 0].copy()) for w, u in ends]
        return first, second

    @property
    def higher(self) -> NDArray[np.float64]:
        """The larger loss of each pair's ends."""
        return self.trained.losses.reshape(-1, 2).amax(1).cpu().numpy()


def _pairs(
    config: ConnectednessConfig,
    theory: Theory,
    activation: str,
    width: int,
    numbers: range,
    device: str,
) -> _Pairs:
    x = torch.tensor(np.array(theory.data.x.tolist(), dtype=np.float64).T.copy()).to(device)
    y = torch.tensor(np.array(theory.data.y.tolist(), dtype=np.float64)[0].copy()).to(device)
    model = Perceptron((theory.data.n, width, 1), activation, bias=False)
    trained = train_ensemble(
        model, x, y, [net for k in numbers for net in (2 * k, 2 * k + 1)],
        seed=config.seed, names=(NAME, theory.data.name, activation, width), loss="squares",
        dtype=torch.float64, device=device,
        descent=Descent(config.rate, config.steps, kind="adam"),
    )  # fmt: skip
    a, b = (picked(trained.parameters, range(end, 2 * len(numbers), 2)) for end in (0, 1))
    return _Pairs(model, x, y, numbers, trained, a, b)


def measure(config: ConnectednessConfig, part: str, device: str) -> Measurements:
    """One row for each pair: the peak of the best path found, and what theory says of it."""
    name, activation, size, group = (field.partition("=")[2] for field in part.split())
    features, target = SETS[name]
    theory = Theory(iris(features, target, config.samples))
    square, first = activation == "square", int(group)
    relu = Network.dense((theory.data.n, 1, 1), "relu")
    needed = theory.d + 1 if square else exchange_widths(relu, theory.data)[0]
    offset = int(size.removeprefix("rank")) if square else 1
    if size == _SUFFICIENT:
        width = needed
    elif square:
        width = theory.d + offset
    else:
        width = int(size)
    count = config.pairs_of(activation, offset)
    numbers = range(first, min(first + config.pairs_at_once, count))
    pairs = _pairs(config, theory, activation, width, numbers, device)
    found = lowest_paths(
        pairs.model, pairs.a, pairs.b, pairs.x, pairs.y, "squares",
        seed=config.seed, nets=numbers, names=(NAME, theory.data.name, activation, width),
        search=Search(
            config.beads, config.inner, steps=config.search_steps, starts=config.starts,
            enough=config.enough * theory.scale,
        ),
    )  # fmt: skip
    peaks, higher = found.peaks.cpu().numpy(), pairs.higher
    if square:
        told = _square_theory(config, theory, pairs, device)
    else:
        told = [
            {"parted": None, "predicted": end if width >= needed else None, "certified": None}
            for end in higher.tolist()
        ]
    rows = [
        {
            "set": name,
            "activation": activation,
            "width": width,
            "needed": needed,
            "pair": pair,
            "end_loss": end,
            "peak": peak,
            "scale": theory.scale,
            "barrier": (peak - end) / theory.scale,
            **said,
        }
        for pair, end, peak, said in zip(
            numbers, higher.tolist(), peaks.tolist(), told, strict=True
        )
    ]
    return Measurements(rows)


def _square_theory(
    config: ConnectednessConfig, theory: Theory, pairs: _Pairs, device: str
) -> list[Row]:
    """For each pair whether it is parted, its exact peak, and the level that the kernel proved."""
    width, higher = pairs.model.widths[1], pairs.higher
    if width < theory.d:
        # the least loss of fewer units, about: that of networks trained with them
        height = theory.scale
        if width > 1:
            narrow = _pairs(config, theory, "square", width - 1, pairs.numbers, device)
            height = float(narrow.trained.losses.min())
    else:
        height = theory.tau
    ends = [pairs.weights(k) for k in range(len(pairs.numbers))]
    # from the height on nothing parts them, and forms may be singular
    parted = [
        end < height and theory.parted(*pair)
        for pair, end in zip(ends, higher.tolist(), strict=True)
    ]
    wall = theory.proved_wall() if width == theory.d else None
    return [
        {
            "parted": apart,
            "predicted": height if apart else end if width >= theory.d else None,
            "certified": end
            if width > theory.d and np.isfinite(end) and theory.proved_joined(*pair)
            else wall,
        }
        for pair, apart, end in zip(ends, parted, higher.tolist(), strict=True)
    ]


def _chosen(table: Table, fits: Callable[[Row], bool]) -> Table:
    return Table(tuple(row for row in table if fits(row)))


def _number(row: Row, name: str) -> float:
    value = row[name]
    return np.inf if value is None else float(value)


def _joined(config: ConnectednessConfig, rows: Table) -> int:
    """How many pairs have no barrier; one whose networks diverged has."""
    return int((rows.column("barrier") <= config.tolerance).sum())


def _is_wide_square(row: Row) -> bool:
    return row["activation"] == "square" and _number(row, "width") >= _number(row, "needed")


def _is_relu_of_half(row: Row) -> bool:
    return row["activation"] == "relu" and 2 * _number(row, "width") <= _number(row, "needed")


def judge_square(config: ConnectednessConfig, table: Table) -> Observed:
    """Whether pairs of more than rank X units are joined."""
    rows = _chosen(table, _is_wide_square)
    asserted = Asserted.above(config.shown_share, config.joined_share)
    measured = [share("pairs joined", _joined(config, rows), len(rows), asserted, config.alpha)]
    proved = all(row["certified"] is not None for row in rows)
    gates = [("the kernel has seen that there is no barrier", proved)]
    return conclude(measured, WORDS["square"], seed=config.seed, gates=gates, alpha=config.alpha)


def judge_at_rank(config: ConnectednessConfig, table: Table) -> Observed:
    """Whether the best paths between parted pairs climb to the exact level, and never less."""
    parted = table.where(parted=True)
    # of full width, and so far below the proved level that the climb is a wall
    at_rank = _chosen(
        parted,
        lambda r: (
            _number(r, "width") + 1 == _number(r, "needed")
            and config.wall * _number(r, "scale")
            <= _number(r, "certified") - _number(r, "end_loss")
            and r["certified"] is not None
        ),
    )
    enough = len(at_rank) >= _LEAST_PAIRS
    gates = [("enough pairs lie below a level that the kernel proved", enough)]
    words, a = WORDS["square-at-rank"], config.alpha
    if not enough:
        found = share("pairs at rank X to judge", len(at_rank), len(table), _SOME, a)
        return conclude([found], words, seed=config.seed, gates=gates, alpha=a)
    excess = (parted.column("peak") - parted.column("predicted")) / parted.column("scale")
    exact = int((abs(excess) <= config.tolerance).sum())
    kept = int((at_rank.column("peak") >= at_rank.column("certified")).sum())
    often, always = Asserted.above(0.5, config.reached_share), Asserted.above(0.5, 1.0)
    high = Asserted.above(config.wall / 2, config.wall)
    barrier = np.nan_to_num(at_rank.column("barrier"))
    measured = [
        share("best paths that peak at the exact level", exact, len(parted), often, a),
        share("best paths not below the proved level", kept, len(at_rank), always, a),
        signed_ranks("barrier at rank X", barrier, high, a),
    ]
    return conclude(measured, words, seed=config.seed, gates=gates, alpha=a)


def _relu(config: ConnectednessConfig, table: Table, width: int | None) -> Table:
    """The ReLU rows of a width, None: that which suffices."""
    rows = table.where(activation="relu")
    found = _chosen(rows, lambda r: r["width"] == (r["needed"] if width is None else width))
    return Table(tuple(sorted(found, key=lambda r: (str(r["set"]), _number(r, "pair")))))


def judge_relu(config: ConnectednessConfig, table: Table) -> Observed:
    """Whether barriers fall with the width, and vanish at the one that suffices."""
    columns = [
        _relu(config, table, width).column("barrier") for width in (*config.relu_widths, None)
    ]
    barriers = np.nan_to_num(np.stack(columns, 1), nan=1.0)
    # below the tolerance the search sees no difference
    seen = np.where(barriers <= config.tolerance, 0.0, barriers)
    rows = _relu(config, table, None)
    asserted = Asserted.above(config.shown_share, config.joined_share)
    measured = [
        trend("fall, rank correlation", -seen, config.smallest_trend, config.alpha),
        share("pairs joined at q + 1", _joined(config, rows), len(rows), asserted, config.alpha),
    ]
    return conclude(measured, WORDS["relu"], seed=config.seed, alpha=config.alpha)


def judge_sharp(config: ConnectednessConfig, table: Table) -> Observed:
    """Whether many pairs are still parted at the largest width up to half of q + 1."""
    needed = min(_number(row, "needed") for row in table.where(activation="relu"))
    width = max((w for w in config.relu_widths if 2 * w <= needed), default=config.relu_widths[0])
    rows = _relu(config, table, width)
    apart = int((rows.column("barrier") >= config.wall).sum())
    asserted = Asserted.above(0.25, 0.5)
    measured = [
        share(f"pairs with a wall at width {width}", apart, len(rows), asserted, config.alpha)
    ]
    words = WORDS["relu-sharp"]
    return conclude(measured, words, seed=config.seed, alpha=config.alpha)


Draw = Callable[[ConnectednessConfig, Table, np.random.Generator], Table]


def _tossed(chosen: Callable[[Row], bool], joined: float) -> Draw:
    """The chosen pairs are joined with this probability, the others of them have a high barrier."""

    def draw(config: ConnectednessConfig, table: Table, random: np.random.Generator) -> Table:
        heights = [
            (0.0 if random.random() < joined else 1.0) if chosen(row) else row["barrier"]
            for row in table
        ]
        return table.replaced("barrier", heights)

    return draw


def _missed(config: ConnectednessConfig, table: Table, random: np.random.Generator) -> Table:
    """Half of the best paths between parted pairs miss the exact level."""
    miss = 2 * config.tolerance * table.column("scale") * (random.random(len(table)) < 0.5)
    peaks = [
        _number(row, "predicted") + off if row["parted"] is True else row["peak"]
        for row, off in zip(table, miss.tolist(), strict=True)
    ]
    return table.replaced("peak", peaks)


def _unordered(config: ConnectednessConfig, table: Table, random: np.random.Generator) -> Table:
    """The barriers of ReLU pairs stand at the widths in a drawn order."""
    barriers = table.column("barrier")
    owners = [(row["activation"], row["set"], row["pair"]) for row in table]
    for owner in dict.fromkeys(o for o in owners if o[0] == "relu"):
        here = np.array([i for i, o in enumerate(owners) if o == owner])
        barriers[here] = barriers[random.permutation(here)]
    return table.replaced("barrier", barriers)


def draw(config: ConnectednessConfig, table: Table, arrays: Arrays, figure: Figure) -> None:
    """Barriers against width: squares beside what is exact for each pair, and ReLU."""
    left, right = figure.subplots(1, 2, sharey=True)
    styles = dict(zip(SETS, ((BLUE, "o"), (ORANGE, "s")), strict=True))
    for at, name in enumerate(config.square_sets):
        colour, marker = styles[name]
        rows = table.where(activation="square", set=name)
        place = 0.36 * at - 0.18 * (len(config.square_sets) - 1)
        for offset in config.offsets:
            here = rows.where(width=_rank(rows) + offset)
            label = f"{name}, rank X = {_rank(rows)}" if offset == config.offsets[0] else None
            strip(left, offset + place, here.column("barrier"), colour, marker, label, bar=False)
            exact = (here.column("predicted") - here.column("end_loss")) / here.column("scale")
            left.plot(
                offset + place + 0.13 + np.zeros(len(exact)), exact, "_", color="black",
                markersize=7, markeredgewidth=1,
                label="exact, of each pair" if label and at == 0 else None,
            )  # fmt: skip
    left.set_xticks(
        config.offsets, [f"{offset:+d}" if offset else "0" for offset in config.offsets]
    )
    left.set(title="squares", xlabel="units p, less rank X", ylabel=_BARRIER)
    for at, name in enumerate(config.relu_sets):
        colour, marker = styles[name]
        rows = table.where(activation="relu", set=name)
        widths = sorted({int(_number(row, "width")) for row in rows})
        for place, width in enumerate(widths):
            here = rows.where(width=width)
            label = name if place == 0 else None
            strip(right, place + 0.3 * at, here.column("barrier"), colour, marker, label, bar=False)
        right.set_xticks(range(len(widths)), [str(width) for width in widths])
        if len(rows):
            right.annotate(
                f"q + 1 = {rows.rows[0]['needed']} suffice", (len(widths) - 1, 0.02), (0.62, 0.35),
                textcoords="axes fraction", fontsize=8, arrowprops={"arrowstyle": "->"},
            )  # fmt: skip
    right.set(title="ReLU", xlabel="units p")
    for axes in (left, right):
        axes.axhspan(-0.01, config.tolerance, color=GREY, alpha=0.2, linewidth=0)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8, loc="upper right")
    title = "Barriers between trained networks on the best paths found; grey: none"
    title_with_verdicts(figure, title, CONNECTEDNESS.judged(config, table))


def _rank(rows: Table) -> int:
    return int(_number(rows.rows[0], "needed")) - 1 if len(rows) else 0


CONNECTEDNESS: Final = Experiment(
    name=NAME,
    title="Barriers between trained networks vanish with the width, as the theory predicts",
    source=FREEMAN_BRUNA,
    readings=(
        Reading("square", WORDS["square"], "consistent", judge_square),
        Reading("square-at-rank", WORDS["square-at-rank"], "consistent", judge_at_rank),
        Reading("relu", WORDS["relu"], "consistent", judge_relu),
        Reading("relu-sharp", WORDS["relu-sharp"], "inconsistent", judge_sharp),
    ),
    budgets={
        "ci": ConnectednessConfig(),
        "full": ConnectednessConfig(
            offsets=(-1, 0, 1, 2, 3),
            square_pairs=96,
            rank_pairs=192,
            relu_sets=("petals", "setosa"),
            relu_widths=(1, 2, 3, 4, 6, 8, 12, 16),
            relu_pairs=96,
            pairs_at_once=48,
            steps=10_000,
            beads=24,
            search_steps=2000,
            inner=4,
            starts=16,
            enough=0.005,
        ),
    },
    parts=parts,
    measure=measure,
    draw=draw,
    nulls=(
        Null("seven of ten joined", "square", "consistent", _tossed(_is_wide_square, 0.7)),
        Null("as many joined as is said", "square", "inconsistent", _tossed(_is_wide_square, 0.95)),
        Null("half of the paths miss the exact level", "square-at-rank", "consistent", _missed),
        Null("barriers in a drawn order", "relu", "consistent", _unordered),
        Null("half are parted", "relu-sharp", "inconsistent", _tossed(_is_relu_of_half, 0.5)),
        Null("a quarter are parted", "relu-sharp", "consistent", _tossed(_is_relu_of_half, 0.75)),
    ),
    remarks=(
        "The peak of the best path found is an upper bound of the least peak. At rank X and below "
        "the search is seen to reach the exact level; above, a pair that it does not join is "
        "counted against the reading though theory knows it to be joined. For ReLU a barrier that "
        "is left may be the search's."
    ),
)
EXPERIMENTS: Final = {NAME: CONNECTEDNESS}

"""Small exact instances: generators of networks, data and weights, and the values they make.

Each generator draws its choices from an abstract ``Draw``: ``Seeded`` (the same seed gives the same
instance) for verify and sweeps, Hypothesis for property tests (``strategy``), so that what shrinks
in a test is what a sweep generates.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from flint import fmpq, fmpq_mat
from hypothesis import strategies as st

from theorylab.counting.ensembles import Ensemble
from theorylab.model import Dataset, Loss, Network, Ridge, Weights
from theorylab.model.rational import ones, stacked
from theorylab.topology.exact_algebra import least_squares, trace

T = TypeVar("T")


class Draw(Protocol):
    """A source of choices; every generator here takes one."""

    def integer(self, low: int, high: int) -> int:
        """An integer of low..high."""
        ...

    def choice(self, options: Sequence[T]) -> T:
        """One of the options; the first is the simplest, to which Hypothesis shrinks."""
        ...


class Seeded:
    """Choices from ``random.Random(seed)``: the same seed, the same instance, on any machine."""

    def __init__(self, seed: int | str) -> None:
        self.seed = seed
        self._rng = random.Random(seed)

    def integer(self, low: int, high: int) -> int:
        """An integer of low..high."""
        return self._rng.randint(low, high)

    def choice(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self._rng.randrange(len(options))]


class _FromHypothesis:
    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self._draw = draw

    def integer(self, low: int, high: int) -> int:
        value: int = self._draw(st.integers(low, high))
        return value

    def choice(self, options: Sequence[T]) -> T:
        return options[self.integer(0, len(options) - 1)]


def strategy(generator: Callable[[Draw], T]) -> st.SearchStrategy[T]:
    """The Hypothesis strategy whose examples are ``generator(draw)``.

    >>> pairs = strategy(lambda draw: (draw.integer(0, 3), draw.choice("ab")))
    """

    @st.composite
    def built(draw: Callable[[st.SearchStrategy[Any]], Any]) -> T:
        return generator(_FromHypothesis(draw))

    return built()


def matrix(draw: Draw, rows: int, columns: int, size: int = 3) -> fmpq_mat:
    """A matrix of integers of -size..size."""
    return fmpq_mat(rows, columns, [fmpq(draw.integer(-size, size)) for _ in range(rows * columns)])


def weights(draw: Draw, network: Network, size: int = 3, degenerate: bool = True) -> Weights:
    """Weights of a dense network; degenerate ones (zero or rank-one layers, twin rows) too."""
    layers = [matrix(draw, *network.shape(k), size) for k in range(1, network.depth + 1)]
    kind = "plain"
    if degenerate:
        kind = draw.choice(("plain", "plain", "plain", "rank one", "twins", "zero layer", "zero"))
    place = draw.integer(0, network.depth - 1) if kind != "plain" else 0
    rows, columns = network.shape(place + 1)
    if kind == "rank one":
        layers[place] = matrix(draw, rows, 1, size) * matrix(draw, 1, columns, size)
    elif kind == "twins":
        layers[place] = fmpq_mat([layers[place].tolist()[0]] * rows)
    elif kind == "zero layer":
        layers[place] = fmpq_mat(rows, columns)
    elif kind == "zero":
        layers = [fmpq_mat(*network.shape(k)) for k in range(1, network.depth + 1)]
    return tuple(layers)


def dataset(
    draw: Draw, n: int, m: int, samples: int, size: int = 3, degenerate: bool = True
) -> Dataset:
    """Small integer data; degenerate ones (twin samples, inputs of rank one or zero) too."""
    x, y = matrix(draw, n, samples, size), matrix(draw, m, samples, size)
    kind = "plain"
    if degenerate:
        kind = draw.choice(
            ("plain", "plain", "plain", "twin samples", "rank one", "zero", "weights")
        )
    sample_weights = None
    if kind == "twin samples":
        first = fmpq_mat([[row[0]] for row in x.tolist()])
        x = first * ones(1, samples)
    elif kind == "rank one":
        x = matrix(draw, n, 1, size) * matrix(draw, 1, samples, size)
    elif kind == "zero":
        x = fmpq_mat(n, samples)
    elif kind == "weights":
        sample_weights = tuple(fmpq(draw.integer(1, 4), 2) for _ in range(samples))
    return Dataset(x, y, sample_weights, f"random {kind}")


def structured_dataset(draw: Draw, n: int, m: int, size: int) -> Dataset:
    """Small integer data of one of the kinds that landscapes are known to depend on."""
    kind = draw.choice(("small", "small", "unit", "identity", "line", "rank one", "signs", "twins"))
    samples = draw.integer(1, max(size, 1) + 1)
    if kind == "identity":
        samples = n
        x = fmpq_mat([[int(i == j) for j in range(n)] for i in range(n)])
    elif kind == "line":
        # points on one line that misses the origin, in runs of neighbours
        runs, x_rows = draw.integer(1, max(1, size - 1)), []
        x_rows.append([fmpq(4 * r + d) for r in range(runs) for d in (-1, 0, 1)])
        samples = 3 * runs
        x_rows += [[fmpq(int(i == 0))] * samples for i in range(n - 1)]
        x = fmpq_mat(x_rows)
    elif kind == "rank one":
        x = matrix(draw, n, 1, 2) * matrix(draw, 1, samples, 2)
    elif kind in ("signs", "unit"):
        x = fmpq_mat(n, samples, [draw.choice((1, -1)) for _ in range(n * samples)])
    else:
        x = matrix(draw, n, samples, 2)
    labels = draw.choice(("small", "signs", "one-hot", "teacher", "small"))
    if labels == "signs":
        c = draw.integer(1, 2)
        y = fmpq_mat(m, samples, [draw.choice((c, -c)) for _ in range(m * samples)])
    elif labels == "one-hot":
        hot = [draw.integer(0, m - 1) for _ in range(samples)]
        y = fmpq_mat([[int(hot[j] == i) for j in range(samples)] for i in range(m)])
    elif labels == "teacher":
        # one kink in each run of neighbours: a function that needs every unit
        slope = [fmpq(draw.integer(0, 2)) for _ in range(samples)]
        y = fmpq_mat([[sum(slope[: j // 3 + 1], fmpq(0)) * (j % 3) for j in range(samples)]] * m)
    else:
        y = matrix(draw, m, samples, 3)
    weights = None
    if draw.integer(0, 9) == 0:
        weights = tuple(fmpq(draw.integer(1, 3)) for _ in range(samples))
    if kind == "twins" and samples > 1:
        x = fmpq_mat([[row[0]] * 2 + row[2:] for row in x.tolist()])
    return Dataset(x, y, weights, kind)


def one_target_each(draw: Draw, n: int, m: int, units: int) -> Dataset:
    """As many samples as the last hidden layer has units, each with a target of its own."""
    x = matrix(draw, n, units, 2)
    c = draw.integer(1, 2)
    rows = [[c * int(i == j) for j in range(units)] for i in range(m)]
    return Dataset(x, fmpq_mat(rows), None, "one target each")


def fitted(draw: Draw, network: Network, data: Dataset, units: int | None = None) -> Weights:
    """Weights near a least-squares fit: random hidden layers, best output layer rounded.

    The output layer keeps as few decimals as leave the loss within 2 % of |Y|^2 of its best.

    ``units``: only so many units of each hidden layer are alive (their ranks bound the width the
    any-depth theorem needs); the other rows are zero and nothing reads them.
    """
    layers = [matrix(draw, *network.shape(k), 3) for k in range(1, network.depth + 1)]
    if units is not None:
        for k in range(network.depth - 1):
            layers[k] = _only_first(layers[k], units, network.widths[k + 1])
            layers[k + 1] = _only_first(layers[k + 1].transpose(), units, network.widths[k + 1])
            layers[k + 1] = layers[k + 1].transpose()
    last = network.features(tuple(layers), data.x)[-1]
    if network.bias[-1]:
        last = stacked(last, ones(1, data.samples))
    best = least_squares(last, data).tolist()
    loss, slack = Loss(network, data), fmpq(1, 50) * trace(data.gram(data.y))
    floor = loss((*layers[:-1], fmpq_mat(best)))
    for digits in range(2, 40, 2):
        scale = 10**digits
        layers[-1] = fmpq_mat([[fmpq(round(scale * q), scale) for q in row] for row in best])
        if loss(tuple(layers)) <= floor + slack:
            break
    return tuple(layers)


def _only_first(layer: fmpq_mat, units: int, width: int) -> fmpq_mat:
    """The matrix with rows ``units``..``width`` - 1 set to zero (a bias row beyond stays)."""
    table = layer.tolist()
    return fmpq_mat(
        [[fmpq(0)] * len(row) if units <= i < width else row for i, row in enumerate(table)]
    )


@dataclass(frozen=True, slots=True)
class Instance:
    """One small exact case of a claim: network, data, conclusion, and the points it is about.

    ``conclusion`` is the kernel's JSON; ``expected`` is what the catalogue expects of it;
    ``variant`` says whether the hypotheses are those of the source as printed, or corrected;
    ``ridge`` is that of the loss, if it has one.
    """

    name: str
    variant: str
    network: Network
    data: Dataset
    conclusion: dict[str, Any]
    a: Weights
    b: Weights | None = None
    expected: str = "proved"
    note: str = ""
    ridge: Ridge | None = None

    @property
    def loss(self) -> Loss:
        """The loss of the instance."""
        return Loss(self.network, self.data, self.ridge)

    @property
    def architecture(self) -> str:
        """The widths, e.g. 4-6-5-3, with +b when some layer has a bias."""
        return "-".join(map(str, self.network.widths)) + ("+b" if any(self.network.bias) else "")


@dataclass(frozen=True, slots=True)
class Trial:
    """One statistical case of a claim: so many draws from an ensemble, and the mean it claims.

    ``seed`` is that of the draws; ``expected`` is what the catalogue expects to be observed.
    """

    name: str
    variant: str
    ensemble: Ensemble
    claimed: float
    draws: int
    seed: str
    expected: str = "consistent"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A loss surface before any point on it is named: network, data, and perhaps a ridge.

    ``ridge`` is one number for each entry of the layers, in the kernel's order.
    """

    network: Network
    data: Dataset
    ridge: tuple[fmpq, ...] | None = None

    @property
    def architecture(self) -> str:
        """The widths, e.g. 4-6-5-3, with +b when some layer has a bias."""
        return "-".join(map(str, self.network.widths)) + ("+b" if any(self.network.bias) else "")


_PLAINEST = ("linear", "square", "abs", "relu", "leaky_relu", "cube", "polynomial", "step")


def height(values: Sequence[fmpq]) -> int:
    """The sum of |p| + q over rationals p/q: how much there is to write.

    >>> height([fmpq(0), fmpq(-1), fmpq(2, 3)])
    8
    """
    return sum(abs(int(v.p)) + int(v.q) for v in values)


def shrink_order(case: Case) -> tuple[Any, ...]:
    """The order in which a counterexample is the simpler one: a key, the smallest is the best.

    Fewest hidden units first: a reader draws the network before anything else, and each unit adds
    a whole row and column. Then the smallest widths and the fewest samples, which are what is left
    of the picture; then the plainest network (activation, biases, pattern, penalty), and only then
    the smallest numbers, since numbers can be read off whatever their size. Of two that differ by
    signs, the one with fewer minus signs; of two in another order, the one whose samples rise.

    >>> small = Dataset.from_rows([[1]], [[1]])
    >>> one, two = (Case(Network.dense((1, p, 1), "linear"), small) for p in (1, 2))
    >>> shrink_order(one) < shrink_order(two)
    True
    """
    network, data = case.network, case.data
    numbers = [*data.x.entries(), *data.y.entries()]
    pattern = [
        entry
        for k in range(1, network.depth + 1)
        for entry in network.entries(k)
        if entry is not None
    ]
    return (
        sum(network.hidden),
        network.n + network.m,
        sorted(network.hidden),
        data.samples,
        _PLAINEST.index(network.activation.kind),
        height(network.activation.parameters),
        network.output == "activation",
        sum(network.bias),
        len(pattern),
        height([entry for entry in pattern if isinstance(entry, fmpq)]),
        0 if case.ridge is None else height(case.ridge),
        0 if data.weights is None else height(data.weights),
        height(numbers),
        sum(v < 0 for v in numbers),
        network.widths,
        [(-int(v.p), int(v.q)) for v in numbers],
    )

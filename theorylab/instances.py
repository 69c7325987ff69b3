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
from theorylab.model import Dataset, Loss, Network, Weights
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
    ``variant`` says whether the hypotheses are those of the source as printed, or corrected.
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

    @property
    def loss(self) -> Loss:
        """The loss of the instance."""
        return Loss(self.network, self.data)

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

"""What is drawn for a claim: instances, trials, cases, and which of two cases is the simpler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flint import fmpq

from theorylab.counting.ensembles import Ensemble
from theorylab.model import Dataset, Loss, Network, Ridge, Weights
from theorylab.outcome import Shown


@dataclass(frozen=True, slots=True)
class Instance(Shown):
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
class Case(Shown):
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

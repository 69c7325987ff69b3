"""Points of a sublevel set, the walls that keep them apart, and what that shows."""

from __future__ import annotations

import random
from dataclasses import dataclass
from math import factorial

from flint import fmpq, fmpq_mat

from theorylab.model import Loss, Network, Weights
from theorylab.model.rational import ones, stacked
from theorylab.outcome import Undecided
from theorylab.topology.barrier import Argument
from theorylab.topology.exact_algebra import least_squares
from theorylab.topology.path import Json, rational, theta_json
from theorylab.topology.spectrum import simplest_between

_SHORT = 12
_MOST_POINTS = 64


@dataclass(frozen=True, slots=True)
class Separation:
    """`points` of {L <= u}, any two of them on different sides of one of the `walls`.

    `permuted`: the units of every point may be permuted, and each order is another component.
    Guarantees: none until the kernel has checked an argument made of it.
    """

    loss: Loss
    u: fmpq
    walls: tuple[Json, ...]
    points: tuple[Weights, ...]
    permuted: bool = False

    @property
    def number(self) -> int:
        """How many components of {L <= u} are shown."""
        orders = factorial(min(self.loss.network.hidden[0], 20)) if self.permuted else 1
        return orders * len(self.points)

    @property
    def components(self) -> Argument:
        """The argument that {L <= u} has at least `number` components."""
        conclusion = {
            "kind": "components",
            "u": rational(self.u),
            "at_least": self.number,
            "at_most": None,
        }
        points = [theta_json(point) for point in self.points[:_MOST_POINTS]]
        return Argument(conclusion, "barrier", {"walls": list(self.walls), "points": points})

    @property
    def pair(self) -> tuple[Weights, Weights]:
        """Two points in different components."""
        a = self.points[0]
        return (a, self.points[1]) if len(self.points) > 1 else (a, exchanged(a))

    @property
    def separated(self) -> Argument:
        """The argument that the two points of `pair` are in different components of {L <= u}."""
        a, b = (theta_json(point) for point in self.pair)
        conclusion = {"kind": "separated", "A": a, "B": b, "u": rational(self.u)}
        return Argument(conclusion, "barrier", {"walls": list(self.walls)})


def level_between(low: fmpq, high: fmpq, u: fmpq | None = None) -> fmpq | Undecided:
    """`u` if it is in [low, high), or a short rational of it when `u` is None.

    >>> level_between(fmpq(1), fmpq(2)), level_between(fmpq(10**13, 3 * 10**13 + 1), fmpq(1, 2))
    (1, 1/3)
    """
    if low >= high or (u is not None and not low <= u < high):
        return Undecided("no level is above the points and below the walls", "the level")
    if u is not None:
        return u
    return low if len(str(low)) <= _SHORT else simplest_between(low, high)


def with_best_output(loss: Loss, hidden: list[fmpq_mat]) -> Weights:
    """These hidden layers, and the output layer that is the least-squares one without a ridge."""
    network, data = loss.network, loss.data
    layers = (*hidden, fmpq_mat(*network.shape(network.depth)))
    last = network.features(layers, data.x)[-1]
    if network.bias[-1]:
        last = stacked(last, ones(1, data.samples))
    return (*hidden, least_squares(last, data))


def random_hidden(network: Network, rng: random.Random) -> list[fmpq_mat]:
    """Hidden layers of small integers."""
    return [
        fmpq_mat(rows, cols, [rng.randint(-2, 2) for _ in range(rows * cols)])
        for rows, cols in map(network.shape, range(1, network.depth))
    ]


def exchanged(point: Weights) -> Weights:
    """The first two units of the last hidden layer in the other order."""
    below, above = fmpq_mat(point[-2]), fmpq_mat(point[-1])
    for j in range(below.ncols()):
        below[0, j], below[1, j] = point[-2][1, j], point[-2][0, j]
    for i in range(above.nrows()):
        above[i, 0], above[i, 1] = point[-1][i, 1], point[-1][i, 0]
    return (*point[:-2], below, above)

"""Walls of a layer of one unit: what it hands on, or what it reads, cannot vanish below a level."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from flint import fmpq, fmpq_mat

from theorylab.model import Loss, Network, Weights
from theorylab.model.rational import columns, ones, stacked
from theorylab.outcome import Undecided
from theorylab.topology.exact_algebra import rank, rows, solve, trace
from theorylab.topology.path import Json, rational
from theorylab.topology.spectrum import eigen, rounded
from theorylab.topology.walls.separation import (
    Separation,
    level_between,
    random_hidden,
    with_best_output,
)

_TRIES = 16
_MOST_STARTS = 40

Signed = dict[int, tuple[fmpq, Weights]]


def separated_by_narrow_layer(loss: Loss, u: fmpq | None = None) -> Separation | Undecided:
    """Show two components of {L <= u} past a hidden layer of one unit, no bias above it.

    The activation is relu, abs, leaky_relu of slope <= 0, or one power. Then Phi = h(x)^e g, h >= 0
    or rho a power, g what the layers above make of 1; where c.g = 0 the loss is at least |c Y|^2
    for |c| = 1. Both signs of c.g must be met by some point below that.
    Guarantees: exact. Undecided when a hypothesis fails, or no points are found in some tries.
    Source: own; CLAIMS C10 (iv).

    >>> from theorylab.model import Dataset, Network
    >>> data = Dataset.from_rows([[1], [-1]], [[1], [-1]])
    >>> found = separated_by_narrow_layer(Loss(Network.dense((1, 1, 1), "relu"), data))
    >>> found.number, found.u
    (2, 1)
    """
    network, data = loss.network, loss.data
    fits = network.is_dense and network.output == "linear"
    narrow = [
        k
        for k, width in enumerate(network.hidden, start=1)
        if width == 1 and not any(network.bias[k:])
    ]
    if not fits or not narrow or not _keeps_sign(network):
        return Undecided("no layer of one unit whose sign the network keeps", "the narrow layer")
    k, one_sided = narrow[0], network.activation.coefficients is None
    for c in _directions(loss):
        target = c * data.y
        if one_sided and not min(target.entries()) < 0 < max(target.entries()):
            continue
        top = data.gram(target)[0, 0] / (c * c.transpose())[0, 0]
        best: Signed = {}
        for hidden in _lower_layers(loss, target, k):
            last = rows(network.features((*hidden, hidden[-1]), data.x)[-1], [0])
            size = data.gram(last)[0, 0]
            if size == 0:
                continue
            outer = fmpq_mat(*network.shape(network.depth))
            for i, moment in enumerate(data.gram(data.y, last).entries()):
                outer[i, 0] = moment / size
            _keep(best, loss, (*hidden, outer), (c * columns(outer, [0]))[0, 0])
        wall = {"kind": "narrow", "layer": k, "direction": [rational(v) for v in c.entries()]}
        found = _two_sides(loss, best, top, wall, u)
        if not isinstance(found, Undecided):
            return found
    return Undecided("no points with both signs below the wall", "the narrow layer")


def separated_by_line(loss: Loss, u: fmpq | None = None) -> Separation | Undecided:
    """Show two components of {L <= u}: inputs on one line d, and one unit w in the first layer.

    Where w.d = 0 all outputs are equal, and the loss is at least the variance of the targets; at
    least |Y|^2 if the line meets 0, there are no biases and rho(0) = 0. Any depth and activation.
    Guarantees: exact. Undecided when a hypothesis fails, or no points are found in some tries.
    Source: own; CLAIMS C10 (i).

    >>> from theorylab.model import Dataset, Network
    >>> data = Dataset.from_rows([[1], [-1]], [[1], [2]])
    >>> found = separated_by_line(Loss(Network.dense((1, 1, 1), "relu"), data))
    >>> found.number, found.u
    (2, 4)
    """
    network, data = loss.network, loss.data
    if network.depth < 2 or network.hidden[0] != 1 or not network.is_dense:
        return Undecided("the first layer is not one unit", "the line")
    first = columns(data.x, [0])
    apart = data.x - first * ones(1, data.samples)
    flat = rank(data.x) == 1 and not any(network.bias)
    central = flat and not (network.activation.coefficients or (0,))[0]
    spread = data.x if central else apart
    if rank(spread) != 1:
        return Undecided("the inputs are not on one line", "the line")
    d = next(v for j in range(data.samples) if any(v := columns(spread, [j]).entries()))
    total = data.gram(data.y, ones(1, data.samples)).entries()
    mean = sum((v * v for v in total), fmpq(0)) / sum(data.sample_weights, fmpq(0))
    top = trace(data.gram(data.y)) - (0 if central else mean)
    best: Signed = {}
    for sign in (1, -1):
        for hidden in _readers(loss, [sign * v for v in d]):
            _keep(best, loss, with_best_output(loss, hidden), fmpq(sign))
    wall = {"kind": "line", "direction": [rational(v) for v in d]}
    return _two_sides(loss, best, top, wall, u)


def _two_sides(
    loss: Loss, best: Signed, top: fmpq, wall: Json, u: fmpq | None
) -> Separation | Undecided:
    if len(best) < 2:
        return Undecided("no points with both signs", "the wall")
    level = level_between(max(found for found, _ in best.values()), top, u)
    if isinstance(level, Undecided):
        return level
    return Separation(loss, level, (wall,), (best[1][1], best[-1][1]))


def _keep(best: Signed, loss: Loss, point: Weights, value: fmpq) -> None:
    """Remember the lowest point of each sign."""
    sign = (value > 0) - (value < 0)
    if sign:
        found = loss(point)
        if sign not in best or found < best[sign][0]:
            best[sign] = found, point


def _keeps_sign(network: Network) -> bool:
    rho = network.activation
    if rho.coefficients is None:
        return rho.kind in ("relu", "abs") or (rho.kind == "leaky_relu" and rho.parameters[0] <= 0)
    powers = [i for i, a in enumerate(rho.coefficients) if a]
    return len(powers) == 1 and powers[0] > 0


def _directions(loss: Loss) -> Iterator[fmpq_mat]:
    """Outputs one by one, then the direction in which the targets have most energy."""
    m = loss.network.m
    for i in range(m):
        yield fmpq_mat([[int(i == j) for j in range(m)]])
    if m > 1:
        _, vectors = eigen(loss.data.gram(loss.data.y), 20)
        yield rounded(columns(vectors, [0]), 4).transpose()


def _lower_layers(loss: Loss, target: fmpq_mat, k: int) -> Iterator[list[fmpq_mat]]:
    """Hidden layers, the first units of those above the k-th handing on what they get."""
    network, data = loss.network, loss.data
    x = stacked(data.x, ones(1, data.samples)) if network.bias[0] else data.x
    moments = data.gram(x, target)
    fit = solve(data.gram(x), moments)
    assert fit is not None  # normal equations are always consistent
    starts = [fit, fit * -1, moments, moments * -1]
    starts += [fmpq_mat(x.nrows(), 1, [int(i == j) for j in range(x.nrows())]) for i in range(3)]
    starts += [start * -1 for start in starts[4:]]
    for start in starts:
        yield _chained(network, start.entries())
    rng = random.Random(0)
    for _ in range(_TRIES):
        above = _chained(network, [fmpq(1)] * network.shape(1)[1])
        yield [*random_hidden(network, rng)[:k], *above[k:]]


def _readers(loss: Loss, d: Sequence[fmpq]) -> Iterator[list[fmpq_mat]]:
    """Hidden layers whose first unit reads along d, and bends at one of the samples if it can."""
    network, data = loss.network, loss.data
    heights = (fmpq_mat([list(d)]) * data.x).entries()
    offsets = [fmpq(0)]
    if network.bias[0]:
        known = sorted(set(heights))[:: 1 + len(set(heights)) // _MOST_STARTS]
        offsets = [-h for h in known] + [-(min(heights) - 1), -(max(heights) + 1)]
    rng = random.Random(0)
    for offset in offsets:
        row = [*d, *([offset] if network.bias[0] else [])]
        layers = _chained(network, row)
        yield layers
        if network.depth > 2:
            yield [layers[0], *random_hidden(network, rng)[1:]]


def _chained(network: Network, first: Sequence[fmpq]) -> list[fmpq_mat]:
    """Hidden layers of which only the first units live: one reads the input, the rest hand on."""
    layers = [fmpq_mat(*network.shape(k)) for k in range(1, network.depth)]
    for j, value in enumerate(first):
        layers[0][0, j] = value
    for layer in layers[1:]:
        layer[0, 0] = fmpq(1)
    return layers

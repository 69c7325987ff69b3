"""Data on a line that a network of p units fits only with one kink in each of p brackets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice, product

import numpy as np
from flint import fmpq, fmpq_mat

from theorylab.model import Dataset, Loss, Network, Weights
from theorylab.model.rational import columns, ones, stacked
from theorylab.outcome import Undecided
from theorylab.topology.exact_algebra import beside, rank, rows, solve
from theorylab.topology.walls.separation import Separation, level_between, with_best_output

_MOST_PLACES = 14
_MOST_UNITS = 5
_MOST_FITS = 600

Triple = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Bracket:
    """Samples start < middle < end on the line; below `height` there is a kink between them."""

    samples: Triple
    height: fmpq


def separated_by_kinks(loss: Loss, u: fmpq | None = None) -> Separation | Undecided:
    """Show p! components of {L <= u} or more: p units, each with its kink in its own bracket.

    For relu, leaky_relu and abs, one hidden layer of p >= 1 units, one output, inputs on a line. A
    function without a kink in the open bracket (x_i, x_k) is affine there and misses y_i, y_j, y_k
    by at least (c.y)^2 / sum c^2/s, c the second difference. With p disjoint brackets each unit
    has its own, and neither that nor the side to which it points can change.
    Guarantees: exact. Undecided when a hypothesis fails, or no fit with one kink in each is found.
    Source: own; CLAIMS C10 (ii).

    >>> from theorylab.model import Network
    >>> data = Dataset.from_rows(
    ...     [[s, 1] for s in (-1, 0, 1, 3, 4, 5)], [[y] for y in (0, 0, 1, 3, 4, 4)]
    ... )
    >>> found = separated_by_kinks(Loss(Network.dense((2, 2, 1), "relu"), data))
    >>> found.number, found.u
    (2, 0)
    """
    network, data = loss.network, loss.data
    kinked = network.activation.kind in ("relu", "leaky_relu", "abs")
    one_layer = network.depth == 2 and network.m == 1 and network.output == "linear"
    if not kinked or not one_layer or not network.is_dense:
        return Undecided("not one hidden layer of relu or abs with one output", "the kinks")
    p = network.hidden[0]
    line = _on_a_line(data)
    if line is None or p > _MOST_UNITS:
        return Undecided("the inputs are on no line, or too many units", "the kinks")
    places, base, step = line
    if not network.bias[0] and rank(beside(base, step)) < 2:
        return Undecided("without bias all kinks on a line through 0 are at 0", "the kinks")
    brackets = _brackets(data, places, p)
    if brackets is None:
        return Undecided(f"no {p} disjoint brackets in which the targets bend", "the kinks")
    top = min(bracket.height for bracket in brackets)
    best: dict[tuple[int, ...], tuple[fmpq, Weights]] = {}
    rough = _Rough(network, data, base, step)
    for turns, kinks in islice(_choices(data, places, brackets), _MOST_FITS):
        known = min(top, best[turns][0]) if turns in best else top
        if known == 0 or rough.loss(turns, kinks) > 1.01 * float(known):
            continue
        hidden = _units(network, base, step, turns, kinks)
        if hidden is None:
            return Undecided("the line misses no direction of the inputs", "the kinks")
        point = with_best_output(loss, [hidden])
        found = loss(point)
        if found < top and (turns not in best or found < best[turns][0]):
            best[turns] = found, point
    if not best:
        return Undecided("no fit with one kink in each bracket was found", "the kinks")
    permuted = loss.ridge is None and p > 1
    losses = sorted(found for found, _ in best.values())
    # one way to point suffices when the units can be permuted
    lowest = losses[0] if permuted or len(losses) == 1 else losses[1]
    level = level_between(lowest, top, u)
    if isinstance(level, Undecided):
        return level
    kept = [point for found, point in best.values() if found <= level]
    if not permuted and len(kept) < 2:
        return Undecided("the units cannot be permuted, and point one way only", "the kinks")
    walls = ({"kind": "kinks", "brackets": [list(b.samples) for b in brackets]},)
    return Separation(loss, level, walls, tuple(kept), permuted)


class _Rough:
    """The loss of a fit with given kinks in floating point, to leave out the hopeless ones."""

    def __init__(self, network: Network, data: Dataset, base: fmpq_mat, step: fmpq_mat) -> None:
        axis = next(i for i, v in enumerate(step.entries()) if v != 0)
        row = rows(data.x, [axis]).entries()
        self.t = np.array([float((v - base[axis, 0]) / step[axis, 0]) for v in row])
        self.roots = np.sqrt(np.array([float(s) for s in data.sample_weights]))
        self.y = np.array([float(v) for v in data.y.entries()]) * self.roots
        named = {"relu": fmpq(0), "abs": fmpq(-1)}
        rho = network.activation
        self.slope = float(named[rho.kind] if rho.kind in named else rho.parameters[0])
        self.bias = network.bias[-1]

    def loss(self, turns: Sequence[int], kinks: Sequence[fmpq]) -> float:
        z = [turn * (self.t - float(k)) for turn, k in zip(turns, kinks, strict=True)]
        features = [np.where(v > 0, v, self.slope * v) for v in z]
        if self.bias:
            features.append(np.ones_like(self.t))
        design = (np.array(features) * self.roots).T
        fitted = design @ np.linalg.lstsq(design, self.y, rcond=None)[0]
        return float(np.sum((fitted - self.y) ** 2))


def _on_a_line(data: Dataset) -> tuple[dict[int, fmpq], fmpq_mat, fmpq_mat] | None:
    """Where the samples are on their line base + t step; samples at one place are listed once."""
    base = columns(data.x, [0])
    apart = data.x - base * ones(1, data.samples)
    if rank(apart) != 1:
        return None
    table = apart.transpose().tolist()
    step = next(row for row in table if any(row))
    axis = next(i for i, v in enumerate(step) if v != 0)
    places: dict[int, fmpq] = {}
    for j, row in enumerate(table):
        t = row[axis] / step[axis]
        if t not in places.values():
            places[j] = t
    return places, base, fmpq_mat([[v] for v in step])


def _brackets(data: Dataset, places: dict[int, fmpq], p: int) -> list[_Bracket] | None:
    """p disjoint brackets whose least height is as large as possible."""
    order = sorted(places, key=lambda j: places[j])
    near = len(order) > _MOST_PLACES
    triples = zip(order, order[1:], order[2:], strict=False) if near else combinations(order, 3)
    made = [_bracket(data, places, triple) for triple in triples]
    heights = sorted({b.height for b in made if b.height > 0}, reverse=True)
    low, high = 0, len(heights)
    found: list[_Bracket] | None = None
    while low < high:
        middle = (low + high) // 2
        chosen = _disjoint([b for b in made if b.height >= heights[middle]], places)
        if len(chosen) >= p:
            found, high = chosen, middle
        else:
            low = middle + 1
    if found is None:
        return None
    highest = sorted(found, key=lambda b: b.height)[-p:]
    return sorted(highest, key=lambda b: places[b.samples[0]])


def _disjoint(brackets: Sequence[_Bracket], places: dict[int, fmpq]) -> list[_Bracket]:
    """As many disjoint brackets as there are, those that end first."""
    chosen: list[_Bracket] = []
    for b in sorted(brackets, key=lambda b: (places[b.samples[2]], -places[b.samples[0]])):
        if not chosen or places[chosen[-1].samples[2]] <= places[b.samples[0]]:
            chosen.append(b)
    return chosen


def _bracket(data: Dataset, places: dict[int, fmpq], triple: Triple) -> _Bracket:
    i, j, k = triple
    s, t, v = (places[index] for index in triple)
    bend = (v - t, s - v, t - s)
    y, weights = data.y.entries(), data.sample_weights
    gap = sum((c * y[index] for c, index in zip(bend, triple, strict=True)), fmpq(0))
    norm = sum((c * c / weights[index] for c, index in zip(bend, triple, strict=True)), fmpq(0))
    return _Bracket((i, j, k), gap * gap / norm)


def _choices(
    data: Dataset, places: dict[int, fmpq], brackets: Sequence[_Bracket]
) -> Iterator[tuple[tuple[int, ...], tuple[fmpq, ...]]]:
    """Which way each unit points, and where its kink is."""
    spots = [_spots(data, places, b) for b in brackets]
    ways = sorted(product((1, -1), repeat=len(brackets)), key=lambda turns: -sum(turns))
    for kinks in product(*spots):
        for turns in ways:
            yield turns, kinks


def _spots(data: Dataset, places: dict[int, fmpq], bracket: _Bracket) -> list[fmpq]:
    """Places for a kink: where lines through two samples left and right meet, then others."""
    start, middle, end = (places[j] for j in bracket.samples)
    order = sorted(places, key=lambda j: places[j])
    found = []
    y = data.y.entries()
    for a, b, c, d in zip(order, order[1:], order[2:], order[3:], strict=False):
        left = (y[b] - y[a]) / (places[b] - places[a])
        right = (y[d] - y[c]) / (places[d] - places[c])
        if left != right:
            t = (y[c] - y[b] + left * places[b] - right * places[c]) / (left - right)
            if start < t < end and places[b] <= t <= places[c]:
                found.append(t)
    inside = [t for t in places.values() if start < t < end]
    found += [middle, *inside, (start + middle) / 2, (middle + end) / 2]
    return list(dict.fromkeys(found))[:4]


def _units(
    network: Network,
    base: fmpq_mat,
    step: fmpq_mat,
    turns: Sequence[int],
    kinks: Sequence[fmpq],
) -> fmpq_mat | None:
    """Units w with w.(base + t step) = turn (t - kink)."""
    system = stacked(base.transpose(), step.transpose())
    if network.bias[0]:
        system = beside(system, fmpq_mat([[1], [0]]))
    wanted = fmpq_mat([[-s * t for s, t in zip(turns, kinks, strict=True)], [*turns]])
    found = solve(system, wanted)
    return None if found is None else found.transpose()

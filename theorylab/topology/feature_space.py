"""The features that one hidden layer can make of the data: their span, dimension, generators."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice
from math import comb, gcd, lcm

from flint import fmpq, fmpq_mat

from theorylab.model import Dataset, Network
from theorylab.model.rational import ones, stacked
from theorylab.outcome import InputError
from theorylab.topology.exact_algebra import completing, rank

Row = list[fmpq]

# What the kernel refuses: longer lists of monomials or walls.
_ENTRIES = 1_000_000
_ROUNDS = 30


def feature_dimension(network: Network, data: Dataset) -> tuple[int, str, bool]:
    """Return (q, space, exact): how many units one hidden layer ever needs on these inputs.

    q is the dimension of the span of the rows rho(w X) over all w (with a hidden bias, of X with a
    row of ones), counted modulo constants when the output has a bias. `space` names the kernel's
    generators: "monomials" for polynomial activations, "walls" for the others, or "distinct", the
    indicators of the distinct inputs, when there are too many of these; `exact` is False when those
    span more, and then q is their number, an upper bound.
    Guarantees: exact rank, no sampling. Raises InputError unless there is one hidden layer and the
    output is linear.
    Source: Venturi, Bandeira & Bruna 2018, intrinsic dimensions of section 2.

    >>> net = Network.dense((2, 5, 1), "square")
    >>> feature_dimension(net, Dataset.from_rows([[1, 0], [0, 1], [1, 1], [2, 1]], [[0]] * 4))
    (3, 'monomials', True)
    >>> net = Network.dense((1, 5, 1), "relu", bias=True)
    >>> feature_dimension(net, Dataset.from_rows([[1], [2], [3], [3]], [[0]] * 4))
    (2, 'walls', True)
    """
    _require_one_hidden_layer(network)
    constants = int(network.bias[1])
    dimension = rank(spanning_features(network, data)) - constants
    space = _space(network, data)
    if space != "distinct":
        return dimension, space, True
    bound = len(_distinct_inputs(network, data)) - constants
    return bound, space, dimension == bound


def spanning_features(network: Network, data: Dataset) -> fmpq_mat:
    """Return rows (? x N) whose span is exactly that of all hidden features, plus any output bias.

    Polynomial activations: the kernel matrix sum_i (x_a . x_b)^i over the degrees i with a_i != 0,
    whose rows span what the monomials of those degrees span. Others: with d the direction of a line
    through inputs and x_j = t_j d on it, rho(w+) + rho(w-) - 2 rho(w) for w on the wall of d shows
    |t| (for step: [t > 0] and [t < 0]) to be a feature, and rho(w X) is a combination of these and
    of w X, which is one too unless the activation is even.
    """
    _require_one_hidden_layer(network)
    x = _augmented(network, data)
    degrees = network.activation.degrees
    if degrees is None:
        generators = _wall_features(network, x)
    else:
        products = (x.transpose() * x).entries()
        values = [sum((z**i for i in degrees), fmpq(0)) for z in products]
        generators = fmpq_mat(data.samples, data.samples, values)
    return stacked(generators, ones(1, data.samples)) if network.bias[1] else generators


def is_orthogonal(network: Network, data: Dataset, residual: fmpq_mat, space: str) -> bool:
    """Whether the residual (m x N) is orthogonal, in the sample weights, to the whole named space.

    Then the residual is that of a global minimum. `space` is as `feature_dimension` names it.
    Guarantees: exact.
    """
    weighted = data.weighted(residual)
    if space != "distinct":
        product = spanning_features(network, data) * weighted.transpose()
        return all(entry == 0 for entry in product.entries())
    sums: dict[tuple[fmpq, ...], Row] = {}
    for point, errors in zip(_points(data.x), weighted.transpose().tolist(), strict=True):
        total = sums.setdefault(point, [fmpq(0)] * data.m)
        sums[point] = [a + b for a, b in zip(total, errors, strict=True)]
    return all(value == 0 for total in sums.values() for value in total)


def enlarging_rows(
    network: Network, data: Dataset, kept: fmpq_mat, wanted: int, seed: int
) -> list[Row]:
    """Return up to `wanted` rows for W_1, each of which adds a dimension to the features `kept`.

    kept: ? x N. Small integers are tried first, then (activations with a kink or jump at 0) rows on
    and beside the wall of every input, which reach the whole feature space, then larger integers.
    Fewer rows come back when the search ends first; for polynomial activations that says nothing
    about q. Deterministic in `seed`.
    """
    found: list[Row] = []
    x = _augmented(network, data)
    for batch in _batches(network, x, wanted, random.Random(seed)):
        if len(found) == wanted:
            break
        features = network.activation.applied(fmpq_mat(batch) * x)
        new = completing(kept.transpose(), features.transpose())[: wanted - len(found)]
        if new:
            found += [batch[j] for j in new]
            table = features.tolist()
            kept = stacked(kept, fmpq_mat([table[j] for j in new]))
    return found


def _batches(network: Network, x: fmpq_mat, wanted: int, rng: random.Random) -> Iterator[list[Row]]:
    bound = 1
    for number in range(_ROUNDS):
        yield [
            [fmpq(rng.randint(-bound, bound)) for _ in range(x.nrows())]
            for _ in range(2 * wanted + 8)
        ]
        bound += 1 + bound // 2
        if number == 1 and network.activation.degrees is None:
            walls = _wall_rows(x, rng)
            while batch := list(islice(walls, 48)):
                yield batch


def _wall_rows(x: fmpq_mat, rng: random.Random) -> Iterator[Row]:
    """For each line through inputs x: a row w, w.x = 0 only there, and its neighbours w +- e x."""
    directions = {direction: point for point, direction, t in _on_lines(x) if t != 0}
    for own, point in directions.items():
        square = _dot(point, point)
        others = [list(d) for d in directions if d != own]
        bound = 2
        while True:
            v = [fmpq(rng.randint(-bound, bound)) for _ in point]
            along = _dot(v, point)
            w = [square * a - along * b for a, b in zip(v, point, strict=True)]
            heights = [_dot(w, other) for other in others]
            if 0 not in heights:
                break
            bound += 1
        slopes = [_dot(point, other) for other in others]
        steps = [abs(h / s) for h, s in zip(heights, slopes, strict=True) if s != 0]
        step = min(steps, default=fmpq(1)) / 2
        for sign in (0, 1, -1):
            yield _primitive([a + sign * step * b for a, b in zip(w, point, strict=True)])


def _wall_features(network: Network, x: fmpq_mat) -> fmpq_mat:
    samples = x.ncols()
    places: dict[tuple[fmpq, ...], list[tuple[int, fmpq]]] = {}
    for j, (_, direction, t) in enumerate(_on_lines(x)):
        if t != 0:
            places.setdefault(direction, []).append((j, t))
    slope = {"relu": fmpq(0), "abs": fmpq(-1), "step": None}.get(network.activation.kind)
    if network.activation.kind == "leaky_relu":
        slope = network.activation.parameters[0]
    table: list[Row] = [] if slope is None or slope == -1 else x.tolist()
    for line in places.values():
        if slope is None:
            sides = [[(j, fmpq(1)) for j, t in line if sign * t > 0] for sign in (1, -1)]
        else:
            sides = [] if slope == 1 else [[(j, abs(t)) for j, t in line]]
        for side in sides:
            row = [fmpq(0)] * samples
            for j, value in side:
                row[j] = value
            table.append(row)
    return fmpq_mat(table) if table else fmpq_mat(0, samples)


def _on_lines(x: fmpq_mat) -> list[tuple[Row, tuple[fmpq, ...], fmpq]]:
    """For each column x_j: itself, the direction d with first non-zero entry 1, t: x_j = t d."""
    found = []
    for column in x.transpose().tolist():
        t = next((value for value in column if value != 0), fmpq(0))
        direction = tuple(value / t for value in column) if t != 0 else ()
        found.append((column, direction, t))
    return found


def _space(network: Network, data: Dataset) -> str:
    """The generators that the kernel accepts for this network and this many samples."""
    inputs = data.n + int(network.bias[0])
    degrees = network.activation.degrees
    if degrees is not None:
        count = sum(comb(inputs + i - 1, i) for i in degrees)
        numerators, denominator = data.x.numer_denom()
        bits = max(abs(int(v)) for v in numerators.entries()).bit_length()
        size = 1 + max(degrees, default=0) * (bits + int(denominator).bit_length()) // 256
        return "monomials" if count * data.samples * size <= _ENTRIES else "distinct"
    return "walls" if (inputs + 2 * data.samples) * data.samples <= _ENTRIES else "distinct"


def _distinct_inputs(network: Network, data: Dataset) -> set[tuple[fmpq, ...]]:
    return set(_points(data.x))


def _points(x: fmpq_mat) -> list[tuple[fmpq, ...]]:
    return [tuple(column) for column in x.transpose().tolist()]


def _augmented(network: Network, data: Dataset) -> fmpq_mat:
    return stacked(data.x, ones(1, data.samples)) if network.bias[0] else data.x


def _dot(a: Row, b: Row) -> fmpq:
    return sum((p * q for p, q in zip(a, b, strict=True)), fmpq(0))


def _primitive(row: Row) -> Row:
    """The same direction with coprime integer entries; a feature changes by a positive factor."""
    denominator = lcm(*(int(value.q) for value in row))
    integers = [int(value.p) * (denominator // int(value.q)) for value in row]
    common = gcd(*integers) or 1
    return [fmpq(value // common) for value in integers]


def _require_one_hidden_layer(network: Network) -> None:
    if network.depth != 2 or network.output != "linear" or not network.is_dense:
        raise InputError(
            "network",
            network.widths,
            "the feature space is that of one dense hidden layer with linear output",
            "use widths n,p,m, no pattern, and a linear output",
        )

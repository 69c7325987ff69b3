"""Paths for any activation: rewrite every layer on few of its units, then use the units set free.

A unit is dead when its column in the next layer is zero: its row may go anywhere, at constant loss.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from flint import fmpq, fmpq_mat

from theorylab.model import Dataset, Loss, Network, Weights
from theorylab.model.rational import ones, stacked
from theorylab.outcome import Undecided
from theorylab.topology.exact_algebra import kernel, rank, rows, solve
from theorylab.topology.feature_space import (
    Row,
    enlarging_rows,
    feature_dimension,
    is_orthogonal,
)
from theorylab.topology.path import Descent, Json, Path, PathBuilder

__all__ = ["connect_any_depth", "descend_finite_dimension", "feature_dimension", "needed_widths"]

Units = tuple[int, ...]


def needed_widths(network: Network, data: Dataset, a: Weights, b: Weights) -> tuple[int, ...]:
    """Return r_k(A) + r_k(B) for every hidden layer k, r_k the rank of its features on the data.

    Hidden widths as large as these suffice for `connect_any_depth`. Guarantees: exact.

    >>> from theorylab.model import matrix
    >>> net = Network.dense((1, 2, 1), "square")
    >>> data = Dataset.from_rows([[1], [2]], [[0], [0]])
    >>> needed_widths(net, data, *[(matrix([[w], [0]]), matrix([[1, 1]])) for w in (1, 0)])
    (1,)
    """
    points = _checked(network, data, a, b)
    features = [network.features(w, data.x)[1:] for w in points]
    return tuple(rank(one) + rank(other) for one, other in zip(*features, strict=True))


def connect_any_depth(network: Network, data: Dataset, a: Weights, b: Weights) -> Path | Undecided:
    """Return a path from `a` to `b` along which the loss is at most max(L(a), L(b)).

    Any depth, any activation, any biases, any loss convex in the output. Hidden widths
    p_k >= r_k(a) + r_k(b) suffice (`needed_widths`); often fewer do, since only the units in use
    after compression count, and features only modulo constants below a bias. The loss is constant
    on every move but one, of the output layer, where it is convex.
    Guarantees: exact, the end is exactly `b`.
    Undecided when a hidden layer is too narrow, when a layer is not dense, and when the output is
    activated. Raises InputError when the weights do not fit the network.
    Source: own generalisation of Venturi, Bandeira & Bruna 2018, Theorem 5, to any depth.

    >>> from theorylab.model import matrix
    >>> net = Network.dense((1, 2, 1), "relu")
    >>> data = Dataset.from_rows([[1], [2]], [[1], [-1]])
    >>> a, b = (matrix([[1], [2]]), matrix([[1, 1]])), (matrix([[3], [0]]), matrix([[-1, 5]]))
    >>> path = connect_any_depth(net, data, a, b)
    >>> path.end == b, [step.kind for step in path.steps].count("output")
    (True, 4)
    """
    a, b = _checked(network, data, a, b)
    if (reason := _outside(network)) is not None:
        return reason
    builder = PathBuilder(network, a)
    if a[:-1] == b[:-1]:
        builder.move("output", network.depth, b[-1])
        return builder.path()
    live_a = _compress(builder, data, [()] * network.depth)
    other = PathBuilder(network, b)
    live_b = _compress(other, data, live_a)
    slots: list[Units] = []
    for k, width in enumerate(network.hidden, start=1):
        mine, theirs = live_a[k], live_b[k]
        if len(mine) + len(theirs) > width:
            return Undecided(
                f"hidden layer {k} has {width} units, and the two points need "
                f"{len(mine)} + {len(theirs)} = {len(mine) + len(theirs)}",
                "the two networks side by side",
                f"widen hidden layer {k} to {len(mine) + len(theirs)}",
            )
        spare = [i for i in range(width) if i not in mine and i not in theirs]
        slots.append(tuple(i if i not in mine else spare.pop(0) for i in theirs))
    _place(builder, other.current, live_b, slots)
    _settle(builder, live_b, slots)
    return builder.path().then(other.path().reversed())


def descend_finite_dimension(
    network: Network, data: Dataset, a: Weights, seed: int = 0
) -> Descent | Undecided:
    """Return a path from `a` to a global minimum along which the loss never increases.

    One hidden layer of any activation, any data and sample weights; succeeds when it has at least
    q units, q as `feature_dimension` gives it, provided that this is exact; and whenever the end
    happens to be optimal. Constant moves, then one convex move of the output layer.
    Guarantees: exact; the residual at the end is orthogonal to generators of all features.
    Undecided when that fails. Raises InputError when the weights do not fit the network.
    Source: Venturi, Bandeira & Bruna 2018, Theorem 5.

    >>> from theorylab.model import matrix
    >>> net = Network.dense((1, 1, 1), "square")
    >>> data = Dataset.from_rows([[1], [2]], [[1], [3]])
    >>> descent = descend_finite_dimension(net, data, (matrix([[0]]), matrix([[-1]])))
    >>> descent.value, descent.gap, descent.optimum["features"]
    (1/17, 0, 'monomials')
    """
    (a,) = _checked(network, data, a)
    if (reason := _outside(network)) is not None:
        return reason
    if network.depth != 2 or network.output != "linear":
        return Undecided(
            f"the network has {network.depth - 1} hidden layers and the output {network.output}",
            "the feature space",
            "use one hidden layer and a linear output",
        )
    q, space, exact = feature_dimension(network, data)
    builder = PathBuilder(network, a)
    _enlarge(builder, data, q, seed)
    builder.move("output", 2, _least_squares_output(network, data, builder.current))
    path = builder.path()
    loss = Loss(network, data)
    residual = loss.residual(path.end)
    for name in dict.fromkeys((space, "distinct")):
        if is_orthogonal(network, data, residual, name):
            optimum: Json = {"by": "orthogonal", "features": name}
            return Descent(path, loss(path.end), fmpq(0), optimum, True)
    (width,) = network.hidden
    if exact and width >= q:
        return Undecided(
            f"the search for hidden rows did not reach all q = {q} dimensions of the features",
            "the feature space",
            "try another seed",
        )
    return Undecided(
        f"the end is not shown to be a global minimum: {width} hidden units, and q is "
        + (f"{q}" if exact else f"only known to be at most {q}"),
        "the optimum",
        f"widen the hidden layer to {q}" if width < q else None,
    )


def _checked(network: Network, data: Dataset, *points: Weights) -> list[Weights]:
    """The points, once network, data and points are known to fit together; else InputError."""
    Loss(network, data)
    return [network.check_weights(point) for point in points]


def _outside(network: Network) -> Undecided | None:
    if not network.is_dense:
        return Undecided("a layer has shared or fixed entries", "the network", "use dense layers")
    if network.output != "linear" and network.activation.kind != "linear":
        return Undecided("the output is activated", "the network", "use a linear output")
    return None


def _kind(network: Network, k: int) -> str:
    return "output" if k == network.depth else "idle"


def _with_ones(network: Network, k: int, features: fmpq_mat) -> fmpq_mat:
    """What W_k multiplies: H_{k-1}, a row of ones below it when layer k has a bias."""
    return stacked(features, ones(1, features.ncols())) if network.bias[k - 1] else features


def _on_few_units(
    network: Network, k: int, layer: fmpq_mat, below: fmpq_mat, last: Collection[int]
) -> tuple[fmpq_mat, Units]:
    """Rewrite W_k on independent rows of H_{k-1}, the units `last` only where they are needed.

    The other columns become zero and W_k H_{k-1} stays. Also return those units.
    """
    width = below.nrows()
    constant = [width] if network.bias[k - 1] else []
    first = [i for i in range(width) if i not in last]
    order = [*constant, *first, *sorted(last)]
    found = kernel(_with_ones(network, k, below).transpose(), order)
    table = layer.tolist()
    removed = fmpq_mat(len(table), len(found.free), [row[f] for row in table for f in found.free])
    return layer - removed * found.basis.transpose(), tuple(i for i in found.pivots if i < width)


def _compress(builder: PathBuilder, data: Dataset, last: Sequence[Units]) -> list[Units]:
    """From the top down, use few units of every layer and zero the rows of all others.

    Returns the units in use, for layers 0, ..., K (all inputs, all outputs). The loss is constant.
    """
    network = builder.network
    features = network.features(builder.current, data.x)
    live: list[Units] = [tuple(range(network.m))]
    for k in range(network.depth, 0, -1):
        layer = _only_rows(builder.current[k - 1], live[0])
        if k > 1:
            layer, units = _on_few_units(network, k, layer, features[k - 1], last[k - 1])
            table = layer.transpose().tolist()
            live.insert(0, tuple(i for i in units if any(table[i])))
        else:
            live.insert(0, tuple(range(network.n)))
        builder.move(_kind(network, k), k, layer)
    return live


def _place(
    builder: PathBuilder, goal: Weights, live: Sequence[Units], slots: Sequence[Units]
) -> None:
    """Write the compressed network `goal` into dead units from the bottom up, then switch to it.

    The last move, of the output layer, is the only one along which the loss changes.
    """
    network = builder.network
    places = [live[0], *slots, live[-1]]
    for k in range(1, network.depth + 1):
        output = k == network.depth
        table = builder.current[k - 1].tolist()
        wanted = goal[k - 1].tolist()
        for unit, slot in zip(live[k], places[k], strict=True):
            row = [fmpq(0)] * len(table[slot])
            for source, target in zip(live[k - 1], places[k - 1], strict=True):
                row[target] = wanted[unit][source]
            if network.bias[k - 1]:
                row[-1] = wanted[unit][-1]
            table[slot] = row
        builder.move("output" if output else "idle", k, fmpq_mat(table))


def _settle(builder: PathBuilder, live: Sequence[Units], slots: Sequence[Units]) -> None:
    """From the top down, erase the dead units and move each unit in use to its own place.

    A place outside the slots is free by then: its column in the layer above is zero.
    """
    network = builder.network
    for k in range(network.depth - 1, 0, -1):
        homes = dict(zip(slots[k - 1], live[k], strict=True))
        moving = {slot: unit for slot, unit in homes.items() if slot != unit}
        table = builder.current[k - 1].tolist()
        copied = _only_rows(builder.current[k - 1], homes)
        for slot, unit in moving.items():
            _set_row(copied, unit, table[slot])
        builder.move("idle", k, copied)
        above = builder.current[k].transpose()
        columns = above.tolist()
        for slot, unit in moving.items():
            _set_row(above, unit, columns[slot])
            _set_row(above, slot, [fmpq(0)] * above.ncols())
        builder.move(_kind(network, k + 1), k + 1, above.transpose())
        builder.move("idle", k, _only_rows(builder.current[k - 1], homes.values()))


def _set_row(matrix: fmpq_mat, i: int, values: Row) -> None:
    for j, value in enumerate(values):
        matrix[i, j] = value


def _only_rows(matrix: fmpq_mat, kept: Collection[int]) -> fmpq_mat:
    """A copy of the matrix with the other rows zero."""
    zero = [fmpq(0)] * matrix.ncols()
    table = matrix.tolist()
    return fmpq_mat([row if i in kept else zero for i, row in enumerate(table)])


def _enlarge(builder: PathBuilder, data: Dataset, q: int, seed: int) -> None:
    """Free the dependent units of the one hidden layer and give them rows that add features."""
    network = builder.network
    hidden = network.features(builder.current, data.x)[1]
    layer, kept = _on_few_units(network, 2, builder.current[1], hidden, ())
    builder.move("output", 2, layer)
    (width,) = network.hidden
    free = [i for i in range(width) if i not in kept]
    wanted = min(len(free), q - len(kept))
    if wanted > 0:
        base = _with_ones(network, 2, rows(hidden, kept))
        table = builder.current[0].tolist()
        for unit, row in zip(free, enlarging_rows(network, data, base, wanted, seed), strict=False):
            table[unit] = row
        builder.move("idle", 1, fmpq_mat(table))


def _least_squares_output(network: Network, data: Dataset, weights: Weights) -> fmpq_mat:
    features = _with_ones(network, 2, network.features(weights, data.x)[1])
    found = solve(data.gram(features), data.gram(features, data.y))
    assert found is not None  # normal equations are always consistent
    return found.transpose()

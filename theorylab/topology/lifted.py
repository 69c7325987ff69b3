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
from theorylab.topology.path import Descent, Json, Move, Path, PathBuilder

__all__ = [
    "connect_any_depth",
    "connect_by_exchange",
    "descend_finite_dimension",
    "exchange_widths",
    "feature_dimension",
    "needed_widths",
]

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


def connect_by_exchange(
    network: Network, data: Dataset, a: Weights, b: Weights, seed: int = 0
) -> Path | Undecided:
    """Return a path from `a` to `b` in {L <= max(L(a), L(b))} for q_k + 1 units in each layer.

    Any depth, any activation, any data, any loss convex in the output; q_k <= N is the dimension of
    what the k-th hidden layer can make of the data. From the bottom up, the units in use at both
    ends are completed to a basis by dead units. One unit more is free: it takes a unit of b's
    basis, a combination of the units in use; moving the layer above along that relation changes
    nothing it hands on and frees another unit (the exchange lemma). At the top only the output
    layers differ, and that move is convex.
    Guarantees: exact, the end is exactly `b`. Undecided for fewer units, and when the search for
    rows does not reach the whole feature space. Raises InputError on a misfit.
    Source: own; Venturi, Bandeira & Bruna 2018, Theorem 5, asks for 2q units in one layer; compare
    Nguyen, Brechet & Mondelli 2021 for N + 1 in deep networks.

    >>> from theorylab.model import matrix
    >>> net = Network.dense((1, 3, 1), "relu")
    >>> data = Dataset.from_rows([[1], [-1]], [[1], [1]])
    >>> a = matrix([[1], [-1], [1]]), matrix([[1, 1, 0]])
    >>> b = matrix([[-1], [1], [2]]), matrix([[1, 2, "-1/2"]])
    >>> path = connect_by_exchange(net, data, a, b)
    >>> path.end == b, path.segments
    (True, 8)
    """
    a, b = _checked(network, data, a, b)
    if (reason := _outside(network)) is not None:
        return reason
    builder, other = PathBuilder(network, a), PathBuilder(network, b)
    for k in range(1, network.depth):
        below = network.features(other.current, data.x)[k - 1]
        shape = network.widths[k - 1 : k + 2]
        pair = Network.dense(shape, network.activation, network.bias[k - 1 : k + 1])
        inputs = Dataset(below, fmpq_mat(shape[2], data.samples))
        mine, theirs = (PathBuilder(pair, end.current[k - 1 : k + 1]) for end in (builder, other))
        if (reason := _exchange(mine, theirs, inputs, k, seed)) is not None:
            return reason
        for end, made in ((builder, mine), (other, theirs)):
            for step in made.path().steps:
                assert isinstance(step, Move)  # an exchange is made of straight moves
                layer = k + step.layer - 1
                end.move(_kind(network, layer), layer, step.matrix)
    builder.move("output", network.depth, other.current[-1])
    return builder.path().then(other.path().reversed())


def exchange_widths(network: Network, data: Dataset) -> tuple[int, ...]:
    """Return hidden widths that suffice for `connect_by_exchange` between any two points.

    q + 1 for one hidden layer; N + 1, N distinct inputs, in each layer of a deeper network.

    >>> data = Dataset.from_rows([[1], [2], [2]], [[0], [0], [0]])
    >>> exchange_widths(Network.dense((1, 1, 1), "square"), data)
    (2,)
    >>> exchange_widths(Network.dense((1, 1, 1, 1), "square"), data)
    (3, 3)
    """
    if network.depth == 2 and network.output == "linear":
        return (feature_dimension(network, data)[0] + 1,)
    inputs = {tuple(column) for column in data.x.transpose().tolist()}
    return (len(inputs) + 1,) * len(network.hidden)


def _exchange(
    builder: PathBuilder, other: PathBuilder, data: Dataset, k: int, seed: int
) -> Undecided | None:
    """Complete the units of both ends to bases, and turn the first end's hidden layer into other's.

    Both are one-hidden-layer networks: the k-th hidden layer and the one above it.
    """
    network = builder.network
    q, (width,) = feature_dimension(network, data)[0], network.hidden
    if width <= q:
        return Undecided(
            f"hidden layer {k} has {width} units, and its features span q = {q} dimensions",
            "the exchange of units",
            f"widen it to {q + 1}",
        )
    mine, theirs = (_basis(end, data, q, seed) for end in (builder, other))
    if len(mine) != len(theirs):
        return Undecided(
            "the search for hidden rows did not reach the whole feature space",
            "the exchange of units",
            "try another seed",
        )
    goal = other.current[0].tolist()
    places: dict[int, int] = {}
    for unit in theirs:
        used = {*mine, *places.values()}
        spare = next(i for i in range(width) if i not in used)
        _put(builder, spare, goal[unit])
        features = network.features(builder.current, data.x)[1]
        held = [*places.values(), *mine]
        base = _with_ones(network, 2, rows(features, held)).transpose()
        shares = solve(base, rows(features, [spare]).transpose())
        if shares is None:
            return Undecided("a unit adds a dimension beyond q", "the exchange of units")
        slots = [*held, width][: shares.nrows()]  # the last is the bias of the layer above
        out = next(i for i in mine if shares[held.index(i), 0] != 0)
        _swap(builder, spare, out, {i: shares[j, 0] for j, i in enumerate(slots)})
        mine.remove(out)
        places[unit] = spare
    _bring_home(builder, places, width)
    builder.move("idle", 1, other.current[0])
    return None


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


def _basis(builder: PathBuilder, data: Dataset, q: int, seed: int) -> list[int]:
    """Complete the units in use to a basis of the features by dead ones; the units of the basis."""
    network = builder.network
    _enlarge(builder, data, q, seed)
    hidden = network.features(builder.current, data.x)[1]
    constant = [hidden.nrows()] if network.bias[1] else []
    live = [i for i, column in enumerate(builder.current[1].transpose().tolist()) if any(column)]
    live = [i for i in live if i < hidden.nrows()]
    order = [*constant, *live, *(i for i in range(hidden.nrows()) if i not in live)]
    pivots = kernel(_with_ones(network, 2, hidden).transpose(), order).pivots
    return [i for i in pivots if i < hidden.nrows()]


def _put(builder: PathBuilder, unit: int, row: Row) -> None:
    """Give a dead unit another row."""
    first = fmpq_mat(builder.current[0])
    _set_row(first, unit, row)
    builder.move("idle", 1, first)


def _swap(builder: PathBuilder, spare: int, out: int, shares: dict[int, fmpq]) -> None:
    """Move the output layer, at constant output, until `spare` does what `out` did.

    The feature of `spare` is the sum of the shares times the features of the other units.
    """
    output = fmpq_mat(builder.current[1])
    for k in range(output.nrows()):
        step = output[k, out] / shares[out]
        for i, share in shares.items():
            output[k, i] -= step * share
        output[k, spare] += step
    builder.move("output", 2, output)


def _bring_home(builder: PathBuilder, places: dict[int, int], width: int) -> None:
    """Move each unit to its own slot, by way of a free slot where slots are exchanged in a ring."""
    while away := {unit: slot for unit, slot in places.items() if unit != slot}:
        taken = set(places.values())
        unit = next((u for u in away if u not in taken), None)
        target = unit
        if unit is None or target is None:
            unit = next(iter(away))
            target = next(i for i in range(width) if i not in taken)
        slot = places[unit]
        _put(builder, target, builder.current[0].tolist()[slot])
        output = fmpq_mat(builder.current[1])
        for k in range(output.nrows()):
            output[k, target] = output[k, slot]
            output[k, slot] = fmpq(0)
        builder.move("output", 2, output)
        places[unit] = target


def _least_squares_output(network: Network, data: Dataset, weights: Weights) -> fmpq_mat:
    features = _with_ones(network, 2, network.features(weights, data.x)[1])
    found = solve(data.gram(features), data.gram(features, data.y))
    assert found is not None  # normal equations are always consistent
    return found.transpose()

"""Deep linear networks wide enough to fill: sublevel sets are connected, descent is exact.

Every step moves one layer, so the loss along it is a convex quadratic.
"""

from __future__ import annotations

from functools import reduce

from flint import fmpq, fmpq_mat

from theorylab.model import Dataset, Network, Weights
from theorylab.model.rational import columns
from theorylab.outcome import InputError
from theorylab.topology.exact_algebra import (
    completing,
    identity,
    kernel,
    least_squares,
    left_inverse,
    rank_factorisation,
    right_inverse,
    rows,
)
from theorylab.topology.path import Move, MovingLayer, Path, PathBuilder, Piece, Polynomials, Step


def connect_deep_linear(
    network: Network, a: Weights, b: Weights, data: Dataset | None = None
) -> Path:
    """Return a path from `a` to `b` along which the loss is at most max(L(a), L(b)).

    Needs every hidden width > min(n_0, n_K), or, when `data` is given, > min(rank X, n_K); any
    depth, any data, any loss convex in the output. All moves are of kind "layer"; all but one leave
    the product (times X) as it is.
    Guarantees: exact, the end is exactly `b`.
    Raises InputError when a hidden width is too small or the network is not linear without bias.
    Source: Freeman & Bruna 2017, Proposition 2.2, with > for its printed >=.

    >>> net = Network.dense((1, 2, 1), "linear")
    >>> a = (fmpq_mat([[1], [0]]), fmpq_mat([[1, 0]]))
    >>> b = (fmpq_mat([[-1], [0]]), fmpq_mat([[-1, 0]]))
    >>> connect_deep_linear(net, a, b).end == b
    True
    """
    require_linear(network)
    a, b = network.check_weights(a), network.check_weights(b)
    if data is not None:
        inner, factor = effective(network, data)
        if inner is None:
            product_free = PathBuilder(network, a)
            for k in range(network.depth, 0, -1):
                product_free.move("layer", k, b[k - 1])
            return product_free.path()
        start, goal = reduced_weights(a, factor), reduced_weights(b, factor)
        there = lifted(connect_deep_linear(inner, start, goal), network, a, factor)
        last = PathBuilder(network, there.end)
        last.move("layer", 1, b[0])
        return there.then(last.path())
    smaller = min(network.n, network.m)
    if any(h <= smaller for h in network.hidden):
        raise InputError(
            "widths",
            network.widths,
            f"every hidden width exceeds min(n_0, n_K) = {smaller}",
            f"widen the hidden layers to {smaller + 1}",
        )
    if network.m > network.n:
        return transposed(connect_deep_linear(transposed_network(network), _turned(a), _turned(b)))
    there, back = _canonical(network, a), _canonical(network, b)
    joint = PathBuilder(network, there.end)
    joint.move("layer", 1, back.end[0])
    return there.then(joint.path()).then(back.reversed())


def descend_filling(network: Network, data: Dataset, a: Weights) -> Path:
    """Return a path from `a` to a global minimiser along which the loss never increases.

    Needs every hidden width >= min(rank X, n_K); any depth, any data and sample weights.
    Guarantees: exact; the residual at the end is orthogonal to the rows of X.
    Raises InputError when a hidden width is too small or the network is not linear without bias.
    Source: Venturi, Bandeira & Bruna 2018, Theorem 8 (filling case).

    >>> from theorylab.model import Loss
    >>> net = Network.dense((1, 1, 1), "linear")
    >>> data = Dataset(fmpq_mat([[1, 2]]), fmpq_mat([[1, 3]]), None, "two points")
    >>> zero = (fmpq_mat([[0]]), fmpq_mat([[0]]))
    >>> Loss(net, data)(descend_filling(net, data, zero).end)
    1/5
    """
    require_linear(network)
    a = network.check_weights(a)
    here = PathBuilder(network, a).path()
    inner, factor = effective(network, data)
    if inner is None or is_least_squares(product(a), data):
        return here
    smaller = min(inner.n, inner.m)
    if any(h < smaller for h in inner.hidden):
        raise InputError(
            "widths",
            network.widths,
            f"every hidden width is at least min(rank X, n_K) = {smaller}",
            "use descend_deep_linear, which passes a bottleneck",
        )
    start = reduced_weights(a, factor)
    target = least_squares(rank_factorisation(data.x)[1], data)
    if min(inner.hidden, default=inner.m) >= inner.m:
        path = _reach_product(inner, start, target)
    else:
        turned = _reach_product(transposed_network(inner), _turned(start), target.transpose())
        path = transposed(turned)
    return lifted(path, network, a, factor)


def require_linear(network: Network) -> None:
    """Raise InputError unless the network is linear, dense and without biases."""
    linear = network.activation.kind == "linear"
    if not linear or any(network.bias) or not network.is_dense:
        raise InputError(
            "network",
            network,
            "the construction is for dense linear networks without biases",
            "use the activation linear, no bias and no pattern",
        )


def is_least_squares(matrix: fmpq_mat, data: Dataset) -> bool:
    """Whether the residual of x -> M x is orthogonal to the rows of X (M is globally optimal)."""
    return data.gram(matrix * data.x - data.y, data.x) == fmpq_mat(data.m, data.n)


def product(weights: Weights) -> fmpq_mat:
    """Return W_K ... W_1."""
    return reduce(lambda below, above: above * below, weights)


def effective(network: Network, data: Dataset) -> tuple[Network | None, fmpq_mat]:
    """Return the network on rank X inputs and B (n x rank X) with X = B C; None when X = 0."""
    factor, _ = rank_factorisation(data.x)
    if factor.ncols() == 0:
        return None, factor
    return Network.dense((factor.ncols(), *network.widths[1:]), network.activation), factor


def reduced_weights(weights: Weights, factor: fmpq_mat) -> Weights:
    """Return the weights of the effective network that computes the same on the data."""
    return (weights[0] * factor, *weights[1:])


def lifted(path: Path, network: Network, start: Weights, factor: fmpq_mat) -> Path:
    """Return the path from `start` whose first layer times `factor` is the given path's.

    W_1(t) = W_1(0) + (W_1'(t) - W_1'(0)) B^+: what W_1 does off the range of X stays.
    """
    down = left_inverse(factor)
    offset = start[0] - path.start[0] * down

    def step(old: Step) -> Step:
        if isinstance(old, Move):
            matrix = old.matrix * down + offset if old.layer == 1 else old.matrix
            return Move(old.kind, old.layer, matrix)
        return Piece(tuple(layer if layer[0] != 1 else lift(layer) for layer in old.layers))

    def lift(layer: MovingLayer) -> MovingLayer:
        k, numerator, denominator = layer
        shifts, columns_down = offset.tolist(), down.transpose().tolist()
        lifted_rows: Polynomials = tuple(
            tuple(
                sum((p * q for p, q in zip(row, column, strict=True)), denominator * shift)
                for column, shift in zip(columns_down, shift_row, strict=True)
            )
            for row, shift_row in zip(numerator, shifts, strict=True)
        )
        return k, lifted_rows, denominator

    return Path(network, start, tuple(step(old) for old in path.steps))


def transposed_network(network: Network) -> Network:
    """Return the linear network whose product is the transpose."""
    return Network.dense(tuple(reversed(network.widths)), network.activation)


def transposed(path: Path) -> Path:
    """Return the path of transposed layers in reverse order; products are transposed."""
    depth = path.network.depth

    def step(old: Step) -> Step:
        if isinstance(old, Move):
            return Move(old.kind, depth + 1 - old.layer, old.matrix.transpose())
        return Piece(
            tuple(
                (depth + 1 - k, tuple(zip(*p, strict=True)), den)
                for k, p, den in reversed(old.layers)
            )
        )

    network = transposed_network(path.network)
    return Path(network, _turned(path.start), tuple(step(old) for old in path.steps))


def fill_rows(builder: PathBuilder, high: int, low: int) -> None:
    """Give W_high ... W_low full row rank by moves that leave the product of all layers alone.

    Works downwards; the layers below each, W_{low-1} last, take up the changes. Every width below
    layer `high` is at least its number of rows.
    """
    above = identity(builder.current[high - 1].nrows())
    for k in range(high, low - 1, -1):
        reach = above * builder.current[k - 1]
        found = kernel(reach)
        missing = reach.nrows() - len(found.pivots)
        if missing:
            _absorb(builder, k - 1, found.basis, found.free)
            added = completing(columns(reach, found.pivots), identity(reach.nrows()))
            change = fmpq_mat(reach.nrows(), reach.ncols())
            for unit, f in zip(added, found.free, strict=False):
                for i in range(reach.nrows()):
                    change[i, f] = int(i == unit) - reach[i, f]
            builder.move("layer", k, builder.current[k - 1] + right_inverse(above) * change)
        above = above * builder.current[k - 1]


def fill_columns(builder: PathBuilder, low: int, high: int) -> PathBuilder:
    """Give W_high ... W_low full column rank as `fill_rows` does; return the builder that went on.

    The layers above each, W_{high+1} last, take up the changes.
    """
    turned = PathBuilder(transposed_network(builder.network), _turned(builder.current))
    depth = builder.network.depth
    fill_rows(turned, depth + 1 - low, depth + 1 - high)
    return _continued(builder, transposed(turned.path()))


def _continued(builder: PathBuilder, path: Path) -> PathBuilder:
    for step in path.steps:
        builder.append(step)
    return builder


def _turned(weights: Weights) -> Weights:
    return tuple(matrix.transpose() for matrix in reversed(weights))


def _absorb(builder: PathBuilder, layer: int, basis: fmpq_mat, free: tuple[int, ...]) -> None:
    """Zero the rows `free` of W_layer by adding kernel vectors of the layer above to it."""
    below = builder.current[layer - 1]
    builder.move("layer", layer, below - basis * rows(below, free))


def _reach_product(network: Network, start: Weights, target: fmpq_mat) -> Path:
    """Change the product to `target` in one convex move of W_1, after moves that do not change it.

    Every hidden width is at least n_K.
    """
    builder = PathBuilder(network, start)
    if network.depth > 1:
        fill_rows(builder, network.depth, 2)
        upper = right_inverse(product(builder.current[1:]))
        change = upper * (target - product(builder.current))
        builder.move("layer", 1, builder.current[0] + change)
    else:
        builder.move("layer", 1, target)
    return builder.path()


def _canonical(network: Network, start: Weights) -> Path:
    """Reach W_K = [I 0], W_k = [[I 0], [0 0]], W_1 = [M; 0] with the product constant; m <= n."""
    builder = PathBuilder(network, start)
    m = network.m
    for k in range(network.depth, 1, -1):
        layer = builder.current[k - 1]
        builder.move("layer", k, _with_top(layer, rows(layer, range(m))))
        _sort_columns(builder, k, m)
    return builder.path()


def _with_top(layer: fmpq_mat, top: fmpq_mat) -> fmpq_mat:
    padding = [0] * ((layer.nrows() - top.nrows()) * layer.ncols())
    return fmpq_mat(layer.nrows(), layer.ncols(), [*top.entries(), *padding])


def _sort_columns(builder: PathBuilder, k: int, m: int) -> None:
    """Turn the first m rows C of W_k (the others are zero) into [I 0]; W_{k-1} takes up the change.

    A column outside a chosen basis of C's columns can be freed: its row below is absorbed into the
    basis rows, then it may be rewritten. A rewritten column holds the unit vector of its own place,
    or, beyond column m, one whose place is still taken. Each round frees more, since there are more
    than m columns; units once placed are preferred as basis columns and never lost.
    """
    width = builder.current[k - 1].ncols()
    units = identity(m).transpose().tolist()
    while True:
        layer = builder.current[k - 1]
        top = rows(layer, range(m)).transpose().tolist()
        stored = {units.index(v): j for j, v in enumerate(top) if j >= m and v in units}
        right = [j for j in range(m) if top[j] == units[j]]
        rest = [j for j in range(width) if j not in right and j not in stored.values()]
        # Places whose unit waits elsewhere come last, so that they are freed first.
        rest.sort(key=lambda j: (j in stored, j))
        found = kernel(rows(layer, range(m)), [*right, *stored.values(), *rest])
        _absorb(builder, k - 1, found.basis, found.free)
        if len(right) == m:
            break
        waiting = [i for i in range(m) if i not in right and i not in stored]
        waiting = [i for i in waiting if i not in found.free]
        for j in found.free:
            if j < m:
                top[j] = units[j]
            else:
                top[j] = units[waiting.pop(0)] if waiting else [fmpq(0)] * m
        builder.move("layer", k, _with_top(layer, fmpq_mat(top).transpose()))
    sorted_top = fmpq_mat(m, width, [int(i == j) for i in range(m) for j in range(width)])
    builder.move("layer", k, _with_top(builder.current[k - 1], sorted_top))

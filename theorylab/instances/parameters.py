"""Weights of a network: of given ranks, degenerate, near a fit, in pairs on one level."""

from __future__ import annotations

from collections.abc import Sequence

from flint import fmpq, fmpq_mat

from theorylab.instances.draw import Draw
from theorylab.instances.entries import matrix, matrix_of_rank
from theorylab.model import Dataset, Loss, Network, Weights
from theorylab.model.rational import ones, stacked
from theorylab.outcome import InputError
from theorylab.topology.exact_algebra import least_squares, trace

KINDS = (
    "plain",
    "rank one",
    "twins",
    "zero layer",
    "zero",
    "dead unit",
    "unread unit",
    "vanishing product",
)


def weights(
    draw: Draw,
    network: Network,
    size: int = 3,
    degenerate: bool = True,
    *,
    ranks: Sequence[int] | None = None,
    kind: str | None = None,
    denominator: int = 1,
) -> Weights:
    """Weights of -size..size; degenerate ones (zero or rank-one layers, twin rows) too.

    ``ranks`` prescribes rank(W_1), ..., rank(W_K), bias columns included. ``kind`` asks for one of
    KINDS in a layer that is drawn: a "dead unit" has a row of zeros, an "unread unit" a column of
    zeros above it, a "vanishing product" W_{k+1} W_k = 0. Where entries are tied or fixed the free
    parameters are drawn, plain or all zero. Guarantees: exact. InputError for what cannot be.

    >>> from theorylab.instances import Seeded
    >>> point = weights(Seeded(0), Network.dense((3, 3, 2), "relu"), ranks=(2, 1))
    >>> [layer.rank() for layer in point]
    [2, 1]
    """
    if kind is not None and (kind not in KINDS or ranks is not None):
        rule = f"the kinds of weights are {', '.join(KINDS)}, and ranks go without a kind"
        raise InputError("kind", kind, rule, "choose one of them")
    if not network.is_dense:
        return _patterned(draw, network, size, ranks, kind, denominator)
    if ranks is not None:
        return _of_ranks(draw, network, ranks, min(size, 2))
    layers = [
        matrix(draw, *network.shape(k), size, denominator=denominator)
        for k in range(1, network.depth + 1)
    ]
    if kind is None:
        kind = weights_kind(draw) if degenerate else "plain"
    return of_kind(draw, network, layers, kind, size)


def of_kind(
    draw: Draw, network: Network, layers: list[fmpq_mat], kind: str, size: int = 3
) -> Weights:
    """These plain weights made degenerate in one of the KINDS."""
    if kind in ("dead unit", "unread unit", "vanishing product"):
        return _with_idle_units(draw, network, layers, kind)
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


def weights_kind(draw: Draw) -> str:
    """One of the KINDS that every network has, more often plain."""
    return draw.choice(("plain", "plain", *KINDS[:5]))


def _patterned(
    draw: Draw,
    network: Network,
    size: int,
    ranks: Sequence[int] | None,
    kind: str | None,
    denominator: int,
) -> Weights:
    if ranks is not None or kind not in (None, "plain", "zero"):
        rule = "ranks and kinds are those of networks whose every entry is free"
        raise InputError("network", network, rule, "use Network.dense")
    count = network.parameter_count
    if kind == "zero":
        return network.assemble([0] * count)
    drawn = matrix(draw, 1, count, size, denominator=denominator) if count else fmpq_mat(1, 0)
    return network.assemble(drawn.entries())


def _of_ranks(draw: Draw, network: Network, ranks: Sequence[int], size: int) -> Weights:
    if not isinstance(ranks, Sequence) or len(ranks) != network.depth:
        rule = f"there is one rank for each of the {network.depth} layers"
        raise InputError("ranks", ranks, rule, "give rank(W_1), ..., rank(W_K)")
    return tuple(
        matrix_of_rank(draw, *network.shape(k), rank, size) for k, rank in enumerate(ranks, start=1)
    )


def _with_idle_units(draw: Draw, network: Network, layers: list[fmpq_mat], kind: str) -> Weights:
    """Weights with units that get or give nothing, in one hidden layer."""
    least = 2 if kind == "vanishing product" else 1
    places = [k for k, width in enumerate(network.hidden) if width >= least]
    if not places:
        rule = f"a {kind} takes a hidden layer of width {least} or more"
        raise InputError("network", network, rule, "widen a hidden layer")
    k = draw.choice(places)
    width = network.hidden[k]
    if kind == "vanishing product":
        split = draw.integer(1, width - 1)
        silent, unread = range(split, width), range(split)
    else:
        unit = draw.integer(0, width - 1)
        silent = range(unit, unit + (kind == "dead unit"))
        unread = range(unit, unit + (kind == "unread unit"))
    layers[k] = _without_rows(layers[k], silent)
    layers[k + 1] = _without_rows(layers[k + 1].transpose(), unread).transpose()
    return tuple(layers)


def _without_rows(layer: fmpq_mat, places: range) -> fmpq_mat:
    return fmpq_mat(
        [[fmpq(0)] * len(row) if i in places else row for i, row in enumerate(layer.tolist())]
    )


PAIRS = ("same features", "other features", "exchanged units")


def level_pair(
    draw: Draw, network: Network, data: Dataset, size: int = 2, *, kind: str | None = None
) -> tuple[Weights, Weights]:
    """Two weights A, B with L(A) = L(B) exactly, for a dense network with a linear output.

    In the output layer the loss is quadratic, so a line through a rational point of the level set
    meets it in another rational one. ``kind`` is one of PAIRS: hidden layers that are "same" for
    both; "other" ones, at the level of the zero function; or B is A with two units exchanged.
    Guarantees: exact. InputError for other networks, and data that do not fit.

    >>> from theorylab.instances import Seeded
    >>> net, data = Network.dense((1, 2, 1), "relu"), Dataset.from_rows([[1], [2]], [[1], [0]])
    >>> a, b = level_pair(Seeded(3), net, data)
    >>> Loss(net, data)(a) == Loss(net, data)(b), a == b
    (True, False)
    """
    if not network.is_dense or network.output != "linear":
        rule = "pairs on one level are made for dense networks with a linear output"
        raise InputError("network", network, rule, "use Network.dense")
    if kind not in (None, *PAIRS):
        rule = f"the kinds of pairs are {', '.join(PAIRS)}"
        raise InputError("kind", kind, rule, "choose one of them")
    Loss(network, data)  # InputError for data that do not fit
    wide = [k for k, width in enumerate(network.hidden) if width > 1]
    if kind is None:
        kind = draw.choice(PAIRS if wide else PAIRS[:2])
    a = weights(draw, network, size, False)
    if kind == "exchanged units":
        if not wide:
            rule = "no hidden layer has two units to exchange"
            raise InputError("network", network, rule, "widen a hidden layer")
        return a, _exchanged(draw, network, a, draw.choice(wide))
    if kind == "same features":
        return a, _across(draw, network, data, a, size)
    zero = fmpq_mat(*network.shape(network.depth))
    starts = [(*p[:-1], zero) for p in (a, weights(draw, network, size, False))]
    first, second = (_across(draw, network, data, start, size) for start in starts)
    return first, second


def _across(draw: Draw, network: Network, data: Dataset, point: Weights, size: int) -> Weights:
    """The other end of a chord of the level set: the output layer moves, the loss stays."""
    features = network.features(point, data.x)[-1]
    if network.bias[-1]:
        features = stacked(features, ones(1, data.samples))
    way = matrix(draw, *network.shape(network.depth), size)
    moved, residual = way * features, point[-1] * features - data.y
    length = trace(data.gram(moved))
    t = fmpq(1) if length == 0 else -2 * trace(data.gram(residual, moved)) / length
    return (*point[:-1], point[-1] + way * t)


def _exchanged(draw: Draw, network: Network, point: Weights, k: int) -> Weights:
    width = network.hidden[k]
    i = draw.integer(0, width - 2)
    j = i + 1 + draw.integer(0, width - 2 - i)
    order = list(range(width))
    order[i], order[j] = j, i
    layers = list(point)
    layers[k] = fmpq_mat([layers[k].tolist()[u] for u in order])
    columns = layers[k + 1].transpose().tolist()
    bias = columns[width:]
    layers[k + 1] = fmpq_mat([columns[u] for u in order] + bias).transpose()
    return tuple(layers)


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

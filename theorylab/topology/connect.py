"""connect(A, B): pick the construction whose hypotheses hold."""

from __future__ import annotations

from dataclasses import dataclass

from flint import fmpq

from theorylab.model import Dataset, Loss, Network, Ridge, Weights
from theorylab.outcome import Undecided
from theorylab.topology.exact_algebra import rank
from theorylab.topology.fibre import connect_fibre
from theorylab.topology.lifted import (
    connect_any_depth,
    connect_by_exchange,
    exchange_widths,
    needed_widths,
)
from theorylab.topology.linear import connect_deep_linear
from theorylab.topology.path import Path
from theorylab.topology.quadratic.forms import quadratic_setting
from theorylab.topology.quadratic.paths import connect_scalar_quadratic
from theorylab.topology.ridge.paths import connect_ridge


@dataclass(frozen=True, slots=True)
class Connection:
    """A path from A to B in {L <= `level`}, level = max(L(A), L(B)), and how it was found.

    `construction` is "deep linear", "any depth", "exchange of units", "scalar quadratic", "one
    product" or, with a ridge, one of `connect_ridge`; `needed_widths` are hidden widths that
    suffice for it between these two points.
    """

    path: Path
    level: fmpq
    construction: str
    needed_widths: tuple[int, ...]


def connect(
    network: Network, data: Dataset, a: Weights, b: Weights, ridge: Ridge | None = None
) -> Connection | Undecided:
    """Return a path from `a` to `b` along which the loss is at most max(L(a), L(b)).

    Dense linear networks without bias whose hidden widths exceed min(rank X, m) get the deep linear
    construction, all others the one for any depth and activation. With a ridge, two-layer linear
    networks only.
    Guarantees: exact, the end is exactly `b`; nothing is proved before the kernel has checked it.
    Undecided, with the width that would do, when neither applies: that says nothing about N_u.
    Raises InputError when network, data and weights do not fit.

    >>> from theorylab.model import matrix
    >>> net, data = Network.dense((1, 2, 1), "linear"), Dataset.from_rows([[1]], [[1]])
    >>> a, b = (matrix([[1], [0]]), matrix([[1, 0]])), (matrix([[-1], [0]]), matrix([[-1, 0]]))
    >>> found = connect(net, data, a, b)
    >>> found.construction, found.level, found.needed_widths
    ('deep linear', 0, (2,))
    """
    loss = Loss(network, data, ridge)
    level = max(loss(a), loss(b))
    if ridge is not None:
        through = connect_ridge(loss, a, b)
        if isinstance(through, Undecided):
            return through
        width = min(network.n, network.m) + 1
        return Connection(through.path, level, through.construction, (width,))
    linear = network.activation.kind == "linear"
    fills = linear and network.is_dense and not any(network.bias)
    if fills:
        smaller = min(rank(data.x), network.m)
        if all(width > smaller for width in network.hidden):
            path = connect_deep_linear(network, a, b, data)
            return Connection(path, level, "deep linear", (smaller + 1,) * len(network.hidden))
    found = connect_any_depth(network, data, a, b)
    if isinstance(found, Undecided):
        if not fills:
            squares = _of_squares(network, data, a, b, level)
            if isinstance(squares, Connection):
                return squares
            exchange = connect_by_exchange(network, data, a, b)
            if not isinstance(exchange, Undecided):
                widths = exchange_widths(network, data)
                return Connection(exchange, level, "exchange of units", widths)
            return squares or found
        fibre = connect_fibre(network, a, b)
        if not isinstance(fibre, Undecided):
            return Connection(fibre, level, "one product", network.hidden)
        return Undecided(
            f"a hidden width is not above min(rank X, m) = {smaller}, and {found.reason}",
            "the choice of a construction",
            f"widen every hidden layer to {smaller + 1}",
        )
    return Connection(found, level, "any depth", needed_widths(network, data, a, b))


def _of_squares(
    network: Network, data: Dataset, a: Weights, b: Weights, level: fmpq
) -> Connection | Undecided | None:
    """The path of a scalar network of squares; None for other networks."""
    setting = quadratic_setting(network, data)
    if isinstance(setting, Undecided):
        return None
    path = connect_scalar_quadratic(network, data, a, b)
    if isinstance(path, Undecided):
        return path
    return Connection(path, level, "scalar quadratic", (setting.d + 1,))

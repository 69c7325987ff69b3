"""connect(A, B): pick the construction whose hypotheses hold."""

from __future__ import annotations

from dataclasses import dataclass

from flint import fmpq

from theorylab.model import Dataset, Loss, Network, Weights
from theorylab.outcome import Undecided
from theorylab.topology.exact_algebra import rank
from theorylab.topology.lifted import connect_any_depth, needed_widths
from theorylab.topology.linear import connect_deep_linear
from theorylab.topology.path import Path


@dataclass(frozen=True, slots=True)
class Connection:
    """A path from A to B in {L <= `level`}, level = max(L(A), L(B)), and how it was found.

    `construction` is "deep linear" or "any depth"; `needed_widths` are hidden widths that suffice
    for that construction between these two points.
    """

    path: Path
    level: fmpq
    construction: str
    needed_widths: tuple[int, ...]


def connect(network: Network, data: Dataset, a: Weights, b: Weights) -> Connection | Undecided:
    """Return a path from `a` to `b` along which the loss is at most max(L(a), L(b)).

    Dense linear networks without bias whose hidden widths exceed min(rank X, m) get the deep linear
    construction, all others the one for any depth and activation.
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
    loss = Loss(network, data)
    level = max(loss(a), loss(b))
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
            return found
        return Undecided(
            f"a hidden width is not above min(rank X, m) = {smaller}, and {found.reason}",
            "the choice of a construction",
            f"widen every hidden layer to {smaller + 1}",
        )
    return Connection(found, level, "any depth", needed_widths(network, data, a, b))

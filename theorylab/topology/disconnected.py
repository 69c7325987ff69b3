"""disconnected(network, data): a level with two components or more, if a builder shows one."""

from __future__ import annotations

from collections.abc import Callable
from math import comb

from flint import fmpq

from theorylab.kernel import Proved, check
from theorylab.model import Dataset, Loss, Network, Ridge, Weights
from theorylab.outcome import InputError, Undecided
from theorylab.topology.barrier import Argument
from theorylab.topology.certificate import connection_certificate
from theorylab.topology.level_trees.tree import fraction, level_tree, size_of
from theorylab.topology.path import rational, theta_json
from theorylab.topology.quadratic.inertia import components_at_full_width
from theorylab.topology.walls.determinants import separated_by_determinant, separated_by_features
from theorylab.topology.walls.kinks import separated_by_kinks
from theorylab.topology.walls.narrow import separated_by_line, separated_by_narrow_layer
from theorylab.topology.walls.separation import Separation
from theorylab.topology.walls.shell import separated_by_shell
from theorylab.topology.walls.unit_ridge import separated_by_unit_ridge

Builder = Callable[[Loss, fmpq | None], Separation | Undecided]

BUILDERS: tuple[Builder, ...] = (
    separated_by_determinant,
    separated_by_narrow_layer,
    separated_by_line,
    separated_by_features,
    separated_by_kinks,
)
WITH_A_RIDGE: tuple[Builder, ...] = (*BUILDERS, separated_by_unit_ridge, separated_by_shell)

# terms of an expanded loss for which a shell is sought in less than a second
_MOST_TERMS = 5_000
# a level tree of this many meetings takes a tenth of a second
_SMALL_TREE = 3_000


def separation(loss: Loss, u: fmpq | None = None) -> Separation | Undecided:
    """Points and walls that show at least two components of {L <= u}, or of some level without u.

    The builders are asked one after the other; the one that shows most components answers.
    Guarantees: exact, once the kernel has checked the argument. Undecided says nothing of N_u.
    """
    answers = (builder(loss, u) for builder in _builders(loss))
    found = [answer for answer in answers if isinstance(answer, Separation)]
    if not found:
        return Undecided("no builder found walls and points on both sides", "the separation")
    return max(found, key=lambda answer: answer.number)


def parted(loss: Loss, a: Weights, b: Weights, u: fmpq) -> Argument | Undecided:
    """The argument that `a` and `b` lie in different components of {L <= u}, by a known wall.

    The walls are those of all builders at this level; each is tried on the two points by the
    kernel. Undecided when no wall is found or all have the points on one side.
    Raises InputError when the weights do not fit.

    >>> from theorylab.model import matrix
    >>> data = Dataset.from_rows([[1], [-1]], [[1], [2]])
    >>> loss = Loss(Network.dense((1, 1, 1), "relu"), data)
    >>> a, b = ((matrix([[w]]), matrix([[1]])) for w in (1, -1))
    >>> parted(loss, a, b, loss(a)).proof["walls"][0]["kind"]
    'line'
    """
    points = (theta_json(loss.network.check_weights(point)) for point in (a, b))
    conclusion = {"kind": "separated", **dict(zip("AB", points, strict=True)), "u": rational(u)}
    for builder in _builders(loss):
        found = builder(loss, u)
        if isinstance(found, Undecided):
            continue
        shown = Argument(conclusion, "barrier", {"walls": list(found.walls)})
        raw = connection_certificate(loss, shown.conclusion, shown.rule, shown.proof)
        if isinstance(check(raw), Proved):
            return shown
    return Undecided("no wall has the two points on different sides", "the wall")


def disconnected(
    network: Network, data: Dataset, ridge: Ridge | None = None, u: fmpq | None = None
) -> Argument | Undecided:
    """The argument that {L <= u} has at least two components, at a level of its own without u.

    Points and level are found from network and data alone. Where walls do not show it, scalar
    quadratic networks are asked for their exact count, and small level trees are computed.
    Guarantees: exact, once the kernel has checked the argument. Undecided says nothing of N_u.
    Raises InputError when network, data and ridge do not fit.

    >>> data = Dataset.from_rows([[1], [-1]], [[1], [2]])
    >>> disconnected(Network.dense((1, 1, 1), "relu"), data).conclusion
    {'kind': 'components', 'u': '4', 'at_least': 2, 'at_most': None}
    """
    found = separation(Loss(network, data, ridge), u)
    if isinstance(found, Separation):
        return found.components
    if ridge is not None:
        return found
    for exact in (components_at_full_width, _by_level_tree):
        counted = exact(network, data, u)
        if isinstance(counted, Argument) and counted.conclusion["at_least"] >= 2:
            return counted
    return found


def _builders(loss: Loss) -> tuple[Builder, ...]:
    if loss.ridge is None:
        return BUILDERS
    return WITH_A_RIDGE if _terms(loss.network) <= _MOST_TERMS else WITH_A_RIDGE[:-1]


def _terms(network: Network) -> int:
    """A bound of the number of terms of the loss of a polynomial network in its weights."""
    power, degree = len(network.activation.coefficients or (0, 1)) - 1, 0
    for k in range(1, network.depth + 1):
        degree = (degree + 1) * (power if k < network.depth else 1)
    entries = sum(r * c for r, c in map(network.shape, range(1, network.depth + 1)))
    return comb(entries + 2 * degree, 2 * degree)


def _by_level_tree(network: Network, data: Dataset, u: fmpq | None) -> Argument | Undecided:
    """The exact count of a small level tree, at its level of most components without u."""
    try:
        size = size_of(network, data)
    except InputError as error:
        return Undecided(str(error), "the level tree")
    if size.meetings > _SMALL_TREE:
        return Undecided(f"{size.meetings:,} meetings of regions are not few", "the level tree")
    tree = level_tree(network, data)
    if u is None:
        level, number = max(tree.levels, key=lambda row: row[1])
    else:
        level = fraction(u)
        number = tree.components(level)
    conclusion = {"kind": "components", "u": str(level), "at_least": number, "at_most": number}
    return Argument(conclusion, "level_tree", tree.proof)

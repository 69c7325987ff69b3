"""From network and data alone: what shows that a conclusion fails for them.

For each kind of conclusion that has a negation, the builders that may show it are asked one after
the other. They find level and points themselves; no known counterexample is written down here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from flint import fmpq, fmpq_mat

from theorylab.model import Loss, Network, Weights
from theorylab.outcome import InputError, Undecided
from theorylab.topology.barrier import (
    Argument,
    dead_relu_minimum,
    separated_by_bottleneck,
    trapped_by_constant_term,
    weak_minimum_of_squares,
)
from theorylab.topology.certificate import descends, joined
from theorylab.topology.disconnected import separation
from theorylab.topology.exact_algebra import least_squares, rank, trace
from theorylab.topology.level_trees.tree import fraction, level_tree, size_of
from theorylab.topology.quadratic.forms import Forms, quadratic_setting
from theorylab.topology.quadratic.inertia import separated_by_inertia, separated_by_signs
from theorylab.topology.quadratic.trap import trapped_by_sign
from theorylab.topology.walls.one_variable import (
    poor_minimum_of_one_weight,
    trapped_beyond_a_maximum,
)
from theorylab.topology.walls.vanishing import (
    low_points,
    separated_by_activated_output,
    separated_where_a_weight_vanishes,
)

Builder = Callable[[Loss], Argument | Undecided]

# the kinds of conclusions that have builders of their negation
NEGATED = ("joined", "descends", "not_poor_minimum")

_TRIED = 12
_MAX_FORM = 3
_REGIONS = 600
_TREE_POINTS = 48
_PAIRS = 12


def counterexamples(kind: str, loss: Loss) -> Iterator[Argument]:
    """Arguments that may refute a conclusion of this kind for the loss, in the kernel's words.

    "joined": a pair and the level at which it is separated. "descends": a point whose component
    never gets as low as another point. "not_poor_minimum": a weak local minimum and a lower point.
    Guarantees: each is about this network, data and ridge; nothing is shown before the kernel has
    checked it, and some only look promising. None at all when no builder has anything to say.

    >>> from theorylab.model import Dataset
    >>> loss = Loss(Network.dense((1, 1, 1), "linear"), Dataset.from_rows([[1]], [[1]]))
    >>> next(counterexamples("joined", loss)).conclusion["kind"]
    'joined'
    """
    dense = loss.network.is_dense
    for builder in _BUILDERS.get(kind, ()) if dense else _WITH_PATTERN.get(kind, ()):
        found = builder(loss)
        if not isinstance(found, Undecided):
            yield found
    if dense and kind in ("joined", "descends"):
        yield from _by_level_tree(kind, loss)


def _by_level_tree(kind: str, loss: Loss) -> Iterator[Argument]:
    """Points of small loss that the level tree may find apart, or in a spurious valley."""
    network, data = loss.network, loss.data
    piecewise = network.activation.kind in ("relu", "leaky_relu", "abs")
    shallow = network.depth == 2 and network.m == 1 and network.output == "linear"
    if not (piecewise and shallow) or loss.ridge is not None:
        return
    if size_of(network, data).regions > _REGIONS:
        return
    try:
        tree = level_tree(network, data)
    except InputError:  # more work than was estimated
        return
    points = low_points(loss, _TREE_POINTS)
    if kind == "joined":
        torn = [p for p in points if tree.components(fraction(loss(p))) > 1]
        pairs = [(a, b) for j, b in enumerate(torn) for a in torn[:j]]
        for a, b in pairs[:_PAIRS]:
            yield Argument(joined(a, b, max(loss(a), loss(b))), "level_tree", tree.proof)
        return
    least = fmpq(tree.global_min.numerator, tree.global_min.denominator)
    births = [b.level for b in tree.births if b.level > tree.global_min]
    ends = [m.level for m in tree.merges]
    if not births:
        return
    low, high = min(births), max(ends)
    stuck = [p for p in points if low <= fraction(loss(p)) < high]
    for a in stuck[:_PAIRS]:
        yield Argument(descends(a, least, fmpq(0)), "level_tree", tree.proof)


def _parted_pair(loss: Loss) -> Argument | Undecided:
    """Two signs of a one-unit layer of a linear network."""
    network, data = loss.network, loss.data
    if network.activation.kind != "linear" or 1 not in network.hidden or loss.ridge is not None:
        return Undecided("not a linear network with a hidden layer of one unit", "the pair")
    if not network.is_dense or any(network.bias):
        return Undecided("the network is not dense without bias", "the pair")
    narrow = network.hidden.index(1) + 1
    energy = trace(data.gram(data.y))
    for a in low_points(loss, _TRIED):
        b = list(a)
        b[narrow - 1], b[narrow] = a[narrow - 1] * -1, a[narrow] * -1
        level = loss(a)
        if level < energy:
            found = separated_by_bottleneck(network, data, a, tuple(b), level)
            if not isinstance(found, Undecided):
                return replace(found, conclusion=joined(a, tuple(b), level))
    return Undecided("no pair on two sides of a wall", "the pair")


def _walls(loss: Loss) -> Argument | Undecided:
    found = separation(loss)
    return found if isinstance(found, Undecided) else as_joined(found.separated)


def _vanishing(loss: Loss) -> Argument | Undecided:
    return as_joined(separated_where_a_weight_vanishes(loss))


def _activated(loss: Loss) -> Argument | Undecided:
    return as_joined(separated_by_activated_output(loss))


def _inertia(loss: Loss) -> Argument | Undecided:
    """The best form of a scalar quadratic network of full width, one of its vectors turned."""
    network, data = loss.network, loss.data
    if loss.ridge is not None:
        return Undecided("the loss has a ridge", "the pair")
    setting = quadratic_setting(network, data)
    if isinstance(setting, Undecided):
        return setting
    if setting.width < setting.d <= _MAX_FORM:
        return as_joined(separated_by_signs(network, data))
    if setting.d != setting.width or setting.d > _MAX_FORM:
        return Undecided("the width is not the rank of X, or the rank is large", "the pair")
    forms = Forms(setting, data)
    if forms.best.det() == 0:
        return Undecided("a singular form is the best", "the pair")
    a = forms.weights(forms.best, network)
    turned = [[-v if k == 0 else v for v in row] for k, row in enumerate(a[0].tolist())]
    b = (fmpq_mat(turned), a[1])
    return as_joined(separated_by_inertia(network, data, a, b, forms.least))


def as_joined(separated: Argument | Undecided) -> Argument | Undecided:
    """A separated pair as the negation of "joined"."""
    if isinstance(separated, Undecided):
        return separated
    return replace(separated, conclusion={**separated.conclusion, "kind": "joined"})


def _constant_term(loss: Loss) -> Argument | Undecided:
    network, data = loss.network, loss.data
    one_unit = network.widths == (network.n, 1, 1) and not any(network.bias)
    if loss.ridge is not None or not one_unit or not network.is_dense:
        return Undecided("not one hidden unit and one output", "the trap")
    energy = trace(data.gram(data.y))
    for a in _near_the_wall(network, loss):
        found = trapped_by_constant_term(network, data, a, (loss(a) + energy) / 2)
        if not isinstance(found, Undecided):
            return as_descent(loss, found)
    return Undecided("no trapped point near the wall", "the trap")


def _sign_of_a_unit(loss: Loss) -> Argument | Undecided:
    targets = loss.data.y.entries()
    one = loss.network.hidden == (1,) and loss.network.activation.degrees == (2,)
    two_signs = min(targets) < 0 < max(targets) and rank(loss.data.x) + loss.network.bias[0] > 1
    if loss.ridge is not None or not one or not two_signs:
        return Undecided("not one unit of a z^2, or one sign suffices", "the trap")
    found = trapped_by_sign(loss.network, loss.data)
    return found if isinstance(found, Undecided) else as_descent(loss, found)


def _near_the_wall(network: Network, loss: Loss) -> Iterator[Weights]:
    slope = least_squares(loss.data.x, loss.data)
    for outer in (fmpq(1, 10), fmpq(-1, 10), fmpq(1), fmpq(-1)):
        yield slope / outer, fmpq_mat([[outer]])


def weights_of(layers: list[list[list[str]]]) -> Weights:
    """The weights that ``theta_json`` wrote."""
    return tuple(fmpq_mat([[fmpq_of(v) for v in row] for row in layer]) for layer in layers)


def fmpq_of(text: str) -> fmpq:
    """The rational in a text p/q."""
    p, _, q = text.partition("/")
    return fmpq(int(p), int(q or 1))


def as_descent(loss: Loss, trapped: Argument) -> Argument:
    """A trap as the negation of "descends to the loss of the lower point of its proof"."""
    lower = weights_of(trapped.proof["lower"])
    a = weights_of(trapped.conclusion["A"])
    return replace(trapped, conclusion=descends(a, loss(lower), fmpq(0)))


def _weak_square(loss: Loss) -> Argument | Undecided:
    if loss.ridge is not None or not loss.network.is_dense:
        return Undecided("the loss has a ridge, or the network a pattern", "the minimum")
    return weak_minimum_of_squares(loss.network, loss.data)


def _dead_relu(loss: Loss) -> Argument | Undecided:
    if loss.ridge is not None or not loss.network.is_dense:
        return Undecided("the loss has a ridge, or the network a pattern", "the minimum")
    return dead_relu_minimum(loss.network, loss.data, tries=20)


_BUILDERS: dict[str, tuple[Builder, ...]] = {
    "joined": (_parted_pair, _vanishing, _activated, _walls, _inertia),
    "descends": (_constant_term, _sign_of_a_unit, trapped_beyond_a_maximum),
    "not_poor_minimum": (_weak_square, _dead_relu),
}

_WITH_PATTERN: dict[str, tuple[Builder, ...]] = {
    "joined": (_vanishing, _activated),
    "descends": (trapped_beyond_a_maximum,),
    "not_poor_minimum": (poor_minimum_of_one_weight,),
}

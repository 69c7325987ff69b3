"""Two-layer linear networks with a ridge: one wider than min(n, m) joins every sublevel set.

The loss is |W_2 W_1 X - Y|^2 plus a penalty that no rotation of the hidden units changes. So the
units of two points are rotated into places of their own and mixed, which is exact; where there are
too few places, floating-point descent shows the way and every straight segment is certified.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flint import fmpq, fmpq_mat, fmpq_poly

from theorylab.model import Loss, Weights
from theorylab.model.rational import stacked
from theorylab.outcome import Undecided
from theorylab.topology.exact_algebra import echelon, identity, kernel, rows
from theorylab.topology.path import Path, PathBuilder, Piece, Polynomials
from theorylab.topology.positivity import sign_leaves
from theorylab.topology.ridge.descent import Moments, descents, mirrors, shortened

_ONE, _COSINE, _SINE = fmpq_poly([1]), fmpq_poly([1, 0, -1]), fmpq_poly([0, 2])
_UNIT = fmpq_poly([1, 0, 1])

# binary digits of the vertices, one attempt after the other
_DIGITS = (10, 16, 24, 36)


@dataclass(frozen=True, slots=True)
class RidgeConnection:
    """A path and how it was found.

    `construction` is "rotation" when one end is the other with its hidden units rotated, "mixing"
    when their units fit side by side, "ridge" when floating-point descent showed the way.
    """

    path: Path
    construction: str


def connect_ridge(loss: Loss, a: Weights, b: Weights, seed: int = 0) -> RidgeConnection | Undecided:
    """Return a path from `a` to `b` in {L <= max(L(a), L(b))}, for a two-layer linear network.

    The ridge must be positive and the same for all hidden units; it may depend on the input and on
    the output of a weight, so on the layer. Where a + b have more live units than there are places,
    the hidden width must exceed min(n, m), and floating-point descent must reach the minimum.
    Guarantees: exact, the end is exactly `b`; each segment is certified here already, and nothing
    is proved before the kernel has checked it. Deterministic for a seed.
    Undecided when a hypothesis fails, or the search does.
    Source: Freeman & Bruna 2017 (ridge); the paths are ours.

    >>> from theorylab.model import Dataset, Network, matrix
    >>> loss = Loss(Network.dense((1, 2, 1), "linear"), Dataset.from_rows([[1]], [[1]]), fmpq(1, 2))
    >>> a, b = (matrix([[1], [0]]), matrix([[1, 0]])), (matrix([[-1], [0]]), matrix([[-1, 0]]))
    >>> connect_ridge(loss, a, b).construction
    'rotation'
    >>> connect_ridge(loss, a, (matrix([[-1], [0]]), matrix([["-3/2", 0]]))).construction
    'mixing'
    """
    network = loss.network
    a, b = network.check_weights(a), network.check_weights(b)
    moments = Moments.of(loss)
    if isinstance(moments, Undecided):
        return moments
    turn = _rotation(a, b)
    if turn is not None:
        builder = PathBuilder(network, a)
        for v, w in turn:
            _turn(builder, v, w)
        return RidgeConnection(builder.path(), "rotation")
    there, back = PathBuilder(network, a), PathBuilder(network, b)
    mine, theirs = _live_units(there), _live_units(back)
    (hidden,) = network.hidden
    if len(mine) + len(theirs) <= hidden:
        free = [i for i in range(hidden) if i not in mine and i not in theirs]
        places = {i: (free.pop(0) if i in mine else i) for i in theirs}
        _move_units(back, places)
        _mix(there, back.current)
        return RidgeConnection(there.path().then(back.path().reversed()), "mixing")
    if hidden <= min(network.n, network.m):
        return Undecided(
            f"{len(mine)} + {len(theirs)} live units do not fit side by side, and the hidden width "
            f"{hidden} is not above min(n, m) = {min(network.n, network.m)}",
            "the choice of a construction",
            f"widen the hidden layer to {min(network.n, network.m) + 1}",
        )
    path = _through_the_bottom(loss, moments, a, b, seed)
    return path if isinstance(path, Undecided) else RidgeConnection(path, "ridge")


def _through_the_bottom(
    loss: Loss, moments: Moments, a: Weights, b: Weights, seed: int
) -> Path | Undecided:
    """Straight segments down from both ends, and rotations from the one bottom to the other."""
    ways = descents(moments, a, b, seed)
    if isinstance(ways, Undecided):
        return ways
    landscape, *both = ways
    level = max(loss(a), loss(b))

    def below(start: Weights, end: Weights) -> bool:
        gap = level - moments.along(start, end)
        return not isinstance(sign_leaves(gap, strict=False, depth=12), Undecided)

    def straight(builder: PathBuilder, chain: Sequence[Weights]) -> bool:
        """Follow the chain by as few segments below the level as a greedy search finds."""
        at, last = -1, len(chain) - 1
        while at < last:
            jump = last - at
            while jump and not below(builder.current, chain[at + jump]):
                jump //= 2
            if not jump:
                return False
            at += jump
            builder.append(_segment(builder.current, chain[at]))
        return True

    for digits in _DIGITS:
        there, back = PathBuilder(loss.network, a), PathBuilder(loss.network, b)
        chains = [[landscape.rounded(v, digits) for v in way[1:]] for way in both]
        if not (straight(there, chains[0]) and straight(back, chains[1])):
            continue
        here, goal = (landscape.scaled(builder.current) for builder in (there, back))
        vectors = mirrors(here, goal, digits)
        arrived = True
        for v, w in zip(vectors[::2], vectors[1::2], strict=True):
            _turn(there, v, w)
            arrived = arrived and straight(there, [shortened(there.current, digits)])
        if arrived and straight(there, [back.current]):
            return there.path().then(back.path().reversed())
    return Undecided("no rounding of the descent stays below the level", "the segments")


def _segment(start: Weights, end: Weights) -> Piece:
    """The straight segment on which both layers move."""
    layers = []
    for k, (old, new) in enumerate(zip(start, end, strict=True), start=1):
        pairs = zip(old.tolist(), (new - old).tolist(), strict=True)
        table = tuple(
            tuple(fmpq_poly([p, d]) for p, d in zip(row, change, strict=True))
            for row, change in pairs
        )
        layers.append((k, table, _ONE))
    return Piece(tuple(layers))


def _live_units(builder: PathBuilder) -> list[int]:
    """The hidden units that both layers use; the weights of the others go to 0, which lowers L."""
    first, second = builder.current
    read, written = second.transpose().tolist(), first.tolist()
    live = [i for i, (v, w) in enumerate(zip(read, written, strict=True)) if any(v) and any(w)]
    builder.move("layer", 1, _only_rows(first, live))
    builder.move("layer", 2, _only_rows(second.transpose(), live).transpose())
    return live


def _only_rows(m: fmpq_mat, kept: Sequence[int]) -> fmpq_mat:
    zero = [fmpq(0)] * m.ncols()
    return fmpq_mat([row if i in kept else zero for i, row in enumerate(m.tolist())])


def _move_units(builder: PathBuilder, places: dict[int, int]) -> None:
    """Turn unit i into place j for every i: j; a place with i != j is empty. L does not change.

    The turn is by the angle with cosine (1 - t^2)/(1 + t^2) and sine 2 t/(1 + t^2).
    """
    moving = {i: j for i, j in places.items() if i != j}
    if not moving:
        return

    def turned(m: fmpq_mat) -> Polynomials:
        table = [[q * _UNIT for q in row] for row in m.tolist()]
        for i, j in moving.items():
            old = m.tolist()[i]
            table[i], table[j] = [q * _COSINE for q in old], [q * _SINE for q in old]
        return tuple(map(tuple, table))

    first, second = builder.current
    columns = tuple(zip(*turned(second.transpose()), strict=True))
    builder.piece([(1, turned(first), _UNIT), (2, columns, _UNIT)])


def _mix(builder: PathBuilder, end: Weights) -> None:
    """Go to `end`, whose units have other places, by c A + s B with c^2 + s^2 = 1.

    L is convex in s^2: the product is c^2 (that of A) + s^2 (that of B), and so is the penalty.
    """
    layers = []
    for k, (old, new) in enumerate(zip(builder.current, end, strict=True), start=1):
        pairs = zip(old.tolist(), new.tolist(), strict=True)
        table = tuple(
            tuple(p * _COSINE + q * _SINE for p, q in zip(row, other, strict=True))
            for row, other in pairs
        )
        layers.append((k, table, _UNIT))
    builder.piece(layers)


def _rotation(a: Weights, b: Weights) -> list[tuple[fmpq_mat, fmpq_mat]] | None:
    """Pairs of vectors (1 x p) whose reflections, one after the other, turn `a` into `b`, or None.

    The rows of [W_2; W_1^T] must have the same products in `a` and `b`. Reflection in the
    difference of a row and its goal takes one to the other, and leaves the rows already in place
    (Witt's theorem by the way of Cartan and Dieudonne).
    """
    here, goal = (stacked(second, first.transpose()) for first, second in (a, b))
    if here * here.transpose() != goal * goal.transpose():
        return None
    found: list[fmpq_mat] = []
    for i in echelon(goal.transpose())[1]:
        v = rows(here, [i]) - rows(goal, [i])
        if any(v.entries()):
            found.append(v)
            here = here * reflection(v)
    if len(found) % 2:
        unseen = kernel(goal).basis.transpose()
        if not unseen.nrows():
            return None
        found.append(rows(unseen, [0]))
    return list(zip(found[::2], found[1::2], strict=True))


def reflection(v: fmpq_mat) -> fmpq_mat:
    """I - 2 v^T v / |v|^2 for a row v."""
    return identity(v.ncols()) - v.transpose() * v * (2 / (v * v.transpose())[0, 0])


def _turn(builder: PathBuilder, v: fmpq_mat, w: fmpq_mat) -> None:
    """Rotate the hidden units by the reflection in v, then that in v + t (w - v), t from 0 to 1."""
    if rank_one(v, w) and (v * w.transpose())[0, 0] < 0:
        w = w * -1
    ends = zip(v.entries(), w.entries(), strict=True)
    line = [fmpq_poly([p, q - p]) for p, q in ends]
    den = sum((p * p for p in line), fmpq_poly([]))
    first, second = builder.current
    first = (first.transpose() * reflection(v)).transpose()
    second = second * reflection(v)

    def turned(m: fmpq_mat) -> list[list[fmpq_poly]]:
        table = []
        for row in m.tolist():
            height = sum((q * p for q, p in zip(row, line, strict=True)), fmpq_poly([])) * 2
            table.append([q * den - height * p for q, p in zip(row, line, strict=True)])
        return table

    columns = tuple(zip(*turned(first.transpose()), strict=True))
    builder.piece([(1, columns, den), (2, tuple(map(tuple, turned(second))), den)])


def rank_one(v: fmpq_mat, w: fmpq_mat) -> bool:
    """Whether two rows are parallel."""
    return int(stacked(v, w).rank()) < 2

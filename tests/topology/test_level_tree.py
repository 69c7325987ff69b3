"""Level trees: the tables of the catalogue, the slow tree, and grids that know no cells."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from flint import fmpq
from kernel.trees import SlowTree
from numpy.typing import NDArray
from scipy.ndimage import label
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from theorylab import kernel
from theorylab.model import Activation, Dataset, Network
from theorylab.outcome import InputError
from theorylab.topology.certificate import certificate, statement_json
from theorylab.topology.level_trees.nonnegative import Cones, bits
from theorylab.topology.level_trees.size import Size
from theorylab.topology.level_trees.tree import LevelTree, level_tree

Table = list[list[object]]
KINDS: list[Activation | str] = [
    "relu",
    "abs",
    "linear",
    Activation("leaky_relu", (fmpq(1, 3),)),
    Activation("leaky_relu", (fmpq(-1, 2),)),
    Activation("leaky_relu", (fmpq(2),)),
]
BRACKETS = Dataset.from_rows(
    [[s, 1] for s in (-1, 0, 1, 3, 4, 5)], [[y] for y in (0, 0, 1, 3, 4, 4)], None, "brackets"
)


def tree(widths: tuple[int, ...], data: Dataset, kind: Activation | str = "relu") -> LevelTree:
    return level_tree(Network.dense(widths, kind), data)


def checked(network: Network, data: Dataset, found: LevelTree) -> kernel.Outcome:
    conclusion = {"kind": "level_tree", "levels": found.levels_json}
    statement = statement_json(network, data, [], conclusion)
    return kernel.check(certificate(statement, "level_tree", found.proof))


# CLAIMS, C10 and section 6
@pytest.mark.parametrize(
    ("units", "x", "y", "table"),
    [
        (1, [[1], [-1]], [1, 1], [["1", 2], ["2", 1]]),
        (1, [[1], [-1]], [1, 2], [["1", 1], ["4", 2], ["5", 1]]),
        (2, [[1], [-1]], [1, 1], [["0", 2], ["1", 1]]),
        (3, [[1], [-1]], [1, 1], [["0", 1]]),
        (2, [[1, -2], [-3, 0], [1, 2], [2, 0]], [4, 1, 4, 3], [["0", 4], ["1", 2], ["25/3", 1]]),
        (1, [[3, 3], [-3, -3]], [-3, 1], [["1", 1], ["9", 2], ["10", 1]]),
        (1, [[3, -3], [3, -3]], [-3, 1], [["8", 1], ["10", 1]][:1]),
    ],
)
def test_the_tables_of_the_catalogue(
    units: int, x: list[list[int]], y: list[int], table: Table
) -> None:
    data = Dataset.from_rows(x, [[v] for v in y])
    found = tree((len(x[0]), units, 1), data)
    assert found.levels_json == table
    assert isinstance(checked(Network.dense((len(x[0]), units, 1), "relu"), data, found),
                      kernel.Proved)  # fmt: skip


def test_the_brackets() -> None:
    found = tree((2, 2, 1), BRACKETS)
    assert found.levels_json == [["0", 2], ["654/1459", 4], ["20/43", 3], ["1320/1993", 1]]
    assert found.regions == 576
    assert found.top_merge == Fraction(1320, 1993) and found.barrier == Fraction(20, 43)
    assert [found.components(Fraction(u)) for u in ("-1", "0", "1/2", "9")] == [0, 2, 3, 1]
    network = Network.dense((1, 2, 1), "relu", (True, False))
    assert level_tree(network, BRACKETS.restrict((0,), (0,))).levels == found.levels


def test_one_unit_has_no_barrier_on_the_brackets_and_more_units_a_lower_one() -> None:
    """The top merge is no monotone function of the width: none for one unit."""
    tops = [tree((2, p, 1), BRACKETS).top_merge for p in (1, 2, 3)]
    assert tops == [None, Fraction(1320, 1993), Fraction(654, 1459)]


def test_births_and_merges_add_up_to_the_table() -> None:
    rng = random.Random(5)
    for _ in range(20):
        found = tree((2, 2, 1), _random_data(rng, 2, 4))
        events = sorted({b.level for b in found.births} | {m.level for m in found.merges})
        born = {b.component: b.level for b in found.births}
        for level in events:
            alive = sum(b.level <= level for b in found.births)
            alive -= sum(len(m.absorbed) for m in found.merges if m.level <= level)
            assert alive == found.components(level)
        assert [b.component for b in found.births] == [*range(len(found.births))]
        assert sum(len(m.absorbed) for m in found.merges) == len(found.births) - 1
        assert all(v > 0 for v in found.persistence.values())
        for merge in found.merges:
            assert all(born[merge.survivor] <= born[c] for c in merge.absorbed)
        assert found.levels[-1][1] == 1 and found.global_min == found.births[0].level
        assert all(a[0] < b[0] and a[1] != b[1] for a, b in pairwise(found.levels))


def _random_data(rng: random.Random, n: int, samples: int, size: int = 3) -> Dataset:
    x = [[rng.randint(-size, size) for _ in range(n)] for _ in range(samples)]
    weights = [rng.randint(1, 3) for _ in range(samples)] if rng.random() < 0.3 else None
    return Dataset.from_rows(x, [[rng.randint(-4, 4)] for _ in range(samples)], weights)


@pytest.mark.parametrize("seed", range(50))
def test_against_all_pairs_of_regions_and_all_supports(seed: int) -> None:
    """The slow tree shares no cells, neighbours, problems or code with the builder."""
    rng = random.Random(seed)
    n, units = rng.choice([(1, 1), (1, 2), (2, 1), (3, 1), (1, 3), (2, 2)])
    samples = 3 if n * units > 2 else rng.randint(1, 4)
    data = _random_data(rng, n, samples)
    if n == 3:  # of rank two
        rows = data.x.transpose().tolist()
        data = Dataset.from_rows([[a, b, a + 2 * b] for a, b, _ in rows], [[1], [-2], [3]][:samples]
                                 + [[1]] * max(0, samples - 3))  # fmt: skip
    bias = (rng.random() < 0.4 and n == 1 and units < 3, rng.random() < 0.3)
    network = Network.dense((n, units, 1), rng.choice(KINDS), bias)
    found = level_tree(network, data)
    slow = SlowTree(network.to_json(), data.to_json()).table()[0]
    assert list(found.levels) == slow
    assert isinstance(checked(network, data, found), kernel.Proved)


@pytest.mark.parametrize("seed", range(8))
def test_what_leaves_the_tree_as_it_is(seed: int) -> None:
    """Other coordinates, orders and duplicates of the data; scaled targets scale the levels."""
    rng = random.Random(seed)
    data = _random_data(rng, 2, 4)
    x, y = data.x.transpose().tolist(), [row[0] for row in data.y.transpose().tolist()]
    s = list(data.sample_weights)
    plain = tree((2, 2, 1), data)

    def table(x: object, y: object, s: object) -> list[tuple[Fraction, int]]:
        made = Dataset.from_rows(x, [[v] for v in y], s)  # type: ignore[attr-defined, arg-type]
        return list(tree((2, 2, 1), made).levels)

    same = list(plain.levels)
    assert table([[a + 2 * b, a + 3 * b] for a, b in x], y, s) == same
    assert table([[a / 3, b / 3] for a, b in x], y, s) == same
    assert table(x[::-1], y[::-1], s[::-1]) == same
    assert table([*x, x[0]], [*y, y[0]], [s[0] / 3, *s[1:], s[0] * 2 / 3]) == same
    assert table(x, [v * -2 for v in y], s) == [(4 * level, n) for level, n in same]
    assert table([*x, [0, 0]], [*y, 3], [*s, 2]) == [(level + 18, n) for level, n in same]
    wide = Dataset.from_rows([[a, b, a - b] for a, b in x], [[v] for v in y], s)
    assert list(tree((3, 2, 1), wide).levels) == same


def test_trees_of_linear_networks_are_those_of_the_theorems() -> None:
    """1-1-1 has two components below |X Y^T|^2 / |X|^2; with a second unit there is one."""
    data = Dataset.from_rows([[1], [2]], [[1], [3]])
    assert tree((1, 1, 1), data, "linear").levels_json == [["1/5", 2], ["10", 1]]
    assert tree((1, 2, 1), data, "linear").levels_json == [["1/5", 1]]
    assert tree((2, 2, 1), BRACKETS, "linear").levels_json[0][1] == 1


def test_from_twice_the_feature_dimension_on_there_is_one_component() -> None:
    rng = random.Random(2)
    for _ in range(10):
        data = _random_data(rng, 1, 3)  # at most two features on the data
        assert [n for _, n in tree((1, 4, 1), data).levels] == [1]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_a_plane_of_grid_points_for_one_unit(seed: int) -> None:
    """Flood fill: for each sign of u, w in a square; the two squares are glued at w = 0."""
    rng = random.Random(seed)
    data = _random_data(rng, 2, 4)
    found = tree((2, 1, 1), data)
    spread = np.linspace(-6, 6, 1201)
    points = np.stack(np.meshgrid(spread, spread, indexing="ij"))
    x = _floats(data.x.tolist())
    z = np.maximum(np.einsum("dab,dj->jab", points, x), 0)
    y = _floats(data.y.tolist())[0][:, None, None]
    s = np.array([float(w.p) / float(w.q) for w in data.sample_weights])[:, None, None]
    sheets = [np.sum(s * (sign * z - y) ** 2, axis=0) for sign in (1, -1)]
    middle = len(spread) // 2
    for level in _between(found):
        parts = [label(sheet <= level, np.ones((3, 3)))[0] for sheet in sheets]
        # the tip of a thin wedge may leave a few points of the grid by themselves
        total = sum(int(np.sum(np.bincount(part.ravel())[1:] > 12)) for part in parts)
        glued = all(part[middle, middle] > 0 for part in parts)
        assert total - glued == found.components(Fraction(level)), level


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_a_grid_of_two_units(seed: int) -> None:
    """Two units on one input: each is four half-lines glued at 0; a grid on their product."""
    rng = random.Random(seed)
    data = _random_data(rng, 1, 4)
    found = tree((1, 2, 1), data)
    steps = 240
    arms = [(sign, way) for sign in (1, -1) for way in (1, -1)]
    reach = np.linspace(0, 6, steps + 1)
    x = _floats(data.x.tolist())[0]
    # node 0 is the common end; arm a has nodes 1 + a * steps ... (a + 1) * steps
    features = [np.zeros((1, len(x)))]
    features += [s * np.maximum(np.outer(reach[1:], w * x), 0) for s, w in arms]
    unit: NDArray[np.float64] = np.concatenate(features)
    chain = [(0 if i % steps == 0 else i, i + 1) for i in range(4 * steps)]
    edges = np.array(chain)
    y = _floats(data.y.tolist())[0]
    s = np.array([float(w.p) / float(w.q) for w in data.sample_weights])
    outputs = unit[:, None, :] + unit[None, :, :]
    loss = np.sum(s * (outputs - y) ** 2, axis=2)
    nodes = np.arange(loss.size).reshape(loss.shape)
    a, b = edges.T
    along = [(nodes[a], nodes[b]), (nodes[:, a], nodes[:, b])]
    along += [(nodes[a][:, c], nodes[b][:, d]) for c, d in ((a, b), (b, a))]
    for level in _between(found):
        low = (loss <= level).ravel()
        pairs = [(p[low[p] & low[q]], q[low[p] & low[q]]) for p, q in along]
        rows, columns = (np.concatenate(side) for side in zip(*pairs, strict=True))
        graph = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(loss.size,) * 2)
        components = connected_components(graph, directed=False)[1][low]
        assert len(set(components.tolist())) == found.components(Fraction(level)), level


def _floats(rows: list[list[fmpq]]) -> NDArray[np.float64]:
    return np.array([[float(v.p) / float(v.q) for v in row] for row in rows])


def _between(found: LevelTree) -> list[float]:
    """Levels half way between two changes that are far enough apart for a grid, and above all."""
    levels = [float(level) for level, _ in found.levels]
    room = [(a + b) / 2 for a, b in pairwise(levels) if b - a > 0.4]
    return [*room, levels[-1] + 1]


# the solver of least squares


@pytest.mark.parametrize("seed", range(30))
def test_the_nearest_point_of_a_cone(seed: int) -> None:
    rng = random.Random(seed)
    samples, count = rng.randint(1, 4), rng.randint(1, 7)
    rows = [[rng.randint(-2, 2) for _ in range(samples)] for _ in range(count)]
    target = [fmpq(rng.randint(-9, 9), rng.randint(1, 4)) for _ in range(samples)]
    weights = [fmpq(rng.randint(1, 9), rng.randint(1, 3)) for _ in range(samples)]
    cones = Cones(rows, target, weights)
    for mask in range(1 << count):
        found = cones.nearest(mask)
        assert found.support | mask == mask and mask & ~found.optimal == 0
        fit = [sum((w * rows[g][j] for g, w in found.weights), fmpq(0)) for j in range(samples)]
        rest = [f - y for f, y in zip(fit, target, strict=True)]
        assert found.value == sum((s * r * r for s, r in zip(weights, rest, strict=True)), fmpq(0))
        for g in bits(mask):
            slope = sum(
                (s * r * v for s, r, v in zip(weights, rest, rows[g], strict=True)), fmpq(0)
            )
            assert slope >= 0 and (slope == 0 or g not in dict(found.weights))


class WithoutFloats(Cones):
    """The exact search from the beginning, each time."""

    def _guess(self, mask: int) -> int:
        return 0


@pytest.mark.parametrize("seed", range(20))
def test_the_weights_do_not_depend_on_floats(seed: int) -> None:
    """Dependent generators too, so that the committed certificates are the same everywhere."""
    rng = random.Random(seed)
    rows = [[rng.randint(-1, 1) for _ in range(3)] for _ in range(7)]
    target = [fmpq(rng.randint(-2, 2)) for _ in range(3)]
    parts = (rows, target, [fmpq(1)] * 3)
    cones, exact = Cones(*parts), WithoutFloats(*parts)
    for mask in range(1 << 7):
        assert cones.nearest(mask) == exact.nearest(mask)


def test_numbers_beyond_floats_are_no_obstacle() -> None:
    huge = 10**400
    cones = Cones([[huge, 0], [huge, huge]], [fmpq(2, huge), fmpq(-1)], [fmpq(1), fmpq(1, huge)])
    assert cones.nearest(3).value == fmpq(1, huge)
    data = Dataset.from_rows([[str(huge)], ["-1"]], [["1"], [str(huge)]])
    found = tree((1, 1, 1), data)
    assert found.levels_json == [["1", 1], [str(huge**2), 2], [str(huge**2 + 1), 1]]


# what is refused


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (Network.dense((2, 2, 1), "square"), "relu, leaky_relu, abs or linear"),
        (Network.dense((2, 2, 2, 1), "relu"), "one dense hidden layer"),
        (Network.dense((2, 9, 1), "relu"), "the widest hidden layer that fits on these samples"),
        (Network.dense((2, 2, 1), "relu", output="activation"), "leave the output linear"),
    ],
)
def test_what_it_is_not_for_and_what_is_too_big(network: Network, words: str) -> None:
    with pytest.raises(InputError, match=words):
        level_tree(network, BRACKETS)


def test_the_largest_size_that_fits_is_named() -> None:
    size = Size(5, 12, 2, 12)
    assert not size.fits and size.remedy.endswith("p = 3")
    assert Size(3, 12, 2, 12).fits and not Size(4, 12, 2, 12).fits
    wide = Size(1, 500, 3, 500)
    assert not wide.fits and wide.remedy.startswith("with these widths about ")
    most = int(wide.remedy.split()[4])
    assert Size(1, most, 3, most).fits and not Size(1, most + 1, 3, most + 1).fits


def test_counts_of_general_position_are_those_of_the_kernel() -> None:
    data = Dataset.from_rows([[1, t, t * t] for t in range(1, 6)], [[t] for t in range(5)])
    size = Size.of(Network.dense((3, 1, 1), "relu"), data)
    found = tree((3, 1, 1), data)
    assert (size.lines, size.rank, size.regions) == (5, 3, found.regions)
    assert found.problems <= size.problems

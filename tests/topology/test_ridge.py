"""Two-layer linear networks with a ridge: CLAIMS C3, its [run] settings and what is outside it."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest
from flint import fmpq, fmpq_mat
from topology.topology_certificates import (
    assert_proved,
    joined_certificate,
    linear,
    random_data,
    random_matrix,
    random_weights,
)

from theorylab.connect import connect as join
from theorylab.model import Dataset, Loss, Weights
from theorylab.outcome import Undecided
from theorylab.topology.barrier import straight_segment_peak
from theorylab.topology.connect import connect
from theorylab.topology.ridge.descent import Landscape, Moments
from theorylab.topology.ridge.paths import RidgeConnection, connect_ridge, reflection

SETTINGS = [(1, 2, 1), (2, 3, 2), (3, 4, 3), (4, 5, 4)]
OTHERS = [(2, 3, 4), (4, 3, 2), (1, 3, 2)]
UNIT = Dataset.from_rows([[1, 0], [0, 1]], [[5, 0], [0, 2]])


def checked(loss: Loss, a: Weights, b: Weights, seed: int = 0) -> RidgeConnection:
    """The connection of a pair, accepted by the kernel at the higher of the two losses."""
    found = connect_ridge(loss, a, b, seed)
    assert not isinstance(found, Undecided), str(found)
    assert (found.path.start, found.path.end) == (a, b)
    assert_proved(joined_certificate(found.path, loss, max(loss(a), loss(b))))
    return found


def low_pair(
    widths: tuple[int, int, int], seed: int, share: float
) -> tuple[Loss, Weights, Weights]:
    """Two points whose losses are within a share of the optimum, the first unit turned round."""
    rng = random.Random(f"{widths}{seed}")
    n, hidden, m = widths
    x, y = random_matrix(n, n + 2, rng, 2), random_matrix(m, n + 2, rng, 4)
    loss = Loss(linear(widths), Dataset(x, y), fmpq(1, 2))
    moments = Moments.of(loss)
    assert isinstance(moments, Moments)
    landscape = Landscape(moments)
    ends = []
    for turn in (1, -1):
        noise = np.random.default_rng(2 * seed + (turn < 0))
        way = landscape.descent(noise.normal(size=(n + m, hidden)), noise)
        values = [landscape(v)[0] for v in way]
        top = landscape(0 * way[-1])[0]
        low = next(v for v, f in zip(way, values, strict=True) if f <= values[-1] + share * top)
        ends.append(landscape.rounded(low * np.array([turn, *[1] * (hidden - 1)]), 24))
    return loss, ends[0], ends[1]


@pytest.mark.parametrize("share", [0.02, 1e-4])
@pytest.mark.parametrize("widths", SETTINGS, ids=str)
def test_low_pairs_on_opposite_sides_are_joined(widths: tuple[int, int, int], share: float) -> None:
    for seed in range(4):
        found = checked(*low_pair(widths, seed, share))
        assert found.construction == "ridge"


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.02, 1e-6])
@pytest.mark.parametrize("widths", SETTINGS + OTHERS, ids=str)
def test_twenty_low_pairs_are_joined(widths: tuple[int, int, int], share: float) -> None:
    above = 0
    for seed in range(20):
        loss, a, b = low_pair(widths, seed, share)
        assert checked(loss, a, b).construction == "ridge" or widths[1] > min(widths) + 1
        above += straight_segment_peak(loss, a, b, 16).loss > max(loss(a), loss(b))
    assert above >= 10


def random_loss(widths: tuple[int, int, int], rng: random.Random) -> Loss:
    """One ridge, or one for each layer, or one for each input and each output."""
    n, hidden, m = widths
    rates = [fmpq(rng.randint(1, 9), rng.randint(1, 9)) for _ in range(n + m)]
    first, second = rates[:n], rates[n:]
    kind = rng.randrange(3)
    if kind < 2:
        first, second = [rates[0]] * n, [rates[kind]] * m
    ridge = (*first * hidden, *(rate for rate in second for _ in range(hidden)))
    return Loss(linear(widths), random_data(widths, rng), ridge)


@pytest.mark.parametrize("widths", SETTINGS + OTHERS, ids=str)
def test_random_and_degenerate_pairs_are_joined(widths: tuple[int, int, int]) -> None:
    for seed in range(8):
        rng = random.Random(f"{widths}{seed}")
        loss = random_loss(widths, rng)
        checked(loss, random_weights(widths, rng), random_weights(widths, rng))


def unit_vector() -> fmpq_mat:
    return fmpq_mat([[fmpq(2, 3), fmpq(2, 3), fmpq(1, 3)]])


def test_both_ends_at_the_exact_minimum_are_rotated_into_each_other() -> None:
    # min |M - diag(5, 2)|^2 + 2 |M|_* has M = diag(4, 1): factors diag(2, 1), with any rotation
    loss = Loss(linear((2, 3, 2)), UNIT, fmpq(1))
    factor = fmpq_mat([[2, 0, 0], [0, 1, 0]])
    a = (factor.transpose(), factor)
    turn = reflection(fmpq_mat([[1, 2, 2]])) * reflection(fmpq_mat([[3, -1, 1]]))
    b = ((factor * turn).transpose(), factor * turn)
    found = checked(loss, a, b)
    assert found.construction == "rotation"
    assert loss(a) == loss(b) == 12
    # one reflection has determinant -1; a third unit, used by neither end, takes up another
    mirrored = factor * reflection(fmpq_mat([[1, 2, 2]]))
    assert checked(loss, a, (mirrored.transpose(), mirrored)).construction == "rotation"


def test_a_level_at_a_saddle_is_left_downwards() -> None:
    """A is critical, uses every unit, and has the level itself: the gradient shows no way."""
    loss = Loss(linear((2, 3, 2)), UNIT, fmpq(1))
    z, e = unit_vector() * 2, fmpq_mat([[1, 0]])
    a = (z.transpose() * e, e.transpose() * z)
    b = (fmpq_mat([[8, 0], [0, 4], [1, 0]]) / 4, fmpq_mat([[8, 0, 1], [0, 4, 0]]) / 4)
    assert loss(b) < loss(a)
    assert checked(loss, a, b).construction == "ridge"
    minus = (a[0] * -1, a[1] * -1)
    assert checked(loss, a, minus).construction == "rotation"


def test_units_side_by_side_are_mixed() -> None:
    loss = Loss(linear((1, 2, 1)), Dataset.from_rows([[1]], [[1]]), fmpq(1, 2))
    a = (fmpq_mat([[1], [0]]), fmpq_mat([[1, 0]]))
    b = (fmpq_mat([[-1], [3]]), fmpq_mat([[fmpq(-1, 2), 0]]))
    found = checked(loss, a, b)
    # a quarter turn, the mixture, and the dead weight 3 that comes last
    assert (found.construction, found.path.segments) == ("mixing", 3)


def test_mixing_needs_places_but_no_width_above_min() -> None:
    widths = (3, 2, 3)
    rng = random.Random(4)
    loss = Loss(linear(widths), random_data(widths, rng, 4), fmpq(1, 3))
    a = (fmpq_mat([[1, 2, 0], [0, 0, 0]]), fmpq_mat([[1, 0], [0, 0], [2, 0]]))
    b = (fmpq_mat([[0, 1, 1], [0, 0, 0]]), fmpq_mat([[-1, 0], [1, 0], [0, 0]]))
    assert checked(loss, a, b).construction == "mixing"


def test_the_loss_along_a_segment_is_the_loss() -> None:
    rng = random.Random(1)
    widths = (3, 2, 2)
    loss = random_loss(widths, rng)
    moments = Moments.of(loss)
    assert isinstance(moments, Moments)
    a, b = (tuple(random_matrix(r, c, rng) for c, r in ((3, 2), (2, 2))) for _ in range(2))
    along = moments.along(a, b)
    for t in (fmpq(0), fmpq(1, 3), fmpq(1)):
        assert along(t) == loss(tuple(p + (q - p) * t for p, q in zip(a, b, strict=True)))


def test_the_gradient_is_that_of_the_loss() -> None:
    rng = random.Random(2)
    moments = Moments.of(random_loss((3, 2, 2), rng))
    assert isinstance(moments, Moments)
    landscape, noise = Landscape(moments), np.random.default_rng(0)
    v, d = noise.normal(size=(5, 2)), noise.normal(size=(5, 2))
    slope = (landscape(v + 1e-6 * d)[0] - landscape(v - 1e-6 * d)[0]) / 2e-6
    assert slope == pytest.approx(float(np.sum(landscape(v)[1] * d)), rel=1e-6)


def test_the_same_seed_gives_the_same_path() -> None:
    loss, a, b = low_pair((2, 3, 2), 5, 0.02)
    assert connect_ridge(loss, a, b, 3) == connect_ridge(loss, a, b, 3)


@pytest.mark.parametrize(
    ("widths", "ridge", "reason"),
    [
        ((2, 3, 2), None, "with a ridge"),
        ((2, 3, 3, 2), fmpq(1), "two-layer"),
        ((1, 2, 1), (fmpq(3, 4), fmpq(2, 3)) * 2, "same for all hidden units"),
        ((1, 2, 1), (fmpq(0), fmpq(0), fmpq(1), fmpq(1)), "not positive"),
        ((2, 2, 2), fmpq(1), "not above min"),
    ],
)
def test_undecided_outside_the_theorem(
    widths: tuple[int, ...], ridge: fmpq | tuple[fmpq, ...] | None, reason: str
) -> None:
    rng = random.Random(0)
    loss = Loss(linear(widths), random_data(widths, rng), ridge)
    shapes = list(pairwise(widths))
    a, b = (tuple(random_matrix(r, c, rng) for c, r in shapes) for _ in range(2))
    found = connect_ridge(loss, a, b)
    assert isinstance(found, Undecided)
    assert reason in found.reason


def test_connect_uses_it_when_there_is_a_ridge() -> None:
    loss, a, b = low_pair((2, 3, 2), 0, 0.02)
    found = connect(loss.network, loss.data, a, b, loss.ridge)
    assert not isinstance(found, Undecided)
    assert (found.construction, found.needed_widths) == ("ridge", (3,))
    assert found.level == max(loss(a), loss(b))


def test_the_verb_says_what_the_kernel_says_of_a_loss_with_a_ridge() -> None:
    loss, a, b = low_pair((2, 3, 2), 0, 0.02)
    found = join(loss.network, loss.data, a, b, ridge=loss.ridge)
    assert (found.outcome, found.construction, found.needed_width) == ("proved", "ridge", (3,))
    assert found.level == str(max(loss(a), loss(b)))
    assert found.peak is not None
    split = (fmpq(3, 4), fmpq(2, 3)) * 2
    thin = Dataset.from_rows([[1]], [[1]])
    a, b = (tuple(w * s for w in (fmpq_mat([[1], [1]]), fmpq_mat([[1, 1]]))) for s in (1, -1))
    other = join(linear((1, 2, 1)), thin, a, b, ridge=split)
    assert (other.outcome, other.exit_status) == ("undecided", 3)
    assert "same for all hidden units" in other.reason
    c, d = (
        tuple(w * fmpq(s, 5) for w in (fmpq_mat([[0], [1]]), fmpq_mat([[0, 1]]))) for s in (3, -3)
    )
    parted = join(linear((1, 2, 1)), thin, c, d, ridge=split)
    assert (parted.outcome, parted.construction) == ("refuted", "wall")
    zero, two = (tuple(fmpq_mat([[v]]) for _ in range(3)) for v in (0, 2))
    ten = Dataset.from_rows([[1]], [[10]])
    for ends in ((zero, two), (two, zero)):
        deep = join(linear((1, 1, 1, 1)), ten, *ends, ridge=fmpq(1))
        assert (deep.outcome, deep.level) == ("refuted", "100")

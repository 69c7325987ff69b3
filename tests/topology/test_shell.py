"""Strict minima behind a sphere, and ridges that see the units: CLAIMS C3, false extensions."""

from __future__ import annotations

import random

import numpy as np
import pytest
from flint import fmpq, fmpq_mat
from topology.topology_certificates import assert_proved, linear, random_matrix

from theorylab.kernel import Refuted, check
from theorylab.model import Dataset, Loss, Network, Weights
from theorylab.outcome import Undecided
from theorylab.topology.barrier import Argument
from theorylab.topology.certificate import connection_certificate, descends
from theorylab.topology.disconnected import disconnected
from theorylab.topology.ridge.low_point import low_point
from theorylab.topology.walls.separation import Separation
from theorylab.topology.walls.shell import separated_by_shell, trapped_by_shell
from theorylab.topology.walls.unit_ridge import separated_by_unit_ridge

TEN = Dataset.from_rows([[1]], [[10]])
ONE = Dataset.from_rows([[1]], [[1]])
DEEP = [(1, 1, 1, 1), (1, 2, 2, 1), (1, 3, 3, 1), (2, 2, 2, 2), (3, 2, 3, 1), (1, 1, 1, 1, 1)]
DEEP += [(1, 2, 2, 2, 1)]


def prove(loss: Loss, argument: Argument) -> None:
    raw = connection_certificate(loss, argument.conclusion, argument.rule, argument.proof)
    assert_proved(raw)


def deep_loss(widths: tuple[int, ...], seed: int) -> Loss:
    rng = random.Random(f"{widths}{seed}")
    x, y = random_matrix(widths[0], 3, rng), random_matrix(widths[-1], 3, rng, 9)
    x[0, 0], y[0, 0] = fmpq(1), fmpq(9)
    return Loss(linear(widths), Dataset(x, y), fmpq(1, 20))


@pytest.mark.parametrize("widths", DEEP, ids=str)
def test_zero_is_alone_at_every_depth_and_width(widths: tuple[int, ...]) -> None:
    """Depth >= 3 with one common ridge, widths above min(n, m): N_u >= 2 all the same."""
    for seed in range(3):
        loss = deep_loss(widths, seed)
        found = separated_by_shell(loss)
        assert isinstance(found, Separation), str(found)
        zero = tuple(w * 0 for w in found.points[0])
        assert found.points[0] == zero
        assert found.u == loss(zero)
        prove(loss, found.separated)
        prove(loss, found.components)


def test_the_case_of_claims() -> None:
    """1-1-1-1, y = 10, ridge 1: L(0) = 100, L(2, 2, 2) = 16."""
    loss = Loss(linear((1, 1, 1, 1)), TEN, fmpq(1))
    two = tuple(fmpq_mat([[2]]) for _ in range(3))
    assert loss(two) == 16
    found = separated_by_shell(loss, lower=two)
    assert isinstance(found, Separation)
    assert (found.u, found.points[1]) == (100, two)
    prove(loss, found.separated)


@pytest.mark.parametrize(
    ("network", "data", "ridge"),
    [
        (Network.dense((1, 1, 1), "square"), Dataset.from_rows([[1]], [[2]]), fmpq(1, 2)),
        (
            Network.dense((2, 3, 1), "square"),
            Dataset.from_rows([[1, 0], [2, 1]], [[4], [9]]),
            fmpq(1),
        ),
        (Network.dense((1, 2, 1), "cube"), TEN, fmpq(1, 2)),
        (
            Network.dense((1, 1, 1), {"polynomial": [0, 1, 1]}),
            Dataset.from_rows([[1], [2]], [[1], [9]]),
            fmpq(20),
        ),
        (Network.dense((1, 2, 1), "square"), Dataset.from_rows([[1]], [[-3]], ["1/2"]), fmpq(1, 3)),
    ],
    ids=lambda v: "",
)
def test_shells_of_other_networks(network: Network, data: Dataset, ridge: fmpq) -> None:
    """Two-layer quadratic networks with a ridge, at any width; mixed powers; sample weights."""
    loss = Loss(network, data, ridge)
    found = separated_by_shell(loss)
    assert isinstance(found, Separation), str(found)
    prove(loss, found.separated)
    trapped = trapped_by_shell(loss)
    assert isinstance(trapped, Argument)
    prove(loss, trapped)


def test_a_trap_refutes_descent() -> None:
    loss = deep_loss((1, 2, 2, 1), 0)
    trapped = trapped_by_shell(loss)
    assert isinstance(trapped, Argument)
    zero = tuple(fmpq_mat(r, c) for c, r in ((1, 2), (2, 2), (2, 1)))
    lower = low_point(loss, loss(zero))
    assert lower is not None
    conclusion = descends(zero, loss(lower), fmpq(0))
    raw = connection_certificate(loss, conclusion, trapped.rule, trapped.proof)
    assert isinstance(check(raw), Refuted)


def test_every_loss_on_the_sphere_is_above() -> None:
    loss = deep_loss((2, 2, 2, 2), 1)
    found = separated_by_shell(loss)
    assert isinstance(found, Separation)
    minus_r = fmpq(*map(int, found.walls[0]["wall"][-1][0].split("/")))
    noise = np.random.default_rng(0)
    for _ in range(50):
        v = noise.normal(size=12)
        v *= np.sqrt(-float(minus_r)) / np.linalg.norm(v)
        numbers = iter(fmpq(int(q * 2**60), 2**60) for q in v)
        point = tuple(fmpq_mat(2, 2, [next(numbers) for _ in range(4)]) for _ in range(3))
        assert loss(point) > found.u


def test_a_centre_that_is_not_zero() -> None:
    """1-1-1 with ridge 1, y = 5: minima at (2, 2) and (-2, -2), walled off from each other."""
    loss = Loss(linear((1, 1, 1)), Dataset.from_rows([[1]], [[5]]), fmpq(1))
    two, minus = ((fmpq_mat([[v]]), fmpq_mat([[v]])) for v in (2, -2))
    found = separated_by_shell(loss, center=two, lower=minus)
    assert isinstance(found, Separation)
    assert found.u == 9
    prove(loss, found.separated)


def undecided(found: object) -> str:
    assert isinstance(found, Undecided)
    return found.reason


def test_no_shell_where_there_is_none() -> None:
    thin = linear((1, 1, 1))
    saddle = Loss(thin, ONE, fmpq(1, 2))
    assert "positive definite" in undecided(separated_by_shell(saddle))
    off = (fmpq_mat([[1]]), fmpq_mat([[0]]))
    assert "critical" in undecided(separated_by_shell(saddle, center=off))
    assert "without a ridge" in undecided(separated_by_shell(Loss(thin, ONE)))
    # with so much ridge 0 is the global minimum
    assert "no lower" in undecided(separated_by_shell(Loss(linear((1, 1, 1, 1)), ONE, fmpq(9))))
    assert "too big" in undecided(
        separated_by_shell(Loss(linear((3, 4, 4, 3)), deep_data(), fmpq(1)))
    )
    relu = Loss(Network.dense((1, 1, 1), "relu"), ONE, fmpq(1))
    assert "polynomial" in undecided(separated_by_shell(relu))
    near = tuple(fmpq_mat([[fmpq(1, 10**9)]]) for _ in range(3))
    tiny = Loss(linear((1, 1, 1, 1)), TEN, fmpq(1))
    assert "not lower" in undecided(separated_by_shell(tiny, lower=near))
    zero = tuple(fmpq_mat([[0]]) for _ in range(3))
    assert "level" in undecided(separated_by_shell(tiny, u=fmpq(99), center=zero))


def deep_data() -> Dataset:
    return Dataset.from_rows([[1, 0, 0]], [[1, 0, 0]])


# ridges that see the units

SPLIT = (fmpq(3, 4), fmpq(2, 3), fmpq(3, 4), fmpq(2, 3))


def test_the_split_ridge_of_claims() -> None:
    """Two components on [8/9, 15/16): the wall shows every level below 15/16, and no more."""
    loss = Loss(linear((1, 2, 1)), ONE, SPLIT)
    found = separated_by_unit_ridge(loss)
    assert isinstance(found, Separation)
    assert fmpq(8, 9) < found.u < fmpq(15, 16)
    prove(loss, found.separated)
    top = separated_by_unit_ridge(loss, fmpq(15, 16) - fmpq(1, 10**9))
    assert isinstance(top, Separation)
    prove(loss, top.separated)
    assert "level" in undecided(separated_by_unit_ridge(loss, fmpq(15, 16)))
    low = separated_by_unit_ridge(loss, fmpq(8, 9))
    assert isinstance(low, Undecided)


@pytest.mark.parametrize(
    "widths", [(1, 1, 1), (1, 3, 1), (2, 2, 1), (1, 3, 2), (3, 2, 1), (2, 2, 2)], ids=str
)
def test_random_ridges_that_differ_between_units(widths: tuple[int, int, int]) -> None:
    n, hidden, m = widths
    for seed in range(20):
        rng = random.Random(f"{widths}{seed}")
        # X D Y^T has rank one where all inputs are multiples of one
        x = random_matrix(n, 1, rng) * random_matrix(1, 3, rng)
        y = random_matrix(m, 3, rng, 5)
        x[0, 0], y[0, 0] = fmpq(9), fmpq(30)
        if min(n, m) > 1:
            x = fmpq_mat([[2], [1]]) * fmpq_mat([[1, 1, -1]])
        cheap = fmpq(rng.randint(1, 4), 40)
        rates = [cheap, *(fmpq(rng.randint(5, 9), 8) for _ in range(hidden - 1))]
        ridge = tuple(q for q in rates for _ in range(n)) + tuple(rates) * m
        loss = Loss(linear(widths), Dataset(x, y), ridge)
        found = separated_by_unit_ridge(loss)
        assert isinstance(found, Separation), str(found)
        prove(loss, found.separated)


def test_no_wall_where_there_is_none() -> None:
    same = Loss(linear((1, 2, 1)), ONE, fmpq(1, 2))
    assert "cheaper" in undecided(separated_by_unit_ridge(same))
    dear = Loss(linear((1, 2, 1)), ONE, (fmpq(3), fmpq(2), fmpq(3), fmpq(2)))
    assert "cheaper" in undecided(separated_by_unit_ridge(dear))
    square = Dataset.from_rows([[1, 0], [0, 1]], [[1, 0], [0, 1]])
    assert "rank 2" in undecided(separated_by_unit_ridge(Loss(linear((2, 1, 2)), square, fmpq(1))))
    assert "with a ridge" in undecided(separated_by_unit_ridge(Loss(linear((1, 2, 1)), ONE)))
    deep = Loss(linear((1, 1, 1, 1)), ONE, fmpq(1))
    assert "two-layer" in undecided(separated_by_unit_ridge(deep))
    side: Weights = (fmpq_mat([[0], [fmpq(3, 5)]]), fmpq_mat([[0, fmpq(3, 5)]]))
    loss = Loss(linear((1, 2, 1)), ONE, SPLIT)
    assert "one side" in undecided(separated_by_unit_ridge(loss, None, (side, side)))


def test_the_door_opens_on_both() -> None:
    for loss in (Loss(linear((1, 2, 1)), ONE, SPLIT), deep_loss((1, 2, 2, 1), 0)):
        found = disconnected(loss.network, loss.data, loss.ridge)
        assert isinstance(found, Argument)
        prove(loss, found)
    same = disconnected(linear((1, 2, 1)), ONE, fmpq(1, 2))
    assert isinstance(same, Undecided)

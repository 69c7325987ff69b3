"""Deep linear networks through a true bottleneck: the [run] settings of CLAIMS C5, and traps."""

from __future__ import annotations

import random

import numpy as np
import pytest
from flint import fmpq, fmpq_mat
from topology.topology_certificates import (
    assert_proved,
    descent_certificate,
    linear,
    random_data,
    random_matrix,
    random_weights,
)

from theorylab.model import Dataset, Loss, load_dataset
from theorylab.outcome import InputError, Undecided
from theorylab.topology.bottleneck import descend_deep_linear, ky_fan_bound
from theorylab.topology.certificate import connection_certificate
from theorylab.topology.exact_algebra import identity
from theorylab.topology.path import Descent, Piece, theta_json

ARCHITECTURES = [(2, 1, 2), (3, 1, 3), (3, 2, 3), (4, 2, 4), (3, 3, 2, 4, 3), (4, 3, 5, 4)]
ARCHITECTURES += [(5, 3, 5), (4, 2, 2, 4), (6, 3, 6), (6, 4, 5, 6)]
IRRATIONAL = [(3, 1, 3), (3, 2, 3), (4, 2, 4), (5, 2, 3), (3, 4, 2, 3, 3)]


def orthogonal(n: int, rng: random.Random) -> fmpq_mat:
    skew = fmpq_mat(n, n)
    for i in range(n):
        for j in range(i):
            skew[i, j] = fmpq(rng.randint(-2, 2))
            skew[j, i] = -skew[i, j]
    return (identity(n) - skew).inv() * (identity(n) + skew)


def diagonal(values: list[int], rows: int, columns: int) -> fmpq_mat:
    out = fmpq_mat(rows, columns)
    for i, value in enumerate(values):
        out[i, i] = value
    return out


def descend_and_check(loss: Loss, a: tuple[fmpq_mat, ...], eps: fmpq | None = None) -> Descent:
    found = descend_deep_linear(loss.network, loss.data, a, eps)
    assert isinstance(found, Descent), str(found)
    assert found.path.start == a
    end = loss(found.path.end)
    assert end == found.value if found.reaches else end <= found.value + found.gap
    assert_proved(descent_certificate(found.path, loss, found.optimum, found.value, found.gap))
    return found


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("widths", ARCHITECTURES, ids=str)
def test_rational_top_is_reached_exactly(widths: tuple[int, ...], seed: int) -> None:
    rng = random.Random(f"{widths}{seed}")
    n, m, r = widths[0], widths[-1], min(widths[1:-1])
    u, v = orthogonal(m, rng), orthogonal(n, rng)
    values = [rng.randint(6, 9) if i < r else rng.randint(-4, 4) for i in range(min(m, n))]
    x = orthogonal(n, rng)
    loss = Loss(linear(widths), Dataset(x, u * diagonal(values, m, n) * v.transpose() * x))
    weights = random_weights(widths, rng)
    if rng.random() < 0.25:
        below = identity(m) - u * diagonal([1] * r, m, m) * u.transpose()
        weights = (*weights[:-1], below * weights[-1])
    found = descend_and_check(loss, weights)
    assert found.reaches
    assert found.value == sum(s * s for s in values[r:])
    assert sum(isinstance(step, Piece) for step in found.path.steps) <= 2


@pytest.mark.parametrize("eps", [fmpq(1, 100), fmpq(1, 10**10)])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("widths", IRRATIONAL, ids=str)
def test_irrational_top_is_approached(widths: tuple[int, ...], seed: int, eps: fmpq) -> None:
    rng = random.Random(f"{widths}{seed}")
    x = random_matrix(widths[0], widths[0] + 3, rng)
    loss = Loss(linear(widths), Dataset(x, random_matrix(widths[-1], widths[0] + 3, rng)))
    found = descend_and_check(loss, random_weights(widths, rng), eps)
    assert found.gap <= eps


@pytest.mark.parametrize("seed", range(40))
def test_any_data_and_sample_weights(seed: int) -> None:
    rng = random.Random(seed)
    widths = (rng.randint(1, 4), *(rng.randint(1, 3) for _ in range(rng.randint(1, 3))))
    widths = (*widths, rng.randint(1, 4))
    loss = Loss(linear(widths), random_data(widths, rng))
    descend_and_check(loss, random_weights(widths, rng))


# S has eigenvalues 1 (e_1) and (5 +- sqrt 5)/2 (on e_2, e_3)
PARTLY_IRRATIONAL = fmpq_mat([[1, 0, 0], [0, 1, 1], [0, 1, 0]])


@pytest.mark.parametrize("a1", [0, 1])
def test_a_saddle_orthogonal_to_an_irrational_top_is_left(a1: int) -> None:
    loss = Loss(linear((3, 1, 3)), Dataset(identity(3), PARTLY_IRRATIONAL))
    a = (fmpq_mat([[a1, 0, 0]]), fmpq_mat([[1], [0], [0]]))
    found = descend_and_check(loss, a)
    assert loss(a) > loss(found.path.end) + 1


def test_an_irrational_saddle_that_no_rational_direction_leads_out_of() -> None:
    # S = diag(B, B), B with irrational eigenvalues a > b; the top is the a-eigenspace, and the
    # range of W2, the first block, meets its complement in an irrational line.
    block = [[1, 1], [1, 0]]
    target = fmpq_mat(4, 4)
    for i in range(2):
        for j in range(2):
            target[i, j] = target[i + 2, j + 2] = fmpq(block[i][j])
    loss = Loss(linear((4, 2, 4)), Dataset(identity(4), target))
    w2 = fmpq_mat([[1, 0], [0, 1], [0, 0], [0, 0]])
    found = descend_and_check(loss, (w2.transpose() * target, w2))
    assert loss(found.path.end) < fmpq(4, 5)  # 2 b^2 with b = (1 - sqrt 5)/2, from 3


def adversarial(seed: int) -> tuple[Loss, tuple[fmpq_mat, ...]]:
    """Repeated and nearly repeated rational and irrational eigenvalues, starts at saddles."""
    rng = random.Random(seed)
    kinds = [random_matrix(2, 2, rng, 2), random_matrix(2, 2, rng, 2), random_matrix(1, 1, rng)]
    blocks = [rng.choice(kinds) for _ in range(rng.randint(2, 3))]
    n = sum(block.nrows() for block in blocks)
    target, at = fmpq_mat(n, n), 0
    for block in blocks:
        for i in range(block.nrows()):
            for j in range(block.nrows()):
                target[at + i, at + j] = block[i, j]
        at += block.nrows()
    if rng.random() < 0.3:
        size = 10 ** rng.choice([3, 8, 20])
        target += diagonal([rng.randint(-1, 1) for _ in range(n)], n, n) / fmpq(size)
    r = rng.randint(1, n - 1)
    units = rng.sample(range(n), r)
    w2 = fmpq_mat([[int(i == j) for j in units] for i in range(n)])
    w1 = w2.transpose() * target if rng.random() < 0.7 else fmpq_mat(r, n)
    return Loss(linear((n, r, n)), Dataset(identity(n), target)), (w1, w2)


@pytest.mark.parametrize("seed", range(150))
def test_saddles_and_ties_of_every_kind_are_passed(seed: int) -> None:
    descend_and_check(*adversarial(seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(150, 3000))
def test_many_saddles_and_ties_of_every_kind_are_passed(seed: int) -> None:
    descend_and_check(*adversarial(seed))


@pytest.mark.parametrize("seed", range(6))
def test_tied_eigenvalues(seed: int) -> None:
    rng = random.Random(seed)
    u = orthogonal(4, rng)
    y = u * diagonal([[3, 2, 2, 2], [2, 2, 2, 2], [3, 2, 2, 0]][seed % 3], 4, 4)
    loss = Loss(linear((4, 2, 4)), Dataset(identity(4), y))
    found = descend_and_check(loss, random_weights((4, 2, 4), rng))
    assert found.reaches


def test_nothing_to_do_at_a_minimum() -> None:
    loss = Loss(linear((2, 1, 2)), Dataset(identity(2), diagonal([2, 1], 2, 2)))
    a = (fmpq_mat([[1, 0]]), fmpq_mat([[2], [0]]))
    found = descend_and_check(loss, a)
    assert (found.path.segments, found.value, found.reaches) == (0, 1, True)


@pytest.mark.parametrize("widths", [(4, 2, 3), (4, 1, 3)], ids=str)
def test_iris_through_a_bottleneck(widths: tuple[int, ...]) -> None:
    loss = Loss(linear(widths), load_dataset("iris"))
    found = descend_and_check(loss, random_weights(widths, random.Random(3)))
    assert not found.reaches


@pytest.mark.parametrize("seed", range(20))
def test_ky_fan_bound_is_the_minimum(seed: int) -> None:
    rng = random.Random(seed)
    n, r, m = rng.randint(1, 4), rng.randint(1, 3), rng.randint(1, 5)
    loss = Loss(linear((n, r, m)), random_data((n, r, m), rng))
    value, proof = ky_fan_bound(loss.network, loss.data)
    weights = np.array([float(s) for s in loss.data.sample_weights]) ** 0.5
    x = np.array([[float(q) for q in row] for row in loss.data.x.tolist()]) * weights
    y = np.array([[float(q) for q in row] for row in loss.data.y.tolist()]) * weights
    fitted = y @ np.linalg.pinv(x) @ x
    singular = np.linalg.svd(fitted, compute_uv=False)
    minimum = (y**2).sum() - (singular[:r] ** 2).sum()
    assert float(value) == pytest.approx(minimum, rel=1e-7, abs=1e-7)
    found = descend_deep_linear(loss.network, loss.data, random_weights((n, r, m), rng))
    assert isinstance(found, Descent)
    if found.reaches:
        end = found.path.end
        whole = {"optimum": found.optimum, "point": theta_json(end)}
        conclusion = {"kind": "global_min", "v": str(found.value)}
        assert_proved(connection_certificate(loss, conclusion, "optimum", whole))
        assert value == found.value
    assert set(proof) == {"by", "fit", "mu", "Z"}


def test_a_hopeless_tolerance_is_undecided() -> None:
    rng = random.Random(1)
    data = Dataset(random_matrix(3, 5, rng), random_matrix(3, 5, rng))
    weights = random_weights((3, 1, 3), rng)
    found = descend_deep_linear(linear((3, 1, 3)), data, weights, fmpq(1, 10**400))
    assert isinstance(found, Undecided)
    assert found.remedy is not None and "eps" in found.remedy


def test_a_tolerance_must_be_positive() -> None:
    loss = Loss(linear((2, 1, 2)), Dataset(identity(2), identity(2)))
    with pytest.raises(InputError) as caught:
        descend_deep_linear(loss.network, loss.data, (fmpq_mat(1, 2), fmpq_mat(2, 1)), fmpq(0))
    assert caught.value.argument == "eps"

"""Deep linear networks: the [run] settings of CLAIMS C2 and of C5's filling case."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from topology.topology_certificates import (
    assert_proved,
    descent_certificate,
    joined_certificate,
    linear,
    random_data,
    random_matrix,
    random_weights,
)

from theorylab.model import Dataset, Loss, Network
from theorylab.outcome import InputError
from theorylab.topology.linear import connect_deep_linear, descend_filling, product
from theorylab.topology.path import Move

WIDE = [(1, 2, 1), (2, 3, 2), (3, 4, 3), (2, 3, 5), (5, 3, 2), (4, 5, 4), (3, 4, 5, 3)]
WIDE += [(2, 3, 3, 3, 2), (6, 7, 6), (4, 6, 5, 7, 4), (8, 9, 8), (10, 11, 10), (8, 9, 9, 9, 8)]
FILLING = [(2, 2, 2), (3, 2, 2), (3, 3, 3, 3), (2, 5, 4), (4, 4, 4, 4), (5, 3, 4, 2)]
FILLING += [(6, 6, 6, 6), (8, 8, 8)]


def join_and_check(widths: tuple[int, ...], seed: int) -> None:
    rng = random.Random(f"{widths}{seed}")
    a, b = random_weights(widths, rng), random_weights(widths, rng)
    loss = Loss(linear(widths), random_data(widths, rng))
    path = connect_deep_linear(loss.network, a, b)
    assert (path.start, path.end) == (a, b)
    assert all(isinstance(step, Move) and step.kind == "layer" for step in path.steps)
    assert_proved(joined_certificate(path, loss, max(loss(a), loss(b))))


def descend_and_check(widths: tuple[int, ...], seed: int) -> None:
    rng = random.Random(f"{widths}{seed}")
    a = random_weights(widths, rng)
    loss = Loss(linear(widths), random_data(widths, rng))
    path = descend_filling(loss.network, loss.data, a)
    assert path.start == a
    optimum = {"by": "orthogonal", "features": "inputs"}
    assert_proved(descent_certificate(path, loss, optimum, loss(path.end), fmpq(0)))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("widths", WIDE, ids=str)
def test_wide_linear_networks_are_connected(widths: tuple[int, ...], seed: int) -> None:
    join_and_check(widths, seed)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("widths", FILLING, ids=str)
def test_filling_linear_networks_descend(widths: tuple[int, ...], seed: int) -> None:
    descend_and_check(widths, seed)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("widths", [(2, 2), (3, 1), (1, 1, 1), (4, 6, 1, 2, 1)], ids=str)
def test_other_filling_shapes_descend(widths: tuple[int, ...], seed: int) -> None:
    descend_and_check(widths, seed)


@given(st.randoms(use_true_random=False), st.integers(1, 4), st.integers(1, 4), st.integers(0, 3))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_depth_is_joined_without_moving_the_product_but_once(
    rng: random.Random, n: int, m: int, hidden: int
) -> None:
    widths = (n, *(min(n, m) + rng.randint(1, 3) for _ in range(hidden)), m)
    a, b = random_weights(widths, rng), random_weights(widths, rng)
    path = connect_deep_linear(linear(widths), a, b)
    assert path.end == b
    products = [product(vertex) for vertex in path.vertices()]
    changes = sum(p != q for p, q in pairwise(products))
    assert changes == (product(a) != product(b))


@given(st.randoms(use_true_random=False), st.integers(1, 3), st.integers(1, 3))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_rank_of_the_data_replaces_the_number_of_inputs(rng: random.Random, r: int, m: int) -> None:
    n = r + rng.randint(0, 2)
    widths = (n, *(min(r, m) + rng.randint(1, 2) for _ in range(rng.randint(1, 2))), m)
    x = random_matrix(n, r, rng) * random_matrix(r, 4, rng)
    loss = Loss(linear(widths), Dataset(x, random_matrix(m, 4, rng)))
    a, b = random_weights(widths, rng), random_weights(widths, rng)
    path = connect_deep_linear(loss.network, a, b, loss.data)
    assert (path.start, path.end) == (a, b)
    assert_proved(joined_certificate(path, loss, max(loss(a), loss(b))))


def test_inputs_that_are_all_zero_are_joined_freely() -> None:
    loss = Loss(linear((2, 1, 2)), Dataset(fmpq_mat(2, 3), random_matrix(2, 3, random.Random(1))))
    a = (fmpq_mat([[1, 2]]), fmpq_mat([[3], [4]]))
    b = (fmpq_mat([[0, -2]]), fmpq_mat([[1], [0]]))
    path = connect_deep_linear(loss.network, a, b, loss.data)
    assert path.end == b
    assert_proved(joined_certificate(path, loss, loss(a)))


@pytest.mark.parametrize(
    ("network", "argument"),
    [
        (linear((2, 2, 2)), "widths"),
        (Network.dense((1, 2, 1), "square"), "network"),
        (Network.dense((1, 2, 1), "linear", bias=True), "network"),
        (Network.with_pattern((1, 2, 1), "linear", [[[0], [0]], None]), "network"),
    ],
)
def test_a_network_outside_the_theorem_is_refused(network: Network, argument: str) -> None:
    zero = tuple(fmpq_mat(*network.shape(k)) for k in (1, 2))
    with pytest.raises(InputError) as caught:
        connect_deep_linear(network, zero, zero)
    assert caught.value.argument == argument


def test_a_bottleneck_is_not_filling() -> None:
    data = Dataset(fmpq_mat([[1, 0], [0, 1]]), fmpq_mat([[1, 0], [0, 1]]))
    zero = (fmpq_mat(1, 2), fmpq_mat(2, 1))
    with pytest.raises(InputError) as caught:
        descend_filling(linear((2, 1, 2)), data, zero)
    assert "min(rank X, n_K) = 2" in str(caught.value)

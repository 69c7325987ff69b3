"""connect(A, B): the construction chosen, its level and widths, and the kernel's word."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from flint import fmpq_mat
from hypothesis import given
from hypothesis import strategies as st
from topology.topology_certificates import (
    assert_proved,
    joined_certificate,
    random_data,
    random_matrix,
    random_weights,
)

from theorylab.connect import connect as joining
from theorylab.model import Dataset, Loss, Network, Weights, load_dataset, matrix
from theorylab.outcome import InputError, Undecided
from theorylab.topology.barrier import straight_segment_peak
from theorylab.topology.connect import Connection, connect


def join_and_check(network: Network, data: Dataset, a: Weights, b: Weights) -> Connection:
    found = connect(network, data, a, b)
    assert isinstance(found, Connection), str(found)
    loss = Loss(network, data)
    assert (found.path.start, found.path.end) == (a, b)
    assert found.level == max(loss(a), loss(b))
    assert_proved(joined_certificate(found.path, loss, found.level))
    return found


def test_wide_linear_networks_are_filled() -> None:
    rng = random.Random(0)
    widths = (3, 4, 4, 2)
    found = join_and_check(
        Network.dense(widths, "linear"),
        random_data(widths, rng, 5),
        random_weights(widths, rng),
        random_weights(widths, rng),
    )
    assert (found.construction, found.needed_widths) == ("deep linear", (3, 3))


def test_few_directions_in_the_data_need_fewer_units() -> None:
    network = Network.dense((3, 2, 3), "linear")
    data = Dataset.from_rows([[1, 2, 3], [2, 4, 6]], [[1, 0, 0], [0, 1, 5]])
    rng = random.Random(1)
    found = join_and_check(network, data, *(random_weights((3, 2, 3), rng) for _ in "ab"))
    assert (found.construction, found.needed_widths) == ("deep linear", (2,))


def test_a_linear_bottleneck_is_still_joined_where_few_units_are_used() -> None:
    network, data = Network.dense((1, 1, 1), "linear"), Dataset.from_rows([[1]], [[1]])
    one, zero = (matrix([[1]]), matrix([[1]])), (matrix([[0]]), matrix([[0]]))
    assert join_and_check(network, data, one, zero).construction == "any depth"
    minus = (matrix([[-1]]), matrix([[-1]]))
    found = connect(network, data, one, minus)
    assert isinstance(found, Undecided) and found.remedy == "widen every hidden layer to 2"


@given(st.integers(0, 10**9), st.sampled_from(["linear", "square", "relu", "step"]))
def test_any_network_with_room(seed: int, activation: str) -> None:
    rng = random.Random(seed)
    n, m = rng.randint(1, 3), rng.randint(1, 3)
    data = random_data((n, 1, m), rng, rng.randint(1, 3))
    widths = (n, *[2 * data.samples] * rng.randint(0, 2), m)
    bias = [rng.random() < 0.3 for _ in widths[1:]]
    network = Network.dense(widths, activation, bias)
    a, b = (
        tuple(random_matrix(*network.shape(k), rng) for k in range(1, network.depth + 1))
        for _ in "ab"
    )
    found = join_and_check(network, data, a, b)
    if activation != "linear":
        assert found.construction == "any depth"


def test_a_path_where_the_straight_line_fails() -> None:
    """Iris, 4-20-3 with z^2: the segment between two points rises above both, the path does not."""
    iris, rng = load_dataset("iris"), random.Random(3)
    network = Network.dense((4, 20, 3), "square")
    a = tuple(random_matrix(*network.shape(k), rng, 1) for k in (1, 2))
    order = [*range(1, 20), 0]
    b = (
        fmpq_mat([a[0].tolist()[i] for i in order]),
        fmpq_mat([[row[i] for i in order] for row in a[1].tolist()]),
    )
    loss = Loss(network, iris)
    shifted = (b[0], b[1] * 2)
    found = join_and_check(network, iris, a, shifted)
    assert found.needed_widths == (20,)
    assert loss(a) == loss(b)
    assert straight_segment_peak(loss, a, b, 8).loss >= loss(a)


def test_equal_ends_need_no_step() -> None:
    network, data = Network.dense((1, 1, 1), "relu"), Dataset.from_rows([[1]], [[1]])
    point = (matrix([[1]]), matrix([[1]]))
    assert join_and_check(network, data, point, point).path.steps == ()


def test_what_does_not_fit_is_an_input_error() -> None:
    network, data = Network.dense((1, 1, 1), "relu"), Dataset.from_rows([[1, 2]], [[1]])
    point = (matrix([[1]]), matrix([[1]]))
    with pytest.raises(InputError):
        connect(network, data, point, point)


def test_a_relu_pair_is_separated_by_the_verb_itself(tmp_path: Path) -> None:
    """1-1-1, X = (1, -1), Y = (1, 2): below 5 no path leads from w > 0 to w < 0."""
    data = Dataset.from_rows([[1], [-1]], [[1], [2]])
    network = Network.dense((1, 1, 1), "relu")
    a, b = ((matrix([[w]]), matrix([[1]])) for w in (1, -1))
    found = joining(network, data, a, b, tmp_path)
    assert (found.outcome, found.construction, found.level) == ("refuted", "wall", "4")
    assert "Lemma 31" in found.lemmas


def test_equal_signs_at_a_bottleneck_are_joined() -> None:
    data = Dataset.from_rows([[1, 0], [0, 1]], [[2, 0], [0, 1]])
    network = Network.dense((2, 2, 2), "linear")
    a = (matrix([[1, 0], [0, 1]]), matrix([[2, 0], [0, 1]]))
    found = joining(network, data, a, (a[0] * -1, a[1] * -1))
    assert (found.outcome, found.construction) == ("proved", "one product")

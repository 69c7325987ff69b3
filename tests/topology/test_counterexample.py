"""Builders of negations: whatever they say, the kernel has the last word, and here it agrees."""

from __future__ import annotations

import pytest
from flint import fmpq, fmpq_poly
from hypothesis import given
from hypothesis import strategies as st

from theorylab import kernel
from theorylab.model import Activation, Dataset, Loss, Network
from theorylab.outcome import Undecided
from theorylab.topology.certificate import certificate, statement_json
from theorylab.topology.counterexample import counterexamples
from theorylab.topology.walls.one_variable import (
    poor_minimum_of_one_weight,
    positive_on_half_line,
    trapped_beyond_a_maximum,
)
from theorylab.topology.walls.vanishing import (
    low_points,
    separated_by_activated_output,
    separated_where_a_weight_vanishes,
)

ONE = Dataset.from_rows([[1]], [[1]])
BENT = Activation("polynomial", (fmpq(0), fmpq(-1), fmpq(0), fmpq(1)))


def refuted(kind: str, loss: Loss) -> list[kernel.Outcome]:
    ridge = loss.penalties
    hypotheses = [] if ridge is None else [{"kind": "ridge"}]
    found = []
    for argument in counterexamples(kind, loss):
        statement = statement_json(loss.network, loss.data, hypotheses, argument.conclusion, ridge)
        found.append(kernel.check(certificate(statement, argument.rule, argument.proof)))
    return found


@pytest.mark.parametrize(
    ("kind", "network", "data"),
    [
        ("joined", Network.dense((1, 1, 1), "linear"), ONE),
        ("joined", Network.dense((1, 1, 1), "cube"), ONE),
        ("joined", Network.dense((1, 2, 1), "square", output="activation"), ONE),
        ("joined", Network.dense((1, 2, 1), "relu"), Dataset.from_rows([[1], [-1]], [[1], [1]])),
        ("joined", Network.with_pattern((1, 1, 1), "linear", [[[0]], [[0]]]), ONE),
        (
            "joined",
            Network.dense((2, 2, 1), "square"),
            Dataset.from_rows([[1, 0], [0, 1]], [[1], [-1]]),
        ),
        ("descends", Network.dense((1, 1, 1), "relu"), Dataset.from_rows([[1], [-1]], [[1], [2]])),
        (
            "descends",
            Network.dense((2, 1, 1), "square"),
            Dataset.from_rows([[1, 0], [0, 1]], [[2], [-1]]),
        ),
        (
            "descends",
            Network.dense((1, 1, 1), BENT, (True, False), "activation"),
            Dataset.from_rows([[0]], [[-3]]),
        ),
        ("not_poor_minimum", Network.dense((1, 2, 1), "square"), ONE),
        ("not_poor_minimum", Network.dense((1, 1, 1), "relu"), ONE),
    ],
)
def test_the_kernel_refutes_by_a_builder(kind: str, network: Network, data: Dataset) -> None:
    outcomes = refuted(kind, Loss(network, data))
    assert any(isinstance(outcome, kernel.Refuted) for outcome in outcomes)


@pytest.mark.parametrize("kind", ["joined", "descends"])
def test_nothing_is_refuted_where_the_theorems_hold(kind: str) -> None:
    for network in (
        Network.dense((1, 2, 1), "linear"),
        Network.dense((1, 2, 1), "square"),
        Network.dense((1, 4, 1), "relu"),
    ):
        data = Dataset.from_rows([[1], [-1]], [[1], [2]])
        outcomes = refuted(kind, Loss(network, data))
        assert not any(isinstance(outcome, kernel.Refuted) for outcome in outcomes)


def test_builders_say_when_a_network_is_not_theirs() -> None:
    relu = Loss(Network.dense((1, 1, 1), "relu"), ONE)
    wide = Loss(Network.dense((3, 5, 1), "square"), Dataset.from_rows([[1, 0, 0]], [[1]]))
    for builder in (
        separated_where_a_weight_vanishes,
        separated_by_activated_output,
        trapped_beyond_a_maximum,
        poor_minimum_of_one_weight,
    ):
        assert isinstance(builder(relu), Undecided)
        assert isinstance(builder(wide), Undecided)


def test_low_points_are_the_same_each_time_and_sorted() -> None:
    loss = Loss(
        Network.dense((2, 2, 1), "square"), Dataset.from_rows([[1, 2], [3, -1]], [[1], [0]])
    )
    points = low_points(loss, 10, 4)
    assert points == low_points(loss, 10, 4)
    losses = [loss(p) for p in points]
    assert losses == sorted(losses)


@given(st.lists(st.integers(-6, 6), min_size=2, max_size=4), st.integers(1, 5))
def test_a_positive_polynomial_on_the_half_line_is_a_sum_of_squares(
    roots: list[int], margin: int
) -> None:
    """prod (s - r)^2 + margin is positive everywhere; the squares add up to it exactly."""
    p = fmpq_poly([1])
    for r in roots[:3]:
        p *= fmpq_poly([r * r, -2 * r, 1])
    p += fmpq_poly([margin])
    found = positive_on_half_line(p)
    assert found is not None
    total = fmpq_poly([0])
    for c, e, q in found:
        assert c >= 0 and e in (0, 1)
        total += q * q * fmpq_poly([*[0] * e, c])
    assert total == p


@pytest.mark.parametrize("p", [fmpq_poly([-1, 1]), fmpq_poly([1, -3, 1]), fmpq_poly([1, -1])])
def test_a_polynomial_that_is_negative_somewhere_is_not(p: fmpq_poly) -> None:
    assert positive_on_half_line(p) is None

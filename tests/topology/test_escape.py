"""Curves that lead down from critical points of deep linear networks; each is put to the kernel."""

from __future__ import annotations

from collections import Counter

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st

from theorylab.claims.saddles import critical_point
from theorylab.claims.shapes import small_widths
from theorylab.instances import Draw, Seeded, dataset, strategy, weights
from theorylab.kernel import Proved, check
from theorylab.model import Dataset, Loss, Network, Weights
from theorylab.outcome import InputError, Undecided
from theorylab.topology.certificate import connection_certificate
from theorylab.topology.escape import Curve, escape_curve, not_poor
from theorylab.topology.exact_algebra import rank
from theorylab.topology.linear import product

ONE = Dataset.from_rows([[1]], [[1]])


def drawn(draw: Draw) -> tuple[Network, Dataset, Weights]:
    """A critical point, its network of 2 to 5 layers."""
    return critical_point(draw, [draw.integer(1, 4) for _ in range(draw.integer(3, 6))])


def zeros(network: Network) -> Weights:
    return tuple(fmpq_mat(*network.shape(k)) for k in range(1, network.depth + 1))


def is_critical(network: Network, data: Dataset, a: Weights) -> bool:
    """Whether the derivative of the loss along every unit direction is zero (it is quadratic)."""
    loss = Loss(network, data)
    for k, layer in enumerate(a):
        for i in range(layer.nrows()):
            for j in range(layer.ncols()):
                up, down = fmpq_mat(layer), fmpq_mat(layer)
                up[i, j], down[i, j] = up[i, j] + 1, down[i, j] - 1
                if loss((*a[:k], up, *a[k + 1 :])) != loss((*a[:k], down, *a[k + 1 :])):
                    return False
    return True


def is_proved(network: Network, data: Dataset, a: Weights) -> str:
    """How the kernel was convinced."""
    found = not_poor(network, data, a)
    assert not isinstance(found, Undecided), found
    raw = connection_certificate(Loss(network, data), found.conclusion, found.rule, found.proof)
    outcome = check(raw)
    assert isinstance(outcome, Proved), outcome
    return "curve" if "curve" in found.proof else str(found.proof["optimum"]["by"])


@settings(max_examples=25, deadline=None)
@given(strategy(drawn))
def test_the_drawn_points_are_critical(case: tuple[Network, Dataset, Weights]) -> None:
    assert is_critical(*case)


def test_two_hundred_critical_points_are_decided() -> None:
    """Of every kind: strict and degenerate saddles, optima of full rank and through bottlenecks."""
    kinds: Counter[str] = Counter()
    degrees: Counter[int] = Counter()
    for seed in range(200):
        network, data, a = drawn(Seeded(seed))
        how = is_proved(network, data, a)
        kinds[how] += 1
        curve = escape_curve(network, data, a)
        assert isinstance(curve, Curve) == (how == "curve")
        if isinstance(curve, Curve):
            degrees[curve.degree] += 1
            full = rank(product(a)) == min(network.widths)
            assert not full or curve.degree == 1
            assert curve.degree <= network.depth + 1
    assert sum(kinds.values()) == 200
    assert min(kinds[k] for k in ("curve", "orthogonal", "ky-fan")) >= 5
    assert min(degrees[d] for d in (1, 2, 3)) >= 3


@settings(max_examples=40, deadline=None)
@given(strategy(lambda d: (d.integer(1, 3), d.integer(1, 3), d.integer(0, 3), d)))
def test_any_weights_are_decided(case: tuple[int, int, int, Draw]) -> None:
    n, m, hidden, draw = case
    network = Network.dense((n, *small_widths(draw, hidden, 1, 3), m), "linear")
    data = dataset(draw, n, m, draw.integer(1, n + 2))
    is_proved(network, data, weights(draw, network))


@given(st.integers(2, 6))
@settings(max_examples=5, deadline=None)
def test_a_chain_at_zero_needs_one_power_of_each_layer(depth: int) -> None:
    network = Network.dense((1,) * (depth + 1), "linear")
    curve = escape_curve(network, ONE, zeros(network))
    assert isinstance(curve, Curve)
    assert curve.degree == 1
    assert all(len(series) == 2 for series in curve.layers)


def test_a_gradient_is_followed() -> None:
    network = Network.dense((1, 1, 1), "linear")
    curve = escape_curve(network, ONE, (fmpq_mat([[2]]), fmpq_mat([[0]])))
    assert isinstance(curve, Curve)
    assert curve.layers == ((fmpq_mat([[2]]),), (fmpq_mat([[0]]), fmpq_mat([[1]])))


def test_the_second_best_direction_is_left_and_the_best_is_not() -> None:
    data = Dataset.from_rows([[1, 0], [0, 1]], [[2, 0], [0, 1]])
    network = Network.dense((2, 1, 2), "linear")
    second = fmpq_mat([[0, 1]]), fmpq_mat([[0], [1]])
    best = fmpq_mat([[1, 0]]), fmpq_mat([[2], [0]])
    assert is_proved(network, data, second) == "curve"
    assert is_proved(network, data, best) == "ky-fan"
    assert isinstance(escape_curve(network, data, best), Undecided)


def test_a_tie_of_singular_values_is_a_minimum() -> None:
    data = Dataset.from_rows([[1, 0], [0, 1]], [[2, 0], [0, 2]])
    network = Network.dense((2, 1, 2), "linear")
    tied = fmpq_mat([[fmpq(3, 5), fmpq(4, 5)]]), fmpq_mat([[fmpq(6, 5)], [fmpq(8, 5)]])
    assert is_critical(network, data, tied)
    assert is_proved(network, data, tied) == "ky-fan"


@pytest.mark.parametrize(
    "network",
    [Network.dense((1, 1, 1), "square"), Network.dense((1, 1, 1), "linear", True)],
)
def test_other_networks_are_refused(network: Network) -> None:
    with pytest.raises(InputError, match="linear"):
        escape_curve(network, ONE, zeros(network))

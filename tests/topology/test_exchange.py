"""One hidden layer of q + 1 units: every pair is joined by exact moves; q units are not enough."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from topology.topology_certificates import assert_proved, joined_certificate

from theorylab import kernel
from theorylab.claims import claim
from theorylab.claims.lifted import ACTIVATIONS
from theorylab.falsify import Refutation, hunt
from theorylab.falsify.mutants import weaker_bounds
from theorylab.falsify.reading import Reading
from theorylab.instances import Draw, Seeded, dataset, strategy, weights
from theorylab.model import Dataset, Loss, Network, Weights
from theorylab.outcome import Undecided
from theorylab.topology.certificate import certificate, joined, statement_json
from theorylab.topology.connect import connect
from theorylab.topology.lifted import connect_by_exchange, feature_dimension

BIASES = (False, True, (True, False), (False, True))


def ends(draw: Draw, more: int = 1) -> tuple[Network, Dataset, Weights, Weights]:
    """A network of q + more units on small, often degenerate data, and two points."""
    n, m, samples = draw.integer(1, 3), draw.integer(1, 3), draw.integer(1, 6)
    data, activation = dataset(draw, n, m, samples), draw.choice(ACTIVATIONS)
    bias = draw.choice(BIASES)
    q = feature_dimension(Network.dense((n, 1, m), activation, bias), data)[0]
    network = Network.dense((n, max(1, q + more), m), activation, bias)
    return network, data, weights(draw, network), weights(draw, network)


@settings(max_examples=60)
@given(strategy(ends))
def test_the_kernel_accepts_every_path_at_q_plus_one(
    case: tuple[Network, Dataset, Weights, Weights],
) -> None:
    network, data, a, b = case
    path = connect_by_exchange(network, data, a, b)
    assert not isinstance(path, Undecided)
    assert path.end == b
    loss = Loss(network, data)
    assert_proved(joined_certificate(path, loss, max(loss(a), loss(b))))


def deep_ends(draw: Draw) -> tuple[Network, Dataset, Weights, Weights]:
    """Two or three hidden layers of N + 1 units, N the number of samples."""
    n, m, samples = draw.integer(1, 2), draw.integer(1, 3), draw.integer(1, 3)
    hidden = (samples + 1,) * draw.integer(2, 3)
    bias = tuple(draw.choice((False, True)) for _ in (*hidden, m))
    network = Network.dense((n, *hidden, m), draw.choice(ACTIVATIONS), bias)
    a, b = weights(draw, network, 2), weights(draw, network, 2)
    return network, dataset(draw, n, m, samples, 2), a, b


@settings(max_examples=40)
@given(strategy(deep_ends))
def test_the_kernel_accepts_every_deep_path_at_n_plus_one(
    case: tuple[Network, Dataset, Weights, Weights],
) -> None:
    network, data, a, b = case
    path = connect_by_exchange(network, data, a, b)
    assert not isinstance(path, Undecided)
    assert path.end == b
    loss = Loss(network, data)
    assert_proved(joined_certificate(path, loss, max(loss(a), loss(b))))


@given(st.integers(0, 10_000))
@settings(max_examples=20)
def test_q_units_are_refused(seed: int) -> None:
    network, data, a, b = ends(Seeded(seed), more=0)
    found = connect_by_exchange(network, data, a, b)
    q = feature_dimension(network, data)[0]
    assert isinstance(found, Undecided) == (network.hidden[0] <= q)


def test_connect_takes_the_exchange_where_ranks_are_too_large() -> None:
    data = Dataset.from_rows([[1], [-1]], [[1], [1]])
    network = Network.dense((1, 3, 1), "relu")
    a, b = (network.assemble(v) for v in ([1, -1, 2, 1, 1, 1], [-1, 1, 3, 1, 2, -1]))
    found = connect(network, data, a, b)
    assert not isinstance(found, Undecided)
    assert (found.construction, found.needed_widths) == ("exchange of units", (3,))


def test_connect_takes_the_exchange_in_deep_networks() -> None:
    data = Dataset.from_rows([[-2], [-1], [1]], [[1], [-1], [0]])
    network = Network.dense((1, 4, 4, 1), "square", (True, True, False))
    a, b = (weights(Seeded(i), network, 2, degenerate=False) for i in (0, 1))
    found = connect(network, data, a, b)
    assert not isinstance(found, Undecided)
    assert (found.construction, found.needed_widths) == ("exchange of units", (4, 4))


def test_q_units_are_too_few() -> None:
    """The bound of the sharp reading lowered by one falls, with as many outputs as q."""
    whole = claim("finite-dimension-connected")
    (lowered,) = weaker_bounds(whole.variant("sharp"))
    found = hunt(Reading(whole, lowered), tries=200)
    assert isinstance(found, Refutation)
    network = found.instance.network
    assert network.hidden[0] == feature_dimension(network, found.instance.data)[0]


@pytest.mark.parametrize(("width", "holds"), [(2, False), (3, True)])
def test_the_kernel_reads_the_bound_q_plus_one(width: int, holds: bool) -> None:
    """Two inputs of one sign each: q = 2 for relu."""
    data = Dataset.from_rows([[1], [-1]], [[0], [0]])
    network = Network.dense((1, width, 1), "relu")
    zero = network.assemble([0] * (2 * width))
    bound = {"kind": "hidden_widths", "relation": ">=", "bound": "q+1"}
    level = Loss(network, data)(zero)
    statement = statement_json(network, data, [bound], joined(zero, zero, level))
    outcome = kernel.check(certificate(statement, "polyline", {"form": "bound", "steps": []}))
    assert isinstance(outcome, kernel.Proved) == holds

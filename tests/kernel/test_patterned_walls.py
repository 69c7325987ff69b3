"""Walls of masked and tied networks, and bounds on widths with something taken off."""

from __future__ import annotations

from typing import Any

import pytest

from theorylab import kernel
from theorylab.model import Dataset, Loss, Network
from theorylab.topology.certificate import certificate, statement_json
from theorylab.topology.path import theta_json
from theorylab.topology.walls.vanishing import separated_where_a_weight_vanishes

ONE = Dataset.from_rows([[1]], [[1]])
TIED = Network.with_pattern((1, 1, 1), "linear", [[[0]], [[0]]])
MASKED = Network.with_pattern((1, 2, 1), "linear", [[[None], [None]], [[None, "0"]]])


def outcome(network: Network, conclusion: Any, proof: Any, hypotheses: Any = ()) -> kernel.Outcome:
    statement = statement_json(network, ONE, hypotheses, conclusion)
    return kernel.check(certificate(statement, "barrier", proof))


@pytest.mark.parametrize("network", [TIED, MASKED], ids=["tied", "masked"])
def test_a_wall_of_a_network_with_a_pattern_separates(network: Network) -> None:
    found = separated_where_a_weight_vanishes(Loss(network, ONE))
    assert found.conclusion["kind"] == "separated"  # type: ignore[union-attr]
    shown = outcome(network, found.conclusion, found.proof)  # type: ignore[union-attr]
    assert isinstance(shown, kernel.Proved)


def test_the_expansion_knows_what_is_fixed_and_what_is_shared() -> None:
    """The same identity under another pattern is another identity, and does not hold."""
    found = separated_where_a_weight_vanishes(Loss(TIED, ONE))
    # L = (w0 w0 - 1)^2 of the tied network against (w0 w1 - 1)^2 and (2 w0 - 1)^2
    for pattern in (None, [[[None]], [["1"]]]):
        other = Network.with_pattern((1, 1, 1), "linear", pattern)
        layers = [[["1"]], [["1"]]], [[["-1"]], [["1"]]]
        conclusion = {"kind": "separated", "A": layers[0], "B": layers[1], "u": "0"}
        refused = outcome(other, conclusion, found.proof)  # type: ignore[union-attr]
        assert isinstance(refused, kernel.Rejected)


def test_a_wall_does_not_separate_points_that_break_the_pattern() -> None:
    found = separated_where_a_weight_vanishes(Loss(TIED, ONE))
    free = Network.dense((1, 1, 1), "linear").assemble([1, -1])
    conclusion = {**found.conclusion, "B": theta_json(free)}  # type: ignore[union-attr]
    refused = outcome(TIED, conclusion, found.proof)  # type: ignore[union-attr]
    assert isinstance(refused, kernel.Rejected) and "pattern" in refused.reason


@pytest.mark.parametrize(
    ("less", "holds"), [(1, True), (None, False), (0, False), ("1", False), (-1, False)]
)
def test_a_bound_on_the_width_lowered_by_a_number(less: Any, holds: bool) -> None:
    """1-1-1: width 1 > min(n, m) = 1 fails, width 1 > 1 - 1 holds; `less` is a positive integer."""
    found = separated_where_a_weight_vanishes(Loss(Network.dense((1, 1, 1), "linear"), ONE))
    bound = {"kind": "hidden_widths", "relation": ">", "bound": "min(n,m)"}
    if less is not None:
        bound["less"] = less
    network = Network.dense((1, 1, 1), "linear")
    shown = outcome(network, found.conclusion, found.proof, [bound])  # type: ignore[union-attr]
    assert isinstance(shown, kernel.Proved) == holds

"""Trained networks made exact, the certified path between two, and what floats see beside it."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from math import isfinite

import pytest
import torch

from theorylab import kernel
from theorylab.connect import connect, prepare, with_curves
from theorylab.experiments.data import exact_dataset
from theorylab.experiments.networks.ensemble import Descent, train_ensemble
from theorylab.experiments.networks.model import Parameters, Perceptron, picked
from theorylab.experiments.trained import (
    Empirical,
    empirical,
    exact_network,
    parameters_of,
    perceptron_of,
    targets_of,
)
from theorylab.model import Dataset, Loss, Network, Weights, matrix
from theorylab.outcome import InputError

torch.set_num_threads(1)
MODELS = [
    Perceptron((3, 4, 2)),
    Perceptron((3, 4, 5, 2), "square", bias=False),
    Perceptron((3, 4, 2), (0.5, -1.0, 0.25)),
    Perceptron((3, 4, 2), "identity"),
]


def drawn(model: Perceptron, dtype: torch.dtype) -> Parameters:
    found = model.initial(0, range(3), "trained", dtype=dtype)
    return tuple(p + 0.25 for p in found)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("model", MODELS, ids=lambda m: str(m.activation))
def test_an_ensemble_becomes_exact_and_returns(model: Perceptron, dtype: torch.dtype) -> None:
    parameters = drawn(model, dtype)
    exact = [exact_network(model, parameters, k) for k in range(3)]
    network = exact[0][0]
    assert perceptron_of(network) == model
    back = parameters_of(network, [weights for _, weights in exact], dtype)
    assert all(map(torch.equal, back, parameters))
    inputs = [[0.5, -1.25, 2.0]]
    seen = model.outputs(parameters, torch.tensor(inputs, dtype=dtype))
    for k, (_, weights) in enumerate(exact):
        column = matrix([[Fraction(v)] for v in inputs[0]])
        wanted = [float(Fraction(str(v))) for v in network.outputs(weights, column).entries()]
        # because: float32 rounds each of some dozen sums
        torch.testing.assert_close(seen[k, 0].double(), torch.tensor(wanted).double(),
                                   rtol=1e-4, atol=1e-5)  # fmt: skip


def test_bits_round_and_diverged_nets_are_refused() -> None:
    model = MODELS[0]
    parameters = drawn(model, torch.float32)
    _, (first, _) = exact_network(model, parameters, 1, bits=3)
    assert all((entry * 8).q == 1 for entry in first.entries())
    parameters[2][1, 0, 0] = float("nan")
    with pytest.raises(InputError, match="layer 2 = net 1: weights are finite"):
        exact_network(model, parameters, 1)
    assert exact_network(model, parameters, 0)


def test_what_has_no_counterpart_is_refused() -> None:
    for model in (Perceptron((2, 2, 1), "tanh"), Perceptron((2, 2, 1), batch_norm=True)):
        with pytest.raises(InputError, match="exact networks have"):
            exact_network(model, model.initial(0, [0]))
    for network in (
        Network.dense((2, 2, 1), "abs"),
        Network.dense((2, 2, 1), {"leaky_relu": "1/2"}),
        Network.dense((2, 2, 1), "relu", (True, False)),
        Network.dense((2, 2, 1), "relu", output="activation"),
        Network.with_pattern((1, 2, 1), "relu", [[[0], [0]], None]),
    ):
        with pytest.raises(InputError, match="perceptrons"):
            perceptron_of(network)
    with pytest.raises(InputError, match="weigh all samples alike"):
        targets_of(Dataset.from_rows([[1], [2]], [[1], [2]], weights=[1, 2]))


PRODUCT = Network.dense((1, 1, 1), "linear")
ONE = Dataset.from_rows([[1]], [[1]])


def test_the_empirical_half_of_a_known_wall() -> None:
    a, b = ((matrix([[s]]), matrix([[s]])) for s in (1, -1))
    found = empirical(PRODUCT, ONE, a, b, seed=4, steps=60)
    assert (found.level, found.straight, found.points, found.steps, found.seed) == (
        0,
        1,
        101,
        60,
        4,
    )
    # w u = 0 lies on every path; 101 points come as near as this
    assert found.matched == 1 and found.curve > 0.9
    assert found == empirical(PRODUCT, ONE, a, b, seed=4, steps=60)
    assert json.loads(json.dumps(found.to_json()))["straight"] == 1


def test_sums_are_over_the_samples() -> None:
    data = Dataset.from_rows([[1], [1], [1]], [[1], [1], [1]])
    a, b = ((matrix([[s]]), matrix([[s]])) for s in (1, -1))
    assert empirical(PRODUCT, data, a, b, steps=1).straight == 3
    assert empirical(PRODUCT, data, a, a, steps=1).straight == 0


def test_a_diverged_curve_is_null_in_json() -> None:
    data = Dataset.from_rows([[1000]], [[1]])
    a, b = ((matrix([[s]]), matrix([[s]])) for s in (1, 2))
    found = empirical(PRODUCT, data, a, b, steps=50, rates=(0.1,))
    assert not isfinite(found.curve) and found.to_json()["curve"] is None
    # a rate that is small enough is found among several
    assert isfinite(empirical(PRODUCT, data, a, b, steps=50, rates=(0.1, 1e-14)).curve)


def trained(widths: tuple[int, ...], samples: int) -> tuple[Network, Dataset, Weights, Weights]:
    """Two networks trained on the first digits with the loss that certificates speak of."""
    model, data = Perceptron(widths), exact_dataset("digits", samples)
    x, y = targets_of(data)
    rule = Descent(0.01, 150, kind="adam")
    found = train_ensemble(model, x, y, 2, seed=0, descent=rule, loss="squares")
    network, a = exact_network(model, found.parameters, 0)
    return network, data, a, exact_network(model, found.parameters, 1)[1]


@pytest.mark.parametrize("widths", [(64, 16, 10), (64, 16, 16, 10)], ids=str)
def test_two_trained_networks_are_joined(widths: tuple[int, ...]) -> None:
    network, data, a, b = trained(widths, 8)
    before = prepare(network, data, a, b)
    needed = before.needed_width
    assert needed is not None and all(n <= w for n, w in zip(needed, widths[1:-1], strict=True))
    found = connect(network, data, a, b)
    assert (found.outcome, found.assurance) == ("proved", "kernel")
    assert found.certificate_bytes is not None
    assert isinstance(kernel.check(found.certificate_bytes), kernel.Proved)
    assert Fraction(found.level) < 2  # they are trained: untrained ones have losses near 8
    seen = with_curves(found, network, data, a, b, seed=1).empirical
    assert seen is not None and seen.level == pytest.approx(float(Fraction(found.level)))
    # because: the largest of 101 points in floats, the largest of 65 exact ones
    assert found.peak is not None
    assert seen.straight == pytest.approx(float(Fraction(found.peak)), rel=0.01)
    assert seen.straight > seen.matched > seen.level <= seen.curve + 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("widths", [(64, 48, 10), (64, 48, 48, 10)], ids=str)
def test_the_promised_size(widths: tuple[int, ...]) -> None:
    network, data, a, b = trained(widths, 24)
    assert prepare(network, data, a, b).hidden == widths[1:-1]
    found = connect(network, data, a, b)
    assert (found.outcome, found.construction) == ("proved", "any depth")
    assert len(found.certificate_bytes or b"") < 4_000_000


def test_networks_without_counterpart_have_no_empirical_half() -> None:
    network = Network.dense((1, 2, 1), {"leaky_relu": "1/2"})
    a = matrix([[1], [1]]), matrix([[1, 1]])
    found = connect(network, ONE, a, a)
    assert with_curves(found, network, ONE, a, a) == found
    weighted = replace(ONE, weights=(Loss(network, ONE)(a),))
    same = connect(PRODUCT, weighted, *[(matrix([[1]]), matrix([[1]]))] * 2)
    assert with_curves(same, PRODUCT, weighted, *[(matrix([[1]]), matrix([[1]]))] * 2) == same


def test_a_certificate_beyond_the_kernel_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    network, data, a, b = trained((64, 16, 10), 8)
    monkeypatch.setattr("theorylab.kernel.statements.MAX_DIGITS", 60)
    found = connect(network, data, a, b)
    assert (found.outcome, found.exit_status, found.rejected) == ("undecided", 3, False)
    assert "beyond the kernel" in found.reason and "--bits" in found.reason
    assert found.certificate_bytes is None and found.assurance is None


def test_the_value_is_frozen() -> None:
    model = MODELS[0]
    found = picked(drawn(model, torch.float64), [0])
    network, weights = exact_network(model, found)
    data = Dataset.from_rows([[1, 0, 0]], [[0, 1]])
    value: Empirical = empirical(network, data, weights, weights, steps=1)
    with pytest.raises(AttributeError):
        value.curve = 0.0  # type: ignore[misc]

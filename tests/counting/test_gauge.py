"""Gauges: square systems where ENGINES says so, no dimension lost, groups that really act."""

from __future__ import annotations

import cmath
import random
from typing import Any

import numpy as np
import pytest
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st
from model.drawn import data_for, networks

from theorylab.counting.system import (
    PolynomialSystem,
    critical_system,
    gauge_of,
    interpolation_system,
    layout_of,
)
from theorylab.model import Activation, Dataset, Network, convolution
from theorylab.outcome import InputError


def generic_data(network: Network, samples: int, seed: int = 1) -> Dataset:
    rng = random.Random(seed)

    def table(width: int) -> list[list[fmpq]]:
        return [[fmpq(rng.randint(-999, 999), 101) for _ in range(width)] for _ in range(samples)]

    return Dataset.from_rows(table(network.n), table(network.m))


def net2(n: int, p: int, kind: str) -> Network:
    return Network.dense((n, p, 1), kind, bias=[True, False])


SHARED = Network.with_pattern((1, 1, 1), "square", [[[0]], [[0]]], output="activation")
CHANNEL = Network.with_pattern((3, 2, 1), "square", [convolution(3, 2), None])

# network, gauge, samples = unknowns, degree of each equation, order of the known group
SQUARE: list[tuple[str, Network, str, int, int, int]] = [
    ("net2(2,2,z^2)", net2(2, 2, "square"), "auto", 5, 2, 4),
    ("net2(3,2,z^2)", net2(3, 2, "square"), "auto", 7, 2, 4),
    ("net2(3,3,z^2)", net2(3, 3, "square"), "auto", 9, 2, 8),
    ("net2(4,2,z^2)", net2(4, 2, "square"), "auto", 9, 2, 4),
    ("net2(2,2,z^3)", net2(2, 2, "cube"), "auto", 6, 3, 18),
    ("net2(3,2,z^3)", net2(3, 2, "cube"), "auto", 8, 3, 18),
    ("net2(2,3,z^3)", net2(2, 3, "cube"), "auto", 9, 3, 162),
    ("net3(3)", Network.dense((3, 2, 2, 1), "square"), "auto", 7, 6, 4),
    ("net3(4)", Network.dense((4, 2, 2, 1), "square"), "auto", 9, 6, 4),
    ("z^2 twice", Network.dense((1, 1, 1, 1), "square", [True, True, False]), "bias", 3, 7, 1),
    ("one neuron", Network.dense((3, 1, 1), "cube"), "auto", 3, 3, 3),
    ("one neuron, first", Network.dense((3, 1, 1), "cube"), "first", 3, 4, 1),
    ("tied", SHARED, "auto", 1, 6, 6),
    ("convolution", CHANNEL, "auto", 3, 3, 2),
    ("linear 1-1-1", Network.dense((1, 1, 1), "linear"), "auto", 1, 1, 1),
    ("linear 2-3-2-1, biases", Network.dense((2, 3, 2, 1), "linear", True), "auto", 3, 1, 1),
    ("linear 3-5-1", Network.dense((3, 5, 1), "linear"), "auto", 3, 1, 1),
]


@pytest.mark.parametrize(
    ("network", "gauge", "unknowns", "degree", "order"),
    [case[1:] for case in SQUARE],
    ids=[case[0] for case in SQUARE],
)
def test_square_cases(network: Network, gauge: str, unknowns: int, degree: int, order: int) -> None:
    system = interpolation_system(network, generic_data(network, unknowns), gauge)
    assert len(system.variables) == unknowns and system.is_square
    assert set(system.degrees) == {degree}
    assert system.generic_rank() == unknowns, "isolated solutions"
    assert system.gauge.order == order
    assert system.gauge.continuous == 0


@pytest.mark.parametrize("widths", [(1, 1, 1), (2, 1, 2), (2, 2, 1), (2, 2, 2), (1, 1, 1, 1)])
def test_a_generic_ridge_needs_no_gauge(widths: tuple[int, ...]) -> None:
    network = Network.dense(widths, "linear")
    system = critical_system(network, generic_data(network, 2), "generic")
    assert system.is_square and system.gauge.fixed == () and system.gauge.continuous == 0
    assert system.gauge.order == 2 ** sum(network.hidden)
    assert system.generic_rank() == len(system.variables)
    assert system.origin is not None and system.origin.ridge is not None
    assert len(set(system.origin.ridge)) == len(system.variables)


def test_a_common_ridge_leaves_what_it_says() -> None:
    network = Network.dense((2, 2, 2), "linear")
    gauge = critical_system(network, generic_data(network, 2), "1/2").gauge
    assert gauge.continuous == 1, "the rotations of the hidden layer"
    gauge = gauge_of(layout_of(Network.dense((2, 2, 1), "cube")), ridge="common")
    assert (gauge.order, gauge.group, gauge.continuous) == (8, "(scalings 4) x S_2", 0)


POLYNOMIAL = networks().filter(lambda network: network.activation.degrees is not None)


@settings(max_examples=60)
@given(st.data(), POLYNOMIAL, st.sampled_from(["auto", "first", "bias"]))
def test_a_gauge_loses_no_dimension(data: st.DataObject, network: Network, gauge: str) -> None:
    """Each generic orbit meets the gauge, so the Jacobian has the same rank on it."""
    samples = data.draw(data_for(network))
    free = interpolation_system(network, samples, "none")
    fixed = interpolation_system(network, samples, gauge)
    assert fixed.generic_rank() == free.generic_rank()
    assert len(free.variables) - len(fixed.variables) == len(fixed.gauge.fixed)
    assert free.gauge.continuous >= 0 == len(free.gauge.fixed)


def moved(system: PolynomialSystem, point: list[complex]) -> list[list[complex]]:
    """The images of a point under the generators of the residual group."""
    assert system.origin is not None
    template = system.origin.template
    full = [complex(entry.p) / complex(entry.q) if isinstance(entry, fmpq) else point[entry]
            for entry in template]  # fmt: skip
    images = []
    for symmetry in system.gauge.symmetries:
        turned = [
            cmath.exp(2j * cmath.pi * int(phase.p) / int(phase.q)) * full[q]
            for phase, q in zip(symmetry.phases, symmetry.permutation, strict=True)
        ]
        for p, entry in enumerate(template):
            if isinstance(entry, fmpq):
                assert abs(turned[p] - full[p]) < 1e-9, "the gauge stays as it is"
        image = list(point)
        for p, entry in enumerate(template):
            if not isinstance(entry, fmpq):
                image[entry] = turned[p]
        images.append(image)
    return images


@settings(max_examples=60)
@given(st.data(), POLYNOMIAL, st.sampled_from(["auto", "none", "first", "bias"]))
def test_the_known_group_acts_on_solutions(
    data: st.DataObject, network: Network, gauge: str
) -> None:
    system = interpolation_system(network, data.draw(data_for(network)), gauge)
    rng = random.Random(3)
    point = [complex(rng.uniform(-1, 1), rng.uniform(-1, 1)) for _ in system.variables]
    before = system.evaluate(np.array([point]).reshape(1, len(point)))
    for image in moved(system, point):
        after = system.evaluate(np.array([image]))
        assert np.allclose(before, after, rtol=1e-8, atol=1e-8), "because the phases are rounded"


@pytest.mark.parametrize("ridge", ["generic", "1/3"])
@pytest.mark.parametrize("kind", ["linear", "square", "cube", {"polynomial": ["1", "0", "2"]}])
def test_the_group_of_a_ridge_permutes_critical_points(kind: Any, ridge: str) -> None:
    network = Network.dense((2, 2, 1), Activation.parse(kind), bias=[True, False])
    system = critical_system(network, generic_data(network, 3), ridge)
    assert system.gauge.symmetries
    rng = random.Random(4)
    point = [complex(rng.uniform(-1, 1), rng.uniform(-1, 1)) for _ in system.variables]
    before = system.evaluate(np.array([point]))[0]
    for symmetry, image in zip(system.gauge.symmetries, moved(system, point), strict=True):
        after = system.evaluate(np.array([image]))[0]
        for j, (phase, q) in enumerate(zip(symmetry.phases, symmetry.permutation, strict=True)):
            turn = cmath.exp(2j * cmath.pi * int(phase.p) / int(phase.q))
            assert abs(after[j] * turn - before[q]) < 1e-10 * abs(before).max()


def test_even_and_odd_activations_leave_signs() -> None:
    def group(*coefficients: str) -> tuple[int, str]:
        activation = Activation.parse({"polynomial": list(coefficients)})
        gauge = gauge_of(layout_of(Network.dense((2, 2, 1), activation)))
        assert not gauge.fixed
        return gauge.order, gauge.group

    assert group("1", "0", "1") == (8, "(scalings 4) x S_2")
    assert group("0", "1", "0", "1") == (8, "(scalings 4) x S_2")
    assert group("1", "1", "1") == (2, "S_2")


def test_frozen_and_tied_weights_bind_the_scales() -> None:
    frozen = Network.with_pattern((2, 2, 1), "cube", [None, [["1", "2"]]])
    assert gauge_of(layout_of(frozen)).fixed == ()
    assert gauge_of(layout_of(frozen)).order == 9, "no exchange: the frozen weights differ"
    even = Network.with_pattern((2, 2, 1), "cube", [None, [["1", "1"]]])
    assert gauge_of(layout_of(even)).order == 18
    # One filter feeds both units: one common scale, and one weight is fixed for it.
    layout = layout_of(CHANNEL)
    assert [layout.names[p] for p, _ in gauge_of(layout).fixed] == ["w2_1_1"]


def test_a_network_without_free_weights_has_no_unknowns() -> None:
    frozen = Network.with_pattern((1, 1, 1), "cube", [[["1/2"]], [["2"]]])
    system = interpolation_system(frozen, Dataset.from_rows([[2]], [[2]]))
    assert system.variables == () and system.evaluate_exact([]) == (0,)
    assert system.gauge.order == 1 and system.generic_rank() == 0


def test_the_statement_names_what_was_fixed_and_what_that_loses() -> None:
    text = str(gauge_of(layout_of(net2(2, 2, "square"))))
    for words in ("w2_1_1 = w2_1_2 = 1", "scaling", "w1_2_1 = 0", "triangular", "not counted",
                  "over R the signs", "order 4"):  # fmt: skip
        assert words in text
    text = str(gauge_of(layout_of(net2(2, 2, "square")), "bias"))
    assert "b1_1 = b1_2 = 1" in text and "dimension at least 1" in text and "every field" in text
    text = str(gauge_of(layout_of(Network.dense((3, 2, 1), "linear"))))
    assert "columns 1, 2 of W_1 = identity" in text and "GL" in text
    assert "nothing fixed" in str(gauge_of(layout_of(net2(1, 1, "cube")), "none"))


def test_an_unknown_gauge_is_refused() -> None:
    with pytest.raises(InputError, match="the gauges are auto, none, first, bias"):
        gauge_of(layout_of(net2(1, 1, "cube")), "all")


def test_critical_points_without_ridge_are_those_of_the_restricted_loss() -> None:
    """At a critical point found on the gauge, the whole gradient vanishes.

    CLAIMS C12: rho = z^2, n = 1, data (1,1), (2,-1): (u, w) = (-3/17, 1), L = 25/17.
    """
    network = Network.dense((1, 1, 1), "square")
    data = Dataset.from_rows([[1], [2]], [[1], [-1]])
    system = critical_system(network, data, gauge="first")
    assert system.variables == ("w2_1_1",)
    assert system.evaluate_exact([fmpq(-3, 17)]) == (0,)
    full = critical_system(network, data, gauge="none")
    assert full.evaluate_exact([fmpq(1), fmpq(-3, 17)]) == (0, 0)

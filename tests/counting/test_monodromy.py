"""Monodromy finds the counts that other programs found, and its tests notice what is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import families
import numpy as np
import pytest
from flint import fmpq

from theorylab.counting.expanded import Expanded
from theorylab.counting.groebner import exact_count
from theorylab.counting.homotopy import monodromy as module
from theorylab.counting.homotopy.family import Family
from theorylab.counting.homotopy.monodromy import (
    TRACE,
    GenericCount,
    generic_count,
    monodromy,
    trace_residual,
)
from theorylab.counting.homotopy.orbits import (
    Invariants,
    Seen,
    gaussians,
    known_group,
    network_values,
    repeated,
)
from theorylab.counting.system import (
    PolynomialSystem,
    Program,
    critical_system,
    interpolation_system,
)
from theorylab.model import Network
from theorylab.outcome import InputError, Undecided

SMALL = families.small()


@pytest.mark.parametrize("family", SMALL, ids=lambda f: f.name)
def test_known_counts(family: families.Family) -> None:
    found = families.counted(family)
    assert (found.orbits, found.count) == (family.orbits, family.count)
    assert found.complete and found.agreed and found.seeds == (0, 1)
    assert found.residual < TRACE
    check_solutions(found)


def test_generic_members_have_targets_of_size_one() -> None:
    # Those of these cubes at random weights are of size 3.7 to 8.8.
    system = families.interpolation((2, 2, 1), "cube", bias=True)
    for seed in range(4):
        family = Family.of(system, seed, 1)
        point, values = family.seeded(
            tuple(range(len(system.variables))), np.random.default_rng(seed)
        )
        assert np.abs(system.evaluate(point[None, :], values)).max() < 1e-9
        assert 0.5 < np.sqrt(np.mean(np.abs(values[family.targets]) ** 2)) < 2


@pytest.mark.slow
def test_net3_4_has_1330_functions_of_24_solutions() -> None:
    found = monodromy(families.interpolation((4, 2, 2, 1), "square"), seed=1)
    assert (found.orbits, found.count) == (1330, 31920)
    assert found.residual < TRACE
    check_solutions(found)


def check_solutions(found: GenericCount) -> None:
    """The representatives solve the generic member, and their images are as many as counted."""
    system, points = found.system, found.representatives
    values, slopes = system.evaluate_with_jacobian(points, found.parameters)
    steps = np.linalg.solve(slopes, values[:, :, None])[:, :, 0]
    assert (np.abs(steps).max(axis=1) < 1e-9 * (1 + np.abs(points).max(axis=1))).all()
    keys = Invariants.of(system, 5).orbits(points)
    assert (repeated(keys, np.zeros(len(keys), dtype=int)) == -1).all()
    sizes = [found.group.on(p.support).order * len(p.representatives) for p in found.components]
    assert sum(sizes) == found.count


def test_the_same_seed_gives_the_same_bytes() -> None:
    system = families.net2(2, 2, 3)
    one, two = (monodromy(system, 3, threads=n) for n in (1, 2))
    assert one.representatives.tobytes() == two.representatives.tobytes()
    assert one.parameters.tobytes() == two.parameters.tobytes()
    assert one.parameters.tobytes() != monodromy(system, 4).parameters.tobytes()


def test_one_run_is_never_complete_and_seeds_must_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    system = families.net2(2, 2, 2)
    one = monodromy(system)
    assert not one.complete and "INCOMPLETE" in str(one)
    both = generic_count(system)
    assert both.complete and "COMPLETE (numeric)" in str(both)

    real = module.monodromy

    def forgetful(system: PolynomialSystem, seed: int = 0, **words: object) -> GenericCount:
        found = real(system, seed)
        part = found.components[0]
        return replace(found, components=(replace(part, orbits=part.orbits - seed),))

    monkeypatch.setattr(module, "monodromy", forgetful)
    found = generic_count(system)
    assert not found.complete and not found.agreed
    assert any("seed 0 finds 12 solutions, seed 1 8" in reason for reason in found.reasons)


# The trace test


@pytest.mark.parametrize("family", SMALL[:3] + SMALL[7:], ids=lambda f: f.name)
def test_the_trace_test_misses_any_function_left_out(family: families.Family) -> None:
    found = families.counted(family)
    for number, part in enumerate(found.components):
        if part.orbits < 2:
            continue
        functions = Invariants.of(family.system, 0).functions(part.representatives)
        _, first = Seen(functions.shape[1]).numbers(functions, add=True)
        for left_out in first[:2]:
            kept = np.delete(part.representatives, left_out, axis=0)
            fewer = replace(part, representatives=kept, orbits=part.orbits - 1)
            parts = list(found.components)
            parts[number] = fewer
            assert trace_residual(replace(found, components=tuple(parts))) > 1e-5
    assert trace_residual(found, seed=9) < TRACE


def test_a_count_whose_trace_test_fails_is_not_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TRACE", 0.0)
    monkeypatch.setattr(module, "_PATIENCE", 2)
    found = generic_count(families.net2(2, 2, 2))
    assert not found.complete
    assert "the trace test leaves" in str(found)


# Components of critical points


def test_supports_are_the_dead_units() -> None:
    system = families.critical((2, 2, 2), "linear", 3)
    supports = [part.support for part in monodromy(system).components]
    # w1_1_1, w1_1_2, w1_2_1, w1_2_2, w2_1_1, w2_1_2, w2_2_1, w2_2_2: unit k has row and column k.
    assert supports == [tuple(range(8)), (0, 1, 4, 6), (2, 3, 5, 7), ()]


def test_a_component_over_special_ridges_only_is_left_out() -> None:
    """Two units in parallel with one input and output need w u to balance: generically not."""
    found = monodromy(families.critical((1, 2, 1), "linear", 2))
    assert [part.support for part in found.components] == [(0, 2), (1, 3), ()]


@pytest.mark.parametrize("zero", [[0, 2], [0, 1, 2, 3]], ids=["dead unit", "origin"])
def test_a_jump_to_another_component_is_a_lost_path(
    zero: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It once counted 49 instead of 33: all of the other component, which passes its own test."""
    real, calls = Family.moved, []

    def jumping(self: Family, points: Any, *rest: Any) -> Any:
        ends, arrived = real(self, points, *rest)
        if len(points) > 5 and len(calls) < 4:
            calls.append(len(points))
            ends[3, zero] = 1e-40
        return ends, arrived

    monkeypatch.setattr(Family, "moved", jumping)
    found = monodromy(families.critical((1, 2, 1), "square", 2))
    assert len(calls) == 4
    assert found.count == 33 and found.components[0].lost >= 4
    assert all(part.complete for part in found.components)


@pytest.mark.parametrize(
    ("widths", "activation", "samples"),
    [
        ((1, 2, 1), "linear", 2),
        ((1, 2, 1), "square", 2),
        ((1, 1, 1), "cube", 2),
        ((2, 1, 1), "square", 2),
    ],
)
def test_critical_points_against_exact_algebra(
    widths: tuple[int, ...], activation: str, samples: int
) -> None:
    network = Network.dense(widths, activation)
    made = families.data(network.n, network.m, samples)
    plain = critical_system(network, made, "generic")
    terms = tuple({m: fmpq(c) for m, c in p.items()} for p in plain.expanded())
    exact = exact_count(Expanded(plain.variables, terms))
    assert not isinstance(exact, Undecided)
    assert generic_count(families.critical(widths, activation, samples)).count == exact.distinct


# Refusals


def test_refusals() -> None:
    program = Program()
    x = program.variable(0)
    plain = PolynomialSystem(("x",), program, (program.sub(program.mul(x, x), x),))
    with pytest.raises(InputError, match="parametric=True"):
        monodromy(plain)
    moving = PolynomialSystem(
        ("x",), program, (program.sub(x, program.parameter(0)),), ("y1",), (fmpq(1),)
    )
    with pytest.raises(InputError, match="from a network"):
        monodromy(moving)
    with pytest.raises(InputError, match="seed"):
        generic_count(families.net2(2, 2, 2), seed=-1)
    scaled = interpolation_system(
        Network.dense((1, 1, 1), "linear"), families.data(1, 1, 2), "none", parametric=True
    )
    with pytest.raises(InputError, match="isolated"):
        monodromy(scaled)


def test_without_a_ridge_nothing_is_called_complete() -> None:
    made = families.data(1, 1, 3)
    system = critical_system(Network.dense((1, 2, 1), "square"), made, parametric=True)
    found = generic_count(system)
    assert not found.complete and "components may be missing" in str(found)


# Orbits


@pytest.mark.parametrize("family", SMALL, ids=lambda f: f.name)
def test_images_of_solutions_are_solutions(family: families.Family) -> None:
    found, system = families.counted(family), family.system
    points = found.group.expanded(found.representatives[:4])
    sizes = np.abs(system.evaluate(points, found.parameters)).max(axis=1)
    slopes = np.abs(system.jacobian(points, found.parameters)).max(axis=(1, 2))
    assert (sizes < 1e-8 * (1 + slopes * np.abs(points).max(axis=1))).all()
    functions = (
        Invariants.of(system, 1).functions(points).reshape(-1, found.group.order, 2 * _m(system))
    )
    assert np.abs(functions - functions[:, :1]).max() < 1e-8 * (1 + np.abs(functions).max())


def _m(system: PolynomialSystem) -> int:
    assert system.origin is not None
    return system.origin.network.m


def test_the_function_is_that_of_the_network() -> None:
    network = Network.dense((2, 3, 2), "cube", bias=True)
    system = critical_system(network, families.data(2, 2, 1), "generic")
    rng = np.random.default_rng(0)
    point = [fmpq(int(k), 7) for k in rng.integers(-9, 9, len(system.variables))]
    inputs = [[fmpq(1, 3), fmpq(2)], [fmpq(-1), fmpq(1, 2)]]
    from theorylab.model import matrix

    exact = network.outputs(system.weights_at(point), matrix(inputs).transpose())
    wanted = [float(int(q.p) / int(q.q)) for row in exact.transpose().tolist() for q in row]
    given = np.array([[complex(int(q.p) / int(q.q)) for q in row] for row in inputs])
    doubles = np.array([[complex(int(q.p) / int(q.q)) for q in point]])
    found = network_values(system, doubles, given)[0]
    assert np.allclose(found, wanted, rtol=1e-12)  # because these are doubles


def test_orbit_keys_tell_orbits_apart_and_images_not() -> None:
    system = families.net2(2, 3, 3)
    invariants, group = Invariants.of(system, 0), known_group(system)
    assert group.order == 162
    points = gaussians(np.random.default_rng(1), 5, len(system.variables))
    keys = invariants.orbits(group.expanded(points))
    assert (repeated(keys, np.zeros(len(keys), dtype=int)) >= 0).sum() == 5 * 161
    numbers, first = Seen(keys.shape[1]).numbers(keys, add=True)
    assert len(first) == 5 and numbers.tolist() == sorted(numbers.tolist())

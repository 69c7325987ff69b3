"""Systems of networks solved as members of their families."""

from __future__ import annotations

from pathlib import Path

import families
import pytest

from theorylab.counting.homotopy.member import family_of, solve_member
from theorylab.counting.roots import certify
from theorylab.counting.system import critical_system, interpolation_system, system_from_json
from theorylab.model import Dataset, Network


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THEORYLAB_CACHE", str(tmp_path))


@pytest.mark.parametrize("gauge", ["auto", "first"])
def test_all_solutions_of_cubes_in_either_gauge(gauge: str) -> None:
    network = Network.dense((2, 2, 1), "cube")
    system = interpolation_system(network, families.data(2, 1, 4), gauge)
    found = solve_member(system)
    assert found is not None
    generic, instance = found
    roots = certify(system, instance.points)
    # One function; the outgoing weights at 1 leave a third root of unity for each unit.
    assert generic.complete and len(roots) == generic.count == {"auto": 18, "first": 2}[gauge]


def test_critical_points_with_sample_weights_and_their_own_ridge() -> None:
    data = Dataset.from_rows([[1, 2], [3, -1], [2, 5]], [[1, 4], [-2, 1], [3, 0]], [1, "1/2", 3])
    system = critical_system(Network.dense((2, 1, 2), "linear"), data, "generic", seed=4)
    found = solve_member(system, seed=2)
    assert found is not None
    generic, instance = found
    assert generic.complete and generic.seeds == (2, 3)
    assert len(certify(system, instance.points)) == generic.count == 17


def test_special_data_have_fewer_isolated_solutions_and_say_so() -> None:
    """All targets 0: the zero function alone, and weights at infinity or on curves."""
    network = Network.dense((2, 2, 1), "cube")
    data = Dataset.from_rows([[1, 2], [3, 1], [0, 1], [1, 1]], [[0]] * 4)
    system = interpolation_system(network, data)
    found = solve_member(system)
    assert found is not None
    generic, instance = found
    assert generic.count == 18 and not instance.complete
    assert len(certify(system, instance.points)) < 18


def test_systems_without_a_family() -> None:
    network, data = Network.dense((2, 2, 1), "square"), families.data(2, 1, 3)
    assert family_of(system_from_json({"variables": ["x"], "polynomials": ["x^2-2"]})) is None
    assert family_of(interpolation_system(network, families.data(2, 1, 2), slices="auto")) is None
    assert family_of(interpolation_system(network, families.data(2, 1, 2))) is None
    assert family_of(critical_system(network, data)) is None
    assert solve_member(critical_system(network, data)) is None
    assert family_of(interpolation_system(network, data, parametric=True)) is None

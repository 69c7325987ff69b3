"""Parameter homotopies: all solutions of real data sets, each path accounted for."""

from __future__ import annotations

from collections import Counter

import families
import numpy as np
import pytest

from theorylab.counting.homotopy import PathStatus, SimpleEngine
from theorylab.counting.homotopy.engine import clusters
from theorylab.counting.homotopy.monodromy import monodromy
from theorylab.counting.homotopy.parameter import to_instances
from theorylab.counting.homotopy.tracker import Options
from theorylab.counting.roots import certify
from theorylab.outcome import InputError

SMALL = {family.name: family for family in families.small()}
TRIED = [SMALL[name] for name in ("net2(2,2,z^2)", "net2(2,2,z^3)", "deeplin(2,1,2)")]


def drawn(family: families.Family, count: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, len(family.system.parameters)))


@pytest.mark.parametrize("family", TRIED, ids=lambda f: f.name)
def test_all_solutions_of_the_data_are_found_and_certified(family: families.Family) -> None:
    system = family.system
    (instance,) = to_instances(families.counted(family), [system.values])
    assert instance.complete and instance.accounted and not instance.lost
    assert len(instance.points) == family.count
    roots = certify(system.with_values(system.values), instance.points)
    assert len(roots) == family.count and not roots.failures


def test_a_total_degree_run_finds_the_same_solutions() -> None:
    family = SMALL["net2(2,2,z^2)"]
    (instance,) = to_instances(families.counted(family), [family.system.values])
    other = SimpleEngine().solve(family.system.with_values(family.system.values), seed=3)
    both = clusters(np.concatenate([instance.points, other.regular]), 1e-8)
    assert len(other.regular) == 12 and all(len(pair) == 2 for pair in both)
    assert len(both) == 12


@pytest.mark.parametrize("name", ["net2(2,2,z^3)", "deeplin(2,2,2)"])
def test_results_do_not_depend_on_company_or_threads(name: str) -> None:
    family = SMALL[name]
    generic, values = families.counted(family), drawn(family, 4)
    together = to_instances(generic, values, options=Options(threads=2))
    for i, instance in enumerate(together):
        (alone,) = to_instances(generic, values[i : i + 1])
        assert (alone.status, alone.member) == (instance.status, instance.member)
        regular = [s is PathStatus.FINITE for s in alone.status]
        one, other = (found.representatives[regular] for found in (alone, instance))
        assert one.tobytes() == other.tobytes() and sum(regular) > len(regular) / 2


def test_paths_that_fail_are_reported_with_their_reasons() -> None:
    family = SMALL["net2(2,2,z^3)"]
    (instance,) = to_instances(
        families.counted(family), drawn(family, 1), options=Options(max_steps=4)
    )
    assert len(instance.status) == len(instance.reasons) == 15
    assert len(instance.lost) == 15 and not instance.accounted and not instance.complete
    assert all(instance.reasons) and len(instance.points) == 0
    assert set(instance.status) == {PathStatus.FAILED}


def test_a_generic_instance_with_one_orbit_twice_is_noticed() -> None:
    """Two paths to one solution are what a jump leaves: at every instance the second is JUMPED."""
    from dataclasses import replace

    family = SMALL["net2(2,2,z^3)"]
    generic = families.counted(family)
    part = generic.components[0]
    points = part.representatives.copy()
    points[4] = generic.group.images(points[:1])[0, 7]
    twice = replace(generic, components=(replace(part, representatives=points),))
    for instance in to_instances(twice, drawn(family, 3)):
        assert instance.lost == (4,) and instance.status[4] is PathStatus.JUMPED
        assert "path 0" in instance.reasons[4]
        assert len(instance.points) == 14 * 18


def test_refusals() -> None:
    family = SMALL["net3(3)"]
    with pytest.raises(InputError, match="parameters"):
        to_instances(families.counted(family), [[1, 2, 3]])
    with pytest.raises(InputError, match="whole=True"):
        to_instances(monodromy(family.system, whole=False), drawn(family, 1))
    assert to_instances(families.counted(family), []) == ()


@pytest.mark.slow
def test_no_jump_in_a_hundred_thousand_paths() -> None:
    counts: Counter[PathStatus] = Counter()
    for name, sets in (("net2(2,2,z^3)", 3500), ("net2(4,2,z^2)", 750), ("net2(3,2,z^3)", 150)):
        family = SMALL[name]
        for instance in to_instances(families.counted(family), drawn(family, sets, 2)):
            counts.update(instance.status)
            assert instance.member == 0 or instance.accounted
    assert sum(counts.values()) == 105_000
    # Random real data come near the discriminant now and then: ill-conditioned, but not lost.
    assert counts[PathStatus.FINITE] + counts[PathStatus.SINGULAR] == 105_000
    assert counts[PathStatus.SINGULAR] <= 50

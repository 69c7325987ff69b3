"""The rung of the generic count: complete at ``numeric``, only by two seeds and the trace test."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from theorylab.counting import completeness
from theorylab.counting.completeness import RootCount, count
from theorylab.counting.homotopy.member import solve_member
from theorylab.counting.system import PolynomialSystem, critical_system, interpolation_system
from theorylab.model import Dataset, Network
from theorylab.outcome import Assurance

CUBES = Dataset.from_rows([[1, 2], [3, 1], [0, 1], [1, 1]], [[1], [0], [2], [1]])


def cubes() -> PolynomialSystem:
    return interpolation_system(Network.dense((2, 2, 1), "cube"), CUBES)


@pytest.fixture(autouse=True)
def _no_exact_algebra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completeness._Counting, "_exact", lambda self, certified: None)
    monkeypatch.setattr(completeness._Counting, "_climb", lambda self: None)


def counted(made: PolynomialSystem, **options: Any) -> RootCount:
    return count(made, kernel=False, **options)


def test_two_seeds_and_the_trace_test_complete_a_count() -> None:
    found = counted(cubes())
    assert (found.certified, found.upper, found.complete) == (18, 18, True)
    assert (found.upper_assurance, found.assurance) == (Assurance.NUMERIC, Assurance.NUMERIC)
    assert found.roots_assurance is Assurance.FLINT
    # Two third roots of unity and an exchange of units: 18 settings of one function.
    assert found.orbits == 1
    assert "trace test" in str(found)
    assert "COMPLETE (numeric)" in str(found)


def test_the_kernel_still_tries_to_say_more() -> None:
    found = count(cubes())
    assert (found.certified, found.complete, found.upper_assurance) == (18, True, Assurance.KERNEL)


def test_many_paths_are_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completeness, "_FAMILY_PATHS", 80)
    found = counted(cubes())
    assert (found.engine, found.runs, found.certified) == ("monodromy", (0, 1), 18)
    assert found.complete


def test_engines_asked_for_by_name_are_not_helped() -> None:
    found = counted(cubes(), engine="simple")
    assert (found.certified, found.complete) == (18, False)


def lied(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> RootCount:
    """The count when the generic member or the run to the instance is not what it was."""

    def lying(*args: Any, **options: Any) -> Any:
        found = solve_member(*args, **options)
        assert found is not None
        generic, instance = found
        first, *others = generic.components
        parts = {k: v for k, v in changes.items() if k in ("residual", "note")}
        rest = {k: v for k, v in changes.items() if k not in (*parts, "dropped")}
        generic = replace(generic, components=(replace(first, **parts), *others), **rest)
        if "dropped" in changes:
            rows = instance.representatives.copy()
            rows[0] = np.nan
            instance = replace(instance, representatives=rows)
        return generic, instance

    monkeypatch.setattr(completeness, "_FAMILY_PATHS", 0)
    monkeypatch.setattr(completeness, "solve_member", lying)
    return counted(cubes())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"agreed": False, "reasons": ("seed 0 finds 18, seed 1 12",)}, "seed 1 12"),
        ({"seeds": (0,)}, "is open"),
        ({"residual": 1e-3}, "trace test to 1e-03 only"),
        ({"note": "a component is missing"}, "a component is missing"),
    ],
    ids=["seeds that disagree", "one seed", "a failed trace", "an open end"],
)
def test_without_all_of_its_evidence_a_generic_count_bounds_nothing(
    changes: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = lied(monkeypatch, **changes)
    assert (found.certified, found.complete, found.orbits) == (18, False, None)
    assert found.upper == 81
    assert words in str(found)


def test_an_instance_that_lost_solutions_is_not_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    found = lied(monkeypatch, dropped=True)
    assert (found.certified, found.upper, found.complete) == (0, 18, False)


def test_special_data_have_fewer_and_say_so() -> None:
    zero = Dataset.from_rows([[1, 2], [3, 1], [0, 1], [1, 1]], [[0]] * 4)
    found = counted(interpolation_system(Network.dense((2, 2, 1), "cube"), zero))
    assert found.certified < 18
    assert (found.upper, found.complete) == (18, False)


def test_critical_points_with_a_ridge_for_each_weight() -> None:
    data = Dataset.from_rows([[2]], [[3]])
    found = counted(critical_system(Network.dense((1, 1, 1, 1), "linear"), data, "generic"))
    assert (found.certified, found.certified_real, found.complete) == (17, 9, True)
    assert found.upper_assurance is Assurance.NUMERIC

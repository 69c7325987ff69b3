"""The family of a system must have its gauge: what an adversarial scan of small networks found.

For 2-1-1-1 square with w1_1_1 = w2_1_1 = 1 ("first") the generic count was that of "auto", where
w1_1_1 = w3_1_1 = 1 and the scalings leave a group of order 2: "8 solutions, COMPLETE (numeric)" of
a system that has 4, and none of the eight end points solved it. The templates of the two, (1, 0,
1, x1, ..) and (1, 0, x1, 1, ..), had been compared, and unknown number 1 is equal to a 1.
"""

from __future__ import annotations

import pytest

from theorylab.counting import completeness
from theorylab.counting.homotopy.member import family_of, solve_member
from theorylab.counting.system import interpolation_system
from theorylab.model import Dataset, Network

NETWORK = Network.dense((2, 1, 1, 1), "square")
DATA = Dataset.from_rows([[1, 2], [3, -1]], [[2], [5]])


@pytest.mark.parametrize("gauge", ["auto", "first", "bias"])
def test_the_family_has_the_unknowns_and_the_gauge_of_the_system(gauge: str) -> None:
    system = interpolation_system(NETWORK, DATA, gauge)
    family = family_of(system)
    assert family is not None
    assert (family.variables, family.gauge) == (system.variables, system.gauge)


def test_the_generic_count_is_of_the_gauge_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("THEORYLAB_CACHE", "")
    system = interpolation_system(NETWORK, DATA, "first")
    found = solve_member(system)
    assert found is not None
    generic, instance = found
    assert (generic.count, generic.complete, instance.points.shape) == (4, True, (4, 2))
    assert abs(system.evaluate(instance.points)).max() < 1e-9
    monkeypatch.setattr(completeness, "_FAMILY_PATHS", 0)
    counted = completeness.count(system, kernel=False)
    assert (counted.certified, counted.upper, counted.complete) == (4, 4, True)

"""What ENGINES A4 says of network systems, each a way to a wrong count.

The origin is a critical point that the torus misses; bounds overshoot; a bound met in floating
point proves nothing; phc crashes on the exact zero that the origin is (ENGINES A1).
"""

from __future__ import annotations

import pytest
from regressions.counted import count, honest, need

from theorylab.counting import completeness
from theorylab.counting.bounds import STABLE, Bound
from theorylab.counting.system import critical_system
from theorylab.model import Dataset, Network
from theorylab.outcome import Assurance

DATUM = Dataset.from_rows([[2]], [[3]])


@pytest.mark.parametrize(("activation", "affine"), [("linear", 5), ("square", 9)])
def test_the_origin_is_counted_in_affine_space_and_not_in_the_torus(
    activation: str, affine: int
) -> None:
    made = critical_system(Network.dense((1, 1, 1), activation), DATUM, "generic")
    whole, torus = count(made), count(made, domain="torus")
    assert (whole.certified, whole.complete) == (affine, True)
    assert torus.complete
    assert torus.certified < whole.certified
    assert whole.roots is not None
    assert any(max(abs(z) for z in point) < 1e-12 for point in whole.roots.points)


def test_a_bkk_number_that_is_met_does_not_make_a_count_complete(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = critical_system(Network.dense((1, 1, 1, 1), "linear"), DATUM, "generic")
    seventeen = Bound("stable bkk", 17, "affine", STABLE, Assurance.NUMERIC)
    monkeypatch.setattr(completeness, "mixed_volumes", lambda *a, **k: (seventeen, seventeen))
    monkeypatch.setattr(completeness._Counting, "_exact", lambda self, certified: None)
    monkeypatch.setattr(completeness, "solve_member", lambda *a, **k: None)
    found = count(made, kernel=False)
    assert (found.certified, found.bounds.bkk, found.complete) == (17, 17, False)
    assert "phc computes it in floating point" in str(found)


def test_a_common_ridge_has_a_circle_of_solutions_and_a_rank() -> None:
    found = count(critical_system(Network.dense((1, 2, 1), "linear"), DATUM, 1))
    assert (found.dimension, found.complete) == (1, False)
    assert found.component is not None
    assert found.component.rank == 3
    assert "with_slices(1)" in str(found)


@pytest.mark.slow
def test_the_crash_of_phc_on_the_origin_is_survived() -> None:
    need("phc", "msolve")
    made = critical_system(Network.dense((1, 2, 1), "cube"), DATUM, "generic")
    found = count(made, engine="phc")
    honest(found, 73)
    assert found.upper == 73
    assert found.certified >= 72

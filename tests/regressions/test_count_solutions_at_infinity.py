"""Solutions at infinity: paths that go there are no solutions, and finite ones are not taken
for them, however far away they are.

ENGINES B4: a finite root with small x0^d looks infinite; 944 of 1080 once.
"""

from __future__ import annotations

import pytest
from regressions.counted import count, honest, of, system, without_exact_algebra
from zoo import parallel_circles


def test_all_of_them_at_infinity() -> None:
    found = count(of(parallel_circles()))
    assert (found.certified, found.upper, found.complete, found.dimension) == (0, 0, True, -1)


@pytest.mark.parametrize("far", [10**3, 10**6, 10**9, 10**12])
def test_a_finite_one_far_away(far: int) -> None:
    # x y = 1 and (x - far) (y - 1) = 0: (far, 1/far) and (1, 1); two more are at infinity.
    found = count(system("x y", "x*y-1", f"(x-{far})*(y-1)"))
    assert (found.certified, found.certified_real, found.complete) == (2, 2, True)


@pytest.mark.parametrize("far", [10**3, 10**6, 10**9, 10**12])
def test_without_exact_algebra_it_may_be_lost_and_then_it_is_said(
    far: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_exact_algebra(monkeypatch)
    honest(count(system("x y", "x*y-1", f"(x-{far})*(y-1)")), 2)


def test_a_cubic_with_a_vanishing_leading_coefficient() -> None:
    found = count(system("x", "1/10^30*x^3+x-1"))
    assert (found.certified, found.certified_real, found.complete) == (3, 1, True)

"""y (x - y) at x = 5: a regular root at the origin, which homotopies of the coefficients lose.

HomotopyContinuation.jl issue 647, 2025-06-16, "Losing regular solutions": of the two solutions the
one at the origin is not tracked.
"""

from __future__ import annotations

from regressions.counted import count, of, system
from zoo import regular_root_at_the_origin


def test_both_roots_are_there() -> None:
    found = count(system("y", "y*(5-y)"))
    assert (found.certified, found.certified_real, found.complete) == (2, 2, True)
    assert found.roots is not None
    assert any(abs(point[0]) < 1e-12 for point in found.roots.points)


def test_the_torus_leaves_the_origin_out_and_no_more() -> None:
    found = count(system("y", "y*(5-y)"), domain="torus")
    assert (found.certified, found.complete) == (1, True)


def test_in_two_unknowns() -> None:
    known = regular_root_at_the_origin()
    for domain, expected in (("affine", 4), ("torus", 3)):
        found = count(of(known), domain=domain)
        assert (found.certified, found.complete) == (expected, True)

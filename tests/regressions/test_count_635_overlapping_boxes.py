"""x^2 + y^2 / 10^25 = y - 1 = 0: two non-real solutions 6e-13 apart, in disjoint boxes.

HomotopyContinuation.jl issue 635, 2025-04-08, "Certified intervals for distinct solutions seem to
overlap": two solutions are called distinct though both boxes hold the point (0, 1).
"""

from __future__ import annotations

from regressions.counted import count, system

from theorylab.counting.roots import Realness, certify

CLOSE = system("x y", "x^2+1/10^25*y^2", "y-1")
GIVEN = [
    [-3.399609423161143e-28 + 3.1622776601683797e-13j, 1],
    [4.0326928841388684e-28 - 3.1622776601683797e-13j, 1],
]


def test_the_boxes_of_the_reported_candidates_are_disjoint() -> None:
    found = certify(CLOSE, GIVEN)
    assert (len(found), found.count(Realness.NOT_REAL)) == (2, 2)
    one, other = (root.balls() for root in found.roots)
    assert not one[0].overlaps(other[0])
    assert not any(root.balls()[0].contains(0) for root in found.roots)


def test_the_count_is_complete() -> None:
    found = count(CLOSE)
    assert (found.certified, found.certified_real, found.complete) == (2, 0, True)

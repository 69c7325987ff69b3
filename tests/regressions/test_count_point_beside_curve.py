"""Isolated points beside components of positive dimension: a lower bound, a dimension, no more.

HomotopyContinuation.jl issues 423 (32,583 "singular solutions" were a component) and 545.
"""

from __future__ import annotations

import pytest
from regressions.counted import count, of, system
from zoo import point_and_curve


def test_the_origin_beside_a_hyperbola() -> None:
    found = count(of(point_and_curve()))
    assert (found.certified, found.dimension, found.complete) == (1, 1, False)
    assert found.upper is not None
    assert found.upper > 1
    assert found.component is not None
    # A line meets the hyperbola in two points; there the gradient of x y - 1 is not zero.
    assert (found.component.slices, found.component.points, found.component.rank) == (1, 2, 1)
    assert "with_slices(1)" in str(found)


def test_a_surface_with_a_line_and_a_point_beside_it() -> None:
    factor = "(x^2+y^2+z^2-1)"
    made = system("x y z", f"{factor}*(x-2)", f"{factor}*(y-2)*(z-x)", f"{factor}*(z-3)")
    found = count(made)
    assert (found.certified, found.dimension, found.complete) == (1, 2, False)
    assert found.component is not None
    assert (found.component.slices, found.component.points, found.component.rank) == (2, 2, 1)


def test_a_double_line_has_no_rank_at_all() -> None:
    # HomotopyContinuation.jl issue 545: J2 = (a1^2 - a2, a3^2), a curve of multiplicity two.
    found = count(system("a1 a2 a3", "a1^2-a2", "a3^2"))
    assert (found.certified, found.upper, found.dimension) == (0, 0, 1)
    assert found.component is not None
    assert (found.component.points, found.component.rank) == (2, 1)
    square = count(system("a1 a2 a3", "a1^2-a2", "a3^2", "a1*a3^2"))
    assert (square.dimension, square.complete) == (1, False)
    assert square.component is not None
    assert (square.component.points, square.component.rank) == (2, 1)


@pytest.mark.parametrize("domain", ["affine", "torus"])
def test_a_slice_makes_the_points_countable(domain: str) -> None:
    found = count(of(point_and_curve()).with_slices(1), domain=domain)
    assert (found.certified, found.complete, found.dimension) == (2, True, 0)

"""Drawings of certificates: what is drawn lies where the exact numbers say."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest

from theorylab.evidence import checked
from theorylab.report.html.paths import drawn, path_profile, step_function
from theorylab.topology.profile import Profile

PROOFS = Path(__file__).parents[2] / "proofs"


def points(svg: str, look: str) -> list[tuple[float, float]]:
    found = re.search(rf'<polyline points="([^"]*)" class="{look}"', svg)
    assert found is not None
    return [(float(x), float(y)) for x, y in (p.split(",") for p in found[1].split())]


def level(svg: str) -> float:
    found = re.search(r'y1="([\d.]+)"[^>]*class="tl-level"', svg)
    assert found is not None
    return float(found[1])


@pytest.mark.parametrize(
    ("name", "logarithmic"),
    [
        ("deep-linear-connected/iris-4-6-5-3", True),
        ("linear-ridge-connected/iris-4-4-3", False),
        ("linear-ridge-connected/tiny-1-2-1", False),
        ("relu-asymptotic-connectedness/iris-petal-length-1-60-1", False),
    ],
)
def test_the_path_stays_below_the_level_and_the_straight_line_does_not(
    name: str, logarithmic: bool
) -> None:
    found = checked(name, (PROOFS / f"{name}.json").read_bytes())
    svg = drawn(found)
    assert svg is not None and ("loss, log" in svg) is logarithmic
    assert found.profile is not None and found.profile.level is not None
    at = level(svg)
    # downwards on a screen is less loss
    assert min(y for _, y in points(svg, "tl-curve")) >= at - 0.05
    assert min(y for _, y in points(svg, "tl-straight")) < at - 3
    assert {x for x, _ in points(svg, "tl-curve")} >= {66.0, 446.0}
    assert len(points(svg, "tl-curve")) == len(found.profile.path)
    assert all(
        0 <= y <= 176 for look in ("curve", "straight") for _, y in points(svg, f"tl-{look}")
    )


def test_a_descent_goes_down() -> None:
    raw = (PROOFS / "deep-linear-descent/iris-filling-4-6-5-3.json").read_bytes()
    svg = drawn(checked("d", raw))
    assert svg is not None and "tl-level" not in svg and "loss along the descent" in svg
    heights = [y for _, y in points(svg, "tl-curve")]
    assert heights == sorted(heights) and heights[0] < heights[-1]


def test_extreme_losses_are_drawn_all_the_same() -> None:
    huge = Fraction(10) ** 400
    zero = Fraction(0)
    one = Fraction(1)
    for path, line, u in (
        (((zero, huge), (one, huge)), ((zero, huge), (one, huge)), huge),
        (((zero, zero), (one, zero)), ((zero, zero), (one, zero)), zero),
        (((zero, zero), (one, zero)), ((zero, zero), (Fraction(1, 2), one), (one, zero)), zero),
        (((zero, huge), (one, zero)), (), None),
        (((zero, one), (one, one)), (), None),
        (((zero, one), (one, zero)), ((zero, one), (Fraction(1, 2), huge), (one, zero)), one),
    ):
        svg = path_profile(Profile(path, line, 1, u))
        assert "nan" not in svg and "inf" not in svg
        assert all(0 <= y <= 176 for _, y in points(svg, "tl-curve"))


def test_a_table_of_levels_is_drawn_as_steps() -> None:
    table = [(Fraction(1), 1), (Fraction(4), 2), (Fraction(5), 1)]
    svg = step_function(table)
    corners = points(svg, "tl-curve")
    heights = [y for _, y in corners]
    assert len(set(heights)) == 3 and heights[1] == heights[-1] > heights[3]
    assert 'aria-label="components of {L &lt;= u}: 1 from 1, 2 from 4, 1 from 5"' in svg
    raw = (PROOFS / "relu-level-tree/unit-1-1-1.json").read_bytes()
    found = drawn(checked("t", raw))
    assert found is not None and "components of" in found


def test_other_certificates_and_rejected_ones_have_no_drawing() -> None:
    raw = (PROOFS / "deep-linear-connected/thin-1-1-1.json").read_bytes()
    assert drawn(checked("a", raw)) is None
    path = (PROOFS / "linear-ridge-connected/tiny-1-2-1.json").read_bytes()
    assert drawn(checked("b", path.replace(b'"u":"1"', b'"u":"1/2"'))) is None

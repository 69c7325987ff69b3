"""Drawings by hand: what is drawn where, read back from the SVG itself."""

from __future__ import annotations

from fractions import Fraction
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theorylab.report.html.drawings import histogram, interval, level_function

SVG = "{http://www.w3.org/2000/svg}"
BRACKETS = (
    [(Fraction(1), 1), (Fraction(4), 2), (Fraction(5), 1)],
    [(0, Fraction(1)), (1, Fraction(4))],
    [(Fraction(5), 0, (1,))],
)


def parts(drawing: str, tag: str, look: str = "") -> list[ElementTree.Element]:
    whole = ElementTree.fromstring(drawing)
    assert whole.attrib["role"] == "img" and whole.attrib["aria-label"]
    found = whole.iter(f"{SVG}{tag}")
    return [
        element for element in found if look in (element.get("class") or "").split() or not look
    ]


def inside(drawing: str) -> bool:
    """Whether every line, box and dot lies in the frame."""
    whole = ElementTree.fromstring(drawing)
    _, _, width, height = map(float, whole.attrib["viewBox"].split())
    for element in whole.iter():
        for names, most in ((("x", "x1", "x2", "cx"), width), (("y", "y1", "y2", "cy"), height)):
            for name in names:
                if not -0.1 <= float(element.get(name, "0")) <= most + 0.1:
                    return False
    return True


def test_a_histogram_has_bars_as_high_as_its_counts() -> None:
    drawing = histogram({2: 10, 3: 5, 7: 1}, "zeros", "data sets")
    bars = parts(drawing, "rect", "tl-bar")
    heights = [float(bar.attrib["height"]) for bar in bars]
    assert heights == [pytest.approx(130), pytest.approx(65), pytest.approx(13)]
    assert [bar.findtext(f"{SVG}title") for bar in bars] == ["2: 10", "3: 5", "7: 1"]
    places = [float(bar.attrib["x"]) for bar in bars]
    # the empty places between 3 and 7 are kept
    assert places[2] - places[1] == pytest.approx(4 * (places[1] - places[0]))
    assert "zeros; data sets: 2: 10, 3: 5, 7: 1" in drawing
    assert inside(drawing)


@given(st.dictionaries(st.integers(0, 300), st.integers(1, 500), min_size=1, max_size=60))
def test_every_histogram_fits_its_frame(counted: dict[int, int]) -> None:
    drawing = histogram(counted, "zeros", "data sets")
    assert len(parts(drawing, "rect", "tl-bar")) == len(counted)
    assert inside(drawing)


def test_a_level_function_shows_births_meetings_and_numbers() -> None:
    drawing = level_function(*BRACKETS)
    low, spurious = parts(drawing, "circle", "tl-global"), parts(drawing, "circle", "tl-spurious")
    assert len(low) == len(spurious) == 1
    assert float(low[0].attrib["cy"]) > float(spurious[0].attrib["cy"])  # the minimum is lowest
    assert [text.text for text in parts(drawing, "text", "tl-strong")] == ["1", "2", "1"]
    (curve,) = parts(drawing, "polyline", "tl-curve")
    corners = [tuple(map(float, pair.split(","))) for pair in curve.attrib["points"].split()]
    start = corners[0][0]
    widths = {round(x - start) for x, _ in corners}
    assert widths == {0, 80, 160}  # 1 component is half of 2
    heights = [y for _, y in corners]
    assert heights == sorted(heights, reverse=True)
    marks = {text.text for text in parts(drawing, "text")}
    assert {"1", "4", "5"} <= marks
    assert "1 from 1, 2 from 4, 1 from 5" in drawing
    assert inside(drawing)


def test_a_level_function_of_many_leaves_leaves_the_tree_out() -> None:
    births = [(i, Fraction(i)) for i in range(100)]
    merges = [(Fraction(200), 0, tuple(range(1, 100)))]
    steps = [*((Fraction(i), i + 1) for i in range(100)), (Fraction(200), 1)]
    drawing = level_function(steps, births, merges)
    assert not parts(drawing, "circle") and inside(drawing)
    assert "and 89 more" in drawing


def test_one_component_at_every_level() -> None:
    drawing = level_function([(Fraction(0), 1)], [(0, Fraction(0))], [])
    assert len(parts(drawing, "circle")) == 1 and inside(drawing)


@given(
    st.floats(-1e6, 1e6),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.booleans(),
    st.booleans(),
)
def test_an_estimate_lies_on_its_interval(
    effect: float, below: float, above: float, low_open: bool, high_open: bool
) -> None:
    low, high = None if low_open else effect - below, None if high_open else effect + above
    drawing = interval(effect, low, high)
    (dot,) = parts(drawing, "circle")
    bar = parts(drawing, "line", "tl-curve")[0]
    x = float(dot.attrib["cx"])
    assert float(bar.attrib["x1"]) - 0.1 <= x <= float(bar.attrib["x2"]) + 0.1
    assert len(parts(drawing, "line", "tl-curve")) == 3 - low_open - high_open
    assert inside(drawing)


def test_zero_is_marked_where_it_lies_in_the_interval() -> None:
    within, beside = interval(0.2, -0.1, 0.3), interval(0.2, 0.1, 0.3)
    assert parts(within, "line", "tl-rule") and not parts(beside, "line", "tl-rule")
    assert "effect 0.2, interval 0.1 to 0.3" in beside
    assert "interval open to 0.3" in interval(0.2, None, 0.3)

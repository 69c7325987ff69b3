"""Known counterexamples, none of them written down in the package, found and shrunk to this."""

from __future__ import annotations

from typing import Any

import pytest

from theorylab import kernel
from theorylab.falsify import Refutation, falsify
from theorylab.falsify.sharpness import in_short

ONE = "x = 1; y = 1"
LINEAR = ([[["1"]], [["1"]]], [[["-1"]], [["-1"]]])
SQUARE = ([[["1"]], [["1"]]], [[["-1"]], [["1"]]])
SWAPPED = ([[["1"], ["-1"]], [["1", "1"]]], [[["-1"], ["1"]], [["1", "1"]]])

# claim, dropped (None: as printed), the smallest instance, its points A and B
JOINED = [
    ("deep-linear-connected", None, f"1-1-1 linear; {ONE}", LINEAR),
    ("deep-linear-connected", "wide", f"1-1-1 linear; {ONE}", LINEAR),
    ("deep-linear-connected", "linear", "1-2-1 relu; x = 1 -1; y = 1 1", SWAPPED),
    ("any-depth-connected", "wide", f"1-1-1 linear; {ONE}", LINEAR),
    ("quadratic-connected", "wide", f"1-1-1 square; {ONE}", SQUARE),
    ("scalar-quadratic-connected", "wide", f"1-1-1 square; {ONE}", SQUARE),
]


def smallest(name: str, drop: str | None, seed: int = 0) -> tuple[str, dict[str, Any]]:
    found = falsify(name, drop, as_stated=drop is None, seed=seed)
    assert isinstance(found, Refutation), found
    assert isinstance(kernel.check(found.certificate_bytes), kernel.Refuted)
    return in_short(found.instance), found.instance.conclusion


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("name", "drop", "instance", "points"), JOINED)
def test_a_separated_pair_is_shrunk_to_this(
    name: str, drop: str | None, instance: str, points: tuple[object, object], seed: int
) -> None:
    found, conclusion = smallest(name, drop, seed)
    assert found == instance
    assert (conclusion["A"], conclusion["B"], conclusion["u"]) == (*points, "0")


def test_the_printed_sum_of_corollary_6_is_shrunk_to_two_points() -> None:
    """CLAIMS has X = (1, -1), Y = (4, -2); smaller numbers do."""
    found, conclusion = smallest("polynomial-width", None)
    assert found == "1-1-1 polynomial(1,1); x = 1 -1; y = 0 1"
    assert conclusion["v"] == "0"


@pytest.mark.parametrize("name", ["connected-implies-no-poor-minima", "scalar-quadratic-descent"])
def test_the_weak_minimum_is_shrunk_to_one_point(name: str) -> None:
    found, conclusion = smallest(name, None)
    assert found == f"1-2-1 square; {ONE}"
    assert conclusion["A"] == [[["0"], ["0"]], [["-1", "-1"]]]


def test_one_unit_on_two_axes_has_a_spurious_valley() -> None:
    """E4 of the notes on scalar quadratic networks, with labels 2 and -1, is as small."""
    found, conclusion = smallest("scalar-quadratic-descent", "wide")
    assert found == "2-1-1 square; x = (1, 0) (0, 1); y = 1 -2"
    assert conclusion["A"] == [[["1", "0"]], [["1"]]]


def test_a_span_path_of_numbers_passes_zero() -> None:
    found, conclusion = smallest("span-path", "wider")
    assert found.startswith("1-1 linear")
    assert (conclusion["A"], conclusion["B"]) == ([[["1"]]], [[["-1"]]])


def test_one_weight_shared_by_a_linear_network_has_a_poor_minimum() -> None:
    """L = (w^3 + w^2 - 1)^2 at w = -2/3."""
    found, conclusion = smallest("deep-linear-local-minima", "dense")
    assert found == f"1-1-2-1 linear, masked or tied; {ONE}"
    assert conclusion["A"][0] == [["-2/3"]]


@pytest.mark.slow
def test_vector_outputs_need_more_than_rank_x_plus_one_units() -> None:
    """p = 3 = rank X + 1 = q: three targets tell the units apart."""
    found, _ = smallest("scalar-quadratic-connected", "scalar-output")
    assert found == "2-3-3 square; x = (1, 1) (1, 0) (0, 1); y = (1, 0, 0) (0, 0, 1) (0, 1, 0)"


@pytest.mark.slow
def test_a_ridge_on_one_unit_alone_disconnects() -> None:
    found, _ = smallest("linear-ridge-connected", "common-lambda")
    # either unit may be the one that pays
    either = (f"1-2-1 linear, ridge {ridge}; {ONE}" for ridge in ("1, 0, 1, 0", "0, 1, 0, 1"))
    assert found in either

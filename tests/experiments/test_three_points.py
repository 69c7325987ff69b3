"""Three-point interpolation: the grid, means and areas in closed form, planted and swapped arms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from theorylab.experiments.run import Result, load_result, run
from theorylab.experiments.studies.three_points import (
    THREE_POINTS,
    ThreePointConfig,
    area_of,
    mean_of_three,
    simplex,
)
from theorylab.experiments.table import Table
from theorylab.outcome import InputError

TINY = ThreePointConfig(
    data=("digits",), train=60, triples=2, triples_at_once=1, width=16, steps=400, batch=20,
    rate=0.05, stop_loss=0.1, grid=4,
)  # fmt: skip


@pytest.fixture(scope="module")
def kept() -> Result:
    return load_result(Path(__file__).parent / "tables" / THREE_POINTS.name)


def words(result: Result, table: Table) -> dict[str, str]:
    judged = THREE_POINTS.judged(result.config, table)
    return {reading.variant: observed.outcome for reading, observed in judged}


@pytest.mark.parametrize("grid", [3, 6, 18])
def test_the_grid_fills_the_triangle_and_keeps_its_corners(grid: int) -> None:
    places = simplex(grid)
    assert len(places) == (grid + 1) * (grid + 2) // 2 == len({tuple(p) for p in places.tolist()})
    assert np.allclose(places.sum(1), 1)
    assert (places >= 0).all()
    assert (places.max(1) == 1).sum() == 3


def test_means_and_areas_of_a_right_triangle() -> None:
    corners = [
        (torch.tensor([[[0.0]], [[1.0]]]), torch.tensor([[[0.0]], [[1.0]]])),
        (torch.tensor([[[3.0]], [[1.0]]]), torch.tensor([[[0.0]], [[1.0]]])),
        (torch.tensor([[[0.0]], [[1.0]]]), torch.tensor([[[4.0]], [[1.0]]])),
    ]
    middle = mean_of_three(corners, np.full(3, 1 / 3))
    assert middle[0][0].item() == pytest.approx(1.0)
    assert middle[1][0].item() == pytest.approx(4 / 3)
    assert middle[0][1].item() == pytest.approx(1.0)
    assert area_of(corners, 0) == pytest.approx(6.0)
    assert area_of(corners, 1) == 0.0


def test_swapped_arms_turn_the_word(kept: Result) -> None:
    assert words(kept, kept.table)["printed"] == "consistent"
    swap = {"natural": "random", "random": "natural"}
    swapped = kept.table.replaced("arm", [swap[str(row["arm"])] for row in kept.table])
    assert words(kept, swapped)["printed"] == "inconsistent"


def test_equal_triangles_make_share_and_area_one(kept: Result) -> None:
    equal = kept.table.replaced("area", [100.0] * len(kept.table))
    found = words(kept, equal)
    assert found["area"] == found["printed"] == "consistent"


def test_a_net_above_the_loss_or_arms_apart_shut_the_gates(kept: Result) -> None:
    losses = kept.table.column("worst_loss")
    losses[0] = 0.02
    assert set(words(kept, kept.table.replaced("worst_loss", losses)).values()) == {"undecided"}
    natural = np.array([row["arm"] == "natural" for row in kept.table])
    logs = kept.table.column("mean_log_loss") - natural
    assert set(words(kept, kept.table.replaced("mean_log_loss", logs)).values()) == {"undecided"}


def test_a_region_of_no_size_is_counted(kept: Result) -> None:
    natural = [0.0 if row["arm"] == "natural" else row["flat"] for row in kept.table]
    assert words(kept, kept.table.replaced("flat", natural))["printed"] == "inconsistent"


def test_a_tiny_run_is_pure_and_starts_at_minima() -> None:
    first, again = run(TINY), run(TINY)
    assert first.table == again.table
    assert len(first.table) == 4
    corners = simplex(TINY.grid).max(1) == 1
    for errors in first.arrays.values():
        assert (errors[corners] <= 0.1).all()
    # corners are flat in any case: they do not count
    for arm in ("natural", "random"):
        errors = np.concatenate([a for key, a in first.arrays.items() if f"arm={arm}" in key], 1)
        flat = (errors[~corners] <= TINY.level + 1e-6).mean(0)
        assert first.table.where(arm=arm).column("flat") == pytest.approx(flat)
    together = run(replace(TINY, triples_at_once=2))
    assert together.table == first.table
    assert first.figure().axes


def test_impossible_configurations_are_refused() -> None:
    with pytest.raises(InputError, match="grid"):
        ThreePointConfig(grid=2)

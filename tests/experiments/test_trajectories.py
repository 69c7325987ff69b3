"""Trajectories: scaling against known planes, branches without noise, planted effects."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.manifold import ClassicalMDS

from theorylab.experiments.data import load_dataset
from theorylab.experiments.experiment import Measurements
from theorylab.experiments.networks.ensemble import Descent, train_ensemble
from theorylab.experiments.networks.model import Perceptron, paper_network
from theorylab.experiments.run import Result, load_result, run
from theorylab.experiments.studies.mds import cosine_distances, plane
from theorylab.experiments.studies.trajectories import TRAJECTORY_BASINS
from theorylab.experiments.studies.trajectory_runs import (
    TrajectoryConfig,
    branch_row,
    image_shape,
    measure,
    parts,
    perturbed,
)
from theorylab.experiments.table import Table
from theorylab.outcome import InputError

SAVED = Path(__file__).parent / "tables" / "trajectory-basins"
TINY = TrajectoryConfig(
    train=60, hidden=(8, 8), descents=3, branched=2, branched_at_once=2, epochs=20,
    branches=(0, 4, 10), noises=(0.25, 1.0), draws=(1, 2), trajectories=2,
    trajectories_at_once=2, stages=3, stage_epochs=1, batch=30, late=10,
)  # fmt: skip


@pytest.fixture(scope="module")
def saved() -> Result:
    return load_result(SAVED)


def outcomes(saved: Result, table: Table) -> dict[str, str]:
    return {r.variant: o.outcome for r, o in TRAJECTORY_BASINS.judged(saved.config, table)}


def changed(table: Table, column: str, cell: object, **where: object) -> Table:
    """The table with this cell in the rows that are so."""
    return table.replaced(
        column,
        [cell if all(r[k] == v for k, v in where.items()) else r[column] for r in table],
    )


def test_the_plane_of_plane_points_has_their_distances() -> None:
    points = np.random.default_rng(0).standard_normal((20, 2)) * [3.0, 1.0]
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    found, share = plane(distances)
    assert share == pytest.approx(1, abs=1e-9)
    again = np.linalg.norm(found[:, None] - found[None], axis=2)
    assert np.allclose(again, distances, atol=1e-9)  # eigenvectors of a 20 x 20 matrix


def test_the_plane_of_a_simplex_shows_two_of_its_dimensions() -> None:
    distances = 1.0 - np.eye(8)
    assert plane(distances)[1] == pytest.approx(2 / 7, abs=1e-12)


def test_the_plane_is_that_of_scikit_learn() -> None:
    points = np.random.default_rng(1).standard_normal((30, 5))
    distances = cosine_distances(points)
    found, _ = plane(distances)
    other = ClassicalMDS(n_components=2, metric="precomputed").fit_transform(distances)
    signs = np.sign((found * other).sum(0))
    assert np.allclose(found, signs * other, atol=1e-8)  # another solver of the same eigenproblem


def test_directions_that_nearly_agree_keep_their_distance() -> None:
    angle = 1e-9
    points = np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)], [0.0, 0.0]])
    found = cosine_distances(points[:2])[0, 1]
    assert found == pytest.approx(angle**2 / 2, rel=1e-6)
    with pytest.raises(InputError, match="direction"):
        cosine_distances(points)


def test_noise_is_in_deviations_of_each_tensor_and_a_net_has_its_own() -> None:
    model = Perceptron((64, 200, 10))
    weights = model.initial(0, range(3))
    moved = perturbed(0, weights, 0.5, range(3), "test")
    for p, q in zip(weights, moved, strict=True):
        if p.any():
            ratio = (q - p).flatten(1).std(1) / p.flatten(1).std(1)
            # 2,000 and 12,800 draws
            assert torch.allclose(ratio, torch.full((3,), 0.5), atol=0.04)
        else:
            assert torch.equal(p, q)
    alone = perturbed(0, tuple(p[2:] for p in weights), 0.5, [2], "test")
    assert all(torch.equal(p[2], q[0]) for p, q in zip(moved, alone, strict=True))
    still = perturbed(0, weights, 0.0, range(3), "test")
    assert all(map(torch.equal, weights, still))


def still_rows(measured: Measurements, epoch: int) -> list[dict[str, object]]:
    return [dict(r) for r in measured.rows if (r["noise"], r["epoch"]) == (0.0, epoch)]


def test_a_branch_without_noise_at_the_start_is_the_main_run() -> None:
    measured = measure(
        replace(TINY, noises=(0.0, 0.25, 1.0), draws=(1, 1, 1)), "branches nets=0-1", "cpu"
    )
    main = [r for r in measured.rows if r["kind"] == "main"]
    for row, own in zip(still_rows(measured, 0), main, strict=True):
        assert row["middle_error"] == row["worst_middle_error"] == 0
        assert isinstance(row["barrier"], float)
        assert row["barrier"] < 1e-6  # (1 - t) w + t w is w up to the rounding of float32
        assert (row["loss"], row["error"]) == (own["loss"], own["error"])


def test_draws_of_a_branch_are_averaged_and_their_worst_ends_kept() -> None:
    low = dict.fromkeys(
        ("loss", "error", "diverged", "barrier", "error_barrier", "middle_error",
         "worst_middle_error"), 0.0,
    )  # fmt: skip
    high = {**dict.fromkeys(low, 0.5), "diverged": 1.0}
    row = branch_row(3, 1.0, 50, [low, high])
    assert (row["barrier"], row["error_barrier"], row["middle_error"]) == (0.25, 0.25, 0.25)
    assert (row["error"], row["reached"], row["diverged"]) == (0.5, False, True)
    nan = {**low, "barrier": float("nan"), "loss": float("nan")}
    found = Table.of([branch_row(3, 1.0, 50, [low, nan])]).rows[0]
    assert found["barrier"] is found["loss"] is None


def test_a_network_too_narrow_does_not_reach_error_0() -> None:
    config = replace(TINY, hidden=(1,), epochs=400)
    rows = measure(config, "descents nets=2-2", "cpu").rows
    assert [r["reached"] for r in rows] == [False]
    assert isinstance(rows[0]["last"], float)
    assert rows[0]["last"] > 0.8


def test_the_nets_of_a_part_do_not_depend_on_its_other_nets() -> None:
    both = measure(TINY, "stages nets=0-1", "cpu").rows
    alone = measure(TINY, "stages nets=1-1", "cpu").rows
    assert [r for r in both if r["net"] == 1] == list(alone)


def test_what_was_found_is_found(saved: Result) -> None:
    expected = {r.variant: r.expected for r in TRAJECTORY_BASINS.readings}
    assert outcomes(saved, saved.table) == expected


def test_branches_in_reverse_turn_the_word(saved: Result) -> None:
    assert isinstance(saved.config, TrajectoryConfig)
    epochs = saved.config.branches
    turned = dict(zip(epochs, reversed(epochs), strict=True))
    cells = [
        turned[int(r["epoch"] or 0)] if r["kind"] == "branch" else r["epoch"] for r in saved.table
    ]
    found = outcomes(saved, saved.table.replaced("epoch", cells))
    assert found["branching"] == "inconsistent"
    stages = saved.config.stages
    cells = [None if r["stage"] is None else stages + 1 - int(r["stage"]) for r in saved.table]
    assert outcomes(saved, saved.table.replaced("stage", cells))["settling"] == "inconsistent"


@pytest.mark.parametrize(
    ("column", "cell", "where", "variant", "word"),
    [
        ("error_barrier", 0.08, {"noise": 0.25}, "quarter-noise", "consistent"),
        ("reached", False, {"kind": "main"}, "no-local-minimum", "inconsistent"),
        ("slowest", 0.99, {"kind": "main"}, "no-local-minimum", "inconsistent"),
        ("apart", 0.01, {"stage": 7}, "parallel-runs", "inconsistent"),
        ("middle_error", 0.05, {"epoch": 200}, "late-average", "inconsistent"),
        ("strain", 0.4, {"kind": "plane"}, "plane", "inconsistent"),
    ],
)
def test_planted_effects_turn_the_word(
    saved: Result, column: str, cell: object, where: dict[str, object], variant: str, word: str
) -> None:
    table = changed(saved.table, column, cell, **where)
    if column == "reached":
        table = changed(table, "last", 1.0, **where)
    assert outcomes(saved, table)[variant] == word


@pytest.mark.parametrize(
    ("column", "cell", "where", "variants"),
    [
        ("error", 0.2, {"kind": "branch"}, ("branching", "quarter-noise", "late-average")),
        ("reached", False, {"kind": "main"}, ("no-local-minimum",)),
        (
            "diverged", True, {"kind": "main", "net": 3},
            ("no-local-minimum", "branching", "quarter-noise", "late-average"),
        ),
        ("moved", None, {"stage": 2, "net": 1}, ("parallel-runs", "settling", "plane")),
    ],
)  # fmt: skip
def test_gates_that_shut_leave_a_reading_undecided(
    saved: Result, column: str, cell: object, where: dict[str, object], variants: tuple[str, ...]
) -> None:
    # a run that has not reached error 0 but still descends says nothing of local minima
    found = outcomes(saved, changed(saved.table, column, cell, **where))
    assert {found[v] for v in variants} == {"undecided"}
    others = {v: w for v, w in found.items() if v not in variants}
    assert others.items() <= outcomes(saved, saved.table).items()


def test_a_tiny_run_gives_the_same_bytes_twice_and_draws(saved: Result) -> None:
    first, second = run(TINY), run(TINY)
    assert len(parts(TINY)) == 3
    assert json.dumps(list(first.table.rows)) == json.dumps(list(second.table.rows))
    assert first.arrays.keys() == second.arrays.keys()
    assert all(np.array_equal(a, second.arrays[k]) for k, a in first.arrays.items())
    assert len(first.findings) == len(TRAJECTORY_BASINS.readings)
    gone = replace(first, table=changed(first.table, "barrier", None, kind="branch"), arrays={})
    gone.figure().canvas.draw()
    saved.figure().canvas.draw()


@pytest.mark.parametrize(
    "fields",
    [{"epochs": 10}, {"branched": 9, "descents": 8}, {"noises": [0.25, 3.0]},
     {"noises": [1.0, 1.0]}, {"draws": [1]},
     {"model": "transformer"}, {"branches": [0, 1]}, {"stages": 2}, {"late": 11}, {"late": 0}],
)  # fmt: skip
def test_configurations_that_make_no_experiment_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(InputError):
        TrajectoryConfig.from_json({**TINY.to_json(), **fields})


def test_the_papers_network_needs_images() -> None:
    assert image_shape((3, 32, 32)) == (3, 32, 32)
    with pytest.raises(InputError, match="images"):
        image_shape((40,))


@pytest.mark.slow
def test_the_papers_network_trains_as_an_ensemble() -> None:
    model, random = paper_network((1, 28, 28)), np.random.default_rng(0)
    y = torch.tensor(random.integers(10, size=50))
    x = torch.tensor(random.standard_normal((50, 1, 28, 28)), dtype=torch.float32)
    x[torch.arange(50), 0, 2 * y, 3] += 10  # a mark that tells the class
    before = train_ensemble(model, x, y, 2, seed=0, descent=Descent(0.02, 0))
    after = train_ensemble(model, x, y, 2, seed=0, descent=Descent(0.02, 30, batch=25))
    assert not after.diverged.any()
    assert (after.losses < before.losses / 2).all()
    assert (after.errors < before.errors).all()


@pytest.mark.slow
def test_the_parts_of_the_full_budget_start() -> None:
    full = TRAJECTORY_BASINS.config("full")
    assert isinstance(full, TrajectoryConfig)
    try:
        load_dataset(full.data)
    except InputError:
        pytest.skip(f"{full.data} is not installed")
    small = replace(
        full, train=10, epochs=17, branches=(0, 4, 8), noises=(0.25, 1.0), draws=(1, 1), late=8,
        points=3, stages=3, stage_epochs=1, batch=5, branched=2, descents=3,
    )  # fmt: skip
    assert len({part.split()[0] for part in parts(full)}) == 3
    rows = [
        row
        for part in ("branches nets=0-0", "stages nets=0-0", "descents nets=2-2")
        for row in measure(small, part, "cpu").rows
    ]
    assert {row["kind"] for row in rows} == {"main", "branch", "stage", "plane"}
    assert not any(row["diverged"] for row in rows)

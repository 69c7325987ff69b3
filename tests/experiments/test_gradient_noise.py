"""Gradient noise: gradients of single samples, exact moments, and words that read the table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from theorylab.experiments.data.labelled import Labelled, Split
from theorylab.experiments.networks.model import Perceptron, flattened
from theorylab.experiments.run import Result, load_result, run
from theorylab.experiments.studies.gradient_noise import EXPERIMENTS, NAME, NoiseConfig
from theorylab.experiments.studies.sample_gradients import (
    gaussian_rejections,
    isotropic_participation,
    minibatch_noise,
    participation_ratio,
    rejected_share,
    sample_gradients,
)
from theorylab.experiments.table import Table
from theorylab.outcome import InputError

FOLDER = Path(__file__).parent / "tables" / NAME
TINY = NoiseConfig(
    samples=60, nets=3, nets_at_once=2, hidden=(6,), phases=(0, 3, 9), steps=(3, 6, 9),
    directions=8, draws=40, batches=(5, 20),
)  # fmt: skip


@pytest.fixture(scope="module")
def stored() -> Result:
    return load_result(FOLDER)


def words(result: Result, table: Table) -> dict[str, str]:
    judged = result.experiment.judged(result.config, table)
    return {reading.variant: observed.outcome for reading, observed in judged}


def with_cells(table: Table, phase: str, column: str, cell: object) -> Table:
    return table.replaced(column, [cell if row["phase"] == phase else row[column] for row in table])


def test_gradients_of_single_samples_are_those_of_a_loop() -> None:
    model = Perceptron((3, 5, 4))
    weights = model.initial(0, [0], "test", dtype=torch.float64)
    x = torch.randn(7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    y = torch.tensor([0, 1, 2, 3, 0, 1, 2])
    found = sample_gradients(model, weights, x, y)
    for k in range(7):
        alone = flattened(model.gradients(weights, x[k : k + 1], y[k : k + 1])[1])[0]
        assert torch.allclose(found[k], alone, rtol=1e-12, atol=1e-14)
    whole = flattened(model.gradients(weights, x, y)[1])[0]
    assert torch.allclose(found.mean(0), whole, rtol=1e-10, atol=1e-14)


def test_the_participation_ratio_is_that_of_the_eigenvalues() -> None:
    rows = torch.randn(9, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    rows -= rows.mean(0)
    values = torch.linalg.eigvalsh(rows.T @ rows)
    wanted = float(values.sum() ** 2 / values.square().sum())
    assert participation_ratio(rows) == pytest.approx(wanted, rel=1e-12)


def test_isotropic_noise_has_the_participation_ratio_said() -> None:
    rows = torch.randn(200, 300, generator=torch.Generator().manual_seed(3))
    rows -= rows.mean(0)
    assert participation_ratio(rows) == pytest.approx(isotropic_participation(200, 300), rel=0.02)


def test_the_excess_kurtosis_of_a_minibatch_is_that_of_a_sample_over_its_size() -> None:
    one = np.zeros((50, 1))
    one[0], one[1] = 1.0, -1.0
    excess = float(stats.kurtosis(one[:, 0]))
    noise = minibatch_noise(one, 8, 200_000, np.random.default_rng(0))[:, 0]
    assert noise.var() == pytest.approx(one.var() / 8, rel=0.02)
    assert stats.kurtosis(noise) == pytest.approx(excess / 8, rel=0.05)


def test_the_kurtosis_of_a_row_is_that_of_one_sample_over_its_batch() -> None:
    table, (small, large) = run(replace(TINY, nets=2)).table, TINY.batches
    for column in ("coordinate_kurtosis", "projection_kurtosis"):
        one, other = (table.where(batch=b).column(column) * b for b in (small, large))
        assert one == pytest.approx(other, rel=1e-12)


def test_the_test_rejects_its_share_of_gaussians_and_nearly_all_of_the_skewed() -> None:
    source = np.random.default_rng(0)
    assert abs(gaussian_rejections(500).mean() - 0.05) < 0.008
    assert rejected_share(source.exponential(size=(500, 50))) == 1.0


def test_the_words_are_those_expected(stored: Result) -> None:
    assert [f.observed.outcome for f in stored.findings] == [
        "inconsistent", "consistent", "inconsistent", "inconsistent",
    ]  # fmt: skip
    assert stored.config == EXPERIMENTS[NAME].config("ci")


def test_planted_gaussian_noise_turns_the_words(stored: Result) -> None:
    draw = np.random.default_rng(0)
    gaussian, _, _, flat, _ = stored.experiment.nulls
    found = words(stored, gaussian.draw(stored.config, stored.table, draw))
    assert found["printed"] == "consistent"
    assert words(stored, flat.draw(stored.config, stored.table, draw))["isotropic"] != "consistent"
    heavy = with_cells(stored.table, "init", "projections", 0.4)
    assert words(stored, heavy)["projections-at-init"] == "inconsistent"
    constant = with_cells(stored.table, "late", "exponent", 0.0)
    assert words(stored, constant)["constant-temperature"] == "consistent"
    spread = stored.table.replaced("participation", [row["isotropic"] for row in stored.table])
    assert words(stored, spread)["isotropic"] == "consistent"


@pytest.mark.parametrize(
    ("phase", "column", "cell", "shut"),
    [
        ("late", "error", 0.3, ["printed", "constant-temperature", "isotropic"]),
        ("late", "coordinates", None, ["printed", "constant-temperature", "isotropic"]),
        ("init", "coordinates", None, ["projections-at-init"]),
        ("late", "exponent", None, ["constant-temperature"]),
        ("late", "participation", None, ["isotropic"]),
    ],
)
def test_a_shut_gate_leaves_it_undecided(
    stored: Result, phase: str, column: str, cell: object, shut: list[str]
) -> None:
    found = words(stored, with_cells(stored.table, phase, column, cell))
    assert [variant for variant, word in found.items() if word == "undecided"] == shut


def test_nets_have_splits_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[int] = set()
    split = Labelled.split

    def noted(self: Labelled, train: int, validation: int = 0, test: int | None = None,
              seed: int = 0) -> Split:  # fmt: skip
        seen.add(seed)
        return split(self, train, validation, test, seed)

    monkeypatch.setattr(Labelled, "split", noted)
    run(TINY)
    assert len(seen) == TINY.nets


def test_a_run_is_the_same_twice_and_in_groups(tmp_path: Path) -> None:
    one, two = run(TINY), run(replace(TINY, nets_at_once=3))
    assert sorted(map(str, one.table)) == sorted(map(str, two.table))
    first, second = one.save(tmp_path / "a"), run(TINY).save(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    assert one.complete and {f.observed.n for f in one.findings} == {3}
    one.figure()


def test_diverged_networks_stay_and_shut_the_gates() -> None:
    result = run(replace(TINY, rate=1e12, phases=(0, 100, 200), steps=(100, 150, 200), nets=2))
    late = result.table.where(phase="late")
    assert len(late) == 4 and np.isnan(late.column("coordinates")).any()
    assert words(result, result.table)["printed"] == "undecided"
    result.figure()


@pytest.mark.parametrize("wrong", [{"nets": 1}, {"phases": (3, 3, 9)}, {"draws": 5}])
def test_impossible_configurations_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        replace(TINY, **wrong)  # type: ignore[arg-type]


def test_the_figure_has_its_three_panels(stored: Result) -> None:
    quantiles, rejections, power = stored.figure().axes
    assert len(quantiles.lines) == 4 and power.get_xscale() == "log"
    assert "Gaussian: 5 %" in [line.get_label() for line in rejections.lines]

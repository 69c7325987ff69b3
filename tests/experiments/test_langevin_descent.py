"""SGDL against SGD: pairs differ by the noise alone, and planted gains turn the words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from theorylab.experiments.data.labelled import Labelled, Split
from theorylab.experiments.run import Result, load_result, run
from theorylab.experiments.studies.langevin_descent import (
    EXPERIMENTS,
    NAME,
    DescentConfig,
    gains,
    picked_noise,
)
from theorylab.experiments.table import Table
from theorylab.outcome import InputError

FOLDER = Path(__file__).parent / "tables" / NAME
TINY = DescentConfig(
    train=60, validation=20, pairs=3, pairs_at_once=2, hidden=(6,), steps=4, batch=10
)


@pytest.fixture(scope="module")
def stored() -> Result:
    return load_result(FOLDER)


def words(result: Result, table: Table) -> dict[str, str]:
    judged = result.experiment.judged(result.config, table)
    return {reading.variant: observed.outcome for reading, observed in judged}


def moved(table: Table, noise: float, gain: float, column: str = "test") -> Table:
    """The table with the accuracies at a noise higher by so much."""
    return table.replaced(
        column,
        [float(row[column] or 0) + gain * (row["noise"] == noise) for row in table],
    )


def test_the_words_are_those_expected(stored: Result) -> None:
    assert all(finding.expected for finding in stored.findings)
    assert stored.config == EXPERIMENTS[NAME].config("ci")


def test_planted_gains_turn_the_words(stored: Result) -> None:
    config = stored.config
    assert isinstance(config, DescentConfig)
    best = picked_noise(config, stored.table)
    better = words(stored, moved(stored.table, best, 0.02))
    assert better["printed"] == "consistent"
    assert words(stored, moved(stored.table, 1e-4, -0.03))["as-well"] == "inconsistent"
    harmless = moved(stored.table, 1e-2, -float(gains(stored.table, 1e-2).mean()))
    assert words(stored, harmless)["large-noise-hurts"] == "inconsistent"


def test_noise_is_picked_on_validation_data(stored: Result) -> None:
    config = stored.config
    assert isinstance(config, DescentConfig)
    assert picked_noise(config, moved(stored.table, 3e-3, 0.5, "validation")) == 3e-3
    assert picked_noise(config, moved(stored.table, 3e-3, -0.5)) == picked_noise(
        config, stored.table
    )


def test_where_sgd_does_not_fit_nothing_is_said(stored: Result) -> None:
    errors = [0.2 if row["noise"] == 0 else row["train_error"] for row in stored.table]
    found = words(stored, stored.table.replaced("train_error", errors))
    assert set(found.values()) == {"undecided"}


def test_noise_below_the_rounding_of_a_weight_is_no_noise() -> None:
    table = run(replace(TINY, little=(1e-30,), middle=(), large=(0.5,))).table
    assert (gains(table, 1e-30) == 0).all()
    plain, silent = (table.where(noise=noise).column("train_loss") for noise in (0.0, 1e-30))
    assert (plain == silent).all()
    loud = table.where(noise=0.5).column("train_loss")
    assert (np.abs(loud - plain) > 0.01).all()


def test_a_run_is_the_same_twice_and_in_groups(tmp_path: Path) -> None:
    one, two = run(TINY), run(replace(TINY, pairs_at_once=3))
    assert sorted(map(str, one.table)) == sorted(map(str, two.table))
    first, second = one.save(tmp_path / "a"), run(TINY).save(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    assert one.complete and {f.observed.n for f in one.findings} == {3}
    one.figure()


def test_pairs_have_splits_of_their_own_and_the_same_with_noise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int] = []
    split = Labelled.split

    def noted(self: Labelled, train: int, validation: int = 0, test: int | None = None,
              seed: int = 0) -> Split:  # fmt: skip
        seen.append(seed)
        return split(self, train, validation, test, seed)

    monkeypatch.setattr(Labelled, "split", noted)
    run(TINY)
    assert len(set(seen)) == TINY.pairs
    assert seen == seen[: TINY.pairs] * (1 + len(TINY.noises))


def test_diverged_networks_stay_and_guess() -> None:
    table = run(replace(TINY, rate=1e8, steps=100, pairs=2)).table
    lost = [row for row in table if row["diverged"]]
    assert lost and all(row["test"] == 0.1 and row["train_loss"] is None for row in lost)


@pytest.mark.parametrize("wrong", [{"pairs": 1}, {"little": (0.0,)}, {"middle": (1e-2,)}])
def test_impossible_configurations_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        replace(TINY, **wrong)  # type: ignore[arg-type]


def test_the_figure_has_a_place_for_each_noise(stored: Result) -> None:
    (panel,) = stored.figure().axes
    labels = [text.get_text() for text in panel.get_xticklabels()]
    assert [label.partition(" ")[0] for label in labels] == ["0.0001", "0.001", "0.003", "0.01"]

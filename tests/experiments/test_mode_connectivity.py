"""Mode connectivity: the judge on stored and planted tables, and the measurement end to end."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from theorylab.experiments.data import load_dataset
from theorylab.experiments.networks.ensemble import train_ensemble
from theorylab.experiments.run import load_result, run
from theorylab.experiments.studies import mode_connectivity as experiment
from theorylab.experiments.studies.mode_connectivity import MODE_CONNECTIVITY, ConnectivityConfig
from theorylab.experiments.table import Table
from theorylab.outcome import InputError

STORED = load_result(Path(__file__).parent / "tables" / "mode-connectivity")
TINY = ConnectivityConfig(
    train=100, pairs=3, pairs_at_once=2, widths=(4, 6), steps=60, bending_steps=20, points=5
)


def test_widths_have_draws_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Any, ...]] = []

    def noted(*given: Any, **other: Any) -> Any:
        seen.append(tuple(other["names"]))
        return train_ensemble(*given, **other)

    monkeypatch.setattr(experiment, "train_ensemble", noted)
    for part in experiment.parts(TINY):
        experiment.measure(TINY, part, "cpu")
    assert len(seen) == 4 and len(set(seen)) == len(TINY.widths)


def words(table: Table, config: ConnectivityConfig | None = None) -> dict[str, str]:
    judged = MODE_CONNECTIVITY.judged(config or STORED.config, table)
    return {reading.variant: observed.outcome for reading, observed in judged}


def test_the_stored_table_says_what_is_expected() -> None:
    expected = {reading.variant: reading.expected for reading in MODE_CONNECTIVITY.readings}
    assert words(STORED.table) == expected


def test_curves_and_lines_exchanged_turn_the_words() -> None:
    table = STORED.table
    for mark in ("", "_error"):
        line, curve = table.column(f"linear{mark}"), table.column(f"bezier{mark}")
        table = table.replaced(f"linear{mark}", curve).replaced(f"bezier{mark}", line)
    found = words(table)
    assert found["wall"] == found["joined"] == "inconsistent"


def test_lines_that_matching_raises_and_width_exchanged() -> None:
    table = STORED.table
    raised = table.replaced("matched", table.column("linear") + 0.1)
    assert words(raised)["permutation"] == "inconsistent"
    other = {16: 64, 64: 16}
    turned = table.replaced("width", [other[row["width"]] for row in table])  # type: ignore[index]
    assert words(turned)["width"] == "inconsistent"


def test_a_wall_in_loss_but_not_in_error_is_no_wall() -> None:
    table = STORED.table.replaced("linear_error", 0.001 * np.arange(len(STORED.table)))
    assert words(table)["wall"] == "inconsistent"


def test_nets_that_are_not_fitted_leave_everything_undecided() -> None:
    errors = STORED.table.column("end_error")
    errors[3] = 0.5
    assert set(words(STORED.table.replaced("end_error", errors)).values()) == {"undecided"}


def test_a_diverged_pair_is_counted_against_the_reading() -> None:
    table = STORED.table
    for name in ("linear", "matched", "bezier", "end_loss"):
        cells = table.column(name)
        cells[: len(cells) // 4] = np.nan
        table = table.replaced(name, cells)
    found = words(table)
    assert found["wall"] != "consistent" and found["joined"] != "consistent"
    assert replace(STORED, table=table).figure().axes


def test_a_small_run_twice_and_in_other_groups() -> None:
    first, again = run(TINY), run(TINY)
    assert list(first.table) == list(again.table)
    assert all(np.array_equal(first.arrays[key], again.arrays[key]) for key in first.arrays)
    grouped = run(replace(TINY, pairs_at_once=3))
    assert list(first.table) == list(grouped.table)
    assert len(first.table) == 6 and np.isfinite(first.table.column("bezier")).all()
    assert first.figure().axes


@pytest.mark.slow
def test_the_full_budget_starts_on_images() -> None:
    try:
        load_dataset("fashion-mnist")
    except InputError:
        pytest.skip("Fashion-MNIST is not on this machine")
    small = replace(
        MODE_CONNECTIVITY.budgets["full"], train=200, steps=5, bending_steps=2, points=3, pairs=1
    )  # fmt: skip
    part = MODE_CONNECTIVITY.parts(small)[0]
    assert len(MODE_CONNECTIVITY.measure(small, part, "cpu").rows) == 1


def test_impossible_configurations_are_refused() -> None:
    with pytest.raises(InputError, match="widths"):
        ConnectivityConfig(widths=())

"""Width and overfitting: planted slopes, widths that do not fit, the choice of the least loss."""

from __future__ import annotations

from math import log2
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from theorylab.experiments.run import Result, load_result, run
from theorylab.experiments.studies import width
from theorylab.experiments.studies.flatness_radius import evaluated
from theorylab.experiments.studies.width import WIDTH, WidthConfig, fitting_widths
from theorylab.experiments.table import Table
from theorylab.outcome import InputError

TINY = WidthConfig(
    data=("digits",), hard="digits", train=100, validation=50, nets=2, widths=(4, 8, 16),
    steps=60, batch=20, looks=4,
)  # fmt: skip


@pytest.fixture(scope="module")
def kept() -> Result:
    return load_result(Path(__file__).parent / "tables" / WIDTH.name)


def words(result: Result, table: Table) -> dict[str, str]:
    judged = WIDTH.judged(result.config, table)
    return {reading.variant: observed.outcome for reading, observed in judged}


def sloped(table: Table, column: str, slope: float) -> Table:
    """The column with so much added at each doubling of the width."""
    doublings = np.array([log2(w) for w in table.column("width")])
    return table.replaced(column, table.column(column) + slope * doublings)


def test_a_planted_growth_of_the_error_is_refuted(kept: Result) -> None:
    assert words(kept, kept.table)["error-in-width"] == "consistent"
    assert words(kept, sloped(kept.table, "test_error", 0.04))["error-in-width"] == "inconsistent"


def test_a_planted_growth_of_the_loss_is_believed(kept: Result) -> None:
    widths = kept.table.column("width")
    grown = kept.table.replaced("test_loss", kept.table.column("test_loss") * widths**0.6)
    assert words(kept, grown)["loss-in-width"] == "consistent"


def test_the_slope_is_that_of_the_means(kept: Result) -> None:
    rows = [{**row, "test_error": 0.1 + 0.002 * (int(str(row["net"])) % 2)} for row in kept.table]
    flat = sloped(Table.of(rows), "test_error", 0.03)
    reading = WIDTH.readings[0]
    assert reading.judge(kept.config, flat).effect == pytest.approx(0.03, abs=1e-9)


def test_only_widths_that_fit_are_read(kept: Result) -> None:
    config = kept.config
    assert isinstance(config, WidthConfig)
    data = config.data[1]
    fits = fitting_widths(config, kept.table, data)
    assert fits == config.widths[-len(fits) :]
    spoilt = kept.table.replaced(
        "train_error",
        [0.5 if row["width"] == fits[0] else row["train_error"] for row in kept.table],
    )
    assert fits[0] not in fitting_widths(config, spoilt, data)
    # what the others do is not asked
    below = [9.0 if row["width"] == fits[0] else row["test_loss"] for row in kept.table]
    judged = [WIDTH.readings[1].judge(kept.config, t).effect
              for t in (spoilt, spoilt.replaced("test_loss", below))]  # fmt: skip
    assert judged[0] == judged[1]


def test_networks_that_fit_nothing_shut_the_gates(kept: Result) -> None:
    unfit = kept.table.replaced("train_error", [0.5] * len(kept.table))
    assert set(words(kept, unfit).values()) == {"undecided"}


def test_in_time_the_words_follow_the_last_and_the_least(kept: Result) -> None:
    found = words(kept, kept.table.replaced("test_loss", kept.table.column("least_loss")))
    assert (found["loss-in-time"], found["loss-in-time-always"]) == ("inconsistent",) * 2
    doubled = 2 * kept.table.column("least_loss")
    found = words(kept, kept.table.replaced("test_loss", doubled))
    assert (found["loss-in-time"], found["loss-in-time-always"]) == ("consistent",) * 2
    risen = kept.table.column("error_then") + 0.05
    assert words(kept, kept.table.replaced("test_error", risen))["error-in-time"] == "inconsistent"


def test_the_least_step_is_chosen_on_validation_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    def planted(*given: Any) -> Any:
        losses, errors = evaluated(*given)
        if len(given[2]) == TINY.validation:  # the second look is the best
            looks.append(len(looks))
            losses = torch.full_like(losses, 0.5 if len(looks) == 2 else 1.0)
        return losses, errors

    monkeypatch.setattr(width, "evaluated", planted)
    rows = width.measure(TINY, "data=digits width=16", "cpu").rows
    assert len(looks) == len(TINY.recorded)
    assert [row["least_step"] for row in rows] == [TINY.recorded[1]] * TINY.nets


def test_a_tiny_run_is_pure_and_judges_on_other_samples_than_it_chooses_on() -> None:
    first, again = run(TINY), run(TINY)
    assert first.table == again.table
    assert len(first.table) == 6
    for row in first.table:
        losses = first.arrays[f"data=digits width={row['width']}/losses"]
        assert row["test_loss"] == pytest.approx(float(losses[-1, int(str(row["net"]))]))
        at = TINY.recorded.index(int(str(row["least_step"])))
        assert row["least_loss"] == pytest.approx(float(losses[at, int(str(row["net"]))]))
    assert TINY.recorded[-1] == TINY.steps
    assert first.figure().axes


def test_impossible_configurations_are_refused() -> None:
    with pytest.raises(InputError, match="one of the data sets"):
        WidthConfig(hard="mnist")
    with pytest.raises(InputError, match="widths rise"):
        WidthConfig(widths=(8, 4))

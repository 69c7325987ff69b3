"""Laws of every experiment, on its register entry and on the table of a run kept with the tests."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from theorylab.experiments.experiment import Config, Experiment, Null
from theorylab.experiments.register import NAMES, entries, load
from theorylab.experiments.run import Result, load_result, run
from theorylab.experiments.table import Cell, Table
from theorylab.outcome import InputError, Observed

TABLES = Path(__file__).parent.parent / "experiments" / "tables"
WORDS = ("consistent", "inconsistent", "undecided")
NULLS = [(name, null.name) for name in NAMES for null in load(name).nulls]
# Many draws at a coarse level see a wrong rate sooner than few at a fine one.
ALPHA, DRAWS = 0.05, 200


@cache
def kept(name: str) -> Result:
    return load_result(TABLES / name)


def rewritten(config: Config) -> Config:
    return type(config).from_json(json.loads(json.dumps(config.to_json())))


def test_the_register_names_each_once_and_says_what_it_is() -> None:
    assert len(set(NAMES)) == len(NAMES) == 16
    assert len({entry.title for entry in entries()}) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_readings_are_precise_and_expect_a_word(name: str) -> None:
    found = load(name)
    assert (found.name, found.title) == (name, next(e.title for e in entries() if e.name == name))
    variants = [reading.variant for reading in found.readings]
    assert len(set(variants)) == len(variants) >= 1
    for reading in found.readings:
        assert reading.expected in ("consistent", "inconsistent")
        assert len(reading.words) > 20
    assert found.source.year > 1900


@pytest.mark.parametrize("name", NAMES)
def test_configurations_are_json_and_name_their_parts(name: str) -> None:
    found = load(name)
    assert list(found.budgets) == ["ci", "full"]
    for budget in found.budgets:
        config = found.config(budget, 3)
        assert (config.seed, config.experiment, config.alpha) == (3, name, 0.01)
        assert rewritten(config) == config
        parts = found.parts(config)
        assert len(set(parts)) == len(parts) >= 1
    with pytest.raises(InputError, match="the budgets are ci and full"):
        found.config("huge")


@pytest.mark.parametrize("name", NAMES)
def test_the_kept_run_is_that_of_the_ci_budget_and_as_expected(name: str) -> None:
    result = kept(name)
    assert result.config == load(name).config("ci", result.config.seed)
    assert result.complete
    for finding in result.findings:
        undecided = finding.observed.outcome == "undecided"
        weak = finding.observed.power is not None and finding.observed.power < 0.8
        assert finding.expected or (undecided and weak), finding.observed.words
    assert sum((TABLES / name / file).stat().st_size for file in ("result.json", "result.npz")) < (
        1_000_000
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_verdict_does_not_depend_on_the_order_of_the_rows(name: str) -> None:
    result = kept(name)
    rows = list(result.table.rows)
    np.random.default_rng(5).shuffle(rows)  # type: ignore[arg-type]
    shuffled = result.experiment.judged(result.config, Table(tuple(rows)))
    for finding, (_, observed) in zip(result.findings, shuffled, strict=True):
        assert observed.outcome == finding.observed.outcome
        # sums in another order
        assert observed.effect == pytest.approx(finding.observed.effect, rel=1e-9, abs=1e-12)
        assert observed.p == pytest.approx(finding.observed.p, rel=1e-6, abs=1e-300)


@pytest.mark.parametrize("name", NAMES)
def test_verdicts_have_effects_intervals_and_power(name: str) -> None:
    for finding in kept(name).findings:
        found = finding.observed
        assert found.outcome in WORDS
        assert np.isfinite(found.effect)
        assert found.interval[0] <= found.effect <= found.interval[1]
        assert found.p is not None
        assert 0 <= found.p <= 1
        assert found.power is not None
        assert 0 <= found.power <= 1
        assert found.n >= 2
        assert f"{found.effect:.4g}" in found.words
    written = json.loads(json.dumps(kept(name).to_json(), allow_nan=False))
    assert [row["variant"] for row in written] == [r.variant for r in load(name).readings]


@pytest.mark.parametrize("name", NAMES)
def test_a_result_is_drawn_also_where_nets_diverged(name: str) -> None:
    result = kept(name)
    whole = result.figure()
    assert whole.axes
    assert any(axes.has_data() for axes in whole.axes)
    for axes in whole.axes:
        labelled = axes.get_xlabel() or axes.get_ylabel() or not axes.axison
        assert labelled or axes.get_label() == "<colorbar>" or axes.get_title(), axes
    try:
        assert replace(result, table=holed(result.table)).figure().axes
    except InputError as error:
        # where a unit cannot diverge, or counts as chance, a hole is no measurement at all
        assert "every value is finite" in str(error)


def holed(table: Table) -> Table:
    """None in place of every ninth measured number, as a diverged net leaves it."""
    names = [name for name in table.rows[0] if len(table.values(name)) > 12]

    def cell(name: str, value: Cell, row: int) -> Cell:
        lost = isinstance(value, float) and name in names and row % 9 == 4
        return None if lost else value

    rows = enumerate(table.rows)
    return Table(tuple({k: cell(k, v, i) for k, v in row.items()} for i, row in rows))


@pytest.mark.parametrize("name", NAMES)
def test_every_reading_has_a_world_in_which_its_word_would_be_wrong(name: str) -> None:
    found = load(name)
    for null in found.nulls:
        assert null.wrong in ("consistent", "inconsistent")
    covered = {null.variant for null in found.nulls}
    assert {reading.variant for reading in found.readings} == covered


def null_of(found: Experiment, name: str) -> Null:
    return next(null for null in found.nulls if null.name == name)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "null"), NULLS)
def test_a_wrong_word_comes_at_most_as_often_as_alpha(name: str, null: str) -> None:
    result, world = kept(name), null_of(load(name), null)
    judge = next(r.judge for r in load(name).readings if r.variant == world.variant)
    config = replace(result.config, alpha=ALPHA)
    wrong = 0
    for draw in range(DRAWS):
        table = world.draw(config, result.table, np.random.default_rng([17, draw]))
        found: Observed = judge(config, table)
        wrong += found.outcome == world.wrong
    # what a rate of exactly alpha exceeds once in 10^5 times
    assert wrong <= int(stats.binom.ppf(1 - 1e-5, DRAWS, ALPHA)), f"{wrong} of {DRAWS}"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_gpu_comes_to_the_same_words(name: str) -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("this machine has no GPU")
    found = run(kept(name).config, device="cuda")
    words = [finding.observed.outcome for finding in found.findings]
    assert words == [finding.observed.outcome for finding in kept(name).findings]

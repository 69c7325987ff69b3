"""Running, resuming, saving and reading experiments, on a toy that one sees through."""

from __future__ import annotations

import errno
import json
import os
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from experiments.toy import NAME, TOY, ToyConfig, measure, registered

from theorylab.experiments.experiment import Experiment, Measurements
from theorylab.experiments.run import Result, experiment, load_result, run, run_all
from theorylab.outcome import InputError


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Experiment]:
    with registered(monkeypatch) as found:
        yield found


def same(first: Result, second: Result) -> bool:
    arrays = first.arrays.keys() == second.arrays.keys()
    return (
        arrays
        and first.table == second.table
        and all(np.array_equal(a, second.arrays[name]) for name, a in first.arrays.items())
    )


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_run_judges_its_table_and_nothing_else(toy: Experiment) -> None:
    found = run(ToyConfig())
    assert (found.done, found.planned, len(found.table)) == (3, 3, 36)
    assert found.observed.outcome == "consistent"
    assert found.exit_status == 0
    assert found.observed == toy.readings[0].judge(found.config, found.table)
    moved = run(ToyConfig(mean=3.0))
    assert moved.observed.outcome == "inconsistent"
    assert moved.exit_status == 1
    assert [row["status"] for row in moved.to_json()] == ["inconsistent"]
    assert [row["expected"] for row in moved.to_json()] == [False]


def test_undecided_is_status_3(toy: Experiment) -> None:
    found = run(ToyConfig(arms=("a",), draws=2))
    assert found.observed.outcome == "undecided"
    assert found.exit_status == 3


def test_the_executor_changes_nothing(toy: Experiment) -> None:
    with ThreadPoolExecutor(3) as executor:
        assert same(run(ToyConfig(), executor=executor), run(ToyConfig()))


def test_seeds_differ_and_repeat(toy: Experiment) -> None:
    first = experiment(NAME, seed=1, device="cpu")
    assert same(first, experiment(NAME, seed=1, device="cpu"))
    assert not same(first, experiment(NAME, seed=2, device="cpu"))


def test_the_same_run_writes_the_same_bytes(toy: Experiment, tmp_path: Path) -> None:
    for name in ("one", "two"):
        run(ToyConfig(), out=tmp_path / name).save(tmp_path / name / NAME)
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert len(files(tmp_path / "one")) == 5


class _Killed(BaseException):
    """Ends a run as Ctrl-C and kill -9 do: no handler of ours sees it coming."""


def test_a_run_that_is_killed_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []

    def once(config: ToyConfig, part: str, device: str) -> Measurements:
        asked.append(part)
        if asked == ["a", "b"]:
            raise _Killed
        return measure(config, part, device)

    with registered(monkeypatch, measure=once):
        with pytest.raises(_Killed):
            run(ToyConfig(), out=tmp_path)
        found = run(ToyConfig(), out=tmp_path)
        again = run(ToyConfig(), out=tmp_path)
    assert asked == ["a", "b", "b", "c"]
    with registered(monkeypatch):
        assert same(found, run(ToyConfig()))
        assert same(again, found)


def test_parts_of_another_configuration_are_not_taken(toy: Experiment, tmp_path: Path) -> None:
    run(ToyConfig(seed=1), out=tmp_path)
    assert same(run(ToyConfig(seed=2), out=tmp_path), run(ToyConfig(seed=2)))


def test_a_damaged_part_is_measured_again(toy: Experiment, tmp_path: Path) -> None:
    whole = run(ToyConfig(), out=tmp_path)
    parts = sorted(tmp_path.rglob("*.npz"))
    assert len(parts) == 3
    for damage in (b"", b"PK not a zip", parts[0].read_bytes()[:-40]):
        parts[0].write_bytes(damage)
        assert same(run(ToyConfig(), out=tmp_path), whole)


def test_seconds_begin_no_more_parts(toy: Experiment, tmp_path: Path) -> None:
    found = run(ToyConfig(), out=tmp_path, seconds=1e-9)
    assert (found.done, found.complete, found.findings, found.exit_status) == (0, False, (), 3)
    with pytest.raises(InputError, match="3 of 3 parts were not measured"):
        _ = found.observed
    assert run(ToyConfig(), out=tmp_path).complete


def test_progress_counts_what_was_kept(toy: Experiment, tmp_path: Path) -> None:
    said: list[tuple[int, int, str]] = []
    configs = [ToyConfig(), ToyConfig(seed=5)]
    run(configs[0], out=tmp_path)
    run_all(configs, out=tmp_path, progress=lambda *told: said.append(told))
    assert [(done, planned) for done, planned, _ in said] == [(3, 6), (4, 6), (5, 6), (6, 6)]
    assert said[-1][2] == f"{NAME} c"


def test_saved_results_are_read_back(toy: Experiment, tmp_path: Path) -> None:
    found = run(ToyConfig(draws=5, seed=3))
    found.save(tmp_path)
    read = load_result(tmp_path)
    assert same(read, found)
    assert (read.config, read.device, read.findings[0].observed) == (
        found.config,
        found.device,
        found.findings[0].observed,
    )


def edited(change: str) -> Any:
    def edit(folder: Path) -> None:
        place = folder / "result.json"
        value = json.loads(place.read_text())
        if change == "schema":
            value["schema"] = "theorylab.verify/1"
        elif change == "columns":
            del value["rows"][1]["unit"]
        elif change == "config":
            value["config"]["mean2"] = 1
        elif change == "experiment":
            value["experiment"] = "nobody"
        elif change == "device":
            del value["device"]
        place.write_text(json.dumps(value))

    return edit


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (edited("schema"), "holds no result of an experiment"),
        (edited("columns"), "holds no result of an experiment"),
        (edited("config"), "config = mean2: toy-mean is configured by alpha, arms"),
        (edited("experiment"), "experiment = nobody: the experiments are"),
        (edited("device"), "holds no result of an experiment"),
        (lambda f: (f / "result.json").write_text("{"), "holds no result of an experiment"),
        (lambda f: (f / "result.json").unlink(), "cannot be read"),
        (lambda f: (f / "result.npz").unlink(), "missing, damaged"),
        (lambda f: (f / "result.npz").write_bytes(b"PK"), "missing, damaged"),
        (
            lambda f: np.savez(f / "result.npz", x=np.array([{"a": 1}], dtype=object)),
            "holds other things than arrays of numbers",
        ),
    ],
)
def test_damaged_results_are_refused_in_one_line(
    toy: Experiment, tmp_path: Path, damage: Any, says: str
) -> None:
    run(ToyConfig()).save(tmp_path)
    damage(tmp_path)
    with pytest.raises(InputError) as error:
        load_result(tmp_path)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_full_disk_is_one_line_and_costs_one_part(
    toy: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.replace, []

    def full(source: str, target: str) -> None:
        calls.append(target)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(InputError, match="No space left on device"):
            run(ToyConfig(), out=tmp_path)
    kept = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(kept) == 1
    assert zipfile.is_zipfile(kept[0])
    assert same(run(ToyConfig(), out=tmp_path), run(ToyConfig()))


def test_rows_and_arrays_hold_plain_numbers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def words(config: ToyConfig, part: str, device: str) -> Measurements:
        return Measurements([{"x": 1.0}], {"words": np.array(["a"])})

    def uneven(config: ToyConfig, part: str, device: str) -> Measurements:
        return Measurements([{"x": 1.0}, {"y": 1.0}])

    with registered(monkeypatch, measure=words), pytest.raises(InputError, match="put words into"):
        run(ToyConfig(), out=tmp_path)
    with registered(monkeypatch, measure=uneven), pytest.raises(InputError, match="same columns"):
        run(ToyConfig())


def test_numbers_that_are_not_finite_survive_as_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def diverged(config: ToyConfig, part: str, device: str) -> Measurements:
        return Measurements([{"arm": part, "unit": 0, "value": float("nan")}])

    with registered(monkeypatch, measure=diverged):
        run(ToyConfig(), out=tmp_path).save(tmp_path)
        read = load_result(tmp_path)
    assert [row["value"] for row in read.table] == [None] * 3
    assert np.isnan(read.table.column("value")).all()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: experiment("mean"), "experiment = mean: the experiments are"),
        (lambda: experiment(NAME, "huge"), "budget = huge: the budgets are ci and full"),
        (lambda: experiment(NAME, device="tpu"), "device = tpu"),
        (lambda: experiment(NAME, seed=-1, device="cpu"), "seed = -1: a seed is at least 0"),
        (lambda: ToyConfig.from_json({"nets": 3}), "config = nets"),
    ],
)
def test_bad_input_names_what_is_wrong(toy: Experiment, call: Any, says: str) -> None:
    with pytest.raises(InputError) as error:
        call()
    assert says in str(error.value)


def test_a_figure_is_drawn_without_a_window(toy: Experiment) -> None:
    figure = run(ToyConfig()).figure()
    assert len(figure.axes) == 1
    assert figure.axes[0].lines


def test_configurations_keep_tuples() -> None:
    config = ToyConfig(arms=("x", "y"), seed=4)
    value = json.loads(json.dumps(config.to_json()))
    assert ToyConfig.from_json(value) == config
    assert replace(TOY, nulls=()).name == NAME

"""theorylab experiment: the JSON of DESIGN section 5, files, kill -9 and after, complaints."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from experiments.toy import ToyConfig, measure, registered

from theorylab.cli import main
from theorylab.experiments.experiment import Measurements
from theorylab.experiments.register import NAMES, load
from theorylab.experiments.run import load_result

# the cheapest one: differential equations, no training
NAME = "max-margin-bias"
KEYS = {"claim", "variant", "status", "expected", "effect", "interval", "p", "n", "gates", "config"}


def test_json_is_that_of_the_contract(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ["experiment", NAME, "--json", "--seed", "2", "--out", str(tmp_path), "--device", "cpu"]
    assert main([*words, "--threads", "1"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert [row["variant"] for row in found] == [r.variant for r in load(NAME).readings]
    for row in found:
        assert KEYS | {"schema", "seed", "seconds", "power"} <= row.keys()
        assert (row["claim"], row["schema"]) == (NAME, "theorylab.experiment/1")
        assert (row["seed"], row["config"]["seed"]) == (2, 2)
        assert row["status"] in ("consistent", "inconsistent", "undecided")
        assert row["expected"] is True
        assert all(isinstance(is_open, bool) for is_open in row["gates"].values())
    kept = load_result(tmp_path / NAME)
    assert kept.config.seed == 2
    findings = json.loads((tmp_path / NAME / "findings.json").read_text())
    assert [row["effect"] for row in findings] == [row["effect"] for row in found]
    assert (tmp_path / NAME / f"{NAME}.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (tmp_path / NAME / f"{NAME}.svg").read_bytes()[:2000]


def test_the_page_says_what_was_found_and_how_to_keep_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    picture = tmp_path / "margin.svg"
    words = ["experiment", NAME, "--device", "cpu", "--threads", "1", "--picture", str(picture)]
    assert main(words) == 0
    out = " ".join(capsys.readouterr().out.split())
    for reading in load(NAME).readings:
        assert reading.words in out
        assert reading.variant in out
    assert "assurance: statistical" in out
    assert "seed 0" in out
    assert f"theorylab experiment {NAME} --device cpu --out DIR" in out
    assert picture.exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nothing"], "NAME: nothing: the experiments are langevin-boltzmann, max-margin-bias"),
        ([NAME, "--budget", "huge"], "--budget: huge: the budgets are ci and full"),
        ([NAME, "--device", "tpu"], "--device: tpu: there is no such device"),
        ([NAME, "--seed", "-1"], "--seed: -1"),
        ([NAME, "--threads", "0"], "--threads: 0"),
        ([NAME, "--seconds", "soon"], "--seconds: soon"),
        ([NAME, "--picture", "x.txt"], "--picture: x.txt: a picture ends in .png, .svg or .pdf"),
        (["all", "--picture", "x.png"], "--picture: x.png: one experiment makes one picture"),
        ([NAME, "--out", "/dev/null/x"], "--out: /dev/null/x"),
    ],
)
def test_complaints_are_one_line_and_name_the_option(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["experiment", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert says in captured.err


def test_a_gpu_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    assert main(["experiment", NAME, "--device", "cuda"]) == 2
    assert "--device: cuda: torch finds no GPU on this machine; choose cpu" in (
        capsys.readouterr().err
    )


def test_without_torch_it_says_what_to_install(tmp_path: Path) -> None:
    # a package that cannot be imported stands before the real one
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError(name='torch')\n")
    script = "import sys; from theorylab.cli import main; sys.exit(main())"
    for words, status in ((["list"], 0), (["experiment", NAME], 2)):
        found = subprocess.run(
            [sys.executable, "-c", script, *words],
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert found.returncode == status, found.stderr
    assert "torch, which is not installed" in found.stderr
    assert found.stderr.count("\n") == 1


def test_seconds_leave_it_unfinished(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ["experiment", NAME, "--out", str(tmp_path), "--seconds", "1e-6", "--threads", "1"]
    assert main(words) == 3
    assert "nothing is judged before all are" in " ".join(capsys.readouterr().out.split())


def test_ctrl_c_keeps_what_is_finished(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(config: ToyConfig, part: str, device: str) -> Measurements:
        if part == "b":
            raise KeyboardInterrupt
        return measure(config, part, device)

    words = ["experiment", "toy-mean", "--device", "cpu", "--threads", "1", "--out", str(tmp_path)]
    with registered(monkeypatch, measure=interrupted):
        assert main(words) == 130
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"interrupted; finished parts are kept in {tmp_path}" in captured.err
    assert len(list(tmp_path.rglob("*.npz"))) == 1
    with registered(monkeypatch):
        assert main(words) == 0


@pytest.mark.slow
def test_killed_and_begun_again_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "theorylab", "experiment", NAME, "--device", "cpu"]
    for threads, where in (("1", tmp_path / "whole"), ("2", tmp_path / "cut")):
        line = [*words, "--threads", threads, "--out", str(where)]
        if threads == "2":
            run = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            limit = time.monotonic() + 300
            while not list(where.rglob("parts/*/*.npz")) and time.monotonic() < limit:
                time.sleep(0.02)
            run.send_signal(signal.SIGKILL)
            run.communicate()
            kept = {p: p.stat().st_mtime_ns for p in where.rglob("*.npz")}
            assert kept
            assert not (where / NAME / "result.json").exists()
        subprocess.run(line, check=True, capture_output=True)
        if threads == "2":
            assert all(p.stat().st_mtime_ns == then for p, then in kept.items())

    def files(folder: Path) -> dict[str, bytes]:
        return {
            str(p.relative_to(folder)): p.read_bytes()
            for p in folder.rglob("*")
            # findings.json and the records have seconds
            if p.is_file() and p.name != "findings.json" and "records" not in p.parts
        }

    assert files(tmp_path / "whole") == files(tmp_path / "cut")


@pytest.mark.slow
def test_all_experiments_at_budget_ci_find_what_the_catalogue_expects(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["experiment", "all", "--json", "--device", "cpu", "--out", str(tmp_path)]) in (
        0,
        3,
    )
    found = json.loads(capsys.readouterr().out)
    assert list(dict.fromkeys(row["claim"] for row in found)) == list(NAMES)
    for row in found:
        # the opposite word never; undecided only where there was little power
        weak = row["status"] == "undecided" and row["power"] < 0.8
        assert row["expected"] or weak, (row["claim"], row["variant"], row["words"])
    assert (tmp_path / "summary.png").exists()

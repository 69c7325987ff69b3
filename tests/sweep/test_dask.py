"""Sweeps on a real local Dask cluster, a worker of which is killed in the middle."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sweeping

from theorylab.outcome import InputError
from theorylab.sweep import dask

Run = Callable[..., tuple[int, str, str]]
TESTS = Path(__file__).parent.parent
SQUARES = ("sweep", "--widths", "3,2,1", "--activation", "square", "--instances", "6")


def dump(path: Path) -> list[tuple[int, str]]:
    """The results as they are stored, in the order of seeds."""
    base = sqlite3.connect(path)
    found = base.execute("SELECT seed, result FROM results ORDER BY seed").fetchall()
    base.close()
    return found


@pytest.mark.slow
def test_a_cluster_gives_the_same_bytes_and_loses_nothing_with_a_worker(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    run = subprocess.run(
        [sys.executable, TESTS / "sweep" / "dask_session.py", tmp_path],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout.splitlines()[-1])
    here = dump(tmp_path / "here")
    assert len(here) == 60
    assert dump(tmp_path / "plain") == here and dump(tmp_path / "limited") == here
    assert said["endless"] == [[0, 2], [1]]
    # each of the four threads had a process of its own, and none is left
    assert 1 <= said["children"] <= 4
    assert sweeping.all_ended(said["pids"]), "a process of a closed cluster still runs"
    was_there, stored, unfinished = said["killed"]
    assert (was_there, stored, unfinished) == (False, 160, 0)
    assert [seed for seed, _ in dump(tmp_path / "killed")] == list(range(160))
    # nothing but what the lost worker had was computed again
    asked = (tmp_path / "log").read_text().split()
    assert set(map(int, asked)) == set(range(160)) and len(asked) < 320
    assert said["segfault"] == [[0, 1, 2, 4, 5], [3]]
    assert said["raising"] == ["raised for seed 5"]
    assert "has Python 3." in said["versions"] and "theorylab 9.9 there" in said["versions"]
    for line in (said["closed"], *said["nonsense"]):
        assert "no scheduler answers there" in line and "start one: dask scheduler" in line
    assert "the scheduler has no workers; start some: dask worker tcp://" in said["empty"]


@pytest.mark.slow
def test_the_command_line_counts_on_a_cluster(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    script = (
        "import sys\nfrom distributed import LocalCluster\n"
        "if __name__ == '__main__':\n"
        "    with LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=None) as c:\n"
        "        print(c.scheduler_address, flush=True)\n        sys.stdin.read()\n"
    )
    (tmp_path / "cluster.py").write_text(script)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with sweeping.running(tmp_path / "cluster.py", **pipes) as cluster:
        assert cluster.stdin is not None and cluster.stdout is not None
        address = cluster.stdout.readline().decode().strip()
        # in a process of its own: Dask leaves threads and warnings behind
        words = [*SQUARES, "--json", "--dask", address, "--out", str(tmp_path / "o")]
        found = subprocess.run(
            [sys.executable, "-m", "theorylab", *words], capture_output=True, text=True, timeout=300
        )
        cluster.stdin.close()
        cluster.wait(timeout=60)
    assert found.returncode == 0, found.stderr
    assert found.stdout == run(*SQUARES, "--json")[1]


def test_a_cluster_beside_threads_is_refused(run: Run) -> None:
    status, out, err = run(*SQUARES, "--dask", "tcp://127.0.0.1:1", "--threads", "2")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "--threads: 2: the workers are those of the cluster; leave it out, or --dask" in err


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(InputError, match=r"dask = tcp://h:1: .* not installed; pip install"),
        dask("tcp://h:1"),
    ):
        pass

"""kill -9 at random moments: nothing is lost, nothing stored is computed again."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sweeping

from theorylab.sweep import Store, sweep

COUNT = 500
SCRIPT = """
import os, sys
import sweeping
from theorylab.sweep import Limits, Store, processes, sweep

if __name__ == "__main__":
    path, log, count, limits = sys.argv[1:]
    with Store(path, "kills") as store, processes(int(count)) as executor:
        line = "start " + ",".join(map(str, sorted(store.seeds()))) + "\\n"
        with open(log, "a") as file:
            file.write(line)
        sweep(sweeping.Logged(log, 0.01), range(500), store, executor,
              limits=Limits(seconds=600) if limits == "limits" else None)
"""


def dump(path: Path) -> list[tuple[object, ...]]:
    """All that the store says, whole tables in the order of seeds."""
    base = sqlite3.connect(path)
    assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    found = [
        row
        for table in ("about", "results", "unfinished")
        for row in base.execute(f"SELECT * FROM {table} ORDER BY 1")
    ]
    base.close()
    return found


def runs(log: Path) -> list[tuple[set[int], list[int]]]:
    """Of each start: the seeds that were stored, and those asked for."""
    found: list[tuple[set[int], list[int]]] = []
    for line in log.read_text().splitlines():
        if line.startswith("start"):
            stored = line.removeprefix("start").strip()
            found.append(({int(seed) for seed in stored.split(",") if seed}, []))
        else:
            found[-1][1].append(int(line))
    return found


def calls(log: Path) -> int:
    """How often the function was called, in all runs."""
    return sum(not line.startswith(b"start") for line in log.read_bytes().splitlines())


@pytest.mark.slow
@pytest.mark.parametrize(("count", "limits"), [(1, "none"), (2, "none"), (1, "limits")])
def test_twenty_kills_change_no_byte(count: int, limits: str, tmp_path: Path) -> None:
    rng = random.Random(f"kills {count} {limits}")
    (tmp_path / "script.py").write_text(SCRIPT)
    path, log = tmp_path / "killed.sqlite", tmp_path / "log"
    log.touch()
    words = [sys.executable, tmp_path / "script.py", path, log, str(count), limits]
    tests = str(Path(sweeping.__file__).parent)
    environment = {**os.environ, "PYTHONPATH": tests}
    for _ in range(20):
        # so many calls further: a moment that does not depend on how fast the machine is
        moment = calls(log) + rng.randint(1, 20)
        process = subprocess.Popen(words, env=environment)
        while calls(log) < moment and process.poll() is None:
            time.sleep(rng.random() * 0.01)
        process.kill()
        assert process.wait() == -9
    subprocess.run(words, env=environment, check=True)

    with Store(tmp_path / "undisturbed.sqlite", "kills") as store:
        sweep(sweeping.Logged(str(tmp_path / "other"), 0), range(COUNT), store)
    assert dump(path) == dump(tmp_path / "undisturbed.sqlite")
    started = runs(log)
    asked = 0
    ends = [stored for stored, _ in started[1:]] + [set(range(COUNT))]
    for (stored, computed), later in zip(started, ends, strict=True):
        assert stored <= later, "a stored result was lost"
        assert not stored & set(computed), "a stored result was computed again"
        asked += len(computed)
    # each kill costs at most what was in hand: computed or on its way to the store
    assert COUNT <= asked <= COUNT + 20 * (1 if count == 1 else 40)

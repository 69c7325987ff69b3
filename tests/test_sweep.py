"""Sweeps: the same results on every executor, and nothing lost whatever ends one."""

from __future__ import annotations

import math
import os
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import theorylab as tl
from theorylab.outcome import InputError
from theorylab.sweep import Store, processes, sweep

SUBJECT = {"what": "factorials"}


def test_every_executor_gives_the_same_results() -> None:
    found = []
    with Store(None, SUBJECT) as store:
        tl.sweep(math.factorial, range(30), store)
        found.append(store.results(range(30)))
    with ThreadPoolExecutor(3) as threads, Store(None, SUBJECT) as store:
        sweep(math.factorial, range(30), store, threads)
        found.append(store.results(range(30)))
    with processes(2) as executor, Store(None, SUBJECT) as store:
        assert executor is not None
        sweep(math.factorial, range(30), store, executor)
        found.append(store.results(range(30)))
    assert found == [[math.factorial(k) for k in range(30)]] * 3


def test_one_process_is_this_one() -> None:
    with processes(1) as executor:
        assert executor is None


@pytest.mark.parametrize("threads", [0, 2])
def test_an_error_leaves_what_was_finished_and_the_sweep_goes_on_from_there(
    threads: int, tmp_path: Path
) -> None:
    asked: list[int] = []

    def fragile(seed: int) -> int:
        asked.append(seed)
        if seed == 5 and len(asked) < 8:
            raise ZeroDivisionError
        return -seed

    executor = ThreadPoolExecutor(threads) if threads else None
    with Store(tmp_path / "s", SUBJECT) as store:
        with pytest.raises(ZeroDivisionError):
            sweep(fragile, range(8), store, executor)
        before = store.seeds()
        assert 5 not in before and before
    del asked[:]
    asked += [0] * 8
    told: list[tuple[int, int, str]] = []
    with Store(tmp_path / "s", SUBJECT) as store:
        sweep(fragile, range(8), store, None, lambda *words: told.append(words))
        assert store.results(range(8)) == [-k for k in range(8)]
    assert set(asked[8:]) == set(range(8)) - before
    assert told[0][:2] == (len(before), 8) and told[-1][:2] == (8, 8)
    if executor is not None:
        executor.shutdown()


SCRIPT = """
import sys, time
from theorylab.sweep import Store, sweep
def slow(seed):
    time.sleep(0.02)
    return seed
with Store(sys.argv[1], {"what": "factorials"}) as store:
    print("ready", flush=True)
    sweep(slow, range(10_000), store)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_sweep_keeps_its_results(how: int, tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    # A shell may have told its children to ignore Ctrl-C.
    restored = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    run = subprocess.Popen(
        [sys.executable, "-c", restored + SCRIPT, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert run.stdout is not None and run.stdout.readline().strip() == b"ready"
    time.sleep(0.5)
    run.send_signal(how)
    begun = time.perf_counter()
    run.wait(timeout=30)
    assert time.perf_counter() - begun < 5
    run.stdout.close()
    with Store(path, SUBJECT) as store:
        kept = sorted(store.seeds())
        assert kept == list(range(len(kept))) and 1 <= len(kept) < 10_000
        sweep(lambda seed: seed, range(len(kept) + 3), store)
        assert store.results(range(len(kept) + 3)) == list(range(len(kept) + 3))


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    script = (
        "import time\nfrom theorylab.sweep import processes\n"
        "if __name__ == '__main__':\n"
        "    with processes(2) as executor:\n"
        "        import os\n        print(executor.submit(os.getpid).result(), flush=True)\n"
        "        time.sleep(60)\n"
    )
    (tmp_path / "parent.py").write_text(script)
    run = subprocess.Popen([sys.executable, tmp_path / "parent.py"], stdout=subprocess.PIPE)
    assert run.stdout is not None
    worker = int(run.stdout.readline())
    run.kill()
    run.wait()
    run.stdout.close()
    for _ in range(100):
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        state = Path(f"/proc/{worker}/stat")
        if state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return
        time.sleep(0.1)
    pytest.fail("the worker still runs")


def test_a_store_of_another_sweep_or_no_store_is_refused(tmp_path: Path) -> None:
    Store(tmp_path / "s", SUBJECT).close()
    with pytest.raises(InputError, match="another sweep"):
        Store(tmp_path / "s", {"what": "other"})
    (tmp_path / "text").write_text("not a database, but long enough to look at its header" * 9)
    with pytest.raises(InputError, match="no store"):
        Store(tmp_path / "text", SUBJECT)
    with pytest.raises(InputError, match="no store"):
        Store(tmp_path / "text" / "below", SUBJECT)
    other = sqlite3.connect(tmp_path / "base")
    with other:
        other.execute("CREATE TABLE about (key TEXT PRIMARY KEY, value)")
        other.execute("INSERT INTO about VALUES ('schema', 'theorylab.sweep-store/0')")
    other.close()
    with pytest.raises(InputError, match="another sweep"):
        Store(tmp_path / "base", SUBJECT)

"""The same bytes on every executor; a worker that dies costs a retry; nothing is left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sweeping

import theorylab as tl
from theorylab.outcome import InputError
from theorylab.sweep import Crashed, Limits, Store, Unfinished, completed, processes, sweep

SUBJECT = {"what": "executors"}


def dump(path: Path) -> list[tuple[int, str]]:
    """The results as they are stored, in the order of seeds."""
    base = sqlite3.connect(path)
    found = base.execute("SELECT seed, result FROM results ORDER BY seed").fetchall()
    base.close()
    return found


def test_every_executor_stores_the_same_bytes(tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as threads, processes(2) as pool:
        for name, executor, limits in (
            ("here", None, None), ("threads", threads, None), ("processes", pool, None),
            ("limited", None, Limits(seconds=60)), ("limited threads", threads, Limits(memory=900)),
            ("limited processes", pool, Limits()),
        ):  # fmt: skip
            with Store(tmp_path / name, SUBJECT) as store:
                tl.sweep(sweeping.plain, range(40), store, executor, limits=limits)
    expected = dump(tmp_path / "here")
    assert len(expected) == 40
    for path in tmp_path.iterdir():
        assert dump(path) == expected, path.name


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
        with pytest.raises(ZeroDivisionError) as caught:
            sweep(fragile, range(8), store, executor)
        assert caught.value.__notes__ == ["raised for seed 5"]
        before = store.seeds()
        assert 5 not in before and before
    del asked[:]
    asked += [0] * 8
    told: list[tuple[int, int, str]] = []
    with Store(tmp_path / "s", SUBJECT) as store:
        sweep(fragile, [*range(8), 7, 0], store, None, lambda *words: told.append(words))
        assert store.results(range(8)) == [-k for k in range(8)]
    assert set(asked[8:]) == set(range(8)) - before
    assert told[0][:2] == (len(before), 8) and told[-1][:2] == (8, 8)
    if executor is not None:
        executor.shutdown()


@pytest.mark.parametrize(
    "function", [sweeping.segfault, pytest.param(sweeping.leaving, marks=pytest.mark.slow)]
)
def test_a_job_that_always_kills_its_worker_is_given_up_and_no_other(
    function: Callable[[int], int],
) -> None:
    with Store(None, SUBJECT) as store, processes(2) as pool:
        sweep(function, range(30), store, pool)
        assert store.unfinished() == {3: Unfinished("crashed")}
        assert store.results(range(30)) == [k for k in range(30) if k != 3]
        # the broken pool is of use again
        sweep(sweeping.slow, [3], store, pool)
        assert store.results([3]) == [9] and not store.unfinished()
    assert not multiprocessing.active_children()


def test_workers_killed_now_and_then_cost_nothing_but_retries(tmp_path: Path) -> None:
    function = sweeping.CrashesAtFirst(str(tmp_path), (3, 4, 9))
    context = multiprocessing.get_context("spawn")
    with Store(None, SUBJECT) as store, ProcessPoolExecutor(2, mp_context=context) as pool:
        sweep(function, range(12), store, pool)
        assert store.results(range(12)) == [k * k for k in range(12)]
        assert store.unfinished() == {}


@pytest.mark.slow
@pytest.mark.parametrize("times", [3, 4])
def test_only_who_kills_its_worker_twice_alone_is_given_up(times: int, tmp_path: Path) -> None:
    # once with all others, once with those who were there, twice alone
    function = sweeping.CrashesAtFirst(str(tmp_path), (2,), times)
    with Store(None, SUBJECT) as store, processes(2) as pool:
        sweep(function, range(6), store, pool)
        assert store.unfinished() == ({2: Unfinished("crashed")} if times == 4 else {})
        assert store.seeds() == set(range(6)) - ({2} if times == 4 else set())


def test_a_job_is_given_up_only_after_two_deaths_alone(tmp_path: Path) -> None:
    function = sweeping.CrashesThrice(str(tmp_path))
    with Store(None, SUBJECT) as store, processes(2) as pool:
        sweep(function, range(4), store, pool)
        assert store.results(range(4)) == [0, 1, 4, 9] and not store.unfinished()


def test_an_executor_that_cannot_be_started_again_is_named() -> None:
    class Broken(Executor):
        def submit(self, *_: Any, **__: Any) -> Future[Any]:
            from concurrent.futures import BrokenExecutor

            raise BrokenExecutor

    class Cancelling(Executor):
        def submit(self, *_: Any, **__: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.cancel()
            return future

    with pytest.raises(InputError, match=r"executor = Broken: .*; use theorylab.sweep.processes"):
        list(completed(abs, [1], Broken()))
    with pytest.raises(InputError, match=r"executor = Cancelling: it gave up its jobs; .* go on"):
        list(completed(abs, [1], Cancelling()))


def test_results_that_came_before_an_error_are_handed_out_first() -> None:
    class Backwards(Executor):
        """Everything is done when it is submitted."""

        def submit(self, function: Any, /, *args: Any, **_: Any) -> Future[Any]:
            future: Future[Any] = Future()
            try:
                future.set_result(function(*args))
            except Exception as error:
                future.set_exception(error)
            return future

    found = []
    with pytest.raises(ZeroDivisionError):
        for job, _ in completed(lambda k: 1 / k, [1, 0, 2, 4], Backwards()):
            found.append(job)
    assert found == [1, 2, 4]


@pytest.mark.parametrize("threads", [0, 1])
def test_nothing_is_begun_when_it_is_late(threads: int) -> None:
    executor = ThreadPoolExecutor(threads) if threads else None
    found: list[int] = []
    for job, result in completed(abs, range(9), executor, ahead=1, late=lambda: len(found) > 3):
        assert result == job and not isinstance(result, Crashed)
        found.append(job)
    assert found == [0, 1, 2, 3]
    if executor is not None:
        executor.shutdown()


def _script(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "script.py"
    # A shell may have told its children to ignore Ctrl-C.
    head = "import os, signal, sys, time\n"
    head += "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    head += "from theorylab.sweep import Limits, Store, processes, sweep\n"
    path.write_text(head + text)
    return path


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    text = (
        "with processes(2) as pool, Store(None, 1) as store:\n"
        "    try:\n        sweep(abs, range(3), store, pool)\n"
        "    except ValueError as error:\n        print(error)\n"
    )
    run = subprocess.run(
        [sys.executable, _script(tmp_path, text)], capture_output=True, text=True, timeout=120
    )
    assert "its processes die before they begin to work" in run.stdout, run
    assert run.stdout.count("\n") == 1 and '__name__ == "__main__"' in run.stdout


WORK = r"""
def work(seed):
    os.write(1, b"%d\n" % os.getpid())
    if seed:
        pow(3, 10**10)
    return seed

if __name__ == "__main__":
    count, limits = int(sys.argv[2]), Limits(seconds=900) if sys.argv[3] == "limits" else None
    with Store(sys.argv[1], "what") as store, processes(count) as pool:
        sweep(work, range(9), store, pool, limits=limits)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize(("count", "limits"), [(2, "none"), (1, "limits"), (2, "limits")])
def test_nobody_outlives_a_sweep_that_is_ended(
    how: signal.Signals, count: int, limits: str, tmp_path: Path
) -> None:
    script = _script(tmp_path, WORK)
    words = [script, tmp_path / "s", str(count), limits]
    with sweeping.running(*words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        assert run.stdout is not None
        # those of seeds 0 and 1 at least are at work, all but the first in C that holds the lock
        pids = {int(run.stdout.readline()) for _ in range(2 if count == 1 else 3)}
        assert run.pid not in pids
        run.send_signal(how)
        run.wait(timeout=60)
    assert sweeping.all_ended(pids), "a worker still runs"
    with Store(tmp_path / "s", "what") as store:
        assert store.results(range(9)) == [0] or count > 1


def test_ctrl_c_here_leaves_a_store_that_goes_on(tmp_path: Path) -> None:
    text = (
        "def work(seed):\n"
        "    if seed == 20:\n        os.kill(os.getpid(), signal.SIGINT)\n"
        "    return seed\n"
        "with Store(sys.argv[1], 'what') as store:\n    sweep(work, range(10_000), store)\n"
    )
    run = subprocess.run(
        [sys.executable, _script(tmp_path, text), tmp_path / "s"], stderr=subprocess.DEVNULL
    )
    assert run.returncode == -signal.SIGINT
    with Store(tmp_path / "s", "what") as store:
        assert store.seeds() == set(range(20))
        sweep(sweeping.pid, range(22), store)
        assert store.results(range(22)) == [*range(20), os.getpid(), os.getpid()]

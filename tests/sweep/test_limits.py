"""Limits of time and memory hold in C code too; what ends there is kept apart and tried again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sweeping

from theorylab.outcome import InputError
from theorylab.sweep import Limits, Store, Unfinished, processes, sweep

SUBJECT = {"what": "limits"}
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds memory")


def test_an_endless_loop_in_c_ends_and_costs_nothing_else() -> None:
    with Store(None, SUBJECT) as store:
        sweep(sweeping.endless, range(3), store, limits=Limits(seconds=2))
        assert store.results(range(3)) == [0, 2]
        assert store.unfinished() == {1: Unfinished("time", 2.0)}


@linux
def test_what_an_instance_has_started_ends_with_it(tmp_path: Path) -> None:
    with Store(None, SUBJECT) as store:
        sweep(sweeping.WithProgram(str(tmp_path)), [1], store, limits=Limits(seconds=2))
        assert store.unfinished() == {1: Unfinished("time", 2.0)}
    assert sweeping.all_ended([int((tmp_path / "started").read_text())])


@linux
@pytest.mark.parametrize("function", [sweeping.hungry, sweeping.hungry_in_c, sweeping.refused])
def test_memory_is_bounded_in_python_and_in_c(function: Callable[[int], int]) -> None:
    with Store(None, SUBJECT) as store:
        sweep(function, range(3), store, limits=Limits(memory=200))
        assert store.results(range(3)) == [0, 2]
        assert store.unfinished() == {1: Unfinished("memory", None, 200)}


def test_a_function_that_forks_gives_one_answer_for_each_job() -> None:
    with Store(None, SUBJECT) as store:
        sweep(sweeping.forking, range(4), store, limits=Limits())
        assert store.results(range(4)) == [0, 1, 2, 3]


@pytest.mark.parametrize("function", [sweeping.segfault, sweeping.leaving, sweeping.survived])
def test_a_crash_under_limits_costs_its_own_process_alone(function: Callable[[int], int]) -> None:
    with Store(None, SUBJECT) as store:
        sweep(function, range(5), store, limits=Limits())
        assert store.results(range(5)) == [0, 1, 2, 4]
        assert store.unfinished() == {3: Unfinished("crashed")}
        sweep(sweeping.slow, range(5), store)
        assert store.results([3]) == [9] and store.unfinished() == {}


def test_a_crash_that_does_not_come_again_costs_a_retry(tmp_path: Path) -> None:
    function = sweeping.CrashesAtFirst(str(tmp_path), (1, 2))
    with Store(None, SUBJECT) as store:
        sweep(function, range(4), store, limits=Limits(seconds=60))
        assert store.results(range(4)) == [0, 1, 4, 9] and not store.unfinished()


@pytest.mark.slow
def test_limits_hold_in_threads_and_in_processes() -> None:
    found = []
    with ThreadPoolExecutor(2) as threads, processes(2) as pool:
        for executor in (threads, pool):
            with Store(None, SUBJECT) as store:
                sweep(sweeping.endless, range(3), store, executor, limits=Limits(seconds=2))
                found.append((store.results(range(3)), list(store.unfinished())))
    assert found == [([0, 2], [1])] * 2


def test_one_child_serves_many_instances_and_ends_with_the_sweep() -> None:
    with Store(None, SUBJECT) as store:
        sweep(sweeping.pid, range(5), store, limits=Limits(seconds=60))
        (child,) = set(store.results(range(5)))
    assert child != os.getpid()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_later_sweep_tries_again_only_under_larger_limits() -> None:
    with Store(None, SUBJECT) as store:
        store.put_unfinished(1, Unfinished("time", 2.0, 100))
        store.put_unfinished(2, Unfinished("memory", 2.0, 100))
        store.put_unfinished(3, Unfinished("crashed", 2.0, 100))
        told: list[int] = []
        sweep(sweeping.slow, [1, 2], store, None, lambda *t: told.append(t[0]),
              limits=Limits(2.0, 100))  # fmt: skip
        assert not store.seeds() and told == [2]
        sweep(sweeping.slow, [1, 2, 3], store, limits=Limits(2.5, 100))
        assert store.seeds() == {1, 3} and list(store.unfinished()) == [2]
        sweep(sweeping.slow, [2], store)
        assert store.seeds() == {1, 2, 3} and not store.unfinished()


@pytest.mark.parametrize(
    ("now", "found", "again"),
    [
        (Limits(), Unfinished("time", 1.0), True),
        (Limits(seconds=1.0), Unfinished("time", 1.0), False),
        (Limits(seconds=1.5), Unfinished("time", 1.0), True),
        (Limits(seconds=9.0, memory=5), Unfinished("memory", 1.0, 5), False),
        (Limits(seconds=0.5, memory=6), Unfinished("memory", 1.0, 5), True),
        (Limits(seconds=0.5), Unfinished("crashed", 1.0, 5), True),
    ],
)
def test_which_limits_allow_another_try(now: Limits, found: Unfinished, again: bool) -> None:
    assert now.allows(found) is again


def test_what_an_instance_raises_names_the_seed_and_keeps_the_rest() -> None:
    with Store(None, SUBJECT) as store:
        with pytest.raises(ZeroDivisionError, match="five") as caught:
            sweep(sweeping.raising, range(8), store, limits=Limits(seconds=60))
        notes = "".join(caught.value.__notes__)
        assert "raised for seed 5" in notes and "in raising" in notes
        assert store.results(range(8)) == [-k for k in range(5)]
        with pytest.raises(RuntimeError, match="Unpicklable: 7 and 2"):
            sweep(sweeping.strange, [7], store, limits=Limits(seconds=60))


def test_preparing_counts_for_no_limit(tmp_path: Path) -> None:
    with Store(None, SUBJECT) as store:
        function = sweeping.Prepared(str(tmp_path), 2.2)
        sweep(function, range(3), store, limits=Limits(seconds=2))
        assert store.results(range(3)) == [0, 1, 2]
    assert len(list(tmp_path.iterdir())) == 1


def test_what_an_instance_writes_is_heard(capsys: pytest.CaptureFixture[str]) -> None:
    with Store(None, SUBJECT) as store:
        sweep(sweeping.loud, range(3), store, limits=Limits(seconds=60))
    assert capsys.readouterr().err == "heard 0\nheard 1\nheard 2\n"


@linux
def test_bad_limits_and_functions_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for limits in ({"seconds": 0.0}, {"memory": -1}, {"seconds": float("nan")}):
        with pytest.raises(InputError, match="positive"):
            Limits(**limits)
    with Store(None, SUBJECT) as store:
        with pytest.raises(InputError, match="top level of a module"):
            sweep(lambda seed: seed, range(2), store, limits=Limits(seconds=1))
        with pytest.raises(InputError, match=r"before its first instance .* MiB; give at least"):
            sweep(sweeping.slow, range(2), store, limits=Limits(memory=1))
    monkeypatch.setattr(sys, "platform", "darwin")
    Limits(seconds=1.0)
    with pytest.raises(InputError, match=r"memory = 5: this system cannot .* use Linux"):
        Limits(memory=5)


def test_a_function_that_was_typed_in_is_refused() -> None:
    script = (
        "from theorylab.sweep import Limits, Store, sweep\n"
        "def typed(seed):\n    return seed\n"
        "with Store(None, 1) as store:\n"
        "    try:\n        sweep(typed, [1], store, limits=Limits(seconds=60))\n"
        "    except ValueError as error:\n        print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "has no file); define it at the top level of a module" in run.stdout, run


def test_words_of_an_unfinished_instance() -> None:
    assert str(Unfinished("time", 0.5)) == "not finished: more than 0.5 s"
    assert str(Unfinished("memory", 0.5, 99)) == "not finished: more than 99 MiB"
    assert str(Unfinished("crashed")) == "not finished: crashed twice"
    assert Unfinished("memory", None, 9).to_json() == {
        "reason": "memory", "seconds": None, "memory": 9,
    }  # fmt: skip

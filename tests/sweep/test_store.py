"""The store: one process at a time, whole whatever happens, and one line for all that is wrong."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sweeping

from theorylab.outcome import InputError
from theorylab.sweep import Store, Unfinished, sweep
from theorylab.sweep import store as store_module

SUBJECT = {"what": "factorials"}

HOLDER = """
import sys
from theorylab.sweep import Store
with Store(sys.argv[1], {"what": "factorials"}) as store:
    store.put(1, "theirs")
    print("held", flush=True)
    sys.stdin.read()
"""
SECOND = """
import sys
from theorylab.outcome import InputError
from theorylab.sweep import Store, store
store._PATIENCE = 0.1
try:
    Store(sys.argv[1], {"what": "factorials"})
except InputError as error:
    print(error)
"""


def refused(path: Path) -> str:
    """What a second process is told."""
    run = subprocess.run(
        [sys.executable, "-c", SECOND, str(path)], capture_output=True, text=True, check=True
    )
    assert run.stderr == ""
    return run.stdout


def rows(path: Path) -> list[tuple[object, ...]]:
    base = sqlite3.connect(path)
    found = base.execute("SELECT * FROM results ORDER BY seed").fetchall()
    base.close()
    return found


def test_a_second_process_is_refused_until_the_first_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_PATIENCE", 0.1)
    path = tmp_path / "s.sqlite"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with sweeping.running("-c", HOLDER, path, **pipes) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        line = refused(path)
        assert line.count("\n") == 1
        rule = "another process is using it; wait until that has ended, or name another file"
        assert rule in line
        with pytest.raises(InputError, match="another process"):
            Store(path, SUBJECT)
        holder.kill()
        holder.wait()
    with Store(path, SUBJECT) as store:
        assert store.results([1]) == ["theirs"]
        store.put(2, "ours")
        assert "another process" in refused(path)
        with pytest.raises(InputError, match="another process"):
            Store(path, SUBJECT)
    assert refused(path) == ""
    assert [seed for seed, _ in rows(path)] == [1, 2]
    assert os.listdir(tmp_path) == ["s.sqlite"]


def test_many_that_begin_at_once_leave_one_sound_store(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    script = SECOND.replace("    Store(", "    store = Store(") + (
        "else:\n    for k in range(50):\n        store.put(k, k)\n    store.close()\n"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE)
        for _ in range(6)
    ]
    said = [run.communicate()[0].decode() for run in runs]
    assert all(run.returncode == 0 for run in runs)
    assert all("another process" in line for line in said if line)
    assert "" in said and rows(path) == [(k, str(k)) for k in range(50)]


def test_results_are_kept_as_the_same_text_whatever_the_order(tmp_path: Path) -> None:
    with Store(tmp_path / "s", SUBJECT) as store:
        store.put(2**62, {"b": 1.0, "a": (1, None)})
        store.put(-1, "ξ")
    assert rows(tmp_path / "s") == [(-1, '"\\u03be"'), (2**62, '{"a": [1, null], "b": 1.0}')]


@pytest.mark.parametrize(
    "result", [float("nan"), {1, 2}, 10**5000, object()], ids=["nan", "set", "long", "object"]
)
def test_a_result_that_json_cannot_hold_is_refused(result: object) -> None:
    with Store(None, SUBJECT) as store:
        with pytest.raises(InputError, match=r"result of seed 7.*what JSON can hold"):
            sweep(lambda seed: result if seed == 7 else seed, range(9), store)
        assert store.seeds() == set(range(7))


def test_a_seed_beyond_64_bits_is_refused() -> None:
    with Store(None, SUBJECT) as store, pytest.raises(InputError, match="at most 63 bits"):
        store.put(2**63, 1)


def test_seeds_are_whole_numbers_of_any_kind() -> None:
    with Store(None, SUBJECT) as store:
        sweep(lambda seed: type(seed).__name__, np.arange(3), store)
        assert store.results(range(3)) == ["int"] * 3
        with pytest.raises(InputError, match="seeds are whole numbers"):
            sweep(abs, [1.0], store)  # type: ignore[list-item]


def test_unfinished_instances_are_kept_apart_until_there_is_a_result(tmp_path: Path) -> None:
    with Store(tmp_path / "s", SUBJECT) as store:
        store.put_unfinished(4, Unfinished("time", 1.5))
        store.put_unfinished(2, Unfinished("memory", None, 64))
    with Store(tmp_path / "s", SUBJECT) as store:
        assert store.unfinished() == {2: Unfinished("memory", None, 64), 4: Unfinished("time", 1.5)}
        assert not store.seeds() and store.results([2, 4]) == []
        store.put(4, 16)
        assert list(store.unfinished()) == [2] and store.results([2, 4]) == [16]


def test_a_store_of_the_first_schema_goes_on(tmp_path: Path) -> None:
    base = sqlite3.connect(tmp_path / "old")
    with base:
        base.execute("CREATE TABLE about (key TEXT PRIMARY KEY, value)")
        base.execute("CREATE TABLE results (seed INTEGER PRIMARY KEY, result TEXT)")
        about = [("schema", "theorylab.sweep-store/1"), ("subject", json.dumps(SUBJECT))]
        base.executemany("INSERT INTO about VALUES (?, ?)", about)
        base.execute("INSERT INTO results VALUES (3, '{\"a\": 6}')")
    base.close()
    with pytest.raises(InputError, match="another sweep"):
        Store(tmp_path / "old", {"what": "other"})
    with Store(tmp_path / "old", SUBJECT) as store:
        assert store.results([3]) == [{"a": 6}] and store.unfinished() == {}
        store.put_unfinished(4, Unfinished("crashed"))
    with Store(tmp_path / "old", SUBJECT) as store:
        assert list(store.unfinished()) == [4]


def test_another_sweep_or_no_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    Store(tmp_path / "s", SUBJECT).close()
    with pytest.raises(InputError, match="another sweep"):
        Store(tmp_path / "s", {"what": "other"})
    text = "not a database, but long enough to look at its header" * 9
    (tmp_path / "text").write_text(text)
    with pytest.raises(InputError, match="damaged, or no store"):
        Store(tmp_path / "text", SUBJECT)
    assert (tmp_path / "text").read_text() == text
    with pytest.raises(InputError, match=r"cannot be written \(.*\); choose a file in a folder"):
        Store(tmp_path / "text" / "below", SUBJECT)
    with pytest.raises(InputError, match="cannot be written"):
        Store(tmp_path, SUBJECT)
    base = sqlite3.connect(tmp_path / "newer")
    with base:
        base.execute("CREATE TABLE about (key TEXT PRIMARY KEY, value)")
        base.execute("INSERT INTO about VALUES ('schema', 'theorylab.sweep-store/99')")
    base.close()
    before = (tmp_path / "newer").read_bytes()
    with pytest.raises(InputError, match="another sweep"):
        Store(tmp_path / "newer", SUBJECT)
    base = sqlite3.connect(tmp_path / "newer")
    assert len(base.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()) == 1
    base.close()
    assert len(before) == (tmp_path / "newer").stat().st_size


def test_a_place_that_cannot_be_written_is_named() -> None:
    with pytest.raises(InputError, match=r"store = /proc/version: .*; "):
        Store("/proc/version", SUBJECT)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with Store(path, SUBJECT) as store:
        for seed in range(500):
            store.put(seed, "x" * 100)
    raw = bytearray(path.read_bytes())
    # pages of results alone, which nothing else would read when the store is opened
    raw[24576:40960] = b"\x5a" * (40960 - 24576)
    path.write_bytes(raw)
    with pytest.raises(InputError, match="damaged"):
        Store(path, SUBJECT)
    path.write_bytes(bytes(raw[:5000]))
    with pytest.raises(InputError, match="damaged"):
        Store(path, SUBJECT)


def test_a_result_that_is_damaged_is_no_result(tmp_path: Path) -> None:
    with Store(tmp_path / "s", SUBJECT) as store:
        store.put(1, "one")
        store._base.execute("UPDATE results SET result = '\"on'")
        with pytest.raises(InputError, match="damaged"):
            store.results([1])


def test_a_full_disk_names_the_store_and_keeps_what_was_stored(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with Store(path, SUBJECT) as store:
        store._base.execute("PRAGMA max_page_count = 12")
        with pytest.raises(InputError, match="the disk is full; what was stored stays; make room"):
            sweep(lambda seed: "x" * 1000, range(100), store)
        kept = store.seeds()
    assert 5 < len(kept) < 100
    with Store(path, SUBJECT) as store:
        assert store.seeds() == kept
        sweep(lambda seed: "y", range(100), store)
        assert len(store.seeds()) == 100
        assert store.results(sorted(kept)) == ["x" * 1000] * len(kept)


def test_a_file_that_may_not_grow_keeps_what_was_stored(tmp_path: Path) -> None:
    script = (
        "import resource, signal, sys\n"
        "from theorylab.outcome import InputError\n"
        "from theorylab.sweep import Store, sweep\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "with Store(sys.argv[1], {'what': 'factorials'}) as store:\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "    try:\n        sweep(lambda seed: 'x' * 1000, range(1000), store)\n"
        "    except InputError as error:\n        print(error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "s"], capture_output=True, text=True
    )
    assert run.stdout.count("\n") == 1 and "what was stored stays" in run.stdout, run
    with Store(tmp_path / "s", SUBJECT) as store:
        kept = store.seeds()
        assert kept == set(range(len(kept))) and 10 < len(kept) < 1000

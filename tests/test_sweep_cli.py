"""``theorylab sweep``: its JSON, its page, its files, its refusals; the same bytes again."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from theorylab.counting import random_data
from theorylab.sweep import Store

Run = Callable[..., tuple[int, str, str]]
SQUARES = ("sweep", "--widths", "3,2,1", "--activation", "square")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THEORYLAB_CACHE", str(tmp_path / "cache"))
    random_data._prepared.cache_clear()


def test_json(run: Run) -> None:
    status, out, _ = run(*SQUARES, "--instances", 6, "--seed", 2, "--json")
    found = json.loads(out)
    assert (status, found["schema"], found["seed"]) == (0, "theorylab.sweep/1", 2)
    assert (found["instances"], found["finished"], found["complete"]) == (6, 6, 6)
    assert found["upper"] == 12 and found["upper_assurance"] == "numeric"
    assert found["roots_assurance"] == "flint" and "trace test" in found["upper_rule"]
    assert found["histogram"]["certified"] == {"12": 6}
    assert sum(found["histogram"]["real_orbits"].values()) == 6
    assert [row["instance"] for row in found["results"]] == list(range(6))
    assert all(row["complete"] and row["certified"] == 12 for row in found["results"])
    mean = sum(row["real_orbits"] for row in found["results"]) / 6
    assert found["mean"]["real_orbits"] == pytest.approx(mean)


def test_the_same_seed_gives_the_same_bytes_with_or_without_cache_and_store(
    run: Run, tmp_path: Path
) -> None:
    words = (*SQUARES, "--instances", 4, "--json")
    _, first, said = run(*words)
    assert "verified" not in said
    random_data._prepared.cache_clear()
    _, second, said = run(*words)
    assert "verified" in said
    _, third, _ = run(*words, "--out", tmp_path / "o")
    _, fourth, _ = run(*words, "--out", tmp_path / "o")
    assert first == second == third == fourth
    (written,) = (tmp_path / "o").glob("*.json")
    assert written.read_text() == first
    assert run(*words, "--seed", 1)[1] != first


@pytest.mark.slow
def test_threads_give_the_same_bytes(run: Run, tmp_path: Path) -> None:
    words = ("sweep", "--widths", "2,2,1", "--activation", "cube", "--instances", 12, "--json")
    outs = [run(*words, "--threads", n, "--out", tmp_path / str(n))[1] for n in (1, 2)]
    assert outs[0] == outs[1]
    for kind in ("json", "png"):
        one, two = (next((tmp_path / str(n)).glob(f"*.{kind}")) for n in (1, 2))
        assert one.name == two.name and one.read_bytes() == two.read_bytes()


def test_the_page(run: Run, tmp_path: Path) -> None:
    status, out, _ = run(*SQUARES, "--instances", 8, "--out", tmp_path / "o")
    assert status == 0
    for words in (
        "complete (numeric) on 8 of 8 data sets", "5 samples", "seed 0", "trace test", "modulo",
        "orbits with real weights", "and 3 more, all complete",
        f"theorylab sweep --widths 3,2,1 --activation square --instances 8 --out {tmp_path / 'o'}",
    ):  # fmt: skip
        assert words in out
    lines = out.splitlines()
    assert max(map(len, lines[: lines.index("  sweep it again with")])) <= 80
    assert sorted(p.suffix for p in (tmp_path / "o").glob("*.*")) == [".json", ".png", ".sqlite"]
    png = next((tmp_path / "o").glob("*.png")).read_bytes()
    assert png.startswith(b"\x89PNG") and len(png) > 5_000


def test_critical_points(run: Run) -> None:
    words = ("sweep", "--widths", "1,1,1", "--activation", "linear", "--system", "critical")
    status, out, _ = run(*words, "--ridge", "generic", "--samples", 2, "--instances", 5, "--json")
    found = json.loads(out)
    assert (status, found["upper"], found["complete"], found["ridge"]) == (0, 5, 5, "generic")
    # The real line: the origin alone, or with the pair +-w.
    assert set(found["histogram"]["real"]) <= {"1", "3"}


def test_data_sets_without_a_complete_count_give_status_three(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from theorylab.counting.homotopy import monodromy

    monkeypatch.setattr(monodromy, "_PATIENCE", 2)
    monkeypatch.setattr(monodromy, "TRACE", 0.0)
    status, out, _ = run(*SQUARES, "--instances", 2, "--seed", 9)
    assert status == 3
    assert "complete (numeric) on 0 of 2 data sets" in out and "no bound" in out
    assert "the trace test leaves" in " ".join(out.split()) and "NO" in out


@pytest.mark.parametrize(
    ("words", "blamed"),
    [
        ([], "--widths"),
        (["--widths", "3,2,1"], "--activation"),
        (["--widths", "3,x", "--activation", "square"], "--widths"),
        (["--widths", "3,2,1", "--activation", "relu"], "activation"),
        ([*SQUARES[1:], "--system", "zeros"], "--system"),
        ([*SQUARES[1:], "--system", "critical"], "--ridge"),
        ([*SQUARES[1:], "--system", "critical", "--ridge", "-1"], "--ridge"),
        ([*SQUARES[1:], "--ridge", "1"], "--ridge"),
        ([*SQUARES[1:], "--samples", "9"], "--samples"),
        ([*SQUARES[1:], "--samples", "0"], "--samples"),
        ([*SQUARES[1:], "--instances", "0"], "--instances"),
        ([*SQUARES[1:], "--threads", "0"], "--threads"),
        ([*SQUARES[1:], "--seed", "-1"], "--seed"),
        ([*SQUARES[1:], "--each-seconds", "0"], "--each-seconds"),
        ([*SQUARES[1:], "--each-memory", "1.5"], "--each-memory"),
        ([*SQUARES[1:], "--dask", "tcp://127.0.0.1:1", "--threads", "2"], "--threads"),
    ],
)
def test_bad_options_are_refused_in_one_line(words: list[str], blamed: str, run: Run) -> None:
    status, out, err = run("sweep", *words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert blamed in err


def test_a_store_that_another_sweep_uses_is_refused_in_one_line(run: Run, tmp_path: Path) -> None:
    words = (*SQUARES, "--instances", 2, "--out", tmp_path)
    assert run(*words)[0] == 0
    (place,) = tmp_path.glob("*.sqlite")
    base = sqlite3.connect(place)
    (subject,) = base.execute("SELECT value FROM about WHERE key = 'subject'").fetchone()
    base.close()
    with Store(place, json.loads(subject)):
        status, out, err = run(*words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "another process is using it; wait until that has ended" in err
    assert run(*words)[0] == 0


@pytest.mark.slow
def test_data_sets_beyond_a_limit_are_given_up_shown_and_tried_again_under_a_larger_one(
    run: Run, tmp_path: Path
) -> None:
    words = (*SQUARES, "--instances", 2, "--out", tmp_path)
    status, out, err = run(*words, "--each-memory", 50)
    assert (status, out) == (2, "")
    assert "--each-memory: 50: before its first instance the function takes" in err
    status, out, _ = run(*words, "--each-seconds", 0.001)
    assert status == 3
    assert "complete (numeric) on 0 of 2 data sets" in out
    assert "2 data sets: 2 beyond 0.001 s" in out and "NO beyond 0.001 s" in out
    status, out, _ = run(*words, "--each-seconds", 0.001, "--json")
    found = json.loads(out)
    assert (status, found["finished"], found["complete"], found["results"]) == (3, 0, 0, [])
    gone = {"reason": "time", "seconds": 0.001, "memory": None}
    assert found["unfinished"] == [{"instance": 0, **gone}, {"instance": 1, **gone}]
    status, out, _ = run(*words, "--each-seconds", 600, "--json")
    assert status == 0 and json.loads(out)["unfinished"] == []
    assert out == run(*SQUARES, "--instances", 2, "--json")[1]


def test_a_cluster_that_does_not_answer_is_refused_in_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    from theorylab.sweep import executors

    monkeypatch.setattr(executors, "_PATIENCE", 1)
    status, out, err = run(*SQUARES, "--dask", "tcp://127.0.0.1:1")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "theorylab: --dask: tcp://127.0.0.1:1: no scheduler answers there" in err


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_done(tmp_path: Path) -> None:
    script = (
        "import signal, sys\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from theorylab.cli import main\nsys.exit(main())\n"
    )
    words = ["sweep", "--widths", "2,2,1", "--activation", "cube", "--instances", "5000"]
    words += ["--out", str(tmp_path / "o")]
    run = subprocess.Popen([sys.executable, "-c", script, *words], stderr=subprocess.PIPE)
    deadline = time.perf_counter() + 120
    while not list(tmp_path.glob("o/*.sqlite")) and time.perf_counter() < deadline:
        time.sleep(0.1)
    time.sleep(2)
    run.send_signal(signal.SIGINT)
    begun = time.perf_counter()
    _, err = run.communicate(timeout=60)
    assert run.returncode == 130 and time.perf_counter() - begun < 30
    assert b"interrupted; finished data sets are kept in" in err
    base = sqlite3.connect(next((tmp_path / "o").glob("*.sqlite")))
    (count,) = base.execute("SELECT COUNT(*) FROM results").fetchone()
    base.close()
    assert 0 < count < 5000

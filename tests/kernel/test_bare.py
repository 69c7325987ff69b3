"""``python -m theorylab.kernel FILE...``: what it prints, how it ends, and what it loads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from kernel.corpus import HANDMADE
from kernel.mutations import canonical

CASES = {case.outcome: canonical(case.certificate) for case in reversed(HANDMADE)}
LIST_MODULES = """
import sys
before = set(sys.modules)
sys.path.append(sys.argv[1])
import runpy
sys.argv = ["kernel", *sys.argv[2:]]
try:
    runpy.run_module("theorylab.kernel", run_name="__main__")
except SystemExit as error:
    print("status", error.code)
print("modules", *sorted(set(sys.modules) - before))
"""


def bare(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "theorylab.kernel", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """A proved, a refuted and a rejected certificate, a missing file and a folder."""
    contents = {**CASES, "Rejected": CASES["Proved"][:-1]}
    for name, raw in contents.items():
        (tmp_path / f"{name}.json").write_bytes(raw)
    (tmp_path / "folder").mkdir()
    named = {name: str(tmp_path / f"{name}.json") for name in (*contents, "missing")}
    return {**named, "folder": str(tmp_path / "folder")}


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (["Proved"], 0),
        (["Refuted"], 0),
        (["Proved", "Refuted"], 0),
        (["Rejected"], 1),
        (["Proved", "Rejected", "Refuted"], 1),
        (["missing"], 2),
        (["folder"], 2),
        (["Rejected", "missing"], 2),
        (["missing", "Rejected"], 2),
        ([], 2),
    ],
)
def test_exit_status(files: dict[str, str], given: list[str], status: int) -> None:
    found = bare(*(files[name] for name in given))
    assert found.returncode == status
    assert "Traceback" not in found.stderr
    lines = found.stdout.splitlines()
    assert len(lines) == sum(name in ("Proved", "Refuted", "Rejected") for name in given)
    for name, line in zip([g for g in given if g[0].isupper()], lines, strict=True):
        assert line.startswith(f"{files[name]}: {name.lower()}: ")


def test_what_cannot_be_read_goes_to_standard_error(files: dict[str, str]) -> None:
    found = bare(files["missing"], files["folder"])
    assert found.stdout == ""
    assert found.stderr.count("cannot be read") == 2


def test_usage_goes_to_standard_error() -> None:
    found = bare()
    assert found.stdout == ""
    assert found.stderr.startswith("usage: ")


def test_only_the_standard_library_is_loaded(files: dict[str, str], tmp_path: Path) -> None:
    """No flint, numpy or sympy, and of ours the kernel alone, from a folder without the tests."""
    root = str(Path(sys.modules["theorylab"].__file__ or "").parents[1])
    given = [files[name] for name in ("Proved", "Refuted", "Rejected")]
    found = subprocess.run(
        [sys.executable, "-I", "-c", LIST_MODULES, root, *given],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
    )
    assert "status 1" in found.stdout, found.stdout + found.stderr
    loaded = next(line for line in found.stdout.splitlines() if line.startswith("modules "))
    names = loaded.split()[1:]
    ours = {name for name in names if name.split(".")[0] == "theorylab"}
    assert "theorylab.kernel.rules" in ours
    assert all(name == "theorylab" or name.startswith("theorylab.kernel") for name in ours)
    assert {name.split(".")[0] for name in names} <= {"theorylab", *sys.stdlib_module_names}


def test_a_name_and_a_key_that_cannot_be_printed(tmp_path: Path) -> None:
    file = os.fsencode(tmp_path) + b"/\xff.json"
    Path(os.fsdecode(file)).write_bytes(b'{"\\u00e9\\ud800":0}\n')
    found = subprocess.run(
        [os.fsencode(sys.executable), b"-m", b"theorylab.kernel", file],
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert found.returncode == 1
    assert b"rejected" in found.stdout and b"Traceback" not in found.stderr


def test_a_smaller_limit_of_digits_rejects_and_does_not_raise(tmp_path: Path) -> None:
    raw = CASES["Proved"].replace(b'"u":"', b'"u":"' + b"7" * 1500)
    file = tmp_path / "long.json"
    file.write_bytes(raw)
    assert raw != CASES["Proved"]
    found = bare(str(file), PYTHONINTMAXSTRDIGITS="640")
    assert found.returncode == 1
    assert ": rejected: " in found.stdout and "Traceback" not in found.stderr

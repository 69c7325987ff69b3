"""examples/: numbered, short, and each prints exactly what its last lines say."""

from __future__ import annotations

import ast
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from documents import ROOT, Page

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
# Claims and tests of a user are run by theorylab and by pytest, not by Python.
CLAIMS, TESTS = "01_your_own_claim.py", "09_property_test.py"
# Worker processes import the program that started them, so it must be one.
PROGRAM = "08_a_sweep.py"
SLOW = ("05_two_trained_networks.py", "10_an_experiment.py")
RUN = [path for path in EXAMPLES if path.name not in (CLAIMS, TESTS, PROGRAM)]


def printed(source: str) -> str:
    """What an example says that it prints: the comment below ``# prints:`` at its end."""
    _, found, said = source.partition("\n# prints:\n")
    assert found and said.strip(), "an example ends with '# prints:' and what it prints"
    lines = said.splitlines()
    assert all(line.startswith("#") for line in lines), "nothing follows what is printed"
    return "".join(f"{line[2:]}\n" for line in lines)


def test_they_are_numbered_short_and_say_what_they_do() -> None:
    numbers = [int(path.name[:2]) for path in EXAMPLES]
    assert numbers == list(range(1, len(EXAMPLES) + 1))
    for path in EXAMPLES:
        source = path.read_text(encoding="utf-8")
        assert len(source.splitlines()) <= 40, path.name
        assert ast.get_docstring(ast.parse(source)), path.name
    assert {CLAIMS, TESTS, *SLOW} <= {path.name for path in EXAMPLES}


@pytest.mark.parametrize(
    "path",
    [pytest.param(p, id=p.stem, marks=[pytest.mark.slow] if p.name in SLOW else []) for p in RUN],
)
def test_an_example_prints_what_it_says(
    path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out == printed(path.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_a_sweep_prints_what_it_says_and_goes_on_where_it_was(tmp_path: Path) -> None:
    path = ROOT / "examples" / PROGRAM
    for _ in range(2):
        run = subprocess.run([sys.executable, path], capture_output=True, text=True, cwd=tmp_path)
        assert run.stdout == printed(path.read_text(encoding="utf-8")), run.stderr


def test_the_kernel_alone_needs_no_package() -> None:
    (path,) = (p for p in EXAMPLES if p.stem.endswith("the_kernel_alone"))
    command = [sys.executable, "-S", str(path)]
    run = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)})
    assert run.stdout == printed(path.read_text(encoding="utf-8")), run.stderr


@pytest.mark.slow
def test_the_property_test_passes_in_a_folder_of_its_own(tmp_path: Path) -> None:
    copy = tmp_path / TESTS
    copy.write_text((ROOT / "examples" / TESTS).read_text(encoding="utf-8"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", TESTS]
    environment = Page(ROOT / "README.md", tmp_path).environment
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert run.returncode == 0 and " passed" in run.stdout, run.stdout + run.stderr


@pytest.mark.parametrize("source", ["x = 1\n", "x\n# prints:\n", "x\n# prints:\n# 1\ny\n"])
def test_an_example_that_does_not_say_what_it_prints_is_refused(source: str) -> None:
    with pytest.raises(AssertionError):
        printed(source)

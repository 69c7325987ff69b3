"""The README is executed: its commands print what it shows, its Python says what it claims."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from theorylab.cli import main

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def timeless(text: str) -> str:
    """Seconds differ from run to run, and with them the padding before them."""
    return re.sub(r" *\d+\.\d+ s\b", " T s", text).strip()


@pytest.mark.parametrize("block", blocks("console"))
def test_a_command_prints_what_is_shown(block: str) -> None:
    command, shown = block.split("\n", 1)
    words = command.removeprefix("$ ").split()
    assert words[0] == "theorylab"
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    run = subprocess.run(
        [sys.executable, "-m", *words],
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
    )
    # a hunt that refutes says so by its status
    assert run.returncode == int(words[1] == "falsify"), run.stderr
    assert timeless(run.stdout) == timeless(shown)


def test_the_python_says_what_is_shown() -> None:
    session = "\n".join(blocks("python"))
    test = doctest.DocTestParser().get_doctest(session, {}, "README", "README.md", 0)
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
    assert result.attempted > 0 and result.failed == 0


def test_the_claim_of_a_users_file_is_decided_as_the_readme_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (written,) = [block for block in blocks("python") if ">>>" not in block]
    place = tmp_path / "my_claims.py"
    place.write_text(written)
    assert main(["verify", str(place)]) == 0
    assert "12" in capsys.readouterr().out
    assert main(["falsify", f"{place}::one_unit_each"]) == 1
    assert "1-2-1 relu" in capsys.readouterr().out


def test_every_command_the_readme_names_exists() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "theorylab", "--help"], capture_output=True, text=True, check=True
    ).stdout
    commands = ["list", "verify", "falsify", "phase", "count"]
    commands += ["sweep", "connect", "levels", "experiment", "check"]
    named = set(re.findall(rf"`?theorylab ({'|'.join(commands)})\b", TEXT))
    assert named == {*commands}
    assert all(name in listed for name in named)


def test_the_makefile_has_the_commands() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"make (\w+)", TEXT):
        if target not in ("and",):
            assert f"\n{target}:" in makefile, target


def test_it_is_short() -> None:
    assert len(TEXT.splitlines()) <= 205

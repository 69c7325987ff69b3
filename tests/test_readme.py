"""The README is executed from an empty folder: it prints what it shows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from documents import ROOT, Page, blocks

README = ROOT / "README.md"
TEXT = README.read_text(encoding="utf-8")


def test_it_prints_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Page(README, tmp_path).run()


def test_all_of_it_is_run() -> None:
    found = list(blocks(TEXT))
    assert all(block.not_run is None for block in found)
    assert {block.language for block in found} == {"console", "python"}
    assert [b.file for b in found if b.language == "python" and ">>>" not in b.text] == [
        "my_claims.py"
    ]


def test_it_names_the_commands_that_exist() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "theorylab", "--help"], capture_output=True, text=True, check=True
    ).stdout
    commands = set(re.findall(r"^  ([a-z]+)  +[A-Z]", listed, re.MULTILINE))
    named = set(re.findall(r"theorylab ([a-z]+)\b", TEXT)) - {"as"}
    assert {"list", "verify", "check"} <= commands
    assert named == commands


def test_its_links_lead_somewhere() -> None:
    linked = [link for link in re.findall(r"\]\(([^)]+)\)", TEXT) if "://" not in link]
    assert linked and all((ROOT / link).is_file() for link in linked)


def test_the_makefile_has_the_commands() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"make (\w+)", TEXT):
        if target not in ("and",):
            assert f"\n{target}:" in makefile, target


def test_it_is_short() -> None:
    assert len(TEXT.splitlines()) <= 170

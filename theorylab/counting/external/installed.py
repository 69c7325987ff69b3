"""Which engines are here, and how to get those that are not."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from theorylab.counting.external import bertini, msolve, phc
from theorylab.counting.external.process import MissingEngine, interpreter_with


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine: what it would be used for, where it is (None: absent), how to get it."""

    name: str
    use: str
    place: Path | None
    remedy: str

    def __str__(self) -> str:
        state = f"found at {self.place}" if self.place else f"missing; get it with: {self.remedy}"
        return f"{self.name} ({self.use}): {state}"


def engines() -> tuple[Engine, ...]:
    """Every engine, present or not. Importable packages are tried in fresh processes.

    >>> [engine.name for engine in engines()]
    ['phc', 'phcpy', 'bertini', 'msolve']
    """
    return (
        Engine("phc", "paths, mixed volumes", _program(phc.executable), phc.PROGRAM_REMEDY),
        Engine("phcpy", "paths from your own start", _package("phcpy"), phc.PHCPY_REMEDY),
        Engine("bertini", "paths, adaptive precision", _package("bertini"), bertini.REMEDY),
        Engine("msolve", "exact counts", _program(msolve.executable), msolve.REMEDY),
    )


def _program(find: Callable[[], Path]) -> Path | None:
    try:
        return find()
    except MissingEngine:
        return None


def _package(module: str) -> Path | None:
    with tempfile.TemporaryDirectory() as name:
        return interpreter_with(module, Path(name))

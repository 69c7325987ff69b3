"""Functions for the tests of sweeps, in a module that other processes can import."""

from __future__ import annotations

import ctypes
import mmap
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def plain(seed: int) -> dict[str, Any]:
    """What JSON can hold, of many kinds."""
    return {"seed": seed, "third": seed / 3, "text": "ξ" * (seed % 3), "list": [None, True, -seed]}


def slow(seed: int) -> int:
    """Some milliseconds."""
    time.sleep(0.003)
    return seed * seed


def raising(seed: int) -> int:
    """No result for 5."""
    if seed == 5:
        raise ZeroDivisionError("five")
    return -seed


def endless(seed: int) -> int:
    """Odd seeds never return from one call of C, which holds the interpreter's lock."""
    return len(str(pow(3, 10**10))) if seed % 2 else seed


def hungry(seed: int) -> int:
    """Odd seeds want eight gigabytes."""
    return len(bytearray(2**33)) if seed % 2 else seed


def hungry_in_c(seed: int) -> int:
    """Odd seeds want a gigabyte of FLINT, which aborts when it gets none."""
    from flint import fmpz

    return int(fmpz(3) ** (10**9) % 7) if seed % 2 else seed


def segfault(seed: int) -> int:
    """Seed 3 reads at address zero."""
    return len(ctypes.string_at(0)) if seed == 3 else seed


def leaving(seed: int) -> int:
    """Seed 3 ends its process without a word."""
    if seed == 3:
        os._exit(0)
    return seed


def pid(seed: int) -> int:
    """Who computes."""
    return os.getpid()


@dataclass(frozen=True)
class WithProgram:
    """Starts a program that lasts, leaves its number in a file, and waits for it."""

    folder: str

    def __call__(self, seed: int) -> int:
        program = subprocess.Popen(["sleep", "1000"])
        Path(self.folder, "started").write_text(str(program.pid))
        return program.wait()


class Unpicklable(Exception):
    """An exception that cannot be made again from its arguments."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def strange(seed: int) -> int:
    """Raise an exception that does not survive a pipe."""
    raise Unpicklable(seed, 2)


def loud(seed: int) -> int:
    """Write to standard error."""
    os.write(2, f"heard {seed}\n".encode())
    return seed


@dataclass(frozen=True)
class Prepared:
    """Slow to prepare, quick then; leaves a file at each call."""

    folder: str
    seconds: float = 0.0

    def prepare(self) -> None:
        time.sleep(self.seconds)
        Path(self.folder, f"prepared-{os.getpid()}").touch()

    def __call__(self, seed: int) -> int:
        return seed


@dataclass(frozen=True)
class CrashesAtFirst:
    """These seeds kill their worker the first times they are asked for."""

    folder: str
    seeds: tuple[int, ...]
    times: int = 1

    def __call__(self, seed: int) -> int:
        asked = Path(self.folder, f"asked-{seed}")
        before = len(asked.read_bytes()) if asked.exists() else 0
        if seed in self.seeds and before < self.times:
            asked.write_bytes(b"x" * (before + 1))
            os.kill(os.getpid(), 9)
        return seed * seed


@dataclass(frozen=True)
class Logged:
    """Some milliseconds; appends its seed to a file, whole even when many write."""

    log: str
    seconds: float = 0.003

    def __call__(self, seed: int) -> dict[str, Any]:
        log = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(log, f"{seed}\n".encode())
        os.close(log)
        time.sleep(self.seconds)
        return {"seed": seed, "square": seed * seed, "ratio": seed / 7}


def ended(pid: int) -> bool:
    """Whether no process of this number does anything any more (Linux)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def all_ended(pids: Iterable[int], seconds: float = 60) -> bool:
    """Whether all of them end within these seconds."""
    late = time.monotonic() + seconds
    left = set(pids)
    while left and time.monotonic() < late:
        left = {pid for pid in left if not ended(pid)}
        time.sleep(0.05)
    return not left


@contextmanager
def running(*words: object, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A Python with these arguments, gone at the end whatever the test says."""
    run = subprocess.Popen([sys.executable, *map(str, words)], **options)
    try:
        yield run
    finally:
        run.kill()
        run.wait()
        for pipe in (run.stdin, run.stdout, run.stderr):
            if pipe is not None:
                pipe.close()


def refused(seed: int) -> int:
    """Odd seeds map memory until the system refuses, which Python calls an OSError."""
    kept = []
    while seed % 2:
        kept.append(mmap.mmap(-1, 2**22, flags=mmap.MAP_PRIVATE))
    return seed


def forking(seed: int) -> int:
    """Seed 1 comes back twice."""
    if seed == 1:
        os.fork()
    return seed


def survived(seed: int) -> int:
    """Seed 3 dies, and leaves a process that has the pipe."""
    if seed == 3:
        if os.fork() == 0:
            time.sleep(60)
        os._exit(0)
    return seed


@dataclass(frozen=True)
class CrashesThrice:
    """Seed 1 kills its worker the first three times it is asked for."""

    folder: str

    def __call__(self, seed: int) -> int:
        asked = len(list(Path(self.folder).iterdir()))
        if seed == 1 and asked < 3:
            Path(self.folder, f"asked-{asked}").touch()
            os.kill(os.getpid(), 9)
        return seed * seed

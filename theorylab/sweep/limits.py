"""Limits of time and memory for each instance, kept by a child process that can be killed.

They hold in C code that never returns to Python and under every executor: the worker, a thread or
a process, hands its instances to a child of its own, which is started once, kept while it serves
and replaced when it had to be killed or died.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.spawn
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any, Final, Literal

from theorylab.outcome import InputError

Reason = Literal["time", "memory", "crashed"]
_CHILD: Final = Path(__file__).with_name("child.py")
# A C library that is refused memory says so on standard error and aborts.
_NO_MEMORY: Final = ("memory", "alloc")
_TAIL: Final = 4096
# Seconds after which a child that does not answer is looked at.
_SLICE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Why an instance has no result: it went beyond a limit, or crashed its worker twice.

    ``seconds`` and ``memory`` (MiB) are the limits it had, None where it had none.

    >>> print(Unfinished("time", 2.0, None))
    not finished: more than 2 s
    """

    reason: Reason
    seconds: float | None = None
    memory: int | None = None

    def __str__(self) -> str:
        words = {
            "time": f"more than {self.seconds:g} s" if self.seconds else "too long",
            "memory": f"more than {self.memory} MiB",
            "crashed": "crashed twice",
        }
        return f"not finished: {words[self.reason]}"

    def to_json(self) -> dict[str, Any]:
        """The reason and the limits."""
        return {"reason": self.reason, "seconds": self.seconds, "memory": self.memory}


@dataclass(frozen=True, slots=True)
class Limits:
    """What each instance may take: ``seconds`` of wall clock, ``memory`` in MiB.

    ``memory`` bounds all private writable memory of the process that computes (Linux's
    RLIMIT_DATA), Python and what the function keeps included; only Linux keeps it. Without
    numbers instances are still computed in a child, so that one that crashes costs no worker.

    The function must be one that a process can import. If it has a method ``prepare``, that is
    called once in each child before its first instance, outside the limits.

    Guarantees: a limit ends an instance in C code too. What ends there depends on the machine,
    results never do. Raises InputError for a number that is not positive, and where the platform
    cannot keep a limit.

    >>> Limits(seconds=2.0, memory=500)
    Limits(seconds=2.0, memory=500)
    """

    seconds: float | None = None
    memory: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("seconds", self.seconds), ("memory", self.memory)):
            if value is not None and not 0 < value < float("inf"):
                rule = "a limit is a positive number"
                raise InputError(name, value, rule, "leave it out for none")
        if self.memory is not None and not sys.platform.startswith("linux"):
            rule = "this system cannot bound the memory of a process"
            raise InputError("memory", self.memory, rule, "leave it out, or use Linux")

    def allows(self, found: Unfinished) -> bool:
        """Whether an instance that did not finish is worth another try under these limits.

        It is when the limit that it went beyond is larger now or gone, and always after a crash.
        """
        if found.reason == "crashed":
            return True
        now = self.seconds if found.reason == "time" else self.memory
        then = found.seconds if found.reason == "time" else found.memory
        return now is None or then is None or now > then


@dataclass(frozen=True, slots=True)
class Limited:
    """A function of one argument, run under limits in a child of the thread that calls it.

    Returns what the function returns, or Unfinished; raises what it raises.
    """

    packed: bytes
    limits: Limits

    @classmethod
    def of(cls, function: Callable[..., Any], limits: Limits) -> Limited:
        """The function under these limits. InputError for one that no process can import."""
        if os.name != "posix":
            rule = "limits are kept on Linux and macOS only"
            raise InputError("limits", limits, rule, "leave them out")
        try:
            inner = bytes(ForkingPickler.dumps(function))
        except Exception as error:
            raise _not_imported(function, str(error)) from None
        preparation = _preparation(inner)
        if preparation is None:
            raise _not_imported(function, "what is typed in has no file")
        return cls(bytes(ForkingPickler.dumps((preparation, inner))), limits)

    def __call__(self, job: Any) -> Any:
        for _ in range(2):
            child = _child(self)
            answer, value = child.answer(job, self.limits)
            if answer == "result":
                return value
            if answer == "raised":
                raise value
            close_child()
            if answer != "died":
                return Unfinished(answer, self.limits.seconds, self.limits.memory)
        return Unfinished("crashed", self.limits.seconds, self.limits.memory)


def _not_imported(function: object, why: str) -> InputError:
    rule = f"with limits a process of its own must be able to import it ({why})"
    return InputError("function", function, rule, "define it at the top level of a module")


def _preparation(inner: bytes) -> dict[str, Any] | None:
    """What a new interpreter needs to import what this one can; None when it cannot.

    The script is imported, too, but only for what it defines itself.
    """
    data = multiprocessing.spawn.get_preparation_data("theorylab-sweep")
    found = {"sys_path": data["sys_path"]}
    if b"__main__" in inner or b"__mp_main__" in inner:
        main = {name: data[name] for name in data if name.startswith("init_main_from_")}
        return {**found, **main} if main else None
    return found


class _Child:
    """A process that computes one instance after the other, for one thread and one function."""

    def __init__(self, limited: Limited) -> None:
        self.memory = limited.limits.memory
        self.asked = (limited.packed, self.memory)
        # its standard error goes by way of a file, for the last words of a process that dies
        self.said = tempfile.TemporaryFile()  # noqa: SIM115
        self.pipe, theirs = multiprocessing.Pipe()
        command = [sys.executable, "-P", str(_CHILD), str(theirs.fileno()), str(os.getpid())]
        try:
            self.process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stderr=self.said,
                start_new_session=True,
            )
        finally:
            theirs.close()
        self.end = weakref.finalize(self, _end, os.getpid(), self.process, self.pipe, self.said)
        self.pipe.send((self.memory, sys.path))
        self.pipe.send_bytes(limited.packed)
        answer, value = self._received()
        if answer == "raised":
            self.end()
            raise value
        if answer == "too small":
            self.end()
            rule = f"before its first instance the function takes {value} MiB"
            raise InputError("memory", self.memory, rule, f"give at least {2 * value}")
        if answer == "died":
            self.end()
            rule = "the process for the instances ended before it began"
            raise InputError("function", "under limits", rule, "see what it wrote above")

    def answer(self, job: Any, limits: Limits) -> tuple[Any, Any]:
        """A word and a value: result, raised, time, memory or died."""
        until = None if limits.seconds is None else time.monotonic() + limits.seconds
        try:
            self.pipe.send(job)
            # the pipe of a child that died stays open while a process that it started has it
            while not self.pipe.poll(_slice(until)):
                if until is not None and time.monotonic() >= until:
                    return "time", None
                if self.process.poll() is not None and not self.pipe.poll():
                    return self._died()
        except OSError:
            return self._died()
        return self._received()

    def _received(self) -> tuple[Any, Any]:
        try:
            answer: tuple[Any, Any] = self.pipe.recv()
        except (EOFError, OSError):
            return self._died()
        self._heard()
        return answer

    def _died(self) -> tuple[Any, Any]:
        self.process.kill()
        self.process.wait()
        words = self._heard().lower()
        aborted = self.process.returncode == -signal.SIGABRT
        refused = self.memory is not None and aborted and any(w in words for w in _NO_MEMORY)
        return ("memory" if refused else "died"), None

    def _heard(self) -> str:
        """Pass on what the child has written to its standard error; the end of it."""
        place = self.said.fileno()
        size = os.fstat(place).st_size
        if not size:
            return ""
        words = os.pread(place, size, 0).decode(errors="replace")
        # the child writes on from where this description of the file, which it shares, now stands
        os.lseek(place, 0, os.SEEK_SET)
        os.ftruncate(place, 0)
        print(words, end="", file=sys.stderr)
        return words[-_TAIL:]


def _slice(until: float | None) -> float:
    return _SLICE if until is None else max(0.0, min(_SLICE, until - time.monotonic()))


def _end(owner: int, process: subprocess.Popen[bytes], pipe: Connection, said: Any) -> None:
    if os.getpid() != owner:  # a fork has inherited what is not its own
        return
    # what the function itself has started goes too, in sessions of its own as well
    below = _below(process) if process.poll() is None else []
    for pid in below:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
    pipe.close()
    said.close()


def _below(process: subprocess.Popen[bytes]) -> list[int]:
    """The processes that this one and those below it have started, where Linux tells."""
    found, known = [process.pid], 0
    # nobody starts another while we look
    process.send_signal(signal.SIGSTOP)
    while known < len(found):
        for path in Path(f"/proc/{found[known]}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += map(int, path.read_text().split())
        known += 1
    return found[1:]


_HERE: Final = threading.local()


def _child(limited: Limited) -> _Child:
    """The child of this thread for this function, started where there is none."""
    child: _Child | None = getattr(_HERE, "child", None)
    wanted = (limited.packed, limited.limits.memory)
    if child is not None and child.asked == wanted and child.process.poll() is None:
        return child
    close_child()
    _HERE.child = _Child(limited)
    made: _Child = _HERE.child
    return made


def close_child() -> None:
    """End the child of this thread, if it has one."""
    child: _Child | None = getattr(_HERE, "child", None)
    _HERE.child = None
    if child is not None:
        child.end()

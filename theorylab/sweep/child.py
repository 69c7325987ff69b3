"""The process that computes instances under limits: one after the other, until nobody asks.

Started as a script by theorylab.sweep.limits, to which alone it speaks. It imports nothing but the
standard library before it is told what to run.
"""

from __future__ import annotations

import ctypes
import errno
import multiprocessing.spawn
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

# After so many seconds without work a child ends; the next instance starts another.
_IDLE = 120.0
_SET_PARENT_DEATH_SIGNAL = 1


def bound_to(parent: int) -> None:
    """Let this process end when that one, which has started it, is gone."""
    if sys.platform.startswith("linux"):
        # By the kernel, for code that never returns to Python; when the thread ends, too.
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _unpacked(packed: bytes) -> Callable[[Any], Any]:
    preparation, inner = ForkingPickler.loads(packed)
    sys.path += [place for place in preparation.pop("sys_path") if place not in sys.path]
    multiprocessing.spawn.prepare(preparation)
    function: Callable[[Any], Any] = ForkingPickler.loads(inner)
    return function


def _portable(error: BaseException) -> BaseException:
    """The error with its traceback as a note; another in its place when it cannot be sent."""
    told = "".join(traceback.format_exception(error))
    try:
        sent = ForkingPickler.loads(ForkingPickler.dumps(error))
        assert type(sent) is type(error)
    except Exception:
        error = RuntimeError("".join(traceback.format_exception_only(error)).strip())
    error.add_note(f"in the process of the instance:\n{told}")
    return error


def _answer(function: Callable[[Any], Any], job: Any, limited: bool) -> memoryview:
    try:
        return ForkingPickler.dumps(("result", function(job)))
    except MemoryError as error:
        found: Any = ("memory", None) if limited else ("raised", _portable(error))
    except BaseException as error:
        refused = limited and isinstance(error, OSError) and error.errno == errno.ENOMEM
        found = ("memory", None) if refused else ("raised", _portable(error))
    return ForkingPickler.dumps(found)


def _bound_memory(mebibytes: int) -> int | None:
    """Bound the writable memory of this process; what it has already when that is more."""
    import resource

    status = Path("/proc/self/status").read_text()
    (used,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmData:"))
    if used >= mebibytes * 1024:
        return -(-used // 1024)
    most = mebibytes * 2**20
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    return None


def serve(pipe: Connection) -> None:
    """Answer every job that comes through the pipe, after the function and its memory limit."""
    memory, sys.path[:] = pipe.recv()
    try:
        function = _unpacked(pipe.recv_bytes())
        prepare = getattr(function, "prepare", None)
        if prepare is not None:
            prepare()
        needed = None if memory is None else _bound_memory(memory)
    except BaseException as error:
        pipe.send(("raised", _portable(error)))
        return
    pipe.send(("ready", None) if needed is None else ("too small", needed))
    me = os.getpid()
    while pipe.poll(_IDLE):
        try:
            job = pipe.recv()
        except EOFError:
            return
        answer = _answer(function, job, memory is not None)
        if os.getpid() != me:
            # the function has forked, and its copy came back too: one answer for each job
            os._exit(0)
        pipe.send_bytes(answer)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    bound_to(int(sys.argv[2]))
    serve(Connection(int(sys.argv[1])))

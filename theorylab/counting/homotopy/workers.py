"""Threads that run the loop, the memory of each, and the kernels they call."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final

import numpy as np

from theorylab.counting.homotopy import codegen, loop
from theorylab.counting.homotopy.engine import Floats
from theorylab.counting.homotopy.homotopy import Homotopy
from theorylab.counting.homotopy.interpreter import Bytecode, bytecode, load
from theorylab.counting.homotopy.lanes import lanes as lanes_of
from theorylab.counting.homotopy.options import KERNELS, Options
from theorylab.outcome import InputError

VARIABLE: Final = "THEORYLAB_KERNELS"
"""The environment variable that forces "generated" or "interpreted" kernels."""
_CHUNK = 64
_WORK = 2_000_000
_ALIGNED = 64
_PARTS: Final = {field: k for k, field in enumerate(loop.Room._fields)}


def follow(
    homotopy: Homotopy,
    work: loop.Work,
    control: Floats,
    mode: int,
    options: Options,
    arcs: Floats | None = None,
) -> None:
    """Run the loop over all paths of ``work``, which it fills, on the threads asked for."""
    width = lanes_of(options.lanes)
    made = kernels_of(homotopy, width, options.kernels, mode == loop.SEGMENT)
    count = len(work.t)
    rounds = max(16, min(2000, _WORK // (made.scratch + homotopy.dimension**3)))
    arcs = np.ascontiguousarray(np.zeros((1, 4)) if arcs is None else arcs)
    circles, numbers = arcs.ctypes.data, control.ctypes.data
    lock, stop = threading.Lock(), threading.Event()
    # One thread alone takes all paths at once: calls of the loop cost more than one step.
    chunk = count if options.threads == 1 else _CHUNK
    chunks = iter(range(0, count, max(chunk, 1)))
    tag = (0.0,) * width

    def taken() -> Iterator[tuple[int, int]]:
        while True:
            with lock:
                low = next(chunks, None)
            if low is None:
                return
            yield low, min(low + chunk, count)

    def worker() -> None:
        room, _owner = _memory(homotopy, width, made)
        queue = np.array([0, 0, 1], dtype=np.int64)
        mine = taken()
        while not stop.is_set():
            if queue[2] and queue[0] >= queue[1]:
                queue[0], queue[1] = next(mine, (0, 0))
                queue[2] = int(0 < queue[1] < count)
            busy = loop.advance(
                tag, made.kernels, work, room, circles, numbers, mode, queue, rounds
            )
            if not busy and not queue[2]:
                return

    threads = min(options.threads, -(-count // _CHUNK))
    if threads <= 1:
        worker()
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting = [pool.submit(worker) for _ in range(threads)]
        try:
            wait(waiting, return_when=FIRST_EXCEPTION)
        finally:
            stop.set()
    for future in waiting:
        future.result()


def _memory(homotopy: Homotopy, width: int, made: Made) -> tuple[loop.Room, Floats]:
    """The memory of one worker as addresses, and the array that owns it."""
    n, size, groups = homotopy.equations, homotopy.dimension, homotopy.factors
    block = 2 * width
    # In the order of Room: constants and group numbers are copied into it.
    lengths = (
        size * block,
        size * block,
        size * block,
        size * block,
        size * size * block,
        groups * size * block,
        size * width,
        2 * groups * width,
        size * width,
        size * width,
        groups * loop.FIRSTS * width,
        loop.FLOATS * width,
        homotopy.parameters * block,
        block,
        block,
        made.constants.size,
        made.scratch,
        made.scratch,
        max(made.scratch, 3 * width),
        size,
    )
    # Each begins at a cache line: vectors that straddle two are slow.
    line = _ALIGNED // 8
    places, end = [], 0
    for length in lengths:
        places.append(end)
        end += -(-length // line) * line
    raw = np.zeros(end + line)
    memory: Floats = raw[(-raw.ctypes.data // 8) % line :]

    def part(field: str) -> Floats:
        k = _PARTS[field]
        return memory[places[k] : places[k] + lengths[k]]

    part("constants")[:] = made.constants.ravel()
    part("group").view(np.int64)[:] = homotopy.groups
    for code, field in ((made.evaluate, "evaluate"), (made.tangent, "tangent")):
        if code is not None:
            load(code, size + 1 + homotopy.parameters, part(field).reshape(-1, 2, width))
    # Idle lanes are computed too: at a harmless point.
    part("x").reshape(size, 2, width)[:, 0] = 1.0
    part("natural")[:] = 1.0
    scalars = part("scalars").reshape(loop.FLOATS, width)
    scalars[loop.F_ID] = -1.0
    scalars[loop.F_T] = scalars[loop.F_H] = 1.0
    base = memory.ctypes.data
    addresses = [base + 8 * place for place in places]
    rows = [
        addresses[_PARTS["scalars"]] + 8 * width * row
        for row in (loop.F_STEP, loop.F_MASK, loop.F_FLOOR, loop.F_LOG)
    ]
    return loop.Room._make([*addresses, *rows, size, n, homotopy.parameters]), raw


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """The kernels of a homotopy, and the memory they need: doubles of scratch room, constants."""

    kernels: loop.Kernels
    scratch: int
    constants: Floats
    generated: codegen.Kernels | None = None
    evaluate: Bytecode | None = None
    tangent: Bytecode | None = None


def kernels_of(homotopy: Homotopy, width: int, wanted: str = "auto", real_t: bool = True) -> Made:
    """Generated kernels where they can be, or the interpreter's; made once for each program.

    Raises InputError when generated kernels are demanded and cannot be made.
    """
    choice = (os.environ.get(VARIABLE) or wanted) if wanted == "auto" else wanted
    if choice not in KERNELS:
        raise InputError(VARIABLE, choice, f"one of {', '.join(KERNELS)}", "leave it out")
    memo = homotopy.program._memo
    key = ("kernels", homotopy.outputs, homotopy.groups, homotopy.parameters, width, choice, real_t)
    if key not in memo:
        memo[key] = _generated(homotopy, width, choice, real_t) or _interpreted(
            homotopy, width, real_t
        )
    found: Made = memo[key]
    return found


def _generated(homotopy: Homotopy, width: int, choice: str, real_t: bool) -> Made | None:
    if choice == "interpreted":
        return None
    made = codegen.kernels(homotopy, width, real_t)
    if made is not None:
        kernels = loop.Kernels(made.evaluate, made.tangent, made.solve)
        return Made(kernels, made.scratch, np.ascontiguousarray(made.constants), made)
    if choice == "generated":
        raise InputError(
            "kernels",
            choice,
            f"no vector instructions here, or more than {codegen.LIMIT} operations",
            "use auto",
        )
    return None


def _interpreted(homotopy: Homotopy, width: int, real_t: bool) -> Made:
    jacobian = [node for row in homotopy.by_x() for node in row]
    evaluate, tangent = (
        bytecode(
            homotopy.program, [*first, *jacobian], homotopy.dimension, homotopy.parameters, real_t
        )
        for first in (homotopy.outputs, homotopy.by_t())
    )
    # The arrays stay alive in what is returned.
    addresses = [
        number
        for code in (evaluate, tangent)
        for number in (code.code.ctypes.data, len(code.code), code.outputs.ctypes.data)
    ]
    kernels = loop.Kernels(0, 0, 0, *addresses)
    scratch = 2 * width * max(evaluate.registers, tangent.registers)
    return Made(kernels, scratch, evaluate.constants, None, evaluate, tangent)

"""The loop that follows paths, W at a time: compiled once by numba, the same for every system.

Kernels are called by address, or interpreted. All state of a worker lies in arrays, so that the
loop can return after some rounds, for Python to see signals, and go on where it was.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from theorylab.counting.homotopy import interpreter, logarithms, vectors
from theorylab.counting.homotopy.engine import Complexes, Floats, Integers

LANDED: Final = 0
"""Newton's method converged at the last t."""
CUT: Final = 1
"""The first rule for infinity held."""
DIVERGED: Final = 2
"""The strict rule for infinity held."""
CALM: Final = 3
"""Close to t = 0 at a finite point, but no step lands there."""
SHRUNK: Final = 4
"""The step became too small."""
OUT_OF_STEPS: Final = 5
UNFINISHED: Final = 6
"""Not followed to any end yet."""

SEGMENT, ARC = 0, 1

# Rows of the control vector.
(
    TAU, REJECT, ACCEPT, ACCEPT_END, CONTRACTION, ITERATIONS, ITERATIONS_END, FIRST, LARGEST,
    GROWTH, MAX_STEPS, FLOOR, PATIENCE, COARSE, LAST_T, SMALLEST_T, WATCH_T, VALUATION, STEADY,
    SAMPLES, CUT_X0, STRICT, STRICT_T, STRICT_X0, CALM_T, NOISE, LONG,
    LONG_T, SMALL_X0, LARGEST_LOG, LEAST_LOG, SURE, SURE_T, CONTROLS,
) = range(34)  # fmt: skip

# Vectors of the scalars of each lane; ids and counts are doubles too.
(
    F_T, F_H, F_STEP, F_MIDDLE, F_NEXT, F_FIRST, F_LAST, F_MASK, F_VALUATION, F_FLOOR, F_ID,
    F_STEPS, F_REJECTS, F_STEADY, F_SINCE, F_LONGEST, F_CALM, F_STATE, F_LOG, F_CUT, FLOATS,
) = range(21)  # fmt: skip
# Vectors of each group: x0 at the start of a step, its slope, and t then.
_RE, _IM, _SLOPE_RE, _SLOPE_IM, _AT, FIRSTS = range(6)
_OPEN, _GOOD, _BAD = 0.0, 1.0, 2.0


class Kernels(NamedTuple):
    """Addresses of evaluate, tangent and solve (0: interpreted), and the bytecode instead: its
    address, how many instructions it has, and the address of the registers of its outputs.

    Only numbers: numba would count references to arrays at every call.
    """

    evaluate: int
    tangent: int
    solve: int
    evaluate_code: int = 0
    evaluate_instructions: int = 0
    evaluate_outputs: int = 0
    tangent_code: int = 0
    tangent_instructions: int = 0
    tangent_outputs: int = 0


class Work(NamedTuple):
    """The paths, row = path id: where each one is, what it needs, and what became of it.

    ``steady`` is the power of two in t over which an exponent at infinity has held, 0 at a finite
    point; ``cut`` is |x0| where the first rule for infinity held, inf where it did not.
    """

    x: Complexes
    t: Floats
    h: Floats
    sets: Integers
    parameters: Complexes
    end: npt.NDArray[np.int8]
    steps: npt.NDArray[np.int32]
    rejects: npt.NDArray[np.int32]
    correction: Floats
    condition: Floats
    valuation: Floats
    steady: npt.NDArray[np.int32]
    cut: Floats


class Room(NamedTuple):
    """Addresses of a worker's memory: that of ``weight``, ``sums``, ``natural``, ``sizes``,
    ``first`` and ``scalars`` is counted in vectors, ``group`` in int64, the rest in blocks.

    ``constants`` are those of generated kernels; ``evaluate``, ``tangent`` and ``solver`` their
    scratch room, or the register files of the interpreter.
    """

    x: int
    w: int
    b: int
    slope: int
    jacobian: int
    rows: int
    weight: int
    sums: int
    natural: int
    sizes: int
    first: int
    scalars: int
    p: int
    time: int
    velocity: int
    constants: int
    evaluate: int
    tangent: int
    solver: int
    group: int
    step: int
    mask: int
    floor: int
    log: int
    variables: int
    equations: int
    parameters: int


_fast = njit(nogil=True, error_model="numpy", forceinline=True)


@_fast
def _linear(tag: Any, kernels: Any, m: Any, x: int, tangent: bool) -> None:
    """b <- [dH/dx; patch]^{-1} [H or dH/dt; 0] at x and the times of the stage."""
    _matrix(tag, kernels, m, x, tangent)
    _solve(tag, kernels, m)


@_fast
def _matrix(tag: Any, kernels: Any, m: Any, x: int, tangent: bool) -> None:
    """jacobian <- [dH/dx; patch], b <- [H or dH/dt; 0]."""
    n, size = m.equations, m.variables
    if tangent:
        if kernels.tangent != 0:
            vectors.call7(kernels.tangent, x, m.time, m.p, m.constants, m.b, m.jacobian, m.tangent)
        else:
            interpreter.run(
                tag, kernels.tangent_code, kernels.tangent_instructions, kernels.tangent_outputs,
                n, x, size, m.time, m.p, m.parameters, m.b, m.jacobian, m.tangent,
            )  # fmt: skip
    elif kernels.evaluate != 0:
        vectors.call7(kernels.evaluate, x, m.time, m.p, m.constants, m.b, m.jacobian, m.evaluate)
    else:
        interpreter.run(
            tag, kernels.evaluate_code, kernels.evaluate_instructions, kernels.evaluate_outputs,
            n, x, size, m.time, m.p, m.parameters, m.b, m.jacobian, m.evaluate,
        )  # fmt: skip
    groups = size - n
    vectors.copy(tag, m.jacobian, 2 * n * size, m.rows, 0, 2 * groups * size)
    vectors.clear(tag, m.b, 2 * n, 2 * groups)


@_fast
def _solve(tag: Any, kernels: Any, m: Any) -> None:
    if kernels.solve != 0:
        vectors.call3(kernels.solve, m.jacobian, m.b, m.solver)
    else:
        interpreter.solve(tag, m.jacobian, m.b, m.variables, m.solver)


@_fast
def _get(tag: Any, m: Any, row: int, lane: int) -> float:
    found: float = vectors.read(tag, m.scalars, row, lane)
    return found


@_fast
def _set(tag: Any, m: Any, row: int, lane: int, value: float) -> None:
    vectors.write(tag, m.scalars, row, lane, value)


@_fast
def _clock(tag: Any, m: Any, arcs: int, mode: int, row: int) -> None:
    """The times of a stage, and the velocities along arcs."""
    if mode == SEGMENT:
        vectors.copy(tag, m.time, 0, m.scalars, row, 1)
        return
    for lane in range(len(tag)):
        at = _get(tag, m, row, lane)
        i = max(int(_get(tag, m, F_ID, lane)), 0)
        shrink, turn = vectors.number(arcs, 4 * i + 2), vectors.number(arcs, 4 * i + 3)
        radius = vectors.number(arcs, 4 * i + 0) * math.exp((1.0 - at) * shrink)
        angle = vectors.number(arcs, 4 * i + 1) + (1.0 - at) * turn
        re, im = radius * math.cos(angle), radius * math.sin(angle)
        vectors.write(tag, m.time, 0, lane, re)
        vectors.write(tag, m.time, 1, lane, im)
        vectors.write(tag, m.velocity, 0, lane, turn * im - shrink * re)
        vectors.write(tag, m.velocity, 1, lane, -turn * re - shrink * im)


@_fast
def _velocity(tag: Any, m: Any, mode: int, bent: bool, at: int) -> None:
    """b <- the velocities of what is followed: arcs turn, and drifting lanes go by logarithms."""
    if mode == ARC:
        vectors.turn(tag, m.b, m.velocity, m.variables)
    elif bent:
        logarithms.bend(tag, m.b, m.time, m.x, at, m.log, m.variables)


@_fast
def _move(tag: Any, m: Any, bent: bool, share: float, slope: int) -> None:
    """w <- x moved by this share of the step."""
    if bent:
        logarithms.rise(tag, m.w, m.x, m.step, share, slope, m.log, m.variables)
    else:
        vectors.axpy(tag, m.w, m.x, m.step, share, slope, 2 * m.variables)


@njit(nogil=True, error_model="numpy")
def _load(tag: Any, lane: int, i: int, work: Any, m: Any) -> None:
    """Put path i into a lane."""
    for k in range(m.variables):
        vectors.write(tag, m.x, 2 * k, lane, work.x[i, k].real)
        vectors.write(tag, m.x, 2 * k + 1, lane, work.x[i, k].imag)
    chosen = work.sets[i]
    for k in range(m.parameters):
        vectors.write(tag, m.p, 2 * k, lane, work.parameters[chosen, k].real)
        vectors.write(tag, m.p, 2 * k + 1, lane, work.parameters[chosen, k].imag)
    for row in range(FLOATS):
        _set(tag, m, row, lane, 0.0)
    _set(tag, m, F_ID, lane, float(i))
    _set(tag, m, F_T, lane, work.t[i])
    _set(tag, m, F_H, lane, work.h[i])
    _set(tag, m, F_LAST, lane, math.inf)
    _set(tag, m, F_VALUATION, lane, -1.0)


@njit(nogil=True, error_model="numpy")
def _unload(tag: Any, lane: int, end: int, condition: float, work: Any, m: Any) -> None:
    """Write down where the path of a lane ended, and free the lane."""
    i = int(_get(tag, m, F_ID, lane))
    for k in range(m.variables):
        re, im = vectors.read(tag, m.x, 2 * k, lane), vectors.read(tag, m.x, 2 * k + 1, lane)
        work.x[i, k] = complex(re, im)
    t, h = _get(tag, m, F_T, lane), _get(tag, m, F_H, lane)
    work.t[i] = t
    work.h[i] = h if _get(tag, m, F_LOG, lane) == 0.0 else t * (1.0 - math.exp(-h))
    work.end[i] = end
    work.steps[i] += int(_get(tag, m, F_STEPS, lane))
    work.rejects[i] += int(_get(tag, m, F_REJECTS, lane))
    work.correction[i] = _get(tag, m, F_LAST, lane)
    work.condition[i] = condition
    held = _get(tag, m, F_LONGEST, lane)
    work.steady[i] = int(math.log2(held)) if held > 1.0 else 0
    cut = _get(tag, m, F_CUT, lane)
    work.cut[i] = cut if cut > 0.0 else math.inf
    for g in range(m.variables - m.equations):
        work.valuation[i, g] = _exponent(tag, lane, g, m)
    _set(tag, m, F_ID, lane, -1.0)


@_fast
def _exponent(tag: Any, lane: int, g: int, m: Any) -> float:
    """w in |x0| ~ t^w for group g, at the start of the last step."""
    # The slope is that of x along falling t.
    row = FIRSTS * g
    re = vectors.read(tag, m.first, row + _RE, lane)
    im = vectors.read(tag, m.first, row + _IM, lane)
    by = re * vectors.read(tag, m.first, row + _SLOPE_RE, lane)
    by += im * vectors.read(tag, m.first, row + _SLOPE_IM, lane)
    found: float = -vectors.read(tag, m.first, row + _AT, lane) * by / (re * re + im * im)
    return found


@_fast
def _predict(tag: Any, kernels: Any, m: Any, arcs: int, mode: int) -> None:
    """w <- the prediction by RK4, along log t where F_LOG; notes slopes at infinity and natural
    row sizes of new paths."""
    width, n, size = len(tag), m.equations, m.variables
    _clock(tag, m, arcs, mode, F_T)
    _matrix(tag, kernels, m, m.x, True)
    fresh, bent = False, False
    for lane in range(width):
        fresh = fresh or _get(tag, m, F_STEPS, lane) == 0.0
        bent = bent or _get(tag, m, F_LOG, lane) != 0.0
    if fresh:
        vectors.row_sizes(tag, m.sizes, m.jacobian, m.weight, size, size)
        for lane in range(width):
            if _get(tag, m, F_STEPS, lane) == 0.0:
                for k in range(size):
                    value = vectors.read(tag, m.sizes, k, lane)
                    vectors.write(tag, m.natural, k, lane, value)
    _solve(tag, kernels, m)
    for g in range(size - n):
        vectors.copy(tag, m.first, FIRSTS * g + _RE, m.x, 2 * (n + g), 2)
        vectors.copy(tag, m.first, FIRSTS * g + _SLOPE_RE, m.b, 2 * (n + g), 2)
        vectors.copy(tag, m.first, FIRSTS * g + _AT, m.scalars, F_T, 1)
    _velocity(tag, m, mode, bent, m.x)
    vectors.copy(tag, m.slope, 0, m.b, 0, 2 * size)
    for stage in range(3):
        _clock(tag, m, arcs, mode, F_MIDDLE if stage < 2 else F_NEXT)
        _move(tag, m, bent, 0.5 if stage < 2 else 1.0, m.b)
        _linear(tag, kernels, m, m.w, True)
        _velocity(tag, m, mode, bent, m.w)
        vectors.plus(tag, m.slope, 2.0 if stage < 2 else 1.0, m.b, 2 * size)
    _move(tag, m, bent, 1.0 / 6.0, m.slope)


@_fast
def _correct(tag: Any, kernels: Any, m: Any, control: int, last_t: float) -> None:
    """Newton's method from w at the end of the step; leaves the verdict of each lane in F_STATE."""
    width, size = len(tag), m.variables
    for lane in range(width):
        _set(tag, m, F_STATE, lane, _OPEN if _get(tag, m, F_ID, lane) >= 0.0 else _BAD)
    most = int(max(vectors.number(control, ITERATIONS), vectors.number(control, ITERATIONS_END)))
    for iteration in range(most):
        waiting = False
        for lane in range(width):
            still = _get(tag, m, F_STATE, lane) == _OPEN and (
                iteration < vectors.number(control, ITERATIONS)
                or _get(tag, m, F_NEXT, lane) == last_t
            )
            _set(tag, m, F_MASK, lane, 1.0 if still else 0.0)
            waiting = waiting or still
        if not waiting:
            break
        _linear(tag, kernels, m, m.w, False)
        vectors.weighted_square(tag, m.sums, m.b, m.weight, size)
        for lane in range(width):
            if _get(tag, m, F_MASK, lane) == 0.0:
                continue
            correction = math.sqrt(vectors.read(tag, m.sums, 0, lane))
            if iteration == 0:
                _set(tag, m, F_FIRST, lane, correction)
                good = correction < vectors.number(control, REJECT) * vectors.number(control, TAU)
            else:
                good = correction < vectors.number(control, CONTRACTION) * _get(
                    tag, m, F_LAST, lane
                )
                good = good or correction < vectors.number(control, NOISE)
            _set(tag, m, F_LAST, lane, correction)
            at_end = _get(tag, m, F_NEXT, lane) == last_t
            if not good:
                _set(tag, m, F_STATE, lane, _BAD)
                _set(tag, m, F_MASK, lane, 0.0)
            elif correction < (
                vectors.number(control, ACCEPT_END) if at_end else vectors.number(control, ACCEPT)
            ):
                _set(tag, m, F_STATE, lane, _GOOD)
        vectors.subtract_where(tag, m.w, m.b, m.mask, 2 * size)
    for lane in range(width):
        if _get(tag, m, F_STATE, lane) == _OPEN:
            # Ill-conditioned roots stall above the goal although Newton's method did contract.
            at_end = _get(tag, m, F_NEXT, lane) == last_t
            stalled = at_end and _get(tag, m, F_LAST, lane) < 1e-9
            _set(tag, m, F_STATE, lane, _GOOD if stalled else _BAD)


@_fast
def _condition(tag: Any, kernels: Any, m: Any) -> None:
    """``sums`` <- the square of an estimate of the condition of the scaled Jacobian at x:
    sqrt(N) |A^{-1} b| for a fixed b."""
    width, size = len(tag), m.variables
    _matrix(tag, kernels, m, m.x, False)
    for k in range(size):
        # Any fixed phases do: only special matrices hide their small singular values from them.
        angle = 1.7 * (k + 1) * (k + 1)
        re, im = math.cos(angle), math.sin(angle)
        for lane in range(width):
            natural = vectors.read(tag, m.natural, k, lane) * math.sqrt(float(size))
            vectors.write(tag, m.b, 2 * k, lane, natural * re)
            vectors.write(tag, m.b, 2 * k + 1, lane, natural * im)
    _solve(tag, kernels, m)
    vectors.weighted_square(tag, m.sums, m.b, m.weight, size)


@_fast
def _judge(tag: Any, lane: int, m: Any, control: int, mode: int, last_t: float) -> int:
    """New t, step and end of a lane after its step, -1 while it goes on."""
    step, first = _get(tag, m, F_STEP, lane), _get(tag, m, F_FIRST, lane)
    steps = _get(tag, m, F_STEPS, lane) + 1.0
    _set(tag, m, F_STEPS, lane, steps)
    factor = 0.25
    if 0.0 < first < 1e200:
        factor = 0.9 * (vectors.number(control, TAU) / first) ** 0.2
    elif first == 0.0:
        factor = vectors.number(control, GROWTH)
    if _get(tag, m, F_STATE, lane) != _GOOD:
        _set(tag, m, F_REJECTS, lane, _get(tag, m, F_REJECTS, lane) + 1.0)
        h = step * max(0.1, min(factor, 0.5 if _get(tag, m, F_LOG, lane) == 0.0 else 0.25))
        _set(tag, m, F_H, lane, h)
        t = _get(tag, m, F_T, lane)
    else:
        t = _get(tag, m, F_NEXT, lane)
        _set(tag, m, F_T, lane, t)
        bent = _get(tag, m, F_LOG, lane) != 0.0
        most = vectors.number(control, LARGEST_LOG if bent else LARGEST)
        h = min(step * max(0.1, min(factor, vectors.number(control, GROWTH))), most)
        _set(tag, m, F_H, lane, h)
        if t == last_t:
            return LANDED
        if mode == SEGMENT and t < vectors.number(control, WATCH_T):
            end = _watch(tag, lane, m, control)
            if end >= 0:
                return end
            # Where x0 is a power of t no step lands, and steps in log t are even.
            drifts = _get(tag, m, F_STEADY, lane) > 0.0
            if drifts != bent:
                h = min(h / t, 0.7) if drifts else t * (1.0 - math.exp(-h))
                _set(tag, m, F_H, lane, h)
                _set(tag, m, F_LOG, lane, 1.0 if drifts else 0.0)
    # Healthy steps near the end are a fixed share of t; below round-off they shrink to nothing.
    if _get(tag, m, F_LOG, lane) != 0.0:
        sure = _get(tag, m, F_LONGEST, lane) >= vectors.number(control, SURE)
        sure = sure and t < vectors.number(control, SURE_T)
        tiny = h < (vectors.number(control, LEAST_LOG) if sure else 1e-10)
    else:
        tiny = h < (1e-4 if t < 1e-10 else 1e-10) * t
    if tiny or t < vectors.number(control, SMALLEST_T):
        return SHRUNK
    if steps >= vectors.number(control, MAX_STEPS):
        return OUT_OF_STEPS
    return -1


@_fast
def _watch(tag: Any, lane: int, m: Any, control: int) -> int:
    """The rules for infinity after an accepted step, from the values at its start."""
    t = vectors.read(tag, m.first, _AT, lane)
    largest, x0 = -math.inf, 1.0
    for g in range(m.variables - m.equations):
        w = _exponent(tag, lane, g, m)
        if w > largest:
            largest = w
            re = vectors.read(tag, m.first, FIRSTS * g + _RE, lane)
            im = vectors.read(tag, m.first, FIRSTS * g + _IM, lane)
            x0 = re * re + im * im
    change = abs(largest - _get(tag, m, F_VALUATION, lane))
    _set(tag, m, F_VALUATION, lane, largest)
    steady, calm = 0.0, 0.0
    if largest > vectors.number(control, VALUATION):
        if change < vectors.number(control, STEADY) * largest:
            steady = _get(tag, m, F_STEADY, lane) + 1.0
    else:
        calm = _get(tag, m, F_CALM, lane) + 1.0
    _set(tag, m, F_STEADY, lane, steady)
    if steady == 0.0:
        _set(tag, m, F_SINCE, lane, t)
    held = _get(tag, m, F_SINCE, lane) / t
    longest = max(held, _get(tag, m, F_LONGEST, lane))
    # A small x0 that stays is often round-off at a singular point at infinity.
    settled = (
        calm >= vectors.number(control, SAMPLES) and x0 > vectors.number(control, SMALL_X0) ** 2
    )
    _set(tag, m, F_LONGEST, lane, 0.0 if settled else longest)
    _set(tag, m, F_CALM, lane, calm)
    if steady >= vectors.number(control, SAMPLES):
        if x0 < vectors.number(control, CUT_X0) ** 2 and _get(tag, m, F_CUT, lane) == 0.0:
            if vectors.number(control, STRICT) == 0.0:
                return CUT
            _set(tag, m, F_CUT, lane, math.sqrt(x0))
        if t < vectors.number(control, STRICT_T) and x0 < vectors.number(control, STRICT_X0) ** 2:
            return DIVERGED
        if held >= vectors.number(control, LONG) and t < vectors.number(control, LONG_T):
            return DIVERGED
    if t < vectors.number(control, CALM_T) and calm >= vectors.number(control, SAMPLES):
        return CALM
    return -1


def _kept(function: Any) -> Any:
    """Compiled on its first call, and kept on disk where there is a place that can be written."""
    try:
        return njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:  # numba: no locator available
        return njit(nogil=True, error_model="numpy")(function)


def _compiled(stamp: str) -> Any:
    """``advance``, kept on disk by numba under a key that has the stamp in it."""

    @_kept
    def advance(
        tag: Any,
        kernels: Any,
        work: Any,
        m: Any,
        arcs: int,
        control: int,
        mode: int,
        queue: Any,
        rounds: int,
    ) -> bool:
        """Follow paths queue[0] to queue[1] - 1 for some rounds; whether any lane is still busy.

        ``control`` and ``arcs`` are addresses of doubles; the arcs (r, a, b, c) of the paths of an
        endgame are T = r e^{ia} e^{(1 - t)(b + ic)}.
        With ``queue[2]`` nonzero it returns as soon as a lane is idle, for more paths to be queued.
        """
        if not stamp:
            return False
        width, size, groups = len(tag), m.variables, m.variables - m.equations
        last_t = vectors.number(control, LAST_T)
        for _ in range(rounds):
            busy, idle = False, False
            for lane in range(width):
                if _get(tag, m, F_ID, lane) < 0.0 and queue[0] < queue[1]:
                    _load(tag, lane, queue[0], work, m)
                    queue[0] += 1
                if _get(tag, m, F_ID, lane) >= 0.0:
                    busy = True
                else:
                    idle = True
            if not busy or (idle and queue[2] != 0):
                return busy
            for lane in range(width):
                early = _get(tag, m, F_STEPS, lane) < vectors.number(control, PATIENCE)
                floor = vectors.number(control, FLOOR) if early else vectors.number(control, COARSE)
                _set(tag, m, F_FLOOR, lane, floor * floor)
                t, h = _get(tag, m, F_T, lane), _get(tag, m, F_H, lane)
                if _get(tag, m, F_LOG, lane) != 0.0:
                    middle, after = t * math.exp(-0.5 * h), t * math.exp(-h)
                else:
                    # The end of the path exactly, so that it lands at its last t itself.
                    last = h >= 0.999 * (t - last_t)
                    h, after = (t - last_t, last_t) if last else (h, t - h)
                    middle = t - 0.5 * h
                _set(tag, m, F_STEP, lane, h)
                _set(tag, m, F_MIDDLE, lane, middle)
                _set(tag, m, F_NEXT, lane, after)
            vectors.renew(tag, m.x, m.rows, m.weight, m.sums, m.group, m.floor, size, groups)
            _predict(tag, kernels, m, arcs, mode)
            _correct(tag, kernels, m, control, last_t)
            landed = False
            for lane in range(width):
                good = _get(tag, m, F_STATE, lane) == _GOOD
                _set(tag, m, F_MASK, lane, 1.0 if good else 0.0)
                landed = landed or (good and _get(tag, m, F_NEXT, lane) == last_t)
            vectors.choose(tag, m.x, m.w, m.mask, 2 * size)
            if landed and mode == SEGMENT:
                _condition(tag, kernels, m)
            for lane in range(width):
                if _get(tag, m, F_ID, lane) >= 0.0:
                    end = _judge(tag, lane, m, control, mode, last_t)
                    if end >= 0:
                        condition = math.inf
                        if end == LANDED and mode == SEGMENT:
                            condition = math.sqrt(vectors.read(tag, m.sums, 0, lane))
                        _unload(tag, lane, end, condition, work, m)
        return True

    return advance


def _stamp() -> str:
    """A digest of all that ``advance`` is made of: numba itself only watches this file."""
    parts = [
        Path(module.__file__ or "").read_bytes() for module in (interpreter, logarithms, vectors)
    ]
    return hashlib.sha256(b"".join([*parts, Path(__file__).read_bytes()])).hexdigest()


advance: Final = _compiled(_stamp())
"""See ``_compiled``: follow the queued paths of ``work`` for some rounds."""

"""The kernels of the tracker as interpreted bytecode: for machines and programs without codegen.

The same three functions as generated code has, on the same blocks (complex numbers of W paths, W
real parts and then W imaginary parts): values and derivatives, and the solution of N x N systems.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from theorylab.counting.gaussian import Gaussian, Scalar
from theorylab.counting.homotopy import vectors
from theorylab.counting.homotopy.engine import Floats
from theorylab.counting.program import ADD, CONSTANT, PARAMETER, SUB, VARIABLE, to_complex
from theorylab.counting.system import Program

Code = npt.NDArray[np.int32]
_SCALE = 6
"""A product whose right factor is real."""


@dataclass(frozen=True, slots=True, eq=False)
class Bytecode:
    """Instructions (kind, target, left, right) over registers, and the registers of the outputs.

    Registers are N variables, t, the parameters, the constants, and then room that is used again
    once a value is no longer needed. ``constants`` is C x 2.
    """

    code: Code
    outputs: Code
    constants: Floats
    registers: int


def bytecode(
    program: Program, outputs: Sequence[int], variables: int, parameters: int, real_t: bool = True
) -> Bytecode:
    """The instructions for these nodes, parameter 0 being t and ``parameters`` the others."""
    order = program.reachable(outputs)
    first = variables + 1 + parameters
    place: dict[int, int] = {}
    constants: list[Scalar] = []
    real: set[int] = set()
    last: dict[int, int] = {}
    for position, v in enumerate(order):
        kind, a = program.kinds[v], program.left[v]
        if kind == CONSTANT:
            place[v] = first + len(constants)
            constants.append(program.constants[a])
            if not isinstance(program.constants[a], Gaussian):
                real.add(v)
        elif kind == VARIABLE:
            place[v] = a
        elif kind == PARAMETER:
            place[v] = variables + a
            if a == 0 and real_t:
                real.add(v)
        else:
            last[a] = last[program.right[v]] = position
    for v in outputs:
        last[v] = len(order)
    top = first + len(constants)
    free: list[int] = []
    code = []
    for position, v in enumerate(order):
        kind, a, b = program.kinds[v], program.left[v], program.right[v]
        if kind < ADD:
            continue
        if a in real and b in real:
            real.add(v)
        if kind > SUB and (a in real or b in real):
            kind = _SCALE
            if b not in real:
                a, b = b, a
        if free:
            place[v] = free.pop()
        else:
            place[v], top = top, top + 1
        code.append((kind, place[v], place[a], place[b]))
        # An operation reads before it writes, but the target must not be given away twice.
        free += [place[w] for w in {a, b} if program.kinds[w] >= ADD and last[w] == position]
    numbers = to_complex(constants)
    return Bytecode(
        np.array(code, dtype=np.int32).reshape(-1, 4),
        np.array([place[v] for v in outputs], dtype=np.int32),
        np.stack([numbers.real, numbers.imag], axis=1).reshape(-1, 2),
        max(top, 1),
    )


def load(bytecode: Bytecode, first: int, registers: Floats) -> None:
    """Write the constants into a register file (registers x 2 x W), from register ``first`` on."""
    count = len(bytecode.constants)
    registers[first : first + count] = bytecode.constants[:, :, None]


@njit(nogil=True, error_model="numpy")
def run(
    tag: Any,
    code: int,
    instructions: int,
    outputs: int,
    n: int,
    x: int,
    variables: int,
    t: int,
    p: int,
    parameters: int,
    h: int,
    j: int,
    r: int,
) -> None:
    """The first n outputs into h and the others, n rows of Jacobian, into j.

    Code, outputs, x, t, p, h, j and the register file r are addresses. The constants are in r
    already, where ``load`` put them.
    """
    vectors.copy(tag, r, 0, x, 0, 2 * variables)
    vectors.copy(tag, r, 2 * variables, t, 0, 2)
    vectors.copy(tag, r, 2 * variables + 2, p, 0, 2 * parameters)
    for k in range(instructions):
        kind, d = vectors.code(code, 4 * k), vectors.code(code, 4 * k + 1)
        a, b = vectors.code(code, 4 * k + 2), vectors.code(code, 4 * k + 3)
        if kind == 5:
            vectors.multiply(tag, r, d, a, b)
        elif kind == 3:
            vectors.add(tag, r, d, a, b)
        elif kind == 4:
            vectors.subtract(tag, r, d, a, b)
        else:
            vectors.scale(tag, r, d, a, b)
    for k in range(n):
        vectors.copy(tag, h, 2 * k, r, 2 * vectors.code(outputs, k), 2)
    for k in range(n * variables):
        vectors.copy(tag, j, 2 * k, r, 2 * vectors.code(outputs, n + k), 2)


@njit(nogil=True, error_model="numpy")
def solve(tag: Any, a: int, b: int, n: int, scratch: int) -> None:
    """b <- A^{-1} b, rows exchanged in a lane where one is more than 10 times the diagonal.

    a and b are addresses of N x N and of N blocks, ``scratch`` of room for three vectors. A
    singular lane gives inf or nan.
    """
    width = len(tag)
    row = scratch + 16 * width
    for k in range(n):
        if k + 1 < n:
            vectors.column(tag, a, n, k, scratch, row)
            for lane in range(width):
                best = vectors.read(tag, scratch, 1, lane)
                if best > 100 * vectors.read(tag, scratch, 0, lane):
                    i = int(vectors.read(tag, row, 0, lane))
                    vectors.exchange(tag, a, b, n, k, i, lane)
        vectors.eliminate(tag, a, b, n, k)
    for k in range(n - 1, -1, -1):
        vectors.substitute(tag, a, b, n, k)

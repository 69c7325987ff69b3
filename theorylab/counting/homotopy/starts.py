"""Start systems, and the projective form of the target that they are joined to."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from theorylab.counting.homotopy.engine import Complexes, Floats, Integers, require_square, trivial
from theorylab.counting.program import ADD, CONSTANT, MUL, PARAMETER, VARIABLE, to_complex
from theorylab.counting.system import PolynomialSystem, Program, Tape

_SAMPLES = 64


@dataclass(frozen=True, slots=True, eq=False)
class Homogeneous:
    """The equations x0^d f(x / x0) on points (x0, x1, ..., xn), each divided by ``scale``.

    The scale is the root mean square of the equation on seeded points of the unit sphere, so that
    equations written in large or small units pull equally.
    """

    tape: Tape
    parameters: Complexes
    degrees: Integers
    scale: Floats

    def evaluate(self, points: Complexes) -> tuple[Complexes, Complexes]:
        """Values (batch x n) and derivatives (batch x n x (n+1)) at points (batch x (n+1))."""
        found = self.tape.run_batch(points, self.parameters)
        n = len(self.degrees)
        values = found[:, :n] / self.scale
        return values, found[:, n:].reshape(len(points), n, n + 1) / self.scale[:, None]


def homogeneous(system: PolynomialSystem, seed: int) -> Homogeneous:
    """The projective form of a square system, its program padded with powers of x0.

    The degrees are the structural ones. Raises InputError for a system that is not square and for
    coefficients beyond double precision, and for an equation that vanishes at random points.
    """
    require_square(system)
    source, program = system.program, Program()
    x0 = program.variable(0)
    power = {0: program.constant(1)}

    def padded(node: int, by: int) -> int:
        if by not in power:
            power[by] = program.power(x0, by)
        return program.mul(node, power[by])

    made: dict[int, tuple[int, int]] = {}
    for v in source.reachable(system.outputs):
        kind, a, b = source.kinds[v], source.left[v], source.right[v]
        if kind == CONSTANT:
            made[v] = program.constant(source.constants[a]), 0
        elif kind == VARIABLE:
            made[v] = program.variable(a + 1), 1
        elif kind == PARAMETER:
            made[v] = program.parameter(a), 0
        else:
            (p, d), (q, e) = made[a], made[b]
            if kind == MUL:
                made[v] = program.mul(p, q), d + e
            else:
                top = max(d, e)
                p, q = padded(p, top - d), padded(q, top - e)
                made[v] = (program.add(p, q) if kind == ADD else program.sub(p, q)), top
    outputs = [made[v][0] for v in system.outputs]
    wrt = [program.variable(i) for i in range(len(system.variables) + 1)]
    rows = program.jacobian(outputs, wrt)
    tape = program.tape([*outputs, *(node for row in rows for node in row)])
    degrees = np.array([made[v][1] for v in system.outputs], dtype=np.int64)
    plain = Homogeneous(tape, to_complex(system.values)[None, :], degrees, np.ones(len(degrees)))
    rng = np.random.default_rng([seed, 2])
    shape = (_SAMPLES, len(system.variables) + 1)
    sphere = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        size = np.sqrt(np.mean(np.abs(plain.evaluate(sphere)[0]) ** 2, axis=0))
    for i in np.flatnonzero(size == 0):
        raise trivial(system, int(i))
    scale = np.where(np.isfinite(size) & (size > 0), size, 1.0)
    return Homogeneous(tape, plain.parameters, degrees, scale)


@dataclass(frozen=True, slots=True, eq=False)
class TotalDegree:
    """The start system x_i^{d_i} = c_i x0^{d_i}, |c_i| = 1: all its solutions are known.

    >>> start = TotalDegree(np.array([2, 3]), np.array([1.0 + 0j, 1.0 + 0j]))
    >>> start.paths, np.round(start.solutions(np.array([0, 5])), 3).tolist()[0]
    (6, [(1+0j), (1+0j), (1+0j)])
    """

    degrees: Integers
    constants: Complexes

    @property
    def paths(self) -> int:
        """How many solutions there are: the product of the degrees."""
        return math.prod(int(d) for d in self.degrees)

    def solutions(self, ids: Integers) -> Complexes:
        """The solutions with these numbers, as rows (1, x_1, ..., x_n)."""
        found = np.ones((len(ids), len(self.degrees) + 1), dtype=np.complex128)
        left = ids.astype(np.int64)
        for i, d in enumerate(self.degrees):
            angle = (np.angle(self.constants[i]) + 2 * np.pi * (left % d)) / d
            found[:, i + 1] = np.exp(1j * angle)
            left = left // d
        return found

    def evaluate(self, points: Complexes) -> tuple[Complexes, Complexes]:
        """Values (batch x n) and derivatives (batch x n x (n+1)) at points (batch x (n+1))."""
        n = len(self.degrees)
        x, x0, d = points[:, 1:], points[:, :1], self.degrees
        lower, lower0 = _powers(x, d - 1), _powers(np.broadcast_to(x0, x.shape), d - 1)
        jacobian = np.zeros((len(points), n, n + 1), dtype=np.complex128)
        jacobian[:, range(n), range(1, n + 1)] = d * lower
        jacobian[:, :, 0] = -self.constants * d * lower0
        return x * lower - self.constants * x0 * lower0, jacobian


def _powers(x: Complexes, exponents: Integers) -> Complexes:
    """x[:, i] ** exponents[i] by squaring, exact in the number of products."""
    result = np.ones(x.shape, dtype=np.complex128)
    left, square = exponents.copy(), x
    while left.any():
        odd = (left & 1).astype(bool)
        result = np.where(odd, result * square, result)
        left >>= 1
        if left.any():
            square = square * square
    return result


def total_degree(degrees: Integers, seed: int) -> TotalDegree:
    """The start system of these degrees with seeded constants on the unit circle."""
    rng = np.random.default_rng([seed, 1])
    return TotalDegree(degrees, np.exp(2j * np.pi * rng.random(len(degrees))))


def gamma_of(seed: int) -> complex:
    """A seeded number on the unit circle: for all but finitely many, no two paths meet at t > 0."""
    return complex(np.exp(2j * np.pi * np.random.default_rng([seed, 0]).random()))

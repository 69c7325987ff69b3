"""Start systems, and the projective form of the target that they are joined to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
import numpy.typing as npt

from theorylab.counting.homotopy.engine import Complexes, Floats, Integers, require_square, trivial
from theorylab.counting.program import ADD, CONSTANT, MUL, PARAMETER, VARIABLE, to_complex
from theorylab.counting.system import PolynomialSystem, Program, Tape

Bools = npt.NDArray[np.bool_]

_SAMPLES = 64
_DRAWS = 24
_PICKS = 200


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


@dataclass(frozen=True, slots=True, eq=False)
class LinearProduct:
    """The start system prod_g (l_ig^{d_ig} - c_ig x0_g^{d_ig}), l_ig linear in the group g.

    ``degrees`` and ``constants`` (|c| = 1) are n x G, ``groups[v]`` names the group of variable v
    and ``forms[i, v]`` is its coefficient in l_ig. A solution makes one factor of each equation
    zero so that each group has as many of them as variables: their number is the multihomogeneous
    Bezout number of the degrees, and each is the solution of one linear system for each group.

    >>> start = linear_product(np.array([[1, 1], [2, 1]]), (0, 1), 0)
    >>> start.paths, start.solutions(np.arange(3)).shape
    (3, (3, 4))
    """

    degrees: Integers
    groups: tuple[int, ...]
    forms: Complexes
    constants: Complexes

    @property
    def paths(self) -> int:
        """How many solutions there are."""
        return self._ways()[0][self._sizes()]

    def _sizes(self) -> tuple[int, ...]:
        return tuple(self.groups.count(g) for g in range(self.degrees.shape[1]))

    def _ways(self) -> list[dict[tuple[int, ...], int]]:
        """How many ways equations i, i + 1, ... can give each group so many vanishing factors."""
        zero = (0,) * self.degrees.shape[1]
        found: list[dict[tuple[int, ...], int]] = [{zero: 1}]
        for row in self.degrees[::-1]:
            ways: dict[tuple[int, ...], int] = {}
            for have, count in found[-1].items():
                for g, d in enumerate(row):
                    more = (*have[:g], have[g] + 1, *have[g + 1 :])
                    if d and more[g] <= self.groups.count(g):
                        ways[more] = ways.get(more, 0) + int(d) * count
            found.append(ways)
        if not found[-1]:
            found[-1] = {self._sizes(): 0}
        return found[::-1]

    def _factors(self, ids: Integers) -> tuple[Integers, Integers]:
        """For each solution and equation, the group of the factor that vanishes, and which root."""
        ways, (n, groups) = self._ways(), self.degrees.shape
        states: dict[tuple[int, ...], Integers] = {self._sizes(): np.arange(len(ids))}
        left = ids.astype(np.int64)
        group, root = np.zeros((2, len(ids), n), dtype=np.int64)
        for i in range(n):
            following: dict[tuple[int, ...], list[Integers]] = {}
            for have, members in states.items():
                for g in range(groups):
                    fewer = (*have[:g], have[g] - 1, *have[g + 1 :])
                    below = ways[i + 1].get(fewer, 0)
                    block = int(self.degrees[i, g]) * below
                    chosen = left[members] < block
                    inside, members = members[chosen], members[~chosen]
                    if block:
                        group[inside, i], root[inside, i] = g, left[inside] // below
                        left[inside] %= below
                        following.setdefault(fewer, []).append(inside)
                        left[members] -= block
            states = {have: np.concatenate(parts) for have, parts in following.items()}
        return group, root

    def solutions(self, ids: Integers) -> Complexes:
        """The solutions with these numbers: rows x_1, ..., x_n and then x0_g = 1 of each group."""
        n, groups = self.degrees.shape
        found = np.ones((len(ids), n + groups), dtype=np.complex128)
        group, root = self._factors(ids)
        degree = np.maximum(self.degrees, 1)
        # Each factor has few roots and stands in many solutions: look its roots up.
        turns = np.angle(self.constants)[..., None] + 2 * np.pi * np.arange(int(degree.max()))
        roots = np.exp(1j * (turns / degree[..., None]))
        for g in range(groups):
            members = np.flatnonzero(np.array(self.groups) == g)
            for here, rows in _alike(group == g):
                matrix, which = self.forms[np.ix_(rows, members)], np.flatnonzero(rows)
                values = roots[which, g, root[np.ix_(here, which)]]
                found[np.ix_(here, members)] = np.linalg.solve(matrix, values.T).T
        return found


def _alike(rows: Bools) -> list[tuple[Integers, Bools]]:
    """The different rows, and before each the places where it stands."""
    # By numbers of 62 bits: sorting whole rows takes most of the time of all start points.
    place = np.zeros(len(rows), dtype=np.int64)
    for low in range(0, rows.shape[1], 62):
        bits = rows[:, low : low + 62]
        numbers = (bits.astype(np.int64) << np.arange(bits.shape[1])).sum(axis=1)
        _, digit = np.unique(numbers, return_inverse=True)
        place = digit if low == 0 else place * len(rows) + digit
        if low:
            _, place = np.unique(place, return_inverse=True)
    order = np.argsort(place, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(place[order])) + 1)
    return [(here, rows[here[0]]) for here in parts if len(here)]


def linear_product(degrees: Integers, groups: tuple[int, ...], seed: int) -> LinearProduct:
    """The start system of these degrees; constants are seeded, forms the same for all seeds.

    The linear forms need only be in general position: for all but finitely many ``gamma_of`` no
    two paths meet at t > 0, whatever regular start system of these degrees is taken.
    """
    n = len(degrees)
    forms = np.zeros((n, n), dtype=np.complex128)
    for g in range(degrees.shape[1]):
        members = np.flatnonzero(np.array(groups) == g)
        forms[:, members] = _in_general_position(n, len(members))
    rng = np.random.default_rng([seed, 1])
    return LinearProduct(degrees, groups, forms, np.exp(2j * np.pi * rng.random(degrees.shape)))


@cache
def _in_general_position(count: int, size: int) -> Complexes:
    """Vectors of which any ``size`` are independent, as well as a few draws can make them so.

    Near dependence would put start points near infinity. Complex vectors because real ones are
    far more often nearly dependent. The entries are odd multiples of 2^-10: none is an integer.
    """
    rng = np.random.default_rng([count, size])
    all_picks = math.comb(count, size) <= _PICKS
    picks = np.array(
        list(combinations(range(count), size))
        if all_picks
        else [rng.permutation(count)[:size] for _ in range(_PICKS)],
        dtype=np.int64,
    )
    best, most = np.zeros((count, size), dtype=np.complex128), -1.0
    for draw in range(_DRAWS if size else 0):
        if all_picks and draw % 2:
            # Columns of the Fourier matrix: often the best there is, sometimes dependent.
            places = np.outer(np.arange(count), rng.permutation(count)[:size])
            rows = np.exp(2j * np.pi * places / count)
        else:
            rows = rng.standard_normal((count, size)) + 1j * rng.standard_normal((count, size))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        parts = (2 * np.floor(np.stack([rows.real, rows.imag]) * 512) + 1) / 1024
        rows = parts[0] + 1j * parts[1]
        least = float(np.linalg.svd(rows[picks], compute_uv=False)[..., -1].min())
        if least > most:
            best, most = rows, least
    best.setflags(write=False)
    return best


def gamma_of(seed: int) -> complex:
    """A seeded number on the unit circle: for all but finitely many, no two paths meet at t > 0."""
    return complex(np.exp(2j * np.pi * np.random.default_rng([seed, 0]).random()))

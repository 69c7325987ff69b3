"""Homotopies as straight-line programs in homogeneous coordinates, time and parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpq

from theorylab.counting.gaussian import Gaussian
from theorylab.counting.homotopy.engine import Complexes, Integers, require_square, trivial
from theorylab.counting.homotopy.starts import gamma_of, linear_product
from theorylab.counting.homotopy.starts import total_degree as total_degree_start
from theorylab.counting.program import ADD, CONSTANT, MUL, PARAMETER, VARIABLE, to_complex
from theorylab.counting.system import PolynomialSystem, Program
from theorylab.outcome import InputError

_SAMPLES = 64

Groups = Sequence[Sequence[int]]
Degrees = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Homotopy:
    """H(x, t, p) in n equations, homogeneous in each of G groups of its N = n + G variables.

    Variables 0 to n - 1 are the affine unknowns in their order; variable n + g is the one that
    makes group g homogeneous, and ``groups[v]`` names the group of variable v. Parameter 0 of the
    program is t, and parameter 1 + i is ``p[i]``, a complex number given for each path. ``t`` runs
    from 1 to 0. ``degrees`` (n x G) are the degrees of the equations in the groups.
    No number that depends on a seed or on data is a constant of the program.
    """

    program: Program
    outputs: tuple[int, ...]
    groups: tuple[int, ...]
    parameters: int
    degrees: Integers
    name: str = "homotopy"

    @property
    def dimension(self) -> int:
        """N: the number of homogeneous variables."""
        return len(self.groups)

    @property
    def equations(self) -> int:
        """n: the number of equations and of affine unknowns."""
        return len(self.outputs)

    @property
    def factors(self) -> int:
        """G: the number of groups, which is that of the projective factors."""
        return len(self.groups) - len(self.outputs)

    def by_x(self) -> tuple[tuple[int, ...], ...]:
        """The nodes of dH/dx, n rows of N."""
        wrt = [self.program.variable(v) for v in range(self.dimension)]
        return self.program.jacobian(self.outputs, wrt)

    def by_t(self) -> tuple[int, ...]:
        """The nodes of dH/dt."""
        rows = self.program.jacobian(self.outputs, [self.program.parameter(0)])
        return tuple(row[0] for row in rows)

    def lift(self, points: Complexes) -> Complexes:
        """Affine points (rows of n) in homogeneous coordinates (rows of N), unit in each group."""
        ones = np.ones((len(points), self.factors), dtype=np.complex128)
        return self.unit(np.concatenate([points, ones], axis=1))

    def affine(self, points: Complexes) -> Complexes:
        """Homogeneous points (rows of N) as affine ones (rows of n); inf or nan at infinity."""
        n = self.equations
        group = np.array(self.groups[:n], dtype=np.int64)
        with np.errstate(all="ignore"):
            found: Complexes = points[:, :n] / points[:, n:][:, group]
        return found

    def unit(self, points: Complexes) -> Complexes:
        """The points with every group divided by its norm."""
        found = np.array(points, dtype=np.complex128)
        group = np.array(self.groups, dtype=np.int64)
        with np.errstate(all="ignore"):
            for g in range(self.factors):
                mine = slice(None) if self.factors == 1 else group == g
                part = found[:, mine]
                part = part / np.abs(part).max(axis=1, keepdims=True)
                squares = part.real**2 + part.imag**2
                found[:, mine] = part / np.sqrt(squares.sum(axis=1, keepdims=True))
        return found

    def evaluate(
        self, points: Complexes, t: Complexes, parameters: Complexes
    ) -> tuple[Complexes, Complexes, Complexes]:
        """H (rows of n), dH/dx (n x N each) and dH/dt (rows of n) in numpy: slow, for checks.

        ``t`` has one entry for each point, ``parameters`` one row for each or one for all.
        """
        n, size = self.equations, self.dimension
        memo, key = self.program._memo, ("evaluate", self.outputs, size)
        tape = memo.get(key)
        if tape is None:
            flat = [node for row in self.by_x() for node in row]
            tape = memo[key] = self.program.tape([*self.outputs, *flat, *self.by_t()])
        values = np.empty((len(points), 1 + self.parameters), dtype=np.complex128)
        values[:, 0], values[:, 1:] = t, parameters
        found = tape.run_batch(np.ascontiguousarray(points), values)
        jacobian = found[:, n : n + n * size].reshape(len(points), n, size)
        return found[:, :n], jacobian, found[:, n + n * size :]


@dataclass(frozen=True, slots=True, eq=False)
class Posed:
    """A homotopy with the values of its parameters and all its start points, by path id.

    ``starts(ids)`` gives homogeneous points, rows of N.
    """

    homotopy: Homotopy
    parameters: Complexes
    paths: int
    starts: Callable[[Integers], Complexes]
    gamma: complex
    seed: int


def copied(
    system: PolynomialSystem,
    program: Program,
    groups: Groups,
    parameter: Callable[[int], int],
) -> tuple[list[int], list[Degrees]]:
    """The equations of a system, homogeneous in each group, as nodes of another program.

    ``parameter(i)`` is the node that stands for parameter i of the system. Returned are the nodes
    and their degrees in the groups, which are upper bounds read off the graph.
    """
    source, n = system.program, len(system.variables)
    group = _group_of(groups, n)
    power: dict[tuple[int, int], int] = {}

    def padded(node: int, have: Degrees, want: Degrees) -> int:
        for g, (low, high) in enumerate(zip(have, want, strict=True)):
            if high > low:
                key = (g, high - low)
                if key not in power:
                    power[key] = program.power(program.variable(n + g), high - low)
                node = program.mul(node, power[key])
        return node

    none = (0,) * len(groups)
    made: dict[int, tuple[int, Degrees]] = {}
    for v in source.reachable(system.outputs):
        kind, a, b = source.kinds[v], source.left[v], source.right[v]
        if kind == CONSTANT:
            made[v] = program.constant(source.constants[a]), none
        elif kind == VARIABLE:
            made[v] = program.variable(a), tuple(int(g == group[a]) for g in range(len(groups)))
        elif kind == PARAMETER:
            made[v] = parameter(a), none
        else:
            (p, d), (q, e) = made[a], made[b]
            if kind == MUL:
                made[v] = program.mul(p, q), tuple(x + y for x, y in zip(d, e, strict=True))
            else:
                top = tuple(map(max, d, e))
                p, q = padded(p, d, top), padded(q, e, top)
                made[v] = (program.add(p, q) if kind == ADD else program.sub(p, q)), top
    return [made[v][0] for v in system.outputs], [made[v][1] for v in system.outputs]


def _group_of(groups: Groups, n: int) -> list[int]:
    if sorted(v for members in groups for v in members) != list(range(n)):
        raise InputError(
            "groups",
            [list(members) for members in groups],
            f"each of the variables 0 to {n - 1} is in one group",
            "list each variable once",
        )
    found = [0] * n
    for g, members in enumerate(groups):
        for v in members:
            found[v] = g
    return found


def all_groups(groups: Groups, n: int) -> tuple[int, ...]:
    """The group of every homogeneous variable: the affine ones, then one for each group."""
    return (*_group_of(groups, n), *range(len(groups)))


def scales(system: PolynomialSystem) -> tuple[fmpq, ...]:
    """A power of two for each equation, near 1 over its root mean square on the unit sphere.

    Equations are multiplied by it, so that those in large or small units pull equally. Raises
    InputError for an equation that vanishes at random points and for coefficients beyond double.
    """
    n = len(system.variables)
    program = Program()
    outputs, _ = copied(system, program, [range(n)], program.parameter)
    rng = np.random.default_rng(2)
    shape = (_SAMPLES, n + 1)
    sphere = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        values = program.tape(outputs).run_batch(sphere, to_complex(system.values)[None, :])
        size = np.sqrt(np.mean(np.abs(values) ** 2, axis=0))
    for i in np.flatnonzero(size == 0):
        raise trivial(system, int(i))
    powers = [-round(math.log2(x)) if math.isfinite(x) else 0 for x in size]
    return tuple(fmpq(2) ** k for k in powers)


def total_degree(system: PolynomialSystem, seed: int = 0) -> Posed:
    """H_i = (1 - t) s_i f_i + t gamma (x_i^{d_i} - c_i x0^{d_i}), one path for each start point.

    ``s`` balances the equations; ``gamma`` and ``c`` are seeded numbers on the unit circle, which
    are parameters, after those of the system itself. Raises InputError for a system that is not
    square or has an equation 0 = 0.
    """
    require_square(system)
    n, given = len(system.variables), len(system.values)
    program = Program()
    t = program.parameter(0)
    equations, degrees = copied(system, program, [range(n)], lambda i: program.parameter(1 + i))
    rest, x0 = program.sub(program.constant(1), t), program.variable(n)
    turned = program.mul(t, program.parameter(1 + given))
    outputs = []
    for i, (node, (d,), s) in enumerate(zip(equations, degrees, scales(system), strict=True)):
        c = program.parameter(2 + given + i)
        power = program.power(program.variable(i), d)
        start = program.sub(power, program.mul(c, program.power(x0, d)))
        target = program.mul(program.constant(s), node)
        outputs.append(program.add(program.mul(rest, target), program.mul(turned, start)))
    degree = np.array(degrees, dtype=np.int64).reshape(n, 1)
    start_system = total_degree_start(degree[:, 0], seed)
    gamma = gamma_of(seed)
    values = np.concatenate([to_complex(system.values), [gamma], start_system.constants])
    homotopy = Homotopy(
        program, tuple(outputs), all_groups([range(n)], n), given + 1 + n, degree, system.name
    )

    def starts(ids: Integers) -> Complexes:
        return np.roll(start_system.solutions(ids), -1, axis=1)

    return Posed(homotopy, values, start_system.paths, starts, gamma, seed)


def multihomogeneous(system: PolynomialSystem, groups: Groups, seed: int = 0) -> Posed:
    """H_i = (1 - t) s_i f_i + t gamma prod_g (l_ig^{d_ig} - c_ig x0_g^{d_ig}), d_ig per group.

    One path for each unit of the multihomogeneous Bezout number of these groups of variables, one
    projective factor for each group: for networks, one for each layer. See ``LinearProduct`` for
    the start system, ``total_degree`` for s, gamma, c and the refusals; InputError as well for
    groups that do not list each variable once.
    """
    require_square(system)
    n, given, count = len(system.variables), len(system.values), len(groups)
    program = Program()
    t = program.parameter(0)
    equations, degrees = copied(system, program, groups, lambda i: program.parameter(1 + i))
    degree = np.array(degrees, dtype=np.int64).reshape(n, count)
    everything = all_groups(groups, n)
    start_system = linear_product(degree, everything[:n], seed)
    rest = program.sub(program.constant(1), t)
    turned = program.mul(t, program.parameter(1 + given))
    outputs = []
    for i, (node, s) in enumerate(zip(equations, scales(system), strict=True)):
        start = turned
        for g, d in enumerate(degrees[i]):
            if d:
                c = program.parameter(2 + given + i * count + g)
                form = program.total(
                    [
                        program.mul(program.constant(_exact(x)), program.variable(v))
                        for v, x in enumerate(start_system.forms[i])
                        if everything[v] == g
                    ]
                )
                far = program.mul(c, program.power(program.variable(n + g), d))
                start = program.mul(start, program.sub(program.power(form, d), far))
        target = program.mul(program.constant(s), node)
        outputs.append(program.add(program.mul(rest, target), start))
    gamma = gamma_of(seed)
    values = np.concatenate([to_complex(system.values), [gamma], start_system.constants.ravel()])
    homotopy = Homotopy(
        program, tuple(outputs), everything, given + 1 + n * count, degree, system.name
    )

    def starts(ids: Integers) -> Complexes:
        return homotopy.unit(start_system.solutions(ids))

    return Posed(homotopy, values, start_system.paths, starts, gamma, seed)


def _exact(z: complex) -> Gaussian:
    return Gaussian(*(fmpq(*x.as_integer_ratio()) for x in (float(z.real), float(z.imag))))


def parameter(system: PolynomialSystem, groups: Groups | None = None) -> Homotopy:
    """H(x, t) = f(x; t a + (1 - t) b): from the parameter values a of a system to values b.

    The 2P parameters are a, then b: rows made by ``segments``. ``groups`` are the projective
    factors, by default the groups of the system. Raises InputError for a system that is not square
    or has no parameters.
    """
    require_square(system)
    if not system.parameters:
        raise InputError(
            "system",
            system.name,
            "a parameter homotopy moves the parameters of a system, and this one has none",
            "build the system with parametric=True",
        )
    chosen = system.groups if groups is None else groups
    # Made once: its kernels and derivatives are kept with its program.
    key = ("parameter homotopy", system.outputs, tuple(map(tuple, chosen)), system.name)
    known: Homotopy | None = system.program._memo.get(key)
    if known is None:
        known = system.program._memo[key] = _moving(system, chosen)
    return known


def _moving(system: PolynomialSystem, chosen: Groups) -> Homotopy:
    n, given = len(system.variables), len(system.parameters)
    program = Program()
    t = program.parameter(0)
    rest = program.sub(program.constant(1), t)
    moving = [
        program.add(
            program.mul(t, program.parameter(1 + i)),
            program.mul(rest, program.parameter(1 + given + i)),
        )
        for i in range(given)
    ]
    outputs, degrees = copied(system, program, chosen, moving.__getitem__)
    return Homotopy(
        program,
        tuple(outputs),
        all_groups(chosen, n),
        2 * given,
        np.array(degrees, dtype=np.int64).reshape(n, len(chosen)),
        system.name,
    )


def segments(start: Complexes, target: Complexes) -> Complexes:
    """Rows (a, b) for ``parameter`` from start values and target values, one row or many each.

    >>> segments(np.array([1j]), np.array([[2.0], [3.0]])).tolist()
    [[1j, (2+0j)], [1j, (3+0j)]]
    """
    a, b = np.atleast_2d(start), np.atleast_2d(target)
    rows = max(len(a), len(b))
    found: Complexes = np.concatenate(
        [np.broadcast_to(a, (rows, a.shape[1])), np.broadcast_to(b, (rows, b.shape[1]))], axis=1
    ).astype(np.complex128)
    return found

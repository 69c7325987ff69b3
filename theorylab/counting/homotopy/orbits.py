"""Orbits of solutions: the known finite group of a gauge, and the functions behind solutions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpq

from theorylab.counting.homotopy.engine import Complexes, Floats, Integers, chordal
from theorylab.counting.system import PolynomialSystem, layout_of
from theorylab.outcome import InputError

# Largest known group that is written out.
_LARGEST = 50_000
SAME = 1e-7
"""Two invariants closer than this (chordal distance) are one to floating point."""


@dataclass(frozen=True, slots=True, eq=False)
class FiniteGroup:
    """Maps y_j = factors[g, j] x_permutations[g, j] of the unknowns, one row for each element.

    Row 0 is the identity. ``diagonal`` tells the elements that permute nothing.
    """

    permutations: Integers
    factors: Complexes

    @property
    def order(self) -> int:
        """How many elements there are."""
        return len(self.permutations)

    def images(self, points: Complexes) -> Complexes:
        """All images (points x order x unknowns)."""
        found: Complexes = points[:, self.permutations] * self.factors
        return found

    def on(self, support: Sequence[int]) -> FiniteGroup:
        """One element for each way to act on points whose other unknowns are zero."""
        point = np.zeros((1, self.permutations.shape[1]), dtype=np.complex128)
        point[0, list(support)] = gaussians(np.random.default_rng(3), len(support))
        images = np.round(self.images(point)[0], 9) + 0.0
        _, first = np.unique(images, axis=0, return_index=True)
        kept = np.sort(first)
        return FiniteGroup(self.permutations[kept], self.factors[kept])

    def expanded(self, points: Complexes) -> Complexes:
        """All images as rows, those of one point together."""
        found = self.images(points)
        return found.reshape(-1, points.shape[1])


def known_group(system: PolynomialSystem) -> FiniteGroup:
    """The group that ``system.gauge.symmetries`` generates, on the unknowns of the system.

    Trivial for systems with slices, which break it, and for systems that are not of a network.
    Guarantees: every element maps solutions to solutions for all values of the parameters; the
    closure is formed in exact arithmetic. Raises InputError beyond 50,000 elements.

    >>> from theorylab.counting.system import interpolation_system
    >>> from theorylab.model import Dataset, Network
    >>> data = Dataset.from_rows([[1, 2], [3, 1], [0, 1], [1, 1]], [[1], [0], [2], [1]])
    >>> known_group(interpolation_system(Network.dense((2, 2, 1), "cube"), data)).order
    18
    """
    n = len(system.variables)
    identity = (tuple(range(n)), (fmpq(0),) * n)
    generators = [] if system.slices or system.origin is None else _on_unknowns(system)
    found = {identity: None}
    waiting = [identity]
    while waiting:
        permutation, phases = waiting.pop()
        for other, turn in generators:
            sums = [turn[j] + phases[other[j]] for j in range(n)]
            image = (
                tuple(permutation[other[j]] for j in range(n)),
                tuple(s - s.floor() for s in sums),
            )
            if image not in found:
                if len(found) >= _LARGEST:
                    raise InputError(
                        "system",
                        system.name,
                        f"its known symmetry group has more than {_LARGEST} elements",
                        "take a smaller network",
                    )
                found[image] = None
                waiting.append(image)
    permutations = np.array([p for p, _ in found], dtype=np.int64).reshape(len(found), n)
    turns = np.array([[_turn(q) for q in phases] for _, phases in found], dtype=np.complex128)
    return FiniteGroup(permutations, turns.reshape(len(found), n))


def _turn(phase: fmpq) -> complex:
    """e^(2 pi i phase), the fourth roots of unity without an error."""
    quarters = 4 * phase
    if quarters.q == 1:
        return (1, 1j, -1, -1j)[int(quarters.p) % 4]
    return complex(np.exp(2j * np.pi * int(phase.p) / int(phase.q)))


_Element = tuple[tuple[int, ...], tuple[fmpq, ...]]


def _on_unknowns(system: PolynomialSystem) -> list[_Element]:
    assert system.origin is not None, "asked for systems of networks only"
    template = system.origin.template
    place = {entry: p for p, entry in enumerate(template) if not isinstance(entry, fmpq)}
    found = []
    for symmetry in system.gauge.symmetries:
        images = [template[symmetry.permutation[place[u]]] for u in range(len(system.variables))]
        assert not any(isinstance(image, fmpq) for image in images), "fixed weights stay fixed"
        phases = tuple(symmetry.phases[place[u]] for u in range(len(system.variables)))
        found.append((tuple(int(image) for image in images), phases))
    return found


def network_values(system: PolynomialSystem, points: Complexes, inputs: Complexes) -> Complexes:
    """The network's outputs (points x inputs * outputs) at complex inputs (rows).

    ``points`` are values of the unknowns, what the gauge fixed is added. Floating point. Raises
    InputError for systems that are not of a network.
    """
    if system.origin is None:
        raise _not_a_network(system)
    network, template = system.origin.network, system.origin.template
    full = np.empty((len(points), len(template)), dtype=np.complex128)
    for p, entry in enumerate(template):
        full[:, p] = _double(entry) if isinstance(entry, fmpq) else points[:, entry]
    coefficients = [_double(c) for c in network.activation.coefficients or ()]
    values = np.broadcast_to(inputs.T, (len(points), *inputs.T.shape))
    with np.errstate(all="ignore"):
        for k, layer in enumerate(layout_of(network).entries, start=1):
            matrix = np.empty((len(points), len(layer), len(layer[0])), dtype=np.complex128)
            for i, row in enumerate(layer):
                for j, entry in enumerate(row):
                    held = _double(entry) if isinstance(entry, fmpq) else full[:, entry]
                    matrix[:, i, j] = held
            if network.bias[k - 1]:
                ones = np.ones((len(points), 1, values.shape[2]), dtype=np.complex128)
                values = np.concatenate([values, ones], axis=1)
            # Not matmul: BLAS wakes threads for it, which take longer than the product.
            values = np.einsum("kij,kjl->kil", matrix, values)
            if k < network.depth or network.output == "activation":
                values = _polynomial(coefficients, values)
    return values.transpose(0, 2, 1).reshape(len(points), len(inputs) * network.m)


def _not_a_network(system: PolynomialSystem) -> InputError:
    return InputError(
        "system",
        system.name,
        "only systems made from a network have a function",
        "use interpolation_system or critical_system",
    )


def _double(value: fmpq) -> float:
    return int(value.p) / int(value.q)


def _polynomial(coefficients: Sequence[float], values: Complexes) -> Complexes:
    total = np.zeros_like(values)
    for coefficient in reversed(coefficients):
        total = total * values + coefficient
    return total


@dataclass(frozen=True, slots=True, eq=False)
class Invariants:
    """Numbers that tell solutions apart: by their functions, and by their orbits.

    ``inputs`` are random complex points; ``form`` and ``shift`` make a random rational function
    of the unknowns, whose sum over the known group separates its orbits.
    """

    system: PolynomialSystem
    group: FiniteGroup
    inputs: Complexes
    form: Complexes
    shift: complex

    @staticmethod
    def of(system: PolynomialSystem, seed: int) -> Invariants:
        """Seeded ones, with two inputs."""
        if system.origin is None:
            raise _not_a_network(system)
        rng = np.random.default_rng([seed, 11])
        form = gaussians(rng, len(system.variables))
        inputs = gaussians(rng, 2, system.origin.network.n)
        return Invariants(system, known_group(system), inputs, form, 3 + complex(form[0]))

    def _forms(self) -> Complexes:
        """The linear form after each element of the group (unknowns x order)."""
        found = np.zeros((len(self.form), self.group.order), dtype=np.complex128)
        for j, coefficient in enumerate(self.form):
            place = self.group.permutations[:, j]
            found[place, np.arange(self.group.order)] += self.group.factors[:, j] * coefficient
        return found

    def functions(self, points: Complexes) -> Complexes:
        """The network's values at the inputs: equal for equal functions."""
        return network_values(self.system, points, self.inputs)

    def orbits(self, points: Complexes) -> Complexes:
        """The values, and one number more: equal for points of one orbit of the known group."""
        with np.errstate(all="ignore"):
            size = np.sqrt((np.abs(points) ** 2).sum(axis=1))
            # The sum of size / (shift + form / size): one slow quotient for each image.
            images = np.einsum("ki,ij->kj", points, self._forms())
            images += (self.shift * np.where(size > 0, size, 1.0))[:, None]
            mixed = size**2 * np.reciprocal(images, out=images).sum(axis=1)
        # The function is weighed against the size of the point, so that neither hides the other.
        return np.concatenate([self.functions(points), mixed[:, None]], axis=1)


def gaussians(rng: np.random.Generator, *shape: int) -> Complexes:
    """Standard complex normal numbers."""
    found: Complexes = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    found /= np.sqrt(2)
    return found


class Seen:
    """Distinct rows seen so far, found again by chordal distance; rows keep their numbers."""

    def __init__(self, width: int) -> None:
        self._rows = np.empty((0, width + 1), dtype=np.complex128)
        self._direction = _direction(width + 1)
        self._sorted = np.empty(0)
        self._order = np.empty(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._rows)

    def numbers(self, rows: Complexes, *, add: bool) -> tuple[Integers, Integers]:
        """The number of each row (-1: not seen), and which rows were new and first.

        With ``add`` new rows are remembered and get numbers. Rows that are not finite are -1.
        """
        finite = np.isfinite(rows).all(axis=1)
        lifted = np.zeros((len(rows), rows.shape[1] + 1), dtype=np.complex128)
        lifted[finite] = chordal(rows[finite])
        found = np.full(len(rows), -1, dtype=np.int64)
        shadow = _shadow(lifted, self._direction)
        low = np.searchsorted(self._sorted, shadow - SAME)
        high = np.searchsorted(self._sorted, shadow + SAME)
        for i in np.flatnonzero(finite & (high > low)):
            window = self._order[low[i] : high[i]]
            near = np.linalg.norm(self._rows[window] - lifted[i], axis=1)
            best = int(np.argmin(near))
            if near[best] < SAME:
                found[i] = window[best]
        fresh = np.flatnonzero(finite & (found < 0))
        if not add or not len(fresh):
            return found, np.empty(0, dtype=np.int64)
        owners = repeated(rows[fresh], np.zeros(len(fresh), dtype=np.int64))
        first = fresh[owners < 0]
        found[first] = len(self._rows) + np.arange(len(first))
        found[fresh[owners >= 0]] = found[fresh[owners[owners >= 0]]]
        self._rows = np.concatenate([self._rows, lifted[first]])
        shadow = _shadow(self._rows, self._direction)
        self._order = np.argsort(shadow, kind="stable")
        self._sorted = shadow[self._order]
        return found, first


def repeated(rows: Complexes, sets: Integers) -> Integers:
    """For each row the first row of its set that is equal to it, or -1; rows not finite are not.

    >>> repeated(np.array([[1.0], [2.0], [1.0], [1.0]]), np.array([0, 0, 0, 1])).tolist()
    [-1, -1, 0, -1]
    """
    found = np.full(len(rows), -1, dtype=np.int64)
    finite = np.flatnonzero(np.isfinite(rows).all(axis=1))
    lifted = chordal(rows[finite].astype(np.complex128))
    shadow = _shadow(lifted, _direction(lifted.shape[1]))
    order = np.lexsort((shadow, sets[finite]))
    lifted, shadow, ids, owner = lifted[order], shadow[order], finite[order], sets[finite][order]
    for gap in range(1, len(ids)):
        near = (owner[gap:] == owner[:-gap]) & (shadow[gap:] - shadow[:-gap] < SAME)
        if not near.any():
            break
        for a in np.flatnonzero(near):
            if np.linalg.norm(lifted[a] - lifted[a + gap]) < SAME:
                first, second = sorted((int(ids[a]), int(ids[a + gap])))
                found[second] = first if found[second] < 0 else min(first, int(found[second]))
    return found


def _shadow(rows: Complexes, direction: Complexes) -> Floats:
    """The real part of the products: near rows have near ones."""
    found: Floats = np.einsum("ki,i->k", rows.real, direction.real)
    found -= np.einsum("ki,i->k", rows.imag, direction.imag)
    return found


def _direction(width: int) -> Complexes:
    found = gaussians(np.random.default_rng(1), width)
    found /= np.linalg.norm(found)
    return found

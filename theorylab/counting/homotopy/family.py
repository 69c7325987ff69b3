"""Families of network problems: what moves, which components there are, and free solutions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from theorylab.counting.homotopy.engine import Complexes, Integers, PathStatus
from theorylab.counting.homotopy.homotopy import Homotopy, parameter, segments
from theorylab.counting.homotopy.orbits import Invariants, gaussians
from theorylab.counting.homotopy.tracker import Options, track
from theorylab.counting.program import to_complex
from theorylab.counting.system import PolynomialSystem
from theorylab.outcome import InputError

Bools = npt.NDArray[np.bool_]

LEAN: Final = Options(resume=False, endgame=False)
"""Between generic members no path diverges and no end point is singular."""
_LANDED: Final = 1e-9
_DRAWS: Final = 64
_SCALES: Final = (1.0, 0.7, 0.5)
_COMPONENTS: Final = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """A parametric system with the roles of its parameters, by number."""

    system: PolynomialSystem
    homotopy: Homotopy
    invariants: Invariants
    targets: Integers
    ridges: Integers
    options: Options

    @staticmethod
    def of(system: PolynomialSystem, seed: int, threads: int) -> Family:
        homotopy = parameter(system)
        invariants = Invariants.of(system, seed)
        targets = [i for i, name in enumerate(system.parameters) if name.startswith("y")]
        ridges = [i for i, name in enumerate(system.parameters) if name.startswith("ridge_")]
        return Family(
            system,
            homotopy,
            invariants,
            np.array(targets, dtype=np.int64),
            np.array(ridges, dtype=np.int64),
            replace(LEAN, threads=threads),
        )

    @property
    def linear(self) -> Integers:
        """The parameters in which the equations are affine, together."""
        return np.concatenate([self.targets, self.ridges])

    def seeded(self, support: tuple[int, ...], rng: np.random.Generator) -> tuple[Complexes, ...]:
        """A solution (unknowns) and the parameters of which it is one, both random.

        Of several draws the one whose targets and ridges differ least in size, and targets from 1:
        huge targets beside small ones make other solutions ill-conditioned, and paths are the
        longer the further a member is from the data it is moved to.
        """
        drawn = [self._drawn(support, rng, _SCALES[k % len(_SCALES)]) for k in range(_DRAWS)]
        made = [(point, values) for point, values in drawn if self._solves(point, values)]
        if not made:
            raise InputError(
                "system",
                self.system.name,
                "random weights solve it for no targets or ridges",
                "use interpolation_system, or critical_system with ridge='generic'",
            )

        def spread(pair: tuple[Complexes, Complexes]) -> float:
            sizes = np.abs(pair[1][self.targets])
            mean = float(np.sqrt(np.mean(sizes**2))) if sizes.any() else 1.0
            far, worst = max(mean, 1 / mean), 1.0
            for kind in (self.targets, self.ridges):
                size = np.abs(pair[1][kind])
                # A network that does not move them all leaves targets that are 0.
                least = max(float(size.min(initial=1e300)), 1e-300)
                worst = max(worst, float(size.max(initial=1e-300)) / least)
            return worst * far

        return min(made, key=spread)

    def _drawn(
        self, support: tuple[int, ...], rng: np.random.Generator, scale: float
    ) -> tuple[Complexes, ...]:
        system = self.system
        point = np.zeros(len(system.variables), dtype=np.complex128)
        point[list(support)] = scale * gaussians(rng, len(support))
        if system.slices:
            rows = np.array([to_complex(cut.coefficients) for cut in system.slices])
            constants = to_complex([cut.constant for cut in system.slices])
            point = point - np.linalg.pinv(rows) @ (rows @ point + constants)
        values = gaussians(rng, len(system.parameters))
        residual = system.evaluate(point[None, :], values)[0]
        values[self.linear] -= np.linalg.pinv(self._slopes(point, values)) @ residual
        return point, values

    def _solves(self, point: Complexes, values: Complexes) -> bool:
        residual = self.system.evaluate(point[None, :], values)[0]
        size = 1 + np.abs(values).max(initial=0.0)
        return bool(np.abs(residual).max(initial=0.0) < 1e-9 * size)

    def _slopes(self, point: Complexes, values: Complexes) -> Complexes:
        """The derivatives of the equations by the parameters they are affine in."""
        program = self.system.program
        wrt = [program.parameter(int(i)) for i in self.linear]
        rows = program.jacobian(self.system.outputs, wrt)
        tape = program.tape([node for row in rows for node in row])
        return tape.run_batch(point[None, :], values[None, :]).reshape(len(rows), len(wrt))

    def elsewhere(self, values: Complexes, rng: np.random.Generator, count: int) -> Complexes:
        """Random parameters (count rows), each kind of the size it has here."""
        found = gaussians(rng, count, len(values))
        for kind in (self.targets, self.ridges):
            if len(kind):
                found[:, kind] *= np.sqrt(np.mean(np.abs(values[kind]) ** 2))
        return found

    def moved(
        self, points: Complexes, start: Complexes, target: Complexes, sets: Integers | None = None
    ) -> tuple[Complexes, Bools]:
        """The points followed from parameters to others, and which of them arrived."""
        paths = track(
            self.homotopy, points, segments(start, target), sets=sets, options=self.options
        )
        landed = np.zeros(len(points), dtype=bool)
        landed[paths.ids(PathStatus.FINITE, PathStatus.SINGULAR)] = True
        # Generic members have regular solutions only, some of them ill-conditioned.
        return paths.affine, landed & (paths.t == 0) & (paths.correction < _LANDED)


def supports(system: PolynomialSystem, ridges: Integers, seed: int) -> list[tuple[int, ...]]:
    """The sets S of unknowns for which, all others zero, exactly the equations of S are not 0 = 0.

    Equations that live on a set live on larger ones. So whatever lies below T lies below its part
    on which the equations live; and where an equation outside T lives on a part M of T, each S
    below T leaves out something of M.
    """
    n = len(system.variables)
    rng = np.random.default_rng([seed, 14])
    values = gaussians(rng, 3, len(system.parameters))
    values[:, ridges] = 0
    places = gaussians(rng, 3, n)

    def live(support: frozenset[int]) -> frozenset[int]:
        points = np.zeros_like(places)
        inside = sorted(support)
        points[:, inside] = places[:, inside]
        size = np.abs(system.evaluate(points, values)).max(axis=0)
        return frozenset(np.flatnonzero(size > 1e-10).tolist())

    def least(support: frozenset[int], equation: int) -> frozenset[int]:
        """A smallest part of the support on which this equation is not 0 = 0."""
        for j in sorted(support):
            if equation in live(support - {j}):
                support = support - {j}
        return support

    found: set[frozenset[int]] = set()
    visited: set[frozenset[int]] = set()
    waiting = [frozenset(range(n))]
    while waiting:
        support = waiting.pop()
        alive = live(support)
        while not support <= alive:
            support = support & alive
            alive = live(support)
        if support in visited:
            continue
        visited.add(support)
        extra = alive - support
        if not extra:
            found.add(support)
        if len(found) > _COMPONENTS:
            raise InputError(
                "system",
                system.name,
                f"its critical points have more than {_COMPONENTS} components (dead units)",
                "take a smaller network",
            )
        omit = least(support, min(extra)) if extra else support
        waiting += [support - {j} for j in omit]
    return sorted((tuple(sorted(s)) for s in found), key=lambda s: (-len(s), s))

"""What every homotopy engine promises, and what it hands back: one record for each path."""

from __future__ import annotations

import enum
import hashlib
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from theorylab.counting.system import PolynomialSystem
from theorylab.outcome import InputError

Complexes = npt.NDArray[np.complex128]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

SAME_REGULAR: Final = 1e-10
"""Two regular end points closer than this (chordal) are one point to an engine."""
SAME_SINGULAR: Final = 1e-4
"""End points of a singular kind are only good to a root of the precision."""


class PathStatus(enum.Enum):
    """How a path ended, as far as floating point can tell.

    >>> [status.value for status in PathStatus]
    ['finite', 'infinity', 'suspended', 'singular', 'failed', 'jumped']
    """

    FINITE = "finite"
    """Newton's method converges quadratically at a finite end point: an isolated simple root."""
    INFINITY = "infinity"
    """The strict rule holds: the path leaves affine space."""
    SUSPENDED = "suspended"
    """It seems to leave affine space, by a rule that is sometimes wrong, and was not followed on:
    only where a caller asks for that."""
    SINGULAR = "singular"
    """A finite end point where Newton's method does not converge or the Jacobian is near singular:
    a multiple root, a point of a positive-dimensional part, or a root beyond double precision."""
    FAILED = "failed"
    """The path was given up, or its end could not be told: nothing follows from it."""
    JUMPED = "jumped"
    """It ended, on a second and finer run as well, at the simple root another path owns."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while paths were followed; ``partial`` holds what was finished until then.

    It is a Paths or a Solutions, whose unfinished paths are FAILED with that reason.
    """

    def __init__(self, partial: object) -> None:
        super().__init__("interrupted while following paths")
        self.partial = partial


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A finite end point, all paths that ended there, and whether it is a regular one."""

    point: tuple[complex, ...]
    paths: tuple[int, ...]
    regular: bool

    @property
    def multiplicity(self) -> int:
        """How many paths ended here."""
        return len(self.paths)


@dataclass(frozen=True, slots=True, eq=False)
class Solutions:
    """All paths of one run, path id = row: failures are kept, and nothing is ever dropped.

    ``points`` (paths x variables) are affine, except in rows of status INFINITY: there they are
    the unit direction in which the path left. ``residuals`` are sizes of the last Newton
    correction relative to the point, ``conditions`` condition numbers of the scaled projective
    Jacobian (inf where none was computed), ``reasons`` one sentence for each path.

    Guarantees: heuristic. The number of finite points is no lower bound until they are certified,
    and no upper bound ever: lost roots need not show a duplicate or a failure.
    """

    engine: str
    variables: tuple[str, ...]
    points: Complexes
    status: tuple[PathStatus, ...]
    reasons: tuple[str, ...]
    steps: Integers
    residuals: Floats
    conditions: Floats
    retracked: tuple[int, ...]
    seed: int
    gamma: complex
    tau: float
    seconds: float

    @property
    def paths(self) -> int:
        """How many paths were followed."""
        return len(self.status)

    def count(self, status: PathStatus) -> int:
        """How many paths ended so."""
        return sum(1 for found in self.status if found is status)

    def ids(self, *wanted: PathStatus) -> tuple[int, ...]:
        """The paths that ended in one of these ways, in order."""
        return tuple(i for i, found in enumerate(self.status) if found in wanted)

    @property
    def regular(self) -> Complexes:
        """The distinct finite regular end points (points x variables), by path id."""
        return self.points[list(self.ids(PathStatus.FINITE))]

    @property
    def singular(self) -> Complexes:
        """The singular finite end points, one row for each path."""
        return self.points[list(self.ids(PathStatus.SINGULAR))]

    @property
    def accounted(self) -> bool:
        """Whether every path has an end that is understood. No evidence of completeness by itself:
        paths that jump to infinity leave no trace here."""
        return not self.ids(PathStatus.FAILED, PathStatus.JUMPED, PathStatus.SUSPENDED)

    def finite(self) -> tuple[Endpoint, ...]:
        """The distinct finite end points with the paths that ended there, regular ones first.

        Singular end points within 1e-4 (chordal distance) are taken for one: a multiplicity read
        from this is a guess.
        """
        found = []
        for status in (PathStatus.FINITE, PathStatus.SINGULAR):
            ids = self.ids(status)
            regular = status is PathStatus.FINITE
            tolerance = SAME_REGULAR if regular else SAME_SINGULAR
            for cluster in clusters(self.points[list(ids)], tolerance):
                members = tuple(ids[i] for i in cluster)
                best = min(members, key=lambda i: (self.residuals[i], i))
                point = tuple(complex(z) for z in self.points[best])
                found.append(Endpoint(point, members, regular))
        return tuple(found)

    def digest(self) -> str:
        """SHA-256 of everything but the wall time: equal for equal systems, seeds and machines."""
        h = hashlib.sha256()
        for array in (self.points, self.steps, self.residuals, self.conditions):
            h.update(np.ascontiguousarray(array).tobytes())
        rest = (self.engine, self.variables, [s.value for s in self.status], self.reasons)
        h.update(repr((*rest, self.retracked, self.seed, self.gamma, self.tau)).encode())
        return h.hexdigest()

    def __str__(self) -> str:
        """Counts, open ends, and what repeats the run."""
        counts = [f"{self.count(s)} {s.value}" for s in PathStatus]
        lines = [f"{self.paths} paths: {', '.join(counts)}"]
        open_ends = Counter(self.reasons[i] for i in self.ids(PathStatus.FAILED, PathStatus.JUMPED))
        lines += [f"{number} path(s): {reason}" for reason, number in open_ends.most_common(3)]
        lines.append(
            f"engine {self.engine}, seed {self.seed}, gamma {self.gamma:.6f}, tau {self.tau:g}, "
            f"{len(self.retracked)} re-tracked, {self.seconds:.2f} s"
        )
        lines.append("floating point: counts are not proofs, and roots may be lost without a sign")
        return "\n".join(lines)


class Engine(ABC):
    """A way to follow all paths of a homotopy to a square polynomial system.

    Laws, run by tests/conformance for every engine; s = solve(f, seed=k):

    1. *Nothing dropped.* ``s.paths == path_count(f)``; every array has one row for each path, and
       every path one status and one non-empty reason.
    2. *Regular means regular.* At each FINITE row f nearly vanishes and its Jacobian is
       invertible; no two FINITE rows are one point.
    3. *Singular is not regular.* A multiple root or a point of a positive-dimensional part is
       never FINITE.
    4. *Deterministic.* The same system, seed and machine give the same ``digest()``; the seed and
       gamma are in the result, and other seeds give another gamma.
    5. *Arguments are not touched* and no global random state is read or changed.
    6. *Scaling.* Multiplying equations by nonzero numbers and reordering them leaves the set of
       regular end points as it is, on systems without lost paths.
    7. *Refusals.* A system that is not square, or larger than the engine can follow, raises
       InputError before any work.
    """

    name: str

    @abstractmethod
    def path_count(self, system: PolynomialSystem) -> int:
        """How many paths ``solve`` will follow. Raises InputError as ``solve`` does."""

    @abstractmethod
    def solve(self, system: PolynomialSystem, *, seed: int = 0) -> Solutions:
        """Follow all paths. Guarantees: heuristic. Raises InputError by law 7."""


def require_square(system: PolynomialSystem) -> None:
    """InputError unless there are as many equations as unknowns and no equation is 0 = 0."""
    if not system.is_square or not system.variables:
        raise InputError(
            "system",
            system.name,
            f"homotopies need as many equations as unknowns, at least one; here "
            f"{system.shape_in_words}",
            "add slices, fix a gauge, or combine equations",
        )
    for i, (node, degree) in enumerate(zip(system.outputs, system.degrees, strict=True)):
        if degree == 0 and system.program.value(node) == 0:
            raise trivial(system, i)


def trivial(system: PolynomialSystem, i: int) -> InputError:
    """The refusal of an equation 0 = 0."""
    return InputError(
        "system",
        system.name,
        f"equation {i + 1} is 0 = 0, so no solution is isolated",
        "leave it out and add a slice",
    )


def chordal(points: Complexes) -> Complexes:
    """The points as unit vectors (1, x) / |(1, x)|, whose distances stay sensible for large x."""
    if not len(points):
        return np.empty((0, points.shape[1] + 1), dtype=np.complex128)
    # Hypotenuses of huge numbers: divide by the largest entry before squaring.
    lifted = np.concatenate([np.ones((len(points), 1), dtype=np.complex128), points], axis=1)
    lifted = lifted / np.abs(lifted).max(axis=1, keepdims=True)
    found: Complexes = lifted / np.linalg.norm(lifted, axis=1, keepdims=True)
    return found


def clusters(points: Complexes, tolerance: float) -> list[tuple[int, ...]]:
    """Rows that are linked by chordal distances at most ``tolerance``, singletons included.

    >>> clusters(np.array([[1.0], [2.0], [1.0 + 1e-12], [5.0]], dtype=np.complex128), 1e-9)
    [(0, 2), (1,), (3,)]
    """
    lifted = chordal(points)
    parent = list(range(len(points)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    # Near points have near projections: only neighbours in that order need comparing.
    direction = np.cos(np.arange(1, 2 * lifted.shape[1] + 1) ** 2.0)
    direction /= np.linalg.norm(direction)
    shadow = np.einsum("ki,i->k", np.concatenate([lifted.real, lifted.imag], axis=1), direction)
    order = np.argsort(shadow, kind="stable")
    values = shadow[order]
    last = np.searchsorted(values, values + tolerance, side="right")
    for a in range(len(order)):
        window = order[a + 1 : last[a]]
        if len(window):
            near = np.linalg.norm(lifted[window] - lifted[order[a]], axis=1) <= tolerance
            for b in window[near]:
                i, j = sorted((root(int(order[a])), root(int(b))))
                parent[j] = i
    found: dict[int, list[int]] = {}
    for i in range(len(points)):
        found.setdefault(root(i), []).append(i)
    return [tuple(members) for members in found.values()]

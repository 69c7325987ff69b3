"""From one complete generic instance to many data sets: parameter homotopies, orbit by orbit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from theorylab.counting.gaussian import scalar
from theorylab.counting.homotopy.engine import Complexes, Integers, PathStatus
from theorylab.counting.homotopy.family import LEAN
from theorylab.counting.homotopy.homotopy import Homotopy, parameter, segments
from theorylab.counting.homotopy.monodromy import GenericCount
from theorylab.counting.homotopy.orbits import FiniteGroup, Invariants, gaussians, repeated
from theorylab.counting.homotopy.tracker import Options, Paths, track
from theorylab.counting.program import to_complex
from theorylab.outcome import InputError

_PATHS: Final = 100_000
"""Paths followed at once."""
_MEMBERS: Final = 3
"""Generic members tried for an instance before its lost paths are reported."""

_NAMES: Final = tuple(PathStatus)
_CONVERGED: Final = "Newton's method converges"
_ENDED: Final = (PathStatus.FINITE, PathStatus.SINGULAR)
_LOST: Final = (PathStatus.FAILED, PathStatus.JUMPED, PathStatus.SUSPENDED)


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """The solutions of one member of a family, by orbits of the known group.

    ``representatives`` has a row for each orbit of the generic member, nan where the path was
    lost or left for infinity; ``status`` and ``reasons`` say how each path ended. ``groups`` are
    the images that are solutions too: those of row i are made by ``groups[parts[i]]``. ``met``
    counts paths that seem to meet others at their end (winding number above 1), ``member`` is the
    number of the generic member the paths came from (0: the stored one).

    Guarantees: heuristic, as ``Solutions``.
    """

    values: Complexes
    representatives: Complexes
    status: tuple[PathStatus, ...]
    reasons: tuple[str, ...]
    groups: tuple[FiniteGroup, ...]
    parts: Integers
    steps: int
    met: int
    member: int

    @property
    def points(self) -> Complexes:
        """All solutions (rows): every image of every representative, regular ones first."""
        found = [np.empty((0, self.representatives.shape[1]), dtype=np.complex128)]
        for status in _ENDED:
            here = np.array([s is status for s in self.status], dtype=bool)
            for number, group in enumerate(self.groups):
                rows = self.representatives[here & (self.parts == number)]
                found.append(group.expanded(rows))
        return np.concatenate(found)

    @property
    def lost(self) -> tuple[int, ...]:
        """The representatives whose paths were given up, or ended where another did."""
        if not any(status in self.status for status in _LOST):
            return ()
        return tuple(i for i, status in enumerate(self.status) if status in _LOST)

    @property
    def complete(self) -> bool:
        """Whether every path ended at a regular solution of its own."""
        return all(status is PathStatus.FINITE for status in self.status)

    @property
    def accounted(self) -> bool:
        """Whether no path was lost: some may have left for infinity or met."""
        return not self.lost


def to_instances(
    generic: GenericCount,
    instances: Sequence[Sequence[Any]] | npt.NDArray[Any],
    *,
    seed: int = 0,
    options: Options | None = None,
) -> tuple[Instance, ...]:
    """The solutions of members of a family from those of a generic one, all members at once.

    ``instances`` are values of the parameters (rows: exact scalars, or floating point). One path
    is followed for each orbit of the known group. Instances with paths that were lost or
    met are followed again from up to two other generic members. Regular end points do not depend
    on which instances come together, nor on threads.

    Guarantees: heuristic; isolated solutions are all found if ``generic`` is complete and no path
    is lost. Raises InputError for rows of the wrong length and for a generic member of which only
    the functions are known.

    >>> from theorylab.counting.homotopy.monodromy import monodromy
    >>> from theorylab.counting.system import interpolation_system
    >>> from theorylab.model import Dataset, Network
    >>> rows = [[1, 2], [3, 1], [0, 1], [1, 1]]
    >>> data = Dataset.from_rows(rows, [[1], [0], [2], [1]])
    >>> cubes = interpolation_system(Network.dense((2, 2, 1), "cube"), data, parametric=True)
    >>> instance, = to_instances(monodromy(cubes), [cubes.values])
    >>> instance.complete, instance.representatives.shape, instance.points.shape
    (True, (1, 4), (18, 4))
    """
    values = _rows(generic, instances)
    groups = tuple(generic.group.on(part.support) for part in generic.components)
    sizes = [len(part.representatives) for part in generic.components]
    for part, group in zip(generic.components, groups, strict=True):
        if len(part.representatives) * group.order != part.count:
            raise InputError(
                "generic",
                f"{len(part.representatives)} representatives of {part.count} solutions",
                "all solutions of the generic member are needed",
                "use generic_count, or monodromy with whole=True",
            )
    moves = _Moves(
        parameter(generic.system),
        Invariants.of(generic.system, seed),
        groups,
        np.repeat(np.arange(len(sizes)), sizes),
        options or Options(),
    )
    found: list[Instance] = []
    starts = generic.representatives
    batch = max(1, _PATHS // max(1, len(starts)))
    for low in range(0, len(values), batch):
        found += moves.many(starts, generic.parameters, values[low : low + batch], 0)
    for member in range(1, _MEMBERS):
        doubtful = [i for i, instance in enumerate(found) if instance.lost or instance.met]
        if not doubtful:
            break
        home, there = _elsewhere(generic, moves, seed, member)
        if home is None:
            continue
        for low in range(0, len(doubtful), batch):
            chosen = doubtful[low : low + batch]
            again = moves.many(there, home, values[chosen], member)
            for i, instance in zip(chosen, again, strict=True):
                before = found[i]
                if (len(instance.lost), instance.met) < (len(before.lost), before.met):
                    found[i] = instance
    return tuple(found)


def _rows(
    generic: GenericCount, instances: Sequence[Sequence[Any]] | npt.NDArray[Any]
) -> Complexes:
    count = len(generic.parameters)
    for row in instances:
        if np.ndim(row) == 0 or len(row) != count:
            raise InputError(
                "instances",
                f"{len(row)} numbers" if np.ndim(row) else row,
                f"the family has {count} parameters",
                "give a row of one number for each, in the order of system.parameters",
            )
    if isinstance(instances, np.ndarray):
        return instances.astype(np.complex128)
    rows = [
        row.astype(np.complex128)
        if isinstance(row, np.ndarray)
        else to_complex([scalar(value) for value in row])
        for row in instances
    ]
    return np.array(rows, dtype=np.complex128).reshape(len(rows), count)


def _elsewhere(
    generic: GenericCount, moves: _Moves, seed: int, member: int
) -> tuple[Complexes | None, Complexes]:
    """Another generic member and its solutions; None when paths to it were lost."""
    starts = generic.representatives
    for attempt in range(3):
        rng = np.random.default_rng([seed, 15, member, attempt])
        sizes = np.abs(generic.parameters)
        home = gaussians(rng, len(sizes)) * np.sqrt(np.mean(sizes**2))
        paths = track(
            moves.homotopy,
            starts,
            segments(generic.parameters, home),
            options=replace(LEAN, threads=moves.options.threads),
        )
        if paths.count(PathStatus.FINITE) == len(starts):
            return home, paths.affine
    return None, starts


@dataclass(frozen=True, slots=True, eq=False)
class _Moves:
    """What all paths of one family share."""

    homotopy: Homotopy
    invariants: Invariants
    groups: tuple[FiniteGroup, ...]
    parts: Integers
    options: Options

    def many(
        self, starts: Complexes, home: Complexes, values: Complexes, member: int
    ) -> list[Instance]:
        """All start solutions to all these values."""
        count = len(starts)
        sets = np.repeat(np.arange(len(values)), count)
        paths = track(
            self.homotopy,
            np.tile(starts, (len(values), 1)),
            segments(home, values),
            sets=sets,
            options=self.options,
        )
        points = paths.affine
        finite = paths.status == _NAMES.index(PathStatus.FINITE)
        keys = self.invariants.orbits(points)
        keys[~finite] = np.nan
        owners = repeated(keys, sets)
        # Most instances have nothing to tell of any path: theirs is the same for all of them.
        shape = (len(values), count)
        plain = (finite & (owners < 0)).reshape(shape).all(axis=1).tolist()
        steps = paths.steps.reshape(shape).sum(axis=1).tolist()
        met = (paths.winding > 1).reshape(shape).sum(axis=1).tolist()
        fine = (PathStatus.FINITE,) * count, (_CONVERGED,) * count
        found = []
        for i in range(len(values)):
            low = i * count
            kept = points[low : low + count].copy()
            status, reasons = fine if plain[i] else _told(paths, owners, low, count)
            if not plain[i]:
                kept[[k for k, ended in enumerate(status) if ended not in _ENDED]] = np.nan
            found.append(
                Instance(
                    values[i], kept, status, reasons, self.groups, self.parts, steps[i], met[i],
                    member,
                )
            )  # fmt: skip
        return found


def _told(
    paths: Paths, owners: Integers, low: int, count: int
) -> tuple[tuple[PathStatus, ...], tuple[str, ...]]:
    """How the paths of one instance ended, and why."""
    status = [_NAMES[k] for k in paths.status[low : low + count].tolist()]
    reasons = [_CONVERGED] * count
    for i, ended in enumerate(status):
        if ended is not PathStatus.FINITE:
            reasons[i] = paths.reason(low + i)
    for i in np.flatnonzero(owners[low : low + count] >= 0).tolist():
        status[i] = PathStatus.JUMPED
        reasons[i] = f"ends in the orbit of the end of path {owners[low + i] - low}"
    return tuple(status), tuple(reasons)

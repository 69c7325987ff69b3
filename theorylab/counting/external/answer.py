"""What a numerical engine answers: points, and everything that forbids trusting their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from theorylab.counting.expanded import Expanded
from theorylab.outcome import InputError, Undecided

Point = tuple[complex, ...]

_SAME = 1e-10
_NO_SOLUTION = 1e-4


@dataclass(frozen=True, slots=True)
class Solutions:
    """Finite approximate solutions an engine returned, distinct to ten digits.

    The number of points is neither a lower nor an upper bound for anything until the points are
    certified: paths get lost without a word. `failures` counts paths the engine gave up or end
    points that do not solve the system; `infinite` the paths it says diverged; None = it does not
    say. Coordinates follow `variables`, whatever order the engine used.
    Guarantees: heuristic.
    """

    engine: str
    version: str
    command: str
    seed: int | None
    seconds: float
    variables: tuple[str, ...]
    points: tuple[Point, ...]
    duplicates: int
    failures: int
    infinite: int | None
    paths: int | None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.points)


def ready(system: Expanded, engine: str) -> Undecided | None:
    """None when a numerical engine may be asked; else the reason why not.

    Raises InputError for a system that is not square, the only kind these engines take.
    """
    if not system.is_square:
        raise InputError(
            "system",
            f"{len(system.polynomials)} equations in {len(system.variables)} variables",
            f"{engine} takes as many equations as variables",
            "fix a gauge, add generic slices, or use msolve",
        )
    for k, polynomial in enumerate(system.polynomials):
        if not any(map(any, polynomial)):
            kind = "a nonzero constant: no solutions" if polynomial else "zero"
            return Undecided(f"equation {k + 1} is {kind}", engine, "remove it, or use msolve")
    if system.absent:
        return Undecided(
            f"variable {system.absent[0]} occurs in no equation, so solutions are not isolated",
            engine,
            "fix its value or remove it",
        )
    return None


def distinct(points: Sequence[Point]) -> list[Point]:
    """The points without repetitions: of each cluster of relative radius 1e-10 one.

    >>> distinct([(1.0, 2.0), (3.0, 4.0), (1.0 + 1e-14, 2.0), (1.0 + 2e-8, 2.0)])
    [(1.0, 2.0), (3.0, 4.0), (1.00000002, 2.0)]
    """
    if not points:
        return []
    array = np.array(points, complex)
    size = np.maximum(1.0, np.abs(array).max(axis=1, initial=0.0))
    # Equal points have equal coordinate sums, so only neighbours in that order are compared.
    width = array.shape[1]
    key = array.real @ np.sqrt(np.arange(2.0, 2.0 + width))
    order = np.argsort(key, kind="stable")
    reach = 4 * _SAME * np.sqrt(2.0 + width) * max(1, width)
    keep = np.ones(len(points), bool)
    for place, i in enumerate(order):
        if not keep[i]:
            continue
        for j in order[place + 1 :]:
            if key[j] - key[i] > reach * size[i]:
                break
            if np.abs(array[i] - array[j]).max(initial=0.0) <= _SAME * size[i]:
                keep[j] = False
    return [point for point, kept in zip(points, keep, strict=True) if kept]


def sifted(system: Expanded, points: Sequence[Point]) -> tuple[list[Point], int]:
    """The points that may be solutions, and the number of those that plainly are none.

    Only a relative residual above 1e-4, or a coordinate that is no number, counts as none: an
    ill-conditioned solution has a large residual in doubles before it is refined.
    """
    if not points:
        return [], 0
    array = np.array(points, complex).reshape(len(points), len(system.variables))
    with np.errstate(all="ignore"):
        values, sizes = system.evaluate(array)
        bad = np.abs(values) > _NO_SOLUTION * sizes
        bad |= ~np.isfinite(sizes)
    junk = bad.any(axis=1) | ~np.isfinite(array).all(axis=1)
    good = [p for p, out in zip(points, junk, strict=True) if not out]
    return good, int(junk.sum())

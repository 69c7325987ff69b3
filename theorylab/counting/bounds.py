"""Upper bounds for the number of isolated solutions: Bezout, multihomogeneous, BKK.

Each says what it counts. On network systems all of them overshoot from two neurons on, so that a
count rarely meets its bound (z^2, two inputs, two neurons: 243, 160 and 32 against 12).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Protocol

from theorylab.counting.expanded import Expanded
from theorylab.counting.external import EngineError, MissingEngine, phc
from theorylab.outcome import Assurance, InputError, Source, shortened

Partition = tuple[tuple[int, ...], ...]
# Above this many variables set partitions are too many (Bell(8) = 4140, Bell(12) = 4213597).
_ALL_PARTITIONS = 8
_TRIED = 2_000
_STATES = 200_000

BEZOUT = Source(
    ("W. Fulton",), "Intersection Theory", 1984, "Examples 8.4.6 and 12.3.1 (refined Bezout)"
)
MULTIHOMOGENEOUS = Source(
    ("A. Morgan", "A. Sommese"),
    "A homotopy for solving general polynomial systems that respects m-homogeneous structures",
    1987,
    "Theorem 1",
)
BERNSTEIN = Source(
    ("D. N. Bernstein",), "The number of roots of a system of equations", 1975, "Theorem A"
)
STABLE = Source(
    ("B. Huber", "B. Sturmfels"), "Bernstein's theorem in affine space", 1997, "Theorem 2.1"
)


class Graded(Protocol):
    """What a bound by degrees needs of a system; upper bounds of the degrees will do."""

    @property
    def variables(self) -> tuple[str, ...]: ...
    @property
    def degrees(self) -> tuple[int, ...]: ...
    def multidegrees(self, partition: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]: ...


@dataclass(frozen=True, slots=True)
class Bound:
    """At most `value` isolated complex solutions in `domain`, each counted with multiplicity.

    `partition` is the one used, by names; `best` says whether it is the best of all partitions.
    Assurance: `flint` for exact integers (a certificate makes it `kernel`), `numeric` where phc
    computed the cells in floating point.
    """

    kind: str
    value: int
    domain: str
    source: Source
    assurance: Assurance
    partition: tuple[tuple[str, ...], ...] | None = None
    best: bool = True

    @property
    def counts(self) -> str:
        """What is counted, in words."""
        where = "affine space" if self.domain == "affine" else "the torus (no zero coordinate)"
        return f"isolated complex solutions in {where}, with multiplicity"

    def __str__(self) -> str:
        groups = ""
        if self.partition is not None:
            groups = " for " + "".join("{" + ", ".join(group) + "}" for group in self.partition)
        return f"at most {self.value} {self.counts} ({self.kind}{groups}; {self.source})"


def bezout(system: Graded) -> Bound:
    """The product of the degrees; of the largest ones when there are more equations than variables.

    With fewer equations than variables no solution is isolated: 0. Guarantees: exact.
    Source: W. Fulton, Intersection Theory (1984), Examples 8.4.6, 12.3.1.

    >>> from flint import fmpq
    >>> cubic, line = {(3, 0): fmpq(1), (0, 1): fmpq(1)}, {(1, 0): fmpq(1), (0, 1): fmpq(1)}
    >>> bezout(Expanded(("x", "y"), (cubic, line))).value
    3
    """
    # An equation of degree 0 is void or has no solutions: without it the bound holds as well.
    degrees = sorted((d for d in system.degrees if d > 0), reverse=True)
    n = len(system.variables)
    value = prod(degrees[:n]) if len(degrees) >= n else 0
    return Bound("bezout", value, "affine", BEZOUT, Assurance.FLINT)


def multihomogeneous_number(
    degrees: Sequence[Sequence[int]], sizes: Sequence[int], most: int | None = None
) -> int | None:
    """The coefficient of z_1^sizes[0] z_2^sizes[1] ... in prod_i sum_j degrees[i][j] z_j.

    A square system: as many rows as the sizes add up to. None as soon as it is known to be `most`
    or more. Guarantees: exact. Raises InputError for a wrong shape, or beyond 200,000 states.

    >>> multihomogeneous_number([(1, 1), (1, 1)], (1, 1))
    2
    >>> multihomogeneous_number([(1, 2)] * 5 + [(1, 1)], (2, 4))
    160
    """
    if len(degrees) != sum(sizes) or any(len(row) != len(sizes) for row in degrees):
        raise InputError(
            "degrees", degrees, "one row per variable, one column per group", "mend its shape"
        )
    if any(d < 0 for row in degrees for d in row):
        return 0
    if prod(size + 1 for size in sizes) > _STATES:
        raise InputError(
            "sizes", sizes, f"at most {_STATES} states are summed", "use a coarser partition"
        )
    # state = how often each group was chosen so far, in one integer with a digit for each group
    steps = [1]
    for size in sizes:
        steps.append(steps[-1] * (size + 1))
    sums = {0: 1}
    # Equations that meet few groups first: fewer states on the way.
    for row in sorted(degrees, key=lambda row: sum(d > 0 for d in row)):
        following: dict[int, int] = {}
        choices = [(steps[j], steps[j + 1], sizes[j], d) for j, d in enumerate(row) if d]
        for state, value in sums.items():
            for step, above, size, d in choices:
                if state % above // step < size:
                    reached = state + step
                    following[reached] = following.get(reached, 0) + value * d
        sums = following
    value = sums.get(steps[-1] - 1, 0)
    return None if most is not None and value >= most else value


def multihomogeneous(system: Graded, partition: Sequence[Sequence[int]]) -> Bound:
    """The multihomogeneous Bezout number of a square system for one partition of its variables.

    Groups are given by positions. Guarantees: exact.
    Raises InputError when the system is not square, or the groups are no partition.
    Source: A. Morgan, A. Sommese, Appl. Math. Comput. 24 (1987), 115-138.
    """
    groups = _checked(system, partition)
    value = multihomogeneous_number(system.multidegrees(groups), tuple(map(len, groups)))
    assert value is not None
    return _bound(system, groups, value, best=False)


def best_multihomogeneous(
    system: Graded, candidates: Sequence[Sequence[Sequence[int]]] = ()
) -> Bound:
    """The smallest multihomogeneous number found, over given partitions first (network layers).

    Up to eight variables every set partition is tried, and the bound says `best`; above, single
    variables are moved and groups are merged or split while that helps. Guarantees: the value is
    exact for the partition it names. Raises InputError as `multihomogeneous` does.
    """
    n = len(system.variables)
    search = _Search(system)
    whole = (tuple(range(n)),) if n else ()
    starts = [_checked(system, c) for c in candidates] + [_checked(system, whole)]
    for partition in starts:
        search.value(partition)
    if n <= _ALL_PARTITIONS:
        for partition in _set_partitions(n):
            search.value(partition)
    else:
        search.value(tuple((j,) for j in range(n)))
        search.descend()
    best, value = search.best()
    return _bound(system, best, value, best=n <= _ALL_PARTITIONS)


def mixed_volumes(system: Expanded, *, timeout: float = 600.0) -> tuple[Bound, Bound] | None:
    """The BKK bound (torus) and the stable BKK bound (affine space) by phc, None without phc.

    None as well for systems that are not square, and when phc fails: a bound less, no error.
    Guarantees: exact up to errors of phc's floating-point cells.
    Source: D. N. Bernstein (1975); B. Huber, B. Sturmfels (1997).
    """
    try:
        volumes = phc.mixed_volumes(system, timeout=timeout)
    except (MissingEngine, EngineError, InputError):
        return None
    return (
        Bound("bkk", volumes.mixed, "torus", BERNSTEIN, Assurance.NUMERIC),
        Bound("stable bkk", volumes.stable, "affine", STABLE, Assurance.NUMERIC),
    )


class _Search:
    """The numbers of the partitions seen; degrees are asked once for each group."""

    def __init__(self, system: Graded) -> None:
        self.system = system
        self.columns: dict[tuple[int, ...], tuple[int, ...]] = {}
        self.seen: dict[Partition, int | None] = {}

    def value(self, partition: Partition) -> int | None:
        """The number; None when the partition is too fine to evaluate."""
        if partition not in self.seen:
            self.seen[partition] = self._number(partition)
        return self.seen[partition]

    def _number(self, partition: Partition) -> int | None:
        for group in partition:
            if group not in self.columns:
                rest = tuple(j for j in range(len(self.system.variables)) if j not in group)
                asked = self.system.multidegrees([group, rest] if rest else [group])
                self.columns[group] = tuple(row[0] for row in asked)
        if prod(len(group) + 1 for group in partition) > _STATES:
            return None
        rows = list(zip(*(self.columns[group] for group in partition), strict=True))
        return multihomogeneous_number(rows, tuple(map(len, partition)))

    def best(self) -> tuple[Partition, int]:
        """The first of the partitions with the smallest number; fewer groups win a tie."""
        known = [(v, len(p), k, p) for k, (p, v) in enumerate(self.seen.items()) if v is not None]
        value, _, _, partition = min(known)
        return partition, value

    def descend(self) -> None:
        """Neighbours of the best partition, until none is better or the budget is spent."""
        while True:
            partition, value = self.best()
            for neighbour in _neighbours(partition):
                if len(self.seen) > _TRIED:
                    return
                found = self.value(neighbour)
                if found is not None and found < value:
                    break
            else:
                return


def _neighbours(partition: Partition) -> Iterator[Partition]:
    groups = [set(group) for group in partition]
    for a in range(len(groups)):
        for b in range(a):
            merged = [g for k, g in enumerate(groups) if k not in (a, b)]
            yield _sorted([*merged, groups[a] | groups[b]])
    for a, group in enumerate(groups):
        for variable in sorted(group):
            rest = [g - {variable} for g in groups]
            if len(group) > 1:
                yield _sorted([*rest, {variable}])
            for b in range(len(groups)):
                if b != a:
                    yield _sorted([g | {variable} if k == b else g for k, g in enumerate(rest)])


def _sorted(groups: Sequence[set[int]]) -> Partition:
    return tuple(sorted(tuple(sorted(group)) for group in groups if group))


def _set_partitions(n: int) -> Iterator[Partition]:
    """All set partitions of 0..n-1, by restricted growth strings."""

    def grown(j: int, groups: list[list[int]]) -> Iterator[Partition]:
        if j == n:
            yield tuple(map(tuple, groups))
            return
        for group in groups:
            group.append(j)
            yield from grown(j + 1, groups)
            group.pop()
        yield from grown(j + 1, [*groups, [j]])

    return grown(0, [])


def _checked(system: Graded, partition: Sequence[Sequence[int]]) -> Partition:
    n = len(system.variables)
    if len(system.degrees) != n:
        raise InputError(
            "system",
            f"{len(system.degrees)} equations in {n} variables",
            "a multihomogeneous number is of a square system",
            "add slices, or use the Bezout number",
        )
    if sorted(j for group in partition for j in group) != list(range(n)) or not all(partition):
        raise InputError(
            "partition",
            shortened(partition),
            f"each of the positions 0..{n - 1} is in exactly one group",
            "mend the partition",
        )
    return _sorted([set(group) for group in partition])


def _bound(system: Graded, groups: Partition, value: int, best: bool) -> Bound:
    names = tuple(tuple(system.variables[j] for j in group) for group in groups)
    return Bound(
        "multihomogeneous", value, "affine", MULTIHOMOGENEOUS, Assurance.FLINT, names, best
    )

"""Monodromy: all solutions of a generic member of a family, from one that costs nothing.

Random weights solve the equations of the data they make. Carried around random loops in the space
of data, they return as other solutions; the trace test says when these are all.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from theorylab.counting.homotopy.engine import Complexes, Integers
from theorylab.counting.homotopy.family import Bools, Family, supports
from theorylab.counting.homotopy.orbits import (
    FiniteGroup,
    Seen,
    gaussians,
    repeated,
)
from theorylab.counting.system import PolynomialSystem
from theorylab.outcome import Assurance, InputError

TRACE: Final = 1e-11
"""Largest relative curvature of a trace that counts as affine.

Whole sets leave 1e-12 and less; sets whose functions are almost equal in pairs, so that half of
them were taken for the others, have left 4e-9 and 4e-10.
"""
_ZERO: Final = 1e-11
# The size that points near the origin, itself a component, are measured against.
_SMALL: Final = 1e-3
_ATTEMPTS: Final = 6
_STALLS: Final = 2
_MENDS: Final = 6
# With so many functions one loop that brings nothing is reason to ask the trace test.
_MANY: Final = 64
_PATIENCE: Final = 12
_WORDS: Final = 16
_MOST: Final = 50_000

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """Solutions of one irreducible family, those with the unknowns outside ``support`` zero.

    ``representatives`` has one solution for each orbit of the known group; ``orbits`` of them are
    told apart by their functions, and each function has ``fibre`` solutions. ``residual`` is that
    of the trace test (inf: not passed), ``lost`` counts paths that were given up on the way.
    """

    support: tuple[int, ...]
    representatives: Complexes
    orbits: int
    fibre: int
    residual: float
    loops: int
    tracks: int
    lost: int
    note: str = ""

    @property
    def count(self) -> int:
        """How many solutions: functions times solutions of each."""
        return self.orbits * self.fibre

    @property
    def complete(self) -> bool:
        """Whether the trace test was passed and nothing was left open."""
        return self.residual < TRACE and not self.note


@dataclass(frozen=True, slots=True, eq=False)
class GenericCount:
    """All solutions of one generic complex member of a family, as far as floating point can tell.

    ``parameters`` are those of the member; ``seeds`` those of independent runs, and ``agreed``
    whether all found the same numbers. ``reasons`` say why it is not complete.

    Guarantees: heuristic, assurance ``numeric``. If complete, every member with isolated solutions
    has at most ``count`` of them (A. Sommese, C. Wampler, The Numerical Solution of Systems of
    Polynomials, 2005, Theorem 7.1.1, for this family).
    """

    system: PolynomialSystem
    parameters: Complexes
    components: tuple[Component, ...]
    group: FiniteGroup
    seeds: tuple[int, ...]
    agreed: bool
    reasons: tuple[str, ...] = ()
    source: str = "computed"

    assurance = Assurance.NUMERIC

    @property
    def count(self) -> int:
        """The number of solutions in the gauge of the system."""
        return sum(part.count for part in self.components)

    @property
    def orbits(self) -> int:
        """The number of functions among them."""
        return sum(part.orbits for part in self.components)

    @property
    def representatives(self) -> Complexes:
        """One solution for each orbit of the known group."""
        return np.concatenate([part.representatives for part in self.components])

    @property
    def residual(self) -> float:
        """The largest of the trace tests."""
        return max(part.residual for part in self.components)

    @property
    def loops(self) -> int:
        """How many loops were followed."""
        return sum(part.loops for part in self.components)

    @property
    def tracks(self) -> int:
        """How many paths were followed, a loop being three."""
        return sum(part.tracks for part in self.components)

    @property
    def complete(self) -> bool:
        """Two seeds agree, every trace test is passed, and nothing was left open."""
        settled = all(part.complete for part in self.components)
        return settled and self.agreed and len(self.seeds) > 1 and not self.reasons

    def __str__(self) -> str:
        """Counts, evidence, open ends, and what repeats the run."""
        parts = ""
        if len(self.components) > 1:
            listed = " + ".join(f"{p.orbits} x {p.fibre}" for p in self.components)
            parts = f" = {listed}"
        elif self.components:
            parts = f" = {self.orbits} functions x {self.components[0].fibre}"
        word = "COMPLETE (numeric)" if self.complete else "INCOMPLETE"
        lines = [
            f"{self.count} solutions{parts}: {word}",
            f"trace residual {self.residual:.1e}, {self.loops} loops, {self.tracks} paths, seeds "
            f"{', '.join(map(str, self.seeds))}, {self.source}",
        ]
        open_ends = [*self.reasons, *(part.note for part in self.components if part.note)]
        return "\n".join([*lines, *open_ends])


def generic_count(
    system: PolynomialSystem, seed: int = 0, *, threads: int = 1, say: Say | None = None
) -> GenericCount:
    """All solutions of a generic member, by two independent monodromy runs (seeds s and s + 1).

    ``system`` is parametric: ``interpolation_system`` or ``critical_system(ridge="generic")`` with
    ``parametric=True``.

    *Interpolation.* {(w, x, y): f(x; w) = y} is the graph of a polynomial map, so irreducible:
    loops reach every solution, and each function has equally many. *Critical points with a ridge
    for each weight.* Where no weight vanishes the equations give the ridges as functions of the
    rest, so that part is irreducible too. Weights that vanish identically must make their own
    equations vanish; such supports are the fixed points of a monotone map and are all listed
    (dead units), each one more irreducible component.

    *The trace test.* Targets move on a line, y = y0 + s v, and the values at two random inputs are
    summed over all functions found, at s = 0, 1, 2. *Interpolation* with an output that can be
    rescaled: (targets, value) lie on a cone, for generic samples monic in the value, so that the
    sum over all is linear in s; over a part of an irreducible set it is not, in general. *Critical
    points*: the sum is a rational function of s, and affine if no solution escapes to infinity
    with its function for a finite y and functions grow no faster than y. Both were seen to hold on
    networks with known counts (tests), and are proved for none. So passing is strong evidence
    that no function of a component is missing; failing means one is, or that the test does not
    apply to this family. The number of solutions of one function has no test of its own: it is
    found by loops, until they bring no more, by both seeds.

    Guarantees: see ``GenericCount``. Raises InputError for systems that are not square, have no
    parameters or are not of a network.
    """
    if seed < 0:
        raise InputError("seed", seed, "a seed is an integer >= 0", "use 0")
    first = monodromy(system, seed, threads=threads, say=say)
    second = monodromy(system, seed + 1, threads=threads, whole=False, say=say)
    shapes = [
        {part.support: (part.orbits, part.fibre) for part in found.components}
        for found in (first, second)
    ]
    agreed = shapes[0] == shapes[1]
    reasons = list(first.reasons)
    if not agreed:
        reasons.append(f"seed {seed} finds {first.count} solutions, seed {seed + 1} {second.count}")
    elif not all(part.complete for part in second.components):
        reasons.append(f"the trace test is not passed with seed {seed + 1}")
    return replace(first, seeds=(seed, seed + 1), agreed=agreed, reasons=tuple(reasons))


def monodromy(
    system: PolynomialSystem,
    seed: int = 0,
    *,
    threads: int = 1,
    whole: bool = True,
    say: Say | None = None,
) -> GenericCount:
    """One run of ``generic_count``: never complete by itself, for want of a second seed.

    Without ``whole`` the representatives are one for each function only.

    >>> from theorylab.counting.system import interpolation_system
    >>> from theorylab.model import Dataset, Network
    >>> rows = [[1, 2], [3, 1], [0, 1], [1, 1]]
    >>> data = Dataset.from_rows(rows, [[1], [0], [2], [1]])
    >>> cubes = interpolation_system(Network.dense((2, 2, 1), "cube"), data, parametric=True)
    >>> found = monodromy(cubes, seed=1)
    >>> found.orbits, found.count, found.residual < TRACE
    (1, 18, True)
    """
    family = Family.of(system, seed, threads)
    reasons: list[str] = []
    parts = _supports(family, seed)
    if system.origin is not None and system.origin.kind == "critical" and not len(family.ridges):
        reasons.append("without a ridge of its own for each weight components may be missing")
    found: list[Component] = []
    home: Complexes | None = None
    for number, support in enumerate(parts):
        for attempt in range(_ATTEMPTS):
            walk = _Walk(family, support, np.random.default_rng([seed, 12, number, attempt]))
            if not walk.dominant:
                break
            part, place = walk.run(say or (lambda words: None), home, whole)
            # Now and then a member has solutions so ill-conditioned that paths to them are lost.
            if attempt == _ATTEMPTS - 1 or not (part.note and part.lost):
                found.append(part)
                home = place
                break
    if home is None:
        raise InputError(
            "system",
            system.name,
            "no solution of a generic member is isolated",
            "use gauge='auto', a ridge for each weight, or as many data as unknowns",
        )
    return GenericCount(
        system, home, tuple(found), family.invariants.group, (seed,), True, tuple(reasons)
    )


def trace_residual(generic: GenericCount, seed: int = 0, *, threads: int = 1) -> float:
    """The trace test again, for a set that was not computed here: the largest residual.

    inf also when it has other components than the family. How many solutions a function has is not
    tested again.
    """
    family = Family.of(generic.system, generic.seeds[0], threads)
    listed = sorted(part.support for part in generic.components)
    drawn = np.random.default_rng([seed, 17])
    wanted = _supports(family, generic.seeds[0])
    if listed != sorted(part for part in wanted if _Walk(family, part, drawn).dominant):
        return np.inf
    worst = 0.0
    for number, part in enumerate(generic.components):
        if not part.support:
            continue
        rng = np.random.default_rng([seed, 13, number])
        walk = _Walk(family, part.support, rng)
        keys = Seen(family.invariants.inputs.shape[0] * walk.outputs)
        _, first = keys.numbers(family.invariants.functions(part.representatives), add=True)
        if len(first) != part.orbits:
            return np.inf
        worst = max(worst, walk.trace(part.representatives[first], generic.parameters))
    return worst


def _supports(family: Family, seed: int) -> list[tuple[int, ...]]:
    """The components to look for, by the unknowns that do not vanish on them."""
    origin = family.system.origin
    if origin is not None and origin.kind == "critical":
        return supports(family.system, family.ridges, seed)
    return [tuple(range(len(family.system.variables)))]


# One component


@dataclass(slots=True)
class _Step:
    """How a solution was found: carried along this loop from that one."""

    parent: int
    loop: int


@dataclass
class _Walk:
    """One component while it is explored; solutions are kept one for each function."""

    family: Family
    support: tuple[int, ...]
    rng: np.random.Generator
    loops: list[tuple[Complexes, Complexes]] = field(default_factory=list)
    steps: list[_Step] = field(default_factory=list)
    tracks: int = 0
    lost: int = 0

    def __post_init__(self) -> None:
        origin = self.family.system.origin
        assert origin is not None, "a family is of a network"
        self.outputs = origin.network.m
        n = len(self.family.system.variables)
        self.rest = tuple(j for j in range(n) if j not in self.support)
        self.seen = Seen(len(self.family.invariants.inputs) * self.outputs)
        # (solution, loop, solution it came to), those first that came to another point than known.
        self.words: list[tuple[int, int, int]] = []
        self.plain: list[tuple[int, int, int]] = []

        point, self.home = self.family.seeded(self.support, self.rng)
        self.points, self.steps = point[None, :], [_Step(-1, -1)]

    @property
    def dominant(self) -> bool:
        """Whether generic members have such solutions: the seed, a random one, is regular.

        If not, these solutions exist for special parameters only, or fill curves.
        """
        slopes = self.family.system.jacobian(self.points, self.home)[0]
        if not len(slopes):
            return True
        values = np.linalg.svd(slopes, compute_uv=False)
        return bool(values[-1] > 1e-10 * values[0])

    def run(self, say: Say, home: Complexes | None, whole: bool) -> tuple[Component, Complexes]:
        """The component, moved to the parameters ``home`` if given, and its parameters."""
        self.seen.numbers(self.family.invariants.functions(self.points), add=True)
        residual, note = 0.0, ""
        if self.support:
            residual, note = self._explore(say)
        found, fibre = self.points, 1
        if self.support:
            lost = self.lost
            members = self._fibre()
            if self.lost > lost:
                note = note or "paths were lost while solutions of one function were collected"
            fibre = len(members) * self.family.invariants.group.on(self.support).order
            if whole and len(members) > 1:
                found = self._spread(members)
                missing = len(members) * len(self.points) - len(found)
                note = note or (
                    f"{missing} functions lack solutions that were lost" * (missing > 0)
                )
        if home is not None:
            found, arrived = self._move(found, self.home, home)
            if not arrived.all():
                note = f"{(~arrived).sum()} solutions were lost on the way to the common member"
                found = found[arrived]
        part = Component(
            self.support, found, len(self.points), fibre, residual, len(self.loops), self.tracks,
            self.lost, note,
        )  # fmt: skip
        return part, self.home if home is None else home

    def _explore(self, say: Say) -> tuple[float, str]:
        """Loops until several in a row bring nothing and the trace test is passed."""
        stalls = 0
        while True:
            brought = self._loop(max(1, min(8, 24 // len(self.points))))
            stalls = 0 if brought else stalls + 1
            if brought and len(self.points) > 500:
                say(f"monodromy: {len(self.points)} functions after {len(self.loops)} loops")
            if stalls >= (_STALLS if len(self.points) < _MANY else 1):
                residual = self.trace(self.points, self.home)
                if residual < TRACE:
                    return residual, ""
                if stalls >= _PATIENCE:
                    return residual, (
                        f"the trace test leaves {residual:.1e} although {stalls} rounds of loops "
                        f"brought nothing beyond {len(self.points)} functions"
                    )
            if len(self.points) > _MOST:
                return np.inf, f"given up beyond {_MOST} functions"

    def _loop(self, count: int) -> int:
        """All known solutions along ``count`` random loops; how many functions that brought."""
        known, base = len(self.points), len(self.loops)
        corners = self.family.elsewhere(self.home, self.rng, 2 * count)
        self.loops += [(corners[2 * k], corners[2 * k + 1]) for k in range(count)]
        starts = np.arange(known * count)
        ways = [[(base + int(i) // known, True)] for i in starts]
        ends, arrived = self._carried(self.points[starts % known], ways)
        starts, ends = starts[arrived], ends[arrived]
        keys = self.family.invariants.functions(ends)
        numbers, first = self.seen.numbers(keys, add=True)
        for i in starts[first]:
            self.steps.append(_Step(int(i) % known, base + int(i) // known))
        self.points = np.concatenate([self.points, ends[first]])
        self._note_words(starts, ends, numbers, known, base)
        return len(first)

    def _note_words(
        self, starts: Integers, ends: Complexes, numbers: Integers, known: int, base: int
    ) -> None:
        """Remember returns to known functions, above all those at other points of them."""
        back = np.flatnonzero((numbers >= 0) & (len(self.words) < _WORDS))[:4096]
        if not len(back):
            return
        key = self.family.invariants.orbits
        there, here = key(ends[back]), key(self.points[numbers[back]])
        for i, same in zip(back, same_rows(there, here), strict=True):
            word = (int(starts[i]) % known, base + int(starts[i]) // known, int(numbers[i]))
            store = self.plain if same else self.words
            if len(store) < _WORDS:
                store.append(word)

    def _carried(
        self, points: Complexes, ways: list[list[tuple[int, bool]]], distinct: bool = True
    ) -> tuple[Complexes, Bools]:
        """Points at home, each along its own loops (number, forwards?), and which arrived.

        ``distinct``: no point takes a loop twice, so that coinciding ends mean a jump.
        """
        found, arrived = points.copy(), np.ones(len(points), dtype=bool)
        for k in range(max(map(len, ways), default=0)):
            going = np.array([i for i in np.flatnonzero(arrived) if len(ways[i]) > k], dtype=int)
            turns = [ways[i][k] for i in going]
            used = sorted(set(turns)) if distinct else turns
            sets = np.arange(len(turns))
            if distinct:
                sets = np.array([used.index(turn) for turn in turns], dtype=np.int64)
            corners = [self.loops[loop][:: 1 if forwards else -1] for loop, forwards in used]
            home = np.broadcast_to(self.home, (len(used), len(self.home)))
            stops = [home, *(np.array([pair[c] for pair in corners]) for c in (0, 1)), home]
            for start, target in itertools.pairwise(stops):
                if not len(going):
                    break
                moved, good = self._move(found[going], start, target, sets)
                found[going] = moved
                arrived[going[~good]] = False
                going, sets = going[good], sets[good]
        return found, arrived

    def _move(
        self, points: Complexes, start: Complexes, target: Complexes, sets: Integers | None = None
    ) -> tuple[Complexes, Bools]:
        moved, good = self.family.moved(points, start, target, sets)
        # On generic members components do not meet: a point of another one is a jump.
        size = np.maximum(np.abs(moved).max(axis=1, initial=0.0), _SMALL)
        inside = np.abs(moved[:, self.support]).min(axis=1, initial=np.inf)
        outside = np.abs(moved[:, self.rest]).max(axis=1, initial=0.0)
        with np.errstate(invalid="ignore"):
            good &= (inside > _ZERO * size) & (outside < _ZERO * size)
        moved[:, self.rest] = 0
        self.tracks += len(points)
        self.lost += int((~good).sum())
        return moved, good

    # All solutions of one function

    def _path(self, j: int) -> list[tuple[int, bool]]:
        """The loops that led from the first solution to solution j."""
        way = []
        while self.steps[j].parent >= 0:
            way.append((self.steps[j].loop, True))
            j = self.steps[j].parent
        return way[::-1]

    def _fibre(self) -> Complexes:
        """The solutions of the first function, one for each orbit of the known group.

        A loop that comes back to a known function at another point is, seen from the first
        function, a closed loop that permutes its solutions; the orbit under these is the fibre.
        """
        invariants, width = self.family.invariants, len(self.family.invariants.inputs)
        keys = Seen(width * self.outputs + 1)
        root = invariants.functions(self.points[:1])
        members, frontier = self.points[:1], self.points[:1]
        keys.numbers(invariants.orbits(members), add=True)
        closed = []
        for i, loop, j in [*self.words, *self.plain][:_WORDS]:
            back = [(k, False) for k, _ in reversed(self._path(j))]
            closed.append([*self._path(i), (loop, True), *back])
        while len(frontier) and self.words:
            starts = np.repeat(frontier, len(closed), axis=0)
            ends, arrived = self._carried(starts, closed * len(frontier), distinct=False)
            arrived &= same_rows(invariants.functions(ends), np.repeat(root, len(ends), axis=0))
            _, first = keys.numbers(invariants.orbits(ends[arrived]), add=True)
            frontier = ends[arrived][first]
            members = np.concatenate([members, frontier])
        return members

    def _spread(self, members: Complexes) -> Complexes:
        """The solutions of the first function carried to all others, along the ways they came.

        Those lost on the way are fetched from other functions by further loops.
        """
        copies = len(members)
        depth = np.zeros(len(self.steps), dtype=int)
        for j, step in enumerate(self.steps):
            depth[j] = depth[step.parent] + 1 if step.parent >= 0 else 0
        spread = np.full((copies, *self.points.shape), np.nan, dtype=np.complex128)
        spread[0], spread[:, 0] = self.points, members
        for level in range(1, int(depth.max(initial=0)) + 1):
            here = np.flatnonzero(depth == level)
            parents = [self.steps[j].parent for j in here]
            loops = [self.steps[j].loop for j in here]
            self._fill(spread[1:], parents, here, [(loop, True) for loop in loops])
        for _ in range(_MENDS):
            whole = self._whole(spread)
            if whole.all():
                break
            # Out along a new loop to whichever function that is, and all its solutions back.
            missing = np.flatnonzero(~whole)
            loop = len(self.loops)
            first, second = self.family.elsewhere(self.home, self.rng, 2)
            self.loops.append((first, second))
            ends, arrived = self._carried(self.points[missing], [[(loop, True)]] * len(missing))
            there, _ = self.seen.numbers(self.family.invariants.functions(ends), add=False)
            good = arrived & (there >= 0) & whole[there]
            spread[:, missing[good]] = np.nan
            self._fill(spread, there[good], missing[good], [(loop, False)] * int(good.sum()))
        return spread[:, self._whole(spread)].reshape(-1, self.points.shape[1])

    def _fill(
        self,
        spread: Complexes,
        sources: Integers | list[int],
        targets: Integers,
        turns: list[tuple[int, bool]],
    ) -> None:
        """Carry all that is known of the source functions to the targets, each along its turn."""
        starts = spread[:, sources].reshape(-1, spread.shape[2])
        ways = [[turn] for turn in turns] * len(spread)
        known = np.flatnonzero(np.isfinite(starts).all(axis=1))
        ends = np.full_like(starts, np.nan)
        moved, good = self._carried(starts[known], [ways[i] for i in known])
        ends[known[good]] = moved[good]
        spread[:, targets] = ends.reshape(len(spread), len(targets), spread.shape[2])

    def _whole(self, spread: Complexes) -> Bools:
        """The functions of which all solutions are there, each once."""
        copies, functions, n = spread.shape
        flat = spread.reshape(-1, n)
        invariants = self.family.invariants
        with np.errstate(all="ignore"):
            values = invariants.functions(flat)
            right = same_rows(values, np.tile(invariants.functions(self.points), (copies, 1)))
            keys = invariants.orbits(flat)
        keys[~right] = np.nan
        owners = repeated(keys, np.zeros(len(keys), dtype=np.int64))
        right[owners >= 0] = False
        right[owners[owners >= 0]] = False
        good = right.reshape(copies, functions)
        return np.asarray(good.all(axis=0), dtype=np.bool_)

    # The trace test

    def trace(self, points: Complexes, home: Complexes) -> float:
        """How far the sum of the functions is from affine while targets move on a random line.

        ``points`` has one solution for each function, at the parameters ``home``. inf when a path
        was lost three times.
        """
        targets = self.family.targets
        size = np.sqrt(np.mean(np.abs(home[targets]) ** 2))
        for _ in range(3):
            ends = np.broadcast_to(home, (2, len(home))).copy()
            direction = size * gaussians(self.rng, len(targets))
            ends[0, targets] += direction
            ends[1, targets] += 2 * direction
            sets = np.repeat(np.arange(2), len(points))
            moved, good = self._move(np.tile(points, (2, 1)), home, ends, sets)
            if good.all():
                functions = self.family.invariants.functions
                sums = [functions(p).sum(axis=0) for p in (points, *np.split(moved, 2))]
                bend = np.abs(sums[0] - 2 * sums[1] + sums[2]).max()
                slope = np.abs(sums[1] - sums[0]).max()
                return float(bend / slope) if slope > 0 else float(np.inf)
        return float(np.inf)


def same_rows(a: Complexes, b: Complexes) -> Bools:
    """Row by row, whether two arrays are equal up to the error of end points."""
    with np.errstate(all="ignore"):
        gap = np.abs(a - b).max(axis=1)
        size = np.maximum(np.abs(a).max(axis=1), 1e-3)
        found: Bools = gap < 1e-7 * size
    return found

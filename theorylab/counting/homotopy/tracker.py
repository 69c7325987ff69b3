"""``track``: follow the paths of any homotopy from their start points, and say how each ended."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from theorylab.counting.homotopy import loop
from theorylab.counting.homotopy.endgame import cauchy, polished
from theorylab.counting.homotopy.engine import (
    SAME_REGULAR,
    Complexes,
    Floats,
    Integers,
    Interrupted,
    PathStatus,
)
from theorylab.counting.homotopy.homotopy import Homotopy
from theorylab.counting.homotopy.options import DRIFT, INFINITE_X0, SMALL_X0, Options
from theorylab.counting.homotopy.workers import follow
from theorylab.outcome import InputError

__all__ = ["STATUSES", "Interrupted", "Options", "Paths", "track"]

STATUSES: Final = tuple(PathStatus)
"""The status with code i is ``STATUSES[i]``."""
_CODE: Final = {status: code for code, status in enumerate(STATUSES)}
_FINITE, _INFINITY, _SUSPENDED, _SINGULAR, _FAILED, _JUMPED = (
    _CODE[status]
    for status in (
        PathStatus.FINITE,
        PathStatus.INFINITY,
        PathStatus.SUSPENDED,
        PathStatus.SINGULAR,
        PathStatus.FAILED,
        PathStatus.JUMPED,
    )
)

# Below this estimate a root needs no second look; above the second a root counts as singular, for
# a double root is found to half the digits, where the condition is 1e8.
_SURE_CONDITION = 1e5
_SINGULAR_CONDITION = 1e7
_LANDED_CONDITION = 1e9
_CERTAIN_CONDITION = 1e6
_LONG = 8
_SUSPICIOUS = 1e-6
_ENDGAME_T = 1e-3
# A healthy arc takes one to five steps.
_ARC_STEPS = 60
# From t = 1e-4 to 1e-30 a healthy path takes about a hundred.
_LAST_STEPS = 400
_DEFAULT: Final = Options()

_REASONS: Final = {
    loop.LANDED: "Newton's method ends",
    loop.CUT: "suspended on its way to infinity",
    loop.DIVERGED: "steadily to infinity",
    loop.CALM: "no step reaches t = 0",
    loop.SHRUNK: "the step became too small",
    loop.OUT_OF_STEPS: "no progress",
    loop.UNFINISHED: "interrupted before its end",
}


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """All paths of one call of ``track``: row = path id, and nothing is ever dropped.

    ``points`` (paths x N) have unit norm in each group; ``t`` is where the path stopped;
    ``status`` are codes into STATUSES and ``end`` codes of ``loop``; ``correction`` is the last
    Newton correction relative to the point, ``condition`` an estimate for the scaled Jacobian (inf
    where there is none), ``valuation`` (paths x G) the exponent of |x0| as a power of t,
    ``winding`` 1 for regular end points, that of Cauchy's integral for others, 0 if not known.
    ``seed`` is what the caller gave, for the record.

    Guarantees: heuristic, as everything in floating point. The points of a path depend on nothing
    but its start, its parameters and the options, whatever the number of threads.
    """

    homotopy: Homotopy
    points: Complexes
    t: Floats
    status: npt.NDArray[np.int8]
    end: npt.NDArray[np.int8]
    steps: npt.NDArray[np.int32]
    rejects: npt.NDArray[np.int32]
    correction: Floats
    condition: Floats
    valuation: Floats
    winding: npt.NDArray[np.int32]
    retracked: npt.NDArray[np.bool_]
    twin: Integers
    sets: Integers
    options: Options
    seed: int
    seconds: float

    def __len__(self) -> int:
        return len(self.status)

    def ids(self, *wanted: PathStatus) -> Integers:
        """The paths that ended in one of these ways, in order."""
        codes = [_CODE[status] for status in wanted]
        found: Integers = np.flatnonzero(np.isin(self.status, codes)).astype(np.int64)
        return found

    def count(self, status: PathStatus) -> int:
        """How many paths ended so."""
        return int((self.status == _CODE[status]).sum())

    @property
    def affine(self) -> Complexes:
        """The end points in affine coordinates (paths x n); inf or nan at infinity."""
        return self.homotopy.affine(self.points)

    def status_of(self, i: int) -> PathStatus:
        """How path i ended."""
        return STATUSES[int(self.status[i])]

    def reason(self, i: int) -> str:
        """Why path i has its status, in a sentence."""
        status, end, t = self.status_of(i), int(self.end[i]), float(self.t[i])
        x0 = float(np.abs(self.points[i, self.homotopy.equations :]).min(initial=1.0))
        if status is PathStatus.FINITE:
            return "Newton's method converges"
        if status is PathStatus.JUMPED:
            return (
                f"ends, at tau = {self.options.finer:g} too, at the simple root of {self.twin[i]}"
            )
        if status is PathStatus.INFINITY:
            w = float(self.valuation[i].max(initial=0.0))
            if self.winding[i]:
                return f"|x0| has limit 0 over {self.winding[i]} turns around t = 0"
            if x0 >= INFINITE_X0:
                return f"|x0| = {x0:.0e} ~ t^{w:.2f}, long steady, at t = {t:.0e}"
            return f"|x0| = {x0:.0e} at t = {t:.0e}"
        if status is PathStatus.SUSPENDED:
            return f"|x0| = {x0:.0e} at t = {t:.0e}, falling: followed no further"
        if status is PathStatus.SINGULAR:
            if self.twin[i] >= 0:
                return (
                    f"double precision cannot tell it from the end of path {self.twin[i]}, "
                    f"condition {self.condition[i]:.1e}"
                )
            if self.correction[i] < 1e-12 and not self.winding[i]:
                return f"condition {self.condition[i]:.0e}: double precision cannot call it regular"
            how = f"winding number {self.winding[i]}, " if self.winding[i] else ""
            return (
                f"{how}Newton stalls at {self.correction[i]:.0e}, condition {self.condition[i]:.0e}"
            )
        if end != loop.UNFINISHED and t < 1e-3 and self.valuation[i].max(initial=0.0) > DRIFT:
            return f"perhaps infinite: |x0| = {x0:.1e} at t = {t:.0e}; {_REASONS[end]}"
        return f"{_REASONS[end]}, after {self.steps[i]} steps at t = {t:.1e}"


def track(
    homotopy: Homotopy,
    starts: Complexes,
    parameters: Complexes,
    *,
    sets: Integers | None = None,
    options: Options = _DEFAULT,
    seed: int = 0,
) -> Paths:
    """Follow the path of every start point from t = 1 to t = 0.

    ``starts`` are affine rows of n or homogeneous rows of N, ``parameters`` one vector for all or
    rows, of which ``sets`` names one for each path (by default the only row, or row k for path k).
    End points that coincide within a set are followed again, as failed paths are.

    RK4 and Newton in the projective patch through the last accepted point, per-path steps; for
    paths that drift to infinity in log t and the logarithms of the coordinates, where they are
    nearly straight.
    Raises InputError for arrays of wrong shapes, and Interrupted on Ctrl-C.
    """
    begun = time.perf_counter()
    run = _Run(homotopy, starts, parameters, sets, options)
    try:
        run.all()
    except KeyboardInterrupt:
        run.judge(np.flatnonzero(run.end != loop.UNFINISHED).astype(np.int64), again=False)
        raise Interrupted(run.paths(seed, time.perf_counter() - begun)) from None
    return run.paths(seed, time.perf_counter() - begun)


def _checked(
    homotopy: Homotopy, starts: Complexes, parameters: Complexes, sets: Integers | None
) -> tuple[Complexes, Complexes, Integers]:
    points = np.asarray(starts, dtype=np.complex128)
    if points.ndim != 2 or points.shape[1] not in (homotopy.equations, homotopy.dimension):
        raise InputError(
            "starts",
            f"an array of shape {points.shape}",
            f"rows of {homotopy.equations} affine or {homotopy.dimension} homogeneous numbers",
            "give a matrix, one row for each path",
        )
    lifted = (
        homotopy.lift(points) if points.shape[1] == homotopy.equations else homotopy.unit(points)
    )
    rows = np.ascontiguousarray(np.atleast_2d(np.asarray(parameters, dtype=np.complex128)))
    if rows.ndim != 2 or rows.shape[1] != homotopy.parameters:
        raise InputError(
            "parameters",
            f"an array of shape {rows.shape}",
            f"the homotopy has {homotopy.parameters} parameters",
            "give a vector, or a matrix with one row for each set",
        )
    if sets is None:
        if len(rows) not in (1, len(points)):
            raise InputError(
                "sets",
                None,
                f"{len(rows)} rows of parameters for {len(points)} paths",
                "say with sets which row each path has",
            )
        chosen = np.zeros(len(points), dtype=np.int64)
        if len(rows) > 1:
            chosen = np.arange(len(points), dtype=np.int64)
        return lifted, rows, chosen
    chosen = np.asarray(sets, dtype=np.int64)
    if chosen.shape != (len(points),) or (
        len(chosen) and not 0 <= chosen.min() <= chosen.max() < len(rows)
    ):
        raise InputError(
            "sets",
            f"an array of shape {chosen.shape}",
            f"one number from 0 to {len(rows) - 1} for each of {len(points)} paths",
            "name a row of parameters for each path",
        )
    return lifted, rows, chosen


class _Run:
    """One call of ``track`` in the making: the arrays of Paths, and what fills them."""

    def __init__(
        self,
        homotopy: Homotopy,
        starts: Complexes,
        parameters: Complexes,
        sets: Integers | None,
        options: Options,
    ) -> None:
        self.homotopy, self.options = homotopy, options
        self.starts, self.parameters, self.sets = _checked(homotopy, starts, parameters, sets)
        count = len(self.starts)
        self.x = self.starts.copy()
        self.t, self.h = np.ones(count), np.zeros(count)
        self.status = np.full(count, _FAILED, dtype=np.int8)
        self.end = np.full(count, loop.UNFINISHED, dtype=np.int8)
        self.steps, self.rejects = np.zeros(count, np.int32), np.zeros(count, np.int32)
        self.correction, self.condition = np.full(count, np.inf), np.full(count, np.inf)
        self.valuation = np.zeros((count, homotopy.factors))
        self.steady = np.zeros(count, dtype=np.int32)
        self.cut_x0 = np.full(count, np.inf)
        self.winding = np.zeros(count, dtype=np.int32)
        self.retracked = np.zeros(count, dtype=bool)
        self.twin = np.full(count, -1, dtype=np.int64)

    def paths(self, seed: int, seconds: float) -> Paths:
        return Paths(
            self.homotopy, self.x, self.t, self.status, self.end, self.steps, self.rejects,
            self.correction, self.condition, self.valuation, self.winding, self.retracked,
            self.twin, self.sets, self.options, seed, seconds,
        )  # fmt: skip

    def all(self) -> None:
        self.attempt(np.arange(len(self.starts), dtype=np.int64), self.options)
        if not self.options.retrack:
            return
        finer = replace(self.options, tau=min(self.options.tau, self.options.finer))
        # New end points can coincide with others: twice is enough for any but a hopeless run.
        for _ in range(2):
            doubtful = np.zeros(len(self.starts), dtype=bool)
            doubtful[self.status == _FAILED] = True
            clusters = self.coinciding(_SUSPICIOUS)
            for cluster in clusters:
                doubtful[cluster] = True
            doubtful &= ~self.retracked
            if not doubtful.any():
                break
            ids = np.flatnonzero(doubtful).astype(np.int64)
            self.x[ids], self.t[ids], self.h[ids] = self.starts[ids], 1.0, 0.0
            self.status[ids], self.end[ids] = _FAILED, loop.UNFINISHED
            self.winding[ids] = 0
            self.retracked[ids] = True
            self.attempt(ids, finer)
        else:
            clusters = self.coinciding(_SUSPICIOUS)
        for cluster in clusters:
            self.settle(cluster)

    def attempt(self, ids: Integers, options: Options) -> None:
        """Follow these paths from where they are to their ends, and judge them."""
        control = options.control(strict=options.resume)
        self.h[ids], self.cut_x0[ids] = control[loop.FIRST], np.inf
        self.follow(ids, control)
        self.status[ids[self.end[ids] == loop.CUT]] = _SUSPENDED
        end = self.end[ids]
        left = self.judge(ids[(end != loop.UNFINISHED) & (end != loop.CUT)])
        if not options.endgame or not len(left):
            return
        left = self.endgame(left, options)
        # What no loop resolved goes on as far as steps can.
        control = options.control(strict=True)
        control[loop.CALM_T] = 0.0
        control[loop.MAX_STEPS] = min(self.options.max_steps, _LAST_STEPS)
        on = left[self.end[left] == loop.CALM]
        self.follow(on, control)
        self.judge(on[self.end[on] != loop.UNFINISHED])
        self.give_up(left[self.status[left] == _FAILED])

    def follow(self, ids: Integers, control: Floats) -> None:
        """Run the loop on these paths; their rows are replaced."""
        if not len(ids):
            return
        work = self.work(ids, self.x[ids], self.t[ids], self.h[ids])
        try:
            follow(self.homotopy, work, control, loop.SEGMENT, self.options)
        finally:
            # On Ctrl-C too: a path that has no end yet keeps its status and its reason says so.
            done = work.end != loop.UNFINISHED
            rows = ids[done]
            self.x[rows] = self.homotopy.unit(work.x[done])
            self.t[rows], self.h[rows], self.end[rows] = work.t[done], work.h[done], work.end[done]
            self.steps[rows] += work.steps[done]
            self.rejects[rows] += work.rejects[done]
            self.correction[rows] = work.correction[done]
            self.condition[rows] = work.condition[done]
            self.valuation[rows] = work.valuation[done]
            self.steady[rows] = work.steady[done]
            self.cut_x0[rows] = np.minimum(self.cut_x0[rows], work.cut[done])

    def work(self, ids: Integers, x: Complexes, t: Floats, h: Floats) -> loop.Work:
        count = len(ids)
        return loop.Work(
            np.array(x), t.copy(), h.copy(), self.sets[ids], self.parameters,
            np.full(count, loop.UNFINISHED, dtype=np.int8), np.zeros(count, np.int32),
            np.zeros(count, np.int32), np.full(count, np.inf), np.full(count, np.inf),
            np.zeros((count, self.homotopy.factors)), np.zeros(count, np.int32),
            np.full(count, np.inf),
        )  # fmt: skip

    # How a path ended

    def judge(self, ids: Integers, again: bool = True) -> Integers:
        """Give paths that landed or diverged their status; returned are those for the endgame.

        Without ``again`` landed paths that are not surely regular are left as they are.
        """
        end = self.end[ids]
        landed = end == loop.LANDED
        infinite = (landed & (self.x0(ids) < INFINITE_X0)) | (end == loop.DIVERGED)
        self.status[ids[infinite]] = _INFINITY
        sure = landed & ~infinite & (self.condition[ids] < _SURE_CONDITION)
        self.status[ids[sure]] = _FINITE
        self.winding[ids[sure]] = 1
        if again:
            self.second_look(ids[landed & ~infinite & ~sure])
        late = ids[(end == loop.CALM) | (end == loop.SHRUNK) | (end == loop.OUT_OF_STEPS)]
        # Beside a singular point at infinity steps fail long before the strict rule can hold.
        x0, t = self.x0(late), self.t[late]
        far = self.steady[late] >= _LONG
        far &= ((t < 1e-7) & (x0 < 0.05)) | ((t < 1e-6) & (x0 < SMALL_X0))
        # Where the exponent is noise by now, its mean since the path was suspended is not.
        cut = np.where(np.isfinite(self.cut_x0[late]), self.cut_x0[late], 0.0)
        far |= (t < 1e-4) & (x0 < SMALL_X0) & (x0 < 0.01 * cut)
        far &= self.end[late] != loop.CALM
        far |= x0 < INFINITE_X0
        self.status[late[far]] = _INFINITY
        found: Integers = late[~far & (t < _ENDGAME_T)]
        return found

    def give_up(self, ids: Integers) -> None:
        """Paths that neither land nor close a loop: judge where they are if that is no drift."""
        drifting = self.valuation[ids].max(axis=1, initial=0.0) > DRIFT
        self.second_look(ids[~drifting & (self.t[ids] < 1e-8)])

    def x0(self, ids: Integers) -> Floats:
        """The smallest homogenising coordinate of each path."""
        found: Floats = np.abs(self.x[ids][:, self.homotopy.equations :]).min(axis=1, initial=1.0)
        return found

    def second_look(self, ids: Integers) -> None:
        """Judge end points by Newton's method and the condition, in numpy."""
        if not len(ids):
            return
        found = polished(self.homotopy, self.x[ids], self.parameters[self.sets[ids]])
        x0 = np.abs(found.points[:, self.homotopy.equations :]).min(axis=1, initial=1.0)
        # No path lands at a multiple root with corrections that fall as they should, down to 1e-12.
        landed = (self.end[ids] == loop.LANDED) & (self.correction[ids] < 1e-12)
        limit = np.where(landed, _LANDED_CONDITION, _SINGULAR_CONDITION)
        regular = found.quadratic & (found.conditions < limit)
        drifting = self.valuation[ids].max(axis=1, initial=0.0) > DRIFT
        # A drifting coordinate at infinity at a singular end point: the path may go there.
        open_end = ~np.isfinite(found.points).all(axis=1) | (x0 < INFINITE_X0)
        open_end |= ~found.quadratic & ((drifting & (x0 < 0.1)) | (x0 < SMALL_X0))
        self.correction[ids], self.condition[ids] = found.corrections, found.conditions
        self.status[ids] = np.where(open_end, _FAILED, np.where(regular, _FINITE, _SINGULAR))
        good = ~open_end
        self.x[ids[good]] = found.points[good]
        self.winding[ids[good & regular]] = 1

    def endgame(self, ids: Integers, options: Options) -> Integers:
        """Cauchy's integral for these paths; those for which it fails are returned."""

        def arcs(
            x: Complexes, rows: Floats, chosen: Integers
        ) -> tuple[Complexes, npt.NDArray[np.bool_]]:
            count = len(x)
            work = self.work(ids[chosen], x, np.ones(count), np.full(count, 0.4))
            control = options.control()
            control[loop.LARGEST] = 1.0
            control[loop.MAX_STEPS] = _ARC_STEPS
            # Beside a singular point corrections are noise long before they are 1e-12.
            control[loop.NOISE] = 1e-8
            follow(self.homotopy, work, control, loop.ARC, options, rows)
            self.steps[ids[chosen]] += work.steps
            self.rejects[ids[chosen]] += work.rejects
            return work.x, work.end == loop.LANDED

        limits = cauchy(self.homotopy, arcs, self.x[ids], self.t[ids])
        # A mean x0 of 0 says nothing of a path that does not drift: loops around several finite
        # roots of a symmetric system have it too.
        least: Floats = np.abs(limits.points[:, self.homotopy.equations :]).min(axis=1, initial=1.0)
        drifting = self.valuation[ids].max(axis=1, initial=0.0) > DRIFT
        known = (limits.winding > 0) & (drifting | (least >= INFINITE_X0))
        found, rows = ids[known], limits.points[known]
        if len(found):
            judged = polished(self.homotopy, rows, self.parameters[self.sets[found]])
            winding = limits.winding[known]
            x0 = np.abs(rows[:, self.homotopy.equations :]).min(axis=1, initial=1.0)
            infinite = x0 < INFINITE_X0
            # At a multiple root the product of correction and condition is about 1.
            limit = np.where(judged.corrections < 1e-12, _LANDED_CONDITION, _SINGULAR_CONDITION)
            regular = judged.quadratic & (judged.conditions < limit) & (winding == 1)
            regular &= ~infinite
            # Newton's method would spoil a singular limit: only regular ones are polished.
            self.x[found] = np.where(regular[:, None], judged.points, rows)
            self.t[found[~infinite]] = 0.0
            self.correction[found], self.condition[found] = judged.corrections, judged.conditions
            self.winding[found] = winding
            self.status[found] = np.where(
                infinite, _INFINITY, np.where(regular, _FINITE, _SINGULAR)
            )
        left: Integers = ids[~known]
        return left

    # Coincidences

    def coinciding(self, tolerance: float) -> list[Integers]:
        """Finite end points of one set that are this close to each other (chordal)."""
        ids = np.flatnonzero(self.status == _FINITE)
        return [ids[rows] for rows in _close(self.chordal(ids), self.sets[ids], tolerance)]

    def chordal(self, ids: Integers) -> Complexes:
        """The end points with unit groups whose homogenising coordinates are positive."""
        x = self.x[ids]
        x0 = x[:, self.homotopy.equations :]
        phase = (x0.conj() / np.abs(x0))[:, np.array(self.homotopy.groups, dtype=np.int64)]
        found: Complexes = x * phase
        return found

    def settle(self, cluster: Integers) -> None:
        """Paths whose regular end points are one to double precision: which of them to believe."""
        noise = 100 * np.finfo(float).eps * float(self.condition[cluster].max())
        points, sets = self.chordal(cluster), self.sets[cluster]
        for same in _close(points, sets, max(SAME_REGULAR, noise)):
            members = cluster[same]
            # An estimate decides nothing here.
            found = polished(self.homotopy, self.x[members], self.parameters[self.sets[members]])
            self.condition[members] = found.conditions
            certain = float(found.conditions.max()) < _CERTAIN_CONDITION
            # A simple root is the end of exactly one path.
            changed = members[1:] if certain else members
            self.status[changed] = _JUMPED if certain else _SINGULAR
            self.twin[changed] = np.where(changed == members[0], members[1], members[0])
            self.winding[changed] = 0


def _close(points: Complexes, sets: Integers, tolerance: float) -> list[Integers]:
    """Rows of one set that are linked by distances at most ``tolerance``, singletons left out."""
    if len(points) < 2:
        return []
    flat = np.concatenate([points.real, points.imag], axis=1)
    # Near points have near projections: only neighbours in that order need comparing.
    direction = np.cos(np.arange(1, flat.shape[1] + 1) ** 2.0)
    shadow = np.einsum("ki,i->k", flat, direction / np.linalg.norm(direction))
    order = np.lexsort((shadow, sets))
    parent: dict[int, int] = {}

    def root(i: int) -> int:
        while parent.setdefault(i, i) != i:
            i = parent[i]
        return i

    near = (np.diff(shadow[order]) <= tolerance) & (np.diff(sets[order]) == 0)
    for a in np.flatnonzero(near):
        b = a + 1
        while (
            b < len(order)
            and sets[order[b]] == sets[order[a]]
            and shadow[order[b]] - shadow[order[a]] <= tolerance
        ):
            i, j = int(order[a]), int(order[b])
            if np.linalg.norm(flat[i] - flat[j]) <= tolerance:
                low, high = sorted((root(i), root(j)))
                parent[high] = low
            b += 1
    found: dict[int, list[int]] = {}
    for i in sorted(parent):
        found.setdefault(root(i), []).append(i)
    return [np.array(members, dtype=np.int64) for members in found.values() if len(members) > 1]

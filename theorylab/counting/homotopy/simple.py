"""SimpleEngine: total degree homotopy in numpy, for installations without compiled kernels."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from theorylab.counting.homotopy.engine import (
    SAME_REGULAR,
    Complexes,
    Engine,
    Floats,
    Integers,
    PathStatus,
    Solutions,
    clusters,
    require_square,
)
from theorylab.counting.homotopy.simple_tracker import (
    DIVERGED,
    LANDED,
    STOPPED,
    STUCK,
    Bools,
    Control,
    Homotopy,
    Tracked,
    size_of,
    solve_rows,
    track,
    weights,
)
from theorylab.counting.homotopy.starts import Homogeneous, gamma_of, homogeneous, total_degree
from theorylab.counting.system import PolynomialSystem
from theorylab.outcome import InputError

_FINER = 1e-6
_SUSPICIOUS = 1e-6
# A double root is found to half the digits, where the condition is 1e8.
_SINGULAR_CONDITION = 1e7
_CERTAIN_CONDITION = 1e6
_POLISH = 12
_NOISE = 1e-9
_BATCH = 2048
_PHASES = 8
_DRIFT = 0.05
# Accepted steps, each a good part of a power of two in t, over which an exponent holds.
_LONG = 8


@dataclass(slots=True)
class _Record:
    """What is known of each path; rows are replaced when a path is followed again."""

    points: Complexes
    status: list[PathStatus]
    reasons: list[str]
    steps: Integers
    residuals: Floats
    conditions: Floats

    def take(self, ids: Integers, other: _Record) -> None:
        """Replace the rows ``ids`` by those of another record; steps add up."""
        self.points[ids] = other.points
        self.steps[ids] += other.steps
        self.residuals[ids] = other.residuals
        self.conditions[ids] = other.conditions
        for row, i in enumerate(ids):
            self.status[i], self.reasons[i] = other.status[row], other.reasons[row]

    def ids(self, status: PathStatus) -> Integers:
        found = [i for i, s in enumerate(self.status) if s is status]
        return np.array(found, dtype=np.int64)


class SimpleEngine(Engine):
    """All paths of H = (1 - t) f + t gamma (x_i^{d_i} - c_i) from t = 1 to t = 0, in numpy.

    Projective space, one patch per path, renewed at every step; RK4 and Newton with per-path
    steps. Failed paths, and paths whose end points coincide, are followed again with
    tau = 1e-6. No endgame: singular end points are good to a root of double precision.
    Roots of norm above 1e8 count as infinite. Regular roots with a scaled condition above 1e7 are
    reported SINGULAR with their points, for extended precision to decide.
    One homogenising variable: roots of deep networks for which |x0|^d is below round-off can be
    taken for infinite ones.

    Guarantees: heuristic; see ``Engine`` for the laws. Source: A. J. Sommese, C. W. Wampler, The
    Numerical Solution of Systems of Polynomials (2005), chapters 2, 3 and 8.

    >>> from theorylab.counting.system import system_from_json
    >>> f = system_from_json({"variables": ["x", "y"], "polynomials": ["x^2+y^2-5", "x*y-2"]})
    >>> found = SimpleEngine().solve(f, seed=1)
    >>> found.count(PathStatus.FINITE), found.paths
    (4, 4)
    >>> sorted(tuple(int(round(z.real)) for z in p) for p in found.regular)
    [(-2, -1), (-1, -2), (1, 2), (2, 1)]
    """

    name = "simple"

    def __init__(self, tau: float = 1e-4, max_paths: int = 50_000) -> None:
        if not 0 < tau <= 1e-2:
            raise InputError("tau", tau, "0 < tau <= 0.01: a larger one jumps paths", "use 1e-4")
        self.control = Control(tau=tau)
        self.max_paths = max_paths

    def path_count(self, system: PolynomialSystem) -> int:
        """The product of the structural degrees."""
        require_square(system)
        count = 1
        for degree in system.degrees:
            count *= degree
        if count > self.max_paths:
            raise InputError(
                "system",
                system.name,
                f"it has {count} paths, and this engine follows at most {self.max_paths}",
                "use another engine, a gauge that fixes more, or a larger max_paths",
            )
        return count

    def solve(self, system: PolynomialSystem, *, seed: int = 0) -> Solutions:
        """Follow all paths, again those in doubt. Raises InputError as the laws say."""
        begun = time.perf_counter()
        if seed < 0:
            raise InputError("seed", seed, "a seed is an integer >= 0", "use 0")
        total = self.path_count(system)
        gamma = gamma_of(seed)
        if total:
            target = homogeneous(system, seed)
            homotopy = Homotopy(target, total_degree(target.degrees, seed), gamma)
            ids = np.arange(total, dtype=np.int64)
            record = _judged(homotopy.target, track(homotopy, ids, self.control))
            again = self._again(homotopy, record)
        else:
            record, again = _nothing(len(system.variables)), ()
        return Solutions(
            self.name,
            system.variables,
            record.points,
            tuple(record.status),
            tuple(record.reasons),
            record.steps,
            record.residuals,
            record.conditions,
            again,
            seed,
            gamma,
            self.control.tau,
            time.perf_counter() - begun,
        )

    def _again(self, homotopy: Homotopy, record: _Record) -> tuple[int, ...]:
        """Follow failed and coinciding paths with a finer tau; mark those that still coincide."""
        finer = replace(self.control, tau=min(_FINER, self.control.tau))
        done: set[int] = set()
        # New end points can coincide with others: twice is enough for any but a hopeless run.
        for _ in range(2):
            doubtful = {int(i) for i in record.ids(PathStatus.FAILED)}
            doubtful |= {i for cluster in _coinciding(record, _SUSPICIOUS) for i in cluster}
            doubtful -= done
            if not doubtful:
                break
            ids = np.array(sorted(doubtful), dtype=np.int64)
            record.take(ids, _judged(homotopy.target, track(homotopy, ids, finer)))
            done |= doubtful
        for cluster in _coinciding(record, _SUSPICIOUS):
            _settle(record, cluster)
        return tuple(sorted(done))


def _nothing(variables: int) -> _Record:
    empty = np.empty(0)
    points = np.empty((0, variables), dtype=np.complex128)
    return _Record(points, [], [], np.empty(0, dtype=np.int64), empty, empty)


def _coinciding(record: _Record, tolerance: float) -> list[tuple[int, ...]]:
    ids = record.ids(PathStatus.FINITE)
    found = clusters(record.points[ids], tolerance)
    return [tuple(int(ids[i]) for i in cluster) for cluster in found if len(cluster) > 1]


def _settle(record: _Record, cluster: tuple[int, ...]) -> None:
    """Paths whose regular end points are one to double precision: which of them to believe."""
    noise = 100 * np.finfo(float).eps * max(record.conditions[i] for i in cluster)
    for same in clusters(record.points[list(cluster)], max(SAME_REGULAR, noise)):
        if len(same) == 1:
            continue
        members = [cluster[i] for i in same]
        certain = max(record.conditions[i] for i in members) < _CERTAIN_CONDITION
        for i in members[1:] if certain else members:
            other = members[0] if i != members[0] else members[1]
            if certain:
                # A simple root is the end of exactly one path.
                record.status[i] = PathStatus.JUMPED
                record.reasons[i] = f"ends, at tau = {_FINER:g} too, at the simple root of {other}"
            else:
                record.status[i] = PathStatus.SINGULAR
                record.reasons[i] = (
                    f"double precision cannot tell it from the end of path {other}, condition "
                    f"{record.conditions[i]:.1e}"
                )


def _judged(target: Homogeneous, tracked: Tracked) -> _Record:
    """The status of each path from where it ended; end points of finite ones polished at t = 0."""
    total, n1 = tracked.x.shape
    record = _Record(
        np.zeros((total, n1 - 1), dtype=np.complex128),
        [PathStatus.FAILED] * total,
        [""] * total,
        tracked.steps.copy(),
        np.full(total, np.inf),
        np.full(total, np.inf),
    )
    for low in range(0, total, _BATCH):
        with np.errstate(all="ignore"):
            _judge(target, tracked, record, np.arange(low, min(low + _BATCH, total)))
    return record


def _judge(target: Homogeneous, tracked: Tracked, record: _Record, ids: Integers) -> None:
    x, correction, quadratic = _polished(target, tracked.x[ids])
    condition = _conditions(target, x)
    record.conditions[ids] = condition
    for row, i in enumerate(ids):
        end, t, w = int(tracked.end[i]), float(tracked.t[i]), float(tracked.valuation[i])
        raw = tracked.x[i]
        small = abs(raw[0])
        drifting = w > _DRIFT
        steady = drifting and tracked.stable[i] >= _LONG
        regular = quadratic[row] and condition[row] < _SINGULAR_CONDITION
        status, point = PathStatus.FAILED, raw
        if end == DIVERGED:
            status, reason = PathStatus.INFINITY, f"|x0| ~ t^{w:.2f}, steady down to t = {t:.0e}"
        elif end == STUCK and t > 1e-8:
            reason = f"no progress after {int(tracked.steps[i])} steps at t = {t:.1e}"
        elif end != STUCK and small < Control().infinity_x0:
            status, reason = PathStatus.INFINITY, f"|x0| = {small:.0e} at t = {t:.0e}"
        elif end == LANDED and not regular and steady and small < 1e-5:
            status = PathStatus.INFINITY
            reason = f"|x0| ~ t^{w:.2f} up to a singular end point with |x0| = {small:.0e}"
        elif end in (STOPPED, STUCK) and t < 1e-8 and steady and small < 0.05:
            status = PathStatus.INFINITY
            reason = f"|x0| ~ t^{w:.2f}, long steady, down to t = {t:.0e}"
        elif (end != LANDED or not quadratic[row]) and drifting and small < 0.1:
            reason = f"perhaps infinite: |x0| = {small:.1e} ~ t^{w:.2f} at t = {t:.0e}"
        elif abs(x[row, 0]) < 1e-8 or not np.isfinite(x[row]).all():
            reason = f"perhaps infinite: no finite end point near |x0| = {small:.1e}"
        elif regular:
            status, reason, point = PathStatus.FINITE, "Newton's method converges", x[row]
        else:
            status, point = PathStatus.SINGULAR, x[row]
            reason = f"Newton stalls at {correction[row]:.0e}, condition {condition[row]:.0e}"
        record.status[i], record.reasons[i] = status, reason
        record.residuals[i] = correction[row]
        if status is PathStatus.INFINITY:
            record.points[i] = raw[1:] / np.linalg.norm(raw[1:])
        else:
            record.points[i] = point[1:] / point[0]


def _polished(target: Homogeneous, x: Complexes) -> tuple[Complexes, Floats, Bools]:
    """Newton's method on the target from unit vectors: best points, their last corrections, and
    whether the corrections fell as they do at a simple root."""
    best = x.copy()
    smallest = np.full(len(x), np.inf)
    weight = weights(x, Control().floor)
    quadratic = np.ones(len(x), dtype=bool)
    live = np.arange(len(x))
    current = x.copy()
    for _ in range(_POLISH):
        value, jacobian = target.evaluate(current[live])
        step = solve_rows(jacobian, current[live].conj(), -value)
        size = size_of(step / weight[live])
        # At a multiple root the corrections fall linearly, by 1/2 or less each.
        slow = (smallest[live] > _NOISE) & (smallest[live] < np.inf)
        quadratic[live[slow & ~(size < 0.3 * smallest[live])]] = False
        better = size < smallest[live]
        live, step, size = live[better], step[better], size[better]
        if not len(live):
            break
        moved = current[live] + step
        current[live] = moved / size_of(moved)[:, None]
        # A large correction leaves the neighbourhood the path led to.
        near = size < 1e-3
        best[live[near]] = current[live[near]]
        smallest[live] = size
    return best, smallest, quadratic & (smallest < _NOISE)


def _conditions(target: Homogeneous, x: Complexes) -> Floats:
    """Condition numbers of the projective Jacobians: the best of a few scalings.

    Coordinates are measured in their own size, but at least as 1 in affine terms, or all in the
    same; each equation in the size it has at points of such sizes but other phases. Finer scales
    would hide a multiple root at the origin, where x^2 at x = 1e-15 looks as good as x.
    """
    _, jacobian = target.evaluate(x)
    rng = np.random.default_rng(_PHASES)
    phases = np.exp(2j * np.pi * rng.random((_PHASES, x.shape[1])))
    found = np.full(len(x), np.inf)
    for weight in (np.ones(x.shape), weights(x, Control().floor)):
        natural = np.zeros(jacobian.shape[:2])
        for phase in phases:
            natural = np.maximum(natural, np.abs(target.evaluate(weight * phase)[0]))
        rows = jacobian * weight[:, None, :] / np.where(natural > 0, natural, 1.0)[:, :, None]
        last = (x.conj() * weight)[:, None, :]
        matrix = np.concatenate([rows, last / np.linalg.norm(last, axis=2, keepdims=True)], axis=1)
        finite = np.isfinite(matrix).all(axis=(1, 2))
        if finite.any():
            values = np.linalg.svd(matrix[finite], compute_uv=False)
            found[finite] = np.minimum(found[finite], values[:, 0] / values[:, -1])
    return found

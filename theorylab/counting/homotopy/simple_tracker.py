"""A batched path tracker in numpy: every operation runs over all paths that are still alive."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from theorylab.counting.homotopy.engine import Complexes, Floats, Integers
from theorylab.counting.homotopy.starts import Homogeneous, TotalDegree

Bools = npt.NDArray[np.bool_]

LANDED, DIVERGED, STOPPED, STUCK = 0, 1, 2, 3
"""Ends of a path: at t = 0; by the rule for infinity; at the smallest t; out of steps."""


@dataclass(frozen=True, slots=True)
class Control:
    """The numbers of the step control; sizes are relative to points of norm one.

    ``tau`` is the aim for the first Newton correction, which is the error of the prediction.
    Source of the values: measurements of a prototype on 155,000 paths without a jump.
    """

    tau: float = 1e-4
    reject: float = 16.0
    accept: float = 1e-5
    accept_end: float = 1e-12
    contraction: float = 0.3
    iterations: int = 3
    iterations_end: int = 5
    first: float = 1e-2
    largest: float = 0.25
    growth: float = 2.0
    max_steps: int = 3000
    # Sizes are relative to each coordinate, but to no less than this share of the point.
    floor: float = 1e-12
    # Small coordinates can be pure round-off; a path that makes no headway measures coarsely.
    patience: int = 250
    coarse: float = 1e-3
    smallest_t: float = 1e-30
    lanes: int = 512
    # A path is taken to diverge when, this near to t = 0, x0 has become this small like one
    # positive power of t. A large finite root looks the same until |x0| is below 1 / |root|.
    infinity_t: float = 1e-8
    infinity_x0: float = 1e-8
    infinity_valuation: float = 0.05
    infinity_stable: float = 0.05
    infinity_samples: int = 3


@dataclass(slots=True)
class Lanes:
    """Paths in flight, one row each; the tracker's only mutable state."""

    ids: Integers
    x: Complexes
    t: Floats
    h: Floats
    steps: Integers
    valuation: Floats
    stable: Integers

    def kept(self, mask: Bools) -> Lanes:
        """The rows of the mask."""
        return Lanes(*(getattr(self, f.name)[mask] for f in fields(self)))

    def joined(self, other: Lanes) -> Lanes:
        """These rows and those."""
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return Lanes(*(np.concatenate(pair) for pair in pairs))


@dataclass(frozen=True, slots=True, eq=False)
class Tracked:
    """Where each path ended: unit vectors (x0, ..., xn), t, why, and what the control saw."""

    x: Complexes
    t: Floats
    end: Integers
    steps: Integers
    valuation: Floats
    stable: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Homotopy:
    """H(x, t) = (1 - t) target + t gamma start, homogeneous in x = (x0, ..., xn)."""

    target: Homogeneous
    start: TotalDegree
    gamma: complex

    def evaluate(self, x: Complexes, t: Floats) -> tuple[Complexes, Complexes, Complexes]:
        """H (batch x n), its derivatives in x (batch x n x (n+1)) and in t (batch x n)."""
        f, fx = self.target.evaluate(x)
        g, gx = self.start.evaluate(x)
        g, gx = self.gamma * g, self.gamma * gx
        s = t[:, None]
        value = (1 - s) * f + s * g
        return value, (1 - s)[:, :, None] * fx + s[:, :, None] * gx, g - f


def solve_rows(rows: Complexes, patch: Complexes, right: Complexes) -> Complexes:
    """The solutions of [rows; patch] z = [right; 0], lane by lane; nan where that is singular."""
    size = np.abs(rows).max(axis=2, keepdims=True)
    size = np.where((size > 0) & np.isfinite(size), size, 1.0)
    matrix = np.concatenate([rows / size, patch[:, None, :]], axis=1)
    vector = np.concatenate([right / size[:, :, 0], np.zeros_like(patch[:, :1])], axis=1)
    try:
        found: Complexes = np.linalg.solve(matrix, vector[:, :, None])[:, :, 0]
        return found
    except np.linalg.LinAlgError:
        found = np.full_like(vector, np.nan)
        for lane in range(len(matrix)):
            try:
                found[lane] = np.linalg.solve(matrix[lane], vector[lane])
            except np.linalg.LinAlgError:
                continue
        return found


def size_of(x: Complexes) -> Floats:
    """Norms of the rows; nan and inf stay what they are."""
    found: Floats = np.sqrt((x.real**2 + x.imag**2).sum(axis=1))
    return found


def weights(x: Complexes, floor: float | Floats) -> Floats:
    """The sizes that corrections of unit vectors are divided by, coordinate by coordinate.

    With plain norms everything small, x0 among it, would be lost beside one large coordinate, and
    paths that run close together towards infinity would jump.
    """
    found: Floats = np.maximum(np.maximum(np.abs(x), np.abs(x[:, :1])), floor) * x.shape[1] ** 0.5
    return found


def track(homotopy: Homotopy, ids: Integers, control: Control) -> Tracked:
    """Follow the paths of these start solutions from t = 1 to t = 0.

    RK4 predictor and Newton corrector in the projective patch through the last accepted point;
    every path has its own step. Finished paths make room for waiting ones. Deterministic.
    """
    total, n1 = len(ids), len(homotopy.target.degrees) + 1
    result = Tracked(
        np.zeros((total, n1), dtype=np.complex128),
        np.ones(total),
        np.full(total, STUCK, dtype=np.int64),
        np.zeros(total, dtype=np.int64),
        np.zeros(total),
        np.zeros(total, dtype=np.int64),
    )
    waiting = 0
    lanes = _fresh(homotopy, ids, 0, 0, control)
    with np.errstate(all="ignore"):
        while waiting < total or len(lanes.ids):
            if waiting < total and len(lanes.ids) < control.lanes:
                until = min(total, waiting + control.lanes - len(lanes.ids))
                lanes = lanes.joined(_fresh(homotopy, ids, waiting, until, control))
                waiting = until
            end = _advance(homotopy, lanes, control)
            done = end >= 0
            if done.any():
                at = lanes.ids[done]
                for name in ("x", "t", "steps", "valuation", "stable"):
                    getattr(result, name)[at] = getattr(lanes, name)[done]
                result.end[at] = end[done]
                lanes = lanes.kept(~done)
    return result


def _fresh(homotopy: Homotopy, ids: Integers, low: int, high: int, control: Control) -> Lanes:
    x = homotopy.start.solutions(ids[low:high])
    count = high - low
    return Lanes(
        np.arange(low, high, dtype=np.int64),
        x / size_of(x)[:, None],
        np.ones(count),
        np.full(count, control.first),
        np.zeros(count, dtype=np.int64),
        np.full(count, np.nan),
        np.zeros(count, dtype=np.int64),
    )


def _advance(homotopy: Homotopy, lanes: Lanes, control: Control) -> Integers:
    """One step of every lane, accepted or not; the end of each lane, -1 while it goes on."""
    x, t = lanes.x, lanes.t
    h = np.minimum(lanes.h, t)
    new_t = np.where(lanes.h >= t, 0.0, t - h)
    patch = x.conj()

    def slope(at: Complexes, when: Floats) -> Complexes:
        _, jacobian, by_t = homotopy.evaluate(at, when)
        return solve_rows(jacobian, patch, -by_t)

    half, middle = (h / 2)[:, None], (t + new_t) / 2
    k1 = slope(x, t)
    k2 = slope(x - half * k1, middle)
    k3 = slope(x - half * k2, middle)
    k4 = slope(x - h[:, None] * k3, new_t)
    guess = x - (h / 6)[:, None] * (k1 + 2 * k2 + 2 * k3 + k4)
    floor = np.where(lanes.steps < control.patience, control.floor, control.coarse)[:, None]
    arrived, accepted, error = _corrected(
        homotopy, guess, new_t, patch, weights(patch, floor), control
    )

    _watch_infinity(lanes, k1, accepted, control)
    with_error = np.isfinite(error)
    ratio = np.where(with_error, error, np.inf) / control.tau
    factor = np.clip(0.9 * np.maximum(ratio, 1e-30) ** -0.2, 0.1, control.growth)
    grown = np.minimum(h * factor, control.largest)
    lanes.h = np.where(accepted, grown, h * np.clip(factor, 0.1, 0.5))
    unit = arrived / size_of(arrived)[:, None]
    lanes.x = np.where(accepted[:, None], unit, x)
    lanes.t = np.where(accepted, new_t, t)
    lanes.steps = lanes.steps + 1

    # Healthy steps near the end are a fixed share of t; below round-off they shrink to nothing.
    shortest = np.where(lanes.t < 1e-10, 1e-4, 1e-10)
    end = np.full(len(t), -1, dtype=np.int64)
    end[lanes.steps >= control.max_steps] = STUCK
    end[(lanes.t < control.smallest_t) | (lanes.h < shortest * lanes.t)] = STOPPED
    # Far from t = 0 a step that has shrunk to nothing means that something went wrong.
    end[(end == STOPPED) & (lanes.t > 1e-3)] = STUCK
    diverged = (
        (lanes.stable >= control.infinity_samples)
        & (lanes.t < control.infinity_t)
        & (np.abs(lanes.x[:, 0]) < control.infinity_x0)
    )
    end[diverged] = DIVERGED
    end[lanes.t == 0] = LANDED
    return end


def _corrected(
    homotopy: Homotopy,
    guess: Complexes,
    t: Floats,
    patch: Complexes,
    weight: Floats,
    control: Control,
) -> tuple[Complexes, Bools, Floats]:
    """Newton's method at fixed t: the points, whether each is accepted, its first correction."""
    count = len(t)
    x = guess.copy()
    accepted = np.zeros(count, dtype=bool)
    first, last = np.full(count, np.inf), np.full(count, np.inf)
    at_end = t == 0
    goal = np.where(at_end, control.accept_end, control.accept)
    live = np.arange(count)
    for iteration in range(max(control.iterations, control.iterations_end)):
        if iteration == control.iterations:
            live = live[at_end[live]]
        if not len(live):
            break
        value, jacobian, _ = homotopy.evaluate(x[live], t[live])
        step = solve_rows(jacobian, patch[live], -value)
        size = size_of(step / weight[live])
        if iteration == 0:
            first[live] = size
            good = size < control.reject * control.tau
        else:
            good = (size < control.contraction * last[live]) | (size < 1e-11)
        last[live] = size
        live, step, size = live[good], step[good], size[good]
        x[live] += step
        reached = size < goal[live]
        accepted[live[reached]] = True
        live = live[~reached]
    # Ill-conditioned roots stall above the goal although Newton's method did contract.
    accepted[live[at_end[live] & (last[live] < 1e-9)]] = True
    return x, accepted, first


def _watch_infinity(lanes: Lanes, slope: Complexes, accepted: Bools, control: Control) -> None:
    """Keep the exponent w in |x0| ~ t^w, and for how many accepted steps it has been steady."""
    x0, t = lanes.x[:, 0], lanes.t
    w = t * (slope[:, 0] * x0.conj()).real / np.abs(x0) ** 2
    steady = (w > control.infinity_valuation) & (
        np.abs(w - lanes.valuation) < control.infinity_stable * w
    )
    close = t < 0.1
    lanes.stable = np.where(accepted, np.where(close & steady, lanes.stable + 1, 0), lanes.stable)
    lanes.valuation = np.where(accepted & np.isfinite(w), w, lanes.valuation)

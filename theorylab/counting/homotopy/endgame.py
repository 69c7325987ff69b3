"""Ends of paths that no ordinary step can reach: Cauchy's integral, and careful judgement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from theorylab.counting.homotopy.engine import Complexes, Floats, Integers
from theorylab.counting.homotopy.homotopy import Homotopy

Bools = npt.NDArray[np.bool_]
Arcs = Callable[[Complexes, Floats, Integers], tuple[Complexes, Bools]]
"""Follow points along arcs (rows of r, a, b, c), for these paths: ends, and which got there."""

MAX_WINDING: Final = 16
# Over w turns the mean of k w samples is wrong by O(r^k), r the radius: four are plenty.
_SAMPLES = 4
_CLOSED = 1e-7
_AGREE = 1e-9
_ZERO, _NOT_ZERO = 1e-10, 1e-5
_RADII = 4
_SHRINK = 1 / 8
_POLISH = 12
_NOISE = 1e-9
_PHASES = 8
_FLOOR = 1e-12
_BATCH = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """What Cauchy's integral says of the limits at t = 0: points, winding numbers (0: it failed),
    and how far the estimates from two radii are apart."""

    points: Complexes
    winding: Integers
    error: Floats


def cauchy(homotopy: Homotopy, arcs: Arcs, x: Complexes, t: Floats) -> Limits:
    """The limits of paths that have come to x at small t > 0, by loops around t = 0.

    In a fixed patch x is a power series in t^(1/w); over w turns its mean is the limit. Loops are
    closed when the start is met again to 1e-7, for w up to 16. A limit is believed when a second
    radius, an eighth of the first, gives the same w and the same point, or when a homogenising
    coordinate that is not small along the loop has the mean 0.

    Guarantees: heuristic. Source: A. Morgan, A. Sommese, C. Wampler, A power series method for
    computing singular solutions to nonlinear analytic systems, Numer. Math. 63 (1992).
    """
    count = len(x)
    found = Limits(x.copy(), np.zeros(count, dtype=np.int64), np.full(count, np.inf))
    ids = np.arange(count)
    here, radius = x.copy(), t.copy()
    before = np.zeros_like(x)
    winding_before = np.zeros(count, dtype=np.int64)
    for attempt in range(_RADII):
        if not len(ids):
            break
        patch = here[ids].conj()
        mean, winding = _loops(homotopy, arcs, here[ids], radius[ids], patch, ids)
        if attempt:
            # Both in the patch of the newer one.
            old = _in_patch(homotopy, before[ids], patch)
            error = np.abs(mean - old).max(axis=1, initial=0.0)
            same = (winding > 0) & (winding == winding_before[ids]) & np.isfinite(error)
            better = same & (error < found.error[ids])
            rows = ids[better]
            found.points[rows] = homotopy.unit(mean[better])
            found.winding[rows], found.error[rows] = winding[better], error[better]
        else:
            x0 = np.abs(mean[:, homotopy.equations :])
            along = np.abs(_in_patch(homotopy, here[ids], patch)[:, homotopy.equations :])
            vanishing = (winding > 0) & ((x0 < _ZERO) & (along > _NOT_ZERO)).any(axis=1)
            rows = ids[vanishing]
            found.points[rows] = homotopy.unit(mean[vanishing])
            found.winding[rows], found.error[rows] = winding[vanishing], 0.0
        before[ids], winding_before[ids] = mean, winding
        ids = ids[found.error[ids] > _AGREE]
        if not len(ids):
            break
        rows = np.zeros((len(ids), 4))
        rows[:, 0], rows[:, 2] = radius[ids], np.log(_SHRINK)
        moved, arrived = arcs(here[ids], rows, ids)
        ids, moved = ids[arrived], moved[arrived]
        here[ids] = homotopy.unit(moved)
        radius[ids] *= _SHRINK
    # Not even two radii agree to half the digits: nothing is known.
    found.winding[found.error > 1e-6] = 0
    return found


def _loops(
    homotopy: Homotopy, arcs: Arcs, x: Complexes, radius: Floats, patch: Complexes, ids: Integers
) -> tuple[Complexes, Integers]:
    """Mean over all turns until the loop closes, in the patch; winding number 0 if it does not."""
    count = len(x)
    start = _in_patch(homotopy, x, patch)
    current = x.copy()
    total = np.zeros_like(x)
    mean = np.full_like(x, np.nan)
    winding = np.zeros(count, dtype=np.int64)
    live = np.arange(count)
    for sample in range(MAX_WINDING * _SAMPLES):
        rows = np.zeros((len(live), 4))
        rows[:, 0] = radius[live]
        rows[:, 1] = 2 * np.pi * (sample % _SAMPLES) / _SAMPLES
        rows[:, 3] = 2 * np.pi / _SAMPLES
        ends, arrived = arcs(current[live], rows, ids[live])
        live, ends = live[arrived], ends[arrived]
        if not len(live):
            break
        current[live] = homotopy.unit(ends)
        seen = _in_patch(homotopy, current[live], patch[live])
        total[live] += seen
        if sample % _SAMPLES == _SAMPLES - 1:
            turns = sample // _SAMPLES + 1
            closed = np.abs(seen - start[live]).max(axis=1) < _CLOSED
            done = live[closed]
            winding[done] = turns
            mean[done] = total[done] / (turns * _SAMPLES)
            live = live[~closed]
            if not len(live):
                break
    return mean, winding


def _in_patch(homotopy: Homotopy, x: Complexes, patch: Complexes) -> Complexes:
    """The points scaled, group by group, so that patch . x = 1."""
    found = x.copy()
    group = np.array(homotopy.groups)
    with np.errstate(all="ignore"):
        for g in range(homotopy.factors):
            mine = group == g
            found[:, mine] /= (patch[:, mine] * x[:, mine]).sum(axis=1, keepdims=True)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Polished:
    """Newton's method on the target: points, last corrections relative to the point, whether the
    corrections fell as they do at a simple root, and the condition of the scaled Jacobian."""

    points: Complexes
    corrections: Floats
    quadratic: Bools
    conditions: Floats


def polished(homotopy: Homotopy, x: Complexes, parameters: Complexes) -> Polished:
    """Judge end points of the target H(., 0), in numpy; one row of parameters for each point."""
    parts = []
    with np.errstate(all="ignore"):
        for low in range(0, max(len(x), 1), _BATCH):
            rows = slice(low, low + _BATCH)
            points, corrections, quadratic = _newton(homotopy, x[rows], parameters[rows])
            conditions = _conditions(homotopy, points, parameters[rows])
            parts.append((points, corrections, quadratic, conditions))
    return Polished(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _target(homotopy: Homotopy, x: Complexes, parameters: Complexes) -> tuple[Complexes, Complexes]:
    values, jacobian, _ = homotopy.evaluate(x, np.zeros(len(x), dtype=np.complex128), parameters)
    return values, jacobian


def _patches(homotopy: Homotopy, x: Complexes) -> Complexes:
    """One row of conjugates for each group (points x G x N)."""
    found = np.zeros((len(x), homotopy.factors, homotopy.dimension), dtype=np.complex128)
    for v, g in enumerate(homotopy.groups):
        found[:, g, v] = x[:, v].conj()
    return found


def _weights(homotopy: Homotopy, x: Complexes) -> Floats:
    """The sizes that corrections are divided by: of the coordinate, or of x0 of its group."""
    group = np.array(homotopy.groups)
    members = np.bincount(group, minlength=homotopy.factors)[group]
    x0 = np.abs(x[:, homotopy.equations :][:, group])
    found: Floats = np.maximum(np.maximum(np.abs(x), x0), _FLOOR) * np.sqrt(members)
    return found


def _solved(matrix: Complexes, vector: Complexes) -> Complexes:
    """Solutions lane by lane; nan where a matrix is singular."""
    good = np.isfinite(matrix).all(axis=(1, 2)) & np.isfinite(vector).all(axis=1)
    found = np.full_like(vector, np.nan)
    try:
        found[good] = np.linalg.solve(matrix[good], vector[good, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        for i in np.flatnonzero(good):
            try:
                found[i] = np.linalg.solve(matrix[i], vector[i])
            except np.linalg.LinAlgError:
                continue
    return found


def _newton(
    homotopy: Homotopy, x: Complexes, parameters: Complexes
) -> tuple[Complexes, Floats, Bools]:
    best, current = x.copy(), x.copy()
    smallest = np.full(len(x), np.inf)
    quadratic = np.ones(len(x), dtype=bool)
    weight = _weights(homotopy, x)
    live = np.arange(len(x))
    for _ in range(_POLISH):
        at = current[live]
        value, jacobian = _target(homotopy, at, parameters[live])
        matrix = np.concatenate([jacobian, _patches(homotopy, at)], axis=1)
        zeros = np.zeros((len(live), homotopy.factors), dtype=np.complex128)
        step = _solved(matrix, np.concatenate([-value, zeros], axis=1))
        size = np.sqrt((np.abs(step / weight[live]) ** 2).sum(axis=1))
        # At a multiple root the corrections fall linearly, by 1/2 or less each.
        slow = (smallest[live] > _NOISE) & (smallest[live] < np.inf)
        quadratic[live[slow & ~(size < 0.3 * smallest[live])]] = False
        better = size < smallest[live]
        live, step, size = live[better], step[better], size[better]
        if not len(live):
            break
        current[live] = homotopy.unit(current[live] + step)
        # A large correction leaves the neighbourhood the path led to.
        near = size < 1e-3
        best[live[near]] = current[live[near]]
        smallest[live] = size
    return best, smallest, quadratic & (smallest < _NOISE)


def _conditions(homotopy: Homotopy, x: Complexes, parameters: Complexes) -> Floats:
    """Condition numbers of the projective Jacobians: the best of two scalings.

    Coordinates are measured in their own size, but at least as 1 in affine terms, or all in the
    same; each equation in the size it has at points of such sizes but other phases. Finer scales
    would hide a multiple root at the origin, where x^2 at x = 1e-15 looks as good as x.
    """
    _, jacobian = _target(homotopy, x, parameters)
    rng = np.random.default_rng(_PHASES)
    phases = np.exp(2j * np.pi * rng.random((_PHASES, x.shape[1])))
    found = np.full(len(x), np.inf)
    for weight in (np.ones(x.shape), _weights(homotopy, x)):
        natural = np.zeros(jacobian.shape[:2])
        for phase in phases:
            values, _ = _target(homotopy, weight * phase, parameters)
            natural = np.maximum(natural, np.abs(values))
        rows = jacobian * weight[:, None, :] / np.where(natural > 0, natural, 1.0)[:, :, None]
        last = _patches(homotopy, x) * weight[:, None, :]
        matrix = np.concatenate([rows, last / np.linalg.norm(last, axis=2, keepdims=True)], axis=1)
        finite = np.isfinite(matrix).all(axis=(1, 2))
        if finite.any():
            values = np.linalg.svd(matrix[finite], compute_uv=False)
            found[finite] = np.minimum(found[finite], values[:, 0] / values[:, -1])
    return found

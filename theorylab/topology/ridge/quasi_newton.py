"""Quasi-Newton descent in floating point whose straight steps do not climb on the way either.

For few variables; plain numpy, since the libraries' optimisers start threads for tiny matrices.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Function = Callable[[Vector], tuple[float, Vector]]

_STEPS, _MEMORY, _HALVINGS = 3000, 20, 50
_INSIDE = (0.25, 0.5, 0.75)


def descend(function: Function, start: Vector, small: float = 1e-10) -> list[Vector]:
    """Return points from `start` on, each lower than the one before, until the gradient is small.

    `function` gives value and gradient. Between two points the value is nowhere seen above that at
    the first. Guarantees: none; the same input gives the same points.
    Source: Nocedal & Wright, Numerical Optimization (2006), algorithm 7.4, with backtracking.

    >>> def bowl(v: Vector) -> tuple[float, Vector]:
    ...     return float(v @ v), 2 * v
    >>> float(np.linalg.norm(descend(bowl, np.array([3.0, 4.0]))[-1])) < 1e-9
    True
    """
    way, memory = [start], list[tuple[Vector, Vector]]()
    value, gradient = function(start)
    for _ in range(_STEPS):
        size = float(np.linalg.norm(gradient))
        if not size > small * (1 + abs(value)):
            break
        direction = _direction(gradient, memory)
        slope = float(direction @ gradient)
        if not slope > 0:
            memory, direction, slope = [], gradient, size * size
        step = 1.0 if memory else min(1.0, 1.0 / size)
        for _ in range(_HALVINGS):
            end = way[-1] - step * direction
            lower, turned = function(end)
            steep = lower <= value - 1e-4 * step * slope and lower < value
            if steep and all(function(way[-1] + t * (end - way[-1]))[0] <= value for t in _INSIDE):
                break
            step /= 2
        else:
            if not memory:
                break
            memory = []
            continue
        change, bend = end - way[-1], turned - gradient
        if change @ bend > 1e-10 * np.linalg.norm(change) * np.linalg.norm(bend):
            memory = [*memory[1 - _MEMORY :], (change, bend)]
        way.append(end)
        value, gradient = lower, turned
    return way


def _direction(gradient: Vector, memory: list[tuple[Vector, Vector]]) -> Vector:
    """The inverse Hessian that the remembered steps suggest, times the gradient."""
    direction, weights = gradient.copy(), list[float]()
    for change, bend in reversed(memory):
        weights.append(float(change @ direction) / float(change @ bend))
        direction -= weights[-1] * bend
    if memory:
        change, bend = memory[-1]
        direction *= float(change @ bend) / float(bend @ bend)
    for (change, bend), weight in zip(memory, reversed(weights), strict=True):
        direction += (weight - float(bend @ direction) / float(change @ bend)) * change
    return direction

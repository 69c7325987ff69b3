"""Exact least squares with non-negative coefficients: a float guess, verified or mended over Q."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import lcm

import numpy as np
from flint import fmpq, fmpz_mat
from numpy.typing import NDArray
from scipy.optimize import nnls

_SMALL = 1e-9


@dataclass(frozen=True, slots=True)
class Nearest:
    """The point of a cone that is nearest to the target.

    ``weights`` lists (generator, weight > 0) and ``value`` is the squared distance. It is nearest
    in every cone whose generators contain ``support`` and lie in ``optimal``, both masks of bits;
    ``tight`` are all generators orthogonal to what is left of the target.
    """

    weights: tuple[tuple[int, fmpq], ...]
    value: fmpq
    support: int
    optimal: int
    tight: int


class Cones:
    """Nearest points in the cones over subsets of some integer vectors; a subset is a mask.

    Guarantees: exact, by the conditions of Karush, Kuhn and Tucker; the weights do not depend on
    floats. Source: Lawson & Hanson 1974, chapter 23; over Q the Gram matrix of the passive set is
    never singular and the method ends.

    >>> cones = Cones([[1, 0], [1, 1]], [fmpq(2), fmpq(-1)], [fmpq(1), fmpq(1)])
    >>> [cones.nearest(mask).value for mask in (0, 1, 2, 3)]
    [5, 1, 9/2, 1]
    >>> cones.nearest(3).weights
    ((0, 2),)
    """

    def __init__(
        self, generators: Sequence[Sequence[int]], target: Sequence[fmpq], weights: Sequence[fmpq]
    ) -> None:
        self._scale, y = _integers(target)
        weight_scale, s = _integers(weights)
        self._square_scale = weight_scale * self._scale**2
        weighted = [[a * b for a, b in zip(row, s, strict=True)] for row in generators]
        self._gram = [[_dot(row, other) for other in weighted] for row in generators]
        self._moments = [_dot(row, y) for row in weighted]
        self._energy = sum(a * b * b for a, b in zip(s, y, strict=True))
        # lengths of vectors, and a common factor of the weights, change no support
        root = np.sqrt(_normal(s))
        rows = np.array([_normal(row) for row in generators]).reshape(-1, len(y)) * root
        self._columns: NDArray[np.float64] = rows.T
        self._target: NDArray[np.float64] = root * _normal(y)
        self._known: dict[int, Nearest | None] = {}
        self._unique: dict[int, Nearest] = {}

    def nearest(self, mask: int) -> Nearest:
        """The nearest point of the cone over the generators of the mask."""
        found = self._on(self._guess(mask))
        if found is None or not _fits(found, mask):
            found = self._search(mask)
        # The point is unique; of its weights, which dependent generators share in more ways than
        # one, those are taken that the exact method finds.
        tight = mask & found.tight
        if tight not in self._unique:
            independent = self._solve(list(bits(tight))) is not None
            self._unique[tight] = found if independent else self._search(tight)
        return self._unique[tight]

    def _guess(self, mask: int) -> int:
        chosen = list(bits(mask))
        if not chosen:
            return 0
        try:
            weights, _ = nnls(self._columns[:, chosen], self._target)
        except RuntimeError:  # too many iterations: the exact search decides
            return 0
        least = _SMALL * max(weights.max(), _SMALL)
        return sum(1 << g for g, w in zip(chosen, weights, strict=True) if w > least)

    def _on(self, passive: int) -> Nearest | None:
        """The nearest point of the span of these generators, if all its weights are positive."""
        if passive not in self._known:
            found = None
            solved = self._solve(list(bits(passive)))
            if solved is not None and all(w > 0 for w in solved.values()):
                found = self._verified(solved)
            self._known[passive] = found
        return self._known[passive]

    def _solve(self, passive: list[int]) -> dict[int, fmpq] | None:
        """Least squares on the span; None if the generators are dependent."""
        if not passive:
            return {}
        matrix = fmpz_mat([[self._gram[g][h] for h in passive] for g in passive])
        right = fmpz_mat([[self._moments[g]] for g in passive])
        try:
            return dict(zip(passive, matrix.solve(right).entries(), strict=True))
        except ZeroDivisionError:
            return None

    def _slopes(self, weights: dict[int, fmpq]) -> list[int]:
        """Half the gradient of the squared distance, times a positive integer."""
        scale, numerators = _integers(list(weights.values()))
        columns = [self._gram[g] for g in weights]
        slopes = [-c * scale for c in self._moments]
        for w, column in zip(numerators, columns, strict=True):
            slopes = [v + w * a for v, a in zip(slopes, column, strict=True)]
        return slopes

    def _verified(self, weights: dict[int, fmpq]) -> Nearest:
        gain = sum((self._moments[g] * w for g, w in weights.items()), fmpq(0))
        slopes = self._slopes(weights)
        return Nearest(
            tuple((g, w / self._scale) for g, w in sorted(weights.items())),
            (self._energy - gain) / self._square_scale,
            sum(1 << g for g in weights),
            sum(1 << g for g, v in enumerate(slopes) if v >= 0),
            sum(1 << g for g, v in enumerate(slopes) if v == 0),
        )

    def _search(self, mask: int) -> Nearest:
        """Lawson and Hanson's method, every step exact."""
        weights: dict[int, fmpq] = {}
        while True:
            slopes = self._slopes(weights)
            downhill = [g for g in bits(mask) if slopes[g] < 0]
            if not downhill:
                return self._verified(weights)
            # steepest by the angle, as far as floats tell
            entering = min(downhill, key=lambda g: slopes[g] / fmpq(self._gram[g][g]))
            weights = {**weights, entering: fmpq(0)}
            while True:
                solved = self._solve(sorted(weights))
                assert solved is not None, "the entering generator is outside the span"
                if all(w > 0 for w in solved.values()):
                    weights = solved
                    break
                step = min(
                    w / (w - solved[g]) for g, w in weights.items() if solved[g] <= 0 and w > 0
                )
                moved = {g: w + step * (solved[g] - w) for g, w in weights.items()}
                weights = {g: w for g, w in moved.items() if w > 0}


def bits(mask: int) -> Iterator[int]:
    """The places of the bits of a mask, the lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _fits(found: Nearest, mask: int) -> bool:
    return found.support | mask == mask and mask & ~found.optimal == 0


def _integers(values: Sequence[fmpq]) -> tuple[int, list[int]]:
    """A common denominator and the numerators over it."""
    common = lcm(*(int(v.q) for v in values))
    return common, [int(v.p) * (common // int(v.q)) for v in values]


def _dot(a: Iterable[int], b: Iterable[int]) -> int:
    return sum(p * q for p, q in zip(a, b, strict=True))


def _normal(row: Sequence[int]) -> list[float]:
    """The direction of a vector in floats, however large its entries."""
    largest = max(map(abs, row), default=0) or 1
    return [v / largest for v in row]

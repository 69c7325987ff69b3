"""Down to the minimum of a two-layer linear loss with a ridge, and there from point to point.

Floating point only shows the way; its points are rounded to dyadic rationals.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from flint import fmpq, fmpq_mat, fmpq_poly
from numpy.typing import NDArray

from theorylab.model import Loss, Weights
from theorylab.outcome import Undecided
from theorylab.topology.exact_algebra import trace
from theorylab.topology.ridge.quasi_newton import descend

Points = NDArray[np.float64]

_KICKS = 12
_GLOBAL = 1e-6


@dataclass(frozen=True, slots=True)
class Moments:
    """f(M) = tr M S M^T - 2 tr M T^T + E and the ridge of each input and each output.

    L(W_1, W_2) = f(W_2 W_1) + sum_ij first_j W_1[i, j]^2 + sum_ki second_k W_2[k, i]^2.
    """

    s: fmpq_mat
    t: fmpq_mat
    e: fmpq
    first: tuple[fmpq, ...]
    second: tuple[fmpq, ...]
    hidden: int

    @staticmethod
    def of(loss: Loss) -> Moments | Undecided:
        """The moments of a loss; Undecided unless its ridge sees no hidden unit before another."""
        network, data, rates = loss.network, loss.data, loss.penalties
        linear = network.activation.coefficients == (fmpq(0), fmpq(1))
        plain = network.is_dense and not any(network.bias) and network.depth == 2
        if rates is None or not (linear and plain):
            return Undecided("not a two-layer linear network with a ridge", "the construction")
        n, m, (p,) = network.n, network.m, network.hidden
        first, second = rates[:n], rates[n * p :: p]
        same = rates == first * p + tuple(rate for rate in second for _ in range(p))
        if not same or min(rates) <= 0:
            return Undecided(
                "the ridge is not positive, or not the same for all hidden units",
                "the construction",
                "use one ridge for each layer",
            )
        moment = data.gram(data.y, data.x)
        assert len(second) == m
        return Moments(data.gram(data.x), moment, trace(data.gram(data.y)), first, second, p)

    def along(self, a: Weights, b: Weights) -> fmpq_poly:
        """The loss on the segment from `a` to `b`, a polynomial in t."""
        (first, second), (d1, d2) = a, (b[0] - a[0], b[1] - a[1])
        products = [second * first, d2 * first + second * d1, d2 * d1]
        coefficients = [self.e, *[fmpq(0)] * 4]
        for i, p in enumerate(products):
            coefficients[i] -= 2 * _dot(p, self.t)
            for j, q in enumerate(products):
                coefficients[i + j] += _dot(p * self.s, q)
        for turned, rates in ((False, self.first), (True, self.second)):
            old, new = (second, d2) if turned else (first, d1)
            pair = [(m if turned else m.transpose()).tolist() for m in (old, new)]
            for rate, row, change in zip(rates, *pair, strict=True):
                for v, d in zip(row, change, strict=True):
                    coefficients[0] += rate * v * v
                    coefficients[1] += 2 * rate * v * d
                    coefficients[2] += rate * d * d
        return fmpq_poly(coefficients)


def _dot(a: fmpq_mat, b: fmpq_mat) -> fmpq:
    return sum((p * q for p, q in zip(a.entries(), b.entries(), strict=True)), fmpq(0))


class Landscape:
    """The loss in floating point at V = [D_2 W_2; (W_1 D_1)^T], (m + n) x p, where ridges are 1."""

    def __init__(self, moments: Moments) -> None:
        self.moments = moments
        d1 = np.array([sqrt(float(q)) for q in moments.first])
        d2 = np.array([sqrt(float(q)) for q in moments.second])
        self.m, self.scale = len(d2), np.concatenate([d2, d1])[:, None]
        self.s = _array(moments.s) / np.outer(d1, d1)
        self.t = _array(moments.t) / np.outer(d2, d1)
        self.rates = (d2**-2)[:, None]
        self.e = float(moments.e)

    def scaled(self, weights: Weights) -> Points:
        """V of these weights."""
        first, second = (_array(w) for w in weights)
        return np.asarray(np.vstack([second, first.T]) * self.scale)

    def rounded(self, v: Points, digits: int) -> Weights:
        """The weights of V, to so many binary digits after the point."""
        w = np.rint(v / self.scale * 2.0**digits)
        table = [[fmpq(int(q), 2**digits) for q in row] for row in w]
        return fmpq_mat(table[self.m :]).transpose(), fmpq_mat(table[: self.m])

    def slope(self, v: Points) -> Points:
        """The gradient of f at W_2 W_1 (m x n), in the scaled coordinates."""
        product = v[: self.m] @ v[self.m :].T
        return np.asarray(2 * (self.rates * product @ self.s - self.t))

    def __call__(self, v: Points) -> tuple[float, Points]:
        """The loss and its gradient."""
        second, first = v[: self.m], v[self.m :]
        product = second @ first.T
        fit = self.rates * product @ self.s
        slope = 2 * (fit - self.t)
        value = float(np.sum(product * (fit - 2 * self.t)) + self.e + np.sum(v * v))
        gradient = np.vstack([slope @ first, slope.T @ second]) + 2 * v
        return value, gradient

    def descent(self, start: Points, rng: np.random.Generator) -> list[Points]:
        """Points from `start` to near the global minimum, each lower than the one before.

        A saddle or a point that is optimal for its rank only is left along the free unit.
        """
        shape, way = start.shape, [start]

        def flat(v: Points) -> tuple[float, Points]:
            loss, gradient = self(v.reshape(shape))
            return loss, gradient.ravel()

        for _ in range(_KICKS):
            way += [v.reshape(shape) for v in descend(flat, way[-1].ravel())[1:]]
            here = way[-1]
            left, sizes, right = np.linalg.svd(self.slope(here))
            if sizes[0] <= 2 * (1 + _GLOBAL):
                return way
            # the unit that the point uses least takes up the steepest direction
            unit = np.linalg.svd(here)[2][-1] * rng.choice((-1.0, 1.0))
            kick = np.vstack([np.outer(-left[:, 0], unit), np.outer(right[0], unit)])
            lower = (here + 2.0**-k * kick for k in range(-2, 20))
            level = self(here)[0]
            found = next((v for v in lower if self(v)[0] < level), None)
            if found is None:
                return way
            way.append(found)
        return way


def _array(m: fmpq_mat) -> Points:
    return np.array([[float(q) for q in row] for row in m.tolist()])


def descents(
    moments: Moments, a: Weights, b: Weights, seed: int = 0
) -> tuple[Landscape, list[Points], list[Points]] | Undecided:
    """The loss in floating point, and the ways down from `a` and from `b` to its minimum.

    Guarantees: none but that both ends are optimal to six digits. Undecided when one is not.
    """
    landscape, rng = Landscape(moments), np.random.default_rng(seed)
    down, other = (landscape.descent(landscape.scaled(end), rng) for end in (a, b))
    ends = [landscape(way[-1])[0] for way in (down, other)]
    if abs(ends[0] - ends[1]) > _GLOBAL * (1 + abs(ends[0])):
        return Undecided(
            f"two descents end at {ends[0]:.9g} and {ends[1]:.9g}",
            "the descent",
            "scale the inputs to one size",
        )
    return landscape, down, other


def mirrors(start: Points, goal: Points, digits: int) -> list[fmpq_mat]:
    """Vectors (1 x p), an even number, whose reflections turn `start` nearly into `goal`.

    As in the exact case: the difference of a row and its goal, for rows that nearly span the rows
    of `goal`; then, if need be, a vector that `goal` hardly uses.
    """
    found: list[fmpq_mat] = []
    here, left = start.copy(), goal.copy()
    size = float(np.linalg.norm(goal))
    for _ in range(goal.shape[1]):
        norms = np.linalg.norm(left, axis=1)
        i = int(np.argmax(norms))
        if norms[i] <= 1e-4 * size:
            break
        left = left - np.outer(left @ left[i], left[i]) / norms[i] ** 2
        mirror = _rounded_row(here[i] - goal[i], digits)
        if np.linalg.norm(here[i] - goal[i]) > 1e-4 * size and any(mirror.entries()):
            found.append(mirror)
            here = here @ _reflection(mirror)
    if len(found) % 2:
        found.append(_rounded_row(np.linalg.svd(goal)[2][-1], digits))
    return found


def _reflection(mirror: fmpq_mat) -> Points:
    v = np.array([float(q) for q in mirror.entries()])
    return np.asarray(np.eye(len(v)) - 2 * np.outer(v, v) / (v @ v))


def _rounded_row(v: Points, digits: int) -> fmpq_mat:
    return fmpq_mat([[fmpq(int(q), 2**digits) for q in np.rint(v * 2.0**digits)]])


def shortened(weights: Weights, digits: int) -> Weights:
    """Exact weights rounded to so many binary digits after the point."""
    scale = fmpq(2**digits)
    return tuple(
        fmpq_mat(
            [[fmpq((q * scale + fmpq(1, 2)).floor()) / scale for q in row] for row in w.tolist()]
        )
        for w in weights
    )

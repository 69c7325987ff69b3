"""One unit u rho(w x), rho = alpha z^2: the wall u = 0, and a side of it that stays too high.

With one unit the sign of u cannot change below |Y|^2. Where t alpha u > 0, t = 1 or -1, t times
the form A = alpha u w w^T is semidefinite, so every r with t G >= 0, G = sum_i s_i r_i x_i x_i^T,
bounds the loss: L = sum_i s_i (Phi_i - y_i - r_i)^2 + 2 <G, A> - sum_i s_i r_i (2 y_i + r_i).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpq, fmpq_mat, fmpq_mpoly
from numpy.typing import NDArray
from scipy.optimize import minimize

from theorylab.model import Dataset, Loss, Network, Weights
from theorylab.model.rational import ones, stacked
from theorylab.outcome import Undecided
from theorylab.topology.barrier import Argument, polynomial_json, squares_of, symbolic_weights
from theorylab.topology.exact_algebra import trace
from theorylab.topology.path import Json, theta_json
from theorylab.topology.quadratic.forms import quadratic_setting
from theorylab.topology.spectrum import simplest_between

Floats = NDArray[np.float64]

_STARTS = 8
_DENOMINATORS = (1, 2, 4, 8, 16, 64, 256)
# the kernel expands the loss in at most 24 weights
_MOST_INPUTS = 23


@dataclass(frozen=True, slots=True)
class _Side:
    """What is known of one side: a low point of it, and a lower bound with its multipliers r."""

    point: Weights
    loss: fmpq
    bound: fmpq
    multipliers: list[fmpq]


def trapped_by_sign(network: Network, data: Dataset, u: fmpq | None = None) -> Argument | Undecided:
    """Show that one unit of a z^2 has a spurious valley: a side of u = 0 above the other's minimum.

    The conclusion is `trapped` at level `u`, or at a level of its own. Guarantees: exact once the
    kernel has checked the argument. Undecided for other networks, and where neither side has a
    lower bound above the least loss that was found on the other. Raises InputError when network
    and data do not fit.
    Source: own; X = I, y = (2, -1) is the smallest case.

    >>> data = Dataset.from_rows([[1, 0], [0, 1]], [[2], [-1]])
    >>> shown = trapped_by_sign(Network.dense((2, 1, 1), "square"), data)
    >>> [shown.conclusion[key] for key in ("A", "u", "v")]
    [[[['0', '1']], [['-1']]], '4', '4']
    """
    setting = quadratic_setting(network, data)
    if isinstance(setting, Undecided):
        return setting
    x = stacked(data.x, ones(1, data.samples)) if network.bias[0] else data.x
    if setting.width != 1 or x.nrows() > _MOST_INPUTS or not any(data.y.entries()):
        return Undecided("not one unit on few inputs, with targets", "the trap")
    energy = trace(data.gram(data.y))
    sides = {t: _side(network, data, x, setting.scale, t) for t in (1, -1)}
    for t, side in sides.items():
        other = sides[-t]
        level = _level(side, other, energy) if u is None else u
        if level is None or not side.loss <= level < energy or other.loss >= side.bound:
            continue
        conclusion = {"kind": "trapped", "A": theta_json(side.point), "u": str(level)}
        proof = _proof(network, data, x, setting.scale, t, side)
        return Argument(
            {**conclusion, "v": str(side.bound)},
            "barrier",
            {
                **proof,
                "margin": str(energy - level),
                "u": str(level),
                "lower": theta_json(other.point),
            },
        )
    return Undecided(
        "no side of u = 0 stays above the least loss found on the other side",
        "the trap",
    )


def _level(side: _Side, other: _Side, energy: fmpq) -> fmpq | None:
    if not (other.loss < side.bound and side.loss < energy):
        return None
    short = len(str(side.loss)) <= 8
    return side.loss if short else simplest_between(side.loss, (side.loss + energy) / 2)


def _side(network: Network, data: Dataset, x: fmpq_mat, alpha: fmpq, t: int) -> _Side:
    """The side t alpha u > 0: a low point of it, and a lower bound."""
    loss, n = Loss(network, data), x.nrows()
    columns = _floats(x).T
    y, s = _floats(data.y)[0], np.array([float(v) for v in data.sample_weights])

    def value(flat: Floats, rank: int) -> tuple[float, Floats]:
        v = flat.reshape(rank, n)
        pre = columns @ v.T
        error = t * (pre**2).sum(axis=1) - y
        slope = 4 * t * ((s * error)[:, None] * pre).T @ columns
        return float(s @ error**2), slope.reshape(-1)

    rng = np.random.default_rng(0)
    starts = [*np.eye(n), *rng.normal(size=(_STARTS, n))]
    low = min((minimize(value, v, args=(1,), jac=True) for v in starts), key=lambda r: float(r.fun))
    wide = minimize(value, rng.normal(size=n * n), args=(n,), jac=True).x.reshape(n, n)
    residual = t * ((columns @ wide.T) ** 2).sum(axis=1) - y
    points = [_point(data, x, low.x, alpha, t, q) for q in _DENOMINATORS]
    best = min(points, key=loss)
    bounds = [_bound(data, x, residual, t, q) for q in _DENOMINATORS]
    bound, multipliers = max(bounds, key=lambda pair: pair[0])
    return _Side(best, loss(best), bound, multipliers)


def _point(data: Dataset, x: fmpq_mat, w: Floats, alpha: fmpq, t: int, q: int) -> Weights:
    """The direction w made short, and its best output weight; 0 if that is not on this side."""
    top = float(max(abs(w))) or 1.0
    row = [fmpq(round(float(v) / top * q), q) for v in w]
    features = fmpq_mat([[v * v for v in (fmpq_mat([row]) * x).entries()]])
    below, inner = data.gram(features)[0, 0], data.gram(features, data.y)[0, 0]
    outer = inner / (below * alpha) if inner * t > 0 else fmpq(0)
    return fmpq_mat([row]), fmpq_mat([[outer]])


def _bound(data: Dataset, x: fmpq_mat, residual: Floats, t: int, q: int) -> tuple[fmpq, list[fmpq]]:
    """The bound of multipliers near `residual`, raised until their form is semidefinite."""
    rounded = [fmpq(round(float(v) * q), q) for v in residual]
    for lift in (0, *(fmpq(1, q) * 2**i for i in range(40))):
        r = [v + t * lift for v in rounded]
        if squares_of(_weighed(data, x, r) * t) is not None:
            break
    else:
        r = [fmpq(0)] * data.samples
    targets = zip(data.sample_weights, r, data.y.entries(), strict=True)
    return sum((-s * v * (2 * y + v) for s, v, y in targets), fmpq(0)), r


def _weighed(data: Dataset, x: fmpq_mat, r: Sequence[fmpq]) -> fmpq_mat:
    """sum_i s_i r_i x_i x_i^T."""
    scaled = fmpq_mat([[v * f for v, f in zip(row, r, strict=True)] for row in x.tolist()])
    return data.gram(scaled, x)


def _proof(network: Network, data: Dataset, x: fmpq_mat, alpha: fmpq, t: int, side: _Side) -> Json:
    """The identities of the wall u = 0 and of the side t alpha u > 0."""
    (hidden,), ((outer,),) = symbolic_weights(network)
    zero = outer * 0

    def line(c: Sequence[fmpq]) -> fmpq_mpoly:
        return sum((w * v for w, v in zip(hidden, c, strict=True)), zero)

    lines = [line(c) for c in zip(*x.tolist(), strict=True)]
    samples = list(zip(lines, data.sample_weights, data.y.entries(), strict=True))
    form = squares_of(_weighed(data, x, side.multipliers) * t)
    assert form is not None  # the bound was made of it
    cross = sum((p * p * (s * y) for p, s, y in samples), zero)
    outputs = [outer * p * p * alpha for p in lines]
    bounded = [
        [str(s), 0, polynomial_json(out - y - r)]
        for out, (_, s, y), r in zip(outputs, samples, side.multipliers, strict=True)
    ]
    guarded = [[str(2 * abs(alpha) * d), 1, polynomial_json(line(c))] for d, c in form]
    return {
        "wall": polynomial_json(outer),
        "multiplier": polynomial_json(cross * (-2 * alpha)),
        "squares": [
            [str(s), polynomial_json(out)]
            for out, s in zip(outputs, data.sample_weights, strict=True)
        ],
        "v": str(side.bound),
        "side": [*bounded, *guarded],
    }


def _floats(a: fmpq_mat) -> Floats:
    return np.array([[float(v) for v in row] for row in a.tolist()])

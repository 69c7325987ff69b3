"""Rational weights of little loss, found by floating-point descent."""

from __future__ import annotations

import numpy as np
from flint import fmpq, fmpq_mat
from numpy.typing import NDArray

from theorylab.model import Loss, Weights
from theorylab.topology.ridge.quasi_newton import descend

_STARTS = 8
_DIGITS = (0, 2, 4, 8, 16, 32)


def low_point(loss: Loss, below: fmpq, seed: int = 0) -> Weights | None:
    """Return weights with loss less than `below`, of few binary digits, or None when none is found.

    For dense networks with polynomial activations; descent from eight random starts of growing
    size. Guarantees: exact loss; deterministic for a seed; None proves nothing.

    >>> from theorylab.model import Dataset, Network
    >>> loss = Loss(Network.dense((1, 1, 1), "square"), Dataset.from_rows([[1]], [[3]]))
    >>> found = low_point(loss, fmpq(1, 100))
    >>> found is not None and loss(found) < fmpq(1, 100)
    True
    """
    network, data = loss.network, loss.data
    shapes = [network.shape(k) for k in range(1, network.depth + 1)]
    x, y = (np.array([[float(q) for q in row] for row in m.tolist()]) for m in (data.x, data.y))
    s = np.array([float(q) for q in data.sample_weights])
    rates = np.array([float(q) for q in loss.penalties or (0,)])
    rho = np.polynomial.Polynomial([float(c) for c in network.activation.coefficients or (0,)])
    slope = rho.deriv()

    def value(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        layers, place = [], 0
        for r, c in shapes:
            layers.append(flat[place : place + r * c].reshape(r, c))
            place += r * c
        inputs, heights, h = [], [], x
        for k, w in enumerate(layers):
            inputs.append(np.vstack([h, np.ones(h.shape[1])]) if network.bias[k] else h)
            heights.append(w @ inputs[-1])
            last = k == len(layers) - 1 and network.output != "activation"
            h = heights[-1] if last else rho(heights[-1])
        gap = h - y
        loss_here = float(np.sum(gap * gap * s) + np.sum(rates * flat * flat))
        back, found = 2 * gap * s, []
        for k in reversed(range(len(layers))):
            if k < len(layers) - 1 or network.output == "activation":
                back = back * slope(heights[k])
            found.append((back @ inputs[k].T).ravel())
            back = layers[k][:, : layers[k].shape[1] - network.bias[k]].T @ back
        return loss_here, np.concatenate(found[::-1]) + 2 * rates * flat

    rng = np.random.default_rng(seed)
    size = sum(r * c for r, c in shapes)
    for trial in range(_STARTS):
        start = rng.normal(size=size) * 2.0 ** (trial % 4)
        with np.errstate(all="ignore"):
            end = descend(value, start, 1e-6)[-1]
        if not np.all(np.isfinite(end)) or value(end)[0] >= float(below):
            continue
        for digits in _DIGITS:
            numbers = iter(fmpq(int(v), 2**digits) for v in np.rint(end * 2.0**digits))
            found = tuple(fmpq_mat(r, c, [next(numbers) for _ in range(r * c)]) for r, c in shapes)
            if loss(found) < below:
                return found
    return None

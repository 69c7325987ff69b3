"""Classical multidimensional scaling: points of many dimensions in the plane, and what is lost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from theorylab.outcome import InputError

Floats = NDArray[np.float64]


def cosine_distances(points: NDArray[np.floating]) -> Floats:
    """One minus the cosine between all pairs of points [N, P], as [N, N].

    It is half the squared distance of the unit vectors, computed so: vectors that nearly agree
    keep their distance. Raises InputError for a point that is 0 or not finite.

    >>> cosine_distances(np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]])).tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    vectors = np.asarray(points, dtype=np.float64)
    lengths = np.linalg.norm(vectors, axis=1)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        rule = "a direction has a finite length above 0"
        raise InputError("points", lengths.tolist(), rule, "leave out what diverged")
    units = vectors / lengths[:, None]
    found = np.zeros((len(units), len(units)))
    for i, unit in enumerate(units):  # differences of all pairs at once would not fit
        found[i] = ((units - unit) ** 2).sum(1) / 2
    return (found + found.T) / 2


def plane(distances: Floats) -> tuple[Floats, float]:
    """Strain MDS: the points [N, 2] whose inner products come closest to those of the distances
    [N, N], and the share of the strain in the plane.

    The share is that of the two leading eigenvalues of the doubly centred matrix -D^2/2 in the sum
    of all, each by its size: 1 when the points lie in a plane.
    Guarantees: heuristic (floats); axes are signed by their largest entry. Source: Torgerson 1952.

    >>> square = np.array([[0, 1, 2, 1], [1, 0, 1, 2], [2, 1, 0, 1], [1, 2, 1, 0]]) ** 0.5
    >>> points, share = plane(square)
    >>> round(float(np.linalg.norm(points[0] - points[2])), 6), round(share, 6)
    (1.414214, 1.0)
    """
    squares = np.asarray(distances, dtype=np.float64) ** 2
    centred = squares - squares.mean(0) - squares.mean(1)[:, None] + squares.mean()
    values, vectors = np.linalg.eigh(-centred / 2)
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = np.maximum(values[:2], 0)
    axes = vectors[:, :2] * np.sqrt(kept)
    leading = np.abs(axes).argmax(0)
    axes = axes * np.where(axes[leading, [0, 1]] < 0, -1.0, 1.0)
    total = float(np.abs(values).sum())
    return axes, float(kept.sum()) / total if total > 0 else 1.0

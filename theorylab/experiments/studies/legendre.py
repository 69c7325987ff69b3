"""ReLU's expansion in Legendre polynomials: of all polynomials of its degree the nearest in L2."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.polynomial import Polynomial, legendre


def legendre_of_relu(degree: int, radius: float) -> tuple[float, ...]:
    """The coefficients a_0, a_1, ... of ReLU's Legendre expansion on [-radius, radius].

    Guarantees: heuristic (floats); the integrals of the coefficients are exact but for rounding.

    >>> legendre_of_relu(2, 1.0)
    (0.09375, 0.5, 0.46875)
    """
    # Gauss's rule on [0, 1] with these nodes is exact for x P_degree(x)
    nodes, weights = legendre.leggauss(degree // 2 + 2)
    x, weights = (nodes + 1) / 2, weights / 2
    series = [
        (2 * n + 1) / 2 * float(weights @ (x * legendre.Legendre.basis(n)(x)))
        for n in range(degree + 1)
    ]
    # an odd degree above 1 gains nothing: its coefficient is 0, and leg2poly may drop it
    powers = np.zeros(degree + 1)
    found = legendre.leg2poly(series)
    powers[: len(found)] = found
    # ReLU is homogeneous: on [-R, R] it is R relu(x / R)
    return tuple(round(float(a), 15) * radius ** (1 - i) for i, a in enumerate(powers))


def sup_error(coefficients: Sequence[float], radius: float) -> float:
    """The largest distance of a polynomial from ReLU on [-radius, radius]; heuristic (floats).

    >>> sup_error(legendre_of_relu(2, 1.0), 1.0)
    0.09375
    """
    p = Polynomial(coefficients)
    places = np.array([-radius, 0.0, radius])
    for low, high, slope in ((-radius, 0.0, 0.0), (0.0, radius, 1.0)):
        flat = (p.deriv() - slope).roots()
        flat = np.real(flat[np.abs(np.imag(flat)) < 1e-9]).astype(np.float64)
        places = np.concatenate([places, flat[(low < flat) & (flat < high)]])
    return float(np.abs(p(places) - np.maximum(places, 0.0)).max())

"""Polynomials near an activation on an interval: the Legendre expansion, the nearest one.

The activation is one of relu, leaky_relu, abs: linear on each side of 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
from flint import fmpq, fmpq_mat, fmpq_poly

from theorylab.model.activation import Activation
from theorylab.outcome import InputError, Undecided

_BITS = 192
_EXCHANGES = 40
_SMALL = 10**6


@dataclass(frozen=True, slots=True)
class Nearest:
    """A polynomial of the degree asked, and degree + 2 increasing points that say how near it is.

    ``low``: no polynomial of the degree is nearer on the points alone. Guarantees: ``low`` is an
    exact lower bound of the error of every polynomial; that ``polynomial`` comes close to it is
    heuristic.
    """

    polynomial: fmpq_poly
    points: tuple[fmpq, ...]
    low: fmpq


def linear_parts(activation: Activation, a: fmpq, b: fmpq) -> list[tuple[fmpq, fmpq, fmpq]]:
    """The parts (u, v, slope) of [a, b] on which the activation is linear, from left to right.

    >>> linear_parts(Activation("abs"), fmpq(-1), fmpq(2))
    [(-1, 0, -1), (0, 2, 1)]
    """
    zero, left = fmpq(0), -activation(fmpq(-1))
    parts = [(a, min(b, zero), left), (max(a, zero), b, fmpq(1))]
    return [(u, v, slope) for u, v, slope in parts if u < v]


def legendre_expansion(activation: Activation, degree: int, a: fmpq, b: fmpq) -> fmpq_poly:
    """The Legendre expansion of the activation on [a, b] up to a degree: its L2 projection.

    Guarantees: exact. Raises InputError for an activation that is not linear on each side of 0, an
    empty interval, or a negative degree.

    >>> legendre_expansion(Activation("relu"), 2, fmpq(-1), fmpq(1))
    15/32*x^2 + 1/2*x + 3/32
    """
    _check(activation, degree, a, b)
    size = degree + 1
    moments = fmpq_mat(size, 1)
    for u, v, slope in linear_parts(activation, a, b):
        for i in range(size):
            moments[i, 0] += slope * _power_integral(i + 1, u, v)
    gram = [[_power_integral(i + j, a, b) for j in range(size)] for i in range(size)]
    return fmpq_poly(fmpq_mat(gram).solve(moments).entries())


def distance(activation: Activation, p: fmpq_poly, a: fmpq, b: fmpq) -> tuple[fmpq, fmpq]:
    """A point of [a, b] and |rho - p| there, within 2^-192 of a point where it is greatest.

    Guarantees: the value is exact at the point, so a lower bound of the sup norm; that no other
    point has more than a trace more is as exact as the enclosures of the critical points.

    >>> distance(Activation("relu"), fmpq_poly([fmpq(1, 4), fmpq(1, 2)]), fmpq(-1), fmpq(1))
    (-1, 1/4)
    """
    _check(activation, 0, a, b)
    candidates = _candidates(activation, p, a, b)
    return max(
        ((x, abs(activation(x) - p(x))) for x in candidates), key=lambda pair: (pair[1], -pair[0])
    )


def nearest_polynomial(
    activation: Activation, degree: int, a: fmpq, b: fmpq
) -> Nearest | Undecided:
    """The best uniform approximation of a degree, by the exchange method on rational points.

    Every step is exact but the rounding of points to 2^-192. Guarantees: see ``Nearest``. Undecided
    when the exchange does not settle. Raises InputError as ``legendre_expansion``, and for
    degree 0.
    Source: E. Remez, C. R. Acad. Sci. Paris 198 (1934) 2063; E. W. Cheney, Introduction to
    Approximation Theory (1966), chapter 3.

    >>> found = nearest_polynomial(Activation("relu"), 2, fmpq(-1), fmpq(1))
    >>> found.polynomial, found.low
    (1/2*x^2 + 1/2*x + 1/16, 1/16)
    """
    _check(activation, degree, a, b)
    if degree == 0:
        raise InputError("degree", degree, "the exchange begins at degree 1", "use 1 or more")
    points = _start(degree, a, b)
    for _ in range(_EXCHANGES):
        p, level = _levelled(activation, degree, points)
        p = fmpq_poly([_rounded(c) for c in p.coeffs()])
        _, most = distance(activation, p, a, b)
        if most - abs(level) <= fmpq(1, 2 ** (_BITS // 2)):
            return Nearest(p, tuple(points), abs(level))
        chosen = _alternation(activation, p, a, b, degree + 2)
        if chosen is None:
            break
        points = chosen
    return Undecided("the exchange of points does not settle", "nearest polynomial")


def _check(activation: Activation, degree: int, a: fmpq, b: fmpq) -> None:
    if activation.kind not in ("relu", "leaky_relu", "abs"):
        rule = "approximated are relu, leaky_relu and abs"
        raise InputError("activation", activation.kind, rule, "choose one of them")
    if degree < 0:
        raise InputError("degree", degree, "a degree is not negative", "use 0 or more")
    if not a < b:
        raise InputError("interval", (str(a), str(b)), "an interval has a < b", "swap its ends")


def _power_integral(power: int, u: fmpq, v: fmpq) -> fmpq:
    return (v ** (power + 1) - u ** (power + 1)) / (power + 1)


def _rounded(value: fmpq) -> fmpq:
    """The nearest multiple of 2^-192, or a fraction of small denominator within 2^-128 of it.

    Where the best error is rational it is met at such points, by such coefficients, and only there.
    """
    near = Fraction(int(value.p), int(value.q)).limit_denominator(_SMALL)
    simple = fmpq(near.numerator, near.denominator)
    if abs(simple - value) < fmpq(1, 2**128):
        return simple
    return fmpq((value * 2**_BITS + fmpq(1, 2)).floor(), 2**_BITS)


def _candidates(activation: Activation, p: fmpq_poly, a: fmpq, b: fmpq) -> list[fmpq]:
    """The ends, 0, and the critical points of rho - p on each side, rounded; increasing."""
    found = {a, b}
    for u, v, slope in linear_parts(activation, a, b):
        found |= {u, v}
        derivative = p.derivative() - slope
        if derivative.degree() > 0:
            with flint.ctx.workprec(2 * _BITS):
                roots: Any = derivative.numer().complex_roots()
            # exact: FLINT gives the real roots of an integer polynomial with imaginary part 0
            real = (_rounded(z.real.mid().fmpq()) for z, _ in roots if z.imag == 0)
            found.update(x for x in real if u < x < v)
    return sorted(found)


def _start(degree: int, a: fmpq, b: fmpq) -> list[fmpq]:
    """Chebyshev's points; of an odd number one is left out, on the longer side of 0.

    No polynomial of the degree may fit the activation on all of them: points on one side of 0, or
    as many of each sign for an even function, would not do.
    """
    count = degree + 3 - degree % 2
    half, middle = (b - a) / 2, (a + b) / 2
    turns = [-math.cos(math.pi * i / (count - 1)) for i in range(count)]
    points = [middle + half * fmpq(round(t * 2**30), 2**30) for t in turns]
    return points[: degree + 2] if b >= -a else points[-degree - 2 :]


def _levelled(
    activation: Activation, degree: int, points: Sequence[fmpq]
) -> tuple[fmpq_poly, fmpq]:
    """The polynomial whose errors at the points are equal and alternate, and the error."""
    rows = [[x**k for k in range(degree + 1)] + [fmpq((-1) ** i)] for i, x in enumerate(points)]
    values = fmpq_mat([[activation(x)] for x in points])
    *coefficients, level = fmpq_mat(rows).solve(values).entries()
    return fmpq_poly(coefficients), level


def _alternation(
    activation: Activation, p: fmpq_poly, a: fmpq, b: fmpq, count: int
) -> list[fmpq] | None:
    """So many candidates where the error is large and alternates in sign, the largest kept."""
    runs: list[tuple[fmpq, fmpq]] = []
    for x in _candidates(activation, p, a, b):
        error = activation(x) - p(x)
        if error == 0:
            continue
        if runs and (runs[-1][1] > 0) == (error > 0):
            runs[-1] = max(runs[-1], (x, error), key=lambda pair: abs(pair[1]))
        else:
            runs.append((x, error))
    while len(runs) > count:
        runs.pop(0 if abs(runs[0][1]) < abs(runs[-1][1]) else -1)
    return [x for x, _ in runs] if len(runs) == count else None

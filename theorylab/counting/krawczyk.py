"""Krawczyk's test in balls: a box that provably holds exactly one root, all numbers dyadic.

Centre, half-width and approximate inverse are integers over 2^precision, so that the kernel can
repeat the test on the same numbers in its own arithmetic.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import flint
from flint import acb, acb_mat, arb

from theorylab.counting.system import PolynomialSystem

Dyadic = tuple[int, int]
# The bits carried beyond those of the box; the kernel carries as many.
GUARD: Final = 64
_SMALLEST = 4
# How far a box is blown up beyond the Newton correction: much, so that rounding is negligible and
# approximations of one root are seen to be one; and, where curvature forbids that, less.
_INFLATION = (8, 4)


@dataclass(frozen=True, slots=True)
class Box:
    """{z : |Re z_l - Re c_l| <= radius, |Im z_l - Im c_l| <= radius} and an approximate inverse A.

    Coordinates are pairs (re, im) of integers over 2^precision. The root is the only one in the
    box, and lies even within ``inner`` <= radius of the centre.
    """

    precision: int
    center: tuple[Dyadic, ...]
    radius: int
    inverse: tuple[tuple[Dyadic, ...], ...]
    inner: int

    @property
    def has_real_center(self) -> bool:
        """Whether centre and inverse are real."""
        rows = (self.center, *self.inverse)
        return not any(im for row in rows for _, im in row)

    @property
    def meets_real_space(self) -> bool:
        """Whether the box has a real point."""
        return all(abs(im) <= self.radius for _, im in self.center)

    def at(self, precision: int) -> tuple[tuple[Dyadic, ...], int]:
        """Centre and radius as integers over a finer grid."""
        shift = precision - self.precision
        return tuple((a << shift, b << shift) for a, b in self.center), self.radius << shift


def holds(system: PolynomialSystem, box: Box) -> bool:
    """Krawczyk's test on the exact numbers of the box, whoever made them.

    Guarantees: enclosure. True proves that the system has exactly one root in the box and that
    its Jacobian is regular there; False proves nothing. Source: R. Krawczyk, Computing 4 (1969);
    S. M. Rump, in: Topics in Validated Computations (1994).
    """
    n, precision = len(box.center), box.precision
    if len(system.variables) != n or not system.is_square or box.radius <= 0:
        return False
    with flint.ctx.workprec(precision + GUARD):
        center = [ball(z, precision) for z in box.center]
        inverse = acb_mat(n, n, [ball(z, precision) for row in box.inverse for z in row])
        radius = arb((box.radius, -precision))
        correction = inverse * _column(system.evaluate_balls(center, precision + GUARD))
        # FLINT may round the radius of a ball upwards: a larger square, so a harder test.
        square = acb(arb(0, radius), arb(0, radius))
        image = _image(system, center, inverse, correction, square, precision + GUARD)
        return _inside(image, radius)


def _inside(image: Sequence[acb], radius: arb) -> bool:
    """Whether all lie strictly within the open square; False when one is not finite."""
    return all(z.real.abs_upper() < radius and z.imag.abs_upper() < radius for z in image)


def _column(values: Sequence[acb]) -> acb_mat:
    return acb_mat(len(values), 1, list(values))


def _image(
    system: PolynomialSystem,
    center: Sequence[acb | arb],
    inverse: acb_mat,
    correction: acb_mat,
    square: acb,
    bits: int,
) -> list[acb]:
    """K(X) - c = -A F(c) + (I - A F'(X)) (X - c)."""
    n = len(center)
    slope = system.jacobian_balls([z + square for z in center], bits)
    identity = acb_mat(n, n, [int(i % (n + 1) == 0) for i in range(n * n)])
    spread: list[acb] = (
        (identity - inverse * slope) * _column([square] * n) - correction
    ).entries()
    return spread


def find_radius(
    system: PolynomialSystem,
    center: Sequence[acb | arb],
    inverse: acb_mat,
    precision: int,
    last: bool,
) -> tuple[int, int] | None:
    """(radius, inner) of a box over 2^precision that passes the test, by epsilon-inflation.

    ``center`` and ``inverse`` are exact. Unless it is the last attempt, the image must lie within
    half the box, which leaves room for the coarser arithmetic of the kernel.
    Guarantees: as ``holds``. None when no radius tried passes.
    """
    bits = precision + GUARD
    with flint.ctx.workprec(bits):
        correction = inverse * _column(system.evaluate_balls(center, bits))
        size = max(_size(z) for z in correction.entries())
        if not math.isfinite(size):
            return None
        for inflation in _INFLATION:
            exponent = math.frexp(size)[1] + inflation + precision if size > 0 else 0
            exponent = max(exponent, _SMALLEST)
            radius = arb((1, exponent - precision))
            square = acb(arb(0, radius), arb(0, radius))
            image = _image(system, center, inverse, correction, square, bits)
            if _inside(image, radius / 2):
                return 1 << exponent, 1 << (exponent - 1)
            if last and _inside(image, radius):
                return 1 << exponent, 1 << exponent
    return None


def _size(z: acb) -> float:
    """About the larger of |Re z| and |Im z|, from above; inf when there is no bound."""
    size = max(float(z.real.abs_upper()), float(z.imag.abs_upper()))
    return size if size == size else math.inf


def ball(z: Dyadic, precision: int) -> acb:
    """The exact number z / 2^precision."""
    return acb(arb((z[0], -precision)), arb((z[1], -precision)))


def _nearest(x: arb, precision: int) -> int:
    mantissa, exponent = x.mid().man_exp()
    shift = int(exponent) + precision
    if shift >= 0:
        return int(mantissa) << shift
    return (int(mantissa) + (1 << (-shift - 1))) >> -shift


def dyadic(z: acb | arb, precision: int) -> Dyadic:
    """The point of the grid Z[i] / 2^precision nearest to the middle of the ball."""
    return _nearest(z.real, precision), _nearest(z.imag, precision)


class Trouble(enum.Enum):
    """Why Newton's method gave nothing to test."""

    SINGULAR = "the Jacobian is singular there"
    SLOW = "Newton's method converges only linearly, as at a multiple or non-isolated root"
    AWAY = "Newton's method leaves the neighbourhood of the approximation"


def newton(
    system: PolynomialSystem, start: Sequence[acb], home: Sequence[acb], reach: float, bits: int
) -> tuple[list[acb], Trouble | None]:
    """The point to which Newton's method converges from ``start``, and what went wrong if anything.

    It may not get farther than ``reach`` from ``home``. Guarantees: none (heuristic).
    """
    point, precision = list(start), bits + GUARD
    before, slow = math.inf, 0
    with flint.ctx.workprec(precision):
        for _ in range(bits // 2):
            try:
                slope = system.jacobian_balls(point, precision)
                values = _column(system.evaluate_balls(point, precision))
                step = slope.mid().solve(values.mid(), algorithm="approx").entries()
            except ZeroDivisionError:
                return point, Trouble.SINGULAR
            point = [(z - s).mid() for z, s in zip(point, step, strict=True)]
            # A point far away may have no finite size at all: not (<=) is meant.
            gone = max(_size(z - w) for z, w in zip(point, home, strict=True))
            if not gone <= reach:
                return point, Trouble.AWAY
            size = max(_size(s) for s in step)
            if size <= math.ldexp(1.0, 12 - bits):
                break
            slow = slow + 1 if size > before / 4 else 0
            if slow > bits // 6:
                return point, Trouble.SLOW
            before = size
    return point, None


def inverse_near(
    system: PolynomialSystem, point: Sequence[acb], bits: int
) -> tuple[acb_mat, float] | None:
    """An approximate inverse of the Jacobian at a point, and about the size of the Jacobian.

    None where it is singular. Guarantees: none (heuristic).
    """
    n = len(point)
    with flint.ctx.workprec(bits):
        slope = system.jacobian_balls(point, bits).mid()
        identity = acb_mat(n, n, [int(i % (n + 1) == 0) for i in range(n * n)])
        try:
            inverse = slope.solve(identity, algorithm="approx").mid()
        except ZeroDivisionError:
            return None
        return inverse, max(_size(z) for z in slope.entries())

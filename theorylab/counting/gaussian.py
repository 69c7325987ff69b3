"""Exact complex numbers: Q(i), and pairs of real and imaginary part over larger rings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import fmpq


@dataclass(frozen=True, slots=True)
class Gaussian:
    """re + im i, the parts in one commutative ring: rationals, or polynomials with rational ones.

    Guarantees: exact when the parts are.

    >>> z = Gaussian(fmpq(1), fmpq(2))
    >>> print(z * z, z * fmpq(1, 2), z - z)
    -3+4*i 1/2+1*i 0+0*i
    """

    re: Any
    im: Any

    def __add__(self, other: Any) -> Gaussian:
        if isinstance(other, Gaussian):
            return Gaussian(self.re + other.re, self.im + other.im)
        return Gaussian(self.re + other, self.im)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Gaussian:
        if isinstance(other, Gaussian):
            return Gaussian(self.re - other.re, self.im - other.im)
        return Gaussian(self.re - other, self.im)

    def __rsub__(self, other: Any) -> Gaussian:
        return Gaussian(other - self.re, -self.im)

    def __mul__(self, other: Any) -> Gaussian:
        if isinstance(other, Gaussian):
            return Gaussian(
                self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re
            )
        return Gaussian(self.re * other, self.im * other)

    __rmul__ = __mul__

    def __neg__(self) -> Gaussian:
        return Gaussian(-self.re, -self.im)

    def conjugate(self) -> Gaussian:
        """re - im i."""
        return Gaussian(self.re, -self.im)

    def __str__(self) -> str:
        return f"{self.re}{'' if str(self.im).startswith('-') else '+'}{self.im}*i"


Scalar = fmpq | Gaussian


def scalar(value: Any) -> Scalar:
    """The number as fmpq when it is rational, as Gaussian over Q when it is not.

    >>> scalar(3), scalar(Gaussian(fmpq(1, 2), fmpq(0)))
    (3, 1/2)
    """
    if isinstance(value, Gaussian):
        re, im = fmpq(value.re), fmpq(value.im)
        return re if im == 0 else Gaussian(re, im)
    return value if isinstance(value, fmpq) else fmpq(value)


def reciprocal(value: Scalar) -> Scalar:
    """1 / value. ZeroDivisionError for zero.

    >>> print(reciprocal(Gaussian(fmpq(0), fmpq(2))))
    0-1/2*i
    """
    if isinstance(value, Gaussian):
        norm = value.re * value.re + value.im * value.im
        return scalar(Gaussian(value.re / norm, -value.im / norm))
    return fmpq(1) / value


def bits(value: Scalar) -> int:
    """The binary digits of all numerators and denominators together."""
    if isinstance(value, Gaussian):
        return bits(value.re) + bits(value.im)
    return int(value.p.bit_length()) + int(value.q.bit_length())

"""All solutions of a system with finitely many, exactly: each coordinate a rational function of
the roots of one polynomial.

Singular solutions and systems with more equations than unknowns are as good as any others here:
no test of regularity is needed, multiplicities are exact, and so is reality.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import flint
from flint import acb, fmpq_mat, fmpq_poly, fmpz_poly, nmod_mat

from theorylab.counting.certified import CertifiedRoots
from theorylab.counting.expanded import Expanded
from theorylab.counting.groebner import Groebner, groebner_basis
from theorylab.counting.quotient import Quotient, quotient_of, reduced
from theorylab.outcome import Assurance, Undecided

MOST_SOLUTIONS: Final = 300
"""The largest number of solutions, with multiplicity, that is tried."""
_MOST_BITS: Final = 1 << 16
_FORMS: Final = 6
_PRIME: Final = 2**61 - 1
# The size of the quotient, squared, times the bits of its matrices: a minute, measured.
_MOST_WORK: Final = 40_000_000


@dataclass(frozen=True, slots=True)
class Point:
    """One solution: balls that contain its coordinates and no other solution, its multiplicity.

    ``real`` says whether all coordinates are real. Guarantees: enclosure, exact.
    """

    coordinates: tuple[acb, ...]
    multiplicity: int
    real: bool


@dataclass(frozen=True, slots=True, eq=False)
class Representation:
    """x_j = numerators[j](t) / denominator(t), where t = sum_j form[j] x_j runs over the roots of
    the ``factors``: (squarefree polynomial, multiplicity of its solutions), pairwise coprime.

    Each root gives one solution, distinct roots distinct ones, and there are no others.
    Guarantees: exact.
    """

    form: tuple[int, ...]
    factors: tuple[tuple[fmpz_poly, int], ...]
    numerators: tuple[fmpq_poly, ...]
    denominator: fmpq_poly

    @property
    def distinct(self) -> int:
        """The number of solutions."""
        return sum(int(p.degree()) for p, _ in self.factors)

    @property
    def with_multiplicity(self) -> int:
        """The number of solutions, each as often as its multiplicity."""
        return sum(int(p.degree()) * m for p, m in self.factors)

    def points(self, bits: int = 53) -> tuple[Point, ...]:
        """All solutions, the balls of relative radius at most 2^-bits (of coordinates at least 1)
        and pairwise disjoint. ``real`` is exact: t has rational coefficients and tells solutions
        apart, so that a solution is real if and only if t is.

        Guarantees: enclosure. Raises ArithmeticError should 65,536 bits not suffice.
        """
        precision = bits + 64
        while precision <= _MOST_BITS:
            with flint.ctx.workprec(precision):
                found = tuple(self._at(precision))
                if all(map(_narrow, found, [bits] * len(found))) and _disjoint(found):
                    return found
            precision *= 2
        raise ArithmeticError("the solutions are closer than 65,536 bits can tell")

    def _at(self, precision: int) -> Iterator[Point]:
        for polynomial, multiplicity in self.factors:
            for t in _roots(polynomial):
                below = _at(self.denominator, t)
                values = tuple(_at(numerator, t) / below for numerator in self.numerators)
                yield Point(values, multiplicity, t.imag == 0)

    @property
    def real(self) -> int:
        """The number of real solutions."""
        return sum(t.imag == 0 for p, _ in self.factors for t in _roots(p))

    def in_torus(self) -> Representation:
        """The representation of the solutions without zero coordinates. Guarantees: exact."""
        kept = []
        for polynomial, multiplicity in self.factors:
            rest = polynomial
            for numerator in self.numerators:
                # At a root of the polynomial a coordinate is zero where its numerator is.
                rest = rest // rest.gcd(numerator.numer())
            if rest.degree() > 0:
                kept.append((rest, multiplicity))
        return replace(self, factors=tuple(kept))

    def solves(self, system: Expanded) -> bool:
        """Whether all its points are proved to be distinct solutions of a system, by substitution
        modulo the product of the factors. Guarantees: exact, whoever made the representation."""
        modulus = fmpq_poly([1])
        for polynomial, _ in self.factors:
            modulus *= fmpq_poly(polynomial)
        if modulus.degree() < 1:
            return True
        if modulus.gcd(modulus.derivative()).degree() or modulus.gcd(self.denominator).degree():
            return False
        pairs = zip(self.form, self.numerators, strict=True)
        told = sum((c * numerator for c, numerator in pairs), start=fmpq_poly())
        if (told - fmpq_poly([0, 1]) * self.denominator) % modulus:
            return False
        most = max(system.degrees, default=0)
        powers = [_powers(p, most, modulus) for p in (*self.numerators, self.denominator)]
        for equation, degree in zip(system.polynomials, system.degrees, strict=True):
            total = fmpq_poly()
            for monomial, c in equation.items():
                term = powers[-1][degree - sum(monomial)] * c
                for table, power in zip(powers, monomial, strict=False):
                    if power:
                        term = term * table[power] % modulus
                total += term
            if total % modulus:
                return False
        return True


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """All solutions, exactly: ``points`` are proved solutions, distinct, of known multiplicity and
    reality; that there are no others is vouched for by ``assurance``."""

    points: tuple[Point, ...]
    real: int
    rule: str
    assurance: Assurance

    @property
    def distinct(self) -> int:
        """The number of solutions."""
        return len(self.points)

    @property
    def multiple(self) -> int:
        """How many of them have a multiplicity above 1."""
        return sum(point.multiplicity > 1 for point in self.points)

    @property
    def with_multiplicity(self) -> int:
        """The number of solutions, each as often as its multiplicity."""
        return sum(point.multiplicity for point in self.points)

    def approximations(self) -> list[list[complex]]:
        """The points in double."""
        return [[complex(z.mid()) for z in point.coordinates] for point in self.points]

    def agrees(self, roots: CertifiedRoots) -> bool:
        """Whether every certified root may be one of the points, no two the same one."""
        used: set[int] = set()
        for root in roots.roots:
            balls = root.balls()
            near = [k for k, point in enumerate(self.points) if _overlap(point, balls)]
            fresh = [k for k in near if k not in used]
            if not fresh:
                return False
            if len(near) == 1:
                used.add(near[0])
        return True


def univariate_representation(
    system: Expanded, basis: Groebner | Undecided | None = None
) -> Representation | Undecided:
    """The rational univariate representation of all solutions, square or not, singular or not.

    ``basis`` is a Groebner basis if one is at hand: the answer is as good as that one is.
    Guarantees: exact (assurance flint). Undecided when FLINT finds no Groebner basis within its
    limits, there are infinitely many solutions, or more than 300 with multiplicity.
    Source: F. Rouillier, AAECC 9 (1999); A. Bostan, B. Salvy, E. Schost, AAECC 14 (2003).

    >>> from flint import fmpq
    >>> double = {(2, 0): fmpq(1), (1, 0): fmpq(-2), (0, 0): fmpq(1)}
    >>> found = univariate_representation(Expanded(("x", "y"), (double, {(0, 2): fmpq(1),
    ...     (0, 0): fmpq(-2)})))
    >>> found.distinct, found.with_multiplicity, found.real
    (2, 4, 2)
    >>> [float(z.real.mid()) for z in found.points()[0].coordinates]
    [1.0, -1.4142135623730951]
    """
    if basis is None:
        basis = groebner_basis(system)
    if isinstance(basis, Undecided):
        return basis
    n = len(system.variables)
    if basis.dimension < 0:
        return Representation((0,) * n, (), (fmpq_poly(),) * n, fmpq_poly([1]))
    if basis.dimension > 0:
        return Undecided("there are infinitely many solutions", "univariate representation")
    algebra = quotient_of(basis.polynomials, MOST_SOLUTIONS)
    if algebra is None:
        return Undecided(
            f"it has more than {MOST_SOLUTIONS} solutions", "univariate representation"
        )
    bits = max(
        (int(c.p.bit_length() + c.q.bit_length()) for m in algebra.matrices for c in m.entries()),
        default=0,
    )
    if algebra.size**2 * bits > _MOST_WORK:
        return Undecided(
            f"{algebra.size} solutions with {bits} bits would take long",
            "univariate representation",
        )
    return represented(algebra)


def represented(algebra: Quotient) -> Representation:
    """The representation of all points of an algebra of finite dimension. Guarantees: exact."""
    rng = random.Random("separating form")
    n = len(algebra.matrices)
    forms = [
        tuple(rng.choice((-1, 1)) * rng.randint(1, 3 + 9 * trial) for _ in range(n))
        for trial in range(_FORMS)
    ]
    # Modulo a prime it is soon told which form has most values; the first of those is simplest.
    form = max(forms, key=partial(_values, algebra))
    characteristic = algebra.multiplication(form).charpoly()
    simple = algebra
    if characteristic.gcd(characteristic.derivative()).degree() > 0:
        simple = reduced(algebra)
    # With as many values as the dimension, every solution is simple, and told apart.
    matrix = simple.multiplication(form)
    polynomial = matrix.charpoly() if simple is not algebra else characteristic
    if polynomial.gcd(polynomial.derivative()).degree() == 0:
        for _ in range(_FORMS):
            weights = [rng.randint(-9, 9) for _ in range(simple.size)]
            parts = _parts(simple, matrix, polynomial, weights)
            if parts is not None:
                _, factors = characteristic.numer().factor_squarefree()
                return Representation(form, tuple(factors), parts[1:], parts[0])
    raise ArithmeticError("no linear form tells the solutions apart")


def _values(algebra: Quotient, form: Sequence[int]) -> int:
    """The number of values of a form on the solutions modulo a prime; -1 if the prime is bad."""
    entries = []
    for c in algebra.multiplication(form).entries():
        bottom = int(c.q) % _PRIME
        if not bottom:
            return -1
        entries.append(int(c.p) % _PRIME * pow(bottom, -1, _PRIME))
    matrix = nmod_mat(algebra.size, algebra.size, [e % _PRIME for e in entries], _PRIME)
    found = matrix.charpoly()
    return int(found.degree() - found.gcd(found.derivative()).degree())


def _parts(
    algebra: Quotient, matrix: fmpq_mat, polynomial: fmpq_poly, weights: list[int]
) -> tuple[fmpq_poly, ...] | None:
    """Denominator and numerators; None when the linear functional vanishes at a solution.

    For the functional l and v in the algebra, sum_i l(v t^i) / T^(i+1) = N_v(T) / polynomial(T),
    and N_v(t) = v N_1(t) where all solutions are simple.
    """
    size = algebra.size
    elements = [algebra.one, *(m * algebra.one for m in algebra.matrices)]
    parts = [element.entries() for element in elements]
    columns = fmpq_mat([list(row) for row in zip(*parts, strict=True)])
    functional = fmpq_mat(1, size, weights)
    sequences = []
    for _ in range(size):
        sequences.append((functional * columns).entries())
        functional = functional * matrix
    coefficients = polynomial.coeffs()
    found = []
    for sequence in zip(*sequences, strict=True):
        # The polynomial part of polynomial(T) * sum_i s_i T^(-i-1).
        product = fmpq_poly(list(sequence[::-1])) * fmpq_poly(coefficients)
        found.append(product.right_shift(size))
    if found[0].gcd(polynomial).degree() > 0:
        return None
    return tuple(found)


def _roots(polynomial: fmpz_poly) -> list[acb]:
    """The roots in disjoint balls; real ones are known to be real."""
    # FLINT's stubs do not know of the multiplicities.
    found: Any = polynomial.complex_roots()
    return [t for t, _ in found]


def _powers(polynomial: fmpq_poly, most: int, modulus: fmpq_poly) -> list[fmpq_poly]:
    found = [fmpq_poly([1])]
    for _ in range(most):
        found.append(found[-1] * polynomial % modulus)
    return found


def _at(polynomial: fmpq_poly, t: acb) -> acb:
    total = acb(0)
    for c in reversed(polynomial.numer().coeffs()):
        total = total * t + c
    return total / polynomial.denom()


def _narrow(point: Point, bits: int) -> bool:
    """Whether all balls are finite and small."""
    for z in point.coordinates:
        for part in (z.real, z.imag):
            size = max(1.0, float(abs(z).abs_upper()))
            if not (part.is_finite() and float(part.rad()) <= math.ldexp(size, -bits)):
                return False
    return True


def _disjoint(points: tuple[Point, ...]) -> bool:
    """Whether no two points have balls that overlap in every coordinate."""
    ordered = sorted(points, key=lambda p: float(p.coordinates[0].real.mid()))
    active: list[Point] = []
    for point in ordered:
        x = point.coordinates[0].real
        active = [other for other in active if other.coordinates[0].real.overlaps(x)]
        for other in active:
            pairs = zip(point.coordinates, other.coordinates, strict=True)
            if all(a.overlaps(b) for a, b in pairs):
                return False
        active.append(point)
    return True


def _overlap(point: Point, balls: Sequence[acb]) -> bool:
    return all(a.overlaps(b) for a, b in zip(point.coordinates, balls, strict=True))

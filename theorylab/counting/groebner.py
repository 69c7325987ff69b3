"""Exact counts of small systems over Q: a Groebner basis by FLINT, then linear algebra on Q[x]/I.

No engine to install, and naive: larger systems are msolve's.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flint import fmpq, fmpz_mpoly_ctx, fmpz_mpoly_vec

from theorylab.counting.expanded import Expanded, Monomial
from theorylab.counting.external.staircase import Basis, dimension, distinct_points
from theorylab.counting.quotient import key, quotient_of, reduced
from theorylab.outcome import Undecided

MOST_UNKNOWNS: Final = 7
MOST_PATHS: Final = 6_000
"""The largest product of degrees that is tried."""
# Polynomials in the basis, terms in one, bits of a coefficient.
# Measured: within them an attempt ends in seconds.
_LIMITS: Final = (160, 1_000, 12_000)
# Of the quotient that is reduced over Q to count distinct solutions.
_REDUCED: Final = 128
_PRIMES: Final = (2**30 - 35, 2**30 - 41, 2**29 - 3)


@dataclass(frozen=True, slots=True, eq=False)
class Groebner:
    """A reduced Groebner basis over Q in degrevlex order (leading coefficients not 1), and the
    dimension of the solution set: -1 for the empty one."""

    polynomials: tuple[Mapping[Monomial, fmpq], ...]
    dimension: int


@dataclass(frozen=True, slots=True)
class ExactCount:
    """All complex solutions in affine space: ``dimension`` is -1 for none, and for 0 there are
    ``degree`` with multiplicity and ``distinct`` without (None: not computed). Over Q, exact."""

    dimension: int
    degree: int | None = None
    distinct: int | None = None


def exact_count(
    system: Expanded, basis: Groebner | Undecided | None = None
) -> ExactCount | Undecided:
    """The exact number of complex solutions of a small system, square or not.

    ``basis`` is that of ``groebner_basis`` if it is at hand.

    Guarantees: exact (assurance flint). Undecided beyond seven unknowns, a product of
    degrees of 6000, or the bounds on the basis. Source: D. Cox, J. Little, D. O'Shea,
    Using Algebraic Geometry, chapter 2: distinct points = dimension of the reduced quotient.

    >>> double = {(2, 0): fmpq(1), (1, 0): fmpq(-2), (0, 0): fmpq(1)}
    >>> exact_count(Expanded(("x", "y"), (double, {(0, 2): fmpq(1), (0, 0): fmpq(-1)})))
    ExactCount(dimension=0, degree=4, distinct=2)
    """
    found = groebner_basis(system) if basis is None else basis
    if isinstance(found, Undecided):
        return found
    if found.dimension != 0:
        return ExactCount(found.dimension)
    # Divided only by leading coefficients, a basis stays one modulo primes that divide none.
    integral = [{m: int(c.p) for m, c in terms.items()} for terms in found.polynomials]
    prime = next((p for p in _PRIMES if all(_leading(t)[1] % p for t in integral)), None)
    if prime is None:
        return Undecided("no prime is good", "Groebner basis", "install msolve")
    modular = tuple({m: c % prime for m, c in terms.items() if c % prime} for terms in integral)
    degree, distinct = distinct_points(
        Basis(prime, len(system.variables), modular), random.Random(0)
    )
    # The count modulo a prime is at most the true one: only when they meet is it exact.
    if distinct == degree:
        return ExactCount(0, degree, degree)
    algebra = quotient_of(found.polynomials, _REDUCED)
    return ExactCount(0, degree, None if algebra is None else reduced(algebra).size)


def groebner_basis(system: Expanded) -> Groebner | Undecided:
    """A reduced Groebner basis of a small system, square or not, with integral coefficients.

    Guarantees: exact (assurance flint). Undecided beyond the limits of ``exact_count``.

    >>> circle = {(2, 0): fmpq(1), (0, 2): fmpq(1), (0, 0): fmpq(-1)}
    >>> groebner_basis(Expanded(("x", "y"), (circle, {(1, 0): fmpq(1, 2)}))).polynomials
    ({(1, 0): 1}, {(0, 2): 1, (0, 0): -1})
    """
    n = len(system.variables)
    size = math.prod(max(d, 1) for d in system.degrees)
    if not 0 < n <= MOST_UNKNOWNS or size > MOST_PATHS:
        return Undecided(
            f"a Groebner basis is tried up to {MOST_UNKNOWNS} unknowns and a product of degrees "
            f"of {MOST_PATHS}",
            "Groebner basis",
            "install msolve",
        )
    ring = fmpz_mpoly_ctx.get(("x", n), "degrevlex")
    given = [ring.from_dict(dict(p)) for p in system.integral() if p]
    if not given:
        return Groebner((), n)
    # FLINT's stubs do not know of the second value.
    answer: Any = fmpz_mpoly_vec(given, ring).buchberger_naive(limits=_LIMITS)
    found, whole = answer
    if not whole:
        return Undecided("its basis grew too large", "Groebner basis", "install msolve")
    polynomials = [_terms(p) for p in found.autoreduction(groebner=True)]
    return basis_of(polynomials, n)


def basis_of(polynomials: Sequence[Mapping[Monomial, fmpq]], unknowns: int) -> Groebner:
    """Polynomials that are a reduced Groebner basis, with the dimension of their solutions."""
    # The dimension is that of the leading monomials, whatever the field.
    leading = tuple({max(terms, key=key): 1} for terms in polynomials)
    return Groebner(tuple(polynomials), dimension(Basis(_PRIMES[0], unknowns, leading)))


def _terms(polynomial: Any) -> dict[Monomial, fmpq]:
    return {tuple(map(int, m)): fmpq(c) for m, c in polynomial.to_dict().items()}


def _leading(terms: Mapping[Monomial, int]) -> tuple[Monomial, int]:
    monomial = max(terms, key=key)
    return monomial, terms[monomial]

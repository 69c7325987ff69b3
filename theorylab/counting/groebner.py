"""Exact counts of tiny systems over Q: a Groebner basis by FLINT, then the trace form.

No engine to install, and naive: larger systems are msolve's.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Any, Final

from flint import fmpq, fmpq_mat, fmpz_mpoly_ctx, fmpz_mpoly_vec

from theorylab.counting.expanded import Expanded, Monomial
from theorylab.counting.external.staircase import Basis, dimension, distinct_points
from theorylab.outcome import Undecided

MOST_UNKNOWNS: Final = 7
MOST_PATHS: Final = 6_000
"""The largest product of degrees that is tried."""
# Polynomials in the basis, terms in one, bits of a coefficient.
# Measured: within them an attempt ends in seconds.
_LIMITS: Final = (160, 1_000, 12_000)
_TRACE: Final = 64
_PRIMES: Final = (2**30 - 35, 2**30 - 41, 2**29 - 3)


@dataclass(frozen=True, slots=True)
class ExactCount:
    """All complex solutions in affine space: ``dimension`` is -1 for none, and for 0 there are
    ``degree`` with multiplicity and ``distinct`` without (None: not computed). Over Q, exact."""

    dimension: int
    degree: int | None = None
    distinct: int | None = None


def exact_count(system: Expanded) -> ExactCount | Undecided:
    """The exact number of complex solutions of a tiny system, square or not.

    Guarantees: exact (assurance flint). Undecided beyond seven unknowns, a product of
    degrees of 6000, or the bounds on the basis. Source: D. Cox, J. Little, D. O'Shea,
    Using Algebraic Geometry, chapter 2: distinct points = rank of the trace form.

    >>> double = {(2, 0): fmpq(1), (1, 0): fmpq(-2), (0, 0): fmpq(1)}
    >>> exact_count(Expanded(("x", "y"), (double, {(0, 2): fmpq(1), (0, 0): fmpq(-1)})))
    ExactCount(dimension=0, degree=4, distinct=2)
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
        return ExactCount(n)
    # FLINT's stubs do not know of the second value.
    answer: Any = fmpz_mpoly_vec(given, ring).buchberger_naive(limits=_LIMITS)
    found, whole = answer
    if not whole:
        return Undecided("its basis grew too large", "Groebner basis", "install msolve")
    reduced = [_terms(p) for p in found.autoreduction(groebner=True)]
    # Divided only by leading coefficients, a basis stays one modulo primes that divide none.
    prime = next((p for p in _PRIMES if all(_leading(t)[1] % p for t in reduced)), None)
    if prime is None:
        return Undecided("no prime is good", "Groebner basis", "install msolve")
    modular = tuple({m: c % prime for m, c in terms.items() if c % prime} for terms in reduced)
    basis = Basis(prime, n, modular)
    dim = dimension(basis)
    if dim != 0:
        return ExactCount(dim)
    degree, distinct = distinct_points(basis, random.Random(0))
    # The count modulo a prime is at most the true one: only when they meet is it exact.
    if distinct == degree:
        return ExactCount(0, degree, degree)
    return ExactCount(0, degree, _trace_rank(reduced, n) if degree <= _TRACE else None)


def _terms(polynomial: Any) -> dict[Monomial, int]:
    return {tuple(map(int, m)): int(c) for m, c in polynomial.to_dict().items()}


def _key(monomial: Monomial) -> tuple[int, tuple[int, ...]]:
    return sum(monomial), tuple(-e for e in reversed(monomial))


def _leading(terms: dict[Monomial, int]) -> tuple[Monomial, int]:
    monomial = max(terms, key=_key)
    return monomial, terms[monomial]


def _trace_rank(reduced: list[dict[Monomial, int]], n: int) -> int:
    """The rank of (f, g) -> Tr(multiplication by f g) on the quotient algebra."""
    rules = {}
    for terms in reduced:
        lead, c = _leading(terms)
        rules[lead] = {m: fmpq(-a, c) for m, a in terms.items() if m != lead}

    def divides(a: Monomial, b: Monomial) -> bool:
        return all(x <= y for x, y in zip(a, b, strict=True))

    standard: list[Monomial] = []
    layer: set[Monomial] = {(0,) * n}
    while layer:
        kept = {m for m in layer if not any(divides(lead, m) for lead in rules)}
        standard += sorted(kept)
        layer = {(*m[:j], m[j] + 1, *m[j + 1 :]) for m in kept for j in range(n)}
    place = {m: k for k, m in enumerate(standard)}
    memo: dict[Monomial, dict[Monomial, fmpq]] = {}

    def normal(monomial: Monomial) -> dict[Monomial, fmpq]:
        """The normal form; each step replaces a monomial by smaller ones."""
        if monomial in place:
            return {monomial: fmpq(1)}
        if monomial not in memo:
            lead = next(lead for lead in rules if divides(lead, monomial))
            rest = tuple(a - b for a, b in zip(monomial, lead, strict=True))
            total: dict[Monomial, fmpq] = {}
            for m, c in rules[lead].items():
                raised = tuple(a + b for a, b in zip(m, rest, strict=True))
                for key, value in normal(raised).items():
                    total[key] = total.get(key, fmpq(0)) + c * value
            memo[monomial] = total
        return memo[monomial]

    def product(a: Monomial, b: Monomial) -> dict[Monomial, fmpq]:
        return normal(tuple(x + y for x, y in zip(a, b, strict=True)))

    size = len(standard)
    trace = [
        sum((product(b, c).get(c, fmpq(0)) for c in standard), start=fmpq(0)) for b in standard
    ]
    form = [
        sum((c * trace[place[m]] for m, c in product(a, b).items()), start=fmpq(0))
        for a in standard
        for b in standard
    ]
    return int(fmpq_mat(size, size, form).rank())

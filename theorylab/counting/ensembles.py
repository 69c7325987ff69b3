"""Random polynomial systems, and how many real zeros each of them has, counted exactly."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import factorial, isqrt, prod, sqrt
from typing import Any

from flint import fmpq, fmpz_poly

from theorylab.counting.expanded import Expanded, Monomial
from theorylab.counting.univariate import univariate_representation
from theorylab.outcome import InputError, Undecided

KINDS = ("kostlan", "kac", "network")
_BITS = 20


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Square systems with Gaussian coefficients, rounded to multiples of 2^-20.

    ``kostlan``: all monomials, the variances multinomial coefficients; the law of the zeros is the
    same in every orthonormal frame. ``kac``: all monomials, variances 1. ``network``: the equations
    (w.x_j)^d_j = y_j of one unit, as many weights as data, inputs and targets Gaussian.
    Guarantees: the same generator state, the same system. Raises InputError for an unknown kind or
    degrees below 1.

    >>> Ensemble("kostlan", (2, 2)).system(random.Random(0)).degrees
    (2, 2)
    """

    kind: str
    degrees: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            rule = f"the ensembles are {', '.join(KINDS)}"
            raise InputError("kind", self.kind, rule, "choose one of them")
        if not self.degrees or min(self.degrees) < 1:
            rule = "there is at least one degree, each at least 1"
            raise InputError("degrees", self.degrees, rule, "write e.g. (2, 2)")

    @property
    def solutions(self) -> int:
        """The product of the degrees: the complex zeros of a generic system."""
        return prod(self.degrees)

    @property
    def root_of_solutions(self) -> float:
        """The square root of the product of the degrees, rounded."""
        whole = isqrt(self.solutions)
        return float(whole) if whole * whole == self.solutions else sqrt(self.solutions)

    def system(self, rng: random.Random) -> Expanded:
        """One system drawn from the ensemble."""
        n = len(self.degrees)
        names = tuple(f"x{i + 1}" for i in range(n))
        draw = self._power if self.kind == "network" else self._full
        return Expanded(names, tuple(draw(rng, d, n) for d in self.degrees))

    def _full(self, rng: random.Random, degree: int, n: int) -> dict[Monomial, fmpq]:
        terms = {}
        for monomial in product(range(degree + 1), repeat=n):
            if sum(monomial) <= degree:
                variance = _multinomial(degree, monomial) if self.kind == "kostlan" else 1
                terms[monomial] = _gaussian(rng, variance)
        return terms

    def _power(self, rng: random.Random, degree: int, n: int) -> dict[Monomial, fmpq]:
        x, y = [_gaussian(rng, 1) for _ in range(n)], _gaussian(rng, 1)
        terms = {}
        for monomial in product(range(degree + 1), repeat=n):
            if sum(monomial) == degree:
                value = fmpq(_multinomial(degree, monomial))
                for c, power in zip(x, monomial, strict=True):
                    value *= c**power
                terms[monomial] = value
        return {**terms, (0,) * n: -y}


def _multinomial(degree: int, monomial: Sequence[int]) -> int:
    rest = degree - sum(monomial)
    return factorial(degree) // prod(map(factorial, (rest, *monomial)))


def _gaussian(rng: random.Random, variance: int) -> fmpq:
    return fmpq(round(rng.gauss(0.0, 1.0) * sqrt(variance) * 2**_BITS), 2**_BITS)


def real_zeros(system: Expanded) -> int | Undecided:
    """The number of real zeros of a square system, if its complex zeros are as many as degrees say.

    Guarantees: exact (assurance flint); all complex zeros are counted, simple and in C^n. Undecided
    when they are fewer than the product of the degrees: at infinity, multiple, or too many to find.

    >>> real_zeros(Expanded(("x",), ({(3,): fmpq(1), (1,): fmpq(-1)},)))
    3
    """
    wanted = prod(system.degrees)
    if len(system.variables) == 1:
        (terms,) = system.polynomials
        scale = prod({int(c.q) for c in terms.values()})
        powers = range(max((p for (p,) in terms), default=0) + 1)
        whole = fmpz_poly([int(terms.get((p,), fmpq(0)) * scale) for p in powers])
        found: Any = whole.complex_roots()
        if sum(order == 1 for _, order in found) != wanted:
            return Undecided(f"it has not {wanted} simple complex zeros", "counting real zeros")
        # exact: FLINT gives real roots the imaginary part 0
        return sum(bool(root.imag == 0) for root, _ in found)
    found_all = univariate_representation(system)
    if isinstance(found_all, Undecided):
        return found_all
    if found_all.distinct != wanted:
        return Undecided(f"it has not {wanted} distinct zeros in C^n", "counting real zeros")
    return found_all.real


def counts(ensemble: Ensemble, draws: int, seed: int | str) -> Iterator[int | Undecided]:
    """The numbers of real zeros of so many systems; the same seed, the same numbers.

    Guarantees: each exact. Raises InputError for fewer than one draw.

    >>> list(counts(Ensemble("kostlan", (3,)), 6, 0))
    [3, 1, 1, 1, 1, 1]
    """
    if draws < 1:
        raise InputError("draws", draws, "there is at least one draw", "use 1 or more")
    rng = random.Random(f"{ensemble.kind} {ensemble.degrees} {seed}")
    return (real_zeros(ensemble.system(rng)) for _ in range(draws))

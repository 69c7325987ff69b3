"""The exact rungs of the ladder: how many solutions there are, what they are, in what dimension.

Each answer says who vouches for it: FLINT where the Groebner basis is its own, msolve (``cas``)
for completeness where the basis is msolve's. Points are proved by substitution in either case.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from flint import acb, acb_mat, fmpq

from theorylab.counting.expanded import Expanded, Polynomial
from theorylab.counting.external import (
    EmptySet,
    EngineError,
    FiniteSet,
    MissingEngine,
    PositiveDimensional,
    msolve,
)
from theorylab.counting.gaussian import Gaussian
from theorylab.counting.groebner import Groebner, basis_of, exact_count, groebner_basis
from theorylab.counting.polynomials import PolynomialSystem, Terms, generic_rational
from theorylab.counting.rootcount import Component
from theorylab.counting.univariate import (
    Point,
    Representation,
    Solved,
    univariate_representation,
)
from theorylab.outcome import Assurance, Undecided

_MSOLVE_SECONDS: Final = 120.0
_COMPONENT_SECONDS: Final = 10.0
_FLINT_RULE: Final = "Groebner basis over Q by FLINT"
_RANK_BITS: Final = 256
# The points of one slice at which the rank is computed.
_RANKED: Final = 12


@dataclass(frozen=True, slots=True)
class Upper:
    """At most ``value`` isolated distinct solutions, by which rule, and who says so."""

    value: int
    rule: str
    assurance: Assurance


@dataclass(frozen=True, slots=True)
class Exact:
    """The dimension of the solution set (-1: empty); of a finite one how many solutions there are
    without and with multiplicity (None: not told)."""

    dimension: int
    distinct: int | None
    degree: int | None
    rule: str
    assurance: Assurance

    @property
    def upper(self) -> Upper | None:
        """The bound that a finite count is."""
        if self.dimension > 0 or self.distinct is None:
            return None
        return Upper(self.distinct, self.rule, self.assurance)


@dataclass
class Ladder:
    """What exact algebra says of one system, asked step by step; ``notes`` collects refusals.

    ``system`` is over Q. A system over Q(i) is asked with i as a last unknown and i^2 + 1 as a
    last equation: it has ``fold`` = 2 times as many solutions, half of them with i for it.
    """

    system: Expanded
    fold: int = 1
    seed: int = 0
    notes: list[str] = field(default_factory=list)
    seconds: float = _MSOLVE_SECONDS
    _basis: Groebner | Undecided | None = None

    def _own_basis(self) -> Groebner | Undecided:
        if self._basis is None:
            self._basis = groebner_basis(self.system)
        return self._basis

    def exact(self) -> Exact | None:
        """The exact count, by FLINT or else by msolve; None when neither can tell."""
        open_ends: list[str] = []
        for source in (self._by_groebner, self._by_msolve):
            try:
                found = source()
            except MissingEngine as error:
                self.notes.append(f"an exact count was not possible: {error}")
                continue
            except EngineError as error:
                self.notes.append(str(error))
                continue
            if isinstance(found, Undecided):
                open_ends.append(str(found))
            elif found.dimension > 0 or found.distinct is not None:
                return found
        self.notes += open_ends
        return None

    def _by_groebner(self) -> Exact | Undecided:
        found = exact_count(self.system, self._own_basis())
        if isinstance(found, Undecided):
            return found
        return self._folded(
            found.dimension, found.distinct, found.degree, _FLINT_RULE, Assurance.FLINT
        )

    def _by_msolve(self) -> Exact | Undecided:
        found = msolve.complex_solutions(self.system, seed=self.seed, timeout=self.seconds)
        if isinstance(found, Undecided):
            return found
        rule = f"msolve {found.version} modulo two primes"
        match found:
            case EmptySet():
                return self._folded(-1, 0, 0, rule, Assurance.CAS)
            case PositiveDimensional():
                return self._folded(found.dimension, None, None, rule, Assurance.CAS)
            case FiniteSet():
                return self._folded(0, found.distinct, found.degree, rule, Assurance.CAS)

    def _folded(
        self, dimension: int, distinct: int | None, degree: int | None, rule: str, who: Assurance
    ) -> Exact:
        if dimension < 0:
            distinct = degree = 0
        # Conjugation exchanges the solutions with i and with -i: both counts are even.
        halves = [None if n is None else n // self.fold for n in (distinct, degree)]
        return Exact(dimension, halves[0], halves[1], rule, who)

    def solved(self, *, torus: bool = False) -> Solved | Undecided:
        """All solutions of a finite set (in the torus), whatever their multiplicity."""
        found = _represented(self.system, self._own_basis(), self.seconds)
        if isinstance(found, Undecided):
            return found
        representation, rule, assurance = found
        if torus:
            representation = representation.in_torus()
        points, real = representation.points(), representation.real
        if self.fold > 1:
            n = len(self.system.variables) - 1
            points = tuple(
                Point(point.coordinates[:n], point.multiplicity, False)
                for point in points
                if point.coordinates[n].imag > 0
            )
            parts = self._real_solutions(torus)
            if isinstance(parts, Undecided):
                return parts
            real = parts
        return Solved(points, real, rule, assurance)

    def _real_solutions(self, torus: bool) -> int | Undecided:
        """Of a system over Q(i): where real and imaginary parts of all equations vanish."""
        n = len(self.system.variables) - 1
        halves = [
            {m[:n]: c for m, c in p.items() if m[n] == power}
            for p in self.system.polynomials[:-1]
            for power in (0, 1)
        ]
        real = Expanded(self.system.variables[:n], tuple(half for half in halves if half))
        found = _represented(real, groebner_basis(real), self.seconds)
        if isinstance(found, Undecided):
            return found
        return found[0].in_torus().real if torus else found[0].real

    def component(self, system: PolynomialSystem, dimension: int) -> Component | None:
        """What ``dimension`` generic slices say of the solution set; None if it is too large."""
        rng = random.Random(f"component {self.seed}")
        n = len(self.system.variables) - (self.fold - 1)
        unit = [tuple(int(j == k) for j in range(len(self.system.variables))) for k in range(n)]
        zero = (0,) * len(self.system.variables)
        slices: list[Polynomial] = []
        for _ in range(dimension):
            terms = {m: fmpq(rng.choice((-1, 1)) * rng.randint(1, 9)) for m in unit}
            slices.append(terms | {zero: generic_rational(rng)})
        sliced = Ladder(
            Expanded(self.system.variables, (*self.system.polynomials, *slices)),
            self.fold,
            self.seed,
            seconds=_COMPONENT_SECONDS,
        )
        found = sliced.solved()
        if isinstance(found, Undecided) or not found.points:
            return None
        ranks = [rank_at(system, point.coordinates) for point in found.points[:_RANKED]]
        return Component(dimension, found.distinct, max(ranks), found.assurance)

    def in_torus(self) -> Exact | None:
        """The exact number of solutions in the torus: t x_1 ... x_n = 1 has them and no others."""
        n = len(self.system.variables)
        lifted = [{(*m, 0): c for m, c in p.items()} for p in self.system.polynomials]
        inverse = {(1,) * (n + 1): fmpq(1), (0,) * (n + 1): fmpq(-1)}
        larger = Expanded((*self.system.variables, "t"), (*lifted, inverse))
        found = exact_count(larger)
        if isinstance(found, Undecided) or found.dimension > 0:
            return None
        rule = f"{_FLINT_RULE}, in the torus"
        return self._folded(found.dimension, found.distinct, found.degree, rule, Assurance.FLINT)


def adjoined(names: Sequence[str], equations: Sequence[Terms]) -> Expanded:
    """A system over Q(i) as one over Q, with i as the last unknown and i^2 + 1 = 0.

    >>> print(adjoined(["x"], [{(2,): fmpq(1), (0,): Gaussian(fmpq(0), fmpq(-1))}]))
    x^2 - i
    i^2 + 1
    """
    made: list[Polynomial] = []
    for terms in equations:
        flat: dict[tuple[int, ...], fmpq] = {}
        for m, c in terms.items():
            re, im = (c.re, c.im) if isinstance(c, Gaussian) else (c, fmpq(0))
            flat[(*m, 0)] = fmpq(re)
            flat[(*m, 1)] = fmpq(im)
        made.append(flat)
    zero = (0,) * len(names)
    made.append({(*zero, 2): fmpq(1), (*zero, 0): fmpq(1)})
    return Expanded((*names, "i"), tuple(made))


def rank_at(system: PolynomialSystem, point: Sequence[acb]) -> int:
    """A lower bound for the rank of the Jacobian at a point in balls, by a minor without zero.

    Guarantees: enclosure, every point in the balls has at least this rank.
    """
    slope = system.jacobian_balls(point, _RANK_BITS)
    rows, columns = slope.nrows(), slope.ncols()
    left = np.array([complex(z.mid()) for z in slope.entries()]).reshape(rows, columns)
    chosen: tuple[list[int], list[int]] = ([], [])
    # Full pivoting finds a promising minor; its determinant in balls decides.
    for _ in range(min(rows, columns)):
        i, j = divmod(int(np.argmax(np.abs(left))), columns)
        if not abs(left[i, j]) > 1e-9:
            break
        left = left - np.outer(left[:, j], left[i]) / left[i, j]
        chosen[0].append(i)
        chosen[1].append(j)
    for size in range(len(chosen[0]), 0, -1):
        minor = [[slope[i, j] for j in chosen[1][:size]] for i in chosen[0][:size]]
        if not acb_mat(minor).det().contains(0):
            return size
    return 0


def _represented(
    system: Expanded, basis: Groebner | Undecided, seconds: float
) -> tuple[Representation, str, Assurance] | Undecided:
    if not isinstance(basis, Undecided):
        found = univariate_representation(system, basis)
        if isinstance(found, Undecided):
            return found
        return found, "rational univariate representation by FLINT", Assurance.FLINT
    try:
        given = msolve.rational_basis(system, timeout=seconds)
    except (MissingEngine, EngineError) as error:
        return Undecided(str(error), "univariate representation")
    found = univariate_representation(system, basis_of(given, len(system.variables)))
    if isinstance(found, Undecided):
        return found
    if not found.solves(system):
        return Undecided("msolve's Groebner basis has other solutions", "univariate representation")
    rule = "rational univariate representation from msolve's Groebner basis"
    return found, rule, Assurance.CAS

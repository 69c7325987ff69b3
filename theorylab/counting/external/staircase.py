"""Reading a Groebner basis modulo a prime: dimension, and the number of distinct points."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from flint import nmod_mat

Monomial = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Basis:
    """A reduced graded reverse lexicographic Groebner basis modulo a prime."""

    prime: int
    width: int
    polynomials: tuple[Mapping[Monomial, int], ...]

    @property
    def leading(self) -> tuple[Monomial, ...]:
        """The leading monomials."""
        return tuple(max(p, key=_grevlex) for p in self.polynomials)


def dimension(basis: Basis) -> int:
    """The dimension of the variety: the most variables of which no leading monomial is a product.

    Guarantees: exact; -1 for the empty set. Source: Cox, Little, O'Shea, chapter 9, section 1.

    >>> dimension(Basis(7, 2, ({(1, 2): 1}, {(2, 1): 1})))
    1
    """
    supports = {frozenset(j for j, e in enumerate(m) if e) for m in basis.leading}
    if frozenset() in supports:
        return -1
    return basis.width - _hitting(sorted(supports, key=lambda s: (len(s), sorted(s))), basis.width)


def _hitting(sets: list[frozenset[int]], best: int) -> int:
    """The least number of variables that meet every set, by branching on the first set."""
    if not sets:
        return 0
    if best <= 0:
        return 1
    least = best + 1
    for j in sorted(sets[0]):
        rest = [s for s in sets if j not in s]
        least = min(least, 1 + _hitting(rest, min(best, least - 1) - 1))
    return least


def distinct_points(basis: Basis, rng: random.Random) -> tuple[int, int]:
    """(dimension of the quotient algebra, number of values of a random linear form on the points).

    The second is the number of distinct points unless two of them share the value, which has
    probability at most (points^2 / 2) / prime; it is never more. Multiplication matrices come from
    the border of the staircase. Requires a finite set of points.
    Source: Cox, Little, O'Shea, Using Algebraic Geometry, chapter 2, sections 4 and 5.

    >>> double = Basis(101, 2, ({(2, 0): 1, (1, 0): 99, (0, 0): 1}, {(0, 2): 1, (0, 0): 100}))
    >>> distinct_points(double, random.Random(0))
    (4, 2)
    """
    standard, images = _multiplication(basis)
    size = len(standard)
    form = [rng.randrange(1, basis.prime) for _ in range(basis.width)]
    entries = [0] * (size * size)
    for j, columns in enumerate(images):
        for column, image in enumerate(columns):
            for row, value in image.items():
                entries[row * size + column] += form[j] * value
    matrix = nmod_mat(size, size, [e % basis.prime for e in entries], basis.prime)
    characteristic = matrix.charpoly()
    # The characteristic exceeds the degree, so the derivative loses no repeated factor.
    repeated = characteristic.gcd(characteristic.derivative()).degree()
    return size, int(characteristic.degree() - repeated)


def _multiplication(basis: Basis) -> tuple[list[Monomial], list[list[dict[int, int]]]]:
    """Standard monomials, and for each variable the images of them as sparse vectors."""
    prime, width = basis.prime, basis.width
    leading = dict(zip(basis.leading, basis.polynomials, strict=True))
    standard = _staircase(set(leading), width)
    place = {m: k for k, m in enumerate(standard)}
    forms: dict[Monomial, dict[int, int]] = {m: {k: 1} for m, k in place.items()}
    border = {_times(m, j) for m in standard for j in range(width)} - set(place)
    for monomial in sorted(border, key=_grevlex):
        if monomial in leading:
            tail = leading[monomial]
            inverse = pow(tail[monomial], -1, prime)
            forms[monomial] = {
                place[m]: -c * inverse % prime for m, c in tail.items() if m != monomial
            }
            continue
        # Some x_j divides it with a smaller border monomial as quotient, already reduced.
        j = next(j for j in range(width) if monomial[j] and _over(monomial, j) in border)
        total: dict[int, int] = {}
        for k, c in forms[_over(monomial, j)].items():
            for row, value in forms[_times(standard[k], j)].items():
                total[row] = (total.get(row, 0) + c * value) % prime
        forms[monomial] = total
    return standard, [[forms[_times(m, j)] for m in standard] for j in range(width)]


def _staircase(leading: set[Monomial], width: int) -> list[Monomial]:
    found = set()
    layer = {(0,) * width}
    while layer:
        layer = {m for m in layer if not any(_divides(d, m) for d in leading)}
        found |= layer
        layer = {_times(m, j) for m, j in product(layer, range(width))} - found
    return sorted(found, key=_grevlex)


def _divides(a: Monomial, b: Monomial) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True))


def _times(monomial: Monomial, j: int) -> Monomial:
    return (*monomial[:j], monomial[j] + 1, *monomial[j + 1 :])


def _over(monomial: Monomial, j: int) -> Monomial:
    return (*monomial[:j], monomial[j] - 1, *monomial[j + 1 :])


def _grevlex(monomial: Monomial) -> tuple[int, tuple[int, ...]]:
    return sum(monomial), tuple(-e for e in reversed(monomial))

"""Exact arithmetic: matrices over one denominator, sparse polynomials, signs on [0, 1].

Numbers are integers over an explicit denominator.  A ``Matrix`` may also hold polynomials, so the
one literal definition of a network in ``semantics`` serves numbers, paths and symbolic weights.
Every operation is charged to the meter of the running check before it is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from math import comb, gcd, lcm
from operator import add, mul
from threading import local
from typing import Any

MAX_DIGITS = 2_000
MAX_WORK = 600_000_000
MAX_MATRIX_BITS = 400_000_000


class Refusal(Exception):
    """The certificate is not accepted; the message says which rule it breaks."""


def require(condition: bool, reason: str) -> None:
    if not condition:
        raise Refusal(reason)


class Meter(local):
    """The work that is left to the check of this thread, in products of machine words."""

    left = MAX_WORK


METER = Meter()


def spend(operations: int, *sizes: int) -> None:
    """Charge operations on numbers of these sizes in bits; refuse when the meter is empty."""
    for bits in sizes:
        operations *= 1 + bits // 64
    METER.left -= operations
    require(METER.left >= 0, "checking this certificate is too much work")


def bits(value: Any) -> int:
    """Size of an integer, or of a polynomial with its denominator."""
    return value.bits if isinstance(value, Poly) else int(value).bit_length()


@dataclass(frozen=True, slots=True)
class Poly:
    """A polynomial in ``count`` variables: exponents -> non-zero integer, over ``den`` > 0."""

    terms: dict[tuple[int, ...], int]
    count: int
    den: int = 1

    @staticmethod
    def of(terms: Mapping[tuple[int, ...], Fraction], count: int) -> Poly:
        scaled = Matrix.of([list(terms.values())]) if terms else Matrix(((),))
        numerators = dict(zip(terms, scaled.rows[0], strict=True))
        return Poly({k: c for k, c in numerators.items() if c}, count, scaled.den)

    @staticmethod
    def dense(coefficients: Sequence[Fraction]) -> Poly:
        """The polynomial sum c_i t^i in one variable."""
        return Poly.of({(i,): c for i, c in enumerate(coefficients)}, 1)

    @staticmethod
    def variable(index: int, count: int) -> Poly:
        return Poly({tuple(int(i == index) for i in range(count)): 1}, count)

    @property
    def bits(self) -> int:
        return max(map(int.bit_length, self.terms.values()), default=0) + self.den.bit_length()

    @property
    def degree(self) -> int:
        """The total degree; 0 of the zero polynomial."""
        return max(map(sum, self.terms), default=0)

    def _constant(self, value: Any) -> Poly:
        terms = {(0,) * self.count: value.numerator} if value else {}
        return Poly(terms, self.count, value.denominator)

    def __add__(self, other: Any) -> Poly:
        other = other if isinstance(other, Poly) else self._constant(other)
        require(self.count == other.count, "polynomials in different variables")
        spend(120 + 8 * (len(self.terms) + len(other.terms)), self.bits, other.bits)
        den = lcm(self.den, other.den)
        mine, theirs = den // self.den, den // other.den
        result = {k: c * mine for k, c in self.terms.items()}
        for key, value in other.terms.items():
            total = result.pop(key, 0) + value * theirs
            if total:
                result[key] = total
        return Poly(result, self.count, den)

    __radd__ = __add__

    def __mul__(self, other: Any) -> Poly:
        other = other if isinstance(other, Poly) else self._constant(other)
        require(self.count == other.count, "polynomials in different variables")
        few, many = sorted((self.terms, other.terms), key=len)
        spend(120 + 4 * (len(few) + len(many)))
        spend(len(few) * len(many) * (40 + 4 * self.count), self.bits, other.bits)
        result: dict[tuple[int, ...], int] = {}
        for key, value in few.items():
            held = len(result)
            for other_key, other_value in many.items():
                total_key = tuple(map(add, key, other_key))
                result[total_key] = result.get(total_key, 0) + value * other_value
            # a new term takes memory too
            spend((len(result) - held) * (80 + 4 * self.count))
        kept = {k: c for k, c in result.items() if c}
        return Poly(kept, self.count, self.den * other.den)

    __rmul__ = __mul__

    def __sub__(self, other: Any) -> Poly:
        return self.__add__(other * -1)

    def __call__(self, point: Sequence[Fraction]) -> Fraction:
        size = max(
            (v.numerator.bit_length() + v.denominator.bit_length() for v in point), default=0
        )
        degree = max(map(sum, self.terms), default=0)
        spend((1 + len(self.terms)) * self.count * 4, degree * size + self.bits, size)
        total = Fraction(0)
        for key, value in self.terms.items():
            monomial = Fraction(value, self.den)
            for coordinate, exponent in zip(point, key, strict=True):
                monomial *= coordinate**exponent
            total += monomial
        return total

    def derivative(self, i: int = 0) -> Poly:
        """The partial derivative by variable i."""
        terms = {
            (*key[:i], key[i] - 1, *key[i + 1 :]): key[i] * value
            for key, value in self.terms.items()
            if key[i]
        }
        return Poly(terms, self.count, self.den)


Leaves = Sequence[tuple[int, int]]


def has_sign_on_unit_interval(p: Poly, leaves: Leaves, *, strict: bool) -> bool:
    """Whether the Bernstein coefficients of ``p`` show p >= 0 (p > 0 if strict) on [0, 1].

    ``leaves`` are dyadic intervals [i/2^l, (i+1)/2^l] in order that tile [0, 1].  Soundness:
    Lemma 5 (Bernstein).  A False answer proves nothing.
    """
    if not p.terms:
        return not strict
    whole = [p.terms.get((k,), 0) for k in range(1 + max(k for (k,) in p.terms))]
    reached = Fraction(0)
    for level, index in leaves:
        if not (0 <= level <= 256) or Fraction(index, 1 << level) != reached:
            return False
        reached = Fraction(index + 1, 1 << level)
        if any(b <= 0 if strict else b < 0 for b in _bernstein(whole, level, index)):
            return False
    return reached == 1


def _bernstein(whole: list[int], level: int, index: int) -> Iterable[int]:
    degree = len(whole) - 1
    spend(16 * (degree + 1) ** 2, max(map(int.bit_length, whole)) + (level + 2) * degree)
    # q(s) = 2^(level*degree) p((index + s)/2^level) by Horner's rule in s
    shifted = [0] * (degree + 1)
    for k in range(degree, -1, -1):
        shifted = [index * shifted[0]] + [
            index * shifted[j] + shifted[j - 1] for j in range(1, degree + 1)
        ]
        shifted[0] += whole[k] << (level * (degree - k))
    # coefficient of s^i (1-s)^(degree-i); its sign is that of the i-th Bernstein coefficient
    for i in range(degree + 1):
        yield sum(comb(degree - k, i - k) * shifted[k] for k in range(i + 1))


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows over one denominator; entries and denominator are integers or ``Poly``."""

    rows: tuple[tuple[Any, ...], ...]
    den: Any = 1

    @staticmethod
    def of(rows: Sequence[Sequence[Fraction]]) -> Matrix:
        """The matrix of these rationals over their least common denominator."""
        return Matrix(tuple((0,) * len(row) for row in rows)).replaced(dict(enumerate(rows)))

    def replaced(self, changes: Mapping[int, Sequence[Fraction]]) -> Matrix:
        """The matrix with some rows exchanged; all are held over one new denominator."""
        den, entries = self.den, sum(map(len, self.rows))
        for value in chain.from_iterable(changes.values()):
            spend(1, den.bit_length(), value.denominator.bit_length())
            den = lcm(den, value.denominator)
            small = den.bit_length() * entries <= MAX_MATRIX_BITS
            require(small, "common denominator is too big")
        spend(entries, den.bit_length(), 64)
        factor = den // self.den
        rows = tuple(
            tuple(v.numerator * (den // v.denominator) for v in changes[i])
            if i in changes
            else tuple(v * factor for v in row)
            for i, row in enumerate(self.rows)
        )
        return Matrix(rows, den).reduced()

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.rows), len(self.rows[0])

    @property
    def columns(self) -> tuple[tuple[Any, ...], ...]:
        return tuple(zip(*self.rows, strict=True))

    @property
    def transposed(self) -> Matrix:
        return Matrix(self.columns, self.den)

    @property
    def entries(self) -> list[Any]:
        """Numerators, row by row."""
        return list(chain.from_iterable(self.rows))

    @property
    def bits(self) -> int:
        """Size of the largest numerator and of the denominator together."""
        entries = self.entries
        spend(12 * len(entries))
        return max(map(bits, entries), default=0) + bits(self.den)

    def row(self, i: int) -> list[Fraction]:
        return [Fraction(v, self.den) for v in self.rows[i]]

    def __matmul__(self, other: Matrix) -> Matrix:
        columns = other.columns
        spend(len(self.rows) * len(columns) * len(other.rows), self.bits, other.bits)
        rows = tuple(tuple(sum(map(mul, row, c)) for c in columns) for row in self.rows)
        return Matrix(rows, self.den * other.den).reduced()

    def reduced(self) -> Matrix:
        """The same matrix in lower terms when all is integer."""
        if not isinstance(self.den, int) or self.den == 1:
            return self
        common = self.den
        for value in chain.from_iterable(self.rows):
            if not isinstance(value, int):
                return self
            spend(16)  # the least that a division costs
            spend(1, common.bit_length(), value.bit_length())
            common = gcd(common, value)
            if common == 1:
                return self
        rows = tuple(tuple(v // common for v in row) for row in self.rows)
        return Matrix(rows, self.den // common)

    def take(self, indices: Sequence[int]) -> Matrix:
        return Matrix(tuple(self.rows[i] for i in indices), self.den)

    def with_ones(self) -> Matrix:
        """One more row, all entries 1."""
        return Matrix((*self.rows, (self.den,) * len(self.rows[0])), self.den)

    def equals(self, other: Matrix) -> bool:
        spend(sum(map(len, self.rows)), self.bits, other.bits)
        return self.shape == other.shape and all(
            a * other.den == b * self.den for a, b in zip(self.entries, other.entries, strict=True)
        )

    def rank(self) -> int:
        """Rank over Q by elimination on primitive integer rows."""
        rows, rank = [list(r) for r in self.rows if any(r)], 0
        for c in range(len(self.rows[0])):
            pivot = next((i for i in range(rank, len(rows)) if rows[i][c]), None)
            if pivot is None:
                continue
            rows[rank], rows[pivot] = rows[pivot], rows[rank]
            head = rows[rank]
            for i in range(rank + 1, len(rows)):
                row, lead = rows[i], rows[i][c]
                if lead:
                    sizes = (max(map(int.bit_length, r)) for r in (row, head))
                    spend(32 * len(row), *sizes)
                    changed = [head[c] * a - lead * b for a, b in zip(row, head, strict=True)]
                    common = gcd(*changed) or 1
                    rows[i] = [v // common for v in changed]
            rank += 1
        return rank


def is_positive_semidefinite(matrix: Matrix) -> bool:
    """Whether a symmetric rational matrix has no negative eigenvalue (exact elimination)."""
    a = [list(row) for row in matrix.rows]
    size = len(a)
    if any(a[i][j] != a[j][i] for i in range(size) for j in range(i)):
        return False
    for k in range(size):
        pivot = a[k][k]
        if pivot < 0 or (pivot == 0 and any(a[k][k:])):
            return False
        for i in range(k + 1, size) if pivot else ():
            # rows are scaled by positive numbers only, which changes no sign of a pivot
            lead = a[i][k]
            spend(16 * size, max(map(int.bit_length, a[i])), max(map(int.bit_length, a[k])))
            changed = [pivot * v - lead * w for v, w in zip(a[i], a[k], strict=True)]
            common = gcd(*changed) or 1
            a[i] = [v // common for v in changed]
    return True

"""The algebra Q[x]/I of finitely many solutions: multiplication matrices, and its reduced part.

All of it is exact linear algebra by FLINT on a reduced Groebner basis in degrevlex order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from flint import fmpq, fmpq_mat, fmpq_poly

from theorylab.counting.expanded import Monomial

Terms = Mapping[Monomial, fmpq]


@dataclass(frozen=True, slots=True, eq=False)
class Quotient:
    """An algebra with a basis, ``one`` in it, and one matrix for multiplication by each variable.

    Vectors are columns (size x 1). The size is the number of solutions, with multiplicity.
    """

    one: fmpq_mat
    matrices: tuple[fmpq_mat, ...]

    @property
    def size(self) -> int:
        """The dimension over Q."""
        return int(self.one.nrows())

    def multiplication(self, form: Sequence[int]) -> fmpq_mat:
        """The matrix of multiplication by sum_j form[j] x_j."""
        total = fmpq_mat(self.size, self.size)
        for c, matrix in zip(form, self.matrices, strict=True):
            total += c * matrix
        return total


def key(monomial: Monomial) -> tuple[int, tuple[int, ...]]:
    """Greater for the monomial that is greater in degrevlex order."""
    return sum(monomial), tuple(-e for e in reversed(monomial))


def standard_monomials(leading: Sequence[Monomial], most: int) -> list[Monomial] | None:
    """The monomials that no leading monomial divides, ascending; None when more than ``most``.

    >>> standard_monomials([(2, 0), (0, 2)], 9)
    [(0, 0), (0, 1), (1, 0), (1, 1)]
    """
    width = len(leading[0])
    found: set[Monomial] = set()
    layer = {(0,) * width}
    while layer:
        layer = {m for m in layer if not any(_divides(lead, m) for lead in leading)}
        found |= layer
        if len(found) > most:
            return None
        layer = {_times(m, j) for m, j in product(layer, range(width))} - found
    return sorted(found, key=key)


def quotient_of(basis: Sequence[Terms], most: int) -> Quotient | None:
    """Q[x]/I for a reduced Groebner basis with finitely many solutions; None above size ``most``.

    Guarantees: exact. Source: D. Cox, J. Little, D. O'Shea, Using Algebraic Geometry, chapter 2,
    section 4.

    >>> double = {(2,): fmpq(1), (1,): fmpq(-2), (0,): fmpq(1)}
    >>> quotient_of([double], 9).matrices[0]
    [0, -1]
    [1,  2]
    """
    leading = {max(terms, key=key): terms for terms in basis}
    standard = standard_monomials(list(leading), most)
    if standard is None:
        return None
    place = {m: k for k, m in enumerate(standard)}
    width, size = len(next(iter(leading))), len(standard)
    forms: dict[Monomial, dict[int, fmpq]] = {m: {k: fmpq(1)} for m, k in place.items()}
    border = {_times(m, j) for m in standard for j in range(width)} - set(place)
    for monomial in sorted(border, key=key):
        if monomial in leading:
            terms = leading[monomial]
            top = terms[monomial]
            forms[monomial] = {place[m]: -c / top for m, c in terms.items() if m != monomial}
            continue
        # Some x_j divides it with a smaller border monomial as quotient, already reduced.
        j = next(j for j in range(width) if monomial[j] and _over(monomial, j) in border)
        total: dict[int, fmpq] = {}
        for k, c in forms[_over(monomial, j)].items():
            for row, value in forms[_times(standard[k], j)].items():
                total[row] = total.get(row, fmpq(0)) + c * value
        forms[monomial] = total
    matrices = []
    for j in range(width):
        entries = [fmpq(0)] * (size * size)
        for column, monomial in enumerate(standard):
            for row, value in forms[_times(monomial, j)].items():
                entries[row * size + column] = value
        matrices.append(fmpq_mat(size, size, entries))
    one = fmpq_mat(size, 1, [int(k == 0) for k in range(size)])
    return Quotient(one, tuple(matrices))


def squarefree_part(polynomial: fmpq_poly) -> fmpq_poly:
    """The product of the distinct irreducible factors, monic.

    >>> squarefree_part(fmpq_poly([0, 0, 2, 2]))
    x^2 + x
    """
    found = polynomial // polynomial.gcd(polynomial.derivative())
    return found / found.leading_coefficient()


def reduced(algebra: Quotient) -> Quotient:
    """The algebra without its nilpotent elements: its size is the number of distinct solutions.

    Guarantees: exact. Source: A. Seidenberg, Constructions in algebra, Trans. AMS 197 (1974),
    Lemma 92: I and, for each variable, the squarefree part of a univariate element of I
    generate the radical.
    """
    size = algebra.size
    rows: list[list[fmpq]] = []
    for matrix in algebra.matrices:
        value = _value(squarefree_part(matrix.charpoly()), matrix, algebra.one)
        if any(entry != 0 for entry in value.entries()):
            rows.append(value.entries())
    if not rows:
        return algebra
    # The ideal that these elements generate: close their span under multiplication. The columns
    # are reversed, so that pivots are the greatest monomials and the smallest ones remain.
    flipped = [_flipped(matrix) for matrix in algebra.matrices]
    span = _echelon([row[::-1] for row in rows], size)
    while True:
        images = [span, *((span * matrix) for matrix in flipped)]
        wider = _echelon([row for part in images for row in part.tolist()], size)
        if wider.nrows() == span.nrows():
            break
        span = wider
    pivots = [next(k for k, c in enumerate(row) if c != 0) for row in span.tolist()]
    kept = [k for k in range(size) if k not in set(pivots)]
    table = span.tolist()
    row_of = {pivot: table[i] for i, pivot in enumerate(pivots)}

    def projection() -> fmpq_mat:
        """Rows: what each old basis element is in the new basis."""
        new = []
        for k in range(size):
            if k in row_of:
                new.append([-row_of[k][c] for c in kept])
            else:
                new.append([fmpq(int(k == c)) for c in kept])
        return fmpq_mat(new)

    project = projection()
    # A row of ``flipped`` says what x_j times that basis element is.
    choose = fmpq_mat([[fmpq(int(k == c)) for k in range(size)] for c in kept])
    matrices = tuple((choose * matrix * project).transpose() for matrix in flipped)
    one = (fmpq_mat([algebra.one.entries()[::-1]]) * project).transpose()
    return Quotient(one, matrices)


def _value(polynomial: fmpq_poly, matrix: fmpq_mat, vector: fmpq_mat) -> fmpq_mat:
    """polynomial(matrix) vector, by Horner."""
    total = 0 * vector
    for c in reversed(polynomial.coeffs()):
        total = matrix * total + c * vector
    return total


def _flipped(matrix: fmpq_mat) -> fmpq_mat:
    """The transpose, for row vectors, in the reversed basis."""
    return fmpq_mat([row[::-1] for row in matrix.transpose().tolist()[::-1]])


def _echelon(rows: list[list[fmpq]], width: int) -> fmpq_mat:
    found, rank = fmpq_mat(len(rows), width, [c for row in rows for c in row]).rref()
    return fmpq_mat(found.tolist()[:rank])


def _divides(a: Monomial, b: Monomial) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True))


def _times(monomial: Monomial, j: int) -> Monomial:
    return (*monomial[:j], monomial[j] + 1, *monomial[j + 1 :])


def _over(monomial: Monomial, j: int) -> Monomial:
    return (*monomial[:j], monomial[j] - 1, *monomial[j + 1 :])

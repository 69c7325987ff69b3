"""Linear algebra over Q by reduced row echelon forms: kernels, inverses, normal equations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flint import fmpq, fmpq_mat

from theorylab.model import Dataset
from theorylab.model.rational import columns, stacked


@dataclass(frozen=True, slots=True)
class Kernel:
    """The kernel of a matrix with columns split into `pivots` (a basis of the range) and `free`.

    basis: n x len(free), the identity on the rows `free`.
    """

    basis: fmpq_mat
    pivots: tuple[int, ...]
    free: tuple[int, ...]


def identity(n: int) -> fmpq_mat:
    """Return the n x n identity."""
    return fmpq_mat(n, n, [int(i == j) for i in range(n) for j in range(n)])


def echelon(a: fmpq_mat) -> tuple[fmpq_mat, tuple[int, ...]]:
    """Return the reduced row echelon form and its pivot columns.

    >>> echelon(fmpq_mat([[0, 2, 4], [0, 1, 2]]))[1]
    (1,)
    """
    if not (a.nrows() and a.ncols()):
        return a, ()
    reduced, rank = a.rref()
    pivots: list[int] = []
    j = 0
    for i in range(rank):
        while reduced[i, j] == 0:
            j += 1
        pivots.append(j)
        j += 1
    return reduced, tuple(pivots)


def rank(a: fmpq_mat) -> int:
    """Return the rank; 0 for a matrix without rows or columns."""
    return int(a.rank()) if a.nrows() and a.ncols() else 0


def kernel(a: fmpq_mat, prefer: Sequence[int] | None = None) -> Kernel:
    """Return the kernel of `a`; `prefer` lists the columns in the order they are tried as pivots.

    Guarantees: exact; free column f of `a` is the combination of the pivot columns whose
    coefficients are those of minus its basis vector.

    >>> kernel(fmpq_mat([[1, 2]])).basis
    [-2]
    [ 1]
    """
    n = a.ncols()
    order = list(range(n)) if prefer is None else list(prefer)
    reduced, found = echelon(columns(a, order))
    pivots = [order[j] for j in found]
    free = sorted(set(range(n)) - set(pivots))
    place = {column: position for position, column in enumerate(order)}
    basis = fmpq_mat(n, len(free))
    for c, f in enumerate(free):
        basis[f, c] = fmpq(1)
        for i, pivot in enumerate(pivots):
            basis[pivot, c] = -reduced[i, place[f]]
    return Kernel(basis, tuple(sorted(pivots)), tuple(free))


def rows(a: fmpq_mat, indices: Sequence[int]) -> fmpq_mat:
    """Return the matrix of these rows, in this order."""
    table = a.tolist()
    return fmpq_mat(len(indices), a.ncols(), [q for i in indices for q in table[i]])


def beside(a: fmpq_mat, b: fmpq_mat) -> fmpq_mat:
    """Return the columns of `a` followed by those of `b`."""
    return stacked(a.transpose(), b.transpose()).transpose()


def independent_columns(a: fmpq_mat) -> fmpq_mat:
    """Return the first columns of `a` that are a basis of its range."""
    return columns(a, echelon(a)[1])


def completing(a: fmpq_mat, candidates: fmpq_mat) -> list[int]:
    """Return which columns of `candidates`, first come first, extend those of `a` to more rank."""
    width = a.ncols()
    return [j - width for j in echelon(beside(a, candidates))[1] if j >= width]


def rank_factorisation(x: fmpq_mat) -> tuple[fmpq_mat, fmpq_mat]:
    """Return (B, C) with X = B C, B the pivot columns of X and C of full row rank.

    >>> [f.tolist() for f in rank_factorisation(fmpq_mat([[1, 2], [1, 2]]))]
    [[[1], [1]], [[1, 2]]]
    """
    reduced, pivots = echelon(x)
    return columns(x, pivots), rows(reduced, range(len(pivots)))


def solve(a: fmpq_mat, b: fmpq_mat) -> fmpq_mat | None:
    """Return one solution of A S = B, its free variables 0, or None when there is none."""
    n = a.ncols()
    reduced, pivots = echelon(beside(a, b))
    if any(j >= n for j in pivots):
        return None
    table = reduced.tolist()
    out = fmpq_mat(n, b.ncols())
    for i, pivot in enumerate(pivots):
        for j in range(b.ncols()):
            out[pivot, j] = table[i][n + j]
    return out


def right_inverse(a: fmpq_mat) -> fmpq_mat:
    """Return A^T (A A^T)^-1 for A of full row rank; ZeroDivisionError otherwise."""
    t = a.transpose()
    return t * (a * t).inv()


def left_inverse(a: fmpq_mat) -> fmpq_mat:
    """Return (A^T A)^-1 A^T for A of full column rank; ZeroDivisionError otherwise."""
    t = a.transpose()
    return (t * a).inv() * t


def projector(a: fmpq_mat) -> fmpq_mat:
    """Return the orthogonal projector onto the range of `a`."""
    independent = independent_columns(a)
    if not independent.ncols():
        return fmpq_mat(a.nrows(), a.nrows())
    return independent * left_inverse(independent)


def trace(a: fmpq_mat) -> fmpq:
    """Return the trace."""
    return sum((a[i, i] for i in range(a.nrows())), fmpq(0))


def least_squares(x: fmpq_mat, data: Dataset) -> fmpq_mat:
    """Return M (m x rows of X) minimising sum_i s_i |M x_i - y_i|^2, of smallest support.

    Guarantees: M X D X^T = Y D X^T exactly, for X of any rank.
    """
    found = solve(data.gram(x), data.gram(x, data.y))
    assert found is not None  # normal equations are always consistent
    return found.transpose()


def is_positive_semidefinite(a: fmpq_mat) -> bool:
    """Whether the symmetric matrix is >= 0, by symmetric elimination. Guarantees: exact.

    >>> is_positive_semidefinite(fmpq_mat([[1, 2], [2, 4]]))
    True
    >>> is_positive_semidefinite(fmpq_mat([[0, 1], [1, 4]]))
    False
    """
    table = a.tolist()
    n = len(table)
    for k in range(n):
        pivot = table[k][k]
        if pivot < 0 or (pivot == 0 and any(table[k][j] != 0 for j in range(k + 1, n))):
            return False
        if pivot == 0:
            continue
        for i in range(k + 1, n):
            factor = table[i][k] / pivot
            if factor != 0:
                table[i] = [q - factor * p for q, p in zip(table[i], table[k], strict=True)]
    return True

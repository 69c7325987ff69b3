"""Rational numbers and matrices of them, of any rank."""

from __future__ import annotations

from flint import fmpq, fmpq_mat

from theorylab.instances.draw import Draw
from theorylab.outcome import InputError

Sizes = int | tuple[int, int]


def whole(draw: Draw, argument: str, sizes: Sizes, least: int = 1) -> int:
    """The size itself, or one of low..high. InputError for an empty or impossible range.

    >>> from theorylab.instances import Seeded
    >>> whole(Seeded(0), "samples", 3)
    3
    """
    low, high = size_range(argument, sizes, least)
    return low if low == high else draw.integer(low, high)


def kept(draw: Draw, argument: str, sizes: Sizes, least: int = 1) -> list[bool]:
    """Which of as many things as the size allows there are; all of ``low`` come first.

    Each is left out by a choice of its own: a search can take away any of them, and no other
    choice changes its place by that.
    """
    low, high = size_range(argument, sizes, least)
    return [i < low or bool(draw.integer(0, 1)) for i in range(high)]


def size_range(argument: str, sizes: Sizes, least: int = 1) -> tuple[int, int]:
    """Both ends of a size. InputError for an empty or impossible range."""
    low, high = (sizes, sizes) if isinstance(sizes, int) else _pair(argument, sizes)
    if not (type(low) is int and type(high) is int and least <= low <= high):
        rule = f"a size is a whole number of at least {least}, or a pair (low, high) of them"
        raise InputError(argument, sizes, rule, f"write e.g. {argument}=({least}, {least + 2})")
    return low, high


def _pair(argument: str, sizes: object) -> tuple[int, int]:
    if isinstance(sizes, tuple) and len(sizes) == 2:
        return sizes
    rule = "a size is a whole number, or a pair (low, high), both included"
    raise InputError(argument, sizes, rule, f"write e.g. {argument}=(1, 3)")


def rational_number(draw: Draw, height: int = 3) -> fmpq:
    """A rational p/q with |p| and q at most ``height``: each such number can come up.

    >>> from theorylab.instances import Seeded
    >>> sorted({rational_number(Seeded(i), 2) for i in range(99)})
    [-2, -1, -1/2, 0, 1/2, 1, 2]
    """
    positive("height", height)
    q = draw.integer(1, height)
    return fmpq(draw.integer(-height, height), q)


def number(draw: Draw, size: int, denominator: int) -> fmpq:
    """p/q with p of -size..size, q of 1..denominator."""
    q = 1 if denominator == 1 else draw.integer(1, denominator)
    return fmpq(draw.integer(-size, size), q)


def matrix(draw: Draw, rows: int, columns: int, size: int = 3, *, denominator: int = 1) -> fmpq_mat:
    """A matrix (rows x columns) of p/q with p of -size..size, q of 1..denominator."""
    positive("denominator", denominator)
    count = rows * columns
    return fmpq_mat(rows, columns, [number(draw, size, denominator) for _ in range(count)])


def matrix_of_rank(draw: Draw, rows: int, columns: int, rank: int, size: int = 2) -> fmpq_mat:
    """A matrix (rows x columns) of exactly this rank: P L D U Q, its factors of -size..size.

    L and U are unit triangular, D is regular and diagonal, P and Q permute; the simplest one has
    ones on the first places of its diagonal. Guarantees: exact. InputError for an impossible rank.

    >>> from theorylab.instances import Seeded
    >>> [matrix_of_rank(Seeded(i), 3, 2, 1).rank() for i in range(4)]
    [1, 1, 1, 1]
    """
    if type(rank) is not int or not 0 <= rank <= min(rows, columns):
        rule = f"a {rows} x {columns} matrix has a rank of 0 to {min(rows, columns)}"
        raise InputError("rank", rank, rule, "choose one of these")
    positive("size", size)
    diagonal = [draw.integer(1, size) * draw.choice((1, -1)) for _ in range(rank)]
    lower = [
        [int(i == j) if i <= j else draw.integer(-size, size) for j in range(rank)]
        for i in range(rows)
    ]
    upper = [
        [int(i == j) if j <= i else draw.integer(-size, size) for j in range(columns)]
        for i in range(rank)
    ]
    down, across = _order(draw, rows), _order(draw, columns)
    left = fmpq_mat(rows, rank, [lower[i][j] * diagonal[j] for i in down for j in range(rank)])
    right = fmpq_mat(rank, columns, [upper[i][j] for i in range(rank) for j in across])
    return left * right


def _order(draw: Draw, count: int) -> list[int]:
    """A permutation; the simplest is the identity."""
    order = list(range(count))
    for i in range(count - 1):
        j = i + draw.integer(0, count - 1 - i)
        order[i], order[j] = order[j], order[i]
    return order


def positive(argument: str, value: object) -> None:
    """InputError for anything but a whole number of at least 1."""
    if type(value) is not int or value < 1:
        rule = "a whole number of at least 1 is expected"
        raise InputError(argument, value, rule, f"write e.g. {argument}=3")

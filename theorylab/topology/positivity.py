"""Sign of a rational polynomial on [0, 1], proved by Bernstein coefficients on dyadic intervals."""

from __future__ import annotations

from itertools import pairwise
from math import comb, gcd

from flint import fmpq, fmpq_poly

from theorylab.outcome import Undecided

Leaf = tuple[int, int]
Leaves = tuple[Leaf, ...]

WHOLE: Leaves = ((0, 0),)


def bernstein(p: fmpq_poly) -> list[fmpq]:
    """Return the coefficients of `p` in the Bernstein basis of its own degree on [0, 1].

    Guarantees: exact.
    Source: Farouki, The Bernstein polynomial basis: a centennial retrospective (2012), section 3.

    >>> bernstein(fmpq_poly([0, 0, 1]))
    [0, 0, 1]
    """
    a = p.coeffs() or [fmpq(0)]
    n = len(a) - 1
    return [
        sum((fmpq(comb(i, k), comb(n, k)) * a[k] for k in range(i + 1)), fmpq(0))
        for i in range(n + 1)
    ]


def sign_leaves(p: fmpq_poly, *, strict: bool, depth: int = 40) -> Leaves | Undecided:
    """Tile [0, 1] by dyadic intervals on which every Bernstein coefficient of `p` is >= 0 (> 0).

    A leaf (level, index) is [index/2^level, (index+1)/2^level]; leaves come in increasing order.
    Guarantees: exact; leaves prove p >= 0 (p > 0 when `strict`) on [0, 1]. A non-negative p whose
    zeros inside (0, 1), if any, are dyadic has leaves at some depth; one that touches zero at
    another point never has (see `touching_points`).
    Source: Farouki (2012), section 5 (subdivision converges quadratically).

    >>> sign_leaves(fmpq_poly([1, -3, 3]), strict=True)
    ((1, 0), (1, 1))
    >>> print(sign_leaves(fmpq_poly([1, -2]), strict=False))
    undecided: polynomial is negative at t = 1
    """
    if p.degree() < 0:
        return Undecided("polynomial is zero, not positive") if strict else WHOLE
    found: list[Leaf] = []
    stack: list[tuple[list[int], int, int]] = [(_primitive(bernstein(p)), 0, 0)]
    while stack:
        b, level, index = stack.pop()
        if all(c > 0 for c in b) or (not strict and all(c >= 0 for c in b)):
            found.append((level, index))
            continue
        for end, value in ((index, b[0]), (index + 1, b[-1])):
            if value < 0 or (strict and value == 0):
                sign = "negative" if value < 0 else "zero"
                return Undecided(f"polynomial is {sign} at t = {fmpq(end, 2**level)}")
        if level >= depth:
            near = fmpq(index, 2**level)
            return Undecided(
                f"sign not settled near t = {float(near):.6f} at bisection depth {depth}"
            )
        left, right = _halves(b)
        stack.append((right, level + 1, 2 * index + 1))
        stack.append((left, level + 1, 2 * index))
    return tuple(found)


def touching_points(p: fmpq_poly) -> list[fmpq]:
    """Return the rational zeros of even order of `p` inside (0, 1), increasing.

    A segment cut at these points has them as end points of its parts, where Bernstein coefficients
    can be zero. Guarantees: exact and complete.

    >>> touching_points(fmpq_poly([1, -6, 9]))
    [1/3]
    """
    if p.degree() < 2:
        return []
    points = [
        fmpq(0) - f[0] / f[1]
        for f, order in p.factor_squarefree()[1]
        if order % 2 == 0
        for f, _ in f.factor()[1]
        if f.degree() == 1
    ]
    return sorted(t for t in points if 0 < t < 1)


def _primitive(b: list[fmpq]) -> list[int]:
    denominator = 1
    for c in b:
        q = int(c.q)
        denominator = denominator // gcd(denominator, q) * q
    return _cancelled([int(c.p) * (denominator // int(c.q)) for c in b])


def _cancelled(b: list[int]) -> list[int]:
    g = gcd(*b)
    return [c // g for c in b] if g > 1 else b


def _halves(b: list[int]) -> tuple[list[int], list[int]]:
    """Split at the middle by de Casteljau; each half is returned up to a positive factor."""
    n = len(b) - 1
    left, right = [], []
    row = b
    for k in range(n + 1):
        left.append(row[0] << (n - k))
        right.append(row[-1] << (n - k))
        row = [x + y for x, y in pairwise(row)]
    return _cancelled(left), _cancelled(right[::-1])

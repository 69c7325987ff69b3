"""The top of the spectrum of a symmetric rational matrix: exact where rational, else a guide.

Nothing rounded here enters a proof unchecked: approximations only propose rational matrices.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import mpmath
from flint import fmpq, fmpq_mat, fmpq_poly

from theorylab.model.rational import columns
from theorylab.topology.exact_algebra import (
    identity,
    is_positive_semidefinite,
    kernel,
    projector,
    rank,
    trace,
)


@dataclass(frozen=True, slots=True)
class RationalTop:
    """Rational projectors on the eigenspaces of S at the top r eigenvalues s_1 >= ... >= s_r.

    When s_r > s_{r+1} (or r = m) both are the projector on the top r. Otherwise `strict` belongs
    to the eigenvalues above s_r and `weak` to those from s_r on. In both cases
    S <= mu I + Z with Z = strict (S - mu I) strict >= 0 and r mu + tr Z = s_1 + ... + s_r.
    """

    strict: fmpq_mat
    weak: fmpq_mat
    mu: fmpq
    excess: fmpq_mat


def eigen(s: fmpq_mat, bits: int) -> tuple[list[fmpq], fmpq_mat]:
    """Return eigenvalues (decreasing) and eigenvectors (columns) of a symmetric matrix.

    Guarantees: heuristic; multiples of 2^-bits (eigenvalues relative to the size of `s`).

    >>> eigen(fmpq_mat([[2, 0], [0, 3]]), 20)[0]
    [3, 2]
    """
    size = size_of(s)
    context = mpmath.MPContext()
    context.prec = bits + 24
    m = s.nrows()
    table = [[_float(context, q / size) for q in row] for row in s.tolist()]
    values, vectors = context.eigsy(context.matrix(table))
    order = sorted(range(m), key=lambda j: values[j], reverse=True)

    def exact(x: object) -> fmpq:
        return fmpq(int(context.nint(context.ldexp(x, bits))), 2**bits)

    return (
        [exact(values[j]) * size for j in order],
        fmpq_mat([[exact(vectors[i, j]) for j in order] for i in range(m)]),
    )


def size_of(a: fmpq_mat) -> fmpq:
    """Return a power of 2 within a factor 2 of the largest entry in absolute value (1 for 0)."""
    largest = max((abs(q) for q in a.entries()), default=fmpq(0))
    if largest == 0:
        return fmpq(1)
    return fmpq(2) ** (int(largest.p).bit_length() - int(largest.q).bit_length())


def _float(context: mpmath.MPContext, q: fmpq) -> object:
    return context.mpf(int(q.p)) / int(q.q)


def rounded(a: fmpq_mat, bits: int) -> fmpq_mat:
    """Return the nearest matrix of multiples of 2^-bits.

    >>> rounded(fmpq_mat([[fmpq(1, 3)]]), 4)
    [5/16]
    """
    scale = fmpq(2) ** bits
    entries = [((q * scale) + fmpq(1, 2)).floor() / scale for q in a.entries()]
    return fmpq_mat(a.nrows(), a.ncols(), entries)


def simplest_between(low: fmpq, high: fmpq) -> fmpq:
    """Return the rational of least denominator in the open interval, 0 <= low < high.

    >>> simplest_between(fmpq(31, 100), fmpq(36, 100))
    1/3
    """
    whole = fmpq(low.floor())
    if whole + 1 < high:
        return whole + 1
    # high <= whole + 1: the rest is a continued fraction step
    low, high = low - whole, high - whole
    upper = 1 / low if low != 0 else None
    lower = 1 / high
    if upper is None:
        return whole + 1 / (fmpq(lower.floor()) + 1)
    return whole + 1 / simplest_between(lower, upper)


def rational_top(s: fmpq_mat, r: int, bits: int = 200) -> RationalTop | None:
    """Return the rational projectors on the top r eigenspaces of S >= 0; None when irrational.

    The characteristic polynomial is factored over Q; its real roots, numerically separated, say
    which factors lie on top. The answer is verified exactly.
    Guarantees: exact when it is not None.

    >>> rational_top(fmpq_mat([[2, 1], [1, 2]]), 1).strict
    [1/2, 1/2]
    [1/2, 1/2]
    >>> rational_top(fmpq_mat([[2, 1], [1, 1]]), 1) is None
    True
    """
    m = s.nrows()
    if rank(s) <= r:
        # everything below the range is an eigenspace of 0
        below = identity(m) if rank(s) < r else projector(s)
        return RationalTop(projector(s), below, fmpq(0), s)
    values, _ = eigen(s, bits)
    tolerance = trace(s) / fmpq(2) ** (bits // 2)
    factors = [f for f, _ in s.charpoly().factor()[1]]
    owners = _owners(factors, values)
    cut = values[r - 1]
    if cut - values[r] > tolerance:
        above = {owners[i] for i in range(r)}
        if above & {owners[i] for i in range(r, m)}:
            return None
        strict = weak = _spectral_projector(s, [factors[i] for i in above])
        mu = simplest_between(max(values[r], fmpq(0)), cut)
    else:
        tied = factors[owners[r - 1]]
        above = {owners[i] for i in range(m) if values[i] > cut + tolerance}
        others = {owners[i] for i in range(m) if values[i] <= cut + tolerance}
        if tied.degree() != 1 or above & others:
            return None
        mu = -tied[0] / tied[1]
        strict = _spectral_projector(s, [factors[i] for i in above])
        weak = strict + _spectral_projector(s, [tied])
    excess = strict * (s - mu * identity(m)) * strict
    found = RationalTop(strict, weak, mu, excess)
    sound = bounds_from_above(s, mu, excess)
    return found if sound and rank(strict) <= r <= rank(weak) else None


def _owners(factors: list[fmpq_poly], values: list[fmpq]) -> list[int]:
    """For each eigenvalue the number of the irreducible factor of which it is nearly a root."""

    def distance(f: fmpq_poly, value: fmpq) -> fmpq:
        slope = f.derivative()(value)
        return abs(f(value) / slope) if slope != 0 else abs(f(value))

    numbers = range(len(factors))
    return [min(numbers, key=lambda i: distance(factors[i], value)) for value in values]


def _spectral_projector(s: fmpq_mat, factors: list[fmpq_poly]) -> fmpq_mat:
    value = reduce(lambda p, f: p * _at_matrix(f, s), factors, identity(s.nrows()))
    return projector(kernel(value).basis)


def _at_matrix(f: fmpq_poly, s: fmpq_mat) -> fmpq_mat:
    one = identity(s.nrows())
    return reduce(lambda value, c: value * s + c * one, reversed(f.coeffs()), 0 * one)


def bounds_from_above(s: fmpq_mat, mu: fmpq, excess: fmpq_mat) -> bool:
    """Whether mu >= 0, Z >= 0 and S <= mu I + Z (Z = `excess`). Guarantees: exact."""
    slack = mu * identity(s.nrows()) + excess - s
    return mu >= 0 and is_positive_semidefinite(excess) and is_positive_semidefinite(slack)


def ky_fan_dual(s: fmpq_mat, r: int, tightness: fmpq) -> tuple[fmpq, fmpq_mat]:
    """Return (mu, Z) with mu >= 0, Z >= 0, S <= mu I + Z: s_1 + ... + s_r <= r mu + tr Z.

    Guarantees: the inequalities are exact; the bound is sharp when the top r eigenspaces are
    rational, else within about `tightness` of the sum (heuristic).
    Source: Fan 1949, On a theorem of Weyl concerning eigenvalues (dual form).

    >>> mu, z = ky_fan_dual(fmpq_mat([[2, 1], [1, 1]]), 1, fmpq(1, 1000))
    >>> float(mu + trace(z))
    2.618...
    """
    exact = rational_top(s, r)
    if exact is not None:
        return exact.mu, exact.excess
    m = s.nrows()
    bits = _bits_below(tightness / (8 * m))
    values, vectors = eigen(s, bits + 16 + _bits_below(1 / (1 + trace(s))))
    high, low = values[r - 1], max(values[r], fmpq(0))
    step = fmpq(1) / fmpq(2) ** bits
    mu = simplest_between(low, high) if high - low > step else max(high, fmpq(0))
    root = columns(vectors, range(r))
    weights = fmpq_mat(r, r)
    for i in range(r):
        weights[i, i] = max(values[i] - mu, fmpq(0))
    excess = rounded(root * weights * root.transpose(), bits)
    while not bounds_from_above(s, mu, excess + step * identity(m)):
        step *= 2
    return mu, excess + step * identity(m)


def _bits_below(q: fmpq) -> int:
    """The least b >= 0 with 2^-b <= q, for q > 0."""
    return max(0, int((1 / q).ceil() - 1).bit_length())


def aligned_top(s: fmpq_mat, subspace: fmpq_mat, r: int, bits: int) -> fmpq_mat:
    """Return nearly the projector on top r eigenvectors of S, ties decided in favour of a subspace.

    subspace: its projector (m x m, rank r). Where s_r = s_{r+1}, the part taken of that eigenspace
    is the one that the subspace meets. Guarantees: heuristic, to about 2^-bits.
    """
    m = s.nrows()
    values, vectors = eigen(s, bits)
    tolerance = trace(s) / fmpq(2) ** (bits // 2)
    strict = [i for i in range(m) if values[i] > values[r - 1] + tolerance]
    tied = [i for i in range(m) if abs(values[i] - values[r - 1]) <= tolerance]
    if len(strict) + len(tied) == r:
        return _span(vectors, range(r))
    above, level = _span(vectors, strict), _span(vectors, tied)
    meeting = subspace * above * subspace + 2 * (identity(m) - subspace)
    _, directions = eigen(meeting, bits)
    inside = _span(directions, range(m - (r - len(strict)), m))
    weight = 4 * above + level * (identity(m) + inside) * level
    _, top = eigen(weight, bits)
    return _span(top, range(r))


def _span(vectors: fmpq_mat, indices: range | list[int]) -> fmpq_mat:
    part = columns(vectors, indices)
    return part * part.transpose()

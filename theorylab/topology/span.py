"""Matrices whose columns span those of two given ones, all along a path from one to the other."""

from __future__ import annotations

from collections.abc import Sequence

from flint import fmpq, fmpq_mat

from theorylab.model.rational import columns
from theorylab.outcome import InputError, Undecided
from theorylab.topology.barrier import Argument
from theorylab.topology.exact_algebra import (
    beside,
    completing,
    echelon,
    kernel,
    rank,
)
from theorylab.topology.path import Json, matrix_json, theta_json


def span_path(a: fmpq_mat, b: fmpq_mat) -> Argument | Undecided:
    """Show that a path gamma from `a` to `b` has col gamma(t) >= col a + col b inside, or none has.

    For two n x n' matrices, s the rank of [a b]: a polyline when s < n', an s x s minor of which is
    c t^k, c != 0, on each segment; no path when s > n', or s = n' and det(a^T b) < 0.
    Undecided in the remaining case, s = n' and det(a^T b) >= 0, where a path exists.
    Guarantees: exact. Raises InputError when the shapes differ.
    Source: Bruna's slides, a "simple fact" for n' > n; the exact condition is ours.

    >>> span_path(fmpq_mat([[1, 0]]), fmpq_mat([[-1, 0]])).proof["minors"]
    [[0], [1], [0]]
    >>> span_path(fmpq_mat([[1]]), fmpq_mat([[-1]])).proof
    {}
    """
    shapes = [(m.nrows(), m.ncols()) for m in (a, b)]
    if shapes[0] != shapes[1]:
        rule = "both matrices have one shape"
        raise InputError("b", f"shape {shapes[1]}, not {shapes[0]}", rule, "pad with zero columns")
    conclusion = {"kind": "span_path", "A": theta_json((a,)), "B": theta_json((b,))}
    s, width = rank(beside(a, b)), a.ncols()
    if s > width or (s == width and (a.transpose() * b).det() < 0):
        return Argument(conclusion, "span", {})
    if s == width:
        return Undecided(
            f"no column is left beside the {s} that span, and no sign forbids a path",
            "the exchange of columns",
            "add a zero column to both matrices",
        )
    (start, minor), (goal, last) = _filled(a, b), _filled(b, a)
    walk = _Exchange(a)
    walk.go(start, minor)
    walk.reach(goal, last)
    walk.go(b, last)
    return Argument(conclusion, "span", walk.proof())


def _filled(a: fmpq_mat, b: fmpq_mat) -> tuple[fmpq_mat, list[int]]:
    """`a` with columns of `b` in as many free places as [a b] has more rank, and a basis of it."""
    found = kernel(a)
    added = completing(columns(a, found.pivots), b)
    places = found.free[: len(added)]
    filled = _with(a, dict(zip(places, columns(b, added).transpose().tolist(), strict=True)))
    return filled, sorted((*found.pivots, *places))


def _with(a: fmpq_mat, changes: dict[int, list[fmpq]]) -> fmpq_mat:
    table = a.transpose().tolist()
    for j, column in changes.items():
        table[j] = column
    return fmpq_mat(table).transpose()


class _Exchange:
    """A polyline from `a`; inside each segment the columns of its minor are a basis."""

    def __init__(self, a: fmpq_mat) -> None:
        self.current = a
        self.minor: list[int] = []
        self._vertices: list[fmpq_mat] = []
        self._minors: list[list[int]] = []

    def go(self, vertex: fmpq_mat, minor: Sequence[int]) -> None:
        """Follow one segment with this minor, if `vertex` is not here."""
        self.minor = list(minor)
        if vertex != self.current:
            self._vertices.append(vertex)
            self._minors.append(sorted(minor))
            self.current = vertex

    def reach(self, goal: fmpq_mat, basis: Sequence[int]) -> None:
        """Exchange one column at a time until those of `basis` are as in `goal`; then the others.

        The columns outside the minor are free, and there is one. A column of the goal is
        independent of those already in place, so it can take the place of another in the minor.
        """
        table = goal.transpose().tolist()
        for done, k in enumerate(basis):
            if k in self.minor:
                free = next(j for j in range(goal.ncols()) if j not in self.minor)
                here = self.current.transpose().tolist()[k]
                self.go(_with(self.current, {free: here}), self.minor)
                self.minor[self.minor.index(k)] = free
            self.go(_with(self.current, {k: table[k]}), self.minor)
            order = [*basis[: done + 1], *(j for j in self.minor if j not in basis[:done])]
            self.minor = [order[i] for i in echelon(columns(self.current, order))[1]]
        self.go(goal, self.minor)

    def proof(self) -> Json:
        """The hints: the vertices between the ends, and one minor for each segment."""
        inner = [matrix_json(v) for v in self._vertices[:-1]]
        return {"vertices": inner, "minors": self._minors or [sorted(self.minor)]}

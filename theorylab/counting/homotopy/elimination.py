"""Gaussian elimination over W linear systems at once, as LLVM IR: one system in each lane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from theorylab.counting.homotopy.emitter import Emitter, Pair

_PIVOT: Final = 100
"""A tenth of the largest entry will do for a pivot, as is usual for sparse matrices."""
_WRITTEN_OUT: Final = 18
_HELD: Final = 5
"""Columns of which two rows are held in registers."""


def elimination(n: int, width: int, name: str) -> str:
    """The function ``name``(A, b, scratch) that solves n x n systems; b becomes the solution.

    Rows are exchanged in a lane where the largest |entry|^2 of a column is above 100 times that of
    the diagonal. A singular lane gives inf or nan, and leaves the others alone.
    """
    if n <= _WRITTEN_OUT:
        return _Elimination(n, width).write(name)
    return _looped(n, width, name)


class _Elimination:
    """IR for b <- A^{-1} b: elimination of (A | b), rows exchanged lane by lane, substitution.

    A row is brought up in a lane where its |entry|^2 is the largest and above 100 times that of the
    diagonal. Two steps are taken together, so that the rest of the matrix is read and written half
    as often; the column of the next pivot comes before that rest, so that its slow division runs
    beside it. Steps are written out, rows are loops. b is column n.
    """

    def __init__(self, n: int, width: int) -> None:
        self.n, self.text = n, Emitter(width, ("a", "b", "scratch"))
        self.pivots: list[Pair] = []

    def entry(self, i: int, j: int) -> tuple[str, int]:
        return ("%b", i) if j == self.n else ("%a", i * self.n + j)

    def get(self, i: int, j: int) -> Pair:
        return self.text.pair(*self.entry(i, j))

    def put(self, value: Pair, i: int, j: int) -> None:
        self.text.put(value, *self.entry(i, j))

    def write(self, name: str) -> str:
        f, n = self.text, self.n
        column = [self.get(i, 0) for i in range(n)]
        for k in range(0, n, 2):
            swap, row = self.choose(k, column)
            if k:
                self.update(k - 2)
            if k + 1 == n:
                break
            self.exchange(k, k, swap, row)
            upper, column = self.get(k, k + 1), []
            for i in range(k + 1, n):
                column.append(f.less(self.get(i, k + 1), self.factor(i, k), upper))
                self.put(column[-1], i, k + 1)
            swap, row = self.choose(k + 1, column)
            if k + 2 < n:
                self.exchange(k + 1, k, swap, row)
            factor = self.get(k + 1, k)
            for j in range(k + 2, n + 1):
                self.put(f.less(self.get(k + 1, j), factor, self.get(k, j)), k + 1, j)
            column = []
            if k + 2 < n:
                first, second = self.get(k, k + 2), self.get(k + 1, k + 2)
            for i in range(k + 2, n):
                new = f.less(self.get(i, k + 2), self.get(i, k), first)
                column.append(f.less(new, self.factor(i, k + 1), second))
                self.put(column[-1], i, k + 2)
        known: dict[int, Pair] = {}
        for k in reversed(range(n)):
            total = self.get(k, n)
            for j in range(n - 1, k, -1):
                total = f.less(total, self.get(k, j), known[j])
            known[k] = f.times(total, self.pivots[k])
        for k in range(n):
            f.put(known[k], "%b", k)
        return f.function(name)

    def choose(self, k: int, column: Sequence[Pair]) -> tuple[str, str]:
        """The lanes that exchange rows, and with which one; the inverse pivot is appended."""
        f = self.text
        found = [(f.square(z), z, f.splat(i)) for i, z in enumerate(column, start=k)]
        own = found[0][0]
        # In pairs, and pairs of pairs: one after the other is a long wait for each result.
        while len(found) > 1:
            left, right = found[::2], found[1::2]
            single = left[len(right) :]
            found = []
            for (best, value, row), (square, other, index) in zip(left, right, strict=False):
                larger = f.compare("ogt", square, best)
                found.append(
                    (
                        f.select(larger, square, best),
                        f.either(larger, other, value),
                        f.select(larger, index, row),
                    )
                )
            found += single
        best, value, row = found[0]
        swap = f.compare("ogt", best, f.two("fmul", own, f.splat(_PIVOT)))
        value = f.either(swap, value, column[0])
        self.pivots.append(f.inverse(value, f.select(swap, best, own)))
        return swap, f.select(swap, row, f.splat(k))

    def exchange(self, k: int, first: int, swap: str, row: str) -> None:
        """Rows k and ``row`` trade places from column ``first`` on, in the lanes of ``swap``."""
        f, n = self.text, self.n
        with f.where_any(swap):
            upper = [part for j in range(first, n + 1) for part in self.get(k, j)]
            with f.each(swap, row, upper) as (i, here):
                a, b = f.block("%a", i, n), f.block("%b", i)
                for j in range(first, n + 1):
                    base, at = (b, 0) if j == n else (a, j)
                    lower, place = f.pair(base, at), 2 * (j - first)
                    old = upper[place], upper[place + 1]
                    f.put(f.either(here, old, lower), base, at)
                    upper[place : place + 2] = f.either(here, lower, old)
            for j in range(first, n + 1):
                place = 2 * (j - first)
                self.put((upper[place], upper[place + 1]), k, j)

    def factor(self, i: int, k: int) -> Pair:
        """What row i takes of row k, left in its place."""
        found = self.text.times(self.get(i, k), self.pivots[k])
        self.put(found, i, k)
        return found

    def update(self, k: int) -> None:
        """The rest of steps k and k + 1: rows from k + 2, columns from k + 3."""
        f, n = self.text, self.n
        held = n - k - 2 <= _HELD
        if held:
            above = [(self.get(k, j), self.get(k + 1, j)) for j in range(k + 3, n + 1)]
        with f.loop(k + 2, n) as i:
            a, b = f.block("%a", i, n), f.block("%b", i)
            first, second = f.pair(a, k), f.pair(a, k + 1)
            for j in range(k + 3, n + 1):
                upper = above[j - k - 3] if held else (self.get(k, j), self.get(k + 1, j))
                base, at = (b, 0) if j == n else (a, j)
                new = f.less(f.pair(base, at), first, upper[0])
                f.put(f.less(new, second, upper[1]), base, at)


def _looped(n: int, width: int, name: str) -> str:
    """The same elimination with steps and columns as loops too: its length does not grow with n."""
    f = Emitter(width, ("a", "b", "scratch"))
    with f.loop(0, n - 1) as k:
        a, b, after = f.block("%a", k, n), f.block("%b", k), f.plus(k, 1)
        diagonal = f.pair(f.block(a, k), 0)
        own = f.square(diagonal)
        state = [own, f.number(k)]
        with f.loop(after, n, state) as i:
            square = f.square(f.pair(f.block(f.block("%a", i, n), k), 0))
            larger = f.compare("ogt", square, state[0])
            state[0] = f.select(larger, square, state[0])
            state[1] = f.select(larger, f.number(i), state[1])
        swap = f.compare("ogt", state[0], f.two("fmul", own, f.splat(_PIVOT)))
        with f.where_any(swap), f.loop(after, n) as i:
            same = f.compare("oeq", state[1], f.number(i))
            here = f.set(f"and <{width} x i1> {same}, {swap}")
            with f.where_any(here):
                other = f.block("%a", i, n)
                with f.loop(k, n) as j:
                    _exchanged(f, here, f.block(a, j), f.block(other, j))
                _exchanged(f, here, b, f.block("%b", i))
        at = f.block(a, k)
        value = f.pair(at, 0)
        pivot = f.inverse(value, f.square(value))
        f.put(pivot, at, 0)
        above = f.pair(b, 0)
        with f.loop(after, n) as i:
            row, right = f.block("%a", i, n), f.block("%b", i)
            factor = f.times(f.pair(f.block(row, k), 0), pivot)
            with f.loop(after, n) as j:
                entry = f.block(row, j)
                f.put(f.less(f.pair(entry, 0), factor, f.pair(f.block(a, j), 0)), entry, 0)
            f.put(f.less(f.pair(right, 0), factor, above), right, 0)
    last = f.pair("%a", n * n - 1)
    f.put(f.inverse(last, f.square(last)), "%a", n * n - 1)
    with f.loop(0, n - 1) as step:
        k = f.set(f"sub i64 {n - 1}, {step}")
        at = f.block("%b", k)
        known = f.times(f.pair(at, 0), f.pair(f.block("%a", k, n + 1), 0))
        f.put(known, at, 0)
        with f.loop(0, k) as i:
            right = f.block("%b", i)
            factor = f.pair(f.block(f.block("%a", i, n), k), 0)
            f.put(f.less(f.pair(right, 0), factor, known), right, 0)
    f.put(f.times(f.pair("%b", 0), f.pair("%a", 0)), "%b", 0)
    return f.function(name)


def _exchanged(f: Emitter, mask: str, a: str, b: str) -> None:
    upper, lower = f.pair(a, 0), f.pair(b, 0)
    f.put(f.either(mask, lower, upper), a, 0)
    f.put(f.either(mask, upper, lower), b, 0)

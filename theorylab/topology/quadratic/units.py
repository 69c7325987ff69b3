"""Units (u_k, w_k) of a scalar network of squares, moved so that A = sum u_k w_k w_k^T stays."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement as multisets

from flint import fmpq, fmpq_mat, fmpq_poly

from theorylab.model import Network, Weights
from theorylab.topology.exact_algebra import kernel, rows, solve
from theorylab.topology.path import MovingLayer, PathBuilder

Row = list[fmpq]
Unit = tuple[fmpq, Row]
_ONE = fmpq_poly([1])


def squares(x: fmpq_mat) -> fmpq_mat:
    """Return the rows x_a x_b, a <= b, in the order (0, 0), (0, 1), ..., (1, 1), ..."""
    pairs = multisets(x.tolist(), 2)
    return fmpq_mat([[p * q for p, q in zip(a, b, strict=True)] for a, b in pairs])


def size(values: Sequence[fmpq]) -> int:
    """Return how many bits the numerators and denominators have together."""
    return sum(int(v.p).bit_length() + int(v.q).bit_length() for v in values)


def diagonalised(form: fmpq_mat) -> list[Unit]:
    """Write a symmetric matrix as sum s v v^T over rank-many terms.

    Guarantees: exact; the signs of the s are its signature (Sylvester).
    Source: Lagrange's reduction.

    >>> diagonalised(fmpq_mat([[0, 1], [1, 0]]))
    [(1/2, [1, 1]), (-1/2, [1, -1])]
    """
    rest, found = form, []
    n = form.nrows()
    while any(rest.entries()):
        table = rest.tolist()
        i = next((i for i in range(n) if table[i][i] != 0), None)
        if i is not None:
            row, value = table[i], table[i][i]
        else:
            i, j = next((i, j) for i in range(n) for j in range(n) if table[i][j] != 0)
            row, value = [p + q for p, q in zip(table[i], table[j], strict=True)], 2 * table[i][j]
        lead = next(v for v in row if v != 0)
        row, coefficient = [v / lead for v in row], lead * lead / value
        found.append((coefficient, row))
        column = fmpq_mat(n, 1, row)
        rest = rest - column * column.transpose() * coefficient
    return found


def form_of(units: Sequence[Unit]) -> fmpq_mat:
    """Return the sum of u w w^T over units (u, w), one at least."""
    table = fmpq_mat([row for _, row in units])
    weighted = fmpq_mat([[v * u for v in row] for u, row in units])
    return table.transpose() * weighted


class Units:
    """The walk of the units of a network on d inputs; every method but `walk` keeps A.

    Two free units (u_k = 0) are enough to do everything by straight moves: the changed units are
    written into the free ones, and the output layer walks over. With less, units are rotated along
    rational pieces.
    """

    def __init__(self, network: Network, weights: Weights) -> None:
        self.builder = PathBuilder(network, weights)
        self._base: list[int] = []

    @property
    def u(self) -> Row:
        """The output layer."""
        return list(self.builder.current[1].entries())

    @property
    def w(self) -> list[Row]:
        """The rows of the hidden layer."""
        return self.builder.current[0].tolist()

    @property
    def live(self) -> list[int]:
        """The units with u_k != 0 and w_k != 0."""
        pairs = enumerate(zip(self.u, self.w, strict=True))
        return [k for k, (u, row) in pairs if u != 0 and any(row)]

    @property
    def free(self) -> list[int]:
        """The units with u_k = 0."""
        return [k for k, u in enumerate(self.u) if u == 0]

    @property
    def form(self) -> fmpq_mat:
        """A, the sum of u_k w_k w_k^T."""
        return form_of(list(zip(self.u, self.w, strict=True)))

    @property
    def size(self) -> int:
        """The bits of the largest unit."""
        return max(size([u, *row]) for u, row in zip(self.u, self.w, strict=True))

    def walk(self, u: dict[int, fmpq]) -> None:
        """Walk straight to the output layer with these values and zeros elsewhere."""
        values = [u.get(k, fmpq(0)) for k in range(len(self.u))]
        self.builder.move("output", 2, fmpq_mat([values]))

    def place(self, changes: dict[int, Row]) -> None:
        """Give free units other rows."""
        table = self.w
        for k, row in changes.items():
            table[k] = row
        self.builder.move("idle", 1, fmpq_mat(table))

    def reduce(self, wanted: int = 0, clean: int = 0) -> None:
        """Merge units until at most `wanted` of them live, or, if that is more, rank A of them.

        With `clean`, once a unit has more bits than that, the independent ones are exchanged for
        the short units of Lagrange's reduction after each merge.
        Source: Caratheodory's argument in the output layer; then Lemma 35 (reduction).
        """
        u = self.u
        self.walk({k: u[k] for k in self.live})
        self._rely_on_few_squares(wanted)
        while len(live := self.live) > wanted and self._merge(live):
            if clean and self._base and self.size > clean:
                w, u = self.w, self.u
                part = [(u[k], w[k]) for k in self._base]
                self._base = self.become(diagonalised(form_of(part)), self._base)

    def become(self, goal: Sequence[Unit], some: Sequence[int] | None = None) -> list[int]:
        """Represent A, or what `some` units make of it, by these units, whose places it returns.

        They are as many as those before, and both have independent rows. Needs one free unit. Each
        new row is made by shearing rotations of the old ones, those of the sign of its u first,
        then the output walks from there to a copy with the right factor.
        """
        left, places = self.live if some is None else list(some), []
        if len(self.free) >= len(goal):
            slots = self.free[: len(goal)]
            self.place({slot: row for slot, (_, row) in zip(slots, goal, strict=True)})
            kept = {k: u for k, u in enumerate(self.u) if k not in left}
            self.walk({**kept, **{slot: u for slot, (u, _) in zip(slots, goal, strict=True)}})
            return slots
        for value, row in goal:
            found = solve(
                rows(self.builder.current[0], left).transpose(), fmpq_mat(len(row), 1, row)
            )
            assert found is not None  # the rows of both are bases of the range of A
            u = self.u
            a = {k: v for k, v in zip(left, found.entries(), strict=True) if v != 0}
            main, *others = sorted(a, key=lambda k: (u[k] * value < 0, size([a[k]])))
            for k in others:
                self._rotate(main, k, -a[k] / a[main])
            slot = self.free[0]
            self.place({slot: row})
            self.walk({**{k: u for k, u in enumerate(self.u) if k != main}, slot: value})
            left.remove(main)
            places.append(slot)
        return places

    def go_home(self, homes: dict[int, int]) -> None:
        """Move the live units k to the places homes[k], which are all different. Needs a free one.

        >>> from theorylab.model import matrix
        >>> start = (matrix([[1], [2], [0]]), matrix([[3, 4, 0]]))
        >>> units = Units(Network.dense((1, 3, 1), "square"), start)
        >>> units.go_home({0: 1, 1: 0})
        >>> units.u, units.w
        ([4, 3, 0], [[2], [1], [1]])
        """
        left = {k: home for k, home in homes.items() if k != home}
        while left:
            u, w = self.u, self.w
            ready = {k: home for k, home in left.items() if u[home] == 0}
            if not ready:
                ready = {next(iter(left)): self.free[0]}
            self.place({home: w[k] for k, home in ready.items()})
            for k, home in ready.items():
                u[home], u[k] = u[k], fmpq(0)
                aim = left.pop(k)
                if aim != home:
                    left[home] = aim
            self.walk(dict(enumerate(u)))

    def _rely_on_few_squares(self, wanted: int) -> None:
        """Where the matrices w_k w_k^T are dependent, the output layer alone can drop units."""
        live, u = self.live, self.u
        if len(live) <= max(wanted, self.builder.network.n):
            return
        found = kernel(squares(rows(self.builder.current[0], live).transpose()))
        if found.free:
            removed = fmpq_mat(len(found.free), 1, [u[live[f]] for f in found.free])
            for k, change in zip(live, (found.basis * removed).entries(), strict=True):
                u[k] -= change
            self.walk(dict(enumerate(u)))

    def _merge(self, live: list[int]) -> bool:
        """Make one of the live units dead; False when their rows are independent.

        The same rows are the base of merge after merge, in one order as far as signs allow: then
        the base always is the L D L^T of one matrix, and its numbers stay short.
        """
        w, u = self.w, self.u
        majority = 1 if 2 * len([k for k in live if u[k] > 0]) >= len(live) else -1
        kept = {k: i for i, k in enumerate(self._base)}
        order = sorted(live, key=lambda k: (kept.get(k, len(u)), u[k] * majority < 0, size(w[k])))
        found = kernel(rows(self.builder.current[0], order).transpose())
        if not found.free:
            return False
        self._base = [order[i] for i in found.pivots]
        dependent = {
            order[i]: {k: -line[j] for j, k in zip(found.pivots, self._base, strict=True)}
            for i, line in zip(found.free, found.basis.transpose().tolist(), strict=True)
        }
        ordered = {f: self._ordered(f, a) for f, a in dependent.items()}
        good = [f for f, a in ordered.items() if self._absorbs(f, a)]
        if good:
            dying = min(good, key=lambda f: size([*ordered[f].values()]))
            self._absorb(dying, ordered[dying])
            return True
        f, a = next(iter(dependent.items()))
        z = {f: fmpq(-1), **{k: v for k, v in a.items() if v != 0}}
        kappa = sum((v * v / u[k] for k, v in z.items()), fmpq(0))
        if kappa == 0:
            self._base = []
            self._slide(f, z)
            return True
        dying = next(k for k in z if u[k] * kappa > 0)
        self._base = [f if k == dying else k for k in self._base]
        a = {k: -v / z[dying] for k, v in z.items() if k != dying}
        self._absorb(dying, dict(sorted(a.items(), key=lambda pair: u[pair[0]] * u[dying] < 0)))
        return True

    def _ordered(self, f: int, a: dict[int, fmpq]) -> dict[int, fmpq]:
        """The order of rotations: that of the base, or along pieces the sign of u_f first."""
        u = self.u
        listed = [pair for pair in a.items() if pair[1] != 0]
        if len(self.free) < 2:
            listed.sort(key=lambda pair: u[pair[0]] * u[f] < 0)
        return dict(listed)

    def _absorbs(self, f: int, a: dict[int, fmpq]) -> bool:
        """Whether no pivot is 0, and along pieces all pivots are positive multiples of u_k."""
        u, factor, straight = self.u, fmpq(1), len(self.free) > 1
        for k, v in a.items():
            factor += u[f] * v * v / u[k]
            if factor == 0 or (factor < 0 and not straight):
                return False
        return True

    def _slide(self, f: int, z: dict[int, fmpq]) -> None:
        """w_k -> w_k - t (z_k/u_k) y with y = (u_f/z_f) w_f: A stays since sum z_k^2/u_k = 0."""
        w, u = self.w, self.u
        y = [v * u[f] / z[f] for v in w[f]]
        slopes = {k: [v * q / u[k] for q in y] for k, v in z.items()}
        still = [fmpq(0)] * len(y)
        moving = tuple(
            tuple(fmpq_poly([v, -q]) for v, q in zip(row, slopes.get(k, still), strict=True))
            for k, row in enumerate(w)
        )
        self.builder.piece([(1, moving, _ONE)])
        self.walk({k: u[k] for k in self.live})

    def _absorb(self, f: int, a: dict[int, fmpq]) -> None:
        """Empty unit f into those of `a`, w_f = sum a_k w_k, by rotations in the order of `a`."""
        order = list(a)
        while order:
            block = order[: max(1, len(self.free) - 1)]
            if len(self.free) < 2:
                self._rotate(f, block[0], a[block[0]])
            else:
                f = self._exchange(f, {k: a[k] for k in block})
            order = order[len(block) :]
        u = self.u
        self.walk({k: u[k] for k in self.live})

    def _rotate(self, f: int, k: int, a: fmpq) -> None:
        """w_f - t a w_k, and what keeps the form of the pair; q = 1 + t^2 a^2 u_f/u_k is positive.

        u_k -> u_k q, u_f -> u_f/q, w_k -> w_k + (t a u_f/(u_k q)) (w_f - t a w_k).
        """
        w, u = self.w, self.u
        q, shear = fmpq_poly([1, 0, a * a * u[f] / u[k]]), fmpq_poly([0, a])
        moving = [[q * v for v in row] for row in w]
        outer = [q * v for v in u]
        rotated = [v - shear * r for v, r in zip(w[f], w[k], strict=True)]
        moving[f] = [q * v for v in rotated]
        tilt = shear * (u[f] / u[k])
        moving[k] = [p + tilt * v for p, v in zip(moving[k], rotated, strict=True)]
        outer[k], outer[f] = q * q * u[k], fmpq_poly([u[f]])
        layers: list[MovingLayer] = [(1, tuple(map(tuple, moving)), q), (2, (tuple(outer),), q)]
        self.builder.piece(layers)

    def _exchange(self, f: int, a: dict[int, fmpq]) -> int:
        """The rotations of f against all units of `a`, the results written into free units.

        Returns the new place of f.
        """
        u, w = self.u, self.w
        places = dict(zip((f, *a), self.free, strict=False))
        for k, v in a.items():
            pivot = u[k] + v * v * u[f]
            w[f] = [p - v * q for p, q in zip(w[f], w[k], strict=True)]
            w[k] = [q + v * u[f] / pivot * p for p, q in zip(w[f], w[k], strict=True)]
            u[f], u[k] = u[f] * u[k] / pivot, pivot
        self.place({slot: w[k] for k, slot in places.items()})
        for k, slot in places.items():
            u[slot], u[k] = u[k], fmpq(0)
        self.walk(dict(enumerate(u)))
        self._base = [places.get(k, k) for k in self._base]
        return places[f]

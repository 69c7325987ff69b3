"""How much work a level tree is: cells of an arrangement, regions of weight space, and meetings."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

from flint import fmpq_mat

from theorylab.kernel.arith import MAX_WORK
from theorylab.kernel.level_tree import MAX_RANK
from theorylab.model import Dataset, Network
from theorylab.model.rational import ones, stacked
from theorylab.topology.exact_algebra import rank

# What the kernel goes through in about ten seconds, and what a builder holds in about a gigabyte.
MOST_MEETINGS = 3_000_000
MOST_PROBLEMS = 500_000


@dataclass(frozen=True, slots=True)
class Size:
    """The work for ``units`` hidden units on a central arrangement of ``lines`` in rank ``rank``.

    The counts are those of general position: no other arrangement has more.

    >>> size = Size(2, 6, 2, 6)
    >>> size.cells, size.regions, size.meetings, size.fits
    (12, 576, 1728, True)
    """

    units: int
    lines: int
    rank: int
    samples: int

    @staticmethod
    def of(network: Network, data: Dataset) -> Size:
        """The size of the level tree of one hidden layer on these data."""
        x = stacked(data.x, ones(1, data.samples)) if network.bias[0] else data.x
        return Size(network.hidden[0], len(directions(x)), rank(x), data.samples)

    @property
    def cells(self) -> int:
        """Closed cells of one unit."""
        return _faces(self.lines, self.rank, self.rank)

    @property
    def regions(self) -> int:
        """Regions of weight space: a sign and a cell for each unit."""
        return int((2 * self.cells) ** self.units)

    @property
    def _pairs(self) -> int:
        walls = _faces(self.lines, self.rank, self.rank - 1) if self.rank else 0
        return self.cells + 2 * walls

    @property
    def meetings(self) -> int:
        """Pairs of regions that differ in one unit and meet in a facet."""
        return int(self.units * (2 * self.cells) ** (self.units - 1) * self._pairs)

    @property
    def problems(self) -> int:
        """Least-squares problems, at most: the order of the units does not matter."""
        pieces, p = 2 * self.cells, self.units
        return comb(pieces + p - 1, p) + comb(pieces + p - 2, p - 1) * self._pairs

    @property
    def _enumeration(self) -> int:
        rays, length = _faces(self.lines, self.rank, 1), 8 + 2 * self.samples
        faces = sum(_faces(self.lines, self.rank, k) for k in range(self.rank))
        return length * (rays * faces + self.cells * (rays + self.cells))

    @property
    def can_be_cut(self) -> bool:
        """Whether the cells of one unit can be listed, unless the data are in special position."""
        return self.rank <= MAX_RANK and 2 * self._enumeration <= MAX_WORK

    @property
    def fits(self) -> bool:
        """Whether the whole tree can be built and checked."""
        small = self.meetings <= MOST_MEETINGS and self.problems <= MOST_PROBLEMS
        return self.can_be_cut and small

    @property
    def seconds(self) -> float:
        """A rough estimate of the time to build and check the tree."""
        return self._enumeration * 1e-7 + self.problems * 4e-5 + self.meetings * 4e-6

    @property
    def remedy(self) -> str:
        """The largest size of the same kind that fits, in words."""
        for units in range(self.units - 1, 0, -1):
            if Size(units, self.lines, self.rank, self.samples).fits:
                return f"the widest hidden layer that fits on these samples has p = {units}"
        if self.rank > 4:
            return "restrict the inputs: rank 2 (one input and a bias) goes farthest"
        low, high = 1, max(self.lines, 2)
        while high - low > 1:
            middle = (low + high) // 2
            fits = Size(self.units, middle, min(self.rank, middle), middle).fits
            low, high = (middle, high) if fits else (low, middle)
        return f"with these widths about {low} samples fit"


def directions(x: fmpq_mat) -> set[tuple[object, ...]]:
    """The lines through the columns of a matrix that are not zero."""
    found: set[tuple[object, ...]] = set()
    for column in x.transpose().tolist():
        scale = next((v for v in column if v != 0), None)
        if scale is not None:
            found.add(tuple(v / scale for v in column))
    return found


def _faces(lines: int, rank: int, k: int) -> int:
    """Faces of dimension k of a central arrangement in general position."""
    if k == 0 or lines == 0:
        return 1 if k in (0, rank) else 0
    left = lines - rank + k
    return comb(lines, rank - k) * 2 * sum(comb(left - 1, i) for i in range(k)) if left > 0 else 0

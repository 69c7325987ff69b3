"""The whole function u -> N_u of one hidden layer of positively homogeneous units, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from flint import fmpq

from theorylab.kernel import level_tree as rule
from theorylab.kernel.arith import MAX_WORK, METER, Refusal
from theorylab.kernel.statements import parse_statement
from theorylab.model import Dataset, Loss, Network, Weights
from theorylab.outcome import InputError, Undecided
from theorylab.topology.barrier import Argument
from theorylab.topology.certificate import Json, joined, statement_json
from theorylab.topology.level_trees.nonnegative import Cones
from theorylab.topology.level_trees.size import MOST_MEETINGS, Size


@dataclass(frozen=True, slots=True)
class Birth:
    """A component that appears at a level, numbered in the order of appearance."""

    component: int
    level: Fraction


@dataclass(frozen=True, slots=True)
class Merge:
    """Components that meet at a level; the one with the lowest minimum goes on."""

    level: Fraction
    survivor: int
    absorbed: tuple[int, ...]


@dataclass(frozen=True)
class LevelTree:
    """All components of all sublevel sets {L <= u}, and where they are born and meet.

    ``levels`` lists (u, N_u) wherever N_u changes; the first level is the global minimum.
    ``births`` and ``merges`` come in order; of components that meet, the oldest survives.
    ``regions`` of weight space and least-squares ``problems`` measure the work; ``proof`` is what
    the kernel's rule ``level_tree`` reads.
    """

    levels: tuple[tuple[Fraction, int], ...]
    births: tuple[Birth, ...]
    merges: tuple[Merge, ...]
    regions: int
    problems: int
    proof: Json

    @property
    def global_min(self) -> Fraction:
        """The least loss, attained."""
        return self.levels[0][0]

    @property
    def solutions(self) -> int:
        """How many points of cones the proof holds."""
        return len(self.proof["solutions"])

    @property
    def top_merge(self) -> Fraction | None:
        """The level from which on the sublevel set is connected; None if it always is."""
        return self.merges[-1].level if self.merges else None

    @cached_property
    def persistence(self) -> dict[int, Fraction]:
        """For each component but the first, how far above its minimum it meets a lower one."""
        born = {birth.component: birth.level for birth in self.births}
        return {c: m.level - born[c] for m in self.merges for c in m.absorbed}

    @property
    def barrier(self) -> Fraction:
        """The largest persistence: no component needs a higher climb. 0 if there is one only."""
        return max(self.persistence.values(), default=Fraction(0))

    def components(self, u: Fraction) -> int:
        """N_u: how many components {L <= u} has; 0 below the global minimum."""
        return next((n for level, n in reversed(self.levels) if level <= u), 0)

    @property
    def levels_json(self) -> list[list[object]]:
        """The table as the conclusion ``level_tree`` states it."""
        return [[str(level), n] for level, n in self.levels]


def level_tree(network: Network, data: Dataset) -> LevelTree:
    """Return every level at which the number of components of {L <= u} changes, and why.

    One hidden layer, one output, relu, leaky_relu, abs or linear, biases allowed. Weight space is
    cut into regions, a sign and a closed cell of the arrangement x_j^T w = 0 for each unit; in a
    region the loss is convex in |u_k| w_k, and regions that differ in one unit meet in a facet.
    Guarantees: exact; nothing is proved before the kernel has checked it.
    Raises InputError for other networks, and for more regions than the kernel goes through.
    Source: own.

    >>> network = Network.dense((1, 1, 1), "relu")
    >>> level_tree(network, Dataset.from_rows([[1], [-1]], [[1], [2]])).levels_json
    [['1', 1], ['4', 2], ['5', 1]]
    """
    size = size_of(network, data)
    if not size.can_be_cut:
        raise _too_big(size, f"a unit has about {_many(size.cells)} cells in rank {size.rank}")
    conclusion: Json = {"kind": "global_min", "v": "0"}
    # Reading is charged as well, and the last check may have left nothing.
    METER.left = MAX_WORK
    statement = parse_statement(statement_json(network, data, [], conclusion))
    try:
        pieces = rule.pieces(statement.network, statement.data)
        count, units = len(pieces.masks), size.units
        meetings = units * count ** (units - 1) * len(pieces.faces)
        if meetings > MOST_MEETINGS:
            raise _too_big(size, f"{_many(count**units)} regions meet in {_many(meetings)} facets")
        regions, others, asked = rule.keys(pieces, units)
        cones = Cones(pieces.generators, data.y.entries(), data.sample_weights)
        found = {mask: cones.nearest(mask) for mask in asked}
        least = {mask: fraction(solution.value) for mask, solution in found.items()}
        METER.left = MAX_WORK
        levels, heights, meetings_at = rule.events(pieces, units, regions, others, least)
    except Refusal as refusal:
        raise _too_big(size, str(refusal)) from None
    solutions = {solution: i for i, solution in enumerate(dict.fromkeys(found.values()))}
    proof: Json = {
        "solutions": [[[g, str(w)] for g, w in solution.weights] for solution in solutions],
        "chosen": [solutions[solution] for solution in found.values()],
    }
    table, births, merges = _grown(levels, heights, meetings_at)
    return LevelTree(table, births, merges, len(regions), len(asked), proof)


def decided_in_tree(loss: Loss, a: Weights, b: Weights, u: fmpq) -> Argument | Undecided:
    """Show that a and b lie in one path component of {L <= u}, or in two, by the level tree.

    The proof is of existence: no path is written down. Undecided for losses that have no level
    tree, or one too big. Guarantees: none until the kernel has checked it.
    """
    if loss.ridge is not None:
        return Undecided("the loss has a ridge", "the level tree")
    try:
        size = size_of(loss.network, loss.data)
        if not size.fits:
            return Undecided("the level tree is too big", "the level tree", size.remedy)
        found = level_tree(loss.network, loss.data)
    except InputError as error:
        return Undecided(error.rule, "the level tree", error.remedy)
    return Argument(joined(a, b, u), "level_tree", found.proof)


def size_of(network: Network, data: Dataset) -> Size:
    """The work of ``level_tree``. Raises InputError for networks and data it is not for."""
    Loss(network, data)  # the shapes of network and data
    rho = network.activation.kind
    shallow = network.depth == 2 and network.m == 1 and network.is_dense
    if not shallow or rho not in ("relu", "leaky_relu", "abs", "linear"):
        raise InputError(
            "network",
            f"{rho} {'-'.join(map(str, network.widths))}",
            "level trees are for one dense hidden layer of relu, leaky_relu, abs or linear units "
            "and one output",
            "use widths n,p,1 and one of these activations",
        )
    if network.output == "activation" and rho != "linear":
        rule_broken = "level trees are for a linear output"
        raise InputError("output", network.output, rule_broken, "leave the output linear")
    return Size.of(network, data)


def fraction(value: fmpq) -> Fraction:
    """The same rational for the kernel's arithmetic."""
    return Fraction(int(value.p), int(value.q))


def _grown(
    levels: list[Fraction], heights: list[int], meetings: list[list[tuple[int, int]]]
) -> tuple[tuple[tuple[Fraction, int], ...], tuple[Birth, ...], tuple[Merge, ...]]:
    """Union-find over the levels in order: the table, the births and the merges."""
    up, names = [*range(len(heights))], dict[int, int]()
    born: list[list[int]] = [[] for _ in levels]
    for region, height in enumerate(heights):
        born[height].append(region)

    def root(region: int) -> int:
        while up[region] != region:
            up[region] = up[up[region]]
            region = up[region]
        return region

    table: list[tuple[Fraction, int]] = []
    births: list[Birth] = []
    merges: list[Merge] = []
    for i, level in enumerate(levels):
        absorbed: list[int] = []
        for pair in meetings[i]:
            a, b = sorted(map(root, pair), key=lambda r: (heights[r], r))
            if a != b:
                up[b] = a
                if b in names:
                    absorbed.append(b)
        for region in born[i]:
            if root(region) == region:
                names[region] = len(births)
                births.append(Birth(len(births), level))
        by_survivor: dict[int, list[int]] = {}
        for region in absorbed:
            by_survivor.setdefault(root(region), []).append(names.pop(region))
        for survivor, gone in sorted(by_survivor.items(), key=lambda item: names[item[0]]):
            merges.append(Merge(level, names[survivor], tuple(sorted(gone))))
        if not table or table[-1][1] != len(names):
            table.append((level, len(names)))
    return tuple(table), tuple(births), tuple(merges)


def _many(number: int) -> str:
    return f"{number:,}" if number < 10**12 else f"10^{len(str(number)) - 1}"


def _too_big(size: Size, reason: str) -> InputError:
    shape = f"p = {size.units}, {size.lines} directions of inputs"
    return InputError("network", shape, f"{reason}, too many to go through", size.remedy)

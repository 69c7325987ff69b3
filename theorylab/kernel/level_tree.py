"""Rule ``level_tree``: the components of every sublevel set of one layer of positively homogeneous
units, by closed cells, non-negative least squares and union-find (Lemmas 33, 34).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from math import comb, factorial, gcd
from operator import mul
from typing import Any

from theorylab.kernel import statements as read
from theorylab.kernel.arith import Matrix, require, spend
from theorylab.kernel.semantics import Data, Network, Theta, residual
from theorylab.kernel.statements import Fact, Statement

MAX_RANK = 6
Vector = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pieces:
    """What one unit can be: a closed cell c of its incoming weights and a sign of the outgoing one.

    ``generators`` are rows of integers, one entry per sample: rho on the rays of the arrangement
    x_j^T w = 0, these negated, +-1 for an output bias.  A mask is a set of them, as bits.  Piece 2c
    (sign +) or 2c + 1 (sign -) has the mask ``masks[...]``; ``cells`` are signs on the samples;
    ``faces`` lists pairs of pieces that meet, with the mask of what they share.
    """

    generators: tuple[Vector, ...]
    cells: list[Vector]
    masks: tuple[int, ...]
    faces: list[tuple[int, int, int]]
    constant: int


def _line(v: Vector) -> Vector:
    """The primitive integer vector on the same line, its first entry positive; () for 0."""
    t = gcd(*v) * (-1 if next((a for a in v if a), 0) < 0 else 1)
    return tuple(a // t for a in v) if t else ()


def _without(row: Vector, i: int) -> Vector:
    return row[:i] + row[i + 1 :]


def _normal(rows: Sequence[Vector]) -> Vector:
    """The minors of d - 1 rows of length d: orthogonal to them, and 0 if they are dependent."""
    minors = ([_without(r, i) for r in rows[1:]] for i in range(len(rows) + 1))
    signed = (((-1) ** i, _without(rows[0], i), minor) for i, minor in enumerate(minors))
    return tuple(s * sum(map(mul, r, _normal(m))) for s, r, m in signed) if rows else (1,)


def _agree(a: Sequence[int], b: Sequence[int]) -> bool:
    return all(p * q >= 0 for p, q in zip(a, b, strict=True))


def pieces(network: Network, data: Data) -> Pieces:
    """Lemma 33: the rays and closed cells of the arrangement, in the row space of the inputs."""
    rho = network.activation
    shallow = network.depth == 2 and network.widths[2] == 1 and network.pattern is None
    fits = rho.is_linear_on_each_side and (rho.is_linear or not network.output_activated)
    require(shallow and fits, "a level tree is of a dense layer of relu, leaky_relu, abs or linear"
            " units with one linear output")  # fmt: skip
    x, basis = data.x.with_ones() if network.bias[0] else data.x, list[Vector]()
    spend(16 * MAX_RANK * len(x.entries), x.bits)
    for row in x.rows:
        if Matrix((*basis, row)).rank() > len(basis):
            basis.append(row)
            require(len(basis) <= MAX_RANK, f"the inputs have a rank above {MAX_RANK}")
    d, space = len(basis), Matrix(tuple(basis))
    lines = [_line(column) for column in space.columns] or [()] * data.samples
    normals = sorted(set(lines) - {()})
    spend(comb(len(normals), d - 1) * 20 * d * factorial(d) if d else 0, d * space.bits)
    some = {_line(_normal(chosen)) for chosen in combinations(normals, d - 1)} if d else set()
    rays = [tuple(s * a for a in ray) for ray in sorted(some - {()}) for s in (1, -1)]
    count, z = len(rays), Matrix(tuple(rays)) @ space
    sides = [tuple((v > 0) - (v < 0) for v in row) for row in z.rows]
    found, new = set[Vector](), {tuple(int(not line) for line in lines)}
    while new:
        spend(len(new) * count * (8 + 2 * len(lines)))
        found |= {face for face in new if all(face)}
        joined = (zip(face, side, strict=True) for face in new - found for side in sides)
        new = {tuple(a or b for a, b in pairs) for pairs in joined} - new
    cells, features = sorted(found), rho.on(z).rows
    spend(len(cells) * (count + len(cells)) * (8 + 2 * len(lines)))
    alive = [(1 << i, s) for i, s in enumerate(sides) if any(features[i])]
    inside = [sum(bit for bit, side in alive if _agree(side, cell)) for cell in cells]
    faces = [(2 * c, 2 * c + 1, 0) for c in range(len(cells))]
    for c, e in combinations(range(len(cells)), 2):
        crossed = {v for v, a, b in zip(lines, cells[c], cells[e], strict=True) if a != b}
        common = inside[c] & inside[e]
        if len(crossed) == 1:
            faces += [(2 * c + s, 2 * e + s, common << s * count) for s in (0, 1)]
    ones = ((1,) * data.samples,) if network.bias[1] else ()
    negated = [tuple(tuple(-v for v in row) for row in rows) for rows in (features, ones)]
    masks = tuple(mask << s * count for mask in inside for s in (0, 1))
    constant = 3 << 2 * count if ones else 0
    return Pieces((*features, *negated[0], *ones, *negated[1]), cells, masks, faces, constant)


def keys(pieces: Pieces, units: int) -> tuple[list[int], list[int], list[int]]:
    """The masks of all regions; those of all but one unit; all that Lemma 34 asks for, sorted."""
    regions, others = [pieces.constant], list[int]()
    for _ in range(units):
        spend(100 * len(regions) * len(pieces.masks), len(pieces.generators))
        others, regions = regions, [m | mask for m in regions for mask in pieces.masks]
    facets, without = {mask for *_, mask in pieces.faces}, set(others)
    spend(100 * len(facets) * len(without), len(pieces.generators))
    return regions, others, sorted({*regions, *(m | f for m in without for f in facets)})


def _least_values(
    data: Data, generators: Sequence[Vector], asked: list[int], proof: Any
) -> dict[int, Fraction]:
    """The least loss on the cone of each mask, by the conditions of Karush, Kuhn and Tucker."""
    solutions, chosen = (read.items(v, "a list") for v in read.fields(proof, "solutions chosen"))
    require(len(chosen) == len(asked), f"{len(asked)} solutions are asked for")
    used = [read.integer(i, 0, len(solutions) - 1, "a solution") for i in chosen]
    unions, shared, values = [0] * len(solutions), [-1] * len(solutions), list[Fraction]()
    spend(4 * len(used), len(generators))
    for mask, i in zip(asked, used, strict=True):
        unions[i], shared[i] = unions[i] | mask, shared[i] & mask
    for solution, union, common in zip(solutions, unions, shared, strict=True):
        listed = [read.items(v, "an entry") for v in read.items(solution, "a solution")]
        require(all(len(v) == 2 for v in listed), "an entry is [generator, weight]")
        weights = {read.integer(g, 0, 10**9, "a generator"): read.rational(w) for g, w in listed}
        inside = len(weights) == len(listed) and all(common >> g & 1 for g in weights)
        require(common >= 0 and inside, "a solution is not used, or has a weight outside its cone")
        require(all(w > 0 for w in weights.values()), "a weight is not positive")
        spend(4 * union.bit_length(), union.bit_length())
        fit = Matrix(((0,) * data.samples,))
        if weights:
            fit = Matrix.of([[*weights.values()]]) @ Matrix(tuple(generators[g] for g in weights))
        rest, near = residual(fit, data.y), [g for g in range(union.bit_length()) if union >> g & 1]
        slopes = data.gram(rest, Matrix(tuple(generators[g] for g in near))).rows[0] if near else ()
        optimal = all(v == 0 if g in weights else v >= 0 for g, v in zip(near, slopes, strict=True))
        require(optimal, "a solution is not optimal on its cone")
        values.append(Fraction(*data.squared_norm(rest)))
    return {mask: values[i] for mask, i in zip(asked, used, strict=True)}


def events(
    pieces: Pieces, units: int, regions: list[int], others: list[int], least: dict[int, Fraction]
) -> tuple[list[Fraction], list[int], list[list[tuple[int, int]]]]:
    """All least values in order; the place among them of each region; the pairs that meet there."""
    levels, size = sorted(set(least.values())), len(pieces.masks)
    rank = {value: i for i, value in enumerate(levels)}
    meet: list[list[tuple[int, int]]] = [[] for _ in levels]
    spend(100 * (len(regions) + units * len(others) * len(pieces.faces)))
    for rest, mask in enumerate(others):
        for a, b, facet in pieces.faces:
            for below in (size**k for k in range(units)):
                base = rest // below * size * below + rest % below
                meet[rank[least[mask | facet]]].append((base + a * below, base + b * below))
    return levels, [rank[least[mask]] for mask in regions], meet


def _region(pieces: Pieces, network: Network, data: Data, point: Theta) -> int:
    """The number of one region that contains the point; any will do (Lemma 34)."""
    number, z = 0, network.preactivation(1, point[0], data.x).rows
    spend(4 * len(z) * len(pieces.cells) * data.samples, data.x.bits)
    for i, row in enumerate(z):
        cell = next(c for c, signs in enumerate(pieces.cells) if _agree(row, signs))
        number = number * len(pieces.masks) + 2 * cell + (point[1].rows[0][i] < 0)
    return number


def level_tree(statement: Statement, proof: Any) -> tuple[Fact, list[str]]:
    """Lemma 34: the levels at which components are born and meet, and what follows from them."""
    conclusion, network, data = statement.conclusion, statement.network, statement.data
    kind, points, values = conclusion.kind, conclusion.points, conclusion.values
    table_kinds = ("level_tree", "components", "global_min")
    known = kind in (*table_kinds, "joined", "separated", "trapped", "descends")
    require(known, "level_tree decides components, minima and traps")
    u: Any = statement.loss(points["A"]) if kind == "descends" else values.get("u")
    low = all(statement.loss(point) <= u for point in points.values())
    require(low, "a point lies above the level")
    parts, units = pieces(network, data), network.widths[1]
    regions, others, asked = keys(parts, units)
    least = _least_values(data, parts.generators, asked, proof)
    levels, height, meet = events(parts, units, regions, others, least)
    born, up, table, components = Counter(height), [*range(len(height))], [(Fraction(0), 0)], 0

    def root(region: int) -> int:
        while up[region] != region:
            up[region] = region = up[up[region]]
        return region

    for i, (value, pairs) in enumerate(zip(levels, meet, strict=True)):
        if u is not None and value > u:
            break
        components += born[i]
        for pair in pairs:
            a, b = sorted(map(root, pair), key=height.__getitem__)
            components, up[b] = components - (a != b), a
        table += [(value, components)] if components != table[-1][1] else []
    truth = {"levels": tuple(table[1:])} if kind == "level_tree" else {"v": levels[0]}
    fact = conclusion if values == truth else Fact(f"other_{kind}", {}, truth)
    if kind == "components":
        fact = read.counted(conclusion, components)
    elif kind not in table_kinds:
        places = [root(_region(parts, network, data, point)) for point in points.values()]
        lowest = levels[height[places[0]]]
        fact = replace(conclusion, kind="joined" if len({*places}) == 1 else "separated")
        if "v" in values:
            v = values["v"] if kind == "trapped" else lowest
            require(levels[0] < v <= lowest, "A's component is not shown to stay above a value")
            fact = Fact("trapped", points, {"u": u, "v": v})
    return fact, ["Lemma 33", "Lemma 34"]

"""Level trees the slow way: all pairs of regions, every support of every least-squares problem.

Regions by angle (inputs of rank at most 2), no shared problems, no neighbours: a check on the rule
``level_tree`` and on its builder.  Nothing of theorylab here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from itertools import combinations, product
from typing import Any

import literal
from kernel.segments import Json, Theta, has_linear_output, need, numbers, sample_weights

Vector = tuple[Fraction, ...]
Table = list[tuple[Fraction, int]]


class SlowTree:
    """All regions of weight space, and the least level at which two of them meet."""

    def __init__(self, network: Json, data: Json) -> None:
        need(len(network["widths"]) == 3 and network["widths"][2] == 1, "one hidden layer")
        named = network["activation"] in ("relu", "abs", "linear")
        need(named or "leaky_relu" in network["activation"], "activation")
        need(network["pattern"] is None and has_linear_output(network), "network")
        self.network, self.units = network, network["widths"][1]
        bias = [Fraction(1)] * network["bias"][0]
        self.raw = [[*map(Fraction, x), *bias] for x in data["x"]]
        self.y = [Fraction(row[0]) for row in data["y"]]
        self.s = sample_weights(data)
        self.inputs = _in_row_space(self.raw)
        rays = _rays(self.inputs)
        if not rays:
            cells: list[tuple[Vector, ...]] = [()]
        elif len(rays) == 2:
            cells = [(ray,) for ray in rays]
        else:
            cells = [(rays[i - 1], rays[i]) for i in range(len(rays))]
        self.pieces = [(sign, cell) for sign in (1, -1) for cell in cells]
        self.regions = list(product(self.pieces, repeat=self.units))

    def values(self) -> list[Fraction]:
        """The least loss on each region."""
        return [self._least(region) for region in self.regions]

    def meeting(self, i: int, j: int) -> Fraction:
        """The least loss where two regions meet."""
        shared = []
        for (sign, cell), (other, there) in zip(self.regions[i], self.regions[j], strict=True):
            shared.append((sign, tuple(r for r in cell if r in there) if sign == other else ()))
        return self._least(shared)

    def table(self, u: Fraction | None = None) -> tuple[Table, list[int], list[Fraction]]:
        """Levels up to u with their numbers of components; each region's component and value."""
        values, count = self.values(), len(self.regions)
        pairs = sorted((self.meeting(i, j), i, j) for i, j in combinations(range(count), 2))
        levels = sorted({*values, *(level for level, _, _ in pairs)})
        component = [*range(count)]
        found: Table = []
        merged = 0
        for level in levels:
            if u is not None and level > u:
                break
            while merged < len(pairs) and pairs[merged][0] == level:
                _, i, j = pairs[merged]
                old, new = component[i], component[j]
                component = [new if c == old else c for c in component] if old != new else component
                merged += 1
            alive = {c for c, value in zip(component, values, strict=True) if value <= level}
            if not found or found[-1][1] != len(alive):
                found.append((level, len(alive)))
        return found, component, values

    def region(self, theta: Theta) -> int:
        """A region that contains the point: one that agrees with the signs of its units."""
        return next(i for i, region in enumerate(self.regions) if self._holds(region, theta))

    def _holds(self, region: Any, theta: Theta) -> bool:
        for (sign, cell), w, u in zip(region, theta[0], theta[1][0], strict=False):
            inside = [sum(c) for c in zip(*cell, strict=True)]
            if sign * u < 0:
                return False
            for x, c in zip(self.raw, self.inputs, strict=True):
                if inside and _dot(w, x) * _dot(inside, c) < 0:
                    return False
        return True

    def _least(self, chosen: Sequence[Any]) -> Fraction:
        features = {
            tuple(sign * literal.activation(self.network["activation"], _dot(ray, x))
                  for x in self.inputs)
            for sign, cell in chosen for ray in cell
        }  # fmt: skip
        if self.network["bias"][1]:
            one = (Fraction(1),) * len(self.y)
            features |= {one, tuple(-v for v in one)}
        return self._nearest(tuple(sorted(f for f in features if any(f))))

    @cache  # noqa: B019
    def _nearest(self, features: tuple[Vector, ...]) -> Fraction:
        best = self._square([-v for v in self.y])
        for size in range(1, min(len(features), len(self.y)) + 1):
            for support in combinations(features, size):
                gram = [[self._product(f, g) for g in support] for f in support]
                weights = _solved(gram, [self._product(f, self.y) for f in support])
                if weights is not None and min(weights) >= 0:
                    fit = [sum(w * v for w, v in zip(weights, column, strict=True))
                           for column in zip(*support, strict=True)]  # fmt: skip
                    rest = [a - b for a, b in zip(fit, self.y, strict=True)]
                    best = min(best, self._square(rest))
        return best

    def _product(self, a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
        return sum((s * p * q for s, p, q in zip(self.s, a, b, strict=True)), Fraction(0))

    def _square(self, a: Sequence[Fraction]) -> Fraction:
        return self._product(a, a)


def _dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((p * q for p, q in zip(a, b, strict=True)), Fraction(0))


def _solved(rows: list[list[Fraction]], right: list[Fraction]) -> list[Fraction] | None:
    table = [[*row, v] for row, v in zip(rows, right, strict=True)]
    for c in range(len(table)):
        pivot = next((i for i in range(c, len(table)) if table[i][c]), None)
        if pivot is None:
            return None
        table[c], table[pivot] = table[pivot], table[c]
        table[c] = [v / table[c][c] for v in table[c]]
        for i in range(len(table)):
            if i != c:
                table[i] = [a - table[i][c] * b for a, b in zip(table[i], table[c], strict=True)]
    return [row[-1] for row in table]


def _in_row_space(inputs: list[list[Fraction]]) -> list[Vector]:
    """The inputs in coordinates of independent rows: at most two of them."""
    rows = [list(row) for row in zip(*inputs, strict=True)]
    first = next((row for row in rows if any(row)), None)
    if first is None:
        return [()] * len(inputs)
    pivot = next(i for i, v in enumerate(first) if v)
    others = [[a - row[pivot] / first[pivot] * b for a, b in zip(row, first, strict=True)]
              for row in rows]  # fmt: skip
    second = next((row for row in others if any(row)), None)
    if second is None:
        return [(v,) for v in first]
    at = next(i for i, v in enumerate(second) if v)
    for row in others:
        rest = [a - row[at] / second[at] * b for a, b in zip(row, second, strict=True)]
        need(not any(rest), "the slow tree is for rank two")
    return list(zip(first, second, strict=True))


def _rays(inputs: list[Vector]) -> list[Vector]:
    """The primitive vectors orthogonal to some input, in the order of their angles."""
    if len(inputs[0]) == 0:
        return []
    if len(inputs[0]) == 1:
        return [(Fraction(1),), (Fraction(-1),)]
    found = {}
    for a, b in inputs:
        if a or b:
            for v in ((-b, a), (b, -a)):
                scale = abs(v[0]) or abs(v[1])
                found[v[0] / scale, v[1] / scale] = None
    return sorted(found, key=lambda v: math.atan2(v[1], v[0]))


def shown_tree(network: Json, data: Json, conclusion: Json, proof: Json) -> dict[str, Any]:
    """What is true instead of, or as, the conclusion; the evidence must be of positive weights."""
    for solution in proof["solutions"]:
        need(all(Fraction(w) > 0 for _, w in solution), "a weight is not positive")
    need(set(proof["chosen"]) == set(range(len(proof["solutions"]))), "an idle solution")
    tree, kind = SlowTree(network, data), conclusion["kind"]
    fact = {k: Fraction(v) for k, v in conclusion.items() if k in ("u", "v", "eps")}
    points = {k: numbers(conclusion[k]) for k in "AB" if k in conclusion}
    if kind == "descends":
        fact["u"] = literal.loss(network, data, points["A"])
    table, component, values = tree.table(fact.get("u"))
    if kind == "level_tree":
        stated = [(Fraction(level), n) for level, n in conclusion["levels"]]
        return {"kind": kind if stated == table else "other level_tree"}
    if kind == "components":
        exact, most = (table[-1][1] if table else 0), conclusion["at_most"]
        inside = conclusion["at_least"] <= exact and (most is None or exact <= most)
        return {"kind": kind if inside else "other components"}
    if kind == "global_min":
        return {"kind": kind if fact["v"] == min(values) else "other global_min"}
    need(all(literal.loss(network, data, p) <= fact["u"] for p in points.values()), "too high")
    places = [component[tree.region(p)] for p in points.values()]
    if kind in ("joined", "separated"):
        return {"kind": "joined" if places[0] == places[1] else "separated"}
    need(kind in ("trapped", "descends"), "unknown conclusion")
    lowest = min(v for v, c in zip(values, component, strict=True) if c == places[0])
    v = fact["v"] if kind == "trapped" else lowest
    need(min(values) < v <= lowest, "the component reaches lower")
    return {"kind": "trapped", "v": v}

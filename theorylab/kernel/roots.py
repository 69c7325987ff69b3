"""Rule ``root``: boxes that hold exactly one root each, and a bound on how many there are at all.

The system is derived here from network and data by the literal definition, then expanded; boxes are
rectangles in C^n with dyadic corners, evaluated with outward rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import gcd, prod
from typing import Any

from theorylab.kernel import statements as read
from theorylab.kernel.arith import Matrix, Poly, require, spend
from theorylab.kernel.semantics import loss_fraction, residual
from theorylab.kernel.statements import Fact, RootSystem, Statement

MAX_UNKNOWNS = 32


@dataclass(frozen=True, slots=True)
class Box:
    """re in [a, b] and im in [c, d], integers over 2^scale; results are rounded outwards."""

    a: int
    b: int
    c: int
    d: int
    scale: int

    def __add__(self, other: Box) -> Box:
        corners = (self.a + other.a, self.b + other.b, self.c + other.c, self.d + other.d)
        return Box(*corners, self.scale)

    def __neg__(self) -> Box:
        return Box(-self.b, -self.a, -self.d, -self.c, self.scale)

    def __mul__(self, other: Box) -> Box:
        spend(40, *(2 * (self.scale + self.bits), self.scale + other.bits))
        ac, bd = (
            _product(self.a, self.b, other.a, other.b),
            _product(self.c, self.d, other.c, other.d),
        )
        ad, bc = (
            _product(self.a, self.b, other.c, other.d),
            _product(self.c, self.d, other.a, other.b),
        )
        wide = (ac[0] - bd[1], ac[1] - bd[0], ad[0] + bc[0], ad[1] + bc[1])
        return Box(*wide, self.scale).divided(1 << self.scale)

    def times(self, factor: int) -> Box:
        ends = (self.a * factor, self.b * factor, self.c * factor, self.d * factor)
        (a, b), (c, d) = sorted(ends[:2]), sorted(ends[2:])
        return Box(a, b, c, d, self.scale)

    def divided(self, by: int) -> Box:
        """Divided by a positive integer, rounded outwards."""
        return Box(self.a // by, -(-self.b // by), self.c // by, -(-self.d // by), self.scale)

    @property
    def bits(self) -> int:
        return max(map(int.bit_length, (self.a, self.b, self.c, self.d)))

    def inside(self, radius: int) -> bool:
        """Strictly inside the square of this radius about 0."""
        return -radius < min(self.a, self.c) and max(self.b, self.d) < radius


def _product(a: int, b: int, c: int, d: int) -> tuple[int, int]:
    corners = (a * c, a * d, b * c, b * d)
    return min(corners), max(corners)


def equations(statement: Statement, system: RootSystem) -> list[Poly]:
    """The polynomials of the system in its unknowns, expanded from the literal definition."""
    network, data = statement.network, statement.data
    require(network.activation.coefficients is not None, "roots need a polynomial activation")
    spend(1_000 * sum(prod(network.shape(k)) for k in range(1, network.depth + 1)))
    places = network.parameters()
    count = 1 + max(
        (i for layer in places for row in layer for i in row if type(i) is int), default=-1
    )
    fixed = dict(system.fixed)
    unknowns = [i for i in range(count) if i not in fixed]
    require(0 < len(unknowns) <= MAX_UNKNOWNS, f"between 1 and {MAX_UNKNOWNS} unknowns")
    require(all(i < count for i in fixed), "a fixed parameter does not exist")
    zero = Poly({}, len(unknowns))
    values = [zero + fixed[i] if i in fixed else zero for i in range(count)]
    for place, i in enumerate(unknowns):
        values[i] = Poly.variable(place, len(unknowns))
    point = tuple(
        Matrix(
            tuple(tuple(values[i] if type(i) is int else zero + i for i in row) for row in layer)
        )
        for layer in places
    )
    if system.kind == "interpolation":
        require(system.ridge is None, "interpolation has no ridge")
        output = network.output(point, network.features(point, data.x)[-1])
        r = residual(output, data.y)
        found = [(zero + v) * Fraction(1, r.den) for column in r.columns for v in column]
    else:
        numerator, denominator = loss_fraction(network, point, data)
        energy = (zero + numerator) * Fraction(1, denominator)
        require(system.ridge is None or len(system.ridge) == count, "one ridge per parameter")
        for value, weight in zip(values, system.ridge or (), strict=system.ridge is not None):
            energy = energy + value * value * weight
        found = [energy.derivative(place) for place in range(len(unknowns))]
    require(len(found) == len(unknowns), "as many equations as unknowns are needed")
    return found


def _at(p: Poly, powers: list[list[Box]], one: Box) -> Box:
    """An enclosure of p at the boxes whose powers are given."""
    total = one.times(0)
    for key, coefficient in p.terms.items():
        value = one
        for place, exponent in enumerate(key):
            if exponent:
                value = value * powers[place][exponent]
        spend(4, coefficient.bit_length(), value.bits)
        total = total + value.times(coefficient)
    return total.divided(p.den)


def _powers(boxes: list[Box], degree: int, one: Box) -> list[list[Box]]:
    table = []
    for box in boxes:
        row = [one]
        for _ in range(degree):
            row.append(row[-1] * box)
        table.append(row)
    return table


def _numbers(value: Any, count: int, shift: int, scale: int) -> list[Box]:
    listed = read.items(value, "numbers")
    require(len(listed) == count, "as many complex numbers as unknowns are needed")
    found = []
    for pair in listed:
        require(type(pair) is list and len(pair) == 2, "a complex number is [re, im]")
        re, im = (read.rational(v) for v in pair)
        require(re.denominator == 1 == im.denominator, "coordinates are integers over 2^precision")
        a, c = re.numerator << shift, im.numerator << shift
        found.append(Box(a, a, c, c, scale))
    return found


def _certified(proof: Any, system: list[Poly], precision: int) -> tuple[list[Box], bool]:
    """The box of one root after the Krawczyk test (Lemma 18), and whether the root is real."""
    count, shift = len(system), 64
    scale = precision + shift
    center_json, radius_text, inverse_json, real = read.fields(proof, "center radius inverse real")
    radius = read.rational(radius_text)
    require(radius > 0 and radius.denominator == 1, "a radius is a positive integer")
    r, one = radius.numerator << shift, Box(1 << scale, 1 << scale, 0, 0, scale)
    center = _numbers(center_json, count, shift, scale)
    rows = read.items(inverse_json, "inverse")
    require(len(rows) == count, "the inverse is square")
    inverse = [_numbers(row, count, shift, scale) for row in rows]
    boxes = [Box(z.a - r, z.b + r, z.c - r, z.d + r, scale) for z in center]
    degree = max((max(key, default=0) for p in system for key in p.terms), default=0)
    at_center, in_box = _powers(center, degree, one), _powers(boxes, degree, one)
    values = [_at(p, at_center, one) for p in system]
    jacobian = [[_at(p.derivative(m), in_box, one) for m in range(count)] for p in system]
    delta = Box(-r, r, -r, r, scale)
    for i, row in enumerate(inverse):
        image = -_dot(row, values)
        for m in range(count):
            entry = -_dot(row, [line[m] for line in jacobian])
            image = image + (entry + one if m == i else entry) * delta
        require(image.inside(r), "the Krawczyk image is not inside its box")
    flat = [*center, *(z for row in inverse for z in row)]
    isreal = read.flag(real, "real")
    require(not isreal or not any(z.c for z in flat), "a real root has a real centre and inverse")
    return boxes, isreal


def _dot(row: list[Box], column: list[Box]) -> Box:
    total = row[0] * column[0]
    for a, b in zip(row[1:], column[1:], strict=True):
        total = total + a * b
    return total


def _apart(one: list[Box], other: list[Box]) -> bool:
    return any(
        x.b < y.a or y.b < x.a or x.d < y.c or y.d < x.c for x, y in zip(one, other, strict=True)
    )


def _primitive(p: Poly) -> Poly:
    """The multiple of a non-zero polynomial whose integer coefficients have no common factor."""
    spend(len(p.terms), p.bits, p.bits)
    common = gcd(*p.terms.values())
    return Poly({key: c // common for key, c in p.terms.items()}, p.count)


def _degrevlex(key: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    return sum(key), tuple(-exponent for exponent in reversed(key))


def _staircase(steps: Any, system: list[Poly]) -> int:
    """A bound on the dimension of Q[x]/(system), so on all solutions in C^n (Lemma 25)."""
    count = len(system)
    members = [_primitive(p) for p in system]
    for step in read.items(steps, "steps"):
        total = Poly({}, count)
        for pair in read.items(step, "a step"):
            require(type(pair) is list and len(pair) == 2, "a summand is [member, cofactor]")
            member = members[read.integer(pair[0], 0, len(members) - 1, "a member")]
            total = total + member * read.multivariate(pair[1], count)
        require(bool(total.terms), "a step gives zero")
        members.append(_primitive(total))
    spend(sum(len(p.terms) for p in members) * count * 4)
    leading = {max(p.terms, key=_degrevlex) for p in members}
    powers = {place for key in leading for place in range(count) if key[place] == sum(key)}
    require(len(powers) == count, "no leading monomial is a pure power of some unknown")
    # Standard monomials, degree by degree: each divisor of one is one.
    found, layer = 0, {(0,) * count}
    while layer:
        spend(len(layer) * (len(leading) + count + 1) * (32 + 4 * count))
        kept = [m for m in layer if not any(_divides(key, m) for key in leading)]
        found += len(kept)
        layer = {(*m[:j], m[j] + 1, *m[j + 1 :]) for m in kept for j in range(count)}
    return found


def _divides(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True))


def _upper_bound(proof: Any, system: list[Poly]) -> int:
    """A bound on the isolated solutions in C^n, multiplicities counted (Lemmas 19, 25)."""
    require(type(proof) is dict and "by" in proof, "an upper bound says by which theorem")
    require(all(p.terms for p in system), "an equation is identically zero")
    count = len(system)
    if proof["by"] == "staircase":
        _, steps = read.fields(proof, "by steps")
        return _staircase(steps, system)
    if proof["by"] == "bezout":
        read.fields(proof, "by")
        groups = [list(range(count))]
    else:
        _, listed = read.fields(proof, "by groups")
        known = "upper is by bezout, multihomogeneous or staircase"
        require(proof["by"] == "multihomogeneous", known)
        groups = [
            [read.integer(v, 0, count - 1, "an unknown") for v in read.items(group, "a group")]
            for group in read.items(listed, "groups")
        ]
        members = sorted(v for group in groups for v in group)
        require(members == list(range(count)) and all(groups), "groups must partition the unknowns")
    degrees = [
        [max(sum(key[v] for v in group) for key in p.terms) for group in groups] for p in system
    ]
    spend(count * prod(len(group) + 1 for group in groups) * len(groups) * 4)
    # coefficient of prod_j a_j^|group j| in prod_i sum_j d_ij a_j
    table = {(0,) * len(groups): 1}
    for row in degrees:
        following: dict[tuple[int, ...], int] = {}
        for key, value in table.items():
            for j, degree in enumerate(row):
                if degree and key[j] < len(groups[j]):
                    raised = (*key[:j], key[j] + 1, *key[j + 1 :])
                    following[raised] = following.get(raised, 0) + value * degree
        table = following
    return table.get(tuple(map(len, groups)), 0)


def roots(statement: Statement, proof: Any) -> tuple[Fact, list[str]]:
    """Lemmas 18, 19, 25: so many distinct non-singular roots, and at most so many isolated ones."""
    conclusion = statement.conclusion
    require(conclusion.kind == "roots", "root counts roots")
    precision_json, listed, upper = read.fields(proof, "precision roots", "upper")
    precision = read.integer(precision_json, 0, 512, "precision")
    system = equations(statement, conclusion.values["system"])
    found = [_certified(entry, system, precision) for entry in read.items(listed, "roots")]
    spend(len(found) ** 2 * len(system))
    distinct = all(_apart(x, y) for (x, _), (y, _) in combinations(found, 2))
    require(distinct, "two boxes are not disjoint")
    at_least, at_most = conclusion.values["at_least"], conclusion.values["at_most"]
    if at_most is not None and len(found) > at_most:
        return Fact("more_roots", {}, conclusion.values), ["Lemma 18"]
    if upper is None and at_most is None:
        bound, cited = None, ["Lemma 18"]
    else:
        bound = _upper_bound(upper, system)
        cited = ["Lemma 18", "Lemma 25" if upper["by"] == "staircase" else "Lemma 19"]
        if bound < at_least:
            return Fact("fewer_roots", {}, conclusion.values), cited[1:]
    require(len(found) >= at_least, "fewer roots than stated")
    real = sum(isreal for _, isreal in found)
    require(real >= conclusion.values["real_at_least"], "fewer real roots than stated")
    require(at_most is not None or bound is None, "no upper bound is stated")
    shown = at_most is None or (bound is not None and bound <= at_most)
    require(shown, "the upper bound is not shown")
    return conclusion, cited

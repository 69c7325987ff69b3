"""Roots of one unknown, counted by sympy in exact rectangles: a check on the rule ``root``."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

from kernel.segments import LINE, SYMBOL, Json, T, forward, loss_over, need, polynomial_rho
from sympy import QQ, I, Poly, Rational


def shown_roots(network: Json, data: Json, conclusion: Json, proof: Json) -> Json:
    """The conclusion, if the boxes hold one root each and no more are possible than stated."""
    p = _equation(network, data, conclusion["system"])
    boxes = [_box(entry, proof["precision"]) for entry in proof["roots"]]
    need(all(_apart(a, b) for a, b in combinations(boxes, 2)), "two boxes meet")
    real = 0
    for entry, (low, high) in zip(proof["roots"], boxes, strict=True):
        need(p.count_roots(low, high) == 1, "a box does not hold one root")
        if entry["real"]:
            need(p.count_roots(low.as_real_imag()[0], high.as_real_imag()[0]) == 1, "not real")
            real += 1
    most = conclusion["at_most"]
    if most is not None and len(boxes) > most:
        return {**conclusion, "kind": "more_roots"}
    need(len(boxes) >= conclusion["at_least"] and real >= conclusion["real_at_least"], "too few")
    need((most is None) == ("upper" not in proof), "a bound that is not stated")
    need(most is None or p.degree() <= most, "the upper bound")
    return conclusion


def _equation(network: Json, data: Json, system: Json) -> Poly:
    """The only equation of the only unknown."""
    fixed = {i: Fraction(v) for i, v in system["fixed"]}
    numbers: dict[object, int] = {}
    theta = []
    widths = network["widths"]
    for k, bias in enumerate(network["bias"]):
        entries = network["pattern"][k] if network["pattern"] else None
        layer = []
        for i in range(widths[k + 1]):
            row = []
            for j in range(widths[k] + int(bias)):
                entry = entries[i][j] if entries else None
                if isinstance(entry, str):
                    row.append(_constant(Fraction(entry)))
                    continue
                place = numbers.setdefault((k, i, j) if entry is None else entry, len(numbers))
                row.append(_constant(fixed[place]) if place in fixed else T)
            layer.append(row)
        theta.append(layer)
    need(set(fixed) < set(range(len(numbers))), "a fixed parameter does not exist")
    need(len(numbers) - len(fixed) == 1, "one unknown")
    rho = polynomial_rho(network, LINE.one)
    if system["kind"] == "interpolation":
        need(system["ridge"] is None and len(data["x"]) == widths[-1] == 1, "one equation")
        x = [_constant(Fraction(v)) for v in data["x"][0]]
        found = forward(network, x, theta, LINE.one, rho)[1][0]
        found = found - _constant(Fraction(data["y"][0][0]))
    else:
        energy = loss_over(network, data, theta, LINE.one, rho)
        need(system["ridge"] is None or len(system["ridge"]) == len(numbers), "ridge")
        for place, weight in enumerate(system["ridge"] or []):
            value = _constant(fixed[place]) if place in fixed else T
            energy = energy + value**2 * _constant(Fraction(weight))
        found = energy.diff(T)
    need(found, "the equation is zero")
    return Poly.from_dict(dict(found), SYMBOL, domain=QQ)


def _constant(q: Fraction) -> Json:
    return LINE.one * QQ(q.numerator, q.denominator)


def _box(entry: Json, precision: int) -> tuple[Json, Json]:
    need(len(entry["center"]) == 1, "one unknown")
    re, im = (Rational(int(v), 2**precision) for v in entry["center"][0])
    radius = Rational(int(entry["radius"]), 2**precision)
    need(radius > 0, "radius")
    return re - radius + (im - radius) * I, re + radius + (im + radius) * I


def _apart(one: tuple[Json, Json], other: tuple[Json, Json]) -> bool:
    a, b, c, d = (end.as_real_imag() for end in (*one, *other))
    return any(b[i] < c[i] or d[i] < a[i] for i in (0, 1))

"""Roots counted by sympy: of one unknown in exact rectangles, of more by a Groebner basis alone.

A check on the rule ``root``.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import prod
from operator import le

from kernel.segments import Json, forward, loss_over, need, numbered, polynomial_rho
from sympy import QQ, I, Poly, Rational, grevlex, groebner, ring, symbols


def shown_roots(network: Json, data: Json, conclusion: Json, proof: Json) -> Json:
    """The conclusion, if the boxes hold one root each and no more are possible than stated."""
    equations = _equations(network, data, conclusion["system"])
    most, least = conclusion["at_most"], conclusion["at_least"]
    bound = _degree(equations)
    if "upper" in proof and bound < least:
        return {**conclusion, "kind": "fewer_roots"}
    if len(equations) > 1:
        need(least == 0 == conclusion["real_at_least"] and not proof["roots"], "no boxes")
        need(most is not None and bound <= most, "the upper bound")
        return conclusion
    (p,) = equations
    boxes = [_box(entry, proof["precision"]) for entry in proof["roots"]]
    need(all(_apart(a, b) for a, b in combinations(boxes, 2)), "two boxes meet")
    real = 0
    for entry, (low, high) in zip(proof["roots"], boxes, strict=True):
        need(p.count_roots(low, high) == 1, "a box does not hold one root")
        if entry["real"]:
            need(p.count_roots(low.as_real_imag()[0], high.as_real_imag()[0]) == 1, "not real")
            real += 1
    if most is not None and len(boxes) > most:
        return {**conclusion, "kind": "more_roots"}
    need(len(boxes) >= conclusion["at_least"] and real >= conclusion["real_at_least"], "too few")
    need((most is None) == ("upper" not in proof), "a bound that is not stated")
    need(most is None or bound <= most, "the upper bound")
    return conclusion


def _degree(equations: list[Poly]) -> int:
    """How many zeros there are, with multiplicity; where they are not finitely many, Bezout."""
    basis = groebner(equations, *equations[0].gens, order="grevlex", domain=QQ)
    if not basis.is_zero_dimensional:
        return prod(p.total_degree() for p in equations)
    corners = [p.monoms(order=grevlex)[0] for p in basis.polys]
    found, layer = 0, {(0,) * len(equations)}
    while layer:
        kept = [m for m in layer if not any(all(map(le, c, m)) for c in corners)]
        found += len(kept)
        layer = {(*m[:j], m[j] + 1, *m[j + 1 :]) for m in kept for j in range(len(m))}
    return found


def _equations(network: Json, data: Json, system: Json) -> list[Poly]:
    """As many equations as unknowns."""
    fixed = {i: Fraction(v) for i, v in system["fixed"]}
    places, count = numbered(network)
    need(set(fixed) < set(range(count)), "a fixed parameter does not exist")
    unknown = [place for place in range(count) if place not in fixed]
    space, *gens = ring([f"z{place}" for place in unknown], QQ)

    def constant(q: Fraction) -> Json:
        return space.one * QQ(q.numerator, q.denominator)

    values = [constant(fixed[i]) if i in fixed else gens[unknown.index(i)] for i in range(count)]
    theta = [
        [[values[v] if isinstance(v, int) else constant(v) for v in row] for row in layer]
        for layer in places
    ]
    rho = polynomial_rho(network, space.one)
    if system["kind"] == "interpolation":
        need(system["ridge"] is None, "interpolation has no ridge")
        found = []
        for inputs, targets in zip(data["x"], data["y"], strict=True):
            x = [constant(Fraction(v)) for v in inputs]
            outputs = forward(network, x, theta, space.one, rho)[1]
            found += [f - constant(Fraction(y)) for f, y in zip(outputs, targets, strict=True)]
    else:
        energy = loss_over(network, data, theta, space.one, rho)
        need(system["ridge"] is None or len(system["ridge"]) == count, "ridge")
        for value, weight in zip(values, system["ridge"] or [0] * len(values), strict=True):
            energy = energy + value**2 * constant(Fraction(weight))
        found = [energy.diff(z) for z in gens]
    need(len(found) == len(unknown) and all(found), "as many equations as unknowns, none zero")
    names = symbols([f"z{place}" for place in unknown])
    return [Poly.from_dict(dict(p), *names, domain=QQ) for p in found]


def _box(entry: Json, precision: int) -> tuple[Json, Json]:
    need(len(entry["center"]) == 1, "one unknown")
    re, im = (Rational(int(v), 2**precision) for v in entry["center"][0])
    radius = Rational(int(entry["radius"]), 2**precision)
    need(radius > 0, "radius")
    return re - radius + (im - radius) * I, re + radius + (im + radius) * I


def _apart(one: tuple[Json, Json], other: tuple[Json, Json]) -> bool:
    a, b, c, d = (end.as_real_imag() for end in (*one, *other))
    return any(b[i] < c[i] or d[i] < a[i] for i in (0, 1))

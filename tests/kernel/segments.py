"""The true loss along a straight segment or a rational piece, exactly and without convexity.

On a straight segment on which one layer moves the loss is a polynomial in t (polynomial
activations) or a polynomial on each of finitely many intervals (relu, leaky_relu, abs, step): the
intervals are found by splitting wherever a pre-activation has a root.  Nothing of theorylab here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from math import comb
from typing import Any

import literal
from sympy import QQ, Poly, Rational, Symbol
from sympy.polys.fields import field
from sympy.polys.rings import ring

Json = Any
Theta = list[list[list[Fraction]]]

POWERS = {"linear": [0, 1], "square": [0, 0, 1], "cube": [0, 0, 0, 1]}
LINE, T = ring("t", QQ)
FIELD, FT = field("t", QQ)
SYMBOL = Symbol("t")


class NotShown(Exception):
    """The certificate does not show its statement; the message says where."""


def need(condition: Any, reason: str) -> None:
    if not condition:
        raise NotShown(reason)


def numbers(point: Json) -> Theta:
    return [[[Fraction(v) for v in row] for row in layer] for layer in point]


def coefficients(network: Json) -> list[Fraction] | None:
    """a_0, a_1, ... of a polynomial activation, else None."""
    form = network["activation"]
    if isinstance(form, dict):
        return [Fraction(a) for a in form["polynomial"]] if "polynomial" in form else None
    return [Fraction(a) for a in POWERS[form]] if form in POWERS else None


def is_linear(network: Json) -> bool:
    return coefficients(network) == [Fraction(0), Fraction(1)]


def has_linear_output(network: Json) -> bool:
    return bool(network["output"] == "linear" or is_linear(network))


def sample_weights(data: Json) -> list[Fraction]:
    return [Fraction(w) for w in data["weights"] or [1] * len(data["x"])]


def forward(
    network: Json,
    x: Sequence[Any],
    theta: list[list[list[Any]]],
    one: Any,
    rho: Callable[[Any], Any],
) -> tuple[list[list[Any]], list[Any]]:
    """Pre-activations of every layer, and the output, over any ring with unit ``one``."""
    depth = len(network["widths"]) - 1
    values, before = list(x), []
    for k in range(depth):
        incoming = [*values, one] if network["bias"][k] else values
        z = []
        for row in theta[k]:
            need(len(row) == len(incoming), "a row has the wrong length")
            total = one * 0
            for weight, value in zip(row, incoming, strict=True):
                total = total + weight * value
            z.append(total)
        before.append(z)
        hidden = k < depth - 1 or network["output"] == "activation"
        values = [rho(v) for v in z] if hidden else z
    return before, values


def loss_over(
    network: Json,
    data: Json,
    theta: list[list[list[Any]]],
    one: Any,
    rho: Callable[[Any], Any],
) -> Any:
    """sum_j s_j |Phi(x_j) - y_j|^2 over any ring, plus the ridge in ``data`` if there is one."""
    total = one * 0
    for x, y, s in zip(data["x"], data["y"], sample_weights(data), strict=True):
        row = [one * _exact(v) for v in x]
        for value, target in zip(forward(network, row, theta, one, rho)[1], y, strict=True):
            error = value - one * _exact(target)
            total = total + error * error * _exact(s)
    entries = [value for layer in theta for row in layer for value in row]
    for rate, value in zip(data.get("ridge", [0] * len(entries)), entries, strict=True):
        total = total + value * value * _exact(rate)
    return total


def _exact(v: Any) -> Any:
    f = Fraction(v)
    return QQ(f.numerator, f.denominator)


def numbered(network: Json) -> tuple[list[list[list[Any]]], int]:
    """Per layer the number of each parameter by first appearance (a shared slot has one), or the
    value of a frozen entry; and how many parameters there are."""
    numbers: dict[object, int] = {}
    layers: list[list[list[Any]]] = []
    widths = network["widths"]
    for k, bias in enumerate(network["bias"]):
        entries = network["pattern"][k] if network["pattern"] else None
        layers.append([])
        for i in range(widths[k + 1]):
            row: list[Any] = []
            for j in range(widths[k] + int(bias)):
                entry = entries[i][j] if entries else None
                key = (k, i, j) if entry is None else entry
                frozen = isinstance(entry, str)
                row.append(Fraction(entry) if frozen else numbers.setdefault(key, len(numbers)))
            layers[-1].append(row)
    return layers, len(numbers)


def polynomial_rho(network: Json, one: Any) -> Callable[[Any], Any]:
    listed = coefficients(network)
    if listed is None:
        raise NotShown("the activation is not a polynomial")

    def rho(z: Any) -> Any:
        total = one * 0
        for a in reversed(listed):
            total = total * z + one * _exact(a)
        return total

    return rho


class _Split(Exception):
    def __init__(self, at: Fraction) -> None:
        self.at = at


def _signed_rho(network: Json, a: Fraction, b: Fraction) -> Callable[[Any], Any]:
    form = network["activation"]
    slope = Fraction(form["leaky_relu"]) if isinstance(form, dict) else Fraction(0)

    def rho(z: Any) -> Any:
        c0, c1 = (Fraction(int(c.numerator), int(c.denominator)) for c in _pair(z))
        if c1 != 0 and a < -c0 / c1 < b:
            raise _Split(-c0 / c1)
        here = c0 + c1 * (a + b) / 2
        if form == "step":
            return LINE.one * int(here > 0)
        return z if here > 0 else z * {"relu": 0, "abs": -1}.get(str(form), _exact(slope))

    return rho


def _pair(z: Any) -> tuple[Any, Any]:
    need(z.degree() <= 1, "a pre-activation is not affine on the segment")
    return z.coeff(1), z.coeff(T)


Pieces = list[tuple[Fraction, Fraction, Any]]


def straight(network: Json, data: Json, start: Theta, end: Theta) -> Pieces:
    """(a, b, L) with L a polynomial on the open interval (a, b); the intervals tile [0, 1]."""
    moving = [
        [
            [LINE.one * _exact(v) + T * _exact(w - v) for v, w in zip(r, q, strict=True)]
            for r, q in zip(layer, other, strict=True)
        ]
        for layer, other in zip(start, end, strict=True)
    ]
    todo, done = [(Fraction(0), Fraction(1))], []
    while todo:
        a, b = todo.pop()
        known = coefficients(network) is not None
        rho = polynomial_rho(network, LINE.one) if known else _signed_rho(network, a, b)
        try:
            done.append((a, b, loss_over(network, data, moving, LINE.one, rho)))
        except _Split as split:
            todo += [(a, split.at), (split.at, b)]
    return sorted(done, key=lambda piece: piece[0])


def at(p: Any, t: Fraction) -> Fraction:
    total = Fraction(0)
    for (power,), c in p.terms():
        total += Fraction(int(c.numerator), int(c.denominator)) * t**power
    return total


def not_negative(p: Any, a: Fraction, b: Fraction) -> bool:
    """Whether p >= 0 on [a, b]: no root of odd multiplicity inside, and positive somewhere."""
    if not p:
        return True
    poly = Poly.from_dict(dict(p), SYMBOL, domain=QQ)
    low, high = Rational(a.numerator, a.denominator), Rational(b.numerator, b.denominator)
    for factor, multiplicity in poly.sqf_list()[1]:
        if multiplicity % 2:
            roots = factor.count_roots(low, high)
            if roots - sum(factor.eval(end) == 0 for end in (low, high)) > 0:
                return False
    degree = poly.degree()
    inside = (at(p, a + (b - a) * Fraction(j, degree + 2)) for j in range(1, degree + 2))
    return next(v for v in inside if v != 0) > 0


def has_root(p: Any) -> bool:
    """Whether a non-zero p has a root in [0, 1]."""
    if not p:
        return True
    return bool(Poly.from_dict(dict(p), SYMBOL, domain=QQ).count_roots(0, 1))


def check_straight(
    network: Json, data: Json, start: Theta, end: Theta, level: Fraction | None
) -> Pieces:
    """L <= level all along the segment, or L never increases if level is None."""
    pieces = straight(network, data, start, end)

    def truth(t: Fraction) -> Fraction:
        point = [
            [
                [v + t * (w - v) for v, w in zip(r, q, strict=True)]
                for r, q in zip(x, y, strict=True)
            ]
            for x, y in zip(start, end, strict=True)
        ]
        return literal.loss(network, data, point)

    for a, b, p in pieces:
        need(truth((a + b) / 2) == at(p, (a + b) / 2), "two definitions of the loss disagree")
        if level is None:
            need(not_negative(-p.diff(T), a, b), "the loss rises inside a segment")
            need(truth(a) >= at(p, a) and at(p, b) >= truth(b), "the loss jumps up")
        else:
            need(not_negative(_exact(level) - p, a, b), "the loss exceeds the level")
            need(max(truth(a), truth(b)) <= level, "the loss exceeds the level")
    return pieces


def univariate(listed: Json) -> Any:
    need(not listed or Fraction(listed[-1]) != 0, "a polynomial ends with a zero")
    return sum((T**i * _exact(c) for i, c in enumerate(listed)), LINE.zero)


def bernstein_shows(p: Any, leaves: Json, *, strict: bool) -> bool:
    """Whether the leaves tile [0, 1] and every Bernstein coefficient has the wanted sign."""
    if not p:
        return not strict
    ends = [(Fraction(i, 2**level), Fraction(i + 1, 2**level)) for level, i in leaves]
    tiled = ends and ends[0][0] == 0 and ends[-1][1] == 1
    if not tiled or any(v[1] != w[0] for v, w in pairwise(ends)):
        return False
    degree = p.degree()
    for a, b in ends:
        local = p.compose(T, T * _exact(b - a) + _exact(a))
        for i in range(degree + 1):
            value = Fraction(0)
            for k in range(i + 1):
                c = local.coeff(T**k) if k else local.coeff(1)
                ratio = Fraction(comb(i, k), comb(degree, k))
                value += Fraction(int(c.numerator), int(c.denominator)) * ratio
            if value < 0 or (strict and value == 0):
                return False
    return True


def check_piece(
    network: Json, data: Json, start: Theta, step: Json, level: Fraction | None
) -> Theta:
    """Follow a rational piece, its loss recomputed in Q(t); the end point."""
    need(network["pattern"] is None, "a piece needs a dense network")
    need(len(step["piece"]) == len(step["denominators"]) > 0, "one leaf list per layer")
    theta: list[Any] = [[[FIELD(_exact(v)) for v in r] for r in layer] for layer in start]
    ends = [list(layer) for layer in start]
    seen = set()
    for entry, leaves in zip(step["piece"], step["denominators"], strict=True):
        k, den = entry["layer"] - 1, univariate(entry["denominator"])
        need(0 <= k < len(start) and k not in seen, "a layer moves twice")
        seen.add(k)
        need(not has_root(den) and bernstein_shows(den, leaves, strict=True), "a zero denominator")
        rows = [[univariate(v) for v in row] for row in entry["numerator"]]
        shape = [len(row) for row in start[k]]
        need([len(row) for row in rows] == shape, "a numerator has the wrong shape")
        value = [
            [[at(v, t) / at(den, t) for v in row] for row in rows] for t in map(Fraction, (0, 1))
        ]
        need(value[0] == start[k], "a piece does not start where the path stands")
        ends[k] = value[1]
        theta[k] = [[FIELD(v) / FIELD(den) for v in row] for row in rows]
    rho = polynomial_rho(network, FIELD.one)
    true = loss_over(network, data, theta, FIELD.one, rho)
    num, den = (univariate(step["loss"][part]) for part in ("numerator", "denominator"))
    need(not has_root(den), "the denominator of the loss vanishes")
    need(bernstein_shows(den, step["loss_denominator"], strict=True), "leaves of the loss")
    need(FIELD(num) / FIELD(den) == true, "the claimed loss is not the loss")
    falling = num * den.diff(T) - num.diff(T) * den
    p = falling if level is None else den * _exact(level) - num
    need(not_negative(p, Fraction(0), Fraction(1)), "the sign along a piece is wrong")
    need(bernstein_shows(p, step["leaves"], strict=False), "the leaves do not show the sign")
    return ends

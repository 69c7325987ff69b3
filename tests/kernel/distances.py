"""Distances of polynomials from an activation by sympy: zeros of odd order, equal ripples.

A check on the rule ``approximation``.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import literal
from kernel.segments import Json, need
from sympy import QQ, Matrix, Poly, Rational, symbols

X = symbols("x")


def shown_distance(network: Json, conclusion: Json, proof: Json) -> str:
    """The kind of what is shown: the conclusion's, "other distance", or "not_nearest"."""
    plain = network["output"] == "activation" and network["pattern"] is None
    need(plain and network["widths"] == [1, 1] and network["bias"] == [False], "Phi = rho(w x)")
    rho, kind = network["activation"], conclusion["kind"]
    need(rho in ("relu", "abs") or set(rho) == {"leaky_relu"}, "two linear sides")
    a, b = Fraction(conclusion["a"]), Fraction(conclusion["b"])
    degree = conclusion.get("degree")
    subject = conclusion.get("polynomial")
    need(a < b and (degree is None or (type(degree) is int and degree >= 0)), "the problem")
    need(kind != "nearest" or len(subject) <= degree + 1, "degree")
    other, most, least = None, None, Fraction(0)
    if "upper" in proof:
        upper = proof["upper"]
        other = upper.get("polynomial")
        need((other is None) or kind != "sup_norm", "another polynomial")
        need(other is None or len(other) <= degree + 1, "degree")
        most = Fraction(upper["error"])
        need(_within(rho, subject if other is None else other, a, b, most), "the error")
    point = proof.get("lower")
    if isinstance(point, str):
        need(a <= Fraction(point) <= b and subject is not None, "the point")
        least = abs(_rho(rho, Fraction(point)) - _value(subject, Fraction(point)))
    elif point is not None:
        points = [Fraction(x) for x in point]
        need(kind != "sup_norm" and len(set(points)) == len(points) == degree + 2, "the points")
        need(a <= min(points) and max(points) <= b, "the points")
        least = _ripple(rho, sorted(points), degree)
    if kind == "nearest":
        need(most is not None, "an upper bound")
        if other is None:
            need(isinstance(point, list) and most is not None and least >= most, "not nearest")
            return "nearest"
        need(isinstance(point, str) and most is not None and least > most, "not nearer")
        return "not_nearest"
    low, high = Fraction(conclusion["at_least"]), Fraction(conclusion["at_most"])
    if low <= least and most is not None and most <= high:
        return str(kind)
    need(least > high or (most is not None and most < low), "neither")
    return "other distance"


def _rho(rho: Json, x: Fraction) -> Fraction:
    return literal.activation(rho, x)


def _value(p: Json, x: Fraction) -> Fraction:
    return sum((Fraction(c) * x**i for i, c in enumerate(p)), Fraction(0))


def _within(rho: Json, p: Json, a: Fraction, b: Fraction, error: Fraction) -> bool:
    """Whether |rho - p| <= error: no change of sign of error -+ (rho - p) inside, and one look."""
    cuts = [a, *([Fraction(0)] if a < 0 < b else []), b]
    for u, v in pairwise(cuts):
        slope = (_rho(rho, v) - _rho(rho, u)) / (v - u)
        line = [_rho(rho, u) - slope * u, slope]
        for sign in (1, -1):
            gap = [-sign * Fraction(c) for c in [*p, "0", "0"]]
            for i, c in enumerate(line):
                gap[i] += sign * c
            gap[0] += error
            if not _non_negative(gap, u, v):
                return False
    return True


def _non_negative(coefficients: list[Fraction], u: Fraction, v: Fraction) -> bool:
    q = Poly([Rational(str(c)) for c in reversed(coefficients)], X, domain=QQ)
    if q.is_zero:
        return True
    low, high = Rational(str(u)), Rational(str(v))
    for factor, order in q.sqf_list()[1]:
        inside = factor.count_roots(low, high)
        inside -= sum(factor.eval(end) == 0 for end in (low, high))
        if order % 2 and inside:
            return False
    looks = (q.eval(low + (high - low) * Rational(k, 97)) for k in range(1, 97))
    return bool(next(value for value in looks if value != 0) > 0)


def _ripple(rho: Json, points: list[Fraction], degree: int) -> Fraction:
    """The best error on the points: that of the polynomial whose errors alternate and are equal."""
    rows = [[x**k for k in range(degree + 1)] + [(-1) ** i] for i, x in enumerate(points)]
    values = [[Rational(str(_rho(rho, x)))] for x in points]
    system = Matrix([[Rational(str(v)) for v in row] for row in rows])
    level = system.LUsolve(Matrix(values))[degree + 1]
    return abs(Fraction(int(level.p), int(level.q)))

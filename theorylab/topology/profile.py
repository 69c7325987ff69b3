"""The loss along the path of a certificate, and along the straight line between its ends."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from theorylab.kernel.arith import MAX_WORK, METER, Matrix, Refusal
from theorylab.kernel.semantics import Theta
from theorylab.kernel.statements import Statement, parse, rational

# Exact values on one segment, on the straight line, and on a whole path at most.
_ON_SEGMENT = 8
_ON_LINE = 24
_MOST = 96

Point = tuple[Fraction, Fraction]


@dataclass(frozen=True, slots=True)
class Profile:
    """(t, L) at rational places: ``path`` with its k-th segment over [k-1, k] / ``segments``.

    ``line`` is the straight line from A to B over [0, 1], empty where the path descends from A to
    no given point; ``level`` is u, None of a descent.
    """

    path: tuple[Point, ...]
    line: tuple[Point, ...]
    segments: int
    level: Fraction | None


def profile(raw: bytes) -> Profile | None:
    """The profile of a certificate that the kernel has accepted; None when it holds no path.

    Guarantees: exact at every place; between them nothing is said. On a straight move the loss is
    a quadratic polynomial of t (Lemma 1), so three values give all.
    Source: soundness.md, Lemmas 1 and 4.
    """
    METER.left = MAX_WORK
    try:
        statement, rule, proof = parse(raw)
        if rule not in ("polyline", "path") or "A" not in statement.conclusion.points:
            return None
        points = statement.conclusion.points
        path = _along(statement, proof["steps"])
        line = _between(statement, points["A"], points["B"]) if "B" in points else ()
    except Refusal:
        return None  # so long that drawing it is more work than checking it
    level = statement.conclusion.values.get("u")
    return Profile(tuple(path), tuple(line), len(proof["steps"]), level)


def _along(statement: Statement, steps: list[Any]) -> list[Point]:
    count = max(1, len(steps))
    every = 1 + 2 * len(steps) // _MOST
    theta, found = statement.conclusion.points["A"], list[Point]()
    loss = statement.loss(theta)
    found.append((Fraction(0), loss))
    for number, step in enumerate(steps):
        shown = every == 1 or number % every == 0 or number == len(steps) - 1
        start, ends = theta, Fraction(number + 1, count)
        if "piece" in step:
            theta = _moved(theta, step["piece"])
            if shown:
                found += [
                    (Fraction(number + t, count), value) for t, value in _on_piece(step["loss"])
                ]
            continue
        k = step["layer"]
        changed = {i: [rational(v) for v in row] for i, row in step["rows"]}
        theta = (*theta[: k - 1], theta[k - 1].replaced(changed), *theta[k:])
        if not shown:
            continue
        if step["move"] == "idle" and statement.ridge is None and every == 1:
            found.append((ends, found[-1][1]))
            continue
        before, after = statement.loss(start), statement.loss(theta)
        middle = statement.loss(_mixed(start, theta, Fraction(1, 2)))
        a, b = 2 * (before + after) - 4 * middle, 4 * middle - 3 * before - after
        for i in range(1, _ON_SEGMENT + 1):
            t = Fraction(i, _ON_SEGMENT)
            found.append((Fraction(number + t, count), (a * t + b) * t + before))
    return found


def _on_piece(loss: dict[str, Any]) -> list[Point]:
    num, den = ([rational(c) for c in loss[name]] for name in ("numerator", "denominator"))
    places = [Fraction(i, 2 * _ON_SEGMENT) for i in range(1, 2 * _ON_SEGMENT + 1)]
    return [(t, _value(num, t) / _value(den, t)) for t in places]


def _value(coefficients: list[Fraction], t: Fraction) -> Fraction:
    total = Fraction(0)
    for c in reversed(coefficients):
        total = total * t + c
    return total


def _moved(theta: Theta, piece: list[Any]) -> Theta:
    """The weights at the end of a rational piece."""
    layers = list(theta)
    one = Fraction(1)
    for entry in piece:
        den = _value([rational(c) for c in entry["denominator"]], one)
        rows = [
            [_value([rational(c) for c in p], one) / den for p in row] for row in entry["numerator"]
        ]
        layers[entry["layer"] - 1] = Matrix.of(rows)
    return tuple(layers)


def _mixed(a: Theta, b: Theta, t: Fraction) -> Theta:
    layers = []
    for p, q in zip(a, b, strict=True):
        if p is q:
            layers.append(p)
            continue
        rows = [
            [v + (w - v) * t for v, w in zip(p.row(i), q.row(i), strict=True)]
            for i in range(len(p.rows))
        ]
        layers.append(Matrix.of(rows))
    return tuple(layers)


def _between(statement: Statement, a: Theta, b: Theta) -> list[Point]:
    places = [Fraction(i, _ON_LINE) for i in range(_ON_LINE + 1)]
    return [(t, statement.loss(_mixed(a, b, t))) for t in places]

"""A second opinion on the walls of ``barrier``: labels by ``literal``, definiteness by minors.

It shares no code with the kernel; bounds of linear networks and identities come from outside.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations
from math import factorial
from typing import Any

import literal
from kernel.segments import Json, Theta, coefficients, is_linear, need, numbers, sample_weights
from sympy import Matrix, Rational

Label = Callable[[Theta], Any]
Floor = Callable[[Json], Fraction]
Identity = Callable[[Json], Label]


def components_shown(
    network: Json, data: Json, u: Fraction, proof: Json, floor: Floor, identity: Identity
) -> tuple[list[Theta], list[tuple[Any, ...]], int]:
    """The points of the proof, their labels, and how many components these show."""
    need(set(proof) <= {"walls", "points"}, "keys")
    labels = [_label(network, data, u, wall, floor, identity) for wall in proof["walls"]]
    points = [numbers(point) for point in proof.get("points", [])]
    seen = [tuple(label(point) for label in labels) for point in points]
    number = len(set(seen))
    alone = [wall["kind"] for wall in proof["walls"]] == ["kinks"]
    if alone and network["pattern"] is None and "ridge" not in data:
        number = len({tuple(sorted(label)) for (label,) in seen})
        number *= factorial(min(network["widths"][1], 20))
    return points, seen, number


def labels_at(
    network: Json,
    data: Json,
    u: Fraction,
    proof: Json,
    floor: Floor,
    identity: Identity,
    points: list[Theta],
) -> list[tuple[Any, ...]]:
    """The labels of given points."""
    need(set(proof) == {"walls"}, "keys")
    labels = [_label(network, data, u, wall, floor, identity) for wall in proof["walls"]]
    return [tuple(label(point) for label in labels) for point in points]


def _label(
    network: Json, data: Json, u: Fraction, wall: Json, floor: Floor, identity: Identity
) -> Label:
    keys = {
        "identity": "wall multiplier squares margin",
        "determinant": "layer frame gap fit mu Z",
        "features": "layer frame gap",
        "narrow": "layer direction",
        "line": "direction",
        "kinks": "brackets",
    }
    need(set(wall) == {"kind", *keys[wall["kind"]].split()}, "keys of a wall")
    if wall["kind"] == "identity":
        return identity(wall)
    if wall["kind"] == "determinant":
        return _determinant(network, u, wall, floor)
    build = {"features": _features, "narrow": _narrow, "line": _line, "kinks": _kinks}
    return build[wall["kind"]](network, data, u, wall)


def _matrix(rows: Any) -> Matrix:
    return Matrix([[Rational(str(v)) for v in row] for row in rows])


def _semidefinite(m: Matrix) -> bool:
    chosen = (c for k in range(1, m.rows + 1) for c in combinations(range(m.rows), k))
    return m == m.T and all(m.extract(list(c), list(c)).det() >= 0 for c in chosen)


def _sign(value: Any) -> int:
    return int(bool(value > 0)) - int(bool(value < 0))


def _framed(rows: Any, height: int, width: int) -> Matrix:
    frame = _matrix(rows)
    need(frame.shape == (height, width) and frame.rank() == width, "the frame")
    return frame


def _hidden(network: Json, layer: Any) -> int:
    need(type(layer) is int and 1 <= layer < len(network["bias"]), "a hidden layer")
    return int(layer)


def _determinant(network: Json, u: Fraction, wall: Json, floor: Floor) -> Label:
    need(is_linear(network) and True not in network["bias"], "linear, no bias")
    k = _hidden(network, wall["layer"])
    frame = _framed(wall["frame"], network["widths"][-1], network["widths"][k])
    gap = Rational(wall["gap"])
    z = _matrix(wall["Z"])
    need(_semidefinite(frame.T * z * frame - gap * frame.T * frame), "the gap")
    bound = floor({"by": "ky-fan", **{key: wall[key] for key in ("fit", "mu", "Z")}})
    need(u < bound + Fraction(str(gap)), "the level")

    def label(theta: Theta) -> int:
        product = frame.T
        for layer in reversed(theta[k:]):
            product = product * _matrix(layer)
        return _sign(product.det())

    return label


def _features(network: Json, data: Json, u: Fraction, wall: Json) -> Label:
    k, depth = _hidden(network, wall["layer"]), len(network["bias"])
    linear = k == depth - 1 and network["output"] == "linear"
    need(linear or is_linear(network), "the layers above are linear")
    need(True not in network["bias"][k:] and network["activation"] != "step", "bias or step")
    frame = _framed(wall["frame"], len(data["x"]), network["widths"][k])
    y, gap = _matrix(data["y"]).T, Rational(wall["gap"])
    inverse = Matrix.diag(*[1 / Rational(str(s)) for s in sample_weights(data)])
    need(_semidefinite(frame.T * (y.T * y - gap * inverse) * frame), "the gap")
    need(u < Fraction(str(gap)), "the level")
    lower = {
        **network,
        "widths": network["widths"][: k + 1],
        "bias": network["bias"][:k],
        "output": "activation",
    }

    def label(theta: Theta) -> int:
        columns = [literal.outputs(lower, x, theta[:k]) for x in data["x"]]
        return _sign((_matrix(columns).T * frame).det())

    return label


def _narrow(network: Json, data: Json, u: Fraction, wall: Json) -> Label:
    k = _hidden(network, wall["layer"])
    need(network["widths"][k] == 1 and True not in network["bias"][k:], "one unit, no bias")
    listed, form = coefficients(network), network["activation"]
    if listed is None:
        slope = form["leaky_relu"] if isinstance(form, dict) else {"relu": 0, "abs": -1}[form]
        need(Fraction(slope) <= 0, "features may be negative")
    else:
        need(sum(a != 0 for a in listed) == 1 and listed[0] == 0, "no monomial")
    c = [Fraction(v) for v in wall["direction"]]
    need(len(c) == network["widths"][-1], "direction")
    least = Fraction(0)
    for y, s in zip(data["y"], sample_weights(data), strict=True):
        least += s * sum((a * Fraction(b) for a, b in zip(c, y, strict=True)), Fraction(0)) ** 2
    need(least > u * sum(a * a for a in c), "the level")
    upper = {**network, "widths": network["widths"][k:], "bias": network["bias"][k:]}

    def label(theta: Theta) -> int:
        value = literal.outputs(upper, [1], theta[k:])
        return _sign(sum((a * v for a, v in zip(c, value, strict=True)), Fraction(0)))

    return label


def _line(network: Json, data: Json, u: Fraction, wall: Json) -> Label:
    d = [Fraction(v) for v in wall["direction"]]
    need(network["widths"][1] == 1 and len(d) == network["widths"][0] and any(d), "direction")
    x, weights = [[Fraction(v) for v in row] for row in data["x"]], sample_weights(data)
    listed = coefficients(network)
    central = True not in network["bias"] and (listed is None or listed[0] == 0)
    central = central and all(_parallel(row, d) for row in x)
    affine = all(_parallel([v - w for v, w in zip(row, x[0], strict=True)], d) for row in x)
    need(central or affine, "the line")
    least = Fraction(0)
    for column in zip(*data["y"], strict=True):
        y = [Fraction(v) for v in column]
        mean = sum((s * v for s, v in zip(weights, y, strict=True)), Fraction(0)) / sum(weights)
        centre = Fraction(0) if central else mean
        least += sum((s * (v - centre) ** 2 for s, v in zip(weights, y, strict=True)), Fraction(0))
    need(u < least, "the level")
    return lambda theta: _sign(sum(v * w for v, w in zip(theta[0][0], d, strict=False)))


def _parallel(v: list[Fraction], d: list[Fraction]) -> bool:
    return all(a * e == b * c for a, c in zip(v, d, strict=True) for b, e in zip(v, d, strict=True))


def _kinks(network: Json, data: Json, u: Fraction, wall: Json) -> Label:
    widths, form = network["widths"], network["activation"]
    need(len(widths) == 3 and widths[2] == 1 and network["output"] == "linear", "one hidden layer")
    need(form in ("relu", "abs", "linear") or "leaky_relu" in form, "kinks")
    triples, weights = wall["brackets"], sample_weights(data)
    need(len(triples) == widths[1] and all(len(t) == 3 for t in triples), "p triples")
    need(all(type(j) is int and j >= 0 for t in triples for j in t), "samples")
    x = [[Fraction(v) for v in row] for row in data["x"]]
    y = [Fraction(row[0]) for row in data["y"]]
    start, end = x[triples[0][0]], x[triples[0][2]]
    step = [w - v for v, w in zip(start, end, strict=True)]
    size = sum(v * v for v in step)
    places = []
    for triple in triples:
        for j in triple:
            apart = [v - w for v, w in zip(x[j], start, strict=True)]
            need(_parallel(apart, step), "off the line")
            places.append(sum(v * w for v, w in zip(apart, step, strict=True)) / size)
    for t, (i, j, k) in enumerate(triples):
        a, b, c = places[3 * t : 3 * t + 3]
        need(a < b < c and (t == 0 or places[3 * t - 1] <= a), "brackets")
        # the least weighted error of affine functions at three places: solve for the best line
        design = _matrix([[1, a], [1, b], [1, c]])
        metric = Matrix.diag(*[Rational(str(weights[n])) for n in (i, j, k)])
        target = _matrix([[y[i]], [y[j]], [y[k]]])
        best = (design.T * metric * design).inv() * design.T * metric * target
        error = target - design * best
        need((error.T * metric * error)[0] > Rational(str(u)), "the level")

    def label(theta: Theta) -> Any:
        found = []
        for row in theta[0]:
            for t, (i, _, k) in enumerate(triples):
                one = [Fraction(1)] if network["bias"][0] else []
                ends = [sum(v * w for v, w in zip(row, [*x[e], *one], strict=True)) for e in (i, k)]
                if ends[0] * ends[1] < 0:
                    found.append((t, _sign(ends[1])))
        need(len(found) == len(triples) == len({t for t, _ in found}), "kinks")
        return tuple(found)

    return label

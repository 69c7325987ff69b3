"""The hypotheses of a statement and its weight space, by their literal definitions."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import combinations, product
from math import comb

import literal
from kernel.ranks import Space
from kernel.segments import (
    Json,
    Theta,
    coefficients,
    forward,
    has_linear_output,
    is_linear,
    need,
    numbers,
)
from sympy import Matrix, Rational


def weight_shapes(network: Json) -> list[tuple[int, int]]:
    widths, bias = network["widths"], network["bias"]
    return [(widths[k + 1], widths[k] + int(bias[k])) for k in range(len(bias))]


def in_weight_space(network: Json, theta: Theta) -> Theta:
    shapes = weight_shapes(network)
    need([len(layer) for layer in theta] == [rows for rows, _ in shapes], "shape")
    for layer, (_, columns) in zip(theta, shapes, strict=True):
        need(all(len(row) == columns for row in layer), "shape")
    need(literal.conforms(network, theta), "pattern")
    return theta


def holds(hypothesis: Json, network: Json, data: Json, conclusion: Json) -> bool:
    kind, widths = hypothesis["kind"], network["widths"]
    plain = {
        "dense": network["pattern"] is None,
        "no_bias": True not in network["bias"],
        "linear_output": has_linear_output(network),
        "scalar_output": network["widths"][-1] == 1,
        "ridge": "ridge" in data,
        "common_ridge": len(set(data.get("ridge", ()))) == 1,
    }
    if kind in plain:
        return plain[kind] and set(hypothesis) == {"kind"}
    if kind == "inputs":
        need(set(hypothesis) == {"kind", "relation"}, "keys")
        least = {">": widths[-1] + 1, ">=": widths[-1]}[hypothesis["relation"]]
        return bool(widths[0] >= least)
    distinct = len({tuple(row) for row in data["x"]})
    if kind == "more_parameters_than_equations":
        equations = len(data["x"]) * widths[-1]
        return set(hypothesis) == {"kind"} and Space(network, data).count > equations
    if kind == "loss":
        here = literal.loss(network, data, numbers(conclusion["A"]))
        need(set(hypothesis) == {"kind", "is"}, "keys")
        return {"zero": here == 0, "positive": here > 0}[hypothesis["is"]]
    if kind == "connected_at_every_level":
        hidden_wide = all(w >= 2 * distinct for w in widths[1:-1])
        dense = plain["dense"] and not plain["ridge"]
        return dense and network["output"] == "linear" and hidden_wide
    if kind == "no_poor_minima":
        tiny = widths == [1, 1, 1] and is_linear(network) and not plain["ridge"]
        return tiny and plain["dense"] and plain["no_bias"]
    if kind == "activation":
        listed, name = coefficients(network), hypothesis["is"]
        if name == "homogeneous":
            return listed is None and network["activation"] != "step"
        wanted: Json = {"linear": [0, 1], "square": [0, 0, 1]}.get(name)
        return listed is not None and (name == "polynomial" or listed == wanted)
    if kind == "hidden_layers":
        return type(hypothesis["count"]) is int and hypothesis["count"] == len(widths) - 2
    need(kind == "hidden_widths" and hypothesis["relation"] in (">", ">="), "unknown hypothesis")
    strict = hypothesis["relation"] == ">"
    lows = _lows(hypothesis["bound"], network, data, conclusion, distinct)
    less = hypothesis.get("less", 0)
    need("less" not in hypothesis or (type(less) is int and less >= 1), "less is positive")
    spare = [w + less - lo for w, lo in zip(widths[1:-1], lows, strict=True)]
    return all(v > 0 or (v == 0 and not strict) for v in spare)


def _lows(name: str, network: Json, data: Json, conclusion: Json, distinct: int) -> list[int]:
    n, m, layers = network["widths"][0], network["widths"][-1], len(network["widths"]) - 2
    if name in ("q", "2q", "q+1"):
        need(layers == 1, "q is for one hidden layer")
        q = len(orthogonal(some_features(network, data), [Fraction(1)] * len(data["x"])))
        return [int(name[0] == "2") * q + q + int(name[-1] == "1")]
    if name == "r(A)+r(B)":
        ranks = [_ranks(network, data, numbers(conclusion[end])) for end in "AB"]
        return [a + b for a, b in zip(*ranks, strict=True)]
    if name.startswith("monomials from "):
        listed, start = coefficients(network), int(name[-1])
        need(listed is not None or layers == 0, "polynomial activations only")
        degrees = [i for i, a in enumerate(listed or []) if i >= start and a != 0]
        return [sum(len(exponent_vectors(n, i)) for i in degrees)] * layers
    powers = [2**k for k in range(1, layers + 1)]
    inputs = [[Rational(v) for v in x] + [1] * network["bias"][0] for x in data["x"]]
    d = Matrix(inputs).rank()
    table = {
        "min(n,m)": [min(n, m)] * layers,
        "2N": [2 * distinct] * layers,
        "N+1": [distinct + 1] * layers,
        "3n^2": [3 * n**2] * layers,
        "rank X": [d] * layers,
        "rank X + 1": [d + 1] * layers,
        "2 rank X": [2 * d] * layers,
        "2n": [n + n] * layers,
        "2n+1": [n + n + 1] * layers,
        "n(n+1)": [n * n + n] * layers,
        "3n^(2^k)": [3 * n**p for p in powers],
        "2min(N,C(n+2^k-1,2^k))": [2 * min(distinct, comb(n + p - 1, p)) for p in powers],
    }
    return table[name]


def exponent_vectors(dimension: int, degree: int) -> list[tuple[int, ...]]:
    every = product(range(degree + 1), repeat=dimension)
    return [e for e in every if sum(e) == degree]


def hidden(network: Json, data: Json, theta: Theta) -> list[list[list[Fraction]]]:
    """Hidden features, layer by layer, one row per unit."""

    def rho(z: Fraction) -> Fraction:
        return literal.activation(network["activation"], z)

    per_sample = [
        forward(network, [Fraction(v) for v in x], theta, Fraction(1), rho)[0][:-1]
        for x in data["x"]
    ]
    return [
        [[rho(sample[k][i]) for sample in per_sample] for i in range(len(theta[k]))]
        for k in range(len(theta) - 1)
    ]


def _ranks(network: Json, data: Json, theta: Theta) -> list[int]:
    return [
        Matrix([[Rational(str(v)) for v in r] for r in h]).rank()
        for h in hidden(network, data, theta)
    ]


def some_features(network: Json, data: Json) -> list[list[Fraction]]:
    """Hidden features of many units: with probability one they span those of all units."""
    inputs = [[*x, *(["1"] if network["bias"][0] else [])] for x in data["x"]]
    rng, size = random.Random(1), len(inputs[0])
    directions = [[Fraction(rng.randint(-9, 9)) for _ in range(size)] for _ in range(80)]
    if size == 2:
        normals = [[s * -Fraction(b), s * Fraction(a)] for a, b in inputs for s in (1, -1)]
        directions += normals
        directions += [
            [p + q for p, q in zip(v, w, strict=True)] for v, w in combinations(normals, 2)
        ]
    dummy = [[Fraction(0)] * len(directions)]
    unit = {**network, "widths": [network["widths"][0], len(directions), 1]}
    return hidden({**unit, "bias": [network["bias"][0], False]}, data, [directions, dummy])[0]


def orthogonal(rows: list[list[Fraction]], weights: list[Fraction]) -> list[list[Fraction]]:
    """An orthogonal basis of the span of the rows (Gram-Schmidt, weighted)."""
    basis: list[list[Fraction]] = []
    for row in rows:
        rest = remainder(row, basis, weights)
        if any(rest):
            basis.append(rest)
    return basis


def dot(a: list[Fraction], b: list[Fraction], weights: list[Fraction]) -> Fraction:
    return sum((s * p * q for s, p, q in zip(weights, a, b, strict=True)), Fraction(0))


def remainder(
    row: list[Fraction], basis: list[list[Fraction]], weights: list[Fraction]
) -> list[Fraction]:
    for b in basis:
        c = dot(row, b, weights) / dot(b, b, weights)
        row = [p - c * q for p, q in zip(row, b, strict=True)]
    return row

"""Valid barriers, traps, minima and witnesses."""

from __future__ import annotations

from math import isqrt

import literal
from kernel.writing import BOTTLENECK, LINE3, MINUS, UNIT, Case, Json, case, minimum, net, widths

WALL = {
    "wall": [["1", [[0, 1]]], ["1", [[1, 1]]]],
    "multiplier": [["-2", [[1, 1]]]],
    "squares": [["1", [["1", [[0, 1], [1, 1]]]]], ["2", [["1", [[1, 1]]]]]],
}
SMALL = [{"kind": "activation", "is": "linear"}, {"kind": "no_bias"}, widths("min(n,m)")]
ENDS = {"A": [[["1"]], [["1"]]], "B": [[["-1"]], [["-1"]]], "u": "1/2"}
TINY = net([1, 1, 1], "linear")
HALF = {**WALL, "margin": "1/2"}
THIRD = {**ENDS, "kind": "joined", "u": "0"}
# L = (u + uw - 4)^2 + (u - uw + 2)^2: on u < 0 above 2, on u = 0 equal to 20
LIFTED = net([1, 1, 1], {"polynomial": ["1", "1"]})
LIFTED_DATA = {"x": [["1"], ["-1"]], "y": [["4"], ["-2"]], "weights": None}
TRAP = {
    "wall": [["1", [[1, 1]]]],
    "multiplier": [["2", [[0, 2], [1, 1]]], ["-12", [[0, 1]]], ["2", [[1, 1]]], ["-4", []]],
    "squares": [],
    "margin": "1",
    "u": "19",
    "v": "2",
    "side": [
        ["2", 0, [["1", [[0, 1], [1, 1]]], ["-3", []]]],
        ["2", 0, [["1", [[1, 1]]]]],
        ["4", 1, [["1", []]]],
    ],
    "lower": [[["3"]], [["1"]]],
}
BEHIND = [[["-30"]], [["-1/10"]]]


def orthogonal(features: str) -> dict[str, str]:
    return {"by": "orthogonal", "features": features}


KY_FAN = {"by": "ky-fan", "fit": [["2", "0"], ["0", "1"]], "mu": "1", "Z": [["3", "0"], ["0", "0"]]}
# L = (u1 w1^2 + u2 w2^2 + 1)^2 at w = 0, u > 0
FLAT = [[["0"], ["0"]], [["1", "1"]]]
GUARDS = [[["1", [[2, 1]]]], [["1", [[3, 1]]]]]
IDENTITY = {
    "by": "identity",
    "guards": GUARDS,
    "terms": [
        ["1", [], [["1", [[0, 2], [2, 1]]], ["1", [[1, 2], [3, 1]]]]],
        ["2", [[0, 1]], [["1", [[0, 1]]]]],
        ["2", [[1, 1]], [["1", [[1, 1]]]]],
    ],
}
SQUARES = net([1, 2, 1], "square")
POOR = {"local": IDENTITY, "lower": [[["1"], ["0"]], [["-1", "0"]]]}
DEAD = [[["-1", "-1"], ["-2", "1"]], [["3", "0"], ["1", "1"]], [["1", "1"]]]
DEEP_RELU = net([1, 2, 2, 1], "relu", [True, False, False])
POSITIVE = {"x": [["1"], ["2"]], "y": [["1"], ["2"]], "weights": None}
dead_at = {"by": "dead-layer", "layer": 1}
FAR: Json = [[["2"], ["1"]], [["1", "-1"]]]
LOSS = literal.loss(net([1, 2, 1], "abs"), LINE3, FAR)

# roots: w w = 2 with one shared weight, and the critical points 0, i, -i of (w^2 + 1)^2
PRECISION = 60
ROOT2 = isqrt(2 * 4**PRECISION)


def box(re: int, im: int, inverse: tuple[int, int]) -> Json:
    """A box about (re + i im) / 2^60 of radius 2^-20."""
    return {
        "center": [[str(re), str(im)]],
        "radius": str(2**40),
        "inverse": [[[str(v) for v in inverse]]],
        "real": im == 0,
    }


def counted(kind: str, fixed: Json, most: int | None, real: int = 0, least: int = 2) -> Json:
    return {
        "kind": "roots",
        "system": {"kind": kind, "ridge": None, "fixed": fixed},
        "at_least": least,
        "real_at_least": real,
        "at_most": most,
    }


SQUARE_ROOTS = [box(sign * ROOT2, 0, (sign * (ROOT2 // 4), 0)) for sign in (1, -1)]
# the gradient of (2uw - 3)^2 + w^2/3 + u^2/5: 5 zeros; its ideal holds 5w^2 - 3u^2, 12u^3 - 30w + u
SHRUNK = {"kind": "critical", "ridge": ["1/3", "1/5"], "fixed": []}
STAIRS = {
    "by": "staircase",
    "steps": [
        [[0, [["5", [[0, 1]]]]], [1, [["-3", [[1, 1]]]]]],
        [[1, [["1", []]]], [2, [["-4", [[1, 1]]]]]],
    ],
}
WHOLE = 2**PRECISION
CRITICAL = [box(0, 0, (WHOLE // 4, 0)), box(0, WHOLE, (-WHOLE // 8, 0))]
CRITICAL += [box(0, -WHOLE, (-WHOLE // 8, 0))]

POINTS: list[Case] = [
    case(
        "a wall separates",
        "Proved",
        TINY,
        UNIT,
        SMALL,
        {"kind": "separated", **ENDS},
        "barrier",
        HALF,
    ),
    case(
        "joined refuted", "Refuted", TINY, UNIT, SMALL, {"kind": "joined", **ENDS}, "barrier", HALF
    ),
    case(
        "connected from no poor minima, refuted",
        "Refuted",
        TINY,
        UNIT,
        [{"kind": "no_poor_minima"}],
        THIRD,
        "barrier",
        {**WALL, "margin": "1"},
    ),
    case(
        "descends refuted by a trap",
        "Refuted",
        LIFTED,
        LIFTED_DATA,
        [widths("monomials from 1"), {"kind": "activation", "is": "polynomial"}],
        {"kind": "descends", "A": BEHIND, "v": "0", "eps": "1/2"},
        "barrier",
        TRAP,
    ),
    case(
        "trapped",
        "Proved",
        LIFTED,
        LIFTED_DATA,
        [],
        {"kind": "trapped", "A": BEHIND, "u": "19", "v": "2"},
        "barrier",
        TRAP,
    ),
    minimum("zero loss", net([1, 1, 1], "cube"), UNIT, [[["1"]], [["1"]]], {"by": "zero"}),
    minimum(
        "orthogonal inputs with bias",
        net([1, 1, 1], "linear", [False, True]),
        LINE3,
        [[["1"]], [["2/3", "1"]]],
        orthogonal("inputs"),
    ),
    minimum(
        "orthogonal monomials with a constant",
        net([1, 2, 1], {"polynomial": ["1", "0", "2"]}),
        {"x": [["1"], ["-1"], ["0"]], "y": [["1"], ["2"], ["5"]], "weights": None},
        [[["1"], ["0"]], [["-7/4", "27/4"]]],
        orthogonal("monomials"),
    ),
    minimum(
        "orthogonal walls of step in two dimensions",
        net([2, 1, 1], "step"),
        {
            "x": [["1", "0"], ["1", "0"], ["-1", "1"]],
            "y": [["1"], ["2"], ["0"]],
            "weights": ["1", "2", "1"],
        },
        [[["1", "0"]], [["5/3"]]],
        orthogonal("walls"),
    ),
    minimum(
        "orthogonal distinct, activated output",
        net([1, 1], "relu", [True], "activation"),
        {"x": [["1"], ["1"]], "y": [["1"], ["3"]], "weights": ["3", "1"]},
        [[["1", "1/2"]]],
        orthogonal("distinct"),
    ),
    minimum("Ky Fan", net([2, 1, 2], "linear"), BOTTLENECK, [[["1", "0"]], [["2"], ["0"]]], KY_FAN),
    case(
        "a local minimum by an identity",
        "Proved",
        SQUARES,
        MINUS,
        [],
        {"kind": "local_min", "A": FLAT},
        "optimum",
        {"local": IDENTITY},
    ),
    case(
        "a poor minimum though all levels are connected",
        "Refuted",
        SQUARES,
        MINUS,
        [{"kind": "connected_at_every_level"}],
        {"kind": "not_poor_minimum", "A": FLAT},
        "optimum",
        POOR,
    ),
    case(
        "a dead layer",
        "Proved",
        DEEP_RELU,
        POSITIVE,
        [],
        {"kind": "local_min", "A": DEAD},
        "optimum",
        {"local": dead_at},
    ),
    case(
        "a dead layer is poor",
        "Refuted",
        net([1, 1, 1], "relu", [True, False]),
        POSITIVE,
        [],
        {"kind": "not_poor_minimum", "A": [[["-1", "-1"]], [["1"]]]},
        "optimum",
        {"local": dead_at, "lower": [[["1", "0"]], [["1"]]]},
    ),
]

POINTS += [
    case(
        "roots of a shared weight",
        "Proved",
        net([1, 1, 1], "linear", None, "linear", [[[7]], [[7]]]),
        {"x": [["1"]], "y": [["2"]], "weights": None},
        [],
        counted("interpolation", [], 2, 2),
        "root",
        {"precision": PRECISION, "roots": SQUARE_ROOTS, "upper": {"by": "bezout"}},
    ),
    case(
        "complex critical points",
        "Proved",
        net([1, 1, 1], "square"),
        UNIT,
        [],
        counted("critical", [[1, "-1"]], 3, 1, 3),
        "root",
        {
            "precision": PRECISION,
            "roots": CRITICAL,
            "upper": {"by": "multihomogeneous", "groups": [[0]]},
        },
    ),
    case(
        "more critical points than stated",
        "Refuted",
        net([1, 1, 1], "square"),
        UNIT,
        [],
        counted("critical", [[1, "-1"]], 2),
        "root",
        {"precision": PRECISION, "roots": CRITICAL},
    ),
    *(
        case(
            f"a staircase, {outcome}",
            outcome,
            TINY,
            {"x": [["2"]], "y": [["3"]], "weights": None},
            [],
            {**counted("critical", [], 5, 0, least), "system": SHRUNK},
            "root",
            {"precision": 0, "roots": [], "upper": STAIRS},
        )
        for outcome, least in (("Proved", 0), ("Refuted", 6))
    ),
]
POINTS += [
    case(
        f"witness {op}, loss on the {'right' if isinstance(left, str) else 'left'}",
        outcome,
        net([1, 2, 1], "abs"),
        LINE3,
        [],
        {"kind": "relation", "left": left, "op": op, "right": right},
        "witness",
        {},
    )
    for op, left, right, outcome in (
        ("==", {"loss": FAR}, str(LOSS), "Proved"),
        ("<", {"loss": FAR}, str(LOSS), "Refuted"),
    )
]

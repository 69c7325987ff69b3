"""Valid walls of every kind, and paths, walls and minima of losses with a ridge."""

from __future__ import annotations

from typing import Any

from kernel.corpus_points import WALL
from kernel.writing import UNIT, Case, Json, case, move, net

PAIR = {"x": [["1"], ["-1"]], "y": [["1"], ["2"]], "weights": None}
ODD = {"x": [["1"], ["-1"]], "y": [["1"], ["-1"]], "weights": ["1", "2"]}
DIAGONAL = {"x": [["1", "0"], ["0", "1"]], "y": [["2", "0"], ["0", "1"]], "weights": None}
HEAVY = {"x": [["1", "0"], ["0", "1"]], "y": [["2", "0"], ["0", "1"]], "weights": ["1", "4"]}
# relu(s) - relu(s - 4) at s = -1, 0, 1, 3, 4, 5: kinks at 0 and at 4
RAMP = {
    "x": [["-1"], ["0"], ["1"], ["3"], ["4"], ["5"]],
    "y": [["0"], ["0"], ["1"], ["3"], ["4"], ["4"]],
    "weights": None,
}
LINEAR = net([1, 1, 1], "linear")
THIN = net([1, 1, 1, 1], "linear")
TWO = net([2, 2, 2], "linear")
ONE: Json = [[["1"]], [["1"]]]
MINUS_ONE: Json = [[["-1"]], [["-1"]]]


def components(u: str, at_least: int, at_most: int | None = None) -> dict[str, Any]:
    return {"kind": "components", "u": u, "at_least": at_least, "at_most": at_most}


def walled(walls: list[Json], points: list[Json] | None = None) -> dict[str, Any]:
    return {"walls": walls} if points is None else {"walls": walls, "points": points}


def ridged(name: str, rates: list[str], *parts: Any) -> Case:
    """The case with a ridge, which its hypotheses name last."""
    made = case(name, *parts)
    statement = made.certificate["statement"]
    statement["ridge"] = list(rates)
    kind = "common_ridge" if len(set(rates)) == 1 else "ridge"
    statement["hypotheses"] = [*statement["hypotheses"], {"kind": kind}]
    return made


FRAME2 = [["1", "0"], ["0", "1"]]
DUAL1 = {"fit": [["1"]], "mu": "0", "Z": [["1"]]}
DUAL2 = {"fit": [["2", "0"], ["0", "1"]], "mu": "0", "Z": [["4", "0"], ["0", "1"]]}
UPPER = [{"kind": "determinant", "layer": k, "frame": [["1"]], "gap": "1", **DUAL1} for k in (1, 2)]
SQUARE = {"kind": "determinant", "layer": 1, "frame": FRAME2, "gap": "1", **DUAL2}
# a bottleneck: S = diag(4, 1), mu = 1, Z = diag(3, 0), the gap 3 on the first direction
NARROWER = {
    "kind": "determinant",
    "layer": 1,
    "frame": [["1"], ["0"]],
    "gap": "3",
    "fit": [["2", "0"], ["0", "1"]],
    "mu": "1",
    "Z": [["3", "0"], ["0", "0"]],
}
FEATURES = {"kind": "features", "layer": 1, "frame": FRAME2, "gap": "1"}
IDENTICAL = [[["1", "0"], ["0", "1"]], [["2", "0"], ["0", "1"]]]
EXCHANGED = [[["0", "1"], ["1", "0"]], [["0", "2"], ["1", "0"]]]
NARROW = {"kind": "narrow", "layer": 1, "direction": ["1"]}
LINE = {"kind": "line", "direction": ["1"]}
KINKS = {"kind": "kinks", "brackets": [[0, 1, 2], [3, 4, 5]]}
TEACHER = [[["1", "0"], ["1", "-4"]], [["1", "-1"]]]
STUDENT = [[["1", "-4"], ["1", "0"]], [["-1", "1"]]]
BRACKETS = net([1, 2, 1], "relu", [True, False])
IDENTITY = {"kind": "identity", **WALL, "margin": "1/2"}
LEAKY = {"leaky_relu": "-1/2"}

TURNED = [[["-1", "0"], ["0", "1"]], [["-2", "0"], ["0", "1"]]]
BIASED = [[["1", "0", "0"], ["0", "1", "0"]], [["2", "0"], ["0", "1"]]]
BIASED_EXCHANGED = [[["0", "1", "0"], ["1", "0", "0"]], [["0", "2"], ["1", "0"]]]
RISING = [[["1", "0", "0"]], [["1", "0"]]]
FALLING = [[["-1", "0", "0"]], [["-2", "0"]]]
# (uw - 1)^2 + (u^2 + w^2)/4 - 1/2 = 1/2 + (uw)^2 + w^2/4 + ... on u + w = 0
RIDGED_IDENTITY = {
    "kind": "identity",
    "wall": [["1", [[0, 1]]], ["1", [[1, 1]]]],
    "multiplier": [["-2", [[1, 1]]]],
    "squares": [
        ["1", [["1", [[0, 1], [1, 1]]]]],
        ["9/4", [["1", [[1, 1]]]]],
        ["1/4", [["1", [[0, 1]]]]],
    ],
    "margin": "1/2",
}
_SIGNS = [("1", "1", "1"), ("-1", "-1", "1"), ("1", "-1", "-1"), ("-1", "1", "-1")]
# 4 sign patterns of a chain whose product is 1
CHAINS = [[[[a]], [[b]], [[c]]] for a, b, c in _SIGNS]

WALLS: list[Case] = [
    case(
        "walls of an identity",
        "Proved",
        LINEAR,
        UNIT,
        [],
        components("1/2", 2),
        "barrier",
        walled([IDENTITY], [ONE, MINUS_ONE]),
    ),
    case(
        "walls of two determinants",
        "Proved",
        THIN,
        UNIT,
        [{"kind": "no_bias"}],
        components("1/2", 4),
        "barrier",
        walled(UPPER, CHAINS),
    ),
    case(
        "more components than said",
        "Refuted",
        THIN,
        UNIT,
        [],
        components("1/2", 0, 3),
        "barrier",
        walled(UPPER, CHAINS),
    ),
    case(
        "a determinant separates",
        "Proved",
        TWO,
        DIAGONAL,
        [],
        {"kind": "separated", "A": IDENTICAL, "B": TURNED, "u": "1/2"},
        "barrier",
        walled([SQUARE]),
    ),
    case(
        "a determinant at a bottleneck",
        "Proved",
        net([2, 1, 2], "linear"),
        DIAGONAL,
        [],
        components("3", 2),
        "barrier",
        walled([NARROWER], [[[["2", "0"]], [["1"], ["0"]]], [[["-2", "0"]], [["-1"], ["0"]]]]),
    ),
    case(
        "features of a square",
        "Refuted",
        net([2, 2, 2], "square"),
        HEAVY,
        [],
        {"kind": "joined", "A": IDENTICAL, "B": EXCHANGED, "u": "1/2"},
        "barrier",
        walled([FEATURES]),
    ),
    case(
        "features of relu",
        "Proved",
        net([2, 2, 2], "relu", [True, False]),
        DIAGONAL,
        [{"kind": "activation", "is": "homogeneous"}],
        components("1/2", 2),
        "barrier",
        walled([FEATURES], [BIASED, BIASED_EXCHANGED]),
    ),
    case(
        "a narrow layer",
        "Proved",
        net([1, 1, 2, 1], "relu"),
        ODD,
        [],
        components("2", 2),
        "barrier",
        walled(
            [NARROW],
            [
                [[["1"]], [["1"], ["0"]], [["1", "0"]]],
                [[["-1"]], [["1"], ["0"]], [["-1", "0"]]],
            ],
        ),
    ),
    case(
        "a narrow layer of two outputs",
        "Proved",
        net([1, 1, 2], LEAKY),
        {"x": [["1"], ["-1"]], "y": [["1", "0"], ["-1", "0"]], "weights": None},
        [],
        components("9/5", 2),
        "barrier",
        walled(
            [{"kind": "narrow", "layer": 1, "direction": ["1", "0"]}],
            [[[["1"]], [["2/5"], ["0"]]], [[["-1"]], [["-2/5"], ["0"]]]],
        ),
    ),
    case(
        "one unit on a line",
        "Proved",
        net([1, 1, 1], "relu"),
        PAIR,
        [],
        components("4", 2),
        "barrier",
        walled([LINE], [[[["1"]], [["1"]]], [[["-1"]], [["2"]]]]),
    ),
    case(
        "one unit on a line, with biases",
        "Proved",
        net([2, 1, 1], {"leaky_relu": "1/2"}, [True, True]),
        {"x": [["1", "1"], ["2", "2"], ["3", "3"]], "y": [["1"], ["2"], ["3"]], "weights": None},
        [],
        {"kind": "separated", "A": RISING, "B": FALLING, "u": "0"},
        "barrier",
        walled([{"kind": "line", "direction": ["1", "1"]}]),
    ),
    case(
        "kinks in two brackets",
        "Proved",
        BRACKETS,
        RAMP,
        [],
        components("1/8", 2),
        "barrier",
        walled([KINKS], [TEACHER]),
    ),
    case(
        "kinks separate",
        "Proved",
        BRACKETS,
        RAMP,
        [],
        {"kind": "separated", "A": TEACHER, "B": STUDENT, "u": "1/8"},
        "barrier",
        walled([KINKS]),
    ),
    ridged(
        "walls of an identity with a ridge",
        ["1/4", "1/4"],
        "Proved",
        LINEAR,
        UNIT,
        [],
        components("1/2", 2),
        "barrier",
        walled([RIDGED_IDENTITY], [ONE, MINUS_ONE]),
    ),
    ridged(
        "walls of determinants with a ridge",
        ["1/9", "0", "1/9"],
        "Proved",
        THIN,
        UNIT,
        [],
        components("1/2", 4),
        "barrier",
        walled(UPPER, CHAINS),
    ),
    ridged(
        "kinks with a ridge",
        ["1/1000", "0", "0", "0", "0", "1/1000"],
        "Proved",
        BRACKETS,
        RAMP,
        [],
        components("1/8", 2),
        "barrier",
        walled([KINKS], [TEACHER, STUDENT]),
    ),
    ridged(
        "a polyline with a ridge",
        ["1/2"] * 4,
        "Proved",
        net([1, 2, 1], "relu"),
        UNIT,
        [],
        {
            "kind": "joined",
            "A": [[["1"], ["0"]], [["1", "0"]]],
            "B": [[["1"], ["-1"]], [["1/2", "0"]]],
            "u": "11/8",
        },
        "polyline",
        {
            "form": "bound",
            "steps": [move("output", 2, r0=["1/2", "0"]), move("idle", 1, r1=["-1"])],
        },
    ),
    ridged(
        "a monotone polyline with a ridge",
        ["1/2"] * 4,
        "Proved",
        net([1, 2, 1], "relu"),
        UNIT,
        [],
        {
            "kind": "descends",
            "A": [[["1"], ["-2"]], [["1", "0"]]],
            "v": "0",
            "eps": "1",
        },
        "polyline",
        {
            "form": "monotone",
            "steps": [move("idle", 1, r1=["0"])],
            "optimum": {"by": "zero"},
        },
    ),
    ridged(
        "a piece with a ridge",
        ["1", "1"],
        "Proved",
        net([1, 1, 1], "square"),
        UNIT,
        [],
        {"kind": "joined", "A": ONE, "B": [[["2"]], [["1/4"]]], "u": "65/16"},
        "path",
        {
            "form": "bound",
            "steps": [
                {
                    "piece": [
                        {"layer": 1, "numerator": [[["1", "1"]]], "denominator": ["1"]},
                        {"layer": 2, "numerator": [[["1"]]], "denominator": ["1", "2", "1"]},
                    ],
                    "loss": {
                        "numerator": ["2", "6", "15", "20", "15", "6", "1"],
                        "denominator": ["1", "4", "6", "4", "1"],
                    },
                    "denominators": [[[0, 0]], [[0, 0]]],
                    "loss_denominator": [[0, 0]],
                    "leaves": [[0, 0]],
                }
            ],
        },
    ),
    ridged(
        "the origin is a minimum with a ridge",
        ["1", "1"],
        "Proved",
        LINEAR,
        UNIT,
        [],
        {"kind": "local_min", "A": [[["0"]], [["0"]]]},
        "optimum",
        {
            "local": {
                "by": "identity",
                "guards": [],
                "terms": [
                    ["1", [], [["1", [[0, 1], [1, 1]]]]],
                    ["1", [], [["1", [[0, 1]]], ["-1", [[1, 1]]]]],
                ],
            }
        },
    ),
    ridged(
        "a loss with a ridge",
        ["1", "2"],
        "Proved",
        LINEAR,
        UNIT,
        [],
        {"kind": "relation", "left": "3", "op": "==", "right": {"loss": ONE}},
        "witness",
        {},
    ),
]

"""Valid certificates of the rule ``inertia``: scalar networks of squares, by their forms."""

from __future__ import annotations

from typing import Any

from kernel.writing import RANK1, UNIT, Case, Json, case, net, widths

ONE = net([1, 1, 1], "square")
TWO = net([2, 2, 1], "square")
AXES = {"x": [["1", "0"], ["0", "1"]], "y": [["1"], ["-1"]], "weights": None}
DEFINITE = {
    "x": [["1", "0"], ["0", "1"], ["1", "1"], ["1", "-1"]],
    "y": [["1"], ["1"], ["2"], ["2"]],
    "weights": None,
}
BENT = net([1, 2, 1], {"polynomial": ["0", "0", "-1/2"]}, [True, False])
BENT_DATA = {
    "x": [["0"], ["1"], ["-1"], ["2"]],
    "y": [["1"], ["0"], ["-2"], ["-2"]],
    "weights": ["2", "1/3", "1", "1"],
}
BENT_BEST = {"rows": [0, 1], "form": ["-95/67", "91/67", "58/67"]}
BENT_A: Json = [[["1", "0"], ["0", "0"]], [["1", "1"]]]
# RANK1: y = (1, 2) at t = 1, -2 along the input (1, 2)
LINE_BEST = {"rows": [1], "form": ["9/68"]}

UNIT_REGULAR = {
    "best": {"rows": [0], "form": ["1"]},
    "level": "2/3",
    "turn": [["1"]],
    "multipliers": [["1"]],
    "relation": [["0"]],
}
AXES_REGULAR = {
    "best": {"rows": [0, 1], "form": ["1", "0", "-1"]},
    "level": "10/11",
    "turn": [["1", "0"], ["0", "-1"]],
    "multipliers": [["1", "0", "0"], ["0", "0", "0"], ["0", "0", "-1"]],
    "relation": [["0", "0", "-1"], ["0", "2", "0"], ["-1", "0", "0"]],
}
DEFINITE_REGULAR = {
    "best": {"rows": [0, 1], "form": ["1", "0", "1"]},
    "level": "13/8",
    "turn": [["1", "0"], ["0", "1"]],
    "multipliers": [["3/5", "0", "-2/5"], ["0", "1/2", "0"], ["-2/5", "0", "3/5"]],
    "relation": [["0", "0", "-53/32"], ["0", "53/16", "0"], ["-53/32", "0", "0"]],
}
BENT_REGULAR = {
    "best": BENT_BEST,
    "level": "1",
    "turn": [["-1", "1"], ["1", "1"]],
    "multipliers": [
        ["-101/268", "36/67", "20/67"],
        ["2/67", "-13/134", "15/67"],
        ["-93/268", "59/134", "35/67"],
    ],
    "relation": [["0", "0", "-41/16"], ["0", "41/8", "0"], ["-41/16", "0", "0"]],
}
# QUADRATIC, E5: B = diag(10, 7, -6) by nine points; forms of rank one lie above 190
FIVE = net([3, 2, 1], "square")
NINE = {
    "x": [
        *(["1", "0", "0"], ["0", "1", "0"], ["0", "0", "1"]),
        *(["1", "1", "0"], ["1", "-1", "0"], ["1", "0", "1"]),
        *(["1", "0", "-1"], ["0", "1", "1"], ["0", "1", "-1"]),
    ],
    "y": [["10"], ["7"], ["-6"], ["17"], ["17"], ["4"], ["4"], ["1"], ["1"]],
    "weights": None,
}
NINE_REGULAR = {
    "best": {"rows": [0, 1, 2], "form": ["10", "0", "0", "7", "0", "-6"]},
    "level": "190",
    "turn": [["1", "0", "0"], ["0", "1", "0"], ["0", "0", "-1"]],
    "multipliers": [
        ["7/27", "0", "0", "-2/27", "0", "-2/27"],
        ["0", "1/2", "0", "0", "0", "0"],
        ["0"] * 6,
        ["-2/27", "0", "0", "7/27", "0", "-2/27"],
        ["0"] * 6,
        ["2/27", "0", "0", "2/27", "0", "-7/27"],
    ],
    "relation": [
        ["64", "0", "0", "-64", "0", "-64"],
        ["0", "256", "0", "0", "0", "0"],
        ["0", "0", "256", "0", "0", "0"],
        ["-64", "0", "0", "64", "0", "-64"],
        ["0", "0", "0", "0", "256", "0"],
        ["-64", "0", "0", "-64", "0", "64"],
    ],
}
NARROW: Json = [[["1", "0", "0"], ["0", "0", "1"]], [["12", "-4"]]]
SWAPPED: Json = [[["0", "0", "1"], ["1", "0", "0"]], [["-4", "12"]]]
AT_AXES: Json = [[["1", "0"], ["0", "1"]], [["1", "-1"]]]
EXCHANGED: Json = [[["0", "1"], ["1", "0"]], [["-1", "1"]]]
AT_BENT: Json = [[["1", "-91/190"], ["0", "1"]], [["190/67", "-30321/12730"]]]
IDENTITY: Json = [[["1", "0"], ["0", "1"]], [["1", "1"]]]
MIRRORED: Json = [[["1", "0"], ["0", "-1"]], [["1", "1"]]]
SINGULAR: Json = [[["1", "0"], ["0", "1"]], [["1", "0"]]]


def components(
    name: str, network: Json, data: Json, u: str, number: int, claimed: Any = None, **proof: Json
) -> Case:
    """{L <= u} has so many components; or another number, if ``claimed`` says so."""
    least, most = claimed or (number, number)
    conclusion = {"kind": "components", "u": u, "at_least": least, "at_most": most}
    outcome = "Refuted" if claimed and not least <= number <= (most or number) else "Proved"
    return case(name, outcome, network, data, [], conclusion, "inertia", proof)


def pair(
    name: str, kind: str, network: Json, data: Json, a: Json, b: Json, u: str, **proof: Json
) -> Case:
    """A and B are joined, or not; ``kind`` is what is claimed."""
    conclusion = {"kind": kind, "A": a, "B": b, "u": u}
    apart = "regular" in proof
    outcome = "Proved" if (kind == "separated") == apart else "Refuted"
    return case(name, outcome, network, data, [], conclusion, "inertia", proof)


def falling(name: str, network: Json, data: Json, a: Json, v: str, eps: str, best: Json) -> Case:
    """A descends to within eps of v."""
    conclusion = {"kind": "descends", "A": a, "v": v, "eps": eps}
    hypotheses = [{"kind": "scalar_output"}, widths("rank X")]
    return case(name, "Proved", network, data, hypotheses, conclusion, "inertia", {"best": best})


FORMS: list[Case] = [
    falling("descent by inertia", BENT, BENT_DATA, BENT_A, "18/67", "0", BENT_BEST),
    falling(
        "descent to a line", net([2, 1, 1], "square"), RANK1, [[["2", "-1"]], [["-1"]]],
        "4/17", "1/9", LINE_BEST,
    ),
    pair("joined by inertia", "joined", net([1, 2, 1], "square"), UNIT,
         [[["1"], ["0"]], [["1", "3"]]], [[["-1"], ["2"]], [["1", "0"]]], "0"),
    pair("joined, not separated", "separated", net([2, 2, 1], "square"), RANK1,
         [[["0", "0"]] * 2, [["0", "0"]]], [[["2", "-1"]] * 2, [["1", "1"]]], "5"),
    pair("separated by the sign of u", "separated", TWO, AXES, AT_AXES, EXCHANGED, "9/10",
         regular=AXES_REGULAR),
    pair("separated by orientation", "joined", TWO, DEFINITE, IDENTITY, MIRRORED, "8/5",
         regular=DEFINITE_REGULAR),
    pair("separated below full width", "joined", FIVE, NINE, NARROW, SWAPPED, "189",
         regular=NINE_REGULAR),
    components("two or more below full width", FIVE, NINE, "189", 2, (2, None), point=NARROW,
               regular=NINE_REGULAR),
    components("two components", ONE, UNIT, "1/2", 2, point=[[["1"]], [["1"]]],
               regular=UNIT_REGULAR),
    components("eight components", TWO, AXES, "9/10", 8, point=AT_AXES, regular=AXES_REGULAR),
    components("not seven components", TWO, AXES, "9/10", 8, (1, 7), point=AT_AXES,
               regular=AXES_REGULAR),
    components("two of a definite form", TWO, DEFINITE, "8/5", 2, point=IDENTITY,
               regular=DEFINITE_REGULAR),
    components("eight with a bias", BENT, BENT_DATA, "1", 8, (5, None), point=AT_BENT,
               regular=BENT_REGULAR),
    components("one with a singular form", TWO, AXES, "1", 1, point=SINGULAR),
    components("one above full width", net([1, 2, 1], "square"), UNIT, "0", 1, (2, None),
               point=[[["1"], ["1"]], [["2", "-1"]]]),
]  # fmt: skip

"""Valid certificates of the rule ``rank``: ranks, nullities, zeros and dimensions."""

from __future__ import annotations

from typing import Any

from kernel.writing import Case, Json, case, net

ONE = {"x": [["1"]], "y": [["0"]], "weights": None}
TWO_SIGNS = {"x": [["1"], ["2"]], "y": [["1"], ["-1"]], "weights": None}
WEIGHED_SIGNS = {**TWO_SIGNS, "weights": ["3", "1/2"]}
TRIANGLE = {"x": [["1", "0"], ["0", "1"], ["1", "1"]], "y": [["0"]] * 3, "weights": None}
CIRCLE = net([1, 2, 1], "square", None, "linear", [None, [["1", "1"]]])
# the fixed 1 equals the number of the second parameter, the slot 4 stands in both layers
TIED = net([2, 2, 1], {"polynomial": ["1", "-1/2", "2"]}, [True, False], "linear",
           [[[4, None, "1"], ["1/3", None, 4]], [[4, None]]])  # fmt: skip
TIED_AT = [[["2", "-1", "1"], ["1/3", "3", "2"]], [["2", "1/2"]]]
BENT = net([1, 1, 1], {"polynomial": ["0", "6", "-6", "-2", "3"]}, [True, False])
VALLEY = {"x": [["1"], ["-1"]], "y": [["-6"], ["-8"]], "weights": None}
MINIMUM = [[["1"]], [["-3/17"]]]
PLANE = {"x": [["0", "0"]], "y": [["0"]], "weights": None}


def counted(kind: str, point: Json, least: int, most: int | None) -> dict[str, Any]:
    """A conclusion of the rule with its bounds."""
    bounds = {"kind": kind, "at_least": least, "at_most": most}
    return bounds if point is None else {**bounds, "A": point}


def identity(
    multipliers: Json, margins: Json, squares: Json = (), constant: str = "0"
) -> dict[str, Any]:
    """A proof that a zero is the only one, or that there is none."""
    return {
        "constant": constant,
        "multipliers": multipliers,
        "margins": margins,
        "squares": list(squares),
    }


def dimension(at: Json, by: str, **more: Json) -> dict[str, Any]:
    """A proof of the dimension of a neurovariety."""
    return {"at": at, "upper": {"by": by, **more}}


UNIT_TERM = [["1", []]]
TOP = [[["3/5"], ["4/5"]], [["1", "1"]]]
CENTRE = [[["0"], ["0"]], [["1", "1"]]]
ONE_UNIT = net([2, 1, 1], "square", None, "linear", [None, [["1"]]])
SUM = [["1", [["1", [[0, 1]]], ["1", [[1, 1]]]]]]
SCALING = [[["1", [[0, 1]]]], [["1", [[1, 1]]]], [["-3", [[2, 1]]]]]
AT_PLANE = [[["1", "2"]], [["3"]]]
MORE = [{"kind": "loss", "is": "zero"}, {"kind": "more_parameters_than_equations"}]
POSITIVE = [{"kind": "loss", "is": "positive"}]


def of_rank(name: str, outcome: str, *parts: Any) -> Case:
    """A case of the rule: network, data, hypotheses, conclusion, proof."""
    *instance, proof = parts
    return case(name, outcome, *instance, "rank", proof)


RANKS: list[Case] = [
    of_rank("a Jacobian of tied weights", "Proved", TIED,
            {**TRIANGLE, "weights": ["1", "2", "1/3"]}, [],
            counted("jacobian_rank", TIED_AT, 3, 3), {}),
    of_rank("a Jacobian of another rank", "Refuted", net([1, 1, 1], "square"), TWO_SIGNS, [],
            counted("jacobian_rank", MINIMUM, 2, None), {}),
    of_rank("zeros on a circle", "Proved", CIRCLE, {**ONE, "y": [["1"]]}, MORE,
            counted("zero_manifold", TOP, 1, 1), {}),
    of_rank("a circle is no surface", "Refuted", CIRCLE, {**ONE, "y": [["1"]]}, [],
            counted("zero_manifold", TOP, 2, 2), {}),
    of_rank("a zero on a circle", "Proved", CIRCLE, {**ONE, "y": [["1"]]}, [],
            {"kind": "positive_dimension", "A": TOP}, {}),
    of_rank("a zero on a circle is not isolated", "Refuted", CIRCLE, {**ONE, "y": [["1"]]}, [],
            {"kind": "isolated_zero", "A": TOP}, {}),
    of_rank("the only zero", "Refuted", CIRCLE, ONE, MORE,
            {"kind": "positive_dimension", "A": CENTRE}, identity([UNIT_TERM], ["1", "1"])),
    of_rank("the only zero of three equations", "Proved", ONE_UNIT, TRIANGLE, [],
            {"kind": "isolated_zero", "A": [[["0", "0"]], [["1"]]]},
            identity([UNIT_TERM] * 3, ["1", "1"], SUM)),
    of_rank("the only zero, away from 0", "Proved",
            net([1, 1], {"polynomial": ["1", "-2", "1"]}, None, "activation"), ONE, [],
            {"kind": "isolated_zero", "A": [[["1"]]]}, identity([[["2", []]]], ["2"])),
    of_rank("a regular zero", "Proved", net([1, 1], "linear"), TWO_SIGNS | {
            "x": [["2"]], "y": [["3"]]}, [], {"kind": "isolated_zero", "A": [[["3/2"]]]}, {}),
    of_rank("some zero", "Proved", net([1, 1, 1], "square"), ONE, [], {"kind": "has_zero"},
            {"point": [[["0"]], [["5"]]]}),
    of_rank("no zero", "Refuted", net([1, 1, 1], "square"), TWO_SIGNS, [], {"kind": "has_zero"},
            identity([[["4", [[0, 2], [1, 1]]]], UNIT_TERM], [],
                     [["1", [["2", [[0, 2], [1, 1]]]]]], "1")),
    of_rank("a degenerate minimum", "Refuted", net([1, 1, 1], "square"), TWO_SIGNS, POSITIVE,
            counted("nullity", MINIMUM, 0, 0), {}),
    of_rank("the nullity of tied weights", "Proved",
            net([1, 1, 1], "linear", None, "linear", [[[3]], [[3]]]), WEIGHED_SIGNS | {
            "y": [["3"], ["-5"]]}, [], counted("nullity", [[["0"]], [["0"]]], 0, 0), {}),
    of_rank("two units, one of them dead", "Proved", net([1, 2, 1], "square"), TWO_SIGNS, POSITIVE,
            counted("nullity", [[["1"], ["0"]], [["-3/17", "0"]]], 3, None), {}),
    of_rank("a strict minimum", "Refuted", BENT, VALLEY, [*POSITIVE, MORE[1]],
            counted("nullity", [[["1", "0"]], [["1"]]], 1, None), {}),
    of_rank("all binary quadrics", "Proved", net([2, 2, 1], "square"), PLANE, [],
            counted("neurovariety_dimension", None, 3, 3),
            dimension([[["1", "0"], ["1", "1"]], [["1", "2"]]], "ambient")),
    of_rank("cubes of linear forms", "Proved", net([2, 1, 1], "cube"), PLANE, [],
            counted("neurovariety_dimension", None, 1, 2),
            dimension(AT_PLANE, "fields", fields=[SCALING])),
    of_rank("quadrics of rank one", "Refuted", net([2, 1, 1], "square"), PLANE, [],
            counted("neurovariety_dimension", None, 3, None), dimension(AT_PLANE, "catalecticant")),
    of_rank("lines with a bias", "Proved", net([1, 1], "linear", [True]), ONE, [],
            counted("neurovariety_dimension", None, 2, 2),
            dimension([[["0", "0"]]], "fields", fields=[])),
]  # fmt: skip

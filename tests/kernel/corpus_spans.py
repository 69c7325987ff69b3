"""Valid certificates of the rule ``span``: polylines of matrices, and matrices that none joins."""

from __future__ import annotations

from typing import Any

from kernel.writing import Case, Json, case, net

LAYER = {"kind": "hidden_layers", "count": 0}
WIDER, AS_WIDE = ({"kind": "inputs", "relation": relation} for relation in (">", ">="))


def spans(name: str, outcome: str, a: Json, b: Json, proof: Json, *hypotheses: Json) -> Case:
    """A case about two n x n' matrices."""
    n, width = len(a), len(a[0])
    data = {"x": [["0"] * width], "y": [["0"] * n], "weights": None}
    conclusion: dict[str, Any] = {"kind": "span_path", "A": [a], "B": [b]}
    return case(
        name, outcome, net([width, n], "linear"), data, list(hypotheses), conclusion, "span", proof
    )


ROUND = {"vertices": [[["1", "1/2"]], [["-1", "1/2"]]], "minors": [[0], [1], [0]]}
PLANE = [["1", "0", "2"], ["0", "0", "1/3"]]
SPANS: list[Case] = [
    spans("a row turned round", "Proved", [["1", "0"]], [["-1", "0"]], ROUND, LAYER, WIDER),
    spans(
        "a matrix of rank one gains a column",
        "Proved",
        [["1", "0", "2"], ["0", "0", "0"]],
        [["1", "1/2", "2"], ["0", "-1", "1/3"]],
        {"vertices": [PLANE], "minors": [[0, 2], [0, 2]]},
        WIDER,
    ),
    spans(
        "one segment from zero",
        "Proved",
        [["0", "0"], ["0", "0"]],
        [["1", "2"], ["-1", "3/2"]],
        {"vertices": [], "minors": [[0, 1]]},
        AS_WIDE,
    ),
    spans(
        "within a line of the plane",
        "Proved",
        [["2", "0"], ["4", "0"]],
        [["-1", "0"], ["-2", "0"]],
        {
            "vertices": [[["2", "1"], ["4", "2"]], [["-1", "1"], ["-2", "2"]]],
            "minors": [[0], [1], [0]],
        },
    ),
    spans("zero stays", "Proved", [["0"]], [["0"]], {"vertices": [], "minors": [[]]}),
    spans("a sign", "Refuted", [["1"]], [["-1/2"]], {}, LAYER, AS_WIDE),
    spans(
        "an orientation of the plane",
        "Refuted",
        [["1", "2"], ["0", "3"]],
        [["0", "1"], ["1", "5"]],
        {},
    ),
    spans(
        "an orientation of a plane in space",
        "Refuted",
        [["1", "0"], ["1", "1"], ["0", "1"]],
        [["0", "1"], ["1", "1"], ["1", "0"]],
        {},
    ),
    spans("too few columns", "Refuted", [["1"], ["0"]], [["1"], ["1/7"]], {}),
]

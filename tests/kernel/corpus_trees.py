"""Valid certificates of the rule ``level_tree``; their tables are written down by hand, or by the
slow tree, and only the proofs come from the builder.
"""

from __future__ import annotations

import json
from typing import Any

from kernel.trees import SlowTree
from kernel.writing import RANK1, Case, Json, case, net

from theorylab.model import Dataset, Network
from theorylab.topology.level_trees.tree import level_tree

UNIT_RELU = net([1, 1, 1], "relu")
TWO_SIDES = {"x": [["1"], ["-1"]], "y": [["1"], ["2"]], "weights": None}
EQUAL_SIDES = {"x": [["1"], ["-1"]], "y": [["1"], ["1"]], "weights": None}
NOWHERE = {"x": [["0", "0"]] * 2, "y": [["1"], ["3"]], "weights": None}
THREE = {"x": [["0"], ["1"], ["3"]], "y": [["1"], ["0"], ["2"]], "weights": ["1", "2", "1/2"]}
CUBE = {"x": [["1", "0", "0"], ["0", "1", "0"], ["0", "0", "1"]], "y": [["1"], ["-1"], ["2"]],
        "weights": None}  # fmt: skip
HIGH = [[["1"]], [["1"]]]  # L = 4: fits the sample at 1 only
LOW = [[["-1"]], [["2"]]]  # L = 1: fits the sample at -1 only
TABLE = [["1", 1], ["4", 2], ["5", 1]]


def proof_of(network: Json, data: Json) -> dict[str, Any]:
    """The least-squares solutions of all regions and meetings."""
    read = Dataset.from_rows(data["x"], data["y"], data["weights"])
    form = network["activation"]
    built = Network.dense(network["widths"], form, network["bias"], network["output"])
    return json.loads(json.dumps(level_tree(built, read).proof))  # type: ignore[no-any-return]


def of_tree(name: str, outcome: str, network: Json, data: Json, conclusion: Json) -> Case:
    """A case of the rule."""
    proof = proof_of(network, data)
    return case(name, outcome, network, data, [], conclusion, "level_tree", proof)


def table_of(network: Json, data: Json) -> Json:
    """The slow tree's table as a conclusion."""
    table = SlowTree(network, data).table()[0]
    return {"kind": "level_tree", "levels": [[str(level), n] for level, n in table]}


def counted(u: str, least: int, most: int | None) -> Json:
    """A conclusion on the number of components."""
    return {"kind": "components", "u": u, "at_least": least, "at_most": most}


def _slow(name: str, network: Json, data: Json) -> Case:
    return of_tree(name, "Proved", network, data, table_of(network, data))


LEAKY, BIASED = {"leaky_relu": "-1/2"}, [True, True]
TREES = [
    of_tree("a tree", "Proved", UNIT_RELU, TWO_SIDES, {"kind": "level_tree", "levels": TABLE}),
    of_tree(
        "another tree", "Refuted", UNIT_RELU, EQUAL_SIDES, {"kind": "level_tree", "levels": TABLE}
    ),
    of_tree("two components", "Proved", UNIT_RELU, TWO_SIDES, counted("9/2", 2, 2)),
    of_tree("not three components", "Refuted", UNIT_RELU, TWO_SIDES, counted("9/2", 3, None)),
    of_tree("no component", "Proved", UNIT_RELU, TWO_SIDES, counted("1/2", 0, 0)),
    of_tree(
        "two sides of a tree",
        "Proved",
        UNIT_RELU,
        TWO_SIDES,
        {"kind": "separated", "A": HIGH, "B": LOW, "u": "9/2"},
    ),
    of_tree(
        "not joined in a tree",
        "Refuted",
        UNIT_RELU,
        TWO_SIDES,
        {"kind": "joined", "A": HIGH, "B": LOW, "u": "4"},
    ),
    of_tree(
        "joined in a tree",
        "Proved",
        UNIT_RELU,
        TWO_SIDES,
        {"kind": "joined", "A": HIGH, "B": LOW, "u": "5"},
    ),
    of_tree(
        "trapped in a tree",
        "Proved",
        UNIT_RELU,
        TWO_SIDES,
        {"kind": "trapped", "A": HIGH, "u": "9/2", "v": "4"},
    ),
    of_tree(
        "no descent in a tree",
        "Refuted",
        UNIT_RELU,
        TWO_SIDES,
        {"kind": "descends", "A": HIGH, "v": "1", "eps": "1"},
    ),
    of_tree(
        "the minimum of a tree", "Proved", UNIT_RELU, TWO_SIDES, {"kind": "global_min", "v": "1"}
    ),
    of_tree(
        "not the minimum of a tree",
        "Refuted",
        UNIT_RELU,
        TWO_SIDES,
        {"kind": "global_min", "v": "3/2"},
    ),
    _slow("a tree of two units", net([1, 2, 1], LEAKY), TWO_SIDES),
    _slow("a tree with biases", net([1, 1, 1], "relu", BIASED), THREE),
    _slow("a tree on a line of inputs", net([2, 2, 1], "abs"), RANK1),
    _slow("a tree without inputs", net([2, 2, 1], "relu"), NOWHERE),
    _slow("a linear tree", net([1, 1, 1], "linear", None, "activation"), TWO_SIDES),
]

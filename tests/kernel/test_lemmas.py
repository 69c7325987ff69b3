"""Lemmas 1 to 5, paths: each hypothesis fails alone, and the rule refuses."""

from __future__ import annotations

import pytest
from kernel.breaking import (
    ACTIVATION,
    CASES,
    CONCLUSION,
    DATA,
    OUTPUT,
    PATTERN,
    STEPS,
    A,
    B,
    Break,
    Breaks,
    U,
    assert_refused,
    point,
)
from kernel.mutations import canonical, put
from kernel.writing import UNIT, Json, certificate, move, net

BREAKS = Breaks()
LEAF = [[0, 0]]
# zero at 1/2 and positive elsewhere
TOUCHING = ["1", "-4", "4"]
HALVES = [[1, 0], [1, 1]]


def bound(network: Json, start: Json, end: Json, u: str, *steps: Json) -> Json:
    """A polyline on the one sample (1, 1)."""
    conclusion = {"kind": "joined", "A": start, "B": end, "u": u}
    proof = {"form": "bound", "steps": list(steps)}
    return certificate(network, UNIT, [], conclusion, "polyline", proof)


# Lemma 1: moves

FREE = bound(
    net([1, 1, 1], "linear"), point("-1", "1"), point("1", "1"), "4", move("layer", 1, r0=["1"])
)
BREAKS.add("1a", "the network is linear", FREE, "linear network", (ACTIVATION, "square"))
BREAKS.add(
    "1a", "the network is linear, at level 0", FREE, "linear", (ACTIVATION, "square"), (U, "0")
)
BREAKS.add("1a", "relu is not linear", FREE, "linear network", (ACTIVATION, "relu"))
BREAKS.add(
    "1a", "slope 1/2 is not linear", FREE, "linear network", (ACTIVATION, {"leaky_relu": "1/2"})
)
BREAKS.add(
    "1a", "z + 1 is not linear", FREE, "linear network", (ACTIVATION, {"polynomial": ["1", "1"]})
)
for kind, words in (("output", "last layer"), ("cell", "cell needs"), ("idle", "live unit")):
    BREAKS.add(
        "1",
        f"(w^2-1)^2 from -1 to 1 as {kind}",
        FREE,
        words,
        (ACTIVATION, "square"),
        ((*STEPS, 0, "move"), kind),
        (U, "0"),
    )
TOP = bound(
    net([1, 1, 1], "square"), point("1", "1"), point("1", "2"), "1", move("output", 2, r0=["2"])
)
BREAKS.add("1b", "the output is linear", TOP, "linear output", (OUTPUT, "activation"))
BREAKS.add(
    "1b",
    "the layer is the last",
    TOP,
    "last layer",
    ((*STEPS, 0, "layer"), 1),
    (B, point("2", "1")),
)
BREAKS.add(
    "1b",
    "the layer is the last, named layer",
    TOP,
    "linear network",
    ((*STEPS, 0, "move"), "layer"),
)

DEAD = bound(
    net([1, 1, 1], "step", [False, True]),
    [[["1"]], [["0", "5"]]],
    [[["-7"]], [["0", "5"]]],
    "16",
    move("idle", 1, r0=["-7"]),
)
ALIVE = [[["1"]], [["1/1000000000", "5"]]]
BREAKS.add(
    "1c",
    "the unit is dead",
    DEAD,
    "live unit",
    (A, ALIVE),
    (B, [[["-7"]], ALIVE[1]]),
    (U, "17"),
)
BREAKS.add(
    "1c",
    "a dead bias is not a dead unit",
    DEAD,
    "live unit",
    (A, [[["1"]], [["5", "0"]]]),
    (B, [[["-7"]], [["5", "0"]]]),
)
BREAKS.add(
    "1c",
    "the layer is hidden",
    DEAD,
    "hidden layer only",
    (STEPS, [move("idle", 2, r0=["0", "5"])]),
    (B, [[["1"]], [["0", "5"]]]),
)
UNSEEN = "relu: unchanged pre-activations, output, cell"
BREAKS.add(
    "1c",
    "the pre-activations stay",
    UNSEEN,
    "live unit",
    ((*STEPS, 0, "rows", 0, 1), ["3", "-999999999/1000000000"]),
)
BREAKS.add(
    "1c",
    "the pre-activations stay on all data",
    UNSEEN,
    "live unit",
    ((*DATA, "x", 1), ["-2", "-3"]),
)
TWO_ROWS = "cube with bias, two idle rows at once"
BREAKS.add("1c", "every changed row is dead", TWO_ROWS, "live unit", ((*STEPS, 0, "rows", 0, 0), 0))
DEEP = "relu, two hidden layers, every kind but layer"
BREAKS.add(
    "1c",
    "dead in the layer above, not in another",
    DEEP,
    "live unit",
    ((*STEPS, 0, "layer"), 2),
    ((*STEPS, 0, "rows"), [[0, ["1", "1", "1"]]]),
)

CELL = bound(
    net([1, 1, 1], "abs"), point("1", "1"), point("0", "1"), "1", move("cell", 1, r0=["0"])
)
BELOW = "-1/1000000000"
BREAKS.add(
    "1d",
    "the signs agree",
    CELL,
    "changes sign",
    ((*STEPS, 0, "rows", 0, 1), [BELOW]),
    (B, point(BELOW, "1")),
)
BREAKS.add(
    "1d",
    "the signs agree though the ends do",
    CELL,
    "changes sign",
    ((*STEPS, 0, "rows", 0, 1), ["-1"]),
    (B, point("-1", "1")),
)
BREAKS.add("1d", "the activation is continuous", CELL, "cell needs", (ACTIVATION, "step"))
BREAKS.add(
    "1d", "the activation is linear on each side", CELL, "cell needs", (ACTIVATION, "square")
)
BREAKS.add("1d", "the output is linear", CELL, "linear output", (OUTPUT, "activation"))
BREAKS.add(
    "1d",
    "the layer is the last hidden one",
    DEEP,
    "last hidden",
    ((*STEPS, 3), move("cell", 1, r0=["2"])),
)
BREAKS.add(
    "1d",
    "the layer is hidden",
    CELL,
    "last hidden",
    ((*STEPS, 0, "layer"), 2),
    (B, point("1", "0")),
)

TIED = "shared and frozen entries"
BREAKS.add(
    "1", "a frozen entry stays", TIED, "pattern", ((*STEPS, 3, "rows", 0), [1, ["1/2", "1", "-8"]])
)
BREAKS.add(
    "1",
    "shared entries stay equal",
    TIED,
    "pattern",
    ((*STEPS, 1, "rows", 0), [0, ["2", "-1", "3"]]),
)
BREAKS.add("1", "a row is moved once", TWO_ROWS, "malformed", ((*STEPS, 0, "rows", 0, 0), 2))

# Lemma 2: bound

SQUARE = "square, dead row and output"
BREAKS.add("2", "A is at most u", FREE, "starts above", (U, "3999999999/1000000000"))
UP = bound(
    net([1, 1, 1], "linear"),
    point("1", "1"),
    point("1", "1"),
    "1",
    move("layer", 1, r0=["2"]),
    move("layer", 1, r0=["1"]),
)
BREAKS.add("2", "every vertex is at most u", UP, "exceeds", (U, "999999999/1000000000"))
BREAKS.add("2", "the path ends at B", UP, "end at B", (B, point("1", "1000000001/1000000000")))
BREAKS.add("2", "the path ends at B, not before", UP, "end at B", (STEPS, UP["proof"]["steps"][:1]))
BREAKS.add(
    "2",
    "a bound says nothing on descents",
    UP,
    "says nothing",
    (CONCLUSION, {"kind": "descends", "A": point("1", "1"), "v": "0", "eps": "1"}),
)

# Lemma 3: monotone

FALL = "linear to zero loss"
DIP = certificate(
    net([1, 1, 1], "linear"),
    UNIT,
    [],
    {"kind": "descends", "A": point("1", "0"), "v": "0", "eps": "1/4"},
    "polyline",
    {"form": "monotone", "steps": [move("output", 2, r0=["1/2"])], "optimum": {"by": "zero"}},
)
BREAKS.add(
    "3",
    "no dip and rise inside a segment",
    DIP,
    "non-increasing",
    ((*STEPS, 0, "rows", 0, 1), ["3/2"]),
)
BREAKS.add(
    "3",
    "no dip of 10^-9",
    DIP,
    "non-increasing",
    ((*STEPS, 0, "rows", 0, 1), ["1000000001/1000000000"]),
)
BREAKS.add("3", "no rise", DIP, "non-increasing", ((*STEPS, 0, "rows", 0, 1), ["-1/2"]))
BREAKS.add(
    "3",
    "the end is at most v + eps",
    DIP,
    "ends above",
    ((*CONCLUSION, "eps"), "249999999/1000000000"),
)
BREAKS.add(
    "3", "eps is not negative", FALL, "eps", ((*CONCLUSION, "eps"), "-1"), ((*CONCLUSION, "v"), "1")
)
BREAKS.add("3", "v is a lower bound", DIP, "lower bound", ((*CONCLUSION, "v"), "1/1000000000"))
BREAKS.add("3", "the form is monotone", DIP, "says nothing", (("proof", "form"), "bound"))

# Lemma 4: rational pieces

RATIO, ARCH, CUBE = (
    "a denominator that moves",
    "square over the arch, leaves",
    "cube falls along a piece",
)
PIECE = (*STEPS, 0, "piece", 0)
BREAKS.add(
    "4",
    "the piece starts at the vertex",
    RATIO,
    "does not start",
    (A, point("500000001/1000000000", "1")),
)
CONSTANT = put(
    put(
        CASES[ARCH],
        STEPS,
        [
            {
                "piece": [{"layer": 1, "numerator": [[["1"]]], "denominator": ["1"]}],
                "loss": {"numerator": [], "denominator": ["1"]},
                "denominators": [HALVES],
                "loss_denominator": HALVES,
                "leaves": LEAF,
            }
        ],
    ),
    CONCLUSION,
    {"kind": "joined", "A": point("1", "1"), "B": point("1", "1"), "u": "0"},
)
FIRST = (*STEPS, 0)
BREAKS.add(
    "4",
    "no denominator touches zero",
    CONSTANT,
    "denominator is not",
    ((*FIRST, "piece", 0, "denominator"), TOUCHING),
    ((*FIRST, "piece", 0, "numerator"), [[TOUCHING]]),
)
BREAKS.add(
    "4",
    "the denominator of the loss does not",
    CONSTANT,
    "denominator of the loss",
    ((*FIRST, "loss", "denominator"), TOUCHING),
)
BREAKS.add(
    "4",
    "the denominator is positive",
    CONSTANT,
    "denominator is not",
    ((*FIRST, "piece", 0, "denominator"), ["-1"]),
    ((*FIRST, "piece", 0, "numerator"), [[["-1"]]]),
)
BREAKS.add(
    "4",
    "the loss is the claimed one",
    RATIO,
    "claimed loss",
    ((*FIRST, "loss", "numerator"), ["9", "-18", "9000000001/1000000000"]),
)
BREAKS.add(
    "4",
    "the loss is at most u inside",
    ARCH,
    "sign along",
    (U, "999999999/1000000000"),
    ((*DATA, "y"), [["1"]]),
    ((*STEPS, 1), move("output", 2, r0=["1"])),
    (B, point("-1", "1")),
)
BREAKS.add(
    "4",
    "the loss falls along the piece",
    RATIO,
    "sign along",
    (A, point("2", "1")),
    ((*PIECE, "numerator"), [[["4", "-3"]]]),
    ((*PIECE, "denominator"), ["2"]),
    ((*FIRST, "loss"), {"numerator": ["0", "0", "9"], "denominator": ["4"]}),
)
BREAKS.add("4", "the network is dense", CONSTANT, "dense", (PATTERN, [None, None]))
BREAKS.add("4", "the activation is a polynomial", CONSTANT, "polynomials", (ACTIVATION, "relu"))
BREAKS.add(
    "4",
    "a layer moves once",
    CONSTANT,
    "twice",
    ((*FIRST, "piece"), CONSTANT["proof"]["steps"][0]["piece"] * 2),
    ((*FIRST, "denominators"), [HALVES] * 2),
)
BREAKS.add(
    "4",
    "the shape is that of the layer",
    CONSTANT,
    "shape",
    ((*FIRST, "piece", 0, "numerator"), [[["1"], []]]),
)
BREAKS.add(
    "4",
    "the end of a piece is the next start",
    ARCH,
    "end at B",
    ((*STEPS, 1), move("output", 2, r0=["2"])),
    (B, point("1", "2")),
)
BREAKS.add("4", "pieces belong to the rule path", ARCH, "keys", (("rule",), "polyline"))

# Lemma 5: Bernstein

for hypothesis, leaves in {
    "a gap": [[2, 0], [2, 2], [2, 3]],
    "an overlap": [[2, 0], [2, 1], [1, 0], [1, 1]],
    "the end is missing": [[2, 0], [2, 1], [2, 2]],
    "the start is missing": [[2, 1], [2, 2], [2, 3]],
    "beyond the end": [[2, i] for i in range(5)],
    "another order": [[2, 1], [2, 0], [2, 2], [2, 3]],
    "nothing": [],
    "a leaf twice": [[2, 0], [2, 0], [2, 1], [2, 2], [2, 3]],
    "too coarse": LEAF,
}.items():
    BREAKS.add(
        "5",
        f"the leaves tile [0, 1]: {hypothesis}",
        ARCH,
        "sign along",
        ((*FIRST, "leaves"), leaves),
    )
BREAKS.add(
    "5",
    "leaves of a denominator",
    RATIO,
    "denominator is not",
    ((*FIRST, "denominators"), [[[1, 0]]]),
)
BREAKS.add(
    "5", "leaves of the loss", RATIO, "of the loss", ((*FIRST, "loss_denominator"), [[1, 1]])
)
BREAKS.add("5", "no leaf is above level 256", CONSTANT, "level", ((*FIRST, "leaves"), [[257, 0]]))
BREAKS.add("5", "no index is negative", CONSTANT, "index", ((*FIRST, "leaves"), [[0, -1], [0, 0]]))


@pytest.mark.parametrize("one", BREAKS, ids=lambda one: one.name)
def test_only_this_hypothesis_fails(one: Break) -> None:
    assert_refused(one)


def test_no_two_tests_are_the_same() -> None:
    assert len({one.name for one in BREAKS}) == len(BREAKS)
    assert len({canonical(one.broken) for one in BREAKS}) == len(BREAKS)

"""Lemmas 28 to 32 and the ridge: each hypothesis fails alone and is refused."""

from __future__ import annotations

import json

import pytest
from kernel.breaking import (
    ACTIVATION,
    BIAS,
    CASES,
    CONCLUSION,
    DATA,
    HYPOTHESES,
    NETWORK,
    OUTPUT,
    PATTERN,
    A,
    B,
    Break,
    Breaks,
    U,
    assert_refused,
    point,
)
from kernel.corpus_walls import BRACKETS, ONE, STUDENT, TEACHER, components, walled
from kernel.mutations import canonical, put
from kernel.writing import UNIT, Json, certificate, net

from theorylab.kernel import Proved, Rejected, check

BREAKS = Breaks()
WALL, POINTS = ("proof", "walls", 0), ("proof", "points")
RIDGE = ("statement", "ridge")
X, Y, WEIGHTS = (*DATA, "x"), (*DATA, "y"), (*DATA, "weights")

# Lemma 28: labels

CHAIN, OVER = "walls of two determinants", "more components than said"
ONE_WALL = "walls of an identity"
BREAKS.add("28", "the points have different labels", ONE_WALL, "show 1", ((*POINTS, 1), ONE))
BREAKS.add("28", "every point is at most u", ONE_WALL, "above the level",
           ((*POINTS, 1), point("-2", "-1")))  # fmt: skip
BREAKS.add("28", "all walls are above u", CHAIN, "not below the wall", (U, "1"))
BREAKS.add("28", "one wall shows two", CHAIN, "show 2",
           (("proof", "walls"), [CASES[CHAIN]["proof"]["walls"][0]]))  # fmt: skip
BREAKS.add("28", "as many as said", CHAIN, "show 4", ((*CONCLUSION, "at_least"), 5))
BREAKS.add("28", "no bound from above is shown", CHAIN, "show 4", ((*CONCLUSION, "at_most"), 4))
BREAKS.add("28", "four do not refute at most four", OVER, "show 4", ((*CONCLUSION, "at_most"), 4))
BREAKS.add("28", "A and B have different labels", "kinks separate", "not on different sides",
           (B, TEACHER))  # fmt: skip
BREAKS.add("28", "B is at most u", "kinks separate", "above the level",
           (B, [[["1", "-4"], ["1", "0"]], [["-1", "2"]]]))  # fmt: skip
BREAKS.add("28", "no walls, one component", ONE_WALL, "show 1", (("proof", "walls"), []))
BREAKS.add("28", "points are counted", "kinks separate", "points are for",
           (POINTS, [TEACHER, STUDENT]))  # fmt: skip
BREAKS.add("28", "with a ridge nothing is permuted", "kinks with a ridge", "show 1",
           (POINTS, [TEACHER]))  # fmt: skip
BREAKS.add("28", "with a pattern nothing is permuted", "kinks in two brackets", "show 1",
           (PATTERN, [None, None]))  # fmt: skip
BREAKS.add("28", "only kinks are permuted", "kinks in two brackets", "show 1",
           (("proof", "walls"), [CASES["kinks separate"]["proof"]["walls"][0]] * 2))  # fmt: skip
BREAKS.add("28", "a wall is of a known kind", ONE_WALL, "kind of wall", ((*WALL, "kind"), "line "))

# Lemma 29: determinants

SQUARE, NARROW = "a determinant separates", "a determinant at a bottleneck"
BREAKS.add("29", "the network is linear", SQUARE, "linear", (ACTIVATION, "relu"))
BREAKS.add("29", "there is no bias", SQUARE, "no bias", (BIAS, [False, True]),
           ((*A, 1), [["2", "0", "0"], ["0", "1", "0"]]),
           ((*B, 1), [["-2", "0", "0"], ["0", "1", "0"]]))  # fmt: skip
BREAKS.add("29", "U has rank r", SQUARE, "dependent", ((*WALL, "frame"), [["1", "1"], ["1", "1"]]))
BREAKS.add("29", "U is not 0", SQUARE, "dependent", ((*WALL, "frame"), [["0", "0"], ["0", "0"]]),
           ((*WALL, "gap"), "1000"))  # fmt: skip
BREAKS.add("29", "the gap is one", NARROW, "gap", ((*WALL, "gap"), "301/100"))
BREAKS.add("29", "the gap is one on U", NARROW, "gap", ((*WALL, "frame"), [["1"], ["1"]]))
BREAKS.add("29", "u is below the wall", NARROW, "not below", (U, "4"))
BREAKS.add("29", "fit is least squares", SQUARE, "least-squares", ((*WALL, "fit", 0, 0), "1"))
BREAKS.add("29", "Z is semidefinite", NARROW, "Z is not", ((*WALL, "Z", 1, 1), "-1"))
BREAKS.add("29", "mu I + Z >= S", NARROW, "mu I", ((*WALL, "mu"), "1/2"))
BREAKS.add("29", "k is a hidden layer", SQUARE, "hidden layer", ((*WALL, "layer"), 2))
BREAKS.add(
    "29", "U has the width of the layer", SQUARE, "shape", ((*WALL, "frame"), [["1"], ["0"]])
)

# Lemma 30: features

FEATURES, RELU = "features of a square", "features of relu"
BREAKS.add("30", "rho is continuous", RELU, "continuous", (ACTIVATION, "step"), (HYPOTHESES, []))
BREAKS.add("30", "no bias above", FEATURES, "without bias", (BIAS, [False, True]),
           ((*A, 1), [["2", "0", "0"], ["0", "1", "0"]]),
           ((*B, 1), [["0", "2", "0"], ["1", "0", "0"]]))  # fmt: skip
BREAKS.add("30", "the output is linear", FEATURES, "linear", (OUTPUT, "activation"))
BREAKS.add("30", "V has rank r", RELU, "dependent", ((*WALL, "frame"), [["1", "1"], ["1", "1"]]))
BREAKS.add("30", "the gap is one", RELU, "gap", ((*WALL, "gap"), "11/10"))
BREAKS.add("30", "the gap is one with the weights", FEATURES, "gap", (WEIGHTS, ["1", "3/4"]))
BREAKS.add("30", "u is below the wall", RELU, "not below", (U, "1"))
DEEPER = certificate(
    net([2, 2, 2, 2], "linear"), CASES[RELU]["statement"]["data"], [], components("1/2", 2),
    "barrier",
    walled([{**CASES[RELU]["proof"]["walls"][0], "layer": 1}],
           [[*layers, [["1", "0"], ["0", "1"]]] for layers in (
               [[["1", "0"], ["0", "1"]], [["2", "0"], ["0", "1"]]],
               [[["0", "1"], ["1", "0"]], [["0", "2"], ["1", "0"]]],
           )]),
)  # fmt: skip
BREAKS.add("30", "the layers above are linear", DEEPER, "linear", (ACTIVATION, "relu"))

for other in ("square", "step", "linear"):
    BREAKS.add("16", f"{other} is not homogeneous", RELU, "not homogeneous", (ACTIVATION, other))

# Lemma 31: one unit

UNIT_LAYER, TWO_OUTPUTS = "a narrow layer", "a narrow layer of two outputs"
BREAKS.add("31a", "the layer is one unit", UNIT_LAYER, "one unit", ((*WALL, "layer"), 2))
BREAKS.add("31a", "no bias above", TWO_OUTPUTS, "no bias", (BIAS, [False, True]),
           ((*POINTS, 0, 1), [["2/5", "0"], ["0", "0"]]),
           ((*POINTS, 1, 1), [["-2/5", "0"], ["0", "0"]]))  # fmt: skip
BREAKS.add("31a", "the features keep their sign", TWO_OUTPUTS, "homogeneous",
           (ACTIVATION, {"leaky_relu": "1/2"}))  # fmt: skip
BREAKS.add("31a", "rho is homogeneous", UNIT_LAYER, "homogeneous",
           (ACTIVATION, {"polynomial": ["0", "1", "1"]}))  # fmt: skip
BREAKS.add("31a", "rho has no constant", UNIT_LAYER, "homogeneous",
           (ACTIVATION, {"polynomial": ["1"]}))  # fmt: skip
BREAKS.add("31a", "rho is continuous", UNIT_LAYER, "homogeneous", (ACTIVATION, "step"))
BREAKS.add("31a", "u is below the wall", UNIT_LAYER, "not below", (U, "3"))
BREAKS.add("31a", "u is below the wall for a long c", TWO_OUTPUTS, "not below",
           ((*WALL, "direction"), ["1", "1"]))  # fmt: skip
BREAKS.add("31a", "c is not 0", TWO_OUTPUTS, "not below", ((*WALL, "direction"), ["0", "0"]))
LINE, BIASED = "one unit on a line", "one unit on a line, with biases"
BREAKS.add("31b", "one unit in layer 1", LINE, "one unit", ((*NETWORK, "widths", 1), 2),
           ((*POINTS, 0), [[["1"], ["0"]], [["1", "0"]]]),
           ((*POINTS, 1), [[["-1"], ["0"]], [["2", "0"]]]))  # fmt: skip
BREAKS.add("31b", "d is not 0", LINE, "direction", ((*WALL, "direction"), ["0"]))
BREAKS.add("31b", "all inputs are on the line", BIASED, "on no such line", ((*X, 2), ["3", "4"]))
BREAKS.add("31b", "d is its direction", BIASED, "on no such line",
           ((*WALL, "direction"), ["1", "2"]))  # fmt: skip
BREAKS.add("31b", "u is below the variance", BIASED, "not below", (U, "2"))
BREAKS.add("31b", "u is below |Y|^2", LINE, "not below", (U, "5"))
BREAKS.add("31b", "a bias leaves the variance", LINE, "not below", (BIAS, [True, False]),
           ((*POINTS, 0, 0), [["1", "0"]]), ((*POINTS, 1, 0), [["-1", "0"]]))  # fmt: skip
BREAKS.add("31b", "rho(0) leaves the variance", LINE, "not below",
           (ACTIVATION, {"polynomial": ["1", "1"]}))  # fmt: skip

# Lemma 32: kinks

TWO, APART = "kinks in two brackets", "kinks separate"
KINKS: Json = (*WALL, "brackets")
BREAKS.add("32", "one hidden layer", TWO, "one hidden layer", ((*NETWORK, "widths"), [1, 2, 1, 1]),
           (BIAS, [True, False, False]), (POINTS, [[*TEACHER, [["1"]]]]))  # fmt: skip
BREAKS.add("32", "the output is linear", TWO, "one hidden layer", (OUTPUT, "activation"))
BREAKS.add("32", "rho is continuous and sided", TWO, "relu-like", (ACTIVATION, "step"))
BREAKS.add("32", "rho bends at 0 only", TWO, "relu-like", (ACTIVATION, "square"))
BREAKS.add("32", "one bracket for each unit", TWO, "for each unit", (KINKS, [[0, 1, 2]]))
BREAKS.add("32", "no bracket too many", TWO, "for each unit",
           (KINKS, [[0, 1, 2], [2, 3, 4], [3, 4, 5]]))  # fmt: skip
BREAKS.add("32", "brackets are disjoint", TWO, "overlap", (KINKS, [[0, 1, 3], [2, 4, 5]]))
BREAKS.add("32", "brackets are in order", TWO, "overlap", (KINKS, [[3, 4, 5], [0, 1, 2]]))
BREAKS.add("32", "the middle is inside", TWO, "overlap", (KINKS, [[0, 2, 1], [3, 4, 5]]))
BREAKS.add("32", "u is below each gap", TWO, "without a kink", (U, "1/6"))
BREAKS.add("32", "u is below the gap of the weights", TWO, "without a kink",
           (WEIGHTS, ["1", "1/9", "1", "1", "1", "1"]))  # fmt: skip
BREAKS.add("32", "the targets bend", TWO, "without a kink", ((*Y, 1), ["1/2"]))


def two_lines() -> Json:
    """CLAIMS C10: each triple is on a line of its own, and {L <= 0} is connected."""
    data = {
        "x": [["-1", "1"], ["0", "1"], ["1", "1"], ["-1", "2"], ["0", "2"], ["1", "2"]],
        "y": [["0"], ["0"], ["1"], ["0"], ["0"], ["1"]],
        "weights": None,
    }
    point = [[["1", "0"], ["0", "0"]], [["1", "0"]]]
    wall = {"kind": "kinks", "brackets": [[0, 1, 2], [3, 4, 5]]}
    proof = walled([wall], [point])
    return certificate(net([2, 2, 1], "relu"), data, [], components("0", 2), "barrier", proof)


def shared_kink() -> Json:
    """CLAIMS C10: one kink at 3/4 serves two brackets that overlap."""
    data = {
        "x": [["-1"], ["0"], ["1"], ["2"]],
        "y": [["0"], ["0"], ["1/2"], ["3/2"]],
        "weights": None,
    }
    point = [[["1", "-1/2"], ["0", "0"]], [["1", "0"]]]
    wall = {"kind": "kinks", "brackets": [[0, 1, 2], [1, 2, 3]]}
    return certificate(BRACKETS, data, [], components("0", 2), "barrier", walled([wall], [point]))


@pytest.mark.parametrize(
    ("forged", "reason"), [(two_lines(), "off the line"), (shared_kink(), "overlap")]
)
def test_brackets_that_one_unit_could_serve_are_refused(forged: Json, reason: str) -> None:
    found = check(canonical(forged))
    assert isinstance(found, Rejected)
    assert reason in found.reason


def test_gaps_need_not_be_even() -> None:
    """The same data without the samples at 0 and 4: kinks in (-1, 1) and (3, 5) no more needed."""
    data = {
        "x": [["-1"], ["1/2"], ["1"], ["3"], ["9/2"], ["5"]],
        "y": [["0"], ["1/2"], ["1"], ["3"], ["4"], ["4"]],
        "weights": None,
    }
    at = {"kind": "kinks", "brackets": [[0, 1, 2], [3, 4, 5]]}
    proof = walled([at], [TEACHER])
    for u, fine in (("1/60", True), ("1/20", False)):
        raw = canonical(certificate(BRACKETS, data, [], components(u, 2), "barrier", proof))
        assert isinstance(check(raw), Proved) == fine, u


# The ridge

RIDGED, IDLE = "a loss with a ridge", "a polyline with a ridge"
FALLING, PIECE = "a monotone polyline with a ridge", "a piece with a ridge"
BREAKS.add("ridge", "it is a hypothesis", RIDGED, "is a hypothesis", (HYPOTHESES, []))
BREAKS.add("ridge", "common means equal", RIDGED, "common_ridge", ((*HYPOTHESES, 0, "kind"),
           "common_ridge"))  # fmt: skip
BREAKS.add("ridge", "one number for each weight", RIDGED, "each entry", (RIDGE, ["1"]))
BREAKS.add("ridge", "it is not negative", RIDGED, "not negative", (RIDGE, ["-1", "4"]))
BREAKS.add("ridge", "it is not 0", RIDGED, "not all zero", (RIDGE, ["0", "0"]))
BREAKS.add("ridge", "the network is dense", RIDGED, "dense", (PATTERN, [None, None]))
BREAKS.add("ridge", "an idle move is not free", IDLE, "exceeds the level", (U, "5/4"))
BREAKS.add("ridge", "an idle move may rise", FALLING, "non-increasing",
           (("proof", "steps", 0, "rows", 0, 1), ["-3"]))  # fmt: skip
BREAKS.add("ridge", "the ends alone do not show a fall", FALLING, "non-increasing",
           (("proof", "steps", 0, "rows", 0, 1), ["1"]))  # fmt: skip
BREAKS.add(
    "ridge",
    "it counts along a piece",
    PIECE,
    "not the loss",
    (RIDGE, ["1", "2"]),
    ((*HYPOTHESES, 0, "kind"), "ridge"),
)
BREAKS.add("ridge", "it counts in an identity", "walls of an identity with a ridge", "identity",
           (RIDGE, ["1/4", "1/5"]), ((*HYPOTHESES, 0, "kind"), "ridge"))  # fmt: skip
BREAKS.add("ridge", "it counts at a local minimum", "the origin is a minimum with a ridge",
           "identity", (RIDGE, ["1", "0"]), ((*HYPOTHESES, 0, "kind"), "ridge"))  # fmt: skip
BREAKS.add("ridge", "it counts at the points", "kinks with a ridge", "above the level",
           (RIDGE, ["1", "0", "0", "0", "0", "1"]))  # fmt: skip


@pytest.mark.parametrize("one", BREAKS, ids=lambda one: one.name)
def test_only_this_hypothesis_fails(one: Break) -> None:
    assert_refused(one)


def test_no_two_tests_are_the_same() -> None:
    assert len({one.name for one in BREAKS}) == len(BREAKS)
    assert len({canonical(one.broken) for one in BREAKS}) == len(BREAKS)


def with_ridge(whole: Json) -> Json:
    """The certificate with a common ridge, named among its hypotheses."""
    widths, bias = (whole["statement"]["network"][key] for key in ("widths", "bias"))
    size = sum(r * (c + int(b)) for r, c, b in zip(widths[1:], widths, bias, strict=False))
    made = json.loads(json.dumps(whole))
    made["statement"]["ridge"] = ["1"] * size
    made["statement"]["hypotheses"] = [{"kind": "common_ridge"}]
    return made


@pytest.mark.parametrize("rule", ["root", "rank", "approximation", "symmetry", "level_tree"])
def test_rules_for_the_plain_loss_refuse_a_ridge(rule: str) -> None:
    raw = canonical(put(with_ridge(certificate(net([1, 1, 1], "linear"), UNIT, [], {
        "kind": "local_min", "A": ONE}, "optimum", {})), ("rule",), rule))  # fmt: skip
    found = check(raw)
    assert isinstance(found, Rejected)
    assert "without ridge" in found.reason


@pytest.mark.parametrize("by", ["orthogonal", "ky-fan", "dead-layer"])
def test_bounds_of_the_plain_loss_refuse_a_ridge(by: str) -> None:
    chosen = [
        one
        for one in CASES.values()
        if f'"by": "{by}"' in json.dumps(one) and one["statement"]["network"]["pattern"] is None
    ]
    assert chosen
    found = [check(canonical(with_ridge(one))) for one in chosen]
    reasons = [one.reason for one in found if isinstance(one, Rejected)]
    assert len(reasons) == len(chosen)
    assert any("without ridge" in reason for reason in reasons)


def test_a_plain_theorem_is_not_the_name_of_a_ridge() -> None:
    """Without a ridge the hypothesis is refused, with one the plain list of hypotheses is."""
    conclusion = {"kind": "relation", "left": "0", "op": "==", "right": {"loss": ONE}}
    whole = certificate(net([1, 1, 1], "linear"), UNIT, [], conclusion, "witness", {})
    assert isinstance(check(canonical(whole)), Proved)
    named = put(whole, HYPOTHESES, [{"kind": "ridge"}])
    assert isinstance(check(canonical(named)), Rejected)
    both = put(named, ("statement", "ridge"), ["1", "1"])
    assert not isinstance(check(canonical(both)), Proved)

"""Lemmas 6 to 17, walls, minima, refutations: each hypothesis fails alone and is refused."""

from __future__ import annotations

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
from kernel.mutations import canonical
from kernel.writing import MINUS

BREAKS = Breaks()

# Lemmas 6 and 7: combinations, walls and traps

WALL, TRAP, CAUGHT = "a wall separates", "descends refuted by a trap", "trapped"
PROOF = ("proof",)
BREAKS.add("6", "d >= 0", WALL, "negative", ((*PROOF, "squares", 0, 0), "-1"))
BREAKS.add("6", "c >= 0", TRAP, "negative", ((*PROOF, "side", 0, 0), "-2"))
BREAKS.add("7", "the margin is positive", WALL, "margin", (U, "1"), ((*PROOF, "margin"), "0"))
BREAKS.add("7", "the margin is not negative", WALL, "margin", (U, "2"), ((*PROOF, "margin"), "-1"))
BREAKS.add(
    "7", "the identity holds", WALL, "identity", ((*PROOF, "margin"), "500000001/1000000000")
)
BREAKS.add("7", "the identity holds at this u", WALL, "identity", (U, "499999999/1000000000"))
BREAKS.add("7", "A and B on different sides", WALL, "different sides", (B, point("1", "1")))
BREAKS.add("7", "no point of the wall is at most u", WALL, "A lies above", (A, point("1", "-1")))
BREAKS.add("7", "A is at most u", WALL, "A lies above", (A, point("2", "1")))
BREAKS.add("7", "B is at most u", WALL, "B lies above", (B, point("-2", "-1")))
BREAKS.add("7", "no entry is tied", WALL, "identity", (PATTERN, [[[0]], [[0]]]))
BREAKS.add(
    "7",
    "the activation is a polynomial",
    WALL,
    "polynomial",
    (ACTIVATION, "relu"),
    (("statement", "hypotheses"), []),
)
BREAKS.add("7", "a separation is no trap", WALL, "belong", ((*PROOF, "v"), "0"))
BREAKS.add("7", "trap: A is not above u", TRAP, "A lies above", (A, point("-100", "-1/10")))
BREAKS.add(
    "7", "trap: A is on the guarded side", TRAP, "identity on A's side", (A, point("3", "1"))
)
BREAKS.add("7", "trap: A is not on the wall", TRAP, "above", (A, point("3", "0")))
BREAKS.add(
    "7", "trap: the sign of a side term", TRAP, "identity on A's side", ((*PROOF, "side", 2, 1), 0)
)
BREAKS.add(
    "7", "trap: a power of the wall is 0 or 1", TRAP, "side term", ((*PROOF, "side", 2, 1), 2)
)
BREAKS.add(
    "7",
    "trap: v of the side",
    TRAP,
    "identity on A's side",
    ((*PROOF, "v"), "2000000001/1000000000"),
)
BREAKS.add(
    "7", "trap: the lower point is lower", TRAP, "not lower", ((*PROOF, "lower"), point("3", "-1"))
)
BREAKS.add("7", "trap: u of the statement", CAUGHT, "not the conclusion", (U, "20"))
BREAKS.add("7", "trap: v of the statement", CAUGHT, "not the conclusion", ((*CONCLUSION, "v"), "1"))

# Lemmas 8 to 10: lower bounds

ZERO = "zero loss"
BREAKS.add("8", "the loss is v", ZERO, "not attained", (("proof", "point"), point("1", "2")))
BREAKS.add(
    "8",
    "v is not above 0",
    ZERO,
    "not attained",
    (("proof", "point"), point("1", "2")),
    ((*CONCLUSION, "v"), "1"),
)
INPUTS, MONOMIALS = "orthogonal inputs with bias", "orthogonal monomials with a constant"
WALLS, DISTINCT = (
    "orthogonal walls of step in two dimensions",
    "orthogonal distinct, activated output",
)
FEATURES = ("proof", "optimum", "features")
NEAR = "5000000003/3000000000"
BREAKS.add(
    "9", "the residual is orthogonal", WALLS, "not orthogonal", (("proof", "point", 1, 0, 0), NEAR)
)
BREAKS.add("9", "orthogonal with the weights", WALLS, "not orthogonal", ((*DATA, "weights"), None))
BREAKS.add("9", "inputs: the network is linear", INPUTS, "linear networks", (ACTIVATION, "relu"))
BREAKS.add(
    "9",
    "inputs: with the ones of a bias",
    INPUTS,
    "not orthogonal",
    (("proof", "point", 1, 0), ["6/7", "0"]),
)
BREAKS.add("9", "monomials: a polynomial", MONOMIALS, "polynomial", (ACTIVATION, "relu"))
BREAKS.add(
    "9",
    "monomials: of every degree",
    MONOMIALS,
    "not orthogonal",
    (ACTIVATION, {"polynomial": ["1", "1", "2"]}),
)
BREAKS.add(
    "9",
    "monomials: one hidden layer",
    MONOMIALS,
    "one hidden layer",
    ((*NETWORK, "widths"), [1, 2, 1, 1]),
    (BIAS, [False] * 3),
    (("proof", "point"), [[["1"], ["0"]], [["1", "1"]], [["1"]]]),
)
BREAKS.add(
    "9", "monomials: the output is linear", MONOMIALS, "linear output", (OUTPUT, "activation")
)
BREAKS.add("9", "walls: no polynomial", WALLS, "walls are for", (ACTIVATION, "square"))
BREAKS.add("9", "walls: the output is linear", WALLS, "linear output", (OUTPUT, "activation"))
BREAKS.add(
    "9", "walls: not of other inputs", WALLS, "not orthogonal", ((*DATA, "x", 1), ["0", "1"])
)
BREAKS.add("9", "distinct: of these inputs", DISTINCT, "not orthogonal", ((*DATA, "x", 1), ["2"]))
BREAKS.add("9", "a known feature space", WALLS, "features must be", (FEATURES, "rays"))
KY_FAN = "Ky Fan"
OPTIMUM = ("proof", "optimum")
BREAKS.add(
    "10",
    "Z is semidefinite",
    KY_FAN,
    "Z is not",
    ((*OPTIMUM, "Z"), [["3", "0"], ["0", "-1/1000000000"]]),
)
BREAKS.add(
    "10",
    "Z is semidefinite off the diagonal",
    KY_FAN,
    "Z is not",
    ((*OPTIMUM, "Z"), [["3", "1"], ["1", "0"]]),
)
BREAKS.add("10", "Z is symmetric", KY_FAN, "Z is not", ((*OPTIMUM, "Z"), [["3", "1"], ["0", "1"]]))
BREAKS.add(
    "10",
    "mu is not negative",
    KY_FAN,
    "mu must",
    ((*OPTIMUM, "mu"), "-1"),
    ((*OPTIMUM, "Z"), [["5", "0"], ["0", "2"]]),
)
BREAKS.add(
    "10",
    "S <= mu I + Z",
    KY_FAN,
    "mu I",
    ((*OPTIMUM, "Z"), [["2999999999/1000000000", "0"], ["0", "0"]]),
)
BREAKS.add(
    "10", "S <= mu I + Z with less mu", KY_FAN, "mu I", ((*OPTIMUM, "mu"), "999999999/1000000000")
)
BREAKS.add(
    "10",
    "the fit is the least squares",
    KY_FAN,
    "least-squares",
    ((*OPTIMUM, "fit"), [["1", "0"], ["0", "1"]]),
)
BREAKS.add("10", "the network is linear", KY_FAN, "linear, no bias", (ACTIVATION, "square"))
BREAKS.add(
    "10",
    "there is no bias",
    KY_FAN,
    "linear, no bias",
    (BIAS, [False, True]),
    (("proof", "point", 1), [["2", "0"], ["0", "0"]]),
)
BREAKS.add(
    "10",
    "the bound is r mu + tr Z",
    KY_FAN,
    "lower bound",
    ((*NETWORK, "widths"), [2, 2, 2]),
    (("proof", "point"), [[["1", "0"], ["0", "0"]], [["2", "0"], ["0", "0"]]]),
)

# Lemmas 11 and 12: local minima

FLAT, DEAD_LAYER = "a local minimum by an identity", "a dead layer"
TERMS = ("proof", "local", "terms")
BREAKS.add(
    "11",
    "guards are positive at A",
    FLAT,
    "guard is not positive",
    (A, [[["0"], ["0"]], [["1", "0"]]]),
)
BREAKS.add(
    "11",
    "guards are not negative at A",
    FLAT,
    "guard is not positive",
    (A, [[["0"], ["0"]], [["1", "-1"]]]),
)
BREAKS.add("11", "coefficients are not negative", FLAT, "negative", ((*TERMS, 1, 0), "-2"))
BREAKS.add("11", "the identity holds", FLAT, "identity", ((*TERMS, 1, 0), "2000000001/1000000000"))
BREAKS.add("11", "the identity holds at A", FLAT, "identity", (A, [[["1"], ["0"]], [["1", "1"]]]))
BREAKS.add("11", "the identity holds without a guard", FLAT, "identity", ((*TERMS, 1, 1), []))
BREAKS.add("11", "no entry is tied", FLAT, "identity", (PATTERN, [None, [[0, 0]]]))
BREAKS.add("11", "the activation is a polynomial", FLAT, "polynomial", (ACTIVATION, "abs"))
BREAKS.add("12", "no pre-activation is zero", DEAD_LAYER, "not dead", ((*A, 0, 1), ["-1", "1"]))
BREAKS.add("12", "no pre-activation is positive", DEAD_LAYER, "not dead", ((*A, 0, 1), ["-1", "2"]))
BREAKS.add("12", "dead on all data", DEAD_LAYER, "not dead", ((*DATA, "x", 0), ["-1"]))
BREAKS.add("12", "the layer is that one", DEAD_LAYER, "not dead", (("proof", "local", "layer"), 2))
BREAKS.add(
    "12", "the layer is hidden", DEAD_LAYER, "hidden layer", (("proof", "local", "layer"), 3)
)
BREAKS.add(
    "12", "the activation is relu", DEAD_LAYER, "for relu", (ACTIVATION, {"leaky_relu": "1/2"})
)
BREAKS.add("12", "step is not relu", DEAD_LAYER, "for relu", (ACTIVATION, "step"))
BREAKS.add(
    "12",
    "no bias above",
    DEAD_LAYER,
    "no bias",
    (BIAS, [True, False, True]),
    ((*A, 2), [["1", "1", "0"]]),
)
POOR = "a poor minimum though all levels are connected"
BREAKS.add(
    "11",
    "the lower point is lower",
    POOR,
    "not lower",
    (("proof", "lower"), [[["0"], ["0"]], [["-1", "-1"]]]),
)
BREAKS.add(
    "11",
    "a minimum that is not poor refutes nothing",
    POOR,
    "lower must",
    (("proof",), {"local": CASES[POOR]["proof"]["local"]}),
)
BREAKS.add(
    "11", "a local minimum takes no lower point", FLAT, "lower", (("proof",), CASES[POOR]["proof"])
)

# Lemma 13: witnesses

EQUAL = "witness ==, loss on the left"
BREAKS.add(
    "13",
    "a witness decides relations only",
    EQUAL,
    "decides",
    (CONCLUSION, {"kind": "global_min", "v": "0"}),
)
BREAKS.add(
    "13",
    "a barrier decides none",
    EQUAL,
    "point A",
    (("rule",), "barrier"),
    (("proof",), CASES[WALL]["proof"]),
)

# Lemmas 14 and 15: universal hypotheses

BREAKS.add(
    "14",
    "widths are 2N",
    POOR,
    "Lemma 14",
    (DATA, {**MINUS, "x": [["1"], ["2"]], "y": [["-1"], ["-4"]]}),
)
BREAKS.add("14", "no entry is tied", POOR, "Lemma 14", (PATTERN, [None, None]))
BREAKS.add("14", "the output is linear", POOR, "Lemma 14", (OUTPUT, "activation"))
TINY = "connected from no poor minima, refuted"
BREAKS.add(
    "15",
    "no bias",
    TINY,
    "Lemma 15",
    (BIAS, [False, True]),
    (A, [[["1"]], [["1", "0"]]]),
    (B, [[["-1"]], [["-1", "0"]]]),
)
BREAKS.add(
    "15",
    "width 1",
    TINY,
    "Lemma 15",
    ((*NETWORK, "widths"), [1, 2, 1]),
    (A, [[["1"], ["0"]], [["1", "0"]]]),
    (B, [[["-1"], ["0"]], [["-1", "0"]]]),
)
BREAKS.add(
    "15",
    "one hidden layer",
    TINY,
    "Lemma 15",
    ((*NETWORK, "widths"), [1, 1, 1, 1]),
    (BIAS, [False] * 3),
    (A, point("1", "1", "1")),
    (B, point("-1", "-1", "1")),
)
BREAKS.add("15", "the network is linear", TINY, "Lemma 15", (ACTIVATION, "square"))
BREAKS.add("15", "no entry is tied", TINY, "Lemma 15", (PATTERN, [None, None]))

# Lemma 17: refutations

REFUTED = "joined refuted"
BREAKS.add(
    "17", "the hypotheses hold", REFUTED, "hypothesis fails", ((*HYPOTHESES, 2, "relation"), ">")
)
BREAKS.add(
    "17",
    "all hypotheses hold",
    REFUTED,
    "hypothesis fails",
    (
        HYPOTHESES,
        [*CASES[REFUTED]["statement"]["hypotheses"], {"kind": "activation", "is": "square"}],
    ),
)
BREAKS.add("17", "the other point is B", REFUTED, "different sides", (B, point("1", "1")))
BREAKS.add("17", "trapped above v + eps", TRAP, "not its negation", ((*CONCLUSION, "eps"), "2"))
BREAKS.add(
    "17",
    "trapped is not separated",
    TRAP,
    "not its negation",
    (
        CONCLUSION,
        {
            "kind": "separated",
            "A": CASES[TRAP]["statement"]["conclusion"]["A"],
            "B": point("3", "1"),
            "u": "19",
        },
    ),
)
BREAKS.add(
    "17", "a path at another level", "separated refuted by a path", "starts above", (U, "1/2")
)


@pytest.mark.parametrize("one", BREAKS, ids=lambda one: one.name)
def test_only_this_hypothesis_fails(one: Break) -> None:
    assert_refused(one)


def test_no_two_tests_are_the_same() -> None:
    assert len({one.name for one in BREAKS}) == len(BREAKS)
    assert len({canonical(one.broken) for one in BREAKS}) == len(BREAKS)

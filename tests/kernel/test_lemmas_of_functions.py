"""Lemmas 40 and 41, no poor minimum and one function: each hypothesis fails alone."""

from __future__ import annotations

import pytest
from kernel.breaking import (
    ACTIVATION,
    BIAS,
    CASES,
    CONCLUSION,
    DATA,
    NETWORK,
    OUTPUT,
    PATTERN,
    A,
    B,
    Break,
    Breaks,
    assert_refused,
    point,
)
from kernel.mutations import canonical, put

from theorylab.kernel import Refuted, Rejected, check
from theorylab.kernel.symmetry import MAX_INPUTS

BREAKS = Breaks()
PROOF, CURVE = ("proof",), ("proof", "curve")

# Lemma 40: no poor minimum

CUBIC, SECOND = "down from a saddle of order three", "down from the second-best direction"
PARABOLA, WEIGHED = "down along a parabola, activated polynomial", "down with sample weights"
FALL = "does not fall"
BREAKS.add("40", "the loss falls", CUBIC, FALL, ((*CURVE, 2, 0, 0), ["0", "-1"]))
BREAKS.add("40", "the lowest power decides", CUBIC, FALL, ((*CURVE, 0, 0, 0), ["0", "-1", "100"]))
BREAKS.add("40", "the loss is not constant", CUBIC, FALL, ((*CURVE, 0, 0, 0), []))
BREAKS.add(
    "40", "standing still is no fall", SECOND, FALL, (CURVE, [[[[], ["1"]]], [[[]], [["1"]]]])
)
BREAKS.add("40", "the curve starts at A", CUBIC, "start at A", ((*CURVE, 0, 0, 0), ["1", "1"]))
BREAKS.add("40", "A is where the curve starts", CUBIC, "start at A", (A, point("0", "0", "1")))
BREAKS.add("40", "a polynomial activation", PARABOLA, "needs a polynomial", (ACTIVATION, "relu"))
BREAKS.add("40", "a dense network", CUBIC, "dense", (PATTERN, [None, None, None]))
BREAKS.add("40", "every layer", CUBIC, "all layers", (CURVE, [[[["0", "1"]]], [[["0", "1"]]]]))
BREAKS.add("40", "of its shape", SECOND, "shape", ((*CURVE, 0), [[["0", "1"], ["1"], []]]))
BREAKS.add("40", "of as many rows", SECOND, "shape", ((*CURVE, 1), [[["0", "1"]]]))
BREAKS.add("40", "this loss", WEIGHED, FALL, ((*DATA, "y", 0), ["-100"]))
BREAKS.add("40", "these targets", PARABOLA, FALL, ((*DATA, "y", 0, 0), "-1"))
BREAKS.add(
    "40",
    "a curve shows no local minimum",
    CUBIC,
    "missing ['local']",
    ((*CONCLUSION, "kind"), "local_min"),
)
RIDGED = "down from the origin with a ridge"
BREAKS.add("40", "the ridge is in the loss", RIDGED, FALL, (("statement", "ridge"), ["2", "1"]))
LEAST, ORTHOGONAL = "a global minimum of loss zero", "a global minimum, residual orthogonal"
BREAKS.add("40", "the bound is attained", LEAST, "not shown to be a lower", (A, point("2", "1")))
BREAKS.add("40", "the bound is a bound", ORTHOGONAL, "not orthogonal", ((*A, 1, 0, 0), "1"))

# Lemma 41: one function, or two

DEEP, TWINS = "relu units permuted and scaled, two layers", "a unit against two twins"
LOST, SQUARES, ODD = "a unit that nothing reads", "squares scaled with signs", "an odd polynomial"
ABS, STEP = "abs with a sign, activated output", "a step scaled"
TURNED, BASES = "rotated squares", "other bases of a linear network"
SIGN = "a sign that relu sees"
LAYERS = (*PROOF, "layers")
ROW = "not that of a unit of A"
BREAKS.add("41", "the outputs differ at x", SIGN, "agree at x", ((*PROOF, "x"), ["0"]))
BREAKS.add("41", "x has n coordinates", SIGN, "shape", ((*PROOF, "x"), ["2", "1"]))
BREAKS.add("41", "the expansions are equal", TURNED, "differ as pol", ((*A, 1, 0, 0), "2"))
BREAKS.add("41", "the expansion has the biases", BASES, "differ as pol", ((*B, 0, 0, 2), "5"))
BREAKS.add("41", "the expansion has the activation", TURNED, "differ as pol", (ACTIVATION, "cube"))
BREAKS.add(
    "41", "the expansion is of a polynomial", TURNED, "needs a polynomial", (ACTIVATION, "relu")
)
BREAKS.add("41", "rows are scaled", DEEP, ROW, ((*B, 0, 0, 0), "7"))
BREAKS.add("41", "biases are scaled", DEEP, ROW, ((*B, 0, 0, 1), "1"))
BREAKS.add("41", "what reads is divided", DEEP, ROW, ((*B, 1, 0, 0), "1/4"))
BREAKS.add("41", "a bias above is not divided", DEEP, ROW, ((*B, 2, 0, 2), "6"))
BREAKS.add("41", "the last layer is not scaled", DEEP, ROW, ((*B, 2, 0), ["6", "4", "10"]))
BREAKS.add("41", "units are those of the list", DEEP, ROW, ((*LAYERS, 0, "units"), [0, 1]))
BREAKS.add("41", "scales are those of the list", DEEP, ROW, ((*LAYERS, 1, "scales", 0), "2"))
BREAKS.add("41", "each hidden layer is listed", DEEP, "each hidden layer", (LAYERS, []))
BREAKS.add("41", "each unit is listed", TWINS, "for each row", ((*LAYERS, 0, "units"), [0]))
BREAKS.add("41", "each scale is listed", TWINS, "for each row", ((*LAYERS, 0, "scales"), ["2"]))
BREAKS.add("41", "units are of the layer", TWINS, "a unit", ((*LAYERS, 0, "units"), [0, 2]))
BREAKS.add("41", "twins are added", TWINS, ROW, ((*B, 1, 0), ["1/2", "0"]))
BREAKS.add("41", "what is nobody's partner is not read", TWINS, ROW, ((*A, 1, 0, 1), "1"))
BREAKS.add("41", "a lost unit is not read", LOST, "is read", ((*B, 1, 0, 0), "1"))
BREAKS.add("41", "a kept unit is that of A", LOST, ROW, ((*B, 0, 1, 0), "2"))
BREAKS.add("41", "rho is homogeneous for c", SQUARES, "not homogeneous",
           (ACTIVATION, {"polynomial": ["0", "1", "1"]}))  # fmt: skip
BREAKS.add(
    "41", "a constant term is not scaled", ODD, "not homogeneous",
    (ACTIVATION, {"polynomial": ["1", "1", "0", "2"]}),
)  # fmt: skip
BREAKS.add("41", "h of a square is a square", SQUARES, ROW, (ACTIVATION, "cube"))
BREAKS.add("41", "a negative scale needs abs", ABS, "positive", (ACTIVATION, "relu"))
BREAKS.add("41", "no leaky unit is turned", ABS, "positive", (ACTIVATION, {"leaky_relu": "-1"}))
BREAKS.add("41", "a step is not turned", STEP, "positive",
           ((*LAYERS, 0, "scales", 0), "-5"), ((*B, 0, 0), ["-5", "10"]))  # fmt: skip
BREAKS.add("41", "a step is not shrunk to nothing", STEP, "positive",
           ((*LAYERS, 0, "scales", 0), "0"), ((*B, 0, 0), ["0", "0"]))  # fmt: skip
BREAKS.add("41", "a step has h = 1", STEP, ROW, (ACTIVATION, "relu"))
BREAKS.add("41", "it is about functions", LOST, "decides same_function",
           (CONCLUSION, {"kind": "joined", "A": CASES[LOST]["statement"]["conclusion"]["A"],
                         "B": CASES[LOST]["statement"]["conclusion"]["B"], "u": "9"}))  # fmt: skip
BREAKS.add("41", "points have the pattern", LOST, "pattern",
           (PATTERN, [[["3"], [None]], None]))  # fmt: skip
BREAKS.add("41", "biases count", LOST, "shape", (BIAS, [True, False]))


@pytest.mark.parametrize("one", BREAKS, ids=lambda one: one.name)
def test_each_hypothesis_fails_alone(one: Break) -> None:
    assert_refused(one)


def test_an_activated_output_is_compared_before_or_after() -> None:
    """The pre-activations of the outputs agree, so both networks pass."""
    for output in ("linear", "activation"):
        raw = canonical(put(CASES[ABS], OUTPUT, output))
        assert not isinstance(check(raw), Rejected)


def test_an_expansion_in_too_many_inputs_is_refused() -> None:
    whole = CASES[BASES]
    wide = MAX_INPUTS + 1
    layers = [[["1"] * wide + ["0"]] * 2, [["1", "1", "2"]]]
    for at, new in (
        ((*NETWORK, "widths", 0), wide),
        (DATA, {"x": [["0"] * wide], "y": [["0"]], "weights": None}),
        (A, layers),
        (B, layers),
    ):
        whole = put(whole, at, new)
    found = check(canonical(whole))
    assert isinstance(found, Rejected)
    assert "inputs" in found.reason


def test_a_difference_refutes_and_does_not_prove() -> None:
    found = check(canonical(CASES[SIGN]))
    assert isinstance(found, Refuted)
    assert found.fact.kind == "different_function"

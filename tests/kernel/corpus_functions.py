"""Valid certificates of the rule ``symmetry``, and of points that are no poor minimum."""

from __future__ import annotations

from typing import Any

from kernel.corpus_walls import ridged
from kernel.writing import BOTTLENECK, RANK1, UNIT, WEIGHED, Case, Json, case, net

CHAIN = net([1, 1, 1, 1], "linear")
CUBIC_START: Json = [[["0"]], [["0"]], [["0"]]]
CUBIC = {"curve": [[[["0", "1"]]], [[["0", "1"]]], [[["0", "1"]]]]}
# second-best direction through a bottleneck: P = diag(0, 1) of the fit diag(2, 1)
THIN = net([2, 1, 2], "linear")
SECOND: Json = [[["0", "1"]], [["0"], ["1"]]]
TURN = {"curve": [[[["0", "1"], ["1"]]], [[["0", "1"]], [["1"]]]]}
BENT = net([1, 1, 1], {"polynomial": ["1", "0", "1"]}, [True, True])
BENT_AT: Json = [[["0", "0"]], [["1", "-2"]]]


def escaping(name: str, network: Json, data: Json, a: Json, proof: Json, *more: Json) -> Case:
    """A is no poor local minimum."""
    conclusion = {"kind": "not_poor_minimum", "A": a}
    return case(name, "Proved", network, data, list(more), conclusion, "optimum", proof)


def alike(name: str, outcome: str, network: Json, a: Json, b: Json, **proof: Json) -> Case:
    """A and B represent one function, or not."""
    n, m = network["widths"][0], network["widths"][-1]
    data = {"x": [["1"] * n], "y": [["0"] * m], "weights": None}
    conclusion = {"kind": "same_function", "A": a, "B": b}
    return case(name, outcome, network, data, [], conclusion, "symmetry", proof)


def units(*layers: Any) -> Json:
    """Partners and scales of each hidden layer."""
    return [{"units": list(order), "scales": list(scales)} for order, scales in layers]


DEEP = net([1, 2, 2, 1], "relu", [True, True, True])
DEEP_A: Json = [
    [["1", "-2"], ["3", "1"]],
    [["1", "2", "-1"], ["-1", "1/2", "0"]],
    [["2", "1", "5"]],
]
DEEP_B: Json = [
    [["6", "2"], ["1/2", "-1"]],
    [["1/12", "-2/3", "0"], ["1", "2", "-1"]],
    [["3", "2", "5"]],
]
TWIN_A: Json = [[["1"], ["5"]], [["2", "0"]]]
TWIN_B: Json = [[["2"], ["1/3"]], [["1/2", "3"]]]
TWINS = units(([0, 0], ["2", "1/3"]))
LOST: Json = [[["7"], ["1"]], [["0", "2"]]]
PARABOLAS = net([2, 2, 1], "square")
FRAME: Json = [[["1", "2"], ["3", "-1"]], [["1", "1"]]]
TURNED: Json = [[["3", "2/5"], ["1", "-11/5"]], [["1", "1"]]]
SQUARES_A: Json = [[["1", "2"], ["0", "1"]], [["1", "3"]]]
SQUARES_B: Json = [[["-2", "-4"], ["0", "1/3"]], [["1/4", "27"]]]
ABS = net([2, 1, 1], "abs", None, "activation")
STEP = net([1, 1, 1], "step", [True, False])

# L = (w^2 - 1)^2 + (w - 1/4)^2 = 9/8 + (w^2 - w - 1/4) (w + 1/2)^2, and 9/16 at w = 1
TIED = net([1, 1, 2], "linear", None, "linear", [[[0]], [[0], ["1"]]])
TIED_DATA = {"x": [["1"]], "y": [["1", "1/4"]], "weights": None}
TIED_MINIMUM = {
    "by": "identity",
    "guards": [[["1", [[0, 2]]], ["-1", [[0, 1]]], ["-1/4", []]]],
    "terms": [["1", [[0, 1]], [["1", [[0, 1]]], ["1/2", []]]]],
}

FUNCTIONS: list[Case] = [
    case("a strict poor minimum of tied weights", "Refuted", TIED, TIED_DATA,
         [{"kind": "activation", "is": "linear"}, {"kind": "no_bias"}],
         {"kind": "not_poor_minimum", "A": [[["-1/2"]], [["-1/2"], ["1"]]]}, "optimum",
         {"local": TIED_MINIMUM, "lower": [[["1"]], [["1"], ["1"]]]}),
    escaping("down from a saddle of order three", CHAIN, UNIT, CUBIC_START, CUBIC),
    escaping("down from the second-best direction", THIN, BOTTLENECK, SECOND, TURN,
             {"kind": "no_bias"}),
    escaping("down along a parabola, activated polynomial", BENT, UNIT, BENT_AT,
             {"curve": [[[["0", "1"], []]], [[["1"], ["-2"]]]]}),
    escaping("down with sample weights", net([2, 1], "cube", None, "activation"), WEIGHED,
             [[["0", "0"]]], {"curve": [[[["0", "1"], ["0", "0", "1/2"]]]]}),
    ridged("down from the origin with a ridge", ["1/2", "1/3"], "Proved", net([1, 1, 1], "linear"),
           UNIT, [], {"kind": "not_poor_minimum", "A": [[["0"]], [["0"]]]}, "optimum",
           {"curve": [[[["0", "1"]]], [[["0", "1"]]]]}),
    escaping("a global minimum of loss zero", net([1, 1, 1], "relu"), UNIT, [[["2"]], [["1/2"]]],
             {"optimum": {"by": "zero"}}),
    escaping("a global minimum, residual orthogonal", net([2, 1, 1], "linear"), RANK1,
             [[["-3/10", "0"]], [["2"]]], {"optimum": {"by": "orthogonal", "features": "inputs"}}),
    alike("relu units permuted and scaled, two layers", "Proved", DEEP, DEEP_A, DEEP_B, by="units",
          layers=units(([1, 0], ["2", "1/2"]), ([1, 0], ["1/3", "1"]))),
    alike("a unit against two twins", "Proved", net([1, 2, 1], "relu"), TWIN_A, TWIN_B, by="units",
          layers=TWINS),
    alike("a unit that nothing reads", "Proved", net([1, 2, 1], {"leaky_relu": "1/3"}), TWIN_A,
          LOST, by="units", layers=units(([None, 0], ["1", "1"]))),
    alike("squares scaled with signs", "Proved", PARABOLAS, SQUARES_A, SQUARES_B, by="units",
          layers=units(([0, 1], ["-2", "1/3"]))),
    alike("an odd polynomial", "Proved", net([1, 1, 1], {"polynomial": ["0", "1", "0", "2"]}),
          [[["3"]], [["1"]]], [[["-3"]], [["-1"]]], by="units", layers=units(([0], ["-1"]))),
    alike("abs with a sign, activated output", "Proved", ABS, [[["1", "-2"]], [["3"]]],
          [[["-2", "4"]], [["3/2"]]], by="units", layers=units(([0], ["-2"]))),
    alike("a step scaled", "Proved", STEP, [[["1", "-2"]], [["3"]]], [[["5", "-10"]], [["3"]]],
          by="units", layers=units(([0], ["5"]))),
    alike("rotated squares", "Proved", PARABOLAS, FRAME, TURNED, by="expansion"),
    alike("other bases of a linear network", "Proved", net([2, 2, 1], "linear", [True, True]),
          [[["1", "2", "1"], ["0", "1", "3"]], [["1", "1", "2"]]],
          [[["1", "3", "4"], ["0", "1", "3"]], [["1", "0", "2"]]], by="expansion"),
    alike("a sign that relu sees", "Refuted", net([1, 1, 1], "relu"), [[["1"]], [["1"]]],
          [[["-1"]], [["-1"]]], by="input", x=["2"]),
]  # fmt: skip

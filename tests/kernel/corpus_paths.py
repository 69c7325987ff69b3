"""Valid polylines and rational paths: all moves, activations, forms, patterns and biases."""

from __future__ import annotations

from kernel.writing import (
    BOTTLENECK,
    LINE3,
    RANK1,
    UNIT,
    WEIGHED,
    Case,
    Json,
    descent,
    joined,
    move,
    net,
    widths,
)

PATTERN = [[[0, 1, None], ["0", 0, 1]], [[None, 7]]]


def piece(layers: Json, num: Json, den: Json, leaves: Json, den_leaves: Json = None) -> Json:
    """Entries (layer, numerator, denominator) and the reduced loss num/den."""
    whole = [[0, 0]]
    return {
        "piece": [{"layer": k, "numerator": n, "denominator": d} for k, n, d in layers],
        "loss": {"numerator": num, "denominator": den},
        "denominators": [whole] * len(layers),
        "loss_denominator": den_leaves or whole,
        "leaves": leaves,
    }


# w = 1 + t, u = 1/(1+t): the product stays 1
HYPERBOLA = piece(
    [(1, [[["1", "1"]], [[]]], ["1"]), (2, [[["1"], []]], ["1", "1"])], [], ["1"], [[0, 0]]
)
START, END = [[["1"], ["0"]], [["1", "0"]]], [[["2"], ["0"]], [["1/2", "0"]]]
# w = 1 - 2t, square: L = ((1 - 2t)^2 - 1)^2 = 16 t^2 (1 - t)^2, at most 1
ARCH = piece(
    [(1, [[["1", "-2"]]], ["1"])], ["0", "0", "16", "-32", "16"], ["1"], [[2, i] for i in range(4)]
)
# u = 1 - t/2, cube with bias: L = (1 - t/2)^2, falling
FALL = piece([(2, [[["1", "-1/2"], []]], ["1"])], ["1", "-1", "1/4"], ["1"], [[1, 0], [1, 1]])
# w = (1 + t)/(2 - t), u = 1: L = (w - 2)^2 = ((3t - 3)/(2 - t))^2
RATIO = piece(
    [(1, [[["1", "1"]]], ["2", "-1"])],
    ["9", "-18", "9"],
    ["4", "-4", "1"],
    [[1, 0], [2, 2], [2, 3]],
    [[1, 0], [1, 1]],
)
TWO = {"x": [["1"]], "y": [["2"]], "weights": None}
BOUNDS = ("2q", "2N", "r(A)+r(B)", "3n^2", "n(n+1)", "3n^(2^k)", "2min(N,C(n+2^k-1,2^k))")

PATHS: list[Case] = [
    joined(
        "layers of a linear network",
        net([1, 2, 1], "linear"),
        UNIT,
        [[["1"], ["0"]], [["1", "0"]]],
        [
            move("layer", 1, r0=["3"]),
            move("layer", 2, r0=["1/3", "2"]),
            move("layer", 1, r1=["-1/3"]),
        ],
        [
            {"kind": "activation", "is": "linear"},
            {"kind": "hidden_layers", "count": 1},
            widths("2N"),
        ],
    ),
    joined(
        "deep linear, weights, a repeated input",
        net([2, 3, 2, 1], "linear", [False, True, True]),
        WEIGHED,
        [
            [["1", "0"], ["0", "1"], ["1/2", "-1"]],
            [["1", "0", "2", "-1"], ["0", "1", "0", "0"]],
            [["1", "-1", "1/7"]],
        ],
        [
            move("layer", 2, r0=["0", "0", "2", "-1"], r1=["1", "1", "0", "2"]),
            move("layer", 1, r2=["-1", "0"]),
            move("output", 3, r0=["1/2", "0", "0"]),
            move("idle", 2, r1=["-4", "1/9", "7", "0"]),
        ],
        [widths("min(n,m)"), widths("monomials from 0", ">=")],
    ),
    joined(
        "square, dead row and output",
        net([1, 2, 1], "square"),
        LINE3,
        [[["1"], ["2"]], [["1", "0"]]],
        [
            move("idle", 1, r1=["1"]),
            move("output", 2, r0=["0", "1"]),
            move("idle", 1, r0=["-3/2"]),
        ],
        [widths("q", ">"), {"kind": "activation", "is": "square"}, {"kind": "dense"}],
    ),
    joined(
        "cube with bias, two idle rows at once",
        net([1, 3, 2], "cube", [True, True]),
        {"x": [["1"], ["2"]], "y": [["1", "0"], ["0", "-1"]], "weights": None},
        [
            [["1", "1"], ["2", "-1"], ["0", "1/2"]],
            [["1", "0", "0", "1"], ["-1", "0", "0", "1/3"]],
        ],
        [
            move("idle", 1, r1=["5", "0"], r2=["1/5", "-1"]),
            move("output", 2, r0=["0", "1/100", "0", "0"], r1=["0", "0", "1/7", "0"]),
        ],
        [widths("monomials from 1", ">")],
    ),
    joined(
        "polynomial with constant, two hidden layers",
        net([1, 2, 2, 1], {"polynomial": ["1", "0", "1/2"]}, [False, False, True]),
        {"x": [["1"], ["-1"]], "y": [["1"], ["2"]], "weights": ["1", "1/2"]},
        [[["1"], ["1/2"]], [["1", "0"], ["0", "1"]], [["1", "0", "0"]]],
        [
            move("idle", 2, r1=["3", "-1"]),
            move("output", 3, r0=["0", "1/8", "-1"]),
            move("idle", 2, r0=["1", "1"]),
        ],
        [{"kind": "activation", "is": "polynomial"}],
    ),
    joined(
        "relu: unchanged pre-activations, output, cell",
        net([2, 2, 1], "relu"),
        RANK1,
        [[["1", "0"], ["0", "-1"]], [["1", "-1"]]],
        [
            move("idle", 1, r0=["3", "-1"]),
            move("output", 2, r0=["1/2", "3/4"]),
            move("cell", 1, r0=["0", "1/2"], r1=["-1", "0"]),
        ],
        [{"kind": "no_bias"}, {"kind": "linear_output"}],
    ),
    joined(
        "leaky relu cell, a pre-activation stays zero",
        net([1, 2, 1], {"leaky_relu": "1/10"}, [True, False]),
        {"x": [["1"], ["2"]], "y": [["1"], ["-1"]], "weights": None},
        [[["1", "-1"], ["-1", "0"]], [["2", "1"]]],
        [move("cell", 1, r0=["3", "-3"], r1=["-2", "1/2"]), move("output", 2, r0=["0", "10"])],
    ),
    joined(
        "abs cell with bias",
        net([1, 2, 1], "abs", [True, True]),
        LINE3,
        [[["1", "3"], ["-1", "0"]], [["1", "0", "1"]]],
        [
            move("cell", 1, r0=["1/2", "5"]),
            move("output", 2, r0=["0", "1", "-1/3"]),
            move("idle", 1, r0=["9", "-9"]),
        ],
    ),
    joined(
        "step: idle rows and output",
        net([2, 2, 1], "step"),
        RANK1,
        [[["1", "1"], ["-1", "0"]], [["1", "1/2"]]],
        [
            move("idle", 1, r1=["1", "-1"]),
            move("output", 2, r0=["0", "2"]),
            move("idle", 1, r0=["-7", "1"]),
        ],
    ),
    joined(
        "relu, two hidden layers, every kind but layer",
        net([1, 3, 3, 1], "relu"),
        {"x": [["1"], ["-1"], ["1"]], "y": [["1"], ["2"], ["0"]], "weights": ["1", "1/4", "3"]},
        [
            [["1"], ["-1"], ["2"]],
            [["1", "0", "0"], ["0", "1", "0"], ["1", "1", "0"]],
            [["1", "1", "0"]],
        ],
        [
            move("idle", 1, r2=["-1/2"]),
            move("idle", 2, r2=["1/3", "2", "1"]),
            move("output", 3, r0=["0", "1", "1"]),
            move("cell", 2, r1=["0", "2", "0"], r2=["1/3", "1", "0"]),
        ],
    ),
    joined(
        "shared and frozen entries",
        net([2, 2, 1], "relu", [True, False], "linear", PATTERN),
        WEIGHED,
        [[["1", "-1", "2"], ["0", "1", "-1"]], [["1", "0"]]],
        [
            move("output", 2, r0=["1/2", "2"]),
            move("cell", 1, r0=["1", "-1", "3"]),
            move("output", 2, r0=["0", "2"]),
            move("idle", 1, r0=["1", "-1", "-8"]),
        ],
    ),
    joined(
        "linear, activated output",
        net([1, 1, 1], "linear", None, "activation"),
        UNIT,
        [[["2"]], [["1"]]],
        [move("layer", 1, r0=["1/2"]), move("output", 2, r0=["2"])],
        [{"kind": "linear_output"}, widths("min(n,m)")],
    ),
    joined(
        "step, activated output, idle only",
        net([1, 2, 1], "step", None, "activation"),
        LINE3,
        [[["1"], ["2"]], [["1", "0"]]],
        [move("idle", 1, r1=["-2"])],
    ),
    joined(
        "a fixed entry, no hidden layer",
        net([2, 1], "linear", [True], "linear", [[["1/2", None, 3]]]),
        WEIGHED,
        [[["1/2", "-1", "2"]]],
        [move("output", 1, r0=["1/2", "1", "0"]), move("layer", 1, r0=["1/2", "1/4", "0"])],
    ),
    joined(
        "separated refuted by a path",
        net([1, 4, 1], "square"),
        {"x": [["1"], ["2"]], "y": [["1"], ["0"]], "weights": None},
        [[["1"], ["0"], ["0"], ["1"]], [["1", "0", "0", "0"]]],
        [move("idle", 1, r1=["1/2"]), move("output", 2, r0=["0", "-1", "0", "0"])],
        [widths(bound) for bound in BOUNDS] + [widths("monomials from 0", ">")],
        "separated",
    ),
    descent(
        "linear to zero loss",
        net([1, 2, 1], "linear"),
        UNIT,
        [[["3"], ["1"]], [["1", "1"]]],
        [move("layer", 2, r0=["1/3", "1"]), move("layer", 1, r1=["0"])],
        {"by": "zero"},
    ),
    descent(
        "linear to the least squares, weights",
        net([2, 2, 1], "linear"),
        {
            "x": [["1", "0"], ["1", "0"], ["0", "1"]],
            "y": [["1"], ["4"], ["2"]],
            "weights": ["2", "1", "1"],
        },
        [[["1", "0"], ["0", "1"]], [["0", "0"]]],
        [move("output", 2, r0=["1", "2"]), move("layer", 1, r0=["2", "0"])],
        {"by": "orthogonal", "features": "inputs"},
    ),
    descent(
        "relu to the best fit, walls",
        net([1, 2, 1], "relu"),
        {"x": [["1"], ["2"], ["-1"]], "y": [["1"], ["-1"], ["3"]], "weights": None},
        [[["1"], ["-1"]], [["1", "1"]]],
        [move("cell", 1, r0=["1/2"], r1=["-3"]), move("output", 2, r0=["-2/5", "1"])],
        {"by": "orthogonal", "features": "walls"},
    ),
    descent(
        "square to the best fit, monomials",
        net([2, 2, 1], "square"),
        {
            "x": [["1", "0"], ["0", "1"], ["0", "2"], ["1", "0"]],
            "y": [["1"], ["1"], ["0"], ["2"]],
            "weights": None,
        },
        [[["1", "0"], ["0", "1"]], [["0", "0"]]],
        [move("output", 2, r0=["3/2", "1/17"])],
        {"by": "orthogonal", "features": "monomials"},
    ),
    descent(
        "step with bias to the best fit, distinct",
        net([1, 2, 1], "step", [True, True]),
        {"x": [["0"], ["1"], ["1"]], "y": [["1"], ["2"], ["4"]], "weights": ["1", "1", "3"]},
        [[["1", "0"], ["5", "5"]], [["0", "0", "0"]]],
        [move("idle", 1, r1=["-1", "0"]), move("output", 2, r0=["5/2", "9", "1"])],
        {"by": "orthogonal", "features": "distinct"},
    ),
    descent(
        "bottleneck, Ky Fan with a gap",
        net([2, 1, 2], "linear"),
        BOTTLENECK,
        [[["1", "0"]], [["0"], ["0"]]],
        [move("output", 2, r0=["2"])],
        {
            "by": "ky-fan",
            "fit": [["2", "0"], ["0", "1"]],
            "mu": "2",
            "Z": [["2", "0"], ["0", "1/2"]],
        },
        "1/2",
    ),
    descent(
        "cube to within eps of zero",
        net([1, 1, 1], "cube", [False, True]),
        LINE3,
        [[["1"]], [["-1", "0"]]],
        [move("output", 2, r0=["1/3", "0"])],
        {"by": "zero"},
        "0",
    ),
    joined("hyperbola", net([1, 2, 1], "linear"), UNIT, START, [HYPERBOLA], end=END),
    descent(
        "hyperbola without rising, then a move",
        net([1, 2, 1], "linear"),
        UNIT,
        START,
        [HYPERBOLA, move("idle", 1, r1=["5"])],
        {"by": "zero"},
        end=END,
    ),
    joined(
        "square over the arch, leaves",
        net([1, 1, 1], "square"),
        UNIT,
        [[["1"]], [["1"]]],
        [ARCH, move("output", 2, r0=["2"])],
        end=[[["-1"]], [["2"]]],
    ),
    descent(
        "cube falls along a piece",
        net([1, 1, 1], "cube", [True, True]),
        {"x": [["0"]], "y": [["0"]], "weights": None},
        [[["2", "1"]], [["1", "0"]]],
        [FALL, move("output", 2, r0=["0", "0"])],
        {"by": "orthogonal", "features": "monomials"},
        end=[[["2", "1"]], [["0", "0"]]],
    ),
    descent(
        "a denominator that moves",
        net([1, 1, 1], "linear"),
        TWO,
        [[["1/2"]], [["1"]]],
        [RATIO],
        {"by": "zero"},
        end=[[["2"]], [["1"]]],
    ),
]

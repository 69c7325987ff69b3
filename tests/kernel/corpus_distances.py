"""Valid certificates of the rule ``approximation``: distances of polynomials from an activation."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from kernel.writing import Case, Json, case, net

ORIGIN = {"x": [["0"]], "y": [["0"]], "weights": None}
RELU, ABS = (net([1, 1], name, None, "activation") for name in ("relu", "abs"))
LEAKY = net([1, 1], {"leaky_relu": "1/3"}, None, "activation")
HALVES = [[1, 0], [1, 1]]
WHOLE = [[0, 0]]
# best of degree 2 for relu on [-1, 1], and of degree 1 for |x| on [-1, 2]
PARABOLA = ["1/16", "1/2", "1/2"]
TRACE = Fraction(1, 2 * 10**9)  # the refuted statements are false by this much, and no more
LIFTED = [str(Fraction(1, 16) + TRACE), "1/2", "1/2"]
LINE = ["2/3", "1/3"]
ALTERNATION = ["-1", "-1/2", "0", "1/2"]


def between(kind: str, a: str, b: str, low: str, high: str, **subject: Json) -> dict[str, Any]:
    """A distance with its bounds."""
    return {"kind": kind, "a": a, "b": b, "at_least": low, "at_most": high, **subject}


def above(error: str, leaves: Json, **polynomial: Json) -> dict[str, Any]:
    """The upper half of a proof."""
    return {"error": error, "leaves": leaves, **polynomial}


NEAREST = {"kind": "nearest", "a": "-1", "b": "1", "degree": 2}


def of_distance(name: str, outcome: str, network: Json, conclusion: Json, **proof: Json) -> Case:
    """A case of the rule."""
    return case(name, outcome, network, ORIGIN, [], conclusion, "approximation", proof)


DISTANCES: list[Case] = [
    of_distance(
        "a sup norm",
        "Proved",
        RELU,
        between("sup_norm", "-1", "1", "1/16", "1/16", polynomial=PARABOLA),
        upper=above("1/16", [HALVES] * 4),
        lower="-1/2",
    ),
    of_distance(
        "a sup norm on one side of 0",
        "Proved",
        LEAKY,
        between("sup_norm", "-2", "-1/2", "1/4", "1/4", polynomial=["-5/12"]),
        upper=above("1/4", [WHOLE] * 2),
        lower="-2",
    ),
    of_distance(
        "a sup norm below what is stated",
        "Refuted",
        RELU,
        between("sup_norm", "-1", "1", str(Fraction(1, 16) + TRACE), "1", polynomial=PARABOLA),
        upper=above("1/16", [HALVES] * 4),
    ),
    of_distance(
        "a best error",
        "Proved",
        RELU,
        between("best_error", "-1", "1", "1/16", "1/16", degree=2),
        upper=above("1/16", [HALVES] * 4, polynomial=PARABOLA),
        lower=ALTERNATION,
    ),
    of_distance(
        "a best error above what is stated",
        "Refuted",
        ABS,
        between("best_error", "-1", "2", "0", str(Fraction(2, 3) - TRACE), degree=1),
        lower=["2", "-1", "0"],
    ),
    of_distance(
        "a best error below what is stated",
        "Refuted",
        ABS,
        between("best_error", "-1", "2", str(Fraction(2, 3) + TRACE), "1", degree=1),
        upper=above("2/3", [WHOLE] * 4, polynomial=LINE),
    ),
    of_distance(
        "a nearest polynomial",
        "Proved",
        RELU,
        {**NEAREST, "polynomial": PARABOLA},
        upper=above("1/16", [HALVES] * 4),
        lower=ALTERNATION,
    ),
    of_distance(
        "not the nearest polynomial",
        "Refuted",
        RELU,
        {**NEAREST, "polynomial": LIFTED},
        upper=above("1/16", [HALVES] * 4, polynomial=PARABOLA),
        lower="0",
    ),
]
# outside the corpus: where a point refutes, it does so for many other polynomials as well
ABOVE = of_distance(
    "a sup norm above what is stated",
    "Refuted",
    RELU,
    between("sup_norm", "-1", "1", "0", str(Fraction(1, 16) - TRACE), polynomial=PARABOLA),
    lower="0",
)

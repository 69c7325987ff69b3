"""Lemmas 26 and 27, distances of polynomials: each hypothesis fails alone and is refused."""

from __future__ import annotations

from fractions import Fraction

import pytest
from kernel.breaking import (
    ACTIVATION,
    BIAS,
    CONCLUSION,
    NETWORK,
    OUTPUT,
    PATTERN,
    Break,
    Breaks,
    assert_refused,
)
from kernel.corpus_distances import (
    ABOVE,
    ALTERNATION,
    HALVES,
    LIFTED,
    ORIGIN,
    PARABOLA,
    WHOLE,
    above,
    between,
)
from kernel.mutations import canonical
from kernel.writing import Json, certificate, net

from theorylab.kernel import Proved, Refuted, Rejected, check

BREAKS = Breaks()
PROOF, UPPER, LOWER = ("proof",), ("proof", "upper"), ("proof", "lower")
ERROR, LEAVES, OTHER = (*UPPER, "error"), (*UPPER, "leaves"), (*UPPER, "polynomial")
LEAST, MOST = (*CONCLUSION, "at_least"), (*CONCLUSION, "at_most")
LEFT, RIGHT, DEGREE = (*CONCLUSION, "a"), (*CONCLUSION, "b"), (*CONCLUSION, "degree")
SUP, ONE_SIDE, HIGH = "a sup norm", "a sup norm on one side of 0", ABOVE.certificate
LOW = "a sup norm below what is stated"
BEST, BEST_HIGH = "a best error", "a best error above what is stated"
NEAREST, FURTHER = "a nearest polynomial", "not the nearest polynomial"

# the setting
for hypothesis, changes in (
    ("no bias", ((BIAS, [True]),)),
    ("no pattern", ((PATTERN, [None]),)),
    ("an activated output", ((OUTPUT, "linear"),)),
    ("one unit", (((*NETWORK, "widths"), [2, 1]), (("statement", "data", "x"), [["0", "0"]]))),
):
    BREAKS.add("26", hypothesis, SUP, "approximation is for Phi", *changes)
for name in ("step", "linear", "square"):
    BREAKS.add("26", f"two linear sides, not {name}", SUP, "relu, leaky_relu", (ACTIVATION, name))
BREAKS.add("26", "a < b", ONE_SIDE, "an interval has a < b", (RIGHT, "-2"), (LOWER, "-2"))
BREAKS.add("26", "a distance is asked for", SUP, "approximation decides", (
    CONCLUSION, {"kind": "global_min", "v": "0"}))  # fmt: skip

# Lemma 26
BREAKS.add("26", "the error is a bound on the left", SUP, "not shown to be a bound",
           (ACTIVATION, "abs"))  # fmt: skip
BREAKS.add("26", "the error is a bound on the right", SUP, "not shown to be a bound",
           (RIGHT, "3/2"))  # fmt: skip
BREAKS.add("26", "the error is a bound from both sides", ONE_SIDE, "not shown to be a bound",
           (ERROR, "1/5"))  # fmt: skip
BREAKS.add("26", "the error is not negative", ONE_SIDE, "not shown to be a bound",
           (ERROR, "-1/4"))  # fmt: skip
for i in range(4):
    BREAKS.add("26", f"leaves {i} are fine enough", SUP, "not shown to be a bound",
               ((*LEAVES, i), [[1, 0]]))  # fmt: skip
BREAKS.add("26", "both sides have leaves", SUP, "leaves are for both", (LEAVES, [HALVES] * 2))
BREAKS.add("26", "the upper bound is what is stated", SUP, "the rule shows sup_norm",
           (MOST, "1/17"), (LEAST, "1/17"), (LOWER, "1/3"))  # fmt: skip
BREAKS.add("26", "the value is what is stated", SUP, "the rule shows sup_norm", (LOWER, "1/3"))
BREAKS.add("26", "there is an upper bound", SUP, "the rule shows sup_norm",
           (PROOF, {"lower": "0"}))  # fmt: skip
BREAKS.add("26", "there is a lower bound", SUP, "the rule shows sup_norm",
           (PROOF, {"upper": above("1/16", [HALVES] * 4)}))  # fmt: skip
for x in ("-3/2", "17/16"):
    BREAKS.add("26", f"the point lies inside: {x}", HIGH, "outside the interval", (LOWER, x))
BREAKS.add("26", "the polynomial is the stated one", SUP, "another polynomial", (OTHER, PARABOLA))
BREAKS.add("26", "one point bounds a sup norm", SUP, "at one point", (LOWER, ALTERNATION))

# Lemma 27
BREAKS.add("27", "the degree", BEST, "another polynomial", (DEGREE, 1))
BREAKS.add("27", "a best error has a polynomial", BEST, "another polynomial",
           (UPPER, above("1/16", [HALVES] * 4)))  # fmt: skip
BREAKS.add("27", "degree + 2 points", BEST, "degree + 2", (LOWER, ALTERNATION[1:]))
BREAKS.add("27", "not more points", BEST, "degree + 2", (LOWER, [*ALTERNATION, "1"]))
BREAKS.add("27", "different points", BEST, "degree + 2", (LOWER, [*ALTERNATION[:3], "-1"]))
BREAKS.add("27", "points inside", BEST, "outside the interval", (LOWER, ["-2", *ALTERNATION[1:]]))
BREAKS.add("27", "the points alternate", BEST, "the rule shows best_error",
           (LOWER, ["-1", "-1/2", "1/2", "1"]))  # fmt: skip
BREAKS.add("27", "points, not one", BEST_HIGH, "must be a list", (LOWER, "0"))
BREAKS.add("27", "the polynomial has the degree", NEAREST, "has a higher degree", (DEGREE, 1))
BREAKS.add("27", "nearest has an upper bound", NEAREST, "neither",
           (PROOF, {"lower": ALTERNATION}))  # fmt: skip
BREAKS.add("27", "nearest has points", NEAREST, "neither", (LOWER, "0"))
BREAKS.add("27", "no further than the points say", NEAREST, "neither",
           (LOWER, ["-1", "-1/2", "0", "1/3"]))  # fmt: skip
BREAKS.add("27", "the other one is nearer", FURTHER, "neither", (LOWER, "-1/2"))
BREAKS.add("27", "strictly", FURTHER, "neither", (ERROR, LIFTED[0]))
BREAKS.add("27", "the other one has the degree", FURTHER, "another polynomial",
           (OTHER, ["1/16", "1/2", "1/2", "1/99"]))  # fmt: skip
BREAKS.add("27", "points say nothing against p", FURTHER, "neither", (LOWER, ALTERNATION))

# Lemma 17: what lies outside, strictly
BREAKS.add("17", "above at_most", HIGH, "the rule shows sup_norm", (MOST, "1/16"))
BREAKS.add("17", "below at_least", LOW, "the rule shows sup_norm", (LEAST, "1/16"))
BREAKS.add("17", "best error above at_most", BEST_HIGH, "shows best_error", (MOST, "2/3"))


@pytest.mark.parametrize("one", BREAKS, ids=lambda one: one.name)
def test_refused(one: Break) -> None:
    assert_refused(one)


RELU = net([1, 1], "relu", None, "activation")


def sup_norm(a: str, b: str, p: Json, error: str, point: str, leaves: Json) -> Json:
    conclusion = between("sup_norm", a, b, error, error, polynomial=p)
    proof = {"upper": above(error, leaves), "lower": point}
    return certificate(RELU, ORIGIN, [], conclusion, "approximation", proof)


@pytest.mark.parametrize(
    ("a", "b", "error", "point"),
    [("0", "2", "2", "2"), ("-1", "0", "0", "-1/3"), ("-1", "1/2", "1/2", "1/2")],
)
def test_zero_is_an_end_or_inside(a: str, b: str, error: str, point: str) -> None:
    """|relu - 0| on intervals that end at 0, and the leaves that each of them needs."""
    sides = 2 if "0" in (a, b) else 4
    accepted = check(canonical(sup_norm(a, b, [], error, point, [WHOLE] * sides)))
    assert isinstance(accepted, Proved)
    for wrong in (2, 4):
        if wrong != sides:
            refused = check(canonical(sup_norm(a, b, [], error, point, [WHOLE] * wrong)))
            assert isinstance(refused, Rejected)


def test_the_bound_of_points_is_the_largest_that_they_show() -> None:
    """Equal ripples of 1/16 at the four points: one billionth more is not shown."""
    for extra, kind in ((Fraction(0), Proved), (Fraction(1, 10**9), Rejected)):
        low = str(Fraction(1, 16) + extra)
        conclusion = between("best_error", "-1", "1", low, "1", degree=2)
        upper = above("1/16", [HALVES] * 4, polynomial=PARABOLA)
        proof = {"upper": upper, "lower": ALTERNATION}
        found = check(canonical(certificate(RELU, ORIGIN, [], conclusion, "approximation", proof)))
        # with the upper bound below at_least the statement is refuted, not left open
        assert isinstance(found, Refuted if extra else kind)


def test_a_long_list_of_long_points_is_refused_in_time() -> None:
    points = [str(Fraction(10**1900 + i, 10**1901 + 1)) for i in range(402)]
    conclusion = between("best_error", "0", "1", "0", "1", degree=400)
    whole = certificate(RELU, ORIGIN, [], conclusion, "approximation", {"lower": points})
    found = check(canonical(whole))
    assert isinstance(found, Rejected)
    assert "too much work" in found.reason

"""Lemmas 35 to 37, networks of squares: each hypothesis fails alone and is refused."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import combinations_with_replacement, product

import literal
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
    Break,
    Breaks,
    U,
    assert_refused,
)
from kernel.corpus_forms import (
    AT_AXES,
    AXES,
    AXES_REGULAR,
    DEFINITE,
    DEFINITE_REGULAR,
    IDENTITY,
    NARROW,
    ONE,
    TWO,
    UNIT_REGULAR,
    components,
)
from kernel.mutations import Place, canonical, put
from kernel.writing import UNIT, Json, certificate, net

from theorylab.kernel import Proved, Refuted, Rejected, check
from theorylab.kernel.inertia import MAX_RANK

BREAKS = Breaks()
PROOF = ("proof",)
POINT, REGULAR = (*PROOF, "point"), (*PROOF, "regular")
BEST, FORM = (*PROOF, "best"), (*PROOF, "best", "form")
TARGET = (*DATA, "y", 0, 0)
DESCENT, JOINED, EIGHT = "descent by inertia", "joined by inertia", "eight components"
DEFINITE_CASE, BIASED = "two of a definite form", "eight with a bias"
SIGNS, TURNED = "separated by the sign of u", "separated by orientation"
NARROW_CASE, LEAST_CASE = "separated below full width", "two or more below full width"
WIDE, ABOVE = "one above full width", "one with a singular form"
WIDTHS = (*NETWORK, "widths")

# Lemma 35: the setting, and descent

BREAKS.add("35", "one hidden layer", JOINED, "one dense hidden layer", (WIDTHS, [1, 2, 1, 1]),
           (BIAS, [False] * 3), (A, [[["1"], ["0"]], [["1", "3"]], [["1"]]]),
           ((*CONCLUSION, "B"), [[["1"], ["0"]], [["1", "3"]], [["1"]]]))  # fmt: skip
BREAKS.add("35", "one output", WIDE, "one linear output", (WIDTHS, [1, 2, 2]),
           ((*DATA, "y"), [["1", "0"]]), (POINT, [[["1"], ["1"]], [["2", "-1"]] * 2]))  # fmt: skip
BREAKS.add("35", "every weight is free", WIDE, "one dense", (PATTERN, [None, [[None, "-1"]]]))
BREAKS.add("35", "the output is linear", WIDE, "one linear output", (OUTPUT, "activation"))
BREAKS.add("35", "no output bias", WIDE, "without bias", (BIAS, [False, True]),
           (POINT, [[["1"], ["1"]], [["2", "-1", "0"]]]))  # fmt: skip
BREAKS.add("35", "no ridge", WIDE, "ridge", (("statement", "ridge"), ["1"] * 4),
           (HYPOTHESES, [{"kind": "ridge"}]))  # fmt: skip
for name, rho in (
    ("rho has no constant", ["1", "0", "1"]),
    ("rho has no slope", ["0", "1", "1"]),
    ("rho is no cube", ["0", "0", "1", "1"]),
):
    BREAKS.add("35", name, WIDE, "the activation is a z^2", (ACTIVATION, {"polynomial": rho}),
               (U, "1000"))  # fmt: skip
BREAKS.add("35", "rho is a polynomial", WIDE, "the activation is a z^2", (ACTIVATION, "abs"))
BREAKS.add("35", "p >= d: one unit less", DESCENT, "as many units", (WIDTHS, [1, 1, 1]),
           (A, [[["1", "0"]], [["1"]]]), (HYPOTHESES, []))  # fmt: skip
BREAKS.add("35", "the form is the best", DESCENT, "least-squares", ((*FORM, 0), "-94/67"))
BREAKS.add("35", "as many rows as the rank", DESCENT, "as many rows", ((*BEST, "rows"), [0]))
BREAKS.add("35", "the rows span", DESCENT, "do not span", ((*BEST, "rows"), [0, 0]))
BREAKS.add("35", "a row that is there", DESCENT, "a row must be", ((*BEST, "rows"), [0, 2]))
BREAKS.add("35", "v is below the minimum", DESCENT, "between v and", ((*CONCLUSION, "v"), "19/67"))
BREAKS.add("35", "v + eps reaches it", DESCENT, "between v and", ((*CONCLUSION, "v"), "17/67"))
BREAKS.add("35", "rank X > 0", DESCENT, "between 1 and", ((*DATA, "x"), [["0"]] * 4),
           (BIAS, [False, False]), (A, [[["1"], ["0"]], [["1", "1"]]]),
           (HYPOTHESES, []))  # fmt: skip

# Lemma 36: components

BREAKS.add("36", "A is below u", JOINED, "above the level", ((*A, 1, 0, 0), "2"))
BREAKS.add("36", "B is below u", JOINED, "above the level", ((*CONCLUSION, "B", 1, 0, 0), "2"))
BREAKS.add("36", "the point is below u", WIDE, "above the level", ((*POINT, 1, 0, 1), "0"))
BREAKS.add("36", "a count has a point", WIDE, "a point belongs", (PROOF, {}))
BREAKS.add("36", "a pair has none", JOINED, "a point belongs", (PROOF, {"point": IDENTITY}))
BREAKS.add("36", "p > d: as many units as the rank", JOINED, "expected an object",
           (WIDTHS, [1, 1, 1]), (A, [[["1"]], [["1"]]]),
           ((*CONCLUSION, "B"), [[["-1"]], [["1"]]]))  # fmt: skip
BREAKS.add("36", "p = d: one unit less", EIGHT, "vanish on projectors",
           (WIDTHS, [2, 1, 1]), (U, "3"), (POINT, [[["1", "0"]], [["1"]]]))  # fmt: skip
BREAKS.add("36", "the point is singular", ABOVE, "expected an object", ((*POINT, 1, 0, 1), "1/9"),
           (U, "3"))  # fmt: skip
BREAKS.add("36", "nothing superfluous at a singular point", ABOVE, "nothing to show",
           (REGULAR, AXES_REGULAR))  # fmt: skip
BREAKS.add("36", "nothing superfluous when wide", WIDE, "nothing to show", (REGULAR, UNIT_REGULAR))
BREAKS.add("36", "a sign differs", SIGNS, "no sign tells", ((*CONCLUSION, "B"), AT_AXES))
BREAKS.add("36", "the orientations differ", TURNED, "no sign tells",
           ((*CONCLUSION, "B"), IDENTITY))  # fmt: skip
BREAKS.add("36", "a sign differs below full width", NARROW_CASE, "no sign tells",
           ((*CONCLUSION, "B"), NARROW))  # fmt: skip
BREAKS.add("36", "orientation tells nothing below full width", NARROW_CASE, "no sign tells",
           ((*CONCLUSION, "B"), [[["1", "0", "0"], ["0", "0", "-1"]], [["12", "-4"]]]))  # fmt: skip
BREAKS.add("36", "no more than the sign vectors", LEAST_CASE, "only 2 components",
           ((*CONCLUSION, "at_least"), 3))  # fmt: skip
BREAKS.add("36", "no upper bound below full width", LEAST_CASE, "only 2 components",
           ((*CONCLUSION, "at_most"), 2))  # fmt: skip
BREAKS.add("36", "both signs are there", LEAST_CASE, "only 1 components",
           (POINT, [[["1", "0", "0"], ["0", "1", "0"]], [["58/7", "37/7"]]]))  # fmt: skip
BREAKS.add("36", "the kind is one of three", WIDE, "says nothing",
           (CONCLUSION, {"kind": "global_min", "v": "0"}))  # fmt: skip

# Lemma 37: no singular form below the level

BREAKS.add("37", "one relation only for k > 1", NARROW_CASE, "vanish on projectors",
           ((*REGULAR, "relation", 1, 1), "128"))  # fmt: skip
BREAKS.add("37", "relations on squares do not count for k > 1", NARROW_CASE,
           "vanish on projectors", ((*REGULAR, "relation", 1, 1), "254"),
           ((*REGULAR, "relation", 0, 3), "-63"),
           ((*REGULAR, "relation", 3, 0), "-63"))  # fmt: skip
BREAKS.add("37", "c > u - min, k > 1", NARROW_CASE, "is not above u", (U, "190"))
BREAKS.add("37", "the quartic is >= 0, k > 1", NARROW_CASE, "not shown to be",
           ((*REGULAR, "level"), "256"))  # fmt: skip
LEVEL, TURN = (*REGULAR, "level"), (*REGULAR, "turn")
HINTS, RELATION = (*REGULAR, "multipliers"), (*REGULAR, "relation")
BREAKS.add("37", "c > u - min", DEFINITE_CASE, "is not above u", (U, "13/8"))
BREAKS.add("37", "c > u - min, min > 0", BIASED, "is not above u", (U, "85/67"),
           ((*REGULAR, "level"), "1"))  # fmt: skip
BREAKS.add("37", "the quartic is >= 0", DEFINITE_CASE, "not shown to be", (LEVEL, "1669/1000"))
BREAKS.add("37", "the relation is needed", DEFINITE_CASE, "not shown to be",
           (RELATION, [["0"] * 3] * 3))  # fmt: skip
BREAKS.add("37", "the relation vanishes on squares", DEFINITE_CASE, "does not vanish",
           ((*RELATION, 1, 1), "27/8"))  # fmt: skip
BREAKS.add("37", "the relation is symmetric", DEFINITE_CASE, "not shown to be",
           ((*RELATION, 0, 2), "-27/16"), ((*RELATION, 2, 0), "-13/8"))  # fmt: skip
BREAKS.add("37", "the multipliers fit", DEFINITE_CASE, "do not fit", ((*HINTS, 1, 1), "1"))
BREAKS.add("37", "the data see the turn", EIGHT, "do not fit", (TURN, [["1", "0"], ["0", "1"]]))
BREAKS.add("37", "the turned form is definite", EIGHT, "not definite",
           (TURN, [["0", "0"], ["0", "0"]]), (HINTS, [["0"] * 3] * 3))  # fmt: skip
BREAKS.add("37", "the turned form is positive", DEFINITE_CASE, "not definite",
           (TURN, [["-1", "0"], ["0", "-1"]]),
           (HINTS, [["-3/5", "0", "2/5"], ["0", "-1/2", "0"], ["2/5", "0", "-3/5"]]))  # fmt: skip
BREAKS.add("37", "the form is the best", EIGHT, "least-squares",
           ((*REGULAR, "best", "form", 0), "2"))  # fmt: skip


@pytest.mark.parametrize("one", BREAKS, ids=lambda one: one.name)
def test_a_hypothesis_that_fails_alone_is_refused(one: Break) -> None:
    assert_refused(one)


def test_the_rank_is_bounded() -> None:
    n = MAX_RANK + 1
    x = [[str(int(i == j)) for j in range(n)] for i in range(n)]
    data = {"x": x, "y": [["1"]] * n, "weights": None}
    network, zero = net([n, n, 1], "square"), [[["0"] * n] * n, [["0"] * n]]
    best = {
        "rows": list(range(n)),
        "form": [str(int(i == j)) for i in range(n) for j in range(i, n)],
    }
    conclusion = {"kind": "descends", "A": zero, "v": "0", "eps": "0"}
    found = check(canonical(certificate(network, data, [], conclusion, "inertia", {"best": best})))
    assert isinstance(found, Rejected) and f"between 1 and {MAX_RANK}" in found.reason


@pytest.mark.parametrize(
    ("network", "data", "u", "point", "regular"),
    [
        (ONE, UNIT, "3/5", [[["1"]], [["1"]]], UNIT_REGULAR),
        (TWO, AXES, "9/10", AT_AXES, AXES_REGULAR),
        (TWO, DEFINITE, "8/5", IDENTITY, DEFINITE_REGULAR),
    ],
    ids=["one", "axes", "definite"],
)
def test_the_count_of_components_is_exact(
    network: Json, data: Json, u: str, point: Json, regular: Json
) -> None:
    number = {"3/5": 2, "9/10": 8, "8/5": 2}[u]
    for claimed in ((number - 1, number - 1), (number + 1, None), (0, number - 1), (1, number)):
        case = components("x", network, data, u, number, claimed, point=point, regular=regular)
        found = check(canonical(case.certificate))
        assert type(found).__name__ == case.outcome
        if isinstance(found, Refuted):
            values = found.fact.values
            assert values["at_least"] == values["at_most"] == number


def _loss_of_form(data: Json, entries: tuple[int, ...]) -> Fraction:
    """The loss of the form (a, b; b, c)/2, by the definition."""
    a, b, c = (Fraction(v, 2) for v in entries)
    network = net([2, 2, 1], "square")
    # a form of any sign from two units: (a, b; b, c) = a (1, b/a)^2 + rest
    if a != 0:
        point = [[[Fraction(1), b / a], [Fraction(0), Fraction(1)]], [[a, c - b * b / a]]]
    elif c != 0:
        point = [[[b / c, Fraction(1)], [Fraction(1), Fraction(0)]], [[c, -b * b / c]]]
    else:
        point = [[[Fraction(1), Fraction(1)], [Fraction(1), Fraction(-1)]], [[b / 2, -b / 2]]]
    return literal.loss(network, data, point)


@pytest.mark.parametrize(("data", "level"), [(AXES, "9/10"), (DEFINITE, "8/5")], ids=str)
def test_lemma_37_is_true_of_singular_forms_on_a_grid(data: Json, level: str) -> None:
    """Rank-one forms t v v^T on a grid, and 0, all have a loss above the certified level."""
    for v in product(range(-4, 5), repeat=2):
        for t in range(-12, 13):
            form = tuple(
                2 * Fraction(t, 6) * v[i] * v[j] / 4
                for i, j in combinations_with_replacement(range(2), 2)
            )
            assert _loss_of_form(data, form) > Fraction(level)  # type: ignore[arg-type]


def test_random_levels_of_the_definite_form_are_sharp_at_five_thirds() -> None:
    rng = random.Random(3)
    valid = CASES[DEFINITE_CASE]
    for _ in range(40):
        u = Fraction(rng.randint(0, 2000), 1000)
        changed: Json = valid
        at: Place = U
        changed = put(changed, at, str(u))
        found = check(canonical(changed))
        assert isinstance(found, Proved) == (u < Fraction(13, 8))

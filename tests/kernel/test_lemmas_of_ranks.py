"""Lemmas 20 to 24, ranks and what they say: each hypothesis fails alone and is refused."""

from __future__ import annotations

from fractions import Fraction

import literal
import pytest
from kernel.breaking import (
    ACTIVATION,
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
    assert_refused,
    point,
)
from kernel.corpus_ranks import AT_PLANE, CENTRE, SCALING, SUM, TIED, TIED_AT, TRIANGLE
from kernel.corpus_ranks import counted as bounds
from kernel.mutations import canonical, put
from kernel.writing import Json, certificate, net

from theorylab.kernel import Proved, Refuted, Rejected, check
from theorylab.kernel.arith import Poly
from theorylab.kernel.rank import MAX_PARAMETERS, jacobian
from theorylab.kernel.statements import parse_statement

BREAKS = Breaks()
PROOF = ("proof",)
LEAST, MOST = (*CONCLUSION, "at_least"), (*CONCLUSION, "at_most")
TARGET = (*DATA, "y", 0, 0)

# Lemma 20: the rank of the Jacobian

TIED_CASE, OTHER = "a Jacobian of tied weights", "a Jacobian of another rank"
BREAKS.add("20", "the activation is a polynomial", OTHER, "polynomial", (ACTIVATION, "relu"))
BREAKS.add("20", "the point has the pattern", TIED_CASE, "pattern", ((*A, 1, 0, 0), "3"))
BREAKS.add("20", "no hint is read", OTHER, "unknown", (PROOF, {"rank": 1}))
BREAKS.add("20", "no minus", OTHER, "at_least must be", (LEAST, -1))
BREAKS.add(
    "20", "some parameter is free", OTHER, "free parameters", (PATTERN, [[["1"]], [["-3/17"]]])
)

# Lemma 21: zeros of full rank

TOP_CASE, NOT_ISOLATED = "a zero on a circle", "a zero on a circle is not isolated"
MANIFOLD, REGULAR = "zeros on a circle", "a regular zero"
for name in (MANIFOLD, TOP_CASE, NOT_ISOLATED):
    BREAKS.add("21", f"A is a zero: {name}", name, "no zero", (TARGET, "2"), (HYPOTHESES, []))
    BREAKS.add(
        "21",
        f"the rank is full: {name}",
        name,
        "has not the rank",
        (A, CENTRE),
        (TARGET, "0"),
        (HYPOTHESES, []),
    )
BREAKS.add(
    "21",
    "every sample is an equation: twins",
    REGULAR,
    "has not the rank",
    (DATA, {"x": [["2"]] * 2, "y": [["3"]] * 2, "weights": None}),
)

# Lemma 22: identities

ONLY, THREE, AWAY, NONE = (
    "the only zero",
    "the only zero of three equations",
    "the only zero, away from 0",
    "no zero",
)
BREAKS.add("22", "A is a zero", ONLY, "no zero", (TARGET, "1"), (HYPOTHESES, []))
BREAKS.add("22", "A is that zero", AWAY, "no zero", (A, [[["2"]]]))
BREAKS.add("22", "the identity holds", THREE, "identity", ((*PROOF, "margins", 1), "2"))
BREAKS.add(
    "22",
    "every margin is positive",
    ONLY,
    "positive",
    ((*PROOF, "margins", 1), "0"),
    ((*PROOF, "squares"), [["1", [["1", [[1, 1]]]]]]),
)
BREAKS.add(
    "22",
    "a square is not subtracted",
    THREE,
    "negative",
    ((*PROOF, "squares"), [["-1", SUM[0][1]], ["2", SUM[0][1]]]),
)
BREAKS.add("22", "one margin per parameter", ONLY, "one margin", ((*PROOF, "margins"), ["1"]))
BREAKS.add(
    "22",
    "as many multipliers as equations",
    THREE,
    "one multiplier",
    ((*PROOF, "multipliers"), [[["1", []]]] * 2),
)
BREAKS.add("22", "the constant is 0 beside a point", ONLY, "must be", ((*PROOF, "constant"), "1"))
BREAKS.add("22", "the constant is positive", NONE, "must be positive", ((*PROOF, "constant"), "0"))
BREAKS.add(
    "22", "the constant is that of the identity", NONE, "identity", ((*PROOF, "constant"), "2")
)
BREAKS.add("22", "without a point no margins", NONE, "none without", ((*PROOF, "margins"), ["1"]))
BREAKS.add(
    "22",
    "the multipliers stand in order",
    NONE,
    "identity",
    ((*PROOF, "multipliers"), [[["1", []]], [["4", [[0, 2], [1, 1]]]]]),
)
BREAKS.add("22", "the activation is a polynomial", NONE, "polynomial", (ACTIVATION, "abs"))
BREAKS.add(
    "22",
    "an identity is about zeros",
    ONLY,
    "isolated zero",
    (CONCLUSION, bounds("zero_manifold", CENTRE, 0, 0)),
)
BREAKS.add("22", "the point is a zero", "some zero", "no zero", (TARGET, "-1"))
BREAKS.add("22", "the point has the pattern", "some zero", "pattern", (PATTERN, [[["1"]], None]))

# Lemma 23: nullity

DEGENERATE, DEAD, STRICT = "a degenerate minimum", "two units, one of them dead", "a strict minimum"
BREAKS.add("23", "A is critical", DEGENERATE, "critical", (A, point("1", "-1/17")))
BREAKS.add(
    "23",
    "A is critical with these sample weights",
    DEGENERATE,
    "critical",
    ((*DATA, "weights"), ["1", "2"]),
)
BREAKS.add("23", "A is critical in every parameter", STRICT, "critical", ((*A, 0, 0, 1), "1/9"))
BREAKS.add("23", "the activation is a polynomial", DEGENERATE, "polynomial", (ACTIVATION, "relu"))
BREAKS.add("23", "no hint is read", DEAD, "unknown", (PROOF, {"nullity": 3}))

# Lemma 24: the neurovariety

ALL, CUBES, CONIC, LINES = (
    "all binary quadrics",
    "cubes of linear forms",
    "quadrics of rank one",
    "lines with a bias",
)
UPPER = (*PROOF, "upper")
AMBIENT, CATALECTICANT = {"by": "ambient"}, {"by": "catalecticant"}
BREAKS.add(
    "24", "the rank at the point is the highest", ALL, "bounds", ((*PROOF, "at", 0, 1), ["2", "0"])
)
BREAKS.add("24", "ambient: all coefficients move", CUBES, "bounds", (UPPER, AMBIENT))
BREAKS.add("24", "fields: enough of them", CUBES, "bounds", ((*UPPER, "fields"), []))
BREAKS.add(
    "24", "fields: they change no output", CUBES, "changes", ((*UPPER, "fields", 0, 2, 0, 0), "-2")
)
BREAKS.add("24", "fields: independent", CUBES, "dependent", ((*UPPER, "fields"), [SCALING] * 2))
BREAKS.add(
    "24",
    "fields: independent at the point",
    CUBES,
    "dependent",
    ((*PROOF, "at"), [[["0", "0"]], [["0"]]]),
)
BREAKS.add(
    "24",
    "fields: one component per parameter",
    CUBES,
    "one component",
    ((*UPPER, "fields", 0), SCALING[:2]),
)
BREAKS.add(
    "24",
    "fields: of the weights only",
    CUBES,
    "variable must be",
    ((*UPPER, "fields", 0, 0, 0, 1, 0, 0), 3),
)
BREAKS.add("24", "fields belong to fields", CONIC, "fields come with", ((*UPPER, "fields"), []))
BREAKS.add("24", "catalecticant: narrow", ALL, "too wide", (UPPER, CATALECTICANT))
BREAKS.add("24", "catalecticant: an even power", CONIC, "z^2k", (ACTIVATION, "cube"))
BREAKS.add(
    "24", "catalecticant: one power", CONIC, "z^2k", (ACTIVATION, {"polynomial": ["0", "1", "1"]})
)
BREAKS.add(
    "24",
    "catalecticant: no bias",
    CONIC,
    "z^2k",
    ((*NETWORK, "bias"), [False, True]),
    ((*PROOF, "at", 1, 0), ["3", "1"]),
)
BREAKS.add("24", "catalecticant: a linear output", CONIC, "z^2k", (OUTPUT, "activation"))
BREAKS.add(
    "24",
    "catalecticant: one hidden layer",
    CONIC,
    "z^2k",
    ((*NETWORK, "widths"), [2, 1, 1, 1]),
    ((*NETWORK, "bias"), [False] * 3),
    ((*PROOF, "at"), [*AT_PLANE, [["1"]]]),
)
BREAKS.add(
    "24",
    "catalecticant: one output",
    CONIC,
    "z^2k",
    ((*NETWORK, "widths"), [2, 1, 2]),
    ((*PROOF, "at", 1), [["3"], ["1"]]),
    ((*DATA, "y", 0), ["0", "0"]),
)
BREAKS.add("24", "the argument is known", ALL, "upper is by", (UPPER, {"by": "count"}))
BREAKS.add("24", "the activation is a polynomial", ALL, "polynomial", (ACTIVATION, "abs"))

# the hypotheses of Lemma 16 that these claims use

BREAKS.add("16", "loss zero", MANIFOLD, "not zero", (TARGET, "2"))
BREAKS.add(
    "16",
    "loss positive",
    DEGENERATE,
    "not positive",
    (A, point("1", "-1")),
    (DATA, {"x": [["1"]], "y": [["-1"]], "weights": None}),
)
BREAKS.add(
    "16",
    "more parameters than equations",
    ONLY,
    "not more",
    (DATA, {"x": [["1"], ["2"]], "y": [["0"], ["0"]], "weights": None}),
)
BREAKS.add(
    "16", "a loss has a point", ALL, "no point A", (HYPOTHESES, [{"kind": "loss", "is": "zero"}])
)
BREAKS.add(
    "20",
    "the conclusion is one of the rule",
    REGULAR,
    "rank decides",
    (CONCLUSION, {"kind": "local_min", "A": [[["3/2"]]]}),
)


@pytest.mark.parametrize("one", BREAKS, ids=lambda one: one.name)
def test_only_this_hypothesis_fails(one: Break) -> None:
    assert_refused(one)


def test_no_two_tests_are_the_same() -> None:
    assert len({one.name for one in BREAKS}) == len(BREAKS)
    assert len({canonical(one.broken) for one in BREAKS}) == len(BREAKS)


@pytest.mark.parametrize(
    ("name", "exact"), [(TIED_CASE, 3), (MANIFOLD, 1), (DEAD, 3), (STRICT, 0), (ALL, 3), (CUBES, 2)]
)
def test_the_bounds_decide(name: str, exact: int) -> None:
    for low in range(5):
        for high in (None, *range(5)):
            changed = put(put(CASES[name], LEAST, low), MOST, high)
            holds = low <= exact and (high is None or exact <= high)
            assert isinstance(check(canonical(changed)), Proved if holds else Refuted)


def test_a_slot_and_a_fixed_entry_of_one_number_are_told_apart() -> None:
    """The Jacobian of tied weights, by hand: rows are free 4 (three places), w_12 and w_22."""
    statement = parse_statement(CASES[TIED_CASE]["statement"])
    found = jacobian(
        statement.network,
        statement.conclusion.points["A"],
        statement.data.x,
        Poly.variable(0, 1),
    )
    assert found.shape[0] == 4 == statement.network.parameter_count
    assert TIED["pattern"][0][0][2] == "1" and TIED_AT[0][0][2] == "1"
    step, rows = 10**6, []
    for parameter in ((0, 0, 0), (0, 0, 1), (0, 1, 1), (1, 0, 1)):
        rows.append(_quotients(statement, parameter, step))
    for exact, near in zip(found.rows, rows, strict=True):
        for v, q in zip(exact, near, strict=True):
            assert abs(Fraction(v, found.den) - q) < Fraction(1, 1000)


def _quotients(statement: Json, parameter: tuple[int, int, int], step: int) -> list[Fraction]:
    """Difference quotients of the outputs at A, by the literal definition."""
    places = [(0, 0, 0), (0, 1, 2), (1, 0, 0)] if parameter == (0, 0, 0) else [parameter]
    moved = [[[Fraction(v) for v in row] for row in layer] for layer in TIED_AT]
    for a, b, c in places:
        moved[a][b][c] += Fraction(1, step)
    found = []
    for x in TRIANGLE["x"]:
        before, after = (literal.outputs(TIED, x, w)[0] for w in (TIED_AT, moved))
        found.append((after - before) * step)
    return found


@pytest.mark.parametrize("count", [MAX_PARAMETERS, MAX_PARAMETERS + 1])
def test_the_number_of_parameters_is_bounded(count: int) -> None:
    data = {"x": [["0"] * count], "y": [["0"]], "weights": None}
    raw = canonical(
        certificate(
            net([count, 1], "linear"),
            data,
            [],
            bounds("jacobian_rank", [[["1"] * count]], 0, 0),
            "rank",
            {},
        )
    )
    expected = Proved if count == MAX_PARAMETERS else Rejected
    assert isinstance(check(raw), expected)

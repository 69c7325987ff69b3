"""Lemmas 38 and 39, matrices that span: each hypothesis fails alone and is refused."""

from __future__ import annotations

import pytest
from kernel.breaking import (
    ACTIVATION,
    BIAS,
    CONCLUSION,
    DATA,
    HYPOTHESES,
    NETWORK,
    PATTERN,
    A,
    B,
    Break,
    Breaks,
    assert_refused,
)
from kernel.corpus_spans import AS_WIDE, LAYER, WIDER
from kernel.mutations import canonical

from theorylab.kernel import Proved, Refuted, check

BREAKS = Breaks()
ROUND, GAIN, ZERO = "a row turned round", "a matrix of rank one gains a column", "zero stays"
LINE, DIRECT = "within a line of the plane", "one segment from zero"
SIGN, PLANE, FEW = "a sign", "an orientation of the plane", "too few columns"
SPACE = "an orientation of a plane in space"
VERTICES, MINORS = ("proof", "vertices"), ("proof", "minors")
INSIDE = "stay away from 0"

# Lemma 38: the polyline

BREAKS.add(
    "38", "a vertex spans as much", ROUND, "spans more, or less", ((*VERTICES, 0), [["0"] * 2])
)
BREAKS.add(
    "38", "a vertex spans no more", LINE, "spans more, or less", ((*VERTICES, 0, 1), ["4", "3"])
)
BREAKS.add(
    "38",
    "a vertex spans the same, not as much elsewhere",
    LINE,
    "spans more, or less",
    (VERTICES, [[["2", "1"], ["0", "0"]]] * 2),
)
BREAKS.add("38", "one minor for each segment", ROUND, "one minor", (MINORS, [[0], [1]]))
BREAKS.add("38", "as many columns as the rank", GAIN, "2 different", ((*MINORS, 0), [0]))
BREAKS.add("38", "different columns", GAIN, "2 different", ((*MINORS, 0), [0, 0]))
BREAKS.add("38", "columns of the matrix", ROUND, "a column must be", ((*MINORS, 0), [2]))
BREAKS.add("38", "the minor is not 0 at the full end", GAIN, INSIDE, ((*MINORS, 0), [0, 1]))
BREAKS.add("38", "the minor keeps its sign", ROUND, INSIDE, ((*MINORS, 1), [0]))
# columns (1, 0) and (0, 1) become (-1, 0) and (0, -2): the minor is (1 - 2t)(1 - 3t)
BREAKS.add(
    "38",
    "moving columns start in the span of the others: both have one sign at both ends",
    GAIN,
    INSIDE,
    (A, [[["1", "0", "0"], ["0", "1", "0"]]]),
    (B, [[["-1", "0", "0"], ["0", "-2", "0"]]]),
    (VERTICES, []),
    (MINORS, [[0, 1]]),
)
# diag(1, 0) to diag(-1, -2): the minor is -2t (1 - 2t)
BREAKS.add(
    "38",
    "the columns that stand still span what all do at the other end",
    GAIN,
    INSIDE,
    (A, [[["1", "0", "0"], ["0", "0", "0"]]]),
    (B, [[["-1", "0", "0"], ["0", "-2", "0"]]]),
    (VERTICES, []),
    (MINORS, [[0, 1]]),
)
# the columns 0 and 1 are dependent at both ends
BREAKS.add(
    "38",
    "some end has the full rank",
    GAIN,
    INSIDE,
    (A, [[["1", "1", "0"], ["1", "1", "0"]]]),
    (B, [[["1", "2", "1"], ["1", "2", "0"]]]),
    (VERTICES, []),
    (MINORS, [[0, 1]]),
)
BREAKS.add("38", "a proof has both parts", ZERO, "keys missing", (("proof",), {"vertices": []}))

# Lemma 39: no path

BREAKS.add("39", "the sign changes", SIGN, "no obstruction", (B, [[["1/2"]]]))
BREAKS.add(
    "39", "the sign changes, in the plane", PLANE, "no obstruction", (B, [[["1", "0"], ["1", "5"]]])
)
BREAKS.add(
    "39", "a singular end forbids nothing", PLANE, "no obstruction", (B, [[["0", "1"], ["0", "5"]]])
)
BREAKS.add(
    "39",
    "the matrices span more than there are columns",
    FEW,
    "no obstruction",
    (B, [[["1/7"], ["0"]]]),
)
BREAKS.add(
    "39",
    "a column more makes room",
    SIGN,
    "no obstruction",
    ((*NETWORK, "widths"), [2, 1]),
    ((*DATA, "x"), [["0", "0"]]),
    (A, [[["1", "0"]]]),
    (B, [[["-1", "0"]]]),
)
BREAKS.add(
    "39",
    "the sign is that in the plane spanned",
    SPACE,
    "no obstruction",
    (B, [[["1", "0"], ["1", "1"], ["0", "1"]]]),
)

# both: the network, the conclusion, the hypothesis of Lemma 16

for name in (ROUND, SIGN):
    BREAKS.add("38", f"a linear layer: {name}", name, "one dense", (ACTIVATION, "square"))
    BREAKS.add("38", f"every entry free: {name}", name, "one dense", (PATTERN, [None]))
BREAKS.add(
    "38", "no bias", SIGN, "one dense", (BIAS, [True]), (A, [[["1", "0"]]]), (B, [[["-1", "0"]]])
)
BREAKS.add(
    "38",
    "one layer",
    SIGN,
    "one dense",
    (HYPOTHESES, [AS_WIDE]),
    ((*NETWORK, "widths"), [1, 1, 1]),
    (BIAS, [False] * 2),
    (A, [[["1"]]] * 2),
    (B, [[["-1"]]] * 2),
)
BREAKS.add(
    "38",
    "the conclusion is about a path",
    SIGN,
    "span is about",
    (CONCLUSION, {"kind": "same_function", "A": [[["1"]]], "B": [[["-1"]]]}),
)
BREAKS.add("16", "more inputs than outputs", SIGN, "n > m", (HYPOTHESES, [WIDER]))
BREAKS.add("16", "as many inputs as outputs", FEW, "n >= m", (HYPOTHESES, [AS_WIDE]))
BREAKS.add(
    "16", "the relation is known", SIGN, "relation", (HYPOTHESES, [{**AS_WIDE, "relation": "=="}])
)
BREAKS.add("16", "no hidden layer", SIGN, "hidden layers", (HYPOTHESES, [{**LAYER, "count": 1}]))


@pytest.mark.parametrize("one", BREAKS, ids=lambda one: one.name)
def test_only_this_hypothesis_fails(one: Break) -> None:
    assert_refused(one)


def test_no_two_tests_are_the_same() -> None:
    assert len({one.name for one in BREAKS}) == len(BREAKS)
    assert len({canonical(one.broken) for one in BREAKS}) == len(BREAKS)


def test_a_ridge_says_nothing_of_matrices() -> None:
    """The rule is for statements without a ridge, like all that do not honour it."""
    (one,) = [b for b in BREAKS if b.name == "39: the sign changes"]
    valid = one.valid
    statement = {
        **valid["statement"],
        "ridge": ["1"],
        "hypotheses": [*valid["statement"]["hypotheses"], {"kind": "ridge"}],
    }
    assert isinstance(check(canonical(valid)), Refuted)
    assert not isinstance(check(canonical({**valid, "statement": statement})), Proved | Refuted)

"""The claims on level trees: tables written down, exact top levels, readings told apart."""

from __future__ import annotations

from fractions import Fraction

import pytest

from theorylab import kernel
from theorylab.claims import claim
from theorylab.claims.level_trees import RELU_ASYMPTOTIC_CONNECTEDNESS as TOPS
from theorylab.claims.level_trees import RELU_LEVEL_TREE as TREES
from theorylab.instances import Instance
from theorylab.kernel.statements import parse_statement
from theorylab.report.latex_facts import conclusion_latex
from theorylab.verify import decide, describe


def named(name: str) -> Instance:
    return next(i for c in (TREES, TOPS) for i in c.canonical() if i.name == name)


def top(name: str) -> Fraction:
    return Fraction(named(f"{name}-top").conclusion["u"])


def test_the_highest_merge_is_not_monotone_in_the_width() -> None:
    brackets = [top(f"brackets-2-{p}-1") for p in (1, 2, 3)]
    assert brackets == [Fraction(20, 43), Fraction(1320, 1993), Fraction(654, 1459)]
    one, two, three = (top(f"iris-petal-length-1-{p}-1") for p in (1, 2, 3))
    assert one == two < three


@pytest.mark.parametrize(
    "name", [i.name for i in TOPS.canonical() if i.variant == "below" and "brackets" in i.name]
)
def test_each_statement_has_one_reading(name: str) -> None:
    instance = named(name)
    statement = parse_statement(TOPS.statement_json(instance))
    assert [v.name for v in TOPS.variants if v.states(statement)] == ["below"]
    above = {**instance.conclusion, "at_least": 1, "at_most": 1}
    other = parse_statement({**TOPS.statement_json(instance), "conclusion": above})
    assert [v.name for v in TOPS.variants if v.states(other)] == ["corrected"]


def test_a_table_with_a_wrong_number_is_refuted() -> None:
    instance = named("brackets-2-2-1")
    rule, proof = TREES.prover(instance)  # type: ignore[misc]
    statement = TREES.statement_json(instance)
    statement["conclusion"]["levels"][1] = ["654/1459", 5]
    raw = kernel.canonical(
        {"schema": "theorylab.certificate/1", "statement": statement, "rule": rule, "proof": proof}
    )
    outcome = kernel.check(raw)
    assert isinstance(outcome, kernel.Refuted)
    assert outcome.fact.values["levels"][1] == (Fraction(654, 1459), 4)


def test_the_words() -> None:
    instance = named("brackets-2-2-1")
    reason = decide(TREES, instance).reason
    words = "2 from 0, 4 from 0.44825, 3 from 0.46512, 1 from 0.66232 on"
    assert reason == f"path components of {{L <= u}}: {words}"
    assert words in describe(parse_statement(TREES.statement_json(instance)))
    assert r"\tfrac{654}{1459}\le u<\tfrac{20}{43} & 4" in conclusion_latex(instance.conclusion)
    assert claim("relu-level-tree") is TREES

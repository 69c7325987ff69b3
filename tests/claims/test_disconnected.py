"""deep-linear-components and relu-disconnected: words, readings, random instances."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flint import fmpq

from theorylab.claims import all_claims, claim
from theorylab.claims.disconnected import DEEP_LINEAR_COMPONENTS, RELU_DISCONNECTED
from theorylab.instances import Seeded
from theorylab.kernel import Proved, check
from theorylab.kernel.statements import parse_statement
from theorylab.topology.certificate import certificate
from theorylab.verify import decide, describe, verify


@pytest.mark.parametrize("c", [DEEP_LINEAR_COMPONENTS, RELU_DISCONNECTED], ids=lambda c: c.id)
def test_twenty_random_instances_are_proved(c: object) -> None:
    run = verify(c.id, instances=20, seed=7)  # type: ignore[attr-defined]
    assert run.exit_status == 0
    assert {result.outcome for result in run.results} == {"proved"}


def test_the_words_count_components_and_never_more() -> None:
    (four,) = [i for i in DEEP_LINEAR_COMPONENTS.canonical() if i.name == "thin-1-1-1-1"]
    found = decide(DEEP_LINEAR_COMPONENTS, four)
    assert found.reason == "{L <= 0} has 4 or more path components"
    statement = parse_statement(DEEP_LINEAR_COMPONENTS.statement_json(four))
    assert describe(statement).endswith("{L <= 0} has 4 or more path components")


@pytest.mark.parametrize(
    ("name", "number"),
    [("kinks-abs-1-2-1", 8), ("kinks-bias-1-3-1", 6), ("narrow-1-3-1-2-1", 2)],
)
def test_how_many_components_the_instances_have(name: str, number: int) -> None:
    (instance,) = [i for i in RELU_DISCONNECTED.canonical() if i.name == name]
    assert instance.conclusion["at_least"] == number


def test_one_instance_of_each_family_and_activation() -> None:
    instances = RELU_DISCONNECTED.canonical()
    assert {i.name.split("-")[0] for i in instances} == {"line", "narrow", "kinks", "features"}
    assert {i.network.activation.kind for i in instances} == {"relu", "leaky_relu", "abs"}
    assert any(i.network.depth > 2 and any(i.network.bias) for i in instances)
    assert any(i.data.source is not None and i.data.samples >= 30 for i in instances)


def test_two_of_four_components_are_no_instance_of_the_claim() -> None:
    (four,) = [i for i in DEEP_LINEAR_COMPONENTS.canonical() if i.name == "thin-1-1-1-1"]
    few = replace(four, conclusion={**four.conclusion, "at_least": 2})
    for instance, stated in ((four, True), (few, False)):
        statement = parse_statement(DEEP_LINEAR_COMPONENTS.statement_json(instance))
        assert DEEP_LINEAR_COMPONENTS.main.states(statement) == stated


def test_a_loss_with_a_ridge_is_no_instance_of_a_plain_claim() -> None:
    """The same network, data and level; the kernel proves it, and no plain reading is named."""
    (one,) = [i for i in DEEP_LINEAR_COMPONENTS.canonical() if i.name == "thin-1-1-1"]
    ridged = replace(one, ridge=fmpq(1, 10), conclusion={**one.conclusion, "u": "1/2"})
    found = DEEP_LINEAR_COMPONENTS.prover(ridged)
    assert isinstance(found, tuple)
    statement = DEEP_LINEAR_COMPONENTS.statement_json(ridged)
    named = {**statement, "hypotheses": [*statement["hypotheses"], {"kind": "common_ridge"}]}
    outcome = check(certificate(named, *found))
    assert isinstance(outcome, Proved)
    plain = [c.id for c in all_claims() for v in c.variants if v.states(outcome.statement)]
    assert plain == []
    assert not isinstance(check(certificate(statement, *found)), Proved)


def test_the_random_generator_makes_all_families() -> None:
    made = {
        (i.network.depth, i.network.activation.kind, i.network.m > 1)
        for i in (claim("relu-disconnected").random(Seeded(seed)) for seed in range(60))
    }
    assert len(made) >= 6

"""Every claim of the catalogue, by the same laws."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from literal import loss as literal_loss

from theorylab import kernel
from theorylab.claims import Claim, all_claims, claim
from theorylab.claims.linear import DEEP_LINEAR_CONNECTED
from theorylab.instances import Instance, strategy
from theorylab.kernel.statements import decode
from theorylab.outcome import InputError, Undecided
from theorylab.verify import decide, verify

CASES = [(c, i) for c in all_claims() for i in c.canonical()]
NAMED = [pytest.param(c, i, id=f"{c.id}/{i.name}") for c, i in CASES]
WITH_POINT = [pytest.param(c, i, id=f"{c.id}/{i.name}") for c, i in CASES if "A" in i.conclusion]
CONNECTIVITY = [c for c in all_claims() if c.main.conclusion == "joined"]


@pytest.mark.parametrize(("c", "instance"), NAMED)
def test_a_canonical_instance_ends_as_the_catalogue_expects(c: Claim, instance: Instance) -> None:
    result = decide(c, instance)
    assert (result.outcome, result.rejected) == (instance.expected, False), result.reason
    assert result.assurance == "kernel"
    assert result.lemmas


@pytest.mark.parametrize(("c", "instance"), WITH_POINT)
def test_the_loss_of_the_points_is_the_literal_one(c: Claim, instance: Instance) -> None:
    statement = decode(c.statement(instance))
    network, data = statement["network"], statement["data"]
    if "ridge" in statement:
        data = {**data, "ridge": statement["ridge"]}
    value = literal_loss(network, data, statement["conclusion"]["A"])
    exact = instance.loss(instance.a)
    assert (value.numerator, value.denominator) == (int(exact.p), int(exact.q))


@pytest.mark.parametrize("c", all_claims(), ids=lambda c: c.id)
def test_canonical_instances_are_no_toys(c: Claim) -> None:
    instances = c.canonical()
    assert len({i.name for i in instances}) == len(instances)
    hidden = [i.network.hidden for i in instances if i.network.hidden]
    # a claim about one activation, or one layer, has no hidden units at all
    assert not hidden or any(len(h) >= 2 or max(h) >= 6 for h in hidden)
    real = [i for i in instances if i.data.source is not None]
    assert any(i.data.samples >= 30 for i in real)


@pytest.mark.parametrize("c", CONNECTIVITY, ids=lambda c: c.id)
def test_the_straight_line_leaves_the_sublevel_set(c: Claim) -> None:
    for instance in c.canonical():
        if instance.expected == "proved":
            result = decide(c, instance)
            assert result.peak is not None, instance.name
            assert "straight line peaks" in result.reason


@pytest.mark.parametrize("c", all_claims(), ids=lambda c: c.id)
def test_a_claim_carries_what_a_reader_needs(c: Claim) -> None:
    assert c.source.year >= 2016 and c.source.where
    for variant in c.variants:
        assert variant.words and variant.latex and variant.hypotheses
        assert len({h.name for h in variant.hypotheses}) == len(variant.hypotheses)
    if any(i.expected == "refuted" for i in c.canonical()):
        assert c.erratum is not None


@pytest.mark.parametrize("c", all_claims(), ids=lambda c: c.id)
def test_random_instances_are_decided_as_expected(c: Claim) -> None:
    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(strategy(c.random))
    def law(instance: Instance) -> None:
        result = decide(c, instance)
        assert result.outcome == instance.expected, result.reason

    law()


def test_an_instance_whose_hypothesis_fails_is_rejected_not_proved() -> None:
    """The printed pair has width 1 = min(n, m): under the corrected hypotheses nothing is said."""
    (thin,) = [i for i in DEEP_LINEAR_CONNECTED.canonical() if i.name == "thin-1-1-1"]
    raw = DEEP_LINEAR_CONNECTED.prove(thin)
    assert isinstance(raw, bytes)
    value = decode(raw)
    value["statement"]["hypotheses"][-1]["relation"] = ">"
    outcome = kernel.check(kernel.canonical(value))
    assert isinstance(outcome, kernel.Rejected)
    assert "hypothesis fails: hidden width 1 > 1" in outcome.reason


def test_a_proof_of_one_statement_is_no_proof_of_another_claim() -> None:
    """A certificate names no claim; what it states is compared byte for byte."""
    c = claim("quadratic-connected")
    mine, other = c.canonical()[1], c.canonical()[2]
    raw = c.prove(mine)
    assert isinstance(raw, bytes)
    outcome = kernel.check(raw)
    assert isinstance(outcome, kernel.Proved)
    assert outcome.statement.text == c.statement(mine)
    assert outcome.statement.text != c.statement(other)
    value = json.loads(raw)
    value["claim"] = "deep-linear-connected"
    assert isinstance(kernel.check(kernel.canonical(value)), kernel.Rejected)


def test_a_prover_that_states_something_else_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    c = claim("quadratic-connected")
    mine, other = c.canonical()[1], c.canonical()[2]
    raw = c.prove(other)
    monkeypatch.setattr(Claim, "prove", lambda self, instance: raw)
    result = decide(c, mine)
    assert (result.outcome, result.rejected) == ("undecided", True)


def test_a_prover_that_gives_up_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    c = claim("any-depth-connected")
    monkeypatch.setattr(Claim, "prove", lambda self, instance: Undecided("too narrow"))
    run = verify("any-depth-connected")
    assert {r.outcome for r in run.results} == {"undecided"}
    assert run.exit_status == 3
    assert c.canonical()


def test_an_unknown_claim_names_its_neighbours() -> None:
    with pytest.raises(InputError, match="deep-linear-connected"):
        claim("deep-linear-conected")

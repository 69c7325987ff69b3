"""falsify: only the kernel refutes, one seed gives the same bytes, surviving proves nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from theorylab import kernel
from theorylab.claims import claim
from theorylab.falsify import Refutation, Survived, falsify, hunt
from theorylab.falsify.cases import draw_case, needed_widths
from theorylab.falsify.hunt import attacked, drawn_cases, judged
from theorylab.falsify.mutants import mutants
from theorylab.falsify.reading import reading
from theorylab.falsify.sharpness import sharpness, topology_claims
from theorylab.instances import Case, Seeded, shrink_order
from theorylab.kernel.statements import decode
from theorylab.model import Dataset, Network
from theorylab.outcome import InputError
from theorylab.topology.barrier import Argument
from theorylab.verify import check

AS_STATED = ("deep-linear-connected", "polynomial-width", "connected-implies-no-poor-minima")


@pytest.mark.parametrize("name", AS_STATED)
def test_an_erratum_is_found_by_itself(name: str) -> None:
    found = falsify(name, as_stated=True)
    assert isinstance(found, Refutation), found
    outcome = kernel.check(found.certificate_bytes)
    assert isinstance(outcome, kernel.Refuted)
    printed = [h.json for h in claim(name).variant("printed").hypotheses]
    assert [*outcome.statement.hypotheses] == printed
    assert found.exit_status == 1 and found.instance.variant == "printed"


@pytest.mark.slow
def test_a_common_ridge_is_needed() -> None:
    found = falsify("linear-ridge-connected", "common-lambda", tries=20)
    assert isinstance(found, Refutation), found
    stated = decode(found.certificate_bytes)["statement"]
    assert {"kind": "ridge"} in stated["hypotheses"]
    assert {"kind": "common_ridge"} not in stated["hypotheses"]
    assert len(set(stated["ridge"])) > 1


def test_the_same_seed_gives_the_same_bytes() -> None:
    found = [falsify("deep-linear-connected", "linear", seed=3) for _ in range(2)]
    assert isinstance(found[0], Refutation) and isinstance(found[1], Refutation)
    assert found[0].certificate_bytes == found[1].certificate_bytes
    assert (found[0].tried, found[0].shrinks) == (found[1].tried, found[1].shrinks)


def test_json_and_certificate_file(tmp_path: Path) -> None:
    found = falsify("quadratic-connected", "wide", out=tmp_path)
    value = json.loads(json.dumps(found.to_json()))
    wanted = {"schema", "claim", "dropped", "outcome", "instance", "certificate", "tried"}
    assert wanted | {"shrinks", "seed", "seconds"} <= value.keys()
    assert value["schema"] == "theorylab.falsify/1" and value["dropped"] == "wide"
    (line,) = check(value["certificate"])
    assert line.outcome == "refuted"
    # the list of hypotheses is no longer the claim's: the file is not named as one of its own
    assert not any(name.startswith("quadratic-connected") for name in line.claims)


def test_surviving_says_what_was_searched() -> None:
    found = falsify("deep-linear-connected", tries=40)
    assert isinstance(found, Survived)
    assert (found.tried, found.budget, found.exit_status) == (40, 40, 0)
    assert repr(found).startswith("<survived 40 (seed 0)")
    value = json.loads(json.dumps(found.to_json()))
    assert value["instance"] is None and value["certificate"] is None
    assert "proved" not in repr(found)


def test_no_case_at_all_is_said() -> None:
    found = falsify("finite-dimension-descent", "one-hidden-layer", tries=5)
    assert isinstance(found, Survived)
    assert (found.tried, found.reason) == (0, "no case satisfies the rest")


def test_an_interrupted_hunt_keeps_its_count() -> None:
    def interrupt(tried: int, tries: int, words: str) -> None:
        if tried == 5:
            raise KeyboardInterrupt

    found = falsify("deep-linear-connected", tries=40, progress=interrupt)
    assert isinstance(found, Survived)
    assert (found.tried, found.reason) == (5, "interrupted")


def test_seconds_only_cut() -> None:
    found = falsify("any-depth-connected", tries=100_000, seconds=0.2)
    assert isinstance(found, Survived)
    assert 0 < found.tried < 100_000 and found.reason == "cut after 0.2 s"


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: falsify("deep-linear-conected"), "claim"),
        (lambda: falsify("relu-disconnected"), "claim"),
        (lambda: falsify("deep-linear-connected", "width"), "drop"),
        (lambda: falsify("any-depth-connected", as_stated=True), "variant"),
        (lambda: falsify("deep-linear-connected", tries=0), "tries"),
        (lambda: falsify("deep-linear-connected", seconds=0), "seconds"),
    ],
)
def test_a_bad_request_names_its_argument(call: Any, argument: str) -> None:
    with pytest.raises(InputError) as error:
        call()
    assert error.value.argument == argument


def test_an_argument_for_a_false_refutation_is_not_believed() -> None:
    """A wall that does not stand: the hunter asks the kernel, and the kernel refuses."""
    attack = reading("deep-linear-connected", as_stated=True)
    found = falsify("deep-linear-connected", as_stated=True)
    assert isinstance(found, Refutation)
    case = Case(found.instance.network, found.instance.data)
    proof = decode(found.certificate_bytes)["proof"]
    conclusion = found.instance.conclusion
    assert judged(attack, case, Argument(conclusion, "barrier", proof)) is not None
    higher = {**proof, "margin": "2"}
    assert judged(attack, case, Argument(conclusion, "barrier", higher)) is None
    wider = Case(Network.dense((1, 2, 1), "linear"), found.instance.data)
    assert judged(attack, wider, Argument(conclusion, "barrier", proof)) is None


def test_cases_break_the_dropped_hypothesis_and_keep_the_others() -> None:
    attack = reading("scalar-quadratic-connected", "wide")
    drawn = [case for case in drawn_cases(attack, 60, 0) if case is not None]
    assert len(set(drawn)) == 60
    (dropped,) = attack.dropped
    for case in drawn:
        needed = needed_widths(dropped.json, case.network, case.data)
        assert needed is not None and case.network.hidden[0] < needed[0]
        assert case.network.activation.kind == "square" and case.network.m == 1


def test_a_dropped_pattern_is_a_pattern_and_a_dropped_bias_a_bias() -> None:
    for name, holds in (
        ("dense", lambda c: not c.network.is_dense),
        ("no-bias", lambda c: any(c.network.bias)),
        ("linear", lambda c: c.network.activation.kind != "linear"),
    ):
        attack = reading("deep-linear-connected", name)
        drawn = [case for case in drawn_cases(attack, 20, 0) if case is not None]
        assert drawn and all(map(holds, drawn))


def test_fewer_units_come_before_anything_else() -> None:
    large = Dataset.from_rows([[100]], [["-7/3"]])
    small = Dataset.from_rows([[1]], [[1]])
    one, two = Network.dense((1, 1, 1), "relu"), Network.dense((1, 2, 1), "linear")
    assert shrink_order(Case(one, large)) < shrink_order(Case(two, small))
    more = Dataset.from_rows([[1], [1]], [[1], [1]])
    assert shrink_order(Case(one, large)) < shrink_order(Case(one, more))
    minus = Dataset.from_rows([[1]], [[-1]])
    assert shrink_order(Case(one, small)) < shrink_order(Case(one, minus))


def test_mutants_are_made_of_the_main_reading() -> None:
    found = mutants(claim("deep-linear-connected"))
    names = [m.name for m in found]
    assert "corrected-without-linear" in names
    # the strict bound made weak is the printed reading, which is already there
    assert not any("made weak" in name for name in names)
    lowered = mutants(claim("finite-dimension-descent"))[-1]
    assert {"kind": "hidden_widths", "relation": ">=", "bound": "q", "less": 1} in lowered.kept


def test_a_mutant_that_is_false_falls() -> None:
    (lowered,) = (m for m in mutants(claim("quadratic-connected")) if "lowered" in m.variant.name)
    found = hunt(lowered, tries=200)
    assert isinstance(found, Refutation)
    assert found.instance.network.widths == (1, 1, 1)


def test_true_instances_are_not_refuted() -> None:
    for c in topology_claims():
        whole = reading(c.id)
        if c.main.conclusion not in ("joined", "descends"):
            continue
        for i in range(5):
            instance = c.random(Seeded(f"true {c.id} {i}"))
            case = Case(instance.network, instance.data, instance.loss.penalties)
            assert attacked(whole, case) is None, (c.id, i)


def test_a_row_says_none_known_and_why() -> None:
    table = sharpness(["any-depth-connected"], tries=100)
    assert {row.hypothesis for row in table.rows} == {"dense", "linear-output", "wide"}
    assert json.loads(json.dumps(table.to_json()))["rows"][0]["claim"] == "any-depth-connected"
    assert all(row.why or row.counterexample for row in table.rows)


def test_a_draw_without_an_allowed_width_is_no_case() -> None:
    kept = [{"kind": "activation", "is": "linear"}]
    dropped = [{"kind": "hidden_widths", "relation": ">=", "bound": "min(n,m)"}]
    # min(n, m) = 1 leaves no width below
    assert draw_case(Seeded(0), kept, dropped, 1) is None

"""The pages of list: everything at a glance, and each claim and experiment in full."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from theorylab.claims import Claim, all_claims
from theorylab.cli import main
from theorylab.experiments.register import entries, load
from theorylab.falsify.reading import reading
from theorylab.report.catalogue import print_catalogue, print_claims


def console(width: int) -> Console:
    return Console(file=io.StringIO(), width=width)


def shown(out: Console) -> str:
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def flowed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_catalogue_has_every_claim_and_experiment(width: int) -> None:
    out = console(width)
    print_catalogue(all_claims(), out, entries())
    page = shown(out)
    assert all(f"  {one.id}" in page for one in all_claims())
    assert all(f"  {entry.name}" in page for entry in entries())
    assert all(len(line) <= width for line in page.splitlines())
    errata = sum(one.erratum is not None for one in all_claims())
    counted = f"{len(all_claims())} claims, {errata} have an erratum; {len(entries())} experiments"
    assert counted in flowed(page)


@pytest.mark.parametrize("one", all_claims(), ids=lambda one: one.id)
def test_a_claim_in_full(one: Claim) -> None:
    out = console(80)
    print_claims([one], out)
    page = flowed(shown(out))
    assert flowed(one.title) in page and flowed(str(one.source)) in page
    for variant in one.variants:
        assert f"{variant.name} {flowed(variant.words)}" in page
    for hypothesis in one.hypotheses:
        assert f"{hypothesis.name} {flowed(hypothesis.words)}" in page
        if one.quantifier == "universal" and one.kind == "exact":
            # the name that the page gives is one that the hunt takes
            assert reading(one, hypothesis.name).dropped[0].name == hypothesis.name
    if one.erratum is not None:
        assert flowed(one.erratum.refuted_by) in page


def test_an_experiment_in_full() -> None:
    found = load("max-margin-bias")
    out = console(80)
    print_claims([], out, [found])
    page = flowed(shown(out))
    assert all(f"{r.variant} {flowed(r.words)}: {r.expected}" in page for r in found.readings)
    assert "budget ci 2 parts" in page
    assert "theorylab experiment max-margin-bias" in page


def test_list_takes_claims_and_experiments(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "quadratic-connected", "max-margin-bias"]) == 0
    page = capsys.readouterr().out
    assert page.startswith("quadratic-connected ")
    assert "max-margin-bias" in page and "deep-linear-connected" not in page
    assert main(["list", "quadratic-connected", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert [one["id"] for one in value["claims"]] == ["quadratic-connected"]
    assert value["claims"][0]["names"][-1] == "wide" and value["experiments"] == []


def test_list_refuses_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "quadratic-conected"]) == 2
    assert "did you mean quadratic-connected" in capsys.readouterr().err

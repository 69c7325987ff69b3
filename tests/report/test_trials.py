"""The pages of statistical trials, and of distances between polynomials and activations."""

from __future__ import annotations

import io
import json
from dataclasses import replace

from rich.console import Console

from theorylab import kernel
from theorylab.claims import claim
from theorylab.outcome import Observed
from theorylab.report.latex import verification_latex
from theorylab.report.latex_facts import conclusion_latex
from theorylab.report.terminal import print_verification
from theorylab.verify import Result, Verification, describe

SEEN = Result(
    claim="real-zeros-mean",
    title="The mean number of real zeros",
    variant="corrected",
    instance="kostlan-4",
    architecture="degrees 4",
    activation="kostlan",
    data="Gaussian",
    samples=1000,
    outcome="consistent",
    expected=True,
    assurance="statistical",
    reason="mean 2.018 of 1000, claimed 2, p = 0.57",
    certificate=None,
    seconds=0.2,
    conclusion="mean",
    observed=Observed("consistent", 0.009, (1.9, 2.1), 0.57, 1000, "0"),
)
AGAINST = replace(SEEN, variant="printed", instance="network-2-2", outcome="inconsistent")
OPEN = replace(SEEN, instance="short", outcome="undecided", expected=False)
EXACT = replace(SEEN, outcome="refuted", assurance="kernel", observed=None, conclusion="has_zero")


def page(*results: Result) -> str:
    out = Console(file=io.StringIO(), width=90)
    run = Verification(seed=0, results=results, seconds=1.0, planned=len(results))
    print_verification(run, [claim("real-zeros-mean")], out)
    assert isinstance(out.file, io.StringIO)
    return " ".join(out.file.getvalue().split())


def test_trials_are_counted_apart_and_never_called_proved() -> None:
    shown = page(SEEN, SEEN, AGAINST, EXACT)
    assert "consistent in 2 of 2 trials, inconsistent as expected in 1 trial" in shown
    assert "refuted as expected on 1 instance" in shown
    assert "proved" not in shown
    assert "assurance: kernel, and statistical for trials" in shown


def test_an_undecided_or_unexpected_trial_is_said() -> None:
    wrong = replace(AGAINST, expected=False)
    shown = page(SEEN, OPEN, wrong)
    assert "consistent in 1 of 3 trials, 1 unexpected, 1 undecided" in shown
    run = Verification(seed=0, results=(SEEN, wrong), seconds=1.0, planned=2)
    assert run.exit_status == 1
    assert replace(run, results=(SEEN, OPEN)).exit_status == 3
    assert replace(run, results=(SEEN, AGAINST)).exit_status == 0


def test_the_run_in_words_names_its_trials() -> None:
    run = Verification(seed=0, results=(SEEN, AGAINST), seconds=1.0, planned=2)
    words = " ".join(str(run).split())
    assert "consistent in 1 of 1 trial, inconsistent as expected in 1 trial" in words
    assert repr(run).startswith("<verification of 2 of 2 instances: 1 consistent, 1 inconsistent")
    assert run.to_json()["summary"]["consistent"] == 1


def test_a_trial_in_latex_is_what_was_observed() -> None:
    run = Verification(seed=0, results=(SEEN,), seconds=1.0, planned=1)
    shown = verification_latex(run, [claim("real-zeros-mean")])
    assert r"\textbf{Outcome.} consistent (statistical): mean 2.018" in shown


def test_distances_in_words_and_latex() -> None:
    c = claim("relu-polynomial-approximation")
    words, formulas = {}, {}
    for instance in c.canonical():
        raw = c.prove(instance)
        assert isinstance(raw, bytes)
        outcome = kernel.check(raw)
        assert not isinstance(outcome, kernel.Rejected)
        words[instance.name] = describe(outcome.statement).split(": ", 1)[1]
        formulas[instance.name] = conclusion_latex(json.loads(raw)["statement"]["conclusion"])
    assert words["best-2"] == "the best error of degree 2 on [-1, 1] is 1/16"
    assert words["best-4"].endswith("is from 0.0338104496 to 0.03381044965")
    assert words["legendre-2"] == "max |rho - p| on [-1, 1] is 3/32"
    assert words["nearest-2"] == "no polynomial of degree 2 is nearer on [-1, 1]"
    assert formulas["best-2"] == r"\[ \min_{\deg q\le 2}\max_{[-1,1]}|\rho-q| = \tfrac{1}{16} \]"
    assert r"\max_{[-1,1]}|\rho-p| = \min_{\deg q\le 2}" in formulas["nearest-2"]
    assert r"\tfrac{3}{32} & \tfrac{1}{2} & \tfrac{15}{32}" in formulas["nearest-2"]
    assert r"\le \max_{[-2,2]}|\rho-p| \le 2071" in formulas["legendre-10-outside"]

"""The pages of ``theorylab list``: the catalogue at a glance, and a claim or experiment in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from theorylab.report.page import Page

if TYPE_CHECKING:
    from theorylab.claims import Claim
    from theorylab.experiments.experiment import Experiment
    from theorylab.experiments.register import Entry

_INDENT = 2


def print_catalogue(
    claims: Sequence[Claim], console: Console, experiments: Sequence[Entry] = ()
) -> None:
    """The page of ``theorylab list``: a line or two for each claim and each experiment."""
    page = Page(console)
    names = [*(claim.id for claim in claims), *(entry.name for entry in experiments)]
    width = max(map(len, names), default=0)
    page.heading("claims, decided on exact instances")
    for claim in claims:
        page.labelled(claim.id, _titled(claim), width, look="cyan")
    page.blank()
    if experiments:
        page.heading("experiments, measured on trained networks")
        for entry in experiments:
            page.labelled(entry.name, entry.title, width, look="cyan")
        page.blank()
    page.rule()
    errata = sum(claim.erratum is not None for claim in claims)
    counted = f"{counts(len(claims), 'claim')}, {errata} {'has' if errata == 1 else 'have'} an "
    counted += "erratum"
    if experiments:
        counted += f"; {counts(len(experiments), 'experiment')}"
    page.text(counted)
    page.again("read one in full, decide it, hunt against it:", "theorylab list CLAIM",
               "theorylab verify CLAIM", "theorylab falsify CLAIM", indent=0)  # fmt: skip
    if experiments:
        page.again("read and run an experiment:", "theorylab list NAME",
                   "theorylab experiment NAME", indent=0)  # fmt: skip
    page.print()


def print_claims(
    claims: Sequence[Claim], console: Console, experiments: Sequence[Experiment] = ()
) -> None:
    """The page of ``theorylab list CLAIM...``: each in full, and what can be done with it."""
    page = Page(console)
    for claim in claims:
        _claim(page, claim)
        page.blank()
    for experiment in experiments:
        _experiment(page, experiment)
        page.blank()
    page.print()


def _titled(claim: Claim) -> Text:
    """The title, and in what the claim differs from an exact universal one without erratum."""
    line = Text(claim.title)
    for word, unlike in (
        (claim.quantifier, claim.quantifier != "universal"),
        (claim.kind, claim.kind != "exact"),
        ("erratum", claim.erratum is not None),
    ):
        if unlike:
            line.append("; ").append(word, "magenta")
    return line


def _claim(page: Page, claim: Claim) -> None:
    page.heading(claim.id)
    page.text(claim.title, _INDENT, "bold")
    page.text(f"{claim.source or 'a conjecture of your own'}", _INDENT, "dim")
    page.blank()
    names = [hypothesis.name for hypothesis in claim.hypotheses]
    width = max(map(len, ("quantifier", *(v.name for v in claim.variants), *names)))
    for variant in claim.variants:
        page.labelled(variant.name, variant.words, width)
    page.labelled("quantifier", f"{claim.quantifier}, {claim.kind}", width)
    if claim.grids:
        page.labelled("families", f"{', '.join(claim.grids)}, of phase", width)
    if claim.hypotheses:
        page.blank()
        page.text(f"hypotheses of the {claim.main.name} reading, by their names", _INDENT, "bold")
        for hypothesis in claim.hypotheses:
            page.labelled(hypothesis.name, hypothesis.words, width, look="cyan")
    if claim.erratum is not None:
        page.blank()
        page.text("erratum", _INDENT, "bold")
        for label, words in (
            ("printed", claim.erratum.printed),
            ("finding", claim.erratum.refuted_by),
            ("correct", claim.erratum.corrected),
        ):
            page.labelled(label, words, width)
    if claim.source is None:
        return
    commands = [f"theorylab verify {claim.id}"]
    if names:
        commands.append(f"theorylab falsify {claim.id} --drop {names[-1]}")
    if claim.erratum is not None:
        commands.append(f"theorylab falsify {claim.id} --as-stated")
    commands += [f"theorylab phase {claim.id}"] if claim.grids else []
    page.again("decide it, hunt against it:", *commands)


def _experiment(page: Page, found: Experiment) -> None:
    page.heading(found.name)
    page.text(found.title, _INDENT, "bold")
    page.text(str(found.source), _INDENT, "dim")
    page.blank()
    page.text("readings, and the word that we expect of each", _INDENT, "bold")
    width = max(len(reading.variant) for reading in found.readings)
    for reading in found.readings:
        page.labelled(reading.variant, f"{reading.words}: {reading.expected}", width)
    page.blank()
    for name in found.budgets:
        parts = len(found.parts(found.config(name, 0)))
        page.labelled(f"budget {name}", counts(parts, "part"), len("budget full"))
    page.again("measure it:", f"theorylab experiment {found.name}")


def counts(number: int, noun: str) -> str:
    """A number and its noun.

    >>> counts(1, "claim"), counts(2, "claim")
    ('1 claim', '2 claims')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"

"""The page of a claim that is not what is expected: what was asked, of what, and how to replay it.

It stands where pytest shows a traceback, so it says first what was decided, and last what to type.
"""

from __future__ import annotations

import io
import shlex
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from theorylab.claims import Claim
from theorylab.falsify import Counterexample, Refutation, Survived
from theorylab.instances import Instance
from theorylab.report.hunts import instance_rows, print_hunt
from theorylab.report.page import Page
from theorylab.verify import Result

_INDENT = 2
_MOST_SAMPLES = 12
_MOST_WEIGHTS = 60


@dataclass(frozen=True, slots=True)
class Failure:
    """One instance or hunt of a claim that is not as expected.

    ``found`` is what a hunt found after it, or by itself; ``hunted`` are the words that hunt so
    again, ``replay`` commands that decide the instance again. ``name`` is what the claim is called
    on the command line.
    """

    claim: Claim
    name: str
    result: Result | None = None
    instance: Instance | None = None
    found: Refutation | Counterexample | Survived | None = None
    replay: tuple[tuple[str, ...], ...] = ()
    hunted: tuple[str, ...] = ()

    @property
    def undecided(self) -> bool:
        """Whether nothing was decided, and no hunt found a counterexample either."""
        if not isinstance(self.found, Survived | None):
            return False
        return self.result is None or (
            self.result.outcome == "undecided" and not self.result.rejected
        )

    @property
    def headline(self) -> str:
        """Which claim and instance, and what is wrong, in one line.

        >>> from theorylab.falsify import falsify
        >>> from theorylab.claims import claim
        >>> found = falsify("deep-linear-connected", as_stated=True)
        >>> Failure(claim("deep-linear-connected"), "deep-linear-connected", found=found).headline
        'deep-linear-connected: refuted by a 1-1-1 linear network and 1 sample'
        """
        where = "" if self.result is None else f", {self.result.instance}"
        return f"{self.name}{where}: {self.verdict}"

    @property
    def verdict(self) -> str:
        """What is wrong, in one line."""
        result, found = self.result, self.found
        if result is None:
            assert found is not None  # a failure has one of the two
            return _of_hunt(found)
        words = f"{result.outcome}: {result.reason}"
        if result.rejected or result.reason.startswith("undecided"):
            words = result.reason
        elif self.instance is not None and result.outcome != "undecided":
            words = f"{result.outcome}, and {self.instance.expected} is expected"
        return " ".join(words.split())


def _of_hunt(found: Refutation | Counterexample | Survived) -> str:
    if isinstance(found, Survived):
        return f"undecided: no case was tried; {found.reason}"
    if isinstance(found, Counterexample):
        return found.outcome + (f": {found.said}" if found.said else "")
    instance = found.instance
    network = f"a {instance.architecture} {instance.network.activation.kind} network"
    return f"refuted by {network} and {_samples(instance.data.samples)}"


def _samples(count: int) -> str:
    return f"{count} sample{'s' * (count != 1)}"


def print_failure(failure: Failure, console: Console) -> None:
    """The page of a failure: the instance, then the counterexample of a hunt, then commands."""
    page = Page(console)
    claim, result = failure.claim, failure.result
    width = len("certificate")

    def row(label: str, words: Text | str, look: str = "") -> None:
        page.labelled(label, words, width, look)

    if result is not None:
        page.text(failure.verdict, 0, "bold red")
        page.blank()
        row("claim", claim.title)
        row("source", str(claim.source or "a conjecture of your own"))
        reading = next((v for v in claim.variants if v.name == result.variant), claim.main)
        if reading.words != claim.title:
            row(reading.name, reading.words)
        row("instance", result.instance)
        row("outcome", *_outcome(failure, result))
        row("because", result.reason)
        if failure.instance is not None and not isinstance(failure.found, Refutation):
            _numbers(failure.instance, row)
        elif failure.instance is not None:
            instance = failure.instance
            kind, samples = instance.network.activation.kind, instance.data.samples
            row("network", f"{instance.architecture} {kind}, {_samples(samples)}")
        if result.certificate is not None:
            row("certificate", result.certificate)
        if isinstance(failure.found, Survived):
            row("hunted", f"survived {failure.found.tried} (seed {failure.found.seed})")
        page.blank()
        page.text("decide it again:", _INDENT, "dim")
        for words in failure.replay:
            page.verbatim(shlex.join(words), _INDENT)
        if result.certificate is not None:
            page.verbatim(f"theorylab check {shlex.quote(result.certificate)}", _INDENT)
        if isinstance(failure.found, Survived | None):
            page.print()
            return
        page.blank()
        page.text("the same claim, hunted, and its counterexample made as small as it gets:")
        page.blank()
    else:
        page.text(failure.verdict, 0, "bold red")
        page.blank()
    page.print()
    console.file.write("\n")
    assert failure.found is not None  # else the page is done
    print_hunt(failure.found, console, failure.hunted)


def _outcome(failure: Failure, result: Result) -> tuple[str, str]:
    if result.rejected:
        return "rejected by the kernel: nothing is proved or refuted", "bold red"
    if result.outcome == "undecided":
        return "undecided", "bold yellow"
    if failure.instance is None or result.assurance == "unchecked":
        return result.outcome, "bold red"
    expected = failure.instance.expected
    who = "the claim says" if failure.claim.source is None else "the catalogue expects"
    return f"{result.outcome} by the kernel; {who} {expected}", "bold red"


def _numbers(instance: Instance, row: Callable[..., None]) -> None:
    """The instance number by number, or in short where that would fill pages."""
    count = instance.network.parameter_count
    if instance.data.samples <= _MOST_SAMPLES and count <= _MOST_WEIGHTS:
        instance_rows(instance, instance.conclusion, row)
        return
    row("network", f"{instance.architecture} {instance.network.activation.kind}")
    row("data", f"{instance.data.name}, {_samples(instance.data.samples)}")


def failure_page(failure: Failure, width: int = 80, colour: bool = False) -> str:
    """The same page as text of at most this width, commands left whole."""
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        highlight=False,
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
        legacy_windows=False,
    )
    print_failure(failure, console)
    return file.getvalue().rstrip("\n")

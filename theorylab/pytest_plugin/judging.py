"""One claim under test: what is decided of it, and when that fails a test."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from theorylab.claims import Claim
from theorylab.falsify import INTERRUPTED, Counterexample, Refutation, Survived, falsify
from theorylab.instances import Instance, Trial
from theorylab.pytest_plugin.words import Numbers
from theorylab.report.failures import Failure, failure_page
from theorylab.verify import SAID, Result, asked, decide, observe

# a failing claim is hunted for a smaller counterexample, no longer than this
_SECONDS = 10.0


class Failed(Exception):
    """An outcome that is not the expected one."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.headline)
        self.failure = failure


class Page:
    """A failure where pytest shows a traceback: as wide as the terminal, in its colours."""

    def __init__(self, failure: Failure) -> None:
        self._failure = failure
        self.reprcrash = _Crash(failure.verdict)

    def toterminal(self, tw: Any) -> None:
        """Write the page to the terminal of pytest."""
        for line in failure_page(self._failure, tw.fullwidth, tw.hasmarkup).split("\n"):
            tw.line(line)

    def __str__(self) -> str:
        return failure_page(self._failure)


@dataclass(frozen=True, slots=True)
class _Crash:
    """What the short summary of pytest prints beside the name of a test."""

    message: str


@dataclass(slots=True)
class Hunts:
    """Hunts after failures, at most one for each claim of a run."""

    found: dict[str, Refutation | Counterexample | Survived] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)


def is_huntable(claim: Claim) -> bool:
    """Whether an instance can refute a claim: it is universal, and not statistical."""
    return claim.quantifier == "universal" and claim.kind != "statistical"


@dataclass(frozen=True, slots=True)
class Subject:
    """A claim, and what it is called on the command line (nothing where that cannot name it).

    ``again`` are the words that run the test again, but for the seed;
    ``verifies`` says whether ``theorylab verify`` decides the same instance, and a hunt of the
    claim may find a smaller one: it does not where a test brings an instance of its own.
    """

    claim: Claim
    name: str
    numbers: Numbers
    hunts: Hunts
    again: tuple[str, ...]
    verifies: bool = True

    def decided(self, case: Instance | Trial | None) -> tuple[Result, Failure | None]:
        """The outcome of an instance, a trial, or of the draws of a bare truth value (None)."""
        if case is None:
            draws = self.numbers.instances or SAID
            result = asked(self.claim, draws, self.numbers.seed)
        elif isinstance(case, Trial):
            result = observe(self.claim, case)
        else:
            result = decide(self.claim, case, self.numbers.out)
        if result.expected:
            return result, None
        instance = case if isinstance(case, Instance) else None
        return result, self._failure(result, instance)

    def hunted(self, tries: int) -> tuple[dict[str, Any], Failure | None]:
        """What a hunt of so many tries finds, as JSON, and what is wrong with it."""
        numbers = self.numbers
        hunted = self._command("falsify", "--tries", str(tries))
        found = falsify(self.claim, tries=tries, seed=numbers.seed, out=numbers.out, command=hunted)
        _stop(found)
        bad = not isinstance(found, Survived) or not found.tried
        name = self.name or self.claim.id
        failure = Failure(self.claim, name, found=_near(found), hunted=hunted) if bad else None
        return found.to_json(), failure

    def _failure(self, result: Result, instance: Instance | None) -> Failure:
        found = None
        expects = instance is None or instance.expected == "proved"
        if (
            self.verifies
            and is_huntable(self.claim)
            and expects
            and not result.rejected
            and result.observed is None
        ):
            found = self._smaller()
        return Failure(
            claim=self.claim,
            name=self.name or self.claim.id,
            result=_near(result),
            instance=instance,
            found=found,
            replay=self._replay(result),
            hunted=self._command("falsify"),
        )

    def _smaller(self) -> Refutation | Counterexample | Survived | None:
        """What a hunt finds after a failure: shown once, with the first failure of the claim."""
        key = self.name or self.claim.id
        if key not in self.hunts.found:
            found = falsify(self.claim, seed=self.numbers.seed, seconds=_SECONDS)
            _stop(found)
            self.hunts.found[key] = found
        if key in self.hunts.shown:
            return None
        self.hunts.shown.add(key)
        return self.hunts.found[key]

    def _command(self, verb: str, *more: str) -> tuple[str, ...]:
        if not self.name:
            return self.again
        seed = ("--seed", str(self.numbers.seed)) if self.numbers.seed else ()
        return ("theorylab", verb, self.name, *more, *seed)

    def _replay(self, result: Result) -> tuple[tuple[str, ...], ...]:
        """The test again; and the same on the command line of theorylab, where that can name it."""
        seed = ("--claims-seed", str(self.numbers.seed)) if self.numbers.seed else ()
        first = (*self.again, *seed)
        if not self.name or not self.verifies:
            return (first,)
        return first, self._command("verify", *_instances(result, self.numbers))


def _near(found: Any) -> Any:
    """The same, its certificate named from where one is, if it lies below."""
    path = getattr(found, "certificate", None)
    if path is None or (shown := os.path.relpath(path)).startswith(".."):
        return found
    return replace(found, certificate=shown)


def _instances(result: Result, numbers: Numbers) -> tuple[str, ...]:
    """The option that makes verify decide this instance too."""
    count = numbers.instances
    if result.instance.startswith("random-"):
        count = int(result.instance.rpartition("-")[2]) + 1
    return ("--instances", str(count)) if count else ()


def _stop(found: Refutation | Counterexample | Survived) -> None:
    """Ctrl-C ends the tests, not the hunt alone."""
    if isinstance(found, Survived) and found.reason == INTERRUPTED:
        raise KeyboardInterrupt


def judge(failure: Failure | None, numbers: Numbers) -> None:
    """Fail, or skip what is undecided where that was asked for."""
    if failure is None:
        return
    if failure.undecided and numbers.skips_undecided:
        pytest.skip(failure.headline)
    raise Failed(failure)


def short(results: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """What goes into the junit file as properties of a test."""
    keys = ("claim", "variant", "outcome", "assurance", "seed", "tried", "certificate")
    return [(key, str(one[key])) for one in results for key in keys if one.get(key) is not None]

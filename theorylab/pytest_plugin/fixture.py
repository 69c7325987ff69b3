"""The fixtures ``claim`` and ``instance``, and the marker that says which claim they are of."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from theorylab.claims import Claim, Variant, all_claims, claim
from theorylab.conjecture import load_claims, proposed
from theorylab.conjecture.fact import VARIANT
from theorylab.instances import Instance, Trial
from theorylab.outcome import InputError, Undecided
from theorylab.pytest_plugin.collection import Case, cases, wanted
from theorylab.pytest_plugin.judging import Hunts, Subject, short
from theorylab.pytest_plugin.words import Numbers, numbers
from theorylab.report.failures import Failure, failure_page
from theorylab.verify import Result, Verification

_KEYS = ("instances", "tries", "seed")
_HUNTS = pytest.StashKey[Hunts]()
_FILES = pytest.StashKey[dict[str, tuple[Claim, ...]]]()
_CASES = pytest.StashKey[dict[tuple[Claim, Numbers], dict[str, Case]]]()


@dataclass(frozen=True, slots=True)
class Marked:
    """What a marker ``claim(which, instances=, tries=, seed=)`` says."""

    claim: Claim
    name: str
    numbers: Numbers


class ClaimUnderTest:
    """The claim of a test's marker, to decide, to hunt, or to hand one's own results to.

    Each method fails the test with the page of ``theorylab falsify`` when the outcome is not the
    expected one. Guarantees: exact; proved and refuted are the kernel's words.
    """

    def __init__(self, marked: Marked | None, request: pytest.FixtureRequest) -> None:
        self._marked, self._request = marked, request
        config = request.config
        self._numbers = numbers(config) if marked is None else marked.numbers
        self._hunts = config.stash.setdefault(_HUNTS, Hunts())

    @property
    def claim(self) -> Claim:
        """The claim of the marker. InputError for a test without one."""
        if self._marked is None:
            rule = "this test has no claim"
            remedy = "write @pytest.mark.claim(...) above it, or use claim.decide(fact)"
            raise InputError("claim", self._request.node.nodeid, rule, remedy)
        return self._marked.claim

    @property
    def instances(self) -> tuple[Instance, ...]:
        """Its fixed instances, then the random ones."""
        made = _cases(self.claim, self._numbers, self._request.config)
        drawn = (case() if callable(case) else case for case in made.values())
        return tuple(one for one in drawn if isinstance(one, Instance))

    def holds(self) -> Verification:
        """Decide the fixed instances and the random ones, then hunt; fail at the first surprise.

        A claim whose function says only True or False survives, and nothing more.
        """
        begun, chosen = time.monotonic(), self.claim
        subject = self._subject(chosen)
        made = _cases(chosen, self._numbers, self._request.config)
        results = []
        for case in made.values():
            if isinstance(case, int):
                self._end(*subject.hunted(case))
                continue
            result, failure = subject.decided(case() if callable(case) else case)
            results.append(self._ended(result, failure))
        seconds = time.monotonic() - begun
        return Verification(self._numbers.seed, tuple(results), seconds, len(results))

    def decide(self, fact: Instance, proof: Any = None, expected: str = "proved") -> Result:
        """Ask the kernel about one fact (``tl.fact``), or about an instance of the claim.

        ``proof`` is what your code made: a path of the topology wing, or (rule, proof); without
        one the prover of the claim looks for it, or our own searchers. Without a marker the fact
        stands by itself, without hypotheses.
        """
        if not isinstance(fact, Instance):
            rule = "the kernel decides facts"
            raise InputError("fact", fact, rule, "make one with theorylab.fact(...)")
        chosen = self._fact_alone(fact) if self._marked is None else self.claim
        if all(variant.name != fact.variant for variant in chosen.variants):
            fact = replace(fact, variant=chosen.main.name)
        if proof is not None:
            chosen = replace(chosen, prover=proposed(chosen.id, lambda instance: proof))
        if not fact.name:
            fact = replace(fact, name=_file_name(self._request.node.name))
        if expected not in ("proved", "refuted"):
            rule = "an outcome is proved or refuted"
            raise InputError("expected", expected, rule, "choose one of the two")
        if self._marked is None or expected != "proved":
            fact = replace(fact, expected=expected)
        return self._ended(*self._subject(chosen, verifies=False).decided(fact))

    def hunt(self, tries: int = 500) -> dict[str, Any]:
        """Hunt for a counterexample; fail with the shrunk one. What it returns proves nothing."""
        found, failure = self._subject(self.claim).hunted(tries)
        self._end(found, failure)
        return found

    def _fact_alone(self, fact: Instance) -> Claim:
        name = _file_name(self._request.node.originalname)
        kind = fact.conclusion["kind"]
        variant = Variant(VARIANT, f"the fact of {name}", "", (), kind)

        def no_random(draw: object) -> Instance:
            raise InputError("claim", name, "a fact alone has no random instances", "make a claim")

        return Claim(
            id=name,
            title=variant.words,
            source=None,
            variants=(variant,),
            canonical=lambda: (),
            random=no_random,
            prover=proposed(name, None),
        )

    def _subject(self, chosen: Claim, verifies: bool = True) -> Subject:
        name = "" if self._marked is None else self._marked.name
        again = ("pytest", self._request.node.nodeid)
        return Subject(chosen, name, self._numbers, self._hunts, again, verifies)

    def _ended(self, result: Result, failure: Failure | None) -> Result:
        self._end({**result.to_json(), "seed": self._numbers.seed}, failure)
        return result

    def _end(self, found: dict[str, Any], failure: Failure | None) -> None:
        node = self._request.node
        name = (self._marked and self._marked.name) or found["claim"]
        node._theorylab = [*getattr(node, "_theorylab", ()), {**found, "name": name}]
        node.user_properties += [one for one in short([found]) if one not in node.user_properties]
        if failure is None:
            return
        reporter = self._request.config.pluginmanager.get_plugin("terminalreporter")
        width = 80 if reporter is None else reporter._tw.fullwidth
        if failure.undecided and self._numbers.skips_undecided:
            pytest.skip(failure.headline)
        pytest.fail(failure_page(failure, width), pytrace=False)


def _file_name(text: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in text)[:80].strip("-.")


def under_test(request: pytest.FixtureRequest) -> ClaimUnderTest:
    """The value of the fixture ``claim``."""
    marker = request.node.get_closest_marker("claim")
    marked = None if marker is None else _marked(marker, request.config, request.path)
    return ClaimUnderTest(marked, request)


def instance_of(request: pytest.FixtureRequest) -> Instance:
    """The value of the fixture ``instance``; the test fails in one line without a marker."""
    marker = request.node.get_closest_marker("claim")
    label = getattr(request, "param", None)
    if marker is None or label is None:
        rule = "the fixture is one instance of a claim, and the test has none"
        error = InputError("instance", request.node.name, rule, "write @pytest.mark.claim(...)")
        pytest.fail(f"theorylab: {error}", pytrace=False)
    marked = _marked(marker, request.config, request.path)
    case = _cases(marked.claim, marked.numbers, request.config)[label]
    made = case() if callable(case) else case
    assert isinstance(made, Instance)  # the others were left out
    return made


def parametrised(metafunc: pytest.Metafunc, marker: pytest.Mark) -> None:
    """A test that takes ``instance`` once for each; a wrong marker is an error in one line."""
    try:
        labels = _labels(metafunc, marker)
    except InputError as error:
        said = f"theorylab: {metafunc.definition.name}, @pytest.mark.claim: {error}"
    else:
        if labels is not None:
            metafunc.parametrize("instance", labels, indirect=True)
        return
    pytest.fail(said, pytrace=False)


def _labels(metafunc: pytest.Metafunc, marker: pytest.Mark) -> list[str] | None:
    """The names of the instances; None for a test that does not take one."""
    marked = _marked(marker, metafunc.config, metafunc.definition.path)
    if "instance" not in metafunc.fixturenames:
        if "claim" in metafunc.fixturenames:
            return None
        rule = "the test takes neither of the fixtures claim and instance"
        raise InputError("marker", marked.claim.id, rule, "take one of them")
    made = _cases(marked.claim, marked.numbers, metafunc.config)
    labels = [label for label, case in made.items() if _is_instance(case)]
    if not labels:
        rule = "its function says True or False, and makes no instances"
        raise InputError("instance", marked.claim.id, rule, "take the fixture claim instead")
    return labels


def _is_instance(case: Case) -> bool:
    return not (case is None or isinstance(case, Trial | int | Undecided))


def _cases(chosen: Claim, counts: Numbers, config: pytest.Config) -> dict[str, Case]:
    """The cases of a claim, made once in a run."""
    kept = config.stash.setdefault(_CASES, {})
    if (chosen, counts) not in kept:
        kept[chosen, counts] = cases(chosen, counts)
    return kept[chosen, counts]


def _marked(marker: pytest.Mark, config: pytest.Config, path: Path) -> Marked:
    """What the marker says. InputError for anything it cannot say."""
    unknown = [key for key in marker.kwargs if key not in _KEYS]
    if unknown or len(marker.args) != 1:
        given = [a.id if isinstance(a, Claim) else repr(a) for a in marker.args]
        shown = ", ".join([*given, *(f"{k}=..." for k in marker.kwargs)])
        rule = f"it takes one claim, and {', '.join(_KEYS)} by name"
        raise InputError("marker", shown or "nothing", rule, 'write e.g. claim("ID", instances=50)')
    for key, value in marker.kwargs.items():
        if type(value) is not int or (value < 0 and key != "seed"):
            rule = "a whole number, not negative, is expected"
            raise InputError(key, value, rule, f"write e.g. {key}=50")
    counts = replace(numbers(config), **marker.kwargs)
    which = marker.args[0]
    if isinstance(which, Claim):
        return Marked(which, _called(which, config, path), counts)
    if not isinstance(which, str):
        rule = "a claim is an id, FILE.py::NAME, or a Claim"
        raise InputError("marker", type(which).__name__, rule, "theorylab list shows all ids")
    beside = path.parent / which.partition("::")[0]
    one = wanted(str(path.parent / which) if beside.is_file() else which, config)
    if one.label is not None:
        rule = "a marker names a claim, not an instance"
        raise InputError("marker", which, rule, "take the fixture instance, and pytest -k")
    if one.file is None:
        assert one.name is not None  # without a file there is an id
        return Marked(claim(one.name), one.name, counts)
    loaded = config.stash.setdefault(_FILES, {})
    if one.file not in loaded:
        loaded[one.file] = load_claims(one.file)
    found = [c for c in loaded[one.file] if one.name in (None, c.id)]
    if len(found) != 1:
        known = ", ".join(c.id for c in loaded[one.file])
        rule = "a marker names one claim" if found else "the file has no such claim"
        raise InputError("marker", which, rule, f"it has {known}")
    return Marked(found[0], _named(found[0], one.file, config), counts)


def _called(which: Claim, config: pytest.Config, path: Path) -> str:
    """What a claim is called on the command line; nothing where that cannot name it."""
    if any(which is known for known in all_claims()):
        return which.id
    for file, claims in config.stash.setdefault(_FILES, {}).items():
        if any(which is one for one in claims):
            return _named(which, file, config)
    return ""


def _named(which: Claim, file: str, config: pytest.Config) -> str:
    return f"{os.path.relpath(file, config.invocation_params.dir)}::{which.id}"

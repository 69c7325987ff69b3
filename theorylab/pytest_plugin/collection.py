"""``pytest --claims``: one test for each instance of a claim, trial, hunt or function."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from theorylab.claims import Claim, all_claims, claim
from theorylab.conjecture.file import is_file_of_claims, load_claims
from theorylab.falsify import TRIES
from theorylab.instances import Instance, Trial
from theorylab.outcome import InputError
from theorylab.pytest_plugin.judging import Failed, Hunts, Page, Subject, is_huntable, judge, short
from theorylab.pytest_plugin.summary import document
from theorylab.pytest_plugin.words import NODES, Numbers, named, numbers, refused
from theorylab.records import keep
from theorylab.verify import random_instance

_RANDOM = re.compile(r"random-(-?\d{1,18})-(\d{1,9})")
_FILE = re.compile(r"(?P<file>.+?\.py)(?:::(?P<name>[^:]+))?(?:::(?P<label>.+))?")
_ID = re.compile(r"(?P<name>[^:]+)(?:::(?P<label>.+))?")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A claim of the catalogue, or in a ``file``, all its instances or the one called ``label``."""

    file: str | None
    name: str | None
    label: str | None


def wanted(word: str, config: pytest.Config) -> Wanted:
    """What a word asks for: ID, FILE.py, FILE.py::NAME, each with ::INSTANCE after the name.

    InputError for an unknown id and a missing file.
    """
    word = word.removeprefix(NODES)
    match = (_FILE if is_file_of_claims(word) else _ID).fullmatch(word)
    if match is None:
        rule = "claims are ids, FILE.py or FILE.py::NAME"
        raise InputError("--claims", word, rule, "theorylab list shows all ids")
    if "file" not in match.groupdict():
        return Wanted(None, claim(match["name"]).id, match["label"])
    file = match["file"]
    folders = (config.invocation_params.dir, config.rootpath)
    place = next((f / file for f in folders if (f / file).is_file()), None)
    if place is None:
        raise InputError("--claims", file, "there is no such file", "name a Python file of claims")
    return Wanted(str(place), match["name"], match["label"])


class Claims:
    """The part of the plugin that is there when claims are collected."""

    def __init__(self, config: pytest.Config) -> None:
        self.config, self.numbers, self.hunts = config, numbers(config), Hunts()
        self.loaded: dict[str, tuple[Claim, ...]] = {}
        self._found: list[dict[str, Any]] = []
        words = named(config)
        try:
            self.wanted = [wanted(word, config) for word in words]
        except InputError as error:
            raise refused(error) from None
        nodes = [word for word in config.getoption("claims") or () if word.startswith(NODES)]
        if nodes and nodes == words and not config.getoption("file_or_dir"):
            # `pytest claims::a::b` names all it wants, as `pytest tests/test_a.py::b` does
            config.args = []

    def pytest_report_header(self) -> str:
        """What is decided, and the seed of it."""
        told = [f"seed {self.numbers.seed}"]
        if self.numbers.instances:
            told.append(f"{self.numbers.instances} random instances of each")
        if self.numbers.tries:
            told.append(f"hunts of {self.numbers.tries} tries")
        names = dict.fromkeys(_shown(w) for w in self.wanted) or ["the whole catalogue"]
        listed = ", ".join(names) if len(names) <= 4 else f"{len(names)} claims and files"
        return f"claims: {listed}; {', '.join(told)}"

    def load(self, file: str) -> tuple[Claim, ...]:
        """The claims of a file, which is run once."""
        if file not in self.loaded:
            self.loaded[file] = load_claims(file)
        return self.loaded[file]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """What was decided, here or by a worker."""
        self._found += getattr(report, "theorylab", ())

    def pytest_sessionfinish(self) -> None:
        """The record of the run beside its certificates, for ``theorylab report``."""
        out, worker = self.numbers.out, hasattr(self.config, "workerinput")
        if out is None or worker:
            return
        files = dict.fromkeys(one.file for one in self.wanted if one.file is not None)
        own = [claim for file in files for claim in self.load(file)]
        # a fact that a test decides by itself has a certificate, and no claim to be a case of
        catalogue, mine = {claim.id for claim in all_claims()}, {claim.id for claim in own}
        found = [
            one
            for one in self._found
            if "tried" not in one
            and (one["name"] in catalogue or ("::" in one["name"] and one["claim"] in mine))
        ]
        if not found:
            return
        if self.config.pluginmanager.has_plugin("dsession"):
            found.sort(key=lambda one: (one["name"], one["instance"]))  # workers have no order
        named = {one["claim"] for one in found}
        told = document(found, self.numbers.seed)
        try:
            keep(out, "verify", told, self._words(found), [c for c in own if c.id in named])
        except InputError as error:
            raise refused(error) from None

    def _words(self, found: Iterable[dict[str, Any]]) -> list[str]:
        """The command that decides these claims again, all instances of them."""
        words = ["pytest", "-m", "claim", "--claims", *dict.fromkeys(one["name"] for one in found)]
        for option in ("instances", "tries", "seed"):
            if number := getattr(self.numbers, option):
                words += [f"--claims-{option}", str(number)]
        return words

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """The claims stand beside the files of the session."""
        report = yield
        if isinstance(collector, pytest.Session):
            root = Root.from_parent(collector, name="claims", nodeid="claims", claims=self)
            report.result = [*report.result, root]
        return report


def _shown(one: Wanted) -> str:
    file = None if one.file is None else os.path.relpath(one.file)
    return "::".join(part for part in (file, one.name) if part)


class Root(pytest.Collector):
    """All claims of a run."""

    def __init__(self, *, claims: Claims, **place: Any) -> None:
        super().__init__(**place)
        self.claims = claims

    def collect(self) -> Iterable[pytest.Collector]:
        """One node for each claim of the catalogue, one for each file."""
        groups: dict[tuple[str | None, str | None], list[Wanted]] = {}
        for one in self.claims.wanted or [Wanted(None, c.id, None) for c in all_claims()]:
            groups.setdefault((one.file, None if one.file else one.name), []).append(one)
        for (file, name), ones in groups.items():
            if file is not None:
                shown = Path(os.path.relpath(file, self.config.rootpath)).as_posix()
                yield FileOfClaims.from_parent(
                    self, name=shown, claims=self.claims, file=file, ones=ones
                )
            else:
                assert name is not None  # without a file there is an id
                yield OneClaim.from_parent(
                    self,
                    name=name,
                    claims=self.claims,
                    claim=claim(name),
                    called=name,
                    labels=[one.label for one in ones],
                )


class FileOfClaims(pytest.Collector):
    """A file of the user's own claims."""

    def __init__(self, *, claims: Claims, file: str, ones: list[Wanted], **place: Any) -> None:
        super().__init__(**place)
        self.claims, self.file, self.ones = claims, file, ones

    def collect(self) -> Iterable[pytest.Collector]:
        """One node for each claim of the file; a file that does not run is an error in one line."""
        with _in_one_line(self):
            found = self.claims.load(self.file)
        known = {one.id: one for one in found}
        names: dict[str, list[str | None]] = {}
        for one in self.ones:
            if one.name is not None and one.name not in known:
                rule = f"the file has no claim {one.name}"
                raise self.CollectError(
                    f"theorylab: {self.name}: {rule}; it has {', '.join(known)}"
                )
            for name in known if one.name is None else [one.name]:
                names.setdefault(name, []).append(one.label)
        word = os.path.relpath(self.file, self.config.invocation_params.dir)
        for name, labels in names.items():
            yield OneClaim.from_parent(
                self,
                name=name,
                claims=self.claims,
                claim=known[name],
                called=f"{word}::{name}",
                labels=labels,
            )


class OneClaim(pytest.Collector):
    """One claim: its fixed instances, random ones, trials, and a hunt."""

    def __init__(
        self, *, claims: Claims, claim: Claim, called: str, labels: list[str | None], **place: Any
    ) -> None:
        super().__init__(**place)
        self.claims, self.claim, self.called, self.labels = claims, claim, called, labels

    def collect(self) -> Iterable[pytest.Item]:
        """One test for each; only those whose names were asked for, where some were."""
        with _in_one_line(self):
            made = cases(self.claim, self.claims.numbers)
        if None not in self.labels:
            made = {label: self._called(label, made) for label in map(str, self.labels)}
        for label, case in made.items():
            yield ClaimItem.from_parent(self, name=label, case=case)

    def subject(self, nodeid: str) -> Subject:
        """The claim, as one of its tests asks of it."""
        claims, again = self.claims, ("pytest", nodeid)
        return Subject(self.claim, self.called, claims.numbers, claims.hunts, again)

    def _called(self, label: str, made: dict[str, Case]) -> Case:
        if label in made:
            return made[label]
        if label == "hunt" and is_huntable(self.claim):
            return TRIES
        if match := _RANDOM.fullmatch(label):
            return _drawn(self.claim, int(match[1]), int(match[2]))
        rule = f"{self.claim.id} has no instance {label}"
        raise self.CollectError(f"theorylab: --claims: {rule}; it has {', '.join(made)}")


# a fixed instance or trial; one that is drawn when its test runs; the tries of a hunt; the draws
# of a bare truth value
Case = Instance | Trial | Callable[[], Instance] | int | None


def cases(one: Claim, numbers: Numbers) -> dict[str, Case]:
    """What is decided of a claim, by name, in the order of ``theorylab verify``, the hunt last."""
    made: dict[str, Case] = {}
    if one.kind == "unchecked":
        made["draws"] = None
    else:
        made |= {case.name: case for case in one.canonical()}
        made |= {trial.name: trial for trial in one.trials(numbers.seed, numbers.instances)}
        for number in range(numbers.instances):
            made[f"random-{numbers.seed}-{number}"] = _drawn(one, numbers.seed, number)
    if numbers.tries and is_huntable(one):
        made["hunt"] = numbers.tries
    return made


def _drawn(one: Claim, seed: int, number: int) -> Callable[[], Instance]:
    return lambda: random_instance(one, seed, number)


class ClaimItem(pytest.Item):
    """One instance of a claim, a trial, a hunt, or the draws of a function."""

    def __init__(self, *, case: Case, **place: Any) -> None:
        super().__init__(**place)
        assert isinstance(self.parent, OneClaim)  # nothing else makes one
        self.subject, self.case = self.parent.subject(self.nodeid), case
        self.add_marker(pytest.mark.claim)

    def runtest(self) -> None:
        """Decide it; Failed when the outcome is not the expected one."""
        case = self.case
        if isinstance(case, int):
            found, failure = self.subject.hunted(case)
        else:
            result, failure = self.subject.decided(case() if callable(case) else case)
            found = {**result.to_json(), "seed": self.subject.numbers.seed}
        self._theorylab = [{**found, "name": self.subject.name}]
        self.user_properties += short([found])
        judge(failure, self.subject.numbers)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any) -> Any:
        """The designed page instead of a traceback; an error of a user's function in one line."""
        if isinstance(excinfo.value, Failed):
            return Page(excinfo.value.failure)
        if isinstance(excinfo.value, InputError):
            return f"theorylab: {excinfo.value}"
        # a fault of ours, or with THEORYLAB_DEBUG of a user's function: from here on, not pytest's
        excinfo.traceback = excinfo.traceback.cut(path=__file__)
        return super().repr_failure(excinfo, *args)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where pytest says that a test is: a claim has no line."""
        return self.config.rootpath / "claims", None, f"{self.subject.name}, {self.name}"


@contextlib.contextmanager
def _in_one_line(node: pytest.Collector) -> Iterator[None]:
    """An InputError of collection, without the traceback of ours."""
    try:
        yield
    except InputError as error:
        raise node.CollectError(f"theorylab: {error}") from None

"""What a folder holds: records of runs, certificates checked again, experiments judged again.

The kernel is asked about the bytes of every certificate anew, and each word of a record is held
against its answer; what does not agree is a finding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from theorylab import kernel
from theorylab.evidence.agreement import disagreements, outcomes
from theorylab.evidence.claimed import Claimed, claimed, misstated
from theorylab.evidence.experiments import Judged, contradictions
from theorylab.kernel.statements import SCHEMA as CERTIFICATE
from theorylab.kernel.statements import Statement
from theorylab.outcome import InputError
from theorylab.records import Record, decoded, kind, record_of
from theorylab.topology.profile import Profile, profile

__all__ = ["Certificate", "Evidence", "Finding", "Judged", "Run", "gather"]

EXPERIMENT = "theorylab.experiment/1"
# A file that is longer is none of ours: the kernel's own limit is far below.
_LONGEST = 64_000_000

# files looked at so far, of how many, and the next
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """A file that the kernel was asked about, and what it said: proved, refuted or rejected."""

    path: str
    raw: bytes
    outcome: str
    reason: str = ""
    rule: str | None = None
    lemmas: tuple[str, ...] = ()
    statement: Statement | None = None
    profile: Profile | None = None

    @property
    def sha256(self) -> str:
        """Of the bytes."""
        return hashlib.sha256(self.raw).hexdigest()


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with the folder: where, and why."""

    file: str
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A record, the file that it came in, and the folder that its paths start from ("" or a/)."""

    file: str
    base: str
    record: Record

    def path(self, certificate: str) -> str:
        """The path, from the top folder, of a certificate that the record names."""
        return self.base + certificate


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """All of one folder. ``findings`` is empty when every word in it is borne out.

    ``doubted`` are what findings are about: the file of a record, and a subject in it.
    """

    runs: tuple[Run, ...]
    certificates: Mapping[str, Certificate]
    experiments: tuple[Judged, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    doubted: frozenset[tuple[str, str]] = frozenset()

    @property
    def exit_status(self) -> int:
        """0 borne out, 1 with findings."""
        return 1 if self.findings else 0


def gather(folder: str | Path, progress: Progress | None = None) -> Evidence:
    """Everything that commands with ``--out`` left in a folder and below, looked at again.

    Guarantees: exact for certificates, which the kernel checks now; experiments are judged now,
    from their tables. The same files give the same evidence, wherever the folder is.
    Raises InputError for a folder that is missing, unreadable, or holds nothing of ours.
    """
    top = Path(folder)
    if not top.is_dir():
        rule = "this is a file" if top.exists() else "there is no such folder"
        raise InputError("DIR", str(folder), rule, "name a folder that --out DIR wrote")
    state = _Looking(top, progress or (lambda done, planned, label: None))
    state.look()
    if not (state.runs or state.certificates or state.experiments or state.findings):
        rule = "nothing in this folder was written by theorylab"
        remedy = "name the folder of an --out DIR, e.g. of theorylab verify --out DIR"
        if state.unfinished:
            rule, remedy = state.unfinished[0], "run its command again to go on"
        raise InputError("DIR", str(folder), rule, remedy)
    state.compare()
    return Evidence(
        runs=tuple(state.runs),
        certificates=dict(sorted(state.certificates.items())),
        experiments=tuple(state.experiments),
        findings=tuple(state.findings),
        notes=(*state.notes, *state.unfinished),
        doubted=frozenset(state.doubted),
    )


class _Looking:
    """The files of one folder, told apart."""

    def __init__(self, top: Path, progress: Progress) -> None:
        self.top, self.progress = top, progress
        self.runs: list[Run] = []
        self.certificates: dict[str, Certificate] = {}
        self.experiments: list[Judged] = []
        self.findings: list[Finding] = []
        self.notes: list[str] = []
        self.doubted: set[tuple[str, str]] = set()
        self._printed: list[Run] = []
        # experiments whose package is not installed here: nothing is wrong with their tables
        self._unjudged = set[str]()

    def look(self) -> None:
        try:
            files = sorted(p for p in self.top.rglob("*.json") if p.is_file())
        except OSError as error:
            rule = f"the folder cannot be read ({error.strerror})"
            raise InputError("DIR", str(self.top), rule, "name another") from None
        for place, path in enumerate(files):
            name = path.relative_to(self.top).as_posix()
            self.progress(place, len(files), name)
            try:
                if path.stat().st_size > _LONGEST:
                    self.notes.append(f"{name}: too long to be ours")
                    continue
                raw = path.read_bytes()
            except OSError as error:
                self._find(name, f"it cannot be read ({error.strerror})")
                continue
            try:
                value = decoded(raw)
            except ValueError:
                self._find(name, "damaged: neither a certificate nor a record")
                continue
            self._file(path, name, raw, value)
        self.progress(len(files), len(files), "done")
        kept = {_spelled(run.record.document) for run in self.runs}
        self.runs += [run for run in self._printed if _spelled(run.record.document) not in kept]

    @property
    def unfinished(self) -> list[str]:
        """Experiments and sweeps of which only parts are kept."""
        parts = {p.parents[1] for p in self.top.glob("**/parts/*") if p.is_dir()}
        stores = [p for p in self.top.rglob("*.sqlite") if p.is_file()]
        begun = [(p, p / "result.json", "experiment") for p in parts]
        begun += [(p, p.with_suffix(".json"), "sweep") for p in stores]
        return [
            f"{place.relative_to(self.top).as_posix()}: an unfinished {what}"
            for place, whole, what in sorted(begun)
            if not whole.exists()
        ]

    def _find(self, file: str, words: str) -> None:
        self.findings.append(Finding(file, words))

    def _file(self, path: Path, name: str, raw: bytes, value: Any) -> None:
        found = kind(value)
        if found == CERTIFICATE:
            self.certificates[name] = checked(name, raw)
            if self.certificates[name].outcome == "rejected":
                self._find(name, f"the kernel rejects it: {self.certificates[name].reason}")
        elif found == EXPERIMENT and isinstance(value, dict) and "experiment" in value:
            self._experiment(path, name, str(value["experiment"]))
        elif found == EXPERIMENT and path.with_name("result.json").exists():
            return  # findings.json says what the table beside it says
        elif not found:
            self.notes.append(f"{name}: not a file of theorylab, left alone")
        else:
            self._record(name, value)

    def _record(self, name: str, value: Any) -> None:
        try:
            record = record_of(value)
            for document in record.documents:
                list(claimed(document))
                outcomes(document)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            words = str(error) if type(error) is ValueError else "a part of it is missing"
            self._find(name, f"damaged record: {words}")
            return
        parts = name.split("/")
        base = "/".join(parts[:-3]) if parts[-3:-2] == ["records"] else "/".join(parts[:-1])
        run = Run(name, f"{base}/" if base else "", record)
        (self.runs if record.command is not None or record.version else self._printed).append(run)

    def _experiment(self, path: Path, name: str, experiment: str) -> None:
        from theorylab.experiments.run import load_result

        try:
            result = load_result(path.parent)
            rows = tuple(result.to_json())
        except InputError as error:
            words = f"the experiment cannot be judged again: {error.rule}"
            if "is not installed" in error.rule:
                self.notes.append(f"{name}: {words}; {error.remedy}")
                self._unjudged.add(experiment)
            else:
                self._find(name, words)
            return
        except (KeyError, TypeError, ValueError, IndexError, ArithmeticError):
            self._find(name, "the experiment cannot be judged again: its table is damaged")
            return
        folder = path.parent.relative_to(self.top).as_posix()
        self.experiments.append(Judged(result.config.experiment, folder, rows, result))

    def compare(self) -> None:
        """Hold every word of every record against the certificates and tables."""
        for run in self.runs:
            for document in run.record.documents:
                for said in claimed(document):
                    if words := self._fault(run, said):
                        self._doubt(run, said.subject, said.word, words)
                self._compare_entries(run, document)
            if run.record.schema == EXPERIMENT:
                beside = {j.name: j for j in self.experiments if _beside(run.base, j.folder)}
                rows = [r for r in run.record.documents if r.get("claim") not in self._unjudged]
                try:
                    for words in contradictions(rows, beside):
                        self._find(run.file, words)
                except (KeyError, TypeError):
                    self._find(run.file, "damaged record: a part of it is missing")

    def _compare_entries(self, run: Run, document: dict[str, Any]) -> None:
        try:
            for subject, words in disagreements(
                document, lambda path: self.certificates.get(run.path(path))
            ):
                self._doubt(run, subject, "", words)
        except (KeyError, TypeError, ValueError, AttributeError):
            self._find(run.file, "damaged record: a part of it is missing")

    def _doubt(self, run: Run, subject: str, word: str, words: str) -> None:
        self.doubted.add((run.file, subject))
        self._find(run.file, f"{' '.join(filter(None, (subject, word)))}: {words}")

    def _fault(self, run: Run, said: Claimed) -> str:
        """Why the certificate does not show what the record says; nothing when it does."""
        if not isinstance(said.certificate, str):
            return "no certificate was kept"
        found = self.certificates.get(run.path(said.certificate))
        if found is None:
            return f"its certificate {said.certificate} is missing or damaged"
        noted = run.record.certificates.get(said.certificate)
        if run.record.version and noted != found.sha256:
            return f"its certificate {said.certificate} is not the one that was written"
        if found.outcome != said.word or found.statement is None:
            return f"the kernel says {found.outcome} of its certificate {said.certificate}"
        return misstated(said, found.statement, run.record)


def _beside(base: str, folder: str) -> bool:
    """Whether an experiment's folder lies in the folder of a record."""
    return f"{folder}/".rpartition("/")[0].rpartition("/")[0] == base.rstrip("/")


def _spelled(document: Any) -> str:
    import json

    return json.dumps(document, sort_keys=True)


def checked(path: str, raw: bytes) -> Certificate:
    """What the kernel says of these bytes now, and the loss along the path in them, if any."""
    outcome = kernel.check(raw)
    if isinstance(outcome, kernel.Rejected):
        return Certificate(path, raw, "rejected", outcome.reason)
    word = "proved" if isinstance(outcome, kernel.Proved) else "refuted"
    found = Certificate(path, raw, word, "", outcome.rule, outcome.lemmas, outcome.statement)
    return replace(found, profile=profile(raw))


def unrecorded(evidence: Evidence) -> Iterator[Certificate]:
    """The certificates that no record names, those of straight lines beside named ones left out."""
    named = {
        run.path(said.certificate)
        for run in evidence.runs
        for document in run.record.documents
        for said in claimed(document)
        if isinstance(said.certificate, str)
    }
    for path, certificate in evidence.certificates.items():
        beside = path.removesuffix(".straight-line.json") + ".json"
        if path not in named and beside not in named:
            yield certificate

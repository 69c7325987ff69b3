"""verify: every claim on its instances, each verdict spoken by the kernel; check: files again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from flint import fmpq

from theorylab import kernel
from theorylab.claims import Claim, Said, all_claims, claim
from theorylab.instances import Instance, Seeded, Trial
from theorylab.model.rational import write_whole
from theorylab.outcome import Assurance, InputError, Observed, Printed, Shown, Undecided
from theorylab.records import keep
from theorylab.topology.barrier import straight_segment_peak
from theorylab.topology.certificate import above, connection_certificate
from theorylab.wording import decimal as decimal
from theorylab.wording import describe as describe
from theorylab.wording import sentence

SCHEMA = "theorylab.verify/1"
UNCHECKED = "counterexample (unchecked)"
SAID = 100
CHECK_SCHEMA = "theorylab.check/1"
_SEGMENT_SAMPLES = 16

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Result(Shown):
    """The outcome of one instance of a claim.

    ``level`` is u of a joined pair and ``peak`` what the straight segment between the pair reaches,
    both sums over the samples; ``within`` is the gap left by a descent that stops short of the
    optimum, None where it is reached; ``rejected`` marks a certificate the kernel did not accept;
    ``observed`` is the finding of a trial, None of an exact instance.
    """

    claim: str
    title: str
    variant: str
    instance: str
    architecture: str
    activation: str
    data: str
    samples: int
    outcome: str
    expected: bool
    assurance: str | None
    reason: str
    certificate: str | None
    seconds: float
    conclusion: str
    note: str = ""
    level: str | None = None
    peak: str | None = None
    peak_ratio: str | None = None
    within: str | None = None
    lemmas: tuple[str, ...] = ()
    steps: int | None = None
    certificate_bytes: bytes | None = None
    rejected: bool = False
    observed: Observed | None = None

    def __repr__(self) -> str:
        return f"<{self.outcome}: {self.claim} ({self.variant}) {self.instance}>"

    def __str__(self) -> str:
        return f"{self.outcome}: {self.claim} ({self.variant}) {self.instance}: {self.reason}"

    def to_json(self) -> dict[str, Any]:
        """The result as ``theorylab verify --json`` prints it."""
        keys = (
            "claim variant instance outcome expected assurance reason certificate seconds "
            "architecture activation data samples conclusion level peak peak_ratio lemmas steps "
            "within note title rejected"
        )
        value = {key: getattr(self, key) for key in keys.split()}
        found = None if self.observed is None else self.observed.to_json()
        exact = {"lemmas": list(self.lemmas), "seconds": round(self.seconds, 3)}
        return {**value, **exact, "observed": found}


@dataclass(frozen=True, slots=True)
class Verification(Printed):
    """All results of one run, its seed, and whether ``seconds`` cut it short."""

    seed: int
    results: tuple[Result, ...]
    seconds: float
    planned: int
    out: str | None = None

    @property
    def said(self) -> tuple[Result, ...]:
        """The results for which a user's own function alone vouches."""
        return tuple(r for r in self.results if r.conclusion == "said")

    @property
    def cut(self) -> bool:
        """Whether the time limit left instances untried."""
        return len(self.results) < self.planned

    @property
    def exit_status(self) -> int:
        """0 as the catalogue expects; 1 unexpected or rejected by the kernel; 3 undecided."""
        if any(r.rejected or (r.outcome != "undecided" and not r.expected) for r in self.results):
            return 1
        return 3 if self.cut or any(r.outcome == "undecided" for r in self.results) else 0

    def count(self, outcome: str, expected: bool = True) -> int:
        """How many results have this outcome, as expected or not."""
        return sum(r.outcome == outcome and r.expected == expected for r in self.results)

    def to_json(self) -> dict[str, Any]:
        """The run as ``theorylab verify --json`` prints it."""
        summary = {
            "instances": len(self.results),
            "planned": self.planned,
            "proved": self.count("proved"),
            "refuted_as_expected": self.count("refuted"),
            "consistent": self.count("consistent"),
            "inconsistent_as_expected": self.count("inconsistent"),
            "survived": self.count("survived"),
            "unchecked_counterexamples": self.count(UNCHECKED, False),
            "unexpected": sum(not r.expected and r.outcome != "undecided" for r in self.results),
            "undecided": self.count("undecided", False),
            "seconds": round(self.seconds, 3),
            "exit_status": self.exit_status,
        }
        return {
            "schema": SCHEMA,
            "seed": self.seed,
            "results": [r.to_json() for r in self.results],
            "summary": summary,
        }

    def __repr__(self) -> str:
        words = {"proved": "proved", "refuted": "refuted as expected", "consistent": "consistent"}
        words["inconsistent"] = "inconsistent as expected"
        parts = [f"{self.count(word)} {said}" for word, said in words.items() if self.count(word)]
        odd = len(self.results) - sum(map(self.count, words))
        parts += [f"{odd} other"] if odd else []
        many = f"{len(self.results)} of {self.planned} instances"
        return f"<verification of {many}: {', '.join(parts) or 'none'}; seed {self.seed}>"


@dataclass(frozen=True, slots=True)
class Checked(Printed):
    """What the kernel says of one certificate file, and which claims state what it states."""

    file: str
    outcome: str
    rule: str | None
    statement: str | None
    instance_sha256: str | None
    reason: str
    claims: tuple[str, ...] = ()
    lemmas: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<{self.outcome}: {self.file}>"

    def to_json(self) -> dict[str, Any]:
        """The line as ``theorylab check --json`` prints it."""
        names = ("file", "outcome", "rule", "statement", "instance_sha256", "reason")
        value = {name: getattr(self, name) for name in names}
        return {**value, "claims": list(self.claims), "lemmas": list(self.lemmas)}


def verify(
    ids: Sequence[str | Claim] | str | Claim = (),
    *,
    instances: int = 0,
    seed: int = 0,
    seconds: float | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
    command: Sequence[str] | None = None,
) -> Verification:
    """Decide claims (all of them by default) on their canonical and on ``instances`` random cases.

    ``out`` is a folder for the certificates, named by claim and instance, and for the record of
    the run, in which ``command`` are the words that make it again; ``seconds`` only cuts.
    A trial of a statistical claim draws at least ``instances`` systems. A claim is given by its id
    or itself (``conjecture``); of one whose function says only True or False, ``instances`` draws
    (100 by default) survive or one is a counterexample, which nobody has checked.
    Guarantees: exact; proved and refuted are the kernel's words about the bytes of a certificate
    whose statement is the claim's, byte for byte. The same seed gives the same certificates.
    Raises InputError for an unknown claim, negative ``instances``, an ``out`` that is a file.

    >>> from theorylab.verify import verify
    >>> run = verify("quadratic-connected")
    >>> run.exit_status, run.count("proved")
    (0, 3)
    """
    given = [ids] if isinstance(ids, str | Claim) else ids
    chosen = [i if isinstance(i, Claim) else claim(i) for i in given] or [*all_claims()]
    if instances < 0:
        raise InputError("instances", instances, "a number of instances is not negative", "use 0")
    if seconds is not None and seconds <= 0:
        raise InputError("seconds", seconds, "a time limit is positive", "leave it out for none")
    folder = None if out is None else Path(out)
    if folder is not None and folder.exists() and not folder.is_dir():
        raise InputError("out", str(out), "certificates go into a folder", "name a folder")
    begun = time.monotonic()
    canonical = [(c, c.canonical()) for c in chosen]
    trials = {c.id: c.trials(seed, instances) for c in chosen}
    planned = sum(
        1 if c.kind == "unchecked" else len(made) + instances + len(trials[c.id])
        for c, made in canonical
    )
    results: list[Result] = []
    for c, made in canonical:
        if c.kind == "unchecked":
            if seconds is not None and results and time.monotonic() - begun > seconds:
                break
            if progress is not None:
                progress(len(results), planned, c.id)
            results.append(asked(c, instances or SAID, seed))
            continue
        cases: Iterator[Instance | Trial] = chain(made, trials[c.id], _random(c, instances, seed))
        for case in cases:
            if seconds is not None and results and time.monotonic() - begun > seconds:
                break
            if progress is not None:
                progress(len(results), planned, f"{c.id}: {case.name}")
            if isinstance(case, Trial):
                results.append(observe(c, case))
            else:
                results.append(decide(c, case, folder))
    if progress is not None:
        progress(len(results), planned, "done")
    where = None if folder is None else str(folder)
    run = Verification(seed, tuple(results), time.monotonic() - begun, planned, where)
    if folder is not None:
        words = command if command is not None else _command(given, instances, seed)
        keep(folder, "verify", run.to_json(), words, chosen)
    return run


def _command(given: Sequence[str | Claim], instances: int, seed: int) -> list[str] | None:
    """The words that verify these claims again; None where the command line cannot name them."""
    ids = [one for one in given if isinstance(one, str)]
    if len(ids) < len(given):
        return None
    words = ["theorylab", "verify", *ids, *(["--instances", str(instances)] if instances else [])]
    return words + (["--seed", str(seed)] if seed else [])


def _random(c: Claim, count: int, seed: int) -> Iterator[Instance]:
    yield from (random_instance(c, seed, i) for i in range(count))


def random_instance(c: Claim, seed: int, number: int) -> Instance:
    """The random instance of this seed and number, ``random-SEED-NUMBER``."""
    drawn = c.random(Seeded(f"{c.id}:{seed}:{number}"))
    return replace(drawn, name=f"random-{seed}-{number}")


def decide(c: Claim, instance: Instance, folder: Path | None = None) -> Result:
    """Decide one instance of a claim: statement first, then the prover, then the kernel."""
    begun = time.monotonic()
    statement = c.statement(instance)
    raw = c.prove(instance)
    result = Result(
        claim=c.id,
        title=c.title,
        variant=instance.variant,
        instance=instance.name,
        architecture=instance.architecture,
        activation=instance.network.activation.kind,
        data=instance.data.name,
        samples=instance.data.samples,
        outcome="undecided",
        expected=False,
        assurance=None,
        reason="",
        certificate=None,
        seconds=0.0,
        conclusion=instance.conclusion["kind"],
        note=instance.note,
    )
    if isinstance(raw, Undecided):
        return replace(result, reason=str(raw), seconds=time.monotonic() - begun)
    outcome = kernel.check(raw)
    if isinstance(outcome, kernel.Rejected) or outcome.statement.text != statement:
        why = getattr(outcome, "reason", "the certificate states something else")
        reason = f"the kernel rejected the certificate: {why}"
        return replace(result, reason=reason, rejected=True, seconds=time.monotonic() - begun)
    word = "proved" if isinstance(outcome, kernel.Proved) else "refuted"
    result = replace(
        result,
        outcome=word,
        expected=word == instance.expected,
        assurance=Assurance.KERNEL.value,
        lemmas=outcome.lemmas,
        steps=len(kernel.statements.decode(raw)["proof"].get("steps", ())) or None,
        certificate_bytes=raw,
    )
    eps = fmpq(instance.conclusion.get("eps", "0"))
    if word == "proved" and eps > 0:
        result = replace(result, within=decimal(eps, 2))
    if word == "proved" and instance.b is not None and result.conclusion == "joined":
        result = _straight(result, instance, folder)
    result = replace(
        result, reason=sentence(outcome, instance, result.level, result.steps, result.peak)
    )
    if folder is not None:
        path = write(folder / c.id / f"{instance.name}.json", raw)
        result = replace(result, certificate=str(path))
    return replace(result, seconds=time.monotonic() - begun)


def observe(c: Claim, trial: Trial) -> Result:
    """What a trial of a statistical claim finds: consistent, inconsistent or undecided.

    Guarantees: heuristic (assurance statistical); the same trial finds the same.
    """
    begun = time.monotonic()
    found = c.observe(trial)
    ensemble, finding = trial.ensemble, found.outcome
    degrees = ",".join(map(str, ensemble.degrees))
    return Result(
        claim=c.id,
        title=c.title,
        variant=trial.variant,
        instance=trial.name,
        architecture=f"degrees {degrees}",
        activation=ensemble.kind,
        data="Gaussian",
        samples=found.n,
        outcome=finding,
        expected=finding == trial.expected,
        assurance=Assurance.STATISTICAL.value,
        reason=found.words,
        certificate=None,
        seconds=time.monotonic() - begun,
        conclusion="mean",
        note=trial.note,
        observed=found,
    )


def asked(c: Claim, draws: int, seed: int) -> Result:
    """What a user's own function says of so many draws: survived, or a counterexample.

    Guarantees: none (assurance unchecked): nothing but the function vouches for what it says.
    """
    begun, tried = time.monotonic(), 0
    assert c.says is not None  # its kind is "unchecked"
    result = Result(
        claim=c.id,
        title=c.title,
        variant=c.main.name,
        instance="draws",
        architecture="",
        activation="",
        data="",
        samples=0,
        outcome="survived",
        expected=True,
        assurance=None,
        reason="",
        certificate=None,
        seconds=0.0,
        conclusion="said",
    )
    for i in range(draws):
        answer = c.says(Seeded(f"{c.id}:{seed}:{i}"), None)
        tried += isinstance(answer, Said)
        if not isinstance(answer, Said) or answer.holds:
            continue
        reason = "your function says False" + (f": {answer.words}" if answer.words else "")
        result = replace(
            result,
            outcome=UNCHECKED,
            expected=False,
            instance=f"draw-{seed}-{i}",
            assurance=Assurance.UNCHECKED.value,
            reason=f"{reason}; falsify shrinks it",
        )
        if (case := answer.case) is not None:
            result = replace(
                result,
                architecture="-".join(map(str, case.network.widths)),
                activation=case.network.activation.kind,
                data=case.data.name,
                samples=case.data.samples,
            )
        return replace(result, seconds=time.monotonic() - begun)
    reason = f"no counterexample in {tried} draws; nothing is proved by that"
    if not tried:
        result = replace(result, outcome="undecided", expected=False)
        reason = f"your function said nothing of {draws} draws"
    return replace(result, reason=reason, seconds=time.monotonic() - begun)


def _straight(result: Result, instance: Instance, folder: Path | None) -> Result:
    """Say how high the straight segment climbs, once the kernel has confirmed it."""
    assert instance.b is not None
    loss, level = instance.loss, fmpq(instance.conclusion["u"])
    peak = straight_segment_peak(loss, instance.a, instance.b, _SEGMENT_SAMPLES)
    result = replace(result, level=decimal(level))
    if peak.loss <= level:
        return result
    t = peak.t
    point = tuple(p + (q - p) * t for p, q in zip(instance.a, instance.b, strict=True))
    raw = connection_certificate(loss, above(level, point), "witness", {})
    if not isinstance(kernel.check(raw), kernel.Proved):
        return result
    if folder is not None:
        write(folder / result.claim / f"{instance.name}.straight-line.json", raw)
    ratio = decimal(peak.loss / level, 3) if level > 0 else "infinity"
    return replace(result, peak=decimal(peak.loss), peak_ratio=ratio)


def write(path: Path, raw: bytes) -> Path:
    """Write a file whole or not at all, its folder made. InputError when it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        rule = f"the folder cannot be written ({error.strerror})"
        raise InputError("out", str(path.parent), rule, "choose another folder") from None
    return write_whole(path, raw, "out")


def check(paths: Sequence[str | Path] | str | Path) -> tuple[Checked, ...]:
    """Ask the kernel about certificate files, and name the claims that state what they state.

    Guarantees: exact; a claim is named only when the hypotheses and the kind of conclusion are
    those of the claim, entry by entry, and the numbers where these tell its readings apart.
    Raises InputError for a file that cannot be read.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = verify("quadratic-connected", out=folder)
    ...     [(found.outcome, found.rule) for found in check([r.certificate for r in run.results])]
    [('proved', 'polyline'), ('proved', 'polyline'), ('proved', 'polyline')]
    """
    given = [paths] if isinstance(paths, str | Path) else paths
    return tuple(_checked(Path(path)) for path in given)


def _checked(path: Path) -> Checked:
    try:
        raw = path.read_bytes()
    except OSError as error:
        rule = f"the file cannot be read ({error.strerror})"
        raise InputError("file", str(path), rule, "name a certificate file") from None
    outcome = kernel.check(raw)
    if isinstance(outcome, kernel.Rejected):
        return Checked(str(path), "rejected", None, None, None, outcome.reason)
    statement = outcome.statement
    word = "proved" if isinstance(outcome, kernel.Proved) else "refuted"
    names = tuple(
        f"{c.id} ({v.name})" for c in all_claims() for v in c.variants if v.states(statement)
    )
    return Checked(
        file=str(path),
        outcome=word,
        rule=outcome.rule,
        statement=describe(statement),
        instance_sha256=statement.sha256,
        reason="",
        claims=names,
        lemmas=outcome.lemmas,
    )

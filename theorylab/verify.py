"""verify: every claim on its instances, each verdict spoken by the kernel; check: files again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

from flint import fmpq

from theorylab import kernel
from theorylab.claims import Claim, all_claims, claim
from theorylab.instances import Instance, Seeded, Trial
from theorylab.model.rational import write_whole
from theorylab.outcome import Assurance, InputError, Observed, Undecided
from theorylab.topology.barrier import straight_segment_peak
from theorylab.topology.certificate import above, connection_certificate

SCHEMA = "theorylab.verify/1"
CHECK_SCHEMA = "theorylab.check/1"
_SEGMENT_SAMPLES = 16

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Result:
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

    def to_json(self) -> dict[str, Any]:
        """The result as ``theorylab verify --json`` prints it."""
        keys = (
            "claim variant instance outcome expected assurance reason certificate seconds "
            "architecture activation data samples conclusion level peak peak_ratio lemmas steps "
            "within note"
        )
        value = {key: getattr(self, key) for key in keys.split()}
        found = None if self.observed is None else self.observed.to_json()
        exact = {"lemmas": list(self.lemmas), "seconds": round(self.seconds, 3)}
        return {**value, **exact, "observed": found}


@dataclass(frozen=True, slots=True)
class Verification:
    """All results of one run, its seed, and whether ``seconds`` cut it short."""

    seed: int
    results: tuple[Result, ...]
    seconds: float
    planned: int
    out: str | None = None

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

    def __str__(self) -> str:
        lines = [
            f"{r.outcome:9} {r.claim} [{r.variant}] {r.instance}: {r.reason}" for r in self.results
        ]
        tail = (
            f"{len(self.results)} of {self.planned} instances: {self.count('proved')} proved, "
            f"{self.count('refuted')} refuted as the catalogue expects, "
            f"{self.count('undecided', False)} undecided; assurance kernel; seed {self.seed}"
        )
        trials = [r.observed for r in self.results if r.observed is not None]
        if trials:
            tail += (
                f"; of these {len(trials)} trials, assurance statistical: "
                f"{self.count('consistent')} consistent, "
                f"{self.count('inconsistent')} inconsistent as the catalogue expects"
            )
        return "\n".join([*lines, tail])


@dataclass(frozen=True, slots=True)
class Checked:
    """What the kernel says of one certificate file, and which claims state what it states."""

    file: str
    outcome: str
    rule: str | None
    statement: str | None
    instance_sha256: str | None
    reason: str
    claims: tuple[str, ...] = ()
    lemmas: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The line as ``theorylab check --json`` prints it."""
        names = ("file", "outcome", "rule", "statement", "instance_sha256", "reason")
        value = {name: getattr(self, name) for name in names}
        return {**value, "claims": list(self.claims), "lemmas": list(self.lemmas)}


def decimal(value: fmpq | Fraction, digits: int = 5) -> str:
    """A rational to so many significant digits, of any size, for people; never read back.

    >>> decimal(Fraction(1, 3)), decimal(fmpq(300)), decimal(fmpq(1, 10**9))
    ('0.33333', '300', '1e-9')
    """
    numerator, denominator = Decimal(int(value.numerator)), Decimal(int(value.denominator))
    rounded = Context(prec=digits, Emax=MAX_EMAX, Emin=MIN_EMIN).divide(numerator, denominator)
    if -5 <= rounded.adjusted() < max(digits, 6):
        text = f"{rounded:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(rounded.normalize()).lower()


def verify(
    ids: Sequence[str] | str = (),
    *,
    instances: int = 0,
    seed: int = 0,
    seconds: float | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Decide claims (all of them by default) on their canonical and on ``instances`` random cases.

    ``out`` is a folder for the certificates, named by claim and instance; ``seconds`` only cuts.
    A trial of a statistical claim draws at least ``instances`` systems.
    Guarantees: exact; proved and refuted are the kernel's words about the bytes of a certificate
    whose statement is the claim's, byte for byte. The same seed gives the same certificates.
    Raises InputError for an unknown claim, negative ``instances``, an ``out`` that is a file.

    >>> from theorylab.verify import verify
    >>> run = verify("quadratic-connected")
    >>> run.exit_status, run.count("proved")
    (0, 3)
    """
    chosen = [claim(i) for i in ([ids] if isinstance(ids, str) else ids)] or [*all_claims()]
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
    planned = sum(len(made) + instances + len(trials[c.id]) for c, made in canonical)
    results: list[Result] = []
    for c, made in canonical:
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
    return Verification(seed, tuple(results), time.monotonic() - begun, planned, where)


def _random(c: Claim, count: int, seed: int) -> Iterator[Instance]:
    for i in range(count):
        yield replace(c.random(Seeded(f"{c.id}:{seed}:{i}")), name=f"random-{seed}-{i}")


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
    result = replace(result, reason=_sentence(result, outcome, instance))
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


_COUNTED = {
    "jacobian_rank": "the Jacobian of the outputs at A has rank",
    "nullity": "A is critical and the Hessian there has nullity",
    "zero_manifold": "near A the zeros of the loss are a manifold of dimension",
    "neurovariety_dimension": "the functions that the network represents have dimension",
}
_ZEROS = {
    "positive_dimension": "A is a zero of the loss and not isolated",
    "isolated_zero": "A is a zero of the loss, and an isolated one",
    "has_zero": "some weights have loss 0",
    "no_zero": "no real weights have loss 0",
}


_PLAIN = {
    "same_function": "A and B represent one function of all inputs",
    "different_function": "A and B represent different functions: an input tells them apart",
    "not_poor_minimum": "A is no local minimum above the infimum",
    "span_path": "inside some path from A to B the columns span those of A and of B",
    "no_span_path": "inside no path from A to B do the columns always span those of A and of B",
}


def _components(kind: str, values: Mapping[str, Any]) -> str | None:
    """The number of path components of sublevel sets in words; None for other facts."""
    if kind in ("level_tree", "other_level_tree"):
        table = [f"{n} from {decimal(u)}" for u, n in values["levels"]]
        if len(table) > 7:
            table = [*table[:5], f"{len(table) - 6} more changes", table[-1]]
        return f"path components of {{L <= u}}: {', '.join(table)} on"
    if kind == "other_global_min":
        return f"the global minimum is {decimal(values['v'])}"
    if kind not in ("components", "other_components"):
        return None
    low, high = values["at_least"], values["at_most"]
    number = str(low) if low == high else f"{low} or more" if high is None else f"{low} to {high}"
    return f"{{L <= {decimal(values['u'])}}} has {number} path component{'s' * (number != '1')}"


def _distances(kind: str, values: Mapping[str, Any]) -> str | None:
    """A fact of the rule ``approximation`` in words; None for other facts."""
    if kind not in ("sup_norm", "best_error", "nearest", "not_nearest"):
        return None
    place = f"on [{decimal(values['a'])}, {decimal(values['b'])}]"
    if kind == "nearest":
        return f"no polynomial of degree {values['degree']} is nearer {place}"
    if kind == "not_nearest":
        return f"another polynomial of degree {values['degree']} is nearer {place}"
    what = "max |rho - p|" if kind == "sup_norm" else f"the best error of degree {values['degree']}"
    low, high = values["at_least"], values["at_most"]
    if low == high:
        return f"{what} {place} is {low}"
    if high is None:
        return f"{what} {place} is at least {decimal(low, 10)}"
    return f"{what} {place} is from {decimal(low, 10)} to {decimal(high, 10)}"


def _zeros_and_ranks(kind: str, values: Mapping[str, Any]) -> str | None:
    """A fact of the rule ``rank`` in words; None for other facts."""
    if kind in _ZEROS:
        return _ZEROS[kind]
    words = _COUNTED.get(kind.removeprefix("other_"))
    if words is None:
        return None
    low, high = values["at_least"], values["at_most"]
    number = str(low) if low == high else f"{low} or more" if high is None else f"{low} to {high}"
    return f"{words} {number}"


def _counted_roots(values: Mapping[str, Any], kind: str) -> str:
    """A count of isolated complex solutions in words, as stated or as refuted."""
    system, least, most = values["system"], values["at_least"], values["at_most"]
    what = "solutions of Phi = Y" if system.kind == "interpolation" else "critical points"
    if kind == "more_roots":
        number = f"more than {most}"
    elif kind == "fewer_roots":
        number = f"fewer than {least}"
    elif least == most:
        number = f"exactly {most}"
    elif most is None:
        number = f"at least {least}"
    else:
        number = f"{least} to {most}" if least else f"at most {most}"
    if least == most == 1:
        what = what.replace("solutions", "solution").replace("points", "point")
    words = f"{number} isolated complex {what}"
    if kind == "roots" and values["real_at_least"]:
        words += f", at least {values['real_at_least']} real"
    fixed = len(system.fixed)
    return f"{words}, {fixed} weight{'s' if fixed > 1 else ''} fixed" if fixed else words


def _sentence(result: Result, outcome: kernel.Proved | kernel.Refuted, instance: Instance) -> str:
    values = outcome.statement.conclusion.values
    if isinstance(outcome, kernel.Refuted):
        found = outcome.fact
        if found.kind in _PLAIN:
            return _PLAIN[found.kind]
        if found.kind in ("more_roots", "fewer_roots"):
            return _counted_roots(found.values, found.kind)
        if (words := _zeros_and_ranks(found.kind, found.values)) is not None:
            return words
        if (words := _distances(found.kind, found.values)) is not None:
            return words
        if (words := _components(found.kind, found.values)) is not None:
            return words
        if found.kind == "separated":
            return f"A and B lie in different components of L <= {decimal(values['u'])}"
        if found.kind == "trapped":
            v, least = found.values["v"], values["v"]
            return (
                f"A's component of L <= {decimal(found.values['u'])} stays above "
                f"{decimal(v)}; elsewhere the loss goes down to {decimal(least)}"
            )
        at = decimal(instance.loss(instance.a))
        return f"A is a local minimum with L = {at}, and another point has less"
    if (words := _zeros_and_ranks(result.conclusion, values)) is not None:
        return words
    if (words := _distances(result.conclusion, values)) is not None:
        return words
    if (words := _components(result.conclusion, values)) is not None:
        return words
    if result.conclusion == "roots":
        return _counted_roots(values, "roots")
    if result.conclusion == "not_poor_minimum":
        at = f"A, with L = {decimal(instance.loss(instance.a))},"
        fell = outcome.lemmas[-1] == "Lemma 40"
        why = "no local minimum: the loss falls along a curve" if fell else "a global minimum"
        return f"{at} is {why}"
    if result.conclusion in _PLAIN:
        return _PLAIN[result.conclusion]
    if result.conclusion == "joined":
        lemma = outcome.rule == "inertia"
        how = f"by {outcome.lemmas[-1]}, without a path" if lemma else f"in {result.steps} segments"
        text = f"joined below L = {result.level} {how}"
        if result.peak is None:
            return text
        return f"{text}; the straight line peaks at {result.peak}"
    v, eps = values["v"], values["eps"]
    if eps == 0:
        return f"never rises and reaches the global minimum {decimal(v)}"
    return (
        f"never rises and ends within {decimal(eps, 2)} of the optimum, which is at least "
        f"{decimal(v)} (does not reach it)"
    )


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


def describe(statement: kernel.Statement) -> str:
    """A statement in words: network, samples, hypotheses and conclusion."""
    network, conclusion = statement.network, statement.conclusion
    widths = "-".join(map(str, network.widths))
    kinds = [h["kind"] for h in statement.hypotheses]
    given = f"; given {', '.join(kinds)}" if kinds else ""
    samples = f"{statement.data.samples} sample{'s' * (statement.data.samples != 1)}"
    head = f"{network.activation.kind} network {widths}, {samples}{given}: "
    if conclusion.kind == "relation":
        left, right = (
            decimal(v) if isinstance(v, Fraction) else "L(theta)"
            for v in (conclusion.values["left"], conclusion.values["right"])
        )
        return f"{head}{left} {conclusion.values['op']} {right}"
    if conclusion.kind == "roots":
        counted = {k: v for k, v in conclusion.values.items() if k != "system" and v is not None}
        words = ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in counted.items())
        return f"{head}isolated roots of its {conclusion.values['system'].kind} system: {words}"
    if (fact := _zeros_and_ranks(conclusion.kind, conclusion.values)) is not None:
        return f"{head}{fact}"
    if (fact := _distances(conclusion.kind, conclusion.values)) is not None:
        return f"{head}{fact}"
    if (fact := _components(conclusion.kind, conclusion.values)) is not None:
        return f"{head}{fact}"
    if conclusion.kind in _PLAIN:
        return f"{head}{_PLAIN[conclusion.kind]}"
    values = ", ".join(f"{k} = {decimal(v)}" for k, v in conclusion.values.items())
    inside = "; ".join(part for part in (", ".join(conclusion.points), values) if part)
    return f"{head}{conclusion.kind}({inside})"

"""falsify: hunt for a counterexample to a claim without one of its hypotheses, and shrink it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from theorylab.claims import Claim, Said
from theorylab.falsify.drawn import recorded
from theorylab.falsify.hunt import (
    BARREN,
    Drawn,
    Found,
    attacked,
    attacked_instance,
    drawn_cases,
    family_of,
    seconds_left,
    shrunk,
    shrunk_choices,
)
from theorylab.falsify.reading import Reading, reading
from theorylab.falsify.spoken import Made, shrunk_made, spoken
from theorylab.falsify.words import case_in_short
from theorylab.instances import Case, Instance, Seeded
from theorylab.kernel.statements import decode
from theorylab.outcome import Assurance, InputError, Printed
from theorylab.records import keep
from theorylab.topology.counterexample import NEGATED
from theorylab.verify import UNCHECKED, write

__all__ = ["Counterexample", "Reading", "Refutation", "Survived", "falsify", "hunt", "reading"]

SCHEMA = "theorylab.falsify/1"
TRIES = 2_000
INTERRUPTED = "interrupted"

# tried so far, of how many at most (0: nobody knows), and in words what is done now
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Refutation(Printed):
    """A counterexample that the kernel refutes the reading with, shrunk in ``shrinks`` steps.

    ``tried`` counts the different cases that were looked at, the one that fell included;
    ``fact`` is the negation that the kernel found, ``certificate`` the file, if one was written.
    """

    claim: str
    title: str
    variant: str
    dropped: tuple[str, ...]
    words: str
    instance: Instance
    fact: str
    lemmas: tuple[str, ...]
    rule: str
    certificate_bytes: bytes
    tried: int
    shrinks: int
    seed: int
    seconds: float
    certificate: str | None = None

    outcome = "refuted"
    exit_status = 1

    def to_json(self) -> dict[str, Any]:
        """The hunt as ``theorylab falsify --json`` prints it."""
        statement = decode(self.certificate_bytes)["statement"]
        return {
            **_head(self),
            "instance": statement,
            "certificate": self.certificate,
            "shrinks": self.shrinks,
            "fact": self.fact,
            "rule": self.rule,
            "lemmas": list(self.lemmas),
            "assurance": "kernel",
            "reason": "",
            "losses": self.losses,
            "note": self.instance.note,
        }

    @property
    def losses(self) -> dict[str, str]:
        """The exact losses of the points A and B of the conclusion, where it speaks of a loss."""
        conclusion = self.instance.conclusion
        if conclusion["kind"] in ("same_function", "span_path"):
            return {}
        points = {"A": self.instance.a, "B": self.instance.b}
        return {
            name: str(self.instance.loss(point))
            for name, point in points.items()
            if point is not None and name in conclusion
        }

    def __repr__(self) -> str:
        widths = "-".join(map(str, self.instance.network.widths))
        kind = self.instance.network.activation.kind
        return (
            f"<refuted: {self.claim} ({self.variant}{_without(self.dropped)}) by {widths} {kind}, "
            f"{self.instance.data.samples} samples: {self.fact}; tried {self.tried}, shrunk "
            f"{self.shrinks} times, seed {self.seed}>"
        )


@dataclass(frozen=True, slots=True)
class Counterexample(Printed):
    """A case of which a user's own function says False; neither proved nor refuted by that.

    ``case`` are network and data, None where the function drew all by itself by ``choices``, the
    integers that it drew; ``said`` are its words. Nobody but the function vouches.
    """

    claim: str
    title: str
    variant: str
    dropped: tuple[str, ...]
    words: str
    case: Case | None
    choices: tuple[int, ...]
    said: str
    tried: int
    shrinks: int
    seed: int
    seconds: float

    outcome = UNCHECKED
    exit_status = 1

    def to_json(self) -> dict[str, Any]:
        """The hunt as ``theorylab falsify --json`` prints it."""
        instance: dict[str, Any] = {"choices": list(self.choices)}
        if self.case is not None:
            instance["network"] = self.case.network.to_json()
            instance["data"] = self.case.data.to_json()
            ridge = self.case.ridge
            instance["ridge"] = None if ridge is None else [str(q) for q in ridge]
        nothing: dict[str, Any] = {"certificate": None, "fact": None, "rule": None, "lemmas": []}
        found = {"instance": instance, "shrinks": self.shrinks, "reason": self.said}
        return {**_head(self), **nothing, **found, "assurance": Assurance.UNCHECKED.value}

    def __repr__(self) -> str:
        drawn = f", choices {', '.join(map(str, self.choices))}" if self.choices else ""
        where = "" if self.case is None else f" at {case_in_short(self.case)}"
        said = f": {self.said}" if self.said else ""
        return (
            f"<{self.outcome}: {self.claim} ({self.variant}{_without(self.dropped)}){where}{drawn}"
            f"{said}; tried {self.tried}, shrunk {self.shrinks} times, seed {self.seed}>"
        )


@dataclass(frozen=True, slots=True)
class Survived(Printed):
    """A hunt that found nothing: that is no proof. ``tried`` different cases were looked at.

    ``budget`` is what ``tried`` was allowed to reach, ``reason`` why it stopped before; ``cut``
    says that time or Ctrl-C ended it.
    """

    claim: str
    title: str
    variant: str
    dropped: tuple[str, ...]
    words: str
    tried: int
    budget: int
    seed: int
    seconds: float
    reason: str = ""
    cut: bool = False

    outcome = "survived"

    @property
    def exit_status(self) -> int:
        """0; 3 when nothing was tried, or when time or Ctrl-C ended the hunt before its budget."""
        return 3 if self.cut or not self.tried else 0

    def to_json(self) -> dict[str, Any]:
        """The hunt as ``theorylab falsify --json`` prints it."""
        nothing = {"instance": None, "certificate": None, "shrinks": 0, "fact": None}
        more: dict[str, Any] = {
            "rule": None,
            "lemmas": [],
            "assurance": None,
            "reason": self.reason,
        }
        return {**_head(self), **nothing, **more}

    def __repr__(self) -> str:
        why = f"; {self.reason}" if self.reason else ""
        return (
            f"<survived {self.tried} (seed {self.seed}): {self.claim} "
            f"({self.variant}{_without(self.dropped)}){why}>"
        )


def _without(dropped: tuple[str, ...]) -> str:
    return "".join(f" without {name}" for name in dropped)


def _head(found: Refutation | Counterexample | Survived) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "claim": found.claim,
        "title": found.title,
        "variant": found.variant,
        "words": found.words,
        "dropped": found.dropped[0] if found.dropped else None,
        "outcome": found.outcome,
        "tried": found.tried,
        "seed": found.seed,
        "seconds": round(found.seconds, 3),
    }


def falsify(
    given: str | Claim,
    drop: str | None = None,
    *,
    as_stated: bool = False,
    tries: int = TRIES,
    seed: int = 0,
    seconds: float | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
    command: Sequence[str] | None = None,
) -> Refutation | Counterexample | Survived:
    """Hunt for a counterexample to a claim: as corrected, ``as_stated``, or without ``drop``.

    ``given`` is the id of a claim of the catalogue, or a claim (``conjecture``). A hunt looks at
    ``tries`` different cases at most; ``seconds`` only cuts, and Ctrl-C does too. ``out`` is a
    folder for the certificate and the record, in which ``command`` are the words of the hunt.
    Guarantees: exact; a refutation is the kernel's word about a certificate that states the kept
    hypotheses and the claim's kind of conclusion. The same seed gives the same bytes. Survived
    proves nothing, and a ``Counterexample`` to a bare truth value is unchecked.
    Raises InputError for unknown claims and hypotheses and for bad budgets.

    >>> found = falsify("deep-linear-connected", as_stated=True)
    >>> found.outcome, found.instance.network.widths, found.fact
    ('refuted', (1, 1, 1), 'separated')
    """
    found = hunt(
        reading(given, drop, as_stated),
        tries=tries,
        seed=seed,
        seconds=seconds,
        out=out,
        progress=progress,
    )
    if out is not None:
        if command is None and isinstance(given, str):
            command = ["theorylab", "falsify", given, *(["--drop", drop] if drop else [])]
            command += ["--as-stated"] if as_stated else []
            command += ["--tries", str(tries)] if tries != TRIES else []
            command += ["--seed", str(seed)] if seed else []
        claims = [given] if isinstance(given, Claim) else []
        keep(out, "falsify", found.to_json(), command, claims)
    return found


def hunt(
    attack: Reading,
    *,
    tries: int = TRIES,
    seed: int = 0,
    seconds: float | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Refutation | Counterexample | Survived:
    """The same for a reading that need not be in the catalogue."""
    if tries < 1:
        raise InputError("tries", tries, "a hunt looks at one case or more", "use 1 or more")
    if seconds is not None and seconds <= 0:
        raise InputError("seconds", seconds, "a time limit is positive", "leave it out for none")
    begun, state = time.monotonic(), _State()
    names = tuple(h.name for h in attack.dropped)
    found: Found | Drawn | Made | None = None
    steps, cut = 0, False
    try:
        for result in _attacks(attack, tries, seed, state):
            if not seconds_left(begun, seconds):
                state.reason, cut = f"cut after {seconds:g} s", True
                break
            if progress is not None:
                # nobody knows how many simpler cases there are
                many, now = (0, "shrinking") if result else (tries, "hunting")
                progress(state.tried, many, now)
            if result is not None:
                found = result  # Ctrl-C from here on leaves it, less simple than it could be
                found, steps = _shrunk(attack, result, None if seconds is None else begun + seconds)
                break
    except KeyboardInterrupt:
        state.reason, cut = INTERRUPTED, True
    if found is None:
        if not state.reason and state.tried < tries:
            state.reason = (
                "no more different cases come up" if state.tried else "no case satisfies the rest"
            )
        return Survived(
            claim=attack.claim.id,
            title=attack.claim.title,
            variant=attack.variant.name,
            dropped=names,
            words=attack.words,
            tried=state.tried,
            budget=tries,
            seed=seed,
            seconds=time.monotonic() - begun,
            reason=state.reason,
            cut=cut,
        )
    if isinstance(found, Made):
        against = found.against
        if isinstance(against, Said):
            return Counterexample(
                claim=attack.claim.id,
                title=attack.claim.title,
                variant=attack.variant.name,
                dropped=names,
                words=attack.words,
                case=found.case,
                choices=tuple(choice.value for choice in found.choices),
                said=against.words,
                tried=state.tried,
                shrinks=steps,
                seed=seed,
                seconds=time.monotonic() - begun,
            )
        assert against is not None  # or it would not have been shrunk
        found = against
    place = None
    if out is not None:
        stem = f"{attack.name}-{found.outcome.statement.sha256[:12]}".replace(" ", "-")
        place = str(write(Path(out) / attack.claim.id / f"{stem}.json", found.raw))
    return Refutation(
        claim=attack.claim.id,
        title=attack.claim.title,
        variant=attack.variant.name,
        dropped=names,
        words=attack.words,
        instance=replace(found.instance, variant=attack.variant.name),
        fact=found.outcome.fact.kind,
        lemmas=found.outcome.lemmas,
        rule=found.outcome.rule,
        certificate_bytes=found.raw,
        tried=state.tried,
        shrinks=steps,
        seed=seed,
        seconds=time.monotonic() - begun,
        certificate=place,
    )


@dataclass(slots=True)
class _State:
    """How many different cases were looked at, and why the hunt stopped early."""

    tried: int = 0
    reason: str = ""


def _attacks(
    attack: Reading, tries: int, seed: int, state: _State
) -> Iterator[Found | Drawn | Made | None]:
    """What each case gives, None for nothing; also for draws that lead to no new case."""
    # what a user's own draws satisfy does not fail in them
    if attack.claim.says is not None and (attack.claim.on_cases or not attack.dropped):
        yield from _spoken(attack, tries, seed, state)
        return
    if attack.variant.conclusion in NEGATED:
        for case in drawn_cases(attack, tries, seed):
            state.tried += case is not None
            yield None if case is None else attacked(attack, case)
        return
    family = family_of(attack)
    if family is None:
        state.reason = "no family of instances in which that fails"
        return
    for number in count():
        draw = Seeded(f"hunt {attack.claim.id} {attack.name} {seed} {number}")
        instance, choices = recorded(family, after=draw)
        if attack.covers(instance):
            state.tried += 1
            yield attacked_instance(attack, instance, choices)
        elif number >= BARREN * (1 + state.tried):
            state.reason = "" if state.tried else "the claim draws no instances of this reading"
            return
        else:
            yield None
        if state.tried == tries:
            return


def _spoken(attack: Reading, tries: int, seed: int, state: _State) -> Iterator[Made | None]:
    """The same through the user's function, each different case counted once."""
    seen, wasted = set[tuple[Case | None, tuple[int, ...]]](), 0
    for found in spoken(attack, tries, seed):
        key = None if found is None else (found.case, tuple(c.value for c in found.choices))
        if found is None or key is None or key in seen:
            wasted += 1
            yield None
        else:
            seen.add(key)
            wasted, state.tried = 0, state.tried + 1
            yield found if found.against is not None else None
        if state.tried == tries or wasted >= BARREN:
            return


def _shrunk(
    attack: Reading, found: Found | Drawn | Made, deadline: float | None
) -> tuple[Found | Drawn | Made, int]:
    if isinstance(found, Made):
        return shrunk_made(attack, found, deadline)
    if isinstance(found, Found):
        return shrunk(attack, found, attacked)
    family = family_of(attack)
    assert family is not None  # it made the instance
    return shrunk_choices(attack, found, family)

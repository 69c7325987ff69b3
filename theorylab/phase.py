"""phase: what a claim says for n inputs and p units: lemma, counterexample, or open."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from theorylab import kernel
from theorylab.claims import Claim, all_claims, claim
from theorylab.falsify.cases import needed_widths
from theorylab.falsify.hunt import Found, attacked, shrunk
from theorylab.falsify.reading import Reading, without
from theorylab.instances import Case, Instance, Seeded
from theorylab.kernel.statements import decode
from theorylab.outcome import InputError, Printed, Undecided
from theorylab.records import keep
from theorylab.topology.certificate import certificate
from theorylab.verify import write

SCHEMA = "theorylab.phase/1"
TRIES = 200
PAIRS = 8
_ATTEMPTS = 60

# cells done, of how many, and the cell that comes
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Cell:
    """What is known for n inputs and p units.

    ``verdict`` is "lemma" (p is as wide as the claim asks for in all cases drawn), "refuted" (the
    claim without its hypothesis on the width, by ``certificate_bytes``) or "open". ``proved`` of
    ``pairs`` instances were proved by the kernel, by the lemma or without it; ``tried`` cases in
    which p is too narrow for the claim were searched for a counterexample.
    """

    n: int
    p: int
    verdict: str
    proved: int
    pairs: int
    tried: int
    conclusion: str
    instance: Instance | None = None
    fact: str | None = None
    lemmas: tuple[str, ...] = ()
    certificate_bytes: bytes | None = None
    certificate: str | None = None
    cut: bool = False

    @property
    def words(self) -> str:
        """The cell as the page prints it."""
        done = f"{self.proved}/{self.pairs} "
        done += "pairs joined" if self.conclusion == "joined" else "starts descend"
        if self.verdict == "lemma":
            return f"lemma applies, {done}"
        if self.verdict == "refuted":
            return f"refuted ({self.fact})"
        return f"open: survived {self.tried}" + (f", {done}" if self.proved else "")

    def to_json(self) -> dict[str, Any]:
        """The cell as ``theorylab phase --json`` prints it."""
        names = "n p verdict words proved pairs tried fact certificate cut"
        value = {name: getattr(self, name) for name in names.split()}
        raw = self.certificate_bytes
        statement = None if raw is None else decode(raw)["statement"]
        return {**value, "lemmas": list(self.lemmas), "instance": statement}


@dataclass(frozen=True, slots=True)
class Phase(Printed):
    """The grid of a claim: rows are p, columns n; what was allowed to each cell, and the seed."""

    claim: str
    title: str
    family: str
    variant: str
    words: str
    ns: tuple[int, ...]
    ps: tuple[int, ...]
    cells: tuple[Cell, ...]
    tries: int
    pairs: int
    seed: int
    seconds: float

    @property
    def planned(self) -> int:
        """The number of cells asked for."""
        return len(self.ns) * len(self.ps)

    @property
    def exit_status(self) -> int:
        """0: a map is no verdict on the claim; 3 when the time limit left cells out."""
        return 3 if len(self.cells) < self.planned or any(c.cut for c in self.cells) else 0

    def at(self, n: int, p: int) -> Cell | None:
        """The cell, or None when the time limit left it out."""
        return next((c for c in self.cells if (c.n, c.p) == (n, p)), None)

    def to_json(self) -> dict[str, Any]:
        """The grid as ``theorylab phase --json`` prints it."""
        names = "claim title family variant words tries pairs seed"
        value = {name: getattr(self, name) for name in names.split()}
        counts = Counter(c.verdict for c in self.cells)
        return {
            "schema": SCHEMA,
            **value,
            "n": list(self.ns),
            "p": list(self.ps),
            "cells": [c.to_json() for c in self.cells],
            "summary": {verdict: counts[verdict] for verdict in ("lemma", "refuted", "open")},
            "seconds": round(self.seconds, 3),
        }

    def __repr__(self) -> str:
        counts = Counter(c.verdict for c in self.cells)
        words = ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items())) or "none"
        return f"<phase of {self.claim}, {self.family}: {words}; seed {self.seed}>"


def phase(
    claim_id: str,
    n: Sequence[int] = (1, 2, 3),
    p: Sequence[int] = (1, 2, 3, 4, 5, 6),
    *,
    family: str | None = None,
    tries: int = TRIES,
    pairs: int = PAIRS,
    seed: int = 0,
    seconds: float | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
    command: Sequence[str] | None = None,
) -> Phase:
    """The map of a claim over n inputs and p units of one of its families of instances.

    In each cell ``pairs`` instances are given to the claim's prover; where a hypothesis on the
    width fails in one, ``tries`` cases are searched for a counterexample to the claim without it.
    Guarantees: exact; proved and refuted are the kernel's words; "open" says what was searched.
    The same seed gives the same map; ``seconds`` and Ctrl-C only cut. ``out`` is a folder for the
    certificates and the record, in which ``command`` are the words that make the map again.
    Raises InputError for a claim without such a family, and for bad ranges and budgets.

    >>> found = phase("deep-linear-connected", (1,), (1, 2), pairs=2, tries=20)
    >>> [cell.words for cell in found.cells]
    ['refuted (separated)', 'lemma applies, 2/2 pairs joined']
    """
    chosen = claim(claim_id)
    name = _family(chosen, family)
    ns, ps = _range("n", n), _range("p", p)
    for what, number in (("tries", tries), ("pairs", pairs)):
        if number < 1:
            raise InputError(what, number, "a cell needs one or more", "use 1 or more")
    if seconds is not None and seconds <= 0:
        raise InputError("seconds", seconds, "a time limit is positive", "leave it out for none")
    begun, cells = time.monotonic(), list[Cell]()
    until = None if seconds is None else begun + seconds
    example = chosen.grids[name](ns[0], ps[0], Seeded("example"))
    try:
        for place in ((a, b) for b in ps for a in ns):
            if until is not None and time.monotonic() > until:
                break
            if progress is not None:
                progress(len(cells), len(ns) * len(ps), f"n = {place[0]}, p = {place[1]}")
            found = _cell(chosen, name, place, tries, pairs, seed, until)
            if out is not None and found.certificate_bytes is not None:
                stem = f"phase-{seed}-n{place[0]}-p{place[1]}.json"
                path = write(Path(out) / chosen.id / stem, found.certificate_bytes)
                found = replace(found, certificate=str(path))
            cells.append(found)
    except KeyboardInterrupt:
        pass
    grid = Phase(
        claim=chosen.id,
        title=chosen.title,
        family=name,
        variant=example.variant,
        words=chosen.variant(example.variant).words,
        ns=ns,
        ps=ps,
        cells=tuple(cells),
        tries=tries,
        pairs=pairs,
        seed=seed,
        seconds=time.monotonic() - begun,
    )
    if out is not None:
        keep(out, "phase", grid.to_json(), command)
    return grid


def _family(chosen: Claim, family: str | None) -> str:
    if not chosen.grids:
        known = ", ".join(c.id for c in all_claims() if c.grids)
        raise InputError("claim", chosen.id, "it has no grid over n and p", f"choose {known}")
    if family is None:
        return next(iter(chosen.grids))
    if family not in chosen.grids:
        rule = f"{chosen.id} has the families {', '.join(chosen.grids)}"
        raise InputError("family", family, rule, "choose one of these")
    return family


def _range(name: str, values: Sequence[int]) -> tuple[int, ...]:
    if not values or any(type(v) is not int or v < 1 for v in values):
        raise InputError(name, values, "it takes positive integers", "write e.g. 1..4")
    return tuple(sorted(set(values)))


def _cell(
    chosen: Claim,
    family: str,
    place: tuple[int, int],
    tries: int,
    pairs: int,
    seed: int,
    until: float | None,
) -> Cell:
    n, p = place

    def drawn(i: int) -> Instance:
        draw = Seeded(f"phase {chosen.id} {family} {seed} {n} {p} {i}")
        return chosen.grids[family](n, p, draw)

    instances = [drawn(i) for i in range(pairs)]
    whole = Reading(chosen, chosen.variant(instances[0].variant))
    unbounded = whole
    for hypothesis in whole.variant.hypotheses:
        if hypothesis.json["kind"] == "hidden_widths":
            unbounded = without(unbounded, hypothesis.name)
    kind = whole.variant.conclusion
    bounds = [h.json for h in unbounded.dropped]
    narrow: set[Case] = set()
    lemmas = [_proved(unbounded, instance) for instance in instances]
    proved = sum(found is not None for found in lemmas)
    for i in range(tries):
        if until is not None and time.monotonic() > until:
            return Cell(n, p, "open", proved, pairs, len(narrow), kind, cut=True)
        instance = drawn(i)
        case = Case(instance.network, instance.data, instance.loss.penalties)
        if case in narrow or all(_holds(bound, case) for bound in bounds):
            continue
        narrow.add(case)
        found = attacked(unbounded, case)
        if found is None:
            continue

        def same_shape(reading: Reading, other: Case, like: Case = case) -> Found | None:
            fits = other.network == like.network
            return attacked(reading, other) if fits else None

        found, _ = shrunk(unbounded, found, same_shape, _ATTEMPTS)
        return Cell(
            n,
            p,
            "refuted",
            proved,
            pairs,
            len(narrow),
            kind,
            instance=found.instance,
            fact=found.outcome.fact.kind,
            lemmas=found.outcome.lemmas,
            certificate_bytes=found.raw,
        )
    cited = tuple(dict.fromkeys(lemma for found in lemmas if found for lemma in found))
    verdict = "open" if narrow else "lemma"
    return Cell(n, p, verdict, proved, pairs, len(narrow), kind, lemmas=cited)


def _holds(bound: dict[str, Any], case: Case) -> bool:
    """Whether the hidden widths of a case are as large as a hypothesis asks for."""
    needed = needed_widths(bound, case.network, case.data)
    return needed is not None and all(
        width >= low for width, low in zip(case.network.hidden, needed, strict=True)
    )


def _proved(reading: Reading, instance: Instance) -> tuple[str, ...] | None:
    """The lemmas by which the kernel proves an instance of the reading; None when it does not."""
    found = reading.claim.prover(instance)
    if isinstance(found, Undecided):
        return None
    raw = certificate(reading.statement_json(instance), *found)
    outcome = kernel.check(raw)
    return outcome.lemmas if isinstance(outcome, kernel.Proved) else None

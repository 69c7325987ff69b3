"""The sharpness table: each topological claim without each of its hypotheses."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from theorylab.claims import Claim, all_claims, claim
from theorylab.falsify import INTERRUPTED, Counterexample, Progress, Refutation, Survived, hunt
from theorylab.falsify.reading import Reading, without
from theorylab.falsify.words import in_short
from theorylab.outcome import Printed
from theorylab.records import keep

SCHEMA = "theorylab.sharpness/1"
TOPOLOGY = (
    "joined",
    "descends",
    "not_poor_minimum",
    "components",
    "level_tree",
    "same_function",
    "span_path",
)


_WORDS = "only fixes what the statement is about"
_COUNTED = "the statement is a count, made for such networks only"
_SCOPE = ("one-hidden-layer", "dense", "linear-output", "scalar-output")
# why a hunt has no case at all, by claim and hypothesis
GUARDS = {
    ("finite-dimension-descent", "one-hidden-layer"): "q is defined for one hidden layer",
    ("polynomial-width", "polynomial"): "the bound on the width is defined for polynomials",
    ("linear-ridge-connected", "dense"): "a ridge is defined for dense networks",
    **{("span-path", name): _WORDS for name in ("linear", "dense", "no-bias", "one-layer")},
    **{("weight-symmetry", name): _WORDS for name in ("dense", "no-bias")},
    **{
        ("deep-linear-components", name): "signs of the layers of a linear network are counted"
        for name in ("linear", "dense", "no-bias")
    },
    **{
        (claim_id, name): _COUNTED
        for claim_id, own in (
            ("relu-level-tree", ("homogeneous",)),
            ("relu-asymptotic-connectedness", ("homogeneous",)),
            ("scalar-quadratic-components", ("square", "no-bias", "wide")),
        )
        for name in (*own, *_SCOPE)
    },
}


# where a theorem says that the hypothesis is not needed
NOTES = {
    ("finite-dimension-connected", "one-hidden-layer"): "any-depth-connected holds without it",
    ("scalar-quadratic-descent", "no-bias"): "the theorem holds for inputs (x, 1) too",
    ("scalar-quadratic-connected", "no-bias"): "the theorem holds for inputs (x, 1) too",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A claim without one hypothesis: the shrunk counterexample, or why none is known.

    ``outcome`` is "refuted", "survived", or "not hunted" where no case drops that hypothesis alone.
    """

    claim: str
    variant: str
    hypothesis: str
    outcome: str
    counterexample: str
    why: str
    tried: int
    seconds: float
    certificate: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The row as JSON."""
        names = "claim variant hypothesis outcome counterexample why tried certificate"
        found = {name: getattr(self, name) for name in names.split()}
        return {**found, "seconds": round(self.seconds, 3)}


@dataclass(frozen=True, slots=True)
class Sharpness(Printed):
    """The rows of the table and how they were made; Ctrl-C leaves fewer than ``planned``."""

    rows: tuple[Row, ...]
    tries: int
    seed: int
    seconds: float
    planned: int

    @property
    def exit_status(self) -> int:
        """0: a table is no verdict on a claim; 3 when Ctrl-C left rows out."""
        return 0 if len(self.rows) == self.planned else 3

    def to_json(self) -> dict[str, Any]:
        """The table as JSON."""
        return {
            "schema": SCHEMA,
            "tries": self.tries,
            "seed": self.seed,
            "planned": self.planned,
            "rows": [row.to_json() for row in self.rows],
            "seconds": round(self.seconds, 3),
        }

    def __repr__(self) -> str:
        refuted = sum(row.outcome == "refuted" for row in self.rows)
        return f"<sharpness: {refuted} of {len(self.rows)} rows refuted; seed {self.seed}>"


def topology_claims() -> tuple[Claim, ...]:
    """The universal claims of the catalogue about components, paths and valleys."""
    return tuple(
        c for c in all_claims() if c.main.conclusion in TOPOLOGY and c.quantifier == "universal"
    )


def sharpness(
    ids: Sequence[str] = (),
    *,
    tries: int = 10_000,
    seed: int = 0,
    seconds: float | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Sharpness:
    """Hunt for a counterexample to each claim without each hypothesis of its main reading.

    ``tries`` and ``seconds`` bound each single hunt; ``out`` is a folder for the certificates and
    the record; Ctrl-C only cuts. Guarantees: exact; a refuted row has a
    certificate that the kernel refutes, any other says only what was searched.
    Raises InputError for an unknown claim.

    >>> sharpness(["any-depth-connected"], tries=200).rows[-1].outcome
    'refuted'
    """
    begun = time.monotonic()
    chosen = [claim(i) for i in ids] or [*topology_claims()]
    rows: list[Row] = []
    attacks = [*_readings(chosen)]
    for attack in attacks:
        if progress is not None:
            label = f"{attack.claim.id} without {attack.dropped[0].name}"
            progress(len(rows), len(attacks), label)
        found = hunt(attack, tries=tries, seed=seed, seconds=seconds, out=out)
        assert not isinstance(found, Counterexample)  # the catalogue's claims are the kernel's
        if isinstance(found, Survived) and found.reason == INTERRUPTED:
            break
        rows.append(row_of(attack, found))
    table = Sharpness(tuple(rows), tries, seed, time.monotonic() - begun, len(attacks))
    if out is not None and not ids:
        command = ["theorylab", "falsify", "all", "--tries", str(tries)]
        command += ["--seed", str(seed)] if seed else []
        keep(out, "falsify", table.to_json(), command)
    elif out is not None:
        keep(out, "falsify", table.to_json())
    return table


def _readings(claims: Sequence[Claim]) -> Iterator[Reading]:
    for c in claims:
        whole = Reading(c, c.main)
        yield from (without(whole, h.name) for h in c.hypotheses)


def row_of(attack: Reading, found: Refutation | Survived) -> Row:
    """The row that a hunt gives."""
    why = ""
    if isinstance(found, Survived):
        why = f"survived {found.tried}" + (f", {found.reason}" if found.reason else "")
        if note := NOTES.get((attack.claim.id, attack.dropped[0].name)):
            why += f"; {note}"
        if not found.tried:
            why = GUARDS.get((attack.claim.id, attack.dropped[0].name), found.reason)
    return Row(
        claim=attack.claim.id,
        variant=attack.variant.name,
        hypothesis=attack.dropped[0].name,
        outcome=found.outcome if found.tried else "not hunted",
        counterexample=in_short(found.instance) if isinstance(found, Refutation) else "",
        why=why,
        tried=found.tried,
        seconds=found.seconds,
        certificate=found.certificate if isinstance(found, Refutation) else None,
    )

"""What a document claims that a certificate must show: words, files, readings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from theorylab.claims import Claim, all_claims
from theorylab.kernel.statements import Statement
from theorylab.records import Record

Json = dict[str, Any]
_DECIDED = ("proved", "refuted")


@dataclass(frozen=True, slots=True)
class Claimed:
    """One sentence of a document: ``certificate`` is to show that ``subject`` is ``word``.

    ``claim`` and ``variant`` name the reading of which it is to be an instance, "" for bare facts,
    without the hypotheses ``dropped``; ``values`` are numbers that the statement is to have.
    """

    subject: str
    word: str
    certificate: str | None
    claim: str = ""
    variant: str = ""
    dropped: tuple[str, ...] = ()
    values: tuple[tuple[str, Any], ...] = ()


def claimed(document: Json) -> Iterator[Claimed]:
    """Everything in one document that asks for a certificate.

    Raises KeyError, TypeError or ValueError for a document that is damaged.
    """
    kind = document["schema"]
    if kind == "theorylab.verify/1":
        for row in document["results"]:
            if row["outcome"] in _DECIDED:
                subject = f"{row['claim']} {row['instance']}"
                names = row["claim"], row["variant"]
                yield Claimed(subject, row["outcome"], row["certificate"], *names)
    elif kind == "theorylab.falsify/1" and document["outcome"] == "refuted":
        dropped = () if document["dropped"] is None else (document["dropped"],)
        names = document["claim"], document["variant"]
        yield Claimed(f"hunt {names[0]}", "refuted", document["certificate"], *names, dropped)
    elif kind == "theorylab.sharpness/1":
        for row in document["rows"]:
            if row["outcome"] == "refuted":
                names = row["claim"], row["variant"]
                subject = f"{row['claim']} without {row['hypothesis']}"
                dropped = (row["hypothesis"],)
                yield Claimed(subject, "refuted", row["certificate"], *names, dropped)
    elif kind == "theorylab.phase/1":
        for cell in document["cells"]:
            if cell["verdict"] == "refuted":
                subject = f"{document['claim']} n = {cell['n']}, p = {cell['p']}"
                names = document["claim"], document["variant"]
                yield Claimed(subject, "refuted", cell["certificate"], *names, ("*widths",))
    elif kind == "theorylab.levels/1" and document["outcome"] == "proved":
        table = tuple((Fraction(row["from"]), row["components"]) for row in document["levels"])
        subject = f"levels {document['architecture']}"
        yield Claimed(subject, "proved", document["certificate"], values=(("levels", table),))
    elif kind == "theorylab.connect/1" and document["outcome"] in _DECIDED:
        level = ("u", Fraction(document["level"]))
        subject = f"connect {document['architecture']}"
        yield Claimed(subject, document["outcome"], document["certificate"], values=(level,))
    elif kind == "theorylab.count/1" and document["certificate"] is not None:
        yield Claimed(f"count {document['name']}", "proved", document["certificate"])


def misstated(said: Claimed, statement: Statement, record: Record) -> str:
    """Why the statement is none of what was claimed; nothing when it is.

    The hypotheses and the kind of conclusion are compared entry by entry, for a claim of the
    catalogue with the catalogue's, else with those in the record.
    """
    for name, value in said.values:
        if statement.conclusion.values.get(name) != value:
            return f"its certificate states another value of {name}"
    if not said.claim:
        return ""
    known = next((claim for claim in all_claims() if claim.id == said.claim), None)
    reading = _reading(known, said, record.claims)
    if reading is None:
        return f"nothing says what {said.claim} ({said.variant}) is"
    wanted = _kept(reading["hypotheses"], said.dropped)
    if [*statement.hypotheses] != wanted or statement.conclusion.kind != reading["conclusion"]:
        return f"its certificate is no instance of {said.claim} ({said.variant})"
    if known is not None and not said.dropped:
        variant = known.variant(said.variant)
        if not variant.asserts(statement):
            return f"its certificate is an instance of another reading of {said.claim}"
    return ""


def _reading(known: Claim | None, said: Claimed, claims: Mapping[str, Json]) -> Json | None:
    stated = claims.get(said.claim) if known is None else known.to_json()
    for variant in [] if stated is None else stated["variants"]:
        if variant["name"] == said.variant:
            found: Json = variant
            return found
    return None


def _kept(hypotheses: Sequence[Json], dropped: Sequence[str]) -> list[Json]:
    """The predicates that are left; a common ridge that is dropped leaves any ridge."""

    def gone(hypothesis: Json) -> bool:
        widths = hypothesis["predicate"]["kind"] == "hidden_widths" and "*widths" in dropped
        return widths or hypothesis["name"] in dropped

    kept = [h["predicate"] for h in hypotheses if not gone(h)]
    lost = [h["predicate"]["kind"] for h in hypotheses if gone(h)]
    return kept + [{"kind": "ridge"}] * ("common_ridge" in lost)

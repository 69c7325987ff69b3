"""Whether a document agrees with its certificates and with itself, entry by entry.

What a certificate states is not all that a row says beside it: here the network, the numbers of
samples, the level, the lemmas and the counts of a document are held against the bytes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from theorylab.claims import all_claims
from theorylab.verify import UNCHECKED
from theorylab.wording import decimal

if TYPE_CHECKING:
    from theorylab.evidence import Certificate

Json = dict[str, Any]

_TRIED: Final = ("survived", UNCHECKED)
# The words of each document that say what was found; any other is none of ours.
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "verify": ("proved", "refuted", "undecided", "consistent", "inconsistent", *_TRIED),
    "falsify": ("refuted", *_TRIED),
    "sharpness": ("refuted", "not hunted", *_TRIED),
    "phase": ("lemma", "refuted", "open"),
    "levels": ("proved", "undecided"),
    "connect": ("proved", "refuted", "undecided"),
}
_LISTS: Final = {"verify": "results", "sharpness": "rows", "phase": "cells"}


def outcomes(document: Json) -> None:
    """See that every outcome in a document is one of those that such a document may hold.

    Raises ValueError, in words, for any other; KeyError, TypeError for a document that is damaged.
    """
    kind = _kind(document)
    for row in _rows(kind, document) if kind in _WORDS else ():
        word = row["verdict" if kind == "phase" else "outcome"]
        if word not in _WORDS[kind]:
            raise ValueError(f"{word!r} is no outcome")


def disagreements(
    document: Json, certificate: Callable[[str], Certificate | None]
) -> Iterator[tuple[str, str]]:
    """What a document says that its certificates, or its own rows, do not: of what, and why.

    ``certificate`` finds what the kernel said of the file that a row names.
    Guarantees: exact for what it compares; names of data sets, peaks and times stand unchecked.
    Raises KeyError, TypeError or ValueError for a document that is damaged.
    """
    kind = _kind(document)
    if kind == "count":
        yield from _counted(document, certificate)
    if kind not in _WORDS:
        return
    rows = _rows(kind, document)
    for row in rows:
        if kind == "verify":
            yield from _expectation(row)
        name = row["certificate"]
        found = certificate(name) if isinstance(name, str) else None
        if found is not None and found.statement is not None:
            wrong = list(_differing(kind, row, found))
            if wrong:
                words = f"its certificate has another {', '.join(wrong)}"
                yield subject(kind, row, document), words
    if kind in ("verify", "phase"):
        yield from _miscounted(kind, document["summary"], rows)


def _kind(document: Json) -> str:
    kind: str = document["schema"].removeprefix("theorylab.").partition("/")[0]
    return kind


def _rows(kind: str, document: Json) -> Sequence[Json]:
    rows: Sequence[Json] = document[_LISTS[kind]] if kind in _LISTS else [document]
    return rows


def subject(kind: str, row: Json, document: Json) -> str:
    """What a row is about, in the words of ``Claimed.subject``."""
    if kind == "verify":
        return f"{row['claim']} {row['instance']}"
    if kind == "phase":
        return f"{document['claim']} n = {row['n']}, p = {row['p']}"
    if kind == "sharpness":
        return f"{row['claim']} without {row['hypothesis']}"
    return f"hunt {row['claim']}" if kind == "falsify" else f"{kind} {row['architecture']}"


def _differing(kind: str, row: Json, found: Certificate) -> Iterator[str]:
    """The entries of a row that are not what its certificate states."""
    assert found.statement is not None  # only accepted certificates are compared
    stated = json.loads(found.statement.text)
    network, conclusion = stated["network"], stated["conclusion"]
    widths = network["widths"]
    if kind in ("falsify", "phase") and row["instance"] != stated:
        yield "instance"
    if kind in ("verify", "connect", "levels"):
        shown = "-".join(map(str, widths)) + ("+b" if any(network["bias"]) else "")
        activation = network["activation"]
        name = activation if isinstance(activation, str) else next(iter(activation))
        written = {"architecture": shown, "activation": name, "samples": len(stated["data"]["x"])}
        yield from (key for key, value in written.items() if row[key] != value)
    if kind == "verify" and row["conclusion"] != conclusion["kind"]:
        yield "conclusion"
    if kind == "verify" and row["level"] is not None:
        level = found.statement.conclusion.values.get("u")
        if level is None or decimal(level) != row["level"]:
            yield "level"
    if kind == "phase" and not (widths[0] == row["n"] and row["p"] in widths[1:-1]):
        yield "width"
    if kind == "falsify" and row["rule"] != found.rule:
        yield "rule"
    if kind not in ("sharpness", "levels") and [*row["lemmas"]] != [*found.lemmas]:
        yield "list of lemmas"


def _counted(
    document: Json, certificate: Callable[[str], Certificate | None]
) -> Iterator[tuple[str, str]]:
    """Where a count and the roots that its certificate states differ."""
    about, name = f"count {document['name']}", document["certificate"]
    above = document["upper_assurance"] == "kernel"
    if name is None:
        if above or document["roots_assurance"] == "kernel":
            yield about, "the kernel is said to vouch for it, and no certificate was kept"
        return
    found = certificate(name)
    if found is None or found.statement is None:
        return
    stated = found.statement.conclusion
    if stated.kind != "roots":
        yield about, "its certificate states no roots"
        return
    written = {"at_least": "certified", "real_at_least": "certified_real"}
    written |= {"at_most": "upper"} if above else {}
    for key, entry in written.items():
        if stated.values[key] != document[entry]:
            yield about, f"it says {document[entry]} {entry}, its certificate {stated.values[key]}"


def _expectation(row: Json) -> Iterator[tuple[str, str]]:
    """Where a row calls expected what no catalogue expects, or names a voucher it has not."""
    word, about = row["outcome"], subject("verify", row, row)
    if row["assurance"] == "kernel" and word not in ("proved", "refuted"):
        yield about, f"the kernel does not vouch for {word}"
    known = next((claim for claim in all_claims() if claim.id == row["claim"]), None)
    if known is not None and known.erratum is None and word == "refuted" and row["expected"]:
        yield about, "the catalogue knows no erratum of this claim"


def _miscounted(kind: str, summary: Json, rows: Sequence[Json]) -> Iterator[tuple[str, str]]:
    if kind == "phase":
        counts = Counter(row["verdict"] for row in rows)
        counted = {word: counts[word] for word in _WORDS["phase"]}
    else:
        known = Counter(row["outcome"] for row in rows if row["expected"])
        odd = Counter(row["outcome"] for row in rows if not row["expected"])
        counted = {
            "instances": len(rows),
            "proved": known["proved"],
            "refuted_as_expected": known["refuted"],
            "consistent": known["consistent"],
            "inconsistent_as_expected": known["inconsistent"],
            "survived": known["survived"],
            "unchecked_counterexamples": odd[UNCHECKED],
            "unexpected": odd.total() - odd["undecided"],
            "undecided": odd["undecided"],
        }
    for name, count in counted.items():
        if summary[name] != count:
            words = name.replace("_", " ")
            yield "summary", f"it says {summary[name]} {words}, the rows {count}"

"""The first screen of the page: what was asked, what came of it, by whom vouched, what is wrong."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from theorylab.evidence import Evidence, Finding, Run
from theorylab.report.html.cards import Told, became, look
from theorylab.report.html.markup import E, Markup, Part, joined
from theorylab.report.html.panel import Json, chip, table

_TILES: Final = (
    ("proved", "proved"),
    ("refuted", "refuted as expected"),
    ("consistent", "consistent"),
    ("inconsistent", "inconsistent as expected"),
    ("survived", "survived"),
    ("undecided", "undecided"),
    ("unexpected", "unexpected"),
    ("rejected", "rejected"),
    ("hunted", "refuted by a hunt"),
)
_SHADES: Final = {"hunted": "refuted"}
_VERBS: Final = (
    "verify", "falsify", "sharpness", "phase", "count", "sweep", "connect", "levels", "experiment",
)  # fmt: skip


def overview(
    evidence: Evidence, claims: Sequence[Told], findings: Sequence[Finding], held: int
) -> Markup:
    """The summary, in the order in which one asks."""
    return joined(
        _wrong(findings),
        _tiles(claims, evidence),
        _vouched(evidence, claims, held),
        _asked(evidence),
        _errata(claims),
    )


def _wrong(findings: Sequence[Finding]) -> Markup | None:
    if not findings:
        return None
    many = f"{len(findings)} finding{'s' * (len(findings) != 1)}"
    words = "what the records say is not borne out by the files"
    items = [E("li", E("code", one.file), ": ", one.words) for one in findings]
    head = E("h3", {"id": "findings"}, f"{many}: {words}")
    return E("div", {"class": "theorylab wrong", "role": "alert"}, head, E("ul", items))


def _tiles(claims: Sequence[Told], evidence: Evidence) -> Markup:
    counted = Counter(look(result) for about in claims for result in about.plain)
    for judged in evidence.experiments:
        counted.update(_shade(row) for row in judged.rows)
    # a reading that a hunt refutes with all its hypotheses is no row of an outcome
    counted["hunted"] = sum(
        value["outcome"] == "refuted" and not value["dropped"]
        for about in claims
        for _, value in about.hunts
    )
    tiles = [
        E(
            "div",
            {"class": f"tile tl-{_SHADES.get(name, name)}" if counted[name] else "tile"},
            E("b", f"{counted[name]:,}"),
            E("span", words),
        )
        for name, words in _TILES
        if counted[name] or name in ("unexpected", "undecided")
    ]
    return E("div", {"class": "tiles"}, tiles)


def _shade(row: Json) -> str:
    status = str(row["status"])
    return status if row["expected"] or status == "undecided" else "unexpected"


def _vouched(evidence: Evidence, claims: Sequence[Told], held: int) -> Markup:
    results = [result for about in claims for result in about.plain]
    words = Counter(found.outcome for found in evidence.certificates.values())
    lines: list[Part] = []
    if evidence.certificates:
        said = ", ".join(f"{words[w]} {w}" for w in ("proved", "refuted", "rejected") if words[w])
        many = len(evidence.certificates)
        kept = "all are" if held == many else f"{held} are"
        lines.append(
            f"The kernel was handed the bytes of {many} certificate{'s' * (many != 1)} again when "
            f"this page was made: {said}; {kept} in this page."
        )
    if evidence.experiments:
        rows = [row for judged in evidence.experiments for row in judged.rows]
        expected = sum(bool(row["expected"]) for row in rows)
        lines.append(
            f"{len(evidence.experiments)} experiment{'s' * (len(evidence.experiments) != 1)} with "
            f"{len(rows)} readings, judged again from their tables: {expected} as expected."
        )
    by = Counter(result.assurance or "nobody" for result in results)
    if by:
        named = ", ".join(f"{name} for {count}" for name, count in sorted(by.items()))
        lines.append(f"Assurance of the {len(results)} outcomes of claims: {named}.")
    if versions := sorted({run.record.version for run in evidence.runs} - {""}):
        lines.append(f"Recorded by theorylab {', '.join(versions)}.")
    if alone := _words_alone(evidence):
        lines.append(
            f"Not checked again, the records alone say it: {', '.join(alone)}, and the words of "
            "claims that are not in the catalogue."
        )
    if evidence.runs:
        lines.append(
            "Peaks of straight lines, names of data sets and of instances, notes and seconds are "
            "the records' own: no certificate states them."
        )
    lines += evidence.notes
    return E("div", {"class": "vouched"}, [E("p", line) for line in lines])


def _words_alone(evidence: Evidence) -> list[str]:
    """What no certificate and no table beside the records shows, counted."""
    counted = Counter[str]()
    for run in evidence.runs:
        for value in run.record.documents:
            kind = value["schema"].removeprefix("theorylab.").partition("/")[0]
            counted["sweep"] += kind == "sweep"
            counted["count"] += kind == "count" and value["certificate"] is None
            counted["surviving hunt"] += kind == "falsify" and value["outcome"] == "survived"
            for row in value["results"] if kind == "verify" else ():
                counted["trial"] += row["observed"] is not None
            for cell in value["cells"] if kind == "phase" else ():
                counted["phase cell"] += cell["certificate"] is None
    return [f"{many} {name}{'s' * (many != 1)}" for name, many in counted.items() if many]


def _asked(evidence: Evidence) -> Markup | None:
    if not evidence.runs:
        return None
    doubted = {file for file, _ in evidence.doubted}
    rows: list[list[Part]] = []
    for run in sorted(evidence.runs, key=_order):
        words = run.record.command
        shown = "from Python, or printed by --json" if words is None else shlex.join(words)
        values = run.record.documents
        seeds = sorted({str(v["seed"]) for v in values if "seed" in v})
        said = f"seed {', '.join(seeds)}" if seeds else ""
        rows.append([E("code", shown), E("span", {"class": "whole"}, said), _told(run, doubted)])
    heads = ("command", "", "what came of it")
    return joined(E("h3", "What was asked"), _framed(table(heads, rows, shown=16)))


def _told(run: Run, doubted: Collection[str]) -> Part:
    said = "; ".join(_came(run.record.documents))
    if run.file not in doubted:
        return said
    return joined(E("span", {"class": "tl-odd"}, "not borne out"), f": the record says {said}")


def _order(run: Run) -> tuple[int, str]:
    verb = run.record.schema.removeprefix("theorylab.").partition("/")[0]
    return (_VERBS.index(verb) if verb in _VERBS else len(_VERBS)), run.file


def _came(values: Sequence[Json]) -> Iterator[str]:
    """In some words what a document says."""
    for value in values[:1]:
        kind = value["schema"]
        if kind == "theorylab.verify/1":
            counts = value["summary"]
            parts = [f"{counts['instances']} of {counts['planned']} instances"]
            parts += [
                f"{counts[key]} {key.replace('_', ' ')}"
                for key in ("proved", "refuted_as_expected", "unexpected", "undecided")
                if counts[key]
            ]
            yield ", ".join(parts)
        elif kind == "theorylab.sharpness/1":
            counted = Counter(row["outcome"] for row in value["rows"])
            yield ", ".join(f"{counted[word]} {word}" for word in sorted(counted))
        elif kind == "theorylab.phase/1":
            counts = value["summary"]
            yield ", ".join(f"{counts[word]} {word}" for word in counts if counts[word])
        elif kind == "theorylab.count/1":
            done = "COMPLETE" if value["complete"] else "INCOMPLETE"
            yield f"{value['certified']} certified, {done}"
        elif kind == "theorylab.experiment/1":
            counted = Counter(str(row["status"]) for row in values)
            yield ", ".join(f"{counted[word]} {word}" for word in sorted(counted))
        elif "outcome" in value:
            yield str(value["outcome"])
        elif "complete" in value:
            yield f"{value['complete']} complete"


def _errata(claims: Sequence[Told]) -> Markup | None:
    """The errata of which this folder holds an instance that refutes them."""
    rows: list[list[Part]] = []
    for about in claims:
        found = about.claim["erratum"]
        refuted = sum(r.outcome in ("refuted", "inconsistent") and r.expected for r in about.plain)
        if found is None or not refuted:
            continue
        rows.append(
            [
                E("a", {"href": f"#claim-{about.id}"}, about.id),
                found["printed"],
                joined(chip(f"{refuted}", "refuted"), " ", found["refuted_by"]),
                found["corrected"],
            ]
        )
    if not rows:
        return None
    heads = ("claim", "as printed", "what refutes it", "correct")
    return joined(E("h3", "Errata found"), _framed(table(heads, rows, shown=20)))


def _framed(inside: Markup) -> Markup:
    return E("div", {"class": "theorylab stack"}, inside)


def glance(claims: Sequence[Told]) -> Markup | None:
    """All claims in a table, a line each; nothing for one claim."""
    if len(claims) < 2:
        return None
    rows: list[list[Part]] = []
    for about in claims:
        chips = [joined(chip(words, shade), " ") for words, shade in became(about)]
        link = E("a", {"href": f"#claim-{about.id}"}, about.claim["title"])
        rows.append([link, joined(*chips) if chips else chip("a hypothesis was dropped", "plain")])
    return _framed(table(("claim", "outcomes"), rows, shown=60))

"""A card for each claim of a folder: what it says, what became of it, what shows that."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from theorylab.claims import all_claims
from theorylab.evidence import Certificate, Evidence, Run
from theorylab.report.figures import tidy
from theorylab.report.html.bibliography import Bibliography, source_of
from theorylab.report.html.catalogue import hypothesis_row, statement
from theorylab.report.html.downloads import Downloads
from theorylab.report.html.drawings import interval
from theorylab.report.html.landscapes import hunt
from theorylab.report.html.markup import E, Markup, Part, joined
from theorylab.report.html.panel import Json, chip, commands, facts, fold, quiet, table
from theorylab.report.html.paths import drawn
from theorylab.report.html.verification import look_of, result_of
from theorylab.report.terminal import detail, short_name, tally, word_of
from theorylab.verify import UNCHECKED, Result

# Rows of a claim that stand open, rows that a page holds, and drawings of paths among them.
_OPEN: Final = 12
_MOST: Final = 80
_DRAWN: Final = 12


@dataclass(slots=True)
class Told:
    """All that the records of a folder say of one claim."""

    claim: Json
    results: list[tuple[Run, Result]] = field(default_factory=list)
    hunts: list[tuple[Run, Json]] = field(default_factory=list)
    sharpness: dict[str, tuple[Run, Json]] = field(default_factory=dict)
    place: str = ""

    @property
    def id(self) -> str:
        """The claim's name."""
        return str(self.claim["id"])

    @property
    def plain(self) -> list[Result]:
        """The results alone."""
        return [result for _, result in self.results]

    @property
    def looks(self) -> list[str]:
        """The colours of the results, each once, in the order of their first row."""
        return list(dict.fromkeys(look(result) for result in self.plain))


def look(result: Result) -> str:
    """The colour of a row, which is what the filter goes by."""
    return look_of(result.outcome, result.expected, result.rejected).split()[0]


def told(evidence: Evidence) -> list[Told]:
    """The claims of a folder: those of the catalogue in its order, then users' own by name.

    A result that two records agree on counts once; one that the files do not bear out is shown as
    rejected, and such a hunt is left out. Raises KeyError or TypeError for a document
    that is damaged (``document`` leaves its record out).
    """
    catalogue = {c.id: c.to_json() for c in all_claims()}
    found: dict[str, Told] = {}
    seen = set[tuple[str, ...]]()
    for run in evidence.runs:

        def of(name: str, run: Run = run) -> Told:
            if name not in found:
                own = run.record.claims.get(name) or _nameless(name)
                found[name] = Told(catalogue.get(name, own))
            if name not in catalogue and not found[name].place:
                found[name].place = _file_of(run, name)
            return found[name]

        for value in run.record.documents:
            kind = value["schema"]
            for row in value["results"] if kind == "theorylab.verify/1" else ():
                result = result_of(row)
                if (run.file, f"{result.claim} {result.instance}") in evidence.doubted:
                    result = _doubted(result)
                key = (result.claim, result.variant, result.instance, result.outcome, result.reason)
                if key not in seen:
                    of(result.claim).results.append((run, result))
                    seen.add(key)
            if kind == "theorylab.falsify/1" and not _is_doubted(evidence, run):
                _add_hunt(of(value["claim"]), run, value)
            for row in value["rows"] if kind == "theorylab.sharpness/1" else ():
                if (run.file, f"{row['claim']} without {row['hypothesis']}") in evidence.doubted:
                    continue
                known = of(row["claim"]).sharpness
                if row["outcome"] == "refuted" or row["hypothesis"] not in known:
                    known[row["hypothesis"]] = (run, row)
    order = list(catalogue)
    names = sorted(found, key=lambda n: (order.index(n) if n in order else len(order), n))
    return [found[name] for name in names]


def _doubted(result: Result) -> Result:
    """The result as a page shows it whose files do not bear it out."""
    reason = f"the record says {result.outcome}; its files do not show that: see the findings"
    return replace(
        result, outcome="undecided", expected=False, rejected=True, assurance=None, reason=reason
    )


def _is_doubted(evidence: Evidence, run: Run) -> bool:
    return any(file == run.file for file, _ in evidence.doubted)


def _add_hunt(about: Told, run: Run, value: Json) -> None:
    about.hunts.append((run, value))
    dropped, known = value["dropped"], about.sharpness
    if dropped and (value["outcome"] == "refuted" or dropped not in known):
        words = value["reason"] or f"survived {value['tried']}"
        if value["outcome"] == "refuted":
            words = in_short(value["instance"]["network"], value["instance"]["data"])
        outcome = value["outcome"] if value["tried"] else "not hunted"
        row = {"outcome": outcome, "certificate": value["certificate"]}
        known[dropped] = (run, {**row, "counterexample": words, "why": words})


def in_short(network: Json, data: Json) -> str:
    """Network and data of a small instance in one line.

    >>> in_short({"widths": [1, 1, 1], "activation": "linear"}, {"x": [["1"]], "y": [["2"]]})
    '1-1-1 linear; x = 1; y = 2'
    """
    kind = network["activation"]
    name = kind if isinstance(kind, str) else next(iter(kind))
    x, y = (
        " ".join(f"({', '.join(row)})" if len(row) > 1 else str(row[0]) for row in data[key])
        for key in "xy"
    )
    return f"{'-'.join(map(str, network['widths']))} {name}; x = {x}; y = {y}"


def _nameless(name: str) -> Json:
    """What is known of a claim that neither the catalogue nor the record tells."""
    value = {"id": name, "title": name, "quantifier": "universal", "kind": "exact", "main": ""}
    return {**value, "source": None, "variants": [], "erratum": None}


def _file_of(run: Run, name: str) -> str:
    """The words that name a user's own claim on the command line, from those of a record."""
    for word in run.record.command or ():
        if word.partition("::")[0].endswith(".py"):
            return f"{word.partition('::')[0]}::{name}"
    return ""


def card(about: Told, evidence: Evidence, downloads: Downloads, works: Bibliography) -> Markup:
    """The card of one claim. KeyError or TypeError for a claim that is damaged."""
    claim = about.claim
    own = all(c.id != about.id for c in all_claims())
    kept = [joined(chip(words, shade)) for words, shade in became(about)]
    head = joined(E("h3", {"id": f"claim-{about.id}"}, claim["title"]))
    under = quiet(
        E("code", about.id), f" \N{MIDDLE DOT} {claim['quantifier']} \N{MIDDLE DOT} {claim['kind']}"
    )
    return E(
        "article",
        {"class": "theorylab card", "data-looks": " ".join(about.looks)},
        head,
        under,
        E("p", {"class": "tl-counts"}, kept),
        _source(claim, own, works),
        [_reading(variant) for variant in claim["variants"]],
        _erratum(claim, works),
        _hypotheses(about, own, downloads),
        _outcomes(about, evidence, downloads),
        [_hunt(run, value, downloads) for run, value in about.hunts],
    )


def became(about: Told) -> Iterator[tuple[str, str]]:
    """What became of the claim, in words with their colours."""
    if about.results:
        shades = set(about.looks)
        worst = ("unexpected", "rejected", "undecided", "survived", "inconsistent", "refuted")
        shade = next((s for s in worst if s in shades), "proved")
        errata = shade in ("refuted", "inconsistent") and not shades <= {"refuted", "inconsistent"}
        yield tally(about.plain), "proved" if errata else shade
    for _, value in about.hunts:
        if not value["dropped"]:
            yield _hunted(value)


def _hunted(value: Json) -> tuple[str, str]:
    """A hunt for the claim itself, in words with their colour."""
    if value["outcome"] == "survived":
        return f"survived {value['tried']} (seed {value['seed']})", "survived"
    if value["outcome"] == UNCHECKED:
        return UNCHECKED, "unexpected"
    return f"{value['variant']}: refuted by an instance", "refuted"


def _source(claim: Json, own: bool, works: Bibliography) -> Markup:
    if claim["source"] is None:
        return quiet("a conjecture of your own" if own else "no source")
    return E("p", {"class": "source"}, works.cited(source_of(claim["source"])))


def _reading(variant: Json) -> Markup:
    head = E("p", chip(variant["name"], "plain"), " ", variant["words"])
    return E("div", {"class": "tl-reading"}, head, statement(variant["latex"]))


def _erratum(claim: Json, works: Bibliography) -> Markup | None:
    found = claim["erratum"]
    if found is None:
        return None
    rows: list[tuple[str, Part]] = [
        ("printed", found["printed"]),
        ("finding", found["refuted_by"]),
        ("correct", found["corrected"]),
    ]
    return E("div", {"class": "erratum"}, E("h4", "Erratum"), facts(rows))


def _hypotheses(about: Told, own: bool, downloads: Downloads) -> Markup | None:
    """The hypotheses of the main reading, and what happens without each."""
    main = [v for v in about.claim["variants"] if v["name"] == about.claim["main"]]
    listed = main[0]["hypotheses"] if main else []
    if not listed:
        return None
    rows: list[list[Part]] = []
    hunted = about.claim["kind"] == "exact" and about.claim["quantifier"] == "universal"
    for hypothesis in listed:
        name, words = hypothesis_row(
            hypothesis["name"], hypothesis["words"], hypothesis["predicate"]
        )
        rows.append([E("b", name), words, *([_without(about, name, downloads)] * hunted)])
    heads = ["hypothesis", "it says", *(["without it"] * hunted)]
    framed = E("div", {"class": "stack"}, table(heads, rows, shown=len(rows)))
    return joined(E("h4", "Hypotheses"), framed)


def _without(about: Told, name: str, downloads: Downloads) -> Markup:
    if name not in about.sharpness:
        words = ["theorylab", "falsify", about.place or about.id, "--drop", name]
        return E("span", {"class": "tl-quiet"}, "not hunted here: ", E("code", shlex.join(words)))
    run, row = about.sharpness[name]
    if row["outcome"] == "refuted":
        where = str(row["certificate"])
        return joined(
            chip("refuted"), " ", tidy(row["counterexample"]), " ",
            downloads.link(run.path(where)),
        )  # fmt: skip
    shade = "survived" if row["outcome"] == "survived" else "undecided"
    why = str(row["why"])
    if shade == "survived" and (head := re.match(r"survived \d+", why)):
        return joined(chip(head[0], shade), " ", why[head.end() :].lstrip(",; "))
    return joined(chip(row["outcome"], shade), " ", why)


def _outcomes(about: Told, evidence: Evidence, downloads: Downloads) -> Markup | None:
    if not about.results:
        return None
    # what is odd comes first, whatever its number
    odd = [pair for pair in about.results if not pair[1].expected]
    rest = [pair for pair in about.results if pair[1].expected]
    pictures = 0
    rows: list[Markup] = []
    for run, result in [*odd, *rest][:_MOST]:
        where = None if result.certificate is None else run.path(result.certificate)
        certificate = None if where is None else evidence.certificates.get(where)
        picture = None
        if certificate is not None and pictures < _DRAWN:
            picture = drawn(certificate)
        pictures += picture is not None
        first = picture is not None and pictures == 1
        rows.append(_row(result, where, certificate, picture, first, downloads))
    left = len(about.results) - len(rows)
    more = quiet(f"and {left} more, all as expected") if left else None
    folded = fold(f"{len(rows) - _OPEN} more instances", rows[_OPEN:]) if rows[_OPEN:] else None
    return joined(
        E("h4", "Outcomes"),
        E("div", {"class": "rows"}, rows[:_OPEN], folded, more),
        _replay(about),
    )


def _row(
    result: Result,
    where: str | None,
    certificate: Certificate | None,
    picture: Markup | None,
    first: bool,
    downloads: Downloads,
) -> Markup:
    network = " ".join(filter(None, (result.architecture, result.activation)))
    data = short_name(result.data) + (f", N = {result.samples}" if result.samples else "")
    top = E(
        "summary",
        chip(word_of(result), look_of(result.outcome, result.expected, result.rejected)),
        E("span", {"class": "what"}, E("b", result.instance), " ", result.variant),
        E("span", {"class": "net"}, network),
        E("span", {"class": "net"}, data),
        E("span", {"class": "said"}, detail(result, ()).plain.partition(": ")[2]),
    )
    by = "; ".join(filter(None, [result.assurance or "", *result.lemmas]))
    parts: list[Part] = [] if picture is None else [E("div", picture)]
    found = result.observed
    if found is not None:
        low, high = found.interval
        ends = [end if abs(end) < float("inf") else None for end in (low, high)]
        if found.effect == found.effect:
            parts.append(E("div", interval(found.effect, ends[0], ends[1])))
        gates = [name if is_open else f"{name}: SHUT" for name, is_open in found.gates]
        parts.append(quiet(f"n = {found.n}; gates: {', '.join(gates)}"))
    if by:
        parts.append(quiet(f"assurance: {by}"))
    if where is not None:
        parts.append(E("p", downloads.links(where)))
        if certificate is not None:
            parts.append(quiet(E("span", {"class": "tl-path"}, f"sha256 {certificate.sha256}")))
        again = (["theorylab", "check", where], ["python", "-m", "theorylab.kernel", where])
        parts.append(commands("check it again, the second time with the bare kernel:", *again))
    shade = look(result)
    return E("details", {"class": "row", "data-look": shade, "open": first}, top, parts)


def _replay(about: Told) -> Markup | None:
    """The commands that decide the claim anew, each once."""
    lines = list[list[str]]()
    for run, _ in about.results:
        words = run.record.command
        if words is None:
            continue
        options = words[next((i for i, w in enumerate(words) if w.startswith("--")), len(words)) :]
        line = ["theorylab", "verify", about.place or about.id, *options]
        if line not in lines:
            lines.append(line)
    return commands("decide it again:", *lines) if lines else None


def _hunt(run: Run, value: Json, downloads: Downloads) -> Markup:
    dropped = f" without {value['dropped']}" if value["dropped"] else ""
    words = f"hunted ({value['variant']}{dropped}): {value['outcome']}"
    where = value["certificate"]
    link = E("p", downloads.link(run.path(where))) if isinstance(where, str) else None
    return fold(words, hunt(value, run.record.command or ()), link)

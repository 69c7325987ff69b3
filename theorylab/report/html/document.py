"""One self-contained page of a folder of evidence: no network, no file beside it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any, Final

from theorylab.evidence import EXPERIMENT, Evidence, Finding, Judged, Run, unrecorded
from theorylab.evidence.claimed import claimed
from theorylab.outcome import InputError, Source
from theorylab.report.html.bibliography import Bibliography
from theorylab.report.html.cards import Told, card, told
from theorylab.report.html.downloads import Downloads
from theorylab.report.html.fragments import fragment
from theorylab.report.html.markup import E, Markup, Part, joined
from theorylab.report.html.measured import finding as reading_found
from theorylab.report.html.overview import glance, overview
from theorylab.report.html.panel import MOST, chip, commands, picture, quiet, table
from theorylab.report.html.paths import path_profile
from theorylab.wording import describe

Json = dict[str, Any]
Progress = Callable[[int, int, str], None]

# What a damaged record makes of a page that trusts its shape.
_DAMAGE: Final = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError)
_SECTIONS: Final = (
    ("joinings", "Joined and separated", "theorylab.connect/1"),
    ("levels", "Level functions", "theorylab.levels/1"),
    ("phase", "Phase maps", "theorylab.phase/1"),
    ("counts", "Counts", "theorylab.count/1"),
    ("sweeps", "Sweeps", "theorylab.sweep/1"),
    ("sharpness", "Sharpness table", "theorylab.sharpness/1"),
)
_ON_CARDS: Final = ("theorylab.verify/1", "theorylab.falsify/1", "theorylab.experiment/1")


@dataclass(frozen=True, slots=True)
class Document:
    """The page as bytes, and everything found wrong on the way, damaged records among it."""

    raw: bytes
    findings: tuple[Finding, ...]
    claims: int
    instances: int
    held: int

    @property
    def exit_status(self) -> int:
        """0, or 1 when a record is not borne out."""
        return 1 if self.findings else 0


def document(
    evidence: Evidence, title: str = "theorylab report", progress: Progress | None = None
) -> Document:
    """The page of a folder.

    Guarantees: text from files is escaped, nothing is fetched, no script but the page's own runs;
    the same evidence and versions give the same bytes.
    """
    tell = progress or (lambda done, planned, label: None)
    whole, damaged = _whole(evidence)
    downloads, works = Downloads(whole.certificates), Bibliography()
    claims = told(whole)
    sections: list[tuple[str, str, Markup]] = []
    if claims:
        made = [card(about, whole, downloads, works) for about in claims]
        sections.append(("claims", "Claims", joined(glance(claims), _filter(claims), made)))
    for name, heading, schema in _SECTIONS:
        runs = [run for run in whole.runs if run.record.schema == schema]
        if runs:
            parts = joined([_run(run, whole, downloads) for run in runs])
            sections.append((name, heading, parts))
    if whole.experiments:
        shown: list[Markup] = []
        for place, judged in enumerate(whole.experiments):
            tell(place, len(whole.experiments), judged.name)
            shown.append(_experiment(judged, works))
        sections.append(("experiments", "Experiments", joined(shown)))
    recorded = [run for run in whole.runs if _unjudged(run, whole)]
    if recorded:
        parts = joined([_run(run, whole, downloads) for run in recorded])
        sections.append(("recorded", "Experiments as recorded, not judged again", parts))
    known = {*(schema for _, _, schema in _SECTIONS), *_ON_CARDS}
    others = [run for run in whole.runs if run.record.schema not in known]
    if others:
        parts = joined([_run(run, whole, downloads) for run in others])
        sections.append(("others", "Other results", parts))
    if loose := list(unrecorded(whole)):
        sections.append(("certificates", "Other certificates", _loose(loose, downloads)))
    for source in _data_sources(whole):
        works.cite(source)
    if len(works):
        sections.append(("references", "References", _references(works)))
    findings = (*evidence.findings, *damaged)
    summary = overview(whole, claims, findings, downloads.held)
    page = _page(title, [("summary", "Summary", summary), *sections], claims)
    instances = sum(len(about.results) for about in claims)
    return Document(page.encode(), findings, len(claims), instances, downloads.held)


def _whole(evidence: Evidence) -> tuple[Evidence, list[Finding]]:
    """The evidence without the runs whose documents cannot be shown, and these as findings."""
    kept, damaged = list[Run](), list[Finding]()
    nothing = replace(evidence, certificates={}, experiments=())
    for run in evidence.runs:
        alone = replace(nothing, runs=(run,))
        try:
            for about in told(alone):
                card(about, alone, Downloads({}), Bibliography())
            if run.record.schema not in _ON_CARDS:
                fragment(run.record.document)
            overview(alone, told(alone), (), 0)
        except (*_DAMAGE, InputError):
            words = "damaged record: it does not say what such a record says"
            if all(one.file != run.file for one in evidence.findings):
                damaged.append(Finding(run.file, words))
            continue
        kept.append(run)
    return replace(evidence, runs=tuple(kept)), damaged


def _run(run: Run, evidence: Evidence, downloads: Downloads) -> Markup:
    """One result as its command shows it, the loss along its path, and its certificates."""
    pictures = [
        E("div", {"class": "theorylab"}, path_profile(found.profile))
        for said in map(claimed, run.record.documents)
        for one in said
        if isinstance(one.certificate, str)
        and (found := evidence.certificates.get(run.path(one.certificate))) is not None
        and found.profile is not None
    ]
    links = [
        E("li", f"{said.subject}: ", downloads.links(run.path(said.certificate)))
        for document in run.record.documents
        for said in claimed(document)
        if isinstance(said.certificate, str)
    ]
    shown = fragment(run.record.document, run.record.command or ())
    listed = E("details", E("summary", f"certificates: {len(links)}"), E("ul", links))
    if len(links) < 4:
        listed = E("ul", {"class": "saved"}, links)
    wrong = None
    if any(file == run.file for file, _ in evidence.doubted):
        words = "Not borne out by the files beside it: see the findings."
        wrong = E("div", {"class": "theorylab"}, E("p", {"class": "tl-odd"}, words))
    return E("div", {"class": "result"}, wrong, shown, pictures, listed if links else None)


def _experiment(judged: Judged, works: Bibliography) -> Markup:
    """An experiment: what it asks, its figure drawn anew, each reading with its word."""
    result = judged.result
    assert result is not None  # only tables that were judged again are shown
    found = result.experiment
    looks = [str(row["status"]) if row["expected"] else "unexpected" for row in judged.rows]
    counts = [f"{looks.count(word)} {word}" for word in dict.fromkeys(looks)]
    words = ["theorylab", "experiment", found.name]
    words += ["--seed", str(result.config.seed)] if result.config.seed else []
    left = f"{result.done} of {result.planned} parts were measured: nothing is judged before all"
    return E(
        "article",
        {"class": "theorylab card", "data-looks": " ".join(dict.fromkeys(looks))},
        E("h3", {"id": f"experiment-{found.name}"}, found.title),
        quiet(E("code", found.name), f" \N{MIDDLE DOT} device {result.device}, seed "
              f"{result.config.seed}, level {result.config.alpha:g}, assurance statistical"),
        E("p", {"class": "tl-counts"}, [chip(c, w) for c, w in zip(counts, dict.fromkeys(looks),
                                                                   strict=True)]),
        E("p", {"class": "source"}, works.cited(found.source)),
        _figure(judged) if result.complete else E("p", {"class": "tl-odd"}, left),
        [reading_found(row) for row in judged.rows],
        quiet("Remarks, not judged by this run: ", found.remarks) if found.remarks else None,
        commands("measure it again:", words),
    )  # fmt: skip


def _unjudged(run: Run, evidence: Evidence) -> bool:
    """Whether this is a record of experiments whose tables could not be judged here."""
    judged = {one.name for one in evidence.experiments}
    names = {row.get("claim") for row in run.record.documents}
    return run.record.schema == EXPERIMENT and not names & judged


def _figure(judged: Judged) -> Markup | None:
    from theorylab.report.experiments import drawn

    assert judged.result is not None  # or there is nothing to draw
    try:
        raw = drawn(judged.result, Path("figure.svg"))
    except _DAMAGE:
        return E("p", {"class": "tl-odd"}, "its arrays are damaged: nothing to draw")
    words = f"figure of {judged.name}: {judged.result.experiment.title}"
    return picture(_lean(raw), "svg", words)


def _lean(raw: bytes) -> bytes:
    """The drawing, its lines to a hundredth of a point: shorter, and looks the same."""

    def cut(match: re.Match[bytes]) -> bytes:
        return re.sub(rb"(\.\d\d)\d+", rb"\1", match[0])

    return re.sub(rb' (?:d|x|y)="[^"]*"', cut, raw)


def _loose(certificates: Sequence[Any], downloads: Downloads) -> Markup:
    rows: list[list[Part]] = []
    for found in certificates[:MOST]:
        said = found.reason if found.statement is None else describe(found.statement)
        rows.append([chip(found.outcome), E("code", found.path), said, downloads.link(found.path)])
    words = "No record names them; the kernel was asked about them all the same."
    heads = ("outcome", "file", "what it states", "")
    return E(
        "div",
        {"class": "theorylab"},
        quiet(words),
        table(heads, rows, shown=20, total=len(certificates)),
    )


def _data_sources(evidence: Evidence) -> Iterator[Source]:
    """The sources of the data sets that the results name, in the order of their names."""
    from theorylab.model import dataset_names, load_dataset

    names = set[str]()
    for run in evidence.runs:
        for value in run.record.documents:
            rows = [value, *value.get("results", ())]
            names |= {str(row.get("data") or "") for row in rows if isinstance(row, dict)}
    for judged in evidence.experiments:
        for row in judged.rows:
            listed = row["config"].values()
            flat = [
                v for item in listed for v in (item if isinstance(item, list | tuple) else [item])
            ]
            names |= {v for v in flat if isinstance(v, str)}
    bare = {match[0] for name in names if (match := re.match(r"[a-z0-9-]+", name))}
    for name in sorted(bare & set(dataset_names())):
        source = load_dataset(name).source
        if source is not None:
            yield source
    from theorylab.experiments.data import citation
    from theorylab.experiments.data import dataset_names as labelled

    yield from (citation(name) for name in sorted(bare & set(labelled())))


def _references(works: Bibliography) -> Markup:
    block = E("pre", {"class": "tl-command bibtex"}, works.bibtex())
    return E("div", {"class": "theorylab"}, works.listed(), E("h3", "BibTeX"), block)


def _filter(claims: Sequence[Told]) -> Markup:
    """Boxes that hide the rows of an outcome; the script shows them, for they need it."""
    looks = list(dict.fromkeys(shade for about in claims for shade in about.looks))
    boxes = [
        E("label", E("input", {"type": "checkbox", "value": name, "checked": True}), " ",
          chip(name, name))
        for name in looks
    ]  # fmt: skip
    legend = E("legend", "show")
    return E("fieldset", {"class": "theorylab filter", "id": "filter", "hidden": True}, legend,
             boxes, E("output", ""))  # fmt: skip


def _page(title: str, sections: Sequence[tuple[str, str, Markup]], claims: Sequence[Told]) -> str:
    script, sheet = _file("script.js"), _file("style.css") + _file("page.css")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    contents: list[Part] = []
    for name, heading, _ in sections:
        under = [E("li", E("a", {"href": f"#claim-{a.id}"}, a.id)) for a in claims]
        inside = E("ul", {"class": "deep"}, under) if name == "claims" else None
        contents.append(E("li", E("a", {"href": f"#{name}"}, heading), inside))
    head = E(
        "head",
        E("meta", {"charset": "utf-8"}),
        E("meta", {"http-equiv": "Content-Security-Policy", "content": policy}),
        E("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        E("link", {"rel": "icon", "href": "data:,"}),
        E("title", title),
        Markup(f"<style>{sheet}</style>"),
    )
    body = E(
        "body",
        E("header", E("h1", title)),
        E("nav", {"aria-label": "contents"}, E("ul", contents)),
        E("main", [_section(*section) for section in sections]),
        Markup(f"<script>{script}</script>"),
    )
    return f"<!DOCTYPE html>\n{E('html', {'lang': 'en'}, head, body)}\n"


def _section(name: str, heading: str, inside: Markup) -> Markup:
    return E("section", {"id": name, "aria-label": heading}, E("h2", heading), inside)


def _file(name: str) -> str:
    return resources.files("theorylab.report.html").joinpath(name).read_text("utf-8")

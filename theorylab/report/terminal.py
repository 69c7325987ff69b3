"""The pages that ``theorylab`` prints for people: verify, check, connect.

Every word of a verdict is spoken per instance: "proved on 3 of 3 instances", "joined 12 of 12
pairs", never a universal claim. Colour repeats what the words say and carries nothing alone.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from theorylab.report.figures import equation, rounded, tidy
from theorylab.report.page import Column, Grid, Page

if TYPE_CHECKING:
    from theorylab.claims import Claim
    from theorylab.connect import Joining
    from theorylab.verify import Checked, Result, Verification

_INDENT = 2
# the reading of a user's own claim (theorylab.conjecture)
CONJECTURED = "conjectured"
_MOST_RANDOM = 3
_COLUMNS = (
    Column(keep=9),  # outcome
    Column(keep=8),  # variant
    Column(keep=7),  # architecture
    Column(keep=6),  # activation
    Column(keep=4),  # data
    Column(keep=3, right=True),  # samples
    Column(keep=1),  # assurance
    Column(keep=2, right=True),  # seconds
)


def print_verification(
    run: Verification, claims: Sequence[Claim], console: Console, command: Sequence[str] = ()
) -> None:
    """The page of ``theorylab verify``; ``claims`` are those in the run, ``command`` its words."""
    page = Page(console)
    cells = {id(result): _cells(result) for result in few_of(run.results)}
    grid = Grid(_COLUMNS, list(cells.values()), page.width, _INDENT)
    known = {claim.id: claim for claim in claims}
    for identifier, group in groupby(run.results, key=lambda result: result.claim):
        results = list(group)
        _claim_heading(page, identifier, results[0].title, known.get(identifier))
        shown = few_of(results)
        for result in shown:
            style = _style(result)
            styles = (style, "", "", "", "", "", "dim", "dim")
            page.line(grid.row(cells[id(result)], styles))
            page.text(detail(result, grid.dropped(cells[id(result)])), grid.second)
            if result.certificate is not None:
                page.verbatim(result.certificate, grid.second, "dim")
        if len(shown) < len(results):
            more = _count(len(results) - len(shown), "more random instance")
            page.text(f"and {more}, decided as expected", grid.second, "dim")
        page.blank()
        page.text(tally(results), _INDENT, "bold")
        _erratum(page, known.get(identifier))
        page.blank()
    page.rule()
    page.text(summary(run))
    page.blank()
    _replay(page, run, command)
    page.print()


def few_of(results: Sequence[Result]) -> list[Result]:
    """The results that get a row: of many random instances of a claim, the first and the odd."""
    shown: list[Result] = []
    for _, group in groupby(results, key=lambda result: result.claim):
        ordinary = 0
        for result in group:
            plain = result.expected and result.instance.startswith("random-")
            ordinary += plain
            if not plain or ordinary <= _MOST_RANDOM:
                shown.append(result)
    return shown


def _claim_heading(page: Page, identifier: str, title: str, claim: Claim | None) -> None:
    page.heading(identifier)
    page.text(title, _INDENT, "bold")
    if claim is not None:
        page.text(f"{claim.source or 'a conjecture of your own'}", _INDENT, "dim")
    page.blank()


def _cells(result: Result) -> tuple[str, ...]:
    return (
        word_of(result),
        result.variant,
        result.architecture,
        result.activation,
        short_name(result.data),
        f"N={result.samples}" if result.samples else "",
        result.assurance or "",
        _seconds(result.seconds),
    )


def short_name(name: str) -> str:
    """The name of a data set, a long list of sample numbers in it shortened.

    >>> short_name("iris[0,5,10,15,20]"), short_name("wine")
    ('iris[0,5..20]', 'wine')
    """
    name = re.sub(r"\[(\d+,\d+),(?:\d+,)+(\d+)\]", r"[\1..\2]", name)
    return name if len(name) <= 30 else f"{name[:27]}..."


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"


def word_of(result: Result) -> str:
    """The word of a verdict as a row has it."""
    if result.rejected:
        return "rejected"
    return "unchecked" if result.assurance == "unchecked" else result.outcome


def _style(result: Result) -> str:
    if result.rejected:
        return "bold red"
    if result.outcome in ("undecided", "survived"):
        return "bold yellow"
    if not result.expected:
        return "bold red"
    return "bold green" if result.outcome in ("proved", "consistent") else "bold magenta"


def detail(result: Result, dropped: Sequence[str]) -> Text:
    """What is said of one instance, below its row; ``dropped`` are cells that had no room."""
    line = Text().append(f"{result.instance}: ", "cyan")
    words = tidy(result.reason)
    if result.outcome == "proved" and result.level is not None:
        words = "joined"
        if result.steps is not None:
            words += f" by {_count(result.steps, 'segment')}"
        words += f", never above level {tidy(result.level)}"
    line.append(words)
    if result.peak is not None:
        line.append("; the straight line peaks at ")
        ratio = tidy(result.peak_ratio or "infinity")
        finite = ratio != "infinity"
        line.append(f"{ratio} x level" if finite else tidy(result.peak), "bold")
    if result.outcome != "undecided" and not result.expected:
        own = result.variant == CONJECTURED
        line.append(
            f" (NOT what the {'conjecture says' if own else 'catalogue expects'})", "bold red"
        )
    if result.note:
        line.append(f"; {result.note}", "dim")
    if dropped:
        line.append(f"; {', '.join(dropped)}", "dim")
    return line


def _is_unexpected(result: Result) -> bool:
    bare = result.conclusion == "said"
    return not (result.expected or result.outcome == "undecided" or bare)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _is_erratum(result: Result) -> bool:
    return result.outcome == "refuted" and result.expected


def tally(results: Sequence[Result]) -> str:
    """What was decided of one claim, counted by instance; trials apart, in their own words."""
    trials = [result for result in results if result.observed is not None]
    errata = sum(map(_is_erratum, results))
    others = [
        r for r in results if r.observed is None and not _is_erratum(r) and r.conclusion != "said"
    ]
    parts = [*_observed(trials), *_said(results)]
    if others:
        proved = sum(result.outcome == "proved" for result in others)
        if all(result.conclusion == "joined" for result in others):
            parts.append(f"joined {proved} of {_count(len(others), 'pair')}")
        else:
            parts.append(f"proved on {proved} of {_count(len(others), 'instance')}")
        parts += _short_of_it(others)
    if errata:
        parts.append(f"refuted as expected on {_count(errata, 'instance')}")
    parts += _troubles(results)
    return ", ".join(parts)


def _observed(trials: Sequence[Result]) -> list[str]:
    """What the trials of statistical claims found."""
    against = sum(r.outcome == "inconsistent" and r.expected for r in trials)
    rest, parts = len(trials) - against, []
    if rest:
        found = sum(r.outcome == "consistent" and r.expected for r in trials)
        parts.append(f"consistent in {found} of {_count(rest, 'trial')}")
    if against:
        parts.append(f"inconsistent as expected in {_count(against, 'trial')}")
    return parts


def _said(results: Sequence[Result]) -> list[str]:
    """What users' own functions said, for which nobody but these vouches."""
    said = [r for r in results if r.conclusion == "said" and r.outcome != "undecided"]
    survived = sum(r.outcome == "survived" for r in said)
    parts = [f"{survived} survived" if len(said) > 1 else "survived"] if survived else []
    if len(said) > survived:
        parts.append(_count(len(said) - survived, "counterexample"))
    return [f"{' and '.join(parts)} (unchecked: a function of your own vouches)"] if said else []


def _short_of_it(results: Sequence[Result]) -> list[str]:
    """How many descents end within eps of the optimum without reaching it."""
    short = sum(result.within is not None for result in results)
    return [f"of these {short} only to within eps of the optimum"] if short else []


def _troubles(results: Sequence[Result]) -> list[str]:
    rejected = sum(result.rejected for result in results)
    undecided = sum(result.outcome == "undecided" for result in results) - rejected
    unexpected = sum(map(_is_unexpected, results))
    counts = ((unexpected, "unexpected"), (rejected, "rejected"), (undecided, "undecided"))
    return [f"{number} {word}" for number, word in counts if number]


def _erratum(page: Page, claim: Claim | None) -> None:
    if claim is None or claim.erratum is None:
        return
    erratum = claim.erratum
    for label, words in (
        ("printed", erratum.printed),
        ("finding", erratum.refuted_by),
        ("correct", erratum.corrected),
    ):
        page.labelled(label, words, len("printed"))


def summary(run: Verification) -> Text:
    """The last line of a run: everything counted, who vouches, the seed."""
    trials = [result for result in run.results if result.observed is not None]
    errata = sum(map(_is_erratum, run.results))
    others = len(run.results) - errata - len(trials) - len(run.said)
    proved = sum(r.outcome == "proved" and r.expected for r in run.results)
    undecided = sum(r.outcome == "undecided" and not r.rejected for r in run.results)
    rejected = sum(r.rejected for r in run.results)
    unexpected = sum(map(_is_unexpected, run.results))
    line = Text()
    for words in (*_observed(trials), *_said(run.results)):
        line.append(f"{words}, ", "bold")
    if others or not (trials or run.said):
        line.append(f"proved on {proved} of {_count(others, 'instance')}", "bold green")
        for words in _short_of_it(run.results):
            line.append(f" ({words})")
        line.append(", ")
    line.append(
        f"{_count(errata, 'erratum instance')} refuted as expected",
        "bold magenta" if errata else "",
    )
    line.append(", ")
    line.append(f"{undecided} undecided", "bold yellow" if undecided else "")
    for number, words in ((unexpected, "UNEXPECTED"), (rejected, "REJECTED by the kernel")):
        if number:
            line.append(", ").append(f"{number} {words}", "bold red")
    if run.cut:
        line.append("; ").append(
            f"cut by --seconds after {len(run.results)} of {run.planned} instances", "bold yellow"
        )
    who = "kernel, and statistical for trials" if trials else "kernel"
    if run.said:
        who += ", and none for bare truth values"
    line.append(f"; assurance: {who}; seed {run.seed}; {_seconds(run.seconds)}")
    return line


def _replay(page: Page, run: Verification, command: Sequence[str]) -> None:
    if len(run.said) == len(run.results):
        page.text("hunt on, and shrink a counterexample:", style="dim")
        page.verbatim(shlex.join(["theorylab", "falsify", *command[2:3]]), _INDENT)
        return
    if run.out is None:
        words = shlex.join([*(command or ("theorylab", "verify")), "--out", "DIR"])
        page.text("keep the certificates, to check them again:", style="dim")
        page.verbatim(words, _INDENT)
        page.verbatim("theorylab check DIR", _INDENT)
        return
    page.text("check the certificates again, the second time with the bare kernel:", style="dim")
    place = shlex.quote(run.out)
    page.verbatim(f"theorylab check {place}", _INDENT)
    page.verbatim(f"python -m theorylab.kernel {place}/*/*.json", _INDENT)


# of more files than these the page has a line each
_MOST_CHECKED = 24
_CHECKED_STYLE = {"proved": "bold green", "refuted": "bold magenta", "rejected": "bold red"}


def print_checked(checked: Sequence[Checked], console: Console) -> None:
    """The page of ``theorylab check``."""
    page = Page(console)
    indent = len("rejected") + 2
    brief = len(checked) > _MOST_CHECKED
    for one in checked:
        line = Text().append(one.outcome.ljust(indent), _CHECKED_STYLE[one.outcome])
        page.line(line.append(one.file))
        if brief and one.outcome != "rejected":
            continue
        if one.outcome == "rejected":
            page.text(one.reason, indent)
            continue
        page.text(tidy(one.statement or ""), indent)
        lemmas = f" ({'; '.join(one.lemmas)})" if one.lemmas else ""
        page.text(f"by {one.rule}{lemmas}", indent, "dim")
        if one.claims:
            page.text(f"an instance of {', '.join(one.claims)}", indent, "dim")
        page.verbatim(f"sha256 {one.instance_sha256}", indent, "dim")
    page.blank()
    page.rule()
    counts = {word: sum(one.outcome == word for one in checked) for word in _CHECKED_STYLE}
    line = Text()
    for word, number in counts.items():
        line.append(", " if line.plain else "")
        line.append(f"{number} {word}", _CHECKED_STYLE[word] if number else "")
    line.append(f" of {_count(len(checked), 'file')}; assurance: kernel")
    page.text(line)
    if brief:
        page.again("what one of them states:", "theorylab check FILE", indent=0)
    page.print()


def joining_verdict(found: Joining) -> str:
    """What the kernel says of the pair, in one line."""
    return {
        "proved": "joined: one path component of {L <= u} holds A and B",
        "refuted": "separated: A and B lie in different path components of {L <= u}",
    }.get(found.outcome, "undecided")


def joining_rows(found: Joining) -> list[tuple[str, str]]:
    """Labels and words of the page, but for the verdict and what floats saw."""
    rows = [
        ("network", f"{found.architecture} {found.activation}"),
        ("data", f"{short_name(found.data)}, N={found.samples}"),
    ]
    if found.bits is not None:
        words = f"A and B are the networks with weights rounded to 1/2^{found.bits}"
        rows.append(("rounded", words))
    if found.needed_width is not None and found.hidden:
        needed, given = (", ".join(map(str, w)) for w in (found.needed_width, found.hidden))
        words = "width" if len(found.hidden) == 1 else "widths"
        rows.append(("needed", f"hidden {words} {needed}; given {given}"))
    if found.reason:
        rows.append(("because", found.reason))
    if found.ridge is not None:
        rows.append(("ridge", f"L adds {found.ridge} times the sum of the squared weights"))
    rows.append(("level", f"u = max(L(A), L(B)) {equation(found.level)}, a sum over the samples"))
    rows.append(("mean", f"u / N {equation(found.mean)}"))
    heights = [equation(loss) for loss in found.losses]
    rows.append(("losses", f"L(A) {heights[0]}, L(B) {heights[1]}"))
    if found.segments is not None:
        words = f"{_count(found.segments, 'segment')}, construction: {found.construction}"
        rows.append(("path", words))
    elif found.construction == "level tree" and found.outcome == "proved":
        rows.append(("path", "there is one, by the level tree; it is not written down"))
    if found.peak is not None:
        high = f"{tidy(found.peak_ratio)} x level" if found.peak_ratio else rounded(found.peak)
        words = f"the straight segment peaks at {high}; the path never rises above the level"
        rows.append(("straight", words))
    elif found.outcome == "proved":
        words = "no point of the straight segment that we tried lies above the level"
        rows.append(("straight", words))
    if found.assurance is not None:
        rows.append(("assurance", f"{found.assurance} ({'; '.join(found.lemmas)})"))
    return rows


EMPIRICAL = "empirical: the largest losses met, in floats, not certified"


def empirical_rows(found: Joining) -> list[tuple[str, str]]:
    """Labels and words of what floats saw between A and B; none where they did not look."""
    seen = found.empirical
    if seen is None:
        return []
    heights = [f"{height:.4g}" for height in (seen.straight, seen.matched, seen.curve)]
    return [
        ("line", f"{heights[0]} on the segment from A to B; level {seen.level:.4g}"),
        ("matched", f"{heights[1]} on the segment to B with its units permuted to match A's"),
        ("curve", f"{heights[2]} on a Bezier curve trained for {seen.steps} steps"),
    ]


def print_joining(found: Joining, console: Console, command: Sequence[str] = ()) -> None:
    """The page of ``theorylab connect``; ``command`` are its words."""
    page = Page(console)
    style = {"proved": "bold green", "refuted": "bold magenta"}.get(found.outcome, "bold yellow")
    width = len("certificate")
    page.heading("theorylab connect")
    rows = joining_rows(found)
    place = next((i for i, (label, _) in enumerate(rows) if label in ("because", "level")))
    for label, words in rows[:place]:
        page.labelled(label, words, width)
    page.labelled("outcome", joining_verdict(found), width, style)
    for label, words in rows[place:]:
        page.labelled(label, words, width)
    seen = empirical_rows(found)
    if seen:
        page.blank()
        page.text(EMPIRICAL, _INDENT, "dim")
    for label, words in seen:
        page.labelled(label, words, width)
    if found.certificate is not None:
        words = f"theorylab check {shlex.quote(found.certificate)}"
        page.again("certificate; check it again with", words)
    elif command and found.outcome in ("proved", "refuted"):
        words = shlex.join([*command, "--out", "DIR"])
        page.again("keep the certificate, to check it again:", words)
    elif command:
        page.again("try it again with", shlex.join(command))
    page.print()

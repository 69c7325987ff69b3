"""Verified claims as HTML: each claim's instances in a table, the tally, the summary."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from itertools import groupby

from theorylab.claims import all_claims
from theorylab.outcome import Observed
from theorylab.report.html.catalogue import cited, erratum, main_latex, statement
from theorylab.report.html.markup import E, Markup, Part, joined
from theorylab.report.html.panel import (
    MOST,
    Json,
    chip,
    commands,
    fold,
    panel,
    quiet,
    table,
)
from theorylab.report.terminal import (
    detail,
    few_of,
    short_name,
    summary,
    tally,
    word_of,
)
from theorylab.verify import Result, Verification

# As many claims stand open; of more, one opens those that one wants to read.
_OPEN = 3
# Rows of a claim before they fold, rows of random instances, and rows of a whole run.
_SHOWN = 40
_REST = 30
_WRITTEN = 300
_HEADS = ("outcome", "reading", "network", "data", "what was found", "by", "time")
_PLURAL = re.compile("^(instance|counterexample)s")
_COUNTED = {
    "instances": "instances",
    "planned": "planned",
    "proved": "proved",
    "refuted_as_expected": "refuted as expected",
    "consistent": "consistent",
    "inconsistent_as_expected": "inconsistent as expected",
    "survived": "survived",
    "unchecked_counterexamples": "counterexamples (unchecked)",
    "unexpected": "unexpected",
    "undecided": "undecided",
}
_COUNT_LOOKS = {
    "refuted_as_expected": "refuted",
    "inconsistent_as_expected": "inconsistent",
    "unchecked_counterexamples": "unexpected",
    "instances": "plain",
    "planned": "plain",
}


def result_of(value: Json) -> Result:
    """The result that ``Result.to_json`` wrote, without the bytes of its certificate."""
    known = {field.name for field in fields(Result)}
    given = {name: item for name, item in value.items() if name in known}
    found = value.get("observed")
    observed = None if found is None else _observed_of(value["outcome"], found, value["reason"])
    given |= {"lemmas": tuple(value.get("lemmas") or ()), "observed": observed}
    return Result(**{"title": value["claim"], **given})


def verification_of(value: Json) -> Verification:
    """The run that ``Verification.to_json`` wrote, without the bytes of its certificates."""
    results = tuple(map(result_of, value["results"]))
    counts = value["summary"]
    return Verification(value["seed"], results, counts["seconds"], counts["planned"])


def _observed_of(outcome: str, found: Json, words: str) -> Observed:
    low, high = found["interval"]
    inf = float("inf")
    return Observed(
        outcome=outcome,
        effect=float("nan") if found["effect"] is None else found["effect"],
        interval=(-inf if low is None else low, inf if high is None else high),
        p=found["p"],
        n=found["n"],
        seed=found["seed"],
        gates=tuple(found["gates"].items()),
        words=words,
        p_adjusted=found["p_adjusted"],
        power=found["power"],
    )


def look_of(outcome: str, expected: bool, rejected: bool = False) -> str:
    """The colour of an outcome: an unexpected one is red whatever its word."""
    if rejected:
        return "rejected"
    if outcome in ("undecided", "survived"):
        return outcome
    return outcome if expected else "unexpected"


def verification(
    value: Json, command: Sequence[str] = (), claims: Mapping[str, Json] | None = None
) -> Markup:
    """The fragment of ``theorylab verify``; ``command`` are the words that run it again.

    ``claims`` are those that the catalogue does not have, by id, as ``Claim.to_json`` writes them.
    """
    run = verification_of(value)
    known = {c.id: c.to_json() for c in all_claims()} | dict(claims or {})
    groups = [(name, list(g)) for name, g in groupby(run.results, key=lambda r: r.claim)]
    few = len(groups) <= _OPEN
    most = max(_SHOWN // 4, _WRITTEN // max(1, len(groups)))
    parts: list[Part] = [_counts(value["summary"])]
    for name, results in groups:
        claim = known.get(name, {})
        inside = joined(
            E("p", {"class": "tl-name"}, results[0].title),
            quiet(cited(claim)),
            statement(main_latex(claim)) if few else None,
            results_table(results, most),
            erratum(claim),
        )
        odd = any(not (r.expected or r.outcome == "undecided") or r.rejected for r in results)
        look = "tl-odd" if odd else "tl-tally"
        head = joined(E("b", name), " ", E("span", {"class": look}, tally(results)))
        parts.append(fold(head, inside, is_open=few or odd))
    parts.append(quiet(summary(run).plain))
    if command:
        parts.append(commands("run it again:", command))
    return panel("verify", "verify", *parts, verdict=_verdict(value["summary"]))


def _verdict(counts: Json) -> Markup:
    status = counts["exit_status"]
    decided = ("proved", "refuted_as_expected", "consistent", "inconsistent_as_expected")
    if status == 0 and not any(counts[key] for key in decided):
        return chip("survived, nothing decided", "survived")
    words = {0: "as expected", 1: "unexpected findings"}.get(status, "undecided in part")
    return chip(words, {0: "proved", 1: "unexpected"}.get(status, "undecided"))


def _counts(counts: Json) -> Markup:
    """The numbers of the summary that are not zero."""
    shown = [key for key in _COUNTED if counts.get(key)]
    if counts.get("planned") == counts.get("instances"):
        shown = [key for key in shown if key != "planned"]
    return E(
        "p",
        {"class": "tl-counts"},
        [chip(_number(counts[key], _COUNTED[key]), _COUNT_LOOKS.get(key, key)) for key in shown],
    )


def _number(count: int, words: str) -> str:
    """The count with its words.

    >>> _number(1, "instances"), _number(2, "instances"), _number(1, "proved")
    ('1 instance', '2 instances', '1 proved')
    """
    if count == 1:
        words = _PLURAL.sub(r"\1", words)
    return f"{count} {words}"


def results_table(results: Sequence[Result], most: int = MOST) -> Markup:
    """The instances of one claim: as on the page of the terminal, the others folded.

    At most so many rows are written, the others counted.
    """
    few = few_of(results)
    chosen = set(map(id, few))
    rest = [result for result in results if id(result) not in chosen]
    shown = _rows(few, min(_SHOWN, most), most)
    if not rest:
        return shown
    room = max(2, min(_REST, most - len(few)))
    words = f"and {len(rest)} more random instances, decided as expected"
    return joined(shown, fold(words, _rows(rest[:room], room, room, len(rest))))


def _rows(results: Sequence[Result], shown: int, most: int, total: int | None = None) -> Markup:
    rows = [result_row(result) for result in results[:most]]
    count = len(results) if total is None else total
    return table(_HEADS, rows, numbers=(6,), words=4, shown=shown, most=most, total=count)


def result_row(result: Result) -> list[Part]:
    """The cells of one instance: word, reading, network, data, what was found, by whom, seconds."""
    network = " ".join(filter(None, (result.architecture, result.activation)))
    data = short_name(result.data) + (f", N={result.samples}" if result.samples else "")
    words: list[Part] = [detail(result, ()).plain]
    if result.certificate is not None:
        words.append(E("div", {"class": "tl-path"}, result.certificate))
    by = "; ".join([result.assurance or "", *result.lemmas]).strip("; ")
    return [
        chip(word_of(result), look_of(result.outcome, result.expected, result.rejected)),
        result.variant,
        network,
        data,
        words,
        by,
        f"{result.seconds:.2f} s",
    ]


def decided(result: Result) -> Markup:
    """The fragment of one instance alone."""
    return panel(
        "verify",
        joined(E("b", result.claim), f" ({result.variant})"),
        E("p", {"class": "tl-name"}, result.title),
        table(_HEADS, [result_row(result)], numbers=(6,), words=4),
        verdict=chip(word_of(result), look_of(result.outcome, result.expected, result.rejected)),
    )

"""Findings of experiments as HTML: each reading, its word, its estimate on an interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from theorylab.report.html.drawings import interval
from theorylab.report.html.markup import E, Markup, Part, joined
from theorylab.report.html.panel import Json, chip, commands, fold, panel, quiet
from theorylab.report.html.verification import look_of

_WORDS = ("consistent", "inconsistent", "undecided")
_FEW = 3


def experiments(
    rows: Sequence[Json],
    command: Sequence[str] = (),
    figures: Mapping[str, Markup] | None = None,
    remarks: str = "",
) -> Markup:
    """The fragment of ``theorylab experiment``; ``figures`` are pictures by experiment.

    ``command`` are the words that measure it again, ``remarks`` those of the one experiment.
    """
    groups = [(name, list(g)) for name, g in groupby(rows, key=lambda row: str(row["claim"]))]
    parts: list[Part] = []
    few = len(groups) <= _FEW
    for name, found in groups:
        inside = joined(
            quiet(found[0]["source"]) if found[0].get("source") else None,
            (figures or {}).get(name),
            [finding(row) for row in found],
            quiet("Remarks, not judged by this run: ", remarks) if remarks else None,
        )
        title = found[0].get("title") or ""
        counts = ", ".join(_counted(found))
        head = joined(E("b", name), " ", title, " ", E("span", {"class": "tl-tally"}, counts))
        parts.append(fold(head, inside, is_open=few))
    expected = sum(bool(row["expected"]) for row in rows)
    first = rows[0]
    words = "; ".join(
        [
            ", ".join(_counted(rows)),
            f"{expected} of {len(rows)} as expected",
            f"assurance: statistical; level {first['config']['alpha']:g}; seed {first['seed']}",
            f"device {first['device']}; "
            f"{sum(found[0]['seconds'] for _, found in groups):.1f} s of work",
        ]
    )
    look = "proved" if expected == len(rows) else "unexpected"
    if look == "unexpected" and all(r["expected"] or r["status"] == "undecided" for r in rows):
        look = "undecided"
    return panel(
        "experiment",
        "experiment" if len(groups) == 1 else "experiments",
        parts,
        quiet(words),
        commands("measure it again:", command) if command else None,
        verdict=chip(f"{expected} of {len(rows)} readings as expected", look),
    )


def _counted(rows: Sequence[Json]) -> list[str]:
    counts = [(sum(row["status"] == word for row in rows), word) for word in _WORDS]
    return [f"{count} {word}" for count, word in counts if count]


def finding(row: Json) -> Markup:
    """One reading: its word, what it says, what was seen, and the estimate drawn."""
    reading = row.get("reading") or ""
    seen = str(row["words"]).removeprefix(f"{reading}: ")
    low, high = row["interval"]
    numbers = [f"effect {_number(row['effect'])}", f"interval {_number(low)} to {_number(high)}"]
    if row["p"] is not None:
        numbers.append(f"p = {_number(row['p'])}")
    if row["p_adjusted"] is not None:
        numbers.append(f"adjusted p = {_number(row['p_adjusted'])}")
    numbers.append(f"n = {row['n']}")
    if row["power"] is not None:
        numbers.append(f"power {row['power']:.2f} at the declared effect")
    gates = [name if is_open else f"{name}: SHUT" for name, is_open in row["gates"].items()]
    if gates:
        numbers.append(f"gates: {', '.join(gates)}")
    asserted = row.get("asserts")
    odd = None
    if not row["expected"]:
        odd = E("p", {"class": "tl-odd"}, f"expected: {asserted or 'another word'}")
    return E(
        "div",
        {"class": "tl-finding"},
        E("p", chip(row["status"], look_of(row["status"], row["expected"])), " ",
          E("b", row["variant"])),
        E("p", reading) if reading else None,
        quiet(seen),
        None if row["effect"] is None else interval(row["effect"], low, high),
        quiet("; ".join(numbers)),
        odd,
    )  # fmt: skip


def _number(value: float | None) -> str:
    return "open" if value is None else f"{value:.4g}"


def unfinished(name: str, title: str, done: int, planned: int) -> Markup:
    """An experiment of which parts are missing: nothing is judged."""
    words = f"{done} of {planned} parts measured: nothing is judged before all are"
    return panel(
        "experiment", joined("experiment ", E("b", name)), E("p", title), quiet(words),
        verdict=chip("unfinished", "undecided"),
    )  # fmt: skip

"""Counts of solutions, of one system and over many random data sets, as HTML."""

from __future__ import annotations

from collections.abc import Sequence

from theorylab.report.html.drawings import histogram
from theorylab.report.html.landscapes import checks
from theorylab.report.html.markup import Markup, Part, joined
from theorylab.report.html.panel import Json, chip, commands, facts, panel, quiet, table


def count(value: Json, command: Sequence[str] = ()) -> Markup:
    """The fragment of ``theorylab count``: the labels and words of its page."""
    (_, verdict), *rows = value["page"]
    look = "proved" if value["complete"] else "undecided"
    return panel(
        "count",
        "count",
        facts([(label, words) for label, words in rows if words]),
        checks(value["certificate"]),
        commands("count it again:", command) if command else None,
        quiet(f"seed {value['seed']}"),
        verdict=chip(verdict, look),
    )


_KEYS = ("certified", "real", "real_orbits", "singular", "unresolved", "lost")


def survey(value: Json, command: Sequence[str] = ()) -> Markup:
    """The fragment of ``theorylab sweep``: how often each number of real solutions came."""
    done, planned = value["complete"], value["instances"]
    generic = value["generic"]
    most = f"{value['upper']}: {value['upper_rule']}"
    if not generic["complete"]:
        most = "; ".join(["no bound", *generic["reasons"]])
    rows: list[tuple[str, Part]] = [
        ("system", f"{value['name']}, {value['samples']} samples"),
        ("data", f"{value['data']}, seed {value['seed']}"),
        ("modulo", value["modulo"]),
        ("at most", most),
        ("assurance", f"roots {value['roots_assurance']}, bound {value['upper_assurance']}"),
    ]
    parts: list[Part] = []
    if value["results"]:
        counted = value["histogram"]
        rows += [
            ("certified", _range(value, "certified")),
            ("real", f"{_range(value, 'real')} in this gauge"),
            ("orbits", f"{_range(value, 'real_orbits')} with real weights"),
        ]
        bars = {int(k): v for k, v in counted["real_orbits"].items()}
        parts.append(histogram(bars, "orbits with real weights, certified", "data sets"))
        parts.append(_table(value["results"]))
    if value.get("unfinished"):
        parts.append(_given_up(value["unfinished"]))
    return panel(
        "sweep",
        "sweep",
        facts(rows),
        parts,
        commands("sweep it again:", command) if command else None,
        quiet(f"seed {value['seed']}; {value['finished']} of {planned} data sets"),
        verdict=chip(
            f"complete (numeric) on {done} of {planned} data sets",
            "proved" if done == planned else "undecided",
        ),
    )


def _range(value: Json, key: str) -> str:
    numbers = [int(k) for k in value["histogram"][key]]
    low, high = min(numbers), max(numbers)
    many = f"{low}" if low == high else f"{low} to {high}"
    return f"{many}, mean {value['mean'][key]:.4g}"


def _table(results: Sequence[Json]) -> Markup:
    """All data sets, those that are not complete first: they are what one looks for."""
    keys = [key for key in _KEYS if key in ("certified", "real", "real_orbits") or
            any(row.get(key) for row in results)]  # fmt: skip
    order = sorted(range(len(results)), key=lambda i: (bool(results[i]["complete"]), i))
    rows: list[list[Part]] = []
    for i in order:
        row = results[i]
        verdict = chip("yes", "proved") if row["complete"] else chip("NO", "undecided")
        rows.append([row.get("instance", i), *(row.get(key, 0) for key in keys), verdict])
    heads = ["data set", *(key.replace("real_orbits", "orbits") for key in keys), "complete"]
    return table(heads, rows, numbers=range(len(keys) + 1), shown=5)


def _given_up(unfinished: Sequence[Json]) -> Markup:
    """The data sets that ran into a limit or crashed, and what they were allowed."""
    rows: list[list[Part]] = []
    for one in unfinished:
        limits = [f"{one['seconds']:g} s"] if one.get("seconds") is not None else []
        limits += [f"{one['memory']} MiB"] if one.get("memory") is not None else []
        rows.append([one["instance"], chip(one["reason"], "unexpected"), ", ".join(limits)])
    said = f"{len(rows)} given up"
    return joined(quiet(said), table(("data set", "why", "allowed"), rows, numbers=(0,)))

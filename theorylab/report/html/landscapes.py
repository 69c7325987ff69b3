"""Paths, level functions, hunts and maps as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from fractions import Fraction
from typing import Any

from theorylab.connect import Joining
from theorylab.report.figures import SHORT, equation, rounded, tidy
from theorylab.report.html.drawings import Merge, level_function
from theorylab.report.html.markup import E, Markup, Part, joined
from theorylab.report.html.mathematics import mathml, prose
from theorylab.report.html.panel import (
    Json,
    chip,
    commands,
    facts,
    fold,
    panel,
    quiet,
    table,
)
from theorylab.report.hunts import FACTS
from theorylab.report.latex_matrices import fraction
from theorylab.report.latex_statements import instance_latex, statement_latex
from theorylab.report.terminal import (
    EMPIRICAL,
    empirical_rows,
    joining_rows,
    joining_verdict,
    short_name,
)
from theorylab.verify import UNCHECKED

_DIGITS = 6


def checks(certificate: str | None) -> Markup | None:
    """How the file of a certificate is checked again, the second time with the bare kernel."""
    if certificate is None:
        return None
    bare = ["python", "-m", "theorylab.kernel", certificate]
    return commands(
        "check the certificate again, the second time with the bare kernel:",
        ["theorylab", "check", certificate],
        bare,
    )


def joining(value: Json, command: Sequence[str] = (), path: Markup | None = None) -> Markup:
    """The fragment of ``theorylab connect``; ``path`` draws the loss along the path."""
    known = {field.name for field in fields(Joining)} - {"empirical"}
    given = {name: item for name, item in value.items() if name in known}
    given = {n: tuple(v) if isinstance(v, list) else v for n, v in given.items()}
    found = Joining(**{**given, "empirical": _seen(value)})
    parts: list[Part] = [facts(joining_rows(found)), path]
    if seen := empirical_rows(found):
        parts += [quiet(EMPIRICAL), facts(seen)]
    parts.append(checks(found.certificate))
    parts.append(commands("join them again:", command) if command else None)
    parts.append(quiet(f"seed {value['seed']}"))
    verdict = chip(joining_verdict(found), found.outcome)
    return panel("connect", "connect", *parts, verdict=verdict)


def _seen(value: Json) -> object:
    seen = value.get("empirical")
    if seen is None:
        return None
    from theorylab.experiments.trained import Empirical

    nan: Any = float("nan")
    return Empirical(**{name: nan if n is None else n for name, n in seen.items()})


def levels(value: Json, command: Sequence[str] = ()) -> Markup:
    """The fragment of ``theorylab levels``."""
    shape = facts(
        [
            ("network", f"{value['architecture']} {value['activation']}"),
            ("data", f"{short_name(value['data'])}, N={value['samples']}"),
        ]
    )
    if value["outcome"] != "proved":
        words = f"the kernel rejected the certificate: {value['reason']}"
        return panel("levels", "levels", shape, quiet(words), verdict=chip("rejected"))
    births = [(b["component"], Fraction(b["level"])) for b in value["births"]]
    merges: list[Merge] = [
        (Fraction(m["level"]), m["survivor"], tuple(m["absorbed"])) for m in value["merges"]
    ]
    steps = [(Fraction(s["from"]), s["components"]) for s in value["levels"]]
    rows: list[tuple[str, Part]] = [("minimum", f"u {equation(value['global_min'])}, attained")]
    if value["top_merge"] is None:
        rows.append(("connected", "from the minimum on: one component at every level"))
    else:
        climb = f"{equation(value['barrier'])}, the largest climb that a component needs"
        rows += [("connected", f"from u {equation(value['top_merge'])} on"), ("barrier", climb)]
    rows.append(("valleys", _valleys(births, Fraction(value["global_min"]))))
    work = f"{value['regions']:,} regions, {value['problems']:,} least-squares problems"
    lemmas = "; ".join(value["lemmas"])
    who = (
        f"{value['assurance']} ({lemmas}) for the minimum and the number at every level; which "
        "components meet is exact, but not in the certificate"
    )
    rows += [("work", work), ("assurance", who)]
    intervals = [
        [
            _level(step["from"]),
            "" if step["to"] is None else _level(step["to"]),
            step["components"],
        ]
        for step in value["levels"]
    ]
    heads = ("from u", "below", "components of {L ≤ u}")
    whole = fold("all intervals, exactly", table(heads, intervals, numbers=(0, 1, 2), shown=40))
    many = f"{len(steps)} interval{'s' * (len(steps) != 1)}"
    return panel(
        "levels",
        "levels",
        shape,
        level_function(steps, births, merges),
        facts(rows),
        whole,
        checks(value["certificate"]),
        commands("compute it again:", command) if command else None,
        quiet(f"seed {value['seed']}; {value['seconds']:.2f} s"),
        verdict=chip(f"proved: the components of {{L ≤ u}} at every level u, {many}", "proved"),
    )


def _level(exact: str) -> Markup:
    if len(exact) <= 2 * SHORT:
        return mathml(fraction(exact))
    return joined(f"~ {rounded(exact, _DIGITS)}")


def _valleys(births: Sequence[tuple[int, Fraction]], least: Fraction) -> str:
    low = sum(level == least for _, level in births)
    words = f"{low} component{'s' * (low != 1)} at the minimum"
    spurious = len(births) - low
    if not spurious:
        return f"{words}, no spurious valley"
    return f"{words}, {spurious} spurious valley{'s' * (spurious != 1)} born above it"


def hunt(value: Json, command: Sequence[str] = ()) -> Markup:
    """The fragment of ``theorylab falsify``: refuted, a counterexample (unchecked), or survived."""
    outcome = value["outcome"]
    rows: list[tuple[str, Part]] = []
    if value.get("title"):
        rows.append(("claim", value["title"]))
    if value.get("words") not in (None, value.get("title")):
        rows.append(("hunted", value["words"]))
    if value["dropped"]:
        rows.append(("dropped", value["dropped"]))
    parts: list[Part] = []
    if outcome == "survived":
        words = "no counterexample was found; nothing is proved by that"
        if not value["tried"]:
            words = "not hunted: no case was tried, nothing is known"
        rows.append(("that is", words))
        if value["reason"]:
            rows.append(("stopped", value["reason"]))
    elif outcome == UNCHECKED:
        parts.append(_said(value, rows))
    else:
        parts.append(_refuted(value, rows))
    tried = value["tried"]
    searched = f"{tried} case{'s' * (tried != 1)}, seed {value['seed']}, {value['seconds']:.2f} s"
    rows.append(("searched", searched))
    verdict = {
        "survived": chip(f"survived {tried} (seed {value['seed']})", "survived"),
        "refuted": chip("refuted by this instance", "refuted"),
    }.get(outcome, chip(outcome, "unexpected"))
    if outcome == "survived" and not tried:
        verdict = chip("not hunted", "undecided")
    return panel(
        "falsify",
        joined("falsify ", E("b", value["claim"]), f" ({value['variant']})"),
        facts(rows),
        parts,
        checks(value["certificate"]),
        commands("hunt it again:", command) if command else None,
        verdict=verdict,
    )


def _refuted(value: Json, rows: list[tuple[str, Part]]) -> Markup:
    fact = value["fact"]
    rows.append(("because", FACTS.get(fact, fact.replace("_", " "))))
    for name, exact in value.get("losses", {}).items():
        rows.append((f"L({name})", equation(exact)))
    if value.get("note"):
        rows.append(("besides", value["note"]))
    shrinks = value["shrinks"]
    steps = f"in {shrinks} step{'s' * (shrinks != 1)}, each refuted by the kernel anew"
    rows += [("shrunk", steps), ("assurance", f"kernel ({'; '.join(value['lemmas'])})")]
    return instance(value["instance"], "What the reading says of it, and what does not hold")


def instance(statement: Json, claimed: str = "The statement") -> Markup:
    """Network, data and loss of a kernel's statement, and below them what it states."""
    return E(
        "div",
        {"class": "tl-instance"},
        [E("div", prose(part)) for part in instance_latex(statement).split("\n\n")],
        E("div", {"class": "tl-quiet"}, claimed, ":"),
        E("div", prose(statement_latex(statement))),
    )


def _said(value: Json, rows: list[tuple[str, Part]]) -> Markup | None:
    why = f": {value['reason']}" if value["reason"] else ""
    rows.append(("because", f"your function says False of this case{why}"))
    found = value["instance"]
    if found["choices"]:
        rows.append(("drawn", ", ".join(map(str, found["choices"]))))
    shrinks = value["shrinks"]
    rows += [
        ("assurance", "unchecked: your function vouches, not the kernel"),
        ("shrunk", f"in {shrinks} step{'s' * (shrinks != 1)}, your function asked anew"),
    ]
    if "network" not in found:
        return None
    given = {key: found[key] for key in ("network", "data")}
    if found.get("ridge") is not None:
        given["ridge"] = found["ridge"]
    latex = instance_latex(given).split("\n\n")
    return E("div", {"class": "tl-instance"}, [E("div", prose(part)) for part in latex])


_MARKS = {"lemma": "+", "refuted": "×", "open": "?"}
_LEGEND = {
    "lemma": "lemma applies",
    "refuted": "refuted by a certificate",
    "open": "open: searched, nothing found",
}
_WORDY = 8


def phase(value: Json, command: Sequence[str] = ()) -> Markup:
    """The fragment of ``theorylab phase``: n inputs from left to right, p hidden units upwards."""
    cells = {(cell["n"], cell["p"]): cell for cell in value["cells"]}
    wordy = len(value["n"]) <= _WORDY

    def box(n: int, p: int) -> Markup:
        cell = cells.get((n, p))
        if cell is None:
            return E("td", {"class": "tl-missing", "title": f"n = {n}, p = {p}: not reached"})
        verdict = cell["verdict"]
        shown = [E("b", _MARKS[verdict]), *([" ", _in_cell(cell)] if wordy else [])]
        words = f"n = {n}, p = {p}: {cell['words']}"
        return E("td", {"class": f"tl-cell tl-{verdict}", "title": words}, shown)

    lines = [
        E("tr", E("th", {"scope": "row"}, f"p = {p}"), [box(n, p) for n in value["n"]])
        for p in reversed(value["p"])
    ]
    foot = E("tr", E("td"), [E("th", {"scope": "col"}, f"n = {n}") for n in value["n"]])
    grid = E("table", {"class": "tl-map"}, E("tbody", lines, foot))
    used = [v for v in _MARKS if value["summary"].get(v)]
    legend = [chip(f"{_MARKS[v]} {_LEGEND[v]}: {value['summary'][v]}", v) for v in used]
    rows = [
        [
            c["n"],
            c["p"],
            chip(_MARKS[c["verdict"]], c["verdict"]),
            c["words"],
            c["certificate"] or "",
        ]
        for c in value["cells"]
    ]
    planned = len(value["n"]) * len(value["p"])
    cut = None
    if len(rows) < planned:
        cut = quiet(f"cut after {len(rows)} of {planned} cells")
    foot_words = (
        f"{value['pairs']} instances and {value['tries']} cases for each cell; assurance: kernel; "
        f"seed {value['seed']}; {value['seconds']:.1f} s"
    )
    words = value.get("words")
    return panel(
        "phase",
        joined("phase ", E("b", value["claim"])),
        E("p", {"class": "tl-name"}, value.get("title")),
        quiet(f"{value['variant']}: {words}") if words else None,
        quiet(f"family {value['family']}"),
        E("div", {"class": "tl-scroll"}, grid),
        E("p", {"class": "tl-counts"}, legend),
        fold("each cell in words", table(("n", "p", "", "what is known", "certificate"), rows,
                                         numbers=(0, 1), shown=60)),
        cut,
        quiet(foot_words),
        commands("draw it again:", command) if command else None,
    )  # fmt: skip


def _in_cell(cell: Json) -> str:
    done = f"{cell['proved']}/{cell['pairs']} proved"
    if cell["verdict"] == "lemma":
        return done
    if cell["verdict"] == "refuted":
        return str(cell["fact"] or "refuted").replace("_", " ")
    return f"survived {cell['tried']}" + (f", {done}" if cell["proved"] else "")


_SHARP = {"refuted": "refuted", "survived": "survived"}


def sharpness(value: Json, command: Sequence[str] = ()) -> Markup:
    """The sharpness table: each claim without each of its hypotheses."""
    rows: list[list[Part]] = []
    for row in value["rows"]:
        outcome = row["outcome"]
        words = row["counterexample"] if outcome == "refuted" else row["why"]
        if outcome == "survived":
            words = f"none known: {words}"
        rows.append(
            [
                row["claim"],
                row["hypothesis"],
                chip(outcome, _SHARP.get(outcome, "undecided")),
                tidy(words),
                row["tried"],
                f"{row['seconds']:.1f}",
            ]
        )
    counts = {w: sum(r["outcome"] == w for r in value["rows"]) for w in ("refuted", "survived")}
    words = (
        f"{counts['refuted']} of {len(rows)} refuted, {counts['survived']} survived: none known, "
        f"the others not hunted; {value['tries']} cases at most each; assurance: kernel; "
        f"seed {value['seed']}; {value['seconds']:.0f} s"
    )
    heads = ("claim", "without", "outcome", "smallest counterexample found", "tried", "s")
    return panel(
        "sharpness",
        "sharpness: each claim without each of its hypotheses",
        table(heads, rows, numbers=(4, 5), words=3, shown=30),
        quiet(words),
        commands("hunt them again:", command) if command else None,
        verdict=chip(f"{counts['refuted']} of {len(rows)} refuted", "refuted"),
    )

"""Claims, networks, data and checked certificates as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from theorylab.outcome import Source
from theorylab.report.figures import rounded, tidy
from theorylab.report.html.markup import E, Markup, Part, joined
from theorylab.report.html.mathematics import mathml, prose
from theorylab.report.html.panel import (
    SHOWN,
    Json,
    chip,
    commands,
    facts,
    fold,
    panel,
    quiet,
    table,
)
from theorylab.report.latex_facts import conclusion_latex, hypothesis_latex
from theorylab.report.latex_matrices import fraction
from theorylab.report.latex_statements import instance_latex, network_latex

_COLUMNS = 12


def claim_card(value: Json) -> Markup:
    """A claim (``Claim.to_json``): its readings as mathematics, hypotheses, source, erratum."""
    parts: list[Part] = [quiet(cited(value))]
    for variant in value["variants"]:
        rows = [
            hypothesis_row(h["name"], h["words"], h["predicate"]) for h in variant["hypotheses"]
        ]
        is_main = variant["name"] == value["main"]
        parts.append(
            E(
                "div",
                {"class": "tl-reading"},
                E("p", chip(variant["name"], "plain"), " ", variant["words"]),
                statement(variant["latex"]),
                fold("hypotheses", facts(rows), is_open=is_main) if rows else None,
            )
        )
    parts += [erratum(value), quiet(f"{value['quantifier']}, {value['kind']}")]
    own = all(variant["name"] == "conjectured" for variant in value["variants"])
    if not own:
        parts.append(commands("decide it on instances:", ["theorylab", "verify", value["id"]]))
    mark = chip("erratum", "refuted") if value["erratum"] else None
    return panel("claim", joined(E("b", value["id"]), ": ", value["title"]), parts, verdict=mark)


def cited(value: Json) -> str:
    """The source of a claim (``Claim.to_json``) in one line."""
    found = value.get("source")
    if not found:
        return "a conjecture of your own"
    return str(Source(**{**found, "authors": tuple(found["authors"])}))


def main_latex(value: Json) -> str:
    """The main reading of a claim (``Claim.to_json``) as LaTeX; empty if it has none."""
    return next(
        (str(v["latex"]) for v in value.get("variants", ()) if v["name"] == value["main"]), ""
    )


def erratum(value: Json) -> Markup | None:
    """The erratum of a claim (``Claim.to_json``), if it has one."""
    found = value.get("erratum")
    if not found:
        return None
    rows = (("printed", "printed"), ("finding", "refuted_by"), ("correct", "corrected"))
    return facts([(label, found[key]) for label, key in rows])


def statement(latex: str) -> Markup | None:
    """A displayed formula; nothing for a claim that has none."""
    return E("div", {"class": "tl-statement"}, mathml(latex, display=True)) if latex else None


def hypothesis_row(name: str, words: str, predicate: Json) -> tuple[str, Part]:
    """A hypothesis by name, in words, and as the kernel checks it."""
    exact = hypothesis_latex(predicate)
    said = prose(exact)
    shown = joined(words, ": ", said) if "$" in exact else joined(words)
    return name, shown


def catalogue(value: Json, command: Sequence[str] = ()) -> Markup:
    """The fragment of ``theorylab list``: a table of claims, a table of experiments."""
    rows: list[list[Part]] = [
        [
            joined(E("b", claim["id"]), E("br"), claim["title"]),
            claim["words"],
            "; ".join(claim["hypotheses"]),
            claim["source"],
            chip("erratum", "refuted") if claim["erratum"] else "",
        ]
        for claim in value["claims"]
    ]
    tried = [[E("b", one["id"]), one["title"]] for one in value.get("experiments", ())]
    heads = ("claim", "main reading", "hypotheses", "source", "")
    return panel(
        "list",
        "claims and experiments",
        table(heads, rows, words=1, shown=40),
        table(("experiment", "claim"), tried, shown=40) if tried else None,
        commands("list them again:", command) if command else None,
        verdict=chip(f"{len(rows)} claims", "plain"),
    )


def checked(rows: Sequence[Json], command: Sequence[str] = ()) -> Markup:
    """The fragment of ``theorylab check``: each file, the kernel's word, what it states."""
    lines: list[list[Part]] = []
    for one in rows:
        words: list[Part] = [tidy(one["statement"] or one["reason"])]
        if one.get("claims"):
            words.append(
                E("div", {"class": "tl-quiet"}, f"an instance of {', '.join(one['claims'])}")
            )
        if one["instance_sha256"]:
            words.append(E("div", {"class": "tl-path"}, f"sha256 {one['instance_sha256']}"))
        by = "; ".join(filter(None, [one["rule"], *one.get("lemmas", ())]))
        lines.append(
            [chip(one["outcome"]), E("span", {"class": "tl-path"}, one["file"]), words, by]
        )
    counts = [
        (sum(one["outcome"] == word for one in rows), word)
        for word in ("proved", "refuted", "rejected")
    ]
    tally = ", ".join(f"{number} {word}" for number, word in counts)
    many = f"{len(rows)} file{'s' * (len(rows) != 1)}"
    again = list(command)
    if not again and len(rows) <= SHOWN:
        again = ["theorylab", "check", *(one["file"] for one in rows)]
    return panel(
        "check",
        "check",
        table(("outcome", "file", "what it states", "rule"), lines, words=2, shown=20),
        quiet(f"{tally} of {many}; assurance: kernel"),
        commands("check again:", again) if again else None,
        verdict=chip(f"{counts[2][0]} rejected", "rejected")
        if counts[2][0]
        else chip("all accepted", "proved"),
    )


def network(value: Json) -> Markup:
    """A network: its function, activation, biases, shared and fixed entries."""
    lines = network_latex(value).split("\n")
    return panel("network", "network", _written(lines))


def dataset(value: Json, name: str, source: object = None) -> Markup:
    """A data set: the first samples exactly, the number of the others."""
    x, y, weights = value["x"], value["y"], value["weights"]
    heads: list[Part] = [E("span", "sample")]
    heads += [mathml(f"{letter}_{{{i + 1}}}") for letter, rows in (("x", x), ("y", y))
              for i in range(min(len(rows[0]), _COLUMNS))]  # fmt: skip
    heads += ["weight"] if weights is not None else []
    rows: list[list[Part]] = []
    for i in range(min(len(x), SHOWN)):
        cells = [_exact(v) for part in (x[i], y[i]) for v in part[:_COLUMNS]]
        rows.append([i + 1, *cells, *([] if weights is None else [_exact(weights[i])])])
    cut = [
        f"{min(len(r[0]), _COLUMNS)} of {len(r[0])} columns of {letter}"
        for letter, r in (("x", x), ("y", y))
        if len(r[0]) > _COLUMNS
    ]
    more = f"shown: {', '.join(cut)}" if cut else None
    size = f"N = {len(x)} samples, {len(x[0])} inputs, {len(y[0])} targets"
    return panel(
        "dataset",
        joined("data ", E("b", name)),
        quiet(str(source)) if source is not None else None,
        table(heads, rows, numbers=range(len(heads)), total=len(x)),
        quiet(more) if more else None,
        verdict=chip(size, "plain"),
    )


def _exact(number: str) -> Part:
    """The number itself, as a decimal where that is exact, a long one rounded and said to be."""
    decimal = rounded(number, 6)
    if Fraction(decimal) == Fraction(number):
        return decimal
    return mathml(fraction(number)) if len(number) <= SHOWN * 2 else f"~ {decimal}"


def surface(
    title: str, network_: Json, data: Json, ridge: Sequence[str] | None, conclusion: Json | None
) -> Markup:
    """A loss: network, data and the formula that is summed; and what is said of it, if anything."""
    value: Json = {"network": network_, "data": data}
    value |= {} if ridge is None else {"ridge": ridge}
    lines = instance_latex(value).split("\n\n")
    if conclusion is not None:
        lines += [r"\textbf{Conclusion.} " + conclusion_latex(conclusion)]
    return panel("loss", title, _written(lines))


def _written(lines: Sequence[str]) -> Markup:
    return E("div", {"class": "tl-instance"}, [E("div", prose(line)) for line in lines if line])

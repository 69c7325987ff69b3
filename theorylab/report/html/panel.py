"""What all fragments are made of: panels, labelled rows, tables that fold, words of a verdict."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Sequence
from importlib import resources
from typing import Any, Final

from theorylab.report.html.markup import E, Markup, Part, joined

Json = dict[str, Any]

# Rows before a table folds, and rows that a fragment shows at all.
SHOWN: Final = 12
MOST: Final = 300
_TYPES: Final = {"png": "image/png", "svg": "image/svg+xml"}


def panel(kind: str, title: Part, *parts: Part, verdict: Part = None) -> Markup:
    """The frame of a fragment: a heading, beside it the verdict, below the parts."""
    head = E("div", {"class": "tl-head"}, E("span", {"class": "tl-title"}, title), verdict)
    return E("div", {"class": f"theorylab tl-{kind}"}, head, parts)


def chip(word: str, look: str | None = None) -> Markup:
    """A word of a verdict on a coloured ground; ``look`` names the colour, the word says all."""
    return E("span", {"class": f"tl-chip tl-{(look or word).split()[0]}"}, word)


def facts(rows: Sequence[tuple[str, Part]]) -> Markup:
    """Labels and what stands beside them."""
    return E(
        "dl",
        {"class": "tl-facts"},
        [E("div", E("dt", label), E("dd", content)) for label, content in rows],
    )


def table(
    heads: Sequence[Part],
    rows: Sequence[Sequence[Part]],
    *,
    numbers: Sequence[int] = (),
    words: int | None = None,
    shown: int = SHOWN,
    most: int = MOST,
    total: int | None = None,
) -> Markup:
    """A table; rows after the first ``shown`` are folded, and after ``most`` only counted.

    ``numbers`` are the columns set to the right, ``words`` one of prose, which a narrow window sets
    below the others; ``total`` is the number of rows when ``rows`` are the first of them.
    """
    count = len(rows) if total is None else total

    def body(part: Sequence[Sequence[Part]]) -> Markup:
        top = E("thead", E("tr", [_cell("th", i, head) for i, head in enumerate(heads)]))
        lines = [E("tr", [_cell("td", i, c) for i, c in enumerate(row)]) for row in part]
        whole = E(
            "table",
            {"class": "tl-table" if words is None else "tl-table tl-stacked"},
            top,
            E("tbody", lines),
        )
        return E("div", {"class": "tl-scroll"}, whole)

    def _cell(tag: str, column: int, content: Part) -> Markup:
        look = "tl-number" if column in numbers else "tl-words" if column == words else None
        return E(tag, {"class": look, "scope": "col" if tag == "th" else None}, content)

    if count <= shown + 2 and len(rows) == count:
        return body(rows)
    more = [body(rows[shown:most])] if rows[shown:most] else []
    left = count - min(len(rows), most)
    said = f"and {count - shown} more" + (
        f", of which {left} are not shown here" if left and more else ""
    )
    rest = fold(said, *more) if more else E("p", {"class": "tl-quiet"}, said)
    return joined(body(rows[:shown]), rest)


def fold(words: Part, *parts: Part, is_open: bool = False) -> Markup:
    """Parts that open when one asks for them."""
    return E("details", {"open": is_open}, E("summary", words), parts)


def commands(lead: str, *lines: Sequence[str]) -> Markup:
    """Command lines to copy, below a word of what they do."""
    shown = "\n".join(shlex.join(line) for line in lines)
    return joined(quiet(lead), E("pre", {"class": "tl-command"}, shown))


def quiet(*words: Part) -> Markup:
    """A line in the background."""
    return E("p", {"class": "tl-quiet"}, words)


def picture(raw: bytes, kind: str, words: str) -> Markup:
    """A PNG or SVG held in the page itself; ``words`` say what one sees on it.

    An SVG stays apart from the page, so its names and styles meet no others.
    """
    data = base64.b64encode(raw).decode("ascii")
    source = f"data:{_TYPES[kind]};base64,{data}"
    return E("img", {"class": "tl-picture", "src": source, "alt": words})


def style() -> Markup:
    """The style sheet as an element, for a fragment that stands alone."""
    sheet = resources.files("theorylab.report.html").joinpath("style.css").read_text("utf-8")
    return Markup(f"<style>{sheet}</style>")

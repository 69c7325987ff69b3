"""Elements of HTML, written so that they are XML too; text is escaped, markup is trusted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Final

from theorylab.outcome import InputError

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9:_-]*")
_VOID: Final = frozenset(("br", "col", "hr", "img", "input", "link", "meta", "wbr"))
# What stands in these is not escaped text, so they are not made of text.
_RAW: Final = frozenset(("script", "style"))
# Characters that no XML document may hold.
_CONTROL: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Markup(str):
    """Text that is HTML already. Made by ``E`` and ``text``; others must know what they do."""

    __slots__ = ()


Part = str | int | None | Mapping[str, object] | Iterable["Part"]


def text(words: object) -> Markup:
    """The words as HTML; what no document may hold becomes a replacement mark.

    >>> text("a < b & 'c'"), text(Markup("<b>a</b>"))
    ('a &lt; b &amp; &#x27;c&#x27;', '<b>a</b>')
    """
    if isinstance(words, Markup):
        return words
    return Markup(escape(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(words))))


def E(tag: str, *parts: Part) -> Markup:
    """One element of these parts: texts, markup, attributes (a mapping), lists of parts, None.

    An attribute that is None or False is left out; True writes its name as its value.
    Guarantees: texts and values are escaped; the result is well-formed XML if its markup is.
    Raises InputError for a name that is none, and for text in elements whose text is no text.

    >>> print(E("td", "x < 1", {"class": "number", "hidden": None}, [E("br"), 2]))
    <td class="number">x &lt; 1<br/>2</td>
    """
    inside: list[Markup] = []
    attributes: dict[str, object] = {}
    _sort(parts, inside, attributes)
    for name in (tag, *attributes):
        if _NAME.fullmatch(name) is None:
            raise InputError("name", name, "an HTML name is made of letters", "write e.g. td")
    if tag in _RAW and any(inside):
        raise InputError("tag", tag, "its text is not escaped", "write it as Markup, knowingly")
    if tag in _VOID and any(inside):
        raise InputError("tag", tag, "this element is empty", "leave its parts out")
    head = "".join(
        f' {name}="{text(name if value is True else str(value))}"'
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    if tag in _VOID:
        return Markup(f"<{tag}{head}/>")
    return Markup(f"<{tag}{head}>{''.join(inside)}</{tag}>")


def joined(*parts: Part) -> Markup:
    """The parts one after the other, without an element around them.

    >>> joined("a & ", E("b", "c"))
    'a &amp; <b>c</b>'
    """
    inside: list[Markup] = []
    _sort(parts, inside, {})
    return Markup("".join(inside))


def _sort(parts: Iterable[Part], inside: list[Markup], attributes: dict[str, object]) -> None:
    for part in parts:
        if part is None:
            continue
        if isinstance(part, Mapping):
            attributes.update(part)
        elif isinstance(part, str | int):
            inside.append(text(part))
        else:
            _sort(part, inside, attributes)

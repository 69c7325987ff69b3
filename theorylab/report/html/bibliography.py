"""The works that a page cites, numbered as they come, and their BibTeX."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from theorylab.outcome import Source
from theorylab.report.html.markup import E, Markup, joined

_KEY: Final = re.compile(r"@misc\{([^,]*),")
_SPECIAL: Final = re.compile(r"[&%$#_]")


def source_of(value: dict[str, Any]) -> Source:
    """The source that ``Source.to_json`` wrote. KeyError or TypeError for a damaged one."""
    authors = tuple(str(author) for author in value["authors"])
    return Source(authors, str(value["title"]), int(value["year"]), str(value["where"]))


class Bibliography:
    """Works by number; one work cited at several places is listed once.

    >>> works = Bibliography()
    >>> shubs = Source(("Michael Shub", "Steve Smale"), "Complexity of Bezout's theorem", 1993)
    >>> print(works.cite(shubs), works.cite(shubs))
    <a class="cite" href="#work-1">[1]</a> <a class="cite" href="#work-1">[1]</a>
    >>> print(works.bibtex())
    @misc{shub1993complexity,
      author = {Michael Shub and Steve Smale},
      title = {{Complexity of Bezout's theorem}},
      year = {1993},
    }
    """

    def __init__(self) -> None:
        self._works: dict[tuple[tuple[str, ...], str, int], list[str]] = {}

    def cite(self, source: Source) -> Markup:
        """A mark that leads to the work; the work is listed from now on."""
        key = (source.authors, source.title, source.year)
        places = self._works.setdefault(key, [])
        if source.where and source.where not in places:
            places.append(source.where)
        number = list(self._works).index(key) + 1
        return E("a", {"class": "cite", "href": f"#work-{number}"}, f"[{number}]")

    def cited(self, source: Source) -> Markup:
        """The source in words, and the mark."""
        return joined(str(source), " ", self.cite(source))

    def __len__(self) -> int:
        return len(self._works)

    def listed(self) -> Markup:
        """The works as a numbered list, with the places that were cited."""
        items = []
        for number, ((authors, title, year), places) in enumerate(self._works.items(), start=1):
            who = (
                " and ".join(filter(None, [", ".join(authors[:-1]), *authors[-1:]])) or "anonymous"
            )
            words = joined(
                f"{who} ({year}), ",
                E("cite", title),
                f". Here: {'; '.join(places)}." if places else ".",
            )
            items.append(E("li", {"id": f"work-{number}"}, words))
        return E("ol", {"class": "works"}, items)

    def bibtex(self) -> str:
        """One entry for each work, the keys unique; of several places only the text tells."""
        return "\n\n".join(self._entries())

    def _entries(self) -> Iterator[str]:
        taken = set[str]()
        for (authors, title, year), places in self._works.items():
            found = _KEY.search(Source(authors, title, year).bibtex)
            key = stem = (found[1] if found else "") or "work"
            for letter in "bcdefghijklmnopqrstuvwxyz":
                if key not in taken:
                    break
                key = stem + letter
            taken.add(key)
            fields = [
                ("author", _plain(" and ".join(authors))),
                ("title", f"{{{_plain(title)}}}"),
                ("year", str(year)),
                ("note", _plain(places[0]) if len(places) == 1 else ""),
            ]
            lines = [f"  {name} = {{{words}}}," for name, words in fields if words]
            yield "\n".join([f"@misc{{{key},", *lines, "}"])


def _plain(words: str) -> str:
    """Words as LaTeX takes them: its own marks escaped, braces and backslashes left out."""
    bare = re.sub(r"[{}\\\x00-\x1f]", "", words)
    return _SPECIAL.sub(lambda match: f"\\{match[0]}", bare)

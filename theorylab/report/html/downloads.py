"""Certificates inside the page: compressed, to be saved by a link, with or without a script."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from theorylab.evidence import Certificate
from theorylab.report.html.markup import E, Markup, joined

# Characters of the page that certificates may take, all together.
ROOM: Final = 4_000_000


class Downloads:
    """The certificates that a page holds: those it links to, as long as there is room.

    Guarantees: the same links in the same order give the same bytes; what is saved is byte for byte
    the file.
    """

    def __init__(self, certificates: Mapping[str, Certificate], room: int = ROOM) -> None:
        self._certificates, self._room = certificates, room
        self._placed = set[str]()

    @property
    def held(self) -> int:
        """How many certificates the page holds so far."""
        return sum(found.sha256 in self._placed for found in self._certificates.values())

    def link(self, path: str, words: str = "certificate") -> Markup:
        """A link that saves the certificate; where there was no room, its place in the folder.

        A certificate that was linked before is not held twice: the link leads to the first.
        """
        found = self._certificates.get(path)
        if found is None:
            return E("span", {"class": "tl-odd"}, f"{path} is missing")
        said = E("span", {"class": "tl-quiet"}, f"{_size(len(found.raw))}, checked now: ")
        word = E("span", {"class": "word"}, found.outcome)
        place = f"file-{found.sha256[:16]}"
        if found.sha256 in self._placed:
            return joined(E("a", {"href": f"#{place}"}, words), " ", said, word)
        packed = base64.b64encode(gzip.compress(found.raw, 9, mtime=0)).decode("ascii")
        if len(packed) > self._room:
            return joined(E("code", path), " (no room for it here; ", said, word, ")")
        self._room -= len(packed)
        self._placed.add(found.sha256)
        name = PurePosixPath(path).name
        data = f"data:application/gzip;base64,{packed}"
        saved = {"id": place, "class": "save", "href": data, "download": f"{name}.gz"}
        saved["data-name"] = name
        return joined(E("a", saved, words), " ", said, word)

    def links(self, path: str) -> Markup:
        """The same, and beside it the certificate of what the straight line reaches, if any."""
        straight = f"{path.removesuffix('.json')}.straight-line.json"
        if straight not in self._certificates:
            return self.link(path)
        return joined(self.link(path), "; ", self.link(straight, "of the straight line"))


def _size(count: int) -> str:
    return f"{count} bytes" if count < 1_000 else f"{count / 1_000:.1f} kB"

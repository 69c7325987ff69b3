"""A page of text laid out for one width, line by line; what must stay whole is never wrapped."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

WIDEST = 112
GAP = 2
_LONGEST_GLUED = 24
# Stands for a space at which no line may end: a private character of width one.
_GLUE = "\ue000"
_RELATION = re.compile(r"(\S+) (<=|>=|==|=|<|>|~) (?=(\S+))")
_QUANTITY = re.compile(r"(?<=\d) (?=(?:s|min|h|x level)\b)|(?<=\bx) (?=level\b)")
_NUMBERED = re.compile(r"(?:(?<=\bseed)|(?<=\bLemma)) (?=\d)")
_PLAIN = str.maketrans(
    {"≤": "<=", "≥": ">=", "–": "-", "—": "-", "−": "-", "×": "x", "…": "...", "→": "->"}
    | {"‘": "'", "’": "'", "“": '"', "”": '"', "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ß": "ss"}
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a row: its cells, their alignment, and how early a narrow page gives it up.

    Cells of a column given up move to the words below the row; the smallest ``keep`` goes first.
    """

    keep: int
    right: bool = False


class Page:
    """Lines for one console. Wraps prose; leaves commands and paths whole."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.width = max(24, min(console.width, WIDEST))
        self._lines: list[Text] = []
        self._unicode = console.encoding.lower().replace("-", "").startswith("utf")

    def blank(self) -> None:
        """One empty line, never two."""
        if self._lines and self._lines[-1].plain:
            self._lines.append(Text())

    def heading(self, title: str, style: str = "bold cyan") -> None:
        """The title, then a rule to the right edge; a long title takes a second line."""
        *above, last = self._wrapped(Text(title, style), self.width) or [Text()]
        self._lines += above
        line, rest = last, self.width - last.cell_len - 1
        if rest > 0:
            line.append(" " + self._dash * rest, "dim")
        self._lines.append(line)

    def line(self, line: Text) -> None:
        """One line as it is."""
        self._lines.append(line)

    def rule(self) -> None:
        """A line across the page."""
        self._lines.append(Text(self._dash * self.width, "dim"))

    @property
    def _dash(self) -> str:
        return "─" if self._unicode else "-"

    @property
    def block(self) -> str:
        """What a bar of a histogram is made of."""
        return "█" if self._unicode else "#"

    def again(self, words: str, *commands: str, indent: int = 2) -> None:
        """What can be done next: words, then the commands for it, below an empty line."""
        self.blank()
        self.text(words, indent, "dim")
        for command in commands:
            self.verbatim(command, 2)

    def text(self, content: Text | str, indent: int = 0, style: str = "") -> None:
        """Prose, wrapped."""
        text = content if isinstance(content, Text) else Text(content, style)
        for line in self._wrapped(text, max(12, self.width - indent)) or [Text()]:
            self._lines.append(Text(" " * indent).append_text(line))

    def verbatim(self, content: str, indent: int = 0, style: str = "") -> None:
        """One line to copy: never wrapped, never cut."""
        self._lines.append(Text(" " * indent).append(content, style))

    def labelled(
        self, label: str, content: Text | str, width: int, style: str = "", look: str = "dim"
    ) -> None:
        """A label, then prose in its own column; on a narrow page the prose goes below."""
        text = content if isinstance(content, Text) else Text(content, style)
        room = self.width - 2 - width - GAP
        if room < 24:
            self._lines.append(Text("  ").append(label, look))
            self.text(text, 4)
            return
        for place, line in enumerate(self._wrapped(text, room) or [Text()]):
            head = Text("  ").append((label if place == 0 else "").ljust(width + GAP), look)
            self._lines.append(head.append_text(line))

    def _wrapped(self, text: Text, width: int) -> list[Text]:
        """The lines of a text; none ends within a relation, or between a number and its unit."""
        whole = text.copy()
        whole.plain = glued(text.plain)
        lines = list(whole.wrap(self._console, width))
        for line in lines:
            line.rstrip()
            line.plain = line.plain.replace(_GLUE, " ")
        return lines

    def print(self) -> None:
        """Write the lines to the console; what its encoding cannot spell comes in plain letters."""
        while self._lines and not self._lines[-1].plain:
            self._lines.pop()
        with self._console.capture() as captured:
            for line in self._lines:
                self._console.print(line, soft_wrap=True, highlight=False, markup=False)
        # Written here, since rich turns a closed pipe into exit status 1, which means a finding.
        shown = captured.get()
        self._console.file.write(shown if self._unicode else plain(shown))


def glued(text: str) -> str:
    """The text with the spaces at which no line may end marked; as long as it was.

    >>> glued("for n_1 >= min(n, m) in 0.2 s").replace(_GLUE, "_")
    'for n_1_>=_min(n, m) in 0.2_s'
    """

    def short(match: re.Match[str]) -> str:
        before, sign, after = match.groups()
        if len(before) + len(sign) + len(after) + 2 > _LONGEST_GLUED:
            return match[0]
        return f"{before}{_GLUE}{sign}{_GLUE}"

    text = _RELATION.sub(short, text)
    return _NUMBERED.sub(_GLUE, _QUANTITY.sub(_GLUE, text))


def plain(text: str) -> str:
    """The text in ASCII: accents dropped, symbols spelt, a question mark for the rest.

    >>> plain("Poincaré ≤ 2"), plain("Φ")
    ('Poincare <= 2', '?')
    """
    apart = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    kept = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return kept.encode("ascii", "replace").decode("ascii")


class Grid:
    """Rows whose columns line up over the whole page, as many columns as its width allows."""

    def __init__(
        self, columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int, indent: int
    ) -> None:
        widths = [max((cell_len(r[i]) for r in rows), default=0) for i in range(len(columns))]
        kept = [i for i in range(len(columns)) if widths[i]]

        def needed() -> int:
            return indent + sum(widths[i] for i in kept) + GAP * (len(kept) - 1)

        while len(kept) > 1 and needed() > width:
            kept.remove(min(kept, key=lambda i: columns[i].keep))
        self._columns, self._widths, self._indent = columns, widths, indent
        self.kept = tuple(kept)

    @property
    def second(self) -> int:
        """Where the second column begins: the indentation of the words below a row."""
        return self._indent + self._widths[self.kept[0]] + GAP if self.kept else self._indent

    def row(self, cells: Sequence[str], styles: Sequence[str]) -> Text:
        """One row, its kept cells padded."""
        line = Text(" " * self._indent)
        for place, i in enumerate(self.kept):
            pad = " " * (self._widths[i] - cell_len(cells[i]))
            gap = " " * GAP if place else ""
            before, after = (gap + pad, "") if self._columns[i].right else (gap, pad)
            line.append(before).append(cells[i], styles[i]).append(after)
        line.rstrip()
        return line

    def dropped(self, cells: Sequence[str]) -> list[str]:
        """The cells of a row that have no column here."""
        return [cell for i, cell in enumerate(cells) if cell and i not in self.kept]

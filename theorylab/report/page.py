"""A page of text laid out for one width, line by line; what must stay whole is never wrapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

WIDEST = 112
GAP = 2


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
        """The title, then a rule to the right edge."""
        rest = self.width - cell_len(title) - 1
        line = Text().append(title, style)
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

    def text(self, content: Text | str, indent: int = 0, style: str = "") -> None:
        """Prose, wrapped."""
        text = content if isinstance(content, Text) else Text(content, style)
        for line in text.wrap(self._console, max(12, self.width - indent)) or [Text()]:
            line.rstrip()
            self._lines.append(Text(" " * indent).append_text(line))

    def verbatim(self, content: str, indent: int = 0, style: str = "") -> None:
        """One line to copy: never wrapped, never cut."""
        self._lines.append(Text(" " * indent).append(content, style))

    def labelled(self, label: str, content: Text | str, width: int, style: str = "") -> None:
        """A label, then prose in its own column; on a narrow page the prose goes below."""
        text = content if isinstance(content, Text) else Text(content, style)
        room = self.width - 2 - width - GAP
        if room < 24:
            self._lines.append(Text("  ").append(label, "dim"))
            self.text(text, 4)
            return
        for place, line in enumerate(text.wrap(self._console, room) or [Text()]):
            line.rstrip()
            head = Text("  ").append((label if place == 0 else "").ljust(width + GAP), "dim")
            self._lines.append(head.append_text(line))

    def print(self) -> None:
        """Write the lines to the console."""
        while self._lines and not self._lines[-1].plain:
            self._lines.pop()
        with self._console.capture() as captured:
            for line in self._lines:
                self._console.print(line, soft_wrap=True, highlight=False, markup=False)
        # Written here, since rich turns a closed pipe into exit status 1, which means a finding.
        self._console.file.write(captured.get())


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

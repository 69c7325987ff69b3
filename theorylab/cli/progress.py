"""Progress on standard error: a line that goes when the work is done, or a word now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

_BAR = 16
_ROOM_FOR_BAR, _ROOM_FOR_PACE = 56, 34
_REFRESH = 5  # times a second
_FIRST_WORD = 60.0  # seconds until a log is told; then after twice as long each time
_LOG_WIDTH = 100


class Meter:
    """How far a piece of work is: done, of how many, how fast, for how long still.

    ``update`` is told the first time how much there was before (what an earlier run left); rate and
    remaining time count what this run did alone. ``clock`` counts seconds.

    >>> now = iter([0.0, 0.0, 10.0, 10.0])
    >>> meter = Meter("counting", lambda: next(now))
    >>> meter.update(4, 10, "resumed")
    >>> meter.update(7, 10, "data set 7")
    >>> meter.line(40, unicode=False)
    '7/10  18/min, 10 s left  data set 7'
    """

    def __init__(self, label: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._label = label
        self._begun = clock()
        self._first: int | None = None
        self._done = self._planned = 0

    def update(self, done: int, planned: int, label: str) -> None:
        """So much is done of so much; ``label`` is what comes now."""
        if self._first is None:
            self._first, self._begun = done, self._clock()
        self._done, self._planned, self._label = done, planned, label

    def line(self, width: int, unicode: bool = True, bar: bool = True) -> str:
        """The line for a terminal so wide: it never reaches the last column."""
        passed = self.passed
        if self._first is None or not self._planned:
            return _fitted(f"{lasting(passed)}  {self._label}", width, unicode)
        counted = f"{min(self._done, self._planned)}/{self._planned}"
        if bar and width >= _ROOM_FOR_BAR:
            full = round(_BAR * min(1.0, self._done / self._planned))
            here, ahead = ("━", "─") if unicode else ("#", "-")
            counted = f"{here * full}{ahead * (_BAR - full)} {counted}"
        parts = [counted, self._pace(passed) if width >= _ROOM_FOR_PACE else "", self._label]
        return _fitted("  ".join(filter(None, parts)), width, unicode)

    def _pace(self, passed: float) -> str:
        """Rate and remaining time, once something is done."""
        finished = self._done - (self._first or 0)
        if finished <= 0 or passed <= 0:
            return ""
        left = (self._planned - self._done) * passed / finished
        return f"{paced(finished / passed)}, {lasting(max(0.0, left))} left"

    @property
    def passed(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self._begun

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        unicode = options.encoding.startswith("utf")
        yield Text(self.line(options.max_width, unicode), "cyan", no_wrap=True, overflow="crop")


def paced(rate: float) -> str:
    """So many a second, in the unit in which that is a number one can read.

    >>> paced(312.0), paced(3.24), paced(0.25), paced(0.001)
    ('312/s', '3.2/s', '15/min', '3.6/h')
    """
    for unit, seconds in (("s", 1), ("min", 60), ("h", 3600)):
        many = rate * seconds
        if many >= 1 or unit == "h":
            return f"{many:.0f}/{unit}" if many >= 10 else f"{many:.1f}/{unit}"
    raise AssertionError("the last unit takes every rate")


def lasting(seconds: float) -> str:
    """A duration in words.

    >>> lasting(0.4), lasting(59.6), lasting(125), lasting(5400)
    ('0 s', '1 min 0 s', '2 min 5 s', '1 h 30 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _fitted(line: str, width: int, unicode: bool) -> str:
    from rich.cells import cell_len, set_cell_size

    room = max(1, width - 1)
    line = " ".join(line.split("\n"))
    if not unicode:
        line = line.encode("ascii", "replace").decode("ascii")
    if cell_len(line) <= room:
        return line
    dots = "…" if unicode else "..."
    return (set_cell_size(line, max(0, room - cell_len(dots))).rstrip() + dots)[:room]


def logged(meter: Meter) -> Callable[[int, int, str], None]:
    """Tells a log how far long work is, after a minute and then ever more rarely."""
    next_word = _FIRST_WORD

    def update(done: int, planned: int, label: str) -> None:
        nonlocal next_word
        meter.update(done, planned, label)
        passed = meter.passed
        if passed >= next_word and done < planned:
            line = meter.line(_LOG_WIDTH, unicode=False, bar=False)
            print(f"theorylab: {line}", file=sys.stderr, flush=True)
            next_word = 2 * passed

    return update


@contextmanager
def progress_bar(
    label: str = "preparing the instances", clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[int, int, str], None]]:
    """Shows on standard error how far the work is: a terminal always, a log when it takes long.

    The line tells the time until the first number comes. What is printed meanwhile stands above.
    """
    meter = Meter(label, clock)
    if not sys.stderr.isatty():
        yield logged(meter)
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, highlight=False)
    # Standard output is for results; a line on standard error is lifted above the meter.
    with Live(
        meter, console=console, transient=True, refresh_per_second=_REFRESH, redirect_stdout=False
    ):
        yield meter.update

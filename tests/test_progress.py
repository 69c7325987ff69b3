"""Progress: what the line says, how wide it is, and that a terminal alone sees it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from theorylab.cli.progress import Meter, lasting, logged, paced

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals")


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def meter(*updates: tuple[float, int, int]) -> Meter:
    """A meter told (seconds since the first, done, planned)."""
    clock = Clock()
    made = Meter("preparing", clock)
    for after, done, planned in updates:
        clock.now = 100.0 + after
        made.update(done, planned, "a label")
    return made


def test_rate_and_remaining_time() -> None:
    assert meter((0, 0, 40), (3, 12, 40)).line(80).endswith(" 12/40  4.0/s, 7 s left  a label")


def test_only_what_this_run_did_counts() -> None:
    resumed = meter((0, 300, 500), (60, 310, 500))
    # ten a minute, not three hundred and ten
    assert "310/500  10/min, 19 min 0 s left" in resumed.line(80)


def test_nothing_is_said_of_the_pace_before_something_is_done() -> None:
    assert meter((0, 0, 40)).line(80).endswith(" 0/40  a label")
    assert meter((0, 7, 40), (9, 7, 40)).line(80).endswith(" 7/40  a label")


def test_without_a_number_the_time_is_told() -> None:
    clock = Clock()
    waiting = Meter("counting", clock)
    clock.now += 75
    assert waiting.line(80) == "1 min 15 s  counting"


def test_a_count_that_overshoots_stays_within_the_plan() -> None:
    assert "40/40" in meter((0, 0, 40), (3, 41, 40)).line(80)
    assert "0 s left" in meter((0, 0, 40), (3, 41, 40)).line(80)


def test_narrow_lines_give_up_the_bar_and_then_the_pace() -> None:
    told = meter((0, 0, 40), (3, 12, 40))
    assert told.line(56).startswith("━") and told.line(55).startswith("12/40  4.0/s")
    assert told.line(33) == "12/40  a label"
    assert told.line(10) == "12/40  a…"


@given(
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.floats(0, 1e7),
    st.text(max_size=60),
    st.integers(1, 130),
    st.booleans(),
)
def test_no_line_reaches_the_last_column(
    done: int, more: int, passed: float, label: str, width: int, unicode: bool
) -> None:
    clock = Clock()
    told = Meter("preparing", clock)
    told.update(0, done + more, label)
    clock.now += passed
    told.update(done, done + more, label)
    line = told.line(width, unicode)
    assert cell_len(line) <= max(1, width - 1)
    assert "\n" not in line
    assert unicode or line.isascii()


@given(st.floats(1e-6, 1e6), st.floats(0, 1e6))
def test_units_are_readable(rate: float, seconds: float) -> None:
    assert re.fullmatch(r"\d+(\.\d)?/(s|min|h)", paced(rate))
    assert re.fullmatch(r"\d+ s|\d+ min \d+ s|\d+ h \d+ min", lasting(seconds))


def test_a_log_is_told_of_long_work_and_ever_more_rarely(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock()
    update = logged(Meter("preparing", clock))
    for done in range(1001):
        clock.now = 100.0 + done
        update(done, 1000, "data sets")
    out, errors = capsys.readouterr()
    assert out == ""
    assert errors.splitlines() == [
        f"theorylab: {done}/1000  1.0/s, {lasting(1000 - done)} left  data sets"
        for done in (60, 120, 240, 480, 960)
    ]


SCRIPT = """
import sys, time
from theorylab.cli.progress import progress_bar
with progress_bar("looking") as progress:
    progress(3, 9, "the third")
    time.sleep(0.5 * sys.stderr.isatty())
    print("a warning", file=sys.stderr)
    print("a result")
"""


def on_a_terminal(width: int, **environment: str) -> str:
    """What a terminal so wide is sent."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.pop("COLUMNS", None)
        os.environ.update({"TERM": "xterm", **environment})
        os.execv(sys.executable, [sys.executable, "-c", SCRIPT])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    sent = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        sent += part
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    return sent.decode()


def test_a_terminal_sees_it_and_then_no_more() -> None:
    sent = on_a_terminal(70)
    assert "3/9" in sent and "the third" in sent
    # the last of it is rubbed out, and the cursor is back
    assert sent.rindex("\x1b[2K") > sent.rindex("the third")
    assert sent.endswith("\x1b[2K") or sent.rindex("\x1b[?25h") > sent.rindex("the third")
    assert "a warning" in sent and "a result" in sent


def test_a_dumb_terminal_sees_none_of_it() -> None:
    sent = on_a_terminal(70, TERM="dumb")
    assert "\x1b" not in sent and "3/9" not in sent
    assert sent.split() == ["a", "warning", "a", "result"]


def test_a_file_sees_none_of_it(tmp_path: Path) -> None:
    import subprocess

    found = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert (found.returncode, found.stdout, found.stderr) == (0, "a result\n", "a warning\n")

"""The page of ``theorylab count``, and the file of its certificate."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from theorylab.counting.rootcount import RootCount
from theorylab.report.page import Page
from theorylab.verify import write


def with_certificate(found: RootCount, folder: Path) -> RootCount:
    """The count with its certificate written, whole or not at all, if the kernel accepted one.

    Raises InputError when the folder cannot be written.
    """
    if found.certificate_bytes is None or found.sha256 is None:
        note = "no certificate for the kernel: it derives systems from network and data alone"
        return replace(found, notes=(*found.notes, note))
    stem = re.sub(r"[^a-z0-9]+", "-", found.name.lower()).strip("-")
    path = folder / f"count-{stem}-{found.sha256[:12]}.json"
    return replace(found, certificate=str(write(path, found.certificate_bytes)))


def print_count(found: RootCount, console: Console, command: Sequence[str]) -> None:
    """The page of ``theorylab count``."""
    page = Page(console)
    rows = found.rows()
    width = max(len(label) for label, _ in rows)
    page.heading("theorylab count")
    for place, (label, words) in enumerate(rows):
        style = ""
        if place == 0:
            style = "bold green" if found.complete else "bold yellow"
        page.labelled(label, words, width, style)
    if found.certificate is not None:
        words = f"theorylab check {shlex.quote(found.certificate)}"
        page.again("certificate; check it again with", words)
    elif command:
        page.again("count it again with", shlex.join(command))
    page.print()

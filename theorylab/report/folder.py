"""The report of a folder: gathered, checked again, written as one page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from theorylab.evidence import Finding, Progress, gather
from theorylab.verify import write

SCHEMA = "theorylab.report/1"


@dataclass(frozen=True, slots=True)
class Written:
    """A page that was written: where, how long it is, what is in it, what was found wrong."""

    path: str
    size: int
    sha256: str
    records: int
    claims: int
    instances: int
    certificates: int
    held: int
    experiments: int
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @property
    def exit_status(self) -> int:
        """0; 1 when a record is not borne out by the files beside it."""
        return 1 if self.findings else 0

    def to_json(self, seed: int = 0) -> dict[str, Any]:
        """What ``theorylab report --json`` prints."""
        names = "path sha256 records claims instances certificates held experiments"
        return {
            "schema": SCHEMA,
            "seed": seed,
            "bytes": self.size,
            **{name: getattr(self, name) for name in names.split()},
            "findings": [{"file": one.file, "words": one.words} for one in self.findings],
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """What the command prints: the path first, then every finding and note."""
        found = [f"FINDING {one.file}: {one.words}" for one in self.findings]
        return [self.path, *found, *(f"note: {words}" for words in self.notes)]

    def __str__(self) -> str:
        return "\n".join(self.lines())


def report(
    folder: str | Path,
    out: str | Path | None = None,
    *,
    title: str = "theorylab report",
    progress: Progress | None = None,
) -> Written:
    """Write one self-contained HTML page of a folder, FOLDER/report.html by default.

    The kernel checks every certificate in the folder anew, experiments are judged again from their
    tables, and what records say is held against both. Guarantees: the same files give the same
    bytes with the same versions, wherever the folder is; the page fetches nothing.
    Raises InputError for a folder without results and for a page that cannot be written.

    >>> import tempfile
    >>> from theorylab.verify import verify
    >>> with tempfile.TemporaryDirectory() as kept:
    ...     run = verify("quadratic-connected", out=kept)
    ...     page = report(kept)
    ...     page.claims, page.instances, page.held == page.certificates, page.findings
    (1, 3, True, ())
    """
    import hashlib

    from theorylab.report.html.document import document

    evidence = gather(folder, progress)
    made = document(evidence, title, progress)
    place = Path(folder) / "report.html" if out is None else Path(out)
    write(place, made.raw)
    return Written(
        path=str(place),
        size=len(made.raw),
        sha256=hashlib.sha256(made.raw).hexdigest(),
        records=len(evidence.runs),
        claims=made.claims,
        instances=made.instances,
        certificates=len(evidence.certificates),
        held=made.held,
        experiments=len(evidence.experiments),
        findings=made.findings,
        notes=evidence.notes,
    )

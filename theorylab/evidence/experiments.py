"""Experiments in a folder: their tables judged again, and what records say of them compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from theorylab.experiments.run import Result

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One experiment: ``rows`` as its command prints them, from its table judged now.

    ``result`` is None where the table could not be read again; then the rows are the record's.
    """

    name: str
    folder: str
    rows: tuple[Json, ...]
    result: Result | None = None


def contradictions(rows: Sequence[Json], judged: Mapping[str, Judged]) -> Iterator[str]:
    """Where the rows of a record differ from the tables that lie beside it."""
    missing = set[str]()
    for row in rows:
        found = judged.get(str(row["claim"]))
        if found is None or found.result is None:
            missing.add(str(row["claim"]))
            continue
        again = next((other for other in found.rows if _same(row, other)), None)
        if again is not None and again["status"] != row["status"]:
            name = f"{row['claim']} ({row['variant']})"
            said, now = row["status"], again["status"]
            yield f"the record says {said} of {name}, its table judged again {now}"
    for name in sorted(missing):
        yield f"the table of {name} is missing or damaged: nothing was judged again"


def _same(row: Json, other: Json) -> bool:
    return all(row[key] == other[key] for key in ("claim", "variant", "config"))

"""Tidy tables: one row for each independent unit, and nothing else that a verdict may read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from theorylab.outcome import InputError

Cell = str | int | float | bool | None
Row = Mapping[str, Cell]


def _plain(name: str, value: object) -> Cell:
    # numpy's own numbers are taken as Python's; a number that is not finite is written as None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if isfinite(value) else None
    if value is None or isinstance(value, str):
        return value
    rule = "a cell is a text, a number, a truth value or None"
    raise InputError(name, value, rule, "convert it first")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with the same columns; a float that is not finite is kept as None.

    Guarantees: holds what JSON can hold, so it is saved and read without loss. Raises InputError
    for rows whose columns differ.

    >>> table = Table.of([{"arm": "natural", "r": 2.0}, {"arm": "random", "r": float("nan")}])
    >>> table.where(arm="random").column("r"), len(table), table.values("arm")
    (array([nan]), 2, ('natural', 'random'))
    """

    rows: tuple[Row, ...]

    @staticmethod
    def of(rows: Iterable[Mapping[str, object]]) -> Table:
        """The table of these rows, their cells made plain."""
        plain = tuple({k: _plain(k, v) for k, v in row.items()} for row in rows)
        for row in plain:
            if row.keys() != plain[0].keys():
                rule = f"every row has the columns {', '.join(plain[0])}"
                raise InputError("rows", ", ".join(row), rule, "give each row the same columns")
        return Table(plain)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def where(self, **wanted: Cell) -> Table:
        """The rows whose cells equal these."""
        kept = (r for r in self.rows if all(r[name] == value for name, value in wanted.items()))
        return Table(tuple(kept))

    def column(self, name: str) -> NDArray[np.float64]:
        """A column of numbers as float64, None as nan. InputError for an unknown column."""
        try:
            cells = [row[name] for row in self.rows]
        except KeyError:
            known = ", ".join(self.rows[0])
            raise InputError("column", name, f"the columns are {known}", "choose one") from None
        return np.array([np.nan if c is None else c for c in cells], dtype=np.float64)

    def values(self, name: str) -> tuple[Cell, ...]:
        """The different values of a column, in the order of their first appearance."""
        return tuple(dict.fromkeys(row[name] for row in self.rows))

    def replaced(self, name: str, cells: Iterable[object]) -> Table:
        """The table with these cells in a column, one for each row: for shuffles and planted
        effects."""
        new = list(cells)
        if len(new) != len(self.rows):
            rule = f"there is one cell for each of the {len(self.rows)} rows"
            raise InputError("cells", len(new), rule, "give as many")
        return Table.of({**row, name: cell} for row, cell in zip(self.rows, new, strict=True))

    def __add__(self, other: Table) -> Table:
        return Table.of([*self.rows, *other.rows])

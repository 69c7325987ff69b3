"""The store of a sweep: results by seed in one SQLite file, of one process at a time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from theorylab.outcome import InputError
from theorylab.sweep.limits import Unfinished

SCHEMA: Final = "theorylab.sweep-store/2"
# The first schema knew no unfinished instances; its results are written in the same way.
_OLDER: Final = "theorylab.sweep-store/1"
# Long enough for a process that is just ending to let go.
_PATIENCE: Final = 1.0
_LARGEST: Final = 2**63 - 1


class Store:
    """Results by seed, in an SQLite file or in memory; each is kept the moment it arrives.

    ``subject`` (what JSON can hold) says what is swept: a file of another subject is refused.
    Results are kept as JSON text, keys sorted, so that equal results are equal bytes.

    Guarantees: one process at a time, for the file is locked until ``close``; the system frees
    the lock of a process that dies. Whatever ends a process (kill -9 too), what was put stays and
    the file is sound; when the power fails the last results may be missing. On a network file
    system this is as true as its POSIX locks are. Raises InputError: the file is in use, damaged,
    of another sweep or cannot be written, the disk is full.

    >>> with Store(None, {"what": "squares"}) as store:
    ...     store.put(3, 9)
    ...     store.put(1, 1)
    ...     store.results([3, 2, 1])
    [9, 1]
    """

    def __init__(self, path: str | Path | None, subject: Any) -> None:
        self.path = None if path is None else Path(path)
        written = json.dumps(subject, sort_keys=True, allow_nan=False)
        with self._speaking():
            if self.path is not None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            name = ":memory:" if self.path is None else self.path
            self._base = sqlite3.connect(name, timeout=_PATIENCE, isolation_level=None)
        try:
            with self._speaking():
                known = self._opened(written)
            if known.get("schema") != SCHEMA or known.get("subject") != written:
                rule = "it holds the results of another sweep"
                raise self._wrong(rule, "name another file, or remove this one")
        except BaseException:
            self._base.close()
            raise

    def _opened(self, written: str) -> dict[str, str]:
        """Take the lock, make or update the tables; what the file says it holds."""
        base = self._base
        # Held until the connection ends. Written ahead, so that a killed process leaves whole
        # results; with the lock this needs no shared memory, which network drives lack.
        base.execute("PRAGMA locking_mode=EXCLUSIVE")
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("PRAGMA synchronous=NORMAL")
        with self._transaction("EXCLUSIVE"):
            if base.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise sqlite3.DatabaseError("database disk image is malformed")
            base.execute("CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value)")
            known = dict(base.execute("SELECT key, value FROM about"))
            if known and (known.get("schema") not in (SCHEMA, _OLDER)):
                return known
            known = known or {"subject": written}
            known["schema"] = SCHEMA
            base.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", known.items())
            base.execute(
                "CREATE TABLE IF NOT EXISTS results (seed INTEGER PRIMARY KEY, result TEXT)"
            )
            base.execute(
                "CREATE TABLE IF NOT EXISTS unfinished "
                "(seed INTEGER PRIMARY KEY, reason TEXT, seconds REAL, memory INTEGER)"
            )
        return known

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and free it for others; further calls are errors."""
        self._base.close()

    def seeds(self) -> frozenset[int]:
        """The seeds whose results are here."""
        with self._speaking():
            return frozenset(seed for (seed,) in self._base.execute("SELECT seed FROM results"))

    def put(self, seed: int, result: Any) -> None:
        """Keep a result, for good when this returns; the seed is no longer unfinished.

        Raises InputError for a result that JSON cannot hold and a seed beyond 64 bits.
        """
        try:
            text = json.dumps(result, sort_keys=True, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            rule = f"a result is what JSON can hold ({error})"
            remedy = "return numbers, texts, lists and dictionaries of these"
            raise InputError(f"result of seed {seed}", result, rule, remedy) from None
        with self._speaking(), self._transaction():
            self._base.execute("INSERT OR REPLACE INTO results VALUES (?, ?)", (_whole(seed), text))
            self._base.execute("DELETE FROM unfinished WHERE seed = ?", (seed,))

    def results(self, seeds: Iterable[int]) -> list[Any]:
        """The results of these seeds, in their order; those not here are left out."""
        with self._speaking():
            found = dict(self._base.execute("SELECT seed, result FROM results"))
            return [json.loads(found[seed]) for seed in seeds if seed in found]

    def put_unfinished(self, seed: int, found: Unfinished) -> None:
        """Keep why a seed has no result, apart from the results."""
        with self._speaking(), self._transaction():
            self._base.execute(
                "INSERT OR REPLACE INTO unfinished VALUES (?, ?, ?, ?)",
                (_whole(seed), found.reason, found.seconds, found.memory),
            )

    def unfinished(self) -> dict[int, Unfinished]:
        """The seeds that were tried and have no result, in order, and why."""
        query = "SELECT seed, reason, seconds, memory FROM unfinished ORDER BY seed"
        with self._speaking():
            return {seed: Unfinished(*rest) for seed, *rest in self._base.execute(query)}

    @contextmanager
    def _transaction(self, kind: str = "IMMEDIATE") -> Iterator[None]:
        self._base.execute(f"BEGIN {kind}")
        try:
            yield
            self._base.execute("COMMIT")
        except BaseException:
            if self._base.in_transaction:
                self._base.execute("ROLLBACK")
            raise

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        """What SQLite and the system complain of, as an InputError that names the store."""
        try:
            yield
        except sqlite3.ProgrammingError:
            raise
        except OSError as error:
            rule = f"it cannot be written ({error.strerror})"
            raise self._wrong(rule, _UNWRITTEN[1]) from None
        except (sqlite3.Error, json.JSONDecodeError) as error:
            kind = str(getattr(error, "sqlite_errorname", "SQLITE_NOTADB")).split("_")[1]
            unknown = (f"SQLite fails ({error})", "name another file")
            raise self._wrong(*_COMPLAINTS.get(kind, unknown)) from None

    def _wrong(self, rule: str, remedy: str) -> InputError:
        return InputError("store", str(self.path), rule, remedy)


_UNWRITTEN: Final = ("it cannot be written", "choose a file in a folder of yours")
_DAMAGED: Final = (
    "it is damaged, or no store of a sweep",
    "name another file, or remove this one and begin again",
)
_COMPLAINTS: Final = {
    "BUSY": ("another process is using it", "wait until that has ended, or name another file"),
    "FULL": (
        "the disk is full; what was stored stays",
        "make room, then run the same again to go on",
    ),
    "IOERR": (
        "reading or writing failed; what was stored stays",
        "see that the disk has room, then run the same again to go on",
    ),
    "READONLY": _UNWRITTEN,
    "CANTOPEN": _UNWRITTEN,
    "NOTADB": _DAMAGED,
    "CORRUPT": _DAMAGED,
}


def _whole(seed: int) -> int:
    if not -_LARGEST <= seed <= _LARGEST:
        raise InputError("seed", seed, "seeds have at most 63 bits", "take smaller numbers")
    return seed

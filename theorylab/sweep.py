"""Sweeps: one function of many seeds, run on any executor, kept in a store that survives.

Knows nothing of what it runs: a function takes a seed and returns what JSON can hold.
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from theorylab.outcome import InputError

__all__ = ["Store", "processes", "sweep"]

SCHEMA: Final = "theorylab.sweep-store/1"
# Jobs handed to an executor at once, for each of its workers as far as we can know.
_AHEAD: Final = 64

Progress = Callable[[int, int, str], None]


class Store:
    """Results by seed, in an SQLite file or in memory; each is kept the moment it arrives.

    ``subject`` (what JSON can hold) says what is swept: a file of another subject is refused. A
    process that is killed loses only what it was computing.

    >>> with Store(None, {"what": "squares"}) as store:
    ...     sweep(lambda seed: seed * seed, range(4), store)
    ...     store.results([3, 1])
    [9, 1]
    """

    def __init__(self, path: str | Path | None, subject: Any) -> None:
        self.path = None if path is None else Path(path)
        written = json.dumps(subject, sort_keys=True)
        try:
            if self.path is not None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(":memory:" if self.path is None else self.path)
            # Written ahead and not synchronised: safe from a killed process, quick enough for us.
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=NORMAL")
            with self._base:
                self._base.execute("CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value)")
                self._base.execute(
                    "CREATE TABLE IF NOT EXISTS results (seed INTEGER PRIMARY KEY, result TEXT)"
                )
                known = dict(self._base.execute("SELECT key, value FROM about"))
                if not known:
                    rows = [("schema", SCHEMA), ("subject", written)]
                    self._base.executemany("INSERT INTO about VALUES (?, ?)", rows)
                    known = dict(rows)
        except (sqlite3.Error, OSError) as error:
            raise InputError(
                "store", str(path), f"it is no store of a sweep ({error})", "name another file"
            ) from None
        if known.get("schema") != SCHEMA or known.get("subject") != written:
            self._base.close()
            raise InputError(
                "store",
                str(path),
                "it holds the results of another sweep",
                "name another file, or remove this one",
            )

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; further calls are errors."""
        self._base.close()

    def seeds(self) -> frozenset[int]:
        """The seeds whose results are here."""
        return frozenset(seed for (seed,) in self._base.execute("SELECT seed FROM results"))

    def put(self, seed: int, result: Any) -> None:
        """Keep a result, for good when this returns."""
        with self._base:
            self._base.execute(
                "INSERT OR REPLACE INTO results VALUES (?, ?)",
                (seed, json.dumps(result, sort_keys=True)),
            )

    def results(self, seeds: Iterable[int]) -> list[Any]:
        """The results of these seeds, in their order; those not here are left out."""
        found = dict(self._base.execute("SELECT seed, result FROM results"))
        return [json.loads(found[seed]) for seed in seeds if seed in found]


def sweep(
    function: Callable[[int], Any],
    seeds: Sequence[int],
    store: Store,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> None:
    """Run the function on every seed that the store has no result for, and keep each result.

    ``executor`` is any of ``concurrent.futures`` (one that pickles needs a function that can be
    pickled), None runs here. ``progress`` is told how many are done, of how many, and a word.

    Guarantees: results depend on function and seed alone; whatever ends the sweep (Ctrl-C, an
    error of the function, kill -9), finished results stay in the store, and running it again goes
    on from there.
    """
    tell = progress or (lambda done, planned, label: None)
    planned, have = len(seeds), store.seeds()
    left = iter([seed for seed in seeds if seed not in have])
    done = sum(seed in have for seed in seeds)
    tell(done, planned, "instances")
    if executor is None:
        for seed in left:
            store.put(seed, function(seed))
            done += 1
            tell(done, planned, "instances")
        return
    running: dict[Future[Any], int] = {}
    try:
        while True:
            for seed in itertools.islice(left, _AHEAD - len(running)):
                running[executor.submit(function, seed)] = seed
            if not running:
                return
            # A short wait, so that Ctrl-C is seen on every platform.
            finished, _ = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in finished:
                store.put(running.pop(future), future.result())
                done += 1
            tell(done, planned, "instances")
    finally:
        for future in running:
            future.cancel()


def _worker(parent: int) -> None:
    """Leave Ctrl-C to the parent, and end when it is gone, killed before it could say so."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def processes(count: int) -> Iterator[Executor | None]:
    """An executor of so many processes, or None for one: then the work is done here.

    When the block is left by an exception, Ctrl-C among them, the processes are ended at once.
    """
    if count <= 1:
        yield None
        return
    before = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        count, mp_context=context, initializer=_worker, initargs=(os.getpid(),)
    )
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()
        raise
    pool.shutdown()

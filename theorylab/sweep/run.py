"""One function of many seeds, run on any executor, its results kept in a store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from operator import index
from typing import Any

from theorylab.outcome import InputError
from theorylab.sweep.executors import Crashed, completed
from theorylab.sweep.limits import Limited, Limits, Unfinished, close_child
from theorylab.sweep.store import Store

Progress = Callable[[int, int, str], None]


def sweep(
    function: Callable[[int], Any],
    seeds: Sequence[int],
    store: Store,
    executor: Executor | None = None,
    progress: Progress | None = None,
    *,
    limits: Limits | None = None,
) -> None:
    """Run the function on every seed that the store has no result for, and keep each result.

    ``executor`` is any of ``concurrent.futures``: ``processes(n)``, a pool of threads,
    ``dask("tcp://host:8786")``, ``mpi4py.futures.MPIPoolExecutor()``; None runs here. One that
    works in other processes needs a function that these can import. ``progress`` is told how many
    are done, of how many, and a word; what the store had is done from the start.

    ``limits`` bounds the seconds and the memory of each instance. One that goes beyond, or that
    kills its worker twice while it runs alone, has no result: it is kept in
    ``store.unfinished()``, and tried again by a later sweep under a larger limit, after a crash
    by every later sweep.

    Guarantees: results depend on function and seed alone; a worker that dies costs one retry.
    Whatever ends the sweep (Ctrl-C, an error of the function, kill -9), finished results stay in
    the store, and running it again goes on from there. Raises what the function raises, the seed
    named in its notes, and InputError.

    >>> with Store(None, {"what": "squares"}) as store:
    ...     sweep(lambda seed: seed * seed, range(4), store)
    ...     store.results(range(4))
    [0, 1, 4, 9]
    """
    tell = progress or (lambda done, planned, label: None)
    wanted = list(dict.fromkeys(map(_whole, seeds)))
    have, tried = store.seeds(), store.unfinished()
    bounds = limits or Limits()
    left = [
        seed
        for seed in wanted
        if seed not in have and (seed not in tried or bounds.allows(tried[seed]))
    ]
    done = len(wanted) - len(left)
    tell(done, len(wanted), "instances")
    run = function if limits is None else Limited.of(function, limits)
    try:
        for seed, found in completed(run, left, executor, noun="seed"):
            if isinstance(found, Crashed):
                found = Unfinished("crashed", bounds.seconds, bounds.memory)
            if isinstance(found, Unfinished):
                store.put_unfinished(seed, found)
            else:
                store.put(seed, found)
            done += 1
            tell(done, len(wanted), "instances")
    finally:
        close_child()


def _whole(seed: Any) -> int:
    """The seed as an int of Python, numpy's among them; the store keeps those alone."""
    try:
        return index(seed)
    except TypeError:
        raise InputError("seed", seed, "seeds are whole numbers", "give e.g. range(100)") from None

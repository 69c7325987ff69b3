"""What a sweep costs beside a bare loop, and what two workers gain.

Run: python benchmarks/sweeps.py. First a function that does nothing: microseconds for each
instance, the best of three, every executor warm. `loop` keeps results in a dictionary, `store` is a
sweep with its SQLite file, the others add limits of time and memory (a child process each worker)
and executors of two workers. The last column is the cost beside an instance of 20 ms.

Then 100 instances of some 20 ms of arithmetic, the better of two: how much faster than the loop.
Two workers gain at most a factor of 2, and less on cores shared with others: `ideal` is the loop in
two processes at once, without any sweep.
"""

from __future__ import annotations

import multiprocessing
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from theorylab.sweep import Limits, Store, dask, processes, sweep

CHEAP, FEW, DEAR = 1000, 300, 100
ROUNDS = 310_000
LIMITS = Limits(seconds=60, memory=2000)
FRESH = count()


def nothing(seed: int) -> int:
    return seed


def dear(seed: int) -> int:
    """About 20 ms of arithmetic."""
    total = seed
    for k in range(ROUNDS):
        total = (total * 31 + k) % 1_000_003
    return total


def half(which: int) -> None:
    for seed in range(which, DEAR, 2):
        dear(seed)


def loop(function: Callable[[int], int], seeds: range) -> float:
    begun = time.perf_counter()
    {seed: function(seed) for seed in seeds}
    return time.perf_counter() - begun


def swept(
    function: Callable[[int], int],
    seeds: range,
    folder: Path | None,
    executor: Executor | None,
    limits: Limits | None,
) -> float:
    """Seconds of a sweep whose workers are warm; a child ends with a sweep, so it counts here."""
    where = None if folder is None else folder / f"{next(FRESH)}.sqlite"
    with Store(where, "benchmark") as store:
        begun = time.perf_counter()
        sweep(function, seeds, store, executor, limits=limits)
        return time.perf_counter() - begun


def side_by_side() -> float:
    """Seconds of the loop, one half in each of two processes."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        pool.map(nothing, range(2))
        begun = time.perf_counter()
        pool.map(half, range(2), chunksize=1)
        return time.perf_counter() - begun


@contextmanager
def executors() -> Iterator[dict[str, Executor]]:
    from distributed import LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        ThreadPoolExecutor(2) as threads,
        processes(2) as pool,
        dask(cluster.scheduler_address) as workers,
    ):
        assert pool is not None
        yield {"2 threads": threads, "2 processes": pool, "dask, 2 workers": workers}


def main() -> None:
    print(f"{platform.machine()}, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as name, executors() as known:
        folder = Path(name)
        ways: list[tuple[str, Path | None, Executor | None, Limits | None]] = [
            ("store in memory", None, None, None),
            ("store", folder, None, None),
            ("store, limits", folder, None, LIMITS),
        ]
        ways += [(way, folder, executor, None) for way, executor in known.items()]
        ways += [(f"{way}, limits", folder, executor, LIMITS) for way, executor in known.items()]
        bare = min(loop(nothing, range(CHEAP)) for _ in range(3)) / CHEAP
        print(f"{'nothing':>24} {'us each':>9} {'of 20 ms':>9}")
        print(f"{'loop':>24} {bare * 1e6:9.2f}")
        for way, place, executor, limits in ways:
            swept(nothing, range(8), place, executor, limits)
            seeds = range(FEW if way.startswith("dask") else CHEAP)
            best = min(swept(nothing, seeds, place, executor, limits) for _ in range(3))
            each = best / len(seeds)
            print(f"{way:>24} {each * 1e6:9.0f} {(each - bare) / 0.02:9.1%}")
        print(f"\n{'20 ms each':>24} {'seconds':>9} {'faster':>9}")
        timed: dict[str, list[float]] = {}
        for _ in range(2):
            timed.setdefault("loop", []).append(loop(dear, range(DEAR)))
            timed.setdefault("ideal", []).append(side_by_side())
            for way, place, executor, limits in ways[1:]:
                if executor is not known["2 threads"] or limits is not None:
                    swept(dear, range(2), place, executor, limits)
                    took = swept(dear, range(DEAR), place, executor, limits)
                    timed.setdefault(way, []).append(took)
        for way, took_ in timed.items():
            print(f"{way:>24} {min(took_):9.2f} {min(timed['loop']) / min(took_):9.2f}")
        print(f"one instance takes {min(timed['loop']) / DEAR * 1e3:.1f} ms")


if __name__ == "__main__":
    main()

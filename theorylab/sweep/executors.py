"""One loop over jobs for every executor, workers that die included; processes and Dask clusters."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import queue
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, cast

from theorylab.outcome import InputError
from theorylab.sweep.child import bound_to

J = TypeVar("J")
R = TypeVar("R")

# Jobs handed to an executor at once: at least, for each worker, and where nobody knows how many.
_AHEAD: Final = 64
_EACH: Final = 4
_MANY: Final = 1024
# Deaths of a worker that a job survives together with others, and then alone.
_TWICE: Final = 2
# Seconds in which a cluster has to answer.
_PATIENCE: Final = 10


@dataclass(frozen=True, slots=True)
class Crashed:
    """In place of a result: twice the worker died while it ran nothing but this job."""


@dataclass(slots=True)
class _Task(Generic[J]):
    job: J
    deaths: int = 0


def completed(
    function: Callable[[J], R],
    jobs: Iterable[J],
    executor: Executor | None = None,
    *,
    ahead: int | None = None,
    late: Callable[[], bool] = lambda: False,
    noun: str = "job",
) -> Iterator[tuple[J, R | Crashed]]:
    """Each job and its result, in the order in which they are done; without an executor, here.

    ``ahead`` is how many are handed over at once; nothing new is begun when it is ``late()``.

    Guarantees: a worker that dies (a crash in C, kill -9, no memory) costs the jobs it may have
    had one retry each; who was there at two deaths runs alone, and only a job whose worker dies
    twice more is given up as Crashed. A ``ProcessPoolExecutor`` that broke is replaced by one like
    it until the loop ends. Raises the error of a job, the job named in its notes, when what was
    done with it has been handed out; InputError when the executor gives up.

    >>> list(completed(abs, [-2, 1]))
    [(-2, 2), (1, 1)]
    """
    if executor is None:
        for job in jobs:
            if late():
                return
            try:
                result = function(job)
            except Exception as error:
                error.add_note(f"raised for {noun} {job}")
                raise
            yield job, result
        return
    workers = _Workers(function, executor)
    try:
        yield from _loop(workers, iter(jobs), ahead or workers.ahead, late, noun)
        workers.close()
    finally:
        workers.abandon()


def _loop(
    workers: _Workers[J, R],
    jobs: Iterator[J],
    ahead: int,
    late: Callable[[], bool],
    noun: str,
) -> Iterator[tuple[J, R | Crashed]]:
    again, alone = deque[_Task[J]](), deque[_Task[J]]()
    while True:
        suspect = None
        if alone and not workers.running:
            suspect = alone.popleft()
            workers.submit(suspect)
        elif again and not alone:
            # so few that those who see a second death together can be told apart soon
            while again and len(workers.running) < workers.count:
                workers.submit(again.popleft())
        elif not alone:
            while len(workers.running) < ahead and not late():
                try:
                    job = next(jobs)
                except StopIteration:
                    break
                workers.submit(_Task(job))
        if not workers.running:
            return
        failed: tuple[J, BaseException] | None = None
        for task, future in workers.done():
            error = workers.error(future)
            deaths = _deaths(error)
            task.deaths += deaths
            if error is None:
                yield task.job, future.result()
            elif not deaths:
                failed = failed or (task.job, error)
            elif task is suspect:
                if task.deaths >= 2 * _TWICE:
                    yield task.job, Crashed()
                else:
                    alone.append(task)
            elif task.deaths >= _TWICE:
                task.deaths = _TWICE
                alone.append(task)
            else:
                again.append(task)
        if failed is not None:
            failed[1].add_note(f"raised for {noun} {failed[0]}")
            raise failed[1]


def _deaths(error: BaseException | None) -> int:
    """How many deaths of workers an error of a future tells of."""
    if isinstance(error, BrokenExecutor):
        return 1
    # Dask has tried again by itself, three times as a rule; not imported to be compared.
    kind = type(error)
    dask = kind.__name__ == "KilledWorker" and kind.__module__.startswith("distributed")
    return _TWICE if dask else 0


class _Workers(Generic[J, R]):
    """An executor and what it runs; a broken pool of processes is replaced."""

    def __init__(self, function: Callable[[J], R], executor: Executor) -> None:
        self.function, self.executor = function, executor
        self.running: dict[Future[R], _Task[J]] = {}
        self._own: ProcessPoolExecutor | None = None
        self._done: queue.SimpleQueue[Future[R]] = queue.SimpleQueue()
        known: int | None = getattr(executor, "_max_workers", None)
        self.count = known or os.cpu_count() or 1
        self.ahead = max(_AHEAD, _EACH * known) if known else _MANY

    def submit(self, task: _Task[J]) -> None:
        try:
            future = self.executor.submit(self.function, task.job)
        except BrokenExecutor:
            self._replace()
            future = self.executor.submit(self.function, task.job)
        self.running[future] = task
        future.add_done_callback(self._done.put)

    def done(self) -> Iterator[tuple[_Task[J], Future[R]]]:
        """What is done, at least one, as soon as there is one."""
        found: list[Future[R]] = []
        while not found:
            # a short wait, so that Ctrl-C is seen on every platform
            try:
                found.append(self._done.get(timeout=0.5))
                while True:
                    found.append(self._done.get_nowait())
            except queue.Empty:
                continue
        for future in found:
            yield self.running.pop(future), future

    def error(self, future: Future[R]) -> BaseException | None:
        """The error of a future that is done."""
        if future.cancelled():
            rule = "it gave up its jobs; what was finished is kept"
            remedy = "see that it still runs, then run the same again to go on"
            raise InputError("executor", type(self.executor).__name__, rule, remedy)
        return future.exception()

    def _replace(self) -> None:
        old = self.executor
        if not isinstance(old, ProcessPoolExecutor):
            rule = "its workers died and it cannot be started again"
            raise InputError("executor", type(old).__name__, rule, "use theorylab.sweep.processes")
        self.abandon_own()
        self._own = self.executor = ProcessPoolExecutor(
            self.count,
            mp_context=old._mp_context,
            initializer=old._initializer,
            initargs=old._initargs,
        )
        try:
            # a job is blamed only by workers that can work
            self.executor.submit(os.getpid).result()
        except BrokenExecutor:
            rule = "its processes die before they begin to work"
            remedy = 'begin the script\'s own work below: if __name__ == "__main__":'
            raise InputError("executor", type(old).__name__, rule, remedy) from None

    def close(self) -> None:
        """Wait for the end of the processes that were started here."""
        if self._own is not None:
            self._own.shutdown()

    def abandon(self) -> None:
        """Cancel what runs, and end the processes that were started here."""
        for future in self.running:
            future.cancel()
        self.abandon_own()

    def abandon_own(self) -> None:
        if self._own is not None:
            _terminated(self._own)


def _terminated(pool: ProcessPoolExecutor) -> None:
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()


def _worker(parent: int) -> None:
    """Leave Ctrl-C to the parent, and end when it is gone, killed before it could say so."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    bound_to(parent)


@contextmanager
def processes(count: int) -> Iterator[Executor | None]:
    """An executor of so many processes, or None for one: then the work is done here.

    When the block is left by an exception, Ctrl-C among them, the processes are ended at once;
    they end as well when this process is killed.
    """
    if count <= 1:
        yield None
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        count, mp_context=context, initializer=_worker, initargs=(os.getpid(),)
    )
    try:
        yield pool
    except BaseException:
        _terminated(pool)
        raise
    pool.shutdown()


@contextmanager
def dask(address: str) -> Iterator[Executor]:
    """The workers of the Dask cluster whose scheduler has this address, as an executor.

    Raises InputError when dask.distributed is not installed, nothing answers within ten seconds,
    no worker is there, or one has another Python or theorylab than this process.
    """
    try:
        from distributed import Client
    except ImportError:
        rule = "dask.distributed is not installed"
        raise InputError("dask", address, rule, "pip install 'theorylab[dask]'") from None
    try:
        # a client whose scheduler is not there waits for ever, or is noisy at its end
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, _identity(address)).result()
        client: Any = cast(Any, Client)(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        rule = f"no scheduler answers there ({str(error) or type(error).__name__})"
        raise InputError("dask", address, rule, "start one: dask scheduler") from None
    with client:
        _same_versions(client, address)
        yield client.get_executor(pure=False)


async def _identity(address: str) -> None:
    """Ask the scheduler who it is. OSError when nothing answers that speaks Dask."""
    from distributed import rpc

    scheduler: Any = cast(Any, rpc)(address, timeout=_PATIENCE)
    try:
        await asyncio.wait_for(scheduler.identity(), _PATIENCE)
    finally:
        await scheduler.close_rpc()


def versions() -> list[str]:
    """What has to be the same on every worker: Python's version, up to fixes, and ours."""
    from theorylab import __version__

    return [f"Python {sys.version_info.major}.{sys.version_info.minor}", f"theorylab {__version__}"]


def _same_versions(client: Any, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError:
        rule, remedy = "the scheduler has no workers", f"start some: dask worker {address}"
        raise InputError("dask", address, rule, remedy) from None
    try:
        found: dict[str, list[str]] = client.run(versions)
    except Exception as error:
        rule = f"its workers cannot import this theorylab ({error})"
        remedy = f"install {' and '.join(versions())} there"
        raise InputError("dask", address, rule, remedy) from None
    for worker, theirs in found.items():
        if theirs != versions():
            rule = f"worker {worker} has {', '.join(theirs)}"
            raise InputError("dask", address, rule, f"install {' and '.join(versions())} there")

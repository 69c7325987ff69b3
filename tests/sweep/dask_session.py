"""One session with a Dask cluster of two processes with two threads each; prints what it saw.

A script of its own, run by test_dask.py: Dask warns and logs on its way, above all when workers are
killed, and leaves threads behind.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

import sweeping

import theorylab
from theorylab.outcome import InputError
from theorylab.sweep import Limits, Store, dask, executors, sweep


def refused(address: str) -> str:
    """What is said about this address."""
    try:
        with dask(address):
            return "accepted"
    except InputError as error:
        return str(error)


def main(folder: Path) -> dict[str, Any]:
    """Everything in one cluster, for starting one takes seconds."""
    import dask as dask_itself
    from distributed import LocalCluster

    said: dict[str, Any] = {}
    # a job is given up by Dask when its worker died once, not four times
    dask_itself.config.set({"distributed.scheduler.allowed-failures": 0})
    logging.disable(logging.CRITICAL)
    with LocalCluster(
        n_workers=2, threads_per_worker=2, processes=True, dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        with dask(address) as executor:
            for name, limits in (("plain", None), ("limited", Limits(seconds=600, memory=900))):
                with Store(folder / name, "dask") as store:
                    sweep(sweeping.plain, range(60), store, executor, limits=limits)
            with Store(None, "dask") as store:
                sweep(sweeping.endless, range(3), store, executor, limits=Limits(seconds=2))
                said["endless"] = [store.results(range(3)), list(store.unfinished())]
            with Store(None, "dask") as store:
                sweep(sweeping.pid, range(40), store, executor, limits=Limits(seconds=600))
                children = store.results(range(40))
            said["children"] = len(set(children))

            killed: list[int] = []

            def kill_one(done: int, planned: int, label: str) -> None:
                if done >= 40 and not killed:
                    killed.extend(nanny.pid for nanny in cluster.workers.values())
                    os.kill(killed[0], signal.SIGKILL)

            with Store(folder / "killed", "dask") as store:
                work = sweeping.Logged(str(folder / "log"), 0.02)
                sweep(work, range(160), store, executor, kill_one)
                said["killed"] = [
                    Path(f"/proc/{killed[0]}").exists(),
                    len(store.seeds()),
                    len(store.unfinished()),
                ]
            with Store(None, "dask") as store:
                sweep(sweeping.segfault, range(6), store, executor)
                said["segfault"] = [store.results(range(6)), list(store.unfinished())]
            try:
                with Store(None, "dask") as store:
                    sweep(sweeping.raising, range(9), store, executor)
            except ZeroDivisionError as error:
                said["raising"] = error.__notes__
        ours, theorylab.__version__ = theorylab.__version__, "9.9"
        said["versions"] = refused(address)
        theorylab.__version__ = ours
    said["closed"] = refused(address)
    said["pids"] = sorted({*children, *killed})
    with LocalCluster(
        n_workers=0, processes=True, dashboard_address=None, scheduler_port=0
    ) as empty:
        said["empty"] = refused(empty.scheduler_address)
    said["nonsense"] = [refused(word) for word in ("nonsense://", "tcp://", "127.0.0.1:1")]
    return said


if __name__ == "__main__":
    executors._PATIENCE = 3
    with Store(Path(sys.argv[1]) / "here", "dask") as here:
        sweep(sweeping.plain, range(60), here)
    print(json.dumps(main(Path(sys.argv[1]))))

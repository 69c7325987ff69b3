"""Sweeps: one function of many seeds, run on any executor, kept in a store that survives.

Knows nothing of what it runs: a function takes a seed and returns what JSON can hold.
"""

from __future__ import annotations

from theorylab.sweep.executors import Crashed, completed, dask, processes
from theorylab.sweep.limits import Limits, Unfinished
from theorylab.sweep.run import Progress, sweep
from theorylab.sweep.store import Store

__all__ = [
    "Crashed",
    "Limits",
    "Progress",
    "Store",
    "Unfinished",
    "completed",
    "dask",
    "processes",
    "sweep",
]

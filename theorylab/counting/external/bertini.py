"""Bertini 2 (PyPI `bertini2`): adaptive-precision paths, each run in a fresh process.

Source: D. Bates, J. Hauenstein, A. Sommese, C. Wampler, Numerically Solving Polynomial Systems
with Bertini, SIAM 2013. Its `double` mode loses solutions silently; `adaptive` is the default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flint import fmpq

from theorylab.counting.expanded import Expanded, Polynomial
from theorylab.counting.external.answer import Solutions, distinct, ready, sifted
from theorylab.counting.external.process import ask_worker
from theorylab.outcome import InputError, Undecided

REMEDY = "pip install bertini2"
_MODES = ("adaptive", "multiple", "double")


def solve(
    system: Expanded,
    *,
    groups: Sequence[Sequence[str]] | None = None,
    mode: str = "adaptive",
    settings: Mapping[str, str] | None = None,
    seed: int = 0,
    timeout: float = 600.0,
) -> Solutions | Undecided:
    """The finite solutions that bertini finds from a total-degree start.

    `groups` partitions the variables for a multihomogeneous start. `settings` go to its solver,
    e.g. {"min_track_time": "1e-20"}, which shortens diverging paths.
    An empty answer is Undecided. Guarantees: heuristic. Raises MissingEngine, EngineError with
    bertini's own words, EngineTimeout, InputError when the system is not square.
    """
    if mode not in _MODES:
        raise InputError("mode", mode, f"it is one of {', '.join(_MODES)}", 'use "adaptive"')
    if groups is None:
        groups = [system.variables]
    if sorted(name for group in groups for name in group) != sorted(system.variables):
        raise InputError(
            "groups", groups, "each variable is in exactly one group", "mend the partition"
        )
    refused = ready(system, "bertini")
    if refused is not None:
        return refused
    index = {name: j for j, name in enumerate(system.variables)}
    request = {
        "groups": [[index[name] for name in group] for group in groups],
        # Its parser of Python expressions refuses floats: rationals go as text.
        "equations": [_scaled(p) for p in system.polynomials],
        "mode": mode,
        "settings": dict(settings or {}),
        "seed": seed,
    }
    answer, ran = ask_worker(
        "bertini",
        "bertini",
        REMEDY,
        Path(__file__).with_name("bertini_worker.py"),
        request,
        timeout=timeout,
        environment={"BERTINI_RECORDS_DIR": "none"},
    )
    points = [tuple(complex(*map(float, z)) for z in point) for point in answer["points"]]
    good, junk = sifted(system, points)
    if not good:
        return Undecided(
            f"bertini returned no finite solutions of {answer['paths']} paths"
            f" ({answer['failed']} failed), which is no evidence that there are none",
            "bertini",
            "ask msolve, or run again with another seed",
        )
    kept = distinct(good)
    notes = [note for flag, note in _NOTES.items() if answer[flag]]
    return Solutions(
        engine="bertini",
        version=answer["version"],
        command=f"ZeroDimSolver mptype={mode}",
        seed=seed,
        seconds=ran.seconds,
        variables=system.variables,
        points=tuple(kept),
        duplicates=len(good) - len(kept),
        failures=answer["failed"] + junk,
        infinite=answer["infinite"],
        paths=answer["paths"],
        notes=tuple(notes),
    )


def _scaled(p: Polynomial) -> list[list[Any]]:
    """The terms with a largest coefficient of one: its tolerances are absolute, and on equations
    with cleared denominators (2^20 and more) its double mode runs for minutes instead of a second.
    """
    largest = max((abs(c) for c in p.values()), default=fmpq(1))
    return [[str(c / largest), list(m)] for m, c in p.items()]


_NOTES = {
    "stopped_early": "bertini stopped early",
    "crossings": "bertini left path crossings unresolved",
}

"""Solved generic instances on disk, so that the next session starts from them.

An entry is a hint and no authority: what is read is checked again, its points by Newton's method
and its completeness by a new trace test, and whatever fails is computed anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from theorylab.counting.homotopy.monodromy import (
    TRACE,
    Component,
    GenericCount,
    Say,
    generic_count,
    trace_residual,
)
from theorylab.counting.homotopy.orbits import Invariants, known_group, repeated
from theorylab.counting.system import PolynomialSystem

VARIABLE: Final = "THEORYLAB_CACHE"
SCHEMA: Final = "theorylab.generic/1"
_LARGEST: Final = 1 << 28
_NEWTON: Final = 1e-8
_BROKEN: Final = (OSError, ValueError, KeyError, TypeError, EOFError, MemoryError,
                  zipfile.BadZipFile)  # fmt: skip


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Where entries are kept: $THEORYLAB_CACHE (empty: nowhere), else the user's cache folder.

    >>> cache_folder({"THEORYLAB_CACHE": ""}) is None
    True
    >>> cache_folder({"XDG_CACHE_HOME": "/c"}).as_posix()
    '/c/theorylab'
    """
    chosen = environment.get(VARIABLE)
    if chosen is not None:
        return Path(chosen) if chosen.strip() else None
    if environment.get("XDG_CACHE_HOME"):
        return Path(environment["XDG_CACHE_HOME"]) / "theorylab"
    if sys.platform == "win32" and environment.get("LOCALAPPDATA"):
        return Path(environment["LOCALAPPDATA"]) / "theorylab" / "Cache"
    home = Path(environment.get("HOME") or Path.home())
    caches = home / "Library" / "Caches" if sys.platform == "darwin" else home / ".cache"
    return caches / "theorylab"


def family_hash(system: PolynomialSystem) -> str:
    """SHA-256 of the equations, their unknowns and parameters, and the gauge; not of the data."""
    tape = system.program.tape(system.outputs)
    template = None if system.origin is None else [str(v) for v in system.origin.template]
    described = {
        "constants": [str(c) for c in tape.constants],
        "steps": tape.steps,
        "outputs": tape.outputs,
        "registers": [tape.variables, tape.parameters],
        "variables": system.variables,
        "parameters": system.parameters,
        "groups": system.groups,
        "template": template,
        "symmetries": [
            [s.permutation, [str(q) for q in s.phases]] for s in system.gauge.symmetries
        ],
    }
    return hashlib.sha256(json.dumps(described).encode()).hexdigest()


def solved(
    system: PolynomialSystem,
    seed: int = 0,
    *,
    threads: int = 1,
    folder: Path | None = None,
    say: Say | None = None,
) -> GenericCount:
    """``generic_count``, from the cache if it stands its tests there, else computed and kept.

    ``folder`` defaults to ``cache_folder()``. Only complete counts are kept. ``say`` is told what
    was read, ignored or could not be written; nothing of that is an error.
    """
    tell = say or (lambda words: None)
    place = cache_folder() if folder is None else folder
    path = None
    if place is not None:
        path = place / f"generic-{family_hash(system)[:32]}-{seed}.npz"
        found = _read(path, system, seed, threads, tell)
        if found is not None:
            return found
    found = generic_count(system, seed, threads=threads, say=say)
    if path is not None and found.complete:
        _write(path, found, tell)
    return found


def _version() -> str:
    from theorylab import __version__

    return __version__


def _about(generic: GenericCount) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "version": _version(),
        "family": family_hash(generic.system),
        "name": generic.system.name,
        "seeds": list(generic.seeds),
        "components": [
            {
                "support": list(part.support),
                "size": len(part.representatives),
                "orbits": part.orbits,
                "fibre": part.fibre,
                "residual": part.residual,
                "loops": part.loops,
                "tracks": part.tracks,
                "lost": part.lost,
            }
            for part in generic.components
        ],
    }


def _write(path: Path, generic: GenericCount, say: Say) -> None:
    about = np.frombuffer(json.dumps(_about(generic)).encode(), dtype=np.uint8)
    held = io.BytesIO()
    np.savez(
        held,
        about=about,
        parameters=generic.parameters,
        representatives=generic.representatives,
    )
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".generic-")
        with os.fdopen(handle, "wb") as file:
            file.write(held.getvalue())
        os.replace(temporary, path)
    except OSError as error:
        say(f"the generic instance is not kept: {error}")
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _read(
    path: Path, system: PolynomialSystem, seed: int, threads: int, say: Say
) -> GenericCount | None:
    """What an entry holds, if it is of this family and passes the tests; None otherwise."""
    try:
        if not path.is_file():
            return None
        if path.stat().st_size > _LARGEST:
            raise ValueError("it is too large")
        # A file of our own: np.load leaves its own open when it is no archive.
        with path.open("rb") as file, np.load(file) as held:
            about = json.loads(held["about"].tobytes())
            parameters = np.asarray(held["parameters"], dtype=np.complex128)
            points = np.asarray(held["representatives"], dtype=np.complex128)
        found = _decoded(about, parameters, points, system, seed)
        _verify(found, threads)
    except _BROKEN as error:
        words = str(error).splitlines()
        say(f"ignored {path}: {words[0] if words else type(error).__name__}")
        return None
    say(f"the generic instance comes from {path} and was verified")
    return found


def _decoded(
    about: Any, parameters: Any, points: Any, system: PolynomialSystem, seed: int
) -> GenericCount:
    wanted = {"schema": SCHEMA, "version": _version(), "family": family_hash(system),
              "seeds": [seed, seed + 1]}  # fmt: skip
    for key, value in wanted.items():
        if about[key] != value:
            raise ValueError(f"its {key} is {about[key]!r}, not {value!r}")
    n = len(system.variables)
    if parameters.shape != (len(system.parameters),) or points.ndim != 2 or points.shape[1] != n:
        raise ValueError("its arrays have the wrong shapes")
    parts, low = [], 0
    for part in about["components"]:
        support, size = tuple(map(int, part["support"])), int(part["size"])
        rows = points[low : low + size]
        low += size
        zero = [j for j in range(n) if j not in support]
        if len(rows) != size or np.any(rows[:, zero]) or not set(support) <= set(range(n)):
            raise ValueError("its components do not fit its points")
        numbers = [int(part[key]) for key in ("orbits", "fibre", "loops", "tracks", "lost")]
        orbits, fibre, loops, tracks, lost = numbers
        residual = float(part["residual"])
        parts.append(Component(support, rows, orbits, fibre, residual, loops, tracks, lost))
    if low != len(points) or not parts:
        raise ValueError("its components do not fit its points")
    return GenericCount(
        system, parameters, tuple(parts), known_group(system), (seed, seed + 1), True, (), "cache"
    )


def _verify(generic: GenericCount, threads: int) -> None:
    """ValueError unless the points solve the system, are distinct, and pass a new trace test."""
    points, system = generic.representatives, generic.system
    with np.errstate(all="ignore"):
        values, slopes = system.evaluate_with_jacobian(points, generic.parameters)
        try:
            steps = np.linalg.solve(slopes, values[:, :, None])[:, :, 0]
        except np.linalg.LinAlgError:
            raise ValueError("a point is singular") from None
        gap = np.abs(steps).max(axis=1) / np.maximum(np.abs(points).max(axis=1), 1e-3)
        keys = Invariants.of(system, generic.seeds[0]).orbits(points)
    if not (gap < _NEWTON).all():
        raise ValueError("a point is no solution")
    if not np.isfinite(keys).all() or (repeated(keys, np.zeros(len(keys), dtype=int)) >= 0).any():
        raise ValueError("two points are one")
    for part in generic.components:
        if len(part.representatives) * generic.group.on(part.support).order != part.count:
            raise ValueError("its counts do not fit its points")
    if not generic.complete or not trace_residual(generic, threads=threads) < TRACE:
        raise ValueError("it does not pass the trace test")

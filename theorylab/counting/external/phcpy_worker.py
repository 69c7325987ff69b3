"""Runs alone, under whatever Python has phcpy: track start points, request and reply in JSON.

It imports nothing of theorylab. phcpy keeps global state, so each call gets a fresh process.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any


def main(request_path: str, reply_path: str) -> None:
    """Read the request, track every point, write end points by variable name."""
    request = json.loads(Path(request_path).read_text())
    trackers = importlib.import_module("phcpy.trackers")
    solutions = importlib.import_module("phcpy.solutions")
    interface = importlib.import_module("phcpy.phcpy2c3")
    interface.py2c_set_seed(request["seed"])
    starts = [
        solutions.make_solution(request["names"], [complex(*z) for z in point])
        for point in request["points"]
    ]
    precision = request["precision"]
    # Without tasks the extended precisions return the start points untouched.
    tasks = 0 if precision == "d" else 2
    ends = trackers.track(
        request["target"], request["start"], starts, precision=precision, tasks=tasks
    )
    reply = {"version": _version(interface), "ends": [_values(solutions, end) for end in ends]}
    Path(reply_path).write_text(json.dumps(reply))


def _values(solutions: Any, end: str) -> dict[str, list[float]]:
    values = {}
    for key, value in solutions.strsol2dict(end).items():
        if isinstance(value, complex | float | int):
            values[key] = [complex(value).real, complex(value).imag]
    return values


def _version(interface: Any) -> str:
    words: str = interface.py2c_PHCpack_version_string()
    return words.removeprefix("PHCv").split()[0]


if __name__ == "__main__":
    main(*sys.argv[1:])

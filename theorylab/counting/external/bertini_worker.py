"""Runs alone, under whatever Python has bertini2: one solve, request and reply in JSON.

It imports nothing of theorylab; BERTINI_RECORDS_DIR=none is set by the caller, or bertini would
write its records beside the user's files and answer from them the next time.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any


def main(request_path: str, reply_path: str) -> None:
    """Read the request, solve, write the finite points and how the paths ended."""
    request = json.loads(Path(request_path).read_text())
    bertini = importlib.import_module("bertini")
    bertini.recording(False)
    bertini.random.set_random_seed(request["seed"])
    count = sum(map(len, request["groups"]))
    variables = [bertini.Variable(f"x{j}") for j in range(count)]
    system = bertini.System()
    for group in request["groups"]:
        system.add_variable_group(bertini.VariableGroup([variables[j] for j in group]))
    for equation in request["equations"]:
        system.add_function(_sum(bertini, variables, equation))
    solver = bertini.ZeroDimSolver(
        system, mptype=request["mode"], num_threads=1, **request["settings"]
    )
    solver.solve()
    # Coordinates follow the groups one after the other, not the names.
    order = [j for group in request["groups"] for j in group]
    points = []
    for solution in solver.finite_solutions():
        values = dict(zip(order, (complex(z) for z in solution), strict=True))
        points.append([[repr(values[j].real), repr(values[j].imag)] for j in range(count)])
    metadata = list(solver.solution_metadata())
    failed = sum(_failed(m) for m in metadata)
    paths = _value(solver.num_paths)
    reply = {
        "version": bertini.__version__,
        "points": points,
        "paths": paths,
        "failed": failed + _value(solver.num_paths_never_started),
        "infinite": len(solver.infinite_solutions()),
        "stopped_early": bool(_value(solver.was_stopped_early)),
        "crossings": any(bool(m.crossing_unresolved) for m in metadata),
    }
    Path(reply_path).write_text(json.dumps(reply))


def _sum(bertini: Any, variables: list[Any], equation: list[Any]) -> Any:
    total = None
    for coefficient, powers in equation:
        term = bertini.rational_mp(coefficient)
        for variable, power in zip(variables, powers, strict=True):
            if power:
                term = term * variable if power == 1 else term * variable**power
        total = term if total is None else total + term
    return total


def _failed(metadata: Any) -> bool:
    good = str(metadata.endgame_success_code).rsplit(".", 1)[-1]
    return good not in {"Success", "GoingToInfinity", "SecurityMaxNormReached"}


def _value(member: Any) -> Any:
    return member() if callable(member) else member


if __name__ == "__main__":
    main(*sys.argv[1:])

"""How the valid certificates of the corpus are written down: instances, walks, levels.

Levels and end values are computed by ``literal``, not by the kernel, and are tight, so that a
forgery that lowers them must be refused.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import literal

Json = Any
Steps = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    certificate: dict[str, Any]
    outcome: str = "Proved"


UNIT = {"x": [["1"]], "y": [["1"]], "weights": None}
MINUS = {"x": [["1"]], "y": [["-1"]], "weights": None}
LINE3 = {"x": [["-1"], ["1/2"], ["2"]], "y": [["1"], ["0"], ["3"]], "weights": None}
WEIGHED = {
    "x": [["1", "2"], ["1", "2"], ["0", "-1"]],
    "y": [["1"], ["3"], ["-1/2"]],
    "weights": ["2", "1/3", "5"],
}
BOTTLENECK = {"x": [["1", "0"], ["0", "1"]], "y": [["2", "0"], ["0", "1"]], "weights": None}
# every input is a multiple of (1, 2): rows of W_1 may move along (2, -1) unseen
RANK1 = {"x": [["1", "2"], ["-2", "-4"]], "y": [["1"], ["2"]], "weights": None}


def net(
    widths: list[int],
    activation: Json,
    bias: list[bool] | None = None,
    output: str = "linear",
    pattern: Json = None,
) -> dict[str, Any]:
    return {
        "widths": widths,
        "activation": activation,
        "bias": bias or [False] * (len(widths) - 1),
        "output": output,
        "pattern": pattern,
    }


def certificate(
    network: Json, data: Json, hypotheses: Json, conclusion: Json, rule: str, proof: Json
) -> dict[str, Any]:
    statement = {
        "network": network,
        "data": data,
        "hypotheses": hypotheses,
        "conclusion": conclusion,
    }
    return {
        "schema": "theorylab.certificate/1",
        "statement": statement,
        "rule": rule,
        "proof": proof,
    }


def case(name: str, outcome: str, *parts: Any) -> Case:
    # no two places of a certificate may share a list: a forger alters one of them
    return Case(name, json.loads(json.dumps(certificate(*parts))), outcome)


def move(kind: str, layer: int, **rows: list[str]) -> dict[str, Any]:
    """``r0=[...]`` is the new row 0."""
    changed = [[int(name[1:]), row] for name, row in rows.items()]
    return {"move": kind, "layer": layer, "rows": changed}


def walk(start: Json, steps: Steps) -> list[Json]:
    """The vertices of a polyline."""
    vertices = [start]
    for step in steps:
        point = [[list(row) for row in layer] for layer in vertices[-1]]
        for i, row in step["rows"]:
            point[step["layer"] - 1][i] = row
        vertices.append(point)
    return vertices


def joined(
    name: str,
    network: Json,
    data: Json,
    start: Json,
    steps: Steps,
    hypotheses: Json = (),
    kind: str = "joined",
    end: Json = None,
) -> Case:
    """A bound path at the tightest level; ``end`` where a piece makes ``walk`` blind."""
    vertices = walk(start, steps) if end is None else [start, end]
    level = max(literal.loss(network, data, v) for v in vertices)
    rule = "path" if any("piece" in step for step in steps) else "polyline"
    conclusion = {"kind": kind, "A": start, "B": vertices[-1], "u": str(level)}
    proof = {"form": "bound", "steps": steps}
    outcome = "Proved" if kind == "joined" else "Refuted"
    return case(name, outcome, network, data, list(hypotheses), conclusion, rule, proof)


def descent(
    name: str,
    network: Json,
    data: Json,
    start: Json,
    steps: Steps,
    optimum: Json,
    v: str | None = None,
    end: Json = None,
) -> Case:
    """A monotone path; v is the loss at its end unless given, eps what is left."""
    low = literal.loss(network, data, walk(start, steps)[-1] if end is None else end)
    bound = low if v is None else Fraction(v)
    rule = "path" if any("piece" in step for step in steps) else "polyline"
    conclusion = {"kind": "descends", "A": start, "v": str(bound), "eps": str(low - bound)}
    proof = {"form": "monotone", "steps": steps, "optimum": optimum}
    return case(name, "Proved", network, data, [], conclusion, rule, proof)


def widths(bound: str, relation: str = ">=") -> dict[str, Any]:
    return {"kind": "hidden_widths", "relation": relation, "bound": bound}


def minimum(name: str, network: Json, data: Json, point: Json, optimum: Json) -> Case:
    """The loss at the point is the global minimum."""
    v = str(literal.loss(network, data, point))
    proof = {"optimum": optimum, "point": point}
    return case(name, "Proved", network, data, [], {"kind": "global_min", "v": v}, "optimum", proof)

"""The loss along a certificate's path, against the literal definition at the same places."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from theorylab.kernel.statements import decode, parse
from theorylab.model import Loss, Network
from theorylab.model.data import data_from_json
from theorylab.topology.counterexample import weights_of
from theorylab.topology.path import Move
from theorylab.topology.profile import profile

PROOFS = Path(__file__).parents[2] / "proofs"
JOINED = (
    "deep-linear-connected/iris-4-6-5-3",
    "any-depth-connected/iris-relu-bias-4-12-12-3",
    "linear-ridge-connected/tiny-1-2-1",
    "deep-linear-components/fibre-3-2-3",
)


@pytest.mark.parametrize("name", JOINED)
def test_a_path_starts_at_a_ends_at_b_and_stays_below_the_level(name: str) -> None:
    raw = (PROOFS / f"{name}.json").read_bytes()
    found = profile(raw)
    statement, _, proof = parse(raw)
    assert found is not None and found.level == statement.conclusion.values["u"]
    assert found.segments == len(proof["steps"])
    places = [t for t, _ in found.path]
    assert places == sorted(set(places)) and (places[0], places[-1]) == (0, 1)
    a, b = (statement.loss(statement.conclusion.points[p]) for p in "AB")
    assert (found.path[0][1], found.path[-1][1]) == (a, b) == (found.line[0][1], found.line[-1][1])
    assert max(v for _, v in found.path) <= found.level
    assert max(v for _, v in found.line) > found.level or name.startswith("deep-linear-comp")


def test_every_value_of_a_polyline_is_the_loss_there() -> None:
    raw = (PROOFS / "deep-linear-connected/iris-4-6-5-3.json").read_bytes()
    found, value = profile(raw), decode(raw)
    assert found is not None
    stated = value["statement"]
    network, data = Network.dense((4, 6, 5, 3), "linear"), data_from_json(stated["data"])
    loss = Loss(network, data)
    weights = [weights_of(stated["conclusion"]["A"])]
    for step in value["proof"]["steps"]:
        table = weights[-1][step["layer"] - 1].tolist()
        for i, row in step["rows"]:
            table[i] = [type(table[i][0])(*map(int, v.split("/"))) for v in row]
        matrix = type(weights[-1][0])(table)
        weights.append(Move("layer", step["layer"], matrix).after(weights[-1]))
    count = len(weights) - 1
    for t, v in found.path[:: len(found.path) // 40]:
        k = min(int(t * count), count - 1)
        s = type(loss(weights[0]))((t * count - k).numerator, (t * count - k).denominator)
        point = tuple(p + (q - p) * s for p, q in zip(weights[k], weights[k + 1], strict=True))
        assert Fraction(str(loss(point))) == v


def test_a_descent_never_rises_and_has_no_straight_line() -> None:
    found = profile((PROOFS / "deep-linear-descent/saddle-3-2-3.json").read_bytes())
    assert found is not None and found.level is None and found.line == ()
    values = [v for _, v in found.path]
    assert values == sorted(values, reverse=True) and values[0] > values[-1]


def test_long_paths_are_thinned_and_other_certificates_have_none() -> None:
    long = profile((PROOFS / "scalar-quadratic-connected/iris-petals-2-3-1.json").read_bytes())
    assert long is not None and long.segments == 65 and len(long.path) < 700
    assert profile((PROOFS / "deep-linear-connected/thin-1-1-1.json").read_bytes()) is None
    assert profile(b"{}") is None

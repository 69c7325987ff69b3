"""The verb ``levels``: what the kernel says of a table, and what is told when it does not."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from flint import fmpq, fmpq_mat

from theorylab import kernel
from theorylab.connect import connect
from theorylab.levels import SCHEMA, Levels, estimate, levels
from theorylab.model import Dataset, Loss, Network, Weights, matrix
from theorylab.outcome import InputError, Undecided
from theorylab.topology.certificate import certificate, statement_json
from theorylab.topology.level_trees.tree import decided_in_tree

UNIT = Network.dense((1, 1, 1), "relu")
TWO = Dataset.from_rows([[1], [-1]], [[1], [2]], None, "two points")


def test_the_intervals_and_the_json() -> None:
    found = levels(UNIT, TWO)
    assert found.steps == ((1, 4, 1), (4, 5, 2), (5, None, 1))
    assert (found.outcome, found.exit_status, found.spurious) == ("proved", 0, (1,))
    value = json.loads(json.dumps(found.to_json(7)))
    assert (value["schema"], value["seed"]) == (SCHEMA, 7)
    assert value["levels"] == [
        {"from": "1", "to": "4", "components": 1},
        {"from": "4", "to": "5", "components": 2},
        {"from": "5", "to": None, "components": 1},
    ]
    assert value["births"] == [{"component": 0, "level": "1"}, {"component": 1, "level": "4"}]
    assert value["merges"] == [{"level": "5", "survivor": 0, "absorbed": [1]}]
    assert (value["global_min"], value["top_merge"], value["barrier"]) == ("1", "5", "1")
    assert value["lemmas"] == ["Lemma 33", "Lemma 34"] and value["assurance"] == "kernel"


def test_a_tree_without_merges_has_no_top() -> None:
    found = levels(Network.dense((1, 3, 1), "relu"), TWO)
    value = found.to_json()
    assert (value["top_merge"], value["barrier"], value["global_min"]) == (None, "0", "0")
    assert found.steps == ((0, None, 1),) and found.spurious == ()


def test_the_certificate_is_written_and_replays(tmp_path: Path) -> None:
    said: list[str] = []
    found = levels(UNIT, TWO, tmp_path, "unit", said.append)
    assert found.certificate is not None and found.sha256 is not None
    place = Path(found.certificate)
    assert place == tmp_path / f"unit-{found.sha256[:12]}.json"
    assert place.read_bytes() == found.certificate_bytes
    outcome = kernel.check(place.read_bytes())
    assert isinstance(outcome, kernel.Proved) and outcome.rule == "level_tree"
    assert len(said) == 2 and "4 regions" in said[0]
    assert levels(UNIT, TWO).certificate_bytes == found.certificate_bytes


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (((Fraction(1), 1), (Fraction(4), 3), (Fraction(5), 1)), "another table"),
        (((Fraction(4), 1), (Fraction(1), 2)), "increase"),
    ],
)
def test_a_wrong_table_is_never_told(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    table: tuple[tuple[Fraction, int], ...],
    words: str,
) -> None:
    verb = sys.modules["theorylab.levels"]  # the name in the package is the function
    honest = verb.level_tree
    monkeypatch.setattr(verb, "level_tree", lambda n, d: replace(honest(n, d), levels=table))
    found = levels(UNIT, TWO, tmp_path)
    assert (found.outcome, found.exit_status) == ("rejected", 1) and words in found.reason
    value = found.to_json()
    assert value["levels"] == value["births"] == value["merges"] == []
    assert value["global_min"] is value["barrier"] is value["assurance"] is None
    assert found.certificate is None and not list(tmp_path.glob("*.json"))


def test_the_work_is_estimated_before_it_starts() -> None:
    size = estimate(Network.dense((1, 2, 1), "relu", (True, False)), TWO)
    assert (size.rank, size.lines, size.regions, size.fits) == (2, 2, 64, True)
    assert 0 < size.seconds < 1
    many = Dataset.from_rows([[t] for t in range(1, 40)], [[0]] * 39)
    huge = estimate(Network.dense((1, 6, 1), "relu", (True, False)), many)
    assert not huge.fits and huge.seconds > 10**6
    with pytest.raises(InputError, match="p = 2"):
        levels(Network.dense((1, 6, 1), "relu", (True, False)), many)


def test_other_networks_are_refused_by_name() -> None:
    with pytest.raises(InputError, match="square 1-2-1"):
        estimate(Network.dense((1, 2, 1), "square"), TWO)
    with pytest.raises(InputError, match="values in each sample"):
        levels(Network.dense((2, 2, 1), "relu"), TWO)


def test_it_is_a_frozen_value() -> None:
    found: Levels = levels(UNIT, TWO)
    with pytest.raises(AttributeError):
        found.outcome = "refuted"  # type: ignore[misc]


BRACKETS = Dataset.from_rows(
    [[s, 1] for s in (-1, 0, 1, 3, 4, 5)], [[y] for y in (0, 0, 1, 3, 4, 4)]
)
FITTED = (matrix([[1, 0], [1, -4]]), matrix([[1, -1]]))


NEAR = (matrix([[1, "-1/10"], [1, -4]]), matrix([[1, -1]]))
SWAPPED = (matrix([[1, -4], [1, "-1/10"]]), matrix([[-1, 1]]))


@pytest.mark.parametrize(("other", "outcome"), [(NEAR, "proved"), (SWAPPED, "refuted")])
def test_connect_asks_the_tree_where_no_construction_applies(other: Weights, outcome: str) -> None:
    """Two units are too few for a path, and the kernel still decides, by existence."""
    network = Network.dense((2, 2, 1), "relu")
    level = max(Loss(network, BRACKETS)(w) for w in (FITTED, other))
    found = decided_in_tree(Loss(network, BRACKETS), FITTED, other, level)
    assert not isinstance(found, Undecided)
    raw = certificate(statement_json(network, BRACKETS, [], found.conclusion), "level_tree",
                      found.proof)  # fmt: skip
    assert type(kernel.check(raw)).__name__.lower() == outcome
    joining = connect(network, BRACKETS, FITTED, other)
    assert joining.outcome == outcome and joining.assurance == "kernel"


def test_what_has_no_tree_stays_undecided() -> None:
    ridged = Loss(Network.dense((2, 2, 1), "relu"), BRACKETS, fmpq(1))
    square = Loss(Network.dense((2, 2, 1), "square"), BRACKETS)
    wide = Loss(Network.dense((2, 9, 1), "relu"), BRACKETS)
    for loss, words in ((ridged, "ridge"), (square, "relu, leaky_relu"), (wide, "too big")):
        point = tuple(fmpq_mat(*loss.network.shape(k)) for k in (1, 2))
        found = decided_in_tree(loss, point, point, loss(point))
        assert isinstance(found, Undecided) and words in str(found)

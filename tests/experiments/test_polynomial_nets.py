"""Polynomials in the place of ReLU: the fits are exact, and the verdicts read the table alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.polynomial import Polynomial

from theorylab.experiments.data import load_dataset
from theorylab.experiments.data.labelled import Labelled, Split
from theorylab.experiments.networks.ensemble import Descent, train_ensemble
from theorylab.experiments.networks.model import Perceptron
from theorylab.experiments.run import Result, load_result, run
from theorylab.experiments.studies.legendre import legendre_of_relu, sup_error
from theorylab.experiments.studies.polynomial_nets import (
    _PARTS,
    BATCH,
    EXPERIMENTS,
    NAME,
    PLAIN,
    PolynomialConfig,
    _read,
    gains,
    measure,
    parts,
    read_at,
)
from theorylab.experiments.table import Table
from theorylab.outcome import InputError

FOLDER = Path(__file__).parent / "tables" / NAME
TINY = PolynomialConfig(
    train=60, validation=20, nets=3, nets_at_once=2, hidden=(6,), steps=4, batch=10, rates=(0.1,),
    covering=((4, 4.0),), low=((2, 4.0),),
)  # fmt: skip


@pytest.fixture(scope="module")
def stored() -> Result:
    return load_result(FOLDER)


def words(result: Result, table: Table) -> dict[str, str]:
    judged = result.experiment.judged(result.config, table)
    return {reading.variant: observed.outcome for reading, observed in judged}


def with_cells(table: Table, column: str, cell: object, **where: str) -> Table:
    return table.replaced(
        column,
        [cell if all(row[k] == v for k, v in where.items()) else row[column] for row in table],
    )


def with_tests_of(table: Table, norm: str, arm: str, other: str) -> Table:
    """The arm with the test accuracies of another."""
    test = {row["net"]: row["test"] for row in read_at(table, norm, other)}
    return table.replaced(
        "test",
        [test[r["net"]] if (r["norm"], r["arm"]) == (norm, arm) else r["test"] for r in table],
    )


@pytest.mark.parametrize("radius", [1.0, 3.0])
def test_the_expansion_of_degree_two_is_the_known_one(radius: float) -> None:
    known = (3 * radius / 32, 0.5, 15 / (32 * radius))
    assert legendre_of_relu(2, radius) == pytest.approx(known, abs=1e-14)


@pytest.mark.parametrize("degree", [0, 1, 2, 3, 6, 10])
def test_no_polynomial_of_the_degree_is_nearer_in_l2(degree: int) -> None:
    p = Polynomial(legendre_of_relu(degree, 2.0))
    for power in range(degree + 1):
        monomial = Polynomial([0] * power + [1])
        whole, positive = (p * monomial).integ(), (Polynomial([0, 1]) * monomial).integ()
        assert whole(2) - whole(-2) == pytest.approx(positive(2) - positive(0), abs=1e-10)


@pytest.mark.parametrize("degree", [2, 4, 10])
def test_the_sup_error_is_that_of_a_fine_grid(degree: int) -> None:
    coefficients = legendre_of_relu(degree, 3.0)
    x = np.linspace(-3, 3, 60_001)
    grid = float(np.abs(Polynomial(coefficients)(x) - np.maximum(x, 0)).max())
    assert grid <= sup_error(coefficients, 3.0) + 1e-12
    assert sup_error(coefficients, 3.0) == pytest.approx(grid, abs=1e-6)


def test_the_words_are_those_expected(stored: Result) -> None:
    assert [f.observed.outcome for f in stored.findings] == [
        "consistent", "consistent", "inconsistent",
    ]  # fmt: skip
    assert stored.config == EXPERIMENTS[NAME].config("ci")


def test_swapped_arms_turn_the_words(stored: Result) -> None:
    config, table = stored.config, stored.table
    assert isinstance(config, PolynomialConfig)
    collapsed = with_tests_of(table, BATCH, "degree 4 on 4", "degree 10 on 3")
    assert words(stored, collapsed)["with-batch-norm"] == "inconsistent"
    linear = with_tests_of(table, PLAIN, "degree 2 on 4", "degree 10 on 3")
    assert words(stored, linear)["without"] == "inconsistent"
    healed = with_tests_of(table, BATCH, "degree 10 on 3", "degree 10 on 4")
    healed = with_tests_of(healed, PLAIN, "degree 10 on 3", "degree 4 on 4")
    assert words(stored, healed)["better-fit-is-enough"] == "consistent"


@pytest.mark.parametrize(
    ("column", "cell", "where", "shut"),
    [
        ("outside", 0.01, {"arm": "degree 6 on 4"}, ["with-batch-norm"]),
        ("outside", None, {"arm": "degree 6 on 4"}, ["with-batch-norm"]),
        ("train_error", 0.3, {"norm": PLAIN, "arm": "relu"}, ["without", "better-fit-is-enough"]),
        ("fit", 0.2, {"arm": "degree 10 on 3"}, ["better-fit-is-enough"]),
    ],
)
def test_a_shut_gate_leaves_it_undecided(
    stored: Result, column: str, cell: float | None, where: dict[str, str], shut: list[str]
) -> None:
    found = words(stored, with_cells(stored.table, column, cell, **where))
    assert [variant for variant, word in found.items() if word == "undecided"] == shut


def test_equality_says_nothing_where_a_linear_network_does_as_well(stored: Result) -> None:
    table = with_tests_of(stored.table, BATCH, "identity", "relu")
    assert words(stored, table)["with-batch-norm"] == "undecided"


def test_the_rate_is_picked_on_validation_data_not_on_test_data() -> None:
    rows = [
        {"norm": PLAIN, "arm": "relu", "rate": rate, "net": net, "validation": v, "test": t}
        for rate, v, t in ((0.1, 0.8, 0.9), (0.3, 0.9, 0.7))
        for net in (1, 0)
    ]
    found = read_at(Table.of(rows), PLAIN, "relu")
    assert found.values("rate") == (0.3,) and found.values("net") == (0, 1)
    assert gains(Table.of(rows), PLAIN, "relu").tolist() == [0.0, 0.0]


def test_normalised_networks_are_tested_with_the_statistics_of_training() -> None:
    # sample by sample the accuracy is the same: batch statistics of one would be nothing
    data = load_dataset("digits").split(200, validation=10, test=40).standardised()
    given = {name: torch.tensor(getattr(data, name))[None] for name in _PARTS}
    model = Perceptron((64, 20, 10), batch_norm=True)
    trained = train_ensemble(
        model, given["x"], given["y"], 1, seed=0, descent=Descent(0.1, 100, batch=20)
    )
    whole = _read(model, trained, given, (), 0.0)["test"]
    alone = []
    for k in range(40):
        one = {**given, "x_test": given["x_test"][:, [k]], "y_test": given["y_test"][:, [k]]}
        alone += _read(model, trained, one, (), 0.0)["test"]
    assert whole == [pytest.approx(np.mean(np.array(alone, dtype=float)))]
    assert whole[0] is not None and whole[0] > 0.5


def test_a_network_that_diverged_stays_and_guesses() -> None:
    config = replace(TINY, rates=(1e6,), steps=100, nets=2)
    part = next(p for p in parts(config) if PLAIN in p and "degree 4 on 4" in p)
    rows = measure(config, part, "cpu").rows
    assert len(rows) == 2
    assert all(row["diverged"] and row["test"] == 0.1 == row["validation"] for row in rows)
    assert all(row["outside"] is None and row["miss"] is None for row in rows)


def test_nets_have_splits_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[int] = set()
    split = Labelled.split

    def noted(self: Labelled, train: int, validation: int = 0, test: int | None = None,
              seed: int = 0) -> Split:  # fmt: skip
        seen.add(seed)
        return split(self, train, validation, test, seed)

    monkeypatch.setattr(Labelled, "split", noted)
    run(TINY)
    assert len(seen) == TINY.nets


def test_a_run_is_the_same_twice_and_in_groups(tmp_path: Path) -> None:
    tiny = replace(TINY, covering=((4, 4.0),), low=((4, 4.0),))
    one, two = run(tiny), run(replace(tiny, nets_at_once=3))
    assert sorted(map(str, one.table)) == sorted(map(str, two.table))
    first, second = one.save(tmp_path / "a"), run(tiny).save(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    assert one.complete and {f.observed.n for f in one.findings} == {3}
    one.figure()


def test_a_share_of_pre_activations_lies_outside_a_short_interval() -> None:
    config = replace(TINY, rates=(1e-6,), covering=((4, 0.5),), low=((2, 50.0),))
    table = run(replace(config, nets=2)).table
    for norm in (BATCH, PLAIN):
        assert (table.where(norm=norm, arm="degree 4 on 0.5").column("outside") > 0.2).all()
        assert (table.where(norm=norm, arm="degree 2 on 50").column("outside") == 0).all()


def test_impossible_configurations_are_refused() -> None:
    with pytest.raises(InputError, match="nets"):
        PolynomialConfig(nets=1)


def test_the_figure_shows_every_arm(stored: Result) -> None:
    left, right = stored.figure().axes
    assert left.get_yticklabels()[0].get_text() == "identity"
    assert "16 of 16 diverged" in "".join(t.get_text() for t in right.texts)

"""Random labels: exact counts, architectures at the border, planted failures, shut gates."""

from __future__ import annotations

from math import log
from pathlib import Path

import numpy as np
import pytest
import torch

from theorylab.experiments.data import load_dataset
from theorylab.experiments.networks.ensemble import Trained
from theorylab.experiments.networks.losses import errors, loss_of
from theorylab.experiments.run import Result, load_result, run
from theorylab.experiments.studies.arms import cells_of, labels_of
from theorylab.experiments.studies.random_labels import (
    RANDOM_LABELS,
    RandomLabelsConfig,
    architecture,
)
from theorylab.experiments.table import Table
from theorylab.outcome import InputError

TINY = RandomLabelsConfig(
    data=("digits",), train=40, nets=3, barely_nets=2, nets_at_once=2, width=24, steps=600,
    batch=20, check=20, curve=5, many=5.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def kept() -> Result:
    return load_result(Path(__file__).parent / "tables" / RANDOM_LABELS.name)


def words(result: Result, table: Table) -> dict[str, str]:
    judged = RANDOM_LABELS.judged(result.config, table)
    return {reading.variant: observed.outcome for reading, observed in judged}


def test_a_loss_under_log_2_over_n_leaves_no_sample_wrong() -> None:
    # the cheapest wrong answer: two equal outputs, all other samples without loss
    config = RandomLabelsConfig(train=50)
    outputs = torch.full((1, 50, 3), -40.0)
    outputs[0, :, 0] = 40.0
    outputs[0, 7, 1] = 40.0 + 1e-4
    y = torch.zeros(50, dtype=torch.int64)
    assert errors(outputs, y).item() == pytest.approx(1 / 50)
    assert loss_of(outputs, y, "cross-entropy").item() >= config.stop_loss
    assert config.stop_loss == log(2) / 50


@pytest.mark.parametrize("inputs", [40, 64, 784])
def test_a_barely_wide_network_is_the_narrowest_with_more_weights_than_samples(inputs: int) -> None:
    config = RandomLabelsConfig(train=1500)
    model = architecture(config, "barely", inputs, 10)
    narrower = model.widths[1] - 1
    assert model.parameter_count > config.train
    assert (inputs + 11) * narrower + 10 <= config.train


def test_each_net_has_an_order_of_its_own_and_natural_ones_none() -> None:
    split = load_dataset("digits").split(train=100)
    made = labels_of(split, "random", 0, range(4))
    assert len({tuple(row) for row in made.tolist()}) == 4
    assert (labels_of(split, "natural", 0, range(2)) == split.y).all()
    with pytest.raises(InputError, match="natural or random"):
        labels_of(split, "shuffled", 0, [0])


def test_wrong_answers_are_counted_exactly() -> None:
    # 1 - mean in float32 is not a whole number of samples
    wrong = torch.tensor([1.0]) - torch.tensor([999.0]) / 1000
    trained = Trained(
        (0,), (), torch.tensor([False]), torch.tensor([0.5]), wrong, torch.tensor([7])
    )
    expected = {"diverged": False, "steps": 7, "loss": 0.5, "wrong": 1}
    assert cells_of(trained, 0, 1000) == expected


def test_one_failure_refutes_and_few_nets_do_not_show_it(kept: Result) -> None:
    assert words(kept, kept.table) == {"printed": "consistent", "barely": "inconsistent"}
    wide = [row["arm"] == "wide" for row in kept.table]
    wrong = kept.table.column("wrong").astype(int)
    wrong[wide.index(True)] = 1
    assert words(kept, kept.table.replaced("wrong", wrong))["printed"] == "inconsistent"
    few = Table(tuple(row for row in kept.table if int(str(row["net"])) < 10))
    assert words(kept, few)["printed"] == "undecided"


def test_barely_wide_networks_without_an_error_would_turn_the_word(kept: Result) -> None:
    fitted = kept.table.replaced("wrong", [0] * len(kept.table))
    assert words(kept, fitted)["barely"] == "consistent"


def test_networks_with_too_few_weights_shut_the_gate(kept: Result) -> None:
    small = kept.table.replaced("parameters", [400] * len(kept.table))
    assert set(words(kept, small).values()) == {"undecided"}


def test_a_tiny_run_is_pure_and_counts_every_net() -> None:
    first, again = run(TINY), run(TINY)
    assert first.table == again.table
    assert first.arrays.keys() == again.arrays.keys()
    assert all(np.array_equal(a, again.arrays[key]) for key, a in first.arrays.items())
    assert (first.table.where(arm="wide").column("wrong") == 0).all()
    assert len(first.table) == 5
    assert first.figure().axes


def test_impossible_configurations_are_refused() -> None:
    with pytest.raises(InputError, match="curve"):
        RandomLabelsConfig(curve=1)

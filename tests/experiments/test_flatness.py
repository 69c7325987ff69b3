"""Flatness radii: closed forms, invariance, planted and swapped arms, shut gates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from theorylab.experiments.networks.model import Perceptron
from theorylab.experiments.run import Result, load_result, run
from theorylab.experiments.studies.flatness import FLATNESS, FlatnessConfig
from theorylab.experiments.studies.flatness_radius import (
    drawn_directions,
    evaluated,
    flatness_radius,
    mean_radius,
    rescaled,
)
from theorylab.experiments.table import Cell, Table
from theorylab.outcome import InputError

TINY = FlatnessConfig(
    data=("digits",), rates=(0.1,), train=60, nets=3, nets_at_once=2, width=16, steps=400,
    batch=20, stop_loss=0.1, directions=2,
)  # fmt: skip


@pytest.fixture(scope="module")
def kept() -> Result:
    return load_result(Path(__file__).parent / "tables" / FLATNESS.name)


def words(result: Result, table: Table) -> dict[str, str]:
    judged = FLATNESS.judged(result.config, table)
    return {reading.variant: observed.outcome for reading, observed in judged}


def changed(table: Table, column: str, cell: Cell, **where: Cell) -> Table:
    """The table with another cell in the first row of those."""
    first = next(row for row in table if all(row[k] == v for k, v in where.items()))
    return table.replaced(column, [cell if r is first else r[column] for r in table])


def test_the_radius_of_a_quadratic_is_the_root_of_epsilon() -> None:
    # the loss (w x)^2 at w = 0, x = 2, in directions of lengths 1 and 3
    model = Perceptron((1, 1), activation="identity", bias=False)
    at, x, y = (torch.zeros(2, 1, 1),), torch.full((1, 1), 2.0), torch.zeros(1)
    found = flatness_radius(
        model, at, (torch.tensor([1.0, -3.0])[:, None, None],), x, y, 0.36, "squares"
    )
    assert found.tolist() == pytest.approx([0.3, 0.1], rel=1.2e-3)


def test_a_steep_and_a_flat_quadratic_are_both_found() -> None:
    model = Perceptron((1, 1), activation="identity", bias=False)
    at, one = (torch.ones(1, 1, 1, dtype=torch.float64),), (torch.ones(1, 1, 1).double(),)
    for scale in (1e-3, 5e4):
        x = torch.full((1, 1), 1 / scale, dtype=torch.float64)
        found = flatness_radius(model, at, one, x, x[0], 1.0, "squares")
        assert found.item() == pytest.approx(scale, rel=5e-3), scale


def test_a_loss_that_never_changes_has_an_infinite_radius() -> None:
    model = Perceptron((1, 1), activation="identity", bias=False)
    at, one = (torch.ones(1, 1, 1),), (torch.ones(1, 1, 1),)
    nought = torch.zeros(1, 1)
    assert flatness_radius(model, at, one, nought, nought[0], 1.0, "squares").item() == np.inf
    broken = (torch.full((1, 1, 1), np.nan),)
    assert torch.isnan(flatness_radius(model, broken, one, nought + 1, nought[0], 1.0, "squares"))
    with pytest.raises(InputError, match="positive"):
        flatness_radius(model, at, one, nought, nought[0], 0.0)


def test_a_change_downwards_counts_as_one() -> None:
    # (w - 1)^2 at w = 0: the loss 1 falls to 0.75 where w = 1 - sqrt(0.75)
    model = Perceptron((1, 1), activation="identity", bias=False)
    at, d, one = (torch.zeros(1, 1, 1),), (torch.ones(1, 1, 1),), torch.ones(1, 1)
    found = flatness_radius(model, at, d, one, one[0], 0.25, "squares").item()
    assert found == pytest.approx(1 - 0.75**0.5, rel=5e-3)


def trained_like() -> tuple[Perceptron, tuple[torch.Tensor, ...], torch.Tensor, torch.Tensor]:
    model = Perceptron((5, 8, 6, 3))
    weights = model.initial(3, range(4), "test", dtype=torch.float64)
    weights = tuple(w + 0.1 if w.shape[1] == 1 else w for w in weights)
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((20, 5)))
    return model, weights, x, evaluated_labels(model, weights, x)


def evaluated_labels(
    model: Perceptron, weights: tuple[torch.Tensor, ...], x: torch.Tensor
) -> torch.Tensor:
    return model.outputs(weights, x).argmax(2)


def test_filter_normalised_radii_do_not_change_when_layers_are_rescaled() -> None:
    model, weights, x, y = trained_like()
    same = rescaled(model, weights, 10.0)
    assert torch.allclose(model.outputs(same, x), model.outputs(weights, x))
    found = {
        (kind, name): mean_radius(
            model, w, x, y, 0.05, 4, kind, seed=0, nets=range(4), names=("test",)
        )
        for kind in ("raw", "filter")
        for name, w in (("given", weights), ("rescaled", same))
    }
    assert torch.allclose(found["filter", "rescaled"], found["filter", "given"], rtol=1e-2)
    assert bool((found["raw", "rescaled"] < 0.7 * found["raw", "given"]).all())


def test_directions_are_what_they_say_whatever_the_other_nets() -> None:
    model, weights, _, _ = trained_like()
    raw, top, filtered = (
        drawn_directions(model, weights, 3, kind, seed=0, nets=range(4), names=("test",))
        for kind in ("raw", "top", "filter")
    )
    length = torch.stack([d.flatten(1).square().sum(1) for d in raw]).sum(0)
    assert torch.allclose(length, torch.ones(12).double())
    assert all(d.count_nonzero() == 0 for d in top[:-2])
    assert torch.allclose(
        torch.stack([d.flatten(1).square().sum(1) for d in top[-2:]]).sum(0), length
    )
    for d, w in zip(filtered[::2], weights[::2], strict=True):
        assert torch.allclose(d.norm(dim=1), w.norm(dim=1).repeat_interleave(3, 0))
    alone = tuple(w[2:3] for w in weights)
    again = drawn_directions(model, alone, 3, "raw", seed=0, nets=[2], names=("test",))
    assert all(torch.equal(a, b[6:9]) for a, b in zip(again, raw, strict=True))
    with pytest.raises(InputError, match="raw, top, filter"):
        drawn_directions(model, weights, 3, "layer", seed=0, nets=range(4))


def test_evaluation_does_not_depend_on_how_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model, weights, x, y = trained_like()
    whole = evaluated(model, weights, x, y)
    monkeypatch.setattr("theorylab.experiments.studies.flatness_radius._CHUNK", {"cpu": 1})
    assert all(map(torch.equal, whole, evaluated(model, weights, x, y)))
    assert whole[1].tolist() == [0.0] * 4


def test_rescaling_refuses_what_changes_the_function() -> None:
    model, weights, _, _ = trained_like()
    with pytest.raises(InputError, match="positive"):
        rescaled(model, weights, 0.0)
    with pytest.raises(InputError, match="two layers"):
        rescaled(Perceptron((5, 8, 6, 3), activation="tanh"), weights, 2.0)


def test_swapped_arms_turn_the_words(kept: Result) -> None:
    swap = {"natural": "random", "random": "natural"}
    swapped = kept.table.replaced("arm", [swap[str(row["arm"])] for row in kept.table])
    found = words(kept, swapped)
    assert words(kept, kept.table)["printed"] == "consistent"
    for variant in ("printed", "filter-normalised", "top-layer"):
        assert found[variant] == "inconsistent"


def test_a_planted_difference_in_the_last_layer_is_seen(kept: Result) -> None:
    factor = {"natural": 2.0, "random": 1.0}
    cells = kept.table.column("top") * [factor[str(row["arm"])] for row in kept.table]
    assert words(kept, kept.table.replaced("top", cells))["top-layer"] == "consistent"


def test_copies_with_equal_radii_turn_the_words_on_rescaling(kept: Result) -> None:
    raw, other = kept.table.column("raw"), kept.table.column("filter")
    moved = kept.table.replaced("raw_rescaled", raw * 1.001)
    moved = moved.replaced("filter_rescaled", other * 1.5)
    found = words(kept, moved)
    assert (found["invariant"], found["filter-invariant"]) == ("consistent", "inconsistent")


def test_a_net_above_the_loss_or_arms_apart_shut_the_gates(kept: Result) -> None:
    above = changed(kept.table, "loss", 0.02, arm="random")
    assert set(words(kept, above).values()) == {"undecided"}
    diverged = changed(kept.table, "loss", None, arm="random")
    assert set(words(kept, diverged).values()) == {"undecided"}
    losses = [0.004 if r["arm"] == "natural" else r["loss"] for r in kept.table]
    apart = words(kept, kept.table.replaced("loss", losses))
    assert apart["printed"] == apart["filter-normalised"] == "undecided"
    assert apart["invariant"] == "inconsistent"  # one arm only: nothing to match


def test_a_net_without_a_radius_speaks_against_the_reading(kept: Result) -> None:
    natural = changed(kept.table, "raw", None, data="digits", arm="natural")
    judged = dict(FLATNESS.judged(kept.config, natural))
    found = next(o for r, o in judged.items() if r.variant == "printed")
    assert found.p is not None
    assert found.p > next(f.observed.p or 0 for f in kept.findings[1:2])


def test_a_tiny_run_is_pure_and_has_a_row_for_each_net() -> None:
    first, again = run(TINY), run(TINY)
    assert first.table == again.table
    assert len(first.table) == 6
    natural = first.table.where(arm="natural")
    assert bool((natural.column("wrong") <= 2).all())
    assert bool(np.isnan(first.table.where(arm="random").column("raw_rescaled")).all())
    more = run(replace(TINY, nets_at_once=3))
    assert more.table == first.table
    assert first.figure().axes


def test_impossible_configurations_are_refused() -> None:
    with pytest.raises(InputError, match="rate for each data set"):
        FlatnessConfig(rates=(0.1,))
    with pytest.raises(InputError, match="at least 2"):
        FlatnessConfig(nets=1)

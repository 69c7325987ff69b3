"""Homogeneous networks: gradients, growth in closed form, words of planted exponents."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from theorylab.experiments.run import Result, load_result, run
from theorylab.experiments.studies.homogeneous import EXPERIMENTS, MarginConfig, NormGrowthConfig
from theorylab.experiments.studies.homogeneous_descent import (
    HomogeneousConfig,
    descended,
    problem,
    slopes_of,
)
from theorylab.experiments.table import Table

GROWTH, MARGIN = EXPERIMENTS["norm-growth"], EXPERIMENTS["normalised-margin"]
SMALL = {"nets": 4, "nets_per_part": 2, "points": 8, "dimension": 4, "width": 24}
TINY = NormGrowthConfig(**SMALL, horizons=(40.0, 60.0), windows=4, relative=0.02, most=2000)
TINY_MARGIN = MarginConfig(**SMALL, horizons=(40.0,), windows=4, relative=0.02, most=2000)


@pytest.fixture(scope="module")
def growth() -> Result:
    return load_result(Path(__file__).parent / "tables" / "norm-growth")


@pytest.fixture(scope="module")
def margin() -> Result:
    return load_result(Path(__file__).parent / "tables" / "normalised-margin")


def words(result: Result, table: Table | None = None) -> dict[str, str]:
    judged = result.experiment.judged(result.config, table or result.table)
    return {reading.variant: observed.outcome for reading, observed in judged}


def drawn(shapes: list[tuple[int, ...]], seed: int = 0) -> list[torch.Tensor]:
    rng = np.random.default_rng(seed)
    return [torch.from_numpy(rng.standard_normal(shape)) for shape in shapes]


@pytest.mark.parametrize("widths", [(3, 1), (3, 5, 1), (3, 5, 4, 1)])
def test_slopes_are_those_of_autograd(widths: tuple[int, ...]) -> None:
    x, y = drawn([(2, 6, 3), (2, 6)])
    y = torch.sign(y)
    shapes = [(2, a, b) for a, b in itertools.pairwise(widths)]
    weights = [w.requires_grad_() for w in drawn(shapes, 1)]
    hidden = x
    for weight in weights[:-1]:
        hidden = torch.relu(hidden @ weight)
    q = (hidden @ weights[-1])[..., 0] * y
    loss = torch.exp(-q).sum(1).log()
    expected = torch.autograd.grad(loss.sum(), weights)
    found_q, found_loss, slopes = slopes_of([w.detach() for w in weights], x, y)
    assert torch.allclose(found_q, q)
    assert torch.allclose(found_loss, loss)
    assert all(map(torch.allclose, slopes, expected))


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_one_unit_grows_as_its_equation_says(depth: int) -> None:
    # equal weights u, y f(x) = u^L: du/dt = u^(L-1) exp(-u^L); t by quadrature of the inverse
    config = HomogeneousConfig(depths=(depth,), horizons=(40.0,), windows=3, relative=0.004)
    one = torch.ones(1, 1, dtype=torch.float64)
    weights = [0.5 * torch.ones(1, 1, 1, dtype=torch.float64) for _ in range(depth)]
    found = descended(weights, one[:, None], one, config)
    u = np.linspace(0.5, 1.3 * 40 ** (1 / depth), 200_001)
    time = np.cumsum(np.exp(u**depth) * u ** (1 - depth)) * (u[1] - u[0])
    expected = np.interp(found.crossed[0, :, 0], np.log(time), u)
    assert found.levels == pytest.approx([5, 10, 20, 40])
    assert np.isfinite(found.crossed).all()
    for layer in range(depth):
        assert found.crossed[0, :, 1 + layer] == pytest.approx(expected, rel=5e-3)
    # here the normalised margin is 1 always, the smoothed one that of equal layers
    assert found.means[0, :, 0] == pytest.approx(1.0, abs=1e-9)
    assert found.means[0, :, 1] == pytest.approx(depth ** (-depth / 2), rel=1e-6)


def test_networks_do_not_see_each_other() -> None:
    config = replace(TINY, depths=(2,), horizons=(20.0,), most=300, relative=0.005)
    x, y = drawn([(3, 8, 4), (3, 8)])
    weights = drawn([(3, 4, 6), (3, 6, 1)], 1)
    together = descended(weights, x, torch.sign(y), config)
    config = replace(config, most=together.steps)
    alone = descended([w[1:2] for w in weights], x[1:2], torch.sign(y)[1:2], config)
    same = min(alone.steps, together.steps)
    assert same > 100
    seen = np.isfinite(alone.crossed[0])
    assert seen.any()
    assert (alone.crossed[0][seen] == together.crossed[1][seen]).all()


def test_data_of_a_network_do_not_depend_on_how_many() -> None:
    x, y = problem(TINY, 3)
    again, _ = problem(replace(TINY, nets=50), 3)
    assert (x == again).all()
    assert (y == np.sign(x[:, 0] * x[:, 1])).all()


@pytest.mark.parametrize("config", [TINY, TINY_MARGIN])
def test_tiny_run_goes_through_and_repeats_itself(
    config: HomogeneousConfig, tmp_path: Path
) -> None:
    first, second = run(config), run(config)
    assert len(first.table) == 4 * len(config.depths)
    assert all(row["reached"] and row["classified"] for row in first.table)
    first.figure()
    a, b = first.save(tmp_path / "a"), second.save(tmp_path / "b")
    assert a.read_bytes() == b.read_bytes()
    assert a.with_suffix(".npz").read_bytes() == b.with_suffix(".npz").read_bytes()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_gpu_sees_the_same_networks() -> None:
    on_cpu, on_gpu = run(TINY), run(TINY, device="cuda")
    products = [r.table.column("product") for r in (on_cpu, on_gpu)]
    assert products[0] == pytest.approx(products[1], abs=0.05)


def test_a_run_cut_short_is_undecided_and_drawn() -> None:
    for config in (replace(TINY, most=3), replace(TINY_MARGIN, most=3)):
        short = run(config)
        assert {row["reached"] for row in short.table} == {False}
        assert set(words(short).values()) == {"undecided"}
        short.figure().canvas.draw()


def test_saved_tables_get_the_expected_words(growth: Result, margin: Result) -> None:
    for found in (growth, margin):
        assert words(found) == {r.variant: r.expected for r in found.experiment.readings}
        found.figure()


def shifted(table: Table, column: str, by: float) -> Table:
    cells = table.column(column)
    return table.replaced(column, cells + by)


def test_planted_exponents_turn_the_words(growth: Result) -> None:
    assert words(growth, shifted(growth.table, "layer_1", 0.05))["corrected"] == "inconsistent"
    assert words(growth, shifted(growth.table, "product", -0.2))["product"] == "inconsistent"
    table = growth.table
    for n in (1, 2, 3):
        cells = table.column(f"layer_{n}")
        table = table.replaced(f"layer_{n}", cells - np.where(table.column("depth") == 2, 0.5,
                                                               1 / 3) + 1)  # fmt: skip
    turned = words(growth, table)
    assert turned["printed"] == "consistent"
    assert turned["corrected"] == "inconsistent"


def test_planted_margins_turn_the_words(margin: Result) -> None:
    creeping = shifted(margin.table, "change", 0.05)
    assert words(margin, creeping)["printed"] == "inconsistent"
    failing = margin.table.replaced("classified", [k % 2 == 0 for k in range(len(margin.table))])
    assert words(margin, failing)["printed"] == "inconsistent"
    falling = shifted(margin.table, "rise", -0.05)
    assert words(margin, falling)["smoothed"] == "inconsistent"
    flow = margin.table.replaced("falls", [0.0] * len(margin.table))
    assert words(margin, flow)["each-step"] == "consistent"


def test_shut_gates_leave_it_undecided(growth: Result, margin: Result) -> None:
    for found in (growth, margin):
        cells = [k > 0 for k in range(len(found.table))]
        short = found.table.replaced("reached", cells)
        assert set(words(found, short).values()) == {"undecided"}
    cells = [k > 0 for k in range(len(growth.table))]
    wrong = growth.table.replaced("classified", cells)
    assert set(words(growth, wrong).values()) == {"undecided"}

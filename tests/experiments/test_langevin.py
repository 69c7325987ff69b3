"""Langevin dynamics: masses against quadrature, a law against its definition, planted biases."""

from __future__ import annotations

from dataclasses import replace
from math import exp, pi, sqrt
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from theorylab.experiments.run import Result, load_result, run
from theorylab.experiments.studies.langevin import EXPERIMENTS, LangevinConfig
from theorylab.experiments.studies.wells import Wells, sampled, unadjusted_mass
from theorylab.experiments.table import Table
from theorylab.outcome import InputError

LANGEVIN = EXPERIMENTS["langevin-boltzmann"]
CPU = torch.device("cpu")
TINY = LangevinConfig(
    dimensions=(1, 2), blocks=4, chains=20, adjusted_steps=(20, 30), adjusted_burn=(5, 5),
    steps=30, burn=10, small_chains=10,
)  # fmt: skip


@pytest.fixture(scope="module")
def saved() -> Result:
    return load_result(Path(__file__).parent / "tables" / "langevin-boltzmann")


def words(result: Result, table: Table | None = None) -> dict[str, str]:
    judged = LANGEVIN.judged(result.config, table or result.table)
    return {reading.variant: observed.outcome for reading, observed in judged}


def moved(table: Table, arm: str, by: float, **where: object) -> Table:
    """The masses of an arm shifted, in the rows with these cells."""
    cells = [
        float(str(row["mass"])) + by * (row["arm"] == arm and where.items() <= row.items())
        for row in table
    ]
    return table.replaced("mass", cells)


def by_quadrature(wells: Wells, temperature: float) -> float:
    """The mass of the wide basin by integrals over the ball, in cylindrical coordinates."""
    d, t, c, r = wells.d, temperature, wells.centre, wells.radius

    def ball(along: float, spread: float) -> float:
        def slice_of(x: float) -> float:
            height = sqrt(max(r * r - (x + c) ** 2, 0.0))
            weight = exp(-((x - along) ** 2) / (2 * t * spread))
            if d == 1:
                return weight
            area = 2 * pi if d == 3 else 2.0  # of the unit sphere that is left
            radial = integrate.quad(lambda y: y ** (d - 2) * exp(-y * y / (2 * t * spread)), 0,
                                    height)[0]  # fmt: skip
            return weight * area * float(radial)

        return float(integrate.quad(slice_of, -c - r, r - c)[0])

    narrow = ball(0.0, 1.0)
    spread = wells.wide**2
    wide = (2 * pi * t * spread) ** (d / 2) - ball(wells.distance, spread)
    return wide / (wide + narrow)


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_mass_is_that_of_the_quadrature(d: int, temperature: float) -> None:
    wells = Wells(d, 2.0, 5.0)
    assert wells.wide_mass(temperature) == pytest.approx(
        by_quadrature(wells, temperature), abs=1e-7
    )


def test_mass_tends_to_the_limit_as_it_gets_cold() -> None:
    for d in (1, 4):
        wells = Wells(d, 3.0, 4.0)
        assert wells.wide_mass(0.01) == pytest.approx(wells.limit, abs=1e-9)
    assert abs(Wells(4, 2.0, 5.0).wide_mass(1.0) - Wells(4, 2.0, 5.0).limit) > 0.005


def test_wells_meet_on_the_sphere_and_have_their_gradient() -> None:
    wells = Wells(3, 2.0, 5.0)
    rng = np.random.default_rng(0)
    normal = rng.standard_normal((3, 40))
    sphere = wells.radius * normal / np.linalg.norm(normal, axis=0)
    sphere[0] -= wells.centre
    inner = torch.from_numpy(sphere * 1.0)
    inner[0] = (inner[0] + wells.centre) * 0.999 - wells.centre
    inner[1:] *= 0.999
    outer = torch.from_numpy(sphere + 0.001 * normal)
    assert not wells.at(inner)[2].any()
    assert wells.at(outer)[2].all()
    for x in (inner, outer):
        x = (x + torch.from_numpy(rng.standard_normal((3, 40)))).requires_grad_()
        energy, gradient, _ = wells.at(x)
        (slope,) = torch.autograd.grad(energy.sum(), x)
        assert torch.allclose(slope, gradient, atol=1e-12)
    with pytest.raises(InputError, match="wells"):
        Wells(1, 1.0, 5.0)


def test_unadjusted_law_is_stationary_for_a_histogram() -> None:
    # the law of a long-run ensemble: independent of the linear system that is solved
    wells, step, t = Wells(1, 2.0, 5.0), 0.3, 1.5
    expected = unadjusted_mass(2.0, 5.0, t, step)
    draws = [np.random.default_rng([1, b]) for b in range(20)]
    found = sampled(wells, t, step, 500, 100, [0.0, 5.0] * 10, draws, 200, CPU, adjusted=False)
    assert abs(found.mean() - expected) < 4 * found.std(ddof=1) / sqrt(20)
    assert abs(expected - wells.wide_mass(t)) > 0.01


def test_bias_is_of_first_order_with_the_stated_rate() -> None:
    wells = Wells(1, 2.0, 5.0)
    off = [
        (unadjusted_mass(2.0, 5.0, 1.0, h) - wells.wide_mass(1.0)) / h - wells.bias_rate(1.0)
        for h in (0.08, 0.02)
    ]
    # what is left of the quotient falls like the root of the step
    assert 0 < off[1] < 0.015
    assert off[0] / off[1] == pytest.approx(2.0, rel=0.15)


@pytest.mark.parametrize(("step", "temperature"), [(0.5, 1.0), (4.0, 1.0), (1.0, 0.6), (1.0, 2.0)])
def test_adjusted_chains_have_the_exact_mass_at_any_step(step: float, temperature: float) -> None:
    wells = Wells(2, 2.0, 4.0)
    draws = [np.random.default_rng([2, b]) for b in range(20)]
    found = sampled(
        wells, temperature, step, 600, 150, [0.0, 4.0] * 10, draws, 60, CPU, adjusted=True
    )
    assert abs(found.mean() - wells.wide_mass(temperature)) < 4 * found.std(ddof=1) / sqrt(20)


def test_noise_of_a_block_does_not_depend_on_the_others() -> None:
    wells = Wells(2, 2.0, 5.0)

    def run_of(blocks: list[int]) -> np.ndarray:
        draws = [np.random.default_rng(b) for b in blocks]
        starts = [5.0 * (b % 2) for b in blocks]
        return sampled(wells, 1.0, 0.5, 50, 0, starts, draws, 8, CPU, adjusted=True)

    assert run_of([3])[0] == run_of([1, 2, 3])[2]


def test_one_gaussian_well_alone_has_the_variance_of_the_discrete_chain() -> None:
    # far from the other well x -> (1 - h) x + noise: after one long step the law is known
    wells, h, t = Wells(1, 2.0, 1e3), 1.0, 1.0
    draws = [np.random.default_rng([3, b]) for b in range(4)]
    found = sampled(wells, t, h, 20, 0, [0.0] * 4, draws, 50, CPU, adjusted=False)
    assert (found == 0).all()
    near = Wells(1, 2.0, 2.0)
    # with h = 1 a step from the narrow basin is N(0, 2 T): one step after the start at 0
    draws = [np.random.default_rng([4, b]) for b in range(20)]
    found = sampled(near, t, h, 1, 0, [0.0] * 20, draws, 500, CPU, adjusted=False)
    low, high = -near.centre - near.radius, near.radius - near.centre
    outside = 1 - (stats.norm.cdf(high, 0, sqrt(2)) - stats.norm.cdf(low, 0, sqrt(2)))
    assert found.mean() == pytest.approx(outside, abs=4 * sqrt(0.25 / 10_000))


def test_tiny_run_goes_through_and_repeats_itself(tmp_path: Path) -> None:
    first, second = run(TINY), run(TINY)
    assert len(first.table) == 4 * len(LANGEVIN.parts(TINY))
    assert {row["arm"] for row in first.table} == {"adjusted", "unadjusted", "small"}
    first.figure()
    a, b = first.save(tmp_path / "a"), second.save(tmp_path / "b")
    assert a.read_bytes() == b.read_bytes()
    assert run(replace(TINY, seed=1)).table != first.table


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_gpu_sees_the_same_noise() -> None:
    on_cpu, on_gpu = run(TINY), run(TINY, device="cuda")
    assert np.abs(on_cpu.table.column("mass") - on_gpu.table.column("mass")).max() < 0.2
    assert words(on_cpu) == words(on_gpu)


def test_saved_table_gets_the_expected_words(saved: Result) -> None:
    assert words(saved) == {r.variant: r.expected for r in LANGEVIN.readings}
    saved.figure()


def test_planted_masses_turn_the_words(saved: Result) -> None:
    off = moved(saved.table, "adjusted", 0.012, d=3, T=1.0)
    assert words(saved, off)["corrected"] == "inconsistent"
    table = saved.table
    for d in (1, 2, 3, 4, 5):
        for t in (1.0, 0.7):
            wells = Wells(d, 2.0, 5.0)
            table = moved(table, "adjusted", wells.limit - wells.wide_mass(t), d=d, T=t)
    turned = words(saved, table)
    assert turned["printed"] == "consistent"
    assert turned["corrected"] == "inconsistent"
    own = moved(saved.table, "unadjusted", -0.012, d=1)
    assert words(saved, own)["own-law"] == "inconsistent"


def test_unbiased_descent_would_be_called_consistent(saved: Result) -> None:
    table = saved.table
    for d in (1, 2, 3, 4, 5):
        cell = table.where(arm="unadjusted", d=d).column("mass").mean()
        exact = Wells(d, 2.0, 5.0).wide_mass(1.0)
        table = moved(table, "unadjusted", exact - float(cell), d=d)
    assert words(saved, table)["unadjusted"] == "consistent"


def test_chains_that_remember_their_start_leave_it_undecided(saved: Result) -> None:
    apart = saved.table
    for start, by in (("wide", 0.05), ("narrow", -0.05)):
        for arm in ("adjusted", "unadjusted"):
            apart = moved(apart, arm, by, start=start, d=2)
    assert {words(saved, apart)[v] for v in ("corrected", "printed", "unadjusted", "own-law")} == {
        "undecided"
    }


def test_small_steps_that_had_mixed_would_be_called_so(saved: Result) -> None:
    masses, table = saved.table.column("mass"), saved.table
    small = np.array([row["arm"] == "small" for row in table])
    masses[small] = 0.9 + 1e-3 * np.arange(small.sum() / 2).repeat(2)
    assert words(saved, table.replaced("mass", masses))["small-step"] == "consistent"

"""Langevin dynamics between two wells, against the Boltzmann mass of the wide well in closed form.

The loss is the lower of two quadratic bowls of the same depth, one wider in every direction. The
bowls meet on a sphere, so the exact mass of the wide basin is a quotient of non-central chi-square
probabilities, at every temperature and dimension. Metropolis-adjusted chains (MALA) sample it;
descent with noise added and no Metropolis step does not, and in one dimension its own stationary
law is computed too. Source: [PL] section 7.2, Figs 8-11.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from theorylab.experiments.experiment import (
    Arrays,
    Config,
    Experiment,
    Measurements,
    Null,
    Reading,
)
from theorylab.experiments.networks.devices import device as device_named
from theorylab.experiments.seeds import generator
from theorylab.experiments.sources import POGGIO_LIAO
from theorylab.experiments.studies.wells import Wells, sampled, unadjusted_mass
from theorylab.experiments.table import Cell, Table
from theorylab.experiments.verdict import Asserted, Measured, conclude, difference, mean_of
from theorylab.outcome import Observed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "langevin-boltzmann"


@dataclass(frozen=True, kw_only=True)
class LangevinConfig(Config):
    """Two wells of widths 1 and ``wide``, their minima ``distance`` apart.

    A block, and a row of the table, is ``chains`` chains (in dimension d > 2 one (d - 1)-th of
    them), half the blocks started in each minimum. Each temperature has its number of adjusted
    steps, of size ``adjusted_step`` / d^(1/3). ``small_step`` is tried with as many steps as
    ``step``, at the last temperature. ``margin`` is the smallest mass that matters: at T = 1 and
    d > 1 the limit of low temperature is off by about that or more. ``mixing`` is how far apart the
    means from the two starts may lie.
    """

    experiment: ClassVar[str] = NAME

    dimensions: tuple[int, ...] = (1, 2, 3, 4, 5)
    temperatures: tuple[float, ...] = (1.0, 0.7)
    wide: float = 2.0
    distance: float = 5.0
    blocks: int = 20
    chains: int = 500
    adjusted_step: float = 2.2
    adjusted_steps: tuple[int, ...] = (800, 1600)
    adjusted_burn: tuple[int, ...] = (200, 400)
    step: float = 0.1
    steps: int = 5500
    burn: int = 1000
    small_step: float = 0.01
    small_chains: int = 80
    margin: float = 0.006
    mixing: float = 0.03


def _arms(config: LangevinConfig) -> list[tuple[str, float, float, int, int, int]]:
    """Arm, temperature, step, steps, burn-in, and chains of a block in one dimension."""
    plain = (config.steps, config.burn)
    hot, cold = config.temperatures[0], config.temperatures[-1]
    lengths = zip(config.temperatures, config.adjusted_steps, config.adjusted_burn, strict=True)
    return [
        *(("adjusted", t, config.adjusted_step, n, m, config.chains) for t, n, m in lengths),
        ("unadjusted", hot, config.step, *plain, config.chains),
        ("small", cold, config.small_step, *plain, config.small_chains),
    ]


def _parts(config: LangevinConfig) -> tuple[str, ...]:
    return tuple(f"d={d} arm={a[0]} T={a[1]:g}" for d in config.dimensions for a in _arms(config))


def _measure(config: LangevinConfig, part: str, device: str) -> Measurements:
    place = _parts(config).index(part)
    arms = _arms(config)
    d = config.dimensions[place // len(arms)]
    arm, temperature, step, steps, burn, chains = arms[place % len(arms)]
    chains = max(1, chains // max(1, d - 1))
    if arm == "adjusted":
        # keeps the share of accepted steps from falling with the dimension
        step /= d ** (1 / 3)
    wells = Wells(d, config.wide, config.distance)
    names = ["narrow", "wide"] * (config.blocks // 2)
    starts = [0.0 if name == "narrow" else config.distance for name in names]
    draws = [generator(config.seed, NAME, part, "block", b) for b in range(len(names))]
    masses = sampled(
        wells, temperature, step, steps, burn, starts, draws, chains, device_named(device),
        adjusted=arm == "adjusted",
    )  # fmt: skip
    return Measurements(
        [
            {"d": d, "T": temperature, "arm": arm, "step": step, "steps": steps,
             "chains": chains, "start": name, "block": b, "mass": round(float(mass), 8)}
            for b, (name, mass) in enumerate(zip(names, masses, strict=True))
        ]
    )  # fmt: skip


def _masses(
    config: LangevinConfig,
    table: Table,
    arm: str,
    temperature: float,
    claimed: Callable[[Wells, float], float],
    dimensions: Sequence[int] = (),
) -> list[Measured]:
    found = []
    for d in dimensions or config.dimensions:
        cell = table.where(arm=arm, T=temperature, d=d).column("mass")
        value = claimed(Wells(d, config.wide, config.distance), temperature)
        asserted = Asserted.equal(value, config.margin)
        name = f"mass of the wide well at d = {d}, T = {temperature:g} (claimed {value:.4f})"
        found.append(mean_of(name, cell, asserted, config.alpha))
    return found


def _apart(config: LangevinConfig, table: Table, arm: str, temperature: float) -> list[Measured]:
    asserted, found = Asserted.equal(0.0, config.mixing), []
    for d in config.dimensions:
        cell = table.where(arm=arm, T=temperature, d=d)
        wide, narrow = (cell.where(start=s).column("mass") for s in ("wide", "narrow"))
        name = f"mass from the wide start less that from the narrow one at d = {d}"
        found.append(difference(name, wide, narrow, asserted, config.alpha))
    return found


def _mixed(
    config: LangevinConfig, table: Table, arm: str, temperatures: Sequence[float]
) -> tuple[str, bool]:
    """The gate: the two starts agree in every cell, which is shown and not only unrefuted."""
    found = [m for t in temperatures for m in _apart(config, table, arm, t)]
    return "mixed", all(m.p_outside < config.alpha for m in found)


def _boltzmann(wells: Wells, temperature: float) -> float:
    return wells.wide_mass(temperature)


def _limit(wells: Wells, temperature: float) -> float:
    return wells.limit


def _judge_boltzmann(config: LangevinConfig, table: Table) -> Observed:
    every = config.temperatures
    found = [m for t in every for m in _masses(config, table, "adjusted", t, _boltzmann)]
    gates = [_mixed(config, table, "adjusted", every)]
    return conclude(found, _CORRECTED, seed=config.seed, gates=gates, alpha=config.alpha)


def _judge_limit(config: LangevinConfig, table: Table) -> Observed:
    hot = config.temperatures[0]
    found = _masses(config, table, "adjusted", hot, _limit)
    gates = [_mixed(config, table, "adjusted", [hot])]
    return conclude(found, _PRINTED, seed=config.seed, gates=gates, alpha=config.alpha)


def _judge_unadjusted(config: LangevinConfig, table: Table) -> Observed:
    hot = config.temperatures[0]
    found = _masses(config, table, "unadjusted", hot, _boltzmann)
    gates = [_mixed(config, table, "unadjusted", [hot])]
    return conclude(found, _UNADJUSTED, seed=config.seed, gates=gates, alpha=config.alpha)


def _own(config: LangevinConfig) -> Callable[[Wells, float], float]:
    return lambda wells, t: unadjusted_mass(wells.wide, wells.distance, t, config.step)


def _judge_own_law(config: LangevinConfig, table: Table) -> Observed:
    hot = config.temperatures[0]
    found = _masses(config, table, "unadjusted", hot, _own(config), (1,))
    gates = [_mixed(config, table, "unadjusted", [hot])]
    return conclude(found, _OWN_LAW, seed=config.seed, gates=gates, alpha=config.alpha)


def _judge_small(config: LangevinConfig, table: Table) -> Observed:
    found = _apart(config, table, "small", config.temperatures[-1])
    return conclude(found, _SMALL, seed=config.seed, alpha=config.alpha)


_CORRECTED = "with the Metropolis step the wide well holds its Boltzmann mass, at every d and T"
_PRINTED = "at T = 1 a well r times wider holds the mass r^d / (1 + r^d)"
_UNADJUSTED = "noisy descent at the studied step, without a Metropolis step, samples the same law"
_OWN_LAW = "in one dimension noisy descent samples the stationary law of its own step"
_SMALL = "with a tenth of the step the same number of steps forgets the start"


Claimed = Callable[[LangevinConfig, Wells, float], float]


def _redrawn(
    arm: str, claimed: Claimed
) -> Callable[[LangevinConfig, Table, np.random.Generator], Table]:
    """Tables whose cells are Gaussian about the claimed masses, with the spread measured."""

    def draw(config: LangevinConfig, table: Table, rng: np.random.Generator) -> Table:
        masses, starts = table.column("mass"), [row["start"] for row in table]
        cells: dict[tuple[Cell, ...], list[int]] = {}
        for place, row in enumerate(table):
            if row["arm"] == arm:
                cells.setdefault((row["d"], row["T"]), []).append(place)
        for (d, temperature), places in cells.items():
            # from one start each, lest chains that have not mixed widen the spread
            here = [masses[[p for p in places if starts[p] == s]] for s in ("narrow", "wide")]
            spread = sqrt(sum(float(np.var(part, ddof=1)) for part in here) / 2)
            wells = Wells(int(cast(int, d)), config.wide, config.distance)
            value = claimed(config, wells, float(cast(float, temperature)))
            masses[places] = rng.normal(value, spread, len(places))
        return table.replaced("mass", masses)

    return draw


def _shifted(claimed: Claimed) -> Claimed:
    """The claimed mass, in the first dimension off by the margin."""

    def moved(config: LangevinConfig, wells: Wells, temperature: float) -> float:
        off = config.margin if wells.d == config.dimensions[0] else 0.0
        return claimed(config, wells, temperature) + off

    return moved


def _is_boltzmann(config: LangevinConfig, wells: Wells, temperature: float) -> float:
    return wells.wide_mass(temperature)


def _is_limit(config: LangevinConfig, wells: Wells, temperature: float) -> float:
    return wells.limit


def _is_own(config: LangevinConfig, wells: Wells, temperature: float) -> float:
    one = Wells(1, wells.wide, wells.distance)
    return _own(config)(one, temperature) if wells.d == 1 else wells.wide_mass(temperature)


_NULLS = (
    Null("exact masses", "corrected", "inconsistent", _redrawn("adjusted", _is_boltzmann)),
    Null("one mass off", "corrected", "consistent", _redrawn("adjusted", _shifted(_is_boltzmann))),
    Null("masses of the limit", "printed", "inconsistent", _redrawn("adjusted", _is_limit)),
    Null("unbiased", "unadjusted", "inconsistent", _redrawn("unadjusted", _is_boltzmann)),
    Null("one bias", "unadjusted", "consistent", _redrawn("unadjusted", _shifted(_is_boltzmann))),
    Null("its own law", "own-law", "inconsistent", _redrawn("unadjusted", _is_own)),
    Null("another law", "own-law", "consistent", _redrawn("unadjusted", _shifted(_is_own))),
    Null("mixed", "small-step", "inconsistent", _redrawn("small", _is_boltzmann)),
)


def _draw(config: LangevinConfig, table: Table, arrays: Arrays, figure: Figure) -> None:
    from matplotlib.lines import Line2D

    left, right = figure.subplots(1, 2, width_ratios=(2, 3))
    d = np.array(config.dimensions)
    hot = config.temperatures[0]
    wells = [Wells(int(n), config.wide, config.distance) for n in d]
    exact = {t: np.array([w.wide_mass(t) for w in wells]) for t in config.temperatures}
    limit = np.array([w.limit for w in wells])
    left.plot(d, exact[hot], "-", color="tab:blue", label=f"exact at T = {hot:g}")
    left.plot(d, limit, "--", color="0.4", label="limit of T to 0")
    arms = [("adjusted", t, "o" if t == hot else "D") for t in config.temperatures]
    arms.append(("unadjusted", hot, "s"))
    for place, (arm, t, marker) in enumerate(arms):
        color = ("tab:orange", "tab:green", "tab:red")[min(place, 2)] if arm == "adjusted" else None
        color = color or "tab:purple"
        found = _masses(config, table, arm, t, _boltzmann)
        mean = np.array([m.effect for m in found])
        reach = np.array([m.interval[1] - m.effect for m in found])
        name = "with Metropolis" if arm == "adjusted" else f"without, step {config.step:g}"
        name = f"{name}, T = {t:g}"
        shift = 0.12 * (place - (len(arms) - 1) / 2)
        right.errorbar(d + shift, 100 * (mean - exact[t]), 100 * reach, fmt=marker, color=color,
                       capsize=3, markersize=5, label=name)  # fmt: skip
        if t == hot:
            left.plot(d, mean, marker, color=color, markersize=5, label=name)
    right.plot(d, 100 * (limit - exact[hot]), "--", color="0.4", label=f"limit, T = {hot:g}")
    right.axhline(0, color="tab:blue", linewidth=1)
    rate = np.array([w.bias_rate(hot) for w in wells])
    right.plot(d, 100 * config.step * rate, ":", color="tab:purple", label="bias of first order")
    band = 100 * config.margin
    right.axhspan(-band, band, color="0.85", zorder=0)
    for axes in (left, right):
        axes.set_xlabel("dimension d")
        axes.set_xticks(d)
    left.set_ylabel("mass of the wide well")
    right.set_ylabel("mass less the exact mass [percentage points]")
    left.legend(frameon=False, fontsize=8)
    handles, labels = right.get_legend_handles_labels()
    handles.append(Line2D([], [], color="0.85", linewidth=8))
    labels.append("within the margin")
    right.legend(handles, labels, fontsize=8, loc="upper right")
    right.set_ylim(top=1.9 * right.get_ylim()[1])
    figure.suptitle(str(_judge_boltzmann(config, table)), fontsize=8, wrap=True)


EXPERIMENTS = {
    NAME: Experiment(
        name=NAME,
        title="Langevin dynamics fills wells by their Boltzmann weight, so prefers the wide one",
        source=replace(POGGIO_LIAO, where="section 7.2, Figs 8-11"),
        readings=(
            Reading("corrected", _CORRECTED, "consistent", _judge_boltzmann),
            Reading("printed", _PRINTED, "inconsistent", _judge_limit),
            Reading("unadjusted", _UNADJUSTED, "inconsistent", _judge_unadjusted),
            Reading("own-law", _OWN_LAW, "consistent", _judge_own_law),
            Reading("small-step", _SMALL, "inconsistent", _judge_small),
        ),
        budgets={
            "ci": LangevinConfig(),
            # the noise is drawn on the CPU: half a minute for the longest part
            "full": LangevinConfig(blocks=40, chains=2500, adjusted_steps=(1600, 3000),
                                   adjusted_burn=(300, 600), small_chains=500, margin=0.003),
        },
        parts=_parts,
        measure=_measure,
        draw=_draw,
        nulls=_NULLS,
        remarks="Neither the bias of the larger step nor the missing mixing of the smaller one "
        "shows in a histogram; the comparison of two starts and an exact reference do.",
    )
}  # fmt: skip

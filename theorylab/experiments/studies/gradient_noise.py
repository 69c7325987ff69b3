"""The noise of minibatch gradients: Gaussian, of constant temperature, alike in all directions?

At a setting of the weights the gradient of a minibatch of B samples, drawn with replacement, is the
mean of B gradients of single samples, so the whole law of the noise follows from the gradients of
all n samples: its excess kurtosis in a direction is exactly that of one sample's gradient over B,
its covariance that of one sample's over B. The central limit theorem promises a Gaussian for large
B and does not say when. Directions are coordinates, which the statement names, and random ones;
coordinates whose gradient is the same for all samples (dead units) are left out. "Gaussian" is also
tested as a reader would, by D'Agostino and Pearson's test on fresh minibatches for each direction:
of Gaussian noise it rejects 5 %. Poggio & Liao, Theory II, section 7.1 and Fig. 6.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import sqrt
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from theorylab.experiments.data import load_dataset
from theorylab.experiments.drawing import BLUE, GREEN, GREY, ORANGE, strip, title_with_verdicts
from theorylab.experiments.experiment import (
    Arrays,
    Config,
    Experiment,
    Measurements,
    Null,
    Reading,
)
from theorylab.experiments.networks.ensemble import Descent, train_ensemble
from theorylab.experiments.networks.model import Perceptron, picked
from theorylab.experiments.seeds import child, generator
from theorylab.experiments.sources import POGGIO_LIAO
from theorylab.experiments.studies.sample_gradients import (
    NOMINAL,
    gaussian_rejections,
    isotropic_participation,
    minibatch_noise,
    participation_ratio,
    rejected_share,
    sample_gradients,
)
from theorylab.experiments.table import Table
from theorylab.experiments.verdict import Asserted, Measured, conclude, mean_of
from theorylab.outcome import InputError, Observed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAME: Final = "sgd-noise-gaussian"
PHASES: Final = ("init", "middle", "late")
# A coordinate lives when its deviation is this part of the largest one.
_LIVE: Final = 1e-6
_LEVELS: Final = np.linspace(0.005, 0.995, 100)

READINGS: Final = {
    "printed": "late in training the noise of minibatch gradients is approximately Gaussian",
    "projections-at-init": "before training the noise along random directions is approximately "
    "Gaussian",
    "constant-temperature": "the power of the noise does not depend on the loss, as that of "
    "Langevin's equation",
    "isotropic": "the noise is spread over all directions, as that of Langevin's equation",
}


@dataclass(frozen=True, kw_only=True)
class NoiseConfig(Config):
    """Networks trained by SGD, and the noise of their gradients at several steps.

    ``phases`` are the steps before, amid and after training, ``steps`` those at which power and
    loss are compared. ``batches`` end with the size of the training's own minibatches; the readings
    are about that size. Approximately Gaussian means here: the test rejects at most ``rejected``
    directions more than its nominal 5 %, and half the coordinates have an excess kurtosis of at
    most ``kurtosis`` (that of Student's law with 16 degrees of freedom). ``exponent`` is the least
    dependence on the loss that is one, ``spread`` the least share of isotropic noise's
    participation ratio that counts as all directions.
    """

    experiment: ClassVar[str] = NAME

    data: str = "digits"
    samples: int = 1000
    nets: int = 12
    nets_at_once: int = 3
    hidden: tuple[int, ...] = (64, 64)
    rate: float = 0.05
    batches: tuple[int, ...] = (10, 100)
    phases: tuple[int, int, int] = (0, 60, 800)
    steps: tuple[int, ...] = (60, 100, 170, 280, 480, 800)
    directions: int = 100
    draws: int = 500
    rejected: float = 0.05
    kurtosis: float = 0.5
    exponent: float = 0.2
    spread: float = 0.5
    fitted: float = 0.01

    def __post_init__(self) -> None:
        for name, value, fits, rule in (
            ("nets", self.nets, self.nets >= 2, "there are at least 2 nets"),
            ("nets_at_once", self.nets_at_once, self.nets_at_once >= 1, "at least 1 at a time"),
            ("batches", self.batches, min(self.batches, default=0) >= 1, "batches have samples"),
            ("phases", self.phases, len(self.phases) == len(PHASES) and
             list(self.phases) == sorted(set(self.phases)), "they are three steps in order"),
            ("steps", self.steps, len(set(self.steps)) >= 3, "a slope needs three steps"),
            ("draws", self.draws, self.draws >= 20, "the test needs at least 20 draws"),
            ("directions", self.directions, self.directions >= 1, "there is a direction"),
        ):  # fmt: skip
            if not fits:
                raise InputError(name, value, rule, "choose others")


def parts(config: NoiseConfig) -> tuple[str, ...]:
    """One part for each group of networks."""
    firsts = range(0, config.nets, config.nets_at_once)
    return tuple(f"nets from {first}" for first in firsts)


def measure(config: NoiseConfig, part: str, device: str) -> Measurements:
    """One row for each network, phase and size of minibatch."""
    first = int(part.rpartition(" ")[2])
    nets = range(first, min(first + config.nets_at_once, config.nets))
    data = load_dataset(config.data)
    drawn = [int(child(config.seed, NAME, "split", k).generate_state(1)[0]) for k in nets]
    splits = [data.split(config.samples, test=0, seed=s).standardised() for s in drawn]
    x, y = (
        torch.tensor(np.stack([getattr(split, name) for split in splits])).to(device)
        for name in ("x", "y")
    )
    model = Perceptron((x.shape[2], *config.hidden, data.classes))
    steps = tuple(sorted({*config.phases, *config.steps}))
    trained = train_ensemble(
        model, x, y, nets, seed=config.seed, names=(NAME,), device=device,
        descent=Descent(config.rate, max(steps), batch=config.batches[-1], record=steps),
    )  # fmt: skip
    rows: list[dict[str, object]] = []
    losses, traces = (np.full((len(nets), len(config.steps)), np.nan) for _ in "lt")
    quantiles = np.full((len(nets), len(PHASES), 2, len(_LEVELS)), np.nan)
    for k, net in enumerate(nets):
        own: list[dict[str, object]] = []
        for record in trained.records:
            gradients = sample_gradients(model, picked(record.parameters, [k]), x[k], y[k])
            gradients -= gradients.mean(0)
            powers = gradients.square().sum(1)
            if record.step in config.steps:
                place = config.steps.index(record.step)
                losses[k, place], traces[k, place] = record.losses[k], powers.mean()
            if record.step in config.phases:
                phase = config.phases.index(record.step)
                found, quantiles[k, phase] = _directions(config, gradients, net, PHASES[phase])
                top = torch.sort(powers, descending=True)[0][: max(1, len(powers) // 100)]
                late = phase == len(PHASES) - 1 and bool(powers.isfinite().all())
                about = {
                    "net": net,
                    "phase": PHASES[phase],
                    "loss": float(record.losses[k]),
                    "error": float(record.errors[k]),
                    "power": float(powers.mean()),
                    "of_top_percent": float(top.sum() / powers.sum()),
                    "participation": participation_ratio(gradients) if late else None,
                    "isotropic": isotropic_participation(*gradients.shape) if late else None,
                }
                own += [about | each for each in found]
        slope = _slope(losses[k], traces[k])
        rows += [row | {"exponent": slope if row["phase"] == PHASES[-1] else None} for row in own]
    arrays = {"losses": losses, "traces": traces, "quantiles": quantiles}
    return Measurements(rows, {name: a.astype(np.float32) for name, a in arrays.items()})


def _slope(losses: NDArray[np.float64], traces: NDArray[np.float64]) -> float | None:
    """The exponent q of power ~ loss^q; None where it is not finite."""
    if not (np.isfinite(losses).all() and np.isfinite(traces).all() and losses.min() > 0):
        return None
    return float(stats.linregress(np.log(losses), np.log(traces)).slope)


def _directions(
    config: NoiseConfig, gradients: Tensor, net: int, phase: str
) -> tuple[list[dict[str, object]], NDArray[np.float64]]:
    """For each size of minibatch what the directions show, and quantiles at the last size."""
    source = generator(config.seed, NAME, "directions", net, phase)
    deviations = gradients.square().mean(0).sqrt().double().cpu().numpy()
    live = np.flatnonzero(deviations > _LIVE * np.max(deviations, initial=0.0))
    count = min(config.directions, len(live))
    random = source.standard_normal((gradients.shape[1], config.directions), np.float32)
    quantiles = np.full((2, len(_LEVELS)), np.nan)
    if not count:  # a net that diverged, or whose units all died
        nothing = dict.fromkeys(
            ("coordinates", "projections", "coordinate_kurtosis", "projection_kurtosis")
        )
        live_share = len(live) / len(deviations)
        return [{"batch": b, "live": live_share, **nothing} for b in config.batches], quantiles
    chosen = source.choice(live, count, replace=False)
    along = {
        "coordinate": gradients[:, torch.from_numpy(chosen).to(gradients.device)],
        "projection": gradients @ torch.from_numpy(random).to(gradients),
    }
    rows: list[dict[str, object]] = []
    for batch in config.batches:
        row: dict[str, object] = {"batch": batch, "live": len(live) / len(deviations)}
        draws = generator(config.seed, NAME, "minibatches", net, phase, batch)
        for place, (kind, values) in enumerate(along.items()):
            one = values.double().cpu().numpy()
            # exact for sums of independent draws: no minibatch is needed
            row[f"{kind}_kurtosis"] = float(np.median(stats.kurtosis(one, axis=0))) / batch
            noise = minibatch_noise(one, batch, config.draws, draws)
            row[f"{kind}s"] = rejected_share(noise)
            if batch == config.batches[-1]:
                scaled = noise / one.std(0) * sqrt(batch)
                quantiles[place] = np.quantile(scaled, _LEVELS)
        rows.append(row)
    return rows, quantiles


def _values(config: NoiseConfig, table: Table, phase: str, column: str) -> NDArray[np.float64]:
    """A column of the nets at the last size of minibatch; a net without a value is left out, and
    then the gate on them is shut."""
    found = table.where(phase=phase, batch=config.batches[-1]).column(column)
    found = found[np.isfinite(found)]
    return found if len(found) > 1 else np.zeros(2)


def _concluded(
    config: NoiseConfig,
    table: Table,
    variant: str,
    measured: Sequence[Measured],
    phase: str,
    column: str = "coordinates",
) -> Observed:
    rows = table.where(phase=phase, batch=config.batches[-1])
    finite = all(np.isfinite(rows.column(name)).all() for name in ("coordinates", column))
    gates = [("every network finite", finite)]
    if phase == PHASES[-1]:
        errors = rows.column("error")
        fits = bool(np.isfinite(errors).all()) and float(errors.mean()) <= config.fitted
        gates.append(("the networks fit", fits))
    words = READINGS[variant]
    return conclude(measured, words, seed=config.seed, gates=gates, alpha=config.alpha)


def _rejected(config: NoiseConfig, table: Table, phase: str, kind: str) -> Measured:
    asserted = Asserted.equal(NOMINAL, config.rejected)
    values = _values(config, table, phase, kind)
    name = f"{kind} that are not Gaussian, of all {kind}, {phase}"
    return mean_of(name, values, asserted, config.alpha)


def judge_gaussian(config: NoiseConfig, table: Table) -> Observed:
    """Rejections along coordinates and random directions, and kurtosis, late in training."""
    late = PHASES[-1]
    heavy = mean_of(
        "median excess kurtosis of coordinates",
        _values(config, table, late, "coordinate_kurtosis"),
        Asserted.equal(0.0, config.kurtosis),
        config.alpha,
    )
    kinds = ("coordinates", "projections")
    measured = [*(_rejected(config, table, late, kind) for kind in kinds), heavy]
    return _concluded(config, table, "printed", measured, late)


def judge_first(config: NoiseConfig, table: Table) -> Observed:
    """Rejections along random directions before training."""
    measured = [_rejected(config, table, PHASES[0], "projections")]
    return _concluded(config, table, "projections-at-init", measured, PHASES[0])


def judge_temperature(config: NoiseConfig, table: Table) -> Observed:
    """The exponent of power in the loss, one for each network."""
    asserted = Asserted.equal(0.0, config.exponent)
    values = _values(config, table, PHASES[-1], "exponent")
    found = mean_of("exponent of power in the loss", values, asserted, config.alpha)
    return _concluded(config, table, "constant-temperature", [found], PHASES[-1], "exponent")


def judge_isotropic(config: NoiseConfig, table: Table) -> Observed:
    """The participation ratio over that of isotropic noise from as many samples."""
    late = PHASES[-1]
    ratios = _values(config, table, late, "participation")
    bounds = _values(config, table, late, "isotropic")
    paired = len(ratios) == len(bounds) and bool(bounds.all())
    share = ratios / bounds if paired else np.zeros(2)
    asserted = Asserted.above(config.spread / 2, config.spread)
    found = mean_of("share of isotropic participation", share, asserted, config.alpha)
    found = replace(found, remark=f"mean ratio {ratios.mean():.1f} of {bounds.mean():.0f}")
    return _concluded(config, table, "isotropic", [found], late, "participation")


def _with(
    table: Table, phase: str, column: str, values: Callable[[int], NDArray[np.float64]]
) -> Table:
    rows = [place for place, row in enumerate(table) if row["phase"] == phase]
    cells: list[object] = [row[column] for row in table]
    for place, value in zip(rows, values(len(rows)), strict=True):
        cells[place] = float(value)
    return table.replaced(column, cells)


def _gaussian(config: NoiseConfig, table: Table, draw: np.random.Generator, phase: str) -> Table:
    """The table that Gaussian noise in the place of the gradients' would give."""

    def rejections(count: int) -> NDArray[np.float64]:
        pool = gaussian_rejections(config.draws)
        return np.asarray(draw.choice(pool, (count, config.directions)).mean(1), np.float64)

    def flat(count: int) -> NDArray[np.float64]:
        return draw.normal(0.0, 0.05, count)

    for kind in ("coordinate", "projection"):
        table = _with(table, phase, f"{kind}s", rejections)
        table = _with(table, phase, f"{kind}_kurtosis", flat)
    return table


def _shifted(
    config: NoiseConfig,
    table: Table,
    draw: np.random.Generator,
    phase: str,
    column: str,
    mean: Callable[[NoiseConfig, Table], float],
) -> Table:
    """The table with this mean in a column: the measured residuals get signs by chance."""
    nets = _values(config, table, phase, column)
    residuals = (nets - nets.mean()) * sqrt(len(nets) / (len(nets) - 1))
    cells = [row[column] for row in table]
    places = [
        place
        for place, row in enumerate(table)
        if row["phase"] == phase and row["batch"] == config.batches[-1]
    ]
    planted = mean(config, table) + residuals * draw.choice((-1.0, 1.0), len(nets))
    for place, value in zip(places, planted, strict=True):
        cells[place] = float(value)
    return table.replaced(column, cells)


NULLS: Final = (
    Null("Gaussian noise late", "printed", "inconsistent",
         partial(_gaussian, phase=PHASES[-1])),
    Null("Gaussian noise before training", "projections-at-init", "inconsistent",
         partial(_gaussian, phase=PHASES[0])),
    Null("as many rejections as are too many", "projections-at-init", "consistent",
         partial(_shifted, phase=PHASES[0], column="projections",
                 mean=lambda config, table: NOMINAL + config.rejected)),
    Null("power does not depend on the loss", "constant-temperature", "inconsistent",
         partial(_shifted, phase=PHASES[-1], column="exponent", mean=lambda config, table: 0.0)),
    Null("just spread enough", "isotropic", "inconsistent",
         partial(_shifted, phase=PHASES[-1], column="participation",
                 mean=lambda config, table: config.spread * float(
                     _values(config, table, PHASES[-1], "isotropic").mean()))),
)  # fmt: skip


def draw(config: NoiseConfig, table: Table, arrays: Arrays, figure: Figure) -> None:
    """Quantiles against a Gaussian's, rejections by phase and size, power against loss."""
    first, second, third = figure.subplots(1, 3)
    gathered = {
        name: np.concatenate([a for key, a in arrays.items() if key.rpartition("/")[2] == name])
        for name in ("quantiles", "losses", "traces")
    }
    _draw_quantiles(first, gathered["quantiles"], config.batches[-1])
    _draw_rejections(config, table, second)
    _draw_power(third, gathered["losses"], gathered["traces"])
    judged = EXPERIMENTS[NAME].judged(config, table)
    title_with_verdicts(figure, "The noise of minibatch gradients", judged, per_line=2)


def _draw_quantiles(panel: Axes, quantiles: NDArray[np.float32], batch: int) -> None:
    normal = stats.norm.ppf(_LEVELS)
    panel.plot(normal, normal, color=GREY, linewidth=0.8)
    lines = ((0, 1, BLUE, "-", "init, random directions"), (2, 1, ORANGE, "--", "late, random"),
             (2, 0, ORANGE, "-", "late, coordinates"))  # fmt: skip
    for phase, kind, colour, style, label in lines:
        seen = quantiles[np.isfinite(quantiles[:, phase, kind]).all(1), phase, kind]
        if len(seen):
            panel.plot(normal, seen.mean(0), style, color=colour, label=label)
    panel.set_xlabel("quantile of a Gaussian")
    panel.set_ylabel("quantile of the noise (deviations)")
    panel.set_title(f"minibatches of {batch}", fontsize=9)
    panel.legend(fontsize=7, loc="upper left")


def _draw_rejections(config: NoiseConfig, table: Table, panel: Axes) -> None:
    ticks = []
    for group, phase in enumerate(PHASES):
        for place, batch in enumerate(config.batches):
            at = group * (len(config.batches) + 0.6) + place
            ticks.append((at, f"{phase}\n{batch}" if place == 0 else f"\n{batch}"))
            rows = table.where(phase=phase, batch=batch)
            named = group == place == 0
            strip(panel, at - 0.17, 100 * rows.column("coordinates"), ORANGE, "o",
                  "coordinates" if named else None)  # fmt: skip
            strip(panel, at + 0.17, 100 * rows.column("projections"), BLUE, "s",
                  "random directions" if named else None)  # fmt: skip
    panel.axhline(100 * NOMINAL, color=GREEN, linestyle="--", linewidth=1, label="Gaussian: 5 %")
    panel.set_xticks([at for at, _ in ticks], [text for _, text in ticks], fontsize=8)
    panel.set_xlabel("phase, samples in a minibatch")
    panel.set_ylabel("directions rejected as Gaussian (%)")
    panel.set_ylim(-3, 103)
    panel.legend(fontsize=7, loc="lower right", bbox_to_anchor=(1, 0.1))


def _draw_power(panel: Axes, losses: NDArray[np.float32], traces: NDArray[np.float32]) -> None:
    finite = np.isfinite(losses).all(1) & np.isfinite(traces).all(1)
    for place, (loss, power) in enumerate(zip(losses[finite], traces[finite], strict=True)):
        panel.plot(loss, power, ".-", color=BLUE, linewidth=0.6, markersize=3, alpha=0.6,
                   label="a network" if place == 0 else None)  # fmt: skip
    if finite.any():
        x = np.geomspace(losses[finite].min(), losses[finite].max(), 2)
        middle = float(np.exp(np.log(traces[finite]).mean()))
        panel.plot(x, [middle, middle], "--", color=ORANGE, label="constant temperature")
        panel.legend(fontsize=7, loc="upper left")
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlabel("training loss (nats)")
    panel.set_ylabel("power of one sample's noise")


EXPERIMENTS: Final = {
    NAME: Experiment(
        name=NAME,
        title="How Gaussian the noise of minibatch gradients is, and how it dies away",
        source=replace(POGGIO_LIAO, where="section 7.1, Fig. 6"),
        readings=(
            Reading("printed", READINGS["printed"], "inconsistent", judge_gaussian),
            Reading(
                "projections-at-init", READINGS["projections-at-init"], "consistent", judge_first
            ),
            Reading(
                "constant-temperature", READINGS["constant-temperature"], "inconsistent",
                judge_temperature,
            ),
            Reading("isotropic", READINGS["isotropic"], "inconsistent", judge_isotropic),
        ),
        budgets={
            "ci": NoiseConfig(),
            "full": NoiseConfig(
                data="fashion-mnist", samples=2000, nets=30, hidden=(256, 256),
                phases=(0, 300, 8000), steps=(300, 600, 1000, 2000, 4000, 8000),
            ),
        },
        parts=parts,
        measure=measure,
        draw=draw,
        nulls=NULLS,
        remarks="Coordinates are zero for samples whose units are off, so they are the farther "
        "from Gaussian; random directions mix them all. Where the loss vanishes so does the noise: "
        "Boltzmann's law at a temperature belongs to SGD with added noise, not to SGD.",
    )
}  # fmt: skip

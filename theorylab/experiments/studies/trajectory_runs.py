"""Training runs that part: branches of full-batch descents, and SGD repeated from one point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from theorylab.experiments.data import load_dataset
from theorylab.experiments.experiment import Config, Measurements
from theorylab.experiments.networks.curves import Curve, line
from theorylab.experiments.networks.devices import device as device_of
from theorylab.experiments.networks.ensemble import Descent, Record, Trained, train_ensemble
from theorylab.experiments.networks.model import (
    Model,
    Parameters,
    Perceptron,
    errors,
    loss_of,
    paper_network,
    picked,
)
from theorylab.experiments.seeds import generator
from theorylab.experiments.studies.mds import cosine_distances, plane
from theorylab.outcome import InputError

NAME: Final = "trajectory-basins"
MODELS: Final = ("perceptron", "paper")
RUNS: Final = 8  # of each stage: the first half from P, the others from P perturbed
# In deviations of each layer's weights, as all noise here.
STAGE_NOISE: Final = 0.01
PAPERS_NOISE: Final = 0.25
_LOSS: Final = "cross-entropy"
_LAYER_2: Final = 2  # weights and biases alternate: the place of the second layer's weights
_FIRST_WINDOW: Final = 8
_KINDS: Final = ("kind", "net", "noise", "epoch", "loss", "error", "reached", "diverged", "slowest",
                 "last", "barrier", "error_barrier", "middle_error", "worst_middle_error", "stage",
                 "moved", "apart", "perturbed", "strain")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TrajectoryConfig(Config):
    """Full-batch descents of which the first ``branched`` get branches, and SGD in stages.

    ``noises`` are in deviations of each layer's weights; a net's branch is drawn ``draws`` times,
    and the mean of what they come to is the net's: large noise makes large differences.
    Branches are late from the epoch ``late`` on. ``higher`` is the least ratio of early to late
    barriers; ``wall`` the least share of wrong answers above the chord that counts as a wall;
    ``average`` the largest by which an average of two models inside a basin (main run and late
    branch at a noise up to 1) may err more than they do; ``elsewhere`` the least distance of the
    ends of parallel runs, in units of how far they moved, that makes them different; ``falls`` the
    least rank correlation of a trend, ``plane`` the least share of the strain that a plane is said
    to show.
    """

    experiment: ClassVar[str] = NAME

    data: str = "digits"
    train: int = 400
    model: str = "perceptron"
    hidden: tuple[int, ...] = (64, 64)
    descents: int = 24
    branched: int = 20
    branched_at_once: int = 4
    epochs: int = 300
    descent_rate: float = 0.05
    branches: tuple[int, ...] = (0, 10, 50, 200)
    noises: tuple[float, ...] = (0.25, 1.0, 3.0)
    draws: tuple[int, ...] = (1, 1, 2)
    points: int = 13
    trajectories: int = 8
    trajectories_at_once: int = 4
    stages: int = 12
    stage_epochs: int = 5
    rate: float = 0.01
    batch: int = 50
    higher: float = 1.25
    wall: float = 0.05
    average: float = 0.01
    late: int = 50
    elsewhere: float = 0.1
    falls: float = 0.4
    plane: float = 0.6

    def __post_init__(self) -> None:
        for name, value, least in (
            ("descents", self.descents, max(2, self.branched)),
            ("branched", self.branched, 2),
            ("branched_at_once", self.branched_at_once, 1),
            ("epochs", self.epochs, max((2 * _FIRST_WINDOW, *self.branches)) + 1),
            ("branches", len(self.branches), 3),
            ("points", self.points, 3),
            ("trajectories", self.trajectories, 2),
            ("trajectories_at_once", self.trajectories_at_once, 1),
            ("stages", self.stages, 3),
            ("stage_epochs", self.stage_epochs, 1),
        ):
            if value < least:
                raise InputError(name, value, f"it is at least {least}", "choose more")
        if len(self.draws) != len(self.noises) or min(self.draws) < 1:
            rule = f"there is a number of draws, at least 1, for each of {len(self.noises)} noises"
            raise InputError("draws", self.draws, rule, "give as many")
        if PAPERS_NOISE not in self.noises or not any(PAPERS_NOISE < n <= 1 for n in self.noises):
            rule = f"noises hold the paper's, {PAPERS_NOISE}, and one from there to 1"
            raise InputError("noises", self.noises, rule, "add them")
        if not min(self.branches) < self.late <= max(self.branches):
            rule = "some branches are late, from this epoch on, and some are not"
            raise InputError("late", self.late, rule, f"they are at {self.branches}")
        if self.model not in MODELS:
            rule = f"the models are {' and '.join(MODELS)}"
            raise InputError("model", self.model, rule, "choose one")


def parts(config: TrajectoryConfig) -> tuple[str, ...]:
    """Groups of nets with branches, of nets in stages, and the descents without branches."""
    groups = (
        ("branches", 0, config.branched, config.branched_at_once),
        ("stages", 0, config.trajectories, config.trajectories_at_once),
        # a descent with branches costs about as much as ten without
        ("descents", config.branched, config.descents, 8 * config.branched_at_once),
    )
    return tuple(
        f"{kind} nets={first}-{min(first + size, end) - 1}"
        for kind, begin, end, size in groups
        for first in range(begin, end, size)
    )


def measure(config: TrajectoryConfig, part: str, device: str) -> Measurements:
    """Rows of the kinds main, branch, stage and plane, each for one net (and branch, and stage)."""
    kind, _, which = part.partition(" nets=")
    first, last = map(int, which.split("-"))
    nets, place = range(first, last + 1), device_of(device)
    data = load_dataset(config.data)
    split = data.split(train=config.train, seed=config.seed).standardised()
    x, y = torch.tensor(split.x).to(place), torch.tensor(split.y).to(place)
    model: Model
    if config.model == "paper":
        model, x = paper_network(image_shape(data.shape), data.classes), x.reshape(-1, *data.shape)
    else:
        model = Perceptron((x.shape[1], *config.hidden, data.classes))
    run = _Runs(config, model, x, y, place)
    with torch.no_grad():
        if kind == "stages":
            return run.stages(nets)
        return run.descents(nets, branched=kind == "branches")


def image_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Channels, height and width. InputError for samples that are no images."""
    if len(shape) != 3:
        rule = "the paper's network takes images"
        raise InputError("data", shape, rule, "choose images, or the model perceptron")
    return shape[0], shape[1], shape[2]


@dataclass
class _Runs:
    """A model and its data, on one device."""

    config: TrajectoryConfig
    model: Model
    x: Tensor
    y: Tensor
    place: torch.device

    def descents(self, nets: Sequence[int], branched: bool) -> Measurements:
        """Full-batch descents, and for each branch epoch and noise a branch of every one."""
        config, grid = self.config, self._grid()
        main = self._descend(nets, 0, None, grid)
        rows = [self._main_row(net, at, main) for at, net in enumerate(nets)]
        if not branched:
            return Measurements(rows)
        arrays: dict[str, NDArray[Any]] = {}
        at = {record.step: record for record in main.records}
        shown = _Drawn()
        if 0 in nets:
            shown.add(0, 0, list(at.values()), nets.index(0))
        for noise, draws in zip(config.noises, config.draws, strict=True):
            for number, epoch in enumerate(config.branches, start=1):
                own, found = tuple(e - epoch for e in grid if e >= epoch), []
                for drawn in range(draws):
                    names = ("branch", epoch, drawn)
                    start = perturbed(config.seed, at[epoch].parameters, noise, nets, *names)
                    branch = self._descend(nets, epoch, start, own)
                    middles = self._middles(at, branch.records, epoch)
                    found.append(self._branch_figures(epoch, main, branch, middles))
                    if 0 in nets and noise == drawn_noise(config) and drawn == 0:
                        shown.add(number, epoch, branch.records, nets.index(0))
                        shown.add(-number, epoch, middles, nets.index(0))
                rows += [
                    branch_row(net, noise, epoch, [figures[k] for figures in found])
                    for k, net in enumerate(nets)
                ]
        if 0 in nets:
            arrays = shown.arrays()
        return Measurements(rows, arrays)

    def _grid(self) -> tuple[int, ...]:
        """Epochs that are looked at: powers of two, the branches, the last and half of it."""
        total = self.config.epochs
        doubled = [_FIRST_WINDOW]
        while 2 * doubled[-1] <= total:
            doubled.append(2 * doubled[-1])
        return tuple(sorted({*self.config.branches, *doubled, total // 2, total}))

    def _descend(
        self, nets: Sequence[int], begun: int, start: Parameters | None, grid: tuple[int, ...]
    ) -> Trained:
        rule = Descent(self.config.descent_rate, self.config.epochs - begun, record=grid)
        return train_ensemble(
            self.model, self.x, self.y, nets, seed=self.config.seed, names=(NAME, "descent"),
            descent=rule, start=start, device=self.place,
        )  # fmt: skip

    def _middles(
        self, main: dict[int, Record], branch: Sequence[Record], begun: int
    ) -> list[Record]:
        """The averages of main run and branch, epoch by epoch."""
        found = []
        for record in branch:
            other = main[record.step + begun]
            middle = Curve((other.parameters, record.parameters)).at(0.5)
            outputs = self.model.outputs(middle, self.x)
            losses, wrong = loss_of(outputs, self.y, _LOSS), errors(outputs, self.y)
            found.append(Record(record.step, middle, losses, wrong))
        return found

    def _main_row(self, net: int, k: int, main: Trained) -> dict[str, object]:
        losses = {r.step: float(r.losses[k]) for r in main.records}
        wrong = {r.step: float(r.errors[k]) for r in main.records}
        total = self.config.epochs
        falls = [
            losses[2 * t] / losses[t]
            for t in losses
            if t >= _FIRST_WINDOW and 2 * t in losses and wrong[t] > 0
        ]
        # a run that was fitted before the first window has not stalled in any
        return _row(
            "main", net, epoch=total, loss=losses[total], error=wrong[total],
            reached=wrong[total] == 0, diverged=bool(main.diverged[k]),
            slowest=max(falls, default=0.0), last=losses[total] / losses[total // 2],
        )  # fmt: skip

    def _branch_figures(
        self, epoch: int, main: Trained, branch: Trained, middles: list[Record]
    ) -> list[dict[str, float]]:
        """What the branch of each net came to."""
        ends = (main.parameters, branch.parameters)
        found = line(self.model, *ends, self.x, self.y, _LOSS, self.config.points)
        at = {record.step: record for record in main.records}
        above = torch.stack([
            middle.errors - (at[record.step + epoch].errors + record.errors) / 2
            for middle, record in zip(middles, branch.records, strict=True)
        ]).double().cpu()  # fmt: skip
        return [
            {
                "loss": float(branch.losses[k]),
                "error": float(branch.errors[k]),
                "diverged": float(branch.diverged[k]),
                "barrier": float(found.barrier[k]),
                "error_barrier": float(found.error_barrier[k]),
                "middle_error": float(above[-1, k]),
                "worst_middle_error": float(above[:, k].amax()),
            }
            for k in range(len(above[0]))
        ]

    def stages(self, nets: Sequence[int]) -> Measurements:
        """Stages of eight parallel SGD runs of every net; each goes on from the first run's end."""
        config, names = self.config, (NAME, "stages")
        half = RUNS // 2
        numbers = [net * RUNS + run for net in nets for run in range(RUNS)]
        points = self.model.initial(config.seed, nets, *names, device=self.place)
        steps = config.stage_epochs * -(-config.train // config.batch)
        rule = Descent(config.rate, steps, batch=config.batch, record=(-(-steps // 2), steps))
        rows: list[dict[str, object]] = []
        seen = [_Drawn() for _ in nets]
        for stage in range(1, config.stages + 1):
            start = picked(points, [k for k in range(len(nets)) for _ in range(RUNS)])
            moved = perturbed(config.seed, start, STAGE_NOISE, numbers, "stage", stage)
            late = torch.tensor([n % RUNS >= half for n in numbers], device=self.place)
            start = tuple(
                torch.where(late.reshape(-1, *[1] * (p.dim() - 1)), q, p)
                for p, q in zip(start, moved, strict=True)
            )
            trained = train_ensemble(
                self.model, self.x, self.y, numbers, seed=config.seed, names=(*names, stage),
                descent=rule, start=start, device=self.place,
            )  # fmt: skip
            for k, net in enumerate(nets):
                mine = slice(k * RUNS, (k + 1) * RUNS)
                layers = [_layer_2(points)[k : k + 1], _layer_2(trained.parameters)[mine]]
                rows.append(self._stage_row(net, stage, np.concatenate(layers), trained, mine))
                for run in range(RUNS):
                    seen[k].add(run + 1, stage, trained.records, k * RUNS + run)
            points = picked(trained.parameters, range(0, len(numbers), RUNS))
        arrays: dict[str, NDArray[Any]] = {}
        for k, net in enumerate(nets):
            drawn = seen[k].arrays()
            strain = float(drawn["strain"][0]) if drawn else None
            rows.append(_row("plane", net, strain=strain))
            if net == 0:
                arrays = drawn
        return Measurements(rows, arrays)

    def _stage_row(
        self, net: int, stage: int, layers: NDArray[np.float64], trained: Trained, mine: slice
    ) -> dict[str, object]:
        """Distances between P, the first place of ``layers``, and the ends of the runs, all as
        chords of the unit sphere: sqrt(2 (1 - cos))."""
        diverged, half = bool(trained.diverged[mine].any()), RUNS // 2
        found: dict[str, object] = {"moved": None, "apart": None, "perturbed": None}
        if not diverged:
            distances = np.sqrt(2 * cosine_distances(layers))
            plain = range(1, half + 1)
            moved = float(np.mean([distances[0, i] for i in plain]))
            pairs = [distances[i, j] for i, j in combinations(plain, 2)]
            cross = [distances[i, j] for i in plain for j in range(half + 1, RUNS + 1)]
            if moved > 0:
                found = {
                    "moved": moved,
                    "apart": float(min(pairs)) / moved,
                    "perturbed": float(np.mean(cross)) / float(np.mean(pairs)),
                }
        return _row(
            "stage", net, stage=stage, diverged=diverged,
            loss=float(trained.losses[mine].mean()), error=float(trained.errors[mine].mean()),
            **found,
        )  # fmt: skip


def perturbed(
    seed: int, parameters: Parameters, noise: float, nets: Sequence[int], *names: str | int
) -> Parameters:
    """The parameters with Gaussian noise, in deviations of each tensor of each net."""
    sources = [generator(seed, NAME, *names, f"{noise}", net) for net in nets]
    moved = []
    for p in parameters:
        drawn = np.stack([source.standard_normal(tuple(p.shape[1:])) for source in sources])
        scale = p.flatten(1).std(1).reshape(-1, *[1] * (p.dim() - 1))
        moved.append(p + noise * scale * torch.from_numpy(drawn).to(p))
    return tuple(moved)


def branch_row(
    net: int, noise: float, epoch: int, draws: Sequence[dict[str, float]]
) -> dict[str, object]:
    """A branch whose heights are the means over its draws, its end the worst of them."""
    means = {
        name: float(np.mean([draw[name] for draw in draws]))
        for name in ("barrier", "error_barrier", "middle_error")
    }
    worst = {
        name: float(np.max([draw[name] for draw in draws]))
        for name in ("loss", "error", "worst_middle_error")
    }
    return _row(
        "branch", net, noise=noise, epoch=epoch, reached=worst["error"] == 0,
        diverged=any(draw["diverged"] for draw in draws), **means, **worst,
    )  # fmt: skip


class _Drawn:
    """Points of the weights of layer 2 that are put into one plane, with their errors."""

    def __init__(self) -> None:
        self.points: list[NDArray[np.float64]] = []
        self.rows: list[tuple[float, int, int, int]] = []

    def add(self, kind: int, stage: int, records: Sequence[Record], k: int) -> None:
        for record in records:
            point = _layer_2(picked(record.parameters, [k]))[0]
            if np.isfinite(point).all() and point.any():
                self.points.append(point)
                self.rows.append((float(record.errors[k]), kind, stage, record.step))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The plane, the errors, and for each point its kind, stage and step."""
        if len(self.points) < 3:
            return {}
        places, strain = plane(cosine_distances(np.stack(self.points)))
        error, kind, stage, step = zip(*self.rows, strict=True)
        return {
            "places": places.astype(np.float32),
            "errors": np.array(error, np.float32),
            "kinds": np.array(kind, np.int16),
            "stages": np.array(stage, np.int16),
            "steps": np.array(step, np.int32),
            "strain": np.array([strain]),
        }


def drawn_noise(config: TrajectoryConfig) -> float:
    """The noise whose branches are drawn in the plane."""
    return min(config.noises)


def _layer_2(parameters: Parameters) -> NDArray[np.float64]:
    return parameters[_LAYER_2].flatten(1).double().cpu().numpy()


def _row(kind: str, net: int, **cells: object) -> dict[str, object]:
    """A row with all columns, those without a meaning for its kind None."""
    return {**dict.fromkeys(_KINDS), "kind": kind, "net": net, **cells}

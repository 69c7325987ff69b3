"""Training K networks at once: net k's result depends on its own names and on nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isfinite

import numpy as np
import torch
from torch import Tensor

from theorylab.experiments.networks.devices import device as device_of
from theorylab.experiments.networks.devices import flushed, one_thread
from theorylab.experiments.networks.losses import _loss, errors, target_of
from theorylab.experiments.networks.model import Model, Parameters, joined, picked, unflattened
from theorylab.experiments.seeds import generator
from theorylab.outcome import InputError

__all__ = ["Descent", "Record", "Trained", "train_ensemble"]

Progress = Callable[[int, int], None]
# Steps whose random numbers are drawn at a time. They are part of what a seed means.
_BATCH_BLOCK = 64
_NOISE_BLOCK = 16
# Numbers in the largest layer of a chunk: what fits a CPU's cache, and a modest GPU.
_CHUNK = {"cpu": 2**19, "cuda": 2**28}
_GATHERED = 2**18
_ALIGNED = 16
_BETAS, _TINY = (0.9, 0.999), 1e-8  # of Adam, torch's defaults


@dataclass(frozen=True, slots=True)
class Descent:
    """How networks are trained: ``steps`` of stochastic gradient descent, as torch.optim does them.

    ``rate`` is one number or one for each net; ``batch`` samples are drawn with replacement at each
    step (None: all samples, no drawing); ``decay`` times the parameters is added to the gradient;
    Gaussian ``noise`` of this deviation is added to every parameter after every step (SGDL);
    ``kind`` is "sgd" or "adam". Every ``check`` steps a net whose loss on all samples is at most
    ``stop_loss`` is frozen. Parameters are recorded after the numbers of steps in ``record``.
    Raises InputError for numbers that make no descent.

    >>> Descent(0.1, 500, batch=32).momentum
    0.9
    """

    rate: float | tuple[float, ...]
    steps: int
    momentum: float = 0.9
    batch: int | None = None
    decay: float = 0.0
    noise: float = 0.0
    kind: str = "sgd"
    stop_loss: float | None = None
    check: int = 100
    record: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        rates = self.rate if isinstance(self.rate, tuple) else (self.rate,)
        for name, value, fits, rule in (
            ("rate", self.rate, all(isfinite(r) and r >= 0 for r in rates), "is at least 0"),
            ("steps", self.steps, self.steps >= 0, "is at least 0"),
            ("momentum", self.momentum, 0 <= self.momentum < 1, "lies in [0, 1)"),
            ("batch", self.batch, self.batch is None or self.batch >= 1, "is at least 1"),
            ("decay", self.decay, self.decay >= 0, "is at least 0"),
            ("noise", self.noise, self.noise >= 0, "is at least 0"),
            ("kind", self.kind, self.kind in ("sgd", "adam"), 'is "sgd" or "adam"'),
            ("check", self.check, self.check >= 1, "is at least 1"),
            ("record", self.record, all(0 <= r <= self.steps for r in self.record),
             "holds numbers of steps from 0 to the last"),
        ):  # fmt: skip
            if not fits:
                raise InputError(name, value, f"the {name} {rule}", "choose another")


@dataclass(frozen=True, slots=True)
class Record:
    """All nets after so many steps: parameters, and loss [K] and error [K] on all samples."""

    step: int
    parameters: Parameters
    losses: Tensor
    errors: Tensor


@dataclass(frozen=True, slots=True)
class Trained:
    """K trained networks, loss [K] and error [K] on all training samples.

    ``diverged`` [K] marks those whose parameters or loss are not finite: they are kept. ``steps``
    [K] says how many steps each took before it was frozen.
    """

    nets: tuple[int, ...]
    parameters: Parameters
    diverged: Tensor
    losses: Tensor
    errors: Tensor
    steps: Tensor
    records: tuple[Record, ...] = ()


def train_ensemble(
    model: Model,
    x: Tensor,
    y: Tensor,
    nets: int | Sequence[int],
    *,
    seed: int,
    descent: Descent,
    names: Sequence[str | int] = (),
    start: Parameters | None = None,
    loss: str = "cross-entropy",
    device: str | torch.device = "cpu",
    chunk: int | None = None,
    dtype: torch.dtype = torch.float32,
    progress: Progress | None = None,
) -> Trained:
    """Train the nets with these numbers on x [n, ...] and y [n] (or [K, n, ...] and [K, n]).

    Initial weights, minibatches and noise of net k come from the seed's children (*names, role, k);
    ``start`` replaces the initial weights. A net that is no longer finite at a check is left there
    and marked. ``chunk`` nets are computed at a time, by default what the device holds well.
    ``progress`` is told the steps done and all steps, summed over nets.
    Guarantees: on a CPU the numbers of net k do not depend, bit for bit, on the other nets, the
    chunk or the number of threads. Raises InputError for data, rates or a start of a wrong shape.

    >>> from theorylab.experiments.networks.model import Perceptron
    >>> x = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    >>> model, rule = Perceptron((2, 8, 2)), Descent(0.1, 100)
    >>> three = train_ensemble(model, x, torch.tensor([0, 1]), 3, seed=0, descent=rule)
    >>> alone = train_ensemble(model, x, torch.tensor([0, 1]), [2], seed=0, descent=rule)
    >>> three.errors.tolist(), torch.equal(three.parameters[0][2], alone.parameters[0][0])
    ([0.0, 0.0, 0.0], True)
    """
    numbers = tuple(range(nets)) if isinstance(nets, int) else tuple(nets)
    place = device_of(device) if isinstance(device, str) else device
    with torch.no_grad(), one_thread(), flushed():
        target = target_of(y.to(place), model.output_width, loss, dtype)
        given = x.to(place, dtype)
        _checked(model, given, target, numbers, descent, start)
        if chunk is not None and chunk < 1:
            raise InputError("chunk", chunk, "a chunk has at least one net", "leave it out")
        if chunk is None:
            chunk = _chunk_size(model, descent.batch or target.shape[-2], place)
        parts: list[Trained] = []
        for first in range(0, len(numbers), chunk):
            rows = slice(first, first + chunk)
            if start is None:
                fresh = model.initial(seed, numbers[rows], *names, dtype=dtype, device=place)
            else:
                fresh = tuple(p[rows].to(place, dtype) for p in start)
            run = _Run(
                model,
                given[rows] if given.dim() == model.sample_axes + 2 else given,
                target[rows] if target.dim() == 3 else target,
                loss,
                _rates_of(descent, rows),
                [generator(seed, *names, "batches", k) for k in numbers[rows]],
                [generator(seed, *names, "noise", k) for k in numbers[rows]],
            )
            told = None
            if progress is not None:
                told = partial(_told, progress, first, len(numbers), descent.steps)
            parts.append(_trained(run, numbers[rows], fresh, told))
    return _together(parts)


def _told(progress: Progress, before: int, nets: int, steps: int, done: int, here: int) -> None:
    progress(before * steps + done * here, nets * steps)


def _rates_of(descent: Descent, rows: slice) -> Descent:
    return replace(descent, rate=descent.rate[rows]) if isinstance(descent.rate, tuple) else descent


def _chunk_size(model: Model, samples: int, place: torch.device) -> int:
    limit = _CHUNK.get(place.type, _CHUNK["cpu"])
    return max(1, limit // (samples * model.floats_per_sample()))


def _checked(
    model: Model,
    x: Tensor,
    target: Tensor,
    nets: tuple[int, ...],
    descent: Descent,
    start: Parameters | None,
) -> None:
    if not nets or len(set(nets)) < len(nets) or min(nets) < 0:
        raise InputError("nets", nets, "nets are different whole numbers from 0", "give some")
    own_x = x.dim() == model.sample_axes + 2
    if not own_x and x.dim() != model.sample_axes + 1:
        rule = f"a sample of this model has {model.sample_axes} axes"
        raise InputError("x", tuple(x.shape), rule, "give x [n, ...] or [K, n, ...]")
    for name, given, own in (("x", x, own_x), ("y", target, target.dim() == 3)):
        if own and given.shape[0] != len(nets):
            rule = f"the leading axis of data of their own is the {len(nets)} nets"
            raise InputError(name, tuple(given.shape), rule, "give one row for each net")
    samples = x.shape[int(own_x)]
    if not samples:
        raise InputError("x", tuple(x.shape), "there is at least one sample", "give some")
    if samples != target.shape[-2]:
        rule = f"there is a target for each of the {samples} samples"
        raise InputError("y", tuple(target.shape), rule, "give as many targets as samples")
    if isinstance(descent.rate, tuple) and len(descent.rate) != len(nets):
        rule = f"there is one rate, or one for each of the {len(nets)} nets"
        raise InputError("rate", descent.rate, rule, "give as many rates as nets")
    if start is not None:
        sizes = sum(p[0].numel() for p in start) if all(len(p) for p in start) else 0
        if any(len(p) != len(nets) for p in start) or sizes != model.parameter_count:
            rule = f"a start has {len(nets)} nets of {model.parameter_count} parameters"
            shapes = [tuple(p.shape) for p in start]
            raise InputError("start", shapes, rule, "start from the same model's parameters")


@dataclass
class _Run:
    """Nets being trained on one device: the data, and the sources of each net's draws."""

    model: Model
    x: Tensor
    target: Tensor
    loss: str
    descent: Descent
    batches: list[np.random.Generator]
    noises: list[np.random.Generator]

    def __post_init__(self) -> None:
        self.indices = np.zeros(
            (len(self.batches), _BATCH_BLOCK, self.descent.batch or 0), np.int32
        )
        self.noise = torch.zeros(0)

    @property
    def own_x(self) -> bool:
        return self.x.dim() == self.model.sample_axes + 2

    def keep(self, rows: list[int]) -> None:
        """Go on with these nets only."""
        at = torch.as_tensor(rows, device=self.x.device)
        self.x = self.x[at] if self.own_x else self.x
        self.target = self.target[at] if self.target.dim() == 3 else self.target
        rate = self.descent.rate
        if isinstance(rate, tuple):
            self.descent = replace(self.descent, rate=tuple(rate[i] for i in rows))
        self.batches = [self.batches[i] for i in rows]
        self.noises = [self.noises[i] for i in rows]
        self.indices = self.indices[rows]
        self.noise = self.noise[at] if len(self.noise) else self.noise

    def gathered(self, step: int, end: int) -> list[tuple[Tensor, Tensor]]:
        """The samples and targets of the next steps, at least one and none from ``end`` on."""
        batch, nets, samples = self.descent.batch, len(self.batches), self.target.shape[-2]
        if batch is None:
            return [(self.x, self.target)] * (end - step)
        first = step % _BATCH_BLOCK
        if first == 0:
            for net, source in enumerate(self.batches):
                shape = (_BATCH_BLOCK, batch)
                self.indices[net] = source.integers(0, samples, shape, dtype=np.int32)
        floats = nets * batch * (self.x[0].numel() // (samples if self.own_x else 1))
        count = max(1, min(end - step, _BATCH_BLOCK - first, _GATHERED // floats))
        drawn = self.indices[:, first : first + count].swapaxes(0, 1)
        at = torch.from_numpy(np.ascontiguousarray(drawn)).to(self.x.device)
        return list(
            zip(
                _rows(self.x, at, self.own_x).unbind(0),
                _rows(self.target, at, self.target.dim() == 3).unbind(0),
                strict=True,
            )
        )

    def add_noise(self, step: int, parameters: Parameters) -> None:
        first = step % _NOISE_BLOCK
        if first == 0:
            like = parameters[0]
            shape = (_NOISE_BLOCK, self.model.parameter_count)
            kind = np.float64 if like.dtype == torch.float64 else np.float32
            drawn = np.stack([source.standard_normal(shape, kind) for source in self.noises])
            self.noise = torch.from_numpy(drawn).to(like).mul_(self.descent.noise)
        for p, part in zip(parameters, unflattened(self.noise[:, first], parameters), strict=True):
            p.add_(part)

    def measured(self, parameters: Parameters) -> tuple[Tensor, Tensor]:
        """Loss and error on all samples, a few nets at a time."""
        size = _chunk_size(self.model, self.target.shape[-2], self.x.device)
        losses, wrong = [], []
        for first in range(0, len(self.batches), size):
            rows = slice(first, first + size)
            target = self.target[rows] if self.target.dim() == 3 else self.target
            x = self.x[rows] if self.own_x else self.x
            outputs = self.model.outputs(tuple(p[rows] for p in parameters), x)
            losses.append(_loss(outputs, target, self.loss))
            wrong.append(errors(outputs, target))
        return torch.cat(losses), torch.cat(wrong)


def _rows(data: Tensor, at: Tensor, own: bool) -> Tensor:
    """Samples ``at`` [steps, K, B] of data [n, ...], or of data [K, n, ...] each net its own."""
    # 32-bit indices: torch's gathering is four times faster with them than with 64-bit ones
    if own:
        nets, samples = data.shape[:2]
        at = at + samples * torch.arange(nets, dtype=at.dtype, device=at.device)[:, None]
        data = data.reshape(-1, *data.shape[2:])
    return data.index_select(0, at.reshape(-1)).reshape(*at.shape, *data.shape[1:])


class _Blocks:
    """Tensors of given shapes side by side in one vector, so that one call updates them all.

    Each is contiguous: products written into a tensor that is not take another route through
    torch for several nets than for one.
    """

    def __init__(self, like: Parameters) -> None:
        sizes = [-(-p.numel() // _ALIGNED) * _ALIGNED for p in like]
        self.flat = torch.zeros(sum(sizes), dtype=like[0].dtype, device=like[0].device)
        self.views: Parameters = tuple(
            part[: p.numel()].view(p.shape)
            for part, p in zip(torch.split(self.flat, sizes), like, strict=True)
        )

    @classmethod
    def of(cls, values: Parameters) -> _Blocks:
        made = cls(values)
        for view, value in zip(made.views, values, strict=True):
            view.copy_(value)
        return made


class _Mover:
    """The moving parameters of the active nets, their gradients and the optimiser's memory.

    Every operation rounds once, as IEEE arithmetic prescribes: a kernel that fuses two may round
    the last numbers of a vector, which it takes one by one, otherwise than those before them, and
    then a net's bits would depend on its place.
    """

    def __init__(
        self, parameters: Parameters, descent: Descent, memories: list[Parameters]
    ) -> None:
        self.weights = _Blocks.of(parameters)
        self.slopes = _Blocks(parameters)
        self.memories = [_Blocks.of(memory) for memory in memories]
        self.rate: float | Tensor
        if isinstance(descent.rate, tuple):
            rates = _Blocks(parameters)
            each = torch.tensor(descent.rate, dtype=torch.float64).to(rates.flat)
            for view in rates.views:
                view.copy_(each.reshape(-1, *[1] * (view.dim() - 1)).expand_as(view))
            self.rate = rates.flat
        else:
            self.rate = descent.rate

    def step(self, descent: Descent, taken: int) -> None:
        flat, slope = self.weights.flat, self.slopes.flat
        if descent.decay:
            slope.add_(flat * descent.decay)
        if descent.kind == "adam":
            first, second = self.memories[0].flat, self.memories[1].flat
            first.mul_(_BETAS[0]).add_(slope * (1 - _BETAS[0]))
            second.mul_(_BETAS[1]).add_(slope.square_().mul_(1 - _BETAS[1]))
            scale = torch.sqrt(second).div_((1 - _BETAS[1] ** taken) ** 0.5).add_(_TINY)
            torch.div(first, scale, out=slope)
            slope.div_(1 - _BETAS[0] ** taken).mul_(self.rate)
        elif descent.momentum:
            velocity = self.memories[0].flat
            velocity.mul_(descent.momentum).add_(slope)
            torch.mul(velocity, self.rate, out=slope)
        else:
            slope.mul_(self.rate)
        flat.sub_(slope)


def _memories(descent: Descent, like: Parameters) -> list[Parameters]:
    count = 2 if descent.kind == "adam" else int(descent.momentum > 0)
    return [tuple(torch.zeros_like(p) for p in like) for _ in range(count)]


def _trained(
    run: _Run, nets: tuple[int, ...], fresh: Parameters, told: Callable[[int, int], None] | None
) -> Trained:
    descent, whole = run.descent, replace(run)
    mover = _Mover(fresh, descent, _memories(descent, fresh))
    reached = tuple(p.clone() for p in fresh)
    active, steps = list(range(len(nets))), torch.zeros(len(nets), dtype=torch.int64)
    marks = {*range(descent.check, descent.steps, descent.check), descent.steps, *descent.record}
    step, records = 0, []
    for mark in sorted(marks):
        if active:
            _advance(run, mover, step, mark)
            steps[active] = mark
            at = torch.as_tensor(active, device=run.x.device)
            for p, moved in zip(reached, mover.weights.views, strict=True):
                p.index_copy_(0, at, moved)
        step = mark
        if mark in descent.record:
            records.append(
                Record(mark, tuple(p.clone() for p in reached), *whole.measured(reached))
            )
        if told is not None:
            told(mark, len(nets))
        if active and 0 < mark < descent.steps and mark % descent.check == 0:
            stay = _staying(run, mover.weights.views)
            if len(stay) < len(active):
                active = [active[i] for i in stay]
                if stay:
                    run.keep(stay)
                    memories = [picked(m.views, stay) for m in mover.memories]
                    mover = _Mover(picked(mover.weights.views, stay), run.descent, memories)
    losses, wrong = whole.measured(reached)
    diverged = ~_finite(reached) | ~losses.isfinite()
    return Trained(nets, reached, diverged, losses, wrong, steps, tuple(records))


def _advance(run: _Run, mover: _Mover, step: int, end: int) -> None:
    weights, slopes, descent = mover.weights.views, mover.slopes.views, run.descent
    while step < end:
        for x, target in run.gathered(step, end):
            run.model.gradients_into(weights, x, target, run.loss, slopes)
            step += 1
            mover.step(descent, step)
            if descent.noise:
                run.add_noise(step - 1, weights)


def _staying(run: _Run, parameters: Parameters) -> list[int]:
    """The nets that go on: finite, and not yet at the loss where they stop."""
    going = _finite(parameters)
    if run.descent.stop_loss is not None:
        losses, _ = run.measured(parameters)
        going &= ~(losses <= run.descent.stop_loss)
    return [i for i, goes in enumerate(going.tolist()) if goes]


def _finite(parameters: Parameters) -> Tensor:
    found = [p.isfinite().flatten(1).all(1) for p in parameters]
    return torch.stack(found).all(0)


def _together(parts: list[Trained]) -> Trained:
    if len(parts) == 1:
        return parts[0]
    records = tuple(
        Record(
            same[0].step,
            joined([r.parameters for r in same]),
            torch.cat([r.losses for r in same]),
            torch.cat([r.errors for r in same]),
        )
        for same in zip(*(part.records for part in parts), strict=True)
    )
    return Trained(
        tuple(k for part in parts for k in part.nets),
        joined([part.parameters for part in parts]),
        torch.cat([part.diverged for part in parts]),
        torch.cat([part.losses for part in parts]),
        torch.cat([part.errors for part in parts]),
        torch.cat([part.steps for part in parts]),
        records,
    )

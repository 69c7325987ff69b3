"""Homogeneous ReLU networks on separable data, trained to a log t of thousands.

Steps have a fixed length relative to the weights, and t is the sum of the step sizes: it grows
exponentially, so that log t comes to thousands, where constant steps come to ten.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
import torch
from numpy.typing import NDArray

from theorylab.experiments.experiment import Config, Measurements
from theorylab.experiments.networks.devices import device as device_named
from theorylab.experiments.seeds import generator

_DRAWS = "homogeneous"  # the experiments of this module see the same data and initial weights
_ASKED = 50  # steps between two looks at whether all networks have reached the horizon


@dataclass(frozen=True, kw_only=True)
class HomogeneousConfig(Config):
    """``nets`` networks of each depth and ``width``, each with its own data set.

    A data set is ``points`` Gaussian points, labelled by the sign of the product of their first
    two coordinates. Training ends when log t is the horizon of the depth for every network, or
    after ``most`` steps, each ``relative`` times as long as the weights. ``windows`` is the number
    of doublings of log t, up to the horizon, over which means are taken.
    """

    depths: tuple[int, ...] = (2,)
    nets: int = 16
    nets_per_part: int = 8
    points: int = 40
    dimension: int = 10
    width: int = 32
    relative: float = 0.002
    horizons: tuple[float, ...] = (5_000.0,)
    most: int = 30_000
    windows: int = 7


@dataclass(frozen=True, slots=True, eq=False)
class Descended:
    """What K descents came to: ``crossed`` [K, level, layers + 1] has log t and the norms of the
    layers when log t first passed each level (nan before), ``means`` [K, window, 2] the
    normalised and the smoothed margin between levels, ``falls`` the share of steps, all examples
    once classified, in which the smoothed margin fell, ``least`` the last least y f(x)."""

    levels: NDArray[np.float64]
    crossed: NDArray[np.float64]
    means: NDArray[np.float64]
    falls: NDArray[np.float64]
    least: NDArray[np.float64]
    steps: int


def levels_of(config: HomogeneousConfig, depth: int) -> list[float]:
    """The values of log t, each twice the one before, up to the horizon of the depth."""
    horizon = config.horizons[config.depths.index(depth)]
    return [horizon / 2.0**j for j in range(config.windows, -1, -1)]


def slopes_of(
    weights: Sequence[torch.Tensor], x: torch.Tensor, y: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]:
    """y f(x) [K, n], the logarithm of sum exp(-y f(x)) [K], and its gradients.

    ``weights`` are [K, in, out], x [K, n, d], y [K, n]; hidden units are ReLU, without biases.
    """
    hidden = [x]
    for weight in weights[:-1]:
        hidden.append(torch.bmm(hidden[-1], weight).clamp_(min=0))
    q = torch.bmm(hidden[-1], weights[-1])[..., 0] * y
    loss = torch.logsumexp(-q, 1)
    back = (-torch.exp(-q - loss[:, None]) * y)[..., None]
    slopes = []
    for place in range(len(weights) - 1, -1, -1):
        slopes.append(torch.bmm(hidden[place].mT, back))
        if place:
            back = torch.bmm(back, weights[place].mT).mul_(hidden[place] > 0)
    return q, loss, slopes[::-1]


def descended(
    weights: Sequence[torch.Tensor], x: torch.Tensor, y: torch.Tensor, config: HomogeneousConfig
) -> Descended:
    """Descend at steps of relative length until every log t has passed the horizon."""
    weights, depth = [w.clone() for w in weights], len(weights)
    nets, where = len(x), x.device
    levels = torch.tensor(levels_of(config, depth), dtype=x.dtype, device=where)
    windows = torch.arange(len(levels) + 1, device=where)
    log_t = torch.full((nets,), -inf, dtype=x.dtype, device=where)
    crossed = torch.full((nets, len(levels), depth + 1), torch.nan, dtype=x.dtype, device=where)
    sums = torch.zeros((nets, len(levels) + 1, 3), dtype=x.dtype, device=where)
    falls, counted = torch.zeros_like(log_t), torch.zeros_like(log_t)
    before, place = torch.full_like(log_t, inf), torch.zeros(nets, dtype=torch.int64, device=where)
    steps = 0
    while True:
        q, loss, slopes = slopes_of(weights, x, y)
        norms = torch.stack([torch.linalg.vector_norm(w, dim=(1, 2)) for w in weights], 1)
        size = torch.linalg.vector_norm(norms, dim=1)
        smoothed, least = -loss / size**depth, q.amin(1)
        classified = loss < 0
        falls += classified & (smoothed < before)
        counted += classified & (before < inf)
        before = torch.where(classified, smoothed, before)
        now = torch.searchsorted(levels, log_t, right=True)
        first = (now[:, None] > windows[:-1]) & (place[:, None] <= windows[:-1])
        state = torch.cat([log_t[:, None], norms], 1)[:, None]
        crossed = torch.where(first[..., None], state, crossed)
        seen = torch.stack([least / norms.prod(1), smoothed, torch.ones_like(size)], 1)[:, None]
        sums += (now[:, None] == windows)[..., None] * seen
        place = now
        done = steps % _ASKED == 0 and bool((now == len(levels)).all())
        if done or steps >= config.most:
            break
        steep = torch.stack([torch.linalg.vector_norm(s, dim=(1, 2)) for s in slopes], 1)
        # the gradient of the loss is the loss times that of its logarithm
        length = config.relative * size / torch.linalg.vector_norm(steep, dim=1)
        log_t = torch.logaddexp(log_t, length.log() - loss)
        for weight, slope in zip(weights, slopes, strict=True):
            weight.sub_(length[:, None, None] * slope)
        steps += 1
    means = (sums[..., :2] / sums[..., 2:])[:, 1:-1]
    share_of_falls = falls / counted.clamp(min=1)
    return Descended(
        levels.cpu().numpy(), crossed.cpu().numpy(), means.cpu().numpy(),
        share_of_falls.cpu().numpy(), least.cpu().numpy(), steps,
    )  # fmt: skip


def problem(config: HomogeneousConfig, net: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The points [n, d] and labels [n] of a network."""
    draw = generator(config.seed, _DRAWS, "data", net)
    x = draw.standard_normal((config.points, config.dimension))
    return x, np.sign(x[:, 0] * x[:, 1])


def _initial(config: HomogeneousConfig, depth: int, net: int) -> list[NDArray[np.float64]]:
    draw = generator(config.seed, _DRAWS, f"depth={depth}", "init", net)
    widths = [config.dimension, *[config.width] * (depth - 1), 1]
    shapes = itertools.pairwise(widths)
    return [sqrt(2 / a) * draw.standard_normal((a, b)) for a, b in shapes]


def _groups(config: HomogeneousConfig) -> list[tuple[int, range]]:
    size = config.nets_per_part
    firsts = range(0, config.nets, size)
    return [(d, range(a, min(a + size, config.nets))) for d in config.depths for a in firsts]


def parts(config: HomogeneousConfig) -> tuple[str, ...]:
    """Some networks of one depth each."""
    return tuple(f"depth={d} nets {nets[0]} to {nets[-1]}" for d, nets in _groups(config))


def measure(config: HomogeneousConfig, part: str, device: str) -> Measurements:
    """A row for each network, with the exponents and changes over the last doubling of log t."""
    depth, nets = _groups(config)[parts(config).index(part)]
    where = device_named(device)

    def together(arrays: Sequence[NDArray[np.float64]]) -> torch.Tensor:
        return torch.from_numpy(np.stack(arrays)).to(where)

    problems = [problem(config, net) for net in nets]
    x, y = (together(column) for column in zip(*problems, strict=True))
    initial = zip(*[_initial(config, depth, net) for net in nets], strict=True)
    found = descended([together(column) for column in initial], x, y, config)
    with np.errstate(invalid="ignore", divide="ignore"):
        # local exponents [K, window, layer] between one level and the next
        rates = np.diff(np.log(found.crossed), axis=1)
        rates = rates[..., 1:] / rates[..., :1]
        changes = found.means[:, 1:] / found.means[:, :-1] - 1
    rows = []
    for k, net in enumerate(nets):
        layers = {f"layer_{n + 1}": rates[k, -1, n] if n < depth else None for n in range(3)}
        rows.append(
            {
                "depth": depth,
                "net": net,
                "classified": bool(found.least[k] > 0),
                "reached": bool(np.isfinite(found.crossed[k, -1]).all()),
                "steps": found.steps,
                **layers,
                "product": rates[k, -1].sum(),
                "margin": found.means[k, -1, 0],
                "change": changes[k, -1, 0],
                "rise": changes[k, :, 1].min(),
                "falls": found.falls[k],
            }
        )
    return Measurements(
        rows,
        {"crossed": found.crossed.astype("f4"), "margins": found.means[..., 0].astype("f4")},
    )

"""At which level two settings of a tiny network meet: exactly, and as low as training finds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import torch
from flint import fmpq
from torch import Tensor

from theorylab import kernel
from theorylab.experiments.networks.devices import one_thread
from theorylab.experiments.networks.model import Parameters, Perceptron, flattened, unflattened
from theorylab.experiments.seeds import generator
from theorylab.experiments.trained import parameters_of, perceptron_of, targets_of
from theorylab.model import Dataset, Loss, Network, Weights
from theorylab.outcome import InputError
from theorylab.topology.certificate import connection_certificate, joined
from theorylab.topology.level_trees.tree import fraction, level_tree

# How far below the level of meeting, as a share of the gap to the level before, the kernel is
# asked whether the two are still apart.
_JUST_BELOW = Fraction(1, 2**20)


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where a and b meet: ``level``, exact, the least u at which {L <= u} joins them.

    ``start`` is max(L(a), L(b)). When ``level`` is above it, the kernel says that a and b are
    joined in {L <= level} and separated in {L <= apart}, ``apart`` < ``level`` next to it; that
    nothing happens in between is the level tree's word. ``top`` is the last merge of the whole
    tree. ``climbed`` is the lowest of the largest losses on the trained paths, a float, which
    cannot lie below ``level`` but for rounding. Losses are sums over the samples.
    """

    level: Fraction
    start: Fraction
    apart: Fraction | None
    top: Fraction | None
    climbed: float

    @property
    def excess(self) -> float:
        """How far the best trained path climbs above the exact level."""
        return self.climbed - float(self.level)


@dataclass(frozen=True, slots=True)
class Lowering:
    """How paths are pushed down: ``paths`` polylines of ``beads`` inner points, Adam ``steps``.

    Each begins as the segment, bent by Gaussians of relative sizes 0, ..., ``noise``; the softened
    maximum of the loss over ``points`` places of each piece is descended, ever less soft.
    """

    paths: int = 8
    beads: int = 7
    points: int = 8
    steps: int = 1500
    rate: float = 0.03
    noise: float = 1.0


def meeting(
    network: Network,
    data: Dataset,
    a: Weights,
    b: Weights,
    seed: int = 0,
    lowering: Lowering | None = None,
) -> Meeting:
    """The level at which a and b meet, from the level tree, beside the lowest path of training.

    One hidden relu layer and one output, few units and samples; biases everywhere or nowhere.
    Guarantees: exact for the levels, heuristic for ``climbed``. Raises InputError for other
    networks, weighted samples, and trees that are too big.
    """
    model = perceptron_of(network)
    x, y = targets_of(data)
    level, start, apart, top = _exact_level(network, data, a, b)
    ends = [parameters_of(network, [point]) for point in (a, b)]
    climbed = lowest_climb(model, ends[0], ends[1], x, y, seed, lowering)
    return Meeting(level, start, apart, top, climbed)


def _exact_level(
    network: Network, data: Dataset, a: Weights, b: Weights
) -> tuple[Fraction, Fraction, Fraction | None, Fraction | None]:
    """The level of meeting, max(L(a), L(b)), a level just below the first, and the last merge."""
    loss = Loss(network, data)
    tree = level_tree(network, data)
    start = fraction(max(loss(a), loss(b)))

    def meets(u: Fraction) -> bool:
        conclusion = joined(a, b, fmpq(u.numerator, u.denominator))
        outcome = kernel.check(connection_certificate(loss, conclusion, "level_tree", tree.proof))
        if isinstance(outcome, kernel.Rejected):
            raise InputError("network", network.widths, outcome.reason, "take fewer samples")
        return isinstance(outcome, kernel.Proved)

    if meets(start):
        return start, start, None, tree.top_merge
    places = sorted({merge.level for merge in tree.merges if merge.level > start})
    low, high = -1, len(places) - 1  # apart at low, joined at high: above all merges all is one
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if meets(places[middle]) else (middle, high)
    level = places[high]
    before = max([start, *(u for u, _ in tree.levels if u < level)])
    apart = level - (level - before) * _JUST_BELOW
    if meets(apart) or not meets(level):
        rule = "the kernel finds another level than the tree"
        raise InputError("network", network.widths, rule, "report this")
    return level, start, apart, tree.top_merge


@one_thread()
def lowest_climb(
    model: Perceptron,
    a: Parameters,
    b: Parameters,
    x: Tensor,
    y: Tensor,
    seed: int = 0,
    lowering: Lowering | None = None,
) -> float:
    """The lowest largest loss, a sum over the samples, on trained polylines from a to b.

    a and b are ensembles of one network with one hidden layer, on the CPU. Guarantees: heuristic;
    the largest loss of each polyline is `polyline_peak`.
    """
    lowering = lowering or Lowering()
    paths, pieces = lowering.paths, lowering.beads + 1
    ends = torch.stack([flattened(point)[0] for point in (a, b)])
    draws = [generator(seed, "climb", path) for path in range(paths)]
    bent = np.stack([draw.standard_normal((lowering.beads, ends.shape[1])) for draw in draws])
    sizes = torch.linspace(0, lowering.noise, paths, dtype=ends.dtype) * ends.abs().max()
    whole = (_hats(torch.linspace(0, 1, pieces + 1), 2).to(ends.dtype) @ ends).repeat(paths, 1, 1)
    whole[:, 1:-1] += sizes[:, None, None] * torch.from_numpy(bent).to(ends)
    first, second = torch.zeros_like(whole[:, 1:-1]), torch.zeros_like(whole[:, 1:-1])
    grid = torch.arange(pieces * lowering.points, dtype=ends.dtype)
    shifts = generator(seed, "climb", "shifts").random(lowering.steps).tolist()
    for step, shift in enumerate(shifts):
        # places that stayed would be learnt: the path would climb between them
        hats = _hats((grid + shift) / len(grid), pieces + 1)
        points = unflattened((hats @ whole).flatten(0, 1), a)
        losses, slopes = model.gradients(points, x, y, "squares")
        heights = losses.reshape(paths, -1)
        done = step / lowering.steps
        sharp = 10 * 100**done / heights.amax(1, keepdim=True).clamp_min(1e-12)
        weights = torch.softmax(sharp * heights, 1)
        slope = flattened(slopes).reshape(paths, heights.shape[1], -1)
        force = hats[:, 1:-1].T @ (weights[:, :, None] * slope)
        first = 0.9 * first + 0.1 * force
        second = 0.999 * second + 0.001 * force.square()
        size = (second / (1 - 0.999 ** (step + 1))).sqrt() + 1e-12
        whole[:, 1:-1] -= lowering.rate * (1 - done) / (1 - 0.9 ** (step + 1)) * first / size
    return min(polyline_peak(model, path, a, x, y) for path in whole)


def polyline_peak(model: Perceptron, path: Tensor, like: Parameters, x: Tensor, y: Tensor) -> float:
    """The largest loss, a sum over the samples, on the polyline through the vertices path [V, P].

    On a straight piece each unit changes sides at one place for each sample; between these places
    the loss of one hidden relu layer is a polynomial of degree 4, whose critical points are looked
    at as well as the places. Guarantees: the maximum, but for rounding; infinite if a loss is nan.
    """

    def losses(start: Tensor, end: Tensor, t: Tensor) -> Tensor:
        points = start + t[:, None] * (end - start)
        outputs = model.outputs(unflattened(points, like), x)
        return (outputs - y).square().sum((1, 2))

    nodes = torch.linspace(0, 1, 5, dtype=path.dtype)
    fit = torch.linalg.inv(torch.vander(nodes))  # highest power first
    highest = 0.0
    for start, end in pairwise(path):
        before, after = (
            model.preactivations(unflattened(p[None], like), x)[0] for p in (start, end)
        )
        turns = (before / (before - after)).flatten()
        turns = turns[(turns > 0) & (turns < 1)].sort().values
        bounds = torch.cat([nodes[:1], turns, nodes[-1:]])
        low, width = bounds[:-1, None], bounds.diff()[:, None]
        values = losses(start, end, (low + width * nodes).flatten()).reshape(-1, len(nodes))
        if not values.isfinite().all():
            return float("inf")
        slopes = (values @ fit.T)[:, :-1] * torch.arange(4, 0, -1, dtype=path.dtype)
        places = [
            float(at) + float(reach) * min(max(root.real, 0.0), 1.0)
            for at, reach, slope in zip(low, width, slopes, strict=True)
            for root in np.roots(slope.numpy())
        ]
        inner = losses(start, end, torch.tensor(places, dtype=path.dtype))
        highest = max([highest, float(values.max()), *inner.tolist()])
    return highest


def _hats(t: Tensor, vertices: int) -> Tensor:
    """The piecewise linear basis of a polyline at places t in [0, 1], [len(t), vertices]."""
    corners = torch.arange(vertices, dtype=t.dtype)
    return (1 - (t[:, None] * (vertices - 1) - corners).abs()).clamp_min(0)

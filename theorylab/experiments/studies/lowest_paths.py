"""Paths whose highest point is as low as a search finds it: minimax polygons between networks.

The beads of a polygon descend the soft maximum of the losses at points on its edges, which hardens
to the maximum. Several polygons are tried for a pair, the first the straight line, the others by
way of an image of one end under a symmetry, or of a fresh network. The peak of the best is an
upper bound of the least peak; how good a bound, is seen where the least peak is known exactly
(``connectedness``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from theorylab.experiments.networks.model import (
    Parameters,
    Perceptron,
    flattened,
    loss_of,
    picked,
    unflattened,
)
from theorylab.experiments.seeds import generator
from theorylab.outcome import InputError

_BETAS, _TINY = (0.9, 0.999), 1e-8
_AT_ONCE = 4096
_GOLDEN = 0.6180339887498949
_ZOOMS = 2


@dataclass(frozen=True, slots=True)
class Search:
    """How long and how finely a path is sought.

    ``beads`` descend ``steps`` of Adam at this ``rate``, a fifth of it in the last third; each edge
    is looked at in ``inner`` places in the descent and in ``fine`` at the end. Soft maxima have the
    inverse temperatures ``soft`` to ``hard`` per unit of loss. At most ``starts`` polygons are
    tried, until one rises by at most ``enough`` above the higher end.
    """

    beads: int = 14
    inner: int = 3
    fine: int = 20
    steps: int = 600
    rate: float = 0.02
    soft: float = 10.0
    hard: float = 1000.0
    starts: int = 8
    enough: float = 0.005
    spring: float = 1e-3

    def __post_init__(self) -> None:
        if min(self.beads, self.inner, self.fine, self.starts) < 1 or self.steps < 0:
            rule = "beads, places on edges and starts are at least 1, steps at least 0"
            raise InputError("search", self, rule, "use Search() for the usual values")


@dataclass(frozen=True, slots=True)
class Lowest:
    """The best path of each pair: its peak [K], and the losses along it [K, T]."""

    peaks: Tensor
    losses: Tensor


def lowest_paths(
    model: Perceptron,
    a: Parameters,
    b: Parameters,
    x: Tensor,
    y: Tensor,
    loss: str,
    *,
    seed: int,
    nets: Sequence[int],
    names: tuple[str | int, ...] = (),
    search: Search | None = None,
) -> Lowest:
    """Seek for each pair a path from a to b along which the largest loss is small.

    The network that try r of pair k goes by is drawn from the seed's children (*names, "way", r,
    ..., nets[k]). Guarantees: heuristic; the peak is an upper bound, up to what may lie between the
    points looked at. Raises InputError for numbers of nets that differ.
    """
    search = search or Search()
    first, last = flattened(a), flattened(b)
    if len(nets) != len(first):
        rule = f"there is one number for each of the {len(first)} pairs"
        raise InputError("nets", nets, rule, "give as many numbers as pairs")
    s = torch.linspace(0, 1, search.beads + 2, dtype=first.dtype, device=first.device)
    s = s[None, 1:-1, None]
    ends = _losses(model, torch.stack([first, last]), a, x, y, loss).amax(0)
    best: Lowest | None = None
    open_ones = torch.arange(len(first), device=first.device)
    for turn in range(search.starts):
        here, there = first[open_ones, None], last[open_ones, None]
        beads = here + s * (there - here)
        if turn:
            chosen = [nets[k] for k in open_ones.tolist()]
            role = (*names, "way", turn)
            if turn % 2:
                by = images(model, picked(a, open_ones), seed, chosen, role)
            else:
                by = model.initial(seed, chosen, *role, dtype=s.dtype, device=s.device)
            way = flattened(by)[:, None]
            beads = torch.where(
                s < 0.5, here + 2 * s * (way - here), way + (2 * s - 1) * (there - way)
            )
        found = _descended(model, a, here, there, beads, x, y, loss, search)
        if best is None:
            best = found
        else:
            better = found.peaks < best.peaks[open_ones]
            best.peaks[open_ones[better]] = found.peaks[better]
            best.losses[open_ones[better]] = found.losses[better]
        open_ones = torch.nonzero(~(best.peaks <= ends + search.enough))[:, 0]
        if not len(open_ones):
            break
    assert best is not None
    return best


def images(
    model: Perceptron, a: Parameters, seed: int, nets: Sequence[int], names: tuple[str | int, ...]
) -> Parameters:
    """Networks with the functions of a: hidden units in a drawn order, and of a square without
    bias some inner weights of the other sign.

    Guarantees: exact symmetries. Raises InputError unless there is one hidden layer, no bias.

    >>> model = Perceptron((2, 3, 1), "square", bias=False)
    >>> a, x = model.initial(0, range(2)), torch.ones(1, 2)
    >>> b = images(model, a, 0, range(2), ())
    >>> bool(torch.allclose(model.outputs(a, x), model.outputs(b, x))), bool((a[0] == b[0]).all())
    (True, False)
    """
    if model.depth != 2 or model.bias:
        rule = "images are made of networks of one hidden layer without bias"
        raise InputError("model", model.widths, rule, "use such a network")
    w, u = (part.clone() for part in a)
    for k, net in enumerate(nets):
        draw = generator(seed, *names, "image", net)
        order = torch.as_tensor(draw.permutation(w.shape[2]), device=w.device)
        w[k], u[k] = w[k][:, order], u[k][order]
        if model.activation == "square":
            signs = draw.choice((-1.0, 1.0), w.shape[2])
            w[k] *= torch.as_tensor(signs, dtype=w.dtype, device=w.device)
    return w, u


def _losses(
    model: Perceptron, points: Tensor, like: Parameters, x: Tensor, y: Tensor, loss: str
) -> Tensor:
    """The losses [...] at points [..., P]."""
    flat = points.reshape(-1, points.shape[-1])
    found = [
        loss_of(model.outputs(unflattened(part, like), x), y, loss)
        for part in torch.split(flat, _AT_ONCE)
    ]
    return torch.cat(found).reshape(points.shape[:-1])


def _on_edges(polygon: Tensor, places: Tensor) -> Tensor:
    """The points at these places of each edge of polygons [K, B, P]: [K, B - 1, places, P]."""
    left, right = polygon[:, :-1, None], polygon[:, 1:, None]
    return left + places[:, None] * (right - left)


def _at(polygon: Tensor, t: Tensor) -> Tensor:
    """The points [K, T, P] at t [K, T] in [0, 1] of polygons [K, B, P], edges of equal time."""
    edges = polygon.shape[1] - 1
    place = (t * edges).floor().clamp(max=edges - 1)
    share, index = (t * edges - place)[..., None], place.long()[..., None]
    left = polygon.take_along_dim(index, 1)
    return left + share * (polygon.take_along_dim(index + 1, 1) - left)


def _descended(
    model: Perceptron,
    like: Parameters,
    first: Tensor,
    last: Tensor,
    beads: Tensor,
    x: Tensor,
    y: Tensor,
    loss: str,
    search: Search,
) -> Lowest:
    even = torch.arange(search.inner, dtype=beads.dtype, device=beads.device)
    mean, square = torch.zeros_like(beads), torch.zeros_like(beads)
    for step in range(1, search.steps + 1):
        polygon = torch.cat([first, beads, last], 1)
        # the places wander, so that no edge can hide a wall between them
        places = (even + step * _GOLDEN % 1) / search.inner
        points = _on_edges(polygon, places)
        losses, slopes = model.gradients(
            unflattened(points.reshape(-1, points.shape[-1]), like), x, y, loss
        )
        slope = flattened(slopes).reshape(points.shape)
        share = (step - 1) / search.steps
        beta = search.soft * (search.hard / search.soft) ** share
        weight = torch.softmax(beta * losses.reshape(len(beads), -1), 1)
        pull = weight.reshape(*points.shape[:3], 1) * slope
        right = (pull * places[:, None]).sum(2)
        left = pull.sum(2) - right
        edges = polygon.diff(dim=1)
        # the spring keeps the beads apart along the path
        total = left[:, 1:] + right[:, :-1] - search.spring * edges.diff(dim=1)
        mean.mul_(_BETAS[0]).add_(total, alpha=1 - _BETAS[0])
        square.mul_(_BETAS[1]).addcmul_(total, total, value=1 - _BETAS[1])
        scale = (square / (1 - _BETAS[1] ** step)).sqrt() + _TINY
        rate = search.rate * (1.0 if share < 2 / 3 else 0.2)
        beads = beads - rate * mean / (1 - _BETAS[0] ** step) / scale
    polygon = torch.cat([first, beads, last], 1)
    t = torch.linspace(0, 1, search.fine * (search.beads + 1) + 1, dtype=beads.dtype)
    t = t.to(beads.device).expand(len(beads), -1)
    losses = _losses(model, _at(polygon, t), like, x, y, loss).nan_to_num(nan=torch.inf)
    peaks, where = losses.max(1)
    # the peak between the places beside the highest one, twice nearer
    near, width = (
        torch.linspace(-1, 1, 2 * search.fine + 1, device=t.device, dtype=t.dtype),
        t[0, 1],
    )
    centre = t.gather(1, where[:, None])
    for _ in range(_ZOOMS):
        closer = (centre + width * near).clamp(0, 1)
        seen = _losses(model, _at(polygon, closer), like, x, y, loss).nan_to_num(nan=torch.inf)
        top, where = seen.max(1)
        peaks, centre = torch.maximum(peaks, top), closer.gather(1, where[:, None])
        width = width / search.fine
    return Lowest(peaks, losses)

"""How far one may go from a minimum before the loss has changed: radii in drawn directions.

Poggio and Liao's flatness radius (equation 11), with directions of three kinds: unit vectors in all
weights, unit vectors in the last layer's, and filter-normalised ones, in which each unit's incoming
weights move in proportion to their own length (Li et al. 2018, Visualizing the Loss Landscape of
Neural Nets), so that the radius does not change when layers are rescaled against each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor

from theorylab.experiments.networks.losses import errors, loss_of
from theorylab.experiments.networks.model import Model, Parameters, Perceptron, picked, unflattened
from theorylab.experiments.seeds import generator
from theorylab.outcome import InputError

KINDS: Final = ("raw", "top", "filter")
# Numbers in the largest layer of what is evaluated at once.
_CHUNK: Final = {"cpu": 2**20, "cuda": 2**27}
_START, _GROWTH, _LONGEST = 0.01, 1.4, 48
_SHRINK, _SHRINKINGS, _HALVINGS = 8.0, 12, 7


def evaluated(
    model: Model, parameters: Parameters, x: Tensor, y: Tensor, loss: str = "cross-entropy"
) -> tuple[Tensor, Tensor]:
    """Loss [K] and error [K] of K networks on samples x [n, ...] with labels y [n] or [K, n].

    A few networks are evaluated at a time. Guarantees: heuristic (floats).

    >>> model = Perceptron((2, 3, 2))
    >>> losses, wrong = evaluated(
    ...     model, model.initial(0, range(4), "demo"), torch.ones(5, 2), torch.zeros(5).long()
    ... )
    >>> losses.shape, wrong.shape
    (torch.Size([4]), torch.Size([4]))
    """
    limit = _CHUNK.get(x.device.type, _CHUNK["cpu"])
    size = max(1, limit // (len(x) * model.floats_per_sample()))
    losses, wrong = [], []
    with torch.no_grad():
        for first in range(0, len(parameters[0]), size):
            rows = slice(first, first + size)
            labels = y[rows] if y.dim() == 2 else y
            outputs = model.outputs(tuple(p[rows] for p in parameters), x)
            losses.append(loss_of(outputs, labels, loss))
            wrong.append(errors(outputs, labels))
    return torch.cat(losses), torch.cat(wrong)


def drawn_directions(
    model: Perceptron,
    parameters: Parameters,
    count: int,
    kind: str,
    *,
    seed: int,
    nets: Sequence[int],
    names: Sequence[str | int] = (),
) -> Parameters:
    """``count`` Gaussian directions for each network, [K count, ...], those of a net side by side.

    Kind "raw" has length 1 in all parameters, "top" length 1 in the last layer alone; in "filter"
    the incoming weights of each unit are as long as those of the network, and biases stay. Those of
    net k come from the seed's child (*names, "directions", k), whatever the kind.
    Raises InputError for another kind.

    >>> model = Perceptron((2, 3, 2))
    >>> w = model.initial(0, [7], "demo")
    >>> d = drawn_directions(model, w, 5, "filter", seed=0, nets=[7])
    >>> torch.allclose(d[0].norm(dim=1), w[0].norm(dim=1)), d[1].count_nonzero().item()
    (True, 0)
    """
    if kind not in KINDS:
        raise InputError("kind", kind, f"a kind is {', '.join(KINDS)}", "choose one")
    shape = (count, model.parameter_count)
    drawn = np.stack(
        [generator(seed, *names, "directions", k).standard_normal(shape, np.float32) for k in nets]
    )
    flat = torch.from_numpy(drawn).reshape(len(nets) * count, -1).to(parameters[0])
    made = unflattened(flat, parameters)
    if kind == "filter":
        own = repeated(parameters, count)
        moving = {id(w) for w, _ in model.layers(made)}
        return tuple(
            d * (p.norm(dim=1, keepdim=True) / d.norm(dim=1, keepdim=True))
            if id(d) in moving
            else torch.zeros_like(d)
            for d, p in zip(made, own, strict=True)
        )
    if kind == "top":
        last = len(made) - (2 if model.bias else 1)
        made = tuple(d if at >= last else torch.zeros_like(d) for at, d in enumerate(made))
    length = _length(made)
    return tuple(d / length.reshape(-1, *[1] * (d.dim() - 1)) for d in made)


def flatness_radius(
    model: Model,
    parameters: Parameters,
    directions: Parameters,
    x: Tensor,
    y: Tensor,
    epsilon: float,
    loss: str = "cross-entropy",
) -> Tensor:
    """How far each of K networks goes in its direction until the loss is first changed by epsilon.

    Radii [K] are multiples of the direction. The loss is looked at on a geometric grid of ratio
    1.4, from a hundredth of the network's length or less on, and the first step over epsilon is
    halved seven times; inf when there is none in 70,000 lengths, nan for a loss that is not finite
    at the network. Guarantees: heuristic; a change that is undone between two places of the grid is
    not seen. Raises InputError for an epsilon that is not positive.

    >>> model = Perceptron((1, 1), activation="identity", bias=False)  # (w - 0)^2 at w = 0
    >>> w, d, one = (torch.zeros(1, 1, 1),), (torch.ones(1, 1, 1),), torch.ones(1, 1)
    >>> round(flatness_radius(model, w, d, one, torch.zeros(1), 0.09, "squares").item(), 2)
    0.3
    """
    if not epsilon > 0:
        raise InputError("epsilon", epsilon, "a change of the loss is positive", "write e.g. 0.05")
    before, _ = evaluated(model, parameters, x, y, loss)

    def crossed(at: Tensor, radius: Tensor) -> Tensor:
        moved = tuple(
            p[at] + radius[at].reshape(-1, *[1] * (p.dim() - 1)) * d[at]
            for p, d in zip(parameters, directions, strict=True)
        )
        now, _ = evaluated(model, moved, x, y[at] if y.dim() == 2 else y, loss)
        # a loss that is not a number is a change, too
        return ~((now - before[at]).abs() <= epsilon)

    sizes = torch.where(_length(parameters) > 0, _length(parameters), 1.0)
    low, high = torch.zeros_like(sizes), _START * sizes / _length(directions)
    open_ones = torch.arange(len(sizes), device=sizes.device)
    for _ in range(_SHRINKINGS):
        open_ones = open_ones[crossed(open_ones, high)]
        if not len(open_ones):
            break
        high[open_ones] /= _SHRINK
    open_ones = torch.arange(len(sizes), device=sizes.device)
    reached = torch.zeros_like(sizes, dtype=torch.bool)
    for _ in range(_LONGEST):
        over = crossed(open_ones, high)
        reached[open_ones[over]] = True
        open_ones = open_ones[~over]
        if not len(open_ones):
            break
        low[open_ones] = high[open_ones]
        high[open_ones] *= _GROWTH
    everyone = torch.arange(len(sizes), device=sizes.device)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        over = crossed(everyone, middle)
        low, high = torch.where(over, low, middle), torch.where(over, middle, high)
    found = torch.where(reached, (low + high) / 2, torch.inf)
    return torch.where(before.isfinite(), found, torch.nan)


def mean_radius(
    model: Perceptron,
    parameters: Parameters,
    x: Tensor,
    y: Tensor,
    epsilon: float,
    count: int,
    kind: str,
    *,
    seed: int,
    nets: Sequence[int],
    names: Sequence[str | int] = (),
) -> Tensor:
    """The radii [K] of the networks, each a mean over ``count`` directions of that kind."""
    directions = drawn_directions(model, parameters, count, kind, seed=seed, nets=nets, names=names)
    several = repeated(parameters, count)
    labels = y.repeat_interleave(count, 0) if y.dim() == 2 else y
    found = flatness_radius(model, several, directions, x, labels, epsilon)
    return found.reshape(-1, count).mean(1)


def repeated(parameters: Parameters, count: int) -> Parameters:
    """Each network ``count`` times, side by side."""
    rows = torch.arange(len(parameters[0])).repeat_interleave(count)
    return picked(parameters, rows)


def rescaled(model: Perceptron, parameters: Parameters, factor: float) -> Parameters:
    """The first layer times a positive factor, the second one's weights by it: the same functions.

    Raises InputError for a factor that is not positive, a single layer, or an activation that is
    not positively homogeneous.

    >>> model = Perceptron((2, 3, 2))
    >>> w, x = model.initial(0, [0], "demo"), torch.ones(1, 2)
    >>> torch.allclose(model.outputs(rescaled(model, w, 8.0), x), model.outputs(w, x))
    True
    """
    if not factor > 0:
        raise InputError("factor", factor, "layers are rescaled by a positive factor", "change it")
    if model.depth < 2 or model.activation not in ("relu", "identity"):
        rule = "rescaling keeps the functions of two layers or more with relu or identity"
        raise InputError("model", model, rule, "choose such a one")
    made, second = list(parameters), 2 if model.bias else 1
    for at in range(second):
        made[at] = made[at] * factor
    made[second] = made[second] / factor
    return tuple(made)


def _length(parameters: Parameters) -> Tensor:
    return torch.stack([p.flatten(1).square().sum(1) for p in parameters]).sum(0).sqrt()

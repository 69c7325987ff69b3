"""Curves between trained networks: straight lines, Bezier curves that are trained, matched units.

Parameters are those of an ensemble, each tensor with a leading axis K: K curves at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import comb

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from theorylab.experiments.networks.devices import one_thread
from theorylab.experiments.networks.model import Model, Parameters, errors, loss_of
from theorylab.experiments.seeds import generator
from theorylab.outcome import InputError

POINTS = 25
_BLOCK = 100


def _by_net(values: Tensor, part: Tensor) -> Tensor:
    """One number for each network [K], shaped to multiply a tensor [K, ...]."""
    return values.reshape(-1, *[1] * (part.dim() - 1))


@dataclass(frozen=True, slots=True)
class Curve:
    """K Bezier curves with these control points, ends included: two are a line, three a quadratic.

    >>> a, b = (torch.zeros(1, 2, 2),), (torch.ones(1, 2, 2),)
    >>> Curve((a, b)).at(0.25)[0][0, 0].tolist()
    [0.25, 0.25]
    """

    controls: tuple[Parameters, ...]

    def shares(self, t: float | Tensor) -> list[float | Tensor]:
        """The weight of each control point at t, Bernstein polynomials; they sum to 1."""
        d = len(self.controls) - 1
        return [comb(d, i) * t**i * (1 - t) ** (d - i) for i in range(d + 1)]

    def at(self, t: float | Tensor) -> Parameters:
        """The K points at t, one number or one for each curve [K]."""
        shares = self.shares(t)

        def point(parts: tuple[Tensor, ...]) -> Tensor:
            total = torch.zeros_like(parts[0])
            for share, part in zip(shares, parts, strict=True):
                total += (_by_net(share, part) if isinstance(share, Tensor) else share) * part
            return total

        return tuple(point(parts) for parts in zip(*self.controls, strict=True))


@dataclass(frozen=True, slots=True)
class Profile:
    """Loss and error at t [T] along K curves: ``losses`` and ``errors`` are [T, K], float64, CPU.

    Guarantees: heuristic; between the grid points the curve may rise higher. A loss that is not
    finite makes every figure of that curve infinite.
    """

    t: Tensor
    losses: Tensor
    errors: Tensor

    @property
    def peak(self) -> Tensor:
        """The largest loss that was met on each curve [K]."""
        return self.losses.amax(0)

    @property
    def barrier(self) -> Tensor:
        """The largest height of the loss above the chord of the end losses [K], never below 0."""
        return self._above(self.losses)

    @property
    def error_barrier(self) -> Tensor:
        """The same of the share of wrong answers [K]."""
        return self._above(self.errors)

    def _above(self, values: Tensor) -> Tensor:
        t = self.t[:, None]
        height = (values - ((1 - t) * values[0] + t * values[-1])).amax(0)
        return torch.where(height.isfinite(), height, torch.inf)


@one_thread()
def profile(
    model: Model, curve: Curve, x: Tensor, y: Tensor, loss: str, points: int = POINTS
) -> Profile:
    """Evaluate K curves at ``points`` equidistant places, both ends among them.

    Raises InputError for fewer than two points.
    """
    if points < 2:
        rule = "a curve is looked at in at least its two ends"
        raise InputError("points", points, rule, f"write e.g. {POINTS}")
    places = torch.linspace(0, 1, points, dtype=torch.float64)
    losses, wrong = [], []
    for t in places.tolist():
        outputs = model.outputs(curve.at(t), x)
        losses.append(loss_of(outputs, y, loss).detach().double().cpu())
        wrong.append(errors(outputs, y).detach().double().cpu())
    found = torch.stack(losses)
    return Profile(places, torch.where(found.isnan(), torch.inf, found), torch.stack(wrong))


def line(
    model: Model,
    a: Parameters,
    b: Parameters,
    x: Tensor,
    y: Tensor,
    loss: str,
    points: int = POINTS,
) -> Profile:
    """The profile of the straight lines from a to b."""
    return profile(model, Curve((a, b)), x, y, loss, points)


def line_barrier(
    model: Model,
    a: Parameters,
    b: Parameters,
    x: Tensor,
    y: Tensor,
    loss: str,
    points: int = POINTS,
) -> Tensor:
    """How far the loss rises on each straight line above the chord of its end losses [K]."""
    return line(model, a, b, x, y, loss, points).barrier


def matched(a: Parameters, b: Parameters, rounds: int = 20) -> Parameters:
    """b with the hidden units of each network permuted to resemble those of a; same functions.

    Parameters are W_1 [K, n_0, n_1], b_1 [K, 1, n_1], W_2, b_2, ..., or all without biases. The
    permutations of the hidden layers maximise the inner product of the weights in turn, each
    exactly (Hungarian algorithm), until none changes or ``rounds`` are over.
    Guarantees: exact permutations, a local optimum. Raises InputError for other shapes.
    Source: Ainsworth, Hayase & Srinivasa 2023, Git Re-Basin, algorithm 1.

    >>> w, c = torch.tensor([[[1.0, 2.0]]]), torch.zeros(1, 1, 2)
    >>> v, d = torch.tensor([[[3.0], [4.0]]]), torch.zeros(1, 1, 1)
    >>> swapped = (w.flip(2), c, v.flip(1), d)
    >>> all(torch.equal(p, q) for p, q in zip(matched((w, c, v, d), swapped), (w, c, v, d)))
    True
    """
    stride = _stride(a, b)
    found = tuple(part.clone() for part in b)
    for k in range(a[0].shape[0]):
        mine, theirs = (_joined(points, k, stride) for points in (a, b))
        for layer, order in enumerate(_orders(mine, theirs, rounds)):
            kept = torch.as_tensor(order, device=b[0].device)
            below = range(stride * layer, stride * (layer + 1))
            for i in below:
                found[i][k] = found[i][k][:, kept]
            found[below.stop][k] = found[below.stop][k][kept]
    return found


def _joined(points: Parameters, k: int, stride: int) -> list[Tensor]:
    """The layers of network k, their biases as last rows, in float64 on the CPU."""
    parts = [part[k].double().cpu() for part in points]
    return [torch.cat(parts[i : i + stride]) for i in range(0, len(parts), stride)]


def _orders(mine: list[Tensor], theirs: list[Tensor], rounds: int) -> list[np.ndarray]:
    """For each hidden layer, which unit of the second network stands in each place."""
    current = list(theirs)
    orders = [np.arange(layer.shape[1]) for layer in mine[:-1]]
    for _ in range(rounds):
        still = True
        for i in range(len(orders)):
            width = len(orders[i])  # a bias of the layer above belongs to no unit
            gain = mine[i].T @ current[i] + mine[i + 1][:width] @ current[i + 1][:width].T
            order = linear_sum_assignment(gain.nan_to_num().numpy(), maximize=True)[1]
            if (order == np.arange(width)).all():
                continue
            still = False
            current[i] = current[i][:, order]
            current[i + 1] = torch.cat([current[i + 1][:width][order], current[i + 1][width:]])
            orders[i] = orders[i][order]
        if still:
            break
    return orders


def _stride(a: Parameters, b: Parameters) -> int:
    """2 when each layer has a weight and a bias, 1 when it has a weight only; else InputError."""
    shapes, others = ([tuple(part.shape) for part in points] for points in (a, b))
    for stride in (1, 2):
        weights = shapes[::stride]
        if shapes != others or any(len(w) != 3 for w in shapes):
            break
        chained = all(w[::2] == v[:2] for w, v in pairwise(weights))
        if chained and (stride == 1 or shapes[1::2] == [(w[0], 1, w[2]) for w in weights]):
            return stride
    raise InputError(
        "parameters",
        shapes,
        "units are matched in perceptrons of one shape: W_1, b_1, W_2, b_2, ... or W_1, W_2, ...",
        "give both ensembles the same widths and biases",
    )


@dataclass(frozen=True, slots=True)
class Bending:
    """How the middle control point of a Bezier curve is trained: gradient descent, momentum.

    Each step takes one t and one batch (None: all samples) for each curve; ``rate`` may have one
    number for each.
    """

    steps: int = 600
    rate: float | tuple[float, ...] = 0.05
    momentum: float = 0.9
    batch: int | None = 100

    def __post_init__(self) -> None:
        rates = self.rate if isinstance(self.rate, tuple) else (self.rate,)
        empty = self.batch is not None and self.batch < 1
        if self.steps < 0 or not all(rate > 0 for rate in rates) or empty:
            rule = "steps are at least 0, the rate positive, a batch not empty"
            raise InputError("bending", self, rule, "use Bending() for the usual values")


@one_thread()
def bezier(
    model: Model,
    a: Parameters,
    b: Parameters,
    x: Tensor,
    y: Tensor,
    loss: str,
    *,
    seed: int,
    nets: Sequence[int],
    names: tuple[str | int, ...] = (),
    bending: Bending | None = None,
) -> Curve:
    """Quadratic Bezier curves from a to b whose middle point is trained to keep the loss low.

    The expected loss at uniform t is descended from the midpoint. Curve k draws its t and batches
    from generator(seed, *names, "bezier", nets[k]), whatever the other curves are.
    Guarantees: heuristic. Raises InputError for numbers of nets or rates that differ.
    Source: Garipov, Izmailov, Podoprikhin, Vetrov & Wilson 2018, equation (2).
    """
    bending = bending or Bending()
    count = a[0].shape[0]
    rates = bending.rate if isinstance(bending.rate, tuple) else (bending.rate,) * count
    for name, given in (("nets", nets), ("rate", rates)):
        if len(given) != count:
            rule = f"there is one number for each of the {count} curves"
            raise InputError(name, given, rule, "give as many numbers as networks")
    middle = tuple((p + q) / 2 for p, q in zip(a, b, strict=True))
    speed = tuple(torch.zeros_like(part) for part in middle)
    draws = [generator(seed, *names, "bezier", k) for k in nets]
    samples, device, dtype = x.shape[int(_is_own(x))], a[0].device, a[0].dtype
    speeds = torch.tensor(rates, dtype=dtype).to(device)
    for step in range(bending.steps):
        at = step % _BLOCK
        if at == 0:  # a block of draws for every curve: one numpy call each
            drawn = np.stack([draw.random(_BLOCK) for draw in draws], 1)
            times = torch.as_tensor(drawn, dtype=dtype).to(device)
            chosen = None
            if bending.batch is not None:
                shape = (_BLOCK, bending.batch)
                picks = np.stack([draw.integers(samples, size=shape) for draw in draws], 1)
                chosen = torch.as_tensor(picks).to(device)
        t = times[at]
        inputs, targets = x, y
        if chosen is not None:
            inputs, targets = _batch(x, y, chosen[at], count)
        _, slopes = model.gradients(Curve((a, middle, b)).at(t), inputs, targets, loss)
        share = 2 * t * (1 - t)
        for part, pace, slope in zip(middle, speed, slopes, strict=True):
            pace.mul_(bending.momentum)
            pace.add_(_by_net(share, slope) * slope)
            part.sub_(_by_net(speeds, pace) * pace)
    return Curve((a, middle, b))


def _is_own(x: Tensor) -> bool:
    """Whether each net has inputs of its own: [K, n, d] or [K, n, C, H, W], not [n, d]."""
    return x.dim() % 2 == 1


def _batch(x: Tensor, y: Tensor, chosen: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The chosen samples [K, B] of inputs and targets that are shared or one set for each net."""
    nets = torch.arange(count, device=chosen.device)[:, None]
    # labels are [n] or [K, n], targets of the square loss [n, m] or [K, n, m]
    own = y.dim() == (3 if y.is_floating_point() else 2)
    inputs = x[nets, chosen] if _is_own(x) else x[chosen]
    return inputs, y[nets, chosen] if own else y[chosen]

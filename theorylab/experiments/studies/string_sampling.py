"""Dynamic string sampling: polygonal paths in a sublevel set, found by pulling beads down.

A string begins as the straight segment. Where a segment is seen above the level, a bead is put at
the highest point seen and pulled below the level; the two new segments are looked at in turn. The
length of what is found is an upper bound of a geodesic's, and depends on how beads are pulled; a
string that was not finished says nothing about the sublevel set.
Source: Freeman & Bruna 2017, section 3 and algorithm 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from theorylab.experiments.networks.model import Model, Parameters, loss_of, unflattened
from theorylab.outcome import InputError

# The losses [N] of N parameter vectors [N, P] and, if asked for, their gradients [N, P].
Energy = Callable[[Tensor, bool], tuple[Tensor, Tensor | None]]
_AT_ONCE = 256
_BETAS, _TINY = (0.9, 0.999), 1e-8


@dataclass(frozen=True, slots=True)
class Relaxer:
    """How a bead is pulled below the level u: until its loss is at most ``done`` u.

    "polyak" takes the step that would reach ``aim`` u on a linear loss, at most ``longest`` long,
    so that the bead moves little; "adam" takes Adam's steps of this ``rate``.
    """

    kind: str = "polyak"
    iterations: int = 400
    done: float = 0.9
    aim: float = 0.8
    longest: float = 0.5
    rate: float = 0.01

    def __post_init__(self) -> None:
        if self.kind not in ("polyak", "adam"):
            raise InputError("kind", self.kind, "a relaxer is polyak or adam", "choose one")
        if not 0 < self.aim <= self.done < 1 or self.iterations < 1:
            rule = "0 < aim <= done < 1, and there is an iteration at least"
            raise InputError("relaxer", self, rule, "use Relaxer() for the usual values")


@dataclass(slots=True)
class String:
    """A polygonal path through ``beads``, both ends among them.

    ``connected`` when every bead, and every one of the points looked at between them, is at most
    at the level; ``searching`` while segments are left to look at.
    """

    beads: list[Tensor]
    fine: list[bool] = field(default_factory=list)
    searching: bool = True

    @property
    def connected(self) -> bool:
        """Whether the path was found."""
        return not self.searching and all(self.fine)

    @property
    def length(self) -> float:
        """The length of the path over the distance of its ends, 1 or more; nan for equal ends."""
        steps = torch.stack(self.beads).diff(dim=0).norm(dim=1).sum()
        return float(steps / (self.beads[-1] - self.beads[0]).norm())


def energy_of(model: Model, like: Parameters, x: Tensor, y: Tensor, loss: str) -> Energy:
    """The loss of parameter vectors of this model on x and y, some vectors at a time."""

    def energy(vectors: Tensor, slopes: bool) -> tuple[Tensor, Tensor | None]:
        losses, found = [], []
        for part in torch.split(vectors, _AT_ONCE):
            parameters = unflattened(part, like)
            if slopes:
                values, gradient = model.gradients(parameters, x, y, loss)
                found.append(torch.cat([g.reshape(len(part), -1) for g in gradient], 1))
            else:
                values = loss_of(model.outputs(parameters, x), y, loss)
            losses.append(values)
        return torch.cat(losses), torch.cat(found) if slopes else None

    return energy


def strings(
    energy: Energy,
    a: Tensor,
    b: Tensor,
    level: float,
    relaxer: Relaxer,
    *,
    rounds: int = 7,
    points: int = 9,
    beads: int = 0,
    most: int = 200,
) -> list[String]:
    """Strings from a [K, P] to b [K, P] in {energy <= level}, each searched for by itself.

    At most ``rounds`` times a bead is put into every segment that is seen above the level at one
    of ``points`` inner points; ``beads`` equidistant ones are there from the start, pulled down
    where they are too high. A string of more than ``most`` beads is given up.
    Guarantees: heuristic; between the points looked at the loss may be higher. Raises InputError
    when an end is above the level.

    >>> def energy(v, slopes):
    ...     return (1 - v.square().sum(1)).abs(), -2 * v * (1 - v.square().sum(1, True)).sign()
    >>> ends = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    >>> found = strings(energy, *ends, 0.1, Relaxer())[0]
    >>> found.connected, 1.0 < found.length < 1.2
    (True, True)
    """
    if points < 1 or rounds < 0 or beads < 0:
        rule = "points are at least 1, rounds and beads at least 0"
        raise InputError("points", (points, rounds, beads), rule, "choose more")
    if not len(a):
        return []
    highest = float(torch.cat([energy(a, False)[0], energy(b, False)[0]]).amax())
    if not highest <= level:
        rule = "both ends of every string lie in the sublevel set"
        raise InputError("level", level, rule, f"use a level of at least {highest:.6g}")
    shares = torch.linspace(0, 1, beads + 2, dtype=a.dtype, device=a.device)[1:-1, None]
    found = [String([a[k], b[k]]) for k in range(len(a))]
    if beads:
        inner = torch.cat([a[k] + shares * (b[k] - a[k]) for k in range(len(a))])
        pulled, low = _pulled(energy, inner, level, relaxer)
        for k, string in enumerate(found):
            rows = slice(k * beads, (k + 1) * beads)
            string.beads[1:1] = list(pulled[rows])
            string.searching = bool(low[rows].all())
    for string in found:
        string.fine = [False] * (len(string.beads) - 1)
    places = torch.linspace(0, 1, points + 2, dtype=a.dtype, device=a.device)[1:-1, None]
    for turn in range(rounds + 1):
        if not _looked(energy, found, places, level, relaxer, turn < rounds, most):
            break
    for string in found:
        string.searching = string.searching and not all(string.fine)
    return found


def _looked(
    energy: Energy,
    found: list[String],
    places: Tensor,
    level: float,
    relaxer: Relaxer,
    insert: bool,
    most: int,
) -> bool:
    """Look at the segments that are not known to be fine; put beads into those that are high."""
    segments = [
        (k, i)
        for k, string in enumerate(found)
        if string.searching
        for i, fine in enumerate(string.fine)
        if not fine
    ]
    if not segments:
        return False
    starts = torch.stack([found[k].beads[i] for k, i in segments])[:, None]
    ends = torch.stack([found[k].beads[i + 1] for k, i in segments])[:, None]
    inner = starts + places * (ends - starts)
    losses, _ = energy(inner.flatten(0, 1), False)
    peaks, where = losses.reshape(inner.shape[:2]).nan_to_num(nan=torch.inf).max(1)
    high = [row for row, peak in enumerate(peaks.tolist()) if not peak <= level]
    for row in set(range(len(segments))) - set(high):
        k, i = segments[row]
        found[k].fine[i] = True
    if not insert or not high:
        return False
    chosen = torch.stack([inner[row, where[row]] for row in high])
    pulled, low = _pulled(energy, chosen, level, relaxer)
    # from the last segment of a string to its first, so that places stay what they were
    for row, bead, is_low in reversed(list(zip(high, pulled, low.tolist(), strict=True))):
        k, i = segments[row]
        found[k].beads.insert(i + 1, bead)
        found[k].fine[i : i + 1] = [False, False]
        if not is_low or len(found[k].beads) > most:
            found[k].searching = False
    return True


def _pulled(energy: Energy, beads: Tensor, level: float, relaxer: Relaxer) -> tuple[Tensor, Tensor]:
    """The beads pulled down, and which of them are low enough."""
    beads, low = beads.clone(), torch.zeros(len(beads), dtype=torch.bool, device=beads.device)
    memory = torch.zeros(2, *beads.shape, dtype=beads.dtype, device=beads.device)
    active = torch.arange(len(beads), device=beads.device)
    for step in range(1, relaxer.iterations + 2):
        losses, slopes = energy(beads[active], True)
        assert slopes is not None
        below = losses <= relaxer.done * level
        low[active[below]] = True
        active, losses, slopes = active[~below], losses[~below], slopes[~below]
        if not len(active) or step > relaxer.iterations:
            break
        if relaxer.kind == "polyak":
            share = (losses - relaxer.aim * level) / slopes.square().sum(1).clamp_min(1e-12)
            move = share[:, None] * slopes
            move *= relaxer.longest / move.norm(dim=1, keepdim=True).clamp_min(relaxer.longest)
        else:
            first = _BETAS[0] * memory[0, active] + (1 - _BETAS[0]) * slopes
            second = _BETAS[1] * memory[1, active] + (1 - _BETAS[1]) * slopes.square()
            memory[0, active], memory[1, active] = first, second
            scale = (second / (1 - _BETAS[1] ** step)).sqrt() + _TINY
            move = relaxer.rate * first / (1 - _BETAS[0] ** step) / scale
        beads[active] = beads[active] - move
    # a bead between done u and u is low enough for the path
    if len(active):
        low[active] = energy(beads[active], False)[0] <= level
    return beads, low

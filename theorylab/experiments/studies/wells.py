"""Two wells of a potential: the mass of each in closed form, and chains that sample it.

The potential is the lower of two quadratic bowls of the same depth, one wider in every direction;
they meet on a sphere.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import cos, exp, gamma, pi, sin, sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import integrate, stats

from theorylab.outcome import InputError

# Steps whose noise is drawn at once.
_DRAWN = 8


@dataclass(frozen=True, slots=True)
class Wells:
    """The potential min(|x|^2 / 2, |x - distance e_1|^2 / (2 wide^2)) on R^d.

    The narrow basin is the ball of radius ``radius`` about ``-centre`` e_1.

    >>> Wells(1, 2.0, 5.0).wide_mass(1.0) - 2 / 3 < 1e-6
    True
    """

    d: int
    wide: float
    distance: float

    def __post_init__(self) -> None:
        if self.d < 1 or self.wide <= 1 or self.distance <= 0:
            rule = "the dimension is at least 1, the wide well wider than 1, the wells apart"
            value = (self.d, self.wide, self.distance)
            raise InputError("wells", value, rule, "choose others")

    @property
    def centre(self) -> float:
        """How far the centre of the narrow basin lies behind its minimum."""
        return self.distance / (self.wide**2 - 1)

    @property
    def radius(self) -> float:
        """The radius of the narrow basin."""
        return self.wide * self.centre

    def wide_mass(self, temperature: float) -> float:
        """The mass of the wide basin under exp(-U / temperature), by the non-central chi-square.

        Guarantees: exact up to the rounding of scipy's distribution.
        """
        r, c, far = self.radius**2 / temperature, self.centre**2, (self.distance + self.centre) ** 2
        narrow = stats.ncx2.cdf(r, self.d, c / temperature)
        spread = self.wide**2
        wide = self.wide**self.d * stats.ncx2.sf(r / spread, self.d, far / (temperature * spread))
        return float(wide / (wide + narrow))

    def bias_rate(self, temperature: float) -> float:
        """The derivative, in its step at 0, of the wide basin's mass under unadjusted descent.

        Where U is smooth the stationary density is exp(-U / T) (1 + h (|U'|^2 / (4 T) - U'' / 2))
        up to o(h); partial integration leaves the masses of the basins and an integral over the
        sphere between them. Guarantees: the next term is of order h^(3/2), for U has a ridge.
        """
        d, t, c, r = self.d, temperature, self.centre, self.radius

        def flux(angle: float) -> tuple[float, float]:
            # exp(-U / T) times the derivatives of the two bowls along the normal of the sphere
            along, across = r * cos(angle) - c, r * sin(angle)
            weight = exp(-(along**2 + across**2) / (2 * t)) * sin(angle) ** max(d - 2, 0)
            narrow = along * cos(angle) + across * sin(angle)
            return weight * narrow, weight * (narrow - self.distance * cos(angle)) / self.wide**2

        if d == 1:
            ends = flux(0.0), flux(pi)
            through = [ends[0][i] + ends[1][i] for i in range(2)]
        else:
            size = 2 * pi ** ((d - 1) / 2) / gamma((d - 1) / 2) * r ** (d - 1)
            through = [
                size * float(integrate.quad(lambda a, i=i: flux(a)[i], 0, pi)[0]) for i in range(2)
            ]
        inside = stats.ncx2.cdf(r**2 / t, d, c**2 / t) * (2 * pi * t) ** (d / 2)
        p = self.wide_mass(t)
        both = float(inside) / (1 - p)
        well = p * (1 - p) * d / 4 * (1 - 1 / self.wide**2)
        return well + ((1 - p) * through[0] + p * through[1]) / (4 * both)

    @property
    def limit(self) -> float:
        """The mass as the temperature falls to 0, the one that is printed."""
        return self.wide**self.d / (1 + self.wide**self.d)

    def at(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The potential, its gradient, and whether the basin is the wide one, at x [d, K]."""
        moved = x.clone()
        moved[0] -= self.distance
        narrow = torch.linalg.vecdot(x, x, dim=0) / 2
        wide = torch.linalg.vecdot(moved, moved, dim=0) / (2 * self.wide**2)
        inside = wide < narrow
        gradient = torch.where(inside, moved / self.wide**2, x)
        return torch.minimum(narrow, wide), gradient, inside


@cache
def unadjusted_mass(wide: float, distance: float, temperature: float, step: float) -> float:
    """The mass of the wide well in the stationary law of noisy descent in one dimension.

    The law is the fixed point of x -> x - step U'(x) + sqrt(2 step temperature) N(0, 1), solved on
    the Gauss-Legendre nodes of each piece. Guarantees: heuristic, but doubling the nodes moves it
    by less than 1e-8 for the steps here.

    >>> round(unadjusted_mass(2.0, 5.0, 1.0, 0.1), 4)
    0.6733
    """
    wells = Wells(1, wide, distance)
    reach = 9 * sqrt(temperature)
    ends = [-wells.centre - wells.radius - reach, -wells.centre - wells.radius]
    ends += [wells.radius - wells.centre, distance + wide * reach]
    noise = sqrt(2 * step * temperature)
    places, weights = [], []
    for low, high in itertools.pairwise(ends):
        nodes, weight = np.polynomial.legendre.leggauss(40 + int(6 * (high - low) / noise))
        places.append((high + low) / 2 + (high - low) / 2 * nodes)
        weights.append((high - low) / 2 * weight)
    x, weight = np.concatenate(places), np.concatenate(weights)
    _, gradient, inside = wells.at(torch.from_numpy(x[None]))
    mean = x - step * gradient[0].numpy()
    kernel = stats.norm.pdf(x[:, None], mean[None, :], noise) * weight
    # the fixed point has total weight 1, which takes the place of one equation
    system = kernel - np.eye(len(x))
    system[0], right = weight, np.eye(1, len(x))[0]
    density = np.linalg.solve(system, right)
    return float((density * weight)[inside.numpy()].sum())


def sampled(
    wells: Wells,
    temperature: float,
    step: float,
    steps: int,
    burn: int,
    starts: Sequence[float],
    draws: Sequence[np.random.Generator],
    chains: int,
    device: torch.device,
    *,
    adjusted: bool,
) -> NDArray[np.float64]:
    """The share of time in the wide well of each block of chains, [block].

    Block b starts at ``starts[b]`` e_1 and takes its noise from ``draws[b]`` alone. With
    ``adjusted`` each step passes the Metropolis test, so that the Boltzmann law is stationary.
    """
    d, total = wells.d, chains * len(starts)
    x = torch.zeros(d, total, dtype=torch.float64, device=device)
    x[0] = torch.as_tensor(np.repeat(starts, chains), dtype=torch.float64).to(device)
    spread = sqrt(2 * step * temperature)
    energy, gradient, inside = wells.at(x)
    occupied = torch.zeros(total, dtype=torch.float64, device=device)
    for n in range(steps):
        if n % _DRAWN == 0:
            count = min(_DRAWN, steps - n)
            normal = _moved([g.standard_normal((count, d, chains)) for g in draws], device)
            if adjusted:
                level = _moved([g.standard_exponential((count, chains)) for g in draws], device)
        xi = normal[n % _DRAWN]
        y = torch.add(x, gradient, alpha=-step).add_(xi, alpha=spread)
        new_energy, new_gradient, new_inside = wells.at(y)
        if adjusted:
            back = (x - y).add_(new_gradient, alpha=step)
            rise = new_energy - energy + torch.linalg.vecdot(back, back, dim=0) / (4 * step)
            rise -= torch.linalg.vecdot(xi, xi, dim=0) * (temperature / 2)
            taken = rise < level[n % _DRAWN] * temperature
            x = torch.where(taken, y, x)
            energy = torch.where(taken, new_energy, energy)
            gradient = torch.where(taken, new_gradient, gradient)
            inside = torch.where(taken, new_inside, inside)
        else:
            x, energy, gradient, inside = y, new_energy, new_gradient, new_inside
        if n >= burn:
            occupied += inside
    share = occupied.reshape(len(starts), chains).mean(1) / (steps - burn)
    return share.cpu().numpy()


def _moved(blocks: Sequence[NDArray[np.float64]], device: torch.device) -> torch.Tensor:
    return torch.from_numpy(np.concatenate(blocks, axis=-1)).to(device)

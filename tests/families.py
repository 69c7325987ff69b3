"""Families of network problems with known generic counts, for the tests of monodromy and others."""

from __future__ import annotations

import random
from dataclasses import dataclass

from theorylab.counting.homotopy.monodromy import GenericCount, generic_count
from theorylab.counting.system import PolynomialSystem, critical_system, interpolation_system
from theorylab.model import Dataset, Network


def data(n: int, m: int, samples: int, seed: int = 0) -> Dataset:
    rng = random.Random(seed)

    def table(columns: int) -> list[list[int]]:
        return [[rng.randint(-99, 99) for _ in range(columns)] for _ in range(samples)]

    return Dataset.from_rows(table(n), table(m))


def interpolation(widths: tuple[int, ...], activation: str, bias: bool = False) -> PolynomialSystem:
    """Biases, if any, in the first layer only; as many data as unknowns."""
    network = Network.dense(widths, activation, [bias] + [False] * (len(widths) - 2))
    one = interpolation_system(network, data(network.n, network.m, 1))
    samples = len(one.variables) // network.m
    return interpolation_system(network, data(network.n, network.m, samples), parametric=True)


def critical(widths: tuple[int, ...], activation: str, samples: int) -> PolynomialSystem:
    network = Network.dense(widths, activation)
    made = data(network.n, network.m, samples)
    return critical_system(network, made, "generic", parametric=True)


@dataclass(frozen=True)
class Family:
    """``orbits``: how many functions; ``count``: how many solutions. Source: ENGINES B2 and B3."""

    name: str
    system: PolynomialSystem
    orbits: int
    count: int


def net2(n: int, p: int, d: int) -> PolynomialSystem:
    return interpolation((n, p, 1), {2: "square", 3: "cube"}[d], bias=True)


_COUNTED: dict[str, GenericCount] = {}


def counted(family: Family) -> GenericCount:
    """Its generic count for seed 0, computed once for all tests of a run."""
    if family.name not in _COUNTED:
        _COUNTED[family.name] = generic_count(family.system)
    return _COUNTED[family.name]


def small() -> list[Family]:
    return [
        Family("net2(2,2,z^2)", net2(2, 2, 2), 3, 12),
        Family("net2(2,2,z^3)", net2(2, 2, 3), 15, 270),
        Family("net2(4,2,z^2)", net2(4, 2, 2), 35, 140),
        Family("net2(2,3,z^3)", net2(2, 3, 3), 4, 648),
        Family("net2(3,2,z^3)", net2(3, 2, 3), 175, 3150),
        Family("net3(3)", interpolation((3, 2, 2, 1), "square"), 45, 1080),
        # 5: by hand; 17 and 225: deeplin, ENGINES B2; 73: cubiccrit_n1_p2, ENGINES A1.
        Family("linear 1-1-1", critical((1, 1, 1), "linear", 1), 3, 5),
        Family("deeplin(2,1,2)", critical((2, 1, 2), "linear", 3), 9, 17),
        Family("deeplin(2,2,2)", critical((2, 2, 2), "linear", 3), 65, 225),
        Family("cube 1-2-1", critical((1, 2, 1), "cube", 2), 25, 73),
    ]

"""The systems of the benchmarks: classical families as straight-line programs, and networks.

Counts: cyclic-n, katsura-n and noon-n as in tests/zoo.py; networks as measured when the tracker was
designed and confirmed by monodromy with a trace test (and by `phc -b` where it finishes).

    net2(n, p, z^d)   interpolation by sum_k (w_k . x + b_k)^d, as many samples as unknowns
    net3(n)           interpolation by (v1 l1^2 + v2 l2^2)^2 + (v3 l2^2)^2, first entries of l one
    deeplin(i, h, o)  critical points of |W2 W1 X - Y|^2 + sum_j lambda_j w_j^2
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any

from flint import fmpq

from theorylab.counting.system import (
    PolynomialSystem,
    Program,
    critical_system,
    gauge_of,
    interpolation_system,
    layout_of,
)
from theorylab.model import Dataset, Network


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a program with the arithmetic written as usual."""

    program: Program
    at: int

    def _of(self, other: Any) -> int:
        return other.at if isinstance(other, Node) else self.program.constant(other)

    def __add__(self, other: Any) -> Node:
        return Node(self.program, self.program.add(self.at, self._of(other)))

    def __sub__(self, other: Any) -> Node:
        return Node(self.program, self.program.sub(self.at, self._of(other)))

    def __mul__(self, other: Any) -> Node:
        return Node(self.program, self.program.mul(self.at, self._of(other)))

    def __pow__(self, exponent: int) -> Node:
        return Node(self.program, self.program.power(self.at, exponent))


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A system and how many isolated solutions it has; data may be numbers or parameters."""

    name: str
    known: int
    make: Callable[[bool], PolynomialSystem]

    @property
    def system(self) -> PolynomialSystem:
        return self.make(False)

    @property
    def parametric(self) -> PolynomialSystem:
        return self.make(True)


def _made(
    name: str, program: Program, unknowns: int, equations: Sequence[Node]
) -> PolynomialSystem:
    names = tuple(f"x{i}" for i in range(unknowns))
    outputs = tuple(equation.at for equation in equations)
    return PolynomialSystem(names, program, outputs, name=name, groups=(tuple(range(unknowns)),))


def _unknowns(count: int) -> tuple[Program, list[Node]]:
    program = Program()
    return program, [Node(program, program.variable(i)) for i in range(count)]


def katsura(n: int) -> Benchmark:
    def make(_parametric: bool) -> PolynomialSystem:
        program, u = _unknowns(n + 1)
        equations = []
        for m in range(n):
            pairs = [(abs(i), abs(m - i)) for i in range(-n, n + 1) if abs(m - i) <= n]
            counted = {tuple(sorted(pair)): 0 for pair in pairs}
            for pair in pairs:
                counted[tuple(sorted(pair))] += 1
            equations.append(reduce(add, [u[i] * u[j] * c for (i, j), c in counted.items()]) - u[m])
        equations.append(reduce(add, [u[0], *(x * 2 for x in u[1:])]) - 1)
        return _made(f"katsura-{n}", program, n + 1, equations)

    return Benchmark(f"katsura-{n}", 2**n, make)


def cyclic(n: int) -> Benchmark:
    def make(_parametric: bool) -> PolynomialSystem:
        program, x = _unknowns(n)
        products, equations = list(x), []
        for k in range(1, n):
            equations.append(reduce(add, products))
            products = [products[i] * x[(i + k) % n] for i in range(n)]
        return _made(f"cyclic-{n}", program, n, [*equations, products[0] - 1])

    return Benchmark(f"cyclic-{n}", {5: 70, 6: 156, 7: 924}[n], make)


def noon(n: int) -> Benchmark:
    def make(_parametric: bool) -> PolynomialSystem:
        program, x = _unknowns(n)
        squares = [v * v for v in x]
        total = reduce(add, squares)
        equations = [
            v * (total - s) - v * fmpq(11, 10) + 1 for v, s in zip(x, squares, strict=True)
        ]
        return _made(f"noon-{n}", program, n, equations)

    return Benchmark(f"noon-{n}", 3**n - 2 * n, make)


def _rows(rng: random.Random, count: int, width: int) -> list[list[fmpq]]:
    """Normal numbers rounded to odd multiples of 2^-10."""
    return [
        [fmpq(2 * round(512 * rng.gauss(0, 1)) + 1, 1024) for _ in range(width)]
        for _ in range(count)
    ]


def net2(n: int, p: int, d: int, known: int) -> Benchmark:
    network = Network.dense((n, p, 1), {2: "square", 3: "cube"}[d], bias=(True, False))
    return _interpolation(f"net2({n},{p},z^{d})", network, known)


def net3(n: int, known: int) -> Benchmark:
    return _interpolation(f"net3({n})", Network.dense((n, 2, 2, 1), "square"), known)


def _interpolation(name: str, network: Network, known: int) -> Benchmark:
    def make(parametric: bool) -> PolynomialSystem:
        unknowns = gauge_of(layout_of(network), "auto", "none")
        samples = network.parameter_count - len(unknowns.fixed)
        rng = random.Random(name)
        data = Dataset.from_rows(_rows(rng, samples, network.widths[0]), _rows(rng, samples, 1))
        made = interpolation_system(network, data, parametric=parametric)
        return replace(made, name=name)

    return Benchmark(name, known, make)


def deeplin(i: int, h: int, o: int, known: int) -> Benchmark:
    name, network = f"deeplin({i},{h},{o})", Network.dense((i, h, o), "linear")

    def make(parametric: bool) -> PolynomialSystem:
        rng = random.Random(name)
        data = Dataset.from_rows(_rows(rng, i, i), _rows(rng, i, o))
        made = critical_system(network, data, "generic", parametric=parametric)
        return replace(made, name=name)

    return Benchmark(name, known, make)


TABLE = (
    noon(5),
    katsura(8),
    katsura(10),
    cyclic(6),
    cyclic(7),
    net2(2, 2, 2, 12),
    net2(3, 2, 2, 40),
    net2(2, 2, 3, 270),
    net2(3, 3, 2, 32),
    net2(4, 2, 2, 140),
    net2(3, 2, 3, 3150),
    net2(2, 3, 3, 648),
    deeplin(2, 1, 2, 17),
    deeplin(2, 2, 2, 225),
    net3(3, 1080),
)

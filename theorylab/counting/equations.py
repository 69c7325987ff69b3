"""Polynomial systems of networks, from their own forward pass: interpolation, critical points."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from flint import fmpq

from theorylab.counting.gauge import Gauge, Layout, gauge_of, layout_of
from theorylab.counting.polynomials import Origin, PolynomialSystem, generic_rational
from theorylab.counting.program import Program
from theorylab.model import Dataset, Loss, Network, rational
from theorylab.outcome import InputError


class _Forward:
    """Program, unknowns and data nodes of one network problem."""

    def __init__(
        self, network: Network, data: Dataset, gauge: str, parametric: bool, ridge: str
    ) -> None:
        Loss(network, data)  # refuses data of the wrong widths
        self.layout: Layout = layout_of(network)
        self.gauge: Gauge = gauge_of(self.layout, gauge, ridge)
        self.program = Program()
        self.parametric = parametric
        self.parameters: list[str] = []
        self.values: list[fmpq] = []
        fixed = dict(self.gauge.fixed)
        self.template: list[int | fmpq] = []
        self.variables: list[str] = []
        groups: dict[int, list[int]] = {}
        for p, name in enumerate(self.layout.names):
            if p in fixed:
                self.template.append(fixed[p])
            else:
                groups.setdefault(self.layout.layers[p], []).append(len(self.variables))
                self.template.append(len(self.variables))
                self.variables.append(name)
        self.groups = tuple(tuple(groups[k]) for k in sorted(groups))
        self.unknown = [self._node(entry) for entry in self.template]
        self.weights = [
            [[self._entry(entry) for entry in row] for row in layer]
            for layer in self.layout.entries
        ]
        self.inputs = self._data("x", data.x.transpose().tolist())
        self.targets = self._data("y", data.y.transpose().tolist())
        self.residuals = [
            self.program.sub(value, target)
            for inputs, targets in zip(self.inputs, self.targets, strict=True)
            for value, target in zip(self.outputs(network, inputs), targets, strict=True)
        ]

    def _node(self, entry: int | fmpq) -> int:
        if isinstance(entry, fmpq):
            return self.program.constant(entry)
        return self.program.variable(entry)

    def _entry(self, entry: int | fmpq) -> int:
        return self.program.constant(entry) if isinstance(entry, fmpq) else self.unknown[entry]

    def number(self, name: str, value: fmpq) -> int:
        """A parameter if the system is parametric, a constant otherwise."""
        if not self.parametric:
            return self.program.constant(value)
        self.parameters.append(name)
        self.values.append(value)
        return self.program.parameter(len(self.values) - 1)

    def _data(self, letter: str, table: list[list[fmpq]]) -> list[list[int]]:
        return [
            [self.number(f"{letter}{i + 1}_{j + 1}", value) for j, value in enumerate(row)]
            for i, row in enumerate(table)
        ]

    def outputs(self, network: Network, inputs: Sequence[int]) -> list[int]:
        """Phi(x) for one sample: the forward pass, on nodes instead of numbers."""
        program = self.program
        values = list(inputs)
        for k, layer in enumerate(self.weights, start=1):
            if network.bias[k - 1]:
                values = [*values, program.constant(1)]
            values = [
                program.total([program.mul(w, h) for w, h in zip(row, values, strict=True)])
                for row in layer
            ]
            if k < network.depth or network.output == "activation":
                values = [self._activated(network, z) for z in values]
        return values

    def _activated(self, network: Network, z: int) -> int:
        coefficients = network.activation.coefficients or ()
        degrees = network.activation.degrees or ()
        program = self.program
        if len(degrees) == 1:
            return program.mul(
                program.constant(coefficients[degrees[0]]), program.power(z, degrees[0])
            )
        total = program.constant(0)
        for coefficient in reversed(coefficients):
            total = program.add(program.mul(total, z), program.constant(coefficient))
        return total

    def system(
        self, outputs: Sequence[int], name: str, origin: Origin, slices: int | str, seed: int
    ) -> PolynomialSystem:
        made = PolynomialSystem(
            tuple(self.variables),
            self.program,
            tuple(outputs),
            tuple(self.parameters),
            tuple(self.values),
            name,
            "the network's forward pass",
            self.gauge,
            (),
            self.groups,
            origin,
        )
        if slices == "auto":
            slices = max(0, len(self.variables) - len(outputs))
        if type(slices) is not int:
            raise InputError(
                "slices", slices, 'slices is a number or "auto"', "use 0 for no slices"
            )
        return made.with_slices(slices, seed)


def interpolation_system(
    network: Network,
    data: Dataset,
    gauge: str = "auto",
    slices: int | str = 0,
    *,
    parametric: bool = False,
    seed: int = 0,
) -> PolynomialSystem:
    """f(x_i; w) = y_i for all samples i and outputs, sample after sample, the gauge substituted.

    Unknowns are the free parameters (a shared one once) that the gauge leaves; see ``gauge_of``.
    ``slices`` adds that many generic linear equations, "auto" as many as make the system square.
    With ``parametric`` the data are parameters of the program. Sample weights play no part.

    Guarantees: exact. Raises InputError for activations that are not polynomial and for data
    that do not fit.

    >>> data = Dataset.from_rows([[1, 2], [3, -1], [0, 1]], [[1], [0], [2]])
    >>> interpolation_system(Network.dense((2, 2, 1), "square"), data)
    <interpolation 2-2-1 square: 3 equations in 3 unknowns>
    """
    made = _Forward(network, data, gauge, parametric, "none")
    name = f"interpolation {_named(network)}"
    origin = Origin("interpolation", network, data, tuple(made.template))
    return made.system(made.residuals, name, origin, slices, seed)


def critical_system(
    network: Network,
    data: Dataset,
    ridge: Any = None,
    gauge: str = "auto",
    slices: int | str = 0,
    *,
    parametric: bool = False,
    seed: int = 0,
) -> PolynomialSystem:
    """The gradient of L + sum_j lambda_j theta_j^2 in the free parameters (a shared one once).

    ``ridge`` is None, one positive rational for all parameters, "generic" (a seeded rational
    between 1/4 and 1 for each) or one positive rational for each. A ridge breaks the symmetries,
    so nothing is fixed then. Without a ridge the gauge is substituted first: where the fixed
    weights meet the orbits transversally (the solutions the gauge does not exclude), the critical
    points of the restricted loss are those of the loss.

    Guarantees: exact. Raises InputError as ``interpolation_system``, and for a bad ridge.

    >>> data = Dataset.from_rows([[1]], [[2]])
    >>> critical_system(Network.dense((1, 1, 1), "linear"), data, "generic")
    <critical points 1-1-1 linear, generic ridge: 2 equations in 2 unknowns>
    """
    coefficients, kind = _ridge(ridge, network.parameter_count, seed)
    made = _Forward(network, data, gauge, parametric, kind)
    program = made.program
    terms = []
    columns = len(made.residuals) // data.samples
    weights = [weight for weight in data.sample_weights for _ in range(columns)]
    for weight, residual in zip(weights, made.residuals, strict=True):
        terms.append(program.mul(program.constant(weight), program.mul(residual, residual)))
    for p, coefficient in enumerate(coefficients or ()):
        square = program.mul(made.unknown[p], made.unknown[p])
        number = made.number(f"ridge_{made.layout.names[p]}", coefficient)
        terms.append(program.mul(number, square))
    unknowns = [program.variable(i) for i in range(len(made.variables))]
    name = f"critical points {_named(network)}"
    if kind != "none":
        name += f", {kind} ridge"
    origin = Origin("critical", network, data, tuple(made.template), coefficients)
    gradient = program.gradient(program.total(terms), unknowns)
    return made.system(gradient, name, origin, slices, seed)


def _ridge(ridge: Any, count: int, seed: int) -> tuple[tuple[fmpq, ...] | None, str]:
    if ridge is None:
        return None, "none"
    if ridge == "generic":
        rng = random.Random(f"ridge {seed}")
        drawn = [generic_rational(rng) for _ in range(count)]
        return tuple(c if c > 0 else -c for c in drawn), "generic"
    several = isinstance(ridge, (list, tuple))
    found = [rational(v, "ridge") for v in (ridge if several else [ridge] * count)]
    if len(found) != count or any(v <= 0 for v in found):
        raise InputError(
            "ridge",
            ridge,
            f"a ridge is positive: one number, or one for each of the {count} parameters",
            'write a positive rational or "generic", or leave it out',
        )
    return tuple(found), "generic" if len(set(found)) > 1 else "common"


def _named(network: Network) -> str:
    kind = network.activation.kind
    return f"{'-'.join(map(str, network.widths))} {kind}"

"""The literal, slow definition of network and loss: one sample and one Fraction at a time.

It reads the JSON forms that the kernel reads and shares no code with theorylab.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

Row = list[Fraction]


def activation(form: Any, z: Fraction) -> Fraction:
    if isinstance(form, dict):
        if "leaky_relu" in form:
            return z if z > 0 else Fraction(form["leaky_relu"]) * z
        return sum((Fraction(a) * z**i for i, a in enumerate(form["polynomial"])), Fraction(0))
    return {
        "linear": z,
        "square": z**2,
        "cube": z**3,
        "relu": max(z, Fraction(0)),
        "abs": abs(z),
        "step": Fraction(int(z > 0)),
    }[form]


def outputs(network: dict[str, Any], x_row: list[Any], theta: list[Any]) -> Row:
    """Phi(x) for one sample."""
    values = [Fraction(v) for v in x_row]
    depth = len(network["widths"]) - 1
    for k in range(1, depth + 1):
        incoming = [*values, Fraction(1)] if network["bias"][k - 1] else values
        values = []
        for row in theta[k - 1]:
            assert len(row) == len(incoming)
            z = Fraction(0)
            for weight, value in zip(row, incoming, strict=True):
                z += Fraction(weight) * value
            hidden = k < depth or network["output"] == "activation"
            values.append(activation(network["activation"], z) if hidden else z)
    return values


def loss(network: dict[str, Any], data: dict[str, Any], theta: list[Any]) -> Fraction:
    """sum_i s_i |Phi(x_i) - y_i|^2, plus the ridge that a test may have put into ``data``."""
    weights = data["weights"] or ["1"] * len(data["x"])
    total = Fraction(0)
    for x_row, y_row, weight in zip(data["x"], data["y"], weights, strict=True):
        phi = outputs(network, x_row, theta)
        for value, target in zip(phi, y_row, strict=True):
            total += Fraction(weight) * (value - Fraction(target)) ** 2
    entries = [value for layer in theta for row in layer for value in row]
    for rate, value in zip(data.get("ridge", [0] * len(entries)), entries, strict=True):
        total += Fraction(rate) * Fraction(value) ** 2
    return total


def conforms(network: dict[str, Any], theta: list[Any]) -> bool:
    """Whether theta has the shared and the fixed entries of the network's pattern."""
    slots: dict[int, Fraction] = {}
    for layer, entries in zip(theta, network["pattern"] or [None] * len(theta), strict=True):
        if entries is None:
            continue
        for row, marks in zip(layer, entries, strict=True):
            for value, mark in zip(row, marks, strict=True):
                if isinstance(mark, str) and Fraction(mark) != Fraction(value):
                    return False
                if isinstance(mark, int) and slots.setdefault(mark, Fraction(value)) != Fraction(
                    value
                ):
                    return False
    return True


def convolution(signal: list[Row], taps: list[list[Row]], stride: int, padding: int) -> list[Row]:
    """taps[o][i] is the filter from channel i to channel o; one list of values per channel."""
    zeros = [Fraction(0)] * padding
    padded = [[*zeros, *channel, *zeros] for channel in signal]
    result = []
    for filters in taps:
        size = len(filters[0])
        result.append(
            [
                sum(
                    (
                        tap * channel[start + t]
                        for channel, taps_in in zip(padded, filters, strict=True)
                        for t, tap in enumerate(taps_in)
                    ),
                    Fraction(0),
                )
                for start in range(0, len(padded[0]) - size + 1, stride)
            ]
        )
    return result

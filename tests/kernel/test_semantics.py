"""The loss of the kernel is the literal one: random networks of every kind, exact values."""

from __future__ import annotations

import random
from fractions import Fraction

import literal
import pytest
from kernel.mutations import canonical
from kernel.writing import Json, certificate, net

from theorylab.kernel import Proved, Refuted, check

ACTIVATIONS: list[Json] = ["linear", "square", "cube", "relu", "abs", "step"]
ACTIVATIONS += [{"leaky_relu": "-2/3"}, {"polynomial": ["1/2", "0", "-1"]}, {"polynomial": ["3"]}]


def number(rng: random.Random) -> str:
    """Often zero or an integer, sometimes with an awkward denominator."""
    return str(Fraction(rng.randint(-4, 4), rng.choice((1, 1, 1, 2, 3, 7))))


def table(rng: random.Random, rows: int, columns: int) -> list[list[str]]:
    return [[number(rng) for _ in range(columns)] for _ in range(rows)]


def drawn(seed: int) -> tuple[Json, Json, Json]:
    """A network with some tied and frozen entries, data with repeated samples, and weights."""
    rng = random.Random(seed)
    widths = [rng.randint(1, 3) for _ in range(rng.randint(2, 5))]
    bias = [rng.random() < 0.5 for _ in widths[1:]]
    output = rng.choice(("linear", "activation"))
    shapes = [(r, c + int(b)) for r, c, b in zip(widths[1:], widths, bias, strict=False)]
    theta = [table(rng, *shape) for shape in shapes]
    pattern: Json = None
    if rng.random() < 0.5:
        slots: dict[int, str] = {}
        pattern = [[[None] * c for _ in range(r)] for r, c in shapes]
        for entries, layer in zip(pattern, theta, strict=True):
            for marks, row in zip(entries, layer, strict=True):
                for j, value in enumerate(row):
                    slot = rng.randint(0, 2)
                    marks[j] = rng.choice((None, slot, value))
                    if marks[j] == slot and type(marks[j]) is int:
                        row[j] = slots.setdefault(slot, value)
    samples = rng.randint(1, 4)
    x, y = table(rng, samples, widths[0]), table(rng, samples, widths[-1])
    if rng.random() < 0.3:
        x, y = [*x, x[0]], [*y, y[-1]]
    weights = [str(Fraction(rng.randint(1, 9), 4)) for _ in x] if rng.random() < 0.5 else None
    network = net(widths, rng.choice(ACTIVATIONS), bias, output, pattern)
    return network, {"x": x, "y": y, "weights": weights}, theta


@pytest.mark.parametrize("seed", range(200))
def test_the_loss_is_the_literal_loss(seed: int) -> None:
    network, data, theta = drawn(seed)
    value = literal.loss(network, data, theta)
    for right, wanted in ((value, Proved), (value + Fraction(1, 10**30), Refuted)):
        conclusion = {"kind": "relation", "left": {"loss": theta}, "op": "==", "right": str(right)}
        found = check(canonical(certificate(network, data, [], conclusion, "witness", {})))
        assert isinstance(found, wanted), found

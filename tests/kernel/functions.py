"""A second opinion on the rule ``symmetry`` and on curves that lead down, by literal evaluation."""

from __future__ import annotations

import random
from fractions import Fraction

import literal
from kernel.segments import Json, Theta, need

INPUTS = 60
SMALL = (Fraction(1, 10**120), Fraction(1, 10**240))


def differ(network: Json, a: Theta, b: Theta, x: list[Fraction]) -> bool:
    return literal.outputs(network, x, a) != literal.outputs(network, x, b)


def shown_function(network: Json, a: Theta, b: Theta, proof: Json) -> str:
    """The kind of the fact that a proof by ``symmetry`` shows; sampled, near kinks and far away."""
    n = network["widths"][0]
    if proof["by"] == "input":
        need(set(proof) == {"by", "x"} and len(proof["x"]) == n, "an input")
        need(differ(network, a, b, [Fraction(v) for v in proof["x"]]), "no difference")
        return "different_function"
    need(set(proof) == {"by"} or set(proof) == {"by", "layers"}, "keys")
    need(("layers" in proof) == (proof["by"] == "units"), "keys")
    rng = random.Random(3)
    inputs = [
        [Fraction(rng.randint(-9, 9), rng.randint(1, 5)) for _ in range(n)] for _ in range(20)
    ]
    scales = [Fraction(10) ** e for e in (-12, -3, 0, 2, 50)]
    inputs = [[c * v for v in x] for x in inputs for c in scales]
    need(not any(differ(network, a, b, x) for x in inputs), "the outputs differ")
    return "same_function"


def falls(network: Json, data: Json, a: Theta, curve: Json) -> None:
    """The curve starts at A, and very near to A the loss along it is less than at A."""

    def point(t: Fraction) -> Theta:
        return [
            [
                [sum((Fraction(c) * t**i for i, c in enumerate(p)), Fraction(0)) for p in row]
                for row in layer
            ]
            for layer in curve
        ]

    need(network["pattern"] is None, "a dense network")
    need(all(not p or Fraction(p[-1]) for layer in curve for r in layer for p in r), "zeros")
    need(point(Fraction(0)) == a, "the curve does not start at A")
    here = literal.loss(network, data, a)
    need(all(literal.loss(network, data, point(t)) < here for t in SMALL), "the loss does not fall")

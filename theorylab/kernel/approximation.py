"""Rule ``approximation``: how near polynomials come to the activation in sup norm on [a, b].

The activation is the function x -> Phi(x; 1) of the network 1-1 with activated output.  It is
linear on each side of 0, so its distance from a polynomial is settled by signs of polynomials.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

from theorylab.kernel import statements as read
from theorylab.kernel.arith import Matrix, Poly, require, spend
from theorylab.kernel.arith import has_sign_on_unit_interval as has_sign
from theorylab.kernel.semantics import Activation
from theorylab.kernel.statements import Fact, Statement


@dataclass(frozen=True, slots=True)
class Target:
    """rho on [a, b], and its distance from polynomials."""

    rho: Activation
    a: Fraction
    b: Fraction

    def at(self, point: Any) -> tuple[Fraction, Fraction]:
        """A point of [a, b] and rho there."""
        x = read.rational(point)
        require(self.a <= x <= self.b, "a point lies outside the interval")
        return x, self.rho.on(Matrix.of([[x]])).row(0)[0]

    def within(self, p: Poly, bound: Any, leaves: Any) -> Fraction:
        """The bound e, once |rho - p| <= e is shown on [a, b] (Lemma 26)."""
        nodes = [self.a, *([Fraction(0)] if self.a < 0 < self.b else []), self.b]
        error, signs = read.rational(bound), read.items(leaves, "leaves")
        require(len(signs) == 2 * len(nodes) - 2, "leaves are for both signs on each side of 0")
        for i, (u, v) in enumerate(pairwise(nodes)):
            x, value = Poly.dense([u, v - u]), Poly({}, 1)
            for k in range(p.degree, -1, -1):
                value = value * x + Fraction(p.terms.get((k,), 0), p.den)
            gap = x * (1 if v > 0 else self.rho.slope) - value
            for sign, tiles in zip((-1, 1), signs[2 * i : 2 * i + 2], strict=True):
                good = has_sign(gap * sign + error, read.leaves(tiles), strict=False)
                require(good, "the error is not shown to be a bound")
        return error

    def from_all(self, degree: int, points: Any) -> Fraction:
        """A lower bound of the distance from every polynomial of this degree (Lemma 27)."""
        found = dict(self.at(x) for x in read.items(points, "points"))
        require(len(points) == len(found) == degree + 2, "it needs degree + 2 different points")
        size = max(x.numerator.bit_length() + x.denominator.bit_length() for x in found)
        spend(40 * len(found) ** 2, 2 * size * len(found), size)
        total, norm = Fraction(0), Fraction(0)
        for x, value in found.items():
            factor = Fraction(1)
            for other in found:
                factor /= x - other or 1
            total, norm = total + factor * value, norm + abs(factor)
        return abs(total) / norm


def approximation(statement: Statement, proof: Any) -> tuple[Fact, list[str]]:
    """Lemmas 26 and 27: an enclosure of a distance, or which polynomial is the nearest."""
    network, conclusion, values = (
        statement.network,
        statement.conclusion,
        statement.conclusion.values,
    )
    kinds = ("sup_norm", "best_error", "nearest")
    require(conclusion.kind in kinds, "approximation decides sup_norm, best_error and nearest")
    plain = network.output_activated and network.pattern is None and not any(network.bias)
    require(plain and network.widths == (1, 1), "approximation is for Phi(x; w) = rho(w x)")
    rho = network.activation
    sided = rho.coefficients is None and rho.is_linear_on_each_side
    require(sided, "approximation is for relu, leaky_relu and abs")
    target = Target(rho, values["a"], values["b"])
    subject: Any = values.get("polynomial")
    degree: Any = values.get("degree")
    least, most, other = Fraction(0), None, None
    upper, lower = read.fields(proof, "", "upper lower")
    if upper is not None:
        bound, leaves, other = read.fields(upper, "error leaves", "polynomial")
        p: Any = subject if other is None else read.univariate(other)
        fits = p is not None and (other is None or (degree is not None and p.degree <= degree))
        require(fits, "the upper bound is for another polynomial")
        most = target.within(p, bound, leaves)
    if type(lower) is str and subject is not None:
        x, value = target.at(lower)
        least = abs(value - subject([x]))
    elif lower is not None:
        require(degree is not None, "the lower bound of a sup norm is at one point")
        least = target.from_all(degree, lower)
    if conclusion.kind != "nearest":
        met = most is not None and values["at_least"] <= least and most <= values["at_most"]
        shown = {**values, "at_least": least, "at_most": most}
        return conclusion if met else replace(conclusion, values=shown), ["Lemma 26", "Lemma 27"]
    proves = most is not None and other is None and type(lower) is list and least >= most
    refutes = most is not None and other is not None and type(lower) is str and least > most
    require(proves or refutes, "neither is it shown to be nearest, nor another to be nearer")
    return conclusion if proves else replace(conclusion, kind="not_nearest"), ["Lemma 27"]

"""Rule ``optimum``, form ``escape``: a curve along which the loss falls at once (Lemma 40)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from theorylab.kernel import statements as read
from theorylab.kernel.arith import Matrix, Poly, require
from theorylab.kernel.statements import Fact, Statement


def escape(statement: Statement, proof: Any) -> tuple[Fact, list[str]]:
    """Lemma 40: a polynomial curve leaves A, and the first coefficient of L - L(A) is negative."""
    conclusion, network = statement.conclusion, statement.network
    require(network.pattern is None, "an escape needs a dense network")
    require(network.activation.coefficients is not None, "an escape needs a polynomial")
    (layers,) = read.fields(proof, "curve")
    require(len(read.items(layers, "a curve")) == network.depth, "a curve has all layers")
    point = []
    for layer, start in zip(layers, conclusion.points["A"], strict=True):
        moving = read.polynomials(layer, start.shape, "a layer of a curve")
        at_zero = Matrix.of([[p([Fraction(0)]) for p in row] for row in moving.rows])
        require(at_zero.equals(start), "the curve does not start at A")
        point.append(moving)
    loss, _ = statement.loss_fraction(tuple(point))
    powers = [k for k in loss.terms if any(k)] if isinstance(loss, Poly) else []
    falls = bool(powers) and loss.terms[min(powers)] < 0
    require(falls, "the loss does not fall along the curve")
    return conclusion, ["Lemma 40"]

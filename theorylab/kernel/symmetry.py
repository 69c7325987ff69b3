"""Rule ``symmetry``: two weights represent one function of all inputs, or an input differs."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from theorylab.kernel import statements as read
from theorylab.kernel.arith import Matrix, Poly, require, spend
from theorylab.kernel.semantics import Activation, Network, Theta, residual
from theorylab.kernel.statements import Fact, Statement

MAX_INPUTS = 24


def symmetry(statement: Statement, proof: Any) -> tuple[Fact, list[str]]:
    """Lemma 41: same_function(A, B) for all inputs, or different_function by one input."""
    conclusion, network = statement.conclusion, statement.network
    require(conclusion.kind == "same_function", "symmetry decides same_function")
    require(type(proof) is dict and "by" in proof, "a symmetry says by which argument")
    by, (a, b) = proof["by"], (conclusion.points[end] for end in "AB")
    if by == "input":
        _, x = read.fields(proof, "by x")
        at = read.matrix([x], (1, network.widths[0]), "x").transposed
        require(_differ(network, a, b, at), "the outputs agree at x")
        return replace(conclusion, kind="different_function"), ["Lemma 41"]
    if by == "units":
        _units(network, a, b, read.fields(proof, "by layers")[1])
        return conclusion, ["Lemma 41"]
    read.fields(proof, "by")
    require(by == "expansion", "a symmetry is by input, units or expansion")
    n = network.widths[0]
    require(network.activation.coefficients is not None, "an expansion needs a polynomial")
    require(n <= MAX_INPUTS, f"an expansion in more than {MAX_INPUTS} inputs")
    at = Matrix(tuple((Poly.variable(i, n),) for i in range(n)))
    require(not _differ(network, a, b, at), "the outputs differ as polynomials")
    return conclusion, ["Lemma 41"]


def _differ(network: Network, a: Theta, b: Theta, at: Matrix) -> bool:
    """Whether the outputs at these inputs, numbers or variables, differ."""
    of_a, of_b = (network.output(w, network.features(w, at)[-1]) for w in (a, b))
    gaps = residual(of_a, of_b).entries
    return any(v.terms if isinstance(v, Poly) else v for v in gaps)


def _factor(rho: Activation, c: Fraction) -> Fraction:
    """h with rho(c z) = h rho(z) for all z."""
    if rho.coefficients is not None:
        spend(64 * len(rho.coefficients) ** 2, c.numerator.bit_length(), c.denominator.bit_length())
        powers = {c**i for i, a in enumerate(rho.coefficients) if a} or {Fraction(1)}
        require(len(powers) == 1, "the activation is not homogeneous for this scale")
        return powers.pop()
    require(c > 0 or rho.kind == "abs", "a scale must be positive")
    return Fraction(1) if rho.kind == "step" else abs(c)


def _units(network: Network, a: Theta, b: Theta, layers: Any) -> None:
    """Each hidden unit of B has c times the pre-activation of a unit of A, or nothing reads it."""
    require(len(read.items(layers, "layers")) == network.depth - 1, "units of each hidden layer")
    below: list[int | None] = list(range(network.widths[0]))
    factors = [Fraction(1)] * len(below)
    for k, (old, new) in enumerate(zip(a, b, strict=True), start=1):
        rows, columns = old.shape
        units: list[int | None] = list(range(rows))
        scales = [Fraction(1)] * rows
        if k < network.depth:
            named, given = read.fields(layers[k - 1], "units scales")
            listed = read.items(named, "units")
            units = [v if v is None else read.integer(v, 0, rows - 1, "a unit") for v in listed]
            scales = [read.rational(c) for c in read.items(given, "scales")]
            require(len(units) == len(scales) == rows, "one unit and one scale for each row")
        if network.bias[k - 1]:
            below, factors = [*below, columns - 1], [*factors, Fraction(1)]
        h, c = Matrix.of([factors]), Matrix.of([scales])
        spend(32 * rows * columns, old.bits + c.bits + new.bits + h.bits, new.bits + h.bits)
        for i, unit in enumerate(units):
            reached = [0] * columns
            for v, f, j in zip(new.rows[i], h.rows[0], below, strict=True):
                require(not v or unit is None or j is not None, f"layer {k}: a lost unit is read")
                if j is not None:
                    reached[j] += v * f
            ends = zip(reached, old.rows[unit or 0], strict=True)
            scale = c.rows[0][i] * new.den * h.den
            kept = all(v * old.den * c.den == w * scale for v, w in ends)
            require(unit is None or kept, f"row {i} of layer {k} is not that of a unit of A")
        below, factors = units, [_factor(network.activation, c) for c in scales]

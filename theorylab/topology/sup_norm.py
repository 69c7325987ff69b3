"""Proofs of how near polynomials come to an activation in sup norm, for kernel rule
``approximation``."""

from __future__ import annotations

from typing import Any

from flint import fmpq, fmpq_poly

from theorylab.model.activation import Activation
from theorylab.model.approximation import Nearest, distance, linear_parts, nearest_polynomial
from theorylab.model.rational import rational_text
from theorylab.outcome import Undecided
from theorylab.topology.positivity import Leaves, sign_leaves

Json = dict[str, Any]
Proof = tuple[str, Json]
# The polynomial as it was found comes last: where the error is rational only that one attains it.
_BITS = (16, 64, 128, None)


def polynomial_json(p: fmpq_poly) -> list[str]:
    """c_0, c_1, ... as the kernel reads them."""
    return [rational_text(c) for c in p.coeffs()]


def leaves_within(
    activation: Activation, p: fmpq_poly, a: fmpq, b: fmpq, error: fmpq
) -> list[Leaves] | Undecided:
    """Leaves that show |rho - p| <= error on [a, b]: two lists for each side of 0.

    Guarantees: exact (Lemma 26). Undecided where the bound is false, or is met in sign at a point
    that bisection does not reach.
    """
    found: list[Leaves] = []
    for u, v, slope in linear_parts(activation, a, b):
        gap = (fmpq_poly([0, slope]) - p)(fmpq_poly([u, v - u]))
        for sign in (-1, 1):
            leaves = sign_leaves(gap * sign + error, strict=False)
            if isinstance(leaves, Undecided):
                return leaves
            found.append(leaves)
    return found


def sup_norm_between(
    activation: Activation, p: fmpq_poly, a: fmpq, b: fmpq, least: fmpq, most: fmpq
) -> Proof | Undecided:
    """The proof that max |rho - p| on [a, b] lies between the two, or that it does not.

    Guarantees: exact. Undecided when it is ``most`` at a point that bisection misses.

    >>> half = fmpq_poly([fmpq(1, 4), fmpq(1, 2)])
    >>> quarter = fmpq(1, 4)
    >>> rule, proof = sup_norm_between(
    ...     Activation("relu"), half, fmpq(-1), fmpq(1), quarter, quarter
    ... )
    >>> proof["lower"], proof["upper"]["error"]
    ('-1', '1/4')
    """
    point, peak = distance(activation, p, a, b)
    lower = {"lower": rational_text(point)}
    if peak > most:
        return "approximation", lower
    error = most if least <= peak else (peak + least) / 2
    leaves = leaves_within(activation, p, a, b, error)
    if isinstance(leaves, Undecided):
        return leaves
    upper = {"upper": _upper(error, leaves)}
    return "approximation", upper | lower if least <= peak else upper


def best_error_between(
    activation: Activation, degree: int, a: fmpq, b: fmpq, least: fmpq, most: fmpq
) -> Proof | Undecided:
    """The proof that the best error of a degree on [a, b] lies between the two, or does not.

    Guarantees: exact. Undecided when the exchange or the bisection does not settle it.
    """
    found = nearest_polynomial(activation, degree, a, b)
    if isinstance(found, Undecided):
        return found
    lower = {"lower": _points(found)}
    if found.low > most:
        return "approximation", lower
    upper = _nearer(
        activation, found, a, b, most if least <= found.low else (found.low + least) / 2
    )
    if isinstance(upper, Undecided):
        return upper
    return "approximation", {"upper": upper} | (lower if least <= found.low else {})


def nearest_or_not(
    activation: Activation, p: fmpq_poly, degree: int, a: fmpq, b: fmpq
) -> Proof | Undecided:
    """The proof that no polynomial of the degree is nearer than p, or that one is.

    Guarantees: exact. Undecided when p is so near the nearest that neither is shown.
    """
    point, most = distance(activation, p, a, b)
    found = nearest_polynomial(activation, degree, a, b)
    if isinstance(found, Undecided):
        return found
    if found.low >= most:
        leaves = leaves_within(activation, p, a, b, most)
        if isinstance(leaves, Undecided):
            return leaves
        return "approximation", {"upper": _upper(most, leaves), "lower": _points(found)}
    nearer = _nearer(activation, found, a, b, (found.low + most) / 2)
    if isinstance(nearer, Undecided):
        return nearer
    return "approximation", {"upper": nearer, "lower": rational_text(point)}


def _upper(error: fmpq, leaves: list[Leaves]) -> Json:
    tiles = [[[level, index] for level, index in leaf] for leaf in leaves]
    return {"error": rational_text(error), "leaves": tiles}


def _nearer(
    activation: Activation, found: Nearest, a: fmpq, b: fmpq, error: fmpq
) -> Json | Undecided:
    """The nearest polynomial rounded, and the leaves that show it to be within the error."""
    missing = Undecided("no polynomial was tried")
    for bits in _BITS:
        p = found.polynomial
        if bits is not None:
            p = fmpq_poly([_rounded(c, bits) for c in p.coeffs()])
        leaves = leaves_within(activation, p, a, b, error)
        if not isinstance(leaves, Undecided):
            return {**_upper(error, leaves), "polynomial": polynomial_json(p)}
        missing = leaves
    return missing


def _points(found: Nearest) -> list[str]:
    """The points rounded; those of small denominators, the ends among them, stay as they are."""
    return [rational_text(x if x.q < 2**64 else _rounded(x, 64)) for x in found.points]


def _rounded(value: fmpq, bits: int) -> fmpq:
    return fmpq((value * 2**bits + fmpq(1, 2)).floor(), 2**bits)

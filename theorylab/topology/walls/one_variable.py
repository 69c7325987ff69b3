"""Traps of losses that are polynomials of one quantity: a shared weight, or one activated output.

On each side of a local maximum of the polynomial the loss has a bound of its own; where they
differ, the higher side is a spurious valley.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from flint import fmpq, fmpq_mpoly, fmpq_poly

from theorylab.model import Loss, Weights
from theorylab.outcome import Undecided
from theorylab.topology.barrier import Argument, polynomial_json
from theorylab.topology.certificate import descends, not_poor_minimum
from theorylab.topology.path import Json, rational, theta_json
from theorylab.topology.walls.vanishing import activated, expanded_loss, low_points, preoutputs

# coefficient, exponent 0 or 1 of s, polynomial in s
Square = tuple[fmpq, int, fmpq_poly]
# f, the quantity t as a polynomial in the weights, its value at a point, and the squares beside f
Quantity = tuple[fmpq_poly, fmpq_mpoly, list[tuple[fmpq, Weights]], list[tuple[fmpq, fmpq_mpoly]]]

# how much finer than eps A and B are
_MORE_BITS = 12


def trapped_beyond_a_maximum(loss: Loss) -> Argument | Undecided:
    """Show that a point descends to no global minimum: L = f(t) + squares, t a wall's quantity.

    Here t is the only weight there is (shared or masked networks), or an output before its
    polynomial activation. At a local maximum t_0 of f the wall t = t_0 stands; beyond it f >= v.
    Undecided when there is no such quantity, or no points on both sides are found.
    Guarantees: exact; the conclusion is that A descends to the loss of a lower point, refuted.
    Source: own.

    >>> from theorylab.model import Dataset, Network
    >>> network = Network.with_pattern((1, 1, 1), "linear", [[[0, "1"]], [[0]]], (True, False))
    >>> loss = Loss(network, Dataset.from_rows([[1], [2]], [[6], [10]]))
    >>> trapped_beyond_a_maximum(loss).rule
    'barrier'
    """
    for f, t, points, squares in _quantities(loss):
        for wall in _maxima(f):
            for sign in (1, -1):
                found = _trap(loss, f, t, points, squares, wall, sign)
                if found is not None:
                    return found
    return Undecided("no local maximum with a higher side", "the trap")


def poor_minimum_of_one_weight(loss: Loss) -> Argument | Undecided:
    """Show a local minimum that is not global of a network with one weight, shared or masked.

    At a rational a with f'(a) = 0, f - f(a) = (t - a)^2 h and h(a) > 0: h is the guard.
    Guarantees: exact. Undecided when no rational critical point is such a minimum. Source: own.

    >>> from theorylab.model import Dataset, Network
    >>> tied = [[[0]], [[0], ["1"]], [[0, 0]]]  # L = (w^3 + w^2 - 1)^2
    >>> loss = Loss(
    ...     Network.with_pattern((1, 1, 2, 1), "linear", tied), Dataset.from_rows([[1]], [[1]])
    ... )
    >>> poor_minimum_of_one_weight(loss).conclusion["A"][0]
    [['-2/3']]
    """
    for f, t, points, squares in _quantities(loss):
        if squares or loss.network.parameter_count != 1:
            continue
        for a in _rational_roots(f.derivative()):
            rest = f - fmpq_poly([f(a)])
            h = divmod(rest, fmpq_poly([a * a, -2 * a, 1]))[0]
            lower = [p for _, p in points if loss(p) < f(a)]
            if h(a) <= 0 or not lower:
                continue
            local: Json = {
                "by": "identity",
                "guards": [polynomial_json(_of(h, t))],
                "terms": [["1", [[0, 1]], polynomial_json(t - a)]],
            }
            proof: Json = {"local": local, "lower": theta_json(min(lower, key=loss))}
            at = loss.network.assemble([a])
            return Argument(not_poor_minimum(at), "optimum", proof)
    return Undecided("no rational local minimum above another point", "the minimum")


def _rational_roots(p: fmpq_poly) -> list[fmpq]:
    if p.degree() < 1:
        return []
    factors = [factor for factor, _ in p.factor()[1] if factor.degree() == 1]
    return sorted((-factor[0] / factor[1] for factor in factors), key=lambda q: (abs(q), q))


def positive_on_half_line(p: fmpq_poly) -> list[Square] | None:
    """Squares with p(s) = sum c s^e q(s)^2, c >= 0: p >= 0 for s >= 0; None when it is not found.

    With p - eps (1 + s + ...) = A^2 + s B^2 from the roots of p(r^2), A and B rounded, what is left
    has positive coefficients. Guarantees: exact.

    >>> [(str(c), e) for c, e, _ in positive_on_half_line(fmpq_poly([3, -2, 1]))][:2]
    [('1', 0), ('1', 1)]
    """
    degree = p.degree()
    if degree < 0:
        return []
    for k in range(4, 36, 4):
        small = p - fmpq_poly([fmpq(1, 2**k)] * (degree + 1))
        found = _halves(small, 2 ** (k + _MORE_BITS))
        if found is None:
            continue
        a, b = found
        rest = p - a * a - fmpq_poly([0, 1]) * b * b
        if rest.degree() <= degree and all(c >= 0 for c in rest.coeffs()):
            left = [
                (c, j % 2, fmpq_poly([*[0] * (j // 2), 1]))
                for j, c in enumerate(rest.coeffs())
                if c != 0
            ]
            return [(fmpq(1), 0, a), (fmpq(1), 1, b), *left]
    return None


def _halves(p: fmpq_poly, unit: int) -> tuple[fmpq_poly, fmpq_poly] | None:
    """A and B with A^2 + s B^2 near p, all coefficients rounded to multiples of 1 / unit."""
    coefficients = [float(Fraction(int(c.p), int(c.q))) for c in p.coeffs()]
    if coefficients[-1] <= 0:
        return None
    roots = np.sqrt(np.roots(coefficients[::-1]).astype(complex))
    upper = np.where(roots.imag < 0, -roots, roots)
    if np.any(upper.imag <= 0):
        return None
    h = np.poly(upper)[::-1] * np.sqrt(coefficients[-1])
    degree = len(h) - 1
    real = [float(h[k].real if (degree - k) % 2 == 0 else h[k].imag) for k in range(degree + 1)]
    a, b = (fmpq_poly([fmpq(round(v * unit), unit) for v in real[first::2]]) for first in (0, 1))
    return a, b


def _quantities(loss: Loss) -> Iterator[Quantity]:
    network, data = loss.network, loss.data
    expanded = expanded_loss(loss)
    if isinstance(expanded, Undecided):
        return
    total, variables, outputs = expanded
    points = low_points(loss)
    own = [(k, v) for k, v in enumerate(variables) if v is not None]
    if len(own) == 1:
        ((place, t),) = own
        f = fmpq_poly([0])
        for exponents, c in total.terms():
            f += fmpq_poly([*[0] * int(exponents[place]), c])
        yield f, t, [(_entry(p, place), p) for p in points], []
        return
    if network.output == "linear" or loss.ridge is not None:
        return
    rho = fmpq_poly(list(network.activation.coefficients or ()))
    errors = {
        (j, i): (s, activated(network, z) - data.y[j, i])
        for j, row in enumerate(outputs)
        for i, (z, s) in enumerate(zip(row, data.sample_weights, strict=True))
    }
    for (j, i), (s, _) in errors.items():
        f = (rho - fmpq_poly([data.y[j, i]])) ** 2 * s
        squares = [square for place, square in errors.items() if place != (j, i)]
        yield f, outputs[j][i], [(preoutputs(loss, p)[j, i], p) for p in points], squares


def _maxima(f: fmpq_poly) -> list[fmpq]:
    """Simple rationals near the local maxima of a polynomial."""
    slope = [float(Fraction(int(c.p), int(c.q))) for c in f.derivative().coeffs()]
    if len(slope) < 3:
        return []
    roots = [float(r.real) for r in np.roots(slope[::-1]) if abs(r.imag) < 1e-9]
    near = [Fraction(r).limit_denominator(8) for r in roots]
    places = sorted({fmpq(q.numerator, q.denominator) for q in near}, key=str)
    step = fmpq(1, 4)
    return [t for t in places if f(t - step) < f(t) > f(t + step)]


def _trap(
    loss: Loss,
    f: fmpq_poly,
    t: fmpq_mpoly,
    points: list[tuple[fmpq, Weights]],
    squares: list[tuple[fmpq, fmpq_mpoly]],
    wall: fmpq,
    sign: int,
) -> Argument | None:
    high = f(wall)
    beyond = [p for value, p in points if (value - wall) * sign > 0 and loss(p) < high]
    other = [p for value, p in points if (value - wall) * sign <= 0]
    if not beyond or not other:
        return None
    a, lower = min(beyond, key=loss), min(other, key=loss)
    least, u = loss(lower), loss(a)
    if least >= u:
        return None
    along = f(fmpq_poly([wall, sign]))
    for part in (fmpq(3, 4), fmpq(1, 2), fmpq(1, 4), fmpq(1, 16)):
        v = least + (u - least) * part
        found = positive_on_half_line(along - fmpq_poly([v]))
        if found is None:
            continue
        s = (t - wall) * sign
        multiplier = _of(divmod(f - fmpq_poly([high]), fmpq_poly([-wall, 1]))[0], t)
        side: list[Json | list[object]] = [
            [rational(c), e, polynomial_json(_of(q, s))] for c, e, q in found
        ]
        side += [[rational(d), 0, polynomial_json(q)] for d, q in squares]
        proof: Json = {
            "wall": polynomial_json(t - wall),
            "multiplier": polynomial_json(multiplier),
            "squares": [[rational(d), polynomial_json(q)] for d, q in squares],
            "margin": rational(high - u),
            "u": rational(u),
            "v": rational(v),
            "side": side,
            "lower": theta_json(lower),
        }
        return Argument(descends(a, least, fmpq(0)), "barrier", proof)
    return None


def _of(q: fmpq_poly, t: fmpq_mpoly) -> fmpq_mpoly:
    """q(t)."""
    total = t * 0
    for c in reversed(q.coeffs()):
        total = total * t + c
    return total


def _entry(weights: Weights, place: int) -> fmpq:
    return [v for layer in weights for v in layer.entries()][place]

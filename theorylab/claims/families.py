"""Families of networks whose solutions are counted by a formula, each derived on its claim's page.

Real counts are those of the data at hand: signs of exact numbers, roots of polynomials in one
unknown. A formula proves nothing here: it says what a claim states before anything is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import comb, factorial, prod
from typing import Any

import flint
from flint import acb, arb, fmpq, fmpq_mat, fmpq_poly

from theorylab.counting.gauge import Layout, layout_of
from theorylab.model import Dataset, Network

_BITS = 512


Interpolation = Callable[[Network, Dataset], "Expected"]
Critical = Callable[[Network, Dataset, Sequence[fmpq]], "Expected"]


@dataclass(frozen=True, slots=True)
class Expected:
    """``count`` isolated complex solutions, ``real`` of them real; ``exact`` unless the data are
    degenerate, and then a bound from above only."""

    count: int
    real: int
    exact: bool = True


def weight_degrees(network: Network, fixed: Sequence[int] = ()) -> tuple[int, ...]:
    """For each output the largest degree in the parameters that are not fixed.

    >>> weight_degrees(Network.dense((2, 3, 1), "square"))
    (3,)
    """
    layout: Layout = layout_of(network)
    return degrees_by_layer(
        layout.entries, network.bias, activation_degree(network), activations(network), fixed
    )


def degrees_by_layer(
    entries: Sequence[Sequence[Sequence[Any]]],
    bias: Sequence[bool],
    degree: int,
    activated: int,
    fixed: Sequence[int] = (),
) -> tuple[int, ...]:
    """``weight_degrees`` of layers of parameter numbers and frozen values, as the kernel or a
    ``Layout`` lists them; the first ``activated`` layers apply the activation."""
    held, found = set(fixed), [0] * (len(entries[0][0]) - bias[0])
    for k, layer in enumerate(entries):
        inputs = [*found, 0] if bias[k] else found
        found = [
            max(
                (
                    int(type(v) is int and v not in held) + below
                    for v, below in zip(row, inputs, strict=True)
                    if type(v) is int or v != 0
                ),
                default=0,
            )
            for row in layer
        ]
        if k < activated:
            found = [degree * d for d in found]
    return tuple(found)


def activation_degree(network: Network) -> int:
    """The degree of the activation polynomial."""
    return len(network.activation.coefficients or (0,)) - 1


def activations(network: Network) -> int:
    """How many layers apply the activation."""
    return network.depth - (network.output != "activation")


def _real_roots(p: fmpq_poly) -> list[arb]:
    """The real roots of a squarefree polynomial."""
    with flint.ctx.workprec(_BITS):
        found: Any = p.numer().complex_roots()
    return [z.real for z, _ in found if z.imag == 0]


def _value(p: fmpq_poly, z: arb) -> arb:
    total = arb(0)
    for c in reversed(p.coeffs()):
        total = total * z + arb(c)
    return total


def _is_squarefree(p: fmpq_poly) -> bool:
    return p.gcd(p.derivative()).degree() == 0


# Interpolation


def single_unit(network: Network, data: Dataset) -> Expected:
    """One unit z^l, its outgoing weight 1, n samples in n inputs: (w . x_i)^l = y_i."""
    n = network.widths[0]
    degree = activation_degree(network)
    targets = data.y.entries()
    exact = data.x.rank() == n == data.samples and all(targets)
    all_real = 2**n if all(y > 0 for y in targets) else 0
    return Expected(degree**n, 1 if degree % 2 else all_real, exact)


def tied_chain(network: Network, data: Dataset) -> Expected:
    """One weight in all layers of width 1, one sample: w^D x^e = y."""
    (degree,) = weight_degrees(network)
    ((x,),), ((y,),) = data.x.tolist(), data.y.tolist()
    exact = x != 0 and y != 0
    if degree % 2:
        return Expected(degree, 1, exact)
    # e, the power of x: one factor for each activation above it.
    outer = activation_degree(network) ** activations(network)
    positive = y > 0 if outer % 2 == 0 else x * y > 0
    return Expected(degree, 2 if positive else 0, exact)


def triangular_squares(network: Network, data: Dataset) -> Expected:
    """n units z^2 in n inputs, outgoing weights 1, W_1 triangular, n(n+1)/2 samples.

    x' S x = y has one symmetric solution S, and S = W' W as many triangular ones as there are
    signs of the pivots.
    """
    n = network.widths[0]
    places = [(i, j) for i in range(n) for j in range(i, n)]
    rows = [
        [x[i] * x[j] * (1 if i == j else 2) for i, j in places] for x in data.x.transpose().tolist()
    ]
    system = fmpq_mat(rows)
    if system.nrows() != system.ncols() or system.det() == 0:
        return Expected(2**n, 0, False)
    solved = system.solve(data.y.transpose()).entries()
    value = dict(zip(places, solved, strict=True))
    form = [[value[min(i, j), max(i, j)] for j in range(n)] for i in range(n)]
    # Either corner may be eliminated first: W_1 is upper or lower triangular.
    leading = [fmpq_mat([row[:k] for row in form[:k]]).det() for k in range(1, n + 1)]
    trailing = [fmpq_mat([row[n - k :] for row in form[n - k :]]).det() for k in range(1, n + 1)]
    real = 2**n if all(d > 0 for d in leading) else 0
    return Expected(2**n, real, all(leading) and all(trailing))


def binary_forms(network: Network, data: Dataset) -> Expected:
    """p units z^(2p-1) in two inputs, outgoing weights 1, 2p samples (J. J. Sylvester, 1851).

    The samples fix a form of degree 2p - 1; a generic one is a sum of p powers of linear forms in
    one way, so up to the order and roots of unity in each.
    """
    p, power = network.widths[1], activation_degree(network)
    generic = factorial(p) * power**p
    inputs = data.x.transpose().tolist()
    rows = [[x**i * y ** (power - i) * comb(power, i) for i in range(power + 1)] for x, y in inputs]
    system = fmpq_mat(rows)
    if system.nrows() != system.ncols() or system.det() == 0:
        return Expected(generic, 0, False)
    c = system.solve(data.y.transpose()).entries()
    # The points are the roots of the form that is apolar to it.
    hankel = fmpq_mat([[c[i + j] for j in range(p + 1)] for i in range(p)])
    reduced, rank = hankel.rref()
    free = [j for j in range(p + 1) if all(reduced[i, j] == 0 for i in range(p))]
    if rank < p or free:
        return Expected(generic, 0, False)
    pivots = [next(j for j in range(p + 1) if reduced[i, j] != 0) for i in range(p)]
    (other,) = set(range(p + 1)) - set(pivots)
    kernel = [fmpq(0)] * (p + 1)
    kernel[other] = fmpq(1)
    for i, j in enumerate(pivots):
        kernel[j] = -reduced[i, other]
    q = fmpq_poly(kernel)
    if kernel[p] == 0 or kernel[0] == 0 or not _is_squarefree(q):
        return Expected(generic, 0, False)
    real = factorial(p) if len(_real_roots(q)) == p else 0
    return Expected(generic, real)


def twice_squared(network: Network, data: Dataset) -> Expected:
    """1-1-1-1, z^2, hidden biases 1, three samples: u (v (w x + 1)^2 + 1)^2 = y."""
    targets = data.y.entries()
    exact = len(set(data.x.entries())) == 3 == data.samples and all(targets)
    if exact:
        nodes = fmpq_mat([[x**j for j in range(3)] for x in data.x.entries()]).inv().tolist()
        with flint.ctx.workprec(_BITS):
            sizes = [acb(y).sqrt() for y in targets]
            for signs in product((1, -1), repeat=2):
                values = [sign * r for sign, r in zip((1, *signs), sizes, strict=True)]
                q = [sum((v * acb(c) for c, v in zip(row, values, strict=True)), start=acb(0))
                     for row in nodes]  # fmt: skip
                # v + 1 = q0 t, 2 v w = q1 t, v w^2 = q2 t, with t = u^(-1/2).
                parts = (q[1], q[2], q[1] ** 2 - 4 * q[0] * q[2])
                exact = exact and not any(part.contains(0) for part in parts)
    real = 4 if all(y > 0 for y in targets) or all(y < 0 for y in targets) else 0
    return Expected(4, real, exact)


# Critical points with a ridge


def moments(data: Dataset, power: int) -> tuple[fmpq, fmpq]:
    """A = sum s x^(2 power) and B = sum s x^power y of data with one input and one target."""
    rows = zip(data.sample_weights, data.x.entries(), data.y.entries(), strict=True)
    listed = list(rows)
    a = sum((s * x ** (2 * power) for s, x, _ in listed), start=fmpq(0))
    return a, sum((s * x**power * y for s, x, y in listed), start=fmpq(0))


def deep_linear(network: Network, data: Dataset, ridge: Sequence[fmpq]) -> Expected:
    """1-1-...-1 linear with K layers: 2^K (K - 1) + 1."""
    k = network.depth
    a, b = moments(data, 1)
    scale = prod(ridge, start=fmpq(1))
    t = fmpq_poly([0, 1])
    p = (1 + t ** (k - 1) * (a / scale)) ** 2 - t ** (k - 2) * (b * b / scale)
    exact = p.degree() == 2 * k - 2 and p[0] != 0 and _is_squarefree(p)
    positive = sum(bool(z > 0) for z in _real_roots(p)) if exact else 0
    return Expected(2**k * (k - 1) + 1, 1 + 2 ** (k - 1) * positive, exact)


def power_unit(network: Network, data: Dataset, ridge: Sequence[fmpq]) -> Expected:
    """1-1-1 with z^l: 4 l + 1."""
    power = activation_degree(network)
    a, b = moments(data, power)
    inner, outer = ridge
    e = fmpq_poly([0, 1])
    if a == 0:
        return Expected(4 * power + 1, 0, False)
    q = e * (e + b) * (-power / (a * inner))
    p = e**2 * q ** (power - 1) * power - inner * outer
    if not _is_squarefree(p):
        return Expected(4 * power + 1, 0, False)
    with flint.ctx.workprec(_BITS):
        real = sum(bool(_value(q, z) > 0) for z in _real_roots(p))
    return Expected(4 * power + 1, 1 + 2 * real)


def square_units(network: Network, data: Dataset, ridge: Sequence[fmpq]) -> Expected:
    """1-p-1 with z^2: 4 * 3^p - 3."""
    p = network.widths[1]
    a, b = moments(data, 2)
    inner, outer = ridge[:p], ridge[p:]
    e = fmpq_poly([0, 1])
    real, exact = 1, a != 0
    for size in range(1, p + 1):
        for active in combinations(range(p), size):
            constant = a * sum((outer[i] * inner[i] ** 2 for i in active), start=fmpq(0))
            quartic = e**3 * (e + b) * 4 + constant
            exact = exact and _is_squarefree(quartic)
            real += 2**size * len(_real_roots(quartic)) if exact else 0
    return Expected(4 * 3**p - 3, real, exact)


def planar_linear(network: Network, data: Dataset, ridge: Sequence[fmpq]) -> Expected:
    """2-p-1 linear: 1 + 8 p + 16 C(p, 2)."""
    p = network.widths[1]
    generic = 1 + 8 * p + 16 * comb(p, 2)
    weighed = [list(row) for row in data.x.tolist()]
    weights = data.sample_weights
    gram = [
        [
            sum((s * u * v for s, u, v in zip(weights, x, y, strict=True)), start=fmpq(0))
            for y in weighed
        ]
        for x in weighed
    ]
    target = data.y.entries()
    c = [
        sum((s * u * v for s, u, v in zip(weights, x, target, strict=True)), start=fmpq(0))
        for x in weighed
    ]
    inner = [(ridge[2 * i], ridge[2 * i + 1]) for i in range(p)]
    outer = ridge[2 * p :]
    if fmpq_mat(gram).det() == 0:
        return Expected(generic, 0, False)
    real = 1
    try:
        for one, weight in zip(inner, outer, strict=True):
            real += 2 * _one_active(gram, c, one, weight)
        for i, j in combinations(range(p), 2):
            real += 4 * _two_active(gram, c, (inner[i], inner[j]), (outer[i], outer[j]))
    except ArithmeticError:
        return Expected(generic, 0, False)
    return Expected(generic, real)


Pair = Sequence[fmpq]


def _one_active(gram: Sequence[Pair], c: Pair, inner: Pair, weight: fmpq) -> int:
    """The positive t with G' D G = weight, G = -(1 + t M D)^(-1) c, D = diag(1 / inner)."""
    t = fmpq_poly([0, 1])
    (m11, m12), (m21, m22) = ([row[0] * t / inner[0], row[1] * t / inner[1]] for row in gram)
    det = (1 + m11) * (1 + m22) - m12 * m21
    g = ((1 + m22) * c[0] - m12 * c[1], (1 + m11) * c[1] - m21 * c[0])
    p = g[0] ** 2 / inner[0] + g[1] ** 2 / inner[1] - det**2 * weight
    if p.degree() != 4 or p[0] == 0 or not _is_squarefree(p) or p.gcd(det).degree() > 0:
        raise ArithmeticError("degenerate")
    return sum(bool(z > 0) for z in _real_roots(p))


def _two_active(gram: Sequence[Pair], c: Pair, inner: Sequence[Pair], outer: Pair) -> int:
    """The real G with G' D_i G = outer_i for both, and G = -c - M (t_1 D_1 + t_2 D_2) G, t > 0."""
    conics = fmpq_mat([[1 / v for v in pair] for pair in inner])
    if conics.det() == 0:
        raise ArithmeticError("degenerate")
    squares = conics.solve(fmpq_mat([[v] for v in outer])).entries()
    if not all(squares):
        raise ArithmeticError("degenerate")
    if any(v < 0 for v in squares):
        return 0
    found = 0
    inverse = fmpq_mat([list(row) for row in gram]).inv().tolist()
    with flint.ctx.workprec(_BITS):
        sizes = [arb(v).sqrt() for v in squares]
        for signs in product((1, -1), repeat=2):
            g = [s * v for s, v in zip(signs, sizes, strict=True)]
            # D_1 G t_1 + D_2 G t_2 = -M^(-1) (G + c): Cramer's rule.
            right = [-(r[0] * (g[0] + c[0]) + r[1] * (g[1] + c[1])) for r in inverse]
            (a, b), (d, e) = ([g[k] / inner[0][k], g[k] / inner[1][k]] for k in range(2))
            det = a * e - b * d
            times = (right[0] * e - b * right[1]) / det, (a * right[1] - right[0] * d) / det
            if any(v.contains(0) for v in times):
                raise ArithmeticError("degenerate")
            found += all(bool(v > 0) for v in times)
    return found

"""Strict local minima and the spheres around them on which every loss is higher.

For a polynomial loss, any depth, any ridge: near a critical point with a positive definite Hessian
the terms of degree 3 and more are bounded, one by one, by multiples of the squares of the weights.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce
from math import comb
from operator import add

import numpy as np
from flint import fmpq, fmpq_mat, fmpq_mpoly

from theorylab.model import Loss, Network, Weights
from theorylab.outcome import Undecided
from theorylab.topology.barrier import (
    MAX_SAMPLES,
    MAX_WEIGHTS,
    Argument,
    polynomial_json,
    squares_of,
    symbolic_weights,
)
from theorylab.topology.path import Json, rational, theta_json
from theorylab.topology.ridge.low_point import low_point
from theorylab.topology.walls.separation import Separation

Exponents = tuple[int, ...]

_SMALLEST = 60
# Around a center that is not 0. Deep linear losses have far fewer terms than their degree allows.
MAX_TERMS = 50_000


def separated_by_shell(
    loss: Loss, u: fmpq | None = None, center: Weights | None = None, lower: Weights | None = None
) -> Separation | Undecided:
    """Show that `center` and `lower` lie in different components of {L <= u}, u = L(center).

    `center` (0 when it is left out, for a loss with a ridge) must be a critical point with positive
    definite Hessian; then L > u on a small sphere around it, for `u` a little higher too. `lower`
    is any point outside with at most that loss, found by floating-point descent when it is left
    out. Guarantees: exact. Undecided when a hypothesis fails, or no lower point is found.
    Source: own, against ridge regression at depth >= 3.

    >>> from theorylab.model import Dataset, Network
    >>> net, data = Network.dense((1, 1, 1, 1), "linear"), Dataset.from_rows([[1]], [[10]])
    >>> separated_by_shell(Loss(net, data, fmpq(1))).u
    100
    """
    found = _shell(loss, center, lower)
    if isinstance(found, Undecided):
        return found
    shell, a, b = found
    level = loss(a) if u is None else u
    if not loss(a) <= level < loss(a) + shell.mu * shell.r / 2 or loss(b) > level:
        return Undecided("the level is not between the points and the sphere", "the level")
    wall = shell.wall(level - loss(a))
    return Separation(loss, level, ({"kind": "identity", **wall},), (a, b))


def trapped_by_shell(
    loss: Loss, center: Weights | None = None, lower: Weights | None = None
) -> Argument | Undecided:
    """Show that the component of `center` in {L <= L(center)} stays there, though `lower` has less.

    As `separated_by_shell`, but `lower` must have less loss than `center`: a spurious valley.
    """
    found = _shell(loss, center, lower)
    if isinstance(found, Undecided):
        return found
    shell, a, b = found
    level = rational(loss(a))
    if not loss(b) < loss(a):
        return Undecided("no point with less loss is known", "the lower point")
    conclusion = {"kind": "trapped", "A": theta_json(a), "u": level, "v": level}
    inside = {"u": level, "v": level, "side": shell.side(), "lower": theta_json(b)}
    return Argument(conclusion, "barrier", {**shell.wall(fmpq(0)), **inside})


@dataclass(slots=True)
class _Shell:
    """L - L(center) = quadratic form + squares + terms bounded on |w - center|^2 = r.

    Along the sphere L - L(center) >= mu r / 2. All polynomials are in the weights w themselves.
    """

    mu: fmpq
    r: fmpq
    moved: list[fmpq_mpoly]
    squares: list[tuple[fmpq, fmpq_mpoly]]
    # M^2 with its coefficient, for each use of M^2 w_i^2 = M^2 (r + g - sum of the other w_j^2)
    uses: dict[Exponents, fmpq] = field(default_factory=dict)
    spent: list[fmpq] = field(default_factory=list)

    def root(self, exponents: Exponents) -> fmpq_mpoly:
        """The product of (w_i - center_i)^e_i."""
        powers = (v**e for v, e in zip(self.moved, exponents, strict=True) if e)
        return reduce(lambda p, q: p * q, powers, self.moved[0] ** 0)

    def wall(self, above: fmpq) -> Json:
        """The proof that L > L(center) + `above` where g = |w - center|^2 - r is 0."""
        one = self.moved[0] ** 0
        used = (self.root(e) ** 2 * c for e, c in self.uses.items())
        half = self.mu / 2
        return {
            "wall": polynomial_json(_sum(v * v for v in self.moved) - self.r * one),
            "multiplier": polynomial_json(reduce(lambda p, q: p - q, used, half * one)),
            "squares": self._squares(half),
            "margin": rational(half * self.r - above),
        }

    def side(self) -> list[list[object]]:
        """The proof that L >= L(center) where |w - center|^2 <= r."""
        inside = [[rational(c), 1, polynomial_json(self.root(e))] for e, c in self.uses.items()]
        return [[c, 0, q] for c, q in self._squares(self.mu)] + inside

    def _squares(self, most: fmpq) -> list[list[object]]:
        left = [(most - c, v) for c, v in zip(self.spent, self.moved, strict=True)]
        return [[rational(c), polynomial_json(p)] for c, p in (*self.squares, *left) if c != 0]


def _sum(terms: Iterable[fmpq_mpoly]) -> fmpq_mpoly:
    return reduce(add, terms)


def expanded_terms(network: Network) -> int:
    """The most terms that the loss of a polynomial network can have, in all its weights.

    >>> from theorylab.model import Network
    >>> expanded_terms(Network.dense((1, 1, 1), "square"))
    28
    """
    degree, inner = 1, len(network.activation.coefficients or (0,)) - 1
    for _ in network.hidden:
        degree = inner * degree + 1
    return comb(network.parameter_count + 2 * degree, 2 * degree)


def _shell(
    loss: Loss, center: Weights | None, lower: Weights | None
) -> tuple[_Shell, Weights, Weights] | Undecided:
    network, data = loss.network, loss.data
    shapes = [network.shape(k) for k in range(1, network.depth + 1)]
    a = tuple(fmpq_mat(*shape) for shape in shapes) if center is None else center
    a = network.check_weights(a)
    size = sum(r * c for r, c in shapes)
    if not network.is_dense or network.activation.coefficients is None:
        return Undecided("not a dense network with a polynomial activation", "the shell")
    if size > MAX_WEIGHTS or data.samples > MAX_SAMPLES:
        return Undecided(
            f"the loss of {size} weights on {data.samples} samples is too big to expand",
            "the shell",
            f"use at most {MAX_WEIGHTS} weights and {MAX_SAMPLES} samples",
        )
    away = any(q != 0 for layer in a for q in layer.entries())
    if away and network.activation.kind != "linear" and expanded_terms(network) > MAX_TERMS:
        return Undecided(
            f"the loss may have {expanded_terms(network)} terms, too many to expand",
            "the shell",
            f"use fewer weights, or a lower degree: {MAX_TERMS} terms at most",
        )
    if center is None and loss.ridge is None:
        return Undecided("without a ridge, 0 is not isolated as a minimum", "the shell")
    shell = _around(loss, a)
    if isinstance(shell, Undecided):
        return shell
    b = low_point(loss, loss(a)) if lower is None else network.check_weights(lower)
    if b is None:
        return Undecided("no lower point was found", "the lower point", "give one")
    far = sum(
        (
            (p - q) ** 2
            for v, w in zip(a, b, strict=True)
            for p, q in zip(v.entries(), w.entries(), strict=True)
        ),
        fmpq(0),
    )
    if loss(b) > loss(a) or far <= shell.r:
        return Undecided("the second point is not lower, or inside the sphere", "the lower point")
    return shell, a, b


def _around(loss: Loss, a: Weights) -> _Shell | Undecided:
    """The sphere around a critical point."""
    layers = symbolic_weights(loss.network)
    variables = [v for layer in layers for row in layer for v in row]
    flat = [q for layer in a for q in layer.entries()]
    shifted = [[[*row] for row in layer] for layer in layers]
    places = iter(flat)
    for layer in shifted:
        for row in layer:
            for j, v in enumerate(row):
                row[j] = v + next(places)
    zero = variables[0] * 0
    linear, squares = zero, []
    for s, psi, y in _outputs(loss, shifted):
        constant = psi(*[fmpq(0)] * len(flat))
        linear += 2 * s * (constant - y) * (psi - constant)
        squares.append((s, psi - constant))
    for rate, v, q in zip(loss.penalties or (), variables, flat, strict=loss.ridge is not None):
        linear += rate * (v * v + 2 * q * v)
    moved = [v - q for v, q in zip(variables, flat, strict=True)]
    # the squares of the outputs' changes help only where their own linear part is not needed
    whole = linear + _sum(p * p * s for s, p in squares)
    kept = [(s, p.compose(*moved) if any(flat) else p) for s, p in squares if p.terms()]
    for change, extra in ((linear, kept), (whole, [])):
        found = _bounded(change, moved, extra)
        if not isinstance(found, Undecided):
            return found
    return found


def _outputs(
    loss: Loss, layers: list[list[list[fmpq_mpoly]]]
) -> list[tuple[fmpq, fmpq_mpoly, fmpq]]:
    """Sample weight, output and target, for every output of every sample."""
    network, data = loss.network, loss.data
    coefficients = network.activation.coefficients or ()
    zero = layers[0][0][0] * 0
    found = []
    columns = zip(data.x.transpose().tolist(), data.y.transpose().tolist(), strict=True)
    for s, (x, y) in zip(data.sample_weights, columns, strict=True):
        here = [zero + q for q in x]
        for k, layer in enumerate(layers, start=1):
            inputs = [*here, zero + 1] if network.bias[k - 1] else here
            here = [_sum(w * h for w, h in zip(row, inputs, strict=True)) for row in layer]
            if k < network.depth or network.output == "activation":
                here = [
                    _sum(
                        (z**i * c for i, c in enumerate(coefficients)),
                    )
                    for z in here
                ]
        found += [(s, p, q) for p, q in zip(here, y, strict=True)]
    return found


def _bounded(
    change: fmpq_mpoly, moved: list[fmpq_mpoly], extra: list[tuple[fmpq, fmpq_mpoly]]
) -> _Shell | Undecided:
    """Bound the terms of degree 3 and more of `change`, at the origin of its variables."""
    size = len(moved)
    form, high = fmpq_mat(size, size), []
    for exponents, c in change.terms():
        key = tuple(int(e) for e in exponents)
        degree = sum(key)
        if degree < 2:
            return Undecided("the centre is not a critical point", "the shell")
        if degree > 2:
            high.append((key, c))
            continue
        i, j = [i for i, e in enumerate(key) for _ in range(e)]
        form[i, j] += c / 2
        form[j, i] += c / 2
    lowest = float(min(np.linalg.eigvalsh([[float(q) for q in row] for row in form.tolist()])))
    mu = _simple(fmpq(int(lowest * 2**20 * 0.9), 2**20)) if lowest > 0 else fmpq(0)
    unit = fmpq_mat(size, size, [int(i == j) for i in range(size) for j in range(size)])
    squares = squares_of(form - unit * mu) if mu > 0 else None
    if squares is None:
        return Undecided("the Hessian at the centre is not positive definite", "the shell")
    lines = [(d, _sum(v * c for v, c in zip(moved, line, strict=True))) for d, line in squares]
    for k in range(_SMALLEST):
        epsilon = fmpq(1, 2**k)
        shell = _Shell(mu, epsilon * epsilon, moved, [*extra, *lines], {}, [fmpq(0)] * size)
        for key, c in high:
            _bound(shell, epsilon, key, c)
        if max(shell.spent) <= mu / 2:
            return shell
    return Undecided("the sphere would be too small", "the shell")


def _simple(q: fmpq) -> fmpq:
    """The power of two below a positive number, or the integer part of it."""
    if q >= 1:
        return fmpq(int(q.p) // int(q.q))
    k = 0
    while fmpq(1, 2**k) > q > 0:
        k += 1
    return fmpq(1, 2**k) if q > 0 else fmpq(0)


def _bound(shell: _Shell, epsilon: fmpq, key: Exponents, c: fmpq) -> None:
    """Account for the term c w^key, of degree d >= 3, on the sphere of radius epsilon.

    c w_a R = |c|/(2s) (+-s w_a + R)^2 - |c| s/2 w_a^2 - |c|/(2s) R^2 with s = epsilon^(d-2).
    """
    odd = next((i for i, e in enumerate(key) if e % 2), None)
    if odd is None:
        half = tuple(e // 2 for e in key)
        if c > 0:
            shell.squares.append((c, shell.root(half)))
        else:
            _spend(shell, half, -c)
        return
    rest = tuple(e - (i == odd) for i, e in enumerate(key))
    s, size = epsilon ** (sum(key) - 2), abs(c)
    sign = 1 if c > 0 else -1
    shell.squares.append((size / (2 * s), shell.moved[odd] * (sign * s) + shell.root(rest)))
    shell.spent[odd] += size * s / 2
    _spend(shell, rest, size / (2 * s))


def _spend(shell: _Shell, root: Exponents, c: fmpq) -> None:
    """Account for -c M^2: as long as M has degree > 1, M = R w_i and w_i^2 = r + g - the others."""
    here = list(root)
    while sum(here) > 1:
        i = next(i for i, e in enumerate(here) if e)
        here[i] -= 1
        key = tuple(here)
        shell.uses[key] = shell.uses.get(key, fmpq(0)) + c
        for j in range(len(here)):
            if j != i:
                more = tuple(e + (k == j) for k, e in enumerate(here))
                shell.squares.append((c, shell.root(more)))
        c = c * shell.r
    shell.spent[here.index(1)] += c

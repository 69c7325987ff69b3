"""A ridge that sees the hidden units: the cheapest one cannot change its sign below a level."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

from flint import fmpq, fmpq_mat, fmpq_mpoly

from theorylab.model import Loss, Weights
from theorylab.outcome import Undecided
from theorylab.topology.barrier import (
    MAX_WEIGHTS,
    polynomial_json,
    squares_of,
    symbolic_weights,
)
from theorylab.topology.exact_algebra import rank_factorisation, solve, trace
from theorylab.topology.path import rational
from theorylab.topology.ridge.low_point import low_point
from theorylab.topology.walls.separation import Separation, level_between

_DIGITS = 30


def separated_by_unit_ridge(
    loss: Loss, u: fmpq | None = None, points: tuple[Weights, Weights] | None = None
) -> Separation | Undecided:
    """Show that two points in which one unit has different signs are separated.

    For two-layer linear networks with Y D X^T = q p^T of rank one (always when n = 1 or m = 1).
    With the columns u_k of W_2 and the rows w_k of W_1, alpha_k = q.u_k and beta_k = w_k.p, the
    penalty of unit k is at least a_k alpha_k^2 + b_k beta_k^2. For the unit with the least a b and
    any kappa <= 1 with kappa^2 <= a_k b_k for all others, the wall alpha + beta = 0 has
    L >= |Y|^2 - (1 - kappa)^2/gamma, where |M X|^2 >= gamma (q^T M p)^2: without its cheapest unit
    the network does no better. Unless `points` are given, floating-point descent finds one and the
    other is that with this unit turned round; unless `u` is given, they say the level.
    Guarantees: exact. Undecided when a hypothesis fails, no point is below the wall, or the given
    points are not on different sides.
    Source: own, against ridges that differ between units.

    >>> from theorylab.model import Dataset, Network
    >>> net, data = Network.dense((1, 2, 1), "linear"), Dataset.from_rows([[1]], [[1]])
    >>> ridge = tuple(fmpq(*q) for q in ((3, 4), (2, 3), (3, 4), (2, 3)))
    >>> shown = separated_by_unit_ridge(Loss(net, data, ridge))
    >>> shown.u, shown.walls[0]["wall"]
    (43/48, [['1', [[1, 1]]], ['1', [[3, 1]]]])
    """
    network, data, rates = loss.network, loss.data, loss.penalties
    linear = network.activation.coefficients == (fmpq(0), fmpq(1))
    plain = network.is_dense and not any(network.bias) and network.depth == 2
    if rates is None or not (linear and plain):
        return Undecided("not a two-layer linear network with a ridge", "the wall")
    if len(rates) > MAX_WEIGHTS:
        return Undecided(f"{len(rates)} weights are too many", "the wall", f"use {MAX_WEIGHTS}")
    n, m, (p,) = network.n, network.m, network.hidden
    left, right = rank_factorisation(data.gram(data.y, data.x))
    if left.ncols() != 1:
        return Undecided(f"Y D X^T has rank {left.ncols()}, not 1", "the wall")
    q, r = left.entries(), right.entries()
    read = [rates[n * p + k :: p] for k in range(p)]
    written = [rates[n * k : n * (k + 1)] for k in range(p)]
    prices = [(_price(q, read[k]), _price(r, written[k])) for k in range(p)]
    cheapest = min(range(p), key=lambda k: prices[k][0] * prices[k][1])
    others = [a * b for k, (a, b) in enumerate(prices) if k != cheapest]
    kappa = _root_below(min([*others, fmpq(1)]))
    if prices[cheapest][0] * prices[cheapest][1] >= kappa * kappa:
        return Undecided(
            "no hidden unit is cheaper than the others and worth its price", "the wall"
        )
    # gamma is the least of |M X|^2 over the M with q^T M p = 1
    gram = data.gram(data.x)
    inverse = solve(gram, right.transpose())
    assert inverse is not None  # p is in the range of X D X^T, as Y D X^T = q p^T
    size = sum((v * v for v in q), fmpq(0))
    gamma = 1 / ((right * inverse)[0, 0] * size)
    floor = trace(data.gram(data.y)) - (1 - kappa) ** 2 / gamma
    turn = _diagonal([fmpq(-1 if k == cheapest else 1) for k in range(p)])
    if points is None:
        found = low_point(loss, floor)
        if found is None:
            return Undecided(f"no point below the wall at {floor} was found", "the lower points")
        points = found, (turn * found[0], found[1] * turn)
    level = level_between(max(map(loss, points)), floor, u)
    if isinstance(level, Undecided):
        return level
    first, second = symbolic_weights(network)
    alphas = [_linear(q, [row[k] for row in second]) for k in range(p)]
    betas = [_linear(r, first[k]) for k in range(p)]
    z = sum((a * b for a, b in zip(alphas, betas, strict=True)), alphas[0] * 0)
    squares = [(gamma, z - (1 - kappa) / gamma)]
    entries = [
        sum((row[k] * first[k][j] for k in range(p)), z * 0) for row in second for j in range(n)
    ]
    direction = fmpq_mat(m * n, 1, [a * b for a in q for b in r])
    squares += _squares(_blocks(gram, m) - direction * direction.transpose() * gamma, entries)
    for k in range(p):
        (a, b), column = prices[k], [row[k] for row in second]
        squares += _squares(_diagonal(read[k]) - _outer(q) * a, column)
        squares += _squares(_diagonal(written[k]) - _outer(r) * b, first[k])
        if k != cheapest:
            form = fmpq_mat([[a, -kappa], [-kappa, b]])
            squares += _squares(form, [alphas[k], betas[k]])
    a, b = prices[cheapest]
    alpha, beta = alphas[cheapest], betas[cheapest]
    squares.append((a + b + 2 * kappa, beta))
    turned = [(alpha + beta)(*_flat(point)) for point in points]
    if turned[0] * turned[1] >= 0:
        return Undecided("the points are on one side of the wall", "the wall")
    wall = {
        "kind": "identity",
        "wall": polynomial_json(alpha + beta),
        "multiplier": polynomial_json(alpha * a - beta * (a + 2 * kappa)),
        "squares": [[rational(d), polynomial_json(s)] for d, s in squares if d != 0],
        "margin": rational(floor - level),
    }
    return Separation(loss, level, (wall,), points)


def _flat(point: Weights) -> list[fmpq]:
    return [v for layer in point for v in layer.entries()]


def _price(direction: Sequence[fmpq], rates: Sequence[fmpq]) -> fmpq:
    """The largest c with sum_i rate_i v_i^2 >= c (direction.v)^2 for all v."""
    pairs = [(d, rate) for d, rate in zip(direction, rates, strict=True) if d != 0]
    if any(rate == 0 for _, rate in pairs):
        return fmpq(0)
    return 1 / sum((d * d / rate for d, rate in pairs), fmpq(0))


def _root_below(q: fmpq) -> fmpq:
    """The square root of a number >= 0 if it is rational, else a little less."""
    exact = fmpq(isqrt(int(q.p)), isqrt(int(q.q)))
    return (
        exact if exact * exact == q else fmpq(isqrt(int(q.p) * 4**_DIGITS // int(q.q)), 2**_DIGITS)
    )


def _linear(coefficients: Sequence[fmpq], terms: Sequence[fmpq_mpoly]) -> fmpq_mpoly:
    return sum((v * c for c, v in zip(coefficients, terms, strict=True)), terms[0] * 0)


def _squares(form: fmpq_mat, terms: Sequence[fmpq_mpoly]) -> list[tuple[fmpq, fmpq_mpoly]]:
    """The form at these terms as a sum of squares; the form is semidefinite."""
    found = squares_of(form)
    assert found is not None
    return [(d, _linear(line, terms)) for d, line in found]


def _diagonal(values: Sequence[fmpq]) -> fmpq_mat:
    size = range(len(values))
    return fmpq_mat([[values[i] if i == j else fmpq(0) for j in size] for i in size])


def _outer(values: Sequence[fmpq]) -> fmpq_mat:
    return fmpq_mat([[a * b for b in values] for a in values])


def _blocks(gram: fmpq_mat, count: int) -> fmpq_mat:
    """The matrix with `gram` so many times on its diagonal."""
    n, table = gram.nrows(), gram.tolist()
    size = range(n * count)
    return fmpq_mat(
        [[table[i % n][j % n] if i // n == j // n else fmpq(0) for j in size] for i in size]
    )

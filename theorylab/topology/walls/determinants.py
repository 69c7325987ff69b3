"""Walls where a matrix of full rank would lose it: of a linear network, or of hidden features.

Below the loss of the best fits of smaller rank the matrix is non-singular, so the sign of a
determinant tells components apart.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise, product

from flint import fmpq, fmpq_mat

from theorylab.model import Loss, Weights
from theorylab.model.rational import columns
from theorylab.outcome import Undecided
from theorylab.topology.exact_algebra import (
    identity,
    independent_columns,
    is_positive_semidefinite,
    least_squares,
    left_inverse,
    rank,
    trace,
)
from theorylab.topology.path import matrix_json, rational
from theorylab.topology.spectrum import (
    bounds_from_above,
    eigen,
    rational_top,
    rounded,
    simplest_between,
)
from theorylab.topology.walls.separation import (
    Separation,
    exchanged,
    level_between,
    random_hidden,
    with_best_output,
)

_BITS = 40
_TRIES = 24
_MOST_LAYERS = 6


def separated_by_determinant(loss: Loss, u: fmpq | None = None) -> Separation | Undecided:
    """Show 2^b components of {L <= u} of a linear network with b layers of its least width r.

    Needs s_r > s_{r+1} for the eigenvalues of S = Yhat D Yhat^T: the best matrix of rank r is
    unique, of rank r. Then det(U^T W_K ... W_{k+1}) vanishes at none of these layers k while
    L < min L + s_r - s_{r+1}; columns of U: the first r eigenvectors. Turning one unit of a layer
    round, in and out, changes its sign only. At most six layers are used.
    Guarantees: exact, whatever is approximated on the way. Undecided when a hypothesis fails.
    Source: own; Trager, Kohn & Bruna 2019 for the components of the minimisers.

    >>> from theorylab.model import Dataset, Network
    >>> data = Dataset.from_rows([[1, 0], [0, 1]], [[1, 0], [0, 1]])
    >>> found = separated_by_determinant(Loss(Network.dense((2, 2, 2), "linear"), data))
    >>> found.number, found.u
    (2, 0)
    """
    network, data = loss.network, loss.data
    if network.activation.kind != "linear" or not network.is_dense or any(network.bias):
        return Undecided("the network is not linear, dense and without bias", "the determinant")
    r = min(network.widths)
    narrow = [k for k, width in enumerate(network.hidden, start=1) if width == r][:_MOST_LAYERS]
    if not narrow:
        return Undecided("no hidden layer has the least of all widths", "the determinant")
    fit = least_squares(data.x, data)
    s = data.gram(fit * data.x)
    if rank(s) < r:
        return Undecided(f"the optimal matrix has a rank below {r}", "the determinant")
    top = _dual_and_frame(s, r)
    if isinstance(top, Undecided):
        return top
    mu, excess, frame, guess = top
    turned = frame.transpose()
    gap = largest_gap(turned * excess * frame, turned * frame, guess)
    if gap is None:
        return Undecided("the optimal matrix is not shown to be unique", "the determinant")
    top_of_wall = trace(data.gram(data.y)) - r * mu - trace(excess) + gap
    point = _factors(loss, frame, left_inverse(frame) * fit, top_of_wall)
    level = level_between(loss(point), top_of_wall, u)
    if isinstance(level, Undecided):
        return level
    walls = [
        {
            "kind": "determinant",
            "layer": k,
            "frame": matrix_json(frame),
            "gap": rational(gap),
            "fit": matrix_json(fit),
            "mu": rational(mu),
            "Z": matrix_json(excess),
        }
        for k in narrow
    ]
    points = [
        _turned_round(point, [k for k, turn in zip(narrow, turns, strict=True) if turn])
        for turns in product((False, True), repeat=len(narrow))
    ]
    return Separation(loss, level, tuple(walls), tuple(points))


def separated_by_features(loss: Loss, u: fmpq | None = None) -> Separation | Undecided:
    """Show two components of {L <= u}: r last hidden units whose features must be independent.

    Any depth and any continuous activation, without output bias, r >= 2. Y V, V = D Y^T C of r
    columns, is not fitted by outputs of rank below r: there L is at least the r-th eigenvalue of
    Y D Y^T. So det(H V) is not 0 below it, and swapping two units changes its sign.
    Guarantees: exact. Undecided when a hypothesis fails or no good fit is found in some tries.
    Source: own; the construction for r = m = N and X = I is CLAIMS C10 (iii).

    >>> from theorylab.model import Dataset, Network
    >>> data = Dataset.from_rows([[1, 0], [0, 1]], [[3, 0], [0, 3]])
    >>> found = separated_by_features(Loss(Network.dense((2, 2, 2), "relu"), data))
    >>> found.number, found.u
    (2, 0)
    """
    network, data = loss.network, loss.data
    if network.depth < 2 or network.bias[-1] or network.output != "linear":
        return Undecided("the output has a bias or is activated", "the features")
    if not network.is_dense or network.activation.kind == "step":
        return Undecided("the network is not dense, or not continuous", "the features")
    r = network.hidden[-1]
    form = data.gram(data.y)
    if r < 2 or r > min(network.m, data.samples) or rank(form) < r:
        return Undecided(f"the targets have no rank of {r}, at least 2", "the features")
    values, vectors = eigen(form, _BITS)
    chosen = identity(r) if r == network.m else rounded(columns(vectors, range(r)), 10)
    frame = data.weighted(data.y).transpose() * chosen
    image = data.y * frame
    gram = image.transpose() * image
    gap = largest_gap(gram, chosen.transpose() * form * chosen, values[r - 1])
    if gap is None or (u is not None and u >= gap):
        return Undecided("the level is not below the loss of outputs of less rank", "the features")
    best: tuple[fmpq, Weights] | None = None
    for hidden in _hidden_layers(loss, chosen):
        point = with_best_output(loss, hidden)
        found = loss(point)
        if rank(network.features(point, data.x)[-1]) == r and (best is None or found < best[0]):
            best = found, point
        if best is not None and best[0] == 0:
            break
    if best is None:
        return Undecided("no independent features were found", "the features")
    level = level_between(best[0], gap, u)
    if isinstance(level, Undecided):
        return level
    wall = {
        "kind": "features",
        "layer": network.depth - 1,
        "frame": matrix_json(frame),
        "gap": rational(gap),
    }
    if (network.features(best[1], data.x)[-1] * frame).det() == 0:
        return Undecided("the features found are singular on the frame", "the features")
    return Separation(loss, level, (wall,), (best[1], exchanged(best[1])))


def largest_gap(a: fmpq_mat, b: fmpq_mat, guess: fmpq) -> fmpq | None:
    """The largest of some rationals g > 0 near below `guess` with A - g B >= 0; None without."""
    if guess <= 0:
        return None
    cuts = [1 + fmpq(1, 2**24), *(1 - fmpq(1, 2**k) for k in (24, 12, 9, 6, 4, 2, 1))]
    for high, low in pairwise(cuts):
        g = simplest_between(guess * low, guess * high)
        if is_positive_semidefinite(a - g * b):
            return g
    return None


def _dual_and_frame(s: fmpq_mat, r: int) -> tuple[fmpq, fmpq_mat, fmpq_mat, fmpq] | Undecided:
    """(mu, Z, U, g): S <= mu I + Z sharply, U nearly the first r eigenvectors, Z nearly g on U."""
    m = s.nrows()
    values, vectors = eigen(s, _BITS)
    if rank(s) == r:
        frame = identity(m) if r == m else independent_columns(s)
        return fmpq(0), s, frame, values[r - 1]
    low, high = max(values[r], fmpq(0)), values[r - 1]
    if high - low <= trace(s) / 2**16:
        return Undecided("the optimal matrix is not unique", "the determinant")
    top = rational_top(s, r)
    if top is not None:
        # at s_{r+1} itself if it is rational
        near = (high - low) / 2**24
        for mu in (simplest_between(max(low - near, fmpq(0)), low + near), low + (high - low) / 64):
            excess = top.strict * (s - mu * identity(m)) * top.strict
            if bounds_from_above(s, mu, excess):
                return mu, excess, independent_columns(top.strict), high - mu
    mu = simplest_between(low, low + (high - low) / 16)
    root = columns(vectors, range(r))
    weights = fmpq_mat(r, r)
    for i in range(r):
        weights[i, i] = values[i] - mu
    bits = max(1, int((64 * m / (high - low)).ceil()).bit_length())
    excess, step = rounded(root * weights * root.transpose(), bits), fmpq(1, 2**bits)
    while not bounds_from_above(s, mu, excess + step * identity(m)):
        step *= 2
    return mu, excess + step * identity(m), rounded(root, 10), high - mu


def _factors(loss: Loss, last: fmpq_mat, first: fmpq_mat, limit: fmpq) -> Weights:
    """Weights of the product last * first, rounded where it stays well below the limit."""
    network, r = loss.network, last.ncols()
    layers = [fmpq_mat(*network.shape(k)) for k in range(1, network.depth + 1)]
    for layer in layers[1:-1]:
        for i in range(r):
            layer[i, i] = fmpq(1)
    exact: Weights | None = None
    for bits in (None, 3, 5, 8, 12, 16):
        parts = (first, last) if bits is None else (rounded(first, bits), last)
        for layer, part in zip((layers[0], layers[-1]), parts, strict=True):
            for i in range(part.nrows()):
                for j in range(part.ncols()):
                    layer[i, j] = part[i, j]
        point = tuple(fmpq_mat(layer) for layer in layers)
        if exact is None:
            exact = point
            if max(len(str(v)) for v in first.entries()) <= 8:
                return exact
        elif loss(point) < (loss(exact) + limit) / 2:
            return point
    assert exact is not None
    return exact


def _turned_round(point: Weights, narrow: list[int]) -> Weights:
    """The first unit of each of these layers with the opposite signs, in and out."""
    layers = [fmpq_mat(layer) for layer in point]
    for k in narrow:
        above, below = layers[k], layers[k - 1]
        for j in range(below.ncols()):
            below[0, j] = -below[0, j]
        for i in range(above.nrows()):
            above[i, 0] = -above[i, 0]
    return tuple(layers)


def _hidden_layers(loss: Loss, chosen: fmpq_mat) -> Iterator[list[fmpq_mat]]:
    """Hidden layers that may give independent features: coordinates, then the targets, then any."""
    network, data = loss.network, loss.data
    plain = [fmpq_mat(*network.shape(k)) for k in range(1, network.depth)]
    for k, layer in enumerate(plain, start=1):
        for i in range(layer.nrows()):
            layer[i, i % network.widths[k - 1]] = fmpq(1)
    yield plain
    if network.depth == 2 and not network.bias[0]:
        fit = least_squares(data.x, data)
        yield [chosen.transpose() * fit]
        yield [-(chosen.transpose() * fit)]
    rng = random.Random(0)
    for _ in range(_TRIES):
        yield random_hidden(network, rng)

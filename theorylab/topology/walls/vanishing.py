"""Walls of small polynomial networks where one weight vanishes, or one activated output is stuck.

For networks of at most 12 weights, masked, tied or activated at the output too: the loss is
expanded, and an identity in all its weights shows that it is high on the wall.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from flint import Ordering, fmpq, fmpq_mat, fmpq_mpoly, fmpq_mpoly_ctx

from theorylab.model import Loss, Network, Weights
from theorylab.model.rational import ones, stacked
from theorylab.outcome import Undecided
from theorylab.topology.barrier import MAX_SAMPLES, Argument, polynomial_json
from theorylab.topology.exact_algebra import least_squares
from theorylab.topology.path import Json, rational, theta_json

Block = list[list[fmpq_mpoly]]

_POINTS = 40
_MAX_WEIGHTS = 12
_MAX_SIZE = 64


def separated_where_a_weight_vanishes(loss: Loss) -> Argument | Undecided:
    """Show two components of {L <= u}: a weight w is not 0 there, and has both signs.

    Where w = 0 the loss must be a constant c > u plus squares of monomials with positive factors;
    then L - u = (c - u) + squares + w h. Points of both signs are looked for among least-squares
    fits of small hidden layers. Undecided when no weight has that, or no such points are found.
    Guarantees: exact. Source: own; 1-1-1 networks of any monomial are the simplest case.

    >>> from theorylab.model import Dataset
    >>> loss = Loss(Network.dense((1, 1, 1), "square"), Dataset.from_rows([[1]], [[1]]))
    >>> separated_where_a_weight_vanishes(loss).conclusion["u"]
    '0'
    """
    expanded = expanded_loss(loss)
    if isinstance(expanded, Undecided):
        return expanded
    total, variables, _ = expanded
    points = low_points(loss)
    for place, w in enumerate(variables):
        if w is None:
            continue
        floor = total.subs({str(w): 0})
        split = _constant_and_squares(floor)
        if split is None:
            continue
        constant, squares = split
        ends = _two_sides(loss, constant, [(_flat(p)[place], p) for p in points])
        if ends is None:
            continue
        return _separation(loss, ends, constant, w, (total - floor) / w, squares)
    return Undecided("no weight whose vanishing costs a constant", "the wall")


def separated_by_activated_output(loss: Loss) -> Argument | Undecided:
    """Show two components of {L <= u}: an activated output rho(z) that z cannot bring past t.

    On the wall z = t of one sample and output the loss is at least c = s (rho(t) - y)^2, and
    L - u = (c - u) + (z - t) h + the squares of the other errors. Undecided for linear outputs,
    for activations that are no polynomials, and when no points are found on both sides.
    Guarantees: exact. Source: own.

    >>> from theorylab.model import Dataset
    >>> network = Network.dense((1, 1, 1), "square", output="activation")
    >>> loss = Loss(network, Dataset.from_rows([[1]], [[1]]))
    >>> separated_by_activated_output(loss).conclusion["kind"]
    'separated'
    """
    network, data = loss.network, loss.data
    if network.output == "linear" or loss.ridge is not None:
        return Undecided("the output is linear, or the loss has a ridge", "the wall")
    expanded = expanded_loss(loss)
    if isinstance(expanded, Undecided):
        return expanded
    total, _, outputs = expanded
    zero = total * 0
    points = low_points(loss)
    for j, row in enumerate(outputs):
        for i, z in enumerate(row):
            s, y = data.sample_weights[i], data.y[j, i]
            for t in (fmpq(0), fmpq(1, 2), fmpq(-1, 2)):
                value = network.activation(t) - y
                constant = s * value * value
                sides = [(preoutputs(loss, p)[j, i] - t, p) for p in points]
                ends = _two_sides(loss, constant, sides)
                if ends is None:
                    continue
                squares = [
                    (data.sample_weights[b], activated(network, w) - data.y[a, b])
                    for a, others in enumerate(outputs)
                    for b, w in enumerate(others)
                    if (a, b) != (j, i)
                ]
                rest = sum((d * q * q for d, q in squares), zero)
                wall = z - t
                return _separation(
                    loss, ends, constant, wall, (total - rest - constant) / wall, squares
                )
    return Undecided("no activated output is stuck", "the wall")


def low_points(loss: Loss, tries: int = _POINTS, seed: int = 0) -> list[Weights]:
    """Points of small loss, the smallest first: small random weights, the output layer fitted.

    With a pattern or an activated output the output layer is random too.
    Guarantees: heuristic; the same loss and seed give the same points.
    """
    network, rng = loss.network, random.Random(seed)
    plain = network.is_dense and network.output == "linear"
    found = []
    for _ in range(tries):
        half = 1 if plain else rng.choice((1, 2))
        count = network.parameter_count
        numbers = [fmpq(rng.randint(-2 * half, 2 * half), half) for _ in range(count)]
        weights = network.assemble(numbers)
        found.append(_fitted(loss, weights) if plain else weights)
    return sorted(found, key=loss)


def _fitted(loss: Loss, weights: Weights) -> Weights:
    network, data = loss.network, loss.data
    last = network.features(weights, data.x)[-1]
    if network.bias[-1]:
        last = stacked(last, ones(1, data.samples))
    return (*weights[:-1], least_squares(last, data))


def _two_sides(
    loss: Loss, below: fmpq, sides: Sequence[tuple[fmpq, Weights]]
) -> tuple[Weights, Weights] | None:
    """The first point on each side of a wall with a loss below that on it."""
    up = next((p for side, p in sides if side > 0 and loss(p) < below), None)
    down = next((p for side, p in sides if side < 0 and loss(p) < below), None)
    return None if up is None or down is None else (up, down)


def _separation(
    loss: Loss,
    ends: tuple[Weights, Weights],
    constant: fmpq,
    wall: fmpq_mpoly,
    multiplier: fmpq_mpoly,
    squares: Sequence[tuple[fmpq, fmpq_mpoly]],
) -> Argument:
    a, b = ends
    u = max(loss(a), loss(b))
    proof: Json = {
        "wall": polynomial_json(wall),
        "multiplier": polynomial_json(multiplier),
        "squares": [[rational(d), polynomial_json(q)] for d, q in squares],
        "margin": rational(constant - u),
    }
    points = {"A": theta_json(a), "B": theta_json(b)}
    return Argument({"kind": "separated", **points, "u": rational(u)}, "barrier", proof)


def _constant_and_squares(
    p: fmpq_mpoly,
) -> tuple[fmpq, list[tuple[fmpq, fmpq_mpoly]]] | None:
    """(c, squares) with p = c + sum d q^2, d > 0, the q monomials; None when that is not so."""
    constant, squares = fmpq(0), []
    for exponents, coefficient in p.terms():
        powers = [int(e) for e in exponents]
        if not any(powers):
            constant = coefficient
        elif coefficient > 0 and not any(e % 2 for e in powers):
            root = p.context().from_dict({tuple(e // 2 for e in powers): 1})
            squares.append((coefficient, root))
        else:
            return None
    return constant, squares


def expanded_loss(
    loss: Loss,
) -> tuple[fmpq_mpoly, list[fmpq_mpoly | None], Block] | Undecided:
    """The loss, the variable of each entry (None where it is no variable), and the outputs z."""
    network, data = loss.network, loss.data
    size = sum(r * c for r, c in (network.shape(k) for k in range(1, network.depth + 1)))
    coefficients = network.activation.coefficients
    layers = network.depth - 1 + (network.output == "activation")
    if coefficients is None or size > _MAX_WEIGHTS or data.samples > MAX_SAMPLES:
        return Undecided("no polynomial, or too many weights to expand", "the identity")
    if (len(coefficients) - 1) ** layers * size > _MAX_SIZE:
        return Undecided("the degree is too high to expand", "the identity")
    context = fmpq_mpoly_ctx.get(("w", size), Ordering.lex)
    zero, generators = context.from_dict({}), context.gens()
    variables: list[fmpq_mpoly | None] = []
    slots: dict[int, fmpq_mpoly] = {}
    point: list[Block] = []
    for k in range(1, network.depth + 1):
        rows, columns = network.shape(k)
        values = []
        for entry in network.entries(k):
            own = generators[len(variables)]
            free = entry is None or (isinstance(entry, int) and entry not in slots)
            variables.append(own if free else None)
            if isinstance(entry, int):
                own = slots.setdefault(entry, own)
            values.append(zero + entry if isinstance(entry, fmpq) else own)
        point.append([values[i * columns : (i + 1) * columns] for i in range(rows)])
    one = zero + 1
    hidden: Block = [[zero + v for v in row] for row in data.x.tolist()]
    for k, layer in enumerate(point, start=1):
        below = [*hidden, [one] * data.samples] if network.bias[k - 1] else hidden
        columns_below = list(zip(*below, strict=True))
        hidden = [
            [
                sum((a * b for a, b in zip(row, column, strict=True)), zero)
                for column in columns_below
            ]
            for row in layer
        ]
        if k < network.depth:
            hidden = [[activated(network, z) for z in row] for row in hidden]
    total = zero
    for row, targets in zip(hidden, data.y.tolist(), strict=True):
        for z, y, s in zip(row, targets, data.sample_weights, strict=True):
            error = (activated(network, z) if network.output == "activation" else z) - y
            total += error * error * s
    rates = loss.penalties
    for place, w in enumerate(w for block in point for row in block for w in row):
        if rates is not None:
            total += w * w * rates[place]
    return total, variables, hidden


def activated(network: Network, z: fmpq_mpoly) -> fmpq_mpoly:
    total = z * 0
    for c in reversed(network.activation.coefficients or ()):
        total = total * z + c
    return total


def preoutputs(loss: Loss, weights: Weights) -> fmpq_mat:
    """The outputs before their activation."""
    network = loss.network
    last = network.features(weights, loss.data.x)[-1]
    return network.preactivation(network.depth, weights[-1], last)


def _flat(weights: Weights) -> list[fmpq]:
    return [v for layer in weights for v in layer.entries()]

"""Walls, traps and weak poor minima: identities that show what a sublevel set keeps apart.

Each builder returns the conclusion it shows, in the kernel's words, with the rule and the hints.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import count
from math import lcm
from operator import add, mul

from flint import Ordering, fmpq, fmpq_mat, fmpq_mpoly, fmpq_mpoly_ctx

from theorylab.model import Dataset, Loss, Network, Weights
from theorylab.model.rational import ones, stacked
from theorylab.outcome import InputError, Undecided
from theorylab.topology.exact_algebra import rank_factorisation, rows, solve, trace
from theorylab.topology.path import Json, rational, theta_json

Matrix = list[list[fmpq_mpoly]]
PolynomialJson = list[list[object]]

# The kernel expands the loss in all weights only up to this size.
MAX_WEIGHTS = 24
MAX_SAMPLES = 64
_PERCEPTRON_STEPS = 2_000


@dataclass(frozen=True, slots=True)
class Argument:
    """A conclusion in the kernel's words, the rule that shows it or its negation, and the proof."""

    conclusion: Json
    rule: str
    proof: Json


@dataclass(frozen=True, slots=True)
class Peak:
    """The largest loss found on a straight segment, and the parameter t in [0, 1] of that point."""

    t: fmpq
    loss: fmpq


def straight_segment_peak(loss: Loss, a: Weights, b: Weights, samples: int = 64) -> Peak:
    """Return the largest of the losses at t = 0, 1/samples, ..., 1 on the segment from `a` to `b`.

    A lower bound of the maximum over the segment. Guarantees: exact at the points tried.
    Raises InputError when the weights do not fit or `samples` < 1.

    >>> from theorylab.model import matrix
    >>> loss = Loss(Network.dense((1, 1, 1), "linear"), Dataset.from_rows([[1]], [[1]]))
    >>> one, minus = matrix([[1]]), matrix([[-1]])
    >>> straight_segment_peak(loss, (one, one), (minus, minus))
    Peak(t=1/2, loss=1)
    """
    if samples < 1:
        raise InputError("samples", samples, "a segment is sampled at its ends", "use at least 1")
    a, b = loss.network.check_weights(a), loss.network.check_weights(b)

    def at(i: int) -> Peak:
        t = fmpq(i, samples)
        point = tuple(p + (q - p) * t for p, q in zip(a, b, strict=True))
        return Peak(t, loss(point))

    return max((at(i) for i in range(samples + 1)), key=lambda peak: peak.loss)


def separated_by_bottleneck(
    network: Network, data: Dataset, a: Weights, b: Weights, u: fmpq
) -> Argument | Undecided:
    """Show that `a` and `b` lie in different components of {L <= u}, past a layer of one unit.

    For dense linear networks without bias. Needs X D Y^T = p q^T of rank one, as always when n = 1
    or m = 1 (1-1-1 and 1-...-1 included), and u < |Y|^2. With c (m x 1) the product of the layers
    above the narrow one and r (1 x n) that of the layers up to it,
    L - |Y|^2 = |c r X|^2 - 2 (r.p)(q.c): the wall q.c = 0 lies above u.
    Undecided when a hypothesis fails, or when the points are not on different sides.
    Guarantees: exact. Raises InputError when the weights do not fit.
    Source: own; for 1-1-1 the converse of Freeman & Bruna 2017, Theorem 2.1, fails by it.

    >>> from theorylab.model import matrix
    >>> net, data = Network.dense((1, 1, 1), "linear"), Dataset.from_rows([[1]], [[1]])
    >>> a, b = (matrix([[2]]), matrix([["1/2"]])), (matrix([[-1]]), matrix([[-1]]))
    >>> separated_by_bottleneck(net, data, a, b, fmpq(1, 2)).proof["wall"]
    [['1', [[1, 1]]]]
    """
    loss = Loss(network, data)
    a, b = network.check_weights(a), network.check_weights(b)
    plain = network.is_dense and not any(network.bias)
    if not (plain and network.activation.coefficients == (fmpq(0), fmpq(1))):
        return Undecided("the network is not linear, dense and without bias", "the wall")
    narrow = [k for k, width in enumerate(network.hidden, start=1) if width == 1]
    if not narrow:
        return Undecided("no hidden layer is one unit wide", "the wall")
    if (reason := _too_big(network, data)) is not None:
        return reason
    left, right = rank_factorisation(data.gram(data.x, data.y))
    if left.ncols() != 1:
        return Undecided(f"X D Y^T has rank {left.ncols()}, not 1", "the wall")
    p, q = left.entries(), right.entries()
    energy = trace(data.gram(data.y))
    if u >= energy:
        return Undecided(f"the level is not below |Y|^2 = {energy}", "the wall")
    if max(loss(a), loss(b)) > u:
        return Undecided("one of the points lies above the level", "the wall")
    layers = symbolic_weights(network)
    for k in narrow:
        above, below = _product(layers[k:]), _product(layers[:k])
        wall = _combination(q, [row[0] for row in above])
        if wall(*_flattened(a)) * wall(*_flattened(b)) >= 0:
            continue
        squares = [
            [rational(d), polynomial_json(row[0] * _combination(line, below[0]))]
            for d, line in squares_of(data.gram(data.x)) or ()
            for row in above
        ]
        proof: Json = {
            "wall": polynomial_json(wall),
            "multiplier": polynomial_json(_combination(p, below[0]) * -2),
            "squares": squares,
            "margin": rational(energy - u),
        }
        points = {"A": theta_json(a), "B": theta_json(b)}
        return Argument({"kind": "separated", **points, "u": rational(u)}, "barrier", proof)
    return Undecided("the two points lie on the same side of every wall tried", "the wall")


def trapped_by_constant_term(
    network: Network, data: Dataset, a: Weights, u: fmpq
) -> Argument | Undecided:
    """Show that `a` is trapped: its component of {L <= u} never reaches the global minimum.

    For one hidden unit, rho(z) = a_0 + a_1 z with both non-zero, any data with m = 1. The output is
    alpha + beta.x with alpha = a_0 W_2 and beta free unless alpha = 0. If the least-squares
    constant alpha* is not 0, then on the other side of the wall W_2 = 0 the loss exceeds
    v = min over beta of L(0, beta), the best constant there, and on the wall it is |Y|^2; so every
    level in [v, |Y|^2) has a component without a global minimiser, and `a` on that side is in one.
    Guarantees: exact. Undecided when a hypothesis fails. Raises InputError when weights do not fit.
    Source: own, against Venturi, Bandeira & Bruna 2018, Corollary 6, as printed.

    >>> from theorylab.model import matrix
    >>> net = Network.dense((1, 1, 1), {"polynomial": [1, 1]})
    >>> data = Dataset.from_rows([[1], [-1]], [[4], [-2]])
    >>> a = (matrix([[-30]]), matrix([["-1/10"]]))
    >>> trapped_by_constant_term(net, data, a, fmpq(10)).conclusion["v"]
    '2'
    """
    loss = Loss(network, data)
    a = network.check_weights(a)
    coefficients = network.activation.coefficients or ()
    fits = network.depth == 2 and network.hidden == (1,) and network.m == 1
    affine = len(coefficients) == 2 and all(coefficients)
    plain = network.is_dense and not any(network.bias) and network.output == "linear"
    if not (fits and affine and plain):
        return Undecided("not one hidden unit with activation a_0 + a_1 z, one output", "the trap")
    if (reason := _too_big(network, data)) is not None:
        return reason
    # ones = gamma X + e and y = eta X + f, the remainders e and f orthogonal to the rows of X
    constant, linear = coefficients
    unit = ones(1, data.samples)
    gamma, eta = _fit(data, data.x, unit), _fit(data, data.x, data.y)
    e, f = unit - gamma * data.x, data.y - eta * data.x
    spread, cross, v = data.gram(e)[0, 0], data.gram(e, f)[0, 0], data.gram(f)[0, 0]
    if cross == 0:
        return Undecided("the least-squares constant is 0, or not unique", "the trap")
    best = cross / spread
    beta = eta - gamma * best
    energy = trace(data.gram(data.y))
    if not (loss(a) <= u < energy):
        return Undecided(f"the level is not in [L(A), |Y|^2) = [{loss(a)}, {energy})", "the trap")
    if a[1][0, 0] * constant * cross >= 0:
        return Undecided("A is on the side of the global minimum", "the trap")
    outer = best / constant
    lower = (beta * (1 / (outer * linear)), fmpq_mat([[outer]]))
    (hidden,), ((output,),) = symbolic_weights(network)
    moment = data.gram(data.x, data.y).entries()
    total = data.gram(unit, data.y)[0, 0]
    # squares of beta.x + alpha gamma.x - shift.x, summed over the samples
    gram = squares_of(data.gram(data.x)) or []

    def fitted(line: Sequence[fmpq], shift: fmpq_mat) -> fmpq_mpoly:
        slopes = [output * w * linear for w in hidden]
        pairs = zip(gamma.entries(), shift.entries(), strict=True)
        offsets = [output * (g * constant) - s for g, s in pairs]
        return _combination(line, [p + q for p, q in zip(slopes, offsets, strict=True)])

    flat_term = [rational(spread * constant**2), polynomial_json(output)]
    zero = fmpq_mat(1, data.n)
    proof: Json = {
        "wall": polynomial_json(output),
        "multiplier": polynomial_json(
            _combination(moment, hidden) * (-2 * linear) - 2 * constant * total
        ),
        "squares": [
            *([rational(d), polynomial_json(fitted(line, zero))] for d, line in gram),
            flat_term,
        ],
        "margin": rational(energy - u),
        "u": rational(u),
        "v": rational(v),
        "side": [
            *([rational(d), 0, polynomial_json(fitted(line, eta))] for d, line in gram),
            [flat_term[0], 0, flat_term[1]],
            [rational(2 * abs(cross * constant)), 1, [["1", []]]],
        ],
        "lower": theta_json(lower),
    }
    conclusion = {"kind": "trapped", "A": theta_json(a), "u": rational(u), "v": rational(v)}
    return Argument(conclusion, "barrier", proof)


def weak_minimum_of_squares(
    network: Network, data: Dataset, a: Weights | None = None
) -> Argument | Undecided:
    """Show a weak local minimum that is not global: square activation, W_1 = 0, any width p.

    With M_j = sum_i s_i y_ij x_i x_i^T (x_i with a 1 appended under a hidden bias), the loss is
    L(A) + sum_i s_i |Phi(x_i)|^2 - 2 sum_jk u_jk w_k^T M_j w_k. If every M_j is semidefinite and
    not zero and u_jk M_j <= 0, u_jk != 0 for all k, then A = (0, U) is a local minimum; turning one
    u_jk round gives less loss. Without `a`, U = -+1 is used.
    Guarantees: exact. Undecided when a hypothesis fails. Raises InputError when `a` does not fit.
    Source: own, against "no poor local minima" for M >= 2N in Freeman & Bruna's later slides.

    >>> net = Network.dense((1, 2, 1), "square")
    >>> shown = weak_minimum_of_squares(net, Dataset.from_rows([[1]], [[-1]]))
    >>> shown.conclusion["A"], shown.proof["lower"]
    ([[['0'], ['0']], [['1', '1']]], [[['1'], ['0']], [['-1', '0']]])
    """
    Loss(network, data)
    plain = network.is_dense and network.output == "linear" and network.depth == 2
    if network.activation.degrees != (2,) or not plain or network.bias[1]:
        return Undecided("not one dense hidden layer of a z^2 without output bias", "the minimum")
    if (reason := _too_big(network, data)) is not None:
        return reason
    (scale,) = [c for c in network.activation.coefficients or () if c != 0]
    x = stacked(data.x, ones(1, data.samples)) if network.bias[0] else data.x
    signs: list[int] = []
    forms: list[list[tuple[fmpq, list[fmpq]]]] = []
    for y in data.y.tolist():
        moment = data.gram(_scaled_columns(x, [value * scale for value in y]), x)
        sign, form = -1, squares_of(moment)
        if form is None:
            sign, form = 1, squares_of(moment * -1)
        if form is None:
            return Undecided("sum_i s_i y_i x_i x_i^T is indefinite", "the minimum")
        signs.append(sign)
        forms.append(form)
    live = [j for j, form in enumerate(forms) if form]
    if not live:
        return Undecided("the zero output is a global minimum on these data", "the minimum")
    (p,) = network.hidden
    if a is None:
        outer = fmpq_mat([[sign] * p for sign in signs])
        a = (fmpq_mat(*network.shape(1)), outer)
    a = network.check_weights(a)
    if any(a[0].entries()) or any(a[1][j, k] * signs[j] <= 0 for j in live for k in range(p)):
        return Undecided("W_1 is not zero, or an output weight has the wrong sign", "the minimum")
    hidden, output = symbolic_weights(network)
    guards = [output[j][k] * signs[j] for j in live for k in range(p)]
    terms: list[Json | list[object]] = []
    sample_weights = data.sample_weights
    for s, column in zip(sample_weights, x.transpose().tolist(), strict=True):
        heights = [_combination(column, row) for row in hidden]
        for row in output:
            phi = _sum(u * h * h * scale for u, h in zip(row, heights, strict=True))
            terms.append([rational(s), [], polynomial_json(phi)])
    for place, j in enumerate(live):
        for k in range(p):
            for d, line in forms[j]:
                square = polynomial_json(_combination(line, hidden[k]))
                terms.append([rational(2 * d), [[place * p + k, 1]], square])
    local: Json = {
        "by": "identity",
        "guards": [polynomial_json(g) for g in guards],
        "terms": terms,
    }
    lower = _turned_round(network, data, x, live[0], forms[live[0]])
    proof: Json = {"local": local, "lower": theta_json(lower)}
    return Argument({"kind": "not_poor_minimum", "A": theta_json(a)}, "optimum", proof)


def dead_relu_point(network: Network, data: Dataset) -> Weights | Undecided:
    """Return weights at which all units of one ReLU layer are off on every sample, strictly.

    No layer above the dead one has a bias, so that the output is 0 nearby and the point is a weak
    local minimum with loss |Y|^2. The topmost biased layer is used; without biases the first one
    when the inputs lie in an open half-space (searched by perceptron steps), else the second when
    no input is 0 and the first layer has two units.
    Guarantees: exact. Undecided when no layer serves.

    >>> net = Network.dense((1, 2, 1), "relu")
    >>> [W.tolist() for W in dead_relu_point(net, Dataset.from_rows([[1], [2]], [[1], [1]]))]
    [[[-1], [-1]], [[0, 0]]]
    """
    Loss(network, data)
    if network.activation.kind != "relu" or not network.is_dense or network.depth < 2:
        return Undecided("not a dense ReLU network with a hidden layer", "the dead layer")
    if network.bias[-1]:
        return Undecided("the output has a bias", "the dead layer", "drop the output bias")
    weights = [fmpq_mat(*network.shape(k)) for k in range(1, network.depth + 1)]
    biased = [k for k in range(1, network.depth) if network.bias[k - 1]]
    if biased:
        rows, columns = network.shape(biased[-1])
        weights[biased[-1] - 1] = fmpq_mat([[*[0] * (columns - 1), -1]] * rows)
        return tuple(weights)
    side = _open_half_space(data.x)
    if side is not None:
        weights[0] = fmpq_mat([[-value for value in side]] * network.hidden[0])
        return tuple(weights)
    nowhere_zero = all(any(column) for column in data.x.transpose().tolist())
    if network.depth > 2 and network.hidden[0] > 1 and nowhere_zero:
        direction = _non_orthogonal(data.x)
        signs = [1 if i % 2 == 0 else -1 for i in range(network.hidden[0])]
        weights[0] = fmpq_mat([[sign * value for value in direction] for sign in signs])
        weights[1] = fmpq_mat([[-1] * network.hidden[0]] * network.hidden[1])
        return tuple(weights)
    return Undecided(
        "no open half-space contains the inputs, and no layer has a bias",
        "the dead layer",
        "add a hidden bias",
    )


def dead_relu_minimum(
    network: Network, data: Dataset, seed: int = 0, tries: int = 100
) -> Argument | Undecided:
    """Show a weak local minimum of a ReLU network that is not global: `dead_relu_point`.

    The lower point has small random integer hidden layers and a least-squares output layer.
    Guarantees: exact. Undecided when there is no dead point, or `tries` draws find no lower one.

    >>> net, data = Network.dense((1, 1, 1), "relu"), Dataset.from_rows([[1]], [[3]])
    >>> dead_relu_minimum(net, data).proof["local"]
    {'by': 'dead-layer', 'layer': 1}
    """
    point = dead_relu_point(network, data)
    if isinstance(point, Undecided):
        return point
    features = network.features(point, data.x)
    pre = [network.preactivation(k, point[k - 1], features[k - 1]) for k in range(1, network.depth)]
    dead = [k for k, z in enumerate(pre, start=1) if all(value < 0 for value in z.entries())]
    layer = next(k for k in dead if not any(network.bias[k:]))
    loss, rng = Loss(network, data), random.Random(seed)
    if loss(point) == 0:
        return Undecided("the zero output is a global minimum on these data", "the lower point")
    for _ in range(tries):
        hidden = [
            fmpq_mat(r, c, [rng.randint(-2, 2) for _ in range(r * c)])
            for r, c in (network.shape(k) for k in range(1, network.depth))
        ]
        last = network.features((*hidden, point[-1]), data.x)[-1]
        lower = (*hidden, _fit(data, last, data.y))
        if loss(lower) < loss(point):
            local = {"by": "dead-layer", "layer": layer}
            conclusion = {"kind": "not_poor_minimum", "A": theta_json(point)}
            return Argument(conclusion, "optimum", {"local": local, "lower": theta_json(lower)})
    return Undecided("no lower point was found", "the lower point", "raise `tries`")


def symbolic_weights(network: Network) -> list[Matrix]:
    """Return the layers with one variable for each entry, in the kernel's order."""
    shapes = [network.shape(k) for k in range(1, network.depth + 1)]
    size = sum(r * c for r, c in shapes)
    variables = iter(fmpq_mpoly_ctx.get(("w", size), Ordering.lex).gens())
    return [[[next(variables) for _ in range(c)] for _ in range(r)] for r, c in shapes]


def polynomial_json(p: fmpq_mpoly) -> PolynomialJson:
    """Return [coefficient, [[variable, exponent], ...]] for each term, as the kernel reads it.

    >>> [[[w]], [[u]]] = symbolic_weights(Network.dense((1, 1, 1), "linear"))
    >>> polynomial_json(3 * u * w * w - 1)
    [['3', [[0, 2], [1, 1]]], ['-1', []]]
    """
    return [
        [str(c), [[i, int(e)] for i, e in enumerate(exponents) if e]] for exponents, c in p.terms()
    ]


def squares_of(form: fmpq_mat) -> list[tuple[fmpq, list[fmpq]]] | None:
    """Return (d, l) with v^T G v = sum d (l.v)^2 and d > 0, or None unless G is semidefinite.

    >>> squares_of(fmpq_mat([[2, 2], [2, 3]]))
    [(2, [1, 1]), (1, [0, 1])]
    >>> squares_of(fmpq_mat([[0, 1], [1, 0]])) is None
    True
    """
    table = form.tolist()
    found = []
    for k, row in enumerate(table):
        d = row[k]
        if d < 0 or (d == 0 and any(row)):
            return None
        if d == 0:
            continue
        line = [value / d for value in row]
        found.append((d, line))
        table[k + 1 :] = [
            [value - below[k] * weight for value, weight in zip(below, line, strict=True)]
            for below in table[k + 1 :]
        ]
    return found


def _turned_round(
    network: Network,
    data: Dataset,
    x: fmpq_mat,
    output: int,
    form: Sequence[tuple[fmpq, Sequence[fmpq]]],
) -> Weights:
    """One unit that reads one coordinate of x, and its best weight to one output.

    `form` is not zero on that coordinate, so that this weight is not 0 and the loss less than at 0.
    """
    coordinate = next(i for i, value in enumerate(form[0][1]) if value != 0)
    first, second = fmpq_mat(*network.shape(1)), fmpq_mat(*network.shape(2))
    first[0, coordinate] = fmpq(1)
    feature = network.activation.applied(rows(first * x, [0]))
    second[output, 0] = _fit(data, feature, rows(data.y, [output]))[0, 0]
    return first, second


def _open_half_space(x: fmpq_mat) -> list[int] | None:
    """A direction with positive product with every column, by perceptron steps, if it is found."""
    columns = [_integers(column) for column in x.transpose().tolist()]
    w = [0] * x.nrows()
    for _ in range(_PERCEPTRON_STEPS):
        heights = [sum(p * q for p, q in zip(w, column, strict=True)) for column in columns]
        lowest = min(range(len(columns)), key=heights.__getitem__)
        if heights[lowest] > 0:
            return w
        w = [p + q for p, q in zip(w, columns[lowest], strict=True)]
    return None


def _non_orthogonal(x: fmpq_mat) -> list[int]:
    """A direction (1, t, t^2, ...) orthogonal to no column; the columns are not zero."""
    for t in count():
        w = [t**i for i in range(x.nrows())]
        if all((fmpq_mat([w]) * x).entries()):
            return w
    raise AssertionError  # a column is orthogonal for fewer than n values of t


def _integers(column: Sequence[fmpq]) -> list[int]:
    denominator = lcm(*(int(value.q) for value in column))
    return [int(value.p) * (denominator // int(value.q)) for value in column]


def _fit(data: Dataset, x: fmpq_mat, target: fmpq_mat) -> fmpq_mat:
    """The matrix M that minimises sum_i s_i |M x_i - target_i|^2."""
    found = solve(data.gram(x), data.gram(x, target))
    assert found is not None  # normal equations are always consistent
    return found.transpose()


def _too_big(network: Network, data: Dataset) -> Undecided | None:
    size = sum(r * c for r, c in (network.shape(k) for k in range(1, network.depth + 1)))
    if size <= MAX_WEIGHTS and data.samples <= MAX_SAMPLES:
        return None
    return Undecided(
        f"the loss of {size} weights on {data.samples} samples is too big to expand",
        "the identity",
        f"use at most {MAX_WEIGHTS} weights and {MAX_SAMPLES} samples",
    )


def _combination(coefficients: Sequence[fmpq], terms: Sequence[fmpq_mpoly]) -> fmpq_mpoly:
    pairs = zip(coefficients, terms, strict=True)
    return sum((p * c for c, p in pairs), terms[0] * 0)


def _product(layers: Sequence[Matrix]) -> Matrix:
    """W_last ... W_first."""

    def times(below: Matrix, above: Matrix) -> Matrix:
        columns = list(zip(*below, strict=True))
        return [[_sum(map(mul, row, column)) for column in columns] for row in above]

    return reduce(times, layers)


def _sum(terms: Iterable[fmpq_mpoly]) -> fmpq_mpoly:
    return reduce(add, terms)


def _scaled_columns(x: fmpq_mat, factors: Sequence[fmpq]) -> fmpq_mat:
    return fmpq_mat([[v * s for v, s in zip(row, factors, strict=True)] for row in x.tolist()])


def _flattened(weights: Weights) -> list[fmpq]:
    return [value for layer in weights for value in layer.entries()]

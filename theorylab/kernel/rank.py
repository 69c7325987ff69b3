"""Rule ``rank``: ranks of Jacobians and Hessians, and what they say about zeros and images.

A derivative is read off along a line A + t e: the literal definition, run on polynomials in t.
Parameters are the free entries of the layers, a shared slot once (``Network.parameters``).
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import comb
from typing import Any

from theorylab.kernel import statements as read
from theorylab.kernel.arith import Matrix, Poly, Refusal, require, spend
from theorylab.kernel.semantics import Network, Theta, loss, loss_fraction, residual
from theorylab.kernel.statements import Fact, Statement

MAX_PARAMETERS = 256
Spots = list[list[tuple[int, int, int]]]


def _spots(network: Network) -> Spots:
    """Where each free parameter stands: layer, row and column."""
    require(network.activation.coefficients is not None, "rank needs a polynomial activation")
    spend(1_000 * network.entry_count)
    found: Spots = [[] for _ in range(network.parameter_count)]
    for k, layer in enumerate(network.parameters()):
        for i, row in enumerate(layer):
            for j, p in enumerate(row):
                # a fixed entry may equal the number of a parameter: its type tells them apart
                if type(p) is int:
                    found[p].append((k, i, j))
    require(1 <= len(found) <= MAX_PARAMETERS, f"between 1 and {MAX_PARAMETERS} free parameters")
    return found


def _line(a: Theta, spots: Spots, moved: tuple[int, ...], t: Poly) -> Theta:
    """A + t e, where e is 1 at the parameters ``moved`` and 0 at the others."""
    spend(40 * sum(len(w.entries) for w in a))
    rows: list[Any] = [list(map(list, w.rows)) for w in a]
    for k, i, j in (spot for p in moved for spot in spots[p]):
        rows[k][i][j] = t * a[k].den + rows[k][i][j]
    return tuple(Matrix(tuple(map(tuple, r)), w.den) for r, w in zip(rows, a, strict=True))


def _symbolic(network: Network, count: int) -> Theta:
    """The parameters as the first of ``count`` variables, fixed entries at their values."""

    def entry(p: Any) -> Poly:
        return Poly.variable(p, count) if type(p) is int else Poly({}, count) + p

    spend(40 * network.entry_count * count)
    layers = network.parameters()
    return tuple(Matrix(tuple(tuple(map(entry, row)) for row in layer)) for layer in layers)


def _parameters(a: Theta, spots: Spots) -> list[Fraction]:
    return [Fraction(a[k].rows[i][j], a[k].den) for (k, i, j), *_ in spots]


def _output(network: Network, theta: Theta, x: Matrix) -> Matrix:
    return network.output(theta, network.features(theta, x)[-1])


def jacobian(network: Network, a: Theta, x: Matrix, t: Poly) -> Matrix:
    """One row per parameter: its derivative of all outputs on x at A (Lemma 20).

    t is the last variable; of outputs that are polynomials in the others, of their coefficients.
    """
    spots, rows = _spots(network), []
    for i in range(len(spots)):
        spend(8 * len(x.entries))
        out = _output(network, _line(a, spots, (i,), t), x)
        spend(400 * len(out.entries), out.bits, out.bits)
        polynomials = ((place, t * 0 + v) for place, v in enumerate(out.entries))
        rows.append(
            {
                (place, key[:-1]): Fraction(c, v.den * out.den)
                for place, v in polynomials
                for key, c in v.terms.items()
                if key[-1] == 1
            }
        )
        spend(400 * len(rows[-1]))
    columns = sorted(set().union(*rows))
    spend(40 * len(rows) * len(columns))
    return Matrix.of([[row.get(c, Fraction(0)) for c in columns] for row in rows])


def _nullity(statement: Statement, a: Theta) -> int:
    """The nullity of the Hessian of L at a point where the gradient is zero (Lemma 23)."""
    spots, t = _spots(statement.network), Poly.variable(0, 1)
    count = len(spots)

    def along(*moved: int) -> list[Fraction]:
        theta = _line(a, spots, moved, t)
        num, den = loss_fraction(statement.network, theta, statement.data)
        p = t * 0 + num
        return [Fraction(p.terms.get((k,), 0), p.den * den) for k in (1, 2)]

    alone = [along(i) for i in range(count)]
    require(not any(slope for slope, _ in alone), "A is not a critical point")
    hessian = [[2 * second * (i == j) for j in range(count)] for i, (_, second) in enumerate(alone)]
    for i, j in combinations(range(count), 2):
        hessian[i][j] = hessian[j][i] = along(i, j)[1] - alone[i][1] - alone[j][1]
    return count - Matrix.of(hessian).rank()


def _identity(statement: Statement, proof: Any, a: Theta | None) -> None:
    """sum h_j (Phi - Y)_j = c + sum d_i (w_i - a_i)^2 + sum e Q^2 identically (Lemma 22).

    With A: c = 0 and every d_i > 0.  Without: c > 0 and no d.
    """
    network, data = statement.network, statement.data
    constant, multipliers, margins_json, squares = read.fields(
        proof, "constant multipliers margins squares"
    )
    spots = _spots(network)
    count = len(spots)
    r = residual(_output(network, _symbolic(network, count), data.x), data.y)
    listed, total = read.items(multipliers, "multipliers"), Poly({}, count)
    require(len(listed) == len(r.entries), "one multiplier per equation, output by output")
    for h, f in zip(listed, r.entries, strict=True):
        total = total + read.multivariate(h, count) * f * Fraction(1, r.den)
    c, margins = read.rational(constant), list(map(read.rational, read.items(margins_json, "d")))
    center = [] if a is None else _parameters(a, spots)
    require(len(margins) == len(center), "one margin per parameter, none without a point")
    good = c > 0 if a is None else c == 0 and min(margins) > 0
    require(good, "the constant, or with a point every margin, must be positive")
    total = total - c
    for i, (d, value) in enumerate(zip(margins, center, strict=True)):
        shifted = Poly.variable(i, count) - value
        total = total - shifted * shifted * d
    for square in read.items(squares, "squares"):
        require(type(square) is list and len(square) == 2, "a square is [e, Q]")
        e, q = read.rational(square[0]), read.multivariate(square[1], count)
        require(e >= 0, "a square has a negative coefficient")
        total = total - q * q * e
    require(not total.terms, "the identity of the equations does not hold")


def _upper(network: Network, proof: Any, at: Theta) -> int:
    """A bound on the dimension of the image of w -> coefficients of Phi(x; w) (Lemma 24)."""
    by, listed = read.fields(proof, "by", "fields")
    require((by == "fields") == (listed is not None), "fields come with the argument by fields")
    n, powers = network.widths[0], network.activation.coefficients or ()
    if by == "catalecticant":
        plain = network.depth == 2 and not (network.output_activated or any(network.bias))
        degree = len(powers) - 1
        even = degree > 0 == degree % 2 and not any(powers[:-1])
        require(plain and network.widths[2] == 1 and even, "catalecticant: U rho(W x), z^2k")
        narrow = network.widths[1] < comb(n - 1 + degree // 2, degree // 2)
        require(narrow, "catalecticant: the network is too wide")
        return comb(n - 1 + degree, degree) - 1
    spots = _spots(network)
    count = len(spots)
    x = Matrix(tuple((Poly.variable(count + i, count + n),) for i in range(n)))
    zero = Poly({}, count + n)
    outputs = [zero + v for v in _output(network, _symbolic(network, count + n), x).entries]
    if by == "ambient":
        return sum(len({key[count:] for key in v.terms}) for v in outputs)
    require(by == "fields", "upper is by ambient, fields or catalecticant")
    values, here = [], _parameters(at, spots)
    for field in read.items(listed, "fields"):
        parts = [read.multivariate(q, count) for q in read.items(field, "a field")]
        require(len(parts) == count, "a field has one component per parameter")
        for v in outputs:
            total = zero
            for i, q in enumerate(parts):
                spend(len(v.terms) * (40 + 4 * len(parts)))
                lifted = {key + (0,) * n: c for key, c in q.terms.items()}
                total = total + v.derivative(i) * Poly(lifted, count + n, q.den)
            require(not total.terms, "a field changes an output")
        values.append([q(here) for q in parts])
    require(not values or Matrix.of(values).rank() == len(values), "the fields are dependent")
    return count - len(values)


def _dimension(network: Network, proof: Any) -> int:
    """The dimension of the neurovariety: a lower and an upper bound that meet (Lemma 24)."""
    at_json, upper = read.fields(proof, "at upper")
    at, n = read.theta(at_json, network, "at"), network.widths[0]
    spend(100 * (n + 1) ** 2)
    x = Matrix(tuple((Poly.variable(i, n + 1),) for i in range(n)))
    dimension = jacobian(network, at, x, Poly.variable(n, n + 1)).rank()
    require(_upper(network, upper, at) == dimension, "the two bounds of the dimension differ")
    return dimension


def rank(statement: Statement, proof: Any) -> tuple[Fact, list[str]]:
    """Lemmas 20-24: an exact rank or nullity, or what it or an identity says about zeros."""
    conclusion, network, data = statement.conclusion, statement.network, statement.data
    kind, points, a = conclusion.kind, conclusion.points, conclusion.points.get("A")
    by_identity = type(proof) is dict and "multipliers" in proof
    if kind == "neurovariety_dimension":
        return read.counted(conclusion, _dimension(network, proof)), ["Lemma 24"]
    if kind == "has_zero":
        if by_identity:
            _identity(statement, proof, None)
            return Fact("no_zero"), ["Lemma 22"]
        a = read.theta(read.fields(proof, "point")[0], network, "point")
        require(loss(network, a, data) == 0, "the point is no zero")
        return conclusion, ["Lemma 22"]
    kinds = ("jacobian_rank", "nullity", "zero_manifold", "positive_dimension", "isolated_zero")
    if a is None or kind not in kinds:
        raise Refusal("rank decides ranks, nullities, zeros and dimensions")
    if kind in kinds[2:]:
        require(loss(network, a, data) == 0, "A is no zero")
    if by_identity:
        require(kind in kinds[3:], "an identity shows an isolated zero")
        _identity(statement, proof, a)
        return Fact("isolated_zero", points), ["Lemma 22"]
    read.fields(proof, "")
    if kind == "nullity":
        return read.counted(conclusion, _nullity(statement, a)), ["Lemma 23"]
    r = jacobian(network, a, data.x, Poly.variable(0, 1)).rank()
    if kind == "jacobian_rank":
        return read.counted(conclusion, r), ["Lemma 20"]
    require(r == len(data.y.entries), "the Jacobian has not the rank of the number of equations")
    d = network.parameter_count - r
    if kind == "zero_manifold":
        return read.counted(conclusion, d), ["Lemma 20", "Lemma 21"]
    return Fact("positive_dimension" if d else "isolated_zero", points), ["Lemma 20", "Lemma 21"]

"""Rule ``inertia``: scalar networks of squares whose width is at least rank X (Lemmas 35-37).

The output x^T A x, A = alpha sum u_k w_k w_k^T, is all that the loss depends on.  Quadratic forms
in d coordinates are rows of coefficients of the monomials x_a x_b, a <= b, in this order.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import combinations_with_replacement as multisets
from itertools import product
from math import comb
from operator import mul
from typing import Any

from theorylab.kernel import statements as read
from theorylab.kernel.arith import Matrix, require, spend
from theorylab.kernel.arith import is_positive_semidefinite as is_semidefinite
from theorylab.kernel.semantics import Data, residual
from theorylab.kernel.separation import determinant_sign
from theorylab.kernel.statements import Fact, Statement

MAX_RANK = 8


def _setting(statement: Statement) -> tuple[Matrix, int, int]:
    """X (with a row of ones under a hidden bias), d = rank X, p."""
    network = statement.network
    plain = network.depth == 2 and network.widths[2] == 1 and network.pattern is None
    plain = plain and not (network.output_activated or network.bias[1] or statement.ridge)
    require(plain, "inertia: one dense hidden layer, one linear output without bias, no ridge")
    *lower, top = network.activation.coefficients or (Fraction(1),)
    require(len(lower) == 2 and not any(lower) and top != 0, "inertia: the activation is a z^2")
    x = statement.data.x.with_ones() if network.bias[0] else statement.data.x
    return x, x.rank(), network.widths[1]


def _monomials(x: Matrix) -> Matrix:
    spend(len(x.rows) * len(x.entries) * 2, x.bits, x.bits)
    rows = tuple(tuple(map(mul, a, b)) for a, b in multisets(x.rows, 2))
    return Matrix(rows, x.den * x.den)


def _best(data: Data, x: Matrix, d: int, proof: Any) -> tuple[Matrix, Matrix, Fraction]:
    """Monomials of d rows that span those of X, the best form on them, and min f (Lemma 35)."""
    listed, form = read.fields(proof, "rows form")
    require(0 < d <= MAX_RANK, f"inertia: rank X is between 1 and {MAX_RANK} here")
    chosen = [read.integer(i, 0, len(x.rows) - 1, "a row") for i in read.items(listed, "rows")]
    require(len(chosen) == d, "as many rows as the rank of X")
    picked = x.take(chosen)
    require(picked.rank() == d, "the rows do not span those of X")
    squares = _monomials(picked)
    best = read.matrix([form], (1, len(squares.rows)), "form")
    error = residual(best @ squares, data.y)
    require(not any(data.gram(error, squares).entries), "form is not a least-squares form")
    return squares, best.transposed, Fraction(*data.squared_norm(error))


def _regular(data: Data, x: Matrix, d: int, k: int, u: Fraction, proof: Any) -> None:
    """Refuse unless every form of rank d - k or less is shown to be above u (Lemma 37)."""
    fit, level, turn_json, *hints = read.fields(proof, "best level turn multipliers relation")
    squares, best, least = _best(data, x, d, fit)
    pairs, size, c = list(multisets(range(d), 2)), len(squares.rows), read.rational(level)
    turn = read.matrix(turn_json, (d, d), "turn")
    multipliers, z = (read.matrix(m, (size, size), "a hint") for m in hints)
    table = [[Fraction(0)] * size for _ in pairs]
    for i, j, m in product(range(d), repeat=3):
        row, column = (pairs.index((min(a, m), max(a, m))) for a in (i, j))
        table[row][column] += Fraction(turn.rows[j][i], turn.den * (1 + (j != m)))
    pairing = Matrix.of(table)
    right = (multipliers @ data.gram(squares, squares)).equals(pairing)
    require(right, "the multipliers do not fit the turn")
    if k == 1:
        total: Counter[tuple[int, ...]] = Counter()
        for (pair, other), v in zip(product(pairs, repeat=2), z.entries, strict=True):
            total[tuple(sorted(pair + other))] += v
        require(not any(total.values()), "the relation does not vanish on squares")
    else:
        # a multiple of k |P|^2 - (tr P)^2
        t, top = [int(i == j) for i, j in pairs], Fraction(z.rows[0][0], z.den * (k - 1))
        norm = [
            [top * (k * (2 - v) * (i == j) - v * w) for j, w in enumerate(t)]
            for i, v in enumerate(t)
        ]
        require(z.equals(Matrix.of(norm)), "the relation does not vanish on projectors")
    g = (pairing @ best).transposed.row(0)
    cost = pairing @ multipliers.transposed
    spend(64 * size * size, cost.bits, z.bits)
    quartic = [
        [v * w - c * q + r for w, q, r in zip(g, cost.row(i), z.row(i), strict=True)]
        for i, v in enumerate(g)
    ]
    shown = Matrix.of(
        [
            [g[pairs.index((min(i, j), max(i, j)))] / (1 + (i != j)) for j in range(d)]
            for i in range(d)
        ]
    )
    definite = is_semidefinite(shown) and shown.rank() > d - k
    require(definite, "the turned form is not definite enough")
    require(is_semidefinite(Matrix.of(quartic)), "the quartic form is not shown to be >= 0")
    require(c > u - least, "the level of singular forms is not above u")


def inertia(statement: Statement, proof: Any) -> tuple[Fact, list[str]]:
    """Lemmas 35-37: p >= d descends, p > d connects, and at p = d the components are counted."""
    conclusion, data = statement.conclusion, statement.data
    x, d, p = _setting(statement)
    kind, points, values = conclusion.kind, conclusion.points, conclusion.values
    if kind == "descends":
        require(p >= d, "inertia: descent needs as many units as the rank of X")
        least = _best(data, x, d, read.fields(proof, "best")[0])[2]
        within = values["v"] <= least <= values["v"] + values["eps"]
        require(within, "the minimum of the loss is not between v and v + eps")
        return conclusion, ["Lemma 35 (p >= rank X: a path that never rises to a global minimum)"]
    require(kind in ("joined", "separated", "components"), "inertia says nothing about this")
    point_json, regular = read.fields(proof, "", "point regular")
    counts = kind == "components"
    require(counts == (point_json is not None), "a point belongs to a count of components")
    witness = read.theta(point_json, statement.network, "point") if counts else None
    below = all(statement.loss(v) <= values["u"] for v in (witness, *points.values()) if v)
    require(below, "a point lies above the level")
    if p > d:
        require(regular is None, "nothing to show: there are more units than the rank of X")
        cited = ["Lemma 36 (p >= rank X + 1: every sublevel set is connected)"]
        return read.counted(conclusion, 1) if counts else Fact("joined", points, values), cited
    cited = ["Lemma 36 (p <= rank X: components by inertia)"]
    if p == d and witness and not all(witness[1].entries):
        require(regular is None, "nothing to show: the point has a singular form")
        return read.counted(conclusion, 1), cited
    _regular(data, x, d, d - p + 1, values["u"], regular)
    cited.append("Lemma 37")
    positive = sum(v > 0 for v in witness[1].entries) if witness else 0
    if witness and p < d:
        low, high = values["at_least"], values["at_most"]
        shown = comb(p, positive)
        require(high is None and low <= shown, f"only {shown} components are shown")
        return conclusion, cited
    if witness:
        return read.counted(conclusion, 2 if positive in (0, d) else 4 * comb(d, positive)), cited
    a, b = points["A"], points["B"]
    signs = any(v * w < 0 for v, w in zip(a[1].entries, b[1].entries, strict=True))
    # W_A X D X^T W_B^T: the Gram matrix of the coordinates is positive definite
    turned = p == d and determinant_sign(data.gram(a[0] @ x, b[0] @ x)) < 0
    require(signs or turned, "no sign tells A from B")
    return Fact("separated", points, values), cited

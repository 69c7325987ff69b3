"""A second opinion on the rule ``inertia``: polynomials in v by sympy, definiteness by minors.

It shares no code with the kernel; that the theorem holds is the business of the soundness file.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations_with_replacement, product
from math import comb
from typing import Any

import literal
from kernel.segments import Json, coefficients, need, numbers, sample_weights
from sympy import QQ, Matrix, Rational
from sympy.polys.rings import ring

Shown = tuple[str, int | None]


def shown_inertia(network: Json, data: Json, conclusion: Json, proof: Json) -> Shown:
    """The kind of fact that is shown, and the exact number if it is one of components."""
    listed, widths = coefficients(network), network["widths"]
    need(len(widths) == 3 and widths[2] == 1 and network["output"] == "linear", "shape")
    need(network["pattern"] is None and network["bias"][1] is False, "dense, no output bias")
    need(listed is not None and len(listed) == 3, "squares")
    assert listed is not None
    need(listed[0] == listed[1] == 0 != listed[2], "squares")
    samples = [[Fraction(v) for v in row] + [Fraction(1)] * network["bias"][0] for row in data["x"]]
    p, d = widths[1], _exact(samples).rank()
    if conclusion["kind"] == "descends":
        need(set(proof) == {"best"} and p >= d, "the width of a descent")
        least = _Forms(data, samples, d, proof["best"]).least
        v, eps = (Fraction(conclusion[key]) for key in ("v", "eps"))
        need(v <= least <= v + eps, "the minimum")
        return "descends", None
    u, kind = Fraction(conclusion["u"]), conclusion["kind"]
    need(set(proof) <= {"point", "regular"}, "keys")
    need(None not in proof.values(), "null")
    need(("point" in proof) == (kind == "components"), "a point for a count")
    need(kind in ("components", "joined", "separated"), "kind")
    ends = [proof["point"]] if kind == "components" else [conclusion["A"], conclusion["B"]]
    points = [numbers(end) for end in ends]
    for point in points:
        shape = [len(point), len(point[0]), {len(row) for row in point[0]}, len(point[1])]
        need(shape == [2, p, {len(samples[0])}, 1] and len(point[1][0]) == p, "shape of a point")
        need(literal.loss(network, data, point) <= u, "above the level")
    dead = kind == "components" and p == d and 0 in points[0][1][0]
    if p > d or dead:
        need("regular" not in proof, "superfluous")
        return ("components", 1) if kind == "components" else ("joined", None)
    forms = _Forms(data, samples, d, proof["regular"]["best"])
    forms.all_regular(proof["regular"], u, d - p + 1)
    if kind == "components":
        positive = sum(v > 0 for v in points[0][1][0])
        if p < d:
            shown = comb(p, positive)
            need(conclusion["at_most"] is None and conclusion["at_least"] <= shown, "too few")
            return "components", conclusion["at_least"]
        return "components", 2 if positive in (0, d) else 4 * comb(d, positive)
    a, b = points
    signs = [v * w < 0 for v, w in zip(a[1][0], b[1][0], strict=True)]
    chosen = _exact([samples[i] for i in _independent(samples)])
    turned = 1 if p < d else (_exact(a[0]) * chosen.T).det() * (_exact(b[0]) * chosen.T).det()
    need(any(signs) or turned < 0, "not told apart")
    return "separated", None


def _exact(table: Any) -> Matrix:
    return Matrix([[Rational(v.numerator, v.denominator) for v in row] for row in table])


def _independent(samples: list[list[Fraction]]) -> list[int]:
    return list(_exact(samples).T.rref()[1])


class _Forms:
    """Quadratic forms on chosen coordinates of the samples, the best one among them."""

    def __init__(self, data: Json, samples: Json, d: int, best: Json) -> None:
        need(set(best) == {"rows", "form"} and len(best["rows"]) == d >= 1, "rows")
        need(all(type(i) is int and 0 <= i < len(samples[0]) for i in best["rows"]), "rows")
        self.d, self.pairs = d, list(combinations_with_replacement(range(d), 2))
        self.points = [[row[i] for i in best["rows"]] for row in samples]
        need(_exact(self.points).rank() == d, "the rows do not span")
        self.form = [Fraction(v) for v in best["form"]]
        need(len(self.form) == len(self.pairs), "form")
        self.weights = sample_weights(data)
        targets = [Fraction(row[0]) for row in data["y"]]
        errors = [
            sum((e * c[i] * c[j] for e, (i, j) in zip(self.form, self.pairs, strict=True)),
                Fraction(0)) - y
            for c, y in zip(self.points, targets, strict=True)
        ]  # fmt: skip
        weighed = list(zip(self.weights, errors, self.points, strict=True))
        for i, j in self.pairs:
            need(sum(s * e * c[i] * c[j] for s, e, c in weighed) == 0, "not the best form")
        self.least = sum((s * e * e for s, e, _ in weighed), Fraction(0))

    def all_regular(self, proof: Json, u: Fraction, k: int) -> None:
        """Every form of rank <= d - k has a loss above u, by a quartic in its kernel (k = 1: v)."""
        need(set(proof) == {"best", "level", "turn", "multipliers", "relation"}, "keys")
        space, *v = ring([f"v{i}" for i in range(self.d)], QQ)
        monomials = [v[i] * v[j] for i, j in self.pairs]
        turn, size = numbers([proof["turn"]])[0], len(self.pairs)
        need([len(row) for row in turn] == [self.d] * self.d, "turn")
        moved = [sum((_q(m) * w for m, w in zip(row, v, strict=True)), space.zero) for row in turn]
        hints, z = (numbers([proof[key]])[0] for key in ("multipliers", "relation"))
        need(all([len(row) for row in m] == [size] * size for m in (hints, z)), "hints")
        values = []
        for c in self.points:
            squares = [c[i] * c[j] for i, j in self.pairs]
            line = [sum((k * f for k, f in zip(row, squares, strict=True)), Fraction(0))
                    for row in hints]  # fmt: skip
            values.append(line)
        as_polynomials = [
            sum((_q(k) * m for k, m in zip(line, monomials, strict=True)), space.zero)
            for line in values
        ]
        for i, j in self.pairs:
            total = space.zero
            for s, m, c in zip(self.weights, as_polynomials, self.points, strict=True):
                total += m * _q(s * c[i] * c[j])
            wanted = (moved[i] * v[j] + moved[j] * v[i]) * QQ(1, 2)
            need(total == wanted, "the multipliers do not fit")
        level = Fraction(proof["level"])
        need(level > u - self.least, "level")
        best = [[self._entry(i, j) for j in range(self.d)] for i in range(self.d)]
        turned = _exact(turn).T * _exact(best)
        symmetric = (turned + turned.T) / 2
        need(_semidefinite(symmetric) and symmetric.rank() > self.d - k, "not definite")
        g = [symmetric[i, j] * (1 + (i != j)) for i, j in self.pairs]
        gram = _exact(z) + Matrix(g) * Matrix(g).T
        for s, line in zip(self.weights, values, strict=True):
            column = _exact([line]).T
            gram -= column * column.T * _rational(s * level)
        need(gram == gram.T and _semidefinite(gram), "not semidefinite")
        if k == 1:
            relation = space.zero
            for (i, row), j in product(enumerate(z), range(size)):
                relation += _q(row[j]) * monomials[i] * monomials[j]
            need(relation == 0, "the relation is none")
            return
        # t (k |P|^2 - (tr P)^2) as a polynomial in the entries of P
        other, *entries = ring([f"p{i}" for i in range(size)], QQ)
        diagonal = [e for e, (i, j) in zip(entries, self.pairs, strict=True) if i == j]
        trace = sum(diagonal, other.zero)
        norm = sum(
            (e * e * (1 + (i != j)) for e, (i, j) in zip(entries, self.pairs, strict=True)),
            other.zero,
        )
        shown = sum(
            (_q(z[i][j]) * entries[i] * entries[j] for i in range(size) for j in range(size)),
            other.zero,
        )
        need(shown == (norm * k - trace**2) * _q(z[0][0] / (k - 1)), "the relation is none")

    def _entry(self, i: int, j: int) -> Fraction:
        return self.form[self.pairs.index((min(i, j), max(i, j)))] / (1 + (i != j))


def _semidefinite(matrix: Matrix) -> bool:
    """The signs of the characteristic polynomial alternate."""
    signs = matrix.charpoly().all_coeffs()
    return all((-1) ** k * c >= 0 for k, c in enumerate(signs))


def _q(v: Fraction) -> Any:
    return QQ(v.numerator, v.denominator)


def _rational(v: Fraction) -> Rational:
    return Rational(v.numerator, v.denominator)

"""Rule ``span``: a path of matrices whose columns span those of both its ends, or there is none.

A statement of it has a network of one layer, n' inputs and n outputs; a point is its n x n' matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from theorylab.kernel import statements as read
from theorylab.kernel.arith import Matrix, require, spend
from theorylab.kernel.separation import determinant_sign
from theorylab.kernel.statements import Fact, Statement


def span(statement: Statement, proof: Any) -> tuple[Fact, list[str]]:
    """Lemma 38, a polyline that keeps a minor; Lemma 39, too few columns or the wrong sign."""
    conclusion, network = statement.conclusion, statement.network
    require(conclusion.kind == "span_path", "span is about span_path")
    plain = network.depth == 1 and network.pattern is None and network.bias == (False,)
    require(plain and network.activation.is_linear, "span: one dense linear layer without bias")
    (a,), (b,) = conclusion.points["A"], conclusion.points["B"]
    wanted = _beside(a, b)
    s = wanted.rank()
    if proof == {}:
        columns = a.shape[1]
        product = a.transposed @ b
        odd = s == columns and determinant_sign(product) < 0
        require(s > columns or odd, "no obstruction: enough columns, and no change of sign")
        return Fact("no_span_path", conclusion.points), ["Lemma 39"]
    vertices, minors = read.fields(proof, "vertices minors")
    spend(2_000 * len(read.items(vertices, "vertices")))
    inner = [read.matrix(v, a.shape, "a vertex") for v in vertices]
    for v in inner:
        spans = v.rank() == s == _beside(wanted, v).rank()
        require(spans, "a vertex between the ends spans more, or less, than both")
    require(len(read.items(minors, "minors")) == len(inner) + 1, "one minor per segment")
    for (p, q), minor in zip(pairwise((a, *inner, b)), minors, strict=True):
        chosen = [read.integer(j, 0, a.shape[1] - 1, "a column") for j in read.items(minor, "j")]
        require(len({*chosen}) == len(chosen) == s, f"a minor has {s} different columns")
        kept = _keeps(p, q, chosen) or _keeps(q, p, chosen)
        require(kept, "a minor is not shown to stay away from 0 inside a segment")
    return conclusion, ["Lemma 38"]


def _keeps(p: Matrix, q: Matrix, chosen: Sequence[int]) -> bool:
    """Whether the minor is c t^k, c != 0, on p + t(q - p): k of its columns move, from a span."""
    before, after = p.columns, q.columns
    spend(8 * len(p.entries), p.bits, q.bits)
    still = [j for j in chosen if [v * q.den for v in before[j]] == [v * p.den for v in after[j]]]
    full = _rank(q, chosen) == len(chosen)
    return full and _rank(p, chosen) == _rank(p, still) == len(still)


def _rank(m: Matrix, columns: Sequence[int]) -> int:
    return m.transposed.take(columns).rank() if columns else 0


def _beside(a: Matrix, b: Matrix) -> Matrix:
    return Matrix.of([[*a.row(i), *b.row(i)] for i in range(a.shape[0])])

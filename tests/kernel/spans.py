"""Spanning columns by Gram determinants and real root counts of sympy: a check on rule ``span``."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from kernel.segments import Json, is_linear, need, numbers
from sympy import Matrix, Poly, Rational, symbols

T = symbols("t")


def shown_span(network: Json, conclusion: Json, proof: Json) -> str:
    """ "span_path" or "no_span_path"; raises NotShown otherwise."""
    need(conclusion["kind"] == "span_path", "kind")
    need(len(network["widths"]) == 2 and network["pattern"] is None, "one dense layer")
    need(network["bias"] == [False] and is_linear(network), "linear, no bias")
    a, b = (_matrix(conclusion[end]) for end in "AB")
    wanted = a.row_join(b)
    s, columns = wanted.rank(), a.shape[1]
    if proof == {}:
        need(s > columns or (s == columns and (a.T * b).det() < 0), "nothing in the way")
        return "no_span_path"
    need(set(proof) == {"vertices", "minors"}, "keys")
    inner = [_matrix([v]) for v in proof["vertices"]]
    need(all(v.shape == a.shape for v in inner), "shape")
    need(len(proof["minors"]) == len(inner) + 1, "minors")
    for (p, q), minor in zip(pairwise([a, *inner, b]), proof["minors"], strict=True):
        need(all(type(j) is int and 0 <= j < columns for j in minor), "columns")
        need(wanted.row_join(p).row_join(q).rank() == s == len(minor), "off the span")
        chosen = (p + T * (q - p))[:, minor]
        gram = Poly((chosen.T * chosen).det() if minor else Rational(1), T)
        need(not gram.is_zero and _positive_inside(gram), "a minor vanishes inside")
    need(all(v.rank() == s for v in inner), "a vertex spans less")
    return "span_path"


def _matrix(theta: Json) -> Matrix:
    (rows,) = numbers(theta)
    return Matrix([[Rational(v.numerator, v.denominator) for v in map(Fraction, r)] for r in rows])


def _positive_inside(p: Poly) -> bool:
    """Whether a polynomial has no root strictly between 0 and 1."""
    ends = sum(p.eval(end) == 0 for end in (0, 1))
    return bool(p.count_roots(0, 1) == ends)

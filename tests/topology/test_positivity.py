"""Bernstein leaves: what they prove, when they exist, and the kernel's own reading of them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import fmpq, fmpq_poly
from hypothesis import given, settings
from hypothesis import strategies as st

from theorylab.kernel.arith import Poly, has_sign_on_unit_interval
from theorylab.outcome import Undecided
from theorylab.topology.positivity import bernstein, sign_leaves, touching_points

T = fmpq_poly([0, 1])
SMALL = st.fractions(-5, 5, max_denominator=6).map(lambda q: fmpq(q.numerator, q.denominator))
POLYNOMIALS = st.lists(SMALL, min_size=1, max_size=6).map(fmpq_poly)


def kernel_accepts(p: fmpq_poly, leaves: object, *, strict: bool) -> bool:
    dense = Poly.dense([Fraction(int(c.p), int(c.q)) for c in p.coeffs()])
    return has_sign_on_unit_interval(dense, leaves, strict=strict)  # type: ignore[arg-type]


@settings(deadline=None, derandomize=True)
@given(POLYNOMIALS, st.fractions(0, 1, max_denominator=9))
def test_bernstein_coefficients_are_those_of_the_polynomial(p: fmpq_poly, q: Fraction) -> None:
    t = fmpq(q.numerator, q.denominator)
    b = bernstein(p)
    n = len(b) - 1
    value, choose = fmpq(0), fmpq(1)
    for i, c in enumerate(b):
        value += c * choose * t**i * (1 - t) ** (n - i)
        choose = choose * (n - i) / (i + 1)
    assert value == p(t)


@given(POLYNOMIALS, st.booleans())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_leaves_are_accepted_by_the_kernel_and_refusals_are_right(
    p: fmpq_poly, strict: bool
) -> None:
    leaves = sign_leaves(p, strict=strict)
    samples = [p(fmpq(i, 64)) for i in range(65)]
    if isinstance(leaves, Undecided):
        settled = "negative" in leaves.reason or "zero" in leaves.reason
        if not settled:
            assert touching_points(p) or p.gcd(p.derivative()).degree() > 0
    else:
        assert all(v > 0 if strict else v >= 0 for v in samples)
        assert kernel_accepts(p, leaves, strict=strict)


@pytest.mark.parametrize("order", range(1, 6))
@pytest.mark.parametrize("root", [fmpq(0), fmpq(1), fmpq(1, 2), fmpq(3, 8)])
def test_zeros_at_ends_and_dyadic_points_are_settled(root: fmpq, order: int) -> None:
    power = order if root in (0, 1) else 2 * order
    sign = (-1) ** order if root == 1 else 1
    p = sign * (T - root) ** power * (T * T + fmpq(1, 100))
    leaves = sign_leaves(p, strict=False)
    assert not isinstance(leaves, Undecided)
    assert kernel_accepts(p, leaves, strict=False)
    assert isinstance(sign_leaves(p, strict=True), Undecided)


def test_a_zero_touched_elsewhere_is_undecided_and_named() -> None:
    p = (T - fmpq(1, 3)) ** 2 * (T - fmpq(2, 7)) ** 4 * (T + 1)
    assert isinstance(sign_leaves(p, strict=False), Undecided)
    assert touching_points(p) == [fmpq(2, 7), fmpq(1, 3)]
    irrational = (2 * T * T - 1) ** 2
    assert isinstance(sign_leaves(irrational, strict=False), Undecided)
    assert touching_points(irrational) == []


def test_the_zero_polynomial_is_non_negative_only() -> None:
    zero = fmpq_poly([])
    assert sign_leaves(zero, strict=False) == ((0, 0),)
    assert isinstance(sign_leaves(zero, strict=True), Undecided)
    assert kernel_accepts(zero, ((0, 0),), strict=False)


def test_a_narrow_positive_valley_takes_few_leaves() -> None:
    p = (3 * T - 1) ** 2 + fmpq(1, 10**12)
    leaves = sign_leaves(p, strict=True)
    assert not isinstance(leaves, Undecided)
    assert len(leaves) < 60
    assert kernel_accepts(p, leaves, strict=True)


def test_a_sign_change_between_dyadic_points_is_found_negative() -> None:
    found = sign_leaves((T - fmpq(1, 3)) * (T - fmpq(1, 3) - fmpq(1, 1000)), strict=False)
    assert isinstance(found, Undecided)
    assert "negative" in found.reason

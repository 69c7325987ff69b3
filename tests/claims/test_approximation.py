"""relu-polynomial-approximation: the stated numbers, and the fits behind the certificates."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from flint import fmpq, fmpq_poly
from numpy.polynomial import legendre
from sympy import Abs, Rational, integrate, symbols
from sympy import legendre as legendre_polynomial

from theorylab import kernel
from theorylab.claims.approximation import (
    RELU_POLYNOMIAL_APPROXIMATION,
    best_error,
    legendre_error,
)
from theorylab.instances import Instance
from theorylab.model import Activation
from theorylab.model.approximation import distance, legendre_expansion, nearest_polynomial
from theorylab.outcome import InputError, Undecided
from theorylab.topology.sup_norm import best_error_between, nearest_or_not, sup_norm_between
from theorylab.verify import decide

ONE = fmpq(1)
RELU, ABS = Activation("relu"), Activation("abs")
CLAIM = RELU_POLYNOMIAL_APPROXIMATION
INSTANCES = {i.name: i for i in CLAIM.canonical()}


def test_the_expansion_is_the_textbook_one() -> None:
    """Coefficients (2k+1)/2 int rho P_k, by sympy; values at floats by numpy's Legendre series."""
    x = symbols("x")
    coefficients = [
        Rational(2 * k + 1, 2) * integrate((x + Abs(x)) / 2 * legendre_polynomial(k, x), (x, -1, 1))
        for k in range(7)
    ]
    ours = legendre_expansion(RELU, 6, -ONE, ONE)
    for t in (-1, -0.3, 0, 0.7):
        theirs = legendre.legval(t, [float(c) for c in coefficients])
        ours_at_t = ours(fmpq(round(t * 10), 10))
        assert float(ours_at_t) == pytest.approx(theirs, abs=1e-14)  # because of doubles


@pytest.mark.parametrize("degree", range(1, 14))
def test_the_formula_of_the_error_of_the_expansion(degree: int) -> None:
    p = legendre_expansion(ABS, degree, -ONE, ONE)
    assert distance(ABS, p, -ONE, ONE)[1] == legendre_error(degree)


# R. S. Varga & A. J. Carpenter, On the Bernstein conjecture in approximation theory, Constr.
# Approx. 1 (1985) 333-348: 2n E_2n(|x|) tends to 0.2801694990238...
def test_the_bounds_of_the_best_error_tend_to_bernsteins_constant() -> None:
    scaled = [degree * float(best_error(degree)[0]) for degree in range(2, 13, 2)]
    assert all(a < b for a, b in pairwise(scaled))
    constant = 0.2801694990238691
    assert constant - 0.0015 < scaled[-1] < constant
    # Richardson's extrapolation in 1/n^2 of the last two
    better = scaled[-1] + (scaled[-1] - scaled[-2]) / ((12 / 10) ** 2 - 1)
    assert better == pytest.approx(constant, abs=2e-4)  # because the limit is only near


@pytest.mark.parametrize("degree", range(1, 13))
def test_the_exchange_meets_the_stated_bounds(degree: int) -> None:
    found = nearest_polynomial(ABS, degree, -ONE, ONE)
    assert not isinstance(found, Undecided)
    low, high = best_error(degree)
    assert low <= found.low <= high
    reached = distance(ABS, found.polynomial, -ONE, ONE)[1]
    assert found.low <= reached <= high
    assert high - low <= fmpq(1, 10**10)


@pytest.mark.parametrize("end", [fmpq(3), fmpq(7, 3), fmpq(11, 6)])
def test_a_rational_best_error_is_met_exactly(end: fmpq) -> None:
    """On [-c, c] the best of degree 2 for |x| is x^2/c + c/8, with error c/8 at 0, c/2, c."""
    found = nearest_polynomial(ABS, 2, -end, end)
    assert not isinstance(found, Undecided)
    assert (found.polynomial, found.low) == (fmpq_poly([end / 8, 0, 1 / end]), end / 8)
    proof = best_error_between(ABS, 2, -end, end, end / 8, end / 8)
    assert not isinstance(proof, Undecided)
    assert proof[1]["upper"]["error"] == str(end / 8)


def test_an_odd_degree_gains_nothing() -> None:
    for degree in range(3, 13, 2):
        odd, even = (INSTANCES[f"best-{d}"].conclusion for d in (degree, degree - 1))
        assert {**odd, "degree": 0} == {**even, "degree": 0}


@pytest.mark.parametrize("change", [Fraction(-1, 10**6), Fraction(1, 10**6)])
@pytest.mark.parametrize("name", ["legendre-6", "best-6"])
def test_a_wrong_number_is_refuted(name: str, change: Fraction) -> None:
    right = INSTANCES[name]
    moved = {k: str(Fraction(right.conclusion[k]) + change) for k in ("at_least", "at_most")}
    wrong = Instance(name, right.variant, right.network, right.data,
                     {**right.conclusion, **moved}, right.a)  # fmt: skip
    result = decide(CLAIM, wrong)
    assert (result.outcome, result.expected) == ("refuted", False)


def test_nearest_is_decided_either_way() -> None:
    for degree, word in ((1, kernel.Proved), (2, kernel.Refuted), (5, kernel.Refuted)):
        p = legendre_expansion(RELU, degree, -ONE, ONE)
        found = nearest_or_not(RELU, p, degree, -ONE, ONE)
        assert not isinstance(found, Undecided)
        assert ("polynomial" in found[1]["upper"]) == (word is kernel.Refuted)


def test_what_cannot_be_shown_is_undecided() -> None:
    """|relu - p| = 1/4 - (x - 1/3)^2 / 4 <= 1/4 is met at 1/3, where no bisection comes."""
    square = fmpq_poly([fmpq(-1, 3), 1]) ** 2 / 4
    p = fmpq_poly([0, 1]) + square - fmpq(1, 4)
    quarter = fmpq(1, 4)
    found = sup_norm_between(RELU, p, fmpq(0), ONE, quarter, quarter)
    assert isinstance(found, Undecided)


def test_bad_arguments() -> None:
    with pytest.raises(InputError, match="relu, leaky_relu and abs"):
        legendre_expansion(Activation("step"), 2, -ONE, ONE)
    with pytest.raises(InputError, match="a < b"):
        nearest_polynomial(RELU, 2, ONE, ONE)
    with pytest.raises(InputError, match="not negative"):
        legendre_expansion(RELU, -1, -ONE, ONE)
    with pytest.raises(InputError, match="degree 1"):
        nearest_polynomial(RELU, 0, -ONE, ONE)


def test_the_fit_is_bad_outside_its_interval() -> None:
    result = decide(CLAIM, INSTANCES["legendre-10-outside"])
    assert (result.outcome, result.reason) == (
        "proved",
        "max |rho - p| on [-2, 2] is from 2070 to 2071",
    )

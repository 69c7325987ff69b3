"""x = 3 + i / 10^14: the only solution is not real, however near.

HomotopyContinuation.jl discussion 562, issue 563, 2024-01-17, "Non-real solution incorrectly
certified as real": one certificate was both real and complex.
"""

from __future__ import annotations

from regressions.counted import count, system

from theorylab.counting.system import system_from_phc


def test_a_coefficient_that_is_hardly_complex() -> None:
    found = count(system_from_phc("1\nx - 3 - 1/100000000000000*i;\n"))
    assert (found.certified, found.certified_real, found.complete) == (1, 0, True)
    assert found.real_undecided == 0


def test_the_same_pair_over_the_rationals() -> None:
    found = count(system("x", "(x-3)^2+1/10^28"))
    assert (found.certified, found.certified_real, found.complete) == (2, 0, True)
    assert found.real_undecided == 0


def test_a_real_root_of_complex_equations_is_counted_as_real() -> None:
    # (x - 3) (x - i): one real solution, which no box can tell, since f is not real.
    found = count(system_from_phc("1\nx^2 - (3+i)*x + 3*i;\n"))
    assert (found.certified, found.certified_real, found.real_undecided) == (2, 1, 0)
    assert found.complete

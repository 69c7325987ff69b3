"""Coefficients in Q(i): counted exactly, with i as an unknown, by every engine.

The engines outside are asked for f and i^2 + 1 = 0, twice as many solutions; those with -i solve
the conjugate system.
"""

from __future__ import annotations

import pytest
from regressions.counted import count, need

from theorylab.counting.system import system_from_phc
from theorylab.outcome import Assurance

# Six of Bezout's eight are finite; x = i y and x = -i y are directions at infinity.
TEXT = "2\nx^2 + y^2 - (1+2*i)*x - 3;\nx^2*y + x*y^2*i - i*y + (2-i)/5;\n"
MULTIPLE = "2\n(x-i)^2*(x-2);\ny^2 - x;\n"


@pytest.mark.parametrize("engine", ["simple", "phc", "bertini"])
def test_simple_solutions(engine: str) -> None:
    need(*({engine} - {"simple"}))
    found = count(system_from_phc(TEXT), engine=engine)
    assert found.dimension == 0
    assert found.complete
    assert found.certified == found.multiplicity == EXPECTED
    assert found.assurance is Assurance.FLINT


EXPECTED = 5


def test_multiple_solutions_and_real_ones() -> None:
    found = count(system_from_phc(MULTIPLE))
    # x = 2: y = +-sqrt 2, real; x = i twice: y = +-sqrt i.
    assert (found.certified, found.certified_real, found.complete) == (4, 2, True)
    assert (found.multiple, found.multiplicity) == (2, 6)


def test_in_the_torus() -> None:
    found = count(system_from_phc("1\nx^3 - i*x^2;\n"), domain="torus")
    assert (found.certified, found.certified_real, found.complete) == (1, 0, True)
    found = count(system_from_phc("1\nx^3 - i*x^2;\n"))
    assert (found.certified, found.multiple, found.multiplicity, found.complete) == (2, 1, 3, True)
    assert found.certified_real == 1


def test_a_curve_over_the_complex_numbers() -> None:
    found = count(system_from_phc("2\n(x-i*y)*x;\n(x-i*y)*(y-1);\n"))
    assert (found.certified, found.dimension, found.complete) == (1, 1, False)
    assert found.component is not None
    assert (found.component.points, found.component.rank) == (1, 1)

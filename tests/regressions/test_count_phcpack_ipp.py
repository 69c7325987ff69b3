"""ipp, the inverse position problem of a six-revolute robot, coefficients as printed.

PHCpack's Demo/ipp lists 48 solutions and says: "16 paths are diverging to infinity", "16 paths go
to a connected component of solutions". For the coefficients as printed, eight digits each, there
are exactly 64 solutions, all simple: sixteen of them have coordinates up to 5e7, where the paths
"to a component" end. A. Morgan, A. Sommese, Appl. Math. Comput. 24 (1987).
"""

from __future__ import annotations

import pytest
from regressions.counted import count, honest, need

from theorylab.counting.external import FiniteSet, msolve
from theorylab.counting.system import system_from_phc
from theorylab.outcome import Assurance

TEXT = """8
x1^2 +x2^2 -1;
x3^2 +x4^2 -1;
x5^2 +x6^2 -1;
x7^2 +x8^2 -1;
-0.24915068*x1*x3 +1.6091354*x1*x4 +0.27942343*x2*x3 +1.4348016*x2*x4 +0.40026384*x5*x8
-0.80052768*x6*x7 +0.074052388*x1 -0.083050031*x2 -0.38615961*x3 -0.75526603*x4 +0.50420168*x5
-1.0916287*x6 +0.40026384*x8 +0.04920729;
0.12501635*x1*x3 -0.68660736*x1*x4 -0.11922812*x2*x3 -0.71994047*x2*x4 -0.43241927*x5*x7
-0.86483855*x6*x8 -0.03715727*x1 +0.035436896*x2 +0.085383482*x3 -0.039251967*x5 -0.43241927*x7
+0.01387301;
-0.63555007*x1*x3 -0.11571992*x1*x4 -0.66640448*x2*x3 +0.11036211*x2*x4 +0.29070203*x5*x7
+1.2587767*x5*x8 -0.62938836*x6*x7 +0.58140406*x6*x8 +0.19594662*x1 -1.2280342*x2
-0.079034221*x4 +0.026387877*x5 -0.05713143*x6 -1.1628081*x7 +1.2587767*x8 +2.162575;
1.4894773*x1*x3 +0.23062341*x1*x4 +1.3281073*x2*x3 -0.25864503*x2*x4 +1.165172*x5*x7
-0.26908494*x5*x8 +0.53816987*x6*x7 +0.58258598*x6*x8 -0.20816985*x1 +2.686832*x2 -0.69910317*x3
+0.35744413*x4 +1.2499117*x5 +1.467736*x6 +1.165172*x7 +1.10763397*x8 -0.69686809;
"""


def test_what_is_printed_has_as_many_equations_as_unknowns() -> None:
    made = system_from_phc(TEXT, "ipp")
    assert (made.equations, len(made.variables)) == (8, 8)
    assert made.degrees == (2,) * 8


@pytest.mark.slow
def test_48_of_64_are_not_complete() -> None:
    need("phc", "msolve")
    found = count(system_from_phc(TEXT, "ipp"), engine="phc")
    honest(found, 64)
    assert (found.upper, found.dimension, found.multiplicity) == (64, 0, 64)
    assert found.certified >= 48
    assert found.complete == (found.certified == 64)
    assert found.upper_assurance is Assurance.CAS


def test_the_exact_count() -> None:
    need("msolve")
    made = system_from_phc(TEXT, "ipp")
    # The public door is slow here: the exact count alone.
    from theorylab.counting.completeness import _Counting

    expanded = _Counting(made, 0, "auto", "affine", True, print)._expand()
    assert expanded is not None
    found = msolve.complex_solutions(expanded)
    assert isinstance(found, FiniteSet)
    assert (found.degree, found.distinct) == (64, 64)

"""Ten equations said to have 364 solutions: 342 certified, and no word of completeness.

HomotopyContinuation.jl issue 574, 2024-05-29, "Missing Solutions": "theoretically known to have
364 solutions", about 350 non-singular ones found, constant across runs, beside 221 singular ones.
Exactly there are 684 with multiplicity and 456 without; phc, twice, gives 340 and 341 regular ones
(177 s, so that here its answer is cut short).
"""

from __future__ import annotations

from typing import Any

import pytest
from regressions.counted import count, honest, need

from theorylab.counting import completeness
from theorylab.counting.external import EngineError
from theorylab.counting.system import system_from_phc

TEXT = """10
x2*x6^2 - x7*x10^3;
-x1^2 + 2*x2*x5*x6 - 3*x7*x9*x10^2;
-2*x1 + 2*x2*x4*x6 + x2*x5^2 - 3*x7*x8*x10^2 - 3*x7*x9^2*x10;
2*x2*x3*x6 + 2*x2*x4*x5 - 6*x7*x8*x9*x10 - x7*x9^3 - 3*x7*x10^2 - 1;
2*x2*x3*x5 + x2*x4^2 + 2*x2*x6 - 3*x7*x8^2*x10 - 3*x7*x8*x9^2 - 6*x7*x9*x10;
2*x2*x3*x4 + 2*x2*x5 - 3*x7*x8^2*x9 - 6*x7*x8*x10 - 3*x7*x9^2;
x2*x3^2 + 2*x2*x4 - x7*x8^3 - 6*x7*x8*x9 - 3*x7*x10;
-x1^2 + 2*x2*x3 - 3*x7*x8^2 - 3*x7*x9;
-2*x1 + x2 - 3*x7*x8;
-x7 - 1;
"""


@pytest.mark.slow
def test_the_exact_count_is_above_what_any_engine_found(monkeypatch: pytest.MonkeyPatch) -> None:
    need("msolve")

    def cut_short(*args: Any, **options: Any) -> Any:
        raise EngineError("phc", "it was cut short")

    monkeypatch.setattr(completeness.phc, "solve", cut_short)
    found = count(system_from_phc(TEXT), engine="phc")
    honest(found, 456)
    assert (found.upper, found.multiplicity, found.dimension) == (456, 684, 0)
    assert not found.complete
    assert "cut short" in str(found)

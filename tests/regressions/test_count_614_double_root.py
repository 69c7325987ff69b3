"""x^2 - 4 x + 4: one solution, of multiplicity two, whatever the seed.

HomotopyContinuation.jl issue 614, 2025-01-26, "Inconsistent results for simple polynomial": the
same call returns one solution of multiplicity 1 or 2, or a failed path beside it.
"""

from __future__ import annotations

import pytest
from regressions.counted import count, system, without_exact_algebra


@pytest.mark.parametrize("seed", range(6))
def test_every_seed_says_the_same(seed: int) -> None:
    found = count(system("x", "x*x-4*x+4"), seed=seed)
    assert (found.certified, found.certified_real, found.complete) == (1, 1, True)
    assert (found.multiple, found.multiplicity) == (1, 2)
    assert found.solved is not None
    assert [complex(z.mid()) for z in found.solved.points[0].coordinates] == [2]


def test_floating_point_alone_certifies_nothing_there(monkeypatch: pytest.MonkeyPatch) -> None:
    without_exact_algebra(monkeypatch)
    found = count(system("x", "x*x-4*x+4"))
    assert (found.certified, found.upper, found.complete) == (0, 1, False)

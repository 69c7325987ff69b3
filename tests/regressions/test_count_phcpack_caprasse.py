"""caprasse: 32 solutions, 8 of them of multiplicity 4.

PHCpack's Demo/caprasse says "54 isolated solutions", lists 48, most in clusters of radius 1e-7,
and leaves out those with a zero coordinate. Exactly: 56 with multiplicity, 32 without, 18 real; in
the torus 24, 12 of them real.
"""

from __future__ import annotations

import pytest
from regressions.counted import count, honest, of, without_exact_algebra
from zoo import caprasse

from theorylab.outcome import Assurance


def test_all_of_them_with_their_multiplicity() -> None:
    found = count(of(caprasse()))
    assert (found.certified, found.certified_real, found.complete) == (32, 18, True)
    assert (found.multiple, found.multiplicity, found.dimension) == (8, 56, 0)
    assert found.solved is not None
    assert sorted(p.multiplicity for p in found.solved.points) == [1] * 24 + [4] * 8
    assert found.assurance is Assurance.FLINT


@pytest.mark.slow
def test_in_the_torus() -> None:
    found = count(of(caprasse()), domain="torus")
    assert (found.certified, found.certified_real, found.complete) == (24, 12, True)
    assert (found.multiple, found.multiplicity) == (8, 48)


@pytest.mark.slow
def test_clusters_are_neither_roots_nor_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    without_exact_algebra(monkeypatch)
    found = count(of(caprasse()))
    honest(found, 32)
    assert (found.certified, found.upper, found.complete) == (24, 32, False)
    assert found.singular >= 8
